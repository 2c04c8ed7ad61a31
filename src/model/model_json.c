/*
 * model_json.c
 *		A model as text: JSON, exact, the same whatever the settings.
 *
 *	{"version":1,"time_unit":"7 days","as_of":"1997-09-30","occasion":1,
 *	 "purchase":{"family":"mbg/nbd","parameters":{"r":0.52,...},
 *	   "customers":2357,"skipped":0,"converged":true,"log_likelihood":-9582.1,
 *	   "gradient_norm":1e-9,"iterations":6,"covariance":[[..],[..,..],...]},
 *	 "spend":{...,"basis":"repeat","frequency_spend_correlation":0.1},
 *	 "candidates":[{"family":"bg/nbd","log_likelihood":-9582.4,"bic":19195.9,
 *	   "converged":true},...]}
 *
 * A part with covariates has "covariates":[{"name":"gender","centre":0.5,"purchase":0.4,
 * "churn":-0.2},...] after its parameters, the spend part with "spend":0.3 as the effect: an array,
 * since their order is that of the vectors; a centre of 0 is left out. "path" is how many of them,
 *before those of the calendar, are those of a path of each customer. "periods" is "calendar" where
 *families of discrete time count those, and "returned" a member of their purchase part.
 * "shock":{"weeks":52,"sd":0.2,"lasting":0.9,"correlation":0.8,"evidence":20,"past":0.1,"link":0.1}
 * is one of a purchase part that keeps what moves all customers at once.
 * "spend_skipped" is a member of the model where there is no spend part.
 *
 * A part that was fitted with a prior has "prior":{"fingerprint":"<16 hexadecimal digits>",
 * "distance":1.2,"effective_parameters":3.1}; one with limits by the profile of the likelihood
 * "profile":{"level":0.95,"lower":[...],"upper":[...]}, of the rows of the covariance.
 *
 * "covariance" is the lower triangle, row by row, of the covariance of the logs
 * (or logits) of the parameters, the effects on purchases and those on churn. What
 * is not known is left out. Reading goes through jsonb,
 * whose numbers keep every digit; an unknown member is an error, since a
 * misspelt one would otherwise change the meaning of a model without notice.
 */
#include "model/model.h"

#include <math.h>

#include "common/json.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "model/model_json.h"
#include "model/model_private.h"

#define JSON_VERSION 1

/* ---- names ---- */

const ClvFamily *
clv_model_family(const char *name)
{
	const ClvFamily *family = clv_family(name);
	StringInfoData known;

	if (family != NULL)
		return family;
	initStringInfo(&known);
	for (int i = 0; clv_family_at(i) != NULL; i++)
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", clv_family_at(i)->name);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("unknown family of models: \"%s\"", name),
					errhint("Known are: %s.", known.data)));
}

/* "r, alpha, a, b" */
static char *
ParameterList(const ClvFamily *family)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < family->nparams; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", family->param_names[i]);
	return list.data;
}

ClvModelPart *
clv_model_part(ClvModel *fitted, const ClvFamily *family)
{
	return family->process == CLV_SPEND ? &fitted->spend : &fitted->purchase;
}

/* ---- out ---- */

/* Append a member with a number, unless that is not finite. */
static void
AppendFinite(StringInfo out, const char *key, double value)
{
	if (!isfinite(value))
		return;
	appendStringInfo(out, ",\"%s\":", key);
	clv_append_double(out, value);
}

/* Append the member with the lower triangle of n rows. */
static void
AppendCovariance(StringInfo out, const double *triangle, int n)
{
	appendStringInfoString(out, ",\"covariance\":[");
	for (int i = 0; i < n; i++)
	{
		appendStringInfoString(out, i > 0 ? ",[" : "[");
		for (int j = 0; j <= i; j++)
		{
			if (j > 0)
				appendStringInfoChar(out, ',');
			clv_append_double(out, triangle[CLV_AT(i, j)]);
		}
		appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, ']');
}

/* Append the covariates with their centres, unless these are 0, and their effects; without those on
 * a process that they cannot affect. */
static void
AppendCovariates(StringInfo out, const ClvModelPart *part)
{
	appendStringInfoString(out, ",\"covariates\":[");
	for (int i = 0; i < part->ncovariates; i++)
	{
		appendStringInfoString(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		escape_json(out, part->covariate[i]);
		if (part->centre[i] != 0)
			AppendFinite(out, "centre", part->centre[i]);
		for (int effect = i; effect < 2 * part->ncovariates; effect += part->ncovariates)
			if (clv_model_moves(part, effect))
			{
				appendStringInfo(out, ",\"%s\":", clv_model_process(part, effect));
				clv_append_double(out, part->effect[effect]);
			}
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

/* Append a candidate as an object. */
static void
AppendCandidate(StringInfo out, const ClvCandidate *candidate)
{
	appendStringInfo(out, "{\"family\":\"%s\"", candidate->family->name);
	AppendFinite(out, "log_likelihood", candidate->log_likelihood);
	AppendFinite(out, "bic", candidate->bic);
	appendStringInfo(out, ",\"converged\":%s}", candidate->converged ? "true" : "false");
}

void
clv_model_append_candidates(StringInfo out, const ClvModel *fitted, bool winner)
{
	const ClvModelPart *part = &fitted->purchase;

	appendStringInfoChar(out, '[');
	if (winner)
	{
		ClvCandidate best = {part->family, part->converged, part->log_likelihood,
							 clv_model_bic(part)};

		AppendCandidate(out, &best);
		appendStringInfoChar(out, ',');
	}
	for (int i = 0; i < fitted->ncandidates; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		AppendCandidate(out, &fitted->candidate[i]);
	}
	appendStringInfoChar(out, ']');
}

/* Append what the part holds of its prior. */
static void
AppendPrior(StringInfo out, const ClvModelPart *part)
{
	appendStringInfo(out, ",\"prior\":{\"fingerprint\":\"%08x%08x\"", (uint32) (part->prior >> 32),
					 (uint32) part->prior);
	AppendFinite(out, "distance", part->prior_distance);
	AppendFinite(out, "effective_parameters", part->effective);
	appendStringInfoChar(out, '}');
}

/* Append limits as an array: a number, "Infinity" or "-Infinity", null for one that is not known.
 */
static void
AppendLimits(StringInfo out, const char *key, const double *limits, int n)
{
	appendStringInfo(out, ",\"%s\":[", key);
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		if (isnan(limits[i]))
			appendStringInfoString(out, "null");
		else if (isinf(limits[i]))
			appendStringInfoString(out, limits[i] > 0 ? "\"Infinity\"" : "\"-Infinity\"");
		else
			clv_append_double(out, limits[i]);
	}
	appendStringInfoChar(out, ']');
}

/* Append the limits of a part by the profile. */
static void
AppendProfile(StringInfo out, const ClvModelPart *part)
{
	appendStringInfoString(out, ",\"profile\":{\"level\":");
	clv_append_double(out, part->profile);
	AppendLimits(out, "lower", part->profile_low, clv_model_dimension(part));
	AppendLimits(out, "upper", part->profile_high, clv_model_dimension(part));
	appendStringInfoChar(out, '}');
}

/* Append the common shock. */
static void
AppendShock(StringInfo out, const ClvShock *shock)
{
	appendStringInfo(out, ",\"shock\":{\"weeks\":%d", shock->periods);
	AppendFinite(out, "sd", shock->sd);
	AppendFinite(out, "lasting", shock->lasting);
	AppendFinite(out, "correlation", shock->correlation);
	AppendFinite(out, "evidence", shock->evidence);
	AppendFinite(out, "past", shock->past);
	AppendFinite(out, "link", shock->link);
	appendStringInfoChar(out, '}');
}

/* A part, its brace left open. */
static void
AppendPart(StringInfo out, const char *key, const ClvModelPart *part, int64 skipped)
{
	const ClvFamily *family = part->family;

	appendStringInfo(out, ",\"%s\":{\"family\":\"%s\",\"parameters\":{", key, family->name);
	for (int i = 0; i < family->nparams; i++)
	{
		appendStringInfo(out, "%s\"%s\":", i > 0 ? "," : "", family->param_names[i]);
		clv_append_double(out, part->param[i]);
	}
	appendStringInfoChar(out, '}');
	if (part->ncovariates > 0)
		AppendCovariates(out, part);
	if (part->calendar != NULL)
		appendStringInfo(out, ",\"calendar\":%s", clv_calendar_text(part->calendar));
	if (part->awaited > 0)
		appendStringInfo(out, ",\"path\":%d", part->awaited);
	if (part->fitted)
	{
		appendStringInfo(
			out, ",\"customers\":" INT64_FORMAT ",\"skipped\":" INT64_FORMAT ",\"converged\":%s",
			part->customers, skipped, part->converged ? "true" : "false");
		AppendFinite(out, "log_likelihood", part->log_likelihood);
		AppendFinite(out, "gradient_norm", part->gradient_norm);
		appendStringInfo(out, ",\"iterations\":%d", part->iterations);
	}
	if (part->prior != 0)
		AppendPrior(out, part);
	if (part->profile != 0)
		AppendProfile(out, part);
	if (part->has_covariance)
		AppendCovariance(out, part->covariance, clv_model_dimension(part));
}

void
clv_model_append_json(StringInfo out, const ClvModel *fitted)
{
	char date[MAXDATELEN + 1];

	appendStringInfo(out, "{\"version\":%d", JSON_VERSION);
	if (fitted->purchase.family != NULL)
		appendStringInfo(out, ",\"time_unit\":\"%s\"", clv_interval_text(&fitted->time_unit));
	if (fitted->has_as_of)
		appendStringInfo(out, ",\"as_of\":\"%s\"", clv_date_text(fitted->as_of, date));
	if (fitted->grace_days > 0)
		appendStringInfo(out, ",\"grace\":\"%s\"", clv_interval_text(&fitted->grace));
	if (fitted->periods != CLV_PERIODS_ANNIVERSARY)
		appendStringInfo(out, ",\"periods\":\"%s\"", clv_periods_name(fitted->periods));
	if (fitted->occasion != 0)
		appendStringInfo(out, ",\"occasion\":%d", fitted->occasion);
	if (fitted->purchase.family != NULL)
	{
		AppendPart(out, "purchase", &fitted->purchase, fitted->skipped);
		if (fitted->returned > 0)
			appendStringInfo(out, ",\"returned\":" INT64_FORMAT, fitted->returned);
		if (fitted->shock.sd > 0)
			AppendShock(out, &fitted->shock);
		appendStringInfoChar(out, '}');
	}
	if (fitted->spend.family != NULL)
	{
		AppendPart(out, "spend", &fitted->spend, fitted->spend_skipped);
		appendStringInfo(out, ",\"basis\":\"%s\"", clv_spend_basis_name(fitted->spend_basis));
		AppendFinite(out, "frequency_spend_correlation", fitted->frequency_spend_correlation);
		appendStringInfoChar(out, '}');
	}
	else if (fitted->spend_skipped > 0)
		appendStringInfo(out, ",\"spend_skipped\":" INT64_FORMAT, fitted->spend_skipped);
	if (fitted->ncandidates > 0)
	{
		appendStringInfoString(out, ",\"candidates\":");
		clv_model_append_candidates(out, fitted, false);
	}
	appendStringInfoChar(out, '}');
}

/* ---- in: the parts of a model ---- */

/* Parameters by name, in any order, all of them and no others. */
void
clv_model_parameters_from_json(JsonbContainer *container, const ClvFamily *family, double *param)
{
	ClvMember member;
	bool seen[CLV_MAX_PARAMS] = {false};
	char *object = psprintf("the parameters of \"%s\"", family->name);

	clv_json_open(&member, container, object);
	while (clv_json_next(&member))
	{
		int i = 0;

		while (i < family->nparams && !clv_json_is(&member, family->param_names[i]))
			i++;
		if (i == family->nparams)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("unknown parameter \"%s\" of \"%s\"", member.key, family->name),
							errhint("Its parameters are: %s.", ParameterList(family))));
		param[i] = clv_json_number(&member);
		seen[i] = true;
		clv_model_check_parameter(family, i, param[i]);
	}
	for (int i = 0; i < family->nparams; i++)
		if (!seen[i])
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("parameter \"%s\" of \"%s\" is missing", family->param_names[i],
								   family->name),
							errhint("Its parameters are: %s.", ParameterList(family))));
}

/* A lower triangle: as many rows as parameters, row i with i + 1 numbers. */
static void
ReadCovariance(const ClvMember *member, int n, double *triangle)
{
	char *shape = psprintf("the lower triangle of a %d x %d matrix: "
						   "arrays of 1 to %d numbers",
						   n, n, n);

	clv_json_triangle(member, n, shape, triangle);
}

/* Read a name; an error where it is too long for a model. */
static void
ReadName(const ClvMember *member, char *name)
{
	char *given = clv_json_string(member);

	if (strlen(given) >= NAMEDATALEN)
		clv_json_wrong(member, psprintf("a string of less than %d bytes", NAMEDATALEN));
	strlcpy(name, given, NAMEDATALEN);
}

/* Covariate i of a part; a centre or an effect that is not given is 0. */
static void
ReadCovariate(JsonbContainer *covariates, ClvModelPart *part, int i)
{
	ClvMember member;
	int n = part->ncovariates;
	bool spend = part->family->process == CLV_SPEND;

	clv_json_open_at(&member, covariates, i, "a covariate of a model");
	while (clv_json_next(&member))
	{
		if (clv_json_is(&member, "name"))
			ReadName(&member, part->covariate[i]);
		else if (clv_json_is(&member, "centre"))
			part->centre[i] = clv_json_number(&member);
		else if (clv_json_is(&member, spend ? "spend" : "purchase"))
			part->effect[i] = clv_json_number(&member);
		else if (!spend && clv_json_is(&member, "churn"))
			part->effect[n + i] = clv_json_number(&member);
		else
			clv_json_unknown(&member,
							 spend ? "name, centre, spend" : "name, centre, purchase, churn");
	}
}

void
clv_model_covariates_from_json(JsonbContainer *container, ClvModelPart *part)
{
	int n;

	if (!JsonContainerIsArray(container) || JsonContainerIsScalar(container))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("covariates of a model must be a JSON array"),
						errhint("In the order of the vectors: "
								"[{\"name\": \"gender\", \"purchase\": 0.4, \"churn\": -0.2}].")));
	n = (int) JsonContainerSize(container);
	if (n > CLV_MAX_COVARIATES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model cannot have %d covariates", n),
						errdetail("At most %d are possible.", CLV_MAX_COVARIATES)));
	part->ncovariates = n;
	for (int i = 0; i < n; i++)
		ReadCovariate(container, part, i);
}

/* Read candidate i of an array; its family is required. */
static void
ReadCandidate(JsonbContainer *candidates, int i, ClvCandidate *candidate)
{
	ClvMember member;

	clv_json_open_at(&member, candidates, i, "a candidate of a model");
	candidate->log_likelihood = candidate->bic = get_float8_nan();
	while (clv_json_next(&member))
	{
		if (clv_json_is(&member, "family"))
			candidate->family = clv_model_family(clv_json_string(&member));
		else if (clv_json_is(&member, "log_likelihood"))
			candidate->log_likelihood = clv_json_number(&member);
		else if (clv_json_is(&member, "bic"))
			candidate->bic = clv_json_number(&member);
		else if (clv_json_is(&member, "converged"))
			candidate->converged = clv_json_bool(&member);
		else
			clv_json_unknown(&member, "family, log_likelihood, bic, converged");
	}
	if (candidate->family == NULL)
		clv_json_missing("a candidate of a model", "family");
}

/* Read the array of candidates; an error where they are more than a model can have. */
static void
ReadCandidates(const ClvMember *outer, ClvModel *fitted)
{
	int n = clv_json_length(outer, "an array of objects");

	if (n > CLV_MAX_CANDIDATES)
		clv_json_wrong(outer, psprintf("an array of at most %d objects", CLV_MAX_CANDIDATES));
	fitted->ncandidates = n;
	for (int i = 0; i < n; i++)
		ReadCandidate(outer->value.val.binary.data, i, &fitted->candidate[i]);
}

/* The family of a part, which the other members depend on, wherever jsonb stores it. */
static const ClvFamily *
FamilyMember(JsonbContainer *container, const char *object)
{
	ClvMember member;

	clv_json_open(&member, container, object);
	while (clv_json_next(&member))
		if (clv_json_is(&member, "family"))
			return clv_model_family(clv_json_string(&member));
	clv_json_missing(object, "family");
}

/* Read a fingerprint: 16 hexadecimal digits, not all of them 0. */
static uint64
ReadFingerprint(const ClvMember *member)
{
	char *text = clv_json_string(member);
	uint64 hash = 0;

	if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
		clv_json_wrong(member, "16 hexadecimal digits");
	for (const char *digit = text; *digit != '\0'; digit++)
		hash = hash << 4 | (uint64) (*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
	if (hash == 0)
		clv_json_wrong(member, "16 hexadecimal digits, not all of them 0");
	return hash;
}

/* Read what a part holds of its prior. */
static void
ReadPrior(const ClvMember *outer, ClvModelPart *part)
{
	static const char object[] = "the prior of a model";
	bool has_distance = false;
	ClvMember member;

	part->effective = get_float8_nan();
	clv_json_open(&member, clv_json_container(outer, "an object"), object);
	while (clv_json_next(&member))
	{
		if (clv_json_is(&member, "fingerprint"))
			part->prior = ReadFingerprint(&member);
		else if (clv_json_is(&member, "distance"))
		{
			part->prior_distance = clv_json_number(&member);
			has_distance = true;
		}
		else if (clv_json_is(&member, "effective_parameters"))
			part->effective = clv_json_number(&member);
		else
			clv_json_unknown(&member, "fingerprint, distance, effective_parameters");
	}
	if (part->prior == 0 || !has_distance)
		clv_json_missing(object, part->prior == 0 ? "fingerprint" : "distance");
}

/* Read a limit: a number, an infinity as a string, or null for one that is not known. */
static double
ReadLimit(const ClvMember *limit)
{
	char *text;

	if (clv_json_is_null(limit))
		return get_float8_nan();
	if (limit->value.type != jbvString)
		return clv_json_number(limit);
	text = clv_json_string(limit);
	if (strcmp(text, "Infinity") != 0 && strcmp(text, "-Infinity") != 0)
		clv_json_wrong(limit, "a number, \"Infinity\", \"-Infinity\" or null");
	return text[0] == '-' ? -get_float8_infinity() : get_float8_infinity();
}

/* Read as many limits as the part has parameters and effects. */
static void
ReadLimits(const ClvMember *member, int n, double *limits)
{
	char *what = psprintf("an array of %d numbers", n);

	if (clv_json_length(member, what) != n)
		clv_json_wrong(member, what);
	for (int i = 0; i < n; i++)
	{
		ClvMember limit = clv_json_element(member, i, what);

		limits[i] = ReadLimit(&limit);
	}
}

/* Read the limits of a part by the profile. */
static void
ReadProfile(const ClvMember *outer, ClvModelPart *part)
{
	static const char object[] = "the profile of a model";
	int n = clv_model_dimension(part);
	bool has_lower = false;
	bool has_upper = false;
	ClvMember member;

	clv_json_open(&member, clv_json_container(outer, "an object"), object);
	while (clv_json_next(&member))
	{
		if (clv_json_is(&member, "level"))
		{
			part->profile = clv_json_number(&member);
			if (!(part->profile > 0 && part->profile < 1))
				clv_json_wrong(&member, "a number between 0 and 1");
		}
		else if (clv_json_is(&member, "lower"))
		{
			ReadLimits(&member, n, part->profile_low);
			has_lower = true;
		}
		else if (clv_json_is(&member, "upper"))
		{
			ReadLimits(&member, n, part->profile_high);
			has_upper = true;
		}
		else
			clv_json_unknown(&member, "level, lower, upper");
	}
	if (part->profile == 0 || !has_lower || !has_upper)
		clv_json_missing(object, part->profile == 0 ? "level" : has_lower ? "upper" : "lower");
}

/* Read a member that only a fitted part has; false for another. */
static bool
ReadFitMember(const ClvMember *member, ClvModelPart *part, int64 *skipped)
{
	if (clv_json_is(member, "customers"))
	{
		part->customers = clv_json_whole(member, 0, PG_INT64_MAX);
		part->fitted = true;
	}
	else if (clv_json_is(member, "skipped"))
		*skipped = clv_json_whole(member, 0, PG_INT64_MAX);
	else if (clv_json_is(member, "converged"))
		part->converged = clv_json_bool(member);
	else if (clv_json_is(member, "log_likelihood"))
		part->log_likelihood = clv_json_number(member);
	else if (clv_json_is(member, "gradient_norm"))
		part->gradient_norm = clv_json_number(member);
	else if (clv_json_is(member, "iterations"))
		part->iterations = (int32) clv_json_whole(member, 0, PG_INT32_MAX);
	else if (clv_json_is(member, "prior"))
		ReadPrior(member, part);
	else
		return false;
	return true;
}

/* Read a member that only a spend part has; false for another. */
static bool
ReadSpendMember(const ClvMember *member, ClvModel *fitted)
{
	if (clv_json_is(member, "covariates"))
		clv_model_covariates_from_json(clv_json_container(member, "an array"), &fitted->spend);
	else if (clv_json_is(member, "basis"))
		fitted->spend_basis = clv_spend_basis(clv_json_string(member));
	else if (clv_json_is(member, "frequency_spend_correlation"))
		fitted->frequency_spend_correlation = clv_json_number(member);
	else
		return false;
	return true;
}

/* Read the common shock; all of its numbers are required. */
static void
ReadShock(const ClvMember *outer, ClvShock *shock)
{
	static const char object[] = "the shock of a model";
	const struct
	{
		const char *name;
		double *value;
	} number[] = {{"sd", &shock->sd},
				  {"lasting", &shock->lasting},
				  {"correlation", &shock->correlation},
				  {"evidence", &shock->evidence},
				  {"past", &shock->past},
				  {"link", &shock->link}};
	ClvMember member;

	shock->periods = -1;
	for (int i = 0; i < (int) lengthof(number); i++)
		*number[i].value = get_float8_nan();
	clv_json_open(&member, clv_json_container(outer, "an object"), object);
	while (clv_json_next(&member))
	{
		int i = 0;

		while (i < (int) lengthof(number) && !clv_json_is(&member, number[i].name))
			i++;
		if (i < (int) lengthof(number))
			*number[i].value = clv_json_number(&member);
		else if (clv_json_is(&member, "weeks"))
			shock->periods = (int) clv_json_whole(&member, 0, CLV_SHOCK_MOST);
		else
			clv_json_unknown(&member, "weeks, sd, lasting, correlation, evidence, past, link");
	}
	if (shock->periods < 0)
		clv_json_missing(object, "weeks");
	for (int i = 0; i < (int) lengthof(number); i++)
		if (isnan(*number[i].value))
			clv_json_missing(object, number[i].name);
}

/* Read a member that only a purchase part has; false for another. */
static bool
ReadPurchaseMember(const ClvMember *member, ClvModel *fitted)
{
	if (clv_json_is(member, "covariates"))
		clv_model_covariates_from_json(clv_json_container(member, "an array"), &fitted->purchase);
	else if (clv_json_is(member, "calendar"))
		fitted->purchase.calendar =
			clv_calendar_from_json(clv_json_container(member, "a clv_calendar"));
	else if (clv_json_is(member, "path"))
		fitted->purchase.awaited = (int) clv_json_whole(member, 1, CLV_MAX_COVARIATES);
	else if (clv_json_is(member, "returned"))
		fitted->returned = clv_json_whole(member, 0, PG_INT64_MAX);
	else if (clv_json_is(member, "shock"))
		ReadShock(member, &fitted->shock);
	else
		return false;
	return true;
}

/* Read the part of one process; its family and parameters are required. */
static void
ReadPart(const ClvMember *outer, ClvModel *fitted, ClvProcess process)
{
	bool is_spend = process == CLV_SPEND;
	const char *object = is_spend ? "the spend part of a model" : "the purchase part of a model";
	ClvModelPart *part = is_spend ? &fitted->spend : &fitted->purchase;
	int64 *skipped = is_spend ? &fitted->spend_skipped : &fitted->skipped;
	JsonbContainer *container = clv_json_container(outer, "an object");
	const ClvFamily *family;
	bool has_parameters = false;
	bool has_fit_member = false;
	ClvMember member;
	ClvMember covariance = {0}; /* its size depends on the covariates, which may come after it, */
	ClvMember profile = {0};    /* and so does that of these limits */
	bool has_profile = false;

	clv_json_open(&member, container, object);
	family = part->family = FamilyMember(container, object);
	while (clv_json_next(&member))
	{
		if (clv_json_is(&member, "family") || clv_json_is_null(&member))
			continue;
		if (clv_json_is(&member, "parameters"))
		{
			clv_model_parameters_from_json(clv_json_container(&member, "an object"), family,
										   part->param);
			has_parameters = true;
		}
		else if (clv_json_is(&member, "covariance"))
		{
			covariance = member;
			part->has_covariance = true;
		}
		else if (clv_json_is(&member, "profile"))
		{
			profile = member;
			has_profile = has_fit_member = true;
		}
		else if (ReadFitMember(&member, part, skipped))
			has_fit_member = true;
		else if (is_spend ? !ReadSpendMember(&member, fitted)
						  : !ReadPurchaseMember(&member, fitted))
			clv_json_unknown(&member, psprintf("family, parameters, customers, skipped, converged, "
											   "log_likelihood, gradient_norm, iterations, "
											   "prior, profile, covariance, %s",
											   is_spend ? "covariates, basis, "
														  "frequency_spend_correlation"
														: "covariates, calendar, path, returned, "
														  "shock"));
	}
	if (part->has_covariance)
		ReadCovariance(&covariance, clv_model_dimension(part), part->covariance);
	if (has_profile)
		ReadProfile(&profile, part);
	if (!has_parameters)
		clv_json_missing(object, "parameters");
	if (has_fit_member && !part->fitted)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"customers\" of %s is missing", object),
				 errdetail("A fitted part must give the number of customers it was fitted to.")));
}

/* An error unless the version is the one that this code reads. */
static void
CheckVersion(const ClvMember *member)
{
	int64 version = clv_json_whole(member, 0, PG_INT32_MAX);

	if (version != JSON_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown version of clv_model: " INT64_FORMAT, version),
						errdetail("This version of clv reads version %d.", JSON_VERSION)));
}

/* Members that are not given stay unknown; clv_model_pack checks the rest. */
void
clv_model_from_json(Jsonb *json, ClvModel *fitted)
{
	ClvMember member;
	bool has_version = false;
	bool has_unit = false;
	int64 spend_skipped = -1;

	clv_model_init(fitted);
	clv_json_open(&member, &json->root, "a model");
	while (clv_json_next(&member))
	{
		if (clv_json_is_null(&member))
			continue;
		if (clv_json_is(&member, "version"))
		{
			CheckVersion(&member);
			has_version = true;
		}
		else if (clv_json_is(&member, "time_unit"))
		{
			fitted->time_unit = clv_json_interval(&member);
			has_unit = true;
		}
		else if (clv_json_is(&member, "as_of"))
		{
			fitted->as_of = clv_json_date(&member);
			fitted->has_as_of = true;
		}
		else if (clv_json_is(&member, "grace"))
			fitted->grace = clv_json_interval(&member);
		else if (clv_json_is(&member, "periods"))
			fitted->periods = clv_periods_of(clv_json_string(&member));
		else if (clv_json_is(&member, "occasion"))
			fitted->occasion = (int32) clv_json_whole(&member, 0, PG_INT32_MAX);
		else if (clv_json_is(&member, "purchase"))
			ReadPart(&member, fitted, CLV_TRANSACTION);
		else if (clv_json_is(&member, "spend"))
			ReadPart(&member, fitted, CLV_SPEND);
		else if (clv_json_is(&member, "spend_skipped"))
			spend_skipped = clv_json_whole(&member, 0, PG_INT64_MAX);
		else if (clv_json_is(&member, "candidates"))
			ReadCandidates(&member, fitted);
		else
			clv_json_unknown(
				&member, "version, time_unit, as_of, grace, periods, occasion, purchase, spend, "
						 "spend_skipped, candidates");
	}
	if (spend_skipped >= 0 && fitted->spend.family != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"spend_skipped\" is for models without a spend part"),
						errhint("Use \"skipped\" of the spend part instead.")));
	if (spend_skipped >= 0)
		fitted->spend_skipped = spend_skipped;
	if (!has_version)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"version\" of a model is missing"),
				 errhint("Write a model by hand with clv_model(family, params, time_unit).")));
	if (fitted->purchase.family != NULL && !has_unit)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"time_unit\" of a model is missing"),
						errhint("Give the time unit of its parameters, such as \"7 days\".")));
}
