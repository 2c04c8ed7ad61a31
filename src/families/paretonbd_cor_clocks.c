/*
 * paretonbd_cor_clocks.c
 *		pareto/nbd/cor by the calendar: as pareto/nbd on the clocks of purchases and of leaving
 *		(two_clocks.c), with rates that depend on each other by Sarmanov's factor.
 *
 * With c = E[e^-lambda] and d = E[e^-mu], the mean of whatever is f given lambda and mu is
 *
 *	E[(1 + m (e^-lambda - c) (e^-mu - d)) f]
 *		= (1 + m c d) f00 - m c' d f10 - m c d' f01 + m c' d' f11
 *
 * f_ij being its mean where lambda ~ Gamma(r, alpha + i) and mu ~ Gamma(s, beta + j) are
 * independent, as in pareto/nbd, and c' and d' those of Gamma(r, alpha) and Gamma(s, beta): c and d
 * of newcomers, not of customers with a history (paretonbd_cor.c). The likelihood, and each of its
 * two summands, is such a mean, and so are all predictions. The four hardly differ where the time
 * unit is short against what customers do, and m may be large then: as many digits are lost as 1 -
 * c and 1 - d are small, which in weeks and days leaves twelve and more.
 *
 * The covariates of the calendar act on the clocks, so that c and d are those of customers at the
 * centre of the covariates.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "families/clocks.h"
#include "families/lifetime.h"
#include "families/registry.h"

enum
{
	R,
	ALPHA,
	S,
	BETA,
	M,
	LN_C, /* of known customers, from here on */
	LN_D
};

#define FOUR 4

/* ln E[e^-rate] of Gamma(shape, rate) */
static double
LnMean(double shape, double rate)
{
	return -shape * log1p(1 / rate);
}

/* Sets *out to the parameters of pareto/nbd of f_ij, i and j being the bits of which. */
static void
Shifted(const double *param, int which, double *out)
{
	memcpy(out, param, (BETA + 1) * sizeof(double));
	out[ALPHA] += which & 1;
	out[BETA] += which >> 1;
}

/* ---- predictions ---- */

/* Sets the weights of the four means, relative to the mean of Sarmanov's factor. */
static void
SetWeights(const double *known, double *weight)
{
	double c = exp(known[LN_C]);
	double d = exp(known[LN_D]);
	double own_c = exp(LnMean(known[R], known[ALPHA]));
	double own_d = exp(LnMean(known[S], known[BETA]));
	double m = known[M];
	double now = fmax(1 + m * (own_c - c) * (own_d - d), DBL_EPSILON);

	weight[0] = (1 + m * c * d) / now;
	weight[1] = -m * own_c * d / now;
	weight[2] = -m * c * own_d / now;
	weight[3] = m * own_c * own_d / now;
}

/* A mean over both rates from the four of pareto/nbd, which are not negative; weights add up to 1.
 */
static double
Combine(const double *known, const double *f)
{
	double weight[FOUR];
	double sum = f[0];

	SetWeights(known, weight);
	for (int i = 1; i < FOUR; i++)
		sum += weight[i] * (f[i] - f[0]);
	return isinf(f[0]) ? INFINITY : fmax(sum, 0);
}

/* Discounted expected purchases in (0,t]. */
static double
KnownDiscounted(const ClvFamily *family, const double *known, const ClvClocks *clocks, double delta,
				double t)
{
	double f[FOUR];

	(void) family;
	for (int i = 0; i < FOUR; i++)
	{
		double param[BETA + 1];

		Shifted(known, i, param);
		f[i] = clv_two_clocks_discounted(&clv_paretonbd, param, clocks, delta, t);
	}
	return Combine(known, f);
}

/* Expected purchases in (0,t]. */
static double
KnownExpected(const ClvFamily *family, const double *known, const ClvClocks *clocks, double t)
{
	return KnownDiscounted(family, known, clocks, 0, t);
}

/* P(n purchases in (0,t]). */
static double
KnownProbability(const ClvFamily *family, const double *known, const ClvClocks *clocks, double n,
				 double t)
{
	double f[FOUR];

	(void) family;
	for (int i = 0; i < FOUR; i++)
	{
		double param[BETA + 1];

		Shifted(known, i, param);
		f[i] = clv_two_clocks_probability(&clv_paretonbd, param, clocks, n, t);
	}
	return fmin(Combine(known, f), 1);
}

/* P(0) .. P(count - 1) purchases in (0,t]. */
static void
KnownProbabilities(const ClvFamily *family, const double *known, const ClvClocks *clocks, double t,
				   int count, double *p)
{
	double others = 0;
	double weight[FOUR];

	(void) family;
	SetWeights(known, weight);
	memset(p, 0, count * sizeof(double));
	if (count > 0 && !(clv_clock_b(clocks, t) > 0))
	{
		p[0] = 1;
		return;
	}
	for (int i = 0; i < FOUR; i++)
	{
		double param[BETA + 1];

		Shifted(known, i, param);
		clv_two_clocks_add_probabilities(&clv_paretonbd, param, clocks, t, count, weight[i], p);
	}
	for (int n = 0; n < count; n++)
	{
		p[n] = fmax(p[n], 0);
		others += n > 0 ? p[n] : 0;
	}
	/* weights as large as m cancel: where no purchase is likely, most digits are lost there */
	if (count > 0)
		p[0] = fmin(p[0], fmax(1 - others, 0));
}

/* P(alive at t). */
static double
KnownSurvival(const ClvFamily *family, const double *known, const ClvClocks *clocks, double t)
{
	double f[FOUR];

	(void) family;
	for (int i = 0; i < FOUR; i++)
	{
		double param[BETA + 1];

		Shifted(known, i, param);
		f[i] = clv_two_clocks_survival(&clv_paretonbd, param, clocks, t);
	}
	return fmin(Combine(known, f), 1);
}

/* E[N (N - 1)] of the purchases N in (0,t]. */
static double
KnownPairs(const ClvFamily *family, const double *known, const ClvClocks *clocks, double t)
{
	double f[FOUR];

	(void) family;
	for (int i = 0; i < FOUR; i++)
	{
		double param[BETA + 1];

		Shifted(known, i, param);
		f[i] = clv_two_clocks_pairs(&clv_paretonbd, param, clocks, t);
	}
	return Combine(known, f);
}

/* Sets known to the parameters of a newcomer as a known customer, and returns it. */
static const double *
Newcomer(const double *param, double *known)
{
	memcpy(known, param, (M + 1) * sizeof(double));
	known[LN_C] = LnMean(param[R], param[ALPHA]);
	known[LN_D] = LnMean(param[S], param[BETA]);
	return known;
}

/* The functions of newcomers are those of known customers. */
static double
Discounted(const ClvFamily *family, const double *param, const ClvClocks *clocks, double delta,
		   double t)
{
	double known[LN_D + 1];

	return KnownDiscounted(family, Newcomer(param, known), clocks, delta, t);
}

/* Expected purchases of a newcomer in (0,t]. */
static double
Expected(const ClvFamily *family, const double *param, const ClvClocks *clocks, double t)
{
	return Discounted(family, param, clocks, 0, t);
}

/* P(n purchases in (0,t]) of a newcomer. */
static double
Probability(const ClvFamily *family, const double *param, const ClvClocks *clocks, double n,
			double t)
{
	double known[LN_D + 1];

	return KnownProbability(family, Newcomer(param, known), clocks, n, t);
}

/* P(0) .. P(count - 1) purchases in (0,t] of a newcomer. */
static void
Probabilities(const ClvFamily *family, const double *param, const ClvClocks *clocks, double t,
			  int count, double *p)
{
	double known[LN_D + 1];

	KnownProbabilities(family, Newcomer(param, known), clocks, t, count, p);
}

/* P(a newcomer is alive at t): the distribution of mu alone is that of pareto/nbd. */
static double
Survival(const ClvFamily *family, const double *param, const ClvClocks *clocks, double t)
{
	(void) family;
	return clv_two_clocks_survival(&clv_paretonbd, param, clocks, t);
}

/* E[N (N - 1)] of the purchases N of a newcomer in (0,t]. */
static double
Pairs(const ClvFamily *family, const double *param, const ClvClocks *clocks, double t)
{
	double known[LN_D + 1];

	return KnownPairs(family, Newcomer(param, known), clocks, t);
}

/* The known customer, given alive at T. */
static void
GivenAlive(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks,
		   double t_x, double T, ClvFuture *future)
{
	(void) family;
	clv_two_clocks_given_alive(&clv_paretonbd, param, x, clocks, t_x, T, future);
	future->family = &clv_paretonbd_cor_known;
	future->param[M] = param[M];
	future->param[LN_C] = LnMean(param[R], param[ALPHA]);
	future->param[LN_D] = LnMean(param[S], param[BETA]);
}

/* ---- histories ---- */

/*
 * The four means relative to the first, from their logarithms: their sum f00 - f10 - f01 + f11 is
 * e^top times four. As c f10 is no more than f00, and so on, c d e^top is at most 1, whereas e^top
 * can be beyond any double.
 */
typedef struct Beside
{
	double top;
	double four;
} Beside;

/* Sets the above, by expm1 where they hardly differ. */
static Beside
BesideFirst(double f00, double f10, double f01, double f11)
{
	double a = f10 - f00;
	double b = f01 - f00;
	double both = f11 - f00;
	double top = fmax(fmax(a, b), fmax(both, 0));

	if (top < 1)
		return (Beside){0, expm1(both) - expm1(a) - expm1(b)};
	return (Beside){top, exp(both - top) - exp(a - top) - exp(b - top) + exp(-top)};
}

/* The logarithm of a newcomer's mean from those of pareto/nbd. */
static double
LnCombine(const double *param, const double *ln)
{
	double ln_product = LnMean(param[R], param[ALPHA]) + LnMean(param[S], param[BETA]);
	Beside beside;

	if (ln[0] == -INFINITY)
		return -INFINITY;
	beside = BesideFirst(ln[0], ln[1], ln[2], ln[3]);
	return ln[0] + log1p(fmax(param[M] * exp(ln_product + beside.top) * beside.four, -1));
}

/* ln L without the factors A(t_j). */
static double
LogLikelihood(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks,
			  double t_x, double T)
{
	double ln[FOUR];

	(void) family;
	for (int i = 0; i < FOUR; i++)
	{
		double shifted[BETA + 1];

		Shifted(param, i, shifted);
		ln[i] = clv_two_clocks_log_likelihood(&clv_paretonbd, shifted, x, clocks, t_x, T);
	}
	return LnCombine(param, ln);
}

/* ln P(alive at T): the share of the second summand of L. */
static double
LnPAlive(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks,
		 double t_x, double T)
{
	double ln[FOUR];
	double ln_alive[FOUR];

	(void) family;
	for (int i = 0; i < FOUR; i++)
	{
		double shifted[BETA + 1];

		Shifted(param, i, shifted);
		ln[i] = clv_two_clocks_log_likelihood(&clv_paretonbd, shifted, x, clocks, t_x, T);
		ln_alive[i] = ln[i] + clv_two_clocks_ln_p_alive(&clv_paretonbd, shifted, x, clocks, t_x, T);
	}
	return fmin(LnCombine(param, ln_alive) - LnCombine(param, ln), 0);
}

/* ---- derivatives ---- */

/*
 * Of a function of alpha + i its derivatives by ln alpha, from those by ln (alpha + i): the latter
 * moves by share for each unit of the former. at: the place of alpha, of n unknowns.
 */
static void
Unshift(ClvWideTerm *term, int n, int at, double share)
{
	double slope = term->gradient[at];

	term->gradient[at] *= share;
	for (int j = 0; j < n; j++)
		term->hessian[j > at ? CLV_AT(j, at) : CLV_AT(at, j)] *= j == at ? share * share : share;
	term->hessian[CLV_AT(at, at)] += slope * share * (1 - share);
}

/*
 * Makes a summand of pareto/nbd at shifted parameters a function of the parameters, with what
 * ln_common has more at alpha + i, and moves the effects behind m.
 */
static void
Rebase(const double *param, int which, double x, int ncovariates, ClvWideTerm *term)
{
	int n = M + 2 * ncovariates;
	double alpha = param[ALPHA] + (which & 1);
	double beta = param[BETA] + (which >> 1);
	ClvWideTerm moved;

	term->ln -= x * log(alpha / param[ALPHA]);
	term->gradient[ALPHA] -= x;
	Unshift(term, n, ALPHA, param[ALPHA] / alpha);
	Unshift(term, n, BETA, param[BETA] / beta);
	term->gradient[ALPHA] += x;
	moved.ln = term->ln;
	memset(moved.gradient, 0, (n + 1) * sizeof(double));
	memset(moved.hessian, 0, CLV_TRIANGLE(n + 1) * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		int row = i < M ? i : i + 1;

		moved.gradient[row] = term->gradient[i];
		for (int j = 0; j <= i; j++)
			moved.hessian[CLV_AT(row, j < M ? j : j + 1)] = term->hessian[CLV_AT(i, j)];
	}
	term->ln = moved.ln;
	memcpy(term->gradient, moved.gradient, (n + 1) * sizeof(double));
	memcpy(term->hessian, moved.hessian, CLV_TRIANGLE(n + 1) * sizeof(double));
}

/* Sets *weight to ln (c d), with its derivatives; those by m and the effects are 0. */
static void
LnProduct(const double *param, int n, ClvWideTerm *product)
{
	double alpha = param[ALPHA] + 1;
	double beta = param[BETA] + 1;
	double ln_c = LnMean(param[R], param[ALPHA]);
	double ln_d = LnMean(param[S], param[BETA]);

	product->ln = ln_c + ln_d;
	memset(product->gradient, 0, n * sizeof(double));
	memset(product->hessian, 0, CLV_TRIANGLE(n) * sizeof(double));
	product->gradient[R] = product->hessian[CLV_AT(R, R)] = ln_c;
	product->gradient[S] = product->hessian[CLV_AT(S, S)] = ln_d;
	product->gradient[ALPHA] = product->hessian[CLV_AT(ALPHA, R)] = param[R] / alpha;
	product->gradient[BETA] = product->hessian[CLV_AT(BETA, S)] = param[S] / beta;
	product->hessian[CLV_AT(ALPHA, ALPHA)] = -param[R] / alpha * (param[ALPHA] / alpha);
	product->hessian[CLV_AT(BETA, BETA)] = -param[S] / beta * (param[BETA] / beta);
}

/* Adds weight times f to a sum of numbers with their derivatives, f being given by its logarithm.
 */
static void
AddNumber(const ClvWideTerm *f, int n, double weight, ClvWideTerm *sum)
{
	sum->ln += weight;
	for (int i = 0; i < n; i++)
	{
		sum->gradient[i] += weight * f->gradient[i];
		for (int j = 0; j <= i; j++)
			sum->hessian[CLV_AT(i, j)] +=
				weight * (f->hessian[CLV_AT(i, j)] + f->gradient[i] * f->gradient[j]);
	}
}

/*
 * Sets *term to the logarithm of f00 + m c d (f00 - f10 - f01 + f11), from the logarithms of the
 * four, with derivatives by n unknowns; one may be of ln 0, and then all are.
 */
static void
CombineTerms(const double *param, const ClvWideTerm *f, int n, ClvWideTerm *term)
{
	static const double sign[FOUR] = {1, -1, -1, 1};
	double slope = clv_slope(CLV_ASINH, param[M]);
	ClvWideTerm sum, four, product;
	Beside beside;
	double share; /* c d e^top */

	*term = f[0];
	if (f[0].ln == -INFINITY)
		return;
	beside = BesideFirst(f[0].ln, f[1].ln, f[2].ln, f[3].ln);
	memset(&four, 0, sizeof(four));
	for (int i = 0; i < FOUR; i++)
		AddNumber(&f[i], n, sign[i] * exp(f[i].ln - f[0].ln - beside.top), &four);
	four.ln = beside.four;
	LnProduct(param, n, &product);
	share = exp(product.ln + beside.top);
	memset(&sum, 0, sizeof(sum));
	AddNumber(&f[0], n, 1, &sum);

	/* the product rule: c d, whose logarithm is known, times m times the sum of the four */
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			const double *c = product.gradient;
			double second = four.hessian[CLV_AT(i, j)] + c[i] * four.gradient[j] +
							c[j] * four.gradient[i] +
							(product.hessian[CLV_AT(i, j)] + c[i] * c[j]) * four.ln;

			sum.hessian[CLV_AT(i, j)] += param[M] * share * second;
		}
	for (int i = 0; i < n; i++)
	{
		double first = share * (four.gradient[i] + product.gradient[i] * four.ln);

		sum.gradient[i] += param[M] * first;
		sum.hessian[i > M ? CLV_AT(i, M) : CLV_AT(M, i)] += (i == M ? 2 : 1) * slope * first;
	}
	sum.ln += param[M] * share * four.ln;
	sum.gradient[M] += slope * share * four.ln;
	sum.hessian[CLV_AT(M, M)] += param[M] * share * four.ln;
	term->ln = f[0].ln + log(fmax(sum.ln, 0));
	for (int i = 0; i < n; i++)
	{
		term->gradient[i] = sum.gradient[i] / sum.ln;
		for (int j = 0; j <= i; j++)
			term->hessian[CLV_AT(i, j)] =
				sum.hessian[CLV_AT(i, j)] / sum.ln - term->gradient[i] * term->gradient[j];
	}
}

/* At most so many customers together. */
#define TOGETHER 8

/* The first summand of L; family.h says what it is. */
static void
Departed(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks,
		 const double *t_x, size_t n, double T, ClvWideTerm *terms)
{
	int unknowns = family->nparams + 2 * clocks->ncovariates;

	for (size_t from = 0; from < n; from += TOGETHER)
	{
		size_t some = n - from < TOGETHER ? n - from : TOGETHER;
		ClvWideTerm four[FOUR][TOGETHER];

		for (int i = 0; i < FOUR; i++)
		{
			double shifted[BETA + 1];

			Shifted(param, i, shifted);
			clv_two_clocks_departed(&clv_paretonbd, shifted, x, clocks, t_x + from, some, T,
									four[i]);
			for (size_t k = 0; k < some; k++)
				Rebase(param, i, x, clocks->ncovariates, &four[i][k]);
		}
		for (size_t k = 0; k < some; k++)
		{
			const ClvWideTerm f[FOUR] = {four[0][k], four[1][k], four[2][k], four[3][k]};

			CombineTerms(param, f, unknowns, &terms[from + k]);
		}
	}
}

/* The second summand of L. */
static void
Alive(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks, double T,
	  ClvWideTerm *term)
{
	ClvWideTerm f[FOUR];

	for (int i = 0; i < FOUR; i++)
	{
		double shifted[BETA + 1];

		Shifted(param, i, shifted);
		clv_two_clocks_alive(&clv_paretonbd, shifted, x, clocks, T, &f[i]);
		Rebase(param, i, x, clocks->ncovariates, &f[i]);
	}
	CombineTerms(param, f, family->nparams + 2 * clocks->ncovariates, term);
}

/* ln L without the factors A(t_j), with all derivatives. */
static void
Term(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks, double t_x,
	 double T, ClvWideTerm *term)
{
	ClvWideTerm departed, alive;
	ClvTerm common;

	Departed(family, param, x, clocks, &t_x, 1, T, &departed);
	Alive(family, param, x, clocks, T, &alive);
	clv_wide_sum(&departed, &alive, family->nparams + 2 * clocks->ncovariates, term);
	family->ln_common(param, x, &common);
	clv_wide_add(&common, family->nparams, term);
}

/* Says that there is a clock of leaving, without growth. */
static const ClvLaw leaving = {
	.family = &clv_paretonbd_cor_known, .nparams = 2, .s = 0, .beta = 1, .growth = -1};

const ClvClocked clv_paretonbd_cor_clocked = {
	.law = &leaving,
	.log_likelihood = LogLikelihood,
	.term = Term,
	.departed = Departed,
	.alive = Alive,
	.ln_p_alive = LnPAlive,
	.given_alive = GivenAlive,
	.expected = Expected,
	.discounted = Discounted,
	.probability = Probability,
	.probabilities = Probabilities,
	.survival = Survival,
	.pairs = Pairs,
};

const ClvClocked clv_paretonbd_cor_known_clocked = {
	.law = &leaving,
	.expected = KnownExpected,
	.discounted = KnownDiscounted,
	.probability = KnownProbability,
	.probabilities = KnownProbabilities,
	.survival = KnownSurvival,
	.pairs = KnownPairs,
};
