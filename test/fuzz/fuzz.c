/*
 * fuzz.c
 *		The entry point of libFuzzer, and what all fuzzers share.
 */
#include <setjmp.h>

#include "families/prior.h"
#include "math/poll.h"

#include "fuzz.h"

unsigned
Next(Bytes *bytes)
{
	if (bytes->left == 0)
		return 0;
	bytes->left--;
	return *bytes->at++;
}

double
NextShare(Bytes *bytes)
{
	unsigned high = Next(bytes);

	return (high * 256 + Next(bytes)) / 65535.0;
}

double
NextScale(Bytes *bytes, double decades)
{
	double share = NextShare(bytes);

	return fmod(share * 65535, 5) == 0 ? 1 : pow(10, decades * (2 * share - 1));
}

uint64_t
NextWord(Bytes *bytes)
{
	uint64_t word = 0;

	for (int i = 0; i < 8; i++)
		word = word << 8 | Next(bytes);
	return word;
}

const ClvFamily *
NextFamily(Bytes *bytes, bool (*fits)(const ClvFamily *family))
{
	const ClvFamily *family[32];
	unsigned n = 0;

	for (int i = 0; clv_family_at(i) != NULL; i++)
		if (fits(clv_family_at(i)))
			family[n++] = clv_family_at(i);
	return family[Next(bytes) % n];
}

bool
IsOfPurchases(const ClvFamily *family)
{
	return family->process == CLV_TRANSACTION;
}

bool
IsOfSpend(const ClvFamily *family)
{
	return family->process == CLV_SPEND;
}

bool
HasCalendar(const ClvFamily *family)
{
	return family->clocked != NULL;
}

bool
HasPrior(const ClvFamily *family)
{
	return clv_unit_free_count(family) > 0;
}

bool
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
			return false;
	}
	if (family->limits != NULL)
	{
		double share = NextShare(bytes);

		family->limits(param, &low, &high);
		param[family->nparams - 1] = share < 0.1 ? 0 : low + share * (high - low);
	}
	return clv_in_range(family, family->nparams - 1, param[family->nparams - 1]) &&
		   clv_within_limits(family, param, &low, &high);
}

History
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

/* ---- what an input may take ---- */

/* Calls of the poll, a fifth of a millisecond each without sanitizers. */
#define MOST_WORK 40

static jmp_buf too_long;
static long most_work;
static long work_done;
static long given_up;
static void *scratch;

/* Says how many inputs took long, when all is done. */
static void
TellGivenUp(void)
{
	fprintf(stderr, "Given up: %ld\n", given_up);
}

void
Poll(void *arg)
{
	(void) arg;
	if (++work_done > most_work)
		longjmp(too_long, 1);
}

void *
Scratch(size_t size)
{
	free(scratch);
	scratch = malloc(size);
	return scratch;
}

void
Tell(const char *what, int n, const double *number)
{
	if (getenv("CLV_FUZZ_TELL") == NULL)
		return;
	fprintf(stderr, "%s", what);
	for (int i = 0; i < n; i++)
		fprintf(stderr, " %.17g", number[i]);
	fprintf(stderr, "\n");
}

/* Checks one input, as far as it does not take long. */
extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Bytes bytes = {data, size};

	if (most_work == 0)
	{
		most_work = getenv("CLV_FUZZ_WORK") != NULL ? atol(getenv("CLV_FUZZ_WORK")) : MOST_WORK;
		atexit(TellGivenUp);
	}
	work_done = 0;
	clv_family_poll.call = Poll;
	clv_family_poll.work = 0;
	if (setjmp(too_long) == 0)
		Check(&bytes);
	else
		given_up++;
	return 0;
}
