/*
 * simulate.c
 *		The purchases of simulated customers.
 *
 * Purchases are events of a Poisson process by the clock of purchases, or every k-th of them. Where
 * customers leave at a hazard, the lifetime is drawn first: the time at which the integral of the
 * hazard reaches an exponential number. Where they leave after purchases or in periods, each of
 * these ends the life with the customer's probability. So every distribution is that of the family,
 * by the calendar too.
 */
#include "families/simulate.h"

#include <math.h>

#include "math/poll.h"

void
clv_clocks_set_same(ClvStretch *stretch, int n, const double *from, const double *z,
					int ncovariates, const double *effect)
{
	clv_clocks_set_by(clv_same_exp, stretch, n, from, z, ncovariates, effect);
}

int
clv_clocks_later(const ClvStretch *stretch, int n, double since, ClvStretch *later)
{
	ClvClocks all = {.n = n, .stretch = stretch};
	int first = clv_clocks_at(&all, since);
	int left = n - first;

	for (int i = 0; i < left; i++)
	{
		const ClvStretch *now = &stretch[first + i];

		clv_stretch_begin(i > 0 ? &later[i - 1] : NULL, i > 0 ? now->from - since : 0, now->a,
						  now->c, &later[i]);
	}
	return left;
}

/* ---- lifetimes ---- */

/* The integral of the hazard until t, for leaving = 1. */
static double
Age(const ClvTraits *traits, double t)
{
	return traits->ageing > 0 ? clv_same_expm1(traits->ageing * t) : t;
}

/* The time at which that is so much. */
static double
TimeOfAge(const ClvTraits *traits, double age)
{
	return traits->ageing > 0 ? clv_same_log1p(age) / traits->ageing : age;
}

/* When the customer leaves who does so at a hazard. */
static double
DrawLifetime(const ClvTraits *traits, const ClvClocks *clocks, ClvRandom *random)
{
	double rest = clv_random_exponential(random) / traits->leaving;

	if (clocks == NULL)
		return TimeOfAge(traits, rest);
	for (int i = 0;; i++)
	{
		const ClvStretch *stretch = &clocks->stretch[i];
		double age = Age(traits, stretch->from);
		double left;

		/* the last stretch has no end */
		if (i + 1 == clocks->n)
			return TimeOfAge(traits, age + rest / stretch->c);
		left = stretch->c * (Age(traits, stretch[1].from) - age);
		if (rest <= left)
			return TimeOfAge(traits, age + rest / stretch->c);
		rest -= left;
	}
}

/* ---- a life ---- */

void
clv_life_start(ClvLife *life, const ClvTraits *traits, const ClvClocks *clocks, ClvRandom *random,
			   double end)
{
	*life = (ClvLife){.traits = traits, .clocks = clocks, .random = random, .end = end};
	life->leaves = INFINITY;
	if (traits->leaves == CLV_LEAVES_IN_TIME)
		life->leaves = DrawLifetime(traits, clocks, random);
	else if (traits->leaves == CLV_LEAVES_AFTER_PURCHASE && traits->at_first)
		life->gone = clv_random_uniform(random) < traits->leaving;
}

/* The time at which the clock of purchases shows so much; later calls ask for later times. */
static double
TimeOfClock(ClvLife *life, double clock)
{
	const ClvStretch *stretch;

	if (life->clocks == NULL)
		return clock;
	stretch = &life->clocks->stretch[life->stretch];
	while (life->stretch + 1 < life->clocks->n && stretch[1].b <= clock)
	{
		life->stretch++;
		stretch++;
	}
	return stretch->from + (clock - stretch->b) / stretch->a;
}

/* t^c, of which every bit is the same everywhere. */
static double
Power(double t, double c)
{
	return t > 0 ? clv_same_exp(c * clv_same_ln(t)) : 0;
}

/* P(leaving in this period), given that the customer is there. */
static double
LeavesIn(const ClvTraits *traits, double period)
{
	double increase;

	if (traits->ageing == 0 || traits->leaving >= 1)
		return traits->leaving;
	increase = Power(period, traits->ageing) - Power(period - 1, traits->ageing);
	return -clv_same_expm1(increase * clv_same_log1p(-traits->leaving));
}

/* The next period with a purchase. */
static double
NextPeriod(ClvLife *life)
{
	while (!life->gone && life->at < life->end)
	{
		clv_poll(&clv_family_poll, 1);
		life->at++;
		if (clv_random_uniform(life->random) < LeavesIn(life->traits, life->at))
			life->gone = true;
		else if (clv_random_uniform(life->random) < life->traits->buying)
			return life->at;
	}
	return INFINITY;
}

double
clv_life_next(ClvLife *life)
{
	const ClvTraits *traits = life->traits;
	double t;

	if (traits->leaves == CLV_LEAVES_IN_PERIOD)
		return NextPeriod(life);
	if (life->gone)
		return INFINITY;
	clv_poll(&clv_family_poll, traits->stages);
	for (int i = 0; i < traits->stages; i++)
		life->at += clv_random_exponential(life->random) / traits->buying;
	t = TimeOfClock(life, life->at);
	if (!(t <= life->end && t <= life->leaves))
	{
		life->gone = true;
		return INFINITY;
	}
	if (traits->leaves == CLV_LEAVES_AFTER_PURCHASE)
		life->gone = clv_random_uniform(life->random) < traits->leaving;
	return t;
}

double
clv_draw_amount(const ClvTraits *traits, ClvRandom *random)
{
	double number = clv_same_exp(clv_random_ln_gamma(random, traits->shape));

	/* where both are below any double, too */
	return number > 0 ? number / traits->scale : 0;
}
