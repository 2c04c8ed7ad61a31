/*
 * partitions.h
 *		Records put aside in partitions by their hash, to be read a partition at a
 *		time.
 */
#ifndef CLV_HISTORY_PARTITIONS_H
#define CLV_HISTORY_PARTITIONS_H

#include "clv.h"

#include "utils/memutils.h"

#define CLV_PARTITIONS 256

/* Bytes that a record has at most: as many as any value of the server. */
#define CLV_MAX_RECORD_SIZE MAXALIGN_DOWN(MaxAllocSize)

typedef struct ClvPartitions ClvPartitions;

/* What every record begins with. */
typedef struct ClvRecord
{
	uint32 size; /* bytes, this included */
	uint32 hash;
} ClvRecord;

/* In the current context, and in temporary files where that would be more than so many bytes. */
extern ClvPartitions *clv_partitions_new(Size memory);

/*
 * A record of so many bytes (CLV_MAX_RECORD_SIZE) in the partition of its hash, aligned as
 * the server's tuples are. The rest of it is to be filled in before the next call.
 */
extern ClvRecord *clv_partitions_add(ClvPartitions *partitions, uint32 hash, Size size);

/*
 * Call for every record of a partition, in the order in which they came; once for
 * each partition. The records stay until both the current context and that of the
 * partitions are gone.
 */
extern void clv_partitions_read(ClvPartitions *partitions, int partition,
								void (*each)(void *arg, const ClvRecord *record), void *arg);

#endif /* CLV_HISTORY_PARTITIONS_H */
