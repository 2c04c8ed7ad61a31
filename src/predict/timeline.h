/*
 * timeline.h
 *		What a timeline (timeline.c) knows, for P(alive) by it (timeline_alive.c).
 */
#ifndef CLV_TIMELINE_H
#define CLV_TIMELINE_H

#include "predict/predict_private.h"

#include "families/clocks.h"

/* ---- steps ---- */

/* A sum of two numbers, the lower of which is what the upper one cannot hold. */
typedef struct ClvFine
{
	double high;
	double low;
} ClvFine;

/* A number less an earlier one, as exact as the difference itself can be. */
static inline double
clv_fine_since(ClvFine now, ClvFine before)
{
	return (now.high - before.high) + (now.low - before.low);
}

/* A step: its first day, the factors of the rates of buying and of leaving, and both clocks at its
 * beginning, in days since that of the first step. The last step has no end. */
typedef struct ClvDayStep
{
	int64 since;
	double a;
	double c;
	ClvFine b;
	ClvFine d;
} ClvDayStep;

/* ---- what customers share ---- */

/*
 * The odds (ClvSilence) at the beginning of steps before as_of, from the last step down, as far as
 * customers have asked for them.
 */
typedef struct ClvOdds
{
	uint64 point; /* ClvTimeline.point when the parameters were last seen to be theirs */
	int size;
	int set; /* number of odds that are set */
	double odds[FLEXIBLE_ARRAY_MEMBER];
} ClvOdds;

/* What customers who first bought on a day share, until another day. */
typedef struct ClvKept
{
	DateADT first;
	DateADT as_of;
	uint64 point;   /* ClvTimeline.point of the next number */
	double never;   /* the odds of those who never bought again */
	ClvOdds **odds; /* by the number of repeat purchases; NULL: none, or not at hand */
	int nodds;
	uint32 dropped; /* ClvTimeline.dropped when they were found */
	bool begun;     /* else there is nothing yet */
	int step; /* that of the first day, and the last one that begins before as_of, or the same */
	int last;
	ClvFine b; /* the clocks on the first day, as in steps */
	ClvFine d;
	double b_end; /* and as of the day, since then, in the unit of the model */
	double d_end;
	ClvClocks clocks; /* n is 0 where they are not made yet */
	ClvStretch *stretch;
	int size; /* of stretch */
} ClvKept;

/* The odds of customers with these purchases, first day and parameters. */
typedef struct ClvKnots
{
	DateADT first;
	DateADT as_of;
	double x;
	ClvOdds *odds; /* NULL: none yet */
	double param[FLEXIBLE_ARRAY_MEMBER];
} ClvKnots;

/* Where knots are, small so that a table of them stays in a cache. */
typedef struct ClvKnotsPlace
{
	ClvKnots *knots; /* NULL: this place is free */
	uint32 hash;
} ClvKnotsPlace;

/* The memory for knots is in blocks, each twice as large as the one before it: 32 MB together. */
#define CLV_KNOTS_BLOCK (16 * 1024)
#define CLV_KNOTS_BLOCKS 11

/* The knots that are kept, found by a hash, and their memory. */
typedef struct ClvKnotsTable
{
	ClvKnotsPlace *place;
	int size; /* 0, or a power of two */
	int used;
	char *block[CLV_KNOTS_BLOCKS]; /* NULL: not yet needed */
	int current;
	Size taken; /* bytes of the current block */
} ClvKnotsTable;

/* A rule for discounted integrals that customers share (clocks.h), and what it is for. */
typedef struct ClvRule
{
	DateADT as_of;
	double delta;
	double t;
	double width;
	int n;     /* 0: there is none */
	double *b; /* MOST_NODES, then as many weights */
} ClvRule;

/* So many are kept. */
#define CLV_RULES 32

/* Effects that a timeline can be moved by, up and down. */
#define CLV_MOVED (2 * 2 * CLV_MAX_COVARIATES)

struct ClvTimeline
{
	double unit_days;
	double per_day; /* units */
	int n;
	ClvDayStep *step;
	int *step_of; /* those of the days from the first one on, so many of them; NULL: none */
	int64 ndays;
	int64 end;     /* the first day after the calendar itself */
	ClvKept *kept; /* by the first day, modulo nkept, a power of two */
	int nkept;
	bool has_more; /* as many as there may be, once it has been asked often */
	int most_kept;
	int asked;
	ClvKnotsTable knots;
	double param[CLV_MAX_PARAMS]; /* those that were last asked for, and their hash */
	uint32 hash;
	uint64 point;   /* counts how often they were others than before, or all knots were dropped; */
	uint32 dropped; /* the latter alone */
	MemoryContext context;
	ClvStretch *ahead;
	ClvClocks ahead_clocks; /* those of ahead_day */
	bool has_ahead;
	DateADT ahead_day;
	ClvRule rule[CLV_RULES];
	uint32 next_rule;
	struct ClvTimeline *moved[CLV_MOVED];
};

/* The step that holds the day, by search; an error where the day is before the calendar. */
extern int clv_timeline_search(const ClvTimeline *timeline, int64 day);

/* Counts how often the timeline was asked, and makes room for more customers once that is often. */
extern void clv_timeline_keep_more(ClvTimeline *timeline, DateADT as_of);

/* Begins what customers who first bought on a day share, in the place of others. */
extern void clv_timeline_begin(const ClvTimeline *timeline, DateADT first, DateADT as_of,
							   ClvKept *kept);

/* Their clocks, made where they are not at hand. */
extern const ClvClocks *clv_timeline_clocks(const ClvTimeline *timeline, ClvKept *kept);

/* The step that holds the day, from the table of days where the day is in it; errors as above. */
static inline int
clv_timeline_step(const ClvTimeline *timeline, int64 day)
{
	int64 place = day - timeline->step[0].since;

	return place >= 0 && place < timeline->ndays ? timeline->step_of[place]
												 : clv_timeline_search(timeline, day);
}

/* What customers who first bought on a day share. */
static inline ClvKept *
clv_timeline_kept(ClvTimeline *timeline, DateADT first, DateADT as_of)
{
	ClvKept *kept;

	if (!timeline->has_more)
		clv_timeline_keep_more(timeline, as_of);
	kept = &timeline->kept[(uint32) first & (uint32) (timeline->nkept - 1)];
	if (kept->first != first || kept->as_of != as_of || !kept->begun)
		clv_timeline_begin(timeline, first, as_of, kept);
	return kept;
}

#endif /* CLV_TIMELINE_H */
