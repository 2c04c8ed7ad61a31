/*
 * score.h
 *		Scores: the rank of a customer in a population, from 1 (worst) to bins (best).
 *
 * Six measures of a customer are cut at the quantiles i/bins of the population. A score is
 * 1 + the number of cuts strictly below the value, so that equal values share it, whatever
 * the order of the rows; recency and churn count from the other end.
 */
#ifndef CLV_SCORE_H
#define CLV_SCORE_H

#include "clv.h"

#include "access/htup_details.h"

#include "model/model.h"
#include "history/history.h"
#include "predict/predict.h"

#define CLV_MIN_BINS 2
#define CLV_MAX_BINS 100
#define CLV_DEFAULT_BINS 5

/* The order of the columns of clv_scores. */
typedef enum ClvMeasure
{
	CLV_RECENCY,   /* days since the last purchase */
	CLV_FREQUENCY, /* purchases */
	CLV_MONETARY,  /* total net spend */
	CLV_TENURE,    /* days since the first purchase */
	CLV_CHURN,     /* 1 - P(alive); needs a model */
	CLV_VALUE,     /* undiscounted value of the year ahead; needs a model */
	CLV_MEASURES
} ClvMeasure;

#define CLV_PLAIN_MEASURES CLV_CHURN /* those that need no model come first */

/* The name of each measure, such as "recency", and the letter of its score. */
extern const char *const clv_measure_name[CLV_MEASURES];
extern const char clv_score_letter[CLV_MEASURES + 1];

/* Whether a low value of a measure is a high score. */
extern const bool clv_low_is_good[CLV_MEASURES];

/*
 * The measures of a customer as of a day; those that need a model are NaN where it
 * is NULL. The valuer keeps what customers share. False where the customer does
 * not exist yet.
 */
extern bool clv_measure(const ClvHistory *history, const ClvModelCache *model, ClvValuer *valuer,
						DateADT as_of, double value[CLV_MEASURES]);

/* The cut points of a population, unpacked: bins - 1 for each measure, which has 0 bins where it is
 * not cut. */
typedef struct ClvCutPoints
{
	int bins[CLV_MEASURES];
	double cut[CLV_MEASURES][CLV_MAX_BINS - 1];
} ClvCutPoints;

/* The scores of a customer, 0 where the measure is not known, and P(alive), NaN where it is not. */
typedef struct ClvScores
{
	double p_alive;
	uint8 score[CLV_MEASURES];
} ClvScores;

/* Scores the measures of a customer against the cuts; 0 where either is not known. P(alive) is taken
 * along as it is. */
extern void clv_score(const ClvCutPoints *cuts, const double value[CLV_MEASURES],
					  ClvScores *scores);

/*
 * Cuts of n values at the quantiles i/bins, interpolated as percentile_cont()
 * does (type 7). The values are reordered. n >= 1, no NaN.
 */
extern void clv_quantile_cuts(double *values, int64 n, int bins, double *cuts);

/*
 * The rank of the quantile i/bins among n values, counted from 0, and how far it is on the way to
 * the next rank, in parts of bins; and the value there.
 */
extern int64 clv_quantile_rank(int64 n, int bins, int i, int *part);
extern double clv_quantile_between(double low, double high, int part, int bins);

/* Raises an error unless CLV_MIN_BINS <= bins <= CLV_MAX_BINS. */
extern void clv_check_bins(int bins);

/* The row type that the function returns, for clv_scores_datum(). */
extern TupleDesc clv_scores_desc(FmgrInfo *flinfo);

/* The scores as a row of the type clv_scores; NULL for 0, and for an unknown P(alive). */
extern Datum clv_scores_datum(TupleDesc desc, const ClvScores *scores);

/* The inverse; 0 for NULL, NaN for a NULL P(alive). False where all are NULL. */
extern bool clv_scores_read(TupleDesc desc, HeapTupleHeader row, ClvScores *scores);

#endif /* CLV_SCORE_H */
