/*
 * map.c
 *		Reading maps: from the table clv_segment_map, or from a list.
 */
#include "segment/map.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

bool
clv_map_is_list(const text *map)
{
	const char *data = VARDATA_ANY(map);
	int			length = VARSIZE_ANY_EXHDR(map);

	while (length > 0 && strchr(" \t\r\n", *data) != NULL)
	{
		data++;
		length--;
	}
	return length > 0 && *data == '[';
}

/*
 * The transactions below xmax that were running can only become fewer, so as
 * long as their number and xmax stay, they are the same ones. A transaction of
 * our own moves xmax when it, or a part of it, ends, and the command counter
 * when it writes.
 */
ClvMapVersion
clv_map_version(void)
{
	Snapshot	snapshot = GetActiveSnapshot();
	ClvMapVersion version;

	version.xmin = snapshot->xmin;
	version.xmax = snapshot->xmax;
	version.running = snapshot->xcnt;
	version.subrunning = snapshot->suboverflowed ? -1 : snapshot->subxcnt;
	version.command = snapshot->curcid;
	return version;
}

static pg_attribute_noreturn() void
UnknownMap(const char *name, const char *schema)
{
	char	   *known = NULL;

	if (SPI_execute(psprintf("SELECT pg_catalog.string_agg(DISTINCT m.map, ', ' ORDER BY m.map) "
							 "FROM %s.clv_segment_map AS m",
							 schema),
					true, 1) == SPI_OK_SELECT &&
		SPI_processed == 1)
		known = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("segment map \"%s\" does not exist", name),
					errdetail("Known maps are: %s.", known == NULL ? "none" : known),
					errhint("Insert your own rules into %s.clv_segment_map, or give a JSON rule "
							"list that starts with [.",
							schema)));
}

static void
AddRow(ClvRules *rules, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	int			position = DatumGetInt32(SPI_getbinval(row, desc, 1, &isnull));
	char	   *segment = SPI_getvalue(row, desc, 2);
	Jsonb	   *rule = DatumGetJsonbP(SPI_getbinval(row, desc, 3, &isnull));

	clv_rules_add(rules, position, segment, &rule->root);
}

/* A map of the user's own stands before a shipped one of its name. */
static ClvRules *
ReadNamed(const text *map, Oid function)
{
	MemoryContext caller = CurrentMemoryContext;
	char	   *name = text_to_cstring(map);
	const char *schema =
		quote_identifier(get_namespace_name(get_func_namespace(function)));
	Oid			type = TEXTOID;
	Datum		value = PointerGetDatum(map);
	ClvRules   *rules = clv_rules_create(psprintf("segment map \"%s\"", name));
	SPITupleTable *found;
	uint64		rows;

	SPI_connect();
	if (SPI_execute_with_args(
			psprintf("SELECT m.\"position\", m.segment, m.rule FROM %s.clv_segment_map AS m "
					 "WHERE m.map OPERATOR(pg_catalog.=) $1 AND m.builtin OPERATOR(pg_catalog.=) "
					 "(SELECT pg_catalog.bool_and(n.builtin) FROM %s.clv_segment_map AS n "
					 "WHERE n.map OPERATOR(pg_catalog.=) $1) ORDER BY m.\"position\"",
					 schema, schema),
			1, &type, &value, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the segment maps");
	if (SPI_processed == 0)
		UnknownMap(name, schema);
	found = SPI_tuptable;
	rows = SPI_processed;
	for (uint64 i = 0; i < rows; i++)
	{
		MemoryContext spi = MemoryContextSwitchTo(caller);

		AddRow(rules, found->vals[i], found->tupdesc);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return rules;
}

ClvRules *
clv_map_read(const text *map, Oid function)
{
	Datum		json;

	if (!clv_map_is_list(map))
		return ReadNamed(map, function);
	json = DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(map)));
	return clv_rules_from_json(DatumGetJsonbP(json));
}
