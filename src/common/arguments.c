/*
 * arguments.c
 *		The arguments that many functions have in common: days and lengths of time.
 */
#include "common/arguments.h"

#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

/* More than there are families and arguments to warn of in one statement. */
#define MOST_SUBJECTS 32

#define LONGEST_PERIOD (1000 * CLV_DAYS_PER_YEAR)

/* Infinite intervals came with PostgreSQL 17, as the ends of all three fields; before, nobody means these. */
static bool
IsInfinite(const Interval *span, bool *negative)
{
	*negative = span->month == PG_INT32_MIN;
	return (span->month == PG_INT32_MAX && span->day == PG_INT32_MAX &&
			span->time == PG_INT64_MAX) ||
		   (span->month == PG_INT32_MIN && span->day == PG_INT32_MIN && span->time == PG_INT64_MIN);
}

double
clv_span_days(const char *argument, const Interval *span)
{
	bool		negative;
	bool		bare = span->month == 0 && span->day == 0 && span->time % USECS_PER_SEC == 0 &&
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
				 bare ? errhint("For " INT64_FORMAT " days write '" INT64_FORMAT " days'.",
								span->time / USECS_PER_SEC, span->time / USECS_PER_SEC)
					  : errhint("Write it in days, weeks, months or years, such as '13 weeks'.")));
	return clv_interval_days(span);
}

double
clv_period_days(const char *argument, const Interval *span, bool may_be_none)
{
	double		days = clv_interval_days(span);

	if (span->month < 0 || span->day < 0 || span->time < 0 || days > LONGEST_PERIOD ||
		(days == 0 && !may_be_none))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s is out of range: %s", argument, clv_interval_text(span)),
						may_be_none ? errdetail("It must be without negative parts, and at most 1000 years.")
									: errdetail("It must be longer than nothing, without negative parts, "
												"and at most 1000 years.")));
	return days;
}

void
clv_check_date(const char *argument, DateADT day)
{
	char		text[MAXDATELEN + 1];

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
	static int	n = 0;
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

/* (argument, day): the day, or an error as above; for functions in SQL */
PG_FUNCTION_INFO_V1(clv_quick_date);
Datum
clv_quick_date(PG_FUNCTION_ARGS)
{
	ErrorContextCallback *stack = clv_hide_callers();

	clv_check_date(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_DATEADT(1));
	error_context_stack = stack;
	PG_RETURN_DATUM(PG_GETARG_DATUM(1));
}

/* (argument, span): the span, or an error as above; for functions in SQL */
PG_FUNCTION_INFO_V1(clv_quick_span);
Datum
clv_quick_span(PG_FUNCTION_ARGS)
{
	ErrorContextCallback *stack = clv_hide_callers();

	(void) clv_span_days(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_INTERVAL_P(1));
	error_context_stack = stack;
	PG_RETURN_DATUM(PG_GETARG_DATUM(1));
}
