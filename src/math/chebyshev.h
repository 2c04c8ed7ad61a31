/*
 * chebyshev.h
 *		Smooth functions on [-1, 1], from their values at a few points.
 *
 * Between the zeros of T_n, the polynomial through n values of a function that is
 * analytic around [-1, 1] errs by about rho^-n, where the sum of the semi-axes of the
 * ellipse with foci -1 and 1 in which it stays analytic is rho. Its coefficients in T_0,
 * T_1, ... fall off at the same rate, and so tell when the points were too few.
 *
 * Trefethen (2013), Approximation Theory and Approximation Practice, chapters 3 and 8.
 */
#ifndef CLV_CHEBYSHEV_H
#define CLV_CHEBYSHEV_H

/* The largest number of points. */
#define CLV_CHEBYSHEV_MOST 64

/* The functions of a group: as many as fit registers. */
#define CLV_CHEBYSHEV_WIDTH 16

/* One number for each function of a group. */
typedef struct ClvChebyshevRow
{
	double of[CLV_CHEBYSHEV_WIDTH];
} ClvChebyshevRow;

/* Sets at to the zeros of T_n, ascending; n <= CLV_CHEBYSHEV_MOST. */
extern void clv_chebyshev_points(int n, double *at);

/* Sets coefficients to those of T_0 ... T_(n-1), from the values at these points. */
extern void clv_chebyshev_fit(int n, const ClvChebyshevRow *values, ClvChebyshevRow *coefficients);

/* The values of the functions at x. The fixed number of sums stays in registers. */
static inline ClvChebyshevRow
clv_chebyshev_value(int n, const ClvChebyshevRow *coefficients, double x)
{
	ClvChebyshevRow sum = {{0}};
	double T = 1;
	double next = x;

	for (int k = 0; k < n; k++)
	{
		double after = 2 * x * next - T;

#pragma GCC unroll 16
		for (int i = 0; i < CLV_CHEBYSHEV_WIDTH; i++)
			sum.of[i] += T * coefficients[k].of[i];
		T = next;
		next = after;
	}
	return sum;
}

#endif /* CLV_CHEBYSHEV_H */
