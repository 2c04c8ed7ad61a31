/*
 * source.c
 *		The table, view or query that the caller names: which relation it is, and what
 *		columns it has.
 */
#include "clv.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"
#include "utils/varlena.h"

/* The row type of one statement that reads; errors where it is none, or several. */
static TupleDesc
QueryColumns(const char *query)
{
	SPIPlanPtr plan = SPI_prepare(query, 0, NULL);
	List *sources;
	CachedPlanSource *source;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	sources = SPI_plan_get_plan_sources(plan);
	source = list_length(sources) == 1 ? (CachedPlanSource *) linitial(sources) : NULL;
	if (source == NULL || source->raw_parse_tree == NULL ||
		!IsA(source->raw_parse_tree->stmt, SelectStmt) || source->resultDesc == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the query must be one SELECT"), errdetail("It is: %s", query)));
	return source->resultDesc;
}

/* Whether the names are those of a relation: at most three, the first of three being this database.
 */
static bool
IsRelationName(List *names)
{
	return names != NIL && list_length(names) <= 3 &&
		   (list_length(names) < 3 ||
			strcmp((char *) linitial(names), get_database_name(MyDatabaseId)) == 0);
}

/*
 * (source): the relation of that name, as SQL reads it with the search_path of the caller (NULL
 * where there is none), and the last part of the name; an error where it is not a name. Without a
 * subtransaction, which is an error where a parallel plan runs around the caller.
 */
PG_FUNCTION_INFO_V1(clv_source_find);
Datum
clv_source_find(PG_FUNCTION_ARGS)
{
	ErrorContextCallback *stack = clv_hide_callers();
	char *source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Datum values[2] = {0};
	bool nulls[2] = {false, false};
	List *parts;
	List *names = NIL;
	ListCell *part;
	Oid relation;

	if (!SplitIdentifierString(pstrdup(source), '.', &parts) || !IsRelationName(parts))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("this is not the name of a table or view: %s", source),
				 errhint("Write the name as in SQL: in double quotes where it has spaces, signs "
						 "or capital letters.")));
	foreach (part, parts)
		names = lappend(names, makeString((char *) lfirst(part)));
	relation = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
	nulls[0] = !OidIsValid(relation);
	values[0] = ObjectIdGetDatum(relation);
	values[1] = CStringGetTextDatum((char *) llast(parts));
	error_context_stack = stack;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls)));
}

/* (query): set of name, type, typmod */
PG_FUNCTION_INFO_V1(clv_source_columns);
Datum
clv_source_columns(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ErrorContextCallback *stack = clv_hide_callers();
	char *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	TupleDesc columns;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	SPI_connect();
	columns = QueryColumns(query);
	error_context_stack = stack;
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);
		Datum values[3];
		bool nulls[3] = {false, false, false};

		values[0] = CStringGetTextDatum(NameStr(column->attname));
		values[1] = ObjectIdGetDatum(column->atttypid);
		values[2] = Int32GetDatum(column->atttypmod);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}

/* (type): the type below a domain, through all domains; the type itself, or whatever is no type, as
 * it is */
PG_FUNCTION_INFO_V1(clv_source_base_type);
Datum
clv_source_base_type(PG_FUNCTION_ARGS)
{
	Oid type = PG_GETARG_OID(0);

	for (;;)
	{
		HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
		Oid below = InvalidOid;

		if (HeapTupleIsValid(tuple))
		{
			Form_pg_type form = (Form_pg_type) GETSTRUCT(tuple);

			if (form->typtype == TYPTYPE_DOMAIN)
				below = form->typbasetype;
			ReleaseSysCache(tuple);
		}
		if (!OidIsValid(below))
			PG_RETURN_OID(type);
		type = below;
	}
}
