/*
 * sum.c
 *		The aggregate clv_validate_sum: sum() of doubles that does not depend on the order
 *		of rows, nor on how they are split between processes.
 *
 * Customers of equal prediction and purchases are a group, most of which have few
 * customers: so the first terms are kept as they are, and an exact sum, which is larger,
 * is made when there are more.
 */
#include "common/exact.h"

#include "libpq/pqformat.h"
#include "utils/float.h"

#define AGGREGATE "clv_validate_sum()"
#define STATE_TAG 0x73756D73
#define FEW 4

/* The state of the aggregate: a few terms as they are, or an exact sum of all. */
typedef struct SumState
{
	uint32 tag;  /* STATE_TAG */
	int32 terms; /* of few, unless there is a sum */
	double few[FEW];
	ClvExactSum *sum; /* NULL: not needed yet */
} SumState;

/* The state that an argument is; NULL: none yet. An error for the state of another aggregate. */
static SumState *
StateArgument(FunctionCallInfo fcinfo, int arg)
{
	return clv_state_argument(fcinfo, arg, STATE_TAG, AGGREGATE);
}

/* A sum of no terms, in the memory of the aggregate. */
static SumState *
NewState(MemoryContext context)
{
	SumState *state = MemoryContextAllocZero(context, sizeof(SumState));

	state->tag = STATE_TAG;
	return state;
}

/* All the terms so far, added to a sum of nothing. */
static void
AddUp(const SumState *state, ClvExactSum *sum)
{
	if (state->sum != NULL)
	{
		*sum = *state->sum;
		return;
	}
	memset(sum, 0, sizeof(*sum));
	for (int i = 0; i < state->terms; i++)
		clv_exact_add(sum, state->few[i]);
}

/* The sum of the state, made now if there was none. */
static ClvExactSum *
Sum(SumState *state, MemoryContext context)
{
	ClvExactSum *sum = state->sum;

	if (sum == NULL)
	{
		sum = MemoryContextAlloc(context, sizeof(ClvExactSum));
		AddUp(state, sum);
		state->sum = sum;
	}
	return sum;
}

PG_FUNCTION_INFO_V1(clv_validate_sum_add);

/* clv_validate_sum_add(internal, float8) -> internal; NULLs are skipped */
Datum
clv_validate_sum_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	SumState *state = StateArgument(fcinfo, 0);

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	if (state == NULL)
		state = NewState(context);
	if (state->sum == NULL && state->terms < FEW)
		state->few[state->terms++] = PG_GETARG_FLOAT8(1);
	else
		clv_exact_add(Sum(state, context), PG_GETARG_FLOAT8(1));
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(clv_validate_sum_combine);

/* clv_validate_sum_combine(internal, internal) -> internal */
Datum
clv_validate_sum_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	SumState *state = StateArgument(fcinfo, 0);
	const SumState *other = StateArgument(fcinfo, 1);
	ClvExactSum more;

	if (other == NULL)
		return clv_same_state(fcinfo);
	if (state == NULL)
		state = NewState(context);
	AddUp(other, &more);
	clv_exact_merge(Sum(state, context), &more);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(clv_validate_sum_serialize);

/* clv_validate_sum_serialize(internal) -> bytea */
Datum
clv_validate_sum_serialize(PG_FUNCTION_ARGS)
{
	StringInfoData out;
	ClvExactSum sum;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	AddUp(StateArgument(fcinfo, 0), &sum);
	pq_begintypsend(&out);
	clv_exact_send(&out, &sum);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

PG_FUNCTION_INFO_V1(clv_validate_sum_deserialize);

/* clv_validate_sum_deserialize(bytea, internal) -> internal; every byte is checked */
Datum
clv_validate_sum_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData in = clv_bytes_of(PG_GETARG_BYTEA_PP(0));
	SumState *state;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	state = NewState(CurrentMemoryContext);
	if (!clv_exact_recv(&in, Sum(state, CurrentMemoryContext)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("malformed state of %s", AGGREGATE)));
	pq_getmsgend(&in);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(clv_validate_sum_final);

/* clv_validate_sum_final(internal) -> float8; out of range as with sum(); the state goes on in a
 * window */
Datum
clv_validate_sum_final(PG_FUNCTION_ARGS)
{
	const SumState *state = StateArgument(fcinfo, 0);
	ClvExactSum sum;
	double value;

	if (state == NULL)
		PG_RETURN_NULL();
	AddUp(state, &sum);
	value = clv_exact_value(&sum);
	if (unlikely(isinf(value)) && !sum.up && !sum.down)
		float_overflow_error();
	PG_RETURN_FLOAT8(value);
}
