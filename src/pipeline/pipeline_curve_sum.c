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
#include "common/exact.h"

#define AGGREGATE "clv_pipeline_curve_sum()"
#define STATE_TAG 0x63757276
#define MOST_PERIODS 100000

/* The state of the aggregate: for each period a sum of purchases, then one of money each. */
typedef struct CurveSum
{
	uint32 tag;    /* STATE_TAG */
	int32 periods; /* numbers of a curve */
	bool has_money;
	ClvExactSum sum[FLEXIBLE_ARRAY_MEMBER];
} CurveSum;

/* The state that an argument is; NULL: none yet. An error for the state of another aggregate. */
static CurveSum *
StateArgument(FunctionCallInfo fcinfo, int arg)
{
	return clv_state_argument(fcinfo, arg, STATE_TAG, AGGREGATE);
}

/* Sums of nothing, for curves of so many periods. */
static CurveSum *
NewState(MemoryContext context, int periods)
{
	CurveSum *state = MemoryContextAllocZero(context, offsetof(CurveSum, sum) +
														  2 * (Size) periods * sizeof(ClvExactSum));

	state->tag = STATE_TAG;
	state->periods = periods;
	return state;
}

/* An error where a curve, or another state, has not as many periods as the state. */
static void
CheckPeriods(const CurveSum *state, int periods)
{
	if (periods != state->periods)
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
 * clv_pipeline_curve_sum_add(internal, curve float8[], spend float8) -> internal: adds a curve, and
 * its product with the spend unless that is NULL; a NULL curve is skipped
 */
Datum
clv_pipeline_curve_sum_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	CurveSum *state = StateArgument(fcinfo, 0);
	ArrayType *curve;
	const double *value;
	int periods;

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	curve = PG_GETARG_ARRAYTYPE_P(1);
	periods = Periods(curve);
	if (state == NULL)
		state = NewState(context, periods);
	CheckPeriods(state, periods);
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
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(clv_pipeline_curve_sum_combine);

/* clv_pipeline_curve_sum_combine(internal, internal) -> internal */
Datum
clv_pipeline_curve_sum_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	CurveSum *state = StateArgument(fcinfo, 0);
	CurveSum *other = StateArgument(fcinfo, 1);

	if (other == NULL)
		return clv_same_state(fcinfo);
	if (state == NULL)
		state = NewState(context, other->periods);
	CheckPeriods(state, other->periods);
	for (int i = 0; i < 2 * state->periods; i++)
		clv_exact_merge(&state->sum[i], &other->sum[i]);
	state->has_money |= other->has_money;
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(clv_pipeline_curve_sum_serialize);

/* clv_pipeline_curve_sum_serialize(internal) -> bytea */
Datum
clv_pipeline_curve_sum_serialize(PG_FUNCTION_ARGS)
{
	const CurveSum *state;
	StringInfoData out;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	state = StateArgument(fcinfo, 0);
	pq_begintypsend(&out);
	pq_sendint32(&out, (uint32) state->periods);
	pq_sendbyte(&out, state->has_money);
	for (int i = 0; i < 2 * state->periods; i++)
		clv_exact_send(&out, &state->sum[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Raises the error of bytes that are no state. */
static void
pg_attribute_noreturn() MalformedState(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					errmsg("malformed state of %s", AGGREGATE)));
}

PG_FUNCTION_INFO_V1(clv_pipeline_curve_sum_deserialize);

/* clv_pipeline_curve_sum_deserialize(bytea, internal) -> internal; every byte is checked */
Datum
clv_pipeline_curve_sum_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData in = clv_bytes_of(PG_GETARG_BYTEA_PP(0));
	CurveSum *state;
	int periods;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	periods = (int) pq_getmsgint(&in, 4);
	if (periods < 0 || periods > MOST_PERIODS || periods > in.len)
		MalformedState();
	state = NewState(CurrentMemoryContext, periods);
	state->has_money = pq_getmsgbyte(&in) != 0;
	for (int i = 0; i < 2 * periods; i++)
		if (!clv_exact_recv(&in, &state->sum[i]))
			MalformedState();
	pq_getmsgend(&in);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(clv_pipeline_curve_sum_final);

/*
 * clv_pipeline_curve_sum_final(internal) -> float8[]: {{purchases of each period}, {money of
 * each}}; NULL where a sum is infinite or NaN, and in money where no customer has an expected
 * spend. The state goes on in a window.
 */
Datum
clv_pipeline_curve_sum_final(PG_FUNCTION_ARGS)
{
	const CurveSum *state = StateArgument(fcinfo, 0);
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
