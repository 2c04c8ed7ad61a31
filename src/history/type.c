/*
 * type.c
 *		clv_history as a type: its binary form, comparison and merging.
 *
 * The stored bytes are canonical, so that equality of histories is equality of
 * bytes. The order means nothing; it is there for DISTINCT, GROUP BY and UNIQUE.
 */
#include "clv.h"

#include "common/hashfn.h"
#include "history/state.h"
#include "libpq/pqformat.h"

/* The bytes are the same on every machine: they travel as they are stored. */
PG_FUNCTION_INFO_V1(clv_history_send);
Datum
clv_history_send(PG_FUNCTION_ARGS)
{
	const ClvHistory *history = PG_GETARG_CLV_HISTORY_P(0);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbytes(&out, VARDATA_ANY(history), VARSIZE_ANY_EXHDR(history));
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/*
 * Whoever wrote the bytes, only a history that the aggregate could have made
 * comes in: they are taken apart, put together again, and must be the same.
 */
PG_FUNCTION_INFO_V1(clv_history_recv);
Datum
clv_history_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	Size		size = in->len - in->cursor;
	const char *data = pq_getmsgbytes(in, size);
	ClvHistory *history;

	history = clv_state_finish(clv_state_parse(CurrentMemoryContext, (const uint8 *) data, size,
											   ERRCODE_INVALID_BINARY_REPRESENTATION));
	if (VARSIZE_ANY_EXHDR(history) != size || memcmp(VARDATA_ANY(history), data, size) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("the bytes of a clv_history are not in their one valid form")));
	PG_RETURN_CLV_HISTORY_P(history);
}

static int
Compare(FunctionCallInfo fcinfo)
{
	ClvHistory *a = PG_GETARG_CLV_HISTORY_P(0);
	ClvHistory *b = PG_GETARG_CLV_HISTORY_P(1);
	Size		size_a = VARSIZE_ANY_EXHDR(a);
	Size		size_b = VARSIZE_ANY_EXHDR(b);
	int			result = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(size_a, size_b));

	if (result == 0)
		result = size_a < size_b ? -1 : size_a > size_b;
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

#define COMPARISON(name, operator)      \
	PG_FUNCTION_INFO_V1(name);          \
	Datum name(PG_FUNCTION_ARGS)        \
	{                                   \
		return BoolGetDatum(Compare(fcinfo) operator 0); \
	}

COMPARISON(clv_history_eq, ==)
COMPARISON(clv_history_ne, !=)
COMPARISON(clv_history_lt, <)
COMPARISON(clv_history_le, <=)
COMPARISON(clv_history_gt, >)
COMPARISON(clv_history_ge, >=)

PG_FUNCTION_INFO_V1(clv_history_cmp);
Datum
clv_history_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(Compare(fcinfo));
}

PG_FUNCTION_INFO_V1(clv_history_hash);
Datum
clv_history_hash(PG_FUNCTION_ARGS)
{
	ClvHistory *history = PG_GETARG_CLV_HISTORY_P(0);
	uint32		hash = DatumGetUInt32(hash_any((const unsigned char *) VARDATA_ANY(history),
											   VARSIZE_ANY_EXHDR(history)));

	PG_FREE_IF_COPY(history, 0);
	PG_RETURN_UINT32(hash);
}

PG_FUNCTION_INFO_V1(clv_history_hash_extended);
Datum
clv_history_hash_extended(PG_FUNCTION_ARGS)
{
	ClvHistory *history = PG_GETARG_CLV_HISTORY_P(0);
	Datum		hash = hash_any_extended((const unsigned char *) VARDATA_ANY(history),
										 VARSIZE_ANY_EXHDR(history), PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(history, 0);
	PG_RETURN_DATUM(hash);
}

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
