/*
 * quick.c
 *		The little that the quick look cannot ask in SQL: the day to look from, and what to
 *		say of the rows it was given.
 */
#include "clv.h"

#include "common/arguments.h"
#include "fit/last_day.h"

/* The number of rows or customers in an argument, 0 where it is NULL. */
static int64
NumberOf(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? 0 : PG_GETARG_INT64(arg);
}

/*
 * (as_of, days, customers, future, never, guests): the day to look from: as_of where it is given,
 * else the last of the days, up to today, on which so many customers bought last; NULL without a
 * purchase. NOTICEs tell of what is left out: rows of guests, customers who never bought and, but
 * where as_of is given, the future purchases of so many.
 */
PG_FUNCTION_INFO_V1(clv_quick_day);
Datum
clv_quick_day(PG_FUNCTION_ARGS)
{
	int64 future = NumberOf(fcinfo, 3);
	int64 never = NumberOf(fcinfo, 4);
	int64 guests = NumberOf(fcinfo, 5);
	int64 n = 0;
	ClvLastDay *days = NULL;

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		days = clv_last_days(PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_ARRAYTYPE_P(2), &n);
	if (guests > 0)
		ereport(NOTICE, (errmsg("rows without a customer were left out: " INT64_FORMAT, guests),
						 errdetail("Their column of the customer is NULL.")));
	if (never > 0)
		ereport(NOTICE, (errmsg("customers without a purchase: " INT64_FORMAT, never),
						 errdetail("They have refunds only, or no time is known of them: their "
								   "answers are NULL.")));
	if (!PG_ARGISNULL(0))
	{
		clv_check_date("as_of", PG_GETARG_DATEADT(0));
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (n == 0 && future == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(clv_default_day_until_today(days, n, future));
}
