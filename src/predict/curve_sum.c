/*
 * curve_sum.c
 *		The aggregate clv_curve_sum: expected purchases until the end of each of several horizons,
 *		summed over customers, and the same in money.
 *
 * What is expected of a customer who is alive depends on a few numbers that many share: the key of
 * the memo. So a row adds P(alive), and its product with the expected spend, to the two sums of its
 * key, and only these are multiplied by what is expected in each horizon. The sums of a key are of
 * whole numbers of a fixed unit, and their products are added exactly: neither the order of rows,
 * nor when keys are multiplied out, nor a split between processes changes a bit of the result.
 */
#include "predict/predict_private.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/exact.h"
#include "libpq/pqformat.h"

#define AGGREGATE "clv_curve_sum()"
#define STATE_TAG 0x63757276
#define MOST_HORIZONS 100000

/* P(alive), and money up to 2^26, count in units of 2^-52. Sums of these are kept in limbs of 26
 * bits, the highest first, so that 2^27 customers go into one. */
#define UNIT 0x1p-52
#define MONEY_MOST 0x1p26
#define LIMB 0x1p26
#define ALIVE_LIMBS 2
#define MONEY_LIMBS 3

/* Of a key: the limbs of two sums, then what is expected in each horizon. */
enum
{
	ALIVE,
	MONEY = ALIVE + ALIVE_LIMBS,
	EXPECTED = MONEY + MONEY_LIMBS
};

/* The state of the aggregate: for each horizon a sum of purchases, then one of money each. */
typedef struct CurveSum
{
	uint32 tag;   /* STATE_TAG */
	int horizons; /* their number */
	bool has_money;
	int32 rows;   /* since the keys were multiplied out */
	ClvMemo keys; /* what has not been multiplied out yet */

	/* what the keys are of: the model and the horizons of a call site */
	const ClvModelSite *site;
	uint64 generation;
	uint64 version;
	ClvExactSum sum[FLEXIBLE_ARRAY_MEMBER];
} CurveSum;

/* The state that an argument is; NULL: none yet. An error for the state of another aggregate. */
static CurveSum *
StateArgument(FunctionCallInfo fcinfo, int arg)
{
	return clv_state_argument(fcinfo, arg, STATE_TAG, AGGREGATE);
}

/* Sums of nothing, for so many horizons. */
static CurveSum *
NewState(MemoryContext context, int horizons)
{
	CurveSum *state = MemoryContextAllocZero(context, offsetof(CurveSum, sum) +
														  2 * (Size) horizons * sizeof(ClvExactSum));

	state->tag = STATE_TAG;
	state->horizons = horizons;
	clv_memo_init(&state->keys, context, EXPECTED + horizons);
	return state;
}

/* An error where rows, or states, have not the same number of horizons. */
static void
CheckHorizons(const CurveSum *state, int horizons)
{
	if (horizons != state->horizons)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("all customers of a sum must have the same number of horizons: %d "
							   "and %d",
							   state->horizons, horizons)));
}

/* Adds the product of two numbers and a power of two; exact, where nothing underflows. */
static void
AddProduct(ClvExactSum *sum, double a, double b, double unit)
{
	double product = a * b;

	if (b == 0)
		return;
	clv_exact_add(sum, product * unit);
	if (isfinite(product))
		clv_exact_add(sum, fma(a, b, -product) * unit);
}

/* Multiplies the sums of all keys out, and forgets the keys. */
static void
MultiplyOut(CurveSum *state)
{
	ClvExactSum *money = state->sum + state->horizons;

	for (int entry = 0; entry < state->keys.used; entry++)
	{
		const double *key = clv_memo_entry(&state->keys, entry);

		for (int i = 0; i < state->horizons; i++)
		{
			double expected = key[EXPECTED + i];

			AddProduct(&state->sum[i], expected, key[ALIVE], UNIT * LIMB);
			AddProduct(&state->sum[i], expected, key[ALIVE + 1], UNIT);
			AddProduct(&money[i], expected, key[MONEY], UNIT * LIMB * LIMB);
			AddProduct(&money[i], expected, key[MONEY + 1], UNIT * LIMB);
			AddProduct(&money[i], expected, key[MONEY + 2], UNIT);
		}
	}
	clv_memo_clear(&state->keys);
	state->rows = 0;
}

/* The state's keys are those of the call site's model and horizons from here on. */
static void
Follow(CurveSum *state, const ClvModelSite *site, const ClvHorizons *horizons)
{
	if (state->site == site && state->generation == site->model.model.generation &&
		state->version == horizons->version)
		return;
	CheckHorizons(state, horizons->n);
	MultiplyOut(state);
	state->site = site;
	state->generation = site->model.model.generation;
	state->version = horizons->version;
}

/* The numbers of a key, with what is expected in each horizon filled in. */
static double *
Numbers(CurveSum *state, ClvModelSite *site, const ClvCustomer *customer,
		const ClvHorizons *horizons)
{
	ClvMemoKey key = clv_site_key(site, customer);
	const double *expected;
	double *number;

	if (clv_memo_is_full(&state->keys) || state->rows++ == (int32) LIMB)
		MultiplyOut(state);
	number = clv_memo_values(&state->keys, &key);
	if (!isnan(number[ALIVE]))
		return number;
	expected = clv_horizons_expected(site, customer, &key, horizons);
	for (int i = 0; i < horizons->n; i++)
		number[EXPECTED + i] =
			clv_checked(expected[i], "the expected number of purchases", customer);
	memset(number, 0, EXPECTED * sizeof(double));
	return number;
}

/* Adds a number, rounded to units, to so many limbs; each stays a whole number. */
static void
AddUnits(double *limb, int limbs, double number)
{
	double rest = rint(number / UNIT);
	double weight = limbs == MONEY_LIMBS ? LIMB * LIMB : LIMB;

	for (int i = 0; i < limbs - 1; i++)
	{
		double whole = floor(rest / weight);

		limb[i] += whole;
		rest -= whole * weight;
		weight /= LIMB;
	}
	limb[limbs - 1] += rest;
}

/* Adds a customer; of those whose money is too much for the units, each by themselves. */
static void
Add(CurveSum *state, ClvModelSite *site, const ClvCustomer *customer, const ClvHorizons *horizons)
{
	double p_alive = clv_checked(clv_site_p_alive(site, customer), "P(alive)", customer);
	double spend = clv_spend_of(site->fitted, customer);
	double money = p_alive * spend;
	double *number = Numbers(state, site, customer, horizons);

	AddUnits(number + ALIVE, ALIVE_LIMBS, p_alive);
	if (!isfinite(spend))
		return;
	state->has_money = true;
	if (fabs(money) < MONEY_MOST)
		AddUnits(number + MONEY, MONEY_LIMBS, money);
	else
		for (int i = 0; i < horizons->n; i++)
			clv_exact_add(&state->sum[state->horizons + i], number[EXPECTED + i] * money);
}

/*
 * clv_curve_sum_add(internal, model, history, horizons, as_of) -> internal: adds a customer; NULL
 * models and histories are skipped, and so are customers who do not exist yet; no horizon may be
 * NULL.
 */
PG_FUNCTION_INFO_V1(clv_curve_sum_add);
Datum
clv_curve_sum_add(PG_FUNCTION_ARGS)
{
	enum
	{
		STATE,
		MODEL,
		HISTORY,
		HORIZONS,
		AS_OF
	};
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	CurveSum *state = StateArgument(fcinfo, STATE);
	ClvModelSite *site;
	const ClvHorizons *horizons;
	ClvCustomer customer;

	if (PG_ARGISNULL(MODEL) || PG_ARGISNULL(HISTORY))
		return clv_same_state(fcinfo);
	if (PG_ARGISNULL(HORIZONS) || array_contains_nulls(PG_GETARG_ARRAYTYPE_P(HORIZONS)))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("horizons of a sum must not be NULL")));
	site = clv_model_site_of(fcinfo, MODEL, CLV_MEMO_KINDS);
	clv_model_need_purchase(&site->model.fitted);
	clv_set_covariates(site, NULL);
	horizons = clv_horizons(fcinfo, HORIZONS, site);
	if (!clv_customer(site->fitted, PG_GETARG_CLV_HISTORY_P(HISTORY),
					  clv_as_of(fcinfo, AS_OF, site->fitted), &customer))
		return clv_same_state(fcinfo);
	if (state == NULL)
		state = NewState(context, horizons->n);
	Follow(state, site, horizons);
	Add(state, site, &customer, horizons);
	PG_RETURN_POINTER(state);
}

/* clv_curve_sum_combine(internal, internal) -> internal */
PG_FUNCTION_INFO_V1(clv_curve_sum_combine);
Datum
clv_curve_sum_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	CurveSum *state = StateArgument(fcinfo, 0);
	CurveSum *other = StateArgument(fcinfo, 1);

	if (other == NULL)
		return clv_same_state(fcinfo);
	if (state == NULL)
		state = NewState(context, other->horizons);
	CheckHorizons(state, other->horizons);
	MultiplyOut(other);
	for (int i = 0; i < 2 * state->horizons; i++)
	{
		ClvExactSum more = other->sum[i];

		clv_exact_merge(&state->sum[i], &more);
	}
	state->has_money |= other->has_money;
	PG_RETURN_POINTER(state);
}

/* clv_curve_sum_serialize(internal) -> bytea */
PG_FUNCTION_INFO_V1(clv_curve_sum_serialize);
Datum
clv_curve_sum_serialize(PG_FUNCTION_ARGS)
{
	CurveSum *state;
	StringInfoData out;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	state = StateArgument(fcinfo, 0);
	MultiplyOut(state);
	pq_begintypsend(&out);
	pq_sendint32(&out, (uint32) state->horizons);
	pq_sendbyte(&out, state->has_money);
	for (int i = 0; i < 2 * state->horizons; i++)
		clv_exact_send(&out, &state->sum[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Raises the error of bytes that are no state. */
static void
pg_attribute_noreturn() MalformedState(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					errmsg("malformed state of %s", AGGREGATE)));
}

/* clv_curve_sum_deserialize(bytea, internal) -> internal; every byte is checked */
PG_FUNCTION_INFO_V1(clv_curve_sum_deserialize);
Datum
clv_curve_sum_deserialize(PG_FUNCTION_ARGS)
{
	StringInfoData in = clv_bytes_of(PG_GETARG_BYTEA_PP(0));
	CurveSum *state;
	int horizons;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	horizons = (int) pq_getmsgint(&in, 4);
	if (horizons < 0 || horizons > MOST_HORIZONS || horizons > in.len)
		MalformedState();
	state = NewState(CurrentMemoryContext, horizons);
	state->has_money = pq_getmsgbyte(&in) != 0;
	for (int i = 0; i < 2 * horizons; i++)
		if (!clv_exact_recv(&in, &state->sum[i]))
			MalformedState();
	pq_getmsgend(&in);
	PG_RETURN_POINTER(state);
}

/*
 * clv_curve_sum_final(internal) -> float8[]: {{purchases until the end of each horizon}, {money
 * until then}}; NULL where a sum is infinite or NaN, and in money where no customer has an expected
 * spend. The state goes on in a window.
 */
PG_FUNCTION_INFO_V1(clv_curve_sum_final);
Datum
clv_curve_sum_final(PG_FUNCTION_ARGS)
{
	CurveSum *state = StateArgument(fcinfo, 0);
	int lower[2] = {1, 1};
	int length[2] = {2, 0};
	Datum *element;
	bool *null;

	if (state == NULL || state->horizons == 0)
		PG_RETURN_NULL();
	MultiplyOut(state);
	length[1] = state->horizons;
	element = palloc(2 * (Size) state->horizons * sizeof(Datum));
	null = palloc(2 * (Size) state->horizons * sizeof(bool));
	for (int i = 0; i < 2 * state->horizons; i++)
	{
		double value = clv_exact_value(&state->sum[i]);

		element[i] = Float8GetDatum(value);
		null[i] = !isfinite(value) || (i >= state->horizons && !state->has_money);
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(element, null, 2, length, lower, FLOAT8OID,
											 sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
