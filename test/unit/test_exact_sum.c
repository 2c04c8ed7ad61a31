/*
 * test_exact_sum.c
 *		Exact sums: what doubles add up to, in any order and any split, to the last bit.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "math/exact_sum.h"

/* The exact sum of n values. */
static ClvExactSum
SumOf(const double *value, int n)
{
	ClvExactSum sum = {0};

	for (int i = 0; i < n; i++)
		clv_exact_add(&sum, value[i]);
	return sum;
}

/* Asserts that both sums are the same, once carried. */
static void
AssertSame(ClvExactSum one, ClvExactSum other)
{
	clv_exact_carry(&one);
	clv_exact_carry(&other);
	assert_memory_equal(one.limb, other.limb, sizeof(one.limb));
}

static void
one_term_is_itself(void **state)
{
	const double values[] = {1,
							 -1,
							 0.1,
							 5e-324,
							 -5e-324,
							 2.2250738585072014e-308,
							 1.25e-310,
							 1e308,
							 -1.7976931348623157e308,
							 4294967296.0,
							 0x1p-1022,
							 0x1.fffffffffffffp-1};

	for (int i = 0; i < (int) (sizeof(values) / sizeof(values[0])); i++)
	{
		ClvExactSum sum = SumOf(&values[i], 1);

		assert_true(clv_exact_value(&sum) == values[i]);
	}
}

static void
nothing_is_lost(void **state)
{
	const double swallowed[] = {1e308, 5e-324, -1e308};
	const double cancelled[] = {1, 0x1p-1000, -1, 0x1p1000, -0x1p1000};
	const double zeros[] = {0.0, -0.0};
	ClvExactSum sum = SumOf(swallowed, 3);

	assert_true(clv_exact_value(&sum) == 5e-324);
	sum = SumOf(cancelled, 5);
	assert_true(clv_exact_value(&sum) == 0x1p-1000);
	sum = SumOf(zeros, 2);
	assert_true(clv_exact_value(&sum) == 0);
}

/* Whole numbers up to 2^40, whose sums of a thousand a 64-bit integer holds, times a power of two.
 */
static void
agrees_with_integers(void **state)
{
	for (int power = -1050; power <= 950; power += 50)
	{
		ClvExactSum sum = {0};
		int64_t integer = 0;

		for (int i = 0; i < 1000; i++)
		{
			int64_t term =
				((int64_t) (rand() & 0xFFFFF) << 20 | (rand() & 0xFFFFF)) - ((int64_t) 1 << 39);

			integer += term;
			clv_exact_add(&sum, ldexp((double) term, power));
		}
		assert_true(clv_exact_value(&sum) == ldexp((double) integer, power));
	}
}

static void
any_order_any_split(void **state)
{
	enum
	{
		N = 2000
	};
	double values[N];
	ClvExactSum whole;
	ClvExactSum merged = {0};

	for (int i = 0; i < N; i++)
		values[i] = ldexp((double) rand() / RAND_MAX - 0.5, rand() % 2000 - 1000);
	whole = SumOf(values, N);
	for (int i = N - 1; i > 0; i--)
	{
		int j = rand() % (i + 1);
		double value = values[i];

		values[i] = values[j];
		values[j] = value;
	}
	AssertSame(whole, SumOf(values, N));
	for (int from = 0; from < N; from += 250)
	{
		ClvExactSum part = SumOf(values + from, 250);

		clv_exact_merge(&merged, &part);
	}
	AssertSame(whole, merged);
}

static void
magnitudes(void **state)
{
	const double values[] = {-3.5, 1.25};
	const double size = 2.25;
	ClvExactSum sum = SumOf(values, 2);
	ClvExactSum magnitude;

	assert_true(clv_exact_magnitude(&sum, &magnitude));
	AssertSame(magnitude, SumOf(&size, 1));
	sum = SumOf(&size, 1);
	assert_false(clv_exact_magnitude(&sum, &magnitude));
	AssertSame(magnitude, sum);
}

static void
infinite_and_nan(void **state)
{
	const double up[] = {INFINITY, -1e308};
	const double both[] = {INFINITY, -INFINITY};
	const double none[] = {1, NAN};
	ClvExactSum sum = SumOf(up, 2);

	assert_true(clv_exact_value(&sum) == INFINITY && clv_exact_special(&sum) == INFINITY);
	sum = SumOf(both, 2);
	assert_true(isnan(clv_exact_value(&sum)));
	sum = SumOf(none, 2);
	assert_true(isnan(clv_exact_value(&sum)));
	sum = SumOf(none, 1);
	assert_true(clv_exact_special(&sum) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_term_is_itself),   cmocka_unit_test(nothing_is_lost),
		cmocka_unit_test(agrees_with_integers), cmocka_unit_test(any_order_any_split),
		cmocka_unit_test(magnitudes),           cmocka_unit_test(infinite_and_nan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
