/*
 * history_accessors.c
 *		The SQL functions that read a history.
 *
 * Functions that take an as_of have an overload without it, which looks at the
 * whole history; one C function serves both.
 */
#include "clv.h"

#include "access/htup_details.h"
#include "common/arguments.h"
#include "funcapi.h"
#include "history/layout.h"
#include "history/periods.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/tuplestore.h"

/* The date argument, or infinity where the overload has none. */
static DateADT
AsOf(FunctionCallInfo fcinfo, int argument)
{
	return PG_NARGS() > argument ? PG_GETARG_DATEADT(argument) : DATEVAL_NOEND;
}

/* An error unless since <= until. */
static void
NeedOrder(DateADT since, DateADT until)
{
	char from[MAXDATELEN + 1];
	char to[MAXDATELEN + 1];

	if (since > until)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("since (%s) is later than until (%s)", clv_date_text(since, from),
							   clv_date_text(until, to))));
}

/* clv_purchases(history [, as_of]) -> int4: occasions on which something was bought. */
PG_FUNCTION_INFO_V1(clv_purchases);
Datum
clv_purchases(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(
		clv_history_count(PG_GETARG_CLV_HISTORY_P(0), DATEVAL_NOBEGIN, AsOf(fcinfo, 1)));
}

/* clv_first_purchase(history [, as_of]) -> date; NULL without a purchase. */
PG_FUNCTION_INFO_V1(clv_first_purchase);
Datum
clv_first_purchase(PG_FUNCTION_ARGS)
{
	DateADT as_of = AsOf(fcinfo, 1);
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, PG_GETARG_CLV_HISTORY_P(0));
	while (ReadDay(&reader, &day) && day.day <= as_of)
	{
		if (day.bought)
			PG_RETURN_DATEADT(day.day);
	}
	PG_RETURN_NULL();
}

/* clv_last_purchase(history [, as_of]) -> date; NULL without a purchase. */
PG_FUNCTION_INFO_V1(clv_last_purchase);
Datum
clv_last_purchase(PG_FUNCTION_ARGS)
{
	DateADT last = clv_history_last_purchase(PG_GETARG_CLV_HISTORY_P(0), AsOf(fcinfo, 1));

	if (DATE_IS_NOBEGIN(last))
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(last);
}

/* clv_mean_gap(history [, as_of]) -> float8: mean days between purchases; NULL with less than two.
 */
PG_FUNCTION_INFO_V1(clv_mean_gap);
Datum
clv_mean_gap(PG_FUNCTION_ARGS)
{
	ClvSummary summary;

	clv_history_summarize(PG_GETARG_CLV_HISTORY_P(0), AsOf(fcinfo, 1), CLV_SPEND_ALL, &summary);
	if (summary.purchases < 2)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(((double) summary.last - summary.first) / (summary.purchases - 1));
}

/*
 * clv_mean_spend(history [, as_of]) -> float8: mean value of the purchases of known amount, net of
 * the refunds that follow them; NULL where there are none.
 */
PG_FUNCTION_INFO_V1(clv_mean_spend);
Datum
clv_mean_spend(PG_FUNCTION_ARGS)
{
	ClvSummary summary;

	clv_history_summarize(PG_GETARG_CLV_HISTORY_P(0), AsOf(fcinfo, 1), CLV_SPEND_ALL, &summary);
	if (summary.spend_purchases == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(summary.spend / summary.spend_purchases);
}

/* clv_total_spend(history [, as_of]) -> numeric: all known amounts, refunds included; NULL where
 * none is known. */
PG_FUNCTION_INFO_V1(clv_total_spend);
Datum
clv_total_spend(PG_FUNCTION_ARGS)
{
	Numeric sum =
		clv_history_spend_between(PG_GETARG_CLV_HISTORY_P(0), DATEVAL_NOBEGIN, AsOf(fcinfo, 1));

	if (sum == NULL)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(sum);
}

/*
 * clv_purchases_between(history, since, until) -> int4: purchases with since < day <= until; an
 * error where since > until.
 */
PG_FUNCTION_INFO_V1(clv_purchases_between);
Datum
clv_purchases_between(PG_FUNCTION_ARGS)
{
	DateADT since = PG_GETARG_DATEADT(1);
	DateADT until = PG_GETARG_DATEADT(2);

	NeedOrder(since, until);
	PG_RETURN_INT32(clv_history_count(PG_GETARG_CLV_HISTORY_P(0), since, until));
}

/*
 * clv_spend_between(history, since, until) -> numeric: known amounts of since < day <= until; NULL
 * where none is known; an error where since > until.
 */
PG_FUNCTION_INFO_V1(clv_spend_between);
Datum
clv_spend_between(PG_FUNCTION_ARGS)
{
	DateADT since = PG_GETARG_DATEADT(1);
	DateADT until = PG_GETARG_DATEADT(2);
	Numeric sum;

	NeedOrder(since, until);
	sum = clv_history_spend_between(PG_GETARG_CLV_HISTORY_P(0), since, until);
	if (sum == NULL)
		PG_RETURN_NULL();
	PG_RETURN_NUMERIC(sum);
}

/* x, t_x and t_cal in whole periods. */
static void
InPeriods(FunctionCallInfo fcinfo, const char *periods, Datum *values)
{
	ClvCounting counting;
	ClvPeriods found;

	clv_counting_init(&counting, PG_GETARG_INTERVAL_P(2), clv_periods_of(periods), NULL);
	clv_history_periods(PG_GETARG_CLV_HISTORY_P(0), PG_GETARG_DATEADT(1), &counting, &found);
	values[0] = Int32GetDatum(found.x);
	values[1] = Float8GetDatum(found.t_x);
	values[2] = Float8GetDatum(found.T);
}

/* clv_summary(history, as_of, time_unit, spend_basis, periods); periods 'none': continuous time */
PG_FUNCTION_INFO_V1(clv_summary);
Datum
clv_summary(PG_FUNCTION_ARGS)
{
	DateADT as_of = PG_GETARG_DATEADT(1);
	double unit = clv_span_days("time_unit", PG_GETARG_INTERVAL_P(2));
	char *periods = text_to_cstring(PG_GETARG_TEXT_PP(4));
	Datum values[4];
	bool nulls[4] = {false, false, false, false};
	ClvSummary summary;

	clv_check_date("as_of", as_of);
	if (!(unit > 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("time_unit must be positive: %s",
							   clv_interval_text(PG_GETARG_INTERVAL_P(2)))));
	clv_history_summarize(PG_GETARG_CLV_HISTORY_P(0), as_of,
						  clv_spend_basis(text_to_cstring(PG_GETARG_TEXT_PP(3))), &summary);
	if (summary.purchases == 0)
		memset(nulls, true, sizeof(nulls));
	else
	{
		values[0] = Int32GetDatum(summary.purchases - 1);
		values[1] = Float8GetDatum(((double) summary.last - summary.first) / unit);
		values[2] = Float8GetDatum(((double) as_of - summary.first) / unit);
		if (strcmp(periods, "none") != 0)
			InPeriods(fcinfo, periods, values);
		nulls[3] = summary.spend_purchases == 0;
		if (!nulls[3])
			values[3] = Float8GetDatum(summary.spend / summary.spend_purchases);
	}
	return HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls));
}

void
clv_rfmtc_columns(const ClvHistory *history, DateADT as_of, const ClvSummary *summary,
				  Datum *values, bool *nulls)
{
	Numeric monetary = clv_history_spend_between(history, DATEVAL_NOBEGIN, as_of);

	memset(nulls, 0, CLV_RFMTC_COLUMNS * sizeof(bool));
	values[0] = Int32GetDatum(as_of - summary->last);
	values[1] = Int32GetDatum(summary->purchases);
	values[2] = NumericGetDatum(monetary);
	nulls[2] = monetary == NULL;
	values[3] = Int32GetDatum(as_of - summary->first);
	nulls[CLV_RFMTC_CHURN] = true;
}

/*
 * rfmtc(history, as_of) -> row of recency, frequency, monetary, time since the first purchase
 * (days), churn (NULL); NULL before the first purchase.
 */
PG_FUNCTION_INFO_V1(rfmtc);
Datum
rfmtc(PG_FUNCTION_ARGS)
{
	const ClvHistory *history = PG_GETARG_CLV_HISTORY_P(0);
	DateADT as_of = PG_GETARG_DATEADT(1);
	Datum values[CLV_RFMTC_COLUMNS];
	bool nulls[CLV_RFMTC_COLUMNS];
	ClvSummary summary;

	clv_check_date("as_of", as_of);
	clv_history_summarize(history, as_of, CLV_SPEND_ALL, &summary);
	if (summary.purchases == 0)
		PG_RETURN_NULL();
	clv_rfmtc_columns(history, as_of, &summary, values, nulls);
	return HeapTupleGetDatum(heap_form_tuple(clv_result_row(fcinfo), values, nulls));
}

/*
 * clv_purchase_log(history) -> rows of day, net amount (NULL: unknown), whether something was
 * bought, number of unknown amounts.
 */
PG_FUNCTION_INFO_V1(clv_purchase_log);
Datum
clv_purchase_log(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ClvReader reader;
	ClvDay day;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	clv_reader_open(&reader, PG_GETARG_CLV_HISTORY_P(0));
	while (ReadDay(&reader, &day))
	{
		Datum values[4];
		bool nulls[4] = {false, false, false, false};

		values[0] = DateADTGetDatum(day.day);
		if (day.unknown > 0 && DayIsZero(&day, reader.wide))
			nulls[1] = true;
		else if (reader.wide)
			values[1] = NumericGetDatum(clv_digits_numeric(day.digits, day.length));
		else
			values[1] = NumericGetDatum(clv_units_numeric(day.units, reader.scale));
		values[2] = BoolGetDatum(day.bought);
		values[3] = Int64GetDatum(day.unknown);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		if (!nulls[1])
			pfree(DatumGetPointer(values[1]));
		CHECK_FOR_INTERRUPTS();
	}
	PG_RETURN_NULL();
}
