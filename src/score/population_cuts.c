/*
 * population_cuts.c
 *		The aggregates clv_population(history, as_of [, model [, bins]]) and
 *		rfmtc_cuts(population).
 */
#include "score/cuts.h"
#include "score/population_value.h"

#include <math.h>

/*
 * Transition of clv_population(history, as_of [, model [, bins]]): counts a customer, or one who
 * does not exist yet as skipped; NULL histories are ignored.
 */
PG_FUNCTION_INFO_V1(clv_population_add_history);
Datum
clv_population_add_history(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_state_context(fcinfo);
	ClvPopulationValue *population;
	ClvHistory *history;
	double value[CLV_MEASURES];

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	if (PG_ARGISNULL(0))
	{
		population = clv_population_create(context);
		clv_cuts_rows_open(fcinfo, &population->rows);
	}
	else
	{
		population = clv_population_writable(PG_GETARG_DATUM(0), context);
		clv_cuts_rows_check(fcinfo, &population->rows);
	}
	history = PG_GETARG_CLV_HISTORY_P(1);
	if (clv_cuts_rows_measure(&population->rows, history, value))
	{
		population->customers++;
		for (int i = 0; i < clv_population_measures(population); i++)
			clv_counted_add(&population->measure[i], value[i], 1);
	}
	else
		population->skipped++;
	PG_FREE_IF_COPY(history, 1);
	PG_RETURN_DATUM(EOHPGetRWDatum(&population->hdr));
}

/*
 * clv_population_merge(clv_population, clv_population) -> clv_population: the customers of both, or
 * of the one that is not NULL; an error where day, model or bins differ.
 */
PG_FUNCTION_INFO_V1(clv_population_merge);
Datum
clv_population_merge(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_state_context(fcinfo);
	const ClvPopulationValue *other;
	ClvPopulationValue *population;

	if (PG_ARGISNULL(1))
		return clv_same_state(fcinfo);
	other = clv_population_view(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
		population = clv_population_copy(other, context);
	else
	{
		population = clv_population_writable(PG_GETARG_DATUM(0), context);
		clv_population_merge_value(population, other);
	}
	PG_RETURN_DATUM(EOHPGetRWDatum(&population->hdr));
}

/* clv_population_cuts(clv_population) -> clv_cuts: the cut points; NULL where no customer existed.
 */
PG_FUNCTION_INFO_V1(clv_population_cuts);
Datum
clv_population_cuts(PG_FUNCTION_ARGS)
{
	const ClvPopulationValue *population;
	ClvCutsParts parts;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	population = clv_population_view(PG_GETARG_DATUM(0));
	if (population->customers == 0)
		PG_RETURN_NULL();
	memset(&parts, 0, sizeof(parts));
	parts.has_as_of = true;
	parts.as_of = population->rows.as_of;
	parts.customers = population->customers;
	parts.skipped = population->skipped;
	parts.model = population->rows.model;
	for (int i = 0; i < clv_population_measures(population); i++)
	{
		parts.points.bins[i] = population->rows.bins;
		clv_counted_cut(&population->measure[i], population->rows.bins, parts.points.cut[i]);
	}
	PG_RETURN_CLV_CUTS_P(clv_cuts_pack(&parts));
}
