/*
 * options.h
 *		The options of a fit (clv_options): what they hold, how they are read and written.
 */
#ifndef CLV_OPTIONS_H
#define CLV_OPTIONS_H

#include "clv.h"

#include "calendar/calendar.h"
#include "families/family.h"
#include "history/periods.h"
#include "utils/jsonb.h"
#include "nodes/pg_list.h"
#include "utils/timestamp.h"

#define CLV_NAME_SIZE 16        /* of a family in stored options, its NUL included */
#define CLV_START_PARAMS 6      /* as many parameters as a stored start has room for */
#define CLV_COVARIATES_SIZE 256 /* of all names of covariates, with a NUL after each */
#define CLV_MAX_K 8             /* the largest Erlang shape that is tried */

#define CLV_AS_PENALTY (-1) /* a penalty that is not given: that of both processes holds */

#define CLV_MODEL_AUTO "auto"
#define CLV_MODEL_DEFAULT "mbg/nbd"
#define CLV_SPEND_NONE "none"

/* The time of the year as covariates: up to so many harmonics, a level a month, or what BIC says.
 */
#define CLV_SEASON_MOST 6
#define CLV_SEASON_LEVELS 11 /* covariates of a level a month: all but January */
#define CLV_SEASON_MONTH 7
#define CLV_SEASON_AUTO 8

#define CLV_PRIOR_EFFECTS 16 /* effects of covariates that a prior may be about */

/* A prior on the unit-free quantities of a family, in their order, as it is written. */
typedef struct ClvPriorPart
{
	char family[CLV_NAME_SIZE]; /* "": none */
	double mean[CLV_START_PARAMS];
	double sd[CLV_START_PARAMS]; /* 0: it says nothing of this one, whose mean is 0 */
	double correlation[CLV_START_PARAMS * (CLV_START_PARAMS - 1) / 2]; /* below the diagonal */
} ClvPriorPart;

/* The prior of a fit, from clv_pool() or written by hand; unused bytes are zero. */
typedef struct ClvFitPrior
{
	ClvPriorPart purchase;
	ClvPriorPart spend;
	double effect_mean[CLV_PRIOR_EFFECTS]; /* on purchases or churn, each by itself */
	double effect_sd[CLV_PRIOR_EFFECTS];
	char effects[CLV_COVARIATES_SIZE]; /* names of their covariates, one after the other */
	int32 neffects;
	int32 churn; /* a bit for each effect that is on churn */
} ClvFitPrior;

/* Whether purchase rates grow or fall by a constant percentage a year. */
typedef enum ClvTrend
{
	CLV_TREND_NONE,
	CLV_TREND_TRUE,
	CLV_TREND_AUTO
} ClvTrend;

/* Whether a fit estimates the common shock, and the model keeps it. */
typedef enum ClvShockWanted
{
	CLV_SHOCK_AUTO, /* where the customers are histories in continuous time */
	CLV_SHOCK_ALWAYS,
	CLV_SHOCK_NEVER
} ClvShockWanted;

/* The result of a fit of too few customers, or of customers too much alike. */
typedef enum ClvTooFew
{
	CLV_TOO_FEW_ERROR,
	CLV_TOO_FEW_NULL
} ClvTooFew;

/*
 * The options of clv_options(), in canonical form: unused bytes are zero, so that equal
 * options are equal bytes. Stored inside clv_cells: the layout has no holes and
 * changes only together with CLV_CELLS_VERSION.
 */
typedef struct ClvFitOptions
{
	char model[CLV_NAME_SIZE];       /* a transaction family or 'auto' */
	char spend[CLV_NAME_SIZE];       /* a spend family or 'none' */
	char start_model[CLV_NAME_SIZE]; /* "": no start for the purchases */
	char start_spend[CLV_NAME_SIZE]; /* "": no start for the spend */
	double start_model_param[CLV_START_PARAMS];
	double start_spend_param[CLV_START_PARAMS];
	double start_effect[CLV_MAX_EFFECTS];    /* of these covariates, in their order */
	double start_centre[CLV_MAX_COVARIATES]; /* where the start has its parameters */
	ClvFitPrior prior;
	double penalty;       /* ridge on the effects of covariates */
	double churn_penalty; /* on those on churn; CLV_AS_PENALTY: the same */
	double shape_penalty;
	double profile; /* level of limits by the profile of the likelihood; 0: none */
	Interval time_unit;
	Interval grace;                       /* of families with renewals */
	char covariates[CLV_COVARIATES_SIZE]; /* their names, one after the other */
	char path[CLV_COVARIATES_SIZE];       /* those of the paths of customers, likewise */
	uint64 calendar;                      /* clv_calendar_fingerprint() of the calendar; 0: none */
	int32 idle_purchase;                  /* a bit for each covariate that does not act on */
	int32 idle_churn;                     /* purchases, and on churn */
	DateADT as_of;                        /* DATEVAL_NOEND: not given */
	int32 spend_basis;                    /* ClvSpendBasis */
	int32 max_iterations;                 /* 0: the engine's own limit */
	int32 ncovariates;
	int32 k;             /* 0: the one with the highest likelihood */
	int32 periods;       /* ClvPeriodsOf; of families of discrete time */
	int32 too_few;       /* ClvTooFew */
	int32 season;        /* yearly harmonics, or CLV_SEASON_MONTH, CLV_SEASON_AUTO; 0: none */
	int32 trend;         /* ClvTrend */
	int32 same_effects;  /* a bit for each covariate with the same effect on both processes */
	int32 acts_on_spend; /* a bit for each covariate of customers that moves what they spend */
	int32 npath;         /* names of paths; 0: customers have none */
	int32 shock;         /* ClvShockWanted */
	int32 reserved;
} ClvFitOptions;

/* Options as given: those left out take the value of the cells they are applied to. */
typedef struct ClvParsedOptions
{
	ClvFitOptions options;
	ClvCalendar *calendar; /* NULL: none */
	List *acting[4]; /* names of the covariates that act on purchases, on churn, equally on both, on
					  * spend */
	uint32 given;    /* a bit for each option of the table (options.c) */
	uint32 switched; /* and for each switch that stands for another family */
} ClvParsedOptions;

/*
 * Parse and check options; NULL means none. Errors name the key and the value. path: that of a
 * customer, whose names are taken where the options name none; or NULL.
 */
extern void clv_fit_options_parse(Jsonb *json, const ClvCalendar *path, ClvParsedOptions *parsed);

/*
 * Append the options as JSON that clv_fit_options_parse reads back exactly; without the calendar
 * where that is NULL.
 */
extern void clv_fit_options_text(StringInfo out, const ClvFitOptions *options,
								 const ClvCalendar *calendar);

/* Both options as JSON, for a message; calendars, which are left out there, may be all that
 * differs. */
extern char *clv_fit_options_both(const ClvFitOptions *one, const ClvFitOptions *other);

/* An error unless covariates of customers and those of the calendar (NULL: none) can be told apart,
 * and are not too many. */
extern void clv_fit_options_check_names(const ClvFitOptions *options, const ClvCalendar *calendar);

/* Check options whose bytes came from outside. */
extern void clv_fit_options_check(const ClvFitOptions *options);

/* The binary form; reading it checks them. */
extern void clv_fit_options_send(StringInfo out, const ClvFitOptions *options);
extern void clv_fit_options_recv(StringInfo in, ClvFitOptions *options);

/* Whether the option of that name was given. */
extern bool clv_fit_option_given(const ClvParsedOptions *parsed, const char *name);

/*
 * Of the options that cells are counted with, the name of the first in which the two differ,
 * and both values in words; NULL where there is none.
 */
extern const char *clv_fit_options_differ(const ClvFitOptions *a, const ClvFitOptions *b,
										  const char **one, const char **other);

/* The options given; those that cells are counted with, and that were not given, are the cells'
 * own. */
extern void clv_fit_options_inherit(const ClvParsedOptions *given, const ClvFitOptions *own,
									ClvFitOptions *result);

/* Name i of the covariates. */
extern const char *clv_fit_covariate(const ClvFitOptions *options, int i);

/* Name i of the paths of customers. */
extern const char *clv_fit_path_name(const ClvFitOptions *options, int i);

/* Whether rates change with the day: by a calendar, season, trend or the paths of customers. */
extern bool clv_fit_follows(const ClvFitOptions *options);

/* Whether the fit needs the days of all purchases, as it follows a calendar, season or trend, or
 * must estimate the common shock; */
extern bool clv_fit_uses_days(const ClvFitOptions *options);

/* and whether histories are counted by them, which the default of the shock is a reason for too. */
extern bool clv_fit_counts_days(const ClvFitOptions *options);

/* Which of these it is, for a message: "calendar", "season", "trend", "path", "shock". */
extern const char *clv_fit_calendar_word(const ClvFitOptions *options);

/* The names of all covariates of customers, and of their paths, for a message. */
extern char *clv_fit_covariate_list(const ClvFitOptions *options);
extern char *clv_fit_path_list(const ClvFitOptions *options);

/* Name i of the effects of a prior. */
extern const char *clv_prior_effect(const ClvFitPrior *prior, int i);

/* Read a prior; errors name what is unknown or out of range. What says nothing is left out. */
extern void clv_prior_read(JsonbContainer *container, ClvFitPrior *prior);

/* Append the prior, or one part of it with its effects, as JSON that clv_prior_read reads back. */
extern void clv_prior_write(StringInfo out, const ClvFitPrior *prior);
extern void clv_prior_write_part(StringInfo out, const ClvFitPrior *prior, bool spend);

/* Check a prior whose bytes came from outside. */
extern void clv_prior_check_stored(const ClvFitPrior *prior);

/* The family to be fitted; of 'auto', one of those it tries. */
extern const ClvFamily *clv_fit_family(const ClvFitOptions *options);

/* The clock of that family. */
extern ClvClock clv_fit_clock(const ClvFitOptions *options);

/* How histories are counted in whole periods; an error where the time unit is none. Of continuous
 * time all zero. */
extern void clv_fit_counting(const ClvFitOptions *options, ClvCounting *counting);

/*
 * Numbers that each customer needs: the covariates, or the outcome. Of customers with paths, which
 * path it is (cells_paths.c), the covariates, and the sum of each of the path over the days of the
 * repeat purchases.
 */
extern int clv_fit_width(const ClvFitOptions *options);

/* A vector has at most so many numbers. */
#define CLV_MAX_WIDTH (CLV_MAX_COVARIATES + 1)

/* Whether the start is one for this family: its own, or that of the family at its core. */
extern bool clv_fit_starts(const ClvFitOptions *options, const ClvFamily *family);

/* Whether the model, or one that 'auto' tries, has an Erlang shape. */
extern bool clv_fit_has_k(const ClvFitOptions *options);

/* Whether the fit compares Erlang shapes, for which times between purchases are needed. */
extern bool clv_fit_uses_times(const ClvFitOptions *options);

/* The place of the parameter in the family, where it is not searched for; -1: none. */
extern int clv_fit_fixed(const ClvFamily *family, const char *name);

#endif /* CLV_OPTIONS_H */
