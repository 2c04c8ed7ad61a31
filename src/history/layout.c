/*
 * layout.c
 *		Opening the bytes of a history, and checking what is read from them.
 */
#include "history/layout.h"

void
clv_reader_broken(const ClvReader *reader)
{
	ereport(ERROR, (errcode(reader->sqlstate), errmsg("invalid bytes in a clv_history")));
}

void
clv_reader_header(ClvReader *reader, const uint8 *data, Size size, int sqlstate)
{
	uint8 head;

	memset(reader, 0, sizeof(*reader));
	reader->next = data;
	reader->end = data + size;
	reader->sqlstate = sqlstate;
	reader->occasion = 1;
	reader->zigzag = true;
	if (size == 0)
		clv_reader_broken(reader);

	head = *reader->next++;
	if (head >> CLV_VERSION_SHIFT != CLV_HISTORY_VERSION)
		ereport(ERROR, (errcode(sqlstate),
						errmsg("unknown version %d of clv_history", head >> CLV_VERSION_SHIFT)));
	reader->wide = (head & CLV_FORM_MASK) == CLV_FORM_WIDE;
	reader->scale = reader->wide ? 0 : head & CLV_FORM_MASK;
	if (head & CLV_OCCASION_FLAG)
	{
		uint64 occasion = ReadVarint(reader);

		if (occasion < 2 || occasion > PG_INT32_MAX)
			clv_reader_broken(reader);
		reader->occasion = (int32) occasion;
	}
}

void
clv_reader_open(ClvReader *reader, const ClvHistory *history)
{
	clv_reader_header(reader, (const uint8 *) VARDATA_ANY(history), VARSIZE_ANY_EXHDR(history),
					  ERRCODE_DATA_CORRUPTED);
}

/* Whether the text is a decimal in the one form that a history stores. */
static bool
DigitsCanonical(const char *digits, int length)
{
	int i = 0;
	int point;

	if (i < length && digits[i] == '-')
	{
		if (length == 2 && digits[1] == '0')
			return false;
		i++;
	}
	point = i;
	while (point < length && digits[point] >= '0' && digits[point] <= '9')
		point++;
	if (point == i || (digits[i] == '0' && point > i + 1))
		return false;
	if (point == length)
		return true;
	if (digits[point] != '.' || point + 1 == length || digits[length - 1] == '0')
		return false;
	for (i = point + 1; i < length; i++)
	{
		if (digits[i] < '0' || digits[i] > '9')
			return false;
	}
	return true;
}

DateADT
clv_grid_day(DateADT day, int32 occasion)
{
	const int64 monday = 366; /* 2001-01-01 */
	int64 into;

	if (occasion == 1)
		return day;
	into = ((int64) day - monday) % occasion;
	if (into < 0)
		into += occasion;
	if (!IS_VALID_DATE(day - into))
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("the occasion of %d days begins before the first possible date",
							   occasion)));
	return (DateADT) (day - into);
}

void
clv_check_day(const ClvReader *reader, const ClvDay *day)
{
	bool negative = reader->wide ? day->digits[0] == '-' : day->units < 0;

	if (!IS_VALID_DATE(reader->day) || day->unknown < 0 || day->unknown > CLV_MAX_UNKNOWN ||
		(reader->wide && !DigitsCanonical(day->digits, day->length)) ||
		(!day->bought && !negative) || clv_grid_day(day->day, reader->occasion) != day->day)
		clv_reader_broken(reader);
}
