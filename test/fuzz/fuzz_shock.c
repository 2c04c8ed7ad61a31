/*
 * fuzz_shock.c
 *		libFuzzer: the shock behind any counts and expectations.
 *
 * Its parameters are in their ranges, a shock is better than none, and it adds to the variance of
 * any total what is finite and not negative.
 */
#include "math/shock.h"

#include "fuzz.h"

#define MOST_PERIODS 40

/* Reads a count or an expectation; often 0 or near 1. */
static double
NextCount(Bytes *bytes, unsigned kind)
{
	unsigned number = Next(bytes);

	return kind & 1 && number % 8 == 0 ? 0
		   : kind & 2                  ? number
		   : kind & 4                  ? NextScale(bytes, 9)
									   : number / 32.0;
}

void
Check(Bytes *bytes)
{
	unsigned kind = Next(bytes);
	int n = (int) Next(bytes) % (MOST_PERIODS + 1);
	double *numbers = Scratch((size_t) (4 * n + 1) * sizeof(double));
	double *actual = numbers;
	double *expected = numbers + n;
	double gap = kind & 64 ? 0 : Next(bytes) / 8.0;
	double periods = kind & 128 ? 1 : NextScale(bytes, 3);
	double variance;
	ClvShock shock;

	for (int t = 0; t < n; t++)
	{
		actual[t] = NextCount(bytes, kind);
		expected[t] = kind & 32 ? 20 : NextCount(bytes, kind >> 3);
	}
	shock = clv_shock_estimate(n, actual, expected, numbers + 2 * n);
	Tell("periods, sd, lasting, correlation, evidence, past, link", 7,
		 (double[]){shock.periods, shock.sd, shock.lasting, shock.correlation, shock.evidence,
					shock.past, shock.link});
	Require(shock.periods >= 0 && shock.periods <= n);
	Require(shock.sd >= 0 && isfinite(shock.sd));
	Require(shock.lasting >= 0 && shock.lasting <= 1);
	Require(shock.correlation >= 0 && shock.correlation <= 0.98);
	Require(shock.sd == 0 || (shock.evidence >= CLV_SHOCK_EVIDENCE && isfinite(shock.evidence)));
	Require(shock.past >= 0 && shock.past <= FUZZ_ROUNDING);
	Require(shock.link >= 0 && shock.link <= FUZZ_ROUNDING);
	variance = clv_shock_variance(&shock, gap, periods);
	Tell("gap, periods, variance", 3, (double[]){gap, periods, variance});
	Require(variance >= 0 && isfinite(variance));
	Require(variance <= 4 * shock.sd * shock.sd * FUZZ_ROUNDING);
}
