/*
 * predict_accessors.c
 *		One quantity of one customer: the columns of clv_predict one by one, and
 *		what has no column there.
 *
 * None of these functions is strict, since as_of may be NULL (the model's is taken) and so
 * may covariates, and the horizon where it can be without end. Any other NULL gives NULL, and
 * so does a customer who does not exist yet.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "utils/float.h"

#define MODEL 0
#define HISTORY 1

/* Whether one of the first so many arguments is NULL. */
static bool
AnyNull(FunctionCallInfo fcinfo, int arguments)
{
	for (int i = 0; i < arguments; i++)
		if (PG_ARGISNULL(i))
			return true;
	return false;
}

/* The customer of argument 1 as of the day in argument as_of; false where they do not exist yet. */
static inline bool
Customer(FunctionCallInfo fcinfo, int as_of, const ClvModel *fitted, ClvCustomer *customer)
{
	ClvHistory *history = PG_GETARG_CLV_HISTORY_P(HISTORY);
	bool exists = clv_customer(fitted, history, clv_as_of(fcinfo, as_of, fitted), customer);

	PG_FREE_IF_COPY(history, HISTORY);
	return exists;
}

/*
 * The call site of a function of spend, at the parameters of a customer with the covariates in that
 * argument, which may be left out where none act on spend; an error where the model has no spend
 * part.
 */
static ClvModelSite *
SpendSite(FunctionCallInfo fcinfo, int covariates)
{
	ClvModelSite *site = clv_model_site(fcinfo);

	clv_model_need_spend(&site->model.fitted);
	if (site->model.fitted.spend.ncovariates > 0 || !PG_ARGISNULL(covariates))
		clv_set_covariates(site,
						   PG_ARGISNULL(covariates) ? NULL : PG_GETARG_ARRAYTYPE_P(covariates));
	return site;
}

/* Returns the value, or NULL where it is not finite. */
#define RETURN_FINITE(value)                                                                       \
	do                                                                                             \
	{                                                                                              \
		double value_ = (value);                                                                   \
                                                                                                   \
		if (!isfinite(value_))                                                                     \
			PG_RETURN_NULL();                                                                      \
		PG_RETURN_FLOAT8(value_);                                                                  \
	} while (0)

/* ---- purchases ---- */

/*
 * clv_p_alive(model, history, as_of, covariates) -> float8: P(alive); NULL for a NULL model or
 * history, and before the first purchase.
 */
PG_FUNCTION_INFO_V1(clv_p_alive);
Datum
clv_p_alive(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvCustomer customer;

	if (AnyNull(fcinfo, 2))
		PG_RETURN_NULL();
	site = clv_customer_site(fcinfo, 3);
	if (!Customer(fcinfo, 2, site->fitted, &customer))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(clv_checked(clv_site_p_alive(site, &customer), "P(alive)", &customer));
}

/*
 * The call site with the horizon of one argument, and the customer as of the day of another, after
 * which come the covariates; NULL before the first purchase.
 */
static ClvModelSite *
HorizonSite(FunctionCallInfo fcinfo, int horizon, int as_of, ClvCustomer *customer)
{
	ClvModelSite *site = clv_customer_site(fcinfo, as_of + 1);

	clv_set_terms(site, PG_GETARG_INTERVAL_P(horizon), 0);
	return Customer(fcinfo, as_of, site->fitted, customer) ? site : NULL;
}

/*
 * clv_expected_purchases(model, history, horizon, as_of, covariates) -> float8: expected number of
 * purchases in the horizon; NULL for NULL in the first three arguments, and before the first
 * purchase.
 */
PG_FUNCTION_INFO_V1(clv_expected_purchases);
Datum
clv_expected_purchases(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvCustomer customer;

	if (AnyNull(fcinfo, 3))
		PG_RETURN_NULL();
	site = HorizonSite(fcinfo, 2, 3, &customer);
	if (site == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(clv_checked(clv_site_p_alive(site, &customer) *
									 clv_cached(site, &customer, CLV_MEMO_EXPECTED),
								 "the expected number of purchases", &customer));
}

/*
 * clv_discounted_purchases(model, history, discount_rate, horizon, as_of, covariates) -> float8:
 * expected number of purchases, each discounted from its day; horizon NULL: without end; NULL for
 * NULL in the first three arguments, and before the first purchase.
 */
PG_FUNCTION_INFO_V1(clv_discounted_purchases);
Datum
clv_discounted_purchases(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvCustomer customer;
	double purchases;

	if (AnyNull(fcinfo, 3))
		PG_RETURN_NULL();
	site = clv_customer_site(fcinfo, 5);
	clv_check_rates(PG_GETARG_FLOAT8(2), 1);
	clv_set_terms(site, PG_ARGISNULL(3) ? NULL : PG_GETARG_INTERVAL_P(3), PG_GETARG_FLOAT8(2));
	if (!Customer(fcinfo, 4, site->fitted, &customer))
		PG_RETURN_NULL();
	purchases =
		clv_cached(site, &customer, PG_ARGISNULL(3) ? CLV_MEMO_LIFETIME : CLV_MEMO_DISCOUNTED);
	purchases = clv_times_alive(site->fitted, &customer, purchases);
	PG_RETURN_FLOAT8(clv_checked(purchases, "the discounted number of purchases", &customer));
}

/*
 * Counts below this are computed together by the calendar, as they share what takes longest, and
 * are the numbers in the memo of their call site.
 */
#define COUNTS_TOGETHER 8

/* Smaller ones are computed by themselves: recurrences end before they reach the least double. */
#define LEAST_TOGETHER 1e-250

/* P(0) .. P(COUNTS_TOGETHER - 1) purchases, given alive; valid until the memo is used again. */
static const double *
Together(ClvModelSite *site, const ClvCustomer *customer)
{
	ClvMemoKey key = clv_site_key(site, customer);
	double together[COUNTS_TOGETHER];
	ClvFuture future;
	double *p;

	if (site->memo.width != COUNTS_TOGETHER)
		clv_memo_change_width(&site->memo, COUNTS_TOGETHER);
	p = clv_memo_values(&site->memo, &key);
	if (isnan(p[0]))
	{
		clv_future_of(site->fitted, customer, site->terms.horizon, &future);
		clv_future_probabilities(&future, site->terms.horizon, COUNTS_TOGETHER, together);
		memcpy(p, together, sizeof(together));
	}
	return p;
}

/* P(n purchases in the horizon of the site), given alive, by the calendar. */
static double
ProbabilityAlive(ClvModelSite *site, const ClvCustomer *customer, double n)
{
	ClvFuture future;

	if (n < COUNTS_TOGETHER)
	{
		double p = Together(site, customer)[(int) n];

		if (p >= LEAST_TOGETHER)
			return p;
	}
	clv_future_of(site->fitted, customer, site->terms.horizon, &future);
	return clv_future_probability(&future, n, site->terms.horizon);
}

/* P(n purchases in the horizon of the site); n = 0 includes the dead. */
static double
Probability(ClvModelSite *site, const ClvCustomer *customer, double n)
{
	const ClvModelPart *part = &site->fitted->purchase;
	double ln_p_alive;
	double p;

	if (part->calendar == NULL)
		return clv_probability_given(part->family, part->param, customer->x, customer->t_x,
									 customer->T, n, site->terms.horizon);
	ln_p_alive = clv_ln_p_alive_of(site->fitted, customer);
	p = exp(ln_p_alive) * ProbabilityAlive(site, customer, n);
	return n == 0 ? fmin(p - expm1(ln_p_alive), 1) : p;
}

/*
 * clv_purchase_probability(model, history, n, horizon, as_of, covariates) -> float8: P(exactly n
 * purchases in the horizon); NULL for NULL in the first four arguments, and before the first
 * purchase.
 */
PG_FUNCTION_INFO_V1(clv_purchase_probability);
Datum
clv_purchase_probability(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvCustomer customer;

	if (AnyNull(fcinfo, 4))
		PG_RETURN_NULL();
	clv_check_count("n", PG_GETARG_FLOAT8(2));
	site = HorizonSite(fcinfo, 3, 4, &customer);
	if (site == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(clv_checked(Probability(site, &customer, PG_GETARG_FLOAT8(2)),
								 "the probability", &customer));
}

/*
 * clv_purchase_quantile(model, history, horizon, level, as_of, covariates) -> float8: smallest n
 * with P(purchases <= n) >= level; NULL for NULL in the first four arguments, and before the first
 * purchase.
 */
PG_FUNCTION_INFO_V1(clv_purchase_quantile);
Datum
clv_purchase_quantile(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvCustomer customer;
	ClvFuture future;
	double p_alive;

	if (AnyNull(fcinfo, 4))
		PG_RETURN_NULL();
	clv_check_level(PG_GETARG_FLOAT8(3));
	site = HorizonSite(fcinfo, 2, 4, &customer);
	if (site == NULL)
		PG_RETURN_NULL();
	p_alive = clv_site_p_alive(site, &customer);
	if (site->fitted->purchase.calendar != NULL)
	{
		int few = clv_quantile_of(p_alive, PG_GETARG_FLOAT8(3), COUNTS_TOGETHER,
								  Together(site, &customer));

		if (few >= 0)
			PG_RETURN_FLOAT8(few);
	}
	clv_future_of(site->fitted, &customer, site->terms.horizon, &future);
	PG_RETURN_FLOAT8(
		clv_count_quantile(&future, p_alive, site->terms.horizon, PG_GETARG_FLOAT8(3)));
}

/*
 * clv_active_probability(model, history, horizon, as_of, covariates) -> float8: P(at least one
 * purchase in the horizon); NULL for NULL in the first three arguments, and before the first
 * purchase.
 */
PG_FUNCTION_INFO_V1(clv_active_probability);
Datum
clv_active_probability(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvCustomer customer;
	ClvMemoKey key;
	double p_alive;

	if (AnyNull(fcinfo, 3))
		PG_RETURN_NULL();
	site = HorizonSite(fcinfo, 2, 3, &customer);
	if (site == NULL)
		PG_RETURN_NULL();
	key = clv_site_key(site, &customer);
	clv_memo_prefetch(&site->memo, &key);
	p_alive = clv_site_p_alive(site, &customer);
	PG_RETURN_FLOAT8(clv_active(site, &customer, p_alive, site->terms.horizon,
								clv_memo_values(&site->memo, &key)));
}

/*
 * clv_survival(model, history, horizon, as_of, covariates) -> float8: P(alive at the end of the
 * horizon), whatever is bought until then; NULL for NULL in the first three arguments, and before
 * the first purchase; an error where the family has no survival function.
 */
PG_FUNCTION_INFO_V1(clv_survival_history);
Datum
clv_survival_history(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvCustomer customer;

	if (AnyNull(fcinfo, 3))
		PG_RETURN_NULL();
	site = HorizonSite(fcinfo, 2, 3, &customer);
	if (site == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(clv_checked(clv_p_alive_ahead(site->fitted, &customer, site->terms.horizon),
								 "P(alive)", &customer));
}

/*
 * clv_log_likelihood(model, history, as_of, covariates) -> float8: log-likelihood of the ordered
 * purchase times as the fit counts them; NULL for a NULL model or history, and before the first
 * purchase.
 */
PG_FUNCTION_INFO_V1(clv_log_likelihood);
Datum
clv_log_likelihood(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	const ClvModelPart *part;
	ClvCustomer customer;

	if (AnyNull(fcinfo, 2))
		PG_RETURN_NULL();
	site = clv_customer_site(fcinfo, 3);
	part = &site->fitted->purchase;
	if (part->family->log_likelihood == NULL)
		clv_raise_unsupported(part->family, "likelihood of histories");
	/* counted as in the fit, so that the sum over its customers is the log-likelihood of the fit */
	if (!clv_customer_of_fit(site->fitted, PG_GETARG_CLV_HISTORY_P(HISTORY),
							 clv_as_of(fcinfo, 2, site->fitted), &customer))
		PG_RETURN_NULL();
	if (part->calendar != NULL)
		PG_RETURN_FLOAT8(clv_checked(clv_log_likelihood_by_calendar(
										 site->fitted, PG_GETARG_CLV_HISTORY_P(HISTORY), &customer),
									 "the log-likelihood", &customer));
	PG_RETURN_FLOAT8(
		clv_checked(part->family->log_likelihood(part->param, customer.x, customer.t_x, customer.T),
					"the log-likelihood", &customer));
}

/* ---- money ---- */

/*
 * clv_expected_spend(model, history, as_of, covariates) -> float8: E[value of one purchase]; NULL
 * for a NULL model or history, before the first purchase, and where the expectation does not exist.
 */
PG_FUNCTION_INFO_V1(clv_expected_spend);
Datum
clv_expected_spend(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvCustomer customer;

	if (AnyNull(fcinfo, 2))
		PG_RETURN_NULL();
	site = SpendSite(fcinfo, 3);
	if (!Customer(fcinfo, 2, site->fitted, &customer))
		PG_RETURN_NULL();
	RETURN_FINITE(
		clv_checked(clv_spend_of(site->fitted, &customer), "the expected spend", &customer));
}

/*
 * clv_spend_log_likelihood(model, history, as_of, covariates) -> float8: log density of the mean
 * spend, 0 without purchases of known value; NULL for a NULL model or history, before the first
 * purchase, and where the mean is not positive.
 */
PG_FUNCTION_INFO_V1(clv_spend_log_likelihood);
Datum
clv_spend_log_likelihood(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	const ClvModelPart *part;
	ClvCustomer customer;

	if (AnyNull(fcinfo, 2))
		PG_RETURN_NULL();
	site = SpendSite(fcinfo, 3);
	part = &site->fitted->spend;
	if (!Customer(fcinfo, 2, site->fitted, &customer))
		PG_RETURN_NULL();
	/* the family is defined for positive amounts only; fits leave these customers out as well */
	if (customer.spend_x > 0 && customer.mean <= 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(clv_checked(
		part->family->spend_log_likelihood(part->param, customer.spend_x, customer.mean),
		"the log-likelihood", &customer));
}

/* Discounted purchases times spend times margin; NaN where that does not exist. */
static double
Value(ClvModelSite *site, const ClvCustomer *customer, ClvMemoKind kind, double margin)
{
	double spend = clv_spend_of(site->fitted, customer);
	double purchases;

	if (isinf(spend))
		return get_float8_nan();
	purchases = clv_cached(site, customer, kind);
	if (kind == CLV_MEMO_LIFETIME && isinf(purchases))
		return get_float8_nan();
	return clv_checked(clv_site_p_alive(site, customer) * spend * margin * purchases, "the value",
					   customer);
}

/*
 * clv_value(model, history, horizon, discount_rate, margin, as_of, covariates) -> float8:
 * discounted value of the horizon; NULL for NULL in the first five arguments, before the first
 * purchase, and where the expected spend does not exist.
 */
PG_FUNCTION_INFO_V1(clv_value);
Datum
clv_value(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvCustomer customer;

	if (AnyNull(fcinfo, 5))
		PG_RETURN_NULL();
	site = clv_customer_site(fcinfo, 6);
	clv_model_need_spend(site->fitted);
	clv_set_terms(site, PG_GETARG_INTERVAL_P(2), PG_GETARG_FLOAT8(3));
	clv_check_rates(PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4));
	if (!Customer(fcinfo, 5, site->fitted, &customer))
		PG_RETURN_NULL();
	RETURN_FINITE(Value(site, &customer, CLV_MEMO_DISCOUNTED, PG_GETARG_FLOAT8(4)));
}

/*
 * clv_lifetime_value(model, history, discount_rate, margin, as_of, covariates) -> float8:
 * discounted value without end; NULL for NULL in the first four arguments, before the first
 * purchase, where the rate is not positive or the sum diverges, and where the expected spend does
 * not exist.
 */
PG_FUNCTION_INFO_V1(clv_lifetime_value);
Datum
clv_lifetime_value(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvCustomer customer;

	if (AnyNull(fcinfo, 4))
		PG_RETURN_NULL();
	site = clv_customer_site(fcinfo, 5);
	clv_model_need_spend(site->fitted);
	clv_set_terms(site, NULL, PG_GETARG_FLOAT8(2));
	clv_check_rates(PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3));
	if (!Customer(fcinfo, 4, site->fitted, &customer) || site->terms.delta <= 0)
		PG_RETURN_NULL();
	RETURN_FINITE(Value(site, &customer, CLV_MEMO_LIFETIME, PG_GETARG_FLOAT8(3)));
}

/*
 * clv_value_quantile(model, history, horizon, level, discount_rate, margin, as_of, covariates) ->
 * float8: quantile of the value of the horizon; NULL for NULL in the first six arguments, before
 * the first purchase, and where the expected spend does not exist.
 */
PG_FUNCTION_INFO_V1(clv_value_quantile);
Datum
clv_value_quantile(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvCustomer customer;
	ClvFuture future;
	double level;
	double margin;
	double expected;
	double spend;

	if (AnyNull(fcinfo, 6))
		PG_RETURN_NULL();
	level = PG_GETARG_FLOAT8(3);
	margin = PG_GETARG_FLOAT8(5);
	clv_check_level(level);
	clv_check_rates(PG_GETARG_FLOAT8(4), margin);
	site = clv_customer_site(fcinfo, 7);
	clv_model_need_spend(site->fitted);
	clv_set_terms(site, PG_GETARG_INTERVAL_P(2), PG_GETARG_FLOAT8(4));
	if (!Customer(fcinfo, 6, site->fitted, &customer) ||
		!isfinite(clv_spend_of(site->fitted, &customer)))
		PG_RETURN_NULL();

	/* a negative margin mirrors the distribution */
	if (margin < 0)
		level = 1 - level;
	clv_future_of(site->fitted, &customer, site->terms.horizon, &future);
	clv_spend_quantiles(site->fitted, &customer, &future, clv_site_p_alive(site, &customer),
						site->terms.horizon, clv_site_counts(site, &customer, &future), 1, &level,
						&spend);
	expected = clv_cached(site, &customer, CLV_MEMO_EXPECTED);
	if (expected > 0)
		spend *= clv_cached(site, &customer, CLV_MEMO_DISCOUNTED) / expected;
	PG_RETURN_FLOAT8(spend * margin + 0.0); /* no sum of money is -0 */
}
