/*
 * micro_fit.c
 *		How long the pure engine takes, without a server.
 *
 * cc -O2 -std=c11 -D_GNU_SOURCE -ffp-contract=off -Isrc -Itest/unit
 *     bench/micro_fit.c src/math/\*.c src/families/\*.c -lm -o build/micro_fit
 * build/micro_fit [customers, default 1000000]
 *
 * Customers are simulated on a grid of days over two years and counted into cells,
 * as the aggregate does it. Times are CPU seconds: all of a fit, and a fit whose
 * cells are in order already, which is the search alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shop.h"

/* Seconds of a monotonic clock. */
static double
Now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

/* Prints a line of a fit: customers, status, passes, seconds and parameters. */
static void
Print(const ClvFamily *family, const char *what, ClvStatus status, const ClvFitReport *report,
	  size_t n, double seconds)
{
	printf("%-12s %9.0f customers %8zu %-5s status %d, %2d passes %7.3f s  ", family->name,
		   report->customers, n, what, (int) status, report->iterations, seconds);
	for (int i = 0; i < family->nparams; i++)
		printf(" %s=%.5g", family->param_names[i], report->param[i]);
	printf("\n");
}

/* Fits cells and prints the time it took. */
static void
TimeCells(const ClvFamily *family, ClvCell *cells, size_t n)
{
	static const ClvFitControl control = {0};
	void *workspace = malloc(clv_fit_cells_workspace(family, n));
	ClvFitReport report;

	for (int sorted = 0; sorted < 2; sorted++)
	{
		double start = Now();
		ClvStatus status = clv_fit_cells(family, cells, &n, NULL, &control, workspace, &report);

		Print(family, "cells", status, &report, n, Now() - start);
	}
	free(workspace);
}

/* Fits spend and prints the time it took. */
static void
TimeSpend(const ClvFamily *family, ClvSpendRow *rows, size_t n)
{
	static const ClvFitControl control = {0};
	void *workspace = malloc(clv_fit_spend_workspace(family, n));
	ClvFitReport report;

	for (int sorted = 0; sorted < 2; sorted++)
	{
		double start = Now();
		ClvStatus status = clv_fit_spend(family, rows, n, &control, workspace, &report);

		Print(family, "rows", status, &report, n, Now() - start);
	}
	free(workspace);
}

/* ---- counting into cells ---- */

typedef struct Counter
{
	ClvCell *slots; /* count = 0: free */
	size_t mask;
	size_t used;
} Counter;

/* Counts a customer in the cell of those with the same summary. */
static void
Count(Counter *counter, const ClvCell *cell)
{
	uint64_t key = (uint64_t) cell->x << 40 ^ (uint64_t) (cell->t_x * 7 + 0.5) << 20 ^
				   (uint64_t) (cell->T * 7 + 0.5);
	size_t i = (size_t) ((key * UINT64_C(0x9E3779B97F4A7C15)) >> 30) & counter->mask;

	while (counter->slots[i].count > 0 &&
		   (counter->slots[i].x != cell->x || counter->slots[i].t_x != cell->t_x ||
			counter->slots[i].T != cell->T))
		i = (i + 1) & counter->mask;
	if (counter->slots[i].count == 0)
	{
		counter->slots[i] = *cell;
		counter->used++;
	}
	else
		counter->slots[i].count++;
}

/* The cells in the order of the table, as an aggregate hands them over. */
static ClvCell *
Collect(Counter *counter)
{
	ClvCell *cells = malloc(counter->used * sizeof(ClvCell));
	size_t n = 0;

	for (size_t i = 0; i <= counter->mask; i++)
	{
		if (counter->slots[i].count > 0)
			cells[n++] = counter->slots[i];
	}
	return cells;
}

/* Simulates customers, counts them and times their fits. */
static void
Simulate(int immediate, size_t customers, bool with_spend)
{
	static const double param[] = {.25, 4.4, .8, 2.4};
	static const double spend[] = {6, 4, 15};
	Counter counter = {calloc((size_t) 1 << 23, sizeof(ClvCell)), ((size_t) 1 << 23) - 1, 0};
	ClvSpendRow *rows = malloc(customers * sizeof(ClvSpendRow));
	ClvCell *cells;
	size_t nrows = 0;
	Chance chance = 1;

	for (size_t i = 0; i < customers; i++)
	{
		double T = (30 + floor(701 * Uniform(&chance))) / 7;
		ClvCell cell = DrawCustomer(&chance, param, immediate, T, 1 / 7.0);

		cell.t_x = nearbyint(cell.t_x * 7) / 7;
		Count(&counter, &cell);
		if (cell.x > 0 && with_spend)
			rows[nrows++] = DrawSpend(&chance, spend, (int) cell.x);
	}
	cells = Collect(&counter);
	free(counter.slots);
	TimeCells(clv_family(immediate ? "mbg/nbd" : "bg/nbd"), cells, counter.used);
	free(cells);
	if (with_spend)
		TimeSpend(clv_family("gamma/gamma"), rows, nrows);
	free(rows);
}

int
main(int argc, char **argv)
{
	size_t customers = argc > 1 ? (size_t) atoll(argv[1]) : 1000000;

	Simulate(0, customers, true);
	Simulate(1, customers, false);
	return 0;
}
