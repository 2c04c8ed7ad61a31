/*
 * pooling.c
 *		Restricted maximum likelihood of a covariance between groups.
 *
 * The estimate y_i of group i has the mean mu and the covariance A + V_i, V_i being that of its
 * error, which is known. With W_i = (A + V_i)^-1, C = (sum W_i)^-1 and mu = C sum W_i y_i, the
 * restricted log-likelihood (Patterson & Thompson 1971) is, but for a constant, half of
 *
 *		- sum ln |A + V_i| - ln |C^-1| - sum (y_i - mu)' W_i (y_i - mu).
 *
 * Few groups differ in few directions. Then the maximum is at a singular A, and the likelihood
 * hardly changes on the way to it. So the search needs derivatives, for the digits of the
 *likelihood do not tell where that way ends, and unknowns that have no border there: A = B^2, B
 *being any symmetric matrix. All is in units in which estimates, errors included, have about a
 *covariance of 1, so that a change of B means the same whatever the spread and the correlations
 *are.
 *
 * With u_i = W_i (y_i - mu) and changes E and F of A, the derivatives of the likelihood are
 *
 *		tr G E,									G	= sum (u_i u_i' - W_i + W_i C W_i) / 2
 *		sum tr W_i F K_i E + tr C Q_F C Q_E / 2 + q_E' C q_F,
 *												K_i	= W_i / 2 - W_i C W_i - u_i u_i',
 *												Q_E	= sum W_i E W_i,	q_E	= sum W_i E u_i;
 *
 * A changes by B D + D B with a change D of B, and by D H + H D to second order with D and H.
 */
#include "math/pooling.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "math/newton.h"

#define EVALUATIONS 200
#define TOLERANCE 1e-9 /* in standard errors */
#define FIRST 0.5      /* the first B is that times 1 */
#define MAX CLV_POOLING_MAX
#define TRIANGLE CLV_POOLING_TRIANGLE

typedef double Matrix[MAX][MAX];

/* What a search knows. */
typedef struct Search
{
	int n;
	ClvPoolingGroup *groups; /* in the units of the search */
	size_t count;
	ClvPoll *poll;
	Matrix factor; /* B */
	ClvPooling at; /* of that B */
} Search;

/* Sums over groups; of two symmetric matrices or a matrix and a vector, each product of elements.
 */
typedef struct Sums
{
	Matrix slope;                  /* G */
	double wk[TRIANGLE][TRIANGLE]; /* W_i and K_i */
	double ww[TRIANGLE][TRIANGLE]; /* W_i and W_i */
	double wu[TRIANGLE][MAX];      /* W_i and u_i */
} Sums;

/* A change of B, and what follows of it. */
typedef struct Direction
{
	Matrix factor;    /* D */
	Matrix change;    /* E */
	Matrix curved;    /* sum W_i E K_i */
	Matrix weight;    /* Q_E C */
	double mean[MAX]; /* q_E */
} Direction;

/* ---- small matrices ---- */

/* The place of element (i, j) of a symmetric matrix. */
static inline int
Place(int i, int j)
{
	return i > j ? CLV_AT(i, j) : CLV_AT(j, i);
}

/* Sets matrix to the symmetric one of a triangle. */
static void
Unfold(int n, const double *triangle, Matrix matrix)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			matrix[i][j] = triangle[Place(i, j)];
}

/* Sets out to the product of two matrices. */
static void
Multiply(int n, Matrix one, Matrix other, Matrix out)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			out[i][j] = 0;
			for (int k = 0; k < n; k++)
				out[i][j] += one[i][k] * other[k][j];
		}
}

/* The trace of the product of two matrices. */
static double
TraceOfProduct(int n, Matrix one, Matrix other)
{
	double trace = 0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			trace += one[i][j] * other[j][i];
	return trace;
}

/* Sets triangle to one other', which is symmetric. With rounding, too, no variance of M M' is below
 * 0. */
static void
MultiplyTransposed(int n, Matrix one, Matrix other, double *triangle)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			triangle[CLV_AT(i, j)] = 0;
			for (int k = 0; k < n; k++)
				triangle[CLV_AT(i, j)] += one[i][k] * other[j][k];
		}
}

/* Replaces the symmetric matrix of a triangle by T M T'. */
static void
Enclose(int n, Matrix root, double *triangle)
{
	Matrix middle;
	Matrix half;

	Unfold(n, triangle, middle);
	Multiply(n, root, middle, half);
	MultiplyTransposed(n, half, root, triangle);
}

/* ln of the determinant of a matrix from its factor. */
static double
LnDeterminant(const ClvCholesky *chol)
{
	double sum = 0;

	for (int i = 0; i < chol->n; i++)
		sum += log(chol->factor[CLV_AT(i, i)]) - log(chol->scale[i]);
	return 2 * sum;
}

/* ---- the likelihood ---- */

/* Sets W to (A + V)^-1, and *determinant to ln |A + V|; false where that is singular. */
static bool
Weigh(const Search *search, const ClvPoolingGroup *group, double *weight, double *determinant)
{
	double total[TRIANGLE];
	ClvCholesky chol;

	for (int i = 0; i < CLV_TRIANGLE(search->n); i++)
		total[i] = search->at.between[i] + group->error[i];
	if (!clv_cholesky(search->n, total, &chol))
		return false;
	clv_cholesky_inverse(&chol, weight);
	*determinant = LnDeterminant(&chol);
	return true;
}

/* Sets mean and its error for the covariance between groups; the likelihood, or NaN. */
static double
FitMean(Search *search)
{
	int n = search->n;
	double weights[TRIANGLE] = {0};
	double sum[MAX] = {0};
	double twice = 0; /* the likelihood */
	ClvCholesky chol;

	for (size_t g = 0; g < search->count; g++)
	{
		const double *value = search->groups[g].value;
		double weight[TRIANGLE];
		double determinant;

		if (!Weigh(search, &search->groups[g], weight, &determinant))
			return NAN;
		for (int i = 0; i < CLV_TRIANGLE(n); i++)
			weights[i] += weight[i];
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++)
			{
				sum[i] += weight[Place(i, j)] * value[j];
				twice -= weight[Place(i, j)] * value[i] * value[j];
			}
		twice -= determinant;
		clv_poll(search->poll, 100);
	}
	if (!clv_cholesky(n, weights, &chol))
		return NAN;
	clv_cholesky_inverse(&chol, search->at.error);
	clv_cholesky_solve(&chol, sum, search->at.mean);
	for (int i = 0; i < n; i++)
		twice += sum[i] * search->at.mean[i];
	return (twice - LnDeterminant(&chol)) / 2;
}

/* Adds what a group has to the derivatives. */
static void
AddGroup(const Search *search, const ClvPoolingGroup *group, Sums *sums)
{
	int n = search->n;
	double weight[TRIANGLE];
	double known[TRIANGLE]; /* W C W */
	double u[MAX] = {0};
	double curved[TRIANGLE]; /* K */
	double determinant;
	Matrix w;

	(void) Weigh(search, group, weight, &determinant);
	Unfold(n, weight, w);
	memcpy(known, search->at.error, sizeof(known));
	Enclose(n, w, known);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			u[i] += w[i][j] * (group->value[j] - search->at.mean[j]);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			int at = Place(i, j);

			sums->slope[i][j] += (u[i] * u[j] - weight[at] + known[at]) / 2;
			curved[at] = weight[at] / 2 - known[at] - u[i] * u[j];
		}
	for (int p = 0; p < CLV_TRIANGLE(n); p++)
	{
		for (int q = 0; q < CLV_TRIANGLE(n); q++)
		{
			sums->wk[p][q] += weight[p] * curved[q];
			sums->ww[p][q] += weight[p] * weight[q];
		}
		for (int i = 0; i < n; i++)
			sums->wu[p][i] += weight[p] * u[i];
	}
}

/* Sets direction to the change of B in elements (row, col) and (col, row), and what follows. */
static void
Follow(Search *search, const Sums *sums, int row, int col, Direction *direction)
{
	int n = search->n;
	Matrix error;
	Matrix weight = {{0}};
	Matrix product;

	memset(direction, 0, sizeof(*direction));
	direction->factor[row][col] = direction->factor[col][row] = 1;
	Multiply(n, search->factor, direction->factor, product);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			direction->change[i][j] = product[i][j] + product[j][i];
	for (int i = 0; i < n; i++)
		for (int k = 0; k < n; k++)
			for (int l = 0; l < n; l++)
			{
				double change = direction->change[k][l];

				direction->mean[i] += sums->wu[Place(i, k)][l] * change;
				for (int j = 0; j < n; j++)
				{
					direction->curved[i][j] += sums->wk[Place(i, k)][Place(l, j)] * change;
					weight[i][j] += sums->ww[Place(i, k)][Place(l, j)] * change;
				}
			}
	Unfold(n, search->at.error, error);
	Multiply(n, weight, error, direction->weight);
}

/* The second derivative of the likelihood in two directions. */
static double
Curvature(Search *search, Sums *sums, Direction *one, Direction *other)
{
	int n = search->n;
	Matrix product;
	double sum = TraceOfProduct(n, one->curved, other->change) +
				 TraceOfProduct(n, one->weight, other->weight) / 2;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			sum += one->mean[i] * search->at.error[Place(i, j)] * other->mean[j];
	Multiply(n, one->factor, other->factor, product);
	return sum + 2 * TraceOfProduct(n, sums->slope, product);
}

/* Sets B to a triangle, and A to its square. */
static void
SetBetween(Search *search, const double *theta)
{
	Unfold(search->n, theta, search->factor);
	MultiplyTransposed(search->n, search->factor, search->factor, search->at.between);
}

/* The restricted likelihood of the triangle of B, to second order; NaN where A + V is singular. */
static void
Likelihood(void *arg, const double *theta, ClvQuadratic *at)
{
	Search *search = arg;
	int n = search->n;
	Sums sums;
	Direction directions[TRIANGLE];

	memset(at, 0, sizeof(*at));
	memset(&sums, 0, sizeof(sums));
	SetBetween(search, theta);
	at->value = FitMean(search);
	if (!isfinite(at->value))
		return;
	for (size_t g = 0; g < search->count; g++)
	{
		AddGroup(search, &search->groups[g], &sums);
		clv_poll(search->poll, 300);
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
			Follow(search, &sums, i, j, &directions[CLV_AT(i, j)]);
	for (int p = 0; p < CLV_TRIANGLE(n); p++)
	{
		at->gradient[p] = TraceOfProduct(n, sums.slope, directions[p].change);
		for (int q = 0; q <= p; q++)
			at->hessian[CLV_AT(p, q)] = Curvature(search, &sums, &directions[p], &directions[q]);
	}
}

/* ---- the units of the search ---- */

/* The mean over the numbers of a group's variance of error beside the harmonic mean of all groups'.
 */
static double
RelativeError(int n, const double *scale, const ClvPoolingGroup *group)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += group->error[CLV_AT(i, i)] / scale[i];
	return sum / n;
}

/*
 * Sets spread to about the covariance of estimates, errors included, and center to their mean:
 * groups whose errors are larger than usual count less.
 */
static void
FindSpread(const Search *search, double *center, double *spread)
{
	int n = search->n;
	double scale[MAX] = {0};
	double weights = 0;

	for (size_t g = 0; g < search->count; g++)
		for (int i = 0; i < n; i++)
			scale[i] += 1 / search->groups[g].error[CLV_AT(i, i)];
	for (int i = 0; i < n; i++)
		scale[i] = (double) search->count / scale[i];
	memset(center, 0, MAX * sizeof(double));
	for (size_t g = 0; g < search->count; g++)
	{
		double weight = 1 / (1 + RelativeError(n, scale, &search->groups[g]));

		weights += weight;
		for (int i = 0; i < n; i++)
			center[i] += weight * search->groups[g].value[i];
	}
	for (int i = 0; i < n; i++)
		center[i] /= weights;
	memset(spread, 0, TRIANGLE * sizeof(double));
	for (size_t g = 0; g < search->count; g++)
	{
		const ClvPoolingGroup *group = &search->groups[g];
		double weight = 1 / (1 + RelativeError(n, scale, group)) / weights;

		for (int i = 0; i < n; i++)
			for (int j = 0; j <= i; j++)
				spread[CLV_AT(i, j)] +=
					weight * (group->error[CLV_AT(i, j)] +
							  (group->value[i] - center[i]) * (group->value[j] - center[j]));
	}
}

/*
 * Sets T, T T' being a covariance, and its inverse; where it is singular within rounding errors,
 * correlations are left out.
 */
static void
FindRoot(int n, double *covariance, Matrix root, Matrix inverse)
{
	ClvCholesky chol;

	if (!clv_cholesky(n, covariance, &chol))
	{
		for (int i = 0; i < n; i++)
			for (int j = 0; j < i; j++)
				covariance[CLV_AT(i, j)] = 0;
		(void) clv_cholesky(n, covariance, &chol);
	}
	memset(root, 0, sizeof(Matrix));
	memset(inverse, 0, sizeof(Matrix));
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
			root[i][j] = chol.factor[CLV_AT(i, j)] / chol.scale[i];
	for (int j = 0; j < n; j++)
		for (int i = j; i < n; i++)
		{
			double rest = i == j;

			for (int k = j; k < i; k++)
				rest -= root[i][k] * inverse[k][j];
			inverse[i][j] = rest / root[i][i];
		}
}

/* Replaces a vector by T x. */
static void
Transform(int n, Matrix root, double *x)
{
	double product[MAX] = {0};

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			product[i] += root[i][j] * x[j];
	memcpy(x, product, n * sizeof(double));
}

/* ---- the fit ---- */

/* Searches for the maximum; leaves what is found in search->at. */
static void
Maximize(Search *search)
{
	ClvNewton newton = {.n = CLV_TRIANGLE(search->n),
						.tolerance = TOLERANCE,
						.max_evaluations = EVALUATIONS,
						.idle_gain = DBL_MIN};

	for (int i = 0; i < search->n; i++)
		newton.theta[CLV_AT(i, i)] = FIRST;
	for (int i = 0; i < newton.n; i++)
	{
		newton.low[i] = -DBL_MAX;
		newton.high[i] = DBL_MAX;
		newton.confined[i] = true;
	}
	(void) clv_newton_maximize(&newton, Likelihood, search);
	SetBetween(search, newton.theta);
	(void) FitMean(search);
}

void
clv_pooling_fit(int n, ClvPoolingGroup *groups, size_t count, ClvPoll *poll, ClvPooling *pooling)
{
	Search search = {.n = n, .groups = groups, .count = count, .poll = poll};
	double center[MAX];
	double spread[TRIANGLE];
	Matrix root;
	Matrix inverse;
	Matrix factor; /* of the covariance between groups in the units of the caller */

	FindSpread(&search, center, spread);
	FindRoot(n, spread, root, inverse);
	for (size_t g = 0; g < count; g++)
	{
		for (int i = 0; i < n; i++)
			groups[g].value[i] -= center[i];
		Transform(n, inverse, groups[g].value);
		Enclose(n, inverse, groups[g].error);
	}
	Maximize(&search);
	*pooling = search.at;
	Transform(n, root, pooling->mean);
	for (int i = 0; i < n; i++)
		pooling->mean[i] += center[i];
	Multiply(n, root, search.factor, factor);
	MultiplyTransposed(n, factor, factor, pooling->between);
	Enclose(n, root, pooling->error);
}
