/*
 * predict_private.h
 *		What the files of this room share.
 */
#ifndef CLV_PREDICT_PRIVATE_H
#define CLV_PREDICT_PRIVATE_H

#include "clv.h"

#include "access/tupdesc.h"
#include "utils/array.h"

#include "common/arguments.h"
#include "predict/predict.h"

/* ---- what families count, and lack ---- */

/* Whether horizons must be whole numbers of the time unit. */
static inline bool
clv_in_periods(const ClvFamily *family)
{
	return family->clock != CLV_CONTINUOUS;
}

/* An error: the family has no such quantity. */
extern void pg_attribute_noreturn() clv_raise_unsupported(const ClvFamily *family, const char *what);

/* ---- a customer, as the families see one ---- */

typedef struct ClvCustomer
{
	double		x;				/* repeat purchases */
	double		t_x;			/* age at the last one, in the model's unit */
	double		T;				/* age */
	double		spend_x;		/* purchases of known value under the model's basis */
	double		mean;			/* their mean; 0 where there are none */
	int32		days;			/* age in days, or in periods; see clv_customer() */
	int32		last;			/* the same at the last purchase */
} ClvCustomer;

/*
 * Returns false where the customer does not exist yet. The model needs no purchase part. Of
 * campaigns, whose ages depend on the days themselves, days and last are these.
 */
extern bool clv_customer(const ClvModel *fitted, const ClvHistory *history, DateADT as_of,
						 ClvCustomer *customer);

/* The same of a history whose summary as of the day, under the model's spend basis, is at hand. */
extern bool clv_customer_of_summary(const ClvModel *fitted, const ClvHistory *history,
									DateADT as_of, const ClvSummary *summary,
									ClvCustomer *customer);

/* The same as a fit counts it: of contracts the first, not the one that as_of finds. */
extern bool clv_customer_of_fit(const ClvModel *fitted, const ClvHistory *history, DateADT as_of,
								ClvCustomer *customer);

/* ---- how far, and at what rate ---- */

typedef struct ClvTerms
{
	double		horizon;		/* in the model's unit; INFINITY: without end */
	double		delta;			/* continuous discount rate per unit */
} ClvTerms;

/* ---- quantities (quantities.c); "given" means given the history, alive or not ---- */

/*
 * Newcomer: int_0^t e^(-delta u) dE[X(u)], for any sign of delta.
 */
extern double clv_discounted(const ClvFuture *future, double delta, double t);

extern double clv_p_alive_of(const ClvModel *fitted, const ClvCustomer *customer);

/*
 * P(alive) times a quantity given alive. What diverges does so for the least likely
 * survivor, too, but not for the dead.
 */
extern double clv_times_alive(const ClvModel *fitted, const ClvCustomer *customer,
							  double quantity);

/* The newcomer that the customer is, given alive. */
extern void clv_future_of(const ClvModel *fitted, const ClvCustomer *customer, ClvFuture *future);

/* E[spend per purchase]; INFINITY where it does not exist; NaN without a spend part. */
extern double clv_spend_of(const ClvModel *fitted, const ClvCustomer *customer);

/* Smallest n with P(purchases in the horizon <= n) >= level. */
extern double clv_count_quantile(const ClvFuture *future, double p_alive, double horizon,
								 double level);

/* E[purchases squared] in the horizon; INFINITY where that takes more counts than a quantile may. */
extern double clv_second_moment(const ClvFuture *future, double horizon);

/* Quantiles of the undiscounted spend in the horizon, for n levels at once. */
extern void clv_spend_quantiles(const ClvModel *fitted, const ClvCustomer *customer,
								const ClvFuture *future, double p_alive, double horizon, int n,
								const double *levels, double *quantiles);

/* ---- what is remembered (memo.c) ---- */

/*
 * All that a future depends on: the pair of purchases and age; the age at the last
 * purchase where the family asks for it, else 0; what covariates make of the parameters,
 * on the log scale, else 0.
 */
typedef struct ClvMemoKey
{
	int32		x;
	int32		days;
	int32		last;
	uint32		hash;			/* of the others */
	double		purchase;
	double		churn;
} ClvMemoKey;

/* Numbers by key; width of them each. */
typedef struct ClvMemo
{
	MemoryContext context;
	char	   *memory;
	char	   *entries;		/* in it, from the start of a cache line */
	Size		stride;
	int			width;
	int			size;			/* entries; a power of two */
	int			used;
} ClvMemo;

extern ClvMemoKey clv_memo_key(int32 x, int32 days, int32 last, double purchase, double churn);

/* That of a customer: last where the family asks for it. */
extern ClvMemoKey clv_customer_key(const ClvFamily *family, const ClvCustomer *customer,
								   double purchase, double churn);

extern void clv_memo_init(ClvMemo *memo, MemoryContext context, int width);
extern void clv_memo_forget(ClvMemo *memo);

/* To be looked at soon: memory is asked for the key's entry meanwhile. */
extern void clv_memo_prefetch(const ClvMemo *memo, const ClvMemoKey *key);

/* The numbers of the key, NaN where it is new. Valid until the next call. */
extern double *clv_memo_values(ClvMemo *memo, const ClvMemoKey *key);

/* ---- a call site (call_site.c) ---- */

/* What a key has one of; all of them given alive. */
typedef enum ClvMemoKind
{
	CLV_MEMO_EXPECTED,
	CLV_MEMO_DISCOUNTED,
	CLV_MEMO_LIFETIME,
	CLV_MEMO_GAIN,				/* discounted, of one who buys today less of one who does not */
	CLV_MEMO_KINDS
} ClvMemoKind;

/* One model at a call site, with what was computed under it. */
typedef struct ClvModelSite
{
	ClvModelCache model;		/* first, as model.h asks */
	const ClvModel *fitted;	/* the model of the customers at hand: see clv_set_covariates */
	ClvModel  *moved;			/* where covariates make it another one than the cache's */
	double		z[CLV_MAX_COVARIATES];	/* the covariates at hand */
	bool		has_z;
	double		purchase;		/* what they make of the parameters, on the log scale */
	double		churn;

	ClvTerms	terms;			/* what the memo holds for */
	ClvMemo		memo;
	ClvMemo		leaving;		/* of families that have it: chances by blocks of days */

	/* how the terms came about, so that they are worked out once */
	Interval	horizon;
	double		discount_rate;
	bool		has_terms;
} ClvModelSite;

/* Several models take turns where each country has its own. */
#define CLV_SITE_MODELS 8

typedef struct ClvPredictSite
{
	ClvModelSite *models[CLV_SITE_MODELS];
	int			current;
	int			next;			/* the one to give up, if it comes to that */
	TupleDesc	desc;			/* of a function that returns rows */
} ClvPredictSite;

/*
 * Whether predictions of purchases (of value: with_spend) may have limits. False, with one
 * WARNING a statement, where a fit behind them did not converge: its parameters may be
 * anywhere along a direction that the data do not hold, and limits around them too narrow.
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

/* The same of a vector as a value; NULL: none. */
extern void clv_set_covariates(ClvModelSite *site, ArrayType *covariates);

/* An error that lists the covariates where the model has any. */
extern void clv_need_no_covariates(const ClvModel *fitted);

/* The memo's key of a customer with the covariates at hand. */
extern ClvMemoKey clv_site_key(const ClvModelSite *site, const ClvCustomer *customer);

/* P(alive), from what is remembered of other customers where the family allows that. */
extern double clv_site_p_alive(ClvModelSite *site, const ClvCustomer *customer);

/* The row type that the function of this call site returns. */
extern TupleDesc clv_row_type(FunctionCallInfo fcinfo);

/*
 * Set the terms: NULL for a horizon without end. Errors name a horizon or rate
 * that is none. Values remembered under other terms are forgotten.
 */
extern void clv_set_terms(ClvModelSite *site, const Interval *horizon, double discount_rate);

/* A remembered quantity of the customer, given alive, under the terms of the site. */
extern double clv_remembered(ClvModelSite *site, const ClvCustomer *customer, ClvMemoKind kind);

/* All of them, by kind; that of a life without end only where the discount rate is positive. */
extern void clv_remembered_all(ClvModelSite *site, const ClvCustomer *customer,
							   const ClvMemoKey *key, double *values);

/* ---- arguments that depend on the model (call_site.c) ---- */

/* The day to predict from: the argument where it is given, else the model's. */
extern DateADT clv_as_of(FunctionCallInfo fcinfo, int argument, const ClvModel *fitted);

/* The model's; an error where it has none. */
extern DateADT clv_as_of_model(const ClvModel *fitted);

/* An error where so many periods would take too long. */
extern void clv_check_few(const ClvFamily *family, const char *what, double periods);

/* NaN is never an answer: an error that says what was asked and of whom. */
extern double clv_checked(double value, const char *what, const ClvCustomer *customer);

#endif							/* CLV_PREDICT_PRIVATE_H */
