/*
 * paretonbd_cor.c
 *		Pareto/NBD with correlated rates: customers with a high purchase rate may have a
 *		high, or a low, hazard of leaving.
 *
 * In pareto/nbd a customer's purchase rate lambda ~ Gamma(r, rate alpha) and hazard mu ~
 * Gamma(s, rate beta) are independent. Here their joint density is Sarmanov's: with f and g
 * those of the two gamma distributions,
 *
 *	f(lambda) g(mu) [1 + m (e^-lambda - c) (e^-mu - d)]
 *	c = E[e^-lambda] = (alpha / (alpha + 1))^r,  d = E[e^-mu] = (beta / (beta + 1))^s
 *
 * The marginal distributions are unchanged. m = 0 is pareto/nbd; the correlation of the rates
 * is m c d sqrt(r s) / ((alpha + 1) (beta + 1)). As e^-lambda and e^-mu lie between 0 and 1,
 * the density is one as long as
 *
 *	-1 / max(c d, (1-c) (1-d))  <=  m  <=  1 / max(c (1-d), (1-c) d)
 *
 * The 1 beside alpha is a time unit, for lambda is per unit: in another unit this is another
 * family, with another m, other limits, and another maximum of the likelihood.
 *
 * No difference of four
 * ---------------------
 * Multiplied out, the likelihood is L + m c d (L11 - L10 - L01 + L), L_ij being pareto/nbd's at
 * alpha + i and beta + j. These four hardly differ where a unit is short, and m then is large:
 * digits would be lost as fast as 1 - c and 1 - d are small. But given the history at any one
 * time lambda and mu are independent: lambda ~ Gamma(r + x, alpha + y) after x purchases until
 * y, mu ~ Gamma(s, beta + y) while alive, Gamma(s + 1, beta + y) if the customer dies at y. So
 * the mean of the bracket at y is
 *
 *	1 + m (E[e^-lambda] - c) (E[e^-mu] - d) >= 0
 *
 * with means like c and d, whose differences are taken by expm1; and the integrals of
 * lifetime.c keep their form, with one more non-negative factor. The relative error is some
 * units of the last digit, unless a customer is such that the bracket itself is next to 0.
 *
 * Expectations do need a difference, of two pareto/nbd's:
 *
 *	int E[lambda | y] S(y) [...] dy = (1 - k d) E(beta) + k d' E(beta + 1)
 *
 * k = m (E[e^-lambda] - c) is at most about 1 / (1 - d): a few digits are lost only where the
 * time unit is thousands of times shorter than lifetimes.
 *
 * Known customers
 * ---------------
 * Given x purchases and alive at T, lambda and mu depend on each other by the same bracket,
 * with gamma distributions of R = r + x, alpha + T, s, beta + T; c and d stay those of
 * newcomers. Hence known customers have seven parameters, and a newcomer is the special case in
 * which c and d are the means of the same gamma distributions.
 *
 * Sarmanov (1966), Generalized normal correlation and two-dimensional Frechet classes; Park
 * & Fader (2004), Modeling browsing behavior at multiple websites, Marketing Science 23(3),
 * who use it on rates.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "math/linalg.h"
#include "math/special.h"
#include "families/clocks.h"
#include "families/lifetime.h"
#include "families/pareto_lifetime.h"
#include "families/registry.h"
#include "families/simulate.h"

enum
{
	R,
	ALPHA,
	S,
	BETA,
	M,
	LN_C, /* of known customers, from here on */
	LN_D,
	KNOWN
};

/* The parameter i of a lifetime. */
#define OF(lifetime, i) ((lifetime)->param[(i) -S])

/* ln E[e^-rate] of Gamma(shape, rate) */
static double
LnMean(double shape, double rate)
{
	return -shape * log1p(1 / rate);
}

/* E[e^-rate] - e^ln_c */
static double
Beyond(double shape, double rate, double ln_c)
{
	return clv_exp_less(LnMean(shape, rate), ln_c);
}

/* Sets known to the parameters of a newcomer as a known customer, and returns it. */
static const double *
Known(const double *param, double *known)
{
	memcpy(known, param, (M + 1) * sizeof(double));
	known[LN_C] = LnMean(param[R], param[ALPHA]);
	known[LN_D] = LnMean(param[S], param[BETA]);
	return known;
}

/* ---- the lifetime distribution ---- */

/* Sarmanov's factor of known customers who are alive at z, or die there. */
static ClvSarmanov
Sarmanov(const ClvLifetime *lifetime, double z, bool dying)
{
	double shape = OF(lifetime, S) + dying;

	return (ClvSarmanov){OF(lifetime, M) *
							 Beyond(shape, OF(lifetime, BETA) + z, OF(lifetime, LN_D)),
						 OF(lifetime, LN_C)};
}

static const ClvLaw known_law = {
	.family = &clv_paretonbd_cor_known,
	.nparams = KNOWN - S,
	.age = clv_pareto_age,
	.cum_hazard = clv_pareto_cum_hazard,
	.hazard = clv_pareto_hazard,
	.stride = clv_pareto_stride,
	.sarmanov = Sarmanov,
};

/* ---- known customers ---- */

/* P(n purchases in (0,t]). */
static double
KnownProbability(const double *known, double n, double t)
{
	return clv_lifetime_probability(&known_law, known, n, t);
}

/* P(0) .. P(count - 1) purchases in (0,t]. */
static void
KnownProbabilities(const double *known, double t, int count, double *p)
{
	clv_lifetime_probabilities(&known_law, known, t, count, p);
}

/* E[N (N - 1)] of the purchases N in (0,t]. */
static double
KnownPairs(const double *known, double t)
{
	return clv_lifetime_pairs(&known_law, known, t);
}

/* P(alive at t). */
static double
KnownSurvival(const double *known, double t)
{
	return clv_lifetime_survival(&known_law, known, t);
}

/* Discounted expected purchases in (0,t], as at the top of this file. */
static double
KnownDiscounted(const double *known, double delta, double t)
{
	double later[] = {known[R], known[ALPHA], known[S], known[BETA] + 1};
	double ln_mean = LnMean(known[S], known[BETA]);
	double now = 1 + known[M] * Beyond(known[R], known[ALPHA], known[LN_C]) *
						 Beyond(known[S], known[BETA], known[LN_D]);
	double k = known[M] * Beyond(known[R] + 1, known[ALPHA], known[LN_C]);
	double alone = clv_paretonbd.discounted(known, delta, t);
	double total;

	if (isinf(alone))
		return INFINITY;
	total = alone + k * (exp(ln_mean) * clv_paretonbd.discounted(later, delta, t) -
						 exp(known[LN_D]) * alone);
	return fmax(0, total) / fmax(DBL_EPSILON, now);
}

/* Expected purchases in (0,t]. */
static double
KnownExpected(const double *known, double t)
{
	return KnownDiscounted(known, 0, t);
}

/* The future of known customers. Users cannot choose it: it is not in the registry. */
const ClvFamily clv_paretonbd_cor_known = {
	.name = "pareto/nbd/cor, known",
	.process = CLV_TRANSACTION,
	.expected = KnownExpected,
	.probability = KnownProbability,
	.probabilities = KnownProbabilities,
	.pairs = KnownPairs,
	.discounted = KnownDiscounted,
	.survival = KnownSurvival,
	.clocked = &clv_paretonbd_cor_known_clocked,
};

/* ---- histories, and newcomers ---- */

/* The functions of newcomers are those of known customers with the parameters of Known(). */
static double
LogLikelihood(const double *param, double x, double t_x, double T)
{
	double known[KNOWN];

	return clv_lifetime_log_likelihood(&known_law, Known(param, known), x, t_x, T);
}

/* ln P(alive at T). */
static double
LnPAlive(const double *param, double x, double t_x, double T)
{
	double known[KNOWN];

	return clv_lifetime_ln_p_alive(&known_law, Known(param, known), x, t_x, T);
}

/*
 * P(alive) is computed from shared integrals only where m = 0: it is that of pareto/nbd then, to
 * the bit.
 */
static void
Leaving(const double *param, double x, const double *t, size_t n, double *p)
{
	if (param[M] == 0)
		clv_paretonbd.leaving(param, x, t, n, p);
	else
		memset(p, 0, n * sizeof(double));
}

/* P(alive at T) of pareto/nbd where m = 0; else NAN, which asks for the logarithm. */
static double
PAlive(const double *param, double x, double t_x, double T, double leaving_t_x, double leaving_T)
{
	return param[M] == 0 ? clv_paretonbd.p_alive(param, x, t_x, T, leaving_t_x, leaving_T) : NAN;
}

/* The known customer, given alive at T. */
static void
GivenAlive(const double *param, double x, double T, ClvFuture *future)
{
	double known[KNOWN];

	clv_lifetime_given_alive(&known_law, Known(param, known), x, T, future);
}

/* P(n purchases in (0,t]) of a newcomer. */
static double
Probability(const double *param, double n, double t)
{
	double known[KNOWN];

	return KnownProbability(Known(param, known), n, t);
}

/* P(0) .. P(count - 1) purchases in (0,t] of a newcomer. */
static void
Probabilities(const double *param, double t, int count, double *p)
{
	double known[KNOWN];

	KnownProbabilities(Known(param, known), t, count, p);
}

/* E[N (N - 1)] of the purchases N of a newcomer in (0,t]. */
static double
Pairs(const double *param, double t)
{
	double known[KNOWN];

	return KnownPairs(Known(param, known), t);
}

/* Discounted expected purchases of a newcomer in (0,t]. */
static double
Discounted(const double *param, double delta, double t)
{
	double known[KNOWN];

	return KnownDiscounted(Known(param, known), delta, t);
}

/* P(a newcomer is alive at t): the marginal distribution of mu is that of pareto/nbd. */
static double
Survival(const double *param, double t)
{
	return clv_paretonbd.survival(param, t);
}

/* Expected purchases of a newcomer in (0,t]. */
static double
Expected(const double *param, double t)
{
	return Discounted(param, 0, t);
}

/* ---- derivatives ---- */

/* A number, and its derivatives by the logs of a gamma's shape and rate. */
typedef struct Pair
{
	double value;
	double gradient[2];
	double hessian[3];
} Pair;

/* E[e^-rate] of Gamma(shape + events, rate + y) */
static Pair
Mean(double shape, double rate, double events, double y)
{
	double old = rate + y;
	double all = shape + events;
	double ln[] = {-shape * log1p(1 / old), all * rate / (old * (old + 1))};
	double second[] = {ln[0], ln[1] * (shape / all),
					   ln[1] * (1 - rate * (2 * old + 1) / (old * (old + 1)))};
	Pair mean = {.value = exp(LnMean(all, old))};

	for (int i = 0; i < 2; i++)
	{
		mean.gradient[i] = mean.value * ln[i];
		for (int j = 0; j <= i; j++)
			mean.hessian[CLV_AT(i, j)] = mean.value * (second[CLV_AT(i, j)] + ln[i] * ln[j]);
	}
	return mean;
}

/* a - b, with the value given by the caller, who has it without cancellation. */
static Pair
Less(const Pair *a, const Pair *b, double value)
{
	Pair less = {.value = value};

	for (int i = 0; i < 2; i++)
		less.gradient[i] = a->gradient[i] - b->gradient[i];
	for (int i = 0; i < 3; i++)
		less.hessian[i] = a->hessian[i] - b->hessian[i];
	return less;
}

/* Sets *term to ln (1 + m a b), where a depends on r and alpha, b on s and beta. */
static void
LnBracket(double m, const Pair *a, const Pair *b, ClvTerm *term)
{
	double bracket = fmax(0, 1 + m * a->value * b->value);
	double slope = clv_slope(CLV_ASINH, m);
	double first[M + 1];
	double *second = term->hessian;

	term->ln = log(bracket);
	for (int i = 0; i < 2; i++)
	{
		first[R + i] = m * a->gradient[i] * b->value;
		first[S + i] = m * a->value * b->gradient[i];
		for (int j = 0; j < 2; j++)
			second[CLV_AT(S + i, R + j)] = m * a->gradient[j] * b->gradient[i];
		for (int j = 0; j <= i; j++)
		{
			second[CLV_AT(R + i, R + j)] = m * a->hessian[CLV_AT(i, j)] * b->value;
			second[CLV_AT(S + i, S + j)] = m * a->value * b->hessian[CLV_AT(i, j)];
		}
		second[CLV_AT(M, R + i)] = slope * a->gradient[i] * b->value;
		second[CLV_AT(M, S + i)] = slope * a->value * b->gradient[i];
	}
	first[M] = slope * a->value * b->value;
	second[CLV_AT(M, M)] = m * a->value * b->value;
	for (int i = R; i <= M; i++)
	{
		term->gradient[i] = first[i] / bracket;
		for (int j = R; j <= i; j++)
			second[CLV_AT(i, j)] =
				second[CLV_AT(i, j)] / bracket - term->gradient[i] * term->gradient[j];
	}
}

/* sarmanov_term of ClvLaw: ln of the mean factor with its derivatives. */
static void
SarmanovTerm(const double *param, double purchases, double y, bool dying, ClvTerm *term)
{
	double r = param[R];
	double s = param[S];
	Pair c = Mean(r, param[ALPHA], 0, 0);
	Pair d = Mean(s, param[BETA], 0, 0);
	Pair e_lambda = Mean(r, param[ALPHA], purchases, y);
	Pair e_mu = Mean(s, param[BETA], dying, y);
	Pair a = Less(&e_lambda, &c, Beyond(r + purchases, param[ALPHA] + y, LnMean(r, param[ALPHA])));
	Pair b = Less(&e_mu, &d, Beyond(s + dying, param[BETA] + y, LnMean(s, param[BETA])));

	LnBracket(param[M], &a, &b, term);
}

/* The bracket where e^-lambda and e^-mu are as small or as large as they can be. */
static void
Corner(const double *param, double e_lambda, double e_mu, ClvTerm *term)
{
	const Pair fixed[] = {{.value = e_lambda}, {.value = e_mu}};
	Pair c = Mean(param[R], param[ALPHA], 0, 0);
	Pair d = Mean(param[S], param[BETA], 0, 0);
	double to_c = e_lambda == 0 ? -c.value : -expm1(LnMean(param[R], param[ALPHA]));
	double to_d = e_mu == 0 ? -d.value : -expm1(LnMean(param[S], param[BETA]));
	Pair a = Less(&fixed[0], &c, to_c);
	Pair b = Less(&fixed[1], &d, to_d);

	LnBracket(param[M], &a, &b, term);
}

/*
 * The sum of the logs of the bracket at its four extremes, with derivatives: -INFINITY outside
 * the limits.
 */
static void
LogBarrier(const double *param, ClvTerm *barrier)
{
	memset(barrier, 0, sizeof(*barrier));
	for (int corner = 0; corner < 4; corner++)
	{
		ClvTerm term;

		Corner(param, corner & 1, corner >> 1, &term);
		barrier->ln += term.ln;
		for (int i = 0; i <= M; i++)
			barrier->gradient[i] += term.gradient[i];
		for (int i = 0; i < CLV_TRIANGLE(M + 1); i++)
			barrier->hessian[i] += term.hessian[i];
	}
}

/* The limits of m, as at the top of this file. */
static void
Limits(const double *param, double *low, double *high)
{
	double ln_c = LnMean(param[R], param[ALPHA]);
	double ln_d = LnMean(param[S], param[BETA]);
	double c = exp(ln_c);
	double d = exp(ln_d);

	*low = -1 / fmax(c * d, expm1(ln_c) * expm1(ln_d));
	*high = -1 / fmin(c * expm1(ln_d), expm1(ln_c) * d);
}

/*
 * The Hessian of the correlation, from its value, that of m = 1, and the gradient of the logarithm
 * of the latter by the logarithms of the other parameters.
 */
static void
CorrelationHessian(const double *param, double value, double scale, const double *ln_gradient,
				   double *hessian)
{
	static const int shapes[] = {R, S};

	for (int i = R; i <= BETA; i++)
	{
		for (int j = R; j <= i; j++)
			hessian[CLV_AT(i, j)] = value * ln_gradient[i] * ln_gradient[j];
		hessian[CLV_AT(M, i)] = clv_slope(CLV_ASINH, param[M]) * scale * ln_gradient[i];
	}
	hessian[CLV_AT(M, M)] = value;
	for (int k = 0; k < 2; k++)
	{
		int shape = shapes[k];
		int rate = shape + 1;
		double more = 1 + param[rate];

		hessian[CLV_AT(shape, shape)] += value * LnMean(param[shape], param[rate]);
		hessian[CLV_AT(rate, shape)] += value * param[shape] / more;
		hessian[CLV_AT(rate, rate)] -= value * param[rate] * (1 + param[shape]) / (more * more);
	}
}

/* The correlation of lambda and mu, and its derivatives by the transformed parameters. */
static double
Correlation(const double *param, double *gradient, double *hessian)
{
	double alpha = param[ALPHA];
	double beta = param[BETA];
	double ln_c = LnMean(param[R], alpha);
	double ln_d = LnMean(param[S], beta);
	double scale = exp(ln_c + ln_d) * sqrt(param[R] * param[S]) / ((1 + alpha) * (1 + beta));

	/* of its logarithm by the logarithms, then of itself */
	gradient[R] = 0.5 + ln_c;
	gradient[ALPHA] = (param[R] - alpha) / (1 + alpha);
	gradient[S] = 0.5 + ln_d;
	gradient[BETA] = (param[S] - beta) / (1 + beta);
	if (hessian != NULL)
		CorrelationHessian(param, param[M] * scale, scale, gradient, hessian);
	for (int i = R; i <= BETA; i++)
		gradient[i] *= param[M] * scale;
	gradient[M] = clv_slope(CLV_ASINH, param[M]) * scale;
	return param[M] * scale;
}

/* ---- the fit ---- */

/*
 * Start values: those of pareto/nbd; the first of them also with correlated rates, of either
 * sign.
 */
static bool
Start(const ClvMoments *moments, int which, double *param)
{
	double low;
	double high;
	int independent = 0;

	while (clv_paretonbd.start(moments, independent, param) && independent < which)
		independent++;
	param[M] = 0;
	if (independent == which)
		return true;
	if (which > independent + 1)
		return false;
	clv_paretonbd.start(moments, 0, param);
	Limits(param, &low, &high);
	param[M] = (which == independent ? low : high) / 2;
	return true;
}

/* The point of pareto/nbd: m = 0. */
static void
Embed(const ClvMoments *moments, const double *contained, double off, double *param)
{
	(void) moments;
	(void) off;
	memcpy(param, contained, M * sizeof(double));
	param[M] = 0;
}

/* The derivatives of the Pareto distribution, which do not depend on m. */
static void
Jet(const ClvLifetime *lifetime, double y, double cum_hazard, bool dying, ClvLifetimeJet *jet)
{
	memset(jet, 0, sizeof(*jet));
	clv_pareto_jet(lifetime, y, cum_hazard, dying, jet);
}

/* ---- simulation ---- */

/*
 * Draws mu of the density g(mu) (1 - e^-mu) / (1 - d). As 1 - e^-mu is the integral of mu e^(-mu v)
 * over v from 0 to 1, mu is Gamma(s + 1, beta + v), with v of a density as (beta + v)^-(s + 1).
 */
static double
DrawLarge(const double *param, double ln_d, ClvRandom *random)
{
	double w = clv_random_uniform(random) * -clv_same_expm1(ln_d);
	double rate = param[BETA] * clv_same_exp(clv_same_log1p(w / (1 - w)) / param[S]);

	return clv_random_gamma(random, param[S] + 1) / rate;
}

/*
 * Draws a customer: lambda is gamma distributed, and given it, with h = m (e^-lambda - c), the
 * density g [1 + h (e^-mu - d)] of mu is a mixture: for h > 0 of g and, with probability h d, of
 * Gamma(s, beta + 1), else of g and, with probability -h (1 - d), of that of DrawLarge().
 */
static void
Draw(const double *param, ClvRandom *random, ClvTraits *traits)
{
	double ln_c = -param[R] * clv_same_log1p(1 / param[ALPHA]);
	double ln_d = -param[S] * clv_same_log1p(1 / param[BETA]);
	double choice;
	double h;

	*traits = (ClvTraits){.leaves = CLV_LEAVES_IN_TIME, .stages = 1};
	traits->buying = clv_random_gamma(random, param[R]) / param[ALPHA];
	h = param[M] * clv_same_exp(ln_c) * clv_same_expm1(-traits->buying - ln_c);
	choice = clv_random_uniform(random);
	if (h > 0 && choice < h * clv_same_exp(ln_d))
		traits->leaving = clv_random_gamma(random, param[S]) / (param[BETA] + 1);
	else if (h < 0 && choice < h * clv_same_expm1(ln_d))
		traits->leaving = DrawLarge(param, ln_d, random);
	else
		traits->leaving = clv_random_gamma(random, param[S]) / param[BETA];
}

static const ClvLaw fit_law = {
	.family = &clv_paretonbd_cor,
	.nparams = M + 1 - S,
	.age = clv_pareto_age,
	.cum_hazard = clv_pareto_cum_hazard,
	.hazard = clv_pareto_hazard,
	.stride = clv_pareto_stride,
	.power = clv_pareto_power,
	.jet = Jet,
	.sarmanov_term = SarmanovTerm,
};

CLV_LIFETIME_FIT_FORWARDERS(&fit_law)

const ClvFamily clv_paretonbd_cor = {
	.name = "pareto/nbd/cor",
	.process = CLV_TRANSACTION,
	.nparams = 5,
	.param_names = {"r", "alpha", "s", "beta", "m"},
	.is_scale = {false, true, false, true, true},
	.transform = {CLV_LOG, CLV_LOG, CLV_LOG, CLV_LOG, CLV_ASINH},
	.core = "pareto/nbd",
	.embed = Embed,
	.on_request = true,
	.limits = Limits,
	.log_barrier = LogBarrier,
	.derived_name = "correlation",
	.derived = Correlation,
	.unit_free = {{"ln_r", CLV_LN_PRODUCT, {1, 0, 0, 0, 0}, false},
				  {"ln_rate", CLV_LN_PRODUCT, {1, -1, 0, 0, 0}, true},
				  {"ln_s", CLV_LN_PRODUCT, {0, 0, 1, 0, 0}, false},
				  {"ln_churn_rate", CLV_LN_PRODUCT, {0, 0, 1, -1, 0}, true},
				  {"correlation", CLV_DERIVED, {0}, false}},
	.start = Start,
	.draw = Draw,
	.log_likelihood = LogLikelihood,
	.ln_p_alive = LnPAlive,
	.leaving = Leaving,
	.p_alive = PAlive,
	.given_alive = GivenAlive,
	.expected = Expected,
	.probability = Probability,
	.probabilities = Probabilities,
	.pairs = Pairs,
	.discounted = Discounted,
	.survival = Survival,
	.ln_common = clv_lifetime_term_common,
	.departed = Departed,
	.alive = Alive,
	.cell = Cell,
	.clocked = &clv_paretonbd_cor_clocked,
};
