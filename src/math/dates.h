/*
 * dates.h
 *		Days, months and periods of time, by the calendar.
 *
 * A day is a number of days from 2000-01-01 on, in the Gregorian calendar, continued to
 * both sides as PostgreSQL continues it. A month is a number of months from January of the
 * year 0 on, which is 1 BC.
 */
#ifndef CLV_DATES_H
#define CLV_DATES_H

#include <stdbool.h>
#include <stdint.h>

/* The month of a day; *of_month is set to its day of the month (1 to 31). */
extern int64_t clv_day_month(int64_t day, int *of_month);

/* A day of a month; beyond its end, the last day of the month. */
extern int64_t clv_month_day(int64_t month, int of_month);

/*
 * The day a number of months later, at most the last of that month, and then a number of days
 * later.
 */
extern int64_t clv_day_plus(int64_t day, int64_t months, int64_t days);

/* ---- periods ---- */

/*
 * How time is divided into periods: each is a number of months or, where that is 0, of days.
 * Calendar periods are the same for all customers: months, 3 of them quarters, 12 years (the
 * number must divide 12); periods of days are counted from Monday 2001-01-01 on. Other periods
 * are counted from a day of their own, the origin.
 */
typedef struct ClvGrid
{
	int32_t months;
	int32_t days;
	bool calendar;
} ClvGrid;

/*
 * Periods by number, from an origin on. Period 0 ends with the origin itself or, where they are
 * those of the calendar, is the one that holds it. Period k begins where k - 1 ends, and ends k
 * steps after period 0 does: always counted from there, so that the 31st, which short months do
 * not have, returns in the long ones.
 */
typedef struct ClvSteps
{
	ClvGrid grid;
	int64_t day;   /* the end of period 0, in days; or its */
	int64_t month; /* month, and which day of the */
	int of_month;  /* month it would be, had it 31 */
} ClvSteps;

/* Sets *steps to the periods of a grid from an origin on. */
extern void clv_steps_from(ClvSteps *steps, const ClvGrid *grid, int64_t origin);

/* The last day of period k, which may be negative. */
extern int64_t clv_steps_end(const ClvSteps *steps, int64_t k);

/* The number of the period that holds the day. */
extern int64_t clv_steps_period(const ClvSteps *steps, int64_t day);

/* The number of the last period that is over at the end of the day. */
extern int64_t clv_steps_over(const ClvSteps *steps, int64_t day);

/*
 * The day in periods from the end of period 0: a whole number where it ends one, otherwise with
 * the part of the current period.
 */
extern double clv_steps_age(const ClvSteps *steps, int64_t day);

/* For calendar periods, the number of the period that holds the day; otherwise the age. */
extern double clv_steps_campaigns(const ClvSteps *steps, int64_t day);

/* The last day of the last period that is over at the end of the day; without a calendar, the day.
 */
extern int64_t clv_grid_over(const ClvGrid *grid, int64_t day);

#endif /* CLV_DATES_H */
