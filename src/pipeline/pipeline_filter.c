/*
 * pipeline_filter.c
 *		What a pipeline's filter is: one condition, over nothing but its row.
 *
 * A filter is put in parentheses into the statement that reads the source. The
 * parser says whether it is an expression by itself, so that none can close these
 * parentheses and open others. What it looks at besides its row decides whether
 * a refresh by touched customers can do with the rows that have changed.
 */
#include "postgres.h"

#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/regproc.h"

#include "clv.h"

PG_FUNCTION_INFO_V1(clv_pipeline_check_condition);
PG_FUNCTION_INFO_V1(clv_pipeline_looks_beyond);

/* ---- one condition ---- */

/* An error of the parser points into the condition, not into the statement that the user has sent.
 */
static void
PointIntoCondition(void *condition)
{
	int position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) condition);
	}
}

/* Whether a parsed "SELECT ..." is no more than one expression. */
static bool
IsOneExpression(List *parsed)
{
	SelectStmt *select;

	if (list_length(parsed) != 1)
		return false;
	select = castNode(SelectStmt, castNode(RawStmt, linitial(parsed))->stmt);
	return list_length(select->targetList) == 1 &&
		   linitial_node(ResTarget, select->targetList)->name == NULL &&
		   select->distinctClause == NIL && select->fromClause == NIL &&
		   select->whereClause == NULL && select->groupClause == NIL &&
		   select->havingClause == NULL && select->windowClause == NIL &&
		   select->sortClause == NIL && select->limitOffset == NULL && select->limitCount == NULL &&
		   select->lockingClause == NIL && select->op == SETOP_NONE;
}

/* clv_pipeline_check_condition(text): nothing, or an error where the text is not one expression in
 * SQL */
Datum
clv_pipeline_check_condition(PG_FUNCTION_ARGS)
{
	char *condition = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ErrorContextCallback *caller = error_context_stack;
	ErrorContextCallback callback = {
		.previous = NULL, .callback = PointIntoCondition, .arg = condition};
	List *parsed;

	/* errors come without the context of the caller */
	error_context_stack = &callback;
	parsed = raw_parser(condition, RAW_PARSE_PLPGSQL_EXPR);
	if (!IsOneExpression(parsed))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("filter must be one condition: %s", condition),
				 errhint("Write it as after WHERE, such as 'status = ''paid'' AND amount > 0'.")));
	error_context_stack = caller;
	PG_RETURN_VOID();
}

/* ---- what it looks at ---- */

/* The search for what a statement depends on besides the rows that it reads. */
typedef struct Beyond
{
	int depth;  /* subqueries and views around the node */
	char *what; /* what was found */
} Beyond;

/* Whether a type is of dates and times. */
static bool
IsTemporal(Oid type)
{
	char category;
	bool preferred;

	get_type_category_preferred(type, &category, &preferred);
	return category == TYPCATEGORY_DATETIME || category == TYPCATEGORY_TIMESPAN;
}

/*
 * The server's own functions of times are stable because they look at TimeZone
 * and DateStyle, which a refresh sets. Those that look at the clock take no time
 * to begin with; but age(x) does, and counts from today.
 */
static bool
LooksAtSettingsOnly(Oid function)
{
	Oid *types;
	int n;
	bool temporal = IsTemporal(get_func_signature(function, &types, &n));

	if (get_func_namespace(function) != PG_CATALOG_NAMESPACE ||
		func_volatile(function) != PROVOLATILE_STABLE || n == 0 ||
		(n == 1 && strcmp(get_func_name(function), "age") == 0))
		return false;
	for (int i = 0; i < n; i++)
		temporal = temporal || IsTemporal(types[i]);
	return temporal;
}

/* Whether a function may return something else tomorrow for the same arguments; says which. */
static bool
FunctionLooksBeyond(Oid function, void *context)
{
	Beyond *beyond = context;

	if (func_volatile(function) == PROVOLATILE_IMMUTABLE || LooksAtSettingsOnly(function))
		return false;
	beyond->what = psprintf("the function %s is %s", format_procedure(function),
							func_volatile(function) == PROVOLATILE_STABLE ? "stable" : "volatile");
	return true;
}

/* Looks through a query tree; true once something is found. */
static bool
LooksBeyond(Node *node, void *context)
{
	Beyond *beyond = context;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		bool found;

		beyond->depth++;
		found = query_tree_walker((Query *) node, LooksBeyond, context, 0);
		beyond->depth--;
		return found;
	}
	/* those of a view are its own affair */
	if (IsA(node, SubLink) && beyond->depth == 0)
	{
		beyond->what = "it has a subquery";
		return true;
	}
	if (IsA(node, SQLValueFunction) && IsTemporal(((SQLValueFunction *) node)->type))
	{
		beyond->what = "it looks at the clock";
		return true;
	}
	return check_functions_in_node(node, FunctionLooksBeyond, context) ||
		   expression_tree_walker(node, LooksBeyond, context);
}

/*
 * clv_pipeline_looks_beyond(statement): what in a SELECT may change while no row of
 * the relation that it reads does: a subquery of its own, the clock, or a function
 * that is not immutable, in views as well; NULL where there is no such thing.
 */
Datum
clv_pipeline_looks_beyond(PG_FUNCTION_ARGS)
{
	char *statement = text_to_cstring(PG_GETARG_TEXT_PP(0));
	MemoryContext caller = CurrentMemoryContext;
	Beyond beyond = {0};
	SPIPlanPtr plan;
	ListCell *source;
	text *result = NULL;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = SPI_prepare(statement, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	foreach (source, SPI_plan_get_plan_sources(plan))
	{
		ListCell *query;

		foreach (query, ((CachedPlanSource *) lfirst(source))->query_list)
		{
			if (query_tree_walker(lfirst_node(Query, query), LooksBeyond, &beyond, 0))
				break;
		}
	}
	if (beyond.what != NULL)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		result = cstring_to_text(beyond.what);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}
