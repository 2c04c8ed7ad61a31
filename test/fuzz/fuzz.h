/*
 * fuzz.h
 *		What the fuzzers read from their input, and how they report.
 */
#ifndef CLV_FUZZ_H
#define CLV_FUZZ_H

#include <math.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "families/clocks.h"
#include "families/family.h"
#include "math/poll.h"

/* What rounding may do to an order. */
#define FUZZ_ROUNDING (1 + 1e-9)

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

/* The next byte of the input; 0 after its end. */
static inline unsigned
Next(Bytes *bytes)
{
	if (bytes->left == 0)
		return 0;
	bytes->left--;
	return *bytes->at++;
}

/* From 0 to 1, both included, in 65,536 steps. */
static inline double
NextShare(Bytes *bytes)
{
	unsigned high = Next(bytes);

	return (high * 256 + Next(bytes)) / 65535.0;
}

/* 10^-decades to 10^decades, evenly in the logarithm; often 1. */
static inline double
NextScale(Bytes *bytes, double decades)
{
	double share = NextShare(bytes);

	return fmod(share * 65535, 5) == 0 ? 1 : pow(10, decades * (2 * share - 1));
}

/* Any 64 bits. */
static inline uint64_t
NextWord(Bytes *bytes)
{
	uint64_t word = 0;

	for (int i = 0; i < 8; i++)
		word = word << 8 | Next(bytes);
	return word;
}

/* Any family of the registry. */
static inline const ClvFamily *
NextFamily(Bytes *bytes)
{
	int n = 0;

	while (clv_family_at(n) != NULL)
		n++;
	return clv_family_at((int) Next(bytes) % n);
}

/* Reads parameters that the family can have; false where they are beyond its limits. */
static inline int
NextParameters(Bytes *bytes, const ClvFamily *family, double *param)
{
	double decades = Next(bytes) % 4 == 0 ? 6 : 3;
	double low;
	double high;

	for (int i = 0; i < family->nparams; i++)
	{
		double scale = NextScale(bytes, decades);

		switch (family->transform[i])
		{
			case CLV_LOG:
				param[i] = scale;
				break;
			case CLV_LOGIT:
				param[i] = scale / (1 + scale);
				break;
			case CLV_FIXED:
				param[i] = fmin(ceil(scale), family->most[i]);
				break;
			case CLV_ASINH:
				param[i] = 0;
				break;
		}
		if (!clv_in_range(family, i, param[i]))
			return 0;
	}
	if (family->limits != NULL)
	{
		double share = NextShare(bytes);

		family->limits(param, &low, &high);
		param[family->nparams - 1] = share < 0.1 ? 0 : low + share * (high - low);
	}
	return clv_within_limits(family, param, &low, &high);
}

/* A history that a customer of the family can have. */
typedef struct History
{
	double x;
	double t_x;
	double T;
} History;

/* Reads a history: up to 10^4 repeat purchases in up to 10^6 units of time. */
static inline History
NextHistory(Bytes *bytes, const ClvFamily *family)
{
	unsigned kind = Next(bytes);
	double decades = kind & 4 ? 6 : 3;
	History history;

	history.x = kind & 1 ? 0 : floor(NextScale(bytes, kind & 8 ? 4 : 2));
	history.T = kind & 2 ? 0 : NextScale(bytes, decades);
	history.t_x = history.x == 0 ? 0 : history.T * NextShare(bytes);
	if (family->clock == CLV_OPPORTUNITIES || family->clock == CLV_RENEWALS)
	{
		history.T = floor(history.T);
		history.t_x = floor(history.t_x);
	}
	if (family->clock == CLV_OPPORTUNITIES)
	{
		history.x = fmin(history.x, history.t_x);
		history.t_x = history.x == 0 ? 0 : history.t_x;
	}
	if (family->clock == CLV_RENEWALS)
		history.x = history.t_x;
	Require(clv_possible(family, history.x, history.t_x, history.T));
	return history;
}

/* An input may call for so much work, in calls of the poll; a server would let users cancel it. */
#define FUZZ_MOST_WORK 150

static jmp_buf fuzz_too_long;
static long fuzz_work;

/* The poll: gives up what takes long. */
static inline void
Poll(void *arg)
{
	(void) arg;
	if (++fuzz_work > FUZZ_MOST_WORK)
		longjmp(fuzz_too_long, 1);
}

/* Checks one input, as far as it does not take long. */
static inline int
Attempt(void (*check)(Bytes *bytes), const uint8_t *data, size_t size)
{
	Bytes bytes = {data, size};

	fuzz_work = 0;
	clv_family_poll.call = Poll;
	clv_family_poll.work = 0;
	if (setjmp(fuzz_too_long) == 0)
		check(&bytes);
	return 0;
}

/* Prints numbers of the input behind a word, where CLV_FUZZ_TELL is set: what a finding is about.
 */
static inline void
Tell(const char *what, int n, const double *number)
{
	if (getenv("CLV_FUZZ_TELL") == NULL)
		return;
	fprintf(stderr, "%s", what);
	for (int i = 0; i < n; i++)
		fprintf(stderr, " %.17g", number[i]);
	fprintf(stderr, "\n");
}

#endif /* CLV_FUZZ_H */
