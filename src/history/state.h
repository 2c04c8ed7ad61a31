/*
 * state.h
 *		A history while it is built: transactions in any order, of any number.
 */
#ifndef CLV_HISTORY_STATE_H
#define CLV_HISTORY_STATE_H

#include "history/layout.h"

typedef struct ClvHistoryState ClvHistoryState;

/* The errors about the occasion; the second where it is below 1. */
extern void pg_attribute_noreturn() clv_occasion_is_null(void);
extern void clv_check_occasion_length(int32 occasion);

/* An empty one in the context; an occasion below 1 is an error. */
extern ClvHistoryState *clv_state_new(MemoryContext context, int32 occasion);

/* The state that an argument of type internal is, or an error. */
extern ClvHistoryState *clv_state_of(void *argument);

/* The days of the state's occasion grid. */
extern int32 clv_state_occasion(const ClvHistoryState *state);

/*
 * Add a transaction, or the net of several: whether something was bought, how
 * many of the amounts are unknown, and the sum of the others (NULL: there are no
 * others). The state may move: go on with the one returned. The day is taken to
 * the grid of the state's occasion.
 */
extern ClvHistoryState *clv_state_add(ClvHistoryState *state, DateADT day, bool bought,
									  int64 unknown, const ClvDecimal *amount);

/* Add a whole history, or another state; their occasions must be equal. */
extern ClvHistoryState *clv_state_add_history(ClvHistoryState *state, const ClvHistory *history);
extern ClvHistoryState *clv_state_add_state(ClvHistoryState *state, const ClvHistoryState *other);

/*
 * The state that the bytes of a history (without the varlena header) describe;
 * every byte is checked, and sqlstate raised where one is invalid.
 */
extern ClvHistoryState *clv_state_parse(MemoryContext context, const uint8 *data, Size size,
										int sqlstate);

/* The history. The state stays as it is. */
extern ClvHistory *clv_state_finish(const ClvHistoryState *state);

/* An error unless the occasions are equal. */
extern void clv_check_occasion(int32 occasion, int32 other);

#endif /* CLV_HISTORY_STATE_H */
