/*
 * chebyshev.c
 *		The points of Chebyshev interpolation, and the coefficients from the values there.
 */
#include "math/chebyshev.h"

#include <math.h>

void
clv_chebyshev_points(int n, double *at)
{
	for (int k = 0; k < n; k++)
		at[k] = -cos(M_PI * (k + 0.5) / n);
}

/*
 * At the zeros of T_n the polynomials below it are orthogonal. Their values there are
 * cosines of multiples of one angle; the recurrence would lose digits.
 */
void
clv_chebyshev_fit(int n, const ClvChebyshevRow *values, ClvChebyshevRow *coefficients)
{
	double cosine[4 * CLV_CHEBYSHEV_MOST];

	for (int i = 0; i < 4 * n; i++)
		cosine[i] = cos(M_PI / 2 * i / n);
	for (int j = 0; j < n; j++)
	{
		ClvChebyshevRow sum = {{0}};

		for (int k = 0; k < n; k++)
		{
			/* the zeros are taken from right to left */
			double T = cosine[j * (2 * k + 1) % (4 * n)];

			for (int i = 0; i < CLV_CHEBYSHEV_WIDTH; i++)
				sum.of[i] += T * values[n - 1 - k].of[i];
		}
		for (int i = 0; i < CLV_CHEBYSHEV_WIDTH; i++)
			coefficients[j].of[i] = sum.of[i] * (j == 0 ? 1.0 : 2.0) / n;
	}
}
