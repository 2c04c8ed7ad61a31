/*
 * state.c
 *		A history in the making.
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
#include "history/state.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/memutils.h"

struct ClvHistoryState
{
	uint32		used;			/* bytes of the log */
	uint32		capacity;
	DateADT		day;			/* the open day */
	DateADT		logged;			/* the last day in the log */
	int64		units;			/* of the open day */
	int64		unknown;
	int32		occasion;
	uint8		scale;
	bool		open;			/* is there an open day? never when wide */
	bool		bought;			/* on the open day */
	bool		wide;
	bool		sorted;			/* the log is strictly ascending */
	uint8		log[FLEXIBLE_ARRAY_MEMBER];
};

/* A power of two with the log's first few days in it. */
#define FIRST_CHUNK 64

/* An unsorted log is put in order before it grows beyond this. */
#define COMPACT_FROM 1024

/* Days unpacked; the first few need no allocation. */
#define LOCAL_DAYS 64

typedef struct DayList
{
	ClvDay	   *days;
	Size		count;
	Size		size;
	int			scale;
	bool		wide;
	ClvDay		local[LOCAL_DAYS];
} DayList;

#define ST_SORT SortDays
#define ST_ELEMENT_TYPE ClvDay
#define ST_COMPARE(a, b) ((a)->day < (b)->day ? -1 : (a)->day > (b)->day)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

ClvHistoryState *
clv_state_new(MemoryContext context, int32 occasion)
{
	ClvHistoryState *state;

	if (occasion < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("an occasion cannot be %d days long", occasion),
						errhint("Give a whole number of days, such as 1 or 7.")));

	state = MemoryContextAlloc(context, FIRST_CHUNK);
	memset(state, 0, offsetof(ClvHistoryState, log));
	state->capacity = FIRST_CHUNK - offsetof(ClvHistoryState, log);
	state->occasion = occasion;
	state->scale = 2;
	state->sorted = true;
	return state;
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
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("histories with occasions of %d and %d days cannot be put together",
							   occasion, other),
						errhint("Give the same occasion everywhere.")));
}

/* ---- days in a row, unpacked ---- */

static void
AppendDay(DayList *list, const ClvDay *day)
{
	if (list->count == list->size)
	{
		Size		bytes = mul_size(list->size, sizeof(ClvDay));

		if (list->days == list->local)
		{
			list->days = palloc(bytes * 2);
			memcpy(list->days, list->local, bytes);
		}
		else
			list->days = repalloc_huge(list->days, mul_size(bytes, 2));
		list->size *= 2;
		CHECK_FOR_INTERRUPTS();
	}
	list->days[list->count++] = *day;
}

/* Unpack the log and the open day. The digits stay in the log. */
static void
UnpackDays(const ClvHistoryState *state, DayList *list)
{
	ClvReader	reader = {0};
	ClvDay		day;

	list->days = list->local;
	list->size = LOCAL_DAYS;
	list->count = 0;
	list->scale = state->scale;
	list->wide = state->wide;

	reader.next = state->log;
	reader.end = state->log + state->used;
	reader.wide = state->wide;
	reader.zigzag = reader.log = true;
	reader.sqlstate = ERRCODE_INTERNAL_ERROR;
	while (ReadDay(&reader, &day))
		AppendDay(list, &day);

	if (state->open)
	{
		day.day = state->day;
		day.units = state->units;
		day.unknown = state->unknown;
		day.bought = state->bought;
		AppendDay(list, &day);
	}
}

static void
FreeDays(DayList *list)
{
	if (list->days != list->local)
		pfree(list->days);
}

/* Units become digits. They live in the current context. */
static void
WidenDays(DayList *list)
{
	for (Size i = 0; i < list->count; i++)
	{
		ClvDay	   *day = &list->days[i];
		char		text[CLV_UNITS_TEXT_SIZE];

		day->length = clv_units_text(day->units, list->scale, true, text);
		day->digits = pnstrdup(text, day->length);
	}
	list->wide = true;
}

/* Amounts to a finer scale. False, and nothing done, where one does not fit. */
static bool
RescaleDays(DayList *list, int scale)
{
	int64		factor = clv_power_of_ten[scale - list->scale];
	int64		product;

	for (Size i = 0; i < list->count; i++)
	{
		if (pg_mul_s64_overflow(list->days[i].units, factor, &product))
			return false;
	}
	for (Size i = 0; i < list->count; i++)
		list->days[i].units *= factor;
	list->scale = scale;
	return true;
}

static int64
AddCounts(int64 a, int64 b)
{
	int64		sum;

	if (pg_add_s64_overflow(a, b, &sum))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("too many unknown amounts on one day")));
	return sum;
}

/* Put days from..to, all the same day, into one. */
static void
MergeWide(ClvDay *into, const ClvDay *from, const ClvDay *to)
{
	Numeric		sum = clv_digits_numeric(from->digits, from->length);

	*into = *from;
	for (const ClvDay *day = from + 1; day <= to; day++)
	{
		Numeric		amount = clv_digits_numeric(day->digits, day->length);

		sum = clv_numeric_add(sum, amount);
		pfree(amount);
		into->unknown = AddCounts(into->unknown, day->unknown);
		into->bought |= day->bought;
		CHECK_FOR_INTERRUPTS();
	}
	into->digits = numeric_normalize(sum);
	into->length = strlen(into->digits);
}

/*
 * Put the days in order, one entry each. False where a sum does not fit: then
 * the days must be widened, and the whole done again.
 */
static bool
MergeDays(DayList *list)
{
	ClvDay	   *days = list->days;
	Size		out = 0;

	SortDays(days, list->count);
	for (Size i = 0; i < list->count; i++)
	{
		if (list->wide)
		{
			Size		last = i;

			while (last + 1 < list->count && days[last + 1].day == days[i].day)
				last++;
			if (last > i)
				MergeWide(&days[out++], &days[i], &days[last]);
			else
				days[out++] = days[i];
			i = last;
		}
		else if (out > 0 && days[out - 1].day == days[i].day)
		{
			ClvDay	   *into = &days[out - 1];

			if (pg_add_s64_overflow(into->units, days[i].units, &into->units))
			{
				/* what has been put together stays so; the rest moves up */
				memmove(&days[out], &days[i], (list->count - i) * sizeof(ClvDay));
				list->count = out + list->count - i;
				return false;
			}
			into->unknown = AddCounts(into->unknown, days[i].unknown);
			into->bought |= days[i].bought;
		}
		else
			days[out++] = days[i];
	}
	list->count = out;
	return true;
}

/* ---- the log ---- */

static void
TooLarge(void)
{
	ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					errmsg("the history of one customer exceeds 1 GB"),
					errhint("Is the GROUP BY by customer? Round amounts of very many digits.")));
}

/* The chunk with room for so many bytes more. */
static ClvHistoryState *
Grow(ClvHistoryState *state, Size bytes)
{
	Size		needed = offsetof(ClvHistoryState, log) + state->used + bytes;
	Size		size = offsetof(ClvHistoryState, log) + state->capacity;

	while (size < needed)
		size *= 2;
	if (size > MaxAllocSize)
		size = MaxAllocSize;
	if (size < needed)
		TooLarge();
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
	Size		bytes = DaySize(day, state->wide);
	int64		distance;
	uint8	   *out;

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
Rebuild(ClvHistoryState *state, const DayList *list)
{
	ClvHistoryState *rebuilt = clv_state_new(GetMemoryChunkContext(state), state->occasion);

	rebuilt->scale = list->scale;
	rebuilt->wide = list->wide;
	for (Size i = 0; i < list->count; i++)
		rebuilt = LogDay(rebuilt, &list->days[i]);
	pfree(state);
	return rebuilt;
}

/* Put the log in order, unless a sum does not fit: then the end will see to it. */
static ClvHistoryState *
Compact(ClvHistoryState *state)
{
	DayList		list;

	UnpackDays(state, &list);
	if (MergeDays(&list))
		state = Rebuild(state, &list);
	FreeDays(&list);
	return state;
}

static ClvHistoryState *
Widen(ClvHistoryState *state)
{
	DayList		list;

	UnpackDays(state, &list);
	WidenDays(&list);
	state = Rebuild(state, &list);
	FreeDays(&list);
	return state;
}

/* As units at the state's scale, which becomes finer where need be. */
static bool
FitAmount(ClvHistoryState **state, const ClvDecimal *amount, int64 *units)
{
	if (amount->scale > (*state)->scale)
	{
		DayList		list;
		bool		fits;

		UnpackDays(*state, &list);
		fits = RescaleDays(&list, amount->scale);
		if (fits)
			*state = Rebuild(*state, &list);
		FreeDays(&list);
		if (!fits)
			return false;
	}
	return !pg_mul_s64_overflow(amount->units,
								clv_power_of_ten[(*state)->scale - amount->scale], units);
}

static ClvHistoryState *
AddWide(ClvHistoryState *state, DateADT when, bool bought, int64 unknown,
		const ClvDecimal *amount)
{
	char		text[CLV_UNITS_TEXT_SIZE] = "0";
	ClvDay		day;

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

/* The first day of the cell of the grid, which is anchored on a Monday. */
static DateADT
GridDay(DateADT day, int32 occasion)
{
	const int64 monday = 366;	/* 2001-01-01 */
	int64		into;

	if (occasion == 1)
		return day;
	into = ((int64) day - monday) % occasion;
	if (into < 0)
		into += occasion;
	if (!IS_VALID_DATE(day - into))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("the occasion of %d days begins before the first possible date",
							   occasion)));
	return (DateADT) (day - into);
}

ClvHistoryState *
clv_state_add(ClvHistoryState *state, DateADT day, bool bought, int64 unknown,
			  const ClvDecimal *amount)
{
	int64		units = 0;

	day = GridDay(day, state->occasion);
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
		int64		sum;

		if (unlikely(pg_add_s64_overflow(state->units, units, &sum)))
			return AddWide(state, day, bought, unknown, amount);
		state->units = sum;
		state->unknown = AddCounts(state->unknown, unknown);
		state->bought |= bought;
		return state;
	}

	if (state->open)
	{
		ClvDay		closed;

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

static ClvHistoryState *
AddDay(ClvHistoryState *state, const ClvDay *day, bool wide, int scale)
{
	ClvDecimal	amount = {0};

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
	ClvReader	reader;
	ClvDay		day;

	clv_reader_open(&reader, history);
	clv_check_occasion(state->occasion, reader.occasion);
	while (ReadDay(&reader, &day))
		state = AddDay(state, &day, reader.wide, reader.scale);
	return state;
}

ClvHistoryState *
clv_state_add_state(ClvHistoryState *state, const ClvHistoryState *other)
{
	DayList		list;

	clv_check_occasion(state->occasion, other->occasion);
	UnpackDays(other, &list);
	for (Size i = 0; i < list.count; i++)
		state = AddDay(state, &list.days[i], list.wide, list.scale);
	FreeDays(&list);
	return state;
}

bool
clv_digits_canonical(const char *digits, int length)
{
	int			i = 0;
	int			point;

	if (i < length && digits[i] == '-')
	{
		if (length == 2 && digits[1] == '0')
			return false;
		i++;
	}
	point = i;
	while (point < length && digits[point] >= '0' && digits[point] <= '9')
		point++;
	if (point == i || (digits[i] == '0' && point > i + 1))
		return false;
	if (point == length)
		return true;
	if (digits[point] != '.' || point + 1 == length || digits[length - 1] == '0')
		return false;
	for (i = point + 1; i < length; i++)
	{
		if (digits[i] < '0' || digits[i] > '9')
			return false;
	}
	return true;
}

/* A day must be able to exist: the coding alone admits more. */
static void
CheckDay(const ClvReader *reader, const ClvDay *day)
{
	bool		negative = reader->wide ? day->digits[0] == '-' : day->units < 0;

	if (!IS_VALID_DATE(reader->day) || day->unknown < 0 ||
		(reader->wide && !clv_digits_canonical(day->digits, day->length)) ||
		(!day->bought && !negative) ||
		GridDay(day->day, reader->occasion) != day->day)
		clv_reader_broken(reader);
}

ClvHistoryState *
clv_state_parse(MemoryContext context, const uint8 *data, Size size, int sqlstate)
{
	ClvHistoryState *state;
	ClvReader	reader;
	ClvDay		day;

	clv_reader_header(&reader, data, size, sqlstate);
	if (reader.occasion < 1)
		clv_reader_broken(&reader);
	state = clv_state_new(context, reader.occasion);
	while (ReadDay(&reader, &day))
	{
		CheckDay(&reader, &day);
		state = AddDay(state, &day, reader.wide, reader.scale);
	}
	return state;
}

/* ---- the finished history ---- */

/* The smallest scale that holds all amounts. */
static void
ShortenScale(DayList *list)
{
	int			spare = list->scale;

	for (Size i = 0; i < list->count && spare > 0; i++)
	{
		while (list->days[i].units % clv_power_of_ten[spare] != 0)
			spare--;
	}
	if (spare == 0)
		return;
	for (Size i = 0; i < list->count; i++)
		list->days[i].units /= clv_power_of_ten[spare];
	list->scale -= spare;
}

/* Whether no partial sum of the amounts can leave 64 bits. */
static bool
SumsFit(const DayList *list)
{
	int64		sum = 0;

	/* summed up on the negative side, which every absolute amount fits */
	for (Size i = 0; i < list->count; i++)
	{
		int64		units = list->days[i].units;

		if (pg_add_s64_overflow(sum, units < 0 ? units : -units, &sum))
			return false;
	}
	return sum != PG_INT64_MIN;
}

/* Digits become units again where that is possible. */
static void
NarrowDays(DayList *list)
{
	int64		unused;

	list->scale = 0;
	for (Size i = 0; i < list->count; i++)
	{
		const ClvDay *day = &list->days[i];

		list->scale = Max(list->scale, clv_digits_scale(day->digits, day->length));
	}
	if (list->scale > CLV_MAX_SCALE)
		return;
	for (Size i = 0; i < list->count; i++)
	{
		const ClvDay *day = &list->days[i];

		if (!clv_digits_to_units(day->digits, day->length, list->scale, &unused))
			return;
	}
	for (Size i = 0; i < list->count; i++)
	{
		ClvDay	   *day = &list->days[i];

		clv_digits_to_units(day->digits, day->length, list->scale, &day->units);
	}
	list->wide = !SumsFit(list);
}

/* Make the days what the canonical bytes hold. */
static void
CanonicalDays(DayList *list, bool sorted)
{
	if (!sorted && !MergeDays(list))
	{
		WidenDays(list);
		MergeDays(list);
	}
	if (list->wide)
		NarrowDays(list);
	else
	{
		ShortenScale(list);
		if (!SumsFit(list))
			WidenDays(list);
	}
}

static uint8 *
WriteHeader(uint8 *out, const DayList *list, int32 occasion)
{
	*out++ = CLV_HISTORY_VERSION << CLV_VERSION_SHIFT |
			 (occasion > 1 ? CLV_OCCASION_FLAG : 0) | (list->wide ? CLV_FORM_WIDE : list->scale);
	return occasion > 1 ? WriteVarint(out, occasion) : out;
}

static uint64
Distance(const DayList *list, Size i)
{
	return i == 0 ? ZigzagEncode(list->days[0].day)
				  : (uint64) ((int64) list->days[i].day - list->days[i - 1].day);
}

static ClvHistory *
Pack(const DayList *list, int32 occasion)
{
	uint8		scratch[CLV_MAX_DAY_SIZE];
	Size		size = VARHDRSZ + CLV_MAX_HEADER_SIZE;
	ClvHistory *history;
	uint8	   *out;

	/* a day of the wide form is taken at its largest, others are measured */
	for (Size i = 0; i < list->count; i++)
	{
		const ClvDay *day = &list->days[i];

		if (list->wide)
			size += DaySize(day, true);
		else
			size += WriteDay(scratch, day, Distance(list, i), false) - scratch;
	}
	if (size > MaxAllocSize)
		TooLarge();

	history = palloc(size);
	out = WriteHeader(history->data, list, occasion);
	for (Size i = 0; i < list->count; i++)
		out = WriteDay(out, &list->days[i], Distance(list, i), list->wide);
	SET_VARSIZE(history, out - (uint8 *) history);
	return history;
}

ClvHistory *
clv_state_finish(const ClvHistoryState *state)
{
	bool		sorted = state->sorted && !(state->open && state->used > 0 &&
										state->day <= state->logged);
	ClvHistory *history;
	DayList		list;

	UnpackDays(state, &list);
	CanonicalDays(&list, sorted);
	history = Pack(&list, state->occasion);
	FreeDays(&list);
	return history;
}
