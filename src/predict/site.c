/*
 * site.c
 *		What a call site remembers from row to row.
 *
 * Most of a prediction, given that the customer is alive, depends on the number
 * of purchases and the age alone. Ages are whole days, so a million customers
 * share a few thousand pairs: each is worked out once and looked up afterwards.
 * The table starts small, since many call sites see only a row or two, and is
 * kept at most half full; at its largest it forgets everything and starts anew,
 * which bounds it to 3 MB.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "common/hashfn.h"
#include "funcapi.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define MEMO_FIRST 16
#define MEMO_LAST 65536

/* ---- the models of a call site ---- */

static ClvPredictSite *
Site(FunctionCallInfo fcinfo)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;

	if (flinfo->fn_extra == NULL)
		flinfo->fn_extra = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(ClvPredictSite));
	return (ClvPredictSite *) flinfo->fn_extra;
}

/* Which of the site's models this is; where none is, the one to replace. */
static int
FindModel(ClvPredictSite *site, Datum model, MemoryContext context)
{
	int			i;

	for (i = 0; i < CLV_SITE_MODELS && site->models[i] != NULL; i++)
		if (clv_fitted_is_cached(&site->models[i]->model, model))
			return i;
	if (i == CLV_SITE_MODELS)
	{
		i = site->next;
		site->next = (i + 1) % CLV_SITE_MODELS;
		return i;
	}
	site->models[i] = MemoryContextAllocZero(context, sizeof(ClvModelSite));
	site->models[i]->context = context;
	return i;
}

static void
Forget(ClvModelSite *site)
{
	for (int i = 0; i < site->memo_size; i++)
		site->memo[i].x = -1;
	site->memo_used = 0;
}

ClvModelSite *
clv_model_site(FunctionCallInfo fcinfo)
{
	ClvPredictSite *site = Site(fcinfo);
	Datum		model = PG_GETARG_DATUM(0);
	ClvModelSite *current = site->models[site->current];

	if (current == NULL || !clv_fitted_is_cached(&current->model, model))
	{
		uint64		generation;

		site->current = FindModel(site, model, fcinfo->flinfo->fn_mcxt);
		current = site->models[site->current];
		generation = current->model.generation;
		(void) clv_fitted_lookup(&current->model, model, current->context);
		if (current->model.generation != generation)
		{
			current->has_terms = false;
			Forget(current);
		}
	}
	return current;
}

TupleDesc
clv_row_type(FunctionCallInfo fcinfo)
{
	ClvPredictSite *site = Site(fcinfo);

	if (site->desc == NULL)
	{
		TupleDesc	desc;
		MemoryContext old;

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		site->desc = BlessTupleDesc(CreateTupleDescCopy(desc));
		MemoryContextSwitchTo(old);
	}
	return site->desc;
}

/* ---- terms ---- */

static double
DiscountRate(double rate, double unit_days)
{
	if (!(rate > -1 && isfinite(rate)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("discount_rate is out of range: %s", clv_number(rate)),
						errdetail("It is an effective rate per year, as 0.10 for 10 %%, "
								  "and greater than -1.")));
	return clv_daily_rate(rate) * unit_days;
}

void
clv_set_terms(ClvModelSite *site, const Interval *horizon, double discount_rate)
{
	static const Interval no_end = {.time = PG_INT64_MIN, .day = 1, .month = PG_INT32_MAX};
	const Interval *given = horizon != NULL ? horizon : &no_end;
	double		unit_days = site->model.fitted.unit_days;
	ClvTerms	terms;

	if (site->has_terms && site->discount_rate == discount_rate &&
		site->horizon.time == given->time && site->horizon.day == given->day &&
		site->horizon.month == given->month)
		return;

	terms.horizon = horizon != NULL ? clv_horizon_days(horizon) / unit_days : get_float8_infinity();
	terms.delta = DiscountRate(discount_rate, unit_days);
	site->has_terms = true;
	site->horizon = *given;
	site->discount_rate = discount_rate;
	site->terms = terms;
	Forget(site);
}

/* ---- the memo ---- */

/* The slot of the pair, or the empty one where it belongs: linear probing. */
static inline ClvMemoEntry *
MemoSlot(ClvModelSite *site, int32 x, int32 days)
{
	uint32		mask = site->memo_size - 1;
	uint32		slot = murmurhash32((uint32) days * 2654435761u + (uint32) x) & mask;

	while (site->memo[slot].x >= 0 &&
		   (site->memo[slot].x != x || site->memo[slot].days != days))
		slot = (slot + 1) & mask;
	return &site->memo[slot];
}

static void
GrowMemo(ClvModelSite *site)
{
	int			old_size = site->memo_size;
	ClvMemoEntry *old = site->memo;
	int			used = site->memo_used;

	if (old_size == MEMO_LAST)
	{
		Forget(site);
		return;
	}
	site->memo = MemoryContextAlloc(site->context, Max(MEMO_FIRST, old_size * 4) *
													   sizeof(ClvMemoEntry));
	site->memo_size = Max(MEMO_FIRST, old_size * 4);
	Forget(site);
	for (int i = 0; i < old_size; i++)
		if (old[i].x >= 0)
			*MemoSlot(site, old[i].x, old[i].days) = old[i];
	site->memo_used = used;
	if (old != NULL)
		pfree(old);
}

static ClvMemoEntry *
MemoEntry(ClvModelSite *site, const ClvCustomer *customer)
{
	int32		x = (int32) customer->x;
	ClvMemoEntry *entry;

	if (site->memo_size > 0)
	{
		entry = MemoSlot(site, x, customer->days);
		if (entry->x == x)
			return entry;
	}
	if (site->memo_used >= site->memo_size / 2)
		GrowMemo(site);
	entry = MemoSlot(site, x, customer->days);
	entry->x = x;
	entry->days = customer->days;
	for (int i = 0; i < CLV_MEMO_KINDS; i++)
		entry->value[i] = get_float8_nan();
	site->memo_used++;
	return entry;
}

static double
WorkOut(const ClvModelSite *site, const ClvCustomer *customer, ClvMemoKind kind)
{
	const ClvTerms *terms = &site->terms;
	ClvFuture	future;

	clv_future_of(&site->model.fitted, customer, &future);
	switch (kind)
	{
		case CLV_MEMO_EXPECTED:
			return future.family->expected(future.param, terms->horizon);
		case CLV_MEMO_DISCOUNTED:
			return clv_discounted(&future, terms->delta, terms->horizon);
		default:
			return clv_discounted(&future, terms->delta, get_float8_infinity());
	}
}

/*
 * What a purchase today adds. The buyer is a pair of the table as well, often one
 * that other customers are: all that is new is whether that purchase is the last.
 */
static double
Gain(ClvModelSite *site, const ClvCustomer *customer)
{
	ClvCustomer buyer = *customer;

	buyer.x = customer->x + 1;
	buyer.t_x = customer->T;
	return clv_p_alive_of(&site->model.fitted, &buyer) *
			   clv_remembered(site, &buyer, CLV_MEMO_DISCOUNTED) -
		   clv_remembered(site, customer, CLV_MEMO_DISCOUNTED);
}

double
clv_remembered(ClvModelSite *site, const ClvCustomer *customer, ClvMemoKind kind)
{
	double		value;

	/* one and the same number, bit for bit, where nothing is discounted */
	if (kind == CLV_MEMO_DISCOUNTED && site->terms.delta == 0)
		kind = CLV_MEMO_EXPECTED;
	value = MemoEntry(site, customer)->value[kind];
	if (isnan(value))
	{
		value = kind == CLV_MEMO_GAIN ? Gain(site, customer) : WorkOut(site, customer, kind);
		/* other pairs may have been added meanwhile, so the entry is looked up anew */
		MemoEntry(site, customer)->value[kind] = value;
	}
	return value;
}

/*
 * All of the pair at once, for a row of predictions: one look into the table once
 * the pair is known.
 */
void
clv_remembered_all(ClvModelSite *site, const ClvCustomer *customer, double *values)
{
	ClvMemoEntry *entry = MemoEntry(site, customer);

	if (isnan(entry->value[CLV_MEMO_GAIN]))
	{
		(void) clv_remembered(site, customer, CLV_MEMO_EXPECTED);
		(void) clv_remembered(site, customer, CLV_MEMO_DISCOUNTED);
		if (site->terms.delta > 0)
			(void) clv_remembered(site, customer, CLV_MEMO_LIFETIME);
		(void) clv_remembered(site, customer, CLV_MEMO_GAIN);
		entry = MemoEntry(site, customer);
	}
	memcpy(values, entry->value, sizeof(entry->value));
	if (site->terms.delta == 0)
		values[CLV_MEMO_DISCOUNTED] = values[CLV_MEMO_EXPECTED];
}
