/*
 * last_day.h
 *		The day up to which the data reach, and whether it is isolated.
 */
#ifndef CLV_LAST_DAY_H
#define CLV_LAST_DAY_H

#include "clv.h"

/* So many customers bought last on this day. */
typedef struct ClvLastDay
{
	DateADT day;
	int64 customers;
} ClvLastDay;

/*
 * The as_of of customers where none is given: the last of n days (n >= 1, which are put in
 * order). A WARNING where it is isolated, long after the others, as a mistyped date is, or lies
 * in the future; which: a sentence for its detail, about the fit, or NULL.
 */
extern DateADT clv_default_day(ClvLastDay *days, int64 n, const char *which);

/*
 * The same of data that can be cut at today: n days up to today, and the number of customers with
 * purchases after it, of which a NOTICE tells. Today where there is no day.
 */
extern DateADT clv_default_day_until_today(ClvLastDay *days, int64 n, int64 future);

/*
 * The n days of two arrays: of dates, of which NULLs are left out, and, as bigint, of the
 * customers that each is the last purchase of. Errors where the arrays do not go together.
 */
extern ClvLastDay *clv_last_days(ArrayType *days, ArrayType *customers, int64 *n);

/* The UTC day on which the transaction began. */
extern DateADT clv_today(void);

#endif /* CLV_LAST_DAY_H */
