/*
 * counted.h
 *		How often each value of a measure occurs, in bounded memory.
 *
 * Up to CLV_COUNTED_VALUES different values are kept as they are. Where there are more, all are
 * rounded up to a multiple of a power of two, in units of their last binary digit: the smallest
 * power that leaves no more of them than that. It depends on the values alone, since what rounds
 * up to 8 units may as well be rounded up to 4 before: so counts are the same in any order, and
 * put together from any parts.
 */
#ifndef CLV_SCORE_COUNTED_H
#define CLV_SCORE_COUNTED_H

#include "clv.h"

#define CLV_COUNTED_VALUES 16384

/* Rounding goes no further than the fraction of a double: whole powers of two remain. */
#define CLV_COUNTED_LEVELS 52

/* The values of a measure, each with the number of customers who have it. */
typedef struct ClvCounted
{
	MemoryContext context;
	int level; /* values are multiples of 2 to this power, in units of their last digit */
	struct counts_hash *counts; /* NULL: there are none */
} ClvCounted;

/* A value, and how many have it. */
typedef struct ClvCount
{
	uint64 key; /* in the order of values */
	int64 count;
} ClvCount;

/* The key of a value that is not NaN, the same for 0 and -0; and the value of a key. */
extern uint64 clv_counted_key(double value);
extern double clv_counted_value(uint64 key);

/* Count so many customers with a value, which is not NaN. */
extern void clv_counted_add(ClvCounted *counted, double value, int64 count);

/* Add what the other has counted. */
extern void clv_counted_merge(ClvCounted *counted, const ClvCounted *other);

/* The values in ascending order, palloc'd, and their number. */
extern ClvCount *clv_counted_list(const ClvCounted *counted, int *number);

/*
 * Take a list of that level into an empty one. False unless values ascend, are multiples of the
 * level and none is NaN or minus zero, every count is at least 1, and no lower level would do.
 */
extern bool clv_counted_take(ClvCounted *counted, int level, const ClvCount *list, int number);

/* Bytes: level (1), number of values (4), of each the distance from the one before, as varints, and
 * its count. */
extern void clv_counted_send(StringInfo out, const ClvCounted *counted);

/* The list that was sent, into an empty one; false where the bytes are none. */
extern bool clv_counted_recv(StringInfo in, ClvCounted *counted);

/* Customers counted, at most PG_INT64_MAX. */
extern int64 clv_counted_customers(const ClvCounted *counted);

/*
 * Cuts at the quantiles i/bins. Values that were not rounded are interpolated, to the same bits as
 * by clv_quantile_cuts(); of others it is the value at the quantile, or before it.
 * There must be some.
 */
extern void clv_counted_cut(const ClvCounted *counted, int bins, double *cuts);

#endif /* CLV_SCORE_COUNTED_H */
