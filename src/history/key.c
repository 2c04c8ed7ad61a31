/*
 * key.c
 *		The key of a customer: the columns that identify them.
 *
 * Two customers are one where GROUP BY would say so: by the default equality of
 * each type under the collation of the column, with NULL equal to NULL.
 */
#include "history/key.h"

#include "common/hashfn.h"
#include "storage/shmem.h"
#include "utils/datum.h"
#include "utils/typcache.h"

bool
clv_key_add_column(ClvKeyType *type, Form_pg_attribute column)
{
	TypeCacheEntry *entry =
		lookup_type_cache(column->atttypid, TYPECACHE_HASH_PROC_FINFO | TYPECACHE_EQ_OPR_FINFO);
	ClvKeyColumn *added = &type->column[type->columns];

	if (!OidIsValid(entry->hash_proc_finfo.fn_oid) || !OidIsValid(entry->eq_opr_finfo.fn_oid))
		return false;
	added->length = column->attlen;
	added->by_value = column->attbyval;
	added->collation = column->attcollation;
	added->hash = &entry->hash_proc_finfo;
	added->equal = &entry->eq_opr_finfo;
	type->columns++;
	return true;
}

uint32
clv_key_hash(const ClvKeyType *type, const Datum *values, const bool *nulls)
{
	uint32 hash = 0;

	for (int i = 0; i < type->columns; i++)
	{
		const ClvKeyColumn *column = &type->column[i];
		uint32 one = 0;

		if (!nulls[i])
			one = DatumGetUInt32(FunctionCall1Coll(column->hash, column->collation, values[i]));
		hash = hash_combine(hash, one);
	}
	/* all bits count: a type may hash to small numbers */
	return murmurhash32(hash);
}

/* The bytes that a value takes in a key, before alignment. */
static inline Size
ValueSize(const ClvKeyColumn *column, Datum value)
{
	return column->by_value ? sizeof(Datum) : datumGetSize(value, false, column->length);
}

Size
clv_key_size(const ClvKeyType *type, const Datum *values, const bool *nulls)
{
	Size size = offsetof(ClvKey, bytes);

	for (int i = 0; i < type->columns; i++)
		if (!nulls[i])
			size = add_size(size, MAXALIGN(ValueSize(&type->column[i], values[i])));
	return size;
}

void
clv_key_write(const ClvKeyType *type, const Datum *values, const bool *nulls, ClvKey *key)
{
	char *to = key->bytes;

	StaticAssertStmt(offsetof(ClvKey, bytes) == MAXALIGN(offsetof(ClvKey, bytes)),
					 "the values of a key begin at an aligned address");
	key->nulls = 0;
	for (int i = 0; i < type->columns; i++)
	{
		const ClvKeyColumn *column = &type->column[i];
		Size size;

		if (nulls[i])
		{
			key->nulls |= (uint32) 1 << i;
			continue;
		}
		size = ValueSize(column, values[i]);
		memcpy(to, column->by_value ? (const char *) &values[i] : DatumGetPointer(values[i]), size);
		memset(to + size, 0, MAXALIGN(size) - size);
		to += MAXALIGN(size);
	}
	key->size = to - key->bytes;
}

void
clv_key_read(const ClvKeyType *type, const ClvKey *key, Datum *values, bool *nulls)
{
	const char *from = key->bytes;

	for (int i = 0; i < type->columns; i++)
	{
		const ClvKeyColumn *column = &type->column[i];

		nulls[i] = (key->nulls >> i & 1) != 0;
		values[i] = 0;
		if (nulls[i])
			continue;
		if (column->by_value)
			memcpy(&values[i], from, sizeof(Datum));
		else
			values[i] = PointerGetDatum(from);
		from += MAXALIGN(ValueSize(column, values[i]));
	}
}

bool
clv_key_equal(const ClvKeyType *type, const ClvKey *key, const ClvKey *other)
{
	Datum values[CLV_MAX_KEY_COLUMNS], others[CLV_MAX_KEY_COLUMNS];
	bool nulls[CLV_MAX_KEY_COLUMNS];

	if (key->nulls != other->nulls)
		return false;
	/* equal bytes are equal values, and others may be: 1.0 and 1.00 */
	if (key->size == other->size && memcmp(key->bytes, other->bytes, key->size) == 0)
		return true;
	clv_key_read(type, key, values, nulls);
	clv_key_read(type, other, others, nulls);
	for (int i = 0; i < type->columns; i++)
	{
		const ClvKeyColumn *column = &type->column[i];

		if (!nulls[i] && !DatumGetBool(FunctionCall2Coll(column->equal, column->collation,
														 values[i], others[i])))
			return false;
	}
	return true;
}

bool
clv_key_before(const ClvKey *key, const ClvKey *other)
{
	if (key->size != other->size)
		return key->size < other->size;
	return memcmp(key->bytes, other->bytes, key->size) < 0;
}
