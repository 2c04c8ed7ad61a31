/*
 * spend_likelihood.h
 *		The log-likelihood of customers' mean spends, with its derivatives.
 *		The engine behind clv_fit_spend(); see the essay in likelihood.c.
 */
#ifndef CLV_SPEND_LIKELIHOOD_H
#define CLV_SPEND_LIKELIHOOD_H

#include "math/newton.h"
#include "math/poll.h"
#include "families/covariates.h"
#include "families/likelihood.h"

/* The rows of a fit of a spend family. */
typedef struct ClvSpendRows
{
	const ClvFamily *family;
	ClvSpendRow *rows; /* sorted by group, x and mean */
	size_t n;
	ClvPoll *poll;
	const ClvCovariates *covariates; /* of the groups; NULL: none */
} ClvSpendRows;

/* Sorts in place; scratch holds n rows. False where a row is invalid. */
extern bool clv_spend_rows_sort(ClvSpendRows *spend, ClvSpendRow *scratch);

/*
 * Log-likelihood at a point, the parameters and the effects of the standardised covariates, with
 * derivatives by the logs of the parameters and by the effects.
 */
extern void clv_spend_rows_evaluate(ClvSpendRows *spend, const double *point, ClvQuadratic *at);

#endif /* CLV_SPEND_LIKELIHOOD_H */
