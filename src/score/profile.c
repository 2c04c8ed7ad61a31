/*
 * profile.c
 *		The aggregate clv_profile: which traits the most valuable customers have more often than the
 *		others; and clv_profile_score, which scores a prospect by them.
 *
 * Every customer is kept as a value and the numbers of their traits, as the best tenth needs all of
 * them. Traits are counted, so that the result is the same to the last bit in any order of rows.
 *
 * Whether a trait is more frequent among the best by chance is Fisher's exact test, the smaller
 *tail twice; q is the p-value after Benjamini & Hochberg (1995), Controlling the false discovery
 *rate, JRSS B 57(1), over all traits of the profile. The weight of a trait is the logarithm of how
 *many times as frequent it is among the best, shrunk towards 0 by the part of its square that
 *chance alone would give (James & Stein's positive part). The score of a prospect adds up the
 *weights of their traits as if these were independent of each other.
 *
 * The hold-out AUC is that of weights from every other customer, in order of value, for the
 * customers between them.
 */
#include "common/json.h"

#include <math.h>

#include "miscadmin.h"
#include "math/exact_test.h"
#include "math/sort.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/json.h"

#define AGGREGATE "clv_profile()"
#define STATE_TAG 0x70726F66
#define FIRST_CAPACITY 16

/* An attribute with more values than this, or with a longer one, is none that customers share. */
#define MOST_VALUES 200
#define LONGEST_VALUE 200
#define MOST_ATTRIBUTES 1000

/* A trait of fewer customers says nothing. */
#define LEAST_CUSTOMERS 5

/* The best are one in so many; with those who tie with the last of them, no more than a fifth. */
#define PARTS 10
#define MOST_PARTS 5

/* An attribute, found by its name. */
typedef struct Attribute
{
	char name[NAMEDATALEN];
	uint32 number;
	int values;
	bool left_out; /* too many values, or too long ones */
} Attribute;

/* What identifies a trait; no bytes but these. */
typedef struct TraitKey
{
	uint32 attribute;
	char value[LONGEST_VALUE + 4];
} TraitKey;

/* A trait, found by its attribute and value. */
typedef struct Trait
{
	TraitKey key;
	uint32 number;
} Trait;

/* A customer: the value, and where their traits are. */
typedef struct Row
{
	double value;
	int64 first;
	int64 n;
} Row;

/* The customers so far. */
typedef struct ProfileState
{
	uint32 tag; /* STATE_TAG */
	MemoryContext context;
	int64 skipped; /* rows without a value */
	int64 rows;
	int64 capacity;
	Row *row;
	int64 used; /* of the numbers below */
	int64 room;
	uint32 *trait; /* of all rows, one after the other */
	HTAB *attributes;
	HTAB *traits;
} ProfileState;

/* ---- reading attributes ---- */

/* Takes a trait of a customer; neither text ends with a zero. */
typedef void (*TakeTrait)(void *arg, const char *name, int name_length, const char *value,
						  int value_length);

/* Raises the error of attributes that are no traits. */
static pg_attribute_noreturn() void BadAttributes(const char *name, int length, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 name == NULL ? errmsg("attributes must be a JSON object: %s", what)
						  : errmsg("attribute \"%.*s\" must be a value or an array of values: %s",
								   length, name, what),
			 errhint("An object like {\"country\": \"CH\", \"newsletter\": true, \"interests\": "
					 "[\"ski\", \"golf\"]}; ranges of numbers as values: {\"age\": \"30-39\"}.")));
}

/* Takes a string, number or boolean; NULL is no trait. */
static void
TakeScalar(const JsonbValue *key, const JsonbValue *value, TakeTrait take, void *arg)
{
	const char *name = key->val.string.val;
	int length = key->val.string.len;
	char *text;

	switch (value->type)
	{
		case jbvNull:
			return;
		case jbvString:
			take(arg, name, length, value->val.string.val, value->val.string.len);
			return;
		case jbvBool:
			text = value->val.boolean ? "true" : "false";
			take(arg, name, length, text, (int) strlen(text));
			return;
		case jbvNumeric:
			text = numeric_normalize(value->val.numeric);
			take(arg, name, length, text, (int) strlen(text));
			pfree(text);
			return;
		default:
			BadAttributes(name, length, "it is an object, or an array in an array");
	}
}

/* Takes the values of an attribute: one, or those of an array. */
static void
TakeValues(const JsonbValue *key, const JsonbValue *value, TakeTrait take, void *arg)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue element;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
	{
		TakeScalar(key, value, take, arg);
		return;
	}
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			TakeScalar(key, &element, take, arg);
}

/* Takes all traits in attributes; errors where these are no object, or nested. */
static void
ReadTraits(Jsonb *attributes, TakeTrait take, void *arg)
{
	JsonbIterator *it = JsonbIteratorInit(&attributes->root);
	JsonbIteratorToken token;
	JsonbValue key = {0};
	JsonbValue value;

	if (!JB_ROOT_IS_OBJECT(attributes))
		BadAttributes(NULL, 0, JB_ROOT_IS_SCALAR(attributes) ? "a single value" : "an array");
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = value;
		else if (token == WJB_VALUE)
			TakeValues(&key, &value, take, arg);
	}
}

/* ---- taking rows in ---- */

/* A table of entries that are found by their first bytes. */
static HTAB *
NewTable(MemoryContext context, const char *name, Size key, Size entry, int flags)
{
	HASHCTL control = {.keysize = key, .entrysize = entry, .hcxt = context};

	return hash_create(name, FIRST_CAPACITY, &control, HASH_ELEM | HASH_CONTEXT | flags);
}

/* An empty state. */
static ProfileState *
NewState(MemoryContext context)
{
	ProfileState *state = MemoryContextAllocZero(context, sizeof(ProfileState));

	state->tag = STATE_TAG;
	state->context = context;
	state->attributes =
		NewTable(context, "clv_profile attributes", NAMEDATALEN, sizeof(Attribute), HASH_STRINGS);
	state->traits =
		NewTable(context, "clv_profile traits", sizeof(TraitKey), sizeof(Trait), HASH_BLOBS);
	return state;
}

/* The attribute of a name, new or known. */
static Attribute *
FindAttribute(ProfileState *state, const char *name, int length)
{
	char key[NAMEDATALEN] = {0};
	Attribute *attribute;
	bool found;

	if (length >= NAMEDATALEN)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("name of an attribute is too long: \"%.*s\"", length, name),
						errdetail("It may have %d bytes.", NAMEDATALEN - 1)));
	memcpy(key, name, length);
	attribute = hash_search(state->attributes, key, HASH_ENTER, &found);
	if (!found)
	{
		if (hash_get_num_entries(state->attributes) > MOST_ATTRIBUTES)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("customers have more than %d attributes", MOST_ATTRIBUTES),
							errhint("Names of attributes are the same for all customers; what "
									"differs is their values.")));
		attribute->number = (uint32) hash_get_num_entries(state->attributes) - 1;
		attribute->values = 0;
		attribute->left_out = false;
	}
	return attribute;
}

/* Adds the number of a trait to the customer that is being read. */
static void
AddNumber(ProfileState *state, uint32 number)
{
	if (state->used == state->room)
	{
		state->room = Max(2 * state->room, FIRST_CAPACITY);
		state->trait = state->trait == NULL
						   ? MemoryContextAllocHuge(state->context, state->room * sizeof(uint32))
						   : repalloc_huge(state->trait, state->room * sizeof(uint32));
	}
	state->trait[state->used++] = number;
}

/* Adds a trait to the customer that is being read. */
static void
AddTrait(void *arg, const char *name, int name_length, const char *value, int value_length)
{
	ProfileState *state = arg;
	Attribute *attribute = FindAttribute(state, name, name_length);
	TraitKey key = {.attribute = attribute->number};
	Trait *trait;
	bool found;

	if (value_length > LONGEST_VALUE)
		attribute->left_out = true;
	if (attribute->left_out)
		return;
	memcpy(key.value, value, value_length);
	trait = hash_search(state->traits, &key, HASH_ENTER, &found);
	if (!found)
	{
		trait->number = (uint32) hash_get_num_entries(state->traits) - 1;
		if (++attribute->values > MOST_VALUES)
			attribute->left_out = true;
	}
	AddNumber(state, trait->number);
}

/* A new customer of this value. */
static Row *
AddRow(ProfileState *state, double value)
{
	Row *row;

	if (state->rows == state->capacity)
	{
		state->capacity = Max(2 * state->capacity, FIRST_CAPACITY);
		state->row = state->row == NULL
						 ? MemoryContextAllocHuge(state->context, state->capacity * sizeof(Row))
						 : repalloc_huge(state->row, state->capacity * sizeof(Row));
	}
	row = &state->row[state->rows];
	*row = (Row){.value = value, .first = state->used};
	return row;
}

PG_FUNCTION_INFO_V1(clv_profile_add);

/*
 * clv_profile_add(internal, value float8, attributes jsonb) -> internal: takes a customer into the
 * state; a NULL value is counted only, NULL attributes are none, other values than finite ones and
 * nested attributes are errors
 */
Datum
clv_profile_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	ProfileState *state = clv_state_argument(fcinfo, 0, STATE_TAG, AGGREGATE);
	Row *row;

	if (state == NULL)
		state = NewState(context);
	if (PG_ARGISNULL(1))
	{
		state->skipped++;
		PG_RETURN_POINTER(state);
	}
	if (!isfinite(PG_GETARG_FLOAT8(1)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must be a finite number: %s", clv_number_text(PG_GETARG_FLOAT8(1))),
				 errhint("Leave such customers out with FILTER.")));
	row = AddRow(state, PG_GETARG_FLOAT8(1));
	if (!PG_ARGISNULL(2))
		ReadTraits(PG_GETARG_JSONB_P(2), AddTrait, state);
	row->n = state->used - row->first;
	state->rows++;
	PG_RETURN_POINTER(state);
}

/* ---- the profile ---- */

/* A trait of the profile: how many customers have it, of the best and of the rest. */
typedef struct Counted
{
	const Attribute *attribute;
	const char *value;
	uint32 number; /* as it came */
	double best;
	double rest;
	double p;
	double q;
	double weight;
	double half_best; /* the same of every other customer */
	double half_rest;
	double half_weight;
} Counted;

/* A customer in order: their traits by the places of these in the profile. */
typedef struct Customer
{
	double value;
	double score; /* by the weights of the other half */
	const uint32 *trait;
	int64 n;
	bool is_best;
} Customer;

/* The profile as it is made. */
typedef struct Profile
{
	Counted *trait; /* in order of attribute and value */
	int64 traits;
	Customer *customer; /* by value, the best first */
	int64 customers;
	int64 best;
} Profile;

/* The poll of a long sort: checks for interrupts. */
static void
Interrupt(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

/* The order of traits: by attribute, then by value. */
static int
CompareTraits(const void *a, const void *b)
{
	const Counted *one = a;
	const Counted *other = b;
	int names = strcmp(one->attribute->name, other->attribute->name);

	return names != 0 ? names : strcmp(one->value, other->value);
}

/* The order of a customer's traits. */
static int
CompareNumbers(const void *a, const void *b)
{
	uint32 one = *(const uint32 *) a;
	uint32 other = *(const uint32 *) b;

	return one < other ? -1 : one > other;
}

/* Whether a customer comes before another: by value, and where that is the same, by traits. */
static bool
Before(const void *a, const void *b)
{
	const Customer *one = a;
	const Customer *other = b;

	if (one->value != other->value)
		return one->value > other->value;
	if (one->n != other->n)
		return one->n < other->n;
	for (int64 i = 0; i < one->n; i++)
		if (one->trait[i] != other->trait[i])
			return one->trait[i] < other->trait[i];
	return false;
}

/* Whether a customer has a lower score than another. */
static bool
ScoresLess(const void *a, const void *b)
{
	return ((const Customer *) a)->score < ((const Customer *) b)->score;
}

static const ClvSorter by_value = {sizeof(Customer), 0, NULL, Before};
static const ClvSorter by_score = {sizeof(Customer), 0, NULL, ScoresLess};

/* The attributes by their numbers. */
static const Attribute **
ListAttributes(const ProfileState *state)
{
	const Attribute **list =
		palloc(sizeof(Attribute *) * Max(hash_get_num_entries(state->attributes), 1));
	HASH_SEQ_STATUS scan;
	Attribute *attribute;

	hash_seq_init(&scan, state->attributes);
	while ((attribute = hash_seq_search(&scan)) != NULL)
		list[attribute->number] = attribute;
	return list;
}

/* Lists the traits of attributes that are not left out, in order; place: of each, by its number. */
static void
ListTraits(const ProfileState *state, Profile *profile, uint32 *place)
{
	const Attribute **attribute = ListAttributes(state);
	HASH_SEQ_STATUS scan;
	Trait *trait;

	profile->trait = MemoryContextAllocExtended(
		CurrentMemoryContext, sizeof(Counted) * Max(hash_get_num_entries(state->traits), 1),
		MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	hash_seq_init(&scan, state->traits);
	while ((trait = hash_seq_search(&scan)) != NULL)
	{
		place[trait->number] = PG_UINT32_MAX;
		if (!attribute[trait->key.attribute]->left_out)
			profile->trait[profile->traits++] =
				(Counted){.attribute = attribute[trait->key.attribute],
						  .value = trait->key.value,
						  .number = trait->number};
	}
	qsort(profile->trait, profile->traits, sizeof(Counted), CompareTraits);
	for (int64 i = 0; i < profile->traits; i++)
		place[profile->trait[i].number] = (uint32) i;
}

/* Copies the traits of a customer by their places, each once and in order; returns how many. */
static int64
Places(const ProfileState *state, const Row *row, const uint32 *place, uint32 *to)
{
	int64 n = 0;
	int64 kept = 0;

	for (int64 i = 0; i < row->n; i++)
	{
		uint32 at = place[state->trait[row->first + i]];

		if (at != PG_UINT32_MAX)
			to[n++] = at;
	}
	qsort(to, n, sizeof(uint32), CompareNumbers);
	for (int64 i = 0; i < n; i++)
		if (kept == 0 || to[i] != to[kept - 1])
			to[kept++] = to[i];
	return kept;
}

/* Lists the customers, the best first; the state stays as it is. */
static void
ListCustomers(const ProfileState *state, Profile *profile)
{
	uint32 *place = palloc(sizeof(uint32) * Max(hash_get_num_entries(state->traits), 1));
	uint32 *trait =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) Max(state->used, 1));
	ClvPoll poll = {.call = Interrupt};

	ListTraits(state, profile, place);
	profile->customers = state->rows;
	profile->customer = MemoryContextAllocHuge(CurrentMemoryContext,
											   sizeof(Customer) * 2 * (Size) Max(state->rows, 1));
	for (int64 i = 0; i < state->rows; i++)
	{
		const Row *row = &state->row[i];

		profile->customer[i] = (Customer){.value = row->value, .trait = trait + row->first};
		profile->customer[i].n = Places(state, row, place, trait + row->first);
		if (i % CLV_SORT_SLICE == 0)
			CHECK_FOR_INTERRUPTS();
	}
	clv_sort(&by_value, profile->customer, profile->customer + state->rows, state->rows, NULL,
			 &poll);
	pfree(place);
}

/* The number of the best: a tenth, with those who tie with its last one, or without them where
 * that would be too many. 0 where all are alike. */
static int64
CountBest(const Profile *profile)
{
	int64 n = profile->customers;
	int64 best = (n + PARTS - 1) / PARTS;
	int64 end = best;

	if (n == 0)
		return 0;
	while (end < n && profile->customer[end].value == profile->customer[best - 1].value)
		end++;
	if (end == best || end * MOST_PARTS <= n)
		return end;
	while (best > 0 && profile->customer[best - 1].value == profile->customer[end - 1].value)
		best--;
	return best;
}

/* Counts who has which trait, of all customers and of every other one. */
static void
CountTraits(Profile *profile)
{
	for (int64 i = 0; i < profile->customers; i++)
	{
		Customer *customer = &profile->customer[i];
		bool half = i % 2 == 0;

		customer->is_best = i < profile->best;
		for (int64 k = 0; k < customer->n; k++)
		{
			Counted *trait = &profile->trait[customer->trait[k]];

			*(customer->is_best ? &trait->best : &trait->rest) += 1;
			if (half)
				*(customer->is_best ? &trait->half_best : &trait->half_rest) += 1;
		}
		if (i % CLV_SORT_SLICE == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/*
 * The weight of a trait that so many of the best and of the rest have: ln of the ratio of its
 * shares, half a customer added, times what of its square is beyond chance.
 */
static double
Weight(double best_with, double best, double rest_with, double rest)
{
	double ln = log((best_with + 0.5) / (best + 1)) - log((rest_with + 0.5) / (rest + 1));
	double variance =
		1 / (best_with + 0.5) - 1 / (best + 1) + 1 / (rest_with + 0.5) - 1 / (rest + 1);

	return ln == 0 ? 0 : ln * fmax(0, 1 - variance / (ln * ln));
}

/* Whether the trait has enough customers to be looked at, and not all. */
static bool
IsTested(const Profile *profile, const Counted *trait)
{
	double with = trait->best + trait->rest;

	return with >= LEAST_CUSTOMERS && with < (double) profile->customers;
}

/* The order of p-values. */
static int
CompareP(const void *a, const void *b)
{
	double one = (*(Counted *const *) a)->p;
	double other = (*(Counted *const *) b)->p;

	return one < other ? -1 : one > other;
}

/* Sets p, q and weights of all traits that are tested. */
static void
TestTraits(Profile *profile)
{
	Counted **order = palloc(sizeof(Counted *) * Max(profile->traits, 1));
	double n = (double) profile->customers;
	double best = (double) profile->best;
	double half = ceil(best / 2);
	double half_rest = ceil(n / 2) - half;
	int64 tested = 0;
	double least = 1;

	for (int64 i = 0; i < profile->traits; i++)
	{
		Counted *trait = &profile->trait[i];

		if (!IsTested(profile, trait))
			continue;
		trait->p = clv_exact_test(trait->best, best, trait->best + trait->rest, n);
		trait->weight = Weight(trait->best, best, trait->rest, n - best);
		trait->half_weight = Weight(trait->half_best, half, trait->half_rest, half_rest);
		order[tested++] = trait;
		CHECK_FOR_INTERRUPTS();
	}
	qsort(order, tested, sizeof(Counted *), CompareP);
	for (int64 i = tested - 1; i >= 0; i--)
		order[i]->q = least = fmin(least, order[i]->p * (double) tested / (double) (i + 1));
	pfree(order);
}

/*
 * The AUC of the customers that the half did not count: P(one of the best has a higher score than
 * one of the rest), ties half. NaN where there are none of either. The customers lose their order.
 */
static double
HoldOut(Profile *profile)
{
	ClvPoll poll = {.call = Interrupt};
	Customer *other = profile->customer;
	int64 n = profile->customers / 2;
	double best = 0;
	double ranks = 0; /* of the best, from 0, ties sharing theirs; twice */

	for (int64 i = 0; i < n; i++)
	{
		other[i] = profile->customer[2 * i + 1];
		other[i].score = 0;
		for (int64 k = 0; k < other[i].n; k++)
			other[i].score += profile->trait[other[i].trait[k]].half_weight;
	}
	clv_sort(&by_score, other, other + profile->customers, n, NULL, &poll);
	for (int64 i = 0, end; i < n; i = end)
	{
		double in_run = 0;

		for (end = i; end < n && !ScoresLess(&other[i], &other[end]); end++)
			in_run += other[end].is_best;
		best += in_run;
		ranks += in_run * (double) (i + end - 1);
	}
	if (best == 0 || best == (double) n)
		return NAN;
	return (ranks / 2 - best * (best - 1) / 2) / (best * ((double) n - best));
}

/* ---- the profile as JSON ---- */

/* Appends a member with a number. */
static void
PutNumber(StringInfo out, const char *name, double value)
{
	appendStringInfo(out, "\"%s\": ", name);
	if (isnan(value))
		appendStringInfoString(out, "null");
	else
		clv_append_double(out, value);
}

/* Appends a trait: its value, and an object of its numbers. */
static void
PutTrait(StringInfo out, const Counted *trait)
{
	escape_json(out, trait->value);
	appendStringInfoString(out, ": {");
	PutNumber(out, "best", trait->best);
	appendStringInfoString(out, ", ");
	PutNumber(out, "rest", trait->rest);
	appendStringInfoString(out, ", ");
	PutNumber(out, "p", trait->p);
	appendStringInfoString(out, ", ");
	PutNumber(out, "q", trait->q);
	appendStringInfoString(out, ", ");
	PutNumber(out, "weight", trait->weight);
	appendStringInfoChar(out, '}');
}

/* Appends the traits that were tested, an object for each attribute. */
static void
PutTraits(StringInfo out, const Profile *profile)
{
	const Attribute *before = NULL;

	appendStringInfoString(out, "\"traits\": {");
	for (int64 i = 0; i < profile->traits; i++)
	{
		const Counted *trait = &profile->trait[i];

		if (!IsTested(profile, trait))
			continue;
		if (trait->attribute != before)
		{
			appendStringInfoString(out, before == NULL ? "" : "}, ");
			escape_json(out, trait->attribute->name);
			appendStringInfoString(out, ": {");
		}
		else
			appendStringInfoString(out, ", ");
		PutTrait(out, trait);
		before = trait->attribute;
	}
	appendStringInfoString(out, before == NULL ? "}" : "}}");
}

/* The order of names. */
static int
CompareNames(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Appends the names of the attributes that are left out, in order. */
static void
PutLeftOut(StringInfo out, const ProfileState *state)
{
	int n = (int) hash_get_num_entries(state->attributes);
	const Attribute **attribute = ListAttributes(state);
	const char **name = palloc(sizeof(char *) * Max(n, 1));
	int left_out = 0;

	for (int i = 0; i < n; i++)
		if (attribute[i]->left_out)
			name[left_out++] = attribute[i]->name;
	qsort(name, left_out, sizeof(char *), CompareNames);
	appendStringInfoString(out, "\"left_out\": [");
	for (int i = 0; i < left_out; i++)
	{
		appendStringInfoString(out, i == 0 ? "" : ", ");
		escape_json(out, name[i]);
	}
	appendStringInfoChar(out, ']');
}

PG_FUNCTION_INFO_V1(clv_profile_final);

/*
 * clv_profile_final(internal) -> jsonb: the profile; NULL without customers, or where too many have
 * the highest value to tell a best tenth
 */
Datum
clv_profile_final(PG_FUNCTION_ARGS)
{
	const ProfileState *state = clv_state_argument(fcinfo, 0, STATE_TAG, AGGREGATE);
	Profile profile = {0};
	StringInfoData out;
	double threshold;

	if (state == NULL)
		PG_RETURN_NULL();
	ListCustomers(state, &profile);
	profile.best = CountBest(&profile);
	if (profile.best == 0 || profile.best == profile.customers)
		PG_RETURN_NULL();
	threshold = profile.customer[profile.best - 1].value;
	CountTraits(&profile);
	TestTraits(&profile);
	initStringInfo(&out);
	appendStringInfo(&out,
					 "{\"version\": 1, \"customers\": " INT64_FORMAT ", \"best\": " INT64_FORMAT
					 ", \"skipped\": " INT64_FORMAT ", ",
					 profile.customers, profile.best, state->skipped);
	PutNumber(&out, "threshold", threshold);
	appendStringInfoString(&out, ", ");
	PutNumber(&out, "auc", HoldOut(&profile));
	appendStringInfoString(&out, ", ");
	PutLeftOut(&out, state);
	appendStringInfoString(&out, ", ");
	PutTraits(&out, &profile);
	appendStringInfoChar(&out, '}');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}

/* ---- scores ---- */

/* A prospect whose traits are looked up. */
typedef struct Prospect
{
	JsonbContainer *traits; /* of the profile */
	Numeric *weight;        /* of traits that were found, to count each once */
	int n;
	int room;
} Prospect;

/* Raises the error of a profile that is none. */
static pg_attribute_noreturn() void BadProfile(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("profile must be a result of clv_profile"),
					errhint("SELECT clv_profile(value, attributes) FROM ...")));
}

/* The member of an object; NULL: there is none. An error where it has another type. */
static JsonbValue *
Member(JsonbContainer *object, const char *key, int length, enum jbvType type)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, length, NULL);

	if (value != NULL && (value->type != type ||
						  (type == jbvBinary && !JsonContainerIsObject(value->val.binary.data))))
		BadProfile();
	return value;
}

/* Looks a trait up; one that the profile does not have counts nothing. */
static void
LookUp(void *arg, const char *name, int name_length, const char *value, int value_length)
{
	Prospect *prospect = arg;
	JsonbValue *found = Member(prospect->traits, name, name_length, jbvBinary);
	JsonbValue *weight;

	if (found != NULL)
		found = Member(found->val.binary.data, value, value_length, jbvBinary);
	if (found == NULL)
		return;
	weight = Member(found->val.binary.data, "weight", 6, jbvNumeric);
	if (weight == NULL)
		BadProfile();
	/* the bytes of a weight lie where its trait does: a value that an array repeats is found there
	 * again */
	for (int i = 0; i < prospect->n; i++)
		if (prospect->weight[i] == weight->val.numeric)
			return;
	if (prospect->n == prospect->room)
	{
		prospect->room = Max(2 * prospect->room, FIRST_CAPACITY);
		prospect->weight = prospect->weight == NULL
							   ? palloc(prospect->room * sizeof(Numeric))
							   : repalloc(prospect->weight, prospect->room * sizeof(Numeric));
	}
	prospect->weight[prospect->n++] = weight->val.numeric;
}

/* A count of the profile. */
static double
CountOf(JsonbContainer *profile, const char *name)
{
	JsonbValue *count = Member(profile, name, (int) strlen(name), jbvNumeric);

	if (count == NULL)
		BadProfile();
	return clv_numeric_double(count->val.numeric);
}

PG_FUNCTION_INFO_V1(clv_profile_score);

/*
 * clv_profile_score(profile jsonb, attributes jsonb) -> float8: P(a prospect with these attributes
 * becomes one of the best), as if traits were independent; strict
 */
Datum
clv_profile_score(PG_FUNCTION_ARGS)
{
	Jsonb *profile = PG_GETARG_JSONB_P(0);
	Prospect prospect = {0};
	JsonbValue *traits;
	double customers;
	double best;
	double odds;

	if (!JB_ROOT_IS_OBJECT(profile))
		BadProfile();
	traits = Member(&profile->root, "traits", 6, jbvBinary);
	customers = CountOf(&profile->root, "customers");
	best = CountOf(&profile->root, "best");
	if (traits == NULL || !(best > 0) || !(best < customers))
		BadProfile();
	prospect.traits = traits->val.binary.data;
	ReadTraits(PG_GETARG_JSONB_P(1), LookUp, &prospect);
	odds = log(best / (customers - best));
	for (int i = 0; i < prospect.n; i++)
		odds += clv_numeric_double(prospect.weight[i]);
	if (isnan(odds))
		BadProfile();
	PG_RETURN_FLOAT8(1 / (1 + exp(-odds)));
}
