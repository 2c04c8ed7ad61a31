/*
 * nps.c
 *		The aggregate clv_nps: Net Promoter Score of ratings, with its margin of error.
 *
 * The state is an array of three counts, so that every PostgreSQL, shard or
 * coordinator can pass it on: promoters, passives, detractors.
 *
 * The interval is the adjusted Wald interval of Rocks (2016), "Interval
 * estimation for the Net Promoter Score", The American Statistician 70(4): three
 * fictitious answers are added, 3/4 of a promoter, 3/2 of a passive and
 * 3/4 of a detractor, and a normal interval is taken around the score of them
 * all. The plain Wald interval has width 0 where all answers are alike, and covers
 * too little where they are few; in that comparison of methods, adjusted ones and
 * an iterative score test, which takes a search for each group, did best.
 */
#include "clv.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"

enum
{
	PROMOTERS,
	PASSIVES,
	DETRACTORS,
	GROUPS
};

#define ADDED_AT_ENDS 0.75
#define ADDED_PASSIVES 1.5
#define NORMAL_975 1.959963984540054

/* No count of rows comes near it; sums of counts below it do not overflow. */
#define MOST_ANSWERS (INT64CONST(1) << 58)

/* The counts in a state, which a user may have written by hand: errors where it is not one. */
static int64 *
Counts(ArrayType *state)
{
	int64 *counts = (int64 *) clv_array_data(state);

	if (ARR_NDIM(state) != 1 || ARR_DIMS(state)[0] != GROUPS || ARR_HASNULL(state) ||
		ARR_ELEMTYPE(state) != INT8OID)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a state of clv_nps must be an array of three counts"),
						errhint("Call the aggregate clv_nps itself.")));
	for (int i = 0; i < GROUPS; i++)
		if (counts[i] < 0 || counts[i] > MOST_ANSWERS)
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							errmsg("invalid number of answers in a state of clv_nps: " INT64_FORMAT,
								   counts[i]),
							errhint("Call the aggregate clv_nps itself.")));
	return counts;
}

/* The state in argument 0, which may be changed: in place inside of an aggregate, else a copy. */
static ArrayType *
StateArgument(FunctionCallInfo fcinfo)
{
	return AggCheckCallContext(fcinfo, NULL) ? PG_GETARG_ARRAYTYPE_P(0)
											 : PG_GETARG_ARRAYTYPE_P_COPY(0);
}

/* Raises the error of a value that is not a whole number from 0 to 10. */
static pg_noinline void
InvalidRating(double value)
{
	bool inside = value >= 0 && value <= 10;

	ereport(ERROR,
			(errcode(inside ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("invalid rating: %s", clv_number_text(value)),
			 errdetail("Ratings are whole numbers from 0 to 10."),
			 inside ? errhint("Pass each answer separately: an average of answers is not a rating.")
					: errhint("Exclude such rows with FILTER, or pass NULL for a missing answer. "
							  "Answers on another scale have no NPS.")));
}

/* The group of a rating; an error unless it is a whole number from 0 to 10. */
static int
GroupOf(double rating)
{
	/* the first test fails for NaN too */
	if (unlikely(!(rating >= 0 && rating <= 10) || rating != floor(rating)))
		InvalidRating(rating);
	return rating >= 9 ? PROMOTERS : rating >= 7 ? PASSIVES : DETRACTORS;
}

/* clv_nps_add(counts, rating) -> counts with one more rating; strict. */
PG_FUNCTION_INFO_V1(clv_nps_add);
Datum
clv_nps_add(PG_FUNCTION_ARGS)
{
	ArrayType *state = StateArgument(fcinfo);

	Counts(state)[GroupOf(PG_GETARG_FLOAT8(1))]++;
	PG_RETURN_ARRAYTYPE_P(state);
}

/* clv_nps_remove(counts, rating) -> counts with one rating less, for moving window frames; strict.
 */
PG_FUNCTION_INFO_V1(clv_nps_remove);
Datum
clv_nps_remove(PG_FUNCTION_ARGS)
{
	ArrayType *state = StateArgument(fcinfo);

	Counts(state)[GroupOf(PG_GETARG_FLOAT8(1))]--;
	PG_RETURN_ARRAYTYPE_P(state);
}

/* clv_nps_combine(counts, counts) -> counts of both together; strict. */
PG_FUNCTION_INFO_V1(clv_nps_combine);
Datum
clv_nps_combine(PG_FUNCTION_ARGS)
{
	ArrayType *state = StateArgument(fcinfo);
	int64 *counts = Counts(state);
	const int64 *others = Counts(PG_GETARG_ARRAYTYPE_P(1));

	for (int i = 0; i < GROUPS; i++)
		counts[i] += others[i];
	PG_RETURN_ARRAYTYPE_P(state);
}

/* The score, its margin of error and confidence limits; all in percent. */
typedef struct Score
{
	double nps;
	double margin;
	double low;
	double high;
} Score;

/*
 * The score and its adjusted Wald interval. With three answers added, a score of p promoters,
 * q passives and d detractors, n together, has the variance (p + d) / n - ((p - d) / n)^2 per
 * answer, here in a form without cancellation where nearly all answers are alike.
 */
static Score
ScoreOf(const int64 *counts, int64 responses)
{
	double p = counts[PROMOTERS] + ADDED_AT_ENDS;
	double q = counts[PASSIVES] + ADDED_PASSIVES;
	double d = counts[DETRACTORS] + ADDED_AT_ENDS;
	double n = p + q + d;
	double net = (double) (counts[PROMOTERS] - counts[DETRACTORS]);
	double centre = 100 * net / n;
	Score score;

	score.nps = 100 * net / (double) responses;
	score.margin = 100 * NORMAL_975 * sqrt((q * (p + d) + 4 * p * d) / n) / n;
	/* after a single answer, the added ones would draw the interval away from it */
	score.low = Min(Max(centre - score.margin, -100), score.nps);
	score.high = Max(Min(centre + score.margin, 100), score.nps);
	return score;
}

/*
 * clv_nps_final(counts) -> clv_nps_score: score, margin of error and 95 % interval in percent; NULL
 * without ratings.
 */
PG_FUNCTION_INFO_V1(clv_nps_final);
Datum
clv_nps_final(PG_FUNCTION_ARGS)
{
	const int64 *counts = Counts(PG_GETARG_ARRAYTYPE_P(0));
	int64 responses = counts[PROMOTERS] + counts[PASSIVES] + counts[DETRACTORS];
	Score score;
	Datum values[8];
	bool nulls[8] = {false};

	if (responses == 0)
		PG_RETURN_NULL();
	score = ScoreOf(counts, responses);
	values[0] = Int64GetDatum(responses);
	values[1] = Int64GetDatum(counts[PROMOTERS]);
	values[2] = Int64GetDatum(counts[PASSIVES]);
	values[3] = Int64GetDatum(counts[DETRACTORS]);
	values[4] = Float8GetDatum(score.nps);
	values[5] = Float8GetDatum(score.margin);
	values[6] = Float8GetDatum(score.low);
	values[7] = Float8GetDatum(score.high);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls)));
}
