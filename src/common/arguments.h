/*
 * arguments.h
 *		The arguments that many functions have in common: days and lengths of time.
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
 * The length in days of a time unit, or of a grace, which may be none: an error unless no part of it
 * is negative, and it is at most 1000 years. Parts of days are the business of clv_span_days().
 */
extern double clv_period_days(const char *argument, const Interval *span, bool may_be_none);

/* An error that names it where the day that was given as the argument so called is infinite, or none. */
extern void clv_check_date(const char *argument, DateADT day);

/*
 * Whether a warning of this subject, a string that lasts, is the first since the client's statement began (in this
 * process), whatever call it comes from.
 */
extern bool clv_first_in_statement(const char *subject);

#endif							/* CLV_ARGUMENTS_H */
