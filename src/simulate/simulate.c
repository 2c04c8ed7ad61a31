/*
 * simulate.c
 *		clv_simulate: the purchases of customers drawn from a model.
 *
 * Rows are made one by one, customer after customer, so that memory does not grow with their
 *number. What is drawn for a customer depends on the seed and the customer's number alone,
 *purchases and their values on streams of their own: the same days come with a spend part and
 *without.
 */
#include "clv.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/datetime.h"

#include "calendar/calendar.h"
#include "common/arguments.h"
#include "families/simulate.h"
#include "model/model.h"

#define MOST_CUSTOMERS INT64CONST(1000000000)
#define MOST_PURCHASES 1000000 /* of a customer */

/* The streams of a customer. */
enum
{
	STREAM_PURCHASES,
	STREAM_SPEND
};

/* The arguments of a call, and the customer whose purchases are being returned. */
typedef struct Simulation
{
	ClvModel fitted;
	uint64 seed;
	int64 customers;
	DateADT since;
	DateADT until;
	int64 days; /* on which customers make their first purchase */

	/* of a calendar: its stretches from the day before since on, and the same for the customer */
	int nstretches;
	ClvStretch *stretch;
	ClvStretch *own;
	ClvClocks clocks;

	int64 customer;
	DateADT first; /* the day of the first purchase; of no customer yet, one before since */
	int64 purchases;
	bool first_is_due;
	ClvSteps steps; /* of families of discrete time */
	ClvRandom random;
	ClvTraits traits;
	ClvLife life;
	ClvRandom spend_random;
	ClvTraits spend;
} Simulation;

/* ---- the arguments ---- */

/* Raises an error where the model does not say how histories come about. */
static void
CheckModel(const ClvModel *fitted)
{
	clv_model_need_purchase(fitted);
	if (fitted->purchase.family->draw == NULL)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("customers of model \"%s\" cannot be simulated", fitted->purchase.family->name),
			 errdetail("It predicts from histories, and does not say how they come about."),
			 errhint("Take another family, such as mbg/nbd or bg/bb.")));
}

/* Sets the days of the simulation; acquired_until may be NULL. */
static void
SetDays(Simulation *simulation, FunctionCallInfo fcinfo, int since, int until, int acquired_until)
{
	DateADT last;
	char day[2][MAXDATELEN + 1];

	simulation->since = PG_GETARG_DATEADT(since);
	simulation->until = PG_GETARG_DATEADT(until);
	clv_check_date("since", simulation->since);
	clv_check_date("until", simulation->until);
	if (simulation->until < simulation->since)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("until must not be before since: %s is before %s",
							   clv_date_text(simulation->until, day[0]),
							   clv_date_text(simulation->since, day[1]))));
	last = simulation->since + (simulation->until - simulation->since) / 2;
	if (!PG_ARGISNULL(acquired_until))
	{
		last = PG_GETARG_DATEADT(acquired_until);
		clv_check_date("acquired_until", last);
		if (last < simulation->since || last > simulation->until)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("acquired_until must lie between since and until: %s",
								   clv_date_text(last, day[0])),
							errdetail("Since is %s, until is %s.",
									  clv_date_text(simulation->since, day[0]),
									  clv_date_text(simulation->until, day[1]))));
	}
	simulation->days = (int64) last - simulation->since + 1;
	simulation->first = simulation->since - 1;
}

/* ---- a calendar ---- */

/* The covariate of the model with this name; an error where there is none. */
static int
CovariateOf(const ClvModelPart *part, const char *name)
{
	for (int i = 0; i < part->ncovariates; i++)
		if (strcmp(part->covariate[i], name) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the model has no covariate \"%s\"", name),
			 errdetail("A calendar moves rates by the effects that the model has of its names."),
			 errhint("Simulate without a calendar, or with one of the model's covariates.")));
}

/* Raises an error where the calendar would move what the family cannot let it move. */
static void
CheckEffect(const ClvModelPart *part, int covariate)
{
	if (part->family->clocked->law == NULL && part->effect[part->ncovariates + covariate] != 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("\"%s\" cannot move churn by the calendar under model \"%s\"",
					part->covariate[covariate], part->family->name),
			 errdetail(
				 "Its customers leave after purchases, with a probability that does not change."),
			 errhint("Take pareto/nbd or ggompertz/nbd, or an effect on purchases alone.")));
}

/* Raises an error unless the calendar has values for every day from since to until. */
static void
CheckCovers(const Simulation *simulation, const ClvCalendarParts *parts)
{
	char first[MAXDATELEN + 1];
	char last[MAXDATELEN + 1];

	if (parts->since[0] <= simulation->since && clv_calendar_end(parts) > simulation->until)
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("the calendar does not cover the days from %s to %s",
						   clv_date_text(simulation->since, first),
						   clv_date_text(simulation->until, last)),
					errdetail("It begins on %s, and its last day is %s.",
							  clv_date_text(parts->since[0], first),
							  clv_date_text((DateADT) (clv_calendar_end(parts) - 1), last)),
					errhint("Append later steps with ||.")));
}

/*
 * Sets the stretches of the calendar from since on. The covariates of a day hold for the time that
 * ends with it, as a purchase of that day does.
 */
static void
SetCalendar(Simulation *simulation, const ClvCalendar *calendar)
{
	const ClvModelPart *part = &simulation->fitted.purchase;
	ClvCalendarParts parts;
	int first;
	int n;
	double *from;
	double *z;

	if (part->family->clocked == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("model \"%s\" cannot follow a calendar", part->family->name),
				 errhint("Take a family of continuous time, such as mbg/nbd or pareto/nbd.")));
	clv_calendar_unpack_value(calendar, &parts);
	CheckCovers(simulation, &parts);
	first = clv_calendar_step(&parts, simulation->since);
	n = parts.nsteps - first;
	from = palloc(n * sizeof(double));
	z = palloc0((Size) n * part->ncovariates * sizeof(double) + 1);
	for (int j = 0; j < parts.nnames; j++)
	{
		int covariate = CovariateOf(part, parts.name[j]);

		CheckEffect(part, covariate);
		for (int i = 0; i < n; i++)
			z[i * part->ncovariates + covariate] =
				parts.values[(first + i) * parts.nnames + j] - part->centre[covariate];
	}
	for (int i = 0; i < n; i++)
		from[i] = i == 0 ? 0
						 : ((double) parts.since[first + i] - simulation->since) /
							   simulation->fitted.unit_days;
	simulation->nstretches = n;
	simulation->stretch = palloc(n * sizeof(ClvStretch));
	simulation->own = palloc(n * sizeof(ClvStretch));
	clv_clocks_set_same(simulation->stretch, n, from, z, part->ncovariates, part->effect);
	pfree(from);
	pfree(z);
}

/* ---- customers ---- */

/* Sets the clocks of customers whose first purchase is on this day. */
static void
SetClocks(Simulation *simulation, DateADT day)
{
	/* the time of a customer begins at the end of the day, the stretches at the start of since */
	double start = ((double) day + 1 - simulation->since) / simulation->fitted.unit_days;

	simulation->clocks.n =
		clv_clocks_later(simulation->stretch, simulation->nstretches, start, simulation->own);
	simulation->clocks.stretch = simulation->own;
}

/* Draws the next customer. */
static void
BeginCustomer(Simulation *simulation)
{
	const ClvModel *fitted = &simulation->fitted;
	const ClvModelPart *part = &fitted->purchase;
	int64 number = ++simulation->customer;
	/* evenly over the days, in order */
	DateADT day =
		(DateADT) (simulation->since + (number - 1) * simulation->days / simulation->customers);
	double end;

	if (simulation->nstretches > 0 && day != simulation->first)
		SetClocks(simulation, day);
	simulation->first = day;
	if (part->family->clock == CLV_CONTINUOUS)
		end = ((double) simulation->until - day) / fitted->unit_days;
	else
	{
		clv_steps_from(&simulation->steps, &fitted->counting.grid, day);
		end = (double) clv_steps_period(&simulation->steps, simulation->until);
	}
	clv_random_start(&simulation->random, simulation->seed, (uint64) number, STREAM_PURCHASES);
	part->family->draw(part->param, &simulation->random, &simulation->traits);
	clv_life_start(&simulation->life, &simulation->traits,
				   simulation->nstretches > 0 ? &simulation->clocks : NULL, &simulation->random,
				   end);
	if (fitted->spend.family != NULL)
	{
		clv_random_start(&simulation->spend_random, simulation->seed, (uint64) number,
						 STREAM_SPEND);
		fitted->spend.family->draw(fitted->spend.param, &simulation->spend_random,
								   &simulation->spend);
	}
	simulation->purchases = 0;
	simulation->first_is_due = true;
}

/*
 * The day of a purchase. Days are the time that ends with them; renewals come on the last day of
 * their period, the anniversary, and other purchases of a period on any day of it.
 */
static int64
DayOf(Simulation *simulation, double t)
{
	const ClvModel *fitted = &simulation->fitted;
	int64 begins;
	int64 ends;

	if (fitted->purchase.family->clock == CLV_CONTINUOUS)
		return Min(simulation->until,
				   simulation->first + (int64) Max(1, ceil(t * fitted->unit_days)));
	ends = clv_steps_end(&simulation->steps, (int64) t);
	if (fitted->purchase.family->clock == CLV_RENEWALS)
		return ends;
	begins = clv_steps_end(&simulation->steps, (int64) t - 1) + 1;
	return begins +
		   (int64) (clv_random_uniform(&simulation->random) * (double) (ends - begins + 1));
}

/* The day of the customer's next purchase; false where none comes until the last day. */
static bool
NextPurchase(Simulation *simulation, DateADT *day)
{
	double t;
	int64 next;

	if (simulation->first_is_due)
	{
		simulation->first_is_due = false;
		*day = simulation->first;
		return true;
	}
	t = clv_life_next(&simulation->life);
	if (!isfinite(t))
		return false;
	next = DayOf(simulation, t);
	if (next > simulation->until)
		return false;
	if (++simulation->purchases > MOST_PURCHASES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("customer " INT64_FORMAT " makes more than %d purchases",
							   simulation->customer, MOST_PURCHASES),
						errhint("Are the parameters those of the time unit of the model?")));
	*day = (DateADT) next;
	return true;
}

/* ---- clv_simulate ---- */

/* Reads the arguments into a simulation that lasts as long as the call; NULL where one is NULL. */
static Simulation *
Begin(FunctionCallInfo fcinfo)
{
	enum
	{
		MODEL,
		CUSTOMERS,
		SINCE,
		UNTIL,
		SEED,
		CALENDAR,
		ACQUIRED_UNTIL
	};
	Simulation *simulation;

	for (int i = MODEL; i <= SEED; i++)
		if (PG_ARGISNULL(i))
			return NULL;
	simulation = palloc0(sizeof(Simulation));
	clv_model_unpack(PG_GETARG_CLV_MODEL_P(MODEL), &simulation->fitted);
	CheckModel(&simulation->fitted);
	simulation->customers = PG_GETARG_INT64(CUSTOMERS);
	if (simulation->customers < 0 || simulation->customers > MOST_CUSTOMERS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("customers must lie between 0 and " INT64_FORMAT ": " INT64_FORMAT,
							   MOST_CUSTOMERS, simulation->customers)));
	SetDays(simulation, fcinfo, SINCE, UNTIL, ACQUIRED_UNTIL);
	simulation->seed = (uint64) PG_GETARG_INT64(SEED);
	if (!PG_ARGISNULL(CALENDAR))
		SetCalendar(simulation, PG_GETARG_CLV_CALENDAR_P(CALENDAR));
	else if (simulation->fitted.purchase.calendar != NULL)
		SetCalendar(simulation, simulation->fitted.purchase.calendar);
	return simulation;
}

/* The next row; false after the last. */
static bool
NextRow(Simulation *simulation, DateADT *day)
{
	while (simulation->customer == 0 || !NextPurchase(simulation, day))
	{
		if (simulation->customer >= simulation->customers)
			return false;
		CHECK_FOR_INTERRUPTS();
		BeginCustomer(simulation);
	}
	return true;
}

/*
 * clv_simulate(model, customers, since, until, seed, calendar, acquired_until) -> a row a purchase:
 * customer, day, and amount, which is NULL without a spend part. No rows where one of the first
 * five arguments is NULL; the errors say what is wrong with the others.
 */
PG_FUNCTION_INFO_V1(clv_simulate);
Datum
clv_simulate(PG_FUNCTION_ARGS)
{
	FuncCallContext *call;
	Simulation *simulation;
	DateADT day;
	Datum values[3] = {0};
	bool nulls[3] = {false};

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext before;
		TupleDesc row;

		call = SRF_FIRSTCALL_INIT();
		before = MemoryContextSwitchTo(call->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "clv_simulate returns no row");
		call->tuple_desc = BlessTupleDesc(row);
		call->user_fctx = Begin(fcinfo);
		MemoryContextSwitchTo(before);
	}
	call = SRF_PERCALL_SETUP();
	simulation = call->user_fctx;
	CHECK_FOR_INTERRUPTS();
	if (simulation == NULL || !NextRow(simulation, &day))
		SRF_RETURN_DONE(call);
	values[0] = Int64GetDatum(simulation->customer);
	values[1] = DateADTGetDatum(day);
	nulls[2] = simulation->fitted.spend.family == NULL;
	if (!nulls[2])
		values[2] = Float8GetDatum(clv_draw_amount(&simulation->spend, &simulation->spend_random));
	SRF_RETURN_NEXT(call, HeapTupleGetDatum(heap_form_tuple(call->tuple_desc, values, nulls)));
}
