/*
 * days.h
 *		Days unpacked, put in order, and packed into the canonical bytes.
 */
#ifndef CLV_HISTORY_DAYS_H
#define CLV_HISTORY_DAYS_H

#include "history/layout.h"

/* So many need no allocation: most customers have no more. */
#define CLV_LOCAL_DAYS 64

/*
 * Days unpacked, with amounts in units at a scale or, wide, as digits; the first CLV_LOCAL_DAYS
 * need no allocation.
 */
typedef struct ClvDayList
{
	ClvDay *days;
	Size count;
	Size size;
	int scale;
	bool wide;
	ClvDay local[CLV_LOCAL_DAYS];
} ClvDayList;

/* An empty list, whose amounts are in units at the scale, or digits where wide. */
extern void clv_days_init(ClvDayList *list, int scale, bool wide);

/* Add a copy of the day at the end; its digits stay where they are. */
extern void clv_days_append(ClvDayList *list, const ClvDay *day);

/* Free what the list has allocated; not the digits of its days. */
extern void clv_days_free(ClvDayList *list);

/* Units become digits, which live in the current context. */
extern void clv_days_widen(ClvDayList *list);

/* Amounts to a finer scale. False, and nothing done, where one does not fit. */
extern bool clv_days_rescale(ClvDayList *list, int scale);

/*
 * Put the days in order, one entry each. False where a sum does not fit: then
 * the days, some of them put together, must be widened and the whole done again.
 */
extern bool clv_days_merge(ClvDayList *list);

/* The history of the days. sorted: they are in order, one entry each. */
extern ClvHistory *clv_days_pack(ClvDayList *list, int32 occasion, bool sorted);

/* The sum of two counts of unknown amounts, or an error. */
extern int64 clv_add_counts(int64 a, int64 b);

/* Raises the error of histories beyond 1 GB. */
extern void clv_history_too_large(void);

#endif /* CLV_HISTORY_DAYS_H */
