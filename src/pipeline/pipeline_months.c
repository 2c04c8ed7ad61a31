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
#include "common/bytes_state.h"
#include "history/layout.h"

#define AGGREGATE "clv_pipeline_months()"

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
	ClvBytesState head;
	HTAB *cells; /* NULL: none */
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

static void Send(StringInfo out, const void *months);
static bool Receive(StringInfo in, void *months);

static const ClvStateKind kind = {AGGREGATE, 0x6D6F6E74, sizeof(Months), Send, Receive};

/* The cell, empty where there was none. */
static Cell *
FindCell(Months *state, int32 cohort, int32 month)
{
	MemoryContext context = clv_bytes_state_context(state);
	HASHCTL control = {.keysize = sizeof(CellKey), .entrysize = sizeof(Cell), .hcxt = context};
	CellKey key = {cohort, month};
	bool found;
	Cell *cell;

	if (state->cells == NULL)
		state->cells = hash_create("months of cohorts", 1024, &control,
								   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	cell = hash_search(state->cells, &key, HASH_ENTER, &found);
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
	MemoryContext caller = MemoryContextSwitchTo(clv_bytes_state_context(state));

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

/* clv_pipeline_months_add(bytea, history, as_of) -> bytea; a NULL history is skipped */
Datum
clv_pipeline_months_add(PG_FUNCTION_ARGS)
{
	Months *state;
	ClvHistory *history;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return clv_same_state(fcinfo);
	state = clv_bytes_state_writable(fcinfo, &kind);
	history = PG_GETARG_CLV_HISTORY_P(1);
	AddHistory(state, history, PG_GETARG_DATEADT(2));
	PG_FREE_IF_COPY(history, 1);
	PG_RETURN_DATUM(clv_bytes_state_datum(state));
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

/* clv_pipeline_months_combine(bytea, bytea) -> bytea */
Datum
clv_pipeline_months_combine(PG_FUNCTION_ARGS)
{
	const Months *other = clv_bytes_state_view(fcinfo, 1, &kind);
	Months *state;
	HASH_SEQ_STATUS all;
	const Cell *more;

	if (other == NULL || other->cells == NULL)
		return clv_same_state(fcinfo);
	state = clv_bytes_state_writable(fcinfo, &kind);
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
	PG_RETURN_DATUM(clv_bytes_state_datum(state));
}

/* Appends an amount, as numeric is sent. */
static void
SendAmount(StringInfo out, const Amount *amount)
{
	bytea *bytes =
		DatumGetByteaPP(DirectFunctionCall1(numeric_send, NumericGetDatum(Total(amount))));

	pq_sendbytes(out, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

/* Reads an amount into the memory of the state; an error where the bytes are none. */
static Amount
ReceiveAmount(const Months *state, StringInfo in)
{
	MemoryContext caller = MemoryContextSwitchTo(clv_bytes_state_context(state));
	Amount amount = {{0}, NULL};

	amount.more = DatumGetNumeric(DirectFunctionCall3(
		numeric_recv, PointerGetDatum(in), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	MemoryContextSwitchTo(caller);
	return amount;
}

/* Appends the state to its stored form. */
static void
Send(StringInfo out, const void *months)
{
	const Months *state = months;
	HASH_SEQ_STATUS all;
	const Cell *cell;

	if (state->cells == NULL)
		return;
	hash_seq_init(&all, state->cells);
	while ((cell = hash_seq_search(&all)) != NULL)
	{
		pq_sendint32(out, (uint32) cell->key.cohort);
		pq_sendint32(out, (uint32) cell->key.month);
		pq_sendint64(out, (uint64) cell->customers);
		pq_sendint64(out, (uint64) cell->purchases);
		pq_sendint64(out, (uint64) cell->buyers);
		SendAmount(out, &cell->revenue);
		SendAmount(out, &cell->early);
		SendAmount(out, &cell->after);
	}
}

/* Whether a month is one that a day can be in. */
static bool
IsMonth(int32 month)
{
	return month >= MonthOf(DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE) &&
		   month <= MonthOf(DATE_END_JULIAN - POSTGRES_EPOCH_JDATE - 1);
}

/* Fills the state from its stored form, every number of which is checked. */
static bool
Receive(StringInfo in, void *months)
{
	Months *state = months;

	while (in->cursor < in->len)
	{
		int32 cohort = (int32) pq_getmsgint(in, 4);
		int32 month = (int32) pq_getmsgint(in, 4);
		Cell *cell;

		if (!(cohort == NO_MONTH ? month == NO_MONTH : IsMonth(cohort) && IsMonth(month)))
			return false;
		cell = FindCell(state, cohort, month);
		cell->customers = pq_getmsgint64(in);
		cell->purchases = pq_getmsgint64(in);
		cell->buyers = pq_getmsgint64(in);
		cell->revenue = ReceiveAmount(state, in);
		cell->early = ReceiveAmount(state, in);
		cell->after = ReceiveAmount(state, in);
	}
	return true;
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

/* clv_pipeline_months_final(bytea) -> clv_pipeline_month[]: a row for each cell, in no order;
 * NULL without histories. The state goes on in a window. */
Datum
clv_pipeline_months_final(PG_FUNCTION_ARGS)
{
	const Months *state = clv_bytes_state_view(fcinfo, 0, &kind);
	Oid type = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	TupleDesc desc;
	HASH_SEQ_STATUS all;
	const Cell *cell;
	Datum *row;
	int n = 0;

	if (state == NULL || state->cells == NULL)
		PG_RETURN_NULL();
	desc = lookup_rowtype_tupdesc_copy(type, -1);
	clv_check_row_type(desc);
	row = palloc((Size) hash_get_num_entries(state->cells) * sizeof(Datum));
	hash_seq_init(&all, state->cells);
	while ((cell = hash_seq_search(&all)) != NULL)
		row[n++] = Row(desc, cell);
	PG_RETURN_ARRAYTYPE_P(construct_array(row, n, type, -1, false, TYPALIGN_DOUBLE));
}
