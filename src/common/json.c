/*
 * json.c
 *		Reading the members of JSON objects one after the other.
 *
 * Reading goes through jsonb, whose numbers keep every digit. An unknown member is an
 * error: a misspelt one would otherwise change the meaning of a value unnoticed.
 */
#include "common/json.h"

#include <math.h>

#include "utils/builtins.h"

void
clv_json_bad(const char *object, const char *key, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" of %s must be %s", key, object, what)));
}

void
clv_json_missing(const char *object, const char *key)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" of %s is missing", key, object)));
}

void
clv_json_wrong(const ClvMember *member, const char *what)
{
	clv_json_bad(member->object, member->key, what);
}

void
clv_json_unknown(const ClvMember *member, const char *known)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("unknown member \"%s\" of %s", member->key, member->object),
					errhint("Known are: %s.", known)));
}

void
clv_json_open(ClvMember *member, JsonbContainer *container, const char *object)
{
	member->object = object;
	member->array = NULL;
	member->it = JsonbIteratorInit(container);
	if (!JsonContainerIsObject(container))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be a JSON object", object)));
	(void) JsonbIteratorNext(&member->it, &member->value, true);
}

void
clv_json_open_at(ClvMember *member, JsonbContainer *array, int i, const char *object)
{
	const JsonbValue *value = getIthJsonbValueFromContainer(array, i);

	if (value == NULL || value->type != jbvBinary)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be a JSON object", object)));
	clv_json_open(member, value->val.binary.data, object);
}

bool
clv_json_next(ClvMember *member)
{
	if (JsonbIteratorNext(&member->it, &member->value, true) != WJB_KEY)
		return false;
	member->key = pnstrdup(member->value.val.string.val, member->value.val.string.len);
	(void) JsonbIteratorNext(&member->it, &member->value, true);
	return true;
}

/* Whether the member has this key. */
bool
clv_json_is(const ClvMember *member, const char *key)
{
	return strcmp(member->key, key) == 0;
}

/* Whether the value of the member is null. */
bool
clv_json_is_null(const ClvMember *member)
{
	return member->value.type == jbvNull;
}

bool
clv_json_is_array(const ClvMember *member)
{
	return member->value.type == jbvBinary && JsonContainerIsArray(member->value.val.binary.data);
}

bool
clv_json_is_object(const ClvMember *member)
{
	return member->value.type == jbvBinary && JsonContainerIsObject(member->value.val.binary.data);
}

/* The type that an error asks for: this one, or, of an element, that of its array. */
static const char *
What(const ClvMember *member, const char *what)
{
	return member->array != NULL ? member->array : what;
}

/* A copy of the string; an error that names the member, and says what it must be, where the value
 * is not one. */
static char *
String(const ClvMember *member, const char *what)
{
	if (member->value.type != jbvString)
		clv_json_wrong(member, What(member, what));
	return pnstrdup(member->value.val.string.val, member->value.val.string.len);
}

/* The value as a string; an error that names the member where it is not one. */
char *
clv_json_string(const ClvMember *member)
{
	return String(member, "a string");
}

/* The value as a boolean; an error that names the member where it is not one. */
bool
clv_json_bool(const ClvMember *member)
{
	if (member->value.type != jbvBool)
		clv_json_wrong(member, What(member, "true or false"));
	return member->value.val.boolean;
}

double
clv_json_number(const ClvMember *member)
{
	double number;

	if (member->value.type != jbvNumeric)
		clv_json_wrong(member, What(member, "a number"));
	number = clv_numeric_double(member->value.val.numeric);
	if (!isfinite(number))
		clv_json_wrong(member,
					   psprintf("%s that double precision can hold", What(member, "a number")));
	return number;
}

int64
clv_json_whole(const ClvMember *member, int64 least, int64 most)
{
	int64 whole;

	if (member->value.type != jbvNumeric ||
		!clv_whole_number(NumericGetDatum(member->value.val.numeric), least, most, &whole))
		clv_json_wrong(
			member, What(member, psprintf("a whole number from " INT64_FORMAT " to " INT64_FORMAT,
										  least, most)));
	return whole;
}

DateADT
clv_json_date(const ClvMember *member)
{
	static const char what[] = "a date like 1997-09-30";
	const char *text = String(member, what);

	if (!clv_is_date_text(text))
		clv_json_wrong(member, psprintf("%s, not \"%s\"", what, text));
	return DatumGetDateADT(DirectFunctionCall1(date_in, CStringGetDatum(text)));
}

Interval
clv_json_interval(const ClvMember *member)
{
	char *text = clv_json_string(member);

	if (strspn(text, "0123456789. ") == strlen(text))
		clv_json_wrong(member, "an interval with its unit, like 7 days");
	if (strchr(text, '-') != NULL)
		clv_json_wrong(
			member, psprintf("an interval without negative parts, like 7 days, not \"%s\"", text));
	return *DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
												  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

JsonbContainer *
clv_json_container(const ClvMember *member, const char *what)
{
	if (member->value.type != jbvBinary)
		clv_json_wrong(member, what);
	return member->value.val.binary.data;
}

int
clv_json_length(const ClvMember *member, const char *what)
{
	if (!clv_json_is_array(member))
		clv_json_wrong(member, What(member, what));
	return (int) JsonContainerSize(member->value.val.binary.data);
}

ClvMember
clv_json_element(const ClvMember *member, int i, const char *what)
{
	ClvMember element = *member;

	element.array = what;
	element.value = *getIthJsonbValueFromContainer(member->value.val.binary.data, i);
	return element;
}

void
clv_json_triangle(const ClvMember *member, int n, const char *what, double *triangle)
{
	if (clv_json_length(member, what) != n)
		clv_json_wrong(member, what);
	for (int i = 0; i < n; i++)
	{
		ClvMember row = clv_json_element(member, i, what);

		if (clv_json_length(&row, what) != i + 1)
			clv_json_wrong(member, what);
		for (int j = 0; j <= i; j++)
		{
			ClvMember cell = clv_json_element(&row, j, what);

			*triangle++ = clv_json_number(&cell);
		}
	}
}
