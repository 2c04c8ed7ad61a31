/*
 * cells_paths.c
 *		The paths of customers: calendars of their own, each kept once.
 *
 * A vector names its path by a mark, the first 53 bits of its hash as a double, which comes first
 *in the vector: in order, vectors of one path follow each other, and paths are in the order of
 *their marks. Two paths with one mark are an error.
 */
#include "cells/cells.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#define SLOTS_AT_FIRST 16
#define BYTES_AT_FIRST 4096

StaticAssertDecl(sizeof(ClvPathEntry) % 8 == 0, "paths are aligned");

#define BadPaths(...) ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), __VA_ARGS__))

double
clv_path_mark(const ClvCalendar *path)
{
	return (double) (clv_calendar_fingerprint(path) >> 11);
}

/* The bytes of the entry of a path. */
static int64
EntrySize(const ClvCalendar *path)
{
	return (int64) TYPEALIGN(8, sizeof(ClvPathEntry) + VARSIZE_ANY_EXHDR(path) + VARHDRSZ);
}

int64
clv_path_write(char *to, double mark, const ClvCalendar *path)
{
	ClvPathEntry *entry = (ClvPathEntry *) to;
	int64 size = EntrySize(path);
	ClvCalendar *copy = ClvPathCalendar(entry);

	memset(to, 0, size);
	entry->mark = mark;
	entry->size = size;
	SET_VARSIZE(copy, VARSIZE_ANY_EXHDR(path) + VARHDRSZ);
	memcpy(VARDATA(copy), VARDATA_ANY(path), VARSIZE_ANY_EXHDR(path));
	return size;
}

/* Raises the error of two paths that are taken to be the same unless they are. */
static void
CheckSamePath(const ClvCalendar *one, const ClvCalendar *other)
{
	if (VARSIZE_ANY_EXHDR(one) != VARSIZE_ANY_EXHDR(other) ||
		memcmp(VARDATA_ANY(one), VARDATA_ANY(other), VARSIZE_ANY_EXHDR(one)) != 0)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("two paths of customers cannot be told apart by their hashes"),
						errhint("Change one of them, such as by the name of a covariate.")));
}

/* ---- while cells grow ---- */

/* The slot of a mark, or the empty one where it belongs. */
static int64
FindSlot(const ClvPaths *paths, double mark)
{
	int64 slot = (int64) mark & paths->mask;

	while (paths->index[slot] != 0 &&
		   ((const ClvPathEntry *) (paths->bytes + paths->index[slot] - 1))->mark != mark)
		slot = (slot + 1) & paths->mask;
	return slot;
}

/* Builds the index anew, at most half full with one more path. */
static void
BuildIndex(ClvCellsState *state)
{
	ClvPaths *paths = &state->paths;
	int64 slots = SLOTS_AT_FIRST;

	while (slots < 2 * (state->head->npaths + 1))
		slots *= 2;
	if (paths->index != NULL)
		pfree(paths->index);
	paths->index = NULL;
	paths->index = MemoryContextAllocExtended(
		state->hdr.eoh_context, mul_size(slots, sizeof(int64)), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	paths->mask = slots - 1;
	for (int64 at = 0; at < state->head->paths_size;)
	{
		const ClvPathEntry *entry = (const ClvPathEntry *) (paths->bytes + at);

		paths->index[FindSlot(paths, entry->mark)] = at + 1;
		at += entry->size;
	}
}

/* Makes room for so many more bytes. */
static void
Reserve(ClvCellsState *state, int64 more)
{
	ClvPaths *paths = &state->paths;
	int64 size = state->head->paths_size + more;

	if (size <= paths->room)
		return;
	size += size / 2 + BYTES_AT_FIRST;
	if (paths->bytes == NULL)
		paths->bytes = MemoryContextAllocHuge(state->hdr.eoh_context, size);
	else
		paths->bytes = repalloc_huge(paths->bytes, size);
	paths->room = size;
}

double
clv_cells_add_path(ClvCellsState *state, const ClvCalendar *path)
{
	ClvPaths *paths = &state->paths;
	double mark = clv_path_mark(path);
	int64 slot;

	if (paths->index == NULL || 2 * (state->head->npaths + 1) > paths->mask + 1)
		BuildIndex(state);
	slot = FindSlot(paths, mark);
	if (paths->index[slot] != 0)
	{
		CheckSamePath(ClvPathCalendar(paths->bytes + paths->index[slot] - 1), path);
		return mark;
	}
	Reserve(state, EntrySize(path));
	paths->index[slot] = state->head->paths_size + 1;
	state->head->paths_size += clv_path_write(paths->bytes + state->head->paths_size, mark, path);
	state->head->npaths++;
	return mark;
}

void
clv_cells_absorb_paths(ClvCellsState *state, const ClvCellsView *from)
{
	for (int64 at = 0; at < from->head->paths_size;)
	{
		const ClvPathEntry *entry = (const ClvPathEntry *) (from->paths + at);

		CHECK_FOR_INTERRUPTS();
		(void) clv_cells_add_path(state, ClvPathCalendar(entry));
		at += entry->size;
	}
}

/* ---- in order ---- */

typedef const ClvPathEntry *PathPointer;

#define ST_SORT SortPaths
#define ST_ELEMENT_TYPE PathPointer
#define ST_COMPARE(a, b) ((*(a))->mark < (*(b))->mark ? -1 : (*(a))->mark > (*(b))->mark)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

const ClvPathEntry **
clv_cells_sorted_paths(const ClvCellsView *view)
{
	const ClvPathEntry **sorted = MemoryContextAllocHuge(
		CurrentMemoryContext, mul_size(view->head->npaths + 1, sizeof(ClvPathEntry *)));
	int64 n = 0;

	for (int64 at = 0; at < view->head->paths_size; n++)
	{
		sorted[n] = (const ClvPathEntry *) (view->paths + at);
		at += sorted[n]->size;
	}
	SortPaths(sorted, n);
	return sorted;
}

void
clv_cells_flatten_paths(const ClvCellsState *state, ClvCells *flat)
{
	ClvCellsView view = {.head = state->head, .paths = state->paths.bytes};
	const ClvPathEntry **sorted = clv_cells_sorted_paths(&view);
	char *to = ClvCellsPaths(flat);
	char *end = ClvCellsEnd(flat) + flat->head.calendar_size;

	memset(end, 0, to - end);
	for (int64 i = 0; i < state->head->npaths; i++)
	{
		memcpy(to, sorted[i], sorted[i]->size);
		to += sorted[i]->size;
	}
	pfree(sorted);
}

/* ---- of two stored cells ---- */

/* The entries of stored cells, one after the other. */
typedef struct Reader
{
	const char *at;
	const char *end;
} Reader;

/* The entry with the mark, which is at or behind the one at hand; NULL: there is none. */
static const ClvPathEntry *
Find(Reader *reader, double mark)
{
	while (reader->at < reader->end)
	{
		const ClvPathEntry *entry = (const ClvPathEntry *) reader->at;

		if (entry->mark >= mark)
			return entry->mark == mark ? entry : NULL;
		reader->at += entry->size;
	}
	return NULL;
}

void
clv_cells_combine_paths(const ClvCells *left, const ClvCells *right, ClvCellsHead *head,
						const double *vectors, char *to)
{
	Reader one = {ClvCellsPaths(left), ClvCellsPaths(left) + left->head.paths_size};
	Reader other = {ClvCellsPaths(right), ClvCellsPaths(right) + right->head.paths_size};

	head->npaths = head->paths_size = 0;
	for (int64 i = 0; head->options.npath > 0 && i < head->nvectors; i++)
	{
		double mark = vectors[i * head->width];
		const ClvPathEntry *a;
		const ClvPathEntry *b;

		if (i > 0 && mark == vectors[(i - 1) * head->width])
			continue;
		a = Find(&one, mark);
		b = Find(&other, mark);
		if (a != NULL && b != NULL)
			CheckSamePath(ClvPathCalendar(a), ClvPathCalendar(b));
		memcpy(to + head->paths_size, a != NULL ? a : b, (a != NULL ? a : b)->size);
		head->paths_size += (a != NULL ? a : b)->size;
		head->npaths++;
	}
}

/* ---- checks ---- */

void
clv_path_check_names(const ClvFitOptions *options, const ClvCalendarParts *path, const char *whose)
{
	bool same = path->nnames == options->npath;

	for (int i = 0; same && i < path->nnames; i++)
		same = strcmp(path->name[i], clv_fit_path_name(options, i)) == 0;
	if (!same)
	{
		StringInfoData names;

		initStringInfo(&names);
		for (int i = 0; i < path->nnames; i++)
			appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", path->name[i]);
		BadPaths(errmsg("all paths of customers need the same names"),
				 errdetail("That of %s has %s, others have %s.", whose, names.data,
						   clv_fit_path_list(options)));
	}
}

void
clv_cells_check_paths(const ClvCellsHead *head, const double *vectors, const char *paths)
{
	const char *at = paths;
	const char *end = paths + head->paths_size;

	for (int64 i = 0; head->options.npath > 0 && i < head->nvectors; i++)
	{
		const ClvPathEntry *entry = (const ClvPathEntry *) at;
		double mark = vectors[i * head->width];
		ClvCalendarParts parts;

		CHECK_FOR_INTERRUPTS();
		if (i > 0 && mark == vectors[(i - 1) * head->width])
			continue;
		if (at >= end || entry->mark != mark)
			BadPaths(errmsg("paths of clv_cells are not those of their vectors"));
		clv_calendar_unpack_value(ClvPathCalendar(entry), &parts);
		clv_path_check_names(&head->options, &parts, "a customer of the clv_cells");
		at += entry->size;
	}
	if (at < end)
		BadPaths(errmsg("a path of clv_cells belongs to no customer"));
}
