/*
 * predict_numbers.c
 *		The mathematics by number: for summaries kept elsewhere, for comparison with
 *		the literature, and for what-if questions.
 *
 * x, t_x, t_cal and horizons are in the model's time unit, delta is a continuous
 * discount rate per unit; families of whole periods take an effective one. Nothing is remembered but the model: who asks by number
 * asks about numbers of his own. Underflow gives 0, divergence Infinity.
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
	return fitted;
}

/* Families of whole periods take whole numbers, and not all of them. */
static void
CheckGrid(const ClvFamily *family, const ClvCustomer *c)
{
	if (family->clock != CLV_OPPORTUNITIES && family->clock != CLV_RENEWALS)
		return;
	clv_check_count("t_x", c->t_x);
	clv_check_count("t_cal", c->T);
	clv_check_few(family, "t_cal", c->T);
	if (family->clock == CLV_RENEWALS && c->x != c->t_x)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("x must be t_x: %s, %s", clv_number_text(c->x), clv_number_text(c->t_x)),
						errdetail("In \"%s\" both are the renewals made, and t_cal those that "
								  "were possible.", family->name)));
	if (c->x > c->t_x)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("x must not be greater than t_x: %s > %s", clv_number_text(c->x),
							   clv_number_text(c->t_x)),
						errdetail("\"%s\" knows one purchase a period: x of them until period "
								  "t_x.", family->name)));
}

/* A horizon or an age: whole periods where the family counts them. */
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

/* Arguments 1 to 3: x, t_x, t_cal. */
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

/* The continuous rate; families of whole periods are asked with the effective one of a period. */
static double
Delta(const ClvFamily *family, double delta)
{
	if (clv_in_periods(family) && delta > -1 && isfinite(delta))
		return log1p(delta);
	if (clv_in_periods(family) || !isfinite(delta))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						clv_in_periods(family)
							? errmsg("delta must be a finite number greater than -1: %s",
									 clv_number_text(delta))
							: errmsg("delta must be a finite number: %s", clv_number_text(delta)),
						clv_in_periods(family)
							? errdetail("To \"%s\" it is an effective discount rate per period.",
										family->name)
							: errdetail("It is a continuous discount rate per time unit of the "
										"model.")));
	return delta;
}

/* (model, x, t_x, t_cal) */
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

/* P(alive some time after today) */
static double
PAliveAhead(const ClvModel *fitted, const ClvCustomer *customer, double ahead)
{
	ClvFuture	future;

	CheckTime(fitted->purchase.family, "ahead", ahead);
	if (ahead == 0)
		return clv_p_alive_of(fitted, customer);
	clv_future_of(fitted, customer, &future);
	if (future.family->survival == NULL)
		clv_raise_unsupported(future.family, "survival function");
	return clv_times_alive(fitted, customer, future.family->survival(future.param, ahead));
}

/* (model, x, t_x, t_cal, ahead) */
PG_FUNCTION_INFO_V1(clv_p_alive_number);
Datum
clv_p_alive_number(PG_FUNCTION_ARGS)
{
	const ClvModel *fitted = PurchaseModel(fcinfo);
	ClvCustomer c = Summary(fcinfo, fitted->purchase.family);

	PG_RETURN_FLOAT8(clv_checked(PAliveAhead(fitted, &c, PG_GETARG_FLOAT8(4)), "P(alive)", &c));
}

/* (model, x, t_x, t_cal, horizon) */
PG_FUNCTION_INFO_V1(clv_expected_purchases_number);
Datum
clv_expected_purchases_number(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer c = Summary(fcinfo, part->family);
	double		horizon = PG_GETARG_FLOAT8(4);

	CheckTime(part->family, "horizon", horizon);
	PG_RETURN_FLOAT8(
		clv_checked(clv_expected_given(part->family, part->param, c.x, c.t_x, c.T, horizon),
					"the expected number of purchases", &c));
}

/* (model, horizon) */
PG_FUNCTION_INFO_V1(clv_expected_purchases_new);
Datum
clv_expected_purchases_new(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double		horizon = PG_GETARG_FLOAT8(1);

	CheckTime(part->family, "horizon", horizon);
	PG_RETURN_FLOAT8(clv_checked(part->family->expected(part->param, horizon),
								 "the expected number of purchases", &newcomer));
}

/* (model, x, t_x, t_cal, n, horizon) */
PG_FUNCTION_INFO_V1(clv_purchase_probability_number);
Datum
clv_purchase_probability_number(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer c = Summary(fcinfo, part->family);
	double		n = PG_GETARG_FLOAT8(4);
	double		horizon = PG_GETARG_FLOAT8(5);

	clv_check_count("n", n);
	CheckTime(part->family, "horizon", horizon);
	PG_RETURN_FLOAT8(
		clv_checked(clv_probability_given(part->family, part->param, c.x, c.t_x, c.T, n, horizon),
					"the probability", &c));
}

/* (model, n, horizon) */
PG_FUNCTION_INFO_V1(clv_purchase_probability_new);
Datum
clv_purchase_probability_new(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double		n = PG_GETARG_FLOAT8(1);
	double		horizon = PG_GETARG_FLOAT8(2);

	clv_check_count("n", n);
	CheckTime(part->family, "horizon", horizon);
	PG_RETURN_FLOAT8(clv_checked(part->family->probability(part->param, n, horizon),
								 "the probability", &newcomer));
}

/* (model, x, t_x, t_cal, horizon, level) */
PG_FUNCTION_INFO_V1(clv_purchase_quantile_number);
Datum
clv_purchase_quantile_number(PG_FUNCTION_ARGS)
{
	const ClvModel *fitted = PurchaseModel(fcinfo);
	ClvCustomer c = Summary(fcinfo, fitted->purchase.family);
	double		horizon = PG_GETARG_FLOAT8(4);
	double		level = PG_GETARG_FLOAT8(5);
	ClvFuture	future;

	CheckTime(fitted->purchase.family, "horizon", horizon);
	clv_check_level(level);
	clv_future_of(fitted, &c, &future);
	PG_RETURN_FLOAT8(clv_count_quantile(&future, clv_p_alive_of(fitted, &c), horizon, level));
}

/* (model, x, t_x, t_cal, delta, horizon); horizon Infinity: without end */
PG_FUNCTION_INFO_V1(clv_discounted_purchases_number);
Datum
clv_discounted_purchases_number(PG_FUNCTION_ARGS)
{
	const ClvModel *fitted = PurchaseModel(fcinfo);
	const ClvModelPart *part = &fitted->purchase;
	ClvCustomer c = Summary(fcinfo, part->family);
	double		delta = Delta(part->family, PG_GETARG_FLOAT8(4));
	double		horizon = PG_GETARG_FLOAT8(5);
	double		purchases;

	if (!isinf(horizon) || horizon < 0)
		CheckTime(part->family, "horizon", horizon);
	if (delta >= 0 && part->family->discounted != NULL)
		purchases = clv_discounted_given(part->family, part->param, c.x, c.t_x, c.T, delta, horizon);
	else
	{
		ClvFuture	future;

		clv_future_of(fitted, &c, &future);
		purchases = clv_times_alive(fitted, &c, clv_discounted(&future, delta, horizon));
	}
	PG_RETURN_FLOAT8(clv_checked(purchases, "the discounted number of purchases", &c));
}

/* (model, t) */
PG_FUNCTION_INFO_V1(clv_survival);
Datum
clv_survival(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double		t = PG_GETARG_FLOAT8(1);

	CheckTime(part->family, "t", t);
	if (part->family->survival == NULL)
		clv_raise_unsupported(part->family, "survival function");
	PG_RETURN_FLOAT8(
		clv_checked(part->family->survival(part->param, t), "the survival probability", &newcomer));
}

/* t counts renewals, of which there is a first one. */
static void
CheckRenewal(double t)
{
	clv_check_count("t", t);
	if (t == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("t must be at least 1, the first renewal: 0")));
}

/* (model, t) */
PG_FUNCTION_INFO_V1(clv_retention);
Datum
clv_retention(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double		t = PG_GETARG_FLOAT8(1);

	if (part->family->retention == NULL)
		clv_raise_unsupported(part->family, "renewals, and so no retention rate");
	CheckRenewal(t);
	PG_RETURN_FLOAT8(
		clv_checked(part->family->retention(part->param, t), "the retention rate", &newcomer));
}

/* (model, t, rate, before) */
PG_FUNCTION_INFO_V1(clv_residual_lifetime);
Datum
clv_residual_lifetime(PG_FUNCTION_ARGS)
{
	const ClvModelPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double		t = PG_GETARG_FLOAT8(1);
	double		rate = PG_GETARG_FLOAT8(2);
	bool		before = PG_GETARG_BOOL(3);

	if (part->family->residual == NULL)
		clv_raise_unsupported(part->family, "renewals, and so no residual lifetime in renewals");
	if (before)
		CheckRenewal(t);
	else
		clv_check_count("t", t);
	if (!(rate >= 0 && isfinite(rate)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("rate must be a finite number, not negative: %s", clv_number_text(rate)),
						errdetail("It is an effective discount rate per period.")));
	PG_RETURN_FLOAT8(clv_checked(part->family->residual(part->param, t, rate, before),
								 "the residual lifetime", &newcomer));
}

/* ---- spend: (model, x, mean_spend) ---- */

static const ClvModelPart *
SpendPart(FunctionCallInfo fcinfo, ClvCustomer *customer)
{
	const ClvModel *fitted = &clv_model_site(fcinfo)->model.fitted;

	clv_model_need_spend(fitted);
	memset(customer, 0, sizeof(*customer));
	customer->spend_x = PG_GETARG_FLOAT8(1);
	customer->mean = PG_GETARG_FLOAT8(2);
	clv_check_count("x", customer->spend_x);
	clv_check_time("mean_spend", customer->mean);
	customer->x = customer->spend_x;
	return &fitted->spend;
}

PG_FUNCTION_INFO_V1(clv_expected_spend_number);
Datum
clv_expected_spend_number(PG_FUNCTION_ARGS)
{
	ClvCustomer c;
	const ClvModelPart *part = SpendPart(fcinfo, &c);

	PG_RETURN_FLOAT8(clv_checked(part->family->expected_spend(part->param, c.spend_x, c.mean),
								 "the expected spend", &c));
}

PG_FUNCTION_INFO_V1(clv_spend_log_likelihood_number);
Datum
clv_spend_log_likelihood_number(PG_FUNCTION_ARGS)
{
	ClvCustomer c;
	const ClvModelPart *part = SpendPart(fcinfo, &c);

	if (c.spend_x > 0 && c.mean <= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("mean_spend must be positive: %s", clv_number_text(c.mean)),
						errdetail("\"%s\" knows positive amounts only.", part->family->name)));
	PG_RETURN_FLOAT8(
		clv_checked(part->family->spend_log_likelihood(part->param, c.spend_x, c.mean),
					"the log-likelihood", &c));
}
