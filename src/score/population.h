/*
 * population.h
 *		The measures of many customers, kept to be cut.
 */
#ifndef CLV_SCORE_POPULATION_H
#define CLV_SCORE_POPULATION_H

#include "score/score.h"

typedef struct ClvPopulation
{
	MemoryContext context;		/* where the columns live */
	int64		customers;
	int64		capacity;
	double	   *column[CLV_MEASURES];	/* churn and value: NULL until a model comes */
} ClvPopulation;

/* Room for that many customers; an error with a hint over 1 GB. */
extern void clv_population_reserve(ClvPopulation *population, int64 customers);

extern void clv_population_add(ClvPopulation *population, const double value[CLV_MEASURES]);

/* The cuts of every measure that somebody has. The population is left as it is. */
extern void clv_population_cut(const ClvPopulation *population, int bins, ClvCutPoints *cuts);

#endif							/* CLV_SCORE_POPULATION_H */
