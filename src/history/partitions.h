/*
 * partitions.h
 *		Records put aside in partitions by their hash, to be read a partition at a
 *		time: by the process that has put them aside, or by several, each of which
 *		has put some of them aside and reads some of the partitions.
 */
#ifndef CLV_HISTORY_PARTITIONS_H
#define CLV_HISTORY_PARTITIONS_H

#include "clv.h"

#include "storage/dsm.h"
#include "utils/memutils.h"

#define CLV_PARTITIONS 256

/* Bytes that a record has at most: as many as any value of the server. */
#define CLV_MAX_RECORD_SIZE MAXALIGN_DOWN(MaxAllocSize)

typedef struct ClvPartitions ClvPartitions;

/* The partitions of several processes, in shared memory. */
typedef struct ClvSharedPartitions ClvSharedPartitions;

/* The head of every record. */
typedef struct ClvRecord
{
	uint32 size; /* bytes, this included */
	uint32 hash;
} ClvRecord;

/* Of this process: in the current context, and in temporary files where that would be more than so
 * many bytes. */
extern ClvPartitions *clv_partitions_new(Size memory);

/* Bytes that as many processes share, and an empty share there, in a segment of shared memory. */
extern Size clv_partitions_shared_size(int processes);
extern void clv_partitions_share(ClvSharedPartitions *shared, int processes, dsm_segment *segment);

/*
 * Of several processes, each of which calls this once: in temporary files, and while they are
 * filled in the current context, in so many bytes and at least 2 MB. Those who come after
 * clv_partitions_complete has returned elsewhere have no records to add.
 */
extern ClvPartitions *clv_partitions_join(ClvSharedPartitions *shared, Size memory);

/* Whether records may still be added. */
extern bool clv_partitions_open(const ClvPartitions *partitions);

/*
 * A record of so many bytes (CLV_MAX_RECORD_SIZE) in the partition of its hash, aligned as
 * the server's tuples are. The rest of it is to be filled in before the next call.
 */
extern ClvRecord *clv_partitions_add(ClvPartitions *partitions, uint32 hash, Size size);

/* To be called after the last record: waits until every process has added its own. */
extern void clv_partitions_complete(ClvPartitions *partitions);

/* The partition to be read next, which no other call returns; -1 after the last. */
extern int clv_partitions_next(ClvPartitions *partitions);

/*
 * Call for every record of a partition; once for each partition. The records stay until both the
 * current context and that of the partitions are gone.
 */
extern void clv_partitions_read(ClvPartitions *partitions, int partition,
								void (*each)(void *arg, const ClvRecord *record), void *arg);

/* Closes files, and leaves the memory that is shared; to be called before that goes. */
extern void clv_partitions_leave(ClvPartitions *partitions);

#endif /* CLV_HISTORY_PARTITIONS_H */
