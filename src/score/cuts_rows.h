/*
 * cuts_rows.h
 *		What all rows that are cut together share: the day, the model, the number of bins.
 */
#ifndef CLV_SCORE_CUTS_ROWS_H
#define CLV_SCORE_CUTS_ROWS_H

#include "score/score.h"

/* What they share, in a state of an aggregate. */
typedef struct ClvCutsRows
{
	const char *aggregate; /* for messages: "rfmtc_cuts()" */
	MemoryContext context; /* of the state */
	ClvPackedModel *model; /* or NULL */
	ClvModelCache cache;   /* of the model, where there is one */
	ClvValuer *valuer;
	DateADT as_of;
	int bins;
} ClvCutsRows;

/* Copies the model into the context; an error where it has no purchase part. */
extern void clv_cuts_rows_model(ClvCutsRows *rows, const ClvPackedModel *model);

/*
 * Arguments 2 to 4 (as_of [, model [, bins]]) of the first row; and of the others, which must be
 * the same. Errors where they are not, or are out of range.
 */
extern void clv_cuts_rows_open(FunctionCallInfo fcinfo, ClvCutsRows *rows);
extern void clv_cuts_rows_check(FunctionCallInfo fcinfo, ClvCutsRows *rows);

/* An error unless two states share the same. */
extern void clv_cuts_rows_check_same(const ClvCutsRows *rows, const ClvCutsRows *other);

/* The measures of a customer; false where the customer does not exist yet. */
extern bool clv_cuts_rows_measure(ClvCutsRows *rows, const ClvHistory *history,
								  double value[CLV_MEASURES]);

#endif /* CLV_SCORE_CUTS_ROWS_H */
