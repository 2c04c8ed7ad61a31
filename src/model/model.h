/*
 * model.h
 *		The type clv_model: a fitted, or hand-written, model as a value.
 */
#ifndef CLV_MODEL_H
#define CLV_MODEL_H

#include "clv.h"
#include "calendar/calendar.h"
#include "common/last_value.h"
#include "history/periods.h"
#include "math/linalg.h"
#include "math/shock.h"
#include "families/family.h"

typedef struct ClvPackedModel ClvPackedModel; /* varlena; its layout is private to this module */

#define DatumGetClvModelP(d) ((ClvPackedModel *) PG_DETOAST_DATUM_PACKED(d))
#define PG_GETARG_CLV_MODEL_P(n) DatumGetClvModelP(PG_GETARG_DATUM(n))
#define PG_RETURN_CLV_MODEL_P(m) PG_RETURN_POINTER(m)

/* One process of a model. */
typedef struct ClvModelPart
{
	const ClvFamily *family; /* NULL: the model has no such part */
	double param[CLV_MAX_PARAMS];

	/*
	 * Not NULL: the last covariates (followed) are those of the calendar, and change with the day;
	 * the others are numbers of the customer, but those of a path (awaited). Packed; the caller
	 * that unpacks the model owns it. Beside the parameters, as every prediction looks at it.
	 */
	ClvCalendar *calendar;
	struct ClvDerived *derived; /* of a calendar in a cache (clv_model_lookup); else NULL */

	/*
	 * Of a model with covariates: their names in the order of the vectors, the values that
	 * the parameters hold for (of a fit, the means over its customers), and the effects on
	 * purchases, or of a spend part on spend (ncovariates), then those on churn (as many). A
	 * process that the family lets no covariate move has effects of 0. A spend part has those that
	 * act on it, which the purchase part has too.
	 */
	int ncovariates;
	int followed; /* those of the calendar; 0: there is none */
	int awaited;  /* those before them, of the customers' own paths: clv_with_calendar() */
	char covariate[CLV_MAX_COVARIATES][NAMEDATALEN];
	double centre[CLV_MAX_COVARIATES];
	double effect[2 * CLV_MAX_COVARIATES];

	/* what follows is known of fitted parts only; a hand-written part has fitted = false */
	bool fitted;
	bool converged;
	bool has_covariance;

	/*
	 * Of the parameters as they are searched (logs, logits) and the effects, the
	 * lower triangle of dimension clv_model_dimension(). What a fit did not move
	 * has a row of zeros.
	 */
	double covariance[CLV_TRIANGLE(CLV_MAX_DIM)];
	int64 customers;
	double log_likelihood;
	double gradient_norm;
	int32 iterations;

	/* of a fit with a prior */
	uint64 prior;          /* which one; 0: none */
	double prior_distance; /* from its mean, in its standard deviations */
	double effective;      /* parameters and effects that the data determine; NaN: not known */

	/* of a fit with limits by the profile of the likelihood, in the order of the covariance */
	double profile;                 /* their level; 0: none */
	double profile_low[CLV_MAX_DIM]; /* NaN: not known; infinite: none */
	double profile_high[CLV_MAX_DIM];
} ClvModelPart;

/* What other modules make of the calendar of a model, once while it is in the cache. */
typedef struct ClvDerived
{
	MemoryContext context; /* where that, and the calendar, lives */
	struct ClvTimeline *timeline;
} ClvDerived;

/* A family that 'auto' tried on the same customers and found worse. */
typedef struct ClvCandidate
{
	const ClvFamily *family;
	bool converged;
	double log_likelihood; /* NaN: no fit came out */
	double bic;
} ClvCandidate;

#define CLV_MAX_CANDIDATES 8

/* A model unpacked: a purchase part, a spend part or both, and what they were fitted to. */
typedef struct ClvModel
{
	ClvModelPart purchase; /* process CLV_TRANSACTION */
	ClvModelPart spend;    /* process CLV_SPEND */

	Interval time_unit; /* as the user wrote it */
	double unit_days;   /* the same in days; > 0 */
	bool has_as_of;
	DateADT as_of;
	int32 occasion; /* grid of the histories it was fitted to; 0: not known */
	ClvSpendBasis spend_basis;
	Interval grace; /* of families with renewals: how late a payment may be */
	double grace_days;
	ClvPeriodsOf periods; /* of families of discrete time */
	ClvCounting counting; /* how these count histories; else all zero */
	ClvShock shock;       /* what moves all customers at once; an sd of 0: nothing is known of it */

	/* of a fit; NaN and 0 otherwise */
	int64 skipped;       /* customers who did not exist yet at as_of */
	int64 returned;      /* customers who came back after their contract had ended */
	int64 spend_skipped; /* repeat buyers without a positive known mean */
	double frequency_spend_correlation;
	int ncandidates; /* the families that 'auto' did not choose, the best first */
	ClvCandidate candidate[CLV_MAX_CANDIDATES];
} ClvModel;

/* Rows of the covariance: the parameters, then the effects on purchases, then on churn. */
static inline int
clv_model_dimension(const ClvModelPart *part)
{
	return part->family->nparams + 2 * part->ncovariates;
}

/* Covariates that each customer has numbers for. They come first. */
static inline int
clv_model_own_covariates(const ClvModelPart *part)
{
	return part->ncovariates - part->followed - part->awaited;
}

/* The part whose own covariates customers have numbers for, in its order. */
static inline const ClvModelPart *
clv_model_customer_part(const ClvModel *fitted)
{
	return fitted->purchase.family != NULL ? &fitted->purchase : &fitted->spend;
}

/* Whether the part comes from a fit that did not converge: it has no standard errors. */
static inline bool
clv_model_fell_short(const ClvModelPart *part)
{
	return part->family != NULL && part->fitted && !part->converged;
}

/* Whether the covariance gives standard errors of the parameters. */
static inline bool
clv_model_has_errors(const ClvModelPart *part)
{
	return part->has_covariance && !clv_model_fell_short(part);
}

/* An error that names the parameter unless each is in its range, and the last within the limits of
 * the others. */
extern void clv_model_check_parameters(const ClvFamily *family, const double *param);

/* Whether covariates of customers move the process under the family. */
extern bool clv_model_takes_effect(const ClvFamily *family, bool churn);

/* Whether an effect, one of part->effect, can move its process under the family. */
extern bool clv_model_moves(const ClvModelPart *part, int effect);

/* What an effect, one of part->effect, acts on: "purchase", "churn", "spend". */
extern const char *clv_model_process(const ClvModelPart *part, int effect);

/* The place of a covariate among those that customers have numbers for; -1: there is none. */
extern int clv_model_find_covariate(const ClvModelPart *part, const char *name);

/* Whether the fit of the part left this effect, one of part->effect, at 0. */
extern bool clv_model_is_idle(const ClvModelPart *part, int effect);

/*
 * "a 4e-09 to 888, b 1e-10 to 5e+03": the parameters that the data do not determine, with
 * their 95 % limits, palloc'd; NULL where there are none, and where limits are not known.
 */
extern char *clv_model_loose_text(const ClvModelPart *part);

/* The relative variance that the common shock which the model keeps gives a total over so many days
 * after a day. */
extern double clv_model_shock_variance(const ClvModel *fitted, DateADT as_of, double days);

/* The BIC of the part, with n the customers fitted; NaN where none were. */
extern double clv_model_bic(const ClvModelPart *part);

/* The z with P(|Z| <= z) = level, Z standard normal. */
extern double clv_normal_width(double level);

/* A ClvModel with nothing in it: weeks, no as_of, no parts. */
extern void clv_model_init(ClvModel *fitted);

/* The bytes of a model, checked; errors name what cannot be. */
extern ClvPackedModel *clv_model_pack(const ClvModel *fitted);

/* Raises an error where the bytes are no model of a known version. A calendar is palloc'd. */
extern void clv_model_unpack(const ClvPackedModel *model, ClvModel *fitted);

/*
 * A per-call-site cache, so that a query parses its model once. Keep it first in
 * whatever the call site hangs on fn_extra (allocated in fn_mcxt, zeroed).
 */
typedef struct ClvModelCache
{
	ClvModel fitted;
	ClvLastValue model; /* call sites that keep derived values compare its generation */
} ClvModelCache;

/* The model behind the datum; the cache's memory is context. */
extern const ClvModel *clv_model_lookup(ClvModelCache *cache, Datum model, MemoryContext context);

/* Whether that lookup needs no parsing; for call sites that keep several models. */
extern bool clv_model_is_cached(const ClvModelCache *cache, Datum model);

/* An error with a hint unless the model has a purchase (spend) part; the first one also where it
 * awaits the path of a customer. */
extern void clv_model_need_purchase(const ClvModel *fitted);
extern void clv_model_need_purchase_part(const ClvModel *fitted);
extern void clv_model_need_spend(const ClvModel *fitted);

#endif /* CLV_MODEL_H */
