/*
 * options_forms.c
 *		The options of a fit as JSON and as bytes, and the comparison of options.
 *
 * All of it follows from the table of the options, and from the kind of each.
 */
#include "cells/options_private.h"

#include <math.h>

#include "common/arguments.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "model/model.h"
#include "utils/json.h"

/* ---- to JSON ---- */

/* Whether all bytes are 0. */
static bool
IsZero(const void *bytes, Size size)
{
	for (Size i = 0; i < size; i++)
		if (((const char *) bytes)[i] != 0)
			return false;
	return true;
}

/* Whether the option has its default, so that it need not be written. */
static bool
IsDefault(const ClvOption *option, const ClvFitOptions *options)
{
	const void *field = ClvOptionField(option, options);

	switch (option->kind)
	{
		case CLV_OPTION_FAMILY:
			return false;
		case CLV_OPTION_CHOICE:
		case CLV_OPTION_COUNT:
			return *(const int32 *) field == 0;
		case CLV_OPTION_INTERVAL:
			return IsZero(field, sizeof(Interval));
		case CLV_OPTION_DAY:
			return *(const DateADT *) field == DATEVAL_NOEND;
		case CLV_OPTION_NUMBER:
			return *(const double *) field == option->absent;
		case CLV_OPTION_NAMES:
			return *ClvOptionNames(option, options) == 0;
		case CLV_OPTION_VECTOR:
			return IsZero(field, option->most * CLV_MAX_COVARIATES * sizeof(double));
		case CLV_OPTION_CALENDAR:
			return *(const uint64 *) field == 0;
		case CLV_OPTION_ACTING:
			return *(const int32 *) field == 0;
		case CLV_OPTION_START:
			return options->start_model[0] == '\0' && options->start_spend[0] == '\0';
		case CLV_OPTION_PRIOR:
			return IsZero(field, sizeof(ClvFitPrior));
		case CLV_OPTION_SWITCH:
			return true;
	}
	return true;
}

/* The value as text, for messages and for JSON; NULL for kinds that are no single value. */
static const char *
ValueText(const ClvOption *option, const ClvFitOptions *options)
{
	const void *field = ClvOptionField(option, options);

	switch (option->kind)
	{
		case CLV_OPTION_FAMILY:
			return field;
		case CLV_OPTION_CHOICE:
			return option->word(*(const int32 *) field);
		case CLV_OPTION_INTERVAL:
			return clv_interval_text(field);
		case CLV_OPTION_DAY:
			return IsDefault(option, options)
					   ? "none"
					   : clv_date_text(*(const DateADT *) field, palloc(MAXDATELEN + 1));
		case CLV_OPTION_NUMBER:
			return clv_number_text(*(const double *) field);
		case CLV_OPTION_COUNT:
			return psprintf("%d", *(const int32 *) field);
		case CLV_OPTION_NAMES:
			return option->offset == offsetof(ClvFitOptions, path)
					   ? clv_fit_path_list(options)
					   : clv_fit_covariate_list(options);
		default:
			return NULL;
	}
}

/* Append the names of covariates as an array. */
static void
WriteNames(StringInfo out, const ClvOption *option, const ClvFitOptions *options)
{
	const char *name = ClvOptionField(option, options);

	appendStringInfoChar(out, '[');
	for (int i = 0; i < *ClvOptionNames(option, options); i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, name);
		name += strlen(name) + 1;
	}
	appendStringInfoChar(out, ']');
}

/* Append the numbers of the covariates as an array. */
static void
WriteVector(StringInfo out, const ClvOption *option, const ClvFitOptions *options)
{
	const double *vector = ClvOptionField(option, options);

	appendStringInfoChar(out, '[');
	for (int i = 0; i < option->most * options->ncovariates; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		clv_append_double(out, vector[i]);
	}
	appendStringInfoChar(out, ']');
}

/* Append a family's start values as a member, unless there are none; first: no member has been
 * written yet. */
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

/* Append the start as an object of families. */
static void
WriteStart(StringInfo out, const ClvFitOptions *options)
{
	bool first = true;

	appendStringInfoChar(out, '{');
	StartText(out, options->start_model, options->start_model_param, &first);
	StartText(out, options->start_spend, options->start_spend_param, &first);
	appendStringInfoChar(out, '}');
}

/* Append the names of the covariates that act, as an array. */
static void
WriteActing(StringInfo out, const ClvOption *option, const ClvFitOptions *options,
			const ClvCalendar *calendar)
{
	uint32 idle = (uint32) * (const int32 *) ClvOptionField(option, options);
	ClvCalendarParts parts = {0};
	int own = options->ncovariates;
	int known = own + options->npath;
	const char *separator = "";

	if (calendar != NULL)
		clv_calendar_unpack_value(calendar, &parts);
	appendStringInfoChar(out, '[');
	for (int i = 0; i < known + parts.nnames; i++)
	{
		if ((idle >> i & 1) != option->named)
			continue;
		appendStringInfoString(out, separator);
		escape_json(out, i < own     ? clv_fit_covariate(options, i)
						 : i < known ? clv_fit_path_name(options, i - own)
									 : parts.name[i - known]);
		separator = ", ";
	}
	appendStringInfoChar(out, ']');
}

/* Append the value of the option as JSON. */
static void
WriteValue(StringInfo out, const ClvOption *option, const ClvFitOptions *options,
		   const ClvCalendar *calendar)
{
	switch (option->kind)
	{
		case CLV_OPTION_FAMILY:
		case CLV_OPTION_CHOICE:
		case CLV_OPTION_INTERVAL:
		case CLV_OPTION_DAY:
			appendStringInfo(out, "\"%s\"", ValueText(option, options));
			break;
		case CLV_OPTION_NUMBER:
		case CLV_OPTION_COUNT:
			appendStringInfoString(out, ValueText(option, options));
			break;
		case CLV_OPTION_NAMES:
			WriteNames(out, option, options);
			break;
		case CLV_OPTION_VECTOR:
			WriteVector(out, option, options);
			break;
		case CLV_OPTION_START:
			WriteStart(out, options);
			break;
		case CLV_OPTION_PRIOR:
			clv_prior_write(out, &options->prior);
			break;
		case CLV_OPTION_CALENDAR:
			appendStringInfoString(out, clv_calendar_text(calendar));
			break;
		case CLV_OPTION_ACTING:
			WriteActing(out, option, options, calendar);
			break;
		case CLV_OPTION_SWITCH:
			break;
	}
}

void
clv_fit_options_text(StringInfo out, const ClvFitOptions *options, const ClvCalendar *calendar)
{
	const char *separator = "{";

	for (int i = 0; i < clv_option_count; i++)
	{
		const ClvOption *option = &clv_option_table[i];

		if (!option->always && IsDefault(option, options))
			continue;
		/* nor what only a calendar can name */
		if (options->calendar != 0 && calendar == NULL &&
			(option->kind == CLV_OPTION_CALENDAR || option->kind == CLV_OPTION_ACTING))
			continue;
		appendStringInfo(out, "%s\"%s\": ", separator, option->name);
		WriteValue(out, option, options, calendar);
		separator = ", ";
	}
	appendStringInfoChar(out, '}');
}

char *
clv_fit_options_both(const ClvFitOptions *one, const ClvFitOptions *other)
{
	StringInfoData first;
	StringInfoData second;

	initStringInfo(&first);
	initStringInfo(&second);
	clv_fit_options_text(&first, one, NULL);
	clv_fit_options_text(&second, other, NULL);
	if (strcmp(first.data, second.data) == 0)
		return psprintf("%s, with different calendars", first.data);
	return psprintf("%s and %s", first.data, second.data);
}

/* ---- comparison ---- */

/* Whether both have the same value of an option that cells are counted with. */
static bool
IsSame(const ClvOption *option, const ClvFitOptions *a, const ClvFitOptions *b)
{
	const void *one = ClvOptionField(option, a);
	const void *other = ClvOptionField(option, b);

	switch (option->kind)
	{
		case CLV_OPTION_INTERVAL:
			return memcmp(one, other, sizeof(Interval)) == 0;
		case CLV_OPTION_NAMES:
			return memcmp(one, other, CLV_COVARIATES_SIZE) == 0;
		default:
			return *(const int32 *) one == *(const int32 *) other;
	}
}

const char *
clv_fit_options_differ(const ClvFitOptions *a, const ClvFitOptions *b, const char **one,
					   const char **other)
{
	for (int i = 0; i < clv_option_count; i++)
	{
		const ClvOption *option = &clv_option_table[i];

		if (!option->counted || IsSame(option, a, b))
			continue;
		*one = ValueText(option, a);
		*other = ValueText(option, b);
		return option->name;
	}
	return NULL;
}

/*
 * Makes place for covariates of customers or of their paths, behind so many others and before those
 * of the calendar, in the options that name the covariates that act. Their names are not known
 * there: all of them act.
 */
static void
MoveActing(const ClvParsedOptions *given, int at, int more, ClvFitOptions *result)
{
	uint32 before = ((uint32) 1 << at) - 1;

	for (int i = 0; i < clv_option_count; i++)
	{
		const ClvOption *option = &clv_option_table[i];
		int32 *field = (int32 *) ClvOptionField(option, result);

		if (option->kind == CLV_OPTION_ACTING && (given->given & ClvOptionBit(option)))
			*field = (int32) (((uint32) *field & before) | ((uint32) *field & ~before) << more);
	}
}

void
clv_fit_options_inherit(const ClvParsedOptions *given, const ClvFitOptions *own,
						ClvFitOptions *result)
{
	*result = given->options;
	for (int i = 0; i < clv_option_count; i++)
	{
		const ClvOption *option = &clv_option_table[i];
		void *field = ClvOptionField(option, result);

		if (!option->counted || (given->given & ClvOptionBit(option)))
			continue;
		if (option->kind == CLV_OPTION_INTERVAL)
			*(Interval *) field = *(const Interval *) ClvOptionField(option, own);
		else if (option->kind != CLV_OPTION_NAMES)
			*(int32 *) field = *(const int32 *) ClvOptionField(option, own);
		else
		{
			int32 n = *ClvOptionNames(option, own);

			MoveActing(given,
					   option->offset == offsetof(ClvFitOptions, path) ? result->ncovariates : 0, n,
					   result);
			*ClvOptionNames(option, result) = n;
			memcpy(field, ClvOptionField(option, own), CLV_COVARIATES_SIZE);
		}
	}
}

/* ---- stored options, and the binary form ---- */

/* Whether the number is -0, which is not canonical. */
static bool
IsNegativeZero(double value)
{
	return value == 0 && signbit(value);
}

/* An error unless a stored name is that of a family, padded with zeros. */
static void
CheckName(const char *field, ClvProcess process, const char *other)
{
	char again[CLV_NAME_SIZE];

	if (field[CLV_NAME_SIZE - 1] != '\0')
		ClvBadOption(errmsg("name of a family is too long in stored options"));
	clv_option_set_family(again, field, process, other);
	if (memcmp(again, field, CLV_NAME_SIZE) != 0)
		ClvBadOption(
			errmsg("name of a family in stored options is not in canonical form: \"%s\"", field));
}

/* An error unless a stored start is possible, and in canonical form. */
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
				ClvBadOption(errmsg("start in stored options is not in canonical form"));
	}
	for (int i = family == NULL ? 0 : family->nparams; i < CLV_START_PARAMS; i++)
		if (ClvDoubleBits(param[i]) != 0)
			ClvBadOption(errmsg("too many parameters in the start of stored options"));
}

/* An error unless the stored names of covariates are possible, and in canonical form. */
static void
CheckStoredNames(const ClvOption *option, const ClvFitOptions *options)
{
	ClvFitOptions again;
	const char *name = ClvOptionField(option, options);
	const char *end = name + CLV_COVARIATES_SIZE;
	int32 n = *ClvOptionNames(option, options);

	memset(&again, 0, sizeof(again));
	if (n < 0 || n > CLV_MAX_COVARIATES)
		ClvBadOption(errmsg("invalid number of covariates in stored options: %d", n));
	for (int i = 0; i < n; i++)
	{
		Size length = strnlen(name, end - name);

		if (name + length == end)
			ClvBadOption(errmsg("names of covariates in stored options are not terminated"));
		(void) pg_verifymbstr(name, length, false);
		clv_option_add_name(option, &again, name);
		name += length + 1;
	}
	if (memcmp(ClvOptionField(option, &again), ClvOptionField(option, options),
			   CLV_COVARIATES_SIZE) != 0)
		ClvBadOption(errmsg("names of covariates in stored options are not in canonical form"));
}

/* An error unless the stored numbers of covariates are finite, and in canonical form. */
static void
CheckStoredVector(const ClvOption *option, const ClvFitOptions *options)
{
	const double *vector = ClvOptionField(option, options);

	for (int i = 0; i < option->most * CLV_MAX_COVARIATES; i++)
		if (!isfinite(vector[i]) || IsNegativeZero(vector[i]) ||
			(i >= option->most * options->ncovariates && ClvDoubleBits(vector[i]) != 0))
			ClvBadOption(
				errmsg("invalid number of \"%s\" in stored options: %g", option->name, vector[i]));
}

/* An error unless the field holds what an option can be, in canonical form. */
static void
CheckStored(const ClvOption *option, const ClvFitOptions *options)
{
	const void *field = ClvOptionField(option, options);
	int32 choice;
	int names;

	switch (option->kind)
	{
		case CLV_OPTION_FAMILY:
			CheckName(field, option->process, option->other);
			break;
		case CLV_OPTION_CHOICE:
			choice = *(const int32 *) field;
			if (choice < 0 || choice > option->most)
				ClvBadOption(errmsg("unknown %s in stored options: %d", option->name, choice));
			break;
		case CLV_OPTION_INTERVAL:
			clv_option_check_interval(option, field);
			break;
		case CLV_OPTION_DAY:
			if (!IsDefault(option, options))
				clv_check_date(option->name, *(const DateADT *) field);
			break;
		case CLV_OPTION_NUMBER:
			if (!IsDefault(option, options))
				clv_option_check_number(option, *(const double *) field);
			if (IsNegativeZero(*(const double *) field))
				ClvBadOption(errmsg("stored options are not in canonical form"));
			break;
		case CLV_OPTION_COUNT:
			if (!IsDefault(option, options))
				clv_option_check_number(option, *(const int32 *) field);
			break;
		case CLV_OPTION_NAMES:
			CheckStoredNames(option, options);
			break;
		case CLV_OPTION_VECTOR:
			CheckStoredVector(option, options);
			break;
		case CLV_OPTION_START:
			CheckStoredStart(options->start_model, options->start_model_param, CLV_TRANSACTION);
			CheckStoredStart(options->start_spend, options->start_spend_param, CLV_SPEND);
			break;
		case CLV_OPTION_ACTING:
			/* with a calendar the names are its own: clv_cells_check_calendar() */
			choice = *(const int32 *) field;
			names =
				options->calendar != 0 ? CLV_MAX_COVARIATES : options->ncovariates + options->npath;
			if (choice < 0 || choice >= 1 << names)
				ClvBadOption(errmsg("invalid %s in stored options: %d", option->name, choice));
			break;
		case CLV_OPTION_CALENDAR: /* its hash: clv_cells_check_calendar() */
			break;
		case CLV_OPTION_PRIOR:
			clv_prior_check_stored(&options->prior);
			break;
		case CLV_OPTION_SWITCH:
			break;
	}
}

void
clv_fit_options_check(const ClvFitOptions *options)
{
	for (int i = 0; i < clv_option_count; i++)
		CheckStored(&clv_option_table[i], options);
	clv_options_check_together(options);
}

/* Send or receive n bytes; this function and those below do both, so that the two directions agree.
 */
static void
MoveBytes(StringInfo wire, bool send, char *bytes, int n)
{
	if (send)
		pq_sendbytes(wire, bytes, n);
	else
		pq_copymsgbytes(wire, bytes, n);
}

/* Send or receive an integer. */
static void
MoveInt(StringInfo wire, bool send, int32 *value)
{
	if (send)
		pq_sendint32(wire, *value);
	else
		*value = (int32) pq_getmsgint(wire, 4);
}

/* Send or receive a hash. */
static void
MoveHash(StringInfo wire, bool send, uint64 *hash)
{
	if (send)
		pq_sendint64(wire, *hash);
	else
		*hash = (uint64) pq_getmsgint64(wire);
}

/* Send or receive n doubles. */
static void
MoveNumbers(StringInfo wire, bool send, double *numbers, int n)
{
	for (int i = 0; i < n; i++)
		if (send)
			pq_sendfloat8(wire, numbers[i]);
		else
			numbers[i] = pq_getmsgfloat8(wire);
}

/* Send or receive an interval. */
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

/* Send or receive the number of covariates and, where there are any, their names. */
static void
MoveNames(StringInfo wire, bool send, const ClvOption *option, ClvFitOptions *options)
{
	int32 *n = ClvOptionNames(option, options);

	MoveInt(wire, send, n);
	if (*n < 0 || *n > CLV_MAX_COVARIATES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid number of covariates in binary clv_cells: %d", *n)));
	if (*n > 0)
		MoveBytes(wire, send, ClvOptionField(option, options), CLV_COVARIATES_SIZE);
}

/* Send or receive the start. */
static void
MoveStart(StringInfo wire, bool send, ClvFitOptions *options)
{
	MoveBytes(wire, send, options->start_model, CLV_NAME_SIZE);
	MoveBytes(wire, send, options->start_spend, CLV_NAME_SIZE);
	MoveNumbers(wire, send, options->start_model_param, CLV_START_PARAMS);
	MoveNumbers(wire, send, options->start_spend_param, CLV_START_PARAMS);
}

/* Send or receive a part of a prior: of one that is not there the name alone. */
static void
MovePriorPart(StringInfo wire, bool send, ClvPriorPart *part)
{
	MoveBytes(wire, send, part->family, CLV_NAME_SIZE);
	if (part->family[0] == '\0')
		return;
	MoveNumbers(wire, send, part->mean, lengthof(part->mean));
	MoveNumbers(wire, send, part->sd, lengthof(part->sd));
	MoveNumbers(wire, send, part->correlation, lengthof(part->correlation));
}

/* Send or receive a prior. */
static void
MovePrior(StringInfo wire, bool send, ClvFitPrior *prior)
{
	MovePriorPart(wire, send, &prior->purchase);
	MovePriorPart(wire, send, &prior->spend);
	MoveInt(wire, send, &prior->neffects);
	if (prior->neffects == 0)
		return;
	MoveInt(wire, send, &prior->churn);
	MoveNumbers(wire, send, prior->effect_mean, CLV_PRIOR_EFFECTS);
	MoveNumbers(wire, send, prior->effect_sd, CLV_PRIOR_EFFECTS);
	MoveBytes(wire, send, prior->effects, CLV_COVARIATES_SIZE);
}

/* The binary form: the options in the order of the table. */
static void
MoveOptions(StringInfo wire, bool send, ClvFitOptions *options)
{
	for (int i = 0; i < clv_option_count; i++)
	{
		void *field = ClvOptionField(&clv_option_table[i], options);

		switch (clv_option_table[i].kind)
		{
			case CLV_OPTION_FAMILY:
				MoveBytes(wire, send, field, CLV_NAME_SIZE);
				break;
			case CLV_OPTION_CHOICE:
			case CLV_OPTION_DAY:
			case CLV_OPTION_COUNT:
				MoveInt(wire, send, field);
				break;
			case CLV_OPTION_ACTING:
				MoveInt(wire, send, field);
				break;
			case CLV_OPTION_CALENDAR:
				MoveHash(wire, send, field);
				break;
			case CLV_OPTION_INTERVAL:
				MoveInterval(wire, send, field);
				break;
			case CLV_OPTION_NUMBER:
				MoveNumbers(wire, send, field, 1);
				break;
			case CLV_OPTION_NAMES:
				MoveNames(wire, send, &clv_option_table[i], options);
				break;
			case CLV_OPTION_VECTOR:
				MoveNumbers(wire, send, field, clv_option_table[i].most * options->ncovariates);
				break;
			case CLV_OPTION_START:
				MoveStart(wire, send, options);
				break;
			case CLV_OPTION_PRIOR:
				MovePrior(wire, send, field);
				break;
			case CLV_OPTION_SWITCH:
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
