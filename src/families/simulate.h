/*
 * simulate.h
 *		Simulated customers: a customer is drawn from a family, and then their purchases one by one.
 *
 * Times are in the unit of the model, from the first purchase on, as in family.h.
 */
#ifndef CLV_SIMULATE_H
#define CLV_SIMULATE_H

#include <stdbool.h>

#include "families/clocks.h"
#include "families/family.h"
#include "math/random.h"

/* When a customer may leave. */
typedef enum ClvLeaves
{
	CLV_LEAVES_AFTER_PURCHASE, /* with a probability, after every one */
	CLV_LEAVES_IN_TIME,        /* at a hazard */
	CLV_LEAVES_IN_PERIOD       /* with a probability, at the start of each */
} ClvLeaves;

/* What differs from customer to customer. */
typedef struct ClvTraits
{
	ClvLeaves leaves;
	bool at_first;  /* may leave after the first purchase, not only after later ones */
	int stages;     /* of so many events one is a purchase */
	double buying;  /* events a time unit; of periods, P(purchase) */
	double leaving; /* P(leaving), or what the hazard is multiplied by */
	double ageing;  /* the hazard at u is leaving ageing e^(ageing u); 0: leaving. In periods: c of
					   P(t are survived) = (1 - leaving)^(t^c); 0: 1 */
	double shape;   /* of the values of their purchases, at rate scale; spend families only */
	double scale;
} ClvTraits;

/* The life of a customer, up to the purchase that came last. */
typedef struct ClvLife
{
	const ClvTraits *traits;
	const ClvClocks *clocks; /* or NULL */
	ClvRandom *random;
	double end;    /* nothing is drawn beyond */
	double leaves; /* when the customer leaves at a hazard; else INFINITY */
	double at;     /* of the last purchase; by the clock of purchases, or periods */
	bool gone;     /* after a purchase, or in a period */
	int stretch;   /* of the clocks, at the last purchase */
} ClvLife;

/* Begins a life with the first purchase, at time 0, to be followed until end. */
extern void clv_life_start(ClvLife *life, const ClvTraits *traits, const ClvClocks *clocks,
						   ClvRandom *random, double end);

/* The time of the next purchase, or its period; INFINITY where none comes until end. */
extern double clv_life_next(ClvLife *life);

/* The value of a purchase of a customer of a spend family; may be below or beyond any double, 0 or
 * INFINITY. */
extern double clv_draw_amount(const ClvTraits *traits, ClvRandom *random);

/* The stretches of clv_clocks_set(), with multipliers of which every bit is the same everywhere. */
extern void clv_clocks_set_same(ClvStretch *stretch, int n, const double *from, const double *z,
								int ncovariates, const double *effect);

/*
 * Sets later[] to the stretches from a time on, as of clocks that begin then, and returns their
 * number.
 */
extern int clv_clocks_later(const ClvStretch *stretch, int n, double since, ClvStretch *later);

#endif /* CLV_SIMULATE_H */
