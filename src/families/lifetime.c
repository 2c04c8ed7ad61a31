/*
 * lifetime.c
 *		Buy-till-you-die models whose lifetimes do not depend on purchases: the mathematics
 *		of pareto/nbd and ggompertz/nbd.
 *
 * While alive a customer buys at random at a rate lambda; lambda varies over customers as a
 * gamma distribution with shape r and rate alpha. S(u) is the probability of being alive at u,
 * f = -S' the density of the lifetime; the families differ in these alone. With R = r + x,
 *
 *	L = (r)_x alpha^r [ (alpha+T)^-R S(T) + int_tx^T (alpha+u)^-R f(u) du ]
 *
 * One integral without a difference
 * ---------------------------------
 * The literature takes the integral from differences of hypergeometric functions, which cancel,
 * overflow, and change their form where alpha = beta. Here it stays an integral of a positive
 * function. Counted from t_x,
 *
 *	death = int_0^{T-tx} h(z) e^-drop(z) dz
 *
 * is the probability of dying before T and before the next purchase, and e^-drop(T-tx) the
 * probability of neither; so P(alive) = 1 / (1 + death e^drop), exact also where T is next to
 * t_x or drop in the thousands.
 *
 * The integral from t_x to T is also a difference of two integrals to infinity: with D(u) the
 * probability that a customer alive at u leaves before the next purchase,
 *
 *	death = D(t_x) - e^-drop D(T),   1 / P(alive) = 1 - D(T) + e^drop D(t_x)
 *
 * in which each D depends on x and one day only, so that customers share them. 1 / P(alive) is
 * at least 1, so that the cancellation in the difference does not affect it.
 *
 * Panels
 * ------
 * The integrands are smooth on the right and singular to the left of the current point (1 +
 * z/age at z = -age). The larger age is, the farther away the singularity is: the panels of a
 * Gauss-Legendre rule may grow geometrically, and a few of them cover any span of time.
 * clv_next_panel() also bounds how far the integrand falls within a panel, and takes fewer
 * nodes where a panel is short.
 */
#include "families/lifetime.h"

#include <float.h>
#include <math.h>

#include "math/poll.h"
#include "math/special.h"

/* Within a panel the integrand may fall to e^-MOST_DROP of its value at the left end. */
#define MOST_DROP 12.0

/*
 * Integration stops where the integrand has fallen by e^-COMPLETE_DROP and a panel adds less than
 * the part NEGLIGIBLE.
 */
#define COMPLETE_DROP 38.0
#define NEGLIGIBLE 1e-18

/* ---- panels ---- */

double
clv_decay_drop(const ClvDecay *decay, double z)
{
	double drop = decay->law->cum_hazard(&decay->lifetime, z);

	if (decay->R > 0)
		drop += decay->R * log1p(z / decay->age);
	if (decay->delta > 0)
		drop += decay->delta * z;
	return drop;
}

void
clv_next_panel(const ClvDecay *decay, double end, ClvPanel *panel)
{
	const ClvLaw *law = decay->law;
	double z = panel->to;
	double rate = law->hazard(&decay->lifetime, z) + decay->delta;
	double stride = law->stride(&decay->lifetime, z);
	double width;
	double drop;

	if (decay->R > 0)
	{
		rate += decay->R / (decay->age + z);
		stride = fmin(stride, CLV_STRIDE * (decay->age + z));
	}
	width = fmin(fmin(stride, end - z), MOST_DROP / rate);
	for (int i = 0;; i++)
	{
		panel->to = width < end - z ? z + width : end;
		drop = clv_decay_drop(decay, panel->to) - panel->drop;
		if (!(drop > 1.25 * MOST_DROP) || i == 20)
			break;
		width *= fmax(0.1, MOST_DROP / drop); /* hazards may rise */
	}
	panel->from = z;
	panel->drop += drop;
	if (width < stride / 40 && drop < 0.2)
		panel->rule = &clv_gauss_4;
	else if (width < stride / 4 && drop < 2.5)
		panel->rule = &clv_gauss_8;
	else
		panel->rule = &clv_gauss_16;
}

/*
 * The mean of Sarmanov's factor over customers with a rate ~ Gamma(shape, rate); see ClvSarmanov.
 */
static double
Factor(const ClvSarmanov *sarmanov, double shape, double rate)
{
	double c = clv_exp_less(-shape * log1p(1 / rate), sarmanov->ln_c);

	return fmax(0, 1 + sarmanov->pull * c);
}

/* The same at z; 1 where lifetime and purchases are independent. */
static double
FactorAt(const ClvLaw *law, const ClvLifetime *lifetime, double z, bool dying, double shape,
		 double rate)
{
	ClvSarmanov sarmanov;

	if (law->sarmanov == NULL)
		return 1;
	sarmanov = law->sarmanov(lifetime, z, dying);
	return Factor(&sarmanov, shape, rate);
}

/* A factor of the integrand at z; arg holds the caller's numbers. */
typedef double (*Weight)(const ClvDecay *decay, const double *arg, double z);

/* The density of dying at z, for customers whose last purchase was at the start of the decay. */
static double
DyingWeight(const ClvDecay *decay, const double *arg, double z)
{
	(void) arg;
	return decay->law->hazard(&decay->lifetime, z) *
		   FactorAt(decay->law, &decay->lifetime, z, true, decay->R, decay->age + z);
}

/* int_0^end of e^-drop dz, times the weight unless that is NULL; end may be INFINITY. */
static double
Total(const ClvDecay *decay, double end, Weight weight, const double *arg)
{
	ClvPanel panel = {0};
	double total = 0;

	for (int i = 0; panel.to < end && i < CLV_MOST_PANELS; i++)
	{
		ClvGaussNode nodes[CLV_GAUSS_MOST];
		double sum = 0;
		int n;

		clv_next_panel(decay, end, &panel);
		n = clv_gauss_nodes(panel.rule, panel.from, panel.to, nodes);
		for (int k = 0; k < n; k++)
		{
			double value = nodes[k].weight * exp(-clv_decay_drop(decay, nodes[k].at));

			sum += weight == NULL ? value : value * weight(decay, arg, nodes[k].at);
		}
		clv_poll(&clv_family_poll, 4 * (size_t) n);
		total += sum;
		if (panel.drop > COMPLETE_DROP && sum < NEGLIGIBLE * total)
			break;
	}
	return total;
}

double
clv_lifetime_dying(const ClvDecay *decay, double length)
{
	if (decay->law->dying_soon != NULL)
	{
		double soon = decay->law->dying_soon(&decay->lifetime, decay->R, decay->age, length);

		if (!isnan(soon))
			return soon;
	}
	return Total(decay, length, DyingWeight, NULL);
}

double
clv_lifetime_discounted(const ClvLaw *law, const ClvLifetime *lifetime, double delta, double t)
{
	ClvDecay decay = {law, *lifetime, 0, 1, delta};

	return Total(&decay, t, NULL, NULL);
}

/* ---- histories ---- */

/* The lifetime distribution of a newcomer, from the parameters of the family. */
static ClvLifetime
Newcomer(const ClvLaw *law, const double *param)
{
	ClvLifetime lifetime = {{0}};

	for (int i = 0; i < law->nparams; i++)
		lifetime.param[i] = param[2 + i];
	return lifetime;
}

/* The mean of Sarmanov's factor at time 0: 1 except for customers with a history. */
static double
FactorNow(const ClvLaw *law, const ClvLifetime *newcomer, const double *param)
{
	return fmax(DBL_EPSILON, FactorAt(law, newcomer, 0, false, param[0], param[1]));
}

/* The two possible outcomes since the last purchase, without one. */
typedef struct Inactivity
{
	double ln_alive; /* ln P(alive, and no purchase) */
	double ln_dead;  /* ln P(died before another purchase) */
} Inactivity;

/* The logarithms of both outcomes between t_x and T. */
static Inactivity
SinceLast(const ClvLaw *law, const ClvLifetime *newcomer, const double *param, double x, double t_x,
		  double T)
{
	ClvDecay decay = {law, *newcomer, param[0] + x, param[1] + t_x, 0};
	Inactivity inactivity;

	law->age(newcomer, t_x, &decay.lifetime);
	inactivity.ln_alive =
		-clv_decay_drop(&decay, T - t_x) +
		log(FactorAt(law, &decay.lifetime, T - t_x, false, decay.R, param[1] + T));
	inactivity.ln_dead = log(clv_lifetime_dying(&decay, T - t_x));
	return inactivity;
}

double
clv_lifetime_ln_p_alive(const ClvLaw *law, const double *param, double x, double t_x, double T)
{
	ClvLifetime newcomer = Newcomer(law, param);
	Inactivity inactivity = SinceLast(law, &newcomer, param, x, t_x, T);

	return -clv_log1pexp(inactivity.ln_dead - inactivity.ln_alive);
}

/*
 * Evaluated from the last time to the first: what lies beyond the next time is multiplied by the
 * probability of neither dying nor buying until then.
 */
void
clv_lifetime_leaving(const ClvLaw *law, const double *param, double x, const double *t, size_t n,
					 double *p)
{
	ClvLifetime newcomer = Newcomer(law, param);

	for (size_t i = n; i-- > 0;)
	{
		ClvDecay decay = {law, newcomer, param[0] + x, param[1] + t[i], 0};
		double width = i + 1 < n ? t[i + 1] - t[i] : INFINITY;

		law->age(&newcomer, t[i], &decay.lifetime);
		p[i] = Total(&decay, width, DyingWeight, NULL);
		if (i + 1 < n)
			p[i] += exp(-clv_decay_drop(&decay, width)) * p[i + 1];
	}
}

/* Beyond this e^drop is near the largest double. */
#define LARGE_DROP 600.0

double
clv_lifetime_p_alive(const ClvLaw *law, const double *param, double x, double t_x, double T,
					 double leaving_t_x, double leaving_T)
{
	ClvLifetime newcomer = Newcomer(law, param);
	ClvDecay decay = {law, newcomer, param[0] + x, param[1] + t_x, 0};
	double drop;

	law->age(&newcomer, t_x, &decay.lifetime);
	drop = clv_decay_drop(&decay, T - t_x);
	if (!(drop < LARGE_DROP))
		return NAN;
	return 1 / fmax(1, 1 - leaving_T + exp(drop) * leaving_t_x);
}

double
clv_lifetime_log_likelihood(const ClvLaw *law, const double *param, double x, double t_x, double T)
{
	ClvLifetime newcomer = Newcomer(law, param);
	Inactivity inactivity = SinceLast(law, &newcomer, param, x, t_x, T);

	return clv_log_rising(param[0], x) - x * log(param[1] + t_x) -
		   param[0] * log1p(t_x / param[1]) - law->cum_hazard(&newcomer, t_x) +
		   clv_log_add(inactivity.ln_dead, inactivity.ln_alive);
}

void
clv_lifetime_given_alive(const ClvLaw *law, const double *param, double x, double T,
						 ClvFuture *future)
{
	ClvLifetime newcomer = Newcomer(law, param);
	ClvLifetime left;

	law->age(&newcomer, T, &left);
	future->family = law->family;
	future->param[0] = param[0] + x;
	future->param[1] = param[1] + T;
	for (int i = 0; i < law->nparams; i++)
		future->param[2 + i] = left.param[i];
}

double
clv_lifetime_survival(const ClvLaw *law, const double *param, double t)
{
	ClvLifetime newcomer = Newcomer(law, param);

	return exp(-law->cum_hazard(&newcomer, t)) *
		   FactorAt(law, &newcomer, t, false, param[0], param[1]) /
		   FactorNow(law, &newcomer, param);
}

/* ---- pairs of purchases ---- */

/*
 * The weight of pairs, for customers with two more purchases who are alive at z; arg = the shape
 * and rate of their purchase rates.
 */
static double
PairsWeight(const ClvDecay *decay, const double *arg, double z)
{
	return 2 * z * FactorAt(decay->law, &decay->lifetime, z, false, arg[0], arg[1]);
}

/*
 * A customer with lifetime u makes a Poisson number of purchases: E[N (N - 1)] = E[lambda^2]
 * E[u^2], u being the lifetime or t, whichever is shorter, and E[u^2] = int_0^t 2 z S(z) dz.
 */
double
clv_lifetime_pairs(const ClvLaw *law, const double *param, double t)
{
	ClvLifetime newcomer = Newcomer(law, param);
	ClvDecay decay = {law, newcomer, 0, 1, 0};
	double arg[] = {param[0] + 2, param[1]};

	return param[0] / param[1] * ((param[0] + 1) / param[1]) * Total(&decay, t, PairsWeight, arg) /
		   FactorNow(law, &newcomer, param);
}

/* ---- how many purchases ---- */

/*
 * The n purchases came in all of (0,t], or in the time u until death within (0,t]. Given u, their
 * number is negative binomial: P(n | u) is, up to a constant, the n-th power of u / (alpha + u)
 * times the r-th of 1 / (alpha + u).
 */
typedef struct Count
{
	const ClvLaw *law;
	ClvLifetime lifetime;
	double r;
	double alpha;
	double n;
	double t;
} Count;

double
clv_ln_negative_binomial(double r, double alpha, double n, double t)
{
	double sum = alpha + t;

	if (n == 0)
		return -r * log1p(t / alpha);
	return clv_ln_beta_kernel(n, r, t / sum, alpha / sum) - log(n);
}

/*
 * ln of P(n | u) S(u) at one time, relative to another. In u / (alpha + u), the n-th power of
 * which P(n | u) has, the two are near each other, so that nothing cancels, however large n is.
 */
static double
LnIntegrandRatio(const Count *count, double u, double from)
{
	double distance = u - from;
	double ln = count->law->cum_hazard(&count->lifetime, from) -
				count->law->cum_hazard(&count->lifetime, u) -
				count->r * log1p(distance / (count->alpha + from));

	return count->n == 0
			   ? ln
			   : ln + count->n * log1p(distance / from * (count->alpha / (count->alpha + u)));
}

/*
 * Within a panel the logarithm of the integrand may change by this much: then no peak is narrower
 * than the panel.
 */
#define MOST_CHANGE 3.0

/* How much the logarithm of the integrand changes between u and end. */
static double
Change(const Count *count, double u, double end)
{
	double middle;
	double ln_end;

	if (u == 0) /* a low power of u is a polynomial: only the other factors count */
		return (count->n + count->r) * log1p(end / count->alpha) +
			   count->law->cum_hazard(&count->lifetime, end);
	middle = LnIntegrandRatio(count, u + (end - u) / 2, u);
	ln_end = LnIntegrandRatio(count, end, u);
	return fmax(fmax(fabs(middle), fabs(ln_end)), fabs(ln_end - middle));
}

/* The width of a panel for a base raised to this power, as a multiple of the base. */
static double
PowerStride(double power)
{
	return fmin(CLV_STRIDE, fmax(0.4, 8 / power));
}

/* The end of the panel that begins at u. */
static double
CountPanelEnd(const Count *count, double u)
{
	double width = fmin(count->law->stride(&count->lifetime, u), count->t - u);
	double end;

	width = fmin(width, PowerStride(count->n + count->r) * (count->alpha + u));
	if (u > 0)
		width = fmin(width, PowerStride(count->n) * u);
	for (int i = 0; i < 40; i++)
	{
		double change;

		end = width < count->t - u ? u + width : count->t;
		change = Change(count, u, end);
		if (!(change > MOST_CHANGE))
			break;
		width *= fmax(0.1, 0.8 * MOST_CHANGE / change);
	}
	return end;
}

/* Powers up to this are polynomials to 16 nodes: the first panel may begin at 0. */
#define LOW_POWER 8

/* Values below e^-COUNTED of the largest are not integrated. */
#define COUNTED 60.0

/* The interval where the integrand counts begins at from; its maximum is at peak. */
typedef struct Span
{
	double from;
	double peak;
} Span;

/*
 * Whether P(n | u) S(u) increases at u: the sign of u (alpha + u) times the slope of its
 * logarithm, n alpha - r u - u (alpha + u) h(u). That decreases with u, as u (alpha + u) h(u)
 * increases for either distribution: there is one maximum.
 */
static bool
Increases(const Count *count, double u)
{
	return count->n > u / count->alpha * count->r +
						  u * (1 + u / count->alpha) * count->law->hazard(&count->lifetime, u);
}

/* Octaves below t that are searched for the maximum, and halvings of one of them. */
#define MOST_OCTAVES 2200
#define HALVINGS 40

/*
 * Where the integrand counts, and its maximum: it increases, as a power of u, to its only
 * maximum, and decreases after it. A maximum below any double is at 0.
 */
static Span
CountSpan(const Count *count)
{
	double low = count->t;
	double high = count->t;
	Span span = {0, 0};

	if (count->n == 0)
		return span;
	for (int i = 0; i < MOST_OCTAVES && !Increases(count, low); i++)
	{
		high = low;
		low /= 2;
	}
	/* to a fraction of the width of the maximum */
	for (int i = 0; i < HALVINGS && high - low > 0.1 * low / sqrt(count->n); i++)
	{
		double middle = low + (high - low) / 2;

		*(Increases(count, middle) ? &low : &high) = middle;
	}
	span.peak = low;
	if (count->n <= LOW_POWER || span.peak == 0)
		return span;

	/* the left end, between an octave that counts and the next, which does not */
	for (low = high = span.peak; LnIntegrandRatio(count, low, span.peak) > -COUNTED; low /= 2)
		high = low;
	for (int i = 0; i < HALVINGS && LnIntegrandRatio(count, low, span.peak) < -2 * COUNTED; i++)
	{
		double middle = low + (high - low) / 2;

		*(LnIntegrandRatio(count, middle, span.peak) < -COUNTED ? &low : &high) = middle;
	}
	span.from = low;
	return span;
}

/*
 * The mean of Sarmanov's factor for customers with n purchases until u who are alive at u, or die
 * there.
 */
static double
CountFactor(const Count *count, double u, bool dying)
{
	return FactorAt(count->law, &count->lifetime, u, dying, count->r + count->n, count->alpha + u);
}

/* int_from^to h(u) S(u) P(n | u) du, relative to P(n | peak) S(peak), by its logarithm */
static double
LnCountPanel(const Count *count, double from, double to, double peak)
{
	ClvGaussNode nodes[CLV_GAUSS_MOST];
	int n = clv_gauss_nodes(&clv_gauss_16, from, to, nodes);
	double middle = from + (to - from) / 2;
	double sum = 0;

	for (int k = 0; k < n; k++)
		sum += nodes[k].weight * count->law->hazard(&count->lifetime, nodes[k].at) *
			   CountFactor(count, nodes[k].at, true) *
			   exp(LnIntegrandRatio(count, nodes[k].at, middle));
	clv_poll(&clv_family_poll, 8 * (size_t) n);
	return LnIntegrandRatio(count, middle, peak) + log(sum);
}

double
clv_lifetime_probability(const ClvLaw *law, const double *param, double n, double t)
{
	Count count = {law, Newcomer(law, param), param[0], param[1], n, t};
	Span span;
	double total;

	if (t == 0)
		return n == 0 ? 1 : 0;
	span = CountSpan(&count);
	if (n > 0 && span.peak == 0)
		return 0;
	total = log(CountFactor(&count, t, false)) + LnIntegrandRatio(&count, t, span.peak);
	for (double u = span.from, end; u < t; u = end)
	{
		end = CountPanelEnd(&count, u);
		if (!(end > u) || (u > span.peak && LnIntegrandRatio(&count, u, span.peak) < -COUNTED))
			break;
		total = clv_log_add(total, LnCountPanel(&count, u, end, span.peak));
	}
	total += clv_ln_negative_binomial(count.r, count.alpha, n, span.peak) -
			 law->cum_hazard(&count.lifetime, span.peak) -
			 log(FactorNow(law, &count.lifetime, param));
	return exp(fmin(0, total));
}

/*
 * The probabilities of all counts by recurrence, one recurrence for each lifetime u. Each starts
 * from count 0, or from the first count whose probability is not too small for a double, and is
 * added to p[n].
 */
typedef struct Recurrences
{
	int n;
	int first[CLV_GAUSS_MOST];     /* count */
	double weight[CLV_GAUSS_MOST]; /* of P(first | u); later of P(n | u) */
	double ratio[CLV_GAUSS_MOST];  /* u / (alpha + u) */
	bool dependent;                /* the mean factor is 1 + pull (mean - c) */
	double c;
	double pull[CLV_GAUSS_MOST];
	double mean[CLV_GAUSS_MOST];       /* of e^-lambda, after n purchases */
	double mean_ratio[CLV_GAUSS_MOST]; /* of the mean, from one count to the next */
} Recurrences;

/* ln of the smallest probability that a recurrence starts from. */
#define LN_SMALLEST (-690.0)

/* ln P(n | u) S(u) */
static double
LnCounted(const Count *common, double n, double u)
{
	return clv_ln_negative_binomial(common->r, common->alpha, n, u) -
		   common->law->cum_hazard(&common->lifetime, u);
}

/*
 * The first count whose logarithm is not below LN_SMALLEST, and that logarithm in *ln; count
 * where there is none. Probabilities increase up to the mode of the negative binomial.
 */
static int
FirstCount(const Count *common, double u, int count, double *ln)
{
	double low = 0;
	double high;

	*ln = LnCounted(common, 0, u);
	if (*ln >= LN_SMALLEST)
		return 0;
	high = fmin(fmax(0, floor((common->r - 1) * (u / common->alpha))), count - 1);
	if (!(LnCounted(common, high, u) >= LN_SMALLEST))
		return count;
	while (high - low > 1)
	{
		double middle = floor((low + high) / 2);

		*(LnCounted(common, middle, u) >= LN_SMALLEST ? &high : &low) = middle;
	}
	*ln = LnCounted(common, high, u);
	return (int) high;
}

/* Adds the recurrence of customers alive at u, or dying there, with a weight of share. */
static void
AddRecurrence(Recurrences *recurrences, const Count *common, double u, bool dying, double share,
			  int count)
{
	int k = recurrences->n++;
	double rate = common->alpha + u;
	double ln;
	int first = FirstCount(common, u, count, &ln);
	ClvSarmanov sarmanov;

	recurrences->first[k] = first;
	recurrences->weight[k] = share * exp(ln);
	recurrences->ratio[k] = u / rate;
	if (!recurrences->dependent)
		return;
	sarmanov = common->law->sarmanov(&common->lifetime, u, dying);
	recurrences->c = exp(sarmanov.ln_c);
	recurrences->pull[k] = sarmanov.pull;
	recurrences->mean[k] = exp(-(common->r + first) * log1p(1 / rate));
	recurrences->mean_ratio[k] = rate / (rate + 1);
}

/* The contribution of recurrence k to the current count; moves its mean on. */
static inline double
NextTerm(Recurrences *recurrences, int k)
{
	double factor;

	if (!recurrences->dependent)
		return recurrences->weight[k];
	factor = fmax(0, 1 + recurrences->pull[k] * (recurrences->mean[k] - recurrences->c));
	recurrences->mean[k] *= recurrences->mean_ratio[k];
	return recurrences->weight[k] * factor;
}

/* Weights below this, once they decrease, add nothing. */
#define NEGLIGIBLE_WEIGHT 1e-290

/* Whether all recurrences are below it and decrease from count n on. */
static bool
AreNegligible(const Recurrences *recurrences, double r, int n)
{
	for (int k = 0; k < recurrences->n; k++)
	{
		if (recurrences->weight[k] > NEGLIGIBLE_WEIGHT ||
			(r + n) / (n + 1) * recurrences->ratio[k] >= 1)
			return false;
	}
	return true;
}

/*
 * The contribution of the recurrences to count n; each moves on to n + 1. If all is false, those
 * that start from a larger count are left out.
 */
static inline double
NextCount(Recurrences *recurrences, int n, double grow, bool all)
{
	double sum = 0;

	for (int k = 0; k < recurrences->n; k++)
	{
		if (!all && n < recurrences->first[k])
			continue;
		sum += NextTerm(recurrences, k);
		recurrences->weight[k] *= grow * recurrences->ratio[k];
	}
	return sum;
}

/* Adds to p[0] .. p[count - 1] what the recurrences contribute. */
static void
AddCounts(Recurrences *recurrences, double r, int count, double *p)
{
	int n = count;
	int all = 0; /* the largest first count */

	for (int k = 0; k < recurrences->n; k++)
	{
		n = recurrences->first[k] < n ? recurrences->first[k] : n;
		all = recurrences->first[k] > all ? recurrences->first[k] : all;
	}
	for (; n < all && n < count; n++)
	{
		p[n] += NextCount(recurrences, n, (r + n) / (n + 1), false);
		clv_poll(&clv_family_poll, 2);
	}
	for (; n < count; n++)
	{
		double sum = NextCount(recurrences, n, (r + n) / (n + 1), true);

		p[n] += sum;
		if (sum <= NEGLIGIBLE_WEIGHT && AreNegligible(recurrences, r, n))
			break;
		clv_poll(&clv_family_poll, 2);
	}
}

/*
 * The width of a panel in which the negative binomials, as functions of u, are smooth. Beyond the
 * peak of the largest count only their tails are left.
 */
static double
PeakWidth(const Count *count, double u, double most)
{
	double unit = count->alpha / count->r;
	double tail = CLV_STRIDE * (count->alpha + u);

	return u > 4 * (most + 25) * unit ? tail : fmin(tail, 4 * (sqrt(u * unit) + unit));
}

void
clv_lifetime_probabilities(const ClvLaw *law, const double *param, double t, int count, double *p)
{
	Count common = {law, Newcomer(law, param), param[0], param[1], 0, t};
	ClvDecay decay = {law, common.lifetime, 0, 1, 0};
	ClvPanel panel = {0};
	Recurrences recurrences = {.dependent = law->sarmanov != NULL};
	double now = FactorNow(law, &common.lifetime, param);

	for (int n = 0; n < count; n++)
		p[n] = 0;
	AddRecurrence(&recurrences, &common, t, false, 1 / now, count);
	AddCounts(&recurrences, param[0], count, p);
	for (int i = 0; panel.to < t && panel.drop < COMPLETE_DROP && i < 10 * CLV_MOST_PANELS; i++)
	{
		ClvGaussNode nodes[CLV_GAUSS_MOST];
		double width = PeakWidth(&common, panel.to, count);

		width = fmin(width, MOST_CHANGE / law->hazard(&common.lifetime, panel.to));
		clv_next_panel(&decay, fmin(t, panel.to + width), &panel);
		recurrences.n = 0;
		for (int k = 0, n = clv_gauss_nodes(&clv_gauss_16, panel.from, panel.to, nodes); k < n; k++)
			AddRecurrence(&recurrences, &common, nodes[k].at, true,
						  nodes[k].weight * law->hazard(&common.lifetime, nodes[k].at) / now,
						  count);
		AddCounts(&recurrences, param[0], count, p);
	}
}
