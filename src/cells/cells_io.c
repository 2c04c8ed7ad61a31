/*
 * cells_io.c
 *		clv_cells as text and as JSON.
 *
 * The text is JSON:
 *
 *	{"version": 6, "kind": "history", "occasion": 1, "options": {...},
 *	 "skipped": 0, "spend_skipped": 0, "returned": 1, "times": [coarse, fine],
 *	 "vectors": [[z, ...], ...],
 *	 "cells": [[x, first, last, customers, vector], ...], "days": [[day, purchases], ...],
 *	 "spend": [[x, mean, vector], ...], "paths": [clv_calendar, ...]}
 *
 * first, last and day are days counted from 2000-01-01; of summaries and periods, they are
 * t_x and t_cal. "spend" is null where none was collected; "returned", "times", "vectors", "days"
 * or, in their place, "gaps": [[day, purchases, gap, vector], ...], "paths" and the number of a
 * vector, counted from 0, are there where they are needed. Distributed engines move states as text,
 * and a state may have millions of rows: so the rows are written and read here, without a JSON tree
 * in between.
 */
#include "cells/cells.h"

#include "common/input.h"
#include "common/scan.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"

/* ---- out ---- */

/* The name of a kind of cells, as the text form has it. */
static const char *
KindName(int kind)
{
	return kind == CLV_CELLS_SUMMARY   ? "summary"
		   : kind == CLV_CELLS_PERIODS ? "periods"
									   : "history";
}

/* Append cell i as an array. */
static void
AppendCell(StringInfo out, const ClvCells *flat, int64 i)
{
	const ClvCellEntry *cell = &ClvCellsEntries(flat)[i];

	appendStringInfo(out, "%s[%d, ", i > 0 ? ", " : "", cell->x);
	if (flat->head.kind == CLV_CELLS_SUMMARY)
	{
		clv_append_double(out, ClvBitsDouble(cell->since));
		appendStringInfoString(out, ", ");
		clv_append_double(out, ClvBitsDouble(cell->until));
	}
	else
		appendStringInfo(out, "%d, %d", (int) cell->since, (int) cell->until);
	appendStringInfo(out, ", %u", cell->count);
	if (flat->head.width > 0)
		appendStringInfo(out, ", %u", cell->vector);
	appendStringInfoChar(out, ']');
}

/* Append the member with the vectors. */
static void
AppendVectors(StringInfo out, const ClvCells *flat)
{
	int width = flat->head.width;

	appendStringInfoString(out, "\"vectors\": [");
	for (int64 i = 0; i < flat->head.nvectors * width; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		appendStringInfoString(out, i % width > 0 ? ", " : i > 0 ? "], [" : "[");
		clv_append_double(out, ClvCellsVectors(flat)[i]);
	}
	appendStringInfoString(out, flat->head.nvectors > 0 ? "]], " : "], ");
}

/* Append the array of spend entries. */
static void
AppendSpend(StringInfo out, const ClvCells *flat)
{
	const ClvSpendEntry *spend = ClvCellsSpend(flat);

	appendStringInfoChar(out, '[');
	for (int64 i = 0; i < flat->head.nspend; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		appendStringInfo(out, "%s[%d, ", i > 0 ? ", " : "", spend[i].x);
		clv_append_double(out, ClvSpendMean(&spend[i]));
		if (ClvSpendHasVectors(&flat->head))
			appendStringInfo(out, ", %u", spend[i].vector);
		appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, ']');
}

/* Append the member with the days. */
static void
AppendDays(StringInfo out, const ClvCells *flat)
{
	const ClvDayEntry *days = ClvCellsDays(flat);

	appendStringInfo(out, "\"%s\": [", ClvDaysHaveGaps(&flat->head) ? "gaps" : "days");
	for (int64 i = 0; i < flat->head.ndays; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		appendStringInfo(out, "%s[%d, " INT64_FORMAT, i > 0 ? ", " : "", days[i].day,
						 days[i].purchases);
		if (ClvDaysHaveGaps(&flat->head))
			appendStringInfo(out, ", %d", days[i].gap);
		if (ClvDaysHaveVectors(&flat->head))
			appendStringInfo(out, ", %u", days[i].vector);
		appendStringInfoChar(out, ']');
	}
	appendStringInfoString(out, "], ");
}

/* Append the member with the paths. */
static void
AppendPaths(StringInfo out, const ClvCells *flat)
{
	const char *paths = ClvCellsPaths(flat);

	appendStringInfoString(out, ", \"paths\": [");
	for (int64 at = 0; at < flat->head.paths_size;)
	{
		const ClvPathEntry *entry = (const ClvPathEntry *) (paths + at);
		char *text = clv_calendar_text(ClvPathCalendar(entry));

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(out, "%s%s", at > 0 ? ", " : "", text);
		pfree(text);
		at += entry->size;
	}
	appendStringInfoChar(out, ']');
}

/* The cells as JSON, exact. */
static char *
CellsText(const ClvCells *flat)
{
	const ClvCellsHead *head = &flat->head;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"version\": %d, \"kind\": \"%s\", \"occasion\": %d, \"options\": ",
					 head->version, KindName(head->kind), head->occasion);
	clv_fit_options_text(&out, &head->options, ClvCellsCalendar(flat));
	appendStringInfo(&out, ", \"skipped\": " INT64_FORMAT ", \"spend_skipped\": " INT64_FORMAT ", ",
					 head->skipped, head->spend_skipped);
	if (head->returned > 0)
		appendStringInfo(&out, "\"returned\": " INT64_FORMAT ", ", head->returned);
	if (head->with_times)
		appendStringInfo(&out, "\"times\": [" INT64_FORMAT ", " INT64_FORMAT "], ",
						 head->times.coarse, head->times.fine);
	if (head->width > 0)
		AppendVectors(&out, flat);
	appendStringInfoString(&out, "\"cells\": [");
	for (int64 i = 0; i < head->ncells; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		AppendCell(&out, flat, i);
	}
	appendStringInfoString(&out, "], ");
	if (head->with_days)
		AppendDays(&out, flat);
	appendStringInfoString(&out, "\"spend\": ");
	if (head->with_spend)
		AppendSpend(&out, flat);
	else
		appendStringInfoString(&out, "null");
	if (head->options.npath > 0)
		AppendPaths(&out, flat);
	appendStringInfoChar(&out, '}');
	return out.data;
}

PG_FUNCTION_INFO_V1(clv_cells_out);

/* clv_cells_out(clv_cells) -> cstring: the text form. */
Datum
clv_cells_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(CellsText(clv_cells_flat(PG_GETARG_DATUM(0))));
}

PG_FUNCTION_INFO_V1(clv_cells_to_jsonb);

/* clv_cells::jsonb: the text form as jsonb; an error where it is too large for one. */
Datum
clv_cells_to_jsonb(PG_FUNCTION_ARGS)
{
	char *text = CellsText(clv_cells_flat(PG_GETARG_DATUM(0)));

	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* ---- in ---- */

/* Read a string without escapes, as all of the text form are. */
static char *
ScanString(ClvScanner *in)
{
	const char *begin;

	(void) clv_scan_peek(in);
	if (*in->at != '"')
		clv_scan_error(in, "a string");
	begin = in->at + 1;
	for (const char *p = begin; *p != '\0' && *p != '\\'; p++)
		if (*p == '"')
		{
			in->at = p + 1;
			return pnstrdup(begin, p - begin);
		}
	clv_scan_error(in, "a string without escapes");
}

/* Read a JSON number; jsonb may have written a whole one as 1, and a double as 1e300. */
static double
ScanNumber(ClvScanner *in)
{
	ClvScanner before = *in;
	double value = strtod(clv_scan_number(in, "a number"), NULL);

	if (!isfinite(value))
		clv_scan_error(&before, "a number that double precision can hold");
	return value;
}

/* Read a whole number from least to most. */
static int64
ScanInteger(ClvScanner *in, int64 least, int64 most)
{
	return clv_scan_whole(in, least, most, NULL);
}

/* Step over a JSON object; its inside is checked where it is parsed. */
static char *
ScanObject(ClvScanner *in)
{
	const char *begin;
	int depth = 0;
	bool quoted = false;

	(void) clv_scan_peek(in);
	begin = in->at;
	if (*begin != '{')
		clv_scan_error(in, "an object");
	for (const char *p = begin; *p != '\0'; p++)
	{
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && *p == '{')
			depth++;
		else if (!quoted && *p == '}' && --depth == 0)
		{
			in->at = p + 1;
			return pnstrdup(begin, p + 1 - begin);
		}
	}
	clv_scan_error(in, "an object that ends");
}

/* Read the options, all of which are checked, and their calendar, NULL where there is none. */
static void
ScanOptions(ClvScanner *in, ClvFitOptions *options, ClvCalendar **calendar)
{
	ClvParsedOptions parsed;
	Datum json = DirectFunctionCall1(jsonb_in, CStringGetDatum(ScanObject(in)));

	clv_fit_options_parse(DatumGetJsonbP(json), NULL, &parsed);
	*options = parsed.options;
	*calendar = parsed.calendar;
}

/* Read a vector, which gets the next number; an error where it is not new. */
static void
ScanVector(ClvScanner *in, ClvCellsState *state)
{
	double vector[CLV_MAX_WIDTH];
	int64 n = state->head->nvectors;

	for (int i = 0; i < state->head->width; i++)
	{
		clv_scan_expect(in, i == 0 ? "[" : ",");
		vector[i] = ScanNumber(in) + 0.0;
	}
	clv_scan_expect(in, "]");
	clv_vector_check(state->head, vector);
	if (clv_cells_vector(state, vector) != n)
		clv_scan_error(in, "each vector once");
}

/* Read a cell, check it, and count its customers. */
static void
ScanCell(ClvScanner *in, ClvCellsState *state)
{
	ClvCellEntry cell = {0};

	clv_scan_expect(in, "[");
	cell.x = (int32) ScanInteger(in, 0, PG_INT32_MAX);
	clv_scan_expect(in, ",");
	if (state->head->kind == CLV_CELLS_SUMMARY)
	{
		cell.since = ClvDoubleBits(ScanNumber(in) + 0.0);
		clv_scan_expect(in, ",");
		cell.until = ClvDoubleBits(ScanNumber(in) + 0.0);
	}
	else
	{
		cell.since = ScanInteger(in, PG_INT32_MIN, PG_INT32_MAX);
		clv_scan_expect(in, ",");
		cell.until = ScanInteger(in, PG_INT32_MIN, PG_INT32_MAX);
	}
	clv_scan_expect(in, ",");
	cell.count = (uint32) ScanInteger(in, 1, PG_UINT32_MAX);
	if (state->head->width > 0)
	{
		clv_scan_expect(in, ",");
		cell.vector = (uint32) ScanInteger(in, 0, state->head->nvectors - 1);
	}
	clv_scan_expect(in, "]");
	clv_cell_check(state->head, &cell);
	clv_cells_count(state, &cell);
}

/* Read the purchases of a day, and add them. */
static void
ScanDay(ClvScanner *in, ClvCellsState *state)
{
	ClvDayEntry day = {0};

	clv_scan_expect(in, "[");
	day.day = (int32) ScanInteger(in, PG_INT32_MIN, PG_INT32_MAX);
	clv_scan_expect(in, ",");
	day.purchases = ScanInteger(in, 1, PG_INT64_MAX);
	if (ClvDaysHaveGaps(state->head))
	{
		clv_scan_expect(in, ",");
		day.gap = (int32) ScanInteger(in, 1, PG_INT32_MAX);
	}
	if (ClvDaysHaveVectors(state->head))
	{
		clv_scan_expect(in, ",");
		day.vector = (uint32) ScanInteger(in, 0, state->head->nvectors - 1);
	}
	clv_scan_expect(in, "]");
	clv_cells_add_day(state, &day);
}

/* Read a spend entry, check it, and add it. */
static void
ScanSpend(ClvScanner *in, ClvCellsState *state)
{
	uint32 vector = 0;
	int32 x;
	double mean;
	ClvSpendEntry entry;

	clv_scan_expect(in, "[");
	x = (int32) ScanInteger(in, 1, PG_INT32_MAX);
	clv_scan_expect(in, ",");
	mean = ScanNumber(in);
	if (ClvSpendHasVectors(state->head))
	{
		clv_scan_expect(in, ",");
		vector = (uint32) ScanInteger(in, 0, state->head->nvectors - 1);
	}
	clv_scan_expect(in, "]");
	entry = ClvSpendOf(x, mean, vector);
	clv_spend_check(state->head, &entry);
	clv_cells_spend(state, x, mean, vector);
}

/* Read a path, and add it. */
static void
ScanPath(ClvScanner *in, ClvCellsState *state)
{
	Datum json = DirectFunctionCall1(jsonb_in, CStringGetDatum(ScanObject(in)));

	(void) clv_cells_add_path(state, clv_calendar_from_json(&DatumGetJsonbP(json)->root));
}

/* Read a list of rows, each with the function. */
static void
ScanRows(ClvScanner *in, ClvCellsState *state, void (*row)(ClvScanner *, ClvCellsState *))
{
	int64 n = 0;

	clv_scan_expect(in, "[");
	if (clv_scan_accept(in, "]"))
		return;
	do
	{
		if (n++ % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		row(in, state);
	} while (clv_scan_accept(in, ","));
	clv_scan_expect(in, "]");
}

/* Step over rows, or null; they are read when the head is known. */
static void
SkipRows(ClvScanner *in)
{
	if (!clv_scan_accept(in, "null"))
		clv_scan_skip_list(in);
}

enum
{
	KEY_VERSION,
	KEY_KIND,
	KEY_OCCASION,
	KEY_OPTIONS,
	KEY_SKIPPED,
	KEY_SPEND_SKIPPED,
	KEY_RETURNED,
	KEY_TIMES,
	KEY_VECTORS,
	KEY_CELLS,
	KEY_DAYS,
	KEY_GAPS,
	KEY_SPEND,
	KEY_PATHS,
	KEYS
};

static const char *const key_names[KEYS] = {
	"version", "kind",    "occasion", "options", "skipped", "spend_skipped", "returned",
	"times",   "vectors", "cells",    "days",    "gaps",    "spend",         "paths"};

/* Read a key and its colon; an error where it is unknown. */
static int
ScanKey(ClvScanner *in)
{
	ClvScanner before = *in;
	char *name = ScanString(in);
	int key;

	for (key = 0; key < KEYS; key++)
		if (strcmp(key_names[key], name) == 0)
			break;
	if (key == KEYS)
		clv_scan_error(&before, "a known key");
	pfree(name);
	clv_scan_expect(in, ":");
	return key;
}

/* Read the kind of the cells. */
static void
ScanKind(ClvScanner *in, ClvCellsHead *head)
{
	ClvScanner before = *in;
	char *name = ScanString(in);

	if (strcmp(name, "history") == 0)
		head->kind = CLV_CELLS_HISTORY;
	else if (strcmp(name, "summary") == 0)
		head->kind = CLV_CELLS_SUMMARY;
	else if (strcmp(name, "periods") == 0)
		head->kind = CLV_CELLS_PERIODS;
	else
		clv_scan_error(&before, "\"history\", \"summary\" or \"periods\"");
}

/* Read everything but the rows, of which only the positions are noted. */
static void
ScanHead(ClvScanner *in, ClvCellsHead *head, ClvCalendar **calendar, ClvScanner rows[KEYS])
{
	memset(head, 0, sizeof(*head));
	clv_scan_expect(in, "{");
	do
	{
		int key = ScanKey(in);

		if (rows[key].at != NULL)
			clv_scan_error(in, "each key once");
		rows[key] = *in;
		switch (key)
		{
			case KEY_VERSION:
				head->version = (uint8) ScanInteger(in, CLV_CELLS_VERSION, CLV_CELLS_VERSION);
				break;
			case KEY_KIND:
				ScanKind(in, head);
				break;
			case KEY_OCCASION:
				head->occasion = (int32) ScanInteger(in, 0, PG_INT32_MAX);
				break;
			case KEY_OPTIONS:
				ScanOptions(in, &head->options, calendar);
				break;
			case KEY_SKIPPED:
				head->skipped = ScanInteger(in, 0, PG_INT64_MAX);
				break;
			case KEY_SPEND_SKIPPED:
				head->spend_skipped = ScanInteger(in, 0, PG_INT64_MAX);
				break;
			case KEY_RETURNED:
				head->returned = ScanInteger(in, 1, PG_INT64_MAX);
				break;
			case KEY_TIMES:
				head->with_times = true;
				clv_scan_expect(in, "[");
				head->times.coarse = ScanInteger(in, PG_INT64_MIN, PG_INT64_MAX);
				clv_scan_expect(in, ",");
				head->times.fine = ScanInteger(in, PG_INT64_MIN, PG_INT64_MAX);
				clv_scan_expect(in, "]");
				break;
			case KEY_SPEND:
				(void) clv_scan_peek(in);
				head->with_spend = *in->at != 'n';
				SkipRows(in);
				break;
			case KEY_DAYS:
				head->with_days = CLV_DAYS_ALONE;
				SkipRows(in);
				break;
			case KEY_GAPS:
				head->with_days = CLV_DAYS_AND_GAPS;
				SkipRows(in);
				break;
			case KEY_VECTORS:
			case KEY_CELLS:
			case KEY_PATHS:
				SkipRows(in);
				break;
		}
	} while (clv_scan_accept(in, ","));
	clv_scan_expect(in, "}");
	(void) clv_scan_peek(in);
	if (*in->at != '\0')
		clv_scan_error(in, "the end");
	for (int key = 0; key < KEYS; key++)
		if (rows[key].at == NULL && key != KEY_RETURNED && key != KEY_TIMES && key != KEY_VECTORS &&
			key != KEY_DAYS && key != KEY_GAPS && key != KEY_PATHS)
			clv_scan_error(in, psprintf("the key \"%s\"", key_names[key]));
}

/* The cells that the text describes; errors name what was expected, and where. */
static Datum
ParseCells(const char *text)
{
	ClvScanner in = {"clv_cells", NULL, text, text};
	ClvScanner rows[KEYS] = {0};
	ClvCellsHead head;
	ClvCalendar *calendar = NULL;
	ClvCellsState *state;
	ClvCells *flat;

	ScanHead(&in, &head, &calendar, rows);
	head.width = clv_fit_width(&head.options);
	clv_cells_check_head(&head);
	if ((rows[KEY_VECTORS].at != NULL) != (head.width > 0))
		clv_scan_error(&in, head.width > 0 ? "the key \"vectors\""
										   : "no key \"vectors\" where there are no covariates");
	if ((rows[KEY_PATHS].at != NULL) != (head.options.npath > 0))
		clv_scan_error(&in, head.options.npath > 0 ? "the key \"paths\""
												   : "no key \"paths\" where customers have none");
	state = clv_cells_new(CurrentMemoryContext, (ClvCellsKind) head.kind, &head.options);
	*state->head = head;
	clv_cells_set_calendar(state, calendar);
	if (head.width > 0)
		ScanRows(&rows[KEY_VECTORS], state, ScanVector);
	ScanRows(&rows[KEY_CELLS], state, ScanCell);
	if (head.with_days)
		ScanRows(&rows[ClvDaysHaveGaps(&head) ? KEY_GAPS : KEY_DAYS], state, ScanDay);
	if (head.with_spend)
		ScanRows(&rows[KEY_SPEND], state, ScanSpend);
	if (head.options.npath > 0)
		ScanRows(&rows[KEY_PATHS], state, ScanPath);
	flat = clv_cells_flat(EOHPGetRWDatum(&state->hdr));
	clv_cells_check_vectors_used(&flat->head, ClvCellsEntries(flat));
	clv_cells_check_times(&flat->head, ClvCellsEntries(flat));
	clv_cells_check_days(&flat->head, ClvCellsEntries(flat), ClvCellsDays(flat));
	clv_cells_check_paths(&flat->head, ClvCellsVectors(flat), ClvCellsPaths(flat));
	PG_RETURN_POINTER(flat);
}

CLV_INPUT_FUNCTION(clv_cells_in, ParseCells);

PG_FUNCTION_INFO_V1(clv_cells_from_jsonb);

/* jsonb::clv_cells: reads the jsonb form; every member is checked. */
Datum
clv_cells_from_jsonb(PG_FUNCTION_ARGS)
{
	Jsonb *json = PG_GETARG_JSONB_P(0);

	return ParseCells(JsonbToCString(NULL, &json->root, VARSIZE(json)));
}
