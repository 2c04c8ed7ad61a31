/*
 * map.h
 *		Reading the rules of a map argument.
 */
#ifndef CLV_SEGMENT_MAP_H
#define CLV_SEGMENT_MAP_H

#include "segment/rules.h"

/* The name of no map: the shipped one that fits the scores. */
#define CLV_MAP_AUTO "auto"

/*
 * Reads the rules in the current memory context: a list where the text starts
 * with '[', else a map of the table clv_segment_map in the schema of the
 * function. An unknown map is an error that names the known ones.
 */
extern ClvRules *clv_map_read(const text *map, Oid function);

/* Whether the text is a rule list itself, and so depends on no table. */
extern bool clv_map_is_list(const text *map);

/* The parts of a snapshot that decide which rows are visible: equal versions mean equal maps. */
typedef struct ClvMapVersion
{
	TransactionId xmin;
	TransactionId xmax;
	uint32 running; /* transactions below xmax */
	int32 subrunning;
	CommandId command;
} ClvMapVersion;

/* The version under the active snapshot. */
extern ClvMapVersion clv_map_version(void);

#endif /* CLV_SEGMENT_MAP_H */
