/*
 * predict_total.c
 *		clv_predict_total: the aggregate around total_terms.c.
 */
#include "predict/total.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/float.h"

/* The arguments of the transition function. */
enum
{
	STATE,
	MODEL,
	HISTORY,
	HORIZON,
	DISCOUNT_RATE,
	MARGIN,
	AS_OF,
	LEVEL,
	COVARIATES
};

/* ---- adding customers ---- */

/* Whether the call has the argument, and not as NULL. */
static bool
Given(FunctionCallInfo fcinfo, int argument)
{
	return PG_NARGS() > argument && !PG_ARGISNULL(argument);
}

/* An optional number; unlike a history, it must not be NULL where the call has the argument. */
static double
Number(FunctionCallInfo fcinfo, int argument, const char *name, double otherwise)
{
	if (PG_NARGS() <= argument)
		return otherwise;
	if (PG_ARGISNULL(argument))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s of a total must not be NULL", name)));
	return PG_GETARG_FLOAT8(argument);
}

/* Raises an error where a customer's model or level is not that of the total. */
static void
CheckSame(const ClvTotal *total, const ClvPackedModel *model, double level)
{
	if (!clv_same_bytes(total->model, model))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("customers of one total have different models"),
						errdetail("The intervals of a total need the covariance of one fit."),
						errhint("Use GROUP BY with what the model depends on.")));
	if (level != total->level)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("customers of one total have different levels: %s and %s",
							   clv_number_text(total->level), clv_number_text(level))));
}

void
clv_total_bind(ClvTotal *total, const ClvModelSite *site, const ClvPackedModel *model, double level)
{
	if (total->site == site && total->generation == site->model.model.generation &&
		total->level == level)
		return;
	CheckSame(total, clv_total_model(model, &site->model.fitted), level);
	total->site = site;
	total->generation = site->model.model.generation;
}

/* The state, created for the first customer; errors where model or level differ from those before.
 */
static ClvTotal *
Total(FunctionCallInfo fcinfo, ClvModelSite *site, double level)
{
	MemoryContext context = clv_state_context(fcinfo);
	ClvTotal *total;

	if (PG_ARGISNULL(STATE))
		total = clv_total_create(context, PG_GETARG_CLV_MODEL_P(MODEL), &site->model.fitted, level);
	else
		total = clv_total_writable(PG_GETARG_DATUM(STATE), context);
	clv_total_bind(total, site, PG_GETARG_CLV_MODEL_P(MODEL), level);
	return total;
}

/*
 * Transition of clv_sums and clv_predict_total(model, history, horizon [, discount_rate [, margin
 * [, as_of [, level [, covariates]]]]]): adds a customer; NULL models and histories are skipped,
 * other NULLs are errors.
 */
PG_FUNCTION_INFO_V1(clv_sums_add);
Datum
clv_sums_add(PG_FUNCTION_ARGS)
{
	ClvModelSite *site;
	ClvTotal *total;
	ClvCustomer customer;
	double level;
	double discount_rate;
	double margin;

	if (PG_ARGISNULL(MODEL) || PG_ARGISNULL(HISTORY))
		return clv_same_state(fcinfo);
	if (PG_ARGISNULL(HORIZON))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("horizon of a total must not be NULL")));
	site = clv_model_site_of(fcinfo, MODEL, clv_total_memo_width);
	clv_model_need_purchase(&site->model.fitted);
	clv_set_covariates(site, Given(fcinfo, COVARIATES) ? PG_GETARG_ARRAYTYPE_P(COVARIATES) : NULL);
	discount_rate = Number(fcinfo, DISCOUNT_RATE, "discount_rate", 0);
	margin = Number(fcinfo, MARGIN, "margin", 1);
	clv_check_rates(discount_rate, margin);
	clv_set_terms(site, PG_GETARG_INTERVAL_P(HORIZON), discount_rate);
	level = Number(fcinfo, LEVEL, "level", CLV_TOTAL_LEVEL);
	clv_check_level(level);

	total = Total(fcinfo, site, level);
	if (clv_customer(site->fitted, PG_GETARG_CLV_HISTORY_P(HISTORY),
					 PG_NARGS() > AS_OF ? clv_as_of(fcinfo, AS_OF, site->fitted)
										: clv_as_of_model(site->fitted),
					 &customer))
		clv_total_add(total, site, &customer, margin);
	PG_RETURN_DATUM(EOHPGetRWDatum(&total->hdr));
}

void
clv_total_merge(ClvTotal *total, const ClvTotal *other)
{
	CheckSame(total, other->model, other->level);
	total->customers += other->customers;
	for (int i = 0; i < total->nsums; i++)
	{
		ClvExactSum more = other->sum[i];

		clv_exact_merge(&total->sum[i], &more);
	}
}

/*
 * clv_sums_merge(clv_sums, clv_sums) -> clv_sums: the customers of both, or of the one that is not
 * NULL; errors where model or level differ.
 */
PG_FUNCTION_INFO_V1(clv_sums_merge);
Datum
clv_sums_merge(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_state_context(fcinfo);
	const ClvTotal *other;
	ClvTotal *total;

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	other = clv_total_view(PG_GETARG_DATUM(1));
	total = PG_ARGISNULL(0) ? clv_total_copy(other, context)
							: clv_total_writable(PG_GETARG_DATUM(0), context);
	if (!PG_ARGISNULL(0))
		clv_total_merge(total, other);
	PG_RETURN_DATUM(EOHPGetRWDatum(&total->hdr));
}

/* ---- the row ---- */

/* The variance of an expected total by the delta method: gradient' covariance gradient. */
static double
DeltaVariance(const ClvExactSum *gradient, const double *covariance, int n)
{
	double g[CLV_MAX_DIM];
	double variance = 0;

	for (int i = 0; i < n; i++)
	{
		double row = 0;

		g[i] = clv_exact_value(&gradient[i]);
		for (int j = 0; j < i; j++)
			row += 2 * covariance[CLV_AT(i, j)] * g[j];
		variance += g[i] * (row + covariance[CLV_AT(i, i)] * g[i]);
	}
	return Max(variance, 0);
}

/* The eight columns of one quantity, and all of both. */
#define QUANTITY_COLUMNS 8
#define TOTAL_COLUMNS (1 + 2 * QUANTITY_COLUMNS)

/* Columns of a row. */
typedef struct Columns
{
	Datum *values;
	bool *nulls;
} Columns;

/* Puts a value into a column, NULL where it is not finite. */
static void
PutFinite(Columns *columns, int i, double value)
{
	columns->nulls[i] = !isfinite(value);
	columns->values[i] = columns->nulls[i] ? (Datum) 0 : Float8GetDatum(value + 0.0);
}

/*
 * Puts two limits, NULL where the width is not finite. They do not cross zero, since the sign of the
 * expectation is certain.
 */
static void
PutLimits(Columns *columns, int i, double mean, double width)
{
	double lowest = mean < 0 ? -get_float8_infinity() : 0;
	double highest = mean < 0 ? 0 : get_float8_infinity();

	PutFinite(columns, i, isfinite(width) ? Max(mean - width, lowest) : width);
	PutFinite(columns, i + 1, isfinite(width) ? Min(mean + width, highest) : width);
}

/*
 * Puts the expectation, its standard error and confidence interval, and the prediction interval with
 * and without the common shock. Without limits only the expectation is put.
 */
static void
PutTotal(Columns columns, double mean, double mean_variance, double variance, double shock,
		 double z, bool limits)
{
	double error = sqrt(mean_variance);
	double spread = variance + (isnan(mean_variance) ? 0 : mean_variance);

	PutFinite(&columns, 0, mean);
	if (!isfinite(mean) || !limits)
		return;
	PutFinite(&columns, 1, error);
	PutLimits(&columns, 2, mean, z * error);
	PutLimits(&columns, 4, mean, z * sqrt(spread + shock * shock));
	PutLimits(&columns, 6, mean, z * sqrt(spread));
}

void
clv_total_variances(const ClvTotal *total, const ClvModel *fitted, double *purchases, double *value)
{
	int n = clv_model_dimension(&fitted->purchase);
	const ClvExactSum *by = total->sum + CLV_TOTAL_GRADIENTS;

	*purchases = *value = get_float8_nan();
	if (fitted->purchase.has_covariance)
		*purchases = DeltaVariance(by, fitted->purchase.covariance, n);
	if (fitted->purchase.has_covariance && fitted->spend.has_covariance)
		*value = DeltaVariance(by + n, fitted->purchase.covariance, n) +
				 DeltaVariance(by + 2 * n, fitted->spend.covariance,
							   clv_model_dimension(&fitted->spend));
}

double
clv_total_shock(const ClvTotal *total, const ClvModel *fitted, bool of_value)
{
	if (fitted->shock.sd == 0)
		return 0;
	return fabs(clv_exact_value(&total->sum[total->nsums - CLV_TOTAL_SHOCKS + of_value]));
}

/* clv_predict_total_final(clv_sums) -> clv_total: the row; NULL where there was neither a model nor
 * a history. */
PG_FUNCTION_INFO_V1(clv_predict_total_final);
Datum
clv_predict_total_final(PG_FUNCTION_ARGS)
{
	const ClvTotal *total;
	ClvModel fitted;
	double purchase_error;
	double value_error;
	double z;
	Datum values[TOTAL_COLUMNS] = {0};
	bool nulls[TOTAL_COLUMNS];

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	total = clv_total_view(PG_GETARG_DATUM(0));
	clv_model_unpack(total->model, &fitted);
	z = clv_normal_width(total->level);
	clv_total_variances(total, &fitted, &purchase_error, &value_error);

	memset(nulls, true, sizeof(nulls));
	values[0] = Int64GetDatum(total->customers);
	nulls[0] = false;
	PutTotal((Columns){values + 1, nulls + 1}, clv_exact_value(&total->sum[CLV_TOTAL_PURCHASES]),
			 purchase_error, clv_exact_value(&total->sum[CLV_TOTAL_PURCHASES_VARIANCE]),
			 clv_total_shock(total, &fitted, false), z, clv_has_limits(&fitted, false));
	if (fitted.spend.family != NULL)
		PutTotal((Columns){values + 1 + QUANTITY_COLUMNS, nulls + 1 + QUANTITY_COLUMNS},
				 clv_exact_value(&total->sum[CLV_TOTAL_VALUE]), value_error,
				 clv_exact_value(&total->sum[CLV_TOTAL_VALUE_VARIANCE]),
				 clv_total_shock(total, &fitted, true), z, clv_has_limits(&fitted, true));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_row_type(fcinfo), values, nulls)));
}
