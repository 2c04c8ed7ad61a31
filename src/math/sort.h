/*
 * sort.h
 *		Sorting millions of small records, interruptibly.
 *
 * Radix passes over approximate digits put nearly all records in order (on a grid of days:
 * all), and a merge sort that skips ordered runs completes it. The digits may be coarse, as
 * long as they never contradict the order: less(a, b) must follow from a lower digit.
 *
 * The functions are templates: with constant arguments the compiler makes a loop without calls.
 */
#ifndef CLV_SORT_H
#define CLV_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "math/poll.h"

#define CLV_SORT_BITS 12
#define CLV_SORT_BUCKETS (1 << CLV_SORT_BITS)
#define CLV_SORT_RUN 16      /* runs that insertion sorts */
#define CLV_SORT_SLICE 16384 /* records between two polls */

#if defined(__GNUC__)
#define CLV_TEMPLATE static inline __attribute__((always_inline))
#else
#define CLV_TEMPLATE static inline
#endif

/* How records are sorted. */
typedef struct ClvSorter
{
	size_t size; /* of a record */
	int digits;  /* radix passes, the least significant digit first */
	uint32_t (*digit)(const void *record, int which, const void *arg); /* < CLV_SORT_BUCKETS */
	bool (*less)(const void *a, const void *b);
} ClvSorter;

/* One stable pass by one digit, into to; false where it would change nothing. */
CLV_TEMPLATE bool
clv_sort_pass(const ClvSorter *sorter, const char *from, char *to, size_t n, int which,
			  const void *arg, ClvPoll *poll)
{
	size_t place[CLV_SORT_BUCKETS] = {0};
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		place[sorter->digit(from + i * sorter->size, which, arg)]++;
		if (i % CLV_SORT_SLICE == 0)
			clv_poll(poll, CLV_SORT_SLICE);
	}
	for (int bucket = 0; bucket < CLV_SORT_BUCKETS; bucket++)
	{
		size_t count = place[bucket];

		if (count == n)
			return false;
		place[bucket] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
	{
		const char *record = from + i * sorter->size;

		memcpy(to + place[sorter->digit(record, which, arg)]++ * sorter->size, record,
			   sorter->size);
		if (i % CLV_SORT_SLICE == 0)
			clv_poll(poll, CLV_SORT_SLICE);
	}
	return true;
}

/* Sort a short run by insertion; the scratch holds one record. */
CLV_TEMPLATE void
clv_sort_insert(const ClvSorter *sorter, char *records, char *scratch, size_t n)
{
	size_t size = sorter->size;

	for (size_t i = 1; i < n; i++)
	{
		size_t j = i;

		if (!sorter->less(records + i * size, records + (i - 1) * size))
			continue;
		memcpy(scratch, records + i * size, size);
		for (; j > 0 && sorter->less(scratch, records + (j - 1) * size); j--)
			memcpy(records + j * size, records + (j - 1) * size, size);
		memcpy(records + j * size, scratch, size);
	}
}

/* Merge two adjacent runs, the left one of which fits into the scratch. */
CLV_TEMPLATE void
clv_sort_merge(const ClvSorter *sorter, char *records, char *scratch, size_t left, size_t n)
{
	size_t size = sorter->size;
	const char *a = scratch;
	const char *a_end = scratch + left * size;
	const char *b = records + left * size;
	const char *b_end = records + n * size;
	char *to = records;

	if (!sorter->less(b, b - size))
		return;
	memcpy(scratch, records, left * size);
	while (a < a_end && b < b_end)
	{
		bool take = sorter->less(b, a);

		memcpy(to, take ? b : a, size);
		b += take ? size : 0;
		a += take ? 0 : size;
		to += size;
	}
	memcpy(to, a, a_end - a);
}

/* Whether the records are in order already; then the scratch memory is not used. */
CLV_TEMPLATE bool
clv_sort_in_order(const ClvSorter *sorter, const char *records, size_t n, ClvPoll *poll)
{
	for (size_t i = 1; i < n; i++)
	{
		if (sorter->less(records + i * sorter->size, records + (i - 1) * sorter->size))
			return false;
		if (i % CLV_SORT_SLICE == 0)
			clv_poll(poll, CLV_SORT_SLICE);
	}
	return true;
}

/* Sorts n records by less, with scratch memory for n more; arg is passed to digit. */
CLV_TEMPLATE void
clv_sort(const ClvSorter *sorter, void *records, void *scratch, size_t n, const void *arg,
		 ClvPoll *poll)
{
	size_t size = sorter->size;
	char *from = records;
	char *to = scratch;

	if (clv_sort_in_order(sorter, records, n, poll))
		return;
	for (int which = 0; which < sorter->digits; which++)
	{
		if (n > CLV_SORT_BUCKETS / 4 && clv_sort_pass(sorter, from, to, n, which, arg, poll))
		{
			char *swap = from;

			from = to;
			to = swap;
		}
	}
	if (from != (char *) records)
		memcpy(records, scratch, n * size);
	from = records;
	for (size_t i = 0; i < n; i += CLV_SORT_RUN)
	{
		clv_sort_insert(sorter, from + i * size, scratch,
						n - i < CLV_SORT_RUN ? n - i : CLV_SORT_RUN);
		clv_poll(poll, CLV_SORT_RUN);
	}
	for (size_t width = CLV_SORT_RUN; width < n; width *= 2)
	{
		for (size_t i = 0; i + width < n; i += 2 * width)
		{
			clv_poll(poll, width);
			clv_sort_merge(sorter, from + i * size, scratch, width,
						   n - i < 2 * width ? n - i : 2 * width);
		}
	}
}

#endif /* CLV_SORT_H */
