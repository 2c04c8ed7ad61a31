/*
 * model_compare.c
 *		clv_compare(): the likelihood-ratio test of two nested models.
 *
 * The likelihood-ratio test. Twice the difference of the log-likelihoods is, where
 * the smaller model is true, distributed as chi-squared with as many degrees of
 * freedom as the larger has parameters more, provided that both were fitted to the
 * same customers and that the smaller is the larger with some numbers held fixed:
 *
 * - the same family, with covariates that the other does not have;
 * - a family and the one that it becomes when a parameter reaches its border, as
 *   ggompertz/nbd becomes pareto/nbd when b vanishes. There the estimate can err
 *   to one side only, so that one of the degrees of freedom counts half the time
 *   (Self & Liang 1987): the mean of the tails with df - 1 and with df;
 * - a family and the one that it is where a parameter is 0 amidst its range, as
 *   pareto/nbd/cor is pareto/nbd where m is 0.
 *
 * Models whose purchases are the same fit are compared by their spend: the same family, with
 * covariates that the other does not have.
 *
 * Two families of which neither contains the other have no such test; their BIC
 * can be compared.
 */
#include "model/model.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "math/special.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

#include "model/model_private.h"

/* A larger model this far below a smaller one was not at its optimum. */
#define BELOW_TOLERANCE 1e-4

/* Raises the error of models that the test does not apply to; hint: NULL for none. */
static pg_attribute_noreturn() void CannotCompare(const char *detail, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("models cannot be compared by a likelihood-ratio test"),
					errdetail("%s", detail), hint == NULL ? 0 : errhint("%s", hint)));
}

/*
 * P(chi-squared with df degrees of freedom >= x), from the tails for 1 and 2 by
 * Q(a + 1, y) = Q(a, y) + y^a e^-y / Gamma(a + 1): every term is positive.
 */
static double
ChiSquaredTail(double x, int df)
{
	double y = x / 2;
	double a = df % 2 == 0 ? 1 : 0.5;
	double tail = df % 2 == 0 ? exp(-y) : erfc(sqrt(y));

	if (y == 0)
		return 1;
	if (df == 0)
		return 0;
	for (; a < df / 2.0; a++)
		tail += exp(a * log(y) - y - clv_lgamma(a + 1));
	return Min(tail, 1);
}

/* Whether the part has a covariate of that name. */
static bool
HasCovariate(const ClvModelPart *part, const char *name)
{
	for (int i = 0; i < part->ncovariates; i++)
		if (strcmp(part->covariate[i], name) == 0)
			return true;
	return false;
}

/* Whether every covariate of the one is also one of the other. */
static bool
CovariatesWithin(const ClvModelPart *one, const ClvModelPart *other)
{
	for (int i = 0; i < one->ncovariates; i++)
		if (!HasCovariate(other, one->covariate[i]))
			return false;
	return true;
}

/*
 * Whether one family is a special case of the other, or the same; border: it is where a parameter
 * reaches its border.
 */
static bool
FamilyWithin(const ClvFamily *one, const ClvFamily *other, bool *border)
{
	*border = other->border != NULL && strcmp(other->border, one->name) == 0;
	return *border || one == other || (other->core != NULL && strcmp(other->core, one->name) == 0);
}

/* Whether one model is the other with parameters held fixed. */
static bool
IsWithin(const ClvModelPart *one, const ClvModelPart *other, bool *border)
{
	return FamilyWithin(one->family, other->family, border) && CovariatesWithin(one, other) &&
		   clv_model_freedom(one) < clv_model_freedom(other);
}

/* An error unless the model has fitted purchases; a warning where the fit did not converge. */
static void
CheckFitted(const ClvModel *fitted)
{
	if (fitted->purchase.family == NULL)
		CannotCompare(psprintf("One is a model of spend only: \"%s\".", fitted->spend.family->name),
					  NULL);
	if (!fitted->purchase.fitted || isnan(fitted->purchase.log_likelihood))
		CannotCompare(psprintf("Model \"%s\" was not fitted and has no likelihood.",
							   fitted->purchase.family->name),
					  "Fit both with clv_fit.");
	if (!fitted->purchase.converged)
		ereport(WARNING, (errmsg("model \"%s\" did not converge", fitted->purchase.family->name),
						  errdetail("Its likelihood may be below its maximum.")));
}

/* An error unless both models were fitted to the same customers, as far as can be told from them.
 */
static void
CheckSameData(const ClvModel *a, const ClvModel *b)
{
	if (a->purchase.customers != b->purchase.customers || a->skipped != b->skipped)
		CannotCompare(psprintf("One was fitted to " INT64_FORMAT " customers (" INT64_FORMAT
							   " skipped), the other to " INT64_FORMAT " (" INT64_FORMAT ").",
							   a->purchase.customers, a->skipped, b->purchase.customers,
							   b->skipped),
					  "Fit both to the same customers.");
	if (a->has_as_of != b->has_as_of || (a->has_as_of && a->as_of != b->as_of))
	{
		char one[MAXDATELEN + 1];
		char other[MAXDATELEN + 1];

		CannotCompare(psprintf("One is as of %s, the other as of %s.",
							   a->has_as_of ? clv_date_text(a->as_of, one) : "no day",
							   b->has_as_of ? clv_date_text(b->as_of, other) : "no day"),
					  "Fit both with the same as_of.");
	}
	if (a->unit_days != b->unit_days)
		CannotCompare(psprintf("One counts time in %s, the other in %s.",
							   clv_interval_text(&a->time_unit), clv_interval_text(&b->time_unit)),
					  "Fit both with the same time_unit: densities of time depend on it.");
	if (a->purchase.prior != b->purchase.prior)
		CannotCompare(a->purchase.prior == 0 || b->purchase.prior == 0
						  ? "One was fitted with a prior, the other without."
						  : "They were fitted with different priors.",
					  "Fit both with the same prior, or without.");
	if (a->periods != b->periods)
		CannotCompare(psprintf("The periods of one are '%s', of the other '%s'.",
							   clv_periods_name(a->periods), clv_periods_name(b->periods)),
					  "Fit both with the same periods.");
	if (a->occasion != b->occasion)
		CannotCompare(
			psprintf("One counts occasions of %d days, the other of %d.", a->occasion, b->occasion),
			"Fit both to the same histories.");
}

/* An error unless the spend of both was fitted to the same customers, as far as can be told. */
static void
CheckSameSpend(const ClvModel *a, const ClvModel *b)
{
	if (a->spend.customers != b->spend.customers || a->spend_skipped != b->spend_skipped ||
		a->spend_basis != b->spend_basis)
		CannotCompare(psprintf("The spend of one was fitted to " INT64_FORMAT
							   " customers, of the other to " INT64_FORMAT ".",
							   a->spend.customers, b->spend.customers),
					  "Fit both to the same customers, with the same spend_basis.");
	if (a->spend.prior != b->spend.prior)
		CannotCompare("Their spend was fitted with different priors.",
					  "Fit both with the same prior, or without.");
	if (!a->spend.converged || !b->spend.converged)
		ereport(WARNING, (errmsg("the fit of the spend did not converge"),
						  errdetail("Its likelihood may be below its maximum.")));
}

/*
 * Whether the purchases of both are the same fit, and the spend of one is that of the other with
 * effects of 0.
 */
static bool
DifferInSpend(const ClvModel *a, const ClvModel *b)
{
	bool border;

	if (a->spend.family == NULL || b->spend.family == NULL || !a->spend.fitted ||
		!b->spend.fitted || a->purchase.family != b->purchase.family ||
		a->purchase.log_likelihood != b->purchase.log_likelihood ||
		clv_model_freedom(&a->purchase) != clv_model_freedom(&b->purchase))
		return false;
	return IsWithin(&a->spend, &b->spend, &border) || IsWithin(&b->spend, &a->spend, &border);
}

PG_FUNCTION_INFO_V1(clv_compare);

/* clv_compare(clv_model, clv_model) -> row of the test; an error where the models are not nested or
 * not comparable */
Datum
clv_compare(PG_FUNCTION_ARGS)
{
	ClvModel *first = palloc(sizeof(ClvModel));
	ClvModel *second = palloc(sizeof(ClvModel));
	const ClvModelPart *small = &first->purchase;
	const ClvModelPart *large = &second->purchase;
	Datum values[6];
	bool nulls[6] = {false};
	bool border;
	double statistic;
	int df;

	clv_model_unpack(PG_GETARG_CLV_MODEL_P(0), first);
	clv_model_unpack(PG_GETARG_CLV_MODEL_P(1), second);
	CheckFitted(first);
	CheckFitted(second);
	CheckSameData(first, second);
	if (DifferInSpend(first, second))
	{
		CheckSameSpend(first, second);
		small = &first->spend;
		large = &second->spend;
	}
	if (!IsWithin(small, large, &border))
	{
		const ClvModelPart *other = small;

		small = large;
		large = other;
		if (!IsWithin(small, large, &border))
			CannotCompare(psprintf("Neither \"%s\" with %d covariates nor \"%s\" with %d is the "
								   "other with some parameters held fixed.",
								   large->family->name, large->ncovariates, small->family->name,
								   small->ncovariates),
						  "Compare their bic (clv_diagnostics) instead: the smaller is better.");
	}

	statistic = 2 * (large->log_likelihood - small->log_likelihood);
	if (statistic < -BELOW_TOLERANCE)
		ereport(
			WARNING,
			(errmsg("the larger model has the lower log-likelihood: %s against %s",
					clv_number_text(large->log_likelihood), clv_number_text(small->log_likelihood)),
			 border ? errhint("At its border \"%s\" is \"%s\", and no less likely: use the smaller "
							  "model, or fit the larger again without a penalty.",
							  large->family->name, small->family->name)
					: errhint("It is not at its optimum: fit it again with start => the smaller "
							  "model, or without a penalty.")));
	statistic = Max(statistic, 0);
	df = clv_model_freedom(large) - clv_model_freedom(small);
	values[0] = Float8GetDatum(statistic);
	values[1] = Int32GetDatum(df);
	values[2] = Float8GetDatum(
		border ? (ChiSquaredTail(statistic, df - 1) + ChiSquaredTail(statistic, df)) / 2
			   : ChiSquaredTail(statistic, df));
	values[3] = Float8GetDatum(clv_model_aic(large) - clv_model_aic(small));
	values[4] = Float8GetDatum(clv_model_bic(large) - clv_model_bic(small));
	values[5] = CStringGetTextDatum(large == &first->purchase || large == &first->spend ? "first"
																						: "second");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls)));
}
