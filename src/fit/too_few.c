/*
 * too_few.c
 *		Fits that give NULL where they are not possible: clv_options(too_few => 'null').
 *
 * In general an error can be taken only with a subtransaction around. A fit takes memory,
 * which is freed afterwards, and holds no lock, buffer, snapshot or entry of a cache, so
 * that there is nothing to undo. Errors that are not about the customers are raised all
 * the same: a cancel, no memory, options that do not go with the cells.
 */
#include "fit/fit_private.h"

#include "executor/executor.h"
#include "utils/memutils.h"

/* A NOTICE with the number of fits that were not possible: at the end of a query. */
static void
SayUnfitted(Datum arg)
{
	SaidOnce *said = (SaidOnce *) DatumGetPointer(arg);

	ereport(NOTICE, (errmsg_plural("%lld fit was not possible and gave NULL",
								   "%lld fits were not possible and gave NULL", said->unfitted,
								   (long long) said->unfitted),
					 errdetail("The first: %s", said->unfitted_why)));
	said->unfitted = 0;
}

/*
 * Count a fit that was not possible. The first one arranges for the NOTICE at the end of the query,
 * by an expression context of its own, which lives as long as the query does: those of the node end
 * with each group. Called by itself, outside a query, it gives the NOTICE at once.
 */
static void
CountUnfitted(FunctionCallInfo fcinfo, SaidOnce *said, const ErrorData *error)
{
	Node *node = fcinfo->context;

	if (said->unfitted++ > 0)
		return;
	said->unfitted_why = MemoryContextStrdup(
		fcinfo->flinfo->fn_mcxt,
		error->detail == NULL ? error->message : psprintf("%s. %s", error->message, error->detail));
	if (node != NULL && (IsA(node, AggState) || IsA(node, WindowAggState)))
		RegisterExprContextCallback(CreateExprContext(((PlanState *) node)->state), SayUnfitted,
									PointerGetDatum(said));
	else
		SayUnfitted(PointerGetDatum(said));
}

/* Whether an error of a fit is about the customers: too few of them, or a model out of range. */
static bool
IsAboutCustomers(int sqlstate)
{
	return sqlstate == ERRCODE_DATA_EXCEPTION || sqlstate == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
}

bool
clv_fit_if_possible(FunctionCallInfo fcinfo, FitContext *fit, SaidOnce *said,
					void (*fit_model)(FitContext *fit, SaidOnce *said))
{
	MemoryContext caller = CurrentMemoryContext;
	ErrorData *volatile error = NULL;

	PG_TRY();
	{
		fit_model(fit, said);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		if (!IsAboutCustomers(error->sqlerrcode))
			PG_RE_THROW();
		FlushErrorState();
	}
	PG_END_TRY();
	if (error != NULL)
		CountUnfitted(fcinfo, said, error);
	return error == NULL;
}
