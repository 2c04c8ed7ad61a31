/*
 * with_calendar.c
 *		clv_with_calendar(model, calendar): a model with the steps to come.
 *
 * The season and the trend of a model are covariates that the fit made itself. Whoever plans
 * campaigns has no values for them: they go on as they do without further steps, each day as the
 * same day a year earlier.
 */
#include "predict/predict_private.h"

#include "math/dates.h"
#include "utils/datetime.h"

/* ---- clv_with_calendar(model, calendar) ---- */

/* Days that are completed: further ones are as a year earlier, as beyond any end. */
#define MOST_DAYS 36525

/* Whether there are covariates from name first on, and all of them go on by themselves. */
static bool
GoesOnFrom(const ClvCalendarParts *calendar, int first)
{
	for (int i = first; i < calendar->nnames; i++)
		if (!clv_goes_on(calendar->name[i]))
			return false;
	return first < calendar->nnames;
}

/* Whether steps a and b of the calendar have the same values from name first on. */
static bool
SameFrom(const ClvCalendarParts *calendar, int a, int b, int first)
{
	const double *one = calendar->values + (Size) a * calendar->nnames + first;
	const double *other = calendar->values + (Size) b * calendar->nnames + first;

	return memcmp(one, other, (calendar->nnames - first) * sizeof(double)) == 0;
}

/*
 * Makes parts later from a day on, with the season and trend of own that it lacks, to the later of
 * their ends.
 */
static void
Complete(const ClvCalendarParts *own, const ClvCalendarParts *later, DateADT from,
		 ClvCalendarParts *parts)
{
	int given = later->nnames;
	int64 end = Min(Max(clv_calendar_end(later), clv_calendar_end(own)), (int64) from + MOST_DAYS);
	int before = -1;
	int made_before = -1;

	*parts = *later;
	for (int i = given; i < own->nnames; i++)
		parts->name[i] = own->name[i];
	parts->nnames = own->nnames;
	parts->nsteps = 0;
	parts->since = palloc((end - from) * sizeof(DateADT));
	parts->values = palloc((Size) (end - from) * own->nnames * sizeof(double));
	for (int64 day = from; day < end; day++)
	{
		int step = clv_calendar_step_beyond(later, day);
		int made = clv_calendar_step_beyond(own, day);
		double *value = parts->values + (Size) parts->nsteps * own->nnames;

		if (step == before && SameFrom(own, made, made_before, given))
			continue;
		memcpy(value, later->values + (Size) step * given, given * sizeof(double));
		memcpy(value + given, own->values + (Size) made * own->nnames + given,
			   (own->nnames - given) * sizeof(double));
		parts->since[parts->nsteps++] = (DateADT) day;
		before = step;
		made_before = made;
	}
	clv_calendar_measure(parts);
	parts->has_end = true;
	parts->end = (DateADT) end;
}

/* Raises an error unless the calendar follows that of the model without a gap, and beyond as_of. */
static void
CheckFollows(const ClvCalendarParts *own, const ClvCalendarParts *later, const ClvModel *fitted)
{
	char date[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	if (later->since[0] > clv_calendar_end(own))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("nothing is known between the two calendars"),
						errdetail("That of the model ends before %s, the other begins on %s.",
								  clv_date_text((DateADT) clv_calendar_end(own), date),
								  clv_date_text(later->since[0], other))));
	if (fitted->has_as_of && clv_calendar_end(later) <= (int64) fitted->as_of + 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the calendar has no steps after as_of of the model, %s",
							   clv_date_text(fitted->as_of, date)),
						errdetail("It ends before %s.",
								  clv_date_text((DateADT) clv_calendar_end(later), other)),
						errhint("Give the steps to come.")));
}

/*
 * Makes parts those of own until a day and those of later from it on; the day of a step that is cut
 * is its new beginning.
 */
static void
Splice(const ClvCalendarParts *own, const ClvCalendarParts *later, DateADT day,
	   ClvCalendarParts *parts)
{
	int width = own->nnames;
	int most = own->nsteps + later->nsteps;

	*parts = *later;
	parts->nsteps = 0;
	parts->since = palloc(most * sizeof(DateADT));
	parts->values = palloc((Size) most * width * sizeof(double));
	for (int i = 0; i < most; i++)
	{
		const ClvCalendarParts *from = i < own->nsteps ? own : later;
		int step = i < own->nsteps ? i : i - own->nsteps;
		bool over = from == later && step + 1 < later->nsteps && later->since[step + 1] <= day;

		if (from == own ? own->since[step] >= day : over)
			continue;
		parts->since[parts->nsteps] = from == own ? own->since[step] : Max(later->since[step], day);
		memcpy(parts->values + (Size) parts->nsteps * width, from->values + (Size) step * width,
			   width * sizeof(double));
		parts->nsteps++;
	}
	/* rows keep their length: the calendar ends where later does */
	parts->last = Max(later->last, parts->since[parts->nsteps - 1]);
	parts->has_end = true;
	parts->end = (DateADT) clv_calendar_end(later);
	clv_calendar_measure(parts);
}

/* ---- paths of customers ---- */

/* A calendar that is read day by day, or from step to step; beyond its end as a year earlier. */
typedef struct Reader
{
	const ClvCalendarParts *parts;
	int64 end;
	int step;
	int64 next; /* the first day on which the step may be another */
} Reader;

/* Sets the step that holds the day, and when to look again. */
static void
ReadAt(Reader *reader, int64 day)
{
	const ClvCalendarParts *parts = reader->parts;

	reader->step = clv_calendar_step_beyond(parts, day);
	reader->next = day >= reader->end ? day + 1
				   : reader->step + 1 < parts->nsteps
					   ? Min(parts->since[reader->step + 1], reader->end)
					   : reader->end;
}

/* Makes parts a path with the covariates of the calendar of everybody behind its own. */
static void
JoinPath(const ClvCalendarParts *path, const ClvCalendarParts *common, ClvCalendarParts *parts)
{
	Reader one = {path, clv_calendar_end(path), 0, 0};
	Reader other = {common, clv_calendar_end(common), 0, 0};
	int64 day = Max(path->since[0], common->since[0]);
	int64 end = Min(Max(one.end, other.end), day + CLV_CALENDAR_STEPS);
	int width = path->nnames + common->nnames;

	*parts = *path;
	for (int i = 0; i < common->nnames; i++)
		parts->name[path->nnames + i] = common->name[i];
	parts->nnames = width;
	parts->nsteps = 0;
	parts->since = palloc((end - day) * sizeof(DateADT));
	parts->values = palloc_extended((Size) (end - day) * width * sizeof(double), MCXT_ALLOC_HUGE);
	while (day < end)
	{
		double *value = parts->values + (Size) parts->nsteps * width;

		ReadAt(&one, day);
		ReadAt(&other, day);
		memcpy(value, path->values + (Size) one.step * path->nnames, path->nnames * sizeof(double));
		memcpy(value + path->nnames, common->values + (Size) other.step * common->nnames,
			   common->nnames * sizeof(double));
		parts->since[parts->nsteps++] = (DateADT) day;
		day = Min(one.next, other.next);
	}
	clv_calendar_measure(parts);
	parts->has_end = true;
	parts->end = (DateADT) end;
}

/* Says once a statement where a path ends before the calendar of everybody. */
static void
SayEnds(const ClvCalendarParts *path, const ClvCalendarParts *common)
{
	char date[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	if (clv_calendar_end(path) >= clv_calendar_end(common) || !clv_first_in_statement("path"))
		return;
	ereport(
		NOTICE,
		(errmsg("paths of customers end before the calendar of the model"),
		 errdetail("One ends before %s, the calendar before %s; in between, days are taken to be "
				   "as the same days a year earlier.",
				   clv_date_text((DateADT) clv_calendar_end(path), date),
				   clv_date_text((DateADT) clv_calendar_end(common), other)),
		 errhint("Give the steps to come in the paths.")));
}

/* An error unless the path has the names that the model awaits, and reaches its as_of. */
static void
CheckPath(const ClvModel *fitted, const ClvCalendarParts *path)
{
	const ClvModelPart *part = &fitted->purchase;
	ClvCalendarParts awaited = {.nnames = part->awaited};
	char date[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	for (int i = 0; i < part->awaited; i++)
		awaited.name[i] = (char *) part->covariate[clv_model_own_covariates(part) + i];
	clv_calendar_same_names(&awaited, path, path->since[0]);
	if (fitted->has_as_of && clv_calendar_end(path) <= fitted->as_of)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the path of a customer ends before as_of of the model, %s",
							   clv_date_text(fitted->as_of, date)),
						errdetail("The first day after it is %s.",
								  clv_date_text((DateADT) clv_calendar_end(path), other)),
						errhint("Give the steps up to as_of, and those to come.")));
}

/* The calendar of a customer of the model who has this path. */
static ClvCalendar *
OwnCalendar(const ClvModel *fitted, ClvCalendar *given)
{
	ClvCalendarParts path;
	ClvCalendarParts common;
	ClvCalendarParts parts;

	clv_calendar_unpack_value(given, &path);
	CheckPath(fitted, &path);
	if (fitted->purchase.calendar == NULL)
		return given;
	clv_calendar_unpack_value(fitted->purchase.calendar, &common);
	SayEnds(&path, &common);
	JoinPath(&path, &common, &parts);
	return clv_calendar_pack(&parts);
}

/* ---- in SQL ---- */

/* The calendar of the model with the steps of another from the day after its as_of on. */
static ClvCalendar *
LaterCalendar(const ClvModel *fitted, const ClvCalendar *given)
{
	ClvCalendarParts own;
	ClvCalendarParts later;
	ClvCalendarParts parts;
	DateADT day;

	if (fitted->purchase.calendar == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the model has no calendar"),
				 errhint("Fit one with clv_options(calendar => ...).")));
	clv_calendar_unpack_value(fitted->purchase.calendar, &own);
	clv_calendar_unpack_value(given, &later);
	CheckFollows(&own, &later, fitted);
	day = later.since[0];
	if (fitted->has_as_of && day <= fitted->as_of)
		day = fitted->as_of + 1;
	if (GoesOnFrom(&own, later.nnames))
	{
		Complete(&own, &later, day, &parts);
		later = parts;
	}
	clv_calendar_same_names(&own, &later, later.since[0]);
	Splice(&own, &later, day, &parts);
	return clv_calendar_pack(&parts);
}

/*
 * clv_with_calendar(model, calendar) -> clv_model: the model with the steps of the calendar from
 * the day after its as_of on, or where the calendar begins later from there; of a model that was
 * fitted with paths, that of a customer with this path. Strict. Errors where the model has neither
 * calendar nor paths, names differ (those of a season and trend may be missing), or nothing is
 * known of days between.
 */
PG_FUNCTION_INFO_V1(clv_with_calendar);
Datum
clv_with_calendar(PG_FUNCTION_ARGS)
{
	ClvModelCache *cache = fcinfo->flinfo->fn_extra;
	ClvCalendar *given = PG_GETARG_CLV_CALENDAR_P(1);
	ClvModel fitted;

	if (cache == NULL)
		cache = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ClvModelCache));
	fitted = *clv_model_lookup(cache, PG_GETARG_DATUM(0), fcinfo->flinfo->fn_mcxt);
	fitted.purchase.calendar =
		fitted.purchase.awaited > 0 ? OwnCalendar(&fitted, given) : LaterCalendar(&fitted, given);
	fitted.purchase.awaited = 0;
	PG_RETURN_CLV_MODEL_P(clv_model_pack(&fitted));
}
