/*
 * fuzz_calendar.c
 *		libFuzzer: every quantity of every family whose rates follow a calendar.
 *
 * Nothing is NaN, probabilities lie in [0,1], expectations are ordered as they must be, what
 * customers share gives the same as each by themselves, and simulated lives go forward.
 */
#include "fuzz.h"

#include "families/lifetime.h"
#include "families/simulate.h"

#define COUNTS 20
#define MOST_STEPS 4
#define COVARIATES 2
#define MOST_PURCHASES 200

/* A calendar from the first purchase on, and what is left of it after a time. */
typedef struct Calendar
{
	ClvStretch stretch[MOST_STEPS];
	ClvStretch later[MOST_STEPS];
	double z[MOST_STEPS * COVARIATES];
	ClvClocks clocks;
	ClvClocks ahead;
} Calendar;

/* Reads a calendar of up to MOST_STEPS stretches; T: when what is ahead begins. */
static void
NextCalendar(Bytes *bytes, double T, Calendar *calendar)
{
	unsigned kind = Next(bytes);
	int n = 1 + (int) Next(bytes) % MOST_STEPS;
	double most = kind & 1 ? 12 : 2;
	double from[MOST_STEPS] = {0};
	double effect[2 * COVARIATES];

	for (int i = 0; i < 2 * COVARIATES; i++)
		effect[i] = kind & 2 && i >= COVARIATES ? 0 : most * (2 * NextShare(bytes) - 1);
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			from[i] = from[i - 1] + NextScale(bytes, 2);
		for (int j = 0; j < COVARIATES; j++)
			calendar->z[i * COVARIATES + j] = kind & 4 ? Next(bytes) % 2 : NextShare(bytes) - 0.5;
	}
	clv_clocks_set(calendar->stretch, n, from, calendar->z, COVARIATES, effect);
	calendar->clocks = (ClvClocks){n, calendar->stretch, COVARIATES, calendar->z};
	n = clv_clocks_later(calendar->stretch, n, T, calendar->later);
	calendar->ahead = (ClvClocks){n, calendar->later, 0, NULL};
}

/* Aborts where a term has a logarithm or derivatives that are NaN. */
static void
CheckWide(const ClvFamily *family, const ClvWideTerm *term)
{
	Require(!isnan(term->ln));
	if (isinf(term->ln))
		return;
	for (int i = 0; i < family->nparams + 2 * COVARIATES; i++)
		Require((i < family->nparams && family->transform[i] == CLV_FIXED) ||
				!isnan(term->gradient[i]));
}

/* The likelihood of a history, whole and by its summands. */
static void
CheckLikelihood(const ClvFamily *family, const double *param, const ClvClocks *clocks,
				const History *h)
{
	const ClvClocked *by = family->clocked;
	double ln = by->log_likelihood(family, param, h->x, clocks, h->t_x, h->T);
	ClvWideTerm term;

	Require(!isnan(ln));
	if (by->term != NULL)
	{
		by->term(family, param, h->x, clocks, h->t_x, h->T, &term);
		CheckWide(family, &term);
		Require(term.ln == ln || fabs(term.ln - ln) < 1e-6 * (1 + fabs(ln)));
	}
	if (by->departed != NULL)
	{
		by->departed(family, param, h->x, clocks, &h->t_x, 1, h->T, &term);
		CheckWide(family, &term);
		by->alive(family, param, h->x, clocks, h->T, &term);
		CheckWide(family, &term);
	}
}

/* A customer at a time in a stretch, with these odds at its end. */
static ClvSilence
Silent(const ClvClocks *clocks, int stretch, double t, double T, double odds)
{
	const ClvStretch *now = &clocks->stretch[stretch];
	const ClvStretch *last = &clocks->stretch[clocks->n - 1];

	return (ClvSilence){.since = t - now->from,
						.length = clv_clocks_until(clocks, stretch, T) - t,
						.a = now->a,
						.c = now->c,
						.b = now->b + now->a * (t - now->from),
						.d = now->d + now->c * (t - now->from),
						.b_end = last->b + last->a * (T - last->from),
						.d_end = last->d + last->c * (T - last->from),
						.odds = odds};
}

/* P(alive), and the same from what customers share; clocks: those until T alone. */
static void
CheckAlive(const ClvFamily *family, const double *param, ClvClocks clocks, const History *h)
{
	const ClvClocked *by = family->clocked;
	double ln;

	while (clocks.n > 1 && clocks.stretch[clocks.n - 1].from >= h->T)
		clocks.n--;
	ln = by->ln_p_alive(family, param, h->x, &clocks, h->t_x, h->T);
	Require(ln <= 0);
	if (by->odds != NULL)
	{
		ClvLeft left[MOST_STEPS + 1];
		int stretch = clv_clocks_at(&clocks, h->t_x);
		double odds = 0;

		if (by->law->growth >= 0)
			by->set_left(family, param, &clocks, h->T, left);
		for (int i = clocks.n; i-- > stretch;)
		{
			double from = i == stretch ? h->t_x : clocks.stretch[i].from;
			ClvSilence silence = Silent(&clocks, i, from, h->T, odds);

			silence.left = by->law->growth >= 0 ? left + i : NULL;
			odds = by->odds(family, param, h->x, &silence);
		}
		/* beyond the range of doubles the logarithm alone is known */
		Require(!isfinite(odds) || odds >= 0);
		Require(!isfinite(odds) || fabs(1 / (1 + odds) - exp(ln)) < 1e-6);
	}
}

/* What is said of a future of a length t. */
static void
CheckFuture(const ClvFuture *future, double n, double delta, double t)
{
	double p[COUNTS];
	double sum = 0;
	double expected = clv_future_expected(future, t);
	double discounted = clv_future_discounted(future, delta, t);
	double lifetime = clv_future_discounted(future, delta, INFINITY);
	double survival = clv_future_survival(future, t);
	double one = clv_future_probability(future, n, t);
	double pairs = clv_future_pairs(future, t);

	Require(expected >= 0 && isfinite(expected));
	Require(discounted >= 0 && discounted <= expected * FUZZ_ROUNDING + FUZZ_LEAST);
	Require(lifetime >= 0 && discounted <= lifetime * FUZZ_ROUNDING + FUZZ_LEAST);
	Require(survival >= 0 && survival <= 1);
	Require(one >= 0 && one <= 1);
	Require(isnan(pairs) || pairs >= 0);
	clv_future_probabilities(future, t, COUNTS, p);
	for (int i = 0; i < COUNTS; i++)
	{
		Require(p[i] >= 0 && p[i] <= 1);
		sum += p[i];
	}
	Require(sum <= FUZZ_ROUNDING);
}

/* The purchases of a simulated customer. */
static void
CheckLife(const ClvFamily *family, const double *param, const ClvClocks *clocks, uint64_t seed,
		  double end)
{
	ClvRandom random;
	ClvTraits traits;
	ClvLife life;
	double at = 0;

	clv_random_start(&random, seed, 1, 0);
	family->draw(param, &random, &traits);
	clv_life_start(&life, &traits, clocks, &random, end);
	for (int i = 0; i < MOST_PURCHASES; i++)
	{
		double next = clv_life_next(&life);

		Require(next >= at * (1 - 1e-12));
		if (isinf(next))
			return;
		Require(next <= end * FUZZ_ROUNDING);
		at = next;
	}
}

void
Check(Bytes *bytes)
{
	const ClvFamily *family = NextFamily(bytes, HasCalendar);
	const ClvClocked *by = family->clocked;
	double param[CLV_MAX_PARAMS];
	double p[COUNTS];
	unsigned kind = Next(bytes);
	Calendar calendar;
	ClvFuture future;
	History h;
	double t;
	double n;
	double delta;
	double p_alive;
	int q;

	if (!NextParameters(bytes, family, param))
		return;
	h = NextHistory(bytes, family);
	t = kind & 1 ? 0 : NextScale(bytes, kind & 4 ? 4 : 2);
	delta = kind & 2 ? 0 : NextScale(bytes, 4);
	n = floor(NextScale(bytes, kind & 4 ? 4 : 2));
	NextCalendar(bytes, h.T, &calendar);

	Tell(family->name, family->nparams, param);
	Tell("x, t_x, T; n, delta, t", 6, (double[]){h.x, h.t_x, h.T, n, delta, t});
	for (int i = 0; i < calendar.clocks.n; i++)
		Tell("stretch", 4, &calendar.stretch[i].from);

	future.family = family;
	memcpy(future.param, param, sizeof(param));
	future.clocks = &calendar.clocks;
	switch (kind >> 3 & 3)
	{
		case 0:
			CheckLikelihood(family, param, &calendar.clocks, &h);
			CheckAlive(family, param, calendar.clocks, &h);
			if (family->draw != NULL)
				CheckLife(family, param, &calendar.clocks, NextWord(bytes), t);
			break;
		case 1:
		case 2:
			by->given_alive(family, param, h.x, &calendar.clocks, h.t_x, h.T, &future);
			future.clocks = &calendar.ahead;
			if (kind & 8)
				CheckFuture(&future, n, delta, t);
			else
			{
				p_alive = exp(by->ln_p_alive(family, param, h.x, &calendar.clocks, h.t_x, h.T));
				q = clv_quantile_given(&future, p_alive, t, NextShare(bytes) * 0.99, COUNTS, p);
				Require(q >= -1 && q < COUNTS);
			}
			break;
		case 3:
			CheckFuture(&future, n, delta, t);
			break;
	}
}
