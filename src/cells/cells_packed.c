/*
 * cells_packed.c
 *		Counting histories in one word each: the first stage of clv_cells.
 *
 * A million customers of two years are some hundred thousand cells that come in no
 * order, so that counting one means waiting for memory. Here a cell and its count are
 * one word of a hash table: one memory access, and a quarter of the memory. As
 * numbers the words are in the order of cells, so that sorting them puts the cells
 * into the order in which they are stored and fitted.
 *
 * What does not fit (more than 4095 repeat purchases, days more than 44 years away
 * from the first that came, covariates) is left to the cells themselves. Where more
 * customers are alike than a count of 22 bits holds, their cell has several words.
 * Before the cells are read they are settled: unpacked, once and for all.
 *
 * Words wait in a short queue until it is full: meanwhile their slots are prefetched.
 */
#include "cells/cells.h"

#include "math/sort.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#define SLOTS_AT_FIRST 512
#define SLOTS_LIMIT (UINT64CONST(1) << 31)

/* From the highest bit down: x, the day of the first purchase backwards, days to the last, the
 * count. */
#define COUNT_BITS 22
#define DAYS_BITS 15
#define X_BITS 12
#define SINCE_SHIFT (COUNT_BITS + DAYS_BITS)
#define X_SHIFT (SINCE_SHIFT + DAYS_BITS)
#define COUNT_LIMIT (UINT64CONST(1) << COUNT_BITS)
#define DAYS_LIMIT (1 << DAYS_BITS)

StaticAssertDecl(X_SHIFT + X_BITS <= 64, "a cell must fit into a word");

/* The word of a cell without its count; false where it does not fit. */
static inline bool
Pack(const ClvPacked *packed, const ClvCellEntry *cell, uint64 *word)
{
	int64 since = packed->latest - cell->since;
	int64 days = cell->until - cell->since;

	if (since < 0 || since >= DAYS_LIMIT || days >= DAYS_LIMIT || cell->x >= 1 << X_BITS ||
		cell->count >= COUNT_LIMIT)
		return false;
	*word =
		(uint64) cell->x << X_SHIFT | (uint64) since << SINCE_SHIFT | (uint64) days << COUNT_BITS;
	return true;
}

/* The cell and its count behind a word. */
static void
Unpack(const ClvPacked *packed, uint64 word, ClvCellEntry *cell)
{
	memset(cell, 0, sizeof(*cell));
	cell->x = (int32) (word >> X_SHIFT);
	cell->count = (uint32) (word & (COUNT_LIMIT - 1));
	cell->since = packed->latest - (int64) (word >> SINCE_SHIFT & (DAYS_LIMIT - 1));
	cell->until = cell->since + (int64) (word >> COUNT_BITS & (DAYS_LIMIT - 1));
}

/* The slot where the search for the word begins. */
static inline uint64
FirstSlot(const ClvPacked *packed, uint64 word)
{
	return ((word >> COUNT_BITS) * UINT64CONST(0x9E3779B97F4A7C15)) >> packed->shift;
}

/* The count of a word. */
static inline uint64
Count(uint64 word)
{
	return word & (COUNT_LIMIT - 1);
}

/* Add the word to that of the same cell, where that has room for it; linear probing. */
static inline void
Enter(ClvPacked *packed, uint64 word)
{
	uint64 slot = FirstSlot(packed, word);

	while (packed->slots[slot] != 0 && (packed->slots[slot] >> COUNT_BITS != word >> COUNT_BITS ||
										Count(packed->slots[slot]) + Count(word) >= COUNT_LIMIT))
		slot = (slot + 1) & packed->mask;
	if (packed->slots[slot] == 0)
	{
		packed->slots[slot] = word;
		packed->used++;
	}
	else
		packed->slots[slot] += Count(word);
}

/* Twice the slots. */
static void
Grow(ClvPacked *packed, MemoryContext context)
{
	ClvPacked old = *packed;
	uint64 size = old.slots == NULL ? SLOTS_AT_FIRST : 2 * (old.mask + 1);

	if (size > SLOTS_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than " INT64_FORMAT " different histories in clv_cells", old.used)));
	packed->slots = MemoryContextAllocExtended(context, mul_size(size, sizeof(uint64)),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	packed->mask = size - 1;
	packed->shift = 64 - pg_leftmost_one_pos64(size);
	packed->used = 0;
	if (old.slots == NULL)
		return;
	for (uint64 i = 0; i <= old.mask; i++)
		if (old.slots[i] != 0)
			Enter(packed, old.slots[i]);
	pfree(old.slots);
}

/* Enter all that wait; the table is then at most five eighths full. */
static void
EnterWaiting(ClvPacked *packed, MemoryContext context)
{
	while ((uint64) (packed->used + packed->nwaiting) * 8 > (packed->mask + 1) * 5)
		Grow(packed, context);
	for (int i = 0; i < packed->nwaiting; i++)
		Enter(packed, packed->waiting[i]);
	packed->nwaiting = 0;
}

void
clv_packed_init(ClvPacked *packed)
{
	memset(packed, 0, sizeof(*packed));
	packed->open = true;
}

bool
clv_packed_count(ClvPacked *packed, MemoryContext context, const ClvCellEntry *cell)
{
	uint64 word;

	if (packed->slots == NULL)
	{
		packed->latest = cell->since + DAYS_LIMIT / 2;
		Grow(packed, context);
	}
	if (!Pack(packed, cell, &word))
		return false;
	word |= cell->count;
	CLV_PREFETCH(&packed->slots[FirstSlot(packed, word)]);
	packed->waiting[packed->nwaiting++] = word;
	if (packed->nwaiting == CLV_PACKED_WAITING)
		EnterWaiting(packed, context);
	return true;
}

/* ---- sorting ---- */

/* Digit number which of the sort key of a word: the word without its count. */
static inline uint32_t
WordDigit(const void *record, int which, const void *arg)
{
	return *(const uint64 *) record >> (COUNT_BITS + which * CLV_SORT_BITS) &
		   (CLV_SORT_BUCKETS - 1);
}

/* The order of words as numbers. */
static inline bool
WordLess(const void *a, const void *b)
{
	return *(const uint64 *) a < *(const uint64 *) b;
}

/* The poll of the sort: checks for interrupts. */
static void
Interrupt(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

/* Move the words to the front of the slots, in order; the hash table is gone then. */
static void
Sort(ClvPacked *packed, MemoryContext context)
{
	static const ClvSorter sorter = {sizeof(uint64), 4, WordDigit, WordLess};
	uint64 *scratch = MemoryContextAllocHuge(context, mul_size(packed->used, sizeof(uint64)));
	ClvPoll poll = {Interrupt, NULL, 0};
	int64 n = 0;

	for (uint64 i = 0; i <= packed->mask; i++)
		if (packed->slots[i] != 0)
			packed->slots[n++] = packed->slots[i];
	Assert(n == packed->used);
	clv_sort(&sorter, packed->slots, scratch, n, NULL, &poll);
	pfree(scratch);
}

void
clv_packed_settle(ClvPacked *packed, MemoryContext context,
				  void (*take)(void *arg, const ClvCellEntry *cell), void *arg)
{
	ClvCellEntry cell;
	ClvCellEntry next;

	packed->open = false;
	if (packed->slots == NULL)
		return;
	EnterWaiting(packed, context);
	Sort(packed, context);
	for (int64 i = 0; i < packed->used; i++)
	{
		Unpack(packed, packed->slots[i], &cell);
		for (; i + 1 < packed->used &&
			   packed->slots[i + 1] >> COUNT_BITS == packed->slots[i] >> COUNT_BITS;
			 i++)
		{
			Unpack(packed, packed->slots[i + 1], &next);
			clv_cell_add(&cell, next.count);
		}
		take(arg, &cell);
	}
	pfree(packed->slots);
	packed->slots = NULL;
	packed->used = 0;
}
