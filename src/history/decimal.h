/*
 * decimal.h
 *		Amounts as exact decimals: 64-bit units at a scale where they fit, the
 *		digits themselves where they do not.
 */
#ifndef CLV_HISTORY_DECIMAL_H
#define CLV_HISTORY_DECIMAL_H

#include "clv.h"

#include "utils/numeric.h"

/* Digits after the point that a 64-bit amount may have. */
#define CLV_MAX_SCALE 6

/* Room for a 64-bit amount as text: sign, 19 digits, point, a leading zero, NUL. */
#define CLV_UNITS_TEXT_SIZE 24

extern const int64 clv_power_of_ten[CLV_MAX_SCALE + 1];

/*
 * A decimal on its way into a history. Where text is NULL it is units / 10^scale;
 * otherwise text holds its canonical digits: no exponent, no trailing zero after
 * the point, no superfluous sign.
 */
typedef struct ClvDecimal
{
	int64 units;
	int32 scale;
	char *text;
	bool negative;
} ClvDecimal;

/* The shortest decimal that reads back as the double; an error where it is NaN or infinite. */
extern void clv_decimal_from_double(double value, ClvDecimal *decimal);

/* The same of a real: 29.33, not 29.329999923706055. */
extern void clv_decimal_from_real(float4 value, ClvDecimal *decimal);

/* The decimal of an integer; any value is possible. */
extern void clv_decimal_from_integer(int64 value, ClvDecimal *decimal);

/* The decimal of a numeric, detoasted where needed; an error where it is NaN or infinite. */
extern void clv_decimal_from_numeric(Datum value, ClvDecimal *decimal);

/* From what numeric_in reads; the text must be a finite number. */
extern void clv_decimal_from_text(const char *text, ClvDecimal *decimal);

/* Canonical digits as units at the scale; false where they do not fit. */
extern bool clv_digits_to_units(const char *digits, int length, int scale, int64 *units);

/* Digits after the point of a canonical text. */
extern int clv_digits_scale(const char *digits, int length);

/*
 * The units as text, with exactly scale digits after the point; canonical where
 * trailing zeros are to be dropped. Returns the length.
 */
extern int clv_units_text(int64 units, int scale, bool canonical, char *buffer);

/* units / 10^scale as a numeric. */
extern Numeric clv_units_numeric(int64 units, int scale);

/* Canonical digits, which need not be terminated, as a numeric. */
extern Numeric clv_digits_numeric(const char *digits, int length);

/* a + b; frees a. */
extern Numeric clv_numeric_add(Numeric a, Numeric b);

#endif /* CLV_HISTORY_DECIMAL_H */
