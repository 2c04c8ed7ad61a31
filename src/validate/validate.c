/*
 * validate.c
 *		How a model counts purchases, for the functions of validation in SQL.
 *
 * The rest of the module is SQL over the functions of others. To a family of continuous time
 * every purchase of a history is one. To the families of discrete time several
 * purchases in a period are one, a period that is not over does not count, and of a contract
 * only the renewals do, so the comparison has to count like this too: in the same
 * periods, which each customer may have of their own.
 */
#include "model/model.h"

#include "access/htup_details.h"
#include "common/arguments.h"
#include "funcapi.h"
#include "predict/predict.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(clv_validate_clock);

/*
 * clv_validate_clock(model) -> how it counts time, the days of its unit, how many covariates
 * customers have, the unit, whether it follows a calendar
 */
Datum
clv_validate_clock(PG_FUNCTION_ARGS)
{
	ClvModel fitted;
	Interval *unit = palloc(sizeof(Interval));
	ErrorContextCallback *stack = clv_hide_callers();
	Datum values[5];
	bool nulls[5] = {false};

	clv_model_unpack(PG_GETARG_CLV_MODEL_P(0), &fitted);
	clv_model_need_purchase(&fitted);
	error_context_stack = stack;
	values[0] = CStringGetTextDatum(clv_clock_name(fitted.purchase.family->clock));
	values[1] = Float8GetDatum(fitted.unit_days);
	values[2] = Int32GetDatum(clv_model_own_covariates(&fitted.purchase));
	*unit = fitted.time_unit;
	values[3] = IntervalPGetDatum(unit);
	values[4] = BoolGetDatum(fitted.purchase.calendar != NULL);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls)));
}

PG_FUNCTION_INFO_V1(clv_validate_periods);

/*
 * clv_validate_periods(model, since, horizon) -> how many periods, and the day by which they are
 * over for all customers; NULLs of continuous time
 */
Datum
clv_validate_periods(PG_FUNCTION_ARGS)
{
	DateADT since = PG_GETARG_DATEADT(1);
	const Interval *horizon = PG_GETARG_INTERVAL_P(2);
	ErrorContextCallback *stack = clv_hide_callers();
	ClvModel fitted;
	const ClvGrid *grid = &fitted.counting.grid;
	double periods;
	int64 months;
	int64 days;
	int64 until;
	Datum values[2] = {0};
	bool nulls[2] = {true, true};

	clv_model_unpack(PG_GETARG_CLV_MODEL_P(0), &fitted);
	clv_model_need_purchase(&fitted);
	if (fitted.purchase.family->clock == CLV_CONTINUOUS)
	{
		error_context_stack = stack;
		PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls)));
	}
	periods = clv_horizon_units(&fitted, "horizon", horizon);
	months = (int64) (periods * grid->months);
	days = (int64) (periods * grid->days);

	/*
	 * Of the calendar the end of a period, and of campaigns so many after since. Else customers
	 * have periods of their own, and the next ones of all are over that many months after
	 * since or after the day behind it: where since ends a month short of the day on which
	 * a customer came, that month's end counts as the day.
	 */
	until = clv_day_plus(clv_grid_over(grid, since) + 1, months, days) - 1;
	if (!grid->calendar && fitted.purchase.family->clock == CLV_CAMPAIGNS)
		until = clv_day_plus(since, months, days);
	else if (!grid->calendar)
		until = Max(until, clv_day_plus(since, months, days));
	if (!IS_VALID_DATE(until))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("the horizon ends beyond the last date")));
	error_context_stack = stack;
	values[0] = Int32GetDatum((int32) periods);
	values[1] = DateADTGetDatum((DateADT) until);
	nulls[0] = nulls[1] = false;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls)));
}

/* ---- purchases as a model counts them: periods > 0 after as_of, < 0 up to it, 0: all up to it
 * ---- */

/* Periods are days. Of the purchases the first is none that is repeated. */
static int32
InDays(const ClvHistory *history, DateADT as_of, int32 periods)
{
	int64 other = (int64) as_of + periods;
	DateADT since = periods == 0 ? DATEVAL_NOBEGIN : (DateADT) Min(other, as_of);
	DateADT until = (DateADT) Max(other, as_of);
	int32 count = clv_history_count(history, since, until);

	if (count > 0 && clv_history_count(history, DATEVAL_NOBEGIN, since) == 0)
		count--;
	return count;
}

/* Opportunities taken after the first purchase. */
static int32
InOpportunities(const ClvCounting *counting, const ClvHistory *history, DateADT as_of,
				DateADT first, int32 periods)
{
	ClvSteps steps;
	int64 over;

	clv_steps_from(&steps, &counting->grid, first);
	over = Max(clv_steps_over(&steps, as_of), 0);
	if (periods > 0)
		return clv_history_taken(history, &steps, over, over + periods);
	return clv_history_taken(history, &steps, periods == 0 ? 0 : Max(over + periods, 0), over);
}

/* Renewals of the contract that as_of finds. */
static int32
InRenewals(const ClvCounting *counting, const ClvHistory *history, DateADT as_of, int32 periods)
{
	ClvPeriods found;

	if (periods > 0)
		return clv_history_renewed(history, as_of, counting, periods);
	clv_history_contract(history, as_of, counting, true, &found);
	return periods == 0 ? found.x : Max(found.x - Max(found.over + periods, 0), 0);
}

/* Campaigns answered, counted from the end of the last one that is over; the first purchase is no
 * answer. */
static int32
InCampaigns(const ClvCounting *counting, const ClvHistory *history, DateADT as_of, DateADT first,
			int32 periods)
{
	DateADT now = (DateADT) clv_grid_over(&counting->grid, as_of);
	ClvSteps steps;
	int64 begun;

	clv_steps_from(&steps, &counting->grid, now);
	if (periods > 0)
		return clv_history_taken(history, &steps, 0, periods);
	begun = clv_steps_period(&steps, first);
	return begun > 0
			   ? 0
			   : clv_history_taken(history, &steps, periods == 0 ? begun : Max(begun, periods), 0);
}

PG_FUNCTION_INFO_V1(clv_validate_purchases);

/* clv_validate_purchases(model, history, as_of, periods) -> int4 */
Datum
clv_validate_purchases(PG_FUNCTION_ARGS)
{
	ClvModelCache *cache = (ClvModelCache *) fcinfo->flinfo->fn_extra;
	DateADT as_of = PG_GETARG_DATEADT(2);
	int32 periods = PG_GETARG_INT32(3);
	const ClvModel *fitted;
	ClvHistory *history;
	ClvSummary summary;
	int32 count = 0;

	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ClvModelCache));
		fcinfo->flinfo->fn_extra = cache;
	}
	fitted = clv_model_lookup(cache, PG_GETARG_DATUM(0), fcinfo->flinfo->fn_mcxt);
	clv_model_need_purchase(fitted);
	clv_check_date("as_of", as_of);
	if (!IS_VALID_DATE((int64) as_of + periods))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("the periods from as_of on reach beyond the dates that there are")));
	history = PG_GETARG_CLV_HISTORY_P(1);
	clv_history_summarize(history, as_of, CLV_SPEND_ALL, &summary);
	if (fitted->purchase.family->clock == CLV_CONTINUOUS)
		count = InDays(history, as_of, periods);
	else if (summary.purchases == 0)
		count = 0;
	else if (fitted->purchase.family->clock == CLV_OPPORTUNITIES)
		count = InOpportunities(&fitted->counting, history, as_of, summary.first, periods);
	else if (fitted->purchase.family->clock == CLV_RENEWALS)
		count = InRenewals(&fitted->counting, history, as_of, periods);
	else
		count = InCampaigns(&fitted->counting, history, as_of, summary.first, periods);
	PG_FREE_IF_COPY(history, 1);
	PG_RETURN_INT32(count);
}
