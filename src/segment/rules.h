/*
 * rules.h
 *		Rule lists, which map scores and attributes to the name of a segment.
 *
 * A rule is a JSON object whose members are tests, all of which must hold:
 *
 *		"r": 5					a score (r f m t c v) is that number,
 *		"r": [4, 5]				is one of them, or
 *		"r": {"min": 2, "max": 4}	lies between them; one bound is enough
 *		"rfm": ["555", "554"]	several scores together are one of these cells
 *		"attributes": {...}		attributes, each tested by a value, a list of
 *								values, or bounds: min, max, above, below
 *		"value": {...}			what the scores are made of or the model expects, such as
 *								churn, tested in the same way by numbers
 *
 * The first rule of a list that holds names the segment. {r} in a name is
 * replaced by the score itself.
 */
#ifndef CLV_SEGMENT_RULES_H
#define CLV_SEGMENT_RULES_H

#include "score/score.h"
#include "utils/jsonb.h"

/* The scores that a test takes together, and the cells that pass, as numbers in ascending order. */
typedef struct ClvCellTest
{
	int measures;
	uint8 measure[CLV_MEASURES];
	int count;
	int32 *cell;
} ClvCellTest;

/* The type of an attribute's value. */
typedef enum ClvAttributeKind
{
	CLV_ATTRIBUTE_UNREAD, /* not looked up yet */
	CLV_ATTRIBUTE_NULL,   /* missing or NULL */
	CLV_ATTRIBUTE_NUMBER,
	CLV_ATTRIBUTE_STRING,
	CLV_ATTRIBUTE_BOOLEAN,
	CLV_ATTRIBUTE_OTHER /* an object or array; or, in a check, what no rule mentions */
} ClvAttributeKind;

/* The value of an attribute. */
typedef struct ClvAttributeValue
{
	ClvAttributeKind kind;
	double number; /* or the boolean, 0 or 1 */
	const char *string;
	int length;
} ClvAttributeValue;

/* Sets what a JSON value is as an attribute's; a string is neither copied nor terminated. */
extern void clv_attribute_value(const JsonbValue *value, ClvAttributeValue *out);

/* A value that the test of a rule may name: the range it can be in, and whether it is whole. */
typedef struct ClvKnownValue
{
	const char *name;
	double low;
	double high;
	bool whole;
	bool life; /* P(alive) or 1 - P(alive), which scores made with a model bring along */
} ClvKnownValue;

/* A range where count is 0, else a list. */
typedef struct ClvAttributeTest
{
	int attribute;
	double low; /* -Infinity: no bound */
	double high;
	bool above; /* low itself fails */
	bool below; /* high itself fails */
	int count;
	ClvAttributeValue *value;
} ClvAttributeTest;

/* The scores a score test lets pass: bit i of the two words. */
typedef struct ClvScoreSet
{
	uint64 bits[2];
} ClvScoreSet;

/* A rule: the segment, and the tests that must all hold for it. */
typedef struct ClvRule
{
	int number; /* position in its list, for messages */
	char *segment;
	bool named_by_scores; /* the segment holds a {letter} */
	int needs;            /* bit per score that must be known once the rule is reached */
	int tests;            /* bit per score with a set below */
	ClvScoreSet score[CLV_MEASURES];
	int ncells;
	ClvCellTest *cells;
	int nattributes;
	ClvAttributeTest *attributes;
} ClvRule;

/* A list of rules, and what all of them together mention. */
typedef struct ClvRules
{
	const char *name; /* how messages call the list */
	int nrules;
	int capacity;
	ClvRule *rules;
	int nattributes; /* of attributes and values */
	char **attribute;          /* names, as the tests count them */
	const ClvKnownValue **known; /* what the name stands for as a value; NULL: an attribute */
	int needs;                 /* of all rules */
	int highest[CLV_MEASURES]; /* score that a test mentions; 0: none, or open to above */
	bool open[CLV_MEASURES];
	bool shipped; /* written for CLV_DEFAULT_BINS, where it mentions scores */
} ClvRules;

/* An empty list in the current memory context, where all of it will live. */
extern ClvRules *clv_rules_create(const char *name);

/* Adds a rule; where segment is NULL, the rule itself has a member "segment". */
extern void clv_rules_add(ClvRules *rules, int number, const char *segment, JsonbContainer *rule);

/* The rules of a JSON list. */
extern ClvRules *clv_rules_from_json(Jsonb *list);

/* Reads an attribute's value when it is needed first. */
typedef void (*ClvAttributeReader)(void *source, const char *name, ClvAttributeValue *value);

/*
 * The index of the first rule that holds, or -1. values has room for every
 * attribute, all UNREAD at first. An input that a reached rule needs and
 * that is missing is an error with a hint, or -1 where that may be.
 */
extern int clv_rules_match(const ClvRules *rules, const ClvScores *scores,
						   ClvAttributeValue *values, ClvAttributeReader reader, void *source,
						   bool may_lack);

/* Whether one rule holds; everything it needs must be known. */
extern bool clv_rule_holds(const ClvRule *rule, const ClvScores *scores,
						   const ClvAttributeValue *values);

/* The name of the segment, with its placeholders replaced by scores. */
extern text *clv_rule_segment(const ClvRule *rule, const ClvScores *scores);

#endif /* CLV_SEGMENT_RULES_H */
