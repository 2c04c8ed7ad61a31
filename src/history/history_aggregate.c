/*
 * history_aggregate.c
 *		The aggregates clv_history and clv_history_rollup.
 *
 * The transition functions differ in their argument types only. Those of
 * timestamp serve timestamptz too, as the day of both is a UTC day.
 */
#include "clv.h"

#include "history/day_of_time.h"
#include "history/state.h"

/* The day of argument 1, a timestamp or timestamptz; false where it is NULL. */
static inline bool
TimestampArgument(FunctionCallInfo fcinfo, DateADT *day)
{
	if (PG_ARGISNULL(1))
		return false;
	*day = clv_day_of_timestamp(PG_GETARG_TIMESTAMP(1));
	return true;
}

/* The day of argument 1, a date; false where it is NULL. */
static inline bool
DateArgument(FunctionCallInfo fcinfo, DateADT *day)
{
	if (PG_ARGISNULL(1))
		return false;
	*day = clv_day_of_date(PG_GETARG_DATEADT(1));
	return true;
}

/* The state that argument 0 is, or a new one with this occasion where it is NULL. */
static inline ClvHistoryState *
StateArgument(FunctionCallInfo fcinfo, int32 occasion)
{
	if (likely(!PG_ARGISNULL(0)))
		return clv_state_of(PG_GETARG_POINTER(0));
	return clv_state_new(clv_aggregate_context(fcinfo, "clv_history()"), occasion);
}

/* Add a row that has a time; amount: NULL where it is not known. The occasion is the last of four
 * arguments, else 1. */
static Datum
AddRow(FunctionCallInfo fcinfo, DateADT day, const ClvDecimal *amount)
{
	int32 occasion = 1;
	ClvHistoryState *state;

	if (PG_NARGS() > 3)
	{
		if (PG_ARGISNULL(3))
			clv_occasion_is_null();
		occasion = PG_GETARG_INT32(3);
	}
	state = StateArgument(fcinfo, occasion);
	if (unlikely(occasion != clv_state_occasion(state)))
		clv_check_occasion(clv_state_occasion(state), occasion);
	PG_RETURN_POINTER(
		clv_state_add(state, day, amount == NULL || !amount->negative, amount == NULL, amount));
}

#define TRANSITION(time, amount, Argument, convert)                                                \
	PG_FUNCTION_INFO_V1(clv_history_transition_##time##_##amount);                                 \
	Datum clv_history_transition_##time##_##amount(PG_FUNCTION_ARGS)                               \
	{                                                                                              \
		ClvDecimal decimal;                                                                        \
		DateADT day;                                                                               \
                                                                                                   \
		if (!Argument(fcinfo, &day))                                                               \
			return clv_same_state(fcinfo);                                                         \
		if (PG_ARGISNULL(2))                                                                       \
			return AddRow(fcinfo, day, NULL);                                                      \
		convert;                                                                                   \
		return AddRow(fcinfo, day, &decimal);                                                      \
	}

TRANSITION(timestamp, numeric, TimestampArgument,
		   clv_decimal_from_numeric(PG_GETARG_DATUM(2), &decimal))
TRANSITION(timestamp, double, TimestampArgument,
		   clv_decimal_from_double(PG_GETARG_FLOAT8(2), &decimal))
TRANSITION(timestamp, real, TimestampArgument, clv_decimal_from_real(PG_GETARG_FLOAT4(2), &decimal))
TRANSITION(timestamp, bigint, TimestampArgument,
		   clv_decimal_from_integer(PG_GETARG_INT64(2), &decimal))
TRANSITION(date, numeric, DateArgument, clv_decimal_from_numeric(PG_GETARG_DATUM(2), &decimal))
TRANSITION(date, double, DateArgument, clv_decimal_from_double(PG_GETARG_FLOAT8(2), &decimal))
TRANSITION(date, real, DateArgument, clv_decimal_from_real(PG_GETARG_FLOAT4(2), &decimal))
TRANSITION(date, bigint, DateArgument, clv_decimal_from_integer(PG_GETARG_INT64(2), &decimal))

/* The transition function of clv_history(timestamp or timestamptz): purchases of unknown amount. */
PG_FUNCTION_INFO_V1(clv_history_transition_timestamp);
Datum
clv_history_transition_timestamp(PG_FUNCTION_ARGS)
{
	DateADT day;

	return TimestampArgument(fcinfo, &day) ? AddRow(fcinfo, day, NULL) : clv_same_state(fcinfo);
}

/* The transition function of clv_history(date): purchases of unknown amount. */
PG_FUNCTION_INFO_V1(clv_history_transition_date);
Datum
clv_history_transition_date(PG_FUNCTION_ARGS)
{
	DateADT day;

	return DateArgument(fcinfo, &day) ? AddRow(fcinfo, day, NULL) : clv_same_state(fcinfo);
}

/* The transition function of clv_history_rollup(history): adds a whole history; NULL is ignored. */
PG_FUNCTION_INFO_V1(clv_history_rollup_transition);
Datum
clv_history_rollup_transition(PG_FUNCTION_ARGS)
{
	const ClvHistory *history;
	ClvHistoryState *state;

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	history = PG_GETARG_CLV_HISTORY_P(1);
	state = StateArgument(fcinfo, PG_ARGISNULL(0) ? clv_history_occasion(history) : 1);
	PG_RETURN_POINTER(clv_state_add_history(state, history));
}

/* The combine function: adds one state to another. */
PG_FUNCTION_INFO_V1(clv_history_combine);
Datum
clv_history_combine(PG_FUNCTION_ARGS)
{
	const ClvHistoryState *other;
	ClvHistoryState *state;

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	other = clv_state_of(PG_GETARG_POINTER(1));
	state = StateArgument(fcinfo, clv_state_occasion(other));
	PG_RETURN_POINTER(clv_state_add_state(state, other));
}

/* A state is sent as the history it would become: small, and the same everywhere. */
PG_FUNCTION_INFO_V1(clv_history_serialize);
Datum
clv_history_serialize(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(clv_state_finish(clv_state_of(PG_GETARG_POINTER(0))));
}

/* The state that clv_history_serialize has written, every byte checked. */
PG_FUNCTION_INFO_V1(clv_history_deserialize);
Datum
clv_history_deserialize(PG_FUNCTION_ARGS)
{
	const bytea *bytes = PG_GETARG_BYTEA_PP(0);

	(void) clv_aggregate_context(fcinfo, "clv_history()");
	PG_RETURN_POINTER(clv_state_parse(CurrentMemoryContext, (const uint8 *) VARDATA_ANY(bytes),
									  VARSIZE_ANY_EXHDR(bytes),
									  ERRCODE_INVALID_BINARY_REPRESENTATION));
}

/* The final function: the history of the state; NULL without rows. */
PG_FUNCTION_INFO_V1(clv_history_final);
Datum
clv_history_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_CLV_HISTORY_P(clv_state_finish(clv_state_of(PG_GETARG_POINTER(0))));
}
