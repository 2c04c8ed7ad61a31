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
	return fit->options->ncovariates + fit->options->npath + fit->calendar.nnames;
}

const char *
clv_fit_covariate_name(const FitContext *fit, int i)
{
	int own = fit->options->ncovariates;
	int known = own + fit->options->npath;

	return i < own     ? clv_fit_covariate(fit->options, i)
		   : i < known ? clv_fit_path_name(fit->options, i - own)
					   : fit->calendar.name[i - known];
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

/* Sets the sums of the values of the calendar, less those of reference, over all repeat purchases.
 */
static void
SumBought(const FitContext *fit, const double *reference, double *bought)
{
	const ClvCalendarParts *calendar = &fit->calendar;
	int width = calendar->nnames;
	ClvSum sum[CLV_CALENDAR_NAMES] = {{0}};

	for (int64 i = 0; i < fit->view.head->ndays; i++)
	{
		const ClvDayEntry *day = &fit->view.days[i];
		Size step = clv_calendar_step(calendar, (DateADT) day->day);

		for (int j = 0; j < width; j++)
			clv_sum_add(&sum[j], (double) day->purchases *
									 (calendar->values[step * width + j] - reference[j]));
	}
	for (int j = 0; j < width; j++)
		bought[j] = clv_sum_value(&sum[j]);
}

/* Sets the steps of a course that is the same for all. */
static void
CommonCourse(FitContext *fit, ClvCourse *course)
{
	const ClvCalendarParts *calendar = &fit->calendar;
	DateADT as_of = fit->fitted.as_of;
	int width = calendar->nnames;
	int first = clv_calendar_step(calendar, clv_fit_first(fit));
	int n = clv_calendar_step(calendar, as_of) - first + 1;
	const double *values = calendar->values + (Size) first * width;
	double *from = palloc(n * sizeof(double));
	double *z = palloc((Size) n * width * sizeof(double));

	memcpy(fit->reference, values, width * sizeof(double));
	for (int i = 0; i < n; i++)
		from[i] = (calendar->since[first + i] - as_of) / fit->fitted.unit_days;
	for (int i = 0; i < n * width; i++)
		z[i] = values[i] - fit->reference[i % width];
	course->n = n;
	course->from = from;
	course->z = z;
	course->bought = palloc(width * sizeof(double));
}

/*
 * Sets the times between purchases, path by path, where the cells hold them: in the order of the
 * days, whatever order customers came in.
 */
static void
SetGaps(const FitContext *fit, const FitPaths *paths, ClvCourse *course)
{
	const ClvCellsHead *head = fit->view.head;
	uint32 npaths = Max(paths->npaths, 1);
	double unit = fit->fitted.unit_days;
	uint32 path = 0;
	size_t n = 0;
	ClvDayEntry *days;
	ClvGap *gaps;
	size_t *first;

	if (!ClvDaysHaveGaps(head))
		return;
	days = clv_fit_alloc(head->ndays, sizeof(ClvDayEntry));
	gaps = clv_fit_alloc(head->ndays, sizeof(ClvGap));
	first = clv_fit_alloc(npaths + 1, sizeof(size_t));
	memcpy(days, fit->view.days, head->ndays * sizeof(ClvDayEntry));
	for (int64 i = 0; paths->npaths > 0 && i < head->ndays; i++)
		days[i].vector = paths->of_vector[days[i].vector];
	if (paths->npaths > 0)
		clv_days_sort(days, head->ndays);
	for (int64 i = 0; i < head->ndays; i++)
	{
		double to = (days[i].day - fit->fitted.as_of) / unit;
		double from = (days[i].day - days[i].gap - fit->fitted.as_of) / unit;

		while (path <= days[i].vector)
			first[path++] = n;
		if (n > first[path - 1] && gaps[n - 1].to == to && gaps[n - 1].from == from)
			gaps[n - 1].count += (double) days[i].purchases;
		else
			gaps[n++] = (ClvGap){from, to, (double) days[i].purchases};
	}
	while (path <= npaths)
		first[path++] = n;
	pfree(days);
	course->gaps = gaps;
	course->first_gap = first;
}

ClvCourse *
clv_fit_course(FitContext *fit, const FitPaths *paths)
{
	int npath = fit->options->npath;
	ClvCourse *course;

	if (fit->calendar.nnames + npath == 0)
		return NULL;
	if (fit->calendar.nnames > 0)
		CheckCovers(fit, clv_fit_first(fit));
	course = palloc0(sizeof(ClvCourse));
	course->ncovariates = npath + fit->calendar.nnames;
	if (npath > 0)
		clv_fit_path_course(fit, paths, course);
	else
		CommonCourse(fit, course);
	SumBought(fit, fit->reference + npath, (double *) course->bought + npath);
	SetGaps(fit, paths, course);
	course->workspace = clv_fit_alloc(clv_course_workspace(course), 1);
	return course;
}

void
clv_fit_free_course(ClvCourse *course)
{
	if (course == NULL)
		return;
	pfree((double *) course->from);
	pfree((double *) course->z);
	pfree(course->workspace);
	if (course->gaps != NULL)
	{
		pfree((ClvGap *) course->gaps);
		pfree((size_t *) course->first_gap);
	}
	pfree(course);
}

void
clv_fit_centre(const FitContext *fit, ClvFitReport *report)
{
	for (int j = 0; j < fit->options->npath + fit->calendar.nnames; j++)
		report->centre[fit->options->ncovariates + j] += fit->reference[j];
}
