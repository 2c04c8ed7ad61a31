/*
 * pipeline_months.c
 *		The aggregate clv_pipeline_months: what customers have done in which month, by the
 *		month of their first purchase.
 *
 * Each history is read once, and its days are added to the month that they are in. A row
 * of SQL for each day, and a second look at the history for the first day of a month,
 * took thirty times as long. Amounts are added as decimal numbers, without rounding.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "datatype/timestamp.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "clv.h"
#include "history/layout.h"

#define AGGREGATE "clv_pipeline_months()"
#define STATE_TAG 0x6D6F6E74

/* In the place of a month: of customers without a purchase. No day is in it. */
#define NO_MONTH PG_INT32_MIN

/* Amounts, added as whole numbers for each scale while they fit. */
typedef struct Amount
{
	int64 units[CLV_MAX_SCALE + 1];
	Numeric more; /* NULL: nothing; else what did not fit, and amounts of wide histories */
} Amount;

/* What a cell is of; months are counted from year 0. */
typedef struct CellKey
{
	int32 cohort;
	int32 month;
} CellKey;

/* What the customers of a cohort did in a month. */
typedef struct Cell
{
	CellKey key;
	int64 customers; /* in the month of the cohort */
	int64 purchases;
	int64 buyers;
	Amount revenue; /* in the first month with that of refunds before */
	Amount early;   /* of these refunds, in the first month */
	Amount after;   /* after the day, in the first month */
} Cell;

/* The state of the aggregate. */
typedef struct Months
{
	uint32 tag; /* STATE_TAG */
	MemoryContext context;
	HTAB *cells;
} Months;

/* A row of the result, as the type clv_pipeline_month declares it. */
enum
{
	ROW_COHORT,
	ROW_MONTH,
	ROW_CUSTOMERS,
	ROW_PURCHASES,
	ROW_BUYERS,
	ROW_REVENUE,
	ROW_EARLY,
	ROW_AFTER,
	ROW_COLUMNS
};

/* The state that an argument is; NULL: none yet. An error for the state of another aggregate. */
static Months *
StateArgument(FunctionCallInfo fcinfo, int arg)
{
	return clv_state_argument(fcinfo, arg, STATE_TAG, AGGREGATE);
}

/* A state without cells. */
static Months *
NewState(MemoryContext context)
{
	Months *state = MemoryContextAllocZero(context, sizeof(Months));
	HASHCTL control = {.keysize = sizeof(CellKey), .entrysize = sizeof(Cell), .hcxt = context};

	state->tag = STATE_TAG;
	state->context = context;
	state->cells =
		hash_create("months of cohorts", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return state;
}

/* The cell, empty where there was none. */
static Cell *
FindCell(Months *state, int32 cohort, int32 month)
{
	CellKey key = {cohort, month};
	bool found;
	Cell *cell = hash_search(state->cells, &key, HASH_ENTER, &found);

	if (!found)
	{
		memset(cell, 0, sizeof(Cell));
		cell->key = key;
	}
	return cell;
}

/* The month of a day, counted from year 0. */
static int32
MonthOf(DateADT day)
{
	int year;
	int month;
	int of_month;

	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &of_month);
	return 12 * year + month - 1;
}

/* The first day of such a month. */
static DateADT
FirstDay(int32 month)
{
	int year = month >= 0 ? month / 12 : -((11 - month) / 12);

	return date2j(year, month - 12 * year + 1, 1) - POSTGRES_EPOCH_JDATE;
}

/* Adds a decimal number, which is copied, to what does not fit. */
static void
AddNumeric(Months *state, Amount *amount, Numeric number)
{
	MemoryContext caller = MemoryContextSwitchTo(state->context);

	amount->more = amount->more == NULL ? DatumGetNumericCopy(NumericGetDatum(number))
										: clv_numeric_add(amount->more, number);
	MemoryContextSwitchTo(caller);
}

/* Adds units of that scale. */
static void
AddUnits(Months *state, Amount *amount, int64 units, int scale)
{
	int64 sum;

	if (!pg_add_s64_overflow(amount->units[scale], units, &sum))
	{
		amount->units[scale] = sum;
		return;
	}
	AddNumeric(state, amount, clv_units_numeric(amount->units[scale], scale));
	amount->units[scale] = units;
}

/* Adds the net amount of a day. */
static void
AddDay(Months *state, Amount *amount, const ClvReader *reader, const ClvDay *day)
{
	if (reader->wide)
		AddNumeric(state, amount, clv_digits_numeric(day->digits, day->length));
	else
		AddUnits(state, amount, day->units, reader->scale);
}

/* The whole of an amount. */
static Numeric
Total(const Amount *amount)
{
	Numeric total = amount->more != NULL ? DatumGetNumericCopy(NumericGetDatum(amount->more))
										 : clv_units_numeric(0, 0);

	for (int scale = 0; scale <= CLV_MAX_SCALE; scale++)
		if (amount->units[scale] != 0)
			total = clv_numeric_add(total, clv_units_numeric(amount->units[scale], scale));
	return total;
}

/* The month of the first purchase up to the day, or NO_MONTH. */
static int32
CohortOf(const ClvHistory *history, DateADT as_of)
{
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day) && day.day <= as_of)
		if (day.bought)
			return MonthOf(day.day);
	return NO_MONTH;
}

/* Adds a history, as of a day. */
static void
AddHistory(Months *state, const ClvHistory *history, DateADT as_of)
{
	int32 cohort = CohortOf(history, as_of);
	Cell *first = FindCell(state, cohort, cohort);
	Cell *cell = first;
	DateADT end = cohort == NO_MONTH ? 0 : FirstDay(cohort + 1); /* of the days of the cell */
	bool bought = false;
	bool ever = false;
	ClvReader reader;
	ClvDay day;

	first->customers++;
	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day))
	{
		CHECK_FOR_INTERRUPTS();
		ever |= day.bought;
		if (day.day > as_of)
			AddDay(state, &first->after, &reader, &day);
		else if (!ever || cohort == NO_MONTH)
		{
			AddDay(state, &first->revenue, &reader, &day);
			if (cohort != NO_MONTH)
				AddDay(state, &first->early, &reader, &day);
		}
		else
		{
			if (day.day >= end)
			{
				int32 month = MonthOf(day.day);

				cell = FindCell(state, cohort, month);
				end = FirstDay(month + 1);
				bought = false;
			}
			cell->purchases += day.bought;
			cell->buyers += day.bought && !bought;
			bought |= day.bought;
			AddDay(state, &cell->revenue, &reader, &day);
		}
	}
}

PG_FUNCTION_INFO_V1(clv_pipeline_months_add);

/* clv_pipeline_months_add(internal, history, as_of) -> internal; a NULL history is skipped */
Datum
clv_pipeline_months_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	Months *state = StateArgument(fcinfo, 0);
	ClvHistory *history;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return clv_same_state(fcinfo);
	if (state == NULL)
		state = NewState(context);
	history = PG_GETARG_CLV_HISTORY_P(1);
	AddHistory(state, history, PG_GETARG_DATEADT(2));
	PG_FREE_IF_COPY(history, 1);
	PG_RETURN_POINTER(state);
}

/* Adds one amount to another. */
static void
Merge(Months *state, Amount *amount, const Amount *other)
{
	for (int scale = 0; scale <= CLV_MAX_SCALE; scale++)
		AddUnits(state, amount, other->units[scale], scale);
	if (other->more != NULL)
		AddNumeric(state, amount, other->more);
}

PG_FUNCTION_INFO_V1(clv_pipeline_months_combine);

/* clv_pipeline_months_combine(internal, internal) -> internal */
Datum
clv_pipeline_months_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	Months *state = StateArgument(fcinfo, 0);
	const Months *other = StateArgument(fcinfo, 1);
	HASH_SEQ_STATUS all;
	const Cell *more;

	if (other == NULL)
		return clv_same_state(fcinfo);
	if (state == NULL)
		state = NewState(context);
	hash_seq_init(&all, other->cells);
	while ((more = hash_seq_search(&all)) != NULL)
	{
		Cell *cell = FindCell(state, more->key.cohort, more->key.month);

		cell->customers += more->customers;
		cell->purchases += more->purchases;
		cell->buyers += more->buyers;
		Merge(state, &cell->revenue, &more->revenue);
		Merge(state, &cell->early, &more->early);
		Merge(state, &cell->after, &more->after);
	}
	PG_RETURN_POINTER(state);
}

/* Appends an amount, as numeric is sent. */
static void
SendAmount(StringInfo out, const Amount *amount)
{
	bytea *bytes =
		DatumGetByteaPP(DirectFunctionCall1(numeric_send, NumericGetDatum(Total(amount))));

	pq_sendbytes(out, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

/* Reads an amount; an error where the bytes are none. */
static Amount
ReceiveAmount(StringInfo in)
{
	Amount amount = {{0}, NULL};

	amount.more = DatumGetNumeric(DirectFunctionCall3(
		numeric_recv, PointerGetDatum(in), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	return amount;
}

PG_FUNCTION_INFO_V1(clv_pipeline_months_serialize);

/* clv_pipeline_months_serialize(internal) -> bytea */
Datum
clv_pipeline_months_serialize(PG_FUNCTION_ARGS)
{
	const Months *state;
	HASH_SEQ_STATUS all;
	const Cell *cell;
	StringInfoData out;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	state = StateArgument(fcinfo, 0);
	pq_begintypsend(&out);
	hash_seq_init(&all, state->cells);
	while ((cell = hash_seq_search(&all)) != NULL)
	{
		pq_sendint32(&out, (uint32) cell->key.cohort);
		pq_sendint32(&out, (uint32) cell->key.month);
		pq_sendint64(&out, (uint64) cell->customers);
		pq_sendint64(&out, (uint64) cell->purchases);
		pq_sendint64(&out, (uint64) cell->buyers);
		SendAmount(&out, &cell->revenue);
		SendAmount(&out, &cell->early);
		SendAmount(&out, &cell->after);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Whether a month is one that a day can be in. */
static bool
IsMonth(int32 month)
{
	return month >= MonthOf(DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE) &&
		   month <= MonthOf(DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1);
}

PG_FUNCTION_INFO_V1(clv_pipeline_months_deserialize);

/* clv_pipeline_months_deserialize(bytea, internal) -> internal; every number is checked */
Datum
clv_pipeline_months_deserialize(PG_FUNCTION_ARGS)
{
	const bytea *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData in;
	Months *state;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	initStringInfo(&in);
	appendBinaryStringInfo(&in, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	state = NewState(CurrentMemoryContext);
	while (in.cursor < in.len)
	{
		int32 cohort = (int32) pq_getmsgint(&in, 4);
		int32 month = (int32) pq_getmsgint(&in, 4);
		Cell *cell;

		if (!(cohort == NO_MONTH ? month == NO_MONTH : IsMonth(cohort) && IsMonth(month)))
			ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
							errmsg("malformed state of %s", AGGREGATE)));
		cell = FindCell(state, cohort, month);
		cell->customers = pq_getmsgint64(&in);
		cell->purchases = pq_getmsgint64(&in);
		cell->buyers = pq_getmsgint64(&in);
		cell->revenue = ReceiveAmount(&in);
		cell->early = ReceiveAmount(&in);
		cell->after = ReceiveAmount(&in);
	}
	PG_RETURN_POINTER(state);
}

/* A cell as a row of the type clv_pipeline_month. */
static Datum
Row(TupleDesc desc, const Cell *cell)
{
	Datum value[ROW_COLUMNS];
	bool null[ROW_COLUMNS] = {false};

	null[ROW_COHORT] = null[ROW_MONTH] = cell->key.cohort == NO_MONTH;
	value[ROW_COHORT] = DateADTGetDatum(null[ROW_COHORT] ? 0 : FirstDay(cell->key.cohort));
	value[ROW_MONTH] = DateADTGetDatum(null[ROW_MONTH] ? 0 : FirstDay(cell->key.month));
	value[ROW_CUSTOMERS] = Int64GetDatum(cell->customers);
	value[ROW_PURCHASES] = Int64GetDatum(cell->purchases);
	value[ROW_BUYERS] = Int64GetDatum(cell->buyers);
	value[ROW_REVENUE] = NumericGetDatum(Total(&cell->revenue));
	value[ROW_EARLY] = NumericGetDatum(Total(&cell->early));
	value[ROW_AFTER] = NumericGetDatum(Total(&cell->after));
	return HeapTupleGetDatum(heap_form_tuple(desc, value, null));
}

PG_FUNCTION_INFO_V1(clv_pipeline_months_final);

/* clv_pipeline_months_final(internal) -> clv_pipeline_month[]: a row for each cell, in no order;
 * NULL without histories. The state goes on in a window. */
Datum
clv_pipeline_months_final(PG_FUNCTION_ARGS)
{
	const Months *state = StateArgument(fcinfo, 0);
	Oid type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	TupleDesc desc;
	HASH_SEQ_STATUS all;
	const Cell *cell;
	Datum *row;
	int n = 0;

	if (state == NULL)
		PG_RETURN_NULL();
	desc = lookup_rowtype_tupdesc_copy(type, -1);
	clv_check_row_type(desc);
	row = palloc((Size) hash_get_num_entries(state->cells) * sizeof(Datum));
	hash_seq_init(&all, state->cells);
	while ((cell = hash_seq_search(&all)) != NULL)
		row[n++] = Row(desc, cell);
	PG_RETURN_ARRAYTYPE_P(construct_array(row, n, type, -1, false, TYPALIGN_DOUBLE));
}
