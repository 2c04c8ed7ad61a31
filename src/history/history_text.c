/*
 * history_text.c
 *		The text form of a history.
 *
 *		{"occasion":1,"days":[["1997-01-01",29.33],
 *							  ["1997-03-02",-11.77,"refund"],
 *							  ["1997-03-05",null],
 *							  ["1997-03-09",10.00,"unknown",2]]}
 *
 * A day has its net amount; that nothing was bought on it ("refund"); how many
 * of its purchases are of unknown amount ("unknown", n), where null stands for
 * one such purchase and nothing else. The form is JSON, exact, and independent of
 * every setting. What is read may have its keys and days in any order and several
 * entries for a day, which add up; everything else is an error.
 */
#include "clv.h"

#include "history/state.h"
#include "common/input.h"
#include "common/scan.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

/* clv_history_out(history) -> cstring: the JSON described above. */
PG_FUNCTION_INFO_V1(clv_history_out);
Datum
clv_history_out(PG_FUNCTION_ARGS)
{
	const ClvHistory *history = PG_GETARG_CLV_HISTORY_P(0);
	const char *separator = "";
	char date[MAXDATELEN + 1];
	char amount[CLV_UNITS_TEXT_SIZE];
	StringInfoData out;
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, history);
	initStringInfo(&out);
	appendStringInfo(&out, "{\"occasion\":%d,\"days\":[", reader.occasion);
	while (ReadDay(&reader, &day))
	{
		appendStringInfo(&out, "%s[\"%s\",", separator, clv_date_text(day.day, date));
		separator = ",";
		if (day.unknown == 1 && DayIsZero(&day, reader.wide))
			appendStringInfoString(&out, "null");
		else if (reader.wide)
			appendBinaryStringInfo(&out, day.digits, day.length);
		else
		{
			int length = clv_units_text(day.units, reader.scale, false, amount);

			appendBinaryStringInfo(&out, amount, length);
		}
		if (!day.bought)
			appendStringInfoString(&out, ",\"refund\"");
		else if (DayKind(&day, reader.wide) == CLV_DAY_MIXED)
			appendStringInfo(&out, ",\"unknown\"," INT64_FORMAT, day.unknown);
		appendStringInfoChar(&out, ']');
		CHECK_FOR_INTERRUPTS();
	}
	appendStringInfoString(&out, "]}");
	PG_RETURN_CSTRING(out.data);
}

/* ---- reading ---- */

#define HINT                                                                                       \
	"A history is made of orders by the aggregate clv_history(bought_at, amount); "                \
	"cast columns of type text, such as ordered_at::timestamptz."

/* Whether the character is an ASCII digit. */
static bool
IsDigit(char c)
{
	return c >= '0' && c <= '9';
}

/* Up to max digits; returns how many there were. */
static int
ScanDigits(ClvScanner *scan, int max, int *value)
{
	int n = 0;

	*value = 0;
	while (n < max && IsDigit(scan->at[n]))
		*value = *value * 10 + (scan->at[n++] - '0');
	scan->at += n;
	return n;
}

/* "YYYY-MM-DD", with as many digits as the year takes, and perhaps " BC" */
static DateADT
ScanDate(ClvScanner *scan)
{
	static const char *what = "a date such as \"1997-01-31\"";
	const char *begin;
	int year = 0;
	int month = 0;
	int mday = 0;
	int julian;
	bool bc;

	clv_scan_peek(scan);
	begin = scan->at;
	if (*scan->at++ != '"' || ScanDigits(scan, 7, &year) < 4 || *scan->at++ != '-' ||
		ScanDigits(scan, 2, &month) != 2 || *scan->at++ != '-' || ScanDigits(scan, 2, &mday) != 2)
	{
		scan->at = begin;
		clv_scan_error(scan, what);
	}
	bc = strncmp(scan->at, " BC", 3) == 0;
	scan->at += bc ? 3 : 0;
	if (*scan->at++ != '"')
	{
		scan->at = begin;
		clv_scan_error(scan, what);
	}

	/* the year 1 BC is 0 for the calendar, and there is no year 0 to write */
	if (year == 0 || month < 1 || month > MONTHS_PER_YEAR || mday < 1 ||
		mday > day_tab[isleap(bc ? 1 - year : year)][month - 1] ||
		!IS_VALID_JULIAN(bc ? 1 - year : year, month, mday))
		goto out_of_range;
	julian = date2j(bc ? 1 - year : year, month, mday);
	if (!IS_VALID_DATE(julian - POSTGRES_EPOCH_JDATE))
		goto out_of_range;
	return julian - POSTGRES_EPOCH_JDATE;

out_of_range:
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
			 errmsg("date out of range in a clv_history: %.*s", (int) (scan->at - begin), begin)));
	return 0;
}

/* Read the amount of a day: a JSON number. */
static void
ScanAmount(ClvScanner *scan, ClvDecimal *amount)
{
	const char *begin = clv_scan_number(scan, "an amount or null");
	char *text = pnstrdup(begin, scan->at - begin);

	clv_decimal_from_text(text, amount);
	pfree(text);
}

/* Read one day, such as ["1997-01-01",29.33], into the state, which may move. */
static ClvHistoryState *
ScanDay(ClvScanner *scan, ClvHistoryState *state)
{
	ClvDecimal amount = {0};
	bool bought = true;
	int64 unknown = 0;
	DateADT day;

	clv_scan_expect(scan, "[");
	day = ScanDate(scan);
	clv_scan_expect(scan, ",");
	if (clv_scan_accept(scan, "null"))
		unknown = 1;
	else
	{
		ScanAmount(scan, &amount);
		if (clv_scan_accept(scan, ","))
		{
			if (clv_scan_accept(scan, "\"refund\""))
			{
				if (!amount.negative)
					clv_scan_error(scan, "a negative amount before \"refund\"");
				bought = false;
			}
			else
			{
				clv_scan_expect(scan, "\"unknown\"");
				clv_scan_expect(scan, ",");
				unknown = clv_scan_whole(scan, 1, CLV_MAX_UNKNOWN, "how many amounts are unknown");
			}
		}
	}
	clv_scan_expect(scan, "]");
	return clv_state_add(state, day, bought, unknown, &amount);
}

/* Read the array of days into the state, which may move. */
static ClvHistoryState *
ScanDays(ClvScanner *scan, ClvHistoryState *state)
{
	clv_scan_expect(scan, "[");
	if (clv_scan_accept(scan, "]"))
		return state;
	do
	{
		state = ScanDay(scan, state);
		CHECK_FOR_INTERRUPTS();
	} while (clv_scan_accept(scan, ","));
	clv_scan_expect(scan, "]");
	return state;
}

/* The history that the text describes; errors name what was expected, and where. */
static Datum
ParseHistory(const char *input)
{
	ClvScanner scan = {"clv_history", HINT, input, input};
	ClvScanner days = {"clv_history", HINT, input, NULL}; /* they may come before the occasion */
	int32 occasion = 0;
	ClvHistoryState *state;

	clv_scan_expect(&scan, "{");
	do
	{
		if (occasion == 0 && clv_scan_accept(&scan, "\"occasion\""))
		{
			clv_scan_expect(&scan, ":");
			occasion = (int32) clv_scan_whole(&scan, 1, PG_INT32_MAX, "the days of an occasion");
		}
		else if (days.at == NULL && clv_scan_accept(&scan, "\"days\""))
		{
			clv_scan_expect(&scan, ":");
			clv_scan_peek(&scan);
			days.at = scan.at;
			clv_scan_skip_list(&scan);
		}
		else
			clv_scan_error(&scan, "\"occasion\" and \"days\", each once");
	} while (clv_scan_accept(&scan, ","));
	clv_scan_expect(&scan, "}");
	if (clv_scan_peek(&scan) != '\0')
		clv_scan_error(&scan, "nothing more");
	if (occasion == 0 || days.at == NULL)
		clv_scan_error(&scan, "\"occasion\" and \"days\"");

	state = ScanDays(&days, clv_state_new(CurrentMemoryContext, occasion));
	PG_RETURN_CLV_HISTORY_P(clv_state_finish(state));
}

CLV_INPUT_FUNCTION(clv_history_in, ParseHistory);
