/*
 * discrete.h
 *		What the tests of the families without the two terms share: one function holds
 *		the whole of a customer.
 */
#ifndef CLV_TEST_DISCRETE_H
#define CLV_TEST_DISCRETE_H

#include <math.h>

#include "fitting.h"
#include "families/registry.h"
#include "oracle.h"

/*
 * Relative errors stay below 1e-13 in every column of the reference tables (1e-12 is the
 * aim); the margin is for other libms.
 */
#define REFERENCE_TOLERANCE 5e-13

/* Fails where the relative error of a value exceeds the tolerance. */
static inline void
AssertRelative(const char *what, double actual, double expected, double tolerance)
{
	if (!(RelativeError(actual, expected) <= tolerance))
		fail_msg("%s is %.17g, not %.17g", what, actual, expected);
}

/* Of a logarithm, which may be near 0, the error is that of what it is the log of. */
static inline void
AssertLog(const char *what, double actual, double expected, double tolerance)
{
	if (!(actual == expected || fabs(actual - expected) <= tolerance * fmax(1, fabs(expected))))
		fail_msg("%s is %.17g, not %.17g", what, actual, expected);
}

/* What a reference table says, and what we say. */
typedef struct Column
{
	const char *name;
	double value;
} Column;

/* Fails where a column differs from the reference values of a row. */
static inline void
AgreeWithRow(const Oracle *o, const Column *columns, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		double expected = Value(o, columns[i].name);

		if (!(RelativeError(columns[i].value, expected) <= REFERENCE_TOLERANCE))
			fail_msg("row %d: %s is %.17g, not %.17g", o->row, columns[i].name, columns[i].value,
					 expected);
	}
}

/* One customer, as CheckDerivatives() wants it. */
typedef struct Customer
{
	const ClvFamily *family;
	double x;
	double t_x;
	double T;
	double outcome;
} Customer;

/* A parameter on the logit scale comes in as its odds. */
static inline void
EvaluateCustomer(void *data, const double *theta, ClvQuadratic *at)
{
	const Customer *c = data;
	double param[CLV_MAX_PARAMS];
	ClvTerm term;

	for (int i = 0; i < c->family->nparams; i++)
		param[i] = c->family->transform[i] == CLV_LOGIT ? theta[i] / (1 + theta[i]) : theta[i];
	c->family->cell(param, c->x, c->t_x, c->T, c->outcome, &term);
	memset(at, 0, sizeof(*at));
	at->value = term.ln;
	memcpy(at->gradient, term.gradient, sizeof(double) * c->family->nparams);
	memcpy(at->hessian, term.hessian, sizeof(double) * CLV_TRIANGLE(c->family->nparams));
}

/* Asserts that a fit has converged: a small gradient, and a covariance. */
static inline void
AtTheMaximum(ClvStatus status, const ClvFitReport *report)
{
	assert_int_equal(status, CLV_OK);
	assert_true(report->gradient_norm < 1e-5);
	assert_true(report->has_covariance);
}

/* Nothing that a family returns for a possible customer is NaN, nor a probability beyond 0 and 1.
 */
static inline void
MakesSense(const ClvFamily *family, const double *param, double x, double t_x, double T, double t)
{
	double p_alive = family->ln_p_alive(param, x, t_x, T);
	double expected = clv_expected_given(family, param, x, t_x, T, t);
	double value = clv_discounted_given(family, param, x, t_x, T, 0.01, t);
	double for_ever = clv_discounted_given(family, param, x, t_x, T, 0.01, INFINITY);
	double none = clv_probability_given(family, param, x, t_x, T, 0, t);
	double one = clv_probability_given(family, param, x, t_x, T, 1, t);

	assert_true(p_alive <= 0);
	assert_true(expected >= 0 && value >= 0 && value <= expected * (1 + 1e-12));
	assert_true(for_ever >= 0);
	assert_true(none >= 0 && none <= 1 && one >= 0 && none + one <= 1 + 1e-12);
	assert_true(clv_discounted_given(family, param, x, t_x, T, 0, INFINITY) >= 0);
}

#endif /* CLV_TEST_DISCRETE_H */
