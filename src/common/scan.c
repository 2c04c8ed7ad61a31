/*
 * scan.c
 *		Reading the text forms of our own types, which are JSON, character by character.
 */
#include "common/scan.h"

#include "mb/pg_wchar.h"

/* How much of the input, and of what follows, an error shows. */
#define SHOWN_START 60
#define SHOWN_REST 20

void
clv_scan_error(const ClvScanner *scan, const char *expected)
{
	const char *whole = scan->start;
	int length = pg_mbcliplen(whole, strlen(whole), SHOWN_START);
	int rest = pg_mbcliplen(scan->at, strlen(scan->at), SHOWN_REST);

	ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid input syntax for type %s: \"%.*s%s\"", scan->type, length,
						   whole, whole[length] == '\0' ? "" : "..."),
					*scan->at == '\0'
						? errdetail("Expected %s, but the input ends.", expected)
						: errdetail("Expected %s at character %zu, found \"%.*s\".", expected,
									(size_t) (scan->at - whole) + 1, rest, scan->at),
					scan->hint == NULL ? 0 : errhint("%s", scan->hint)));
}

char
clv_scan_peek(ClvScanner *scan)
{
	while (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r')
		scan->at++;
	return *scan->at;
}

bool
clv_scan_accept(ClvScanner *scan, const char *token)
{
	size_t length = strlen(token);

	clv_scan_peek(scan);
	if (strncmp(scan->at, token, length) != 0)
		return false;
	scan->at += length;
	return true;
}

void
clv_scan_expect(ClvScanner *scan, const char *token)
{
	if (!clv_scan_accept(scan, token))
		clv_scan_error(scan, token[0] == '"' ? token : psprintf("\"%s\"", token));
}

/* Step over digits; false where there are none. */
static bool
SkipDigits(const char **at)
{
	const char *begin = *at;

	while (**at >= '0' && **at <= '9')
		(*at)++;
	return *at > begin;
}

const char *
clv_scan_number(ClvScanner *scan, const char *expected)
{
	const char *begin;
	const char *at;

	clv_scan_peek(scan);
	begin = at = scan->at;
	if (*at == '-')
		at++;
	if (!SkipDigits(&at))
		clv_scan_error(scan, expected);
	if (*at == '.' && (at++, !SkipDigits(&at)))
		clv_scan_error(scan, expected);
	if (*at == 'e' || *at == 'E')
	{
		at++;
		if (*at == '+' || *at == '-')
			at++;
		if (!SkipDigits(&at))
			clv_scan_error(scan, expected);
	}
	scan->at = at;
	return begin;
}

int64
clv_scan_whole(ClvScanner *scan, int64 least, int64 most, const char *expected)
{
	const char *digits;
	char *end;
	long long value;

	clv_scan_peek(scan);
	digits = scan->at + (*scan->at == '-');
	errno = 0;
	value = strtoll(scan->at, &end, 10);
	if (*digits < '0' || *digits > '9' || errno != 0 || value < least || value > most)
		clv_scan_error(scan, expected != NULL ? expected
											  : psprintf("a whole number between " INT64_FORMAT
														 " and " INT64_FORMAT,
														 least, most));
	scan->at = end;
	return value;
}

void
clv_scan_skip_list(ClvScanner *scan)
{
	int depth = 0;

	if (clv_scan_peek(scan) != '[')
		clv_scan_error(scan, "a list");
	do
	{
		depth += (*scan->at == '[') - (*scan->at == ']');
		if (*scan->at == '\0')
			clv_scan_error(scan, "a list that ends");
		scan->at++;
	} while (depth > 0);
}
