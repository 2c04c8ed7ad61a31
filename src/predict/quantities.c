/*
 * quantities.c
 *		The quantities of a prediction, one customer at a time, without a memo.
 *
 * Given that the customer is alive, every quantity is that of a new customer with
 * updated parameters (family.h), so there is one formula for both; P(alive) is a factor.
 */
#include "predict/predict_private.h"

#include "families/clocks.h"

#include <math.h>

#include "utils/float.h"

/* ---- errors ---- */

/* The error for a quantity that the family does not have. */
void
clv_raise_unsupported(const ClvFamily *family, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("model \"%s\" has no %s", family->name, what)));
}

double
clv_checked(double value, const char *what, const ClvCustomer *customer)
{
	if (isnan(value))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("%s cannot be computed in double precision", what),
						errdetail("x = %s, t_x = %s, t_cal = %s.", clv_number_text(customer->x),
								  clv_number_text(customer->t_x), clv_number_text(customer->T)),
						errhint("Check that the parameters of the model are in its time unit.")));
	return value;
}

/* ---- the customer ---- */

/* The customer's counts for families of whole periods; days and last are in periods. */
static void
InPeriods(const ClvModel *fitted, const ClvHistory *history, DateADT as_of, bool current,
		  ClvCustomer *customer)
{
	ClvPeriods periods;

	if (fitted->purchase.family->clock == CLV_OPPORTUNITIES)
		clv_history_periods(history, as_of, &fitted->counting, &periods);
	else
		clv_history_contract(history, as_of, &fitted->counting, current, &periods);
	customer->x = periods.x;
	customer->t_x = customer->last = periods.t_x;
	customer->T = customer->days = periods.T;
}

/*
 * Campaigns: by the calendar as of the end of the last one that is over; a customer whose first
 * purchase came after it is a new customer. The family takes the days themselves.
 */
static void
InCampaigns(const ClvModel *fitted, const ClvHistory *history, DateADT as_of, ClvSummary *summary,
			ClvCustomer *customer)
{
	DateADT until = (DateADT) clv_grid_over(&fitted->counting.grid, as_of);
	ClvSteps steps;

	if (summary->last > until)
		clv_history_summarize(history, until, fitted->spend_basis, summary);
	customer->x = customer->t_x = customer->T = customer->days = customer->last = 0;
	if (summary->purchases == 0)
		return;
	clv_steps_from(&steps, &fitted->counting.grid, summary->first);
	customer->x = summary->purchases - 1;
	customer->t_x = clv_steps_campaigns(&steps, summary->last);
	customer->T = clv_steps_campaigns(&steps, until);
	customer->days = summary->first;
	customer->last = summary->last;
}

/* The customer of a history whose summary as of the day is known; false where there is none yet. */
static bool
Customer(const ClvModel *fitted, const ClvHistory *history, DateADT as_of, bool current,
		 ClvSummary summary, ClvCustomer *customer)
{
	const ClvFamily *family = fitted->purchase.family;

	if (summary.purchases == 0)
		return false;
	customer->first = summary.first;
	customer->as_of = as_of;
	customer->days = as_of - summary.first;
	customer->last = summary.last - summary.first;
	customer->x = summary.purchases - 1;
	customer->t_x = customer->last / fitted->unit_days;
	customer->T = customer->days / fitted->unit_days;
	if (family != NULL && family->clock == CLV_CAMPAIGNS)
		InCampaigns(fitted, history, as_of, &summary, customer);
	else if (family != NULL && clv_in_periods(family))
		InPeriods(fitted, history, as_of, current, customer);
	customer->spend_x = summary.spend_purchases;

	/*
	 * A customer who returned everything has spent nothing, not less: the limit of ever smaller
	 * purchases, which the family can compute.
	 */
	customer->mean = summary.spend_purchases > 0 && summary.spend > 0
						 ? summary.spend / summary.spend_purchases
						 : 0;
	return true;
}

bool
clv_customer(const ClvModel *fitted, const ClvHistory *history, DateADT as_of,
			 ClvCustomer *customer)
{
	ClvSummary summary;

	clv_history_summarize(history, as_of, fitted->spend_basis, &summary);
	return Customer(fitted, history, as_of, true, summary, customer);
}

bool
clv_customer_of_summary(const ClvModel *fitted, const ClvHistory *history, DateADT as_of,
						const ClvSummary *summary, ClvCustomer *customer)
{
	return Customer(fitted, history, as_of, true, *summary, customer);
}

bool
clv_customer_of_fit(const ClvModel *fitted, const ClvHistory *history, DateADT as_of,
					ClvCustomer *customer)
{
	ClvSummary summary;

	clv_history_summarize(history, as_of, fitted->spend_basis, &summary);
	return Customer(fitted, history, as_of, false, summary, customer);
}

double
clv_ln_p_alive_of(const ClvModel *fitted, const ClvCustomer *customer)
{
	const ClvModelPart *part = &fitted->purchase;

	if (part->calendar != NULL)
		return clv_timeline_ln_p_alive(clv_timeline(part, fitted->unit_days), part->family,
									   part->param, customer);
	return part->family->ln_p_alive(part->param, customer->x, customer->t_x, customer->T);
}

double
clv_p_alive_of(const ClvModel *fitted, const ClvCustomer *customer)
{
	const ClvModelPart *part = &fitted->purchase;
	double p_alive = get_float8_nan();

	if (unlikely(part->calendar != NULL))
		return clv_timeline_p_alive(clv_timeline(part, fitted->unit_days), part->family,
									part->param, customer);
	if (part->family->leaving == NULL && part->family->p_alive != NULL)
		p_alive = part->family->p_alive(part->param, customer->x, customer->t_x, customer->T, 0, 0);
	if (!isnan(p_alive))
		return p_alive;
	return exp(part->family->ln_p_alive(part->param, customer->x, customer->t_x, customer->T));
}

double
clv_times_alive(const ClvModel *fitted, const ClvCustomer *customer, double quantity)
{
	double ln = clv_ln_p_alive_of(fitted, customer);

	if (isinf(quantity))
		return isinf(ln) ? 0 : quantity;
	return exp(ln) * quantity;
}

double
clv_p_alive_ahead(const ClvModel *fitted, const ClvCustomer *customer, double ahead)
{
	ClvFuture future;

	if (ahead == 0)
		return clv_p_alive_of(fitted, customer);
	clv_future_of(fitted, customer, ahead, &future);
	if (future.family->survival == NULL)
		clv_raise_unsupported(future.family, "survival function");
	return clv_times_alive(fitted, customer, clv_future_survival(&future, ahead));
}

void
clv_future_of(const ClvModel *fitted, const ClvCustomer *customer, double horizon,
			  ClvFuture *future)
{
	const ClvModelPart *part = &fitted->purchase;

	if (part->calendar != NULL)
	{
		clv_say_beyond(fitted, customer->as_of, horizon);
		part->family->clocked->given_alive(part->family, part->param, customer->x,
										   clv_clocks_of(fitted, customer), customer->t_x,
										   customer->T, future);
		future->clocks =
			clv_clocks_from_day(clv_timeline(part, fitted->unit_days), customer->as_of);
		return;
	}

	clv_given_alive(part->family, part->param, customer->x, customer->t_x, customer->T, future);
}

double
clv_spend_of(const ClvModel *fitted, const ClvCustomer *customer)
{
	const ClvModelPart *part = &fitted->spend;

	if (part->family == NULL)
		return get_float8_nan();
	return part->family->expected_spend(part->param, customer->spend_x, customer->mean);
}

double
clv_active(const ClvModelSite *site, const ClvCustomer *customer, double p_alive, double horizon,
		   double *none)
{
	ClvFuture future;

	if (isnan(*none))
	{
		clv_future_of(site->fitted, customer, horizon, &future);
		*none = clv_future_probability(&future, 0, horizon);
	}
	return clv_checked(p_alive * (1 - *none), "the probability", customer);
}
