/*
 * profile_limits.h
 *		Limits of parameters by the profile of the likelihood.
 */
#ifndef CLV_PROFILE_LIMITS_H
#define CLV_PROFILE_LIMITS_H

#include "families/problem.h"

/*
 * Sets *limits to the values of each parameter and effect at which the function that is maximised,
 * with the others at their best, is width^2 / 2 below its maximum, where report is. The end of its
 * range where it does not fall so far: 0, 1, INFINITY; NAN where the parameter is not searched for,
 * or no maximum over the others was found.
 */
extern void clv_profile_limits(const ClvProblem *problem, const ClvFitReport *report, double width,
							   ClvLimits *limits);

#endif /* CLV_PROFILE_LIMITS_H */
