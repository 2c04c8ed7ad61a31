/*
 * text.c
 *		Numbers, lengths of time and days as text, the same whatever the settings.
 */
#include "common/text.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "utils/datetime.h"

/* ---- numbers ---- */

char *
clv_number_text(double value)
{
	char *digits = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	double_to_shortest_decimal_buf(value, digits);
	return digits;
}

void
clv_append_double(StringInfo out, double value)
{
	char digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(value, digits);
	if (isfinite(value))
		appendStringInfoString(out, digits);
	else
		appendStringInfo(out, "\"%s\"", digits);
}

/* ---- lengths of time ---- */

/* Append "3 months"; nothing for a count of 0. */
static void
AppendUnits(StringInfo out, int64 count, const char *unit)
{
	if (count != 0)
		appendStringInfo(out, "%s" INT64_FORMAT " %s%s", out->len > 0 ? " " : "", count, unit,
						 count == 1 ? "" : "s");
}

char *
clv_interval_text(const Interval *interval)
{
	StringInfoData out;
	int64 usecs = interval->time % USECS_PER_MINUTE;

	initStringInfo(&out);
	AppendUnits(&out, interval->month, "month");
	AppendUnits(&out, interval->day, "day");
	AppendUnits(&out, interval->time / USECS_PER_HOUR, "hour");
	AppendUnits(&out, interval->time % USECS_PER_HOUR / USECS_PER_MINUTE, "minute");
	if (usecs % USECS_PER_SEC == 0)
		AppendUnits(&out, usecs / USECS_PER_SEC, "second");
	else
	{
		char *fraction;

		appendStringInfo(&out, "%s%s%d.%06d", out.len > 0 ? " " : "", usecs < 0 ? "-" : "",
						 abs((int) (usecs / USECS_PER_SEC)), abs((int) (usecs % USECS_PER_SEC)));
		for (fraction = out.data + out.len - 1; *fraction == '0'; fraction--)
			*fraction = '\0';
		out.len = strlen(out.data);
		appendStringInfoString(&out, " seconds");
	}
	if (out.len == 0)
		appendStringInfoString(&out, "0 days");
	return out.data;
}

/* ---- days ---- */

char *
clv_date_text(DateADT day, char *buffer)
{
	struct pg_tm tm;

	if (DATE_NOT_FINITE(day))
		EncodeSpecialDate(day, buffer);
	else
	{
		memset(&tm, 0, sizeof(tm));
		j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, buffer);
	}
	return buffer;
}

bool
clv_is_date_text(const char *text)
{
	static const char digits[] = "0123456789";
	int year = strspn(text, digits);
	const char *rest = text + year;

	return year >= 4 && year <= 7 && rest[0] == '-' && strspn(rest + 1, digits) == 2 &&
		   rest[3] == '-' && strspn(rest + 4, digits) == 2 &&
		   (rest[6] == '\0' || strcmp(rest + 6, " BC") == 0);
}
