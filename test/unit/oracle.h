/*
 * oracle.h
 *		Reference tables by column name, and what counts as agreement with them.
 */
#ifndef CLV_TEST_ORACLE_H
#define CLV_TEST_ORACLE_H

#include <float.h>
#include <math.h>

#include "shared.h"

#define ORACLE_COLUMNS 32

typedef struct Oracle
{
	FILE *file;
	int columns;
	int row;
	char header[1024];
	char line[2048];
	char *names[ORACLE_COLUMNS];
	char *values[ORACLE_COLUMNS];
} Oracle;

/* Returns 0 where the table is not there and need not be. */
static inline int
OpenOracle(Oracle *oracle, const char *name)
{
	oracle->row = 0;
	oracle->file = OpenShared(name);
	if (oracle->file == NULL)
		return 0;
	oracle->columns = ReadFields(oracle->file, oracle->header, sizeof(oracle->header),
								 oracle->names, ORACLE_COLUMNS);
	return 1;
}

/* The next row; at the end closes the table and returns 0. */
static inline int
NextRow(Oracle *oracle)
{
	oracle->row++;
	if (ReadFields(oracle->file, oracle->line, sizeof(oracle->line), oracle->values,
				   ORACLE_COLUMNS) == oracle->columns)
		return 1;
	fclose(oracle->file);
	return 0;
}

/* What is below any double reads as 0 or the nearest denormal. */
static inline double
Value(const Oracle *oracle, const char *column)
{
	for (int i = 0; i < oracle->columns; i++)
	{
		if (strcmp(oracle->names[i], column) == 0)
			return strtod(oracle->values[i], NULL);
	}
	fprintf(stderr, "no column %s\n", column);
	abort();
}

/*
 * |actual / expected - 1|. Infinities must agree, NaN is infinitely wrong, and
 * below the normal doubles anything as small will do.
 */
static inline double
RelativeError(double actual, double expected)
{
	if (isnan(actual))
		return INFINITY;
	if (isinf(expected) || isinf(actual))
		return actual == expected ? 0 : INFINITY;
	if (fabs(expected) < DBL_MIN)
		return fabs(actual) <= 2 * DBL_MIN ? 0 : INFINITY;
	return fabs(actual / expected - 1);
}

#endif /* CLV_TEST_ORACLE_H */
