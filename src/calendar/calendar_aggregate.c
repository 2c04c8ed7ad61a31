/*
 * calendar_aggregate.c
 *		The aggregate clv_calendar(since, values, names): rows to a calendar.
 *
 * The state holds the rows as they came. They are sorted by their days in the end, which differ,
 * so that their order makes no difference.
 */
#include "calendar/calendar.h"

#include "catalog/pg_type.h"
#include "common/arguments.h"
#include "libpq/pqformat.h"
#include "utils/datetime.h"
#include "utils/builtins.h"

#define AGGREGATE "clv_calendar()"
#define STATE_TAG 0x63616c65
#define ROWS_AT_FIRST 64

/* The state of the aggregate; parts.nsteps is the number of rows so far. */
typedef struct CalendarState
{
	uint32 tag; /* STATE_TAG */
	MemoryContext context;
	int size; /* rows there is room for */
	ClvCalendarParts parts;
} CalendarState;

/* An empty state in the context. */
static CalendarState *
NewState(MemoryContext context)
{
	CalendarState *state = MemoryContextAllocZero(context, sizeof(CalendarState));

	state->tag = STATE_TAG;
	state->context = context;
	return state;
}

/* The state in an argument, NULL where there is none yet; an error for the state of another
 * aggregate. */
static CalendarState *
StateArgument(FunctionCallInfo fcinfo, int arg)
{
	return clv_state_argument(fcinfo, arg, STATE_TAG, AGGREGATE);
}

/* Raises the error of a NULL in a row. */
static pg_attribute_noreturn() void NullInRow(const char *what, const char *day)
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("%s of a calendar must not be NULL", what),
					day == NULL ? 0 : errdetail("The row is that of %s.", day)));
}

/* Raises an error where an array has more than one dimension. */
static void
CheckDimensions(const char *what, const char *day, const ArrayType *array)
{
	if (ARR_NDIM(array) > 1)
		ereport(
			ERROR,
			(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
			 errmsg("%s of a calendar must be an array of one dimension, not of %d", what,
					ARR_NDIM(array)),
			 day == NULL ? 0 : errdetail("The row is that of %s.", day),
			 errhint("A row of a calendar is one step: its values in the order of its names.")));
}

/* ---- rows ---- */

/* The names in argument 3; an error where one is NULL. */
static void
NamesArgument(FunctionCallInfo fcinfo, const char *day, ClvCalendarParts *names)
{
	ArrayType *array;
	Datum *name;
	bool *nulls;
	int n;

	names->nnames = 0;
	if (PG_ARGISNULL(3))
		NullInRow("names", day);
	array = PG_GETARG_ARRAYTYPE_P(3);
	CheckDimensions("names", day, array);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &name, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			NullInRow("a name", day);
		clv_calendar_add_name(names, TextDatumGetCString(name[i]));
	}
	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a calendar needs at least one name"),
						errdetail("The row is that of %s.", day)));
}

/* Takes the names of a row, which must be those of the rows before it. */
static void
TakeNames(CalendarState *state, const ClvCalendarParts *names, DateADT day)
{
	MemoryContext caller;

	if (state->parts.nnames > 0)
	{
		clv_calendar_same_names(&state->parts, names, day);
		return;
	}
	caller = MemoryContextSwitchTo(state->context);
	for (int i = 0; i < names->nnames; i++)
		clv_calendar_add_name(&state->parts, names->name[i]);
	MemoryContextSwitchTo(caller);
}

/* Makes room for one more row. */
static void
Reserve(CalendarState *state)
{
	ClvCalendarParts *parts = &state->parts;
	Size size = Max(ROWS_AT_FIRST, state->size * 2);

	if (parts->nsteps >= CLV_CALENDAR_STEPS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a calendar has at most %d rows", CLV_CALENDAR_STEPS),
						errhint("Give rows only for days on which a value changes.")));
	if (parts->nsteps < state->size)
		return;
	if (parts->since == NULL)
	{
		parts->since = MemoryContextAlloc(state->context, size * sizeof(DateADT));
		parts->values = MemoryContextAlloc(state->context, size * parts->nnames * sizeof(double));
	}
	else
	{
		parts->since = repalloc(parts->since, size * sizeof(DateADT));
		parts->values = repalloc(parts->values, size * parts->nnames * sizeof(double));
	}
	state->size = (int) size;
}

/* Adds a row, whose values are as many as there are names. */
static void
AddRow(CalendarState *state, DateADT day, const double *values)
{
	ClvCalendarParts *parts = &state->parts;

	Reserve(state);
	for (int i = 0; i < parts->nnames; i++)
		clv_calendar_check_value(parts, i, day, values[i]);
	parts->since[parts->nsteps] = day;
	memcpy(parts->values + (Size) parts->nsteps * parts->nnames, values,
		   parts->nnames * sizeof(double));
	parts->nsteps++;
}

/* Adds the end of the calendar; an error where there is one already. */
static void
AddEnd(CalendarState *state, DateADT day)
{
	char date[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	if (state->parts.has_end)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("two rows of a calendar have no values: %s and %s",
						clv_date_text(Min(state->parts.end, day), date),
						clv_date_text(Max(state->parts.end, day), other)),
				 errhint("A row without values (NULL) ends a calendar: there is one, after all "
						 "others.")));
	state->parts.has_end = true;
	state->parts.end = day;
}

/* Sets values to those in argument 2; an error unless they are as many as the names. */
static void
ValuesArgument(FunctionCallInfo fcinfo, const char *day, const ClvCalendarParts *names,
			   double *values)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(2);
	Datum *value;
	bool *nulls;
	int n;

	CheckDimensions("values", day, array);
	deconstruct_array(array, FLOAT8OID, sizeof(double), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &value,
					  &nulls, &n);
	if (n != names->nnames)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("a row of a calendar needs a value for each name"),
						errdetail("Names on %s: %d, values: %d.", day, names->nnames, n)));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			NullInRow(psprintf("\"%s\"", names->name[i]), day);
		values[i] = DatumGetFloat8(value[i]);
	}
}

/* ---- SQL ---- */

/* Transition of clv_calendar(since, values, names): adds a row, or where values is NULL the end. */
PG_FUNCTION_INFO_V1(clv_calendar_add);
Datum
clv_calendar_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	CalendarState *state = StateArgument(fcinfo, 0);
	ClvCalendarParts names;
	double values[CLV_CALENDAR_NAMES];
	char date[MAXDATELEN + 1];
	DateADT day;

	if (PG_ARGISNULL(1))
		NullInRow("the first day of a step", NULL);
	day = PG_GETARG_DATEADT(1);
	clv_check_date("since", day);
	clv_date_text(day, date);
	if (state == NULL)
		state = NewState(context);
	if (!PG_ARGISNULL(2) || !PG_ARGISNULL(3))
	{
		NamesArgument(fcinfo, date, &names);
		TakeNames(state, &names, day);
	}
	if (PG_ARGISNULL(2))
		AddEnd(state, day);
	else
	{
		ValuesArgument(fcinfo, date, &names, values);
		AddRow(state, day, values);
	}
	PG_RETURN_POINTER(state);
}

/* clv_calendar_combine(state, state) -> state: the rows of both. */
PG_FUNCTION_INFO_V1(clv_calendar_combine);
Datum
clv_calendar_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	CalendarState *state = StateArgument(fcinfo, 0);
	CalendarState *other = StateArgument(fcinfo, 1);

	if (other == NULL)
		return clv_same_state(fcinfo);
	if (state == NULL)
		state = NewState(context);
	if (other->parts.nnames > 0)
		TakeNames(state, &other->parts,
				  other->parts.nsteps > 0 ? other->parts.since[0] : other->parts.end);
	for (int i = 0; i < other->parts.nsteps; i++)
		AddRow(state, other->parts.since[i], other->parts.values + (Size) i * other->parts.nnames);
	if (other->parts.has_end)
		AddEnd(state, other->parts.end);
	PG_RETURN_POINTER(state);
}

/* clv_calendar_serialize(state) -> bytea: the names, the end, the rows as they came. */
PG_FUNCTION_INFO_V1(clv_calendar_serialize);
Datum
clv_calendar_serialize(PG_FUNCTION_ARGS)
{
	const ClvCalendarParts *parts = &StateArgument(fcinfo, 0)->parts;
	StringInfoData out;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	pq_begintypsend(&out);
	pq_sendint32(&out, parts->nnames);
	for (int i = 0; i < parts->nnames; i++)
		pq_sendbytes(&out, parts->name[i], strlen(parts->name[i]) + 1);
	pq_sendbyte(&out, parts->has_end);
	pq_sendint32(&out, parts->end);
	pq_sendint32(&out, parts->nsteps);
	for (int i = 0; i < parts->nsteps; i++)
	{
		pq_sendint32(&out, parts->since[i]);
		for (int j = 0; j < parts->nnames; j++)
			pq_sendfloat8(&out, parts->values[i * parts->nnames + j]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* clv_calendar_deserialize(bytea, internal) -> state: the inverse; every byte is checked. */
PG_FUNCTION_INFO_V1(clv_calendar_deserialize);
Datum
clv_calendar_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData in = clv_bytes_of(PG_GETARG_BYTEA_PP(0));
	CalendarState *state;
	int n;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	state = NewState(CurrentMemoryContext);
	n = (int) pq_getmsgint(&in, 4);
	for (int i = 0; i < n; i++)
		clv_calendar_add_name(&state->parts, pq_getmsgrawstring(&in));
	state->parts.has_end = pq_getmsgbyte(&in) != 0;
	state->parts.end = (DateADT) pq_getmsgint(&in, 4);
	n = (int) pq_getmsgint(&in, 4);
	for (int i = 0; i < n; i++)
	{
		DateADT day = (DateADT) pq_getmsgint(&in, 4);
		double values[CLV_CALENDAR_NAMES];

		clv_check_date("since", day);
		for (int j = 0; j < state->parts.nnames; j++)
			values[j] = pq_getmsgfloat8(&in);
		AddRow(state, day, values);
	}
	pq_getmsgend(&in);
	PG_RETURN_POINTER(state);
}

/* Orders rows by their days, for qsort_arg(). */
static int
CompareRows(const void *a, const void *b, void *parts)
{
	DateADT day = ((const ClvCalendarParts *) parts)->since[*(const int *) a];
	DateADT other = ((const ClvCalendarParts *) parts)->since[*(const int *) b];

	return (day > other) - (day < other);
}

/* Sets *sorted to the rows in the order of their days, in memory of their own. */
static void
Sort(ClvCalendarParts *parts, ClvCalendarParts *sorted)
{
	int n = parts->nsteps;
	int width = parts->nnames;
	int *order = palloc(n * sizeof(int));

	for (int i = 0; i < n; i++)
		order[i] = i;
	qsort_arg(order, n, sizeof(int), CompareRows, parts);
	*sorted = *parts;
	sorted->since = palloc(n * sizeof(DateADT));
	sorted->values = palloc((Size) n * width * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		sorted->since[i] = parts->since[order[i]];
		memcpy(sorted->values + (Size) i * width, parts->values + (Size) order[i] * width,
			   width * sizeof(double));
	}
}

/* The calendar of the rows, NULL where there are none. The state stays as it is: in a window it
 * goes on growing. */
PG_FUNCTION_INFO_V1(clv_calendar_final);
Datum
clv_calendar_final(PG_FUNCTION_ARGS)
{
	CalendarState *state = StateArgument(fcinfo, 0);
	ClvCalendarParts sorted;
	char date[MAXDATELEN + 1];

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	if (state == NULL)
		PG_RETURN_NULL();
	if (state->parts.nsteps == 0)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("a calendar needs a row with values before its end on %s",
							   clv_date_text(state->parts.end, date))));
	Sort(&state->parts, &sorted);
	clv_calendar_measure(&sorted);
	PG_RETURN_CLV_CALENDAR_P(clv_calendar_pack(&sorted));
}
