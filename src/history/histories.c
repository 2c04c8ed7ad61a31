/*
 * histories.c
 *		clv_histories: the histories of all customers in the rows of a query.
 *
 * The same as GROUP BY and the aggregate, in two steps: the rows are put aside by
 * the hash of their customer, and then the histories are made a partition at a
 * time (partitions.c says what that is good for; histories_rows.c has both steps).
 * The query runs in the executor like any other, with the rights of the caller. Its
 * rows come to a receiver here, or in parallel workers to a node of the plan
 * (histories_workers.c). Whether two rows are of one customer is asked of the
 * types, as GROUP BY does.
 */
#include "clv.h"

#include "history/histories_private.h"
#include "history/state.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

/* The receiver of the query's rows, and the partitions that they are put into. */
typedef struct Gathering
{
	DestReceiver receiver; /* first, as the executor knows nothing else */
	TupleDesc result;      /* the columns of the key and the history */
	ClvQueryColumns columns;
	ClvPartitions *partitions;
	MemoryContext scratch; /* of one row */
} Gathering;

/* ---- the rows of the query ---- */

/* Called with the columns of the query before its first row. */
static void
StartGathering(DestReceiver *receiver, int operation, TupleDesc query)
{
	Gathering *gathering = (Gathering *) receiver;

	if (gathering->columns.day != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("query must be one statement"),
				 errhint("Combine several queries with UNION ALL.")));
	clv_query_columns_checked(&gathering->columns, query, gathering->result);
}

/* Put a row of the query aside; true: send more. */
static bool
ReceiveRow(TupleTableSlot *slot, DestReceiver *receiver)
{
	Gathering *gathering = (Gathering *) receiver;

	clv_histories_put(gathering->partitions, &gathering->columns, slot, gathering->scratch);
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

/* Histories of the query, made by this process alone, into the result. */
static void
MakeHistories(const char *query, int32 occasion, const ReturnSetInfo *result)
{
	Gathering gathering = {.result = result->setDesc};
	ClvMaking *making;
	Datum values[CLV_MAX_KEY_COLUMNS + 1];
	bool nulls[CLV_MAX_KEY_COLUMNS + 1];

	gathering.scratch =
		AllocSetContextCreate(CurrentMemoryContext, "clv_histories row", ALLOCSET_SMALL_SIZES);
	gathering.partitions = clv_partitions_new(get_hash_memory_limit());
	GatherRows(&gathering, query);
	clv_partitions_complete(gathering.partitions);
	making = clv_making_new(gathering.partitions, &gathering.columns, occasion);
	while (clv_making_next(making, values, nulls))
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
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
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TupleDesc columns = ResultColumns(fcinfo);
	MemoryContext caller = CurrentMemoryContext, context;
	char *query;
	int32 occasion;

	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("query must be a statement, not NULL")));
	if (PG_ARGISNULL(1))
		clv_occasion_is_null();
	occasion = PG_GETARG_INT32(1);
	clv_check_occasion_length(occasion);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);

	context = AllocSetContextCreate(caller, "clv_histories", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (!clv_histories_parallel(query, occasion, columns, result->setResult))
		MakeHistories(query, occasion, result);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}
