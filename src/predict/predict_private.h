/*
 * predict_private.h
 *		What the files of this module share.
 */
#ifndef CLV_PREDICT_PRIVATE_H
#define CLV_PREDICT_PRIVATE_H

#include "clv.h"

#include "access/tupdesc.h"
#include "utils/array.h"

#include "common/arguments.h"
#include "common/last_value.h"
#include "predict/predict.h"

/* ---- what families count, and what they do not support ---- */

/* Whether horizons must be whole numbers of the time unit. */
static inline bool
clv_in_periods(const ClvFamily *family)
{
	return family->clock != CLV_CONTINUOUS;
}

/* Raises the error of a quantity that the family does not support. */
extern void pg_attribute_noreturn()
	clv_raise_unsupported(const ClvFamily *family, const char *what);

/* ---- a customer, as the families take one ---- */

/* A customer as of a day, in the units of the model. */
typedef struct ClvCustomer
{
	double x;       /* repeat purchases */
	double t_x;     /* age at the last one, in the model's unit */
	double T;       /* age */
	double spend_x; /* purchases of known value under the model's basis */
	double mean;    /* their mean; 0 where there are none */
	int32 days;     /* age in days, or in periods; see clv_customer() */
	int32 last;     /* the same at the last purchase */
	DateADT first;  /* the day of the first purchase, of a customer from a history */
	DateADT as_of;  /* the day on which they are looked at */
} ClvCustomer;

/*
 * Fills in the customer of a history as of the day; false where the customer does not exist yet.
 * The model needs no purchase part. Of campaigns, whose ages depend on the days themselves, days
 * and last hold the days of the first and the last purchase.
 */
extern bool clv_customer(const ClvModel *fitted, const ClvHistory *history, DateADT as_of,
						 ClvCustomer *customer);

/* The same from the history's summary as of the day, under the model's spend basis. */
extern bool clv_customer_of_summary(const ClvModel *fitted, const ClvHistory *history,
									DateADT as_of, const ClvSummary *summary,
									ClvCustomer *customer);

/* The same as a fit counts it: of contracts the first, not the one current at as_of. */
extern bool clv_customer_of_fit(const ClvModel *fitted, const ClvHistory *history, DateADT as_of,
								ClvCustomer *customer);

/* ---- horizon and discount rate ---- */

/* The terms of a prediction. */
typedef struct ClvTerms
{
	double horizon; /* in the model's unit; INFINITY: without end */
	double delta;   /* continuous discount rate per unit */
} ClvTerms;

/* The discounted purchases of a new customer, int_0^t e^(-delta u) dE[X(u)], for any sign of delta
 * (discounted.c). */
extern double clv_discounted(const ClvFuture *future, double delta, double t);

/* ---- quantities (quantities.c); "given" means given the history, alive or not ---- */

/* P(alive) of the customer, computed and not looked up. */
extern double clv_p_alive_of(const ClvModel *fitted, const ClvCustomer *customer);

/* P(alive so long after T), whatever is bought until then; an error where the family has no
 * survival function. */
extern double clv_p_alive_ahead(const ClvModel *fitted, const ClvCustomer *customer, double ahead);

/* P(alive) times a quantity given alive; 0 where P(alive) is 0, even if the quantity is infinite.
 */
extern double clv_times_alive(const ClvModel *fitted, const ClvCustomer *customer, double quantity);

/*
 * The new customer that the customer is equivalent to, given alive, for quantities up to a horizon
 * (INFINITY: without end).
 */
extern void clv_future_of(const ClvModel *fitted, const ClvCustomer *customer, double horizon,
						  ClvFuture *future);

/* ln P(alive) of the customer. */
extern double clv_ln_p_alive_of(const ClvModel *fitted, const ClvCustomer *customer);

/* ---- models with a calendar (timeline.c) ---- */

/* The speeds of the clocks of a model, day by day. */
typedef struct ClvTimeline ClvTimeline;

/* The timeline of a model, of those that have a calendar. */
extern ClvTimeline *clv_timeline(const ClvModelPart *part, double unit_days);

/* The same with one of the effects (part->effect) moved by a step. */
extern ClvTimeline *clv_timeline_moved(const ClvModelPart *part, double unit_days, int effect,
									   double step);

/*
 * The clocks of a customer from the first purchase until as_of, and those from as_of on; valid
 * until the next call. Errors name a day before the calendar.
 */
extern const struct ClvClocks *clv_clocks_until_day(ClvTimeline *timeline, DateADT first,
													DateADT as_of);
extern const struct ClvClocks *clv_clocks_from_day(ClvTimeline *timeline, DateADT as_of);

/*
 * P(alive) of a customer by the calendar, at parameters of the family, and its logarithm; customers
 * with the same purchases and first day share what it takes.
 */
extern double clv_timeline_p_alive(ClvTimeline *timeline, const ClvFamily *family,
								   const double *param, const ClvCustomer *customer);
extern double clv_timeline_ln_p_alive(ClvTimeline *timeline, const ClvFamily *family,
									  const double *param, const ClvCustomer *customer);

/*
 * What a customer who is this newcomer given alive at as_of is expected to buy, discounted, until a
 * horizon (INFINITY: without end), where customers can share that; NAN where they cannot.
 */
extern double clv_timeline_discounted(ClvTimeline *timeline, DateADT as_of, const ClvFuture *future,
									  double delta, double horizon);

/* Whether a covariate is of the season or trend of clv_options(), which go on by themselves. */
extern bool clv_goes_on(const char *covariate);

/* A NOTICE, once a statement, where predictions reach beyond the calendar; horizon in units. */
extern void clv_say_beyond(const ClvModel *fitted, DateADT as_of, double horizon);

/* The log-likelihood of the history of a customer, who is as of a day, by the calendar. */
extern double clv_log_likelihood_by_calendar(const ClvModel *fitted, const ClvHistory *history,
											 const ClvCustomer *customer);

/* The clocks of the customer until as_of. */
extern const struct ClvClocks *clv_clocks_of(const ClvModel *fitted, const ClvCustomer *customer);

/* An error where the model has a calendar. */
extern void clv_need_no_calendar(const ClvModel *fitted);

/* E[spend per purchase]; INFINITY where it does not exist; NaN without a spend part. */
extern double clv_spend_of(const ClvModel *fitted, const ClvCustomer *customer);

/* Smallest n with P(purchases in the horizon <= n) >= level. */
extern double clv_count_quantile(const ClvFuture *future, double p_alive, double horizon,
								 double level);

/* E[purchases squared] in the horizon; INFINITY where that takes more counts than a quantile may.
 */
extern double clv_second_moment(const ClvFuture *future, double horizon);

/* Counts below this have their probabilities together, in the memo of a call site. */
#define CLV_COUNTS 64

/*
 * Quantiles of the undiscounted spend in the horizon, for n levels at once; counts: P(0) ..
 * P(CLV_COUNTS - 1) purchases in the horizon, given alive.
 */
extern void clv_spend_quantiles(const ClvModel *fitted, const ClvCustomer *customer,
								const ClvFuture *future, double p_alive, double horizon,
								const double *counts, int n, const double *levels,
								double *quantiles);

/* ---- the memo of computed quantities (memo.c) ---- */

/*
 * All that a future depends on: the pair of purchases and age; the age at the last
 * purchase where the family asks for it, else 0; the sums of covariates times
 * effects, on the log scale, else 0; of models with a calendar the day, else 0.
 */
typedef struct ClvMemoKey
{
	int32 x;
	int32 days;
	int32 last;
	DateADT as_of;
	double purchase;
	double churn;
} ClvMemoKey;

/* A hash table of numbers by key, width of them for each. */
typedef struct ClvMemo
{
	MemoryContext context;
	uint32 *slots; /* where the entry of a key is */
	char *memory;
	char *entries; /* in it, from the start of a cache line, one after the other */
	Size stride;
	int width;
	int size; /* slots; a power of two, or 0 */
	int used; /* entries */
} ClvMemo;

/* A key of its parts. */
extern ClvMemoKey clv_memo_key(int32 x, int32 days, int32 last, DateADT as_of, double purchase,
							   double churn);

/* The key of a customer, with last where the family needs it. */
extern ClvMemoKey clv_customer_key(const ClvModel *fitted, const ClvCustomer *customer,
								   double purchase, double churn);

/* Makes an empty table; its memory is allocated in the context when the first key is added. */
extern void clv_memo_init(ClvMemo *memo, MemoryContext context, int width);

/* Removes all keys. */
extern void clv_memo_clear(ClvMemo *memo);

/* Removes all keys, and makes it a table of so many numbers for each. */
extern void clv_memo_change_width(ClvMemo *memo, int width);

/* Prefetches the key's entry, which will be looked up soon. */
extern void clv_memo_prefetch(const ClvMemo *memo, const ClvMemoKey *key);

/* The numbers of the key, NaN where it is new. Valid until the next call. */
extern double *clv_memo_values(ClvMemo *memo, const ClvMemoKey *key);

/* Whether the next key that is new may empty the table. */
extern bool clv_memo_is_full(const ClvMemo *memo);

/* The numbers of one of the keys by its place in their order (0 .. memo->used - 1). */
extern double *clv_memo_entry(const ClvMemo *memo, int number);

/* ---- a call site (call_site.c) ---- */

/* The numbers of a key; all of them given alive. */
typedef enum ClvMemoKind
{
	CLV_MEMO_EXPECTED,
	CLV_MEMO_DISCOUNTED,
	CLV_MEMO_LIFETIME,
	CLV_MEMO_GAIN, /* discounted, of a customer who buys today less of one who does not */
	CLV_MEMO_KINDS
} ClvMemoKind;

/* One model at a call site, with what was computed under it. */
typedef struct ClvModelSite
{
	ClvModelCache model;          /* first, as model.h asks */
	const ClvModel *fitted;       /* the model of the current customer: see clv_set_covariates */
	ClvModel *moved;              /* with the parameters that covariates make */
	double z[CLV_MAX_COVARIATES]; /* the current covariates, less their centres */
	double spend_z[CLV_MAX_COVARIATES]; /* those that act on spend, less the centres there */
	bool has_z;
	double purchase; /* sums of covariates times effects, on the log scale */
	double churn;

	ClvTerms terms;               /* those that the memo is valid for */
	struct ClvHorizons *horizons; /* in their place, of functions with several horizons */
	ClvMemo memo;
	ClvMemo counts;  /* under the same terms: P(n purchases) given alive */
	ClvMemo leaving; /* of families that have it: probabilities by blocks of days */

	/* the arguments that the terms were computed from, so that they are computed once */
	Interval horizon;
	double discount_rate;
	bool has_terms;
} ClvModelSite;

/* Models kept at a call site: several alternate where, for example, each country has its own. */
#define CLV_SITE_MODELS 8

/* What the call site of a prediction function keeps. */
typedef struct ClvPredictSite
{
	ClvModelSite *models[CLV_SITE_MODELS];
	int current;
	int next;       /* the one to replace where there are more */
	TupleDesc desc; /* of a function that returns rows */
} ClvPredictSite;

/*
 * Whether predictions of purchases (of value: with_spend) may have limits. False, with one
 * WARNING a statement, where a fit behind them did not converge: its parameters may be
 * anywhere along a direction that the data do not determine, and limits around them too narrow.
 */
extern bool clv_has_limits(const ClvModel *fitted, bool with_spend);

/* The model of argument 0 at this call site; neither terms nor covariates are set by it. */
extern ClvModelSite *clv_model_site(FunctionCallInfo fcinfo);

/* The same of another argument, with a memo of so many numbers, the site's own kinds first. */
extern ClvModelSite *clv_model_site_of(FunctionCallInfo fcinfo, int argument, int width);

/*
 * The same with a purchase part, at the parameters of a customer with the covariates in
 * that argument: an error where the model was fitted with others, or without.
 */
extern ClvModelSite *clv_customer_site(FunctionCallInfo fcinfo, int covariates);

/* Sets the covariates of the customer, NULL where there are none; errors as above. */
extern void clv_set_covariates(ClvModelSite *site, ArrayType *covariates);

/* Raises an error that lists the covariates where the model has any. */
extern void clv_need_no_covariates(const ClvModel *fitted);

/* The memo's key of a customer with the current covariates. */
extern ClvMemoKey clv_site_key(const ClvModelSite *site, const ClvCustomer *customer);

/* The same site as clv_customer_site() with a memo of so many numbers, CLV_MEMO_KINDS at least. */
extern ClvModelSite *clv_customer_site_of(FunctionCallInfo fcinfo, int covariates, int width);

/* P(at least one purchase in the horizon) (quantities.c); none: the number of the memo for
 * P(none), given alive. */
extern double clv_active(const ClvModelSite *site, const ClvCustomer *customer, double p_alive,
						 double horizon, double *none);

/*
 * The day by which a customer who is alive buys again at the level, and that on which P(alive)
 * falls below the limit; false where there is none (customer_dates.c). Of the memo: two numbers for
 * the customer's key, and the place of two for any key. The history has nothing after the
 * day of the summary.
 */
extern bool clv_next_day(const ClvModelSite *site, const ClvHistory *history,
						 const ClvCustomer *customer, double level, double *memo, int64 *day);
extern bool clv_lapse_day(ClvModelSite *site, const ClvHistory *history, const ClvSummary *summary,
						  double limit, int place, int64 *day);

/* P(alive), from the memo where the family allows that. */
extern double clv_site_p_alive(ClvModelSite *site, const ClvCustomer *customer);

/*
 * P(0) .. P(CLV_COUNTS - 1) purchases of the customer, who is this newcomer given alive, in the
 * horizon of the site; valid until the next call.
 */
extern const double *clv_site_counts(ClvModelSite *site, const ClvCustomer *customer,
									 const ClvFuture *future);

/* ---- several horizons at once (purchase_curve.c) ---- */

/* The horizons of a call site under one model. */
typedef struct ClvHorizons
{
	ClvLastValue given;
	uint64 version;   /* another one where the horizons have changed */
	int n;            /* those that are not NULL */
	double *until;    /* in the model's unit */
	ArrayType *zeros; /* a result: 0 for each, NULL where the horizon is NULL */
} ClvHorizons;

/* The horizons in an argument, as the call site knows them under its current model; errors name the
 * element that is none. */
extern const ClvHorizons *clv_horizons(FunctionCallInfo fcinfo, int argument, ClvModelSite *site);

/* Expected purchases until the end of each horizon, given that the customer with the key is alive;
 * valid until the memo is used again. */
extern const double *clv_horizons_expected(ClvModelSite *site, const ClvCustomer *customer,
										   const ClvMemoKey *key, const ClvHorizons *horizons);

/* The row type that the function of this call site returns. */
extern TupleDesc clv_row_type(FunctionCallInfo fcinfo);

/*
 * Sets the terms; a NULL horizon is without end. Errors name a horizon or rate out of range. Values
 * computed under other terms are removed.
 */
extern void clv_set_terms(ClvModelSite *site, const Interval *horizon, double discount_rate);

/* A quantity of the customer, given alive, under the terms of the site; computed once for each key.
 */
extern double clv_cached(ClvModelSite *site, const ClvCustomer *customer, ClvMemoKind kind);

/* All of them, by kind; CLV_MEMO_LIFETIME is NaN unless the discount rate is positive. */
extern void clv_cached_all(ClvModelSite *site, const ClvCustomer *customer, const ClvMemoKey *key,
						   double *values);

/* ---- arguments that depend on the model (call_site.c) ---- */

/* The day to predict from: the argument where it is given, else the model's. */
extern DateADT clv_as_of(FunctionCallInfo fcinfo, int argument, const ClvModel *fitted);

/* The model's as_of; an error where it has none. */
extern DateADT clv_as_of_model(const ClvModel *fitted);

/* Raises an error where so many periods would take too long. */
extern void clv_check_few(const ClvFamily *family, const char *what, double periods);

/* The value; NaN is an error that names the quantity and the customer's x, t_x and t_cal. */
extern double clv_checked(double value, const char *what, const ClvCustomer *customer);

#endif /* CLV_PREDICT_PRIVATE_H */
