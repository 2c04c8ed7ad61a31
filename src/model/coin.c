/*
 * coin.c
 *		Buy-till-you-die with a coin: the mathematics of bg/nbd and mbg/nbd.
 */
#include "model/coin.h"

#include <float.h>
#include <math.h>

#include "math/special.h"

extern const ClvFamily clv_bgnbd;

typedef struct Coin
{
	double		r;
	double		alpha;
	double		a;
	double		b;
	double		survive;		/* P(alive right after the first purchase) */
} Coin;

/* The newcomer of bg/nbd who is behind one of either family. */
static Coin
Newcomer(const double *param, int toss)
{
	Coin		coin = {param[0], param[1], param[2], param[3], 1};

	if (toss)
	{
		coin.survive = coin.b / (coin.a + coin.b);
		coin.b += 1;
	}
	return coin;
}

/* ---- histories ---- */

double
clv_coin_ln_p_alive(const double *param, double x, double t_x, double T, int toss)
{
	double		flips = x + toss;

	if (flips == 0)
		return 0;
	return -clv_log1pexp(log(param[2] / (param[3] + flips - 1)) +
						 (param[0] + x) * log1p((T - t_x) / (param[1] + t_x)));
}

double
clv_coin_log_likelihood(const double *param, double x, double t_x, double T, int toss)
{
	double		r = param[0];
	double		alpha = param[1];
	double		a = param[2];
	double		b = param[3];
	double		flips = x + toss;

	return clv_log_rising(r, x) - x * log(alpha + T) - r * log1p(T / alpha) +
		clv_log_rising(b, flips) - clv_log_rising(a + b, flips) -
		clv_coin_ln_p_alive(param, x, t_x, T, toss);
}

void
clv_coin_given_alive(const double *param, double x, double T, int toss, ClvFuture *future)
{
	future->family = &clv_bgnbd;
	future->param[0] = param[0] + x;
	future->param[1] = param[1] + T;
	future->param[2] = param[2];
	future->param[3] = param[3] + x + toss;
}

/* ---- expectations over the coin ---- */

typedef double (*Kernel) (double p, const double *arg);

/* E over p ~ Beta(a,b) of kernel(p), by the trapezoid rule in ln(p / (1 - p)). */
static double
OverCoin(double a, double b, Kernel kernel, const double *arg, double scale_left, double scale_right)
{
	double		step = fmin(0.26, 0.42 * sqrt(1 / a + 1 / b));
	double		mode = log(a / b);
	double		sum = 0;
	double		mass = 0;
	double		base = -a * log1p(b / a) - b * log1p(a / b);

	for (int side = -1; side <= 1; side += 2)
	{
		double		end = side < 0 ? -log(scale_left + a + b) - 12 : log(scale_right + a + b) + 12;
		double		power = side < 0 ? a : b;
		double		weights[3] = {0, 0, 0};
		double		terms[3] = {0, 0, 0};
		double		y = side < 0 ? mode : mode + step;

		for (;; y += side * step)
		{
			double		e = exp(-fabs(y));
			double		l = log1p(e);
			double		p = y < 0 ? e / (1 + e) : 1 / (1 + e);
			double		ln_p = y < 0 ? y - l : -l;
			double		ln_q = y < 0 ? -l : -y - l;
			double		weight = exp(a * ln_p + b * ln_q - base);
			double		term = weight * kernel(p, arg);

			sum += term;
			mass += weight;
			for (int i = 0; i < 2; i++)
			{
				weights[i] = weights[i + 1];
				terms[i] = terms[i + 1];
			}
			weights[2] = weight;
			terms[2] = term;
			if (side * (y - mode) > 3 * step && term <= 1e-18 * sum && weight <= 1e-18 * mass)
				break;
			if (side * (y - end) > 0 && side * (y - mode) > 3 * step)
			{
				/* geometric tails: fit c0 + c1 X + c2 X^2 to the last three, X = e^-|y| */
				double		rho = exp(step);
				double		out[2];

				for (int s = 0; s < 2; s++)
				{
					double	   *v = s ? terms : weights;
					double		g0 = v[2];
					double		g1 = v[1] * exp(-power * step);
					double		g2 = v[0] * exp(-2 * power * step);
					double		d1 = (g1 - g0) / (rho - 1);
					double		d2 = (g2 - g1) / (rho * rho - rho);
					double		c2 = (d2 - d1) / (rho * rho - 1);
					double		c1 = d1 - c2 * (1 + rho);
					double		c0 = g0 - c1 - c2;

					out[s] = c0 / expm1(power * step) + c1 / expm1((power + 1) * step) +
						c2 / expm1((power + 2) * step);
				}
				mass += out[0];
				sum += out[1];
				break;
			}
		}
	}
	return sum / mass;
}

/* (1 - (1 + p tau)^-r) / p */
static double
ExpectedKernel(double p, const double *arg)
{
	double		u = p * arg[1];

	return p < 1e-300 ? arg[0] * arg[1] : -expm1(-arg[0] * log1p(u)) / p;
}

/* (1 + p tau)^-A */
static double
RateKernel(double p, const double *arg)
{
	return exp(-arg[0] * log1p(p * arg[1]));
}

double
clv_coin_expected(const double *param, double t, int toss)
{
	Coin		coin = Newcomer(param, toss);
	double		arg[2] = {coin.r, t / coin.alpha};

	if (t == 0)
		return 0;
	if (isinf(t))
		return coin.a > 1 ? coin.survive * (coin.a + coin.b - 1) / (coin.a - 1) : INFINITY;
	return coin.survive * OverCoin(coin.a, coin.b, ExpectedKernel, arg, (coin.r + 1) * arg[1],
								   coin.r + 1);
}

double
clv_coin_survival(const double *param, double t, int toss)
{
	Coin		coin = Newcomer(param, toss);
	double		arg[2] = {coin.r, t / coin.alpha};

	return coin.survive * OverCoin(coin.a, coin.b, RateKernel, arg, coin.r * arg[1], coin.r);
}

/* int_0^inf e^(-delta u) of the purchase rate given p, r alpha delta > 0 */
static double
DiscountedKernel(double p, const double *arg)
{
	double		w = arg[1] / p;

	if (p < 1e-300 || w > 1e200)
		return arg[0] / arg[1];
	return arg[0] / p * clv_expint_scaled(arg[0] + 1, w);
}

/* The same up to tau = t / alpha: what lies beyond is taken away. */
static double
DiscountedUntilKernel(double p, const double *arg)
{
	double		w = arg[1] / p;
	double		tau = arg[2];
	double		beyond;

	if (p < 1e-300 || w > 1e200)
		return -arg[0] / arg[1] * expm1(-arg[1] * tau);
	beyond = exp(-arg[1] * tau - arg[0] * log1p(p * tau));
	return arg[0] / p *
		(clv_expint_scaled(arg[0] + 1, w) - beyond * clv_expint_scaled(arg[0] + 1, w + arg[1] * tau));
}

double
clv_coin_discounted(const double *param, double delta, double t, int toss)
{
	Coin		coin = Newcomer(param, toss);
	double		arg[3] = {coin.r, delta * coin.alpha, t / coin.alpha};

	if (delta == 0)
		return clv_coin_expected(param, t, toss);
	if (t == 0)
		return 0;
	if (isinf(t))
		return coin.survive * OverCoin(coin.a, coin.b, DiscountedKernel, arg,
									   (coin.r + 1) / arg[1], coin.r + 1);
	return coin.survive * OverCoin(coin.a, coin.b, DiscountedUntilKernel, arg,
								   (coin.r + 1) * (arg[2] + 1 / arg[1]), coin.r + 1);
}

/* ---- how many purchases ---- */

double
clv_coin_probability(const double *param, double n, double t, int toss)
{
	Coin		coin = Newcomer(param, toss);
	double		y = coin.alpha / (coin.alpha + t);
	double		z = t / (coin.alpha + t);
	double		c = coin.a + coin.b;
	double		p;

	if (n == 0)
		return (1 - coin.survive) + coin.survive * exp(-coin.r * log1p(t / coin.alpha));
	if (t == 0)
		return 0;
	else
	{
		/* alive after n purchases, and no more came; or n came at least, and the n-th was the last */
		double		survived = clv_log_rising(coin.b, n - 1) - clv_log_rising(c, n - 1);
		double		exactly = clv_ln_beta_kernel(n, coin.r, z, y) - log(n);
		double		less;
		double		more;

		clv_beta_tails(n, coin.r, z, y, &more, &less);
		p = exp(survived + exactly) * ((coin.b + n - 1) / (c + n - 1)) +
			exp(survived) * coin.a / (c + n - 1) * more;
	}
	return coin.survive * p;
}

void
clv_coin_probabilities(const double *param, double t, int count, double *p, int toss)
{
	for (int n = 0; n < count; n++)
		p[n] = clv_coin_probability(param, n, t, toss);
}
