/*
 * discounted.c
 *		Discounted purchases of a customer who is alive, over a horizon or without end (DERT).
 */
#include "predict/predict_private.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/float.h"

/*
 * int_0^t e^(-delta u) E[X(u)] du by the tanh-sinh rule, which does not depend
 * on the scale on which the expectation bends.
 */
static double
DiscountedArea(const ClvFuture *future, double delta, double t)
{
	const double step = 1.0 / 16;
	double sum = 0;

	for (int i = -56; i <= 56; i++)
	{
		double s = M_PI_2 * sinh(i * step);
		double u = t / (1 + exp(-2 * s)); /* from 0 to t */
		double weight = M_PI_2 * cosh(i * step) / (cosh(s) * cosh(s)) * t / 2;

		sum += weight * exp(-delta * u) * clv_future_expected(future, u);
	}
	return sum * step;
}

/* Discounted purchases at a negative rate for families of whole periods, each at the end of its
 * period. */
static double
GrownByPeriods(const ClvFuture *future, double delta, double t)
{
	double before = 0;
	double sum = 0;

	if (isinf(t))
		return get_float8_infinity();
	for (double k = 1; k <= t * (1 + 1e-9); k++)
	{
		double expected = clv_future_expected(future, k);

		CHECK_FOR_INTERRUPTS();
		sum += exp(-delta * k) * (expected - before);
		before = expected;
	}
	return sum;
}

/*
 * The families discount at rates that are not negative. A negative one (money
 * that is worth more later) is rare; integrated by parts it needs the expectation only.
 */
double
clv_discounted(const ClvFuture *future, double delta, double t)
{
	double grown;

	if (t == 0)
		return 0;
	if (future->family->discounted == NULL)
		clv_raise_unsupported(future->family, "discounted expectation");
	if (delta == 0 && isfinite(t))
		return clv_future_expected(future, t);
	if (delta >= 0)
		return clv_future_discounted(future, delta, t);
	if (clv_in_periods(future->family))
		return GrownByPeriods(future, delta, t);
	grown = exp(-delta * t);
	if (!isfinite(grown))
		return get_float8_infinity();
	return grown * clv_future_expected(future, t) + delta * DiscountedArea(future, delta, t);
}
