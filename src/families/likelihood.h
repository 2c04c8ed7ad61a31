/*
 * likelihood.h
 *		Maximum likelihood over cells of identical customers.
 *
 * The engine knows no family: it asks for the two terms of L = C (P(t_x) + Q(T))
 * on the distinct times of each x (a few thousand rows), after which a cell costs
 * two look-ups, an addition and a share of a logarithm. Newton steps on the
 * log-parameters with the analytic gradient and Hessian.
 *
 * Everything is deterministic: cells are sorted before the first evaluation and
 * sums are compensated, so the order of arrival changes no bit.
 */
#ifndef CLV_LIKELIHOOD_H
#define CLV_LIKELIHOOD_H

#include "families/family.h"

/* A number of customers with the same history and group; times are in the unit of the model. */
typedef struct ClvCell
{
	int32_t x;
	uint32_t group; /* 0 where there are no groups */
	double t_x;
	double T;
	double count;
} ClvCell;

/*
 * What the customers of a group share besides their histories. The same covariates
 * move both processes, with effects of their own on each; a covariate that the
 * caller wants in one process only is not offered.
 */
typedef struct ClvGroups
{
	uint32_t n;            /* groups; 0: none */
	int ncovariates;       /* <= CLV_MAX_COVARIATES */
	const double *z;       /* n x ncovariates, in the caller's units */
	const double *outcome; /* n, of supervised families; else NULL */
} ClvGroups;

/* Purchases at the time to, each after the customer's one at from; times as those of a course. */
typedef struct ClvGap
{
	double from;
	double to;
	double count;
} ClvGap;

/*
 * Covariates that change with time, in steps: the same for all customers, or with paths each group
 * has those of its path. Time is counted from the end of the data, so that it is 0 there and
 * negative before, in the unit of the model; a customer's first purchase is at -T. The last step of
 * a path has no end.
 */
typedef struct ClvCourse
{
	int n;              /* steps; of the longest path, where there are several */
	int ncovariates;    /* from 1 to CLV_MAX_COVARIATES */
	const double *from; /* n, ascending: when each step begins; the first at or before any -T */
	const double *z;    /* n x ncovariates, in the caller's units, finite */
	const double
		*bought;     /* of each covariate, the sum over the repeat purchases of all customers */
	void *workspace; /* clv_course_workspace() bytes */

	/*
	 * Of families with Erlang times, the times between purchases: those of one path after the
	 * other, the first of each path and the end of all. NULL: not known, and every event is a
	 * purchase.
	 */
	const ClvGap *gaps;
	const size_t *first_gap;

	/* where there are paths: their steps are in from and z one path after the other */
	uint32_t npaths;      /* 0: one course for all */
	const size_t *first;  /* npaths + 1: where the steps of a path begin, and the end */
	const uint32_t *path; /* of each group, ascending */
} ClvCourse;

/* Bytes of scratch memory for a fit with a course of these steps, paths and covariates. */
extern size_t clv_course_workspace(const ClvCourse *course);

typedef struct ClvFitReport ClvFitReport;

/* What the caller asks of a fit. */
typedef struct ClvFitControl
{
	const double *start;         /* warm start, natural scale, or NULL: the family's only */
	const double *start_effects; /* that go with it: on purchases, then on churn; NULL: 0 */
	const double *start_centre;  /* the covariates that start is at; NULL: their mean */

	/*
	 * Values of the family's CLV_FIXED parameters, each at its place; the others are
	 * not read. NULL: what the family chooses.
	 */
	const double *fixed;

	/*
	 * Covariates that follow a calendar, NULL: none. They come behind those of the groups, in all
	 * that has a place for each covariate, and the family has clocked. Their effects on leaving are
	 * 0 in families without a clock of leaving.
	 */
	const ClvCourse *course;

	/* A bit for each covariate that does not act on purchases, and on churn: its effect is 0. */
	uint32_t idle_purchase;
	uint32_t idle_churn;

	/* A bit for each covariate whose effects on both processes, where both have one, are equal. */
	uint32_t same;

	/*
	 * The fit of the family that this one contains, to the same cells with the same control but
	 * without a start; NULL: not known, and fitted first where there is one.
	 */
	const ClvFitReport *contained;
	ClvStatus contained_status;
	int max_iterations; /* passes over all data from one start; 0: our own limit */

	/*
	 * Ridge on the logs of shape parameters (never scales), at the mean of the covariates:
	 * maximises ln L / customers - shape_penalty x sum (ln shape)^2. 0: none.
	 */
	double shape_penalty;

	/*
	 * Ridge on the effects of covariates: - effect_penalty x sum effect^2, in the same
	 * place; each process has its own.
	 */
	double effect_penalty_purchase;
	double effect_penalty_churn;

	/*
	 * A prior, or NULL: maximises ln L less half the squared distance from its mean. With a proper
	 * one any customers have a fit, and so has the spend of none.
	 */
	const struct ClvPrior *prior;

	/*
	 * Called every few thousand cells; may longjmp (the engine holds nothing).
	 * May be NULL.
	 */
	void (*poll)(void *arg);
	void *poll_arg;
} ClvFitControl;

/* The result of a fit. */
struct ClvFitReport
{
	double param[CLV_MAX_PARAMS];      /* natural scale, at the centre of the covariates */
	double centre[CLV_MAX_COVARIATES]; /* the mean of each covariate over the customers */

	/* of covariates: on purchases, then on churn; 0 where a process takes none */
	double effect[CLV_MAX_EFFECTS];
	int neffects; /* 2 x ncovariates, of groups and course together */

	/*
	 * Of the transformed parameters, then the effects, as a lower triangle of
	 * nparams + neffects rows; 0 where nothing was searched for.
	 */
	double covariance[CLV_MAX_COVARIANCE];
	bool has_covariance;   /* false where the Hessian is not negative definite */
	double log_likelihood; /* without the penalty, and without the prior */
	double prior_distance; /* from the mean of the prior in its standard deviations; 0: none */
	double effective;      /* parameters and effects that the data determine; NaN: not known */
	double gradient_norm;  /* distance to the maximum in standard errors; NaN: none near */
	double customers;
	int iterations;       /* passes over all data of the best ascent */
	int degenerate_param; /* see CLV_DEGENERATE, CLV_COLLINEAR; else -1 */
};

/* Limits of parameters, on their natural scale, and of effects behind them; NAN: not known. */
typedef struct ClvLimits
{
	double low[CLV_MAX_DIM];
	double high[CLV_MAX_DIM];
} ClvLimits;

/*
 * Bytes of scratch memory for a fit of a transaction family to n cells; the caller allocates
 * them.
 */
extern size_t clv_fit_cells_workspace(const ClvFamily *family, size_t n);

/* The same for a spend family, n rows, and so many groups with covariates. */
extern size_t clv_fit_spend_workspace(const ClvFamily *family, size_t n, uint32_t groups);

/*
 * Fit a transaction family; groups may be NULL. For the same bits in any order of input, the
 * numbers of groups must not depend on that order. cells are sorted and equal ones merged, in
 * place: n is how many there are, and afterwards how many are left, so that other families can
 * be fitted to the same. report is filled as far as the fit went, whatever the status:
 *
 * CLV_TOO_FEW				no more customers than parameters
 * CLV_NO_REPEATERS			all x = 0
 * CLV_NO_DROPOUT_SIGNAL	all customers are the same
 * CLV_BAD_START			a cell is invalid (not finite, negative, t_x > T), or the
 *							likelihood is finite nowhere that was tried
 * CLV_DEGENERATE			degenerate_param is the parameter that tends to a border; from nparams
 *							on they are the effects
 * CLV_COLLINEAR			degenerate_param - nparams says which covariate is constant, or a
 *							linear combination of those before it
 * CLV_NOT_CONVERGED		max_iterations were not enough
 *
 * x > 0 at t_x = 0 is allowed, but strictly such a likelihood has no maximum: it increases
 * without bound as alpha tends to 0. The fit then finds the local maximum due to the other
 * customers.
 */
extern ClvStatus clv_fit_cells(const ClvFamily *family, ClvCell *cells, size_t *n,
							   const ClvGroups *groups, const ClvFitControl *control,
							   void *workspace, ClvFitReport *report);

/*
 * The same for a spend family; rows with x < 1 or mean <= 0 must have been left out (BAD_START).
 * The effects of covariates are those on purchases, with their penalty; effects on churn are 0.
 */
extern ClvStatus clv_fit_spend(const ClvFamily *family, ClvSpendRow *rows, size_t n,
							   const ClvGroups *groups, const ClvFitControl *control,
							   void *workspace, ClvFitReport *report);

/*
 * Sets *limits by the profile of the likelihood (profile_limits.h) of a fit that ended with this
 * report, with the same arguments; width: the normal quantile, 1.96 for 95 %. All NAN where cells
 * and report cannot be those of a fit.
 */
extern void clv_limits_cells(const ClvFamily *family, ClvCell *cells, size_t *n,
							 const ClvGroups *groups, const ClvFitControl *control, void *workspace,
							 const ClvFitReport *report, double width, ClvLimits *limits);

/* The same for a spend family. */
extern void clv_limits_spend(const ClvFamily *family, ClvSpendRow *rows, size_t n,
							 const ClvGroups *groups, const ClvFitControl *control, void *workspace,
							 const ClvFitReport *report, double width, ClvLimits *limits);

/*
 * What the log-likelihood of mbg/cnbd-k leaves out: needed only to compare different k. By a
 * calendar it leaves out only what it has for litt = 0.
 * sum_x: repeat purchases of all customers; litt: the sum of the natural logarithms of
 * the times between purchases, in the model's unit.
 */
extern double clv_mbgcnbd_constant(double k, double sum_x, double litt);

#endif /* CLV_LIKELIHOOD_H */
