/*
 * scan.h
 *		Reading the text forms of our own types, which are JSON, character by character.
 *
 * Values of a hundred thousand days or cells come this way, which jsonb would hold twice.
 */
#ifndef CLV_SCAN_H
#define CLV_SCAN_H

#include "clv.h"

/* Where a text is read; the type and, perhaps, a hint are for errors. */
typedef struct ClvScanner
{
	const char *type;
	const char *hint;
	const char *start;
	const char *at;
} ClvScanner;

/* An error that says what was expected, and where, and what is there. */
extern void pg_attribute_noreturn() clv_scan_error(const ClvScanner *scan, const char *expected);

/* The next character that is no white space; '\0' at the end. */
extern char clv_scan_peek(ClvScanner *scan);

/* Take the token if it comes next. */
extern bool clv_scan_accept(ClvScanner *scan, const char *token);

/* The same; an error where it does not. */
extern void clv_scan_expect(ClvScanner *scan, const char *token);

/* Step over a number as JSON writes it, and nothing else that numeric or strtod() would read; where
 * it begins. */
extern const char *clv_scan_number(ClvScanner *scan, const char *expected);

/* A whole number without exponent or fraction; expected (NULL: its range) is said where there is
 * none such. */
extern int64 clv_scan_whole(ClvScanner *scan, int64 least, int64 most, const char *expected);

/* Step over a list of lists, to come back to it later. */
extern void clv_scan_skip_list(ClvScanner *scan);

#endif /* CLV_SCAN_H */
