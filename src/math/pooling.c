/*
 * pooling.c
 *		Restricted maximum likelihood of a covariance between groups.
 *
 * The estimate y_i of group i has the mean mu and the covariance A + V_i, V_i being that of its
 * error, which is known. The EM algorithm takes the true values for missing data (Laird & Ware
 * 1982): with W_i = (A + V_i)^-1, C = (sum W_i)^-1 and mu = C sum W_i y_i, the true value of group i
 * is mu + b_i, where given the estimates
 *
 *		E[b_i]	= A W_i (y_i - mu)
 *		Var b_i	= A - A W_i A + A W_i C W_i A = A W_i V_i + A W_i C W_i A,
 *
 * and the next A is the mean of E[b_i] E[b_i]' + Var b_i. Every step increases the restricted
 * likelihood and leaves A positive definite. EM is slow where errors are large beside A; after two
 * steps the search leaps ahead along them (Varadhan & Roland 2008, SQUAREM, third scheme) and
 * returns where that does not increase the likelihood.
 */
#include "math/pooling.h"

#include <math.h>
#include <string.h>

#define ROUNDS 300
#define CLOSE 1e-10 /* a step of A, relative to A and a share of the errors */
#define CLOSE_SHARE 0.1
#define IDLE_GAIN 1e-11  /* of the likelihood: a variance that vanishes does so without end */
#define LEAST_SHARE 0.01 /* of the errors, that A is at the start */

/* A step of EM: what it starts from, and what it gives. */
typedef struct Step
{
	double from[CLV_POOLING_TRIANGLE];
	double to[CLV_POOLING_TRIANGLE];
	ClvPooling at; /* mean, its error and the likelihood at the start of the step */
} Step;

/* Element (i, j) of a symmetric matrix. */
static inline double
At(const double *triangle, int i, int j)
{
	return triangle[i > j ? CLV_AT(i, j) : CLV_AT(j, i)];
}

/* ln of the determinant of a matrix from its factor. */
static double
LnDeterminant(const ClvCholesky *chol)
{
	double sum = 0;

	for (int i = 0; i < chol->n; i++)
		sum += log(chol->factor[CLV_AT(i, i)]) - log(chol->scale[i]);
	return 2 * sum;
}

/* Sets W to (A + V)^-1, and *determinant to ln |A + V|; false where that is singular. */
static bool
Weigh(int n, const double *between, const ClvPoolingGroup *group, double *weight,
	  double *determinant)
{
	double total[CLV_POOLING_TRIANGLE];
	ClvCholesky chol;

	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		total[i] = between[i] + group->error[i];
	if (!clv_cholesky(n, total, &chol))
		return false;
	clv_cholesky_inverse(&chol, weight);
	*determinant = LnDeterminant(&chol);
	return true;
}

/* Sets mean and its error for a covariance between groups; false where that is none. */
static bool
FitMean(int n, const ClvPoolingGroup *groups, size_t count, const double *between, ClvPoll *poll,
		ClvPooling *at)
{
	double weights[CLV_POOLING_TRIANGLE] = {0};
	double sum[CLV_POOLING_MAX] = {0};
	double square = 0;
	ClvCholesky chol;

	at->log_likelihood = 0;
	for (size_t g = 0; g < count; g++)
	{
		double weight[CLV_POOLING_TRIANGLE];
		double determinant;

		if (!Weigh(n, between, &groups[g], weight, &determinant))
			return false;
		for (int i = 0; i < CLV_TRIANGLE(n); i++)
			weights[i] += weight[i];
		for (int i = 0; i < n; i++)
		{
			for (int j = 0; j < n; j++)
			{
				sum[i] += At(weight, i, j) * groups[g].value[j];
				square += At(weight, i, j) * groups[g].value[i] * groups[g].value[j];
			}
		}
		at->log_likelihood -= determinant / 2;
		clv_poll(poll, 100);
	}
	if (!clv_cholesky(n, weights, &chol))
		return false;
	clv_cholesky_inverse(&chol, at->error);
	clv_cholesky_solve(&chol, sum, at->mean);
	for (int i = 0; i < n; i++)
		square -= sum[i] * at->mean[i];
	at->log_likelihood -= (square + LnDeterminant(&chol)) / 2;
	return true;
}

/* Adds E[b] E[b]' + Var b of a group to the next covariance. */
static void
AddGroup(int n, const Step *step, const ClvPoolingGroup *group, double *next)
{
	double shrink[CLV_POOLING_MAX][CLV_POOLING_MAX] = {{0}}; /* A W */
	double expected[CLV_POOLING_MAX] = {0};
	double weight[CLV_POOLING_TRIANGLE];
	double determinant;

	(void) Weigh(n, step->from, group, weight, &determinant);
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < n; j++)
		{
			for (int k = 0; k < n; k++)
				shrink[i][j] += At(step->from, i, k) * At(weight, k, j);
			expected[i] += shrink[i][j] * (group->value[j] - step->at.mean[j]);
		}
	}
	for (int i = 0; i < n; i++)
	{
		double row[CLV_POOLING_MAX] = {0}; /* of A W C */

		for (int k = 0; k < n; k++)
		{
			for (int l = 0; l < n; l++)
				row[l] += shrink[i][k] * At(step->at.error, k, l);
		}
		for (int j = 0; j <= i; j++)
		{
			double value = expected[i] * expected[j];

			for (int k = 0; k < n; k++)
				value += row[k] * shrink[j][k] + shrink[i][k] * At(group->error, k, j);
			next[CLV_AT(i, j)] += value;
		}
	}
}

/* A step of EM from step->from; false where that is no covariance. */
static bool
TakeStep(int n, const ClvPoolingGroup *groups, size_t count, ClvPoll *poll, Step *step)
{
	if (!FitMean(n, groups, count, step->from, poll, &step->at))
		return false;
	memset(step->to, 0, sizeof(step->to));
	for (size_t g = 0; g < count; g++)
	{
		AddGroup(n, step, &groups[g], step->to);
		clv_poll(poll, 300);
	}
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		step->to[i] /= (double) count;
	return true;
}

/*
 * A start: of each number by itself the variance by moments (DerSimonian & Laird 1986), no less
 * than a small share of the errors. Sets *scale to the errors, the mean of which is harmonic.
 */
static void
Start(int n, const ClvPoolingGroup *groups, size_t count, double *between, double *scale)
{
	memset(between, 0, CLV_POOLING_TRIANGLE * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		double weights = 0;
		double squares = 0;
		double sum = 0;
		double spread = 0;

		for (size_t g = 0; g < count; g++)
		{
			double weight = 1 / groups[g].error[CLV_AT(i, i)];

			weights += weight;
			squares += weight * weight;
			sum += weight * groups[g].value[i];
		}
		for (size_t g = 0; g < count; g++)
		{
			double off = groups[g].value[i] - sum / weights;

			spread += off * off / groups[g].error[CLV_AT(i, i)];
		}
		scale[i] = (double) count / weights;
		between[CLV_AT(i, i)] =
			fmax((spread - (double) (count - 1)) / (weights - squares / weights),
				 LEAST_SHARE * scale[i]);
	}
}

/* Whether a covariance moves no more, beside itself or beside errors of that scale. */
static bool
IsClose(int n, const double *one, const double *other, const double *scale)
{
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j <= i; j++)
		{
			double a = At(one, i, i) + CLOSE_SHARE * scale[i];
			double b = At(one, j, j) + CLOSE_SHARE * scale[j];

			if (!(fabs(At(one, i, j) - At(other, i, j)) <= CLOSE * sqrt(a * b)))
				return false;
		}
	}
	return true;
}

/* Sets leap->from ahead along two steps; false where they do not turn, or that is no covariance. */
static bool
Leap(int n, const Step *one, const Step *two, Step *leap)
{
	double first = 0;
	double turn = 0;
	double length;
	ClvCholesky chol;

	for (int i = 0; i < CLV_TRIANGLE(n); i++)
	{
		double r = one->to[i] - one->from[i];
		double v = two->to[i] - two->from[i] - r;

		first += r * r;
		turn += v * v;
	}
	length = sqrt(first / turn);
	if (!(length > 1) || !isfinite(length))
		return false;
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
	{
		double r = one->to[i] - one->from[i];
		double v = two->to[i] - two->from[i] - r;

		leap->from[i] = one->from[i] + 2 * length * r + length * length * v;
	}
	return clv_cholesky(n, leap->from, &chol);
}

void
clv_pooling_fit(int n, const ClvPoolingGroup *groups, size_t count, ClvPoll *poll,
				ClvPooling *pooling)
{
	double scale[CLV_POOLING_MAX];
	Step one;
	Step two;
	Step leap;

	Start(n, groups, count, one.from, scale);
	(void) TakeStep(n, groups, count, poll, &one);
	for (int round = 0; round < ROUNDS && !IsClose(n, one.to, one.from, scale); round++)
	{
		double before = one.at.log_likelihood;

		memcpy(two.from, one.to, sizeof(two.from));
		if (!TakeStep(n, groups, count, poll, &two))
			break;
		if (Leap(n, &one, &two, &leap) && TakeStep(n, groups, count, poll, &leap) &&
			leap.at.log_likelihood >= two.at.log_likelihood)
			one = leap;
		else
			one = two;
		if (one.at.log_likelihood - before < IDLE_GAIN)
			break;
	}
	*pooling = one.at;
	memcpy(pooling->between, one.from, sizeof(pooling->between));
}
