/*
 * cells_sql.c
 *		clv_cells in SQL: merging, comparison.
 */
#include "cells/cells.h"

#include "common/canonical.h"

#include "cells/cells_rows.h"
#include "utils/builtins.h"

/* ---- cells ---- */

/* The state of argument 0 with room for the entries of the view; a new one for NULL. */
static ClvCellsState *
StateToMerge(FunctionCallInfo fcinfo, const ClvCellsView *view, ClvCellsState *local)
{
	const ClvCellsHead *head = view->head;
	MemoryContext context = clv_state_context(fcinfo);
	ClvCellsState *state = NULL;
	ClvCellsHead empty;

	if (!PG_ARGISNULL(0))
	{
		if (clv_cells_are_small(PG_GETARG_DATUM(0)) && clv_cells_may_be_small(fcinfo))
			state = clv_small_open(PG_GETARG_DATUM(0), head->ncells, head->nspend, local);
		return state != NULL ? state : clv_cells_writable(PG_GETARG_DATUM(0), context);
	}
	clv_cells_init_head(&empty, (ClvCellsKind) head->kind, &head->options);
	empty.with_days = head->with_days;
	empty.with_times = head->with_times;
	if (clv_cells_may_be_small(fcinfo))
		state = clv_small_new(&empty, head->ncells, head->nspend, local);
	if (state != NULL)
		return state;
	state = clv_cells_new(context, (ClvCellsKind) head->kind, &head->options);
	clv_cells_set_calendar(state, view->calendar);
	/* cells that a fit has given other options may count more than these ask for */
	state->head->with_days = head->with_days;
	state->head->with_times = head->with_times;
	return state;
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
		return clv_same_state(fcinfo);
	clv_cells_view(PG_GETARG_DATUM(1), &view);
	state = StateToMerge(fcinfo, &view, &local);
	clv_cells_absorb(state, &view);
	ReturnState(state);
}

/* Raises the error of cells that were counted in a way that other options do not allow. */
static void
CannotFit(const char *what, const char *cells, const char *options, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("clv_cells counted with %s %s cannot be fitted with %s", what, cells, options),
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
	ClvFitOptions grid = *own;
	const char *one;
	const char *other;
	const char *what;

	clv_fit_options_inherit(given, own, result);
	if (own->npath > 0)
		clv_fit_options_check(result);
	if (!clv_fit_option_given(given, "spend") && !head->with_spend)
		memcpy(result->spend, own->spend, CLV_NAME_SIZE);
	else if (!head->with_spend && strcmp(result->spend, CLV_SPEND_NONE) != 0)
		CannotFit("spend", CLV_SPEND_NONE, result->spend,
				  "Count the cells with that spend model, or say spend => 'none'.");
	if (clv_fit_uses_days(result) && !head->with_days)
		CannotFit("days", "of first and last purchases only",
				  psprintf("a %s", clv_fit_calendar_word(result)),
				  "Count the cells with a calendar, season, trend or shock in clv_options().");
	if (head->with_times && clv_fit_follows(result) && !ClvDaysHaveGaps(head))
		CannotFit(
			"days", "without the times between purchases",
			psprintf("a %s", clv_fit_calendar_word(result)),
			psprintf("Count the cells with a %s in clv_options().", clv_fit_calendar_word(result)));
	if (clv_fit_clock(own) != clv_fit_clock(result))
		CannotFit("model", ModelText(own), ModelText(result),
				  "Count cells anew from the histories with that model in their options.");
	if (own->as_of == DATEVAL_NOEND)
		grid.as_of = result->as_of;
	what = clv_fit_options_differ(&grid, result, &one, &other);
	if (what != NULL)
		CannotFit(what, one, other,
				  strcmp(what, "as_of") == 0
					  ? "Count cells anew from the histories for another as_of."
					  : psprintf("Give clv_options() the %s of the cells.", what));
}

/* Cells with an open as_of hold whole histories, which end where they end. */
static void
CheckClosing(const ClvCellsView *view, DateADT as_of)
{
	int64 last = PG_INT64_MIN;
	char one[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

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
		return clv_same_state(fcinfo);
	if (PG_ARGISNULL(2)) /* no options: the cells' own */
		return clv_cells_merge(fcinfo);
	clv_cells_view(PG_GETARG_DATUM(1), &view);

	if (PG_ARGISNULL(0))
	{
		state = clv_cells_copy(PG_GETARG_DATUM(1), clv_state_context(fcinfo));
		OverrideOptions(view.head, clv_cells_given(fcinfo, 2), &state->head->options);
		clv_cells_set_calendar(state, clv_cells_given(fcinfo, 2)->calendar);
		CheckClosing(&view, state->head->options.as_of);
		ReturnState(state);
	}
	state = clv_cells_writable(PG_GETARG_DATUM(0), clv_state_context(fcinfo));
	head = *view.head;
	OverrideOptions(view.head, clv_cells_given(fcinfo, 2), &head.options);
	CheckClosing(&view, head.options.as_of);
	view.head = &head;
	clv_cells_absorb(state, &view);
	ReturnState(state);
}

CLV_CANONICAL_TYPE(clv_cells);
