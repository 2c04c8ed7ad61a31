/*
 * erlang.c
 *		Predictions where every k-th event is a purchase, with beta-geometric dropout.
 *
 * Given a customer's rate lambda, events come as a Poisson process. lambda is gamma
 * distributed, so the number of events in (0,t] is negative binomial; at stage j, that is j
 * events after the last purchase, the n-th purchase is the (n k - j)-th event. With s_n = (b)_n
 * / (a+b)_n, the probability of staying after n purchases, and P_M the probability that stage
 * and events add up to M, every quantity for a finite time is a sum of positive terms,
 *
 *		E[X]			= sum_M P_M (s_0 + ... + s_{n-1}),		n = floor(M / k)
 *		P(alive)		= sum_M P_M s_n
 *		P(X = n)		= s_n P(n k <= M < n k + k) + s_{n-1} a/(a+b+n-1) P(M >= n k)
 *
 * and P_M follows from P_{M-1} by a ratio.
 *
 * Many events
 * -----------
 * The sums are long where very many events may come. Then the mean over the dropout probability
 * is taken last. Given p, q = 1 - p, let sigma run over the k-th roots of q, that is sigma =
 * q^(1/k) e^(2 pi i l/k), and c = 1 - sigma. Roots of unity select every k-th term of an
 * exponential series, so that
 *
 *		E[X]	 = 1/(k q) sum_l sigma/c sum_j w_j sigma^j (1 - (1 + c t/alpha)^-(r+j))
 *		P(alive) = p/(k q) sum_l sigma/c sum_j w_j sigma^j (1 + c t/alpha)^-(r+j)
 *
 * w_j being the weights of the stages. With k = 1 the first is the kernel of beta_geometric.c.
 * The terms cancel where few events are expected, but the sums above are short there; and where
 * q is nearly 0, where the first few powers of q suffice instead.
 *
 * Discounting
 * -----------
 * Over an infinite horizon, given lambda, with phi = lambda / (lambda + delta), the discounted
 * value is E_p[phi^(k-j) / (1 - q phi^k)]: all positive, and an integral over ln lambda by
 * equal steps, whose integrand has no singularity within pi/2 of the real line. Until t it is
 * e^(-delta t) E[X(t)] + int_0^t delta e^(-delta s) E[X(s)] ds, in panels.
 */
#include "families/erlang.h"

#include <complex.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "math/beta_mean.h"
#include "math/gauss.h"
#include "math/poll.h"
#include "math/special.h"

#define PI 3.14159265358979323846

/* ---- stages ---- */

/* Terms may grow like r^k; above this all are scaled down. */
#define LARGE 1e200

double
clv_erlang_stages(int k, double r, double z, double *weight)
{
	double term = 1;
	double sum = 0;
	double shrunk = 0;

	for (int j = 0; j < k; j++)
	{
		weight[j] = term;
		sum += term;
		term *= (r + j) / (j + 1) * z;
		if (term > LARGE)
		{
			for (int i = 0; i <= j; i++)
				weight[i] /= LARGE;
			term /= LARGE;
			sum /= LARGE;
			shrunk += 1;
		}
	}
	for (int j = 0; j < k; j++)
		weight[j] /= sum;
	return log(sum) + shrunk * log(LARGE);
}

void
clv_erlang_init(ClvErlang *customer, int k, double r, double alpha, double a, double b,
				double since_last)
{
	customer->k = k;
	customer->r = r;
	customer->alpha = alpha;
	customer->a = a;
	customer->b = b;
	customer->stages = since_last > 0 ? k : 1;
	clv_erlang_stages(customer->stages, r, since_last / alpha, customer->weight);
}

/* ---- events, one after the other ---- */

/*
 * A recurrence restarts every ANCHOR events, so that its errors stay at some units of the last
 * place.
 */
#define ANCHOR 64

/* It restarts, too, where the probability before is below this, and may have underflowed. */
#define TINY 1e-280

/* The probabilities P_M, computed one after the other. */
typedef struct Events
{
	const ClvErlang *customer;
	double M;                  /* the next */
	double share;              /* t / (alpha + t) */
	double rest;               /* alpha / (alpha + t) */
	double growth;             /* ln(1 + t / alpha) */
	double p[CLV_MOST_STAGES]; /* of M - j events, from stage j */
} Events;

/* The probabilities from P_M on, for a horizon of t. */
static Events
EventsFrom(const ClvErlang *customer, double t, double M)
{
	return (Events){customer,
					M,
					t / (customer->alpha + t),
					customer->alpha / (customer->alpha + t),
					log1p(t / customer->alpha),
					{0}};
}

/* Returns P_M and moves on to the next M. */
static double
NextEvent(Events *events)
{
	const ClvErlang *customer = events->customer;
	double sum = 0;

	for (int j = 0; j < customer->stages && j <= events->M; j++)
	{
		double shape = customer->r + j;
		double m = events->M - j;

		if (m == 0)
			events->p[j] = exp(-shape * events->growth);
		else if (events->p[j] < TINY || fmod(m, ANCHOR) == 1)
			events->p[j] = exp(clv_ln_beta_kernel(m, shape, events->share, events->rest)) / m;
		else
			events->p[j] *= events->share * ((shape + (m - 1)) / m);
		sum += customer->weight[j] * events->p[j];
	}
	events->M += 1;
	clv_poll(&clv_family_poll, 1 + (size_t) customer->stages / 4);
	return sum;
}

/* P(n k <= M < n k + k), where M = n k is the next; moves on to M = n k + k. */
static double
NextPurchase(Events *events)
{
	double sum = 0;

	for (int i = 0; i < events->customer->k; i++)
		sum += NextEvent(events);
	return sum;
}

/* P(M >= n k), n >= 1 */
static double
AtLeast(const ClvErlang *customer, double n, double t)
{
	Events events = EventsFrom(customer, t, 0);
	double sum = 0;

	for (int j = 0; j < customer->stages; j++)
	{
		double more;
		double fewer;

		clv_beta_tails(n * customer->k - j, customer->r + j, events.share, events.rest, &more,
					   &fewer);
		sum += customer->weight[j] * more;
	}
	return sum;
}

/* Terms below this part of the sum are left out. */
#define NEGLIGIBLE 1e-18

/* E[X] and P(alive) at a horizon. */
typedef struct Sums
{
	double expected;
	double alive;
} Sums;

/* Both sums over events, as far as they count. */
static Sums
OverEvents(const ClvErlang *customer, double t)
{
	Events events = EventsFrom(customer, t, 0);
	Sums sums = {0, 0};
	double survived = 1;
	double purchases = 0;

	for (double n = 0;; n += 1)
	{
		for (int i = 0; i < customer->k; i++)
		{
			double p = NextEvent(&events);
			double ratio = events.share * (customer->r + events.M) / (events.M + 1 - customer->k);
			double left = p / (1 - ratio);

			sums.alive += p * survived;
			sums.expected += p * purchases;
			if (n > 0 && ratio < 1 && left * survived <= NEGLIGIBLE * sums.alive &&
				left * (purchases + 1 / (1 - ratio)) <= NEGLIGIBLE * sums.expected)
				return sums;
		}
		purchases += survived;
		survived *= (customer->b + n) / (customer->a + customer->b + n);
		if (events.M > 1e6) /* AreFew() excludes so many */
			return sums;
	}
}

/* The number of events that are summed one by one. */
#define MANY_EVENTS 4000.0

/* Whether the sums over events are short. */
static bool
AreFew(const ClvErlang *customer, double t)
{
	double tau = t / customer->alpha;
	double mean = (customer->r + customer->k) * tau;

	return mean + 10 * sqrt(mean * (1 + tau)) + 40 * tau < MANY_EVENTS;
}

/* ---- very many events: the mean over the dropout probability ---- */

/* Below this probability q of staying the first POWERS powers of it suffice. */
#define SMALL_STAY 1e-3
#define POWERS 7

/* The arguments of the kernels, as an array of numbers. */
enum
{
	ARG_K,
	ARG_R,
	ARG_TAU,
	ARG_STAGES,
	ARG_WEIGHT,
	ARG_FIRST = ARG_WEIGHT + CLV_MOST_STAGES,
	ARGS = ARG_FIRST + POWERS
};

/* A complex number: CMPLX() does not exist everywhere; for finite numbers this is the same. */
static double complex
Complex(double re, double im)
{
	return re + im * _Complex_I;
}

/* ln(1 + z), accurate for small z. */
static double complex
Log1p(double complex z)
{
	double re = creal(z);
	double im = cimag(z);

	return Complex(0.5 * log1p(2 * re + re * re + im * im), atan2(im, 1 + re));
}

/* sum_j w_j sigma^j (1 + c tau)^-(r+j), or of 1 minus that power */
static double complex
OverStages(const double *arg, double complex sigma, double complex c, bool missing)
{
	double complex growth = Log1p(c * arg[ARG_TAU]);
	double complex power = cexp(-arg[ARG_R] * growth);
	double complex shrink = cexp(-growth);
	double complex root = 1;
	double complex sum = 0;

	for (int j = 0; j < (int) arg[ARG_STAGES]; j++)
	{
		sum += arg[ARG_WEIGHT + j] * root * (missing ? 1 - power : power);
		power *= shrink;
		root *= sigma;
	}
	return sum;
}

/* The same for the real root, where c may be anything. */
static double
OverStagesReal(const double *arg, double sigma, double c, bool missing)
{
	double growth = log1p(c * arg[ARG_TAU]);
	double root = 1;
	double sum = 0;

	for (int j = 0; j < (int) arg[ARG_STAGES]; j++)
	{
		double loss = -(arg[ARG_R] + j) * growth;

		sum += arg[ARG_WEIGHT + j] * root * (missing ? -expm1(loss) : exp(loss));
		root *= sigma;
	}
	return sum;
}

/* sum_l sigma/c ... / (k q); of conjugate roots one is enough */
static double
OverRoots(const double *arg, double p, bool missing)
{
	int k = (int) arg[ARG_K];
	double ln_root = log1p(-p) / k;
	double root = exp(ln_root);
	double c = -expm1(ln_root);
	double sum = root / c * OverStagesReal(arg, root, c, missing);

	for (int l = 1; 2 * l <= k; l++)
	{
		double complex sigma = root * Complex(cos(2 * PI * l / k), sin(2 * PI * l / k));

		sum += (2 * l == k ? 1 : 2) *
			   creal(sigma / (1 - sigma) * OverStages(arg, sigma, 1 - sigma, missing));
	}
	return sum / (k * (1 - p));
}

/* sum_i first[i] q^i */
static double
FirstPowers(const double *arg, double q)
{
	double sum = 0;

	for (int i = POWERS - 1; i >= 0; i--)
		sum = sum * q + arg[ARG_FIRST + i];
	return sum;
}

/* E[X] given p. */
static double
ExpectedKernel(double p, const double *arg)
{
	return 1 - p < SMALL_STAY ? FirstPowers(arg, 1 - p) : OverRoots(arg, p, true);
}

/* P(alive) given p. */
static double
SurvivalKernel(double p, const double *arg)
{
	return 1 - p < SMALL_STAY ? FirstPowers(arg, 1 - p) : fmax(p * OverRoots(arg, p, false), 0);
}

/* E[X] or P(alive) at t, by the mean over the dropout probability. */
static double
OverBeta(const ClvErlang *customer, double t, bool alive)
{
	double arg[ARGS] = {customer->k, customer->r, t / customer->alpha, customer->stages};
	Events events = EventsFrom(customer, t, 0);
	double left = (customer->r + customer->k) * arg[ARG_TAU];

	memcpy(arg + ARG_WEIGHT, customer->weight, customer->stages * sizeof(double));
	for (int i = 0; i < POWERS; i++)
		arg[ARG_FIRST + i] = alive ? NextPurchase(&events) : AtLeast(customer, i + 1, t);
	return clv_beta_mean(customer->a, customer->b, alive ? SurvivalKernel : ExpectedKernel, arg,
						 left, alive ? left : customer->r + 1, customer->r + customer->k);
}

double
clv_erlang_expected(const ClvErlang *customer, double t)
{
	if (t == 0)
		return 0;
	return AreFew(customer, t) ? OverEvents(customer, t).expected : OverBeta(customer, t, false);
}

double
clv_erlang_survival(const ClvErlang *customer, double t)
{
	if (t == 0)
		return 1;
	return fmin(AreFew(customer, t) ? OverEvents(customer, t).alive : OverBeta(customer, t, true),
				1);
}

/* ---- discounting over an infinite horizon ---- */

/* 1 / (p + (1 - p) missing) */
static double
PerpetualKernel(double p, const double *arg)
{
	return 1 / (p + (1 - p) * arg[0]);
}

/* ln of the density of ln x, x ~ Gamma(shape, 1) */
static double
LnGammaDensity(double shape, double ln_x)
{
	double v = ln_x - log(shape);

	return shape * (v - expm1(v)) + 0.5 * log(shape / (2 * PI)) - clv_stirling_rest(shape);
}

/*
 * The integrand at x = lambda alpha, with omega = delta alpha; alike: all customers have this x,
 * without a density.
 */
static double
PerpetualAt(const ClvErlang *customer, double omega, double ln_x, bool alike)
{
	int k = customer->k;
	double ln_phi = -log1p(omega * exp(-ln_x));
	double missing = -expm1(k * ln_phi);
	double sum = 0;

	for (int j = 0; j < customer->stages; j++)
		sum += customer->weight[j] *
			   exp((alike ? 0 : LnGammaDensity(customer->r + j, ln_x)) + (k - j) * ln_phi);
	if (sum == 0)
		return 0;
	return sum *
		   clv_beta_mean(customer->a, customer->b, PerpetualKernel, &missing, 1 / missing, 1, 1);
}

/* A density this narrow, relative to its mean, is a point. */
#define POINT 1e-9

/* The discounted expected purchases over an infinite horizon, omega = delta alpha. */
static double
Perpetual(const ClvErlang *customer, double omega)
{
	double shape = customer->r + customer->k;
	double step = fmin(0.2, 0.6 / sqrt(shape));
	double middle = log(shape);
	double sum;

	if (step < POINT * (1 + fabs(middle)))
		return PerpetualAt(customer, omega, middle, true);
	sum = PerpetualAt(customer, omega, middle, false);

	for (int side = -1; side <= 1; side += 2)
	{
		double before = 0;

		for (double y = middle + side * step; fabs(y) < 1500; y += side * step)
		{
			double now = PerpetualAt(customer, omega, y, false);

			sum += now;
			if (now <= NEGLIGIBLE * sum && now <= before)
				break;
			before = now;
		}
	}
	return step * sum;
}

/* ---- discounting until t ---- */

/* Horizons of more than this many units of delta t are infinite. */
#define PERPETUAL_FROM 100.0

/*
 * The width of a panel at s: near singularities on the left it is small, and where E[X]
 * oscillates, while customers with similar rates are still in phase.
 */
static double
Stride(const ClvErlang *customer, double delta, double s)
{
	double shape = customer->r + customer->k;
	double width = fmin(0.8 * (s + customer->alpha / 2), 6 / delta);
	double damping = customer->k < 4 ? 1 : 1 - cos(2 * PI / customer->k);

	if (customer->r * s / (customer->alpha + s) * damping > 40)
		return fmin(width, fmax(s / 3, 6 * (customer->alpha + s) / shape));
	return fmin(width, 6 * (customer->alpha + s) / shape);
}

/* The discounted expected purchases until t, in panels. */
static double
DiscountedUntil(const ClvErlang *customer, double delta, double t)
{
	double sum = exp(-delta * t) * clv_erlang_expected(customer, t);

	for (double s = 0, end; s < t; s = end)
	{
		double stride = Stride(customer, delta, s);
		ClvGaussNode nodes[CLV_GAUSS_MOST];
		int n;

		end = stride < t - s ? s + stride : t;
		if (!(end > s))
			return NAN;
		n = clv_gauss_nodes(&clv_gauss_16, s, end, nodes);
		for (int i = 0; i < n; i++)
			sum += nodes[i].weight * delta * exp(-delta * nodes[i].at) *
				   clv_erlang_expected(customer, nodes[i].at);
	}
	return sum;
}

double
clv_erlang_discounted(const ClvErlang *customer, double delta, double t)
{
	if (t == 0)
		return 0;
	if (delta == 0 && isinf(t))
		return customer->a > 1 ? (customer->a + customer->b - 1) / (customer->a - 1) : INFINITY;
	if (delta == 0)
		return clv_erlang_expected(customer, t);
	if (isinf(t) || delta * t > PERPETUAL_FROM)
		return Perpetual(customer, delta * customer->alpha);
	return DiscountedUntil(customer, delta, t);
}

/* ---- how many purchases ---- */

double
clv_erlang_probability(const ClvErlang *customer, double n, double t)
{
	Events events = EventsFrom(customer, t, n * customer->k);
	double exactly;

	if (t == 0)
		return n == 0 ? 1 : 0;
	exactly = NextPurchase(&events);
	if (n == 0)
		return fmin(exactly, 1);
	return exp(clv_log_beta_rising(customer->a, customer->b, n)) *
		   (exactly + customer->a / (customer->b + (n - 1)) * AtLeast(customer, n, t));
}

/*
 * Three passes: upwards for exactly n, downwards to add the tail from its small end, upwards
 * again for the probability of having stayed.
 */
void
clv_erlang_probabilities(const ClvErlang *customer, double t, int count, double *p)
{
	Events events = EventsFrom(customer, t, 0);
	double at_least;
	double survived = 1;

	for (int n = 0; n < count; n++)
		p[n] = t == 0 ? n == 0 : NextPurchase(&events);
	if (t == 0)
		return;
	at_least = AtLeast(customer, count, t);
	for (int n = count - 1; n > 0; n--)
	{
		at_least += p[n];
		p[n] += customer->a / (customer->b + (n - 1)) * at_least;
	}
	for (int n = 1; n < count; n++)
	{
		survived *= (customer->b + (n - 1)) / (customer->a + customer->b + (n - 1));
		p[n] *= survived;
	}
}
