/*
 * fit_shock.c
 *		What moves all customers at once, as the fit finds it: the model keeps it for the intervals
 *		of totals (math/shock.h).
 *
 * Cells know when customers bought first and, with that option, how many bought again on each day:
 * the weeks of clv_tracking, counted back from as_of.
 */
#include "fit/fit_private.h"

#include "miscadmin.h"
#include "predict/predict.h"

/* Customers with the same vector whose first purchase was on the same day. */
typedef struct Beginning
{
	uint64 key; /* the place of the vector in their order, and the day */
	double customers;
	char status;
} Beginning;

/* Days before 2000 are negative. */
#define SIGN UINT64CONST(0x80000000)

#define SH_PREFIX beginnings
#define SH_ELEMENT_TYPE Beginning
#define SH_KEY_TYPE uint64
#define SH_KEY key
#define SH_HASH_KEY(table, key) ((uint32) ((key) *UINT64CONST(0x9E3779B97F4A7C15) >> 32))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define ST_SORT SortBeginnings
#define ST_ELEMENT_TYPE Beginning
#define ST_COMPARE(a, b) ((a)->key < (b)->key ? -1 : (a)->key > (b)->key)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define DAYS_AT_FIRST 1024

/* Counts all customers by their beginnings; rank: the places of vectors. */
static beginnings_hash *
CountBeginnings(const FitContext *fit, const uint32 *rank)
{
	const ClvCellsHead *head = fit->view.head;
	beginnings_hash *counted = beginnings_create(CurrentMemoryContext, DAYS_AT_FIRST, NULL);

	for (int64 i = 0; i < head->ncells; i++)
	{
		const ClvCellEntry *cell = &fit->view.cells[i];
		uint64 vector = head->width > 0 ? rank[cell->vector] : 0;
		bool found;
		Beginning *beginning =
			beginnings_insert(counted, vector << 32 | ((uint32) cell->since ^ SIGN), &found);

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		beginning->customers = (found ? beginning->customers : 0) + cell->count;
	}
	return counted;
}

/* The beginnings of all customers in order, those of one vector and day together; n: how many. */
static ClvNewcomers *
Newcomers(const FitContext *fit, int64 *n)
{
	const ClvCellsHead *head = fit->view.head;
	uint32 *rank = clv_fit_alloc(head->nvectors, sizeof(uint32));
	uint32 *order = clv_fit_alloc(head->nvectors, sizeof(uint32));
	beginnings_hash *counted;
	beginnings_iterator iterator;
	Beginning *beginning;
	Beginning *all;
	ClvNewcomers *groups;

	clv_vectors_rank(&fit->view, rank, order);
	counted = CountBeginnings(fit, rank);
	all = clv_fit_alloc(counted->members, sizeof(Beginning));
	groups = clv_fit_alloc(counted->members, sizeof(ClvNewcomers));
	*n = 0;
	beginnings_start_iterate(counted, &iterator);
	while ((beginning = beginnings_iterate(counted, &iterator)) != NULL)
		all[(*n)++] = *beginning;
	beginnings_destroy(counted);
	SortBeginnings(all, *n);
	for (int64 i = 0; i < *n; i++)
		groups[i] = (ClvNewcomers){
			(DateADT) (int32) ((uint32) all[i].key ^ SIGN), all[i].customers,
			head->width > 0 ? fit->view.vectors + (int64) order[all[i].key >> 32] * head->width
							: NULL};
	pfree(all);
	pfree(rank);
	pfree(order);
	return groups;
}

/* The last day of the last week: as_of, or less than a week after the last purchase. */
static DateADT
LastDay(const FitContext *fit)
{
	int64 last = PG_INT64_MIN;

	for (int64 i = 0; i < fit->view.head->ncells; i++)
		last = Max(last, fit->view.cells[i].until);
	return (DateADT) Min(last + CLV_SHOCK_DAYS - 1, fit->fitted.as_of);
}

/* Adds the repeat purchases of each day to its week; week i is after days[i], up to days[i + 1]. */
static void
CountWeeks(const FitContext *fit, const DateADT *days, int weeks, double *actual)
{
	memset(actual, 0, weeks * sizeof(double));
	for (int64 i = 0; i < fit->view.head->ndays; i++)
	{
		const ClvDayEntry *day = &fit->view.days[i];

		if (day->day > days[0] && day->day <= days[weeks])
			actual[(day->day - days[0] - 1) / CLV_SHOCK_DAYS] += (double) day->purchases;
	}
}

void
clv_fit_keep_shock(FitContext *fit)
{
	DateADT last = LastDay(fit);
	int64 span = (int64) last - clv_fit_first(fit);
	int weeks = (int) Min(span / CLV_SHOCK_DAYS, CLV_SHOCK_MOST);
	DateADT *days = palloc((weeks + 1) * sizeof(DateADT));
	double *expected = palloc((weeks + 1) * sizeof(double));
	double *actual = palloc((weeks + 1) * sizeof(double));
	double *work = palloc((2 * weeks + 1) * sizeof(double));
	ClvNewcomers *groups;
	int64 n;

	if (clv_model_fell_short(&fit->fitted.purchase))
		return;
	for (int i = 0; i <= weeks; i++)
		days[i] = last - (weeks - i) * CLV_SHOCK_DAYS;
	groups = Newcomers(fit, &n);
	clv_newcomers_expected(&fit->fitted, groups, n, days, weeks + 1, expected);
	for (int i = 0; i < weeks; i++)
		expected[i] = expected[i + 1] - expected[i];
	CountWeeks(fit, days, weeks, actual);
	fit->fitted.shock = clv_shock_estimate(weeks, actual, expected, work);
	pfree(groups);
}
