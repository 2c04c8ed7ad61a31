/*
 * histories_rows.c
 *		The two steps of clv_histories: rows are put aside by the hash of their
 *		customer, and histories are made a partition at a time.
 */
#include "clv.h"

#include "history/histories_private.h"
#include "history/state.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

/* A row put aside. Behind its key comes the text of an amount that is too large for units. */
typedef struct Row
{
	ClvRecord record;
	int64 units;
	DateADT day;
	int8 scale;
	bool timed : 1; /* the time is known */
	bool known : 1; /* the amount is known */
	bool bought : 1;
	bool wide : 1; /* the amount is a text */
	ClvKey key;
} Row;

/* ---- rows, as they come ---- */

/* Put a row aside. amount: NULL where it is not known. */
static void
PutRow(ClvPartitions *partitions, const ClvQueryColumns *columns, const Datum *values,
	   const bool *nulls, const ClvDecimal *amount)
{
	const ClvKeyType *type = &columns->key;
	Size size = add_size(offsetof(Row, key), clv_key_size(type, values, nulls));
	Size text_size = amount != NULL && amount->text != NULL ? strlen(amount->text) + 1 : 0;
	Size whole = add_size(size, text_size);
	bool timed = !nulls[type->columns];
	DateADT day = timed ? columns->day(values[type->columns]) : 0;
	Row *row;

	StaticAssertStmt(offsetof(Row, key) == MAXALIGN(offsetof(Row, key)), "the key is aligned");
	if (whole > CLV_MAX_RECORD_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("columns that identify a customer are too large: %zu bytes", whole),
				 errdetail("The columns before the time must be smaller than %zu bytes together.",
						   (Size) CLV_MAX_RECORD_SIZE),
				 errhint("Use a hash of them, such as md5(column).")));
	row = (Row *) clv_partitions_add(partitions, clv_key_hash(type, values, nulls), whole);
	/* gaps between the fields too, as rows may go to a file */
	memset(&row->units, 0, offsetof(Row, key) - offsetof(Row, units));
	row->units = amount != NULL ? amount->units : 0;
	row->day = day;
	row->scale = amount != NULL ? amount->scale : 0;
	row->timed = timed;
	row->known = amount != NULL;
	row->bought = amount == NULL || !amount->negative;
	row->wide = text_size > 0;
	clv_key_write(type, values, nulls, &row->key);
	if (row->wide)
		memcpy((char *) row + size, amount->text, text_size);
}

void
clv_histories_put(ClvPartitions *partitions, const ClvQueryColumns *columns, TupleTableSlot *row,
				  MemoryContext scratch)
{
	int keys = columns->key.columns;
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	Datum values[CLV_MAX_KEY_COLUMNS + 1];
	ClvDecimal decimal;
	bool known;

	slot_getallattrs(row);
	for (int i = 0; i <= keys; i++)
	{
		values[i] = row->tts_values[i];
		if (i < keys && columns->key.column[i].length == -1 && !row->tts_isnull[i])
			values[i] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(values[i]));
	}
	/* the amount of a row that is skipped is not looked at */
	known = columns->amount != NULL && !row->tts_isnull[keys] && !row->tts_isnull[keys + 1];
	if (known)
		columns->amount(row->tts_values[keys + 1], &decimal);
	PutRow(partitions, columns, values, row->tts_isnull, known ? &decimal : NULL);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(scratch);
}

/* ---- histories, a partition at a time ---- */

/* An entry of the hash table of one partition: a customer and the history in the making. */
typedef struct Customer
{
	const Row *row;         /* the one of its rows whose key is first */
	ClvHistoryState *state; /* NULL: not one has a time */
	uint32 hash;
	char status;
} Customer;

#define SH_PREFIX customers
#define SH_ELEMENT_TYPE Customer
#define SH_KEY_TYPE const Row *
#define SH_KEY row
#define SH_HASH_KEY(table, row) ((row)->record.hash)
#define SH_EQUAL(table, row, other)                                                                \
	clv_key_equal((const ClvKeyType *) (table)->private_data, &(row)->key, &(other)->key)
#define SH_STORE_HASH
#define SH_GET_HASH(table, customer) ((customer)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct ClvMaking
{
	ClvPartitions *partitions;
	ClvQueryColumns *columns;
	int32 occasion;
	MemoryContext context;     /* of one partition */
	customers_hash *customers; /* of it; NULL: none is being read */
	customers_iterator iterator;
};

/* Add a row to the history of its customer; a row without a time only makes the customer known. */
static void
AddRow(void *arg, const ClvRecord *record)
{
	const ClvMaking *making = arg;
	const Row *row = (const Row *) record;
	ClvDecimal amount;
	Customer *customer;
	bool found;

	customer = customers_insert(making->customers, row, &found);
	if (!found)
		customer->state = NULL;
	else if (clv_key_before(&row->key, &customer->row->key))
		customer->row = row;
	if (!row->timed)
		return;
	if (customer->state == NULL)
		customer->state = clv_state_new(CurrentMemoryContext, making->occasion);
	amount.units = row->units;
	amount.scale = row->scale;
	amount.text = row->wide ? (char *) row->key.bytes + row->key.size : NULL;
	amount.negative = !row->bought;
	customer->state = clv_state_add(customer->state, row->day, row->bought, !row->known,
									row->known ? &amount : NULL);
}

/* Make the states of the next partition; false after the last. */
static bool
NextPartition(ClvMaking *making)
{
	int partition = clv_partitions_next(making->partitions);

	making->customers = NULL;
	MemoryContextReset(making->context);
	if (partition < 0)
		return false;
	making->customers = customers_create(making->context, 1024, &making->columns->key);
	clv_partitions_read(making->partitions, partition, AddRow, making);
	customers_start_iterate(making->customers, &making->iterator);
	return true;
}

ClvMaking *
clv_making_new(ClvPartitions *partitions, ClvQueryColumns *columns, int32 occasion)
{
	ClvMaking *making = palloc0(sizeof(ClvMaking));

	making->partitions = partitions;
	making->columns = columns;
	making->occasion = occasion;
	making->context = AllocSetContextCreate(CurrentMemoryContext, "clv_histories partition",
											ALLOCSET_DEFAULT_SIZES);
	return making;
}

bool
clv_making_next(ClvMaking *making, Datum *values, bool *nulls)
{
	const ClvKeyType *key = &making->columns->key;
	MemoryContext caller = MemoryContextSwitchTo(making->context);
	Customer *customer = NULL;

	CHECK_FOR_INTERRUPTS();
	if (making->customers != NULL)
		customer = customers_iterate(making->customers, &making->iterator);
	while (customer == NULL && NextPartition(making))
		customer = customers_iterate(making->customers, &making->iterator);
	if (customer != NULL)
	{
		clv_key_read(key, &customer->row->key, values, nulls);
		nulls[key->columns] = customer->state == NULL;
		values[key->columns] =
			customer->state == NULL ? 0 : PointerGetDatum(clv_state_finish(customer->state));
	}
	MemoryContextSwitchTo(caller);
	return customer != NULL;
}
