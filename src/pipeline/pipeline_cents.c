/*
 * pipeline_cents.c
 *		Predicted money as a decimal number.
 *
 * The cast of a double to numeric prints it and reads it again, which over the
 * seven amounts of a customer costs more than to predict them.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "clv.h"

PG_FUNCTION_INFO_V1(clv_cents);

/* Below this a double tells cents apart, and a hundred times it fits into 64 bits. */
#define TELLS_CENTS 1e13

/* Above this it does not fit numeric(24,2), the money of views. */
#define TOO_MUCH_MONEY 1e22

/* clv_cents(float8): the number as numeric with two decimals, NULL where it is infinite or NaN, or
 * 1e22 and more */
Datum
clv_cents(PG_FUNCTION_ARGS)
{
	double number = PG_GETARG_FLOAT8(0);

	if (!(fabs(number) < TOO_MUCH_MONEY))
		PG_RETURN_NULL();
	if (fabs(number) < TELLS_CENTS)
		PG_RETURN_NUMERIC(int64_div_fast_to_numeric(llround(100 * number), 2));
	return DirectFunctionCall2(numeric_round,
							   DirectFunctionCall1(float8_numeric, Float8GetDatum(number)),
							   Int32GetDatum(2));
}
