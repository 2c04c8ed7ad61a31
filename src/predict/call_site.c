/*
 * call_site.c
 *		What a call site keeps from row to row.
 *
 * The model as it was parsed, the terms, and the memo of what was computed under
 * them. With covariates every customer has their own parameters: those of the model,
 * moved by the sums of covariates times effects. Two such sums, one for each process,
 * determine the parameters, and are part of the memo's key.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/arguments.h"
#include "families/clocks.h"
#include "utils/float.h"
#include "utils/memutils.h"

/* Days that are computed together; each further day costs little more than the first. */
#define LEAVING_DAYS 64

/* Families of whole periods iterate over them without checking for interrupts. */
#define MOST_PERIODS 100000

/* ---- the models of a call site ---- */

/* What the call site of a function keeps, made on the first call. */
static ClvPredictSite *
Site(FunctionCallInfo fcinfo)
{
	FmgrInfo *flinfo = fcinfo->flinfo;

	if (flinfo->fn_extra == NULL)
		flinfo->fn_extra = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(ClvPredictSite));
	return (ClvPredictSite *) flinfo->fn_extra;
}

/* The index of the model among the site's; where it is not one of them, of the one to replace. */
static int
FindModel(ClvPredictSite *site, Datum model, int width, MemoryContext context)
{
	int i;

	for (i = 0; i < CLV_SITE_MODELS && site->models[i] != NULL; i++)
		if (clv_model_is_cached(&site->models[i]->model, model))
			return i;
	if (i == CLV_SITE_MODELS)
	{
		i = site->next;
		site->next = (i + 1) % CLV_SITE_MODELS;
		return i;
	}
	site->models[i] = MemoryContextAllocZero(context, sizeof(ClvModelSite));
	clv_memo_init(&site->models[i]->memo, context, width);
	clv_memo_init(&site->models[i]->counts, context, CLV_COUNTS);
	clv_memo_init(&site->models[i]->leaving, context, LEAVING_DAYS);
	return i;
}

ClvModelSite *
clv_model_site_of(FunctionCallInfo fcinfo, int argument, int width)
{
	ClvPredictSite *site = Site(fcinfo);
	Datum model = PG_GETARG_DATUM(argument);
	ClvModelSite *current = site->models[site->current];

	if (current == NULL || !clv_model_is_cached(&current->model, model))
	{
		uint64 generation;

		site->current = FindModel(site, model, width, fcinfo->flinfo->fn_mcxt);
		current = site->models[site->current];
		generation = current->model.model.generation;
		(void) clv_model_lookup(&current->model, model, current->memo.context);
		if (current->model.model.generation != generation)
		{
			current->has_terms = current->has_z = false;
			current->purchase = current->churn = 0;
			current->fitted = &current->model.fitted;
			clv_memo_clear(&current->memo);
			clv_memo_clear(&current->counts);
			clv_memo_clear(&current->leaving);
		}
	}
	return current;
}

ClvModelSite *
clv_model_site(FunctionCallInfo fcinfo)
{
	return clv_model_site_of(fcinfo, 0, CLV_MEMO_KINDS);
}

TupleDesc
clv_row_type(FunctionCallInfo fcinfo)
{
	ClvPredictSite *site = Site(fcinfo);

	if (site->desc == NULL)
		site->desc = clv_find_row_type(fcinfo);
	return site->desc;
}

bool
clv_has_limits(const ClvModel *fitted, bool with_spend)
{
	const ClvModelPart *part = clv_model_fell_short(&fitted->purchase) ? &fitted->purchase
							   : with_spend && clv_model_fell_short(&fitted->spend) ? &fitted->spend
																					: NULL;

	if (part != NULL && clv_first_in_statement(part->family->name))
		ereport(
			WARNING,
			(errmsg("limits are NULL: the fit of \"%s\" did not converge", part->family->name),
			 errdetail("The standard errors of its parameters are not known; expectations are "
					   "computed from the parameters as they are."),
			 errhint("Fit more customers together, fit another family, or use shape_penalty.")));
	return part == NULL;
}

/* ---- arguments that depend on the model ---- */

DateADT
clv_as_of_model(const ClvModel *fitted)
{
	if (!fitted->has_as_of)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the day to predict from is not known"),
						errdetail("The model has no as_of, and none was given."),
						errhint("Give as_of => a date, the last day of your data.")));
	return fitted->as_of;
}

DateADT
clv_as_of(FunctionCallInfo fcinfo, int argument, const ClvModel *fitted)
{
	DateADT as_of;

	if (PG_ARGISNULL(argument))
		return clv_as_of_model(fitted);
	as_of = PG_GETARG_DATEADT(argument);
	clv_check_date("as_of", as_of);
	return as_of;
}

double
clv_horizon_units(const ClvModel *fitted, const char *what, const Interval *horizon)
{
	const ClvFamily *family = fitted->purchase.family;
	double days = clv_horizon_days(what, horizon);
	double periods;

	if (!clv_in_periods(family))
		return days / fitted->unit_days;
	if (!clv_interval_periods(&fitted->counting.grid, horizon, &periods))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of %s is not a whole number of periods of %s", what,
						clv_interval_text(horizon), clv_interval_text(&fitted->time_unit)),
				 errdetail("Model \"%s\" counts periods of the model's time unit.", family->name)));
	clv_check_few(family, what, periods);
	return periods;
}

void
clv_check_few(const ClvFamily *family, const char *what, double periods)
{
	if (periods > MOST_PERIODS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s of %s periods exceeds the maximum of %d for model \"%s\"", what,
							   clv_number_text(periods), MOST_PERIODS, family->name)));
}

/* ---- terms ---- */

void
clv_set_terms(ClvModelSite *site, const Interval *horizon, double discount_rate)
{
	static const Interval no_end = {.time = PG_INT64_MIN, .day = 1, .month = PG_INT32_MAX};
	const Interval *given = horizon != NULL ? horizon : &no_end;
	double unit_days = site->model.fitted.unit_days;
	ClvTerms terms;

	if (site->has_terms && site->discount_rate == discount_rate &&
		site->horizon.time == given->time && site->horizon.day == given->day &&
		site->horizon.month == given->month)
		return;

	terms.horizon = horizon != NULL ? clv_horizon_units(site->fitted, "horizon", horizon)
									: get_float8_infinity();
	terms.delta = clv_delta(discount_rate, unit_days);
	site->has_terms = true;
	site->horizon = *given;
	site->discount_rate = discount_rate;
	site->terms = terms;
	clv_memo_clear(&site->memo);
	clv_memo_clear(&site->counts);
}

/* ---- covariates ---- */

/* The names of the customers' covariates, palloc'd, for a message. */
static char *
Names(const ClvModelPart *part)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < clv_model_own_covariates(part); i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", part->covariate[i]);
	return names.data;
}

void
clv_need_no_covariates(const ClvModel *fitted)
{
	const ClvModelPart *part = clv_model_customer_part(fitted);

	if (clv_model_own_covariates(part) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model depends on covariates"),
				 errdetail("They are, in this order: %s.", Names(part)),
				 errhint("Use clv_with_covariates(model, array of numbers), the model of customers "
						 "with certain covariates.")));
}

/* The numbers of the vector; errors name what is wrong with it. */
static const double *
ReadVector(const ClvModelPart *part, ArrayType *array)
{
	int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const double *z;

	if (ARR_NDIM(array) > 1 || n != clv_model_own_covariates(part))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						ARR_NDIM(array) > 1
							? errmsg("covariates must be one vector, not an array of %d dimensions",
									 ARR_NDIM(array))
							: errmsg_plural("the model has %d covariate, not %d",
											"the model has %d covariates, not %d",
											clv_model_own_covariates(part),
											clv_model_own_covariates(part), n),
						errdetail("They are, in this order: %s.", Names(part))));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("covariates must not be NULL"),
				 errdetail("They are, in this order: %s.", Names(part))));
	z = (const double *) clv_array_data(array);
	for (int i = 0; i < n; i++)
		if (!isfinite(z[i]))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("covariate \"%s\" must be a finite number: %s",
								   part->covariate[i], clv_number_text(z[i]))));
	return z;
}

/* Sets param to the parameters of the part for customers with these covariates, less their centres;
 * effect: those on purchases, or spend, then those on churn. */
static void
MoveParameters(const ClvModelPart *part, int n, const double *effect, const double *z,
			   double *param)
{
	clv_param_with_effects(part->family, part->param, n, effect, z, param);
	for (int i = 0; i < part->family->nparams; i++)
		if (!(param[i] > 0 && isfinite(param[i])))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("with these covariates the parameter \"%s\" is beyond the reach "
							"of double precision",
							part->family->param_names[i]),
					 errdetail("The covariates are, in this order: %s.", Names(part)),
					 errhint("Give the covariates in the units that the model was fitted with.")));
}

/* Puts the purchase parameters of customers with these covariates, less their centres, into the
 * site's own model. */
static void
MovePurchases(ClvModelSite *site, const double *z)
{
	const ClvModelPart *part = &site->model.fitted.purchase;
	int n = clv_model_own_covariates(part);
	double effect[CLV_MAX_EFFECTS];

	memcpy(effect, part->effect, n * sizeof(double));
	memcpy(effect + n, part->effect + part->ncovariates, n * sizeof(double));
	MoveParameters(part, n, effect, z, site->moved->purchase.param);
	site->purchase = site->churn = 0;
	for (int i = 0; i < n; i++)
	{
		site->purchase += effect[i] * z[i];
		site->churn += effect[n + i] * z[i];
	}
}

/* The same of the spend parameters, with the customer's covariates as they were given. */
static void
MoveSpend(ClvModelSite *site, const double *given)
{
	const ClvModel *fitted = &site->model.fitted;
	const ClvModelPart *part = &fitted->spend;

	for (int i = 0; i < part->ncovariates; i++)
	{
		int at = clv_model_find_covariate(clv_model_customer_part(fitted), part->covariate[i]);

		site->spend_z[i] = given[at] - part->centre[i];
	}
	MoveParameters(part, part->ncovariates, part->effect, site->spend_z, site->moved->spend.param);
}

/* Puts the parameters of customers with these covariates into the site's own model; z: the same
 * less their centres. */
static void
Move(ClvModelSite *site, const double *given, const double *z)
{
	const ClvModel *fitted = &site->model.fitted;

	if (site->moved == NULL)
		site->moved = MemoryContextAlloc(site->memo.context, sizeof(ClvModel));
	if (site->fitted != site->moved)
		memcpy(site->moved, fitted, sizeof(ClvModel));
	site->has_z = false;
	site->fitted = site->moved;
	if (fitted->purchase.family != NULL)
		MovePurchases(site, z);
	if (fitted->spend.family != NULL && fitted->spend.ncovariates > 0)
		MoveSpend(site, given);
	memcpy(site->z, z, clv_model_own_covariates(clv_model_customer_part(fitted)) * sizeof(double));
	site->has_z = true;
}

void
clv_set_covariates(ClvModelSite *site, ArrayType *covariates)
{
	const ClvModelPart *part = clv_model_customer_part(&site->model.fitted);
	int n = clv_model_own_covariates(part);
	const double *given;
	double z[CLV_MAX_COVARIATES];

	if (n == 0)
	{
		if (covariates != NULL)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							part->calendar != NULL
								? errmsg("the covariates of the model are those of its calendar")
								: errmsg("the model was fitted without covariates"),
							errhint("Leave the argument covariates out.")));
		return;
	}
	if (covariates == NULL)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the model needs the customer's covariates"),
						errdetail("They are, in this order: %s.", Names(part)),
						errhint("Give covariates => an array of numbers.")));
	given = ReadVector(part, covariates);
	for (int i = 0; i < n; i++)
		z[i] = given[i] - part->centre[i];
	if (!site->has_z || memcmp(site->z, z, n * sizeof(double)) != 0)
		Move(site, given, z);
}

ClvModelSite *
clv_customer_site(FunctionCallInfo fcinfo, int covariates)
{
	return clv_customer_site_of(fcinfo, covariates, CLV_MEMO_KINDS);
}

ClvModelSite *
clv_customer_site_of(FunctionCallInfo fcinfo, int covariates, int width)
{
	ClvModelSite *site = clv_model_site_of(fcinfo, 0, width);

	clv_model_need_purchase(&site->model.fitted);
	if (clv_model_own_covariates(&site->model.fitted.purchase) > 0 || !PG_ARGISNULL(covariates))
		clv_set_covariates(site,
						   PG_ARGISNULL(covariates) ? NULL : PG_GETARG_ARRAYTYPE_P(covariates));
	return site;
}

/* Leaves the covariates of the calendar in the part, and none of customers. */
static void
KeepFollowed(ClvModelPart *part)
{
	int own = clv_model_own_covariates(part);
	int n = part->followed;

	memmove(part->effect, part->effect + own, n * sizeof(double));
	memmove(part->effect + n, part->effect + part->ncovariates + own, n * sizeof(double));
	memmove(part->centre, part->centre + own, n * sizeof(double));
	memmove(part->covariate, part->covariate + own, n * sizeof(part->covariate[0]));
	part->ncovariates = n;
}

/* Makes the part one as if written by hand: the standard errors of its parameters are not known. */
static void
ForgetFit(ClvModelPart *part)
{
	part->fitted = part->converged = part->has_covariance = false;
	part->customers = 0;
	part->log_likelihood = part->gradient_norm = get_float8_nan();
	part->iterations = 0;
	part->prior = 0;
	part->profile = 0;
}

/*
 * clv_with_covariates(model, covariates) -> clv_model: the model of customers who have these
 * covariates, with those of its calendar alone; strict, errors where the vector does not fit the
 * model.
 */
PG_FUNCTION_INFO_V1(clv_with_covariates);
Datum
clv_with_covariates(PG_FUNCTION_ARGS)
{
	ClvModelSite *site = clv_model_site(fcinfo);
	ClvModel fitted;

	clv_set_covariates(site, PG_GETARG_ARRAYTYPE_P(1));
	fitted = *site->fitted;
	if (fitted.purchase.family != NULL)
	{
		KeepFollowed(&fitted.purchase);
		ForgetFit(&fitted.purchase);
		fitted.skipped = fitted.returned = 0;
		fitted.ncandidates = 0;
	}
	if (fitted.spend.family != NULL && fitted.spend.ncovariates > 0)
	{
		KeepFollowed(&fitted.spend);
		ForgetFit(&fitted.spend);
		fitted.spend_skipped = 0;
		fitted.frequency_spend_correlation = get_float8_nan();
	}
	PG_RETURN_CLV_MODEL_P(clv_model_pack(&fitted));
}

/* ---- the memo ---- */

ClvMemoKey
clv_site_key(const ClvModelSite *site, const ClvCustomer *customer)
{
	return clv_customer_key(site->fitted, customer, site->purchase, site->churn);
}

/*
 * The probability that a customer who is alive so many days after the first purchase leaves before
 * they buy again. Blocks of days are fixed, so that the result does not depend on the order of
 * rows.
 */
static double
Leaving(ClvModelSite *site, double x, int32 days)
{
	const ClvModelPart *part = &site->fitted->purchase;
	ClvMemoKey key =
		clv_memo_key((int32) x, days / LEAVING_DAYS, 0, 0, site->purchase, site->churn);
	double *chances = clv_memo_values(&site->leaving, &key);

	if (isnan(chances[0]))
	{
		double times[LEAVING_DAYS];

		for (int i = 0; i < LEAVING_DAYS; i++)
			times[i] = ((double) key.days * LEAVING_DAYS + i) / site->fitted->unit_days;
		part->family->leaving(part->param, x, times, LEAVING_DAYS, chances);
	}
	return chances[days % LEAVING_DAYS];
}

double
clv_site_p_alive(ClvModelSite *site, const ClvCustomer *customer)
{
	const ClvModelPart *part = &site->fitted->purchase;
	double p_alive;
	double leaving;

	if (part->family->leaving == NULL || part->calendar != NULL)
		return clv_p_alive_of(site->fitted, customer);
	leaving = Leaving(site, customer->x, customer->last);
	p_alive = part->family->p_alive(part->param, customer->x, customer->t_x, customer->T, leaving,
									Leaving(site, customer->x, customer->days));
	return isnan(p_alive) ? clv_p_alive_of(site->fitted, customer) : p_alive;
}

/* Discounted purchases until a horizon, by a calendar as customers share them. */
static double
Discounted(const ClvModelSite *site, const ClvCustomer *customer, const ClvFuture *future,
		   double horizon)
{
	const ClvModel *fitted = site->fitted;
	double delta = site->terms.delta;
	double shared = get_float8_nan();

	if (future->clocks != NULL && future->family->rates != NULL && delta > 0 && horizon > 0)
		shared = clv_timeline_discounted(clv_timeline(&fitted->purchase, fitted->unit_days),
										 customer->as_of, future, delta, horizon);
	return isnan(shared) ? clv_discounted(future, delta, horizon) : shared;
}

/*
 * A quantity of the customer given alive under the terms of the site, computed and not taken from
 * the memo; for every kind but CLV_MEMO_GAIN.
 */
static double
Evaluate(const ClvModelSite *site, const ClvCustomer *customer, ClvMemoKind kind)
{
	const ClvTerms *terms = &site->terms;
	ClvFuture future;

	clv_future_of(site->fitted, customer, terms->horizon, &future);
	switch (kind)
	{
		case CLV_MEMO_EXPECTED:
			return clv_future_expected(&future, terms->horizon);
		case CLV_MEMO_DISCOUNTED:
			return Discounted(site, customer, &future, terms->horizon);
		default:
			return Discounted(site, customer, &future, get_float8_infinity());
	}
}

/*
 * The same by a calendar, where it takes an integral over all steps, from that of a customer with
 * one purchase and the same first day, where the family allows that.
 */
static double
EvaluateByRate(ClvModelSite *site, const ClvCustomer *customer, ClvMemoKind kind)
{
	const ClvModelPart *part = &site->fitted->purchase;
	ClvCustomer single = *customer;

	if (part->calendar == NULL || !part->family->clocked->by_rate || customer->x == 0)
		return Evaluate(site, customer, kind);
	single.x = single.t_x = single.last = 0;
	return (part->param[0] + customer->x) / part->param[0] * clv_cached(site, &single, kind);
}

/*
 * What a purchase today adds to the discounted purchases; 0 for families of whole periods. The
 * customer after that purchase has a key of the memo as well, often one that other customers share.
 */
static double
Gain(ClvModelSite *site, const ClvCustomer *customer)
{
	ClvCustomer buyer = *customer;

	if (clv_in_periods(site->fitted->purchase.family))
		return 0;
	buyer.x = customer->x + 1;
	buyer.t_x = customer->T;
	buyer.last = customer->days;
	return clv_site_p_alive(site, &buyer) * clv_cached(site, &buyer, CLV_MEMO_DISCOUNTED) -
		   clv_cached(site, customer, CLV_MEMO_DISCOUNTED);
}

double
clv_cached(ClvModelSite *site, const ClvCustomer *customer, ClvMemoKind kind)
{
	ClvMemoKey key = clv_site_key(site, customer);
	double value;

	/* the same number, bit for bit, where nothing is discounted */
	if (kind == CLV_MEMO_DISCOUNTED && site->terms.delta == 0)
		kind = CLV_MEMO_EXPECTED;
	value = clv_memo_values(&site->memo, &key)[kind];
	if (isnan(value))
	{
		value = kind == CLV_MEMO_GAIN ? Gain(site, customer) : EvaluateByRate(site, customer, kind);
		/* other pairs may have been added meanwhile, so the entry is looked up anew */
		clv_memo_values(&site->memo, &key)[kind] = value;
	}
	return value;
}

/*
 * All quantities of the key at once, for a row of predictions: a single lookup once the
 * key is known.
 */
void
clv_cached_all(ClvModelSite *site, const ClvCustomer *customer, const ClvMemoKey *key,
			   double *values)
{
	const double *value = clv_memo_values(&site->memo, key);

	/* the first and the last of them: a table that was full may have been emptied in between */
	if (!isnan(value[CLV_MEMO_EXPECTED]) && !isnan(value[CLV_MEMO_GAIN]))
		memcpy(values, value, CLV_MEMO_KINDS * sizeof(double));
	else
	{
		/* in the order they are computed, for the same reason */
		values[CLV_MEMO_EXPECTED] = clv_cached(site, customer, CLV_MEMO_EXPECTED);
		values[CLV_MEMO_DISCOUNTED] = clv_cached(site, customer, CLV_MEMO_DISCOUNTED);
		values[CLV_MEMO_LIFETIME] = get_float8_nan();
		if (site->terms.delta > 0)
			values[CLV_MEMO_LIFETIME] = clv_cached(site, customer, CLV_MEMO_LIFETIME);
		values[CLV_MEMO_GAIN] = clv_cached(site, customer, CLV_MEMO_GAIN);
	}
	if (site->terms.delta == 0)
		values[CLV_MEMO_DISCOUNTED] = values[CLV_MEMO_EXPECTED];
}

const double *
clv_site_counts(ClvModelSite *site, const ClvCustomer *customer, const ClvFuture *future)
{
	ClvMemoKey key = clv_site_key(site, customer);
	double *p = clv_memo_values(&site->counts, &key);
	double counts[CLV_COUNTS] = {1};

	if (!isnan(p[0]))
		return p;
	if (site->terms.horizon > 0)
		clv_future_probabilities(future, site->terms.horizon, CLV_COUNTS, counts);
	return memcpy(p, counts, sizeof(counts));
}
