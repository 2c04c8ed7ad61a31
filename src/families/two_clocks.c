/*
 * two_clocks.c
 *		Families whose lifetimes do not depend on purchases, by the calendar: buying goes by the
 *		clock of purchases, and hazards of leaving are multiplied by C.
 *
 * With R = r + x, S(w) the survival and h(w) C(w) the hazard of the customers at time w,
 *
 *	L = (r)_x alpha^r prod_j A(t_j) [ (alpha+B(T))^-R S(T)
 *									+ int_tx^T (alpha+B(w))^-R h(w) C(w) S(w) dw ]
 *
 * Within a stretch the clock runs evenly and C is constant: alpha + B, divided by A, is that of a
 * plain customer in calendar time, and what is left of the lifetime is the plain one with its beta
 * divided by C, as for covariates that are constant. So each stretch is an integral of lifetime.c,
 * of a positive function, times the probability of neither leaving nor buying until it begins; the
 * same holds for discounted lifetimes. P(alive) is the share of the first summand, relative to
 * which nothing underflows.
 *
 * Derivatives
 * -----------
 * Both laws are S = (beta / (beta + D))^s on a clock of their own,
 *
 *	D(w) = int_0^w C(u) du,  or with a hazard that grows with age  int_0^w C(u) b e^(bu) du,
 *
 * which moves with the effects, and with b. As D may exceed the doubles, D and its derivatives are
 * kept times e^(-bw). Derivatives of ln L come from the nodes of the integrals, as in
 * lifetime_terms.c.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "math/poll.h"
#include "math/special.h"
#include "families/clocks.h"
#include "families/lifetime.h"

enum
{
	R,
	ALPHA,
	LIFETIME
};

/* ---- along the stretches ---- */

/* A customer at a time, as far as leaving goes. */
typedef struct Life
{
	int stretch;
	double t;
	ClvLifetime left;  /* as that of a plain customer, in calendar time */
	double cum_hazard; /* -ln P(alive) */
} Life;

/* A newcomer at time 0. */
static Life
Newcomer(const ClvFamily *family, const double *param, const ClvClocks *clocks)
{
	const ClvLaw *law = family->clocked->law;
	Life life = {0};

	memcpy(life.left.param, param + LIFETIME, law->nparams * sizeof(double));
	life.left.param[law->beta] /= clocks->stretch[0].c;
	return life;
}

/* Moves on to a time within the stretch, or to its end and the next one, but for cum_hazard. */
static void
AgeTo(const ClvLaw *law, const ClvClocks *clocks, double t, Life *life)
{
	ClvLifetime left;

	law->age(&life->left, t - life->t, &left);
	life->left = left;
	life->t = t;
	if (life->stretch + 1 < clocks->n && t >= clocks->stretch[life->stretch + 1].from)
	{
		life->left.param[law->beta] *=
			clocks->stretch[life->stretch].c / clocks->stretch[life->stretch + 1].c;
		life->stretch++;
	}
}

/* Moves on to a time within the stretch, or to its end and the next one. */
static void
MoveTo(const ClvLaw *law, const ClvClocks *clocks, double t, Life *life)
{
	life->cum_hazard += law->cum_hazard(&life->left, t - life->t);
	AgeTo(law, clocks, t, life);
}

/* A customer at t. */
static Life
LifeAt(const ClvFamily *family, const double *param, const ClvClocks *clocks, double t)
{
	Life life = Newcomer(family, param, clocks);

	while (life.t < t)
		MoveTo(family->clocked->law, clocks, clv_clocks_until(clocks, life.stretch, t), &life);
	return life;
}

/* The decay of lifetime.c from here to the end of the stretch, after purchases of this shape. */
static ClvDecay
DecayFrom(const ClvLaw *law, const double *param, double shape, const ClvClocks *clocks,
		  const Life *life)
{
	const ClvStretch *stretch = &clocks->stretch[life->stretch];

	return (ClvDecay){.law = law,
					  .lifetime = life->left,
					  .R = shape,
					  .age = (param[ALPHA] + stretch->b + stretch->a * (life->t - stretch->from)) /
							 stretch->a};
}

/* ---- histories ---- */

/* The two possible outcomes since the last purchase, without one, by their logarithms. */
typedef struct Inactivity
{
	double ln_alive;
	double ln_dead;
} Inactivity;

/* The logarithms of both outcomes until T, of a customer at the last purchase. */
static Inactivity
SinceLast(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks,
		  Life life, double T)
{
	const ClvLaw *law = family->clocked->law;
	double drop = 0;
	double dead = 0;

	while (life.t < T)
	{
		double end = clv_clocks_until(clocks, life.stretch, T);
		ClvDecay decay = DecayFrom(law, param, param[R] + x, clocks, &life);

		dead += exp(-drop) * clv_lifetime_dying(&decay, end - life.t);
		drop += clv_decay_drop(&decay, end - life.t);
		MoveTo(law, clocks, end, &life);
	}
	return (Inactivity){-drop, log(dead)};
}

double
clv_two_clocks_ln_p_alive(const ClvFamily *family, const double *param, double x,
						  const ClvClocks *clocks, double t_x, double T)
{
	Inactivity inactivity =
		SinceLast(family, param, x, clocks, LifeAt(family, param, clocks, t_x), T);

	return -clv_log1pexp(inactivity.ln_dead - inactivity.ln_alive);
}

void
clv_two_clocks_set_left(const ClvFamily *family, const double *param, const ClvClocks *clocks,
						double T, ClvLeft *left)
{
	const ClvLaw *law = family->clocked->law;
	Life life = Newcomer(family, param, clocks);

	for (int i = 0; i < clocks->n; i++)
	{
		double end = clv_clocks_until(clocks, i, T);

		left[i].beta = life.left.param[law->beta];
		left[i].cum_hazard = law->cum_hazard(&life.left, end - life.t);
		AgeTo(law, clocks, end, &life);
	}
	left[clocks->n] = (ClvLeft){.beta = life.left.param[law->beta]};
	for (int i = clocks->n; i-- > 0;)
		left[i].cum_hazard += left[i + 1].cum_hazard;
}

/* Sets *now to what is left of the lifetime of a customer; returns -ln P(alive at T). */
static double
LeftOf(const ClvLaw *law, const double *param, const ClvSilence *silence, ClvLifetime *now)
{
	ClvLifetime begun;

	memcpy(now->param, param + LIFETIME, law->nparams * sizeof(double));
	if (silence->left == NULL)
	{
		now->param[law->beta] = (now->param[law->beta] + silence->d) / silence->c;
		return law->cum_hazard(now, (silence->d_end - silence->d) / silence->c);
	}
	begun = *now;
	begun.param[law->beta] = silence->left[0].beta;
	law->age(&begun, silence->since, now);
	return law->cum_hazard(now, silence->length) + silence->left[1].cum_hazard;
}

double
clv_two_clocks_odds(const ClvFamily *family, const double *param, double x,
					const ClvSilence *silence)
{
	double rate = param[ALPHA] + silence->b;
	ClvDecay decay = {.law = family->clocked->law, .R = param[R] + x, .age = rate / silence->a};
	double drop;

	if (!(silence->length > 0))
		return silence->odds;
	drop = LeftOf(decay.law, param, silence, &decay.lifetime) +
		   decay.R * log1p((silence->b_end - silence->b) / rate);
	return silence->odds + exp(drop) * clv_lifetime_dying(&decay, silence->length);
}

double
clv_two_clocks_log_likelihood(const ClvFamily *family, const double *param, double x,
							  const ClvClocks *clocks, double t_x, double T)
{
	Life life = LifeAt(family, param, clocks, t_x);
	Inactivity inactivity = SinceLast(family, param, x, clocks, life, T);
	double b = clv_clock_b(clocks, t_x);

	return clv_log_rising(param[R], x) - x * log(param[ALPHA] + b) -
		   param[R] * log1p(b / param[ALPHA]) - life.cum_hazard +
		   clv_log_add(inactivity.ln_dead, inactivity.ln_alive);
}

void
clv_two_clocks_given_alive(const ClvFamily *family, const double *param, double x,
						   const ClvClocks *clocks, double t_x, double T, ClvFuture *future)
{
	const ClvLaw *law = family->clocked->law;
	const ClvStretch *now = &clocks->stretch[clv_clocks_at(clocks, T)];
	double since = T - now->from;

	(void) t_x;
	future->family = law->family;
	future->clocks = NULL;
	future->param[R] = param[R] + x;
	future->param[ALPHA] = param[ALPHA] + now->b + now->a * since;
	memcpy(future->param + LIFETIME, param + LIFETIME, law->nparams * sizeof(double));
	if (law->growth < 0)
		future->param[LIFETIME + law->beta] += now->d + now->c * since;
	else
	{
		Life life = LifeAt(family, param, clocks, T);

		future->param[LIFETIME + law->beta] =
			life.left.param[law->beta] * clocks->stretch[life.stretch].c;
	}
}

/* ---- histories, with derivatives ---- */

/* The parameters of D: b, and the effects on leaving. */
#define MOST_MOVERS (1 + CLV_MAX_COVARIATES)

/* The clock of leaving and its derivatives by ln b and the effects, all times e^(-bt). */
typedef struct LifePoint
{
	double t;
	double d;
	double first[MOST_MOVERS];
	double second[CLV_TRIANGLE(MOST_MOVERS)];
} LifePoint;

/* The numbers that the nodes of one customer's integral share. */
typedef struct Sweep
{
	const ClvFamily *family;
	const ClvLaw *law;
	const double *param;
	double R; /* r + x */
	double b; /* growth of the hazard; 0: none */
	const ClvClocks *clocks;
	ClvMixture mixture;
} Sweep;

/* The parameter of the law in this place, as a place of the family. */
#define PLACE(of) (LIFETIME + (of))

/* The covariates of a stretch. */
static const double *
Covariates(const Sweep *sweep, int stretch)
{
	return sweep->clocks->z + (size_t) stretch * sweep->clocks->ncovariates;
}

/* Moves *point on by a length of time in which hazards are multiplied by c. */
static void
AdvanceLife(const Sweep *sweep, int stretch, double length, LifePoint *point)
{
	const double *z = Covariates(sweep, stretch);
	double c = sweep->clocks->stretch[stretch].c;
	double b = sweep->b;
	double keep = exp(-b * length);
	double before = b * point->t;
	double after = b * (point->t + length);
	double more = b > 0 ? -c * expm1(-b * length) : c * length;
	double by_b = c * (after - before * keep);
	double by_bb = c * (after * (1 + after) - before * (1 + before) * keep);
	int n = 1 + sweep->clocks->ncovariates;

	point->t += length;
	point->d = point->d * keep + more;
	for (int i = 0; i < n; i++)
		point->first[i] = point->first[i] * keep + (i == 0 ? by_b : z[i - 1] * more);
	for (int i = 0; i < n; i++)
	{
		double *row = &point->second[CLV_AT(i, 0)];

		row[0] = row[0] * keep + (i == 0 ? by_bb : z[i - 1] * by_b);
		for (int j = 1; j <= i; j++)
			row[j] = row[j] * keep + z[i - 1] * z[j - 1] * more;
	}
}

/* The element of a lower triangle, in any order of its row and column. */
static double *
Element(ClvWideTerm *term, int i, int j)
{
	return &term->hessian[i > j ? CLV_AT(i, j) : CLV_AT(j, i)];
}

/* Adds what the power -k of beta + D has by what moves D. */
static void
AddMovers(const Sweep *sweep, const LifePoint *point, double k, double each, ClvWideTerm *term)
{
	const ClvLaw *law = sweep->law;
	double share = sweep->param[PLACE(law->beta)] * exp(-sweep->b * point->t) * each;
	int nz = sweep->clocks->ncovariates;
	int n = sweep->family->nparams;
	int place[MOST_MOVERS];

	place[0] = PLACE(law->growth);
	for (int i = 0; i < nz; i++)
		place[1 + i] = n + nz + i;
	for (int i = sweep->b > 0 ? 0 : 1; i < 1 + nz; i++)
	{
		double first = point->first[i] * each;

		term->gradient[place[i]] -= k * first;
		*Element(term, place[i], PLACE(law->s)) -= sweep->param[PLACE(law->s)] * first;
		*Element(term, place[i], PLACE(law->beta)) += k * share * first;
		for (int j = sweep->b > 0 ? 0 : 1; j <= i; j++)
			*Element(term, place[i], place[j]) +=
				k * first * point->first[j] * each - k * point->second[CLV_AT(i, j)] * each;
	}
}

/*
 * Adds survival, (beta / (beta + D))^s, or where z is given the density of dying, which is s C b
 * e^(bt) / (beta + D) times that, with z the covariates of C; without growth, without b e^(bt).
 */
static void
AddLifetime(const Sweep *sweep, const LifePoint *point, double cum_hazard, const double *z,
			ClvWideTerm *term)
{
	const ClvLaw *law = sweep->law;
	int nz = sweep->clocks->ncovariates;
	int at_s = PLACE(law->s);
	int at_beta = PLACE(law->beta);
	double s = sweep->param[at_s];
	double beta = sweep->param[at_beta] * exp(-sweep->b * point->t);
	double k = z != NULL ? s + 1 : s;
	double each = 1 / (beta + point->d);
	double share = point->d * each;

	term->gradient[at_s] -= cum_hazard;
	term->gradient[at_beta] += s * share;
	*Element(term, at_s, at_s) -= cum_hazard;
	*Element(term, at_s, at_beta) += s * share;
	*Element(term, at_beta, at_beta) -= k * share * beta * each;
	AddMovers(sweep, point, k, each, term);
	if (z == NULL)
		return;
	term->gradient[at_s] += 1;
	term->gradient[at_beta] -= beta * each;
	for (int i = 0; i < nz; i++)
		term->gradient[sweep->family->nparams + nz + i] += z[i];
	if (sweep->b > 0)
	{
		term->gradient[PLACE(law->growth)] += 1 + sweep->b * point->t;
		*Element(term, PLACE(law->growth), PLACE(law->growth)) += sweep->b * point->t;
	}
}

/* Both clocks of a customer at one time. */
typedef struct Point
{
	ClvClockPoint purchases;
	LifePoint life;
} Point;

/* Moves both on by a length of time within a stretch. */
static void
Advance(const Sweep *sweep, int stretch, double length, Point *point)
{
	clv_clock_advance(sweep->clocks, stretch, length, &point->purchases);
	AdvanceLife(sweep, stretch, length, &point->life);
}

/* Adds a number at a point; z: the covariates where it is a density of dying, else NULL. */
static void
AddPoint(Sweep *sweep, const Point *point, double cum_hazard, const double *z, double number)
{
	static const ClvTerm nothing = {0};
	ClvWideTerm term;

	clv_widen(&nothing, sweep->family->nparams, sweep->clocks->ncovariates, &term);
	clv_clock_no_purchase(sweep->family, sweep->param, R, sweep->R, sweep->clocks,
						  &point->purchases, &term);
	AddLifetime(sweep, &point->life, cum_hazard, z, &term);
	clv_mixture_add(&sweep->mixture, number, &term);
}

/*
 * Integration stops where this part of the sum is more than the probability of neither leaving nor
 * buying until then: no more than that can follow. Derivatives have powers of the logarithm of that
 * probability besides, so that this is far below a rounding.
 */
#define UNCOUNTED 1e-24

/* Whether nothing that counts follows a time until which customers stay with this probability. */
static bool
Complete(const Sweep *sweep, double stay)
{
	return stay <= UNCOUNTED * sweep->mixture.mass;
}

/* Adds the integral over a length of time, at whose beginning the probability is part. */
static void
AddStretch(Sweep *sweep, const Life *life, const ClvDecay *decay, double length, double part,
		   const Point *from)
{
	const double *z = Covariates(sweep, life->stretch);
	ClvPanel panel = {0};

	for (int k = 0; panel.to < length && k < CLV_MOST_PANELS; k++)
	{
		ClvGaussNode nodes[CLV_GAUSS_MOST];
		int n;

		clv_next_panel(decay, length, &panel);
		n = clv_gauss_nodes(panel.rule, panel.from, panel.to, nodes);
		for (int j = 0; j < n; j++)
		{
			double at = nodes[j].at;
			Point point = *from;

			Advance(sweep, life->stretch, at, &point);
			AddPoint(sweep, &point, life->cum_hazard + sweep->law->cum_hazard(&decay->lifetime, at),
					 z,
					 part * nodes[j].weight * sweep->law->hazard(&decay->lifetime, at) *
						 exp(-clv_decay_drop(decay, at)));
		}
		clv_poll(&clv_family_poll, 100 * (size_t) n);
		if (Complete(sweep, part * exp(-panel.drop)))
			break;
	}
}

/* Both clocks at t. */
static void
PointAt(const Sweep *sweep, double t, Point *point)
{
	int last = clv_clocks_at(sweep->clocks, t);

	memset(point, 0, sizeof(*point));
	for (int i = 0; i <= last; i++)
		Advance(sweep, i, clv_clocks_until(sweep->clocks, i, t) - sweep->clocks->stretch[i].from,
				point);
}

/* Sets both to a time; returns ln of neither leaving nor buying until then. */
static double
StartAt(const Sweep *sweep, double t, Life *life, Point *point)
{
	*life = LifeAt(sweep->family, sweep->param, sweep->clocks, t);
	PointAt(sweep, t, point);
	return -sweep->R * log1p(point->purchases.b / sweep->param[ALPHA]) - life->cum_hazard;
}

/* Adds those who leave until end; moves both there, and returns how far the decay has dropped. */
static double
AddUntil(Sweep *sweep, double end, Life *life, Point *point)
{
	double drop = 0;

	while (life->t < end)
	{
		double to = clv_clocks_until(sweep->clocks, life->stretch, end);
		int stretch = life->stretch;
		double length = to - life->t;
		ClvDecay decay = DecayFrom(sweep->law, sweep->param, sweep->R, sweep->clocks, life);

		if (!Complete(sweep, exp(-drop)))
			AddStretch(sweep, life, &decay, length, exp(-drop), point);
		drop += clv_decay_drop(&decay, length);
		Advance(sweep, stretch, length, point);
		MoveTo(sweep->law, sweep->clocks, to, life);
	}
	return drop;
}

/* The sweep of customers with x purchases, with an empty sum. */
static Sweep
NewSweep(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks)
{
	const ClvLaw *law = family->clocked->law;
	Sweep sweep = {.family = family,
				   .law = law,
				   .param = param,
				   .R = param[R] + x,
				   .b = law->growth < 0 ? 0 : param[PLACE(law->growth)],
				   .clocks = clocks};

	clv_mixture_start(&sweep.mixture, family->nparams + 2 * clocks->ncovariates);
	return sweep;
}

void
clv_two_clocks_term(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks,
					double t_x, double T, ClvWideTerm *term)
{
	Sweep sweep = NewSweep(family, param, x, clocks);
	ClvTerm common;
	Life life;
	Point point;
	double start = StartAt(&sweep, t_x, &life, &point);
	double drop = AddUntil(&sweep, T, &life, &point);

	AddPoint(&sweep, &point, life.cum_hazard, NULL, exp(-drop));
	clv_mixture_finish(&sweep.mixture, term);
	family->ln_common(param, x, &common);
	clv_wide_add(&common, family->nparams, term);
	term->ln += start;
}

/*
 * From the last time to the first: those who leave after a time are those who leave after the next
 * one, times the probability of neither leaving nor buying until it, and those in between.
 */
void
clv_two_clocks_departed(const ClvFamily *family, const double *param, double x,
						const ClvClocks *clocks, const double *t_x, size_t n, double T,
						ClvWideTerm *terms)
{
	Sweep sweep = NewSweep(family, param, x, clocks);
	double end = T;
	double later = 0;

	for (size_t i = n; i-- > 0;)
	{
		Life life;
		Point point;
		double start = StartAt(&sweep, t_x[i], &life, &point);

		clv_mixture_carry(&sweep.mixture, exp(later - start));
		(void) AddUntil(&sweep, end, &life, &point);
		clv_mixture_finish(&sweep.mixture, &terms[i]);
		terms[i].ln += start;
		end = t_x[i];
		later = start;
	}
}

void
clv_two_clocks_alive(const ClvFamily *family, const double *param, double x,
					 const ClvClocks *clocks, double T, ClvWideTerm *term)
{
	Sweep sweep = NewSweep(family, param, x, clocks);
	Life life;
	Point point;
	double start = StartAt(&sweep, T, &life, &point);

	AddPoint(&sweep, &point, life.cum_hazard, NULL, 1);
	clv_mixture_finish(&sweep.mixture, term);
	term->ln += start;
}

/* ---- newcomers: how long they live ---- */

double
clv_two_clocks_survival(const ClvFamily *family, const double *param, const ClvClocks *clocks,
						double t)
{
	return exp(-LifeAt(family, param, clocks, t).cum_hazard);
}

/*
 * The sum over the stretches of A times the discounted lifetime in each: that of a plain newcomer
 * with what is left of the lifetime, at a purchase rate of 1.
 */
double
clv_two_clocks_discounted(const ClvFamily *family, const double *param, const ClvClocks *clocks,
						  double delta, double t)
{
	const ClvLaw *law = family->clocked->law;
	Life life = Newcomer(family, param, clocks);
	double sum = 0;

	while (life.t < t)
	{
		double end = clv_clocks_until(clocks, life.stretch, t);
		double plain[CLV_MAX_PARAMS] = {1, 1};

		memcpy(plain + LIFETIME, life.left.param, law->nparams * sizeof(double));
		sum += clocks->stretch[life.stretch].a * exp(-life.cum_hazard - delta * life.t) *
			   family->discounted(plain, delta, end - life.t);
		if (isinf(end))
			break;
		MoveTo(law, clocks, end, &life);
	}
	return param[R] / param[ALPHA] * sum;
}

double
clv_two_clocks_expected(const ClvFamily *family, const double *param, const ClvClocks *clocks,
						double t)
{
	return clv_two_clocks_discounted(family, param, clocks, 0, t);
}

/* int of 2 A B S over a length of the stretch that life is at the beginning of. */
static double
StretchPairs(const ClvLaw *law, const ClvStretch *stretch, const Life *life, double length)
{
	ClvDecay decay = {law, life->left, 0, 1, 0};
	ClvPanel panel = {0};
	double sum = 0;

	for (int i = 0; panel.to < length && i < CLV_MOST_PANELS; i++)
	{
		ClvGaussNode nodes[CLV_GAUSS_MOST];
		int n;

		clv_next_panel(&decay, length, &panel);
		n = clv_gauss_nodes(panel.rule, panel.from, panel.to, nodes);
		for (int k = 0; k < n; k++)
			sum += nodes[k].weight * (stretch->b + stretch->a * nodes[k].at) *
				   exp(-clv_decay_drop(&decay, nodes[k].at));
		clv_poll(&clv_family_poll, 4 * (size_t) n);
	}
	return 2 * stretch->a * exp(-life->cum_hazard) * sum;
}

/* E[lambda^2] E[B^2], at the end of the lifetime or at t: int_0^t 2 B S dB. */
double
clv_two_clocks_pairs(const ClvFamily *family, const double *param, const ClvClocks *clocks,
					 double t)
{
	Life life = Newcomer(family, param, clocks);
	double sum = 0;

	while (life.t < t)
	{
		double end = clv_clocks_until(clocks, life.stretch, t);

		sum +=
			StretchPairs(family->clocked->law, &clocks->stretch[life.stretch], &life, end - life.t);
		MoveTo(family->clocked->law, clocks, end, &life);
	}
	return param[R] / param[ALPHA] * ((param[R] + 1) / param[ALPHA]) * sum;
}

/* ---- newcomers: how many purchases ----
 *
 * Given a life until u, purchases are negative binomial with B(u): their probability is a mean
 * over the nodes of the density of dying, and the term of those alive at t.
 */

/* Counts whose ratios are kept. */
#define GROWTHS 64

/* Probabilities of counts, added up over nodes: customers who buy until b. */
typedef struct Counting
{
	double r;
	double alpha;
	double n;             /* the count, or the largest one */
	double sum;           /* of P(n), where there is one count */
	int count;            /* of p */
	double *p;            /* P(0) .. P(count - 1), or NULL */
	double share;         /* what is added to p is multiplied by it */
	double grow[GROWTHS]; /* (r + n) / (n + 1), of as many counts as there are in p */
} Counting;

/* Recurrences start from no smaller logarithm of a probability, ... */
#define LN_SMALLEST (-690.0)

/* ... and end where they fall and are below this. */
#define NEGLIGIBLE 1e-290

/*
 * The first count whose logarithm, with *ln, is not below LN_SMALLEST, and that logarithm in *ln;
 * count where there is none. Probabilities increase up to the mode of the negative binomial.
 */
static int
FirstCount(const Counting *counting, double b, double *ln)
{
	double low = 0;
	double high = floor((counting->r - 1) * (b / counting->alpha));
	double none = *ln + clv_ln_negative_binomial(counting->r, counting->alpha, 0, b);
	double most;

	if (none >= LN_SMALLEST)
	{
		*ln = none;
		return 0;
	}
	high = fmin(fmax(0, high), counting->count - 1);
	most = *ln + clv_ln_negative_binomial(counting->r, counting->alpha, high, b);
	if (!(most >= LN_SMALLEST))
		return counting->count;
	while (high - low > 1)
	{
		double middle = floor((low + high) / 2);
		double between = *ln + clv_ln_negative_binomial(counting->r, counting->alpha, middle, b);

		if (between >= LN_SMALLEST)
		{
			high = middle;
			most = between;
		}
		else
			low = middle;
	}
	*ln = most;
	return (int) high;
}

/* How P(n + 1) grows from P(n), but for the ratio of the clock. */
static inline double
Growth(const Counting *counting, int n)
{
	return n < GROWTHS ? counting->grow[n] : (counting->r + n) / (n + 1);
}

/* Adds the purchases of part e^ln customers who buy until b, by recurrence or for the one count. */
static void
AddCounts(Counting *counting, double b, double part, double ln)
{
	double ratio = b / (counting->alpha + b);
	double weight;
	int n;

	if (counting->p == NULL)
	{
		counting->sum +=
			part * exp(ln + clv_ln_negative_binomial(counting->r, counting->alpha, counting->n, b));
		return;
	}
	n = FirstCount(counting, b, &ln);
	if (n == counting->count)
		return;
	weight = part * exp(ln);
	for (; n < counting->count; n++)
	{
		double grow = Growth(counting, n) * ratio;

		counting->p[n] += counting->share * weight;
		weight *= grow;
		if (weight < NEGLIGIBLE && grow < 1)
			break;
	}
}

/*
 * How far a panel may reach in b so that a negative binomial is smooth in it: the width of the
 * largest count's peak, and beyond it that of the tails.
 */
static double
PeakWidth(const Counting *counting, double b)
{
	double unit = counting->alpha / counting->r;
	double tail = CLV_STRIDE * (counting->alpha + b);

	return b > 4 * (counting->n + 25) * unit ? tail : fmin(tail, 4 * (sqrt(b * unit) + unit));
}

/* Within a panel the density of dying falls to e^-MOST_DROP at the least. */
#define MOST_DROP 3.0

/* Beyond this cumulative hazard all that a panel adds is 0, as a double. */
#define NOBODY_LEFT 750.0

/*
 * The rule for a panel of this part of the longest one, in which the clock goes on by rise from b:
 * few nodes where it is short. The n-th power of the clock is a polynomial, or changes little.
 */
static const ClvGauss *
CountRule(const Counting *counting, double part, double b, double rise)
{
	double change = counting->n > 0 ? counting->n * (rise / b) : 0;

	if (part < 1.0 / 40 && change < 0.2)
		return &clv_gauss_4;
	return part < 1.0 / 8 && (counting->n <= 8 || change < 2.5) ? &clv_gauss_8 : &clv_gauss_16;
}

/* Adds the purchases of those who die between now and end, within a stretch. */
static void
CountStretch(Counting *counting, const ClvLaw *law, const ClvStretch *stretch, const Life *life,
			 double length)
{
	double end;

	for (double z = 0;
		 z < length && !(life->cum_hazard + law->cum_hazard(&life->left, z) > NOBODY_LEFT); z = end)
	{
		double most = fmin(law->stride(&life->left, z), MOST_DROP / law->hazard(&life->left, z));
		ClvGaussNode nodes[CLV_GAUSS_MOST];
		int n;

		most = fmin(most, PeakWidth(counting, stretch->b + stretch->a * z) / stretch->a);
		end = z + most < length && z + most > z ? z + most : length;
		n = clv_gauss_nodes(CountRule(counting, (end - z) / most, stretch->b + stretch->a * z,
									  stretch->a * (end - z)),
							z, end, nodes);
		for (int k = 0; k < n; k++)
			AddCounts(counting, stretch->b + stretch->a * nodes[k].at,
					  nodes[k].weight * law->hazard(&life->left, nodes[k].at),
					  -life->cum_hazard - law->cum_hazard(&life->left, nodes[k].at));
		clv_poll(&clv_family_poll, 10 * (size_t) n);
	}
}

/* Adds all purchases of a newcomer in (0,t]. */
static void
Count(Counting *counting, const ClvFamily *family, const double *param, const ClvClocks *clocks,
	  double t)
{
	Life life = Newcomer(family, param, clocks);

	counting->r = param[R];
	counting->alpha = param[ALPHA];
	for (int n = 0; n < GROWTHS && n < counting->count; n++)
		counting->grow[n] = (counting->r + n) / (n + 1);
	while (life.t < t)
	{
		double end = clv_clocks_until(clocks, life.stretch, t);

		CountStretch(counting, family->clocked->law, &clocks->stretch[life.stretch], &life,
					 end - life.t);
		MoveTo(family->clocked->law, clocks, end, &life);
	}
	AddCounts(counting, clv_clock_b(clocks, t), 1, -life.cum_hazard);
}

double
clv_two_clocks_probability(const ClvFamily *family, const double *param, const ClvClocks *clocks,
						   double n, double t)
{
	Counting counting = {.n = n};

	if (!(clv_clock_b(clocks, t) > 0))
		return n == 0;
	Count(&counting, family, param, clocks, t);
	return fmin(counting.sum, 1);
}

void
clv_two_clocks_add_probabilities(const ClvFamily *family, const double *param,
								 const ClvClocks *clocks, double t, int count, double weight,
								 double *p)
{
	Counting counting = {.n = count, .count = count, .p = p, .share = weight};

	if (clv_clock_b(clocks, t) > 0)
		Count(&counting, family, param, clocks, t);
	else if (count > 0)
		p[0] += weight;
}

void
clv_two_clocks_probabilities(const ClvFamily *family, const double *param, const ClvClocks *clocks,
							 double t, int count, double *p)
{
	memset(p, 0, count * sizeof(double));
	clv_two_clocks_add_probabilities(family, param, clocks, t, count, 1, p);
}
