/*
 * lifetime_terms.c
 *		The terms of the life families' likelihood, with their derivatives.
 *
 * With R = r + x and the times counted from the first purchase, the integral in
 *
 *	L = (r)_x alpha^r [ (alpha+T)^-R S(T) + int_tx^T (alpha+u)^-R f(u) du ]
 *
 * is one from t_x to infinity less one from T to infinity, and the latter, taken
 * from the first summand, leaves by parts an integral of something positive again:
 *
 *	C           = (r)_x alpha^-x
 *	departed(u) = int_u^inf (1 + y/alpha)^-R f(y) dy
 *	alive(u)    = int_u^inf (1 + y/alpha)^-R R/(alpha+y) S(y) dy
 *
 * Whatever happens first after u, a death or a purchase: these are the chances of
 * either, and L = C (departed(t_x) + alive(T)). The two add up to (1 + u/alpha)^-R
 * S(u) at any u.
 *
 * From right to left
 * ------------------
 * A table needs an integral to infinity at each of its ascending times. It is built
 * from the last time down: what lies beyond a time is what lies beyond the next one,
 * times what drops on the way there, and what lies between. Between two days that
 * is four nodes. Tables of many times are made from those of few (lifetime_curve.c).
 *
 * Derivatives come from the same nodes. For the log of an integral they are moments
 * of the derivatives of the log of its integrand: the gradient is their mean g, the
 * Hessian the mean of the second derivatives plus the covariance of the first.
 * Deviations are taken from the g of the time before, so that nothing large is
 * squared that cancels later.
 *
 * Derivatives are by the logarithms of r, alpha and the law's parameters.
 */
#include "families/lifetime.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "math/linalg.h"
#include "math/poll.h"
#include "math/special.h"

enum
{
	R,
	ALPHA,
	LIFE
};

typedef char life_fits_family[LIFE + CLV_LIFE_PARAMS <= CLV_MAX_PARAMS ? 1 : -1];

void
clv_life_term_common(const double *param, double x, ClvTerm *term)
{
	double r = param[R];
	double dr = r * clv_digamma_rising(r, x);

	memset(term, 0, sizeof(*term));
	term->ln = clv_log_rising(r, x) - x * log(param[ALPHA]);
	term->gradient[R] = dr;
	term->gradient[ALPHA] = -x;
	term->hessian[CLV_AT(R, R)] = dr + r * r * clv_trigamma_rising(r, x);
}

/* What has been added up to the right of a time. */
typedef struct Beyond
{
	double mass;					/* relative to (1 + u/alpha)^-R S(u) */
	double center[CLV_MAX_PARAMS];	/* deviations of gradients are from here */
	double first[CLV_MAX_PARAMS];	/* their sum */
	double second[CLV_MAX_HESSIAN]; /* that of their products and of second derivatives */
} Beyond;

typedef struct Sweep
{
	const ClvLaw *law;
	const double *param;
	ClvLife newborn;
	double R;
	bool departed;
	int nparams;
	Beyond beyond;
} Sweep;

/* Where the integrand is evaluated: a time, and what has dropped until then. */
typedef struct Point
{
	double y;
	double waited; /* ln(1 + y/alpha) */
	double cum_hazard;
} Point;

/* Derivatives of the log of the integrand. */
static void
Jet(const Sweep *sweep, const Point *point, double *gradient, double *hessian)
{
	double r = sweep->param[R];
	double after = sweep->R;
	double share = point->y / (sweep->param[ALPHA] + point->y);
	double rest = sweep->param[ALPHA] / (sweep->param[ALPHA] + point->y);
	int m = sweep->law->nparams;
	ClvLifeJet life;

	sweep->law->jet(&sweep->newborn, point->y, point->cum_hazard, sweep->departed, &life);
	gradient[R] = -r * point->waited;
	gradient[ALPHA] = after * share;
	hessian[CLV_AT(R, R)] = -r * point->waited;
	hessian[CLV_AT(ALPHA, R)] = r * share;
	hessian[CLV_AT(ALPHA, ALPHA)] = -after * share * rest;
	if (!sweep->departed)
	{
		gradient[R] += r / after;
		gradient[ALPHA] -= rest;
		hessian[CLV_AT(R, R)] += r / after * (1 - r / after);
		hessian[CLV_AT(ALPHA, ALPHA)] -= share * rest;
	}
	for (int i = 0; i < m; i++)
	{
		gradient[LIFE + i] = life.gradient[i];
		hessian[CLV_AT(LIFE + i, R)] = 0;
		hessian[CLV_AT(LIFE + i, ALPHA)] = 0;
		for (int j = 0; j <= i; j++)
			hessian[CLV_AT(LIFE + i, LIFE + j)] = life.hessian[CLV_AT(i, j)];
	}
}

/* Derivatives at a point are moved to the sweep's center and added. */
static void
AddJet(Sweep *sweep, double *gradient, const double *hessian, double weight)
{
	Beyond *beyond = &sweep->beyond;
	int n = sweep->nparams;

	beyond->mass += weight;
	for (int i = 0; i < n; i++)
	{
		gradient[i] -= beyond->center[i];
		beyond->first[i] += weight * gradient[i];
		for (int j = 0; j <= i; j++)
			beyond->second[CLV_AT(i, j)] +=
				weight * (hessian[CLV_AT(i, j)] + gradient[i] * gradient[j]);
	}
}

/*
 * Where life has to do with purchases the integrand has the mean factor of those with so
 * many purchases at y, alive or dying. Returns it, having added its logarithm's derivatives.
 */
static double
Sarmanov(const Sweep *sweep, double purchases, double y, bool dying, double *gradient, double *hessian)
{
	ClvTerm term;

	if (sweep->law->sarmanov_term == NULL)
		return 1;
	sweep->law->sarmanov_term(sweep->param, purchases, y, dying, &term);
	for (int i = 0; i < sweep->nparams; i++)
		gradient[i] += term.gradient[i];
	for (int i = 0; i < CLV_TRIANGLE(sweep->nparams); i++)
		hessian[i] += term.hessian[i];
	return exp(term.ln);
}

static void
AddPoint(Sweep *sweep, const Point *point, double weight)
{
	double purchases = sweep->R - sweep->param[R] + !sweep->departed;
	double gradient[CLV_MAX_PARAMS];
	double hessian[CLV_MAX_HESSIAN];

	Jet(sweep, point, gradient, hessian);
	weight *= Sarmanov(sweep, purchases, point->y, sweep->departed, gradient, hessian);
	AddJet(sweep, gradient, hessian, weight);
}

/* The density of the event that is waited for, when nothing has dropped. */
static inline double
Rate(const Sweep *sweep, const ClvDecay *decay, double z)
{
	return sweep->departed ? sweep->law->hazard(&decay->life, z) : decay->R / (decay->age + z);
}

static void
AddPanel(Sweep *sweep, const ClvDecay *decay, const ClvPanel *panel, const Point *from)
{
	ClvGaussNode nodes[CLV_GAUSS_MOST];
	int n = clv_gauss_nodes(panel->rule, panel->from, panel->to, nodes);

	for (int k = 0; k < n; k++)
	{
		double z = nodes[k].at;
		double waited = log1p(z / decay->age);
		double cum_hazard = sweep->law->cum_hazard(&decay->life, z);
		Point point = {from->y + z, from->waited + waited, from->cum_hazard + cum_hazard};
		double weight = nodes[k].weight * Rate(sweep, decay, z) * exp(-decay->R * waited - cum_hazard);

		AddPoint(sweep, &point, weight);
	}
}

/* Beyond so many times every scale there are but powers of time. */
#define FAR 1e17

/*
 * The rest of an integrand that is a power of time: with z = e^v, an exponential of
 * v. The derivatives are polynomials of v, to which two nodes of Gauss and Laguerre
 * do justice. False where it is not there yet.
 */
static bool
AddPowerTail(Sweep *sweep, const ClvDecay *decay, double z, const Point *from)
{
	static const ClvGaussNode laguerre[] = {
		{0.58578643762690495120, 0.85355339059327376220},
		{3.4142135623730950488, 0.14644660940672623780}};
	double power = z > FAR * decay->age ? sweep->law->power(&decay->life, z) : 0;
	double fall = decay->R + power;
	double waited = log1p(z / decay->age);
	double cum_hazard = sweep->law->cum_hazard(&decay->life, z);
	double mass = Rate(sweep, decay, z) * z * exp(-decay->R * waited - cum_hazard) / fall;

	if (!(power > 0))
		return false;
	for (int k = 0; k < 2; k++)
	{
		double v = laguerre[k].at / fall;
		Point point = {from->y + z, from->waited + waited + v, from->cum_hazard + cum_hazard + power * v};

		AddPoint(sweep, &point, mass * laguerre[k].weight);
	}
	return true;
}

/* All that lies within width of the time that the decay starts from. */
static void
AddStretch(Sweep *sweep, const ClvDecay *decay, const Point *from, double width)
{
	ClvPanel panel = {0};

	for (int i = 0; panel.to < width && i < CLV_MOST_PANELS; i++)
	{
		double before = sweep->beyond.mass;

		clv_next_panel(decay, width, &panel);
		AddPanel(sweep, decay, &panel, from);
		clv_poll(&clv_family_poll, 32 * (size_t) panel.rule->pairs);
		if (panel.drop > 38 && sweep->beyond.mass - before <= DBL_EPSILON / 128 * before)
			break;
		if (isinf(width) && sweep->law->power != NULL &&
			AddPowerTail(sweep, decay, panel.to, from))
			break;
	}
}

/* The chances seen from a time u. */
static void
StartAt(const Sweep *sweep, double u, ClvDecay *decay, Point *point)
{
	*decay = (ClvDecay){.law = sweep->law, .R = sweep->R, .age = sweep->param[ALPHA] + u};
	sweep->law->age(&sweep->newborn, u, &decay->life);
	*point = (Point){u, log1p(u / sweep->param[ALPHA]), sweep->law->cum_hazard(&sweep->newborn, u)};
}

/* What has been added up, as a term; and the next time's deviations are from here. */
static void
Settle(Sweep *sweep, const Point *point, ClvTerm *term)
{
	Beyond *beyond = &sweep->beyond;
	double mass = beyond->mass;
	int n = sweep->nparams;

	memset(term, 0, sizeof(*term));
	term->ln = -INFINITY;
	if (!(mass > 0))
		return;
	term->ln = log(mass) - sweep->R * point->waited - point->cum_hazard;
	for (int i = 0; i < n; i++)
	{
		double mean = beyond->first[i] / mass;

		beyond->center[i] += mean;
		term->gradient[i] = beyond->center[i];
		for (int j = 0; j <= i; j++)
		{
			double *second = &beyond->second[CLV_AT(i, j)];

			*second -= mean * beyond->first[j];
			term->hessian[CLV_AT(i, j)] = *second / mass;
		}
	}
	memset(beyond->first, 0, sizeof(beyond->first));
}

/* Seen from an earlier time, part of it drops on the way. */
static void
Fade(Sweep *sweep, double part)
{
	sweep->beyond.mass *= part;
	for (int i = 0; i < CLV_TRIANGLE(sweep->nparams); i++)
		sweep->beyond.second[i] *= part;
}

void
clv_life_integrals(const ClvLaw *law, const double *param, double x, const double *t, size_t n,
				   bool departed, ClvTerm *terms)
{
	Sweep sweep = {law, param, .R = param[R] + x, .departed = departed,
				   .nparams = LIFE + law->nparams};

	memcpy(sweep.newborn.param, param + LIFE, law->nparams * sizeof(double));
	for (size_t i = n; i-- > 0;)
	{
		ClvDecay decay;
		Point point;

		StartAt(&sweep, t[i], &decay, &point);
		if (i + 1 == n)
		{
			double unused[CLV_MAX_HESSIAN];

			Jet(&sweep, &point, sweep.beyond.center, unused);
			AddStretch(&sweep, &decay, &point, INFINITY);
		}
		else
		{
			Fade(&sweep, exp(-clv_decay_drop(&decay, t[i + 1] - t[i])));
			AddStretch(&sweep, &decay, &point, t[i + 1] - t[i]);
		}
		Settle(&sweep, &point, &terms[i]);
	}
}

/* Nothing has happened until this point: no integral, but (1 + T/alpha)^-R S(T) itself. */
static void
AddLasting(Sweep *sweep, const Point *point, double weight)
{
	double gradient[CLV_MAX_PARAMS];
	double hessian[CLV_MAX_HESSIAN];
	double rate = sweep->R / (sweep->param[ALPHA] + point->y);

	/* the density of the next purchase, without the factor R/(alpha+y) */
	sweep->departed = false;
	Jet(sweep, point, gradient, hessian);
	gradient[R] -= sweep->param[R] / sweep->R;
	gradient[ALPHA] += sweep->param[ALPHA] / sweep->R * rate;
	hessian[CLV_AT(R, R)] -= sweep->param[R] / sweep->R * (1 - sweep->param[R] / sweep->R);
	hessian[CLV_AT(ALPHA, ALPHA)] += sweep->param[ALPHA] / sweep->R * rate *
									 (point->y / (sweep->param[ALPHA] + point->y));
	weight *= Sarmanov(sweep, sweep->R - sweep->param[R], point->y, false, gradient, hessian);
	AddJet(sweep, gradient, hessian, weight);
}

/*
 * One customer alone: to integrate from t_x to T, and to add what lasts beyond, is far
 * less work than two integrals to infinity.
 */
void
clv_life_cell(const ClvLaw *law, const double *param, double x, double t_x, double T,
			  ClvTerm *term)
{
	Sweep sweep = {law, param, .R = param[R] + x, .departed = true,
				   .nparams = LIFE + law->nparams};
	double unused[CLV_MAX_HESSIAN];
	ClvDecay decay;
	Point point;
	Point last;
	ClvTerm common;

	memcpy(sweep.newborn.param, param + LIFE, law->nparams * sizeof(double));
	StartAt(&sweep, t_x, &decay, &point);
	Jet(&sweep, &point, sweep.beyond.center, unused);
	AddStretch(&sweep, &decay, &point, T - t_x);
	last = (Point){T, log1p(T / param[ALPHA]), law->cum_hazard(&sweep.newborn, T)};
	AddLasting(&sweep, &last, exp(-clv_decay_drop(&decay, T - t_x)));
	Settle(&sweep, &point, term);
	clv_life_term_common(param, x, &common);
	term->ln += common.ln;
	for (int i = 0; i < sweep.nparams; i++)
	{
		term->gradient[i] += common.gradient[i];
		for (int j = 0; j <= i; j++)
			term->hessian[CLV_AT(i, j)] += common.hessian[CLV_AT(i, j)];
	}
}
