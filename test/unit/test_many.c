/*
 * test_many.c
 *		Very many purchases, of every family: a probability costs what it costs for few and
 *		is as exact, pairs are those of the counts, and whatever takes long polls.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lifetimes.h"

typedef struct Case
{
	const char *family;
	double param[CLV_MAX_PARAMS];
	double n;
	double t;
	double p;
} Case;

/* A newcomer of the family; rfmtc answers for those who have one purchase behind them. */
static ClvFuture
Newcomer(const char *name, const double *param)
{
	ClvFuture future = {.family = clv_family(name)};

	memcpy(future.param, param, CLV_MAX_PARAMS * sizeof(double));
	if (future.family->clock == CLV_CAMPAIGNS)
		clv_given_alive(future.family, param, 0, 0, 0, &future);
	return future;
}

/* By mpmath at 40 digits: the tail of the negative binomial as an integral, campaigns as a sum. */
static void
many_purchases_are_exact(void **state)
{
	static const Case cases[] = {
		{"bg/nbd", {0.24, 4.4, 0.8, 2.4}, 2147483647, 1e10, 4.9024182662100491e-18},
		{"bg/nbd", {0.24, 4.4, 0.8, 2.4}, 1e8, 1e8, 4.1653587428265261e-17},
		{"bg/nbd", {1e6, 1e-3, 1e-3, 2}, 2147483647, 2.147, 1.7730419374305116e-7},
		{"mbg/nbd", {0.24, 4.4, 0.8, 2.4}, 2147483647, 1e10, 4.9024182635682889e-18},
		{"mbg/nbd", {1e6, 1e-3, 1e-3, 2}, 2147483647, 2.147, 1.7730419374296851e-7},
		{"mbg/cnbd-k", {8, 0.5, 1, 0.9, 1.6}, 2147483647, 1e11, 1.9332791356975961e-18},
		{"mbg/cnbd-k", {32, 40, 1, 0.02, 1.6}, 1e9, 8e8, 1.6743777909897559e-9},
		{"rfmtc", {1e-4, 1, 5}, 1000, 100000, 0.00030316680231877476},
		{"rfmtc", {0.3, 1, 1e4}, 2, 100000, 5.4406351111604478e-8},
		{"rfmtc", {1e-6, 1, 1.25}, 79900, 100000, 0.0020856635214141945},
		{"rfmtc", {0.01, 2, 0.5}, 500, 100000, 6.5704830424146329e-5},
		{"rfmtc", {0.01, 2, 0.5}, 2147483647, 100000, 0},
		{"bg/bb", {1.2, 0.75, 0.66, 2.78}, 1643, 100000, 4.0155231948864204e-6},
		{"bg/bb", {1.2, 0.75, 0.66, 2.78}, 90000, 100000, 1.5825672711029325e-8},
		{"bg/bb", {0.01, 0.01, 0.01, 0.01}, 50000, 100000, 1.3204918884807035e-7},
		{"bg/bb", {20, 4, 3, 1}, 300, 100000, 1.2832669755875458e-9},
		{"bg/bb", {1.2, 0.75, 0.66, 2.78}, 2147483647, 100000, 0},
		{"sbg", {0.7, 1.2}, 2147483647, 100000, 0},
		{"bdw", {0.7, 1.2, 1.3}, 2147483647, 100000, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ClvFuture future = Newcomer(cases[i].family, cases[i].param);
		double p = future.family->probability(future.param, cases[i].n, cases[i].t);

		if (!(RelativeError(p, cases[i].p) <= 1e-9))
			fail_msg("%s %zu: P(%.0f) is %.17g, not %.17g", cases[i].family, i, cases[i].n, p,
					 cases[i].p);
	}
}

#define COUNTS (1 << 14)

static void
pairs_are_those_of_the_counts(void **state)
{
	static const Case cases[] = {
		{"pareto/nbd", {0.55, 10.6, 0.6, 11.7}, .t = 52},
		{"pareto/nbd", {5.55, 49, 0.6, 50}, .t = 0.5},
		{"pareto/nbd", {200, 100, 0.6, 11.7}, .t = 1000},
		{"pareto/nbd/cor", {3, 20, 0.6, 11.7, 0.1}, .t = 1000},
		{"pareto/nbd/cor", {0.53, 9.85, 0.49, 9.17, 21}, .t = 52},
		{"ggompertz/nbd", {5.5, 30, 0.01, 0.6, 0.3}, .t = 52},
		{"ggompertz/nbd", {0.5, 10, 0.01, 0.6, 0.3}, .t = 1000},
		{"bg/nbd", {0.24, 4.4, 0.8, 2.4}, .t = 52},
		{"bg/nbd", {20, 4.4, 0.8, 240}, .t = 52},
		{"bg/nbd", {20, 40, 0.08, 2}, .t = 1e-3},
		{"mbg/nbd", {0.5, 6, 0.9, 1.6}, .t = 52},
		{"mbg/nbd", {20, 40, 30, 2}, .t = 10},
		{"sbg", {0.7, 1.2}, .t = 5000},
		{"bdw", {0.7, 1.2, 0.8}, .t = 5000},
		{"bdw", {0.26, 1.72, 1.58}, .t = 13},
		{"sbg", {0.7, 1.2}, .t = 1},
		{"bg/bb", {1.2, 0.75, 0.66, 2.78}, .t = 500},
		{"rfmtc", {0.1, 2, 1.2}, .t = 40},
		{"rfmtc", {0.01, 2, 1.2}, .t = 400},
	};
	static double p[COUNTS];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ClvFuture future = Newcomer(cases[i].family, cases[i].param);
		double pairs = 0;

		future.family->probabilities(future.param, cases[i].t, COUNTS, p);
		for (int n = COUNTS - 1; n > 0; n--)
			pairs += (double) n * (n - 1) * p[n];
		AssertRelative(cases[i].family, future.family->pairs(future.param, cases[i].t), pairs,
					   1e-12);
		assert_true(future.family->pairs(future.param, 0) == 0);
	}
}

/* Blocks of counts, and what has no bound but the numbers given: a cancel can come between. */
static void
long_work_polls(void **state)
{
	static const Case cases[] = {
		{"pareto/nbd", {0.55, 10.6, 0.6, 11.7}, .t = 1e6},
		{"pareto/nbd", {300, 2, 0.6, 11.7}, .t = 1e3},
		{"pareto/nbd/cor", {0.55, 10.6, 0.6, 11.7, 1.5}, .t = 1e6},
		{"ggompertz/nbd", {0.55, 1e-3, 0.02, 0.6, 0.3}, .t = 1e3},
		{"bg/nbd", {0.24, 4.4, 0.8, 2.4}, .t = 1e6},
		{"mbg/cnbd-k", {8, 0.24, 4.4, 0.8, 2.4}, .t = 1e6},
		{"bg/bb", {1.2, 0.75, 0.66, 2.78}, .t = 1000},
		{"rfmtc", {0.01, 2, 1.2}, .t = 100000},
	};
	static double p[COUNTS];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ClvFuture future = Newcomer(cases[i].family, cases[i].param);
		int calls = 0;

		clv_family_poll = (ClvPoll){CountCall, &calls, 0};
		future.family->probabilities(future.param, cases[i].t, COUNTS, p);
		clv_family_poll = (ClvPoll){NULL, NULL, 0};
		if (calls == 0)
			fail_msg("%s never polls", cases[i].family);
	}
}

/* Rates so alike that no step along them changes the value: the point itself, not an endless
 * search. */
static void
rates_all_alike(void **state)
{
	static const double alike[] = {2, 1e300, 1e300, 3, 5};
	static const double nearly[] = {2, 1e10, 1e10, 3, 5};

	/* k = 2 events of rate 1 to a purchase, each survived with a chance that is Beta(3, 5) */
	AssertRelative("perpetual", clv_mbgcnbd.discounted(alike, 0.1, INFINITY),
				   clv_mbgcnbd.discounted(nearly, 0.1, INFINITY), 1e-8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_purchases_are_exact),
		cmocka_unit_test(pairs_are_those_of_the_counts),
		cmocka_unit_test(long_work_polls),
		cmocka_unit_test(rates_all_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
