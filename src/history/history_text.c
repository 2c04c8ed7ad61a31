/*
 * text.c
 *		The text form of a history.
 *
 *		{"occasion":1,"days":[["1997-01-01",29.33],
 *							  ["1997-03-02",-11.77,"refund"],
 *							  ["1997-03-05",null],
 *							  ["1997-03-09",10.00,"unknown",2]]}
 *
 * A day says its net amount; that nothing was bought on it ("refund"); how many
 * of its purchases are of unknown amount ("unknown", n), where null stands for
 * one such purchase and nothing else. The form is JSON, exact, and independent of
 * every setting. What is read may have its keys and days in any order and several
 * entries for a day, which add up; everything else is an error.
 */
#include "clv.h"

#include "history/state.h"
#include "common/input.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

PG_FUNCTION_INFO_V1(clv_history_out);
Datum
clv_history_out(PG_FUNCTION_ARGS)
{
	const ClvHistory *history = PG_GETARG_CLV_HISTORY_P(0);
	const char *separator = "";
	char		date[MAXDATELEN + 1];
	char		amount[CLV_UNITS_TEXT_SIZE];
	StringInfoData out;
	ClvReader	reader;
	ClvDay		day;

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
			int			length = clv_units_text(day.units, reader.scale, false, amount);

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

typedef struct Scanner
{
	const char *start;
	const char *next;
} Scanner;

/* Says what was expected and what is there, shortened. Does not return. */
static void
SyntaxError(const Scanner *scan, const char *expected)
{
	const char *whole = scan->start;
	int			length = pg_mbcliplen(whole, strlen(whole), 60);
	int			rest = pg_mbcliplen(scan->next, strlen(scan->next), 20);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%.*s%s\"", "clv_history", length, whole,
					whole[length] == '\0' ? "" : "..."),
			 *scan->next == '\0'
				 ? errdetail("Expected %s, but the input ends.", expected)
				 : errdetail("Expected %s, found \"%.*s\".", expected, rest, scan->next),
			 errhint("A history is made of orders by the aggregate clv_history(bought_at, amount); "
					 "cast columns of type text, such as ordered_at::timestamptz.")));
}

static char
Peek(Scanner *scan)
{
	while (*scan->next == ' ' || *scan->next == '\t' || *scan->next == '\n' || *scan->next == '\r')
		scan->next++;
	return *scan->next;
}

static bool
Accept(Scanner *scan, const char *token)
{
	size_t		length = strlen(token);

	Peek(scan);
	if (strncmp(scan->next, token, length) != 0)
		return false;
	scan->next += length;
	return true;
}

static void
Expect(Scanner *scan, const char *token)
{
	if (!Accept(scan, token))
		SyntaxError(scan, token[0] == '"' ? token : psprintf("\"%s\"", token));
}

static bool
IsDigit(char c)
{
	return c >= '0' && c <= '9';
}

/* Up to max digits; returns how many there were. */
static int
ScanDigits(Scanner *scan, int max, int *value)
{
	int			n = 0;

	*value = 0;
	while (n < max && IsDigit(scan->next[n]))
		*value = *value * 10 + (scan->next[n++] - '0');
	scan->next += n;
	return n;
}

/* "YYYY-MM-DD", with as many digits as the year takes, and perhaps " BC" */
static DateADT
ScanDate(Scanner *scan)
{
	static const char *what = "a date such as \"1997-01-31\"";
	const char *begin;
	int			year = 0;
	int			month = 0;
	int			mday = 0;
	int			julian;
	bool		bc;

	Peek(scan);
	begin = scan->next;
	if (*scan->next++ != '"' || ScanDigits(scan, 7, &year) < 4 || *scan->next++ != '-' ||
		ScanDigits(scan, 2, &month) != 2 || *scan->next++ != '-' ||
		ScanDigits(scan, 2, &mday) != 2)
	{
		scan->next = begin;
		SyntaxError(scan, what);
	}
	bc = strncmp(scan->next, " BC", 3) == 0;
	scan->next += bc ? 3 : 0;
	if (*scan->next++ != '"')
	{
		scan->next = begin;
		SyntaxError(scan, what);
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
	ereport(ERROR, (errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
					errmsg("there is no date %.*s in a clv_history", (int) (scan->next - begin),
						   begin)));
	return 0;
}

/* A number as JSON writes it, and nothing else that numeric_in would read. */
static void
ScanAmount(Scanner *scan, ClvDecimal *amount)
{
	const char *begin;
	const char *next;
	char	   *text;

	Peek(scan);
	begin = next = scan->next;
	if (*next == '-')
		next++;
	if (!IsDigit(*next))
		SyntaxError(scan, "an amount or null");
	while (IsDigit(*next))
		next++;
	if (*next == '.')
	{
		if (!IsDigit(*++next))
			SyntaxError(scan, "an amount or null");
		while (IsDigit(*next))
			next++;
	}
	if (*next == 'e' || *next == 'E')
	{
		next++;
		if (*next == '+' || *next == '-')
			next++;
		if (!IsDigit(*next))
			SyntaxError(scan, "an amount or null");
		while (IsDigit(*next))
			next++;
	}
	scan->next = next;
	text = pnstrdup(begin, next - begin);
	clv_decimal_from_text(text, amount);
	pfree(text);
}

/* A whole number from 1 to the largest. */
static int64
ScanCount(Scanner *scan, int64 largest, const char *what)
{
	const char *begin;
	int64		count = 0;

	Peek(scan);
	begin = scan->next;
	while (IsDigit(*scan->next) && count <= largest)
		count = count * 10 + (*scan->next++ - '0');
	if (count < 1 || count > largest)
	{
		scan->next = begin;
		SyntaxError(scan, what);
	}
	return count;
}

/* ["1997-01-01",29.33] and its kin */
static ClvHistoryState *
ScanDay(Scanner *scan, ClvHistoryState *state)
{
	ClvDecimal	amount = {0};
	bool		bought = true;
	int64		unknown = 0;
	DateADT		day;

	Expect(scan, "[");
	day = ScanDate(scan);
	Expect(scan, ",");
	if (Accept(scan, "null"))
		unknown = 1;
	else
	{
		ScanAmount(scan, &amount);
		if (Accept(scan, ","))
		{
			if (Accept(scan, "\"refund\""))
			{
				if (!amount.negative)
					SyntaxError(scan, "a negative amount before \"refund\"");
				bought = false;
			}
			else
			{
				Expect(scan, "\"unknown\"");
				Expect(scan, ",");
				unknown = ScanCount(scan, CLV_MAX_UNKNOWN, "how many amounts are unknown");
			}
		}
	}
	Expect(scan, "]");
	return clv_state_add(state, day, bought, unknown, &amount);
}

/*
 * The days may come before the occasion, as jsonb puts them: so they are passed
 * over first, and read when the occasion is known.
 */
static void
SkipDays(Scanner *scan)
{
	int			depth = 0;

	Peek(scan);
	do
	{
		if (*scan->next == '[')
			depth++;
		else if (*scan->next == ']')
			depth--;
		else if (*scan->next == '\0' || depth == 0)
			SyntaxError(scan, "days in brackets");
		scan->next++;
	} while (depth > 0);
}

static ClvHistoryState *
ScanDays(Scanner *scan, ClvHistoryState *state)
{
	Expect(scan, "[");
	if (Accept(scan, "]"))
		return state;
	do
	{
		state = ScanDay(scan, state);
		CHECK_FOR_INTERRUPTS();
	} while (Accept(scan, ","));
	Expect(scan, "]");
	return state;
}

static Datum
ParseHistory(const char *input)
{
	Scanner		scan = {input, input};
	Scanner		days = {input, NULL};
	int32		occasion = 0;
	ClvHistoryState *state;

	Expect(&scan, "{");
	do
	{
		if (occasion == 0 && Accept(&scan, "\"occasion\""))
		{
			Expect(&scan, ":");
			occasion = (int32) ScanCount(&scan, PG_INT32_MAX, "the days of an occasion");
		}
		else if (days.next == NULL && Accept(&scan, "\"days\""))
		{
			Expect(&scan, ":");
			days.next = scan.next;
			SkipDays(&scan);
		}
		else
			SyntaxError(&scan, "\"occasion\" and \"days\", each once");
	} while (Accept(&scan, ","));
	Expect(&scan, "}");
	if (Peek(&scan) != '\0')
		SyntaxError(&scan, "nothing more");
	if (occasion == 0 || days.next == NULL)
		SyntaxError(&scan, "\"occasion\" and \"days\"");

	state = ScanDays(&days, clv_state_new(CurrentMemoryContext, occasion));
	PG_RETURN_CLV_HISTORY_P(clv_state_finish(state));
}

CLV_INPUT_FUNCTION(clv_history_in, ParseHistory);
