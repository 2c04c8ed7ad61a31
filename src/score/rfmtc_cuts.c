/*
 * rfmtc_cuts.c
 *		The aggregate rfmtc_cuts(history, as_of [, model [, bins]]).
 *
 * The state is the population itself. Everything it depends on is in it, so
 * that states can be combined without their arguments.
 */
#include "score/cuts.h"
#include "score/cuts_rows.h"
#include "score/population.h"

#include <math.h>

#include "common/arguments.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"

#define AGGREGATE "rfmtc_cuts()"
#define STATE_TAG 0x63757473

/* The state of the aggregate: the population so far, and the arguments that all of its rows share.
 */
typedef struct CutsState
{
	uint32 tag; /* STATE_TAG */
	ClvCutsRows rows;
	int64 skipped;
	ClvPopulation population;
} CutsState;

/* An empty state in the context. */
static CutsState *
NewState(MemoryContext context)
{
	CutsState *state = MemoryContextAllocZero(context, sizeof(CutsState));

	state->tag = STATE_TAG;
	state->population.context = context;
	state->rows.aggregate = AGGREGATE;
	state->rows.context = context;
	return state;
}

/* The state in an argument, NULL where there is none yet; an error for the state of another
 * aggregate. */
static CutsState *
StateArgument(FunctionCallInfo fcinfo, int arg)
{
	return clv_state_argument(fcinfo, arg, STATE_TAG, AGGREGATE);
}

/*
 * Transition of rfmtc_cuts(history, as_of [, model [, bins]]): adds a customer, or counts one who
 * does not exist yet as skipped; NULL histories are ignored.
 */
PG_FUNCTION_INFO_V1(rfmtc_cuts_accum);
Datum
rfmtc_cuts_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	CutsState *state = StateArgument(fcinfo, 0);
	ClvHistory *history;
	double value[CLV_MEASURES];

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	if (state == NULL)
	{
		state = NewState(context);
		clv_cuts_rows_open(fcinfo, &state->rows);
	}
	else
		clv_cuts_rows_check(fcinfo, &state->rows);

	history = PG_GETARG_CLV_HISTORY_P(1);
	if (clv_cuts_rows_measure(&state->rows, history, value))
		clv_population_add(&state->population, value);
	else
		state->skipped++;
	PG_FREE_IF_COPY(history, 1);
	PG_RETURN_POINTER(state);
}

/* Append the customers of another state. */
static void
Append(CutsState *state, const CutsState *other)
{
	double value[CLV_MEASURES];

	clv_cuts_rows_check_same(&state->rows, &other->rows);
	state->skipped += other->skipped;
	clv_population_reserve(&state->population,
						   state->population.customers + other->population.customers);
	for (int64 i = 0; i < other->population.customers; i++)
	{
		for (int j = 0; j < CLV_MEASURES; j++)
			value[j] = other->population.column[j] == NULL ? NAN : other->population.column[j][i];
		clv_population_add(&state->population, value);
	}
}

/* rfmtc_cuts_combine(state, state) -> state: both populations together; an error where day, model
 * or bins differ. */
PG_FUNCTION_INFO_V1(rfmtc_cuts_combine);
Datum
rfmtc_cuts_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	CutsState *state = StateArgument(fcinfo, 0);
	CutsState *other = StateArgument(fcinfo, 1);

	if (other == NULL)
		return clv_same_state(fcinfo);
	if (state == NULL)
	{
		state = NewState(context);
		state->rows.bins = other->rows.bins;
		state->rows.as_of = other->rows.as_of;
		if (other->rows.model != NULL)
			clv_cuts_rows_model(&state->rows, other->rows.model);
	}
	Append(state, other);
	PG_RETURN_POINTER(state);
}

/* rfmtc_cuts_serialize(state) -> bytea: the shared arguments, then the population column by column.
 */
PG_FUNCTION_INFO_V1(rfmtc_cuts_serialize);
Datum
rfmtc_cuts_serialize(PG_FUNCTION_ARGS)
{
	CutsState *state = StateArgument(fcinfo, 0);
	ClvPopulation *population = &state->population;
	StringInfoData out;
	int32 model_size = state->rows.model == NULL ? 0 : (int32) VARSIZE_ANY_EXHDR(state->rows.model);

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	pq_begintypsend(&out);
	pq_sendint32(&out, state->rows.bins);
	pq_sendint32(&out, state->rows.as_of);
	pq_sendint64(&out, state->skipped);
	pq_sendint32(&out, model_size);
	if (model_size > 0)
		pq_sendbytes(&out, VARDATA_ANY(state->rows.model), model_size);
	pq_sendint64(&out, population->customers);
	for (int i = 0; i < CLV_MEASURES && (i < CLV_PLAIN_MEASURES || model_size > 0); i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int64 j = 0; j < population->customers; j++)
			pq_sendfloat8(&out, population->column[i][j]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Reads the model of a serialized state, if it has one. */
static void
ReadModel(StringInfo in, CutsState *state)
{
	int32 size = (int32) pq_getmsgint(in, 4);
	ClvPackedModel *model;

	if (size == 0)
		return;
	if (size < 0 || size > in->len - in->cursor)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("malformed state of %s", AGGREGATE)));
	model = palloc(VARHDRSZ + size);
	SET_VARSIZE(model, VARHDRSZ + size);
	pq_copymsgbytes(in, VARDATA(model), size);
	clv_cuts_rows_model(&state->rows, model);
}

/* Reads the customers of a serialized state, which take the rest of the bytes. */
static void
ReadPopulation(StringInfo in, CutsState *state)
{
	int measures = state->rows.model == NULL ? CLV_PLAIN_MEASURES : CLV_MEASURES;
	int64 customers = pq_getmsgint64(in);
	const char *start = in->data + in->cursor;
	int64 left = in->len - in->cursor;

	if (customers < 0 || customers > left || customers * measures * (int64) sizeof(double) != left)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("malformed state of %s", AGGREGATE)));
	clv_population_reserve(&state->population, customers);
	for (int64 i = 0; i < customers; i++)
	{
		double value[CLV_MEASURES];

		value[CLV_CHURN] = value[CLV_VALUE] = NAN;
		for (int j = 0; j < measures; j++)
		{
			in->cursor = (int) (start - in->data + (j * customers + i) * (int64) sizeof(double));
			value[j] = pq_getmsgfloat8(in);
		}
		clv_population_add(&state->population, value);
	}
	in->cursor = in->len;
}

/* rfmtc_cuts_deserialize(bytea, internal) -> state: the inverse; every byte is checked. */
PG_FUNCTION_INFO_V1(rfmtc_cuts_deserialize);
Datum
rfmtc_cuts_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData in = clv_bytes_of(PG_GETARG_BYTEA_PP(0));
	CutsState *state;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	state = NewState(CurrentMemoryContext);
	state->rows.bins = (int) pq_getmsgint(&in, 4);
	clv_check_bins(state->rows.bins);
	state->rows.as_of = (DateADT) pq_getmsgint(&in, 4);
	clv_check_date("as_of", state->rows.as_of);
	state->skipped = pq_getmsgint64(&in);
	ReadModel(&in, state);
	ReadPopulation(&in, state);
	PG_RETURN_POINTER(state);
}

/* The state stays as it is: in a window it goes on growing. */
PG_FUNCTION_INFO_V1(rfmtc_cuts_final);
Datum
rfmtc_cuts_final(PG_FUNCTION_ARGS)
{
	CutsState *state = StateArgument(fcinfo, 0);
	ClvCutsParts parts;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	if (state == NULL || state->population.customers == 0)
		PG_RETURN_NULL();
	memset(&parts, 0, sizeof(parts));
	parts.has_as_of = true;
	parts.as_of = state->rows.as_of;
	parts.customers = state->population.customers;
	parts.skipped = state->skipped;
	parts.model = state->rows.model;
	clv_population_cut(&state->population, state->rows.bins, &parts.points);
	PG_RETURN_CLV_CUTS_P(clv_cuts_pack(&parts));
}
