/*
 * validate.c
 *		The little that validation cannot ask in SQL: how a model counts.
 *
 * The rest of the room is SQL over the verbs. What a family of continuous time
 * calls a purchase is a purchase of the history. On a clock of opportunities several
 * purchases in a period are one, and a period that is not over does not count, so
 * the comparison has to count like this too.
 */
#include "fitted/fitted.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

static const char *
ClockName(ClvClock clock)
{
	switch (clock)
	{
		case CLV_CONTINUOUS:
			return "continuous";
		case CLV_OPPORTUNITIES:
			return "opportunities";
		case CLV_RENEWALS:
			return "renewals";
		case CLV_CAMPAIGNS:
			return "campaigns";
	}
	return NULL;
}

PG_FUNCTION_INFO_V1(clv_validate_clock);
Datum
clv_validate_clock(PG_FUNCTION_ARGS)
{
	ClvFitted	fitted;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	clv_fitted_unpack(PG_GETARG_CLV_MODEL_P(0), &fitted);
	clv_fitted_need_purchase(&fitted);
	values[0] = CStringGetTextDatum(ClockName(fitted.purchase.family->clock));
	values[1] = Float8GetDatum(fitted.unit_days);
	values[2] = Int32GetDatum(fitted.purchase.ncovariates);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls)));
}

/* Periods after the first that saw a purchase and are over. */
static int32
SeenUntil(const ClvHistory *history, DateADT until, double unit_days)
{
	ClvPeriods	periods;

	if (DATE_IS_NOBEGIN(until))
		return 0;
	clv_history_periods(history, until, unit_days, &periods);
	return periods.x;
}

PG_FUNCTION_INFO_V1(clv_validate_purchases);
Datum
clv_validate_purchases(PG_FUNCTION_ARGS)
{
	ClvFittedCache *cache = (ClvFittedCache *) fcinfo->flinfo->fn_extra;
	const ClvFitted *fitted;
	ClvHistory *history;
	DateADT		since = PG_GETARG_DATEADT(2);
	DateADT		until = PG_GETARG_DATEADT(3);
	int32		count;

	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ClvFittedCache));
		fcinfo->flinfo->fn_extra = cache;
	}
	fitted = clv_fitted_lookup(cache, PG_GETARG_DATUM(0), fcinfo->flinfo->fn_mcxt);
	clv_fitted_need_purchase(fitted);
	if (DATE_NOT_FINITE(until))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("until must be a finite date")));
	history = PG_GETARG_CLV_HISTORY_P(1);
	if (fitted->purchase.family->clock == CLV_OPPORTUNITIES)
		count = SeenUntil(history, until, fitted->unit_days) -
			SeenUntil(history, since, fitted->unit_days);
	else
	{
		count = clv_history_count(history, since, until);
		if (count > 0 && clv_history_count(history, DATEVAL_NOBEGIN, since) == 0)
			count--;			/* the first */
	}
	PG_FREE_IF_COPY(history, 1);
	PG_RETURN_INT32(count);
}
