/*
 * test_dates.c
 *		Days, months and periods: against PostgreSQL, and against a calendar that goes
 *		day by day.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "math/dates.h"

#define FIRST_DAY (-2451545)         /* 4714-11-24 BC, the first day that PostgreSQL knows */
#define LAST_DAY INT64_C(2145031948) /* 5874897-12-31, the last */

/* A day, months later, and the day then: PostgreSQL 15's day + months * interval '1 month' */
static const int64_t postgres[][3] = {
	{396, 0, 396},              /* 2001-01-31 to 2001-01-31 */
	{396, 1, 424},              /* 2001-01-31 to 2001-02-28 */
	{396, 2, 455},              /* 2001-01-31 to 2001-03-31 */
	{396, 3, 485},              /* 2001-01-31 to 2001-04-30 */
	{396, 12, 761},             /* 2001-01-31 to 2002-01-31 */
	{396, 13, 789},             /* 2001-01-31 to 2002-02-28 */
	{396, 25, 1154},            /* 2001-01-31 to 2003-02-28 */
	{396, 49, 1885},            /* 2001-01-31 to 2005-02-28 */
	{59, 0, 59},                /* 2000-02-29 to 2000-02-29 */
	{59, 1, 88},                /* 2000-02-29 to 2000-03-29 */
	{59, 2, 119},               /* 2000-02-29 to 2000-04-29 */
	{59, 3, 149},               /* 2000-02-29 to 2000-05-29 */
	{59, 12, 424},              /* 2000-02-29 to 2001-02-28 */
	{59, 13, 453},              /* 2000-02-29 to 2001-03-29 */
	{59, 25, 818},              /* 2000-02-29 to 2002-03-29 */
	{59, 49, 1549},             /* 2000-02-29 to 2004-03-29 */
	{-1, 0, -1},                /* 1999-12-31 to 1999-12-31 */
	{-1, 1, 30},                /* 1999-12-31 to 2000-01-31 */
	{-1, 2, 59},                /* 1999-12-31 to 2000-02-29 */
	{-1, 3, 90},                /* 1999-12-31 to 2000-03-31 */
	{-1, 12, 365},              /* 1999-12-31 to 2000-12-31 */
	{-1, 13, 396},              /* 1999-12-31 to 2001-01-31 */
	{-1, 25, 761},              /* 1999-12-31 to 2002-01-31 */
	{-1, 49, 1491},             /* 1999-12-31 to 2004-01-31 */
	{1337, 0, 1337},            /* 2003-08-30 to 2003-08-30 */
	{1337, 1, 1368},            /* 2003-08-30 to 2003-09-30 */
	{1337, 2, 1398},            /* 2003-08-30 to 2003-10-30 */
	{1337, 3, 1429},            /* 2003-08-30 to 2003-11-30 */
	{1337, 12, 1703},           /* 2003-08-30 to 2004-08-30 */
	{1337, 13, 1734},           /* 2003-08-30 to 2004-09-30 */
	{1337, 25, 2099},           /* 2003-08-30 to 2005-09-30 */
	{1337, 49, 2829},           /* 2003-08-30 to 2007-09-30 */
	{-730455, 0, -730455},      /* 0001-01-31 BC to 0001-01-31 BC */
	{-730455, 1, -730426},      /* 0001-01-31 BC to 0001-02-29 BC */
	{-730455, 2, -730395},      /* 0001-01-31 BC to 0001-03-31 BC */
	{-730455, 3, -730365},      /* 0001-01-31 BC to 0001-04-30 BC */
	{-730455, 12, -730089},     /* 0001-01-31 BC to 0001-01-31 */
	{-730455, 13, -730061},     /* 0001-01-31 BC to 0001-02-28 */
	{-730455, 25, -729696},     /* 0001-01-31 BC to 0002-02-28 */
	{-730455, 49, -728965},     /* 0001-01-31 BC to 0004-02-29 */
	{-730426, 0, -730426},      /* 0001-02-29 BC to 0001-02-29 BC */
	{-730426, 1, -730397},      /* 0001-02-29 BC to 0001-03-29 BC */
	{-730426, 2, -730366},      /* 0001-02-29 BC to 0001-04-29 BC */
	{-730426, 3, -730336},      /* 0001-02-29 BC to 0001-05-29 BC */
	{-730426, 12, -730061},     /* 0001-02-29 BC to 0001-02-28 */
	{-730426, 13, -730032},     /* 0001-02-29 BC to 0001-03-29 */
	{-730426, 25, -729667},     /* 0001-02-29 BC to 0002-03-29 */
	{-730426, 49, -728936},     /* 0001-02-29 BC to 0004-03-29 */
	{-2451545, 0, -2451545},    /* 4714-11-24 BC to 4714-11-24 BC */
	{-2451545, 1, -2451515},    /* 4714-11-24 BC to 4714-12-24 BC */
	{-2451545, 2, -2451484},    /* 4714-11-24 BC to 4713-01-24 BC */
	{-2451545, 3, -2451453},    /* 4714-11-24 BC to 4713-02-24 BC */
	{-2451545, 12, -2451179},   /* 4714-11-24 BC to 4713-11-24 BC */
	{-2451545, 13, -2451149},   /* 4714-11-24 BC to 4713-12-24 BC */
	{-2451545, 25, -2450784},   /* 4714-11-24 BC to 4712-12-24 BC */
	{-2451545, 49, -2450054},   /* 4714-11-24 BC to 4710-12-24 BC */
	{106749515, 0, 106749515},  /* 294270-03-31 to 294270-03-31 */
	{106749515, 1, 106749545},  /* 294270-03-31 to 294270-04-30 */
	{106749515, 2, 106749576},  /* 294270-03-31 to 294270-05-31 */
	{106749515, 3, 106749606},  /* 294270-03-31 to 294270-06-30 */
	{106749515, 12, 106749880}, /* 294270-03-31 to 294271-03-31 */
	{106749515, 13, 106749910}, /* 294270-03-31 to 294271-04-30 */
	{106749515, 25, 106750276}, /* 294270-03-31 to 294272-04-30 */
	{106749515, 49, 106751006}, /* 294270-03-31 to 294274-04-30 */
	{-36496, 0, -36496},        /* 1900-01-29 to 1900-01-29 */
	{-36496, 1, -36466},        /* 1900-01-29 to 1900-02-28 */
	{-36496, 2, -36437},        /* 1900-01-29 to 1900-03-29 */
	{-36496, 3, -36406},        /* 1900-01-29 to 1900-04-29 */
	{-36496, 12, -36131},       /* 1900-01-29 to 1901-01-29 */
	{-36496, 13, -36101},       /* 1900-01-29 to 1901-02-28 */
	{-36496, 25, -35736},       /* 1900-01-29 to 1902-02-28 */
	{-36496, 49, -35005},       /* 1900-01-29 to 1904-02-29 */
};

static void
months_later_as_postgres(void **state)
{
	for (size_t i = 0; i < sizeof(postgres) / sizeof(postgres[0]); i++)
		assert_int_equal(clv_day_plus(postgres[i][0], postgres[i][1], 0), postgres[i][2]);
	assert_int_equal(clv_day_plus(59, -1, 3), 31); /* 2000-02-29, 2000-01-29, 2000-02-01 */
}

/* Whether a year is a leap year of the Gregorian calendar. */
static bool
IsLeap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Every day from this one on, for so many days, counted on the fingers */
static void
GoFrom(int64_t day, int64_t month, int of_month, int64_t days)
{
	static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	for (int64_t last = day + days; day < last; day++)
	{
		int64_t of_year = (month % 12 + 12) % 12;
		int here;
		int longest = length[of_year] + (of_year == 1 && IsLeap((month - of_year) / 12));

		if (clv_day_month(day, &here) != month || here != of_month ||
			clv_month_day(month, of_month) != day ||
			clv_month_day(month, 31) != day + longest - of_month)
			fail_msg("day %lld is not in month %lld", (long long) day, (long long) month);
		if (of_month++ == longest)
		{
			of_month = 1;
			month++;
		}
	}
}

static void
day_by_day(void **state)
{
	GoFrom(0, 2000 * 12, 1, 4 * 146097);
	GoFrom(-4 * 146097, 400 * 12, 1, 4 * 146097);       /* from 400 on */
	GoFrom(FIRST_DAY, -4713 * 12 + 10, 24, 2 * 146097); /* through leap years BC */
	GoFrom(LAST_DAY - 366, INT64_C(5874896) * 12 + 11, 30, 367);
}

/* Ends ascend by steps, and each day is in the period that its number says. */
static void
CheckSteps(const ClvGrid *grid, int64_t origin, int64_t k0, int64_t k1)
{
	ClvSteps steps;

	clv_steps_from(&steps, grid, origin);
	assert_int_equal(clv_steps_period(&steps, origin), 0);
	assert_true(grid->calendar ? clv_steps_end(&steps, -1) < origin
							   : clv_steps_end(&steps, 0) == origin);
	assert_int_equal(clv_steps_age(&steps, clv_steps_end(&steps, 3)), 3);
	for (int64_t k = k0; k < k1; k++)
	{
		int64_t begin = clv_steps_end(&steps, k - 1);
		int64_t end = clv_steps_end(&steps, k);

		assert_true(begin < end);
		if (!grid->calendar)
			assert_int_equal(end, clv_day_plus(origin, k * grid->months, k * grid->days));
		for (int64_t day = begin + 1; day <= end; day++)
		{
			double age = clv_steps_age(&steps, day);

			assert_int_equal(clv_steps_period(&steps, day), k);
			assert_int_equal(clv_steps_over(&steps, day), day == end ? k : k - 1);
			assert_true(age > k - 1 && (day == end ? age == k : age < k));
		}
	}
}

static void
periods_hold_their_days(void **state)
{
	static const ClvGrid grids[] = {{1, 0, false},  {2, 0, false}, {3, 0, false}, {12, 0, false},
									{18, 0, false}, {0, 1, false}, {0, 7, false}, {0, 30, false},
									{1, 0, true},   {2, 0, true},  {3, 0, true},  {12, 0, true},
									{0, 1, true},   {0, 7, true},  {0, 14, true}, {0, 30, true}};

	for (size_t i = 0; i < sizeof(grids) / sizeof(grids[0]); i++)
	{
		for (int64_t origin = -800; origin < 800; origin += 7 - 4 * (i % 2))
			CheckSteps(&grids[i], origin, -3, 30);
		CheckSteps(&grids[i], 30, 0, 100); /* 2000-01-31 */
		CheckSteps(&grids[i], 59, 0, 100); /* 2000-02-29 */
		CheckSteps(&grids[i], FIRST_DAY, 0, 40);
		CheckSteps(&grids[i], LAST_DAY, -40, 4);
	}
}

/* The last day of the last period that is over on a day; of no calendar, the day. */
static void
periods_of_the_calendar(void **state)
{
	static const ClvGrid month = {1, 0, true};
	static const ClvGrid quarter = {3, 0, true};
	static const ClvGrid year = {12, 0, true};
	static const ClvGrid week = {0, 7, true};
	static const ClvGrid two_weeks = {0, 14, true};
	static const ClvGrid own = {1, 0, false};

	assert_int_equal(clv_grid_over(&month, 30), 30); /* 2000-01-31 is the last day of a month */
	assert_int_equal(clv_grid_over(&month, 31), 30);
	assert_int_equal(clv_grid_over(&month, 58), 30);
	assert_int_equal(clv_grid_over(&month, 59), 59); /* 2000-02-29 */
	assert_int_equal(clv_grid_over(&quarter, 89), -1);
	assert_int_equal(clv_grid_over(&quarter, 90), 90); /* 2000-03-31 */
	assert_int_equal(clv_grid_over(&year, 364), -1);   /* 1999-12-31 */
	assert_int_equal(clv_grid_over(&year, 365), 365);
	assert_int_equal(clv_grid_over(&week, 1), 1); /* 2000-01-02 was a Sunday */
	assert_int_equal(clv_grid_over(&week, 7), 1);
	assert_int_equal(clv_grid_over(&two_weeks, 379), 379); /* two weeks from 2001-01-01 on */
	assert_int_equal(clv_grid_over(&two_weeks, 378), 365);
	assert_int_equal(clv_grid_over(&own, 45), 45);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(months_later_as_postgres),
		cmocka_unit_test(day_by_day),
		cmocka_unit_test(periods_hold_their_days),
		cmocka_unit_test(periods_of_the_calendar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
