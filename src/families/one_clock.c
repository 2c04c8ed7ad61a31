/*
 * one_clock.c
 *		Families whose customers leave after purchases, by the calendar: everything goes by the
 *		clock of purchases.
 *
 * The likelihood and the predictions are the plain ones with B(t) for t. Discounting goes by time
 * itself: by parts,
 *
 *		int_0^t e^(-delta u) dE(B(u)) = e^(-delta t) E(B(t))
 *										+ delta int_0^t e^(-delta u) E(B(u)) du
 *
 * E being the expected purchases of the plain family: an integral of a positive function, smooth
 * within a stretch.
 */
#include <math.h>
#include <string.h>

#include "math/gauss.h"
#include "math/poll.h"
#include "math/special.h"
#include "families/clocks.h"

/* ---- histories ---- */

double
clv_one_clock_log_likelihood(const ClvFamily *family, const double *param, double x,
							 const ClvClocks *clocks, double t_x, double T)
{
	return family->log_likelihood(param, x, clv_clock_b(clocks, t_x), clv_clock_b(clocks, T));
}

double
clv_one_clock_ln_p_alive(const ClvFamily *family, const double *param, double x,
						 const ClvClocks *clocks, double t_x, double T)
{
	return family->ln_p_alive(param, x, clv_clock_b(clocks, t_x), clv_clock_b(clocks, T));
}

void
clv_one_clock_given_alive(const ClvFamily *family, const double *param, double x,
						  const ClvClocks *clocks, double t_x, double T, ClvFuture *future)
{
	clv_given_alive(family, param, x, clv_clock_b(clocks, t_x), clv_clock_b(clocks, T), future);
}

/* The parameter that carries the unit of time. */
static int
Scale(const ClvFamily *family)
{
	int i = 0;

	while (!family->is_scale[i])
		i++;
	return i;
}

/*
 * Sets *wide to one of the two terms. It is a function of t/alpha: its derivative by ln t is that
 * by ln alpha with the other sign.
 */
static void
Clocked(const ClvFamily *family, const ClvTerm *plain, const ClvClocks *clocks,
		const ClvClockPoint *point, ClvWideTerm *wide)
{
	int scale = Scale(family);
	int n = family->nparams;
	double b = point->b;
	ClvClockSlope slope = {0};

	clv_widen(plain, n, clocks->ncovariates, wide);
	if (!(b > 0) || plain->ln == -INFINITY)
		return;
	slope.first = -plain->gradient[scale] / b;
	slope.second = (plain->hessian[CLV_AT(scale, scale)] + plain->gradient[scale]) / (b * b);
	for (int i = 0; i < n; i++)
		slope.mixed[i] = -plain->hessian[i > scale ? CLV_AT(i, scale) : CLV_AT(scale, i)] / b;
	clv_clock_chain(&slope, n, n, clocks->ncovariates, point->db, point->bb, wide);
}

void
clv_one_clock_departed(const ClvFamily *family, const double *param, double x,
					   const ClvClocks *clocks, const double *t_x, size_t n, double T,
					   ClvWideTerm *terms)
{
	(void) T;
	for (size_t i = 0; i < n; i++)
	{
		ClvClockPoint point;
		ClvTerm plain;

		clv_clock_point(clocks, t_x[i], &point);
		family->departed(param, x, &point.b, 1, &plain);
		Clocked(family, &plain, clocks, &point, &terms[i]);
	}
}

void
clv_one_clock_alive(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks,
					double T, ClvWideTerm *term)
{
	ClvClockPoint point;
	ClvTerm plain;

	clv_clock_point(clocks, T, &point);
	family->alive(param, x, &point.b, 1, &plain);
	Clocked(family, &plain, clocks, &point, term);
}

void
clv_one_clock_term(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks,
				   double t_x, double T, ClvWideTerm *term)
{
	ClvWideTerm departed, alive;
	ClvTerm common;

	clv_one_clock_departed(family, param, x, clocks, &t_x, 1, T, &departed);
	clv_one_clock_alive(family, param, x, clocks, T, &alive);
	family->ln_common(param, x, &common);
	clv_wide_sum(&departed, &alive, family->nparams + 2 * clocks->ncovariates, term);
	clv_wide_add(&common, family->nparams, term);
}

void
clv_one_clock_term_by_times(const ClvFamily *family, const double *param, double x,
							const ClvClocks *clocks, double t_x, double T, ClvWideTerm *term)
{
	static const ClvTerm nothing = {0};
	int n = clocks->ncovariates;
	ClvClockPoint last, end, silent;
	ClvWideTerm by_times;
	ClvTerm common;

	clv_clock_point(clocks, t_x, &last);
	clv_clock_point(clocks, T, &end);
	clv_clock_between(n, &last, &end, &silent);
	family->clocked->by_times(family, param, x, last.b, silent.b, &by_times);
	clv_widen(&nothing, family->nparams, n, term);
	clv_clock_add_times(&by_times, family->nparams, n, 1, &last, &silent, term);
	family->ln_common(param, x, &common);
	clv_wide_add(&common, family->nparams, term);
}

/* ---- newcomers ---- */

double
clv_one_clock_expected(const ClvFamily *family, const double *param, const ClvClocks *clocks,
					   double t)
{
	return family->expected(param, clv_clock_b(clocks, t));
}

double
clv_one_clock_probability(const ClvFamily *family, const double *param, const ClvClocks *clocks,
						  double n, double t)
{
	return family->probability(param, n, clv_clock_b(clocks, t));
}

void
clv_one_clock_probabilities(const ClvFamily *family, const double *param, const ClvClocks *clocks,
							double t, int count, double *p)
{
	family->probabilities(param, clv_clock_b(clocks, t), count, p);
}

double
clv_one_clock_survival(const ClvFamily *family, const double *param, const ClvClocks *clocks,
					   double t)
{
	return family->survival(param, clv_clock_b(clocks, t));
}

double
clv_one_clock_pairs(const ClvFamily *family, const double *param, const ClvClocks *clocks, double t)
{
	return family->pairs == NULL ? NAN : family->pairs(param, clv_clock_b(clocks, t));
}

/*
 * A panel is at most STRIDE times as wide as its distance to the singularity where alpha + B is 0.
 * Within it neither the probability of no purchase nor discounting falls below e^-MOST_DROP.
 * Purchases that are discounted by more than e^-LAST are left out.
 */
#define STRIDE 2.0
#define MOST_DROP 8.0
#define LAST 45.0

/*
 * E on a range of the clock, as a polynomial: of many short stretches the nodes are many more than
 * the points that it takes. A range is as wide as a panel may be, in the clock.
 */
#define POINTS 28
#define WORTH_A_CURVE 16

typedef struct Curve
{
	double low;
	double high; /* of no range yet, below any time */
	double coefficient[POINTS];
} Curve;

/* Sets the curve to the range from this time of the clock on. */
static void
SetCurve(const ClvFamily *family, const double *param, double low, double width, Curve *curve)
{
	double cosine[4 * POINTS];
	double value[POINTS];

	curve->low = low;
	curve->high = low + width;
	for (int i = 0; i < 4 * POINTS; i++)
		cosine[i] = cos(M_PI / 2 * i / POINTS);
	for (int k = 0; k < POINTS; k++) /* at the zeros of a Chebyshev polynomial, from the right */
		value[k] = family->expected(param, low + width * (1 + cosine[2 * k + 1]) / 2);
	for (int j = 0; j < POINTS; j++)
	{
		double sum = 0;

		for (int k = 0; k < POINTS; k++)
			sum += cosine[j * (2 * k + 1) % (4 * POINTS)] * value[k];
		curve->coefficient[j] = sum * (j == 0 ? 1.0 : 2.0) / POINTS;
	}
	clv_poll(&clv_family_poll, 50 * POINTS);
}

/* E at a time of the clock in the range, by Clenshaw's recurrence. */
static double
CurveAt(const Curve *curve, double b)
{
	double x = 2 * (b - curve->low) / (curve->high - curve->low) - 1;
	double one = 0;
	double two = 0;

	for (int j = POINTS - 1; j > 0; j--)
	{
		double next = curve->coefficient[j] + 2 * x * one - two;

		two = one;
		one = next;
	}
	return curve->coefficient[0] + x * one - two;
}

/*
 * How far from b a panel may reach. What falls like the probability of no purchase is gone where
 * that is below e^-SETTLED; of mbg/cnbd-k the slowest term has 1 - cos(2 pi/k) of its exponent.
 * From there on E is smooth as powers of b are, whatever the shape: an ellipse around the panel
 * that does not reach b = 0 is free of singularities, and E is no larger there.
 */
#define SETTLED 60.0

static double
PanelWidth(double alpha, double shape, double slowest, double b)
{
	double width = fmin(STRIDE, MOST_DROP / shape) * (alpha + b);

	return shape * slowest * log1p(b / alpha) > SETTLED ? fmax(width, STRIDE * b) : width;
}

/* The part of the exponent of no purchase that the slowest term of E has: 1 but for mbg/cnbd-k. */
static double
SlowestPart(const ClvFamily *family, const double *param)
{
	int k = family->stages != NULL ? family->stages(param) : 1;

	return k < 4 ? 1 : 1 - cos(2 * M_PI / k);
}

/*
 * int_from^to e^(-delta u) E(B(u)) du, within a stretch; by a curve, where there is one, which is
 * moved on.
 */
static double
StretchDiscounted(const ClvFamily *family, const double *param, const ClvStretch *stretch,
				  double delta, double to, Curve *curve)
{
	double alpha = param[Scale(family)];
	double shape = param[Scale(family) - 1] + 1;
	double slowest = SlowestPart(family, param);
	double sum = 0;
	double u = stretch->from;

	while (u < to)
	{
		double b = stretch->b + stretch->a * (u - stretch->from);
		double width = PanelWidth(alpha, shape, slowest, b);
		double most = fmin(width / stretch->a, MOST_DROP / delta);
		double end = u + most < to && u + most > u ? u + most : to;
		const ClvGauss *rule = end - u < most / 40  ? &clv_gauss_4
							   : end - u < most / 4 ? &clv_gauss_8
													: &clv_gauss_16;
		ClvGaussNode nodes[CLV_GAUSS_MOST];
		int n = clv_gauss_nodes(rule, u, end, nodes);
		double b_end = stretch->b + stretch->a * (end - stretch->from);

		if (curve != NULL && b_end > curve->high)
			SetCurve(family, param, b, fmax(width, b_end - b), curve);
		for (int k = 0; k < n; k++)
		{
			double at = stretch->b + stretch->a * (nodes[k].at - stretch->from);

			sum += nodes[k].weight * exp(-delta * nodes[k].at) *
				   (curve != NULL ? CurveAt(curve, at) : family->expected(param, at));
		}
		clv_poll(&clv_family_poll, 50 * (size_t) n);
		u = end;
	}
	return sum;
}

/* At most so much discounting by the clock before the last stretch may be undone after it. */
#define MOST_UNDONE 3.0

/*
 * Whether purchases of the last stretch, which has no end, are those of the plain family beyond a
 * time of the clock: as long as what is left is no small difference of large numbers.
 */
static bool
HasPlainEnd(const ClvStretch *last, double delta)
{
	return delta * last->b <= MOST_UNDONE * last->a;
}

/*
 * Discounted purchases of the last stretch without end, in which the clock runs evenly: the
 * discount rate by the clock is delta / A, and discounting begins with the stretch.
 */
static double
PlainEnd(const ClvFamily *family, const double *param, const ClvStretch *last, double delta)
{
	double by_clock = delta / last->a;
	double all = family->discounted(param, by_clock, INFINITY);
	double before = family->discounted(param, by_clock, last->b);

	return exp(by_clock * last->b - delta * last->from) * fmax(all - before, 0);
}

double
clv_one_clock_rest(const ClvFamily *family, const double *param, const ClvClocks *clocks,
				   double delta)
{
	const ClvStretch *last = &clocks->stretch[clocks->n - 1];

	return HasPlainEnd(last, delta) ? PlainEnd(family, param, last, delta) : NAN;
}

double
clv_one_clock_width(const ClvFamily *family, const double *param)
{
	int scale = Scale(family);

	return fmin(STRIDE, MOST_DROP / (param[scale - 1] + 1)) * param[scale];
}

/* The Chebyshev polynomials at x, times a weight, are added to the moments. */
static void
AddMoments(double x, double weight, double *moment)
{
	double one = weight * x;
	double two = weight;

	moment[0] += two;
	for (int j = 1; j < CLV_RULE_POINTS; j++)
	{
		double next = 2 * x * one - two;

		moment[j] += one;
		two = one;
		one = next;
	}
}

/* Parts of a range, of which each is integrated by 16 nodes. */
#define PARTS 4

/* Adds the moments of a range of the clock, low to high, over the part of it in a stretch. */
static void
AddStretchMoments(const ClvClocks *clocks, int i, double t, double delta, double low, double high,
				  double *moment)
{
	const ClvStretch *stretch = &clocks->stretch[i];
	double until = stretch->b + stretch->a * (clv_clocks_until(clocks, i, t) - stretch->from);
	double from = fmax(low, stretch->b);
	double to = fmin(high, until);
	int parts = (int) ceil(PARTS * (to - from) / (high - low));

	for (int part = 0; part < parts; part++)
	{
		ClvGaussNode nodes[CLV_GAUSS_MOST];
		int n = clv_gauss_nodes(&clv_gauss_16, from + (to - from) * part / parts,
								from + (to - from) * (part + 1) / parts, nodes);

		for (int k = 0; k < n; k++)
			AddMoments(2 * (nodes[k].at - low) / (high - low) - 1,
					   nodes[k].weight *
						   exp(-delta * (stretch->from + (nodes[k].at - stretch->b) / stretch->a)),
					   moment);
	}
}

void
clv_clock_rule(const ClvClocks *clocks, double delta, double t, double width, double *b,
			   double *weight)
{
	double end = clv_clock_b(clocks, t);

	for (double low = 0; low < end; low += width, b += CLV_RULE_POINTS, weight += CLV_RULE_POINTS)
	{
		double high = fmin(low + width, end);
		double moment[CLV_RULE_POINTS] = {0};

		for (int i = 0; i < clocks->n && clocks->stretch[i].b < high; i++)
			AddStretchMoments(clocks, i, t, delta, low, high, moment);
		for (int k = 0; k < CLV_RULE_POINTS; k++)
		{
			double angle = M_PI / 2 * (2 * k + 1) / CLV_RULE_POINTS;

			b[k] = low + (high - low) * (1 + cos(angle)) / 2;
			weight[k] = moment[0] / CLV_RULE_POINTS;
			for (int j = 1; j < CLV_RULE_POINTS; j++)
				weight[k] += 2 * cos(j * angle) * moment[j] / CLV_RULE_POINTS;
		}
		clv_poll(&clv_family_poll, 100 * CLV_RULE_POINTS);
	}
}

double
clv_one_clock_discounted(const ClvFamily *family, const double *param, const ClvClocks *clocks,
						 double delta, double t)
{
	const ClvStretch *last = &clocks->stretch[clocks->n - 1];
	double end = delta > 0 ? fmin(t, last->from + LAST / delta) : 0;
	double sum = 0;
	Curve curve = {.high = -1};

	if (delta == 0)
		return isinf(t) ? family->discounted(param, 0, t)
						: family->expected(param, clv_clock_b(clocks, t));
	if (isinf(t) && HasPlainEnd(last, delta))
		return PlainEnd(family, param, last, delta) +
			   (last->from > 0 ? clv_one_clock_discounted(family, param, clocks, delta, last->from)
							   : 0);
	for (int i = 0; i < clocks->n && clocks->stretch[i].from < end; i++)
		sum += StretchDiscounted(family, param, &clocks->stretch[i], delta,
								 clv_clocks_until(clocks, i, end),
								 clocks->n >= WORTH_A_CURVE && i + 1 < clocks->n ? &curve : NULL);
	return delta * sum + exp(-delta * end) * clv_one_clock_expected(family, param, clocks, end);
}

const ClvClocked clv_bg_clocked =
	CLV_ONE_CLOCK(.term = clv_one_clock_term, .departed = clv_one_clock_departed,
				  .alive = clv_one_clock_alive);
