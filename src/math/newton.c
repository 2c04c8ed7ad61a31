/*
 * newton.c
 *		Newton's method in a trust region.
 *
 * At each point the function is replaced by its quadratic, and the step goes to
 * the maximum of that within a radius. Where the quadratic is concave and its
 * maximum within reach, this is Newton's step, and the digits double with each.
 * Elsewhere the eigenvalues of the Hessian tell the best step of the radius'
 * length, increasing also from saddles and minima. The radius grows while
 * the quadratic predicts the function well and shrinks where it does not.
 *
 * Two endings need care.
 *
 * Rounding: near the maximum the gain that is left, half the squared distance in
 * standard errors, is lost in the rounding of a sum over millions of customers,
 * long before the gradient does. There a step is taken unverified, and the distance
 * tells when to stop.
 *
 * Ridges: a likelihood whose maximum lies at infinity (customers who are all
 * alike make r and alpha grow together without end) looks like A - B e^-theta
 * along the ridge. The distance in standard errors falls below any tolerance
 * there, yet each Newton step still moves theta by about 1. So a distance counts
 * only together with the length of the step that it belongs to. Far out on a ridge
 * its curvature is lost in rounding; then the search ends because it gets nowhere.
 */
#include "math/newton.h"

#include <math.h>
#include <string.h>

#define FIRST_RADIUS 1.0
#define LARGEST_RADIUS 8.0
#define SMALLEST_RADIUS 1e-9

/* A direction whose logarithm has this standard error is not determined by the data. */
#define UNDETERMINED 100.0

/* On a ridge the search ends when the gain that is left cannot matter to anybody. */
#define RIDGE_DISTANCE 3e-4
#define RIDGE_GAIN 1e-8

/*
 * So many evaluations in a row that gain less than this, absolutely or relative to the
 * function, and still not there: rounding has taken the Hessian's lowest curvature, and
 * with it the way.
 */
#define IDLE_GAIN 1e-6
#define IDLE_SHARE 1e-9
#define IDLE_EVALUATIONS 8

/* Relative to the function, gains below this are taken for rounding. */
#define ROUNDING 1e-13

/* A step of the search, and what the quadratic predicts of it. */
typedef struct Step
{
	double move[CLV_LINALG_MAX];
	double length;
	double gain; /* that the quadratic foretells */
	bool concave;
	double distance; /* to the quadratic's maximum in standard errors, where concave */
	bool full;       /* the move leads to the maximum */
} Step;

/* The inner product of two vectors. */
static double
Dot(int n, const double *a, const double *b)
{
	double total = 0;

	for (int i = 0; i < n; i++)
		total += a[i] * b[i];
	return total;
}

/* The index of the largest component. */
static int
LargestComponent(int n, const double *move)
{
	int largest = 0;

	for (int i = 1; i < n; i++)
	{
		if (fabs(move[i]) > fabs(move[largest]))
			largest = i;
	}
	return largest;
}

/* Whether value and derivatives are finite. */
static bool
Finite(int n, const ClvQuadratic *at)
{
	bool finite = isfinite(at->value);

	for (int i = 0; i < n; i++)
		finite = finite && isfinite(at->gradient[i]);
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		finite = finite && isfinite(at->hessian[i]);
	return finite;
}

/* The gain of a move, as the quadratic predicts it. */
static double
PredictedGain(int n, const ClvQuadratic *at, const double *move)
{
	double gain = Dot(n, at->gradient, move);

	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < i; j++)
			gain += move[i] * move[j] * at->hessian[CLV_AT(i, j)];
		gain += 0.5 * move[i] * move[i] * at->hessian[CLV_AT(i, i)];
	}
	return gain;
}

/* Sets curvature to the negative Hessian. */
static void
Negative(int n, const double *hessian, double *curvature)
{
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		curvature[i] = -hessian[i];
}

/* Length of the step that the shift of all curvatures by lambda makes. */
static double
ShiftedLength(int n, const double *curvature, const double *slope, double lambda)
{
	double square = 0;

	for (int k = 0; k < n; k++)
	{
		double part = slope[k] / (curvature[k] + lambda);

		square += slope[k] == 0 ? 0 : part * part;
	}
	return sqrt(square);
}

/* The shift that makes the step as long as the radius, or the smallest that is allowed. */
static double
FindShift(int n, const double *curvature, const double *slope, double radius)
{
	double low = fmax(0, -curvature[0]);
	double high = low + sqrt(Dot(n, slope, slope)) / radius;

	for (int i = 0; i < 200 && high - low > 1e-12 * high; i++)
	{
		double middle = low + (high - low) / 2;

		if (ShiftedLength(n, curvature, slope, middle) > radius)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/*
 * The best step of at most the radius' length on any quadratic. At a saddle that
 * the gradient does not see, the remaining length goes along the lowest
 * curvature.
 */
static void
BoundedStep(int n, const ClvQuadratic *at, double radius, Step *step)
{
	double negative[CLV_LINALG_MAX_TRIANGLE] = {0};
	double curvature[CLV_LINALG_MAX];
	double axis[CLV_LINALG_MAX * CLV_LINALG_MAX];
	double slope[CLV_LINALG_MAX];
	double shift;
	double rest;

	memset(step->move, 0, sizeof(step->move));
	Negative(n, at->hessian, negative);
	clv_eigen(n, negative, curvature, axis);
	for (int k = 0; k < n; k++)
		slope[k] = Dot(n, at->gradient, axis + k * n);
	shift = FindShift(n, curvature, slope, radius);
	for (int k = 0; k < n; k++)
	{
		double part = slope[k] == 0 ? 0 : slope[k] / (curvature[k] + shift);

		for (int i = 0; i < n; i++)
			step->move[i] += part * axis[k * n + i];
	}
	rest = radius * radius - Dot(n, step->move, step->move);
	if (curvature[0] < 0 && rest > 0.2 * radius * radius)
	{
		for (int i = 0; i < n; i++)
			step->move[i] += sqrt(rest) * axis[i];
	}
}

/*
 * Sets *step to Newton's step where it is within the radius, else to the best step of its length.
 */
static void
ChooseStep(int n, const ClvQuadratic *at, double radius, Step *step)
{
	double curvature[CLV_LINALG_MAX_TRIANGLE] = {0};
	ClvCholesky chol;

	Negative(n, at->hessian, curvature);
	step->concave = clv_cholesky(n, curvature, &chol);
	step->distance = NAN;
	step->full = false;
	if (step->concave)
	{
		clv_cholesky_solve(&chol, at->gradient, step->move);
		step->distance = sqrt(fmax(0, Dot(n, at->gradient, step->move)));
		step->length = sqrt(Dot(n, step->move, step->move));
		step->full = step->length <= radius;
	}
	if (!step->full)
		BoundedStep(n, at, radius, step);
	step->length = sqrt(Dot(n, step->move, step->move));
	step->gain = PredictedGain(n, at, step->move);
}

/* Evaluates the function and counts it. */
static void
Evaluate(ClvNewton *newton, ClvObjective objective, void *arg, const double *theta,
		 ClvQuadratic *at)
{
	objective(arg, theta, at);
	newton->evaluations++;
}

/* Moves the search to a point. */
static void
Arrive(ClvNewton *newton, const double *theta, const ClvQuadratic *at)
{
	memcpy(newton->theta, theta, newton->n * sizeof(double));
	newton->at = *at;
}

/* Is the step one along a ridge that rises towards infinity? */
static bool
OnRidge(const ClvNewton *newton, const Step *step, double radius)
{
	double square = 0;

	for (int i = 0; i < newton->n; i++)
		square += newton->confined[i] ? 0 : step->move[i] * step->move[i];
	if (step->concave && step->full)
		return step->distance < RIDGE_DISTANCE && sqrt(square) > UNDETERMINED * step->distance;
	return square > step->length * step->length / 2 && radius >= FIRST_RADIUS &&
		   step->gain < RIDGE_GAIN;
}

/* The outcome of a search in which this unknown runs away. */
static ClvNewtonOutcome
RunAway(ClvNewton *newton, int which)
{
	newton->runaway = which;
	return CLV_NEWTON_RUNAWAY;
}

/*
 * The last step is within the tolerance; taking it gives the rest of the digits,
 * and derivatives at the very point that is returned.
 */
static ClvNewtonOutcome
Polish(ClvNewton *newton, const Step *last, ClvObjective objective, void *arg)
{
	int n = newton->n;
	double theta[CLV_LINALG_MAX];
	ClvQuadratic at;
	Step next;

	for (int i = 0; i < n; i++)
		theta[i] = newton->theta[i] + last->move[i];
	Evaluate(newton, objective, arg, theta, &at);
	if (!Finite(n, &at))
		return CLV_NEWTON_CONVERGED;
	ChooseStep(n, &at, FIRST_RADIUS, &next);
	if (next.concave && next.distance <= last->distance)
	{
		Arrive(newton, theta, &at);
		newton->distance = next.distance;
	}
	return CLV_NEWTON_CONVERGED;
}

/*
 * Takes the step if the function increases as predicted, and adapts the radius either way.
 * False where the function is not finite there, which says nothing of its maximum.
 */
static bool
TryStep(ClvNewton *newton, const Step *step, double *radius, ClvObjective objective, void *arg)
{
	int n = newton->n;
	double theta[CLV_LINALG_MAX];
	ClvQuadratic at;
	double kept;

	for (int i = 0; i < n; i++)
		theta[i] = newton->theta[i] + step->move[i];
	Evaluate(newton, objective, arg, theta, &at);
	if (!Finite(n, &at))
	{
		*radius = step->length / 4;
		return false;
	}
	kept = (at.value - newton->at.value) / step->gain;
	if (step->gain < ROUNDING * fabs(newton->at.value))
		kept = 1;
	if (kept < 0.25)
		*radius = step->length / 4;
	else if (kept > 0.75 && !step->full)
		*radius = fmin(2.5 * *radius, LARGEST_RADIUS);
	if (kept > 1e-4)
		Arrive(newton, theta, &at);
	return true;
}

/* The least gain of an evaluation that counts as progress. */
static double
IdleGain(const ClvNewton *newton)
{
	return newton->idle_gain > 0 ? newton->idle_gain
								 : fmax(IDLE_GAIN, IDLE_SHARE * fabs(newton->at.value));
}

/* The first unknown beyond its bounds, or -1. */
static int
Outside(const ClvNewton *newton)
{
	for (int i = 0; i < newton->n; i++)
	{
		if (newton->theta[i] < newton->low[i] || newton->theta[i] > newton->high[i])
			return i;
	}
	return -1;
}

/* The unknown that has come farthest from the start. */
static int
Farthest(const ClvNewton *newton, const double *start)
{
	double way[CLV_LINALG_MAX];

	for (int i = 0; i < newton->n; i++)
		way[i] = newton->theta[i] - start[i];
	return LargestComponent(newton->n, way);
}

ClvNewtonOutcome
clv_newton_maximize(ClvNewton *newton, ClvObjective objective, void *arg)
{
	double radius = FIRST_RADIUS;
	double start[CLV_LINALG_MAX];
	double finest = newton->finest > 0 ? newton->finest : SMALLEST_RADIUS;
	int idle = 0;
	Step step;

	newton->runaway = -1;
	newton->evaluations = 0;
	newton->distance = NAN;
	memcpy(start, newton->theta, sizeof(start));
	Evaluate(newton, objective, arg, newton->theta, &newton->at);
	if (!Finite(newton->n, &newton->at))
		return CLV_NEWTON_BAD_START;
	for (;;)
	{
		double height = newton->at.value;

		ChooseStep(newton->n, &newton->at, radius, &step);
		newton->distance = step.distance;
		if (OnRidge(newton, &step, radius))
			return RunAway(newton, LargestComponent(newton->n, step.move));
		if (step.full && step.distance < newton->tolerance)
			return Polish(newton, &step, objective, arg);
		if (Outside(newton) >= 0)
			return RunAway(newton, Outside(newton));
		if (idle >= IDLE_EVALUATIONS)
			return RunAway(newton, Farthest(newton, start));
		if (newton->evaluations >= newton->max_evaluations || radius < finest || !(step.gain > 0))
			return CLV_NEWTON_EXHAUSTED;
		if (TryStep(newton, &step, &radius, objective, arg))
			idle = newton->at.value - height < IdleGain(newton) ? idle + 1 : 0;
	}
}
