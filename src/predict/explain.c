/*
 * explain.c
 *		clv_explain: why a customer has the P(alive) and the value that they have, in a code and a
 *		sentence.
 *
 * The code is the first of a list of conditions that holds: of the customer's history, compared
 * with itself, and of P(alive). Changes count where the later half of the customer's purchases
 * differs from the earlier one by half as much again, and by more than two standard errors.
 *
 * The value of the next year is P(alive), times the purchases expected of the customer if active,
 * times the expected spend. Each is compared with that of a new customer: three ratios whose
 * product is that of the values, the one farthest from 1 first.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

/* A customer who is active with less than this probability is more likely gone. */
#define ACTIVE 0.5

/* A customer with one purchase is new for this many days. */
#define NEW_DAYS 90

/* A customer is late after this multiple of their longest gap. */
#define LATE_GAPS 1.25

/* A change: later values so many times the earlier ones, of so many or more altogether. */
#define CHANGE 1.5
#define FEWEST 4

/* Gaps are regular where their standard deviation is less than this part of their mean. */
#define REGULAR 0.5

/* ---- what a history says of itself ---- */

/* Values in the order of time, the first half of them apart from the rest. */
typedef struct Halves
{
	int32 n; /* altogether */
	int32 seen;
	double sum[2];
	double square[2];
	double largest;
} Halves;

/* Takes the next value, a double. */
static void
AddValue(void *arg, double value)
{
	Halves *halves = arg;
	int half = halves->seen >= halves->n / 2;

	halves->seen++;
	halves->sum[half] += value;
	halves->square[half] += value * value;
	halves->largest = Max(halves->largest, value);
}

/* Takes the next value, a number of days. */
static void
AddDays(void *arg, int32 days)
{
	AddValue(arg, days);
}

/* The number of values in a half. */
static int32
HalfSize(const Halves *halves, int half)
{
	return half == 0 ? halves->n / 2 : halves->n - halves->n / 2;
}

/* The mean of a half. */
static double
HalfMean(const Halves *halves, int half)
{
	return halves->sum[half] / HalfSize(halves, half);
}

/* The squared standard error of that mean; at least two values. */
static double
HalfError(const Halves *halves, int half)
{
	double n = HalfSize(halves, half);
	double mean = HalfMean(halves, half);

	return fmax(halves->square[half] / n - mean * mean, 0) / (n - 1);
}

/* 1 where the later half is larger, -1 where it is smaller, 0 where it is neither for certain, as
 * where doubles do not hold the squares of the values. */
static int
Change(const Halves *halves)
{
	double before;
	double after;

	if (halves->n < FEWEST || !isfinite(halves->square[0] + halves->square[1]))
		return 0;
	before = HalfMean(halves, 0);
	after = HalfMean(halves, 1);
	if (!(before > 0 && after > 0) || (after < CHANGE * before && before < CHANGE * after) ||
		(after - before) * (after - before) <= 4 * (HalfError(halves, 0) + HalfError(halves, 1)))
		return 0;
	return after > before ? 1 : -1;
}

/* The numbers of one customer that conditions test. */
typedef struct Facts
{
	ClvSummary summary; /* all purchases count for the spend */
	Halves gaps;        /* days */
	Halves spends;
	int32 inactive; /* days since the last purchase */
	double mean_gap;
	double p_alive;
} Facts;

/* Sets the numbers that follow from the history alone. */
static void
ReadHistory(const ClvHistory *history, DateADT as_of, Facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	clv_history_summarize(history, as_of, CLV_SPEND_ALL, &facts->summary);
	if (facts->summary.purchases == 0)
		return;
	facts->gaps.n = facts->summary.purchases - 1;
	facts->spends.n = facts->summary.spend_purchases;
	clv_history_gaps(history, as_of, AddDays, &facts->gaps);
	clv_history_spends(history, as_of, AddValue, &facts->spends);
	facts->inactive = as_of - facts->summary.last;
	if (facts->gaps.n > 0)
		facts->mean_gap = ((double) facts->summary.last - facts->summary.first) / facts->gaps.n;
}

/* Whether the gaps of the customer are regular. */
static bool
IsRegular(const Facts *facts)
{
	const Halves *gaps = &facts->gaps;
	double mean = facts->mean_gap;

	return gaps->n >= FEWEST - 1 && (gaps->square[0] + gaps->square[1]) / gaps->n - mean * mean <
										REGULAR * REGULAR * mean * mean;
}

/* ---- the first sentence ---- */

/* "12 days", "1 day". */
static const char *
Days(double days)
{
	int64 whole = (int64) rint(days);

	return psprintf(INT64_FORMAT " day%s", whole, whole == 1 ? "" : "s");
}

/* A money amount, with two decimals. */
static const char *
Money(double amount)
{
	return psprintf("%.2f", amount);
}

/* The sentence of a change of gaps: how long they are now, and were before. */
static const char *
GapChange(const Facts *facts)
{
	return psprintf("buys every %s, every %s before", Days(HalfMean(&facts->gaps, 1)),
					Days(HalfMean(&facts->gaps, 0)));
}

/* The sentence of a change of spend: how much a purchase is worth now, and was before. */
static const char *
SpendChange(const Facts *facts)
{
	return psprintf("spends %s a purchase, %s before", Money(HalfMean(&facts->spends, 1)),
					Money(HalfMean(&facts->spends, 0)));
}

/* Sets the code and the sentence of the first condition that holds. */
static void
Reason(const Facts *facts, const char **code, const char **sentence)
{
	const char *inactive = Days(facts->inactive);
	int gaps = Change(&facts->gaps);
	int spends = Change(&facts->spends);

	if (facts->p_alive == 0)
	{
		*code = "ended";
		*sentence = psprintf("no purchase for %s, and none is possible any more", inactive);
	}
	else if (facts->gaps.n == 0 && (facts->p_alive < ACTIVE || facts->inactive > NEW_DAYS))
	{
		*code = "once";
		*sentence = psprintf("one purchase, %s ago", inactive);
	}
	else if (facts->gaps.n == 0)
	{
		*code = "new";
		*sentence = psprintf("new: one purchase, %s ago", inactive);
	}
	else if (facts->p_alive < ACTIVE)
	{
		*code = "inactive";
		*sentence = psprintf("no purchase for %s, %.1f times the usual gap of %s", inactive,
							 facts->inactive / facts->mean_gap, Days(facts->mean_gap));
	}
	else if (facts->inactive > LATE_GAPS * facts->gaps.largest)
	{
		*code = "late";
		*sentence =
			psprintf("%slate: no purchase for %s, the longest gap was %s",
					 IsRegular(facts) ? "regular and " : "", inactive, Days(facts->gaps.largest));
	}
	else if (gaps > 0 || spends < 0)
	{
		*code = gaps > 0 ? "slower" : "spends less";
		*sentence = gaps > 0 ? GapChange(facts) : SpendChange(facts);
	}
	else if (gaps < 0 || spends > 0)
	{
		*code = gaps < 0 ? "faster" : "spends more";
		*sentence = gaps < 0 ? GapChange(facts) : SpendChange(facts);
	}
	else
	{
		*code = IsRegular(facts) ? "regular" : "active";
		*sentence =
			psprintf("%s every %s, last %s ago", IsRegular(facts) ? "buys" : "buys on average",
					 Days(facts->mean_gap), inactive);
	}
}

/* ---- the second sentence ---- */

/* One ratio to a new customer. */
typedef struct Factor
{
	const char *name;
	double times;
} Factor;

#define FACTORS 3

/* Whole numbers of periods, the nearest to a year, for families of periods; else a year. */
static double
Year(const ClvModel *fitted)
{
	double year = CLV_DAYS_PER_YEAR / fitted->unit_days;

	return clv_in_periods(fitted->purchase.family) ? fmax(rint(year), 1) : year;
}

/* Sets the ratios to a new customer; returns how many there are. */
static int
Compare(ClvModelSite *site, const ClvCustomer *customer, double p_alive, Factor *factor)
{
	const ClvModel *fitted = site->fitted;
	const ClvModelPart *part = &fitted->purchase;
	ClvCustomer newcomer = {0};
	ClvFuture future;
	ClvFuture new;
	double spend = clv_spend_of(fitted, customer);
	double usual = clv_spend_of(fitted, &newcomer);

	clv_future_of(fitted, customer, Year(fitted), &future);
	factor[0] = (Factor){"probability to be active", p_alive};
	new.family = part->family;
	new.clocks = future.clocks;
	memcpy(new.param, part->param, sizeof(part->param));
	factor[1] = (Factor){"frequency", clv_future_expected(&future, Year(fitted)) /
										  clv_future_expected(&new, Year(fitted))};
	factor[2] = (Factor){"spend", spend / usual};
	return isfinite(factor[2].times) ? FACTORS : FACTORS - 1;
}

/* Orders factors by how far they are from 1, either way. */
static int
CompareFactors(const void *a, const void *b)
{
	double x = fabs(log(((const Factor *) a)->times));
	double y = fabs(log(((const Factor *) b)->times));

	return x > y ? -1 : x < y;
}

/* The ratio to two digits, of larger ones all up to a million: 0.0031, 0.42, 1.7, 26, 126, 1.4e+13.
 */
static const char *
Times(double times)
{
	return clv_number_text(times >= 10 && times < 1e6 ? rint(times)
													  : strtod(psprintf("%.2g", times), NULL));
}

/* Appends P(alive), and how the value of the next year compares with a new customer's. */
static void
AppendValue(StringInfo out, ClvModelSite *site, const ClvCustomer *customer, double p_alive)
{
	Factor factor[FACTORS];
	int n = Compare(site, customer, p_alive, factor);
	double product = 1;

	for (int i = 0; i < n; i++)
		product *= factor[i].times;
	if (p_alive == 0 || !isfinite(product))
		return;
	qsort(factor, n, sizeof(Factor), CompareFactors);
	appendStringInfo(out, " The next year is expected to bring %s times %s of a new customer: ",
					 Times(product), n == FACTORS ? "the value" : "the purchases");
	for (int i = 0; i < n; i++)
		appendStringInfo(out, "%s%s %s %s", i > 0 ? ", " : "", factor[i].name,
						 factor[i].name[0] == 'p' ? "is" : "times", Times(factor[i].times));
	appendStringInfoChar(out, '.');
}

/*
 * clv_explain(model, history, as_of, covariates) -> code, reason: why the customer is as they are;
 * NULL for a NULL model or history, and before the first purchase.
 */
PG_FUNCTION_INFO_V1(clv_explain);
Datum
clv_explain(PG_FUNCTION_ARGS)
{
	enum
	{
		MODEL,
		HISTORY,
		AS_OF,
		COVARIATES
	};
	ClvModelSite *site;
	const ClvHistory *history;
	ClvCustomer customer;
	DateADT as_of;
	Facts facts;
	const char *code;
	const char *sentence;
	StringInfoData reason;
	Datum values[2];
	bool nulls[2] = {false, false};

	if (PG_ARGISNULL(MODEL) || PG_ARGISNULL(HISTORY))
		PG_RETURN_NULL();
	site = clv_customer_site(fcinfo, COVARIATES);
	as_of = clv_as_of(fcinfo, AS_OF, site->fitted);
	history = PG_GETARG_CLV_HISTORY_P(HISTORY);
	if (!clv_customer(site->fitted, history, as_of, &customer))
		PG_RETURN_NULL();
	ReadHistory(history, as_of, &facts);
	facts.p_alive = clv_checked(clv_site_p_alive(site, &customer), "P(alive)", &customer);
	Reason(&facts, &code, &sentence);

	initStringInfo(&reason);
	appendStringInfo(&reason, "%c%s.", pg_toupper((unsigned char) sentence[0]), sentence + 1);
	AppendValue(&reason, site, &customer, facts.p_alive);
	values[0] = CStringGetTextDatum(code);
	values[1] = CStringGetTextDatum(reason.data);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_row_type(fcinfo), values, nulls)));
}
