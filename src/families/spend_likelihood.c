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
	DIGITS,
	DIGIT_GROUP_LOW = DIGITS,
	DIGIT_GROUP_HIGH,
	DIGITS_WITH_GROUPS
};

/* Where the bits of the means begin to differ, and how many of them, and of groups, do not count.
 */
typedef struct RowBits
{
	uint64_t low;
	int shift;
	int group_shift;
} RowBits;

/* Positive doubles are ordered as their bits are. */
static inline uint64_t
Bits(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* Digit which of a row; arg is the RowBits. */
static inline uint32_t
RowDigit(const void *record, int which, const void *arg)
{
	const ClvSpendRow *row = record;
	const RowBits *bits = arg;
	uint64_t level;

	if (which == DIGIT_X)
		return row->x < CLV_SORT_BUCKETS ? (uint32_t) row->x : CLV_SORT_BUCKETS - 1;
	if (which == DIGIT_GROUP_LOW)
		return (row->group >> bits->group_shift) & (CLV_SORT_BUCKETS - 1);
	if (which == DIGIT_GROUP_HIGH)
		return row->group >> bits->group_shift >> CLV_SORT_BITS;
	level = (Bits(row->mean) - bits->low) >> bits->shift;
	if (which == DIGIT_MEAN_HIGH)
		level >>= CLV_SORT_BITS;
	return (uint32_t) (level & (CLV_SORT_BUCKETS - 1));
}

/* Orders rows by group, then by x, then by mean. */
static inline bool
RowLess(const void *left, const void *right)
{
	const ClvSpendRow *a = left;
	const ClvSpendRow *b = right;

	if (a->group != b->group)
		return a->group < b->group;
	return a->x != b->x ? a->x < b->x : a->mean < b->mean;
}

/* Finds the bits in which the means, and the groups, of the rows differ. */
static void
Survey(const ClvSpendRow *rows, size_t n, RowBits *bits)
{
	double low = rows[0].mean;
	double high = rows[0].mean;
	uint32_t group = 0;

	for (size_t i = 1; i < n; i++)
	{
		low = rows[i].mean < low ? rows[i].mean : low;
		high = rows[i].mean > high ? rows[i].mean : high;
		group = rows[i].group > group ? rows[i].group : group;
	}
	bits->low = Bits(low);
	bits->shift = 0;
	while ((Bits(high) - bits->low) >> bits->shift >> (2 * CLV_SORT_BITS) != 0)
		bits->shift++;
	bits->group_shift = 0;
	while (group >> bits->group_shift >> (2 * CLV_SORT_BITS) != 0)
		bits->group_shift++;
}

/*
 * False where a row is invalid; *by_x is set to whether the rows are in order of x, *grouped to
 * whether they are of different groups.
 */
static bool
CheckRows(ClvSpendRows *spend, bool *by_x, bool *grouped)
{
	*by_x = true;
	*grouped = false;
	for (size_t i = 0; i < spend->n; i++)
	{
		const ClvSpendRow *row = &spend->rows[i];

		if (row->x < 1 || !(row->mean > 0) || !isfinite(row->mean))
			return false;
		*by_x &= i == 0 || row[-1].x <= row->x;
		*grouped |= i > 0 && row[-1].group != row->group;
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
	static const ClvSorter groups = {sizeof(ClvSpendRow), DIGITS_WITH_GROUPS, RowDigit, RowLess};
	RowBits bits;
	bool by_x;
	bool grouped;
	size_t n;

	if (!CheckRows(spend, &by_x, &grouped))
		return false;
	if (grouped)
	{
		Survey(spend->rows, spend->n, &bits);
		clv_sort(&groups, spend->rows, scratch, spend->n, &bits, spend->poll);
		return true;
	}
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

/* The number of rows for the next call of the family: of one group and x, at most SLICE. */
static size_t
SliceLength(const ClvSpendRows *spend, size_t from)
{
	const ClvSpendRow *row = &spend->rows[from];
	size_t n = 1;

	while (n < SLICE && from + n < spend->n && row[n].x == row->x && row[n].group == row->group)
		n++;
	return n;
}

/* Adds the slice at from to the sums; returns its length. */
static size_t
AddSlice(ClvSpendRows *spend, size_t from, const double *param, ClvTerm *sum)
{
	size_t n = SliceLength(spend, from);

	spend->family->spend_terms(param, spend->rows[from].x, &spend->rows[from], n, sum);
	clv_poll(spend->poll, n);
	return n;
}

/* Adds all rows, at the same parameters for all customers. */
static void
EvaluateAlike(ClvSpendRows *spend, const double *param, ClvTotals *totals)
{
	for (size_t from = 0; from < spend->n;)
	{
		ClvTerm sum;

		from += AddSlice(spend, from, param, &sum);
		clv_sum_add(&totals->value, sum.ln);
		clv_totals_add(totals, &sum);
	}
}

/* Adds all rows, group by group, each at its own parameters. */
static void
EvaluateGroups(ClvSpendRows *spend, const double *point, ClvTotals *totals)
{
	const ClvCovariates *covariates = spend->covariates;
	const ClvFamily *family = spend->family;
	size_t from = 0;

	while (from < spend->n)
	{
		uint32_t group = spend->rows[from].group;
		double z[CLV_MAX_COVARIATES];
		double param[CLV_MAX_PARAMS];

		clv_covariates_of(covariates, group, z);
		clv_param_with_effects(family, point, covariates->n, point + family->nparams, z, param);
		while (from < spend->n && spend->rows[from].group == group)
		{
			ClvTerm sum;

			from += AddSlice(spend, from, param, &sum);
			clv_sum_add(&totals->value, sum.ln);
			clv_totals_fold(totals, family, covariates->n, z, &sum);
		}
	}
}

void
clv_spend_rows_evaluate(ClvSpendRows *spend, const double *point, ClvQuadratic *at)
{
	int ncovariates = spend->covariates == NULL ? 0 : spend->covariates->n;
	ClvTotals totals;

	clv_totals_clear(&totals, spend->family->nparams + 2 * ncovariates);
	if (spend->covariates == NULL)
		EvaluateAlike(spend, point, &totals);
	else
		EvaluateGroups(spend, point, &totals);
	clv_totals_value(&totals, at);
}
