/*
 * test_pooling.c
 *		What groups have in common: closed forms of one number, and covariances that are close to
 *		singular.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "math/pooling.h"

#define GROUPS 5 /* at most */

/* Fits without anybody who would interrupt it. */
static ClvPooling
Fit(int n, const ClvPoolingGroup *groups, size_t count)
{
	ClvPoll poll = {0};
	ClvPooling pooling;
	ClvPoolingGroup copy[GROUPS];

	memcpy(copy, groups, count * sizeof(ClvPoolingGroup));
	clv_pooling_fit(n, copy, count, &poll, &pooling);
	return pooling;
}

/* With equal errors the variance between groups is that of their estimates less that of the errors.
 */
static void
VarianceOfEqualErrors(void **state)
{
	static const ClvPoolingGroup groups[] = {{{1}, {0.25}}, {{2}, {0.25}}, {{6}, {0.25}}};
	ClvPooling pooling = Fit(1, groups, 3);

	assert_true(fabs(pooling.mean[0] - 3) < 1e-12);
	assert_true(fabs(pooling.between[0] - (7 - 0.25)) < 1e-12);
	assert_true(fabs(pooling.error[0] - 7 / 3.0) < 1e-12);
}

/* A number from -1 to 1, as good as at random. */
static double
Scatter(int i)
{
	return sin(i * 12.9898 + (i % 7) * 78.233);
}

/* Sets the covariance of correlated errors of such a size. */
static void
SetError(int seed, double size, ClvPoolingGroup *group)
{
	double root[CLV_POOLING_MAX][CLV_POOLING_MAX] = {{0}};

	for (int i = 0; i < CLV_POOLING_MAX; i++)
		for (int j = 0; j <= i; j++)
		{
			root[i][j] = size * (Scatter(seed + 6 * i + j) / 2 + (i == j));
			group->error[CLV_AT(i, j)] = 0;
			for (int k = 0; k <= j; k++)
				group->error[CLV_AT(i, j)] += root[i][k] * root[j][k];
		}
}

/* Sets a group to values at random up to such a size. */
static void
SetGroup(int seed, double spread, double error, ClvPoolingGroup *group)
{
	for (int i = 0; i < CLV_POOLING_MAX; i++)
		group->value[i] = spread * Scatter(seed + i);
	SetError(seed, error, group);
}

/* Asserts that covariances differ by no more than that, beside others added to both. */
static void
AssertSame(int n, const double *one, const double *other, const double *added, double tolerance)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			double a = other[CLV_AT(i, i)] + added[CLV_AT(i, i)];
			double b = other[CLV_AT(j, j)] + added[CLV_AT(j, j)];

			assert_true(fabs(one[CLV_AT(i, j)] - other[CLV_AT(i, j)]) <= tolerance * sqrt(a * b));
		}
}

/*
 * Two groups differ in one direction d, however many numbers they have. With V, the sum of their
 * errors, and m = d' V^-1 d the likelihood depends on 2 A + V alone, and A = d d' (1 - 1/m) / 2, or
 * 0 where m is below 1; whether errors are larger than the differences or a ten thousandth of them.
 */
static void
CovarianceOfTwoGroups(void **state)
{
	for (int shop = 0; shop < 600; shop++)
	{
		int n = 1 + shop % CLV_POOLING_MAX;
		ClvPoolingGroup groups[2];
		ClvPooling pooling;
		double both[CLV_POOLING_TRIANGLE];
		double expected[CLV_POOLING_TRIANGLE];
		double off[CLV_POOLING_MAX];
		double solved[CLV_POOLING_MAX];
		double m = 0;
		ClvCholesky chol;

		for (int g = 0; g < 2; g++)
			SetGroup(100 * shop + 50 * g, 3, 3 * pow(10, -(shop % 5)), &groups[g]);
		for (int i = 0; i < CLV_TRIANGLE(n); i++)
			both[i] = groups[0].error[i] + groups[1].error[i];
		for (int i = 0; i < n; i++)
			off[i] = groups[0].value[i] - groups[1].value[i];
		assert_true(clv_cholesky(n, both, &chol));
		clv_cholesky_solve(&chol, off, solved);
		for (int i = 0; i < n; i++)
			m += off[i] * solved[i];
		for (int i = 0; i < n; i++)
			for (int j = 0; j <= i; j++)
				expected[CLV_AT(i, j)] = off[i] * off[j] * fmax(0, 1 - 1 / m) / 2;
		pooling = Fit(n, groups, 2);
		AssertSame(n, pooling.between, expected, both, 1e-13);
	}
}

/*
 * Few groups leave most directions without a difference, and the likelihood is nearly flat on the
 * way there: what rounding does to the estimates must not decide where the search ends.
 */
static void
RoundingOfFewGroups(void **state)
{
	for (int shop = 0; shop < 300; shop++)
	{
		int n = 2 + shop % (CLV_POOLING_MAX - 1);
		size_t count = 2 + shop % (GROUPS - 1);
		ClvPoolingGroup groups[GROUPS];
		ClvPoolingGroup rounded[GROUPS];
		ClvPooling one;
		ClvPooling other;

		for (size_t g = 0; g < count; g++)
		{
			SetGroup(100 * shop + 10 * (int) g, 1, pow(4, 1 - (int) g), &groups[g]);
			rounded[g] = groups[g];
			for (int i = 0; i < n; i++)
				rounded[g].value[i] *= 1 + 1e-13 * Scatter(shop + i);
		}
		one = Fit(n, groups, count);
		other = Fit(n, rounded, count);
		AssertSame(n, one.between, other.between, other.error, 1e-9);
		for (int i = 0; i < n; i++)
			assert_true(fabs(one.mean[i] - other.mean[i]) < 1e-9 * sqrt(other.error[CLV_AT(i, i)]));
	}
}

/*
 * Four numbers of two groups that differ in two: the variances of the others are 0, and rounding
 * must not take them below.
 */
static void
NoVarianceIsNegative(void **state)
{
	static const ClvPoolingGroup groups[] = {
		{{11, 11, 11, 9.162874799725337},
		 {0.0032198490186026388, 0.0016099245093013194, 0.0040248112732532981,
		  0.0016099245093013194, 0.0024033408034824346, 0.0048182689697493647,
		  -0.00079527101761824395, 0.0011974512129951655, 0.00093760976237959354,
		  0.041027766697074815}},
		{{10.640619516289005, 11, 11, 11},
		 {2.9782453962940705e-05, 5.7397395142688826e-05, 0.00055308756176797357,
		  -4.8048805904067321e-05, -0.00023043922543754958, 0.00056292796756786108,
		  5.7397395142688826e-05, 0.00033185253706078413, 5.971505839697067e-05,
		  0.00077432258647516295}},
	};
	ClvPooling pooling = Fit(4, groups, 2);

	for (int i = 0; i < 4; i++)
		assert_true(pooling.between[CLV_AT(i, i)] >= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(VarianceOfEqualErrors),
		cmocka_unit_test(CovarianceOfTwoGroups),
		cmocka_unit_test(RoundingOfFewGroups),
		cmocka_unit_test(NoVarianceIsNegative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
