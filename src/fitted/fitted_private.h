/*
 * fitted_private.h
 *		What the files of this room share.
 */
#ifndef CLV_FITTED_PRIVATE_H
#define CLV_FITTED_PRIVATE_H

#include "fitted/fitted.h"

/* Parse and check the bytes behind the varlena header, or off the wire. */
extern void clv_fitted_decode(StringInfo in, ClvFitted *fitted);

/* Length of a time unit; an error that names it where it is none. */
extern double clv_fitted_unit_days(const Interval *unit);

/* An error that names it unless the family's parameter can have this value. */
extern void clv_fitted_check_parameter(const ClvFamily *family, int index, double value);

/* Parameters that a fit has moved, effects included: the k of AIC and BIC. */
extern int	clv_fitted_freedom(const ClvFittedPart *part);

extern double clv_fitted_aic(const ClvFittedPart *part);

/* The family of that name; an error with the list of names where nobody knows it. */
extern const ClvFamily *clv_fitted_family(const char *name);

/* "r, alpha, a, b" */
extern char *clv_fitted_parameter_list(const ClvFamily *family);

/* The part of the model that a family belongs to. */
extern ClvFittedPart *clv_fitted_part(ClvFitted *fitted, const ClvFamily *family);

#endif							/* CLV_FITTED_PRIVATE_H */
