/*
 * score_cuts.c
 *		rfmtc_score(history, cuts, as_of): one customer against stored cuts.
 */
#include "score/cuts.h"

#include "common/arguments.h"

/* What a call site keeps: the cuts of the last row, their model, and the row type. */
typedef struct CutsSite
{
	ClvModelCache cache;
	ClvValuer *valuer;
	TupleDesc desc;
	ClvLastValue last; /* of the cuts */
	ClvCutPoints points;
	bool has_as_of;
	DateADT as_of;
	ClvPackedModel *model;
} CutsSite;

/* What the call site keeps, made on the first call. */
static CutsSite *
Site(FmgrInfo *flinfo)
{
	if (flinfo->fn_extra == NULL)
	{
		CutsSite *site = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(CutsSite));

		site->desc = clv_scores_desc(flinfo);
		site->valuer = clv_valuer_create(flinfo->fn_mcxt);
		flinfo->fn_extra = site;
	}
	return flinfo->fn_extra;
}

/* Takes new cuts; the old ones are removed first, since reading the new ones may fail. */
static void
TakeCuts(CutsSite *site, Datum datum, MemoryContext context)
{
	ClvCutsParts parts;

	clv_last_clear(&site->last);
	if (site->model != NULL)
		pfree(site->model);
	site->model = NULL;

	clv_cuts_unpack_value(DatumGetClvCutsP(datum), &parts);
	site->points = parts.points;
	site->has_as_of = parts.has_as_of;
	site->as_of = parts.as_of;
	if (parts.model != NULL)
	{
		site->model = MemoryContextAlloc(context, VARSIZE_ANY(parts.model));
		memcpy(site->model, parts.model, VARSIZE_ANY(parts.model));
	}
	clv_last_set(&site->last, false, datum, context);
}

/*
 * rfmtc_score(history, cuts, as_of) -> clv_scores; a NULL as_of is the day of the cuts; NULL for a
 * NULL history or cuts, and before the first purchase.
 */
PG_FUNCTION_INFO_V1(rfmtc_score_cuts);
Datum
rfmtc_score_cuts(PG_FUNCTION_ARGS)
{
	CutsSite *site;
	DateADT as_of;
	double value[CLV_MEASURES];
	ClvScores scores;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = Site(fcinfo->flinfo);
	if (!clv_last_is(&site->last, false, PG_GETARG_DATUM(1)))
		TakeCuts(site, PG_GETARG_DATUM(1), fcinfo->flinfo->fn_mcxt);
	if (site->model != NULL)
		clv_model_lookup(&site->cache, PointerGetDatum(site->model), fcinfo->flinfo->fn_mcxt);
	if (PG_ARGISNULL(2) && !site->has_as_of)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("rfmtc_score() needs a day to score as of"),
				 errdetail("The cuts have none."), errhint("Give as_of, here or to clv_cuts().")));
	as_of = PG_ARGISNULL(2) ? site->as_of : PG_GETARG_DATEADT(2);
	clv_check_date("as_of", as_of);
	if (!clv_measure(PG_GETARG_CLV_HISTORY_P(0), site->model != NULL ? &site->cache : NULL,
					 site->valuer, as_of, value))
		PG_RETURN_NULL();
	clv_score(&site->points, value, &scores);
	PG_RETURN_DATUM(clv_scores_datum(site->desc, &scores));
}
