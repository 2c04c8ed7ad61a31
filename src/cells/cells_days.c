/*
 * cells_days.c
 *		Repeat purchases counted by day, and the calendar of cells that a fit by a calendar needs.
 *
 * Of the purchases between the first and the last one a fit by a calendar needs the covariates on
 * their days, summed over all customers. The counts by day are that sum for any calendar. Where
 * purchases may be regular it needs the times between them by the clock, too: for any calendar and
 * any effects these follow from the counts by day and gap, of which there are at most as many as
 * pairs of days. With paths each customer has a clock of their own, and counts.
 */
#include "cells/cells.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define BadDays(...) ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), __VA_ARGS__))

/* ---- order ---- */

/* The order of days: by vector, day and gap. */
static inline int
CompareDays(const ClvDayEntry *a, const ClvDayEntry *b)
{
	if (a->vector != b->vector)
		return a->vector < b->vector ? -1 : 1;
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	return a->gap < b->gap ? -1 : a->gap > b->gap;
}

#define ST_SORT SortDays
#define ST_ELEMENT_TYPE ClvDayEntry
#define ST_COMPARE(a, b) CompareDays(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
clv_days_sort(ClvDayEntry *days, int64 n)
{
	SortDays(days, n);
}

/* ---- counting ---- */

/* An entry of the hash table. */
typedef struct Counted
{
	ClvDayEntry day;
	char status;
} Counted;

/* The hash of a day. */
static inline uint32
HashDay(const ClvDayEntry *day)
{
	uint64 hash = ((uint64) (uint32) day->day << 32 | (uint32) day->gap) ^
				  (uint64) day->vector * UINT64CONST(0x9E3779B97F4A7C15);

	hash = (hash ^ (hash >> 32)) * UINT64CONST(0xD6E8FEB86659FD93);
	return (uint32) (hash >> 32);
}

#define SH_PREFIX days
#define SH_ELEMENT_TYPE Counted
#define SH_KEY_TYPE ClvDayEntry
#define SH_KEY day
#define SH_HASH_KEY(table, day) HashDay(&(day))
#define SH_EQUAL(table, a, b) (CompareDays(&(a), &(b)) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define DAYS_AT_FIRST 16

/* Purchases of days that are close to each other are counted by their place in a range of days,
 * where they are counted by the day alone. */
#define RANGE_AT_FIRST 64
#define LONGEST_RANGE 65536

/* Makes the range of counts hold a day; false where it would be too long. */
static bool
Reach(ClvCellsState *state, int32 day)
{
	ClvDayRange *range = &state->range;
	int64 low = range->size > 0 ? Min(range->first, day) : day;
	int64 high = range->size > 0 ? Max((int64) range->first + range->size, (int64) day + 1)
								 : (int64) day + 1;
	int64 size = Max(high - low, Min(2 * (int64) range->size, LONGEST_RANGE));
	int64 *purchases;

	if (size > LONGEST_RANGE)
		return false;
	size = Max(size, RANGE_AT_FIRST);
	if (day < range->first)
		low = Max(high - size, PG_INT32_MIN);
	purchases = MemoryContextAllocZero(state->hdr.eoh_context, size * sizeof(int64));
	if (range->size > 0)
	{
		memcpy(purchases + (range->first - low), range->purchases, range->size * sizeof(int64));
		pfree(range->purchases);
	}
	*range = (ClvDayRange){(int32) low, (int32) size, purchases};
	return true;
}

/* The count of purchases that a day is added to. */
static int64 *
CountOf(ClvCellsState *state, const ClvDayEntry *day)
{
	int64 place = (int64) day->day - state->range.first;
	bool found;
	Counted *counted;

	if (!ClvDaysHaveGaps(state->head))
	{
		if (place >= 0 && place < state->range.size)
			return &state->range.purchases[place];
		if (Reach(state, day->day))
			return &state->range.purchases[day->day - state->range.first];
	}
	if (state->counted == NULL)
		state->counted = days_create(state->hdr.eoh_context, DAYS_AT_FIRST, NULL);
	counted = days_insert(state->counted, *day, &found);
	if (!found)
		counted->day.purchases = 0;
	return &counted->day.purchases;
}

void
clv_cells_add_day(ClvCellsState *state, const ClvDayEntry *day)
{
	int64 *count;

	if (state->small != NULL)
	{
		clv_small_add_day(state, day);
		return;
	}
	count = CountOf(state, day);
	if (pg_add_s64_overflow(*count, day->purchases, count))
		BadDays(errmsg("too many purchases on a day in clv_cells"));
	if (state->days != NULL)
		pfree(state->days);
	state->days = NULL;
}

void
clv_cells_settle_days(ClvCellsState *state)
{
	const ClvDayRange *range = &state->range;
	int64 most = range->size + (state->counted != NULL ? (int64) state->counted->members : 0);
	days_iterator iterator;
	Counted *counted;
	ClvDayEntry *days;
	int64 n = 0;

	if (state->days != NULL || most == 0)
		return;
	days = MemoryContextAllocHuge(state->hdr.eoh_context, mul_size(most, sizeof(ClvDayEntry)));
	for (int32 i = 0; i < range->size; i++)
		if (range->purchases[i] > 0)
			days[n++] = (ClvDayEntry){.day = range->first + i, .purchases = range->purchases[i]};
	if (state->counted != NULL)
	{
		days_start_iterate(state->counted, &iterator);
		while ((counted = days_iterate(state->counted, &iterator)) != NULL)
			days[n++] = counted->day;
		SortDays(days, n);
	}
	state->days = days;
	state->head->ndays = n;
}

void
clv_cells_set_calendar(ClvCellsState *state, const ClvCalendar *calendar)
{
	state->calendar = NULL;
	state->head->calendar_size = 0;
	if (calendar == NULL)
		return;
	state->calendar = clv_calendar_copy(calendar, state->hdr.eoh_context);
	state->head->calendar_size = (int32) VARSIZE(state->calendar);
}

/* One side's day with the new number of its vector. */
static inline ClvDayEntry
Numbered(const ClvCells *cells, const ClvDayEntry *day, const uint32 *number)
{
	ClvDayEntry result = *day;

	if (ClvDaysHaveVectors(&cells->head))
		result.vector = number[day->vector];
	return result;
}

int64
clv_cells_combine_days(const ClvCells *left, const ClvCells *right, int sign, const uint32 *of_left,
					   const uint32 *of_right, ClvDayEntry *result)
{
	const ClvDayEntry *one = ClvCellsDays(left);
	const ClvDayEntry *other = ClvCellsDays(right);
	int64 n = 0;
	int64 i = 0;
	int64 j = 0;

	while (i < left->head.ndays || j < right->head.ndays)
	{
		ClvDayEntry a = i < left->head.ndays ? Numbered(left, &one[i], of_left) : (ClvDayEntry){0};
		ClvDayEntry b =
			j < right->head.ndays ? Numbered(right, &other[j], of_right) : (ClvDayEntry){0};
		int order = i == left->head.ndays ? 1 : j == right->head.ndays ? -1 : CompareDays(&a, &b);
		ClvDayEntry day = order <= 0 ? a : b;
		int64 more = order >= 0 ? sign * b.purchases : 0;

		if (order > 0)
			day.purchases = 0;
		if (pg_add_s64_overflow(day.purchases, more, &day.purchases) || day.purchases < 0)
			return -1;
		if (day.purchases > 0)
			result[n++] = day;
		i += order <= 0;
		j += order >= 0;
		if ((i + j) % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return n;
}

/* The repeat purchases of all cells. */
static double
Purchases(const ClvCellsHead *head, const ClvCellEntry *cells)
{
	double purchases = 0;

	for (int64 i = 0; i < head->ncells; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		purchases += (double) cells[i].count * cells[i].x;
	}
	return purchases;
}

/* An error unless the gaps of the days add up to the sum of the times between purchases. */
static void
CheckSumOfTimes(const ClvCellsHead *head, const ClvDayEntry *days)
{
	double sum = 0;
	double value = ClvTimesValue(&head->times);

	if (!ClvDaysHaveGaps(head))
		return;
	for (int64 i = 0; i < head->ndays; i++)
		sum += (double) days[i].purchases * log(days[i].gap);
	if (!(fabs(sum - value) <= 1e-9 * (1 + sum)))
		BadDays(errmsg("days between purchases in clv_cells are not those of their sum"),
				errdetail("Their logarithms add up to %.9g, the sum is %.9g.", sum, value));
}

void
clv_cells_check_days(const ClvCellsHead *head, const ClvCellEntry *cells, const ClvDayEntry *days)
{
	int64 first = PG_INT64_MAX;
	int64 last = PG_INT64_MIN;
	double purchases = 0;
	char buffer[MAXDATELEN + 1];

	for (int64 i = 0; i < head->ncells; i++)
	{
		if (cells[i].x == 0)
			continue;
		first = Min(first, cells[i].since);
		last = Max(last, cells[i].until);
	}
	for (int64 i = 0; i < head->ndays; i++)
	{
		const ClvDayEntry *day = &days[i];

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (i > 0 && CompareDays(day - 1, day) >= 0)
			BadDays(errmsg("days of purchases in clv_cells are not in order"));
		if (day->purchases <= 0)
			BadDays(
				errmsg("number of purchases on a day in clv_cells must be positive: " INT64_FORMAT,
					   day->purchases));
		if (ClvDaysHaveVectors(head) ? day->vector >= head->nvectors : day->vector != 0)
			BadDays(errmsg("invalid vector number in a day of clv_cells: %u", day->vector));
		if (day->day <= first || day->day > last)
			BadDays(errmsg("no customer of the clv_cells can have bought again on %s",
						   IS_VALID_DATE(day->day) ? clv_date_text(day->day, buffer)
												   : "a day out of range"));
		if (ClvDaysHaveGaps(head) ? day->gap < 1 || day->gap > day->day - first : day->gap != 0)
			BadDays(errmsg("no customer of the clv_cells can have bought on %s and %d days earlier",
						   clv_date_text(day->day, buffer), day->gap));
		purchases += (double) day->purchases;
	}
	CheckSumOfTimes(head, days);
	if (head->with_days && purchases != Purchases(head, cells))
		BadDays(errmsg("purchases by day in clv_cells are not those of the customers"),
				errdetail("By day there are %.0f, customers have %.0f.", purchases,
						  Purchases(head, cells)));
}

void
clv_cells_check_calendar(const ClvCellsHead *head, const ClvCalendar *calendar)
{
	ClvCalendarParts parts;

	if ((calendar == NULL ? 0 : clv_calendar_fingerprint(calendar)) != head->options.calendar)
		BadDays(errmsg("the calendar of clv_cells is not that of their options"));
	if (calendar == NULL)
		return;
	clv_calendar_unpack_value(calendar, &parts);
	clv_fit_options_check_names(&head->options, calendar);
	if ((head->options.idle_purchase | head->options.idle_churn | head->options.same_effects) >>
			(head->options.ncovariates + head->options.npath + parts.nnames) !=
		0)
		BadDays(errmsg("options of clv_cells name covariates that their calendar has not"));
}
