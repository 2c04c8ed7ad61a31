/*
 * likelihood.c
 *		Maximum likelihood over cells of identical customers.
 *
 * Why a fit to millions costs tenths of a second
 * ----------------------------------------------
 * A likelihood of the form L = C (P(t_x) + Q(T)), with C, P and Q depending on x,
 * separates costly computations from frequent ones. Histories are counted in days,
 * so the customers of one x share a few hundred distinct t_x and T. The family
 * computes its powers and gamma functions, and their derivatives, once for each of
 * those: the tables. What remains for a cell, that is for all customers with the
 * same x, t_x and T, is to look up P and Q and to add them. Even the logarithms are
 * shared, for the sum of the logs of single customers is the log of a product of
 * many.
 *
 * The derivatives cost hardly more. With p = ln P, q = ln Q, and the share
 * s = P/(P+Q) (the probability that the customer has left, for the families
 * that there are), a cell's ln L has
 *
 *		gradient	C' + s p' + (1-s) q'
 *		Hessian		C'' + s p'' + (1-s) q'' + s(1-s) (p'-q')(p'-q')'
 *
 * in which all derivatives belong to a row of a table and only s to the cell. So the pass over
 * the cells adds up s, 1-s and s(1-s) in the rows they came from, and afterwards each row's
 * derivatives are weighted once with what it collected. Only the products p' q' are joint; as
 * cells are sorted by T, one vector sum per T takes them in.
 *
 * Values and logs
 * ---------------
 * Within a block (the cells of one x) the terms are kept as numbers relative to the middle of
 * their range. Where (r+x) ln(1 + T/alpha) is so large that the doubles would not hold them,
 * that block is evaluated in logs: the same sums, with one more exponential a cell.
 *
 * A block ends when it has collected as many distinct times as a table holds.
 * Where times do not repeat, each cell thereby becomes a row of its own, which is
 * no more than direct evaluation.
 *
 * The same bits
 * -------------
 * Cells are sorted and equal ones merged before anything is added, so the order of input has no
 * effect. Sums over customers carry their rounding along (sum.h).
 *
 * maximize.c explains how the maximum is found, and newton.c the single ascent.
 */
#include "families/likelihood.h"

#include <math.h>
#include <string.h>

#include "math/sum.h"
#include "families/cell_table.h"
#include "families/clocks.h"
#include "families/course.h"
#include "families/maximize.h"
#include "families/profile_limits.h"
#include "families/prior.h"
#include "families/spend_likelihood.h"

#define MAX_EVALUATIONS 150

/*
 * Customers in the samples: all start values are tried with the small one, and the maximum of the
 * large one is so near that of all data that few more steps are needed. Larger numbers of cells
 * than this are sampled.
 */
#define SAMPLE 8192
#define SMALL_SAMPLE 2048
#define SAMPLES 2
#define WORTH_SAMPLING (2 * SAMPLE)

/* ---- what both fits share ---- */

/* Sets a report to that of a fit that has found nothing. */
static void
ClearReport(const ClvFamily *family, ClvFitReport *report)
{
	memset(report, 0, sizeof(*report));
	report->log_likelihood = NAN;
	report->gradient_norm = NAN;
	report->degenerate_param = -1;
	for (int i = 0; i < family->nparams; i++)
		report->param[i] = NAN;
}

/* The problem of a fit to all data, without its objective function. */
static ClvProblem
MakeProblem(const ClvFamily *family, const ClvFitControl *control, const ClvMoments *moments)
{
	int limit = control->max_iterations;
	ClvProblem problem = {.family = family,
						  .moments = moments,
						  .shape_penalty = control->shape_penalty * moments->customers,
						  .effect_penalty = {control->effect_penalty_purchase * moments->customers,
											 control->effect_penalty_churn * moments->customers},
						  .prior = control->prior,
						  .prior_share = 1,
						  .max_evaluations = limit > 0 ? limit : MAX_EVALUATIONS};

	if (control->fixed == NULL)
		family->start(moments, 0, problem.fixed);
	else
		memcpy(problem.fixed, control->fixed, family->nparams * sizeof(double));
	return problem;
}

/* The same problem for a sample of a number of customers. */
static ClvProblem
MakeSample(const ClvProblem *all, double customers, void *data)
{
	ClvProblem sample = *all;
	double share = customers / all->moments->customers;

	sample.shape_penalty *= share;
	sample.effect_penalty[0] *= share;
	sample.effect_penalty[1] *= share;
	sample.prior_share *= share;
	sample.max_evaluations = MAX_EVALUATIONS;
	sample.data = data;
	return sample;
}

/* ---- transaction families ---- */

/* The cells of a fit, and samples of them. */
typedef struct CellData
{
	ClvCellTable all;
	ClvCellTable samples[SAMPLES];
	ClvCovariates covariates;
	ClvCourseTable course;
} CellData;

static const size_t sample_sizes[SAMPLES] = {SAMPLE, SMALL_SAMPLE};

/* Lays out the memory for n cells and their samples. */
static void
LayOutCells(CellData *data, ClvArena *arena, size_t n)
{
	clv_cell_table_lay_out(&data->all, arena, n);
	for (int i = 0; i < SAMPLES && n > WORTH_SAMPLING; i++)
		clv_cell_table_lay_out_sample(&data->all, &data->samples[i], arena, sample_sizes[i]);
}

size_t
clv_fit_cells_workspace(const ClvFamily *family, size_t n)
{
	CellData data;
	ClvArena arena = {NULL, 0};

	(void) family; /* the tables have room for any */
	memset(&data, 0, sizeof(data));
	LayOutCells(&data, &arena, n);
	return arena.used;
}

/* The objective function of a transaction family. */
static void
EvaluateCells(void *data, const double *point, ClvQuadratic *at)
{
	clv_cells_evaluate(data, point, at);
}

/* Sets *moments to means over the customers of the cells. */
static void
CellMoments(ClvCellTable *cells, ClvMoments *moments)
{
	ClvSum count = {0};
	ClvSum repeaters = {0};
	ClvSum x = {0};
	ClvSum t_x = {0};
	ClvSum T = {0};
	double customers;

	for (size_t i = 0; i < cells->n; i++)
	{
		const ClvCell *cell = &cells->cells[i];

		clv_sum_add(&count, cell->count);
		clv_sum_add(&repeaters, cell->x > 0 ? cell->count : 0);
		clv_sum_add(&x, cell->count * cell->x);
		clv_sum_add(&t_x, cell->count * cell->t_x);
		clv_sum_add(&T, cell->count * cell->T);
		clv_poll(cells->poll, 1);
	}
	memset(moments, 0, sizeof(*moments));
	customers = moments->customers = clv_sum_value(&count);
	moments->repeaters = clv_sum_value(&repeaters) / customers;
	moments->x = clv_sum_value(&x) / customers;
	moments->t_x = clv_sum_value(&t_x) / customers;
	moments->T = clv_sum_value(&T) / customers;
}

/* Whether customers differ, in history or outcome. */
static bool
HaveDifferences(const ClvCellTable *cells)
{
	const ClvCell *first = &cells->cells[0];
	const double *outcome = cells->groups == NULL ? NULL : cells->groups->outcome;

	for (size_t i = 1; i < cells->n; i++)
	{
		const ClvCell *cell = &cells->cells[i];

		if (outcome != NULL ? outcome[cell->group] != outcome[first->group]
							: cell->x != first->x || cell->t_x != first->t_x || cell->T != first->T)
			return true;
	}
	return false;
}

/* Whether the prior of a fit says something of every parameter. */
static bool
IsProper(const ClvFitControl *control)
{
	return control->prior != NULL && control->prior->proper;
}

/* Whether the cells suffice for a fit: CLV_OK, or why not. */
static ClvStatus
CheckCells(const ClvCellTable *cells, const ClvMoments *moments, const ClvFitControl *control)
{
	if (IsProper(control) && cells->n > 0)
		return CLV_OK;
	if (cells->n == 0 || moments->customers <= cells->family->nparams)
		return CLV_TOO_FEW;
	if (moments->repeaters == 0 && cells->family->clock != CLV_CAMPAIGNS)
		return CLV_NO_REPEATERS;
	return HaveDifferences(cells) ? CLV_OK : CLV_NO_DROPOUT_SIGNAL;
}

/* Whether covariates and outcomes are valid: CLV_OK or CLV_BAD_START. */
static ClvStatus
CheckGroups(const ClvFamily *family, const ClvGroups *groups)
{
	if (family->clock == CLV_CAMPAIGNS && (groups == NULL || groups->outcome == NULL))
		return CLV_BAD_START;
	if (groups == NULL)
		return CLV_OK;
	if (groups->ncovariates < 0 || groups->ncovariates > CLV_MAX_COVARIATES)
		return CLV_BAD_START;
	for (uint32_t i = 0; groups->outcome != NULL && i < groups->n; i++)
	{
		if (!isfinite(groups->outcome[i]))
			return CLV_BAD_START;
	}
	return CLV_OK;
}

/* The repeat purchases of the customers in the cells. */
static double
Purchases(const ClvCellTable *cells)
{
	ClvSum x = {0};

	for (size_t i = 0; i < cells->n; i++)
		clv_sum_add(&x, cells->cells[i].count * cells->cells[i].x);
	return clv_sum_value(&x);
}

/* The problem of sorted cells; covariates act where all.covariates is set. */
static ClvProblem
CellProblem(CellData *data, const ClvFitControl *control, const ClvMoments *moments)
{
	ClvProblem problem = MakeProblem(data->all.family, control, moments);

	problem.evaluate = EvaluateCells;
	problem.data = &data->all;
	problem.covariates = data->all.covariates;
	clv_cells_index(&data->all);
	return problem;
}

/* Searches for the maximum, with sorted cells. */
static ClvStatus
SearchCells(CellData *data, const ClvFitControl *control, const ClvMoments *moments,
			const ClvStart *starts, int nstarts, ClvFitReport *report)
{
	ClvProblem problems[1 + SAMPLES] = {CellProblem(data, control, moments)};
	const ClvProblem *all = &problems[0];
	int n = 1;

	for (int i = 0; i < SAMPLES && data->all.n > WORTH_SAMPLING; i++)
	{
		ClvCellTable *sample = &data->samples[i];

		sample->family = data->all.family;
		sample->covariates = data->all.covariates;
		sample->course = data->all.course;
		clv_cells_sample(&data->all, sample, moments->customers, sample_sizes[i]);
		clv_cells_index(sample);
		sample->course_share = Purchases(sample) / Purchases(&data->all);
		problems[n++] = MakeSample(all, (double) sample_sizes[i], sample);
	}
	return clv_search(problems, n, starts, nstarts, report);
}

/* ---- lower bounds of a fit ---- */

/* Whether a fit with this status has found parameters. */
static bool
HasPoint(ClvStatus status)
{
	return status == CLV_OK || status == CLV_NOT_CONVERGED || status == CLV_DEGENERATE;
}

/* The starts of a fit, and the points that they point to. */
typedef struct Starts
{
	ClvStart start[CLV_MAX_STARTS];
	int n;
	double inside[CLV_MAX_PARAMS];
	double border[CLV_MAX_PARAMS];
} Starts;

/* Adds a start. */
static void
AddStart(Starts *starts, ClvStart start)
{
	starts->start[starts->n++] = start;
}

/* How far from the border an ascent starts. */
#define OFF_BORDER 0.01

/*
 * Adds the fit of the family that this one contains, if there is one, as a start and as a lower
 * bound.
 */
static void
AddContained(Starts *starts, const ClvFamily *family, const ClvMoments *moments,
			 const ClvFitReport *contained)
{
	if (contained == NULL)
		return;
	family->embed(moments, contained->param, OFF_BORDER, starts->inside);
	family->embed(moments, contained->param, 0, starts->border);
	AddStart(starts, (ClvStart){.param = starts->inside, .effect = contained->effect});
	AddStart(starts,
			 (ClvStart){.param = starts->border, .effect = contained->effect, .floor = true});
}

/* Fits the parameters of the family without covariates. */
static ClvStatus
SearchAlike(CellData *data, const ClvFitControl *control, const ClvMoments *moments,
			const ClvFitReport *contained, ClvFitReport *report)
{
	Starts starts = {.n = 0};

	if (control->start != NULL)
		AddStart(&starts, (ClvStart){.param = control->start, .warm = true});
	AddContained(&starts, data->all.family, moments, contained);
	return SearchCells(data, control, moments, starts.start, starts.n, report);
}

/* Lets the covariates act that have been surveyed. */
static void
LetCovariatesAct(CellData *data, const ClvFitControl *control)
{
	data->all.covariates = &data->covariates;
	data->all.course = control->course != NULL ? &data->course : NULL;
	clv_cells_sort(&data->all);
}

/*
 * Fits parameters and effects. Effects start at 0 from the maximum without them, which is a
 * lower bound too, and where the caller says. A degenerate fit without effects is no start:
 * from there the search does not return.
 */
static ClvStatus
SearchEffects(CellData *data, const ClvFitControl *control, const ClvMoments *moments,
			  const ClvFitReport *contained, ClvFitReport *report)
{
	ClvFitReport alike = *report;
	ClvStatus status = SearchAlike(data, control, moments, NULL, &alike);
	Starts starts = {.n = 0};

	if (status == CLV_OK || status == CLV_NOT_CONVERGED)
		AddStart(&starts, (ClvStart){.param = alike.param});
	if (HasPoint(status))
		AddStart(&starts, (ClvStart){.param = alike.param, .floor = true});
	if (control->start != NULL && control->start_effects != NULL)
		AddStart(&starts, (ClvStart){.param = control->start,
									 .effect = control->start_effects,
									 .centre = control->start_centre,
									 .warm = true});
	AddContained(&starts, data->all.family, moments, contained);
	LetCovariatesAct(data, control);
	return SearchCells(data, control, moments, starts.start, starts.n, report);
}

/* Fits a family to sorted cells, with covariates if there are any; fills report. */
static ClvStatus FitSorted(CellData *data, const ClvFitControl *control, ClvFitReport *report);

/*
 * Fit the family that this one contains to the same cells, into report; NULL where there is
 * none, or nothing came of it.
 */
static const ClvFitReport *
FitContained(CellData *data, const ClvFitControl *control, ClvFitReport *report)
{
	const ClvFamily *family = data->all.family;
	ClvFitControl plain = *control;
	ClvStatus status;

	if (family->embed == NULL)
		return NULL;
	if (control->contained != NULL)
		return HasPoint(control->contained_status) ? control->contained : NULL;
	plain.start = plain.start_effects = plain.fixed = NULL;
	plain.prior = NULL; /* it is about this family alone */
	data->all.family = clv_family(family->border != NULL ? family->border : family->core);
	ClearReport(data->all.family, report);
	status = FitSorted(data, &plain, report);
	data->all.family = family;
	if (data->all.covariates != NULL)
	{
		data->all.covariates = NULL;
		data->all.course = NULL;
		clv_cells_sort(&data->all);
	}
	return HasPoint(status) ? report : NULL;
}

/* Standardises the covariates, constant ones or those of a course; see clv_covariates_survey(). */
static ClvStatus
Survey(CellData *data, const ClvFitControl *control, int *culprit)
{
	uint32_t acting[3] = {control->idle_purchase, control->idle_churn, control->same};

	if (control->course == NULL)
		return clv_covariates_survey(data->all.cells, data->all.n, data->all.groups, acting,
									 data->all.poll, &data->covariates, culprit);
	clv_course_lay_out(&data->course, control->course);
	return clv_course_survey(&data->course, &data->all, acting, &data->covariates, culprit);
}

/* Fits the family to sorted cells, after what it contains; the status says what is wrong with it.
 */
static ClvStatus
FitSorted(CellData *data, const ClvFitControl *control, ClvFitReport *report)
{
	const ClvGroups *groups = data->all.groups;
	ClvFitReport contained;
	ClvMoments moments;
	ClvStatus status;
	int culprit = -1;

	CellMoments(&data->all, &moments);
	report->customers = moments.customers;
	status = CheckCells(&data->all, &moments, control);
	if (status != CLV_OK)
		return status;
	if (control->course == NULL && (groups == NULL || groups->ncovariates == 0))
		return SearchAlike(data, control, &moments, FitContained(data, control, &contained),
						   report);
	status = Survey(data, control, &culprit);
	if (status == CLV_OK)
		return SearchEffects(data, control, &moments, FitContained(data, control, &contained),
							 report);
	if (culprit >= 0)
		report->degenerate_param = data->all.family->nparams + culprit;
	return status;
}

/* Whether the family can follow the course, with no more covariates in all than there may be. */
static bool
CanFollow(const ClvFamily *family, const ClvGroups *groups, const ClvCourse *course)
{
	int n = course->ncovariates + (groups != NULL ? groups->ncovariates : 0);

	return n <= CLV_MAX_COVARIATES && family->clocked != NULL;
}

/* Opens the data of a fit: checks, sorts and merges the cells; n becomes how many are left. */
static ClvStatus
OpenCells(CellData *data, size_t *n, const ClvGroups *groups, const ClvFitControl *control,
		  void *workspace)
{
	const ClvFamily *family = data->all.family;
	ClvArena arena = {workspace, 0};
	ClvStatus status;

	data->all.groups = groups != NULL && groups->n > 0 ? groups : NULL;
	data->all.course_share = 1;
	status = CheckGroups(family, data->all.groups);
	if (status != CLV_OK)
		return status;
	if (control->course != NULL && !CanFollow(family, data->all.groups, control->course))
		return CLV_BAD_START;
	LayOutCells(data, &arena, *n);
	if (!clv_cells_sort(&data->all))
		return CLV_BAD_START;
	*n = data->all.n;
	return CLV_OK;
}

ClvStatus
clv_fit_cells(const ClvFamily *family, ClvCell *cells, size_t *n, const ClvGroups *groups,
			  const ClvFitControl *control, void *workspace, ClvFitReport *report)
{
	ClvPoll poll = {control->poll, control->poll_arg, 0};
	CellData data = {.all = {.family = family, .cells = cells, .n = *n, .poll = &poll}};
	ClvStatus status;

	ClearReport(family, report);
	status = OpenCells(&data, n, groups, control, workspace);
	return status == CLV_OK ? FitSorted(&data, control, report) : status;
}

/* Sets all limits to not known. */
static void
ClearLimits(ClvLimits *limits)
{
	for (int i = 0; i < CLV_MAX_DIM; i++)
		limits->low[i] = limits->high[i] = NAN;
}

void
clv_limits_cells(const ClvFamily *family, ClvCell *cells, size_t *n, const ClvGroups *groups,
				 const ClvFitControl *control, void *workspace, const ClvFitReport *report,
				 double width, ClvLimits *limits)
{
	ClvPoll poll = {control->poll, control->poll_arg, 0};
	CellData data = {.all = {.family = family, .cells = cells, .n = *n, .poll = &poll}};
	ClvMoments moments;
	ClvProblem problem;
	int culprit;

	ClearLimits(limits);
	if (OpenCells(&data, n, groups, control, workspace) != CLV_OK || data.all.n == 0)
		return;
	CellMoments(&data.all, &moments);
	if (report->neffects > 0)
	{
		if (Survey(&data, control, &culprit) != CLV_OK)
			return;
		LetCovariatesAct(&data, control);
	}
	problem = CellProblem(&data, control, &moments);
	clv_profile_limits(&problem, report, width, limits);
}

/* ---- spend families ---- */

/* The rows of a fit, a sample of them, and what their customers share. */
typedef struct SpendData
{
	ClvSpendRows all;
	ClvSpendRow *scratch; /* sorts, and then holds the sample */
	const ClvGroups *groups;
	ClvCell *members; /* a cell for each group that has rows */
	ClvCovariates covariates;
} SpendData;

/* Lays out the memory for n rows and so many groups. */
static void
LayOutSpend(SpendData *data, ClvArena *arena, size_t n, uint32_t groups)
{
	data->scratch = clv_arena_take(arena, n, sizeof(ClvSpendRow));
	data->members = clv_arena_take(arena, groups, sizeof(ClvCell));
}

size_t
clv_fit_spend_workspace(const ClvFamily *family, size_t n, uint32_t groups)
{
	SpendData data;
	ClvArena arena = {NULL, 0};

	(void) family;
	LayOutSpend(&data, &arena, n, groups);
	return arena.used;
}

/* The objective function of a spend family. */
static void
EvaluateSpend(void *data, const double *point, ClvQuadratic *at)
{
	clv_spend_rows_evaluate(data, point, at);
}

/* Sets *moments to means over customers, the squares relative to the mean. */
static void
SpendMoments(ClvSpendRows *spend, ClvMoments *moments)
{
	ClvSum x = {0};
	ClvSum mean = {0};
	ClvSum square = {0};
	double customers = (double) spend->n;

	memset(moments, 0, sizeof(*moments));
	if (spend->n == 0)
		return;
	for (size_t i = 0; i < spend->n; i++)
	{
		clv_sum_add(&x, spend->rows[i].x);
		clv_sum_add(&mean, spend->rows[i].mean / customers);
	}
	moments->customers = customers;
	moments->x = clv_sum_value(&x) / customers;
	moments->repeaters = 1;
	moments->spend = clv_sum_value(&mean);
	for (size_t i = 0; i < spend->n; i++)
	{
		double ratio = spend->rows[i].mean / moments->spend;

		clv_sum_add(&square, ratio * ratio);
		clv_poll(spend->poll, 1);
	}
	moments->spend_squared = clv_sum_value(&square) / customers;
}

/* Whether the rows suffice for a fit: CLV_OK, or why not. */
static ClvStatus
CheckSpend(const ClvSpendRows *spend)
{
	const ClvSpendRow *first = spend->rows;

	if (spend->n <= (size_t) spend->family->nparams)
		return CLV_TOO_FEW;
	for (size_t i = 1; i < spend->n; i++)
		if (spend->rows[i].x != first->x || spend->rows[i].mean != first->mean)
			return CLV_OK;
	return CLV_NO_DROPOUT_SIGNAL;
}

/* Samples every k-th of the sorted rows. */
static void
SampleSpend(const ClvSpendRows *all, ClvSpendRows *sample)
{
	size_t step = all->n / SAMPLE;

	sample->n = 0;
	for (size_t i = step / 2; i < all->n && sample->n < SAMPLE; i += step)
		sample->rows[sample->n++] = all->rows[i];
}

/* The problem of sorted rows; covariates act where all.covariates is set. */
static ClvProblem
SpendProblem(SpendData *data, const ClvFitControl *control, const ClvMoments *moments)
{
	ClvProblem problem = MakeProblem(data->all.family, control, moments);

	problem.evaluate = EvaluateSpend;
	problem.data = &data->all;
	problem.covariates = data->all.covariates;
	return problem;
}

/* Searches for the maximum, with sorted rows. */
static ClvStatus
SearchSpend(SpendData *data, const ClvFitControl *control, const ClvStart *starts, int nstarts,
			ClvFitReport *report)
{
	ClvSpendRows some = data->all;
	ClvMoments moments;
	ClvProblem problems[2];

	SpendMoments(&data->all, &moments);
	problems[0] = SpendProblem(data, control, &moments);
	if (data->all.n <= WORTH_SAMPLING)
		return clv_search(problems, 1, starts, nstarts, report);
	some.rows = data->scratch;
	SampleSpend(&data->all, &some);
	problems[1] = MakeSample(&problems[0], (double) some.n, &some);
	return clv_search(problems, 2, starts, nstarts, report);
}

/* Fits the parameters of the family without covariates. */
static ClvStatus
SearchSpendAlike(SpendData *data, const ClvFitControl *control, ClvFitReport *report)
{
	ClvStart start = {.param = control->start, .warm = true};

	return SearchSpend(data, control, &start, control->start != NULL, report);
}

/* Standardises the covariates over the customers who have rows; see clv_covariates_survey(). */
static ClvStatus
SurveySpend(SpendData *data, const ClvFitControl *control, int *culprit)
{
	uint32_t acting[3] = {control->idle_purchase, 0, 0};
	const ClvSpendRows *all = &data->all;
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
	{
		if (i == 0 || all->rows[i].group != all->rows[i - 1].group)
			data->members[n++] = (ClvCell){.group = all->rows[i].group};
		data->members[n - 1].count++;
	}
	return clv_covariates_survey(data->members, n, data->groups, acting, all->poll,
								 &data->covariates, culprit);
}

/* Fits parameters and effects, from the maximum without these, which is a lower bound. */
static ClvStatus
SearchSpendEffects(SpendData *data, const ClvFitControl *control, ClvFitReport *report)
{
	ClvFitReport alike = *report;
	ClvStatus status = SearchSpendAlike(data, control, &alike);
	ClvStart starts[2];
	int n = 0;

	if (status == CLV_OK || status == CLV_NOT_CONVERGED)
		starts[n++] = (ClvStart){.param = alike.param};
	if (HasPoint(status))
		starts[n++] = (ClvStart){.param = alike.param, .floor = true};
	data->all.covariates = &data->covariates;
	return SearchSpend(data, control, starts, n, report);
}

ClvStatus
clv_fit_spend(const ClvFamily *family, ClvSpendRow *rows, size_t n, const ClvGroups *groups,
			  const ClvFitControl *control, void *workspace, ClvFitReport *report)
{
	ClvPoll poll = {control->poll, control->poll_arg, 0};
	SpendData data = {.all = {family, rows, n, &poll, NULL}, .groups = groups};
	ClvArena arena = {workspace, 0};
	ClvStatus status;
	int culprit = -1;

	ClearReport(family, report);
	report->customers = (double) n;
	LayOutSpend(&data, &arena, n, groups == NULL ? 0 : groups->n);
	if (!clv_spend_rows_sort(&data.all, data.scratch))
		return CLV_BAD_START;
	status = IsProper(control) ? CLV_OK : CheckSpend(&data.all);
	if (status != CLV_OK)
		return status;
	if (groups == NULL || groups->ncovariates == 0)
		return SearchSpendAlike(&data, control, report);
	status = SurveySpend(&data, control, &culprit);
	if (status == CLV_OK)
		return SearchSpendEffects(&data, control, report);
	if (culprit >= 0)
		report->degenerate_param = family->nparams + culprit;
	return status;
}

void
clv_limits_spend(const ClvFamily *family, ClvSpendRow *rows, size_t n, const ClvGroups *groups,
				 const ClvFitControl *control, void *workspace, const ClvFitReport *report,
				 double width, ClvLimits *limits)
{
	ClvPoll poll = {control->poll, control->poll_arg, 0};
	SpendData data = {.all = {family, rows, n, &poll, NULL}, .groups = groups};
	ClvArena arena = {workspace, 0};
	ClvMoments moments;
	ClvProblem problem;
	int culprit;

	ClearLimits(limits);
	LayOutSpend(&data, &arena, n, groups == NULL ? 0 : groups->n);
	if (!clv_spend_rows_sort(&data.all, data.scratch))
		return;
	SpendMoments(&data.all, &moments);
	if (report->neffects > 0)
	{
		if (SurveySpend(&data, control, &culprit) != CLV_OK)
			return;
		data.all.covariates = &data.covariates;
	}
	problem = SpendProblem(&data, control, &moments);
	clv_profile_limits(&problem, report, width, limits);
}
