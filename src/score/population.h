/*
 * population.h
 *		The measures of many customers, from which the cuts are made.
 */
#ifndef CLV_SCORE_POPULATION_H
#define CLV_SCORE_POPULATION_H

#include "score/score.h"

/* The measures of a population, a column each. */
typedef struct ClvPopulation
{
	MemoryContext context; /* where the columns live */
	int64 customers;
	int64 capacity;
	double *column[CLV_MEASURES]; /* churn and value: NULL before the first model */
} ClvPopulation;

/* Makes room for that many customers; an error with a hint over 1 GB. */
extern void clv_population_reserve(ClvPopulation *population, int64 customers);

/* Adds a customer; churn and value are NaN without a model. */
extern void clv_population_add(ClvPopulation *population, const double value[CLV_MEASURES]);

/* The cuts of every measure that at least one customer has. The population does not change. */
extern void clv_population_cut(const ClvPopulation *population, int bins, ClvCutPoints *cuts);

#endif /* CLV_SCORE_POPULATION_H */
