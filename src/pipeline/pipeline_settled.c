/*
 * pipeline_settled.c
 *		Which rows no session can read any more.
 *
 * To drop a table is not undone for those whose snapshot is older, as a DELETE
 * is: they would find it empty. So what a run has left is dropped only where
 * VACUUM could remove it had it been deleted.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/transam.h"
#include "storage/procarray.h"
#include "utils/rel.h"

#include "clv.h"

PG_FUNCTION_INFO_V1(clv_pipeline_settled);

/* clv_pipeline_settled(relation, transaction) -> bool: whether no snapshot that may read the
 * relation is older than the end of the transaction; an error where there is no such relation. */
Datum
clv_pipeline_settled(PG_FUNCTION_ARGS)
{
	Relation relation = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
	TransactionId oldest;

	if (relation == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation with OID %u does not exist", PG_GETARG_OID(0))));
	oldest = GetOldestNonRemovableTransactionId(relation);
	relation_close(relation, AccessShareLock);
	PG_RETURN_BOOL(TransactionIdPrecedes(PG_GETARG_TRANSACTIONID(1), oldest));
}
