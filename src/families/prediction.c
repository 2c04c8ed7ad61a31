/*
 * prediction.c
 *		Predictions for known customers from those for newcomers.
 *
 * Given alive at T, a customer with a history is a newcomer of updated parameters; customers
 * who have left buy nothing. So every expectation is P(alive) times a newcomer's, and to a
 * distribution 1 - P(alive) is added at zero.
 */
#include "families/clocks.h"
#include "families/family.h"

#include <float.h>
#include <math.h>

/* How far rounding may keep a sum of probabilities below its exact value. */
#define ROUNDING 1e-15

/* A newcomer's quantity times P(alive), which may be below any double when the product is not. */
static double
TimesAlive(double ln_p_alive, double quantity)
{
	double p_alive = exp(ln_p_alive);

	if (quantity == 0 || isinf(ln_p_alive))
		return 0;
	if (isinf(quantity))
		return quantity;
	return p_alive > DBL_MIN ? p_alive * quantity : exp(ln_p_alive + log(quantity));
}

/* Beyond this number doubles do not hold every whole number of periods. */
#define MOST_WHOLE_PERIODS 9e15

bool
clv_possible(const ClvFamily *family, double x, double t_x, double T)
{
	if (!(x >= 0 && x < INFINITY && x == floor(x) && t_x >= 0 && t_x <= T && T < INFINITY))
		return false;
	if (family->clock != CLV_CONTINUOUS && T > MOST_WHOLE_PERIODS)
		return false;
	if (family->clock == CLV_OPPORTUNITIES)
		return T == floor(T) && t_x == floor(t_x) && x <= t_x && (x > 0 || t_x == 0);
	if (family->clock == CLV_RENEWALS)
		return T == floor(T) && x == t_x;
	return true;
}

double
clv_future_expected(const ClvFuture *future, double t)
{
	const ClvFamily *family = future->family;

	return future->clocks == NULL
			   ? family->expected(future->param, t)
			   : family->clocked->expected(family, future->param, future->clocks, t);
}

double
clv_future_probability(const ClvFuture *future, double n, double t)
{
	const ClvFamily *family = future->family;

	return future->clocks == NULL
			   ? family->probability(future->param, n, t)
			   : family->clocked->probability(family, future->param, future->clocks, n, t);
}

void
clv_future_probabilities(const ClvFuture *future, double t, int count, double *p)
{
	const ClvFamily *family = future->family;

	if (future->clocks == NULL)
		family->probabilities(future->param, t, count, p);
	else
		family->clocked->probabilities(family, future->param, future->clocks, t, count, p);
	/* those that are sums may be beyond it by rounding */
	for (int n = 0; n < count; n++)
		p[n] = fmin(p[n], 1);
}

double
clv_future_pairs(const ClvFuture *future, double t)
{
	const ClvFamily *family = future->family;

	if (family->pairs == NULL)
		return NAN;
	return future->clocks == NULL
			   ? family->pairs(future->param, t)
			   : family->clocked->pairs(family, future->param, future->clocks, t);
}

double
clv_future_discounted(const ClvFuture *future, double delta, double t)
{
	const ClvFamily *family = future->family;

	return future->clocks == NULL
			   ? family->discounted(future->param, delta, t)
			   : family->clocked->discounted(family, future->param, future->clocks, delta, t);
}

double
clv_future_survival(const ClvFuture *future, double t)
{
	const ClvFamily *family = future->family;

	return future->clocks == NULL
			   ? family->survival(future->param, t)
			   : family->clocked->survival(family, future->param, future->clocks, t);
}

void
clv_given_alive(const ClvFamily *family, const double *param, double x, double t_x, double T,
				ClvFuture *future)
{
	future->clocks = NULL;
	if (family->given_alive != NULL)
		family->given_alive(param, x, T, future);
	else
		family->given_alive_since(param, x, t_x, T, future);
}

double
clv_expected_given(const ClvFamily *family, const double *param, double x, double t_x, double T,
				   double t)
{
	ClvFuture future;

	clv_given_alive(family, param, x, t_x, T, &future);
	return TimesAlive(family->ln_p_alive(param, x, t_x, T),
					  future.family->expected(future.param, t));
}

double
clv_discounted_given(const ClvFamily *family, const double *param, double x, double t_x, double T,
					 double delta, double t)
{
	ClvFuture future;

	clv_given_alive(family, param, x, t_x, T, &future);
	return TimesAlive(family->ln_p_alive(param, x, t_x, T),
					  future.family->discounted(future.param, delta, t));
}

double
clv_probability_given(const ClvFamily *family, const double *param, double x, double t_x, double T,
					  double n, double t)
{
	double ln_p_alive = family->ln_p_alive(param, x, t_x, T);
	ClvFuture future;
	double p;

	clv_given_alive(family, param, x, t_x, T, &future);
	p = TimesAlive(ln_p_alive, future.family->probability(future.param, n, t));
	return n == 0 ? fmin(p - expm1(ln_p_alive), 1) : p;
}

int
clv_quantile_of(double p_alive, double level, int count, const double *p)
{
	double sum = 1 - p_alive;

	for (int n = 0; n < count; n++)
	{
		sum += p_alive * p[n];
		if (sum >= level || (level - sum < ROUNDING && p[n] < ROUNDING))
			return n;
	}
	return -1;
}

int
clv_quantile_given(const ClvFuture *future, double p_alive, double t, double level, int count,
				   double *p)
{
	clv_future_probabilities(future, t, count, p);
	return clv_quantile_of(p_alive, level, count, p);
}
