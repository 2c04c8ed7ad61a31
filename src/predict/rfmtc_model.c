/*
 * rfmtc_model.c
 *		The five values with the fifth: churn = 1 - P(alive) under a model.
 *
 * The other four are the history room's. It is called with an FmgrInfo that bears
 * this function's name, whose row type is the same.
 */
#include "predict/predict_private.h"

#include "access/htup_details.h"
#include "funcapi.h"

#define COLUMNS 5
#define CHURN 4

extern Datum rfmtc(PG_FUNCTION_ARGS);

typedef struct RfmtcSite
{
	ClvModelCache model;		/* first, as model.h asks */
	FmgrInfo	history;
	TupleDesc	desc;
} RfmtcSite;

static RfmtcSite *
Site(FunctionCallInfo fcinfo)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	RfmtcSite  *site = (RfmtcSite *) flinfo->fn_extra;

	if (site != NULL)
		return site;
	site = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(RfmtcSite));
	site->desc = clv_find_row_type(fcinfo);
	site->history = *flinfo;
	flinfo->fn_extra = site;
	return site;
}

/* The row of the history room; false where it is NULL. */
static bool
HistoryRow(FunctionCallInfo fcinfo, RfmtcSite *site, Datum *row)
{
	LOCAL_FCINFO(inner, 2);

	InitFunctionCallInfoData(*inner, &site->history, 2, InvalidOid, NULL, NULL);
	inner->args[0] = fcinfo->args[0];
	inner->args[1] = fcinfo->args[1];
	*row = rfmtc(inner);
	return !inner->isnull;
}

/* (history, as_of, model); the model may be NULL */
PG_FUNCTION_INFO_V1(rfmtc_with_model);
Datum
rfmtc_with_model(PG_FUNCTION_ARGS)
{
	RfmtcSite  *site;
	Datum		row;
	HeapTupleHeader header;
	HeapTupleData tuple;
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
	const ClvModel *fitted;
	double		p_alive;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = Site(fcinfo);
	if (!HistoryRow(fcinfo, site, &row))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(2))
		PG_RETURN_DATUM(row);

	fitted = clv_model_lookup(&site->model, PG_GETARG_DATUM(2), fcinfo->flinfo->fn_mcxt);
	if (!clv_history_p_alive(fitted, PG_GETARG_CLV_HISTORY_P(0), PG_GETARG_DATEADT(1), &p_alive))
		PG_RETURN_DATUM(row);
	header = DatumGetHeapTupleHeader(row);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	heap_deform_tuple(&tuple, site->desc, values, nulls);
	values[CHURN] = Float8GetDatum(1 - p_alive);
	nulls[CHURN] = false;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(site->desc, values, nulls)));
}
