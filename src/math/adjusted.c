/*
 * adjusted.c
 *		Differences of means, adjusted by a covariate.
 */
#include "math/adjusted.h"

#include <math.h>

ClvGroup
clv_group_of_sums(double n, double x, double y, double xx, double xy, double yy)
{
	ClvGroup group = {.n = n, .x = x / n, .y = y / n};

	/* what is left where all members are alike is rounding */
	group.xx = fmax(xx - x * group.x, 0);
	group.yy = fmax(yy - y * group.y, 0);
	group.xy = xy - x * group.y;
	return group;
}

/* The two-sided p-value of a standard normal deviate. */
static double
PValue(double z)
{
	return erfc(fabs(z) * M_SQRT1_2);
}

/* The difference less the effect of x at this slope. */
static ClvDifference
Difference(const ClvGroup *group, const ClvGroup *other, double slope)
{
	ClvDifference difference = {NAN, NAN, NAN};
	double variance = 0;

	if (!(group->n >= 2 && other->n >= 2))
		return difference;
	for (int i = 0; i < 2; i++)
	{
		const ClvGroup *g = i == 0 ? group : other;
		double squares = g->yy - slope * (2 * g->xy - slope * g->xx);

		variance += fmax(squares, 0) / (g->n - 1) / g->n;
	}
	difference.effect = group->y - other->y - slope * (group->x - other->x);
	difference.std_error = sqrt(variance);
	difference.p_value = difference.effect == 0 ? 1 : PValue(difference.effect / sqrt(variance));
	return difference;
}

ClvDifference
clv_difference(const ClvGroup *group, const ClvGroup *other)
{
	return Difference(group, other, 0);
}

ClvDifference
clv_adjusted_difference(const ClvGroup *group, const ClvGroup *other, double *explained)
{
	double xx = group->xx + other->xx;
	double yy = group->yy + other->yy;
	double slope = xx > 0 ? (group->xy + other->xy) / xx : 0;

	*explained = yy > 0 ? fmin(slope * (group->xy + other->xy) / yy, 1) : NAN;
	return Difference(group, other, slope);
}

double
clv_balance(const ClvGroup *group, const ClvGroup *other, double *p_value)
{
	double variance = group->xx / (group->n - 1);
	double other_variance = other->xx / (other->n - 1);
	double difference = group->x - other->x;

	*p_value = PValue(difference / sqrt(variance / group->n + other_variance / other->n));
	return difference / sqrt((variance + other_variance) / 2);
}

double
clv_share_p_value(double n, double all, double share)
{
	return PValue((n - all * share) / sqrt(all * share * (1 - share)));
}
