/*
 * cells_vectors.c
 *		What customers bring into a fit besides their histories: each vector once.
 *
 * A vector holds the covariates of a customer, or the outcome of a supervised fit.
 * Cells name vectors by their number. While cells grow the numbers are those of
 * arrival; stored cells have their vectors in order.
 */
#include "cells/cells.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#define VECTORS_AT_FIRST 4
#define VECTORS_LIMIT (1 << 30)

int
clv_vector_compare(const double *a, const double *b, int width)
{
	for (int i = 0; i < width; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* The hash of a vector's bytes. */
static inline uint32
HashVector(const double *vector, int width)
{
	return DatumGetUInt32(hash_any((const unsigned char *) vector, width * sizeof(double)));
}

/* The slot of the vector, or the empty one where it belongs. */
static uint32
FindSlot(const ClvVectors *vectors, const double *vector, int width)
{
	uint32 slot = HashVector(vector, width) & vectors->mask;

	while (vectors->index[slot] != 0 &&
		   memcmp(vectors->values + (int64) (vectors->index[slot] - 1) * width, vector,
				  width * sizeof(double)) != 0)
		slot = (slot + 1) & vectors->mask;
	return slot;
}

/* Double the room for vectors, and build the index anew. */
static void
Grow(ClvCellsState *state)
{
	ClvVectors *vectors = &state->vectors;
	int width = state->head->width;
	MemoryContext context = state->hdr.eoh_context;
	int64 size = Max(VECTORS_AT_FIRST, vectors->size * 2);
	uint32 *index;

	while (size < state->head->nvectors)
		size *= 2;
	if (size > VECTORS_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d different covariate vectors in clv_cells", VECTORS_LIMIT)));
	if (vectors->values == NULL)
		vectors->values =
			MemoryContextAllocHuge(context, mul_size(size, mul_size(width, sizeof(double))));
	else
		vectors->values =
			repalloc_huge(vectors->values, mul_size(size, mul_size(width, sizeof(double))));
	index = MemoryContextAllocExtended(context, mul_size(size * 2, sizeof(uint32)),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (vectors->index != NULL)
		pfree(vectors->index);
	vectors->index = index;
	vectors->mask = (uint32) (size * 2 - 1);
	vectors->size = size;
	for (int64 i = 0; i < state->head->nvectors; i++)
		index[FindSlot(vectors, vectors->values + i * width, width)] = (uint32) (i + 1);
}

uint32
clv_cells_vector(ClvCellsState *state, const double *vector)
{
	ClvVectors *vectors = &state->vectors;
	int width = state->head->width;
	uint32 slot;

	if (width == 0)
		return 0;
	if (vectors->index == NULL || state->head->nvectors == vectors->size)
		Grow(state);
	slot = FindSlot(vectors, vector, width);
	if (vectors->index[slot] == 0)
	{
		memcpy(vectors->values + state->head->nvectors * width, vector, width * sizeof(double));
		vectors->index[slot] = (uint32) ++state->head->nvectors;
	}
	return vectors->index[slot] - 1;
}

/* ---- order ---- */

#define ST_SORT SortOrder
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE_ARG_TYPE const ClvCellsView
#define ST_COMPARE(a, b, view)                                                                     \
	clv_vector_compare((view)->vectors + (int64) * (a) * (view)->head->width,                      \
					   (view)->vectors + (int64) * (b) * (view)->head->width, (view)->head->width)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
clv_vectors_rank(const ClvCellsView *view, uint32 *rank, uint32 *order)
{
	int64 n = view->head->nvectors;

	for (int64 i = 0; i < n; i++)
		order[i] = (uint32) i;
	SortOrder(order, n, view);
	for (int64 i = 0; i < n; i++)
		rank[order[i]] = (uint32) i;
}

void
clv_cells_check_vectors_used(const ClvCellsHead *head, const ClvCellEntry *cells)
{
	bool *used = palloc_extended(head->nvectors + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (int64 i = 0; i < head->ncells; i++)
		used[cells[i].vector] = true;
	for (int64 i = 0; i < head->nvectors; i++)
		if (!used[i])
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("vector " INT64_FORMAT " of clv_cells belongs to no cell", i)));
	pfree(used);
}
