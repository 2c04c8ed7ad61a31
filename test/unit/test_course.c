/*
 * test_course.c
 *		Fits whose covariates follow a calendar: the likelihood against that of single customers,
 *		derivatives against differences, known effects from simulated shops, and what is refused.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "families/clocks.h"
#include "families/course.h"
#include "families/registry.h"
#include "fitting.h"

#define WEEKS 104
#define Z 2

/* Two years of weeks: campaigns, and a season; and the gaps between purchases of a shop. */
typedef struct Calendar
{
	ClvCourse course;
	double from[WEEKS];
	double z[WEEKS * Z];
	double bought[Z];
	ClvGap *gaps;
	size_t *owner; /* the customer of each */
	size_t ngaps;
	size_t first_gap[2];
} Calendar;

/* A calendar that begins before all customers. */
static void
MakeCalendar(Calendar *calendar)
{
	memset(calendar, 0, sizeof(*calendar));
	for (int i = 0; i < WEEKS; i++)
	{
		calendar->from[i] = i - WEEKS - 3.0 / 7;
		calendar->z[Z * i] = i % 9 < 2 || i % 13 == 5;
		calendar->z[Z * i + 1] = 3 + sin(i * (6.283185307179586 / 52));
	}
	calendar->course = (ClvCourse){.n = WEEKS,
								   .ncovariates = Z,
								   .from = calendar->from,
								   .z = calendar->z,
								   .bought = calendar->bought};
	calendar->course.workspace = malloc(clv_course_workspace(&calendar->course));
}

static void
FreeCalendar(Calendar *calendar)
{
	free(calendar->course.workspace);
	free(calendar->gaps);
	free(calendar->owner);
}

/* Notes a gap of a customer. */
static void
AddGap(Calendar *calendar, double from, double to, size_t owner)
{
	size_t n = calendar->ngaps++;

	calendar->gaps = realloc(calendar->gaps, (n + 1) * sizeof(ClvGap));
	calendar->owner = realloc(calendar->owner, (n + 1) * sizeof(size_t));
	calendar->gaps[n] = (ClvGap){from, to, 1};
	calendar->owner[n] = owner;
	calendar->first_gap[1] = n + 1;
	calendar->course.gaps = calendar->gaps;
	calendar->course.first_gap = calendar->first_gap;
}

/* The step of a time. */
static int
Step(const Calendar *calendar, double t)
{
	int i = 0;

	while (i + 1 < WEEKS && calendar->from[i + 1] <= t)
		i++;
	return i;
}

/* The speed of a clock in a step, at covariates less their centre (NULL: 0). */
static double
Speed(const Calendar *calendar, int step, const double *effect, const double *centre)
{
	double sum = 0;

	for (int j = 0; j < Z; j++)
		sum += effect[j] * (calendar->z[Z * step + j] - (centre == NULL ? 0 : centre[j]));
	return exp(sum);
}

/* How far the clock runs from one time to another. */
static double
Run(const Calendar *calendar, const double *effect, const double *centre, double from, double to)
{
	double sum = 0;

	for (int i = 0; i < WEEKS; i++)
	{
		double begin = fmax(i > 0 ? calendar->from[i] : -INFINITY, from);
		double end = fmin(i + 1 < WEEKS ? calendar->from[i + 1] : INFINITY, to);

		sum += fmax(end - begin, 0) * Speed(calendar, i, effect, centre);
	}
	return sum;
}

/* When a clock that starts at a time has run so far; INFINITY: not before the end. */
static double
When(const Calendar *calendar, const double *effect, double since, double run)
{
	double t = since;

	for (int i = Step(calendar, since); t < 0; i++)
	{
		double end = i + 1 < WEEKS ? calendar->from[i + 1] : 0;
		double speed = Speed(calendar, i, effect, NULL);

		end = fmin(end, 0);
		if (run < (end - t) * speed)
			return t + run / speed;
		run -= (end - t) * speed;
		t = end;
	}
	return INFINITY;
}

/*
 * A customer whose first purchase was at -T: leaving at a hazard of their own (pareto/nbd), or
 * after a purchase (mbg/nbd), which is every so-many-th event. Times are whole days; purchases of
 * one day are one.
 */
static ClvCell
Draw(Chance *chance, Calendar *calendar, const double *param, const double *effect, double T,
	 bool life, int events, size_t owner)
{
	double rate = Gamma(chance, param[0]) / param[1];
	double leaving = life ? Gamma(chance, param[2]) / param[3] : Beta(chance, param[2], param[3]);
	double end = life ? When(calendar, effect + Z, -T, Exponential(chance) / leaving) : 0;
	ClvCell cell = {.T = T, .count = 1};
	double t = -T;
	double last = -T;

	while (life || !(Uniform(chance) < leaving))
	{
		double day;

		for (int i = 0; i < events && t <= 0; i++)
			t = When(calendar, effect, t, Exponential(chance) / rate);
		if (!(t <= fmin(end, 0)))
			break;
		day = floor(t * 7 + 1e-9) / 7;
		if (day <= last + 1e-9)
			continue;
		if (events > 1)
			AddGap(calendar, last, day, owner);
		last = day;
		cell.x++;
		for (int j = 0; j < Z; j++)
			calendar->bought[j] += calendar->z[Z * Step(calendar, day) + j];
	}
	cell.t_x = last + T;
	return cell;
}

/* A shop of n customers of a family; first purchases on days of the first year. */
static ClvCell *
DrawShop(Calendar *calendar, const ClvFamily *family, const double *param, const double *effect,
		 int n, bool life, uint64_t seed)
{
	int events = family->stages != NULL ? family->stages(param) : 1;
	ClvCell *cells = calloc((size_t) n, sizeof(ClvCell));
	Chance chance = seed;

	for (int i = 0; i < n; i++)
		cells[i] = Draw(&chance, calendar, param + (events > 1), effect,
						104 - floor(Uniform(&chance) * 364) / 7, life, events, (size_t) i);
	return cells;
}

/* Families that follow a calendar, with true parameters. */
static const struct
{
	const ClvFamily *family;
	double param[CLV_MAX_PARAMS];
	bool life;
} families[] = {
	{&clv_bgnbd, {.9, 6, .9, 2.5}, false},          {&clv_mbgnbd, {.9, 6, .8, 2.4}, false},
	{&clv_paretonbd, {.9, 6, .8, 30}, true},        {&clv_ggompertznbd, {.9, 6, .02, .7, 2}, true},
	{&clv_paretonbd_cor, {.9, 6, .8, 30, 4}, true}, {&clv_mbgcnbd, {3, .9, 2, .8, 2.4}, false}};
#define FAMILIES (int) (sizeof(families) / sizeof(families[0]))

static const double effects[] = {0.7, -0.4, -0.5, 0.3};

/* ---- the likelihood ---- */

/* ln L of one customer by clocks of their own, with the factors of the purchases left out. */
static double
Single(const ClvFamily *family, const Calendar *calendar, const double *param, const double *effect,
	   const double *centre, const ClvCell *cell)
{
	double from[WEEKS];
	ClvStretch stretch[WEEKS];
	double z[WEEKS * Z];
	int first = Step(calendar, -cell->T);
	ClvClocks clocks = {WEEKS - first, stretch, Z, z};

	for (int i = first; i < WEEKS; i++)
	{
		from[i - first] = i == first ? 0 : calendar->from[i] + cell->T;
		for (int j = 0; j < Z; j++)
			z[(i - first) * Z + j] = calendar->z[Z * i + j] - centre[j];
	}
	clv_clocks_set(stretch, clocks.n, from, z, Z, effect);
	return family->clocked->log_likelihood(family, param, cell->x, &clocks, cell->t_x, cell->T);
}

/* The caller's effects from those of the search. */
static void
RawEffects(const ClvCovariates *covariates, const double *effect, double *raw)
{
	for (int j = 0; j < Z; j++)
	{
		raw[j] = 0;
		for (int k = j; k < Z; k++)
			raw[j] += covariates->row[CLV_AT(k, j)] * effect[k];
	}
}

/* Evaluates pareto/nbd/cor with derivatives by ln m, in the place of those by asinh m. */
static void
EvaluateByLog(void *data, const double *point, ClvQuadratic *at)
{
	double m = point[4];
	double k = m / sqrt(1 + m * m);

	EvaluateEngine(data, point, at);
	for (int i = 0; i < 5 + 2 * Z; i++)
		at->hessian[i > 4 ? CLV_AT(i, 4) : CLV_AT(4, i)] *= i == 4 ? k * k : k;
	at->hessian[CLV_AT(4, 4)] += at->gradient[4] * k / (1 + m * m);
	at->gradient[4] *= k;
}

/* (k - 1) ln of the times between purchases by the clock, of one customer, or all of them. */
static double
OfGaps(const ClvFamily *family, const Calendar *shop, const Calendar *calendar, const double *param,
	   const double *effect, const double *centre, size_t owner)
{
	double sum = 0;

	for (size_t i = 0; i < shop->ngaps; i++)
		if (shop->owner[i] == owner)
			sum += log(Run(calendar, effect, centre, shop->gaps[i].from, shop->gaps[i].to));
	return family->stages != NULL ? (family->stages(param) - 1) * sum : 0;
}

/* Evaluates mbg/cnbd-k without derivatives by k, which is given. */
static void
EvaluateGivenK(void *data, const double *point, ClvQuadratic *at)
{
	double whole[CLV_MAX_DIM] = {3};

	memcpy(whole + 1, point, (CLV_MAX_DIM - 1) * sizeof(double));
	EvaluateEngine(data, whole, at);
	for (int i = 0; i + 1 < CLV_MAX_DIM; i++)
	{
		at->gradient[i] = at->gradient[i + 1];
		for (int j = 0; j <= i; j++)
			at->hessian[CLV_AT(i, j)] = at->hessian[CLV_AT(i + 1, j + 1)];
	}
}

/* Covariates of customers: an amount, and a group that goes with it. */
#define OWN 2
static const double own[] = {0, 0, 1.5, 0, 0.25, 1, 2, 1, -0.5, 1};
#define GROUPS (sizeof(own) / sizeof(own[0]) / OWN)

/* A path for each group: that of everybody at other times, the later ones shorter. */
typedef struct Paths
{
	Calendar of[GROUPS];
	double from[GROUPS * WEEKS];
	double z[GROUPS * WEEKS * Z];
	size_t first[GROUPS + 1];
	uint32_t path[GROUPS];
	ClvGap *gaps;
	size_t first_gap[GROUPS + 1];
	ClvCourse course;
} Paths;

/* Paths of customers who are groups; with one path for two of them. */
static void
MakePaths(Paths *paths, const Calendar *calendar)
{
	int n = 0;

	memset(paths, 0, sizeof(*paths));
	paths->course = calendar->course;
	for (int group = 0; group < (int) GROUPS; group++)
	{
		int path = group - (group > 2);

		paths->path[group] = (uint32_t) path;
		MakeCalendar(&paths->of[group]);
		for (int i = 0; i < WEEKS; i++)
			for (int j = 0; j < Z; j++)
				paths->of[group].z[Z * i + j] = calendar->z[Z * ((i + 5 * path) % WEEKS) + j];
		if (group == 3)
			continue;
		paths->first[path] = (size_t) n;
		for (int i = 0; i < WEEKS; i++, n++)
		{
			paths->from[n] = paths->of[group].from[i];
			memcpy(paths->z + n * Z, paths->of[group].z + Z * i, Z * sizeof(double));
		}
		paths->first[path + 1] = (size_t) n;
	}
	paths->course.npaths = (uint32_t) GROUPS - 1;
	paths->course.first = paths->first;
	paths->course.path = paths->path;
	paths->course.from = paths->from;
	paths->course.z = paths->z;
	paths->course.workspace = malloc(clv_course_workspace(&paths->course));
}

/* Sorts the gaps of a shop by the paths of their customers, who are in groups by turns. */
static void
SetPathGaps(Paths *paths, const Calendar *shop)
{
	size_t n = 0;

	if (shop->ngaps == 0)
		return;
	paths->gaps = malloc(shop->ngaps * sizeof(ClvGap));
	for (uint32_t path = 0; path + 1 < GROUPS; path++)
	{
		paths->first_gap[path] = n;
		for (size_t i = 0; i < shop->ngaps; i++)
			if (paths->path[shop->owner[i] % GROUPS] == path)
				paths->gaps[n++] = shop->gaps[i];
		paths->first_gap[path + 1] = n;
	}
	assert_int_equal(n, shop->ngaps);
	paths->course.gaps = paths->gaps;
	paths->course.first_gap = paths->first_gap;
}

static void
FreePaths(Paths *paths)
{
	free(paths->gaps);
	for (size_t i = 0; i < GROUPS; i++)
		FreeCalendar(&paths->of[i]);
	free(paths->course.workspace);
}

/*
 * The engine at a point of the search against single customers, and differences; personal:
 * customers have covariates too; with_paths: and calendars of their own.
 */
static void
CheckFamily(int which, bool personal, bool with_paths)
{
	static Paths paths;
	const ClvGroups none = {.n = GROUPS};

	static const uint32_t acting[3] = {0, 0, 0};
	const ClvFamily *family = families[which].family;
	const ClvGroups groups = {.n = GROUPS, .ncovariates = OWN, .z = own};
	int n = family->nparams;
	int nown = personal ? OWN : 0;
	int all = nown + Z;
	Calendar calendar;
	ClvPoll poll = {0};
	/* an integral for each customer takes long */
	bool integrals = family == &clv_ggompertznbd || family == &clv_paretonbd_cor;
	int customers = integrals ? 40 : 150;
	ClvCellTable engine = {
		.family = family, .n = (size_t) customers, .poll = &poll, .course_share = 1};
	ClvArena arena = {malloc(clv_fit_cells_workspace(family, engine.n)), 0};
	ClvCourseTable table;
	ClvCovariates covariates;
	ClvQuadratic at;
	double point[CLV_MAX_DIM] = {0};
	double raw[2 * Z];
	double moves[2 * OWN];
	double direct = 0;
	double x = 0;
	int culprit;

	MakeCalendar(&calendar);
	MakePaths(&paths, &calendar);
	engine.groups = personal ? &groups : with_paths ? &none : NULL;
	engine.cells = DrawShop(&calendar, family, families[which].param, effects, customers,
							families[which].life, 3);
	SetPathGaps(&paths, &calendar);
	for (size_t i = 0; (personal || with_paths) && i < engine.n; i++)
		engine.cells[i].group = (uint32_t) (i % GROUPS);
	clv_cell_table_lay_out(&engine, &arena, engine.n);
	assert_true(clv_cells_sort(&engine));
	clv_course_lay_out(&table, with_paths ? &paths.course : &calendar.course);
	assert_int_equal(clv_course_survey(&table, &engine, acting, &covariates, &culprit), CLV_OK);
	assert_int_equal(covariates.n, all);
	engine.covariates = &covariates;
	engine.course = &table;
	clv_cells_sort(&engine);
	memcpy(point, families[which].param, (size_t) n * sizeof(double));
	for (int j = 0; j < 2 * Z; j++)
		point[n + j % Z + nown + j / Z * all] =
			family->clocked->law != NULL || j < Z ? 0.3 - 0.2 * j : 0;
	for (int j = 0; j < 2 * nown; j++)
		moves[j] = point[n + j % OWN + j / OWN * all] = 0.25 - 0.15 * j;
	RawEffects(&table.covariates, point + n + nown, raw);
	RawEffects(&table.covariates, point + n + all + nown, raw + Z);
	for (size_t i = 0; i < engine.n; i++)
	{
		const ClvCell *cell = &engine.cells[i];
		double param[CLV_MAX_PARAMS];
		double z[OWN];

		memcpy(param, point, sizeof(param));
		if (personal)
		{
			clv_covariates_of(&table.personal, cell->group, z);
			clv_param_with_effects(family, point, OWN, moves, z, param);
		}
		direct += cell->count * Single(family, with_paths ? &paths.of[cell->group] : &calendar,
									   param, raw, covariates.mean + nown, cell);
		x += cell->count * cell->x;
	}
	for (size_t i = 0; i < (size_t) customers; i++)
		direct += OfGaps(family, &calendar, with_paths ? &paths.of[i % GROUPS] : &calendar, point,
						 raw, covariates.mean + nown, i);
	for (int j = 0; j < Z; j++)
		direct += raw[j] * (calendar.bought[j] - x * covariates.mean[nown + j]);
	clv_cells_evaluate(&engine, point, &at);
	if (!(fabs(at.value - direct) < 1e-11 * fabs(direct)))
		fail_msg("%s: %.17g together, %.17g one by one", family->name, at.value, direct);
	if (family->stages != NULL)
		CheckPoint(n - 1 + all + nown, n - 1, point + 1, EvaluateGivenK, &engine);
	else
		CheckPoint(n + all + nown + (family->clocked->law != NULL ? Z : 0), n, point,
				   family == &clv_paretonbd_cor ? EvaluateByLog : EvaluateEngine, &engine);
	free(engine.cells);
	free(arena.base);
	FreePaths(&paths);
	FreeCalendar(&calendar);
}

static void
LikelihoodIsThatOfEachCustomer(void **state)
{
	for (int i = 0; i < FAMILIES; i++)
		CheckFamily(i, false, false);
}

/* The same where customers have covariates of their own besides. */
static void
LikelihoodTakesCovariatesOfCustomers(void **state)
{
	for (int i = 0; i < FAMILIES; i++)
		if (families[i].family != &clv_paretonbd_cor) /* whose customers can have none */
			CheckFamily(i, true, false);
}

/* The same where customers have calendars of their own, with covariates of customers and without.
 */
static void
LikelihoodFollowsPaths(void **state)
{
	for (int i = 0; i < FAMILIES; i++)
	{
		CheckFamily(i, false, true);
		if (families[i].family != &clv_paretonbd_cor)
			CheckFamily(i, true, true);
	}
}

/*
 * Sums over customers with hundreds of purchases, at large effects and parameters of all sizes,
 * with their derivatives, against terms of single customers.
 */
static void
HardCustomersAgree(void **state)
{
	static const double params[][4] = {
		{.9, 6, .8, 30}, {.05, 200, 3, .5}, {20, .1, .05, 900}, {1, 1, 1, 1}, {.9, 6, 1e4, 1e2}};
	static const double moves[][2 * Z] = {
		{3, -3, 3, 2}, {-4, 1, 0, -6}, {0, 0, 5, 0}, {.1, 0, 0, .1}};
	static const uint32_t acting[3] = {0, 0, 0};
	static ClvWideTerm term, sum;
	const ClvFamily *family = &clv_paretonbd;
	int n = family->nparams + 2 * Z;
	ClvCell cells[] = {{0, 0, 0, 103, 2},    {0, 0, 0, 0, 1},         {176, 0, 90, 103, 1},
					   {900, 0, 20, 103, 1}, {900, 0, 102.5, 103, 1}, {3, 0, 1. / 7, 103, 5},
					   {3, 0, 60, 103, 1},   {3, 0, 103, 103, 7},     {1, 0, 0.5, 0.5, 1}};
	size_t ncells = sizeof(cells) / sizeof(cells[0]);

	for (int i = 0; i < 20; i++)
	{
		Calendar calendar;
		ClvPoll poll = {0};
		ClvCellTable engine = {
			.family = family, .cells = cells, .n = ncells, .poll = &poll, .course_share = 1};
		ClvArena arena = {malloc(clv_fit_cells_workspace(family, ncells)), 0};
		ClvCourseTable table;
		ClvCovariates covariates;
		ClvQuadratic at;
		double point[CLV_MAX_DIM] = {0};
		double slope = 0;
		double curve = 0;
		int culprit;

		MakeCalendar(&calendar);
		clv_cell_table_lay_out(&engine, &arena, ncells);
		assert_true(clv_cells_sort(&engine));
		clv_course_lay_out(&table, &calendar.course);
		assert_int_equal(clv_course_survey(&table, &engine, acting, &covariates, &culprit), CLV_OK);
		engine.covariates = &covariates;
		engine.course = &table;
		memcpy(point, params[i / 4], sizeof(params[0]));
		memcpy(point + family->nparams, moves[i % 4], sizeof(moves[0]));
		clv_cells_evaluate(&engine, point, &at);
		memset(&sum, 0, sizeof(sum));
		for (size_t j = 0; j < ncells; j++)
		{
			double from[WEEKS];
			ClvStretch stretch[WEEKS];
			int first = Step(&calendar, -cells[j].T);
			ClvClocks clocks = {WEEKS - first, stretch, Z, table.z + Z * first};

			for (int k = first; k < WEEKS; k++)
				from[k - first] = k == first ? 0 : calendar.from[k] + cells[j].T;
			clv_clocks_set(stretch, clocks.n, from, clocks.z, Z, point + family->nparams);
			family->clocked->term(family, point, cells[j].x, &clocks, cells[j].t_x, cells[j].T,
								  &term);
			sum.ln += cells[j].count * term.ln;
			for (int k = 0; k < n; k++)
				sum.gradient[k] += cells[j].count * term.gradient[k];
			for (int k = 0; k < CLV_TRIANGLE(n); k++)
				sum.hessian[k] += cells[j].count * term.hessian[k];
		}
		for (int k = 0; k < Z; k++) /* the factors of the purchases are no part of the terms */
		{
			double x = 0;
			double bought = 0;

			for (size_t j = 0; j < ncells; j++)
				x += cells[j].count * cells[j].x;
			for (int j = 0; j <= k; j++)
				bought -= covariates.row[CLV_AT(k, j)] * x * covariates.mean[j];
			sum.ln += point[family->nparams + k] * bought;
			sum.gradient[family->nparams + k] += bought;
		}
		if (!(fabs(at.value - sum.ln) <= 1e-12 * fabs(sum.ln)))
			fail_msg("case %d: %.17g, not %.17g", i, at.value, sum.ln);
		for (int k = 0; k < n; k++)
			slope = fmax(slope, fabs(sum.gradient[k]));
		for (int k = 0; k < CLV_TRIANGLE(n); k++)
			curve = fmax(curve, fabs(sum.hessian[k]));
		for (int k = 0; k < n; k++)
			if (!(fabs(at.gradient[k] - sum.gradient[k]) <= 1e-11 * slope))
				fail_msg("case %d: derivative %d is %.17g, not %.17g", i, k, at.gradient[k],
						 sum.gradient[k]);
		for (int k = 0; k < CLV_TRIANGLE(n); k++)
			if (!(fabs(at.hessian[k] - sum.hessian[k]) <= 1e-10 * curve))
				fail_msg("case %d: second derivative %d is %.17g, not %.17g", i, k, at.hessian[k],
						 sum.hessian[k]);
		free(arena.base);
		FreeCalendar(&calendar);
	}
}

/* ---- fits ---- */

/* Fits a family to cells with a calendar; k of those that have it is 3. */
static ClvStatus
Fit(const ClvFamily *family, const Calendar *calendar, const ClvCell *cells, size_t n,
	uint32_t idle_purchase, uint32_t idle_churn, ClvFitReport *report)
{
	static const double fixed[CLV_MAX_PARAMS] = {3};
	ClvFitControl control = {.course = &calendar->course,
							 .idle_purchase = idle_purchase,
							 .idle_churn = idle_churn,
							 .fixed = fixed};

	return FitCells(family, cells, n, &control, report);
}

static void
EffectsAreRecovered(void **state)
{
	for (int i = 0; i < FAMILIES; i++)
	{
		const ClvFamily *family = families[i].family;
		const ClvFitControl control = {.fixed = families[i].param};
		const int n = 3000;
		ClvFitReport report, plain;
		Calendar calendar;
		ClvCell *cells;

		if (family != &clv_mbgnbd && family != &clv_paretonbd && family != &clv_mbgcnbd)
			continue; /* no shop is drawn from these */
		MakeCalendar(&calendar);
		cells = DrawShop(&calendar, family, families[i].param, effects, n, families[i].life, 7);
		assert_int_equal(Fit(family, &calendar, cells, (size_t) n, 0, 0, &report), CLV_OK);
		assert_int_equal(FitCells(family, cells, (size_t) n, &control, &plain), CLV_OK);
		for (size_t j = 0; j < calendar.ngaps; j++)
			plain.log_likelihood += 2 * log(calendar.gaps[j].to - calendar.gaps[j].from);
		assert_true(report.log_likelihood > plain.log_likelihood + 50);
		assert_int_equal(report.neffects, 2 * Z);
		for (int j = 0; j < 2 * Z; j++)
		{
			int row = family->nparams + j;
			double error = sqrt(report.covariance[CLV_AT(row, row)]);

			if (j >= Z && !families[i].life)
				assert_true(report.effect[j] == 0 && error == 0);
			else if (!(fabs(report.effect[j] - effects[j]) < 4 * error &&
					   error < (j < Z ? 0.1 : 1)))
				fail_msg("%s: effect %d is %g +- %g, not %g", family->name, j, report.effect[j],
						 error, effects[j]);
		}
		free(cells);
		FreeCalendar(&calendar);
	}
}

/* Effects that do not act are 0, and the others are those of a calendar without them. */
static void
CovariatesActWhereTheyShall(void **state)
{
	for (int i = 1; i < 3; i++)
	{
		const ClvFamily *family = families[i].family;
		ClvFitReport some, one;
		Calendar calendar, alone;
		ClvCell *cells;

		MakeCalendar(&calendar);
		cells = DrawShop(&calendar, family, families[i].param, effects, 1000, families[i].life, 9);
		assert_int_equal(Fit(family, &calendar, cells, 1000, 2, 3, &some), CLV_OK);
		MakeCalendar(&alone);
		for (int week = 0; week < WEEKS; week++)
			alone.z[week] = calendar.z[Z * week];
		alone.course.ncovariates = 1;
		alone.bought[0] = calendar.bought[0];
		assert_int_equal(Fit(family, &alone, cells, 1000, 0, 1, &one), CLV_OK);
		assert_true(some.effect[1] == 0 && some.effect[2] == 0 && some.effect[3] == 0);
		assert_true(fabs(some.effect[0] - one.effect[0]) < 1e-7);
		assert_true(fabs(some.log_likelihood - one.log_likelihood) < 1e-7);
		free(cells);
		FreeCalendar(&calendar);
		FreeCalendar(&alone);
	}
}

/* More cells than samples have customers: the maximum is that of all. */
static void
LargeShopsAreSampled(void **state)
{
	const ClvFamily *family = &clv_mbgnbd;
	ClvFitReport report;
	Calendar calendar;
	ClvCell *cells;

	MakeCalendar(&calendar);
	cells = DrawShop(&calendar, family, families[1].param, effects, 30000, false, 11);
	assert_int_equal(Fit(family, &calendar, cells, 30000, 0, 0, &report), CLV_OK);
	assert_true(report.gradient_norm < 1e-5);
	for (int j = 0; j < Z; j++)
		assert_true(fabs(report.effect[j] - effects[j]) < 0.05);
	free(cells);
	FreeCalendar(&calendar);
}

static void
BadCalendarsAreNamed(void **state)
{
	ClvFitReport report;
	Calendar calendar;
	ClvCell *cells;

	MakeCalendar(&calendar);
	cells = DrawShop(&calendar, &clv_mbgnbd, families[1].param, effects, 500, false, 13);
	for (int i = 0; i < WEEKS; i++)
		calendar.z[Z * i] = i < 2 ? 5 : 1; /* constant in the time that customers have seen */
	calendar.z[0] = calendar.z[Z] = 1;
	assert_int_equal(Fit(&clv_mbgnbd, &calendar, cells, 500, 0, 0, &report), CLV_COLLINEAR);
	assert_int_equal(report.degenerate_param, 4);
	for (int i = 0; i < WEEKS; i++)
		calendar.z[Z * i] = 7 - 2 * calendar.z[Z * i + 1];
	assert_int_equal(Fit(&clv_mbgnbd, &calendar, cells, 500, 0, 0, &report), CLV_COLLINEAR);
	assert_int_equal(report.degenerate_param, 5);
	assert_int_equal(Fit(&clv_bgbb, &calendar, cells, 500, 0, 0, &report), CLV_BAD_START);
	free(cells);
	FreeCalendar(&calendar);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(LikelihoodIsThatOfEachCustomer),
		cmocka_unit_test(LikelihoodTakesCovariatesOfCustomers),
		cmocka_unit_test(LikelihoodFollowsPaths),
		cmocka_unit_test(HardCustomersAgree),
		cmocka_unit_test(EffectsAreRecovered),
		cmocka_unit_test(CovariatesActWhereTheyShall),
		cmocka_unit_test(LargeShopsAreSampled),
		cmocka_unit_test(BadCalendarsAreNamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
