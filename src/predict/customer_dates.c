/*
 * customer_dates.c
 *		Two dates of a customer: the day by which one who is alive will have bought again, and the
 *		day from which on one who does not buy is more likely lost than a limit allows.
 *
 * Each is the first of whole days, or periods, from which on a condition holds. Once such a
 * condition holds it holds ever after, whatever the family: with time a purchase becomes more
 * likely, and without one P(alive) falls. So doubling and halving find the day itself, in about
 * twice the logarithm of the days to it, and no family needs a formula for it.
 */
#include "predict/predict_private.h"

#include "utils/float.h"

#include <math.h>

#include "miscadmin.h"

/* A thousand years, and as many periods as a horizon may have: beyond them there is no date. */
#define MOST_DAYS 365250
#define MOST_PERIODS 100000

/* A condition on the n-th day or period, and what it needs to know. */
typedef bool (*Condition)(void *arg, int32 n);

/* The first n from 1 to most for which the condition holds, as it then does for all later ones; 0
 * where there is none. */
static int32
FirstFrom(Condition holds, void *arg, int32 most)
{
	int32 before = 0;
	int32 n = 1;

	while (!holds(arg, n))
	{
		CHECK_FOR_INTERRUPTS();
		if (n >= most)
			return 0;
		before = n;
		n = n > most / 2 ? most : 2 * n;
	}
	while (n - before > 1)
	{
		int32 middle = before + (n - before) / 2;

		if (holds(arg, middle))
			n = middle;
		else
			before = middle;
	}
	return n;
}

/* Whether there is a date of that day. */
static bool
IsDay(int64 day)
{
	return day < DATE_END_JULIAN - POSTGRES_EPOCH_JDATE;
}

/* ---- clv_next_purchase(model, history, level, as_of, covariates) ---- */

/* A customer who is alive, and how likely a purchase is to be. */
typedef struct Waiting
{
	ClvFuture future;
	double unit; /* days, or periods, that make the model's unit */
	double none; /* 1 - level: at most so likely no purchase may be */
} Waiting;

/* Whether a purchase in the next n days or periods is likely enough. */
static bool
HasBought(void *arg, int32 n)
{
	const Waiting *waiting = arg;

	return clv_future_probability(&waiting->future, 0, n / waiting->unit) <= waiting->none;
}

/* The days, or periods, in which a customer who is alive buys again at the level; 0: never. */
static int32
WaitOf(const ClvModel *fitted, const ClvCustomer *customer, double level)
{
	Waiting waiting = {.unit = fitted->unit_days, .none = 1 - level};
	int32 most = MOST_DAYS;

	clv_future_of(fitted, customer, get_float8_infinity(), &waiting.future);
	if (clv_in_periods(fitted->purchase.family))
	{
		waiting.unit = 1;
		most = (int32) fmin(fmax(MOST_DAYS / fitted->unit_days, 1), MOST_PERIODS);
	}
	return FirstFrom(HasBought, &waiting, most);
}

/* The last day of the n-th period from as_of on; of contracts, of the grace after it. */
static int64
PeriodEnd(const ClvModel *fitted, const ClvHistory *history, DateADT as_of,
		  const ClvCustomer *customer, int32 n)
{
	const ClvCounting *counting = &fitted->counting;
	ClvSummary summary;
	ClvSteps steps;

	switch (fitted->purchase.family->clock)
	{
		case CLV_RENEWALS:
			return clv_history_due(history, as_of, counting, (int32) customer->T + n);
		case CLV_CAMPAIGNS:
			clv_steps_from(&steps, &counting->grid, clv_grid_over(&counting->grid, as_of));
			return clv_steps_end(&steps, n);
		case CLV_OPPORTUNITIES:
			clv_history_summarize(history, as_of, fitted->spend_basis, &summary);
			clv_steps_from(&steps, &counting->grid, summary.first);
			return clv_steps_end(&steps, (int64) customer->T + n);
		case CLV_CONTINUOUS:
			break;
	}
	return (int64) as_of + n;
}

/* Two numbers of a memo, for either date: a level, or a limit, and the wait at it. */
enum
{
	LEVEL_OF,
	WAIT
};

bool
clv_next_day(const ClvModelSite *site, const ClvHistory *history, const ClvCustomer *customer,
			 double level, double *memo, int64 *day)
{
	if (memo[LEVEL_OF] != level)
	{
		memo[WAIT] = WaitOf(site->fitted, customer, level);
		memo[LEVEL_OF] = level;
	}
	if (memo[WAIT] == 0)
		return false;
	*day = PeriodEnd(site->fitted, history, customer->as_of, customer, (int32) memo[WAIT]);
	return IsDay(*day);
}

/*
 * clv_next_purchase(model, history, level, as_of, covariates) -> date: the first day by which a
 * customer who is alive at as_of has bought again with probability level, of families of whole
 * periods the last day of a period; NULL for NULL in the first three arguments, before the first
 * purchase, for a customer who has certainly left, and where there is no such day in a thousand
 * years.
 */
PG_FUNCTION_INFO_V1(clv_next_purchase);
Datum
clv_next_purchase(PG_FUNCTION_ARGS)
{
	enum
	{
		MODEL,
		HISTORY,
		LEVEL,
		AS_OF,
		COVARIATES
	};
	ClvModelSite *site;
	const ClvHistory *history;
	ClvCustomer customer;
	ClvMemoKey key;
	int64 day;

	if (PG_ARGISNULL(MODEL) || PG_ARGISNULL(HISTORY) || PG_ARGISNULL(LEVEL))
		PG_RETURN_NULL();
	clv_check_level(PG_GETARG_FLOAT8(LEVEL));
	site = clv_customer_site(fcinfo, COVARIATES);
	history = PG_GETARG_CLV_HISTORY_P(HISTORY);
	if (!clv_customer(site->fitted, history, clv_as_of(fcinfo, AS_OF, site->fitted), &customer))
		PG_RETURN_NULL();
	key = clv_site_key(site, &customer);
	clv_memo_prefetch(&site->memo, &key);
	if (clv_checked(clv_site_p_alive(site, &customer), "P(alive)", &customer) == 0 ||
		!clv_next_day(site, history, &customer, PG_GETARG_FLOAT8(LEVEL),
					  clv_memo_values(&site->memo, &key), &day))
		PG_RETURN_NULL();
	PG_RETURN_DATEADT((DateADT) day);
}

/* ---- clv_lapse_date(model, history, p_alive, as_of, covariates) ---- */

/* A customer who buys nothing more, and the P(alive) that is to be crossed. */
typedef struct Inactive
{
	ClvModelSite *site;
	const ClvHistory *history; /* as it was known at as_of */
	int64 since;               /* the day on which the last purchase counts */
	ClvCustomer then;          /* the customer on that day, where time is continuous */
	double limit;
} Inactive;

/* The customer n days after the last purchase counts. */
static ClvCustomer
Later(const Inactive *inactive, int32 n)
{
	const ClvModel *fitted = inactive->site->fitted;
	ClvCustomer customer = inactive->then;

	if (clv_in_periods(fitted->purchase.family))
		(void) clv_customer(fitted, inactive->history, (DateADT) (inactive->since + n), &customer);
	else
	{
		customer.as_of += n;
		customer.days += n;
		customer.T = customer.days / fitted->unit_days;
	}
	return customer;
}

/* Whether P(alive), seen n days after the last purchase counts, is below the limit. */
static bool
HasLapsed(void *arg, int32 n)
{
	const Inactive *inactive = arg;
	ClvCustomer customer = Later(inactive, n);

	return clv_checked(clv_site_p_alive(inactive->site, &customer), "P(alive)", &customer) <
		   inactive->limit;
}

/* The days after the last purchase counts in which P(alive) falls below the limit; -1: never. */
static int32
SilenceOf(Inactive *inactive)
{
	int32 days;

	if (HasLapsed(inactive, 0))
		return 0;
	days = FirstFrom(HasLapsed, inactive, MOST_DAYS);
	return days == 0 ? -1 : days;
}

/*
 * The same, from the place in the memo where it was computed at that limit: where time is
 * continuous and no calendar tells days apart, it depends on the purchases and on the age at the
 * last one alone.
 */
static int32
CachedSilence(Inactive *inactive, int place)
{
	ClvModelSite *site = inactive->site;
	ClvMemoKey key;
	double *memo;
	int32 days;

	if (clv_in_periods(site->fitted->purchase.family) || site->fitted->purchase.calendar != NULL)
		return SilenceOf(inactive);
	key = clv_site_key(site, &inactive->then);
	memo = clv_memo_values(&site->memo, &key) + place;
	if (memo[LEVEL_OF] == inactive->limit)
		return (int32) memo[WAIT];
	days = SilenceOf(inactive);
	memo[LEVEL_OF] = inactive->limit;
	memo[WAIT] = days;
	return days;
}

/* The day on which a purchase on the last day counts: families of periods wait for their ends. */
static int64
CountsFrom(const ClvModel *fitted, const ClvSummary *summary)
{
	const ClvGrid *grid = &fitted->counting.grid;
	ClvClock clock = fitted->purchase.family->clock;
	ClvSteps steps;

	if (clock == CLV_OPPORTUNITIES)
		clv_steps_from(&steps, grid, summary->first);
	else if (clock == CLV_CAMPAIGNS && grid->calendar)
		clv_steps_from(&steps, grid, summary->last);
	else
		return summary->last;
	return clv_steps_end(&steps, clv_steps_period(&steps, summary->last));
}

bool
clv_lapse_day(ClvModelSite *site, const ClvHistory *history, const ClvSummary *summary,
			  double limit, int place, int64 *day)
{
	Inactive inactive = {.site = site,
						 .history = history,
						 .since = CountsFrom(site->fitted, summary),
						 .limit = limit};
	int32 days;

	if (!IsDay(inactive.since + MOST_DAYS))
		return false;
	if (!clv_in_periods(site->fitted->purchase.family))
		(void) clv_customer_of_summary(site->fitted, history, (DateADT) inactive.since, summary,
									   &inactive.then);
	days = CachedSilence(&inactive, place);
	*day = inactive.since + days;
	return days >= 0 && IsDay(*day);
}

/*
 * clv_lapse_date(model, history, p_alive, as_of, covariates) -> date: the first day on which
 * P(alive) is below p_alive if no purchase comes after as_of; it may be past. NULL for NULL in the
 * first three arguments, before the first purchase, and where there is no such day in a thousand
 * years.
 */
PG_FUNCTION_INFO_V1(clv_lapse_date);
Datum
clv_lapse_date(PG_FUNCTION_ARGS)
{
	enum
	{
		MODEL,
		HISTORY,
		P_ALIVE,
		AS_OF,
		COVARIATES
	};
	ClvModelSite *site;
	const ClvHistory *history;
	ClvSummary summary;
	DateADT as_of;
	int64 day;

	if (PG_ARGISNULL(MODEL) || PG_ARGISNULL(HISTORY) || PG_ARGISNULL(P_ALIVE))
		PG_RETURN_NULL();
	clv_check_probability("p_alive", PG_GETARG_FLOAT8(P_ALIVE));
	site = clv_customer_site(fcinfo, COVARIATES);
	as_of = clv_as_of(fcinfo, AS_OF, site->fitted);
	history = clv_history_until(PG_GETARG_CLV_HISTORY_P(HISTORY), as_of);
	clv_history_summarize(history, as_of, site->fitted->spend_basis, &summary);
	if (summary.purchases == 0 ||
		!clv_lapse_day(site, history, &summary, PG_GETARG_FLOAT8(P_ALIVE), 0, &day))
		PG_RETURN_NULL();
	PG_RETURN_DATEADT((DateADT) day);
}
