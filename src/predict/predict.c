/*
 * predict.c
 *		clv_predict: all predictions of one customer in one row.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"

/* The columns of clv_prediction, in order. */
enum
{
	P_ALIVE,
	EXPECTED_PURCHASES,
	EXPECTED_SPEND,
	EXPECTED_REVENUE,
	CLV,
	LIFETIME_VALUE,
	NEXT_PURCHASE_VALUE,
	PURCHASES_LOW,
	PURCHASES_HIGH,
	CLV_LOW,
	CLV_HIGH,
	COLUMNS
};

/* The arguments of clv_predict, in order. */
enum
{
	MODEL,
	HISTORY,
	HORIZON,
	DISCOUNT_RATE,
	MARGIN,
	AS_OF,
	LEVEL,
	COVARIATES
};

/* The row of one customer in the making, and the quantities it is made of. */
typedef struct Prediction
{
	double alive[CLV_MEMO_KINDS]; /* what the customer would do, given alive */
	double value[COLUMNS];
	bool null[COLUMNS];
} Prediction;

/* Sets a column of the row to a value that is not NULL. */
static inline void
Set(Prediction *row, int column, double value)
{
	row->value[column] = value;
	row->null[column] = false;
}

/* Fills in the columns of purchases. */
static void
PredictPurchases(ClvModelSite *site, const ClvCustomer *customer, Prediction *row)
{
	ClvMemoKey key = clv_site_key(site, customer);
	double p_alive;

	clv_memo_prefetch(&site->memo, &key);
	p_alive = clv_site_p_alive(site, customer);
	clv_cached_all(site, customer, &key, row->alive);
	Set(row, P_ALIVE, clv_checked(p_alive, "P(alive)", customer));
	Set(row, EXPECTED_PURCHASES,
		clv_checked(p_alive * row->alive[CLV_MEMO_EXPECTED], "the expected number of purchases",
					customer));
}

/*
 * Fills in the columns of money; they stay NULL where the model has no spend part, or the
 * expected spend does not exist.
 */
static void
PredictMoney(ClvModelSite *site, const ClvCustomer *customer, double margin, Prediction *row)
{
	double p_alive = row->value[P_ALIVE];
	double spend;
	double worth; /* of a purchase, if alive */

	if (site->fitted->spend.family == NULL)
		return;
	spend = clv_checked(clv_spend_of(site->fitted, customer), "the expected spend", customer);
	if (!isfinite(spend))
		return;
	worth = p_alive * spend * margin;
	Set(row, EXPECTED_SPEND, spend);
	Set(row, EXPECTED_REVENUE, row->value[EXPECTED_PURCHASES] * spend);
	Set(row, CLV, clv_checked(worth * row->alive[CLV_MEMO_DISCOUNTED], "the value", customer));
	if (!clv_in_periods(site->fitted->purchase.family))
		Set(row, NEXT_PURCHASE_VALUE,
			clv_checked(worth * row->alive[CLV_MEMO_GAIN], "the value of the next purchase",
						customer));
	if (site->terms.delta > 0 && isfinite(row->alive[CLV_MEMO_LIFETIME]))
		Set(row, LIFETIME_VALUE, worth * row->alive[CLV_MEMO_LIFETIME]);
}

/* The quantile of the purchases in the horizon, from the probabilities of the first counts where
 * it is among them. */
static double
CountQuantile(const ClvModelSite *site, const ClvFuture *future, double p_alive, double level,
			  const double *counts)
{
	int quantile = clv_quantile_of(p_alive, level, CLV_COUNTS, counts);

	if (quantile >= 0)
		return quantile;
	return clv_count_quantile(future, p_alive, site->terms.horizon, level);
}

/*
 * The limits of purchases and value at the level; NULL where the fit did not converge, those of
 * value also without an expected spend.
 */
static void
PredictIntervals(FunctionCallInfo fcinfo, ClvModelSite *site, const ClvCustomer *customer,
				 double margin, double level, Prediction *row)
{
	double levels[2] = {(1 - level) / 2, (1 + level) / 2};
	double spend[2];
	double p_alive = row->value[P_ALIVE];
	double expected = row->alive[CLV_MEMO_EXPECTED];
	const double *counts;
	double discount;
	ClvFuture future;

	if (!clv_has_limits(site->fitted, false))
		return;
	clv_future_of(site->fitted, customer, site->terms.horizon, &future);
	counts = clv_site_counts(site, customer, &future);
	for (int i = 0; i < 2; i++)
		Set(row, PURCHASES_LOW + i, CountQuantile(site, &future, p_alive, levels[i], counts));
	if (row->null[EXPECTED_SPEND] || !clv_has_limits(site->fitted, true))
		return;

	clv_spend_quantiles(site->fitted, customer, &future, p_alive, site->terms.horizon, counts, 2,
						levels, spend);
	discount = expected > 0 ? row->alive[CLV_MEMO_DISCOUNTED] / expected : 1;
	/* a negative margin swaps the limits; no sum of money is -0 */
	Set(row, margin < 0 ? CLV_HIGH : CLV_LOW, spend[0] * discount * margin + 0.0);
	Set(row, margin < 0 ? CLV_LOW : CLV_HIGH, spend[1] * discount * margin + 0.0);
}

/* The row as a composite of type clv_prediction. */
static Datum
RowDatum(FunctionCallInfo fcinfo, Prediction *row)
{
	Datum values[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		values[i] = row->null[i] ? (Datum) 0 : Float8GetDatum(row->value[i]);
	return HeapTupleGetDatum(heap_form_tuple(clv_row_type(fcinfo), values, row->null));
}

/*
 * clv_predict(model, history, horizon, discount_rate, margin, as_of, level, covariates) ->
 * clv_prediction; NULL where one of the first five arguments is NULL, or before the first purchase.
 */
PG_FUNCTION_INFO_V1(clv_predict);
Datum
clv_predict(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvHistory *history;
	ClvCustomer customer;
	Prediction row;
	double margin;

	for (int i = MODEL; i <= MARGIN; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	site = clv_customer_site(fcinfo, COVARIATES);
	clv_set_terms(site, PG_GETARG_INTERVAL_P(HORIZON), PG_GETARG_FLOAT8(DISCOUNT_RATE));
	margin = PG_GETARG_FLOAT8(MARGIN);
	clv_check_rates(PG_GETARG_FLOAT8(DISCOUNT_RATE), margin);
	if (!PG_ARGISNULL(LEVEL))
		clv_check_level(PG_GETARG_FLOAT8(LEVEL));

	history = PG_GETARG_CLV_HISTORY_P(HISTORY);
	if (!clv_customer(site->fitted, history, clv_as_of(fcinfo, AS_OF, site->fitted), &customer))
		PG_RETURN_NULL();
	memset(row.null, true, sizeof(row.null));
	PredictPurchases(site, &customer, &row);
	PredictMoney(site, &customer, margin, &row);
	if (!PG_ARGISNULL(LEVEL))
		PredictIntervals(fcinfo, site, &customer, margin, PG_GETARG_FLOAT8(LEVEL), &row);
	PG_FREE_IF_COPY(history, HISTORY);
	PG_RETURN_DATUM(RowDatum(fcinfo, &row));
}
