/*
 * arguments.c
 *		Reading and refusing arguments; every message names the value.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "common/arguments.h"

/* Families of whole periods go through them one by one, where no cancel can come between. */
#define MOST_PERIODS 100000

#define MILLION_YEARS (1e6 * CLV_DAYS_PER_YEAR)

DateADT
clv_as_of_model(const ClvModel *fitted)
{
	if (!fitted->has_as_of)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the day to predict from is not known"),
						errdetail("The model has no as_of, and none was given."),
						errhint("Give as_of => a date, the last day of your data.")));
	return fitted->as_of;
}

DateADT
clv_as_of(FunctionCallInfo fcinfo, int argument, const ClvModel *fitted)
{
	DateADT		as_of;

	if (PG_ARGISNULL(argument))
		return clv_as_of_model(fitted);
	as_of = PG_GETARG_DATEADT(argument);
	clv_check_date("as_of", as_of);
	return as_of;
}

void
clv_check_horizon_days(double days)
{
	if (days > MILLION_YEARS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("horizon is longer than a million years: %s days", clv_number_text(days)),
						errhint("For a value without end see clv_lifetime_value.")));
}

/* The horizon in days; an error that names it where it is negative. */
static double
HorizonDays(const Interval *horizon)
{
	double		days = clv_span_days("horizon", horizon);

	if (days < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("horizon must not be negative: %s days", clv_number_text(days))));
	clv_check_horizon_days(days);
	return days;
}

double
clv_horizon_units(const ClvModel *fitted, const char *what, const Interval *horizon)
{
	const ClvFamily *family = fitted->purchase.family;
	double		days = HorizonDays(horizon);
	double		periods;

	if (!clv_in_periods(family))
		return days / fitted->unit_days;
	if (!clv_interval_periods(&fitted->counting.grid, horizon, &periods))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s of %s is no whole number of periods of %s", what,
							   clv_interval_text(horizon), clv_interval_text(&fitted->time_unit)),
						errdetail("\"%s\" counts by the time unit of the model.", family->name)));
	clv_check_few(family, what, periods);
	return periods;
}

void
clv_check_few(const ClvFamily *family, const char *what, double periods)
{
	if (periods > MOST_PERIODS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s of %s periods is longer than \"%s\" can reckon with", what,
							   clv_number_text(periods), family->name),
						errdetail("It may be up to %d periods.", MOST_PERIODS)));
}

void
clv_check_count(const char *what, double value)
{
	if (!(value >= 0 && value <= PG_INT32_MAX && value == floor(value)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be a whole number from 0 to %d: %s", what, PG_INT32_MAX,
							   clv_number_text(value))));
}

void
clv_check_time(const char *what, double value)
{
	if (!(value >= 0 && isfinite(value)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be a finite number, not negative: %s", what,
							   clv_number_text(value))));
}

void
clv_check_level(double level)
{
	if (!(level > 0 && level < 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("level must lie between 0 and 1: %s", clv_number_text(level))));
}

double
clv_checked(double value, const char *what, const ClvCustomer *customer)
{
	if (isnan(value))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("%s is beyond the reach of double precision", what),
						errdetail("x = %s, t_x = %s, t_cal = %s.", clv_number_text(customer->x),
								  clv_number_text(customer->t_x), clv_number_text(customer->T)),
						errhint("Are the parameters of the model in its time unit?")));
	return value;
}
