/*
 * bytes_state.h
 *		States of aggregates that are bytea in SQL.
 *
 * While a state grows it is an expanded object. Its stored form, which goes to other processes
 * and, in databases of several servers, to other servers, is bytes that begin with the tag of the
 * aggregate. States of type internal stay on one server: they have no text form.
 */
#ifndef CLV_BYTES_STATE_H
#define CLV_BYTES_STATE_H

#include "clv.h"

#include "utils/expandeddatum.h"

/* What makes the states of an aggregate. */
typedef struct ClvStateKind
{
	const char *aggregate; /* its name in errors */
	uint32 tag;            /* the bytes begin with it */
	Size size;             /* of the struct that begins with a ClvBytesState */

	/* Append the state. */
	void (*send)(StringInfo out, const void *state);

	/* Fill a new state from what was appended; false, or an error, where the bytes are none. */
	bool (*receive)(StringInfo in, void *state);
} ClvStateKind;

/* What each state begins with; the rest is 0 when it is new. */
typedef struct ClvBytesState
{
	ExpandedObjectHeader hdr;
	const ClvStateKind *kind;
	bytea *flat; /* made when its size was asked for */
} ClvBytesState;

/* The memory that a state consists of, and what it refers to. */
static inline MemoryContext
clv_bytes_state_context(const void *state)
{
	return ((const ClvBytesState *) state)->hdr.eoh_context;
}

/* The state in argument 0 of a transition or combination, to be changed; a new one for NULL. */
extern void *clv_bytes_state_writable(FunctionCallInfo fcinfo, const ClvStateKind *kind);

/* The state in an argument, to be read, never the one to be changed; NULL for NULL. */
extern const void *clv_bytes_state_view(FunctionCallInfo fcinfo, int arg, const ClvStateKind *kind);

/* The datum that a transition or combination returns of a state that was changed. */
static inline Datum
clv_bytes_state_datum(void *state)
{
	return EOHPGetRWDatum(&((ClvBytesState *) state)->hdr);
}

#endif /* CLV_BYTES_STATE_H */
