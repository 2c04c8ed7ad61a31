/*
 * arguments.c
 *		The arguments that many functions have in common: days, lengths of time, rates; every
 *message names the value.
 */
#include "common/arguments.h"

#include <math.h>

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

/* More than there are families and arguments to warn of in one statement. */
#define MOST_SUBJECTS 32

#define LONGEST_PERIOD (1000 * CLV_DAYS_PER_YEAR)
#define MILLION_YEARS (1e6 * CLV_DAYS_PER_YEAR)

/* Values beyond these are probably percent; a rate of -1 or less is an error. */
#define MOST_RATE 1.0
#define MOST_MARGIN 1.0
#define LEAST_MARGIN (-10.0)

/* Whether a span is infinite: the ends of all three fields mean that since PostgreSQL 17; before
 * they were spans like any other. */
static bool
IsInfinite(const Interval *span, bool *negative)
{
	*negative = span->month == PG_INT32_MIN;
	return (span->month == PG_INT32_MAX && span->day == PG_INT32_MAX &&
			span->time == PG_INT64_MAX) ||
		   (span->month == PG_INT32_MIN && span->day == PG_INT32_MIN && span->time == PG_INT64_MIN);
}

/* The hint for an interval given as a number without a unit: how to write it in days. */
static int
BareHint(int64 days)
{
	const char *unit = days == 1 ? "day" : "days";

	return errhint("For " INT64_FORMAT " %s write '" INT64_FORMAT " %s'.", days, unit, days, unit);
}

double
clv_span_days(const char *argument, const Interval *span)
{
	bool negative;
	bool bare = span->month == 0 && span->day == 0 && span->time % USECS_PER_SEC == 0 &&
				span->time % USECS_PER_HOUR != 0;

	if (IsInfinite(span, &negative))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be finite: %s", argument, negative ? "-infinity" : "infinity")));
	if (span->time % USECS_PER_DAY != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be whole days: %s", argument, clv_interval_text(span)),
				 bare ? errdetail("A number without a unit counts seconds.")
					  : errdetail("Histories count days."),
				 bare ? BareHint(span->time / USECS_PER_SEC)
					  : errhint("Write it in days, weeks, months or years, such as '13 weeks'.")));
	return clv_interval_days(span);
}

double
clv_period_days(const char *argument, const Interval *span, bool may_be_none)
{
	double days = clv_interval_days(span);

	if (span->month < 0 || span->day < 0 || span->time < 0 || days > LONGEST_PERIOD ||
		(days == 0 && !may_be_none))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is out of range: %s", argument, clv_interval_text(span)),
				 may_be_none
					 ? errdetail("It must be without negative parts, and at most 1000 years.")
					 : errdetail("It must be longer than zero, without negative parts, "
								 "and at most 1000 years.")));
	return days;
}

void
clv_check_date(const char *argument, DateADT day)
{
	char text[MAXDATELEN + 1];

	if (DATE_NOT_FINITE(day))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be a finite date: %s", argument, clv_date_text(day, text)),
						errhint("Give a day, such as the last one of the data.")));
	if (!IS_VALID_DATE(day))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("%s is out of range: day %d", argument, day)));
}

bool
clv_first_in_statement(const char *subject)
{
	static const char *subjects[MOST_SUBJECTS];
	static int n = 0;
	static TimestampTz statement = 0;
	TimestampTz now = GetCurrentStatementStartTimestamp();

	if (now != statement)
		n = 0;
	statement = now;
	for (int i = 0; i < n; i++)
		if (strcmp(subjects[i], subject) == 0)
			return false;
	if (n < MOST_SUBJECTS)
		subjects[n++] = subject;
	return true;
}

/* ---- horizons, rates, numbers ---- */

void
clv_check_horizon_days(const char *argument, double days)
{
	if (days > MILLION_YEARS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s is longer than a million years: %s days", argument,
							   clv_number_text(days)),
						errhint("For a value without end see clv_lifetime_value.")));
}

double
clv_horizon_days(const char *argument, const Interval *horizon)
{
	double days = clv_span_days(argument, horizon);

	if (days < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative: %s days", argument, clv_number_text(days))));
	clv_check_horizon_days(argument, days);
	return days;
}

double
clv_delta(double rate, double unit_days)
{
	if (!(rate > -1 && isfinite(rate)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("discount_rate is out of range: %s", clv_number_text(rate)),
						errdetail("It is an effective rate per year, as 0.10 for 10 %%, "
								  "and greater than -1.")));
	return clv_daily_rate(rate) * unit_days;
}

/* Warns once a statement of a rate that looks like percent; the hint divides it by 100. */
static void
WarnRate(const char *argument, double value, const char *meaning)
{
	if (!clv_first_in_statement(argument))
		return;
	ereport(WARNING,
			(errmsg("%s is %s", argument, clv_number_text(value)), errdetail("%s", meaning),
			 fabs(value) <= 100 ? errhint("For %s %% write %s, not %s.", clv_number_text(value),
										  clv_number_text(value / 100), clv_number_text(value))
								: 0));
}

void
clv_check_rates(double discount_rate, double margin)
{
	if (!isfinite(margin))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("margin must be a finite number: %s", clv_number_text(margin)),
						errdetail("It is the contribution margin of revenue, as 0.35 for 35 %%.")));
	if (discount_rate > MOST_RATE && isfinite(discount_rate))
		WarnRate("discount_rate", discount_rate, "It is an effective rate per year.");
	if (margin > MOST_MARGIN || margin < LEAST_MARGIN)
		WarnRate("margin", margin, "It is the part of revenue that is kept, 1 being all of it.");
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
clv_check_probability(const char *what, double value)
{
	if (!(value > 0 && value < 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must lie between 0 and 1: %s", what, clv_number_text(value))));
}

void
clv_check_level(double level)
{
	clv_check_probability("level", level);
}

/* ---- for functions in SQL ---- */

/* (argument, day): the day, or an error as above; for functions in SQL */
PG_FUNCTION_INFO_V1(clv_argument_date);
Datum
clv_argument_date(PG_FUNCTION_ARGS)
{
	ErrorContextCallback *stack = clv_hide_callers();

	clv_check_date(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_DATEADT(1));
	error_context_stack = stack;
	PG_RETURN_DATUM(PG_GETARG_DATUM(1));
}

/* (argument, span): the span, or an error as above; for functions in SQL */
PG_FUNCTION_INFO_V1(clv_argument_span);
Datum
clv_argument_span(PG_FUNCTION_ARGS)
{
	ErrorContextCallback *stack = clv_hide_callers();

	(void) clv_span_days(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INTERVAL_P(1));
	error_context_stack = stack;
	PG_RETURN_DATUM(PG_GETARG_DATUM(1));
}

/* (discount_rate, margin): warnings where they look like percent, an error as above; for functions
 * in SQL */
PG_FUNCTION_INFO_V1(clv_argument_rates);
Datum
clv_argument_rates(PG_FUNCTION_ARGS)
{
	clv_check_rates(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1));
	PG_RETURN_VOID();
}
