/*
 * clv.h
 *		What every module above families and math may use.
 *
 * Conventions of the whole extension:
 * - a day is a DateADT (days since 2000-01-01); timestamptz becomes a UTC day;
 * - an interval becomes time by 1 year = 365.25 days, 1 month = a twelfth of it, but where
 *   it is a period of families of discrete time, which follow the calendar (periods.h);
 * - numbers in text forms are the shortest decimal that reads back exactly, so
 *   that nothing depends on extra_float_digits, DateStyle or TimeZone.
 */
#ifndef CLV_H
#define CLV_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common/text.h"
#include "compat.h"

/* Prefetches memory that will be read or written soon. */
#if defined(__GNUC__)
#define CLV_PREFETCH(address) __builtin_prefetch(address)
#else
#define CLV_PREFETCH(address) ((void) (address))
#endif

#define CLV_DAYS_PER_YEAR 365.25
#define CLV_DAYS_PER_MONTH (CLV_DAYS_PER_YEAR / 12)

/* Length of an interval in days; months count a twelfth of 365.25 days. */
extern double clv_interval_days(const Interval *interval);

/* Whether the numeric is a whole number from least to most, and which. */
extern bool clv_whole_number(Datum numeric, int64 least, int64 most, int64 *whole);

/* The double nearest to a numeric, infinite where it is out of range. */
extern double clv_numeric_double(Numeric value);

/* The number with two decimals (a half away from zero), palloc'd; NULL where it is infinite or NaN,
 * or 1e22 and more. */
extern Numeric clv_money(double number);

/* Raises an error where the columns of a named row type differ from those that the extension
 * created it with. */
extern void clv_check_row_type(TupleDesc row);

/* The row type that a function returns, looked up to live as long as its call site. */
extern TupleDesc clv_find_row_type(FunctionCallInfo fcinfo);

/* The same, looked up once: for functions that keep nothing else in fn_extra. */
extern TupleDesc clv_result_row(FunctionCallInfo fcinfo);

/*
 * Leaves the functions that have called each other until here out of the context of errors, and
 * returns what error_context_stack is to be again afterwards: for parts of functions in SQL, whose
 * callers are ours.
 */
extern ErrorContextCallback *clv_hide_callers(void);

/* The continuous discount rate per day that an effective annual rate means. */
extern double clv_daily_rate(double annual_rate);

/* Raises the error of a function whose state of type internal belongs to another aggregate. */
extern void pg_attribute_noreturn() clv_foreign_state(const char *aggregate);

/*
 * Raises an error unless the state begins with the tag of its aggregate, as every state of type
 * internal does: a superuser may build an aggregate out of the functions of several.
 */
static inline void
clv_check_state(const void *state, uint32 tag, const char *aggregate)
{
	if (unlikely(*(const uint32 *) state != tag))
		clv_foreign_state(aggregate);
}

/* The state of type internal in an argument; NULL where there is none yet. */
static inline void *
clv_state_argument(FunctionCallInfo fcinfo, int arg, uint32 tag, const char *aggregate)
{
	if (PG_ARGISNULL(arg))
		return NULL;
	clv_check_state(PG_GETARG_POINTER(arg), tag, aggregate);
	return PG_GETARG_POINTER(arg);
}

/*
 * The state as it was, of a transition or combination that has nothing to add to it; NULL
 * where there is none yet.
 */
static inline Datum
clv_same_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* A reader of the bytes of a detoasted value but its length, in place. */
static inline StringInfoData
clv_bytes_of(const void *value)
{
	int size = (int) VARSIZE_ANY_EXHDR(value);

	return (StringInfoData){
		.data = unconstify(char *, (const char *) VARDATA_ANY(value)), .len = size, .maxlen = size};
}

/* The schema of the extension that a function belongs to; an error where it belongs to none. */
extern Oid clv_extension_schema(Oid function);

/* The memory context for a state that is a value: the aggregate's, or outside of one the current.
 */
extern MemoryContext clv_state_context(FunctionCallInfo fcinfo);

/* The memory context of the states of the calling aggregate; an error outside of an aggregate. */
extern MemoryContext clv_aggregate_context(FunctionCallInfo fcinfo, const char *aggregate);

/* As ARR_DATA_PTR(), which mixes signed and unsigned sizes, and so draws a compiler warning. */
static inline char *
clv_array_data(ArrayType *array)
{
	Size offset =
		ARR_HASNULL(array) ? (Size) array->dataoffset : ARR_OVERHEAD_NONULLS(ARR_NDIM(array));

	return (char *) array + offset;
}

/*
 * The age at the last purchase, of an age today of t_cal. Ages that were computed
 * separately, as differences and quotients of days, may disagree in their last
 * bits: where t_x exceeds t_cal by rounding alone, it is t_cal.
 */
static inline double
clv_age_at_last(double t_x, double t_cal)
{
	return t_x > t_cal && t_x - t_cal <= 1e-12 * t_cal ? t_cal : t_x;
}

#endif /* CLV_H */
