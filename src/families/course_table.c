/*
 * course_table.c
 *		What a search needs of covariates that follow a calendar: standardised, and clocks.
 *
 * The covariates are the same for all customers, or for those of one path, so that the clocks of a
 * customer (clocks.h) depend on the path and the day of the first purchase alone. The clock of
 * purchases, its gradient and its Hessian by the effects are computed once for each step, at its
 * beginning; within a step they grow evenly. Between two times they are differences of these.
 * Customers of one path follow each other, so that one path at a time is at hand.
 */
#include "families/course_table.h"

#include <math.h>
#include <string.h>

/* ---- memory ---- */

/* The steps of all paths. */
static size_t
Steps(const ClvCourse *course)
{
	return course->npaths > 0 ? course->first[course->npaths] : (size_t) course->n;
}

/* Lays out the arrays of a table. */
static void
LayOut(ClvCourseTable *table, ClvArena *arena, const ClvCourse *course)
{
	size_t n = (size_t) course->n;
	size_t ncovariates = (size_t) course->ncovariates;

	table->weight = clv_arena_take(arena, Steps(course), sizeof(double));
	table->begun = clv_arena_take(arena, Steps(course), sizeof(double));
	table->z = clv_arena_take(arena, n * ncovariates, sizeof(double));
	table->stretch = clv_arena_take(arena, n, sizeof(ClvStretch));
	table->first = clv_arena_take(arena, n * ncovariates, sizeof(double));
	table->second = clv_arena_take(arena, n * CLV_TRIANGLE(ncovariates), sizeof(double));
	table->leaving_first = clv_arena_take(arena, n * ncovariates, sizeof(double));
	table->leaving_second = clv_arena_take(arena, n * CLV_TRIANGLE(ncovariates), sizeof(double));
	table->step = clv_arena_take(arena, n, sizeof(ClvCourseStep));
	table->own = clv_arena_take(arena, n, sizeof(ClvStretch));
	table->times = clv_arena_take(arena, CLV_COURSE_TOGETHER, sizeof(double));
	table->counts = clv_arena_take(arena, CLV_COURSE_TOGETHER, sizeof(double));
	table->plain = clv_arena_take(arena, CLV_COURSE_TOGETHER, sizeof(ClvTerm));
	table->wide = clv_arena_take(arena, CLV_COURSE_TOGETHER, sizeof(ClvWideTerm));
	table->unknown = clv_arena_take(arena, CLV_MAX_DIM, sizeof(ClvCourseUnknown));
}

size_t
clv_course_workspace(const ClvCourse *course)
{
	ClvCourseTable table;
	ClvArena arena = {NULL, 0};

	LayOut(&table, &arena, course);
	return arena.used;
}

void
clv_course_take_path(ClvCourseTable *table, uint32_t path)
{
	const ClvCourse *whole = table->whole;
	size_t first = whole->npaths > 0 ? whole->first[path] : 0;

	table->now = *whole;
	table->now.n = whole->npaths > 0 ? (int) (whole->first[path + 1] - first) : whole->n;
	table->now.from = whole->from + first;
	table->now.z = whole->z + first * whole->ncovariates;
}

uint32_t
clv_course_path(const ClvCourse *whole, uint32_t group)
{
	return whole->npaths > 0 ? whole->path[group] : 0;
}

void
clv_course_lay_out(ClvCourseTable *table, const ClvCourse *course)
{
	ClvArena arena = {course->workspace, 0};

	table->whole = course;
	table->course = &table->now;
	LayOut(table, &arena, course);
	clv_course_take_path(table, 0);
}

/* ---- covariates ---- */

int
clv_course_step(const ClvCourse *course, double t)
{
	int low = 0;
	int high = course->n;

	while (high - low > 1)
	{
		int middle = low + (high - low) / 2;

		*(course->from[middle] <= t ? &low : &high) = middle;
	}
	return low;
}

/* The end of a step of the path at hand, at most that of the data. */
static double
EndOf(const ClvCourse *course, int step)
{
	return step + 1 < course->n ? fmin(course->from[step + 1], 0) : 0;
}

/*
 * Sets the weights of the steps: how long customers have been in each, from their first purchases
 * until the end of the data.
 */
static void
SetExposure(ClvCourseTable *table, const ClvCellTable *cells)
{
	const ClvCourse *whole = table->whole;
	uint32_t npaths = whole->npaths > 0 ? whole->npaths : 1;

	memset(table->weight, 0, Steps(whole) * sizeof(double));
	memset(table->begun, 0, Steps(whole) * sizeof(double));
	for (size_t i = 0; i < cells->n; i++)
	{
		const ClvCell *cell = &cells->cells[i];
		uint32_t path = clv_course_path(whole, cell->group);
		size_t step;

		if (whole->npaths > 0)
			clv_course_take_path(table, path);
		step = (size_t) clv_course_step(table->course, -cell->T);
		table->weight[(table->now.from - whole->from) + step] +=
			cell->count * (EndOf(table->course, (int) step) + cell->T);
		table->begun[(table->now.from - whole->from) + step] += cell->count;
		clv_poll(cells->poll, 1);
	}
	for (uint32_t path = 0; path < npaths; path++)
	{
		double before = 0;
		size_t first;

		clv_course_take_path(table, path);
		first = (size_t) (table->now.from - whole->from);
		for (int i = 0; i < table->course->n; i++)
		{
			table->weight[first + i] +=
				before * fmax(EndOf(table->course, i) - table->course->from[i], 0);
			before += table->begun[first + i];
		}
		clv_poll(cells->poll, (size_t) table->course->n);
	}
}

void
clv_course_standardise(ClvCourseTable *table)
{
	size_t first = (size_t) (table->now.from - table->whole->from);

	for (int i = 0; i < table->course->n; i++)
		clv_covariates_of(&table->covariates, first + i,
						  table->z + (size_t) i * table->course->ncovariates);
}

/* Standardises the covariates of the calendar. */
static ClvStatus
SurveyCourse(ClvCourseTable *table, const ClvCellTable *cells, const uint32_t *acting, int *culprit)
{
	const ClvCourse *whole = table->whole;
	ClvGroups groups = {
		.n = (uint32_t) Steps(whole), .ncovariates = whole->ncovariates, .z = whole->z};

	SetExposure(table, cells);
	return clv_covariates_survey_weighted(table->weight, &groups, acting, cells->poll,
										  &table->covariates, culprit);
}

/* Standardises the covariates of the customers, if they have any. */
static ClvStatus
SurveyPersonal(ClvCourseTable *table, const ClvCellTable *cells, const uint32_t *acting,
			   int *culprit)
{
	memset(&table->personal, 0, sizeof(table->personal));
	if (cells->groups == NULL || cells->groups->ncovariates == 0)
		return CLV_OK;
	return clv_covariates_survey(cells->cells, cells->n, cells->groups, acting, cells->poll,
								 &table->personal, culprit);
}

/* Adds covariates behind those that are there; they stay uncorrelated with these. */
static void
Append(const ClvCovariates *more, ClvCovariates *covariates)
{
	int n = covariates->n;

	for (int i = 0; i < more->n; i++)
	{
		covariates->mean[n + i] = more->mean[i];
		covariates->size[n + i] = more->size[i];
		covariates->spread[n + i] = more->spread[i];
		covariates->range[n + i] = more->range[i];
		memset(&covariates->row[CLV_AT(n + i, 0)], 0, n * sizeof(double));
		memcpy(&covariates->row[CLV_AT(n + i, n)], &more->row[CLV_AT(i, 0)],
			   (i + 1) * sizeof(double));
	}
	covariates->n += more->n;
}

ClvStatus
clv_course_survey(ClvCourseTable *table, const ClvCellTable *cells, const uint32_t acting[3],
				  ClvCovariates *both, int *culprit)
{
	int n = cells->groups != NULL ? cells->groups->ncovariates : 0;
	uint32_t later[3] = {acting[0] >> n, acting[1] >> n, acting[2] >> n};
	ClvStatus status = SurveyPersonal(table, cells, acting, culprit);

	if (status != CLV_OK)
		return status;
	if (cells->family->clocked->law == NULL)
		later[1] = UINT32_MAX;
	status = SurveyCourse(table, cells, later, culprit);
	if (status != CLV_OK)
	{
		*culprit += *culprit < 0 ? 0 : n;
		return status;
	}
	memset(both, 0, sizeof(*both));
	Append(&table->personal, both);
	Append(&table->covariates, both);
	both->idle[0] = acting[0];
	both->idle[1] = later[1] << n | (acting[1] & (((uint32_t) 1 << n) - 1));
	both->same = acting[2];
	both->followed = table->covariates.n;
	return CLV_OK;
}

/* ---- clocks ---- */

/* Moves a clock and its derivatives on by a length of time within a step. */
static void
Grow(const ClvCourseTable *table, int step, double length, double *first, double *second)
{
	int n = table->course->ncovariates;
	const double *z = table->z + (size_t) step * n;
	double b = table->stretch[step].a * length;

	for (int i = 0; i < n; i++)
	{
		first[i] += b * z[i];
		for (int j = 0; j <= i; j++)
			second[CLV_AT(i, j)] += b * z[i] * z[j];
	}
}

void
clv_course_set_clocks(ClvCourseTable *table, const double *effect)
{
	const ClvCourse *course = table->course;
	int n = course->ncovariates;

	clv_clocks_set(table->stretch, course->n, course->from, table->z, n, effect);
	memset(table->first, 0, n * sizeof(double));
	memset(table->second, 0, CLV_TRIANGLE(n) * sizeof(double));
	for (int i = 1; i < course->n; i++)
	{
		double *first = table->first + (size_t) i * n;
		double *second = table->second + (size_t) i * CLV_TRIANGLE(n);

		memcpy(first, first - n, n * sizeof(double));
		memcpy(second, second - CLV_TRIANGLE(n), CLV_TRIANGLE(n) * sizeof(double));
		Grow(table, i - 1, course->from[i] - course->from[i - 1], first, second);
	}
}

void
clv_course_set_steps(ClvCourseTable *table)
{
	const ClvCourse *course = table->course;
	int n = course->ncovariates;
	double d = 0;

	for (int i = 0; i < course->n; i++)
	{
		double *first = table->leaving_first + (size_t) i * n;
		double *second = table->leaving_second + (size_t) i * CLV_TRIANGLE(n);
		double grown =
			i > 0 ? table->stretch[i - 1].c * (course->from[i] - course->from[i - 1]) : 0;
		const double *z = table->z + (size_t) (i > 0 ? i - 1 : 0) * n;

		d += grown;
		for (int j = 0; j < n; j++)
		{
			first[j] = (i > 0 ? first[j - n] : 0) + grown * z[j];
			for (int k = 0; k <= j; k++)
				second[CLV_AT(j, k)] =
					(i > 0 ? second[CLV_AT(j, k) - CLV_TRIANGLE(n)] : 0) + grown * z[j] * z[k];
		}
		table->step[i] = (ClvCourseStep){.from = course->from[i],
										 .a = table->stretch[i].a,
										 .c = table->stretch[i].c,
										 .b = table->stretch[i].b,
										 .d = d,
										 .z = table->z + (size_t) i * n,
										 .b1 = table->first + (size_t) i * n,
										 .d1 = first,
										 .b2 = table->second + (size_t) i * CLV_TRIANGLE(n),
										 .d2 = second};
	}
}

void
clv_course_point(const ClvCourseTable *table, double t, ClvClockPoint *point)
{
	int n = table->course->ncovariates;
	int step = clv_course_step(table->course, t);
	const ClvStretch *stretch = &table->stretch[step];

	memcpy(point->db, table->first + (size_t) step * n, n * sizeof(double));
	memcpy(point->bb, table->second + (size_t) step * CLV_TRIANGLE(n),
		   CLV_TRIANGLE(n) * sizeof(double));
	point->b = stretch->b + stretch->a * (t - stretch->from);
	Grow(table, step, t - stretch->from, point->db, point->bb);
}

void
clv_course_point_since(const ClvCourseTable *table, const ClvClockPoint *since, double t,
					   ClvClockPoint *point)
{
	int n = table->course->ncovariates;

	clv_course_point(table, t, point);
	clv_clock_between(n, since, point, point);
}

void
clv_course_point_between(const ClvCourseTable *table, double from, double to, ClvClockPoint *point)
{
	const ClvCourse *course = table->course;
	int n = course->ncovariates;
	int i = clv_course_step(course, from);
	int last = clv_course_step(course, to);
	size_t next = (size_t) i + 1;

	memset(point->db, 0, n * sizeof(double));
	memset(point->bb, 0, CLV_TRIANGLE(n) * sizeof(double));
	if (i == last)
	{
		point->b = table->stretch[i].a * (to - from);
		Grow(table, i, to - from, point->db, point->bb);
		return;
	}
	for (int j = 0; j < n; j++)
		point->db[j] = table->first[(size_t) last * n + j] - table->first[next * n + j];
	for (int j = 0; j < CLV_TRIANGLE(n); j++)
		point->bb[j] = table->second[(size_t) last * CLV_TRIANGLE(n) + j] -
					   table->second[next * CLV_TRIANGLE(n) + j];
	point->b = table->stretch[i].a * (course->from[next] - from) +
			   (table->stretch[last].b - table->stretch[next].b) +
			   table->stretch[last].a * (to - course->from[last]);
	Grow(table, i, course->from[next] - from, point->db, point->bb);
	Grow(table, last, to - course->from[last], point->db, point->bb);
}

ClvClocks
clv_course_own_clocks(const ClvCourseTable *table, double T)
{
	const ClvCourse *course = table->course;
	int first = clv_course_step(course, -T);
	ClvStretch *own = table->own;
	int n = 0;

	for (int i = first; i < course->n && course->from[i] < 0; i++, n++)
	{
		clv_stretch_begin(n == 0 ? NULL : &own[n - 1], n == 0 ? 0 : course->from[i] + T,
						  table->stretch[i].a, table->stretch[i].c, &own[n]);
	}
	if (n == 0)
		own[n++] = (ClvStretch){.a = table->stretch[first].a, .c = table->stretch[first].c};
	return (ClvClocks){.n = n,
					   .stretch = own,
					   .ncovariates = course->ncovariates,
					   .z = table->z + (size_t) first * course->ncovariates};
}
