/*
 * pipeline_curve_sum.c
 *		The aggregate clv_pipeline_curve_sum: curves of expected purchases, added up
 *		over customers, and the same in money.
 *
 * A curve has a number for each period of a forecast. All periods of a customer are
 * added in one call; the sums are exact, so that neither the order of customers nor
 * a split between processes changes them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "utils/array.h"

#include "clv.h"
#include "common/bytes_state.h"
#include "common/exact.h"

#define AGGREGATE "clv_pipeline_curve_sum()"
#define MOST_PERIODS 100000

/* The state of the aggregate: for each period a sum of purchases, then one of money each. */
typedef struct CurveSum
{
	ClvBytesState head;
	int32 periods; /* numbers of a curve */
	bool has_money;
	ClvExactSum *sum; /* NULL: there was no curve */
} CurveSum;

static void Send(StringInfo out, const void *state);
static bool Receive(StringInfo in, void *state);

static const ClvStateKind kind = {AGGREGATE, 0x63757276, sizeof(CurveSum), Send, Receive};

/* Makes sums of nothing, for curves of so many periods. */
static void
MakeSums(CurveSum *state, int periods)
{
	state->periods = periods;
	state->sum = MemoryContextAllocZero(clv_bytes_state_context(state),
										2 * (Size) periods * sizeof(ClvExactSum));
}

/* Makes the sums where there are none; an error where a curve, or another state, has not as many
 * periods as the state. */
static void
SetPeriods(CurveSum *state, int periods)
{
	if (state->sum == NULL)
		MakeSums(state, periods);
	else if (periods != state->periods)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("curves must have the same number of periods: %d and %d",
							   state->periods, periods)));
}

/* The number of periods of a curve; an error where it is no vector of numbers without NULLs. */
static int
Periods(ArrayType *curve)
{
	int periods = ArrayGetNItems(ARR_NDIM(curve), ARR_DIMS(curve));

	if (ARR_NDIM(curve) > 1 || ARR_HASNULL(curve) || periods > MOST_PERIODS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a curve must be one vector of at most %d numbers without NULL",
							   MOST_PERIODS)));
	return periods;
}

PG_FUNCTION_INFO_V1(clv_pipeline_curve_sum_add);

/*
 * clv_pipeline_curve_sum_add(bytea, curve float8[], spend float8) -> bytea: adds a curve, and
 * its product with the spend unless that is NULL; a NULL curve is skipped
 */
Datum
clv_pipeline_curve_sum_add(PG_FUNCTION_ARGS)
{
	CurveSum *state;
	ArrayType *curve;
	const double *value;
	int periods;

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	curve = PG_GETARG_ARRAYTYPE_P(1);
	periods = Periods(curve);
	state = clv_bytes_state_writable(fcinfo, &kind);
	SetPeriods(state, periods);
	value = (const double *) clv_array_data(curve);
	for (int i = 0; i < periods; i++)
		clv_exact_add(&state->sum[i], value[i]);
	if (!PG_ARGISNULL(2))
	{
		double spend = PG_GETARG_FLOAT8(2);

		state->has_money = true;
		for (int i = 0; i < periods; i++)
			clv_exact_add(&state->sum[periods + i], value[i] * spend);
	}
	PG_FREE_IF_COPY(curve, 1);
	PG_RETURN_DATUM(clv_bytes_state_datum(state));
}

PG_FUNCTION_INFO_V1(clv_pipeline_curve_sum_combine);

/* clv_pipeline_curve_sum_combine(bytea, bytea) -> bytea */
Datum
clv_pipeline_curve_sum_combine(PG_FUNCTION_ARGS)
{
	const CurveSum *other = clv_bytes_state_view(fcinfo, 1, &kind);
	CurveSum *state;

	if (other == NULL)
		return clv_same_state(fcinfo);
	state = clv_bytes_state_writable(fcinfo, &kind);
	SetPeriods(state, other->periods);
	for (int i = 0; i < 2 * state->periods; i++)
	{
		ClvExactSum more = other->sum[i];

		clv_exact_merge(&state->sum[i], &more);
	}
	state->has_money |= other->has_money;
	PG_RETURN_DATUM(clv_bytes_state_datum(state));
}

/* Appends the state to its stored form. */
static void
Send(StringInfo out, const void *sums)
{
	const CurveSum *state = sums;

	pq_sendint32(out, (uint32) state->periods);
	pq_sendbyte(out, state->has_money);
	for (int i = 0; i < 2 * state->periods; i++)
		clv_exact_send(out, &state->sum[i]);
}

/* Fills the state from its stored form, every byte of which is checked. */
static bool
Receive(StringInfo in, void *sums)
{
	CurveSum *state = sums;
	int periods = (int) pq_getmsgint(in, 4);

	if (periods < 0 || periods > MOST_PERIODS || periods > in->len)
		return false;
	MakeSums(state, periods);
	state->has_money = pq_getmsgbyte(in) != 0;
	for (int i = 0; i < 2 * periods; i++)
		if (!clv_exact_recv(in, &state->sum[i]))
			return false;
	return true;
}

PG_FUNCTION_INFO_V1(clv_pipeline_curve_sum_final);

/*
 * clv_pipeline_curve_sum_final(bytea) -> float8[]: {{purchases of each period}, {money of
 * each}}; NULL where a sum is infinite or NaN, and in money where no customer has an expected
 * spend. The state goes on in a window.
 */
Datum
clv_pipeline_curve_sum_final(PG_FUNCTION_ARGS)
{
	const CurveSum *state = clv_bytes_state_view(fcinfo, 0, &kind);
	int lower[2] = {1, 1};
	int length[2] = {2, 0};
	Datum *element;
	bool *null;

	if (state == NULL || state->periods == 0)
		PG_RETURN_NULL();
	length[1] = state->periods;
	element = palloc(2 * (Size) state->periods * sizeof(Datum));
	null = palloc(2 * (Size) state->periods * sizeof(bool));
	for (int i = 0; i < 2 * state->periods; i++)
	{
		double value = clv_exact_value(&state->sum[i]);

		element[i] = Float8GetDatum(value);
		null[i] = !isfinite(value) || (i >= state->periods && !state->has_money);
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(element, null, 2, length, lower, FLOAT8OID,
											 sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
