/*
 * options.c
 *		The options of a fit: clv_options(), and the JSON it returns.
 *
 * The function validates what it is given and returns plain JSON, so that options
 * can be stored beside a model, and written by hand. Whoever receives them checks
 * them again, key by key.
 */
#include "cells/cells.h"

#include <math.h>

#include "common/arguments.h"
#include "catalog/pg_type.h"
#include "model/model.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

#define DEFAULT_SPEND "gamma/gamma"

#define MAX_UNIT_DAYS (1000 * CLV_DAYS_PER_YEAR)
#define MAX_ITERATIONS 100000

StaticAssertDecl(CLV_MAX_PARAMS <= CLV_START_PARAMS, "a start must have room for every parameter");
StaticAssertDecl(sizeof(ClvFitOptions) == 4 * CLV_NAME_SIZE + 2 * 8 * CLV_START_PARAMS +
					 8 * CLV_MAX_EFFECTS + CLV_COVARIATES_SIZE + 72,
				 "options are compared byte by byte and must have no holes");

#define BadOption(...) \
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), __VA_ARGS__))

/* ---- the single values ---- */

/* "mbg/nbd", "bg/nbd": the families of one process. */
static char *
FamilyList(ClvProcess process)
{
	StringInfoData list;
	const ClvFamily *family;

	initStringInfo(&list);
	for (int i = 0; (family = clv_family_at(i)) != NULL; i++)
		if (family->process == process)
			appendStringInfo(&list, "%s\"%s\"", list.len > 0 ? ", " : "", family->name);
	return list.data;
}

/* Check the name and copy it into its zero-padded place. */
static void
SetFamily(char *field, const char *name, ClvProcess process, const char *other)
{
	const ClvFamily *family = clv_family(name);

	if (strcmp(name, other) != 0 && (family == NULL || family->process != process))
	{
		const char *what = process == CLV_SPEND ? "spend" : "model";

		BadOption(family == NULL ? errmsg("unknown %s: \"%s\"", what, name)
								 : errmsg("\"%s\" does not model %s", name,
										  process == CLV_SPEND ? "spend" : "purchases"),
				  errdetail("Known are %s and \"%s\".", FamilyList(process), other),
				  family == NULL ? 0
								 : errhint("Say %s => '%s'.",
										   process == CLV_SPEND ? "model" : "spend", name));
	}
	Assert(strlen(name) < CLV_NAME_SIZE);
	memset(field, 0, CLV_NAME_SIZE);
	strlcpy(field, name, CLV_NAME_SIZE);
}

static void
CheckUnit(const Interval *unit)
{
	double		days = clv_span_days("time_unit", unit);

	if (unit->month < 0 || unit->day < 0 || unit->time < 0 || !(days > 0) || days > MAX_UNIT_DAYS)
		BadOption(errmsg("time_unit is out of range: %s", clv_interval_text(unit)),
				  errdetail("It must be longer than nothing, without negative parts, "
							"and at most 1000 years."));
}

static void
CheckPenalty(const char *name, double penalty)
{
	if (!isfinite(penalty) || penalty < 0)
		BadOption(errmsg("%s must be finite and not negative: %g", name, penalty));
}

static void
CheckGrace(const Interval *grace)
{
	double		days = clv_span_days("grace", grace);

	if (grace->month < 0 || grace->day < 0 || grace->time < 0 || days > MAX_UNIT_DAYS)
		BadOption(errmsg("grace is out of range: %s", clv_interval_text(grace)),
				  errdetail("It must be without negative parts, and at most 1000 years."));
}

static void
CheckK(double k)
{
	if (!(k >= 1 && k <= CLV_MAX_K) || k != floor(k))
		BadOption(errmsg("k must be a whole number between 1 and %d: %g", CLV_MAX_K, k));
}

static void
CheckIterations(double iterations)
{
	if (!(iterations >= 1 && iterations <= MAX_ITERATIONS) || iterations != floor(iterations))
		BadOption(errmsg("max_iterations must be a whole number between 1 and %d: %g",
						 MAX_ITERATIONS, iterations));
}

static void
CheckStart(const ClvFamily *family, const double *param)
{
	for (int i = 0; i < family->nparams; i++)
	{
		if (!clv_in_range(family, i, param[i]))
			BadOption(errmsg("parameter \"%s\" of the start must %s: %g", family->param_names[i],
							 clv_model_range_text(family, i), param[i]));
	}
	clv_model_check_limits(family, param);
}

/* A start is of use to its own family, and to one that contains it. */
static void
CheckStartFamily(const ClvFitOptions *options)
{
	if (options->start_model[0] != '\0' && strcmp(options->model, CLV_MODEL_AUTO) != 0 &&
		!clv_fit_starts(options, clv_fit_family(options)))
		BadOption(errmsg("start is a \"%s\" model, but the model to fit is \"%s\"",
						 options->start_model, options->model),
				  errhint("Say model => '%s', or leave out start.", options->start_model));
	if (options->start_spend[0] != '\0' && strcmp(options->spend, CLV_SPEND_NONE) != 0 &&
		strcmp(options->start_spend, options->spend) != 0)
		BadOption(errmsg("start is a \"%s\" model, but the spend model to fit is \"%s\"",
						 options->start_spend, options->spend),
				  errhint("Say spend => '%s', or leave out start.", options->start_spend));
}

/* What makes no sense together. */
static void
CheckTogether(const ClvFitOptions *options)
{
	const ClvFamily *family = clv_fit_family(options);
	ClvCounting counting;

	CheckStartFamily(options);
	if (options->ncovariates > 0 && !clv_model_takes_effect(family, false) &&
		!clv_model_takes_effect(family, true))
		BadOption(errmsg("\"%s\" takes no covariates", options->model),
				  errdetail("The covariates are %s.", clv_fit_covariate_list(options)));
	if (options->penalty > 0 && options->ncovariates == 0)
		BadOption(errmsg("penalty is on the effects of covariates, but there are none"),
				  errhint("Name them: covariates => '{...}'. To hold back the shapes of the "
						  "distributions, say shape_penalty."));
	if (options->k > 0 && !clv_fit_has_k(options))
		BadOption(errmsg("\"%s\" has no k", options->model),
				  errhint("Leave out k, or say model => 'mbg/cnbd-k'."));
	if (family->clock != CLV_RENEWALS && clv_interval_days(&options->grace) != 0)
		BadOption(errmsg("\"%s\" knows no grace", options->model),
				  errhint("Leave out grace, or say model => 'sbg'."));
	if (family->clock == CLV_CONTINUOUS && options->periods != CLV_PERIODS_ANNIVERSARY)
		BadOption(errmsg("\"%s\" knows no periods", options->model),
				  errdetail("Its time is continuous."),
				  errhint("Leave out periods, or choose a family that counts them, such as bg/bb "
						  "or sbg."));
	clv_fit_counting(options, &counting);
}

/* Give the family that leaves probabilities as they come. */
static void
SetUnclamped(ClvFitOptions *options)
{
	char	   *name = psprintf("%s/unclamped", options->model);

	if (clv_fit_clock(options) != CLV_CAMPAIGNS || clv_family(name) == NULL)
		BadOption(errmsg("\"%s\" has nothing to clamp", options->model),
				  errhint("Leave out clamp, or say model => 'rfmtc'."));
	strlcpy(options->model, name, CLV_NAME_SIZE);
}

/* Give the family whose purchase and churn rate are correlated. */
static void
SetCorrelated(ClvFitOptions *options)
{
	const ClvFamily *family = clv_family(options->model);

	if (family != NULL && family->core != NULL)
		return;
	for (int i = 0; (family = clv_family_at(i)) != NULL; i++)
		if (family->core != NULL && strcmp(family->core, options->model) == 0)
		{
			strlcpy(options->model, family->name, CLV_NAME_SIZE);
			return;
		}
	BadOption(errmsg("\"%s\" knows no correlation of purchase and churn rate", options->model),
			  errhint("Leave out correlation, or say model => 'pareto/nbd'."));
}

/* Add a name to those of the covariates. */
static void
AddCovariate(ClvFitOptions *options, const char *name)
{
	Size		used = clv_fit_covariate(options, options->ncovariates) - options->covariates;

	if (name[0] == '\0')
		BadOption(errmsg("a covariate must have a name"));
	if (strlen(name) >= NAMEDATALEN)
		BadOption(errmsg("name of a covariate is too long: \"%s\"", name),
				  errdetail("Names have less than %d bytes.", NAMEDATALEN));
	for (int i = 0; i < options->ncovariates; i++)
		if (strcmp(clv_fit_covariate(options, i), name) == 0)
			BadOption(errmsg("two covariates have the name \"%s\"", name));
	if (options->ncovariates == CLV_MAX_COVARIATES)
		BadOption(errmsg("too many covariates"),
				  errdetail("At most %d are possible.", CLV_MAX_COVARIATES));
	if (used + strlen(name) + 1 > CLV_COVARIATES_SIZE)
		BadOption(errmsg("names of covariates are too long together"),
				  errdetail("They have %d bytes, one of them for the end of each name.",
							CLV_COVARIATES_SIZE));
	memcpy(options->covariates + used, name, strlen(name) + 1);
	options->ncovariates++;
}

static void
InitOptions(ClvFitOptions *options)
{
	memset(options, 0, sizeof(*options));
	strlcpy(options->model, CLV_MODEL_DEFAULT, CLV_NAME_SIZE);
	strlcpy(options->spend, DEFAULT_SPEND, CLV_NAME_SIZE);
	options->time_unit.day = 7;
	options->as_of = DATEVAL_NOEND;
	options->spend_basis = CLV_SPEND_REPEAT;
}

static bool
IsNegativeZero(double value)
{
	return value == 0 && signbit(value);
}

/* A name off the wire is a family's, padded with zeros: put it there again, and compare. */
static void
CheckName(const char *field, ClvProcess process, const char *other)
{
	char		again[CLV_NAME_SIZE];

	if (field[CLV_NAME_SIZE - 1] != '\0')
		BadOption(errmsg("name of a family is too long in stored options"));
	SetFamily(again, field, process, other);
	if (memcmp(again, field, CLV_NAME_SIZE) != 0)
		BadOption(errmsg("name of a family is not clean in stored options: \"%s\"", field));
}

static void
CheckStoredStart(const char *name, const double *param, ClvProcess process)
{
	const ClvFamily *family = NULL;

	CheckName(name, process, "");
	if (name[0] != '\0')
	{
		family = clv_family(name);
		CheckStart(family, param);
		for (int i = 0; i < family->nparams; i++)
			if (IsNegativeZero(param[i]))
				BadOption(errmsg("start in stored options is not in canonical form"));
	}
	for (int i = family == NULL ? 0 : family->nparams; i < CLV_START_PARAMS; i++)
		if (ClvDoubleBits(param[i]) != 0)
			BadOption(errmsg("too many parameters in the start of stored options"));
}

/* Names off the wire: put them there again, and compare. */
static void
CheckStoredCovariates(const ClvFitOptions *options)
{
	ClvFitOptions again;
	const char *name = options->covariates;
	const char *end = name + CLV_COVARIATES_SIZE;

	memset(&again, 0, sizeof(again));
	if (options->ncovariates < 0 || options->ncovariates > CLV_MAX_COVARIATES)
		BadOption(errmsg("stored options have %d covariates", options->ncovariates));
	for (int i = 0; i < options->ncovariates; i++)
	{
		Size		length = strnlen(name, end - name);

		if (name + length == end)
			BadOption(errmsg("names of covariates in stored options do not end"));
		(void) pg_verifymbstr(name, length, false);
		AddCovariate(&again, name);
		name += length + 1;
	}
	if (memcmp(again.covariates, options->covariates, CLV_COVARIATES_SIZE) != 0)
		BadOption(errmsg("names of covariates are not clean in stored options"));
	for (int i = 0; i < CLV_MAX_EFFECTS; i++)
		if (!isfinite(options->start_effect[i]) || IsNegativeZero(options->start_effect[i]) ||
			(i >= 2 * options->ncovariates && ClvDoubleBits(options->start_effect[i]) != 0))
			BadOption(errmsg("start of an effect in stored options makes no sense: %g",
							 options->start_effect[i]));
}

void
clv_fit_options_check(const ClvFitOptions *options)
{
	CheckName(options->model, CLV_TRANSACTION, CLV_MODEL_AUTO);
	CheckName(options->spend, CLV_SPEND, CLV_SPEND_NONE);
	CheckStoredStart(options->start_model, options->start_model_param, CLV_TRANSACTION);
	CheckStoredStart(options->start_spend, options->start_spend_param, CLV_SPEND);
	CheckStoredCovariates(options);
	CheckPenalty("penalty", options->penalty);
	CheckPenalty("shape_penalty", options->shape_penalty);
	CheckUnit(&options->time_unit);
	CheckGrace(&options->grace);
	if (options->k != 0)
		CheckK(options->k);
	if (options->periods != CLV_PERIODS_ANNIVERSARY && options->periods != CLV_PERIODS_CALENDAR)
		BadOption(errmsg("unknown periods in stored options: %d", options->periods));
	CheckTogether(options);
	if (options->as_of != DATEVAL_NOEND)
	{
		clv_check_date("as_of", options->as_of);
		if (!IS_VALID_DATE(options->as_of))
			BadOption(errmsg("as_of is out of range in stored options"));
	}
	if (options->spend_basis != CLV_SPEND_REPEAT && options->spend_basis != CLV_SPEND_ALL)
		BadOption(errmsg("unknown spend basis in stored options: %d", options->spend_basis));
	if (options->max_iterations != 0)
		CheckIterations(options->max_iterations);
	if (IsNegativeZero(options->penalty) ||
		IsNegativeZero(options->shape_penalty))
		BadOption(errmsg("stored options are not in canonical form"));
}

/* ---- JSON ---- */

static void
StartText(StringInfo out, const char *name, const double *param, bool *first)
{
	const ClvFamily *family;

	if (name[0] == '\0')
		return;
	family = clv_family(name);
	appendStringInfo(out, "%s\"%s\": {", *first ? "" : ", ", name);
	for (int i = 0; i < family->nparams; i++)
	{
		appendStringInfo(out, "%s\"%s\": ", i > 0 ? ", " : "", family->param_names[i]);
		clv_append_double(out, param[i]);
	}
	appendStringInfoChar(out, '}');
	*first = false;
}

static void
CovariatesText(StringInfo out, const ClvFitOptions *options)
{
	bool		start = false;

	appendStringInfoString(out, ", \"covariates\": [");
	for (int i = 0; i < options->ncovariates; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, clv_fit_covariate(options, i));
	}
	appendStringInfoChar(out, ']');
	for (int i = 0; i < 2 * options->ncovariates; i++)
		start |= options->start_effect[i] != 0;
	if (!start)
		return;
	appendStringInfoString(out, ", \"start_effects\": [");
	for (int i = 0; i < 2 * options->ncovariates; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		clv_append_double(out, options->start_effect[i]);
	}
	appendStringInfoChar(out, ']');
}

void
clv_fit_options_text(StringInfo out, const ClvFitOptions *options)
{
	char		buffer[MAXDATELEN + 1];
	bool		first = true;

	appendStringInfo(out, "{\"model\": \"%s\", \"spend\": \"%s\", \"time_unit\": \"%s\"",
					 options->model, options->spend, clv_interval_text(&options->time_unit));
	if (options->as_of != DATEVAL_NOEND)
		appendStringInfo(out, ", \"as_of\": \"%s\"", clv_date_text(options->as_of, buffer));
	appendStringInfo(out, ", \"spend_basis\": \"%s\"",
					 clv_spend_basis_name((ClvSpendBasis) options->spend_basis));
	if (options->ncovariates > 0)
		CovariatesText(out, options);
	if (options->penalty > 0)
	{
		appendStringInfoString(out, ", \"penalty\": ");
		clv_append_double(out, options->penalty);
	}
	if (options->shape_penalty > 0)
	{
		appendStringInfoString(out, ", \"shape_penalty\": ");
		clv_append_double(out, options->shape_penalty);
	}
	if (options->k > 0)
		appendStringInfo(out, ", \"k\": %d", options->k);
	if (clv_interval_days(&options->grace) > 0)
		appendStringInfo(out, ", \"grace\": \"%s\"", clv_interval_text(&options->grace));
	if (options->periods != CLV_PERIODS_ANNIVERSARY)
		appendStringInfo(out, ", \"periods\": \"%s\"",
						 clv_periods_name((ClvPeriodsOf) options->periods));
	if (options->start_model[0] != '\0' || options->start_spend[0] != '\0')
	{
		appendStringInfoString(out, ", \"start\": {");
		StartText(out, options->start_model, options->start_model_param, &first);
		StartText(out, options->start_spend, options->start_spend_param, &first);
		appendStringInfoChar(out, '}');
	}
	if (options->max_iterations != 0)
		appendStringInfo(out, ", \"max_iterations\": %d", options->max_iterations);
	appendStringInfoChar(out, '}');
}

static char *
StringOf(const JsonbValue *value, const char *key)
{
	if (value->type != jbvString)
		BadOption(errmsg("option \"%s\" must be a string", key));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static double
NumberOf(const JsonbValue *value, const char *key)
{
	if (value->type != jbvNumeric)
		BadOption(errmsg("option \"%s\" must be a number", key));
	return DatumGetFloat8(
		DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
}

static Interval
ParseInterval(const char *text)
{
	return *DatumGetIntervalP(
		DirectFunctionCall3(interval_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
							Int32GetDatum(-1)));
}

/* The elements of an array one by one; NULL after the last. */
static JsonbValue *
ElementOf(const JsonbValue *array, const char *key, uint32 i)
{
	if (array->type != jbvBinary || !JsonContainerIsArray(array->val.binary.data))
		BadOption(errmsg("option \"%s\" must be an array", key));
	return getIthJsonbValueFromContainer(array->val.binary.data, i);
}

static void
ParseCovariates(const JsonbValue *value, const char *key, ClvFitOptions *options)
{
	JsonbValue *name;

	for (uint32 i = 0; (name = ElementOf(value, key, i)) != NULL; i++)
	{
		if (name->type != jbvString)
			BadOption(errmsg("option \"%s\" must be an array of names", key));
		AddCovariate(options, StringOf(name, key));
	}
}

static void
ParseEffects(const JsonbValue *value, const char *key, ClvFitOptions *options)
{
	JsonbValue *effect;

	for (uint32 i = 0; (effect = ElementOf(value, key, i)) != NULL; i++)
	{
		if (i >= CLV_MAX_EFFECTS)
			BadOption(errmsg("option \"%s\" has more numbers than there are effects", key));
		options->start_effect[i] = NumberOf(effect, key) + 0.0;
	}
}

static bool
BoolOf(const JsonbValue *value, const char *key)
{
	if (value->type != jbvBool)
		BadOption(errmsg("option \"%s\" must be true or false", key));
	return value->val.boolean;
}


static DateADT
ParseAsOf(const char *text)
{
	DateADT		as_of;

	/* 'today' would make the options depend on the clock, '1/2/1997' on DateStyle */
	if (strspn(text, "0123456789") < 4)
		BadOption(errmsg("as_of is not a date of the form YYYY-MM-DD: \"%s\"", text));
	as_of = DatumGetDateADT(DirectFunctionCall1(date_in, CStringGetDatum(text)));
	clv_check_date("as_of", as_of);
	return as_of;
}

/* One family of a start: {"r": 0.24, ...} */
static void
ParseStartPart(const char *name, JsonbContainer *json, ClvFitOptions *options)
{
	const ClvFamily *family = clv_family(name);
	double	   *param;
	JsonbIterator *it = JsonbIteratorInit(json);
	JsonbValue	value;
	JsonbIteratorToken token;
	int			current = -1;
	int			seen = 0;

	if (family == NULL)
		BadOption(errmsg("unknown family in start: \"%s\"", name),
				  errdetail("Known are %s, %s.", FamilyList(CLV_TRANSACTION),
							FamilyList(CLV_SPEND)));
	param = family->process == CLV_SPEND ? options->start_spend_param : options->start_model_param;
	if ((family->process == CLV_SPEND ? options->start_spend : options->start_model)[0] != '\0')
		BadOption(errmsg("start names two families of the same process"));
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			for (current = 0; current < family->nparams; current++)
				if ((int) strlen(family->param_names[current]) == value.val.string.len &&
					memcmp(family->param_names[current], value.val.string.val,
						   value.val.string.len) == 0)
					break;
			if (current == family->nparams)
				BadOption(errmsg("\"%s\" has no parameter \"%.*s\"", name, value.val.string.len,
								 value.val.string.val));
		}
		else if (token == WJB_VALUE)
		{
			param[current] = NumberOf(&value, family->param_names[current]);
			seen++;
		}
		else if (token != WJB_BEGIN_OBJECT && token != WJB_END_OBJECT)
			BadOption(errmsg("start of \"%s\" must be an object of its parameters", name));
	}
	if (seen != family->nparams)
		BadOption(errmsg("start of \"%s\" must have all its %d parameters, not %d", name,
						 family->nparams, seen));
	CheckStart(family, param);
	strlcpy(family->process == CLV_SPEND ? options->start_spend : options->start_model, name,
			CLV_NAME_SIZE);
}

static void
ParseStart(const JsonbValue *json, ClvFitOptions *options)
{
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *name = NULL;

	if (json->type != jbvBinary || !JsonContainerIsObject(json->val.binary.data))
		BadOption(errmsg("option \"start\" must be an object of families"),
				  errhint("Let clv_options(start => model) write it."));
	it = JsonbIteratorInit(json->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
		{
			if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
				BadOption(errmsg("start of \"%s\" must be an object of its parameters", name));
			ParseStartPart(name, value.val.binary.data, options);
		}
	}
}

static void
ParseKey(const char *key, const JsonbValue *value, ClvParsedOptions *parsed)
{
	ClvFitOptions *options = &parsed->options;

	if (value->type == jbvNull)
		return;					/* as an argument of clv_options: not given */
	if (strcmp(key, "model") == 0)
		SetFamily(options->model, StringOf(value, key), CLV_TRANSACTION, CLV_MODEL_AUTO);
	else if (strcmp(key, "spend") == 0)
	{
		SetFamily(options->spend, StringOf(value, key), CLV_SPEND, CLV_SPEND_NONE);
		parsed->spend_given = true;
	}
	else if (strcmp(key, "time_unit") == 0)
	{
		options->time_unit = ParseInterval(StringOf(value, key));
		CheckUnit(&options->time_unit);
		parsed->time_unit_given = true;
	}
	else if (strcmp(key, "as_of") == 0)
		options->as_of = ParseAsOf(StringOf(value, key));
	else if (strcmp(key, "spend_basis") == 0)
	{
		options->spend_basis = clv_spend_basis(cstring_to_text(StringOf(value, key)));
		parsed->spend_basis_given = true;
	}
	else if (strcmp(key, "covariates") == 0)
	{
		ParseCovariates(value, key, options);
		parsed->covariates_given = true;
	}
	else if (strcmp(key, "start_effects") == 0)
		ParseEffects(value, key, options);
	else if (strcmp(key, "penalty") == 0 || strcmp(key, "shape_penalty") == 0)
	{
		double		penalty = NumberOf(value, key) + 0.0;	/* no negative zero */

		CheckPenalty(key, penalty);
		*(key[0] == 'p' ? &options->penalty : &options->shape_penalty) = penalty;
	}
	else if (strcmp(key, "k") == 0)
	{
		double		k = NumberOf(value, key);

		CheckK(k);
		options->k = (int32) k;
	}
	else if (strcmp(key, "grace") == 0)
	{
		options->grace = ParseInterval(StringOf(value, key));
		CheckGrace(&options->grace);
		parsed->grace_given = true;
	}
	else if (strcmp(key, "periods") == 0)
	{
		options->periods = clv_periods_of(StringOf(value, key));
		parsed->periods_given = true;
	}
	else if (strcmp(key, "clamp") == 0)
		parsed->unclamped = !BoolOf(value, key);
	else if (strcmp(key, "correlation") == 0)
		parsed->correlated = BoolOf(value, key);
	else if (strcmp(key, "start") == 0)
		ParseStart(value, options);
	else if (strcmp(key, "max_iterations") == 0)
	{
		double		iterations = NumberOf(value, key);

		CheckIterations(iterations);
		options->max_iterations = (int32) iterations;
	}
	else
		BadOption(errmsg("unknown option: \"%s\"", key),
				  errdetail("Known are model, spend, time_unit, as_of, spend_basis, covariates, "
							"penalty, shape_penalty, k, grace, periods, clamp, correlation, start, "
							"start_effects and max_iterations."),
				  errhint("Let clv_options() write the options."));
}

void
clv_fit_options_parse(Jsonb *json, ClvParsedOptions *parsed)
{
	JsonbIterator *it;
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *key = NULL;

	memset(parsed, 0, sizeof(*parsed));
	InitOptions(&parsed->options);
	if (json == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(json))
		BadOption(errmsg("the options of a fit must be a JSON object"),
				  errhint("Let clv_options() write them."));
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			ParseKey(key, &value, parsed);
	}
	if (parsed->unclamped)
		SetUnclamped(&parsed->options);
	if (parsed->correlated)
		SetCorrelated(&parsed->options);
	CheckTogether(&parsed->options);
	for (int i = 2 * parsed->options.ncovariates; i < CLV_MAX_EFFECTS; i++)
		if (parsed->options.start_effect[i] != 0)
			BadOption(errmsg("option \"%s\" has more numbers than there are effects",
							 "start_effects"));
}

/* ---- clv_options() ---- */

/* Names from an array of text. */
static void
SetCovariates(ClvFitOptions *options, ArrayType *names)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			BadOption(errmsg("a covariate must have a name"), errdetail("Name %d is NULL.", i + 1));
		AddCovariate(options, TextDatumGetCString(values[i]));
	}
}

/* The effects of the covariates that both have, by name. */
static void
SetStartEffects(ClvFitOptions *options, const ClvModelPart *part)
{
	for (int i = 0; i < options->ncovariates; i++)
		for (int j = 0; j < part->ncovariates; j++)
			if (strcmp(clv_fit_covariate(options, i), part->covariate[j]) == 0)
			{
				options->start_effect[i] = part->effect[j];
				options->start_effect[options->ncovariates + i] =
					part->effect[part->ncovariates + j];
			}
}

/* The parameters of a model, to begin with. The time unit must be known by now. */
static void
SetStart(ClvFitOptions *options, ClvPackedModel *model)
{
	ClvModel	fitted;

	clv_model_unpack(model, &fitted);
	if (fitted.purchase.family != NULL)
	{
		if (fitted.unit_days != clv_interval_days(&options->time_unit))
			BadOption(errmsg("start counts time in %s, but time_unit is %s",
							 clv_interval_text(&fitted.time_unit),
							 clv_interval_text(&options->time_unit)),
					  errhint("Say time_unit => '%s', or leave out start.",
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

PG_FUNCTION_INFO_V1(clv_options);

/*
 * clv_options(model text, spend text, time_unit interval, as_of date, spend_basis text,
 * penalty float8, start clv_model, max_iterations int, covariates text[],
 * shape_penalty float8, k int, grace interval, clamp bool, correlation bool, periods text) ->
 * jsonb.
 * NULL: not given.
 */
Datum
clv_options(PG_FUNCTION_ARGS)
{
	ClvFitOptions options;
	StringInfoData out;

	InitOptions(&options);
	if (!PG_ARGISNULL(0))
		SetFamily(options.model, text_to_cstring(PG_GETARG_TEXT_PP(0)), CLV_TRANSACTION,
				  CLV_MODEL_AUTO);
	if (!PG_ARGISNULL(1))
		SetFamily(options.spend, text_to_cstring(PG_GETARG_TEXT_PP(1)), CLV_SPEND,
				  CLV_SPEND_NONE);
	if (!PG_ARGISNULL(2))
		options.time_unit = *PG_GETARG_INTERVAL_P(2);
	CheckUnit(&options.time_unit);
	if (!PG_ARGISNULL(3))
	{
		options.as_of = PG_GETARG_DATEADT(3);
		clv_check_date("as_of", options.as_of);
	}
	if (!PG_ARGISNULL(4))
		options.spend_basis = clv_spend_basis(PG_GETARG_TEXT_PP(4));
	if (!PG_ARGISNULL(5))
		options.penalty = PG_GETARG_FLOAT8(5) + 0.0;
	CheckPenalty("penalty", options.penalty);
	if (!PG_ARGISNULL(8))
		SetCovariates(&options, PG_GETARG_ARRAYTYPE_P(8));
	if (!PG_ARGISNULL(9))
		options.shape_penalty = PG_GETARG_FLOAT8(9) + 0.0;
	CheckPenalty("shape_penalty", options.shape_penalty);
	if (!PG_ARGISNULL(10))
	{
		CheckK(PG_GETARG_INT32(10));
		options.k = PG_GETARG_INT32(10);
	}
	if (!PG_ARGISNULL(11))
		options.grace = *PG_GETARG_INTERVAL_P(11);
	CheckGrace(&options.grace);
	if (!PG_ARGISNULL(12) && !PG_GETARG_BOOL(12))
		SetUnclamped(&options);
	if (!PG_ARGISNULL(13) && PG_GETARG_BOOL(13))
		SetCorrelated(&options);
	if (!PG_ARGISNULL(14))
		options.periods = clv_periods_of(text_to_cstring(PG_GETARG_TEXT_PP(14)));
	if (!PG_ARGISNULL(6))
		SetStart(&options, PG_GETARG_CLV_MODEL_P(6));
	CheckTogether(&options);
	if (!PG_ARGISNULL(7))
	{
		options.max_iterations = PG_GETARG_INT32(7);
		CheckIterations(options.max_iterations);
	}

	initStringInfo(&out);
	clv_fit_options_text(&out, &options);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}
