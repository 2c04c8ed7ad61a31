/*
 * json.h
 *		Reading the members of JSON objects one after the other, with errors that name them.
 */
#ifndef CLV_JSON_H
#define CLV_JSON_H

#include "clv.h"

#include "utils/jsonb.h"
#include "utils/numeric.h"

/* A member of an object. */
typedef struct ClvMember
{
	JsonbIterator *it;
	const char *object; /* what it is a member of, for messages: "a model" */
	char *key;
	JsonbValue value;
} ClvMember;

/* The double next to a number; infinite where it holds none, rather than an error with a thousand
 * digits. */
extern double clv_json_double(Numeric number);

/* Begin to read an object; an error where the container is none. */
extern void clv_json_open(ClvMember *member, JsonbContainer *container, const char *object);

/* Go on to the next member; false after the last. */
extern bool clv_json_next(ClvMember *member);

extern bool clv_json_is(const ClvMember *member, const char *key);
extern bool clv_json_is_null(const ClvMember *member);

/* Errors: the member must be something else; there is no such member, but those. */
extern void pg_attribute_noreturn() clv_json_wrong(const ClvMember *member, const char *what);
extern void pg_attribute_noreturn() clv_json_unknown(const ClvMember *member, const char *known);

/* ---- the value of a member, or an error that says what it must be; strings are palloc'd ---- */

extern char *clv_json_string(const ClvMember *member);
extern bool clv_json_bool(const ClvMember *member);

/* A finite number. */
extern double clv_json_number(const ClvMember *member);
extern int64 clv_json_whole(const ClvMember *member, int64 least, int64 most);

/* A day as clv_date_text() writes it. */
extern DateADT clv_json_date(const ClvMember *member);

/* An interval with a unit, and without minus signs: what they reach depends on IntervalStyle. */
extern Interval clv_json_interval(const ClvMember *member);

/* The object or array behind it; what: "an object". */
extern JsonbContainer *clv_json_container(const ClvMember *member, const char *what);

/* The same, which must be an array; what: "an array of names". */
extern JsonbContainer *clv_json_array(const ClvMember *member, const char *what);

/* An element of such an array that must be a string, or a finite number. */
extern char *clv_json_string_at(const ClvMember *member, JsonbContainer *array, int i,
								const char *what);
extern double clv_json_number_at(const ClvMember *member, JsonbContainer *array, int i,
								 const char *what);

#endif /* CLV_JSON_H */
