/*
 * fit.c
 *		clv_fit(): from counted customers to a model.
 *
 * The final function of every form of clv_fit. The cells become rows for the
 * engine of the module families, whose statuses become errors, warnings and fields of
 * the model. The state is only read: another aggregate may share it.
 */
#include "fit/last_day.h"
#include "fit/fit_private.h"

#include <math.h>

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#define MOST_VECTORS 10

void *
clv_fit_alloc(int64 n, Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(mul_size(n, size), 1));
}

/* The day of the last purchase in the data. */
static DateADT
LastPurchase(const FitContext *fit)
{
	int64 n = fit->view.head->ncells;
	ClvLastDay *days = clv_fit_alloc(n, sizeof(ClvLastDay));
	DateADT last;

	for (int64 i = 0; i < n; i++)
	{
		days[i].day = (DateADT) fit->view.cells[i].until;
		days[i].customers = fit->view.cells[i].count;
	}
	last = clv_default_day(days, n, clv_fit_which(fit));
	pfree(days);
	return last;
}

/*
 * Warn where the time without purchases before as_of is longer than any before: the data are likely
 * to end earlier than as_of, and P(alive) of all customers would be too low. Of the days with
 * purchases the cells hold the first and the last of each customer.
 */
static void
WarnIfLate(const FitContext *fit)
{
	const ClvCellsView *view = &fit->view;
	DateADT as_of = fit->options->as_of;
	int64 first = PG_INT64_MAX;
	int64 last = PG_INT64_MIN;
	int64 pause = 0;
	int64 before = 0;
	bool *bought;
	char one[MAXDATELEN + 1];
	char other[MAXDATELEN + 1];

	for (int64 i = 0; i < view->head->ncells; i++)
	{
		first = Min(first, view->cells[i].since);
		last = Max(last, view->cells[i].until);
	}
	if (as_of - last <= 1)
		return;
	bought = MemoryContextAllocHuge(CurrentMemoryContext, last - first + 1);
	memset(bought, 0, last - first + 1);
	for (int64 i = 0; i < view->head->ncells; i++)
		bought[view->cells[i].since - first] = bought[view->cells[i].until - first] = true;
	for (int64 day = 1; day <= last - first; day++)
	{
		if (!bought[day])
			continue;
		pause = Max(pause, day - before);
		before = day;
	}
	pfree(bought);
	if (as_of - last > pause && pause > 0)
		ereport(
			WARNING,
			(errmsg("as_of is " INT64_FORMAT " days after the last purchase in the data",
					as_of - last),
			 errdetail("The last purchase was on %s, as_of is %s; the longest earlier time without "
					   "purchases is " INT64_FORMAT " days. %s",
					   clv_date_text((DateADT) last, one), clv_date_text(as_of, other), pause,
					   clv_fit_which(fit)),
			 errhint("Give the last day that the data cover as as_of: a later one lowers P(alive) "
					 "of all customers.")));
}

/* ---- clv_fit ---- */

/* " Histories without a purchase up to then: 3.", for a message; "" where there are none. */
static const char *
SkippedText(const FitContext *fit)
{
	int64 skipped = fit->view.head->skipped;

	if (skipped == 0)
		return "";
	return psprintf(" Histories without a purchase%s: " INT64_FORMAT ".",
					fit->options->as_of == DATEVAL_NOEND ? "" : " up to then", skipped);
}

/* Raises the error of a fit without customers. */
static pg_attribute_noreturn() void RaiseNoCustomers(const FitContext *fit)
{
	bool later = fit->view.head->skipped > 0 && fit->options->as_of != DATEVAL_NOEND;

	ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("there are no customers to fit"),
					errdetail("The model is \"%s\". %s%s", fit->options->model, clv_fit_which(fit),
							  SkippedText(fit)),
					later ? errhint("Give a later as_of.") : 0));
}

/* A NOTICE, once a query, of histories without a purchase, where no as_of explains them. */
static void
SaySkipped(const FitContext *fit, SaidOnce *said)
{
	int64 skipped = fit->view.head->skipped;

	if (skipped == 0 || fit->options->as_of != DATEVAL_NOEND || said->no_purchase)
		return;
	said->no_purchase = true;
	ereport(NOTICE, (errmsg("histories without a purchase were left out: " INT64_FORMAT, skipped),
					 errdetail("They hold nothing but refunds; predictions and scores of them are "
							   "NULL. %s",
							   clv_fit_which(fit))));
}

/* Fill the model but for its parts; an error without customers. */
static void
FillFrame(FitContext *fit, SaidOnce *said)
{
	const ClvCellsHead *head = fit->view.head;
	const ClvFitOptions *options = fit->options;
	bool given = options->as_of != DATEVAL_NOEND;
	ClvModel *fitted = &fit->fitted;

	clv_model_init(fitted);
	fitted->time_unit = options->time_unit;
	fitted->unit_days = clv_interval_days(&options->time_unit);
	fitted->occasion = head->occasion;
	fitted->spend_basis = (ClvSpendBasis) options->spend_basis;
	fitted->grace = options->grace;
	fitted->periods = (ClvPeriodsOf) options->periods;
	fitted->returned = head->returned;
	fitted->skipped = head->skipped;
	fitted->spend_skipped = head->spend_skipped;
	fitted->has_as_of = given;
	fitted->as_of = given ? options->as_of : 0;

	for (int64 i = 0; i < head->ncells; i++)
		fit->customers += fit->view.cells[i].count;
	if (fit->customers == 0)
		RaiseNoCustomers(fit);
	SaySkipped(fit, said);
	if (!given && head->kind == CLV_CELLS_HISTORY)
		fitted->as_of = LastPurchase(fit);
	fitted->has_as_of = given || head->kind != CLV_CELLS_SUMMARY;
	if (given && head->kind == CLV_CELLS_HISTORY)
		WarnIfLate(fit);
	clv_fit_say_all_repeat(fit, said);
}

/* A NOTICE, once a query, where customers paid again after their first contract had ended. */
static void
SayReturned(const FitContext *fit, SaidOnce *said)
{
	int64 returned = fit->fitted.returned;

	if (returned > 0 && !said->returned)
		ereport(
			NOTICE,
			(errmsg("customers who paid again after a period without payment: " INT64_FORMAT,
					returned),
			 errdetail("Only their first contract is counted, as ended. %s", clv_fit_which(fit)),
			 errhint("If payments may be late, use clv_options(grace => ...); if customers may "
					 "pause, use model => 'bg/bb'.")));
	said->returned |= returned > 0;
}

/*
 * Whether the common shock is looked for. What customers with other covariates are expected to buy
 * is worked out for each of these: by default not for more than a few.
 */
static bool
LooksForShock(const FitContext *fit)
{
	const ClvCellsHead *head = fit->view.head;

	if (fit->options->shock == CLV_SHOCK_AUTO)
		return head->with_days && fit->options->npath == 0 && head->nvectors <= MOST_VECTORS;
	return fit->options->shock == CLV_SHOCK_ALWAYS;
}

/* Fill the model from the cells; an error where the customers cannot be fitted. */
static void
FitModel(FitContext *fit, SaidOnce *said)
{
	FillFrame(fit, said);
	SayReturned(fit, said);
	clv_fit_purchases(fit, said);
	if (strcmp(fit->options->spend, CLV_SPEND_NONE) != 0)
		clv_fit_spend_part(fit, said);
	if (LooksForShock(fit))
		clv_fit_keep_shock(fit);
}

PG_FUNCTION_INFO_V1(clv_fit_final);

/* clv_fit_final(clv_cells) -> clv_model: the model fitted to the cells with their options; NULL
 * without rows and, with too_few => 'null', where the customers cannot be fitted */
Datum
clv_fit_final(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work;
	SaidOnce *said = fcinfo->flinfo->fn_extra;
	FitContext *fit;
	ClvPackedModel *model = NULL;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (said == NULL)
		fcinfo->flinfo->fn_extra = said =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(SaidOnce));

	work = AllocSetContextCreate(caller, "clv_fit", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(work);
	fit = palloc0(sizeof(FitContext));
	fit->scratch = AllocSetContextCreate(work, "clv_fit paths", ALLOCSET_DEFAULT_SIZES);
	clv_cells_view(PG_GETARG_DATUM(0), &fit->view);
	fit->options = &fit->view.head->options;
	clv_fit_counting(fit->options, &fit->counting);
	clv_fit_follow(fit, (ClvCalendar *) fit->view.calendar);
	fit->given = clv_fit_ncovariates(fit);
	if (fit->options->too_few == CLV_TOO_FEW_ERROR)
		FitModel(fit, said);
	else if (!clv_fit_if_possible(fcinfo, fit, said, FitModel))
		fit = NULL;
	MemoryContextSwitchTo(caller);
	if (fit != NULL)
		model = clv_model_pack(&fit->fitted);
	MemoryContextDelete(work);
	if (model == NULL)
		PG_RETURN_NULL();
	PG_RETURN_CLV_MODEL_P(model);
}
