/*
 * cells.c
 *		The data behind clv_cells: counting customers with the same history.
 *
 * While it grows it is an expanded object with three arrays: the cells in order of
 * arrival, an open-addressing index of cell numbers over them, and the spend
 * entries, which are only ever appended. Stored, it is a head and the two arrays,
 * sorted, so that the same customers give the same bytes however they came. Most
 * histories are first counted in a more compact form (cells_packed.c), and become cells
 * when these are looked at.
 *
 * A slot of the index keeps half of its hash beside the number, so that a search
 * touches no cell but the one it finds: cells lie scattered over memory, slots side
 * by side. Up to CELLS_WITHOUT_INDEX cells are looked through one by one, so that a
 * query with many small groups pays for nothing larger than its cells.
 */
#include "cells/cells.h"

#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#define CELLS_WITHOUT_INDEX 8
#define CELLS_AT_FIRST 4
#define SPEND_AT_FIRST 4
#define CELLS_LIMIT (1 << 30) /* numbers of cells are 32 bits, the index twice as large */

static Size FlatSize(ExpandedObjectHeader *object);
static void SettleEntries(ClvCellsState *state);
static void AbsorbEntries(ClvCellsState *state, const ClvCellsView *from);
static void FlattenInto(ExpandedObjectHeader *object, void *result, Size size);

static const ExpandedObjectMethods methods = {FlatSize, FlattenInto};

StaticAssertDecl(sizeof(ClvCellEntry) == 32, "cells are compared byte by byte");
StaticAssertDecl(sizeof(ClvSpendEntry) == 16, "spend entries are compared byte by byte");
StaticAssertDecl(sizeof(ClvDayEntry) == 24, "days are compared byte by byte");
StaticAssertDecl(offsetof(ClvCells, data) == sizeof(ClvCellsHead), "no hole after the head");
StaticAssertDecl(sizeof(ClvCellsHead) == 112 + sizeof(ClvFitOptions), "no hole in the head");

/* ---- order ---- */

int
clv_cell_compare(const ClvCellEntry *a, const ClvCellEntry *b)
{
	if (a->x != b->x)
		return a->x < b->x ? -1 : 1;
	/* the latest first: by ascending age, as fits want them */
	if (a->since != b->since)
		return a->since > b->since ? -1 : 1;
	if (a->until != b->until)
		return a->until < b->until ? -1 : 1;
	if (a->vector != b->vector)
		return a->vector < b->vector ? -1 : 1;
	return 0;
}

int
clv_spend_compare(const ClvSpendEntry *a, const ClvSpendEntry *b)
{
	if (a->x != b->x)
		return a->x < b->x ? -1 : 1;
	if (a->mean_high != b->mean_high)
		return a->mean_high < b->mean_high ? -1 : 1;
	if (a->mean_low != b->mean_low)
		return a->mean_low < b->mean_low ? -1 : 1;
	if (a->vector != b->vector)
		return a->vector < b->vector ? -1 : 1;
	return 0;
}

#define ST_SORT SortCells
#define ST_ELEMENT_TYPE ClvCellEntry
#define ST_COMPARE(a, b) clv_cell_compare(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT SortSpend
#define ST_ELEMENT_TYPE ClvSpendEntry
#define ST_COMPARE(a, b) clv_spend_compare(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* ---- the stored form ---- */

/* Memory for n elements of that size, more than 1 GB if need be. */
static void *
AllocArray(MemoryContext context, int64 n, Size size)
{
	return MemoryContextAllocHuge(context, mul_size(n, size));
}

Size
clv_cells_size(const ClvCellsHead *head)
{
	Size size = sizeof(ClvCellsHead);

	size = add_size(size, mul_size(head->nvectors, mul_size(head->width, sizeof(double))));
	size = add_size(size, mul_size(head->ncells, sizeof(ClvCellEntry)));
	size = add_size(size, mul_size(head->ndays, sizeof(ClvDayEntry)));
	size = add_size(size, mul_size(head->nspend, sizeof(ClvSpendEntry)));
	size = add_size(size, head->calendar_size);
	return head->paths_size == 0 ? size : add_size(TYPEALIGN(8, size), head->paths_size);
}

Size
clv_cells_storable_size(const ClvCellsHead *head)
{
	Size size = clv_cells_size(head);

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("clv_cells of " INT64_FORMAT " cells and " INT64_FORMAT
						" spend rows are larger than 1 GB",
						head->ncells, head->nspend),
				 errhint("Fit without storing or sending them (max_parallel_workers_per_gather "
						 "= 0), leave the spend out (spend => 'none'), use histories on a coarser "
						 "grid of occasions, or fit a sample.")));
	return size;
}

/* The method of an expanded object that returns the size of its stored form. */
static Size
FlatSize(ExpandedObjectHeader *object)
{
	MemoryContext caller = MemoryContextSwitchTo(object->eoh_context);

	SettleEntries((ClvCellsState *) object);
	clv_cells_settle_days((ClvCellsState *) object);
	MemoryContextSwitchTo(caller);
	return clv_cells_storable_size(((ClvCellsState *) object)->head);
}

/* The vectors in order, and the numbers of them that cells and spend entries have. */
static void
FlattenVectors(const ClvCellsState *state, ClvCells *flat)
{
	int64 n = state->head->nvectors;
	int width = state->head->width;
	ClvCellsView view = {
		.head = state->head, .vectors = state->vectors.values, .cells = state->cells};
	uint32 *rank;
	uint32 *order;

	if (n == 0)
		return;
	rank = AllocArray(CurrentMemoryContext, n, sizeof(uint32));
	order = AllocArray(CurrentMemoryContext, n, sizeof(uint32));
	clv_vectors_rank(&view, rank, order);
	for (int64 i = 0; i < n; i++)
		memcpy(ClvCellsVectors(flat) + i * width, view.vectors + (int64) order[i] * width,
			   width * sizeof(double));
	for (int64 i = 0; i < state->head->ncells; i++)
		ClvCellsEntries(flat)[i].vector = rank[ClvCellsEntries(flat)[i].vector];
	for (int64 i = 0; ClvSpendHasVectors(state->head) && i < state->head->nspend; i++)
		ClvCellsSpend(flat)[i].vector = rank[ClvCellsSpend(flat)[i].vector];
	for (int64 i = 0; ClvDaysHaveVectors(state->head) && i < state->head->ndays; i++)
		ClvCellsDays(flat)[i].vector = rank[ClvCellsDays(flat)[i].vector];
	if (ClvDaysHaveVectors(state->head))
		clv_days_sort(ClvCellsDays(flat), state->head->ndays);
	pfree(rank);
	pfree(order);
}

/* The method of an expanded object that writes its stored form. Where the caller sorts, its memory
 * is of a kind in which nothing can be freed. */
static void
FlattenInto(ExpandedObjectHeader *object, void *result, Size size)
{
	const ClvCellsState *state = (ClvCellsState *) object;
	ClvCells *flat = (ClvCells *) result;
	MemoryContext caller = MemoryContextSwitchTo(object->eoh_context);

	memcpy(&flat->head, state->head, sizeof(ClvCellsHead));
	SET_VARSIZE(flat, size);
	memcpy(ClvCellsEntries(flat), state->cells, state->head->ncells * sizeof(ClvCellEntry));
	if (state->head->nspend > 0)
		memcpy(ClvCellsSpend(flat), state->spend, state->head->nspend * sizeof(ClvSpendEntry));
	if (state->head->ndays > 0)
		memcpy(ClvCellsDays(flat), state->days, state->head->ndays * sizeof(ClvDayEntry));
	FlattenVectors(state, flat);
	SortCells(ClvCellsEntries(flat), state->head->ncells);
	if (state->calendar != NULL)
		memcpy(ClvCellsEnd(flat), state->calendar, state->head->calendar_size);
	SortSpend(ClvCellsSpend(flat), state->head->nspend);
	if (state->head->npaths > 0)
		clv_cells_flatten_paths(state, flat);
	MemoryContextSwitchTo(caller);
}

/* An error where the version is unknown; all else was checked when the cells were made. */
static void
CheckVersion(const ClvCellsHead *head)
{
	if (head->version != CLV_CELLS_VERSION)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("unknown version of clv_cells: %d", head->version),
						errdetail("This version of clv reads version %d.", CLV_CELLS_VERSION),
						errhint("Count the histories again with clv_cells().")));
}

ClvCells *
clv_cells_flat(Datum cells)
{
	ClvCells *flat;

	if (clv_cells_are_small(cells))
		cells = EOHPGetRODatum(&clv_cells_copy(cells, CurrentMemoryContext)->hdr);
	flat = (ClvCells *) PG_DETOAST_DATUM(cells);
	CheckVersion(&flat->head);
	return flat;
}

/* The object behind the datum, where it is one of ours; else NULL. */
static ClvCellsState *
ExpandedState(Datum cells)
{
	ExpandedObjectHeader *object;

	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(cells)))
		return NULL;
	object = DatumGetEOHP(cells);
	return object->eoh_methods == &methods ? (ClvCellsState *) object : NULL;
}

void
clv_cells_view(Datum cells, ClvCellsView *view)
{
	ClvCellsState *state = ExpandedState(cells);

	if (state != NULL)
	{
		SettleEntries(state);
		clv_cells_settle_days(state);
		view->head = state->head;
		view->vectors = state->vectors.values;
		view->cells = state->cells;
		view->spend = state->spend;
		view->days = state->days;
		view->calendar = state->calendar;
		view->paths = state->paths.bytes;
	}
	else if (clv_cells_are_small(cells))
		clv_small_view(cells, view);
	else
	{
		ClvCells *flat = clv_cells_flat(cells);

		view->head = &flat->head;
		view->vectors = ClvCellsVectors(flat);
		view->cells = ClvCellsEntries(flat);
		view->spend = ClvCellsSpend(flat);
		view->days = ClvCellsDays(flat);
		view->calendar = ClvCellsCalendar(flat);
		view->paths = ClvCellsPaths(flat);
	}
}

/* ---- the expanded object ---- */

/* An expanded object in a context of its own below parent, with an empty head. */
static ClvCellsState *
NewState(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "clv_cells", ALLOCSET_START_SMALL_SIZES);
	ClvCellsState *state = MemoryContextAllocZero(context, sizeof(ClvCellsState));

	EOH_init_header(&state->hdr, &methods, context);
	state->head = &state->own_head;
	state->cells_size = CELLS_AT_FIRST;
	state->cells = AllocArray(context, state->cells_size, sizeof(ClvCellEntry));
	return state;
}

/* Set what the rows need and the head determines. */
static void
Derive(ClvCellsState *state)
{
	if (state->head->kind == CLV_CELLS_HISTORY && state->head->width == 0)
		clv_packed_init(&state->packed);
	state->clock = clv_fit_clock(&state->head->options);
	clv_fit_counting(&state->head->options, &state->counting);
}

void
clv_cells_init_head(ClvCellsHead *head, ClvCellsKind kind, const ClvFitOptions *options)
{
	memset(head, 0, sizeof(*head));
	head->version = CLV_CELLS_VERSION;
	head->kind = kind;
	head->options = *options;
	head->with_spend = strcmp(options->spend, CLV_SPEND_NONE) != 0;
	head->with_times = kind == CLV_CELLS_HISTORY && clv_fit_uses_times(options);
	if (head->with_times && clv_fit_follows(options))
		head->with_days = CLV_DAYS_AND_GAPS;
	else if (kind == CLV_CELLS_HISTORY && clv_fit_counts_days(options))
		head->with_days = CLV_DAYS_ALONE;
	head->width = clv_fit_width(options);
}

ClvCellsState *
clv_cells_new(MemoryContext parent, ClvCellsKind kind, const ClvFitOptions *options)
{
	ClvCellsState *state = NewState(parent);

	clv_cells_init_head(state->head, kind, options);
	Derive(state);
	return state;
}

ClvCellsState *
clv_cells_copy(Datum cells, MemoryContext parent)
{
	ClvCellsState *state = NewState(parent);
	ClvCellsView view;

	clv_cells_view(cells, &view);
	*state->head = *view.head;
	state->head->vl_len_ = 0;
	state->head->version = CLV_CELLS_VERSION;
	state->head->nvectors = state->head->ncells = state->head->nspend = state->head->ndays = 0;
	state->head->npaths = state->head->paths_size = 0;
	clv_cells_set_calendar(state, view.calendar);
	Derive(state);
	AbsorbEntries(state, &view);
	return state;
}

ClvCellsState *
clv_cells_writable(Datum cells, MemoryContext parent)
{
	ClvCellsState *state = NULL;

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(cells)))
		state = ExpandedState(cells);
	return state != NULL ? state : clv_cells_copy(cells, parent);
}

/* ---- counting ---- */

/* The upper half goes into the slot, the lower half says which slot. */
static inline uint64
HashCell(const ClvCellEntry *cell)
{
	uint64 hash = (uint64) cell->since * UINT64CONST(0x9E3779B97F4A7C15);

	hash = (hash ^ (hash >> 32) ^ (uint64) cell->until) * UINT64CONST(0xD6E8FEB86659FD93);
	hash = (hash ^ (hash >> 32) ^ (uint32) cell->x ^ (uint64) cell->vector << 32) *
		   UINT64CONST(0xFF51AFD7ED558CCD);
	return hash ^ (hash >> 32);
}

/* Whether two cells are of the same history and vector. */
static inline bool
SameCell(const ClvCellEntry *a, const ClvCellEntry *b)
{
	return a->x == b->x && a->since == b->since && a->until == b->until && a->vector == b->vector;
}

#define HIGH_HALF UINT64CONST(0xFFFFFFFF00000000)

/* Build the index anew, at most half full. */
static void
BuildIndex(ClvCellsState *state)
{
	uint64 slots = 4 * CELLS_WITHOUT_INDEX;

	while (slots < (uint64) state->head->ncells * 2)
		slots *= 2;
	if (state->index != NULL)
		pfree(state->index);
	state->index = NULL; /* an error in the allocation leaves none rather than a freed one */
	state->index = MemoryContextAllocExtended(
		state->hdr.eoh_context, mul_size(slots, sizeof(uint64)), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	state->index_mask = slots - 1;
	for (int64 i = 0; i < state->head->ncells; i++)
	{
		uint64 hash = HashCell(&state->cells[i]);
		uint32 slot = (uint32) hash & state->index_mask;

		while (state->index[slot] != 0)
			slot = (slot + 1) & state->index_mask;
		state->index[slot] = (hash & HIGH_HALF) | (uint32) (i + 1);
	}
}

/* Append a cell to the entries; an error beyond CELLS_LIMIT. */
static void
AppendCell(ClvCellsState *state, const ClvCellEntry *cell)
{
	if (state->head->ncells == state->cells_size)
	{
		int64 size = state->cells_size + state->cells_size / 2 + CELLS_AT_FIRST;

		if (state->head->ncells >= CELLS_LIMIT)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("more than %d different histories in clv_cells", CELLS_LIMIT)));
		Assert(state->small == NULL);
		state->cells = repalloc_huge(state->cells, mul_size(size, sizeof(ClvCellEntry)));
		state->cells_size = size;
	}
	state->cells[state->head->ncells++] = *cell;
}

void
clv_cell_add(ClvCellEntry *cell, uint32 count)
{
	if (count > PG_UINT32_MAX - cell->count)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("more than %u customers with the same history", PG_UINT32_MAX)));
	cell->count += count;
}

/* Count among the entries. */
static void
CountEntry(ClvCellsState *state, const ClvCellEntry *cell)
{
	uint64 hash;
	uint32 slot;

	if (state->head->ncells <= CELLS_WITHOUT_INDEX && state->index == NULL)
	{
		for (int64 i = 0; i < state->head->ncells; i++)
			if (SameCell(&state->cells[i], cell))
			{
				clv_cell_add(&state->cells[i], cell->count);
				return;
			}
		AppendCell(state, cell);
		return;
	}

	/* at most two thirds full, this cell included */
	if (state->index == NULL ||
		(uint64) (state->head->ncells + 1) * 3 > ((uint64) state->index_mask + 1) * 2)
		BuildIndex(state);
	hash = HashCell(cell);
	for (slot = (uint32) hash & state->index_mask; state->index[slot] != 0;
		 slot = (slot + 1) & state->index_mask)
	{
		ClvCellEntry *found = &state->cells[(uint32) state->index[slot] - 1];

		if ((state->index[slot] & HIGH_HALF) == (hash & HIGH_HALF) && SameCell(found, cell))
		{
			clv_cell_add(found, cell->count);
			return;
		}
	}
	AppendCell(state, cell);
	state->index[slot] = (hash & HIGH_HALF) | (uint32) state->head->ncells;
}

void
clv_cells_count(ClvCellsState *state, const ClvCellEntry *cell)
{
	if (state->small != NULL)
		AppendCell(state, cell);
	else if (!state->packed.open || !clv_packed_count(&state->packed, state->hdr.eoh_context, cell))
		CountEntry(state, cell);
}

/* Count a cell of the first stage among the entries; the argument is the state. */
static void
TakeEntry(void *arg, const ClvCellEntry *cell)
{
	CountEntry((ClvCellsState *) arg, cell);
}

/* The same where there are no other entries: no cell can be counted already. */
static void
TakeOnlyEntry(void *arg, const ClvCellEntry *cell)
{
	AppendCell((ClvCellsState *) arg, cell);
}

/*
 * All cells become entries. Reading does this, so that it may happen to an object that
 * outlives the statement (a variable of a procedure that catches a cancel): one that an
 * error has left half way says so.
 */
static void
SettleEntries(ClvCellsState *state)
{
	if (state->settling)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("clv_cells are incomplete after an error"),
						errhint("Count the customers again.")));
	state->settling = true;
	if (state->head->ncells == 0 && state->packed.used > state->cells_size)
	{
		state->cells_size = state->packed.used;
		state->cells =
			repalloc_huge(state->cells, mul_size(state->cells_size, sizeof(ClvCellEntry)));
	}
	clv_packed_settle(&state->packed, state->hdr.eoh_context,
					  state->head->ncells == 0 ? TakeOnlyEntry : TakeEntry, state);
	state->settling = false;
}

/* Make room for n spend entries in all. */
static void
ReserveSpend(ClvCellsState *state, int64 n)
{
	int64 size;

	if (n <= state->spend_size)
		return;
	Assert(state->small == NULL);
	size = Max(n, state->spend_size + state->spend_size / 2 + SPEND_AT_FIRST);
	if (state->spend == NULL)
		state->spend = AllocArray(state->hdr.eoh_context, size, sizeof(ClvSpendEntry));
	else
		state->spend = repalloc_huge(state->spend, mul_size(size, sizeof(ClvSpendEntry)));
	state->spend_size = size;
}

void
clv_cells_spend(ClvCellsState *state, int32 x, double mean, uint32 vector)
{
	ReserveSpend(state, state->head->nspend + 1);
	state->spend[state->head->nspend++] =
		ClvSpendOf(x, mean, ClvSpendHasVectors(state->head) ? vector : 0);
}

/* ---- merging ---- */

/* Raises the error of two cells that differ in something that the counts depend on; hint: NULL for
 * none. */
static void
GridError(const char *what, const char *one, const char *other, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("clv_cells with different %s cannot be put together: %s and %s", what,
						   one, other),
					hint == NULL ? 0 : errhint("%s", hint)));
}

/* Which days of purchases are known, for a message. */
static const char *
DaysText(const ClvCellsHead *head)
{
	return head->with_days == CLV_DAYS_NONE    ? "first and last ones"
		   : head->with_days == CLV_DAYS_ALONE ? "all"
											   : "all, with the times between them";
}

void
clv_cells_check_grid(const ClvCellsHead *one, const ClvCellsHead *other)
{
	const ClvFitOptions *a = &one->options;
	const ClvFitOptions *b = &other->options;
	const char *a_text;
	const char *b_text;
	const char *what;

	if ((one->kind == CLV_CELLS_SUMMARY) != (other->kind == CLV_CELLS_SUMMARY))
		GridError("contents", one->kind == CLV_CELLS_SUMMARY ? "summaries" : "histories",
				  other->kind == CLV_CELLS_SUMMARY ? "summaries" : "histories",
				  "Summaries are x, t_x and t_cal; histories keep the days themselves.");
	if (clv_fit_clock(a) != clv_fit_clock(b))
		GridError("clocks", clv_clock_name(clv_fit_clock(a)), clv_clock_name(clv_fit_clock(b)),
				  "Count both with the same clv_options(model => ...).");
	what = clv_fit_options_differ(a, b, &a_text, &b_text);
	if (what != NULL)
		GridError(what, a_text, b_text,
				  psprintf("Count both with the same clv_options(%s => ...).", what));
	if (one->with_times != other->with_times)
		GridError("times between purchases", one->with_times ? "with" : "without",
				  other->with_times ? "with" : "without",
				  "Count both with the same clv_options(model => ...).");
	if (one->with_days != other->with_days)
		GridError("days of purchases", DaysText(one), DaysText(other),
				  "Count both with the same calendar, season, trend and shock in clv_options.");
	if (one->with_spend != other->with_spend)
		GridError("spend", one->with_spend ? "with" : "without",
				  other->with_spend ? "with" : "without",
				  "Count both with the same clv_options(spend => ...).");
	/* an occasion of 0 has seen no history yet */
	if (one->occasion != other->occasion && one->occasion != 0 && other->occasion != 0)
		GridError("occasions (days)", psprintf("%d", one->occasion),
				  psprintf("%d", other->occasion), "Make all histories with the same occasion.");
}

/* Add the spend of other cells; vector: the numbers of their vectors here, NULL without any. */
static void
AbsorbSpend(ClvCellsState *state, const ClvCellsView *from, const uint32 *vector)
{
	const ClvCellsHead *head = from->head;
	ClvSpendEntry *entries;

	if (head->nspend == 0)
		return;
	ReserveSpend(state, state->head->nspend + head->nspend);
	entries = state->spend + state->head->nspend;
	memcpy(entries, from->spend, head->nspend * sizeof(ClvSpendEntry));
	for (int64 i = 0; ClvSpendHasVectors(head) && i < head->nspend; i++)
		entries[i].vector = vector[entries[i].vector];
	state->head->nspend += head->nspend;
}

/* Add the cells and the spend of other cells, whose vectors are numbered differently. */
static void
AbsorbEntries(ClvCellsState *state, const ClvCellsView *from)
{
	const ClvCellsHead *head = from->head;
	uint32 *vector = NULL;

	clv_cells_absorb_paths(state, from);
	if (head->nvectors > 0)
	{
		vector = AllocArray(CurrentMemoryContext, head->nvectors, sizeof(uint32));
		for (int64 i = 0; i < head->nvectors; i++)
			vector[i] = clv_cells_vector(state, from->vectors + i * head->width);
	}
	for (int64 i = 0; i < head->ncells; i++)
	{
		ClvCellEntry cell = from->cells[i];

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (vector != NULL)
			cell.vector = vector[cell.vector];
		clv_cells_count(state, &cell);
	}
	for (int64 i = 0; i < head->ndays; i++)
	{
		ClvDayEntry day = from->days[i];

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (ClvDaysHaveVectors(head))
			day.vector = vector[day.vector];
		clv_cells_add_day(state, &day);
	}
	AbsorbSpend(state, from, vector);
	if (vector != NULL)
		pfree(vector);
}

/* ---- sums of log times ---- */

ClvLogTimes
clv_log_time(int32 days)
{
	double scaled = ldexp(log(days), 20);
	double coarse = rint(scaled);

	return (ClvLogTimes){(int64) coarse, (int64) rint(ldexp(scaled - coarse, 30))};
}

/*
 * Of x times that add up to so many days, none below a day, the logarithms add up to most
 * where all are alike, and to least where all but one are a day. The fine part of each is
 * at most half a unit of the coarse one.
 */
bool
clv_times_possible(const ClvCellsHead *head, const ClvCellEntry *cells, double *least, double *most)
{
	const double rounding = 1e-9;
	double times = 0;
	double value = ClvTimesValue(&head->times);

	*least = *most = 0;
	for (int64 i = 0; i < head->ncells; i++)
	{
		const ClvCellEntry *cell = &cells[i];
		double x = cell->x;
		double days = (double) (cell->until - cell->since);

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (cell->x == 0)
			continue;
		times += cell->count * x;
		*least += cell->count * log(days - x + 1);
		*most += cell->count * x * log(days / x);
	}
	if (times == 0)
		return head->times.coarse == 0 && head->times.fine == 0;
	return fabs((double) head->times.fine) <= ldexp(times, 29) &&
		   value >= *least - rounding * (*most + 1) && value <= *most + rounding * (*most + 1);
}

void
clv_times_add(ClvLogTimes *sum, const ClvLogTimes *times, int sign)
{
	ClvLogTimes result;

	if (sign > 0 ? (pg_add_s64_overflow(sum->coarse, times->coarse, &result.coarse) ||
					pg_add_s64_overflow(sum->fine, times->fine, &result.fine))
				 : (pg_sub_s64_overflow(sum->coarse, times->coarse, &result.coarse) ||
					pg_sub_s64_overflow(sum->fine, times->fine, &result.fine)))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("sum of times between purchases in clv_cells is out of range")));
	*sum = result;
}

void
clv_cells_add_head(ClvCellsHead *sum, const ClvCellsHead *head)
{
	clv_cells_check_grid(sum, head);
	if (memcmp(&sum->options, &head->options, sizeof(ClvFitOptions)) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("clv_cells with different options cannot be put together"),
						errdetail("%s", clv_fit_options_both(&sum->options, &head->options)),
						errhint("To fit them anyway, give the options again: "
								"clv_fit(cells, clv_options(...)).")));
	if (head->occasion != 0)
		sum->occasion = head->occasion;
	if (pg_add_s64_overflow(sum->skipped, head->skipped, &sum->skipped) ||
		pg_add_s64_overflow(sum->spend_skipped, head->spend_skipped, &sum->spend_skipped) ||
		pg_add_s64_overflow(sum->returned, head->returned, &sum->returned))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("too many skipped customers in clv_cells")));
	clv_times_add(&sum->times, &head->times, 1);
}

void
clv_cells_absorb(ClvCellsState *state, const ClvCellsView *from)
{
	clv_cells_add_head(state->head, from->head);
	AbsorbEntries(state, from);
}

/* ---- checks of cells that were read ---- */

#define BadCells(...) ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), __VA_ARGS__))

/* Whether cells of that kind can come from these options. */
static bool
IsKindOf(const ClvCellsHead *head)
{
	ClvClock clock = clv_fit_clock(&head->options);
	bool periods = clock == CLV_OPPORTUNITIES || clock == CLV_RENEWALS;

	switch (head->kind)
	{
		case CLV_CELLS_HISTORY:
			return !periods;
		case CLV_CELLS_SUMMARY:
			return true;
		case CLV_CELLS_PERIODS:
			return periods && head->options.as_of != DATEVAL_NOEND;
		default:
			return false;
	}
}

void
clv_cells_check_head(const ClvCellsHead *head)
{
	clv_fit_options_check(&head->options);
	if (!IsKindOf(head))
		BadCells(errmsg("invalid kind of clv_cells for model \"%s\": %d", head->options.model,
						head->kind));
	if (head->with_spend > 1 || head->with_times > 1)
		BadCells(errmsg("invalid flags in clv_cells: %d, %d", head->with_spend, head->with_times));
	if (head->with_days < CLV_DAYS_NONE || head->with_days > CLV_DAYS_AND_GAPS ||
		head->calendar_size < 0)
		BadCells(
			errmsg("invalid flags in clv_cells: %d, %d", head->with_days, head->calendar_size));
	if (head->with_days && head->kind != CLV_CELLS_HISTORY)
		BadCells(errmsg("purchases by day in clv_cells without histories"));
	if (!head->with_days && clv_fit_uses_days(&head->options))
		BadCells(errmsg("a %s in clv_cells without purchases by day",
						clv_fit_calendar_word(&head->options)));
	if (ClvDaysHaveGaps(head) ? !head->with_times
							  : head->with_times && clv_fit_follows(&head->options))
		BadCells(errmsg("invalid days of purchases in clv_cells: %d", head->with_days));
	if (!head->with_days && head->ndays != 0)
		BadCells(errmsg("days of purchases in clv_cells that do not count them"));
	if (head->options.npath > 0 && head->kind != CLV_CELLS_HISTORY)
		BadCells(errmsg("paths of customers in clv_cells without histories"));
	if (head->with_times && head->kind != CLV_CELLS_HISTORY)
		BadCells(errmsg("times between purchases in clv_cells without histories"));
	if (!head->with_times && (head->times.coarse != 0 || head->times.fine != 0))
		BadCells(errmsg("a sum of times in clv_cells without times between purchases"));
	if (head->width != clv_fit_width(&head->options))
		BadCells(errmsg("vectors of %d numbers in clv_cells with %d covariates", head->width,
						head->options.ncovariates));
	if (head->occasion < 0 || (head->kind == CLV_CELLS_SUMMARY && head->occasion != 0))
		BadCells(errmsg("occasion of clv_cells is out of range: %d", head->occasion));
	if (head->skipped < 0 || head->spend_skipped < 0 || head->returned < 0)
		BadCells(errmsg("number of customers in clv_cells must not be negative"));
	if (head->returned > 0 &&
		(head->kind != CLV_CELLS_PERIODS || clv_fit_clock(&head->options) != CLV_RENEWALS))
		BadCells(errmsg("returned customers in clv_cells without contracts"));
}

/* An error unless a cell of days is possible under the head. */
static void
CheckDays(const ClvCellsHead *head, const ClvCellEntry *cell)
{
	char one[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];
	DateADT as_of = head->options.as_of;
	ClvCounting counting;

	if (head->options.periods == CLV_PERIODS_CALENDAR)
	{
		clv_fit_counting(&head->options, &counting);
		as_of = (DateADT) clv_grid_over(&counting.grid, as_of);
	}
	if (cell->since != (DateADT) cell->since || cell->until != (DateADT) cell->until ||
		DATE_NOT_FINITE((DateADT) cell->since) || DATE_NOT_FINITE((DateADT) cell->until) ||
		!IS_VALID_DATE((DateADT) cell->since) || !IS_VALID_DATE((DateADT) cell->until))
		BadCells(errmsg("day out of range in clv_cells"));
	if (cell->x > cell->until - cell->since)
		BadCells(errmsg("%d repeat purchases do not fit between %s and %s", cell->x,
						clv_date_text(cell->since, one), clv_date_text(cell->until, other)));
	if (as_of != DATEVAL_NOEND && cell->until > as_of)
		BadCells(errmsg("purchase on %s in clv_cells as of %s", clv_date_text(cell->until, one),
						clv_date_text(as_of, other)));
}

/* An error unless x, t_x and T of a cell without days are possible under the head. */
static void
CheckTimes(const ClvCellsHead *head, const ClvCellEntry *cell)
{
	bool periods = head->kind == CLV_CELLS_PERIODS;
	double t_x = periods ? cell->since : ClvBitsDouble(cell->since);
	double t_cal = periods ? cell->until : ClvBitsDouble(cell->until);

	if (cell->since < 0 || cell->until < 0 || !isfinite(t_x) || !isfinite(t_cal) ||
		(periods && cell->until > PG_INT32_MAX) || (cell->x == 0 && t_x > 0) ||
		!clv_possible(clv_fit_family(&head->options), cell->x, t_x, t_cal))
		BadCells(errmsg("impossible cell in clv_cells: x = %d, t_x = %g, t_cal = %g", cell->x, t_x,
						t_cal));
}

void
clv_cell_check(const ClvCellsHead *head, const ClvCellEntry *cell)
{
	if (cell->x < 0 || cell->count == 0 ||
		(cell->x == 0 && head->kind == CLV_CELLS_HISTORY && cell->since != cell->until))
		BadCells(errmsg("impossible cell in clv_cells: %d repeat purchases of %u customers",
						cell->x, cell->count));
	if (head->kind == CLV_CELLS_HISTORY)
		CheckDays(head, cell);
	else
		CheckTimes(head, cell);
	if (head->width > 0 ? cell->vector >= head->nvectors : cell->vector != 0)
		BadCells(errmsg("invalid vector number in a cell of clv_cells: %u", cell->vector));
}

void
clv_cells_check_times(const ClvCellsHead *head, const ClvCellEntry *cells)
{
	double least;
	double most;

	if (head->with_times && !clv_times_possible(head, cells, &least, &most))
		BadCells(errmsg("impossible sum of times between purchases in clv_cells: [" INT64_FORMAT
						", " INT64_FORMAT "]",
						head->times.coarse, head->times.fine),
				 errdetail("The sum is %.6g; with these cells it must lie between %.6g and %.6g.",
						   ClvTimesValue(&head->times), least, most));
}

void
clv_vector_check(const ClvCellsHead *head, const double *vector)
{
	bool outcome = clv_fit_clock(&head->options) == CLV_CAMPAIGNS;

	for (int i = 0; i < head->width; i++)
	{
		if (!isfinite(vector[i]))
			BadCells(errmsg("covariates in clv_cells must be finite: %g", vector[i]));
		if ((vector[i] == 0 && signbit(vector[i])) || (outcome && vector[i] != 0 && vector[i] != 1))
			BadCells(errmsg("vector of clv_cells is not in canonical form: %g", vector[i]));
	}
}

void
clv_spend_check(const ClvCellsHead *head, const ClvSpendEntry *entry)
{
	double mean = ClvSpendMean(entry);

	if (!head->with_spend)
		BadCells(errmsg("spend in clv_cells without spend"));
	if (entry->x < 1 || !isfinite(mean) || !(mean > 0))
		BadCells(errmsg("impossible spend in clv_cells: %d purchases of %g", entry->x, mean));
	if (ClvSpendHasVectors(head) ? entry->vector >= head->nvectors : entry->vector != 0)
		BadCells(errmsg("invalid vector number in spend of clv_cells: %u", entry->vector));
}
