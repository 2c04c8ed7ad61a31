/*
 * timeline_alive.c
 *		P(alive) by a calendar, from what customers share.
 *
 * The odds that a customer has left are an integral from the last purchase to as_of. Customers with
 * the same purchases and first day share the odds at the beginning of each step (clocks.h), so that
 * the integral of one customer ends with the step. They are kept in a table by all they depend on,
 * and copied to where what customers of one first day share is found without a search.
 */
#include "predict/timeline.h"

#include <math.h>

#include "common/hashfn.h"
#include "families/lifetime.h"
#include "utils/float.h"

/* Places for the knots of groups of customers, powers of two; half of them are taken at most. Where
 * all are taken, or the memory is full, all are dropped. */
#define FIRST_PLACES 16
#define MOST_PLACES 262144

/* Odds of fewer repeat purchases are found by their number. */
#define FEW_PURCHASES 256

/* ---- the table ---- */

/* Drops all knots. */
static void
ClearKnots(ClvTimeline *timeline)
{
	ClvKnotsTable *table = &timeline->knots;

	if (table->size > 0)
		memset(table->place, 0, table->size * sizeof(ClvKnotsPlace));
	table->used = 0;
	table->current = 0;
	table->taken = 0;
	timeline->point++;
	timeline->dropped++;
}

/* Memory for knots, of a multiple of eight bytes; NULL where the blocks are full. */
static void *
TakeMemory(ClvTimeline *timeline, Size bytes)
{
	ClvKnotsTable *table = &timeline->knots;

	for (; table->current < CLV_KNOTS_BLOCKS; table->current++, table->taken = 0)
	{
		Size size = (Size) CLV_KNOTS_BLOCK << table->current;
		char **block = &table->block[table->current];
		Size from = table->taken;

		if (from + bytes > size)
			continue;
		if (*block == NULL)
			*block = MemoryContextAlloc(timeline->context, size);
		table->taken += bytes;
		return *block + from;
	}
	return NULL;
}

/* Whether the knots are of these customers, at the parameters of the timeline. */
static inline bool
AreKnotsOf(const ClvKnots *knots, const ClvTimeline *timeline, const ClvFamily *family,
		   const ClvCustomer *customer)
{
	return knots->first == customer->first && knots->as_of == customer->as_of &&
		   knots->x == customer->x &&
		   ((knots->odds != NULL && knots->odds->point == timeline->point) ||
			memcmp(knots->param, timeline->param, family->nparams * sizeof(double)) == 0);
}

/* The hash of customers, at the parameters of the timeline. */
static inline uint32
HashOf(const ClvTimeline *timeline, const ClvCustomer *customer)
{
	uint32 hash = (uint32) customer->first * 2654435761u + (uint32) customer->x;

	return murmurhash32(timeline->hash ^ hash);
}

/* The place of the knots of these customers: a free one where there are none yet. */
static ClvKnotsPlace *
PlaceOf(const ClvTimeline *timeline, const ClvFamily *family, const ClvCustomer *customer)
{
	uint32 mask = (uint32) timeline->knots.size - 1;
	uint32 hash = HashOf(timeline, customer);

	for (uint32 i = hash;; i++)
	{
		ClvKnotsPlace *place = &timeline->knots.place[i & mask];

		if (place->knots == NULL ||
			(place->hash == hash && AreKnotsOf(place->knots, timeline, family, customer)))
			return place;
	}
}

/* Makes four times as many places. */
static void
AddPlaces(ClvTimeline *timeline)
{
	ClvKnotsTable *table = &timeline->knots;
	int size = table->size > 0 ? 4 * table->size : FIRST_PLACES;
	ClvKnotsPlace *place = MemoryContextAllocZero(timeline->context, size * sizeof(ClvKnotsPlace));

	for (int i = 0; i < table->size; i++)
	{
		uint32 at = table->place[i].hash;

		if (table->place[i].knots == NULL)
			continue;
		while (place[at & (size - 1)].knots != NULL)
			at++;
		place[at & (size - 1)] = table->place[i];
	}
	if (table->place != NULL)
		pfree(table->place);
	table->place = place;
	table->size = size;
}

/* Knots of these customers without odds, in the table; NULL where it is full. */
static ClvKnots *
BeginKnots(ClvTimeline *timeline, const ClvFamily *family, const ClvCustomer *customer)
{
	ClvKnotsTable *table = &timeline->knots;
	Size params = family->nparams * sizeof(double);
	ClvKnots *knots;

	if (table->used >= table->size / 2 && table->size < MOST_PLACES)
		AddPlaces(timeline);
	if (table->used >= table->size / 2)
		return NULL;
	knots = TakeMemory(timeline, offsetof(ClvKnots, param) + params);
	if (knots == NULL)
		return NULL;
	knots->first = customer->first;
	knots->as_of = customer->as_of;
	knots->x = customer->x;
	knots->odds = NULL;
	memcpy(knots->param, timeline->param, params);
	*PlaceOf(timeline, family, customer) = (ClvKnotsPlace){knots, HashOf(timeline, customer)};
	table->used++;
	return knots;
}

/* Makes these the parameters of the timeline. */
static void
SetParam(ClvTimeline *timeline, const ClvFamily *family, const double *param)
{
	Size bytes = family->nparams * sizeof(double);

	if (memcmp(timeline->param, param, bytes) == 0)
		return;
	memcpy(timeline->param, param, bytes);
	timeline->hash = hash_bytes((const unsigned char *) param, (int) bytes);
	timeline->point++;
}

/* ---- odds ---- */

/* Whether hazards grow: then what is left of lifetimes follows the odds, which are of all steps. */
static inline bool
Grows(const ClvFamily *family)
{
	return family->clocked->law->growth >= 0;
}

/* The odds of customers who are silent since a day in a step; of the steps behind it they are set.
 */
static inline double
OddsOn(const ClvTimeline *timeline, const ClvFamily *family, const ClvKept *kept, double x,
	   const ClvOdds *odds, int at, int64 day)
{
	const ClvDayStep *step = &timeline->step[at];
	int64 begin = at > kept->step ? step->since : kept->first;
	int64 end = at < kept->last ? step[1].since : kept->as_of;
	double since = (double) (day - begin) * timeline->per_day;
	ClvSilence silence = {.since = since,
						  .length = (double) (end - day) * timeline->per_day,
						  .a = step->a,
						  .c = step->c,
						  .b = step->a * since,
						  .d = step->c * since,
						  .b_end = kept->b_end,
						  .d_end = kept->d_end};

	if (at > kept->step)
	{
		silence.b += clv_fine_since(step->b, kept->b) * timeline->per_day;
		silence.d += clv_fine_since(step->d, kept->d) * timeline->per_day;
	}
	if (at < kept->last)
		silence.odds = odds->odds[kept->last - at - 1];
	if (Grows(family))
		silence.left = (const ClvLeft *) (odds->odds + odds->size) + (at - kept->step);
	return family->clocked->odds(family, timeline->param, x, &silence);
}

/* Makes room for the odds of n steps, and more; false where the memory is full. */
static bool
MakeRoom(ClvTimeline *timeline, const ClvFamily *family, ClvKept *kept, int n, ClvKnots *knots)
{
	int steps = kept->last - kept->step + 1;
	int size = Grows(family) ? steps : Min(steps, Max(2 * n, 4));
	Size left = Grows(family) ? (steps + 1) * sizeof(ClvLeft) : 0;
	const ClvOdds *before = knots->odds;
	ClvOdds *odds = TakeMemory(timeline, offsetof(ClvOdds, odds) + size * sizeof(double) + left);

	if (odds == NULL)
		return false;
	odds->size = size;
	odds->set = before != NULL ? before->set : 0;
	if (before != NULL)
		memcpy(odds->odds, before->odds, before->set * sizeof(double));
	if (Grows(family))
		family->clocked->set_left(family, timeline->param, clv_timeline_clocks(timeline, kept),
								  (kept->as_of - kept->first) / timeline->unit_days,
								  (ClvLeft *) (odds->odds + size));
	knots->odds = odds;
	return true;
}

/* The odds of these customers by the table, with room for n steps; NULL where it is full. */
static ClvOdds *
FindOdds(ClvTimeline *timeline, const ClvFamily *family, const ClvCustomer *customer, ClvKept *kept,
		 int n)
{
	ClvKnots *knots = NULL;

	if (timeline->knots.size > 0)
		knots = PlaceOf(timeline, family, customer)->knots;
	if (knots == NULL)
		knots = BeginKnots(timeline, family, customer);
	if (knots == NULL || ((knots->odds == NULL || knots->odds->size < n) &&
						  !MakeRoom(timeline, family, kept, n, knots)))
		return NULL;
	knots->odds->point = timeline->point;
	return knots->odds;
}

/* Lets customers of one first day find their odds by their purchases, where these are few. */
static void
KeepOdds(const ClvTimeline *timeline, double x, ClvOdds *odds, ClvKept *kept)
{
	int size = Max(kept->nodds, 4);

	if (x >= FEW_PURCHASES)
		return;
	while (size <= x)
		size *= 2;
	if (kept->nodds == 0)
		kept->odds = MemoryContextAlloc(timeline->context, size * sizeof(ClvOdds *));
	else if (kept->nodds < size)
		kept->odds = repalloc(kept->odds, size * sizeof(ClvOdds *));
	memset(kept->odds + kept->nodds, 0, (size - kept->nodds) * sizeof(ClvOdds *));
	kept->nodds = size;
	if (kept->dropped != timeline->dropped)
		memset(kept->odds, 0, size * sizeof(ClvOdds *));
	kept->dropped = timeline->dropped;
	kept->odds[(int) x] = odds;
}

/* The odds of these customers, of the last n steps at least; NULL where they would need too much
 * memory. */
static ClvOdds *
SetOdds(ClvTimeline *timeline, const ClvFamily *family, const ClvCustomer *customer, ClvKept *kept,
		int n)
{
	ClvOdds *odds = FindOdds(timeline, family, customer, kept, n);

	if (odds == NULL)
	{
		ClearKnots(timeline);
		odds = FindOdds(timeline, family, customer, kept, n);
	}
	if (odds == NULL)
		return NULL;
	for (; odds->set < n; odds->set++)
	{
		int at = kept->last - odds->set;

		odds->odds[odds->set] = OddsOn(timeline, family, kept, customer->x, odds, at,
									   at > kept->step ? timeline->step[at].since : kept->first);
	}
	KeepOdds(timeline, customer->x, odds, kept);
	return odds;
}

/* The odds that a customer has left; NAN where they would need too much memory. */
static double
OddsByKnots(ClvTimeline *timeline, const ClvFamily *family, const ClvCustomer *customer,
			ClvKept *kept)
{
	int64 day = (int64) customer->first + customer->last;
	int at = Min(clv_timeline_step(timeline, day), kept->last);
	int n = kept->last - at;
	const ClvOdds *odds = NULL;

	if (customer->x < kept->nodds && kept->dropped == timeline->dropped)
		odds = kept->odds[(int) customer->x];
	if (odds == NULL || odds->point != timeline->point || odds->set < n)
		odds = SetOdds(timeline, family, customer, kept, n);
	if (odds == NULL)
		return get_float8_nan();
	return OddsOn(timeline, family, kept, customer->x, odds, at, day);
}

/* The odds that a customer has left, by knots; NAN where there are none. All who never bought again
 * share theirs. */
static double
Odds(ClvTimeline *timeline, const ClvFamily *family, const double *param,
	 const ClvCustomer *customer, ClvKept *kept)
{
	double odds;

	if (family->clocked->odds == NULL)
		return get_float8_nan();
	SetParam(timeline, family, param);
	if (customer->last > 0)
		return OddsByKnots(timeline, family, customer, kept);
	if (customer->x == 0 && kept->point == timeline->point)
		return kept->never;
	odds = OddsByKnots(timeline, family, customer, kept);
	if (customer->x == 0)
	{
		kept->never = odds;
		kept->point = timeline->point;
	}
	return odds;
}

double
clv_timeline_p_alive(ClvTimeline *timeline, const ClvFamily *family, const double *param,
					 const ClvCustomer *customer)
{
	ClvKept *kept = clv_timeline_kept(timeline, customer->first, customer->as_of);
	double odds = Odds(timeline, family, param, customer, kept);

	return isfinite(odds) ? 1 / (1 + odds)
						  : exp(family->clocked->ln_p_alive(family, param, customer->x,
															clv_timeline_clocks(timeline, kept),
															customer->t_x, customer->T));
}

double
clv_timeline_ln_p_alive(ClvTimeline *timeline, const ClvFamily *family, const double *param,
						const ClvCustomer *customer)
{
	ClvKept *kept = clv_timeline_kept(timeline, customer->first, customer->as_of);
	double odds = Odds(timeline, family, param, customer, kept);

	return isfinite(odds) ? -log1p(odds)
						  : family->clocked->ln_p_alive(family, param, customer->x,
														clv_timeline_clocks(timeline, kept),
														customer->t_x, customer->T);
}
