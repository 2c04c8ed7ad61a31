/*
 * pipeline_cents.c
 *		Predicted money as a decimal number, and back.
 *
 * The casts between double and numeric print a number and read it again, which over the
 * seven amounts of a customer costs more than to predict them.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "clv.h"
#include "history/decimal.h"

/* Below this a double tells cents apart, and a hundred times it fits into 64 bits. */
#define TELLS_CENTS 1e13

/* Above this it does not fit numeric(24,2), the money of views. */
#define TOO_MUCH_MONEY 1e22

Numeric
clv_money(double number)
{
	if (!(fabs(number) < TOO_MUCH_MONEY))
		return NULL;
	if (fabs(number) < TELLS_CENTS)
		return int64_div_fast_to_numeric(llround(100 * number), 2);
	return DatumGetNumeric(DirectFunctionCall2(
		numeric_round, DirectFunctionCall1(float8_numeric, Float8GetDatum(number)),
		Int32GetDatum(2)));
}

PG_FUNCTION_INFO_V1(clv_cents);

/* clv_cents(float8) -> numeric: the number as money, NULL where it is none. */
Datum
clv_cents(PG_FUNCTION_ARGS)
{
	Numeric money = clv_money(PG_GETARG_FLOAT8(0));

	if (money == NULL)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(money);
}

/* Up to here a double holds every whole number. */
#define WHOLE_MOST ((int64) 1 << 53)

PG_FUNCTION_INFO_V1(clv_double);

/*
 * clv_double(numeric) -> float8: what the cast gives. Of a number with few digits the quotient of
 * two doubles that are exact, which is rounded once, as the cast rounds.
 */
Datum
clv_double(PG_FUNCTION_ARGS)
{
	Numeric number = PG_GETARG_NUMERIC(0);
	ClvDecimal decimal;

	if (!numeric_is_nan(number) && !numeric_is_inf(number))
	{
		clv_decimal_from_numeric(NumericGetDatum(number), &decimal);
		if (decimal.text == NULL && decimal.units < WHOLE_MOST && decimal.units > -WHOLE_MOST)
			PG_RETURN_FLOAT8((double) decimal.units / (double) clv_power_of_ten[decimal.scale]);
	}
	return DirectFunctionCall1(numeric_float8, NumericGetDatum(number));
}
