/*
 * timeline.c
 *		Models with a calendar: how fast the clocks of a customer run, day by day.
 *
 * A timeline has the steps of the model's calendar, with the factors of the rates of buying and of
 * leaving. Beyond the end of the calendar each day is as the same day a year earlier, for
 * YEARS_BEYOND years, and from then on the factors are those of the calendar's last year, on
 * average. Where the calendar has no whole year, they are the average of all of it from its end on.
 */
#include "predict/timeline.h"

#include <math.h>

#include "math/dates.h"
#include "utils/datetime.h"
#include "utils/float.h"

#define YEARS_BEYOND 3
#define MONTHS 12

/* Days whose steps are in a table. */
#define MOST_DAYS 16384

/* The most first days for which something is kept, and the most memory for them, were each to need
 * all steps. */
#define MOST_KEPT 4096
#define KEPT_BYTES (32 * 1024 * 1024)

/* Until a timeline has been asked so often, few are kept: models with the path of a customer are
 * for them alone. */
#define FEW_ASKED 32
#define FEW_KEPT 1

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

	timeline->step[timeline->n++] =
		(ClvDayStep){.since = day, .a = Factor(maker, step, false), .c = Factor(maker, step, true)};
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
	timeline->step[timeline->n++] = (ClvDayStep){.since = day,
												 .a = a / (double) (timeline->end - first),
												 .c = c / (double) (timeline->end - first)};
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

/* The sum of a fine number and another one, without a loss (Knuth 1969). */
static ClvFine
Plus(ClvFine a, double b)
{
	double sum = a.high + b;
	double rounded = sum - a.high;

	return (ClvFine){sum, a.low + ((a.high - (sum - rounded)) + (b - rounded))};
}

/* A clock that runs on for some days at a speed. */
static ClvFine
RunOn(ClvFine clock, double speed, double days)
{
	double more = speed * days;

	return Plus(Plus(clock, more), fma(speed, days, -more));
}

/* Sets both clocks on a day of a step. */
static void
SetFine(const ClvTimeline *timeline, int step, int64 day, ClvFine *b, ClvFine *d)
{
	const ClvDayStep *at = &timeline->step[step];
	double days = (double) (day - at->since);

	*b = RunOn(at->b, at->a, days);
	*d = RunOn(at->d, at->c, days);
}

/* Sets the clocks at the beginning of each step. */
static void
SetClocks(ClvTimeline *timeline)
{
	timeline->step[0].b = timeline->step[0].d = (ClvFine){0};
	for (int i = 1; i < timeline->n; i++)
		SetFine(timeline, i - 1, timeline->step[i].since, &timeline->step[i].b,
				&timeline->step[i].d);
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
	timeline->per_day = 1 / unit_days;
	timeline->step = palloc(most * sizeof(ClvDayStep));
	timeline->end = clv_calendar_end(&calendar);
	for (int i = 0; i < calendar.nsteps; i++)
		AddStep(&maker, calendar.since[i], i);
	last_year = clv_day_plus(timeline->end, -MONTHS, 0);
	if (last_year < calendar.since[0])
		AddAverage(&maker, timeline->end, calendar.since[0]);
	else
		AddYears(&maker, last_year);
	timeline->step = repalloc(timeline->step, timeline->n * sizeof(ClvDayStep));
	SetClocks(timeline);
	timeline->context = part->derived->context;
	timeline->most_kept = most_kept;
	timeline->nkept = FEW_KEPT;
	timeline->kept = palloc0(timeline->nkept * sizeof(ClvKept));
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

int
clv_timeline_search(const ClvTimeline *timeline, int64 day)
{
	int low = 0;
	int high = timeline->n;
	char date[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	if (day < timeline->step[0].since)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the calendar of the model says nothing of %s",
							   clv_date_text((DateADT) day, date)),
						errdetail("It begins on %s.",
								  clv_date_text((DateADT) timeline->step[0].since, other))));
	while (high - low > 1)
	{
		int middle = low + (high - low) / 2;

		*(timeline->step[middle].since <= day ? &low : &high) = middle;
	}
	return low;
}

/* Makes the table of the steps of all days until as_of, or of as many as it may have. */
static void
SetSteps(ClvTimeline *timeline, DateADT as_of)
{
	int64 begin = timeline->step[0].since;
	int64 ndays = Min((int64) as_of + 1 - begin, MOST_DAYS);
	int step = 0;

	if (ndays <= 0)
		return;
	timeline->step_of = MemoryContextAlloc(timeline->context, ndays * sizeof(int));
	for (int64 i = 0; i < ndays; i++)
	{
		while (step + 1 < timeline->n && timeline->step[step + 1].since <= begin + i)
			step++;
		timeline->step_of[i] = step;
	}
	timeline->ndays = ndays;
}

/* Sets the stretches from a day on, those that begin before another day; returns how many. */
static int
SetStretches(const ClvTimeline *timeline, int64 from, int64 until, ClvStretch *stretch)
{
	int n = 0;

	for (int i = clv_timeline_step(timeline, from);
		 i < timeline->n && (n == 0 || timeline->step[i].since < until); i++, n++)
	{
		const ClvDayStep *step = &timeline->step[i];
		double begins = n > 0 ? (double) (step->since - from) / timeline->unit_days : 0;

		clv_stretch_begin(n > 0 ? &stretch[n - 1] : NULL, begins, step->a, step->c, &stretch[n]);
	}
	return n;
}

void
clv_timeline_keep_more(ClvTimeline *timeline, DateADT as_of)
{
	int nkept;
	int steps;

	if (timeline->most_kept == 1 || ++timeline->asked < FEW_ASKED)
		return;
	timeline->has_more = true;
	SetSteps(timeline, as_of);
	steps = clv_timeline_step(timeline, as_of) + 1;
	nkept = timeline->most_kept;
	while (nkept > 1 && (Size) nkept * steps * sizeof(ClvStretch) > KEPT_BYTES)
		nkept /= 2;
	timeline->kept = MemoryContextAllocZero(timeline->context, nkept * sizeof(ClvKept));
	timeline->nkept = nkept;
}

void
clv_timeline_begin(const ClvTimeline *timeline, DateADT first, DateADT as_of, ClvKept *kept)
{
	int step = clv_timeline_step(timeline, first);
	int last = clv_timeline_step(timeline, as_of);
	ClvFine b;
	ClvFine d;

	if (last > step && timeline->step[last].since == as_of)
		last--;
	kept->point = 0;
	kept->clocks.n = 0;
	if (kept->nodds > 0)
		memset(kept->odds, 0, kept->nodds * sizeof(ClvOdds *));
	kept->first = first;
	kept->as_of = as_of;
	kept->step = step;
	kept->last = last;
	SetFine(timeline, step, first, &kept->b, &kept->d);
	SetFine(timeline, last, as_of, &b, &d);
	kept->b_end = clv_fine_since(b, kept->b) / timeline->unit_days;
	kept->d_end = clv_fine_since(d, kept->d) / timeline->unit_days;
	kept->begun = true;
}

const ClvClocks *
clv_timeline_clocks(const ClvTimeline *timeline, ClvKept *kept)
{
	int most = kept->last - kept->step + 1;

	if (kept->clocks.n > 0)
		return &kept->clocks;
	if (kept->size < most)
	{
		if (kept->stretch != NULL)
			pfree(kept->stretch);
		kept->size = 0;
		kept->stretch = MemoryContextAlloc(timeline->context, most * sizeof(ClvStretch));
		kept->size = most;
	}
	kept->clocks.n = SetStretches(timeline, kept->first, kept->as_of, kept->stretch);
	kept->clocks.stretch = kept->stretch;
	return &kept->clocks;
}

const ClvClocks *
clv_clocks_until_day(ClvTimeline *timeline, DateADT first, DateADT as_of)
{
	return clv_timeline_clocks(timeline, clv_timeline_kept(timeline, first, as_of));
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
static const ClvRule *
RuleOf(ClvTimeline *timeline, const ClvClocks *clocks, ClvRule asked)
{
	ClvRule *rule;

	for (int i = 0; i < CLV_RULES; i++)
	{
		rule = &timeline->rule[i];
		if (rule->n > 0 && rule->as_of == asked.as_of && rule->delta == asked.delta &&
			rule->t == asked.t && rule->width == asked.width)
			return rule;
	}
	rule = &timeline->rule[timeline->next_rule++ % CLV_RULES];
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
	ClvRule asked = {.as_of = as_of, .delta = delta, .t = end};
	double rate[MOST_NODES];
	const ClvRule *rule;

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
	ereport(NOTICE,
			(errmsg("predictions reach beyond the calendar of the model"),
			 errdetail("It ends before %s; from there on %s.",
					   clv_date_text((DateADT) timeline->end, date),
					   timeline->n > 1 && timeline->step[timeline->n - 1].since > timeline->end
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
	speeds->sum += log(speeds->timeline->step[clv_timeline_step(speeds->timeline, speeds->day)].a);
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
