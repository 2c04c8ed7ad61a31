/*
 * newcomers.c
 *		What customers are expected to buy from their first purchases on, day by day.
 */
#include "predict/predict.h"
#include "predict/predict_private.h"

#include <math.h>

#include "families/covariates.h"
#include "math/chebyshev.h"
#include "miscadmin.h"
#include "utils/float.h"

/* So many ages are remembered, for 270 years. */
#define MOST_AGES 100000

/* Where there are more than twice POINTS ages, a polynomial through POINTS of them gives the
 * others, if its last coefficients are below SMALL beside the largest expectation. */
#define POINTS 40
#define SMALL 1e-12

#define WEEK 7.0 /* days */

/* Newcomers of one kind: their parameters, and what was computed of them. */
typedef struct Kind
{
	ClvFuture future;
	ClvTimeline *timeline; /* NULL: all days are alike, */
	double *until; /* and these are the expected purchases by the age in days; NaN: not yet */
	int32 ages;
	double unit_days;
	bool smooth; /* whether they follow from this polynomial, */
	double half; /* which is one of the scale from 0 to twice this */
	ClvChebyshevRow coefficients[POINTS];
} Kind;

/* Sets the parameters of newcomers with these covariates; NULL: none. */
static void
SetKind(Kind *kind, const ClvModelPart *part, const double *z)
{
	int n = clv_model_own_covariates(part);
	double effect[CLV_MAX_EFFECTS];
	double centred[CLV_MAX_COVARIATES];

	for (int i = 0; i < kind->ages; i++)
		kind->until[i] = get_float8_nan();
	memcpy(kind->future.param, part->param, sizeof(part->param));
	if (n == 0)
		return;
	for (int i = 0; i < n; i++)
	{
		centred[i] = z[i] - part->centre[i];
		effect[i] = part->effect[i];
		effect[n + i] = part->effect[part->ncovariates + i];
	}
	clv_param_with_effects(part->family, part->param, n, effect, centred, kind->future.param);
}

/* An age in days on a scale where expectations bend alike. */
static double
Bent(double age)
{
	return log1p(age / WEEK);
}

/* The age in days at a place of that scale. */
static double
Unbent(double bent)
{
	return WEEK * expm1(bent);
}

/* Sets the polynomial through the expected purchases by a few ages where it has the digits of all.
 */
static void
SetPolynomial(Kind *kind)
{
	double at[POINTS];
	ClvChebyshevRow values[POINTS] = {{{0}}};

	kind->smooth = false;
	if (kind->timeline != NULL || kind->ages <= 2 * POINTS)
		return;
	kind->half = Bent(kind->ages - 1) / 2;
	clv_chebyshev_points(POINTS, at);
	for (int i = 0; i < POINTS; i++)
		values[i].of[0] =
			clv_future_expected(&kind->future, Unbent(kind->half * (1 + at[i])) / kind->unit_days);
	clv_chebyshev_fit(POINTS, values, kind->coefficients);
	for (int i = POINTS - 2; i < POINTS; i++)
		if (!(fabs(kind->coefficients[i].of[0]) <= SMALL * values[POINTS - 1].of[0]))
			return;
	kind->smooth = true;
}

/* What one newcomer is expected to buy again, so many days after the first purchase. */
static double
Until(Kind *kind, int32 age)
{
	if (kind->timeline != NULL || age >= kind->ages)
		return clv_future_expected(&kind->future, age / kind->unit_days);
	if (isnan(kind->until[age]))
		kind->until[age] =
			kind->smooth
				? clv_chebyshev_value(POINTS, kind->coefficients, Bent(age) / kind->half - 1).of[0]
				: clv_future_expected(&kind->future, age / kind->unit_days);
	return kind->until[age];
}

void
clv_newcomers_expected(const ClvModel *fitted, const ClvNewcomers *groups, int64 n,
					   const DateADT *days, int m, double *expected)
{
	ClvModelPart *part = palloc(sizeof(ClvModelPart));
	Kind kind = {.unit_days = fitted->unit_days};
	DateADT first = days[m - 1];

	*part = fitted->purchase;
	kind.future.family = part->family;
	kind.future.clocks = NULL;
	if (part->calendar != NULL)
	{
		part->derived = palloc0(sizeof(ClvDerived));
		part->derived->context = CurrentMemoryContext;
		kind.timeline = clv_timeline(part, fitted->unit_days);
	}
	for (int64 i = 0; i < n; i++)
		first = Min(first, groups[i].first);
	kind.ages = (int32) Min((int64) days[m - 1] - first + 1, MOST_AGES);
	kind.until = palloc(kind.ages * sizeof(double));
	memset(expected, 0, m * sizeof(double));
	for (int64 i = 0; i < n; i++)
	{
		const ClvNewcomers *group = &groups[i];

		CHECK_FOR_INTERRUPTS();
		if (i == 0 || group->z != groups[i - 1].z)
		{
			SetKind(&kind, part, group->z);
			SetPolynomial(&kind);
		}
		if (kind.timeline != NULL)
			kind.future.clocks = clv_clocks_from_day(kind.timeline, group->first);
		for (int j = 0; j < m; j++)
			if (days[j] >= group->first)
				expected[j] += group->customers * Until(&kind, days[j] - group->first);
	}
	pfree(kind.until);
	pfree(part);
}
