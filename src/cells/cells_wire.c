/*
 * cells_wire.c
 *		The binary form of clv_cells.
 */
#include "cells/cells.h"

#include "common/canonical.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* of a cell, a spend entry and a day, without a vector or gap; in memory they are up to twice as
 * large */
#define CELL_WIRE_SIZE 24
#define SPEND_WIRE_SIZE 12
#define DAY_WIRE_SIZE 12

/* Send the purchases by day. */
static void
SendDays(StringInfo out, const ClvCells *flat)
{
	const ClvDayEntry *days = ClvCellsDays(flat);

	pq_sendint64(out, flat->head.ndays);
	for (int64 i = 0; i < flat->head.ndays; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		pq_sendint32(out, days[i].day);
		pq_sendint64(out, days[i].purchases);
		if (ClvDaysHaveGaps(&flat->head))
			pq_sendint32(out, days[i].gap);
		if (ClvDaysHaveVectors(&flat->head))
			pq_sendint32(out, days[i].vector);
	}
}

/* Send the paths. */
static void
SendPaths(StringInfo out, const ClvCells *flat)
{
	const char *paths = ClvCellsPaths(flat);

	pq_sendint64(out, flat->head.npaths);
	for (int64 at = 0; at < flat->head.paths_size;)
	{
		const ClvPathEntry *entry = (const ClvPathEntry *) (paths + at);
		const ClvCalendar *path = ClvPathCalendar(entry);

		CHECK_FOR_INTERRUPTS();
		pq_sendint32(out, VARSIZE(path) - VARHDRSZ);
		pq_sendbytes(out, VARDATA(path), VARSIZE(path) - VARHDRSZ);
		at += entry->size;
	}
}

PG_FUNCTION_INFO_V1(clv_cells_send);

/* clv_cells_send(clv_cells) -> bytea: the binary form. */
Datum
clv_cells_send(PG_FUNCTION_ARGS)
{
	ClvCells *flat = clv_cells_flat(PG_GETARG_DATUM(0));
	const ClvCellsHead *head = &flat->head;
	const ClvCellEntry *cells = ClvCellsEntries(flat);
	const ClvSpendEntry *spend = ClvCellsSpend(flat);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, head->version);
	pq_sendbyte(&out, head->kind);
	pq_sendbyte(&out, head->with_spend);
	pq_sendbyte(&out, head->with_times);
	pq_sendbyte(&out, head->with_days);
	pq_sendint32(&out, head->occasion);
	pq_sendint64(&out, head->skipped);
	pq_sendint64(&out, head->spend_skipped);
	pq_sendint64(&out, head->returned);
	pq_sendint64(&out, head->times.coarse);
	pq_sendint64(&out, head->times.fine);
	clv_fit_options_send(&out, &head->options);
	pq_sendint64(&out, head->nvectors);
	for (int64 i = 0; i < head->nvectors * head->width; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		pq_sendfloat8(&out, ClvCellsVectors(flat)[i]);
	}
	pq_sendint64(&out, head->ncells);
	for (int64 i = 0; i < head->ncells; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		pq_sendint32(&out, cells[i].x);
		pq_sendint32(&out, cells[i].count);
		pq_sendint64(&out, cells[i].since);
		pq_sendint64(&out, cells[i].until);
		if (head->width > 0)
			pq_sendint32(&out, cells[i].vector);
	}
	SendDays(&out, flat);
	pq_sendint64(&out, head->nspend);
	for (int64 i = 0; i < head->nspend; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		pq_sendint32(&out, spend[i].x);
		pq_sendint32(&out, spend[i].mean_high);
		pq_sendint32(&out, spend[i].mean_low);
		if (ClvSpendHasVectors(head))
			pq_sendint32(&out, spend[i].vector);
	}
	pq_sendint32(&out, Max(head->calendar_size - VARHDRSZ, 0));
	if (head->calendar_size > 0)
		pq_sendbytes(&out, VARDATA(ClvCellsCalendar(flat)), head->calendar_size - VARHDRSZ);
	if (head->options.npath > 0)
		SendPaths(&out, flat);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Receive a number of entries; an error where the rest of the message cannot hold so many. */
static int64
RecvCount(StringInfo in, int entry)
{
	int64 n = pq_getmsgint64(in);

	if (n < 0 || n > (in->len - in->cursor) / entry)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("clv_cells of " INT64_FORMAT " entries in a message of %d bytes", n,
							   in->len)));
	return n;
}

/* Receive the number of vectors of cells without covariates, which must be 0. */
static int64
RecvNone(StringInfo in)
{
	int64 n = pq_getmsgint64(in);

	if (n != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("binary clv_cells have " INT64_FORMAT " vectors without covariates", n)));
	return 0;
}

/* Raises the error of entries that are not in order. */
static void
NotSorted(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					errmsg("entries of binary clv_cells are not in order")));
}

/* Receive the vectors, checked. */
static void
RecvVectors(StringInfo in, ClvCells *flat)
{
	int width = flat->head.width;

	for (int64 i = 0; i < flat->head.nvectors; i++)
	{
		double *vector = ClvCellsVectors(flat) + i * width;

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < width; j++)
			vector[j] = pq_getmsgfloat8(in);
		clv_vector_check(&flat->head, vector);
		if (i > 0 && clv_vector_compare(vector - width, vector, width) >= 0)
			NotSorted();
	}
}

/* Receive the cells, checked. */
static void
RecvCells(StringInfo in, ClvCells *flat)
{
	ClvCellEntry *cells = ClvCellsEntries(flat);

	for (int64 i = 0; i < flat->head.ncells; i++)
	{
		ClvCellEntry *cell = &cells[i];

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		cell->x = (int32) pq_getmsgint(in, 4);
		cell->count = pq_getmsgint(in, 4);
		cell->since = pq_getmsgint64(in);
		cell->until = pq_getmsgint64(in);
		cell->vector = flat->head.width > 0 ? pq_getmsgint(in, 4) : 0;
		cell->reserved = 0;
		clv_cell_check(&flat->head, cell);
		if (i > 0 && clv_cell_compare(cell - 1, cell) >= 0)
			NotSorted();
	}
}

/* Receive the spend entries, checked. */
static void
RecvSpend(StringInfo in, ClvCells *flat)
{
	ClvSpendEntry *spend = ClvCellsSpend(flat);

	for (int64 i = 0; i < flat->head.nspend; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		spend[i].x = (int32) pq_getmsgint(in, 4);
		spend[i].mean_high = pq_getmsgint(in, 4);
		spend[i].mean_low = pq_getmsgint(in, 4);
		spend[i].vector = ClvSpendHasVectors(&flat->head) ? pq_getmsgint(in, 4) : 0;
		clv_spend_check(&flat->head, &spend[i]);
		if (i > 0 && clv_spend_compare(&spend[i - 1], &spend[i]) > 0)
			NotSorted();
	}
}

/* Receive the purchases by day, checked. */
static void
RecvDays(StringInfo in, ClvCells *flat)
{
	ClvDayEntry *days = ClvCellsDays(flat);

	for (int64 i = 0; i < flat->head.ndays; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		days[i] = (ClvDayEntry){.day = (int32) pq_getmsgint(in, 4)};
		days[i].purchases = pq_getmsgint64(in);
		if (ClvDaysHaveGaps(&flat->head))
			days[i].gap = (int32) pq_getmsgint(in, 4);
		if (ClvDaysHaveVectors(&flat->head))
			days[i].vector = pq_getmsgint(in, 4);
	}
	clv_cells_check_days(&flat->head, ClvCellsEntries(flat), days);
}

/* Receive a calendar, checked; NULL where its size is 0. */
static ClvCalendar *
RecvOneCalendar(StringInfo in)
{
	int32 size = (int32) pq_getmsgint(in, 4);
	StringInfoData bytes = {.len = size, .maxlen = size};
	ClvCalendarParts parts;
	ClvCalendar *calendar;

	if (size < 0 || size > in->len - in->cursor)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("calendar of %d bytes in binary clv_cells of %d bytes", size, in->len)));
	if (size == 0)
		return NULL;
	bytes.data = (char *) pq_getmsgbytes(in, size);
	clv_calendar_unpack(&bytes, &parts);
	calendar = clv_calendar_pack(&parts);
	clv_canonical_check(calendar, bytes.data, size, "clv_calendar");
	return calendar;
}

/* Receive the paths, checked. */
static void
RecvPaths(StringInfo in, ClvCells *flat)
{
	char *paths = ClvCellsPaths(flat);
	char *end = ClvCellsEnd(flat) + flat->head.calendar_size;

	memset(end, 0, paths - end);
	flat->head.npaths = RecvCount(in, sizeof(int32) + 1);
	for (int64 i = 0; i < flat->head.npaths; i++)
	{
		ClvCalendar *path = RecvOneCalendar(in);

		CHECK_FOR_INTERRUPTS();
		if (path == NULL)
			ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
							errmsg("a path without bytes in binary clv_cells")));
		flat->head.paths_size +=
			clv_path_write(paths + flat->head.paths_size, clv_path_mark(path), path);
		pfree(path);
	}
	clv_cells_check_paths(&flat->head, ClvCellsVectors(flat), paths);
}

/* Receive the calendar, checked. */
static void
RecvCalendar(StringInfo in, ClvCells *flat)
{
	ClvCalendar *calendar = RecvOneCalendar(in);

	if (calendar != NULL)
	{
		flat->head.calendar_size = (int32) VARSIZE(calendar);
		memcpy(ClvCellsEnd(flat), calendar, VARSIZE(calendar));
	}
	clv_cells_check_calendar(&flat->head, calendar);
}

PG_FUNCTION_INFO_V1(clv_cells_recv);

/* clv_cells_recv(internal) -> clv_cells: the binary form, of which every byte is checked. */
Datum
clv_cells_recv(PG_FUNCTION_ARGS)
{
	StringInfo in = (StringInfo) PG_GETARG_POINTER(0);
	ClvCellsHead head;
	ClvCells *flat;
	Size rest;
	Size size;

	memset(&head, 0, sizeof(head));
	head.version = pq_getmsgbyte(in);
	if (head.version != CLV_CELLS_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown version of clv_cells: %d", head.version),
						errdetail("This version of clv reads version %d.", CLV_CELLS_VERSION),
						errhint("Count the histories again with clv_cells().")));
	head.kind = pq_getmsgbyte(in);
	head.with_spend = pq_getmsgbyte(in);
	head.with_times = pq_getmsgbyte(in);
	head.with_days = pq_getmsgbyte(in);
	head.occasion = (int32) pq_getmsgint(in, 4);
	head.skipped = pq_getmsgint64(in);
	head.spend_skipped = pq_getmsgint64(in);
	head.returned = pq_getmsgint64(in);
	head.times.coarse = pq_getmsgint64(in);
	head.times.fine = pq_getmsgint64(in);
	clv_fit_options_recv(in, &head.options);
	head.width = clv_fit_width(&head.options);
	clv_cells_check_head(&head);

	/* the rest of the message limits how much memory its counts may claim */
	head.nvectors = head.width > 0 ? RecvCount(in, head.width * sizeof(double)) : RecvNone(in);
	rest = Max(in->len - in->cursor, 0);
	flat = palloc_extended(sizeof(ClvCellsHead) + rest + rest + 8 + VARHDRSZ, MCXT_ALLOC_HUGE);
	flat->head = head;
	RecvVectors(in, flat);
	flat->head.ncells = RecvCount(in, CELL_WIRE_SIZE);
	RecvCells(in, flat);
	clv_cells_check_vectors_used(&flat->head, ClvCellsEntries(flat));
	clv_cells_check_times(&flat->head, ClvCellsEntries(flat));
	flat->head.ndays = RecvCount(in, DAY_WIRE_SIZE);
	RecvDays(in, flat);
	flat->head.nspend = RecvCount(in, SPEND_WIRE_SIZE);
	RecvSpend(in, flat);
	RecvCalendar(in, flat);
	if (head.options.npath > 0)
		RecvPaths(in, flat);
	pq_getmsgend(in);
	size = clv_cells_size(&flat->head);
	if (!AllocSizeIsValid(size))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("binary clv_cells are larger than 1 GB")));
	SET_VARSIZE(flat, size);
	PG_RETURN_POINTER(flat);
}
