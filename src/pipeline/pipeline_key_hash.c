/*
 * pipeline_key_hash.c
 *		A hash of a customer's key, by which samples of customers are drawn.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "clv.h"

PG_FUNCTION_INFO_V1(clv_pipeline_key_hash);

/* How a call site hashes the columns of a key: by the type's own function, or else by its text. */
typedef struct KeyHash
{
	int columns;
	struct
	{
		FmgrInfo function;
		bool as_text;
	} of[FLEXIBLE_ARRAY_MEMBER];
} KeyHash;

/* What the call site keeps, made on the first call; an error where the types of the arguments are
 * not known. */
static KeyHash *
Site(FunctionCallInfo fcinfo)
{
	KeyHash *site = fcinfo->flinfo->fn_extra;

	if (site != NULL)
		return site;
	site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
								  offsetof(KeyHash, of) + PG_NARGS() * sizeof(site->of[0]));
	site->columns = PG_NARGS();
	for (int i = 0; i < site->columns; i++)
	{
		Oid type = get_fn_expr_argtype(fcinfo->flinfo, i);
		Oid function;
		bool varlena;

		if (!OidIsValid(type))
			ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_DATATYPE),
							errmsg("could not determine the type of column %d of the key", i + 1)));
		function = lookup_type_cache(type, TYPECACHE_HASH_EXTENDED_PROC)->hash_extended_proc;
		site->of[i].as_text = !OidIsValid(function);
		if (site->of[i].as_text)
			getTypeOutputInfo(type, &function, &varlena);
		fmgr_info_cxt(function, &site->of[i].function, fcinfo->flinfo->fn_mcxt);
	}
	fcinfo->flinfo->fn_extra = site;
	return site;
}

/* clv_pipeline_key_hash(VARIADIC "any") -> int8: a hash of the columns of a key; equal keys have
 * equal ones. A NULL counts as 0. */
Datum
clv_pipeline_key_hash(PG_FUNCTION_ARGS)
{
	KeyHash *site = Site(fcinfo);
	uint64 hash = 0;

	for (int i = 0; i < site->columns; i++)
	{
		uint64 one;

		if (PG_ARGISNULL(i))
			one = 0;
		else if (site->of[i].as_text)
		{
			char *text = OutputFunctionCall(&site->of[i].function, PG_GETARG_DATUM(i));

			one = DatumGetUInt64(hash_any_extended((unsigned char *) text, (int) strlen(text), 0));
			pfree(text);
		}
		else
			one = DatumGetUInt64(FunctionCall2Coll(&site->of[i].function, PG_GET_COLLATION(),
												   PG_GETARG_DATUM(i), UInt64GetDatum(0)));
		hash = i == 0 ? one : hash_combine64(hash, one);
	}
	PG_RETURN_INT64((int64) hash);
}
