/*
 * cells.c
 *		The data behind clv_cells: counting customers with the same history.
 *
 * While it grows it is an expanded object with three arrays: the cells in order of
 * arrival, an open-addressing index of cell numbers over them, and the spend
 * entries, which are only ever appended. Stored, it is a head and the two arrays,
 * sorted, so that the same customers give the same bytes however they came.
 *
 * A slot of the index keeps half of its hash beside the number, so that a search
 * touches no cell but the one it finds: cells lie scattered over memory, slots side
 * by side. Up to CELLS_WITHOUT_INDEX cells are looked through one by one, so that a
 * query with many small groups pays for nothing larger than its cells.
 */
#include "fit/fit.h"

#include <math.h>

#include "common/int.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#define CELLS_WITHOUT_INDEX 8
#define CELLS_AT_FIRST 4
#define SPEND_AT_FIRST 4
#define CELLS_LIMIT (1 << 30)	/* numbers of cells are 32 bits, the index twice as large */

static Size FlatSize(ExpandedObjectHeader *object);
static void FlattenInto(ExpandedObjectHeader *object, void *result, Size size);

static const ExpandedObjectMethods methods = {FlatSize, FlattenInto};

StaticAssertDecl(sizeof(ClvCellEntry) == 24, "cells are compared byte by byte");
StaticAssertDecl(sizeof(ClvSpendEntry) == 12, "spend entries are compared byte by byte");
StaticAssertDecl(offsetof(ClvCells, cells) == sizeof(ClvCellsHead), "no hole after the head");

/* ---- order ---- */

int
clv_cell_compare(const ClvCellEntry *a, const ClvCellEntry *b)
{
	if (a->x != b->x)
		return a->x < b->x ? -1 : 1;
	if (a->since != b->since)
		return a->since < b->since ? -1 : 1;
	if (a->until != b->until)
		return a->until < b->until ? -1 : 1;
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

static Size
FlatSize(ExpandedObjectHeader *object)
{
	const ClvCellsHead *head = &((ClvCellsState *) object)->head;
	Size		size = sizeof(ClvCellsHead);

	size = add_size(size, mul_size(head->ncells, sizeof(ClvCellEntry)));
	size = add_size(size, mul_size(head->nspend, sizeof(ClvSpendEntry)));
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

static void
FlattenInto(ExpandedObjectHeader *object, void *result, Size size)
{
	const ClvCellsState *state = (ClvCellsState *) object;
	ClvCells   *flat = (ClvCells *) result;

	memcpy(&flat->head, &state->head, sizeof(ClvCellsHead));
	SET_VARSIZE(flat, size);
	memcpy(flat->cells, state->cells, state->head.ncells * sizeof(ClvCellEntry));
	SortCells(flat->cells, state->head.ncells);
	if (state->head.nspend > 0)
	{
		memcpy(ClvCellsSpend(flat), state->spend, state->head.nspend * sizeof(ClvSpendEntry));
		SortSpend(ClvCellsSpend(flat), state->head.nspend);
	}
}

/* Stored cells were checked on their way in: this only tells a later version's apart. */
static void
CheckVersion(const ClvCellsHead *head)
{
	if (head->version != CLV_CELLS_VERSION)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("unknown version of clv_cells: %d", head->version),
						errdetail("This version of clv reads version %d.", CLV_CELLS_VERSION)));
}

ClvCells *
clv_cells_flat(Datum cells)
{
	ClvCells   *flat = (ClvCells *) PG_DETOAST_DATUM(cells);

	CheckVersion(&flat->head);
	return flat;
}

static ClvCellsState *
ExpandedState(Datum cells)
{
	return VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(cells))
			   ? (ClvCellsState *) DatumGetEOHP(cells)
			   : NULL;
}

void
clv_cells_view(Datum cells, ClvCellsView *view)
{
	ClvCellsState *state = ExpandedState(cells);

	if (state != NULL)
	{
		view->head = &state->head;
		view->cells = state->cells;
		view->spend = state->spend;
	}
	else
	{
		ClvCells   *flat = clv_cells_flat(cells);

		view->head = &flat->head;
		view->cells = flat->cells;
		view->spend = ClvCellsSpend(flat);
	}
}

/* ---- the expanded object ---- */

static void *
AllocArray(MemoryContext context, int64 n, Size size)
{
	return MemoryContextAllocHuge(context, mul_size(n, size));
}

/* An object with room for so many entries. */
static ClvCellsState *
NewState(MemoryContext parent, int64 ncells, int64 nspend)
{
	MemoryContext context =
		AllocSetContextCreate(parent, "clv_cells", ALLOCSET_START_SMALL_SIZES);
	ClvCellsState *state = MemoryContextAllocZero(context, sizeof(ClvCellsState));

	EOH_init_header(&state->hdr, &methods, context);
	state->cells_size = Max(ncells, CELLS_AT_FIRST);
	state->cells = AllocArray(context, state->cells_size, sizeof(ClvCellEntry));
	state->spend_size = nspend;
	if (nspend > 0)
		state->spend = AllocArray(context, nspend, sizeof(ClvSpendEntry));
	return state;
}

ClvCellsState *
clv_cells_new(MemoryContext parent, ClvCellsKind kind, const ClvFitOptions *options)
{
	ClvCellsState *state = NewState(parent, 0, 0);

	state->head.version = CLV_CELLS_VERSION;
	state->head.kind = kind;
	state->head.with_spend = strcmp(options->spend, CLV_SPEND_NONE) != 0;
	state->head.options = *options;
	return state;
}

ClvCellsState *
clv_cells_copy(Datum cells, MemoryContext parent)
{
	ClvCellsState *state;
	ClvCellsView view;

	clv_cells_view(cells, &view);
	state = NewState(parent, view.head->ncells, view.head->nspend);
	state->head = *view.head;
	state->head.vl_len_ = 0;
	memcpy(state->cells, view.cells, view.head->ncells * sizeof(ClvCellEntry));
	if (view.head->nspend > 0)
		memcpy(state->spend, view.spend, view.head->nspend * sizeof(ClvSpendEntry));
	return state;
}

ClvCellsState *
clv_cells_writable(Datum cells, MemoryContext parent)
{
	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(cells)))
		return ExpandedState(cells);
	return clv_cells_copy(cells, parent);
}

/* ---- counting ---- */

/* The upper half goes into the slot, the lower half says which slot. */
static inline uint64
HashCell(const ClvCellEntry *cell)
{
	uint64		hash = (uint64) cell->since * UINT64CONST(0x9E3779B97F4A7C15);

	hash = (hash ^ (hash >> 32) ^ (uint64) cell->until) * UINT64CONST(0xD6E8FEB86659FD93);
	hash = (hash ^ (hash >> 32) ^ (uint32) cell->x) * UINT64CONST(0xFF51AFD7ED558CCD);
	return hash ^ (hash >> 32);
}

static inline bool
SameCell(const ClvCellEntry *a, const ClvCellEntry *b)
{
	return a->x == b->x && a->since == b->since && a->until == b->until;
}

#define HIGH_HALF UINT64CONST(0xFFFFFFFF00000000)

/* Build the index anew, at most half full. */
static void
BuildIndex(ClvCellsState *state)
{
	uint64		slots = 4 * CELLS_WITHOUT_INDEX;

	while (slots < (uint64) state->head.ncells * 2)
		slots *= 2;
	if (state->index != NULL)
		pfree(state->index);
	state->index = NULL;		/* an error in the allocation leaves none rather than a freed one */
	state->index =
		MemoryContextAllocExtended(state->hdr.eoh_context, mul_size(slots, sizeof(uint64)),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	state->index_mask = slots - 1;
	for (int64 i = 0; i < state->head.ncells; i++)
	{
		uint64		hash = HashCell(&state->cells[i]);
		uint32		slot = (uint32) hash & state->index_mask;

		while (state->index[slot] != 0)
			slot = (slot + 1) & state->index_mask;
		state->index[slot] = (hash & HIGH_HALF) | (uint32) (i + 1);
	}
}

static void
AppendCell(ClvCellsState *state, const ClvCellEntry *cell)
{
	if (state->head.ncells == state->cells_size)
	{
		int64		size = state->cells_size + state->cells_size / 2 + CELLS_AT_FIRST;

		if (state->head.ncells >= CELLS_LIMIT)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("more than %d different histories in clv_cells", CELLS_LIMIT)));
		state->cells = repalloc_huge(state->cells, mul_size(size, sizeof(ClvCellEntry)));
		state->cells_size = size;
	}
	state->cells[state->head.ncells++] = *cell;
}

static void
AddCount(ClvCellEntry *cell, uint32 count)
{
	if (count > PG_UINT32_MAX - cell->count)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("more than %u customers with the same history", PG_UINT32_MAX)));
	cell->count += count;
}

void
clv_cells_count(ClvCellsState *state, const ClvCellEntry *cell)
{
	uint64		hash;
	uint32		slot;

	if (state->head.ncells <= CELLS_WITHOUT_INDEX && state->index == NULL)
	{
		for (int64 i = 0; i < state->head.ncells; i++)
			if (SameCell(&state->cells[i], cell))
			{
				AddCount(&state->cells[i], cell->count);
				return;
			}
		AppendCell(state, cell);
		return;
	}

	/* at most two thirds full, this cell included */
	if (state->index == NULL || (uint64) (state->head.ncells + 1) * 3 >
		((uint64) state->index_mask + 1) * 2)
		BuildIndex(state);
	hash = HashCell(cell);
	for (slot = (uint32) hash & state->index_mask; state->index[slot] != 0;
		 slot = (slot + 1) & state->index_mask)
	{
		ClvCellEntry *found = &state->cells[(uint32) state->index[slot] - 1];

		if ((state->index[slot] & HIGH_HALF) == (hash & HIGH_HALF) && SameCell(found, cell))
		{
			AddCount(found, cell->count);
			return;
		}
	}
	AppendCell(state, cell);
	state->index[slot] = (hash & HIGH_HALF) | (uint32) state->head.ncells;
}

static void
ReserveSpend(ClvCellsState *state, int64 n)
{
	int64		size;

	if (n <= state->spend_size)
		return;
	size = Max(n, state->spend_size + state->spend_size / 2 + SPEND_AT_FIRST);
	if (state->spend == NULL)
		state->spend = AllocArray(state->hdr.eoh_context, size, sizeof(ClvSpendEntry));
	else
		state->spend = repalloc_huge(state->spend, mul_size(size, sizeof(ClvSpendEntry)));
	state->spend_size = size;
}

void
clv_cells_spend(ClvCellsState *state, int32 x, double mean)
{
	uint64		bits = (uint64) ClvDoubleBits(mean);
	ClvSpendEntry *entry;

	ReserveSpend(state, state->head.nspend + 1);
	entry = &state->spend[state->head.nspend++];
	entry->x = x;
	entry->mean_high = (uint32) (bits >> 32);
	entry->mean_low = (uint32) bits;
}

/* ---- merging ---- */

/* Complain that two cells differ in something that the counts depend on. */
static void
GridError(const char *what, const char *one, const char *other, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("clv_cells with different %s cannot be put together: %s and %s", what,
						   one, other),
					hint == NULL ? 0 : errhint("%s", hint)));
}

static const char *
AsOfText(DateADT as_of)
{
	return as_of == DATEVAL_NOEND ? "none" : clv_date_text(as_of, palloc(MAXDATELEN + 1));
}

void
clv_cells_check_grid(const ClvCellsHead *one, const ClvCellsHead *other)
{
	const ClvFitOptions *a = &one->options;
	const ClvFitOptions *b = &other->options;

	if (one->kind != other->kind)
		GridError("contents", one->kind == CLV_CELLS_HISTORY ? "histories" : "summaries",
				  other->kind == CLV_CELLS_HISTORY ? "histories" : "summaries",
				  "Summaries are x, t_x and t_cal; histories keep the days themselves.");
	if (a->as_of != b->as_of)
		GridError("as_of", AsOfText(a->as_of), AsOfText(b->as_of),
				  "Count both with the same clv_options(as_of => ...).");
	if (memcmp(&a->time_unit, &b->time_unit, sizeof(Interval)) != 0)
		GridError("time units", clv_fit_unit_text(&a->time_unit), clv_fit_unit_text(&b->time_unit),
				  "Count both with the same clv_options(time_unit => ...).");
	if (a->spend_basis != b->spend_basis)
		GridError("spend bases", a->spend_basis == CLV_SPEND_ALL ? "all" : "repeat",
				  b->spend_basis == CLV_SPEND_ALL ? "all" : "repeat",
				  "Count both with the same clv_options(spend_basis => ...).");
	if (one->with_spend != other->with_spend)
		GridError("spend", one->with_spend ? "with" : "without",
				  other->with_spend ? "with" : "without",
				  "Count both with the same clv_options(spend => ...).");
	/* an occasion of 0 has seen no history yet */
	if (one->occasion != other->occasion && one->occasion != 0 && other->occasion != 0)
		GridError("occasions (days)", psprintf("%d", one->occasion),
				  psprintf("%d", other->occasion),
				  "Make all histories with the same occasion.");
}

static char *
OptionsText(const ClvFitOptions *options)
{
	StringInfoData out;

	initStringInfo(&out);
	clv_fit_options_text(&out, options);
	return out.data;
}

void
clv_cells_absorb(ClvCellsState *state, const ClvCellsView *from)
{
	const ClvCellsHead *head = from->head;

	clv_cells_check_grid(&state->head, head);
	if (memcmp(&state->head.options, &head->options, sizeof(ClvFitOptions)) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("clv_cells with different options cannot be put together"),
						errdetail("%s and %s", OptionsText(&state->head.options),
								  OptionsText(&head->options)),
						errhint("To fit them anyway, give the options again: "
								"clv_fit(cells, clv_options(...)).")));
	if (head->occasion != 0)
		state->head.occasion = head->occasion;
	if (pg_add_s64_overflow(state->head.skipped, head->skipped, &state->head.skipped) ||
		pg_add_s64_overflow(state->head.spend_skipped, head->spend_skipped,
							&state->head.spend_skipped))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("too many skipped customers in clv_cells")));
	for (int64 i = 0; i < head->ncells; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		clv_cells_count(state, &from->cells[i]);
	}
	if (head->nspend > 0)
	{
		ReserveSpend(state, state->head.nspend + head->nspend);
		memcpy(state->spend + state->head.nspend, from->spend,
			   head->nspend * sizeof(ClvSpendEntry));
		state->head.nspend += head->nspend;
	}
}

/* ---- what came from outside ---- */

#define BadCells(...) \
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), __VA_ARGS__))

void
clv_cells_check_head(const ClvCellsHead *head)
{
	if (head->kind != CLV_CELLS_HISTORY && head->kind != CLV_CELLS_SUMMARY)
		BadCells(errmsg("unknown kind of clv_cells: %d", head->kind));
	if (head->with_spend > 1)
		BadCells(errmsg("invalid flag in clv_cells: %d", head->with_spend));
	if (head->occasion < 0 || (head->kind == CLV_CELLS_SUMMARY && head->occasion != 0))
		BadCells(errmsg("occasion of clv_cells is out of range: %d", head->occasion));
	if (head->skipped < 0 || head->spend_skipped < 0)
		BadCells(errmsg("clv_cells with a negative number of customers"));
	clv_fit_options_check(&head->options);
}

static void
CheckDays(const ClvCellsHead *head, const ClvCellEntry *cell)
{
	char		one[MAXDATELEN + 1];
	char		other[MAXDATELEN + 1];
	DateADT		as_of = head->options.as_of;

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

void
clv_cell_check(const ClvCellsHead *head, const ClvCellEntry *cell)
{
	if (cell->x < 0 || cell->count == 0 || (cell->x == 0 && head->kind == CLV_CELLS_HISTORY &&
											cell->since != cell->until))
		BadCells(errmsg("impossible cell in clv_cells: %d repeat purchases of %u customers",
						cell->x, cell->count));
	if (head->kind == CLV_CELLS_HISTORY)
		CheckDays(head, cell);
	else
	{
		double		t_x = ClvBitsDouble(cell->since);
		double		t_cal = ClvBitsDouble(cell->until);

		if (cell->since < 0 || cell->until < 0 || !isfinite(t_x) || !isfinite(t_cal) ||
			t_x > t_cal || (cell->x == 0 && t_x > 0))
			BadCells(errmsg("impossible cell in clv_cells: x = %d, t_x = %g, t_cal = %g", cell->x,
							t_x, t_cal));
	}
}

void
clv_spend_check(const ClvCellsHead *head, int32 x, double mean)
{
	if (!head->with_spend)
		BadCells(errmsg("spend in clv_cells without spend"));
	if (x < 1 || !isfinite(mean) || !(mean > 0))
		BadCells(errmsg("impossible spend in clv_cells: %d purchases of %g", x, mean));
}
