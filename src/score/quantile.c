/*
 * quantile.c
 *		Cut points at the quantiles of a column of numbers, by selection.
 *
 * A few order statistics do not need a sorted column: partitioning only the ranges in
 * which a wanted rank lies costs a few passes. The partition is in three parts, because
 * columns of counts are mostly ties. Pivots come from a fixed pseudo-random sequence, so
 * that no order of rows is a bad case; the result, being a set of order statistics,
 * depends on neither.
 */
#include "score/score.h"

#include "miscadmin.h"

#define SMALL_RANGE 24
#define SAMPLE 9

/* Sorts v[low..high] into ascending order. */
static void
InsertionSort(double *v, int64 low, int64 high)
{
	for (int64 i = low + 1; i <= high; i++)
	{
		double value = v[i];
		int64 j = i;

		for (; j > low && v[j - 1] > value; j--)
			v[j] = v[j - 1];
		v[j] = value;
	}
}

/* A pivot: the median of a few values of v[low..high] at pseudo-random places. */
static double
Pivot(const double *v, int64 low, int64 high, uint64 *seed)
{
	double sample[SAMPLE];

	for (int i = 0; i < SAMPLE; i++)
	{
		/* Knuth's MMIX generator, of which the upper bits are used */
		*seed = *seed * UINT64CONST(6364136223846793005) + UINT64CONST(1442695040888963407);
		sample[i] = v[low + (int64) ((*seed >> 11) % (uint64) (high - low + 1))];
	}
	InsertionSort(sample, 0, SAMPLE - 1);
	return sample[SAMPLE / 2];
}

/* Order v[low..high] into less, equal and greater than the pivot; equal is [*from, *to]. */
static void
Partition(double *v, int64 low, int64 high, double pivot, int64 *from, int64 *to)
{
	int64 i = low;

	while (i <= high)
	{
		double value = v[i];

		if (value < pivot)
		{
			v[i++] = v[low];
			v[low++] = value;
		}
		else if (value > pivot)
		{
			v[i] = v[high];
			v[high--] = value;
		}
		else
			i++;
	}
	*from = low;
	*to = high;
}

/* Put the values of the given ranks (ascending) of v[low..high] where sorting would put them. */
static void
Select(double *v, int64 low, int64 high, const int64 *rank, int nranks, uint64 *seed)
{
	check_stack_depth();
	while (nranks > 0 && high - low >= SMALL_RANGE)
	{
		int64 from;
		int64 to;
		int left = 0;
		int right;

		CHECK_FOR_INTERRUPTS();
		Partition(v, low, high, Pivot(v, low, high, seed), &from, &to);
		while (left < nranks && rank[left] < from)
			left++;
		right = left;
		while (right < nranks && rank[right] <= to)
			right++;
		Select(v, low, from - 1, rank, left, seed);
		low = to + 1;
		rank += right;
		nranks -= right;
	}
	if (nranks > 0)
		InsertionSort(v, low, high);
}

/*
 * The quantile i/bins lies at (n - 1) i / bins, counted from 0. Whole numbers
 * say exactly where it is a value of the column and where between two.
 */
int64
clv_quantile_rank(int64 n, int bins, int i, int *part)
{
	*part = (int) ((n - 1) % bins * i % bins);
	return (n - 1) / bins * i + (n - 1) % bins * i / bins;
}

double
clv_quantile_between(double low, double high, int part, int bins)
{
	/* equal infinities have no difference, and rounding must not pass the upper value */
	return low == high ? low : Min(low + (high - low) * ((double) part / bins), high);
}

void
clv_quantile_cuts(double *values, int64 n, int bins, double *cuts)
{
	int64 rank[2 * CLV_MAX_BINS] = {0};
	int nranks = 0, part;
	uint64 seed = (uint64) n;

	for (int i = 1; i < bins; i++)
	{
		int64 below = clv_quantile_rank(n, bins, i, &part);

		for (int64 r = below; r <= below + (part != 0); r++)
			if (nranks == 0 || rank[nranks - 1] < r)
				rank[nranks++] = r;
	}
	Select(values, 0, n - 1, rank, nranks, &seed);
	for (int i = 1; i < bins; i++)
	{
		int64 below = clv_quantile_rank(n, bins, i, &part);

		cuts[i - 1] =
			clv_quantile_between(values[below], values[part != 0 ? below + 1 : below], part, bins);
	}
}
