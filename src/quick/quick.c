/*
 * quick.c
 *		The little that the quick look cannot ask in SQL: the day to look from, and what to
 *		say of the rows and rates it was given.
 */
#include "clv.h"

#include "common/arguments.h"
#include "fit/last_day.h"
#include "predict/predict.h"
#include "utils/builtins.h"

/* (discount_rate, margin): warnings where they look like percent */
PG_FUNCTION_INFO_V1(clv_quick_rates);
Datum
clv_quick_rates(PG_FUNCTION_ARGS)
{
	clv_check_rates(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1));
	PG_RETURN_VOID();
}

/*
 * (as_of, days, customers, guests): the day to look from: as_of where it is given, else the
 * last of the days on which so many customers bought last, or today where that is earlier.
 * What a newcomer would wonder about is said.
 */
PG_FUNCTION_INFO_V1(clv_quick_day);
Datum
clv_quick_day(PG_FUNCTION_ARGS)
{
	int64 n = 0;
	int64 never = 0;
	ClvLastDay *days = NULL;

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		days = clv_last_days(PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_ARRAYTYPE_P(2), &n, &never);
	if (!PG_ARGISNULL(3) && PG_GETARG_INT64(3) > 0)
		ereport(NOTICE,
				(errmsg("rows without a customer were left out: " INT64_FORMAT, PG_GETARG_INT64(3)),
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
	if (n == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(clv_default_day(days, n));
}
