/*
 * rows.h
 *		What the transition functions of this room share.
 */
#ifndef CLV_ROWS_H
#define CLV_ROWS_H

#include "fit/fit.h"

/* Where a state may live. */
extern MemoryContext clv_cells_context(FunctionCallInfo fcinfo);

#define ReturnState(state) \
	PG_RETURN_DATUM((state)->small != NULL ? PointerGetDatum((state)->small) \
										   : EOHPGetRWDatum(&(state)->hdr))

extern Datum clv_cells_unchanged(FunctionCallInfo fcinfo);

/* Whether the options argument is, byte for byte, the one that the state saw last. */
extern bool clv_cells_same_given(const ClvCellsState *state, FunctionCallInfo fcinfo, int arg);

extern void clv_cells_parse_given(FunctionCallInfo fcinfo, int arg, ClvParsedOptions *parsed);

/* Keep a copy of the argument. */
extern void clv_cells_remember_given(FunctionCallInfo fcinfo, int arg, ClvCellsState *state);

/* A number, shortest exact, for an error. */
extern char *clv_number_text(double value);

#endif							/* CLV_ROWS_H */
