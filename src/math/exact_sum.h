/*
 * exact_sum.h
 *		Sums that do not depend on the order of their terms.
 *
 * The sum is a whole number of 2^-1152, in limbs of 32 bits, each kept in 64: so a term takes
 * three additions, and limbs are carried only after many terms. Every double is represented
 * exactly and nothing is rounded: so any order, and any split into partial sums, gives the same
 * bits.
 */
#ifndef CLV_EXACT_SUM_H
#define CLV_EXACT_SUM_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CLV_EXACT_LIMBS 70 /* 2^-1152 .. 2^1088: 2^63 of the largest double */
#define CLV_EXACT_LOWEST (-1152)
#define CLV_EXACT_CARRY (1 << 28) /* terms after which limbs are carried */

/* A sum of doubles; start with zeros. */
typedef struct ClvExactSum
{
	int64_t limb[CLV_EXACT_LIMBS]; /* carried: all but the last in 0 .. 2^32 - 1 */
	int32_t terms;                 /* since the last carry */
	bool up;                       /* had an infinite term */
	bool down;                     /* had a negative infinite one */
	bool nan;
} ClvExactSum;

/* Carries limbs, so that all but the last are in 0 .. 2^32 - 1. */
static inline void
clv_exact_carry(ClvExactSum *sum)
{
	for (int i = 0; i < CLV_EXACT_LIMBS - 1; i++)
	{
		int64_t low = (int64_t) ((uint64_t) sum->limb[i] & UINT32_MAX);

		sum->limb[i + 1] += (sum->limb[i] - low) / ((int64_t) 1 << 32);
		sum->limb[i] = low;
	}
	sum->terms = 0;
}

/*
 * Adds a double, which may be infinite or NaN. Its bits are taken apart by hand: frexp() and
 * ldexp() cost several times as much as the three additions.
 */
static inline void
clv_exact_add(ClvExactSum *sum, double value)
{
	uint64_t bits;
	int exponent;
	uint64_t digits; /* 53 bits, |value| = digits * 2^(exponent - 1075) */
	int shift;
	uint64_t low;
	uint64_t high;
	int64_t *limb;
	int64_t sign;

	memcpy(&bits, &value, sizeof(bits));
	sign = (bits >> 63) != 0 ? -1 : 1;
	exponent = (int) (bits >> 52 & 0x7FF);
	digits = bits & (((uint64_t) 1 << 52) - 1);
	if (exponent == 0x7FF)
	{
		*(digits != 0 ? &sum->nan : sign > 0 ? &sum->up : &sum->down) = true;
		return;
	}
	if (exponent == 0)
		exponent = 1; /* zero, or a subnormal */
	else
		digits |= (uint64_t) 1 << 52;
	shift = exponent - 1075 - CLV_EXACT_LOWEST;
	limb = sum->limb + shift / 32;
	low = (digits & UINT32_MAX) << (shift % 32);
	high = (low >> 32) + ((digits >> 32) << (shift % 32));
	limb[0] += sign * (int64_t) (low & UINT32_MAX);
	limb[1] += sign * (int64_t) (high & UINT32_MAX);
	limb[2] += sign * (int64_t) (high >> 32);
	if (++sum->terms >= CLV_EXACT_CARRY)
		clv_exact_carry(sum);
}

/* Adds other to sum; both are carried afterwards. */
static inline void
clv_exact_merge(ClvExactSum *sum, ClvExactSum *other)
{
	clv_exact_carry(sum);
	clv_exact_carry(other);
	for (int i = 0; i < CLV_EXACT_LIMBS; i++)
		sum->limb[i] += other->limb[i];
	sum->up |= other->up;
	sum->down |= other->down;
	sum->nan |= other->nan;
	clv_exact_carry(sum);
}

/* Puts the carried absolute value of a sum of finite terms into size; whether it is negative. */
static inline bool
clv_exact_magnitude(const ClvExactSum *sum, ClvExactSum *size)
{
	bool negative;

	*size = *sum;
	clv_exact_carry(size);
	negative = size->limb[CLV_EXACT_LIMBS - 1] < 0;
	if (negative)
	{
		for (int i = 0; i < CLV_EXACT_LIMBS; i++)
			size->limb[i] = -size->limb[i];
		clv_exact_carry(size);
	}
	return negative;
}

/* The sum where a term was infinite or NaN: infinite or NaN; else 0. */
static inline double
clv_exact_special(const ClvExactSum *sum)
{
	if (sum->nan || (sum->up && sum->down))
		return NAN;
	return sum->up ? INFINITY : sum->down ? -INFINITY : 0;
}

/* The sum as a double, within a unit of its last digit; infinite where it exceeds all doubles. */
static inline double
clv_exact_value(const ClvExactSum *sum)
{
	ClvExactSum size;
	double value = clv_exact_special(sum);
	bool negative;

	if (value != 0)
		return value;
	negative = clv_exact_magnitude(sum, &size);
	for (int i = CLV_EXACT_LIMBS - 1; i >= 0; i--)
		if (size.limb[i] != 0)
			value += ldexp((double) size.limb[i], 32 * i + CLV_EXACT_LOWEST);
	return negative ? -value : value;
}

#endif /* CLV_EXACT_SUM_H */
