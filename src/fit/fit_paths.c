/*
 * fit_paths.c
 *		Paths of customers as courses of covariates for the engine.
 *
 * A course has the covariates of a path and behind them those of the calendar that is the same for
 * everybody, with a step wherever one of the two has one.
 */
#include "fit/fit_private.h"

#include "math/sum.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define STEPS_AT_FIRST 1024

/* The numbers of the covariates of customers in a vector, behind the mark of the path. */
static int
OwnWidth(const FitContext *fit)
{
	return 1 + fit->options->ncovariates;
}

void
clv_fit_path_groups(const FitContext *fit, const double *vectors, uint32 *rank, FitPaths *paths)
{
	int width = fit->view.head->width;
	int own = OwnWidth(fit);
	int64 n = fit->view.head->nvectors;
	uint32 *group = clv_fit_alloc(n, sizeof(uint32));
	double *z = clv_fit_alloc(n * (own - 1), sizeof(double));

	memset(paths, 0, sizeof(*paths));
	paths->of_group = clv_fit_alloc(n, sizeof(uint32));
	paths->vectors = vectors;
	for (int64 i = 0; i < n; i++)
	{
		const double *vector = vectors + i * width;

		if (i == 0 || clv_vector_compare(vector - width, vector, own) != 0)
		{
			if (i == 0 || vector[-width] != vector[0])
				paths->npaths++;
			paths->of_group[paths->ngroups] = paths->npaths - 1;
			memcpy(z + (Size) paths->ngroups * (own - 1), vector + 1, (own - 1) * sizeof(double));
			paths->ngroups++;
		}
		group[i] = paths->ngroups - 1;
	}
	paths->z = z;
	paths->customers = clv_fit_alloc(n, sizeof(double));
	paths->earliest = clv_fit_alloc(paths->npaths, sizeof(int64));
	memset(paths->customers, 0, n * sizeof(double));
	for (uint32 i = 0; i < paths->npaths; i++)
		paths->earliest[i] = PG_INT64_MAX;
	for (int64 i = 0; i < fit->view.head->ncells; i++)
	{
		const ClvCellEntry *cell = &fit->view.cells[i];
		uint32 vector = rank[cell->vector];
		int64 *earliest = &paths->earliest[paths->of_group[group[vector]]];

		paths->customers[vector] += cell->count;
		*earliest = Min(*earliest, cell->since);
	}
	paths->of_vector = clv_fit_alloc(n, sizeof(uint32));
	for (int64 i = 0; i < n; i++)
	{
		rank[i] = group[rank[i]];
		paths->of_vector[i] = paths->of_group[rank[i]];
	}
	pfree(group);
}

/* Raises an error unless the path has values for all days from the first purchase to as_of. */
static void
CheckPath(const FitContext *fit, const ClvCalendarParts *path, DateADT first)
{
	DateADT as_of = fit->fitted.as_of;
	char day[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	if (clv_calendar_end(path) <= as_of)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the path of the customer who first bought on %s ends too early: nothing "
					"is known of %s",
					clv_date_text(first, day), clv_date_text(as_of, other)),
			 errdetail("The first day after it is %s. %s",
					   clv_date_text((DateADT) clv_calendar_end(path), day), clv_fit_which(fit)),
			 errhint("Give each customer a calendar until as_of, or give an earlier as_of.")));
}

/* A course in the making: steps of all paths so far. */
typedef struct Maker
{
	const FitContext *fit;
	int width; /* of path and calendar together */
	double *from;
	double *z;
	size_t n;
	size_t size;
} Maker;

/* Makes room for one more step. */
static void
ReserveStep(Maker *maker)
{
	if (maker->n < maker->size)
		return;
	maker->size += maker->size / 2 + STEPS_AT_FIRST;
	if (maker->size > PG_UINT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the paths of customers have too many steps"),
						errdetail("At most %u are possible.", PG_UINT32_MAX)));
	if (maker->from == NULL)
	{
		maker->from = clv_fit_alloc(maker->size, sizeof(double));
		maker->z = clv_fit_alloc(maker->size * maker->width, sizeof(double));
		return;
	}
	maker->from = repalloc_huge(maker->from, maker->size * sizeof(double));
	maker->z = repalloc_huge(maker->z, maker->size * maker->width * sizeof(double));
}

/* Adds a step of a path and the calendar, which is none where its step is negative. */
static void
AddStep(Maker *maker, const ClvCalendarParts *path, int step, int common, int64 day)
{
	const FitContext *fit = maker->fit;
	int n = path->nnames;
	double *z;

	ReserveStep(maker);
	maker->from[maker->n] = (double) (day - fit->fitted.as_of) / fit->fitted.unit_days;
	z = maker->z + maker->n * maker->width;
	for (int i = 0; i < n; i++)
		z[i] = path->values[(Size) step * n + i] - fit->reference[i];
	for (int i = 0; i < fit->calendar.nnames; i++)
		z[n + i] =
			fit->calendar.values[(Size) common * fit->calendar.nnames + i] - fit->reference[n + i];
	maker->n++;
}

/* Adds the steps of a path from a day to as_of. */
static void
AddPath(Maker *maker, const ClvCalendarParts *path, DateADT first)
{
	const ClvCalendarParts *calendar = &maker->fit->calendar;
	DateADT as_of = maker->fit->fitted.as_of;
	int step = clv_calendar_step(path, first);
	int common = calendar->nnames > 0 ? clv_calendar_step(calendar, first) : -1;
	int64 day = first;

	while (day <= as_of)
	{
		int64 next = step + 1 < path->nsteps ? path->since[step + 1] : PG_INT64_MAX;
		int64 other = common >= 0 && common + 1 < calendar->nsteps ? calendar->since[common + 1]
																   : PG_INT64_MAX;

		AddStep(maker, path, step, common, day);
		day = Min(next, other);
		step += next == day;
		common += other == day;
	}
}

/* Sets the values from which those of the course are counted: of the first path's first step. */
static void
SetReference(FitContext *fit, const ClvCalendarParts *path, DateADT first)
{
	const ClvCalendarParts *calendar = &fit->calendar;

	memcpy(fit->reference, path->values + (Size) clv_calendar_step(path, first) * path->nnames,
		   path->nnames * sizeof(double));
	if (calendar->nnames > 0)
		memcpy(fit->reference + path->nnames,
			   calendar->values + (Size) clv_calendar_step(calendar, first) * calendar->nnames,
			   calendar->nnames * sizeof(double));
}

/* Sets the sums of the covariates of paths over all repeat purchases. */
static void
SumBought(const FitContext *fit, const FitPaths *paths, double *bought)
{
	const ClvCellsHead *head = fit->view.head;
	double purchases = 0;

	for (int64 i = 0; i < head->ncells; i++)
		purchases += (double) fit->view.cells[i].count * fit->view.cells[i].x;
	for (int j = 0; j < fit->options->npath; j++)
	{
		ClvSum sum = {0};

		for (int64 i = 0; i < head->nvectors; i++)
			clv_sum_add(&sum,
						paths->customers[i] * paths->vectors[i * head->width + OwnWidth(fit) + j]);
		clv_sum_add(&sum, -purchases * fit->reference[j]);
		bought[j] = clv_sum_value(&sum);
	}
}

void
clv_fit_path_course(FitContext *fit, const FitPaths *paths, ClvCourse *course)
{
	const ClvPathEntry **sorted = clv_cells_sorted_paths(&fit->view);
	Maker maker = {.fit = fit, .width = course->ncovariates};
	size_t *first = clv_fit_alloc(paths->npaths + 1, sizeof(size_t));
	size_t longest = 0;
	double *bought = palloc(course->ncovariates * sizeof(double));

	for (uint32 i = 0; i < paths->npaths; i++)
	{
		DateADT since = (DateADT) paths->earliest[i];
		MemoryContext caller = MemoryContextSwitchTo(fit->scratch);
		ClvCalendarParts path;

		CHECK_FOR_INTERRUPTS();
		clv_calendar_unpack_value(ClvPathCalendar(sorted[i]), &path);
		MemoryContextSwitchTo(caller);
		CheckPath(fit, &path, since);
		if (i == 0)
			SetReference(fit, &path, since);
		first[i] = maker.n;
		AddPath(&maker, &path, since);
		longest = Max(longest, maker.n - first[i]);
		MemoryContextReset(fit->scratch);
	}
	first[paths->npaths] = maker.n;
	SumBought(fit, paths, bought);
	pfree(sorted);
	course->n = (int) longest;
	course->from = maker.from;
	course->z = maker.z;
	course->bought = bought;
	course->npaths = paths->npaths;
	course->first = first;
	course->path = paths->of_group;
}
