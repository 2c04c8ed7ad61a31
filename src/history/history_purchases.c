/*
 * history_purchases.c
 *		What other modules ask of the purchases of a history, amounts aside: how many, how far
 *		apart, the last one, and the history up to a day; nothing of SQL.
 */
#include "history/layout.h"

int32
clv_history_count(const ClvHistory *history, DateADT since, DateADT until)
{
	int32 count = 0;
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day) && day.day <= until)
		count += day.bought && day.day > since;
	return count;
}

void
clv_history_gaps(const ClvHistory *history, DateADT as_of, void (*gap)(void *arg, int32 days),
				 void *arg)
{
	DateADT last = DATEVAL_NOBEGIN;
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day) && day.day <= as_of)
	{
		if (!day.bought)
			continue;
		if (last != DATEVAL_NOBEGIN)
			gap(arg, day.day - last);
		last = day.day;
	}
}

DateADT
clv_history_last_purchase(const ClvHistory *history, DateADT as_of)
{
	DateADT last = DATEVAL_NOBEGIN;
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day) && day.day <= as_of)
	{
		if (day.bought)
			last = day.day;
	}
	return last;
}

const ClvHistory *
clv_history_until(const ClvHistory *history, DateADT as_of)
{
	const char *data = VARDATA_ANY(history);
	ClvHistory *until;
	ClvReader reader;
	ClvDay day;
	Size size;

	clv_reader_open(&reader, history);
	do
		size = (const char *) reader.next - data;
	while (ReadDay(&reader, &day) && day.day <= as_of);
	if (size == VARSIZE_ANY_EXHDR(history))
		return history;
	until = palloc(VARHDRSZ + size);
	SET_VARSIZE(until, VARHDRSZ + size);
	memcpy(VARDATA(until), data, size);
	return until;
}

int32
clv_history_occasion(const ClvHistory *history)
{
	ClvReader reader;

	clv_reader_open(&reader, history);
	return reader.occasion;
}
