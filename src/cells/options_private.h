/*
 * options_private.h
 *		The table of the options of a fit, for the files that read and write them.
 */
#ifndef CLV_OPTIONS_PRIVATE_H
#define CLV_OPTIONS_PRIVATE_H

#include "cells/cells.h"
#include "common/json.h"
#include "utils/array.h"

/* The type of an option: in JSON, as an argument of clv_options(), and as a field of ClvFitOptions.
 */
typedef enum ClvOptionKind
{
	CLV_OPTION_FAMILY,   /* string, text, char[CLV_NAME_SIZE] */
	CLV_OPTION_CHOICE,   /* string, text, int32: one of some words; 0 is the default */
	CLV_OPTION_INTERVAL, /* string, interval, Interval; all zero: not given */
	CLV_OPTION_DAY,      /* string, date, DateADT; DATEVAL_NOEND: not given */
	CLV_OPTION_NUMBER,   /* number, float8, double, not negative; absent is the default */
	CLV_OPTION_COUNT,    /* number, int4, int32 from 1 on; 0: not given */
	CLV_OPTION_NAMES,    /* array of strings, text[]; the covariates, or those of paths */
	CLV_OPTION_VECTOR,   /* array of numbers, no argument; of these covariates */
	CLV_OPTION_START,    /* object, clv_model; a model to start from */
	CLV_OPTION_CALENDAR, /* object, clv_calendar, uint64: a hash; 0: not given */
	CLV_OPTION_ACTING,   /* array of strings, text[], int32: a bit for each that is named or not */
	CLV_OPTION_PRIOR,    /* object, jsonb, ClvFitPrior */
	CLV_OPTION_SWITCH    /* boolean, bool, no field: stands for another family */
} ClvOptionKind;

/* An option: a row of the table. */
typedef struct ClvOption
{
	const char *name;
	ClvOptionKind kind;
	int offset;                        /* of the field */
	bool always;                       /* written even where it is the default */
	bool counted;                      /* cells are counted with it, and fitted with no other */
	ClvProcess process;                /* of a family: what it models, */
	const char *other;                 /* and what may be given instead */
	int32 (*choose)(const char *word); /* of a choice: from its word, or an error */
	const char *(*word)(int32 choice);
	bool plain;       /* of a choice: in JSON it may be a number or a boolean, too */
	int32 most;       /* of a count, and of a choice, the largest; of a vector, of each covariate */
	int count;        /* of names: the field with their number */
	bool named;       /* of those with bits: they are of the names given, not of those left out */
	bool own;         /* of those with bits: only covariates of customers can have one */
	double absent;    /* of a number: where it is not given */
	bool may_be_none; /* of an interval: it may be of no length */
	bool when;        /* of a switch: the value that stands for another family, */
	void (*change)(ClvFitOptions *options); /* which this puts in its place */
} ClvOption;

#define CLV_MOST_OPTIONS 32 /* a bit stands for each */

extern const ClvOption clv_option_table[];
extern const int clv_option_count;

#define ClvOptionBit(option) ((uint32) 1 << ((option) -clv_option_table))

/* The field of an option, of the type that its kind determines. */
static inline void *
ClvOptionField(const ClvOption *option, const ClvFitOptions *options)
{
	return (char *) options + option->offset;
}

/* The number of the names of an option. */
static inline int32 *
ClvOptionNames(const ClvOption *option, const ClvFitOptions *options)
{
	return (int32 *) ((char *) options + option->count);
}

#define ClvBadOption(...) ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), __VA_ARGS__))

/* An error unless the option may have this value: of numbers, finite and not negative; of counts,
 * whole. */
extern void clv_option_check_number(const ClvOption *option, double value);

/* An error unless the option may have this value: an interval of at least one day, or none where
 * that is possible. */
extern void clv_option_check_interval(const ClvOption *option, const Interval *interval);

/* An error unless options that are possible one by one are possible together. */
extern void clv_options_check_together(const ClvFitOptions *options);

/* Check the name and copy it into its zero-padded place; other: what may stand for a family. */
extern void clv_option_set_family(char *field, const char *name, ClvProcess process,
								  const char *other);

/* Add a name to those of an option: covariates, or those of paths. */
extern void clv_option_add_name(const ClvOption *option, ClvFitOptions *options, const char *name);

/* ---- setting options (options.c) ---- */

/* The defaults, with nothing given. */
extern void clv_options_init(ClvParsedOptions *parsed);

/* Set a family or a choice; an error where the word is unknown. */
extern void clv_option_set_text(const ClvOption *option, ClvFitOptions *options, const char *text);

/* Set an interval, checked. */
extern void clv_option_set_interval(const ClvOption *option, ClvFitOptions *options,
									const Interval *interval);

/* Set a day, checked. */
extern void clv_option_set_day(const ClvOption *option, ClvFitOptions *options, DateADT day);

/* Set a number or a count, checked. */
extern void clv_option_set_number(const ClvOption *option, ClvFitOptions *options, double value);

/* Note that a switch stands for another family; clv_options_finish() applies it when all options
 * are known. */
extern void clv_option_set_switch(const ClvOption *option, ClvParsedOptions *parsed, bool value);

/* When all the options are known: apply the switches, and check the options together. */
extern void clv_options_finish(ClvParsedOptions *parsed);

/* ---- options_calendar.c ---- */

/* The season of that name, or number of harmonics; an error where it is unknown. */
extern int32 clv_season_of_word(const char *word);

/* The name of a season, or its number of harmonics. */
extern const char *clv_word_of_season(int32 season);

/* The trend of that name; an error where it is unknown. */
extern int32 clv_trend_of_word(const char *word);

/* The name of a trend. */
extern const char *clv_word_of_trend(int32 trend);

/* An error unless the family can follow a calendar, season or trend, where there is one. */
extern void clv_options_check_calendar(const ClvFitOptions *options);

/* Note the calendar. */
extern void clv_options_set_calendar(ClvParsedOptions *parsed, ClvCalendar *calendar);

/* Set the bits of the covariates that an option leaves out; an error where a name is unknown. */
extern void clv_options_set_acting(const ClvOption *option, ClvParsedOptions *parsed);

/* Read the names of the covariates that act on a process. */
extern void clv_options_read_acting(const ClvOption *option, const ClvMember *member,
									ClvParsedOptions *parsed);

/* The names in an array of text of covariates that act on a process. */
extern void clv_options_take_acting(const ClvOption *option, ArrayType *names,
									ClvParsedOptions *parsed);

#endif /* CLV_OPTIONS_PRIVATE_H */
