/*
 * validate_shock.c
 *		The common shock of all customers, for the functions of validation in SQL.
 */
#include "clv.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/arguments.h"
#include "funcapi.h"
#include "math/shock.h"
#include "model/model.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define DAYS_OF_WEEK 7

/* The numbers of an array, and how many; an error where it has a NULL or other dimensions. */
static const double *
Numbers(ArrayType *array, int *n)
{
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("counts of weeks must be a list without NULLs")));
	*n = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	return (const double *) clv_array_data(array);
}

PG_FUNCTION_INFO_V1(clv_shock_estimate_weeks);

/* clv_shock_estimate(actual, expected) -> clv_common_shock: the shock behind weekly counts; an
 * error unless both arrays are as long */
Datum
clv_shock_estimate_weeks(PG_FUNCTION_ARGS)
{
	int n;
	int other;
	const double *actual = Numbers(PG_GETARG_ARRAYTYPE_P(0), &n);
	const double *expected = Numbers(PG_GETARG_ARRAYTYPE_P(1), &other);
	ClvShock shock;
	Datum values[7];
	bool nulls[7] = {false};

	if (n != other)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%d counts of weeks, but %d expectations", n, other)));
	shock = clv_shock_estimate(n, actual, expected, palloc((2 * n + 1) * sizeof(double)));
	values[0] = Int32GetDatum(shock.periods);
	values[1] = Float8GetDatum(shock.sd);
	values[2] = Float8GetDatum(shock.lasting);
	values[3] = Float8GetDatum(shock.correlation);
	values[4] = Float8GetDatum(shock.evidence);
	values[5] = Float8GetDatum(shock.past);
	values[6] = Float8GetDatum(shock.link);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls)));
}

/* An error unless the number lies from low to high. */
static double
Checked(const char *name, double value, double low, double high)
{
	if (!(value >= low && value <= high))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of a common shock is out of range: %s", name, clv_number_text(value)),
				 errhint("Take the shock as clv_shock() gives it.")));
	return value;
}

PG_FUNCTION_INFO_V1(clv_shock_width);

/*
 * clv_shock_width(sd, lasting, correlation, past, link, days, level) -> half the width of the interval
 * that a shock alone gives a total over so many days, relative to it
 */
Datum
clv_shock_width(PG_FUNCTION_ARGS)
{
	double days = PG_GETARG_FLOAT8(5);
	double level = PG_GETARG_FLOAT8(6);
	ClvShock shock = {0};

	shock.sd = Checked("sd", PG_GETARG_FLOAT8(0), 0, 100);
	shock.lasting = Checked("lasting", PG_GETARG_FLOAT8(1), 0, 1);
	shock.correlation = Checked("correlation", PG_GETARG_FLOAT8(2), 0, 0.999);
	shock.past = Checked("past", PG_GETARG_FLOAT8(3), 0, 1 + 1e-9);
	shock.link = Checked("link", PG_GETARG_FLOAT8(4), 0, 1 + 1e-9);
	if (!(level > 0 && level < 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("level must lie between 0 and 1: %s", clv_number_text(level))));
	if (!(days > 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("horizon must be positive: %s days", clv_number_text(days))));
	PG_RETURN_FLOAT8(clv_normal_width(level) *
					 sqrt(clv_shock_variance(&shock, 0, days / DAYS_OF_WEEK)));
}
