/*
 * customer_value.c
 *		P(alive) and the expected value of one customer, for other modules (predict.h).
 *
 * Scores take them as measures. Expected purchases are kept in a memo, as many customers
 * have the same numbers.
 */
#include "predict/predict_private.h"

#include <math.h>

/* What clv_valuer_measure() keeps between customers; valid for one model and one horizon. */
struct ClvValuer
{
	ClvMemo memo; /* expected purchases of the horizon, given alive */
	uint64 generation;
	double horizon_days;
};

/* Expected purchases in the next horizon_days, given that the customer is alive. */
static double
Expected(const ClvModel *fitted, const ClvCustomer *customer, double horizon_days)
{
	double horizon = horizon_days / fitted->unit_days;
	ClvFuture future;

	clv_future_of(fitted, customer, horizon, &future);
	return clv_future_expected(&future, horizon);
}

/* The same, computed once for customers with the same key. */
static double
ExpectedOnce(ClvMemo *memo, const ClvModel *fitted, const ClvCustomer *customer,
			 double horizon_days)
{
	ClvMemoKey key = clv_customer_key(fitted, customer, 0, 0);
	double *value = clv_memo_values(memo, &key);

	if (isnan(*value))
		*value = Expected(fitted, customer, horizon_days);
	return *value;
}

/* The customer of the summary, and their P(alive); false where they do not exist yet. */
static bool
Alive(const ClvModel *fitted, const ClvHistory *history, DateADT as_of, const ClvSummary *summary,
	  ClvCustomer *customer, double *p_alive)
{
	clv_model_need_purchase(fitted);
	clv_need_no_covariates(fitted);
	if (!clv_customer_of_summary(fitted, history, as_of, summary, customer))
		return false;
	*p_alive = clv_checked(clv_p_alive_of(fitted, customer), "P(alive)", customer);
	return true;
}

bool
clv_history_p_alive(const ClvModel *fitted, const ClvHistory *history, DateADT as_of,
					const ClvSummary *summary, double *p_alive)
{
	ClvCustomer customer;

	return Alive(fitted, history, as_of, summary, &customer, p_alive);
}

ClvValuer *
clv_valuer_create(MemoryContext context)
{
	ClvValuer *valuer = MemoryContextAllocZero(context, sizeof(ClvValuer));

	clv_memo_init(&valuer->memo, context, 1);
	return valuer;
}

bool
clv_valuer_measure(ClvValuer *valuer, const ClvModelCache *model, const ClvHistory *history,
				   DateADT as_of, const ClvSummary *summary, double horizon_days, double *p_alive,
				   double *value)
{
	const ClvModel *fitted = &model->fitted;
	ClvCustomer customer;

	if (valuer->generation != model->model.generation || valuer->horizon_days != horizon_days)
	{
		clv_memo_clear(&valuer->memo);
		valuer->generation = model->model.generation;
		valuer->horizon_days = horizon_days;
	}
	if (!Alive(fitted, history, as_of, summary, &customer, p_alive))
		return false;
	*value = *p_alive * ExpectedOnce(&valuer->memo, fitted, &customer, horizon_days);
	/* who buys nothing is worth nothing, even where the mean of a purchase does not exist */
	if (fitted->spend.family != NULL && *value != 0)
		*value *= clv_spend_of(fitted, &customer);
	*value = clv_checked(*value, "the expected value", &customer);
	return true;
}
