/*
 * fitting.h
 *		What the tests of fits share.
 */
#ifndef CLV_TEST_FITTING_H
#define CLV_TEST_FITTING_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/newton.h"
#include "families/cell_table.h"
#include "families/likelihood.h"
#include "shop.h"

/*
 * A workspace that ends exactly where the size function says: the sanitized run
 * sees a byte too many.
 */
static inline ClvStatus
FitGroups(const ClvFamily *family, const ClvCell *cells, size_t n, const ClvGroups *groups,
		  const ClvFitControl *control, ClvFitReport *report)
{
	static const ClvFitControl plain = {0};
	ClvCell *copy = malloc((n + 1) * sizeof(ClvCell));
	void *workspace = malloc(clv_fit_cells_workspace(family, n));
	ClvStatus status;

	memcpy(copy, cells, n * sizeof(ClvCell));
	status = clv_fit_cells(family, copy, &n, groups, control != NULL ? control : &plain, workspace,
						   report);
	free(workspace);
	free(copy);
	return status;
}

/* clv_fit_cells over a copy of the cells, with a workspace of its own. */
static inline ClvStatus
FitCells(const ClvFamily *family, const ClvCell *cells, size_t n, const ClvFitControl *control,
		 ClvFitReport *report)
{
	return FitGroups(family, cells, n, NULL, control, report);
}

/* clv_fit_spend over a copy of the rows, with a workspace of its own. */
static inline ClvStatus
FitSpend(const ClvFamily *family, const ClvSpendRow *rows, size_t n, const ClvFitControl *control,
		 ClvFitReport *report)
{
	static const ClvFitControl plain = {0};
	ClvSpendRow *copy = malloc(n * sizeof(ClvSpendRow) + 1);
	void *workspace = malloc(clv_fit_spend_workspace(family, n, 0));
	ClvStatus status;

	memcpy(copy, rows, n * sizeof(ClvSpendRow));
	status =
		clv_fit_spend(family, copy, n, NULL, control != NULL ? control : &plain, workspace, report);
	free(workspace);
	free(copy);
	return status;
}

/* Standard error of a parameter on its natural scale. */
static inline double
StandardError(const ClvFitReport *report, int i)
{
	return report->param[i] * sqrt(report->covariance[CLV_AT(i, i)]);
}

/*
 * The peer's log-likelihood is not above ours, its parameters and standard errors
 * are ours as far as its optimiser went.
 */
static inline void
AgreesWithPeer(const ClvFamily *family, const ClvFitReport *report, const char *name)
{
	FILE *file = OpenShared(name);
	char line[1024];
	char *field[16];
	int seen = 0;

	if (file == NULL)
		return;
	assert_true(report->has_covariance);
	while (ReadFields(file, line, sizeof(line), field, 16) >= 9)
	{
		for (int i = 0; i < family->nparams; i++)
		{
			if (strcmp(field[5], family->param_names[i]) != 0)
				continue;
			assert_true(report->log_likelihood >= atof(field[8]) - 1e-6);
			assert_true(fabs(report->param[i] / atof(field[6]) - 1) < 1e-3);
			assert_true(fabs(StandardError(report, i) / atof(field[7]) - 1) < 2e-3);
			seen++;
		}
	}
	fclose(file);
	assert_int_equal(seen, family->nparams);
}

/* Asserts that each estimate is within a few standard errors of the truth. */
static inline void
WithinErrors(const ClvFamily *family, const ClvFitReport *report, const double *truth,
			 double errors)
{
	assert_true(report->has_covariance);
	for (int i = 0; i < family->nparams; i++)
	{
		double off = log(report->param[i] / truth[i]) / sqrt(report->covariance[CLV_AT(i, i)]);

		if (!(fabs(off) < errors))
			fail_msg("%s is %g, %g standard errors off %g", family->param_names[i],
					 report->param[i], off, truth[i]);
	}
}

/* Asserts that two fits are the same to the bit. */
static inline void
SameBits(const ClvFamily *family, const ClvFitReport *a, const ClvFitReport *b)
{
	size_t n = (size_t) (family->nparams + a->neffects);

	assert_memory_equal(a->param, b->param, (size_t) family->nparams * sizeof(double));
	assert_memory_equal(a->effect, b->effect, sizeof(a->effect));
	assert_memory_equal(a->covariance, b->covariance, CLV_TRIANGLE(n) * sizeof(double));
	assert_memory_equal(&a->log_likelihood, &b->log_likelihood, sizeof(double));
	assert_memory_equal(&a->gradient_norm, &b->gradient_norm, sizeof(double));
	assert_int_equal(a->iterations, b->iterations);
}

/* ---- derivatives against differences ---- */

typedef void (*Evaluator)(void *data, const double *param, ClvQuadratic *at);

/*
 * Sixth-order central difference along the log of parameter k; of the value or a
 * gradient. What comes after the first nlogs is no parameter and moves itself.
 */
static inline double
Difference(int n, int nlogs, const double *param, int k, int which, Evaluator evaluate, void *data)
{
	static const double weight[] = {45.0 / 60, -9.0 / 60, 1.0 / 60};
	double h = 4e-3;
	double sum = 0;

	for (int step = 1; step <= 3; step++)
	{
		double moved[CLV_MAX_DIM];
		ClvQuadratic up;
		ClvQuadratic down;

		memcpy(moved, param, (size_t) n * sizeof(double));
		moved[k] = k < nlogs ? param[k] * exp(step * h) : param[k] + step * h;
		evaluate(data, moved, &up);
		moved[k] = k < nlogs ? param[k] * exp(-step * h) : param[k] - step * h;
		evaluate(data, moved, &down);
		sum += weight[step - 1] *
			   (which < 0 ? up.value - down.value : up.gradient[which] - down.gradient[which]);
	}
	return sum / h;
}

/*
 * A derivative may vanish where what it is differenced from does not: errors are
 * measured against the largest of their kind, and against the rounding of the
 * value that is differenced.
 */
static inline void
CheckPoint(int n, int nlogs, const double *param, Evaluator evaluate, void *data)
{
	ClvQuadratic at;
	double slope = 0;
	double curve = 0;

	evaluate(data, param, &at);
	for (int i = 0; i < n; i++)
		slope = fmax(slope, fabs(at.gradient[i]));
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		curve = fmax(curve, fabs(at.hessian[i]));
	for (int i = 0; i < n; i++)
	{
		double gradient = Difference(n, nlogs, param, i, -1, evaluate, data);

		if (!(fabs(gradient - at.gradient[i]) < 1e-8 * slope + 1e-12 * fabs(at.value)))
			fail_msg("d/d%d is %.15g, by differences %.15g", i, at.gradient[i], gradient);
		for (int j = 0; j <= i; j++)
		{
			double hessian = Difference(n, nlogs, param, i, j, evaluate, data);

			if (!(fabs(hessian - at.hessian[CLV_AT(i, j)]) < 1e-8 * curve))
				fail_msg("d2/d%dd%d is %.15g, by differences %.15g", i, j, at.hessian[CLV_AT(i, j)],
						 hessian);
		}
	}
}

/* Asserts that gradient and Hessian of all unknowns agree with differences. */
static inline void
CheckDerivatives(int n, const double *param, Evaluator evaluate, void *data)
{
	CheckPoint(n, n, param, evaluate, data);
}

/* An Evaluator: the log-likelihood of cells. */
static inline void
EvaluateEngine(void *data, const double *param, ClvQuadratic *at)
{
	clv_cells_evaluate(data, param, at);
}

/* The tables against the family's own likelihood of each customer, and differences. */
static inline void
CheckEngine(const ClvFamily *family, ClvCell *cells, size_t n, const double *param)
{
	ClvPoll poll = {0};
	ClvCellTable engine = {.family = family, .cells = cells, .n = n, .poll = &poll};
	ClvArena arena = {malloc(clv_fit_cells_workspace(family, n)), 0};
	ClvQuadratic at;
	double direct = 0;

	for (size_t i = 0; i < n; i++)
		direct +=
			cells[i].count * family->log_likelihood(param, cells[i].x, cells[i].t_x, cells[i].T);
	clv_cell_table_lay_out(&engine, &arena, n);
	assert_true(clv_cells_sort(&engine));
	clv_cells_index(&engine);
	clv_cells_evaluate(&engine, param, &at);
	if (!(fabs(at.value - direct) < 1e-12 * fabs(direct)))
		fail_msg("%s: %.17g from tables, %.17g directly", family->name, at.value, direct);
	CheckDerivatives(family->nparams, param, EvaluateEngine, &engine);
	free(arena.base);
}

/* ln P(alive at T + ahead | x, t_x, T), of families with survival */
static inline double
LnPAliveAhead(const ClvFamily *family, const double *param, double x, double t_x, double T,
			  double ahead)
{
	ClvFuture future = {0};

	clv_given_alive(family, param, x, t_x, T, &future);
	return family->ln_p_alive(param, x, t_x, T) + log(future.family->survival(future.param, ahead));
}

#endif /* CLV_TEST_FITTING_H */
