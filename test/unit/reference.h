/*
 * reference.h
 *		The quantities of a family of purchases against a table of reference values.
 */
#ifndef CLV_TEST_REFERENCE_H
#define CLV_TEST_REFERENCE_H

#include <math.h>

#include "families/family.h"
#include "oracle.h"

/* Asserts that all quantities of a family agree with a row of reference values, to a relative
 * error. */
static inline void
ReferenceRow(const ClvFamily *family, const Oracle *o, double tolerance)
{
	double param[CLV_MAX_PARAMS];
	double x = Value(o, "x");
	double t_x = Value(o, "t_x");
	double T = Value(o, "T");
	double t = Value(o, "t");
	double n = Value(o, "n");
	double delta = Value(o, "delta");

	for (int i = 0; i < family->nparams; i++)
		param[i] = Value(o, family->param_names[i]);

	double ln = family->log_likelihood(param, x, t_x, T);
	double ln_p_alive = family->ln_p_alive(param, x, t_x, T);
	const struct
	{
		const char *column;
		double value;
	} columns[] = {
		{"ln_palive", ln_p_alive},
		{"palive", exp(ln_p_alive)},
		{"cet", clv_expected_given(family, param, x, t_x, T, t)},
		{"expect", family->expected(param, t)},
		{"pmf", family->probability(param, n, t)},
		{"cpmf", clv_probability_given(family, param, x, t_x, T, n, t)},
		{"dert", clv_discounted_given(family, param, x, t_x, T, delta, INFINITY)},
		{"det_t", clv_discounted_given(family, param, x, t_x, T, delta, t)},
	};

	if (!(fabs(ln - Value(o, "loglik")) <= tolerance * fmax(1, fabs(ln))))
		fail_msg("row %d: loglik is %.17g, not %.17g", o->row, ln, Value(o, "loglik"));
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
	{
		double expected = Value(o, columns[i].column);

		if (!(RelativeError(columns[i].value, expected) <= tolerance))
			fail_msg("row %d: %s is %.17g, not %.17g", o->row, columns[i].column, columns[i].value,
					 expected);
	}
}

/* Asserts that a family agrees with each of the 60 rows of a table of reference values. */
static inline void
ReferenceTable(const ClvFamily *family, const char *name, double tolerance)
{
	Oracle oracle;

	if (!OpenOracle(&oracle, name))
		skip();
	while (NextRow(&oracle))
		ReferenceRow(family, &oracle, tolerance);
	assert_int_equal(oracle.row, 61);
}

#endif /* CLV_TEST_REFERENCE_H */
