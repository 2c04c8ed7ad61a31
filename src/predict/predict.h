/*
 * predict.h
 *		The predictions that other modules use.
 *
 * Models with covariates are errors: these functions take no covariates.
 */
#ifndef CLV_PREDICT_H
#define CLV_PREDICT_H

#include "clv.h"
#include "model/model.h"
#include "history/history.h"

/*
 * A horizon in the model's unit, of families of discrete time a whole number. Errors name
 * it where it is negative, too long, or not a whole number of periods.
 */
extern double clv_horizon_units(const ClvModel *fitted, const char *what, const Interval *horizon);

/* Customers who first bought on a day, with the same covariates (less nothing; NULL: none). */
typedef struct ClvNewcomers
{
	DateADT first;
	double customers;
	const double *z;
} ClvNewcomers;

/*
 * Sets expected[i] to the repeat purchases that all of n groups of newcomers are expected to make
 * until the end of day i, of m days in order. Groups with the same covariates, the same z, are next to
 * each other.
 */
extern void clv_newcomers_expected(const ClvModel *fitted, const ClvNewcomers *groups, int64 n,
								   const DateADT *days, int m, double *expected);

/*
 * P(alive) of a history under a model as of a day. The summary is the history's as of the day,
 * under the model's spend basis. Returns false where the customer does not exist yet.
 */
extern bool clv_history_p_alive(const ClvModel *fitted, const ClvHistory *history, DateADT as_of,
								const ClvSummary *summary, double *p_alive);

/*
 * The same, and the undiscounted value of the next horizon_days (expected purchases times
 * expected spend; expected purchases alone where the model has no spend part), of many
 * customers: what customers share is computed once. It lives in the context, and is emptied
 * when the model behind the cache or the horizon changes. The summary is the history's as
 * of the day, under the model's spend basis.
 */
typedef struct ClvValuer ClvValuer;

/* A valuer in the context, empty. */
extern ClvValuer *clv_valuer_create(MemoryContext context);

/* P(alive) and value of a customer as above; false where the customer does not exist yet. */
extern bool clv_valuer_measure(ClvValuer *valuer, const ClvModelCache *model,
							   const ClvHistory *history, DateADT as_of, const ClvSummary *summary,
							   double horizon_days, double *p_alive, double *value);

#endif /* CLV_PREDICT_H */
