/*
 * fit_calendar.c
 *		The calendar of a fit as a course of covariates for the engine.
 */
#include "fit/fit_private.h"

#include "math/sum.h"

void
clv_fit_follow(FitContext *fit, ClvCalendar *calendar)
{
	memset(&fit->calendar, 0, sizeof(fit->calendar));
	fit->packed = calendar;
	clv_fit_options_check_names(fit->options, calendar);
	if (calendar != NULL)
		clv_calendar_unpack_value(calendar, &fit->calendar);
}

int
clv_fit_ncovariates(const FitContext *fit)
{
	return fit->options->ncovariates + fit->calendar.nnames;
}

const char *
clv_fit_covariate_name(const FitContext *fit, int i)
{
	int own = fit->options->ncovariates;

	return i < own ? clv_fit_covariate(fit->options, i) : fit->calendar.name[i - own];
}

DateADT
clv_fit_first(const FitContext *fit)
{
	int64 first = PG_INT64_MAX;

	for (int64 i = 0; i < fit->view.head->ncells; i++)
		first = Min(first, fit->view.cells[i].since);
	return (DateADT) first;
}

/* Raises an error unless the calendar has values for all days from the first purchase to as_of. */
static void
CheckCovers(const FitContext *fit, DateADT first)
{
	const ClvCalendarParts *calendar = &fit->calendar;
	DateADT as_of = fit->fitted.as_of;
	char day[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	if (calendar->since[0] > first)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the calendar begins on %s, after the first purchase on %s",
							   clv_date_text(calendar->since[0], day), clv_date_text(first, other)),
						errdetail("%s", clv_fit_which(fit)),
						errhint("Give the calendar steps for the time of all customers.")));
	if (clv_calendar_end(calendar) <= as_of)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the calendar ends before as_of: nothing is known of %s",
							   clv_date_text(as_of, other)),
						errdetail("The first day after the calendar is %s. %s",
								  clv_date_text((DateADT) clv_calendar_end(calendar), day),
								  clv_fit_which(fit)),
						errhint("Append steps to the calendar (||), or give an earlier as_of.")));
}

/* The step that holds the day of the first purchase: values are counted from its values. */
static int
FirstStep(const FitContext *fit)
{
	return clv_calendar_step(&fit->calendar, clv_fit_first(fit));
}

/* The values of n steps from the first one on, less those of the first. */
static double *
Values(const ClvCalendarParts *calendar, int first, int n)
{
	int width = calendar->nnames;
	const double *from = calendar->values + (Size) first * width;
	double *z = palloc((Size) n * width * sizeof(double));

	for (int i = 0; i < n * width; i++)
		z[i] = from[i] - from[i % width];
	return z;
}

/* The sums of the values over all repeat purchases. */
static double *
SumBought(const FitContext *fit, int first, const double *z)
{
	const ClvCalendarParts *calendar = &fit->calendar;
	int width = calendar->nnames;
	double *bought = palloc(width * sizeof(double));
	ClvSum sum[CLV_CALENDAR_NAMES] = {{0}};

	for (int64 i = 0; i < fit->view.head->ndays; i++)
	{
		const ClvDayEntry *day = &fit->view.days[i];
		int step = clv_calendar_step(calendar, (DateADT) day->day) - first;

		for (int j = 0; j < width; j++)
			clv_sum_add(&sum[j], (double) day->purchases * z[(Size) step * width + j]);
	}
	for (int j = 0; j < width; j++)
		bought[j] = clv_sum_value(&sum[j]);
	return bought;
}

ClvCourse *
clv_fit_course(const FitContext *fit)
{
	const ClvCalendarParts *calendar = &fit->calendar;
	DateADT as_of = fit->fitted.as_of;
	ClvCourse *course;
	double *from;
	double *z;
	int first;
	int n;

	if (calendar->nnames == 0)
		return NULL;
	CheckCovers(fit, clv_fit_first(fit));
	first = FirstStep(fit);
	n = clv_calendar_step(calendar, as_of) - first + 1;
	from = palloc(n * sizeof(double));
	for (int i = 0; i < n; i++)
		from[i] = (calendar->since[first + i] - as_of) / fit->fitted.unit_days;
	z = Values(calendar, first, n);
	course = palloc0(sizeof(ClvCourse));
	course->n = n;
	course->ncovariates = calendar->nnames;
	course->from = from;
	course->z = z;
	course->bought = SumBought(fit, first, z);
	course->workspace = clv_fit_alloc(clv_course_workspace(n, calendar->nnames), 1);
	return course;
}

void
clv_fit_centre(const FitContext *fit, ClvFitReport *report)
{
	const ClvCalendarParts *calendar = &fit->calendar;

	if (calendar->nnames == 0)
		return;
	for (int j = 0; j < calendar->nnames; j++)
		report->centre[fit->options->ncovariates + j] +=
			calendar->values[(Size) FirstStep(fit) * calendar->nnames + j];
}
