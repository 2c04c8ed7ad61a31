/*
 * test_newton.c
 *		The linear algebra, the search and the sort behind a fit.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "math/arena.h"
#include "math/newton.h"
#include "math/sort.h"
#include "math/sum.h"
#include "shop.h"

#define N 5

/* ---- linear algebra ---- */

/* A = sum of N + 2 random outer products: positive definite almost surely */
static void
RandomMatrix(Chance *chance, double *matrix)
{
	memset(matrix, 0, CLV_TRIANGLE(N) * sizeof(double));
	for (int k = 0; k < N + 2; k++)
	{
		double v[N];

		for (int i = 0; i < N; i++)
			v[i] = Uniform(chance) - 0.5;
		for (int i = 0; i < N; i++)
		{
			for (int j = 0; j <= i; j++)
				matrix[CLV_AT(i, j)] += v[i] * v[j];
		}
	}
}

/* An element of a symmetric matrix of which the lower half is stored. */
static double
Element(const double *matrix, int i, int j)
{
	return i > j ? matrix[CLV_AT(i, j)] : matrix[CLV_AT(j, i)];
}

static void
cholesky_inverts(void **state)
{
	Chance chance = 7;

	for (int round = 0; round < 200; round++)
	{
		double matrix[CLV_TRIANGLE(N)];
		double inverse[CLV_TRIANGLE(N)];
		ClvCholesky chol;

		RandomMatrix(&chance, matrix);
		/* units a million apart must cost nothing */
		for (int i = 0; i < N; i++)
		{
			for (int j = 0; j <= i; j++)
				matrix[CLV_AT(i, j)] *= pow(10, 6 * (i + j - N));
		}
		assert_true(clv_cholesky(N, matrix, &chol));
		clv_cholesky_inverse(&chol, inverse);
		for (int i = 0; i < N; i++)
		{
			for (int j = 0; j < N; j++)
			{
				double product = 0;

				for (int k = 0; k < N; k++)
					product += Element(matrix, i, k) * Element(inverse, k, j);
				product *= pow(10, 6 * (j - i));
				assert_true(fabs(product - (i == j)) < 1e-9);
			}
		}
	}
}

static void
cholesky_refuses_what_is_singular(void **state)
{
	double singular[] = {1, 1, 1};
	double indefinite[] = {1, 2, 1};
	double negative[] = {-1, 0, 1};
	double broken[] = {NAN, 0, 1};
	ClvCholesky chol;

	assert_false(clv_cholesky(2, singular, &chol));
	assert_false(clv_cholesky(2, indefinite, &chol));
	assert_false(clv_cholesky(2, negative, &chol));
	assert_false(clv_cholesky(2, broken, &chol));
}

static void
eigenvectors_rebuild_the_matrix(void **state)
{
	Chance chance = 8;

	for (int round = 0; round < 200; round++)
	{
		double matrix[CLV_TRIANGLE(N)];
		double values[N];
		double vectors[N * N];

		RandomMatrix(&chance, matrix);
		matrix[0] -= 1; /* some are indefinite */
		assert_true(clv_eigen(N, matrix, values, vectors));
		for (int i = 0; i < N; i++)
		{
			assert_true(i == 0 || values[i - 1] <= values[i]);
			for (int j = 0; j < N; j++)
			{
				double sum = 0;
				double dot = 0;

				for (int k = 0; k < N; k++)
				{
					sum += values[k] * vectors[k * N + i] * vectors[k * N + j];
					dot += vectors[i * N + k] * vectors[j * N + k];
				}
				assert_true(fabs(sum - Element(matrix, i, j)) < 1e-14 * 10);
				assert_true(fabs(dot - (i == j)) < 1e-14 * 10);
			}
		}
	}
}

static void
eigen_refuses_what_is_not_finite(void **state)
{
	double broken[] = {1, INFINITY, 1};
	double values[2];
	double vectors[4];

	assert_false(clv_eigen(2, broken, values, vectors));
}

/* ---- the search ---- */

/* -(Rosenbrock): a curved ridge, along which straight steps decrease; maximum 0 at (1, 1) */
static void
Banana(void *arg, const double *theta, ClvQuadratic *at)
{
	double x = theta[0];
	double y = theta[1];
	double off = y - x * x;

	++*(int *) arg;
	at->value = -100 * off * off - (1 - x) * (1 - x);
	at->gradient[0] = 400 * x * off + 2 * (1 - x);
	at->gradient[1] = -200 * off;
	at->hessian[CLV_AT(0, 0)] = 400 * off - 800 * x * x - 2;
	at->hessian[CLV_AT(1, 0)] = 400 * x;
	at->hessian[CLV_AT(1, 1)] = -200;
}

static void
maximizes_along_a_curved_ridge(void **state)
{
	int calls = 0;
	ClvNewton newton = {.n = 2,
						.tolerance = 1e-5,
						.low = {-99, -99},
						.high = {99, 99},
						.max_evaluations = 200,
						.theta = {-1.9, 2}};

	assert_int_equal(clv_newton_maximize(&newton, Banana, &calls), CLV_NEWTON_CONVERGED);
	assert_int_equal(calls, newton.evaluations);
	assert_true(fabs(newton.theta[0] - 1) < 1e-9);
	assert_true(fabs(newton.theta[1] - 1) < 1e-9);
	assert_true(newton.distance < 1e-9);
	assert_true(calls < 60);
}

static void
obeys_the_limit(void **state)
{
	int calls = 0;
	ClvNewton newton = {.n = 2,
						.tolerance = 1e-5,
						.low = {-99, -99},
						.high = {99, 99},
						.max_evaluations = 4,
						.theta = {-1.9, 2}};

	assert_int_equal(clv_newton_maximize(&newton, Banana, &calls), CLV_NEWTON_EXHAUSTED);
	assert_int_equal(calls, 4);
}

/* a saddle at the start whose gradient is zero: (x^2 - x^4) - y^2 */
static void
Saddle(void *arg, const double *theta, ClvQuadratic *at)
{
	double x = theta[0];
	double y = theta[1];

	at->value = x * x - x * x * x * x - y * y;
	at->gradient[0] = 2 * x - 4 * x * x * x;
	at->gradient[1] = -2 * y;
	at->hessian[CLV_AT(0, 0)] = 2 - 12 * x * x;
	at->hessian[CLV_AT(1, 0)] = 0;
	at->hessian[CLV_AT(1, 1)] = -2;
}

static void
leaves_a_saddle(void **state)
{
	ClvNewton newton = {
		.n = 2, .tolerance = 1e-5, .low = {-99, -99}, .high = {99, 99}, .max_evaluations = 100};

	assert_int_equal(clv_newton_maximize(&newton, Saddle, NULL), CLV_NEWTON_CONVERGED);
	assert_true(fabs(fabs(newton.theta[0]) - sqrt(0.5)) < 1e-9);
}

/* rises for ever along the second unknown */
static void
Ridge(void *arg, const double *theta, ClvQuadratic *at)
{
	double e = exp(-theta[1]);

	at->value = -theta[0] * theta[0] - e;
	at->gradient[0] = -2 * theta[0];
	at->gradient[1] = e;
	at->hessian[CLV_AT(0, 0)] = -2;
	at->hessian[CLV_AT(1, 0)] = 0;
	at->hessian[CLV_AT(1, 1)] = -e;
}

static void
names_what_runs_away(void **state)
{
	ClvNewton newton = {.n = 2,
						.tolerance = 1e-5,
						.low = {-99, -99},
						.high = {99, 99},
						.max_evaluations = 100,
						.theta = {1, 1}};

	assert_int_equal(clv_newton_maximize(&newton, Ridge, NULL), CLV_NEWTON_RUNAWAY);
	assert_int_equal(newton.runaway, 1);
	assert_true(newton.at.value > -1e-6);
}

/* the same plus a million, whose rounding is larger than what the ridge has left to rise */
static void
RoughRidge(void *arg, const double *theta, ClvQuadratic *at)
{
	Ridge(arg, theta, at);
	at->value += 1e-4 * sin(1e9 * theta[1]) - 1e6;
	at->gradient[1] = fmax(at->gradient[1], 1.2e-8);
	at->hessian[CLV_AT(1, 1)] = theta[1] > 10 ? 0 : at->hessian[CLV_AT(1, 1)];
}

static void
leaves_a_ridge_to_rounding(void **state)
{
	ClvNewton newton = {.n = 2,
						.tolerance = 1e-5,
						.low = {-1e9, -1e9},
						.high = {1e9, 1e9},
						.max_evaluations = 150,
						.theta = {1, 1}};

	assert_int_equal(clv_newton_maximize(&newton, RoughRidge, NULL), CLV_NEWTON_RUNAWAY);
	assert_in_range(newton.evaluations, 1, 40);
}

/* -x^2 inside [-1, 1], undefined outside */
static void
Fenced(void *arg, const double *theta, ClvQuadratic *at)
{
	bool inside = fabs(theta[0]) < 1;

	at->value = inside ? log(1 - theta[0]) + 3 * log(1 + theta[0]) : NAN;
	at->gradient[0] = -1 / (1 - theta[0]) + 3 / (1 + theta[0]);
	at->hessian[0] = -1 / pow(1 - theta[0], 2) - 3 / pow(1 + theta[0], 2);
}

static void
steps_back_from_where_nothing_is_defined(void **state)
{
	ClvNewton inside = {.n = 1,
						.tolerance = 1e-5,
						.low = {-99},
						.high = {99},
						.max_evaluations = 100,
						.theta = {-0.99}};
	ClvNewton outside = {.n = 1,
						 .tolerance = 1e-5,
						 .low = {-99},
						 .high = {99},
						 .max_evaluations = 100,
						 .theta = {2}};

	assert_int_equal(clv_newton_maximize(&inside, Fenced, NULL), CLV_NEWTON_CONVERGED);
	assert_true(fabs(inside.theta[0] - 0.5) < 1e-9);
	assert_int_equal(clv_newton_maximize(&outside, Fenced, NULL), CLV_NEWTON_BAD_START);
}

/* ---- sums ---- */

static void
sums_keep_what_rounding_drops(void **state)
{
	ClvSum sum = {0};
	ClvLogProduct logs = {1, 0};
	double exact = 0;

	clv_sum_add(&sum, 1);
	clv_sum_add(&sum, 1e100);
	clv_sum_add(&sum, 1);
	clv_sum_add(&sum, -1e100);
	assert_true(clv_sum_value(&sum) == 2);
	clv_sum_add(&sum, INFINITY);
	assert_true(clv_sum_value(&sum) == INFINITY);

	for (int i = -300; i <= 300; i += 3)
	{
		clv_log_product_add(&logs, pow(10, i) * 1.5);
		exact += i * log(10) + log(1.5);
	}
	assert_true(fabs(clv_log_product_value(&logs) - exact) < 1e-10);
}

/* ---- sorting ---- */

typedef struct Record
{
	double key;
	int serial;
} Record;

/* The bucket of a record for clv_sort: its key times the level. */
static inline uint32_t
RecordDigit(const void *record, int which, const void *arg)
{
	double level = ((const Record *) record)->key * *(const double *) arg;

	return level < CLV_SORT_BUCKETS - 1 ? (uint32_t) level : CLV_SORT_BUCKETS - 1;
}

/* The order of records for clv_sort: by key. */
static inline bool
RecordLess(const void *left, const void *right)
{
	return ((const Record *) left)->key < ((const Record *) right)->key;
}

/* Counts the calls of a poll. */
static void
CountPoll(void *arg)
{
	++*(int *) arg;
}

/* levels: how well the digit knows the keys; 0 not at all, and the merging does it alone */
static void
SortAndCheck(size_t n, double levels, double grain)
{
	static const ClvSorter sorter = {sizeof(Record), 1, RecordDigit, RecordLess};
	Record *records = malloc((n + 1) * sizeof(Record));
	Record *scratch = malloc((n + 1) * sizeof(Record));
	int polls = 0;
	ClvPoll poll = {CountPoll, &polls, 0};
	Chance chance = 9;
	double sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		double key = Uniform(&chance);

		records[i] = (Record){grain > 0 ? floor(key / grain) * grain : key, (int) i};
		sum += (double) i;
	}
	clv_sort(&sorter, records, scratch, n, &levels, &poll);
	for (size_t i = 0; i < n; i++)
	{
		sum -= records[i].serial;
		if (i == 0)
			continue;
		assert_true(records[i - 1].key <= records[i].key);
		if (records[i - 1].key == records[i].key)
			assert_true(records[i - 1].serial < records[i].serial); /* stable */
	}
	assert_true(sum == 0);
	assert_true(n < 100000 || polls > 5);
	free(records);
	free(scratch);
}

static void
sorts_whatever_the_digits_know(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 15, 16, 17, 33, 1000, 5000, 100003};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		SortAndCheck(sizes[i], 4095, 0);
		SortAndCheck(sizes[i], 4095, 0.001);
		SortAndCheck(sizes[i], 3, 0);
		SortAndCheck(sizes[i], 0, 0);
		SortAndCheck(sizes[i], INFINITY, 0.01);
	}
}

/* ---- memory ---- */

static void
arenas_measure_what_they_cut(void **state)
{
	ClvArena measured = {NULL, 0};
	ClvArena cut = {malloc(1000), 0};

	for (ClvArena *arena = &measured;; arena = &cut)
	{
		void *first = clv_arena_take(arena, 3, 1);
		void *second = clv_arena_take(arena, 5, 8);

		assert_true(arena == &cut ? (char *) second == (char *) first + 8 : second == NULL);
		if (arena == &cut)
			break;
	}
	assert_int_equal(measured.used, cut.used);
	clv_arena_take(&measured, SIZE_MAX / 4, 8);
	assert_true(measured.used == SIZE_MAX);
	clv_arena_take(&measured, 1, 1);
	assert_true(measured.used == SIZE_MAX);
	free(cut.base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cholesky_inverts),
		cmocka_unit_test(cholesky_refuses_what_is_singular),
		cmocka_unit_test(eigenvectors_rebuild_the_matrix),
		cmocka_unit_test(eigen_refuses_what_is_not_finite),
		cmocka_unit_test(maximizes_along_a_curved_ridge),
		cmocka_unit_test(obeys_the_limit),
		cmocka_unit_test(leaves_a_saddle),
		cmocka_unit_test(names_what_runs_away),
		cmocka_unit_test(leaves_a_ridge_to_rounding),
		cmocka_unit_test(steps_back_from_where_nothing_is_defined),
		cmocka_unit_test(sums_keep_what_rounding_drops),
		cmocka_unit_test(sorts_whatever_the_digits_know),
		cmocka_unit_test(arenas_measure_what_they_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
