/*
 * status.h
 *		How the pure rooms say that something went wrong.
 *
 * math/ and model/ allocate nothing, print nothing and raise nothing. The rooms
 * that know PostgreSQL turn a status into an error with a hint.
 */
#ifndef CLV_STATUS_H
#define CLV_STATUS_H

typedef enum ClvStatus
{
	CLV_OK = 0,
	CLV_NOT_CONVERGED,		/* iterations used up, gradient not gone; best point returned */
	CLV_DEGENERATE,			/* a parameter runs to 0 or infinity: the optimum is on the border */
	CLV_TOO_FEW,			/* fewer customers than the family needs */
	CLV_NO_REPEATERS,		/* nobody bought twice: nothing to learn a rate from */
	CLV_NO_DROPOUT_SIGNAL,	/* every customer has the same history: parameters not identified */
	CLV_BAD_START,			/* nonsense in the data, or no start with a finite likelihood */
	CLV_COLLINEAR			/* a covariate is constant, or follows from the others */
} ClvStatus;

#endif							/* CLV_STATUS_H */
