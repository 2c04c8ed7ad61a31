/*
 * rules.c
 *		Reading rule lists.
 */
#include "segment/rules.h"

#include <math.h>

#include "common/json.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#define SCORES "a list of one or more whole numbers from 1 to " CppAsString2(CLV_MAX_BINS)
#define VALUES "a list of one or more strings, numbers and booleans"

/* The rule being read, and the list that it is added to. */
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

/* The name of a rule in messages, palloc'd. */
static char *
RuleName(const ClvRules *rules, int number)
{
	return psprintf("rule %d of %s", number, rules->name);
}

/* The name of a member that is an object, in messages, palloc'd. */
static char *
MemberName(const ClvMember *member)
{
	return psprintf("\"%s\" of %s", member->key, member->object);
}

/* The measure of a score's letter, -1 where there is none. */
static int
LetterMeasure(char letter)
{
	const char *found = letter == '\0' ? NULL : strchr(clv_score_letter, letter);

	return found == NULL ? -1 : (int) (found - clv_score_letter);
}

/* ---- scores ---- */

/* A score, a whole number from 1 to CLV_MAX_BINS; else an error that names the key. */
static int
ReadScore(const ClvMember *member)
{
	return (int) clv_json_whole(member, 1, CLV_MAX_BINS);
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
ReadScoreRange(RuleReader *reader, int measure, const ClvMember *range)
{
	ClvMember bound;
	int low = 1;
	int high = CLV_MAX_BINS;
	bool bounded = false;

	clv_json_open(&bound, range->value.val.binary.data, MemberName(range));
	while (clv_json_next(&bound))
	{
		bounded = true;
		if (clv_json_is(&bound, "min"))
			low = ReadScore(&bound);
		else if (clv_json_is(&bound, "max"))
			high = ReadScore(&bound);
		else
			clv_json_unknown(&bound, "min, max");
	}
	if (!bounded || low > high)
		clv_json_wrong(range, "a range that is not empty");
	AllowScores(reader, measure, low, high);
}

/* Reads a list of scores; an error where it is empty. */
static void
ReadScoreList(RuleReader *reader, int measure, const ClvMember *list)
{
	int n = clv_json_length(list, SCORES);

	if (n == 0)
		clv_json_wrong(list, SCORES);
	for (int i = 0; i < n; i++)
	{
		ClvMember element = clv_json_element(list, i, SCORES);
		int score = ReadScore(&element);

		AllowScores(reader, measure, score, score);
	}
}

/* Reads the test of one score: a number, a list of them, or a range. */
static void
ReadScoreTest(RuleReader *reader, int measure, const ClvMember *test)
{
	reader->rule->tests |= 1 << measure;
	reader->rule->needs |= 1 << measure;
	if (clv_json_is_object(test))
		ReadScoreRange(reader, measure, test);
	else if (clv_json_is_array(test))
		ReadScoreList(reader, measure, test);
	else
	{
		int score = ReadScore(test);

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

/* One cell: as many digits as the key has letters. what: what a list of them must be. */
static int32
ReadCell(RuleReader *reader, const ClvCellTest *test, const ClvMember *element, const char *what)
{
	const JsonbValue *value = &element->value;
	char *digits = NULL;
	int32 cell = 0;

	if (value->type == jbvString)
		digits = clv_json_string(element);
	else if (value->type == jbvNumeric)
		digits = numeric_normalize(value->val.numeric);
	if (digits == NULL || (int) strlen(digits) != test->measures ||
		(int) strspn(digits, "123456789") != test->measures)
		clv_json_wrong(element, what);
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
ReadCellTest(RuleReader *reader, ClvCellTest *test, const ClvMember *list)
{
	ClvRule *rule = reader->rule;
	char *what =
		psprintf("a list of one or more cells, each %d digits from 1 to 9", test->measures);

	test->count = clv_json_length(list, what);
	if (test->count == 0)
		clv_json_wrong(list, what);
	test->cell = palloc(test->count * sizeof(int32));
	for (int i = 0; i < test->count; i++)
	{
		ClvMember element = clv_json_element(list, i, what);

		test->cell[i] = ReadCell(reader, test, &element, what);
	}
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

/* Raises the error of two tests of a list that contradict each other in what they are about. */
static pg_attribute_noreturn() void Contradiction(const ClvRules *rules, const char *what,
												  const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s %s", rules->name, what),
					errhint("%s", hint)));
}

/* The index of the name of an attribute, or of a known value, in the list, added where it is new.
 */
static int
AttributeIndex(ClvRules *rules, const char *name, const ClvKnownValue *known)
{
	int n = rules->nattributes;

	for (int i = 0; i < n; i++)
	{
		if (strcmp(rules->attribute[i], name) != 0)
			continue;
		if (rules->known[i] != known)
			Contradiction(rules, psprintf("tests \"%s\" as a value and as an attribute", name),
						  "Give the attribute another name.");
		return i;
	}
	rules->attribute = n == 0 ? palloc(sizeof(char *))
							  : repalloc(rules->attribute, (n + 1) * sizeof(char *));
	rules->known = n == 0 ? palloc(sizeof(ClvKnownValue *))
						  : repalloc(rules->known, (n + 1) * sizeof(ClvKnownValue *));
	rules->attribute[n] = pstrdup(name);
	rules->known[n] = known;
	return rules->nattributes++;
}

/* Takes one bound, min or above, max or below; an error where that side has one already. */
static void
TakeBound(ClvAttributeTest *test, const ClvMember *range, const ClvMember *bound)
{
	bool above = clv_json_is(bound, "above");
	bool below = clv_json_is(bound, "below");

	if ((above || clv_json_is(bound, "min")) && isinf(test->low))
	{
		test->low = clv_json_number(bound);
		test->above = above;
	}
	else if ((below || clv_json_is(bound, "max")) && isinf(test->high))
	{
		test->high = clv_json_number(bound);
		test->below = below;
	}
	else if (above || below || clv_json_is(bound, "min") || clv_json_is(bound, "max"))
		clv_json_wrong(range, "a range with at most one bound on each side");
	else
		clv_json_unknown(bound, "min or above, max or below");
}

/* Reads the bounds of an attribute; an error where the range is empty. */
static void
ReadBounds(ClvAttributeTest *test, const ClvMember *range)
{
	ClvMember bound;

	clv_json_open(&bound, range->value.val.binary.data, MemberName(range));
	while (clv_json_next(&bound))
		TakeBound(test, range, &bound);
	if ((isinf(test->low) && isinf(test->high)) || test->low > test->high ||
		(test->low == test->high && (test->above || test->below)))
		clv_json_wrong(range, "a range that is not empty");
}

void
clv_attribute_value(const JsonbValue *value, ClvAttributeValue *out)
{
	memset(out, 0, sizeof(*out));
	switch (value->type)
	{
		case jbvNull:
			out->kind = CLV_ATTRIBUTE_NULL;
			break;
		case jbvNumeric:
			out->kind = CLV_ATTRIBUTE_NUMBER;
			out->number = clv_numeric_double(value->val.numeric);
			break;
		case jbvString:
			out->kind = CLV_ATTRIBUTE_STRING;
			out->string = value->val.string.val;
			out->length = value->val.string.len;
			break;
		case jbvBool:
			out->kind = CLV_ATTRIBUTE_BOOLEAN;
			out->number = value->val.boolean;
			break;
		default:
			out->kind = CLV_ATTRIBUTE_OTHER;
	}
}

/* Reads a value that an attribute is compared with: a number, string or boolean; what: what it, or
 * its list, must be. */
static void
ReadAttributeValue(const ClvMember *member, const char *what, ClvAttributeValue *out)
{
	clv_attribute_value(&member->value, out);
	if (out->kind == CLV_ATTRIBUTE_NULL || out->kind == CLV_ATTRIBUTE_OTHER)
		clv_json_wrong(member, what);
	if (out->kind == CLV_ATTRIBUTE_NUMBER)
		out->number = clv_json_number(member);
	if (out->kind == CLV_ATTRIBUTE_STRING)
		out->string = clv_json_string(member);
}

/* Reads a list of values; an error where it is empty. */
static void
ReadAttributeList(ClvAttributeTest *test, const ClvMember *list)
{
	test->count = clv_json_length(list, VALUES);
	if (test->count == 0)
		clv_json_wrong(list, VALUES);
	test->value = palloc(test->count * sizeof(ClvAttributeValue));
	for (int i = 0; i < test->count; i++)
	{
		ClvMember element = clv_json_element(list, i, VALUES);

		ReadAttributeValue(&element, VALUES, &test->value[i]);
	}
}

/* Adds a test of an attribute or value to a rule. */
static void
AddTest(ClvRule *rule, const ClvAttributeTest *test)
{
	if (rule->nattributes == 0)
		rule->attributes = palloc(sizeof(ClvAttributeTest));
	else
		rule->attributes =
			repalloc(rule->attributes, (rule->nattributes + 1) * sizeof(ClvAttributeTest));
	rule->attributes[rule->nattributes++] = *test;
}

/* Reads the test of one attribute: a value, a list of them, or bounds. */
static void
ReadAttributeTest(RuleReader *reader, const ClvMember *member)
{
	ClvRule *rule = reader->rule;
	ClvAttributeTest test;

	memset(&test, 0, sizeof(test));
	test.attribute = AttributeIndex(reader->rules, member->key, NULL);
	test.low = -INFINITY;
	test.high = INFINITY;
	if (clv_json_is_object(member))
		ReadBounds(&test, member);
	else if (clv_json_is_array(member))
		ReadAttributeList(&test, member);
	else
	{
		test.count = 1;
		test.value = palloc(sizeof(ClvAttributeValue));
		ReadAttributeValue(member, "a string, a number or a boolean", &test.value[0]);
	}
	AddTest(rule, &test);
}

/* Reads the member "attributes", an object of tests by attribute. */
static void
ReadAttributes(RuleReader *reader, const ClvMember *attributes)
{
	ClvMember member;

	if (!clv_json_is_object(attributes))
		clv_json_wrong(attributes, "an object of tests by attribute");
	clv_json_open(&member, attributes->value.val.binary.data, MemberName(attributes));
	while (clv_json_next(&member))
		ReadAttributeTest(reader, &member);
}

/* ---- values ---- */

static const ClvKnownValue known_value[] = {
	{"recency", 0, INFINITY, true, false},
	{"frequency", 1, INFINITY, true, false},
	{"monetary", -INFINITY, INFINITY, false, false},
	{"tenure", 0, INFINITY, true, false},
	{"p_alive", 0, 1, false, true},
	{"churn", 0, 1, false, true},
	{"expected_purchases", 0, INFINITY, false, false},
	{"expected_revenue", -INFINITY, INFINITY, false, false},
	{"clv", -INFINITY, INFINITY, false, false},
	{"next_purchase_value", -INFINITY, INFINITY, false, false},
	{"total_value", -INFINITY, INFINITY, false, false},
	{"active_30d", 0, 1, false, false},
	{"active_90d", 0, 1, false, false},
};

/* The value of that name, NULL where there is none. */
static const ClvKnownValue *
KnownValue(const char *name)
{
	for (int i = 0; i < (int) lengthof(known_value); i++)
		if (strcmp(known_value[i].name, name) == 0)
			return &known_value[i];
	return NULL;
}

/* The names of the values, for a hint, palloc'd. */
static char *
KnownNames(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(known_value); i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", known_value[i].name);
	return names.data;
}

/* What a test of a value must be, palloc'd: what, within the range that the value has. */
static char *
WithinRange(const ClvKnownValue *known, const char *what)
{
	if (isinf(known->low))
		return pstrdup(what);
	if (isinf(known->high))
		return psprintf("%s from %g on", what, known->low);
	return psprintf("%s from %g to %g", what, known->low, known->high);
}

/* Whether a number is one that the value can be. */
static bool
IsPossible(const ClvKnownValue *known, double number)
{
	return number >= known->low && number <= known->high &&
		   !(known->whole && number != floor(number));
}

/* Checks a list of numbers that a value is compared with: errors where it can be none of them. */
static void
CheckListed(const ClvKnownValue *known, const ClvAttributeTest *test, const ClvMember *member)
{
	const char *what = known->whole ? "whole numbers" : "numbers";

	for (int i = 0; i < test->count; i++)
		if (test->value[i].kind != CLV_ATTRIBUTE_NUMBER ||
			!IsPossible(known, test->value[i].number))
			clv_json_wrong(member, WithinRange(known, what));
}

/* Checks the bounds of a value: errors where they lie outside its range, or leave nothing of it. */
static void
CheckBounds(const ClvKnownValue *known, const ClvAttributeTest *test, const ClvMember *member)
{
	double low = isinf(test->low) ? known->low : test->low;
	double high = isinf(test->high) ? known->high : test->high;
	bool outside = low < known->low || low > known->high || high < known->low || high > known->high;

	if (outside)
		clv_json_wrong(member, WithinRange(known, "a range with bounds"));
	if (low == high && (test->above || test->below))
		clv_json_wrong(member, "a range that is not empty");
	if (known->whole && !isinf(high))
	{
		low = test->above ? floor(low) + 1 : ceil(low);
		high = test->below ? ceil(high) - 1 : floor(high);
		if (low > high)
			clv_json_wrong(member, "a range with a whole number in it");
	}
}

/* Reads the test of one value: a number, a list of them, or bounds. */
static void
ReadValueTest(RuleReader *reader, const ClvMember *member)
{
	const ClvKnownValue *known = KnownValue(member->key);
	ClvAttributeTest test;

	if (known == NULL)
		clv_json_unknown(member, KnownNames());
	memset(&test, 0, sizeof(test));
	test.attribute = AttributeIndex(reader->rules, known->name, known);
	test.low = -INFINITY;
	test.high = INFINITY;
	if (clv_json_is_object(member))
	{
		ReadBounds(&test, member);
		CheckBounds(known, &test, member);
	}
	else
	{
		if (clv_json_is_array(member))
			ReadAttributeList(&test, member);
		else
		{
			test.count = 1;
			test.value = palloc(sizeof(ClvAttributeValue));
			ReadAttributeValue(member, "a number, a list of numbers, or bounds", &test.value[0]);
		}
		CheckListed(known, &test, member);
	}
	AddTest(reader->rule, &test);
}

/* Reads the member "value", an object of tests by value; an error where it, with the rules before,
 * tests both P(alive) and its complement, which could contradict each other unseen. */
static void
ReadValues(RuleReader *reader, const ClvMember *values)
{
	ClvRules *rules = reader->rules;
	ClvMember member;
	int life = 0;

	if (!clv_json_is_object(values))
		clv_json_wrong(values, "an object of tests by value");
	clv_json_open(&member, values->value.val.binary.data, MemberName(values));
	while (clv_json_next(&member))
		ReadValueTest(reader, &member);
	for (int i = 0; i < rules->nattributes; i++)
		life += rules->known[i] != NULL && rules->known[i]->life;
	if (life > 1)
		Contradiction(rules, "tests both p_alive and churn",
					  "Test one of them: churn is 1 - p_alive.");
}

/* ---- a rule ---- */

/* Takes the name of the segment, and notes the scores that its placeholders need. */
static void
TakeSegment(RuleReader *reader, const char *segment)
{
	ClvRule *rule = reader->rule;

	if (segment[0] == '\0')
		clv_json_bad(RuleName(reader->rules, rule->number), "segment", "a name");
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
ReadMember(RuleReader *reader, const ClvMember *member, bool with_segment)
{
	ClvCellTest cells;

	if (strlen(member->key) == 1 && LetterMeasure(member->key[0]) >= 0)
		ReadScoreTest(reader, LetterMeasure(member->key[0]), member);
	else if (IsCellKey(member->key, &cells))
		ReadCellTest(reader, &cells, member);
	else if (clv_json_is(member, "attributes"))
		ReadAttributes(reader, member);
	else if (clv_json_is(member, "value"))
		ReadValues(reader, member);
	else if (clv_json_is(member, "segment") && with_segment)
		TakeSegment(reader, clv_json_string(member));
	else
		clv_json_unknown(member,
						 psprintf("r, f, m, t, c, v, several of them together (such as rfm), "
								  "attributes, value%s",
								  with_segment ? ", segment" : ""));
}

/* Makes room for a rule, all zeros but its number, at the end of the list. */
static ClvRule *
NewRule(ClvRules *rules, int number)
{
	ClvRule *rule;

	if (rules->nrules == rules->capacity)
	{
		rules->capacity *= 2;
		rules->rules = repalloc(rules->rules, rules->capacity * sizeof(ClvRule));
	}
	rule = &rules->rules[rules->nrules++];
	memset(rule, 0, sizeof(ClvRule));
	rule->number = number;
	return rule;
}

/* Adds the rule whose object has been opened; where segment is NULL, a member says it. */
static void
AddRule(ClvRules *rules, int number, const char *segment, ClvMember *member)
{
	RuleReader reader = {rules, NewRule(rules, number)};

	if (segment != NULL)
		TakeSegment(&reader, segment);
	while (clv_json_next(member))
		ReadMember(&reader, member, segment == NULL);
	if (reader.rule->segment == NULL)
		clv_json_missing(member->object, "segment");
	rules->needs |= reader.rule->needs;
}

void
clv_rules_add(ClvRules *rules, int number, const char *segment, JsonbContainer *rule)
{
	ClvMember member;

	clv_json_open(&member, rule, RuleName(rules, number));
	AddRule(rules, number, segment, &member);
}

ClvRules *
clv_rules_from_json(Jsonb *list)
{
	ClvRules *rules = clv_rules_create("the rule list");

	if (!JB_ROOT_IS_ARRAY(list) || JB_ROOT_IS_SCALAR(list) || JB_ROOT_COUNT(list) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a rule list must be a JSON array of at least one rule")));
	for (int i = 0; i < (int) JB_ROOT_COUNT(list); i++)
	{
		ClvMember member;

		clv_json_open_at(&member, &list->root, i, RuleName(rules, i + 1));
		AddRule(rules, i + 1, NULL, &member);
	}
	return rules;
}
