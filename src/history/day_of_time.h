/*
 * day_of_time.h
 *		The day of a row's time: where a timestamptz becomes a day, in UTC.
 */
#ifndef CLV_HISTORY_DAY_OF_TIME_H
#define CLV_HISTORY_DAY_OF_TIME_H

#include "clv.h"

#include "datatype/timestamp.h"
#include "utils/date.h"

/* The error about a row's time that is infinite; future: positively so. */
extern void pg_attribute_noreturn() clv_time_not_finite(bool future);

/* The day of a time, in UTC for timestamptz; infinity is an error. */
static inline DateADT
clv_day_of_timestamp(Timestamp at)
{
	if (unlikely(TIMESTAMP_NOT_FINITE(at)))
		clv_time_not_finite(TIMESTAMP_IS_NOEND(at));
	return (DateADT) (at >= 0 ? at / USECS_PER_DAY : -((USECS_PER_DAY - 1 - at) / USECS_PER_DAY));
}

/* The day itself; infinity is an error. */
static inline DateADT
clv_day_of_date(DateADT day)
{
	if (unlikely(DATE_NOT_FINITE(day)))
		clv_time_not_finite(DATE_IS_NOEND(day));
	return day;
}

#endif /* CLV_HISTORY_DAY_OF_TIME_H */
