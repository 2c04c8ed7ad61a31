/*
 * cell_table.h
 *		The log-likelihood of cells of identical customers, with its derivatives.
 *		The engine behind clv_fit_cells(); see the essay in likelihood.c.
 */
#ifndef CLV_CELL_TABLE_H
#define CLV_CELL_TABLE_H

#include "math/arena.h"
#include "math/newton.h"
#include "math/poll.h"
#include "families/covariates.h"
#include "families/likelihood.h"

/* A distinct time of a block, and the sums over its cells. */
typedef struct ClvRow
{
	double value;                    /* of the term, relative to the block's scale; or its ln */
	double weight;                   /* sum over the cells of count x the term's share of L */
	double spread;                   /* sum of count x share x (1 - share) */
	double gradient[CLV_MAX_PARAMS]; /* of ln value */
} ClvRow;

/* One of the two terms on the distinct times of a block. */
typedef struct ClvTable
{
	double *times;
	ClvTerm *terms;
	ClvRow *rows;
	uint32_t n;
} ClvTable;

/*
 * Consecutive cells of one x, and of one group where covariates act, with no more
 * distinct times than a table holds.
 */
typedef struct ClvBlock
{
	uint32_t cells;
	uint16_t departed; /* distinct t_x */
	uint16_t alive;    /* distinct T */
} ClvBlock;

/* A slot of the hash table that numbers the t_x of a block. */
typedef struct ClvSlot
{
	double key;
	uint32_t block; /* in which this entry is valid, counted from 1 */
	uint16_t id;
} ClvSlot;

/* The cells of a fit, their index by blocks, and scratch memory. */
typedef struct ClvCellTable
{
	const ClvFamily *family;
	ClvCell *cells; /* sorted by x, T, t_x, group; no two alike */
	size_t n;
	ClvPoll *poll;
	const ClvGroups *groups;         /* NULL: none */
	const ClvCovariates *covariates; /* NULL: none act; else cells are sorted by group first */
	struct ClvCourseTable *course;   /* NULL: they are constant in time */
	double course_share;             /* of all repeat purchases, those of these cells */

	/* the index: made once, then read from front to back */
	ClvBlock *blocks;
	size_t nblocks;
	double *t_x;            /* distinct t_x of all blocks */
	uint32_t *run;          /* cells of each distinct T of all blocks */
	uint16_t *departed_row; /* per cell: which of its block's t_x */

	/* scratch */
	ClvCell *sorting; /* shares its memory with the index */
	ClvTable departed;
	ClvTable alive;
	ClvSlot *slots;
	uint32_t nslots; /* a power of 2 */
	int slot_shift;  /* from 32 bits of a hash to the number of a slot */
} ClvCellTable;

/* Lay out the memory for n cells, or measure it. */
extern void clv_cell_table_lay_out(ClvCellTable *cells, ClvArena *arena, size_t n);

/* The same for a sample of n of them, which shares the tables of all. */
extern void clv_cell_table_lay_out_sample(const ClvCellTable *all, ClvCellTable *sample,
										  ClvArena *arena, size_t n);

/*
 * Draws n of all customers: every k-th in the order of sorting. The same cells give the same
 * sample. Sets sample->cells[sample->n], ready for indexing.
 */
extern void clv_cells_sample(const ClvCellTable *all, ClvCellTable *sample, double customers,
							 size_t n);

/*
 * Sorts and merges cells->cells[n] in place, by group first where covariates act; n may decrease.
 * False where a cell is invalid.
 */
extern bool clv_cells_sort(ClvCellTable *cells);

/* Makes the index; after sorting. */
extern void clv_cells_index(ClvCellTable *cells);

/*
 * Log-likelihood at a point, with derivatives by the transformed parameters. Where
 * covariates act, the point is the parameters at their mean and the effects of the
 * standardised covariates, by which there are derivatives too.
 */
extern void clv_cells_evaluate(ClvCellTable *cells, const double *point, ClvQuadratic *at);

#endif /* CLV_CELL_TABLE_H */
