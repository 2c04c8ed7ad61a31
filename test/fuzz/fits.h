/*
 * fits.h
 *		What fuzzers of fits have in common: priors, and what a report has to say.
 */
#ifndef CLV_FUZZ_FITS_H
#define CLV_FUZZ_FITS_H

#include "families/likelihood.h"
#include "families/prior.h"

#include "fuzz.h"

/* Reads a prior; its mean is at parameters that the family can have, if they are found. */
static inline void
NextPrior(Bytes *bytes, const ClvFamily *family, ClvPrior *prior)
{
	int n = clv_unit_free_count(family);
	double root[CLV_MAX_PARAMS][CLV_MAX_PARAMS] = {{0}};
	double param[CLV_MAX_PARAMS];
	ClvUnitFreeAt at;

	*prior = (ClvPrior){.year = NextScale(bytes, 3), .proper = Next(bytes) % 2};
	if (NextParameters(bytes, family, param))
	{
		clv_unit_free(family, prior->year, param, &at);
		for (int i = 0; i < n; i++)
			prior->mean[i] = isfinite(at.value[i]) ? at.value[i] : 0;
	}
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < i; j++)
			root[i][j] = NextShare(bytes) - 0.5;
		root[i][i] = prior->proper || Next(bytes) % 2 ? NextScale(bytes, 2) : 0;
		for (int j = 0; root[i][i] == 0 && j < i; j++)
			root[i][j] = 0;
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
			for (int k = 0; k <= j; k++)
				prior->precision[CLV_AT(i, j)] += root[i][k] * root[j][k];
	for (int i = 0; i < CLV_MAX_EFFECTS && bytes->left > 0 && Next(bytes) % 2; i++)
	{
		prior->effect_mean[i] = NextShare(bytes) - 0.5;
		prior->effect_precision[i] = NextScale(bytes, 2);
	}
}

/* Aborts where the report of a fit is not consistent with its status. */
static inline void
CheckReport(const ClvFamily *family, const ClvFitControl *control, ClvStatus status,
			const ClvFitReport *report)
{
	if (status != CLV_OK)
		return;
	for (int i = 0; i < family->nparams; i++)
		Require(clv_in_range(family, i, report->param[i]));
	for (int i = 0; i < report->neffects; i++)
		Require(isfinite(report->effect[i]));
	Require(isfinite(report->log_likelihood));
	Require(report->gradient_norm < 1e-4);
	Require(control->prior != NULL || report->customers > family->nparams);
	Require(isfinite(report->prior_distance) && report->prior_distance >= 0);
}

/* Aborts where two fits of the same data differ. */
static inline void
CheckSame(const ClvFitReport *a, const ClvFitReport *b, ClvStatus first, ClvStatus second)
{
	Require(first == second);
	Require(memcmp(a->param, b->param, sizeof(a->param)) == 0);
	Require(memcmp(a->effect, b->effect, sizeof(a->effect)) == 0);
	Require(memcmp(&a->log_likelihood, &b->log_likelihood, sizeof(double)) == 0);
}

/* Aborts where limits do not enclose what they are of. */
static inline void
CheckLimits(const ClvFamily *family, const ClvFitReport *report, const ClvLimits *limits)
{
	for (int i = 0; i < family->nparams + report->neffects; i++)
	{
		double at = i < family->nparams ? report->param[i] : report->effect[i - family->nparams];
		double slack = 1e-9 * fabs(at);

		Require(isnan(limits->low[i]) || limits->low[i] <= at + slack);
		Require(isnan(limits->high[i]) || limits->high[i] >= at - slack);
	}
}

#endif /* CLV_FUZZ_FITS_H */
