/*
 * calendar.h
 *		The type clv_calendar: covariates that are the same for all customers, as a step function of
 *		the date.
 */
#ifndef CLV_CALENDAR_CALENDAR_H
#define CLV_CALENDAR_CALENDAR_H

#include "clv.h"
#include "families/family.h"
#include "utils/jsonb.h"

/* A calendar has at most as many covariates as a fit, and this many steps. */
#define CLV_CALENDAR_NAMES CLV_MAX_COVARIATES
#define CLV_CALENDAR_STEPS 100000

/*
 * After the varlena header, numbers in network order: version (1 byte), number of names (1), the
 * names, each with its end; last (4), longest (4), whether there is an end (1), the end (4, else
 * 0); number of steps (4); the days on which they begin (4 each), and their values (8 each), step
 * by step. The bytes are canonical: steps that follow each other differ.
 */
typedef struct ClvCalendar
{
	int32 vl_len_;
	char data[FLEXIBLE_ARRAY_MEMBER];
} ClvCalendar;

#define DatumGetClvCalendarP(d) ((ClvCalendar *) PG_DETOAST_DATUM_PACKED(d))
#define PG_GETARG_CLV_CALENDAR_P(n) DatumGetClvCalendarP(PG_GETARG_DATUM(n))
#define PG_RETURN_CLV_CALENDAR_P(c) PG_RETURN_POINTER(c)

/*
 * The same, unpacked. A step lasts until the next one begins. The last row that was given lasts
 * until the end, where there is one, and otherwise as long as the longest of the rows before it;
 * it may have joined the step before, so its day and that length are kept.
 */
typedef struct ClvCalendarParts
{
	int nnames;
	char *name[CLV_CALENDAR_NAMES];
	int nsteps;
	DateADT *since;
	double *values; /* nsteps x nnames */
	DateADT last;   /* the day of the last row */
	int32 longest;  /* days from a row to the next one, at most; 0: there is one row */
	bool has_end;
	DateADT end; /* the first day after the calendar */
} ClvCalendarParts;

/* Adds a name; an error where it is empty, too long, there already or one too many. */
extern void clv_calendar_add_name(ClvCalendarParts *parts, const char *name);

/* An error that names the day and the covariate where the value is not finite. */
extern void clv_calendar_check_value(const ClvCalendarParts *parts, int name, DateADT day,
									 double value);

/* Raises an error unless both have the same names; day is one of the other's, for the message. */
extern void clv_calendar_same_names(const ClvCalendarParts *parts, const ClvCalendarParts *other,
									DateADT day);

/* Sets last and longest to those of the steps, taken as the rows that were given. */
extern void clv_calendar_measure(ClvCalendarParts *parts);

/* The first day after the calendar. */
extern int64 clv_calendar_end(const ClvCalendarParts *parts);

/* The step that holds the day; -1 before the first and after the end. */
extern int clv_calendar_step(const ClvCalendarParts *parts, DateADT day);

/*
 * The step that holds a day from the first step on; beyond the end, that of the same day a year
 * earlier, or the last step where the calendar has no year.
 */
extern int clv_calendar_step_beyond(const ClvCalendarParts *parts, int64 day);

/* Packs the parts, which are checked: they may come from text. Steps of equal values are joined. */
extern ClvCalendar *clv_calendar_pack(ClvCalendarParts *parts);

/* Reads the binary form, of which every byte is checked. */
extern void clv_calendar_unpack(StringInfo in, ClvCalendarParts *parts);

/* The parts of a value, palloc'd. */
extern void clv_calendar_unpack_value(const ClvCalendar *calendar, ClvCalendarParts *parts);

/* The JSON form of the calendar, palloc'd. */
extern char *clv_calendar_text(const ClvCalendar *calendar);

/* The calendar of a JSON object; errors name a member that is missing, unknown or out of range. */
extern ClvCalendar *clv_calendar_from_json(JsonbContainer *json);

/* A copy in the context. */
extern ClvCalendar *clv_calendar_copy(const ClvCalendar *calendar, MemoryContext context);

/* A hash of the bytes, never 0: calendars with the same are taken to be the same. */
extern uint64 clv_calendar_fingerprint(const ClvCalendar *calendar);

#endif /* CLV_CALENDAR_CALENDAR_H */
