/*
 * linalg.h
 *		Small dense symmetric systems: as many unknowns as a model has parameters and
 *		effects of covariates.
 *
 * Symmetric matrices are lower triangles stored row by row: (0,0) (1,0) (1,1)
 * (2,0) ...
 */
#ifndef CLV_LINALG_H
#define CLV_LINALG_H

#include <stdbool.h>

#define CLV_LINALG_MAX 40
#define CLV_TRIANGLE(n) ((n) * ((n) + 1) / 2)
#define CLV_LINALG_MAX_TRIANGLE CLV_TRIANGLE(CLV_LINALG_MAX)

/* Place of (row, col) in a lower triangle; col <= row. */
#define CLV_AT(row, col) (CLV_TRIANGLE(row) + (col))

/*
 * A matrix scaled to a unit diagonal and factored as L L'. Scaling first makes
 * the result independent of the units of the unknowns.
 */
typedef struct ClvCholesky
{
	int n;
	double scale[CLV_LINALG_MAX]; /* 1/sqrt of the diagonal */
	double factor[CLV_LINALG_MAX_TRIANGLE];
} ClvCholesky;

/* Factors a matrix; false where it is not positive definite within rounding errors. */
extern bool clv_cholesky(int n, const double *matrix, ClvCholesky *chol);

/* Sets x = A^-1 b; x may be b. */
extern void clv_cholesky_solve(const ClvCholesky *chol, const double *b, double *x);

/* Sets inverse to the lower triangle of A^-1. */
extern void clv_cholesky_inverse(const ClvCholesky *chol, double *inverse);

/*
 * Sets values to the eigenvalues, ascending, and vectors to the unit eigenvectors of a symmetric
 * matrix: vectors[k * n + i] is component i of the k-th. False where an element is not finite.
 */
extern bool clv_eigen(int n, const double *matrix, double *values, double *vectors);

#endif /* CLV_LINALG_H */
