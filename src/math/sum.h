/*
 * sum.h
 *		Sums over customers: compensated sums, which lose no digit over ten million terms,
 *		and sums of logarithms as logarithms of products.
 *
 * Neumaier's variant of Kahan summation: the rounding error of an addition is kept in a carry,
 * whichever of the two operands is larger. It must not be compiled with -ffast-math.
 */
#ifndef CLV_SUM_H
#define CLV_SUM_H

#include <math.h>

/* A compensated sum; start with zeros. */
typedef struct ClvSum
{
	double sum;
	double carry;
} ClvSum;

/* Adds a value. */
static inline void
clv_sum_add(ClvSum *total, double value)
{
	double next = total->sum + value;

	if (fabs(total->sum) >= fabs(value))
		total->carry += (total->sum - next) + value;
	else
		total->carry += (value - next) + total->sum;
	total->sum = next;
}

/* The sum; the carry of an infinite sum is NaN, and is left out. */
static inline double
clv_sum_value(const ClvSum *total)
{
	return isfinite(total->sum) ? total->sum + total->carry : total->sum;
}

/*
 * A sum of logs as the log of a product, as long as that stays within the
 * doubles: one logarithm for dozens of values. Start with {1, 0}.
 */
typedef struct ClvLogProduct
{
	double product;
	double sum;
} ClvLogProduct;

/* The product is kept between this and its inverse. */
#define CLV_LOG_PRODUCT_LIMIT 1e150

/* Adds ln(value), value > 0. */
static inline void
clv_log_product_add(ClvLogProduct *logs, double value)
{
	double product = logs->product * value;

	if (product < CLV_LOG_PRODUCT_LIMIT && product > 1 / CLV_LOG_PRODUCT_LIMIT)
		logs->product = product;
	else
	{
		logs->sum += log(logs->product) + log(value);
		logs->product = 1;
	}
}

/* The sum of the logarithms. */
static inline double
clv_log_product_value(const ClvLogProduct *logs)
{
	return logs->sum + log(logs->product);
}

#endif /* CLV_SUM_H */
