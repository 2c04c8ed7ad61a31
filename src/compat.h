/*
 * compat.h
 *		The differences between PostgreSQL 14 and 19, in one place.
 *
 * This is the only file that looks at PG_VERSION_NUM. Each guard says which
 * version brought the change and why it matters here.
 */
#ifndef CLV_COMPAT_H
#define CLV_COMPAT_H

#if PG_VERSION_NUM < 140000
#error "clv needs PostgreSQL 14 or later"
#endif

/* 16 moved the varlena macros (VARDATA_ANY, SET_VARSIZE ...) out of postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 lets a module say its name and version in its magic block; the Makefile takes the version from
 * clv.control */
#if PG_VERSION_NUM >= 180000
#define CLV_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "clv", .version = CLV_VERSION)
#else
#define CLV_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/*
 * 15 brought InitMaterializedSRF. It is always called with MAT_SRF_USE_EXPECTED_DESC: looking
 * the row type up anew leaks memory until the query ends, at every call.
 */
#if PG_VERSION_NUM < 150000
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

#define MAT_SRF_USE_EXPECTED_DESC 0x01

/* Prepares a function that returns its set in a tuplestore; an error where the caller takes none.
 */
static inline void
InitMaterializedSRF(FunctionCallInfo fcinfo, bits32 flags)
{
	ReturnSetInfo *rows = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller;

	if (rows == NULL || !IsA(rows, ReturnSetInfo) || rows->expectedDesc == NULL ||
		(rows->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("a set of rows cannot be returned here")));
	caller = MemoryContextSwitchTo(rows->econtext->ecxt_per_query_memory);
	rows->returnMode = SFRM_Materialize;
	rows->setDesc = CreateTupleDescCopy(rows->expectedDesc);
	rows->setResult =
		tuplestore_begin_heap((rows->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
	MemoryContextSwitchTo(caller);
}
#endif

/* 15 made sets of files something that need not be shared */
#if PG_VERSION_NUM >= 150000
#define clv_shared_file_create(set, name) FileSetCreate(&(set)->fs, name)
#define clv_shared_file_open(set, name) FileSetOpen(&(set)->fs, name, O_RDONLY)
#else
#define clv_shared_file_create(set, name) SharedFileSetCreate(set, name)
#define clv_shared_file_open(set, name) SharedFileSetOpen(set, name, O_RDONLY)
#endif

/* 18 dropped the flag that a query is run once only, as it always is here */
#if PG_VERSION_NUM >= 180000
#define clv_executor_run(query) ExecutorRun(query, ForwardScanDirection, 0)
#else
#define clv_executor_run(query) ExecutorRun(query, ForwardScanDirection, 0, true)
#endif

/* 18 dropped pg_attribute_noreturn() for a word that may only come first in a declaration */
#if PG_VERSION_NUM >= 180000
#define pg_attribute_noreturn() __attribute__((noreturn))
#endif

/* 16 tells being a member of a role from being allowed to become it */
#if PG_VERSION_NUM >= 160000
#define clv_may_set_role(member, role) member_can_set_role(member, role)
#else
#define clv_may_set_role(member, role) is_member_of_role(member, role)
#endif

/* 16 lets the caller of an input function ask for a report of what is wrong, in place of an error
 */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#define clv_wants_report(fcinfo)                                                                   \
	((fcinfo)->context != NULL && IsA((fcinfo)->context, ErrorSaveContext))
#else
#define clv_wants_report(fcinfo) false
#define errsave(context, ...) ereport(ERROR, __VA_ARGS__)
#endif

#endif /* CLV_COMPAT_H */
