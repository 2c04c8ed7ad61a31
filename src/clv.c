/*
 * clv.c
 *		The module itself, and the few helpers that every other module may use.
 */
#include "clv.h"

#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "history/history.h"
#include "math/poll.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"

CLV_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/* Lets the loops of families be interrupted; the callback of clv_family_poll. */
static void
Interrupt(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

/* Called when the module is loaded: makes the loops of families interruptible, and a node of plans
 * known to workers. */
void
_PG_init(void)
{
	clv_family_poll.call = Interrupt;
	clv_histories_register();
}

double
clv_interval_days(const Interval *interval)
{
	return interval->month * CLV_DAYS_PER_MONTH + interval->day +
		   (double) interval->time / USECS_PER_DAY;
}

bool
clv_whole_number(Datum numeric, int64 least, int64 most, int64 *whole)
{
	if (DatumGetBool(
			DirectFunctionCall2(numeric_lt, numeric, NumericGetDatum(int64_to_numeric(least)))) ||
		DatumGetBool(
			DirectFunctionCall2(numeric_gt, numeric, NumericGetDatum(int64_to_numeric(most)))))
		return false;
	*whole = DatumGetInt64(DirectFunctionCall1(numeric_int8, numeric));
	return DatumGetBool(
		DirectFunctionCall2(numeric_eq, numeric, NumericGetDatum(int64_to_numeric(*whole))));
}

double
clv_numeric_double(Numeric value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value)));
}

/* The named row types that C fills in or reads, a letter for each column. */
static const struct
{
	const char *name;
	const char *columns;
} row_type[] = {
	{"clv_accuracy", "llfffffffff"},
	{"clv_common_shock", "iffffff"},
	{"clv_nps_score", "llllffff"},
	{"clv_pipeline_customer", "dffnnnddiinnfffdidnnffnn"},
	{"clv_pipeline_month", "ddlllnnn"},
	{"clv_prediction", "fffffffffff"},
	{"clv_rfmtc", "iinif"},
	{"clv_scores", "ssssssf"},
	{"clv_total", "lffffffffffffffff"},
};

/* The type that a letter of row_type stands for. */
static Oid
TypeOfLetter(char letter)
{
	switch (letter)
	{
		case 'd':
			return DATEOID;
		case 's':
			return INT2OID;
		case 'i':
			return INT4OID;
		case 'l':
			return INT8OID;
		case 'f':
			return FLOAT8OID;
		default:
			return NUMERICOID;
	}
}

/* The columns of a row type of the extension, or NULL where it has none of that name. */
static const char *
ColumnsOf(const char *name)
{
	for (int i = 0; i < (int) lengthof(row_type); i++)
		if (strcmp(row_type[i].name, name) == 0)
			return row_type[i].columns;
	return NULL;
}

/* Whether the row has exactly the columns that the letters stand for. */
static bool
HasColumns(TupleDesc row, const char *columns)
{
	if (columns == NULL || row->natts != (int) strlen(columns))
		return false;
	for (int i = 0; i < row->natts; i++)
		if (TupleDescAttr(row, i)->attisdropped ||
			TupleDescAttr(row, i)->atttypid != TypeOfLetter(columns[i]))
			return false;
	return true;
}

void
clv_check_row_type(TupleDesc row)
{
	char *name;

	/* the columns of an unnamed row are those of its function, which only a superuser can change */
	if (row->tdtypeid == RECORDOID)
		return;
	name = get_rel_name(get_typ_typrelid(row->tdtypeid));
	if (name == NULL || !HasColumns(row, ColumnsOf(name)))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("row type %s differs from the one that the extension created",
							   format_type_be(row->tdtypeid)),
						errhint("Restore the columns that it was created with.")));
}

TupleDesc
clv_find_row_type(FunctionCallInfo fcinfo)
{
	MemoryContext old;
	TupleDesc row;

	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	clv_check_row_type(row);
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	row = BlessTupleDesc(CreateTupleDescCopy(row));
	MemoryContextSwitchTo(old);
	return row;
}

TupleDesc
clv_result_row(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = clv_find_row_type(fcinfo);
	return fcinfo->flinfo->fn_extra;
}

void
clv_foreign_state(const char *aggregate)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a function of %s was called with the state of another aggregate", aggregate),
			 errhint("Call the aggregate %s itself.", aggregate)));
}

ErrorContextCallback *
clv_hide_callers(void)
{
	ErrorContextCallback *stack = error_context_stack;

	error_context_stack = NULL;
	return stack;
}

MemoryContext
clv_aggregate_context(FunctionCallInfo fcinfo, const char *aggregate)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "a function of %s was called outside of an aggregate", aggregate);
	return context;
}

MemoryContext
clv_state_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	return AggCheckCallContext(fcinfo, &context) ? context : CurrentMemoryContext;
}

Oid
clv_extension_schema(Oid function)
{
	Oid extension = getExtensionOfObject(ProcedureRelationId, function);
	Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	Oid schema;

	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(catalog, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("function %s belongs to no extension", format_procedure(function)),
						errhint("Drop the function and call the one of the extension clv.")));
	schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return schema;
}

double
clv_daily_rate(double annual_rate)
{
	return log1p(annual_rate) / CLV_DAYS_PER_YEAR;
}
