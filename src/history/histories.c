/*
 * histories.c
 *		clv_histories: the histories of all customers in the rows of a query.
 *
 * The same as GROUP BY and the aggregate, in two steps: the rows are put aside by
 * the hash of their customer, and then the histories are made a partition at a
 * time (partitions.c says what that is good for). The query runs in the executor
 * like any other, with the rights of the caller; its rows come to a receiver.
 * Whether two rows are of one customer is asked of the types, as GROUP BY does.
 */
#include "clv.h"

#include "history/day_of_time.h"
#include "history/key.h"
#include "history/partitions.h"
#include "history/state.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

/* A row put aside. Behind its key comes the text of an amount that is too large for units. */
typedef struct Row
{
	ClvRecord record;
	int64 units;
	DateADT day;
	int8 scale;
	bool timed : 1; /* the time is known */
	bool known : 1; /* the amount is known */
	bool bought : 1;
	bool wide : 1; /* the amount is a text */
	ClvKey key;
} Row;

/* The receiver of the query's rows: what its columns mean, and the partitions that rows are put
 * into. */
typedef struct Gathering
{
	DestReceiver receiver; /* first, as the executor knows nothing else */
	TupleDesc result;      /* the columns of the key and the history */
	ClvKeyType key;
	DateADT (*day)(Datum time);
	void (*amount)(Datum amount, ClvDecimal *decimal); /* NULL: without money */
	MemoryContext scratch;                             /* of one row */
	ClvPartitions *partitions;
} Gathering;

/* ---- the columns of the query ---- */

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
FindKey(Gathering *gathering, Form_pg_attribute column)
{
	if (!clv_key_add_column(&gathering->key, column))
		WrongColumn(column, "one that can be hashed", "text");
}

/* Take the column as the time of purchases; an error unless it is a timestamp, timestamptz or date.
 */
static void
FindTime(Gathering *gathering, Form_pg_attribute column)
{
	Oid type = getBaseType(column->atttypid);

	for (size_t i = 0; i < lengthof(times); i++)
		if (times[i].type == type)
			gathering->day = times[i].day;
	if (gathering->day == NULL)
		WrongColumn(column, "a time", "timestamptz");
}

/* Take the column as the amounts; an error unless it is a number. */
static void
FindAmount(Gathering *gathering, Form_pg_attribute column)
{
	Oid type = getBaseType(column->atttypid);

	for (size_t i = 0; i < lengthof(amounts); i++)
		if (amounts[i].type == type)
			gathering->amount = amounts[i].amount;
	if (gathering->amount == NULL)
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

/* Called with the columns of the query before its first row. */
static void
StartGathering(DestReceiver *receiver, int operation, TupleDesc query)
{
	Gathering *gathering = (Gathering *) receiver;
	int keys = gathering->result->natts - 1;

	if (gathering->day != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("query must be one statement"),
				 errhint("Combine several queries with UNION ALL.")));
	if (query->natts != keys + 1 && query->natts != keys + 2)
		WrongNumberOfColumns(query->natts, keys);
	CheckDefinition(gathering->result, query, keys);
	for (int i = 0; i < keys; i++)
		FindKey(gathering, TupleDescAttr(query, i));
	FindTime(gathering, TupleDescAttr(query, keys));
	if (query->natts > keys + 1)
		FindAmount(gathering, TupleDescAttr(query, keys + 1));
}

/* ---- rows, as they come ---- */

/* Put a row aside. amount: NULL where it is not known. */
static void
PutRow(Gathering *gathering, const Datum *values, const bool *nulls, const ClvDecimal *amount)
{
	const ClvKeyType *type = &gathering->key;
	Size size = add_size(offsetof(Row, key), clv_key_size(type, values, nulls));
	Size text_size = amount != NULL && amount->text != NULL ? strlen(amount->text) + 1 : 0;
	Size whole = add_size(size, text_size);
	bool timed = !nulls[type->columns];
	DateADT day = timed ? gathering->day(values[type->columns]) : 0;
	Row *row;

	StaticAssertStmt(offsetof(Row, key) == MAXALIGN(offsetof(Row, key)), "the key is aligned");
	if (whole > CLV_MAX_RECORD_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("columns that identify a customer are too large: %zu bytes", whole),
				 errdetail("The columns before the time must be smaller than %zu bytes together.",
						   (Size) CLV_MAX_RECORD_SIZE),
				 errhint("Use a hash of them, such as md5(column).")));
	row =
		(Row *) clv_partitions_add(gathering->partitions, clv_key_hash(type, values, nulls), whole);
	/* gaps between the fields too, as rows may go to a file */
	memset(&row->units, 0, offsetof(Row, key) - offsetof(Row, units));
	row->units = amount != NULL ? amount->units : 0;
	row->day = day;
	row->scale = amount != NULL ? amount->scale : 0;
	row->timed = timed;
	row->known = amount != NULL;
	row->bought = amount == NULL || !amount->negative;
	row->wide = text_size > 0;
	clv_key_write(type, values, nulls, &row->key);
	if (row->wide)
		memcpy((char *) row + size, amount->text, text_size);
}

/* Put a row of the query aside; true: send more. */
static bool
ReceiveRow(TupleTableSlot *slot, DestReceiver *receiver)
{
	Gathering *gathering = (Gathering *) receiver;
	int keys = gathering->key.columns;
	MemoryContext caller = MemoryContextSwitchTo(gathering->scratch);
	Datum values[CLV_MAX_KEY_COLUMNS + 1];
	ClvDecimal decimal;
	bool known;

	slot_getallattrs(slot);
	for (int i = 0; i <= keys; i++)
	{
		values[i] = slot->tts_values[i];
		if (i < keys && gathering->key.column[i].length == -1 && !slot->tts_isnull[i])
			values[i] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[i]));
	}
	/* the amount of a row that is skipped is not looked at */
	known = gathering->amount != NULL && !slot->tts_isnull[keys] && !slot->tts_isnull[keys + 1];
	if (known)
		gathering->amount(slot->tts_values[keys + 1], &decimal);
	PutRow(gathering, values, slot->tts_isnull, known ? &decimal : NULL);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(gathering->scratch);
	return true;
}

/* Nothing is left to be done after the last row. */
static void
StopGathering(DestReceiver *receiver)
{
}

/* Run the query with the rights of the caller and put its rows aside. */
static void
GatherRows(Gathering *gathering, const char *query)
{
	SPIExecuteOptions options = {0};
	int code;

	gathering->receiver.receiveSlot = ReceiveRow;
	gathering->receiver.rStartup = StartGathering;
	gathering->receiver.rShutdown = StopGathering;
	gathering->receiver.rDestroy = StopGathering;
	gathering->receiver.mydest = DestTuplestore;
	options.read_only = true;
	options.must_return_tuples = true;
	options.dest = &gathering->receiver;
	SPI_connect();
	code = SPI_execute_extended(query, &options);
	if (code < 0)
		elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(code));
	SPI_finish();
}

/* ---- histories, a partition at a time ---- */

/* An entry of the hash table of one partition: a customer and the history in the making. */
typedef struct Customer
{
	const Row *row;         /* the first of its rows */
	ClvHistoryState *state; /* NULL: not one has a time */
	uint32 hash;
	char status;
} Customer;

#define SH_PREFIX customers
#define SH_ELEMENT_TYPE Customer
#define SH_KEY_TYPE const Row *
#define SH_KEY row
#define SH_HASH_KEY(table, row) ((row)->record.hash)
#define SH_EQUAL(table, row, other)                                                                \
	clv_key_equal((const ClvKeyType *) (table)->private_data, &(row)->key, &(other)->key)
#define SH_STORE_HASH
#define SH_GET_HASH(table, customer) ((customer)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* What the reader of a partition's rows needs. */
typedef struct Making
{
	customers_hash *customers;
	int32 occasion;
} Making;

/* Add a row to the history of its customer; a row without a time only makes the customer known. */
static void
AddRow(void *arg, const ClvRecord *record)
{
	const Making *making = arg;
	const Row *row = (const Row *) record;
	ClvDecimal amount;
	Customer *customer;
	bool found;

	customer = customers_insert(making->customers, row, &found);
	if (!found)
		customer->state = NULL;
	if (!row->timed)
		return;
	if (customer->state == NULL)
		customer->state = clv_state_new(CurrentMemoryContext, making->occasion);
	amount.units = row->units;
	amount.scale = row->scale;
	amount.text = row->wide ? (char *) row->key.bytes + row->key.size : NULL;
	amount.negative = !row->bought;
	customer->state = clv_state_add(customer->state, row->day, row->bought, !row->known,
									row->known ? &amount : NULL);
}

/* Those of one partition, into the result. Everything in between is in the current context. */
static void
MakeHistories(Gathering *gathering, int partition, int32 occasion, ReturnSetInfo *result)
{
	ClvKeyType *type = &gathering->key;
	Making making = {customers_create(CurrentMemoryContext, 1024, type), occasion};
	customers_iterator iterator;
	Customer *customer;
	Datum values[CLV_MAX_KEY_COLUMNS + 1];
	bool nulls[CLV_MAX_KEY_COLUMNS + 1];

	clv_partitions_read(gathering->partitions, partition, AddRow, &making);
	customers_start_iterate(making.customers, &iterator);
	while ((customer = customers_iterate(making.customers, &iterator)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		clv_key_read(type, &customer->row->key, values, nulls);
		nulls[type->columns] = customer->state == NULL;
		values[type->columns] =
			customer->state == NULL ? 0 : PointerGetDatum(clv_state_finish(customer->state));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* ---- the function ---- */

/* The columns of the result: those of the key, then a history. */
static TupleDesc
ResultColumns(FunctionCallInfo fcinfo)
{
	const ReturnSetInfo *rows = (const ReturnSetInfo *) fcinfo->resultinfo;
	TupleDesc result;
	Oid history;

	if (rows == NULL || !IsA(rows, ReturnSetInfo) || rows->expectedDesc == NULL)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg(
				 "clv_histories must be called in FROM, with a list of the columns of its result"),
			 errhint("Write FROM clv_histories('...') "
					 "AS (customer_id integer, history clv_history).")));
	result = rows->expectedDesc;
	history = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("clv_history"),
							  ObjectIdGetDatum(clv_extension_schema(fcinfo->flinfo->fn_oid)));
	if (result->natts < 2 || result->natts > CLV_MAX_KEY_COLUMNS + 1 ||
		TupleDescAttr(result, result->natts - 1)->atttypid != history)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the result of clv_histories must be one to %d columns and a history",
						CLV_MAX_KEY_COLUMNS),
				 errhint("Write AS (customer_id integer, history clv_history), with the type that "
						 "the customer has in the query.")));
	return result;
}

/*
 * clv_histories(query, occasion) -> rows of a customer and their clv_history, which is NULL where
 * no row of the customer has a time. Errors: NULL, more than one statement, columns of other types
 * than the result's.
 */
PG_FUNCTION_INFO_V1(clv_histories);
Datum
clv_histories(PG_FUNCTION_ARGS)
{
	Gathering gathering = {.result = ResultColumns(fcinfo)};
	MemoryContext caller = CurrentMemoryContext, context, partition;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("query must be a statement, not NULL")));
	if (PG_ARGISNULL(1))
		clv_occasion_is_null();
	clv_check_occasion_length(PG_GETARG_INT32(1));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);

	context = AllocSetContextCreate(caller, "clv_histories", ALLOCSET_DEFAULT_SIZES);
	gathering.scratch = AllocSetContextCreate(context, "clv_histories row", ALLOCSET_SMALL_SIZES);
	partition = AllocSetContextCreate(context, "clv_histories partition", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	gathering.partitions = clv_partitions_new(get_hash_memory_limit());
	GatherRows(&gathering, text_to_cstring(PG_GETARG_TEXT_PP(0)));

	MemoryContextSwitchTo(partition);
	for (int i = 0; i < CLV_PARTITIONS; i++)
	{
		MakeHistories(&gathering, i, PG_GETARG_INT32(1), (ReturnSetInfo *) fcinfo->resultinfo);
		MemoryContextReset(partition);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}
