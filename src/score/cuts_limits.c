/*
 * cuts_limits.c
 *		Cut points as limits: clv_cuts(), which makes them of given ones, and clv_cut_points(),
 *which lists them.
 */
#include "score/cuts.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

/* ---- clv_cuts(r, f, m, t, c, v, as_of, model) ---- */

/* Takes the limits of a measure from an array; errors name its score where there are too few or
 * many, or one is NULL. */
static void
TakeLimits(ClvCutPoints *points, int measure, ArrayType *limits)
{
	char score = clv_score_letter[measure];
	int n = ArrayGetNItems(ARR_NDIM(limits), ARR_DIMS(limits));

	if (ARR_NDIM(limits) > 1 || n < 1 || n > CLV_MAX_BINS - 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the limits of score %c must be a list of 1 to %d numbers", score,
							   CLV_MAX_BINS - 1),
						errhint("Two limits, such as '{30,90}', make three scores.")));
	if (array_contains_nulls(limits))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the limits of score %c must not be NULL", score)));
	memcpy(points->cut[measure], clv_array_data(limits), n * sizeof(double));
	points->bins[measure] = n + 1;
}

/* Takes the day of the cuts from the argument, or else from the model, if that has one. */
static void
TakeDay(FunctionCallInfo fcinfo, int as_of, ClvCutsParts *parts)
{
	ClvModel fitted;

	parts->has_as_of = !PG_ARGISNULL(as_of);
	if (parts->has_as_of)
		parts->as_of = PG_GETARG_DATEADT(as_of);
	else if (parts->model != NULL)
	{
		clv_model_unpack(parts->model, &fitted);
		parts->has_as_of = fitted.has_as_of;
		parts->as_of = fitted.as_of;
	}
}

/*
 * clv_cuts(r, f, m, t, c, v, as_of, model) -> clv_cuts: the cuts of these limits; scores without
 * limits are NULL. Errors where all are, where limits do not ascend, and where c or v comes without
 * a model.
 */
PG_FUNCTION_INFO_V1(clv_cuts_given);
Datum
clv_cuts_given(PG_FUNCTION_ARGS)
{
	enum
	{
		AS_OF = CLV_MEASURES,
		MODEL
	};
	ClvCutsParts parts;

	memset(&parts, 0, sizeof(parts));
	for (int i = 0; i < CLV_MEASURES; i++)
		if (!PG_ARGISNULL(i))
			TakeLimits(&parts.points, i, PG_GETARG_ARRAYTYPE_P(i));
	if (!PG_ARGISNULL(MODEL))
		parts.model = PG_GETARG_CLV_MODEL_P(MODEL);
	TakeDay(fcinfo, AS_OF, &parts);
	PG_RETURN_CLV_CUTS_P(clv_cuts_pack(&parts));
}

/* ---- clv_cut_points(cuts) ---- */

/* Adds the rows of a measure, from its lowest score on. */
static void
PutMeasure(const ClvCutPoints *points, int measure, ReturnSetInfo *result)
{
	int bins = points->bins[measure];
	char letter[2] = {clv_score_letter[measure], '\0'};

	for (int score = 1; score <= bins; score++)
	{
		/* the number of cuts strictly below what has the score */
		int below = clv_low_is_good[measure] ? bins - score : score - 1;
		Datum values[5];
		bool nulls[5] = {false, false, false, below == 0, below == bins - 1};

		values[0] = CStringGetTextDatum(letter);
		values[1] = CStringGetTextDatum(clv_measure_name[measure]);
		values[2] = Int16GetDatum(score);
		values[3] = Float8GetDatum(below > 0 ? points->cut[measure][below - 1] : 0);
		values[4] = Float8GetDatum(below < bins - 1 ? points->cut[measure][below] : 0);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * clv_cut_points(cuts) -> a row for each score of each measure that is cut: the limits that its
 * values are above, and up to; NULL where there is none. Strict.
 */
PG_FUNCTION_INFO_V1(clv_cut_points);
Datum
clv_cut_points(PG_FUNCTION_ARGS)
{
	ClvCutsParts parts;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	clv_cuts_unpack_value(PG_GETARG_CLV_CUTS_P(0), &parts);
	for (int i = 0; i < CLV_MEASURES; i++)
		PutMeasure(&parts.points, i, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}
