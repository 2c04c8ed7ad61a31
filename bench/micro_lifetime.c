/*
 * micro_lifetime.c
 *		How long the families with a life of their own take, without a server.
 *
 * cc -O2 -std=c11 -D_GNU_SOURCE -ffp-contract=off -Isrc
 *     bench/micro_lifetime.c src/math/\*.c src/families/\*.c -lm -o build/micro_lifetime
 * build/micro_lifetime
 *
 * Nanoseconds of CPU a call, over customers like CDNOW's: up to 10 purchases in up to
 * two years of weeks, the parameters those of the sample. A pass is what one step of a
 * fit asks of the family, which is the tables of all x over two years of days.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "families/registry.h"

#define CUSTOMERS 1000
#define DAYS 731

typedef struct Customer
{
	double x;
	double t_x;
	double T;
} Customer;

static Customer customers[CUSTOMERS];
static volatile double sink;

/* Seconds of a monotonic clock. */
static double
Now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

/* Fills in the customers by chance. */
static void
Draw(void)
{
	srand(1);
	for (int i = 0; i < CUSTOMERS; i++)
	{
		Customer *c = &customers[i];

		c->T = (30 + rand() % 701) / 7.0;
		c->x = rand() % 2 == 0 ? 0 : 1 + rand() % 10;
		c->t_x = c->x > 0 ? c->T * rand() / RAND_MAX : 0;
	}
}

typedef double (*Quantity)(const ClvFamily *family, const double *param, const Customer *c);

/* The log-likelihood of a customer. */
static double
LogLikelihood(const ClvFamily *family, const double *param, const Customer *c)
{
	return family->log_likelihood(param, c->x, c->t_x, c->T);
}

/* P(alive) of a customer. */
static double
PAlive(const ClvFamily *family, const double *param, const Customer *c)
{
	return exp(family->ln_p_alive(param, c->x, c->t_x, c->T));
}

/* Expected purchases of a customer in 52 weeks. */
static double
Expected(const ClvFamily *family, const double *param, const Customer *c)
{
	return family->expected(param, c->T);
}

/* Expected purchases in 52 weeks of a customer who is alive. */
static double
Future(const ClvFamily *family, const double *param, const Customer *c)
{
	ClvFuture future;

	family->given_alive(param, c->x, c->T, &future);
	return family->expected(future.param, 52);
}

/* The probability of one number of purchases. */
static double
Probability(const ClvFamily *family, const double *param, const Customer *c)
{
	return family->probability(param, 2, c->T);
}

/* The probabilities of several numbers of purchases, summed. */
static double
Probabilities(const ClvFamily *family, const double *param, const Customer *c)
{
	double p[16];

	family->probabilities(param, c->T, 16, p);
	return p[15];
}

/* Discounted expected purchases without an end, of a customer who is alive. */
static double
Lifetime(const ClvFamily *family, const double *param, const Customer *c)
{
	ClvFuture future;

	family->given_alive(param, c->x, c->T, &future);
	return family->discounted(future.param, 0.0018, INFINITY);
}

/* Discounted expected purchases in 52 weeks, of a customer who is alive. */
static double
Horizon(const ClvFamily *family, const double *param, const Customer *c)
{
	ClvFuture future;

	family->given_alive(param, c->x, c->T, &future);
	return family->discounted(future.param, 0.0018, 52);
}

/* Prints the nanoseconds of a quantity for a customer. */
static void
Time(const char *name, const ClvFamily *family, const double *param, Quantity quantity)
{
	double best = INFINITY;

	for (int round = 0; round < 5; round++)
	{
		double start = Now();

		for (int i = 0; i < CUSTOMERS; i++)
			sink = quantity(family, param, &customers[i]);
		best = fmin(best, (Now() - start) / CUSTOMERS);
	}
	printf("%-14s %-28s %8.0f ns\n", family->name, name, best * 1e9);
}

/* Prints the time of a pass of terms over all days. */
static void
TimePass(const ClvFamily *family, const double *param)
{
	static ClvTerm terms[DAYS];
	static const double xs[] = {0, 1, 3, 10, 30, 100};
	double days[DAYS];

	for (int i = 0; i < DAYS; i++)
		days[i] = i / 7.0;
	for (int k = 0; k < 6; k++)
	{
		double start = Now();

		for (int round = 0; round < 3; round++)
		{
			family->departed(param, xs[k], days, DAYS, terms);
			family->alive(param, xs[k], days, DAYS, terms);
		}
		printf("%-14s a row of a table, x = %-7g %8.0f ns\n", family->name, xs[k],
			   (Now() - start) / (2 * DAYS * 3) * 1e9);
	}
}

/* Prints the times of all quantities of a family. */
static void
TimeFamily(const ClvFamily *family, const double *param)
{
	Time("log-likelihood", family, param, LogLikelihood);
	Time("P(alive)", family, param, PAlive);
	Time("E of a newcomer", family, param, Expected);
	Time("E given alive, 52 weeks", family, param, Future);
	Time("P(2)", family, param, Probability);
	Time("P(0) to P(15) at once", family, param, Probabilities);
	Time("DERT", family, param, Lifetime);
	Time("discounted over 52 weeks", family, param, Horizon);
	TimePass(family, param);
}

int
main(void)
{
	static const double pareto[] = {0.553, 10.58, 0.606, 11.67};
	static const double ggompertz[] = {0.579, 12.64, 0.0448, 0.1746, 0.1294};

	Draw();
	TimeFamily(&clv_paretonbd, pareto);
	TimeFamily(&clv_ggompertznbd, ggompertz);
	return 0;
}
