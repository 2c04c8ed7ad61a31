/*
 * options_prior.c
 *		The prior among the options of a fit, as JSON.
 *
 *	{"purchase": {"family": "mbg/nbd", "groups": 40, "used": 38,
 *	   "parameters": [{"name": "ln_rate", "mean": 1.2, "sd": 0.3, "between": 0.29,
 *	     "std_error": 0.05}, ...],
 *	   "correlation": [[1], [0.2, 1], ...],
 *	   "effects": [{"name": "gender", "process": "purchase", "mean": 0.1, "sd": 0.2}]},
 *	 "spend": {"family": "gamma/gamma", ...}, "skipped": 0}
 *
 * Parameters are unit-free quantities of the family (ClvUnitFree), in any order; one that is left
 * out, or has no sd, is free. correlation is a lower triangle in the order of the parameters;
 * without it they are independent, as effects are. groups, used, skipped, between and std_error
 * are what clv_pool says of itself: they change nothing.
 */
#include "cells/options_private.h"

#include <math.h>

#include "common/arguments.h"
#include "common/json.h"
#include "families/prior.h"
#include "mb/pg_wchar.h"
#include "model/model.h"
#include "utils/builtins.h"
#include "utils/json.h"

/* A standard deviation out of these is none that a fit could do anything with. */
#define LEAST_SD 1e-6
#define MOST_SD 1e6

/* Place of (row, col), col < row, below the diagonal. */
#define BELOW(row, col) ((row) * ((row) -1) / 2 + (col))

/* An entry of an array of parameters or effects. */
typedef struct Entry
{
	char *name;
	bool churn;
	double mean;
	double sd; /* 0: none */
} Entry;

/* ---- reading ---- */

/* "ln_r, ln_rate": the names of the unit-free quantities. */
static char *
QuantityList(const ClvFamily *family)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < clv_unit_free_count(family); i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", family->unit_free[i].name);
	return list.data;
}

/* The place of a quantity of the family; an error that lists them where it is none. */
static int
FindQuantity(const ClvFamily *family, const char *name)
{
	for (int i = 0; i < clv_unit_free_count(family); i++)
		if (strcmp(family->unit_free[i].name, name) == 0)
			return i;
	ClvBadOption(errmsg("prior names an unknown parameter of \"%s\": \"%s\"", family->name, name),
				 errhint("Its unit-free parameters are: %s.", QuantityList(family)));
	return -1;
}

/* Whether the process of an effect is churn. */
static bool
IsChurn(const ClvMember *member)
{
	const char *process = clv_json_string(member);

	if (strcmp(process, "churn") != 0 && strcmp(process, "purchase") != 0)
		clv_json_wrong(member, "\"purchase\" or \"churn\"");
	return process[0] == 'c';
}

/* Read entry i of an array; an error where its mean is missing or its sd out of range. */
static Entry
ReadEntry(JsonbContainer *array, int i, bool is_effect)
{
	const char *object = is_effect ? "an effect of a prior" : "a parameter of a prior";
	Entry entry = {0};
	bool has_mean = false;
	bool has_sd = false;
	bool has_process = false;
	ClvMember member;

	clv_json_open_at(&member, array, i, object);
	while (clv_json_next(&member))
	{
		if (clv_json_is_null(&member))
			continue;
		if (clv_json_is(&member, "name"))
			entry.name = clv_json_string(&member);
		else if (is_effect && clv_json_is(&member, "process"))
		{
			entry.churn = IsChurn(&member);
			has_process = true;
		}
		else if (clv_json_is(&member, "mean"))
		{
			entry.mean = clv_json_number(&member) + 0.0;
			has_mean = true;
		}
		else if (clv_json_is(&member, "sd"))
		{
			entry.sd = clv_json_number(&member);
			has_sd = true;
		}
		else if (clv_json_is(&member, "between") || clv_json_is(&member, "std_error"))
			(void) clv_json_number(&member);
		else
			clv_json_unknown(&member, is_effect ? "name, process, mean, sd, between, std_error"
												: "name, mean, sd, between, std_error");
	}
	if (entry.name == NULL)
		clv_json_missing(object, "name");
	if (is_effect && !has_process)
		clv_json_missing(object, "process");
	if (has_sd && !(entry.sd >= LEAST_SD && entry.sd <= MOST_SD))
		ClvBadOption(errmsg("\"sd\" of \"%s\" of a prior must be a number from %g to %g: %s",
							entry.name, LEAST_SD, MOST_SD, clv_number_text(entry.sd)),
					 errhint("Leave it out where nothing is known."));
	if (has_sd && !has_mean)
		clv_json_missing(psprintf("\"%s\" of a prior", entry.name), "mean");
	return entry;
}

/* Read the parameters; place: set to the quantity of each. Returns how many there are. */
static int
ReadParameters(const ClvMember *member, const ClvFamily *family, ClvPriorPart *part, int *place)
{
	static const char what[] = "an array of objects";
	int n = clv_json_length(member, what);

	if (n > clv_unit_free_count(family))
		clv_json_wrong(member,
					   psprintf("an array of at most %d objects", clv_unit_free_count(family)));
	for (int i = 0; i < n; i++)
	{
		Entry entry = ReadEntry(clv_json_container(member, what), i, false);

		place[i] = FindQuantity(family, entry.name);
		for (int j = 0; j < i; j++)
			if (place[j] == place[i])
				ClvBadOption(errmsg("prior names parameter \"%s\" twice", entry.name));
		part->mean[place[i]] = entry.sd > 0 ? entry.mean : 0;
		part->sd[place[i]] = entry.sd;
	}
	return n;
}

/* Read the correlation of n parameters, each at its place. */
static void
ReadCorrelation(const ClvMember *member, int n, const int *place, ClvPriorPart *part)
{
	char *shape = psprintf("the lower triangle of a %d x %d matrix with 1 on its diagonal: arrays "
						   "of 1 to %d numbers between -1 and 1",
						   n, n, n);
	double triangle[CLV_TRIANGLE(CLV_START_PARAMS)];

	clv_json_triangle(member, n, shape, triangle);
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			double value = triangle[CLV_AT(i, j)] + 0.0;
			bool unknown = part->sd[place[i]] == 0 || part->sd[place[j]] == 0;

			if (i == j ? value != 1 : !(value > -1 && value < 1) || (unknown && value != 0))
				clv_json_wrong(member, shape);
			if (i != j)
				part->correlation[BELOW(Max(place[i], place[j]), Min(place[i], place[j]))] = value;
		}
}

/* Read the effects of covariates. */
static void
ReadEffects(const ClvMember *member, ClvFitPrior *prior)
{
	static const char what[] = "an array of objects";
	int n = clv_json_length(member, what);
	Size used = 0;

	for (int i = 0; i < n; i++)
	{
		Entry entry = ReadEntry(clv_json_container(member, what), i, true);

		for (int j = 0; j < prior->neffects; j++)
			if (strcmp(clv_prior_effect(prior, j), entry.name) == 0 &&
				(prior->churn >> j & 1) == entry.churn)
				ClvBadOption(errmsg("prior names the effect of \"%s\" on %s twice", entry.name,
									entry.churn ? "churn" : "purchases"));
		if (entry.sd == 0)
			continue;
		if (entry.name[0] == '\0' || strlen(entry.name) >= NAMEDATALEN)
			ClvBadOption(
				errmsg("name of an effect of a prior is too long, or empty: \"%s\"", entry.name));
		if (prior->neffects == CLV_PRIOR_EFFECTS ||
			used + strlen(entry.name) + 1 > CLV_COVARIATES_SIZE)
			ClvBadOption(errmsg("prior has too many effects"),
						 errdetail("At most %d are possible, with %d bytes for their names.",
								   CLV_PRIOR_EFFECTS, CLV_COVARIATES_SIZE));
		prior->effect_mean[prior->neffects] = entry.mean;
		prior->effect_sd[prior->neffects] = entry.sd;
		prior->churn |= (int32) entry.churn << prior->neffects;
		memcpy(prior->effects + used, entry.name, strlen(entry.name) + 1);
		used += strlen(entry.name) + 1;
		prior->neffects++;
	}
}

/* Whether the part says something of a parameter. */
static bool
SaysSomething(const ClvPriorPart *part)
{
	for (int i = 0; i < CLV_START_PARAMS; i++)
		if (part->sd[i] > 0)
			return true;
	return false;
}

/* An error unless the correlations are those of some parameters, and these have the means. */
static void
CheckPart(const ClvFamily *family, const ClvPriorPart *part)
{
	int n = clv_unit_free_count(family);
	double matrix[CLV_TRIANGLE(CLV_START_PARAMS)];
	double param[CLV_MAX_PARAMS];
	bool proper = true;
	ClvCholesky chol;

	for (int i = 0; i < n; i++)
	{
		proper = proper && part->sd[i] > 0;
		for (int j = 0; j < i; j++)
			matrix[CLV_AT(i, j)] = part->correlation[BELOW(i, j)];
		matrix[CLV_AT(i, i)] = 1;
	}
	if (!clv_cholesky(n, matrix, &chol))
		ClvBadOption(
			errmsg("correlation of the prior of \"%s\" must be positive definite", family->name));
	for (int i = 0; i < family->nparams; i++)
		param[i] = 1;
	if (proper && !clv_unit_free_inverse(family, 1, part->mean, param))
		ClvBadOption(errmsg("no parameters of \"%s\" have the means of the prior", family->name),
					 errdetail("The means are of %s.", QuantityList(family)));
}

/* The family of a part, wherever jsonb stores it; an error unless it is of that process. */
static const ClvFamily *
PartFamily(JsonbContainer *container, const char *object, bool spend)
{
	const ClvFamily *family;
	ClvMember member;

	clv_json_open(&member, container, object);
	while (clv_json_next(&member))
	{
		if (!clv_json_is(&member, "family"))
			continue;
		family = clv_family(clv_json_string(&member));
		if (family == NULL || (family->process == CLV_SPEND) != spend)
			ClvBadOption(errmsg("unknown family in %s: \"%s\"", object, clv_json_string(&member)));
		if (clv_unit_free_count(family) == 0)
			ClvBadOption(errmsg("a prior is not supported by model \"%s\"", family->name));
		return family;
	}
	clv_json_missing(object, "family");
}

/* Read the part of one process. */
static void
ReadPart(const ClvMember *outer, bool spend, ClvFitPrior *prior)
{
	const char *object = spend ? "the spend part of a prior" : "the purchase part of a prior";
	JsonbContainer *container = clv_json_container(outer, "an object");
	const ClvFamily *family = PartFamily(container, object, spend);
	ClvPriorPart *part = spend ? &prior->spend : &prior->purchase;
	int place[CLV_START_PARAMS];
	int n = 0;
	ClvMember correlation = {0};
	ClvMember member;

	clv_json_open(&member, container, object);
	while (clv_json_next(&member))
	{
		if (clv_json_is(&member, "family") || clv_json_is_null(&member))
			continue;
		if (clv_json_is(&member, "groups") || clv_json_is(&member, "used"))
			(void) clv_json_whole(&member, 0, PG_INT64_MAX);
		else if (clv_json_is(&member, "parameters"))
			n = ReadParameters(&member, family, part, place);
		else if (clv_json_is(&member, "correlation"))
			correlation = member; /* in the order of the parameters, which may come after it */
		else if (!spend && clv_json_is(&member, "effects"))
			ReadEffects(&member, prior);
		else
			clv_json_unknown(&member, spend ? "family, groups, used, parameters, correlation"
											: "family, groups, used, parameters, correlation, "
											  "effects");
	}
	if (correlation.key != NULL)
		ReadCorrelation(&correlation, n, place, part);
	CheckPart(family, part);
	if (SaysSomething(part) || (!spend && prior->neffects > 0))
		strlcpy(part->family, family->name, CLV_NAME_SIZE);
}

void
clv_prior_read(JsonbContainer *container, ClvFitPrior *prior)
{
	ClvMember member;

	memset(prior, 0, sizeof(*prior));
	if (!JsonContainerIsObject(container) || JsonContainerIsScalar(container))
		ClvBadOption(errmsg("a prior must be a JSON object"),
					 errhint("Use clv_pool() to make one."));
	clv_json_open(&member, container, "a prior");
	while (clv_json_next(&member))
	{
		if (clv_json_is_null(&member))
			continue;
		if (clv_json_is(&member, "purchase"))
			ReadPart(&member, false, prior);
		else if (clv_json_is(&member, "spend"))
			ReadPart(&member, true, prior);
		else if (clv_json_is(&member, "skipped"))
			(void) clv_json_whole(&member, 0, PG_INT64_MAX);
		else
			clv_json_unknown(&member, "purchase, spend, skipped");
	}
}

/* ---- writing ---- */

const char *
clv_prior_effect(const ClvFitPrior *prior, int i)
{
	const char *name = prior->effects;

	while (i-- > 0)
		name += strlen(name) + 1;
	return name;
}

/* Append the mean and sd, and the brace that ends an entry. */
static void
WriteNumbers(StringInfo out, double mean, double sd)
{
	appendStringInfoString(out, ", \"mean\": ");
	clv_append_double(out, mean);
	appendStringInfoString(out, ", \"sd\": ");
	clv_append_double(out, sd);
	appendStringInfoChar(out, '}');
}

/* Append the parameters that the part says something of, and their correlation. */
static void
WriteParameters(StringInfo out, const ClvFamily *family, const ClvPriorPart *part)
{
	const char *separator = "";

	appendStringInfoString(out, ", \"parameters\": [");
	for (int i = 0; i < clv_unit_free_count(family); i++)
	{
		if (part->sd[i] == 0)
			continue;
		appendStringInfo(out, "%s{\"name\": \"%s\"", separator, family->unit_free[i].name);
		WriteNumbers(out, part->mean[i], part->sd[i]);
		separator = ", ";
	}
	appendStringInfoString(out, "], \"correlation\": [");
	separator = "";
	for (int i = 0; i < clv_unit_free_count(family); i++)
	{
		if (part->sd[i] == 0)
			continue;
		appendStringInfo(out, "%s[", separator);
		for (int j = 0; j < i; j++)
		{
			if (part->sd[j] == 0)
				continue;
			clv_append_double(out, part->correlation[BELOW(i, j)]);
			appendStringInfoString(out, ", ");
		}
		appendStringInfoString(out, "1]");
		separator = ", ";
	}
	appendStringInfoChar(out, ']');
}

void
clv_prior_write_part(StringInfo out, const ClvFitPrior *prior, bool spend)
{
	const ClvPriorPart *part = spend ? &prior->spend : &prior->purchase;

	appendStringInfo(out, "{\"family\": \"%s\"", part->family);
	WriteParameters(out, clv_family(part->family), part);
	for (int i = 0; !spend && i < prior->neffects; i++)
	{
		appendStringInfoString(out, i == 0 ? ", \"effects\": [{\"name\": " : ", {\"name\": ");
		escape_json(out, clv_prior_effect(prior, i));
		appendStringInfo(out, ", \"process\": \"%s\"",
						 prior->churn >> i & 1 ? "churn" : "purchase");
		WriteNumbers(out, prior->effect_mean[i], prior->effect_sd[i]);
	}
	appendStringInfoString(out, !spend && prior->neffects > 0 ? "]}" : "}");
}

void
clv_prior_write(StringInfo out, const ClvFitPrior *prior)
{
	bool both = prior->purchase.family[0] != '\0' && prior->spend.family[0] != '\0';

	appendStringInfoChar(out, '{');
	if (prior->purchase.family[0] != '\0')
	{
		appendStringInfoString(out, "\"purchase\": ");
		clv_prior_write_part(out, prior, false);
	}
	if (prior->spend.family[0] != '\0')
	{
		appendStringInfoString(out, both ? ", \"spend\": " : "\"spend\": ");
		clv_prior_write_part(out, prior, true);
	}
	appendStringInfoChar(out, '}');
}

/* ---- bytes from outside ---- */

/* Whether a part can be written: a known family or none, and finite numbers. */
static bool
IsPartWritable(const ClvPriorPart *part)
{
	const double *numbers = part->mean;

	if (memchr(part->family, '\0', CLV_NAME_SIZE) == NULL ||
		(part->family[0] != '\0' && clv_family(part->family) == NULL))
		return false;
	for (int i = 0; i < (int) ((sizeof(*part) - CLV_NAME_SIZE) / sizeof(double)); i++)
		if (!isfinite(numbers[i]))
			return false;
	return true;
}

/* Whether the effects can be written: names that end, and finite numbers. */
static bool
AreEffectsWritable(const ClvFitPrior *prior)
{
	const char *name = prior->effects;
	const char *end = name + CLV_COVARIATES_SIZE;

	if (prior->neffects < 0 || prior->neffects > CLV_PRIOR_EFFECTS)
		return false;
	for (int i = 0; i < prior->neffects; i++)
	{
		Size length = strnlen(name, end - name);

		if (name + length == end || !isfinite(prior->effect_mean[i]) ||
			!isfinite(prior->effect_sd[i]))
			return false;
		(void) pg_verifymbstr(name, length, false);
		name += length + 1;
	}
	return true;
}

void
clv_prior_check_stored(const ClvFitPrior *prior)
{
	ClvFitPrior again;
	StringInfoData text;
	Datum json;

	if (!IsPartWritable(&prior->purchase) || !IsPartWritable(&prior->spend) ||
		!AreEffectsWritable(prior))
		ClvBadOption(errmsg("invalid prior in stored options"));
	initStringInfo(&text);
	clv_prior_write(&text, prior);
	json = DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data));
	clv_prior_read(&DatumGetJsonbP(json)->root, &again);
	if (memcmp(&again, prior, sizeof(again)) != 0)
		ClvBadOption(errmsg("prior in stored options is not in canonical form"));
}
