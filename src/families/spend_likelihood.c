/*
 * spend_likelihood.c
 *		The log-likelihood of customers' mean spends, with its derivatives.
 */
#include "families/spend_likelihood.h"

#include <math.h>
#include <string.h>

#include "math/sort.h"
#include "math/sum.h"

/* Rows that go to the family at once; the call shares what depends on x alone. */
#define SLICE 4096

/* ---- sorting ---- */

enum
{
	DIGIT_MEAN_LOW,
	DIGIT_MEAN_HIGH,
	DIGIT_X,
	DIGITS
};

/* Where the bits of the means begin to differ, and how many of them do not count. */
typedef struct MeanBits
{
	uint64_t low;
	int shift;
} MeanBits;

/* Positive doubles are ordered as their bits are. */
static inline uint64_t
Bits(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* Digit which of a row; arg is the MeanBits. */
static inline uint32_t
RowDigit(const void *record, int which, const void *arg)
{
	const ClvSpendRow *row = record;
	const MeanBits *bits = arg;
	uint64_t level;

	if (which == DIGIT_X)
		return row->x < CLV_SORT_BUCKETS ? (uint32_t) row->x : CLV_SORT_BUCKETS - 1;
	level = (Bits(row->mean) - bits->low) >> bits->shift;
	if (which == DIGIT_MEAN_HIGH)
		level >>= CLV_SORT_BITS;
	return (uint32_t) (level & (CLV_SORT_BUCKETS - 1));
}

/* Orders rows by x, then by mean. */
static inline bool
RowLess(const void *left, const void *right)
{
	const ClvSpendRow *a = left;
	const ClvSpendRow *b = right;

	return a->x != b->x ? a->x < b->x : a->mean < b->mean;
}

/* Finds the bits in which the means of the rows differ. */
static void
Survey(const ClvSpendRow *rows, size_t n, MeanBits *bits)
{
	double low = rows[0].mean;
	double high = rows[0].mean;

	for (size_t i = 1; i < n; i++)
	{
		low = rows[i].mean < low ? rows[i].mean : low;
		high = rows[i].mean > high ? rows[i].mean : high;
	}
	bits->low = Bits(low);
	bits->shift = 0;
	while ((Bits(high) - bits->low) >> bits->shift >> (2 * CLV_SORT_BITS) != 0)
		bits->shift++;
}

/* False where a row is invalid; *by_x is set to whether the rows are in order of x. */
static bool
CheckRows(ClvSpendRows *spend, bool *by_x)
{
	*by_x = true;
	for (size_t i = 0; i < spend->n; i++)
	{
		const ClvSpendRow *row = &spend->rows[i];

		if (row->x < 1 || !(row->mean > 0) || !isfinite(row->mean))
			return false;
		*by_x &= i == 0 || row[-1].x <= row->x;
		clv_poll(spend->poll, 1);
	}
	return true;
}

/* The number of rows from here on that have the same x. */
static size_t
RunLength(const ClvSpendRows *spend, size_t from)
{
	size_t n = 1;

	while (from + n < spend->n && spend->rows[from + n].x == spend->rows[from].x)
		n++;
	return n;
}

/*
 * Rows in order of x are sorted for each x: one pass less, and no more scratch memory is used
 * than the most frequent x needs.
 */
bool
clv_spend_rows_sort(ClvSpendRows *spend, ClvSpendRow *scratch)
{
	static const ClvSorter all = {sizeof(ClvSpendRow), DIGITS, RowDigit, RowLess};
	static const ClvSorter same_x = {sizeof(ClvSpendRow), DIGIT_X, RowDigit, RowLess};
	MeanBits bits;
	bool by_x;
	size_t n;

	if (!CheckRows(spend, &by_x))
		return false;
	for (size_t from = 0; from < spend->n; from += n)
	{
		ClvSpendRow *rows = spend->rows + from;

		n = by_x ? RunLength(spend, from) : spend->n;
		Survey(rows, n, &bits);
		if (by_x)
			clv_sort(&same_x, rows, scratch, n, &bits, spend->poll);
		else
			clv_sort(&all, rows, scratch, n, &bits, spend->poll);
	}
	return true;
}

/* ---- the evaluation ---- */

/* The number of rows for the next call of the family: of one x, at most SLICE. */
static size_t
SliceLength(const ClvSpendRows *spend, size_t from)
{
	size_t n = 1;

	while (n < SLICE && from + n < spend->n && spend->rows[from + n].x == spend->rows[from].x)
		n++;
	return n;
}

void
clv_spend_rows_evaluate(ClvSpendRows *spend, const double *param, ClvQuadratic *at)
{
	int nparams = spend->family->nparams;
	ClvSum value = {0};
	ClvSum gradient[CLV_MAX_PARAMS] = {{0}};
	ClvSum hessian[CLV_MAX_HESSIAN] = {{0}};
	size_t n;

	for (size_t from = 0; from < spend->n; from += n)
	{
		ClvTerm sum;

		n = SliceLength(spend, from);
		spend->family->spend_terms(param, spend->rows[from].x, &spend->rows[from], n, &sum);
		clv_sum_add(&value, sum.ln);
		for (int i = 0; i < nparams; i++)
			clv_sum_add(&gradient[i], sum.gradient[i]);
		for (int i = 0; i < CLV_TRIANGLE(nparams); i++)
			clv_sum_add(&hessian[i], sum.hessian[i]);
		clv_poll(spend->poll, n);
	}
	at->value = clv_sum_value(&value);
	for (int i = 0; i < nparams; i++)
		at->gradient[i] = clv_sum_value(&gradient[i]);
	for (int i = 0; i < CLV_TRIANGLE(nparams); i++)
		at->hessian[i] = clv_sum_value(&hessian[i]);
}
