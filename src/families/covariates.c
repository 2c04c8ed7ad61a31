/*
 * covariates.c
 *		How covariates change parameters of customers, and derivatives.
 *
 * Effects
 * -------
 * The effects of a process are one number for a customer: gamma'z, the sum of the covariates
 * times their effects. Rates are multiplied by e to that number, which is to say that the scale
 * parameter of their gamma distribution is divided by it. In families with beta-geometric
 * dropout, a and b are both multiplied: the dropout probabilities vary the less the larger
 * gamma'z is, and their mean is unchanged.
 *
 * So the log of parameter i of a group is theta_i + p_i gamma'z + c_i delta'z, with p
 * and c the family's purchase_effect and churn_effect and gamma, delta the effects. It
 * is linear in all unknowns, and the chain rule is short. With g and H the derivatives
 * of a group's ln L by the logs of its own parameters,
 *
 *		by gamma_j				z_j p'g
 *		by theta_i, gamma_j		z_j (H p)_i
 *		by gamma_j, gamma_k		z_j z_k p'H p
 *		by delta_j, gamma_k		z_j z_k c'H p
 *
 * A group costs its tables and these products, whatever the number of its customers.
 *
 * Standardised
 * ------------
 * The search sees w = A (z - mean), A being the lower triangle that makes them uncorrelated,
 * each with a variance of 1. Adding a constant to covariates, multiplying them or combining
 * them linearly then makes no difference: the effects are numbers of one size, and the
 * parameters at the mean hardly depend on them, which suits a trust region. The inverse is
 * linear again: gamma'z' = e'w where gamma = A'e.
 *
 * A is a product of inverse Cholesky factors, each of the products that the one before has
 * left: the first gives the residual of a covariate on the others with a loss of eight digits,
 * the next ones restore them (Fukaya and others, Shifted CholeskyQR, SIAM J. Sci. Comput. 42,
 * 2020).
 */
#include "families/covariates.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* The number of factors, and the smallest pivot of one of them. */
#define ROUNDS 3
#define SMALLEST_PIVOT 1e-10

/*
 * The numbers of the caller have a relative error of DBL_EPSILON. A covariate whose residual on
 * the others, in standard deviations, has a larger error than this is constant, or a linear
 * combination of the others.
 */
#define LARGEST_NOISE 1e-5

_Static_assert(CLV_MAX_DIM <= CLV_LINALG_MAX, "linalg is too small for all effects");

/* ---- parameters ---- */

/* The inner product of n effects and covariates. */
static double
Inner(int n, const double *effect, const double *z)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += effect[i] * z[i];
	return sum;
}

void
clv_param_with_effects(const ClvFamily *family, const double *param, int ncovariates,
					   const double *effect, const double *z, double *out)
{
	double purchase = Inner(ncovariates, effect, z);
	double churn = Inner(ncovariates, effect + ncovariates, z);

	for (int i = 0; i < family->nparams; i++)
	{
		double shift = family->purchase_effect[i] * purchase + family->churn_effect[i] * churn;

		double root = exp(shift / 2); /* the factor may be no double where the product is one */

		out[i] = param[i] * root * root;
	}
}

double
clv_effect_weight(const ClvFamily *family, int ncovariates, int i, int effect)
{
	return effect < ncovariates ? family->purchase_effect[i] : family->churn_effect[i];
}

/* ---- the covariates themselves ---- */

void
clv_covariates_of(const ClvCovariates *covariates, size_t group, double *z)
{
	const double *raw = covariates->z + group * covariates->n;
	double centred[CLV_MAX_COVARIATES];

	for (int j = 0; j < covariates->n; j++)
	{
		centred[j] = raw[j] - covariates->mean[j];
		z[j] = Inner(j + 1, &covariates->row[CLV_AT(j, 0)], centred);
	}
}

void
clv_covariates_effects(const ClvCovariates *covariates, const double *raw, double *effect)
{
	for (int j = covariates->n - 1; j >= 0; j--)
	{
		effect[j] = raw[j];
		for (int k = j + 1; k < covariates->n; k++)
			effect[j] -= covariates->row[CLV_AT(k, j)] * effect[k];
		effect[j] /= covariates->row[CLV_AT(j, j)];
	}
}

/* The customers who are surveyed: cells, or where they are NULL so many of each group. */
typedef struct Surveyed
{
	const ClvCell *cells;
	const double *weight;
	size_t n;
} Surveyed;

/* How many customers item i is. */
static double
CountOf(const Surveyed *all, size_t i)
{
	return all->cells != NULL ? all->cells[i].count : all->weight[i];
}

/* Their group. */
static size_t
GroupOf(const Surveyed *all, size_t i)
{
	return all->cells != NULL ? all->cells[i].group : i;
}

/* Means, sizes and spreads of the caller's covariates; false where one is not finite. */
static bool
FindMeans(const Surveyed *all, ClvPoll *poll, ClvCovariates *covariates)
{
	ClvSum customers = {0};
	ClvSum sum[CLV_MAX_COVARIATES] = {{0}};
	double low[CLV_MAX_COVARIATES];
	double high[CLV_MAX_COVARIATES];

	for (int j = 0; j < covariates->n; j++)
	{
		low[j] = INFINITY;
		high[j] = -INFINITY;
	}
	for (size_t i = 0; i < all->n; i++)
	{
		const double *z = covariates->z + GroupOf(all, i) * covariates->n;
		double count = CountOf(all, i);

		if (!(count > 0))
			continue;
		clv_sum_add(&customers, count);
		for (int j = 0; j < covariates->n; j++)
		{
			if (!isfinite(z[j]))
				return false;
			low[j] = fmin(low[j], z[j]);
			high[j] = fmax(high[j], z[j]);
			clv_sum_add(&sum[j], count * z[j]);
		}
		clv_poll(poll, covariates->n);
	}
	for (int j = 0; j < covariates->n; j++)
	{
		covariates->mean[j] = clv_sum_value(&sum[j]) / clv_sum_value(&customers);
		covariates->size[j] = fmax(fabs(low[j]), fabs(high[j]));
		covariates->spread[j] = high[j] - low[j];
	}
	return true;
}

/*
 * Sets products to the means of the products of the covariates as standardised so far, and finds
 * their ranges.
 */
static void
FindProducts(const Surveyed *all, ClvPoll *poll, ClvCovariates *covariates, double *products)
{
	ClvSum customers = {0};
	ClvSum sum[CLV_TRIANGLE(CLV_MAX_COVARIATES)] = {{0}};
	double low[CLV_MAX_COVARIATES] = {0};
	double high[CLV_MAX_COVARIATES] = {0};

	for (size_t i = 0; i < all->n; i++)
	{
		double z[CLV_MAX_COVARIATES];
		double count = CountOf(all, i);

		if (!(count > 0))
			continue;
		clv_covariates_of(covariates, GroupOf(all, i), z);
		clv_sum_add(&customers, count);
		for (int j = 0; j < covariates->n; j++)
		{
			low[j] = fmin(low[j], z[j]);
			high[j] = fmax(high[j], z[j]);
			for (int k = 0; k <= j; k++)
				clv_sum_add(&sum[CLV_AT(j, k)], count * z[j] * z[k]);
		}
		clv_poll(poll, CLV_TRIANGLE(covariates->n));
	}
	for (int j = 0; j < CLV_TRIANGLE(covariates->n); j++)
		products[j] = clv_sum_value(&sum[j]) / clv_sum_value(&customers);
	for (int j = 0; j < covariates->n; j++)
		covariates->range[j] = high[j] - low[j];
}

/* The rounding error of covariate j as standardised so far, in standard deviations. */
static double
Noise(const ClvCovariates *covariates, int j)
{
	double noise = 0;

	for (int k = 0; k <= j; k++)
		noise += fabs(covariates->row[CLV_AT(j, k)]) * covariates->size[k];
	return DBL_EPSILON * noise;
}

/*
 * Subtracts from every covariate its regression on those before it: rows are multiplied by the
 * inverse of the Cholesky factor of products. Returns the first covariate of which nothing is
 * left; -1: none.
 */
static int
Uncorrelate(const double *products, ClvCovariates *covariates)
{
	double factor[CLV_TRIANGLE(CLV_MAX_COVARIATES)];
	double *row = covariates->row;

	for (int j = 0; j < covariates->n; j++)
	{
		double scale = 1 / sqrt(products[CLV_AT(j, j)]);
		double pivot = 1;

		for (int i = 0; i <= j; i++)
			row[CLV_AT(j, i)] *= scale;
		if (!(Noise(covariates, j) < LARGEST_NOISE))
			return j;
		for (int k = 0; k < j; k++)
		{
			double product = products[CLV_AT(j, k)] * scale / sqrt(products[CLV_AT(k, k)]);

			product -= Inner(k, &factor[CLV_AT(j, 0)], &factor[CLV_AT(k, 0)]);
			factor[CLV_AT(j, k)] = product / factor[CLV_AT(k, k)];
			pivot -= factor[CLV_AT(j, k)] * factor[CLV_AT(j, k)];
			for (int i = 0; i <= k; i++)
				row[CLV_AT(j, i)] -= factor[CLV_AT(j, k)] * row[CLV_AT(k, i)];
		}
		factor[CLV_AT(j, j)] = sqrt(fmax(pivot, SMALLEST_PIVOT));
		for (int i = 0; i <= j; i++)
			row[CLV_AT(j, i)] /= factor[CLV_AT(j, j)];
	}
	return -1;
}

/*
 * Scales the covariates to a variance of 1 and leaves them correlated, so that each effect of the
 * search is one effect of the caller.
 */
static void
ScaleOnly(const Surveyed *all, ClvPoll *poll, ClvCovariates *covariates)
{
	double products[CLV_TRIANGLE(CLV_MAX_COVARIATES)];

	memset(covariates->row, 0, sizeof(covariates->row));
	for (int j = 0; j < covariates->n; j++)
		covariates->row[CLV_AT(j, j)] = 1 / covariates->size[j];
	FindProducts(all, poll, covariates, products);
	for (int j = 0; j < covariates->n; j++)
		covariates->row[CLV_AT(j, j)] /= sqrt(products[CLV_AT(j, j)]);
}

/* Whether some of n covariates act on a process and some do not. */
static bool
ActsInPart(int n, uint32_t idle)
{
	uint32_t all = ((uint32_t) 1 << n) - 1;

	return (idle & all) != 0 && (idle & all) != all;
}

/* clv_covariates_survey() of these customers. */
static ClvStatus
Survey(const Surveyed *all, const ClvGroups *groups, const uint32_t acting[3], ClvPoll *poll,
	   ClvCovariates *covariates, int *culprit)
{
	double products[CLV_TRIANGLE(CLV_MAX_COVARIATES)];

	memset(covariates, 0, sizeof(*covariates));
	memcpy(covariates->idle, acting, sizeof(covariates->idle));
	covariates->same = acting[2];
	covariates->n = groups->ncovariates;
	covariates->z = groups->z;
	if (!FindMeans(all, poll, covariates))
		return CLV_BAD_START;
	for (int j = 0; j < covariates->n; j++)
		covariates->row[CLV_AT(j, j)] = 1 / (covariates->size[j] > 0 ? covariates->size[j] : 1);
	for (int round = 0; round < ROUNDS; round++)
	{
		FindProducts(all, poll, covariates, products);
		*culprit = Uncorrelate(products, covariates);
		if (*culprit >= 0)
			return CLV_COLLINEAR;
	}
	if (ActsInPart(covariates->n, acting[0]) || ActsInPart(covariates->n, acting[1]) ||
		acting[2] != 0)
		ScaleOnly(all, poll, covariates);
	FindProducts(all, poll, covariates, products);
	return CLV_OK;
}

ClvStatus
clv_covariates_survey(const ClvCell *cells, size_t n, const ClvGroups *groups,
					  const uint32_t acting[3], ClvPoll *poll, ClvCovariates *covariates,
					  int *culprit)
{
	Surveyed all = {.cells = cells, .n = n};

	return Survey(&all, groups, acting, poll, covariates, culprit);
}

ClvStatus
clv_covariates_survey_weighted(const double *weight, const ClvGroups *groups,
							   const uint32_t acting[3], ClvPoll *poll, ClvCovariates *covariates,
							   int *culprit)
{
	Surveyed all = {.weight = weight, .n = groups->n};

	return Survey(&all, groups, acting, poll, covariates, culprit);
}

/* ---- derivatives ---- */

void
clv_totals_clear(ClvTotals *totals, int n)
{
	totals->n = n;
	totals->value = (ClvSum){0, 0};
	memset(totals->gradient, 0, n * sizeof(ClvSum));
	memset(totals->hessian, 0, CLV_TRIANGLE(n) * sizeof(ClvSum));
}

void
clv_totals_add(ClvTotals *totals, const ClvTerm *sum)
{
	for (int i = 0; i < totals->n; i++)
		clv_sum_add(&totals->gradient[i], sum->gradient[i]);
	for (int i = 0; i < CLV_TRIANGLE(totals->n); i++)
		clv_sum_add(&totals->hessian[i], sum->hessian[i]);
}

/* The derivatives of a group by an effect of a process on a covariate of 1. */
typedef struct Along
{
	double slope;
	double row[CLV_MAX_PARAMS]; /* with each parameter */
} Along;

/* The derivatives by a process with these exponents of the parameters. */
static Along
Direct(int nparams, const signed char *effect, const ClvTerm *sum)
{
	Along along = {0};

	for (int i = 0; i < nparams; i++)
	{
		along.slope += effect[i] * sum->gradient[i];
		for (int k = 0; k < nparams; k++)
			along.row[k] += effect[i] * sum->hessian[i > k ? CLV_AT(i, k) : CLV_AT(k, i)];
	}
	return along;
}

/* The second derivative by two processes. */
static double
Curvature(int nparams, const signed char *effect, const Along *along)
{
	double sum = 0;

	for (int i = 0; i < nparams; i++)
		sum += effect[i] * along->row[i];
	return sum;
}

void
clv_totals_fold(ClvTotals *totals, const ClvFamily *family, int ncovariates, const double *z,
				const ClvTerm *sum)
{
	int n = family->nparams;
	const signed char *effect[] = {family->purchase_effect, family->churn_effect};
	Along along[2];
	double curvature[2][2];
	ClvSum *to = totals->hessian + CLV_TRIANGLE(n);

	for (int i = 0; i < n; i++)
		clv_sum_add(&totals->gradient[i], sum->gradient[i]);
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		clv_sum_add(&totals->hessian[i], sum->hessian[i]);
	for (int a = 0; a < 2; a++)
	{
		along[a] = Direct(n, effect[a], sum);
		for (int b = 0; b <= a; b++)
			curvature[a][b] = Curvature(n, effect[b], &along[a]);
	}
	/* row by row, as the triangle lies */
	for (int row = 0; row < 2 * ncovariates; row++)
	{
		int a = row >= ncovariates;
		double weight = z[row - a * ncovariates];

		clv_sum_add(&totals->gradient[n + row], weight * along[a].slope);
		for (int k = 0; k < n; k++)
			clv_sum_add(to++, weight * along[a].row[k]);
		for (int col = 0; col <= row; col++)
		{
			int b = col >= ncovariates;

			clv_sum_add(to++, weight * z[col - b * ncovariates] * curvature[a][b]);
		}
	}
}

void
clv_totals_value(const ClvTotals *totals, ClvQuadratic *at)
{
	at->value = clv_sum_value(&totals->value);
	for (int i = 0; i < totals->n; i++)
		at->gradient[i] = clv_sum_value(&totals->gradient[i]);
	for (int i = 0; i < CLV_TRIANGLE(totals->n); i++)
		at->hessian[i] = clv_sum_value(&totals->hessian[i]);
}
