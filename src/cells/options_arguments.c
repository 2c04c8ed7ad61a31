/*
 * options_arguments.c
 *		clv_options(): the options of a fit from its arguments, as JSON.
 */
#include "cells/options_private.h"

#include "catalog/pg_type.h"
#include "common/arguments.h"
#include "common/last_value.h"
#include "model/model.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"

/* Names from an array of text. */
static void
SetNames(const ClvOption *option, ClvFitOptions *options, ArrayType *names)
{
	Datum *values;
	bool *nulls;
	int n;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ClvBadOption(errmsg("a covariate must have a name"),
						 errdetail("Name %d is NULL.", i + 1));
		clv_option_add_name(option, options, TextDatumGetCString(values[i]));
	}
}

/* The effects and centres of the covariates that both have, by name. */
static void
SetStartEffects(ClvFitOptions *options, const ClvModelPart *part)
{
	for (int i = 0; i < options->ncovariates; i++)
		for (int j = 0; j < part->ncovariates; j++)
			if (strcmp(clv_fit_covariate(options, i), part->covariate[j]) == 0)
			{
				options->start_centre[i] = part->centre[j];
				options->start_effect[i] = part->effect[j];
				options->start_effect[options->ncovariates + i] =
					part->effect[part->ncovariates + j];
			}
}

/* The parameters of a model, to begin with. The time unit must be known by now. */
static void
SetStart(ClvFitOptions *options, ClvPackedModel *model)
{
	ClvModel fitted;

	clv_model_unpack(model, &fitted);
	if (fitted.purchase.family != NULL)
	{
		if (fitted.unit_days != clv_interval_days(&options->time_unit))
			ClvBadOption(errmsg("start counts time in %s, but time_unit is %s",
								clv_interval_text(&fitted.time_unit),
								clv_interval_text(&options->time_unit)),
						 errhint("Use time_unit => '%s', or leave out start.",
								 clv_interval_text(&fitted.time_unit)));
		strlcpy(options->start_model, fitted.purchase.family->name, CLV_NAME_SIZE);
		memcpy(options->start_model_param, fitted.purchase.param,
			   fitted.purchase.family->nparams * sizeof(double));
		SetStartEffects(options, &fitted.purchase);
	}
	if (fitted.spend.family != NULL)
	{
		strlcpy(options->start_spend, fitted.spend.family->name, CLV_NAME_SIZE);
		memcpy(options->start_spend_param, fitted.spend.param,
			   fitted.spend.family->nparams * sizeof(double));
	}
}

/* Set an option from its argument, which is not NULL. */
static void
TakeArgument(const ClvOption *option, Datum argument, ClvParsedOptions *parsed)
{
	ClvFitOptions *options = &parsed->options;

	switch (option->kind)
	{
		case CLV_OPTION_FAMILY:
		case CLV_OPTION_CHOICE:
			clv_option_set_text(option, options, TextDatumGetCString(argument));
			break;
		case CLV_OPTION_INTERVAL:
			clv_option_set_interval(option, options, DatumGetIntervalP(argument));
			break;
		case CLV_OPTION_DAY:
			clv_option_set_day(option, options, DatumGetDateADT(argument));
			break;
		case CLV_OPTION_NUMBER:
			clv_option_set_number(option, options, DatumGetFloat8(argument));
			break;
		case CLV_OPTION_COUNT:
			clv_option_set_number(option, options, DatumGetInt32(argument));
			break;
		case CLV_OPTION_NAMES:
			SetNames(option, options, DatumGetArrayTypeP(argument));
			break;
		case CLV_OPTION_SWITCH:
			clv_option_set_switch(option, parsed, DatumGetBool(argument));
			break;
		case CLV_OPTION_CALENDAR:
			clv_options_set_calendar(parsed, DatumGetClvCalendarP(argument));
			break;
		case CLV_OPTION_ACTING:
			clv_options_take_acting(option, DatumGetArrayTypeP(argument), parsed);
			break;
		case CLV_OPTION_START:
			SetStart(options, DatumGetClvModelP(argument));
			break;
		case CLV_OPTION_PRIOR:
			clv_prior_read(&DatumGetJsonbP(argument)->root, &options->prior);
			break;
		case CLV_OPTION_VECTOR: /* no argument */
			break;
	}
}

/* A start is read last: it must have the time unit and the covariates of the others. */
static void
TakeArguments(FunctionCallInfo fcinfo, bool start, ClvParsedOptions *parsed)
{
	for (int i = 0; i < Min(PG_NARGS(), clv_option_count); i++)
		if (!PG_ARGISNULL(i) && (clv_option_table[i].kind == CLV_OPTION_START) == start)
		{
			TakeArgument(&clv_option_table[i], PG_GETARG_DATUM(i), parsed);
			parsed->given |= ClvOptionBit(&clv_option_table[i]);
		}
}

/* The arguments that a call site saw last, and the options of them: a calendar is long. */
typedef struct OptionsSite
{
	ClvLastValue last[CLV_MOST_OPTIONS]; /* of types of variable length */
	union
	{
		Datum value;
		Interval interval;
	} fixed[CLV_MOST_OPTIONS]; /* of the others */
	bool null[CLV_MOST_OPTIONS];
	Datum options; /* 0: none yet */
} OptionsSite;

/* Whether the argument of an option has a type of fixed length, and is passed by value. */
static bool
IsByValue(const ClvOption *option)
{
	return option->kind == CLV_OPTION_DAY || option->kind == CLV_OPTION_NUMBER ||
		   option->kind == CLV_OPTION_COUNT || option->kind == CLV_OPTION_SWITCH;
}

/* Whether argument i is the one that the site has. */
static bool
IsLast(FunctionCallInfo fcinfo, const OptionsSite *site, int i)
{
	const ClvOption *option = &clv_option_table[i];

	if (PG_ARGISNULL(i) || site->null[i])
		return PG_ARGISNULL(i) && site->null[i];
	if (IsByValue(option))
		return site->fixed[i].value == PG_GETARG_DATUM(i);
	if (option->kind == CLV_OPTION_INTERVAL)
		return memcmp(&site->fixed[i].interval, PG_GETARG_INTERVAL_P(i), sizeof(Interval)) == 0;
	return clv_last_is(&site->last[i], false, PG_GETARG_DATUM(i));
}

/* Keeps the arguments, and a copy of the options, in the memory of the call site. */
static void
Keep(FunctionCallInfo fcinfo, OptionsSite *site, int n, Datum options)
{
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	MemoryContext caller;

	for (int i = 0; i < n; i++)
	{
		const ClvOption *option = &clv_option_table[i];

		site->null[i] = PG_ARGISNULL(i);
		if (site->null[i])
			continue;
		if (IsByValue(option))
			site->fixed[i].value = PG_GETARG_DATUM(i);
		else if (option->kind == CLV_OPTION_INTERVAL)
			site->fixed[i].interval = *PG_GETARG_INTERVAL_P(i);
		else
			clv_last_set(&site->last[i], false, PG_GETARG_DATUM(i), context);
	}
	caller = MemoryContextSwitchTo(context);
	if (site->options != (Datum) 0)
		pfree(DatumGetPointer(site->options));
	site->options = (Datum) 0;
	site->options = datumCopy(options, false, -1);
	MemoryContextSwitchTo(caller);
}

/* Whether all arguments are those that the site has, with options made of them. */
static bool
AreLast(FunctionCallInfo fcinfo, const OptionsSite *site, int n)
{
	if (site->options == (Datum) 0)
		return false;
	for (int i = 0; i < n; i++)
		if (!IsLast(fcinfo, site, i))
			return false;
	return true;
}

PG_FUNCTION_INFO_V1(clv_options);

/* clv_options(model text, spend text, ...) -> jsonb: the options of the table, in its order; NULL:
 * not given. Made once for rows with the same arguments. */
Datum
clv_options(PG_FUNCTION_ARGS)
{
	int n = Min(PG_NARGS(), clv_option_count);
	OptionsSite *site = fcinfo->flinfo->fn_extra;
	ClvParsedOptions parsed;
	StringInfoData out;
	Datum options;

	if (site == NULL)
		fcinfo->flinfo->fn_extra = site =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(OptionsSite));
	if (AreLast(fcinfo, site, n))
		PG_RETURN_DATUM(site->options);

	clv_options_init(&parsed);
	TakeArguments(fcinfo, false, &parsed);
	TakeArguments(fcinfo, true, &parsed);
	clv_options_finish(&parsed);
	initStringInfo(&out);
	clv_fit_options_text(&out, &parsed.options, parsed.calendar);
	options = DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data));
	Keep(fcinfo, site, n, options);
	PG_RETURN_DATUM(options);
}
