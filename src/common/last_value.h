/*
 * last_value.h
 *		The value that a call site saw last, so that what is made of it is made once.
 *
 * Arguments such as models and options are the same in row after row. A call site keeps
 * the datum as it came beside what was made of it; the next row is then a comparison of
 * bytes.
 */
#ifndef CLV_LAST_VALUE_H
#define CLV_LAST_VALUE_H

#include "clv.h"

/* Zeroed: nothing was seen yet. */
typedef struct ClvLastValue
{
	Pointer key;       /* the value as it came, toast pointer or bytes; NULL: see null */
	Size key_size;     /* 0 where there is none */
	bool null;         /* it was NULL */
	uint64 generation; /* another number for each value set, in the whole process */
} ClvLastValue;

/* Whether the value (a varlena, or NULL) is the one that was set last. */
extern bool clv_last_is(const ClvLastValue *last, bool isnull, Datum value);

/* Removes the value: to be called before work on a new one, which may raise an error. */
extern void clv_last_clear(ClvLastValue *last);

/* Sets the value; its copy lives in the context. */
extern void clv_last_set(ClvLastValue *last, bool isnull, Datum value, MemoryContext context);

/* Whether two values, neither compressed nor toasted, have the same bytes behind their headers. */
extern bool clv_same_bytes(const void *a, const void *b);

#endif /* CLV_LAST_VALUE_H */
