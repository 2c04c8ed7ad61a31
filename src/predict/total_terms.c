/*
 * total_terms.c
 *		What a customer adds to a total, with its variance and its gradients.
 *
 * Derivatives are central differences: families know how to compute quantities at
 * any parameters, and a confidence interval needs six digits at most. What depends
 * on purchases and age alone is kept in the memo, derivatives included.
 */
#include "predict/total.h"

#include <math.h>

#include "families/clocks.h"

/* Step on the scale of the fit: truncation and rounding errors both stay near 1e-8. */
#define STEP 0x1p-12

/*
 * The memo's numbers behind those of the site: E[N^2], and the derivatives of two quantities by
 * each number that is moved: the parameters and, of models with a calendar, the effects.
 */
enum
{
	SECOND = CLV_MEMO_KINDS,
	EXPECTED_BY,
	WIDTH = EXPECTED_BY + 2 * CLV_MAX_PARAMS,
	MOST_WIDTH = EXPECTED_BY + 2 * CLV_MAX_DIM
};

const int clv_total_memo_width = WIDTH;

/* One customer's numbers. */
typedef struct Addend
{
	double p; /* P(alive) */
	double p_by[CLV_MAX_DIM];
	double alive[MOST_WIDTH]; /* given alive: the memo's numbers */
	double spend;
	double spend_by[CLV_MAX_PARAMS];
	double spend_variance; /* of the spend in the horizon */
} Addend;

/* The parameters with one of them moved by a step on the scale of the fit. */
static void
Step(const ClvFamily *family, const double *param, int i, double step, double *out)
{
	memcpy(out, param, family->nparams * sizeof(double));
	out[i] = clv_moved(family->transform[i], param[i], step);
}

/* The parameters of a model, and with a calendar its timeline, else NULL. */
typedef struct Point
{
	double param[CLV_MAX_PARAMS];
	ClvTimeline *timeline;
} Point;

/* How many numbers of a model are moved. */
static int
Numbers(const ClvModelPart *part)
{
	return part->calendar != NULL ? clv_model_dimension(part) : part->family->nparams;
}

/* Where the derivatives of discounted purchases are in the memo. */
static int
DiscountedBy(const ClvModelPart *part)
{
	return EXPECTED_BY + (part->calendar != NULL ? Numbers(part) : CLV_MAX_PARAMS);
}

/*
 * Whether derivatives by a number are differences: by parameters and effects of the calendar. Those
 * by effects of the customers' covariates follow from those by parameters.
 */
static bool
IsMoved(const ClvModelPart *part, int i)
{
	int effect = i - part->family->nparams;

	return effect < 0 || effect % part->ncovariates >= clv_model_own_covariates(part);
}

/* Whether a number was estimated, so that totals need the derivative by it. */
static bool
IsEstimated(const ClvModelPart *part, int i)
{
	if (!part->has_covariance || !IsMoved(part, i))
		return false;
	return i < part->family->nparams ? part->family->transform[i] != CLV_FIXED
									 : part->covariance[CLV_AT(i, i)] > 0;
}

/* The point of the model, with number i moved by a step, or none (i < 0). */
static Point
PointAt(const ClvModelSite *site, int i, double step)
{
	const ClvModelPart *part = &site->fitted->purchase;
	double unit_days = site->fitted->unit_days;
	int nparams = part->family->nparams;
	Point point = {.timeline = NULL};

	memcpy(point.param, part->param, sizeof(point.param));
	if (i >= 0 && i < nparams)
		Step(part->family, part->param, i, step, point.param);
	if (part->calendar != NULL)
		point.timeline = i < nparams ? clv_timeline(part, unit_days)
									 : clv_timeline_moved(part, unit_days, i - nparams, step);
	return point;
}

/* P(alive) at a point. */
static double
PAliveAt(const ClvFamily *family, const ClvCustomer *c, const Point *point)
{
	if (point->timeline == NULL)
		return exp(family->ln_p_alive(point->param, c->x, c->t_x, c->T));
	return clv_timeline_p_alive(point->timeline, family, point->param, c);
}

/* The future of a customer given alive, at a point. */
static void
FutureAt(const ClvFamily *family, const ClvCustomer *c, const Point *point, ClvFuture *future)
{
	if (point->timeline == NULL)
	{
		clv_given_alive(family, point->param, c->x, c->t_x, c->T, future);
		return;
	}
	family->clocked->given_alive(family, point->param, c->x,
								 clv_clocks_until_day(point->timeline, c->first, c->as_of), c->t_x,
								 c->T, future);
	future->clocks = clv_clocks_from_day(point->timeline, c->as_of);
}

/* Expected and discounted purchases given alive, at a point. */
static void
AliveAt(const ClvModelSite *site, const ClvCustomer *c, Point point, double *expected,
		double *discounted)
{
	ClvFuture future;

	FutureAt(site->fitted->purchase.family, c, &point, &future);
	*expected = clv_future_expected(&future, site->terms.horizon);
	*discounted = site->terms.delta == 0
					  ? *expected
					  : clv_discounted(&future, site->terms.delta, site->terms.horizon);
}

/*
 * Fills in the memo's numbers of the customer: expectations and their derivatives by each
 * parameter, then E[N^2 | alive].
 */
static void
EvaluateMemo(const ClvModelSite *site, const ClvCustomer *c, double *value)
{
	const ClvModelPart *part = &site->fitted->purchase;
	ClvFuture future;

	AliveAt(site, c, PointAt(site, -1, 0), &value[CLV_MEMO_EXPECTED], &value[CLV_MEMO_DISCOUNTED]);
	clv_future_of(site->fitted, c, site->terms.horizon, &future);
	for (int i = 0; i < Numbers(part); i++)
	{
		double *discounted_by = &value[DiscountedBy(part) + i];
		double expected[2];
		double discounted[2];

		value[EXPECTED_BY + i] = *discounted_by = 0;
		if (!IsEstimated(part, i))
			continue;
		AliveAt(site, c, PointAt(site, i, STEP), &expected[0], &discounted[0]);
		AliveAt(site, c, PointAt(site, i, -STEP), &expected[1], &discounted[1]);
		value[EXPECTED_BY + i] = (expected[0] - expected[1]) / (2 * STEP);
		*discounted_by = (discounted[0] - discounted[1]) / (2 * STEP);
	}
	/* the last one: it marks that the others are filled in */
	value[SECOND] = clv_second_moment(&future, site->terms.horizon);
}

/* P(alive), its derivatives, and the memo's numbers of the customer. */
static void
Purchases(ClvModelSite *site, const ClvCustomer *c, Addend *a)
{
	const ClvModelPart *part = &site->fitted->purchase;
	const ClvFamily *family = part->family;
	ClvMemoKey key = clv_site_key(site, c);
	int width = DiscountedBy(part) + Max(Numbers(part), CLV_MAX_PARAMS);
	double *value;

	if (site->memo.width != width)
		clv_memo_change_width(&site->memo, width);
	value = clv_memo_values(&site->memo, &key);
	if (isnan(value[SECOND]))
		EvaluateMemo(site, c, value);
	memcpy(a->alive, value, width * sizeof(double));
	a->p = clv_checked(clv_site_p_alive(site, c), "P(alive)", c);
	for (int i = 0; i < Numbers(part); i++)
	{
		Point up;
		Point down;

		a->p_by[i] = 0;
		if (!IsEstimated(part, i))
			continue;
		up = PointAt(site, i, STEP);
		down = PointAt(site, i, -STEP);
		a->p_by[i] = (PAliveAt(family, c, &up) - PAliveAt(family, c, &down)) / (2 * STEP);
	}
}

/* Expected spend per purchase, its derivatives, and the variance of the spend in the horizon. */
static void
Spend(ClvModelSite *site, const ClvCustomer *c, Addend *a)
{
	const ClvModelPart *part = &site->fitted->spend;
	const ClvFamily *family = part->family;
	double expected = a->alive[CLV_MEMO_EXPECTED];
	double square;
	double product;

	a->spend = clv_spend_of(site->fitted, c);
	for (int i = 0; i < family->nparams; i++)
	{
		double up[CLV_MAX_PARAMS];
		double down[CLV_MAX_PARAMS];

		Step(family, part->param, i, STEP, up);
		Step(family, part->param, i, -STEP, down);
		a->spend_by[i] = (family->expected_spend(up, c->spend_x, c->mean) -
						  family->expected_spend(down, c->spend_x, c->mean)) /
						 (2 * STEP);
	}
	family->spend_squares(part->param, c->spend_x, c->mean, &square, &product);
	a->spend_variance = 0;
	if (a->p > 0 && expected > 0)
		a->spend_variance = a->p * (expected * square + (a->alive[SECOND] - expected) * product) -
							pow(a->p * expected * a->spend, 2);
}

/*
 * Adds a gradient by parameters, and from it the gradient by effects: a parameter of a customer
 * with covariates z, less their centres, has the log of the model's plus effect times gamma'z. The
 * gradient has that by effects of the calendar already.
 */
static void
AddGradient(ClvExactSum *sum, const ClvModelSite *site, const double *gradient)
{
	const ClvModelPart *part = &site->fitted->purchase;
	const ClvFamily *family = part->family;
	int n = part->ncovariates;
	double purchase = 0;
	double churn = 0;

	for (int i = 0; i < family->nparams; i++)
	{
		clv_exact_add(&sum[i], gradient[i]);
		purchase += family->purchase_effect[i] * gradient[i];
		churn += family->churn_effect[i] * gradient[i];
	}
	for (int i = family->nparams; i < Numbers(part); i++)
		if (IsMoved(part, i))
			clv_exact_add(&sum[i], gradient[i]);
	for (int j = 0; j < clv_model_own_covariates(part); j++)
	{
		clv_exact_add(&sum[family->nparams + j], purchase * site->z[j]);
		clv_exact_add(&sum[family->nparams + n + j], churn * site->z[j]);
	}
}

/* Adds a gradient by the parameters of the spend, times a factor, and that by its effects. */
static void
AddSpendGradient(ClvExactSum *sum, const ClvModelSite *site, double factor, const double *gradient)
{
	const ClvModelPart *part = &site->fitted->spend;
	double spend = 0;

	for (int i = 0; i < part->family->nparams; i++)
	{
		clv_exact_add(&sum[i], factor * gradient[i]);
		spend += part->family->purchase_effect[i] * gradient[i];
	}
	for (int j = 0; j < part->ncovariates; j++)
		clv_exact_add(&sum[part->family->nparams + j], factor * spend * site->spend_z[j]);
}

/* The relative standard deviation of what a common shock makes of a customer's horizon. */
static double
Shock(ClvTotal *total, const ClvModelSite *site, const ClvCustomer *customer)
{
	const ClvModel *fitted = site->fitted;

	if (total->shock_horizon != site->terms.horizon || total->shock_as_of != customer->as_of)
	{
		total->shock = sqrt(clv_model_shock_variance(fitted, customer->as_of,
													 site->terms.horizon * fitted->unit_days));
		total->shock_horizon = site->terms.horizon;
		total->shock_as_of = customer->as_of;
	}
	return total->shock;
}

/* Adds what a common shock moves a customer's purchases and value by. */
static void
AddShock(ClvTotal *total, ClvModelSite *site, const ClvCustomer *customer, double purchases,
		 double value)
{
	ClvExactSum *sum = total->sum + total->nsums - CLV_TOTAL_SHOCKS;
	double shock;

	if (site->fitted->shock.sd == 0)
		return;
	shock = Shock(total, site, customer);
	clv_exact_add(&sum[0], shock * purchases);
	clv_exact_add(&sum[1], shock * value);
}

/* Adds a variance, which rounding must not make negative. */
static void
AddVariance(ClvExactSum *sum, double variance)
{
	clv_exact_add(sum, isnan(variance) ? variance : Max(variance, 0));
}

void
clv_total_add(ClvTotal *total, ClvModelSite *site, const ClvCustomer *customer, double margin)
{
	const ClvModelPart *part = &site->fitted->purchase;
	int dimension = clv_model_dimension(part);
	ClvExactSum *by = total->sum + CLV_TOTAL_GRADIENTS;
	double gradient[CLV_MAX_DIM];
	Addend a;
	double expected;
	double discounted;
	double worth;
	double value;

	Purchases(site, customer, &a);
	expected = a.alive[CLV_MEMO_EXPECTED];
	discounted = a.alive[CLV_MEMO_DISCOUNTED];
	total->customers++;
	clv_exact_add(&total->sum[CLV_TOTAL_PURCHASES],
				  clv_checked(a.p * expected, "the expected number of purchases", customer));
	AddVariance(&total->sum[CLV_TOTAL_PURCHASES_VARIANCE],
				a.p > 0 ? a.p * a.alive[SECOND] - pow(a.p * expected, 2) : 0);
	for (int i = 0; i < Numbers(part); i++)
		gradient[i] = a.p_by[i] * expected + a.p * a.alive[EXPECTED_BY + i];
	AddGradient(by, site, gradient);
	/* who buys nothing is worth nothing, even where the mean of a purchase does not exist */
	if (site->fitted->spend.family == NULL || a.p == 0)
	{
		AddShock(total, site, customer, a.p * expected, 0);
		return;
	}
	Spend(site, customer, &a);
	worth = margin * a.spend;
	value = clv_checked(worth * a.p * discounted, "the value", customer);
	clv_exact_add(&total->sum[CLV_TOTAL_VALUE], value);
	AddShock(total, site, customer, a.p * expected, value);
	if (expected > 0)
		AddVariance(&total->sum[CLV_TOTAL_VALUE_VARIANCE],
					pow(margin * discounted / expected, 2) * a.spend_variance);
	for (int i = 0; i < Numbers(part); i++)
		gradient[i] = worth * (a.p_by[i] * discounted + a.p * a.alive[DiscountedBy(part) + i]);
	AddGradient(by + dimension, site, gradient);
	AddSpendGradient(by + 2 * dimension, site, margin * a.p * discounted, a.spend_by);
}
