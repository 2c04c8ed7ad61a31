/*
 * total.h
 *		What clv_predict_total adds up over customers.
 *
 * Of a customer, with p = P(alive), E and D their expected and discounted purchases
 * given alive, e their expected spend and m the margin, this is
 *
 *	purchases	p E, and their variance p E[N^2 | alive] - (p E)^2
 *	value		m p D e, and its variance (m D / E)^2 Var(S): of the spend S of
 *				the horizon, discounted as much as it is on average, with
 *				Var(S) = p (E E[z^2] + E[N (N - 1) | alive] E[z z']) - (p E e)^2
 *
 * and the gradients of purchases and value by the parameters on the scale of the fit. With
 * the covariance of the estimates they give the variance of the expected totals,
 * gradient' covariance gradient (the delta method). Both fits are independent of
 * each other. Var(total) = sum of the customers' variances + that of the expectation,
 * since customers are independent given the parameters. Each customer may have a calendar of their
 * own, as long as it is one fit whose parameters and effects move them all.
 *
 * A common shock moves all of them together, so that its standard deviations add up: of a customer
 * the expectation times that of the mean shock over the horizon (clv_shock_variance()).
 */
#ifndef CLV_TOTAL_H
#define CLV_TOTAL_H

#include "math/exact_sum.h"
#include "predict/predict_private.h"
#include "utils/expandeddatum.h"

/* The sums: these, then the gradients of purchases and of value by the purchase part's
 * parameters and effects, then that of value by the spend part's; of a model that keeps a common
 * shock, at the end its standard deviations of purchases and of value. */
enum
{
	CLV_TOTAL_PURCHASES,
	CLV_TOTAL_VALUE,
	CLV_TOTAL_PURCHASES_VARIANCE,
	CLV_TOTAL_VALUE_VARIANCE,
	CLV_TOTAL_GRADIENTS
};

/* The last sums of a model that keeps a common shock: of purchases, and of value. */
#define CLV_TOTAL_SHOCKS 2

#define CLV_TOTAL_LEVEL 0.95

/*
 * The type clv_sums as it is stored, after the varlena header, in network order: version (1 byte),
 * level (8), customers (8), size of the model (4), the model's own bytes, the sums
 * (common/exact.h). The bytes are canonical.
 */
typedef struct ClvSums
{
	int32 vl_len_;
	char data[FLEXIBLE_ARRAY_MEMBER];
} ClvSums;

#define PG_GETARG_CLV_SUMS_P(n) ((ClvSums *) PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(n)))

/* The type while it grows: sums over the customers of one model. */
typedef struct ClvTotal
{
	ExpandedObjectHeader hdr;
	ClvSums *flat;         /* made when its size was asked for */
	ClvPackedModel *model; /* one for all customers, but for their calendars */
	double level;          /* of both intervals */
	int64 customers;

	/* the model at the call site that wrote last, which need not be compared again */
	const ClvModelSite *site;
	uint64 generation;

	/* of the last customer whom a common shock moves: the standard deviation, and what it is of */
	double shock;
	double shock_horizon;
	DateADT shock_as_of;

	int nsums;
	ClvExactSum *sum;
} ClvTotal;

/* The number of sums that a model needs. */
static inline int
clv_total_sums(const ClvModel *fitted)
{
	return CLV_TOTAL_GRADIENTS + 2 * clv_model_dimension(&fitted->purchase) +
		   (fitted->spend.family != NULL ? clv_model_dimension(&fitted->spend) : 0) +
		   (fitted->shock.sd > 0 ? CLV_TOTAL_SHOCKS : 0);
}

/* ---- the type (sums_type.c) ---- */

/*
 * What all customers of a total have of their model, whose bytes are given too: without a calendar,
 * which each may have by themselves, and as if it were awaited.
 */
extern const ClvPackedModel *clv_total_model(const ClvPackedModel *model, const ClvModel *fitted);

/* A total of no customers, in a memory context of its own below parent; the model, as it is behind
 * the bytes and not moved by covariates, is copied. */
extern ClvTotal *clv_total_create(MemoryContext parent, const ClvPackedModel *model,
								  const ClvModel *fitted, double level);

/* A copy of the total below parent, bound to no call site. */
extern ClvTotal *clv_total_copy(const ClvTotal *total, MemoryContext parent);

/* The object behind a clv_sums where it may be changed in place, else a copy of it below parent. */
extern ClvTotal *clv_total_writable(Datum sums, MemoryContext parent);

/* The same to be read while the datum lives. */
extern const ClvTotal *clv_total_view(Datum sums);

/* ---- the aggregate (predict_total.c) ---- */

/* Binds the total to the call site that adds to it; errors where its model or level is another. */
extern void clv_total_bind(ClvTotal *total, const ClvModelSite *site, const ClvPackedModel *model,
						   double level);

/* Adds the customers of another total; errors where its model or level is another. */
extern void clv_total_merge(ClvTotal *total, const ClvTotal *other);

/* The variances of the expected totals by the delta method; NaN where a fit has no covariance. */
extern void clv_total_variances(const ClvTotal *total, const ClvModel *fitted, double *purchases,
								double *value);

/* The standard deviation that a common shock gives the total of purchases, or of value; 0 where the
 * model keeps none. */
extern double clv_total_shock(const ClvTotal *total, const ClvModel *fitted, bool of_value);

/* ---- customers (total_terms.c) ---- */

/* The width of memo that a call site needs to add customers. */
extern const int clv_total_memo_width;

/* Adds a customer under the site's model, terms and covariates. */
extern void clv_total_add(ClvTotal *total, ClvModelSite *site, const ClvCustomer *customer,
						  double margin);

#endif /* CLV_TOTAL_H */
