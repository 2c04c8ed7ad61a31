/*
 * totals.c
 *		The aggregate clv_totals: totals of groups with models of their own, added up.
 *
 * Fits of different groups are independent, and so are their customers: expectations add up, and
 * variances do. A total holds the half-widths of its intervals, which are standard deviations times
 * one number for all totals of a level; so their squares add up. What moves all customers at once
 * moves all groups: its half-widths add up themselves. Sums are exact: the order of rows changes
 * nothing.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "access/htup_details.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "math/exact_sum.h"

#define AGGREGATE "clv_totals()"
#define STATE_TAG 0x746F746C

/* Two levels are the same if their limits are as many standard errors wide but for rounding. */
#define SAME_WIDTH 1e-6

/* The columns of one quantity in a clv_total, after its first. */
enum
{
	STD_ERROR = 1,
	MEAN_LOW,
	MEAN_HIGH,
	LOW,
	HIGH,
	LOW_WITHOUT, /* what moves all customers at once */
	HIGH_WITHOUT,
	COLUMNS
};

#define QUANTITIES 2
#define TOTAL_COLUMNS (1 + QUANTITIES * COLUMNS)

/* What is summed of one quantity: expectations, three variances, and half-widths. */
enum
{
	EXPECTED,
	ERROR_VARIANCE,
	MEAN_SQUARE, /* of the half-width of the confidence interval */
	SQUARE,      /* of that of the prediction interval without the common shock */
	SHOCK,       /* half-width that the common shock gives it by itself */
	SUMS
};

/* One quantity of all totals. */
typedef struct Quantity
{
	ClvExactSum sum[SUMS];
	bool unknown[SUMS]; /* a total does not have it */
} Quantity;

/* The totals so far. */
typedef struct TotalsState
{
	uint32 tag; /* STATE_TAG */
	int64 customers;
	double width; /* of confidence intervals in standard errors; 0: not known yet */
	Quantity quantity[QUANTITIES];
} TotalsState;

/* An error where the level of a total is another than that of those before it. */
static void
CheckLevel(TotalsState *state, double width)
{
	if (!(width > 0) || !isfinite(width))
		return;
	if (state->width == 0)
		state->width = width;
	if (fabs(width / state->width - 1) > SAME_WIDTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("totals have different levels"),
				 errdetail("The limits of one are %g standard errors wide, those of another "
						   "%g.",
						   state->width, width),
				 errhint("Give clv_predict_total the same level for all groups.")));
}

/* Adds a number, or notes that it is not known. */
static void
AddNumber(Quantity *quantity, int which, bool known, double value)
{
	if (known)
		clv_exact_add(&quantity->sum[which], value);
	else
		quantity->unknown[which] = true;
}

/* The half-width between the limits from column low on, of which that on the side of 0 may have been
 * cut off there. */
static double
Width(const double *number, int low)
{
	return number[0] < 0 ? number[0] - number[low] : number[low + 1] - number[0];
}

/* Adds the columns of one quantity. */
static void
AddQuantity(TotalsState *state, Quantity *quantity, const Datum *values, const bool *nulls)
{
	double number[COLUMNS];
	double width;
	double spread;
	double without;
	bool known = !nulls[LOW] && !nulls[HIGH] && !nulls[LOW_WITHOUT] && !nulls[HIGH_WITHOUT];

	for (int i = 0; i < COLUMNS; i++)
	{
		number[i] = nulls[i] ? 0 : DatumGetFloat8(values[i]);
		if (!isfinite(number[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("numbers of a total must be finite: %s", clv_number_text(number[i]))));
	}
	width = Width(number, MEAN_LOW);
	spread = Width(number, LOW);
	without = Width(number, LOW_WITHOUT);
	AddNumber(quantity, EXPECTED, !nulls[0], number[0]);
	AddNumber(quantity, ERROR_VARIANCE, !nulls[STD_ERROR], number[STD_ERROR] * number[STD_ERROR]);
	AddNumber(quantity, MEAN_SQUARE, !nulls[MEAN_LOW] && !nulls[MEAN_HIGH], width * width);
	AddNumber(quantity, SQUARE, known, without * without);
	AddNumber(quantity, SHOCK, known, sqrt(Max(spread * spread - without * without, 0)));
	if (!nulls[STD_ERROR] && !nulls[MEAN_LOW] && !nulls[MEAN_HIGH])
		CheckLevel(state, width / number[STD_ERROR]);
}

PG_FUNCTION_INFO_V1(clv_total_collect);

/* clv_total_collect(internal, clv_total) -> internal: adds a total; NULL is skipped */
Datum
clv_total_collect(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	TotalsState *state = clv_state_argument(fcinfo, 0, STATE_TAG, AGGREGATE);
	HeapTupleHeader total;
	Datum values[TOTAL_COLUMNS];
	bool nulls[TOTAL_COLUMNS];

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	if (state == NULL)
	{
		state = MemoryContextAllocZero(context, sizeof(TotalsState));
		state->tag = STATE_TAG;
	}
	total = PG_GETARG_HEAPTUPLEHEADER(1);
	for (int i = 0; i < TOTAL_COLUMNS; i++)
		values[i] = GetAttributeByNum(total, (AttrNumber) (i + 1), &nulls[i]);
	state->customers += nulls[0] ? 0 : DatumGetInt64(values[0]);
	for (int q = 0; q < QUANTITIES; q++)
		AddQuantity(state, &state->quantity[q], values + 1 + q * COLUMNS, nulls + 1 + q * COLUMNS);
	PG_RETURN_POINTER(state);
}

/* Sets a column, to NULL where it is not known. */
static void
Put(Datum *values, bool *nulls, int i, bool known, double value)
{
	nulls[i] = !known;
	values[i] = known ? Float8GetDatum(value + 0.0) : (Datum) 0;
}

/* Sets both limits, which do not cross 0. */
static void
PutLimits(Datum *values, bool *nulls, int low, bool known, double mean, double width)
{
	double lowest = mean - width;
	double highest = mean + width;

	Put(values, nulls, low, known, mean < 0 ? lowest : Max(lowest, 0));
	Put(values, nulls, low + 1, known, mean < 0 ? Min(highest, 0) : highest);
}

/* Sets the columns of one quantity. */
static void
PutQuantity(const Quantity *quantity, Datum *values, bool *nulls)
{
	double sum[SUMS];
	bool known = !quantity->unknown[EXPECTED];

	for (int i = 0; i < SUMS; i++)
		sum[i] = clv_exact_value(&quantity->sum[i]);
	Put(values, nulls, 0, known, sum[EXPECTED]);
	Put(values, nulls, STD_ERROR, known && !quantity->unknown[ERROR_VARIANCE],
		sqrt(sum[ERROR_VARIANCE]));
	PutLimits(values, nulls, MEAN_LOW, known && !quantity->unknown[MEAN_SQUARE], sum[EXPECTED],
			  sqrt(sum[MEAN_SQUARE]));
	PutLimits(values, nulls, LOW, known && !quantity->unknown[SQUARE], sum[EXPECTED],
			  sqrt(sum[SQUARE] + sum[SHOCK] * sum[SHOCK]));
	PutLimits(values, nulls, LOW_WITHOUT, known && !quantity->unknown[SQUARE], sum[EXPECTED],
			  sqrt(sum[SQUARE]));
}

PG_FUNCTION_INFO_V1(clv_total_collected);

/* clv_total_collected(internal) -> clv_total: the sums; NULL without a total */
Datum
clv_total_collected(PG_FUNCTION_ARGS)
{
	TotalsState *state;
	Datum values[TOTAL_COLUMNS];
	bool nulls[TOTAL_COLUMNS];

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	state = clv_state_argument(fcinfo, 0, STATE_TAG, AGGREGATE);
	if (state == NULL)
		PG_RETURN_NULL();
	values[0] = Int64GetDatum(state->customers);
	nulls[0] = false;
	for (int q = 0; q < QUANTITIES; q++)
		PutQuantity(&state->quantity[q], values + 1 + q * COLUMNS, nulls + 1 + q * COLUMNS);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_row_type(fcinfo), values, nulls)));
}
