/*
 * pooling.h
 *		Mean and covariance between groups of what was estimated in each with an error.
 */
#ifndef CLV_POOLING_H
#define CLV_POOLING_H

#include "math/linalg.h"
#include "math/poll.h"

#define CLV_POOLING_MAX 6
#define CLV_POOLING_TRIANGLE CLV_TRIANGLE(CLV_POOLING_MAX)

/* The estimates of a group, and the covariance of their errors, positive definite. */
typedef struct ClvPoolingGroup
{
	double value[CLV_POOLING_MAX];
	double error[CLV_POOLING_TRIANGLE];
} ClvPoolingGroup;

/* What groups have in common. */
typedef struct ClvPooling
{
	double mean[CLV_POOLING_MAX];
	double between[CLV_POOLING_TRIANGLE]; /* covariance of the true values between groups */
	double error[CLV_POOLING_TRIANGLE];   /* covariance of the mean */
} ClvPooling;

/*
 * Fits value ~ N(mean, between + error) to n numbers of each of so many groups, at least two, by
 * restricted maximum likelihood (Patterson & Thompson 1971). Their order changes the last digits.
 * The groups are used up: they are left in other units.
 */
extern void clv_pooling_fit(int n, ClvPoolingGroup *groups, size_t count, ClvPoll *poll,
							ClvPooling *pooling);

#endif /* CLV_POOLING_H */
