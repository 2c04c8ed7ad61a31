/*
 * map_read.c
 *		Reading maps: from the table clv_segment_map, or from a list.
 */
#include "segment/map.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/skey.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

bool
clv_map_is_list(const text *map)
{
	const char *data = VARDATA_ANY(map);
	int length = VARSIZE_ANY_EXHDR(map);

	while (length > 0 && strchr(" \t\r\n", *data) != NULL)
	{
		data++;
		length--;
	}
	return length > 0 && *data == '[';
}

/*
 * The transactions below xmax that were running can only become fewer, so as
 * long as their number and xmax stay the same, they are the same transactions. Our
 * own transaction changes xmax when it, or a subtransaction, ends, and the command
 * counter when it writes.
 */
ClvMapVersion
clv_map_version(void)
{
	Snapshot snapshot = GetActiveSnapshot();
	ClvMapVersion version;

	version.xmin = snapshot->xmin;
	version.xmax = snapshot->xmax;
	version.running = snapshot->xcnt;
	version.subrunning = snapshot->suboverflowed ? -1 : snapshot->subxcnt;
	version.command = snapshot->curcid;
	return version;
}

/* ---- the table ---- */

/* The columns that are read, in the order of the fields of MapRow. */
static const struct
{
	const char *name;
	Oid type;
} map_column[] = {
	{"map", TEXTOID},   {"position", INT4OID}, {"segment", TEXTOID},
	{"rule", JSONBOID}, {"builtin", BOOLOID},
};

#define MAP_COLUMNS lengthof(map_column)

/*
 * clv_segment_map, open and checked. It is read row by row, not by a statement:
 * so no other code (a view, a policy, an operator) can run with the rights of the
 * caller, whatever object has the name of the table.
 */
typedef struct MapTable
{
	Relation relation;
	AttrNumber column[MAP_COLUMNS];
} MapTable;

/* A row of clv_segment_map. */
typedef struct MapRow
{
	text *map;
	int position;
	text *segment;
	Jsonb *rule;
	bool builtin;
} MapRow;

/* Raises the error of a table that differs from the one that the extension created; detail says in
 * what. */
static pg_attribute_noreturn() void NotAsMade(Relation relation, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" differs from the one that the extension created",
					RelationGetRelationName(relation)),
			 errdetail_internal("%s", detail),
			 errhint("No maps are read from it. Save the rows that you want to keep, drop the "
					 "extension clv and create it again.")));
}

/* The number of a column with exactly the type it was created with; an error where there is none.
 */
static AttrNumber
FindColumn(Relation relation, const char *name, Oid type)
{
	TupleDesc desc = RelationGetDescr(relation);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (column->attisdropped || strcmp(NameStr(column->attname), name) != 0)
			continue;
		if (column->atttypid != type)
			NotAsMade(relation, psprintf("Column \"%s\" is of type %s, not %s.", name,
										 format_type_be(column->atttypid), format_type_be(type)));
		return column->attnum;
	}
	NotAsMade(relation, psprintf("It has no column \"%s\".", name));
}

/* Checks that the table is one that only a superuser can have created, before any row is used. */
static void
CheckTable(MapTable *table)
{
	Relation relation = table->relation;
	Form_pg_class form = relation->rd_rel;

	if (form->relkind != RELKIND_RELATION)
		NotAsMade(relation, "It is not an ordinary table.");
	if (!superuser_arg(form->relowner))
		NotAsMade(relation, psprintf("Its owner \"%s\" is not a superuser.",
									 GetUserNameFromId(form->relowner, true)));
	if (form->relrowsecurity || form->relhasrules)
		NotAsMade(relation, "It has row level security, or rules.");
	for (int i = 0; i < (int) MAP_COLUMNS; i++)
		table->column[i] = FindColumn(relation, map_column[i].name, map_column[i].type);
}

/* Opens the table in the schema of the function's extension; an error where the user may not read
 * it. */
static void
OpenTable(MapTable *table, Oid function)
{
	Oid schema = clv_extension_schema(function);
	Oid oid = get_relname_relid("clv_segment_map", schema);

	table->relation = OidIsValid(oid) ? try_relation_open(oid, AccessShareLock) : NULL;
	if (table->relation == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("table \"clv_segment_map\" does not exist in schema \"%s\"",
							   get_namespace_name(schema)),
						errhint("Drop the extension clv and create it again.")));
	if (pg_class_aclcheck(oid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(table->relation));
	CheckTable(table);
}

/* A row of the table, copied into the current memory context; an error where a column that cannot
 * be NULL is. */
static MapRow
ReadRow(const MapTable *table, HeapTuple tuple)
{
	Datum value[MAP_COLUMNS];
	MapRow row;

	for (int i = 0; i < (int) MAP_COLUMNS; i++)
	{
		bool isnull;

		value[i] =
			heap_getattr(tuple, table->column[i], RelationGetDescr(table->relation), &isnull);
		if (isnull)
			NotAsMade(table->relation,
					  psprintf("Column \"%s\" is NULL in one of its rows.", map_column[i].name));
	}
	row.map = DatumGetTextPCopy(value[0]);
	row.position = DatumGetInt32(value[1]);
	row.segment = DatumGetTextPCopy(value[2]);
	row.rule = DatumGetJsonbPCopy(value[3]);
	row.builtin = DatumGetBool(value[4]);
	return row;
}

/* ---- a map by name ---- */

/* The order of a map's rules: the user's own before shipped ones, then by position. */
static int
CompareRows(const ListCell *a, const ListCell *b)
{
	const MapRow *x = lfirst(a);
	const MapRow *y = lfirst(b);

	if (x->builtin != y->builtin)
		return x->builtin ? 1 : -1;
	return (x->position > y->position) - (x->position < y->position);
}

/* The order of names, byte by byte. */
static int
CompareNames(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* The rows of one map, or of all where map is NULL. */
static List *
ReadRows(const MapTable *table, const text *map)
{
	List *rows = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	if (map != NULL)
		ScanKeyEntryInitialize(&key, 0, table->column[0], InvalidStrategy, InvalidOid,
							   C_COLLATION_OID, F_TEXTEQ, PointerGetDatum(map));
	scan = systable_beginscan(table->relation, InvalidOid, false, GetActiveSnapshot(), map != NULL,
							  &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		MapRow *row = palloc(sizeof(MapRow));

		CHECK_FOR_INTERRUPTS();
		*row = ReadRow(table, tuple);
		rows = lappend(rows, row);
	}
	systable_endscan(scan);
	return rows;
}

/* Raises the error of a map that does not exist, with a list of those that do. */
static pg_attribute_noreturn() void UnknownMap(const char *name, const MapTable *table)
{
	const char *schema =
		quote_identifier(get_namespace_name(RelationGetNamespace(table->relation)));
	List *names = NIL;
	const char *before = NULL;
	StringInfoData known;
	ListCell *cell;

	foreach (cell, ReadRows(table, NULL))
		names = lappend(names, text_to_cstring(((MapRow *) lfirst(cell))->map));
	list_sort(names, CompareNames);
	initStringInfo(&known);
	foreach (cell, names)
	{
		if (before == NULL || strcmp(before, lfirst(cell)) != 0)
			appendStringInfo(&known, "%s%s", before == NULL ? "" : ", ", (char *) lfirst(cell));
		before = lfirst(cell);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("segment map \"%s\" does not exist", name),
			 errdetail("Known maps are: %s.", names == NIL ? "none" : known.data),
			 errhint("Insert your own rules into %s.clv_segment_map, or give a JSON rule "
					 "list that starts with [.",
					 schema)));
}

/*
 * The rows of a map by name, in the order of their rules; the user's own map has precedence over a
 * shipped one of the same name.
 */
static List *
NamedRows(const text *map, Oid function)
{
	MapTable table;
	List *rows;
	List *chosen = NIL;
	ListCell *cell;

	OpenTable(&table, function);
	rows = ReadRows(&table, map);
	if (rows == NIL)
		UnknownMap(text_to_cstring(map), &table);
	list_sort(rows, CompareRows);
	foreach (cell, rows)
		if (((const MapRow *) lfirst(cell))->builtin == ((const MapRow *) linitial(rows))->builtin)
			chosen = lappend(chosen, lfirst(cell));
	relation_close(table.relation, AccessShareLock);
	return chosen;
}

/* Reads a map by name. */
static ClvRules *
ReadNamed(const text *map, Oid function)
{
	ClvRules *rules = clv_rules_create(psprintf("segment map \"%s\"", text_to_cstring(map)));
	List *rows = NamedRows(map, function);
	ListCell *cell;

	rules->shipped = ((const MapRow *) linitial(rows))->builtin;
	foreach (cell, rows)
	{
		const MapRow *row = lfirst(cell);

		clv_rules_add(rules, row->position, text_to_cstring(row->segment), &row->rule->root);
	}
	return rules;
}

ClvRules *
clv_map_read(const text *map, Oid function)
{
	Datum json;

	if (!clv_map_is_list(map))
		return ReadNamed(map, function);
	json = DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(map)));
	return clv_rules_from_json(DatumGetJsonbP(json));
}

/* Appends a row as a rule of a list: its JSON object, with the segment as one more member. */
static void
AppendRule(StringInfo list, const MapRow *row)
{
	char *rule = JsonbToCString(NULL, &row->rule->root, VARSIZE(row->rule));

	appendStringInfoString(list, "{\"segment\": ");
	escape_json(list, text_to_cstring(row->segment));
	/* what follows the brace: members, or the end */
	appendStringInfo(list, "%s%s", rule[1] == '}' ? "" : ", ", rule + 1);
}

/* clv_segment_rules(map) -> text: the rules of a map as a list; a list as it is. */
PG_FUNCTION_INFO_V1(clv_segment_rules);
Datum
clv_segment_rules(PG_FUNCTION_ARGS)
{
	text *map = PG_GETARG_TEXT_PP(0);
	const char *before = "[";
	StringInfoData list;
	ListCell *cell;

	if (clv_map_is_list(map))
		PG_RETURN_TEXT_P(map);
	initStringInfo(&list);
	foreach (cell, NamedRows(map, fcinfo->flinfo->fn_oid))
	{
		appendStringInfoString(&list, before);
		AppendRule(&list, lfirst(cell));
		before = ",\n ";
	}
	appendStringInfoChar(&list, ']');
	PG_RETURN_TEXT_P(cstring_to_text_with_len(list.data, list.len));
}
