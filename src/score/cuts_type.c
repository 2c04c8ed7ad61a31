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
 *
 *	{"version":2,"as_of":"1997-09-30","customers":0,"skipped":0,"recency":[30,90],"value":[50],
 *	 "model":{..}}
 *
 * Here any of the lists may be left out, but not all, and each has a length of its own; as_of,
 * customers and skipped may be left out, and the model where churn and value are.
 */
#include "score/cuts.h"

#include <math.h>

#include "common/json_type.h"
#include "common/json.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

#define JSON_VERSION 2
#define CUTS "a list of numbers"

extern Datum clv_model_out(PG_FUNCTION_ARGS);
extern Datum clv_model_from_jsonb(PG_FUNCTION_ARGS);

/* ---- out ---- */

/* The JSON form of the cuts, palloc'd. */
static char *
CutsText(const ClvCuts *cuts)
{
	ClvCutsParts parts;
	StringInfoData out;
	int shared;
	char date[MAXDATELEN + 1];

	clv_cuts_unpack_value(cuts, &parts);
	shared = clv_cuts_shared_bins(&parts);
	initStringInfo(&out);
	appendStringInfo(&out, "{\"version\":%d", shared > 0 ? 1 : JSON_VERSION);
	if (parts.has_as_of)
		appendStringInfo(&out, ",\"as_of\":\"%s\"", clv_date_text(parts.as_of, date));
	if (shared > 0)
		appendStringInfo(&out, ",\"bins\":%d", shared);
	appendStringInfo(&out, ",\"customers\":" INT64_FORMAT ",\"skipped\":" INT64_FORMAT,
					 parts.customers, parts.skipped);
	for (int i = 0; i < CLV_MEASURES; i++)
	{
		if (parts.points.bins[i] == 0)
			continue;
		appendStringInfo(&out, ",\"%s\":[", clv_measure_name[i]);
		for (int j = 0; j < parts.points.bins[i] - 1; j++)
		{
			if (j > 0)
				appendStringInfoChar(&out, ',');
			clv_append_double(&out, parts.points.cut[i][j]);
		}
		appendStringInfoChar(&out, ']');
	}
	if (parts.model != NULL)
		appendStringInfo(
			&out, ",\"model\":%s",
			DatumGetCString(DirectFunctionCall1(clv_model_out, PointerGetDatum(parts.model))));
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* ---- in ---- */

double
clv_cuts_number(const ClvMember *member, const char *what)
{
	char *word;

	if (member->value.type != jbvString)
		return clv_json_number(member);
	word = clv_json_string(member);
	if (strcmp(word, "Infinity") == 0)
		return INFINITY;
	if (strcmp(word, "-Infinity") == 0)
		return -INFINITY;
	clv_json_wrong(member, what);
}

/* Reads the cuts of a measure; an error where there are none. */
static void
ReadCuts(const ClvMember *member, ClvCutPoints *points, int measure)
{
	int n = clv_json_length(member, CUTS);

	if (n < 1 || n > CLV_MAX_BINS - 1)
		clv_json_wrong(member, psprintf("a list of 1 to %d numbers", CLV_MAX_BINS - 1));
	for (int i = 0; i < n; i++)
	{
		ClvMember cut = clv_json_element(member, i, CUTS);

		points->cut[measure][i] = clv_cuts_number(&cut, CUTS);
	}
	points->bins[measure] = n + 1;
}

/* The members of JSON that are no part of cuts. */
typedef struct Form
{
	int64 version;
	bool has_bins;
	int64 bins;
} Form;

/* Takes one member; false where it is unknown. */
static bool
TakeMember(ClvCutsParts *parts, Form *form, ClvMember *member)
{
	for (int i = 0; i < CLV_MEASURES; i++)
		if (clv_json_is(member, clv_measure_name[i]))
		{
			ReadCuts(member, &parts->points, i);
			return true;
		}
	if (clv_json_is(member, "version"))
		form->version = clv_json_whole(member, 0, PG_INT32_MAX);
	else if (clv_json_is(member, "as_of"))
	{
		parts->as_of = clv_json_date(member);
		parts->has_as_of = true;
	}
	else if (clv_json_is(member, "bins"))
	{
		form->bins = clv_json_whole(member, PG_INT32_MIN, PG_INT32_MAX);
		form->has_bins = true;
	}
	else if (clv_json_is(member, "customers"))
		parts->customers = clv_json_whole(member, 0, PG_INT64_MAX);
	else if (clv_json_is(member, "skipped"))
		parts->skipped = clv_json_whole(member, 0, PG_INT64_MAX);
	else if (clv_json_is(member, "model"))
		parts->model = (ClvPackedModel *) DatumGetPointer(DirectFunctionCall1(
			clv_model_from_jsonb, JsonbPGetDatum(JsonbValueToJsonb(&member->value))));
	else
		return false;
	return true;
}

/* Checks that version 1 has all its members, and lists of bins - 1 numbers. */
static void
CheckMembers(const ClvCutsParts *parts, const Form *form)
{
	if (!parts->has_as_of)
		clv_json_bad("clv_cuts", "as_of", "given");
	clv_check_bins((int) form->bins);
	for (int i = 0; i < CLV_MEASURES; i++)
	{
		bool wanted = i < CLV_PLAIN_MEASURES || parts->model != NULL;

		if (parts->points.bins[i] > 0 && !wanted)
			clv_json_bad("clv_cuts", clv_measure_name[i], "left out where there is no model");
		if (wanted && parts->points.bins[i] != form->bins)
			clv_json_bad("clv_cuts", clv_measure_name[i],
						 psprintf("a list of %d number%s for %d bins", (int) form->bins - 1,
								  form->bins == 2 ? "" : "s", (int) form->bins));
	}
	clv_cuts_check_customers(parts, 1);
}

/* The cuts of a JSON object; errors name a member that is missing, unknown or out of range. */
static ClvCuts *
CutsFromJson(Jsonb *json)
{
	ClvCutsParts parts;
	ClvMember member;
	Form form = {0};

	memset(&parts, 0, sizeof(parts));
	clv_json_open(&member, &json->root, "clv_cuts");
	while (clv_json_next(&member))
		if (!TakeMember(&parts, &form, &member))
			clv_json_unknown(
				&member, "version, as_of, bins, customers, skipped, the six measures and model");
	if (form.version < 1 || form.version > JSON_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("clv_cuts needs \"version\":1 or \"version\":%d", JSON_VERSION)));
	if (form.version == 1)
		CheckMembers(&parts, &form);
	else if (form.has_bins)
		clv_json_bad("clv_cuts", "bins", "left out in version 2, where each list has its length");
	return clv_cuts_pack(&parts);
}

/* ---- SQL ---- */

/* Input, output, send, recv, casts and comparison; the binary form is the stored one. */
CLV_JSON_TYPE(clv_cuts, CutsFromJson, CutsText, PG_GETARG_CLV_CUTS_P);
CLV_CANONICAL_RECV(clv_cuts, ClvCutsParts, clv_cuts_unpack, clv_cuts_pack);
