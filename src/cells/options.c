/*
 * options.c
 *		The options of a fit: clv_options(), and the JSON it returns.
 *
 * The function validates what it is given and returns plain JSON, so that options
 * can be stored beside a model, and written by hand. Whoever receives them checks
 * them again, key by key.
 *
 * The table below is the list of the options. Reading them, checking them, writing them
 * as text and as bytes, and comparing them follow from it: a new option is a field of
 * ClvFitOptions, a line here, an argument of clv_options() in fit.sql, and what the fit
 * makes of it.
 */
#include "cells/cells.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/arguments.h"
#include "common/json.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "model/model.h"
#include "model/model_json.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"

#define DEFAULT_SPEND "gamma/gamma"

#define MAX_ITERATIONS 100000

StaticAssertDecl(CLV_MAX_PARAMS <= CLV_START_PARAMS, "a start must have room for every parameter");
StaticAssertDecl(sizeof(ClvFitOptions) == 4 * CLV_NAME_SIZE + 2 * 8 * CLV_START_PARAMS +
					 8 * CLV_MAX_EFFECTS + CLV_COVARIATES_SIZE + 72,
				 "options are compared byte by byte and must have no holes");

#define BadOption(...) \
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), __VA_ARGS__))

/* ---- the table ---- */

/* What an option is: in JSON, as an argument of clv_options(), and as a field of ClvFitOptions. */
typedef enum OptionKind
{
	OPTION_FAMILY,				/* string, text, char[CLV_NAME_SIZE] */
	OPTION_CHOICE,				/* string, text, int32: one of some words; 0 is the default */
	OPTION_INTERVAL,			/* string, interval, Interval; all zero: not given */
	OPTION_DAY,					/* string, date, DateADT; DATEVAL_NOEND: not given */
	OPTION_NUMBER,				/* number, float8, double, not negative; 0 is the default */
	OPTION_COUNT,				/* number, int4, int32 from 1 on; 0: not given */
	OPTION_NAMES,				/* array of strings, text[]; the covariates */
	OPTION_EFFECTS,				/* array of numbers, no argument; of these covariates */
	OPTION_START,				/* object, clv_model; a model to start from */
	OPTION_SWITCH				/* boolean, bool, no field: stands for another family */
} OptionKind;

typedef struct Option
{
	const char *name;
	OptionKind	kind;
	int			offset;			/* of the field */
	bool		always;			/* written even where it is the default */
	bool		counted;		/* cells are counted with it, and fitted with no other */
	ClvProcess	process;		/* of a family: what it models, */
	const char *other;			/* and what may stand in its place */
	int32		(*choose) (const char *word);	/* of a choice: from its word, or an error */
	const char *(*word) (int32 choice);
	int32		most;			/* of a count, and of a choice, the largest */
	bool		may_be_none;	/* of an interval: it may be of no length */
	bool		when;			/* of a switch: the value that stands for another family, */
	void		(*change) (ClvFitOptions *options);	/* which this puts in its place */
} Option;

static int32 BasisOfWord(const char *word);
static const char *WordOfBasis(int32 basis);
static int32 PeriodsOfWord(const char *word);
static const char *WordOfPeriods(int32 periods);
static void SetUnclamped(ClvFitOptions *options);
static void SetCorrelated(ClvFitOptions *options);

#define FIELD(name) .offset = offsetof(ClvFitOptions, name)

/* In the order of the arguments of clv_options(), of which start_effects is none. */
static const Option option_table[] = {
	{"model", OPTION_FAMILY, FIELD(model), .always = true, .process = CLV_TRANSACTION, .other = CLV_MODEL_AUTO},
	{"spend", OPTION_FAMILY, FIELD(spend), .always = true, .process = CLV_SPEND, .other = CLV_SPEND_NONE},
	{"time_unit", OPTION_INTERVAL, FIELD(time_unit), .always = true, .counted = true},
	{"as_of", OPTION_DAY, FIELD(as_of), .counted = true},
	{"spend_basis", OPTION_CHOICE, FIELD(spend_basis), .always = true, .counted = true,
		.choose = BasisOfWord, .word = WordOfBasis, .most = CLV_SPEND_ALL},
	{"penalty", OPTION_NUMBER, FIELD(penalty)},
	{"start", OPTION_START, FIELD(start_model)},
	{"max_iterations", OPTION_COUNT, FIELD(max_iterations), .most = MAX_ITERATIONS},
	{"covariates", OPTION_NAMES, FIELD(covariates), .counted = true},
	{"shape_penalty", OPTION_NUMBER, FIELD(shape_penalty)},
	{"k", OPTION_COUNT, FIELD(k), .most = CLV_MAX_K},
	{"grace", OPTION_INTERVAL, FIELD(grace), .counted = true, .may_be_none = true},
	{"clamp", OPTION_SWITCH, .when = false, .change = SetUnclamped},
	{"correlation", OPTION_SWITCH, .when = true, .change = SetCorrelated},
	{"periods", OPTION_CHOICE, FIELD(periods), .counted = true,
		.choose = PeriodsOfWord, .word = WordOfPeriods, .most = CLV_PERIODS_CALENDAR},
	{"start_effects", OPTION_EFFECTS, FIELD(start_effect)},
};

#define OPTIONS ((int) lengthof(option_table))
#define BIT(option) ((uint32) 1 << ((option) - option_table))

StaticAssertDecl(lengthof(option_table) <= 32, "a bit stands for each option");

/* The option of that name; NULL: there is none. */
static const Option *
FindOption(const char *name)
{
	for (int i = 0; i < OPTIONS; i++)
		if (strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	return NULL;
}

/* "model, spend and k" */
static char *
OptionList(void)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < OPTIONS; i++)
		appendStringInfo(&list, "%s%s", i == 0 ? "" : i == OPTIONS - 1 ? " and " : ", ",
						 option_table[i].name);
	return list.data;
}

/* The field of an option, of the type that its kind says. */
static inline void *
Field(const Option *option, const ClvFitOptions *options)
{
	return (char *) options + option->offset;
}

static int32
BasisOfWord(const char *word)
{
	return clv_spend_basis(word);
}

static const char *
WordOfBasis(int32 basis)
{
	return clv_spend_basis_name((ClvSpendBasis) basis);
}

static int32
PeriodsOfWord(const char *word)
{
	return clv_periods_of(word);
}

static const char *
WordOfPeriods(int32 periods)
{
	return clv_periods_name((ClvPeriodsOf) periods);
}

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

/* An error unless the option may have this value: of numbers, finite and not negative; of counts, whole. */
static void
CheckNumber(const Option *option, double value)
{
	if (option->kind == OPTION_NUMBER && !(isfinite(value) && value >= 0))
		BadOption(errmsg("%s must be finite and not negative: %s", option->name, clv_number_text(value)));
	if (option->kind == OPTION_COUNT && !(value >= 1 && value <= option->most && value == floor(value)))
		BadOption(errmsg("%s must be a whole number between 1 and %d: %s", option->name, option->most,
						 clv_number_text(value)));
}

static void
CheckInterval(const Option *option, const Interval *interval)
{
	(void) clv_span_days(option->name, interval);
	(void) clv_period_days(option->name, interval, option->may_be_none);
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
SetText(const Option *option, ClvFitOptions *options, const char *text)
{
	if (option->kind == OPTION_FAMILY)
		SetFamily(Field(option, options), text, option->process, option->other);
	else
		*(int32 *) Field(option, options) = option->choose(text);
}

static void
SetInterval(const Option *option, ClvFitOptions *options, const Interval *interval)
{
	CheckInterval(option, interval);
	*(Interval *) Field(option, options) = *interval;
}

static void
SetDay(const Option *option, ClvFitOptions *options, DateADT day)
{
	clv_check_date(option->name, day);
	*(DateADT *) Field(option, options) = day;
}

/* Set a number or a count. */
static void
SetNumber(const Option *option, ClvFitOptions *options, double value)
{
	CheckNumber(option, value);
	if (option->kind == OPTION_NUMBER)
		*(double *) Field(option, options) = value + 0.0;	/* no negative zero */
	else
		*(int32 *) Field(option, options) = (int32) value;
}

/* A switch is thrown when all the options are known. */
static void
SetSwitch(const Option *option, ClvParsedOptions *parsed, bool value)
{
	if (value == option->when)
		parsed->switched |= BIT(option);
}

static void
InitOptions(ClvParsedOptions *parsed)
{
	ClvFitOptions *options = &parsed->options;

	memset(parsed, 0, sizeof(*parsed));
	strlcpy(options->model, CLV_MODEL_DEFAULT, CLV_NAME_SIZE);
	strlcpy(options->spend, DEFAULT_SPEND, CLV_NAME_SIZE);
	options->time_unit.day = 7;
	options->as_of = DATEVAL_NOEND;
	options->spend_basis = CLV_SPEND_REPEAT;
}

/* When all the options are known: throw the switches, check what belongs together. */
static void
FinishOptions(ClvParsedOptions *parsed)
{
	ClvFitOptions *options = &parsed->options;

	for (int i = 0; i < OPTIONS; i++)
		if (parsed->switched & BIT(&option_table[i]))
			option_table[i].change(options);
	CheckTogether(options);
	for (int i = 2 * options->ncovariates; i < CLV_MAX_EFFECTS; i++)
		if (options->start_effect[i] != 0)
			BadOption(errmsg("\"start_effects\" has more numbers than there are effects"));
}

bool
clv_fit_option_given(const ClvParsedOptions *parsed, const char *name)
{
	return (parsed->given & BIT(FindOption(name))) != 0;
}

/* ---- from JSON ---- */

static void
ReadNames(const ClvMember *member, ClvFitOptions *options)
{
	static const char what[] = "an array of names";
	JsonbContainer *array = clv_json_array(member, what);

	for (int i = 0; i < (int) JsonContainerSize(array); i++)
		AddCovariate(options, clv_json_string_at(member, array, i, what));
}

static void
ReadEffects(const ClvMember *member, ClvFitOptions *options)
{
	static const char what[] = "an array of numbers";
	JsonbContainer *array = clv_json_array(member, what);

	if (JsonContainerSize(array) > CLV_MAX_EFFECTS)
		clv_json_wrong(member, psprintf("an array of at most %d numbers", CLV_MAX_EFFECTS));
	for (int i = 0; i < (int) JsonContainerSize(array); i++)
		options->start_effect[i] = clv_json_number_at(member, array, i, what) + 0.0;
}

/* One family of a start: {"r": 0.24, ...} */
static void
ReadStartPart(const ClvMember *member, ClvFitOptions *options)
{
	const ClvFamily *family = clv_family(member->key);
	bool		spend = family != NULL && family->process == CLV_SPEND;
	char	   *name = spend ? options->start_spend : options->start_model;
	double	   *param = spend ? options->start_spend_param : options->start_model_param;

	if (family == NULL)
		BadOption(errmsg("unknown family in start: \"%s\"", member->key),
				  errdetail("Known are %s, %s.", FamilyList(CLV_TRANSACTION),
							FamilyList(CLV_SPEND)));
	if (name[0] != '\0')
		BadOption(errmsg("start names two families of the same process"));
	clv_model_parameters_from_json(clv_json_container(member, "an object of its parameters"), family,
								   param);
	clv_model_check_parameters(family, param);
	strlcpy(name, family->name, CLV_NAME_SIZE);
}

static void
ReadStart(const ClvMember *member, ClvFitOptions *options)
{
	ClvMember	part;

	if (member->value.type != jbvBinary || !JsonContainerIsObject(member->value.val.binary.data))
		BadOption(errmsg("option \"start\" must be an object of families"),
				  errhint("Let clv_options(start => model) write it."));
	clv_json_open(&part, member->value.val.binary.data, "a start");
	while (clv_json_next(&part))
		ReadStartPart(&part, options);
}

static void
ReadMember(const Option *option, const ClvMember *member, ClvParsedOptions *parsed)
{
	ClvFitOptions *options = &parsed->options;
	Interval	interval;

	switch (option->kind)
	{
		case OPTION_FAMILY:
		case OPTION_CHOICE:
			SetText(option, options, clv_json_string(member));
			break;
		case OPTION_INTERVAL:
			interval = clv_json_interval(member);
			SetInterval(option, options, &interval);
			break;
		case OPTION_DAY:
			SetDay(option, options, clv_json_date(member));
			break;
		case OPTION_NUMBER:
		case OPTION_COUNT:
			SetNumber(option, options, clv_json_number(member));
			break;
		case OPTION_NAMES:
			ReadNames(member, options);
			break;
		case OPTION_EFFECTS:
			ReadEffects(member, options);
			break;
		case OPTION_START:
			ReadStart(member, options);
			break;
		case OPTION_SWITCH:
			SetSwitch(option, parsed, clv_json_bool(member));
			break;
	}
	parsed->given |= BIT(option);
}

void
clv_fit_options_parse(Jsonb *json, ClvParsedOptions *parsed)
{
	ClvMember	member;

	InitOptions(parsed);
	if (json == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(json))
		BadOption(errmsg("the options of a fit must be a JSON object"),
				  errhint("Let clv_options() write them."));
	clv_json_open(&member, &json->root, "the options of a fit");
	while (clv_json_next(&member))
	{
		const Option *option = FindOption(member.key);

		if (option == NULL && !clv_json_is_null(&member))
			BadOption(errmsg("unknown option: \"%s\"", member.key),
					  errdetail("Known are %s.", OptionList()),
					  errhint("Let clv_options() write the options."));
		if (!clv_json_is_null(&member)) /* as an argument of clv_options: not given */
			ReadMember(option, &member, parsed);
	}
	FinishOptions(parsed);
}

/* ---- to JSON ---- */

static bool
IsZero(const void *bytes, Size size)
{
	for (Size i = 0; i < size; i++)
		if (((const char *) bytes)[i] != 0)
			return false;
	return true;
}

static bool
IsDefault(const Option *option, const ClvFitOptions *options)
{
	const void *field = Field(option, options);

	switch (option->kind)
	{
		case OPTION_FAMILY:
			return false;
		case OPTION_CHOICE:
		case OPTION_COUNT:
			return *(const int32 *) field == 0;
		case OPTION_INTERVAL:
			return IsZero(field, sizeof(Interval));
		case OPTION_DAY:
			return *(const DateADT *) field == DATEVAL_NOEND;
		case OPTION_NUMBER:
			return *(const double *) field == 0;
		case OPTION_NAMES:
			return options->ncovariates == 0;
		case OPTION_EFFECTS:
			return IsZero(field, sizeof(options->start_effect));
		case OPTION_START:
			return options->start_model[0] == '\0' && options->start_spend[0] == '\0';
		case OPTION_SWITCH:
			return true;
	}
	return true;
}

/* The value in words, for messages and for JSON; of the others, which are none, NULL. */
static const char *
ValueText(const Option *option, const ClvFitOptions *options)
{
	const void *field = Field(option, options);

	switch (option->kind)
	{
		case OPTION_FAMILY:
			return field;
		case OPTION_CHOICE:
			return option->word(*(const int32 *) field);
		case OPTION_INTERVAL:
			return clv_interval_text(field);
		case OPTION_DAY:
			return IsDefault(option, options) ? "none"
											  : clv_date_text(*(const DateADT *) field,
															  palloc(MAXDATELEN + 1));
		case OPTION_NUMBER:
			return clv_number_text(*(const double *) field);
		case OPTION_COUNT:
			return psprintf("%d", *(const int32 *) field);
		case OPTION_NAMES:
			return clv_fit_covariate_list(options);
		default:
			return NULL;
	}
}

static void
WriteNames(StringInfo out, const ClvFitOptions *options)
{
	appendStringInfoChar(out, '[');
	for (int i = 0; i < options->ncovariates; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, clv_fit_covariate(options, i));
	}
	appendStringInfoChar(out, ']');
}

static void
WriteEffects(StringInfo out, const ClvFitOptions *options)
{
	appendStringInfoChar(out, '[');
	for (int i = 0; i < 2 * options->ncovariates; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		clv_append_double(out, options->start_effect[i]);
	}
	appendStringInfoChar(out, ']');
}

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
WriteStart(StringInfo out, const ClvFitOptions *options)
{
	bool		first = true;

	appendStringInfoChar(out, '{');
	StartText(out, options->start_model, options->start_model_param, &first);
	StartText(out, options->start_spend, options->start_spend_param, &first);
	appendStringInfoChar(out, '}');
}

static void
WriteValue(StringInfo out, const Option *option, const ClvFitOptions *options)
{
	switch (option->kind)
	{
		case OPTION_FAMILY:
		case OPTION_CHOICE:
		case OPTION_INTERVAL:
		case OPTION_DAY:
			appendStringInfo(out, "\"%s\"", ValueText(option, options));
			break;
		case OPTION_NUMBER:
		case OPTION_COUNT:
			appendStringInfoString(out, ValueText(option, options));
			break;
		case OPTION_NAMES:
			WriteNames(out, options);
			break;
		case OPTION_EFFECTS:
			WriteEffects(out, options);
			break;
		case OPTION_START:
			WriteStart(out, options);
			break;
		case OPTION_SWITCH:
			break;
	}
}

void
clv_fit_options_text(StringInfo out, const ClvFitOptions *options)
{
	const char *separator = "{";

	for (int i = 0; i < OPTIONS; i++)
	{
		const Option *option = &option_table[i];

		if (!option->always && IsDefault(option, options))
			continue;
		appendStringInfo(out, "%s\"%s\": ", separator, option->name);
		WriteValue(out, option, options);
		separator = ", ";
	}
	appendStringInfoChar(out, '}');
}

/* ---- options beside options ---- */

/* Whether both have the same value of an option that cells are counted with. */
static bool
IsSame(const Option *option, const ClvFitOptions *a, const ClvFitOptions *b)
{
	const void *one = Field(option, a);
	const void *other = Field(option, b);

	switch (option->kind)
	{
		case OPTION_INTERVAL:
			return memcmp(one, other, sizeof(Interval)) == 0;
		case OPTION_NAMES:
			return memcmp(one, other, CLV_COVARIATES_SIZE) == 0;
		default:
			return *(const int32 *) one == *(const int32 *) other;
	}
}

const char *
clv_fit_options_differ(const ClvFitOptions *a, const ClvFitOptions *b, const char **one,
					   const char **other)
{
	for (int i = 0; i < OPTIONS; i++)
	{
		const Option *option = &option_table[i];

		if (!option->counted || IsSame(option, a, b))
			continue;
		*one = ValueText(option, a);
		*other = ValueText(option, b);
		return option->name;
	}
	return NULL;
}

void
clv_fit_options_inherit(const ClvParsedOptions *given, const ClvFitOptions *own,
						ClvFitOptions *result)
{
	*result = given->options;
	for (int i = 0; i < OPTIONS; i++)
	{
		const Option *option = &option_table[i];
		void	   *field = Field(option, result);

		if (!option->counted || (given->given & BIT(option)))
			continue;
		if (option->kind == OPTION_INTERVAL)
			*(Interval *) field = *(const Interval *) Field(option, own);
		else if (option->kind != OPTION_NAMES)
			*(int32 *) field = *(const int32 *) Field(option, own);
		else
		{
			result->ncovariates = own->ncovariates;
			memcpy(field, own->covariates, CLV_COVARIATES_SIZE);
		}
	}
}

/* ---- stored options, and options on the wire ---- */

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
		clv_model_check_parameters(family, param);
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
}

static void
CheckStoredEffects(const ClvFitOptions *options)
{
	for (int i = 0; i < CLV_MAX_EFFECTS; i++)
		if (!isfinite(options->start_effect[i]) || IsNegativeZero(options->start_effect[i]) ||
			(i >= 2 * options->ncovariates && ClvDoubleBits(options->start_effect[i]) != 0))
			BadOption(errmsg("start of an effect in stored options makes no sense: %g",
							 options->start_effect[i]));
}

/* An error unless the field holds what an option can be, in canonical form. */
static void
CheckStored(const Option *option, const ClvFitOptions *options)
{
	const void *field = Field(option, options);
	int32		choice;

	switch (option->kind)
	{
		case OPTION_FAMILY:
			CheckName(field, option->process, option->other);
			break;
		case OPTION_CHOICE:
			choice = *(const int32 *) field;
			if (choice < 0 || choice > option->most)
				BadOption(errmsg("unknown %s in stored options: %d", option->name, choice));
			break;
		case OPTION_INTERVAL:
			CheckInterval(option, field);
			break;
		case OPTION_DAY:
			if (!IsDefault(option, options))
				clv_check_date(option->name, *(const DateADT *) field);
			break;
		case OPTION_NUMBER:
			CheckNumber(option, *(const double *) field);
			if (IsNegativeZero(*(const double *) field))
				BadOption(errmsg("stored options are not in canonical form"));
			break;
		case OPTION_COUNT:
			if (!IsDefault(option, options))
				CheckNumber(option, *(const int32 *) field);
			break;
		case OPTION_NAMES:
			CheckStoredCovariates(options);
			break;
		case OPTION_EFFECTS:
			CheckStoredEffects(options);
			break;
		case OPTION_START:
			CheckStoredStart(options->start_model, options->start_model_param, CLV_TRANSACTION);
			CheckStoredStart(options->start_spend, options->start_spend_param, CLV_SPEND);
			break;
		case OPTION_SWITCH:
			break;
	}
}

void
clv_fit_options_check(const ClvFitOptions *options)
{
	for (int i = 0; i < OPTIONS; i++)
		CheckStored(&option_table[i], options);
	CheckTogether(options);
}

/* Send or receive bytes, integers, numbers: each the same way in both directions. */
static void
MoveBytes(StringInfo wire, bool send, char *bytes, int n)
{
	if (send)
		pq_sendbytes(wire, bytes, n);
	else
		pq_copymsgbytes(wire, bytes, n);
}

static void
MoveInt(StringInfo wire, bool send, int32 *value)
{
	if (send)
		pq_sendint32(wire, *value);
	else
		*value = (int32) pq_getmsgint(wire, 4);
}

static void
MoveNumbers(StringInfo wire, bool send, double *numbers, int n)
{
	for (int i = 0; i < n; i++)
		if (send)
			pq_sendfloat8(wire, numbers[i]);
		else
			numbers[i] = pq_getmsgfloat8(wire);
}

static void
MoveInterval(StringInfo wire, bool send, Interval *interval)
{
	if (send)
		pq_sendint64(wire, interval->time);
	else
		interval->time = pq_getmsgint64(wire);
	MoveInt(wire, send, &interval->day);
	MoveInt(wire, send, &interval->month);
}

static void
MoveNames(StringInfo wire, bool send, ClvFitOptions *options)
{
	MoveInt(wire, send, &options->ncovariates);
	if (options->ncovariates < 0 || options->ncovariates > CLV_MAX_COVARIATES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("binary clv_cells claim %d covariates", options->ncovariates)));
	if (options->ncovariates > 0)
		MoveBytes(wire, send, options->covariates, CLV_COVARIATES_SIZE);
}

static void
MoveStart(StringInfo wire, bool send, ClvFitOptions *options)
{
	MoveBytes(wire, send, options->start_model, CLV_NAME_SIZE);
	MoveBytes(wire, send, options->start_spend, CLV_NAME_SIZE);
	MoveNumbers(wire, send, options->start_model_param, CLV_START_PARAMS);
	MoveNumbers(wire, send, options->start_spend_param, CLV_START_PARAMS);
}

/* The binary form: the options in the order of the table. */
static void
MoveOptions(StringInfo wire, bool send, ClvFitOptions *options)
{
	for (int i = 0; i < OPTIONS; i++)
	{
		void	   *field = Field(&option_table[i], options);

		switch (option_table[i].kind)
		{
			case OPTION_FAMILY:
				MoveBytes(wire, send, field, CLV_NAME_SIZE);
				break;
			case OPTION_CHOICE:
			case OPTION_DAY:
			case OPTION_COUNT:
				MoveInt(wire, send, field);
				break;
			case OPTION_INTERVAL:
				MoveInterval(wire, send, field);
				break;
			case OPTION_NUMBER:
				MoveNumbers(wire, send, field, 1);
				break;
			case OPTION_NAMES:
				MoveNames(wire, send, options);
				break;
			case OPTION_EFFECTS:
				MoveNumbers(wire, send, field, 2 * options->ncovariates);
				break;
			case OPTION_START:
				MoveStart(wire, send, options);
				break;
			case OPTION_SWITCH:
				break;
		}
	}
}

void
clv_fit_options_send(StringInfo out, const ClvFitOptions *options)
{
	ClvFitOptions copy = *options;

	MoveOptions(out, true, &copy);
}

void
clv_fit_options_recv(StringInfo in, ClvFitOptions *options)
{
	memset(options, 0, sizeof(*options));
	MoveOptions(in, false, options);
	clv_fit_options_check(options);
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

static void
TakeArgument(const Option *option, Datum argument, ClvParsedOptions *parsed)
{
	ClvFitOptions *options = &parsed->options;

	switch (option->kind)
	{
		case OPTION_FAMILY:
		case OPTION_CHOICE:
			SetText(option, options, TextDatumGetCString(argument));
			break;
		case OPTION_INTERVAL:
			SetInterval(option, options, DatumGetIntervalP(argument));
			break;
		case OPTION_DAY:
			SetDay(option, options, DatumGetDateADT(argument));
			break;
		case OPTION_NUMBER:
			SetNumber(option, options, DatumGetFloat8(argument));
			break;
		case OPTION_COUNT:
			SetNumber(option, options, DatumGetInt32(argument));
			break;
		case OPTION_NAMES:
			SetCovariates(options, DatumGetArrayTypeP(argument));
			break;
		case OPTION_SWITCH:
			SetSwitch(option, parsed, DatumGetBool(argument));
			break;
		case OPTION_START:
			SetStart(options, DatumGetClvModelP(argument));
			break;
		case OPTION_EFFECTS:	/* no argument */
			break;
	}
}

/* A start is read last: it must have the time unit and the covariates of the others. */
static void
TakeArguments(FunctionCallInfo fcinfo, bool start, ClvParsedOptions *parsed)
{
	for (int i = 0; i < Min(PG_NARGS(), OPTIONS); i++)
		if (!PG_ARGISNULL(i) && (option_table[i].kind == OPTION_START) == start)
			TakeArgument(&option_table[i], PG_GETARG_DATUM(i), parsed);
}

PG_FUNCTION_INFO_V1(clv_options);

/* clv_options(model text, spend text, ...) -> jsonb: the options of the table, in its order; NULL: not given */
Datum
clv_options(PG_FUNCTION_ARGS)
{
	ClvParsedOptions parsed;
	StringInfoData out;

	InitOptions(&parsed);
	TakeArguments(fcinfo, false, &parsed);
	TakeArguments(fcinfo, true, &parsed);
	FinishOptions(&parsed);
	initStringInfo(&out);
	clv_fit_options_text(&out, &parsed.options);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}
