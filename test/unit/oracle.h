/*
 * oracle.h
 *		Reads the reference tables: CSV with a header line, tags quoted where they hold a comma.
 *
 * The tables lie beside the repository, or where the environment variable
 * CLV_SHARED points. Without them a test is skipped, but under CI it fails.
 */
#ifndef CLV_ORACLE_H
#define CLV_ORACLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORACLE_MAX_COLUMNS 32

typedef struct Oracle
{
	FILE	   *file;
	int			columns;
	char		header[1024];
	char		line[2048];
	char	   *names[ORACLE_MAX_COLUMNS];
	char	   *values[ORACLE_MAX_COLUMNS];
} Oracle;

/* Cut a line at its commas, in place. */
static inline int
oracle_split(char *line, char **fields)
{
	int			n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	for (char *s = line; s != NULL && n < ORACLE_MAX_COLUMNS; n++)
	{
		char	   *end;

		if (*s == '"')
		{
			end = strchr(++s, '"');
			assert_non_null(end);
			*end++ = '\0';
		}
		else
			end = s + strcspn(s, ",");
		fields[n] = s;
		s = *end == ',' ? end + 1 : NULL;
		*end = '\0';
	}
	return n;
}

/* Open oracles/name; does not return if it is not there. */
static inline void
oracle_open(Oracle *oracle, const char *name)
{
	const char *shared = getenv("CLV_SHARED");
	char		path[4096];

	snprintf(path, sizeof(path), "%s/oracles/%s", shared != NULL ? shared : "../shared", name);
	oracle->file = fopen(path, "r");
	if (oracle->file == NULL)
	{
		if (getenv("CI") != NULL)
			fail_msg("%s is not there (set CLV_SHARED)", path);
		print_message("%s is not there (set CLV_SHARED): skipped\n", path);
		skip();
	}
	assert_non_null(fgets(oracle->header, sizeof(oracle->header), oracle->file));
	oracle->columns = oracle_split(oracle->header, oracle->names);
}

/* The next row, or 0 at the end, where the file is closed. */
static inline int
oracle_next(Oracle *oracle)
{
	if (fgets(oracle->line, sizeof(oracle->line), oracle->file) == NULL)
	{
		fclose(oracle->file);
		return 0;
	}
	assert_int_equal(oracle_split(oracle->line, oracle->values), oracle->columns);
	return 1;
}

static inline const char *
oracle_text(const Oracle *oracle, const char *column)
{
	for (int i = 0; i < oracle->columns; i++)
		if (strcmp(oracle->names[i], column) == 0)
			return oracle->values[i];
	fail_msg("no column %s", column);
	return NULL;
}

/* Values below any double read as 0, or as the nearest denormal. */
static inline double
oracle_value(const Oracle *oracle, const char *column)
{
	return strtod(oracle_text(oracle, column), NULL);
}

/*
 * |actual / expected - 1|; infinities must agree, and what is below the normal
 * doubles counts as 0. NaN comes back as infinitely wrong.
 */
static inline double
relative_error(double actual, double expected)
{
	if (isnan(actual))
		return INFINITY;
	if (isinf(expected) || isinf(actual))
		return actual == expected ? 0 : INFINITY;
	if (fabs(expected) < 2.3e-308)
		return fabs(actual) < 2.3e-308 ? 0 : INFINITY;
	return fabs(actual / expected - 1);
}

#endif							/* CLV_ORACLE_H */
