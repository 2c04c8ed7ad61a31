/*
 * course.h
 *		The log-likelihood of cells whose covariates follow a calendar.
 */
#ifndef CLV_COURSE_H
#define CLV_COURSE_H

#include "math/newton.h"
#include "families/cell_table.h"
#include "families/clocks.h"
#include "families/course_lifetime.h"

/* A course as the search sees it, and memory for its evaluation; laid out in its workspace. */
typedef struct ClvCourseTable
{
	const ClvCourse *course;
	double *z; /* standardised: n x ncovariates */

	/* at one point of the search: the clocks, by the time of the course */
	ClvStretch *stretch;
	double *first;  /* n x ncovariates: derivatives of the clock of purchases where each begins */
	double *second; /* n triangles */
	double *leaving_first; /* the same of the clock of leaving, where the family has one */
	double *leaving_second;
	ClvCourseStep *step;

	/* of the customers of one x and T */
	ClvStretch *own; /* their stretches, from their first purchase on */
	double *times;
	double *counts;
	ClvTerm *plain;
	ClvWideTerm *wide;
	ClvCell *steps; /* n: pseudo-customers, one a step */
} ClvCourseTable;

/* Lays out the workspace of the course. */
extern void clv_course_lay_out(ClvCourseTable *table, const ClvCourse *course);

/*
 * Standardises the covariates over the time from each customer's first purchase to the end of the
 * data, and sets those of the table; idle and results as for clv_covariates_survey().
 */
extern ClvStatus clv_course_survey(ClvCourseTable *table, const ClvCellTable *cells,
								   const uint32_t *idle, ClvCovariates *covariates, int *culprit);

/* clv_cells_evaluate() for cells with a course; they are sorted by x, T, t_x. */
extern void clv_course_evaluate(ClvCellTable *cells, const double *point, ClvQuadratic *at);

#endif /* CLV_COURSE_H */
