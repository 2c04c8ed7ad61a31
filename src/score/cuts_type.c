/*
 * cuts_type.c
 *		The type clv_cuts as SQL sees it: input, output, casts, comparison.
 *
 *	{"version":1,"as_of":"1997-09-30","bins":5,"customers":2357,"skipped":0,
 *	 "recency":[..],"frequency":[..],"monetary":[..],"tenure":[..],
 *	 "churn":[..],"value":[..],"model":{..}}
 *
 * Each list holds the bins - 1 cuts in ascending order, in days, purchases,
 * money, days, a probability and money. The last three members come together,
 * with a model, or not at all.
 */
#include "score/cuts.h"

#include <math.h>

#include "common/canonical.h"
#include "common/input.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#define JSON_VERSION 1

extern Datum clv_model_out(PG_FUNCTION_ARGS);
extern Datum clv_model_from_jsonb(PG_FUNCTION_ARGS);

/* ---- out ---- */

static char *
CutsText(const ClvCuts *cuts)
{
	ClvCutsParts parts;
	StringInfoData out;
	char		date[MAXDATELEN + 1];

	clv_cuts_unpack_value(cuts, &parts);
	initStringInfo(&out);
	appendStringInfo(&out,
					 "{\"version\":%d,\"as_of\":\"%s\",\"bins\":%d,\"customers\":" INT64_FORMAT
					 ",\"skipped\":" INT64_FORMAT,
					 JSON_VERSION, clv_date_text(parts.as_of, date), parts.points.bins,
					 parts.customers, parts.skipped);
	for (int i = 0; i < CLV_MEASURES && parts.points.known[i]; i++)
	{
		appendStringInfo(&out, ",\"%s\":[", clv_measure_name[i]);
		for (int j = 0; j < parts.points.bins - 1; j++)
		{
			if (j > 0)
				appendStringInfoChar(&out, ',');
			clv_append_double(&out, parts.points.cut[i][j]);
		}
		appendStringInfoChar(&out, ']');
	}
	if (parts.model != NULL)
		appendStringInfo(&out, ",\"model\":%s",
						 DatumGetCString(
							 DirectFunctionCall1(clv_model_out, PointerGetDatum(parts.model))));
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* ---- in ---- */

static pg_attribute_noreturn() void
WrongMember(const char *key, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" of clv_cuts must be %s", key, what)));
}

static int64
WholeNumber(const char *key, const JsonbValue *value)
{
	int64		whole;

	if (value->type != jbvNumeric ||
		!clv_whole_number(NumericGetDatum(value->val.numeric), PG_INT64_MIN, PG_INT64_MAX, &whole))
		WrongMember(key, "a whole number");
	return whole;
}

static DateADT
Day(const char *key, const JsonbValue *value)
{
	char	   *text;

	if (value->type != jbvString)
		WrongMember(key, "a date like 1997-09-30");
	text = pnstrdup(value->val.string.val, value->val.string.len);
	if (!clv_is_date_text(text))
		WrongMember(key, "a date like 1997-09-30");
	return DatumGetDateADT(DirectFunctionCall1(date_in, CStringGetDatum(text)));
}

static double
Number(const char *key, const JsonbValue *value)
{
	if (value->type == jbvNumeric)
		return DatumGetFloat8(
			DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
	if (value->type == jbvString && value->val.string.len == 8 &&
		memcmp(value->val.string.val, "Infinity", 8) == 0)
		return INFINITY;
	if (value->type == jbvString && value->val.string.len == 9 &&
		memcmp(value->val.string.val, "-Infinity", 9) == 0)
		return -INFINITY;
	WrongMember(key, "a list of numbers");
}

/* Reads a list of cuts; returns their number. */
static int
Cuts(const char *key, const JsonbValue *value, double *cuts)
{
	JsonbContainer *list = value->val.binary.data;
	int			n;

	if (value->type != jbvBinary || !JsonContainerIsArray(list))
		WrongMember(key, "a list of numbers");
	n = JsonContainerSize(list);
	if (n > CLV_MAX_BINS - 1)
		WrongMember(key, psprintf("a list of at most %d numbers", CLV_MAX_BINS - 1));
	for (int i = 0; i < n; i++)
		cuts[i] = Number(key, getIthJsonbValueFromContainer(list, i));
	return n;
}

/* Takes one member; false where nobody knows it. counts holds the lengths of the lists. */
static bool
TakeMember(ClvCutsParts *parts, int64 *version, int *counts, const char *key,
		   JsonbValue *value)
{
	for (int i = 0; i < CLV_MEASURES; i++)
		if (strcmp(key, clv_measure_name[i]) == 0)
		{
			counts[i] = Cuts(key, value, parts->points.cut[i]);
			parts->points.known[i] = true;
			return true;
		}
	if (strcmp(key, "version") == 0)
		*version = WholeNumber(key, value);
	else if (strcmp(key, "as_of") == 0)
		parts->as_of = Day(key, value);
	else if (strcmp(key, "bins") == 0)
	{
		int64		bins = WholeNumber(key, value);

		parts->points.bins = (int) Max(Min(bins, PG_INT32_MAX), PG_INT32_MIN);
	}
	else if (strcmp(key, "customers") == 0)
		parts->customers = WholeNumber(key, value);
	else if (strcmp(key, "skipped") == 0)
		parts->skipped = WholeNumber(key, value);
	else if (strcmp(key, "model") == 0)
		parts->model = (ClvPackedModel *) DatumGetPointer(DirectFunctionCall1(
			clv_model_from_jsonb, JsonbPGetDatum(JsonbValueToJsonb(value))));
	else
		return false;
	return true;
}

/* What a reader must find, and in what numbers. */
static void
CheckMembers(const ClvCutsParts *parts, int64 version, const int *counts)
{
	if (version != JSON_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("clv_cuts needs \"version\":%d", JSON_VERSION)));
	if (DATE_IS_NOBEGIN(parts->as_of))
		WrongMember("as_of", "given");
	clv_check_bins(parts->points.bins);
	for (int i = 0; i < CLV_MEASURES; i++)
	{
		bool		wanted = i < CLV_PLAIN_MEASURES || parts->model != NULL;

		if (parts->points.known[i] && !wanted)
			WrongMember(clv_measure_name[i], "left out where there is no model");
		if (wanted && counts[i] != parts->points.bins - 1)
			WrongMember(clv_measure_name[i],
						psprintf("a list of %d numbers for %d bins", parts->points.bins - 1,
								 parts->points.bins));
	}
}

static ClvCuts *
CutsFromJson(Jsonb *json)
{
	ClvCutsParts parts;
	JsonbIterator *it;
	JsonbValue	value;
	int64		version = 0;
	int			counts[CLV_MEASURES] = {0};

	memset(&parts, 0, sizeof(parts));
	parts.as_of = DATEVAL_NOBEGIN;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("clv_cuts must be a JSON object")));
	it = JsonbIteratorInit(&json->root);
	(void) JsonbIteratorNext(&it, &value, true);
	while (JsonbIteratorNext(&it, &value, true) == WJB_KEY)
	{
		char	   *key = pnstrdup(value.val.string.val, value.val.string.len);

		(void) JsonbIteratorNext(&it, &value, true);
		if (!TakeMember(&parts, &version, counts, key, &value))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("unknown member \"%s\" of clv_cuts", key)));
	}
	CheckMembers(&parts, version, counts);
	return clv_cuts_pack(&parts);
}

/* ---- SQL ---- */

static Datum
ParseCuts(const char *text)
{
	Datum		json = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));

	PG_RETURN_CLV_CUTS_P(CutsFromJson(DatumGetJsonbP(json)));
}

CLV_INPUT_FUNCTION(clv_cuts_in, ParseCuts);

PG_FUNCTION_INFO_V1(clv_cuts_out);
Datum
clv_cuts_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(CutsText(PG_GETARG_CLV_CUTS_P(0)));
}

PG_FUNCTION_INFO_V1(clv_cuts_recv);
Datum
clv_cuts_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	int			start = in->cursor;
	ClvCutsParts parts;
	ClvCuts    *cuts;

	clv_cuts_unpack(in, &parts);
	cuts = clv_cuts_pack(&parts);
	clv_canonical_check(cuts, in->data + start, in->cursor - start, "clv_cuts");
	PG_RETURN_CLV_CUTS_P(cuts);
}

/* What is stored is what is sent. */
CLV_CANONICAL_FUNCTION(clv_cuts_send, clv_canonical_send(fcinfo));

PG_FUNCTION_INFO_V1(clv_cuts_to_jsonb);
Datum
clv_cuts_to_jsonb(PG_FUNCTION_ARGS)
{
	char	   *text = CutsText(PG_GETARG_CLV_CUTS_P(0));

	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

PG_FUNCTION_INFO_V1(clv_cuts_from_jsonb);
Datum
clv_cuts_from_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_CLV_CUTS_P(CutsFromJson(PG_GETARG_JSONB_P(0)));
}

CLV_CANONICAL_TYPE(clv_cuts);
