/*
 * calendar_layout.c
 *		The bytes of clv_calendar, and the rules that its parts obey.
 */
#include "calendar/calendar.h"

#include <math.h>

#include "common/arguments.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "math/dates.h"
#include "utils/datetime.h"
#include "mb/pg_wchar.h"

#define CALENDAR_VERSION 1
#define MONTHS 12

/* ---- rules ---- */

void
clv_calendar_add_name(ClvCalendarParts *parts, const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a covariate of a calendar must have a name")));
	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("name of a covariate is too long: \"%s\"", name),
						errdetail("A name has at most %d bytes.", NAMEDATALEN - 1)));
	for (int i = 0; i < parts->nnames; i++)
		if (strcmp(parts->name[i], name) == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("two covariates of a calendar have the name \"%s\"", name)));
	if (parts->nnames == CLV_CALENDAR_NAMES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a calendar has at most %d covariates", CLV_CALENDAR_NAMES),
						errdetail("\"%s\" would be one more.", name)));
	parts->name[parts->nnames++] = pstrdup(name);
}

void
clv_calendar_check_value(const ClvCalendarParts *parts, int name, DateADT day, double value)
{
	char date[MAXDATELEN + 1];

	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" must be finite in a calendar: %s since %s", parts->name[name],
						clv_number_text(value), clv_date_text(day, date))));
}

/* The names in braces, for messages, palloc'd. */
static char *
NamesText(const ClvCalendarParts *parts)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < parts->nnames; i++)
		appendStringInfo(&text, "%s\"%s\"", i > 0 ? ", " : "", parts->name[i]);
	return text.data;
}

void
clv_calendar_same_names(const ClvCalendarParts *parts, const ClvCalendarParts *other, DateADT day)
{
	bool same = parts->nnames == other->nnames;
	char date[MAXDATELEN + 1];

	for (int i = 0; same && i < parts->nnames; i++)
		same = strcmp(parts->name[i], other->name[i]) == 0;
	if (!same)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("all steps of a calendar need the same names"),
						errdetail("Since %s they are %s, elsewhere %s.", clv_date_text(day, date),
								  NamesText(other), NamesText(parts)),
						errhint("Give the names in one order in every row.")));
}

/* Raises an error unless the steps are days in ascending order with finite values. */
static void
CheckSteps(const ClvCalendarParts *parts)
{
	char date[MAXDATELEN + 1];

	if (parts->nsteps < 1 || parts->nsteps > CLV_CALENDAR_STEPS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a calendar has 1 to %d steps, not %d", CLV_CALENDAR_STEPS,
							   parts->nsteps)));
	for (int i = 0; i < parts->nsteps; i++)
	{
		DateADT day = parts->since[i];

		clv_check_date("since", day);
		if (i > 0 && day == parts->since[i - 1])
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("two steps of a calendar begin on %s", clv_date_text(day, date)),
							errhint("Give one row for each day on which a value changes.")));
		if (i > 0 && day < parts->since[i - 1])
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("steps of a calendar must be in order of their days: %s comes "
								   "too late",
								   clv_date_text(day, date))));
		for (int j = 0; j < parts->nnames; j++)
			clv_calendar_check_value(parts, j, day, parts->values[i * parts->nnames + j]);
	}
}

/* Raises an error unless the calendar ends after its last row, and its rows fit into it. */
static void
CheckEnd(const ClvCalendarParts *parts)
{
	int64 span = (int64) parts->last - parts->since[0];
	char date[MAXDATELEN + 1];
	char end[MAXDATELEN + 1];

	clv_check_date("last", parts->last);
	if (parts->last < parts->since[parts->nsteps - 1])
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the last row of a calendar is not before its last step: %s",
							   clv_date_text(parts->last, date))));
	if (parts->longest > span || parts->longest < (span > 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the longest row of a calendar must have %d to %d days, not %d",
							   span > 0, (int) span, parts->longest)));
	if (!parts->has_end)
		return;
	clv_check_date("end", parts->end);
	if (parts->end <= parts->last)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a calendar must end after its last row"),
						errdetail("The last row begins on %s, the end is %s.",
								  clv_date_text(parts->last, date), clv_date_text(parts->end, end)),
						errhint("A row without values (NULL) ends a calendar: there is one, after "
								"all others.")));
}

/* Raises an error unless the parts are a calendar that the aggregate could have made. */
static void
CheckParts(const ClvCalendarParts *parts)
{
	if (parts->nnames < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a calendar needs at least one name")));
	CheckSteps(parts);
	CheckEnd(parts);
}

/* ---- days ---- */

void
clv_calendar_measure(ClvCalendarParts *parts)
{
	int64 longest = 0;

	for (int i = 1; i < parts->nsteps; i++)
		longest = Max(longest, (int64) parts->since[i] - parts->since[i - 1]);
	parts->longest = (int32) Min(longest, PG_INT32_MAX);
	parts->last = parts->since[parts->nsteps - 1];
}

int64
clv_calendar_end(const ClvCalendarParts *parts)
{
	return parts->has_end ? parts->end : (int64) parts->last + Max(parts->longest, 1);
}

int
clv_calendar_step(const ClvCalendarParts *parts, DateADT day)
{
	int low = -1;
	int high = parts->nsteps;

	if (day >= clv_calendar_end(parts))
		return -1;
	while (high - low > 1)
	{
		int middle = low + (high - low) / 2;

		if (parts->since[middle] <= day)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int
clv_calendar_step_beyond(const ClvCalendarParts *parts, int64 day)
{
	int64 end = clv_calendar_end(parts);
	int64 earlier = day;

	for (int years = 1; earlier >= end; years++)
		earlier = clv_day_plus(day, -MONTHS * years, 0);
	if (day >= end && clv_day_plus(end, -MONTHS, 0) < parts->since[0])
		earlier = end - 1;
	return clv_calendar_step(parts, (DateADT) Max(earlier, parts->since[0]));
}

/* ---- bytes ---- */

/* Joins steps of equal values that follow each other; -0 becomes 0. */
static void
JoinSteps(ClvCalendarParts *parts)
{
	int width = parts->nnames;
	int kept = 0;

	for (int i = 0; i < parts->nsteps * width; i++)
		parts->values[i] += 0.0;
	for (int i = 0; i < parts->nsteps; i++)
	{
		const double *step = parts->values + i * width;

		if (kept > 0 &&
			memcmp(step, parts->values + (kept - 1) * width, width * sizeof(double)) == 0)
			continue;
		parts->since[kept] = parts->since[i];
		memmove(parts->values + kept * width, step, width * sizeof(double));
		kept++;
	}
	parts->nsteps = kept;
}

ClvCalendar *
clv_calendar_pack(ClvCalendarParts *parts)
{
	StringInfoData out;

	CheckParts(parts);
	JoinSteps(parts);
	pq_begintypsend(&out);
	pq_sendbyte(&out, CALENDAR_VERSION);
	pq_sendbyte(&out, parts->nnames);
	for (int i = 0; i < parts->nnames; i++)
		pq_sendbytes(&out, parts->name[i], strlen(parts->name[i]) + 1);
	pq_sendint32(&out, parts->last);
	pq_sendint32(&out, parts->longest);
	pq_sendbyte(&out, parts->has_end);
	pq_sendint32(&out, parts->has_end ? parts->end : 0);
	pq_sendint32(&out, parts->nsteps);
	for (int i = 0; i < parts->nsteps; i++)
		pq_sendint32(&out, parts->since[i]);
	for (int i = 0; i < parts->nsteps * parts->nnames; i++)
		pq_sendfloat8(&out, parts->values[i]);
	return (ClvCalendar *) pq_endtypsend(&out);
}

/* Reads the names, which end with a zero byte and are text of the server's encoding. */
static void
ReadNames(StringInfo in, ClvCalendarParts *parts)
{
	int n = pq_getmsgbyte(in);

	for (int i = 0; i < n; i++)
	{
		const char *name = in->data + in->cursor;
		Size size = strnlen(name, in->len - in->cursor);

		if (size == (Size) (in->len - in->cursor))
			ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
							errmsg("a name in the bytes of a clv_calendar has no end")));
		(void) pg_verifymbstr(name, (int) size, false);
		clv_calendar_add_name(parts, name);
		in->cursor += (int) size + 1;
	}
}

/* Reads the steps, which take the rest of the bytes. */
static void
ReadSteps(StringInfo in, ClvCalendarParts *parts)
{
	int64 n = (int32) pq_getmsgint(in, 4);
	int64 left = in->len - in->cursor;
	int64 each = sizeof(int32) + parts->nnames * (int64) sizeof(double);

	if (n < 1 || n > CLV_CALENDAR_STEPS || n * each != left)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("wrong number of steps in the bytes of a clv_calendar")));
	parts->nsteps = (int) n;
	parts->since = palloc(n * sizeof(DateADT));
	parts->values = palloc(n * parts->nnames * sizeof(double));
	for (int i = 0; i < n; i++)
		parts->since[i] = (DateADT) pq_getmsgint(in, 4);
	for (int i = 0; i < n * parts->nnames; i++)
		parts->values[i] = pq_getmsgfloat8(in);
}

void
clv_calendar_unpack(StringInfo in, ClvCalendarParts *parts)
{
	int version = pq_getmsgbyte(in);

	if (version != CALENDAR_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown version of clv_calendar: %d", version),
						errdetail("This version of clv reads version %d.", CALENDAR_VERSION)));
	memset(parts, 0, sizeof(*parts));
	ReadNames(in, parts);
	parts->last = (DateADT) pq_getmsgint(in, 4);
	parts->longest = (int32) pq_getmsgint(in, 4);
	parts->has_end = pq_getmsgbyte(in) != 0;
	parts->end = (DateADT) pq_getmsgint(in, 4);
	ReadSteps(in, parts);
	pq_getmsgend(in);
	CheckParts(parts);
}

void
clv_calendar_unpack_value(const ClvCalendar *calendar, ClvCalendarParts *parts)
{
	StringInfoData in = clv_bytes_of(calendar);

	clv_calendar_unpack(&in, parts);
}

ClvCalendar *
clv_calendar_copy(const ClvCalendar *calendar, MemoryContext context)
{
	Size size = VARSIZE_ANY_EXHDR(calendar);
	ClvCalendar *copy = MemoryContextAlloc(context, VARHDRSZ + size);

	SET_VARSIZE(copy, VARHDRSZ + size);
	memcpy(VARDATA(copy), VARDATA_ANY(calendar), size);
	return copy;
}

uint64
clv_calendar_fingerprint(const ClvCalendar *calendar)
{
	uint64 hash = hash_bytes_extended((const unsigned char *) VARDATA_ANY(calendar),
									  (int) VARSIZE_ANY_EXHDR(calendar), 0);

	return hash != 0 ? hash : 1;
}
