/*
 * cells_sql.c
 *		clv_cells in SQL: merging, comparison.
 */
#include "cells/cells.h"

#include "common/canonical.h"

#include "cells/cells_rows.h"
#include "utils/builtins.h"

/* ---- cells ---- */

/* The state of argument 0 with room for the entries under the head; a new one for NULL. */
static ClvCellsState *
StateToMerge(FunctionCallInfo fcinfo, const ClvCellsHead *head, ClvCellsState *local)
{
	MemoryContext context = clv_cells_context(fcinfo);
	ClvCellsState *state = NULL;
	ClvCellsHead empty;

	if (!PG_ARGISNULL(0))
	{
		if (clv_cells_are_small(PG_GETARG_DATUM(0)) && clv_cells_may_be_small(fcinfo))
			state = clv_small_open(PG_GETARG_DATUM(0), head->ncells, head->nspend, local);
		return state != NULL ? state : clv_cells_writable(PG_GETARG_DATUM(0), context);
	}
	clv_cells_init_head(&empty, (ClvCellsKind) head->kind, &head->options);
	if (clv_cells_may_be_small(fcinfo))
		state = clv_small_new(&empty, head->ncells, head->nspend, local);
	return state != NULL ? state : clv_cells_new(context, (ClvCellsKind) head->kind, &head->options);
}

PG_FUNCTION_INFO_V1(clv_cells_merge);

/* clv_cells_merge(clv_cells, clv_cells) -> clv_cells: both, or the one that is not NULL */
Datum
clv_cells_merge(PG_FUNCTION_ARGS)
{
	ClvCellsState *state;
	ClvCellsState local;
	ClvCellsView view;

	if (PG_ARGISNULL(1))
		return clv_cells_unchanged(fcinfo);
	clv_cells_view(PG_GETARG_DATUM(1), &view);
	state = StateToMerge(fcinfo, view.head, &local);
	clv_cells_absorb(state, &view);
	ReturnState(state);
}

static void
CannotFit(const char *what, const char *cells, const char *options, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("clv_cells counted with %s %s cannot be fitted with %s", what, cells,
						   options),
					errhint("%s", hint)));
}

/* The model, and how it counts time. */
static char *
ModelText(const ClvFitOptions *options)
{
	return psprintf("\"%s\" (%s)", options->model, clv_clock_name(clv_fit_clock(options)));
}

/*
 * The options to fit cells with: those given, on the grid that the cells have. A
 * grid that was given must be theirs, except that an open as_of may be closed.
 */
static void
OverrideOptions(const ClvCellsHead *head, const ClvParsedOptions *given, ClvFitOptions *result)
{
	const ClvFitOptions *own = &head->options;
	char		one[MAXDATELEN + 1];
	char		other[MAXDATELEN + 1];

	*result = given->options;
	if (!given->time_unit_given)
		result->time_unit = own->time_unit;
	else if (memcmp(&own->time_unit, &result->time_unit, sizeof(Interval)) != 0)
		CannotFit("time_unit", clv_interval_text(&own->time_unit),
				  clv_interval_text(&result->time_unit),
				  "Give clv_options() the time_unit of the cells.");
	if (!given->spend_basis_given)
		result->spend_basis = own->spend_basis;
	else if (own->spend_basis != result->spend_basis)
		CannotFit("spend_basis", clv_spend_basis_name((ClvSpendBasis) own->spend_basis),
				  clv_spend_basis_name((ClvSpendBasis) result->spend_basis),
				  "Give clv_options() the spend_basis of the cells.");
	if (!given->spend_given && !head->with_spend)
		memcpy(result->spend, own->spend, CLV_NAME_SIZE);
	else if (!head->with_spend && strcmp(result->spend, CLV_SPEND_NONE) != 0)
		CannotFit("spend", CLV_SPEND_NONE, result->spend,
				  "Count the cells with that spend model, or say spend => 'none'.");
	if (!given->grace_given)
		result->grace = own->grace;
	else if (memcmp(&own->grace, &result->grace, sizeof(Interval)) != 0)
		CannotFit("grace", clv_interval_text(&own->grace), clv_interval_text(&result->grace),
				  "Give clv_options() the grace of the cells.");
	if (!given->periods_given)
		result->periods = own->periods;
	else if (own->periods != result->periods)
		CannotFit("periods", clv_periods_name((ClvPeriodsOf) own->periods),
				  clv_periods_name((ClvPeriodsOf) result->periods),
				  "Give clv_options() the periods of the cells.");
	if (!given->covariates_given)
	{
		result->ncovariates = own->ncovariates;
		memcpy(result->covariates, own->covariates, CLV_COVARIATES_SIZE);
	}
	else if (memcmp(own->covariates, result->covariates, CLV_COVARIATES_SIZE) != 0)
		CannotFit("covariates", clv_fit_covariate_list(own), clv_fit_covariate_list(result),
				  "Give clv_options() the covariates of the cells, in their order.");
	if (clv_fit_clock(own) != clv_fit_clock(result))
		CannotFit("model", ModelText(own), ModelText(result),
				  "Count cells anew from the histories with that model in their options.");
	if (result->as_of == DATEVAL_NOEND)
		result->as_of = own->as_of;
	else if (own->as_of != DATEVAL_NOEND && own->as_of != result->as_of)
		CannotFit("as_of", clv_date_text(own->as_of, one), clv_date_text(result->as_of, other),
				  "Count cells anew from the histories for another as_of.");
}

/* Cells with an open as_of hold whole histories, which end where they end. */
static void
CheckClosing(const ClvCellsView *view, DateADT as_of)
{
	int64		last = PG_INT64_MIN;
	char		one[MAXDATELEN + 1];
	char		other[MAXDATELEN + 1];

	if (view->head->kind != CLV_CELLS_HISTORY || view->head->options.as_of == as_of)
		return;
	for (int64 i = 0; i < view->head->ncells; i++)
		last = Max(last, view->cells[i].until);
	if (last > as_of)
		CannotFit("purchases up to", clv_date_text((DateADT) last, one),
				  psprintf("as_of %s", clv_date_text(as_of, other)),
				  "Count cells anew from the histories, with that as_of in their options.");
}

PG_FUNCTION_INFO_V1(clv_cells_final);

/* clv_cells_final(clv_cells) -> clv_cells: a state as what can be stored */
Datum
clv_cells_final(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (clv_cells_are_small(PG_GETARG_DATUM(0)))
		PG_RETURN_POINTER(clv_cells_flat(PG_GETARG_DATUM(0)));
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

PG_FUNCTION_INFO_V1(clv_cells_merge_options);

/* clv_cells_merge(clv_cells, clv_cells, jsonb) -> clv_cells, with other options for the fit */
Datum
clv_cells_merge_options(PG_FUNCTION_ARGS)
{
	ClvCellsState *state;
	ClvCellsView view;
	ClvCellsHead head;

	if (PG_ARGISNULL(1))
		return clv_cells_unchanged(fcinfo);
	if (PG_ARGISNULL(2))		/* no options: the cells' own */
		return clv_cells_merge(fcinfo);
	clv_cells_view(PG_GETARG_DATUM(1), &view);

	if (PG_ARGISNULL(0))
	{
		state = clv_cells_copy(PG_GETARG_DATUM(1), clv_cells_context(fcinfo));
		OverrideOptions(view.head, clv_cells_given(fcinfo, 2), &state->head->options);
		CheckClosing(&view, state->head->options.as_of);
		ReturnState(state);
	}
	state = clv_cells_writable(PG_GETARG_DATUM(0), clv_cells_context(fcinfo));
	head = *view.head;
	OverrideOptions(view.head, clv_cells_given(fcinfo, 2), &head.options);
	CheckClosing(&view, head.options.as_of);
	view.head = &head;
	clv_cells_absorb(state, &view);
	ReturnState(state);
}

CLV_CANONICAL_TYPE(clv_cells);
