/*
 * dates.c
 *		Days, months and periods of time, by the calendar.
 *
 * Years are counted from March on, so that the leap day is the last day of a year; then the
 * months begin (153 m + 2) / 5 days after March 1, and any 400 years have 146,097 days.
 */
#include "math/dates.h"

#define DAYS_400_YEARS 146097
#define MARCH_OF_YEAR_0 (-730425) /* the day 0000-03-01 */
#define MONDAY 366                /* the day 2001-01-01 */
#define LONGEST_MONTH 31

/* a / b rounded down, b > 0 */
static inline int64_t
FloorDivide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
clv_day_month(int64_t day, int *of_month)
{
	int64_t since = day - MARCH_OF_YEAR_0;
	int64_t era = FloorDivide(since, DAYS_400_YEARS);
	int32_t rest = (int32_t) (since - era * DAYS_400_YEARS);
	/* past leap days are subtracted before days are divided into years of 365 */
	int32_t year = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
	int32_t of_year = rest - (365 * year + year / 4 - year / 100);
	int32_t month = (5 * of_year + 2) / 153;

	*of_month = of_year - (153 * month + 2) / 5 + 1;
	return (era * 400 + year) * 12 + month + 2;
}

/* The first day of a month. */
static int64_t
MonthBegin(int64_t month)
{
	int64_t year = FloorDivide(month - 2, 12);
	int64_t of_year = month - 2 - year * 12;

	return MARCH_OF_YEAR_0 + 365 * year + FloorDivide(year, 4) - FloorDivide(year, 100) +
		   FloorDivide(year, 400) + (153 * of_year + 2) / 5;
}

int64_t
clv_month_day(int64_t month, int of_month)
{
	int64_t day = MonthBegin(month) + of_month - 1;
	int64_t last;

	if (of_month <= 28)
		return day;
	last = MonthBegin(month + 1) - 1;
	return day < last ? day : last;
}

int64_t
clv_day_plus(int64_t day, int64_t months, int64_t days)
{
	int of_month;
	int64_t month;

	if (months == 0)
		return day + days;
	month = clv_day_month(day, &of_month);
	return clv_month_day(month + months, of_month) + days;
}

void
clv_steps_from(ClvSteps *steps, const ClvGrid *grid, int64_t origin)
{
	steps->grid = *grid;
	steps->day = origin;
	steps->month = steps->of_month = 0;
	if (grid->months > 0)
	{
		steps->month = clv_day_month(origin, &steps->of_month);
		if (grid->calendar)
		{
			steps->month = (FloorDivide(steps->month, grid->months) + 1) * grid->months - 1;
			steps->of_month = LONGEST_MONTH;
		}
	}
	else if (grid->calendar)
		steps->day = MONDAY + (FloorDivide(origin - MONDAY, grid->days) + 1) * grid->days - 1;
}

int64_t
clv_steps_end(const ClvSteps *steps, int64_t k)
{
	if (steps->grid.months > 0)
		return clv_month_day(steps->month + k * steps->grid.months, steps->of_month);
	return steps->day + k * steps->grid.days;
}

int64_t
clv_steps_period(const ClvSteps *steps, int64_t day)
{
	int64_t months;
	int of_month;

	if (steps->grid.months == 0)
		return FloorDivide(day - steps->day - 1, steps->grid.days) + 1;
	months = clv_day_month(day, &of_month) - steps->month;
	if (of_month > steps->of_month)
		months++;
	return FloorDivide(months - 1, steps->grid.months) + 1;
}

int64_t
clv_steps_over(const ClvSteps *steps, int64_t day)
{
	return clv_steps_period(steps, day + 1) - 1;
}

double
clv_steps_age(const ClvSteps *steps, int64_t day)
{
	int64_t k;
	int64_t begin;
	int64_t end;

	if (steps->grid.months == 0)
		return (double) (day - steps->day) / steps->grid.days;
	k = clv_steps_period(steps, day);
	begin = clv_steps_end(steps, k - 1);
	end = clv_steps_end(steps, k);
	return (double) (k - 1) + (double) (day - begin) / (double) (end - begin);
}

double
clv_steps_campaigns(const ClvSteps *steps, int64_t day)
{
	return steps->grid.calendar ? (double) clv_steps_period(steps, day) : clv_steps_age(steps, day);
}

int64_t
clv_grid_over(const ClvGrid *grid, int64_t day)
{
	ClvSteps steps;

	if (!grid->calendar)
		return day;
	clv_steps_from(&steps, grid, day + 1);
	return clv_steps_end(&steps, -1);
}
