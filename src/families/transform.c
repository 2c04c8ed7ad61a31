/*
 * transform.c
 *		Transformations of the parameters for the search, and their inverses.
 */
#include <math.h>

#include "families/family.h"

double
clv_natural(ClvTransform transform, double searched)
{
	switch (transform)
	{
		case CLV_LOG:
			return exp(searched);
		case CLV_LOGIT:
			return 1 / (1 + exp(-searched));
		case CLV_ASINH:
			return sinh(searched);
		case CLV_FIXED:
			break;
	}
	return searched;
}

double
clv_searched(ClvTransform transform, double natural)
{
	switch (transform)
	{
		case CLV_LOG:
			return log(natural);
		case CLV_LOGIT:
			return log(natural) - log1p(-natural);
		case CLV_ASINH:
			return asinh(natural);
		case CLV_FIXED:
			break;
	}
	return natural;
}

double
clv_moved(ClvTransform transform, double natural, double step)
{
	switch (transform)
	{
		case CLV_LOG:
			return natural * exp(step);
		case CLV_LOGIT:
			return 1 / (1 + (1 - natural) / natural * exp(-step));
		case CLV_ASINH:
			return sinh(asinh(natural) + step);
		case CLV_FIXED:
			break;
	}
	return natural;
}

double
clv_slope(ClvTransform transform, double natural)
{
	switch (transform)
	{
		case CLV_LOG:
			return natural;
		case CLV_LOGIT:
			return natural * (1 - natural);
		case CLV_ASINH:
			return hypot(1, natural);
		case CLV_FIXED:
			break;
	}
	return 0;
}

bool
clv_in_range(const ClvFamily *family, int i, double natural)
{
	switch (family->transform[i])
	{
		case CLV_LOG:
			return natural > 0 && natural < INFINITY;
		case CLV_LOGIT:
			return natural > 0 && natural < 1;
		case CLV_ASINH:
			return isfinite(natural);
		case CLV_FIXED:
			return natural >= 1 && natural <= family->most[i] && natural == floor(natural);
	}
	return false;
}

bool
clv_within_limits(const ClvFamily *family, const double *param, double *low, double *high)
{
	double last = param[family->nparams - 1];

	if (family->limits == NULL)
		return true;
	family->limits(param, low, high);
	return last >= *low && last <= *high;
}
