/*
 * input.c
 *		Errors of input functions, raised or reported.
 *
 * From PostgreSQL 16 on pg_input_is_valid(), and from 17 on COPY with ON_ERROR, ask an
 * input function to report what is wrong with a text instead of raising it. Our parsers
 * raise, from many places: dates, numbers, JSON, options, models and their checks, which
 * serve other functions too. So the error is taken here and becomes the report.
 *
 * In general an error can be taken only with a subtransaction around. Here there is nothing
 * that one would have to undo: a parser takes memory, which is its caller's, and holds no
 * lock, buffer, snapshot or entry of a cache. What goes wrong for other reasons than the
 * text (a cancel, no memory, a mistake of ours) is raised all the same.
 */
#include "common/input.h"

#include "utils/memutils.h"

/* Whether an error is about the text: a data exception, or a value beyond what a type can hold. */
static bool
IsAboutText(int sqlstate)
{
	return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_DATA_EXCEPTION ||
		   sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
}

Datum
clv_input(FunctionCallInfo fcinfo, Datum (*parse)(const char *text))
{
	const char *text = PG_GETARG_CSTRING(0);
	MemoryContext caller = CurrentMemoryContext;
	volatile Datum value = (Datum) 0;
	ErrorData *volatile error = NULL;

	if (!clv_wants_report(fcinfo))
		return parse(text);
	PG_TRY();
	{
		value = parse(text);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		if (!IsAboutText(error->sqlerrcode))
			PG_RE_THROW();
		FlushErrorState();
	}
	PG_END_TRY();
	if (error != NULL)
		errsave(fcinfo->context,
				(errcode(error->sqlerrcode), errmsg_internal("%s", error->message),
				 error->detail == NULL ? 0 : errdetail_internal("%s", error->detail),
				 error->hint == NULL ? 0 : errhint("%s", error->hint)));
	return value;
}
