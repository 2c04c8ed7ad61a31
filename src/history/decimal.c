/*
 * decimal.c
 *		Amounts as exact decimals.
 *
 * Sums of doubles depend on their order, sums of integers do not. So an amount
 * enters a history as an integer number of units at a decimal scale, and only
 * what does not fit 64 bits or six digits after the point is kept as digits,
 * added up by PostgreSQL's numeric.
 *
 * Both ways in have a fast path that allocates nothing, because they run once
 * for every row of the orders table.
 */
#include "history/decimal.h"

#include <math.h>

#include "common/int.h"
#include "common/shortest_dec.h"
#include "utils/builtins.h"

/*
 * Amounts are kept with at least two digits while an aggregate runs, so that
 * 12, 12.5 and 12.34 can follow one another without rescaling. The finished
 * history has the smallest scale that holds its amounts.
 */
#define WORKING_SCALE 2

const int64 clv_power_of_ten[CLV_MAX_SCALE + 1] = {1, 10, 100, 1000, 10000, 100000, 1000000};

/* Raises the error of an amount that is NaN or infinite. */
static void
AmountNotFinite(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("the amount of a purchase cannot be \"%s\"", name),
			 errhint("Leave such rows out with FILTER or WHERE, or give NULL where the amount is "
					 "not known.")));
}

/* The name of a double that is not finite, as SQL writes it. */
static const char *
DoubleName(double value)
{
	return isnan(value) ? "NaN" : (value > 0 ? "Infinity" : "-Infinity");
}

/*
 * A decimal from canonical digits: units where they fit, else the digits themselves, which are not
 * copied.
 */
static void
DecimalFromDigits(char *digits, ClvDecimal *decimal)
{
	int length = strlen(digits);
	int scale = Max(clv_digits_scale(digits, length), WORKING_SCALE);

	decimal->negative = digits[0] == '-';
	decimal->scale = scale;
	decimal->text = NULL;
	decimal->units = 0;
	if (scale > CLV_MAX_SCALE || !clv_digits_to_units(digits, length, scale, &decimal->units))
		decimal->text = digits;
}

/* A trip through the text form and numeric: right for everything, and slow. */
void
clv_decimal_from_text(const char *text, ClvDecimal *decimal)
{
	Datum value = DirectFunctionCall3(numeric_in, CStringGetDatum(text),
									  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	DecimalFromDigits(numeric_normalize(DatumGetNumeric(value)), decimal);
}

/*
 * A decimal of at most 15 significant digits and the double nearest to it
 * determine each other. So where rounding to 2 or 6 digits and dividing back
 * gives the very same double, that decimal is the shortest one.
 */
void
clv_decimal_from_double(double value, ClvDecimal *decimal)
{
	static const int scales[] = {WORKING_SCALE, CLV_MAX_SCALE};
	char text[DOUBLE_SHORTEST_DECIMAL_LEN];

	for (int i = 0; i < (int) lengthof(scales); i++)
	{
		double power = clv_power_of_ten[scales[i]];
		double units = rint(value * power);

		if (fabs(units) < 1e15 && units / power == value)
		{
			decimal->units = (int64) units;
			decimal->scale = scales[i];
			decimal->text = NULL;
			decimal->negative = units < 0;
			return;
		}
	}

	if (!isfinite(value))
		AmountNotFinite(DoubleName(value));
	double_to_shortest_decimal_buf(value, text);
	clv_decimal_from_text(text, decimal);
}

/* A real stands for its own shortest decimal: 29.33, not 29.329999923706055. */
void
clv_decimal_from_real(float4 value, ClvDecimal *decimal)
{
	double units = rint((double) value * 100);
	char text[FLOAT_SHORTEST_DECIMAL_LEN];

	if (fabs(units) < 1e6 && (float4) (units / 100) == value)
	{
		decimal->units = (int64) units;
		decimal->scale = WORKING_SCALE;
		decimal->text = NULL;
		decimal->negative = units < 0;
		return;
	}
	if (!isfinite(value))
		AmountNotFinite(DoubleName(value));
	float_to_shortest_decimal_buf(value, text);
	clv_decimal_from_text(text, decimal);
}

void
clv_decimal_from_integer(int64 value, ClvDecimal *decimal)
{
	decimal->scale = WORKING_SCALE;
	decimal->text = NULL;
	decimal->negative = value < 0;
	if (unlikely(pg_mul_s64_overflow(value, clv_power_of_ten[WORKING_SCALE], &decimal->units)))
	{
		char *digits = palloc(CLV_UNITS_TEXT_SIZE);

		clv_units_text(value, 0, true, digits);
		DecimalFromDigits(digits, decimal);
	}
}

/*
 * The digits of a numeric are private to numeric.c, and its functions cost more than the rest
 * of a row together. So the usual case reads the stored form, as numeric.c
 * documents it and as it has been since 9.1: a 16-bit header
 *
 *		11...................	NaN and the infinities
 *		10 s dddddd wwwwwww		short: sign, display scale, signed 7-bit weight
 *		0s dddddddddddddd		long: sign, display scale; a 16-bit weight follows
 *
 * and then digits to the base 10000, the first of which counts 10000^weight.
 * False where the value is for the slow path: special, large, or with more than
 * six digits after the point.
 */
static bool
UnitsFromNumeric(const char *data, int size, ClvDecimal *decimal)
{
	uint16 header;
	int weight;
	int ndigits;
	int64 integer = 0;
	int fraction[2] = {0, 0};
	bool negative;

	memcpy(&header, data, sizeof(header));
	if ((header & 0xC000) == 0xC000)
		return false;
	if (header & 0x8000)
	{
		negative = (header & 0x2000) != 0;
		weight = (header & 0x3F) - (header & 0x40);
		data += 2;
		ndigits = (size - 2) / 2;
	}
	else
	{
		int16 stored;

		memcpy(&stored, data + 2, sizeof(stored));
		negative = (header & 0x4000) != 0;
		weight = stored;
		data += 4;
		ndigits = (size - 4) / 2;
	}

	/* four digits to the base 10000 before the point, 16 decimal ones, and two after it */
	if (ndigits > 0 && (weight > 3 || ndigits - 1 - weight > 2))
		return false;

	for (int i = 0; i < ndigits; i++)
	{
		int16 digit;

		memcpy(&digit, data + 2 * i, sizeof(digit));
		if (i <= weight)
			integer = integer * 10000 + digit;
		else
			fraction[i - weight - 1] = digit;
	}
	for (int i = ndigits; i <= weight && ndigits > 0; i++)
		integer *= 10000;

	if (fraction[1] == 0 && fraction[0] % 100 == 0)
	{
		decimal->scale = 2;
		decimal->units = integer * 100 + fraction[0] / 100;
	}
	else if (fraction[1] % 100 == 0 && integer < INT64CONST(1000000000000))
	{
		decimal->scale = 6;
		decimal->units = integer * 1000000 + fraction[0] * 100 + fraction[1] / 100;
	}
	else
		return false;
	if (negative)
		decimal->units = -decimal->units;
	decimal->negative = negative && decimal->units != 0;
	decimal->text = NULL;
	return true;
}

void
clv_decimal_from_numeric(Datum value, ClvDecimal *decimal)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);
	Numeric number;

	if (likely(UnitsFromNumeric(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed), decimal)))
		return;

	number = DatumGetNumeric(value);
	if (numeric_is_nan(number) || numeric_is_inf(number))
		AmountNotFinite(DatumGetCString(DirectFunctionCall1(numeric_out, value)));
	DecimalFromDigits(numeric_normalize(number), decimal);
}

int
clv_digits_scale(const char *digits, int length)
{
	const char *point = memchr(digits, '.', length);

	return point == NULL ? 0 : length - (int) (point - digits) - 1;
}

/* Overflow is looked for on the negative side, which reaches one further. */
bool
clv_digits_to_units(const char *digits, int length, int scale, int64 *units)
{
	bool negative = length > 0 && digits[0] == '-';
	int zeros = scale - clv_digits_scale(digits, length);
	int64 value = 0;

	if (zeros < 0)
		return false;
	for (int i = negative ? 1 : 0; i < length; i++)
	{
		if (digits[i] == '.')
			continue;
		if (pg_mul_s64_overflow(value, 10, &value) ||
			pg_sub_s64_overflow(value, digits[i] - '0', &value))
			return false;
	}
	while (zeros-- > 0)
	{
		if (pg_mul_s64_overflow(value, 10, &value))
			return false;
	}
	if (!negative && pg_sub_s64_overflow(0, value, &value))
		return false;
	*units = value;
	return true;
}

int
clv_units_text(int64 units, int scale, bool canonical, char *buffer)
{
	char reversed[CLV_UNITS_TEXT_SIZE];
	uint64 rest = units < 0 ? -(uint64) units : (uint64) units;
	int n = 0;
	int length = 0;

	while (canonical && scale > 0 && rest % 10 == 0)
	{
		rest /= 10;
		scale--;
	}
	for (int digit = 0; rest > 0 || digit <= scale; digit++)
	{
		if (digit == scale && scale > 0)
			reversed[n++] = '.';
		reversed[n++] = '0' + rest % 10;
		rest /= 10;
	}
	if (units < 0)
		buffer[length++] = '-';
	while (n > 0)
		buffer[length++] = reversed[--n];
	buffer[length] = '\0';
	return length;
}

Numeric
clv_units_numeric(int64 units, int scale)
{
	return int64_div_fast_to_numeric(units, scale);
}

Numeric
clv_digits_numeric(const char *digits, int length)
{
	char *text = pnstrdup(digits, length);
	Datum value = DirectFunctionCall3(numeric_in, CStringGetDatum(text),
									  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	pfree(text);
	return DatumGetNumeric(value);
}

Numeric
clv_numeric_add(Numeric a, Numeric b)
{
	Datum sum = DirectFunctionCall2(numeric_add, NumericGetDatum(a), NumericGetDatum(b));

	pfree(a);
	return DatumGetNumeric(sum);
}
