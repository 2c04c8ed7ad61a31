/*
 * clocks.h
 *		Customers whose rates follow a calendar: time by the clocks of purchases and of leaving.
 *
 * While alive a customer buys at A times the own rate, and in families where customers may leave at
 * any time, leaves at C times the own hazard; A = exp(gamma'z) and C = exp(delta'z), z being the
 * covariates of the day. They are constant within a stretch of time. With the clock of purchases
 *
 *		B(t) = int_0^t A(u) du
 *
 * in the place of time, everything about buying is as in the plain model; leaving at any time has a
 * clock of its own (two_clocks.c), leaving after purchases has none (one_clock.c). The density of
 * the purchase times has a factor A(t_j) for each repeat purchase, which is left out here: its
 * logarithm is gamma'z, summed over the purchases. Left out as well is the sum of (k - 1) ln of the
 * times between purchases of mbg/cnbd-k, as without a calendar; by the clock it moves with gamma,
 * so that fits add it (course.c).
 *
 * Bachmann, Meierer & Naef (2021), The role of time-varying contextual factors in latent attrition
 * models for customer base analysis, Marketing Science 40(4), for pareto/nbd.
 */
#ifndef CLV_CLOCKS_H
#define CLV_CLOCKS_H

#include "families/family.h"
#include "math/linalg.h"

struct ClvLaw;

/* A stretch of time, until the next one begins. */
typedef struct ClvStretch
{
	double from; /* since time 0, in the unit of the model */
	double a;    /* how fast the clock of purchases runs */
	double c;    /* what hazards of leaving are multiplied by */
	double b;    /* the clock of purchases at from */
	double d;    /* the clock of leaving, of hazards that do not grow */
} ClvStretch;

/* Sets a stretch of these speeds to begin at a time, after another one, or with NULL at time 0. */
static inline void
clv_stretch_begin(const ClvStretch *before, double from, double a, double c, ClvStretch *stretch)
{
	ClvStretch begun = {.from = from, .a = a, .c = c};

	if (before != NULL)
	{
		begun.b = before->b + before->a * (from - before->from);
		begun.d = before->d + before->c * (from - before->from);
	}
	*stretch = begun;
}

/*
 * The time of one customer: stretches from time 0 on, the last of which has no end. Time 0 is the
 * first purchase or, for a future, the day from which one looks ahead.
 */
typedef struct ClvClocks
{
	int n;
	const ClvStretch *stretch;
	int ncovariates;
	const double *z; /* n x ncovariates; only derivatives need them */
} ClvClocks;

/* What is left of lifetimes at the beginning of a stretch, where hazards grow. */
typedef struct ClvLeft
{
	double beta;
	double cum_hazard; /* -ln P(alive at T) */
} ClvLeft;

/*
 * A time in a stretch, for P(alive at T) of customers who have bought nothing since. Customers of
 * one x and the same clocks share the odds at the beginning of each stretch,
 *
 *		P(leave until T, and buy no more before) / P(neither leave nor buy until T),
 *
 * of those alive there who have bought x times and no more until then.
 */
typedef struct ClvSilence
{
	double since;  /* the time since the stretch began */
	double length; /* and until the next one begins, but at most until T */
	double a;      /* of the stretch */
	double c;
	double b; /* the clocks, of purchases and of leaving, of hazards that do not grow: now, */
	double d;
	double b_end; /* and at T */
	double d_end;
	double odds;         /* at the beginning of the next stretch; 0 where that is not before T */
	const ClvLeft *left; /* of this stretch and the next one; NULL where hazards do not grow */
} ClvSilence;

/* The clock of purchases at a time, and its derivatives by their effects. */
typedef struct ClvClockPoint
{
	double b;
	double db[CLV_MAX_COVARIATES];
	double bb[CLV_TRIANGLE(CLV_MAX_COVARIATES)];
} ClvClockPoint;

/*
 * A logarithm with its derivatives by the transformed parameters, the effects on purchases and the
 * effects on leaving, in that order.
 */
typedef struct ClvWideTerm
{
	double ln;
	double gradient[CLV_MAX_DIM];
	double hessian[CLV_MAX_COVARIANCE];
} ClvWideTerm;

/*
 * A family by the calendar; the functions are as those without clocks in family.h. Times are in
 * the unit of the model; those of newcomers count from the time 0 of their clocks.
 */
typedef struct ClvClocked
{
	const struct ClvLaw *law; /* of families with a clock of leaving; else NULL */

	/* Whether what is expected, discounted or not, of customers given alive at T is in proportion
	 * to r + x, where they have all else in common; r is the first parameter. */
	bool by_rate;

	/* ln L without the factors A(t_j), and the same with all derivatives. */
	double (*log_likelihood)(const ClvFamily *family, const double *param, double x,
							 const ClvClocks *clocks, double t_x, double T);
	void (*term)(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks,
				 double t_x, double T, ClvWideTerm *term);
	double (*ln_p_alive)(const ClvFamily *family, const double *param, double x,
						 const ClvClocks *clocks, double t_x, double T);

	/*
	 * The odds that a customer who is silent has left; not finite where they are beyond the range
	 * of doubles, NULL where customers share nothing.
	 */
	double (*odds)(const ClvFamily *family, const double *param, double x,
				   const ClvSilence *silence);

	/* Sets what is left of lifetimes at the beginning of each stretch before T, and behind them of
	 * those alive at T; asked for only where hazards grow. */
	void (*set_left)(const ClvFamily *family, const double *param, const ClvClocks *clocks,
					 double T, ClvLeft *left);

	/*
	 * The two summands of L, which ln_common multiplies, for customers who share their clocks, x
	 * and T: those who left after the last purchase, at n ascending times, and those alive at T.
	 * NULL where a summand depends on both times.
	 */
	void (*departed)(const ClvFamily *family, const double *param, double x,
					 const ClvClocks *clocks, const double *t_x, size_t n, double T,
					 ClvWideTerm *terms);
	void (*alive)(const ClvFamily *family, const double *param, double x, const ClvClocks *clocks,
				  double T, ClvWideTerm *term);

	/*
	 * ln L less ln_common by the clock of purchases, where a summand depends on both times: with
	 * derivatives by the parameters and, behind them, by t_x and by the time since then.
	 */
	void (*by_times)(const ClvFamily *family, const double *param, double x, double t_x,
					 double silent, ClvWideTerm *term);

	/* The newcomer that this customer is, given alive at T, by clocks that begin at T. */
	void (*given_alive)(const ClvFamily *family, const double *param, double x,
						const ClvClocks *clocks, double t_x, double T, ClvFuture *future);

	/* ---- newcomers ---- */

	double (*expected)(const ClvFamily *family, const double *param, const ClvClocks *clocks,
					   double t);
	double (*discounted)(const ClvFamily *family, const double *param, const ClvClocks *clocks,
						 double delta, double t);
	double (*probability)(const ClvFamily *family, const double *param, const ClvClocks *clocks,
						  double n, double t);
	void (*probabilities)(const ClvFamily *family, const double *param, const ClvClocks *clocks,
						  double t, int count, double *p);
	double (*survival)(const ClvFamily *family, const double *param, const ClvClocks *clocks,
					   double t);
	/* NAN where the family has none, as without clocks */
	double (*pairs)(const ClvFamily *family, const double *param, const ClvClocks *clocks,
					double t);
} ClvClocked;

/*
 * Sets the stretches that begin at ascending times from[n], the first of them 0, where the
 * covariates are z[n x ncovariates]; effect: on purchases, then on leaving; exponential: e^x.
 */
extern void clv_clocks_set_by(double (*exponential)(double x), ClvStretch *stretch, int n,
							  const double *from, const double *z, int ncovariates,
							  const double *effect);

/* The same by the exponential of the C library. */
extern void clv_clocks_set(ClvStretch *stretch, int n, const double *from, const double *z,
						   int ncovariates, const double *effect);

/* The stretch that holds a time; a time at which one begins is in that one. */
extern int clv_clocks_at(const ClvClocks *clocks, double t);

/* The end of a stretch, but at most t. */
extern double clv_clocks_until(const ClvClocks *clocks, int stretch, double t);

/* B(t); t may be INFINITY. */
extern double clv_clock_b(const ClvClocks *clocks, double t);

/*
 * A rule for the discounted integral over the clock of purchases of a smooth function,
 *
 *		int_0^t e^(-delta u) f(B(u)) dB(u) = sum of weight f(b),
 *
 * which all customers with these clocks share: on ranges of the clock of this width, over each of
 * which f is a polynomial of CLV_RULE_POINTS points.
 */
#define CLV_RULE_POINTS 28

/* Sets b and weight, CLV_RULE_POINTS of them for each range until t. */
extern void clv_clock_rule(const ClvClocks *clocks, double delta, double t, double width, double *b,
						   double *weight);

/* How wide such ranges may be for what a newcomer of a family with one clock is expected to buy. */
extern double clv_one_clock_width(const ClvFamily *family, const double *param);

/* Discounted purchases of a newcomer in the last stretch, which has no end; NAN where they are no
 * difference of those of the plain family. */
extern double clv_one_clock_rest(const ClvFamily *family, const double *param,
								 const ClvClocks *clocks, double delta);

/* Sets *point to the clock of purchases at t with its derivatives. */
extern void clv_clock_point(const ClvClocks *clocks, double t, ClvClockPoint *point);

/* Moves *point on by a length of time within a stretch. */
extern void clv_clock_advance(const ClvClocks *clocks, int stretch, double length,
							  ClvClockPoint *point);

/* ---- derivatives ---- */

/* Derivatives of a logarithm by a clock: first, second, and mixed with those by the parameters. */
typedef struct ClvClockSlope
{
	double first;
	double second;
	double mixed[CLV_MAX_PARAMS];
} ClvClockSlope;

/* Sets *between to a point less an earlier one. */
extern void clv_clock_between(int ncovariates, const ClvClockPoint *from, const ClvClockPoint *to,
							  ClvClockPoint *between);

/*
 * Adds count times a term, which has derivatives by two times of the clock after those by the
 * parameters, to one by the effects on purchases that move these times.
 */
extern void clv_clock_add_times(const ClvWideTerm *by_times, int nparams, int ncovariates,
								double count, const ClvClockPoint *one, const ClvClockPoint *other,
								ClvWideTerm *sum);

/* Adds to *term what it has by the effects that move one clock; at: the place of the first. */
extern void clv_clock_chain(const ClvClockSlope *slope, int nparams, int at, int ncovariates,
							const double *first, const double *second, ClvWideTerm *term);

/*
 * Adds (1 + b/alpha)^-shape, the probability of no purchase, by the clock at a point; the
 * places of the parameters r, which shape grows with, and alpha are r and r + 1.
 */
extern void clv_clock_no_purchase(const ClvFamily *family, const double *param, int r, double shape,
								  const ClvClocks *clocks, const ClvClockPoint *point,
								  ClvWideTerm *term);

/* Sets *wide to a term without effects. */
extern void clv_widen(const ClvTerm *term, int nparams, int ncovariates, ClvWideTerm *wide);

/* Adds a term without effects. */
extern void clv_wide_add(const ClvTerm *term, int nparams, ClvWideTerm *wide);

/* Sets *sum to the logarithm of the sum of two terms with n derivatives; one may be of ln 0. */
extern void clv_wide_sum(const ClvWideTerm *a, const ClvWideTerm *b, int n, ClvWideTerm *sum);

/* The logarithm of a sum of positive numbers, given as terms one by one, with its derivatives. */
typedef struct ClvMixture
{
	int n;       /* derivatives */
	double mass; /* sum of the weights */
	double center[CLV_MAX_DIM];
	double first[CLV_MAX_DIM];
	double second[CLV_MAX_COVARIANCE];
} ClvMixture;

/* An empty sum of terms with n derivatives. */
extern void clv_mixture_start(ClvMixture *mixture, int n);

/* Adds a number, with the derivatives of its logarithm. */
extern void clv_mixture_add(ClvMixture *mixture, double number, const ClvWideTerm *term);

/* Multiplies the sum by a part of 1; what is added later is relative to the mean so far. */
extern void clv_mixture_carry(ClvMixture *mixture, double part);

/* Sets *term to the logarithm of the sum. */
extern void clv_mixture_finish(const ClvMixture *mixture, ClvWideTerm *term);

/* ---- the functions of families with one clock, for ClvClocked ---- */

extern double clv_one_clock_log_likelihood(const ClvFamily *family, const double *param, double x,
										   const ClvClocks *clocks, double t_x, double T);
extern double clv_one_clock_ln_p_alive(const ClvFamily *family, const double *param, double x,
									   const ClvClocks *clocks, double t_x, double T);
extern void clv_one_clock_given_alive(const ClvFamily *family, const double *param, double x,
									  const ClvClocks *clocks, double t_x, double T,
									  ClvFuture *future);
extern double clv_one_clock_expected(const ClvFamily *family, const double *param,
									 const ClvClocks *clocks, double t);
extern double clv_one_clock_discounted(const ClvFamily *family, const double *param,
									   const ClvClocks *clocks, double delta, double t);
extern double clv_one_clock_probability(const ClvFamily *family, const double *param,
										const ClvClocks *clocks, double n, double t);
extern void clv_one_clock_probabilities(const ClvFamily *family, const double *param,
										const ClvClocks *clocks, double t, int count, double *p);
extern double clv_one_clock_survival(const ClvFamily *family, const double *param,
									 const ClvClocks *clocks, double t);

extern double clv_one_clock_pairs(const ClvFamily *family, const double *param,
								  const ClvClocks *clocks, double t);

/* The term, for families with the terms "departed" and "alive" of powers of 1 + t/alpha. */
extern void clv_one_clock_term(const ClvFamily *family, const double *param, double x,
							   const ClvClocks *clocks, double t_x, double T, ClvWideTerm *term);

/* The same for families with by_times. */
extern void clv_one_clock_term_by_times(const ClvFamily *family, const double *param, double x,
										const ClvClocks *clocks, double t_x, double T,
										ClvWideTerm *term);

/* The two summands, for families that have them. */
extern void clv_one_clock_departed(const ClvFamily *family, const double *param, double x,
								   const ClvClocks *clocks, const double *t_x, size_t n, double T,
								   ClvWideTerm *terms);
extern void clv_one_clock_alive(const ClvFamily *family, const double *param, double x,
								const ClvClocks *clocks, double T, ClvWideTerm *term);

/* A ClvClocked of a family with one clock, which has the functions named besides. */
#define CLV_ONE_CLOCK(...)                                                                         \
	{                                                                                              \
		__VA_ARGS__,                                                                               \
			.log_likelihood = clv_one_clock_log_likelihood,                                        \
			.ln_p_alive = clv_one_clock_ln_p_alive, .given_alive = clv_one_clock_given_alive,      \
			.expected = clv_one_clock_expected, .discounted = clv_one_clock_discounted,            \
			.probability = clv_one_clock_probability,                                              \
			.probabilities = clv_one_clock_probabilities, .survival = clv_one_clock_survival,      \
			.pairs = clv_one_clock_pairs                                                           \
	}

/* Families with beta-geometric dropout. */
extern const ClvClocked clv_bg_clocked;

/* ---- the functions of families with two, as above ---- */

extern double clv_two_clocks_log_likelihood(const ClvFamily *family, const double *param, double x,
											const ClvClocks *clocks, double t_x, double T);
extern void clv_two_clocks_term(const ClvFamily *family, const double *param, double x,
								const ClvClocks *clocks, double t_x, double T, ClvWideTerm *term);
extern double clv_two_clocks_ln_p_alive(const ClvFamily *family, const double *param, double x,
										const ClvClocks *clocks, double t_x, double T);
extern double clv_two_clocks_odds(const ClvFamily *family, const double *param, double x,
								  const ClvSilence *silence);
extern void clv_two_clocks_set_left(const ClvFamily *family, const double *param,
									const ClvClocks *clocks, double T, ClvLeft *left);
extern void clv_two_clocks_given_alive(const ClvFamily *family, const double *param, double x,
									   const ClvClocks *clocks, double t_x, double T,
									   ClvFuture *future);
extern double clv_two_clocks_expected(const ClvFamily *family, const double *param,
									  const ClvClocks *clocks, double t);
extern double clv_two_clocks_discounted(const ClvFamily *family, const double *param,
										const ClvClocks *clocks, double delta, double t);
extern double clv_two_clocks_probability(const ClvFamily *family, const double *param,
										 const ClvClocks *clocks, double n, double t);
extern void clv_two_clocks_probabilities(const ClvFamily *family, const double *param,
										 const ClvClocks *clocks, double t, int count, double *p);

/* Adds so many times these probabilities to p. */
extern void clv_two_clocks_add_probabilities(const ClvFamily *family, const double *param,
											 const ClvClocks *clocks, double t, int count,
											 double weight, double *p);
extern double clv_two_clocks_survival(const ClvFamily *family, const double *param,
									  const ClvClocks *clocks, double t);

extern double clv_two_clocks_pairs(const ClvFamily *family, const double *param,
								   const ClvClocks *clocks, double t);

extern void clv_two_clocks_departed(const ClvFamily *family, const double *param, double x,
									const ClvClocks *clocks, const double *t_x, size_t n, double T,
									ClvWideTerm *terms);
extern void clv_two_clocks_alive(const ClvFamily *family, const double *param, double x,
								 const ClvClocks *clocks, double T, ClvWideTerm *term);

/* pareto/nbd/cor, and its customers with a history. */
extern const ClvClocked clv_paretonbd_cor_clocked;
extern const ClvClocked clv_paretonbd_cor_known_clocked;

/* A ClvClocked of a family with this distribution of lifetimes. */
#define CLV_TWO_CLOCKS(lifetime_law)                                                               \
	{                                                                                              \
		.law = (lifetime_law), .by_rate = true, .log_likelihood = clv_two_clocks_log_likelihood,   \
		.term = clv_two_clocks_term, .departed = clv_two_clocks_departed,                          \
		.alive = clv_two_clocks_alive, .ln_p_alive = clv_two_clocks_ln_p_alive,                    \
		.odds = clv_two_clocks_odds, .set_left = clv_two_clocks_set_left,                          \
		.given_alive = clv_two_clocks_given_alive, .expected = clv_two_clocks_expected,            \
		.discounted = clv_two_clocks_discounted, .probability = clv_two_clocks_probability,        \
		.probabilities = clv_two_clocks_probabilities, .survival = clv_two_clocks_survival,        \
		.pairs = clv_two_clocks_pairs                                                              \
	}

#endif /* CLV_CLOCKS_H */
