/*
 * fit_private.h
 *		What the files that make up a fit share.
 */
#ifndef CLV_FIT_PRIVATE_H
#define CLV_FIT_PRIVATE_H

#include "cells/cells.h"
#include "model/model.h"
#include "families/likelihood.h"
#include "families/prior.h"

/* One fit: its data, its options, and the model that it fills. */
typedef struct FitContext
{
	ClvCellsView view;
	const ClvFitOptions *options;
	ClvCounting counting;
	ClvCalendar *packed;                  /* the calendar that the fit follows; NULL: none */
	ClvCalendarParts calendar;            /* the same; without names where there is none */
	double reference[CLV_MAX_COVARIATES]; /* what covariates of the course are counted from */
	MemoryContext scratch;                /* for a path at a time */
	int given; /* covariates of customers and of the options' calendar, which come first */
	ClvModel fitted;
	int64 customers;
} FitContext;

/*
 * Customers with paths as the engine takes them: groups of those with the same path and covariates,
 * in order of the vectors. earliest: the first purchase of the customers of each path.
 */
typedef struct FitPaths
{
	uint32 npaths; /* 0: customers have none */
	uint32 ngroups;
	uint32 *of_group;
	uint32 *of_vector;     /* the path of each vector, by the number that it has in the cells */
	const double *z;       /* ngroups x covariates of customers */
	const double *vectors; /* in order, with the customers of each */
	double *customers;
	int64 *earliest;
} FitPaths;

/* The notices that a query has raised already; kept in fn_extra. */
typedef struct SaidOnce
{
	bool one_time_alive;
	bool no_spend;
	bool all_repeat;
	bool returned;
	bool no_purchase;
	bool loose;
	bool season;
	int64 unfitted;     /* fits that were not possible, and are not reported yet */
	char *unfitted_why; /* the error of the first of them */
} SaidOnce;

/* Memory for so many rows of that size, more than 1 GB if need be. */
extern void *clv_fit_alloc(int64 n, Size size);

/* Covariates that are made by the fit itself, after those of the options' calendar. */
typedef struct ClvSeason
{
	int harmonics;
	bool months; /* a level for each month but January */
	bool trend;
} ClvSeason;

/* Let the fit follow a calendar; NULL: none. */
extern void clv_fit_follow(FitContext *fit, ClvCalendar *calendar);

/*
 * The options' calendar with the covariates of a season, palloc'd; NULL where there are none. An
 * error where the data are too short for a season, a warning where for a season and a trend.
 */
extern ClvCalendar *clv_fit_season(const FitContext *fit, ClvSeason season);

/* Whether the data are long enough for a season. */
extern bool clv_fit_has_years(const FitContext *fit);

/* The day of the first purchase of all customers. */
extern DateADT clv_fit_first(const FitContext *fit);

/* The number of covariates, of customers and behind them of the calendar, and the name of one. */
extern int clv_fit_ncovariates(const FitContext *fit);
extern const char *clv_fit_covariate_name(const FitContext *fit, int i);

/*
 * The course of the calendar and of paths over the time from the first purchase to as_of, palloc'd;
 * NULL without both. Its covariates are less their values on the first day, which may be large.
 * Errors name the day where a calendar does not cover that time.
 */
extern ClvCourse *clv_fit_course(FitContext *fit, const FitPaths *paths);

/*
 * Sets the groups of customers with paths from the vectors in order, and rank, the place of each
 * vector, to its group.
 */
extern void clv_fit_path_groups(const FitContext *fit, const double *vectors, uint32 *rank,
								FitPaths *paths);

/* Sets the steps of a course with paths. */
extern void clv_fit_path_course(FitContext *fit, const FitPaths *paths, ClvCourse *course);

/* Frees the steps and the workspace of a course, which may be large; NULL: none. */
extern void clv_fit_free_course(ClvCourse *course);

/* Moves the centres of a report from those of the course to those of the calendar. */
extern void clv_fit_centre(const FitContext *fit, ClvFitReport *report);

/* The purchase part of the model. */
extern void clv_fit_purchases(FitContext *fit, SaidOnce *said);

/* The common shock of the customers under the model. */
extern void clv_fit_keep_shock(FitContext *fit);

/* The spend part of the model, which stays empty, with a message, where it cannot be fitted. */
extern void clv_fit_spend_part(FitContext *fit, SaidOnce *said);

/*
 * Call fit_model, and return true; false where it raises an error about the customers, as too few
 * of them. Such fits are counted, and a NOTICE at the end of the query gives their number.
 */
extern bool clv_fit_if_possible(FunctionCallInfo fcinfo, FitContext *fit, SaidOnce *said,
								void (*fit_model)(FitContext *fit, SaidOnce *said));

/*
 * Sets *prior to that of the options, and returns it; NULL where it says nothing of this family. An
 * error where it names an effect that the fit does not have.
 */
extern const ClvPrior *clv_fit_prior(const FitContext *fit, const ClvFamily *family,
									 ClvPrior *prior);

/* Whether the options have a prior on every parameter of the family. */
extern bool clv_fit_has_proper_prior(const FitContext *fit, const ClvFamily *family);

/* Keeps in the part of the model which prior it was fitted with, and what the report says of it. */
extern void clv_fit_keep_prior(const FitContext *fit, const ClvFitReport *report,
							   ClvModelPart *part);

/*
 * Keeps in the part of the model the limits by the profile of the likelihood, and their level; of a
 * fit that did not converge none are known.
 */
extern void clv_fit_keep_limits(const FitContext *fit, const ClvLimits *limits, ClvModelPart *part);

/* What fits of different shapes are compared by: the log-likelihood, with the prior. */
extern double clv_fit_height(const ClvFitReport *report);

/* ---- reports of the engine ---- */

/* Errors for the statuses that leave no model. */
extern void clv_fit_raise(const FitContext *fit, ClvStatus status, const ClvFamily *family,
						  const ClvFitReport *report);

/* Warn of a fit that stopped short of an optimum. */
extern void clv_fit_warn(const FitContext *fit, ClvStatus status, const ClvFamily *family,
						 const ClvFitReport *report);

/* A NOTICE, once a query, with the parameters that the data do not determine, though the fit
 * converged. */
extern void clv_fit_say_loose(const FitContext *fit, const ClvModelPart *part, SaidOnce *said);

/* A NOTICE, once a query, where the family gives every one-time buyer P(alive) = 1. */
extern void clv_fit_say_one_time_alive(const FitContext *fit, const ClvFamily *family,
									   const double *param, SaidOnce *said);

/* A NOTICE, once a query, where every customer has a repeat purchase: one-time buyers were probably
 * left out. */
extern void clv_fit_say_all_repeat(const FitContext *fit, SaidOnce *said);

/* Which fit a message is about: "Customers: 312, first purchase 2020-01-03, as of 2021-01-01." */
extern char *clv_fit_which(const FitContext *fit);

/* 0: an optimum; 1: a point, but no optimum; 2: nothing */
extern int clv_fit_shortfall(ClvStatus status);

/* The error for a point that no model can have: of a fit with covariates it names them. */
extern pg_attribute_noreturn() void clv_fit_raise_unusable(const FitContext *fit,
														   const ClvFamily *family,
														   const ClvFitReport *report);

/* Whether the point that a fit reached is one that a model can have. */
extern bool clv_fit_usable(const ClvFamily *family, const ClvFitReport *report);

/* "r = 0.24, alpha = 4.4", for a message. */
extern char *clv_fit_parameter_text(const ClvFamily *family, const double *param);

/* Fill the part from the report of a fit. */
extern void clv_fit_fill(ClvModelPart *part, const ClvFamily *family, ClvStatus status,
						 const ClvFitReport *report, int64 customers);

/* Set the control of the engine from the options; start: NULL for the engine's own. */
extern void clv_fit_control(ClvFitControl *control, const ClvFitOptions *options,
							const double *start);

#endif /* CLV_FIT_PRIVATE_H */
