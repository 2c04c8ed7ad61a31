/*
 * fit_shock.c
 *		What moves all customers at once, as the fit finds it: the model keeps it for the intervals of
 *		totals (math/shock.h).
 *
 * Cells know when customers bought first and, with that option, how many bought again on each day:
 * the weeks of clv_tracking, counted back from as_of.
 */
#include "fit/fit_private.h"

#include "miscadmin.h"
#include "predict/predict.h"

/* A cell's newcomers, for sorting: by their vectors in order, and by day. */
typedef struct Beginning
{
	uint32 vector;
	DateADT first;
	double customers;
} Beginning;

#define ST_SORT SortBeginnings
#define ST_ELEMENT_TYPE Beginning
#define ST_COMPARE(a, b)                                                                           \
	((a)->vector != (b)->vector ? ((a)->vector < (b)->vector ? -1 : 1)                             \
	 : (a)->first != (b)->first ? ((a)->first < (b)->first ? -1 : 1)                               \
								: 0)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The beginnings of all customers in order, those of one vector and day together; n: how many. */
static ClvNewcomers *
Newcomers(const FitContext *fit, int64 *n)
{
	const ClvCellsHead *head = fit->view.head;
	Beginning *all = clv_fit_alloc(head->ncells, sizeof(Beginning));
	ClvNewcomers *groups = clv_fit_alloc(head->ncells, sizeof(ClvNewcomers));
	uint32 *rank = clv_fit_alloc(head->nvectors, sizeof(uint32));
	uint32 *order = clv_fit_alloc(head->nvectors, sizeof(uint32));

	clv_vectors_rank(&fit->view, rank, order);
	for (int64 i = 0; i < head->ncells; i++)
	{
		const ClvCellEntry *cell = &fit->view.cells[i];

		all[i] = (Beginning){head->width > 0 ? rank[cell->vector] : 0, (DateADT) cell->since,
							 cell->count};
	}
	SortBeginnings(all, head->ncells);
	*n = 0;
	for (int64 i = 0; i < head->ncells; i++)
	{
		bool another = i == 0 || all[i].vector != all[i - 1].vector || all[i].first != all[i - 1].first;

		if (another)
			groups[(*n)++] =
				(ClvNewcomers){all[i].first, 0,
							   head->width > 0 ? fit->view.vectors +
													 (int64) order[all[i].vector] * head->width
											   : NULL};
		groups[*n - 1].customers += all[i].customers;
	}
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
	int64 span = (int64) LastDay(fit) - clv_fit_first(fit);
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
		days[i] = LastDay(fit) - (weeks - i) * CLV_SHOCK_DAYS;
	groups = Newcomers(fit, &n);
	clv_newcomers_expected(&fit->fitted, groups, n, days, weeks + 1, expected);
	for (int i = 0; i < weeks; i++)
		expected[i] = expected[i + 1] - expected[i];
	CountWeeks(fit, days, weeks, actual);
	fit->fitted.shock = clv_shock_estimate(weeks, actual, expected, work);
	pfree(groups);
}
