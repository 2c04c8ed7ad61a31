/*
 * purchase_curve.c
 *		clv_purchase_curve: expected purchases until the end of each of several horizons.
 *
 * The customer's history is read once for all of them, and what customers share is computed once:
 * the memo of the call site has a number for each horizon.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"

#define MOST_HORIZONS 100000

/* An error where the horizons are no vector, or too many; returns their number. */
static int
CheckShape(ArrayType *horizons)
{
	int n = ArrayGetNItems(ARR_NDIM(horizons), ARR_DIMS(horizons));

	if (ARR_NDIM(horizons) > 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("horizons must be one vector, not an array of %d dimensions",
							   ARR_NDIM(horizons))));
	if (n > MOST_HORIZONS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("horizons must have at most %d elements: %d", MOST_HORIZONS, n)));
	return n;
}

/* Fills in the horizons of the array in the context; an error names the element that is none. */
static void
Read(ClvHorizons *horizons, const ClvModel *fitted, ArrayType *array, MemoryContext context)
{
	MemoryContext caller;
	int lower = ARR_NDIM(array) > 0 ? ARR_LBOUND(array)[0] : 1;
	int n = CheckShape(array);
	Datum *element;
	bool *null;
	double *until;

	deconstruct_array(array, INTERVALOID, sizeof(Interval), false, TYPALIGN_DOUBLE, &element, &null,
					  &n);
	until = MemoryContextAlloc(context, Max(n, 1) * sizeof(double));
	horizons->n = 0;
	for (int i = 0; i < n; i++)
	{
		if (!null[i])
			until[horizons->n++] = clv_horizon_units(fitted, psprintf("horizons[%d]", lower + i),
													 DatumGetIntervalP(element[i]));
		element[i] = Float8GetDatum(0);
	}
	caller = MemoryContextSwitchTo(context);
	horizons->until = until;
	horizons->zeros =
		construct_md_array(element, null, ARR_NDIM(array), ARR_DIMS(array), &lower, FLOAT8OID,
						   sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	MemoryContextSwitchTo(caller);
}

const ClvHorizons *
clv_horizons(FunctionCallInfo fcinfo, int argument, ClvModelSite *site)
{
	MemoryContext context = site->memo.context;
	ClvHorizons *horizons = site->horizons;
	ClvHorizons read;

	if (site->has_terms && clv_last_is(&horizons->given, false, PG_GETARG_DATUM(argument)))
		return horizons;
	site->has_terms = false;
	if (horizons == NULL)
		horizons = site->horizons = MemoryContextAllocZero(context, sizeof(*horizons));
	read = *horizons;
	Read(&read, site->fitted, PG_GETARG_ARRAYTYPE_P(argument), context);
	if (horizons->until != NULL)
	{
		pfree(horizons->until);
		pfree(horizons->zeros);
	}
	*horizons = read;
	horizons->version++;
	clv_last_set(&horizons->given, false, PG_GETARG_DATUM(argument), context);
	clv_memo_change_width(&site->memo, horizons->n);
	site->has_terms = true;
	return horizons;
}

/* The longest of the horizons. */
static double
Longest(const ClvHorizons *horizons)
{
	double longest = 0;

	for (int i = 0; i < horizons->n; i++)
		longest = fmax(longest, horizons->until[i]);
	return longest;
}

const double *
clv_horizons_expected(ClvModelSite *site, const ClvCustomer *customer, const ClvMemoKey *key,
					  const ClvHorizons *horizons)
{
	double *expected = clv_memo_values(&site->memo, key);
	ClvFuture future;

	/* the last one: it marks that the others are filled in */
	if (horizons->n == 0 || !isnan(expected[horizons->n - 1]))
		return expected;
	clv_future_of(site->fitted, customer, Longest(horizons), &future);
	for (int i = 0; i < horizons->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		expected[i] = clv_future_expected(&future, horizons->until[i]);
	}
	return expected;
}

/*
 * clv_purchase_curve(model, history, horizons, as_of, covariates) -> float8[]: for each horizon
 * what clv_expected_purchases gives, NULL for a NULL one; NULL for NULL in the first three
 * arguments, and before the first purchase.
 */
PG_FUNCTION_INFO_V1(clv_purchase_curve);
Datum
clv_purchase_curve(PG_FUNCTION_ARGS)
{
	enum
	{
		MODEL,
		HISTORY,
		HORIZONS,
		AS_OF,
		COVARIATES
	};
	ClvModelSite *site;
	ClvHistory *history;
	ClvCustomer customer;
	const ClvHorizons *horizons;
	const double *expected;
	ArrayType *result;
	ClvMemoKey key;
	double *value;
	double p_alive;
	bool exists;

	if (PG_ARGISNULL(MODEL) || PG_ARGISNULL(HISTORY) || PG_ARGISNULL(HORIZONS))
		PG_RETURN_NULL();
	site = clv_customer_site(fcinfo, COVARIATES);
	horizons = clv_horizons(fcinfo, HORIZONS, site);
	history = PG_GETARG_CLV_HISTORY_P(HISTORY);
	exists = clv_customer(site->fitted, history, clv_as_of(fcinfo, AS_OF, site->fitted), &customer);
	PG_FREE_IF_COPY(history, HISTORY);
	if (!exists)
		PG_RETURN_NULL();

	p_alive = clv_site_p_alive(site, &customer);
	key = clv_site_key(site, &customer);
	expected = clv_horizons_expected(site, &customer, &key, horizons);
	result = palloc(ARR_SIZE(horizons->zeros));
	memcpy(result, horizons->zeros, ARR_SIZE(horizons->zeros));
	value = (double *) clv_array_data(result);
	for (int i = 0; i < horizons->n; i++)
		value[i] =
			clv_checked(p_alive * expected[i], "the expected number of purchases", &customer);
	PG_RETURN_ARRAYTYPE_P(result);
}
