/*
 * json.h
 *		Reading the members of JSON objects one after the other, with errors that name them.
 */
#ifndef CLV_JSON_H
#define CLV_JSON_H

#include "clv.h"

#include "utils/jsonb.h"
#include "utils/numeric.h"

/* A member of an object, or an element of a member that is an array. */
typedef struct ClvMember
{
	JsonbIterator *it;
	const char *object; /* what it is a member of, for messages: "a model" */
	const char *array;  /* what the member must be, where this is an element of it; else NULL */
	char *key;
	JsonbValue value;
} ClvMember;

/* Begin to read an object; an error where the container is none. */
extern void clv_json_open(ClvMember *member, JsonbContainer *container, const char *object);

/* Begin to read the object at place i of an array; an error where it is none. */
extern void clv_json_open_at(ClvMember *member, JsonbContainer *array, int i, const char *object);

/* Go on to the next member; false after the last. */
extern bool clv_json_next(ClvMember *member);

extern bool clv_json_is(const ClvMember *member, const char *key);
extern bool clv_json_is_null(const ClvMember *member);

/* Whether the value is an array, or an object. */
extern bool clv_json_is_array(const ClvMember *member);
extern bool clv_json_is_object(const ClvMember *member);

/* Errors: the member must be something else; there is no such member, but those. */
extern void pg_attribute_noreturn() clv_json_wrong(const ClvMember *member, const char *what);
extern void pg_attribute_noreturn() clv_json_unknown(const ClvMember *member, const char *known);

/* The same errors of an object's member that was not found, or read before: it must be something
 * else; it is missing. */
extern void pg_attribute_noreturn()
	clv_json_bad(const char *object, const char *key, const char *what);
extern void pg_attribute_noreturn() clv_json_missing(const char *object, const char *key);

/*
 * ---- the value of a member, or an error that says what it, or the array it is in, must be;
 * strings are palloc'd ----
 */

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

/* The number of elements of an array; an error where it is none; what: "an array of names". */
extern int clv_json_length(const ClvMember *member, const char *what);

/* Element i of such an array, whose value is read as that of a member. */
extern ClvMember clv_json_element(const ClvMember *member, int i, const char *what);

/*
 * The lower triangle of an n x n matrix, row by row: an array of n arrays, of 1 to n numbers; an
 * error where it is none; what: "the lower triangle of ...".
 */
extern void clv_json_triangle(const ClvMember *member, int n, const char *what, double *triangle);

#endif /* CLV_JSON_H */
