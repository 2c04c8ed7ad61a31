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
 * is filled again. A few hundred chunks are on as many pages of memory, more than
 * the processor keeps the addresses of: so a dozen records wait in a place of each
 * partition that shares its page with others, and go to the chunk together.
 *
 * Where several processes put records aside, all chunks go to files, as each
 * process reads what others have written: a file for each process, with a list of
 * its chunks at the end. Chunks are numbered across processes as they are begun,
 * and read in that order: rows then come about as they were scanned, and histories
 * of rows in order of time need little sorting. Processes wait for each other once,
 * when all records have been put aside; a barrier counts the processes that have started, so
 * none waits for a worker that has not.
 */
#include "history/partitions.h"

#include "access/parallel.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/barrier.h"
#include "storage/buffile.h"
#include "storage/fd.h"
#include "storage/sharedfileset.h"
#include "utils/wait_event.h"

/* With its header a power of two, as the allocator rounds to. */
#define CHUNK_SIZE 8192

/* The same of chunks that are read by other processes, where there is memory: fewer and longer
 * reads. */
#define MAX_SHARED_CHUNK_SIZE 32768

/* Bytes of records that wait until they are put into a chunk together. */
#define STAGE_SIZE 512

/* Phases of the barrier: records are added, partitions are read. */
#define PHASE_ADDING 0

/* A piece of memory that records are put into one after another. */
typedef struct Chunk
{
	union
	{
		struct Chunk *next; /* of one process */
		uint32 number;      /* of several: in the order in which they were begun */
	};
	Size used; /* bytes of records */
	Size capacity;
	int64 records[FLEXIBLE_ARRAY_MEMBER]; /* bytes, aligned for any of them */
} Chunk;

/* Records that wait to be put into a chunk, and room for more. */
typedef struct Stage
{
	char *next;
	char *end;
} Stage;

/* The chunks of one partition, the last of which is being filled. */
typedef struct Partition
{
	Chunk *first;
	Chunk *last;   /* the one that is being filled */
	BufFile *file; /* what came between those before the last and the last itself */
} Partition;

/* Where records of a chunk are in the file of a process. */
typedef struct Place
{
	int64 offset;
	Size size;
	uint32 number; /* of the chunk */
	uint32 partition;
} Place;

/* The list of places at the end of a file. */
typedef struct PlaceList
{
	int64 offset;
	int64 count;
} PlaceList;

struct ClvSharedPartitions
{
	dsm_handle segment;      /* where this is */
	Barrier barrier;         /* PHASE_ADDING */
	pg_atomic_uint32 adding; /* processes that have come to add records */
	pg_atomic_uint32 chunks; /* chunks that have been begun */
	pg_atomic_uint32 next;   /* the partition to be read next */
	SharedFileSet files;
	PlaceList places[FLEXIBLE_ARRAY_MEMBER]; /* of each process */
};

/* What a process writes, or has written. */
typedef struct SharedFile
{
	File file;
	int64 size;
	Place *places;
	int64 count;
	int64 capacity; /* of places, while it is written */
	int64 next;     /* the first place that has not been read */
} SharedFile;

/* All partitions, and the memory they may still take. */
struct ClvPartitions
{
	MemoryContext context;
	Size chunk_size;
	Size memory; /* bytes that may still be taken */
	int next;    /* the partition to be read next */
	Partition partition[CLV_PARTITIONS];
	Stage stage[CLV_PARTITIONS];
	int64 staged[CLV_PARTITIONS][STAGE_SIZE / sizeof(int64)]; /* bytes, aligned for any record */

	ClvSharedPartitions *shared; /* NULL: of this process alone, and all below is unused */
	bool open;
	int number;        /* of this process, where it is open */
	SharedFile own;    /* being written */
	SharedFile *files; /* of each process, being read */
	int count;         /* of these */
};

ClvPartitions *
clv_partitions_new(Size memory)
{
	ClvPartitions *partitions = palloc0(sizeof(ClvPartitions));

	partitions->context = CurrentMemoryContext;
	partitions->chunk_size = CHUNK_SIZE;
	partitions->memory = memory;
	partitions->open = true;
	for (int i = 0; i < CLV_PARTITIONS; i++)
	{
		partitions->stage[i].next = (char *) partitions->staged[i];
		partitions->stage[i].end = partitions->stage[i].next + STAGE_SIZE;
	}
	return partitions;
}

Size
clv_partitions_shared_size(int processes)
{
	return add_size(offsetof(ClvSharedPartitions, places), mul_size(processes, sizeof(PlaceList)));
}

void
clv_partitions_share(ClvSharedPartitions *shared, int processes, dsm_segment *segment)
{
	shared->segment = dsm_segment_handle(segment);
	BarrierInit(&shared->barrier, 0);
	pg_atomic_init_u32(&shared->adding, 0);
	pg_atomic_init_u32(&shared->next, 0);
	pg_atomic_init_u32(&shared->chunks, 0);
	SharedFileSetInit(&shared->files, segment);
	memset(shared->places, 0, processes * sizeof(PlaceList));
}

ClvPartitions *
clv_partitions_join(ClvSharedPartitions *shared, Size memory)
{
	ClvPartitions *partitions = clv_partitions_new(0);

	if (IsParallelWorker())
		SharedFileSetAttach(&shared->files, dsm_find_mapping(shared->segment));
	while (partitions->chunk_size * 2 <= Min(memory / CLV_PARTITIONS, MAX_SHARED_CHUNK_SIZE))
		partitions->chunk_size *= 2;
	partitions->shared = shared;
	partitions->open = BarrierAttach(&shared->barrier) == PHASE_ADDING;
	if (partitions->open)
		partitions->number = pg_atomic_fetch_add_u32(&shared->adding, 1);
	return partitions;
}

bool
clv_partitions_open(const ClvPartitions *partitions)
{
	return partitions->open;
}

/* ---- chunks ---- */

/* An empty chunk of so many bytes, or of more where the records alone need more than that. */
static Chunk *
NewChunk(MemoryContext context, Size size, Size records)
{
	Chunk *chunk;

	size = Max(size, add_size(offsetof(Chunk, records), records));
	chunk = MemoryContextAllocHuge(context, size);
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

/* Raises the error of a file that ends too early or cannot be read. */
static void
pg_attribute_noreturn() UnreadableFile(void)
{
	ereport(ERROR, (errcode_for_file_access(),
					errmsg("could not read the temporary file of a partition")));
}

/* The next chunk of the file; NULL after the last. */
static Chunk *
ReadChunk(BufFile *file)
{
	Size used;
	Chunk *chunk;

	if (BufFileRead(file, &used, sizeof(Size)) == 0)
		return NULL;
	chunk = NewChunk(CurrentMemoryContext, 0, used);
	chunk->used = used;
	if (BufFileRead(file, chunk->records, used) != used)
		UnreadableFile();
	return chunk;
}

/* ---- files of several processes ---- */

/* The name of the file of a process. */
static const char *
FileName(int process)
{
	return psprintf("histories%d", process);
}

/* Write so many bytes at the end of the file; returns where they begin. */
static int64
WriteFile(SharedFile *file, void *bytes, Size size)
{
	int64 offset = file->size;

	while (size > 0)
	{
		int written =
			FileWrite(file->file, bytes, Min(size, MaxAllocSize), file->size, PG_WAIT_EXTENSION);

		if (written <= 0)
			ereport(ERROR, (errcode_for_file_access(),
							errmsg("could not write the temporary file of a partition: %m")));
		bytes = (char *) bytes + written;
		size -= written;
		file->size += written;
	}
	return offset;
}

/* Read so many bytes from there on. */
static void
ReadFile(const SharedFile *file, void *bytes, Size size, int64 offset)
{
	while (size > 0)
	{
		int got = FileRead(file->file, bytes, Min(size, MaxAllocSize), offset, PG_WAIT_EXTENSION);

		if (got <= 0)
			UnreadableFile();
		bytes = (char *) bytes + got;
		size -= got;
		offset += got;
	}
}

/* Write a chunk to the file of this process, and empty it. */
static void
WriteSharedChunk(ClvPartitions *partitions, int partition, Chunk *chunk)
{
	SharedFile *own = &partitions->own;
	Place *place;

	if (own->places == NULL)
	{
		own->file =
			clv_shared_file_create(&partitions->shared->files, FileName(partitions->number));
		own->capacity = 1024;
		own->places = palloc(own->capacity * sizeof(Place));
	}
	if (own->count == own->capacity)
	{
		own->capacity *= 2;
		own->places = repalloc_huge(own->places, own->capacity * sizeof(Place));
	}
	place = &own->places[own->count++];
	place->offset = WriteFile(own, chunk->records, chunk->used);
	place->size = chunk->used;
	place->number = chunk->number;
	place->partition = partition;
	chunk->used = 0;
}

/* Orders places by their partition, and in it by the number of the chunk. */
static int
ComparePlaces(const void *left, const void *right)
{
	const Place *a = left, *b = right;

	if (a->partition != b->partition)
		return a->partition < b->partition ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Write the list of places to the end of the file of this process, for all to see. */
static void
WritePlaces(ClvPartitions *partitions)
{
	SharedFile *own = &partitions->own;
	PlaceList *list = &partitions->shared->places[partitions->number];

	if (own->places == NULL)
		return;
	qsort(own->places, own->count, sizeof(Place), ComparePlaces);
	list->count = own->count;
	list->offset = WriteFile(own, own->places, own->count * sizeof(Place));
	FileClose(own->file);
	pfree(own->places);
	own->places = NULL;
}

/* Open the files of all processes. */
static void
OpenFiles(ClvPartitions *partitions)
{
	MemoryContext caller = MemoryContextSwitchTo(partitions->context);

	partitions->count = pg_atomic_read_u32(&partitions->shared->adding);
	partitions->files = palloc0(partitions->count * sizeof(SharedFile));
	for (int i = 0; i < partitions->count; i++)
	{
		const PlaceList *list = &partitions->shared->places[i];
		SharedFile *file = &partitions->files[i];

		if (list->count == 0)
			continue;
		file->file = clv_shared_file_open(&partitions->shared->files, FileName(i));
		file->count = list->count;
		file->places = MemoryContextAllocHuge(partitions->context, list->count * sizeof(Place));
		ReadFile(file, file->places, list->count * sizeof(Place), list->offset);
	}
	MemoryContextSwitchTo(caller);
}

/* The file with the next chunk of the partition; NULL after the last chunk. */
static SharedFile *
FindChunk(ClvPartitions *partitions, uint32 partition)
{
	SharedFile *found = NULL;

	for (int i = 0; i < partitions->count; i++)
	{
		SharedFile *file = &partitions->files[i];

		while (file->next < file->count && file->places[file->next].partition < partition)
			file->next++;
		if (file->next < file->count && file->places[file->next].partition == partition &&
			(found == NULL || file->places[file->next].number < found->places[found->next].number))
			found = file;
	}
	return found;
}

/* Read the next chunk of a file. */
static Chunk *
ReadSharedChunk(SharedFile *file)
{
	const Place *place = &file->places[file->next++];
	Chunk *chunk = NewChunk(CurrentMemoryContext, 0, place->size);

	ReadFile(file, chunk->records, place->size, place->offset);
	chunk->used = place->size;
	return chunk;
}

/* ---- records are added ---- */

/* The last chunk of the partition, with room for so many bytes. */
static pg_noinline Chunk *
MakeRoom(ClvPartitions *partitions, int number, Size bytes)
{
	Partition *partition = &partitions->partition[number];
	MemoryContext caller = MemoryContextSwitchTo(partitions->context);
	Chunk *last = partition->last;

	CHECK_FOR_INTERRUPTS();
	if (last != NULL && partitions->shared != NULL)
	{
		WriteSharedChunk(partitions, number, last);
		if (last->capacity < bytes)
		{
			pfree(last);
			last = NULL;
		}
	}
	else if (last != NULL && partitions->memory == 0)
		WriteChunk(partition, last);
	if (last == NULL || last->capacity - last->used < bytes)
	{
		partition->last = NewChunk(partitions->context, partitions->chunk_size, bytes);
		partitions->memory -= Min(partitions->memory, partition->last->capacity);
		if (last == NULL)
			partition->first = partition->last;
		else
			last->next = partition->last;
	}
	if (partitions->shared != NULL)
		partition->last->number = pg_atomic_fetch_add_u32(&partitions->shared->chunks, 1);
	MemoryContextSwitchTo(caller);
	return partition->last;
}

/* So many bytes at the end of the partition. */
static void *
Extend(ClvPartitions *partitions, int number, Size bytes)
{
	Chunk *chunk = partitions->partition[number].last;
	void *extended;

	if (chunk == NULL || chunk->capacity - chunk->used < bytes)
		chunk = MakeRoom(partitions, number, bytes);
	extended = (char *) chunk->records + chunk->used;
	chunk->used += bytes;
	return extended;
}

/* Put the records that wait into the partition. */
static pg_noinline void
Unstage(ClvPartitions *partitions, int number)
{
	Stage *stage = &partitions->stage[number];
	char *staged = (char *) partitions->staged[number];
	Size bytes = stage->next - staged;

	if (bytes > 0)
		memcpy(Extend(partitions, number, bytes), staged, bytes);
	stage->next = staged;
}

ClvRecord *
clv_partitions_add(ClvPartitions *partitions, uint32 hash, Size size)
{
	/* the upper bits, as hash tables look at the lower ones */
	int number = hash >> 24;
	Stage *stage = &partitions->stage[number];
	ClvRecord *record = (ClvRecord *) stage->next;

	StaticAssertStmt(CLV_PARTITIONS == 1 << 8, "the upper eight bits of a hash are its partition");
	Assert(size <= CLV_MAX_RECORD_SIZE);
	size = MAXALIGN(size);
	if (unlikely((Size) (stage->end - stage->next) < size))
	{
		Unstage(partitions, number);
		record = size > STAGE_SIZE ? Extend(partitions, number, size) : (ClvRecord *) stage->next;
	}
	if (likely(size <= STAGE_SIZE))
		stage->next += size;
	/* what alignment adds is zero, as records may go to a file */
	((int64 *) ((char *) record + size))[-1] = 0;
	record->size = size;
	record->hash = hash;
	return record;
}

void
clv_partitions_complete(ClvPartitions *partitions)
{
	if (!partitions->open)
		return;
	partitions->open = false;
	for (int i = 0; i < CLV_PARTITIONS; i++)
	{
		Chunk *chunk;

		Unstage(partitions, i);
		chunk = partitions->partition[i].last;
		if (partitions->shared == NULL || chunk == NULL)
			continue;
		WriteSharedChunk(partitions, i, chunk);
		pfree(chunk);
	}
	if (partitions->shared == NULL)
		return;
	WritePlaces(partitions);
	BarrierArriveAndWait(&partitions->shared->barrier, PG_WAIT_EXTENSION);
}

/* ---- partitions are read ---- */

int
clv_partitions_next(ClvPartitions *partitions)
{
	uint32 next = partitions->shared == NULL
					  ? (uint32) partitions->next++
					  : pg_atomic_fetch_add_u32(&partitions->shared->next, 1);

	return next < CLV_PARTITIONS ? (int) next : -1;
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

/* Call for every record that any process has put into the partition. */
static void
ReadShared(ClvPartitions *partitions, int number, void (*each)(void *arg, const ClvRecord *record),
		   void *arg)
{
	SharedFile *file;

	if (partitions->files == NULL)
		OpenFiles(partitions);
	while ((file = FindChunk(partitions, number)) != NULL)
		ReadRecords(ReadSharedChunk(file), each, arg);
}

/* Call for every record of a partition of this process alone. */
static void
ReadOwn(Partition *partition, void (*each)(void *arg, const ClvRecord *record), void *arg)
{
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

void
clv_partitions_read(ClvPartitions *partitions, int number,
					void (*each)(void *arg, const ClvRecord *record), void *arg)
{
	if (partitions->shared != NULL)
		ReadShared(partitions, number, each, arg);
	else
		ReadOwn(&partitions->partition[number], each, arg);
}

void
clv_partitions_leave(ClvPartitions *partitions)
{
	if (partitions->shared == NULL)
		return;
	for (int i = 0; i < partitions->count; i++)
		if (partitions->files[i].places != NULL)
			FileClose(partitions->files[i].file);
	partitions->count = 0;
	BarrierDetach(&partitions->shared->barrier);
	partitions->shared = NULL;
}
