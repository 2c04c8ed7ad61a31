/*
 * pipeline_hundredths.c
 *		The aggregate clv_pipeline_hundredths: what the most valuable hundredths of the
 *		customers bring.
 *
 * The state is the different values, counted, which are sorted once at the end: a fraction of
 * what it takes to sort rows, number them and group them. Sums are exact, so that equal
 * customers make equal rows in any order.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "clv.h"
#include "common/bytes_state.h"
#include "common/hash.h"
#include "math/exact_sum.h"

#define AGGREGATE "clv_pipeline_hundredths()"
#define HUNDREDTHS 100
#define LARGEST 1e200                /* times a sum of places it is finite still */
#define MOST_CUSTOMERS PG_UINT32_MAX /* of whom the sum of places fits into 64 bits */

/* What the aggregate returns of each hundredth, in this order. */
enum
{
	CUSTOMERS,
	NET,      /* sum of the values */
	POSITIVE, /* sum of those above zero */
	WEIGHTED, /* the same, each times its place: 1 for the largest */
	QUANTILE, /* the value above which the hundredths before it lie: percentile_disc() */
	COLUMNS
};

/* A value, and how many customers have it. */
typedef struct Value
{
	uint64 bits; /* of the double; 0 is not negative */
	int64 customers;
	char status; /* of the hash table */
} Value;

#define SH_PREFIX values
#define SH_ELEMENT_TYPE Value
#define SH_KEY_TYPE uint64
#define SH_KEY bits
#define SH_HASH_KEY(table, key) clv_hash_bits(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The double of the bits. */
static inline double
Number(uint64 bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

#define ST_SORT SortDescending
#define ST_ELEMENT_TYPE Value
#define ST_COMPARE(a, b)                                                                           \
	(Number((a)->bits) > Number((b)->bits) ? -1 : Number((a)->bits) < Number((b)->bits) ? 1 : 0)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* The state of the aggregate. */
typedef struct Values
{
	ClvBytesState head;
	int64 customers;
	values_hash *counted; /* NULL: no customers */
} Values;

static void Send(StringInfo out, const void *values);
static bool Receive(StringInfo in, void *values);

static const ClvStateKind kind = {AGGREGATE, 0x68756E64, sizeof(Values), Send, Receive};

/* Counts so many more customers of a value, which is finite. */
static void
Count(Values *state, double value, int64 customers)
{
	uint64 bits;
	Value *entry;
	bool found;

	if (customers > (int64) MOST_CUSTOMERS - state->customers)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("more than %u customers cannot be put in order", MOST_CUSTOMERS)));
	if (state->counted == NULL)
		state->counted = values_create(clv_bytes_state_context(state), 1024, NULL);
	value += 0.0; /* no -0 */
	memcpy(&bits, &value, sizeof(bits));
	entry = values_insert(state->counted, bits, &found);
	entry->customers = found ? entry->customers + customers : customers;
	state->customers += customers;
}

/* Whether a number can be the value of a customer. */
static bool
IsValue(double value)
{
	return fabs(value) <= LARGEST;
}

PG_FUNCTION_INFO_V1(clv_pipeline_hundredths_add);

/* clv_pipeline_hundredths_add(bytea, float8) -> bytea; NULL is a customer of value 0 */
Datum
clv_pipeline_hundredths_add(PG_FUNCTION_ARGS)
{
	double value = PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1);
	Values *state;

	if (!IsValue(value))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("the value of a customer must be from %g to %g: %g", -LARGEST,
							   LARGEST, value)));
	state = clv_bytes_state_writable(fcinfo, &kind);
	Count(state, value, 1);
	PG_RETURN_DATUM(clv_bytes_state_datum(state));
}

PG_FUNCTION_INFO_V1(clv_pipeline_hundredths_combine);

/* clv_pipeline_hundredths_combine(bytea, bytea) -> bytea */
Datum
clv_pipeline_hundredths_combine(PG_FUNCTION_ARGS)
{
	const Values *other = clv_bytes_state_view(fcinfo, 1, &kind);
	Values *state;
	values_iterator all;
	const Value *more;

	if (other == NULL || other->counted == NULL)
		return clv_same_state(fcinfo);
	state = clv_bytes_state_writable(fcinfo, &kind);
	values_start_iterate(other->counted, &all);
	while ((more = values_iterate(other->counted, &all)) != NULL)
		Count(state, Number(more->bits), more->customers);
	PG_RETURN_DATUM(clv_bytes_state_datum(state));
}

/* Appends the state to its stored form. */
static void
Send(StringInfo out, const void *values)
{
	const Values *state = values;
	values_iterator all;
	const Value *value;

	if (state->counted == NULL)
		return;
	values_start_iterate(state->counted, &all);
	while ((value = values_iterate(state->counted, &all)) != NULL)
	{
		pq_sendfloat8(out, Number(value->bits));
		pq_sendint32(out, (uint32) value->customers);
	}
}

/* Fills the state from its stored form, every number of which is checked. */
static bool
Receive(StringInfo in, void *values)
{
	while (in->cursor < in->len)
	{
		double value = pq_getmsgfloat8(in);
		int64 customers = pq_getmsgint(in, 4);

		if (!IsValue(value) || customers == 0)
			return false;
		Count(values, value, customers);
	}
	return true;
}

/* Adds the value so many times. */
static void
AddTimes(ClvExactSum *sum, double value, uint64 times)
{
	for (; times > 0; times >>= 1, value *= 2)
		if ((times & 1) != 0)
			clv_exact_add(sum, value);
}

/* What a hundredth comes to, as it is added up. */
typedef struct Hundredth
{
	ClvExactSum net;
	ClvExactSum positive;
	ClvExactSum weighted;
} Hundredth;

/* Adds the customers of a value who have the places first + 1 to last. */
static void
AddPlaces(Hundredth *sums, double value, uint64 first, uint64 last)
{
	uint64 customers = last - first;

	AddTimes(&sums->net, value, customers);
	if (value <= 0)
		return;
	AddTimes(&sums->positive, value, customers);
	/* the places add up to customers * (first + 1 + last) / 2, of which one factor is even */
	AddTimes(&sums->weighted, value,
			 customers % 2 == 0 ? customers / 2 * (first + 1 + last)
								: customers * ((first + 1 + last) / 2));
}

/* The values of a state, palloc'd, the largest first. */
static Value *
Sorted(const Values *state)
{
	Value *sorted = MemoryContextAllocHuge(CurrentMemoryContext,
										   (Size) state->counted->members * sizeof(Value));
	values_iterator all;
	const Value *value;
	int64 n = 0;

	values_start_iterate(state->counted, &all);
	while ((value = values_iterate(state->counted, &all)) != NULL)
		sorted[n++] = *value;
	SortDescending(sorted, n);
	return sorted;
}

PG_FUNCTION_INFO_V1(clv_pipeline_hundredths_final);

/*
 * clv_pipeline_hundredths_final(bytea) -> float8[]: a row for each hundredth, the most valuable
 * first, with its columns; NULL without customers. The customer at place i of n is in hundredth
 * ceil(100 i / n). The state goes on in a window.
 */
Datum
clv_pipeline_hundredths_final(PG_FUNCTION_ARGS)
{
	const Values *state = clv_bytes_state_view(fcinfo, 0, &kind);
	Datum element[HUNDREDTHS * COLUMNS];
	int length[2] = {HUNDREDTHS, COLUMNS};
	int lower[2] = {1, 1};
	const Value *value;
	int64 end;       /* the last place of the value */
	int64 place = 0; /* the last one added up */

	if (state == NULL || state->counted == NULL)
		PG_RETURN_NULL();
	value = Sorted(state);
	end = value->customers;
	for (int64 p = 0; p < HUNDREDTHS; p++)
	{
		Datum *column = element + p * COLUMNS;
		int64 first = place;
		int64 last = (p + 1) * state->customers / HUNDREDTHS;
		Hundredth sums;

		column[QUANTILE] = Float8GetDatum(Number(value->bits));
		memset(&sums, 0, sizeof(sums));
		while (place < last)
		{
			int64 until = Min(end, last);

			AddPlaces(&sums, Number(value->bits), place, until);
			place = until;
			if (place == end && place < state->customers)
				end += (++value)->customers;
		}
		column[CUSTOMERS] = Float8GetDatum((double) (last - first));
		column[NET] = Float8GetDatum(clv_exact_value(&sums.net));
		column[POSITIVE] = Float8GetDatum(clv_exact_value(&sums.positive));
		column[WEIGHTED] = Float8GetDatum(clv_exact_value(&sums.weighted));
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(element, NULL, 2, length, lower, FLOAT8OID,
											 sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
