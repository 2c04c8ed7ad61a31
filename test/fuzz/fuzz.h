/*
 * fuzz.h
 *		What the fuzzers read from their input, and how they report.
 *
 * A fuzzer is a file with Check(); the entry point of libFuzzer is in fuzz.c.
 */
#ifndef CLV_FUZZ_H
#define CLV_FUZZ_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "families/clocks.h"
#include "families/family.h"

/* What rounding may do to an order. */
#define FUZZ_ROUNDING (1 + 1e-9)

/* Below this doubles have fewer digits. */
#define FUZZ_LEAST 1e-300

/* What is left of the input. */
typedef struct Bytes
{
	const uint8_t *at;
	size_t left;
} Bytes;

/* Aborts where a condition does not hold, and says which. */
#define Require(holds)                                                                             \
	do                                                                                             \
	{                                                                                              \
		if (!(holds))                                                                              \
		{                                                                                          \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);             \
			abort();                                                                               \
		}                                                                                          \
	} while (0)

/* What a fuzzer asks of an input. */
extern void Check(Bytes *bytes);

/* The next byte of the input; 0 after its end. */
extern unsigned Next(Bytes *bytes);

/* From 0 to 1, both included, in 65,536 steps. */
extern double NextShare(Bytes *bytes);

/* 10^-decades to 10^decades, evenly in the logarithm; often 1. */
extern double NextScale(Bytes *bytes, double decades);

/* Any 64 bits. */
extern uint64_t NextWord(Bytes *bytes);

/* Any family of the registry for which a condition holds. */
extern const ClvFamily *NextFamily(Bytes *bytes, bool (*fits)(const ClvFamily *family));

/* Conditions of NextFamily(): of purchases, of their values, with a calendar, with a prior. */
extern bool IsOfPurchases(const ClvFamily *family);
extern bool IsOfSpend(const ClvFamily *family);
extern bool HasCalendar(const ClvFamily *family);
extern bool HasPrior(const ClvFamily *family);

/* Reads parameters that the family can have; false where they are beyond its limits. */
extern bool NextParameters(Bytes *bytes, const ClvFamily *family, double *param);

/* A history that a customer of the family can have. */
typedef struct History
{
	double x;
	double t_x;
	double T;
} History;

/* Reads a history: up to 10^4 repeat purchases in up to 10^6 units of time. */
extern History NextHistory(Bytes *bytes, const ClvFamily *family);

/* Memory of exactly this size that the fuzzer need not free, before or after an input is given up.
 */
extern void *Scratch(size_t size);

/*
 * The poll of all that takes one: gives up an input that calls for much work, where a server would
 * let users cancel it. CLV_FUZZ_WORK: how many calls are much.
 */
extern void Poll(void *arg);

/* Prints numbers of the input behind a word, where CLV_FUZZ_TELL is set: what a finding is about.
 */
extern void Tell(const char *what, int n, const double *number);

#endif /* CLV_FUZZ_H */
