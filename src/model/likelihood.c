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
 * Newton's method on the logs of the parameters (newton.c). The first attempt
 * starts where the caller says, or where the family guesses from the data's
 * moments; if it does not arrive, others start from further guesses, and the
 * best point of all is returned, with what was wrong about it.
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

typedef char params_fit_linalg[CLV_MAX_PARAMS <= CLV_LINALG_MAX ? 1 : -1];

/* ---- what both fits share: an objective, and the attempts to climb it ---- */

typedef struct Fit
{
	const ClvFamily *family;
	const ClvFitControl *control;
	ClvFitReport *report;
	double customers;
	double penalty; /* of the whole log-likelihood */
	void *data;
	void (*evaluate)(void *data, const double *param, ClvQuadratic *at);
} Fit;

static double
Penalty(const Fit *fit, const double *theta)
{
	double squares = 0;

	for (int i = 0; i < fit->family->nparams; i++)
		squares += fit->family->is_scale[i] ? 0 : theta[i] * theta[i];
	return fit->penalty * squares;
}

static void
Objective(void *arg, const double *theta, ClvQuadratic *at)
{
	const Fit *fit = arg;
	double param[CLV_MAX_PARAMS];

	for (int i = 0; i < fit->family->nparams; i++)
		param[i] = exp(theta[i]);
	fit->evaluate(fit->data, param, at);
	if (fit->penalty == 0)
		return;
	at->value -= Penalty(fit, theta);
	for (int i = 0; i < fit->family->nparams; i++)
	{
		if (fit->family->is_scale[i])
			continue;
		at->gradient[i] -= 2 * fit->penalty * theta[i];
		at->hessian[CLV_AT(i, i)] -= 2 * fit->penalty;
	}
}

static void
ReportPoint(const Fit *fit, const ClvNewton *newton)
{
	ClvFitReport *report = fit->report;
	int n = fit->family->nparams;
	double curvature[CLV_MAX_HESSIAN] = {0};
	ClvCholesky chol;

	for (int i = 0; i < n; i++)
		report->param[i] = exp(newton->theta[i]);
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		curvature[i] = -newton->at.hessian[i];
	memset(report->covariance, 0, sizeof(report->covariance));
	report->has_covariance = clv_cholesky(n, curvature, &chol);
	if (report->has_covariance)
		clv_cholesky_inverse(&chol, report->covariance);
	report->log_likelihood = newton->at.value;
	if (fit->penalty != 0)
		report->log_likelihood += Penalty(fit, newton->theta);
	report->gradient_norm = newton->distance;
	report->degenerate_param = newton->runaway;
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

static ClvNewtonOutcome
Climb(const Fit *fit, const double *start, ClvNewton *newton)
{
	int limit = fit->control->max_iterations;

	newton->n = fit->family->nparams;
	newton->tolerance = TOLERANCE;
	newton->max_evaluations = limit > 0 ? limit : MAX_EVALUATIONS;
	for (int i = 0; i < newton->n; i++)
		newton->theta[i] = log(start[i]);
	return clv_newton_maximize(newton, Objective, (void *) fit);
}

/* Starting points after the first: the moments' guess, its shapes larger, and smaller. */
static const double shape_factors[] = {1, 5, 0.2};

#define ATTEMPTS ((int) (sizeof(shape_factors) / sizeof(shape_factors[0])))

static void
Guess(const Fit *fit, const ClvMoments *moments, int attempt, double *start)
{
	fit->family->start(moments, start);
	for (int i = 0; i < fit->family->nparams; i++)
		start[i] *= shape_factors[attempt];
}

/*
 * Climb from one start after the other until one arrives. A later attempt
 * replaces an earlier one where it came higher.
 */
static ClvStatus
Search(const Fit *fit, const ClvMoments *moments)
{
	ClvStatus best = CLV_BAD_START;
	double height = -INFINITY;
	double start[CLV_MAX_PARAMS];
	int first = fit->control->start != NULL ? -1 : 0;

	for (int attempt = first; attempt < ATTEMPTS && best != CLV_OK; attempt++)
	{
		ClvNewton newton;
		ClvNewtonOutcome outcome;

		if (attempt < 0)
			memcpy(start, fit->control->start, fit->family->nparams * sizeof(double));
		else
			Guess(fit, moments, attempt, start);
		outcome = Climb(fit, start, &newton);
		fit->report->iterations += newton.evaluations;
		if (outcome == CLV_NEWTON_BAD_START || !(newton.at.value > height))
			continue;
		height = newton.at.value;
		best = Verdict(outcome);
		ReportPoint(fit, &newton);
	}
	return best;
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

static void
SetCustomers(Fit *fit, double customers)
{
	fit->customers = customers;
	fit->report->customers = customers;
	fit->penalty = fit->control->shape_penalty * customers;
}

/* ---- transaction families ---- */

size_t
clv_fit_cells_workspace(const ClvFamily *family, size_t n)
{
	ClvCells cells;
	ClvArena arena = {NULL, 0};

	(void) family; /* the tables have room for any */
	clv_cells_carve(&cells, &arena, n);
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

ClvStatus
clv_fit_cells(const ClvFamily *family, ClvCell *cells, size_t n, const ClvFitControl *control,
			  void *workspace, ClvFitReport *report)
{
	ClvPoll poll = {control->poll, control->poll_arg, 0};
	ClvCells data = {.family = family, .cells = cells, .n = n, .poll = &poll};
	Fit fit = {family, control, report, .data = &data, .evaluate = EvaluateCells};
	ClvArena arena = {workspace, 0};
	ClvMoments moments;
	ClvStatus status;

	ClearReport(family, report);
	clv_cells_carve(&data, &arena, n);
	if (!clv_cells_sort(&data))
		return CLV_BAD_START;
	CellMoments(&data, &moments);
	SetCustomers(&fit, moments.customers);
	status = CheckCells(&data, &moments);
	if (status != CLV_OK)
		return status;
	clv_cells_index(&data);
	return Search(&fit, &moments);
}

/* ---- spend families ---- */

size_t
clv_fit_spend_workspace(const ClvFamily *family, size_t n)
{
	ClvArena arena = {NULL, 0};

	(void) family;
	clv_arena_take(&arena, n, sizeof(ClvSpendRow));
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

ClvStatus
clv_fit_spend(const ClvFamily *family, ClvSpendRow *rows, size_t n, const ClvFitControl *control,
			  void *workspace, ClvFitReport *report)
{
	ClvPoll poll = {control->poll, control->poll_arg, 0};
	ClvSpendRows data = {family, rows, n, &poll};
	Fit fit = {family, control, report, .data = &data, .evaluate = EvaluateSpend};
	ClvMoments moments;
	ClvStatus status;

	ClearReport(family, report);
	SetCustomers(&fit, (double) n);
	if (!clv_spend_rows_sort(&data, workspace))
		return CLV_BAD_START;
	status = CheckSpend(&data);
	if (status != CLV_OK)
		return status;
	SpendMoments(&data, &moments);
	return Search(&fit, &moments);
}
