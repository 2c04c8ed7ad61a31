/*
 * cuts_rows.c
 *		What all rows that are cut together share: the day, the model, the number of bins.
 */
#include "score/cuts_rows.h"

#include "common/arguments.h"

void
clv_cuts_rows_model(ClvCutsRows *rows, const ClvPackedModel *model)
{
	rows->model = MemoryContextAlloc(rows->context, VARSIZE_ANY(model));
	memcpy(rows->model, model, VARSIZE_ANY(model));
	clv_model_need_purchase(
		clv_model_lookup(&rows->cache, PointerGetDatum(rows->model), rows->context));
	rows->valuer = clv_valuer_create(rows->context);
}

/* Whether both models have the same bytes, or neither is given. */
static bool
SameModel(const ClvPackedModel *a, const ClvPackedModel *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return clv_same_bytes(a, b);
}

/* Raises the error of rows or states that differ in what they must share. */
static pg_attribute_noreturn() void Disagreement(const ClvCutsRows *rows, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s needs the same %s for all customers", rows->aggregate, what),
					errhint("Aggregate with GROUP BY what the %s depends on.", what)));
}

/* The number of bins in argument 4, the default where it is absent or NULL. */
static int
BinsArgument(FunctionCallInfo fcinfo)
{
	return PG_NARGS() > 4 && !PG_ARGISNULL(4) ? PG_GETARG_INT32(4) : CLV_DEFAULT_BINS;
}

/* Whether argument 3 is a model. */
static bool
HasModel(FunctionCallInfo fcinfo)
{
	return PG_NARGS() > 3 && !PG_ARGISNULL(3);
}

/* The day of this row: argument 2, else the model's; an error where neither is given. */
static DateADT
AsOfArgument(FunctionCallInfo fcinfo, const ClvCutsRows *rows)
{
	if (!PG_ARGISNULL(2))
		return PG_GETARG_DATEADT(2);
	if (rows->model != NULL && rows->cache.fitted.has_as_of)
		return rows->cache.fitted.as_of;
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("%s needs a day to cut as of", rows->aggregate),
					errhint("Give as_of, or a model that has one.")));
}

void
clv_cuts_rows_open(FunctionCallInfo fcinfo, ClvCutsRows *rows)
{
	rows->bins = BinsArgument(fcinfo);
	clv_check_bins(rows->bins);
	if (HasModel(fcinfo))
		clv_cuts_rows_model(rows, DatumGetClvModelP(PG_GETARG_DATUM(3)));
	rows->as_of = AsOfArgument(fcinfo, rows);
	clv_check_date("as_of", rows->as_of);
}

void
clv_cuts_rows_check(FunctionCallInfo fcinfo, ClvCutsRows *rows)
{
	if (BinsArgument(fcinfo) != rows->bins)
		Disagreement(rows, "number of bins");
	if (HasModel(fcinfo) != (rows->model != NULL))
		Disagreement(rows, "model");
	if (rows->model != NULL && !clv_model_is_cached(&rows->cache, PG_GETARG_DATUM(3)))
	{
		if (!SameModel(rows->model, DatumGetClvModelP(PG_GETARG_DATUM(3))))
			Disagreement(rows, "model");
		/* the same value in another wrapping: know it by this one from now on */
		clv_model_lookup(&rows->cache, PG_GETARG_DATUM(3), rows->context);
	}
	if (AsOfArgument(fcinfo, rows) != rows->as_of)
		Disagreement(rows, "as_of");
}

void
clv_cuts_rows_check_same(const ClvCutsRows *rows, const ClvCutsRows *other)
{
	if (other->bins != rows->bins)
		Disagreement(rows, "number of bins");
	if (other->as_of != rows->as_of)
		Disagreement(rows, "as_of");
	if (!SameModel(other->model, rows->model))
		Disagreement(rows, "model");
}

bool
clv_cuts_rows_measure(ClvCutsRows *rows, const ClvHistory *history, double value[CLV_MEASURES])
{
	return clv_measure(history, rows->model != NULL ? &rows->cache : NULL, rows->valuer,
					   rows->as_of, value);
}
