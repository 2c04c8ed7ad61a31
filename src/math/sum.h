/*
 * sum.h
 *		Sums over customers: adding ten million of them costs no digit, and adding
 *		their logs hardly a logarithm.
 *
 * Neumaier's variant of Kahan summation: what an addition rounds away is kept in
 * a carry, whichever of the two operands is larger. Defeated by -ffast-math,
 * which the house forbids anyway.
 */
#ifndef CLV_SUM_H
#define CLV_SUM_H

#include <math.h>

typedef struct ClvSum
{
	double sum;
	double carry;
} ClvSum;

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

/* The carry of an infinite sum is NaN: the sum itself is the answer then. */
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

#define CLV_LOG_PRODUCT_LIMIT 1e150

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

static inline double
clv_log_product_value(const ClvLogProduct *logs)
{
	return logs->sum + log(logs->product);
}

#endif /* CLV_SUM_H */
