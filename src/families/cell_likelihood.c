/*
 * cell_likelihood.c
 *		The log-likelihood of cells of identical customers, with its derivatives.
 *
 * Why tables make this cheap is told in likelihood.c. Here block after block is
 * walked: consecutive cells of one x, and of one group where covariates act. A group's
 * blocks are added up and then folded into the derivatives by parameters and effects
 * (covariates.c). Where vectors of covariates are mostly distinct, a block is one cell and
 * its tables are one row each, which is the direct evaluation.
 *
 * Families without the two terms are asked for the ln L of each cell; so are those for
 * which tables only pay where times are shared, in blocks of few cells.
 */
#include "families/cell_table.h"

#include <math.h>
#include <string.h>

#include "math/sort.h"
#include "math/sum.h"
#include "families/covariates.h"

/*
 * Where the logs of a block's terms lie within this of each other, their values
 * relative to the middle are within e^+-300 and no double overflows.
 */
#define WIDEST_SPREAD 600.0

/* No more cells than this are less work one by one, for families that can do both. */
#define FEW 4

/* Cells whose ln L are added plainly, before the sum that carries its rounding. */
#define HANDFUL 64

/* ---- blocks by tables ---- */

/* One block on its way: where it reads, and what its cells add up to. */
typedef struct Walk
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
	for (uint32_t j = 0; j < tables[1]->n; cell += walk->run[j++])
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
typedef struct Run
{
	double weight;
	double spread;
	double departed[CLV_MAX_PARAMS]; /* sum of spread x the departed terms' gradients */
	ClvLogProduct ln;
} Run;

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

/* The cells of one T, whose term is alive; the terms are numbers ... */
CLV_TEMPLATE void
AddRun(Run *run, Walk *walk, const ClvCell *cell, const uint16_t *row, uint32_t n,
		 double alive, int nparams)
{
	for (uint32_t i = 0; i < n; i++)
	{
		ClvRow *departed = &walk->cells->departed.rows[row[i]];
		double both = departed->value + alive;
		double inverse = 1 / both;

		AddCell(run, departed, cell[i].count, departed->value * inverse, alive * inverse,
				nparams);
		if (cell[i].count == 1)
			clv_log_product_add(&run->ln, both);
		else
			run->ln.sum += cell[i].count * log(both);
	}
}

/* ... or logs, where numbers would not hold them. */
static void
AddRunInLogs(Run *run, Walk *walk, const ClvCell *cell, const uint16_t *row, uint32_t n,
			   double alive, int nparams)
{
	for (uint32_t i = 0; i < n; i++)
	{
		ClvRow *departed = &walk->cells->departed.rows[row[i]];
		double ahead = departed->value - alive;
		double ratio = exp(-fabs(ahead));
		double more = 1 / (1 + ratio);
		double less = ratio / (1 + ratio);

		AddCell(run, departed, cell[i].count, ahead > 0 ? more : less, ahead > 0 ? less : more,
				nparams);
		run->ln.sum += cell[i].count * (fmax(departed->value, alive) + log1p(ratio));
	}
}

static void
CloseRun(Walk *walk, const Run *run, ClvRow *alive)
{
	alive->weight = run->weight;
	alive->spread = run->spread;
	walk->ln += clv_log_product_value(&run->ln);
	for (int i = 0; i < walk->nparams; i++)
	{
		for (int j = 0; j <= i; j++)
			walk->cross[CLV_AT(i, j)] +=
				run->departed[i] * alive->gradient[j] + run->departed[j] * alive->gradient[i];
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
		uint32_t n = walk->run[j];
		Run run = {.ln = {1, 0}};

		if (logs)
			AddRunInLogs(&run, walk, cell, row, n, alive->value, walk->nparams);
		else if (walk->nparams == 4)
			AddRun(&run, walk, cell, row, n, alive->value, 4);
		else
			AddRun(&run, walk, cell, row, n, alive->value, walk->nparams);
		CloseRun(walk, &run, alive);
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

/* The block's derivatives are added to sum, its ln L to value. */
static void
AddTables(Walk *walk, const double *param, ClvTerm *sum, ClvSum *value)
{
	ClvCellTable *cells = walk->cells;
	int nparams = walk->nparams;
	double low;
	double high;
	double scale;
	bool logs;
	ClvTerm common;

	FillTables(walk, param, &low, &high);
	logs = !(high - low <= WIDEST_SPREAD);
	scale = logs ? 0 : low + (high - low) / 2;
	FillRows(&cells->departed, nparams, logs, scale);
	FillRows(&cells->alive, nparams, logs, scale);
	WalkCells(walk, logs);
	AddTable(nparams, &cells->departed, sum);
	AddTable(nparams, &cells->alive, sum);
	cells->family->ln_common(param, walk->cell->x, &common);
	AddTerm(nparams, &common, walk->customers, 0, sum);
	for (int i = 0; i < CLV_TRIANGLE(nparams); i++)
		sum->hessian[i] -= walk->cross[i];
	clv_sum_add(value, walk->ln);
	clv_sum_add(value, walk->customers * (common.ln + scale));
	clv_poll(cells->poll, 4 * ((size_t) walk->block->alive + walk->block->departed));
}

/* ---- blocks by single cells ---- */

static void
AddCells(Walk *walk, const double *param, ClvTerm *sum, ClvSum *value)
{
	const ClvCellTable *cells = walk->cells;
	const double *outcome = cells->groups == NULL ? NULL : cells->groups->outcome;
	double ln = 0;

	for (uint32_t i = 0; i < walk->block->cells; i++)
	{
		const ClvCell *cell = &walk->cell[i];
		ClvTerm term;

		cells->family->cell(param, cell->x, cell->t_x, cell->T,
							outcome == NULL ? NAN : outcome[cell->group], &term);
		AddTerm(walk->nparams, &term, cell->count, 0, sum);
		ln += cell->count * term.ln;
		if (i % HANDFUL == HANDFUL - 1)
		{
			clv_sum_add(value, ln);
			ln = 0;
		}
		clv_poll(cells->poll, 32);
	}
	clv_sum_add(value, ln);
}

/* ---- all of them ---- */

static void
AddBlock(Walk *walk, const double *param, ClvTerm *sum, ClvSum *value)
{
	const ClvFamily *family = walk->cells->family;

	if (family->departed == NULL || (family->cell != NULL && walk->block->cells <= FEW))
		AddCells(walk, param, sum, value);
	else
		AddTables(walk, param, sum, value);
}

static Walk
FirstBlock(ClvCellTable *cells)
{
	return (Walk){cells,
				  cells->blocks,
				  cells->cells,
				  cells->run,
				  cells->departed_row,
				  cells->t_x,
				  .nparams = cells->family->nparams};
}

static void
Advance(Walk *next)
{
	const ClvBlock *block = next->block++;

	next->cell += block->cells;
	next->departed_row += block->cells;
	next->run += block->alive;
	next->t_x += block->departed;
}

static void
EvaluateAlike(ClvCellTable *cells, const double *param, ClvTotals *totals)
{
	Walk next = FirstBlock(cells);

	for (size_t i = 0; i < cells->nblocks; i++)
	{
		Walk walk = next;
		ClvTerm sum = {0};

		AddBlock(&walk, param, &sum, &totals->value);
		clv_totals_add(totals, &sum);
		Advance(&next);
	}
}

/* The parameters at the mean of the covariates become those of each group in turn. */
static void
EvaluateGroups(ClvCellTable *cells, const double *point, ClvTotals *totals)
{
	const ClvFamily *family = cells->family;
	const ClvCovariates *covariates = cells->covariates;
	Walk next = FirstBlock(cells);
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
			Walk walk = next;

			AddBlock(&walk, param, &sum, &totals->value);
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

	clv_totals_clear(&totals, nparams + (cells->covariates == NULL ? 0 : 2 * cells->covariates->n));
	if (cells->covariates == NULL)
		EvaluateAlike(cells, point, &totals);
	else
		EvaluateGroups(cells, point, &totals);
	clv_totals_value(&totals, at);
}
