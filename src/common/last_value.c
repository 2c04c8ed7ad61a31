/*
 * last_value.c
 *		The value that a call site saw last.
 */
#include "common/last_value.h"

/*
 * A pointer into a toast table stands for the value behind it as long as a query
 * runs; what points into this backend's memory does not.
 */
static bool
IsKey(const struct varlena *raw)
{
	return !VARATT_IS_EXTERNAL(raw) || VARATT_IS_EXTERNAL_ONDISK(raw);
}

bool
clv_last_is(const ClvLastValue *last, bool isnull, Datum value)
{
	const struct varlena *raw = (const struct varlena *) DatumGetPointer(value);

	if (isnull || last->key == NULL)
		return isnull && last->null;
	return IsKey(raw) && VARSIZE_ANY(raw) == last->key_size &&
		   memcmp(raw, last->key, last->key_size) == 0;
}

void
clv_last_clear(ClvLastValue *last)
{
	Pointer key = last->key;

	last->key = NULL;
	last->key_size = 0;
	last->null = false;
	if (key != NULL)
		pfree(key);
}

void
clv_last_set(ClvLastValue *last, bool isnull, Datum value, MemoryContext context)
{
	static uint64 generation = 0;
	const struct varlena *raw = (const struct varlena *) DatumGetPointer(value);

	clv_last_clear(last);
	last->null = isnull;
	if (!isnull && IsKey(raw))
	{
		last->key = MemoryContextAlloc(context, VARSIZE_ANY(raw));
		last->key_size = VARSIZE_ANY(raw);
		memcpy(last->key, raw, last->key_size);
	}
	last->generation = ++generation;
}

bool
clv_same_bytes(const void *a, const void *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}
