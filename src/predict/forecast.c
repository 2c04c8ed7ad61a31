/*
 * forecast.c
 *		clv_forecast, the expectations of a customer period by period, and clv_new_customer,
 *		those of a customer from the first purchase on.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "access/htup_details.h"
#include "common/arguments.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/tuplestore.h"

#define MOST_PERIODS 100000

/* ---- clv_forecast(model, history, periods, period, discount_rate, margin, as_of, covariates) ----
 */

/* A forecast of one customer: what the customer is expected to do if alive, and the periods asked
 * for. */
typedef struct Forecast
{
	ClvFuture future; /* given alive */
	double p_alive;
	double spend; /* per purchase; not finite where there is none */
	double margin;
	double delta;
	double step; /* of a period, in days or periods; unit: how many make the model's unit */
	double unit;
	double period_days;
	const ClvGrid *grid; /* of families of discrete time, else NULL */
	int periods;
	DateADT as_of;
} Forecast;

/* Expected purchases, undiscounted and discounted, until the end of the period; given alive. */
static void
Until(const Forecast *forecast, int period, double *expected, double *discounted)
{
	double t = period * forecast->step / forecast->unit;

	*expected = clv_future_expected(&forecast->future, t);
	*discounted =
		forecast->delta == 0 ? *expected : clv_discounted(&forecast->future, forecast->delta, t);
}

/* The first day of a period, or the day within which it begins. */
static DateADT
FirstDay(const Forecast *forecast, int period)
{
	const ClvGrid *grid = forecast->grid;
	double day = forecast->as_of + floor(period * forecast->period_days) + 1;
	double steps = period * forecast->step;

	/* periods are those of the calendar, or begin on the day after as_of */
	if (grid != NULL)
		day = (double) clv_day_plus(clv_grid_over(grid, forecast->as_of) + 1,
									(int64) (steps * grid->months), (int64) (steps * grid->days));
	if (!(day < DATE_END_JULIAN - POSTGRES_EPOCH_JDATE))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("period %d of the forecast begins beyond the last date", period + 1)));
	return (DateADT) day;
}

/*
 * Each period is the difference between two horizons, so that they add up to the
 * longest. Where almost nothing is left to come, rounding must not make it negative.
 */
static void
PutPeriods(const Forecast *forecast, const ClvCustomer *customer, ReturnSetInfo *result)
{
	double expected = 0;
	double discounted = 0;
	bool money = isfinite(forecast->spend);

	for (int i = 0; i < forecast->periods; i++)
	{
		double next;
		double next_discounted;
		double purchases;
		Datum values[4] = {0};
		bool nulls[4] = {false, false, !money, !money};

		CHECK_FOR_INTERRUPTS();
		Until(forecast, i + 1, &next, &next_discounted);
		purchases = forecast->p_alive * fmax(next - expected, 0);
		values[0] = DateADTGetDatum(FirstDay(forecast, i));
		values[1] = Float8GetDatum(clv_checked(purchases, "the forecast", customer));
		if (money)
		{
			double value = forecast->p_alive * forecast->spend * forecast->margin *
						   fmax(next_discounted - discounted, 0);

			values[2] = Float8GetDatum(purchases * forecast->spend);
			/* no sum of money is -0 */
			values[3] = Float8GetDatum(clv_checked(value, "the forecast", customer) + 0.0);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		expected = next;
		discounted = next_discounted;
	}
}

/* Sets the steps of the forecast; errors where a period is not positive, or the horizon is too
 * long. */
static void
SetPeriod(Forecast *forecast, const ClvModel *fitted, const Interval *period)
{
	int periods = forecast->periods;
	double days = clv_span_days("period", period);

	if (periods < 1 || periods > MOST_PERIODS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("periods must lie between 1 and %d: %d", MOST_PERIODS, periods)));
	if (!(days > 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("period must be positive: %s days", clv_number_text(days))));
	clv_check_horizon_days("horizon", periods * days);
	forecast->period_days = forecast->step = days;
	forecast->unit = fitted->unit_days;
	forecast->grid = NULL;
	if (!clv_in_periods(fitted->purchase.family))
		return;
	forecast->step = clv_horizon_units(fitted, "period", period);
	forecast->unit = 1;
	forecast->grid = &fitted->counting.grid;
	clv_check_few(fitted->purchase.family, "horizon", periods * forecast->step);
	/* what is expected of several campaigns is not what is expected of each */
	if (fitted->purchase.family->clock == CLV_CAMPAIGNS && periods > 1)
		clv_raise_unsupported(fitted->purchase.family, "forecast of several periods");
}

/*
 * clv_forecast(model, history, periods, period, discount_rate, margin, as_of, covariates) -> one
 * row a period: first day, expected purchases, revenue and value; no rows for NULL arguments other
 * than the last two, or before the first purchase.
 */
PG_FUNCTION_INFO_V1(clv_forecast);
Datum
clv_forecast(PG_FUNCTION_ARGS)
{
	enum
	{
		MODEL,
		HISTORY,
		PERIODS,
		PERIOD,
		DISCOUNT_RATE,
		MARGIN,
		AS_OF,
		COVARIATES
	};
	ClvModelSite *site;
	Forecast forecast;
	ClvCustomer customer;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = MODEL; i <= MARGIN; i++)
		if (PG_ARGISNULL(i))
			return (Datum) 0;
	site = clv_customer_site(fcinfo, COVARIATES);
	forecast.periods = PG_GETARG_INT32(PERIODS);
	SetPeriod(&forecast, site->fitted, PG_GETARG_INTERVAL_P(PERIOD));
	forecast.delta = clv_delta(PG_GETARG_FLOAT8(DISCOUNT_RATE), site->fitted->unit_days);
	forecast.margin = PG_GETARG_FLOAT8(MARGIN);
	clv_check_rates(PG_GETARG_FLOAT8(DISCOUNT_RATE), forecast.margin);
	forecast.as_of = clv_as_of(fcinfo, AS_OF, site->fitted);
	if (!clv_customer(site->fitted, PG_GETARG_CLV_HISTORY_P(HISTORY), forecast.as_of, &customer))
		return (Datum) 0;

	forecast.p_alive = clv_checked(clv_site_p_alive(site, &customer), "P(alive)", &customer);
	forecast.spend = clv_spend_of(site->fitted, &customer);
	clv_future_of(site->fitted, &customer, forecast.periods * forecast.step / forecast.unit,
				  &forecast.future);
	PutPeriods(&forecast, &customer, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

/* ---- clv_new_customer(model, horizon, discount_rate, margin, covariates, as_of) ---- */

/*
 * The clocks of a customer who first buys on the day in the argument, or on the model's as_of; NULL
 * where the model has no calendar.
 */
static const struct ClvClocks *
AcquiredClocks(FunctionCallInfo fcinfo, int argument, const ClvModelSite *site)
{
	const ClvModel *fitted = site->fitted;
	DateADT day;

	if (PG_NARGS() > argument && !PG_ARGISNULL(argument))
		clv_check_date("as_of", PG_GETARG_DATEADT(argument));
	if (fitted->purchase.calendar == NULL)
		return NULL;
	day = PG_NARGS() > argument ? clv_as_of(fcinfo, argument, fitted) : clv_as_of_model(fitted);
	clv_say_beyond(fitted, day, site->terms.horizon);
	return clv_clocks_from_day(clv_timeline(&fitted->purchase, fitted->unit_days), day);
}

/*
 * clv_new_customer(model, horizon, discount_rate, margin, covariates, as_of) -> row: what a
 * customer is expected to buy and be worth from the first purchase on; NULL for NULL arguments
 * other than covariates and as_of, NULL values without an expected spend.
 */
PG_FUNCTION_INFO_V1(clv_new_customer);
Datum
clv_new_customer(PG_FUNCTION_ARGS)
{
	enum
	{
		MODEL,
		HORIZON,
		DISCOUNT_RATE,
		MARGIN,
		COVARIATES,
		AS_OF
	};
	ClvModelSite *site;
	ClvCustomer newcomer = {0};
	ClvFuture future;
	double margin;
	double spend;
	Datum values[4] = {0};
	bool nulls[4] = {false, true, true, true};

	for (int i = MODEL; i <= MARGIN; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	site = clv_customer_site(fcinfo, COVARIATES);
	clv_set_terms(site, PG_GETARG_INTERVAL_P(HORIZON), PG_GETARG_FLOAT8(DISCOUNT_RATE));
	margin = PG_GETARG_FLOAT8(MARGIN);
	clv_check_rates(PG_GETARG_FLOAT8(DISCOUNT_RATE), margin);

	future.family = site->fitted->purchase.family;
	memcpy(future.param, site->fitted->purchase.param, sizeof(site->fitted->purchase.param));
	future.clocks = AcquiredClocks(fcinfo, AS_OF, site);
	values[0] = Float8GetDatum(clv_checked(clv_future_expected(&future, site->terms.horizon),
										   "the expected number of purchases", &newcomer));
	spend = clv_spend_of(site->fitted, &newcomer);
	if (isfinite(spend))
	{
		double first = spend * margin;
		double repeats =
			clv_checked(clv_discounted(&future, site->terms.delta, site->terms.horizon) * first,
						"the value", &newcomer);

		values[1] = Float8GetDatum(first);
		values[2] = Float8GetDatum(repeats + 0.0);
		values[3] = Float8GetDatum(first + repeats);
		memset(nulls, false, sizeof(nulls));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_row_type(fcinfo), values, nulls)));
}
