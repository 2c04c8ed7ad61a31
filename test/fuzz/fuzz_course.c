/*
 * fuzz_course.c
 *		libFuzzer: fits of customers whose covariates follow a calendar or paths of their own.
 *
 * Whatever the purchases and covariates, a fit must return; where it says CLV_OK its parameters
 * are in their ranges and the log-likelihood is finite and flat there, limits enclose what they
 * are of, and two runs over the same customers in another order give the same bits.
 */
#include "fits.h"

#define MOST_CUSTOMERS 24
#define MOST_PURCHASES 6
#define MOST_STEPS 5
#define COVARIATES 2
#define GROUPS 3
#define BEGIN (-256.0) /* of the first step, before all customers */

/* Customers, their groups, and the steps of their covariates. */
typedef struct Shop
{
	ClvCell cells[MOST_CUSTOMERS];
	ClvCell turned[MOST_CUSTOMERS];
	size_t n;
	ClvGroups groups;
	double own[GROUPS];
	ClvCourse course;
	double from[GROUPS * MOST_STEPS];
	double z[GROUPS * MOST_STEPS * COVARIATES];
	double bought[COVARIATES];
	size_t first[GROUPS + 1];
	uint32_t path[GROUPS];
	ClvGap gaps[MOST_CUSTOMERS * MOST_PURCHASES];
	size_t first_gap[GROUPS + 1];
} Shop;

/* Whether the family has both a calendar and a prior. */
static bool
HasBoth(const ClvFamily *family)
{
	return HasCalendar(family) && HasPrior(family);
}

/* Reads the steps of so many paths. */
static void
NextSteps(Bytes *bytes, int npaths, Shop *shop)
{
	unsigned kind = Next(bytes);
	int n = 0;

	for (int path = 0; path < npaths; path++)
	{
		int steps = 1 + (int) Next(bytes) % MOST_STEPS;
		double from = BEGIN;

		shop->first[path] = (size_t) n;
		shop->course.n = steps > shop->course.n ? steps : shop->course.n;
		for (int i = 0; i < steps; i++, n++)
		{
			shop->from[n] = from;
			from += (1 + Next(bytes)) / (kind & 1 ? 4.0 : 2.0);
			for (int j = 0; j < shop->course.ncovariates; j++)
				shop->z[n * shop->course.ncovariates + j] = kind & 2   ? Next(bytes) % 2
															: kind & 4 ? NextScale(bytes, 4)
																	   : NextShare(bytes);
		}
		shop->first[path + 1] = (size_t) n;
	}
	shop->course.from = shop->from;
	shop->course.z = shop->z;
}

/* The covariates of a path at a time. */
static const double *
CovariatesAt(const Shop *shop, uint32_t path, double t)
{
	size_t i = shop->first[path];

	while (i + 1 < shop->first[path + 1] && shop->from[i + 1] <= t)
		i++;
	return shop->z + i * (size_t) shop->course.ncovariates;
}

/* Reads the customers of a path, who are in its groups, with their gaps. */
static void
NextCustomers(Bytes *bytes, uint32_t path, size_t most, Shop *shop)
{
	size_t *ngaps = &shop->first_gap[path + 1];

	*ngaps = shop->first_gap[path];
	for (size_t i = 0; i < most && bytes->left > 0 && shop->n < MOST_CUSTOMERS; i++)
	{
		ClvCell *cell = &shop->cells[shop->n++];
		double t = 0;

		*cell = (ClvCell){.T = (1 + Next(bytes)) / 2.0, .count = 1};
		while (shop->groups.n > 0 && shop->path[cell->group] != path)
			cell->group++;
		for (unsigned left = Next(bytes) % (MOST_PURCHASES + 1); left > 0 && t < cell->T; left--)
		{
			double next = t + (cell->T - t) * (1 + Next(bytes)) / 256;
			const double *z = CovariatesAt(shop, path, next - cell->T);

			for (int j = 0; j < shop->course.ncovariates; j++)
				shop->bought[j] += z[j];
			shop->gaps[(*ngaps)++] = (ClvGap){t - cell->T, next - cell->T, 1};
			cell->x++;
			t = next;
		}
		cell->t_x = t;
	}
}

/* Fits the shop twice, and its customers in another order. */
static void
Fit(const ClvFamily *family, const ClvFitControl *control, Shop *shop, bool with_limits)
{
	const ClvGroups *groups = shop->groups.n > 0 ? &shop->groups : NULL;
	size_t course = (clv_course_workspace(&shop->course) + 63) / 64 * 64;
	size_t left = shop->n;
	char *memory = Scratch(course + clv_fit_cells_workspace(family, shop->n));
	ClvFitReport report;
	ClvFitReport again;
	ClvLimits limits;
	ClvStatus status;

	shop->course.workspace = memory;
	for (size_t i = 0; i < shop->n; i++)
		shop->turned[shop->n - 1 - i] = shop->cells[i];
	status = clv_fit_cells(family, shop->cells, &left, groups, control, memory + course, &report);
	CheckReport(family, control, status, &report);
	CheckSame(
		&report, &again, status,
		clv_fit_cells(family, shop->turned, &shop->n, groups, control, memory + course, &again));
	if (status != CLV_OK || !with_limits)
		return;
	clv_limits_cells(family, shop->cells, &left, groups, control, memory + course, &report, 1.96,
					 &limits);
	CheckLimits(family, &report, &limits);
}

void
Check(Bytes *bytes)
{
	unsigned kind = Next(bytes);
	const ClvFamily *family = NextFamily(bytes, kind & 1 ? HasBoth : HasCalendar);
	int npaths = kind & 2 ? 1 + (int) Next(bytes) % GROUPS : 1;
	ClvFitControl control = {.max_iterations = 60, .poll = Poll};
	Shop shop = {.course = {.ncovariates = 1 + (kind & 4) / 4}};
	ClvPrior prior;

	control.course = &shop.course;
	if (kind & 1)
	{
		NextPrior(bytes, family, &prior);
		control.prior = &prior;
	}
	if (kind & 8)
		control.effect_penalty_purchase = control.effect_penalty_churn = NextScale(bytes, 3);
	if (kind & 16)
	{
		control.idle_purchase = Next(bytes) % 8;
		control.idle_churn = Next(bytes) % 8;
		control.same = Next(bytes) % 8;
	}
	if (kind & 2)
	{
		shop.groups = (ClvGroups){GROUPS, (int) (kind & 32) / 32, shop.own, NULL};
		shop.course.npaths = (uint32_t) npaths;
		shop.course.first = shop.first;
		shop.course.path = shop.path;
		for (uint32_t i = 0; i < GROUPS; i++)
		{
			shop.own[i] = NextShare(bytes);
			shop.path[i] = i < (uint32_t) npaths ? i : (uint32_t) npaths - 1;
		}
	}
	NextSteps(bytes, npaths, &shop);
	for (uint32_t path = 0; path < (uint32_t) npaths; path++)
		NextCustomers(bytes, path, MOST_CUSTOMERS / (size_t) npaths, &shop);
	shop.course.bought = shop.bought;
	if (kind & 64)
	{
		shop.course.gaps = shop.gaps;
		shop.course.first_gap = shop.first_gap;
	}
	Fit(family, &control, &shop, kind & 128);
}
