/*
 * cells.h
 *		The type clv_cells: customers counted for a fit.
 *
 * A fit needs of its customers only how many share the same history. clv_cells
 * holds these counts. It is the state of the aggregates clv_cells and clv_fit, so that it
 * can be stored, merged and taken apart, and so that a distributed engine can move
 * it: everything a fit must know, its options too, is inside.
 */
#ifndef CLV_CELLS_H
#define CLV_CELLS_H

#include "clv.h"

#include <math.h>

#include "cells/options.h"
#include "utils/datetime.h"
#include "utils/expandeddatum.h"

#define CLV_CELLS_VERSION 6
#define CLV_CELLS_SMALL                                                                            \
	255 /* in place of a version: a state that is never stored (cells_small.c) */

/* The input that cells were counted from. */
typedef enum ClvCellsKind
{
	CLV_CELLS_HISTORY, /* counted from histories: days, T waits for as_of */
	CLV_CELLS_SUMMARY, /* counted from x, t_x, t_cal */
	CLV_CELLS_PERIODS  /* counted from histories in whole periods, as of a day */
} ClvCellsKind;

/* Which days of purchases cells know. */
typedef enum ClvDaysKept
{
	CLV_DAYS_NONE,    /* the first and the last of each customer */
	CLV_DAYS_ALONE,   /* repeat purchases by day */
	CLV_DAYS_AND_GAPS /* by day and by the days since the one before */
} ClvDaysKept;

/*
 * count customers with the same history and vector. since and until are, of
 * histories, the days of the first and the last purchase; of summaries, the bits of
 * t_x and t_cal: non-negative doubles compare as their bits do, so that all kinds
 * sort alike; of periods, t_x and T.
 */
typedef struct ClvCellEntry
{
	int32 x;
	uint32 count;
	int64 since;
	int64 until;
	uint32 vector; /* number of its vector; 0 where there are none */
	uint32 reserved;
} ClvCellEntry;

/* A customer's purchases of known value; the bits of their mean in two halves. */
typedef struct ClvSpendEntry
{
	int32 x;
	uint32 mean_high;
	uint32 mean_low;
	uint32 vector; /* number of the vector of their covariates; 0 where there are none */
} ClvSpendEntry;

/*
 * Repeat purchases on a day, each gap days after the customer's one before. Where cells hold no
 * times between purchases, gap is 0 and the purchases are all of that day; vector is that of the
 * customers where they have paths and cells hold times, else 0.
 */
typedef struct ClvDayEntry
{
	int32 day;
	int32 gap;
	uint32 vector;
	uint32 reserved;
	int64 purchases;
} ClvDayEntry;

/* Repeat purchases on each day of a range. */
typedef struct ClvDayRange
{
	int32 first;
	int32 size; /* 0: none yet */
	int64 *purchases;
} ClvDayRange;

/*
 * Sum of the logarithms of times between purchases, in days: what only a comparison of
 * Erlang shapes needs. Fixed point, a coarse and a fine part, so that customers can
 * come in any order and be taken out again.
 */
typedef struct ClvLogTimes
{
	int64 coarse; /* in units of 2^-20 */
	int64 fine;   /* what is left, in units of 2^-50 */
} ClvLogTimes;

/* All of clv_cells but the vectors, cells, days, spend entries, calendar and paths. */
typedef struct ClvCellsHead
{
	int32 vl_len_; /* varlena header (do not touch directly!) */
	uint8 version;
	uint8 kind;          /* ClvCellsKind */
	uint8 with_spend;    /* spend entries were collected */
	uint8 with_times;    /* times between purchases were summed */
	int32 occasion;      /* grid of the histories; 0: summaries, or none seen yet */
	int32 width;         /* numbers in a vector: covariates, or the outcome alone */
	int64 skipped;       /* customers who did not exist yet at as_of */
	int64 spend_skipped; /* repeat buyers without a positive known mean */
	int64 returned;      /* customers who came back after their contract had ended */
	ClvLogTimes times;
	int64 nvectors;
	int64 ncells;
	int64 nspend;
	int64 ndays;
	int64 npaths;
	int64 paths_size;    /* of all paths */
	int32 with_days;     /* ClvDaysKept */
	int32 calendar_size; /* of the calendar of the options, with its header; 0: none */
	ClvFitOptions options;
} ClvCellsHead;

/*
 * The type as it is stored: vectors, cells, days and spend entries follow, each sorted, so
 * that equal cells are equal bytes; then the calendar, and the paths of customers (cells_paths.c).
 * Every vector belongs to a cell, every path to a vector.
 */
typedef struct ClvCells
{
	ClvCellsHead head;
	double data[FLEXIBLE_ARRAY_MEMBER];
} ClvCells;

#define ClvCellsVectors(flat) ((flat)->data)
#define ClvCellsEntries(flat)                                                                      \
	((ClvCellEntry *) ((flat)->data + (flat)->head.nvectors * (flat)->head.width))
#define ClvCellsDays(flat) ((ClvDayEntry *) (ClvCellsEntries(flat) + (flat)->head.ncells))
#define ClvCellsSpend(flat) ((ClvSpendEntry *) (ClvCellsDays(flat) + (flat)->head.ndays))
#define ClvCellsEnd(flat) ((char *) (ClvCellsSpend(flat) + (flat)->head.nspend))
#define ClvCellsPaths(flat)                                                                        \
	((char *) (flat) +                                                                             \
	 TYPEALIGN(8, ClvCellsEnd(flat) + (flat)->head.calendar_size - (char *) (flat)))

/* Vectors in order of arrival, found through an index. */
typedef struct ClvVectors
{
	double *values; /* head.nvectors x head.width */
	int64 size;
	uint32 *index; /* number of a vector + 1 */
	uint32 mask;
} ClvVectors;

/* The path of customers, and the bytes of the entry, a multiple of 8; the calendar follows. */
typedef struct ClvPathEntry
{
	double mark;
	int64 size;
} ClvPathEntry;

#define ClvPathCalendar(entry) ((ClvCalendar *) ((const char *) (entry) + sizeof(ClvPathEntry)))

/* Paths in order of arrival, found through an index. */
typedef struct ClvPaths
{
	char *bytes; /* head.paths_size of them */
	int64 room;
	int64 *index; /* where a path begins + 1 */
	int64 mask;
} ClvPaths;

#define CLV_PACKED_WAITING 16

/* Cells of a word each while they are counted (cells_packed.c). */
typedef struct ClvPacked
{
	uint64 *slots; /* 0: empty */
	uint64 mask;
	int64 used;
	uint64 waiting[CLV_PACKED_WAITING]; /* to be entered into the slots */
	int nwaiting;
	int64 latest; /* the last day on which a first purchase may lie */
	int shift;    /* of a hash, to the number of its slot */
	bool open;    /* cells may be added */
} ClvPacked;

/* The type while it grows: entries in order of arrival, found through an index. */
typedef struct ClvCellsState
{
	ExpandedObjectHeader hdr;
	ClvCellsHead *head;
	ClvCellsHead own_head;  /* where it is, but for a small state */
	struct ClvSmall *small; /* NULL: the object itself is the value */
	ClvPacked packed;       /* cells that are not among the entries yet */
	bool settling;          /* they are becoming entries, or an error came in between */
	ClvVectors vectors;
	ClvPaths paths;
	ClvCellEntry *cells;
	int64 cells_size;
	uint64 *index; /* half a hash, number of a cell + 1; NULL while there are few */
	uint32 index_mask;
	ClvSpendEntry *spend;
	int64 spend_size;
	ClvDayRange range;         /* repeat purchases by day (cells_days.c), */
	struct days_hash *counted; /* and those not in the range; NULL: none yet */
	ClvDayEntry *days;         /* all in order, once they are settled */
	ClvCalendar *calendar;     /* of the options; NULL: none */

	uint64 agreed;        /* generation of the options argument that was found to be the head's */
	ClvCounting counting; /* of families of discrete time */
	ClvClock clock;
} ClvCellsState;

/* The calendar of stored cells; NULL where they have none. */
static inline ClvCalendar *
ClvCellsCalendar(const ClvCells *flat)
{
	return flat->head.calendar_size == 0 ? NULL : (ClvCalendar *) ClvCellsEnd(flat);
}

/* Either form, to be read. */
typedef struct ClvCellsView
{
	const ClvCellsHead *head;
	const double *vectors;
	const ClvCellEntry *cells;
	const ClvSpendEntry *spend;
	const ClvDayEntry *days;
	const ClvCalendar *calendar; /* NULL: none */
	const char *paths;           /* entries, one after the other */
} ClvCellsView;

/* Cells without customers, in a memory context of their own below parent. */
extern ClvCellsState *clv_cells_new(MemoryContext parent, ClvCellsKind kind,
									const ClvFitOptions *options);

/* The head of cells without customers. */
extern void clv_cells_init_head(ClvCellsHead *head, ClvCellsKind kind,
								const ClvFitOptions *options);

/* A copy of cells of any form, in a memory context of its own below parent. */
extern ClvCellsState *clv_cells_copy(Datum cells, MemoryContext parent);

/* The object behind a datum where it may be changed in place, else a copy of it. */
extern ClvCellsState *clv_cells_writable(Datum cells, MemoryContext parent);

/* Cells of any form, to be read while the datum lives. */
extern void clv_cells_view(Datum cells, ClvCellsView *view);

/* The canonical stored form of any; not to be changed. */
extern ClvCells *clv_cells_flat(Datum cells);

/* Add the customers of the cell. */
extern void clv_cells_count(ClvCellsState *state, const ClvCellEntry *cell);

/* More customers with the history of the cell; an error where that are too many. */
extern void clv_cell_add(ClvCellEntry *cell, uint32 count);

/* The number of a vector of head.width numbers, new or known. */
extern uint32 clv_cells_vector(ClvCellsState *state, const double *vector);

/*
 * The vectors sorted: rank[i] is the place of vector i, order[rank[i]] = i. Arrays of
 * head.nvectors.
 */
extern void clv_vectors_rank(const ClvCellsView *view, uint32 *rank, uint32 *order);

/* The order of vectors: that of their first numbers that differ. */
extern int clv_vector_compare(const double *a, const double *b, int width);

/* Bytes of the stored form. */
extern Size clv_cells_size(const ClvCellsHead *head);

/* The same; an error where cells of that size cannot be stored. */
extern Size clv_cells_storable_size(const ClvCellsHead *head);

/* Whether spend entries name the vectors of their customers: covariates, not outcomes. */
static inline bool
ClvSpendHasVectors(const ClvCellsHead *head)
{
	return head->options.ncovariates > 0;
}

/* Add the spend of a customer: x purchases of known value, their mean, the customer's vector. */
extern void clv_cells_spend(ClvCellsState *state, int32 x, double mean, uint32 vector);

/* ---- days and calendars (cells_days.c) ---- */

/* Whether repeat purchases are counted by the days since the ones before them, */
static inline bool
ClvDaysHaveGaps(const ClvCellsHead *head)
{
	return head->with_days == CLV_DAYS_AND_GAPS;
}

/* and by the vectors of their customers, who have paths. */
static inline bool
ClvDaysHaveVectors(const ClvCellsHead *head)
{
	return ClvDaysHaveGaps(head) && head->options.npath > 0;
}

/* Add repeat purchases to those of their day, gap and vector. */
extern void clv_cells_add_day(ClvCellsState *state, const ClvDayEntry *day);

/* Bring the days in order, for all who read them. */
extern void clv_cells_settle_days(ClvCellsState *state);

/* Sort the days. */
extern void clv_days_sort(ClvDayEntry *days, int64 n);

/* Set the calendar to a copy of this one, or to none. */
extern void clv_cells_set_calendar(ClvCellsState *state, const ClvCalendar *calendar);

/*
 * result = left + right or left - right; the number of days, or -1 where one would be negative.
 * of_left, of_right: new numbers of their vectors, in the same order.
 */
extern int64 clv_cells_combine_days(const ClvCells *left, const ClvCells *right, int sign,
									const uint32 *of_left, const uint32 *of_right,
									ClvDayEntry *result);

/* Errors unless the customers of the cells can have bought so, or the calendar is that of the
 * options and has the covariates that they name. */
extern void clv_cells_check_days(const ClvCellsHead *head, const ClvCellEntry *cells,
								 const ClvDayEntry *days);
extern void clv_cells_check_calendar(const ClvCellsHead *head, const ClvCalendar *calendar);

/* ---- paths of customers (cells_paths.c) ---- */

/* What vectors name a path by. */
extern double clv_path_mark(const ClvCalendar *path);

/* Writes the entry of a path; returns its bytes. */
extern int64 clv_path_write(char *to, double mark, const ClvCalendar *path);

/* Adds a path, unless the state has it; returns its mark. */
extern double clv_cells_add_path(ClvCellsState *state, const ClvCalendar *path);

/* Adds the paths of other cells. */
extern void clv_cells_absorb_paths(ClvCellsState *state, const ClvCellsView *from);

/* The paths in the order of their marks, palloc'd. */
extern const ClvPathEntry **clv_cells_sorted_paths(const ClvCellsView *view);

/* Writes the paths of a state into its stored form, of which all else is written. */
extern void clv_cells_flatten_paths(const ClvCellsState *state, ClvCells *flat);

/* Writes the paths of both cells that one of the vectors names, and sets their number and size. */
extern void clv_cells_combine_paths(const ClvCells *left, const ClvCells *right, ClvCellsHead *head,
									const double *vectors, char *to);

/* An error unless a path has the names of the options; whose: words for the customer. */
extern void clv_path_check_names(const ClvFitOptions *options, const ClvCalendarParts *path,
								 const char *whose);

/* An error unless paths, in order, are those that the vectors name, with the names of the options.
 */
extern void clv_cells_check_paths(const ClvCellsHead *head, const double *vectors,
								  const char *paths);

/* ---- the first stage of counting (cells_packed.c) ---- */

/* An empty first stage, open for cells. */
extern void clv_packed_init(ClvPacked *packed);

/* False where the cell does not fit and must be counted elsewhere. */
extern bool clv_packed_count(ClvPacked *packed, MemoryContext context, const ClvCellEntry *cell);

/* Call take for each cell, in their order; none can be added afterwards. */
extern void clv_packed_settle(ClvPacked *packed, MemoryContext context,
							  void (*take)(void *arg, const ClvCellEntry *cell), void *arg);

/* ---- the states of small fits (cells_small.c) ---- */

/* Whether the datum is a small state. */
extern bool clv_cells_are_small(Datum cells);

/* A small state, to be read. */
extern void clv_small_view(Datum cells, ClvCellsView *view);

/*
 * A small state, new or at hand, with room for so many rows (more); changes go through
 * the state given, which lives as long as the row. NULL: they are too many.
 */
extern ClvCellsState *clv_small_new(const ClvCellsHead *head, int64 cells, int64 spend,
									ClvCellsState *state);
extern ClvCellsState *clv_small_open(Datum cells, int64 more_cells, int64 more_spend,
									 ClvCellsState *state);

/* Add repeat purchases of a day to a small state. */
extern void clv_small_add_day(ClvCellsState *state, const ClvDayEntry *day);

/* Merge; an error that names both where the grids or the options differ. */
extern void clv_cells_absorb(ClvCellsState *state, const ClvCellsView *from);

/* Add the numbers of customers in heads up; an error where the grids or the options differ. */
extern void clv_cells_add_head(ClvCellsHead *sum, const ClvCellsHead *head);

/* An error that names both unless the two were counted alike. */
extern void clv_cells_check_grid(const ClvCellsHead *one, const ClvCellsHead *other);

/* ln(days) */
extern ClvLogTimes clv_log_time(int32 days);

/* Add (sign 1) or take away (-1) sums of log times; an error where that overflows. */
extern void clv_times_add(ClvLogTimes *sum, const ClvLogTimes *times, int sign);

/* Order of the entries in the stored form. */
extern int clv_cell_compare(const ClvCellEntry *a, const ClvCellEntry *b);
extern int clv_spend_compare(const ClvSpendEntry *a, const ClvSpendEntry *b);

/*
 * Whether customers with these cells can have the head's sum of times, which must then lie
 * between least and most.
 */
extern bool clv_times_possible(const ClvCellsHead *head, const ClvCellEntry *cells, double *least,
							   double *most);

/* The sum of log times as a double. */
static inline double
ClvTimesValue(const ClvLogTimes *times)
{
	return ldexp((double) times->coarse, -20) + ldexp((double) times->fine, -50);
}

/* Errors unless the head, or the entry under that head, can be what it claims. */
extern void clv_cells_check_head(const ClvCellsHead *head);
extern void clv_cell_check(const ClvCellsHead *head, const ClvCellEntry *cell);
extern void clv_vector_check(const ClvCellsHead *head, const double *vector);
extern void clv_cells_check_times(const ClvCellsHead *head, const ClvCellEntry *cells);

/* An error where a vector belongs to no cell: equal cells would have different bytes. */
extern void clv_cells_check_vectors_used(const ClvCellsHead *head, const ClvCellEntry *cells);
extern void clv_spend_check(const ClvCellsHead *head, const ClvSpendEntry *entry);

/* The bits of a double as an integer. */
static inline int64
ClvDoubleBits(double value)
{
	int64 bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* The double of these bits. */
static inline double
ClvBitsDouble(int64 bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* A spend entry of its parts. */
static inline ClvSpendEntry
ClvSpendOf(int32 x, double mean, uint32 vector)
{
	uint64 bits = (uint64) ClvDoubleBits(mean);

	return (ClvSpendEntry){x, (uint32) (bits >> 32), (uint32) bits, vector};
}

/* The mean of a spend entry. */
static inline double
ClvSpendMean(const ClvSpendEntry *entry)
{
	return ClvBitsDouble((int64) ((uint64) entry->mean_high << 32 | entry->mean_low));
}

#endif /* CLV_CELLS_H */
