/*
 * spend_likelihood.h
 *		The log-likelihood of customers' mean spends, with its derivatives.
 *		The engine behind clv_fit_spend(); see the essay in likelihood.c.
 */
#ifndef CLV_SPEND_LIKELIHOOD_H
#define CLV_SPEND_LIKELIHOOD_H

#include "math/newton.h"
#include "math/poll.h"
#include "families/likelihood.h"

/* The rows of a fit of a spend family. */
typedef struct ClvSpendRows
{
	const ClvFamily *family;
	ClvSpendRow *rows; /* sorted by x, then mean */
	size_t n;
	ClvPoll *poll;
} ClvSpendRows;

/* Sorts in place; scratch holds n rows. False where a row is invalid. */
extern bool clv_spend_rows_sort(ClvSpendRows *spend, ClvSpendRow *scratch);

/* Log-likelihood at param, with derivatives by the logs of the parameters. */
extern void clv_spend_rows_evaluate(ClvSpendRows *spend, const double *param, ClvQuadratic *at);

#endif /* CLV_SPEND_LIKELIHOOD_H */
