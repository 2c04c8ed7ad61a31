/*
 * text.h
 *		Numbers, lengths of time and days as text, the same whatever the settings.
 */
#ifndef CLV_TEXT_H
#define CLV_TEXT_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* The shortest decimal that reads back exactly, palloc'd, for messages: NaN and Infinity without
 * quotes. */
extern char *clv_number_text(double value);

/*
 * Append a double as the shortest decimal that reads back exactly. Infinities
 * and NaN come quoted ("Infinity"), as JSON has no numbers for them.
 */
extern void clv_append_double(StringInfo out, double value);

/*
 * The interval in words ("7 days"), palloc'd: months, days, hours, minutes, seconds, each
 * where there are any, whatever IntervalStyle says.
 */
extern char *clv_interval_text(const Interval *interval);

/*
 * The date as YYYY-MM-DD (years beyond four digits and " BC" as PostgreSQL's
 * ISO style), whatever DateStyle says. buffer holds MAXDATELEN + 1 bytes.
 * Returns buffer.
 */
extern char *clv_date_text(DateADT day, char *buffer);

/*
 * Whether the text is a date as clv_date_text() writes it: YYYY-MM-DD, perhaps with " BC". What
 * else the date type reads depends on the clock or on DateStyle.
 */
extern bool clv_is_date_text(const char *text);

#endif /* CLV_TEXT_H */
