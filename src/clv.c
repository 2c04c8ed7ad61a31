/*
 * clv.c
 *		The module itself, and the few helpers that every room may assume.
 */
#include "clv.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/datetime.h"

CLV_MODULE_MAGIC;

double
clv_interval_days(const Interval *interval)
{
	return interval->month * CLV_DAYS_PER_MONTH + interval->day +
		   (double) interval->time / USECS_PER_DAY;
}

char *
clv_date_text(DateADT day, char *buffer)
{
	struct pg_tm tm;

	if (DATE_NOT_FINITE(day))
		EncodeSpecialDate(day, buffer);
	else
	{
		memset(&tm, 0, sizeof(tm));
		j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, buffer);
	}
	return buffer;
}

void
clv_append_double(StringInfo out, double value)
{
	char digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(value, digits);
	if (isfinite(value))
		appendStringInfoString(out, digits);
	else
		appendStringInfo(out, "\"%s\"", digits);
}

TupleDesc
clv_find_row_type(FunctionCallInfo fcinfo)
{
	MemoryContext old;
	TupleDesc row;

	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	row = BlessTupleDesc(CreateTupleDescCopy(row));
	MemoryContextSwitchTo(old);
	return row;
}

TupleDesc
clv_result_row(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = clv_find_row_type(fcinfo);
	return fcinfo->flinfo->fn_extra;
}

void
clv_foreign_state(const char *aggregate)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("a function of %s was called with the state of another aggregate",
						   aggregate),
					errhint("Call the aggregate %s itself.", aggregate)));
}

double
clv_daily_rate(double annual_rate)
{
	return log1p(annual_rate) / CLV_DAYS_PER_YEAR;
}
