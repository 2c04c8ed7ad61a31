/*
 * options_calendar.c
 *		The options of a fit that are about the calendar: the calendar itself, which of its
 *		covariates act on which process, season and trend.
 */
#include "cells/options_private.h"

#include "catalog/pg_type.h"
#include "common/json.h"
#include "families/clocks.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* ---- season and trend ---- */

int32
clv_season_of_word(const char *word)
{
	if (strcmp(word, "month") == 0)
		return CLV_SEASON_MONTH;
	if (strcmp(word, "auto") == 0)
		return CLV_SEASON_AUTO;
	if (strlen(word) != 1 || word[0] < '0' || word[0] > '0' + CLV_SEASON_MOST)
		ClvBadOption(errmsg("season must be a number of harmonics from 1 to %d, 'month' or "
							"'auto': \"%s\"",
							CLV_SEASON_MOST, word));
	return word[0] - '0';
}

const char *
clv_word_of_season(int32 season)
{
	return season == CLV_SEASON_MONTH  ? "month"
		   : season == CLV_SEASON_AUTO ? "auto"
									   : psprintf("%d", season);
}

int32
clv_trend_of_word(const char *word)
{
	if (strcmp(word, "auto") == 0)
		return CLV_TREND_AUTO;
	if (strcmp(word, "true") == 0 || strcmp(word, "t") == 0) /* as a boolean is written */
		return CLV_TREND_TRUE;
	if (strcmp(word, "false") != 0 && strcmp(word, "f") != 0)
		ClvBadOption(errmsg("trend must be true, false or 'auto': \"%s\"", word));
	return CLV_TREND_NONE;
}

const char *
clv_word_of_trend(int32 trend)
{
	return trend == CLV_TREND_AUTO ? "auto" : trend == CLV_TREND_TRUE ? "true" : "false";
}

/* ---- the calendar ---- */

/* "bg/nbd", "mbg/nbd": the families that can follow a calendar. */
static char *
CalendarFamilies(void)
{
	StringInfoData list;
	const ClvFamily *family;

	initStringInfo(&list);
	for (int i = 0; (family = clv_family_at(i)) != NULL; i++)
		if (family->clocked != NULL)
			appendStringInfo(&list, "%s\"%s\"", list.len > 0 ? ", " : "", family->name);
	return list.data;
}

void
clv_options_check_calendar(const ClvFitOptions *options)
{
	const ClvFamily *family = clv_fit_family(options);
	const char *what = clv_fit_calendar_word(options);

	if (!clv_fit_follows(options))
		return;
	if (family->clocked == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a %s is not supported by model \"%s\"", what, options->model),
				 errdetail("The models that can follow a %s are %s.", what, CalendarFamilies())));
}

void
clv_options_set_calendar(ClvParsedOptions *parsed, ClvCalendar *calendar)
{
	parsed->calendar = calendar;
	parsed->options.calendar = clv_calendar_fingerprint(calendar);
}

/* The place of a name among the covariates of customers, of their paths and of the calendar; -1. */
static int
FindCovariate(const ClvFitOptions *options, const ClvCalendarParts *calendar, const char *name)
{
	for (int i = 0; i < options->ncovariates; i++)
		if (strcmp(clv_fit_covariate(options, i), name) == 0)
			return i;
	for (int i = 0; i < options->npath; i++)
		if (strcmp(clv_fit_path_name(options, i), name) == 0)
			return options->ncovariates + i;
	for (int i = 0; i < calendar->nnames; i++)
		if (strcmp(calendar->name[i], name) == 0)
			return options->ncovariates + options->npath + i;
	return -1;
}

void
clv_fit_options_check_names(const ClvFitOptions *options, const ClvCalendar *calendar)
{
	ClvCalendarParts parts = {0};
	int own = options->ncovariates + options->npath;

	if (own == 0 || (calendar == NULL && options->npath == 0))
		return;
	if (calendar != NULL)
		clv_calendar_unpack_value(calendar, &parts);
	if (own + parts.nnames > CLV_MAX_COVARIATES)
		ClvBadOption(errmsg("a fit cannot have %d covariates", own + parts.nnames),
					 errdetail("Customers have %d, the calendar %d; at most %d are possible.", own,
							   parts.nnames, CLV_MAX_COVARIATES));
	for (int i = 0; i < options->npath; i++)
		if (FindCovariate(options, &parts, clv_fit_path_name(options, i)) < options->ncovariates)
			ClvBadOption(errmsg("\"%s\" is a covariate of customers and of their paths",
								clv_fit_path_name(options, i)),
						 errhint("Give one of them another name."));
	for (int i = 0; i < parts.nnames; i++)
		if (FindCovariate(options, &parts, parts.name[i]) < own)
			ClvBadOption(
				errmsg("\"%s\" is a covariate of customers and of the calendar", parts.name[i]),
				errhint("Give one of them another name."));
}

void
clv_options_set_acting(const ClvOption *option, ClvParsedOptions *parsed)
{
	ClvCalendarParts calendar = {0};
	uint32 all;
	uint32 idle;
	ListCell *name;

	if (option->own && parsed->options.ncovariates == 0)
		ClvBadOption(errmsg("%s needs covariates", option->name),
					 errhint("Name them: covariates => '{...}'."));
	if (parsed->calendar != NULL)
		clv_calendar_unpack_value(parsed->calendar, &calendar);
	else if (parsed->acting[option->most] == NIL && parsed->options.ncovariates == 0 &&
			 !clv_fit_follows(&parsed->options))
		ClvBadOption(errmsg("%s needs covariates, or a calendar", option->name),
					 errhint("Of a pipeline with calendar_source, add the names to its options: "
							 "clv_options(...) || '{\"%s\": []}'.",
							 option->name));
	all =
		((uint32) 1 << (parsed->options.ncovariates + parsed->options.npath + calendar.nnames)) - 1;
	idle = all;
	foreach (name, parsed->acting[option->most])
	{
		int i = FindCovariate(&parsed->options, &calendar, lfirst(name));

		if (i < 0)
			ClvBadOption(
				errmsg("\"%s\" in %s is not a covariate", (char *) lfirst(name), option->name),
				option->own
					? errhint("Name some of the option covariates.")
					: errhint("Name covariates of the calendar, or of the option covariates."));
		idle &= ~((uint32) 1 << i);
	}
	if (option->named)
		idle = ~idle & all;
	*(int32 *) ClvOptionField(option, &parsed->options) = (int32) idle;
}

/* ---- from JSON, and from an argument ---- */

void
clv_options_read_acting(const ClvOption *option, const ClvMember *member, ClvParsedOptions *parsed)
{
	static const char what[] = "an array of names";
	int n = clv_json_length(member, what);

	for (int i = 0; i < n; i++)
	{
		ClvMember name = clv_json_element(member, i, what);

		parsed->acting[option->most] =
			lappend(parsed->acting[option->most], clv_json_string(&name));
	}
}

void
clv_options_take_acting(const ClvOption *option, ArrayType *names, ClvParsedOptions *parsed)
{
	Datum *values;
	bool *nulls;
	int n;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ClvBadOption(errmsg("a name in %s is NULL", option->name));
		parsed->acting[option->most] =
			lappend(parsed->acting[option->most], TextDatumGetCString(values[i]));
	}
}
