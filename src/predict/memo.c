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
 * Entries lie one after the other, as they came, and a table of slots says where each
 * key has its own: what is not used takes no memory, and no place in the processor's
 * cache. The slots start few, since many call sites see only a row or two, and are
 * kept at most half full; at their most the memo is emptied, which bounds it to 4 MB of
 * entries of the usual width, and to 8 MB of wide ones. An entry of the usual width is one
 * cache line, and can be prefetched while something else is computed.
 */
#include "predict/predict_private.h"

#include "common/hashfn.h"
#include "utils/float.h"

#define MEMO_FIRST 16
#define MEMO_MOST 262144
#define MEMO_BYTES (8 * 1024 * 1024)

/* A slot that is used: the upper bits of the key's hash, which tell most other keys apart, and the
 * number of its entry from 1 on. 0: empty. */
#define SLOT_ENTRY 0xFFFFu
#define SLOT_HASH 0xFFFF0000u

/* An entry: its key, then its values. */
typedef struct MemoEntry
{
	ClvMemoKey key;
	double value[FLEXIBLE_ARRAY_MEMBER];
} MemoEntry;

/* An entry by its number, from 0 on. */
static inline MemoEntry *
EntryAt(const ClvMemo *memo, uint32 number)
{
	return (MemoEntry *) (memo->entries + number * memo->stride);
}

/* The entry of a slot that is used. */
static inline MemoEntry *
EntryOf(const ClvMemo *memo, uint32 slot)
{
	return EntryAt(memo, (slot & SLOT_ENTRY) - 1);
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
	if (memo->used > 0)
		memset(memo->slots, 0, memo->size * sizeof(uint32));
	memo->used = 0;
}

/* Frees what the memo has allocated. */
static void
Free(ClvMemo *memo)
{
	if (memo->size > 0)
	{
		pfree(memo->slots);
		pfree(memo->memory);
	}
}

void
clv_memo_change_width(ClvMemo *memo, int width)
{
	Free(memo);
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

/* Whether two keys are the same. */
static inline bool
IsSame(const ClvMemoKey *a, const ClvMemoKey *b)
{
	return a->x == b->x && a->days == b->days && a->last == b->last && a->as_of == b->as_of &&
		   a->purchase == b->purchase && a->churn == b->churn;
}

/* The slot of the key with this hash, or the empty one where it belongs: linear probing. */
static inline uint32 *
Slot(const ClvMemo *memo, const ClvMemoKey *key, uint32 hash)
{
	uint32 mask = memo->size - 1;

	for (uint32 i = hash & mask;; i = (i + 1) & mask)
	{
		uint32 *slot = &memo->slots[i];

		if (*slot == 0 ||
			(((*slot ^ hash) & SLOT_HASH) == 0 && IsSame(&EntryOf(memo, *slot)->key, key)))
			return slot;
	}
}

/* Lets the slot, which is empty, have an entry by its number. */
static inline void
Fill(uint32 *slot, uint32 hash, uint32 number)
{
	*slot = (hash & SLOT_HASH) | (number + 1);
}

/* The number of entries for which a table of this many slots has room. */
static inline Size
Room(int size)
{
	return Min((Size) size / 2, SLOT_ENTRY);
}

/* Whether the memo is as large as it gets. */
static inline bool
IsLargest(const ClvMemo *memo)
{
	return memo->size >= MEMO_MOST || Room(memo->size * 4) * memo->stride > MEMO_BYTES;
}

bool
clv_memo_is_full(const ClvMemo *memo)
{
	return (Size) memo->used >= Room(memo->size) && IsLargest(memo);
}

double *
clv_memo_entry(const ClvMemo *memo, int number)
{
	return EntryAt(memo, number)->value;
}

/* Makes the memo four times as large, or empties it where it is at its largest. */
static void
Grow(ClvMemo *memo)
{
	ClvMemo old = *memo;
	Size entries;

	if (IsLargest(&old))
	{
		clv_memo_clear(memo);
		return;
	}
	memo->size = Max(MEMO_FIRST, old.size * 4);
	memo->slots = MemoryContextAllocZero(memo->context, memo->size * sizeof(uint32));
	entries = Room(memo->size) * memo->stride;
	memo->memory = MemoryContextAlloc(memo->context, entries + PG_CACHE_LINE_SIZE);
	memo->entries = (char *) CACHELINEALIGN(memo->memory);
	if (old.used > 0)
		memcpy(memo->entries, old.entries, old.used * memo->stride);
	for (int i = 0; i < old.used; i++)
	{
		const ClvMemoKey *key = &EntryAt(memo, i)->key;
		uint32 hash = Hash(key);

		Fill(Slot(memo, key, hash), hash, i);
	}
	Free(&old);
}

void
clv_memo_prefetch(const ClvMemo *memo, const ClvMemoKey *key)
{
	uint32 slot = memo->size > 0 ? memo->slots[Hash(key) & (memo->size - 1)] : 0;

	if (slot != 0)
		CLV_PREFETCH(EntryOf(memo, slot));
}

double *
clv_memo_values(ClvMemo *memo, const ClvMemoKey *key)
{
	uint32 hash = Hash(key);
	MemoEntry *entry;

	if (memo->size > 0)
	{
		uint32 slot = *Slot(memo, key, hash);

		if (slot != 0)
			return EntryOf(memo, slot)->value;
	}
	if ((Size) memo->used >= Room(memo->size))
		Grow(memo);
	Fill(Slot(memo, key, hash), hash, memo->used);
	entry = EntryAt(memo, memo->used++);
	entry->key = *key;
	for (int i = 0; i < memo->width; i++)
		entry->value[i] = get_float8_nan();
	return entry->value;
}
