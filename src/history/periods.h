/*
 * periods.h
 *		A history in whole periods, for the families of discrete time.
 */
#ifndef CLV_PERIODS_H
#define CLV_PERIODS_H

#include "clv.h"

#include "history/history.h"
#include "math/dates.h"

/* Whose periods they are; stored in options and in models. */
typedef enum ClvPeriodsOf
{
	CLV_PERIODS_ANNIVERSARY, /* each customer's own, from the first purchase on */
	CLV_PERIODS_CALENDAR     /* the calendar's, the same for all customers */
} ClvPeriodsOf;

/* 'anniversary' or 'calendar'; anything else is an error that names the value. */
extern ClvPeriodsOf clv_periods_of(const char *name);

/* The name of the periods, as users write it. */
extern const char *clv_periods_name(ClvPeriodsOf of);

/* How histories are counted. */
typedef struct ClvCounting
{
	ClvGrid grid;
	int32 grace_months; /* how late a payment may be: these, and then */
	int32 grace_days;   /* these */
} ClvCounting;

/*
 * Errors name a time unit that is neither whole months nor whole days, or is no period of
 * the calendar where it should be one, and a grace that has parts of days. NULL: no grace.
 */
extern void clv_counting_init(ClvCounting *counting, const Interval *unit, ClvPeriodsOf of,
							  const Interval *grace);

/* How many periods an interval is; false where that is no whole number. */
extern bool clv_interval_periods(const ClvGrid *grid, const Interval *interval, double *periods);

/* Period 0 is over, or ends, with the first purchase; a period counts when it is over at the end of
 * as_of. */
typedef struct ClvPeriods
{
	int32 x;    /* periods with a purchase; of a contract, renewals made */
	int32 t_x;  /* the last of them; 0: none */
	int32 T;    /* the last one that is over; of a contract, renewals possible */
	int32 over; /* the last period that is over, grace included, whether the contract is or not */
	int32 returns; /* contracts after the first one */
} ClvPeriods;

/* Opportunities: several purchases in a period are one. The customer must exist at as_of. */
extern void clv_history_periods(const ClvHistory *history, DateADT as_of,
								const ClvCounting *counting, ClvPeriods *periods);

/*
 * Contracts. Renewal k is a payment in period k, or as late as the grace allows, one for each
 * period: what is paid in a period thatis paid for already renews nothing. A period without
 * ends the contract, and a payment after that begins another, with periods of its own. current:
 * report the contract in force at as_of; else the first. x = t_x = renewals made, of periods whose
 * grace is over at the end of as_of; T = x while the contract lasts, else x + 1. The
 * customer must exist at as_of.
 */
extern void clv_history_contract(const ClvHistory *history, DateADT as_of,
								 const ClvCounting *counting, bool current, ClvPeriods *periods);

/* The last day on which renewal k of the contract that as_of finds may be paid, grace included. */
extern int64 clv_history_due(const ClvHistory *history, DateADT as_of, const ClvCounting *counting,
							 int32 k);

/* Renewals of the contract that as_of finds, in so many periods after those that it counts by then.
 */
extern int32 clv_history_renewed(const ClvHistory *history, DateADT as_of,
								 const ClvCounting *counting, int32 periods);

/* Periods k with since < k <= until that saw a purchase. */
extern int32 clv_history_taken(const ClvHistory *history, const ClvSteps *steps, int64 since,
							   int64 until);

#endif /* CLV_PERIODS_H */
