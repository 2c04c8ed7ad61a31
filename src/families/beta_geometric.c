/*
 * beta_geometric.c
 *		Buy-till-you-die models with beta-geometric dropout: the mathematics of bg/nbd and
 *		mbg/nbd.
 *
 * A customer buys at a rate lambda ~ Gamma(shape r, rate alpha), and after each repeat purchase
 * leaves with probability p ~ Beta(a, b) (Fader, Hardie & Lee 2005). In mbg/nbd the customer
 * may leave after the first purchase too (Batislam, Denizel & Filiztekin 2007; Hoppe & Wagner
 * 2007): a newcomer of mbg/nbd leaves at once with probability a / (a + b), and otherwise is
 * one of bg/nbd who has stayed once, (r, alpha, a, b + 1). A customer alive at T after x repeat
 * purchases is a newcomer (r + x, alpha + T, a, b + x) of bg/nbd, or with b + x + 1 in mbg/nbd.
 * So the functions of a newcomer of bg/nbd give all predictions, for both families, new
 * customers and known ones.
 *
 * Likelihoods of histories need logarithms only. Counts are a negative binomial and its tail:
 * either the customer stayed after the n-th purchase and made no more in time, or at least n
 * would have come in time and the customer left after the n-th.
 *
 * The hard part is the expected number of purchases, discounted or not,
 *
 *		D = int_0^tau e^(-omega s) r E[(1 + p s)^-(r+1)] ds,
 *
 * tau = t / alpha, omega = delta alpha: purchases come at rate lambda while a share e^(-lambda
 * p u) of the customers is left, and lambda is integrated out. The textbook's closed form for
 * omega = 0 divides by a - 1 and subtracts two large numbers; its 2F1 needs thousands of terms
 * as t grows. Two methods avoid both, and the first reports when it is not accurate:
 *
 * 1. Integration over time. The mean over p is (1 - z)^a 2F1(a, B; a + b; z) with
 *    z = s / (1 + s), B = a + b - r - 1 (Pfaff's transformation, DLMF 15.8.1).
 *    Its coefficients (math/hypergeometric.h) are the same for every s and fall like those of
 *    (a)_k / (a + b)_k: the more a customer has bought, the faster, while B never changes. The
 *    integral takes one set of coefficients and a polynomial at twelve Gauss-Legendre nodes in
 *    ln(1 + s). There is no branch at a = 1, and none at omega = 0.
 *
 * 2. Integration over the dropout probability. For each p the integral over time is elementary
 * or an exponential integral; the mean over p is a trapezoid sum in the log-odds (beta_mean.c).
 * All terms are positive: it takes some microseconds, and always succeeds.
 */
#include "families/beta_geometric.h"

#include <float.h>
#include <math.h>

#include "math/beta_mean.h"
#include "math/gauss.h"
#include "math/hypergeometric.h"
#include "math/poll.h"
#include "math/special.h"
#include "families/registry.h"

/* A newcomer of bg/nbd, and the probability that a newcomer of the family is one. */
typedef struct BgCustomer
{
	double r;
	double alpha;
	double a;
	double b;
	double survive; /* P(alive right after the first purchase) */
} BgCustomer;

/* The newcomer of bg/nbd that stands for a newcomer of either family. */
static BgCustomer
Newcomer(const double *param, int immediate)
{
	BgCustomer customer = {param[0], param[1], param[2], param[3], 1};

	if (immediate)
	{
		customer.survive = customer.b / (customer.a + customer.b);
		customer.b += 1;
	}
	return customer;
}

/* ---- histories ---- */

/*
 * ln of the odds of having left by T, given at least one purchase after which the customer could
 * leave.
 */
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

/* NAN where the odds exceed the doubles. */
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

/* Computed from the larger of the two outcomes of this history: alive at T, or left at t_x. */
double
clv_bg_log_likelihood(const double *param, double x, double t_x, double T, int immediate)
{
	double r = param[0];
	double alpha = param[1];
	double trials = x + immediate;
	double odds = trials == 0 ? -INFINITY : LnOdds(param, x, t_x, T, immediate);
	double seen = T;
	double ways = clv_log1pexp(-fabs(odds));

	if (odds > 0)
	{
		seen = t_x;
		ways += log(param[2] / (param[3] + (trials - 1)));
	}
	return clv_log_rising(r, x) - x * log(alpha + seen) - r * log1p(seen / alpha) +
		   clv_log_beta_rising(param[2], param[3], trials) + ways;
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

/* ---- expectations, by integration over time ---- */

#define MAX_TERMS 160

/* Nodes of the Gauss-Legendre rule clv_gauss_12, half of which are positive. */
#define NODES 12

/* Where ln(1 + s) or the integrand spans more than this, twelve nodes may not give every digit. */
#define MAX_SPAN 4.0
#define MAX_RATIO 100.0

/* D by integration over time. Returns false where that is not accurate. */
static bool
AlongTime(const BgCustomer *customer, double omega, double tau, double *result)
{
	double coefficient[MAX_TERMS];
	double v[NODES];
	double z[NODES];
	double rate[NODES] = {0};
	double width = 0.5 * log1p(tau);
	double sum = 0;
	double span;
	int terms;

	if (2 * width > MAX_SPAN || omega * tau > MAX_SPAN)
		return false;
	terms = clv_hypergeometric_terms(customer->a, customer->a + (customer->b - customer->r) - 1,
									 customer->a + customer->b, tau / (1 + tau), MAX_TERMS,
									 coefficient);
	if (terms == 0)
		return false;
	for (int i = 0; i < NODES / 2; i++)
	{
		v[NODES / 2 - 1 - i] = width * (1 - clv_gauss_12.node[i].at);
		v[NODES / 2 + i] = width * (1 + clv_gauss_12.node[i].at);
	}
	for (int i = 0; i < NODES; i++)
		z[i] = -expm1(-v[i]);
	for (int k = terms - 1; k >= 0; k--)
	{
		for (int i = 0; i < NODES; i++)
			rate[i] = rate[i] * z[i] + coefficient[k];
	}

	/* ds = (1 + s) dv, and 1 - z = e^-v */
	for (int i = 0; i < NODES; i++)
		rate[i] *= exp(-omega * z[i] / (1 - z[i]) - (customer->a - 1) * v[i]);
	span = rate[0] / rate[NODES - 1];
	if (!(span < MAX_RATIO && span > 1 / MAX_RATIO))
		return false;
	for (int i = 0; i < NODES / 2; i++)
		sum += clv_gauss_12.node[i].weight * (rate[NODES / 2 - 1 - i] + rate[NODES / 2 + i]);
	*result = customer->r * width * sum;
	return true;
}

/* ---- expectations, by integration over the dropout probability ---- */

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
	double ln_growth = arg[0] * log1p(p * arg[2]);

	return p * arg[2] < DBL_EPSILON ? arg[0] * arg[2] : -expm1(-ln_growth) / p;
}

/* int_0^inf e^(-omega s) r (1 + p s)^-(r+1) ds, by the exponential integral */
static double
LifetimeKernel(double p, const double *arg)
{
	return arg[0] / p * clv_expint_scaled(arg[0] + 1, arg[1] / p);
}

/*
 * The same up to tau. The integral beyond tau is subtracted, unless it would be nearly all: then
 * the integrand hardly varies, and twelve nodes suffice.
 */
static double
DiscountedKernel(double p, const double *arg)
{
	double r = arg[0];
	double omega = arg[1];
	double tau = arg[2];
	double ln_growth = omega * tau + r * log1p(p * tau);
	double sum = 0;

	if (ln_growth + log1p(p * tau) > 0.5)
		return LifetimeKernel(p, arg) -
			   exp(-ln_growth) * r / p * clv_expint_scaled(r + 1, omega * (1 / p + tau));
	for (int i = 0; i < NODES / 2; i++)
	{
		double s = 0.5 * tau * (1 - clv_gauss_12.node[i].at);

		sum += clv_gauss_12.node[i].weight *
			   (exp(-omega * s - (r + 1) * log1p(p * s)) +
				exp(-omega * (tau - s) - (r + 1) * log1p(p * (tau - s))));
	}
	return 0.5 * tau * r * sum;
}

/*
 * An integral over time begins where every p counts, so it cannot become much narrower in p than
 * the density: the step need not follow a large r.
 */
#define MAX_POWER 100.0

/* The mean of a kernel over the dropout probability, p ~ Beta(a, b). */
static double
OverBeta(const BgCustomer *customer, ClvKernel kernel, double omega, double tau)
{
	double arg[3] = {customer->r, omega, tau};
	double reach = fmin(tau, 1 / omega);
	double power = kernel == SurvivalKernel ? customer->r : fmin(customer->r + 1, MAX_POWER);

	return clv_beta_mean(customer->a, customer->b, kernel, arg, (customer->r + 1) * reach,
						 customer->r + 1, power);
}

double
clv_bg_discounted(const double *param, double delta, double t, int immediate)
{
	BgCustomer customer = Newcomer(param, immediate);
	double omega = delta * customer.alpha;
	double tau = t / customer.alpha;
	double result;

	if (t == 0)
		return 0;
	if (omega == 0 && isinf(tau))
		result = customer.a > 1 ? (customer.a + customer.b - 1) / (customer.a - 1) : INFINITY;
	else if (isinf(tau) || omega * tau > 100)
		result = OverBeta(&customer, LifetimeKernel, omega, INFINITY);
	else if (!AlongTime(&customer, omega, tau, &result))
		result = OverBeta(&customer, omega == 0 ? ExpectedKernel : DiscountedKernel, omega, tau);
	return customer.survive * result;
}

/* Times whose polynomials are computed together. */
#define TOGETHER 28

/* Sets rate to the integrand of method 1 at n times, at most TOGETHER. */
static void
SetRates(const BgCustomer *customer, int terms, const double *coefficient, const double *t, int n,
		 double *rate)
{
	double z[TOGETHER];

	for (int i = 0; i < n; i++)
	{
		z[i] = t[i] / (customer->alpha + t[i]);
		rate[i] = 0;
	}
	for (int k = terms - 1; k >= 0; k--)
		for (int i = 0; i < n; i++)
			rate[i] = rate[i] * z[i] + coefficient[k];
	for (int i = 0; i < n; i++)
		rate[i] *=
			customer->r / customer->alpha * exp(-customer->a * log1p(t[i] / customer->alpha));
	clv_poll(&clv_family_poll, (size_t) (terms / 4 + 4) * n / 4);
}

bool
clv_bg_rates(const double *param, double most, const double *t, int n, double *rate)
{
	BgCustomer customer = Newcomer(param, 0);
	double tau = most / customer.alpha;
	double coefficient[MAX_TERMS];
	int terms =
		clv_hypergeometric_terms(customer.a, customer.a + (customer.b - customer.r) - 1,
								 customer.a + customer.b, tau / (1 + tau), MAX_TERMS, coefficient);

	for (int i = 0; terms > 0 && i < n; i += TOGETHER)
		SetRates(&customer, terms, coefficient, t + i, n - i < TOGETHER ? n - i : TOGETHER,
				 rate + i);
	return terms > 0;
}

double
clv_bg_expected(const double *param, double t, int immediate)
{
	return clv_bg_discounted(param, 0, t, immediate);
}

double
clv_bg_survival(const double *param, double t, int immediate)
{
	BgCustomer customer = Newcomer(param, immediate);

	return customer.survive * fmin(OverBeta(&customer, SurvivalKernel, 0, t / customer.alpha), 1);
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
	double ln_growth = r * log1p(w);
	double term = 1;
	double sum = 0.5;

	if ((r + 2) * w > SHORT)
		return 2 * (-expm1(-ln_growth) - r * (w / (1 + w)) * exp(-ln_growth)) / p / p;
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
	BgCustomer customer = Newcomer(param, immediate);
	double share = customer.b / (customer.a + customer.b);

	customer.b += 1;
	return t == 0
			   ? 0
			   : customer.survive * share * OverBeta(&customer, PairsKernel, 0, t / customer.alpha);
}

/* ---- how many purchases ---- */

/* P(exactly n >= 1 purchases in time) of a customer who never leaves: negative binomial. */
static double
Exactly(double r, double n, double z, double y)
{
	return exp(clv_ln_beta_kernel(n, r, z, y)) / n;
}

double
clv_bg_probability(const double *param, double n, double t, int immediate)
{
	BgCustomer customer = Newcomer(param, immediate);
	double y = customer.alpha / (customer.alpha + t);
	double z = t / (customer.alpha + t);
	double fewer;
	double at_least;

	if (n == 0)
		return (1 - customer.survive) +
			   customer.survive * exp(-customer.r * log1p(t / customer.alpha));
	if (t == 0)
		return 0;
	clv_beta_tails(n, customer.r, z, y, &at_least, &fewer);
	return customer.survive * exp(clv_log_beta_rising(customer.a, customer.b, n)) *
		   (Exactly(customer.r, n, z, y) + customer.a / (customer.b + (n - 1)) * at_least);
}

/*
 * The recurrence restarts every ANCHOR counts, which keeps its errors at some units of the last
 * place.
 */
#define ANCHOR 64

/* Below this the previous probability may have underflowed, and the recurrence restarts. */
#define TINY 1e-280

/*
 * Three passes: upwards for P(exactly n), downwards to add the tail from its small end, upwards
 * again for the probability of having stayed.
 */
void
clv_bg_probabilities(const double *param, double t, int count, double *p, int immediate)
{
	BgCustomer customer = Newcomer(param, immediate);
	double y = customer.alpha / (customer.alpha + t);
	double z = t / (customer.alpha + t);
	double at_least = 0;
	double fewer;
	double survived = customer.survive;

	for (int n = 0; n < count; n++)
	{
		if (n == 0 || t == 0)
			p[n] = clv_bg_probability(param, n, t, immediate);
		else if (n % ANCHOR == 1 || p[n - 1] < TINY)
			p[n] = Exactly(customer.r, n, z, y);
		else
			p[n] = p[n - 1] * z * ((customer.r + (n - 1)) / n);
		clv_poll(&clv_family_poll, 2);
	}
	if (t == 0)
		return;
	clv_beta_tails(count, customer.r, z, y, &at_least, &fewer);
	for (int n = count - 1; n > 0; n--)
	{
		at_least += p[n];
		p[n] += customer.a / (customer.b + (n - 1)) * at_least;
	}
	for (int n = 1; n < count; n++)
	{
		survived *= (customer.b + (n - 1)) / (customer.a + customer.b + (n - 1));
		p[n] *= survived;
	}
}

/* ---- simulation ---- */

void
clv_bg_draw(const double *param, ClvRandom *random, ClvTraits *traits, int immediate)
{
	*traits = (ClvTraits){.leaves = CLV_LEAVES_AFTER_PURCHASE, .at_first = immediate, .stages = 1};
	traits->buying = clv_random_gamma(random, param[0]) / param[1];
	traits->leaving = clv_random_beta(random, param[2], param[3]);
}
