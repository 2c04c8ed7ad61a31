/*
 * option_semantics.c
 *		What options mean for a fit: the family, its clock, the numbers each customer needs.
 */
#include "cells/options.h"

/* Name i of those that follow each other. */
static const char *
NameAt(const char *names, int i)
{
	while (i-- > 0)
		names += strlen(names) + 1;
	return names;
}

/* n names, for a message. */
static char *
NameList(const char *names, int n)
{
	StringInfoData list;

	if (n == 0)
		return "none";
	initStringInfo(&list);
	for (int i = 0; i < n; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", NameAt(names, i));
	return list.data;
}

const char *
clv_fit_covariate(const ClvFitOptions *options, int i)
{
	return NameAt(options->covariates, i);
}

const char *
clv_fit_path_name(const ClvFitOptions *options, int i)
{
	return NameAt(options->path, i);
}

char *
clv_fit_covariate_list(const ClvFitOptions *options)
{
	return NameList(options->covariates, options->ncovariates);
}

char *
clv_fit_path_list(const ClvFitOptions *options)
{
	return NameList(options->path, options->npath);
}

/* Whether several families are to be tried. */
static bool
IsAuto(const ClvFitOptions *options)
{
	return strcmp(options->model, CLV_MODEL_AUTO) == 0;
}

const ClvFamily *
clv_fit_family(const ClvFitOptions *options)
{
	return clv_family(IsAuto(options) ? CLV_MODEL_DEFAULT : options->model);
}

ClvClock
clv_fit_clock(const ClvFitOptions *options)
{
	return clv_fit_family(options)->clock;
}

void
clv_fit_counting(const ClvFitOptions *options, ClvCounting *counting)
{
	memset(counting, 0, sizeof(*counting));
	if (clv_fit_clock(options) != CLV_CONTINUOUS)
		clv_counting_init(counting, &options->time_unit, (ClvPeriodsOf) options->periods,
						  &options->grace);
}

int
clv_fit_width(const ClvFitOptions *options)
{
	if (clv_fit_clock(options) == CLV_CAMPAIGNS)
		return 1;
	return options->npath > 0 ? 1 + options->ncovariates + options->npath : options->ncovariates;
}

int
clv_fit_fixed(const ClvFamily *family, const char *name)
{
	for (int i = 0; i < family->nparams; i++)
		if (family->transform[i] == CLV_FIXED && strcmp(family->param_names[i], name) == 0)
			return i;
	return -1;
}

bool
clv_fit_starts(const ClvFitOptions *options, const ClvFamily *family)
{
	return strcmp(options->start_model, family->name) == 0 ||
		   (family->core != NULL && strcmp(options->start_model, family->core) == 0);
}

bool
clv_fit_has_k(const ClvFitOptions *options)
{
	const ClvFamily *family;

	if (!IsAuto(options))
		return clv_fit_fixed(clv_fit_family(options), "k") >= 0;
	for (int i = 0; (family = clv_family_at(i)) != NULL; i++)
		if (family->clock == CLV_CONTINUOUS && clv_fit_fixed(family, "k") >= 0)
			return true;
	return false;
}

/* Whether the fit follows a calendar, of its own making or given. */
static bool
FollowsCalendar(const ClvFitOptions *options)
{
	return options->calendar != 0 || options->season != 0 || options->trend != CLV_TREND_NONE;
}

bool
clv_fit_uses_days(const ClvFitOptions *options)
{
	return FollowsCalendar(options) || options->shock == CLV_SHOCK_ALWAYS;
}

bool
clv_fit_counts_days(const ClvFitOptions *options)
{
	return clv_fit_uses_days(options) || (options->shock == CLV_SHOCK_AUTO && options->npath == 0 &&
										  clv_fit_clock(options) == CLV_CONTINUOUS);
}

bool
clv_fit_follows(const ClvFitOptions *options)
{
	return FollowsCalendar(options) || options->npath > 0;
}

const char *
clv_fit_calendar_word(const ClvFitOptions *options)
{
	return options->calendar != 0             ? "calendar"
		   : options->season != 0             ? "season"
		   : options->trend != CLV_TREND_NONE ? "trend"
		   : options->npath > 0               ? "path"
											  : "shock";
}

bool
clv_fit_uses_times(const ClvFitOptions *options)
{
	return options->k != 1 && clv_fit_has_k(options);
}
