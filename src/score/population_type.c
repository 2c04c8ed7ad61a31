/*
 * population_type.c
 *		The type clv_population: the measures of many customers, counted, as a value.
 *
 * It is what cuts are made of where customers are in several places: it can be stored and put
 * together, and a distributed engine can move it. While it grows it is an expanded object; stored,
 * it is the canonical bytes that population_value.h describes; and as text
 *
 *	{"version":1,"as_of":"1997-09-30","bins":5,"customers":2357,"skipped":0,
 *	 "recency":{"level":0,"values":[0,1,..],"counts":[12,7,..]},"frequency":{..},"monetary":{..},
 *	 "tenure":{..},"churn":{..},"value":{..},"model":{..}}
 *
 * where the last three come together, or not at all; counted.h says what a level is.
 */
#include "score/cuts.h"
#include "score/population_value.h"

#include <math.h>

#include "common/arguments.h"
#include "common/int.h"
#include "common/expanded_type.h"
#include "common/json.h"
#include "common/json_type.h"
#include "libpq/pqformat.h"
#include "utils/datetime.h"
#include "utils/memutils.h"

#define POPULATION_VERSION 1
#define JSON_VERSION 1
#define AGGREGATE "clv_population()"

extern Datum clv_model_out(PG_FUNCTION_ARGS);
extern Datum clv_model_from_jsonb(PG_FUNCTION_ARGS);

CLV_EXPANDED_TYPE(clv_population, ClvPopulationValue, ClvPackedPopulation, Pack, Unpack);

/* ---- the expanded object ---- */

ClvPopulationValue *
clv_population_create(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "clv_population", ALLOCSET_DEFAULT_SIZES);
	ClvPopulationValue *population = MemoryContextAllocZero(context, sizeof(ClvPopulationValue));

	EOH_init_header(&population->hdr, &methods, context);
	population->rows.aggregate = AGGREGATE;
	population->rows.context = context;
	for (int i = 0; i < CLV_MEASURES; i++)
		population->measure[i].context = context;
	return population;
}

/* Add both numbers of the other to those of the population. */
static void
AddNumbers(ClvPopulationValue *population, const ClvPopulationValue *other)
{
	if (pg_add_s64_overflow(population->customers, other->customers, &population->customers) ||
		pg_add_s64_overflow(population->skipped, other->skipped, &population->skipped))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("too many customers in a population")));
}

ClvPopulationValue *
clv_population_copy(const ClvPopulationValue *population, MemoryContext parent)
{
	ClvPopulationValue *copy = clv_population_create(parent);

	copy->rows.as_of = population->rows.as_of;
	copy->rows.bins = population->rows.bins;
	if (population->rows.model != NULL)
		clv_cuts_rows_model(&copy->rows, population->rows.model);
	AddNumbers(copy, population);
	for (int i = 0; i < CLV_MEASURES; i++)
		clv_counted_merge(&copy->measure[i], &population->measure[i]);
	return copy;
}

void
clv_population_merge_value(ClvPopulationValue *population, const ClvPopulationValue *other)
{
	clv_cuts_rows_check_same(&population->rows, &other->rows);
	if (other == population)
		other = clv_population_copy(other, CurrentMemoryContext);
	AddNumbers(population, other);
	for (int i = 0; i < CLV_MEASURES; i++)
		clv_counted_merge(&population->measure[i], &other->measure[i]);
}

/* Raises the error of bytes that are no clv_population. */
static pg_attribute_noreturn() void Malformed(const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					errmsg("malformed clv_population: %s", what)));
}

/* Raises an error unless the population can be what customers are counted to. */
static void
Check(const ClvPopulationValue *population)
{
	clv_check_bins(population->rows.bins);
	clv_check_date("as_of", population->rows.as_of);
	if (population->customers < 0 || population->skipped < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid number of customers in clv_population: " INT64_FORMAT
							   " customers, " INT64_FORMAT " skipped",
							   population->customers, population->skipped)));
	for (int i = 0; i < clv_population_measures(population); i++)
	{
		int64 counted = clv_counted_customers(&population->measure[i]);

		if (counted != population->customers)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("counts of %s must add up to " INT64_FORMAT
								   " customers, not to " INT64_FORMAT,
								   clv_measure_name[i], population->customers, counted)));
	}
}

/* The stored form, in the current context. */
static ClvPackedPopulation *
Pack(const ClvPopulationValue *population)
{
	const ClvPackedModel *model = population->rows.model;
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, POPULATION_VERSION);
	pq_sendbyte(&out, population->rows.bins);
	pq_sendint32(&out, population->rows.as_of);
	pq_sendint64(&out, population->customers);
	pq_sendint64(&out, population->skipped);
	pq_sendint32(&out, model == NULL ? 0 : VARSIZE_ANY_EXHDR(model));
	if (model != NULL)
		pq_sendbytes(&out, VARDATA_ANY(model), VARSIZE_ANY_EXHDR(model));
	for (int i = 0; i < clv_population_measures(population); i++)
		clv_counted_send(&out, &population->measure[i]);
	return (ClvPackedPopulation *) pq_endtypsend(&out);
}

/* Reads the model of a stored form, in its canonical bytes, where there is one. */
static void
ReadModel(StringInfo in, ClvCutsRows *rows)
{
	int size = (int) pq_getmsgint(in, 4);
	ClvPackedModel *model;
	ClvModel fitted;

	if (size == 0)
		return;
	if (size < 0 || size > in->len - in->cursor)
		Malformed("the model is not there");
	model = palloc(VARHDRSZ + size);
	SET_VARSIZE(model, VARHDRSZ + size);
	pq_copymsgbytes(in, VARDATA(model), size);
	clv_model_unpack(model, &fitted);
	clv_cuts_rows_model(rows, clv_model_pack(&fitted));
}

/* The population in bytes, below parent; errors where they are none that Pack() makes. */
static ClvPopulationValue *
Unpack(StringInfo in, MemoryContext parent)
{
	int version = pq_getmsgbyte(in);
	ClvPopulationValue *population;

	if (version != POPULATION_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown version of clv_population: %d", version),
						errdetail("This version of clv reads version %d.", POPULATION_VERSION)));
	population = clv_population_create(parent);
	population->rows.bins = pq_getmsgbyte(in);
	population->rows.as_of = (DateADT) (int32) pq_getmsgint(in, 4);
	population->customers = pq_getmsgint64(in);
	population->skipped = pq_getmsgint64(in);
	ReadModel(in, &population->rows);
	for (int i = 0; i < clv_population_measures(population); i++)
		if (!clv_counted_recv(in, &population->measure[i]))
			Malformed(psprintf("what is counted of %s", clv_measure_name[i]));
	pq_getmsgend(in);
	Check(population);
	return population;
}

/* ---- text and JSON ---- */

/* Append what is counted of a measure. */
static void
AppendCounted(StringInfo out, const ClvCounted *counted)
{
	int number;
	ClvCount *list = clv_counted_list(counted, &number);

	appendStringInfo(out, "{\"level\":%d,\"values\":[", counted->level);
	for (int i = 0; i < number; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		clv_append_double(out, clv_counted_value(list[i].key));
	}
	appendStringInfoString(out, "],\"counts\":[");
	for (int i = 0; i < number; i++)
		appendStringInfo(out, "%s" INT64_FORMAT, i > 0 ? "," : "", list[i].count);
	appendStringInfoString(out, "]}");
}

/* The JSON form, palloc'd. */
static char *
Text(const ClvPackedPopulation *stored)
{
	const ClvPopulationValue *population = OfStored(stored, CurrentMemoryContext);
	StringInfoData out;
	char date[MAXDATELEN + 1];

	initStringInfo(&out);
	appendStringInfo(&out,
					 "{\"version\":%d,\"as_of\":\"%s\",\"bins\":%d,\"customers\":" INT64_FORMAT
					 ",\"skipped\":" INT64_FORMAT,
					 JSON_VERSION, clv_date_text(population->rows.as_of, date),
					 population->rows.bins, population->customers, population->skipped);
	for (int i = 0; i < clv_population_measures(population); i++)
	{
		appendStringInfo(&out, ",\"%s\":", clv_measure_name[i]);
		AppendCounted(&out, &population->measure[i]);
	}
	if (population->rows.model != NULL)
		appendStringInfo(&out, ",\"model\":%s",
						 DatumGetCString(DirectFunctionCall1(
							 clv_model_out, PointerGetDatum(population->rows.model))));
	appendStringInfoChar(&out, '}');
	return out.data;
}

#define VALUES "a list of numbers"
#define COUNTS "a list of whole numbers from 1"
#define COUNTED "an object with level, values and counts"

/* The members of a measure; -1 where they were not there yet. */
typedef struct Lists
{
	int level;
	int values;
	int counts;
	ClvCount *list;
} Lists;

/* The length of a list, which must not be longer than those that are made. */
static int
Length(const ClvMember *member, const char *what)
{
	int length = clv_json_length(member, what);

	if (length > CLV_COUNTED_VALUES)
		clv_json_wrong(member, psprintf("%s, at most %d", what, CLV_COUNTED_VALUES));
	return length;
}

/* Takes one member of a measure; false where it is unknown. */
static bool
TakeList(Lists *lists, const ClvMember *member)
{
	if (clv_json_is(member, "level"))
		lists->level = (int) clv_json_whole(member, 0, CLV_COUNTED_LEVELS);
	else if (clv_json_is(member, "values"))
	{
		lists->values = Length(member, VALUES);
		for (int i = 0; i < lists->values; i++)
		{
			ClvMember value = clv_json_element(member, i, VALUES);

			lists->list[i].key = clv_counted_key(clv_cuts_number(&value, VALUES));
		}
	}
	else if (clv_json_is(member, "counts"))
	{
		lists->counts = Length(member, COUNTS);
		for (int i = 0; i < lists->counts; i++)
		{
			ClvMember count = clv_json_element(member, i, COUNTS);

			lists->list[i].count = clv_json_whole(&count, 1, PG_INT64_MAX);
		}
	}
	else
		return false;
	return true;
}

/* Reads what is counted of a measure. */
static void
ReadCounted(ClvCounted *counted, const ClvMember *member)
{
	Lists lists = {-1, -1, -1, NULL};
	ClvMember part;

	lists.list = palloc0(CLV_COUNTED_VALUES * sizeof(ClvCount));
	clv_json_open(&part, clv_json_container(member, COUNTED), "a measure of clv_population");
	while (clv_json_next(&part))
		if (!TakeList(&lists, &part))
			clv_json_unknown(&part, "level, values and counts");
	if (lists.level < 0 || lists.values < 0 || lists.counts != lists.values ||
		counted->counts != NULL ||
		!clv_counted_take(counted, lists.level, lists.list, lists.values))
		clv_json_bad("clv_population", member->key,
					 "an object with a level, ascending values that it leaves as they are, and as "
					 "many counts");
	pfree(lists.list);
}

/* The members that are there. */
typedef struct Parts
{
	int64 version;
	bool dated;
	bool counted[CLV_MEASURES];
} Parts;

/* Takes one member; false where it is unknown. */
static bool
TakeMember(ClvPopulationValue *population, Parts *parts, ClvMember *member)
{
	for (int i = 0; i < CLV_MEASURES; i++)
		if (clv_json_is(member, clv_measure_name[i]))
		{
			ReadCounted(&population->measure[i], member);
			parts->counted[i] = true;
			return true;
		}
	if (clv_json_is(member, "version"))
		parts->version = clv_json_whole(member, JSON_VERSION, JSON_VERSION);
	else if (clv_json_is(member, "as_of"))
	{
		population->rows.as_of = clv_json_date(member);
		parts->dated = true;
	}
	else if (clv_json_is(member, "bins"))
		population->rows.bins = (int) clv_json_whole(member, CLV_MIN_BINS, CLV_MAX_BINS);
	else if (clv_json_is(member, "customers"))
		population->customers = clv_json_whole(member, 0, PG_INT64_MAX);
	else if (clv_json_is(member, "skipped"))
		population->skipped = clv_json_whole(member, 0, PG_INT64_MAX);
	else if (clv_json_is(member, "model"))
		clv_cuts_rows_model(
			&population->rows,
			(ClvPackedModel *) DatumGetPointer(DirectFunctionCall1(
				clv_model_from_jsonb, JsonbPGetDatum(JsonbValueToJsonb(&member->value)))));
	else
		return false;
	return true;
}

/* Raises an error unless all members were there, and none that wants a model without one. */
static void
CheckMembers(const ClvPopulationValue *population, const Parts *parts)
{
	const char *missing = parts->version < 0           ? "version"
						  : !parts->dated              ? "as_of"
						  : population->rows.bins == 0 ? "bins"
						  : population->customers < 0  ? "customers"
						  : population->skipped < 0    ? "skipped"
													   : NULL;

	for (int i = 0; i < CLV_MEASURES && missing == NULL; i++)
	{
		bool wanted = i < clv_population_measures(population);

		if (wanted && !parts->counted[i])
			missing = clv_measure_name[i];
		else if (!wanted && parts->counted[i])
			clv_json_bad("clv_population", clv_measure_name[i], "left out where there is no model");
	}
	if (missing != NULL)
		clv_json_missing("clv_population", missing);
}

/* The population of a JSON object; errors name a member that is missing, unknown or out of range.
 */
static ClvPackedPopulation *
OfJson(Jsonb *json)
{
	ClvPopulationValue *population = clv_population_create(CurrentMemoryContext);
	Parts parts = {.version = -1};
	ClvMember member;

	population->customers = population->skipped = -1;
	clv_json_open(&member, &json->root, "clv_population");
	while (clv_json_next(&member))
		if (!TakeMember(population, &parts, &member))
			clv_json_unknown(
				&member, "version, as_of, bins, customers, skipped, the six measures and model");
	CheckMembers(population, &parts);
	Check(population);
	return Pack(population);
}

/* ---- SQL ---- */

/* clv_population_recv(internal) -> clv_population: reads the binary form; an error unless it is the
 * canonical one. */
PG_FUNCTION_INFO_V1(clv_population_recv);
Datum
clv_population_recv(PG_FUNCTION_ARGS)
{
	StringInfo in = (StringInfo) PG_GETARG_POINTER(0);
	int start = in->cursor;
	ClvPackedPopulation *stored = Pack(Unpack(in, CurrentMemoryContext));

	clv_canonical_check(stored, in->data + start, in->cursor - start, "clv_population");
	PG_RETURN_POINTER(stored);
}

/* Input, output, send, casts and comparison; the binary form is the stored one. */
CLV_JSON_TYPE(clv_population, OfJson, Text, PG_GETARG_CLV_POPULATION_P);
