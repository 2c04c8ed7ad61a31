/*
 * options.c
 *		The options of a fit, and how they are read from JSON.
 *
 * clv_options() (options_arguments.c) validates what it is given and returns plain JSON, so that
 * options can be stored beside a model, and written by hand. Where they are used, they are
 * checked again, key by key.
 *
 * The table below is the list of the options. Reading them, checking them, writing them
 * as text and as bytes, and comparing them (options_forms.c) follow from it: a new option
 * is a field of ClvFitOptions, a line here, an argument of clv_options() in options.sql, and
 * what the fit makes of it.
 */
#include "cells/options_private.h"

#include <math.h>

#include "common/arguments.h"
#include "common/json.h"
#include "families/clocks.h"
#include "model/model.h"
#include "model/model_json.h"
#include "utils/builtins.h"

#define DEFAULT_SPEND "gamma/gamma"

#define MAX_ITERATIONS 100000

StaticAssertDecl(CLV_MAX_PARAMS <= CLV_START_PARAMS, "a start must have room for every parameter");
StaticAssertDecl(sizeof(ClvFitOptions) == 4 * CLV_NAME_SIZE + 2 * 8 * CLV_START_PARAMS +
											  8 * (CLV_MAX_EFFECTS + CLV_MAX_COVARIATES) +
											  2 * CLV_COVARIATES_SIZE + sizeof(ClvFitPrior) + 136,
				 "options are compared byte by byte and must have no holes");
StaticAssertDecl(sizeof(ClvPriorPart) == CLV_NAME_SIZE + 8 * 27 &&
					 sizeof(ClvFitPrior) == 2 * sizeof(ClvPriorPart) + 16 * CLV_PRIOR_EFFECTS +
												CLV_COVARIATES_SIZE + 8,
				 "so is a prior");

/* ---- the table ---- */

static int32 BasisOfWord(const char *word);
static const char *WordOfBasis(int32 basis);
static int32 PeriodsOfWord(const char *word);
static const char *WordOfPeriods(int32 periods);
static int32 TooFewOfWord(const char *word);
static const char *WordOfTooFew(int32 too_few);
static int32 ShockOfWord(const char *word);
static const char *WordOfShock(int32 shock);
static void SetUnclamped(ClvFitOptions *options);
static void SetCorrelated(ClvFitOptions *options);

#define FIELD(name) .offset = offsetof(ClvFitOptions, name)
#define COUNT(name) .count = offsetof(ClvFitOptions, name)

/* In the order of the arguments of clv_options(), of which the last two are none. */
const ClvOption clv_option_table[] = {
	{"model", CLV_OPTION_FAMILY, FIELD(model), .always = true, .process = CLV_TRANSACTION,
	 .other = CLV_MODEL_AUTO},
	{"spend", CLV_OPTION_FAMILY, FIELD(spend), .always = true, .process = CLV_SPEND,
	 .other = CLV_SPEND_NONE},
	{"time_unit", CLV_OPTION_INTERVAL, FIELD(time_unit), .always = true, .counted = true},
	{"as_of", CLV_OPTION_DAY, FIELD(as_of), .counted = true},
	{"spend_basis", CLV_OPTION_CHOICE, FIELD(spend_basis), .always = true, .counted = true,
	 .choose = BasisOfWord, .word = WordOfBasis, .most = CLV_SPEND_ALL},
	{"penalty", CLV_OPTION_NUMBER, FIELD(penalty)},
	{"start", CLV_OPTION_START, FIELD(start_model)},
	{"max_iterations", CLV_OPTION_COUNT, FIELD(max_iterations), .most = MAX_ITERATIONS},
	{"covariates", CLV_OPTION_NAMES, FIELD(covariates), .counted = true, COUNT(ncovariates)},
	{"shape_penalty", CLV_OPTION_NUMBER, FIELD(shape_penalty)},
	{"k", CLV_OPTION_COUNT, FIELD(k), .most = CLV_MAX_K},
	{"grace", CLV_OPTION_INTERVAL, FIELD(grace), .counted = true, .may_be_none = true},
	{"clamp", CLV_OPTION_SWITCH, .when = false, .change = SetUnclamped},
	{"correlation", CLV_OPTION_SWITCH, .when = true, .change = SetCorrelated},
	{"periods", CLV_OPTION_CHOICE, FIELD(periods), .counted = true, .choose = PeriodsOfWord,
	 .word = WordOfPeriods, .most = CLV_PERIODS_CALENDAR},
	{"too_few", CLV_OPTION_CHOICE, FIELD(too_few), .choose = TooFewOfWord, .word = WordOfTooFew,
	 .most = CLV_TOO_FEW_NULL},
	{"calendar", CLV_OPTION_CALENDAR, FIELD(calendar)},
	{"purchase_covariates", CLV_OPTION_ACTING, FIELD(idle_purchase), .most = 0},
	{"churn_covariates", CLV_OPTION_ACTING, FIELD(idle_churn), .most = 1},
	{"season", CLV_OPTION_CHOICE, FIELD(season), .choose = clv_season_of_word,
	 .word = clv_word_of_season, .plain = true, .most = CLV_SEASON_AUTO},
	{"trend", CLV_OPTION_CHOICE, FIELD(trend), .choose = clv_trend_of_word,
	 .word = clv_word_of_trend, .plain = true, .most = CLV_TREND_AUTO},
	{"same_effects", CLV_OPTION_ACTING, FIELD(same_effects), .most = 2, .named = true},
	{"churn_penalty", CLV_OPTION_NUMBER, FIELD(churn_penalty), .absent = CLV_AS_PENALTY},
	{"prior", CLV_OPTION_PRIOR, FIELD(prior)},
	{"profile", CLV_OPTION_NUMBER, FIELD(profile)},
	{"spend_covariates", CLV_OPTION_ACTING, FIELD(acts_on_spend), .most = 3, .named = true,
	 .own = true},
	{"path_covariates", CLV_OPTION_NAMES, FIELD(path), .counted = true, COUNT(npath)},
	{"shock", CLV_OPTION_CHOICE, FIELD(shock), .choose = ShockOfWord, .word = WordOfShock,
	 .plain = true, .most = CLV_SHOCK_NEVER},
	{"start_effects", CLV_OPTION_VECTOR, FIELD(start_effect), .most = 2},
	{"start_centre", CLV_OPTION_VECTOR, FIELD(start_centre), .most = 1},
};

const int clv_option_count = lengthof(clv_option_table);

StaticAssertDecl(lengthof(clv_option_table) <= CLV_MOST_OPTIONS, "a bit stands for each option");

/* The option of that name; NULL: there is none. */
static const ClvOption *
FindOption(const char *name)
{
	for (int i = 0; i < clv_option_count; i++)
		if (strcmp(clv_option_table[i].name, name) == 0)
			return &clv_option_table[i];
	return NULL;
}

/* "model, spend and k" */
static char *
OptionList(void)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < clv_option_count; i++)
		appendStringInfo(&list, "%s%s",
						 i == 0                      ? ""
						 : i == clv_option_count - 1 ? " and "
													 : ", ",
						 clv_option_table[i].name);
	return list.data;
}

/* The spend basis of that name; an error where it is unknown. */
static int32
BasisOfWord(const char *word)
{
	return clv_spend_basis(word);
}

/* The name of a spend basis. */
static const char *
WordOfBasis(int32 basis)
{
	return clv_spend_basis_name((ClvSpendBasis) basis);
}

/* The periods of that name; an error where they are unknown. */
static int32
PeriodsOfWord(const char *word)
{
	return clv_periods_of(word);
}

/* The name of periods. */
static const char *
WordOfPeriods(int32 periods)
{
	return clv_periods_name((ClvPeriodsOf) periods);
}

/* The choice of too_few by its name; an error where it is unknown. */
static int32
TooFewOfWord(const char *word)
{
	if (strcmp(word, "null") == 0)
		return CLV_TOO_FEW_NULL;
	if (strcmp(word, "error") != 0)
		ClvBadOption(errmsg("too_few must be 'error' or 'null': \"%s\"", word));
	return CLV_TOO_FEW_ERROR;
}

/* The name of what too few customers give. */
static const char *
WordOfTooFew(int32 too_few)
{
	return too_few == CLV_TOO_FEW_NULL ? "null" : "error";
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
void
clv_option_set_family(char *field, const char *name, ClvProcess process, const char *other)
{
	const ClvFamily *family = clv_family(name);

	if (strcmp(name, other) != 0 && (family == NULL || family->process != process))
	{
		const char *what = process == CLV_SPEND ? "spend" : "model";

		ClvBadOption(family == NULL ? errmsg("unknown %s: \"%s\"", what, name)
									: errmsg("\"%s\" does not model %s", name,
											 process == CLV_SPEND ? "spend" : "purchases"),
					 errdetail("Known are %s and \"%s\".", FamilyList(process), other),
					 family == NULL ? 0
									: errhint("Use %s => '%s'.",
											  process == CLV_SPEND ? "model" : "spend", name));
	}
	Assert(strlen(name) < CLV_NAME_SIZE);
	memset(field, 0, CLV_NAME_SIZE);
	strlcpy(field, name, CLV_NAME_SIZE);
}

/* An error unless the option may have this value: of numbers, finite and not negative; of counts,
 * whole. */
void
clv_option_check_number(const ClvOption *option, double value)
{
	if (option->kind == CLV_OPTION_NUMBER && !(isfinite(value) && value >= 0))
		ClvBadOption(
			errmsg("%s must be finite and not negative: %s", option->name, clv_number_text(value)));
	if (option->kind == CLV_OPTION_COUNT &&
		!(value >= 1 && value <= option->most && value == floor(value)))
		ClvBadOption(errmsg("%s must be a whole number between 1 and %d: %s", option->name,
							option->most, clv_number_text(value)));
}

void
clv_option_check_interval(const ClvOption *option, const Interval *interval)
{
	(void) clv_span_days(option->name, interval);
	(void) clv_period_days(option->name, interval, option->may_be_none);
}

/* An error unless the start is of the family to fit, or of one that it contains. */
static void
CheckStartFamily(const ClvFitOptions *options)
{
	if (options->start_model[0] != '\0' && strcmp(options->model, CLV_MODEL_AUTO) != 0 &&
		!clv_fit_starts(options, clv_fit_family(options)))
		ClvBadOption(errmsg("start is a \"%s\" model, but the model to fit is \"%s\"",
							options->start_model, options->model),
					 errhint("Use model => '%s', or leave out start.", options->start_model));
	if (options->start_spend[0] != '\0' && strcmp(options->spend, CLV_SPEND_NONE) != 0 &&
		strcmp(options->start_spend, options->spend) != 0)
		ClvBadOption(errmsg("start is a \"%s\" model, but the spend model to fit is \"%s\"",
							options->start_spend, options->spend),
					 errhint("Use spend => '%s', or leave out start.", options->start_spend));
}

/* An error unless the prior is about the families to fit. */
static void
CheckPrior(const ClvFitOptions *options)
{
	const char *purchase = options->prior.purchase.family;
	const char *spend = options->prior.spend.family;

	if (purchase[0] != '\0' && strcmp(purchase, options->model) != 0)
		ClvBadOption(errmsg("prior is about \"%s\", but the model to fit is \"%s\"", purchase,
							options->model),
					 errhint("Use model => '%s', or leave out prior.", purchase));
	if (spend[0] != '\0' && strcmp(options->spend, CLV_SPEND_NONE) != 0 &&
		strcmp(spend, options->spend) != 0)
		ClvBadOption(errmsg("prior is about \"%s\", but the spend model to fit is \"%s\"", spend,
							options->spend),
					 errhint("Use spend => '%s', or leave out prior.", spend));
}

/*
 * An error where a covariate is to have the same effect on both processes, and one of them is not
 * moved by it.
 */
static void
CheckSame(const ClvFitOptions *options)
{
	const ClvFamily *family = clv_fit_family(options);
	uint32 own = ((uint32) 1 << options->ncovariates) - 1;
	uint32 same = (uint32) options->same_effects;
	uint32 still = (uint32) (options->idle_purchase | options->idle_churn);

	if (same == 0)
		return;
	if (!clv_model_takes_effect(family, true))
		still |= own;
	if (family->clocked == NULL || family->clocked->law == NULL)
		still |= ~own;
	if ((same & still) != 0)
		ClvBadOption(
			errmsg("a covariate in same_effects does not act on both processes"),
			errdetail("The model is \"%s\".", options->model),
			errhint("Leave it out of same_effects, or let it act on purchases and churn."));
}

/* An error unless the covariates that act on spend are those of customers, and there is a spend
 * model. */
static void
CheckSpend(const ClvFitOptions *options)
{
	if (options->acts_on_spend == 0)
		return;
	if (options->acts_on_spend >> options->ncovariates != 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("covariates of the calendar have no effect on spend"),
						errdetail("A fit knows the mean of what each customer spends, not what was "
								  "spent on which day."),
						errhint("Name covariates of customers in spend_covariates.")));
	if (strcmp(options->spend, CLV_SPEND_NONE) == 0)
		ClvBadOption(errmsg("spend_covariates need a spend model"),
					 errhint("Use spend => 'gamma/gamma', or leave out spend_covariates."));
}

/* Whether the family is another with a correlation of its rates. */
static bool
IsCorrelated(const ClvFamily *family)
{
	return family->core != NULL && family->derived_name != NULL &&
		   strcmp(family->derived_name, "correlation") == 0;
}

/* An error unless covariates of customers act on something. */
static void
CheckCovariates(const ClvFitOptions *options, const ClvFamily *family)
{
	if (options->ncovariates == 0 || clv_model_takes_effect(family, false) ||
		clv_model_takes_effect(family, true))
		return;
	ClvBadOption(errmsg("covariates are not supported by model \"%s\"", options->model),
				 errdetail("The covariates are %s.", clv_fit_covariate_list(options)),
				 IsCorrelated(family)
					 ? errhint("Give each customer a path that does not change, as third argument: "
							   "clv_calendar(day, ARRAY[...], '{...}') over two days, before all "
							   "purchases and behind the end of predictions.")
					 : 0);
}

/* An error where the common shock cannot be estimated. */
static void
CheckShock(const ClvFitOptions *options, const ClvFamily *family)
{
	if (options->shock != CLV_SHOCK_ALWAYS)
		return;
	if (family->clock != CLV_CONTINUOUS)
		ClvBadOption(errmsg("option \"shock\" is not supported by model \"%s\"", options->model),
					 errhint("Leave out shock, or use a model of continuous time."));
	if (options->npath > 0)
		ClvBadOption(errmsg("option \"shock\" is not supported where customers have paths"),
					 errhint("Leave out shock, or path_covariates."));
}

/* An error unless options that are possible one by one are possible together. */
void
clv_options_check_together(const ClvFitOptions *options)
{
	const ClvFamily *family = clv_fit_family(options);
	ClvCounting counting;

	CheckStartFamily(options);
	CheckPrior(options);
	CheckCovariates(options, family);
	if (options->profile >= 1)
		ClvBadOption(errmsg("profile must be a level between 0 and 1: %s",
							clv_number_text(options->profile)),
					 errhint("Use profile => 0.95 for 95 %% limits."));
	clv_options_check_calendar(options);
	CheckShock(options, family);
	CheckSame(options);
	CheckSpend(options);
	if ((options->penalty > 0 || options->churn_penalty > 0) && options->ncovariates == 0 &&
		!clv_fit_follows(options))
		ClvBadOption(errmsg("option \"%s\" requires covariates",
							options->penalty > 0 ? "penalty" : "churn_penalty"),
					 errhint("Name them: covariates => '{...}'. To penalise the shapes of the "
							 "distributions, use shape_penalty."));
	if (options->k > 0 && !clv_fit_has_k(options))
		ClvBadOption(errmsg("option \"k\" is not supported by model \"%s\"", options->model),
					 errhint("Leave out k, or use model => 'mbg/cnbd-k'."));
	if (family->clock != CLV_RENEWALS && clv_interval_days(&options->grace) != 0)
		ClvBadOption(errmsg("option \"grace\" is not supported by model \"%s\"", options->model),
					 errhint("Leave out grace, or use model => 'sbg' or 'bdw'."));
	if (family->clock == CLV_CONTINUOUS && options->periods != CLV_PERIODS_ANNIVERSARY)
		ClvBadOption(errmsg("option \"periods\" is not supported by model \"%s\"", options->model),
					 errdetail("The time of this model is continuous."),
					 errhint("Leave out periods, or use a model that counts them, such as bg/bb "
							 "or sbg."));
	clv_fit_counting(options, &counting);
}

/* Whether a word says that the shock is to be estimated; an error for other words. */
static int32
ShockOfWord(const char *word)
{
	bool shock;

	if (strcmp(word, "auto") == 0)
		return CLV_SHOCK_AUTO;
	if (!parse_bool(word, &shock))
		ClvBadOption(errmsg("shock must be true, false or 'auto': \"%s\"", word));
	return shock ? CLV_SHOCK_ALWAYS : CLV_SHOCK_NEVER;
}

/* "true", "false" or "auto". */
static const char *
WordOfShock(int32 shock)
{
	return shock == CLV_SHOCK_ALWAYS ? "true" : shock == CLV_SHOCK_NEVER ? "false" : "auto";
}

/* Set the family that does not clamp probabilities. */
static void
SetUnclamped(ClvFitOptions *options)
{
	char *name = psprintf("%s/unclamped", options->model);

	if (clv_fit_clock(options) != CLV_CAMPAIGNS || clv_family(name) == NULL)
		ClvBadOption(errmsg("option \"clamp\" is not supported by model \"%s\"", options->model),
					 errhint("Leave out clamp, or use model => 'rfmtc'."));
	strlcpy(options->model, name, CLV_NAME_SIZE);
}

/* Set the family whose purchase and churn rate are correlated. */
static void
SetCorrelated(ClvFitOptions *options)
{
	const ClvFamily *family = clv_family(options->model);

	if (family != NULL && IsCorrelated(family))
		return;
	for (int i = 0; (family = clv_family_at(i)) != NULL; i++)
		if (IsCorrelated(family) && strcmp(family->core, options->model) == 0)
		{
			strlcpy(options->model, family->name, CLV_NAME_SIZE);
			return;
		}
	ClvBadOption(errmsg("option \"correlation\" is not supported by model \"%s\"", options->model),
				 errhint("Leave out correlation, or use model => 'pareto/nbd'."));
}

void
clv_option_add_name(const ClvOption *option, ClvFitOptions *options, const char *name)
{
	char *names = ClvOptionField(option, options);
	int32 *n = ClvOptionNames(option, options);
	Size used = 0;

	if (name[0] == '\0')
		ClvBadOption(errmsg("a covariate must have a name"));
	if (strlen(name) >= NAMEDATALEN)
		ClvBadOption(errmsg("name of a covariate is too long: \"%s\"", name),
					 errdetail("Names have less than %d bytes.", NAMEDATALEN));
	for (int i = 0; i < *n; i++)
	{
		if (strcmp(names + used, name) == 0)
			ClvBadOption(errmsg("two covariates have the name \"%s\"", name));
		used += strlen(names + used) + 1;
	}
	if (*n == CLV_MAX_COVARIATES)
		ClvBadOption(errmsg("too many covariates"),
					 errdetail("At most %d are possible.", CLV_MAX_COVARIATES));
	if (used + strlen(name) + 1 > CLV_COVARIATES_SIZE)
		ClvBadOption(errmsg("names of covariates are too long together"),
					 errdetail("They have %d bytes, one of them for the end of each name.",
							   CLV_COVARIATES_SIZE));
	memcpy(names + used, name, strlen(name) + 1);
	(*n)++;
}

void
clv_option_set_text(const ClvOption *option, ClvFitOptions *options, const char *text)
{
	if (option->kind == CLV_OPTION_FAMILY)
		clv_option_set_family(ClvOptionField(option, options), text, option->process,
							  option->other);
	else
		*(int32 *) ClvOptionField(option, options) = option->choose(text);
}

void
clv_option_set_interval(const ClvOption *option, ClvFitOptions *options, const Interval *interval)
{
	clv_option_check_interval(option, interval);
	*(Interval *) ClvOptionField(option, options) = *interval;
}

void
clv_option_set_day(const ClvOption *option, ClvFitOptions *options, DateADT day)
{
	clv_check_date(option->name, day);
	*(DateADT *) ClvOptionField(option, options) = day;
}

void
clv_option_set_number(const ClvOption *option, ClvFitOptions *options, double value)
{
	clv_option_check_number(option, value);
	if (option->kind == CLV_OPTION_NUMBER)
		*(double *) ClvOptionField(option, options) = value + 0.0; /* no negative zero */
	else
		*(int32 *) ClvOptionField(option, options) = (int32) value;
}

void
clv_option_set_switch(const ClvOption *option, ClvParsedOptions *parsed, bool value)
{
	if (value == option->when)
		parsed->switched |= ClvOptionBit(option);
}

void
clv_options_init(ClvParsedOptions *parsed)
{
	ClvFitOptions *options = &parsed->options;

	memset(parsed, 0, sizeof(*parsed));
	strlcpy(options->model, CLV_MODEL_DEFAULT, CLV_NAME_SIZE);
	strlcpy(options->spend, DEFAULT_SPEND, CLV_NAME_SIZE);
	options->time_unit.day = 7;
	options->as_of = DATEVAL_NOEND;
	options->spend_basis = CLV_SPEND_REPEAT;
	options->churn_penalty = CLV_AS_PENALTY;
}

/* An error where a vector has more numbers than its covariates. */
static void
CheckLength(const ClvOption *option, const ClvFitOptions *options)
{
	const double *vector = ClvOptionField(option, options);

	for (int i = option->most * options->ncovariates; i < option->most * CLV_MAX_COVARIATES; i++)
		if (vector[i] != 0)
			ClvBadOption(errmsg("\"%s\" has too many numbers", option->name),
						 errdetail("There are %d covariates, with %d each.", options->ncovariates,
								   option->most));
}

void
clv_options_finish(ClvParsedOptions *parsed)
{
	ClvFitOptions *options = &parsed->options;

	for (int i = 0; i < clv_option_count; i++)
		if (parsed->switched & ClvOptionBit(&clv_option_table[i]))
			clv_option_table[i].change(options);
	clv_fit_options_check_names(options, parsed->calendar);
	for (int i = 0; i < clv_option_count; i++)
		if (clv_option_table[i].kind == CLV_OPTION_ACTING &&
			(parsed->given & ClvOptionBit(&clv_option_table[i])))
			clv_options_set_acting(&clv_option_table[i], parsed);
	clv_options_check_together(options);
	for (int i = 0; i < clv_option_count; i++)
		if (clv_option_table[i].kind == CLV_OPTION_VECTOR)
			CheckLength(&clv_option_table[i], options);
}

bool
clv_fit_option_given(const ClvParsedOptions *parsed, const char *name)
{
	return (parsed->given & ClvOptionBit(FindOption(name))) != 0;
}

/* ---- from JSON ---- */

/* Read the names of covariates. */
static void
ReadNames(const ClvOption *option, const ClvMember *member, ClvFitOptions *options)
{
	static const char what[] = "an array of names";
	int n = clv_json_length(member, what);

	for (int i = 0; i < n; i++)
	{
		ClvMember name = clv_json_element(member, i, what);

		clv_option_add_name(option, options, clv_json_string(&name));
	}
}

/* Read the numbers of the covariates. */
static void
ReadVector(const ClvOption *option, const ClvMember *member, ClvFitOptions *options)
{
	static const char what[] = "an array of numbers";
	double *vector = ClvOptionField(option, options);
	int most = option->most * CLV_MAX_COVARIATES;
	int n = clv_json_length(member, what);

	if (n > most)
		clv_json_wrong(member, psprintf("an array of at most %d numbers", most));
	for (int i = 0; i < n; i++)
	{
		ClvMember number = clv_json_element(member, i, what);

		vector[i] = clv_json_number(&number) + 0.0;
	}
}

/* One family of a start: {"r": 0.24, ...} */
static void
ReadStartPart(const ClvMember *member, ClvFitOptions *options)
{
	const ClvFamily *family = clv_family(member->key);
	bool spend = family != NULL && family->process == CLV_SPEND;
	char *name = spend ? options->start_spend : options->start_model;
	double *param = spend ? options->start_spend_param : options->start_model_param;

	if (family == NULL)
		ClvBadOption(
			errmsg("unknown family in start: \"%s\"", member->key),
			errdetail("Known are %s, %s.", FamilyList(CLV_TRANSACTION), FamilyList(CLV_SPEND)));
	if (name[0] != '\0')
		ClvBadOption(errmsg("start names two families of the same process"));
	clv_model_parameters_from_json(clv_json_container(member, "an object of its parameters"),
								   family, param);
	clv_model_check_parameters(family, param);
	strlcpy(name, family->name, CLV_NAME_SIZE);
}

/* Read a start: an object of families. */
static void
ReadStart(const ClvMember *member, ClvFitOptions *options)
{
	ClvMember part;

	if (member->value.type != jbvBinary || !JsonContainerIsObject(member->value.val.binary.data))
		ClvBadOption(errmsg("option \"start\" must be an object of families"),
					 errhint("Use clv_options(start => model) to create it."));
	clv_json_open(&part, member->value.val.binary.data, "a start");
	while (clv_json_next(&part))
		ReadStartPart(&part, options);
}

/* The word of a family or choice; where a choice may be plain, the text of a number or boolean. */
static const char *
ReadWord(const ClvOption *option, const ClvMember *member)
{
	if (option->plain && member->value.type == jbvNumeric)
		return clv_number_text(clv_json_number(member));
	if (option->plain && member->value.type == jbvBool)
		return clv_json_bool(member) ? "true" : "false";
	return clv_json_string(member);
}

/* Read the value of an option from its member. */
static void
ReadMember(const ClvOption *option, const ClvMember *member, ClvParsedOptions *parsed)
{
	ClvFitOptions *options = &parsed->options;
	Interval interval;

	switch (option->kind)
	{
		case CLV_OPTION_FAMILY:
		case CLV_OPTION_CHOICE:
			clv_option_set_text(option, options, ReadWord(option, member));
			break;
		case CLV_OPTION_INTERVAL:
			interval = clv_json_interval(member);
			clv_option_set_interval(option, options, &interval);
			break;
		case CLV_OPTION_DAY:
			clv_option_set_day(option, options, clv_json_date(member));
			break;
		case CLV_OPTION_NUMBER:
		case CLV_OPTION_COUNT:
			clv_option_set_number(option, options, clv_json_number(member));
			break;
		case CLV_OPTION_NAMES:
			ReadNames(option, member, options);
			break;
		case CLV_OPTION_VECTOR:
			ReadVector(option, member, options);
			break;
		case CLV_OPTION_START:
			ReadStart(member, options);
			break;
		case CLV_OPTION_SWITCH:
			clv_option_set_switch(option, parsed, clv_json_bool(member));
			break;
		case CLV_OPTION_PRIOR:
			clv_prior_read(clv_json_container(member, "an object"), &options->prior);
			break;
		case CLV_OPTION_CALENDAR:
			clv_options_set_calendar(
				parsed, clv_calendar_from_json(clv_json_container(member, "a clv_calendar")));
			break;
		case CLV_OPTION_ACTING:
			clv_options_read_acting(option, member, parsed);
			break;
	}
	parsed->given |= ClvOptionBit(option);
}

/* Take the names of a path where the options name none. */
static void
TakePathNames(const ClvCalendar *path, ClvFitOptions *options)
{
	ClvCalendarParts parts;

	if (path == NULL || options->npath > 0)
		return;
	clv_calendar_unpack_value(path, &parts);
	for (int i = 0; i < parts.nnames; i++)
		clv_option_add_name(FindOption("path_covariates"), options, parts.name[i]);
}

/* Read the options of a JSON object. */
static void
ReadObject(Jsonb *json, ClvParsedOptions *parsed)
{
	ClvMember member;

	if (!JB_ROOT_IS_OBJECT(json))
		ClvBadOption(errmsg("the options of a fit must be a JSON object"),
					 errhint("Use clv_options() to create them."));
	clv_json_open(&member, &json->root, "the options of a fit");
	while (clv_json_next(&member))
	{
		const ClvOption *option = FindOption(member.key);

		if (option == NULL && !clv_json_is_null(&member))
			ClvBadOption(errmsg("unknown option: \"%s\"", member.key),
						 errdetail("Known are %s.", OptionList()),
						 errhint("Use clv_options() to create the options."));
		if (!clv_json_is_null(&member)) /* as an argument of clv_options: not given */
			ReadMember(option, &member, parsed);
	}
}

void
clv_fit_options_parse(Jsonb *json, const ClvCalendar *path, ClvParsedOptions *parsed)
{
	clv_options_init(parsed);
	if (json != NULL)
		ReadObject(json, parsed);
	TakePathNames(path, &parsed->options);
	if (json != NULL || path != NULL)
		clv_options_finish(parsed);
}
