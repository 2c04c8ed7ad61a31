/*
 * history_spend.c
 *		The purchases and the spend of a history together, as other modules use them. Refunds are
 *		subtracted here; nothing of SQL.
 */
#include "history/layout.h"

#include <math.h>

#include "utils/builtins.h"

/* Enter a day into the summary, but for its amount; sets counts to whether later amounts belong to
 * the spend. */
static inline void
CountDay(ClvSummary *summary, const ClvDay *day, bool basis_all, bool *counts)
{
	if (day->unknown == 0 || day->units != 0)
		summary->total_known = true;
	if (day->bought)
	{
		if (summary->purchases == 0)
			summary->first = day->day;
		summary->last = day->day;
		*counts = day->unknown == 0 && (basis_all || summary->purchases > 0);
		summary->purchases++;
		summary->spend_purchases += *counts;
	}
}

/* Summarise a wide history: its sums may exceed 64 bits and are made with numeric, converted to
 * double once. */
static void
SummarizeWide(ClvReader *reader, DateADT as_of, bool basis_all, ClvSummary *summary)
{
	Numeric spend = clv_units_numeric(0, 0);
	Numeric total = clv_units_numeric(0, 0);
	bool counts = false;
	ClvDay day;

	while (ReadDay(reader, &day) && day.day <= as_of)
	{
		Numeric amount = clv_digits_numeric(day.digits, day.length);

		day.units = !DayIsZero(&day, true);
		CountDay(summary, &day, basis_all, &counts);
		total = clv_numeric_add(total, amount);
		if (counts)
			spend = clv_numeric_add(spend, amount);
		pfree(amount);
	}
	summary->spend = clv_numeric_double(spend);
	summary->total_spend = clv_numeric_double(total);
	pfree(spend);
	pfree(total);
}

/* A sum of units as a double, of a history that is not wide: its scale is such that sums fit 64
 * bits. */
static inline double
UnitsDouble(const ClvReader *reader, uint64 units)
{
	return (double) (int64) units / (double) clv_power_of_ten[reader->scale];
}

/*
 * Summarise a history that is not wide, with refunds and unknown amounts. The reader and the
 * summary are copies, which stay in registers.
 */
static void
SummarizeNarrow(ClvReader reader, DateADT as_of, bool basis_all, ClvSummary *result)
{
	ClvSummary summary = *result;
	bool counts = false;
	uint64 spend = 0;
	uint64 total = 0;
	ClvDay day;

	reader.wide = false;
	while (ReadDay(&reader, &day) && day.day <= as_of)
	{
		CountDay(&summary, &day, basis_all, &counts);
		total += (uint64) day.units;
		spend += counts ? (uint64) day.units : 0;
	}
	summary.spend = UnitsDouble(&reader, spend);
	summary.total_spend = UnitsDouble(&reader, total);
	*result = summary;
}

/*
 * Summarise a history of nothing but purchases of known amounts, as most are, at least one of them
 * up to as_of. False, and nothing done, where there is anything else, or where bytes are invalid.
 */
static bool
SummarizePlain(const ClvReader *reader, DateADT as_of, bool basis_all, ClvSummary *summary)
{
	const uint8 *next = reader->next;
	DateADT first = DATEVAL_NOEND;
	DateADT last = first;
	uint64 day = 0;
	uint64 first_amount = 0;
	uint64 total = 0;
	int32 purchases = 0;

	while (next < reader->end)
	{
		uint64 head;
		uint64 amount;

		if (!TryVarint(&next, reader->end, &head) || (head & 3) != CLV_DAY_PURCHASE ||
			!TryVarint(&next, reader->end, &amount))
			return false;
		day += purchases == 0 ? (uint64) ZigzagDecode(head >> 2) : head >> 2;
		amount = (uint64) ZigzagDecode(amount);
		if ((DateADT) day > as_of)
			break;
		last = (DateADT) day;
		if (purchases == 0)
		{
			first = last;
			first_amount = amount;
		}
		total += amount;
		purchases++;
	}
	if (purchases == 0)
		return false;
	summary->purchases = purchases;
	summary->first = first;
	summary->last = last;
	summary->spend_purchases = basis_all ? purchases : purchases - 1;
	summary->spend = UnitsDouble(reader, basis_all ? total : total - first_amount);
	summary->total_spend = UnitsDouble(reader, total);
	summary->total_known = true;
	return true;
}

/*
 * A purchase of known value opens an account that the refunds after it are
 * charged to; one of unknown value closes it, as does the first purchase where
 * only repeats count.
 */
void
clv_history_summarize(const ClvHistory *history, DateADT as_of, ClvSpendBasis basis,
					  ClvSummary *summary)
{
	ClvReader reader;

	memset(summary, 0, sizeof(*summary));
	clv_reader_open(&reader, history);
	summary->occasion = reader.occasion;
	if (unlikely(reader.wide))
		SummarizeWide(&reader, as_of, basis == CLV_SPEND_ALL, summary);
	else if (!SummarizePlain(&reader, as_of, basis == CLV_SPEND_ALL, summary))
		SummarizeNarrow(reader, as_of, basis == CLV_SPEND_ALL, summary);
}

/* The net known amount of a day as a double. */
static double
DayAmount(const ClvReader *reader, const ClvDay *day)
{
	Numeric amount;
	double value;

	if (!reader->wide)
		return (double) day->units / (double) clv_power_of_ten[reader->scale];
	amount = clv_digits_numeric(day->digits, day->length);
	value = clv_numeric_double(amount);
	pfree(amount);
	return value;
}

void
clv_history_spends(const ClvHistory *history, DateADT as_of,
				   void (*spend)(void *arg, double amount), void *arg)
{
	bool known = false;
	double account = 0;
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day) && day.day <= as_of)
	{
		if (day.bought && known)
			spend(arg, account);
		if (day.bought)
		{
			known = day.unknown == 0;
			account = 0;
		}
		account += DayAmount(&reader, &day);
	}
	if (known)
		spend(arg, account);
}

Numeric
clv_history_spend_between(const ClvHistory *history, DateADT since, DateADT until)
{
	Numeric sum = NULL;
	bool known = false;
	int64 units = 0;
	ClvReader reader;
	ClvDay day;

	clv_reader_open(&reader, history);
	while (ReadDay(&reader, &day) && day.day <= until)
	{
		if (day.day <= since || (day.unknown > 0 && DayIsZero(&day, reader.wide)))
			continue;
		known = true;
		if (!reader.wide)
			units = (int64) ((uint64) units + (uint64) day.units);
		else
		{
			Numeric amount = clv_digits_numeric(day.digits, day.length);

			sum = sum == NULL ? amount : clv_numeric_add(sum, amount);
		}
	}
	if (known && !reader.wide)
		sum = clv_units_numeric(units, reader.scale);
	return sum;
}

ClvSpendBasis
clv_spend_basis(const char *name)
{
	if (strcmp(name, "repeat") == 0)
		return CLV_SPEND_REPEAT;
	if (strcmp(name, "all") == 0)
		return CLV_SPEND_ALL;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown spend basis \"%s\"", name),
			 errhint("Give 'repeat' (repeat purchases only) or 'all' (the first one too).")));
	return CLV_SPEND_REPEAT; /* keep the compiler quiet */
}

const char *
clv_spend_basis_name(ClvSpendBasis basis)
{
	return basis == CLV_SPEND_ALL ? "all" : "repeat";
}
