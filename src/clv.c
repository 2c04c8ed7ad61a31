/*
 * clv.c
 *		The module itself, and the few helpers that every room may assume.
 */
#include "clv.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "funcapi.h"
#include "math/poll.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

CLV_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static void
Interrupt(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

/* When the module is loaded: the families' loops can be interrupted. */
void
_PG_init(void)
{
	clv_family_poll.call = Interrupt;
}

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

bool
clv_is_date_text(const char *text)
{
	static const char digits[] = "0123456789";
	int			year = strspn(text, digits);
	const char *rest = text + year;

	return year >= 4 && year <= 7 && rest[0] == '-' && strspn(rest + 1, digits) == 2 &&
		   rest[3] == '-' && strspn(rest + 4, digits) == 2 &&
		   (rest[6] == '\0' || strcmp(rest + 6, " BC") == 0);
}

bool
clv_whole_number(Datum numeric, int64 least, int64 most, int64 *whole)
{
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, numeric,
										 NumericGetDatum(int64_to_numeric(least)))) ||
		DatumGetBool(DirectFunctionCall2(numeric_gt, numeric,
										 NumericGetDatum(int64_to_numeric(most)))))
		return false;
	*whole = DatumGetInt64(DirectFunctionCall1(numeric_int8, numeric));
	return DatumGetBool(DirectFunctionCall2(numeric_eq, numeric,
											NumericGetDatum(int64_to_numeric(*whole))));
}

static void
AppendUnits(StringInfo out, int64 count, const char *unit)
{
	if (count != 0)
		appendStringInfo(out, "%s" INT64_FORMAT " %s%s", out->len > 0 ? " " : "", count, unit,
						 count == 1 ? "" : "s");
}

char *
clv_interval_text(const Interval *interval)
{
	StringInfoData out;
	int64		usecs = interval->time % USECS_PER_MINUTE;

	initStringInfo(&out);
	AppendUnits(&out, interval->month, "month");
	AppendUnits(&out, interval->day, "day");
	AppendUnits(&out, interval->time / USECS_PER_HOUR, "hour");
	AppendUnits(&out, interval->time % USECS_PER_HOUR / USECS_PER_MINUTE, "minute");
	if (usecs % USECS_PER_SEC == 0)
		AppendUnits(&out, usecs / USECS_PER_SEC, "second");
	else
	{
		char	   *fraction;

		appendStringInfo(&out, "%s%s%d.%06d", out.len > 0 ? " " : "", usecs < 0 ? "-" : "",
						 abs((int) (usecs / USECS_PER_SEC)), abs((int) (usecs % USECS_PER_SEC)));
		for (fraction = out.data + out.len - 1; *fraction == '0'; fraction--)
			*fraction = '\0';
		out.len = strlen(out.data);
		appendStringInfoString(&out, " seconds");
	}
	if (out.len == 0)
		appendStringInfoString(&out, "0 days");
	return out.data;
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

/* The named row types that C fills in or reads, a letter for each column. */
static const struct
{
	const char *name;
	const char *columns;
} row_type[] = {
	{"clv_nps_score", "llllffff"}, {"clv_prediction", "fffffffffff"}, {"clv_rfmtc", "iinif"},
	{"clv_scores", "ssssss"},	   {"clv_total", "lffffffffffff"},
};

static Oid
TypeOfLetter(char letter)
{
	switch (letter)
	{
		case 's':
			return INT2OID;
		case 'i':
			return INT4OID;
		case 'l':
			return INT8OID;
		case 'f':
			return FLOAT8OID;
		default:
			return NUMERICOID;
	}
}

/* The columns of a row type of the extension, or NULL where it has none of that name. */
static const char *
ColumnsOf(const char *name)
{
	for (int i = 0; i < (int) lengthof(row_type); i++)
		if (strcmp(row_type[i].name, name) == 0)
			return row_type[i].columns;
	return NULL;
}

static bool
HasColumns(TupleDesc row, const char *columns)
{
	if (columns == NULL || row->natts != (int) strlen(columns))
		return false;
	for (int i = 0; i < row->natts; i++)
		if (TupleDescAttr(row, i)->attisdropped ||
			TupleDescAttr(row, i)->atttypid != TypeOfLetter(columns[i]))
			return false;
	return true;
}

void
clv_check_row_type(TupleDesc row)
{
	char	   *name;

	/* the columns of an unnamed row are those of its function, which only a superuser can change */
	if (row->tdtypeid == RECORDOID)
		return;
	name = get_rel_name(get_typ_typrelid(row->tdtypeid));
	if (name == NULL || !HasColumns(row, ColumnsOf(name)))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("row type %s is not as the extension made it",
							   format_type_be(row->tdtypeid)),
						errhint("Give it back the columns that it was made with.")));
}

TupleDesc
clv_find_row_type(FunctionCallInfo fcinfo)
{
	MemoryContext old;
	TupleDesc row;

	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	clv_check_row_type(row);
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

ErrorContextCallback *
clv_hide_callers(void)
{
	ErrorContextCallback *stack = error_context_stack;

	error_context_stack = NULL;
	return stack;
}

double
clv_daily_rate(double annual_rate)
{
	return log1p(annual_rate) / CLV_DAYS_PER_YEAR;
}
