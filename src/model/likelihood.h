/*
 * likelihood.h
 *		Maximum likelihood over cells of identical customers.
 *
 * The engine knows no family: it asks for the two terms of L = C (P(t_x) + Q(T))
 * on the distinct times of each x (a few thousand rows), after which a cell costs
 * two look-ups, an addition and a share of a logarithm. Newton steps on the
 * log-parameters with the analytic gradient and Hessian.
 *
 * Everything is deterministic: cells are sorted before the first evaluation and
 * sums are compensated, so the order of arrival changes no bit.
 */
#ifndef CLV_LIKELIHOOD_H
#define CLV_LIKELIHOOD_H

#include "model/family.h"

/* count customers with the same history, times in the model's unit */
typedef struct ClvCell
{
	double		x;
	double		t_x;
	double		T;
	double		count;
} ClvCell;

typedef struct ClvFitControl
{
	const double *start;		/* warm start, natural scale, or NULL: from the data's moments */
	int			max_iterations;	/* 0: the engine's own limit */
	double		shape_penalty;	/* ridge on the logs of shape parameters (never scales); 0: none */

	/*
	 * Called every few thousand cells; may longjmp (the engine holds nothing).
	 * May be NULL.
	 */
	void		(*poll) (void *arg);
	void	   *poll_arg;
} ClvFitControl;

typedef struct ClvFitReport
{
	double		param[CLV_MAX_PARAMS];	/* natural scale */
	double		covariance[CLV_MAX_HESSIAN];	/* of the logs of the parameters, lower triangle */
	bool		has_covariance;	/* false where the Hessian is not negative definite */
	double		log_likelihood;
	double		gradient_norm;	/* length of the last Newton step in standard errors */
	double		customers;
	int			iterations;
	int			degenerate_param;	/* with CLV_DEGENERATE: which one runs away; else -1 */
} ClvFitReport;

/* Bytes of scratch that a fit over n cells (rows) needs; the caller allocates. */
extern size_t clv_fit_cells_workspace(const ClvFamily *family, size_t n);
extern size_t clv_fit_spend_workspace(const ClvFamily *family, size_t n);

/*
 * Fit a transaction family. cells are sorted in place. report is filled as far
 * as the fit came, whatever the status.
 */
extern ClvStatus clv_fit_cells(const ClvFamily *family, ClvCell *cells, size_t n,
							   const ClvFitControl *control, void *workspace,
							   ClvFitReport *report);

/* The same for a spend family; rows with x < 1 or mean <= 0 must have been left out. */
extern ClvStatus clv_fit_spend(const ClvFamily *family, ClvSpendRow *rows, size_t n,
							   const ClvFitControl *control, void *workspace,
							   ClvFitReport *report);

#endif							/* CLV_LIKELIHOOD_H */
