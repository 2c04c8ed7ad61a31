/*
 * rules.c
 *		Reading rule lists.
 */
#include "segment/rules.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/numeric.h"

#define MAX_CELL_SCORE 9 /* a digit each */

/* Where a rule is being read, for messages. */
typedef struct RuleReader
{
	ClvRules *rules;
	ClvRule *rule;
} RuleReader;

ClvRules *
clv_rules_create(const char *name)
{
	ClvRules *rules = palloc0(sizeof(ClvRules));

	rules->name = pstrdup(name);
	rules->capacity = 16;
	rules->rules = palloc0(rules->capacity * sizeof(ClvRule));
	return rules;
}

/* Raises the error of a rule with a malformed key. */
static pg_attribute_noreturn() void BadRule(const RuleReader *reader, const char *key,
											const char *problem)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("rule %d of %s: \"%s\" %s", reader->rule->number, reader->rules->name,
						   key, problem)));
}

/* The measure of a score's letter, -1 where there is none. */
static int
LetterMeasure(char letter)
{
	const char *found = letter == '\0' ? NULL : strchr(clv_score_letter, letter);

	return found == NULL ? -1 : (int) (found - clv_score_letter);
}

/* A key or string of JSON, palloc'd and null-terminated. */
static char *
KeyText(const JsonbValue *key)
{
	return pnstrdup(key->val.string.val, key->val.string.len);
}

/* A number of JSON as a double. */
static double
NumberOf(const JsonbValue *value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
}

/* Whether the value is a JSON array. */
static bool
IsList(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

/* Whether the value is a JSON object. */
static bool
IsObject(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

/* ---- scores ---- */

/* A score, a whole number from 1 to CLV_MAX_BINS; else an error that names the key. */
static int
ScoreOf(const RuleReader *reader, const char *key, const JsonbValue *value)
{
	double number;

	if (value->type != jbvNumeric)
		BadRule(reader, key, "must hold scores, which are whole numbers");
	number = NumberOf(value);
	if (!(number >= 1 && number <= CLV_MAX_BINS) || number != floor(number))
		BadRule(reader, key,
				psprintf("must hold scores, which are whole numbers from 1 to %d", CLV_MAX_BINS));
	return (int) number;
}

/* Lets the rule pass a score of the measure. */
static void
AllowScore(RuleReader *reader, int measure, int score)
{
	reader->rule->score[measure].bits[score / 64] |= UINT64CONST(1) << (score % 64);
}

/* Lets the rule pass the scores from low to high, and notes the highest for the whole list. */
static void
AllowScores(RuleReader *reader, int measure, int low, int high)
{
	for (int score = low; score <= high; score++)
		AllowScore(reader, measure, score);
	if (high == CLV_MAX_BINS)
		reader->rules->open[measure] = true;
	else
		reader->rules->highest[measure] = Max(reader->rules->highest[measure], high);
}

/* Reads {"min": .., "max": ..}; an error where the range is empty or has another bound. */
static void
ReadScoreRange(RuleReader *reader, int measure, const char *key, JsonbContainer *range)
{
	JsonbIterator *it = JsonbIteratorInit(range);
	JsonbValue value;
	int low = 1;
	int high = CLV_MAX_BINS;
	bool bounded = false;

	(void) JsonbIteratorNext(&it, &value, true);
	while (JsonbIteratorNext(&it, &value, true) == WJB_KEY)
	{
		char *bound = KeyText(&value);

		(void) JsonbIteratorNext(&it, &value, true);
		bounded = true;
		if (strcmp(bound, "min") == 0)
			low = ScoreOf(reader, key, &value);
		else if (strcmp(bound, "max") == 0)
			high = ScoreOf(reader, key, &value);
		else
			BadRule(reader, key,
					psprintf("has an unknown bound \"%s\": a range of scores has "
							 "\"min\" and \"max\"",
							 bound));
	}
	if (!bounded || low > high)
		BadRule(reader, key, "is an empty range");
	AllowScores(reader, measure, low, high);
}

/* Reads the test of one score: a number, a list of them, or a range. */
static void
ReadScoreTest(RuleReader *reader, int measure, const char *key, const JsonbValue *value)
{
	reader->rule->tests |= 1 << measure;
	reader->rule->needs |= 1 << measure;
	if (IsObject(value))
		ReadScoreRange(reader, measure, key, value->val.binary.data);
	else if (IsList(value))
	{
		JsonbContainer *list = value->val.binary.data;

		if (JsonContainerSize(list) == 0)
			BadRule(reader, key, "is an empty list");
		for (uint32 i = 0; i < JsonContainerSize(list); i++)
		{
			int score = ScoreOf(reader, key, getIthJsonbValueFromContainer(list, i));

			AllowScores(reader, measure, score, score);
		}
	}
	else
	{
		int score = ScoreOf(reader, key, value);

		AllowScores(reader, measure, score, score);
	}
}

/* ---- cells ---- */

/* The order of cells, as numbers. */
static int
CompareCells(const void *a, const void *b)
{
	int32 x = *(const int32 *) a;
	int32 y = *(const int32 *) b;

	return (x > y) - (x < y);
}

/* One cell: as many digits as the key has letters. */
static int32
CellOf(const RuleReader *reader, const ClvCellTest *test, const char *key, const JsonbValue *value)
{
	char *digits = NULL;
	int32 cell = 0;

	if (value->type == jbvString)
		digits = KeyText(value);
	else if (value->type == jbvNumeric)
		digits = numeric_normalize(value->val.numeric);
	if (digits == NULL || (int) strlen(digits) != test->measures ||
		(int) strspn(digits, "123456789") != test->measures)
		BadRule(reader, key,
				psprintf("must be a list of cells, each %d digits from 1 to 9", test->measures));
	for (int i = 0; i < test->measures; i++)
	{
		int score = digits[i] - '0';

		reader->rules->highest[test->measure[i]] =
			Max(reader->rules->highest[test->measure[i]], score);
		cell = cell * 10 + score;
	}
	return cell;
}

/* Whether a key names several scores, such as "rfm"; if so, which. */
static bool
IsCellKey(const char *key, ClvCellTest *test)
{
	int seen = 0;

	test->measures = 0;
	for (const char *letter = key; *letter != '\0'; letter++)
	{
		int measure = LetterMeasure(*letter);

		if (measure < 0 || (seen & (1 << measure)) != 0)
			return false;
		seen |= 1 << measure;
		test->measure[test->measures++] = measure;
	}
	return test->measures > 1;
}

/* Reads a list of cells and adds the test to the rule. */
static void
ReadCellTest(RuleReader *reader, ClvCellTest *test, const char *key, const JsonbValue *value)
{
	ClvRule *rule = reader->rule;
	JsonbContainer *list;

	if (!IsList(value) || JsonContainerSize(value->val.binary.data) == 0)
		BadRule(reader, key,
				psprintf("must be a list of cells, each %d digits from 1 to 9", test->measures));
	list = value->val.binary.data;
	test->count = JsonContainerSize(list);
	test->cell = palloc(test->count * sizeof(int32));
	for (int i = 0; i < test->count; i++)
		test->cell[i] = CellOf(reader, test, key, getIthJsonbValueFromContainer(list, i));
	qsort(test->cell, test->count, sizeof(int32), CompareCells);
	for (int i = 0; i < test->measures; i++)
		rule->needs |= 1 << test->measure[i];

	if (rule->ncells == 0)
		rule->cells = palloc(sizeof(ClvCellTest));
	else
		rule->cells = repalloc(rule->cells, (rule->ncells + 1) * sizeof(ClvCellTest));
	rule->cells[rule->ncells++] = *test;
}

/* ---- attributes ---- */

/* The index of an attribute's name in the list, added where it is new. */
static int
AttributeIndex(ClvRules *rules, const char *name)
{
	for (int i = 0; i < rules->nattributes; i++)
		if (strcmp(rules->attribute[i], name) == 0)
			return i;
	if (rules->nattributes == 0)
		rules->attribute = palloc(sizeof(char *));
	else
		rules->attribute = repalloc(rules->attribute, (rules->nattributes + 1) * sizeof(char *));
	rules->attribute[rules->nattributes] = pstrdup(name);
	return rules->nattributes++;
}

/* Reads the bounds of an attribute: min or above, max or below; an error where the range is empty.
 */
static void
ReadBounds(RuleReader *reader, ClvAttributeTest *test, const char *key, JsonbContainer *bounds)
{
	JsonbIterator *it = JsonbIteratorInit(bounds);
	JsonbValue value;
	bool has_low = false;
	bool has_high = false;

	(void) JsonbIteratorNext(&it, &value, true);
	while (JsonbIteratorNext(&it, &value, true) == WJB_KEY)
	{
		char *bound = KeyText(&value);
		bool lower = strcmp(bound, "min") == 0 || strcmp(bound, "above") == 0;
		bool upper = strcmp(bound, "max") == 0 || strcmp(bound, "below") == 0;

		(void) JsonbIteratorNext(&it, &value, true);
		if (!lower && !upper)
			BadRule(reader, key,
					psprintf("has an unknown bound \"%s\": a range has \"min\" or "
							 "\"above\", \"max\" or \"below\"",
							 bound));
		if (value.type != jbvNumeric)
			BadRule(reader, key, psprintf("has a bound \"%s\" that is not a number", bound));
		if (lower ? has_low : has_high)
			BadRule(reader, key, "has two bounds on one side");
		if (lower)
		{
			has_low = true;
			test->low = NumberOf(&value);
			test->above = strcmp(bound, "above") == 0;
		}
		else
		{
			has_high = true;
			test->high = NumberOf(&value);
			test->below = strcmp(bound, "below") == 0;
		}
	}
	if ((!has_low && !has_high) || test->low > test->high ||
		(test->low == test->high && (test->above || test->below)))
		BadRule(reader, key, "is an empty range");
}

/* Reads a value that an attribute is compared with: a number, string or boolean. */
static void
ReadAttributeValue(RuleReader *reader, const char *key, const JsonbValue *value,
				   ClvAttributeValue *out)
{
	memset(out, 0, sizeof(*out));
	switch (value->type)
	{
		case jbvNumeric:
			out->kind = CLV_ATTRIBUTE_NUMBER;
			out->number = NumberOf(value);
			break;
		case jbvString:
			out->kind = CLV_ATTRIBUTE_STRING;
			out->string = KeyText(value);
			out->length = value->val.string.len;
			break;
		case jbvBool:
			out->kind = CLV_ATTRIBUTE_BOOLEAN;
			out->number = value->val.boolean;
			break;
		default:
			BadRule(reader, key, "must hold strings, numbers or booleans");
	}
}

/* Reads the test of one attribute: a value, a list of them, or bounds. */
static void
ReadAttributeTest(RuleReader *reader, const char *name, const JsonbValue *value)
{
	ClvRule *rule = reader->rule;
	ClvAttributeTest test;

	memset(&test, 0, sizeof(test));
	test.attribute = AttributeIndex(reader->rules, name);
	test.low = -INFINITY;
	test.high = INFINITY;
	if (IsObject(value))
		ReadBounds(reader, &test, name, value->val.binary.data);
	else if (IsList(value))
	{
		JsonbContainer *list = value->val.binary.data;

		test.count = JsonContainerSize(list);
		if (test.count == 0)
			BadRule(reader, name, "is an empty list");
		test.value = palloc(test.count * sizeof(ClvAttributeValue));
		for (int i = 0; i < test.count; i++)
			ReadAttributeValue(reader, name, getIthJsonbValueFromContainer(list, i),
							   &test.value[i]);
	}
	else
	{
		test.count = 1;
		test.value = palloc(sizeof(ClvAttributeValue));
		ReadAttributeValue(reader, name, value, &test.value[0]);
	}
	if (rule->nattributes == 0)
		rule->attributes = palloc(sizeof(ClvAttributeTest));
	else
		rule->attributes =
			repalloc(rule->attributes, (rule->nattributes + 1) * sizeof(ClvAttributeTest));
	rule->attributes[rule->nattributes++] = test;
}

/* Reads the member "attributes", an object of tests by attribute. */
static void
ReadAttributes(RuleReader *reader, const JsonbValue *attributes)
{
	JsonbIterator *it;
	JsonbValue value;

	if (!IsObject(attributes))
		BadRule(reader, "attributes", "must be an object of tests by attribute");
	it = JsonbIteratorInit(attributes->val.binary.data);
	(void) JsonbIteratorNext(&it, &value, true);
	while (JsonbIteratorNext(&it, &value, true) == WJB_KEY)
	{
		char *name = KeyText(&value);

		(void) JsonbIteratorNext(&it, &value, true);
		ReadAttributeTest(reader, name, &value);
	}
}

/* ---- a rule ---- */

/* Takes the name of the segment, and notes the scores that its placeholders need. */
static void
ReadSegment(RuleReader *reader, const char *segment)
{
	ClvRule *rule = reader->rule;

	if (segment == NULL || segment[0] == '\0')
		BadRule(reader, "segment", "must be a name");
	rule->segment = pstrdup(segment);
	for (const char *brace = strchr(segment, '{'); brace != NULL; brace = strchr(brace + 1, '{'))
		if (LetterMeasure(brace[1]) >= 0 && brace[2] == '}')
		{
			rule->named_by_scores = true;
			rule->needs |= 1 << LetterMeasure(brace[1]);
		}
}

/* Reads one member of a rule; "segment" is known only where the name is not given apart. */
static void
ReadMember(RuleReader *reader, const char *key, JsonbValue *value, bool with_segment)
{
	ClvCellTest cells;

	if (strlen(key) == 1 && LetterMeasure(key[0]) >= 0)
		ReadScoreTest(reader, LetterMeasure(key[0]), key, value);
	else if (IsCellKey(key, &cells))
		ReadCellTest(reader, &cells, key, value);
	else if (strcmp(key, "attributes") == 0)
		ReadAttributes(reader, value);
	else if (strcmp(key, "segment") == 0 && with_segment)
	{
		if (value->type != jbvString)
			BadRule(reader, key, "must be a name");
		ReadSegment(reader, KeyText(value));
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rule %d of %s: unknown key \"%s\"", reader->rule->number,
						reader->rules->name, key),
				 errhint("A rule tests scores by their letters (r, f, m, t, c, v), cells of scores "
						 "by several (such as \"rfm\"), and attributes under \"attributes\"%s.",
						 with_segment ? "; \"segment\" is the name" : "")));
}

void
clv_rules_add(ClvRules *rules, int number, const char *segment, JsonbContainer *container)
{
	RuleReader reader;
	JsonbIterator *it;
	JsonbValue value;

	if (rules->nrules == rules->capacity)
	{
		rules->capacity *= 2;
		rules->rules = repalloc(rules->rules, rules->capacity * sizeof(ClvRule));
	}
	reader.rules = rules;
	reader.rule = &rules->rules[rules->nrules++];
	memset(reader.rule, 0, sizeof(ClvRule));
	reader.rule->number = number;
	if (!JsonContainerIsObject(container))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("rule %d of %s must be a JSON object", number, rules->name)));
	if (segment != NULL)
		ReadSegment(&reader, segment);

	it = JsonbIteratorInit(container);
	(void) JsonbIteratorNext(&it, &value, true);
	while (JsonbIteratorNext(&it, &value, true) == WJB_KEY)
	{
		char *key = KeyText(&value);

		(void) JsonbIteratorNext(&it, &value, true);
		ReadMember(&reader, key, &value, segment == NULL);
	}
	if (reader.rule->segment == NULL)
		BadRule(&reader, "segment", "is missing");
	rules->needs |= reader.rule->needs;
}

ClvRules *
clv_rules_from_json(Jsonb *list)
{
	ClvRules *rules = clv_rules_create("the rule list");

	if (!JB_ROOT_IS_ARRAY(list) || JB_ROOT_IS_SCALAR(list) || JB_ROOT_COUNT(list) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a rule list must be a JSON array of at least one rule")));
	for (uint32 i = 0; i < JB_ROOT_COUNT(list); i++)
	{
		JsonbValue *rule = getIthJsonbValueFromContainer(&list->root, i);

		if (!IsObject(rule))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("rule %d of %s must be a JSON object", (int) i + 1, rules->name)));
		clv_rules_add(rules, (int) i + 1, NULL, rule->val.binary.data);
	}
	return rules;
}
