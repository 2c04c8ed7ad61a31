/*
 * hypergeometric.c
 *		The Gauss hypergeometric function 2F1(a, b; c; z), as a power series in z.
 */
#include "math/hypergeometric.h"

#include <float.h>
#include <math.h>

/* Terms may add up to so many times the sum in size. */
#define MOST_CANCELLATION 10

int
clv_hypergeometric_terms(double a, double b, double c, double z, int most, double *coefficient)
{
	double power = 1;
	double sum = 1;
	double size = 1;

	coefficient[0] = 1;
	for (int k = 0; k < most - 1; k++)
	{
		double ratio = (a + k) * (b + k) / ((c + k) * (k + 1));
		double term;

		coefficient[k + 1] = coefficient[k] * ratio;
		power *= z;
		term = coefficient[k + 1] * power;
		sum += term;
		size += fabs(term);
		if (fabs(term) <= 0.1 * DBL_EPSILON * (1 - z) * size && fabs(ratio * z) < 1)
			return size < MOST_CANCELLATION * sum ? k + 2 : 0;
	}
	return 0;
}
