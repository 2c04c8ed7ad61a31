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

/* A shock as a row. */
static Datum
Row(FunctionCallInfo fcinfo, const ClvShock *shock)
{
	Datum values[] = {Int32GetDatum(shock->periods),    Float8GetDatum(shock->sd),
					  Float8GetDatum(shock->lasting),   Float8GetDatum(shock->correlation),
					  Float8GetDatum(shock->evidence),  Float8GetDatum(shock->past),
					  Float8GetDatum(shock->link)};
	bool nulls[lengthof(values)] = {false};

	return HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls));
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

	if (n != other)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%d counts of weeks, but %d expectations", n, other)));
	shock = clv_shock_estimate(n, actual, expected, palloc((2 * n + 1) * sizeof(double)));
	PG_RETURN_DATUM(Row(fcinfo, &shock));
}

PG_FUNCTION_INFO_V1(clv_shock_width);

/*
 * clv_shock_width(model, as_of, days, level) -> half the width of the interval that the common shock
 * of the model alone gives a total over so many days after as_of, relative to it
 */
Datum
clv_shock_width(PG_FUNCTION_ARGS)
{
	DateADT as_of = PG_GETARG_DATEADT(1);
	double days = PG_GETARG_FLOAT8(2);
	double level = PG_GETARG_FLOAT8(3);
	ClvModel fitted;

	if (!(level > 0 && level < 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("level must lie between 0 and 1: %s", clv_number_text(level))));
	clv_check_horizon_days("horizon", days);
	clv_model_unpack(PG_GETARG_CLV_MODEL_P(0), &fitted);
	PG_RETURN_FLOAT8(clv_normal_width(level) *
					 sqrt(clv_model_shock_variance(&fitted, as_of, days)));
}

/* The column of a common shock by its number, from 1 on; an error where it is NULL. */
static Datum
Column(HeapTupleHeader row, int number)
{
	static const char *const name[] = {"weeks",    "sd",   "lasting", "correlation",
									   "evidence", "past", "link"};
	bool isnull;
	Datum value = GetAttributeByNum(row, (AttrNumber) number, &isnull);

	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("%s of a common shock must not be NULL", name[number - 1]),
						errhint("Take the shock as clv_shock() gives it.")));
	return value;
}

PG_FUNCTION_INFO_V1(clv_with_shock);

/* clv_with_shock(model, shock) -> clv_model: the model with this common shock, NULL: with none */
Datum
clv_with_shock(PG_FUNCTION_ARGS)
{
	ClvModel fitted;
	ClvShock shock = {0};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	clv_model_unpack(PG_GETARG_CLV_MODEL_P(0), &fitted);
	if (!PG_ARGISNULL(1))
	{
		HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(1);

		shock.periods = DatumGetInt32(Column(row, 1));
		shock.sd = DatumGetFloat8(Column(row, 2));
		shock.lasting = DatumGetFloat8(Column(row, 3));
		shock.correlation = DatumGetFloat8(Column(row, 4));
		shock.evidence = DatumGetFloat8(Column(row, 5));
		shock.past = DatumGetFloat8(Column(row, 6));
		shock.link = DatumGetFloat8(Column(row, 7));
	}
	fitted.shock = shock;
	PG_RETURN_CLV_MODEL_P(clv_model_pack(&fitted));
}

PG_FUNCTION_INFO_V1(clv_shock_of_model);

/* clv_shock(model) -> clv_common_shock: the shock that the model keeps; NULL where it keeps none */
Datum
clv_shock_of_model(PG_FUNCTION_ARGS)
{
	ClvModel fitted;

	clv_model_unpack(PG_GETARG_CLV_MODEL_P(0), &fitted);
	if (fitted.shock.sd == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(Row(fcinfo, &fitted.shock));
}
