/*
 * histories_private.h
 *		The two steps of clv_histories: rows are put aside, histories are made.
 */
#ifndef CLV_HISTORIES_PRIVATE_H
#define CLV_HISTORIES_PRIVATE_H

#include "history/decimal.h"
#include "history/key.h"
#include "history/partitions.h"

#include "executor/tuptable.h"
#include "nodes/execnodes.h"

/* What the columns of a query mean: those of the key, the time, and perhaps the amount. */
typedef struct ClvQueryColumns
{
	ClvKeyType key;
	DateADT (*day)(Datum time);
	void (*amount)(Datum amount, ClvDecimal *decimal); /* NULL: without money */
} ClvQueryColumns;

/*
 * The columns of a query, the first so many of which are the key; errors name those whose types
 * cannot be what they are to be.
 */
extern void clv_query_columns(ClvQueryColumns *columns, TupleDesc query, int keys);

/* The same after a check that the query has the columns that the result needs. */
extern void clv_query_columns_checked(ClvQueryColumns *columns, TupleDesc query, TupleDesc result);

/* Put a row of the query aside; what that needs meanwhile is in the context scratch, which is
 * reset. */
extern void clv_histories_put(ClvPartitions *partitions, const ClvQueryColumns *columns,
							  TupleTableSlot *row, MemoryContext scratch);

/* Histories being made, a partition at a time. */
typedef struct ClvMaking ClvMaking;

/* In the current context; columns and partitions must live as long. */
extern ClvMaking *clv_making_new(ClvPartitions *partitions, ClvQueryColumns *columns,
								 int32 occasion);

/*
 * The next customer: the values of the key and the history, which is NULL where no row of them has
 * a time; false after the last. The values stay until the next call.
 */
extern bool clv_making_next(ClvMaking *making, Datum *values, bool *nulls);

/*
 * Histories of the query by parallel workers, into the result; false where the planner or a
 * setting gives it none, and nothing has been done. Errors: those of the query, and of its columns.
 */
extern bool clv_histories_parallel(const char *query, int32 occasion, TupleDesc columns,
								   Tuplestorestate *result);

#endif /* CLV_HISTORIES_PRIVATE_H */
