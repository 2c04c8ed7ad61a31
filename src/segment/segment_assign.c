/*
 * segment_assign.c
 *		segment_assign(scores, map, attributes)
 *
 * A call site keeps the rules it compiled last. A named map is read again when the
 * table may have changed: once for each statement of a query, though not for each
 * row, and once for each change seen by a call site that outlives its statement, as
 * those of PL/pgSQL do.
 */
#include "segment/map.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/last_value.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* With few scores below 10 the answer for every cell is kept. */
#define MEMO_SCORES 4
#define MEMO_BASE 10
#define MEMO_SIZE 10000 /* MEMO_BASE to the power of MEMO_SCORES */
#define MEMO_NOTHING 0  /* else 1 + the index of the rule */

/* What a call site keeps: the rules compiled last, and answers by cell. */
typedef struct AssignSite
{
	MemoryContext memory; /* of the rules and all that belongs to them */
	ClvRules *rules;
	text *map; /* as it was given */
	bool named;
	ClvMapVersion version;
	ClvAttributeValue *values; /* room for a row's attributes */
	uint16 *memo;              /* or NULL where the rules are not of that kind */

	TupleDesc desc; /* of clv_scores */
	Oid type;
} AssignSite;

/* What the call site keeps, made on the first call. */
static AssignSite *
Site(FmgrInfo *flinfo)
{
	AssignSite *site = flinfo->fn_extra;

	if (site == NULL)
	{
		site = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(AssignSite));
		site->memory =
			AllocSetContextCreate(flinfo->fn_mcxt, "segment_assign rules", ALLOCSET_SMALL_SIZES);
		flinfo->fn_extra = site;
	}
	return site;
}

/* Whether the compiled rules are those of the map as the query sees it. */
static bool
IsCurrent(const AssignSite *site, const text *map)
{
	ClvMapVersion now;

	if (site->rules == NULL || !clv_same_bytes(site->map, map))
		return false;
	if (!site->named)
		return true;
	now = clv_map_version();
	return now.xmin == site->version.xmin && now.xmax == site->version.xmax &&
		   now.running == site->version.running && now.subrunning == site->version.subrunning &&
		   now.command == site->version.command;
}

/* The number of bits that are set. */
static int
CountBits(int mask)
{
	int count = 0;

	for (; mask != 0; mask &= mask - 1)
		count++;
	return count;
}

/* The map that 'auto' stands for: rfmtc where the scores were made with a model, else rfm. */
static const text *
MeantMap(const text *map, const ClvScores *scores)
{
	if (VARSIZE_ANY_EXHDR(map) != strlen(CLV_MAP_AUTO) ||
		memcmp(VARDATA_ANY(map), CLV_MAP_AUTO, strlen(CLV_MAP_AUTO)) != 0)
		return map;
	return cstring_to_text(isnan(scores->p_alive) ? "rfm" : "rfmtc");
}

/* Compiles the map. An error leaves the site without rules. */
static void
TakeMap(AssignSite *site, const text *map, Oid function)
{
	MemoryContext old;
	ClvRules *rules;

	site->rules = NULL;
	MemoryContextReset(site->memory);
	old = MemoryContextSwitchTo(site->memory);
	site->map = (text *) PG_DETOAST_DATUM_COPY(PointerGetDatum(map));
	site->named = !clv_map_is_list(map);
	site->version = clv_map_version();
	rules = clv_map_read(map, function);
	site->values = palloc(Max(rules->nattributes, 1) * sizeof(ClvAttributeValue));
	site->memo = NULL;
	if (rules->nattributes == 0 && CountBits(rules->needs) <= MEMO_SCORES &&
		rules->nrules < PG_UINT16_MAX)
		site->memo = palloc0(MEMO_SIZE * sizeof(uint16));
	MemoryContextSwitchTo(old);
	site->rules = rules;
}

/* Reads the scores; false where the customer has none. */
static bool
ReadScores(AssignSite *site, FmgrInfo *flinfo, HeapTupleHeader row, ClvScores *scores)
{
	Oid type = HeapTupleHeaderGetTypeId(row);

	if (site->desc == NULL || site->type != type)
	{
		MemoryContext old = MemoryContextSwitchTo(flinfo->fn_mcxt);

		site->desc = lookup_rowtype_tupdesc_copy(type, HeapTupleHeaderGetTypMod(row));
		MemoryContextSwitchTo(old);
		if (type == RECORDOID)
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							errmsg("scores must be of type clv_scores, not an unnamed row")));
		clv_check_row_type(site->desc);
		site->type = type;
	}
	return clv_scores_read(site->desc, row, scores);
}

/* Looks up an attribute in a JSON object, which may be NULL; a ClvAttributeReader. */
static void
ReadAttribute(void *source, const char *name, ClvAttributeValue *value)
{
	Jsonb *attributes = source;
	JsonbValue found;

	value->kind = CLV_ATTRIBUTE_NULL;
	if (attributes == NULL ||
		getKeyJsonValueFromContainer(&attributes->root, name, strlen(name), &found) == NULL)
		return;
	clv_attribute_value(&found, value);
}

/* The attributes in argument 2, NULL where it is NULL; an error unless they are a JSON object. */
static Jsonb *
AttributesArgument(FunctionCallInfo fcinfo)
{
	Jsonb *attributes;

	if (PG_ARGISNULL(2))
		return NULL;
	attributes = PG_GETARG_JSONB_P(2);
	if (!JB_ROOT_IS_OBJECT(attributes))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("attributes must be a JSON object"),
						errhint("Such as jsonb_build_object('trend', 0.5).")));
	return attributes;
}

/* The index of the scores in the memo, or -1 where one of them has no place in it. */
static int
MemoIndex(const AssignSite *site, const ClvScores *scores)
{
	int index = 0;

	for (int i = 0; i < CLV_MEASURES; i++)
		if ((site->rules->needs & (1 << i)) != 0)
		{
			int score = scores->score[i];

			if (score < 1 || score >= MEMO_BASE)
				return -1;
			index = index * MEMO_BASE + score;
		}
	return index;
}

/* The index of the first rule that holds, -1 where none does; from the memo where it is there. */
static int
FindRule(AssignSite *site, const ClvScores *scores, FunctionCallInfo fcinfo, bool may_lack)
{
	const ClvRules *rules = site->rules;
	int memo = site->memo == NULL ? -1 : MemoIndex(site, scores);
	int rule;

	if (memo >= 0 && site->memo[memo] != MEMO_NOTHING)
		return site->memo[memo] - 1;
	for (int i = 0; i < rules->nattributes; i++)
		site->values[i].kind = CLV_ATTRIBUTE_UNREAD;
	rule = clv_rules_match(rules, scores, site->values, ReadAttribute,
						   rules->nattributes > 0 ? AttributesArgument(fcinfo) : NULL, may_lack);
	if (memo >= 0 && rule >= 0)
		site->memo[memo] = rule + 1;
	return rule;
}

/* The segment by the arguments of segment_assign; NULL where what a rule needs is missing, if that
 * may be. */
static Datum
Assign(FunctionCallInfo fcinfo, bool may_lack)
{
	AssignSite *site;
	const text *map;
	ClvScores scores;
	bool exists;
	int rule;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	site = Site(fcinfo->flinfo);
	exists = ReadScores(site, fcinfo->flinfo, PG_GETARG_HEAPTUPLEHEADER(0), &scores);
	map = MeantMap(PG_GETARG_TEXT_PP(1), &scores);
	if (!IsCurrent(site, map))
		TakeMap(site, map, fcinfo->flinfo->fn_oid);
	if (!exists)
		PG_RETURN_NULL();
	rule = FindRule(site, &scores, fcinfo, may_lack);
	if (rule < 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(clv_rule_segment(&site->rules->rules[rule], &scores));
}

/*
 * segment_assign(scores, map, attributes) -> text: the name of the segment; NULL for NULL scores or
 * map, and where no rule holds.
 */
PG_FUNCTION_INFO_V1(segment_assign);
Datum
segment_assign(PG_FUNCTION_ARGS)
{
	return Assign(fcinfo, false);
}

/* clv_segment_or_null(scores, map, attributes) -> text: the same, NULL where what a rule needs is
 * not known. */
PG_FUNCTION_INFO_V1(clv_segment_or_null);
Datum
clv_segment_or_null(PG_FUNCTION_ARGS)
{
	return Assign(fcinfo, true);
}

/* clv_segment_rule_valid(map, position, segment, rule) -> true, or an error where the rule is
 * malformed. */
PG_FUNCTION_INFO_V1(clv_segment_rule_valid);
Datum
clv_segment_rule_valid(PG_FUNCTION_ARGS)
{
	char *map = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ClvRules *rules = clv_rules_create(psprintf("segment map \"%s\"", map));

	clv_rules_add(rules, PG_GETARG_INT32(1), text_to_cstring(PG_GETARG_TEXT_PP(2)),
				  &PG_GETARG_JSONB_P(3)->root);
	PG_RETURN_BOOL(true);
}
