/*
 * fit_season.c
 *		The time of the year and the trend as covariates of a calendar that the fit makes itself.
 *
 * Harmonics are sines and cosines of the time of the year, in steps of a week, rounded so that
 * their text is short; a level a month is a covariate for each month but January. The trend is the
 * time in years. Into the future it goes on for half the time that the data span, and is level for
 * a year then, so that what continues the calendar, the same days a year earlier, is level too.
 */
#include "fit/fit_private.h"

#include <math.h>

#include "common/arguments.h"
#include "math/dates.h"

#define DAYS_OF_WEEK 7
#define MONTHS 12
#define ROUNDING 1e4

/* A season needs so many days of data; with a trend there is a warning below so many. */
#define FEW_DAYS 456
#define TWO_YEARS 730

/* Longer data have a date that is wrong. */
#define MOST_DAYS 365250

/* The days from the first purchase to as_of. */
static int64
Span(const FitContext *fit)
{
	return (int64) fit->fitted.as_of - clv_fit_first(fit);
}

bool
clv_fit_has_years(const FitContext *fit)
{
	return Span(fit) >= FEW_DAYS;
}

/* An error where the data are too short or too long, a warning where they are too short for both.
 */
static void
CheckSpan(const FitContext *fit, ClvSeason season)
{
	if (Span(fit) > MOST_DAYS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the data are too long for a season or trend: " INT64_FORMAT " days",
							   Span(fit)),
						errdetail("%s", clv_fit_which(fit)),
						errhint("Are all days right? Leave out those that are not.")));
	if (season.harmonics == 0 && !season.months)
		return;
	if (!clv_fit_has_years(fit))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the data are too short for a season: " INT64_FORMAT " days", Span(fit)),
				 errdetail("In less than fifteen months a season cannot be told from what changes "
						   "anyway. %s",
						   clv_fit_which(fit)),
				 errhint("Leave out season, or give what is known of it as a calendar.")));
	if (season.trend && Span(fit) < TWO_YEARS && clv_first_in_statement("season and trend"))
		ereport(WARNING,
				(errmsg("a season and a trend are hard to tell apart in less than two years"),
				 errdetail("There are " INT64_FORMAT " days. %s", Span(fit), clv_fit_which(fit)),
				 errhint("Leave out one of them, or use more data.")));
}

/* The first day after the calendar. */
static int64
EndOf(const FitContext *fit, const ClvCalendarParts *own, ClvSeason season)
{
	int64 end = (int64) fit->fitted.as_of + 1;

	if (season.trend)
		end = clv_day_plus(end + Span(fit) / 2 + DAYS_OF_WEEK, MONTHS, 0);
	return own != NULL ? Max(end, clv_calendar_end(own)) : end;
}

/* Adds the names of the covariates. */
static void
AddNames(ClvCalendarParts *parts, ClvSeason season)
{
	for (int k = 1; k <= season.harmonics; k++)
	{
		clv_calendar_add_name(parts, psprintf("season_sin%d", k));
		clv_calendar_add_name(parts, psprintf("season_cos%d", k));
	}
	for (int m = 2; season.months && m <= MONTHS; m++)
		clv_calendar_add_name(parts, psprintf("season_month%d", m));
	if (season.trend)
		clv_calendar_add_name(parts, "trend");
}

/* The value to four digits after the point, with no negative zero. */
static double
Rounded(double value)
{
	return rint(value * ROUNDING) / ROUNDING + 0.0;
}

/* Sets the values of a week that begins on the day, or of a month. */
static void
SetValues(const FitContext *fit, ClvSeason season, int64 day, double *value)
{
	double middle = (double) day + DAYS_OF_WEEK / 2.0;
	double angle = 2 * M_PI * middle / CLV_DAYS_PER_YEAR;
	int of_month;
	int month = (int) (clv_day_month(day, &of_month) % MONTHS);

	for (int k = 1; k <= season.harmonics; k++)
	{
		*value++ = Rounded(sin(k * angle));
		*value++ = Rounded(cos(k * angle));
	}
	for (int m = 1; season.months && m < MONTHS; m++)
		*value++ = m == month;
	if (season.trend)
		*value = Rounded(Min(middle - fit->fitted.as_of, Span(fit) / 2.0) / CLV_DAYS_PER_YEAR);
}

/* Whether a step begins on the day: the first, a week, a month, or a step of the given calendar. */
static bool
Begins(const ClvCalendarParts *own, ClvSeason season, int64 first, int64 day)
{
	int of_month;

	if ((day - first) % DAYS_OF_WEEK == 0)
		return true;
	(void) clv_day_month(day, &of_month);
	if (season.months && of_month == 1)
		return true;
	return own != NULL &&
		   clv_calendar_step_beyond(own, day) != clv_calendar_step_beyond(own, day - 1);
}

/* Adds the steps from the first day on until the end. */
static void
AddSteps(const FitContext *fit, const ClvCalendarParts *own, ClvSeason season, int64 first,
		 int64 end, ClvCalendarParts *parts)
{
	int given = own != NULL ? own->nnames : 0;

	for (int64 day = first; day < end; day++)
	{
		double *value = parts->values + (Size) parts->nsteps * parts->nnames;

		if (!Begins(own, season, first, day))
			continue;
		if (own != NULL)
			memcpy(value, own->values + (Size) clv_calendar_step_beyond(own, day) * given,
				   given * sizeof(double));
		SetValues(fit, season, day, value + given);
		parts->since[parts->nsteps++] = (DateADT) day;
	}
}

ClvCalendar *
clv_fit_season(const FitContext *fit, ClvSeason season)
{
	ClvCalendarParts *own = NULL;
	ClvCalendarParts given;
	ClvCalendarParts parts;
	int64 first = clv_fit_first(fit);
	int64 end;

	CheckSpan(fit, season);
	memset(&parts, 0, sizeof(parts));
	if (fit->view.calendar != NULL)
	{
		own = &given;
		clv_calendar_unpack_value(fit->view.calendar, own);
		for (int i = 0; i < own->nnames; i++)
			clv_calendar_add_name(&parts, own->name[i]);
		first = Max(first, own->since[0]); /* where it begins too late, the fit says so */
		if (clv_calendar_end(own) <= fit->fitted.as_of)
			return (ClvCalendar *) fit->view.calendar; /* and where it ends too early */
	}
	AddNames(&parts, season);
	if (parts.nnames == 0)
		return NULL;
	end = EndOf(fit, own, season);
	parts.since = palloc((end - first) * sizeof(DateADT));
	parts.values = palloc((end - first) * parts.nnames * sizeof(double));
	AddSteps(fit, own, season, first, end, &parts);
	clv_calendar_measure(&parts);
	parts.has_end = true;
	parts.end = (DateADT) end;
	return clv_calendar_pack(&parts);
}
