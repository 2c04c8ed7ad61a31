/*
 * days.c
 *		Days unpacked, put in order, and packed into the canonical bytes.
 */
#include "history/days.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define ST_SORT SortDays
#define ST_ELEMENT_TYPE ClvDay
#define ST_COMPARE(a, b) ((a)->day < (b)->day ? -1 : (a)->day > (b)->day)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

void
clv_days_init(ClvDayList *list, int scale, bool wide)
{
	list->days = list->local;
	list->size = CLV_LOCAL_DAYS;
	list->count = 0;
	list->scale = scale;
	list->wide = wide;
}

void
clv_days_append(ClvDayList *list, const ClvDay *day)
{
	if (list->count == list->size)
	{
		Size bytes = mul_size(list->size, sizeof(ClvDay));

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

void
clv_days_free(ClvDayList *list)
{
	if (list->days != list->local)
		pfree(list->days);
}

void
clv_history_too_large(void)
{
	ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					errmsg("the history of one customer exceeds 1 GB"),
					errhint("Group by customer, and round amounts of very many digits.")));
}

/* Units become digits. They live in the current context. */
void
clv_days_widen(ClvDayList *list)
{
	for (Size i = 0; i < list->count; i++)
	{
		ClvDay *day = &list->days[i];
		char text[CLV_UNITS_TEXT_SIZE];

		day->length = clv_units_text(day->units, list->scale, true, text);
		day->digits = pnstrdup(text, day->length);
	}
	list->wide = true;
}

/* Amounts to a finer scale. False, and nothing done, where one does not fit. */
bool
clv_days_rescale(ClvDayList *list, int scale)
{
	int64 factor = clv_power_of_ten[scale - list->scale];
	int64 product;

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

int64
clv_add_counts(int64 a, int64 b)
{
	if (a + b > CLV_MAX_UNKNOWN)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("too many unknown amounts on one day")));
	return a + b;
}

/* Add the entries from .. to, all of one day, into one, which may be the first of them. */
static void
MergeWide(ClvDay *into, const ClvDay *from, const ClvDay *to)
{
	Numeric sum = clv_digits_numeric(from->digits, from->length);

	*into = *from;
	for (const ClvDay *day = from + 1; day <= to; day++)
	{
		Numeric amount = clv_digits_numeric(day->digits, day->length);

		sum = clv_numeric_add(sum, amount);
		pfree(amount);
		into->unknown = clv_add_counts(into->unknown, day->unknown);
		into->bought |= day->bought;
		CHECK_FOR_INTERRUPTS();
	}
	into->digits = numeric_normalize(sum);
	into->length = strlen(into->digits);
}

/* The same for units. False, and nothing done, where the sum does not fit. */
static bool
MergeNarrow(ClvDay *into, const ClvDay *from, const ClvDay *to)
{
	ClvDay sum = *from;

	for (const ClvDay *day = from + 1; day <= to; day++)
	{
		if (pg_add_s64_overflow(sum.units, day->units, &sum.units))
			return false;
		sum.unknown = clv_add_counts(sum.unknown, day->unknown);
		sum.bought |= day->bought;
	}
	*into = sum;
	return true;
}

/*
 * Put the days in order, one entry each. False where a sum does not fit: then
 * the days, some of them put together, must be widened and the whole done again.
 */
bool
clv_days_merge(ClvDayList *list)
{
	ClvDay *days = list->days;
	Size from = 0;
	Size out = 0;

	SortDays(days, list->count);
	while (from < list->count)
	{
		Size to = from;

		while (to + 1 < list->count && days[to + 1].day == days[from].day)
			to++;
		if (list->wide && to > from)
			MergeWide(&days[out], &days[from], &days[to]);
		else if (!MergeNarrow(&days[out], &days[from], &days[to]))
		{
			/* what has been put together stays so; the rest moves up */
			memmove(&days[out], &days[from], (list->count - from) * sizeof(ClvDay));
			list->count -= from - out;
			return false;
		}
		out++;
		from = to + 1;
	}
	list->count = out;
	return true;
}

/* ---- the canonical bytes ---- */

/* The smallest scale that holds all amounts. */
static void
ShortenScale(ClvDayList *list)
{
	int spare = list->scale;

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
SumsFit(const ClvDayList *list)
{
	int64 sum = 0;

	/* summed up on the negative side, which every absolute amount fits */
	for (Size i = 0; i < list->count; i++)
	{
		int64 units = list->days[i].units;

		if (pg_add_s64_overflow(sum, units < 0 ? units : -units, &sum))
			return false;
	}
	return sum != PG_INT64_MIN;
}

/* Digits become units again where that is possible. */
static void
NarrowDays(ClvDayList *list)
{
	int64 unused;

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
		ClvDay *day = &list->days[i];

		clv_digits_to_units(day->digits, day->length, list->scale, &day->units);
	}
	list->wide = !SumsFit(list);
}

/* Make the days what the canonical bytes hold. */
static void
MakeCanonical(ClvDayList *list, bool sorted)
{
	if (!sorted && !clv_days_merge(list))
	{
		clv_days_widen(list);
		clv_days_merge(list);
	}
	if (list->wide)
		NarrowDays(list);
	else
	{
		ShortenScale(list);
		if (!SumsFit(list))
			clv_days_widen(list);
	}
}

/* Write the version, the form and the occasion of the canonical bytes; returns where they end. */
static uint8 *
WriteHeader(uint8 *out, const ClvDayList *list, int32 occasion)
{
	*out++ = CLV_HISTORY_VERSION << CLV_VERSION_SHIFT | (occasion > 1 ? CLV_OCCASION_FLAG : 0) |
			 (list->wide ? CLV_FORM_WIDE : list->scale);
	return occasion > 1 ? WriteVarint(out, occasion) : out;
}

/*
 * The distance of day i as layout.h codes it: of the first day the zigzag of the day itself, else
 * days since the one before.
 */
static uint64
Distance(const ClvDayList *list, Size i)
{
	return i == 0 ? ZigzagEncode(list->days[0].day)
				  : (uint64) ((int64) list->days[i].day - list->days[i - 1].day);
}

#ifdef USE_ASSERT_CHECKING
/* Assert of a finished history all that layout.h states of its bytes. */
static void
AssertHistory(const ClvHistory *history)
{
	int64 last = PG_INT64_MIN;
	bool exact = false;
	int64 sum = 0;
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day))
	{
		clv_check_day(&reader, &day);
		Assert(reader.day > last);
		last = reader.day;
		exact |= day.units % 10 != 0;
		Assert(day.units > PG_INT64_MIN);
		day.units = day.units < 0 ? -day.units : day.units;
		Assert(day.units <= PG_INT64_MAX - sum);
		sum += day.units;
	}
	Assert(reader.wide || exact || reader.scale == 0);
}
#endif

ClvHistory *
clv_days_pack(ClvDayList *list, int32 occasion, bool sorted)
{
	uint8 scratch[CLV_MAX_DAY_SIZE];
	Size size = VARHDRSZ + CLV_MAX_HEADER_SIZE;
	ClvHistory *history;
	uint8 *out;

	MakeCanonical(list, sorted);

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
		clv_history_too_large();

	history = palloc(size);
	out = WriteHeader(history->data, list, occasion);
	for (Size i = 0; i < list->count; i++)
		out = WriteDay(out, &list->days[i], Distance(list, i), list->wide);
	SET_VARSIZE(history, out - (uint8 *) history);
#ifdef USE_ASSERT_CHECKING
	AssertHistory(history);
#endif
	return history;
}
