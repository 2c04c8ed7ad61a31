/*
 * fit_diagnostics.c
 *		The reports of the engine on a fit as messages of the server.
 *
 * A status becomes an error where there is no model, a warning where there is one
 * that is no optimum, and fields of the model.
 */
#include "fit/fit_private.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/float.h"

/* The poll of the engine: checks for interrupts. */
static void
Poll(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

/* The name of the covariate that the report names as degenerate; NULL where it names a parameter or
 * none. */
static const char *
CovariateOf(const FitContext *fit, const ClvFamily *family, const ClvFitReport *report)
{
	int which = report->degenerate_param - family->nparams;
	int n = clv_fit_ncovariates(fit);

	if (which < 0 || which >= 2 * n)
		return NULL;
	return clv_fit_covariate_name(fit, which % n);
}

/* The names of all covariates, for a message. */
static char *
Covariates(const FitContext *fit)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < clv_fit_ncovariates(fit); i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", clv_fit_covariate_name(fit, i));
	return list.data;
}

/* Raises the error of customers without any repeat purchase. */
static pg_attribute_noreturn() void RaiseNoRepeaters(const FitContext *fit, const ClvFamily *family)
{
	const char *what = family->clock == CLV_RENEWALS        ? "renewed"
					   : family->clock == CLV_OPPORTUNITIES ? "bought in a period after the first"
															: "bought twice";

	ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
					errmsg("cannot fit \"%s\": none of the " INT64_FORMAT " customers %s",
						   family->name, fit->customers, what),
					errdetail("%s", clv_fit_which(fit)),
					errhint("Rates are estimated from repeat purchases: use a longer "
							"period, a later as_of or more customers.")));
}

/* Raises the error of a covariate that is a linear combination of others. */
static pg_attribute_noreturn() void RaiseCollinear(const FitContext *fit, const ClvFamily *family,
												   const ClvFitReport *report)
{
	const char *name = CovariateOf(fit, family, report);

	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 name != NULL
				 ? errmsg("cannot fit \"%s\": covariate \"%s\" is constant, or follows from "
						  "those before it",
						  family->name, name)
				 : errmsg("cannot fit \"%s\": a covariate is constant, or follows from the others",
						  family->name),
			 errdetail("The covariates are %s. %s", Covariates(fit), clv_fit_which(fit)),
			 errhint("Leave it out: of the dummies of a category, leave out one; a constant is in "
					 "the model already.")));
}

/* Raises the error of a likelihood that is not finite at the start. */
static pg_attribute_noreturn() void RaiseBadStart(const FitContext *fit, const ClvFamily *family)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("cannot fit \"%s\": the likelihood is not finite at the start", family->name),
			 errdetail("%s", clv_fit_which(fit)),
			 errhint("Leave out start, or choose a time_unit near the usual time between two "
					 "purchases.")));
}

void
clv_fit_raise(const FitContext *fit, ClvStatus status, const ClvFamily *family,
			  const ClvFitReport *report)
{
	switch (status)
	{
		case CLV_OK:
		case CLV_NOT_CONVERGED:
		case CLV_DEGENERATE:
			break;
		case CLV_TOO_FEW:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("too few customers to fit \"%s\": " INT64_FORMAT, family->name,
							fit->customers),
					 clv_fit_ncovariates(fit) > 0
						 ? errdetail_plural(
							   "The family has %d parameters, and there is %d covariate. %s",
							   "The family has %d parameters, and there are %d covariates. %s",
							   clv_fit_ncovariates(fit), family->nparams, clv_fit_ncovariates(fit),
							   clv_fit_which(fit))
						 : errdetail("The family has %d parameters. %s", family->nparams,
									 clv_fit_which(fit)),
					 errhint("Fit more customers together; with GROUP BY, leave out or put "
							 "together groups that are too small.")));
			break;
		case CLV_NO_REPEATERS:
			RaiseNoRepeaters(fit, family);
			break;
		case CLV_NO_DROPOUT_SIGNAL:
			ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
							errmsg("cannot fit \"%s\": all " INT64_FORMAT
								   " customers have the same history",
								   family->name, fit->customers),
							errdetail("%s", clv_fit_which(fit)),
							errhint("Fit customers with different histories.")));
			break;
		case CLV_BAD_START:
			RaiseBadStart(fit, family);
		case CLV_COLLINEAR:
			RaiseCollinear(fit, family, report);
			break;
	}
}

char *
clv_fit_parameter_text(const ClvFamily *family, const double *param)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < family->nparams; i++)
		appendStringInfo(&out, "%s%s = %g", i > 0 ? ", " : "", family->param_names[i], param[i]);
	return out.data;
}

char *
clv_fit_which(const FitContext *fit)
{
	const ClvCellsView *view = &fit->view;
	int64 first = PG_INT64_MAX;
	char buffer[MAXDATELEN + 1];
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "Customers: " INT64_FORMAT, fit->customers);
	for (int64 i = 0; i < view->head->ncells; i++)
		first = Min(first, view->cells[i].since);
	if (view->head->kind == CLV_CELLS_HISTORY && view->head->ncells > 0)
		appendStringInfo(&out, ", first purchase %s", clv_date_text((DateADT) first, buffer));
	if (fit->fitted.has_as_of)
		appendStringInfo(&out, ", as of %s", clv_date_text(fit->fitted.as_of, buffer));
	appendStringInfoChar(&out, '.');
	return out.data;
}

void
clv_fit_say_loose(const FitContext *fit, const ClvModelPart *part, SaidOnce *said)
{
	char *loose = said->loose ? NULL : clv_model_loose_text(part);

	if (loose == NULL)
		return;
	said->loose = true;
	ereport(NOTICE,
			(errmsg("the data do not determine all parameters of \"%s\"", part->family->name),
			 errdetail("95 %% limits: %s. %s", loose, clv_fit_which(fit)),
			 errhint("Fit more customers, another family, or use shape_penalty.")));
}

/* Whether the report names an effect on churn as degenerate. */
static bool
IsChurn(const FitContext *fit, const ClvFamily *family, const ClvFitReport *report)
{
	return report->degenerate_param >= family->nparams + clv_fit_ncovariates(fit);
}

/* Whether the report names an effect of the calendar as degenerate. */
static bool
IsOfCalendar(const FitContext *fit, const ClvFamily *family, const ClvFitReport *report)
{
	int which = report->degenerate_param - family->nparams;

	return which >= 0 && which % clv_fit_ncovariates(fit) >= fit->options->ncovariates;
}

void
clv_fit_warn(const FitContext *fit, ClvStatus status, const ClvFamily *family,
			 const ClvFitReport *report)
{
	const char *runs = CovariateOf(fit, family, report);
	bool process = runs == NULL;

	if (process && report->degenerate_param >= 0)
		runs = family->param_names[report->degenerate_param];
	if (!process && IsOfCalendar(fit, family, report))
		runs = psprintf("%s on %s", runs, IsChurn(fit, family, report) ? "churn" : "purchases");
	if (status == CLV_NOT_CONVERGED)
		ereport(WARNING,
				(errmsg("fit of \"%s\" did not converge", family->name),
				 errdetail("After %d iterations it stopped at %s. %s", report->iterations,
						   clv_fit_parameter_text(family, report->param), clv_fit_which(fit)),
				 errhint("Raise max_iterations, start from another model, or use "
						 "shape_penalty.")));
	else if (status == CLV_DEGENERATE)
		ereport(
			WARNING,
			(errmsg("fit of \"%s\" did not converge: %s%s reached the border of its range",
					family->name, process ? "" : "the effect of ",
					runs != NULL ? runs : "a parameter"),
			 errdetail("It stopped at %s. %s", clv_fit_parameter_text(family, report->param),
					   clv_fit_which(fit)),
			 !process && IsOfCalendar(fit, family, report)
				 ? errhint(IsChurn(fit, family, report)
							   ? "Where it is high, or low, no customer fell silent: leave it out "
								 "of churn_covariates, or use penalty."
							   : "Where it is high, or low, no customer bought: leave it out, or "
								 "use penalty.")
			 : !process ? errhint("Too few customers differ in this covariate: leave it "
								  "out, or use penalty.")
			 : family->limits != NULL && report->degenerate_param == family->nparams - 1
				 ? errhint("The family allows no more of it in this time_unit: the model is "
						   "the best within its range. With correlation => false it is \"%s\".",
						   family->core)
			 : family->border != NULL
				 ? errhint("Where it is on its border, \"%s\" is \"%s\": fit that, or use "
						   "shape_penalty.",
						   family->name, family->border)
				 : errhint("The data do not determine all parameters: fit more customers, another "
						   "family, or use shape_penalty.")));
}

/* Whether a model can hold effect i and, where it is estimated, its variance. */
static bool
IsEffectUsable(const ClvFamily *family, const ClvFitReport *report, int i)
{
	int row = family->nparams + i;

	if (!isfinite(report->effect[i]))
		return false;
	if (report->effect[i] == 0 && report->covariance[CLV_AT(row, row)] == 0)
		return true; /* it was not to act */
	return !report->has_covariance || !clv_model_takes_effect(family, i >= report->neffects / 2) ||
		   isnormal(report->covariance[CLV_AT(row, row)]);
}

bool
clv_fit_usable(const ClvFamily *family, const ClvFitReport *report)
{
	double low;
	double high;

	for (int i = 0; i < family->nparams; i++)
	{
		if (!clv_in_range(family, i, report->param[i]))
			return false;
	}
	if (!clv_within_limits(family, report->param, &low, &high))
		return false;
	for (int i = 0; i < report->neffects; i++)
		if (!IsEffectUsable(family, report, i))
			return false;
	return true;
}

void
clv_fit_raise_unusable(const FitContext *fit, const ClvFamily *family, const ClvFitReport *report)
{
	if (clv_fit_ncovariates(fit) == 0)
		RaiseBadStart(fit, family);
	ereport(
		ERROR,
		(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
		 errmsg("cannot fit \"%s\": the effects of its covariates are out of range", family->name),
		 errdetail("The covariates are %s; at their means it has %s. %s", Covariates(fit),
				   clv_fit_parameter_text(family, report->param), clv_fit_which(fit)),
		 errhint("Give the covariates in units in which they are neither tiny nor huge.")));
}

int
clv_fit_shortfall(ClvStatus status)
{
	return status == CLV_OK ? 0 : status == CLV_NOT_CONVERGED || status == CLV_DEGENERATE ? 1 : 2;
}

/* Whether the family gives every one-time buyer P(alive) = 1, as bg/nbd does. */
static bool
IsOneTimeAlive(const ClvFamily *family, const double *param)
{
	return family->clock == CLV_CONTINUOUS && family->ln_p_alive(param, 0, 0, 1) == 0;
}

void
clv_fit_say_one_time_alive(const FitContext *fit, const ClvFamily *family, const double *param,
						   SaidOnce *said)
{
	if (said->one_time_alive || !IsOneTimeAlive(family, param))
		return;
	said->one_time_alive = true;
	ereport(
		NOTICE,
		(errmsg("model \"%s\" gives every one-time buyer P(alive) = 1", family->name),
		 errdetail("%s", clv_fit_which(fit)),
		 errhint("Consider model => 'mbg/nbd', which allows dropout after the first purchase.")));
}

void
clv_fit_say_all_repeat(const FitContext *fit, SaidOnce *said)
{
	ClvClock clock = clv_fit_clock(fit->options);

	if (said->all_repeat || (clock != CLV_CONTINUOUS && clock != CLV_OPPORTUNITIES))
		return;
	for (int64 i = 0; i < fit->view.head->ncells; i++)
		if (fit->view.cells[i].x == 0)
			return;
	said->all_repeat = true;
	ereport(NOTICE,
			(errmsg("all customers have repeat purchases: " INT64_FORMAT, fit->customers),
			 errdetail("%s", clv_fit_which(fit)),
			 errhint("Make sure that one-time buyers are not left out; without them P(alive) is "
					 "too high.")));
}

void
clv_fit_fill(ClvModelPart *part, const ClvFamily *family, ClvStatus status,
			 const ClvFitReport *report, int64 customers)
{
	part->family = family;
	memcpy(part->param, report->param, sizeof(part->param));
	part->fitted = true;
	part->converged = status == CLV_OK;
	part->has_covariance = report->has_covariance;
	memcpy(part->centre, report->centre, sizeof(part->centre));
	memcpy(part->effect, report->effect, report->neffects * sizeof(double));
	memcpy(part->covariance, report->covariance,
		   CLV_TRIANGLE(clv_model_dimension(part)) * sizeof(double));
	part->customers = customers;
	part->log_likelihood = report->log_likelihood;
	part->gradient_norm = report->gradient_norm;
	part->iterations = report->iterations;
}

void
clv_fit_keep_limits(const FitContext *fit, const ClvLimits *limits, ClvModelPart *part)
{
	part->profile = fit->options->profile;
	for (int i = 0; i < clv_model_dimension(part); i++)
	{
		double value =
			i < part->family->nparams ? part->param[i] : part->effect[i - part->family->nparams];

		double low = part->converged ? limits->low[i] : get_float8_nan();
		double high = part->converged ? limits->high[i] : get_float8_nan();

		/* of a level near 0, rounding may take them beyond the estimate */
		part->profile_low[i] = low > value ? value : low;
		part->profile_high[i] = high < value ? value : high;
	}
}

void
clv_fit_control(ClvFitControl *control, const ClvFitOptions *options, const double *start)
{
	memset(control, 0, sizeof(*control));
	control->start = start;
	control->max_iterations = options->max_iterations;
	control->shape_penalty = options->shape_penalty;
	control->effect_penalty_purchase = options->penalty;
	control->effect_penalty_churn =
		options->churn_penalty == CLV_AS_PENALTY ? options->penalty : options->churn_penalty;
	control->same = (uint32) options->same_effects;
	control->idle_purchase = (uint32) options->idle_purchase;
	control->idle_churn = (uint32) options->idle_churn;
	control->poll = Poll;
}
