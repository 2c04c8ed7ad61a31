/*
 * cells_rows.c
 *		Counting a row: the transition functions of clv_cells and clv_fit.
 *
 * They are ordinary functions of ordinary types: outside an aggregate they return
 * changed copies. They look at nothing but their arguments, because a distributed
 * engine calls them through wrappers of its own.
 */
#include "cells/cells_rows.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_type.h"
#include "common/last_value.h"
#include "utils/array.h"
#include "utils/syscache.h"

/* The positions of the arguments of a row; -1: not among them. */
typedef struct RowForm
{
	bool summary;
	int options;
	int outcome;
	int covariates;
	int path; /* 0: not among them */
} RowForm;

/* What a call site keeps from row to row. */
typedef struct RowSite
{
	bool asked; /* the next is known */
	bool may_be_small;
	ClvLastValue given;      /* the options argument */
	ClvParsedOptions parsed; /* the options in it */
} RowSite;

/* What the call site keeps, zeroed before its first row. */
static RowSite *
Site(FunctionCallInfo fcinfo)
{
	FmgrInfo *flinfo = fcinfo->flinfo;

	if (flinfo->fn_extra == NULL)
		flinfo->fn_extra = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(RowSite));
	return flinfo->fn_extra;
}

/* ---- which states may be small ---- */

/* Whether a function of an aggregate is one of these, whatever it is called in the catalog. */
static bool
IsFunction(Oid function, PGFunction one, PGFunction other)
{
	FmgrInfo found;

	fmgr_info(function, &found);
	return found.fn_addr == one || found.fn_addr == other;
}

/*
 * Whether the aggregate that calls passes its states only to functions that can read
 * small ones. Users may create an aggregate from the functions of this module, without a
 * final function or with one of their own: its states are seen by others, and have to
 * be values of the type. So have those that several aggregates share.
 */
static bool
KeepsItsStates(FunctionCallInfo fcinfo)
{
	const Aggref *aggref = AggGetAggref(fcinfo);
	HeapTuple tuple;
	Form_pg_aggregate aggregate;
	bool keeps;

	if (aggref == NULL || AggStateIsShared(fcinfo))
		return false;
	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggref->aggfnoid));
	if (!HeapTupleIsValid(tuple))
		return false;
	aggregate = (Form_pg_aggregate) GETSTRUCT(tuple);
	keeps = OidIsValid(aggregate->aggfinalfn) &&
			IsFunction(aggregate->aggfinalfn, clv_cells_final, clv_fit_final) &&
			(!OidIsValid(aggregate->aggcombinefn) ||
			 IsFunction(aggregate->aggcombinefn, clv_cells_merge, clv_cells_merge));
	ReleaseSysCache(tuple);
	return keeps;
}

bool
clv_cells_may_be_small(FunctionCallInfo fcinfo)
{
	RowSite *site = Site(fcinfo);

	if (!site->asked)
	{
		site->may_be_small = KeepsItsStates(fcinfo);
		site->asked = true;
	}
	return site->may_be_small;
}

/* ---- options of a row ---- */

/* Raises the error of rows with different options. */
static void
OptionsDiffer(const ClvFitOptions *one, const ClvFitOptions *other)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("the options of a fit must be the same for all its rows"),
					errdetail("%s", clv_fit_options_both(one, other)),
					errhint("For one model per group, group by what the options depend on.")));
}

/* The kind of cells that histories are counted in with these options. */
static ClvCellsKind
HistoryKind(const ClvFitOptions *options)
{
	ClvClock clock = clv_fit_clock(options);

	return clock == CLV_OPPORTUNITIES || clock == CLV_RENEWALS ? CLV_CELLS_PERIODS
															   : CLV_CELLS_HISTORY;
}

/* Errors unless the options are all that this form of row needs. */
static void
CheckOptions(const ClvFitOptions *options, const RowForm *form)
{
	ClvClock clock = clv_fit_clock(options);

	if (clock != CLV_CONTINUOUS && !form->summary && options->as_of == DATEVAL_NOEND)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"as_of\" is required by model \"%s\"", options->model),
						errdetail("It counts histories in %s.", clv_clock_name(clock)),
						errhint("Use clv_options(model => '%s', as_of => ...).", options->model)));
	if ((clv_fit_follows(options) || options->shock == CLV_SHOCK_ALWAYS) && form->summary)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("a %s needs histories", clv_fit_calendar_word(options)),
						errdetail("x, t_x and t_cal do not say on which days customers bought."),
						errhint("Fit histories: clv_fit(history, options).")));
	if (clock == CLV_CAMPAIGNS && form->summary && form->outcome < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("outcomes are required by model \"%s\"", options->model),
				 errhint("Give whether each customer bought in the period after t_cal: clv_fit(x, "
						 "t_x, t_cal, mean_spend, outcome, options).")));
	if (clock != CLV_CAMPAIGNS && form->outcome >= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("outcomes are not supported by model \"%s\"", options->model),
						errhint("Leave the outcome out, or use clv_options(model => 'rfmtc').")));
	if (options->npath > 0 && form->path == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("paths of the customers are missing"),
						errdetail("The options name %s.", clv_fit_path_list(options)),
						errhint("Give the clv_calendar of each customer after the options.")));
	if (options->ncovariates > 0 && form->covariates < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("values of the covariates are missing"),
						errdetail("The options name %s.", clv_fit_covariate_list(options)),
						errhint("Give their values in this order after the options: ARRAY[...].")));
	if (options->ncovariates == 0 && form->covariates >= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("names of the covariates are missing"),
						errhint("Name them in the order of the array: clv_options(covariates => "
								"'{...}').")));
}

/* The parsed options argument, checked for the form of the rows (NULL: not checked). */
static const ClvParsedOptions *
Given(FunctionCallInfo fcinfo, int arg, const RowForm *form)
{
	RowSite *site = Site(fcinfo);
	bool isnull = PG_NARGS() <= arg || PG_ARGISNULL(arg);
	Datum given = isnull ? (Datum) 0 : PG_GETARG_DATUM(arg);

	if (!clv_last_is(&site->given, isnull, given))
	{
		ClvCalendar *before = site->parsed.calendar;

		clv_last_clear(&site->given);
		clv_fit_options_parse(isnull ? NULL : DatumGetJsonbP(given),
							  form == NULL || form->path == 0 || PG_ARGISNULL(form->path)
								  ? NULL
								  : PG_GETARG_CLV_CALENDAR_P(form->path),
							  &site->parsed);
		if (form != NULL)
			CheckOptions(&site->parsed.options, form);
		if (site->parsed.calendar != NULL)
			site->parsed.calendar =
				clv_calendar_copy(site->parsed.calendar, fcinfo->flinfo->fn_mcxt);
		if (before != NULL)
			pfree(before);
		clv_last_set(&site->given, isnull, given, fcinfo->flinfo->fn_mcxt);
	}
	return &site->parsed;
}

const ClvParsedOptions *
clv_cells_given(FunctionCallInfo fcinfo, int arg)
{
	return Given(fcinfo, arg, NULL);
}

/* An error unless the options are those of the head. */
static void
CheckSame(const ClvCellsHead *head, const ClvFitOptions *options)
{
	if (memcmp(options, &head->options, sizeof(ClvFitOptions)) != 0)
		OptionsDiffer(&head->options, options);
}

/* A new state for the first row. */
static ClvCellsState *
NewStateForRow(FunctionCallInfo fcinfo, const RowForm *form, ClvCellsState *local)
{
	const ClvParsedOptions *given = Given(fcinfo, form->options, form);
	const ClvFitOptions *options = &given->options;
	ClvCellsKind kind = form->summary ? CLV_CELLS_SUMMARY : HistoryKind(options);
	ClvCellsState *state = NULL;
	ClvCellsHead head;

	if (clv_cells_may_be_small(fcinfo))
	{
		clv_cells_init_head(&head, kind, options);
		state = clv_small_new(&head, 0, 0, local);
	}
	if (state == NULL)
	{
		state = clv_cells_new(clv_state_context(fcinfo), kind, options);
		clv_cells_set_calendar(state, given->calendar);
	}
	return state;
}

/* The state to add a row to: the one given, or a new one with the options of this row. */
static ClvCellsState *
StateForRow(FunctionCallInfo fcinfo, const RowForm *form, ClvCellsState *local)
{
	const ClvFitOptions *options;
	uint64 generation;
	ClvCellsState *state = NULL;

	if (PG_ARGISNULL(0))
		return NewStateForRow(fcinfo, form, local);
	if (clv_cells_are_small(PG_GETARG_DATUM(0)) && clv_cells_may_be_small(fcinfo))
		state = clv_small_open(PG_GETARG_DATUM(0), 1, 1, local);
	if (state == NULL)
		state = clv_cells_writable(PG_GETARG_DATUM(0), clv_state_context(fcinfo));
	if ((state->head->kind == CLV_CELLS_SUMMARY) != form->summary)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("histories and summaries cannot be counted in the same clv_cells"),
				 errhint("Summaries are x, t_x and t_cal; histories keep the days themselves.")));
	options = &Given(fcinfo, form->options, form)->options;
	generation = Site(fcinfo)->given.generation;
	if (state->small != NULL || state->agreed != generation)
	{
		CheckSame(state->head, options);
		state->agreed = generation;
	}
	return state;
}

/* Enter what a customer spent, or that it is not known. */
static void
AddSpend(ClvCellsState *state, int32 known, double mean, uint32 vector)
{
	if (known >= 1 && isfinite(mean) && mean > 0)
		clv_cells_spend(state, known, mean, vector);
	else
		state->head->spend_skipped++;
}

/* ---- vectors ---- */

/* Numbers as an array's text; nulls: which are NULL, or NULL where none is. */
static char *
VectorText(const double *values, const bool *nulls, int n)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(&out, ',');
		appendStringInfoString(&out,
							   nulls != NULL && nulls[i] ? "NULL" : clv_number_text(values[i]));
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* An array of numbers as text, NULLs included. */
static char *
ArrayText(ArrayType *array)
{
	Datum *values;
	bool *nulls;
	double *numbers;
	int n;

	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values,
					  &nulls, &n);
	numbers = palloc0((n + 1) * sizeof(double));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			numbers[i] = DatumGetFloat8(values[i]);
	return VectorText(numbers, nulls, n);
}

/* Raises the error of covariates that a fit cannot use; row: the customer they belong to. */
static pg_attribute_noreturn() void BadCovariates(const char *what, ArrayType *array,
												  const ClvFitOptions *options, const char *row)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid covariates: %s", what),
			 errdetail("The values of %s are %s; the names are %s.", row,
					   array == NULL ? "NULL" : ArrayText(array), clv_fit_covariate_list(options)),
			 errhint("Each customer needs a finite number for each name; to leave customers out, "
					 "use FILTER.")));
}

/* Read and check the covariates of a row; row: describes the customer, for an error. */
static void
ReadCovariates(FunctionCallInfo fcinfo, int arg, const ClvFitOptions *options,
			   char *(*row)(FunctionCallInfo), double *vector)
{
	ArrayType *array;
	int n = options->ncovariates;

	if (PG_ARGISNULL(arg))
		BadCovariates("NULL", NULL, options, row(fcinfo));
	array = PG_GETARG_ARRAYTYPE_P(arg);
	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != n)
		BadCovariates(psprintf("not an array of %d number%s", n, n == 1 ? "" : "s"), array, options,
					  row(fcinfo));
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		BadCovariates("a NULL among them", array, options, row(fcinfo));
	memcpy(vector, clv_array_data(array), n * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		if (!isfinite(vector[i]))
			BadCovariates(psprintf("\"%s\" is not finite", clv_fit_covariate(options, i)), array,
						  options, row(fcinfo));
		vector[i] += 0.0; /* no negative zero */
	}
}

/* ---- rows ---- */

/* Add the logarithm of a time between purchases to the sum; the argument is the sum. */
static void
AddLogTime(void *arg, int32 days)
{
	ClvLogTimes time = clv_log_time(days);

	clv_times_add((ClvLogTimes *) arg, &time, 1);
}

/* Where the repeat purchases of a history are counted by day. */
typedef struct Repeats
{
	ClvCellsState *state;
	ClvDayEntry entry; /* of the last one */
} Repeats;

/* Count a purchase so many days after the one before it; the argument is a Repeats. */
static void
AddRepeat(void *arg, int32 days)
{
	Repeats *repeats = arg;

	repeats->entry.day += days;
	if (ClvDaysHaveGaps(repeats->state->head))
		repeats->entry.gap = days;
	clv_cells_add_day(repeats->state, &repeats->entry);
}

/* Set the occasion of the cells with the first history; an error where a later one differs. */
static void
CheckOccasion(ClvCellsState *state, int32 occasion)
{
	if (state->head->occasion == 0)
		state->head->occasion = occasion;
	else if (state->head->occasion != occasion)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("histories with different occasions cannot be fitted together: %d and %d "
						"days",
						state->head->occasion, occasion),
				 errhint("Make all histories with the same occasion.")));
}

/* Set x, t_x and T in whole periods. Customers who return after a contract are counted with their
 * first one. */
static void
PeriodsCell(ClvCellsState *state, const ClvHistory *history, ClvCellEntry *cell)
{
	DateADT as_of = state->head->options.as_of;
	ClvPeriods periods;

	if (state->clock == CLV_RENEWALS)
		clv_history_contract(history, as_of, &state->counting, false, &periods);
	else
		clv_history_periods(history, as_of, &state->counting, &periods);
	state->head->returned += periods.returns > 0;
	cell->x = periods.x;
	cell->since = periods.t_x;
	cell->until = periods.T;
}

/* The last day of the history that is used: of campaigns the end of a period, whose next one is the
 * outcome. */
static DateADT
LastDayUsed(const ClvCellsState *state)
{
	DateADT as_of = state->head->options.as_of;

	return state->clock == CLV_CAMPAIGNS ? (DateADT) clv_grid_over(&state->counting.grid, as_of)
										 : as_of;
}

/* 1 where the customer buys in the period after the last day that is used, else 0. */
static double
Outcome(const ClvCellsState *state, const ClvHistory *history)
{
	ClvSteps steps;

	clv_steps_from(&steps, &state->counting.grid, LastDayUsed(state));
	return clv_history_taken(history, &steps, 0, 1);
}

/* ---- paths ---- */

/* Sums of the covariates of a path over the repeat purchases. */
typedef struct OnPath
{
	const ClvCalendarParts *path;
	int64 day;   /* of the last one */
	double *sum; /* one for each */
} OnPath;

/* Add the covariates of a purchase so many days after the one before it; the argument is an OnPath.
 */
static void
AddOnPath(void *arg, int32 days)
{
	OnPath *on = arg;
	const double *values;

	on->day += days;
	values =
		on->path->values + (Size) clv_calendar_step(on->path, (DateADT) on->day) * on->path->nnames;
	for (int i = 0; i < on->path->nnames; i++)
		on->sum[i] += values[i];
}

/* An error unless the path has values for all days of the customer, up to as_of where it is known.
 */
static void
CheckOnPath(const ClvFitOptions *options, const ClvCalendarParts *path, const ClvSummary *summary)
{
	DateADT last = options->as_of == DATEVAL_NOEND ? summary->last : options->as_of;
	char one[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];
	char *whose = psprintf("the customer who first bought on %s",
						   clv_date_text(summary->first, palloc(MAXDATELEN + 1)));

	clv_path_check_names(options, path, whose);
	if (path->since[0] > summary->first)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the path of a customer begins on %s, after the first purchase on %s",
						clv_date_text(path->since[0], one), clv_date_text(summary->first, other)),
				 errhint("Give each customer a calendar from the first purchase on.")));
	if (clv_calendar_end(path) <= last)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the path of %s ends too early: nothing is known of %s", whose,
							   clv_date_text(last, one)),
						errdetail("The first day after it is %s.",
								  clv_date_text((DateADT) clv_calendar_end(path), other)),
						errhint("Give each customer a calendar until as_of.")));
}

/*
 * Set the vector of a customer with a path: its mark, their covariates, and the sums of those of
 * the path over the repeat purchases.
 */
static void
SetPathVector(ClvCellsState *state, const ClvHistory *history, const ClvSummary *summary,
			  const double *covariates, const ClvCalendar *path, double *vector)
{
	const ClvFitOptions *options = &state->head->options;
	int own = options->ncovariates;
	ClvCalendarParts parts;
	OnPath on = {&parts, summary->first, vector + 1 + own};

	clv_calendar_unpack_value(path, &parts);
	CheckOnPath(options, &parts, summary);
	memcpy(vector + 1, covariates, own * sizeof(double));
	memset(vector + 1 + own, 0, options->npath * sizeof(double));
	clv_history_gaps(history, options->as_of, AddOnPath, &on);
	for (int i = 0; i < options->npath; i++)
		if (!isfinite(on.sum[i] += 0.0))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("\"%s\" of a path is too large", clv_fit_path_name(options, i))));
	vector[0] = clv_cells_add_path(state, path);
}

/* Count a history; skipped where the customer has no purchase yet. path: NULL for none. */
static void
AddHistory(ClvCellsState *state, const ClvHistory *history, const double *covariates,
		   const ClvCalendar *path)
{
	double vector[CLV_MAX_WIDTH];
	const ClvFitOptions *options = &state->head->options;
	ClvSummary summary;
	ClvCellEntry cell = {0};
	int32 purchases;
	double outcome;

	clv_history_summarize(history, LastDayUsed(state), (ClvSpendBasis) options->spend_basis,
						  &summary);
	CheckOccasion(state, summary.occasion);
	if (summary.purchases <= 0)
	{
		state->head->skipped++;
		return;
	}
	cell.count = 1;
	if (state->head->kind == CLV_CELLS_PERIODS)
		PeriodsCell(state, history, &cell);
	else
	{
		cell.x = summary.purchases - 1;
		cell.since = summary.first;
		cell.until = summary.last;
	}
	if (state->clock == CLV_CAMPAIGNS)
	{
		outcome = Outcome(state, history);
		covariates = &outcome;
	}
	if (path != NULL)
	{
		SetPathVector(state, history, &summary, covariates, path, vector);
		covariates = vector;
	}
	cell.vector = clv_cells_vector(state, covariates);
	clv_cells_count(state, &cell);
	if (state->head->with_times)
		clv_history_gaps(history, options->as_of, AddLogTime, &state->head->times);
	if (state->head->with_days)
	{
		Repeats repeats = {state, {.day = summary.first, .purchases = 1}};

		if (ClvDaysHaveVectors(state->head))
			repeats.entry.vector = cell.vector;
		clv_history_gaps(history, options->as_of, AddRepeat, &repeats);
	}

	purchases = summary.purchases - (options->spend_basis == CLV_SPEND_ALL ? 0 : 1);
	if (state->head->with_spend && purchases >= 1)
		AddSpend(state, summary.spend_purchases, summary.spend / summary.spend_purchases,
				 cell.vector);
}

/* The customer of a history in words, for an error. */
static char *
HistoryRow(FunctionCallInfo fcinfo)
{
	char one[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];
	ClvSummary summary;

	clv_history_summarize(PG_GETARG_CLV_HISTORY_P(1), DATEVAL_NOEND, CLV_SPEND_ALL, &summary);
	if (summary.purchases == 0)
		return "a customer without purchases";
	if (summary.purchases == 1)
		return psprintf("the customer with 1 purchase on %s", clv_date_text(summary.first, one));
	return psprintf("the customer with %d purchases from %s to %s", summary.purchases,
					clv_date_text(summary.first, one), clv_date_text(summary.last, other));
}

PG_FUNCTION_INFO_V1(clv_cells_add);

/* clv_cells_add(clv_cells, clv_history [, jsonb [, float8[]]]) -> clv_cells */
Datum
clv_cells_add(PG_FUNCTION_ARGS)
{
	static const RowForm plain = {.options = 2, .outcome = -1, .covariates = -1};
	static const RowForm moved = {.options = 2, .outcome = -1, .covariates = 3};
	const RowForm *form = PG_NARGS() > 3 ? &moved : &plain;
	double vector[CLV_MAX_COVARIATES];
	ClvCellsState *state;
	ClvCellsState local;

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	state = StateForRow(fcinfo, form, &local);
	if (form->covariates >= 0)
		ReadCovariates(fcinfo, form->covariates, &state->head->options, HistoryRow, vector);
	AddHistory(state, PG_GETARG_CLV_HISTORY_P(1), vector, NULL);
	ReturnState(state);
}

PG_FUNCTION_INFO_V1(clv_cells_add_path_row);

/* clv_cells_add(clv_cells, clv_history, jsonb, [float8[],] clv_calendar) -> clv_cells */
Datum
clv_cells_add_path_row(PG_FUNCTION_ARGS)
{
	static const RowForm plain = {.options = 2, .outcome = -1, .covariates = -1, .path = 3};
	static const RowForm moved = {.options = 2, .outcome = -1, .covariates = 3, .path = 4};
	const RowForm *form = PG_NARGS() > 4 ? &moved : &plain;
	double vector[CLV_MAX_COVARIATES];
	ClvCellsState *state;
	ClvCellsState local;

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	if (PG_ARGISNULL(form->path))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the path of a customer is NULL"),
				 errdetail("It is that of %s.", HistoryRow(fcinfo)),
				 errhint("To leave customers out, use FILTER.")));
	state = StateForRow(fcinfo, form, &local);
	if (form->covariates >= 0)
		ReadCovariates(fcinfo, form->covariates, &state->head->options, HistoryRow, vector);
	AddHistory(state, PG_GETARG_CLV_HISTORY_P(1), vector, PG_GETARG_CLV_CALENDAR_P(form->path));
	ReturnState(state);
}

/* A numeric argument as text, NULL included. */
static char *
ArgumentText(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? "NULL" : clv_number_text(PG_GETARG_FLOAT8(arg));
}

/* The customer of a summary in words, for an error. */
static char *
SummaryRow(FunctionCallInfo fcinfo)
{
	return psprintf("x = %s, t_x = %s, t_cal = %s, mean_spend = %s", ArgumentText(fcinfo, 1),
					ArgumentText(fcinfo, 2), ArgumentText(fcinfo, 3), ArgumentText(fcinfo, 4));
}

/* Raises the error of a summary that no customer can have; hint: NULL for none. */
static pg_attribute_noreturn() void BadSummary(FunctionCallInfo fcinfo, const char *what,
											   const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid customer summary: %s", what),
			 errdetail("The row is %s.", SummaryRow(fcinfo)),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

/* Check a row of x, t_x, t_cal and mean_spend that is not all NULL. */
static void
CheckSummary(FunctionCallInfo fcinfo)
{
	double x, t_x, t_cal;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		BadSummary(fcinfo, "x, t_x and t_cal must be known together",
				   "t_x of a customer without repeat purchases is 0; to leave a customer out, use "
				   "FILTER or make all three NULL.");
	x = PG_GETARG_FLOAT8(1);
	t_cal = PG_GETARG_FLOAT8(3);
	t_x = clv_age_at_last(PG_GETARG_FLOAT8(2), t_cal);
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

/* An error where a summary is impossible in discrete time. */
static void
CheckPossible(FunctionCallInfo fcinfo, const ClvCellsState *state)
{
	const ClvFamily *family = clv_fit_family(&state->head->options);
	double x = PG_GETARG_FLOAT8(1);
	double t_cal = PG_GETARG_FLOAT8(3);
	double t_x = clv_age_at_last(PG_GETARG_FLOAT8(2), t_cal);

	if (state->clock == CLV_CONTINUOUS || clv_possible(family, x, t_x, t_cal))
		return;
	if (t_x != floor(t_x) || t_cal != floor(t_cal))
		BadSummary(fcinfo,
				   psprintf("t_x and t_cal of \"%s\" must be whole numbers of %s", family->name,
							clv_clock_name(state->clock)),
				   "They count periods; time_unit says how long one is.");
	if (state->clock == CLV_RENEWALS)
		BadSummary(fcinfo, "x and t_x must both be the renewals made",
				   "t_cal counts the renewals that were possible: more than t_x where the "
				   "customer left.");
	if (x > t_x)
		BadSummary(fcinfo, "more purchases than opportunities: x is larger than t_x",
				   "Each opportunity is taken or not; t_x is the last one taken, t_cal how many "
				   "there were.");
	BadSummary(fcinfo, psprintf("not possible under model \"%s\"", family->name), NULL);
}

/* Count a summary; the row has been checked but for what its family says. */
static Datum
AddSummary(FunctionCallInfo fcinfo, const RowForm *form)
{
	ClvCellsState local;
	ClvCellsState *state = StateForRow(fcinfo, form, &local);
	double vector[CLV_MAX_COVARIATES];
	ClvCellEntry cell = {0};
	int32 purchases;

	CheckPossible(fcinfo, state);
	if (form->covariates >= 0)
		ReadCovariates(fcinfo, form->covariates, &state->head->options, SummaryRow, vector);
	else if (form->outcome >= 0)
		vector[0] = PG_GETARG_BOOL(form->outcome) ? 1 : 0;

	/* adding 0 turns a negative zero into a zero, whose bits are another number's */
	cell.x = (int32) PG_GETARG_FLOAT8(1);
	cell.count = 1;
	cell.since = ClvDoubleBits(clv_age_at_last(PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3)) + 0.0);
	cell.until = ClvDoubleBits(PG_GETARG_FLOAT8(3) + 0.0);
	cell.vector = clv_cells_vector(state, vector);
	clv_cells_count(state, &cell);

	purchases = cell.x + (state->head->options.spend_basis == CLV_SPEND_ALL ? 1 : 0);
	if (state->head->with_spend && purchases >= 1)
		AddSpend(state, PG_ARGISNULL(4) ? 0 : purchases, PG_ARGISNULL(4) ? 0 : PG_GETARG_FLOAT8(4),
				 cell.vector);
	ReturnState(state);
}

/* Whether x, t_x and t_cal are all NULL: such a row is ignored. */
static bool
IsNoRow(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(1) && PG_ARGISNULL(2) && PG_ARGISNULL(3);
}

PG_FUNCTION_INFO_V1(clv_cells_add_summary);

/* clv_cells_add(clv_cells, x, t_x, t_cal, mean_spend float8 [, jsonb [, float8[]]]) -> clv_cells */
Datum
clv_cells_add_summary(PG_FUNCTION_ARGS)
{
	static const RowForm plain = {.summary = true, .options = 5, .outcome = -1, .covariates = -1};
	static const RowForm moved = {.summary = true, .options = 5, .outcome = -1, .covariates = 6};

	if (IsNoRow(fcinfo))
		return clv_same_state(fcinfo);
	CheckSummary(fcinfo);
	return AddSummary(fcinfo, PG_NARGS() > 6 ? &moved : &plain);
}

PG_FUNCTION_INFO_V1(clv_cells_add_outcome);

/* clv_cells_add(clv_cells, x, t_x, t_cal, mean_spend float8, outcome bool, jsonb) -> clv_cells */
Datum
clv_cells_add_outcome(PG_FUNCTION_ARGS)
{
	static const RowForm form = {.summary = true, .options = 6, .outcome = 5, .covariates = -1};

	if (IsNoRow(fcinfo))
		return clv_same_state(fcinfo);
	CheckSummary(fcinfo);
	if (PG_ARGISNULL(5))
		BadSummary(fcinfo, "outcome must be known",
				   "It says whether the customer bought in the period after t_cal; to leave a "
				   "customer out, use FILTER.");
	return AddSummary(fcinfo, &form);
}

/* ---- contracts, counted: renewals, ended, customers ---- */

/* Raises the error of a row of a table of contracts; hint: NULL for none. */
static pg_attribute_noreturn() void BadContracts(FunctionCallInfo fcinfo, const char *what,
												 const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid row of contracts: %s", what),
			 errdetail("The row is renewals = %s, ended = %s, customers = %s.",
					   PG_ARGISNULL(1) ? "NULL" : psprintf(INT64_FORMAT, PG_GETARG_INT64(1)),
					   PG_ARGISNULL(2)     ? "NULL"
					   : PG_GETARG_BOOL(2) ? "true"
										   : "false",
					   PG_ARGISNULL(3) ? "NULL" : psprintf(INT64_FORMAT, PG_GETARG_INT64(3))),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

/* Check a row of renewals, ended and customers that is not all NULL. */
static void
CheckContracts(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		BadContracts(fcinfo, "renewals, ended and customers must be known together",
					 "To leave a row out, use FILTER or make all three NULL.");
	if (PG_GETARG_INT64(1) < 0 || PG_GETARG_INT64(1) >= PG_INT32_MAX)
		BadContracts(fcinfo, "renewals must be a number from 0",
					 "They count how often the customers of the row have renewed.");
	if (PG_GETARG_INT64(3) < 0 || PG_GETARG_INT64(3) > PG_UINT32_MAX)
		BadContracts(fcinfo, "customers must be a number from 0 to 4294967295",
					 "They are the customers of the row; of survivors, the difference between one "
					 "period and the next are those who ended there.");
}

/* An error unless the model is one of contracts. */
static void
CheckIsOfContracts(const ClvCellsState *state)
{
	if (state->clock != CLV_RENEWALS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a table of contracts cannot be fitted by model \"%s\"",
							   state->head->options.model),
						errhint("Use clv_options(model => 'sbg') or 'bdw'.")));
}

PG_FUNCTION_INFO_V1(clv_cells_add_contracts);

/* clv_cells_add(clv_cells, renewals int8, ended bool, customers int8, jsonb) -> clv_cells */
Datum
clv_cells_add_contracts(PG_FUNCTION_ARGS)
{
	static const RowForm form = {.summary = true, .options = 4, .outcome = -1, .covariates = -1};
	ClvCellsState *state;
	ClvCellsState local;
	ClvCellEntry cell = {0};

	if (IsNoRow(fcinfo))
		return clv_same_state(fcinfo);
	CheckContracts(fcinfo);
	state = StateForRow(fcinfo, &form, &local);
	CheckIsOfContracts(state);
	cell.x = (int32) PG_GETARG_INT64(1);
	cell.count = (uint32) PG_GETARG_INT64(3);
	cell.since = ClvDoubleBits(cell.x);
	cell.until = ClvDoubleBits(cell.x + (PG_GETARG_BOOL(2) ? 1.0 : 0.0));
	cell.vector = clv_cells_vector(state, NULL);
	if (cell.count > 0)
		clv_cells_count(state, &cell);
	if (state->head->with_spend &&
		(cell.x > 0 || state->head->options.spend_basis == CLV_SPEND_ALL))
		state->head->spend_skipped += cell.count;
	ReturnState(state);
}
