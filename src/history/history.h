/*
 * history.h
 *		The type clv_history: one customer's purchase occasions.
 */
#ifndef CLV_HISTORY_H
#define CLV_HISTORY_H

#include "clv.h"

typedef struct ClvHistory ClvHistory; /* varlena; its layout is private to this module */

#define DatumGetClvHistoryP(d) ((ClvHistory *) PG_DETOAST_DATUM_PACKED(d))
#define PG_GETARG_CLV_HISTORY_P(n) DatumGetClvHistoryP(PG_GETARG_DATUM(n))
#define PG_RETURN_CLV_HISTORY_P(h) PG_RETURN_POINTER(h)

/* Which purchases count for the mean spend. */
typedef enum ClvSpendBasis
{
	CLV_SPEND_REPEAT, /* repeat purchases only, as the literature fits gamma/gamma */
	CLV_SPEND_ALL     /* the first purchase too */
} ClvSpendBasis;

/*
 * What a history says as of a day (inclusive). purchases = 0: the customer does
 * not exist yet, and nothing else is set but total_spend, total_known and
 * the occasion.
 */
typedef struct ClvSummary
{
	int32 purchases;       /* occasions on which something was bought; x = purchases - 1 */
	DateADT first;         /* day of the first purchase */
	DateADT last;          /* day of the last one */
	int32 spend_purchases; /* purchases of known value under the basis */
	double spend;          /* their sum, net of the refunds that follow them */
	double total_spend;    /* everything net, refunds before the first purchase included */
	bool total_known;      /* false: not one amount is known, and total_spend is 0 */
	int32 occasion;        /* days of the grid */
} ClvSummary;

/*
 * One pass over the history, no allocation. as_of = DATEVAL_NOEND (infinity):
 * the whole history. The history must be detoasted (packed is enough).
 */
extern void clv_history_summarize(const ClvHistory *history, DateADT as_of, ClvSpendBasis basis,
								  ClvSummary *summary);

/* Purchases with since < day <= until. */
extern int32 clv_history_count(const ClvHistory *history, DateADT since, DateADT until);

/* Call for every purchase up to as_of but the first: days since the one before. */
extern void clv_history_gaps(const ClvHistory *history, DateADT as_of,
							 void (*gap)(void *arg, int32 days), void *arg);

/* Call for every purchase of known amount up to as_of: its value, net of the refunds that follow
 * it. */
extern void clv_history_spends(const ClvHistory *history, DateADT as_of,
							   void (*spend)(void *arg, double amount), void *arg);

/* The known amounts of since < day <= until summed up, refunds taken off; NULL where none is known.
 */
extern Numeric clv_history_spend_between(const ClvHistory *history, DateADT since, DateADT until);

/* The day of the last purchase up to as_of; DATEVAL_NOBEGIN without any. */
extern DateADT clv_history_last_purchase(const ClvHistory *history, DateADT as_of);

/*
 * The columns of clv_rfmtc as of a day,given the summary of the history as of that day (any basis);
 * churn is NULL.
 */
#define CLV_RFMTC_COLUMNS 5
#define CLV_RFMTC_CHURN 4
extern void clv_rfmtc_columns(const ClvHistory *history, DateADT as_of, const ClvSummary *summary,
							  Datum *values, bool *nulls);

/* The history as it was known on a day: without what came later; itself where nothing did. */
extern const ClvHistory *clv_history_until(const ClvHistory *history, DateADT as_of);

/* Days of its occasion grid (1 unless the history was made with another). */
extern int32 clv_history_occasion(const ClvHistory *history);

/* 'repeat' or 'all'; anything else is an error that names the value. */
extern ClvSpendBasis clv_spend_basis(const char *name);

/* The name of a basis, as users write it. */
extern const char *clv_spend_basis_name(ClvSpendBasis basis);

/* To be called when the module is loaded: lets parallel workers know the node of plans that
 * clv_histories adds. */
extern void clv_histories_register(void);

#endif /* CLV_HISTORY_H */
