/*
 * match.c
 *		Finding the first rule that holds.
 */
#include "segment/rules.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"

static const char *const kind_name[] = {
	[CLV_ATTRIBUTE_UNREAD] = "unread",     [CLV_ATTRIBUTE_NULL] = "missing",
	[CLV_ATTRIBUTE_NUMBER] = "a number",   [CLV_ATTRIBUTE_STRING] = "a string",
	[CLV_ATTRIBUTE_BOOLEAN] = "a boolean", [CLV_ATTRIBUTE_OTHER] = "a list or object",
};

/* ---- one rule ---- */

/* Whether the scores together are one of the test's cells, by bisection; false for scores of two
 * digits. */
static bool
CellHolds(const ClvCellTest *test, const ClvScores *scores)
{
	int32 cell = 0;
	int low = 0;
	int high = test->count;

	for (int i = 0; i < test->measures; i++)
	{
		int score = scores->score[test->measure[i]];

		if (score > 9)
			return false;
		cell = cell * 10 + score;
	}
	while (low < high)
	{
		int middle = (low + high) / 2;

		if (test->cell[middle] < cell)
			low = middle + 1;
		else
			high = middle;
	}
	return low < test->count && test->cell[low] == cell;
}

/* Whether two attribute values are of one kind and equal. */
static bool
SameValue(const ClvAttributeValue *a, const ClvAttributeValue *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == CLV_ATTRIBUTE_STRING)
		return a->length == b->length && memcmp(a->string, b->string, a->length) == 0;
	return a->number == b->number;
}

/* Whether a value is one of the test's list, or lies within its bounds. */
static bool
AttributeHolds(const ClvAttributeTest *test, const ClvAttributeValue *value)
{
	for (int i = 0; i < test->count; i++)
		if (SameValue(value, &test->value[i]))
			return true;
	if (test->count > 0 || value->kind != CLV_ATTRIBUTE_NUMBER)
		return false;
	return (test->above ? value->number > test->low : value->number >= test->low) &&
		   (test->below ? value->number < test->high : value->number <= test->high);
}

bool
clv_rule_holds(const ClvRule *rule, const ClvScores *scores, const ClvAttributeValue *values)
{
	for (int i = 0; i < CLV_MEASURES; i++)
	{
		int score = scores->score[i];

		if ((rule->tests & (1 << i)) != 0 &&
			(rule->score[i].bits[score / 64] & (UINT64CONST(1) << (score % 64))) == 0)
			return false;
	}
	for (int i = 0; i < rule->ncells; i++)
		if (!CellHolds(&rule->cells[i], scores))
			return false;
	for (int i = 0; i < rule->nattributes; i++)
		if (!AttributeHolds(&rule->attributes[i], &values[rule->attributes[i].attribute]))
			return false;
	return true;
}

/* ---- what a reached rule needs ---- */

/* Raises the error of a score that is NULL where a reached rule needs it. */
static pg_attribute_noreturn() void MissingScore(const ClvRules *rules, const ClvRule *rule,
												 int measure)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("score %c is NULL, but rule %d (\"%s\") of %s needs it",
					clv_score_letter[measure], rule->number, rule->segment, rules->name),
			 measure >= CLV_PLAIN_MEASURES
				 ? errhint("The scores c and v need a model: rfmtc_score(history, model) OVER ().")
				 : errhint("Scores come from rfmtc_score(); against limits given to clv_cuts() it leaves "
						   "out scores without limits.")));
}

/* Raises the error of an attribute that is missing where a reached rule needs it. */
static pg_attribute_noreturn() void MissingAttribute(const ClvRules *rules, const ClvRule *rule,
													 const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("attribute \"%s\" is missing or NULL, but rule %d (\"%s\") of %s needs it",
					name, rule->number, rule->segment, rules->name),
			 errhint("Give it as the third argument, such as segment_assign(scores, map, "
					 "jsonb_build_object('%s', ...)).",
					 name)));
}

/* Raises the error of a value that is missing where a reached rule needs it. */
static pg_attribute_noreturn() void MissingValue(const ClvRules *rules, const ClvRule *rule,
												 const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("value \"%s\" is missing or NULL, but rule %d (\"%s\") of %s needs it", name,
					rule->number, rule->segment, rules->name),
			 errhint("Scores made with a model bring p_alive and churn along. Others are given as the "
					 "third argument, such as to_jsonb(rfmtc(history, as_of, model)) || "
					 "to_jsonb(clv_predict(model, history)).")));
}

/*
 * Reads P(alive), or churn, 1 - P(alive): where the customer's attributes have neither, the scores
 * do, if a model was known.
 */
static void
ReadLife(const ClvScores *scores, ClvAttributeReader reader, void *source, const char *name,
		 ClvAttributeValue *value)
{
	bool churn = strcmp(name, "churn") == 0;

	reader(source, churn ? "p_alive" : "churn", value);
	if (value->kind == CLV_ATTRIBUTE_NUMBER)
		value->number = 1.0 - value->number;
	else if (value->kind == CLV_ATTRIBUTE_NULL && !isnan(scores->p_alive))
	{
		value->kind = CLV_ATTRIBUTE_NUMBER;
		value->number = churn ? 1.0 - scores->p_alive : scores->p_alive;
	}
}

/* Reads an attribute or value of the customer. */
static void
ReadInput(const ClvRules *rules, int attribute, const ClvScores *scores,
		  ClvAttributeReader reader, void *source, ClvAttributeValue *value)
{
	const ClvKnownValue *known = rules->known[attribute];

	reader(source, rules->attribute[attribute], value);
	if (value->kind == CLV_ATTRIBUTE_NULL && known != NULL && known->life)
		ReadLife(scores, reader, source, known->name, value);
}

/* Raises an error for an attribute of a kind that the test never compares with. */
static void
CheckKind(const ClvRules *rules, const ClvRule *rule, const ClvAttributeTest *test,
		  const ClvAttributeValue *value)
{
	ClvAttributeKind wanted = CLV_ATTRIBUTE_NUMBER;

	for (int i = 0; i < test->count; i++)
		if ((wanted = test->value[i].kind) == value->kind)
			return;
	if (value->kind != wanted)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("%s \"%s\" is %s, but rule %d (\"%s\") of %s compares it "
							   "with %s",
							   rules->known[test->attribute] != NULL ? "value" : "attribute",
							   rules->attribute[test->attribute], kind_name[value->kind],
							   rule->number, rule->segment, rules->name, kind_name[wanted])));
}

/*
 * Looks up what a reached rule needs; errors where an attribute is of the wrong kind, and where a
 * score or attribute is missing: or then false, if that is asked for.
 */
static bool
CheckNeeds(const ClvRules *rules, const ClvRule *rule, const ClvScores *scores,
		   ClvAttributeValue *values, ClvAttributeReader reader, void *source, bool may_lack)
{
	for (int i = 0; i < CLV_MEASURES; i++)
		if ((rule->needs & (1 << i)) != 0 && scores->score[i] == 0)
		{
			if (may_lack)
				return false;
			MissingScore(rules, rule, i);
		}
	for (int i = 0; i < rule->nattributes; i++)
	{
		const ClvAttributeTest *test = &rule->attributes[i];
		ClvAttributeValue *value = &values[test->attribute];

		if (value->kind == CLV_ATTRIBUTE_UNREAD)
			ReadInput(rules, test->attribute, scores, reader, source, value);
		if (value->kind == CLV_ATTRIBUTE_NULL && may_lack)
			return false;
		if (value->kind == CLV_ATTRIBUTE_NULL && rules->known[test->attribute] != NULL)
			MissingValue(rules, rule, rules->attribute[test->attribute]);
		if (value->kind == CLV_ATTRIBUTE_NULL)
			MissingAttribute(rules, rule, rules->attribute[test->attribute]);
		CheckKind(rules, rule, test, value);
	}
	return true;
}

/*
 * Where the rules list scores and the customer has a higher one than any of them,
 * and than the usual number of bins, the scores were made with more bins than the
 * rules were written for. For a shipped map this is checked at once, for the user's rules
 * where none of them holds.
 */
static void
CheckBins(const ClvRules *rules, const ClvScores *scores)
{
	for (int i = 0; i < CLV_MEASURES; i++)
	{
		int bins = Max(rules->highest[i], CLV_DEFAULT_BINS);

		if (!rules->open[i] && rules->highest[i] > 0 && scores->score[i] > bins)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("score %c = %d is higher than any in %s", clv_score_letter[i],
							scores->score[i], rules->name),
					 errhint("Its rules are written for scores up to %d: score with bins => %d, or "
							 "write a map for more bins.",
							 bins, bins)));
	}
}

int
clv_rules_match(const ClvRules *rules, const ClvScores *scores, ClvAttributeValue *values,
				ClvAttributeReader reader, void *source, bool may_lack)
{
	if (rules->shipped)
		CheckBins(rules, scores);
	for (int i = 0; i < rules->nrules; i++)
	{
		const ClvRule *rule = &rules->rules[i];

		if (!CheckNeeds(rules, rule, scores, values, reader, source, may_lack))
			return -1;
		if (clv_rule_holds(rule, scores, values))
			return i;
	}
	CheckBins(rules, scores);
	return -1;
}

text *
clv_rule_segment(const ClvRule *rule, const ClvScores *scores)
{
	StringInfoData name;

	if (!rule->named_by_scores)
		return cstring_to_text(rule->segment);
	initStringInfo(&name);
	for (const char *next = rule->segment; *next != '\0'; next++)
	{
		const char *letter = NULL;

		if (next[0] == '{' && next[1] != '\0' && next[2] == '}')
			letter = strchr(clv_score_letter, next[1]);
		if (letter != NULL)
		{
			appendStringInfo(&name, "%d", scores->score[letter - clv_score_letter]);
			next += 2;
		}
		else
			appendStringInfoChar(&name, *next);
	}
	return cstring_to_text_with_len(name.data, name.len);
}
