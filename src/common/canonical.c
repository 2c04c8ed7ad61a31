/*
 * canonical.c
 *		Functions of the types with canonical stored bytes.
 */
#include "common/canonical.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"

int
clv_canonical_compare(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);
	Size a_size = VARSIZE_ANY_EXHDR(a);
	Size b_size = VARSIZE_ANY_EXHDR(b);
	int order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(a_size, b_size));

	if (order == 0)
		order = (a_size > b_size) - (a_size < b_size);
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order < 0 ? -1 : order > 0;
}

/* The hash of a value's bytes, for hash joins and GROUP BY. */
Datum
clv_canonical_hash(FunctionCallInfo fcinfo)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	Datum hash = hash_any((const unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));

	PG_FREE_IF_COPY(value, 0);
	return hash;
}

/* The 64-bit hash of a value's bytes under a seed, for hash partitions. */
Datum
clv_canonical_hash_extended(FunctionCallInfo fcinfo)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	Datum hash = hash_any_extended((const unsigned char *) VARDATA_ANY(value),
								   VARSIZE_ANY_EXHDR(value), PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(value, 0);
	return hash;
}

void
clv_canonical_check(const void *value, const char *data, Size size, const char *type)
{
	if (VARSIZE_ANY_EXHDR(value) != size || memcmp(VARDATA_ANY(value), data, size) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("the bytes of a %s are not in canonical form", type)));
}

Datum
clv_canonical_send(FunctionCallInfo fcinfo)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbytes(&out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_FREE_IF_COPY(value, 0);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}
