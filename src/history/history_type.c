/*
 * history_type.c
 *		clv_history as a type: its binary form, comparison and merging.
 *
 * The stored bytes are canonical, so that equality of histories is equality of
 * bytes. The order means nothing; it is there for DISTINCT, GROUP BY and UNIQUE.
 */
#include "common/canonical.h"
#include "history/state.h"
#include "libpq/pqformat.h"

/* The bytes are the same on every machine: they are sent as they are stored. */
CLV_CANONICAL_FUNCTION(clv_history_send, clv_canonical_send(fcinfo));

/*
 * clv_history_recv(internal) -> clv_history: only bytes that the aggregate could have made are
 * accepted: they are unpacked, packed again, and must be the same.
 */
PG_FUNCTION_INFO_V1(clv_history_recv);
Datum
clv_history_recv(PG_FUNCTION_ARGS)
{
	StringInfo in = (StringInfo) PG_GETARG_POINTER(0);
	Size size = in->len - in->cursor;
	const char *data = pq_getmsgbytes(in, size);
	ClvHistory *history;

	history = clv_state_finish(clv_state_parse(CurrentMemoryContext, (const uint8 *) data, size,
											   ERRCODE_INVALID_BINARY_REPRESENTATION));
	clv_canonical_check(history, data, size, "clv_history");
	PG_RETURN_CLV_HISTORY_P(history);
}

CLV_CANONICAL_TYPE(clv_history);

/* history || history -> history: the transactions of both; an error where their occasions differ.
 */
PG_FUNCTION_INFO_V1(clv_history_concat);
Datum
clv_history_concat(PG_FUNCTION_ARGS)
{
	const ClvHistory *a = PG_GETARG_CLV_HISTORY_P(0);
	const ClvHistory *b = PG_GETARG_CLV_HISTORY_P(1);
	ClvHistoryState *state = clv_state_new(CurrentMemoryContext, clv_history_occasion(a));

	state = clv_state_add_history(state, a);
	state = clv_state_add_history(state, b);
	PG_RETURN_CLV_HISTORY_P(clv_state_finish(state));
}
