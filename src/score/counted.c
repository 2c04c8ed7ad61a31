/*
 * counted.c
 *		Values of a measure, counted.
 */
#include "score/counted.h"

#include <math.h>

#include "common/hash.h"
#include "common/int.h"
#include "history/layout.h"
#include "libpq/pqformat.h"
#include "score/score.h"

#define SIGN (UINT64CONST(1) << 63)

/* An entry of the hash table of values. */
typedef struct Entry
{
	uint64 key;
	int64 count;
	char status;
} Entry;

#define SH_PREFIX counts
#define SH_ELEMENT_TYPE Entry
#define SH_KEY_TYPE uint64
#define SH_KEY key
#define SH_HASH_KEY(table, key) clv_hash_bits(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* ---- values as keys ---- */

uint64
clv_counted_key(double value)
{
	uint64 bits;

	value += 0.0; /* no -0 */
	memcpy(&bits, &value, sizeof(bits));
	return bits & SIGN ? ~bits : bits | SIGN;
}

double
clv_counted_value(uint64 key)
{
	uint64 bits = key & SIGN ? key ^ SIGN : ~key;
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The next key that is a multiple of the level, or the key itself where it is one. */
static uint64
RoundUp(uint64 key, int level)
{
	uint64 below = (UINT64CONST(1) << level) - 1;

	return ((key >> level) + ((key & below) != 0)) << level;
}

/* Whether keys like this may be counted at the level. */
static bool
IsKey(uint64 key, int level)
{
	double value = clv_counted_value(key);

	return !isnan(value) && clv_counted_key(value) == key && RoundUp(key, level) == key;
}

/* ---- counting ---- */

/* Raises the error of more customers than a number holds. */
static pg_attribute_noreturn() void TooMany(void)
{
	ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					errmsg("too many customers in a population")));
}

/* Count so many more of a key, which is a multiple of the level. */
static void
CountKey(ClvCounted *counted, uint64 key, int64 count)
{
	Entry *entry;
	bool found;

	if (counted->counts == NULL)
		counted->counts = counts_create(counted->context, 16, NULL);
	entry = counts_insert(counted->counts, key, &found);
	if (!found)
		entry->count = count;
	else if (pg_add_s64_overflow(entry->count, count, &entry->count))
		TooMany();
}

/* Round all values up to that level. */
static void
Raise(ClvCounted *counted, int level)
{
	counts_hash *before = counted->counts;
	counts_iterator iterator;
	Entry *entry;

	counted->level = level;
	if (before == NULL)
		return;
	counted->counts = counts_create(counted->context, before->members / 2, NULL);
	counts_start_iterate(before, &iterator);
	while ((entry = counts_iterate(before, &iterator)) != NULL)
		CountKey(counted, RoundUp(entry->key, level), entry->count);
	counts_destroy(before);
}

/* Go to the lowest level with no more values than may be kept. */
static void
Fit(ClvCounted *counted)
{
	while (counted->counts != NULL && counted->counts->members > CLV_COUNTED_VALUES)
		Raise(counted, counted->level + 1);
}

void
clv_counted_add(ClvCounted *counted, double value, int64 count)
{
	CountKey(counted, RoundUp(clv_counted_key(value), counted->level), count);
	Fit(counted);
}

void
clv_counted_merge(ClvCounted *counted, const ClvCounted *other)
{
	counts_iterator iterator;
	Entry *entry;

	if (other->counts == NULL)
		return;
	if (counted->level < other->level)
		Raise(counted, other->level);
	counts_start_iterate(other->counts, &iterator);
	while ((entry = counts_iterate(other->counts, &iterator)) != NULL)
	{
		CountKey(counted, RoundUp(entry->key, counted->level), entry->count);
		Fit(counted);
	}
}

/* ---- lists ---- */

/* Orders values. */
static int
Compare(const void *left, const void *right)
{
	uint64 a = ((const ClvCount *) left)->key, b = ((const ClvCount *) right)->key;

	return a < b ? -1 : a > b;
}

ClvCount *
clv_counted_list(const ClvCounted *counted, int *number)
{
	ClvCount *list = palloc((CLV_COUNTED_VALUES + 1) * sizeof(ClvCount));
	counts_iterator iterator;
	Entry *entry;

	*number = 0;
	if (counted->counts == NULL)
		return list;
	counts_start_iterate(counted->counts, &iterator);
	while ((entry = counts_iterate(counted->counts, &iterator)) != NULL)
	{
		list[*number].key = entry->key;
		list[*number].count = entry->count;
		(*number)++;
	}
	qsort(list, *number, sizeof(ClvCount), Compare);
	return list;
}

int64
clv_counted_customers(const ClvCounted *counted)
{
	int number;
	ClvCount *list = clv_counted_list(counted, &number);
	int64 customers = 0;

	for (int i = 0; i < number; i++)
		if (pg_add_s64_overflow(customers, list[i].count, &customers))
			TooMany();
	pfree(list);
	return customers;
}

bool
clv_counted_take(ClvCounted *counted, int level, const ClvCount *list, int number)
{
	int64 possible = 0;

	if (level < 0 || level > CLV_COUNTED_LEVELS || number < 0 || number > CLV_COUNTED_VALUES)
		return false;
	for (int i = 0; i < number; i++)
	{
		if (!IsKey(list[i].key, level) || list[i].count < 1 ||
			(i > 0 && list[i].key <= list[i - 1].key))
			return false;
		/* a step lower, a value may have been two */
		possible += Min(list[i].count, 2);
	}
	if (level > 0 && possible <= CLV_COUNTED_VALUES)
		return false;
	counted->level = level;
	for (int i = 0; i < number; i++)
		CountKey(counted, list[i].key, list[i].count);
	return true;
}

/* ---- bytes ---- */

void
clv_counted_send(StringInfo out, const ClvCounted *counted)
{
	int number;
	ClvCount *list = clv_counted_list(counted, &number);
	uint64 before = 0;

	pq_sendbyte(out, counted->level);
	pq_sendint32(out, number);
	for (int i = 0; i < number; i++)
	{
		uint8 bytes[20];
		uint8 *end = WriteVarint(bytes, (list[i].key >> counted->level) - before);

		end = WriteVarint(end, list[i].count);
		pq_sendbytes(out, (const char *) bytes, end - bytes);
		before = list[i].key >> counted->level;
	}
	pfree(list);
}

bool
clv_counted_recv(StringInfo in, ClvCounted *counted)
{
	int level = pq_getmsgbyte(in);
	int number = (int) pq_getmsgint(in, 4);
	const uint8 *next = (const uint8 *) in->data + in->cursor;
	const uint8 *end = (const uint8 *) in->data + in->len;
	ClvCount *list;
	uint64 place = 0;

	if (level > CLV_COUNTED_LEVELS || number < 0 || number > CLV_COUNTED_VALUES)
		return false;
	list = palloc((number + 1) * sizeof(ClvCount));
	for (int i = 0; i < number; i++)
	{
		uint64 distance, count;

		if (!TryVarint(&next, end, &distance) || !TryVarint(&next, end, &count) ||
			distance > (PG_UINT64_MAX >> level) - place || count > PG_INT64_MAX)
			return false;
		place += distance;
		list[i].key = place << level;
		list[i].count = (int64) count;
	}
	in->cursor = (const char *) next - in->data;
	return clv_counted_take(counted, level, list, number);
}

/* ---- cuts ---- */

/* The value of a rank, counted from 0; goes on in the list from where the last call has been. */
static double
ValueAt(const ClvCount *list, int *at, int64 *before, int64 rank)
{
	while (rank - *before >= list[*at].count)
		*before += list[(*at)++].count;
	return clv_counted_value(list[*at].key);
}

void
clv_counted_cut(const ClvCounted *counted, int bins, double *cuts)
{
	int number, at = 0;
	ClvCount *list = clv_counted_list(counted, &number);
	int64 n = clv_counted_customers(counted), before = 0;

	for (int i = 1; i < bins; i++)
	{
		int part;
		int64 below = clv_quantile_rank(n, bins, i, &part);
		double low = ValueAt(list, &at, &before, below);

		cuts[i - 1] = low;
		if (part > 0 && counted->level == 0)
		{
			int next = at;
			int64 next_before = before;

			cuts[i - 1] = clv_quantile_between(low, ValueAt(list, &next, &next_before, below + 1),
											   part, bins);
		}
	}
	pfree(list);
}
