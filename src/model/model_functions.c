/*
 * model_functions.c
 *		Writing a model by hand, joining two, and reading one.
 */
#include "model/model.h"

#include <math.h>

#include "access/htup_details.h"
#include "common/arguments.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

#include "model/model_json.h"
#include "model/model_private.h"

/* ---- a model written by hand ---- */

/*
 * clv_model(family, params jsonb, time_unit, as_of, covariates jsonb, periods, calendar) ->
 * clv_model; NULL for a NULL family or NULL params.
 */
PG_FUNCTION_INFO_V1(clv_model);
Datum
clv_model(PG_FUNCTION_ARGS)
{
	ClvModel fitted;
	const ClvFamily *family;
	ClvModelPart *part;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	clv_model_init(&fitted);
	family = clv_model_family(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	part = clv_model_part(&fitted, family);
	part->family = family;
	clv_model_parameters_from_json(&PG_GETARG_JSONB_P(1)->root, family, part->param);
	if (family->process == CLV_TRANSACTION)
	{
		if (PG_ARGISNULL(2))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a model of purchases needs a time unit"),
					 errhint("Give the time unit of its parameters: time_unit => '1 week'.")));
		(void) clv_span_days("time_unit", PG_GETARG_INTERVAL_P(2));
		fitted.time_unit = *PG_GETARG_INTERVAL_P(2);
	}
	if (!PG_ARGISNULL(3))
	{
		fitted.has_as_of = true;
		fitted.as_of = PG_GETARG_DATEADT(3);
	}
	if (!PG_ARGISNULL(4))
		clv_model_covariates_from_json(&PG_GETARG_JSONB_P(4)->root, part);
	if (!PG_ARGISNULL(5))
		fitted.periods = clv_periods_of(text_to_cstring(PG_GETARG_TEXT_PP(5)));
	if (PG_NARGS() > 6 && !PG_ARGISNULL(6))
		part->calendar = PG_GETARG_CLV_CALENDAR_P(6);
	PG_RETURN_CLV_MODEL_P(clv_model_pack(&fitted));
}

/* ---- clv_model || clv_model ---- */

/* Raises the error of models that cannot be joined. */
static pg_attribute_noreturn() void CannotJoin(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("cannot join the models"),
					errdetail("%s", detail)));
}

/* Set the as_of of the joined model: that of either; an error where both have one and they differ.
 */
static void
JoinAsOf(ClvModel *joined, const ClvModel *other)
{
	char a[MAXDATELEN + 1];
	char b[MAXDATELEN + 1];

	if (!other->has_as_of)
		return;
	if (joined->has_as_of && joined->as_of != other->as_of)
		CannotJoin(psprintf("One is as of %s, the other as of %s.", clv_date_text(joined->as_of, a),
							clv_date_text(other->as_of, b)));
	joined->has_as_of = true;
	joined->as_of = other->as_of;
}

/* Set the occasion of the joined model: that of either; an error where both have one and they
 * differ. */
static void
JoinOccasion(ClvModel *joined, const ClvModel *other)
{
	if (joined->occasion != 0 && other->occasion != 0 && joined->occasion != other->occasion)
		CannotJoin(psprintf("One counts occasions of %d days, the other of %d.", joined->occasion,
							other->occasion));
	if (other->occasion != 0)
		joined->occasion = other->occasion;
}

/* clv_model || clv_model -> clv_model: the purchase part of one, the spend part of the other. */
PG_FUNCTION_INFO_V1(clv_model_join);
Datum
clv_model_join(PG_FUNCTION_ARGS)
{
	ClvModel a;
	ClvModel b;
	ClvModel *purchase;
	ClvModel *spend;

	clv_model_unpack(PG_GETARG_CLV_MODEL_P(0), &a);
	clv_model_unpack(PG_GETARG_CLV_MODEL_P(1), &b);
	if (a.purchase.family != NULL && b.purchase.family != NULL)
		CannotJoin(psprintf("Both have a purchase part: \"%s\" and \"%s\".",
							a.purchase.family->name, b.purchase.family->name));
	if (a.spend.family != NULL && b.spend.family != NULL)
		CannotJoin("Both have a spend part.");

	purchase = a.purchase.family != NULL ? &a : &b;
	spend = purchase == &a ? &b : &a;
	purchase->spend = spend->spend;
	purchase->spend_basis = spend->spend_basis;
	purchase->spend_skipped = spend->spend_skipped;
	purchase->frequency_spend_correlation = spend->frequency_spend_correlation;
	JoinAsOf(purchase, spend);
	JoinOccasion(purchase, spend);
	PG_RETURN_CLV_MODEL_P(clv_model_pack(purchase));
}

/* ---- clv_parameters ---- */

/*
 * The z with P(|Z| <= z) = level, Z standard normal. Bisection to the last bit:
 * it runs once per call, and needs no table of coefficients.
 */
double
clv_normal_width(double level)
{
	double low = 0;
	double high = 40;

	for (;;)
	{
		double z = low + (high - low) / 2;

		if (z <= low || z >= high)
			return z;
		if (erfc(z * M_SQRT1_2) > 1 - level)
			low = z;
		else
			high = z;
	}
}

/* Add a row of clv_parameters; known: whether it has a standard error and limits. */
static void
PutParameter(ReturnSetInfo *rsinfo, const char *name, const char *process, double estimate,
			 bool known, double std_error, double lower, double upper)
{
	Datum values[6];
	bool nulls[6] = {false};

	values[0] = CStringGetTextDatum(name);
	values[1] = Float8GetDatum(estimate);
	values[2] = Float8GetDatum(std_error);
	values[3] = Float8GetDatum(lower);
	values[4] = Float8GetDatum(upper);
	values[5] = CStringGetTextDatum(process);
	nulls[2] = nulls[3] = nulls[4] = !known;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The standard error of row i of the covariance; 0: not estimated, or not known. */
static double
SearchError(const ClvModelPart *part, int i)
{
	return clv_model_has_errors(part) ? sqrt(part->covariance[CLV_AT(i, i)]) : 0;
}

/* Add a row for each covariate with the value that the parameters hold for; it is no estimate. */
static void
PutCentres(ReturnSetInfo *rsinfo, const ClvModelPart *part)
{
	for (int i = 0; i < part->ncovariates; i++)
		PutParameter(rsinfo, part->covariate[i],
					 part->family->process == CLV_SPEND ? "spend centre" : "centre",
					 part->centre[i], false, 0, 0, 0);
}

/* How limits are found. */
typedef struct Method
{
	bool profile;
	double z; /* of the level */
} Method;

/* Add a row with the limits of row i of the covariance by the profile; NULL where not known. */
static void
PutProfile(ReturnSetInfo *rsinfo, const char *name, const char *process, const ClvModelPart *part,
		   int i, double estimate, double error)
{
	bool known = part->profile != 0;
	double low = known ? part->profile_low[i] : 0;
	double high = known ? part->profile_high[i] : 0;
	Datum values[6];
	bool nulls[6] = {false};

	values[0] = CStringGetTextDatum(name);
	values[1] = Float8GetDatum(estimate);
	values[2] = Float8GetDatum(error);
	values[3] = Float8GetDatum(low);
	values[4] = Float8GetDatum(high);
	values[5] = CStringGetTextDatum(process);
	nulls[2] = !(error > 0);
	nulls[3] = !known || isnan(low);
	nulls[4] = !known || isnan(high);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Add rows for the effects of covariates, whose estimates are taken to be normal without
 * transformation. */
static void
PutEffects(ReturnSetInfo *rsinfo, const ClvModelPart *part, Method method, bool churn)
{
	for (int i = 0; i < part->ncovariates; i++)
	{
		int effect = churn * part->ncovariates + i;
		double estimate = part->effect[effect];
		int row = part->family->nparams + effect;
		double error = SearchError(part, row);
		double reach = method.z * error;
		const char *process = psprintf("%s effect", clv_model_process(part, effect));

		if (!clv_model_moves(part, effect))
			continue;
		if (method.profile)
			PutProfile(rsinfo, part->covariate[i], process, part, row, estimate, error);
		else
			PutParameter(rsinfo, part->covariate[i], process, estimate, error > 0, error,
						 estimate - reach, estimate + reach);
	}
}

/* Add a row for the number that the family derives from its parameters; its standard error by the
 * delta method. It has no limits by the profile. */
static void
PutDerived(ReturnSetInfo *rsinfo, const ClvModelPart *part, Method method)
{
	const ClvFamily *family = part->family;
	double gradient[CLV_MAX_PARAMS];
	double estimate = family->derived(part->param, gradient, NULL);
	double variance = 0;
	double error;

	for (int i = 0; clv_model_has_errors(part) && i < family->nparams; i++)
		for (int j = 0; j < family->nparams; j++)
			variance +=
				gradient[i] * gradient[j] * part->covariance[i > j ? CLV_AT(i, j) : CLV_AT(j, i)];
	error = sqrt(Max(variance, 0));
	PutParameter(rsinfo, family->derived_name, "transaction", estimate,
				 error > 0 && !method.profile, error, estimate - method.z * error,
				 estimate + method.z * error);
}

/*
 * Estimation happens on the logs of the parameters (of probabilities, the logits),
 * whose likelihood is nearer to a normal's and whose intervals cannot leave the
 * range: with s the standard error of the log, the interval is estimate * exp(+-z s),
 * and the standard error by the delta method estimate * s.
 */
static void
PutParameters(ReturnSetInfo *rsinfo, const ClvModelPart *part, Method method)
{
	const ClvFamily *family = part->family;

	if (family == NULL)
		return;
	for (int i = 0; i < family->nparams; i++)
	{
		ClvTransform transform = family->transform[i];
		double value = part->param[i];
		double error = SearchError(part, i);
		double std_error = error * clv_slope(transform, value);
		const char *process = family->process == CLV_SPEND ? "spend" : "transaction";

		if (method.profile)
			PutProfile(rsinfo, family->param_names[i], process, part, i, value, std_error);
		else
			PutParameter(rsinfo, family->param_names[i], process, value, error > 0, std_error,
						 clv_moved(transform, value, -method.z * error),
						 clv_moved(transform, value, method.z * error));
	}
	if (family->derived != NULL)
		PutDerived(rsinfo, part, method);
	PutCentres(rsinfo, part);
	PutEffects(rsinfo, part, method, false);
	PutEffects(rsinfo, part, method, true);
}

/* An error unless the part, where it was fitted, holds limits by the profile at the level. */
static void
CheckProfile(const ClvModelPart *part, double level)
{
	if (part->family == NULL || !part->fitted || part->profile == level)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the model has no profile limits at level %s", clv_number_text(level)),
			 part->profile == 0 ? errdetail("The fit of \"%s\" has kept none.", part->family->name)
								: errdetail("The fit of \"%s\" has kept those at level %s.",
											part->family->name, clv_number_text(part->profile)),
			 errhint("Fit it with clv_options(profile => %s).", clv_number_text(level))));
}

/* The method of that name; an error where it is unknown. */
static bool
IsProfile(const char *method)
{
	if (strcmp(method, "wald") != 0 && strcmp(method, "profile") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("method must be 'wald' or 'profile': \"%s\"", method)));
	return strcmp(method, "profile") == 0;
}

/*
 * clv_parameters(clv_model, level, method) -> rows: parameters, centres of covariates and their
 * effects, with standard errors and limits at that level, NULL where not estimated.
 */
PG_FUNCTION_INFO_V1(clv_parameters);
Datum
clv_parameters(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	double level = PG_GETARG_FLOAT8(1);
	Method method = {IsProfile(text_to_cstring(PG_GETARG_TEXT_PP(2))), 0};
	ClvModel fitted;

	clv_check_level(level);
	clv_model_unpack(PG_GETARG_CLV_MODEL_P(0), &fitted);
	if (method.profile)
	{
		CheckProfile(&fitted.purchase, level);
		CheckProfile(&fitted.spend, level);
	}
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	method.z = clv_normal_width(level);
	PutParameters(rsinfo, &fitted.purchase, method);
	PutParameters(rsinfo, &fitted.spend, method);
	return (Datum) 0;
}

/* ---- clv_effects ---- */

/*
 * Whether an effect multiplies what it acts on: of purchases and spend always, of leaving where
 * customers leave at a rate of their own, and not after purchases.
 */
static bool
HasRate(const ClvModelPart *part, bool churn)
{
	for (int i = 0; churn && i < part->family->nparams; i++)
		if (part->family->churn_effect[i] > 0)
			return false;
	return true;
}

/* Add a row of clv_effects. */
static void
PutEffect(ReturnSetInfo *rsinfo, const ClvModelPart *part, int i, double z)
{
	bool churn = i >= part->ncovariates;
	double effect = part->effect[i];
	double error = SearchError(part, part->family->nparams + i);
	Datum values[7] = {0};
	bool nulls[7] = {false};

	values[0] = CStringGetTextDatum(part->covariate[i % part->ncovariates]);
	values[1] = CStringGetTextDatum(clv_model_process(part, i));
	values[2] = Float8GetDatum(effect);
	nulls[3] = nulls[4] = nulls[5] = error == 0;
	values[3] = Float8GetDatum(error);
	values[4] = Float8GetDatum(effect - z * error);
	values[5] = Float8GetDatum(effect + z * error);
	nulls[6] = !HasRate(part, churn);
	values[6] = Float8GetDatum(exp(effect));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Add the rows of clv_effects of a part. */
static void
PutActing(ReturnSetInfo *rsinfo, const ClvModelPart *part, double z)
{
	for (int i = 0; part->family != NULL && i < 2 * part->ncovariates; i++)
		if (clv_model_moves(part, i) && !clv_model_is_idle(part, i))
			PutEffect(rsinfo, part, i, z);
}

/*
 * clv_effects(clv_model, level) -> rows: the effects of covariates that act, with standard errors
 * and limits at that level, NULL where not estimated; no rows without covariates.
 */
PG_FUNCTION_INFO_V1(clv_effects);
Datum
clv_effects(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	double level = PG_GETARG_FLOAT8(1);
	ClvModel fitted;

	clv_check_level(level);
	clv_model_unpack(PG_GETARG_CLV_MODEL_P(0), &fitted);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	PutActing(rsinfo, &fitted.purchase, clv_normal_width(level));
	PutActing(rsinfo, &fitted.spend, clv_normal_width(level));
	return (Datum) 0;
}

/* ---- clv_diagnostics ---- */

/*
 * Where the 95 % limits of a parameter are this many times apart, the data do not determine it.
 * Of a probability, those of its odds. Effects and correlations, whose scale is their own, are
 * not judged.
 */
#define LOOSE_SPAN 1e4

char *
clv_model_loose_text(const ClvModelPart *part)
{
	double z = clv_normal_width(0.95);
	StringInfoData out;

	if (part->family == NULL || !part->fitted || !clv_model_has_errors(part))
		return NULL;
	initStringInfo(&out);
	for (int i = 0; i < part->family->nparams; i++)
	{
		ClvTransform transform = part->family->transform[i];
		double reach = z * SearchError(part, i);

		if ((transform == CLV_LOG || transform == CLV_LOGIT) && 2 * reach > log(LOOSE_SPAN))
			appendStringInfo(&out, "%s%s %.3g to %.3g", out.len > 0 ? ", " : "",
							 part->family->param_names[i],
							 clv_moved(transform, part->param[i], -reach),
							 clv_moved(transform, part->param[i], reach));
	}
	return out.len > 0 ? out.data : NULL;
}

#define DIAGNOSTICS_COLUMNS 31

/* A row under construction: values go in one after the other. */
typedef struct Row
{
	int n;
	Datum values[DIAGNOSTICS_COLUMNS];
	bool nulls[DIAGNOSTICS_COLUMNS];
} Row;

/* Append a value to the row; NULL where it is not known. */
static void
Put(Row *row, bool known, Datum value)
{
	Assert(row->n < DIAGNOSTICS_COLUMNS);
	row->nulls[row->n] = !known;
	row->values[row->n++] = known ? value : (Datum) 0;
}

/* Append a number to the row; NULL where it is not known or NaN. */
static void
PutNumber(Row *row, bool known, double value)
{
	known = known && !isnan(value);
	Put(row, known, known ? Float8GetDatum(value) : (Datum) 0);
}

/* Append the name of a family to the row; NULL without a family. */
static void
PutName(Row *row, const ClvFamily *family)
{
	Put(row, family != NULL, family != NULL ? CStringGetTextDatum(family->name) : (Datum) 0);
}

/* Whether the model has this part, and from a fit. */
static bool
IsFitted(const ClvModelPart *part)
{
	return part->family != NULL && part->fitted;
}

/*
 * Of one process: customers, skipped, log-likelihood, aic, bic, iterations,
 * converged, gradient norm. n of the BIC are the customers fitted.
 */
static void
PutFit(Row *row, const ClvModelPart *part, int64 skipped)
{
	bool known = IsFitted(part);

	Put(row, known, Int64GetDatum(part->customers));
	Put(row, known || skipped > 0, Int64GetDatum(skipped));
	PutNumber(row, known, part->log_likelihood);
	PutNumber(row, known, known ? clv_model_aic(part) : 0);
	PutNumber(row, known, known ? clv_model_bic(part) : 0);
	Put(row, known, Int32GetDatum(part->iterations));
	Put(row, known, BoolGetDatum(part->converged));
	PutNumber(row, known, part->gradient_norm);
}

/* Of one process: the distance from the mean of its prior, and the effective parameters. */
static void
PutPrior(Row *row, const ClvModelPart *part)
{
	bool known = IsFitted(part) && part->prior != 0;

	PutNumber(row, known, part->prior_distance);
	PutNumber(row, known, part->effective);
}

/* The families that 'auto' tried as jsonb, the chosen one first. */
static Datum
Candidates(const ClvModel *fitted)
{
	StringInfoData out;

	initStringInfo(&out);
	clv_model_append_candidates(&out, fitted, true);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data));
}

/* The text of remarks, with a separator where it has some already. */
static StringInfo
Next(StringInfo out)
{
	if (out->len > 0)
		appendStringInfoString(out, "; ");
	return out;
}

/* Append the remarks on the fit of one process. */
static void
RemarkPart(StringInfo out, const ClvModelPart *part, const char *process)
{
	char *loose = clv_model_loose_text(part);

	if (clv_model_fell_short(part))
		appendStringInfo(Next(out), "the fit of the %s did not converge", process);
	if (loose != NULL)
		appendStringInfo(Next(out),
						 "the data do not determine all parameters of the %s, 95 %% limits: %s",
						 process, loose);
}

/* Reasons to doubt the model, as clv_diagnostics shows them; NULL where none is known. */
static char *
Remarks(const ClvModel *fitted)
{
	const ClvCandidate *next = &fitted->candidate[0];
	StringInfoData out;
	double better;

	initStringInfo(&out);
	RemarkPart(&out, &fitted->purchase, "purchases");
	RemarkPart(&out, &fitted->spend, "spend");
	better = fitted->ncandidates > 0 ? clv_model_bic(&fitted->purchase) - next->bic : 0;
	if (better > 0)
		appendStringInfo(Next(&out), "the BIC of \"%s\"%s is better by %.1f", next->family->name,
						 next->converged ? "" : ", which did not converge,", better);
	return out.len > 0 ? out.data : NULL;
}

/* clv_diagnostics(clv_model) -> row: what the model holds about its fit; NULL for what is not
 * known. */
PG_FUNCTION_INFO_V1(clv_diagnostics);
Datum
clv_diagnostics(PG_FUNCTION_ARGS)
{
	ClvModel fitted;
	Row row = {0};
	Interval *unit = palloc(sizeof(Interval));
	ClvClock clock = CLV_CONTINUOUS;
	char *remark;

	clv_model_unpack(PG_GETARG_CLV_MODEL_P(0), &fitted);
	remark = Remarks(&fitted);
	*unit = fitted.time_unit;
	if (fitted.purchase.family != NULL)
		clock = fitted.purchase.family->clock;

	PutName(&row, fitted.purchase.family);
	PutFit(&row, &fitted.purchase, fitted.skipped);
	PutName(&row, fitted.spend.family);
	PutFit(&row, &fitted.spend, fitted.spend_skipped);
	Put(&row, fitted.spend.family != NULL,
		CStringGetTextDatum(clv_spend_basis_name(fitted.spend_basis)));
	PutNumber(&row, fitted.spend.family != NULL, fitted.frequency_spend_correlation);
	Put(&row, fitted.has_as_of, DateADTGetDatum(fitted.as_of));
	Put(&row, fitted.purchase.family != NULL, IntervalPGetDatum(unit));
	Put(&row, fitted.occasion != 0, Int32GetDatum(fitted.occasion));
	Put(&row, fitted.ncandidates > 0, fitted.ncandidates > 0 ? Candidates(&fitted) : (Datum) 0);
	Put(&row, clock != CLV_CONTINUOUS, CStringGetTextDatum(clv_periods_name(fitted.periods)));
	Put(&row, clock == CLV_RENEWALS && fitted.purchase.fitted, Int64GetDatum(fitted.returned));
	Put(&row, remark != NULL, remark != NULL ? CStringGetTextDatum(remark) : (Datum) 0);
	PutPrior(&row, &fitted.purchase);
	PutPrior(&row, &fitted.spend);
	PG_RETURN_DATUM(
		HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), row.values, row.nulls)));
}
