/*
 * campaign.c
 *		The aggregate clv_campaign: what a campaign changed, from customers who were treated and
 *		customers who were not.
 *
 * Of every customer the state takes what they did while it lasted, and what the model expected of
 * them from what was known the day before. The difference of means is adjusted by that prediction
 * (math/adjusted.h). Where no customer was left untreated, the values of the treated are compared
 *with the predicted ones, with their prediction interval (total.h). All sums are exact: no order of
 *rows, and no split, changes a bit.
 */
#include "predict/total.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/arguments.h"
#include "common/exact.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "math/adjusted.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#define AGGREGATE "clv_campaign()"
#define STATE_TAG 0x636D7067
#define LEVEL 0.95

/* The smallest effect is one that is found with this probability: both quantiles of the normal. */
#define POWER 0.8

/* A p-value below which arms are said to differ before the campaign. */
#define BROKEN 0.001

/* Expected purchases from which on a stretch of days without any is not due to chance. */
#define SURELY_SOME 10

/* The arguments of the transition function. */
enum
{
	STATE,
	TREATED,
	HISTORY,
	MODEL,
	SINCE,
	UNTIL,
	COST,
	SHARE
};

/* What is measured of a customer. */
typedef enum Measure
{
	PURCHASES,
	BUYERS,
	REVENUE,
	MEASURES
} Measure;

static const char *const measure_name[MEASURES] = {"purchases", "buyers", "revenue"};

/* The sums of a measure over the customers of an arm; x is predicted, y what came. */
enum
{
	X,
	Y,
	XX,
	XY,
	YY,
	SUMS
};

/* A measure of an arm. */
typedef struct Arm
{
	int64 customers;
	ClvExactSum sum[SUMS];
} Arm;

/* The arms so far; index 1 of an arm is that of the treated. */
typedef struct Campaign
{
	uint32 tag; /* STATE_TAG */
	double cost;
	double share;
	DateADT since; /* first day of the campaign, */
	DateADT until; /* its last, */
	DateADT last;  /* and the last purchase of all customers */
	Arm arm[MEASURES][2];
	ClvExactSum buyers_variance; /* of the treated */
	ClvTotal *total;             /* the same; NULL: no customer yet */
} Campaign;

/* ---- one customer ---- */

/* The state that an argument is; NULL: none yet. An error for the state of another aggregate. */
static Campaign *
StateArgument(FunctionCallInfo fcinfo, int arg)
{
	return clv_state_argument(fcinfo, arg, STATE_TAG, AGGREGATE);
}

/* A day of the campaign; NULL and infinity are errors. */
static DateADT
Day(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s of a campaign must not be NULL", name)));
	clv_check_date(name, PG_GETARG_DATEADT(argument));
	return PG_GETARG_DATEADT(argument);
}

/* The days of the campaign as an interval; an error where there is none. */
static Interval
Span(DateADT since, DateADT until)
{
	Interval span = {0};
	char first[MAXDATELEN + 1];
	char last[MAXDATELEN + 1];

	if (since > until)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the campaign ends (%s) before it begins (%s)",
							   clv_date_text(until, last), clv_date_text(since, first)),
						errhint("Give its first day as since, and the last day that counts as "
								"until.")));
	span.day = until - since + 1;
	return span;
}

/* An optional number of the whole campaign: NaN where it is not given or NULL, an error where it is
 * NaN itself. */
static double
Number(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double value;

	if (PG_NARGS() <= argument || PG_ARGISNULL(argument))
		return get_float8_nan();
	value = PG_GETARG_FLOAT8(argument);
	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must not be NaN", name),
				 errhint("Leave it out, or make it NULL, where it is not known.")));
	return value;
}

/* Errors of a cost that is negative or not finite, and of a share that is none. */
static void
CheckNumbers(double cost, double share)
{
	if (!isnan(cost) && !(cost >= 0 && isfinite(cost)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cost must be a finite number, not negative: %s", clv_number_text(cost))));
	if (!isnan(share) && !(share > 0 && share < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("share must be between 0 and 1: %s", clv_number_text(share)),
				 errhint("It is the share of the customers that was to be treated, such as 0.5.")));
}

/* Warns once a statement where the model was fitted to what it is to predict. */
static void
CheckModel(const ClvModel *fitted, DateADT since)
{
	char as_of[MAXDATELEN + 1];
	char first[MAXDATELEN + 1];

	if (fitted->has_as_of && fitted->as_of >= since &&
		clv_first_in_statement("model of a campaign"))
		ereport(WARNING,
				(errmsg("the model was fitted to purchases of the campaign"),
				 errdetail("It was fitted as of %s, and the campaign began on %s.",
						   clv_date_text(fitted->as_of, as_of), clv_date_text(since, first)),
				 errhint("Fit it as of the day before the campaign: clv_options(as_of => ...).")));
}

/* A new state in the context for customers of the model. */
static Campaign *
NewCampaign(MemoryContext context, double cost, double share)
{
	Campaign *campaign = MemoryContextAllocZero(context, sizeof(Campaign));

	campaign->tag = STATE_TAG;
	campaign->cost = cost;
	campaign->share = share;
	campaign->since = DATEVAL_NOEND;
	campaign->until = campaign->last = DATEVAL_NOBEGIN;
	return campaign;
}

/* An error where another row gives another cost or share: both are of the whole campaign. */
static void
CheckSame(const Campaign *campaign, double cost, double share)
{
	bool cost_differs = cost != campaign->cost && !(isnan(cost) && isnan(campaign->cost));

	if (cost_differs || (share != campaign->share && !(isnan(share) && isnan(campaign->share))))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("rows of one campaign have different values of %s",
							   cost_differs ? "cost" : "share"),
						errhint("It is a number of the whole campaign.")));
}

/* Extends the campaign to these days, and the last purchase of all to this one. */
static void
Reach(Campaign *campaign, DateADT since, DateADT until, DateADT last)
{
	campaign->since = Min(campaign->since, since);
	campaign->until = Max(campaign->until, until);
	campaign->last = Max(campaign->last, last);
}

/* Adds a customer to an arm of a measure. */
static void
AddToArm(Arm *arm, double x, double y)
{
	arm->customers++;
	clv_exact_add(&arm->sum[X], x);
	clv_exact_add(&arm->sum[Y], y);
	clv_exact_add(&arm->sum[XX], x * x);
	clv_exact_add(&arm->sum[XY], x * y);
	clv_exact_add(&arm->sum[YY], y * y);
}

/* Adds a customer: what the model expected of them, and what they did in the days of the campaign.
 */
static void
AddCustomer(Campaign *campaign, ClvModelSite *site, const ClvHistory *history,
			const ClvCustomer *customer, bool treated, DateADT since, DateADT until)
{
	double purchases = clv_history_count(history, since - 1, until);
	double p_alive = clv_site_p_alive(site, customer);
	double expected = p_alive * clv_cached(site, customer, CLV_MEMO_EXPECTED);
	double spend = clv_spend_of(site->fitted, customer);
	double active;
	Numeric revenue = clv_history_spend_between(history, since - 1, until);
	ClvFuture future;

	clv_future_of(site->fitted, customer, site->terms.horizon, &future);
	active = clv_checked(p_alive * (1 - clv_future_probability(&future, 0, site->terms.horizon)),
						 "the probability of a purchase", customer);
	AddToArm(&campaign->arm[PURCHASES][treated], expected, purchases);
	AddToArm(&campaign->arm[BUYERS][treated], active, purchases > 0);
	if (revenue != NULL || purchases == 0)
		AddToArm(&campaign->arm[REVENUE][treated], isfinite(spend) ? expected * spend : expected,
				 revenue != NULL ? clv_numeric_double(revenue) : 0);
	if (revenue != NULL)
		pfree(revenue);
	if (!treated)
		return;
	clv_exact_add(&campaign->buyers_variance, active * (1 - active));
	clv_total_add(campaign->total, site, customer, 1);
}

/*
 * Transition of clv_campaign(treated, history, model, since, until [, cost [, share]]): adds a
 * customer who had bought before since; others, and NULLs in the first three, are skipped.
 */
PG_FUNCTION_INFO_V1(clv_campaign_add);
Datum
clv_campaign_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	Campaign *campaign = StateArgument(fcinfo, STATE);
	double cost = Number(fcinfo, COST, "cost");
	double share = Number(fcinfo, SHARE, "share");
	DateADT since;
	DateADT until;
	Interval span;
	ClvModelSite *site;
	ClvCustomer customer;

	if (PG_ARGISNULL(TREATED) || PG_ARGISNULL(HISTORY) || PG_ARGISNULL(MODEL))
		return clv_same_state(fcinfo);
	since = Day(fcinfo, SINCE, "since");
	until = Day(fcinfo, UNTIL, "until");
	span = Span(since, until);
	site = clv_model_site_of(fcinfo, MODEL, clv_total_memo_width);
	clv_model_need_purchase(&site->model.fitted);
	clv_need_no_covariates(&site->model.fitted);
	clv_set_terms(site, &span, 0);
	if (campaign == NULL)
	{
		CheckNumbers(cost, share);
		campaign = NewCampaign(context, cost, share);
	}
	else
		CheckSame(campaign, cost, share);
	if (campaign->total == NULL)
	{
		CheckModel(site->fitted, since);
		campaign->total =
			clv_total_create(context, PG_GETARG_CLV_MODEL_P(MODEL), &site->model.fitted, LEVEL);
	}
	clv_total_bind(campaign->total, site, PG_GETARG_CLV_MODEL_P(MODEL), LEVEL);
	Reach(campaign, since, until,
		  clv_history_last_purchase(PG_GETARG_CLV_HISTORY_P(HISTORY), DATEVAL_NOEND));
	if (clv_customer(site->fitted, PG_GETARG_CLV_HISTORY_P(HISTORY), since - 1, &customer))
		AddCustomer(campaign, site, PG_GETARG_CLV_HISTORY_P(HISTORY), &customer,
					PG_GETARG_BOOL(TREATED), since, until);
	PG_RETURN_POINTER(campaign);
}

/* ---- partial states ---- */

PG_FUNCTION_INFO_V1(clv_campaign_combine);

/* clv_campaign_combine(internal, internal) -> internal: the customers of both */
Datum
clv_campaign_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	Campaign *campaign = StateArgument(fcinfo, 0);
	Campaign *other = StateArgument(fcinfo, 1);

	if (other == NULL)
		return clv_same_state(fcinfo);
	if (campaign == NULL)
	{
		campaign = NewCampaign(context, other->cost, other->share);
		campaign->total = clv_total_copy(other->total, context);
	}
	else
	{
		CheckSame(campaign, other->cost, other->share);
		clv_total_merge(campaign->total, other->total);
	}
	Reach(campaign, other->since, other->until, other->last);
	for (int m = 0; m < MEASURES; m++)
		for (int t = 0; t < 2; t++)
		{
			Arm *arm = &campaign->arm[m][t];
			Arm *more = &other->arm[m][t];

			arm->customers += more->customers;
			for (int i = 0; i < SUMS; i++)
				clv_exact_merge(&arm->sum[i], &more->sum[i]);
		}
	clv_exact_merge(&campaign->buyers_variance, &other->buyers_variance);
	PG_RETURN_POINTER(campaign);
}

PG_FUNCTION_INFO_V1(clv_campaign_serialize);

/* clv_campaign_serialize(internal) -> bytea */
Datum
clv_campaign_serialize(PG_FUNCTION_ARGS)
{
	Campaign *campaign;
	StringInfoData out;
	ClvSums *sums;
	Size size;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	campaign = StateArgument(fcinfo, 0);
	pq_begintypsend(&out);
	pq_sendfloat8(&out, campaign->cost);
	pq_sendfloat8(&out, campaign->share);
	pq_sendint32(&out, campaign->since);
	pq_sendint32(&out, campaign->until);
	pq_sendint32(&out, campaign->last);
	for (int m = 0; m < MEASURES; m++)
		for (int t = 0; t < 2; t++)
		{
			pq_sendint64(&out, campaign->arm[m][t].customers);
			for (int i = 0; i < SUMS; i++)
				clv_exact_send(&out, &campaign->arm[m][t].sum[i]);
		}
	clv_exact_send(&out, &campaign->buyers_variance);
	size = EOH_get_flat_size(&campaign->total->hdr);
	sums = palloc(size);
	EOH_flatten_into(&campaign->total->hdr, sums, size);
	pq_sendbytes(&out, (char *) sums, size);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

PG_FUNCTION_INFO_V1(clv_campaign_deserialize);

/* clv_campaign_deserialize(bytea, internal) -> internal */
Datum
clv_campaign_deserialize(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	Campaign *campaign = NewCampaign(context, 0, 0);
	bool sound = true;
	StringInfoData in;
	ClvSums *sums;
	int size;

	in.data = VARDATA_ANY(bytes);
	in.len = in.maxlen = VARSIZE_ANY_EXHDR(bytes);
	in.cursor = 0;
	campaign->cost = pq_getmsgfloat8(&in);
	campaign->share = pq_getmsgfloat8(&in);
	campaign->since = (DateADT) pq_getmsgint(&in, 4);
	campaign->until = (DateADT) pq_getmsgint(&in, 4);
	campaign->last = (DateADT) pq_getmsgint(&in, 4);
	for (int m = 0; m < MEASURES; m++)
		for (int t = 0; t < 2; t++)
		{
			campaign->arm[m][t].customers = pq_getmsgint64(&in);
			for (int i = 0; i < SUMS; i++)
				sound = sound && clv_exact_recv(&in, &campaign->arm[m][t].sum[i]);
		}
	sound = sound && clv_exact_recv(&in, &campaign->buyers_variance);
	size = in.len - in.cursor;
	if (!sound || size < VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("malformed state of %s", AGGREGATE)));
	sums = palloc(size);
	pq_copymsgbytes(&in, (char *) sums, size);
	if (VARSIZE(sums) != (Size) size)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("malformed state of %s", AGGREGATE)));
	campaign->total = clv_total_writable(PointerGetDatum(sums), context);
	PG_RETURN_POINTER(campaign);
}

/* ---- the result ---- */

/* The columns of clv_campaign_effect. */
enum
{
	COL_MEASURE,
	COL_TREATED,
	COL_CONTROL,
	COL_TREATED_MEAN,
	COL_CONTROL_MEAN,
	COL_RAW_EFFECT,
	COL_RAW_STD_ERROR,
	COL_RAW_P_VALUE,
	COL_EFFECT,
	COL_STD_ERROR,
	COL_LOWER,
	COL_UPPER,
	COL_P_VALUE,
	COL_VARIANCE_EXPLAINED,
	COL_LIFT,
	COL_TOTAL_EFFECT,
	COL_COST_PER_UNIT,
	COL_SMALLEST_EFFECT,
	COL_BALANCE,
	COL_BALANCE_P_VALUE,
	COL_SHARE_P_VALUE,
	COL_ACTUAL,
	COL_PREDICTED,
	COL_DIFFERENCE,
	COL_DIFFERENCE_LOW,
	COL_DIFFERENCE_HIGH,
	COLUMNS
};

/* A row while it is filled in. */
typedef struct Row
{
	Datum values[COLUMNS];
	bool nulls[COLUMNS];
} Row;

/* Puts a number into a column; NULL where it is not finite. */
static void
Put(Row *row, int column, double value)
{
	row->nulls[column] = !isfinite(value);
	row->values[column] = row->nulls[column] ? (Datum) 0 : Float8GetDatum(value);
}

/* The group that an arm is. */
static ClvGroup
GroupOf(const Arm *arm)
{
	return clv_group_of_sums((double) arm->customers, clv_exact_value(&arm->sum[X]),
							 clv_exact_value(&arm->sum[Y]), clv_exact_value(&arm->sum[XX]),
							 clv_exact_value(&arm->sum[XY]), clv_exact_value(&arm->sum[YY]));
}

/* Fills in what was changed, and what it cost. */
static void
PutEffect(Row *row, const Campaign *campaign, const ClvGroup *treated, const ClvGroup *control)
{
	ClvDifference raw = clv_difference(treated, control);
	double explained;
	ClvDifference adjusted = clv_adjusted_difference(treated, control, &explained);
	double total = adjusted.effect * treated->n;
	double without = treated->y - adjusted.effect;
	double z = clv_normal_width(LEVEL);

	Put(row, COL_RAW_EFFECT, raw.effect);
	Put(row, COL_RAW_STD_ERROR, raw.std_error);
	Put(row, COL_RAW_P_VALUE, raw.p_value);
	Put(row, COL_EFFECT, adjusted.effect);
	Put(row, COL_STD_ERROR, adjusted.std_error);
	Put(row, COL_LOWER, adjusted.effect - z * adjusted.std_error);
	Put(row, COL_UPPER, adjusted.effect + z * adjusted.std_error);
	Put(row, COL_P_VALUE, adjusted.p_value);
	Put(row, COL_VARIANCE_EXPLAINED, explained);
	Put(row, COL_LIFT, without > 0 ? adjusted.effect / without : get_float8_nan());
	Put(row, COL_TOTAL_EFFECT, total);
	Put(row, COL_COST_PER_UNIT, total > 0 ? campaign->cost / total : get_float8_nan());
	Put(row, COL_SMALLEST_EFFECT, (z + clv_normal_width(2 * POWER - 1)) * adjusted.std_error);
}

/* Fills in whether the arms were alike before; warns once a statement where chance does not make
 * such a difference. */
static void
PutBalance(Row *row, const Campaign *campaign, const ClvGroup *treated, const ClvGroup *control)
{
	double balance_p;
	double balance = clv_balance(treated, control, &balance_p);
	double share_p = get_float8_nan();

	if (!isnan(campaign->share))
		share_p = clv_share_p_value(treated->n, treated->n + control->n, campaign->share);
	Put(row, COL_BALANCE, balance);
	Put(row, COL_BALANCE_P_VALUE, balance_p);
	Put(row, COL_SHARE_P_VALUE, share_p);
	if ((balance_p < BROKEN || share_p < BROKEN) && clv_first_in_statement("arms of a campaign"))
		ereport(
			WARNING,
			(errmsg("the groups of the campaign differ by more than chance"),
			 share_p < BROKEN
				 ? errdetail("Of %.0f customers, %.0f were treated, where a share of %s was "
							 "planned.",
							 treated->n + control->n, treated->n, clv_number_text(campaign->share))
				 : errdetail("Treated customers had been predicted %.3g standard deviations %s "
							 "than the others.",
							 fabs(balance), balance > 0 ? "more" : "less"),
			 errhint("The effect is that of the campaign only where chance decided who was "
					 "treated: find out what did.")));
}

/* Fills in what the treated did beside what was predicted of them. */
static void
PutPrediction(Row *row, const Campaign *campaign, Measure measure)
{
	const Arm *arm = &campaign->arm[measure][true];
	double actual = clv_exact_value(&arm->sum[Y]);
	double predicted = clv_exact_value(&arm->sum[X]);
	double of_purchases;
	double of_value;
	double variance;
	double width;
	ClvModel fitted;

	clv_model_unpack(campaign->total->model, &fitted);
	clv_total_variances(campaign->total, &fitted, &of_purchases, &of_value);
	variance = clv_exact_value(&campaign->buyers_variance);
	if (measure == PURCHASES)
		variance = clv_exact_value(&campaign->total->sum[CLV_TOTAL_PURCHASES_VARIANCE]) +
				   (isnan(of_purchases) ? 0 : of_purchases) +
				   pow(clv_total_shock(campaign->total, &fitted, false), 2);
	if (measure == REVENUE)
		variance = clv_exact_value(&campaign->total->sum[CLV_TOTAL_VALUE_VARIANCE]) +
				   (isnan(of_value) ? 0 : of_value) +
				   pow(clv_total_shock(campaign->total, &fitted, true), 2);
	Put(row, COL_ACTUAL, actual);
	if (measure == REVENUE && fitted.spend.family == NULL)
		return;
	Put(row, COL_PREDICTED, predicted);
	Put(row, COL_DIFFERENCE, actual - predicted);
	if (!clv_has_limits(&fitted, measure == REVENUE))
		return;
	width = clv_normal_width(LEVEL) * sqrt(variance);
	Put(row, COL_DIFFERENCE_LOW, actual - predicted - width);
	Put(row, COL_DIFFERENCE_HIGH, actual - predicted + width);
}

/* The row of a measure. */
static Datum
MeasureRow(const Campaign *campaign, Measure measure, TupleDesc desc)
{
	const Arm *arm = campaign->arm[measure];
	ClvGroup treated = GroupOf(&arm[true]);
	ClvGroup control = GroupOf(&arm[false]);
	Row row = {0};

	memset(row.nulls, true, sizeof(row.nulls));
	row.values[COL_MEASURE] = CStringGetTextDatum(measure_name[measure]);
	row.values[COL_TREATED] = Int64GetDatum(arm[true].customers);
	row.values[COL_CONTROL] = Int64GetDatum(arm[false].customers);
	row.nulls[COL_MEASURE] = row.nulls[COL_TREATED] = row.nulls[COL_CONTROL] = false;
	Put(&row, COL_TREATED_MEAN, treated.y);
	Put(&row, COL_CONTROL_MEAN, control.y);
	if (arm[false].customers == 0)
		PutPrediction(&row, campaign, measure);
	else
	{
		PutEffect(&row, campaign, &treated, &control);
		PutBalance(&row, campaign, &treated, &control);
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, row.values, row.nulls));
}

/* Warns, once a statement, where the data seem to end before the campaign: its last days have no
 * purchase of any customer, and the model expects more than SURELY_SOME in them. */
static void
CheckReach(const Campaign *campaign)
{
	const Arm *arm = campaign->arm[PURCHASES];
	double missing = (double) campaign->until - Max(campaign->last, campaign->since - 1);
	double share = missing / ((double) campaign->until - campaign->since + 1);
	double expected = clv_exact_value(&arm[true].sum[X]) + clv_exact_value(&arm[false].sum[X]);
	char last[MAXDATELEN + 1];
	char until[MAXDATELEN + 1];

	if (expected * share > SURELY_SOME && clv_first_in_statement("reach of a campaign"))
		ereport(
			WARNING,
			(errmsg("the data seem to end before the campaign does"),
			 errdetail("The last purchase of all is of %s, the campaign lasts to %s.",
					   clv_date_text(campaign->last, last), clv_date_text(campaign->until, until)),
			 errhint("What is missing looks like customers who did not buy: give the last day "
					 "of the data as until.")));
}

PG_FUNCTION_INFO_V1(clv_campaign_final);

/* clv_campaign_final(internal) -> clv_campaign_effect[]: a row for each measure; NULL without a
 * customer */
Datum
clv_campaign_final(PG_FUNCTION_ARGS)
{
	const Campaign *campaign = StateArgument(fcinfo, STATE);
	Oid element;
	TupleDesc desc;
	Datum rows[MEASURES];
	ArrayType *array;

	if (campaign == NULL)
		PG_RETURN_NULL();
	CheckReach(campaign);
	element = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	desc = lookup_rowtype_tupdesc(element, -1);
	for (int m = 0; m < MEASURES; m++)
		rows[m] = MeasureRow(campaign, (Measure) m, desc);
	ReleaseTupleDesc(desc);
	array = construct_array(rows, MEASURES, element, -1, false, TYPALIGN_DOUBLE);
	PG_RETURN_ARRAYTYPE_P(array);
}
