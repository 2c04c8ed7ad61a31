/*
 * last_day.c
 *		The day up to which the data reach, and whether it is isolated.
 *
 * Without as_of all customers are evaluated as of the day of the last purchase, and one order
 * with a mistyped year would make P(alive) of all of them too low. A day is suspected when it
 * comes more than ISOLATED_DAYS, and more than ISOLATED_GAPS mean gaps between the
 * days of last purchases before, after those; when at most one customer in
 * ISOLATED_SHARE (or a single one) bought later than the gap; and when there are
 * ISOLATED_BEFORE such days to compare with. The days that are left are looked at in the same way.
 */
#include "fit/last_day.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "common/arguments.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/datetime.h"

#define ISOLATED_DAYS 30
#define ISOLATED_GAPS 10
#define ISOLATED_SHARE 100
#define ISOLATED_BEFORE 5

#define HINT "If the date is mistaken, correct it; otherwise give as_of => a date."

#define ST_SORT SortLastDays
#define ST_ELEMENT_TYPE ClvLastDay
#define ST_COMPARE(a, b) ((a)->day < (b)->day ? -1 : (a)->day > (b)->day)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * The last of n days (n >= 1, which are put in order) that is not isolated. later: the customers
 * with purchases after it.
 */
static DateADT
SettledDay(ClvLastDay *days, int64 n, int64 *later)
{
	DateADT settled;
	int64 distinct = 1;
	int64 customers = 0;
	int64 beyond = 0; /* customers behind the gap that is looked for */

	SortLastDays(days, n);
	for (int64 i = 1; i < n; i++)
		distinct += days[i].day != days[i - 1].day;
	for (int64 i = 0; i < n; i++)
		customers += days[i].customers;
	settled = days[n - 1].day;
	*later = 0;
	for (int64 i = n - 1; i > 0; i--)
	{
		int64 gap = (int64) days[i].day - days[i - 1].day;
		double mean_gap;

		beyond += days[i].customers;
		if (beyond > 1 && beyond > customers / ISOLATED_SHARE)
			break;
		if (gap == 0)
			continue;
		distinct--; /* now the days before the gap */
		if (distinct < ISOLATED_BEFORE)
			break;
		mean_gap = ((double) days[i - 1].day - days[0].day) / (distinct - 1);
		if (gap <= ISOLATED_DAYS || gap <= ISOLATED_GAPS * mean_gap)
			continue;
		settled = days[i - 1].day;
		*later += beyond;
		customers -= beyond;
		beyond = 0;
	}
	return settled;
}

DateADT
clv_default_day(ClvLastDay *days, int64 n, const char *which)
{
	int64 later;
	DateADT settled = SettledDay(days, n, &later);
	DateADT last = days[n - 1].day;
	const char *more = which == NULL ? "" : psprintf(" %s", which);
	char one[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	if (settled < last)
		ereport(WARNING, (errmsg("last purchase date %s is isolated from all other purchases",
								 clv_date_text(last, one)),
						  errdetail("Customers are evaluated as of that day. Customers with "
									"purchases after %s: " INT64_FORMAT ".%s",
									clv_date_text(settled, other), later, more),
						  errhint(HINT)));
	else if (last > clv_today() + 1) /* it may be tomorrow elsewhere */
		ereport(
			WARNING,
			(errmsg("the last purchase in the data is in the future: %s", clv_date_text(last, one)),
			 errdetail("Customers are evaluated as of that day.%s", more), errhint(HINT)));
	return last;
}

DateADT
clv_default_day_until_today(ClvLastDay *days, int64 n, int64 future)
{
	if (future > 0)
		ereport(NOTICE, (errmsg("purchases after today are left out"),
						 errdetail("Customers who have some: " INT64_FORMAT ".", future),
						 errhint("Give as_of => a date to include them.")));
	return n == 0 ? clv_today() : clv_default_day(days, n, NULL);
}

DateADT
clv_today(void)
{
	return (DateADT) (GetCurrentTransactionStartTimestamp() / USECS_PER_DAY);
}

/* Raises the error of arrays that do not belong together. */
static pg_attribute_noreturn() void NotPairs(void)
{
	ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					errmsg("days and customers must be two lists of the same length"),
					errdetail("A number of customers for each day of a last purchase.")));
}

ClvLastDay *
clv_last_days(ArrayType *days, ArrayType *customers, int64 *n)
{
	Datum *day;
	Datum *count;
	bool *no_day;
	bool *no_count;
	int ndays;
	int ncounts;
	ClvLastDay *result;

	deconstruct_array(days, DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &day, &no_day, &ndays);
	deconstruct_array(customers, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &count,
					  &no_count, &ncounts);
	if (ARR_NDIM(days) > 1 || ARR_NDIM(customers) > 1 || ndays != ncounts)
		NotPairs();
	result = palloc(Max(ndays, 1) * sizeof(ClvLastDay));
	*n = 0;
	for (int i = 0; i < ndays; i++)
	{
		int64 number = no_count[i] ? 0 : DatumGetInt64(count[i]);

		if (number < 0 || number > PG_INT32_MAX)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("number of customers is out of range: " INT64_FORMAT, number)));
		if (no_day[i])
			continue;
		clv_check_date("a last purchase", DatumGetDateADT(day[i]));
		result[(*n)++] = (ClvLastDay){DatumGetDateADT(day[i]), number};
	}
	return result;
}

/* clv_settled_day(days, customers) -> row of the last day, the last one that is not isolated, and
 * the customers with later purchases; NULLs without a day */
PG_FUNCTION_INFO_V1(clv_settled_day);
Datum
clv_settled_day(PG_FUNCTION_ARGS)
{
	int64 n;
	int64 later;
	ClvLastDay *days = clv_last_days(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1), &n);
	Datum values[3] = {0};
	bool nulls[3] = {false, false, false};

	if (n == 0)
		PG_RETURN_NULL();
	values[1] = DateADTGetDatum(SettledDay(days, n, &later));
	values[0] = DateADTGetDatum(days[n - 1].day);
	values[2] = Int64GetDatum(later);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls)));
}
