/*
 * cells_flat.c
 *		Customers added to stored cells, and taken out of them: clv_cells + and -.
 *
 * Both sides are sorted, so one pass over them makes the result. That is several
 * times as fast as an aggregate, which must be ready for cells in any order.
 */
#include "cells/cells.h"

#include "cells/cells_rows.h"
#include "miscadmin.h"

/* Rows between two checks for interrupts. */
#define POLL_ROWS 4096

/* Raises the error of customers to subtract that are not in the cells. */
static void
CannotSubtract(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("cannot subtract customers that are not in the clv_cells"),
					errdetail("%s", detail),
					errhint("Subtract cells that were counted from the same histories "
							"with the same options.")));
}

/* A cell in words, for an error. */
static char *
CellText(const ClvCellsHead *head, const ClvCellEntry *cell)
{
	char one[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	if (head->kind == CLV_CELLS_PERIODS)
		return psprintf("x = %d, t_x = %d, t_cal = %d", cell->x, (int) cell->since,
						(int) cell->until);
	if (head->kind == CLV_CELLS_SUMMARY)
		return psprintf("x = %d, t_x = %s, t_cal = %s", cell->x,
						clv_number_text(ClvBitsDouble(cell->since)),
						clv_number_text(ClvBitsDouble(cell->until)));
	return psprintf("x = %d, first purchase on %s, last on %s", cell->x,
					clv_date_text((DateADT) cell->since, one),
					clv_date_text((DateADT) cell->until, other));
}

/* Memory for so many elements, zeroed: the entries of both sides together may exceed what a value
 * can hold. */
static void *
Room(int64 n, Size size)
{
	return palloc_extended(mul_size(n + 1, size), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* ---- vectors ---- */

/* The vectors of both sides in order, and for each side the numbers of its vectors among them. */
typedef struct Union
{
	int width;
	int64 n;
	double *values;
	uint32 *of_left;
	uint32 *of_right;
} Union;

/* Merge the vectors of both sides. */
static void
UniteVectors(const ClvCells *left, const ClvCells *right, Union *both)
{
	int width = left->head.width;
	int64 i = 0;
	int64 j = 0;

	*both =
		(Union){.width = width,
				.values = Room(left->head.nvectors + right->head.nvectors, width * sizeof(double)),
				.of_left = Room(left->head.nvectors, sizeof(uint32)),
				.of_right = Room(right->head.nvectors, sizeof(uint32))};
	while (i < left->head.nvectors || j < right->head.nvectors)
	{
		const double *one = ClvCellsVectors(left) + i * width;
		const double *other = ClvCellsVectors(right) + j * width;
		int order = i == left->head.nvectors    ? 1
					: j == right->head.nvectors ? -1
												: clv_vector_compare(one, other, width);

		memcpy(both->values + both->n * width, order <= 0 ? one : other, width * sizeof(double));
		if (order <= 0)
			both->of_left[i++] = (uint32) both->n;
		if (order >= 0)
			both->of_right[j++] = (uint32) both->n;
		both->n++;
	}
}

/*
 * Keep the vectors that a cell still has, and renumber those of the cells, of the days and of the
 * spend; returns how many there are. An error where something is left of which there is no
 * customer.
 */
static int64
KeepVectors(const Union *both, const ClvCellsHead *head, ClvCellEntry *cells, ClvDayEntry *days,
			ClvSpendEntry *spend, double *result)
{
	int width = both->width;
	uint32 *number = Room(both->n, sizeof(uint32));
	int64 kept = 0;
	int64 n = head->ncells;

	for (int64 i = 0; i < n; i++)
		number[cells[i].vector] = 1;
	for (int64 i = 0; ClvSpendHasVectors(head) && i < head->nspend; i++)
		if (number[spend[i].vector] == 0)
			CannotSubtract("The spend of a customer is left whose history is not.");
	for (int64 i = 0; ClvDaysHaveVectors(head) && i < head->ndays; i++)
		if (number[days[i].vector] == 0)
			CannotSubtract("A purchase of a customer is left whose history is not.");
	for (int64 i = 0; i < both->n; i++)
		if (number[i] != 0)
		{
			memcpy(result + kept * width, both->values + i * width, width * sizeof(double));
			number[i] = (uint32) kept++;
		}
	for (int64 i = 0; i < n; i++)
		cells[i].vector = width == 0 ? 0 : number[cells[i].vector];
	for (int64 i = 0; ClvSpendHasVectors(head) && i < head->nspend; i++)
		spend[i].vector = number[spend[i].vector];
	for (int64 i = 0; ClvDaysHaveVectors(head) && i < head->ndays; i++)
		days[i].vector = number[days[i].vector];
	pfree(number);
	return kept;
}

/* ---- cells and spend ---- */

/* One side's cell with the vector's number in the union. */
static inline ClvCellEntry
Numbered(const ClvCellEntry *cell, const uint32 *number)
{
	ClvCellEntry result = *cell;

	result.vector = number[cell->vector];
	return result;
}

/* Add (sign 1) or subtract (-1) customers; an error where a cell has fewer. */
static void
ChangeCount(const ClvCellsHead *head, ClvCellEntry *cell, uint32 count, int sign)
{
	if (sign > 0)
		clv_cell_add(cell, count);
	else if (count > cell->count)
		CannotSubtract(psprintf("%u of %u with %s.", count, cell->count, CellText(head, cell)));
	else
		cell->count -= count;
}

/* result = left + right or left - right, all sorted; returns the number of entries */
static int64
CombineCells(const ClvCells *left, const ClvCells *right, int sign, const Union *both,
			 ClvCellEntry *result)
{
	const ClvCellEntry *one = ClvCellsEntries(left);
	const ClvCellEntry *other = ClvCellsEntries(right);
	int64 n = 0;
	int64 i = 0;
	int64 j = 0;

	while (i < left->head.ncells || j < right->head.ncells)
	{
		ClvCellEntry a =
			i < left->head.ncells ? Numbered(&one[i], both->of_left) : (ClvCellEntry){0};
		ClvCellEntry b =
			j < right->head.ncells ? Numbered(&other[j], both->of_right) : (ClvCellEntry){0};
		int order = i == left->head.ncells    ? 1
					: j == right->head.ncells ? -1
											  : clv_cell_compare(&a, &b);

		if (order > 0 && sign < 0)
			CannotSubtract(psprintf("%u of 0 with %s.", b.count, CellText(&right->head, &b)));
		if (order == 0)
			ChangeCount(&left->head, &a, b.count, sign);
		i += order <= 0;
		j += order >= 0;
		if (order > 0)
			result[n++] = b;
		else if (a.count > 0)
			result[n++] = a;
		if ((i + j) % POLL_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return n;
}

/* One side's spend entry with the vector's number in the union. */
static inline ClvSpendEntry
NumberedSpend(const ClvCellsHead *head, const ClvSpendEntry *entry, const uint32 *number)
{
	ClvSpendEntry result = *entry;

	if (ClvSpendHasVectors(head))
		result.vector = number[entry->vector];
	return result;
}

/* The same of what customers spent: a row each, so that equal ones are adjacent. */
static int64
CombineSpend(const ClvCells *left, const ClvCells *right, int sign, const Union *both,
			 ClvSpendEntry *result)
{
	const ClvSpendEntry *one = ClvCellsSpend(left);
	const ClvSpendEntry *other = ClvCellsSpend(right);
	int64 n = 0;
	int64 i = 0;
	int64 j = 0;

	while (i < left->head.nspend || j < right->head.nspend)
	{
		ClvSpendEntry a = i < left->head.nspend ? NumberedSpend(&left->head, &one[i], both->of_left)
												: (ClvSpendEntry){0};
		ClvSpendEntry b = j < right->head.nspend
							  ? NumberedSpend(&right->head, &other[j], both->of_right)
							  : (ClvSpendEntry){0};
		int order = i == left->head.nspend    ? 1
					: j == right->head.nspend ? -1
											  : clv_spend_compare(&a, &b);
		bool taken = order == 0 && sign < 0; /* from both sides */

		if (order > 0 && sign < 0)
			CannotSubtract(psprintf("One with %d purchase%s of %s in the mean.", b.x,
									b.x == 1 ? "" : "s", clv_number_text(ClvSpendMean(&b))));
		if (!taken)
			result[n++] = order <= 0 ? a : b;
		i += order <= 0;
		j += taken || order > 0;
		if ((i + j) % POLL_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
	}
	return n;
}

/* ---- in SQL ---- */

/* Subtract the numbers of customers in the head; an error where the grids differ or a number
 * becomes negative. */
static void
SubtractHeads(ClvCellsHead *head, const ClvCellsHead *right)
{
	clv_cells_check_grid(head, right);
	head->skipped -= right->skipped;
	head->spend_skipped -= right->spend_skipped;
	head->returned -= right->returned;
	if (head->skipped < 0 || head->spend_skipped < 0 || head->returned < 0)
		CannotSubtract("More customers were skipped in the cells to subtract.");
	clv_times_add(&head->times, &right->times, -1);
}

/*
 * An error where the sum of log times that is left is impossible. Customers with the same days of
 * first and last purchases can have different days between; only this sum depends on them, and it
 * does not show every difference.
 */
static void
CheckTimesLeft(const ClvCellsHead *head, const ClvCellEntry *cells)
{
	double least;
	double most;

	if (head->with_times && !clv_times_possible(head, cells, &least, &most))
		CannotSubtract(psprintf(
			"Days between their first and last purchases are others: the logarithms of the "
			"times left add up to %.6g, those of the customers left lie between %.6g and %.6g.",
			ClvTimesValue(&head->times), least, most));
}

/* left + right (sign 1) or left - right (-1), canonical. */
static ClvCells *
Combine(const ClvCells *left, const ClvCells *right, int sign)
{
	ClvCellsHead head = left->head;
	ClvCells *result;
	ClvCellEntry *cells;
	ClvDayEntry *days;
	ClvSpendEntry *spend;
	Union both;

	if (sign > 0)
		clv_cells_add_head(&head, &right->head);
	else
		SubtractHeads(&head, &right->head);
	UniteVectors(left, right, &both);
	cells = Room(left->head.ncells + right->head.ncells, sizeof(ClvCellEntry));
	head.ncells = CombineCells(left, right, sign, &both, cells);
	if (sign < 0)
		CheckTimesLeft(&head, cells);
	days = Room(left->head.ndays + right->head.ndays, sizeof(ClvDayEntry));
	head.ndays = clv_cells_combine_days(left, right, sign, both.of_left, both.of_right, days);
	if (head.ndays < 0)
		CannotSubtract("On a day they have more purchases than all customers of the cells.");
	spend = Room(left->head.nspend + right->head.nspend, sizeof(ClvSpendEntry));
	head.nspend = CombineSpend(left, right, sign, &both, spend);
	/* as many vectors and paths as can be, to begin with */
	head.nvectors = both.n;
	head.paths_size += right->head.paths_size;
	result = palloc0(clv_cells_storable_size(&head));
	head.nvectors = KeepVectors(&both, &head, cells, days, spend, ClvCellsVectors(result));

	result->head = head;
	memcpy(ClvCellsEntries(result), cells, head.ncells * sizeof(ClvCellEntry));
	memcpy(ClvCellsDays(result), days, head.ndays * sizeof(ClvDayEntry));
	memcpy(ClvCellsSpend(result), spend, head.nspend * sizeof(ClvSpendEntry));
	if (head.calendar_size > 0)
		memcpy(ClvCellsEnd(result), ClvCellsEnd(left), head.calendar_size);
	clv_cells_combine_paths(left, right, &result->head, ClvCellsVectors(result),
							ClvCellsPaths(result));
	SET_VARSIZE(result, clv_cells_size(&result->head));
	pfree(cells);
	pfree(days);
	pfree(spend);
	return result;
}

PG_FUNCTION_INFO_V1(clv_cells_plus);

/* clv_cells + clv_cells -> clv_cells */
Datum
clv_cells_plus(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(
		Combine(clv_cells_flat(PG_GETARG_DATUM(0)), clv_cells_flat(PG_GETARG_DATUM(1)), 1));
}

PG_FUNCTION_INFO_V1(clv_cells_subtract);

/* clv_cells - clv_cells -> clv_cells */
Datum
clv_cells_subtract(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(
		Combine(clv_cells_flat(PG_GETARG_DATUM(0)), clv_cells_flat(PG_GETARG_DATUM(1)), -1));
}
