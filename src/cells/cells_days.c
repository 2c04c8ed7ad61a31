/*
 * cells_days.c
 *		Repeat purchases counted by day, and the calendar of cells that a fit by a calendar needs.
 *
 * Of the purchases between the first and the last one a fit by a calendar needs the covariates on
 * their days, summed over all customers. The counts by day are that sum for any calendar. They are
 * kept in order of the days, of which there are few.
 */
#include "cells/cells.h"

#include "common/int.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define DAYS_AT_FIRST 64

#define BadDays(...) ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), __VA_ARGS__))

/* The place of the day among those of the state, or where it would be. */
static int64
FindDay(const ClvCellsState *state, int64 day)
{
	int64 low = 0;
	int64 high = state->head->ndays;

	while (low < high)
	{
		int64 middle = low + (high - low) / 2;

		if (state->days[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes room for one more day. */
static void
ReserveDay(ClvCellsState *state)
{
	int64 size = state->days_size * 2 + DAYS_AT_FIRST;

	if (state->head->ndays < state->days_size)
		return;
	if (state->days == NULL)
		state->days = MemoryContextAlloc(state->hdr.eoh_context, size * sizeof(ClvDayEntry));
	else
		state->days = repalloc_huge(state->days, mul_size(size, sizeof(ClvDayEntry)));
	state->days_size = size;
}

void
clv_cells_add_day(ClvCellsState *state, int64 day, int64 purchases)
{
	int64 i = FindDay(state, day);

	if (i == state->head->ndays || state->days[i].day != day)
	{
		ReserveDay(state);
		memmove(state->days + i + 1, state->days + i,
				(state->head->ndays - i) * sizeof(ClvDayEntry));
		state->days[i] = (ClvDayEntry){day, 0};
		state->head->ndays++;
	}
	if (pg_add_s64_overflow(state->days[i].purchases, purchases, &state->days[i].purchases))
		BadDays(errmsg("too many purchases on a day in clv_cells"));
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

int64
clv_cells_combine_days(const ClvCells *left, const ClvCells *right, int sign, ClvDayEntry *result)
{
	const ClvDayEntry *one = ClvCellsDays(left);
	const ClvDayEntry *other = ClvCellsDays(right);
	int64 n = 0;
	int64 i = 0;
	int64 j = 0;

	while (i < left->head.ndays || j < right->head.ndays)
	{
		bool from_left =
			j == right->head.ndays || (i < left->head.ndays && one[i].day <= other[j].day);
		bool from_right =
			i == left->head.ndays || (j < right->head.ndays && other[j].day <= one[i].day);
		ClvDayEntry day = {from_left ? one[i].day : other[j].day, from_left ? one[i].purchases : 0};
		int64 more = from_right ? sign * other[j].purchases : 0;

		if (pg_add_s64_overflow(day.purchases, more, &day.purchases) || day.purchases < 0)
			return -1;
		if (day.purchases > 0)
			result[n++] = day;
		i += from_left;
		j += from_right;
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
		if (i > 0 && days[i].day <= days[i - 1].day)
			BadDays(errmsg("days of purchases in clv_cells are not in order"));
		if (days[i].purchases <= 0)
			BadDays(
				errmsg("number of purchases on a day in clv_cells must be positive: " INT64_FORMAT,
					   days[i].purchases));
		if (days[i].day <= first || days[i].day > last)
			BadDays(
				errmsg("no customer of the clv_cells can have bought again on %s",
					   days[i].day == (DateADT) days[i].day && IS_VALID_DATE((DateADT) days[i].day)
						   ? clv_date_text((DateADT) days[i].day, buffer)
						   : "a day out of range"));
		purchases += (double) days[i].purchases;
	}
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
