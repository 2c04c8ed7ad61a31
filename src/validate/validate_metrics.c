/*
 * validate_metrics.c
 *		The aggregate clv_metrics: how good predictions of any kind were, from what was predicted
 *		and what came.
 *
 * Every pair is kept, as ranks need all of them. Sums are exact and ties share their ranks, so that
 * the result is the same to the last bit in any order of rows. Errors and amounts are divided by a
 * power of two before they are squared or multiplied, which changes no digit and keeps large ones
 * in range.
 */
#include "common/exact.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "math/sort.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define AGGREGATE "clv_metrics()"
#define STATE_TAG 0x6D747263
#define FIRST_CAPACITY 16

/* The lift is that of one in so many, with the highest predictions. */
#define PARTS 10.0

/* The actual and the predicted value of one customer. */
typedef struct Pair
{
	double actual;
	double predicted;
	double rank; /* of the prediction, from the middle; set by Rank() */
} Pair;

/* The pairs so far. */
typedef struct MetricsState
{
	uint32 tag;    /* STATE_TAG */
	int64 skipped; /* pairs with a NULL */
	int64 pairs;
	int64 capacity;
	Pair *pair;
} MetricsState;

/* The state that an argument is; NULL: none yet. An error for the state of another aggregate. */
static MetricsState *
StateArgument(FunctionCallInfo fcinfo, int arg)
{
	return clv_state_argument(fcinfo, arg, STATE_TAG, AGGREGATE);
}

/* The number in an argument; an error that names it where it is not finite. */
static double
FiniteArgument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	double value = PG_GETARG_FLOAT8(arg);

	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number: %s", name, clv_number_text(value)),
				 errhint("Leave such rows out with FILTER, or make them NULL: pairs with a NULL "
						 "are skipped and counted.")));
	return value;
}

PG_FUNCTION_INFO_V1(clv_metrics_add);

/*
 * clv_metrics_add(internal, actual, predicted) -> internal: takes a pair into the state; pairs with
 * a NULL are counted only, numbers that are not finite are errors
 */
Datum
clv_metrics_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	MetricsState *state = StateArgument(fcinfo, 0);
	Pair pair = {0};

	if (state == NULL)
	{
		state = MemoryContextAllocZero(context, sizeof(MetricsState));
		state->tag = STATE_TAG;
	}
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		state->skipped++;
		PG_RETURN_POINTER(state);
	}
	pair.actual = FiniteArgument(fcinfo, 1, "actual");
	pair.predicted = FiniteArgument(fcinfo, 2, "predicted");
	if (state->pairs == state->capacity)
	{
		state->capacity = Max(2 * state->capacity, FIRST_CAPACITY);
		state->pair = state->pair == NULL
						  ? MemoryContextAllocHuge(context, state->capacity * sizeof(Pair))
						  : repalloc_huge(state->pair, state->capacity * sizeof(Pair));
	}
	state->pair[state->pairs++] = pair;
	PG_RETURN_POINTER(state);
}

/* ---- the measures ---- */

/* Sums over pairs. */
enum
{
	ACTUAL,
	PREDICTED,
	ERROR_SUM,
	SQUARE,
	RANKS, /* products of both ranks */
	RANK_SQUARE,
	ACTUAL_RANK_SQUARE,
	CONCENTRATION, /* amounts times the ranks of their predictions */
	BEST,          /* amounts times their own ranks */
	HIGHEST,       /* amounts of the top part, as many times as there are parts */
	SUMS
};

/* The sums, and the powers of two by which numbers are divided before they are added. */
typedef struct Measures
{
	ClvExactSum sum[SUMS];
	double value[SUMS];
	int error_scale;
	int actual_scale;
} Measures;

/* Whether a comes before b, by prediction. */
static bool
PredictedLess(const void *a, const void *b)
{
	return ((const Pair *) a)->predicted < ((const Pair *) b)->predicted;
}

/* The same by what came. */
static bool
ActualLess(const void *a, const void *b)
{
	return ((const Pair *) a)->actual < ((const Pair *) b)->actual;
}

static const ClvSorter by_prediction = {sizeof(Pair), 0, NULL, PredictedLess};
static const ClvSorter by_actual = {sizeof(Pair), 0, NULL, ActualLess};

/* The poll of a long sort: checks for interrupts. */
static void
Interrupt(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

/* The end of the run of pairs from i on that are equal by less. */
static int64
RunEnd(const Pair *pair, int64 n, int64 i, bool (*less)(const void *, const void *))
{
	int64 end = i + 1;

	while (end < n && !less(&pair[i], &pair[end]))
		end++;
	return end;
}

/* The rank of pairs i .. end - 1 of n, which are equal, counted from the middle. */
static double
MeanRank(int64 n, int64 i, int64 end)
{
	return ((double) i + (double) end - (double) n) / 2;
}

/*
 * Ranks the predictions, which are in order; those that are equal share the top part evenly. A pair
 * that is in it as a whole counts as often as there are parts, so that all weights add up to n.
 */
static void
Rank(Pair *pair, int64 n, Measures *measures)
{
	for (int64 i = 0, end; i < n; i = end)
	{
		double rank;
		double top;

		end = RunEnd(pair, n, i, PredictedLess);
		rank = MeanRank(n, i, end);
		top = fmin(fmax((double) n - PARTS * (double) (n - end), 0) / (double) (end - i), PARTS);
		for (int64 j = i; j < end; j++)
		{
			double amount = ldexp(pair[j].actual, -measures->actual_scale);

			pair[j].rank = rank;
			clv_exact_add(&measures->sum[RANK_SQUARE], rank * rank);
			clv_exact_add(&measures->sum[CONCENTRATION], amount * rank);
			clv_exact_add(&measures->sum[HIGHEST], amount * top);
		}
		CHECK_FOR_INTERRUPTS();
	}
}

/* Compares what came, which is in order, with the ranks of the predictions. */
static void
Compare(const Pair *pair, int64 n, Measures *measures)
{
	for (int64 i = 0, end; i < n; i = end)
	{
		double rank;

		end = RunEnd(pair, n, i, ActualLess);
		rank = MeanRank(n, i, end);
		for (int64 j = i; j < end; j++)
		{
			clv_exact_add(&measures->sum[RANKS], rank * pair[j].rank);
			clv_exact_add(&measures->sum[ACTUAL_RANK_SQUARE], rank * rank);
			clv_exact_add(&measures->sum[BEST],
						  ldexp(pair[j].actual, -measures->actual_scale) * rank);
		}
		CHECK_FOR_INTERRUPTS();
	}
}

/* The error of a pair; an error of its own where doubles do not hold it. */
static double
ErrorOf(const Pair *pair)
{
	double error = pair->predicted - pair->actual;

	if (unlikely(isinf(error)))
		float_overflow_error();
	return error;
}

/* Sets the scales of errors and amounts, and sums both up. */
static void
AddErrors(const Pair *pair, int64 n, Measures *measures)
{
	double largest_error = 0;
	double largest = 0;

	for (int64 i = 0; i < n; i++)
	{
		largest_error = fmax(largest_error, fabs(ErrorOf(&pair[i])));
		largest = fmax(largest, fabs(pair[i].actual));
	}
	(void) frexp(largest_error, &measures->error_scale);
	(void) frexp(largest, &measures->actual_scale);
	for (int64 i = 0; i < n; i++)
	{
		double error = ErrorOf(&pair[i]);
		double scaled = ldexp(error, -measures->error_scale);

		clv_exact_add(&measures->sum[ACTUAL], pair[i].actual);
		clv_exact_add(&measures->sum[PREDICTED], pair[i].predicted);
		clv_exact_add(&measures->sum[ERROR_SUM], fabs(error));
		clv_exact_add(&measures->sum[SQUARE], scaled * scaled);
		if (i % CLV_SORT_SLICE == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/* Computes all sums over the pairs of the state, which stays as it is. */
static void
Measure(const MetricsState *state, Measures *measures)
{
	int64 n = state->pairs;
	Size size = n * sizeof(Pair);
	Pair *pair = MemoryContextAllocHuge(CurrentMemoryContext, 2 * size);
	ClvPoll poll = {.call = Interrupt};

	memset(measures, 0, sizeof(*measures));
	memcpy(pair, state->pair, size);
	AddErrors(pair, n, measures);
	clv_sort(&by_prediction, pair, pair + n, n, NULL, &poll);
	Rank(pair, n, measures);
	clv_sort(&by_actual, pair, pair + n, n, NULL, &poll);
	Compare(pair, n, measures);
	pfree(pair);
	for (int i = 0; i < SUMS; i++)
		measures->value[i] = clv_exact_value(&measures->sum[i]);
}

/* The columns of clv_accuracy. */
enum
{
	COL_PAIRS,
	COL_SKIPPED,
	COL_ACTUAL,
	COL_PREDICTED,
	COL_TOTAL_ERROR,
	COL_BIAS,
	COL_MAE,
	COL_RMSE,
	COL_RANK_CORRELATION,
	COL_GINI,
	COL_LIFT,
	COLUMNS
};

/* Puts a ratio into a column; NULL where the denominator is not positive. */
static void
PutRatio(Datum *values, bool *nulls, int column, double value, double by)
{
	nulls[column] = !(by > 0);
	values[column] = nulls[column] ? (Datum) 0 : Float8GetDatum(value / by);
}

PG_FUNCTION_INFO_V1(clv_metrics_final);

/* clv_metrics_final(internal) -> clv_accuracy; NULL without a row, all but counts NULL without a
 * pair */
Datum
clv_metrics_final(PG_FUNCTION_ARGS)
{
	const MetricsState *state = StateArgument(fcinfo, 0);
	Datum values[COLUMNS] = {0};
	bool nulls[COLUMNS];
	Measures measures;
	const double *sum = measures.value;
	double ranks;
	double n;

	if (state == NULL)
		PG_RETURN_NULL();
	memset(nulls, true, sizeof(nulls));
	values[COL_PAIRS] = Int64GetDatum(state->pairs);
	values[COL_SKIPPED] = Int64GetDatum(state->skipped);
	nulls[COL_PAIRS] = nulls[COL_SKIPPED] = false;
	n = (double) state->pairs;
	if (state->pairs > 0)
	{
		Measure(state, &measures);
		if (isinf(sum[ACTUAL]) || isinf(sum[PREDICTED]) || isinf(sum[ERROR_SUM]))
			float_overflow_error();
		PutRatio(values, nulls, COL_ACTUAL, sum[ACTUAL], 1);
		PutRatio(values, nulls, COL_PREDICTED, sum[PREDICTED], 1);
		PutRatio(values, nulls, COL_TOTAL_ERROR, sum[PREDICTED] - sum[ACTUAL], sum[ACTUAL]);
		PutRatio(values, nulls, COL_BIAS, sum[PREDICTED] - sum[ACTUAL], n);
		PutRatio(values, nulls, COL_MAE, sum[ERROR_SUM], n);
		PutRatio(values, nulls, COL_RMSE, ldexp(sqrt(sum[SQUARE] / n), measures.error_scale), 1);
		ranks = sqrt(sum[RANK_SQUARE] * sum[ACTUAL_RANK_SQUARE]);
		PutRatio(values, nulls, COL_RANK_CORRELATION, fmin(fmax(sum[RANKS], -ranks), ranks), ranks);
		PutRatio(values, nulls, COL_GINI, sum[CONCENTRATION], sum[BEST]);
		PutRatio(values, nulls, COL_LIFT, sum[HIGHEST], ldexp(sum[ACTUAL], -measures.actual_scale));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls)));
}
