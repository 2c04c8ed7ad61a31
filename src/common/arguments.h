/*
 * arguments.h
 *		The arguments that many functions have in common: days, lengths of time, rates.
 */
#ifndef CLV_ARGUMENTS_H
#define CLV_ARGUMENTS_H

#include "clv.h"

/*
 * The length in days of an interval that was given as the argument so called. Histories
 * count days, so that an infinite one, or one with a part of a day, is an error that names
 * it, and says what a number without a unit would have been.
 */
extern double clv_span_days(const char *argument, const Interval *span);

/*
 * The length in days of a time unit, or of a grace, which may be none: an error unless no part of
 * it is negative, and it is at most 1000 years. Parts of days are the business of clv_span_days().
 */
extern double clv_period_days(const char *argument, const Interval *span, bool may_be_none);

/* An error that names it where the day that was given as the argument so called is infinite, or
 * none. */
extern void clv_check_date(const char *argument, DateADT day);

/*
 * Whether a warning of this subject, a string that lasts, is the first since the client's statement
 * began (in this process), whatever call it comes from.
 */
extern bool clv_first_in_statement(const char *subject);

/* The length in days of a horizon that was given as the argument so called; an error that names
 * it where it is negative, or longer than anybody means. */
extern double clv_horizon_days(const char *argument, const Interval *horizon);
extern void clv_check_horizon_days(const char *argument, double days);

/* The continuous rate per unit of time; an error where the annual one is none. */
extern double clv_delta(double discount_rate, double unit_days);

/*
 * An error where the margin is none; one warning a statement, or a parallel worker of it, where
 * a discount rate is not in (-1, 1] or a margin not in [-10, 1].
 */
extern void clv_check_rates(double discount_rate, double margin);

/* Errors that name the argument and its value. */
extern void clv_check_count(const char *argument, double value);       /* a whole number >= 0 */
extern void clv_check_time(const char *argument, double value);        /* finite and >= 0 */
extern void clv_check_probability(const char *argument, double value); /* between 0 and 1 */
extern void clv_check_level(double level);                             /* the same, of a level */

#endif /* CLV_ARGUMENTS_H */
