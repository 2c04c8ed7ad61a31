/*
 * segment_check.c
 *		clv_segment_check(map, bins): gaps, overlaps and rules that nobody reaches.
 *
 * All that a map can see is walked through: every value of every score its rules
 * test, and for an attribute one value for each stretch of the number line that
 * its bounds leave, each string that is mentioned, and one that is not. So the
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

/* What a score or an attribute can be, seen through the rules. */
typedef struct Dimension
{
	bool		attribute;
	int			index;			/* of the measure, or the attribute */
	int			count;
	ClvAttributeValue *value;	/* of an attribute */
	char	  **label;			/* the same in words */
	int			current;
} Dimension;

typedef struct Tally
{
	int64		cells;
	char	   *text;			/* the first of them, in words */
} Tally;

typedef struct Walk
{
	ClvRules   *rules;
	int			ndimensions;
	Dimension  *dimension;
	int64		total;
	Tally		gap;
	Tally	   *first;			/* per rule: cells it decides */
	Tally	   *holds;			/* per rule: cells it would hold for */
	Tally	   *overlap;		/* [later rule * nrules + the rule that comes before it] */
} Walk;

/* ---- what an attribute can be ---- */

static int
CompareNumbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
AddValue(Dimension *dimension, ClvAttributeKind kind, double number, const char *string,
		 char *label)
{
	ClvAttributeValue *value;
	int			n = dimension->count++;

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

/* The bounds themselves, and a number in each stretch between and beyond them. */
static void
AddNumbers(Dimension *dimension, const char *name, double *bound, int n)
{
	int			distinct = 0;

	qsort(bound, n, sizeof(double), CompareNumbers);
	for (int i = 0; i < n; i++)
		if (distinct == 0 || bound[distinct - 1] < bound[i])
			bound[distinct++] = bound[i];
	for (int i = 0; i < distinct; i++)
	{
		char	   *text = clv_number_text(bound[i]);
		double		next = i + 1 < distinct ? bound[i + 1] : INFINITY;

		if (i == 0)
			AddValue(dimension, CLV_ATTRIBUTE_NUMBER, nextafter(bound[i], -INFINITY), NULL,
					 psprintf("%s < %s", name, text));
		AddValue(dimension, CLV_ATTRIBUTE_NUMBER, bound[i], NULL, psprintf("%s = %s", name, text));
		if (nextafter(bound[i], INFINITY) < next)
			AddValue(dimension, CLV_ATTRIBUTE_NUMBER, nextafter(bound[i], INFINITY), NULL,
					 isinf(next) ? psprintf("%s > %s", name, text)
								 : psprintf("%s < %s < %s", text, name, clv_number_text(next)));
	}
}

static bool
HasString(const Dimension *dimension, const ClvAttributeValue *value)
{
	for (int i = 0; i < dimension->count; i++)
		if (dimension->value[i].kind == CLV_ATTRIBUTE_STRING &&
			strcmp(dimension->value[i].string, value->string) == 0)
			return true;
	return false;
}

/* Collects bounds and numbers; adds strings at once. Returns whether there was any but numbers. */
static bool
TakeTest(Dimension *dimension, const char *name, const ClvAttributeTest *test, double *number,
		 int *n, bool *boolean)
{
	bool		other = false;

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

static void
FillAttribute(Dimension *dimension, const ClvRules *rules)
{
	const char *name = rules->attribute[dimension->index];
	int			n = 0;
	double	   *number;
	bool		boolean = false;
	bool		string = false;

	for (int i = 0; i < rules->nrules; i++)
		for (int j = 0; j < rules->rules[i].nattributes; j++)
			n += Max(rules->rules[i].attributes[j].count, 2);
	number = palloc(n * sizeof(double));
	n = 0;
	for (int i = 0; i < rules->nrules; i++)
		for (int j = 0; j < rules->rules[i].nattributes; j++)
			if (rules->rules[i].attributes[j].attribute == dimension->index)
				string |= TakeTest(dimension, name, &rules->rules[i].attributes[j], number, &n,
								   &boolean);
	AddNumbers(dimension, name, number, n);
	if (boolean)
	{
		AddValue(dimension, CLV_ATTRIBUTE_BOOLEAN, 0, NULL, psprintf("%s = false", name));
		AddValue(dimension, CLV_ATTRIBUTE_BOOLEAN, 1, NULL, psprintf("%s = true", name));
	}
	if (string)
		AddValue(dimension, CLV_ATTRIBUTE_OTHER, 0, NULL, psprintf("%s = any other", name));
}

/* ---- the walk ---- */

static void
OpenWalk(Walk *walk, ClvRules *rules, int bins)
{
	memset(walk, 0, sizeof(*walk));
	walk->rules = rules;
	walk->total = 1;
	walk->dimension = palloc0((CLV_MEASURES + rules->nattributes) * sizeof(Dimension));
	for (int i = 0; i < CLV_MEASURES + rules->nattributes; i++)
	{
		Dimension  *dimension = &walk->dimension[walk->ndimensions];

		if (i < CLV_MEASURES && (rules->needs & (1 << i)) == 0)
			continue;
		walk->ndimensions++;
		dimension->attribute = i >= CLV_MEASURES;
		dimension->index = dimension->attribute ? i - CLV_MEASURES : i;
		if (dimension->attribute)
			FillAttribute(dimension, rules);
		else
			dimension->count = bins;
		if (walk->total > MAX_CELLS / dimension->count)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("%s has more than %d cells to check", rules->name, MAX_CELLS),
							errhint("Check it with fewer bins, or its rules in parts.")));
		walk->total *= dimension->count;
	}
	if (rules->nrules > MAX_RULES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("%s has more than %d rules to check", rules->name, MAX_RULES)));
	walk->first = palloc0(rules->nrules * sizeof(Tally));
	walk->holds = palloc0(rules->nrules * sizeof(Tally));
	walk->overlap = palloc0((Size) rules->nrules * rules->nrules * sizeof(Tally));
}

static char *
DescribeCell(const Walk *walk)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < walk->ndimensions; i++)
	{
		const Dimension *dimension = &walk->dimension[i];

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

static void
Count(Tally *tally, const Walk *walk)
{
	if (tally->cells++ == 0)
		tally->text = DescribeCell(walk);
}

static void
VisitCell(Walk *walk, ClvAttributeValue *values)
{
	const ClvRules *rules = walk->rules;
	ClvScores	scores;
	int			first = -1;

	memset(&scores, 0, sizeof(scores));
	for (int i = 0; i < walk->ndimensions; i++)
	{
		const Dimension *dimension = &walk->dimension[i];

		if (dimension->attribute)
			values[dimension->index] = dimension->value[dimension->current];
		else
			scores.score[dimension->index] = dimension->current + 1;
	}
	for (int i = 0; i < rules->nrules; i++)
	{
		if (!clv_rule_holds(&rules->rules[i], &scores, values))
			continue;
		Count(&walk->holds[i], walk);
		if (first < 0)
			Count(&walk->first[first = i], walk);
		else
			Count(&walk->overlap[i * rules->nrules + first], walk);
	}
	if (first < 0)
		Count(&walk->gap, walk);
}

static void
WalkCells(Walk *walk)
{
	ClvAttributeValue *values =
		palloc0(Max(walk->rules->nattributes, 1) * sizeof(ClvAttributeValue));

	for (int64 cell = 0; cell < walk->total; cell++)
	{
		int64		rest = cell;

		if (cell % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		for (int i = walk->ndimensions - 1; i >= 0; i--)
		{
			walk->dimension[i].current = (int) (rest % walk->dimension[i].count);
			rest /= walk->dimension[i].count;
		}
		VisitCell(walk, values);
	}
}

/* ---- the report ---- */

static void
Report(ReturnSetInfo *result, const Walk *walk, const char *finding, const ClvRule *rule,
	   const ClvRule *before, const Tally *tally)
{
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS] = {false};

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
	values[4] = Int64GetDatum(tally->cells);
	values[5] = Int64GetDatum(walk->total);
	if (tally->text != NULL)
		values[6] = CStringGetTextDatum(tally->text);
	nulls[6] = tally->text == NULL;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* A rule without tests is there to take the rest: that it overlaps says nothing. */
static bool
IsCatchAll(const ClvRule *rule)
{
	return rule->tests == 0 && rule->ncells == 0 && rule->nattributes == 0;
}

static void
ReportRule(ReturnSetInfo *result, const Walk *walk, int i)
{
	const ClvRules *rules = walk->rules;
	const ClvRule *rule = &rules->rules[i];

	if (walk->first[i].cells == 0)
		Report(result, walk, "unreachable", rule, NULL, &walk->holds[i]);
	if (IsCatchAll(rule))
		return;
	for (int j = 0; j < i; j++)
		if (walk->overlap[i * rules->nrules + j].cells > 0)
			Report(result, walk, "overlap", rule, &rules->rules[j],
				   &walk->overlap[i * rules->nrules + j]);
}

PG_FUNCTION_INFO_V1(clv_segment_check);
Datum
clv_segment_check(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			bins = PG_GETARG_INT32(1);
	Walk		walk;

	clv_check_bins(bins);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	OpenWalk(&walk, clv_map_read(PG_GETARG_TEXT_PP(0), fcinfo->flinfo->fn_oid), bins);
	WalkCells(&walk);
	if (walk.gap.cells > 0)
		Report(result, &walk, "gap", NULL, NULL, &walk.gap);
	for (int i = 0; i < walk.rules->nrules; i++)
		ReportRule(result, &walk, i);
	PG_RETURN_NULL();
}

/* What a map's rules need to know: scores by their letters, with the highest listed, attributes by name. */
PG_FUNCTION_INFO_V1(clv_segment_inputs);
Datum
clv_segment_inputs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ErrorContextCallback *stack = clv_hide_callers();
	ClvRules   *rules;
	Datum		values[3];
	bool		nulls[3] = {false};

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	rules = clv_map_read(PG_GETARG_TEXT_PP(0), fcinfo->flinfo->fn_oid);
	error_context_stack = stack;
	for (int i = 0; i < CLV_MEASURES + rules->nattributes; i++)
	{
		char		letter[2] = {0};

		if (i < CLV_MEASURES && (rules->needs & (1 << i)) == 0)
			continue;
		if (i < CLV_MEASURES)
			letter[0] = clv_score_letter[i];
		values[0] = CStringGetTextDatum(i < CLV_MEASURES ? "score" : "attribute");
		values[1] = CStringGetTextDatum(i < CLV_MEASURES ? letter
														 : rules->attribute[i - CLV_MEASURES]);
		nulls[2] = i >= CLV_MEASURES || rules->open[i] || rules->highest[i] == 0;
		values[2] = Int32GetDatum(nulls[2] ? 0 : rules->highest[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	PG_RETURN_NULL();
}
