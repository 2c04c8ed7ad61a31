/*
 * fuzz_dates.c
 *		libFuzzer: days, months and periods, over all days that PostgreSQL has.
 *
 * A day is the one that its month and day of the month say, periods follow each other without gap
 * or overlap, and ages increase.
 */
#include "fuzz.h"

#include "math/dates.h"

/* The first and the last day of PostgreSQL, 4714-11-24 BC and 5874897-12-31. */
#define FIRST_DAY (-2451545)
#define LAST_DAY 2145031948
#define LONGEST 20000

/* Reads a day; mostly of this age. */
static int64_t
NextDay(Bytes *bytes)
{
	unsigned kind = Next(bytes);
	uint64_t word = NextWord(bytes);

	if (kind % 4 == 0)
		return FIRST_DAY + (int64_t) (word % (uint64_t) (LAST_DAY - FIRST_DAY + 1));
	return (int64_t) (word % 40000) - 20000;
}

/* A grid that there is: of months, of those of the calendar, or of days. */
static ClvGrid
NextGrid(Bytes *bytes)
{
	static const int divisors[] = {1, 2, 3, 4, 6, 12};
	unsigned kind = Next(bytes);
	int32_t number = 1 + (int32_t) (NextWord(bytes) % (kind & 4 ? LONGEST : 31));

	if (kind % 3 == 0)
		return (ClvGrid){.days = number, .calendar = kind & 8};
	if (kind % 3 == 1)
		return (ClvGrid){.months = divisors[number % 6], .calendar = true};
	return (ClvGrid){.months = number};
}

void
Check(Bytes *bytes)
{
	int64_t day = NextDay(bytes);
	int64_t origin = NextDay(bytes);
	ClvGrid grid = NextGrid(bytes);
	ClvSteps steps;
	int64_t month;
	int64_t period;
	int64_t over;
	double age;
	int of_month;

	month = clv_day_month(day, &of_month);
	Require(of_month >= 1 && of_month <= 31 && clv_month_day(month, of_month) == day);
	Require(clv_month_day(month, 31) >= day && clv_month_day(month + 1, 1) > day);
	Require(clv_month_day(month + 1, 1) - clv_month_day(month, 1) ==
			clv_month_day(month, 31) - clv_month_day(month, 1) + 1);
	Require(clv_day_plus(day, 0, origin) == day + origin);
	Require(clv_day_plus(clv_month_day(month, 1), 12, 0) - clv_month_day(month, 1) >= 365);

	clv_steps_from(&steps, &grid, origin);
	period = clv_steps_period(&steps, day);
	Require(clv_steps_end(&steps, period - 1) < day && day <= clv_steps_end(&steps, period));
	over = clv_steps_over(&steps, day);
	Require(clv_steps_end(&steps, over) <= day && day < clv_steps_end(&steps, over + 1));
	age = clv_steps_age(&steps, day);
	Require(age >= (double) over && age < (double) (over + 1));
	Require(clv_steps_age(&steps, day + 1) > age);
	Require(clv_steps_campaigns(&steps, day) >= age);
	Require(clv_grid_over(&grid, day) <= day);
	Require(grid.calendar || clv_grid_over(&grid, day) == day);
}
