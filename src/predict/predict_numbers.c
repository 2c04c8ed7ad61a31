/*
 * predict_numbers.c
 *		The same quantities from numbers in place of a history: for summaries kept elsewhere,
 *		for comparison with the literature, and for what-if questions.
 *
 * x, t_x, t_cal and horizons are in the model's time unit, delta is a continuous discount
 * rate per unit; families of whole periods take an effective one. Nothing but the model is
 * kept between calls. Underflow gives 0, divergence Infinity. All functions are strict.
 */
#include "predict/predict_private.h"

#include <math.h>

#define MODEL 0

/* The model of argument 0, which must have a purchase part. */
static const ClvModel *
PurchaseModel(FunctionCallInfo fcinfo)
{
	const ClvModel *fitted = &clv_model_site(fcinfo)->model.fitted;

	clv_model_need_purchase(fitted);
	clv_need_no_covariates(fitted);
	clv_need_no_calendar(fitted);
	return fitted;
}

/* Checks what families of whole periods require: whole numbers, and x <= t_x, or x = t_x for
 * contracts. */
static void
CheckGrid(const ClvFamily *family, const ClvCustomer *c)
{
	if (family->clock != CLV_OPPORTUNITIES && family->clock != CLV_RENEWALS)
		return;
	clv_check_count("t_x", c->t_x);
	clv_check_count("t_cal", c->T);
	clv_check_few(family, "t_cal", c->T);
	if (family->clock == CLV_RENEWALS && c->x != c->t_x)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("x must equal t_x: %s, %s", clv_number_text(c->x), clv_number_text(c->t_x)),
				 errdetail("In model \"%s\" both are the number of renewals made, and t_cal is "
						   "the number that were possible.",
						   family->name)));
	if (c->x > c->t_x)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("x must not be greater than t_x: %s > %s", clv_number_text(c->x),
							   clv_number_text(c->t_x)),
						errdetail("Model \"%s\" counts at most one purchase a period: x of them up "
								  "to period t_x.",
								  family->name)));
}

/* Checks a horizon or an age: whole periods where the family counts them. */
static void
CheckTime(const ClvFamily *family, const char *what, double t)
{
	if (!clv_in_periods(family))
	{
		clv_check_time(what, t);
		return;
	}
	clv_check_count(what, t);
	clv_check_few(family, what, t);
}

/* The customer of arguments 1 to 3: x, t_x, t_cal; errors where they contradict each other. */
static ClvCustomer
Summary(FunctionCallInfo fcinfo, const ClvFamily *family)
{
	ClvCustomer customer = {.x = PG_GETARG_FLOAT8(1),
							.t_x = clv_age_at_last(PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)),
							.T = PG_GETARG_FLOAT8(3)};

	clv_check_count("x", customer.x);
	clv_check_time("t_x", customer.t_x);
	clv_check_time("t_cal", customer.T);
	if (customer.t_x > customer.T)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("t_x must not be greater than t_cal: %s > %s",
							   clv_number_text(customer.t_x), clv_number_text(customer.T)),
						errdetail("t_x is the age at the last purchase, t_cal the age today.")));
	CheckGrid(family, &customer);
	if (customer.x == 0 && customer.t_x > 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("t_x must be 0 where x is 0: %s", clv_number_text(customer.t_x)),
						errdetail("x counts repeat purchases: without one, the last purchase "
								  "is the first, at age 0.")));
	return customer;
}

/* The continuous discount rate; families of whole periods are given an effective rate per period.
 */
static double
Delta(const ClvFamily *family, double delta)
{
	if (clv_in_periods(family) && delta > -1 && isfinite(delta))
		return log1p(delta);
	if (clv_in_periods(family) || !isfinite(delta))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 clv_in_periods(family)
					 ? errmsg("delta must be a finite number greater than -1: %s",
							  clv_number_text(delta))
					 : errmsg("delta must be a finite number: %s", clv_number_text(delta)),
				 clv_in_periods(family)
					 ? errdetail("In model \"%s\" it is an effective discount rate per period.",
								 family->name)
					 : errdetail("It is a continuous discount rate per time unit of the "
								 "model.")));
	return delta;
}

/* clv_log_likelihood(model, x, t_x, t_cal) -> float8: log-likelihood of the ordered purchase times,
 * without x!. */
PG_FUNCTION_INFO_V1(clv_log_likelihood_number);
Datum
clv_log_likelihood_number(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer c = Summary(fcinfo, part->family);

	if (part->family->log_likelihood == NULL)
		clv_raise_unsupported(part->family, "likelihood of histories");
	PG_RETURN_FLOAT8(clv_checked(part->family->log_likelihood(part->param, c.x, c.t_x, c.T),
								 "the log-likelihood", &c));
}

/* clv_p_alive(model, x, t_x, t_cal, ahead) -> float8: P(alive so long after t_cal). */
PG_FUNCTION_INFO_V1(clv_p_alive_number);
Datum
clv_p_alive_number(PG_FUNCTION_ARGS)
{
	const ClvModel *fitted = PurchaseModel(fcinfo);
	ClvCustomer c = Summary(fcinfo, fitted->purchase.family);
	double ahead = PG_GETARG_FLOAT8(4);

	CheckTime(fitted->purchase.family, "ahead", ahead);
	PG_RETURN_FLOAT8(clv_checked(clv_p_alive_ahead(fitted, &c, ahead), "P(alive)", &c));
}

/* clv_expected_purchases(model, x, t_x, t_cal, horizon) -> float8: E[purchases in (t_cal, t_cal +
 * horizon]]. */
PG_FUNCTION_INFO_V1(clv_expected_purchases_number);
Datum
clv_expected_purchases_number(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer c = Summary(fcinfo, part->family);
	double horizon = PG_GETARG_FLOAT8(4);

	CheckTime(part->family, "horizon", horizon);
	PG_RETURN_FLOAT8(
		clv_checked(clv_expected_given(part->family, part->param, c.x, c.t_x, c.T, horizon),
					"the expected number of purchases", &c));
}

/* clv_expected_purchases(model, horizon) -> float8: E[repeat purchases of a new customer in (0,
 * horizon]]. */
PG_FUNCTION_INFO_V1(clv_expected_purchases_new);
Datum
clv_expected_purchases_new(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double horizon = PG_GETARG_FLOAT8(1);

	CheckTime(part->family, "horizon", horizon);
	PG_RETURN_FLOAT8(clv_checked(part->family->expected(part->param, horizon),
								 "the expected number of purchases", &newcomer));
}

/*
 * clv_purchase_probability(model, x, t_x, t_cal, n, horizon) -> float8: P(n purchases in (t_cal,
 * t_cal + horizon]).
 */
PG_FUNCTION_INFO_V1(clv_purchase_probability_number);
Datum
clv_purchase_probability_number(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer c = Summary(fcinfo, part->family);
	double n = PG_GETARG_FLOAT8(4);
	double horizon = PG_GETARG_FLOAT8(5);

	clv_check_count("n", n);
	CheckTime(part->family, "horizon", horizon);
	PG_RETURN_FLOAT8(
		clv_checked(clv_probability_given(part->family, part->param, c.x, c.t_x, c.T, n, horizon),
					"the probability", &c));
}

/* clv_purchase_probability(model, n, horizon) -> float8: P(n repeat purchases of a new customer in
 * (0, horizon]). */
PG_FUNCTION_INFO_V1(clv_purchase_probability_new);
Datum
clv_purchase_probability_new(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double n = PG_GETARG_FLOAT8(1);
	double horizon = PG_GETARG_FLOAT8(2);

	clv_check_count("n", n);
	CheckTime(part->family, "horizon", horizon);
	PG_RETURN_FLOAT8(clv_checked(part->family->probability(part->param, n, horizon),
								 "the probability", &newcomer));
}

/*
 * clv_active_probability(model, x, t_x, t_cal, horizon) -> float8: P(at least one purchase in
 * (t_cal, t_cal + horizon]).
 */
PG_FUNCTION_INFO_V1(clv_active_probability_number);
Datum
clv_active_probability_number(PG_FUNCTION_ARGS)
{
	const ClvModel *fitted = PurchaseModel(fcinfo);
	ClvCustomer c = Summary(fcinfo, fitted->purchase.family);
	double horizon = PG_GETARG_FLOAT8(4);
	ClvFuture future;

	CheckTime(fitted->purchase.family, "horizon", horizon);
	clv_future_of(fitted, &c, horizon, &future);
	PG_RETURN_FLOAT8(clv_checked(
		clv_times_alive(fitted, &c, 1 - future.family->probability(future.param, 0, horizon)),
		"the probability", &c));
}

/* clv_active_probability(model, horizon) -> float8: P(a new customer buys again in (0, horizon]).
 */
PG_FUNCTION_INFO_V1(clv_active_probability_new);
Datum
clv_active_probability_new(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double horizon = PG_GETARG_FLOAT8(1);

	CheckTime(part->family, "horizon", horizon);
	PG_RETURN_FLOAT8(clv_checked(1 - part->family->probability(part->param, 0, horizon),
								 "the probability", &newcomer));
}

/*
 * clv_purchase_quantile(model, x, t_x, t_cal, horizon, level) -> float8: smallest n with
 * P(purchases <= n) >= level.
 */
PG_FUNCTION_INFO_V1(clv_purchase_quantile_number);
Datum
clv_purchase_quantile_number(PG_FUNCTION_ARGS)
{
	const ClvModel *fitted = PurchaseModel(fcinfo);
	ClvCustomer c = Summary(fcinfo, fitted->purchase.family);
	double horizon = PG_GETARG_FLOAT8(4);
	double level = PG_GETARG_FLOAT8(5);
	ClvFuture future;

	CheckTime(fitted->purchase.family, "horizon", horizon);
	clv_check_level(level);
	clv_future_of(fitted, &c, horizon, &future);
	PG_RETURN_FLOAT8(clv_count_quantile(&future, clv_p_alive_of(fitted, &c), horizon, level));
}

/*
 * clv_discounted_purchases(model, x, t_x, t_cal, delta, horizon) -> float8: expected purchases,
 * each discounted by exp(-delta u) at u after t_cal; horizon Infinity: without end (DERT).
 */
PG_FUNCTION_INFO_V1(clv_discounted_purchases_number);
Datum
clv_discounted_purchases_number(PG_FUNCTION_ARGS)
{
	const ClvModel *fitted = PurchaseModel(fcinfo);
	const ClvModelPart *part = &fitted->purchase;
	ClvCustomer c = Summary(fcinfo, part->family);
	double delta = Delta(part->family, PG_GETARG_FLOAT8(4));
	double horizon = PG_GETARG_FLOAT8(5);
	double purchases;

	if (!isinf(horizon) || horizon < 0)
		CheckTime(part->family, "horizon", horizon);
	if (delta >= 0 && part->family->discounted != NULL)
		purchases =
			clv_discounted_given(part->family, part->param, c.x, c.t_x, c.T, delta, horizon);
	else
	{
		ClvFuture future;

		clv_future_of(fitted, &c, horizon, &future);
		purchases = clv_times_alive(fitted, &c, clv_discounted(&future, delta, horizon));
	}
	PG_RETURN_FLOAT8(clv_checked(purchases, "the discounted number of purchases", &c));
}

/*
 * clv_survival(model, t) -> float8: P(a new customer is alive at age t); an error where the family
 * has no survival function.
 */
PG_FUNCTION_INFO_V1(clv_survival);
Datum
clv_survival(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double t = PG_GETARG_FLOAT8(1);

	CheckTime(part->family, "t", t);
	if (part->family->survival == NULL)
		clv_raise_unsupported(part->family, "survival function");
	PG_RETURN_FLOAT8(
		clv_checked(part->family->survival(part->param, t), "the survival probability", &newcomer));
}

/* Raises an error unless t is the number of a renewal, counted from 1. */
static void
CheckRenewal(double t)
{
	clv_check_count("t", t);
	if (t == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("t must be at least 1, the first renewal: 0")));
}

/*
 * clv_retention(model, t) -> float8: P(t-th renewal | t - 1 renewals), t >= 1; an error where the
 * family has no renewals.
 */
PG_FUNCTION_INFO_V1(clv_retention);
Datum
clv_retention(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double t = PG_GETARG_FLOAT8(1);

	if (part->family->retention == NULL)
		clv_raise_unsupported(part->family, "retention rate, for it has no renewals");
	CheckRenewal(t);
	PG_RETURN_FLOAT8(
		clv_checked(part->family->retention(part->param, t), "the retention rate", &newcomer));
}

/* A quantity of the renewals to come, as residual and elasticity in family.h. */
typedef double (*OfRenewals)(const double *param, double t, double rate, bool before);

/* The quantity of arguments 1 to 3, t, rate and before; what: its name in errors. */
static double
ToCome(FunctionCallInfo fcinfo, const ClvModelPart *part, OfRenewals quantity, const char *what)
{
	ClvCustomer newcomer = {0};
	double t = PG_GETARG_FLOAT8(1);
	double rate = PG_GETARG_FLOAT8(2);
	bool before = PG_GETARG_BOOL(3);

	if (quantity == NULL)
		clv_raise_unsupported(part->family, psprintf("%s, for it has no renewals", what));
	if (before)
		CheckRenewal(t);
	else
		clv_check_count("t", t);
	if (!(rate >= 0 && isfinite(rate)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rate must be a finite number, not negative: %s", clv_number_text(rate)),
				 errdetail("It is an effective discount rate per period.")));
	return clv_checked(quantity(part->param, t, rate, before), psprintf("the %s", what), &newcomer);
}

/*
 * clv_residual_lifetime(model, t, rate, before) -> float8: expected discounted renewals still to
 * come after t of them, or before the t-th (DERL, Fader & Hardie 2010); an error where the family
 * has no renewals.
 */
PG_FUNCTION_INFO_V1(clv_residual_lifetime);
Datum
clv_residual_lifetime(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;

	PG_RETURN_FLOAT8(ToCome(fcinfo, part, part->family->residual, "residual lifetime"));
}

/*
 * clv_retention_elasticity(model, t, rate, before) -> float8: by how many per cent the residual
 * lifetime increases where each customer's retention rates are one per cent higher (Fader &
 * Hardie 2010, equation 8); an error where the family has no renewals.
 */
PG_FUNCTION_INFO_V1(clv_retention_elasticity);
Datum
clv_retention_elasticity(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;

	PG_RETURN_FLOAT8(ToCome(fcinfo, part, part->family->elasticity, "retention elasticity"));
}

/* ---- spend: (model, x, mean_spend) ---- */

/* The spend part of the model of argument 0 and the customer of arguments 1 and 2, x and
 * mean_spend. */
static const ClvModelPart *
SpendPart(FunctionCallInfo fcinfo, ClvCustomer *customer)
{
	const ClvModel *fitted = &clv_model_site(fcinfo)->model.fitted;

	clv_model_need_spend(fitted);
	if (fitted->spend.ncovariates > 0)
		clv_need_no_covariates(fitted);
	memset(customer, 0, sizeof(*customer));
	customer->spend_x = PG_GETARG_FLOAT8(1);
	customer->mean = PG_GETARG_FLOAT8(2);
	clv_check_count("x", customer->spend_x);
	clv_check_time("mean_spend", customer->mean);
	customer->x = customer->spend_x;
	return &fitted->spend;
}

/* clv_expected_spend(model, x, mean_spend) -> float8: E[value of one purchase]; x = 0: the
 * population's. */
PG_FUNCTION_INFO_V1(clv_expected_spend_number);
Datum
clv_expected_spend_number(PG_FUNCTION_ARGS)
{
	ClvCustomer c;
	const ClvModelPart *part = SpendPart(fcinfo, &c);

	PG_RETURN_FLOAT8(clv_checked(part->family->expected_spend(part->param, c.spend_x, c.mean),
								 "the expected spend", &c));
}

/* clv_spend_log_likelihood(model, x, mean_spend) -> float8: log density of the mean of x purchases;
 * 0 for x = 0. */
PG_FUNCTION_INFO_V1(clv_spend_log_likelihood_number);
Datum
clv_spend_log_likelihood_number(PG_FUNCTION_ARGS)
{
	ClvCustomer c;
	const ClvModelPart *part = SpendPart(fcinfo, &c);

	if (c.spend_x > 0 && c.mean <= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("mean_spend must be positive: %s", clv_number_text(c.mean)),
						errdetail("Model \"%s\" is defined for positive amounts only.",
								  part->family->name)));
	PG_RETURN_FLOAT8(clv_checked(part->family->spend_log_likelihood(part->param, c.spend_x, c.mean),
								 "the log-likelihood", &c));
}
