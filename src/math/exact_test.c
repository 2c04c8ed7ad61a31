/*
 * exact_test.c
 *		Fisher's exact test of a table of two by two.
 */
#include "math/exact_test.h"

#include <math.h>
#include <stdbool.h>

#include "math/special.h"

/* ln of n over k */
static double
LnChoose(double n, double k)
{
	return clv_lgamma(n + 1) - clv_lgamma(k + 1) - clv_lgamma(n - k + 1);
}

double
clv_exact_test(double found, double some, double marked, double n)
{
	bool high = found * n >= marked * some;
	double step = high ? 1 : -1;
	double term =
		exp(LnChoose(marked, found) + LnChoose(n - marked, some - found) - LnChoose(n, some));
	double tail = 0;

	for (double a = found; term > tail * 1e-17; a += step)
	{
		double up = (marked - a) * (some - a);
		double down = a * (n - marked - some + a);

		tail += term;
		term *= high ? up / ((a + 1) * (n - marked - some + a + 1))
					 : down / ((marked - a + 1) * (some - a + 1));
	}
	return fmin(2 * tail, 1);
}
