/*
 * cells_rows.h
 *		What the transition functions of this module share.
 */
#ifndef CLV_CELLS_ROWS_H
#define CLV_CELLS_ROWS_H

#include "cells/cells.h"

/*
 * Whether the state of the aggregate that calls may be a small one (cells_small.c): then it is
 * the aggregate's own, to be changed in place. Never outside of an aggregate.
 */
extern bool clv_cells_may_be_small(FunctionCallInfo fcinfo);

extern Datum clv_cells_merge(PG_FUNCTION_ARGS);
extern Datum clv_cells_final(PG_FUNCTION_ARGS);
extern Datum clv_fit_final(PG_FUNCTION_ARGS);

/* Return a state, in place where it is small. */
#define ReturnState(state)                                                                         \
	PG_RETURN_DATUM((state)->small != NULL ? PointerGetDatum((state)->small)                       \
										   : EOHPGetRWDatum(&(state)->hdr))

/* The options of the argument, NULL where there is none; parsed only where it is not that of the
 * last row. */
extern const ClvParsedOptions *clv_cells_given(FunctionCallInfo fcinfo, int arg);

#endif /* CLV_CELLS_ROWS_H */
