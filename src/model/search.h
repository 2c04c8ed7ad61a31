/*
 * search.h
 *		From a log-likelihood to its highest point.
 */
#ifndef CLV_SEARCH_H
#define CLV_SEARCH_H

#include "math/newton.h"
#include "model/likelihood.h"

typedef struct ClvProblem
{
	const ClvFamily *family;
	const ClvMoments *moments; /* what the family guesses starts from */
	double penalty;            /* on the sum of the squared logs of the shapes */
	int max_evaluations;       /* from one start */

	/* the log-likelihood at param, with derivatives by the logs of the parameters */
	void (*evaluate)(void *data, const double *param, ClvQuadratic *at);
	void *data;
} ClvProblem;

/*
 * Climb from start (NULL: none) and from the family's guesses; through the sample
 * where there is one (else NULL). Fills report but for the customers.
 */
extern ClvStatus clv_search(const ClvProblem *all, const ClvProblem *sample, const double *start,
							ClvFitReport *report);

#endif /* CLV_SEARCH_H */
