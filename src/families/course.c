/*
 * course.c
 *		The log-likelihood of cells whose covariates follow a calendar.
 *
 * In families with a clock of purchases alone, both terms of a likelihood are the plain ones at
 *times of the clock, b at t_x and b' at T. With p and q their shares of L, and subscripts for
 *derivatives by parameters and by b, b', a customer's ln L has
 *
 *		by b		p P_b						by b'		q Q_b'
 *		by b, b		p P_bb + pq P_b^2			by b', b'	q Q_b'b' + pq Q_b'^2
 *		by b, b'	-pq P_b Q_b'
 *
 * and so on; gradients of b and b' by the effects turn them into derivatives by these. Customers of
 * the same x and T share b'.
 *
 * Families with a clock of leaving give whole terms, for customers of the same x and T together.
 *
 * The factors A(t_j) of the purchases have logarithms that are linear in the effects: only the sums
 * of the covariates over all purchases enter. Where every k-th event is a purchase, the times
 * between purchases have the factors (B(t_j) - B(t_(j-1)))^(k-1) besides. Whose they are makes no
 * difference, so that they are computed once for each pair of days.
 */
#include "families/course.h"

#include <math.h>
#include <string.h>

/* Customers of one x and T who are evaluated together. */
#define MOST_TOGETHER CLV_COURSE_TOGETHER

_Static_assert(CLV_TRIANGLE(CLV_MAX_DIM) == CLV_MAX_COVARIANCE, "a wide term has all derivatives");

/* ---- sums ---- */

/*
 * What the cells of one x and group add up to, with derivatives by the parameters of these
 * customers and the effects of the calendar.
 */
typedef struct Pass
{
	const ClvCellTable *cells;
	const double *param;
	ClvWideTerm sum;
	double z[CLV_MAX_COVARIATES]; /* covariates of these customers */
} Pass;

/* Adds a block of cells to the totals. */
static void
AddSum(ClvTotals *totals, const ClvWideTerm *sum)
{
	clv_sum_add(&totals->value, sum->ln);
	for (int i = 0; i < totals->n; i++)
		clv_sum_add(&totals->gradient[i], sum->gradient[i]);
	for (int i = 0; i < CLV_TRIANGLE(totals->n); i++)
		clv_sum_add(&totals->hessian[i], sum->hessian[i]);
}

/* The second derivative of the sum by two of its numbers. */
static double
Second(const ClvWideTerm *sum, int i, int j)
{
	return sum->hessian[i > j ? CLV_AT(i, j) : CLV_AT(j, i)];
}

/* Sets the unknown that is in this place of the search. */
static void
SetUnknown(const Pass *pass, int i, ClvCourseUnknown *unknown)
{
	const ClvFamily *family = pass->cells->family;
	int nparams = family->nparams;
	int ncalendar = pass->cells->course->course->ncovariates;
	int npersonal = pass->cells->course->personal.n;
	int effect = i - nparams;
	int churn = effect >= npersonal + ncalendar;
	int covariate = effect - churn * (npersonal + ncalendar);
	int numbers = nparams + 2 * ncalendar;

	*unknown = (ClvCourseUnknown){.place = i};
	if (i < nparams || covariate >= npersonal)
	{
		if (i >= nparams)
			unknown->place = nparams + churn * ncalendar + covariate - npersonal;
		for (int k = 0; k < numbers; k++)
			unknown->row[k] = Second(&pass->sum, unknown->place, k);
		return;
	}
	unknown->place = -1;
	unknown->effect = churn ? family->churn_effect : family->purchase_effect;
	unknown->z = pass->z[covariate];
	for (int j = 0; j < nparams; j++)
		for (int k = 0; k < numbers && unknown->effect[j] != 0; k++)
			unknown->row[k] += unknown->z * unknown->effect[j] * Second(&pass->sum, j, k);
}

/* What a number of the sum is worth to an unknown: vector is by those numbers. */
static double
Along(int nparams, const ClvCourseUnknown *unknown, const double *vector)
{
	double sum = 0;

	if (unknown->place >= 0)
		return vector[unknown->place];
	for (int j = 0; j < nparams; j++)
		sum += unknown->effect[j] * vector[j];
	return unknown->z * sum;
}

/* Adds a block of customers who have covariates to the totals. */
static void
AddPersonal(const Pass *pass, ClvTotals *totals)
{
	int nparams = pass->cells->family->nparams;
	ClvCourseUnknown *unknown = pass->cells->course->unknown;

	clv_sum_add(&totals->value, pass->sum.ln);
	for (int i = 0; i < totals->n; i++)
	{
		SetUnknown(pass, i, &unknown[i]);
		clv_sum_add(&totals->gradient[i], Along(nparams, &unknown[i], pass->sum.gradient));
		for (int j = 0; j <= i; j++)
			clv_sum_add(&totals->hessian[CLV_AT(i, j)],
						Along(nparams, &unknown[j], unknown[i].row));
	}
}

/* Adds what the purchases have by the effects: ln A(t_j). */
static void
AddPurchases(const ClvCellTable *cells, const double *effect, double purchases, ClvTotals *totals)
{
	const ClvCovariates *covariates = &cells->course->covariates;
	const ClvCourse *course = cells->course->course;
	int n = course->ncovariates;
	int first = cells->family->nparams + cells->course->personal.n;

	for (int k = 0; k < n; k++)
	{
		double sum = 0;

		for (int j = 0; j <= k; j++)
			sum += covariates->row[CLV_AT(k, j)] *
				   (course->bought[j] * cells->course_share - purchases * covariates->mean[j]);
		clv_sum_add(&totals->value, effect[k] * sum);
		clv_sum_add(&totals->gradient[first + k], sum);
	}
}

/* ---- families with one clock ---- */

/* A term of the likelihood at a time of the clock, and its derivatives by it. */
typedef struct Clocked
{
	const ClvTerm *plain;
	const ClvClockPoint *point;
	ClvClockSlope slope;
} Clocked;

/* The parameter that carries the unit of time. */
static int
Scale(const ClvFamily *family)
{
	int i = 0;

	while (!family->is_scale[i])
		i++;
	return i;
}

/* A term that is a function of b/alpha: its derivative by ln b is that by ln alpha, negative. */
static Clocked
ByClock(const ClvFamily *family, const ClvTerm *plain, const ClvClockPoint *point)
{
	Clocked term = {.plain = plain, .point = point};
	int scale = Scale(family);
	double b = point->b;

	if (!(b > 0) || plain->ln == -INFINITY)
		return term;
	term.slope.first = -plain->gradient[scale] / b;
	term.slope.second = (plain->hessian[CLV_AT(scale, scale)] + plain->gradient[scale]) / (b * b);
	for (int i = 0; i < family->nparams; i++)
		term.slope.mixed[i] = -plain->hessian[i > scale ? CLV_AT(i, scale) : CLV_AT(scale, i)] / b;
	return term;
}

/* What the cells of one x and T have in common by the clock at T. */
typedef struct Alive
{
	Clocked term;
	ClvClockSlope slope;              /* of the cells together */
	double cross[CLV_MAX_COVARIATES]; /* by it and the effects, through the clocks at t_x */
} Alive;

/* Adds so many customers, at a departed term, to the sums. */
static void
AddOneClock(Pass *pass, const Clocked *departed, Alive *alive, double count)
{
	int nparams = pass->cells->family->nparams;
	int n = pass->cells->course->course->ncovariates;
	const ClvTerm *P = departed->plain;
	const ClvTerm *Q = alive->term.plain;
	double largest = fmax(P->ln, Q->ln);
	double both = exp(P->ln - largest) + exp(Q->ln - largest);
	double p = exp(P->ln - largest) / both;
	double q = exp(Q->ln - largest) / both;
	double spread = count * p * q;
	double ahead = departed->slope.first;
	double behind = alive->term.slope.first;
	ClvClockSlope slope = {.first = count * p * ahead,
						   .second = count * p * departed->slope.second + spread * ahead * ahead};

	pass->sum.ln += count * (largest + log(both));
	for (int i = 0; i < nparams; i++)
	{
		double away = P->gradient[i] - Q->gradient[i];

		pass->sum.gradient[i] += count * (p * P->gradient[i] + q * Q->gradient[i]);
		for (int j = 0; j <= i; j++)
			pass->sum.hessian[CLV_AT(i, j)] +=
				count * (p * P->hessian[CLV_AT(i, j)] + q * Q->hessian[CLV_AT(i, j)]) +
				spread * away * (P->gradient[j] - Q->gradient[j]);
		slope.mixed[i] = count * p * departed->slope.mixed[i] + spread * ahead * away;
		alive->slope.mixed[i] += count * q * alive->term.slope.mixed[i] - spread * behind * away;
	}
	alive->slope.first += count * q * behind;
	alive->slope.second += count * q * alive->term.slope.second + spread * behind * behind;
	for (int i = 0; i < n; i++)
		alive->cross[i] -= spread * ahead * behind * departed->point->db[i];
	clv_clock_chain(&slope, nparams, nparams, n, departed->point->db, departed->point->bb,
					&pass->sum);
}

/* Adds what the cells of one x and T have by the clock at T. */
static void
AddAlive(Pass *pass, const Alive *alive)
{
	int nparams = pass->cells->family->nparams;
	int n = pass->cells->course->course->ncovariates;
	const ClvClockPoint *point = alive->term.point;

	clv_clock_chain(&alive->slope, nparams, nparams, n, point->db, point->bb, &pass->sum);
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
			pass->sum.hessian[CLV_AT(nparams + i, nparams + j)] +=
				alive->cross[i] * point->db[j] + point->db[i] * alive->cross[j];
}

/* Adds n cells of one x and T of a family with one clock. */
static void
AddRunOneClock(Pass *pass, const ClvCell *cell, size_t n)
{
	const ClvCourseTable *table = pass->cells->course;
	const ClvFamily *family = pass->cells->family;
	Alive alive = {0};
	ClvClockPoint since, end;
	ClvTerm at_end;

	clv_course_point(table, -cell->T, &since);
	clv_course_point_since(table, &since, 0, &end);
	family->alive(pass->param, cell->x, &end.b, 1, &at_end);
	alive.term = ByClock(family, &at_end, &end);
	for (size_t i = 0; i < n; i++)
	{
		ClvClockPoint last;
		Clocked departed;

		clv_course_point_since(table, &since, cell[i].t_x - cell[i].T, &last);
		family->departed(pass->param, cell->x, &last.b, 1, table->plain);
		departed = ByClock(family, table->plain, &last);
		AddOneClock(pass, &departed, &alive, cell[i].count);
	}
	AddAlive(pass, &alive);
	clv_poll(pass->cells->poll, 20 * n);
}

/* Adds n cells of one x and T of a family with one clock, whose summands depend on both times. */
static void
AddRunByTimes(Pass *pass, const ClvCell *cell, size_t n)
{
	const ClvCourseTable *table = pass->cells->course;
	const ClvFamily *family = pass->cells->family;
	ClvClockPoint since;

	clv_course_point(table, -cell->T, &since);
	for (size_t i = 0; i < n; i++)
	{
		double last = cell[i].t_x - cell[i].T;
		ClvClockPoint point, silent;
		ClvWideTerm term;

		clv_course_point_since(table, &since, last, &point);
		clv_course_point_between(table, last, 0, &silent);
		family->clocked->by_times(family, pass->param, cell->x, point.b, silent.b, &term);
		clv_clock_add_times(&term, family->nparams, table->course->ncovariates, cell[i].count,
							&point, &silent, &pass->sum);
	}
	clv_poll(pass->cells->poll, 50 * n);
}

/*
 * Adds (k - 1) ln of the times by the clock between purchases of the path at hand, where every k-th
 * event is one: their sum over the path, times the share of its purchases that are these.
 */
static void
AddGaps(const ClvCellTable *cells, const double *param, uint32_t path, double purchases,
		ClvTotals *totals)
{
	const ClvCourseTable *table = cells->course;
	const ClvFamily *family = cells->family;
	const ClvCourse *whole = table->whole;
	int n = table->course->ncovariates;
	int at = family->nparams + table->personal.n;
	int events = family->stages != NULL ? family->stages(param) - 1 : 0;
	ClvWideTerm sum = {0};
	double all = 0;

	if (events == 0 || purchases == 0 || whole->gaps == NULL)
		return;
	for (size_t i = whole->first_gap[path]; i < whole->first_gap[path + 1]; i++)
		all += whole->gaps[i].count;
	for (size_t i = whole->first_gap[path]; i < whole->first_gap[path + 1]; i++)
	{
		const ClvGap *gap = &whole->gaps[i];
		double count = events * gap->count * (purchases / all);
		ClvClockPoint point;
		ClvClockSlope slope;

		clv_course_point_between(table, gap->from, gap->to, &point);
		slope = (ClvClockSlope){.first = count / point.b, .second = -count / point.b / point.b};
		clv_sum_add(&totals->value, count * log(point.b));
		clv_clock_chain(&slope, 0, 0, n, point.db, point.bb, &sum);
		clv_poll(cells->poll, 5);
	}
	for (int i = 0; i < n; i++)
	{
		clv_sum_add(&totals->gradient[at + i], sum.gradient[i]);
		for (int j = 0; j <= i; j++)
			clv_sum_add(&totals->hessian[CLV_AT(at + i, at + j)], sum.hessian[CLV_AT(i, j)]);
	}
}

/* ---- families with two ---- */

/* Adds n cells of one x and T of a family with two clocks, at most MOST_TOGETHER. */
static void
AddRunTwoClocks(Pass *pass, const ClvCell *cell, size_t n)
{
	const ClvCourseTable *table = pass->cells->course;
	const ClvFamily *family = pass->cells->family;
	int dimension = family->nparams + 2 * table->course->ncovariates;
	ClvClocks clocks = clv_course_own_clocks(table, cell->T);
	ClvWideTerm alive, both;

	for (size_t i = 0; i < n; i++)
		table->times[i] = cell[i].t_x;
	family->clocked->departed(family, pass->param, cell->x, &clocks, table->times, n, cell->T,
							  table->wide);
	family->clocked->alive(family, pass->param, cell->x, &clocks, cell->T, &alive);
	for (size_t i = 0; i < n; i++)
	{
		clv_wide_sum(&table->wide[i], &alive, dimension, &both);
		pass->sum.ln += cell[i].count * both.ln;
		for (int k = 0; k < dimension; k++)
			pass->sum.gradient[k] += cell[i].count * both.gradient[k];
		for (int k = 0; k < CLV_TRIANGLE(dimension); k++)
			pass->sum.hessian[k] += cell[i].count * both.hessian[k];
		clv_poll(pass->cells->poll, 100);
	}
}

/* The same where both clocks run evenly within a step. */
static void
AddRunLifetime(Pass *pass, const ClvCell *cell, size_t n)
{
	const ClvCourseTable *table = pass->cells->course;
	const ClvCourse *course = table->course;
	uint32_t all = ((uint32_t) 1 << course->ncovariates) - 1;
	int first = clv_course_step(course, -cell->T);

	for (size_t i = 0; i < n; i++)
	{
		table->times[i] = cell[i].t_x;
		table->counts[i] = cell[i].count;
	}
	clv_course_lifetime_add(pass->cells->family, pass->param, cell->x, cell->T, table->step + first,
							course->n - first, course->ncovariates,
							(table->covariates.idle[1] & all) != all, table->times, table->counts,
							n, &pass->sum);
}

/* ---- all of them ---- */

/* The number of cells from this one on with the same group, x and T, at most MOST_TOGETHER. */
static size_t
Together(const ClvCell *cell, size_t left)
{
	size_t n = 1;

	while (n < left && n < MOST_TOGETHER && cell[n].group == cell->group && cell[n].x == cell->x &&
		   cell[n].T == cell->T)
		n++;
	return n;
}

/* Adds cells of one group, x and T. */
static void
AddRun(Pass *pass, const ClvCell *cell, size_t n)
{
	const ClvFamily *family = pass->cells->family;

	if (family->clocked->by_times != NULL)
		AddRunByTimes(pass, cell, n);
	else if (family->clocked->law == NULL)
		AddRunOneClock(pass, cell, n);
	else if (clv_course_lifetime_can(family))
		AddRunLifetime(pass, cell, n);
	else
		AddRunTwoClocks(pass, cell, n);
}

/* Adds what so many customers of one x have in common. */
static void
AddCommon(Pass *pass, double x, double customers)
{
	const ClvFamily *family = pass->cells->family;
	ClvTerm common;

	family->ln_common(pass->param, x, &common);
	common.ln *= customers;
	for (int k = 0; k < family->nparams; k++)
		common.gradient[k] *= customers;
	for (int k = 0; k < CLV_TRIANGLE(family->nparams); k++)
		common.hessian[k] *= customers;
	clv_wide_add(&common, family->nparams, &pass->sum);
}

/*
 * Adds the cells of one group and x, from the first one on, to the totals; returns how many, and
 * adds their repeat purchases to *purchases.
 */
static size_t
AddBlock(Pass *pass, const ClvCell *cell, size_t left, ClvTotals *totals, double *purchases)
{
	double customers = 0;
	size_t i = 0;

	memset(&pass->sum, 0, sizeof(pass->sum));
	while (i < left && cell[i].x == cell->x && cell[i].group == cell->group)
	{
		size_t n = Together(&cell[i], left - i);

		AddRun(pass, &cell[i], n);
		for (size_t k = 0; k < n; k++)
			customers += cell[i + k].count;
		i += n;
	}
	AddCommon(pass, cell->x, customers);
	if (pass->cells->course->personal.n > 0)
		AddPersonal(pass, totals);
	else
		AddSum(totals, &pass->sum);
	*purchases += customers * cell->x;
	return i;
}

/* Sets the parameters of the customers of a group, in param, and their covariates. */
static void
SetGroup(Pass *pass, uint32_t group, const double *point, double *param)
{
	const ClvFamily *family = pass->cells->family;
	const ClvCovariates *personal = &pass->cells->course->personal;
	int all = personal->n + pass->cells->course->course->ncovariates;
	double effect[CLV_MAX_EFFECTS];

	memcpy(effect, point + family->nparams, personal->n * sizeof(double));
	memcpy(effect + personal->n, point + family->nparams + all, personal->n * sizeof(double));
	clv_covariates_of(personal, group, pass->z);
	clv_param_with_effects(family, point, personal->n, effect, pass->z, param);
	pass->param = param;
}

/* Sets the effects of the calendar, on purchases and on leaving, from those of all covariates. */
static void
SetEffects(const ClvCellTable *cells, const double *all, double *effect)
{
	int npersonal = cells->course->personal.n;
	int n = cells->course->course->ncovariates;

	memcpy(effect, all + npersonal, n * sizeof(double));
	memcpy(effect + n, all + npersonal + n + npersonal, n * sizeof(double));
}

void
clv_course_evaluate(ClvCellTable *cells, const double *point, ClvQuadratic *at)
{
	const ClvFamily *family = cells->family;
	ClvCourseTable *table = cells->course;
	double effect[CLV_MAX_EFFECTS];
	double param[CLV_MAX_PARAMS];
	double purchases = 0;
	ClvTotals totals;
	Pass pass = {.cells = cells, .param = point};

	SetEffects(cells, point + family->nparams, effect);
	clv_totals_clear(&totals,
					 family->nparams + 2 * (table->personal.n + table->course->ncovariates));
	for (size_t i = 0; i < cells->n;)
	{
		uint32_t path = clv_course_path(table->whole, cells->cells[i].group);
		double on_path = 0;

		clv_course_take_path(table, path);
		clv_course_standardise(table);
		clv_course_set_clocks(table, effect);
		if (family->clocked->law != NULL)
			clv_course_set_steps(table);
		while (i < cells->n && clv_course_path(table->whole, cells->cells[i].group) == path)
		{
			if (table->personal.n > 0)
				SetGroup(&pass, cells->cells[i].group, point, param);
			i += AddBlock(&pass, &cells->cells[i], cells->n - i, &totals, &on_path);
		}
		AddGaps(cells, point, path, on_path, &totals);
		purchases += on_path;
	}
	AddPurchases(cells, effect, purchases, &totals);
	clv_totals_value(&totals, at);
}
