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

/*
 * clv_with_calendar(model, calendar) -> clv_model: the model with the steps of the calendar from
 * the day after its as_of on, or where the calendar begins later from there; strict. Errors where
 * the model has no calendar, names differ (those of a season and trend may be missing), or nothing
 * is known of days between.
 */
PG_FUNCTION_INFO_V1(clv_with_calendar);
Datum
clv_with_calendar(PG_FUNCTION_ARGS)
{
	ClvModel fitted;
	ClvCalendarParts own;
	ClvCalendarParts later;
	ClvCalendarParts parts;
	DateADT day;

	clv_model_unpack(PG_GETARG_CLV_MODEL_P(0), &fitted);
	if (fitted.purchase.calendar == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the model has no calendar"),
				 errhint("Fit one with clv_options(calendar => ...).")));
	clv_calendar_unpack_value(fitted.purchase.calendar, &own);
	clv_calendar_unpack_value(PG_GETARG_CLV_CALENDAR_P(1), &later);
	CheckFollows(&own, &later, &fitted);
	day = later.since[0];
	if (fitted.has_as_of && day <= fitted.as_of)
		day = fitted.as_of + 1;
	if (GoesOnFrom(&own, later.nnames))
	{
		Complete(&own, &later, day, &parts);
		later = parts;
	}
	clv_calendar_same_names(&own, &later, later.since[0]);
	Splice(&own, &later, day, &parts);
	fitted.purchase.calendar = clv_calendar_pack(&parts);
	PG_RETURN_CLV_MODEL_P(clv_model_pack(&fitted));
}
