/*
 * lifetime.c
 *		Buy-till-you-die with a life of its own: the mathematics of pareto/nbd and
 *		ggompertz/nbd.
 *
 * A customer buys at random at a rate lambda, while he lives; lambda differs
 * between customers as a gamma distribution with shape r and rate alpha. S(u) is
 * the probability to be alive at u, f = -S' the density of the death; the laws
 * differ in these alone. With R = r + x,
 *
 *	L = (r)_x alpha^r [ (alpha+T)^-R S(T) + int_tx^T (alpha+u)^-R f(u) du ]
 *
 * One integral without a minus
 * ----------------------------
 * The literature takes the integral from differences of hypergeometric functions,
 * which cancel, overflow, and change their form where alpha = beta. Here it stays
 * an integral of something positive. Seen from t_x,
 *
 *	death = int_0^{T-tx} h(z) e^-drop(z) dz
 *
 * is the probability to have died before T and before the next purchase, and
 * e^-drop(T-tx) that of neither; so P(alive) = 1 / (1 + death e^drop), exact also
 * where T is next to t_x or drop in the thousands.
 *
 * The same from one's own t_x to T as from either to infinity: with D(u) the chance
 * that one who is alive at u leaves before he buys again,
 *
 *	death = D(t_x) - e^-drop D(T),   1 / P(alive) = 1 - D(T) + e^drop D(t_x)
 *
 * in which the two D belong to a day each, and not to the customer. 1 / P(alive) is
 * at least 1, so that what the difference loses is not seen in it.
 *
 * Panels
 * ------
 * The integrands are smooth on the right and singular on the left of where one
 * stands (1 + z/age at z = -age). The longer nothing has happened, the farther away
 * that is: the panels of a Gauss-Legendre rule may grow geometrically, and a few
 * of them cover any span of time. clv_next_panel() also bounds how much vanishes
 * within one, and takes fewer nodes where a panel is short.
 */
#include "families/lifetime.h"

#include <float.h>
#include <math.h>

#include "math/poll.h"
#include "math/special.h"

/* At most e^-MOST_DROP may be left within a panel of what was there. */
#define MOST_DROP 12.0

/* What has dropped by this matters no more, once panels add nothing either. */
#define DROPPED 38.0
#define NEGLIGIBLE 1e-18

/* ---- panels ---- */

double
clv_decay_drop(const ClvDecay *decay, double z)
{
	double drop = decay->law->cum_hazard(&decay->life, z);

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
	double rate = law->hazard(&decay->life, z) + decay->delta;
	double stride = law->stride(&decay->life, z);
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

/* The mean factor of those who buy at a rate ~ Gamma(shape, rate); see ClvSarmanov. */
static double
Factor(const ClvSarmanov *sarmanov, double shape, double rate)
{
	double c = exp(sarmanov->ln_c) * expm1(-shape * log1p(1 / rate) - sarmanov->ln_c);

	return fmax(0, 1 + sarmanov->pull * c);
}

/* ... at z; 1 where life has nothing to do with purchases. */
static double
FactorAt(const ClvLaw *law, const ClvLife *life, double z, bool dying, double shape, double rate)
{
	ClvSarmanov sarmanov;

	if (law->sarmanov == NULL)
		return 1;
	sarmanov = law->sarmanov(life, z, dying);
	return Factor(&sarmanov, shape, rate);
}

/* A factor of the integrand at z; arg is the caller's. */
typedef double (*Weight)(const ClvDecay *decay, const double *arg, double z);

/* Death at z, of those who bought last when the decay began */
static double
Dying(const ClvDecay *decay, const double *arg, double z)
{
	(void) arg;
	return decay->law->hazard(&decay->life, z) *
		   FactorAt(decay->law, &decay->life, z, true, decay->R, decay->age + z);
}

/* int_0^end of e^-drop, times the weight where there is one */
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
		if (panel.drop > DROPPED && sum < NEGLIGIBLE * total)
			break;
	}
	return total;
}

double
clv_life_years(const ClvLaw *law, const ClvLife *life, double delta, double t)
{
	ClvDecay decay = {law, *life, 0, 1, delta};

	return Total(&decay, t, NULL, NULL);
}

/* ---- histories ---- */

static ClvLife
Newborn(const ClvLaw *law, const double *param)
{
	ClvLife life = {{0}};

	for (int i = 0; i < law->nparams; i++)
		life.param[i] = param[2 + i];
	return life;
}

/* The mean factor of a newcomer: 1 but of those who have a history behind them. */
static double
FactorNow(const ClvLaw *law, const ClvLife *newborn, const double *param)
{
	return fmax(DBL_EPSILON, FactorAt(law, newborn, 0, false, param[0], param[1]));
}

/* What has happened since the last purchase. */
typedef struct Silence
{
	double ln_life;  /* ln P(he lives and did not buy) */
	double ln_death; /* ln P(died, and before any purchase) */
} Silence;

static Silence
SinceLast(const ClvLaw *law, const ClvLife *newborn, const double *param, double x, double t_x,
		  double T)
{
	ClvDecay decay = {law, *newborn, param[0] + x, param[1] + t_x, 0};
	Silence silence;

	law->age(newborn, t_x, &decay.life);
	silence.ln_life = -clv_decay_drop(&decay, T - t_x) +
					  log(FactorAt(law, &decay.life, T - t_x, false, decay.R, param[1] + T));
	silence.ln_death = log(Total(&decay, T - t_x, Dying, NULL));
	return silence;
}

double
clv_life_ln_p_alive(const ClvLaw *law, const double *param, double x, double t_x, double T)
{
	ClvLife newborn = Newborn(law, param);
	Silence silence = SinceLast(law, &newborn, param, x, t_x, T);

	return -clv_log1pexp(silence.ln_death - silence.ln_life);
}

/* From right to left: what comes later has to be lived for. */
void
clv_life_leaving(const ClvLaw *law, const double *param, double x, const double *t, size_t n,
				 double *p)
{
	ClvLife newborn = Newborn(law, param);

	for (size_t i = n; i-- > 0;)
	{
		ClvDecay decay = {law, newborn, param[0] + x, param[1] + t[i], 0};
		double width = i + 1 < n ? t[i + 1] - t[i] : INFINITY;

		law->age(&newborn, t[i], &decay.life);
		p[i] = Total(&decay, width, Dying, NULL);
		if (i + 1 < n)
			p[i] += exp(-clv_decay_drop(&decay, width)) * p[i + 1];
	}
}

/* Beyond this e^drop comes near the end of the doubles. */
#define LARGE_DROP 600.0

double
clv_life_p_alive(const ClvLaw *law, const double *param, double x, double t_x, double T,
				 double leaving_t_x, double leaving_T)
{
	ClvLife newborn = Newborn(law, param);
	ClvDecay decay = {law, newborn, param[0] + x, param[1] + t_x, 0};
	double drop;

	law->age(&newborn, t_x, &decay.life);
	drop = clv_decay_drop(&decay, T - t_x);
	if (!(drop < LARGE_DROP))
		return NAN;
	return 1 / fmax(1, 1 - leaving_T + exp(drop) * leaving_t_x);
}

double
clv_life_log_likelihood(const ClvLaw *law, const double *param, double x, double t_x, double T)
{
	ClvLife newborn = Newborn(law, param);
	Silence silence = SinceLast(law, &newborn, param, x, t_x, T);

	return clv_log_rising(param[0], x) - x * log(param[1] + t_x) -
		   param[0] * log1p(t_x / param[1]) - law->cum_hazard(&newborn, t_x) +
		   clv_log_add(silence.ln_death, silence.ln_life);
}

void
clv_life_given_alive(const ClvLaw *law, const double *param, double x, double T, ClvFuture *future)
{
	ClvLife newborn = Newborn(law, param);
	ClvLife left;

	law->age(&newborn, T, &left);
	future->family = law->family;
	future->param[0] = param[0] + x;
	future->param[1] = param[1] + T;
	for (int i = 0; i < law->nparams; i++)
		future->param[2 + i] = left.param[i];
}

double
clv_life_survival(const ClvLaw *law, const double *param, double t)
{
	ClvLife newborn = Newborn(law, param);

	return exp(-law->cum_hazard(&newborn, t)) * FactorAt(law, &newborn, t, false, param[0], param[1]) /
		   FactorNow(law, &newborn, param);
}

/* ---- pairs of purchases ---- */

/* Of those two purchases ahead, alive at z; arg = the shape and rate that these leave */
static double
Alive(const ClvDecay *decay, const double *arg, double z)
{
	return 2 * z * FactorAt(decay->law, &decay->life, z, false, arg[0], arg[1]);
}

/*
 * Who lives for u makes a Poisson number of purchases: E[N (N - 1)] = E[lambda^2] E[u^2],
 * u being the life or t, and E[u^2] = int_0^t 2 z S(z) dz.
 */
double
clv_life_pairs(const ClvLaw *law, const double *param, double t)
{
	ClvLife newborn = Newborn(law, param);
	ClvDecay decay = {law, newborn, 0, 1, 0};
	double arg[] = {param[0] + 2, param[1]};

	return param[0] / param[1] * ((param[0] + 1) / param[1]) * Total(&decay, t, Alive, arg) /
		   FactorNow(law, &newborn, param);
}

/* ---- how many purchases ---- */

/*
 * The n purchases came in all of (0,t], or in the time u until the death in (0,t].
 * Given u, their number is negative binomial: P(n | u) is, but for a constant, the n-th
 * power of u / (alpha + u) times the r-th of 1 / (alpha + u).
 */
typedef struct Count
{
	const ClvLaw *law;
	ClvLife life;
	double r;
	double alpha;
	double n;
	double t;
} Count;

/* ln P(n | t) of the negative binomial */
static double
LnNegativeBinomial(const Count *count, double t)
{
	double sum = count->alpha + t;

	if (count->n == 0)
		return -count->r * log1p(t / count->alpha);
	return clv_ln_beta_kernel(count->n, count->r, t / sum, count->alpha / sum) - log(count->n);
}

/*
 * ln of what P(n | u) S(u) is at one time, relative to another. In u / (alpha + u), the n-th
 * power of which P(n | u) has, the two are near each other: so that nothing cancels, however
 * large n is.
 */
static double
LnLived(const Count *count, double u, double from)
{
	double way = u - from;
	double ln = count->law->cum_hazard(&count->life, from) - count->law->cum_hazard(&count->life, u) -
				count->r * log1p(way / (count->alpha + from));

	return count->n == 0 ? ln
						 : ln + count->n * log1p(way / from * (count->alpha / (count->alpha + u)));
}

/* Within a panel the logarithm may change by so much: bells are no narrower than it then. */
#define MOST_CHANGE 3.0

/* How much the integrand changes on the way from u to end. */
static double
Change(const Count *count, double u, double end)
{
	double middle;
	double ln_end;

	if (u == 0) /* a low power of u is a polynomial: only what else there is counts */
		return (count->n + count->r) * log1p(end / count->alpha) +
			   count->law->cum_hazard(&count->life, end);
	middle = LnLived(count, u + (end - u) / 2, u);
	ln_end = LnLived(count, end, u);
	return fmax(fmax(fabs(middle), fabs(ln_end)), fabs(ln_end - middle));
}

/* How far a panel may reach, as a multiple of what is raised to the power, for high powers. */
static double
PowerStride(double power)
{
	return fmin(CLV_STRIDE, fmax(0.4, 8 / power));
}

static double
CountPanelEnd(const Count *count, double u)
{
	double width = fmin(count->law->stride(&count->life, u), count->t - u);
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

/* What is so many times e smaller than the largest, as a power of e, does not count. */
#define COUNTED 60.0

/* Where the integrand is not too small to count. */
typedef struct Span
{
	double from;
	double peak;
} Span;

/*
 * Whether P(n | u) S(u) still rises at u: the sign of u (alpha + u) times the slope of its
 * logarithm, n alpha - r u - u (alpha + u) h(u). It falls with u, as u (alpha + u) h(u) rises
 * for either law: there is one top.
 */
static bool
Rises(const Count *count, double u)
{
	return count->n > u / count->alpha * count->r +
						   u * (1 + u / count->alpha) * count->law->hazard(&count->life, u);
}

/* Octaves below t that the top may be in, and halvings of one. */
#define MOST_OCTAVES 2200
#define HALVINGS 40

/*
 * It rises, as a power of u, to the one top that it has, and falls. A top below any double
 * is at 0.
 */
static Span
CountSpan(const Count *count)
{
	double low = count->t;
	double high = count->t;
	Span span = {0, 0};

	if (count->n == 0)
		return span;
	for (int i = 0; i < MOST_OCTAVES && !Rises(count, low); i++)
	{
		high = low;
		low /= 2;
	}
	/* to a part of how wide the top is */
	for (int i = 0; i < HALVINGS && high - low > 0.1 * low / sqrt(count->n); i++)
	{
		double middle = low + (high - low) / 2;

		*(Rises(count, middle) ? &low : &high) = middle;
	}
	span.peak = low;
	if (count->n <= LOW_POWER || span.peak == 0)
		return span;

	/* the left end, between an octave that counts and the next, which does not */
	for (low = high = span.peak; LnLived(count, low, span.peak) > -COUNTED; low /= 2)
		high = low;
	for (int i = 0; i < HALVINGS && LnLived(count, low, span.peak) < -2 * COUNTED; i++)
	{
		double middle = low + (high - low) / 2;

		*(LnLived(count, middle, span.peak) < -COUNTED ? &low : &high) = middle;
	}
	span.from = low;
	return span;
}

/* The mean factor of those who bought n times until u, and live, or died then. */
static double
CountFactor(const Count *count, double u, bool dying)
{
	return FactorAt(count->law, &count->life, u, dying, count->r + count->n, count->alpha + u);
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
		sum += nodes[k].weight * count->law->hazard(&count->life, nodes[k].at) *
			   CountFactor(count, nodes[k].at, true) * exp(LnLived(count, nodes[k].at, middle));
	clv_poll(&clv_family_poll, 8 * (size_t) n);
	return LnLived(count, middle, peak) + log(sum);
}

double
clv_life_probability(const ClvLaw *law, const double *param, double n, double t)
{
	Count count = {law, Newborn(law, param), param[0], param[1], n, t};
	Span span;
	double total;

	if (t == 0)
		return n == 0 ? 1 : 0;
	span = CountSpan(&count);
	if (n > 0 && span.peak == 0)
		return 0;
	total = log(CountFactor(&count, t, false)) + LnLived(&count, t, span.peak);
	for (double u = span.from, end; u < t; u = end)
	{
		end = CountPanelEnd(&count, u);
		if (!(end > u) || (u > span.peak && LnLived(&count, u, span.peak) < -COUNTED))
			break;
		total = clv_log_add(total, LnCountPanel(&count, u, end, span.peak));
	}
	total += LnNegativeBinomial(&count, span.peak) - law->cum_hazard(&count.life, span.peak) -
			 log(FactorNow(law, &count.life, param));
	return exp(fmin(0, total));
}

/*
 * Walk all counts at once for customers who all died at the same u, from their
 * number who bought nothing, or as often as the first count whose chance is no less than a
 * double holds; p[n] collects.
 */
typedef struct Walkers
{
	int n;
	int first[CLV_GAUSS_MOST];	   /* count */
	double weight[CLV_GAUSS_MOST]; /* of P(first | u); in walking, of P(n | u) */
	double ratio[CLV_GAUSS_MOST];  /* u / (alpha + u) */
	bool tied;					   /* the mean factor is 1 + pull (mean - c) */
	double c;
	double pull[CLV_GAUSS_MOST];
	double mean[CLV_GAUSS_MOST]; /* of e^-lambda, of those with n purchases */
	double fade[CLV_GAUSS_MOST]; /* with each */
} Walkers;

/* ln of the smallest chance that a walker starts from */
#define FAINT (-690.0)

/* ln P(n | u) S(u) */
static double
LnCounted(const Count *common, double n, double u)
{
	Count count = *common;

	count.n = n;
	return LnNegativeBinomial(&count, u) - common->law->cum_hazard(&common->life, u);
}

/* The first count that is not faint, and its ln: they grow until the mode of the negative binomial. */
static int
FirstCount(const Count *common, double u, int count, double *ln)
{
	double low = 0;
	double high;

	*ln = LnCounted(common, 0, u);
	if (*ln >= FAINT)
		return 0;
	high = fmin(fmax(0, floor((common->r - 1) * (u / common->alpha))), count - 1);
	if (!(LnCounted(common, high, u) >= FAINT))
		return count;
	while (high - low > 1)
	{
		double middle = floor((low + high) / 2);

		*(LnCounted(common, middle, u) >= FAINT ? &high : &low) = middle;
	}
	*ln = LnCounted(common, high, u);
	return (int) high;
}

/* Those who lived until u, or died then, and are so many per customer. */
static void
AddWalker(Walkers *walkers, const Count *common, double u, bool dying, double share, int count)
{
	int k = walkers->n++;
	double rate = common->alpha + u;
	double ln;
	int first = FirstCount(common, u, count, &ln);
	ClvSarmanov sarmanov;

	walkers->first[k] = first;
	walkers->weight[k] = share * exp(ln);
	walkers->ratio[k] = u / rate;
	if (!walkers->tied)
		return;
	sarmanov = common->law->sarmanov(&common->life, u, dying);
	walkers->c = exp(sarmanov.ln_c);
	walkers->pull[k] = sarmanov.pull;
	walkers->mean[k] = exp(-(common->r + first) * log1p(1 / rate));
	walkers->fade[k] = rate / (rate + 1);
}

/* What a walker counts for at this number of purchases. */
static inline double
Step(Walkers *walkers, int k)
{
	double factor;

	if (!walkers->tied)
		return walkers->weight[k];
	factor = fmax(0, 1 + walkers->pull[k] * (walkers->mean[k] - walkers->c));
	walkers->mean[k] *= walkers->fade[k];
	return walkers->weight[k] * factor;
}

/* All that walkers still have before them is less, once they fall. */
#define GONE 1e-290

/* Whether they do, all of them being on their way */
static bool
AreGone(const Walkers *walkers, double r, int n)
{
	for (int k = 0; k < walkers->n; k++)
	{
		if (walkers->weight[k] > GONE ||
			(r + n) / (n + 1) * walkers->ratio[k] >= 1)
			return false;
	}
	return true;
}

/* What those count for at n, who go on; all: even those who start from more */
static inline double
StepAll(Walkers *walkers, int n, double grow, bool all)
{
	double sum = 0;

	for (int k = 0; k < walkers->n; k++)
	{
		if (!all && n < walkers->first[k])
			continue;
		sum += Step(walkers, k);
		walkers->weight[k] *= grow * walkers->ratio[k];
	}
	return sum;
}

static void
Walk(Walkers *walkers, double r, int count, double *p)
{
	int n = count;
	int all = 0; /* the count that the last of them starts from */

	for (int k = 0; k < walkers->n; k++)
	{
		n = walkers->first[k] < n ? walkers->first[k] : n;
		all = walkers->first[k] > all ? walkers->first[k] : all;
	}
	for (; n < all && n < count; n++)
	{
		p[n] += StepAll(walkers, n, (r + n) / (n + 1), false);
		clv_poll(&clv_family_poll, 2);
	}
	for (; n < count; n++)
	{
		double sum = StepAll(walkers, n, (r + n) / (n + 1), true);

		p[n] += sum;
		if (sum <= GONE && AreGone(walkers, r, n))
			break;
		clv_poll(&clv_family_poll, 2);
	}
}

/*
 * So narrow must a panel be that the bells of the negative binomials over u are wide
 * in it. Beyond the last bell, that of most purchases, only their tails are left.
 */
static double
BellWidth(const Count *count, double u, double most)
{
	double unit = count->alpha / count->r;
	double tail = CLV_STRIDE * (count->alpha + u);

	return u > 4 * (most + 25) * unit ? tail : fmin(tail, 4 * (sqrt(u * unit) + unit));
}

void
clv_life_probabilities(const ClvLaw *law, const double *param, double t, int count, double *p)
{
	Count common = {law, Newborn(law, param), param[0], param[1], 0, t};
	ClvDecay decay = {law, common.life, 0, 1, 0};
	ClvPanel panel = {0};
	Walkers walkers = {.tied = law->sarmanov != NULL};
	double now = FactorNow(law, &common.life, param);

	for (int n = 0; n < count; n++)
		p[n] = 0;
	AddWalker(&walkers, &common, t, false, 1 / now, count);
	Walk(&walkers, param[0], count, p);
	for (int i = 0; panel.to < t && panel.drop < DROPPED && i < 10 * CLV_MOST_PANELS; i++)
	{
		ClvGaussNode nodes[CLV_GAUSS_MOST];
		double width = BellWidth(&common, panel.to, count);

		width = fmin(width, MOST_CHANGE / law->hazard(&common.life, panel.to));
		clv_next_panel(&decay, fmin(t, panel.to + width), &panel);
		walkers.n = 0;
		for (int k = 0, n = clv_gauss_nodes(&clv_gauss_16, panel.from, panel.to, nodes); k < n; k++)
			AddWalker(&walkers, &common, nodes[k].at, true,
					  nodes[k].weight * law->hazard(&common.life, nodes[k].at) / now, count);
		Walk(&walkers, param[0], count, p);
	}
}
