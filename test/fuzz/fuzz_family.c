/*
 * fuzz_family.c
 *		libFuzzer: every quantity of every transaction family at any parameters and histories.
 *
 * Nothing is NaN, probabilities lie in [0,1], expectations are ordered as they must be, the two
 * ways to a likelihood agree, and simulated lives go forward.
 */
#include "fuzz.h"

#include "families/prior.h"
#include "families/simulate.h"

#define COUNTS 50
#define MOST_PURCHASES 200

/* Aborts where a term has a logarithm that is NaN. */
static void
CheckTerm(const ClvFamily *family, const ClvTerm *term)
{
	Require(!isnan(term->ln));
	if (isinf(term->ln))
		return;
	for (int i = 0; i < family->nparams; i++)
		Require(family->transform[i] == CLV_FIXED || !isnan(term->gradient[i]));
}

/* The log-likelihood from the terms for fits. */
static double
LnFromTerms(const ClvFamily *family, const double *param, const History *h)
{
	ClvTerm common;
	ClvTerm departed;
	ClvTerm alive;

	if (family->departed == NULL)
	{
		double outcome = family->clock == CLV_CAMPAIGNS ? fmod(h->x, 2) : NAN;

		family->cell(param, h->x, h->t_x, h->T, outcome, &common);
		CheckTerm(family, &common);
		return common.ln;
	}
	if (family->cell != NULL)
	{
		family->cell(param, h->x, h->t_x, h->T, NAN, &common);
		CheckTerm(family, &common);
	}
	family->ln_common(param, h->x, &common);
	family->departed(param, h->x, &h->t_x, 1, &departed);
	family->alive(param, h->x, &h->T, 1, &alive);
	CheckTerm(family, &common);
	CheckTerm(family, &departed);
	CheckTerm(family, &alive);
	return common.ln + fmax(departed.ln, alive.ln) +
		   (isinf(departed.ln) || isinf(alive.ln) ? 0 : log1p(exp(-fabs(departed.ln - alive.ln))));
}

/* What is said of a customer with a history. */
static void
CheckHistory(const ClvFamily *family, const double *param, const History *h)
{
	double ln_p_alive = family->ln_p_alive(param, h->x, h->t_x, h->T);
	double from_terms = LnFromTerms(family, param, h);

	Require(ln_p_alive <= 0);
	if (family->p_alive != NULL)
	{
		double times[2] = {h->t_x, h->T};
		double leaving[2] = {NAN, NAN};
		double p;

		if (family->leaving != NULL)
		{
			family->leaving(param, h->x, times, 2, leaving);
			Require(leaving[0] >= 0 && leaving[1] <= FUZZ_ROUNDING);
		}
		p = family->p_alive(param, h->x, h->t_x, h->T, leaving[0], leaving[1]);
		Require(isnan(p) || (p >= 0 && p <= FUZZ_ROUNDING));
		Require(isnan(p) || fabs(p - exp(ln_p_alive)) < 1e-6);
	}
	if (family->log_likelihood != NULL)
	{
		double ln = family->log_likelihood(param, h->x, h->t_x, h->T);

		Require(!isnan(ln));
		/* the terms of bdw need t^c, which may be above any double */
		if (family->clock == CLV_RENEWALS && from_terms == -INFINITY)
			return;
		Require(ln == from_terms || fabs(ln - from_terms) < 1e-6 * (1 + fabs(ln)));
	}
}

/* What is said of a future of a length t. */
static void
CheckFuture(const ClvFuture *future, double n, double delta, double t)
{
	const ClvFamily *family = future->family;
	double p[COUNTS];
	double sum = 0;
	double expected = family->expected(future->param, t);
	double discounted = family->discounted(future->param, delta, t);
	double lifetime = family->discounted(future->param, delta, INFINITY);

	Require(expected >= 0 && isfinite(expected));
	Require(discounted >= 0 && discounted <= expected * FUZZ_ROUNDING + FUZZ_LEAST);
	/* one campaign has a lift of its own, of which the lifetime knows nothing */
	Require(lifetime >= 0);
	Require(family->clock == CLV_CAMPAIGNS || discounted <= lifetime * FUZZ_ROUNDING + FUZZ_LEAST);
	if (family->survival != NULL)
	{
		double survival = family->survival(future->param, t);

		Require(survival >= 0 && survival <= 1);
	}
	if (family->pairs != NULL)
		Require(family->pairs(future->param, t) >= 0);
	if (family->probability != NULL)
	{
		double one = family->probability(future->param, n, t);

		Require(one >= 0 && one <= 1);
	}
	if (family->probabilities == NULL)
		return;
	clv_future_probabilities(future, t, COUNTS, p);
	for (int i = 0; i < COUNTS; i++)
	{
		Require(p[i] >= 0 && p[i] <= 1);
		sum += p[i];
	}
	Require(sum <= FUZZ_ROUNDING);
	Require(fabs(p[0] - family->probability(future->param, 0, t)) < 1e-6);
}

/* What is predicted for a customer with a history. */
static void
CheckGiven(const ClvFamily *family, const double *param, const History *h, double n, double delta,
		   double t)
{
	double p[COUNTS];
	double probability;
	double p_alive = exp(family->ln_p_alive(param, h->x, h->t_x, h->T));
	int before = 0;
	ClvFuture future;

	Require(clv_expected_given(family, param, h->x, h->t_x, h->T, t) >= 0);
	Require(clv_discounted_given(family, param, h->x, h->t_x, h->T, delta, t) >= 0);
	Require(clv_discounted_given(family, param, h->x, h->t_x, h->T, delta, INFINITY) >= 0);
	if (family->probability == NULL)
		return;
	probability = clv_probability_given(family, param, h->x, h->t_x, h->T, n, t);
	Require(probability >= 0 && probability <= 1);
	clv_given_alive(family, param, h->x, h->t_x, h->T, &future);
	for (int i = 0; i < 3; i++)
	{
		int q = clv_quantile_given(&future, p_alive, t, (double[]){0.05, 0.5, 0.95}[i], COUNTS, p);

		Require(q >= -1 && q < COUNTS && (before < 0 ? q < 0 : q < 0 || q >= before));
		before = q;
	}
}

/* What only contracts have. */
static void
CheckContract(const ClvFamily *family, const double *param, double t, double rate)
{
	double retention = family->retention(param, t);

	Require(retention >= 0 && retention <= 1);
	for (int before = 0; before < 2; before++)
	{
		Require(family->residual(param, t, rate, before) >= 0);
		Require(family->elasticity(param, t, rate, before) >= 0);
	}
}

/* The purchases of a simulated customer. */
static void
CheckLife(const ClvFamily *family, const double *param, uint64_t seed, double end)
{
	ClvRandom random;
	ClvTraits traits;
	ClvLife life;
	double at = 0;

	clv_random_start(&random, seed, 1, 0);
	family->draw(param, &random, &traits);
	Require(traits.buying >= 0 && traits.leaving >= 0);
	clv_life_start(&life, &traits, NULL, &random, end);
	for (int i = 0; i < MOST_PURCHASES; i++)
	{
		double next = clv_life_next(&life);

		Require(next >= at);
		if (isinf(next))
			return;
		Require(next <= end);
		at = next;
	}
}

/* Quantities of the parameters alone. */
static void
CheckParameters(const ClvFamily *family, const double *param)
{
	ClvUnitFreeAt at;
	double low;
	double high;

	if (clv_unit_free_count(family) > 0)
	{
		double back[CLV_MAX_PARAMS];

		clv_unit_free(family, 52, param, &at);
		memcpy(back, param, sizeof(double) * (size_t) family->nparams);
		if (clv_unit_free_inverse(family, 52, at.value, back))
			Require(clv_within_limits(family, back, &low, &high));
	}
}

void
Check(Bytes *bytes)
{
	const ClvFamily *family = NextFamily(bytes, IsOfPurchases);
	double param[CLV_MAX_PARAMS];
	ClvFuture newcomer = {.family = family, .clocks = NULL};
	ClvFuture future;
	unsigned kind = Next(bytes);
	History history;
	double n;
	double delta;
	double t;

	if (!NextParameters(bytes, family, param))
		return;
	history = NextHistory(bytes, family);
	t = kind & 1 ? 0 : NextScale(bytes, kind & 4 ? 6 : 3);
	if (family->clock != CLV_CONTINUOUS)
		t = floor(t);
	delta = kind & 2 ? 0 : NextScale(bytes, kind & 4 ? 6 : 3);
	n = floor(NextScale(bytes, kind & 4 ? 4 : 2));

	Tell(family->name, family->nparams, param);
	Tell("x, t_x, T; n, delta, t", 6, (double[]){history.x, history.t_x, history.T, n, delta, t});
	memcpy(newcomer.param, param, sizeof(param));
	switch (kind >> 3 & 3)
	{
		case 0:
			CheckHistory(family, param, &history);
			CheckParameters(family, param);
			if (family->residual != NULL)
				CheckContract(family, param, t + 1, delta);
			if (family->draw != NULL)
				CheckLife(family, param, NextWord(bytes), t);
			break;
		case 1:
			CheckGiven(family, param, &history, n, delta, t);
			break;
		case 2:
			clv_given_alive(family, param, history.x, history.t_x, history.T, &future);
			CheckFuture(&future, n, delta, t);
			break;
		case 3:
			if (family->clock != CLV_CAMPAIGNS)
				CheckFuture(&newcomer, n, delta, t);
			break;
	}
}
