/*
 * course.h
 *		The log-likelihood of cells whose covariates follow a calendar.
 */
#ifndef CLV_COURSE_H
#define CLV_COURSE_H

#include "families/course_table.h"

/* clv_cells_evaluate() for cells with a course; they are sorted by group, x, T, t_x. */
extern void clv_course_evaluate(ClvCellTable *cells, const double *point, ClvQuadratic *at);

#endif /* CLV_COURSE_H */
