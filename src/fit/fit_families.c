/*
 * fit_families.c
 *		Which families can serve the customers that some options describe.
 */
#include "fit/fit_private.h"

#include "catalog/pg_type.h"
#include "families/clocks.h"
#include "families/registry.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Whether the family predicts purchases, and can take the covariates or the calendar. */
static bool
Serves(const ClvFamily *family, const ClvFitOptions *options)
{
	if (family->process != CLV_TRANSACTION)
		return false;
	if (clv_fit_follows(options) && family->clocked == NULL)
		return false;
	return options->ncovariates == 0 || clv_model_takes_effect(family, false);
}

PG_FUNCTION_INFO_V1(clv_fit_families);

/*
 * clv_fit_families(options, clock, requested) -> text[]: the families of purchases with that clock
 * that can be fitted with these options, whatever model those name, in the order of the registry.
 * Of those that 'auto' leaves out only the one requested.
 */
Datum
clv_fit_families(PG_FUNCTION_ARGS)
{
	ErrorContextCallback *stack = clv_hide_callers();
	char *clock = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char *requested = text_to_cstring(PG_GETARG_TEXT_PP(2));
	ClvParsedOptions parsed;
	const ClvFamily *family;
	List *found = NIL;
	Datum *names;
	ListCell *cell;
	int n = 0;

	clv_fit_options_parse(PG_GETARG_JSONB_P(0), NULL, &parsed);
	error_context_stack = stack;
	for (int i = 0; (family = clv_family_at(i)) != NULL; i++)
		if (Serves(family, &parsed.options) && strcmp(clv_clock_name(family->clock), clock) == 0 &&
			(!family->on_request || strcmp(family->name, requested) == 0))
			found = lappend(found, (void *) family->name);
	names = palloc((list_length(found) + 1) * sizeof(Datum));
	foreach (cell, found)
		names[n++] = CStringGetTextDatum((const char *) lfirst(cell));
	PG_RETURN_ARRAYTYPE_P(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}
