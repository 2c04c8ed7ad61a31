/*
 * maximize.h
 *		The maximum of a log-likelihood.
 */
#ifndef CLV_MAXIMIZE_H
#define CLV_MAXIMIZE_H

#include "families/problem.h"

#define CLV_MAX_STARTS 6

/*
 * Maximises from the starts (at most CLV_MAX_STARTS) and the family's start values. problems[0]
 * is that of all the data; the others, n - 1 of them, are of ever smaller samples, through
 * which the ascents go first. Fills report but for the customers.
 */
extern ClvStatus clv_search(const ClvProblem *problems, int n, const ClvStart *starts, int nstarts,
							ClvFitReport *report);

#endif /* CLV_MAXIMIZE_H */
