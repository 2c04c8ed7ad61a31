/*
 * timeline.c
 *		Models with a calendar: how fast the clocks of a customer run, day by day.
 *
 * A timeline has the steps of the model's calendar, with the factors of the rates of buying and of
 * leaving. Beyond the end of the calendar each day is as the same day a year earlier, for
 * YEARS_BEYOND years, and from then on the factors are those of the calendar's last year, on
 * average. Where the calendar has no whole year, they are the average of all of it from its end on.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "common/hashfn.h"
#include "families/clocks.h"
#include "families/lifetime.h"
#include "math/dates.h"
#include "utils/datetime.h"
#include "utils/float.h"

#define YEARS_BEYOND 3
#define MONTHS 12

/* Days whose steps are in a table. */
#define MOST_DAYS 16384

/* The clocks of so many first days are kept, or of as many as need no more memory than this. */
#define MOST_KEPT 1024
#define KEPT_BYTES (4 * 1024 * 1024)

/*
 * Places for the knots of groups of customers, a power of two; half of them are taken at most. The
 * knots themselves are in blocks, each twice as large as the one before it: 32 MB together. Where
 * either is full, all are dropped.
 */
#define MOST_KNOTS 65536
#define KNOTS_BLOCK (16 * 1024)
#define KNOTS_BLOCKS 11

/* Until a timeline has been asked so often, few are kept: models with the path of a customer are
 * for them alone. */
#define FEW_ASKED 32
#define FEW_KEPT 1
#define FEW_KNOTS 128

/* Effects that a timeline can be moved by, up and down. */
#define MOVED (2 * 2 * CLV_MAX_COVARIATES)

/*
 * What customers with these purchases, first day and parameters share for P(alive) (clocks.h). The
 * knots of their stretches follow, then what begin_knots sets, where hazards grow, and the
 * parameters.
 */
typedef struct Knots
{
	DateADT first;
	DateADT as_of;
	double x;
	uint64 point; /* ClvTimeline.point when the parameters were last seen to be these */
	int from;     /* knots from this one on are set */
	int n;
	double t_x; /* the last one asked for; NAN: none */
	double odds;
	ClvKnot knot[FLEXIBLE_ARRAY_MEMBER];
} Knots;

/* Knots of fewer repeat purchases are found by their number. */
#define FEW_PURCHASES 16

/* The clocks of customers who first bought on a day, until another day. */
typedef struct Kept
{
	DateADT first;
	DateADT as_of;
	ClvClocks clocks; /* n is 0 where there are none */
	uint64 point;     /* ClvTimeline.point of the knots here */
	Knots *knots[FEW_PURCHASES];
	ClvStretch *stretch;
	int size;
} Kept;

/* Where knots are, small so that a table of them stays in a cache. */
typedef struct KnotsPlace
{
	Knots *knots; /* NULL: this place is free */
	uint32 hash;
} KnotsPlace;

/* The knots that are kept, found by a hash, and their memory. */
typedef struct KnotsTable
{
	KnotsPlace *place; /* NULL: none yet */
	int size;
	int used;
	char *block[KNOTS_BLOCKS]; /* NULL: not yet needed */
	int current;
	Size taken; /* bytes of the current block */
} KnotsTable;

/* A rule for discounted integrals that customers share (clocks.h), and what it is for. */
typedef struct Rule
{
	DateADT as_of;
	double delta;
	double t;
	double width;
	int n;     /* 0: there is none */
	double *b; /* MOST_NODES, then as many weights */
} Rule;

/* So many are kept. */
#define RULES 32

struct ClvTimeline
{
	double unit_days;
	int n;
	int64 *since; /* first days of the steps; the last step has no end */
	double *a;    /* the factors of the rate of buying in them, and of leaving */
	double *c;
	int *step; /* those of the days from the first one on, so many of them; NULL: none */
	int64 ndays;
	int64 end;  /* the first day after the calendar itself */
	Kept *kept; /* by the first day, modulo nkept */
	int nkept;
	KnotsTable knots;
	double param[CLV_MAX_PARAMS]; /* those that were last asked for, and their hash */
	uint32 hash;
	uint64 point;  /* counts how often they were others than before, or all knots were dropped */
	int most_kept; /* as many as there may be once it has been asked often */
	int asked;
	MemoryContext context;
	ClvStretch *ahead;
	ClvClocks ahead_clocks; /* those of ahead_day */
	bool has_ahead;
	DateADT ahead_day;
	Rule rule[RULES];
	uint32 next_rule;
	struct ClvTimeline *moved[MOVED];
};

/* ---- steps ---- */

/* The steps of a timeline in the making. */
typedef struct Maker
{
	ClvTimeline *timeline;
	const ClvCalendarParts *calendar;
	const ClvModelPart *part;
	const double *effect;
} Maker;

/* exp(effect'(z - centre)), z being the covariates of the calendar in a step, for purchases, or for
 * churn. */
static double
Factor(const Maker *maker, int step, bool churn)
{
	const ClvModelPart *part = maker->part;
	int own = clv_model_own_covariates(part);
	const double *effect = maker->effect + churn * part->ncovariates + own;
	const double *z = maker->calendar->values + (Size) step * part->followed;
	double sum = 0;

	for (int i = 0; i < part->followed; i++)
		sum += effect[i] * (z[i] - part->centre[own + i]);
	return exp(sum);
}

/* Adds a step that begins on the day and is as a step of the calendar. */
static void
AddStep(Maker *maker, int64 day, int step)
{
	ClvTimeline *timeline = maker->timeline;

	timeline->since[timeline->n] = day;
	timeline->a[timeline->n] = Factor(maker, step, false);
	timeline->c[timeline->n] = Factor(maker, step, true);
	timeline->n++;
}

/* Adds a last step, with the average factors of the days from first to the calendar's end. */
static void
AddAverage(Maker *maker, int64 day, int64 first)
{
	const ClvCalendarParts *calendar = maker->calendar;
	ClvTimeline *timeline = maker->timeline;
	double a = 0;
	double c = 0;

	for (int i = 0; i < calendar->nsteps; i++)
	{
		int64 from = Max(calendar->since[i], first);
		int64 until = i + 1 < calendar->nsteps ? calendar->since[i + 1] : timeline->end;
		double days = (double) Max(until - from, 0);

		a += days * Factor(maker, i, false);
		c += days * Factor(maker, i, true);
	}
	timeline->since[timeline->n] = day;
	timeline->a[timeline->n] = a / (double) (timeline->end - first);
	timeline->c[timeline->n] = c / (double) (timeline->end - first);
	timeline->n++;
}

/* Adds the years beyond the end of the calendar. */
static void
AddYears(Maker *maker, int64 last_year)
{
	const ClvTimeline *timeline = maker->timeline;
	int64 until = clv_day_plus(timeline->end, MONTHS * YEARS_BEYOND, 0);
	int before = -1;

	for (int64 day = timeline->end; day < until;)
	{
		int64 earlier = day;
		int64 change;
		int years = 0;
		int step;

		while (earlier >= timeline->end)
			earlier = clv_day_plus(day, -MONTHS * ++years, 0);
		step = clv_calendar_step(maker->calendar, (DateADT) Max(earlier, last_year));
		if (step != before)
			AddStep(maker, day, step);
		before = step;
		/* the next day that may be as another step, or as the same days once more */
		change =
			step + 1 < maker->calendar->nsteps ? maker->calendar->since[step + 1] : timeline->end;
		day = Max(day + 1, clv_day_plus(Min(change, timeline->end), MONTHS * years, 0));
	}
	AddAverage(maker, until, last_year);
}

/* Makes the timeline of a part at these effects, in the memory of what is derived from its
 * calendar. */
static ClvTimeline *
Make(const ClvModelPart *part, double unit_days, const double *effect, int most_kept)
{
	MemoryContext caller = MemoryContextSwitchTo(part->derived->context);
	ClvTimeline *timeline = palloc0(sizeof(ClvTimeline));
	ClvCalendarParts calendar;
	Maker maker = {timeline, &calendar, part, effect};
	Size most;
	int64 last_year;

	clv_calendar_unpack_value(part->calendar, &calendar);
	most = calendar.nsteps + (YEARS_BEYOND + 1) * 366 + 1;
	timeline->unit_days = unit_days;
	timeline->since = palloc(most * sizeof(int64));
	timeline->a = palloc(most * sizeof(double));
	timeline->c = palloc(most * sizeof(double));
	timeline->end = clv_calendar_end(&calendar);
	for (int i = 0; i < calendar.nsteps; i++)
		AddStep(&maker, calendar.since[i], i);
	last_year = clv_day_plus(timeline->end, -MONTHS, 0);
	if (last_year < calendar.since[0])
		AddAverage(&maker, timeline->end, calendar.since[0]);
	else
		AddYears(&maker, last_year);
	timeline->since = repalloc(timeline->since, timeline->n * sizeof(int64));
	timeline->a = repalloc(timeline->a, timeline->n * sizeof(double));
	timeline->c = repalloc(timeline->c, timeline->n * sizeof(double));
	timeline->context = part->derived->context;
	timeline->most_kept = most_kept;
	timeline->nkept = FEW_KEPT;
	timeline->knots.size = FEW_KNOTS;
	timeline->kept = palloc0(timeline->nkept * sizeof(Kept));
	timeline->ahead = palloc(timeline->n * sizeof(ClvStretch));
	MemoryContextSwitchTo(caller);
	return timeline;
}

ClvTimeline *
clv_timeline(const ClvModelPart *part, double unit_days)
{
	if (part->derived->timeline == NULL)
		part->derived->timeline = Make(part, unit_days, part->effect, MOST_KEPT);
	return part->derived->timeline;
}

ClvTimeline *
clv_timeline_moved(const ClvModelPart *part, double unit_days, int effect, double step)
{
	ClvTimeline *timeline = clv_timeline(part, unit_days);
	int place = 2 * effect + (step > 0);
	double moved[2 * CLV_MAX_COVARIATES];

	if (timeline->moved[place] == NULL)
	{
		memcpy(moved, part->effect, sizeof(moved));
		moved[effect] += step;
		timeline->moved[place] = Make(part, unit_days, moved, 1);
	}
	return timeline->moved[place];
}

/* ---- clocks ---- */

/* The step that holds the day, by search; an error where the day is before the calendar. */
static int
SearchStep(const ClvTimeline *timeline, int64 day)
{
	int low = 0;
	int high = timeline->n;
	char date[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	if (day < timeline->since[0])
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the calendar of the model says nothing of %s",
							   clv_date_text((DateADT) day, date)),
						errdetail("It begins on %s.",
								  clv_date_text((DateADT) timeline->since[0], other))));
	while (high - low > 1)
	{
		int middle = low + (high - low) / 2;

		*(timeline->since[middle] <= day ? &low : &high) = middle;
	}
	return low;
}

/* The step that holds the day, from the table of days where the day is in it; errors as above. */
static inline int
StepOf(const ClvTimeline *timeline, int64 day)
{
	int64 place = day - timeline->since[0];

	return place >= 0 && place < timeline->ndays ? timeline->step[place]
												 : SearchStep(timeline, day);
}

/* Makes the table of the steps of all days until as_of, or of as many as it may have. */
static void
SetSteps(ClvTimeline *timeline, DateADT as_of)
{
	int64 ndays = Min((int64) as_of + 1 - timeline->since[0], MOST_DAYS);
	int step = 0;

	if (ndays <= 0)
		return;
	timeline->step = MemoryContextAlloc(timeline->context, ndays * sizeof(int));
	for (int64 i = 0; i < ndays; i++)
	{
		while (step + 1 < timeline->n && timeline->since[step + 1] <= timeline->since[0] + i)
			step++;
		timeline->step[i] = step;
	}
	timeline->ndays = ndays;
}

/* Sets the stretches from a day on, those that begin before another day; returns how many. */
static int
SetStretches(const ClvTimeline *timeline, int64 from, int64 until, ClvStretch *stretch)
{
	int n = 0;

	for (int i = StepOf(timeline, from); i < timeline->n && (n == 0 || timeline->since[i] < until);
		 i++, n++)
	{
		double begins = n > 0 ? (double) (timeline->since[i] - from) / timeline->unit_days : 0;

		clv_stretch_begin(n > 0 ? &stretch[n - 1] : NULL, begins, timeline->a[i], timeline->c[i],
						  &stretch[n]);
	}
	return n;
}

/* Makes room for the clocks and knots of more customers, after the first ones have asked. */
static void
KeepMore(ClvTimeline *timeline, DateADT as_of)
{
	int nkept;
	int steps;

	if (timeline->asked >= FEW_ASKED || ++timeline->asked < FEW_ASKED || timeline->most_kept == 1)
		return;
	SetSteps(timeline, as_of);
	steps = StepOf(timeline, as_of) + 1;
	nkept = Max(1, Min(timeline->most_kept, KEPT_BYTES / (steps * (int) sizeof(ClvStretch))));
	timeline->kept = MemoryContextAllocZero(timeline->context, nkept * sizeof(Kept));
	timeline->nkept = nkept;
	if (timeline->knots.place != NULL)
		pfree(timeline->knots.place);
	timeline->knots.place = NULL;
	timeline->knots.size = MOST_KNOTS;
}

/* The clocks of customers who first bought on a day, made where they are not at hand. */
static Kept *
KeptOf(ClvTimeline *timeline, DateADT first, DateADT as_of)
{
	Kept *kept;
	int most;

	KeepMore(timeline, as_of);
	kept = &timeline->kept[(uint32) first % (uint32) timeline->nkept];
	if (kept->clocks.n > 0 && kept->first == first && kept->as_of == as_of)
		return kept;
	kept->clocks.n = 0;
	kept->point = 0;
	most = StepOf(timeline, as_of) - StepOf(timeline, first) + 1;
	if (kept->size < most)
	{
		if (kept->stretch != NULL)
			pfree(kept->stretch);
		kept->size = 0;
		kept->stretch = MemoryContextAlloc(timeline->context, most * sizeof(ClvStretch));
		kept->size = most;
	}
	kept->first = first;
	kept->as_of = as_of;
	kept->clocks.n = SetStretches(timeline, first, as_of, kept->stretch);
	kept->clocks.stretch = kept->stretch;
	return kept;
}

const ClvClocks *
clv_clocks_until_day(ClvTimeline *timeline, DateADT first, DateADT as_of)
{
	return &KeptOf(timeline, first, as_of)->clocks;
}

/* ---- knots ---- */

/* Drops all knots, or makes places for them. */
static void
ClearKnots(ClvTimeline *timeline)
{
	KnotsTable *table = &timeline->knots;

	if (table->place == NULL)
		table->place = MemoryContextAlloc(timeline->context, table->size * sizeof(KnotsPlace));
	memset(table->place, 0, table->size * sizeof(KnotsPlace));
	table->used = 0;
	table->current = 0;
	table->taken = 0;
	timeline->point++;
}

/* Memory for knots; NULL where the blocks are full. */
static Knots *
TakeMemory(KnotsTable *table, MemoryContext context, Size bytes)
{
	for (; table->current < KNOTS_BLOCKS; table->current++, table->taken = 0)
	{
		Size size = (Size) KNOTS_BLOCK << table->current;
		char **block = &table->block[table->current];
		Size from = table->taken;

		if (from + bytes > size)
			continue;
		if (*block == NULL)
			*block = MemoryContextAlloc(context, size);
		table->taken += bytes;
		return (Knots *) (*block + from);
	}
	return NULL;
}

/* What begin_knots sets of knots; NULL where hazards do not grow. */
static inline double *
BetaOf(Knots *knots, const ClvFamily *family)
{
	return family->clocked->law->growth < 0 ? NULL : (double *) &knots->knot[knots->n];
}

/* The parameters of knots. */
static inline double *
ParamOf(Knots *knots, const ClvFamily *family)
{
	return (double *) &knots->knot[knots->n] + (family->clocked->law->growth < 0 ? 0 : knots->n);
}

/* Whether the knots are of these customers, at the parameters of the timeline. */
static inline bool
AreKnotsOf(Knots *knots, const ClvTimeline *timeline, const ClvFamily *family,
		   const ClvCustomer *customer)
{
	return knots->first == customer->first && knots->as_of == customer->as_of &&
		   knots->x == customer->x &&
		   (knots->point == timeline->point ||
			memcmp(ParamOf(knots, family), timeline->param, family->nparams * sizeof(double)) == 0);
}

/* The hash of customers, at the parameters of the timeline. */
static inline uint32
HashOf(const ClvTimeline *timeline, const ClvCustomer *customer)
{
	uint32 hash = (uint32) customer->first * 2654435761u + (uint32) customer->x;

	return murmurhash32(timeline->hash ^ hash);
}

/* The place of the knots of these customers: a free one where there are none yet. */
static KnotsPlace *
PlaceOf(const ClvTimeline *timeline, const ClvFamily *family, const ClvCustomer *customer)
{
	uint32 mask = (uint32) timeline->knots.size - 1;
	uint32 hash = HashOf(timeline, customer);

	for (uint32 i = hash;; i++)
	{
		KnotsPlace *place = &timeline->knots.place[i & mask];

		if (place->knots == NULL ||
			(place->hash == hash && AreKnotsOf(place->knots, timeline, family, customer)))
			return place;
	}
}

/* The knots of these customers with none set yet; NULL where they would need too much memory. */
static Knots *
BeginKnots(ClvTimeline *timeline, const ClvFamily *family, const ClvCustomer *customer,
		   const ClvClocks *clocks)
{
	KnotsTable *table = &timeline->knots;
	Size params = family->nparams * sizeof(double);
	Size betas = family->clocked->law->growth < 0 ? 0 : clocks->n * sizeof(double);
	Size bytes = offsetof(Knots, knot) + clocks->n * sizeof(ClvKnot) + betas + params;
	Knots *knots = NULL;

	if (table->place != NULL && table->used < table->size / 2)
		knots = TakeMemory(table, timeline->context, bytes);
	if (knots == NULL)
	{
		ClearKnots(timeline);
		knots = TakeMemory(table, timeline->context, bytes);
	}
	if (knots == NULL)
		return NULL;
	knots->first = customer->first;
	knots->as_of = customer->as_of;
	knots->x = customer->x;
	knots->from = knots->n = clocks->n;
	knots->point = timeline->point;
	knots->t_x = get_float8_nan();
	if (betas > 0)
		family->clocked->begin_knots(family, timeline->param, clocks, BetaOf(knots, family));
	memcpy(ParamOf(knots, family), timeline->param, params);
	*PlaceOf(timeline, family, customer) = (KnotsPlace){knots, HashOf(timeline, customer)};
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

/* The knots of these customers by the table, or new ones; NULL as above. */
static Knots *
FindKnots(ClvTimeline *timeline, const ClvFamily *family, const ClvCustomer *customer,
		  const ClvClocks *clocks)
{
	Knots *knots =
		timeline->knots.place == NULL ? NULL : PlaceOf(timeline, family, customer)->knots;

	if (knots == NULL)
		return BeginKnots(timeline, family, customer, clocks);
	knots->point = timeline->point;
	return knots;
}

/* The same, from the clocks of their first day where they are kept there. */
static inline Knots *
KnotsOf(ClvTimeline *timeline, const ClvFamily *family, const ClvCustomer *customer, Kept *kept)
{
	int x = (int) Min(customer->x, FEW_PURCHASES);
	Knots *knots;

	if (kept->point == timeline->point && x < FEW_PURCHASES && kept->knots[x] != NULL)
		return kept->knots[x];
	knots = FindKnots(timeline, family, customer, &kept->clocks);
	if (x == FEW_PURCHASES)
		return knots;
	if (kept->point != timeline->point)
	{
		memset(kept->knots, 0, sizeof(kept->knots));
		kept->point = timeline->point;
	}
	kept->knots[x] = knots;
	return knots;
}

/* The stretch of the customer's last purchase; on a day on which nothing follows, the last one. */
static inline int
StretchAt(const ClvTimeline *timeline, const ClvCustomer *customer, const ClvClocks *clocks)
{
	int64 day = (int64) customer->first + customer->last;

	return Min(StepOf(timeline, day) - StepOf(timeline, customer->first), clocks->n - 1);
}

/* The odds that the customer has left, by their knots; NAN where there are none. */
static double
Odds(ClvTimeline *timeline, const ClvFamily *family, const double *param,
	 const ClvCustomer *customer, Kept *kept)
{
	const ClvClocked *clocked = family->clocked;
	const ClvClocks *clocks = &kept->clocks;
	Knots *knots;
	int after;

	if (clocked->begin_knots == NULL)
		return get_float8_nan();
	after = StretchAt(timeline, customer, clocks) + 1;
	SetParam(timeline, family, param);
	knots = KnotsOf(timeline, family, customer, kept);
	if (knots == NULL)
		return get_float8_nan();
	/* at once, as in a table in no order all of them are far away */
	CLV_PREFETCH(&knots->knot[after]);
	CLV_PREFETCH(&clocks->stretch[after - 1]);
	if (knots->t_x == customer->t_x) /* of those with one purchase always */
		return knots->odds;
	if (after < knots->from)
	{
		int until = knots->from;

		knots->from = knots->n; /* none are set, should this not come to its end */
		clocked->add_knots(family, param, customer->x, clocks, customer->T, after, until,
						   BetaOf(knots, family), knots->knot);
		knots->from = after;
	}
	knots->odds =
		clocked->odds_by_knots(family, param, customer->x, clocks, after - 1, customer->t_x,
							   customer->T, BetaOf(knots, family), knots->knot);
	knots->t_x = customer->t_x;
	return knots->odds;
}

double
clv_timeline_p_alive(ClvTimeline *timeline, const ClvFamily *family, const double *param,
					 const ClvCustomer *customer)
{
	Kept *kept = KeptOf(timeline, customer->first, customer->as_of);
	double odds = Odds(timeline, family, param, customer, kept);

	return isfinite(odds)
			   ? 1 / (1 + odds)
			   : exp(family->clocked->ln_p_alive(family, param, customer->x, &kept->clocks,
												 customer->t_x, customer->T));
}

double
clv_timeline_ln_p_alive(ClvTimeline *timeline, const ClvFamily *family, const double *param,
						const ClvCustomer *customer)
{
	Kept *kept = KeptOf(timeline, customer->first, customer->as_of);
	double odds = Odds(timeline, family, param, customer, kept);

	return isfinite(odds) ? -log1p(odds)
						  : family->clocked->ln_p_alive(family, param, customer->x, &kept->clocks,
														customer->t_x, customer->T);
}

/* ---- clocks to come ---- */

const ClvClocks *
clv_clocks_from_day(ClvTimeline *timeline, DateADT as_of)
{
	if (!timeline->has_ahead || timeline->ahead_day != as_of)
	{
		timeline->ahead_clocks.n = SetStretches(timeline, as_of, PG_INT64_MAX, timeline->ahead);
		timeline->ahead_clocks.stretch = timeline->ahead;
		timeline->ahead_day = as_of;
		timeline->has_ahead = true;
	}
	return &timeline->ahead_clocks;
}

const ClvClocks *
clv_clocks_of(const ClvModel *fitted, const ClvCustomer *customer)
{
	return clv_clocks_until_day(clv_timeline(&fitted->purchase, fitted->unit_days), customer->first,
								customer->as_of);
}

/* ---- discounting ---- */

/* The nodes of a rule are at most so many. */
#define MOST_NODES (16 * CLV_RULE_POINTS)

/* The rule for an integral until a time, on ranges of this width, or one that is kept. */
static const Rule *
RuleOf(ClvTimeline *timeline, const ClvClocks *clocks, Rule asked)
{
	Rule *rule;

	for (int i = 0; i < RULES; i++)
	{
		rule = &timeline->rule[i];
		if (rule->n > 0 && rule->as_of == asked.as_of && rule->delta == asked.delta &&
			rule->t == asked.t && rule->width == asked.width)
			return rule;
	}
	rule = &timeline->rule[timeline->next_rule++ % RULES];
	if (rule->b == NULL)
		rule->b = MemoryContextAlloc(timeline->context, 2 * MOST_NODES * sizeof(double));
	rule->n = 0;
	clv_clock_rule(clocks, asked.delta, asked.t, asked.width, rule->b, rule->b + MOST_NODES);
	asked.b = rule->b;
	*rule = asked;
	return rule;
}

double
clv_timeline_discounted(ClvTimeline *timeline, DateADT as_of, const ClvFuture *future, double delta,
						double horizon)
{
	const ClvFamily *family = future->family;
	const ClvClocks *clocks = future->clocks;
	double end = isinf(horizon) ? clocks->stretch[clocks->n - 1].from : horizon;
	double until = clv_clock_b(clocks, end);
	double sum = isinf(horizon) ? clv_one_clock_rest(family, future->param, clocks, delta) : 0;
	Rule asked = {.as_of = as_of, .delta = delta, .t = end};
	double rate[MOST_NODES];
	const Rule *rule;

	if (isnan(sum) || end == 0)
		return sum;
	/* of few widths, so that customers share them */
	asked.width = exp2(floor(log2(clv_one_clock_width(family, future->param))));
	if (!(until < asked.width * (MOST_NODES / CLV_RULE_POINTS)))
		return get_float8_nan();
	asked.n = (int) ceil(until / asked.width) * CLV_RULE_POINTS;
	rule = RuleOf(timeline, clocks, asked);
	if (!family->rates(future->param, until, rule->b, rule->n, rate))
		return get_float8_nan();
	for (int i = 0; i < rule->n; i++)
		sum += rule->b[MOST_NODES + i] * rate[i];
	return sum;
}

/* ---- messages ---- */

bool
clv_goes_on(const char *covariate)
{
	return strncmp(covariate, "season_", 7) == 0 || strcmp(covariate, "trend") == 0;
}

/* Whether all covariates go on by themselves. */
static bool
GoesOn(const ClvModelPart *part)
{
	for (int i = clv_model_own_covariates(part); i < part->ncovariates; i++)
		if (!clv_goes_on(part->covariate[i]))
			return false;
	return true;
}

void
clv_say_beyond(const ClvModel *fitted, DateADT as_of, double horizon)
{
	const ClvTimeline *timeline;
	double last = as_of + horizon * fitted->unit_days;
	char date[MAXDATELEN + 1];

	if (fitted->purchase.calendar == NULL || isinf(horizon) || GoesOn(&fitted->purchase))
		return;
	timeline = clv_timeline(&fitted->purchase, fitted->unit_days);
	if (last < (double) timeline->end || !clv_first_in_statement("calendar"))
		return;
	ereport(NOTICE, (errmsg("predictions reach beyond the calendar of the model"),
					 errdetail("It ends before %s; from there on %s.",
							   clv_date_text((DateADT) timeline->end, date),
							   timeline->n > 1 && timeline->since[timeline->n - 1] > timeline->end
								   ? "days are taken to be as the same days a year earlier"
								   : "its average is taken"),
					 errhint("Give the steps to come: clv_with_calendar(model, calendar).")));
}

void
clv_need_no_calendar(const ClvModel *fitted)
{
	if (fitted->purchase.calendar != NULL)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("the model follows a calendar, and needs a history"),
						errdetail("x, t_x and t_cal do not say on which days they are."),
						errhint("Give a clv_history; of new customers, clv_new_customer(model, "
								"horizon, as_of => day).")));
}

/* ---- likelihood ---- */

/* Where the logarithms of the factors at repeat purchases are summed. */
typedef struct Speeds
{
	const ClvTimeline *timeline;
	const ClvClocks *clocks; /* of the customer */
	double unit_days;
	double power; /* of the times between purchases by the clock, as parts of those in days */
	int64 day;    /* of the last purchase */
	double t;     /* the same as an age */
	double sum;
} Speeds;

/* Adds a purchase so many days after the one before it; the argument is a Speeds. */
static void
AddSpeed(void *arg, int32 days)
{
	Speeds *speeds = arg;
	double before = speeds->t;

	speeds->day += days;
	speeds->t += days / speeds->unit_days;
	speeds->sum += log(speeds->timeline->a[StepOf(speeds->timeline, speeds->day)]);
	if (speeds->power > 0)
		speeds->sum +=
			speeds->power *
			log((clv_clock_b(speeds->clocks, speeds->t) - clv_clock_b(speeds->clocks, before)) /
				(speeds->t - before));
}

double
clv_log_likelihood_by_calendar(const ClvModel *fitted, const ClvHistory *history,
							   const ClvCustomer *customer)
{
	const ClvModelPart *part = &fitted->purchase;
	const ClvClocks *clocks = clv_clocks_of(fitted, customer);
	Speeds speeds = {.timeline = clv_timeline(part, fitted->unit_days),
					 .clocks = clocks,
					 .unit_days = fitted->unit_days,
					 .day = customer->first};

	if (part->family->stages != NULL)
		speeds.power = part->family->stages(part->param) - 1;
	clv_history_gaps(history, customer->as_of, AddSpeed, &speeds);
	return speeds.sum + part->family->clocked->log_likelihood(part->family, part->param,
															  customer->x, clocks, customer->t_x,
															  customer->T);
}
