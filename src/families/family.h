/*
 * family.h
 *		The interface of a family of models.
 *
 * A family is one file that fills in a ClvFamily and one line in the registry. No code outside
 * compares families by name: a quantity is computed through its function pointer, and a NULL
 * pointer means that the family has no such quantity.
 *
 * Units: t_x, T and t are in the model's time unit, counted from the first
 * purchase; delta is a continuous discount rate per unit; money is in the unit
 * of the data. x counts repeat purchases. Parameters are on their natural scale
 * (positive, if transform does not say otherwise), in the order of param_names.
 *
 * Ranges: callers pass x >= 0 (an integer in a double), 0 <= t_x <= T, T >= 0,
 * t >= 0 (t may be INFINITY for discounted), delta >= 0. Within them no function
 * returns NaN. Underflow gives 0; divergence gives INFINITY.
 */
#ifndef CLV_FAMILY_H
#define CLV_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "families/status.h"

#define CLV_MAX_PARAMS 6
#define CLV_MAX_HESSIAN (CLV_MAX_PARAMS * (CLV_MAX_PARAMS + 1) / 2)
#define CLV_MAX_COVARIATES 16
#define CLV_MAX_EFFECTS (2 * CLV_MAX_COVARIATES)
#define CLV_MAX_DIM (CLV_MAX_PARAMS + CLV_MAX_EFFECTS)
#define CLV_MAX_COVARIANCE (CLV_MAX_DIM * (CLV_MAX_DIM + 1) / 2)

struct ClvFamily;
struct ClvClocked;
struct ClvRandom;
struct ClvTraits;
struct ClvClocks;

/* The purchases of known value of a customer: their number and mean. */
typedef struct ClvSpendRow
{
	double mean;
	int32_t x;
	uint32_t group; /* 0 where there are no groups */
} ClvSpendRow;

/* The moments that start values are computed from; means are over customers. */
typedef struct ClvMoments
{
	double customers;
	double x;         /* mean of x */
	double repeaters; /* share of customers with x > 0 */
	double t_x;       /* means of the times; transaction families only */
	double T;
	double spend;         /* mean of the means; spend families only */
	double spend_squared; /* mean of their squares, divided by the square of the above */
} ClvMoments;

/* The process that a family models. */
typedef enum ClvProcess
{
	CLV_TRANSACTION, /* when customers buy and leave */
	CLV_SPEND        /* how much a purchase is worth */
} ClvProcess;

/* How a family counts time. */
typedef enum ClvClock
{
	CLV_CONTINUOUS,    /* purchases at any time */
	CLV_OPPORTUNITIES, /* bg/bb: one chance a period; x, t_x, T whole numbers of periods */
	CLV_RENEWALS,      /* contracts: t_x = renewals made, T = renewals possible so far; x = t_x */
	CLV_CAMPAIGNS      /* rfmtc: supervised, with an outcome */
} ClvClock;

/* On which scale the search moves a parameter; derivatives are by the transformed one. */
typedef enum ClvTransform
{
	CLV_LOG,   /* any positive number */
	CLV_LOGIT, /* between 0 and 1 */
	CLV_ASINH, /* any number: where it is large, nearly its logarithm */
	CLV_FIXED  /* given, not searched for; its derivatives are not read */
} ClvTransform;

/* How a unit-free quantity comes from the parameters. */
typedef enum ClvUnitFreeForm
{
	CLV_LN_PRODUCT, /* ln of the product of powers of parameters, or of the odds of CLV_LOGIT */
	CLV_LN_SUM,     /* ln of the sum of those with the power 1 */
	CLV_LN_MEAN,    /* the product, but of the parameter with the power -1 less 1 */
	CLV_DERIVED     /* the quantity that the family derives, as it is */
} ClvUnitFreeForm;

/* A quantity that a prior is about; the parameters of a family have as many as are searched for. */
typedef struct ClvUnitFree
{
	const char *name; /* NULL: no more of them */
	ClvUnitFreeForm form;
	signed char power[CLV_MAX_PARAMS];
	bool yearly; /* an event per unit of time: as many a year */
} ClvUnitFree;

/* The number of parameters of a future: those of the family, and one for the history. */
#define CLV_FUTURE_PARAMS (CLV_MAX_PARAMS + 1)

/*
 * A newcomer: a family and its parameters. Given that a customer with a history is alive at T,
 * the future is that of such a newcomer, so one set of functions serves new and known customers.
 */
typedef struct ClvFuture
{
	const struct ClvFamily *family;
	double param[CLV_FUTURE_PARAMS];
	const struct ClvClocks *clocks; /* from its time 0 on (clocks.h); NULL: time runs evenly */
} ClvFuture;

/*
 * One of the two terms of a likelihood L = C (P(t_x) + Q(T)): its logarithm and
 * the derivatives of that logarithm by the log-parameters. hessian holds the
 * lower triangle row by row: (0,0) (1,0) (1,1) (2,0) ...
 */
typedef struct ClvTerm
{
	double ln;
	double gradient[CLV_MAX_PARAMS];
	double hessian[CLV_MAX_HESSIAN];
} ClvTerm;

/*
 * A family of models: properties and functions. What a function needs of its arguments is said at
 * the top of this file.
 */
typedef struct ClvFamily
{
	const char *name; /* as users write it: 'bg/nbd' */
	ClvProcess process;
	int nparams;
	const char *param_names[CLV_MAX_PARAMS];
	bool is_scale[CLV_MAX_PARAMS]; /* carries the unit of time or money; else a shape */
	ClvClock clock;
	ClvTransform transform[CLV_MAX_PARAMS];
	double most[CLV_MAX_PARAMS]; /* of a CLV_FIXED parameter, a whole number from 1 */

	/*
	 * Parameter i of a customer with covariates z is param[i] * exp(effect[i] * gamma'z), with a
	 * gamma for each process, such that purchases, or churn, increase with gamma'z. 0 where
	 * covariates do not act, as for all parameters that are not CLV_LOG. A process all of whose
	 * entries are 0 takes no covariates.
	 */
	signed char purchase_effect[CLV_MAX_PARAMS];
	signed char churn_effect[CLV_MAX_PARAMS];

	/*
	 * The family that this one becomes where one of its parameters reaches its
	 * border, by name, or NULL: the two can be compared by their likelihoods.
	 */
	const char *border;

	/*
	 * The family that this one equals where its last parameter has a value inside its range (a
	 * correlation of 0, a power of 1), and whose parameters are the others; or NULL.
	 */
	const char *core;

	/*
	 * For a family with a border or core: sets *param to the point of this family that
	 * corresponds to those parameters of the contained one, at its border or off inside it (1: as
	 * far as customers can tell); 0 is a point that doubles cannot tell from the border. So no
	 * fit ends below that of the contained family.
	 */
	void (*embed)(const ClvMoments *moments, const double *contained, double off, double *param);

	bool on_request; /* 'auto' leaves it out */

	/*
	 * Where the parameters limit each other, or NULL: how far the last one may go, given the
	 * others; and the log barrier, the sum of the logs of the distances from all limits, as parts
	 * of the distance where the last one is 0, with its derivatives by the transformed
	 * parameters: -INFINITY at a limit or beyond.
	 */
	void (*limits)(const double *param, double *low, double *high);
	void (*log_barrier)(const double *param, ClvTerm *barrier);

	/*
	 * A named quantity derived from the parameters, or NULL, with its gradient by the transformed
	 * parameters and, unless hessian is NULL, its Hessian.
	 */
	const char *derived_name;
	double (*derived)(const double *param, double *gradient, double *hessian);

	/*
	 * The parameters as they are compared between groups of customers: neither unit of time nor
	 * currency nor range limits them, as far as the family allows it. What pools and priors are
	 * about (prior.h); none: no prior is possible.
	 */
	ClvUnitFree unit_free[CLV_MAX_PARAMS];

	/*
	 * Start values for a fit to data with these moments: which = 0, 1 ... in as many different
	 * regions as the likelihood of the family has maxima. False after the last. On entry param
	 * holds the values of the CLV_FIXED parameters, where the caller gave them; otherwise the
	 * family chooses them.
	 */
	bool (*start)(const ClvMoments *moments, int which, double *param);

	/*
	 * Draws what is a customer's own (simulate.h). NULL where the family does not say how
	 * histories come about.
	 */
	void (*draw)(const double *param, struct ClvRandom *random, struct ClvTraits *traits);

	/* ---- transaction families ---- */

	/*
	 * ln of the density of the ordered purchase times of one customer: with
	 * Gamma(r+x)/Gamma(r), without x!.
	 */
	double (*log_likelihood)(const double *param, double x, double t_x, double T);

	/* ln P(alive at T | x, t_x, T), <= 0; -INFINITY only where it is below any double */
	double (*ln_p_alive)(const double *param, double x, double t_x, double T);

	/*
	 * P(alive) at less cost than from its logarithm; NAN where only the logarithm is accurate.
	 * Where it is an integral from t_x to T, customers can share its parts: leaving is the
	 * probability that a customer who has x repeat purchases and is alive at t leaves before
	 * buying again, at n ascending times; p_alive takes those at t_x and T. Either may be NULL;
	 * without leaving, p_alive ignores them.
	 */
	void (*leaving)(const double *param, double x, const double *t, size_t n, double *p);
	double (*p_alive)(const double *param, double x, double t_x, double T, double leaving_t_x,
					  double leaving_T);

	/*
	 * The newcomer that this customer is, given alive at T. NULL where the future depends on t_x
	 * too: then given_alive_since. clv_given_alive() calls the one that there is.
	 */
	void (*given_alive)(const double *param, double x, double T, ClvFuture *future);
	void (*given_alive_since)(const double *param, double x, double t_x, double T,
							  ClvFuture *future);

	/* Newcomer: E[purchases in (0,t]], the one at 0 not counted. */
	double (*expected)(const double *param, double t);

	/*
	 * Newcomer: dE[purchases in (0,t]]/dt at n times up to most, and whether all of them are known
	 * to every digit. NULL where they are not known by themselves.
	 */
	bool (*rates)(const double *param, double most, const double *t, int n, double *rate);

	/* Newcomer: P(n purchases in (0,t]). */
	double (*probability)(const double *param, double n, double t);

	/*
	 * Newcomer: P(0), P(1) ... P(count - 1) purchases in (0,t] at once, by
	 * recurrence; for quantiles.
	 */
	void (*probabilities)(const double *param, double t, int count, double *p);

	/*
	 * Newcomer: E[N (N - 1)], N being the purchases in (0,t], t finite. NULL where it has to be
	 * summed from the probabilities.
	 */
	double (*pairs)(const double *param, double t);

	/*
	 * Newcomer: int_0^t e^(-delta u) dE[X(u)]; t = INFINITY gives DERT, and
	 * INFINITY where that diverges.
	 */
	double (*discounted)(const double *param, double delta, double t);

	/* Newcomer: P(still alive at t), where the family has it. */
	double (*survival)(const double *param, double t);

	/* Contracts: the share of customers with t - 1 renewals who make the t-th, t >= 1. */
	double (*retention)(const double *param, double t);

	/*
	 * Contracts: expected renewals to come, each discounted to today at an effective
	 * rate per period. After t renewals; or before the t-th (t >= 1), which then
	 * counts in full.
	 */
	double (*residual)(const double *param, double t, double rate, bool before);

	/*
	 * Contracts: by how many per cent the expected renewals to come increase, each discounted as
	 * above, where every customer's probability of each of them is one per cent higher. INFINITY
	 * where the sum of k times the k-th renewal diverges.
	 */
	double (*elasticity)(const double *param, double t, double rate, bool before);

	/*
	 * The two terms of the likelihood, for the table engine (likelihood.h). departed: P at t =
	 * t_x (left after the last purchase; ln = -INFINITY where the family has no such term, as
	 * bg/nbd at x = 0); alive: Q at t = T. ln_common: what both share, a function of x alone,
	 * with its derivatives. The three are called for one x and n times at once, so that whatever
	 * depends on x alone is computed once. The times ascend, and are distinct. Families by the
	 * calendar have ln_common without the two terms, too.
	 */
	void (*ln_common)(const double *param, double x, ClvTerm *term);
	void (*departed)(const double *param, double x, const double *t, size_t n, ClvTerm *terms);
	void (*alive)(const double *param, double x, const double *t, size_t n, ClvTerm *terms);

	/*
	 * The whole ln L of one customer with derivatives: for families without the two
	 * terms (departed == NULL), and for those with them if it is less work than both
	 * are. outcome: of supervised families; else NAN.
	 */
	void (*cell)(const double *param, double x, double t_x, double T, double outcome,
				 ClvTerm *term);

	/* The same by the calendar (clocks.h), or NULL. */
	const struct ClvClocked *clocked;

	/*
	 * The number of events of which the last one is a purchase, so that times between purchases
	 * are Erlang distributed; NULL: 1, and they are exponential.
	 */
	int (*stages)(const double *param);

	/* ---- spend families ---- */

	/* ln density of the mean of x purchases; 0 for x = 0. */
	double (*spend_log_likelihood)(const double *param, double x, double mean);

	/*
	 * E[spend per purchase | x purchases of known mean]; x = 0 gives the
	 * population's. INFINITY where the mean does not exist.
	 */
	double (*expected_spend)(const double *param, double x, double mean);

	/*
	 * P(the sum of n further purchases <= s | x, mean); for intervals of value.
	 */
	double (*spend_cdf)(const double *param, double x, double mean, double n, double s);

	/*
	 * Given the same: E[spend squared] of a further purchase, and E[product] of the
	 * spend of two; for the variance of their sums. INFINITY where they do not exist.
	 */
	void (*spend_squares)(const double *param, double x, double mean, double *square,
						  double *product);

	/*
	 * ln density of n rows of one x together, with its derivatives, for the
	 * engine.
	 */
	void (*spend_terms)(const double *param, double x, const ClvSpendRow *rows, size_t n,
						ClvTerm *sum);
} ClvFamily;

/* The family of a name; NULL for an unknown name. */
extern const ClvFamily *clv_family(const char *name);

/* The families in the order of the registry, NULL after the last. */
extern const ClvFamily *clv_family_at(int index);

/* The name of a clock, as users see it: "continuous", "renewals". */
extern const char *clv_clock_name(ClvClock clock);

/* ---- a parameter, and the scale of the search ---- */

/* The parameter from its transformed value. */
extern double clv_natural(ClvTransform transform, double searched);

/* The transformed value of a parameter. */
extern double clv_searched(ClvTransform transform, double natural);

/* A parameter after a step on the transformed scale. */
extern double clv_moved(ClvTransform transform, double natural, double step);

/* The derivative of a parameter by its transformed value. */
extern double clv_slope(ClvTransform transform, double natural);

/* Whether parameter i of the family can have this value. */
extern bool clv_in_range(const ClvFamily *family, int i, double natural);

/*
 * Whether the parameters keep the limits that they set each other; *low and *high are the limits
 * of the last one, set where the family has limits.
 */
extern bool clv_within_limits(const ClvFamily *family, const double *param, double *low,
							  double *high);

/*
 * Sets *out to the parameters of a customer with covariates z; effect: on purchases, then on
 * churn.
 */
extern void clv_param_with_effects(const ClvFamily *family, const double *param, int ncovariates,
								   const double *effect, const double *z, double *out);

/* ---- what follows from the above for every transaction family ---- */

/*
 * Whether a customer of this family can have this history: numbers are finite, 0 <= t_x <= T and
 * x >= 0 whole; opportunities are whole periods, with no more purchases than periods until the
 * last one, and x = 0 where t_x = 0; renewals are whole and x = t_x.
 */
extern bool clv_possible(const ClvFamily *family, double x, double t_x, double T);

/* The functions of newcomers, for a future, which may follow a calendar. */
extern double clv_future_expected(const ClvFuture *future, double t);
extern double clv_future_probability(const ClvFuture *future, double n, double t);
extern void clv_future_probabilities(const ClvFuture *future, double t, int count, double *p);
extern double clv_future_pairs(const ClvFuture *future, double t); /* NAN: has to be summed */
extern double clv_future_discounted(const ClvFuture *future, double delta, double t);
extern double clv_future_survival(const ClvFuture *future, double t);

/* The newcomer that this customer is, given alive at T, with time that runs evenly. */
extern void clv_given_alive(const ClvFamily *family, const double *param, double x, double t_x,
							double T, ClvFuture *future);

/* E[purchases in (T, T+t] | x, t_x, T] */
extern double clv_expected_given(const ClvFamily *family, const double *param, double x, double t_x,
								 double T, double t);

/* P(n purchases in (T, T+t] | x, t_x, T); n = 0 includes the dead. */
extern double clv_probability_given(const ClvFamily *family, const double *param, double x,
									double t_x, double T, double n, double t);

/* Discounted expected purchases in (T, T+t] given the history; t may be INFINITY. */
extern double clv_discounted_given(const ClvFamily *family, const double *param, double x,
								   double t_x, double T, double delta, double t);

/* The smallest n with P(purchases <= n) >= level, from the probabilities given alive; -1 if it is
 * not below count. */
extern int clv_quantile_of(double p_alive, double level, int count, const double *p);

/*
 * Smallest n with P(purchases <= n) >= level, where the customer is alive with probability
 * p_alive; 0 <= level < 1. Where rounding keeps the sum below the level, the n beyond which the
 * probability is 0. -1 if it is not below count. p has count elements; afterwards they are the
 * probabilities given alive.
 */
extern int clv_quantile_given(const ClvFuture *future, double p_alive, double t, double level,
							  int count, double *p);

#endif /* CLV_FAMILY_H */
