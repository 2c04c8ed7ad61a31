/*
 * errors.c
 *		Errors of functions in PL/pgSQL, as the caller is to read them.
 *
 * A refresh, a back-test or a quick look goes through many functions, each of
 * which would add its line to the error's context: noise to the caller
 * one of them. What went wrong inside the functions of a pipeline's owner is
 * kept in the table "run".
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "clv.h"

PG_FUNCTION_INFO_V1(clv_raise);

/* The conditions that are raised by name. */
static const struct
{
	const char *name;
	int code;
} conditions[] = {
	{"active_sql_transaction", ERRCODE_ACTIVE_SQL_TRANSACTION},
	{"cardinality_violation", ERRCODE_CARDINALITY_VIOLATION},
	{"data_exception", ERRCODE_DATA_EXCEPTION},
	{"datatype_mismatch", ERRCODE_DATATYPE_MISMATCH},
	{"duplicate_column", ERRCODE_DUPLICATE_COLUMN},
	{"duplicate_schema", ERRCODE_DUPLICATE_SCHEMA},
	{"feature_not_supported", ERRCODE_FEATURE_NOT_SUPPORTED},
	{"insufficient_privilege", ERRCODE_INSUFFICIENT_PRIVILEGE},
	{"invalid_name", ERRCODE_INVALID_NAME},
	{"invalid_parameter_value", ERRCODE_INVALID_PARAMETER_VALUE},
	{"invalid_table_definition", ERRCODE_INVALID_TABLE_DEFINITION},
	{"lock_not_available", ERRCODE_LOCK_NOT_AVAILABLE},
	{"no_data_found", ERRCODE_NO_DATA_FOUND},
	{"null_value_not_allowed", ERRCODE_NULL_VALUE_NOT_ALLOWED},
	{"numeric_value_out_of_range", ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE},
	{"object_in_use", ERRCODE_OBJECT_IN_USE},
	{"object_not_in_prerequisite_state", ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE},
	{"read_only_sql_transaction", ERRCODE_READ_ONLY_SQL_TRANSACTION},
	{"undefined_column", ERRCODE_UNDEFINED_COLUMN},
	{"undefined_object", ERRCODE_UNDEFINED_OBJECT},
	{"undefined_table", ERRCODE_UNDEFINED_TABLE},
	{"wrong_object_type", ERRCODE_WRONG_OBJECT_TYPE},
};

/* The code of a condition's name or of an SQLSTATE of five digits and capitals; else that of an
 * internal error. */
static int
ConditionCode(const char *text)
{
	for (size_t i = 0; i < lengthof(conditions); i++)
	{
		if (strcmp(text, conditions[i].name) == 0)
			return conditions[i].code;
	}
	/* "00000" would be a success, and class 00 is none of an error */
	if (strlen(text) == 5 && strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 &&
		strncmp(text, "00", 2) != 0)
		return MAKE_SQLSTATE(text[0], text[1], text[2], text[3], text[4]);
	return ERRCODE_INTERNAL_ERROR;
}

/* The text of an argument; NULL for NULL. */
static char *
TextArgument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* clv_raise(message, detail, hint, code): raises an error; NULL for a detail or hint that there is
 * not */
Datum
clv_raise(PG_FUNCTION_ARGS)
{
	char *message = TextArgument(fcinfo, 0);
	char *detail = TextArgument(fcinfo, 1);
	char *hint = TextArgument(fcinfo, 2);
	char *code = TextArgument(fcinfo, 3);

	/* the handler of the error restores its own context */
	(void) clv_hide_callers();
	ereport(ERROR, (errcode(code != NULL ? ConditionCode(code) : ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg_internal("%s", message != NULL ? message : "(no message)"),
					detail != NULL ? errdetail_internal("%s", detail) : 0,
					hint != NULL ? errhint("%s", hint) : 0));
	PG_RETURN_VOID();
}
