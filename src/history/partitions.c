/*
 * partitions.c
 *		Records in partitions.
 *
 * A hash table of millions of customers is far larger than the caches, and rows
 * in the order of time hit it everywhere: each of them waits for memory. Here the
 * rows are put aside first, which only writes at the ends of a few hundred lists.
 * The customers of one partition then fit the caches.
 *
 * A partition is a list of chunks, and each chunk holds records one after another.
 * When the memory is used up, a chunk that is full goes to the partition's file and
 * is filled again.
 */
#include "history/partitions.h"

#include "miscadmin.h"
#include "storage/buffile.h"

/* With its header a power of two, as the allocator rounds to. */
#define CHUNK_SIZE 8192

/* A piece of memory that records are put into one after another. */
typedef struct Chunk
{
	struct Chunk *next;
	Size used; /* bytes of records */
	Size capacity;
	int64 records[FLEXIBLE_ARRAY_MEMBER]; /* bytes, aligned for any of them */
} Chunk;

/* The chunks of one partition, the last of which is being filled. */
typedef struct Partition
{
	Chunk *first;
	Chunk *last;   /* the one that is being filled */
	BufFile *file; /* what came between those before the last and the last itself */
} Partition;

/* All partitions, and the memory they may still take. */
struct ClvPartitions
{
	MemoryContext context;
	Size memory; /* bytes that may still be taken */
	Partition partition[CLV_PARTITIONS];
};

ClvPartitions *
clv_partitions_new(Size memory)
{
	ClvPartitions *partitions = palloc0(sizeof(ClvPartitions));

	partitions->context = CurrentMemoryContext;
	partitions->memory = memory;
	return partitions;
}

/* An empty chunk with room for so many bytes, CHUNK_SIZE at least. */
static Chunk *
NewChunk(MemoryContext context, Size capacity)
{
	Size size = Max(CHUNK_SIZE, add_size(offsetof(Chunk, records), capacity));
	Chunk *chunk = MemoryContextAllocHuge(context, size);

	chunk->next = NULL;
	chunk->used = 0;
	chunk->capacity = size - offsetof(Chunk, records);
	return chunk;
}

/* Write a chunk to the partition's file, and empty it. */
static void
WriteChunk(Partition *partition, Chunk *chunk)
{
	if (partition->file == NULL)
		partition->file = BufFileCreateTemp(false);
	BufFileWrite(partition->file, &chunk->used, sizeof(Size));
	BufFileWrite(partition->file, chunk->records, chunk->used);
	chunk->used = 0;
}

/* The next chunk of the file; NULL after the last. */
static Chunk *
ReadChunk(BufFile *file)
{
	Size used;
	Chunk *chunk;

	if (BufFileRead(file, &used, sizeof(Size)) == 0)
		return NULL;
	chunk = NewChunk(CurrentMemoryContext, used);
	chunk->used = used;
	if (BufFileRead(file, chunk->records, used) != used)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read the temporary file of a partition")));
	return chunk;
}

/* The last chunk of the partition, with room for so many bytes. */
static pg_noinline Chunk *
MakeRoom(ClvPartitions *partitions, Partition *partition, Size bytes)
{
	MemoryContext caller = MemoryContextSwitchTo(partitions->context);
	Chunk *last = partition->last;

	if (last != NULL && partitions->memory == 0)
		WriteChunk(partition, last);
	if (last == NULL || last->capacity - last->used < bytes)
	{
		partition->last = NewChunk(partitions->context, bytes);
		partitions->memory -= Min(partitions->memory, partition->last->capacity);
		if (last == NULL)
			partition->first = partition->last;
		else
			last->next = partition->last;
	}
	MemoryContextSwitchTo(caller);
	return partition->last;
}

ClvRecord *
clv_partitions_add(ClvPartitions *partitions, uint32 hash, Size size)
{
	/* the upper bits, as hash tables look at the lower ones */
	Partition *partition = &partitions->partition[hash >> 24];
	Chunk *chunk = partition->last;
	ClvRecord *record;

	StaticAssertStmt(CLV_PARTITIONS == 1 << 8, "the upper eight bits of a hash are its partition");
	Assert(size <= CLV_MAX_RECORD_SIZE);
	size = MAXALIGN(size);
	if (unlikely(chunk == NULL || chunk->capacity - chunk->used < size))
		chunk = MakeRoom(partitions, partition, size);
	record = (ClvRecord *) ((char *) chunk->records + chunk->used);
	chunk->used += size;
	/* what alignment adds is zero, as records may go to a file */
	chunk->records[chunk->used / sizeof(int64) - 1] = 0;
	record->size = size;
	record->hash = hash;
	return record;
}

/* Call for every record of a chunk. */
static void
ReadRecords(const Chunk *chunk, void (*each)(void *arg, const ClvRecord *record), void *arg)
{
	const char *at = (const char *) chunk->records;
	const char *end = at + chunk->used;

	CHECK_FOR_INTERRUPTS();
	while (at < end)
	{
		const ClvRecord *record = (const ClvRecord *) at;

		each(arg, record);
		at += record->size;
	}
}

void
clv_partitions_read(ClvPartitions *partitions, int number,
					void (*each)(void *arg, const ClvRecord *record), void *arg)
{
	Partition *partition = &partitions->partition[number];
	Chunk *chunk;

	if (partition->first == NULL)
		return;
	for (chunk = partition->first; chunk != partition->last; chunk = chunk->next)
		ReadRecords(chunk, each, arg);
	if (partition->file != NULL)
	{
		if (BufFileSeek(partition->file, 0, 0, SEEK_SET) != 0)
			ereport(ERROR, (errcode_for_file_access(),
							errmsg("could not rewind the temporary file of a partition")));
		while ((chunk = ReadChunk(partition->file)) != NULL)
			ReadRecords(chunk, each, arg);
		BufFileClose(partition->file);
		partition->file = NULL;
	}
	ReadRecords(partition->last, each, arg);
}
