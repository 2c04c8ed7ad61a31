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

#include <cmocka.h>

#include "math/pooling.h"

/* Fits without anybody who would interrupt it. */
static ClvPooling
Fit(int n, const ClvPoolingGroup *groups, size_t count)
{
	ClvPoll poll = {0};
	ClvPooling pooling;

	clv_pooling_fit(n, groups, count, &poll, &pooling);
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
	assert_true(fabs(pooling.between[0] - (7 - 0.25)) < 1e-8);
	assert_true(fabs(pooling.error[0] - 7 / 3.0) < 1e-8);
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

/*
 * Two groups differ in one direction, however many numbers they have: correlations between groups
 * are 1, and not more by what rounding does where errors are a ten thousandth of the differences.
 */
static void
CorrelationsOfTwoGroups(void **state)
{
	const int n = CLV_POOLING_MAX;

	for (int shop = 0; shop < 100; shop++)
	{
		ClvPoolingGroup groups[2];
		ClvPooling pooling;

		for (int g = 0; g < 2; g++)
		{
			for (int i = 0; i < n; i++)
				groups[g].value[i] = 3 * Scatter(100 * shop + 10 * g + i);
			SetError(100 * shop + 50 * g, 3e-4, &groups[g]);
		}
		pooling = Fit(n, groups, 2);
		for (int i = 0; i < n; i++)
			for (int j = 0; j < i; j++)
			{
				double both = pooling.between[CLV_AT(i, i)] * pooling.between[CLV_AT(j, j)];

				assert_true(fabs(pooling.between[CLV_AT(i, j)]) <= sqrt(both) * (1 + 1e-12));
			}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(VarianceOfEqualErrors),
		cmocka_unit_test(CorrelationsOfTwoGroups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
