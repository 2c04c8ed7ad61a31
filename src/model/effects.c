/*
 * effects.c
 *		What covariates do to a customer's parameters.
 *
 * The effects of a process are one number for a customer: gamma'z, the sum of his
 * covariates times their effects. Rates are multiplied by e to that number, which is
 * to say that the scale parameter of their gamma distribution is divided by it. Where
 * a coin decides, a and b are both multiplied: customers' coins are the more alike the
 * larger gamma'z is, and heads as frequent as before.
 */
#include "model/family.h"

#include <math.h>

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

		out[i] = shift == 0 ? param[i] : param[i] * exp(shift);
	}
}
