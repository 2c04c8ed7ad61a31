/*
 * population.c
 *		The measures of many customers, from which the cuts are made.
 *
 * Every value is kept: at eight bytes a measure the cuts are exact, and the same in
 * any order of the rows. A column is one chunk, and the columns that need a model
 * exist only once there is one.
 */
#include "score/population.h"

#include <math.h>

#include "utils/memutils.h"

#define FIRST_CAPACITY 16
#define POPULATION_LIMIT ((int64) ((MaxAllocSize - 65536) / (CLV_MEASURES * sizeof(double))))

/* Raises the error of a population over the limit of 1 GB. */
static pg_attribute_noreturn() void TooMany(void)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many customers to score at once"),
		 errdetail("The limit of 1 GB is reached at " INT64_FORMAT " customers.", POPULATION_LIMIT),
		 errhint("Make rfmtc_cuts() from a sample of the customers, such as every tenth, and "
				 "score all of them against it: rfmtc_score(history, cuts).")));
}

/* The column at the capacity of the population, allocated where it is NULL. */
static double *
ResizeColumn(const ClvPopulation *population, double *column)
{
	Size size = population->capacity * sizeof(double);

	if (column == NULL)
		return MemoryContextAllocHuge(population->context, size);
	return repalloc_huge(column, size);
}

void
clv_population_reserve(ClvPopulation *population, int64 customers)
{
	if (customers > POPULATION_LIMIT)
		TooMany();
	if (customers <= population->capacity)
		return;
	population->capacity = customers;
	for (int i = 0; i < CLV_MEASURES; i++)
		if (i < CLV_PLAIN_MEASURES || population->column[i] != NULL)
			population->column[i] = ResizeColumn(population, population->column[i]);
}

/* Adds the columns of the first model; they are NaN for the customers before it. */
static void
AddModelColumns(ClvPopulation *population)
{
	for (int i = CLV_PLAIN_MEASURES; i < CLV_MEASURES; i++)
	{
		population->column[i] = ResizeColumn(population, NULL);
		for (int64 j = 0; j < population->customers; j++)
			population->column[i][j] = NAN;
	}
}

void
clv_population_add(ClvPopulation *population, const double value[CLV_MEASURES])
{
	if (population->customers == population->capacity)
	{
		if (population->capacity >= POPULATION_LIMIT)
			TooMany();
		clv_population_reserve(
			population, Min(Max(2 * population->capacity, FIRST_CAPACITY), POPULATION_LIMIT));
	}
	if (population->column[CLV_CHURN] == NULL && !isnan(value[CLV_CHURN]))
		AddModelColumns(population);
	for (int i = 0; i < CLV_MEASURES; i++)
		if (population->column[i] != NULL)
			population->column[i][population->customers] = value[i];
	population->customers++;
}

void
clv_population_cut(const ClvPopulation *population, int bins, ClvCutPoints *cuts)
{
	double *values = NULL;

	if (population->customers > 0)
		values =
			MemoryContextAllocHuge(CurrentMemoryContext, population->customers * sizeof(double));
	for (int i = 0; i < CLV_MEASURES; i++)
	{
		int64 n = 0;

		if (population->column[i] != NULL)
			for (int64 j = 0; j < population->customers; j++)
				if (!isnan(population->column[i][j]))
					values[n++] = population->column[i][j];
		cuts->bins[i] = n > 0 ? bins : 0;
		if (n > 0)
			clv_quantile_cuts(values, n, bins, cuts->cut[i]);
	}
	if (values != NULL)
		pfree(values);
}
