/*
 * cells.c
 *		The log-likelihood of cells of identical customers, with its derivatives.
 */
#include "model/cells.h"

#include <math.h>
#include <string.h>

#include "math/sort.h"
#include "math/sum.h"

/* Rows of a table: more than ten years of days, and still inside a level-2 cache. */
#define MAX_ROWS 4096

/*
 * Where the logs of a block's terms lie within this of each other, their values
 * relative to the middle are within e^+-300 and no double overflows.
 */
#define WIDEST_SPREAD 600.0

_Static_assert(MAX_ROWS <= UINT16_MAX, "a row's number must fit into the index");

/* ---- memory ---- */

static void
CarveIndex(ClvCells *cells, ClvArena *arena, size_t n)
{
	cells->t_x = clv_arena_take(arena, n, sizeof(double));
	cells->blocks = clv_arena_take(arena, n, sizeof(ClvBlock));
	cells->group = clv_arena_take(arena, n, sizeof(uint32_t));
	cells->departed_row = clv_arena_take(arena, n, sizeof(uint16_t));
}

void
clv_cells_carve(ClvCells *cells, ClvArena *arena, size_t n)
{
	size_t rows = n < MAX_ROWS ? n : MAX_ROWS;
	size_t start;
	size_t sorted;
	ClvTable *tables[] = {&cells->departed, &cells->alive};

	if (n >= UINT32_MAX)
		arena->used = SIZE_MAX; /* the index counts in 32 bits */
	for (cells->nslots = 16; cells->nslots < 2 * rows;)
		cells->nslots *= 2;
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
	CarveIndex(cells, arena, n);
	if (arena->used < sorted)
		arena->used = sorted;
}

void
clv_cells_carve_sample(const ClvCells *all, ClvCells *sample, ClvArena *arena, size_t n)
{
	*sample = *all;
	sample->cells = clv_arena_take(arena, n, sizeof(ClvCell));
	CarveIndex(sample, arena, n);
}

/* ---- sorting ---- */

typedef struct Range
{
	double low;
	double levels; /* buckets per unit of time */
} Range;

enum
{
	DIGIT_T_X,
	DIGIT_T,
	DIGIT_X,
	DIGITS
};

static inline uint32_t
Level(const Range *range, double value)
{
	double level = (value - range->low) * range->levels;

	return level < CLV_SORT_BUCKETS - 1 ? (uint32_t) level : CLV_SORT_BUCKETS - 1;
}

static inline uint32_t
CellDigit(const void *record, int which, const void *arg)
{
	const ClvCell *cell = record;
	const Range *range = (const Range *) arg + which;

	return Level(range, which == DIGIT_X ? cell->x : which == DIGIT_T ? cell->T : cell->t_x);
}

/* The count comes last, so that equal cells are always added in the same order. */
static inline bool
CellLess(const void *left, const void *right)
{
	const ClvCell *a = left;
	const ClvCell *b = right;

	if (a->x != b->x)
		return a->x < b->x;
	if (a->T != b->T)
		return a->T < b->T;
	if (a->t_x != b->t_x)
		return a->t_x < b->t_x;
	return a->count < b->count;
}

static inline bool
SameHistory(const ClvCell *a, const ClvCell *b)
{
	return a->x == b->x && a->T == b->T && a->t_x == b->t_x;
}

static bool
Sensible(const ClvCell *cell)
{
	return cell->x >= 0 && cell->t_x >= 0 && cell->T >= cell->t_x && isfinite(cell->T) &&
		   cell->count >= 0 && isfinite(cell->count);
}

/* Days are equally spaced: cutting their range evenly keeps up to 4095 of them apart. */
static void
SetRange(Range *range, double low, double high)
{
	range->low = low;
	range->levels = high > low ? (CLV_SORT_BUCKETS - 1) / (high - low) : 0;
}

/* Ranges of the times; false where a cell makes no sense. Zeros lose their sign. */
static bool
Survey(ClvCells *cells, Range *ranges)
{
	double low = INFINITY;
	double high = 0;
	double last = 0;

	for (size_t i = 0; i < cells->n; i++)
	{
		ClvCell *cell = &cells->cells[i];

		if (!Sensible(cell))
			return false;
		cell->t_x += 0.0;
		cell->T += 0.0;
		low = fmin(low, cell->T);
		high = fmax(high, cell->T);
		last = fmax(last, cell->t_x);
		clv_poll(cells->poll, 1);
	}
	SetRange(&ranges[DIGIT_T_X], 0, last);
	SetRange(&ranges[DIGIT_T], low, high);
	ranges[DIGIT_X].low = 0;
	ranges[DIGIT_X].levels = 1;
	return true;
}

/* Drop what is empty and join what is alike. */
static void
Merge(ClvCells *cells)
{
	ClvCell *all = cells->cells;
	size_t kept = 0;

	for (size_t i = 0; i < cells->n; i++)
	{
		if (all[i].count == 0)
			continue;
		if (kept > 0 && SameHistory(&all[kept - 1], &all[i]))
			all[kept - 1].count += all[i].count;
		else
			all[kept++] = all[i];
		clv_poll(cells->poll, 1);
	}
	cells->n = kept;
}

bool
clv_cells_sort(ClvCells *cells)
{
	static const ClvSorter sorter = {sizeof(ClvCell), DIGITS, CellDigit, CellLess};
	Range ranges[DIGITS];

	if (!Survey(cells, ranges))
		return false;
	clv_sort(&sorter, cells->cells, cells->sorting, cells->n, ranges, cells->poll);
	Merge(cells);
	return true;
}

void
clv_cells_sample(const ClvCells *all, ClvCells *sample, double customers, size_t n)
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

typedef struct Indexer
{
	ClvCells *cells;
	ClvBlock *block; /* the last one */
	size_t t_x;      /* distinct t_x so far */
	size_t groups;   /* distinct T so far */
} Indexer;

static uint32_t
Hash(double key)
{
	uint64_t bits;

	memcpy(&bits, &key, sizeof(bits));
	return (uint32_t) ((bits * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

/* The slot where key is, or would be, in this block. */
static ClvSlot *
FindSlot(ClvCells *cells, uint32_t block, double key)
{
	uint32_t i = Hash(key) & (cells->nslots - 1);

	while (cells->slots[i].block == block && cells->slots[i].key != key)
		i = (i + 1) & (cells->nslots - 1);
	return &cells->slots[i];
}

static void
OpenBlock(Indexer *indexer)
{
	indexer->block = &indexer->cells->blocks[indexer->cells->nblocks++];
	memset(indexer->block, 0, sizeof(ClvBlock));
}

static void
PlaceCell(Indexer *indexer, size_t i, bool new_T)
{
	ClvCells *cells = indexer->cells;
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
		cells->group[indexer->groups++] = 0;
		block->alive++;
	}
	cells->group[indexer->groups - 1]++;
	cells->departed_row[i] = slot->id;
	block->cells++;
}

static uint32_t
SlotDigit(const void *record, int which, const void *arg)
{
	return Level(arg, ((const ClvSlot *) record)->key);
}

static bool
SlotLess(const void *left, const void *right)
{
	return ((const ClvSlot *) left)->key < ((const ClvSlot *) right)->key;
}

/*
 * The distinct t_x of a block came as its cells did; families that integrate from
 * one time to the next want them in order. last is the cell behind the block. The
 * tables are still empty: their memory serves.
 */
static void
SortBlockTimes(Indexer *indexer, size_t last)
{
	static const ClvSorter sorter = {sizeof(ClvSlot), 1, SlotDigit, SlotLess};
	ClvCells *cells = indexer->cells;
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
clv_cells_index(ClvCells *cells)
{
	Indexer indexer = {.cells = cells};
	const ClvCell *cell = cells->cells;

	cells->nblocks = 0;
	memset(cells->slots, 0, cells->nslots * sizeof(ClvSlot));
	for (size_t i = 0; i < cells->n; i++)
	{
		bool new_block = i == 0 || cell[i].x != cell[i - 1].x ||
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

/* ---- the evaluation ---- */

typedef struct Totals
{
	int nparams;
	ClvSum value;
	ClvSum gradient[CLV_MAX_PARAMS];
	ClvSum hessian[CLV_MAX_HESSIAN];
} Totals;

/* One block on its way: where it reads, and what its cells add up to. */
typedef struct Walk
{
	ClvCells *cells;
	const ClvBlock *block;
	const ClvCell *cell; /* its first one */
	const uint32_t *group;
	const uint16_t *departed_row;
	const double *t_x;
	int nparams;
	double customers;
	double ln;                     /* sum of count x ln(P + Q) */
	double cross[CLV_MAX_HESSIAN]; /* what departed and alive have in common */
} Walk;

/* Let the family fill the tables, and find the range of the logs. */
static void
FillTables(Walk *walk, const double *param, double *low, double *high)
{
	const ClvFamily *family = walk->cells->family;
	ClvTable *tables[] = {&walk->cells->departed, &walk->cells->alive};
	const ClvCell *cell = walk->cell;

	tables[0]->n = walk->block->departed;
	tables[1]->n = walk->block->alive;
	memcpy(tables[0]->times, walk->t_x, tables[0]->n * sizeof(double));
	for (uint32_t j = 0; j < tables[1]->n; cell += walk->group[j++])
		tables[1]->times[j] = cell->T;
	family->departed(param, cell[-1].x, tables[0]->times, tables[0]->n, tables[0]->terms);
	family->alive(param, cell[-1].x, tables[1]->times, tables[1]->n, tables[1]->terms);
	*low = INFINITY;
	*high = -INFINITY;
	for (int k = 0; k < 2; k++)
	{
		for (uint32_t i = 0; i < tables[k]->n; i++)
		{
			double ln = tables[k]->terms[i].ln;

			*high = fmax(*high, ln);
			if (ln != -INFINITY)
				*low = fmin(*low, ln);
		}
	}
}

static void
FillRows(ClvTable *table, int nparams, bool logs, double scale)
{
	for (uint32_t i = 0; i < table->n; i++)
	{
		ClvRow *row = &table->rows[i];
		const ClvTerm *term = &table->terms[i];

		row->value = logs ? term->ln : exp(term->ln - scale);
		row->weight = 0;
		row->spread = 0;
		for (int k = 0; k < nparams; k++)
			row->gradient[k] = term->gradient[k];
	}
}

/* What the cells of one T add up to. */
typedef struct Group
{
	double weight;
	double spread;
	double departed[CLV_MAX_PARAMS]; /* sum of spread x the departed terms' gradients */
	ClvLogProduct ln;
} Group;

CLV_TEMPLATE void
AddCell(Group *group, ClvRow *departed, double count, double share, double stay, int nparams)
{
	double weight = count * share;
	double spread = weight * stay;

	departed->weight += weight;
	departed->spread += spread;
	group->weight += count * stay;
	group->spread += spread;
	for (int k = 0; k < nparams; k++)
		group->departed[k] += spread * departed->gradient[k];
}

/* The cells of one T, whose term is alive; the terms are numbers ... */
CLV_TEMPLATE void
AddGroup(Group *group, Walk *walk, const ClvCell *cell, const uint16_t *row, uint32_t n,
		 double alive, int nparams)
{
	for (uint32_t i = 0; i < n; i++)
	{
		ClvRow *departed = &walk->cells->departed.rows[row[i]];
		double both = departed->value + alive;
		double inverse = 1 / both;

		AddCell(group, departed, cell[i].count, departed->value * inverse, alive * inverse,
				nparams);
		if (cell[i].count == 1)
			clv_log_product_add(&group->ln, both);
		else
			group->ln.sum += cell[i].count * log(both);
	}
}

/* ... or logs, where numbers would not hold them. */
static void
AddGroupInLogs(Group *group, Walk *walk, const ClvCell *cell, const uint16_t *row, uint32_t n,
			   double alive, int nparams)
{
	for (uint32_t i = 0; i < n; i++)
	{
		ClvRow *departed = &walk->cells->departed.rows[row[i]];
		double ahead = departed->value - alive;
		double ratio = exp(-fabs(ahead));
		double more = 1 / (1 + ratio);
		double less = ratio / (1 + ratio);

		AddCell(group, departed, cell[i].count, ahead > 0 ? more : less, ahead > 0 ? less : more,
				nparams);
		group->ln.sum += cell[i].count * (fmax(departed->value, alive) + log1p(ratio));
	}
}

static void
CloseGroup(Walk *walk, const Group *group, ClvRow *alive)
{
	alive->weight = group->weight;
	alive->spread = group->spread;
	walk->ln += clv_log_product_value(&group->ln);
	for (int i = 0; i < walk->nparams; i++)
	{
		for (int j = 0; j <= i; j++)
			walk->cross[CLV_AT(i, j)] +=
				group->departed[i] * alive->gradient[j] + group->departed[j] * alive->gradient[i];
	}
}

static void
WalkCells(Walk *walk, bool logs)
{
	const ClvCell *cell = walk->cell;
	const uint16_t *row = walk->departed_row;

	for (uint32_t j = 0; j < walk->block->alive; j++)
	{
		ClvRow *alive = &walk->cells->alive.rows[j];
		uint32_t n = walk->group[j];
		Group group = {.ln = {1, 0}};

		if (logs)
			AddGroupInLogs(&group, walk, cell, row, n, alive->value, walk->nparams);
		else if (walk->nparams == 4)
			AddGroup(&group, walk, cell, row, n, alive->value, 4);
		else
			AddGroup(&group, walk, cell, row, n, alive->value, walk->nparams);
		CloseGroup(walk, &group, alive);
		clv_poll(walk->cells->poll, n);
		cell += n;
		row += n;
	}
	for (uint32_t i = 0; i < walk->block->cells; i++)
		walk->customers += walk->cell[i].count;
}

/* A term's derivatives, times the customers it stands for. */
static void
AddTerm(int nparams, const ClvTerm *term, double weight, double spread, ClvTerm *sum)
{
	for (int i = 0; i < nparams; i++)
	{
		sum->gradient[i] += weight * term->gradient[i];
		for (int j = 0; j <= i; j++)
			sum->hessian[CLV_AT(i, j)] += weight * term->hessian[CLV_AT(i, j)] +
										  spread * term->gradient[i] * term->gradient[j];
	}
}

/* The adjoint: what the walk left in the rows becomes derivatives. */
static void
AddTable(int nparams, const ClvTable *table, ClvTerm *sum)
{
	for (uint32_t i = 0; i < table->n; i++)
		AddTerm(nparams, &table->terms[i], table->rows[i].weight, table->rows[i].spread, sum);
}

static void
AddBlock(Walk *walk, const double *param, Totals *totals)
{
	ClvCells *cells = walk->cells;
	int nparams = walk->nparams;
	double low;
	double high;
	double scale;
	bool logs;
	ClvTerm common;
	ClvTerm sum = {0};

	FillTables(walk, param, &low, &high);
	logs = !(high - low <= WIDEST_SPREAD);
	scale = logs ? 0 : low + (high - low) / 2;
	FillRows(&cells->departed, nparams, logs, scale);
	FillRows(&cells->alive, nparams, logs, scale);
	WalkCells(walk, logs);
	AddTable(nparams, &cells->departed, &sum);
	AddTable(nparams, &cells->alive, &sum);
	cells->family->ln_common(param, walk->cell->x, &common);
	AddTerm(nparams, &common, walk->customers, 0, &sum);

	clv_sum_add(&totals->value, walk->ln);
	clv_sum_add(&totals->value, walk->customers * (common.ln + scale));
	for (int i = 0; i < nparams; i++)
		clv_sum_add(&totals->gradient[i], sum.gradient[i]);
	for (int i = 0; i < CLV_TRIANGLE(nparams); i++)
		clv_sum_add(&totals->hessian[i], sum.hessian[i] - walk->cross[i]);
}

void
clv_cells_evaluate(ClvCells *cells, const double *param, ClvQuadratic *at)
{
	int nparams = cells->family->nparams;
	Totals totals = {.nparams = nparams};
	Walk next = {cells,      cells->blocks,     cells->cells, cells->group, cells->departed_row,
				 cells->t_x, .nparams = nparams};

	for (size_t i = 0; i < cells->nblocks; i++)
	{
		Walk walk = next;

		AddBlock(&walk, param, &totals);
		next.block++;
		next.cell += walk.block->cells;
		next.departed_row += walk.block->cells;
		next.group += walk.block->alive;
		next.t_x += walk.block->departed;
		clv_poll(cells->poll, 4 * ((size_t) walk.block->alive + walk.block->departed));
	}
	at->value = clv_sum_value(&totals.value);
	for (int i = 0; i < nparams; i++)
		at->gradient[i] = clv_sum_value(&totals.gradient[i]);
	for (int i = 0; i < CLV_TRIANGLE(nparams); i++)
		at->hessian[i] = clv_sum_value(&totals.hessian[i]);
}
