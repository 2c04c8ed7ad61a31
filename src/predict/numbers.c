/*
 * numbers.c
 *		The mathematics by number: for summaries kept elsewhere, for comparison with
 *		the literature, and for what-if questions.
 *
 * x, t_x, t_cal and horizons are in the model's time unit, delta is a continuous
 * discount rate per unit. Nothing is remembered but the model: who asks by number
 * asks about numbers of his own. Underflow gives 0, divergence Infinity.
 */
#include "predict/predict_private.h"

#include <math.h>

#define MODEL 0

/* The model of argument 0, which must have a purchase part. */
static const ClvFitted *
PurchaseModel(FunctionCallInfo fcinfo)
{
	const ClvFitted *fitted = &clv_model_site(fcinfo)->model.fitted;

	clv_fitted_need_purchase(fitted);
	clv_need_no_covariates(fitted);
	return fitted;
}

/* Arguments 1 to 3: x, t_x, t_cal. */
static ClvCustomer
Summary(FunctionCallInfo fcinfo)
{
	ClvCustomer customer = {.x = PG_GETARG_FLOAT8(1),
							.t_x = PG_GETARG_FLOAT8(2),
							.T = PG_GETARG_FLOAT8(3)};

	clv_check_count("x", customer.x);
	clv_check_time("t_x", customer.t_x);
	clv_check_time("t_cal", customer.T);
	if (customer.t_x > customer.T)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("t_x must not be greater than t_cal: %s > %s",
							   clv_number(customer.t_x), clv_number(customer.T)),
						errdetail("t_x is the age at the last purchase, t_cal the age today.")));
	if (customer.x == 0 && customer.t_x > 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("t_x must be 0 where x is 0: %s", clv_number(customer.t_x)),
						errdetail("x counts repeat purchases: without one, the last purchase "
								  "is the first, at age 0.")));
	return customer;
}

static void
CheckDelta(double delta)
{
	if (!isfinite(delta))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("delta must be a finite number: %s", clv_number(delta)),
						errdetail("It is a continuous discount rate per time unit of the model.")));
}

/* (model, x, t_x, t_cal) */
PG_FUNCTION_INFO_V1(clv_log_likelihood_number);
Datum
clv_log_likelihood_number(PG_FUNCTION_ARGS)
{
	const ClvFittedPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer c = Summary(fcinfo);

	PG_RETURN_FLOAT8(clv_checked(part->family->log_likelihood(part->param, c.x, c.t_x, c.T),
								 "the log-likelihood", &c));
}

/* (model, x, t_x, t_cal) */
PG_FUNCTION_INFO_V1(clv_p_alive_number);
Datum
clv_p_alive_number(PG_FUNCTION_ARGS)
{
	const ClvFitted *fitted = PurchaseModel(fcinfo);
	ClvCustomer c = Summary(fcinfo);

	PG_RETURN_FLOAT8(clv_checked(clv_p_alive_of(fitted, &c), "P(alive)", &c));
}

/* (model, x, t_x, t_cal, horizon) */
PG_FUNCTION_INFO_V1(clv_expected_purchases_number);
Datum
clv_expected_purchases_number(PG_FUNCTION_ARGS)
{
	const ClvFittedPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer c = Summary(fcinfo);
	double		horizon = PG_GETARG_FLOAT8(4);

	clv_check_time("horizon", horizon);
	PG_RETURN_FLOAT8(
		clv_checked(clv_expected_given(part->family, part->param, c.x, c.t_x, c.T, horizon),
					"the expected number of purchases", &c));
}

/* (model, horizon) */
PG_FUNCTION_INFO_V1(clv_expected_purchases_new);
Datum
clv_expected_purchases_new(PG_FUNCTION_ARGS)
{
	const ClvFittedPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double		horizon = PG_GETARG_FLOAT8(1);

	clv_check_time("horizon", horizon);
	PG_RETURN_FLOAT8(clv_checked(part->family->expected(part->param, horizon),
								 "the expected number of purchases", &newcomer));
}

/* (model, x, t_x, t_cal, n, horizon) */
PG_FUNCTION_INFO_V1(clv_purchase_probability_number);
Datum
clv_purchase_probability_number(PG_FUNCTION_ARGS)
{
	const ClvFittedPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer c = Summary(fcinfo);
	double		n = PG_GETARG_FLOAT8(4);
	double		horizon = PG_GETARG_FLOAT8(5);

	clv_check_count("n", n);
	clv_check_time("horizon", horizon);
	PG_RETURN_FLOAT8(
		clv_checked(clv_probability_given(part->family, part->param, c.x, c.t_x, c.T, n, horizon),
					"the probability", &c));
}

/* (model, n, horizon) */
PG_FUNCTION_INFO_V1(clv_purchase_probability_new);
Datum
clv_purchase_probability_new(PG_FUNCTION_ARGS)
{
	const ClvFittedPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double		n = PG_GETARG_FLOAT8(1);
	double		horizon = PG_GETARG_FLOAT8(2);

	clv_check_count("n", n);
	clv_check_time("horizon", horizon);
	PG_RETURN_FLOAT8(clv_checked(part->family->probability(part->param, n, horizon),
								 "the probability", &newcomer));
}

/* (model, x, t_x, t_cal, horizon, level) */
PG_FUNCTION_INFO_V1(clv_purchase_quantile_number);
Datum
clv_purchase_quantile_number(PG_FUNCTION_ARGS)
{
	const ClvFitted *fitted = PurchaseModel(fcinfo);
	ClvCustomer c = Summary(fcinfo);
	double		horizon = PG_GETARG_FLOAT8(4);
	double		level = PG_GETARG_FLOAT8(5);
	ClvFuture	future;

	clv_check_time("horizon", horizon);
	clv_check_level(level);
	clv_future_of(fitted, &c, &future);
	PG_RETURN_FLOAT8(clv_count_quantile(&future, clv_p_alive_of(fitted, &c), horizon, level));
}

/* (model, x, t_x, t_cal, delta, horizon); horizon Infinity: without end */
PG_FUNCTION_INFO_V1(clv_discounted_purchases_number);
Datum
clv_discounted_purchases_number(PG_FUNCTION_ARGS)
{
	const ClvFitted *fitted = PurchaseModel(fcinfo);
	const ClvFittedPart *part = &fitted->purchase;
	ClvCustomer c = Summary(fcinfo);
	double		delta = PG_GETARG_FLOAT8(4);
	double		horizon = PG_GETARG_FLOAT8(5);
	double		purchases;

	CheckDelta(delta);
	if (!isinf(horizon) || horizon < 0)
		clv_check_time("horizon", horizon);
	if (delta >= 0)
		purchases = clv_discounted_given(part->family, part->param, c.x, c.t_x, c.T, delta, horizon);
	else
	{
		ClvFuture	future;

		clv_future_of(fitted, &c, &future);
		purchases = clv_discounted(&future, delta, horizon);
		if (!isinf(purchases))
			purchases *= clv_p_alive_of(fitted, &c);
	}
	PG_RETURN_FLOAT8(clv_checked(purchases, "the discounted number of purchases", &c));
}

/* (model, t) */
PG_FUNCTION_INFO_V1(clv_survival);
Datum
clv_survival(PG_FUNCTION_ARGS)
{
	const ClvFittedPart *part = &PurchaseModel(fcinfo)->purchase;
	ClvCustomer newcomer = {0};
	double		t = PG_GETARG_FLOAT8(1);

	clv_check_time("t", t);
	if (part->family->survival == NULL)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("\"%s\" has no survival function", part->family->name)));
	PG_RETURN_FLOAT8(
		clv_checked(part->family->survival(part->param, t), "the survival probability", &newcomer));
}

/* ---- spend: (model, x, mean_spend) ---- */

static const ClvFittedPart *
SpendPart(FunctionCallInfo fcinfo, ClvCustomer *customer)
{
	const ClvFitted *fitted = &clv_model_site(fcinfo)->model.fitted;

	clv_fitted_need_spend(fitted);
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
	const ClvFittedPart *part = SpendPart(fcinfo, &c);

	PG_RETURN_FLOAT8(clv_checked(part->family->expected_spend(part->param, c.spend_x, c.mean),
								 "the expected spend", &c));
}

PG_FUNCTION_INFO_V1(clv_spend_log_likelihood_number);
Datum
clv_spend_log_likelihood_number(PG_FUNCTION_ARGS)
{
	ClvCustomer c;
	const ClvFittedPart *part = SpendPart(fcinfo, &c);

	if (c.spend_x > 0 && c.mean <= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("mean_spend must be positive: %s", clv_number(c.mean)),
						errdetail("\"%s\" knows positive amounts only.", part->family->name)));
	PG_RETURN_FLOAT8(
		clv_checked(part->family->spend_log_likelihood(part->param, c.spend_x, c.mean),
					"the log-likelihood", &c));
}
