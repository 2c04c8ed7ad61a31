/*
 * fuzz_pooling.c
 *		libFuzzer: what groups of customers have in common.
 *
 * Whatever the estimates and their errors, mean and covariances are finite, variances are not
 * negative, no correlation is beyond 1, and the mean of single numbers is among them. Unless errors
 * differ beyond what groups of a shop could, no covariance near the one found has a larger
 * likelihood.
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
					sqrt(own) * sqrt(matrix[CLV_AT(j, j)]) * FUZZ_ROUNDING);
	}
}

/* The restricted log-likelihood of a covariance between groups; NaN where it is beyond doubles. */
static double
Likelihood(int n, const ClvPoolingGroup *groups, size_t count, const double *between)
{
	double weights[CLV_POOLING_TRIANGLE] = {0};
	double sum[CLV_POOLING_MAX] = {0};
	double mean[CLV_POOLING_MAX];
	double twice = 0;
	ClvCholesky chol[MOST_GROUPS];
	ClvCholesky all;

	for (size_t g = 0; g < count; g++)
	{
		double total[CLV_POOLING_TRIANGLE];
		double solved[CLV_POOLING_MAX];

		for (int i = 0; i < CLV_TRIANGLE(n); i++)
			total[i] = between[i] + groups[g].error[i];
		if (!clv_cholesky(n, total, &chol[g]))
			return NAN;
		clv_cholesky_inverse(&chol[g], total);
		clv_cholesky_solve(&chol[g], groups[g].value, solved);
		for (int i = 0; i < CLV_TRIANGLE(n); i++)
			weights[i] += total[i];
		for (int i = 0; i < n; i++)
		{
			sum[i] += solved[i];
			twice -= 2 * log(chol[g].factor[CLV_AT(i, i)] / chol[g].scale[i]);
		}
	}
	if (!clv_cholesky(n, weights, &all))
		return NAN;
	clv_cholesky_solve(&all, sum, mean);
	for (size_t g = 0; g < count; g++)
	{
		double off[CLV_POOLING_MAX];
		double solved[CLV_POOLING_MAX];

		for (int i = 0; i < n; i++)
			off[i] = groups[g].value[i] - mean[i];
		clv_cholesky_solve(&chol[g], off, solved);
		for (int i = 0; i < n; i++)
			twice -= off[i] * solved[i];
	}
	for (int i = 0; i < n; i++)
		twice -= 2 * log(all.factor[CLV_AT(i, i)] / all.scale[i]);
	return twice / 2;
}

/* Whether no error is a thousandth of another or of the differences between groups. */
static bool
Usual(int n, const ClvPoolingGroup *groups, size_t count)
{
	double least = INFINITY;
	double most = 0;

	for (size_t g = 0; g < count; g++)
		for (int i = 0; i < n; i++)
		{
			double error = sqrt(groups[g].error[CLV_AT(i, i)]);

			least = fmin(least, error);
			most = fmax(most, fmax(error, fabs(groups[g].value[i] - groups[0].value[i])));
		}
	return most < 1000 * least;
}

/* Aborts where a covariance near the one that was found has a larger likelihood. */
static void
CheckLargest(int n, const ClvPoolingGroup *groups, size_t count, const double *between)
{
	double found = Likelihood(n, groups, count, between);

	Tell("likelihood", 1, &found);
	for (double factor = 0.98; factor < 1.03; factor += 0.04)
	{
		double other[CLV_POOLING_TRIANGLE];
		double likelihood;

		for (int i = 0; i < CLV_TRIANGLE(n); i++)
			other[i] = factor * between[i];
		likelihood = Likelihood(n, groups, count, other);
		Tell("of another", 1, &likelihood);
		Require(!(likelihood > found + 1e-6 * fmax(1, fabs(found))));
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
	ClvPoolingGroup given[MOST_GROUPS];
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
	for (size_t g = 0; g < count; g++)
	{
		Tell("value", n, groups[g].value);
		Tell("error", CLV_TRIANGLE(n), groups[g].error);
	}
	memcpy(given, groups, count * sizeof(ClvPoolingGroup));
	clv_pooling_fit(n, groups, count, &poll, &pooling);
	Tell("mean", n, pooling.mean);
	Tell("between", CLV_TRIANGLE(n), pooling.between);
	Tell("error of the mean", CLV_TRIANGLE(n), pooling.error);
	for (int i = 0; i < n; i++)
		Require(isfinite(pooling.mean[i]));
	CheckCovariance(n, pooling.between);
	CheckCovariance(n, pooling.error);
	if (Usual(n, given, count))
		CheckLargest(n, given, count, pooling.between);
	if (n == 1)
		Require(pooling.mean[0] >= low - 1e-9 * fabs(low) &&
				pooling.mean[0] <= high + 1e-9 * fabs(high));
}
