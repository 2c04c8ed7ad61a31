/*
 * histories_columns.c
 *		The columns of a query that clv_histories reads.
 */
#include "clv.h"

#include "history/day_of_time.h"
#include "history/histories_private.h"
#include "history/state.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The day of a timestamp or timestamptz, in UTC; infinity is an error. */
static DateADT
DayOfTimestamp(Datum time)
{
	return clv_day_of_timestamp(DatumGetTimestamp(time));
}

/* The day of a date; infinity is an error. */
static DateADT
DayOfDate(Datum time)
{
	return clv_day_of_date(DatumGetDateADT(time));
}

/* The amount of a column of type double precision. */
static void
DecimalFromDouble(Datum amount, ClvDecimal *decimal)
{
	clv_decimal_from_double(DatumGetFloat8(amount), decimal);
}

/* The amount of a column of type real. */
static void
DecimalFromReal(Datum amount, ClvDecimal *decimal)
{
	clv_decimal_from_real(DatumGetFloat4(amount), decimal);
}

/* The amount of a column of type bigint. */
static void
DecimalFromBigint(Datum amount, ClvDecimal *decimal)
{
	clv_decimal_from_integer(DatumGetInt64(amount), decimal);
}

/* The amount of a column of type integer. */
static void
DecimalFromInteger(Datum amount, ClvDecimal *decimal)
{
	clv_decimal_from_integer(DatumGetInt32(amount), decimal);
}

/* The amount of a column of type smallint. */
static void
DecimalFromSmallint(Datum amount, ClvDecimal *decimal)
{
	clv_decimal_from_integer(DatumGetInt16(amount), decimal);
}

static const struct
{
	Oid type;
	DateADT (*day)(Datum time);
} times[] = {
	{TIMESTAMPTZOID, DayOfTimestamp}, {TIMESTAMPOID, DayOfTimestamp}, {DATEOID, DayOfDate}};

static const struct
{
	Oid type;
	void (*amount)(Datum amount, ClvDecimal *decimal);
} amounts[] = {{NUMERICOID, clv_decimal_from_numeric}, {FLOAT8OID, DecimalFromDouble},
			   {FLOAT4OID, DecimalFromReal},           {INT8OID, DecimalFromBigint},
			   {INT4OID, DecimalFromInteger},          {INT2OID, DecimalFromSmallint}};

/* Raises the error of a column whose type is not what is needed there; example: a type to cast it
 * to. */
static void
pg_attribute_noreturn() WrongColumn(Form_pg_attribute column, const char *what, const char *example)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of the query is of type %s, not %s", NameStr(column->attname),
					format_type_with_typemod(column->atttypid, column->atttypmod), what),
			 errhint("Cast it in the query: %s::%s.", quote_identifier(NameStr(column->attname)),
					 example)));
}

/* Add a column to those that identify a customer; an error where its type cannot be hashed. */
static void
FindKey(ClvQueryColumns *columns, Form_pg_attribute column)
{
	if (!clv_key_add_column(&columns->key, column))
		WrongColumn(column, "one that can be hashed", "text");
}

/* Take the column as the time of purchases; an error unless it is a timestamp, timestamptz or date.
 */
static void
FindTime(ClvQueryColumns *columns, Form_pg_attribute column)
{
	Oid type = getBaseType(column->atttypid);

	for (size_t i = 0; i < lengthof(times); i++)
		if (times[i].type == type)
			columns->day = times[i].day;
	if (columns->day == NULL)
		WrongColumn(column, "a time", "timestamptz");
}

/* Take the column as the amounts; an error unless it is a number. */
static void
FindAmount(ClvQueryColumns *columns, Form_pg_attribute column)
{
	Oid type = getBaseType(column->atttypid);

	for (size_t i = 0; i < lengthof(amounts); i++)
		if (amounts[i].type == type)
			columns->amount = amounts[i].amount;
	if (columns->amount == NULL)
		WrongColumn(column, "a number", "numeric");
}

/* The definition that a query with these columns asks for. */
static char *
Definition(TupleDesc query, int keys)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < keys; i++)
	{
		Form_pg_attribute column = TupleDescAttr(query, i);

		appendStringInfo(&text, "%s %s, ", quote_identifier(NameStr(column->attname)),
						 format_type_with_typemod(column->atttypid, column->atttypmod));
	}
	appendStringInfoString(&text, "history clv_history");
	return text.data;
}

/* Columns of a key have the same type on both sides, and the result claims no fewer digits. */
static void
CheckDefinition(TupleDesc result, TupleDesc query, int keys)
{
	for (int i = 0; i < keys; i++)
	{
		Form_pg_attribute column = TupleDescAttr(query, i);
		Form_pg_attribute defined = TupleDescAttr(result, i);

		if (column->atttypid != defined->atttypid ||
			(defined->atttypmod != -1 && defined->atttypmod != column->atttypmod))
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							errmsg("column \"%s\" is of type %s in the query, not %s",
								   NameStr(column->attname),
								   format_type_with_typemod(column->atttypid, column->atttypmod),
								   format_type_with_typemod(defined->atttypid, defined->atttypmod)),
							errhint("Write AS (%s).", Definition(query, keys))));
	}
}

/* Raises the error of a query with too few or too many columns for a result with so many keys. */
static void
pg_attribute_noreturn() WrongNumberOfColumns(int columns, int keys)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_DATATYPE_MISMATCH),
		 errmsg("the number of columns of the query is %d, not %d or %d", columns, keys + 1,
				keys + 2),
		 errdetail("The columns that identify a customer come first, as in the result; then the "
				   "time and, optionally, the amount."),
		 errhint("Write SELECT customer_id, ordered_at, amount FROM ... and "
				 "AS (customer_id integer, history clv_history).")));
}

void
clv_query_columns(ClvQueryColumns *columns, TupleDesc query, int keys)
{
	memset(columns, 0, sizeof(ClvQueryColumns));
	for (int i = 0; i < keys; i++)
		FindKey(columns, TupleDescAttr(query, i));
	FindTime(columns, TupleDescAttr(query, keys));
	if (query->natts > keys + 1)
		FindAmount(columns, TupleDescAttr(query, keys + 1));
}

void
clv_query_columns_checked(ClvQueryColumns *columns, TupleDesc query, TupleDesc result)
{
	int keys = result->natts - 1;

	if (query->natts != keys + 1 && query->natts != keys + 2)
		WrongNumberOfColumns(query->natts, keys);
	CheckDefinition(result, query, keys);
	clv_query_columns(columns, query, keys);
}
