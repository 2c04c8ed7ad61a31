/*
 * cell_table.c
 *		Cells of identical customers: sorted, sampled, and cut into blocks.
 *
 * There are two orders. By histories, (x, T, t_x): cells of one x are together, whatever their
 * group, as long as groups do not matter. By groups first, where covariates act: then the
 * parameters of a group are computed once for all of its blocks.
 */
#include "families/cell_table.h"

#include <math.h>
#include <string.h>

#include "math/sort.h"

/* Rows of a table: more than ten years of days, and still inside a level-2 cache. */
#define MAX_ROWS 4096

_Static_assert(MAX_ROWS <= UINT16_MAX, "a row's number must fit into the index");

/* ---- memory ---- */

/* Lays out the memory of the index for n cells. */
static void
LayOutIndex(ClvCellTable *cells, ClvArena *arena, size_t n)
{
	cells->t_x = clv_arena_take(arena, n, sizeof(double));
	cells->blocks = clv_arena_take(arena, n, sizeof(ClvBlock));
	cells->run = clv_arena_take(arena, n, sizeof(uint32_t));
	cells->departed_row = clv_arena_take(arena, n, sizeof(uint16_t));
}

void
clv_cell_table_lay_out(ClvCellTable *cells, ClvArena *arena, size_t n)
{
	size_t rows = n < MAX_ROWS ? n : MAX_ROWS;
	size_t start;
	size_t sorted;
	ClvTable *tables[] = {&cells->departed, &cells->alive};

	if (n >= UINT32_MAX)
		arena->used = SIZE_MAX; /* the index counts in 32 bits */
	cells->slot_shift = 32 - 4;
	for (cells->nslots = 16; cells->nslots < 2 * rows; cells->nslots *= 2)
		cells->slot_shift--;
	cells->slots = clv_arena_take(arena, cells->nslots, sizeof(ClvSlot));
	for (int i = 0; i < 2; i++)
	{
		tables[i]->times = clv_arena_take(arena, rows, sizeof(double));
		tables[i]->terms = clv_arena_take(arena, rows, sizeof(ClvTerm));
		tables[i]->rows = clv_arena_take(arena, rows, sizeof(ClvRow));
	}
	start = arena->used;
	cells->sorting = clv_arena_take(arena, n, sizeof(ClvCell));
	sorted = arena->used;
	if (sorted == SIZE_MAX)
		return;
	arena->used = start;
	LayOutIndex(cells, arena, n);
	if (arena->used < sorted)
		arena->used = sorted;
}

void
clv_cell_table_lay_out_sample(const ClvCellTable *all, ClvCellTable *sample, ClvArena *arena,
							  size_t n)
{
	*sample = *all;
	sample->cells = clv_arena_take(arena, n, sizeof(ClvCell));
	LayOutIndex(sample, arena, n);
}

/* ---- sorting ---- */

/* How a range of times is divided into buckets. */
typedef struct Range
{
	double low;
	double levels; /* buckets per unit of time */
} Range;

/* The digits of the radix sort, the least significant first. */
enum
{
	DIGIT_T_X,
	DIGIT_T,
	DIGIT_X,
	RANGES,
	DIGIT_GROUP_LOW = RANGES,
	DIGIT_GROUP_HIGH,
	DIGITS
};

/* The ranges of the keys that the radix passes sort by. */
typedef struct Survey
{
	Range ranges[RANGES];
	int group_shift; /* bits of the groups' numbers that no pass sees */
} Survey;

/* The bucket of a value. */
static inline uint32_t
Level(const Range *range, double value)
{
	double level = (value - range->low) * range->levels;

	return level < CLV_SORT_BUCKETS - 1 ? (uint32_t) level : CLV_SORT_BUCKETS - 1;
}

/* Digit which of a cell; arg is the Survey. */
static inline uint32_t
CellDigit(const void *record, int which, const void *arg)
{
	const ClvCell *cell = record;
	const Survey *survey = arg;
	uint32_t group = cell->group >> survey->group_shift;

	if (which == DIGIT_GROUP_LOW)
		return group & (CLV_SORT_BUCKETS - 1);
	if (which == DIGIT_GROUP_HIGH)
		return group >> CLV_SORT_BITS;
	return Level(&survey->ranges[which], which == DIGIT_X   ? cell->x
										 : which == DIGIT_T ? cell->T
															: cell->t_x);
}

/*
 * Orders cells by history. The count comes last, so that equal cells are always added in the same
 * order.
 */
static inline bool
HistoryLess(const void *left, const void *right)
{
	const ClvCell *a = left;
	const ClvCell *b = right;

	if (a->x != b->x)
		return a->x < b->x;
	if (a->T != b->T)
		return a->T < b->T;
	if (a->t_x != b->t_x)
		return a->t_x < b->t_x;
	if (a->group != b->group)
		return a->group < b->group;
	return a->count < b->count;
}

/* Orders cells by group, then by history. */
static inline bool
GroupLess(const void *left, const void *right)
{
	const ClvCell *a = left;
	const ClvCell *b = right;

	return a->group != b->group ? a->group < b->group : HistoryLess(a, b);
}

/* Whether two cells have the same history and group. */
static inline bool
SameCell(const ClvCell *a, const ClvCell *b)
{
	return a->x == b->x && a->T == b->T && a->t_x == b->t_x && a->group == b->group;
}

/* Whether the family allows the history, and count and group are valid. */
static bool
IsValid(const ClvCellTable *cells, const ClvCell *cell)
{
	return clv_possible(cells->family, cell->x, cell->t_x, cell->T) && cell->count >= 0 &&
		   isfinite(cell->count) &&
		   (cells->groups == NULL ? cell->group == 0 : cell->group < cells->groups->n);
}

/* Days are equally spaced: cutting their range evenly keeps up to 4095 of them apart. */
static void
SetRange(Range *range, double low, double high)
{
	range->low = low;
	range->levels = high > low ? (CLV_SORT_BUCKETS - 1) / (high - low) : 0;
}

/* Finds the ranges of the cells; negative zeros become positive. False where a cell is invalid. */
static bool
SurveyCells(ClvCellTable *cells, Survey *survey)
{
	double low = INFINITY;
	double high = 0;
	double last = 0;
	uint32_t group = 0;

	for (size_t i = 0; i < cells->n; i++)
	{
		ClvCell *cell = &cells->cells[i];

		if (!IsValid(cells, cell))
			return false;
		cell->t_x += 0.0;
		cell->T += 0.0;
		low = fmin(low, cell->T);
		high = fmax(high, cell->T);
		last = fmax(last, cell->t_x);
		group = cell->group > group ? cell->group : group;
		clv_poll(cells->poll, 1);
	}
	SetRange(&survey->ranges[DIGIT_T_X], 0, last);
	SetRange(&survey->ranges[DIGIT_T], low, high);
	survey->ranges[DIGIT_X].low = 0;
	survey->ranges[DIGIT_X].levels = 1;
	survey->group_shift = 0;
	while (group >> survey->group_shift >> (2 * CLV_SORT_BITS) != 0)
		survey->group_shift++;
	return true;
}

/* Drops empty cells and merges equal ones. */
static void
Merge(ClvCellTable *cells)
{
	ClvCell *all = cells->cells;
	size_t kept = 0;

	for (size_t i = 0; i < cells->n; i++)
	{
		if (all[i].count == 0)
			continue;
		if (kept > 0 && SameCell(&all[kept - 1], &all[i]))
			all[kept - 1].count += all[i].count;
		else
			all[kept++] = all[i];
		clv_poll(cells->poll, 1);
	}
	cells->n = kept;
}

bool
clv_cells_sort(ClvCellTable *cells)
{
	static const ClvSorter history = {sizeof(ClvCell), RANGES, CellDigit, HistoryLess};
	static const ClvSorter group = {sizeof(ClvCell), DIGITS, CellDigit, GroupLess};
	Survey survey;

	if (!SurveyCells(cells, &survey))
		return false;
	if (cells->covariates != NULL)
		clv_sort(&group, cells->cells, cells->sorting, cells->n, &survey, cells->poll);
	else
		clv_sort(&history, cells->cells, cells->sorting, cells->n, &survey, cells->poll);
	Merge(cells);
	return true;
}

void
clv_cells_sample(const ClvCellTable *all, ClvCellTable *sample, double customers, size_t n)
{
	double step = customers / (double) n;
	double passed = 0;
	double drawn = 0;

	sample->n = 0;
	for (size_t i = 0; i < all->n; i++)
	{
		double hits;

		passed += all->cells[i].count;
		hits = fmin(floor(passed / step + 0.5), (double) n) - drawn;
		if (hits > 0)
		{
			sample->cells[sample->n] = all->cells[i];
			sample->cells[sample->n++].count = hits;
			drawn += hits;
		}
		clv_poll(all->poll, 1);
	}
}

/* ---- the index ---- */

/* The state of the index while cells are added. */
typedef struct Indexer
{
	ClvCellTable *cells;
	ClvBlock *block; /* the last one */
	size_t t_x;      /* distinct t_x so far */
	size_t runs;     /* distinct T so far */
} Indexer;

/* Whole numbers end in zeros: only the upper bits of the product see all of the key's. */
static uint32_t
Hash(const ClvCellTable *cells, double key)
{
	uint64_t bits;

	memcpy(&bits, &key, sizeof(bits));
	return (uint32_t) ((bits * UINT64_C(0x9E3779B97F4A7C15)) >> 32) >> cells->slot_shift;
}

/* The slot where key is, or would be, in this block. */
static ClvSlot *
FindSlot(ClvCellTable *cells, uint32_t block, double key)
{
	uint32_t i = Hash(cells, key);

	while (cells->slots[i].block == block && cells->slots[i].key != key)
		i = (i + 1) & (cells->nslots - 1);
	return &cells->slots[i];
}

/* Begins an empty block. */
static void
OpenBlock(Indexer *indexer)
{
	indexer->block = &indexer->cells->blocks[indexer->cells->nblocks++];
	memset(indexer->block, 0, sizeof(ClvBlock));
}

/* Adds cell i to the current block; new_T if it begins a distinct T. */
static void
PlaceCell(Indexer *indexer, size_t i, bool new_T)
{
	ClvCellTable *cells = indexer->cells;
	ClvBlock *block = indexer->block;
	ClvSlot *slot = FindSlot(cells, (uint32_t) cells->nblocks, cells->cells[i].t_x);

	if (slot->block != cells->nblocks)
	{
		slot->block = (uint32_t) cells->nblocks;
		slot->key = cells->cells[i].t_x;
		slot->id = block->departed++;
		cells->t_x[indexer->t_x++] = slot->key;
	}
	if (new_T)
	{
		cells->run[indexer->runs++] = 0;
		block->alive++;
	}
	cells->run[indexer->runs - 1]++;
	cells->departed_row[i] = slot->id;
	block->cells++;
}

/* The bucket of a slot; arg is the Range. */
static uint32_t
SlotDigit(const void *record, int which, const void *arg)
{
	return Level(arg, ((const ClvSlot *) record)->key);
}

/* Orders slots by their times. */
static bool
SlotLess(const void *left, const void *right)
{
	return ((const ClvSlot *) left)->key < ((const ClvSlot *) right)->key;
}

/*
 * Sorts the distinct t_x of a block, which are in the order of its cells: families that integrate
 * from one time to the next need them ascending. last is the cell after the block. The tables are
 * still empty, and lend their memory.
 */
static void
SortBlockTimes(Indexer *indexer, size_t last)
{
	static const ClvSorter sorter = {sizeof(ClvSlot), 1, SlotDigit, SlotLess};
	ClvCellTable *cells = indexer->cells;
	const ClvBlock *block = indexer->block;
	double *t_x = cells->t_x + indexer->t_x - block->departed;
	ClvSlot *order = (ClvSlot *) cells->departed.terms;
	uint16_t *place = (uint16_t *) cells->departed.rows;
	Range range;
	double low = INFINITY;
	double high = 0;

	for (uint16_t i = 0; i < block->departed; i++)
	{
		order[i] = (ClvSlot){.key = t_x[i], .id = i};
		low = fmin(low, t_x[i]);
		high = fmax(high, t_x[i]);
	}
	SetRange(&range, low, high);
	clv_sort(&sorter, order, cells->alive.terms, block->departed, &range, cells->poll);
	for (uint16_t i = 0; i < block->departed; i++)
	{
		t_x[i] = order[i].key;
		place[order[i].id] = i;
	}
	for (size_t i = last - block->cells; i < last; i++)
		cells->departed_row[i] = place[cells->departed_row[i]];
}

void
clv_cells_index(ClvCellTable *cells)
{
	Indexer indexer = {.cells = cells};
	const ClvCell *cell = cells->cells;

	cells->nblocks = 0;
	memset(cells->slots, 0, cells->nslots * sizeof(ClvSlot));
	for (size_t i = 0; i < cells->n; i++)
	{
		bool new_block = i == 0 || cell[i].x != cell[i - 1].x ||
						 (cells->covariates != NULL && cell[i].group != cell[i - 1].group) ||
						 indexer.block->departed == MAX_ROWS || indexer.block->alive == MAX_ROWS;

		if (new_block && i > 0)
			SortBlockTimes(&indexer, i);
		if (new_block)
			OpenBlock(&indexer);
		PlaceCell(&indexer, i, new_block || cell[i].T != cell[i - 1].T);
		clv_poll(cells->poll, 1);
	}
	if (cells->n > 0)
		SortBlockTimes(&indexer, cells->n);
}
