/*
 * pipeline_load.c
 *		The rows of a query, put into a table that its transaction has made.
 *
 * CREATE TABLE AS stores row by row, and leaves each to be looked at again by who reads it first:
 * whether its transaction has ended. Here rows are stored many at a time, and as seen by everybody
 * from the start (frozen), as COPY FREEZE does; until the transaction ends nobody else sees the
 * table. The rows of a query that runs in parallel are stored by the leader, as with CREATE TABLE
 * AS.
 *
 * Columns of named row types are taken apart, each in one pass: (row).* in the query would look up
 * column by column.
 */
#include "clv.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/typcache.h"

/* The rows that are stored at once. */
#define MOST_ROWS 256
#define OPTIONS (TABLE_INSERT_SKIP_FSM | TABLE_INSERT_FROZEN)

/* The receiver of the query's rows, and those that are not stored yet. */
typedef struct Loading
{
	DestReceiver receiver; /* first, as the executor knows nothing else */
	Relation relation;
	BulkInsertState bulk;
	CommandId command;
	int columns;          /* of the query */
	TupleDesc *part;      /* for each column of the query its columns, where it is a row; or NULL */
	TupleTableSlot *flat; /* a row of the table */
	MemoryContext memory; /* of rows that are unpacked */
	EState *state;        /* in which constraints are checked */
	ResultRelInfo target; /* the table as that knows it */
	TupleTableSlot *row[MOST_ROWS];
	int rows;
	int64 stored;
} Loading;

PG_FUNCTION_INFO_V1(clv_pipeline_load);

/* Stores the rows that have come. */
static void
Store(Loading *loading)
{
	table_multi_insert(loading->relation, loading->row, loading->rows, loading->command, OPTIONS,
					   loading->bulk);
	for (int i = 0; i < loading->rows; i++)
		ExecClearTuple(loading->row[i]);
	loading->stored += loading->rows;
	loading->rows = 0;
	MemoryContextReset(loading->memory);
}

/* The columns of a row of the query that is not as a whole a column of the table, which has this
 * type; NULL of others. */
static TupleDesc
Columns(Form_pg_attribute column, Oid type)
{
	if (column->atttypid == type || get_typtype(column->atttypid) != TYPTYPE_COMPOSITE)
		return NULL;
	return lookup_rowtype_tupdesc_copy(column->atttypid, column->atttypmod);
}

/* Called with the columns of the query before its first row: an error where they are not those of
 * the table. */
static void
StartLoading(DestReceiver *receiver, int operation, TupleDesc query)
{
	Loading *loading = (Loading *) receiver;
	TupleDesc table = RelationGetDescr(loading->relation);
	int n = 0;
	bool same = true;

	loading->columns = query->natts;
	loading->part = palloc(query->natts * sizeof(TupleDesc));
	for (int i = 0; i < query->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(query, i);
		TupleDesc part = loading->part[i] =
			Columns(column, n < table->natts ? TupleDescAttr(table, n)->atttypid : InvalidOid);

		for (int j = 0; j < (part == NULL ? 1 : part->natts); j++, n++)
			same = same && n < table->natts &&
				   TupleDescAttr(table, n)->atttypid ==
					   (part == NULL ? column : TupleDescAttr(part, j))->atttypid;
	}
	if (!same || n < table->natts)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the columns of the query are not those of table \"%s\"",
							   RelationGetRelationName(loading->relation))));
}

/* Puts the columns of a row into values and null, NULLs for a row that is NULL. */
static void
TakeApart(TupleDesc part, Datum row, bool no_row, Datum *values, bool *null)
{
	HeapTupleData tuple = {.t_tableOid = InvalidOid};

	if (no_row)
	{
		memset(null, true, part->natts * sizeof(bool));
		return;
	}
	tuple.t_data = DatumGetHeapTupleHeader(row);
	tuple.t_len = HeapTupleHeaderGetDatumLength(tuple.t_data);
	heap_deform_tuple(&tuple, part, values, null);
}

/* Keeps a row until there are some to be stored; true: send more. An error where it violates a
 * constraint of the table. */
static bool
ReceiveRow(TupleTableSlot *slot, DestReceiver *receiver)
{
	Loading *loading = (Loading *) receiver;
	TupleTableSlot *flat = ExecClearTuple(loading->flat);
	MemoryContext caller = MemoryContextSwitchTo(loading->memory);
	int n = 0;

	slot_getallattrs(slot);
	for (int i = 0; i < loading->columns; i++)
	{
		TupleDesc part = loading->part[i];

		if (part != NULL)
		{
			TakeApart(part, slot->tts_values[i], slot->tts_isnull[i], flat->tts_values + n,
					  flat->tts_isnull + n);
			n += part->natts;
			continue;
		}
		flat->tts_values[n] = slot->tts_values[i];
		flat->tts_isnull[n++] = slot->tts_isnull[i];
	}
	MemoryContextSwitchTo(caller);
	ExecStoreVirtualTuple(flat);
	if (loading->relation->rd_att->constr != NULL)
	{
		ExecConstraints(&loading->target, flat, loading->state);
		ResetPerTupleExprContext(loading->state);
	}
	ExecCopySlot(loading->row[loading->rows++], flat);
	if (loading->rows == MOST_ROWS)
		Store(loading);
	return true;
}

/* Stores the last rows. */
static void
StopLoading(DestReceiver *receiver)
{
	Store((Loading *) receiver);
}

/* Nothing is left to be done after that. */
static void
Leave(DestReceiver *receiver)
{
}

/* The table, locked; an error where there is none, where frozen rows could be seen by others, or
 * outlive what made them, and where the caller may not write into it. */
static Relation
OpenTable(Oid oid)
{
	Relation relation = OidIsValid(oid) ? try_relation_open(oid, RowExclusiveLock) : NULL;
	AclResult right;

	if (relation == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation with OID %u does not exist", oid)));
	right = pg_class_aclcheck(oid, GetUserId(), ACL_INSERT);
	if (right != ACLCHECK_OK)
		aclcheck_error(right, OBJECT_TABLE, RelationGetRelationName(relation));
	if (relation->rd_rel->relkind != RELKIND_RELATION ||
		relation->rd_createSubid != GetCurrentSubTransactionId() || relation->rd_rel->relhasindex ||
		relation->rd_rel->relhastriggers ||
		(relation->rd_att->constr != NULL && relation->rd_att->constr->num_defval > 0))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not new", RelationGetRelationName(relation)),
				 errdetail("Rows are loaded into a table that the same transaction has made, "
						   "without indexes, triggers, defaults and generated columns.")));
	return relation;
}

/* The arguments from the third on, as the parameters of the query. */
static ParamListInfo
Parameters(FunctionCallInfo fcinfo)
{
	int n = PG_NARGS() - 2;
	ParamListInfo parameters = makeParamList(n);

	for (int i = 0; i < n; i++)
		parameters->params[i] =
			(ParamExternData){.value = PG_GETARG_DATUM(i + 2),
							  .isnull = PG_ARGISNULL(i + 2),
							  .pflags = PARAM_FLAG_CONST,
							  .ptype = get_fn_expr_argtype(fcinfo->flinfo, i + 2)};
	return parameters;
}

/* Runs the query with the rights of the caller and stores its rows. */
static void
Load(Loading *loading, const char *query, ParamListInfo parameters)
{
	SPIExecuteOptions options = {
		.params = parameters, .must_return_tuples = true, .dest = &loading->receiver};
	int code;

	loading->receiver.receiveSlot = ReceiveRow;
	loading->receiver.rStartup = StartLoading;
	loading->receiver.rShutdown = StopLoading;
	loading->receiver.rDestroy = Leave;
	loading->receiver.mydest = DestTuplestore;
	SPI_connect();
	code = SPI_execute_extended(query, &options);
	if (code < 0)
		elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(code));
	SPI_finish();
}

/*
 * clv_pipeline_load(table, query, parameters ...) -> int8: stores the rows of the query in a table
 * that the same transaction has made; how many. A row in the query stands for its columns. An error
 * where the table is another, or has other columns, where a row violates a constraint of it, and of
 * a table or query that is NULL.
 */
Datum
clv_pipeline_load(PG_FUNCTION_ARGS)
{
	Loading loading = {.command = GetCurrentCommandId(true)};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("table and query must not be NULL")));
	loading.relation = OpenTable(PG_GETARG_OID(0));
	loading.bulk = GetBulkInsertState();
	loading.memory = AllocSetContextCreate(CurrentMemoryContext, "rows", ALLOCSET_DEFAULT_SIZES);
	loading.flat = MakeSingleTupleTableSlot(RelationGetDescr(loading.relation), &TTSOpsVirtual);
	loading.state = CreateExecutorState();
	InitResultRelInfo(&loading.target, loading.relation, 0, NULL, 0); /* in no range table */
	for (int i = 0; i < MOST_ROWS; i++)
		loading.row[i] = table_slot_create(loading.relation, NULL);
	Load(&loading, text_to_cstring(PG_GETARG_TEXT_PP(1)), Parameters(fcinfo));
	for (int i = 0; i < MOST_ROWS; i++)
		ExecDropSingleTupleTableSlot(loading.row[i]);
	ExecDropSingleTupleTableSlot(loading.flat);
	FreeExecutorState(loading.state);
	FreeBulkInsertState(loading.bulk);
	table_finish_bulk_insert(loading.relation, OPTIONS);
	table_close(loading.relation, NoLock);
	PG_RETURN_INT64(loading.stored);
}
