/*
 * pipeline_chance.c
 *		How likely chance makes a value of an attribute so frequent in a segment, or so rare.
 */
#include "postgres.h"

#include "fmgr.h"

#include "clv.h"
#include "math/exact_test.h"

PG_FUNCTION_INFO_V1(clv_pipeline_chance);

/* clv_pipeline_chance(k, n, kk, nn) -> float8: k of the n customers of a segment have a value, as
 * kk of all nn have: the p-value of Fisher's exact test; NULL where nothing can vary, and where
 * there cannot be as many. */
Datum
clv_pipeline_chance(PG_FUNCTION_ARGS)
{
	double k = (double) PG_GETARG_INT64(0);
	double n = (double) PG_GETARG_INT64(1);
	double kk = (double) PG_GETARG_INT64(2);
	double nn = (double) PG_GETARG_INT64(3);

	if (!(n > 0 && n < nn && kk > 0 && kk < nn && k <= Min(n, kk) && k >= Max(0, n + kk - nn)))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(clv_exact_test(k, n, kk, nn));
}
