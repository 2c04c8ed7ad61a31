/*
 * calendar.h
 *		Days, months and periods of time, by the calendar.
 *
 * A day is a number of days from 2000-01-01 on, in the Gregorian calendar, continued to
 * both sides as PostgreSQL continues it. A month is a number of months from January of the
 * year 0 on, which is 1 BC.
 */
#ifndef CLV_CALENDAR_H
#define CLV_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* The month of a day, and which day of it that is (1 to 31). */
extern int64_t clv_day_month(int64_t day, int *of_month);

/* The day of a month; beyond its end, the last day that it has. */
extern int64_t clv_month_day(int64_t month, int of_month);

/* The day so many months later, which in a shorter month is its last, and then so many days. */
extern int64_t clv_day_plus(int64_t day, int64_t months, int64_t days);

/* ---- periods ---- */

/*
 * How time is cut into periods: each is so many months or, where these are 0, so many
 * days. Periods of the calendar are the same for everybody: months are months, 3 of them
 * quarters, 12 years (the number must divide 12); of days the periods are cut from
 * Monday 2001-01-01 on. Other periods count from a day of their own, the origin.
 */
typedef struct ClvGrid
{
	int32_t months;
	int32_t days;
	bool calendar;
} ClvGrid;

/*
 * Periods by number, from an origin on. Period 0 ends with the origin itself or, where they
 * are those of the calendar, is the one that holds it. Period k begins where k - 1 ends,
 * and ends k steps after period 0 does: always reckoned from there, so that the 31st, which
 * short months do not have, comes back in the long ones.
 */
typedef struct ClvSteps
{
	ClvGrid grid;
	int64_t day;				/* the end of period 0, in days; or its */
	int64_t month;				/* month, and which day of the */
	int of_month;				/* month it would be, had it 31 */
} ClvSteps;

extern void clv_steps_from(ClvSteps *steps, const ClvGrid *grid, int64_t origin);

/* The last day of period k, which may be negative. */
extern int64_t clv_steps_end(const ClvSteps *steps, int64_t k);

/* The number of the period that holds the day. */
extern int64_t clv_steps_period(const ClvSteps *steps, int64_t day);

/* The number of the last period that is over at the end of the day. */
extern int64_t clv_steps_over(const ClvSteps *steps, int64_t day);

/* The day in periods from the end of period 0: a whole number where it ends one, else a part of the next more. */
extern double clv_steps_age(const ClvSteps *steps, int64_t day);

/* The same of a calendar: the number of the period that holds the day; else the age. */
extern double clv_steps_campaigns(const ClvSteps *steps, int64_t day);

/* The last day of the last period that is over at the end of the day; without a calendar, the day. */
extern int64_t clv_grid_over(const ClvGrid *grid, int64_t day);

#endif /* CLV_CALENDAR_H */
