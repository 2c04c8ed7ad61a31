/*
 * course_table.h
 *		What a search needs of covariates that follow a calendar: standardised, and clocks.
 */
#ifndef CLV_COURSE_TABLE_H
#define CLV_COURSE_TABLE_H

#include "math/newton.h"
#include "families/cell_table.h"
#include "families/clocks.h"
#include "families/course_lifetime.h"

/*
 * An unknown of the search as a combination of the numbers that the sum of a block has derivatives
 * by: one of them, or of an effect of covariates of the customers, a covariate times the
 * parameters that its process moves.
 */
typedef struct ClvCourseUnknown
{
	int place;                 /* in the sum; -1: an effect of these */
	const signed char *effect; /* of its process on the parameters */
	double z;
	double row[CLV_MAX_DIM]; /* second derivatives by it and the numbers of the sum */
} ClvCourseUnknown;

/* A course as the search sees it, and memory for its evaluation; laid out in its workspace. */
typedef struct ClvCourseTable
{
	const ClvCourse *whole;  /* all paths */
	ClvCourse now;           /* the path at hand, as a course of its own */
	const ClvCourse *course; /* the same: now */
	double *z;               /* standardised, of the path at hand: n x ncovariates */
	double *weight;          /* how long customers were in each step of all paths, */
	double *begun;           /* and how many of them first bought there */

	/* covariates as they were standardised, each kind by itself */
	ClvCovariates covariates; /* those of the calendar */
	ClvCovariates personal;   /* those of the customers; n is 0 where there are none */

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
	ClvCourseUnknown *unknown;
} ClvCourseTable;

/* Lays out the workspace of the course. */
extern void clv_course_lay_out(ClvCourseTable *table, const ClvCourse *course);

/*
 * Standardises the covariates of the customers, if they have any, and those of the calendar over
 * the time from each customer's first purchase to the end of the data, each by themselves; sets
 * those of the table, and *both to all of them, the customers' first. Acting and results as for
 * clv_covariates_survey().
 */
extern ClvStatus clv_course_survey(ClvCourseTable *table, const ClvCellTable *cells,
								   const uint32_t acting[3], ClvCovariates *both, int *culprit);

/* ---- at one point of the search ---- */

/* Makes a path the one at hand. */
extern void clv_course_take_path(ClvCourseTable *table, uint32_t path);

/* The path of a group. */
extern uint32_t clv_course_path(const ClvCourse *whole, uint32_t group);

/* The step of the course that holds a time. */
extern int clv_course_step(const ClvCourse *course, double t);

/* Standardises the covariates of the steps of the path at hand. */
extern void clv_course_standardise(ClvCourseTable *table);

/* Sets the clocks at these effects, on purchases and on leaving. */
extern void clv_course_set_clocks(ClvCourseTable *table, const double *effect);

/* Sets the clock of leaving, and the steps with both. */
extern void clv_course_set_steps(ClvCourseTable *table);

/* Sets *point to the clock of purchases at a time of the course, since its first step. */
extern void clv_course_point(const ClvCourseTable *table, double t, ClvClockPoint *point);

/* Sets *point to the clock at a time of the course, since another time. */
extern void clv_course_point_since(const ClvCourseTable *table, const ClvClockPoint *since,
								   double t, ClvClockPoint *point);

/*
 * Sets *point to the clock at a time of the course, since an earlier time, with no large number
 * taken from another but over whole steps.
 */
extern void clv_course_point_between(const ClvCourseTable *table, double from, double to,
									 ClvClockPoint *point);

/* The clocks of customers of this age. */
extern ClvClocks clv_course_own_clocks(const ClvCourseTable *table, double T);

#endif /* CLV_COURSE_TABLE_H */
