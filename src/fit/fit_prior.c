/*
 * fit_prior.c
 *		The prior of a fit: from the options to the engine, and what the model keeps of it.
 */
#include "fit/fit_private.h"

#include <math.h>

/* The part of the options' prior that is about this family; NULL where there is none. */
static const ClvPriorPart *
PartOf(const FitContext *fit, const ClvFamily *family)
{
	const ClvFitPrior *prior = &fit->options->prior;
	const ClvPriorPart *part = family->process == CLV_SPEND ? &prior->spend : &prior->purchase;

	return strcmp(part->family, family->name) == 0 ? part : NULL;
}

/* Sets mean and precision of the parameters; those without an sd have a precision of 0. */
static void
SetParameters(const ClvFamily *family, const ClvPriorPart *part, ClvPrior *prior)
{
	int n = clv_unit_free_count(family);
	double matrix[CLV_MAX_HESSIAN];
	int at[CLV_MAX_PARAMS];
	int m = 0;
	ClvCholesky chol;

	for (int i = 0; i < n; i++)
	{
		if (part->sd[i] == 0)
			continue;
		prior->mean[i] = part->mean[i];
		at[m] = i;
		for (int j = 0; j < m; j++)
			matrix[CLV_AT(m, j)] =
				part->sd[i] * part->sd[at[j]] * part->correlation[i * (i - 1) / 2 + at[j]];
		matrix[CLV_AT(m, m)] = part->sd[i] * part->sd[i];
		m++;
	}
	if (!clv_cholesky(m, matrix, &chol))
		elog(ERROR, "prior of \"%s\" is not positive definite", family->name);
	clv_cholesky_inverse(&chol, matrix);
	for (int i = 0; i < m; i++)
		for (int j = 0; j <= i; j++)
			prior->precision[CLV_AT(at[i], at[j])] = matrix[CLV_AT(i, j)];
	prior->proper = m == n;
}

/* The place of the covariate with the name of effect i; -1: none. */
static int
FindCovariate(const FitContext *fit, const char *name)
{
	for (int j = 0; j < clv_fit_ncovariates(fit); j++)
		if (strcmp(clv_fit_covariate_name(fit, j), name) == 0)
			return j;
	return -1;
}

/* Whether a fit that does not have this effect may be one of several that are tried. */
static bool
MayBeMissing(const FitContext *fit)
{
	return fit->options->season == CLV_SEASON_AUTO || fit->options->trend == CLV_TREND_AUTO;
}

/* Whether an effect of the options acts in the family. */
static bool
Acts(const FitContext *fit, const ClvFamily *family, int covariate, bool churn)
{
	int32 idle = churn ? fit->options->idle_churn : fit->options->idle_purchase;
	ClvModelPart part = {.family = family,
						 .ncovariates = clv_fit_ncovariates(fit),
						 .followed = fit->calendar.nnames};

	if (idle >> covariate & 1 || (churn && covariate >= fit->given))
		return false;
	return clv_model_moves(&part, (churn ? part.ncovariates : 0) + covariate);
}

/* Sets mean and precision of the effects of covariates. */
static void
SetEffects(const FitContext *fit, const ClvFamily *family, ClvPrior *prior)
{
	const ClvFitPrior *given = &fit->options->prior;
	int n = clv_fit_ncovariates(fit);

	for (int i = 0; i < given->neffects; i++)
	{
		const char *name = clv_prior_effect(given, i);
		bool churn = given->churn >> i & 1;
		int j = FindCovariate(fit, name);

		if (j >= 0 && Acts(fit, family, j, churn))
		{
			prior->effect_mean[churn * n + j] = given->effect_mean[i];
			prior->effect_precision[churn * n + j] =
				1 / (given->effect_sd[i] * given->effect_sd[i]);
		}
		else if (!MayBeMissing(fit))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("prior names an effect that the fit does not have: \"%s\" on %s",
								   name, churn ? "churn" : "purchases"),
							errdetail("%s", clv_fit_which(fit)),
							errhint("Leave it out of the prior, or let the covariate act.")));
	}
}

const ClvPrior *
clv_fit_prior(const FitContext *fit, const ClvFamily *family, ClvPrior *prior)
{
	const ClvPriorPart *part = PartOf(fit, family);

	if (part == NULL)
		return NULL;
	memset(prior, 0, sizeof(*prior));
	prior->year = CLV_DAYS_PER_YEAR / fit->fitted.unit_days;
	SetParameters(family, part, prior);
	if (family->process != CLV_SPEND)
		SetEffects(fit, family, prior);
	return prior;
}

bool
clv_fit_has_proper_prior(const FitContext *fit, const ClvFamily *family)
{
	const ClvPriorPart *part = PartOf(fit, family);

	for (int i = 0; part != NULL && i < clv_unit_free_count(family); i++)
		if (part->sd[i] == 0)
			return false;
	return part != NULL;
}

/* A hash of bytes that is the same on every processor, never 0 (Fowler, Noll & Vo, FNV-1a). */
static uint64
Fingerprint(const char *bytes, int n)
{
	uint64 hash = UINT64CONST(0xcbf29ce484222325);

	for (int i = 0; i < n; i++)
		hash = (hash ^ (unsigned char) bytes[i]) * UINT64CONST(0x100000001b3);
	return hash != 0 ? hash : 1;
}

void
clv_fit_keep_prior(const FitContext *fit, const ClvFitReport *report, ClvModelPart *part)
{
	StringInfoData text;

	if (PartOf(fit, part->family) == NULL)
		return;
	initStringInfo(&text);
	clv_prior_write_part(&text, &fit->options->prior, part->family->process == CLV_SPEND);
	part->prior = Fingerprint(text.data, text.len);
	part->prior_distance = report->prior_distance;
	part->effective = report->effective;
}

double
clv_fit_height(const ClvFitReport *report)
{
	return report->log_likelihood - report->prior_distance * report->prior_distance / 2;
}
