/*
 * micro_beta_geometric.c
 *		Nanoseconds a call of the quantities of beta-geometric dropout, on customers like CDNOW's.
 *
 * cc -O2 -std=c11 -D_GNU_SOURCE -ffp-contract=off -Isrc bench/micro_beta_geometric.c
 *     src/math/\*.c src/families/\*.c -lm -o build/micro_beta_geometric
 */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "families/beta_geometric.h"

#define CUSTOMERS 1000
#define ROUNDS 20

static const double param[] = {0.243, 4.414, 0.793, 2.426};
static const double delta = 0.0018;
static const double horizon = 52;

typedef struct Customer
{
	double x;
	double t_x;
	double T;
	double future[4];
} Customer;

static Customer customers[CUSTOMERS];

/* The log-likelihood of a customer. */
static double
LogLikelihood(const Customer *c)
{
	return clv_bg_log_likelihood(param, c->x, c->t_x, c->T, 0);
}

/* ln P(alive) of a customer. */
static double
LnPAlive(const Customer *c)
{
	return clv_bg_ln_p_alive(param, c->x, c->t_x, c->T, 0);
}

/* Expected purchases in a year. */
static double
Expected(const Customer *c)
{
	return clv_bg_expected(c->future, horizon, 0);
}

/* Discounted expected purchases in a year. */
static double
Discounted(const Customer *c)
{
	return clv_bg_discounted(c->future, delta, horizon, 0);
}

/* Discounted expected purchases without an end. */
static double
Lifetime(const Customer *c)
{
	return clv_bg_discounted(c->future, delta, INFINITY, 0);
}

/* The probability of one number of purchases. */
static double
Probability(const Customer *c)
{
	return clv_bg_probability(c->future, 3, horizon, 0);
}

/* The probabilities of several numbers of purchases, summed. */
static double
Probabilities(const Customer *c)
{
	double p[128];

	clv_bg_probabilities(c->future, horizon, 128, p, 0);
	return p[127];
}

/* The probability that a new customer is still alive. */
static double
Survival(const Customer *c)
{
	return clv_bg_survival(c->future, horizon, 0);
}

static const struct
{
	const char *name;
	double (*call)(const Customer *c);
} quantities[] = {
	{"log_likelihood", LogLikelihood},
	{"ln_p_alive", LnPAlive},
	{"expected", Expected},
	{"discounted, 52", Discounted},
	{"discounted, inf", Lifetime},
	{"probability, n = 3", Probability},
	{"probabilities, 128", Probabilities},
	{"survival", Survival},
};

/* Nanoseconds of a call, the least of several rounds over all customers. */
static double
Nanoseconds(double (*call)(const Customer *c))
{
	struct timespec from;
	struct timespec to;
	double best = INFINITY;
	double sum = 0;

	for (int round = 0; round < ROUNDS; round++)
	{
		double ns;

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
		for (int i = 0; i < CUSTOMERS; i++)
			sum += call(&customers[i]);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
		ns = (to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec);
		best = fmin(best, ns / CUSTOMERS);
	}
	return sum == 0.5 ? 0 : best; /* so that no call can be left out */
}

int
main(void)
{
	for (int i = 0; i < CUSTOMERS; i++)
	{
		Customer *c = &customers[i];
		double spread = fmod(i * 0.61803398875, 1);

		c->x = floor(fmin(40, 0.5 / (1.02 - spread)) + (i % 4 == 0 ? i % 7 : 0));
		c->T = 27 + i % 85 / 7.0;
		c->t_x = c->x > 0 ? c->T * (0.1 + 0.9 * fmod(i * 0.754877666, 1)) : 0;
		c->future[0] = param[0] + c->x;
		c->future[1] = param[1] + c->T;
		c->future[2] = param[2];
		c->future[3] = param[3] + c->x;
	}
	for (size_t q = 0; q < sizeof(quantities) / sizeof(quantities[0]); q++)
		printf("%-20s %8.0f ns\n", quantities[q].name, Nanoseconds(quantities[q].call));
	return 0;
}
