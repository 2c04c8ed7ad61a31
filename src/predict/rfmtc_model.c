/*
 * rfmtc_model.c
 *		rfmtc(history, as_of, model): the five values, with churn = 1 - P(alive) under a model.
 */
#include "predict/predict_private.h"

#include "access/htup_details.h"
#include "funcapi.h"

/* What a call site of rfmtc(history, as_of, model) keeps. */
typedef struct RfmtcSite
{
	ClvModelCache model; /* first, as model.h asks */
	TupleDesc desc;
} RfmtcSite;

/* What the call site keeps, made on the first call. */
static RfmtcSite *
Site(FunctionCallInfo fcinfo)
{
	FmgrInfo *flinfo = fcinfo->flinfo;
	RfmtcSite *site = (RfmtcSite *) flinfo->fn_extra;

	if (site != NULL)
		return site;
	site = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(RfmtcSite));
	site->desc = clv_find_row_type(fcinfo);
	flinfo->fn_extra = site;
	return site;
}

/*
 * rfmtc(history, as_of, model) -> clv_rfmtc with churn = 1 - P(alive), NULL for a NULL model; NULL
 * for a NULL history or as_of, and before the first purchase.
 */
PG_FUNCTION_INFO_V1(rfmtc_with_model);
Datum
rfmtc_with_model(PG_FUNCTION_ARGS)
{
	RfmtcSite *site;
	const ClvModel *fitted = NULL;
	ClvHistory *history;
	DateADT as_of;
	ClvSummary summary;
	Datum values[CLV_RFMTC_COLUMNS];
	bool nulls[CLV_RFMTC_COLUMNS];
	double p_alive;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = Site(fcinfo);
	history = PG_GETARG_CLV_HISTORY_P(0);
	as_of = PG_GETARG_DATEADT(1);
	clv_check_date("as_of", as_of);
	if (!PG_ARGISNULL(2))
		fitted = clv_model_lookup(&site->model, PG_GETARG_DATUM(2), fcinfo->flinfo->fn_mcxt);
	clv_history_summarize(history, as_of, fitted != NULL ? fitted->spend_basis : CLV_SPEND_ALL,
						  &summary);
	if (summary.purchases == 0)
		PG_RETURN_NULL();
	clv_rfmtc_columns(history, as_of, &summary, values, nulls);
	if (fitted != NULL && clv_history_p_alive(fitted, history, as_of, &summary, &p_alive))
	{
		values[CLV_RFMTC_CHURN] = Float8GetDatum(1 - p_alive);
		nulls[CLV_RFMTC_CHURN] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(site->desc, values, nulls)));
}
