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
 * The last of n days (n >= 1, which are put in order), or, where it is isolated, long after
 * the others, as a mistyped date does, the day before. later: customers who bought after that.
 */
extern DateADT clv_settled_day(ClvLastDay *days, int64 n, int64 *later);

/* One WARNING where the last day is not the settled one, or lies in the future. */
extern void clv_warn_of_last_day(DateADT last, DateADT settled, int64 later, const char *hint);

/*
 * The as_of of customers where none is given: the last of n days (n >= 1, which are put in
 * order), or today where that is earlier. A NOTICE where purchases after today are left out, a
 * WARNING where the last day is isolated.
 */
extern DateADT clv_default_day(ClvLastDay *days, int64 n);

/*
 * The same days from two arrays: of dates and, as bigint, of the customers that each is the last
 * purchase of. Those without a date go into never. Errors where the arrays do not go together.
 */
extern ClvLastDay *clv_last_days(ArrayType *days, ArrayType *customers, int64 *n, int64 *never);

/* The UTC day on which the transaction began. */
extern DateADT clv_today(void);

#endif /* CLV_LAST_DAY_H */
