/*
 * key.h
 *		The key of a customer: the values of one column or of several, as bytes that
 *		can be put aside, hashed and compared.
 */
#ifndef CLV_HISTORY_KEY_H
#define CLV_HISTORY_KEY_H

#include "clv.h"

/* Columns of a key: a bit of a word says which are NULL. */
#define CLV_MAX_KEY_COLUMNS 32

/* A column of a key: its type, and how values of it are hashed and compared. */
typedef struct ClvKeyColumn
{
	int16 length; /* as in pg_type */
	bool by_value;
	Oid collation;
	FmgrInfo *hash;
	FmgrInfo *equal;
} ClvKeyColumn;

/* The columns of a key. */
typedef struct ClvKeyType
{
	int columns;
	ClvKeyColumn column[CLV_MAX_KEY_COLUMNS];
} ClvKeyType;

/* The values of one customer that are not NULL, each from an aligned address on. */
typedef struct ClvKey
{
	uint32 nulls;
	uint32 size; /* of the bytes */
	char bytes[FLEXIBLE_ARRAY_MEMBER];
} ClvKey;

/* The next column; false where values of its type cannot be hashed. */
extern bool clv_key_add_column(ClvKeyType *type, Form_pg_attribute column);

/* Equal keys have equal hashes; NULL equals NULL. Values must be detoasted (packed is enough). */
extern uint32 clv_key_hash(const ClvKeyType *type, const Datum *values, const bool *nulls);

/* Whether two keys are equal as GROUP BY decides it; NULL equals NULL. */
extern bool clv_key_equal(const ClvKeyType *type, const ClvKey *key, const ClvKey *other);

/* An order of keys by their bytes: of equal ones that look otherwise (1.0 and 1.00), one is first
 * whatever the order of rows. */
extern bool clv_key_before(const ClvKey *key, const ClvKey *other);

/* Bytes that the values take as a ClvKey, and writing them there. */
extern Size clv_key_size(const ClvKeyType *type, const Datum *values, const bool *nulls);
extern void clv_key_write(const ClvKeyType *type, const Datum *values, const bool *nulls,
						  ClvKey *key);

/* The values again; those by reference point into the key. */
extern void clv_key_read(const ClvKeyType *type, const ClvKey *key, Datum *values, bool *nulls);

#endif /* CLV_HISTORY_KEY_H */
