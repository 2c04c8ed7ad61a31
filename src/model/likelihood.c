/*
 * likelihood.c
 *		Maximum likelihood over cells of identical customers.
 *
 * Why a fit to millions costs tenths of a second
 * ----------------------------------------------
 * A likelihood of the form L = C (P(t_x) + Q(T)), with C, P and Q depending on x,
 * separates what is costly from what is frequent. Histories are counted in days,
 * so the customers of one x share a few hundred distinct t_x and T. The family
 * computes its powers and gamma functions, and their derivatives, once for each
 * of those: the tables. What remains for a cell, that is for all customers with
 * the same x, t_x and T, is to look up P and Q and to add them. Even the
 * logarithms are shared, for the sum of the logs of single customers is the log
 * of a product of many.
 *
 * The derivatives cost hardly more. With p = ln P, q = ln Q, and the share
 * s = P/(P+Q) (the probability that the customer has left, for the families
 * that there are), a cell's ln L has
 *
 *		gradient	C' + s p' + (1-s) q'
 *		Hessian		C'' + s p'' + (1-s) q'' + s(1-s) (p'-q')(p'-q')'
 *
 * in which all primed things belong to a row of a table and only s to the cell.
 * So the walk over the cells adds up s, 1-s and s(1-s) in the rows they came
 * from, and afterwards each row's derivatives are weighted once with what it
 * collected. Only the products p' q' are joint; as cells are sorted by T, one
 * vector sum per T takes them in.
 *
 * Values and logs
 * ---------------
 * Within a block (the cells of one x) the terms are kept as numbers relative to
 * the middle of their range. Where (r+x) ln(1 + T/alpha) is so large that the
 * doubles would not hold them, that block walks in logs: the same sums, an
 * exponential a cell dearer.
 *
 * A block ends when it has collected as many distinct times as a table holds.
 * Where times do not repeat, each cell thereby becomes a row of its own, which is
 * no more than direct evaluation.
 *
 * The same bits
 * -------------
 * Cells are sorted and equal ones merged before anything is added, so the order of
 * arrival cannot show. Sums over customers carry their rounding along (sum.h).
 *
 * The search
 * ----------
 * Newton's method on the logs of the parameters (newton.c), from several starts:
 * the likelihood may have more than one top. Small data are climbed from the
 * caller's start and from every guess of the family. Of large data the same is
 * done with a sample of some thousand customers, and all data are climbed only
 * from the top of that, or from the caller's start where that is near it; what
 * comes close to it in the sample gets its chance too. The highest point is
 * returned, with what is wrong about it.
 *
 * Bounds say when to give up: a shape of a million means that customers do not
 * differ, or that nobody leaves, and the likelihood rises on for ever.
 *
 * A penalty lambda on the shapes maximises ln L / N - lambda sum (ln shape)^2, N
 * being the number of customers: the same lambda means the same for any N. The
 * log-likelihood reported is without the penalty, the covariance with it.
 */
#include "model/likelihood.h"

#include <math.h>
#include <string.h>

#include "math/sum.h"
#include "model/cells.h"
#include "model/spend_rows.h"

#define TOLERANCE 1e-5 /* in standard errors; the last step then squares it */
#define MAX_EVALUATIONS 150

/* Customers in the sample; more cells than this are worth sampling. */
#define SAMPLE 8192
#define WORTH_SAMPLING (2 * SAMPLE)

/* A top of the sample that is lower by less than this may be the highest of all. */
#define SAMPLE_MARGIN 20.0

/* A start whose logs are this near to the sample's top may be nearer to the real one. */
#define WARM 0.5

/* Heights within this are the same top. */
#define SAME_TOP 1e-7

/* A shape beyond 1e6 or 1e-6 has run away, a scale when 1e8 times off the family's guess. */
#define SHAPE_BOUND 13.8
#define SCALE_BOUND 18.4

typedef char params_fit_linalg[CLV_MAX_PARAMS <= CLV_LINALG_MAX ? 1 : -1];

/* ---- what both fits share: a log-likelihood, and the attempts to climb it ---- */

typedef struct Problem
{
	const ClvFamily *family;
	const ClvMoments *moments;
	double penalty; /* of the whole log-likelihood */
	int max_evaluations;
	void *data;
	void (*evaluate)(void *data, const double *param, ClvQuadratic *at);
} Problem;

/* A climb, and where it began. */
typedef struct Attempt
{
	double start[CLV_MAX_PARAMS];
	ClvNewton newton;
	ClvNewtonOutcome outcome;
} Attempt;

#define MAX_ATTEMPTS 8

static double
Penalty(const Problem *problem, const double *theta)
{
	double squares = 0;

	for (int i = 0; i < problem->family->nparams; i++)
		squares += problem->family->is_scale[i] ? 0 : theta[i] * theta[i];
	return problem->penalty * squares;
}

static void
Objective(void *arg, const double *theta, ClvQuadratic *at)
{
	const Problem *problem = arg;
	const ClvFamily *family = problem->family;
	double param[CLV_MAX_PARAMS];

	for (int i = 0; i < family->nparams; i++)
		param[i] = exp(theta[i]);
	problem->evaluate(problem->data, param, at);
	if (problem->penalty == 0)
		return;
	at->value -= Penalty(problem, theta);
	for (int i = 0; i < family->nparams; i++)
	{
		if (family->is_scale[i])
			continue;
		at->gradient[i] -= 2 * problem->penalty * theta[i];
		at->hessian[CLV_AT(i, i)] -= 2 * problem->penalty;
	}
}

static void
SetBounds(const Problem *problem, ClvNewton *newton)
{
	double guess[CLV_MAX_PARAMS];

	problem->family->start(problem->moments, 0, guess);
	for (int i = 0; i < newton->n; i++)
	{
		bool is_scale = problem->family->is_scale[i];
		double middle = is_scale ? log(guess[i]) : 0;
		double width = is_scale ? SCALE_BOUND : SHAPE_BOUND;

		newton->low[i] = middle - width;
		newton->high[i] = middle + width;
	}
}

/* From attempt->start, or the nearest point within the bounds. */
static void
Climb(const Problem *problem, Attempt *attempt)
{
	ClvNewton *newton = &attempt->newton;

	newton->n = problem->family->nparams;
	newton->tolerance = TOLERANCE;
	newton->max_evaluations = problem->max_evaluations;
	SetBounds(problem, newton);
	for (int i = 0; i < newton->n; i++)
	{
		double theta = log(attempt->start[i]);

		theta = theta < newton->low[i] ? newton->low[i] : theta;
		newton->theta[i] = theta > newton->high[i] ? newton->high[i] : theta;
	}
	attempt->outcome = clv_newton_maximize(newton, Objective, (void *) problem);
	if (attempt->outcome == CLV_NEWTON_BAD_START)
		newton->at.value = -INFINITY;
}

static double
Height(const Attempt *attempt)
{
	return attempt->newton.at.value;
}

static bool
SameTop(const Attempt *a, const Attempt *b)
{
	return fabs(Height(a) - Height(b)) <= SAME_TOP * (1 + 1e-6 * fabs(Height(a)));
}

/* Climb from the caller's start, if any, and from all of the family's guesses. */
static int
Explore(const Problem *problem, const double *start, Attempt *attempts)
{
	int n = 0;

	if (start != NULL)
	{
		memcpy(attempts[n].start, start, problem->family->nparams * sizeof(double));
		Climb(problem, &attempts[n++]);
	}
	for (int which = 0; n < MAX_ATTEMPTS; which++)
	{
		if (!problem->family->start(problem->moments, which, attempts[n].start))
			break;
		Climb(problem, &attempts[n++]);
	}
	return n;
}

/* The highest; of those on the same top, the first that arrived. */
static const Attempt *
Highest(const Attempt *attempts, int n)
{
	const Attempt *best = &attempts[0];

	for (int i = 1; i < n; i++)
	{
		bool same = SameTop(&attempts[i], best);

		if (same ? best->outcome != CLV_NEWTON_CONVERGED &&
					   attempts[i].outcome == CLV_NEWTON_CONVERGED
				 : Height(&attempts[i]) > Height(best))
			best = &attempts[i];
	}
	return best;
}

static bool
SeenBefore(const Attempt *attempts, int i)
{
	for (int k = 0; k < i; k++)
	{
		if (SameTop(&attempts[k], &attempts[i]))
			return true;
	}
	return false;
}

/* Was the climb so short that its start may have been the top of all the data? */
static bool
IsWarm(const Attempt *attempt)
{
	for (int i = 0; i < attempt->newton.n; i++)
	{
		if (!(fabs(log(attempt->start[i]) - attempt->newton.theta[i]) < WARM))
			return false;
	}
	return true;
}

/*
 * Climb all of the data from what was found in the sample; from the caller's
 * start itself where that is warm.
 */
static int
Refine(const Problem *problem, const Attempt *found, int n, bool has_start, Attempt *attempts)
{
	const Attempt *best = Highest(found, n);
	int climbs = 0;

	for (int i = 0; i < n; i++)
	{
		Attempt *attempt = &attempts[climbs];

		if (!(Height(&found[i]) > Height(best) - SAMPLE_MARGIN) || SeenBefore(found, i))
			continue;
		*attempt = found[i];
		if (!(has_start && i == 0 && IsWarm(&found[i])))
		{
			for (int k = 0; k < problem->family->nparams; k++)
				attempt->start[k] = exp(found[i].newton.theta[k]);
		}
		Climb(problem, attempt);
		climbs++;
	}
	return climbs;
}

static ClvStatus
Verdict(ClvNewtonOutcome outcome)
{
	switch (outcome)
	{
		case CLV_NEWTON_CONVERGED:
			return CLV_OK;
		case CLV_NEWTON_RUNAWAY:
			return CLV_DEGENERATE;
		case CLV_NEWTON_BAD_START:
			return CLV_BAD_START;
		case CLV_NEWTON_EXHAUSTED:
			break;
	}
	return CLV_NOT_CONVERGED;
}

static ClvStatus
Report(const Problem *problem, const Attempt *attempt, ClvFitReport *report)
{
	const ClvNewton *newton = &attempt->newton;
	int n = problem->family->nparams;
	double curvature[CLV_MAX_HESSIAN] = {0};
	ClvCholesky chol;

	report->iterations = newton->evaluations;
	if (attempt->outcome == CLV_NEWTON_BAD_START)
		return CLV_BAD_START;
	for (int i = 0; i < n; i++)
		report->param[i] = exp(newton->theta[i]);
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		curvature[i] = -newton->at.hessian[i];
	report->has_covariance = clv_cholesky(n, curvature, &chol);
	if (report->has_covariance)
		clv_cholesky_inverse(&chol, report->covariance);
	report->log_likelihood = newton->at.value + Penalty(problem, newton->theta);
	report->gradient_norm = newton->distance;
	report->degenerate_param = newton->runaway;
	return Verdict(attempt->outcome);
}

/* sample may be all there is */
static ClvStatus
Search(const Problem *all, const Problem *sample, const double *start, ClvFitReport *report)
{
	Attempt found[MAX_ATTEMPTS];
	Attempt refined[MAX_ATTEMPTS];
	const Attempt *best;
	int n = Explore(sample, start, found);

	if (sample != all)
		n = Refine(all, found, n, start != NULL, refined);
	best = Highest(sample == all ? found : refined, n);
	if (sample != all && best->outcome != CLV_NEWTON_CONVERGED)
	{
		n = Explore(all, start, found);
		best = Highest(found, n);
	}
	return Report(all, best, report);
}

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

static Problem
MakeProblem(const ClvFamily *family, const ClvFitControl *control, const ClvMoments *moments)
{
	int limit = control->max_iterations;

	return (Problem){.family = family,
					 .moments = moments,
					 .penalty = control->shape_penalty * moments->customers,
					 .max_evaluations = limit > 0 ? limit : MAX_EVALUATIONS};
}

/* The same question to a sample of so many customers. */
static Problem
MakeSample(const Problem *all, double customers, void *data)
{
	Problem sample = *all;

	sample.penalty *= customers / all->moments->customers;
	sample.max_evaluations = MAX_EVALUATIONS;
	sample.data = data;
	return sample;
}

/* ---- transaction families ---- */

typedef struct CellData
{
	ClvCells all;
	ClvCells sample;
} CellData;

static void
CarveCells(CellData *data, ClvArena *arena, size_t n)
{
	clv_cells_carve(&data->all, arena, n);
	if (n > WORTH_SAMPLING)
		clv_cells_carve_sample(&data->all, &data->sample, arena, SAMPLE);
}

size_t
clv_fit_cells_workspace(const ClvFamily *family, size_t n)
{
	CellData data;
	ClvArena arena = {NULL, 0};

	(void) family; /* the tables have room for any */
	memset(&data, 0, sizeof(data));
	CarveCells(&data, &arena, n);
	return arena.used;
}

static void
EvaluateCells(void *data, const double *param, ClvQuadratic *at)
{
	clv_cells_evaluate(data, param, at);
}

static void
CellMoments(ClvCells *cells, ClvMoments *moments)
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

/* Is there anything to learn from? */
static ClvStatus
CheckCells(const ClvCells *cells, const ClvMoments *moments)
{
	if (cells->n == 0 || moments->customers <= cells->family->nparams)
		return CLV_TOO_FEW;
	if (moments->repeaters == 0)
		return CLV_NO_REPEATERS;
	if (cells->n == 1)
		return CLV_NO_DROPOUT_SIGNAL;
	return CLV_OK;
}

static ClvStatus
SearchCells(CellData *data, const ClvFitControl *control, const ClvMoments *moments,
			ClvFitReport *report)
{
	Problem all = MakeProblem(data->all.family, control, moments);
	Problem sample;

	all.evaluate = EvaluateCells;
	all.data = &data->all;
	clv_cells_index(&data->all);
	if (data->all.n <= WORTH_SAMPLING)
		return Search(&all, &all, control->start, report);
	clv_cells_sample(&data->all, &data->sample, moments->customers, SAMPLE);
	clv_cells_index(&data->sample);
	sample = MakeSample(&all, SAMPLE, &data->sample);
	return Search(&all, &sample, control->start, report);
}

ClvStatus
clv_fit_cells(const ClvFamily *family, ClvCell *cells, size_t n, const ClvFitControl *control,
			  void *workspace, ClvFitReport *report)
{
	ClvPoll poll = {control->poll, control->poll_arg, 0};
	CellData data = {.all = {.family = family, .cells = cells, .n = n, .poll = &poll}};
	ClvArena arena = {workspace, 0};
	ClvMoments moments;
	ClvStatus status;

	ClearReport(family, report);
	CarveCells(&data, &arena, n);
	if (!clv_cells_sort(&data.all))
		return CLV_BAD_START;
	CellMoments(&data.all, &moments);
	report->customers = moments.customers;
	status = CheckCells(&data.all, &moments);
	return status == CLV_OK ? SearchCells(&data, control, &moments, report) : status;
}

/* ---- spend families ---- */

size_t
clv_fit_spend_workspace(const ClvFamily *family, size_t n)
{
	ClvArena arena = {NULL, 0};

	(void) family;
	clv_arena_take(&arena, n, sizeof(ClvSpendRow)); /* sorts, and then holds the sample */
	return arena.used;
}

static void
EvaluateSpend(void *data, const double *param, ClvQuadratic *at)
{
	clv_spend_rows_evaluate(data, param, at);
}

static void
SpendMoments(ClvSpendRows *spend, ClvMoments *moments)
{
	ClvSum x = {0};
	ClvSum mean = {0};
	ClvSum square = {0};
	double customers = (double) spend->n;

	for (size_t i = 0; i < spend->n; i++)
	{
		clv_sum_add(&x, spend->rows[i].x);
		clv_sum_add(&mean, spend->rows[i].mean / customers);
	}
	memset(moments, 0, sizeof(*moments));
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

static ClvStatus
CheckSpend(const ClvSpendRows *spend)
{
	const ClvSpendRow *first = spend->rows;
	const ClvSpendRow *last = spend->rows + spend->n - 1;

	if (spend->n <= (size_t) spend->family->nparams)
		return CLV_TOO_FEW;
	if (first->x == last->x && first->mean == last->mean)
		return CLV_NO_DROPOUT_SIGNAL;
	return CLV_OK;
}

/* Every so many-th row, as they are sorted. */
static void
SampleSpend(const ClvSpendRows *all, ClvSpendRows *sample)
{
	size_t step = all->n / SAMPLE;

	sample->n = 0;
	for (size_t i = step / 2; i < all->n && sample->n < SAMPLE; i += step)
		sample->rows[sample->n++] = all->rows[i];
}

static ClvStatus
SearchSpend(ClvSpendRows *data, ClvSpendRow *scratch, const ClvFitControl *control,
			ClvFitReport *report)
{
	ClvSpendRows some = {data->family, scratch, 0, data->poll};
	ClvMoments moments;
	Problem all;
	Problem sample;

	SpendMoments(data, &moments);
	all = MakeProblem(data->family, control, &moments);
	all.evaluate = EvaluateSpend;
	all.data = data;
	if (data->n <= WORTH_SAMPLING)
		return Search(&all, &all, control->start, report);
	SampleSpend(data, &some);
	sample = MakeSample(&all, (double) some.n, &some);
	return Search(&all, &sample, control->start, report);
}

ClvStatus
clv_fit_spend(const ClvFamily *family, ClvSpendRow *rows, size_t n, const ClvFitControl *control,
			  void *workspace, ClvFitReport *report)
{
	ClvPoll poll = {control->poll, control->poll_arg, 0};
	ClvSpendRows data = {family, rows, n, &poll};
	ClvStatus status;

	ClearReport(family, report);
	report->customers = (double) n;
	if (!clv_spend_rows_sort(&data, workspace))
		return CLV_BAD_START;
	status = CheckSpend(&data);
	return status == CLV_OK ? SearchSpend(&data, workspace, control, report) : status;
}
