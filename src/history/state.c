/*
 * state.c
 *		A history while it is built from transactions.
 *
 * The state is one chunk of memory, in the context of the aggregate: a short
 * header, the day that transactions are being added to, and a log of the days
 * before it in the coding of layout.h. Most customers fit a chunk of a cache
 * line or two, so a hash aggregate over millions of them misses the cache no
 * more often than sum() does.
 *
 * Rows that come in the order of time append to the log. Others do so too, with
 * a distance below 1, and mark the log as unsorted; it is sorted, and equal days
 * are put together, once at the end, or when it would have to grow: so memory
 * grows with the days and not with the rows.
 *
 * Amounts are integers at the state's scale. What does not fit turns the whole
 * log into the wide form, once and for good.
 */
#include "history/day_of_time.h"
#include "history/state.h"

#include "history/days.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* The state: the open day, and the log of the days before it. */
struct ClvHistoryState
{
	uint32 tag;  /* STATE_TAG */
	uint32 used; /* bytes of the log */
	uint32 capacity;
	DateADT day;    /* the open day */
	DateADT logged; /* the last day in the log */
	int64 units;    /* of the open day */
	int64 unknown;
	int32 occasion;
	uint8 scale;
	bool open;   /* there is an open day; never when wide */
	bool bought; /* on the open day */
	bool wide;
	bool sorted; /* the log is strictly ascending */
	uint8 log[FLEXIBLE_ARRAY_MEMBER];
};

#define STATE_TAG 0x68697374

/* A power of two with the log's first few days in it. */
#define FIRST_CHUNK 128

/* An unsorted log of this size is put in order before it grows. */
#define COMPACT_FROM 400

void
clv_time_not_finite(bool future)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("the time of a purchase cannot be \"%s\"", future ? "infinity" : "-infinity"),
			 errhint("Leave such rows out with FILTER or WHERE, or give NULL where the time is "
					 "not known: the row is then skipped.")));
}

void
clv_occasion_is_null(void)
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("the occasion of a history must not be null"),
					errhint("Give a whole number of days, such as 1 or 7.")));
}

void
clv_check_occasion_length(int32 occasion)
{
	if (occasion < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("occasion must be at least 1 day: %d", occasion),
						errhint("Give a whole number of days, such as 1 or 7.")));
}

ClvHistoryState *
clv_state_new(MemoryContext context, int32 occasion)
{
	ClvHistoryState *state;

	clv_check_occasion_length(occasion);
	state = MemoryContextAlloc(context, FIRST_CHUNK);
	memset(state, 0, offsetof(ClvHistoryState, log));
	state->tag = STATE_TAG;
	state->capacity = FIRST_CHUNK - offsetof(ClvHistoryState, log);
	state->occasion = occasion;
	state->scale = 2;
	state->sorted = true;
	return state;
}

ClvHistoryState *
clv_state_of(void *argument)
{
	clv_check_state(argument, STATE_TAG, "clv_history()");
	return argument;
}

int32
clv_state_occasion(const ClvHistoryState *state)
{
	return state->occasion;
}

void
clv_check_occasion(int32 occasion, int32 other)
{
	if (occasion != other)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge histories with occasions of %d and %d days", occasion, other),
				 errhint("Use the same occasion for all histories.")));
}

/* Unpack the log and the open day. The digits stay in the log. */
static void
UnpackDays(const ClvHistoryState *state, ClvDayList *list)
{
	ClvReader reader = {0};
	ClvDay day;

	clv_days_init(list, state->scale, state->wide);
	reader.next = state->log;
	reader.end = state->log + state->used;
	reader.wide = state->wide;
	reader.zigzag = reader.log = true;
	reader.sqlstate = ERRCODE_INTERNAL_ERROR;
	while (ReadDay(&reader, &day))
		clv_days_append(list, &day);

	if (state->open)
	{
		day.day = state->day;
		day.units = state->units;
		day.unknown = state->unknown;
		day.bought = state->bought;
		clv_days_append(list, &day);
	}
}

/* ---- the log ---- */

/* The chunk with room for so many bytes more. */
static ClvHistoryState *
Grow(ClvHistoryState *state, Size bytes)
{
	Size needed = offsetof(ClvHistoryState, log) + state->used + bytes;
	Size size = offsetof(ClvHistoryState, log) + state->capacity;

	while (size < needed && size < MaxAllocSize)
		size *= 2;
	size = Min(size, MaxAllocSize);
	if (size < needed)
		clv_history_too_large();
	state = repalloc(state, size);
	state->capacity = size - offsetof(ClvHistoryState, log);
	return state;
}

static ClvHistoryState *Compact(ClvHistoryState *state);

/*
 * Append a day to the log. An unsorted log of some size is put in order before
 * it grows, which is worth it where few days have many rows; room for as much
 * again makes sure that the next time is as far away as all that came before.
 */
static ClvHistoryState *
LogDay(ClvHistoryState *state, const ClvDay *day)
{
	Size bytes = DaySize(day, state->wide);
	int64 distance;
	uint8 *out;

	if (unlikely(state->capacity - state->used < bytes))
	{
		if (state->used >= COMPACT_FROM && !state->sorted)
		{
			state = Compact(state);
			bytes += state->used;
		}
		if (state->capacity - state->used < bytes)
			state = Grow(state, bytes);
	}

	distance = (int64) day->day - state->logged;
	if (distance <= 0 && state->used > 0)
		state->sorted = false;
	out = WriteDay(state->log + state->used, day, ZigzagEncode(distance), state->wide);
	state->used = out - state->log;
	state->logged = day->day;
	return state;
}

/* Replace the state by one with these days, all in the log. */
static ClvHistoryState *
Rebuild(ClvHistoryState *state, const ClvDayList *list)
{
	ClvHistoryState *rebuilt = clv_state_new(GetMemoryChunkContext(state), state->occasion);

	rebuilt->scale = list->scale;
	rebuilt->wide = list->wide;
	for (Size i = 0; i < list->count; i++)
		rebuilt = LogDay(rebuilt, &list->days[i]);
	pfree(state);
	return rebuilt;
}

/* Put the log in order, unless a sum does not fit: then clv_state_finish widens it. */
static ClvHistoryState *
Compact(ClvHistoryState *state)
{
	ClvDayList list;

	UnpackDays(state, &list);
	if (clv_days_merge(&list))
		state = Rebuild(state, &list);
	clv_days_free(&list);
	return state;
}

/* The state with all its days in the log, in the wide form. */
static ClvHistoryState *
Widen(ClvHistoryState *state)
{
	ClvDayList list;

	UnpackDays(state, &list);
	clv_days_widen(&list);
	state = Rebuild(state, &list);
	clv_days_free(&list);
	return state;
}

/* As units at the state's scale, which becomes finer where need be. */
static bool
FitAmount(ClvHistoryState **state, const ClvDecimal *amount, int64 *units)
{
	if (amount->scale > (*state)->scale)
	{
		ClvDayList list;
		bool fits;

		UnpackDays(*state, &list);
		fits = clv_days_rescale(&list, amount->scale);
		if (fits)
			*state = Rebuild(*state, &list);
		clv_days_free(&list);
		if (!fits)
			return false;
	}
	return !pg_mul_s64_overflow(amount->units, clv_power_of_ten[(*state)->scale - amount->scale],
								units);
}

/* Add a transaction to a state that is, or becomes, wide. */
static ClvHistoryState *
AddWide(ClvHistoryState *state, DateADT when, bool bought, int64 unknown, const ClvDecimal *amount)
{
	char text[CLV_UNITS_TEXT_SIZE] = "0";
	ClvDay day;

	if (!state->wide)
		state = Widen(state);
	day.day = when;
	day.bought = bought;
	day.unknown = unknown;
	day.digits = text;
	if (amount != NULL && amount->text != NULL)
		day.digits = amount->text;
	else if (amount != NULL)
		clv_units_text(amount->units, amount->scale, true, text);
	day.length = strlen(day.digits);
	return LogDay(state, &day);
}

ClvHistoryState *
clv_state_add(ClvHistoryState *state, DateADT day, bool bought, int64 unknown,
			  const ClvDecimal *amount)
{
	int64 units = 0;

	day = clv_grid_day(day, state->occasion);
	if (unlikely(state->wide))
		return AddWide(state, day, bought, unknown, amount);
	if (amount != NULL)
	{
		if (unlikely(amount->text != NULL))
			return AddWide(state, day, bought, unknown, amount);
		if (likely(amount->scale == state->scale))
			units = amount->units;
		else if (!FitAmount(&state, amount, &units))
			return AddWide(state, day, bought, unknown, amount);
	}

	if (state->open && state->day == day)
	{
		int64 sum;

		if (unlikely(pg_add_s64_overflow(state->units, units, &sum)))
			return AddWide(state, day, bought, unknown, amount);
		state->units = sum;
		state->unknown = clv_add_counts(state->unknown, unknown);
		state->bought |= bought;
		return state;
	}

	if (state->open)
	{
		ClvDay closed;

		closed.day = state->day;
		closed.units = state->units;
		closed.unknown = state->unknown;
		closed.bought = state->bought;
		state->open = false;
		state = LogDay(state, &closed);
	}
	state->open = true;
	state->day = day;
	state->units = units;
	state->unknown = unknown;
	state->bought = bought;
	return state;
}

/* ---- states from states and histories ---- */

/* Add a day of another state or history, its amount at that scale or, wide, as digits. */
static ClvHistoryState *
AddDay(ClvHistoryState *state, const ClvDay *day, bool wide, int scale)
{
	ClvDecimal amount = {0};

	if (wide)
		clv_decimal_from_text(pnstrdup(day->digits, day->length), &amount);
	else
	{
		amount.units = day->units;
		amount.scale = scale;
	}
	return clv_state_add(state, day->day, day->bought, day->unknown, &amount);
}

ClvHistoryState *
clv_state_add_history(ClvHistoryState *state, const ClvHistory *history)
{
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, history);
	clv_check_occasion(state->occasion, reader.occasion);
	while (ReadDay(&reader, &day))
		state = AddDay(state, &day, reader.wide, reader.scale);
	return state;
}

ClvHistoryState *
clv_state_add_state(ClvHistoryState *state, const ClvHistoryState *other)
{
	ClvDayList list;

	clv_check_occasion(state->occasion, other->occasion);
	UnpackDays(other, &list);
	for (Size i = 0; i < list.count; i++)
		state = AddDay(state, &list.days[i], list.wide, list.scale);
	clv_days_free(&list);
	return state;
}

ClvHistoryState *
clv_state_parse(MemoryContext context, const uint8 *data, Size size, int sqlstate)
{
	ClvHistoryState *state;
	ClvReader reader;
	ClvDay day;

	clv_reader_header(&reader, data, size, sqlstate);
	if (reader.occasion < 1)
		clv_reader_broken(&reader);
	state = clv_state_new(context, reader.occasion);
	while (ReadDay(&reader, &day))
	{
		clv_check_day(&reader, &day);
		state = AddDay(state, &day, reader.wide, reader.scale);
	}
	return state;
}

ClvHistory *
clv_state_finish(const ClvHistoryState *state)
{
	bool sorted = state->sorted && !(state->open && state->used > 0 && state->day <= state->logged);
	ClvHistory *history;
	ClvDayList list;

	UnpackDays(state, &list);
	history = clv_days_pack(&list, state->occasion, sorted);
	clv_days_free(&list);
	return history;
}
