/*
 * fuzz_pooling.c
 *		libFuzzer: what groups of customers have in common.
 *
 * Whatever the estimates and their errors, mean and covariances are finite, variances are not
 * negative, no correlation is beyond 1, and the mean of single numbers is among them.
 */
#include "math/pooling.h"

#include "fuzz.h"

#define MOST_GROUPS 6

/* Reads a positive definite matrix of n rows, of errors of such a size. */
static void
NextError(Bytes *bytes, int n, double size, double *error)
{
	double root[CLV_POOLING_MAX][CLV_POOLING_MAX];

	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < i; j++)
			root[i][j] = size * (NextShare(bytes) - 0.5);
		root[i][i] = size * NextScale(bytes, 1);
		for (int j = 0; j <= i; j++)
		{
			error[CLV_AT(i, j)] = 0;
			for (int k = 0; k <= j; k++)
				error[CLV_AT(i, j)] += root[i][k] * root[j][k];
		}
	}
}

/* Aborts where a matrix is no covariance. */
static void
CheckCovariance(int n, const double *matrix)
{
	for (int i = 0; i < n; i++)
	{
		double own = matrix[CLV_AT(i, i)];

		Require(own >= 0 && isfinite(own));
		for (int j = 0; j < i; j++)
			Require(fabs(matrix[CLV_AT(i, j)]) <=
					sqrt(own * matrix[CLV_AT(j, j)]) * FUZZ_ROUNDING + 1e-300);
	}
}

void
Check(Bytes *bytes)
{
	int n = 1 + (int) Next(bytes) % CLV_POOLING_MAX;
	size_t count = 2 + Next(bytes) % (MOST_GROUPS - 1);
	unsigned kind = Next(bytes);
	double spread = NextScale(bytes, 4);
	double size = NextScale(bytes, 4);
	double low = INFINITY;
	double high = -INFINITY;
	ClvPoolingGroup *groups = Scratch(count * sizeof(ClvPoolingGroup));
	ClvPoll poll = {Poll, NULL, 0};
	ClvPooling pooling;

	for (size_t g = 0; g < count; g++)
	{
		for (int i = 0; i < n; i++)
			groups[g].value[i] = (kind & 1 ? 10 : 0) + spread * (2 * NextShare(bytes) - 1);
		NextError(bytes, n, kind & 2 ? size * NextScale(bytes, 2) : size, groups[g].error);
		low = fmin(low, groups[g].value[0]);
		high = fmax(high, groups[g].value[0]);
	}
	clv_pooling_fit(n, groups, count, &poll, &pooling);
	for (int i = 0; i < n; i++)
		Require(isfinite(pooling.mean[i]));
	CheckCovariance(n, pooling.between);
	CheckCovariance(n, pooling.error);
	if (n == 1)
		Require(pooling.mean[0] >= low - 1e-9 * fabs(low) &&
				pooling.mean[0] <= high + 1e-9 * fabs(high));
}
