/*
 * cells_sql.c
 *		clv_cells in SQL: what the aggregates do with a row, merging, subtraction,
 *		comparison.
 *
 * The transition functions are ordinary functions of ordinary types: outside an
 * aggregate they return changed copies. They look at nothing but their arguments,
 * because a distributed engine calls them through wrappers of its own.
 */
#include "fit/fit.h"

#include <math.h>

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* Where a state may live. */
static MemoryContext
StateContext(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	return AggCheckCallContext(fcinfo, &context) ? context : CurrentMemoryContext;
}

#define ReturnState(state) PG_RETURN_DATUM(EOHPGetRWDatum(&(state)->hdr))

/* ---- options of a row ---- */

/* Whether the argument is, byte for byte, the one that the state saw last. */
static bool
SameGiven(const ClvCellsState *state, FunctionCallInfo fcinfo, int arg)
{
	const struct varlena *given;

	if (state->given == NULL || PG_ARGISNULL(arg))
		return false;
	given = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(arg));
	return VARSIZE_ANY_EXHDR(given) == VARSIZE_ANY_EXHDR(state->given) &&
		   memcmp(VARDATA_ANY(given), VARDATA_ANY(state->given), VARSIZE_ANY_EXHDR(given)) == 0;
}

static void
ParseArgument(FunctionCallInfo fcinfo, int arg, ClvParsedOptions *parsed)
{
	bool		given = PG_NARGS() > arg && !PG_ARGISNULL(arg);

	clv_fit_options_parse(given ? PG_GETARG_JSONB_P(arg) : NULL, parsed);
}

/* Keep a copy of the argument. */
static void
RememberGiven(FunctionCallInfo fcinfo, int arg, ClvCellsState *state)
{
	struct varlena *given;

	if (state->given != NULL)
		pfree(state->given);
	state->given = NULL;
	if (PG_NARGS() > arg && !PG_ARGISNULL(arg))
	{
		given = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(arg));
		state->given = MemoryContextAlloc(state->hdr.eoh_context, VARSIZE_ANY(given));
		memcpy(state->given, given, VARSIZE_ANY(given));
	}
}

static void
OptionsDiffer(const ClvFitOptions *one, const ClvFitOptions *other)
{
	StringInfoData out;

	initStringInfo(&out);
	clv_fit_options_text(&out, one);
	appendStringInfoString(&out, " and ");
	clv_fit_options_text(&out, other);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("the options of a fit must be the same for all its rows"),
					errdetail("%s", out.data),
					errhint("For one model per group, group by what the options depend on.")));
}

/* The state to add a row to: the one given, or a new one with the options of this row. */
static ClvCellsState *
StateForRow(FunctionCallInfo fcinfo, int arg, ClvCellsKind kind)
{
	ClvCellsState *state;

	if (PG_ARGISNULL(0))
	{
		ClvParsedOptions parsed;

		ParseArgument(fcinfo, arg, &parsed);
		state = clv_cells_new(StateContext(fcinfo), kind, &parsed.options);
		RememberGiven(fcinfo, arg, state);
		return state;
	}
	state = clv_cells_writable(PG_GETARG_DATUM(0), StateContext(fcinfo));
	if (PG_NARGS() > arg && !SameGiven(state, fcinfo, arg))
	{
		ClvParsedOptions parsed;

		ParseArgument(fcinfo, arg, &parsed);
		if (memcmp(&parsed.options, &state->head.options, sizeof(ClvFitOptions)) != 0)
			OptionsDiffer(&state->head.options, &parsed.options);
		RememberGiven(fcinfo, arg, state);
	}
	if (state->head.kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("histories and summaries cannot be counted in the same clv_cells"),
				 errhint("Summaries are x, t_x and t_cal; histories keep the days themselves.")));
	return state;
}

static Datum
UnchangedState(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* Enter what a customer spent, or that it is not known. */
static void
AddSpend(ClvCellsState *state, int32 known, double mean)
{
	if (known >= 1 && isfinite(mean) && mean > 0)
		clv_cells_spend(state, known, mean);
	else
		state->head.spend_skipped++;
}

/* ---- rows ---- */

static void
AddHistory(ClvCellsState *state, const ClvHistory *history)
{
	const ClvFitOptions *options = &state->head.options;
	int32		occasion = clv_history_occasion(history);
	ClvSummary	summary;
	ClvCellEntry cell;
	int32		purchases;

	if (state->head.occasion == 0)
		state->head.occasion = occasion;
	else if (state->head.occasion != occasion)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("histories with different occasions cannot be fitted together: %d and %d "
						"days",
						state->head.occasion, occasion),
				 errhint("Make all histories with the same occasion.")));

	clv_history_summarize(history, options->as_of, (ClvSpendBasis) options->spend_basis,
						  &summary);
	if (summary.purchases <= 0)
	{
		state->head.skipped++;
		return;
	}
	cell.x = summary.purchases - 1;
	cell.count = 1;
	cell.since = summary.first;
	cell.until = summary.last;
	clv_cells_count(state, &cell);

	purchases = options->spend_basis == CLV_SPEND_ALL ? summary.purchases : cell.x;
	if (state->head.with_spend && purchases >= 1)
		AddSpend(state, summary.spend_purchases, summary.spend / summary.spend_purchases);
}

PG_FUNCTION_INFO_V1(clv_cells_add);

/* clv_cells_add(clv_cells, clv_history [, jsonb]) -> clv_cells */
Datum
clv_cells_add(PG_FUNCTION_ARGS)
{
	ClvCellsState *state;

	if (PG_ARGISNULL(1))
		return UnchangedState(fcinfo);
	state = StateForRow(fcinfo, 2, CLV_CELLS_HISTORY);
	AddHistory(state, PG_GETARG_CLV_HISTORY_P(1));
	ReturnState(state);
}

/* A number of a summary row, shortest exact, for an error. */
static char *
Number(double value)
{
	StringInfoData out;

	initStringInfo(&out);
	clv_append_double(&out, value);
	return out.data;
}

static void
BadSummary(FunctionCallInfo fcinfo, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid customer summary: %s", what),
			 errdetail("The row is x = %s, t_x = %s, t_cal = %s, mean_spend = %s.",
					   PG_ARGISNULL(1) ? "NULL" : Number(PG_GETARG_FLOAT8(1)),
					   PG_ARGISNULL(2) ? "NULL" : Number(PG_GETARG_FLOAT8(2)),
					   PG_ARGISNULL(3) ? "NULL" : Number(PG_GETARG_FLOAT8(3)),
					   PG_ARGISNULL(4) ? "NULL" : Number(PG_GETARG_FLOAT8(4))),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

/* Check a row of x, t_x, t_cal and mean_spend that is not all NULL. */
static void
CheckSummary(FunctionCallInfo fcinfo)
{
	double		x,
				t_x,
				t_cal;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		BadSummary(fcinfo, "x, t_x and t_cal must be known together",
				   "t_x of a customer without repeat purchases is 0; to leave a customer out, use "
				   "FILTER or make all three NULL.");
	x = PG_GETARG_FLOAT8(1);
	t_x = PG_GETARG_FLOAT8(2);
	t_cal = PG_GETARG_FLOAT8(3);
	if (!isfinite(x) || x < 0 || x != floor(x) || x >= PG_INT32_MAX)
		BadSummary(fcinfo, "x must be a whole number of repeat purchases",
				   "x counts the purchases after the first one.");
	if (!isfinite(t_x) || t_x < 0 || !isfinite(t_cal) || t_cal < 0)
		BadSummary(fcinfo, "t_x and t_cal must be finite and not negative", NULL);
	if (t_x > t_cal)
		BadSummary(fcinfo, "t_x is larger than t_cal",
				   "t_x is the age at the last purchase, not the time since it.");
	if (x == 0 && t_x > 0)
		BadSummary(fcinfo, "t_x must be 0 where x is 0",
				   "All times count from the first purchase; x counts the purchases after it.");
	if (!PG_ARGISNULL(4) && !isfinite(PG_GETARG_FLOAT8(4)))
		BadSummary(fcinfo, "mean_spend must be finite", "NULL says that it is not known.");
}

PG_FUNCTION_INFO_V1(clv_cells_add_summary);

/* clv_cells_add(clv_cells, x, t_x, t_cal, mean_spend float8 [, jsonb]) -> clv_cells */
Datum
clv_cells_add_summary(PG_FUNCTION_ARGS)
{
	ClvCellsState *state;
	ClvCellEntry cell;
	int32		purchases;

	if (PG_ARGISNULL(1) && PG_ARGISNULL(2) && PG_ARGISNULL(3))
		return UnchangedState(fcinfo);
	CheckSummary(fcinfo);
	state = StateForRow(fcinfo, 5, CLV_CELLS_SUMMARY);

	/* adding 0 turns a negative zero into a zero, whose bits are another number's */
	cell.x = (int32) PG_GETARG_FLOAT8(1);
	cell.count = 1;
	cell.since = ClvDoubleBits(PG_GETARG_FLOAT8(2) + 0.0);
	cell.until = ClvDoubleBits(PG_GETARG_FLOAT8(3) + 0.0);
	clv_cells_count(state, &cell);

	purchases = cell.x + (state->head.options.spend_basis == CLV_SPEND_ALL ? 1 : 0);
	if (state->head.with_spend && purchases >= 1)
		AddSpend(state, PG_ARGISNULL(4) ? 0 : purchases,
				 PG_ARGISNULL(4) ? 0 : PG_GETARG_FLOAT8(4));
	ReturnState(state);
}

/* ---- cells ---- */

PG_FUNCTION_INFO_V1(clv_cells_merge);

/* clv_cells_merge(clv_cells, clv_cells) -> clv_cells: both, or the one that is not NULL */
Datum
clv_cells_merge(PG_FUNCTION_ARGS)
{
	ClvCellsState *state;
	ClvCellsView view;

	if (PG_ARGISNULL(1))
		return UnchangedState(fcinfo);
	if (PG_ARGISNULL(0))
	{
		state = clv_cells_copy(PG_GETARG_DATUM(1), StateContext(fcinfo));
		ReturnState(state);
	}
	state = clv_cells_writable(PG_GETARG_DATUM(0), StateContext(fcinfo));
	clv_cells_view(PG_GETARG_DATUM(1), &view);
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
		CannotFit("time_unit", clv_fit_unit_text(&own->time_unit),
				  clv_fit_unit_text(&result->time_unit),
				  "Give clv_options() the time_unit of the cells.");
	if (!given->spend_basis_given)
		result->spend_basis = own->spend_basis;
	else if (own->spend_basis != result->spend_basis)
		CannotFit("spend_basis", own->spend_basis == CLV_SPEND_ALL ? "all" : "repeat",
				  result->spend_basis == CLV_SPEND_ALL ? "all" : "repeat",
				  "Give clv_options() the spend_basis of the cells.");
	if (!given->spend_given && !head->with_spend)
		memcpy(result->spend, own->spend, CLV_NAME_SIZE);
	else if (!head->with_spend && strcmp(result->spend, CLV_SPEND_NONE) != 0)
		CannotFit("spend", CLV_SPEND_NONE, result->spend,
				  "Count the cells with that spend model, or say spend => 'none'.");
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

/* What the argument says; parsed only where it is not that of the last row. */
static const ClvParsedOptions *
GivenOptions(FunctionCallInfo fcinfo, int arg, ClvCellsState *state)
{
	if (state->parsed == NULL)
		state->parsed = MemoryContextAlloc(state->hdr.eoh_context, sizeof(ClvParsedOptions));
	else if (SameGiven(state, fcinfo, arg))
		return state->parsed;
	ParseArgument(fcinfo, arg, state->parsed);
	RememberGiven(fcinfo, arg, state);
	return state->parsed;
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
		return UnchangedState(fcinfo);
	if (PG_ARGISNULL(2))		/* no options: the cells' own */
		return clv_cells_merge(fcinfo);
	clv_cells_view(PG_GETARG_DATUM(1), &view);

	if (PG_ARGISNULL(0))
	{
		state = clv_cells_copy(PG_GETARG_DATUM(1), StateContext(fcinfo));
		OverrideOptions(view.head, GivenOptions(fcinfo, 2, state), &state->head.options);
		CheckClosing(&view, state->head.options.as_of);
		ReturnState(state);
	}
	state = clv_cells_writable(PG_GETARG_DATUM(0), StateContext(fcinfo));
	head = *view.head;
	OverrideOptions(view.head, GivenOptions(fcinfo, 2, state), &head.options);
	CheckClosing(&view, head.options.as_of);
	view.head = &head;
	clv_cells_absorb(state, &view);
	ReturnState(state);
}

static void
TooMuchTakenOut(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("cannot take out of clv_cells customers who are not in them"),
					errdetail("%s", detail),
					errhint("Subtract cells that were counted from the same histories, and "
							"with the same options.")));
}

static char *
CellText(const ClvCellsHead *head, const ClvCellEntry *cell)
{
	char		one[MAXDATELEN + 1];
	char		other[MAXDATELEN + 1];

	if (head->kind == CLV_CELLS_SUMMARY)
		return psprintf("x = %d, t_x = %s, t_cal = %s", cell->x,
						Number(ClvBitsDouble(cell->since)), Number(ClvBitsDouble(cell->until)));
	return psprintf("x = %d, first purchase on %s, last on %s", cell->x,
					clv_date_text((DateADT) cell->since, one),
					clv_date_text((DateADT) cell->until, other));
}

/* result = left - right, all sorted; returns the number of entries left */
static int64
SubtractCells(const ClvCells *left, const ClvCells *right, ClvCellEntry *result)
{
	int64		n = 0;
	int64		j = 0;

	for (int64 i = 0; i < left->head.ncells; i++)
	{
		ClvCellEntry cell = left->cells[i];

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (j < right->head.ncells && clv_cell_compare(&cell, &right->cells[j]) == 0)
		{
			if (right->cells[j].count > cell.count)
				TooMuchTakenOut(psprintf("%u of %u with %s.", right->cells[j].count, cell.count,
										 CellText(&left->head, &cell)));
			cell.count -= right->cells[j++].count;
		}
		if (cell.count > 0)
			result[n++] = cell;
	}
	if (j < right->head.ncells)
		TooMuchTakenOut(psprintf("%u of none with %s.", right->cells[j].count,
								 CellText(&left->head, &right->cells[j])));
	return n;
}

static int64
SubtractSpend(const ClvCells *left, const ClvCells *right, ClvSpendEntry *result)
{
	const ClvSpendEntry *from = ClvCellsSpend(left);
	const ClvSpendEntry *out = ClvCellsSpend(right);
	int64		n = 0;
	int64		j = 0;

	for (int64 i = 0; i < left->head.nspend; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (j < right->head.nspend && clv_spend_compare(&from[i], &out[j]) == 0)
			j++;
		else
			result[n++] = from[i];
	}
	if (j < right->head.nspend)
		TooMuchTakenOut(psprintf("One with %d purchases of %s in the mean.", out[j].x,
								 Number(ClvSpendMean(&out[j]))));
	return n;
}

PG_FUNCTION_INFO_V1(clv_cells_subtract);

/* clv_cells - clv_cells -> clv_cells */
Datum
clv_cells_subtract(PG_FUNCTION_ARGS)
{
	ClvCells   *left = clv_cells_flat(PG_GETARG_DATUM(0));
	ClvCells   *right = clv_cells_flat(PG_GETARG_DATUM(1));
	ClvCells   *result;
	Size		size;

	clv_cells_check_grid(&left->head, &right->head);
	result = palloc(VARSIZE(left));
	result->head = left->head;
	result->head.skipped -= right->head.skipped;
	result->head.spend_skipped -= right->head.spend_skipped;
	if (result->head.skipped < 0 || result->head.spend_skipped < 0)
		TooMuchTakenOut("More customers were skipped in the cells to take out.");
	result->head.ncells = SubtractCells(left, right, result->cells);
	result->head.nspend = SubtractSpend(left, right, ClvCellsSpend(result));
	size = sizeof(ClvCellsHead) + result->head.ncells * sizeof(ClvCellEntry) +
		   result->head.nspend * sizeof(ClvSpendEntry);
	SET_VARSIZE(result, size);
	PG_RETURN_POINTER(result);
}

/* ---- comparison ---- */

#define Payload(flat) ((const char *) (flat) + VARHDRSZ)
#define PayloadSize(flat) (VARSIZE(flat) - VARHDRSZ)

static int
CompareCells(FunctionCallInfo fcinfo)
{
	ClvCells   *a = clv_cells_flat(PG_GETARG_DATUM(0));
	ClvCells   *b = clv_cells_flat(PG_GETARG_DATUM(1));
	int			order = memcmp(Payload(a), Payload(b), Min(PayloadSize(a), PayloadSize(b)));

	if (order == 0 && VARSIZE(a) != VARSIZE(b))
		order = VARSIZE(a) < VARSIZE(b) ? -1 : 1;
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

#define COMPARISON(name, condition) \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) \
	{ \
		int			order = CompareCells(fcinfo); \
\
		PG_RETURN_BOOL(condition); \
	}

COMPARISON(clv_cells_lt, order < 0)
COMPARISON(clv_cells_le, order <= 0)
COMPARISON(clv_cells_eq, order == 0)
COMPARISON(clv_cells_ne, order != 0)
COMPARISON(clv_cells_ge, order >= 0)
COMPARISON(clv_cells_gt, order > 0)

PG_FUNCTION_INFO_V1(clv_cells_cmp);

Datum
clv_cells_cmp(PG_FUNCTION_ARGS)
{
	int			order = CompareCells(fcinfo);

	PG_RETURN_INT32(order < 0 ? -1 : order > 0);
}

PG_FUNCTION_INFO_V1(clv_cells_hash);

Datum
clv_cells_hash(PG_FUNCTION_ARGS)
{
	ClvCells   *flat = clv_cells_flat(PG_GETARG_DATUM(0));

	return hash_any((const unsigned char *) Payload(flat), PayloadSize(flat));
}

PG_FUNCTION_INFO_V1(clv_cells_hash_extended);

Datum
clv_cells_hash_extended(PG_FUNCTION_ARGS)
{
	ClvCells   *flat = clv_cells_flat(PG_GETARG_DATUM(0));

	return hash_any_extended((const unsigned char *) Payload(flat), PayloadSize(flat),
							 PG_GETARG_INT64(1));
}
