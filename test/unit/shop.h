/*
 * shop.h
 *		Customers to fit: the CDNOW log, and simulated ones.
 */
#ifndef CLV_TEST_SHOP_H
#define CLV_TEST_SHOP_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "families/likelihood.h"
#include "shared.h"

typedef struct Shop
{
	ClvCell *cells; /* one a customer */
	size_t n;
	ClvSpendRow *rows; /* repeat buyers with a positive mean */
	size_t nrows;
} Shop;

/* Frees the arrays of a shop. */
static inline void
ShopFree(Shop *shop)
{
	free(shop->cells);
	free(shop->rows);
	memset(shop, 0, sizeof(*shop));
}

/* Days since 1970-01-01 of a date of our calendar. */
static inline long
DayNumber(int year, int month, int day)
{
	long y = year - (month <= 2);
	long m = month + (month <= 2 ? 12 : 0);

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + day - 1 - 719468;
}

typedef struct Purchase
{
	long day;
	double amount;
} Purchase;

/* The order of purchases for qsort: by customer, then by day. */
static inline int
ComparePurchases(const void *left, const void *right)
{
	const Purchase *a = left;
	const Purchase *b = right;

	return (a->day > b->day) - (a->day < b->day);
}

/* One customer's purchases, in any order, become a cell in weeks and a spend row. */
static inline void
AddCustomer(Shop *shop, Purchase *log, size_t n, long as_of)
{
	ClvCell *cell = &shop->cells[shop->n];
	long last;
	int x = 0;
	double spend = 0;

	qsort(log, n, sizeof(*log), ComparePurchases);
	if (n == 0 || log[0].day > as_of)
		return;
	last = log[0].day;
	for (size_t i = 1; i < n && log[i].day <= as_of; i++)
	{
		x += log[i].day != last;
		spend += log[i].day != log[0].day ? log[i].amount : 0;
		last = log[i].day;
	}
	*cell = (ClvCell){x, 0, (last - log[0].day) / 7.0, (as_of - log[0].day) / 7.0, 1};
	shop->n++;
	if (x > 0 && spend > 0)
		shop->rows[shop->nrows++] = (ClvSpendRow){spend / x, x, 0};
}

/* A log sorted by customer, whose first column is the customer and last the amount. */
static inline bool
LoadLog(const char *name, int date_column, long as_of, Shop *shop)
{
	FILE *file = OpenShared(name);
	static Purchase log[100000];
	size_t n = 0;
	long customer = -1;
	char line[1024];

	memset(shop, 0, sizeof(*shop));
	if (file == NULL)
		return false;
	shop->cells = calloc(100000, sizeof(ClvCell));
	shop->rows = calloc(100000, sizeof(ClvSpendRow));
	if (fgets(line, sizeof(line), file) == NULL)
		abort();
	while (fgets(line, sizeof(line), file) != NULL)
	{
		const char *date = line;
		int year;
		int month;
		int day;

		for (int i = 0; i < date_column; i++)
			date = strchr(date, ',') + 1;
		if (atol(line) != customer)
		{
			AddCustomer(shop, log, n, as_of);
			n = 0;
		}
		customer = atol(line);
		if (sscanf(date, "%d-%d-%d", &year, &month, &day) != 3)
			abort();
		log[n].day = DayNumber(year, month, day);
		log[n++].amount = atof(strrchr(line, ',') + 1);
	}
	AddCustomer(shop, log, n, as_of);
	fclose(file);
	return true;
}

/* ---- chance, the same everywhere: splitmix64 ---- */

typedef uint64_t Chance;

/* A random number in (0, 1), by splitmix64. */
static inline double
Uniform(Chance *chance)
{
	uint64_t z = (*chance += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	z ^= z >> 31;
	return ((double) (z >> 11) + 0.5) / 9007199254740992.0;
}

/* A random number of the exponential distribution with mean 1. */
static inline double
Exponential(Chance *chance)
{
	return -log(Uniform(chance));
}

/* Marsaglia and Tsang; shapes below 1 by the power of a uniform. */
static inline double
Gamma(Chance *chance, double shape)
{
	double boost = shape < 1 ? pow(Uniform(chance), 1 / shape) : 1;
	double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;

	for (;;)
	{
		double z = sqrt(2 * Exponential(chance)) * cos(6.283185307179586 * Uniform(chance));
		double v = pow(1 + z / sqrt(9 * d), 3);

		if (v > 0 && log(Uniform(chance)) < z * z / 2 + d - d * v + d * log(v))
			return boost * d * v;
	}
}

/* A random number of Beta(a, b). */
static inline double
Beta(Chance *chance, double a, double b)
{
	double x = Gamma(chance, a);

	return x / (x + Gamma(chance, b));
}

/*
 * A bg/nbd (immediate 0) or mbg/nbd (immediate 1) customer of age T. grid > 0: times are
 * rounded to multiples of it, but never to 0: x > 0 at t_x = 0 makes the
 * likelihood rise without bound as alpha vanishes.
 */
static inline ClvCell
DrawCustomer(Chance *chance, const double *param, int immediate, double T, double grid)
{
	double rate = Gamma(chance, param[0]) / param[1];
	double p = Beta(chance, param[2], param[3]);
	ClvCell cell = {0, 0, 0, T, 1};
	double t = 0;

	if (immediate && Uniform(chance) < p)
		return cell;
	for (;;)
	{
		t += Exponential(chance) / rate;
		if (!(t <= T))
			break;
		cell.x++;
		cell.t_x = t;
		if (Uniform(chance) < p)
			break;
	}
	if (grid > 0 && cell.x > 0)
		cell.t_x = fmin(T, fmax(grid, grid * nearbyint(cell.t_x / grid)));
	return cell;
}

/* The mean of x gamma/gamma purchases. */
static inline ClvSpendRow
DrawSpend(Chance *chance, const double *param, int x)
{
	double rate = Gamma(chance, param[1]) / param[2];

	return (ClvSpendRow){Gamma(chance, param[0] * x) / rate / x, x, 0};
}

#endif /* CLV_TEST_SHOP_H */
