/*
 * sums_type.c
 *		The type clv_sums: what a total needs of customers, as a value.
 *
 * It is the state of clv_predict_total, so that it can be stored and merged, and a distributed
 * engine can move it. While it grows it is an expanded object; stored, it is the canonical bytes
 * that total.h describes; and as text
 *
 *	{"version":1,"level":0.95,"customers":2357,"model":{..},"sums":["1f3a4p-96",..]}
 *
 * with the sums in the order of total.h, exact (common/exact.h).
 */
#include "predict/total.h"

#include <math.h>

#include "common/exact.h"
#include "common/expanded_type.h"
#include "common/json.h"
#include "common/json_type.h"
#include "libpq/pqformat.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define SUMS_VERSION 1
#define JSON_VERSION 1

extern Datum clv_model_out(PG_FUNCTION_ARGS);
extern Datum clv_model_from_jsonb(PG_FUNCTION_ARGS);

CLV_EXPANDED_TYPE(clv_total, ClvTotal, ClvSums, Pack, Unpack);

/* ---- the expanded object ---- */

/* A total of no customers with so many sums, in a memory context of its own; the model is copied.
 */
static ClvTotal *
NewTotal(MemoryContext parent, const ClvPackedModel *model, int nsums, double level)
{
	MemoryContext context = AllocSetContextCreate(parent, "clv_sums", ALLOCSET_START_SMALL_SIZES);
	ClvTotal *total = MemoryContextAllocZero(context, sizeof(ClvTotal));

	EOH_init_header(&total->hdr, &methods, context);
	total->model = MemoryContextAlloc(context, VARSIZE_ANY(model));
	memcpy(total->model, model, VARSIZE_ANY(model));
	total->level = level;
	total->nsums = nsums;
	total->sum = MemoryContextAllocZero(context, nsums * sizeof(ClvExactSum));
	return total;
}

const ClvPackedModel *
clv_total_model(const ClvPackedModel *model, const ClvModel *fitted)
{
	ClvModel common;

	if (fitted->purchase.calendar == NULL)
		return model;
	common = *fitted;
	common.purchase.calendar = NULL;
	common.purchase.awaited += common.purchase.followed;
	return clv_model_pack(&common);
}

ClvTotal *
clv_total_create(MemoryContext parent, const ClvPackedModel *model, const ClvModel *fitted,
				 double level)
{
	return NewTotal(parent, clv_total_model(model, fitted), clv_total_sums(fitted), level);
}

ClvTotal *
clv_total_copy(const ClvTotal *total, MemoryContext parent)
{
	ClvTotal *copy = NewTotal(parent, total->model, total->nsums, total->level);

	copy->customers = total->customers;
	memcpy(copy->sum, total->sum, total->nsums * sizeof(ClvExactSum));
	return copy;
}

/* Raises the error of bytes that are no clv_sums. */
static pg_attribute_noreturn() void Malformed(const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					errmsg("malformed clv_sums: %s", what)));
}

/* Raises an error unless the total can be what customers add up to. */
static void
Check(const ClvTotal *total)
{
	static const int not_negative[] = {CLV_TOTAL_PURCHASES, CLV_TOTAL_PURCHASES_VARIANCE,
									   CLV_TOTAL_VALUE_VARIANCE};
	ClvExactSum size;

	if (total->customers < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("clv_sums of " INT64_FORMAT " customers", total->customers)));
	for (int i = 0; i < (int) lengthof(not_negative); i++)
	{
		const ClvExactSum *sum = &total->sum[not_negative[i]];
		double special = clv_exact_special(sum);

		if (special < 0 || (special == 0 && clv_exact_magnitude(sum, &size)))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("sum %d of clv_sums must not be negative", not_negative[i] + 1),
							errdetail("It adds up purchases, or variances.")));
	}
	for (int i = 0; i < total->nsums && total->customers == 0; i++)
		if (clv_exact_value(&total->sum[i]) != 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("clv_sums of no customers must be 0")));
}

/* The total in bytes, below parent; errors where they are none that Pack() makes. */
static ClvTotal *
Unpack(StringInfo in, MemoryContext parent)
{
	int version = pq_getmsgbyte(in);
	double level;
	int64 customers;
	int size;
	ClvPackedModel *model;
	ClvModel fitted;
	ClvTotal *total;

	if (version != SUMS_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown version of clv_sums: %d", version),
						errdetail("This version of clv reads version %d.", SUMS_VERSION)));
	level = pq_getmsgfloat8(in);
	clv_check_level(level);
	customers = pq_getmsgint64(in);
	size = (int) pq_getmsgint(in, 4);
	if (size < 0 || size > in->len - in->cursor)
		Malformed("the model is not there");
	model = palloc(VARHDRSZ + size);
	SET_VARSIZE(model, VARHDRSZ + size);
	pq_copymsgbytes(in, VARDATA(model), size);
	clv_model_unpack(model, &fitted);
	clv_model_need_purchase_part(&fitted);
	total = clv_total_create(parent, model, &fitted, level);
	total->customers = customers;
	for (int i = 0; i < total->nsums; i++)
		if (!clv_exact_recv(in, &total->sum[i]))
			Malformed(psprintf("sum %d is none", i + 1));
	pq_getmsgend(in);
	Check(total);
	return total;
}

/* The stored form of a total, in the current context. */
static ClvSums *
Pack(const ClvTotal *total)
{
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, SUMS_VERSION);
	pq_sendfloat8(&out, total->level);
	pq_sendint64(&out, total->customers);
	pq_sendint32(&out, VARSIZE_ANY_EXHDR(total->model));
	pq_sendbytes(&out, VARDATA_ANY(total->model), VARSIZE_ANY_EXHDR(total->model));
	for (int i = 0; i < total->nsums; i++)
		clv_exact_send(&out, &total->sum[i]);
	return (ClvSums *) pq_endtypsend(&out);
}

/* ---- text and JSON ---- */

/* The JSON form, palloc'd. */
static char *
Text(const ClvSums *sums)
{
	const ClvTotal *total = OfStored(sums, CurrentMemoryContext);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"version\":%d,\"level\":", JSON_VERSION);
	clv_append_double(&out, total->level);
	appendStringInfo(
		&out, ",\"customers\":" INT64_FORMAT ",\"model\":%s,\"sums\":[", total->customers,
		DatumGetCString(DirectFunctionCall1(clv_model_out, PointerGetDatum(total->model))));
	for (int i = 0; i < total->nsums; i++)
	{
		appendStringInfoString(&out, i > 0 ? ",\"" : "\"");
		clv_exact_append(&out, &total->sum[i]);
		appendStringInfoChar(&out, '"');
	}
	appendStringInfoString(&out, "]}");
	return out.data;
}

/* The members of the JSON form; -1, NaN or NULL where they were not there yet. */
typedef struct Parts
{
	int64 version;
	double level;
	int64 customers;
	ClvPackedModel *model;
	int nsums;
	char **sum; /* as text */
} Parts;

#define SUM "a list of sums such as \"1f3a4p-96\""

/* Reads the list of sums. */
static void
ReadSums(Parts *parts, const ClvMember *member)
{
	parts->nsums = clv_json_length(member, SUM);
	parts->sum = palloc((parts->nsums + 1) * sizeof(char *));
	for (int i = 0; i < parts->nsums; i++)
	{
		ClvMember sum = clv_json_element(member, i, SUM);

		parts->sum[i] = clv_json_string(&sum);
	}
}

/* Takes one member; false where it is unknown. */
static bool
TakeMember(Parts *parts, ClvMember *member)
{
	if (clv_json_is(member, "version"))
		parts->version = clv_json_whole(member, JSON_VERSION, JSON_VERSION);
	else if (clv_json_is(member, "level"))
		parts->level = clv_json_number(member);
	else if (clv_json_is(member, "customers"))
		parts->customers = clv_json_whole(member, 0, PG_INT64_MAX);
	else if (clv_json_is(member, "model"))
		parts->model = (ClvPackedModel *) DatumGetPointer(DirectFunctionCall1(
			clv_model_from_jsonb, JsonbPGetDatum(JsonbValueToJsonb(&member->value))));
	else if (clv_json_is(member, "sums"))
		ReadSums(parts, member);
	else
		return false;
	return true;
}

/* Raises an error unless all members were there. */
static void
CheckMembers(const Parts *parts)
{
	const char *missing = parts->version < 0     ? "version"
						  : isnan(parts->level)  ? "level"
						  : parts->customers < 0 ? "customers"
						  : parts->model == NULL ? "model"
						  : parts->nsums < 0     ? "sums"
												 : NULL;

	if (missing != NULL)
		clv_json_missing("clv_sums", missing);
}

/* The sums of a JSON object; errors name a member that is missing, unknown or out of range. */
static ClvSums *
OfJson(Jsonb *json)
{
	Parts parts = {.version = -1, .level = get_float8_nan(), .customers = -1, .nsums = -1};
	ClvMember member;
	ClvModel fitted;
	ClvTotal *total;

	clv_json_open(&member, &json->root, "clv_sums");
	while (clv_json_next(&member))
		if (!TakeMember(&parts, &member))
			clv_json_unknown(&member, "version, level, customers, model and sums");
	CheckMembers(&parts);
	clv_check_level(parts.level);
	clv_model_unpack(parts.model, &fitted);
	clv_model_need_purchase_part(&fitted);
	total = clv_total_create(CurrentMemoryContext, parts.model, &fitted, parts.level);
	total->customers = parts.customers;
	if (parts.nsums != total->nsums)
		clv_json_bad("clv_sums", "sums",
					 psprintf("a list of %d sums under this model", total->nsums));
	for (int i = 0; i < total->nsums; i++)
		if (!clv_exact_parse(parts.sum[i], &total->sum[i]))
			clv_json_bad("clv_sums", "sums", SUM);
	Check(total);
	return Pack(total);
}

/* clv_sums_recv(internal) -> clv_sums: reads the binary form; an error unless it is the canonical
 * one. */
PG_FUNCTION_INFO_V1(clv_sums_recv);
Datum
clv_sums_recv(PG_FUNCTION_ARGS)
{
	StringInfo in = (StringInfo) PG_GETARG_POINTER(0);
	int start = in->cursor;
	ClvTotal *total = Unpack(in, CurrentMemoryContext);
	ClvModel fitted;
	ClvSums *sums;

	/* the model's bytes, too, must be its canonical ones */
	clv_model_unpack(total->model, &fitted);
	total->model = clv_model_pack(&fitted);
	sums = Pack(total);
	clv_canonical_check(sums, in->data + start, in->cursor - start, "clv_sums");
	PG_RETURN_POINTER(sums);
}

/* Input, output, send, casts and comparison; the binary form is the stored one. */
CLV_JSON_TYPE(clv_sums, OfJson, Text, PG_GETARG_CLV_SUMS_P);
