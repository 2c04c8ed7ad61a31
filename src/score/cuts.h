/*
 * cuts.h
 *		The type clv_cuts: the cut points of a population, as a value.
 */
#ifndef CLV_SCORE_CUTS_H
#define CLV_SCORE_CUTS_H

#include "common/json.h"
#include "score/score.h"

/*
 * After the varlena header, numbers in network order: version (1 byte), bins
 * (1), as_of (4), customers (8), skipped (8), the cuts of recency, frequency,
 * monetary and tenure, bins - 1 of 8 bytes each; and where there is a model, the
 * cuts of churn and value and then the model's own bytes.
 *
 * Cuts that this cannot say, as some measures have none or other bins, or there is no day or
 * no customer, have version 2: version (1), the bins of each measure (6 of 1 byte; 0: not
 * cut), whether there is a day (1), as_of (4, else 0), customers (8), skipped (8), the cuts of
 * those that are cut, and the model's own bytes, if there is one.
 *
 * The bytes are canonical.
 */
typedef struct ClvCuts
{
	int32 vl_len_;
	char data[FLEXIBLE_ARRAY_MEMBER];
} ClvCuts;

#define DatumGetClvCutsP(d) ((ClvCuts *) PG_DETOAST_DATUM_PACKED(d))
#define PG_GETARG_CLV_CUTS_P(n) DatumGetClvCutsP(PG_GETARG_DATUM(n))
#define PG_RETURN_CLV_CUTS_P(c) PG_RETURN_POINTER(c)

/* The same, unpacked. */
typedef struct ClvCutsParts
{
	ClvCutPoints points;
	bool has_as_of;
	DateADT as_of;
	int64 customers;       /* measured and cut; of given limits 0 */
	int64 skipped;         /* did not exist yet */
	ClvPackedModel *model; /* or NULL */
} ClvCutsParts;

/* The bins that all measures of a population share; 0 for cuts that only version 2 can say. */
extern int clv_cuts_shared_bins(const ClvCutsParts *parts);

/* Raises an error unless there are so many customers at least, and none less than 0 skipped. */
extern void clv_cuts_check_customers(const ClvCutsParts *parts, int64 least);

/* A number of a JSON form that may be infinite: then it is a string, as JSON has no infinite
 * numbers. what: what the list around it must be. */
extern double clv_cuts_number(const ClvMember *member, const char *what);

/* Packs the parts, which are checked: they may come from text. */
extern ClvCuts *clv_cuts_pack(const ClvCutsParts *parts);

/* Reads the binary form, of which every byte is checked. */
extern void clv_cuts_unpack(StringInfo in, ClvCutsParts *parts);

/* The parts of a value; the model is copied. */
extern void clv_cuts_unpack_value(const ClvCuts *cuts, ClvCutsParts *parts);

#endif /* CLV_SCORE_CUTS_H */
