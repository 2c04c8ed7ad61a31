/*
 * lifetime_terms.c
 *		The likelihood terms of the lifetime families, with their derivatives.
 *
 * With R = r + x and the times counted from the first purchase, the integral in
 *
 *	L = (r)_x alpha^r [ (alpha+T)^-R S(T) + int_tx^T (alpha+u)^-R f(u) du ]
 *
 * is one from t_x to infinity less one from T to infinity, and the latter, subtracted from the
 * first summand, is by parts the integral of a positive function again:
 *
 *	C           = (r)_x alpha^-x
 *	departed(u) = int_u^inf (1 + y/alpha)^-R f(y) dy
 *	alive(u)    = int_u^inf (1 + y/alpha)^-R R/(alpha+y) S(y) dy
 *
 * They are the probabilities that the first event after u is a death, or a purchase, and L = C
 * (departed(t_x) + alive(T)). The two add up to (1 + u/alpha)^-R S(u) at any u.
 *
 * From right to left
 * ------------------
 * A table needs an integral to infinity at each of its ascending times. It is computed from the
 * last time down: the integral beyond a time is that beyond the next one, times the decay until
 * there, plus the part in between. Between two days that takes four nodes. Tables of many times
 * are interpolated from those of few (lifetime_curve.c).
 *
 * Derivatives come from the same nodes. For the log of an integral they are moments of the
 * derivatives of the log of its integrand: the gradient is their mean g, the Hessian the mean
 * of the second derivatives plus the covariance of the first. Deviations are taken from the g
 * of the time before, so that no large numbers are squared that cancel later.
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
	LIFETIME
};

typedef char lifetime_fits_family[LIFETIME + CLV_LIFETIME_PARAMS <= CLV_MAX_PARAMS ? 1 : -1];

void
clv_lifetime_term_common(const double *param, double x, ClvTerm *term)
{
	double r = param[R];
	double dr = r * clv_digamma_rising(r, x);

	memset(term, 0, sizeof(*term));
	term->ln = clv_log_rising(r, x) - x * log(param[ALPHA]);
	term->gradient[R] = dr;
	term->gradient[ALPHA] = -x;
	term->hessian[CLV_AT(R, R)] = dr + r * r * clv_trigamma_rising(r, x);
}

/* The sums over the nodes to the right of a time. */
typedef struct TailSums
{
	double mass;                    /* relative to (1 + u/alpha)^-R S(u) */
	double center[CLV_MAX_PARAMS];  /* deviations of gradients are from here */
	double first[CLV_MAX_PARAMS];   /* their sum */
	double second[CLV_MAX_HESSIAN]; /* that of their products and of second derivatives */
} TailSums;

/* The state of the computation from the last time to the first. */
typedef struct Sweep
{
	const ClvLaw *law;
	const double *param;
	ClvLifetime newcomer;
	double R;
	bool departed;
	int nparams;
	TailSums tail;
} Sweep;

/* A point where the integrand is evaluated: a time, and the logarithms of the decay until then. */
typedef struct Point
{
	double y;
	double ln_growth; /* ln(1 + y/alpha) */
	double cum_hazard;
} Point;

/* Sets gradient and hessian to the derivatives of the log of the integrand at a point. */
static void
Jet(const Sweep *sweep, const Point *point, double *gradient, double *hessian)
{
	double r = sweep->param[R];
	double after = sweep->R;
	double share = point->y / (sweep->param[ALPHA] + point->y);
	double rest = sweep->param[ALPHA] / (sweep->param[ALPHA] + point->y);
	int m = sweep->law->nparams;
	ClvLifetimeJet lifetime;

	sweep->law->jet(&sweep->newcomer, point->y, point->cum_hazard, sweep->departed, &lifetime);
	gradient[R] = -r * point->ln_growth;
	gradient[ALPHA] = after * share;
	hessian[CLV_AT(R, R)] = -r * point->ln_growth;
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
		gradient[LIFETIME + i] = lifetime.gradient[i];
		hessian[CLV_AT(LIFETIME + i, R)] = 0;
		hessian[CLV_AT(LIFETIME + i, ALPHA)] = 0;
		for (int j = 0; j <= i; j++)
			hessian[CLV_AT(LIFETIME + i, LIFETIME + j)] = lifetime.hessian[CLV_AT(i, j)];
	}
}

/* Adds derivatives at a point, relative to the center of the sums; gradient is overwritten. */
static void
AddJet(Sweep *sweep, double *gradient, const double *hessian, double weight)
{
	TailSums *tail = &sweep->tail;
	int n = sweep->nparams;

	tail->mass += weight;
	for (int i = 0; i < n; i++)
	{
		gradient[i] -= tail->center[i];
		tail->first[i] += weight * gradient[i];
		for (int j = 0; j <= i; j++)
			tail->second[CLV_AT(i, j)] +=
				weight * (hessian[CLV_AT(i, j)] + gradient[i] * gradient[j]);
	}
}

/*
 * Returns the mean of Sarmanov's factor after a number of purchases at y, alive or dying, and
 * adds the derivatives of its logarithm; 1 where lifetime and purchases are independent.
 */
static double
Sarmanov(const Sweep *sweep, double purchases, double y, bool dying, double *gradient,
		 double *hessian)
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

/* Adds the integrand at a point, whose value relative to the start is weight. */
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

/* The rate of the event of the integral, death or purchase, at z. */
static inline double
Rate(const Sweep *sweep, const ClvDecay *decay, double z)
{
	return sweep->departed ? sweep->law->hazard(&decay->lifetime, z) : decay->R / (decay->age + z);
}

/* Adds the nodes of a panel. */
static void
AddPanel(Sweep *sweep, const ClvDecay *decay, const ClvPanel *panel, const Point *from)
{
	ClvGaussNode nodes[CLV_GAUSS_MOST];
	int n = clv_gauss_nodes(panel->rule, panel->from, panel->to, nodes);

	for (int k = 0; k < n; k++)
	{
		double z = nodes[k].at;
		double ln_growth = log1p(z / decay->age);
		double cum_hazard = sweep->law->cum_hazard(&decay->lifetime, z);
		Point point = {from->y + z, from->ln_growth + ln_growth, from->cum_hazard + cum_hazard};
		double weight =
			nodes[k].weight * Rate(sweep, decay, z) * exp(-decay->R * ln_growth - cum_hazard);

		AddPoint(sweep, &point, weight);
	}
}

/* At times above this multiple of every scale only powers of time are left. */
#define POWER_FROM 1e17

/*
 * Adds the rest of an integrand that is a power of time: with z = e^v, an exponential of v. The
 * derivatives are polynomials of v, which two Gauss-Laguerre nodes integrate exactly. False where
 * it is not yet a power.
 */
static bool
AddPowerTail(Sweep *sweep, const ClvDecay *decay, double z, const Point *from)
{
	static const ClvGaussNode laguerre[] = {{0.58578643762690495120, 0.85355339059327376220},
											{3.4142135623730950488, 0.14644660940672623780}};
	double power = z > POWER_FROM * decay->age ? sweep->law->power(&decay->lifetime, z) : 0;
	double decay_power = decay->R + power;
	double ln_growth = log1p(z / decay->age);
	double cum_hazard = sweep->law->cum_hazard(&decay->lifetime, z);
	double mass = Rate(sweep, decay, z) * z * exp(-decay->R * ln_growth - cum_hazard) / decay_power;

	if (!(power > 0))
		return false;
	for (int k = 0; k < 2; k++)
	{
		double v = laguerre[k].at / decay_power;
		Point point = {from->y + z, from->ln_growth + ln_growth + v,
					   from->cum_hazard + cum_hazard + power * v};

		AddPoint(sweep, &point, mass * laguerre[k].weight);
	}
	return true;
}

/* Adds the integral over width from the time where the decay starts. */
static void
AddInterval(Sweep *sweep, const ClvDecay *decay, const Point *from, double width)
{
	ClvPanel panel = {0};

	for (int i = 0; panel.to < width && i < CLV_MOST_PANELS; i++)
	{
		double before = sweep->tail.mass;

		clv_next_panel(decay, width, &panel);
		AddPanel(sweep, decay, &panel, from);
		clv_poll(&clv_family_poll, 32 * (size_t) panel.rule->pairs);
		if (panel.drop > 38 && sweep->tail.mass - before <= DBL_EPSILON / 128 * before)
			break;
		if (isinf(width) && sweep->law->power != NULL && AddPowerTail(sweep, decay, panel.to, from))
			break;
	}
}

/* Sets the decay and the point for an integral that starts at u. */
static void
StartAt(const Sweep *sweep, double u, ClvDecay *decay, Point *point)
{
	*decay = (ClvDecay){.law = sweep->law, .R = sweep->R, .age = sweep->param[ALPHA] + u};
	sweep->law->age(&sweep->newcomer, u, &decay->lifetime);
	*point =
		(Point){u, log1p(u / sweep->param[ALPHA]), sweep->law->cum_hazard(&sweep->newcomer, u)};
}

/* Sets *term to the sums so far, and centers the sums there for the next time. */
static void
Finish(Sweep *sweep, const Point *point, ClvTerm *term)
{
	TailSums *tail = &sweep->tail;
	double mass = tail->mass;
	int n = sweep->nparams;

	memset(term, 0, sizeof(*term));
	term->ln = -INFINITY;
	if (!(mass > 0))
		return;
	term->ln = log(mass) - sweep->R * point->ln_growth - point->cum_hazard;
	for (int i = 0; i < n; i++)
	{
		double mean = tail->first[i] / mass;

		tail->center[i] += mean;
		term->gradient[i] = tail->center[i];
		for (int j = 0; j <= i; j++)
		{
			double *second = &tail->second[CLV_AT(i, j)];

			*second -= mean * tail->first[j];
			term->hessian[CLV_AT(i, j)] = *second / mass;
		}
	}
	memset(tail->first, 0, sizeof(tail->first));
}

/* Multiplies the sums by the decay from an earlier time to this one. */
static void
ScaleTail(Sweep *sweep, double part)
{
	sweep->tail.mass *= part;
	for (int i = 0; i < CLV_TRIANGLE(sweep->nparams); i++)
		sweep->tail.second[i] *= part;
}

void
clv_lifetime_integrals(const ClvLaw *law, const double *param, double x, const double *t, size_t n,
					   bool departed, ClvTerm *terms)
{
	Sweep sweep = {law, param, .R = param[R] + x, .departed = departed,
				   .nparams = LIFETIME + law->nparams};

	memcpy(sweep.newcomer.param, param + LIFETIME, law->nparams * sizeof(double));
	for (size_t i = n; i-- > 0;)
	{
		ClvDecay decay;
		Point point;

		StartAt(&sweep, t[i], &decay, &point);
		if (i + 1 == n)
		{
			double unused[CLV_MAX_HESSIAN];

			Jet(&sweep, &point, sweep.tail.center, unused);
			AddInterval(&sweep, &decay, &point, INFINITY);
		}
		else
		{
			ScaleTail(&sweep, exp(-clv_decay_drop(&decay, t[i + 1] - t[i])));
			AddInterval(&sweep, &decay, &point, t[i + 1] - t[i]);
		}
		Finish(&sweep, &point, &terms[i]);
	}
}

/*
 * Adds the customers still alive at this point without a purchase: no integral, but (1 +
 * T/alpha)^-R S(T) itself.
 */
static void
AddSurviving(Sweep *sweep, const Point *point, double weight)
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
	hessian[CLV_AT(ALPHA, ALPHA)] +=
		sweep->param[ALPHA] / sweep->R * rate * (point->y / (sweep->param[ALPHA] + point->y));
	weight *= Sarmanov(sweep, sweep->R - sweep->param[R], point->y, false, gradient, hessian);
	AddJet(sweep, gradient, hessian, weight);
}

/*
 * For one customer, the integral from t_x to T plus the term of survival to T is far less work
 * than two integrals to infinity.
 */
void
clv_lifetime_cell(const ClvLaw *law, const double *param, double x, double t_x, double T,
				  ClvTerm *term)
{
	Sweep sweep = {law, param, .R = param[R] + x, .departed = true,
				   .nparams = LIFETIME + law->nparams};
	double unused[CLV_MAX_HESSIAN];
	ClvDecay decay;
	Point point;
	Point last;
	ClvTerm common;

	memcpy(sweep.newcomer.param, param + LIFETIME, law->nparams * sizeof(double));
	StartAt(&sweep, t_x, &decay, &point);
	Jet(&sweep, &point, sweep.tail.center, unused);
	AddInterval(&sweep, &decay, &point, T - t_x);
	last = (Point){T, log1p(T / param[ALPHA]), law->cum_hazard(&sweep.newcomer, T)};
	AddSurviving(&sweep, &last, exp(-clv_decay_drop(&decay, T - t_x)));
	Finish(&sweep, &point, term);
	clv_lifetime_term_common(param, x, &common);
	term->ln += common.ln;
	for (int i = 0; i < sweep.nparams; i++)
	{
		term->gradient[i] += common.gradient[i];
		for (int j = 0; j <= i; j++)
			term->hessian[CLV_AT(i, j)] += common.hessian[CLV_AT(i, j)];
	}
}
