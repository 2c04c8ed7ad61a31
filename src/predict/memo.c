/*
 * memo.c
 *		A memo of what was computed for one customer, used for those with the same key.
 *
 * Most of a prediction, given that the customer is alive, depends on the number
 * of purchases and the age alone. Ages are whole days, so a million customers
 * share a few thousand pairs: each is computed once and looked up afterwards.
 * Where the model has covariates, two further numbers in the key stand for the
 * parameters that they make.
 *
 * The table starts small, since many call sites see only a row or two, and is
 * kept at most half full; at its largest it is emptied, which bounds it to 4 MB of
 * entries of the usual width, and to 16 MB of wide ones. That is more than a
 * processor's cache holds: an entry of the usual width is one cache line, and can be
 * prefetched while something else is computed.
 */
#include "predict/predict_private.h"

#include "common/hashfn.h"
#include "utils/float.h"

#define MEMO_FIRST 16
#define MEMO_MOST 65536
#define MEMO_BYTES (16 * 1024 * 1024)

/* An entry: its key, then its values. */
typedef struct MemoEntry
{
	ClvMemoKey key; /* x = -1: empty */
	double value[FLEXIBLE_ARRAY_MEMBER];
} MemoEntry;

/* The entry in a slot of the table. */
static inline MemoEntry *
EntryAt(const ClvMemo *memo, uint32 slot)
{
	return (MemoEntry *) (memo->entries + slot * memo->stride);
}

void
clv_memo_init(ClvMemo *memo, MemoryContext context, int width)
{
	memset(memo, 0, sizeof(*memo));
	memo->context = context;
	memo->width = width;
	memo->stride = offsetof(MemoEntry, value) + width * sizeof(double);
}

void
clv_memo_clear(ClvMemo *memo)
{
	for (int i = 0; i < memo->size; i++)
		EntryAt(memo, i)->key.x = -1;
	memo->used = 0;
}

void
clv_memo_change_width(ClvMemo *memo, int width)
{
	if (memo->memory != NULL)
		pfree(memo->memory);
	clv_memo_init(memo, memo->context, width);
}

ClvMemoKey
clv_memo_key(int32 x, int32 days, int32 last, DateADT as_of, double purchase, double churn)
{
	return (ClvMemoKey){
		.x = x, .days = days, .last = last, .as_of = as_of, .purchase = purchase, .churn = churn};
}

/* The hash of a key. */
static inline uint32
Hash(const ClvMemoKey *key)
{
	uint32 hash = (uint32) key->days * 2654435761u + (uint32) key->x;

	if (key->last != 0)
		hash ^= murmurhash32((uint32) key->last);
	if (key->as_of != 0)
		hash ^= murmurhash32(~(uint32) key->as_of);
	if (key->purchase != 0 || key->churn != 0)
		hash ^= hash_bytes((const unsigned char *) &key->purchase, 2 * sizeof(double));
	return murmurhash32(hash);
}

ClvMemoKey
clv_customer_key(const ClvModel *fitted, const ClvCustomer *customer, double purchase, double churn)
{
	const ClvFamily *family = fitted->purchase.family;

	return clv_memo_key((int32) customer->x, customer->days,
						family->given_alive == NULL ? customer->last : 0,
						fitted->purchase.calendar != NULL ? customer->as_of : 0, purchase, churn);
}

/* The entry of the key, or the empty one where it belongs: linear probing. */
static inline MemoEntry *
Slot(const ClvMemo *memo, const ClvMemoKey *key)
{
	uint32 mask = memo->size - 1;
	uint32 slot = Hash(key) & mask;

	for (;; slot = (slot + 1) & mask)
	{
		MemoEntry *entry = EntryAt(memo, slot);

		if (entry->key.x < 0 ||
			(entry->key.x == key->x && entry->key.days == key->days &&
			 entry->key.last == key->last && entry->key.as_of == key->as_of &&
			 entry->key.purchase == key->purchase && entry->key.churn == key->churn))
			return entry;
	}
}

/* Whether the table is as large as it gets. */
static inline bool
IsLargest(const ClvMemo *memo)
{
	return memo->size >= MEMO_MOST || memo->size * 4 * memo->stride > MEMO_BYTES;
}

bool
clv_memo_is_full(const ClvMemo *memo)
{
	return memo->used >= memo->size / 2 && IsLargest(memo);
}

double *
clv_memo_slot(const ClvMemo *memo, int slot)
{
	MemoEntry *entry = EntryAt(memo, slot);

	return entry->key.x < 0 ? NULL : entry->value;
}

/* Makes the table four times as large, or empties it where it is at its largest; keeps it at most
 * half full. */
static void
Grow(ClvMemo *memo)
{
	ClvMemo old = *memo;

	if (IsLargest(&old))
	{
		clv_memo_clear(memo);
		return;
	}
	memo->size = Max(MEMO_FIRST, old.size * 4);
	memo->memory =
		MemoryContextAlloc(memo->context, memo->size * memo->stride + PG_CACHE_LINE_SIZE);
	memo->entries = (char *) CACHELINEALIGN(memo->memory);
	clv_memo_clear(memo);
	for (int i = 0; i < old.size; i++)
	{
		MemoEntry *entry = EntryAt(&old, i);

		if (entry->key.x >= 0)
			memcpy(Slot(memo, &entry->key), entry, memo->stride);
	}
	memo->used = old.used;
	if (old.memory != NULL)
		pfree(old.memory);
}

void
clv_memo_prefetch(const ClvMemo *memo, const ClvMemoKey *key)
{
	if (memo->size > 0)
		CLV_PREFETCH(EntryAt(memo, Hash(key) & (memo->size - 1)));
}

double *
clv_memo_values(ClvMemo *memo, const ClvMemoKey *key)
{
	MemoEntry *entry;

	if (memo->size > 0)
	{
		entry = Slot(memo, key);
		if (entry->key.x >= 0)
			return entry->value;
	}
	if (memo->used >= memo->size / 2)
		Grow(memo);
	entry = Slot(memo, key);
	entry->key = *key;
	for (int i = 0; i < memo->width; i++)
		entry->value[i] = get_float8_nan();
	memo->used++;
	return entry->value;
}
