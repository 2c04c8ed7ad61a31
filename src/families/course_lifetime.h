/*
 * course_lifetime.h
 *		Customers of pareto/nbd who follow a calendar, of one x and T together.
 */
#ifndef CLV_COURSE_LIFETIME_H
#define CLV_COURSE_LIFETIME_H

#include "families/clocks.h"

/* At most so many customers together. */
#define CLV_COURSE_TOGETHER 256

/*
 * Both clocks where a step begins, since the first step, with their derivatives by the effects:
 * vectors of ncovariates, and triangles.
 */
typedef struct ClvCourseStep
{
	double from;
	double a; /* speeds of the clocks of purchases and of leaving */
	double c;
	double b;
	double d;
	const double *z;
	const double *b1;
	const double *d1;
	const double *b2;
	const double *d2;
} ClvCourseStep;

/* Whether the family can be evaluated here: its clock of leaving has no growth. */
extern bool clv_course_lifetime_can(const ClvFamily *family);

/*
 * Adds to *sum the ln L of n customers of one x and T but ln_common, with derivatives by
 * parameters and effects, customer i being count[i] customers. t_x ascend, n is at most
 * CLV_COURSE_TOGETHER. steps: those from the customers' first purchase (the first step holds it) to
 * the end of the data; times of the course.
 */
extern void clv_course_lifetime_add(const ClvFamily *family, const double *param, double x,
									double T, const ClvCourseStep *steps, int nsteps,
									int ncovariates, bool leaving, const double *t_x,
									const double *count, size_t n, ClvWideTerm *sum);

#endif /* CLV_COURSE_LIFETIME_H */
