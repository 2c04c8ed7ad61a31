/*
 * prior.c
 *		Unit-free quantities of the parameters, and a Gaussian prior on them.
 *
 * A prior that is made of other customers must mean the same in days and weeks, and its normal
 * distribution should be one: so it is about logarithms and logits of quantities such as the
 * purchases a year, which families list (ClvUnitFree). The maximum over the parameters of ln L less
 * half the squared distance from the mean of the prior is the same point on any scale, so the
 * search keeps its own and takes the derivatives of that by the chain rule.
 */
#include "families/prior.h"

#include <math.h>
#include <string.h>

#include "math/linalg.h"

#define STEPS 100
#define NEAR_ENOUGH 1e-13

int
clv_unit_free_count(const ClvFamily *family)
{
	int n = 0;

	while (n < CLV_MAX_PARAMS && family->unit_free[n].name != NULL)
		n++;
	return n;
}

/* The logarithm of the sum of the parameters with a power, with its derivatives by their
 * logarithms: those of the shares that they have of it. */
static double
LnSum(const ClvFamily *family, const ClvUnitFree *of, const double *param, double *gradient,
	  double *hessian)
{
	double sum = 0;

	for (int i = 0; i < family->nparams; i++)
		sum += of->power[i] * param[i];
	for (int i = 0; i < family->nparams; i++)
		gradient[i] = of->power[i] * param[i] / sum;
	for (int i = 0; i < family->nparams; i++)
	{
		for (int j = 0; j <= i; j++)
			hessian[CLV_AT(i, j)] = (i == j ? gradient[i] : 0) - gradient[i] * gradient[j];
	}
	return log(sum);
}

/* The logarithm of a parameter less 1, with its derivatives by the logarithm. */
static double
LnExcess(double param, double *slope, double *curve)
{
	double excess = param - 1;

	*slope = param / excess;
	*curve = -param / (excess * excess);
	return log(excess);
}

/* The logarithm of the product of powers of the parameters, with its derivatives. */
static double
LnProduct(const ClvFamily *family, const ClvUnitFree *of, const double *param, double *gradient,
		  double *hessian)
{
	double value = 0;

	for (int i = 0; i < family->nparams; i++)
	{
		int power = of->power[i];

		if (power == 0)
			continue;
		if (of->form == CLV_LN_MEAN && power == -1)
		{
			value -= LnExcess(param[i], &gradient[i], &hessian[CLV_AT(i, i)]);
			gradient[i] = -gradient[i];
			hessian[CLV_AT(i, i)] = -hessian[CLV_AT(i, i)];
			continue;
		}
		gradient[i] = family->transform[i] == CLV_FIXED ? 0 : power;
		value += power * (family->transform[i] == CLV_FIXED
							  ? log(param[i])
							  : clv_searched(family->transform[i], param[i]));
	}
	return value;
}

void
clv_unit_free(const ClvFamily *family, double year, const double *param, ClvUnitFreeAt *at)
{
	memset(at, 0, sizeof(*at));
	for (int k = 0; k < clv_unit_free_count(family); k++)
	{
		const ClvUnitFree *of = &family->unit_free[k];
		double *gradient = at->gradient[k];
		double *hessian = at->hessian[k];

		switch (of->form)
		{
			case CLV_LN_SUM:
				at->value[k] = LnSum(family, of, param, gradient, hessian);
				break;
			case CLV_LN_PRODUCT:
			case CLV_LN_MEAN:
				at->value[k] = LnProduct(family, of, param, gradient, hessian);
				break;
			case CLV_DERIVED:
				at->value[k] = family->derived(param, gradient, hessian);
				break;
		}
		if (of->yearly)
			at->value[k] += log(year);
	}
}

/* Lists the parameters that are searched for; returns how many. */
static int
Searched(const ClvFamily *family, int *searched)
{
	int n = 0;

	for (int i = 0; i < family->nparams; i++)
	{
		if (family->transform[i] != CLV_FIXED)
			searched[n++] = i;
	}
	return n;
}

/* Gauss's step from the quantities at a point to the values; false where there is none. */
static bool
StepTowards(const ClvUnitFreeAt *at, const double *value, int n, const int *searched, double *step)
{
	double square[CLV_MAX_HESSIAN] = {0};
	double slope[CLV_MAX_PARAMS] = {0};
	ClvCholesky chol;

	for (int k = 0; k < n; k++)
	{
		for (int i = 0; i < n; i++)
		{
			slope[i] += at->gradient[k][searched[i]] * (value[k] - at->value[k]);
			for (int j = 0; j <= i; j++)
				square[CLV_AT(i, j)] += at->gradient[k][searched[i]] * at->gradient[k][searched[j]];
		}
	}
	if (!clv_cholesky(n, square, &chol))
		return false;
	clv_cholesky_solve(&chol, slope, step);
	return true;
}

bool
clv_unit_free_inverse(const ClvFamily *family, double year, const double *value, double *param)
{
	int searched[CLV_MAX_PARAMS];
	int n = Searched(family, searched);
	double low;
	double high;

	if (n != clv_unit_free_count(family))
		return false;
	for (int i = 0; i < n; i++)
		param[searched[i]] = family->transform[searched[i]] == CLV_ASINH   ? 0
							 : family->transform[searched[i]] == CLV_LOGIT ? 0.5
																		   : 2;
	for (int i = 0; i < STEPS; i++)
	{
		ClvUnitFreeAt at;
		double step[CLV_MAX_PARAMS];
		double length = 0;

		clv_unit_free(family, year, param, &at);
		if (!StepTowards(&at, value, n, searched, step))
			return false;
		for (int k = 0; k < n; k++)
		{
			ClvTransform transform = family->transform[searched[k]];

			param[searched[k]] = clv_moved(transform, param[searched[k]], step[k]);
			length = fmax(length, fabs(step[k]));
			if (!clv_in_range(family, searched[k], param[searched[k]]))
				return false;
		}
		if (length < NEAR_ENOUGH)
			return clv_within_limits(family, param, &low, &high);
	}
	return false;
}

/* Adds J' precision J, J being the gradients of the quantities. */
static void
AddGauss(const ClvPrior *prior, const ClvUnitFreeAt *at, int n, int nparams, double *gauss)
{
	for (int k = 0; k < n; k++)
	{
		for (int l = 0; l < n; l++)
		{
			double weight = prior->precision[k > l ? CLV_AT(k, l) : CLV_AT(l, k)];

			for (int i = 0; weight != 0 && i < nparams; i++)
			{
				for (int j = 0; j <= i; j++)
					gauss[CLV_AT(i, j)] += weight * at->gradient[k][i] * at->gradient[l][j];
			}
		}
	}
}

double
clv_prior_distance(const ClvPrior *prior, const ClvFamily *family, const double *param,
				   double *gradient, double *hessian, double *gauss)
{
	int n = clv_unit_free_count(family);
	int nparams = family->nparams;
	double half = 0;
	ClvUnitFreeAt at;

	memset(gradient, 0, nparams * sizeof(double));
	memset(hessian, 0, CLV_TRIANGLE(nparams) * sizeof(double));
	clv_unit_free(family, prior->year, param, &at);
	AddGauss(prior, &at, n, nparams, hessian);
	if (gauss != NULL)
		memcpy(gauss, hessian, CLV_TRIANGLE(nparams) * sizeof(double));
	for (int k = 0; k < n; k++)
	{
		double pull = 0; /* precision times distance */

		if (prior->precision[CLV_AT(k, k)] == 0)
			continue;
		for (int l = 0; l < n; l++)
		{
			double weight = prior->precision[k > l ? CLV_AT(k, l) : CLV_AT(l, k)];

			pull += weight == 0 ? 0 : weight * (at.value[l] - prior->mean[l]);
		}
		half += pull * (at.value[k] - prior->mean[k]) / 2;
		for (int i = 0; i < nparams; i++)
			gradient[i] += pull * at.gradient[k][i];
		for (int i = 0; i < CLV_TRIANGLE(nparams); i++)
			hessian[i] += pull * at.hessian[k][i];
	}
	return half;
}
