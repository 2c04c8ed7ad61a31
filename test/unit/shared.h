/*
 * shared.h
 *		Reference data outside the tree.
 *
 * Files are looked for under $CLV_SHARED, by default ../shared. Where they are
 * absent a test is skipped with a message; where CLV_COMPLETE is set, it fails.
 */
#ifndef CLV_TEST_SHARED_H
#define CLV_TEST_SHARED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Opens a file of the reference data; NULL, which skips the test, where it is not there. */
static inline FILE *
OpenShared(const char *name)
{
	const char *root = getenv("CLV_SHARED");
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root != NULL ? root : "../shared", name);
	file = fopen(path, "r");
	if (file == NULL && getenv("CLV_COMPLETE") != NULL)
	{
		fprintf(stderr, "%s is missing, and CLV_COMPLETE is set\n", path);
		exit(1);
	}
	if (file == NULL)
		fprintf(stderr, "# skipped: %s is not there\n", path);
	return file;
}

/*
 * The next line of a CSV file, cut in place into at most max fields; quotes
 * protect commas and stay. Returns the number of fields, 0 at the end.
 */
static inline int
ReadFields(FILE *file, char *line, int size, char **fields, int max)
{
	int n = 0;
	int quoted = 0;

	if (fgets(line, size, file) == NULL)
		return 0;
	line[strcspn(line, "\r\n")] = '\0';
	fields[n++] = line;
	for (char *c = line; *c != '\0' && n < max; c++)
	{
		quoted ^= *c == '"';
		if (*c == ',' && !quoted)
		{
			*c = '\0';
			fields[n++] = c + 1;
		}
	}
	return n;
}

#endif /* CLV_TEST_SHARED_H */
