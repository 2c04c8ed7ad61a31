/*
 * pipeline_hundredths.c
 *		The aggregate clv_pipeline_hundredths: what the most valuable hundredths of the
 *		customers bring.
 *
 * The state is the values of all customers, 8 bytes each, sorted once at the end: a
 * fraction of what it takes to sort rows, number them and group them. Sums are exact, so
 * that equal customers make equal rows in any order.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"

#include "clv.h"
#include "math/exact_sum.h"

#define AGGREGATE "clv_pipeline_hundredths()"
#define STATE_TAG 0x68756E64
#define HUNDREDTHS 100

/* What the aggregate returns of each hundredth, in this order. */
enum
{
	CUSTOMERS,
	NET,      /* sum of the values */
	POSITIVE, /* sum of those above zero */
	WEIGHTED, /* the same, each times its place: 1 for the largest */
	COLUMNS
};

#define ST_SORT SortDescending
#define ST_ELEMENT_TYPE double
#define ST_COMPARE(a, b) (*(a) > *(b) ? -1 : *(a) < *(b) ? 1 : 0)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The state of the aggregate: values, in any order. */
typedef struct Values
{
	uint32 tag; /* STATE_TAG */
	int64 n;
	int64 room;
	double *value;
} Values;

/* The state that an argument is; NULL: none yet. An error for the state of another aggregate. */
static Values *
StateArgument(FunctionCallInfo fcinfo, int arg)
{
	return clv_state_argument(fcinfo, arg, STATE_TAG, AGGREGATE);
}

/* No values, with room for some. */
static Values *
NewState(MemoryContext context, int64 room)
{
	Values *state = MemoryContextAllocZero(context, sizeof(Values));

	state->tag = STATE_TAG;
	state->room = Max(room, 1024);
	state->value = MemoryContextAllocHuge(context, (Size) state->room * sizeof(double));
	return state;
}

/* Makes room for so many more. */
static void
Reserve(Values *state, int64 more)
{
	if (state->n + more <= state->room)
		return;
	state->room = Max(2 * state->room, state->n + more);
	state->value = repalloc_huge(state->value, (Size) state->room * sizeof(double));
}

PG_FUNCTION_INFO_V1(clv_pipeline_hundredths_add);

/* clv_pipeline_hundredths_add(internal, float8) -> internal; NULL is a customer of value 0 */
Datum
clv_pipeline_hundredths_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	Values *state = StateArgument(fcinfo, 0);
	double value = PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1);

	if (!isfinite(value))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("the value of a customer must be finite: %g", value)));
	if (state == NULL)
		state = NewState(context, 0);
	Reserve(state, 1);
	state->value[state->n++] = value;
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(clv_pipeline_hundredths_combine);

/* clv_pipeline_hundredths_combine(internal, internal) -> internal */
Datum
clv_pipeline_hundredths_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	Values *state = StateArgument(fcinfo, 0);
	const Values *other = StateArgument(fcinfo, 1);

	if (other == NULL)
		return clv_same_state(fcinfo);
	if (state == NULL)
		state = NewState(context, other->n);
	Reserve(state, other->n);
	memcpy(state->value + state->n, other->value, (Size) other->n * sizeof(double));
	state->n += other->n;
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(clv_pipeline_hundredths_serialize);

/* clv_pipeline_hundredths_serialize(internal) -> bytea: the values, to another process of this
 * server */
Datum
clv_pipeline_hundredths_serialize(PG_FUNCTION_ARGS)
{
	const Values *state;
	bytea *bytes;
	Size size;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	state = StateArgument(fcinfo, 0);
	size = VARHDRSZ + (Size) state->n * sizeof(double);
	bytes = palloc(size);
	SET_VARSIZE(bytes, size);
	memcpy(VARDATA(bytes), state->value, (Size) state->n * sizeof(double));
	PG_RETURN_BYTEA_P(bytes);
}

PG_FUNCTION_INFO_V1(clv_pipeline_hundredths_deserialize);

/* clv_pipeline_hundredths_deserialize(bytea, internal) -> internal; every value is checked */
Datum
clv_pipeline_hundredths_deserialize(PG_FUNCTION_ARGS)
{
	const bytea *bytes = PG_GETARG_BYTEA_PP(0);
	Size size = VARSIZE_ANY_EXHDR(bytes);
	Values *state;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	state = NewState(CurrentMemoryContext, size / sizeof(double));
	state->n = size / sizeof(double);
	memcpy(state->value, VARDATA_ANY(bytes), (Size) state->n * sizeof(double));
	for (int64 i = 0; i < state->n; i++)
		if (!isfinite(state->value[i]))
			size = 1;
	if (size % sizeof(double) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("malformed state of %s", AGGREGATE)));
	PG_RETURN_POINTER(state);
}

/* Fills in what a hundredth comes to: the values of places first to last, from 0. */
static void
AddUp(const double *value, int64 first, int64 last, Datum *column)
{
	ClvExactSum net = {0};
	ClvExactSum positive = {0};
	ClvExactSum weighted = {0};

	for (int64 i = first; i < last; i++)
	{
		clv_exact_add(&net, value[i]);
		if (value[i] <= 0)
			continue;
		clv_exact_add(&positive, value[i]);
		clv_exact_add(&weighted, value[i] * (i + 1));
	}
	column[CUSTOMERS] = Float8GetDatum(last - first);
	column[NET] = Float8GetDatum(clv_exact_value(&net));
	column[POSITIVE] = Float8GetDatum(clv_exact_value(&positive));
	column[WEIGHTED] = Float8GetDatum(clv_exact_value(&weighted));
}

PG_FUNCTION_INFO_V1(clv_pipeline_hundredths_final);

/*
 * clv_pipeline_hundredths_final(internal) -> float8[]: a row for each hundredth, the most valuable
 * first, with its columns; NULL without customers. The customer at place i of n is in hundredth
 * ceil(100 i / n). The state goes on in a window.
 */
Datum
clv_pipeline_hundredths_final(PG_FUNCTION_ARGS)
{
	Values *state = StateArgument(fcinfo, 0);
	Datum element[HUNDREDTHS * COLUMNS];
	int length[2] = {HUNDREDTHS, COLUMNS};
	int lower[2] = {1, 1};
	int64 first = 0;

	if (state == NULL || state->n == 0)
		PG_RETURN_NULL();
	SortDescending(state->value, state->n);
	for (int64 p = 0; p < HUNDREDTHS; p++)
	{
		int64 last = (p + 1) * state->n / HUNDREDTHS;

		AddUp(state->value, first, last, element + p * COLUMNS);
		first = last;
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(element, NULL, 2, length, lower, FLOAT8OID,
											 sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
