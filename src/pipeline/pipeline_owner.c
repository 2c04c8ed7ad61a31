/*
 * pipeline_owner.c
 *		Work done for the owner of a pipeline, on behalf of any caller.
 *
 * A refresh runs what the owner wrote: a filter, a view as source, the policies
 * of tables. SET ROLE alone would not contain that, because whatever runs can
 * say RESET ROLE and is its caller again, a superuser perhaps. So the statement
 * runs as functions of a materialized view do while it is refreshed: as the
 * owner, in a context in which roles cannot be changed, and with the settings it
 * has changed put back afterwards.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "clv.h"

PG_FUNCTION_INFO_V1(clv_pipeline_as_owner);

/* May the current user become this role? An error if not, or if there is no such role. */
static void
CheckMember(Oid owner)
{
	Oid user = GetUserId();

	/* a superuser is a member even of roles that do not exist */
	if (GetUserNameFromId(owner, true) == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("role with OID %u does not exist", owner)));
	if (!clv_may_set_role(user, owner))
		ereport(
			ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to work as role \"%s\"", GetUserNameFromId(owner, false)),
			 errdetail("Role \"%s\" is not a member of it.", GetUserNameFromId(user, false))));
}

/* The first column of the first row as text, allocated in the caller's memory; NULL where there is
 * none. */
static char *
Run(const char *statement)
{
	MemoryContext caller = CurrentMemoryContext;
	char *value = NULL;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(statement, false, 0) < 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot run \"%s\" for another role", statement)));
	if (SPI_processed > 0 && SPI_tuptable != NULL)
		value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (value != NULL)
		value = MemoryContextStrdup(caller, value);
	SPI_finish();
	return value;
}

/* clv_pipeline_as_owner(owner, statement) -> text: the first value of the statement, run as the
 * owner in a security-restricted context; an error where the caller is not a member of that role.
 */
Datum
clv_pipeline_as_owner(PG_FUNCTION_ARGS)
{
	Oid owner = PG_GETARG_OID(0);
	char *statement = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Oid user;
	int context;
	int settings;
	char *value;

	CheckMember(owner);
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(owner,
						   context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	settings = NewGUCNestLevel();
	value = Run(statement);
	/* an error instead puts both back with the transaction */
	AtEOXact_GUC(false, settings);
	SetUserIdAndSecContext(user, context);

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(value));
}
