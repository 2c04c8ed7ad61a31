/*
 * bytes_state.c
 *		States of aggregates that are bytea in SQL.
 */
#include "common/bytes_state.h"

#include "libpq/pqformat.h"
#include "utils/memutils.h"

static Size FlatSize(ExpandedObjectHeader *object);
static void FlattenInto(ExpandedObjectHeader *object, void *result, Size size);

static const ExpandedObjectMethods methods = {FlatSize, FlattenInto};

/* A new state, in a memory context of its own. */
static ClvBytesState *
NewState(MemoryContext parent, const ClvStateKind *kind)
{
	MemoryContext context =
		AllocSetContextCreate(parent, "state of an aggregate", ALLOCSET_START_SMALL_SIZES);
	ClvBytesState *state = MemoryContextAllocZero(context, kind->size);

	EOH_init_header(&state->hdr, &methods, context);
	state->kind = kind;
	return state;
}

/* The stored form, in the current context. */
static bytea *
Pack(const ClvBytesState *state)
{
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendint32(&out, state->kind->tag);
	state->kind->send(&out, state);
	return pq_endtypsend(&out);
}

/* The state of a stored form, below parent; an error where the bytes are none. */
static ClvBytesState *
Unpack(const bytea *stored, MemoryContext parent, const ClvStateKind *kind)
{
	StringInfoData in = clv_bytes_of(stored);
	ClvBytesState *state = NewState(parent, kind);

	if (in.len < (int) sizeof(uint32) || pq_getmsgint(&in, 4) != kind->tag ||
		!kind->receive(&in, state) || in.cursor != in.len)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("malformed state of %s", kind->aggregate)));
	return state;
}

/* The method of an expanded object that returns the size of its stored form, which is kept for the
 * next one. */
static Size
FlatSize(ExpandedObjectHeader *object)
{
	ClvBytesState *state = (ClvBytesState *) object;
	MemoryContext caller = MemoryContextSwitchTo(object->eoh_context);
	bytea *flat = Pack(state);

	MemoryContextSwitchTo(caller);
	if (state->flat != NULL)
		pfree(state->flat);
	state->flat = flat;
	return VARSIZE(state->flat);
}

/* The method of an expanded object that writes its stored form. */
static void
FlattenInto(ExpandedObjectHeader *object, void *result, Size size)
{
	memcpy(result, ((ClvBytesState *) object)->flat, size);
}

/* The object behind an argument where it is one of that kind, else NULL. */
static ClvBytesState *
Expanded(FunctionCallInfo fcinfo, int arg, const ClvStateKind *kind)
{
	ExpandedObjectHeader *object;

	if (!VARATT_IS_EXTERNAL_EXPANDED(PG_GETARG_POINTER(arg)))
		return NULL;
	object = DatumGetEOHP(PG_GETARG_DATUM(arg));
	if (object->eoh_methods != &methods || ((ClvBytesState *) object)->kind != kind)
		return NULL;
	return (ClvBytesState *) object;
}

void *
clv_bytes_state_writable(FunctionCallInfo fcinfo, const ClvStateKind *kind)
{
	MemoryContext context = clv_state_context(fcinfo);

	if (PG_ARGISNULL(0))
		return NewState(context, kind);
	if (VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)))
	{
		ClvBytesState *state = Expanded(fcinfo, 0, kind);

		if (state != NULL)
			return state;
	}
	return Unpack(PG_GETARG_BYTEA_PP(0), context, kind);
}

const void *
clv_bytes_state_view(FunctionCallInfo fcinfo, int arg, const ClvStateKind *kind)
{
	ClvBytesState *state;

	if (PG_ARGISNULL(arg))
		return NULL;
	state = Expanded(fcinfo, arg, kind);
	/* what is also the state to be changed must be read from a copy */
	if (state != NULL && (arg == 0 || PG_ARGISNULL(0) || Expanded(fcinfo, 0, kind) != state))
		return state;
	return Unpack(PG_GETARG_BYTEA_PP(arg), CurrentMemoryContext, kind);
}
