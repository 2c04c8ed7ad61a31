/*
 * bdw.c
 *		Beta-discrete-Weibull: contracts whose customers grow more loyal, or less, with time.
 *
 * As in sbg.c each customer has a probability theta of leaving at the first renewal, distributed
 * as Beta(alpha, beta). But it does not stay the same: P(t renewals made | theta) = (1 -
 * theta)^(t^c), a discrete Weibull distribution. With c < 1 every customer becomes more loyal
 * with each renewal, with c > 1 less, and with c = 1 this is sbg. With B the beta function,
 *
 *		S(t)						= B(alpha, beta + t^c) / B(alpha, beta)
 *		retention at the t-th renewal	= B(alpha, beta + t^c) / B(alpha, beta + (t-1)^c)
 *
 * and theta of a customer who has made T renewals is distributed as Beta(alpha, beta + T^c), so
 * that they make k more with probability S(T + k) / S(T).
 *
 * Sums over renewals have no closed form. The first terms are added one by one; where the rest is
 * smooth it is an integral with the differences at its ends (Gregory's formula), and the integral
 * is taken by Gauss-Legendre panels on the scale of ln(T + k), which reach as far as there is
 * anything left, so that the cost does not depend on the horizon.
 *
 * Fader, Hardie, Liu, Davin & Steenburgh (2018), "How to project customer retention" revisited:
 * the role of duration dependence, Journal of Interactive Marketing 43.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "math/gauss.h"
#include "math/linalg.h"
#include "math/poll.h"
#include "math/special.h"
#include "families/registry.h"
#include "families/sbg.h"
#include "families/simulate.h"

enum
{
	ALPHA,
	BETA,
	C,
	MADE /* of a known customer: the renewals made so far */
};

/* ---- powers of time ---- */

/* A customer's renewals from the first to come on. */
typedef struct Life
{
	double alpha;
	double beta;
	double c;
	double made;  /* renewals made */
	double power; /* made^c */
} Life;

/* From here on t^c is so large that B(alpha, beta + t^c) is Gamma(alpha) t^(-alpha c). */
#define LARGE_POWER 1e200

/* (made + k)^c - made^c, without cancellation; INFINITY where it is above any double */
static double
Increase(const Life *life, double k)
{
	if (life->made == 0)
		return pow(k, life->c);
	return life->power * expm1(life->c * log1p(k / life->made));
}

/* The customer after so many renewals. */
static Life
After(const double *param, double made)
{
	Life life = {param[ALPHA], param[BETA], param[C], made, 0};

	life.power = made > 0 ? pow(made, param[C]) : 0;
	return life;
}

/* ln P(k more renewals are made), a whole number k or, within sums, any; k >= 0 */
static double
LnSurvival(const Life *life, double k)
{
	double increase;

	if (k == 0)
		return 0;
	if (life->power > LARGE_POWER)
		return -life->alpha * life->c * log1p(k / life->made);
	increase = Increase(life, k);
	if (increase <= LARGE_POWER)
		return clv_log_beta_rising(life->alpha, life->beta + life->power, increase);
	return clv_log_rising(life->beta + life->power, life->alpha) -
		   life->alpha * life->c * log(life->made + k);
}

/* ---- sums over renewals ---- */

/* What each renewal counts, the k-th from now. */
typedef enum Weight
{
	ONCE,  /* 1 */
	RANK,  /* k */
	PAIRED /* 2 (k - 1) */
} Weight;

/* A sum over renewals to come, discounted at delta. */
typedef struct Renewals
{
	Life life;
	double delta;
	Weight weight;
} Renewals;

/* ln of the probability of the k-th renewal, discounted */
static double
LnTerm(const Renewals *sum, double k)
{
	return LnSurvival(&sum->life, k) - sum->delta * k;
}

/* What the k-th renewal adds. */
static double
Term(const Renewals *sum, double k)
{
	double term = exp(LnTerm(sum, k));

	switch (sum->weight)
	{
		case ONCE:
			return term;
		case RANK:
			return k * term;
		case PAIRED:
			return 2 * (k - 1) * term;
	}
	return NAN;
}

/* What the ends of a sum add to its integral: coefficients of Gregory's formula. */
static const double gregory[] = {0.5,           1.0 / 12,          1.0 / 24,
								 19.0 / 720,    3.0 / 160,         863.0 / 60480,
								 275.0 / 24192, 33953.0 / 3628800, 8183.0 / 1036800};

#define ORDER ((int) (sizeof(gregory) / sizeof(gregory[0])))

/*
 * The correction at one end: k is the first renewal and step 1, or the last one and step -1.
 * *last is its last term, which says how smooth the terms are.
 */
static double
EndCorrection(const Renewals *sum, double k, double step, double *last)
{
	double difference[ORDER];
	double correction = 0;

	for (int i = 0; i < ORDER; i++)
		difference[i] = Term(sum, k + step * i);
	for (int order = 0; order < ORDER; order++)
	{
		/* differences of either direction alternate in sign, as they are counted inwards */
		*last = gregory[order] * difference[0] * (order % 2 == 0 ? 1 : -1);
		correction += *last;
		for (int i = 0; i + 1 < ORDER - order; i++)
			difference[i] = difference[i + 1] - difference[i];
	}
	return correction;
}

/* A panel spans no more than a factor e^(WIDEST / c) of time, nor one of e^WIDEST. */
#define WIDEST 1.0

/* Nor does the probability fall by more than e^-STEEPEST within it. */
#define STEEPEST 6.0

/* Parts smaller than this are neglected. */
#define NEGLIGIBLE 1e-17

/*
 * Whether t^c at the k-th renewal is so large that the probability of further ones is a power of
 * time.
 */
static int
IsPowerLaw(const Life *life, double k)
{
	double power = life->power > LARGE_POWER ? INFINITY : life->power + Increase(life, k);

	return power * NEGLIGIBLE > (life->alpha + 1) * (life->alpha + life->beta + 1);
}

/* The integral from the k-th renewal on where nothing is discounted, from the power law. */
static double
PowerLawTail(const Renewals *sum, double k)
{
	double power = sum->life.alpha * sum->life.c;
	double t = sum->life.made + k;
	double density = exp(LnTerm(sum, k));
	double once = density * t / (power - 1);

	if (sum->weight == ONCE)
		return once;
	/* k = t - made */
	return density * t * t / (power - 2) - sum->life.made * once;
}

/* The width of a panel from the k-th renewal on, in the logarithm of time; at most until m. */
static double
PanelWidth(const Renewals *sum, double k, double m, double *to)
{
	double t = sum->life.made + k;
	double width = IsPowerLaw(&sum->life, k) ? WIDEST : WIDEST / fmax(1, sum->life.c);
	double ln = LnTerm(sum, k);

	if (m < INFINITY)
		width = fmin(width, log1p((m - k) / t));
	for (;; width /= 2)
	{
		*to = fmin(k + t * expm1(width), m);
		if (!(ln - LnTerm(sum, *to) > STEEPEST) || width < DBL_EPSILON)
			return width;
	}
}

/*
 * The integral of the terms from the k-th to the m-th; m may be INFINITY. INFINITY where something
 * is left beyond the largest double.
 */
static double
Integral(const Renewals *sum, double k, double m)
{
	ClvGaussNode node[CLV_GAUSS_MOST];
	double total = 0;

	while (k < m)
	{
		double t = sum->life.made + k;
		double panel = 0;
		double to;
		double width;
		int n;

		if (sum->delta == 0 && isinf(m) && IsPowerLaw(&sum->life, k))
			return total + PowerLawTail(sum, k);
		width = PanelWidth(sum, k, m, &to);
		n = clv_gauss_nodes(&clv_gauss_16, 0, width, node);
		for (int i = 0; i < n; i++)
		{
			double later = t * expm1(node[i].at);

			panel += node[i].weight * (t + later) * Term(sum, k + later);
		}
		clv_poll(&clv_family_poll, 16);
		total += panel;
		/* what follows a steep panel is less than it; else the terms go on */
		if ((panel <= NEGLIGIBLE * total && LnTerm(sum, k) - LnTerm(sum, to) > 1) || to <= k)
			return total;
		k = to;
	}
	return isinf(k) ? INFINITY : total;
}

/* Terms are added one by one until so many. */
#define FEWEST 64

/* And as long as t^c, where it matters, grows by its e-th part within so many renewals. */
#define SMOOTH 8.0

/* But no more than so many. */
#define MOST (1 << 14)

/* The error of a sum that is allowed. */
#define TOLERANCE 1e-15

/*
 * Adds the terms after the k-th until the m-th to a sum of those before, if they are smooth
 * enough; false where they are not.
 */
static int
AddSmooth(const Renewals *sum, double k, double m, double *total)
{
	double first = k + 1;
	double last_first;
	double last_last = 0;
	double ends;

	if (m - k < 4 * ORDER)
		return 0;
	if (k < MOST && sum->life.made + k < SMOOTH * sum->life.c && !IsPowerLaw(&sum->life, k))
		return 0;
	ends = EndCorrection(sum, first, 1, &last_first);
	if (m < INFINITY)
		ends += EndCorrection(sum, m, -1, &last_last);
	if (k < MOST && fabs(last_first) + fabs(last_last) > TOLERANCE * *total)
		return 0;
	*total += ends + Integral(sum, first, m);
	return 1;
}

/* The sum over the next m renewals, m whole or INFINITY. */
static double
Sum(const Renewals *sum, double m)
{
	double power = sum->life.alpha * sum->life.c;
	double total = 0;
	double attempt = FEWEST;

	if (isinf(m) && sum->delta == 0 && power <= (sum->weight == ONCE ? 1 : 2))
		return INFINITY;
	for (double k = 1; k <= m; k += 1)
	{
		double term = Term(sum, k);

		total += term;
		if (k > 2 && term == 0)
			return total;
		clv_poll(&clv_family_poll, 1);
		if (k == attempt)
		{
			if (AddSmooth(sum, k, m, &total))
				return total;
			attempt *= 2;
		}
	}
	return total;
}

/* ---- the future of a customer who has made renewals ---- */

/* Discounted expected renewals in t periods. */
static double
KnownDiscounted(const double *param, double delta, double t)
{
	Renewals sum = {After(param, param[MADE]), delta, ONCE};

	return Sum(&sum, isinf(t) ? t : clv_whole_periods(t));
}

/* Expected renewals in t periods. */
static double
KnownExpected(const double *param, double t)
{
	return KnownDiscounted(param, 0, t);
}

/* P(t renewals more are made). */
static double
KnownSurvival(const double *param, double t)
{
	Life life = After(param, param[MADE]);

	return exp(LnSurvival(&life, clv_whole_periods(t)));
}

/* P(leaves at the next renewal after n more). */
static double
Leaving(const double *param, double n)
{
	Life life = After(param, param[MADE] + n);

	return -expm1(LnSurvival(&life, 1));
}

/* P(n renewals in t periods): the customer leaves at the next one, unless that is after t. */
static double
KnownProbability(const double *param, double n, double t)
{
	double m = clv_whole_periods(t);

	if (n > m)
		return 0;
	return KnownSurvival(param, n) * (n < m ? Leaving(param, n) : 1);
}

/* P(0) .. P(count - 1) renewals in t periods. */
static void
KnownProbabilities(const double *param, double t, int count, double *p)
{
	for (int n = 0; n < count; n++)
		p[n] = KnownProbability(param, n, t);
}

/* E[N (N - 1)] = sum of 2 (k - 1) P(N >= k), of the renewals N in t periods. */
static double
KnownPairs(const double *param, double t)
{
	Renewals sum = {After(param, param[MADE]), 0, PAIRED};

	return Sum(&sum, clv_whole_periods(t));
}

/* The future of known customers. Users cannot choose it: it is not in the registry. */
static const ClvFamily known = {
	.name = "bdw, known",
	.process = CLV_TRANSACTION,
	.nparams = 4,
	.param_names = {"alpha", "beta", "c", "made"},
	.clock = CLV_RENEWALS,
	.expected = KnownExpected,
	.probability = KnownProbability,
	.probabilities = KnownProbabilities,
	.pairs = KnownPairs,
	.discounted = KnownDiscounted,
	.survival = KnownSurvival,
};

/* The future of a customer after so many renewals. */
static void
FutureAfter(const double *param, double made, double *future)
{
	memcpy(future, param, MADE * sizeof(double));
	future[MADE] = made;
}

/* ---- the functions of family.h ---- */

/* ln L of a history; -INFINITY where it is impossible. */
static double
LogLikelihood(const double *param, double x, double t_x, double T)
{
	Life life;
	double ln;

	if (!clv_possible(&clv_bdw, x, t_x, T))
		return -INFINITY;
	life = After(param, 0);
	ln = LnSurvival(&life, t_x);
	if (t_x == T)
		return ln;
	life = After(param, t_x);
	return ln + log(-expm1(LnSurvival(&life, 1)));
}

/* 0 for customers who have made all renewals, else -INFINITY. */
static double
LnPAlive(const double *param, double x, double t_x, double T)
{
	return t_x < T ? -INFINITY : 0;
}

/* The future of a customer with T renewals. */
static void
GivenAlive(const double *param, double x, double T, ClvFuture *future)
{
	future->family = &known;
	FutureAfter(param, T, future->param);
}

/* Discounted expected renewals of a newcomer in t periods. */
static double
Discounted(const double *param, double delta, double t)
{
	double newcomer[MADE + 1];

	FutureAfter(param, 0, newcomer);
	return KnownDiscounted(newcomer, delta, t);
}

/* Expected renewals of a newcomer in t periods. */
static double
Expected(const double *param, double t)
{
	return Discounted(param, 0, t);
}

/* P(t renewals made) of a newcomer. */
static double
Survival(const double *param, double t)
{
	double newcomer[MADE + 1];

	FutureAfter(param, 0, newcomer);
	return KnownSurvival(newcomer, t);
}

/* P(n renewals in t periods) of a newcomer. */
static double
Probability(const double *param, double n, double t)
{
	double newcomer[MADE + 1];

	FutureAfter(param, 0, newcomer);
	return KnownProbability(newcomer, n, t);
}

/* P(0) .. P(count - 1) renewals of a newcomer in t periods. */
static void
Probabilities(const double *param, double t, int count, double *p)
{
	double newcomer[MADE + 1];

	FutureAfter(param, 0, newcomer);
	KnownProbabilities(newcomer, t, count, p);
}

/* E[N (N - 1)] of the renewals N of a newcomer in t periods. */
static double
Pairs(const double *param, double t)
{
	double newcomer[MADE + 1];

	FutureAfter(param, 0, newcomer);
	return KnownPairs(newcomer, t);
}

/* The share of customers with t - 1 renewals who make the t-th. */
static double
Retention(const double *param, double t)
{
	Life life = After(param, fmax(clv_whole_periods(t) - 1, 0));

	return exp(LnSurvival(&life, 1));
}

/* The renewals made before those to come: t of them, or t - 1 before the t-th. */
static double
MadeBefore(double t, bool before)
{
	double made = clv_whole_periods(t);

	return before ? fmax(made - 1, 0) : made;
}

/* Expected renewals to come after t, or before the t-th, discounted at rate per period. */
static double
Residual(const double *param, double t, double rate, bool before)
{
	Renewals sum = {After(param, MadeBefore(t, before)), log1p(rate), ONCE};

	return (before ? 1 + rate : 1) * Sum(&sum, INFINITY);
}

/* sum of k S(k) v^k over sum of S(k) v^k, of the renewals to come */
static double
Elasticity(const double *param, double t, double rate, bool before)
{
	Renewals sum = {After(param, MadeBefore(t, before)), log1p(rate), RANK};
	double ranks = Sum(&sum, INFINITY);
	double once;

	sum.weight = ONCE;
	once = Sum(&sum, INFINITY);
	if (isinf(ranks))
		return INFINITY;
	/* where they are below any double, only the first of them counts */
	return once > 0 ? ranks / once : 1;
}

/* ---- the fit ---- */

/* Start values: those of sbg, and customers who become more, and less, loyal. */
static bool
Start(const ClvMoments *moments, int which, double *param)
{
	static const struct
	{
		double alpha, c;
	} start[] = {{0.7, 1}, {3, 1}, {2, 0.6}, {1, 1.6}};

	if (which >= (int) (sizeof(start) / sizeof(start[0])))
		return false;
	param[ALPHA] = start[which].alpha;
	param[BETA] = start[which].alpha * fmin(fmax(2 * moments->x, 0.05), 1000);
	param[C] = start[which].c;
	return true;
}

/* The point of sbg: c = 1. */
static void
Embed(const ClvMoments *moments, const double *contained, double off, double *param)
{
	(void) moments;
	(void) off;
	param[ALPHA] = contained[0];
	param[BETA] = contained[1];
	param[C] = 1;
}

/* t^c with its first two derivatives by ln c. */
typedef struct Power
{
	double value;
	double slope;
	double curve;
} Power;

/* t^c of a whole number t. */
static Power
PowerOf(double t, double c)
{
	double ln = t > 0 ? c * log(t) : 0;
	double value = t > 0 ? pow(t, c) : 0;

	return (Power){value, value * ln, value * ln * (1 + ln)};
}

/*
 * Adds ln B(alpha, beta + p) - ln B(alpha, beta), times a sign, and its derivatives by the logs
 * of the parameters.
 */
static void
AddLnSurvival(const double *param, const Power *p, double sign, ClvTerm *term)
{
	double a = param[ALPHA];
	double b = param[BETA];
	double dab = clv_digamma_rising(a + b, p->value);
	double d2ab = clv_trigamma_rising(a + b, p->value);
	double db = clv_digamma_rising(b, p->value) - dab;
	double d2b = clv_trigamma_rising(b, p->value) - d2ab;
	double slope = -clv_digamma_rising(b + p->value, a);
	double curve = -clv_trigamma_rising(b + p->value, a);

	term->ln += sign * clv_log_beta_rising(a, b, p->value);
	term->gradient[ALPHA] -= sign * a * dab;
	term->gradient[BETA] += sign * b * db;
	term->gradient[C] += sign * slope * p->slope;
	term->hessian[CLV_AT(ALPHA, ALPHA)] -= sign * (a * dab + a * a * d2ab);
	term->hessian[CLV_AT(BETA, ALPHA)] -= sign * a * b * d2ab;
	term->hessian[CLV_AT(BETA, BETA)] += sign * (b * db + b * b * d2b);
	term->hessian[CLV_AT(C, ALPHA)] -= sign * a * clv_trigamma(a + b + p->value) * p->slope;
	term->hessian[CLV_AT(C, BETA)] += sign * b * curve * p->slope;
	term->hessian[CLV_AT(C, C)] += sign * (slope * p->curve + curve * p->slope * p->slope);
}

/*
 * Adds ln of 1 - e^-h, for customers who left at the renewal after t, and its derivatives; h is
 * minus ln of the retention rate there.
 */
static void
AddLeaving(const double *param, double t, ClvTerm *term)
{
	Life life = After(param, t);
	Power from = PowerOf(t, param[C]);
	Power to = PowerOf(t + 1, param[C]);
	double h = -LnSurvival(&life, 1);
	double odds = 1 / expm1(h);
	ClvTerm hazard = {0};

	term->ln += log(-expm1(-h));
	if (!isfinite(to.curve))
		return;
	AddLnSurvival(param, &from, 1, &hazard);
	AddLnSurvival(param, &to, -1, &hazard);
	for (int i = 0; i <= C; i++)
	{
		term->gradient[i] += odds * hazard.gradient[i];
		for (int j = 0; j <= i; j++)
			term->hessian[CLV_AT(i, j)] +=
				odds * (hazard.hessian[CLV_AT(i, j)] -
						(1 + odds) * hazard.gradient[i] * hazard.gradient[j]);
	}
}

/* ln L of one customer with derivatives; -INFINITY where the history is impossible. */
static void
Cell(const double *param, double x, double t_x, double T, double outcome, ClvTerm *term)
{
	Power made = PowerOf(t_x, param[C]);

	memset(term, 0, sizeof(*term));
	if (!clv_possible(&clv_bdw, x, t_x, T) || !isfinite(made.curve))
	{
		term->ln = -INFINITY;
		return;
	}
	AddLnSurvival(param, &made, 1, term);
	if (t_x < T)
		AddLeaving(param, t_x, term);
}

/* Draws a customer: the probability of leaving at the first renewal, and how it changes. */
static void
Draw(const double *param, ClvRandom *random, ClvTraits *traits)
{
	*traits = (ClvTraits){.leaves = CLV_LEAVES_IN_PERIOD, .stages = 1, .buying = 1};
	traits->leaving = clv_random_beta(random, param[ALPHA], param[BETA]);
	traits->ageing = param[C];
}

const ClvFamily clv_bdw = {
	.name = "bdw",
	.process = CLV_TRANSACTION,
	.nparams = 3,
	.param_names = {"alpha", "beta", "c"},
	.unit_free = {{"logit_churn", CLV_LN_PRODUCT, {1, -1, 0}, false},
				  {"ln_alpha_plus_beta", CLV_LN_SUM, {1, 1, 0}, false},
				  {"ln_c", CLV_LN_PRODUCT, {0, 0, 1}, false}},
	.clock = CLV_RENEWALS,
	.churn_effect = {1, 0, 0},
	.core = "sbg",
	.embed = Embed,
	.start = Start,
	.draw = Draw,
	.log_likelihood = LogLikelihood,
	.ln_p_alive = LnPAlive,
	.given_alive = GivenAlive,
	.expected = Expected,
	.probability = Probability,
	.probabilities = Probabilities,
	.pairs = Pairs,
	.discounted = Discounted,
	.survival = Survival,
	.retention = Retention,
	.residual = Residual,
	.elasticity = Elasticity,
	.cell = Cell,
};
