/*
 * cell_likelihood.c
 *		The log-likelihood of cells of identical customers, with its derivatives.
 *
 * likelihood.c explains why tables make this cheap. Here blocks are evaluated one after the
 * other: consecutive cells of one x, and of one group where covariates act. A group's blocks
 * are added up and then folded into the derivatives by parameters and effects (covariates.c).
 * Where vectors of covariates are mostly distinct, a block is one cell and its tables are one
 * row each, which is the direct evaluation.
 *
 * Families without the two terms are asked for the ln L of each cell; so are, in blocks of few
 * cells, families for which tables only pay where times are shared.
 */
#include "families/cell_table.h"

#include <math.h>
#include <string.h>

#include "math/sort.h"
#include "math/sum.h"
#include "families/course.h"
#include "families/covariates.h"

/*
 * Where the logs of a block's terms lie within this of each other, their values
 * relative to the middle are within e^+-300 and no double overflows.
 */
#define WIDEST_SPREAD 600.0

/* Blocks of no more cells than this are less work one by one, for families that can do both. */
#define FEW 4

/* Cells whose ln L are added plainly, before the sum that carries its rounding. */
#define PLAIN_SUMS 64

/* ---- blocks by tables ---- */

/* The evaluation of one block: where it reads, and the sums of its cells. */
typedef struct BlockPass
{
	ClvCellTable *cells;
	const ClvBlock *block;
	const ClvCell *cell; /* its first one */
	const uint32_t *run;
	const uint16_t *departed_row;
	const double *t_x;
	int nparams;
	double customers;
	double ln;                     /* sum of count x ln(P + Q) */
	double cross[CLV_MAX_HESSIAN]; /* what departed and alive have in common */
} BlockPass;

/* Lets the family fill the tables, and sets *low and *high to the range of the logs. */
static void
FillTables(BlockPass *pass, const double *param, double *low, double *high)
{
	const ClvFamily *family = pass->cells->family;
	ClvTable *tables[] = {&pass->cells->departed, &pass->cells->alive};
	const ClvCell *cell = pass->cell;

	tables[0]->n = pass->block->departed;
	tables[1]->n = pass->block->alive;
	memcpy(tables[0]->times, pass->t_x, tables[0]->n * sizeof(double));
	for (uint32_t j = 0; j < tables[1]->n; cell += pass->run[j++])
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

/* Sets the rows of a table to its terms, relative to scale or as logs, with empty sums. */
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

/* The sums of the cells of one T. */
typedef struct Run
{
	double weight;
	double spread;
	double departed[CLV_MAX_PARAMS]; /* sum of spread x the departed terms' gradients */
	ClvLogProduct ln;
} Run;

/* Adds a cell whose departed term has this share of L, and whose alive term has stay. */
CLV_TEMPLATE void
AddCell(Run *run, ClvRow *departed, double count, double share, double stay, int nparams)
{
	double weight = count * share;
	double spread = weight * stay;

	departed->weight += weight;
	departed->spread += spread;
	run->weight += count * stay;
	run->spread += spread;
	for (int k = 0; k < nparams; k++)
		run->departed[k] += spread * departed->gradient[k];
}

/* Adds the cells of one T, whose term is alive; the terms are numbers. */
CLV_TEMPLATE void
AddRun(Run *run, BlockPass *pass, const ClvCell *cell, const uint16_t *row, uint32_t n,
	   double alive, int nparams)
{
	for (uint32_t i = 0; i < n; i++)
	{
		ClvRow *departed = &pass->cells->departed.rows[row[i]];
		double both = departed->value + alive;
		double inverse = 1 / both;

		AddCell(run, departed, cell[i].count, departed->value * inverse, alive * inverse, nparams);
		if (cell[i].count == 1)
			clv_log_product_add(&run->ln, both);
		else
			run->ln.sum += cell[i].count * log(both);
	}
}

/* The same with terms as logs, where numbers would overflow. */
static void
AddRunInLogs(Run *run, BlockPass *pass, const ClvCell *cell, const uint16_t *row, uint32_t n,
			 double alive, int nparams)
{
	for (uint32_t i = 0; i < n; i++)
	{
		ClvRow *departed = &pass->cells->departed.rows[row[i]];
		double ahead = departed->value - alive;
		double ratio = exp(-fabs(ahead));
		double more = 1 / (1 + ratio);
		double less = ratio / (1 + ratio);

		AddCell(run, departed, cell[i].count, ahead > 0 ? more : less, ahead > 0 ? less : more,
				nparams);
		run->ln.sum += cell[i].count * (fmax(departed->value, alive) + log1p(ratio));
	}
}

/* Adds the sums of one T to its row and to the block. */
static void
CloseRun(BlockPass *pass, const Run *run, ClvRow *alive)
{
	alive->weight = run->weight;
	alive->spread = run->spread;
	pass->ln += clv_log_product_value(&run->ln);
	for (int i = 0; i < pass->nparams; i++)
	{
		for (int j = 0; j <= i; j++)
			pass->cross[CLV_AT(i, j)] +=
				run->departed[i] * alive->gradient[j] + run->departed[j] * alive->gradient[i];
	}
}

/* Adds all cells of the block to the rows of both tables. */
static void
SumCells(BlockPass *pass, bool logs)
{
	const ClvCell *cell = pass->cell;
	const uint16_t *row = pass->departed_row;

	for (uint32_t j = 0; j < pass->block->alive; j++)
	{
		ClvRow *alive = &pass->cells->alive.rows[j];
		uint32_t n = pass->run[j];
		Run run = {.ln = {1, 0}};

		if (logs)
			AddRunInLogs(&run, pass, cell, row, n, alive->value, pass->nparams);
		else if (pass->nparams == 4)
			AddRun(&run, pass, cell, row, n, alive->value, 4);
		else
			AddRun(&run, pass, cell, row, n, alive->value, pass->nparams);
		CloseRun(pass, &run, alive);
		clv_poll(pass->cells->poll, n);
		cell += n;
		row += n;
	}
	for (uint32_t i = 0; i < pass->block->cells; i++)
		pass->customers += pass->cell[i].count;
}

/* Adds the derivatives of a term, multiplied by the sums of its row. */
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

/* Adds the derivatives of a table, by its rows: the adjoint of SumCells(). */
static void
AddTable(int nparams, const ClvTable *table, ClvTerm *sum)
{
	for (uint32_t i = 0; i < table->n; i++)
		AddTerm(nparams, &table->terms[i], table->rows[i].weight, table->rows[i].spread, sum);
}

/* The block's derivatives are added to sum, its ln L to value. */
static void
AddTables(BlockPass *pass, const double *param, ClvTerm *sum, ClvSum *value)
{
	ClvCellTable *cells = pass->cells;
	int nparams = pass->nparams;
	double low;
	double high;
	double scale;
	bool logs;
	ClvTerm common;

	FillTables(pass, param, &low, &high);
	logs = !(high - low <= WIDEST_SPREAD);
	scale = logs ? 0 : low + (high - low) / 2;
	FillRows(&cells->departed, nparams, logs, scale);
	FillRows(&cells->alive, nparams, logs, scale);
	SumCells(pass, logs);
	AddTable(nparams, &cells->departed, sum);
	AddTable(nparams, &cells->alive, sum);
	cells->family->ln_common(param, pass->cell->x, &common);
	AddTerm(nparams, &common, pass->customers, 0, sum);
	for (int i = 0; i < CLV_TRIANGLE(nparams); i++)
		sum->hessian[i] -= pass->cross[i];
	clv_sum_add(value, pass->ln);
	clv_sum_add(value, pass->customers * (common.ln + scale));
	clv_poll(cells->poll, 4 * ((size_t) pass->block->alive + pass->block->departed));
}

/* ---- blocks by single cells ---- */

/* The same by single cells, each evaluated by the family. */
static void
AddCells(BlockPass *pass, const double *param, ClvTerm *sum, ClvSum *value)
{
	const ClvCellTable *cells = pass->cells;
	const double *outcome = cells->groups == NULL ? NULL : cells->groups->outcome;
	double ln = 0;

	for (uint32_t i = 0; i < pass->block->cells; i++)
	{
		const ClvCell *cell = &pass->cell[i];
		ClvTerm term;

		cells->family->cell(param, cell->x, cell->t_x, cell->T,
							outcome == NULL ? NAN : outcome[cell->group], &term);
		AddTerm(pass->nparams, &term, cell->count, 0, sum);
		ln += cell->count * term.ln;
		if (i % PLAIN_SUMS == PLAIN_SUMS - 1)
		{
			clv_sum_add(value, ln);
			ln = 0;
		}
		clv_poll(cells->poll, 32);
	}
	clv_sum_add(value, ln);
}

/* ---- all of them ---- */

/* Adds a block, by tables or by single cells. */
static void
AddBlock(BlockPass *pass, const double *param, ClvTerm *sum, ClvSum *value)
{
	const ClvFamily *family = pass->cells->family;

	if (family->departed == NULL || (family->cell != NULL && pass->block->cells <= FEW))
		AddCells(pass, param, sum, value);
	else
		AddTables(pass, param, sum, value);
}

/* The evaluation of the first block. */
static BlockPass
FirstBlock(ClvCellTable *cells)
{
	return (BlockPass){cells,
					   cells->blocks,
					   cells->cells,
					   cells->run,
					   cells->departed_row,
					   cells->t_x,
					   .nparams = cells->family->nparams};
}

/* Moves on to the next block. */
static void
Advance(BlockPass *next)
{
	const ClvBlock *block = next->block++;

	next->cell += block->cells;
	next->departed_row += block->cells;
	next->run += block->alive;
	next->t_x += block->departed;
}

/* Adds all blocks, at the same parameters for all customers. */
static void
EvaluateAlike(ClvCellTable *cells, const double *param, ClvTotals *totals)
{
	BlockPass next = FirstBlock(cells);

	for (size_t i = 0; i < cells->nblocks; i++)
	{
		BlockPass pass = next;
		ClvTerm sum = {0};

		AddBlock(&pass, param, &sum, &totals->value);
		clv_totals_add(totals, &sum);
		Advance(&next);
	}
}

/* Adds all blocks, group by group, each at its own parameters. */
static void
EvaluateGroups(ClvCellTable *cells, const double *point, ClvTotals *totals)
{
	const ClvFamily *family = cells->family;
	const ClvCovariates *covariates = cells->covariates;
	BlockPass next = FirstBlock(cells);
	size_t i = 0;

	while (i < cells->nblocks)
	{
		uint32_t group = next.cell->group;
		double z[CLV_MAX_COVARIATES];
		double param[CLV_MAX_PARAMS];
		ClvTerm sum = {0};

		clv_covariates_of(covariates, group, z);
		clv_param_with_effects(family, point, covariates->n, point + family->nparams, z, param);
		do
		{
			BlockPass pass = next;

			AddBlock(&pass, param, &sum, &totals->value);
			Advance(&next);
			i++;
		} while (i < cells->nblocks && next.cell->group == group);
		clv_totals_fold(totals, family, covariates->n, z, &sum);
	}
}

void
clv_cells_evaluate(ClvCellTable *cells, const double *point, ClvQuadratic *at)
{
	int nparams = cells->family->nparams;
	ClvTotals totals;

	if (cells->course != NULL)
	{
		clv_course_evaluate(cells, point, at);
		return;
	}
	clv_totals_clear(&totals, nparams + (cells->covariates == NULL ? 0 : 2 * cells->covariates->n));
	if (cells->covariates == NULL)
		EvaluateAlike(cells, point, &totals);
	else
		EvaluateGroups(cells, point, &totals);
	clv_totals_value(&totals, at);
}
