/*
 * calendar_type.c
 *		The type clv_calendar as SQL sees it: input, output, casts, comparison.
 *
 *	{"version":1,"names":["campaign","price"],"last":"2023-12-25","longest":7,"end":"2024-01-01",
 *	 "steps":[["2022-01-03",0,9.9],["2022-11-21",1,8.9]]}
 *
 * A step is its first day and the values of the covariates, in the order of their names. Without
 * "last" and "longest" the steps count as the rows that were given; "end" is left out where the
 * calendar has none of its own.
 */
#include "calendar/calendar.h"

#include "catalog/pg_type.h"
#include "common/arguments.h"
#include "common/json.h"
#include "common/json_type.h"
#include "libpq/pqformat.h"
#include "utils/datetime.h"
#include "utils/json.h"

#define JSON_VERSION 1
#define STEPS "lists of a day and a number for each name"

/* ---- out ---- */

/* Appends the steps as lists. */
static void
AppendSteps(StringInfo out, const ClvCalendarParts *parts)
{
	char date[MAXDATELEN + 1];

	for (int i = 0; i < parts->nsteps; i++)
	{
		appendStringInfo(out, "%s[\"%s\"", i > 0 ? "," : "", clv_date_text(parts->since[i], date));
		for (int j = 0; j < parts->nnames; j++)
		{
			appendStringInfoChar(out, ',');
			clv_append_double(out, parts->values[i * parts->nnames + j]);
		}
		appendStringInfoChar(out, ']');
	}
}

char *
clv_calendar_text(const ClvCalendar *calendar)
{
	ClvCalendarParts parts;
	StringInfoData out;
	char date[MAXDATELEN + 1];

	clv_calendar_unpack_value(calendar, &parts);
	initStringInfo(&out);
	appendStringInfo(&out, "{\"version\":%d,\"names\":[", JSON_VERSION);
	for (int i = 0; i < parts.nnames; i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, ',');
		escape_json(&out, parts.name[i]);
	}
	appendStringInfo(&out, "],\"last\":\"%s\",\"longest\":%d", clv_date_text(parts.last, date),
					 parts.longest);
	if (parts.has_end)
		appendStringInfo(&out, ",\"end\":\"%s\"", clv_date_text(parts.end, date));
	appendStringInfoString(&out, ",\"steps\":[");
	AppendSteps(&out, &parts);
	appendStringInfoString(&out, "]}");
	return out.data;
}

/* ---- in ---- */

/* The members of the object; steps are read when the names are known. */
typedef struct Members
{
	int64 version;
	bool has_last;
	bool has_longest;
	bool has_steps;
	ClvMember steps;
} Members;

/* Reads the names. */
static void
ReadNames(ClvCalendarParts *parts, const ClvMember *member)
{
	static const char what[] = "an array of names";
	int n = clv_json_length(member, what);

	for (int i = 0; i < n; i++)
	{
		ClvMember name = clv_json_element(member, i, what);

		clv_calendar_add_name(parts, clv_json_string(&name));
	}
}

/* Takes one member; false where it is unknown. */
static bool
TakeMember(ClvCalendarParts *parts, Members *members, const ClvMember *member)
{
	if (clv_json_is(member, "version"))
		members->version = clv_json_whole(member, 0, PG_INT32_MAX);
	else if (clv_json_is(member, "names"))
		ReadNames(parts, member);
	else if (clv_json_is(member, "last"))
	{
		members->has_last = true;
		parts->last = clv_json_date(member);
	}
	else if (clv_json_is(member, "longest"))
	{
		members->has_longest = true;
		parts->longest = (int32) clv_json_whole(member, 0, PG_INT32_MAX);
	}
	else if (clv_json_is(member, "end"))
	{
		parts->has_end = true;
		parts->end = clv_json_date(member);
	}
	else if (clv_json_is(member, "steps"))
	{
		members->has_steps = true;
		members->steps = *member;
	}
	else
		return false;
	return true;
}

/* Reads step i, a list of its day and its values, into its place. */
static void
ReadStep(ClvCalendarParts *parts, const ClvMember *steps, int i)
{
	ClvMember step = clv_json_element(steps, i, STEPS);
	ClvMember part;

	if (clv_json_length(&step, STEPS) != parts->nnames + 1)
		clv_json_wrong(&step, STEPS);
	part = clv_json_element(&step, 0, STEPS);
	parts->since[i] = clv_json_date(&part);
	for (int j = 0; j < parts->nnames; j++)
	{
		part = clv_json_element(&step, j + 1, STEPS);
		parts->values[i * parts->nnames + j] = clv_json_number(&part);
	}
}

/* Reads all steps. */
static void
ReadSteps(ClvCalendarParts *parts, const ClvMember *steps)
{
	int n = clv_json_length(steps, STEPS);

	if (n < 1 || n > CLV_CALENDAR_STEPS)
		clv_json_wrong(steps, psprintf("a list of 1 to %d steps", CLV_CALENDAR_STEPS));
	parts->nsteps = n;
	parts->since = palloc(n * sizeof(DateADT));
	parts->values = palloc((Size) n * parts->nnames * sizeof(double));
	for (int i = 0; i < n; i++)
		ReadStep(parts, steps, i);
}

/* Sets last and longest where the object leaves them out. */
static void
FillIn(ClvCalendarParts *parts, const Members *members)
{
	ClvCalendarParts given = *parts;

	clv_calendar_measure(&given);
	if (!members->has_last)
		parts->last = given.last;
	if (!members->has_longest)
		parts->longest = given.longest;
}

ClvCalendar *
clv_calendar_from_json(JsonbContainer *json)
{
	ClvCalendarParts parts;
	Members members = {0};
	ClvMember member;

	memset(&parts, 0, sizeof(parts));
	clv_json_open(&member, json, "clv_calendar");
	while (clv_json_next(&member))
		if (!TakeMember(&parts, &members, &member))
			clv_json_unknown(&member, "version, names, last, longest, end and steps");
	if (members.version != JSON_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("clv_calendar needs \"version\":%d", JSON_VERSION)));
	if (parts.nnames == 0)
		clv_json_missing("clv_calendar", "names");
	if (!members.has_steps)
		clv_json_missing("clv_calendar", "steps");
	ReadSteps(&parts, &members.steps);
	FillIn(&parts, &members);
	return clv_calendar_pack(&parts);
}

/* ---- SQL ---- */

/* The calendar of a jsonb value. */
static ClvCalendar *
CalendarFromJson(Jsonb *json)
{
	return clv_calendar_from_json(&json->root);
}

/* Input, output, send, recv, casts and comparison; the binary form is the stored one. */
CLV_JSON_TYPE(clv_calendar, CalendarFromJson, clv_calendar_text, PG_GETARG_CLV_CALENDAR_P);
CLV_CANONICAL_RECV(clv_calendar, ClvCalendarParts, clv_calendar_unpack, clv_calendar_pack);

/* clv_calendar_values(calendar, day) -> float8[]: the values of that day in the order of the
 * names; NULL before the first step and after the end. */
PG_FUNCTION_INFO_V1(clv_calendar_values);
Datum
clv_calendar_values(PG_FUNCTION_ARGS)
{
	ClvCalendar *calendar = PG_GETARG_CLV_CALENDAR_P(0);
	DateADT day = PG_GETARG_DATEADT(1);
	ClvCalendarParts parts;
	Datum value[CLV_CALENDAR_NAMES];
	int step;

	clv_check_date("day", day);
	clv_calendar_unpack_value(calendar, &parts);
	step = clv_calendar_step(&parts, day);
	if (step < 0)
		PG_RETURN_NULL();
	for (int i = 0; i < parts.nnames; i++)
		value[i] = Float8GetDatum(parts.values[step * parts.nnames + i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(value, parts.nnames, FLOAT8OID, sizeof(double),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Puts the steps of both one after the other, in memory of its own. */
static void
Append(ClvCalendarParts *parts, const ClvCalendarParts *later)
{
	int n = parts->nsteps + later->nsteps;
	int width = parts->nnames;
	DateADT *since = palloc(n * sizeof(DateADT));
	double *values = palloc((Size) n * width * sizeof(double));

	memcpy(since, parts->since, parts->nsteps * sizeof(DateADT));
	memcpy(since + parts->nsteps, later->since, later->nsteps * sizeof(DateADT));
	memcpy(values, parts->values, (Size) parts->nsteps * width * sizeof(double));
	memcpy(values + (Size) parts->nsteps * width, later->values,
		   (Size) later->nsteps * width * sizeof(double));
	parts->since = since;
	parts->values = values;
	parts->nsteps = n;
}

/* Raises an error unless the second begins after the last row of the first, and leaves no gap. */
static void
CheckFollows(const ClvCalendarParts *parts, const ClvCalendarParts *later)
{
	char date[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	if (later->since[0] <= parts->last)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the calendar that is appended must begin after the last row of "
							   "the first"),
						errdetail("The last row of the first begins on %s, the second on %s.",
								  clv_date_text(parts->last, date),
								  clv_date_text(later->since[0], other))));
	if (parts->has_end && later->since[0] > parts->end)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("nothing is known between the two calendars"),
						errdetail("The first ends on %s, the second begins on %s.",
								  clv_date_text(parts->end, date),
								  clv_date_text(later->since[0], other))));
}

/* calendar || calendar -> calendar: the steps of the first, then those of the second, which must
 * begin after the last row of the first. */
PG_FUNCTION_INFO_V1(clv_calendar_concat);
Datum
clv_calendar_concat(PG_FUNCTION_ARGS)
{
	ClvCalendarParts parts;
	ClvCalendarParts later;

	clv_calendar_unpack_value(PG_GETARG_CLV_CALENDAR_P(0), &parts);
	clv_calendar_unpack_value(PG_GETARG_CLV_CALENDAR_P(1), &later);
	clv_calendar_same_names(&parts, &later, later.since[0]);
	CheckFollows(&parts, &later);
	parts.longest = Max(Max(parts.longest, later.longest), later.since[0] - parts.last);
	parts.last = later.last;
	parts.has_end = later.has_end;
	parts.end = later.end;
	Append(&parts, &later);
	PG_RETURN_CLV_CALENDAR_P(clv_calendar_pack(&parts));
}
