/*
 * fitted.h
 *		The type clv_model: a fitted, or hand-written, model as a value.
 */
#ifndef CLV_FITTED_H
#define CLV_FITTED_H

#include "clv.h"
#include "history/history.h"
#include "model/family.h"

typedef struct ClvModel ClvModel;	/* varlena; its layout is the room's own business */

#define DatumGetClvModelP(d) ((ClvModel *) PG_DETOAST_DATUM_PACKED(d))
#define PG_GETARG_CLV_MODEL_P(n) DatumGetClvModelP(PG_GETARG_DATUM(n))
#define PG_RETURN_CLV_MODEL_P(m) PG_RETURN_POINTER(m)

/* One process of a model. */
typedef struct ClvFittedPart
{
	const ClvFamily *family;	/* NULL: the model has no such part */
	double		param[CLV_MAX_PARAMS];

	/* what follows is known of fitted parts only; a hand-written part has fitted = false */
	bool		fitted;
	bool		converged;
	bool		has_covariance;
	double		covariance[CLV_MAX_HESSIAN];	/* of the logs of the parameters, lower triangle */
	int64		customers;
	double		log_likelihood;
	double		gradient_norm;
	int32		iterations;
} ClvFittedPart;

typedef struct ClvFitted
{
	ClvFittedPart purchase;		/* process CLV_TRANSACTION */
	ClvFittedPart spend;		/* process CLV_SPEND */

	Interval	time_unit;		/* as the user wrote it */
	double		unit_days;		/* the same in days; > 0 */
	bool		has_as_of;
	DateADT		as_of;
	int32		occasion;		/* grid of the histories it was fitted to; 0: not known */
	ClvSpendBasis spend_basis;

	/* of a fit; NaN and 0 otherwise */
	int64		skipped;		/* customers who did not exist yet at as_of */
	int64		spend_skipped;	/* repeat buyers without a positive known mean */
	double		frequency_spend_correlation;
} ClvFitted;

/* A ClvFitted with nothing in it: weeks, no as_of, no parts. */
extern void clv_fitted_init(ClvFitted *fitted);

extern ClvModel *clv_fitted_pack(const ClvFitted *fitted);

/* Raises an error where the bytes are no model of a known version. */
extern void clv_fitted_unpack(const ClvModel *model, ClvFitted *fitted);

/*
 * A per-call-site cache, so that a query parses its model once. Keep it first in
 * whatever the call site hangs on fn_extra (allocated in fn_mcxt, zeroed).
 */
typedef struct ClvFittedCache
{
	ClvFitted	fitted;
	Pointer		key;			/* copy of the datum as it came, toast pointer or bytes */
	Size		key_size;
	uint64		generation;		/* counts the models seen: whoever memoizes compares it */
} ClvFittedCache;

/* The model behind the datum; the cache's memory is context. */
extern const ClvFitted *clv_fitted_lookup(ClvFittedCache *cache, Datum model,
										  MemoryContext context);

/* Whether that lookup would be answered without parsing, for call sites that keep several models. */
extern bool clv_fitted_is_cached(const ClvFittedCache *cache, Datum model);

/* Errors with a hint unless the model has a purchase (spend) part. */
extern void clv_fitted_need_purchase(const ClvFitted *fitted);
extern void clv_fitted_need_spend(const ClvFitted *fitted);

#endif							/* CLV_FITTED_H */
