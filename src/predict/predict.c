/*
 * predict.c
 *		clv_predict: all predictions of one customer in one row; and clv_pipeline_customer, what a
 *		pipeline knows of a customer.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/datetime.h"

/* The columns of clv_prediction, in order; then those of pipelines. */
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
	COLUMNS,
	ACTIVE_30 = COLUMNS,
	ACTIVE_90,
	NEXT_PURCHASE,
	LAPSE_DATE,
	PIPELINE_COLUMNS
};

/* The memo of pipelines: after what the other columns take, P(none) in either number of days, and
 * two numbers for each of the dates. */
enum
{
	NONE_30 = CLV_MEMO_KINDS,
	NONE_90,
	WAIT,
	SILENCE = WAIT + 2,
	PIPELINE_WIDTH = SILENCE + 2
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
	double value[PIPELINE_COLUMNS];
	bool null[PIPELINE_COLUMNS];
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

/* Fills in the columns of pipelines, from the customer's history up to the day and its summary. */
static void
PredictForPipeline(ClvModelSite *site, const ClvHistory *history, const ClvSummary *summary,
				   const ClvCustomer *customer, Prediction *row)
{
	double p_alive = row->value[P_ALIVE];
	double unit_days = site->fitted->unit_days;
	ClvMemoKey key = clv_site_key(site, customer);
	double *memo = clv_memo_values(&site->memo, &key);
	int64 day;

	if (site->fitted->purchase.family->clock == CLV_CONTINUOUS)
	{
		Set(row, ACTIVE_30, clv_active(site, customer, p_alive, 30 / unit_days, memo + NONE_30));
		Set(row, ACTIVE_90, clv_active(site, customer, p_alive, 90 / unit_days, memo + NONE_90));
	}
	if (p_alive > 0 && clv_next_day(site, history, customer, 0.5, memo + WAIT, &day))
		Set(row, NEXT_PURCHASE, (double) day);
	if (clv_lapse_day(site, history, summary, 0.5, SILENCE, &day))
		Set(row, LAPSE_DATE, (double) day);
}

/* The first columns of the row as a composite of the type clv_prediction. */
static Datum
RowDatum(FunctionCallInfo fcinfo, Prediction *row)
{
	Datum values[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		values[i] = Float8GetDatum(row->null[i] ? 0 : row->value[i]);
	return HeapTupleGetDatum(heap_form_tuple(clv_row_type(fcinfo), values, row->null));
}

/* The call site with its terms, which keeps so many numbers in its memo; NULL where one of the
 * first five arguments is NULL. */
static ClvModelSite *
PredictSite(FunctionCallInfo fcinfo, int width)
{
	ClvModelSite *site;

	for (int i = MODEL; i <= MARGIN; i++)
		if (PG_ARGISNULL(i))
			return NULL;
	site = clv_customer_site_of(fcinfo, COVARIATES, width);
	clv_set_terms(site, PG_GETARG_INTERVAL_P(HORIZON), PG_GETARG_FLOAT8(DISCOUNT_RATE));
	clv_check_rates(PG_GETARG_FLOAT8(DISCOUNT_RATE), PG_GETARG_FLOAT8(MARGIN));
	if (!PG_ARGISNULL(LEVEL))
		clv_check_level(PG_GETARG_FLOAT8(LEVEL));
	return site;
}

/* Fills in the columns of clv_prediction. */
static void
Predict(FunctionCallInfo fcinfo, ClvModelSite *site, const ClvCustomer *customer, Prediction *row)
{
	double margin = PG_GETARG_FLOAT8(MARGIN);

	memset(row->null, true, sizeof(row->null));
	PredictPurchases(site, customer, row);
	PredictMoney(site, customer, margin, row);
	if (!PG_ARGISNULL(LEVEL))
		PredictIntervals(fcinfo, site, customer, margin, PG_GETARG_FLOAT8(LEVEL), row);
}

/*
 * clv_predict(model, history, horizon, discount_rate, margin, as_of, level, covariates) ->
 * clv_prediction; NULL where one of the first five arguments is NULL, or before the first purchase.
 */
PG_FUNCTION_INFO_V1(clv_predict);
Datum
clv_predict(PG_FUNCTION_ARGS)
{
	ClvModelSite *site = PredictSite(fcinfo, CLV_MEMO_KINDS);
	ClvHistory *history;
	ClvCustomer customer;
	Prediction row;

	if (site == NULL)
		PG_RETURN_NULL();
	history = PG_GETARG_CLV_HISTORY_P(HISTORY);
	if (!clv_customer(site->fitted, history, clv_as_of(fcinfo, AS_OF, site->fitted), &customer))
		PG_RETURN_NULL();
	Predict(fcinfo, site, &customer, &row);
	PG_FREE_IF_COPY(history, HISTORY);
	PG_RETURN_DATUM(RowDatum(fcinfo, &row));
}

/* The columns of clv_pipeline_customer, in order. */
enum
{
	CUSTOMER_LAPSE_DATE,
	CUSTOMER_P_ALIVE,
	CUSTOMER_EXPECTED_PURCHASES,
	CUSTOMER_CLV,
	CUSTOMER_MONETARY,
	CUSTOMER_NEXT_PURCHASE_VALUE,
	CUSTOMER_COHORT_MONTH,
	CUSTOMER_FIRST_PURCHASE,
	CUSTOMER_RECENCY,
	CUSTOMER_FREQUENCY,
	CUSTOMER_EXPECTED_REVENUE,
	CUSTOMER_LIFETIME_VALUE,
	CUSTOMER_CHURN,
	CUSTOMER_ACTIVE_30,
	CUSTOMER_ACTIVE_90,
	CUSTOMER_LAST_PURCHASE,
	CUSTOMER_TENURE,
	CUSTOMER_NEXT_PURCHASE,
	CUSTOMER_EXPECTED_SPEND,
	CUSTOMER_MEAN_SPEND,
	CUSTOMER_PURCHASES_LOW,
	CUSTOMER_PURCHASES_HIGH,
	CUSTOMER_CLV_LOW,
	CUSTOMER_CLV_HIGH,
	CUSTOMER_COLUMNS
};

/* What a column holds of a prediction. */
static const struct
{
	int8 of; /* a column of Prediction */
	enum
	{
		AS_NUMBER,
		AS_DAY,
		AS_MONEY
	} as;
	int8 column;
} predicted[] = {
	{P_ALIVE, AS_NUMBER, CUSTOMER_P_ALIVE},
	{EXPECTED_PURCHASES, AS_NUMBER, CUSTOMER_EXPECTED_PURCHASES},
	{EXPECTED_SPEND, AS_MONEY, CUSTOMER_EXPECTED_SPEND},
	{EXPECTED_REVENUE, AS_MONEY, CUSTOMER_EXPECTED_REVENUE},
	{CLV, AS_MONEY, CUSTOMER_CLV},
	{LIFETIME_VALUE, AS_MONEY, CUSTOMER_LIFETIME_VALUE},
	{NEXT_PURCHASE_VALUE, AS_MONEY, CUSTOMER_NEXT_PURCHASE_VALUE},
	{PURCHASES_LOW, AS_NUMBER, CUSTOMER_PURCHASES_LOW},
	{PURCHASES_HIGH, AS_NUMBER, CUSTOMER_PURCHASES_HIGH},
	{CLV_LOW, AS_MONEY, CUSTOMER_CLV_LOW},
	{CLV_HIGH, AS_MONEY, CUSTOMER_CLV_HIGH},
	{ACTIVE_30, AS_NUMBER, CUSTOMER_ACTIVE_30},
	{ACTIVE_90, AS_NUMBER, CUSTOMER_ACTIVE_90},
	{NEXT_PURCHASE, AS_DAY, CUSTOMER_NEXT_PURCHASE},
	{LAPSE_DATE, AS_DAY, CUSTOMER_LAPSE_DATE},
};

/* A row of clv_pipeline_customer in the making. */
typedef struct CustomerRow
{
	Datum value[CUSTOMER_COLUMNS];
	bool null[CUSTOMER_COLUMNS];
} CustomerRow;

/* Sets a column to a number, NULL where it is not finite. */
static void
SetNumber(CustomerRow *row, int column, double value)
{
	row->value[column] = Float8GetDatum(value);
	row->null[column] = !isfinite(value);
}

/* Sets a column to an amount of money, NULL where there is none. */
static void
SetMoney(CustomerRow *row, int column, Numeric value)
{
	row->value[column] = NumericGetDatum(value);
	row->null[column] = value == NULL;
}

/* Sets a column to a day or a number of days. */
static void
SetDays(CustomerRow *row, int column, int32 days)
{
	row->value[column] = Int32GetDatum(days);
	row->null[column] = false;
}

/* Fills in the columns of what the customer has done. */
static void
SetPast(CustomerRow *row, const ClvHistory *history, DateADT as_of, const ClvSummary *summary)
{
	ClvSummary all;
	int year;
	int month;
	int day;

	j2date(summary->first + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	SetDays(row, CUSTOMER_COHORT_MONTH, summary->first - day + 1);
	SetDays(row, CUSTOMER_FIRST_PURCHASE, summary->first);
	SetDays(row, CUSTOMER_LAST_PURCHASE, summary->last);
	SetDays(row, CUSTOMER_RECENCY, as_of - summary->last);
	SetDays(row, CUSTOMER_TENURE, as_of - summary->first);
	SetDays(row, CUSTOMER_FREQUENCY, summary->purchases);
	SetMoney(row, CUSTOMER_MONETARY, clv_history_spend_between(history, DATEVAL_NOBEGIN, as_of));
	clv_history_summarize(history, as_of, CLV_SPEND_ALL, &all);
	if (all.spend_purchases > 0)
		SetMoney(row, CUSTOMER_MEAN_SPEND, clv_money(all.spend / all.spend_purchases));
}

/* Fills in the columns of what the customer will do. */
static void
SetFuture(CustomerRow *row, const Prediction *prediction)
{
	for (int i = 0; i < (int) lengthof(predicted); i++)
	{
		double value = prediction->value[predicted[i].of];

		if (prediction->null[predicted[i].of])
			continue;
		if (predicted[i].as == AS_MONEY)
			SetMoney(row, predicted[i].column, clv_money(value));
		else if (predicted[i].as == AS_DAY)
			SetDays(row, predicted[i].column, (int32) value);
		else
			SetNumber(row, predicted[i].column, value);
	}
}

/*
 * clv_pipeline_customer(model, history, horizon, discount_rate, margin, as_of, level, covariates)
 * -> clv_pipeline_customer: what rfmtc, clv_predict and others say of a customer, as pipelines
 * store it; NULL where one of the first five arguments is NULL, or before the first purchase.
 */
PG_FUNCTION_INFO_V1(clv_pipeline_customer);
Datum
clv_pipeline_customer(PG_FUNCTION_ARGS)
{
	ClvModelSite *site = PredictSite(fcinfo, PIPELINE_WIDTH);
	const ClvHistory *history;
	ClvSummary summary;
	ClvCustomer customer;
	DateADT as_of;
	double p_alive;
	Prediction prediction;
	CustomerRow row;

	if (site == NULL)
		PG_RETURN_NULL();
	as_of = clv_as_of(fcinfo, AS_OF, site->fitted);
	history = clv_history_until(PG_GETARG_CLV_HISTORY_P(HISTORY), as_of);
	clv_history_summarize(history, as_of, site->fitted->spend_basis, &summary);
	if (!clv_customer_of_summary(site->fitted, history, as_of, &summary, &customer))
		PG_RETURN_NULL();
	Predict(fcinfo, site, &customer, &prediction);
	PredictForPipeline(site, history, &summary, &customer, &prediction);
	memset(row.null, true, sizeof(row.null));
	SetPast(&row, history, as_of, &summary);
	SetFuture(&row, &prediction);
	if (clv_history_p_alive(site->fitted, history, as_of, &summary, &p_alive))
		SetNumber(&row, CUSTOMER_CHURN, 1 - p_alive);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_row_type(fcinfo), row.value, row.null)));
}
