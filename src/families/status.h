/*
 * status.h
 *		The status codes of the modules without PostgreSQL.
 *
 * math/ and families/ allocate nothing, print nothing and raise nothing. The modules that use
 * PostgreSQL turn a status into an error with a hint.
 */
#ifndef CLV_STATUS_H
#define CLV_STATUS_H

/* The outcome of a fit. */
typedef enum ClvStatus
{
	CLV_OK = 0,
	CLV_NOT_CONVERGED,     /* iterations used up, gradient not 0; best point returned */
	CLV_DEGENERATE,        /* a parameter tends to 0 or infinity: the maximum is on the border */
	CLV_TOO_FEW,           /* fewer customers than the family needs */
	CLV_NO_REPEATERS,      /* no customer bought twice: rates are not identified */
	CLV_NO_DROPOUT_SIGNAL, /* every customer has the same history: parameters not identified */
	CLV_BAD_START,         /* invalid data, or no start with a finite likelihood */
	CLV_COLLINEAR          /* a covariate is constant, or follows from the others */
} ClvStatus;

#endif /* CLV_STATUS_H */
