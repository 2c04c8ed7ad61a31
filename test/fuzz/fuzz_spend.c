/*
 * fuzz_spend.c
 *		libFuzzer: every quantity of the families of spend, at any parameters and purchases.
 *
 * Nothing is NaN, probabilities lie in [0,1] and increase, expectations are positive, and the two
 * ways to a likelihood agree.
 */
#include "fuzz.h"

#include "families/prior.h"
#include "families/simulate.h"

void
Check(Bytes *bytes)
{
	const ClvFamily *family = NextFamily(bytes, IsOfSpend);
	unsigned kind = Next(bytes);
	double param[CLV_MAX_PARAMS];
	double x = kind & 1 ? 0 : 1 + floor(NextScale(bytes, kind & 2 ? 6 : 2));
	double mean = x == 0 ? 0 : NextScale(bytes, kind & 4 ? 9 : 3);
	double n = 1 + floor(NextScale(bytes, kind & 8 ? 6 : 2));
	double sum = NextScale(bytes, kind & 4 ? 12 : 6);
	double square;
	double product;
	double expected;
	double low;
	double high;
	ClvRandom random;
	ClvTraits traits;
	ClvUnitFreeAt at;

	if (!NextParameters(bytes, family, param))
		return;
	Tell(family->name, family->nparams, param);
	Tell("x, mean; n, sum", 4, (double[]){x, mean, n, sum});
	expected = family->expected_spend(param, x, mean);
	Require(expected > 0);
	family->spend_squares(param, x, mean, &square, &product);
	Require(square > 0 && product > 0 && product <= square * FUZZ_ROUNDING);
	Require(isinf(square) || square >= expected * expected / FUZZ_ROUNDING);
	low = family->spend_cdf(param, x, mean, n, sum / 2);
	high = family->spend_cdf(param, x, mean, n, sum);
	Require(low >= 0 && high <= 1 && low <= high * FUZZ_ROUNDING + 1e-12);
	clv_unit_free(family, 1, param, &at);
	if (x > 0)
	{
		ClvSpendRow row = {mean, (int32_t) x, 0};
		ClvTerm term;
		double ln = family->spend_log_likelihood(param, x, mean);

		Require(!isnan(ln));
		family->spend_terms(param, x, &row, 1, &term);
		/* both are small differences of numbers as large as p x times its logarithm */
		Require(fabs(term.ln - ln) <= 1e-6 * (1 + fabs(ln)) + 1e-14 * param[0] * x);
		for (int i = 0; i < family->nparams; i++)
			Require(!isnan(term.gradient[i]));
	}
	clv_random_start(&random, NextWord(bytes), 1, 0);
	family->draw(param, &random, &traits);
	for (int i = 0; i < 4; i++)
		Require(clv_draw_amount(&traits, &random) >= 0);
}
