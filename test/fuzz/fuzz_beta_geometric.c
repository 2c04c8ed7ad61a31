/*
 * fuzz_beta_geometric.c
 *		libFuzzer: quantities of beta-geometric dropout at any parameters and histories.
 *
 * clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -Isrc
 *     test/fuzz/fuzz_beta_geometric.c src/math/\*.c src/families/\*.c -lm -o fuzz_beta_geometric
 *
 * Nothing is NaN, probabilities lie in [0,1], ln P(alive) is not positive, and
 * expectations are ordered as they must be.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "families/beta_geometric.h"
#include "families/registry.h"

#define COUNTS 200

/* What rounding may do to an order. */
#define ROUNDING (1 + 1e-9)

typedef struct Input
{
	uint16_t number[11];
	uint8_t immediate;
	uint8_t kind;
} Input;

/* Aborts where a condition does not hold. */
static void
Require(int holds)
{
	if (!holds)
		abort();
}

/* 10^-decades to 10^decades, evenly in the logarithm */
static double
Scale(uint16_t number, double decades)
{
	return pow(10, decades * (number / 32767.5 - 1));
}

/* Reads parameters and a history from the input and checks the quantities of the families. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static double p[COUNTS];
	Input in;
	double param[4];
	double x;
	double T;
	double t_x;
	double t;
	double n;
	double delta;
	double expected;
	double discounted;
	double lifetime;
	double survival;
	const ClvFamily *family;

	if (size < sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	for (int i = 0; i < 4; i++)
		param[i] = in.number[i] % 5 == 0 ? 1 : Scale(in.number[i], 6);
	family = in.immediate % 2 == 1 ? &clv_mbgnbd : &clv_bgnbd;
	x = in.kind & 1 ? 0 : floor(Scale(in.number[4], 5));
	T = in.kind & 2 ? 0 : Scale(in.number[5], 7);
	t_x = x == 0 ? 0 : T * (in.number[6] / 65535.0);
	t = in.kind & 4 ? 0 : Scale(in.number[7], 9);
	n = floor(Scale(in.number[8], 5));
	delta = in.kind & 8 ? 0 : Scale(in.number[9], 9);

	Require(family->ln_p_alive(param, x, t_x, T) <= 0);
	Require(!isnan(family->log_likelihood(param, x, t_x, T)));
	expected = family->expected(param, t);
	discounted = family->discounted(param, delta, t);
	lifetime = family->discounted(param, delta, INFINITY);
	survival = family->survival(param, t);
	Require(expected >= 0 && isfinite(expected));
	Require(discounted >= 0 && discounted <= expected * ROUNDING);
	Require(lifetime >= 0 && discounted <= lifetime * ROUNDING);
	Require(survival >= 0 && survival <= 1);
	Require(family->probability(param, n, t) >= 0 && family->probability(param, n, t) <= 1);
	family->probabilities(param, t, COUNTS, p);
	for (int i = 0; i < COUNTS; i++)
		Require(p[i] >= 0 && p[i] <= 1);

	Require(clv_expected_given(family, param, x, t_x, T, t) >= 0);
	Require(clv_discounted_given(family, param, x, t_x, T, delta, t) >= 0);
	Require(clv_discounted_given(family, param, x, t_x, T, delta, INFINITY) >= 0);
	Require(clv_probability_given(family, param, x, t_x, T, n, t) >= 0);
	Require(clv_probability_given(family, param, x, t_x, T, n, t) <= 1);
	return 0;
}
