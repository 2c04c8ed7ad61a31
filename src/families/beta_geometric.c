/*
 * beta_geometric.c
 *		Buy-till-you-die with a coin: the mathematics of bg/nbd and mbg/nbd.
 *
 * A customer buys at a rate lambda ~ Gamma(shape r, rate alpha), and after each
 * repeat purchase leaves with probability p ~ Beta(a, b) (Fader, Hardie & Lee
 * 2005). mbg/nbd throws the same coin after the first purchase too (Batislam,
 * Denizel & Filiztekin 2007; Hoppe & Wagner 2007): a newcomer of mbg/nbd is dead
 * at once with probability a / (a + b), and otherwise one of bg/nbd who has
 * survived a throw, (r, alpha, a, b + 1). A customer alive at T after x repeat
 * purchases is a newcomer (r + x, alpha + T, a, b + x) of bg/nbd, or with b + x + 1
 * if he came from mbg/nbd. So one newcomer of bg/nbd answers every question about
 * the future, of both families, new customers and known ones.
 *
 * Histories need logarithms only. Counts are a negative binomial and its tail:
 * either the n-th purchase was survived and no more came in time, or at least n
 * came in time and the n-th was the last.
 *
 * The hard part is the expected number of purchases, discounted or not,
 *
 *		D = int_0^tau e^(-omega s) r E[(1 + p s)^-(r+1)] ds,
 *
 * tau = t / alpha, omega = delta alpha: purchases come at rate lambda while
 * e^(-lambda p u) of the customers are left, and lambda is integrated out. The
 * textbook's closed form for omega = 0 divides by a - 1 and subtracts two large
 * numbers; its 2F1 needs thousands of terms as t grows. Here are two ways
 * that do neither, and the first says when it should not be trusted:
 *
 * 1. Along time. The mean over p is (1 - z)^a 2F1(a, B; a + b; z) with
 *    z = s / (1 + s), B = a + b - r - 1 (Pfaff's transformation, DLMF 15.8.1).
 *    Its coefficients are the same for every s and fall like those of
 *    (a)_k / (a + b)_k: the more a customer has bought, the faster, while B never
 *    changes. One set of coefficients, a polynomial at twelve Gauss-Legendre
 *    nodes in ln(1 + s), and the integral is done. No branch at a = 1, none at
 *    omega = 0.
 *
 * 2. Over the coin. For each p the integral along time is elementary or an
 *    exponential integral; the mean over the coin is a trapezoid sum in the
 *    log-odds (beta_mean.c). All terms are positive: it takes some microseconds,
 *    and does not fail.
 */
#include "families/beta_geometric.h"

#include <float.h>
#include <math.h>

#include "math/beta_mean.h"
#include "math/poll.h"
#include "math/special.h"
#include "families/registry.h"

typedef struct Coin
{
	double r;
	double alpha;
	double a;
	double b;
	double survive;				/* P(alive right after the first purchase) */
} Coin;

/* The newcomer of bg/nbd who is behind one of either family. */
static Coin
Newcomer(const double *param, int immediate)
{
	Coin coin = {param[0], param[1], param[2], param[3], 1};

	if (immediate)
	{
		coin.survive = coin.b / (coin.a + coin.b);
		coin.b += 1;
	}
	return coin;
}

/* ---- histories ---- */

/* ln of the odds of being dead at T, given that the coin was thrown */
static double
LnOdds(const double *param, double x, double t_x, double T, int immediate)
{
	return log(param[2] / (param[3] + (x + immediate - 1))) +
		(param[0] + x) * log1p((T - t_x) / (param[1] + t_x));
}

double
clv_bg_ln_p_alive(const double *param, double x, double t_x, double T, int immediate)
{
	return x + immediate == 0 ? 0 : -clv_log1pexp(LnOdds(param, x, t_x, T, immediate));
}

/* NAN where the odds leave the doubles. */
double
clv_bg_p_alive(const double *param, double x, double t_x, double T, int immediate)
{
	double odds;

	if (x + immediate == 0)
		return 1;
	odds = param[2] / (param[3] + (x + immediate - 1)) *
		exp((param[0] + x) * log1p((T - t_x) / (param[1] + t_x)));
	return odds < DBL_MAX ? 1 / (1 + odds) : NAN;
}

/* From the larger of the two ways to have this history: alive at T, or dead since t_x. */
double
clv_bg_log_likelihood(const double *param, double x, double t_x, double T, int immediate)
{
	double r = param[0];
	double alpha = param[1];
	double flips = x + immediate;
	double odds = flips == 0 ? -INFINITY : LnOdds(param, x, t_x, T, immediate);
	double seen = T;
	double ways = clv_log1pexp(-fabs(odds));

	if (odds > 0)
	{
		seen = t_x;
		ways += log(param[2] / (param[3] + (flips - 1)));
	}
	return clv_log_rising(r, x) - x * log(alpha + seen) - r * log1p(seen / alpha) +
		clv_log_beta_rising(param[2], param[3], flips) + ways;
}

void
clv_bg_given_alive(const double *param, double x, double T, int immediate, ClvFuture *future)
{
	future->family = &clv_bgnbd;
	future->param[0] = param[0] + x;
	future->param[1] = param[1] + T;
	future->param[2] = param[2];
	future->param[3] = param[3] + x + immediate;
}

/* ---- expectations, along time ---- */

#define MAX_TERMS 160

/* Gauss-Legendre, 12 nodes on (-1, 1): the positive ones and their weights */
#define HALF_NODES 6
static const double gauss[HALF_NODES][2] = {
	{0.12523340851146891547, 0.249147045813402785},
	{0.36783149899818019375, 0.23349253653835480876},
	{0.5873179542866174473, 0.20316742672306592175},
	{0.76990267419430468704, 0.16007832854334622633},
	{0.90411725637047485668, 0.10693932599531843096},
	{0.98156063424671925069, 0.047175336386511827195},
};

/* Where ln(1 + s) or the integrand spans more than this, twelve nodes may lack digits. */
#define MAX_SPAN 4.0
#define MAX_RATIO 100.0

/*
 * Coefficients of 2F1(a, B; c; z), as many as the polynomial needs at z and below.
 * Returns their number, 0 where they are too many or cancel too much.
 */
static int
RateCoefficients(double a, double B, double c, double z, double *coefficient)
{
	double power = 1;
	double sum = 1;
	double size = 1;

	coefficient[0] = 1;
	for (int k = 0; k < MAX_TERMS - 1; k++)
	{
		double ratio = (a + k) * (B + k) / ((c + k) * (k + 1));
		double term;

		coefficient[k + 1] = coefficient[k] * ratio;
		power *= z;
		term = coefficient[k + 1] * power;
		sum += term;
		size += fabs(term);
		if (fabs(term) <= 0.1 * DBL_EPSILON * (1 - z) * size && fabs(ratio * z) < 1)
			return size < 10 * sum ? k + 2 : 0;
	}
	return 0;
}

/* D along time. Returns false where that is not to be trusted. */
static bool
AlongTime(const Coin *coin, double omega, double tau, double *result)
{
	double coefficient[MAX_TERMS];
	double v[2 * HALF_NODES];
	double z[2 * HALF_NODES];
	double rate[2 * HALF_NODES] = {0};
	double width = 0.5 * log1p(tau);
	double sum = 0;
	double span;
	int terms;

	if (2 * width > MAX_SPAN || omega * tau > MAX_SPAN)
		return false;
	terms = RateCoefficients(coin->a, coin->a + (coin->b - coin->r) - 1, coin->a + coin->b,
							 tau / (1 + tau), coefficient);
	if (terms == 0)
		return false;
	for (int i = 0; i < HALF_NODES; i++)
	{
		v[HALF_NODES - 1 - i] = width * (1 - gauss[i][0]);
		v[HALF_NODES + i] = width * (1 + gauss[i][0]);
	}
	for (int i = 0; i < 2 * HALF_NODES; i++)
		z[i] = -expm1(-v[i]);
	for (int k = terms - 1; k >= 0; k--)
	{
		for (int i = 0; i < 2 * HALF_NODES; i++)
			rate[i] = rate[i] * z[i] + coefficient[k];
	}

	/* ds = (1 + s) dv, and 1 - z = e^-v */
	for (int i = 0; i < 2 * HALF_NODES; i++)
		rate[i] *= exp(-omega * z[i] / (1 - z[i]) - (coin->a - 1) * v[i]);
	span = rate[0] / rate[2 * HALF_NODES - 1];
	if (!(span < MAX_RATIO && span > 1 / MAX_RATIO))
		return false;
	for (int i = 0; i < HALF_NODES; i++)
		sum += gauss[i][1] * (rate[HALF_NODES - 1 - i] + rate[HALF_NODES + i]);
	*result = coin->r * width * sum;
	return true;
}

/* ---- expectations, over the coin ---- */

/* Kernels: arg = r, omega, tau */

/* (1 + p tau)^-r */
static double
SurvivalKernel(double p, const double *arg)
{
	return exp(-arg[0] * log1p(p * arg[2]));
}

/* int_0^tau r (1 + p s)^-(r+1) ds */
static double
ExpectedKernel(double p, const double *arg)
{
	double loss = arg[0] * log1p(p * arg[2]);

	return p * arg[2] < DBL_EPSILON ? arg[0] * arg[2] : -expm1(-loss) / p;
}

/* int_0^inf e^(-omega s) r (1 + p s)^-(r+1) ds, by the exponential integral */
static double
LifetimeKernel(double p, const double *arg)
{
	return arg[0] / p * clv_expint_scaled(arg[0] + 1, arg[1] / p);
}

/*
 * The same up to tau. What lies beyond is taken away, unless that would be
 * nearly all: then the integrand hardly varies, and twelve nodes are plenty.
 */
static double
DiscountedKernel(double p, const double *arg)
{
	double r = arg[0];
	double omega = arg[1];
	double tau = arg[2];
	double loss = omega * tau + r * log1p(p * tau);
	double sum = 0;

	if (loss + log1p(p * tau) > 0.5)
		return LifetimeKernel(p, arg) -
			exp(-loss) * r / p * clv_expint_scaled(r + 1, omega * (1 / p + tau));
	for (int i = 0; i < HALF_NODES; i++)
	{
		double s = 0.5 * tau * (1 - gauss[i][0]);

		sum += gauss[i][1] * (exp(-omega * s - (r + 1) * log1p(p * s)) +
							  exp(-omega * (tau - s) - (r + 1) * log1p(p * (tau - s))));
	}
	return 0.5 * tau * r * sum;
}

/*
 * An integral along time begins where every p counts, so it cannot become
 * narrower in p than the density by much: the step need not follow a large r.
 */
#define MAX_POWER 100.0

static double
OverBeta(const Coin *coin, ClvKernel kernel, double omega, double tau)
{
	double arg[3] = {coin->r, omega, tau};
	double reach = fmin(tau, 1 / omega);
	double power = kernel == SurvivalKernel ? coin->r : fmin(coin->r + 1, MAX_POWER);

	return clv_beta_mean(coin->a, coin->b, kernel, arg, (coin->r + 1) * reach, coin->r + 1, power);
}

double
clv_bg_discounted(const double *param, double delta, double t, int immediate)
{
	Coin coin = Newcomer(param, immediate);
	double omega = delta * coin.alpha;
	double tau = t / coin.alpha;
	double result;

	if (t == 0)
		return 0;
	if (omega == 0 && isinf(tau))
		result = coin.a > 1 ? (coin.a + coin.b - 1) / (coin.a - 1) : INFINITY;
	else if (isinf(tau) || omega * tau > 100)
		result = OverBeta(&coin, LifetimeKernel, omega, INFINITY);
	else if (!AlongTime(&coin, omega, tau, &result))
		result = OverBeta(&coin, omega == 0 ? ExpectedKernel : DiscountedKernel, omega, tau);
	return coin.survive * result;
}

double
clv_bg_expected(const double *param, double t, int immediate)
{
	return clv_bg_discounted(param, 0, t, immediate);
}

double
clv_bg_survival(const double *param, double t, int immediate)
{
	Coin coin = Newcomer(param, immediate);

	return coin.survive * fmin(OverBeta(&coin, SurvivalKernel, 0, t / coin.alpha), 1);
}

/* ---- pairs of purchases ---- */

/* The closed form below loses the digits of (r + 2) w; from there on the series has few terms. */
#define SHORT 0.1

/* 2 int_0^tau r (r + 1) s (1 + p s)^-(r+2) ds, w = p tau */
static double
PairsKernel(double p, const double *arg)
{
	double r = arg[0];
	double w = p * arg[2];
	double loss = r * log1p(w);
	double term = 1;
	double sum = 0.5;

	if ((r + 2) * w > SHORT)
		return 2 * (-expm1(-loss) - r * (w / (1 + w)) * exp(-loss)) / p / p;
	for (int k = 1; fabs(term) > DBL_EPSILON && k < 40; k++)
	{
		term *= -w * (r + 1 + k) / k;
		sum += term / (k + 2);
	}
	return 2 * r * arg[2] * ((r + 1) * arg[2]) * sum;
}

/*
 * The later of two purchases comes at v with lambda^2 (1 - p) e^(-lambda p v), the earlier
 * anywhere before: E[N (N - 1)] = E[(1 - p) 2 lambda^2 int_0^t v e^(-lambda p v) dv].
 * The factor 1 - p makes one beta distribution of another.
 */
double
clv_bg_pairs(const double *param, double t, int immediate)
{
	Coin coin = Newcomer(param, immediate);
	double share = coin.b / (coin.a + coin.b);

	coin.b += 1;
	return t == 0 ? 0 : coin.survive * share * OverBeta(&coin, PairsKernel, 0, t / coin.alpha);
}

/* ---- how many purchases ---- */

/* P(exactly n >= 1 in time), for a customer who never leaves: negative binomial */
static double
Exactly(double r, double n, double z, double y)
{
	return exp(clv_ln_beta_kernel(n, r, z, y)) / n;
}

double
clv_bg_probability(const double *param, double n, double t, int immediate)
{
	Coin coin = Newcomer(param, immediate);
	double y = coin.alpha / (coin.alpha + t);
	double z = t / (coin.alpha + t);
	double fewer;
	double at_least;

	if (n == 0)
		return (1 - coin.survive) + coin.survive * exp(-coin.r * log1p(t / coin.alpha));
	if (t == 0)
		return 0;
	clv_beta_tails(n, coin.r, z, y, &at_least, &fewer);
	return coin.survive * exp(clv_log_beta_rising(coin.a, coin.b, n)) *
		(Exactly(coin.r, n, z, y) + coin.a / (coin.b + (n - 1)) * at_least);
}

/* The recurrence starts afresh so often, which keeps its errors at some units of the last place. */
#define ANCHOR 64

/* Below this the recurrence might have started from nothing. */
#define TINY 1e-280

/*
 * Three walks: up for P(exactly n), down to add the tail from its small end, up
 * again for the throws survived.
 */
void
clv_bg_probabilities(const double *param, double t, int count, double *p, int immediate)
{
	Coin coin = Newcomer(param, immediate);
	double y = coin.alpha / (coin.alpha + t);
	double z = t / (coin.alpha + t);
	double at_least = 0;
	double fewer;
	double survived = coin.survive;

	for (int n = 0; n < count; n++)
	{
		if (n == 0 || t == 0)
			p[n] = clv_bg_probability(param, n, t, immediate);
		else if (n % ANCHOR == 1 || p[n - 1] < TINY)
			p[n] = Exactly(coin.r, n, z, y);
		else
			p[n] = p[n - 1] * z * ((coin.r + (n - 1)) / n);
		clv_poll(&clv_family_poll, 2);
	}
	if (t == 0)
		return;
	clv_beta_tails(count, coin.r, z, y, &at_least, &fewer);
	for (int n = count - 1; n > 0; n--)
	{
		at_least += p[n];
		p[n] += coin.a / (coin.b + (n - 1)) * at_least;
	}
	for (int n = 1; n < count; n++)
	{
		survived *= (coin.b + (n - 1)) / (coin.a + coin.b + (n - 1));
		p[n] *= survived;
	}
}
