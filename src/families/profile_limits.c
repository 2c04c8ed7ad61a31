/*
 * profile_limits.c
 *		Limits of parameters by the profile of the likelihood.
 *
 * The profile of a parameter is the maximum of the log-likelihood over all others, as a function of
 * it. Where twice its fall from the maximum is the square of a normal quantile, a likelihood-ratio
 * test of that level begins to reject: these are the limits (Venzon, Moolgavkar 1988). They need
 * no normal likelihood on any scale, and are the same on all.
 *
 * The root of twice the fall is nearly linear in the parameter, so Newton's method on it takes few
 * steps. Its slope is known: that of the profile is the multiplier of the constraint. Each
 * maximum is searched for from the last one, moved along the ridge on which the others are best.
 */
#include "families/profile_limits.h"

#include <math.h>
#include <string.h>

#define TOLERANCE 1e-5  /* of a maximum, in standard errors; the last step then squares it */
#define NEAR_ENOUGH 1e-6 /* of the root of twice the fall; the last step squares this, too */
#define MOST_STEPS 60
#define SLACK 10.0      /* an unknown that follows another to its bound may go so far beyond its own */
#define WIDEST_STEP 3.0 /* times the distance from the maximum, while no point beyond is known */

/* A linear form of the unknowns that is held at a value, and the last point where it was. */
typedef struct Line
{
	const ClvProblem *problem;
	int n; /* unknowns */
	double form[CLV_MAX_DIM];
	int held; /* the unknown that follows from the others: that with the largest coefficient */
	double value;
	double theta[CLV_MAX_DIM]; /* the last point that was evaluated, */
	ClvQuadratic at;           /* and the function there */
} Line;

/* Sets whole to all unknowns, from those but the one that is held. */
static void
Complete(const Line *line, const double *others, double *whole)
{
	double rest = line->value;

	for (int i = 0, k = 0; i < line->n; i++)
	{
		if (i == line->held)
			continue;
		whole[i] = others[k++];
		rest -= line->form[i] * whole[i];
	}
	whole[line->held] = rest / line->form[line->held];
}

/* Sets others to all unknowns but the one that is held. */
static void
LeaveOut(const Line *line, const double *whole, double *others)
{
	for (int i = 0, k = 0; i < line->n; i++)
	{
		if (i != line->held)
			others[k++] = whole[i];
	}
}

/* An element of a symmetric matrix. */
static double
Element(const double *triangle, int i, int j)
{
	return triangle[i > j ? CLV_AT(i, j) : CLV_AT(j, i)];
}

/* The function with the form at its value, with derivatives by the other unknowns. */
static void
Constrained(void *arg, const double *others, ClvQuadratic *at)
{
	Line *line = arg;
	int held = line->held;
	const ClvQuadratic *whole = &line->at;

	Complete(line, others, line->theta);
	clv_problem_objective(line->problem, line->theta, &line->at);
	at->value = whole->value;
	for (int i = 0, k = 0; i < line->n; i++)
	{
		double to = line->form[i] / line->form[held];

		if (i == held)
			continue;
		at->gradient[k] = whole->gradient[i] - to * whole->gradient[held];
		for (int j = 0, l = 0; j <= i; j++)
		{
			double from = line->form[j] / line->form[held];

			if (j == held)
				continue;
			at->hessian[CLV_AT(k, l++)] = Element(whole->hessian, i, j) -
										  to * Element(whole->hessian, held, j) -
										  from * Element(whole->hessian, i, held) +
										  to * from * Element(whole->hessian, held, held);
		}
		k++;
	}
}

/*
 * Sets ridge to the change of the unknowns by the form, the others being at their best, at the last
 * point; where the function is not concave there, only the one that is held changes. Returns the
 * variance of the form; NAN there.
 */
static double
Ridge(const Line *line, double *ridge)
{
	double curvature[CLV_LINALG_MAX_TRIANGLE];
	double variance = 0;
	ClvCholesky chol;

	for (int i = 0; i < CLV_TRIANGLE(line->n); i++)
		curvature[i] = -line->at.hessian[i];
	if (clv_cholesky(line->n, curvature, &chol))
	{
		clv_cholesky_solve(&chol, line->form, ridge);
		for (int i = 0; i < line->n; i++)
			variance += line->form[i] * ridge[i];
	}
	if (variance > 0 && isfinite(variance))
	{
		for (int i = 0; i < line->n; i++)
			ridge[i] /= variance;
		return variance;
	}
	memset(ridge, 0, line->n * sizeof(double));
	ridge[line->held] = 1 / line->form[line->held];
	return NAN;
}

/*
 * Maximises with the form at a value, from a point that is moved there along the ridge. The last
 * point of the line is the best one found.
 */
static ClvNewtonOutcome
Ascend(Line *line, const double *from, const double *ridge, double value)
{
	ClvNewton newton = {.tolerance = TOLERANCE, .max_evaluations = line->problem->max_evaluations};
	ClvNewton bounds = {0};
	double start[CLV_MAX_DIM] = {0};
	double reached = 0;
	ClvNewtonOutcome outcome;

	for (int i = 0; i < line->n; i++)
		reached += line->form[i] * from[i];
	clv_problem_bounds(line->problem, &bounds);
	for (int i = 0; i < line->n; i++)
	{
		start[i] = from[i] + (value - reached) * ridge[i];
		start[i] = fmin(fmax(start[i], bounds.low[i]), bounds.high[i]);
		bounds.low[i] -= SLACK;
		bounds.high[i] += SLACK;
	}
	line->value = value;
	newton.n = line->n - 1;
	LeaveOut(line, start, newton.theta);
	LeaveOut(line, bounds.low, newton.low);
	LeaveOut(line, bounds.high, newton.high);
	for (int i = 0, k = 0; i < line->n; i++)
		if (i != line->held)
			newton.confined[k++] = bounds.confined[i];
	outcome = clv_newton_maximize(&newton, Constrained, line);
	Constrained(line, newton.theta, &newton.at);
	return isfinite(line->at.value) ? outcome : CLV_NEWTON_BAD_START;
}

/*
 * Whether an ascent has found how far the profile falls: a maximum; or, where it falls less than
 * width, a point with others still rising, since the maximum is higher.
 */
static bool
IsFound(ClvNewtonOutcome outcome, double fall, double width)
{
	return outcome == CLV_NEWTON_CONVERGED || (outcome == CLV_NEWTON_RUNAWAY && fall < width);
}

/* The farthest value of the form within the bounds of the unknowns, to one side. */
static double
Farthest(const Line *line, double side)
{
	ClvNewton newton = {0};
	double end = 0;

	clv_problem_bounds(line->problem, &newton);
	for (int i = 0; i < line->n; i++)
		end += line->form[i] * (side * line->form[i] > 0 ? newton.high[i] : newton.low[i]);
	return end;
}

/*
 * The value of the form to one side (1 or -1) at which the root of twice the fall from height is
 * width; best: the unknowns at the maximum, where the line is. INFINITY: nowhere within the bounds;
 * NAN: not found.
 */
static double
Limit(Line *line, const double *best, double height, double side, double width)
{
	double end = Farthest(line, side);
	double from[CLV_MAX_DIM];
	double ridge[CLV_MAX_DIM];
	double middle = 0;
	double near;
	double far = NAN; /* a point that is too far off, once one is known */
	double value;

	memcpy(from, best, line->n * sizeof(double));
	for (int i = 0; i < line->n; i++)
		middle += line->form[i] * best[i];
	near = middle;
	value = middle + side * width * sqrt(Ridge(line, ridge));
	for (int step = 0; step < MOST_STEPS && isfinite(value); step++)
	{
		bool at_end = isnan(far) && side * (value - end) >= 0;
		ClvNewtonOutcome outcome;
		double fall;
		double next;

		if (at_end)
			value = end;
		outcome = Ascend(line, from, ridge, value);
		fall = sqrt(2 * fmax(height - line->at.value, 0));
		if (!IsFound(outcome, fall, width))
		{
			/* the ridge bends: a shorter step, from the same point */
			value = near + (value - near) / 2;
			continue;
		}
		if (fall < width && at_end)
			return INFINITY;
		/* the slope of the profile is the gradient along the form */
		next = value + (width - fall) * fall * line->form[line->held] /
						   -line->at.gradient[line->held];
		if (fabs(fall - width) < NEAR_ENOUGH)
			return next;
		if (fall < width)
			near = value;
		else
			far = value;
		if (isnan(far) && !(side * (next - near) > 0 &&
							fabs(next - middle) < WIDEST_STEP * fabs(near - middle)))
			next = middle + WIDEST_STEP * (near - middle);
		if (!isnan(far) && !(side * (next - near) > 0 && side * (far - next) > 0))
			next = near + (far - near) / 2;
		memcpy(from, line->theta, line->n * sizeof(double));
		(void) Ridge(line, ridge);
		value = next;
	}
	return NAN;
}

/* The end of the range of a parameter or effect, to one side. */
static double
RangeEnd(const ClvFamily *family, int i, double side)
{
	ClvTransform transform = i < family->nparams ? family->transform[i] : CLV_ASINH;

	if (side > 0)
		return transform == CLV_LOGIT ? 1 : INFINITY;
	return transform == CLV_ASINH ? -INFINITY : 0;
}

/* A limit on the caller's scale. */
static double
Natural(const ClvFamily *family, int i, double side, double limit)
{
	if (isnan(limit))
		return NAN;
	if (isinf(limit))
		return RangeEnd(family, i, side);
	return i < family->nparams ? clv_natural(family->transform[i], limit) : limit;
}

/* Sets up the line of a parameter or effect; false where it is not searched for. */
static bool
SetLine(const ClvProblem *problem, int i, Line *line)
{
	int unknown[CLV_MAX_DIM];

	line->problem = problem;
	line->n = clv_problem_unknowns(problem, unknown);
	line->held = 0;
	if (!clv_problem_form(problem, i, line->form))
		return false;
	for (int k = 1; k < line->n; k++)
	{
		if (fabs(line->form[k]) > fabs(line->form[line->held]))
			line->held = k;
	}
	return true;
}

void
clv_profile_limits(const ClvProblem *problem, const ClvFitReport *report, double width,
				   ClvLimits *limits)
{
	const ClvFamily *family = problem->family;
	ClvStart start = {.param = report->param, .effect = report->effect};
	double best[CLV_MAX_DIM];
	ClvQuadratic top;
	Line line;

	clv_problem_from_start(problem, &start, best);
	clv_problem_objective(problem, best, &top);
	for (int i = 0; i < family->nparams + report->neffects; i++)
	{
		limits->low[i] = limits->high[i] = NAN;
		if (!isfinite(top.value) || !SetLine(problem, i, &line))
			continue;
		line.at = top;
		limits->low[i] = Natural(family, i, -1, Limit(&line, best, top.value, -1, width));
		line.at = top;
		limits->high[i] = Natural(family, i, 1, Limit(&line, best, top.value, 1, width));
	}
}
