/*
 * segment_check.c
 *		clv_segment_check(map, bins): gaps, overlaps and unreachable rules.
 *
 * All inputs that a map can tell apart are enumerated: every value of every score its rules
 * test, and for an attribute one value for each range of numbers between its bounds,
 * each string that is mentioned, and one that is not. So the
 * answer is complete, not a sample.
 */
#include "segment/map.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#define MAX_CELLS 1000000
#define MAX_RULES 1000
#define COLUMNS 7

/* The values of a score or an attribute that the rules tell apart. */
typedef struct Dimension
{
	bool attribute;
	int index; /* of the measure, or the attribute */
	int count;
	ClvAttributeValue *value; /* of an attribute */
	char **label;             /* the same in words */
	int current;
} Dimension;

/* A number of cells, with one of them as the example. */
typedef struct CellCount
{
	int64 cells;
	char *text; /* the first of them, in words */
} CellCount;

/* The rules under check, the values of everything they test, and what was counted. */
typedef struct MapCheck
{
	ClvRules *rules;
	int ndimensions;
	Dimension *dimension;
	int64 total;
	CellCount gap;
	CellCount *first;   /* per rule: cells it decides */
	CellCount *holds;   /* per rule: cells it would hold for */
	CellCount *overlap; /* [later rule * nrules + the rule that comes before it] */
} MapCheck;

/* ---- the values of an attribute ---- */

/* The order of numbers. */
static int
CompareNumbers(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Adds a value of an attribute, with its label in words. */
static void
AddValue(Dimension *dimension, ClvAttributeKind kind, double number, const char *string,
		 char *label)
{
	ClvAttributeValue *value;
	int n = dimension->count++;

	dimension->value = n == 0 ? palloc(sizeof(ClvAttributeValue))
							  : repalloc(dimension->value, (n + 1) * sizeof(ClvAttributeValue));
	dimension->label =
		n == 0 ? palloc(sizeof(char *)) : repalloc(dimension->label, (n + 1) * sizeof(char *));
	value = &dimension->value[n];
	value->kind = kind;
	value->number = number;
	value->string = string;
	value->length = string == NULL ? 0 : strlen(string);
	dimension->label[n] = label;
}

/* Whether a number beyond every bound, or between two of them, can be that of a known value. */
static bool
CanLie(const ClvKnownValue *known, double above, double below)
{
	if (known == NULL)
		return true;
	if (known->whole)
		return Max(floor(above) + 1, known->low) <= Min(ceil(below) - 1, known->high);
	return above < known->high && below > known->low;
}

/* Adds the bounds themselves, and a number in each range between and beyond them, as far as a known
 * value can be there. */
static void
AddNumbers(Dimension *dimension, const char *name, const ClvKnownValue *known, double *bound, int n)
{
	int distinct = 0;

	qsort(bound, n, sizeof(double), CompareNumbers);
	for (int i = 0; i < n; i++)
		if (distinct == 0 || bound[distinct - 1] < bound[i])
			bound[distinct++] = bound[i];
	for (int i = 0; i < distinct; i++)
	{
		char *text = clv_number_text(bound[i]);
		double next = i + 1 < distinct ? bound[i + 1] : INFINITY;

		if (i == 0 && CanLie(known, -INFINITY, bound[i]))
			AddValue(dimension, CLV_ATTRIBUTE_NUMBER, nextafter(bound[i], -INFINITY), NULL,
					 psprintf("%s < %s", name, text));
		if (known == NULL || !known->whole || bound[i] == floor(bound[i]))
			AddValue(dimension, CLV_ATTRIBUTE_NUMBER, bound[i], NULL,
					 psprintf("%s = %s", name, text));
		if (nextafter(bound[i], INFINITY) < next && CanLie(known, bound[i], next))
			AddValue(dimension, CLV_ATTRIBUTE_NUMBER, nextafter(bound[i], INFINITY), NULL,
					 isinf(next) ? psprintf("%s > %s", name, text)
								 : psprintf("%s < %s < %s", text, name, clv_number_text(next)));
	}
}

/* Whether the string is among the values already. */
static bool
HasString(const Dimension *dimension, const ClvAttributeValue *value)
{
	for (int i = 0; i < dimension->count; i++)
		if (dimension->value[i].kind == CLV_ATTRIBUTE_STRING &&
			strcmp(dimension->value[i].string, value->string) == 0)
			return true;
	return false;
}

/* Collects bounds and numbers, notes booleans, adds strings; true where the test has a string. */
static bool
TakeTest(Dimension *dimension, const char *name, const ClvAttributeTest *test, double *number,
		 int *n, bool *boolean)
{
	bool other = false;

	if (test->count == 0)
	{
		if (!isinf(test->low))
			number[(*n)++] = test->low;
		if (!isinf(test->high))
			number[(*n)++] = test->high;
	}
	for (int i = 0; i < test->count; i++)
	{
		const ClvAttributeValue *value = &test->value[i];

		if (value->kind == CLV_ATTRIBUTE_NUMBER)
			number[(*n)++] = value->number;
		else if (value->kind == CLV_ATTRIBUTE_BOOLEAN)
			*boolean = true;
		else
		{
			other = true;
			if (!HasString(dimension, value))
				AddValue(dimension, CLV_ATTRIBUTE_STRING, 0, value->string,
						 psprintf("%s = \"%s\"", name, value->string));
		}
	}
	return other;
}

/* Adds the values of an attribute that the rules tell apart. */
static void
FillAttribute(Dimension *dimension, const ClvRules *rules)
{
	const char *name = rules->attribute[dimension->index];
	int n = 0;
	double *number;
	bool boolean = false;
	bool string = false;

	for (int i = 0; i < rules->nrules; i++)
		for (int j = 0; j < rules->rules[i].nattributes; j++)
			n += Max(rules->rules[i].attributes[j].count, 2);
	number = palloc(n * sizeof(double));
	n = 0;
	for (int i = 0; i < rules->nrules; i++)
		for (int j = 0; j < rules->rules[i].nattributes; j++)
			if (rules->rules[i].attributes[j].attribute == dimension->index)
				string |=
					TakeTest(dimension, name, &rules->rules[i].attributes[j], number, &n, &boolean);
	AddNumbers(dimension, name, rules->known[dimension->index], number, n);
	if (boolean)
	{
		AddValue(dimension, CLV_ATTRIBUTE_BOOLEAN, 0, NULL, psprintf("%s = false", name));
		AddValue(dimension, CLV_ATTRIBUTE_BOOLEAN, 1, NULL, psprintf("%s = true", name));
	}
	if (string)
		AddValue(dimension, CLV_ATTRIBUTE_OTHER, 0, NULL, psprintf("%s = any other", name));
}

/* ---- the cells ---- */

/* Sets up the values to check; errors where there are too many cells or rules. */
static void
OpenCheck(MapCheck *check, ClvRules *rules, int bins)
{
	memset(check, 0, sizeof(*check));
	check->rules = rules;
	check->total = 1;
	check->dimension = palloc0((CLV_MEASURES + rules->nattributes) * sizeof(Dimension));
	for (int i = 0; i < CLV_MEASURES + rules->nattributes; i++)
	{
		Dimension *dimension = &check->dimension[check->ndimensions];

		if (i < CLV_MEASURES && (rules->needs & (1 << i)) == 0)
			continue;
		check->ndimensions++;
		dimension->attribute = i >= CLV_MEASURES;
		dimension->index = dimension->attribute ? i - CLV_MEASURES : i;
		if (dimension->attribute)
			FillAttribute(dimension, rules);
		else
			dimension->count = bins;
		if (check->total > MAX_CELLS / dimension->count)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("%s has more than %d cells to check", rules->name, MAX_CELLS),
							errhint("Check it with fewer bins, or its rules in parts.")));
		check->total *= dimension->count;
	}
	if (rules->nrules > MAX_RULES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("%s has more than %d rules to check", rules->name, MAX_RULES)));
	check->first = palloc0(rules->nrules * sizeof(CellCount));
	check->holds = palloc0(rules->nrules * sizeof(CellCount));
	check->overlap = palloc0((Size) rules->nrules * rules->nrules * sizeof(CellCount));
}

/* The current cell in words, palloc'd. */
static char *
DescribeCell(const MapCheck *check)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < check->ndimensions; i++)
	{
		const Dimension *dimension = &check->dimension[i];

		if (dimension->attribute)
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "",
							 dimension->label[dimension->current]);
		else
			appendStringInfo(&text, "%c%d", clv_score_letter[dimension->index],
							 dimension->current + 1);
	}
	if (text.len == 0)
		appendStringInfoString(&text, "every customer");
	return text.data;
}

/* Counts the current cell; the first one becomes the example. */
static void
CountCell(CellCount *count, const MapCheck *check)
{
	if (count->cells++ == 0)
		count->text = DescribeCell(check);
}

/* Finds the rules that hold for the current cell, and counts it for each. */
static void
CheckCell(MapCheck *check, ClvAttributeValue *values)
{
	const ClvRules *rules = check->rules;
	ClvScores scores;
	int first = -1;

	memset(&scores, 0, sizeof(scores));
	scores.p_alive = NAN;
	for (int i = 0; i < check->ndimensions; i++)
	{
		const Dimension *dimension = &check->dimension[i];

		if (dimension->attribute)
			values[dimension->index] = dimension->value[dimension->current];
		else
			scores.score[dimension->index] = dimension->current + 1;
	}
	for (int i = 0; i < rules->nrules; i++)
	{
		if (!clv_rule_holds(&rules->rules[i], &scores, values))
			continue;
		CountCell(&check->holds[i], check);
		if (first < 0)
			CountCell(&check->first[first = i], check);
		else
			CountCell(&check->overlap[i * rules->nrules + first], check);
	}
	if (first < 0)
		CountCell(&check->gap, check);
}

/* Checks every combination of the values. */
static void
CheckCells(MapCheck *check)
{
	ClvAttributeValue *values =
		palloc0(Max(check->rules->nattributes, 1) * sizeof(ClvAttributeValue));

	for (int64 cell = 0; cell < check->total; cell++)
	{
		int64 rest = cell;

		if (cell % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		for (int i = check->ndimensions - 1; i >= 0; i--)
		{
			check->dimension[i].current = (int) (rest % check->dimension[i].count);
			rest /= check->dimension[i].count;
		}
		CheckCell(check, values);
	}
}

/* ---- the report ---- */

/* Puts a finding into the result; rule and before may be NULL. */
static void
Report(ReturnSetInfo *result, const MapCheck *check, const char *finding, const ClvRule *rule,
	   const ClvRule *before, const CellCount *count)
{
	Datum values[COLUMNS] = {0};
	bool nulls[COLUMNS] = {false};

	values[0] = CStringGetTextDatum(finding);
	if (rule != NULL)
	{
		values[1] = Int32GetDatum(rule->number);
		values[2] = CStringGetTextDatum(rule->segment);
	}
	nulls[1] = nulls[2] = rule == NULL;
	if (before != NULL)
		values[3] = Int32GetDatum(before->number);
	nulls[3] = before == NULL;
	values[4] = Int64GetDatum(count->cells);
	values[5] = Int64GetDatum(check->total);
	if (count->text != NULL)
		values[6] = CStringGetTextDatum(count->text);
	nulls[6] = count->text == NULL;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Whether a rule has no tests: it takes the rest, and its overlaps are not reported. */
static bool
IsCatchAll(const ClvRule *rule)
{
	return rule->tests == 0 && rule->ncells == 0 && rule->nattributes == 0;
}

/* Reports a rule that is unreachable, and its overlaps with the rules before it. */
static void
ReportRule(ReturnSetInfo *result, const MapCheck *check, int i)
{
	const ClvRules *rules = check->rules;
	const ClvRule *rule = &rules->rules[i];

	if (check->first[i].cells == 0)
		Report(result, check, "unreachable", rule, NULL, &check->holds[i]);
	if (IsCatchAll(rule))
		return;
	for (int j = 0; j < i; j++)
		if (check->overlap[i * rules->nrules + j].cells > 0)
			Report(result, check, "overlap", rule, &rules->rules[j],
				   &check->overlap[i * rules->nrules + j]);
}

/*
 * clv_segment_check(map, bins) -> rows: gaps, overlaps and unreachable rules of a map; no rows
 * where it is complete and disjoint.
 */
PG_FUNCTION_INFO_V1(clv_segment_check);
Datum
clv_segment_check(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int bins = PG_GETARG_INT32(1);
	MapCheck check;

	clv_check_bins(bins);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	OpenCheck(&check, clv_map_read(PG_GETARG_TEXT_PP(0), fcinfo->flinfo->fn_oid), bins);
	CheckCells(&check);
	if (check.gap.cells > 0)
		Report(result, &check, "gap", NULL, NULL, &check.gap);
	for (int i = 0; i < check.rules->nrules; i++)
		ReportRule(result, &check, i);
	PG_RETURN_NULL();
}

/* clv_segment_inputs(map) -> rows: the scores (with the highest listed) and attributes that its
 * rules test. */
PG_FUNCTION_INFO_V1(clv_segment_inputs);
Datum
clv_segment_inputs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ErrorContextCallback *stack = clv_hide_callers();
	ClvRules *rules;
	Datum values[3];
	bool nulls[3] = {false};

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	rules = clv_map_read(PG_GETARG_TEXT_PP(0), fcinfo->flinfo->fn_oid);
	error_context_stack = stack;
	for (int i = 0; i < CLV_MEASURES + rules->nattributes; i++)
	{
		char letter[2] = {0};

		if (i < CLV_MEASURES && (rules->needs & (1 << i)) == 0)
			continue;
		if (i < CLV_MEASURES)
			letter[0] = clv_score_letter[i];
		if (i < CLV_MEASURES)
			values[0] = CStringGetTextDatum("score");
		else
			values[0] = CStringGetTextDatum(rules->known[i - CLV_MEASURES] != NULL ? "value"
																				   : "attribute");
		values[1] =
			CStringGetTextDatum(i < CLV_MEASURES ? letter : rules->attribute[i - CLV_MEASURES]);
		nulls[2] = i >= CLV_MEASURES || rules->open[i] || rules->highest[i] == 0;
		values[2] = Int32GetDatum(nulls[2] ? 0 : rules->highest[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	PG_RETURN_NULL();
}
