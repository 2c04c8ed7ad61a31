/*
 * cells_small.c
 *		The state of a small fit: one piece of memory, without a context of its own.
 *
 * Hash aggregation visits the memory contexts of all its groups whenever a group is
 * new, so that forty thousand groups with a context each took seconds. Until a group
 * has SMALL_ROWS customers or more than SMALL_DAYS repeat purchases its state is therefore a plain
 * value: a head, cells of one customer each in the order of arrival, their days and their spend, with
 * room for some more. The aggregate may change it in place, as it may any state; where there is no
 * more room it returns a larger one. Beyond that it becomes an expanded object, which counts
 * (cells.c).
 *
 * Such a value is seen by the functions of an aggregate and, between workers and their
 * leader, nowhere else: what a user sees, compares or stores is the canonical form.
 * Only aggregates that end with the final functions of this module have small states
 * (clv_cells_may_be_small); no input function takes one in.
 */
#include "cells/cells_rows.h"

#define SMALL_ROWS 128
#define SMALL_DAYS 512
#define ROWS_AT_FIRST 2
#define DAYS_AT_FIRST 4

/* A small state: the head, then cells, days and spend entries with room for some more. */
typedef struct ClvSmall
{
	ClvCellsHead head;
	int32 cells_size;
	int32 days_size;
	int32 spend_size;
	ClvCounting counting; /* see ClvCellsState */
	int32 clock;
	ClvCellEntry cells[FLEXIBLE_ARRAY_MEMBER]; /* then the days, then the spend */
} ClvSmall;

/* The days of a small state, as they came. */
static inline ClvDayEntry *
Days(const ClvSmall *small)
{
	return (ClvDayEntry *) (small->cells + small->cells_size);
}

/* The spend entries of a small state. */
static inline ClvSpendEntry *
Spend(const ClvSmall *small)
{
	return (ClvSpendEntry *) (Days(small) + small->days_size);
}

bool
clv_cells_are_small(Datum cells)
{
	const ClvCellsHead *head = (const ClvCellsHead *) DatumGetPointer(cells);

	return !VARATT_IS_EXTENDED(head) && head->version == CLV_CELLS_SMALL;
}

void
clv_small_view(Datum cells, ClvCellsView *view)
{
	const ClvSmall *small = (const ClvSmall *) DatumGetPointer(cells);

	view->head = &small->head;
	view->vectors = NULL;
	view->cells = small->cells;
	view->spend = Spend(small);
	view->days = Days(small);
	view->calendar = NULL;
	view->paths = NULL;
}

/* Let the state write into the value. */
static void
Open(ClvSmall *small, ClvCellsState *state)
{
	memset(state, 0, sizeof(*state));
	state->small = small;
	state->head = &small->head;
	state->cells = small->cells;
	state->cells_size = small->cells_size;
	state->spend = Spend(small);
	state->spend_size = small->spend_size;
	state->counting = small->counting;
	state->clock = (ClvClock) small->clock;
}

/* A small state with room for so many rows, in the memory of a row, from where the aggregate copies
 * it. */
static ClvSmall *
Allocate(const ClvCellsHead *head, int32 cells, int32 days, int32 spend)
{
	Size size = offsetof(ClvSmall, cells) + cells * sizeof(ClvCellEntry) +
				(Size) days * sizeof(ClvDayEntry) + spend * sizeof(ClvSpendEntry);
	ClvSmall *small = palloc0(size);

	small->head = *head;
	small->head.version = CLV_CELLS_SMALL;
	small->cells_size = cells;
	small->days_size = days;
	small->spend_size = spend;
	SET_VARSIZE(small, size);
	return small;
}

/* A copy of the state with room for these numbers of rows. */
static ClvSmall *
Enlarge(const ClvSmall *small, int32 cells, int32 days, int32 spend)
{
	ClvSmall *larger = Allocate(&small->head, cells, days, spend);

	larger->clock = small->clock;
	larger->counting = small->counting;
	memcpy(larger->cells, small->cells, small->head.ncells * sizeof(ClvCellEntry));
	memcpy(Days(larger), Days(small), small->head.ndays * sizeof(ClvDayEntry));
	memcpy(Spend(larger), Spend(small), small->head.nspend * sizeof(ClvSpendEntry));
	return larger;
}

ClvCellsState *
clv_small_new(const ClvCellsHead *head, int64 cells, int64 spend, ClvCellsState *state)
{
	ClvSmall *small;

	if (head->width > 0 || clv_fit_follows(&head->options) || cells > SMALL_ROWS ||
		spend > SMALL_ROWS)
		return NULL;
	small = Allocate(head, Max(ROWS_AT_FIRST, cells), head->with_days ? DAYS_AT_FIRST : 0,
					 head->with_spend ? Max(ROWS_AT_FIRST, spend) : 0);
	small->head.ncells = small->head.ndays = small->head.nspend = 0;
	small->clock = clv_fit_clock(&head->options);
	clv_fit_counting(&head->options, &small->counting);
	Open(small, state);
	return state;
}

ClvCellsState *
clv_small_open(Datum cells, int64 more_cells, int64 more_spend, ClvCellsState *state)
{
	ClvSmall *small = (ClvSmall *) DatumGetPointer(cells);
	int64 ncells = small->head.ncells + more_cells;
	int64 nspend = small->head.nspend + more_spend;

	if (small->head.ndays > SMALL_DAYS)
		return NULL;
	if (ncells > small->cells_size || nspend > small->spend_size)
	{
		if (ncells > SMALL_ROWS || nspend > SMALL_ROWS)
			return NULL;
		small =
			Enlarge(small, ncells > small->cells_size ? 2 * ncells : small->cells_size,
					small->days_size, nspend > small->spend_size ? 2 * nspend : small->spend_size);
	}
	Open(small, state);
	return state;
}

void
clv_small_add_day(ClvCellsState *state, const ClvDayEntry *day)
{
	ClvSmall *small = state->small;

	if (small->head.ndays == small->days_size)
	{
		small = Enlarge(small, small->cells_size, 2 * small->days_size, small->spend_size);
		Open(small, state);
	}
	Days(small)[small->head.ndays++] = *day;
}
