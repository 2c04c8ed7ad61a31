/*
 * fuzz_fit.c
 *		libFuzzer: fits to whatever the bytes say.
 *
 * Whatever the cells, a fit must return; where it says CLV_OK its parameters are
 * numbers in their ranges at which the log-likelihood is finite and flat, and two runs
 * over the same customers in another order give the same bits. With and without a prior.
 */
#include "fits.h"

#define MOST_CELLS 64
#define GROUPS 5

/* Mostly small and on a grid; sometimes huge, tiny, or the bits of any double. */
static double
NextNumber(Bytes *bytes)
{
	unsigned kind = Next(bytes);
	double number = 0;

	if (kind < 160)
		return Next(bytes) / 7.0;
	if (kind < 220)
		return ldexp(Next(bytes), (int) Next(bytes) / 4 - 32);
	for (int i = 0; i < 8; i++)
		((unsigned char *) &number)[i] = (unsigned char) Next(bytes);
	return number;
}

/* Covariates and outcomes of a few groups; NULL: none. */
static const ClvGroups *
NextGroups(const ClvFamily *family, Bytes *bytes, ClvGroups *groups)
{
	static double z[GROUPS * 2];
	static double outcome[GROUPS];
	bool supervised = family->clock == CLV_CAMPAIGNS;
	unsigned kind = Next(bytes);

	for (int i = 0; i < 2 * GROUPS; i++)
		z[i] = kind & 8 ? NextNumber(bytes) : Next(bytes) % 4;
	for (int i = 0; i < GROUPS; i++)
		outcome[i] = Next(bytes) % 2;
	*groups = (ClvGroups){GROUPS, (int) (kind & 3) % 3, z, supervised ? outcome : NULL};
	return kind & 4 || supervised ? groups : NULL;
}

/* Fits cells read from the input, twice. */
static void
FuzzCells(const ClvFamily *family, Bytes *bytes, const ClvFitControl *control)
{
	ClvCell cells[MOST_CELLS];
	ClvCell turned[MOST_CELLS];
	ClvGroups groups;
	const ClvGroups *given = NextGroups(family, bytes, &groups);
	size_t n = 0;
	void *workspace;
	ClvFitReport report;
	ClvFitReport again;
	ClvStatus status;
	size_t left;

	while (n < MOST_CELLS && bytes->left > 0)
	{
		unsigned shape = Next(bytes);
		ClvCell *cell = &cells[n++];

		cell->x = (int32_t) (shape < 250 ? shape % 16 : Next(bytes) << Next(bytes) % 24);
		cell->group = given != NULL ? Next(bytes) % GROUPS : 0;
		cell->T = NextNumber(bytes);
		cell->t_x = cell->x == 0  ? 0
					: shape < 252 ? cell->T * Next(bytes) / 255.0
								  : NextNumber(bytes);
		/* seldom what the clock of the family admits, if nothing is done for it */
		if (family->clock == CLV_OPPORTUNITIES || family->clock == CLV_RENEWALS)
		{
			cell->t_x = floor(cell->t_x);
			cell->T = floor(cell->T);
		}
		if (family->clock == CLV_OPPORTUNITIES && shape < 240)
			cell->x = cell->x > 0 && cell->x > cell->t_x ? (int32_t) fmin(fmax(cell->t_x, 0), 1000)
														 : cell->x;
		if (family->clock == CLV_RENEWALS && shape < 240)
			cell->x = (int32_t) (cell->t_x = fmin(fmax(cell->t_x, 0), 1000));
		cell->count = shape % 3 == 0 ? 1 + Next(bytes) : shape < 253 ? 1 : NextNumber(bytes);
	}
	for (size_t i = 0; i < n; i++)
		turned[n - 1 - i] = cells[i];
	workspace = Scratch(clv_fit_cells_workspace(family, n));
	left = n;
	status = clv_fit_cells(family, cells, &left, given, control, workspace, &report);
	CheckReport(family, control, status, &report);
	CheckSame(&report, &again, status,
			  clv_fit_cells(family, cells, &left, given, control, workspace, &again));
	CheckSame(&report, &again, status,
			  clv_fit_cells(family, turned, &n, given, control, workspace, &again));
}

/* Fits spend read from the input, twice. */
static void
FuzzSpend(const ClvFamily *family, Bytes *bytes, const ClvFitControl *control)
{
	ClvSpendRow rows[MOST_CELLS];
	ClvSpendRow turned[MOST_CELLS];
	size_t n = 0;
	void *workspace;
	ClvFitReport report;
	ClvFitReport again;
	ClvStatus status;

	while (n < MOST_CELLS && bytes->left > 0)
	{
		unsigned shape = Next(bytes);

		rows[n].group = 0;
		rows[n].x = shape < 254 ? 1 + (int) shape % 16 : (int) (Next(bytes) & 127) << 24;
		rows[n++].mean = NextNumber(bytes);
	}
	for (size_t i = 0; i < n; i++)
		turned[n - 1 - i] = rows[i];
	workspace = Scratch(clv_fit_spend_workspace(family, n, 0));
	status = clv_fit_spend(family, rows, n, NULL, control, workspace, &report);
	CheckReport(family, control, status, &report);
	CheckSame(&report, &again, status,
			  clv_fit_spend(family, turned, n, NULL, control, workspace, &again));
}

/* Whether there are fits of the family. */
static bool
Any(const ClvFamily *family)
{
	(void) family;
	return true;
}

void
Check(Bytes *bytes)
{
	unsigned what = Next(bytes);
	double start[CLV_MAX_PARAMS];
	ClvPrior prior;
	ClvFitControl control = {.max_iterations = what & 4 ? 30 : 0,
							 .shape_penalty = what & 8 ? 0.01 : 0,
							 .effect_penalty_purchase = what & 32 ? 0.1 : 0,
							 .poll = Poll};
	const ClvFamily *family = NextFamily(bytes, what & 64 ? HasPrior : Any);

	if (what & 16)
	{
		for (int i = 0; i < CLV_MAX_PARAMS; i++)
			start[i] = NextNumber(bytes);
		control.start = start;
	}
	if (what & 64)
	{
		NextPrior(bytes, family, &prior);
		control.prior = &prior;
	}
	if (family->process == CLV_SPEND)
		FuzzSpend(family, bytes, &control);
	else
		FuzzCells(family, bytes, &control);
}
