/*
 * population_value.h
 *		The type clv_population: the measures of many customers, counted.
 */
#ifndef CLV_SCORE_POPULATION_VALUE_H
#define CLV_SCORE_POPULATION_VALUE_H

#include "score/counted.h"
#include "score/cuts_rows.h"

#include "utils/expandeddatum.h"

/*
 * As it is stored, after the varlena header, in network order: version (1 byte), bins (1), as_of
 * (4), customers (8), skipped (8), size of the model (4; 0: none) and its own bytes, and of each of
 * the four measures, or six with a model, what is counted (counted.h). The bytes are canonical.
 */
typedef struct ClvPackedPopulation
{
	int32 vl_len_;
	char data[FLEXIBLE_ARRAY_MEMBER];
} ClvPackedPopulation;

#define PG_GETARG_CLV_POPULATION_P(n)                                                              \
	((ClvPackedPopulation *) PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(n)))

/* The type while it grows. */
typedef struct ClvPopulationValue
{
	ExpandedObjectHeader hdr;
	ClvPackedPopulation *flat; /* made when its size was asked for */
	ClvCutsRows rows;
	int64 customers;
	int64 skipped; /* did not exist yet */
	ClvCounted measure[CLV_MEASURES];
} ClvPopulationValue;

/* The measures that a population has: those without a model, or all. */
static inline int
clv_population_measures(const ClvPopulationValue *population)
{
	return population->rows.model != NULL ? CLV_MEASURES : CLV_PLAIN_MEASURES;
}

/* A population of no customers, with no day yet, in a memory context of its own below parent. */
extern ClvPopulationValue *clv_population_create(MemoryContext parent);

/* A copy of it below parent. */
extern ClvPopulationValue *clv_population_copy(const ClvPopulationValue *population,
											   MemoryContext parent);

/* The object behind a clv_population where it may be changed in place, else a copy of it below
 * parent. */
extern ClvPopulationValue *clv_population_writable(Datum population, MemoryContext parent);

/* The same to be read while the datum lives. */
extern const ClvPopulationValue *clv_population_view(Datum population);

/* Add the customers of another one, of which day, model and bins must be the same. */
extern void clv_population_merge_value(ClvPopulationValue *population,
									   const ClvPopulationValue *other);

#endif /* CLV_SCORE_POPULATION_VALUE_H */
