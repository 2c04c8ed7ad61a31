/*
 * test_adjusted.c
 *		Differences of means, plain and adjusted by a covariate. Reference values were computed from
 *		the definitions with 40 digits (mpmath).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "math/adjusted.h"

static const double treated_x[] = {0.5, 1.25, 2, 0.75, 3};
static const double treated_y[] = {1, 2, 2, 0, 5};
static const double other_x[] = {0.25, 1, 1.5, 2.5};
static const double other_y[] = {0, 1, 1, 3};

/* The group of n members, each multiplied by scale. */
static ClvGroup
GroupOf(const double *x, const double *y, int n, double scale)
{
	double sum[5] = {0};

	for (int i = 0; i < n; i++)
	{
		double a = scale * x[i];
		double b = scale * y[i];

		sum[0] += a;
		sum[1] += b;
		sum[2] += a * a;
		sum[3] += a * b;
		sum[4] += b * b;
	}
	return clv_group_of_sums(n, sum[0], sum[1], sum[2], sum[3], sum[4]);
}

/* Asserts that both are the same to fourteen digits. */
static void
AssertNear(double value, double expected)
{
	assert_true(fabs(value - expected) <= 1e-14 * fabs(expected));
}

static void
differences(void **state)
{
	for (int e = -100; e <= 100; e += 50)
	{
		double scale = ldexp(1, e);
		ClvGroup group = GroupOf(treated_x, treated_y, 5, scale);
		ClvGroup other = GroupOf(other_x, other_y, 4, scale);
		ClvDifference plain = clv_difference(&group, &other);
		double explained;
		ClvDifference adjusted = clv_adjusted_difference(&group, &other, &explained);
		double p_value;

		AssertNear(plain.effect, 0.75 * scale);
		AssertNear(plain.std_error, 1.0468205831628136903 * scale);
		AssertNear(plain.p_value, 0.47371035049428726339);
		AssertNear(adjusted.effect, 0.46206896551724137931 * scale);
		AssertNear(adjusted.std_error, 0.39055570167448653171 * scale);
		AssertNear(adjusted.p_value, 0.23676696619486852733);
		AssertNear(explained, 0.85483524904214559387);
		AssertNear(clv_balance(&group, &other, &p_value), 0.191273013919001487);
		AssertNear(p_value, 0.77464899595481755998);
	}
}

static void
shares(void **state)
{
	AssertNear(clv_share_p_value(540, 1000, 0.5), 0.01141203638600165482);
	AssertNear(clv_share_p_value(460, 1000, 0.5), 0.01141203638600165482);
	AssertNear(clv_share_p_value(500, 1000, 0.5), 1);
}

static void
ends(void **state)
{
	const double same[] = {2, 2, 2, 2};
	ClvGroup group = GroupOf(treated_x, treated_y, 5, 1);
	ClvGroup one = GroupOf(other_x, other_y, 1, 1);
	ClvGroup none = GroupOf(other_x, other_y, 0, 1);
	ClvGroup alike = GroupOf(same, other_y, 4, 1);
	ClvGroup still = GroupOf(same, same, 4, 1);
	ClvDifference plain = clv_difference(&alike, &still);
	ClvDifference adjusted;
	double explained;
	double p_value;

	assert_true(isnan(clv_difference(&group, &one).effect));
	assert_true(isnan(clv_difference(&none, &group).std_error));
	assert_true(isnan(clv_adjusted_difference(&none, &group, &explained).p_value));

	/* a prediction that is the same for all explains nothing */
	adjusted = clv_adjusted_difference(&alike, &still, &explained);
	assert_true(adjusted.effect == plain.effect && adjusted.std_error == plain.std_error);
	assert_true(explained == 0);
	assert_true(isnan(clv_balance(&alike, &still, &p_value)));

	/* nor is there a difference between groups in which nothing varies */
	plain = clv_difference(&still, &still);
	assert_true(plain.effect == 0 && plain.std_error == 0 && plain.p_value == 1);
	(void) clv_adjusted_difference(&still, &still, &explained);
	assert_true(isnan(explained));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences),
		cmocka_unit_test(shares),
		cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
