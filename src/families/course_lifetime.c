/*
 * course_lifetime.c
 *		Customers of pareto/nbd who follow a calendar, of one x and T together.
 *
 * Of customers of the same x and T, the clocks of purchases and of leaving are the same, B and D.
 * With a = alpha + B, e = beta + D and R = r + x, their likelihoods but for what depends on x are
 *
 *		L(t_x) = Q + int_tx^T f(w) dw,		ln f = ln s C(w) - ln e - R ln a/alpha - s ln e/beta
 *											ln Q = -R ln a/alpha - s ln e/beta at T
 *
 * The integral of one customer is that of the next one and the part between their t_x, so that the
 * nodes of one quadrature serve all: from the last t_x to the first they add up to the integrals
 * and their gradients. The Hessian of the sum of the ln L of all customers is
 *
 *		sum of n/L (Q (ln Q'' + q q') + int f (ln f'' + g g')) - n (L'/L)(L'/L)'
 *
 * with q and g the gradients of ln Q and ln f. The weights n/L of a node are those of all customers
 * whose t_x is before it: from the first t_x to the last, they add up. So each node costs its
 * derivatives once. Gradients are taken less q, as large numbers cancel; and all numbers relative
 * to the probability of neither leaving nor buying until the t_x at hand, as they may be below any
 * double.
 */
#include "families/course_lifetime.h"

#include <math.h>
#include <string.h>

#include "math/poll.h"
#include "families/lifetime.h"

/* The parameters, in order; the effects on purchases follow, then those on leaving. */
enum
{
	R,
	ALPHA,
	S,
	BETA,
	EFFECTS
};

#define MOST_DIM (EFFECTS + CLV_MAX_EFFECTS)

/* The customers, and where their time is 0. */
typedef struct Group
{
	const ClvLaw *law;
	const double *param;
	double shape; /* r + x */
	double T;
	const ClvCourseStep *steps;
	int nsteps;
	int nz;
	bool leaving; /* whether effects on leaving are searched for */
	int dim;
	ClvCourseStep zero; /* the clocks at time 0 */
	double b1[CLV_MAX_COVARIATES];
	double d1[CLV_MAX_COVARIATES];
	double b2[CLV_TRIANGLE(CLV_MAX_COVARIATES)];
	double d2[CLV_TRIANGLE(CLV_MAX_COVARIATES)];
} Group;

/* Both clocks at a time since time 0, their derivatives and what is computed from them. */
typedef struct Place
{
	double b;
	double d;
	double a; /* alpha + b, beta + d */
	double e;
	double ln_a; /* ln a/alpha, ln e/beta */
	double ln_e;
	double b1[CLV_MAX_COVARIATES];
	double d1[CLV_MAX_COVARIATES];
} Place;

bool
clv_course_lifetime_can(const ClvFamily *family)
{
	const ClvLaw *law = family->clocked->law;

	return law != NULL && law->growth < 0 && family->nparams == EFFECTS;
}

/* ---- clocks ---- */

/* Sets the clocks and their first derivatives at a time of the course, in a step, since time 0. */
static void
PlaceAt(const Group *group, const ClvCourseStep *step, double time, Place *place)
{
	double b = step->a * (time - step->from);
	double d = step->c * (time - step->from);

	place->b = fmax(step->b + b - group->zero.b, 0);
	place->d = fmax(step->d + d - group->zero.d, 0);
	place->a = group->param[ALPHA] + place->b;
	place->e = group->param[BETA] + place->d;
	for (int i = 0; i < group->nz; i++)
		place->b1[i] = step->b1[i] + b * step->z[i] - group->b1[i];
	for (int i = 0; group->leaving && i < group->nz; i++)
		place->d1[i] = step->d1[i] + d * step->z[i] - group->d1[i];
}

/* The same with the logarithms, computed by themselves. */
static void
StartAt(const Group *group, const ClvCourseStep *step, double time, Place *place)
{
	PlaceAt(group, step, time, place);
	place->ln_a = log1p(place->b / group->param[ALPHA]);
	place->ln_e = log1p(place->d / group->param[BETA]);
}

/* The same with the logarithms, from a place before; returns the probability of neither leaving
 * nor buying in between. */
static double
MoveTo(const Group *group, const Place *from, const ClvCourseStep *step, double time, Place *place)
{
	double ln_a, ln_e;

	PlaceAt(group, step, time, place);
	ln_a = log1p((place->b - from->b) / from->a);
	ln_e = log1p((place->d - from->d) / from->e);
	place->ln_a = from->ln_a + ln_a;
	place->ln_e = from->ln_e + ln_e;
	return exp(-group->shape * ln_a - group->param[S] * ln_e);
}

/* The step that holds a time; from: one at or before it. */
static const ClvCourseStep *
StepAt(const Group *group, const ClvCourseStep *from, double time)
{
	const ClvCourseStep *last = group->steps + group->nsteps - 1;

	while (from < last && from[1].from <= time)
		from++;
	return from;
}

/* ---- derivatives ---- */

/* Sets the gradient of ln f at a place in a step, or with z NULL that of ln Q. */
static void
Gradient(const Group *group, const Place *place, const double *z, double *gradient)
{
	double s = group->param[S];
	double k = z != NULL ? s + 1 : s;
	double by_b = -group->shape / place->a;
	double by_d = -k / place->e;

	gradient[R] = -group->param[R] * place->ln_a;
	gradient[ALPHA] = -by_b * place->b;
	gradient[S] = -s * place->ln_e + (z != NULL ? 1 : 0);
	gradient[BETA] = s * (place->d / place->e) - (z != NULL ? group->param[BETA] / place->e : 0);
	for (int i = 0; i < group->nz; i++)
		gradient[EFFECTS + i] = by_b * place->b1[i];
	for (int i = 0; group->leaving && i < group->nz; i++)
		gradient[EFFECTS + group->nz + i] = by_d * place->d1[i] + (z != NULL ? z[i] : 0);
}

/* Adds so much of the second derivatives of ln f at a time in a step, or if not dying of ln Q. */
static void
AddSecond(const Group *group, const ClvCourseStep *step, double time, const Place *place,
		  bool dying, double weight, double *hessian)
{
	double s = group->param[S];
	double k = dying ? s + 1 : s;
	double a = 1 / place->a;
	double e = 1 / place->e;
	double alpha = group->param[ALPHA] * a;
	double beta = group->param[BETA] * e;
	double b = step->a * (time - step->from);
	double d = step->c * (time - step->from);
	int nz = group->nz;

	hessian[CLV_AT(R, R)] -= weight * group->param[R] * place->ln_a;
	hessian[CLV_AT(ALPHA, R)] += weight * group->param[R] * place->b * a;
	hessian[CLV_AT(ALPHA, ALPHA)] -= weight * group->shape * place->b * a * alpha;
	hessian[CLV_AT(S, S)] -= weight * s * place->ln_e;
	hessian[CLV_AT(BETA, S)] += weight * s * place->d * e;
	hessian[CLV_AT(BETA, BETA)] -= weight * k * place->d * e * beta;
	for (int i = 0; i < nz; i++)
	{
		double *row = &hessian[CLV_AT(EFFECTS + i, 0)];
		double v = weight * a * place->b1[i];

		row[R] -= group->param[R] * v;
		row[ALPHA] += group->shape * alpha * v;
		for (int j = 0; j <= i; j++)
			row[EFFECTS + j] +=
				group->shape * a *
				(v * place->b1[j] - weight * (step->b2[CLV_AT(i, j)] + b * step->z[i] * step->z[j] -
											  group->b2[CLV_AT(i, j)]));
	}
	for (int i = 0; group->leaving && i < nz; i++)
	{
		double *row = &hessian[CLV_AT(EFFECTS + nz + i, 0)];
		double v = weight * e * place->d1[i];

		row[S] -= s * v;
		row[BETA] += k * beta * v;
		for (int j = 0; j <= i; j++)
			row[EFFECTS + nz + j] +=
				k * e *
				(v * place->d1[j] - weight * (step->d2[CLV_AT(i, j)] + d * step->z[i] * step->z[j] -
											  group->d2[CLV_AT(i, j)]));
	}
}

/* Adds so much of the outer product of a vector with itself. */
static void
AddOuter(int n, const double *vector, double weight, double *triangle)
{
	for (int i = 0; i < n; i++)
	{
		double scaled = weight * vector[i];

		for (int j = 0; j <= i; j++)
			*triangle++ += scaled * vector[j];
	}
}

/* ---- the integrals ---- */

/* What is done at a node: where, and the integrand times its weight, relative to the start. */
typedef void (*Visit)(void *arg, const ClvCourseStep *step, double time, const Place *place,
					  double number);

/*
 * Visits the nodes from a place, at a time in a step, until another time; part: of the integrand,
 * what numbers are relative to. Returns how likely neither leaving nor buying is until then; moves
 * *step and *place there.
 */
static double
Integrate(const Group *group, double from, double until, const ClvCourseStep **step, Place *place,
		  Visit visit, void *arg)
{
	double part = 1;

	while (from < until)
	{
		const ClvCourseStep *last = group->steps + group->nsteps - 1;
		double to = *step < last ? fmin((*step)[1].from, until) : until;
		ClvDecay decay = {.law = group->law,
						  .lifetime = {{group->param[S], place->e / (*step)->c}},
						  .R = group->shape,
						  .age = place->a / (*step)->a};
		ClvPanel panel = {0};
		Place end;

		/* once customers stay with a probability of 0, so are all numbers */
		for (int k = 0; part != 0 && panel.to < to - from && k < CLV_MOST_PANELS; k++)
		{
			ClvGaussNode nodes[CLV_GAUSS_MOST];
			int n;

			clv_next_panel(&decay, to - from, &panel);
			n = clv_gauss_nodes(panel.rule, panel.from, panel.to, nodes);
			for (int j = 0; j < n; j++)
			{
				Place at;
				double stay = MoveTo(group, place, *step, from + nodes[j].at, &at);

				visit(arg, *step, from + nodes[j].at, &at,
					  part * stay * nodes[j].weight * group->param[S] * (*step)->c / at.e);
			}
			clv_poll(&clv_family_poll, 10 * (size_t) n);
			if (part * exp(-panel.drop) == 0)
				break;
		}
		part *= MoveTo(group, place, *step, to, &end);
		*place = end;
		from = to;
		if (*step < last && (*step)[1].from <= to)
			(*step)++;
	}
	return part;
}

/* The sums of pass one: of the integrand, and of its gradient less that of ln Q. */
typedef struct Sums
{
	const Group *group;
	const double *less;
	double mass;
	double gradient[MOST_DIM];
} Sums;

/* Adds a node to the sums. */
static void
AddGradient(void *arg, const ClvCourseStep *step, double time, const Place *place, double number)
{
	Sums *sums = arg;
	double gradient[MOST_DIM];

	(void) time;
	Gradient(sums->group, place, step->z, gradient);
	sums->mass += number;
	for (int i = 0; i < sums->group->dim; i++)
		sums->gradient[i] += number * (gradient[i] - sums->less[i]);
}

/* The sums of pass two. */
typedef struct Curvature
{
	const Group *group;
	const double *less;
	double weight; /* of the customers whose t_x is before the node, relative to the start */
	double *hessian;
} Curvature;

/* Adds a node to them. */
static void
AddCurvature(void *arg, const ClvCourseStep *step, double time, const Place *place, double number)
{
	Curvature *curvature = arg;
	const Group *group = curvature->group;
	double weight = curvature->weight * number;
	double gradient[MOST_DIM];

	Gradient(group, place, step->z, gradient);
	for (int i = 0; i < group->dim; i++)
		gradient[i] -= curvature->less[i];
	AddSecond(group, step, time, place, true, weight, curvature->hessian);
	AddOuter(group->dim, gradient, weight, curvature->hessian);
}

/* ---- customers ---- */

/* Where the t_x of the customers are. */
typedef struct Bought
{
	const ClvCourseStep *step[CLV_COURSE_TOGETHER];
	Place place[CLV_COURSE_TOGETHER];
	double ln[CLV_COURSE_TOGETHER]; /* of neither leaving nor buying until then */
} Bought;

/* Sets the clocks at time 0, from which all others are counted. */
static void
SetZero(Group *group, const ClvCourseStep *step)
{
	double length = -group->T - step->from;
	double b = step->a * length;
	double d = step->c * length;

	group->zero.b = step->b + b;
	group->zero.d = step->d + d;
	for (int i = 0; i < group->nz; i++)
	{
		group->b1[i] = step->b1[i] + b * step->z[i];
		group->d1[i] = step->d1[i] + d * step->z[i];
		for (int j = 0; j <= i; j++)
		{
			group->b2[CLV_AT(i, j)] = step->b2[CLV_AT(i, j)] + b * step->z[i] * step->z[j];
			group->d2[CLV_AT(i, j)] = step->d2[CLV_AT(i, j)] + d * step->z[i] * step->z[j];
		}
	}
}

/* Pass one: adds values and gradients, and sets the weights n/L of the customers. */
static void
AddValues(const Group *group, const Bought *bought, const double *t_x, const double *count,
		  size_t n, const Place *end, const double *less, double *weight, ClvWideTerm *sum)
{
	double ln_end = -group->shape * end->ln_a - group->param[S] * end->ln_e;
	double until = 0;
	double later = ln_end;
	Sums sums = {.group = group, .less = less};

	for (size_t i = n; i-- > 0;)
	{
		const ClvCourseStep *step = bought->step[i];
		Place place = bought->place[i];
		double carry = exp(later - bought->ln[i]);
		double mean[MOST_DIM];
		double L;

		sums.mass *= carry;
		for (int k = 0; k < group->dim; k++)
			sums.gradient[k] *= carry;
		(void) Integrate(group, t_x[i] - group->T, until, &step, &place, AddGradient, &sums);
		L = sums.mass + exp(ln_end - bought->ln[i]);
		weight[i] = count[i] / L;
		sum->ln += count[i] * (bought->ln[i] + log(L));
		for (int k = 0; k < group->dim; k++)
		{
			mean[k] = sums.gradient[k] / L;
			sum->gradient[k] += count[i] * (less[k] + mean[k]);
		}
		AddOuter(group->dim, mean, -count[i], sum->hessian);
		until = t_x[i] - group->T;
		later = bought->ln[i];
	}
}

/* Pass two: adds the Hessians. */
static void
AddHessians(const Group *group, const Bought *bought, const double *t_x, size_t n,
			const ClvCourseStep *last, const Place *end, const double *less, const double *weight,
			ClvWideTerm *sum)
{
	Curvature curvature = {.group = group, .less = less, .hessian = sum->hessian};

	for (size_t i = 0; i < n; i++)
	{
		const ClvCourseStep *step = bought->step[i];
		Place place = bought->place[i];
		double until = i + 1 < n ? t_x[i + 1] - group->T : 0;

		curvature.weight += weight[i];
		curvature.weight *=
			Integrate(group, t_x[i] - group->T, until, &step, &place, AddCurvature, &curvature);
	}
	AddSecond(group, last, 0, end, false, curvature.weight, sum->hessian);
}

/* Both passes at once, of a single customer: sums, and the curvature relative to the start. */
typedef struct Both
{
	Sums sums;
	Curvature curvature;
} Both;

/* Adds a node to all of them. */
static void
AddBoth(void *arg, const ClvCourseStep *step, double time, const Place *place, double number)
{
	Both *both = arg;
	const Group *group = both->sums.group;
	double gradient[MOST_DIM];

	Gradient(group, place, step->z, gradient);
	both->sums.mass += number;
	for (int i = 0; i < group->dim; i++)
	{
		gradient[i] -= both->sums.less[i];
		both->sums.gradient[i] += number * gradient[i];
	}
	AddSecond(group, step, time, place, true, number, both->curvature.hessian);
	AddOuter(group->dim, gradient, number, both->curvature.hessian);
}

/* Adds a single t_x of so many customers. */
static void
AddSingle(const Group *group, const Bought *bought, double t_x, double count,
		  const ClvCourseStep *last, const Place *end, const double *less, ClvWideTerm *sum)
{
	double ln_end = -group->shape * end->ln_a - group->param[S] * end->ln_e;
	double hessian[CLV_TRIANGLE(MOST_DIM)];
	Both both = {.sums = {.group = group, .less = less},
				 .curvature = {.group = group, .less = less, .hessian = hessian}};
	const ClvCourseStep *step = bought->step[0];
	Place place = bought->place[0];
	double alive = exp(ln_end - bought->ln[0]);
	double mean[MOST_DIM];
	double L;

	memset(hessian, 0, CLV_TRIANGLE(group->dim) * sizeof(double));
	(void) Integrate(group, t_x - group->T, 0, &step, &place, AddBoth, &both);
	AddSecond(group, last, 0, end, false, alive, hessian);
	L = both.sums.mass + alive;
	sum->ln += count * (bought->ln[0] + log(L));
	for (int k = 0; k < group->dim; k++)
	{
		mean[k] = both.sums.gradient[k] / L;
		sum->gradient[k] += count * (less[k] + mean[k]);
	}
	for (int k = 0; k < CLV_TRIANGLE(group->dim); k++)
		sum->hessian[k] += count / L * hessian[k];
	AddOuter(group->dim, mean, -count, sum->hessian);
}

void
clv_course_lifetime_add(const ClvFamily *family, const double *param, double x, double T,
						const ClvCourseStep *steps, int nsteps, int ncovariates, bool leaving,
						const double *t_x, const double *count, size_t n, ClvWideTerm *sum)
{
	Group group = {.law = family->clocked->law,
				   .param = param,
				   .shape = param[R] + x,
				   .T = T,
				   .steps = steps,
				   .nsteps = nsteps,
				   .nz = ncovariates,
				   .leaving = leaving,
				   .dim = EFFECTS + (leaving ? 2 : 1) * ncovariates};
	double less[MOST_DIM];
	double weight[CLV_COURSE_TOGETHER];
	const ClvCourseStep *last;
	Bought bought;
	Place end;

	SetZero(&group, steps);
	last = steps;
	for (size_t i = 0; i < n; i++)
	{
		last = bought.step[i] = StepAt(&group, last, t_x[i] - T);
		StartAt(&group, bought.step[i], t_x[i] - T, &bought.place[i]);
		bought.ln[i] = -group.shape * bought.place[i].ln_a - param[S] * bought.place[i].ln_e;
	}
	last = StepAt(&group, last, 0);
	StartAt(&group, last, 0, &end);
	Gradient(&group, &end, NULL, less);
	if (n == 1)
	{
		AddSingle(&group, &bought, t_x[0], count[0], last, &end, less, sum);
		return;
	}
	AddValues(&group, &bought, t_x, count, n, &end, less, weight, sum);
	AddHessians(&group, &bought, t_x, n, last, &end, less, weight, sum);
}
