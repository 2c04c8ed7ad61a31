/*
 * pipeline_at_rank.c
 *		The aggregate clv_pipeline_at_rank: the value at a rank from the largest.
 *
 * The state is as many of the largest values, in a heap with the smallest of them at its top: of
 * many customers nearly all are compared with that one alone.
 */
#include "postgres.h"

#include <math.h>

#include "libpq/pqformat.h"

#include "clv.h"
#include "common/bytes_state.h"

#define AGGREGATE "clv_pipeline_at_rank()"
#define MOST_RANK 100000

/* The state of the aggregate. */
typedef struct Largest
{
	ClvBytesState head;
	int rank;
	int n;         /* the values that there are, rank at most */
	double *value; /* none is smaller than value[(i - 1) / 2] */
} Largest;

static void Send(StringInfo out, const void *largest);
static bool Receive(StringInfo in, void *largest);

static const ClvStateKind kind = {AGGREGATE, 0x72616E6B, sizeof(Largest), Send, Receive};

/* Sets the rank of a state that has none; false where it is out of range, or another. */
static bool
SetRank(Largest *state, int rank)
{
	if (rank < 1 || rank > MOST_RANK)
		return false;
	if (state->rank == 0)
	{
		state->rank = rank;
		state->value =
			MemoryContextAlloc(clv_bytes_state_context(state), rank * sizeof(state->value[0]));
	}
	return state->rank == rank;
}

/* Puts a value into a heap that is not full. */
static void
Push(Largest *state, double value)
{
	int i = state->n++;

	for (; i > 0 && state->value[(i - 1) / 2] > value; i = (i - 1) / 2)
		state->value[i] = state->value[(i - 1) / 2];
	state->value[i] = value;
}

/* Puts a value in the place of the smallest. */
static void
Replace(Largest *state, double value)
{
	int i = 0;

	for (;;)
	{
		int child = 2 * i + 1;

		if (child + 1 < state->n && state->value[child + 1] < state->value[child])
			child++;
		if (child >= state->n || state->value[child] >= value)
			break;
		state->value[i] = state->value[child];
		i = child;
	}
	state->value[i] = value;
}

/* Takes a value into the state, where it is among the largest. */
static void
Take(Largest *state, double value)
{
	if (state->n < state->rank)
		Push(state, value);
	else if (value > state->value[0])
		Replace(state, value);
}

PG_FUNCTION_INFO_V1(clv_pipeline_at_rank_add);

/* clv_pipeline_at_rank_add(bytea, float8, int4) -> bytea; a NULL value is skipped */
Datum
clv_pipeline_at_rank_add(PG_FUNCTION_ARGS)
{
	double value;
	Largest *state;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return clv_same_state(fcinfo);
	value = PG_GETARG_FLOAT8(1);
	state = clv_bytes_state_writable(fcinfo, &kind);
	if (!SetRank(state, PG_GETARG_INT32(2)) || isnan(value))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("values must be numbers, and the rank one number from 1 to %d",
							   MOST_RANK)));
	Take(state, value);
	PG_RETURN_DATUM(clv_bytes_state_datum(state));
}

PG_FUNCTION_INFO_V1(clv_pipeline_at_rank_combine);

/* clv_pipeline_at_rank_combine(bytea, bytea) -> bytea */
Datum
clv_pipeline_at_rank_combine(PG_FUNCTION_ARGS)
{
	const Largest *other = clv_bytes_state_view(fcinfo, 1, &kind);
	Largest *state;

	if (other == NULL || other->rank == 0)
		return clv_same_state(fcinfo);
	state = clv_bytes_state_writable(fcinfo, &kind);
	if (!SetRank(state, other->rank))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("states of different ranks cannot be put together")));
	for (int i = 0, n = other->n; i < n; i++)
		Take(state, other->value[i]);
	PG_RETURN_DATUM(clv_bytes_state_datum(state));
}

/* Appends the state to its stored form. */
static void
Send(StringInfo out, const void *largest)
{
	const Largest *state = largest;

	pq_sendint32(out, (uint32) state->rank);
	for (int i = 0; i < state->n; i++)
		pq_sendfloat8(out, state->value[i]);
}

/* Fills the state from its stored form, every number of which is checked. */
static bool
Receive(StringInfo in, void *largest)
{
	Largest *state = largest;
	int rank = pq_getmsgint(in, 4);

	if (rank == 0)
		return in->cursor == in->len;
	if (!SetRank(state, rank))
		return false;
	while (in->cursor < in->len)
	{
		double value = pq_getmsgfloat8(in);

		if (isnan(value) || state->n == state->rank)
			return false;
		Push(state, value);
	}
	return true;
}

PG_FUNCTION_INFO_V1(clv_pipeline_at_rank_final);

/* clv_pipeline_at_rank_final(bytea) -> float8: the value at the rank; NULL where there are fewer.
 * The state goes on in a window. */
Datum
clv_pipeline_at_rank_final(PG_FUNCTION_ARGS)
{
	const Largest *state = clv_bytes_state_view(fcinfo, 0, &kind);

	if (state == NULL || state->rank == 0 || state->n < state->rank)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(state->value[0]);
}
