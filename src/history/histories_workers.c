/*
 * histories_workers.c
 *		clv_histories by parallel workers.
 *
 * Where the planner reads a query in parallel, its plan is a Gather over what every
 * process runs. A node of our own goes in between:
 *
 *		Gather
 *		  ->  Custom Scan (clv_histories)
 *		        ->  the plan of the query
 *
 * In each process it puts the rows of its share aside, in files that all processes
 * read (partitions.c), waits until all have done so, and then makes histories of one
 * partition after another that nobody else has taken. So snapshot, rights, errors,
 * cancelling, temporary files and workers that do not come are the server's
 * business, as they are for a parallel hash join; and so is whether there are
 * workers at all. No process waits for another after its first history, which the
 * leader might have to read before anything goes on.
 */
#include "clv.h"

#include "history/histories_private.h"
#include "history/history.h"

#include "access/parallel.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "storage/fd.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

#define NODE_NAME "clv_histories"

/* The number of the node in its plan; those of the planner begin at 0. */
#define NODE_NUMBER PG_INT32_MAX

/* The node of the plan as it runs. */
typedef struct HistoriesState
{
	CustomScanState custom; /* first, as the executor knows nothing else */
	ClvQueryColumns columns;
	int32 occasion;
	ClvSharedPartitions *shared; /* NULL: there are no other processes */
	MemoryContext context;
	ClvPartitions *partitions;
	ClvMaking *making; /* NULL before the first row */
} HistoriesState;

/* ---- the node, in the leader and in workers ---- */

/* Starts the node, and the plan of the query below it. */
static void
BeginHistories(CustomScanState *node, EState *estate, int flags)
{
	HistoriesState *state = (HistoriesState *) node;
	CustomScan *plan = castNode(CustomScan, node->ss.ps.plan);

	outerPlanState(node) = ExecInitNode(outerPlan(plan), estate, flags);
	clv_query_columns(&state->columns, ExecGetResultType(outerPlanState(node)),
					  list_length(plan->custom_scan_tlist) - 1);
	state->occasion = intVal(linitial(plan->custom_private));
	state->context =
		AllocSetContextCreate(CurrentMemoryContext, "clv_histories", ALLOCSET_DEFAULT_SIZES);
}

/* Put the rows that this process gets of the query aside. */
static void
PutRows(HistoriesState *state)
{
	PlanState *query = outerPlanState(&state->custom);
	Size memory = get_hash_memory_limit();
	MemoryContext scratch =
		AllocSetContextCreate(state->context, "clv_histories row", ALLOCSET_SMALL_SIZES);

	state->partitions = state->shared == NULL ? clv_partitions_new(memory)
											  : clv_partitions_join(state->shared, memory);
	while (clv_partitions_open(state->partitions))
	{
		TupleTableSlot *row = ExecProcNode(query);

		if (TupIsNull(row))
			break;
		clv_histories_put(state->partitions, &state->columns, row, scratch);
	}
	clv_partitions_complete(state->partitions);
	state->making = clv_making_new(state->partitions, &state->columns, state->occasion);
}

/* The next customer and their history; an empty slot after the last of this process. */
static TupleTableSlot *
NextHistory(CustomScanState *node)
{
	HistoriesState *state = (HistoriesState *) node;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	MemoryContext caller = MemoryContextSwitchTo(state->context);

	if (state->making == NULL)
		PutRows(state);
	ExecClearTuple(slot);
	if (clv_making_next(state->making, slot->tts_values, slot->tts_isnull))
		ExecStoreVirtualTuple(slot);
	MemoryContextSwitchTo(caller);
	return slot;
}

/* Lets go of what is shared, before the executor does. */
static void
ShutdownHistories(CustomScanState *node)
{
	HistoriesState *state = (HistoriesState *) node;

	if (state->partitions != NULL)
		clv_partitions_leave(state->partitions);
	state->shared = NULL;
}

/* Ends the node, and the plan below it. */
static void
EndHistories(CustomScanState *node)
{
	ShutdownHistories(node);
	ExecEndNode(outerPlanState(node));
}

/* Raises an error: the plan is run once. */
static void
RescanHistories(CustomScanState *node)
{
	elog(ERROR, "histories of a query are made once");
}

/* Bytes of shared memory that the node needs. */
static Size
EstimateShared(CustomScanState *node, ParallelContext *context)
{
	return clv_partitions_shared_size(context->nworkers + 1);
}

/* Called in the leader with that memory, before there are workers. */
static void
InitializeShared(CustomScanState *node, ParallelContext *context, void *shared)
{
	/* without a segment there will be no workers */
	if (context->seg == NULL)
		return;
	clv_partitions_share(shared, context->nworkers + 1, context->seg);
	((HistoriesState *) node)->shared = shared;
}

/* Called in a worker with that memory. */
static void
AttachShared(CustomScanState *node, shm_toc *toc, void *shared)
{
	((HistoriesState *) node)->shared = shared;
}

static const CustomExecMethods exec_methods = {
	.CustomName = NODE_NAME,
	.BeginCustomScan = BeginHistories,
	.ExecCustomScan = NextHistory,
	.EndCustomScan = EndHistories,
	.ReScanCustomScan = RescanHistories,
	.EstimateDSMCustomScan = EstimateShared,
	.InitializeDSMCustomScan = InitializeShared,
	.InitializeWorkerCustomScan = AttachShared,
	.ShutdownCustomScan = ShutdownHistories,
};

/* The state of the node. */
static Node *
NewState(CustomScan *plan)
{
	HistoriesState *state = palloc0(sizeof(HistoriesState));

	NodeSetTag(state, T_CustomScanState);
	state->custom.methods = &exec_methods;
	return (Node *) state;
}

static const CustomScanMethods scan_methods = {NODE_NAME, NewState};

void
clv_histories_register(void)
{
	RegisterCustomScanMethods(&scan_methods);
}

/* ---- the plan ---- */

/* Whether the Gather hands on the rows of its workers as they are. */
static bool
HandsOn(const Gather *gather)
{
	const List *below = outerPlan(gather)->targetlist;
	ListCell *above_cell, *below_cell;

	if (gather->plan.qual != NIL || list_length(gather->plan.targetlist) != list_length(below))
		return false;
	forboth(above_cell, gather->plan.targetlist, below_cell, below)
	{
		const TargetEntry *above = lfirst_node(TargetEntry, above_cell);
		const Var *column = (const Var *) above->expr;

		if (above->resjunk)
			return false;
		/* constants are the same on both levels; all others are columns of that below */
		if (IsA(column, Var) && column->varno == OUTER_VAR && column->varattno == above->resno)
			continue;
		if (!IsA(column, Const) || !equal(column, lfirst_node(TargetEntry, below_cell)->expr))
			return false;
	}
	return true;
}

/* Whether functions that hash and compare the key may be called in workers. */
static bool
KeyIsSafe(const ClvKeyType *key)
{
	for (int i = 0; i < key->columns; i++)
		if (func_parallel(key->column[i].hash->fn_oid) != PROPARALLEL_SAFE ||
			func_parallel(key->column[i].equal->fn_oid) != PROPARALLEL_SAFE)
			return false;
	return true;
}

/*
 * The plan of the query, where it is one that workers read alone; NULL where not. What a Gather
 * costs a row is left out, as most rows stay in the workers. To be called between SPI_connect and
 * SPI_finish.
 */
static PlannedStmt *
ParallelPlan(const char *query)
{
	SPIPlanPtr prepared = SPI_prepare_cursor(query, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	int settings = NewGUCNestLevel();
	CachedPlan *cached = NULL;
	PlannedStmt *plan = NULL, *first;

	set_config_option("parallel_tuple_cost", "0", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
					  0, false);
	if (prepared != NULL)
		cached = SPI_plan_get_cached_plan(prepared);
	AtEOXact_GUC(true, settings);
	if (cached == NULL)
		return NULL;
	/* rules may leave none */
	first = cached->stmt_list != NIL ? linitial_node(PlannedStmt, cached->stmt_list) : NULL;
	if (first != NULL && first->commandType == CMD_SELECT && IsA(first->planTree, Gather) &&
		HandsOn((Gather *) first->planTree))
		plan = copyObject(first);
	ReleaseCachedPlan(cached, NULL);
	return plan;
}

/* Put the node between the Gather of the plan and what it gathers. */
static void
AddNode(PlannedStmt *plan, TupleDesc result, int32 occasion)
{
	Gather *gather = castNode(Gather, plan->planTree);
	CustomScan *node = makeNode(CustomScan);
	int keys = result->natts - 1;

	node->methods = &scan_methods;
	node->scan.plan = *outerPlan(gather);
	NodeSetTag(node, T_CustomScan);
	node->scan.plan.initPlan = NIL;
	node->scan.plan.righttree = NULL;
	node->scan.plan.qual = NIL;
	node->scan.plan.lefttree = outerPlan(gather);
	node->scan.plan.plan_node_id = NODE_NUMBER;
	node->scan.plan.parallel_aware = true;
	node->scan.plan.targetlist = NIL;
	node->custom_private = list_make1(makeInteger(occasion));
	outerPlan(gather) = &node->scan.plan;
	gather->plan.targetlist = NIL;
	for (int i = 0; i <= keys; i++)
	{
		Form_pg_attribute column = TupleDescAttr(result, i);
		char *name = pstrdup(NameStr(column->attname));
		Var *below =
			makeVar(OUTER_VAR, i + 1, column->atttypid, column->atttypmod, column->attcollation, 0);
		Var *own =
			makeVar(INDEX_VAR, i + 1, column->atttypid, column->atttypmod, column->attcollation, 0);
		Expr *made = i < keys ? (Expr *) copyObject(below)
							  : (Expr *) makeNullConst(column->atttypid, column->atttypmod,
													   column->attcollation);

		node->custom_scan_tlist =
			lappend(node->custom_scan_tlist, makeTargetEntry(made, i + 1, name, false));
		node->scan.plan.targetlist =
			lappend(node->scan.plan.targetlist, makeTargetEntry((Expr *) own, i + 1, name, false));
		gather->plan.targetlist =
			lappend(gather->plan.targetlist, makeTargetEntry((Expr *) below, i + 1, name, false));
	}
}

/* Adds the query to the context of errors, as SPI does for those that it runs. */
static void
AddContext(void *query)
{
	errcontext("SQL statement \"%s\"", (const char *) query);
}

/* Run the plan, its rows into the result. */
static void
RunPlan(PlannedStmt *plan, const char *query, Tuplestorestate *result)
{
	DestReceiver *receiver = CreateDestReceiver(DestTuplestore);
	ErrorContextCallback context = {error_context_stack, AddContext, unconstify(char *, query)};
	QueryDesc *run;

	SetTuplestoreDestReceiverParams(receiver, result, CurrentMemoryContext, false, NULL, NULL);
	error_context_stack = &context;
	run =
		CreateQueryDesc(plan, query, GetActiveSnapshot(), InvalidSnapshot, receiver, NULL, NULL, 0);
	ExecutorStart(run, 0);
	clv_executor_run(run);
	ExecutorFinish(run);
	ExecutorEnd(run);
	FreeQueryDesc(run);
	receiver->rDestroy(receiver);
	error_context_stack = context.previous;
}

bool
clv_histories_parallel(const char *query, int32 occasion, TupleDesc columns,
					   Tuplestorestate *result)
{
	ClvQueryColumns found;
	PlannedStmt *plan;

	/* rows of workers wait in files alone, for which a limit may be too small */
	if (max_parallel_workers_per_gather == 0 || IsParallelWorker() || temp_file_limit >= 0)
		return false;
	SPI_connect();
	plan = ParallelPlan(query);
	if (plan != NULL)
	{
		clv_query_columns_checked(&found, ExecCleanTypeFromTL(plan->planTree->targetlist), columns);
		if (!KeyIsSafe(&found.key))
			plan = NULL;
	}
	if (plan != NULL)
	{
		AddNode(plan, columns, occasion);
		RunPlan(plan, query, result);
	}
	SPI_finish();
	return plan != NULL;
}
