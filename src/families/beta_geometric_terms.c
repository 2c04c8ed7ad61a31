/*
 * beta_geometric_terms.c
 *		The likelihood terms of bg/nbd and mbg/nbd, with their derivatives.
 *
 * With n purchases after which the customer could have left (x, or x + 1 where the first one
 * counts), (a)_n = Gamma(a+n)/Gamma(a) and B the beta function,
 *
 *	L = (r)_x alpha^r [ B(a, b+n)/B(a,b) (alpha+T)^-(r+x)
 *					  + B(a+1, b+n-1)/B(a,b) (alpha+t_x)^-(r+x) ]
 *
 * the second line only where n > 0. Divided by what depends on x alone,
 *
 *	C     = (r)_x alpha^-x (b)_n / (a+b)_n
 *	alive = (1 + T/alpha)^-(r+x)
 *	departed = a/(b+n-1) (1 + t_x/alpha)^-(r+x)
 *
 * Powers of 1 + t/alpha, and not alpha^r and (alpha+t)^-(r+x) apart: where alpha
 * and r grow together, towards customers who are all alike, the two are large
 * and cancel.
 *
 * Derivatives are by the logarithms of r, alpha, a and b, in that order.
 */
#include "families/beta_geometric_terms.h"

#include <math.h>
#include <string.h>

#include "math/linalg.h"
#include "math/special.h"

enum
{
	R,
	ALPHA,
	A,
	B
};

/*
 * The same one-time buyers can be slow customers who rarely leave, or ordinary ones of whom many
 * left at once: with few customers the likelihood of mbg/nbd has a maximum for each reading.
 * alpha is such that rates fit customers who were active for half of the time.
 */
bool
clv_bg_start(const ClvMoments *moments, int which, double *param)
{
	static const struct
	{
		double r, a, b;
	} start[] = {{0.5, 1, 3}, {1, 0.15, 0.2}, {0.2, 0.5, 15}, {0.5, 10, 30}};

	if (which >= (int) (sizeof(start) / sizeof(start[0])))
		return false;
	param[R] = start[which].r;
	param[ALPHA] = param[R] * 0.5 * moments->T / moments->x;
	param[A] = start[which].a;
	param[B] = start[which].b;
	return true;
}

void
clv_bg_term_common(const double *param, double x, ClvTerm *term, int immediate)
{
	double r = param[R];
	double a = param[A];
	double b = param[B];
	double n = x + immediate;
	double dr = r * clv_digamma_rising(r, x);
	double db = b * clv_digamma_rising(b, n);
	double dab = clv_digamma_rising(a + b, n);
	double d2ab = clv_trigamma_rising(a + b, n);

	memset(term, 0, sizeof(*term));
	term->ln = clv_log_rising(r, x) - x * log(param[ALPHA]) + clv_log_rising(b, n) -
			   clv_log_rising(a + b, n);
	term->gradient[R] = dr;
	term->gradient[ALPHA] = -x;
	term->gradient[A] = -a * dab;
	term->gradient[B] = db - b * dab;
	term->hessian[CLV_AT(R, R)] = dr + r * r * clv_trigamma_rising(r, x);
	term->hessian[CLV_AT(A, A)] = -a * dab - a * a * d2ab;
	term->hessian[CLV_AT(B, A)] = -a * b * d2ab;
	term->hessian[CLV_AT(B, B)] = db - b * dab + b * b * (clv_trigamma_rising(b, n) - d2ab);
}

/* Sets *term to (1 + t/alpha)^-(r+x), relative to x purchases at time 0: no purchase since. */
static void
NoPurchase(const double *param, double x, double t, ClvTerm *term)
{
	double r = param[R];
	double alpha = param[ALPHA];
	double log_growth = log1p(t / alpha);
	double share = t / (alpha + t);

	memset(term, 0, sizeof(*term));
	term->ln = -(r + x) * log_growth;
	term->gradient[R] = -r * log_growth;
	term->gradient[ALPHA] = (r + x) * share;
	term->hessian[CLV_AT(R, R)] = -r * log_growth;
	term->hessian[CLV_AT(ALPHA, R)] = r * share;
	term->hessian[CLV_AT(ALPHA, ALPHA)] = -(r + x) * share * (alpha / (alpha + t));
}

void
clv_bg_term_alive(const double *param, double x, const double *t, size_t n, ClvTerm *terms)
{
	for (size_t i = 0; i < n; i++)
		NoPurchase(param, x, t[i], &terms[i]);
}

void
clv_bg_term_departed(const double *param, double x, const double *t, size_t n, ClvTerm *terms,
					 int immediate)
{
	double before = x + immediate - 1; /* purchases after which the customer stayed */
	double b = param[B];
	double share = b / (b + before);

	for (size_t i = 0; i < n; i++)
	{
		ClvTerm *term = &terms[i];

		if (before < 0)
		{
			memset(term, 0, sizeof(*term));
			term->ln = -INFINITY;
			continue;
		}
		NoPurchase(param, x, t[i], term);
		term->ln += log(param[A]) - log(b + before);
		term->gradient[A] = 1;
		term->gradient[B] = -share;
		term->hessian[CLV_AT(B, B)] = -share * (before / (b + before));
	}
}
