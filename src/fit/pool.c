/*
 * pool.c
 *		The aggregate clv_pool: what fitted models of groups have in common, as a prior.
 *
 * The estimates of a group become those of the unit-free quantities of the family, and their
 * covariance follows by the delta method; the mean and the covariance between groups are those of
 * math/pooling.c. A group whose fit says nothing counts, and weighs nothing. The prior of a group
 * is as wide as the groups differ and the mean is uncertain; so it never has a width of 0.
 *
 * Effects of covariates are pooled one by one.
 */
#include "fit/fit_private.h"

#include <math.h>

#include "math/pooling.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#define AGGREGATE "clv_pool()"
#define STATE_TAG 0x706F6F6C
#define FIRST_CAPACITY 8

/* The widths that a prior may have, as options read them. */
#define LEAST_SD 1e-6
#define MOST_SD 1e6

/* Leaves every matrix of correlations clearly positive definite, rounding included. */
#define SHRINK (1 - 1e-9)

StaticAssertDecl(CLV_MAX_PARAMS <= CLV_POOLING_MAX, "every parameter must have its place");

/* The groups of one process. */
typedef struct PoolPart
{
	const ClvFamily *family; /* NULL: no model has had this part */
	double unit_days;
	int64 groups;
	int64 used;
	int64 capacity;
	ClvPoolingGroup *group; /* those used */
	int ncovariates;
	char covariate[CLV_MAX_COVARIATES][NAMEDATALEN];
	bool idle[CLV_MAX_EFFECTS]; /* not estimated in every group */
	double *effect;             /* of those used, estimate and variance of each effect */
} PoolPart;

/* The models so far. */
typedef struct PoolState
{
	uint32 tag; /* STATE_TAG */
	int64 skipped;
	PoolPart purchase;
	PoolPart spend;
} PoolState;

/* The poll of the search: checks for interrupts. */
static void
Poll(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

/* ---- a model ---- */

/* Raises the error of models that cannot be pooled. */
static pg_attribute_noreturn() void CannotPool(const char *detail, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("cannot pool the models"),
					errdetail("%s", detail), hint == NULL ? 0 : errhint("%s", hint)));
}

/* An error unless the part goes with those before it. */
static void
CheckAlike(const PoolPart *pool, const ClvModelPart *part, double unit_days)
{
	bool same = pool->ncovariates == part->ncovariates;

	if (pool->family != part->family)
		CannotPool(
			psprintf("One is of family \"%s\", another of family \"%s\".", pool->family->name,
					 part->family->name),
			"Fit all groups with the same model, not 'auto', or pool each family by itself.");
	if (part->family->process != CLV_SPEND && part->family->clock != CLV_CONTINUOUS &&
		pool->unit_days != unit_days)
		CannotPool(psprintf("Their periods have %g and %g days.", pool->unit_days, unit_days),
				   "Fit all groups with the same time_unit: a family of discrete time depends on "
				   "it.");
	for (int i = 0; same && i < part->ncovariates; i++)
		same = strcmp(pool->covariate[i], part->covariate[i]) == 0;
	if (!same)
		CannotPool("They have different covariates.",
				   "Fit all groups with the same covariates, calendar, season and trend.");
}

/* An error where a model has no estimates of its own. */
static void
CheckFitted(const ClvModelPart *part)
{
	if (!part->fitted)
		CannotPool(psprintf("A model \"%s\" was written by hand.", part->family->name),
				   "Pool models that clv_fit has fitted.");
	if (part->prior != 0)
		CannotPool(psprintf("A model \"%s\" was fitted with a prior.", part->family->name),
				   "Pool models that were fitted without: the prior would count once a group.");
}

/* Starts the part of a process with its first model. */
static void
StartPart(PoolPart *pool, const ClvModelPart *part, double unit_days)
{
	if (clv_unit_free_count(part->family) == 0)
		CannotPool(psprintf("A pool is not supported by model \"%s\".", part->family->name), NULL);
	pool->family = part->family;
	pool->unit_days = unit_days;
	pool->ncovariates = part->ncovariates;
	memcpy(pool->covariate, part->covariate, sizeof(pool->covariate));
}

/*
 * Sets *group to the unit-free estimates of the part; false where its fit says nothing of them: it
 * did not converge, or has no covariance, or is where they do not exist.
 */
static bool
MakeGroup(const ClvModelPart *part, double unit_days, ClvPoolingGroup *group)
{
	int n = clv_unit_free_count(part->family);
	int nparams = part->family->nparams;
	ClvUnitFreeAt at;
	ClvCholesky chol;

	if (!part->converged || !part->has_covariance)
		return false;
	memset(group, 0, sizeof(*group));
	clv_unit_free(part->family, CLV_DAYS_PER_YEAR / unit_days, part->param, &at);
	for (int k = 0; k < n; k++)
	{
		if (!isfinite(at.value[k]))
			return false;
		group->value[k] = at.value[k];
		for (int l = 0; l <= k; l++)
			for (int i = 0; i < nparams; i++)
				for (int j = 0; j < nparams; j++)
					group->error[CLV_AT(k, l)] +=
						at.gradient[k][i] * at.gradient[l][j] *
						part->covariance[i > j ? CLV_AT(i, j) : CLV_AT(j, i)];
	}
	return clv_cholesky(n, group->error, &chol);
}

/* Makes room for one more group. */
static void
Grow(PoolPart *pool, MemoryContext context)
{
	int64 capacity = Max(2 * pool->capacity, FIRST_CAPACITY);
	Size effects = (Size) 4 * pool->ncovariates * sizeof(double);

	if (pool->used < pool->capacity)
		return;
	if (pool->capacity == 0)
	{
		pool->group = MemoryContextAllocHuge(context, capacity * sizeof(ClvPoolingGroup));
		pool->effect = MemoryContextAllocHuge(context, capacity * effects + 1);
	}
	else
	{
		pool->group = repalloc_huge(pool->group, capacity * sizeof(ClvPoolingGroup));
		pool->effect = repalloc_huge(pool->effect, capacity * effects + 1);
	}
	pool->capacity = capacity;
}

/* Adds a part of a model. */
static void
AddPart(PoolPart *pool, const ClvModelPart *part, double unit_days, MemoryContext context)
{
	int neffects = 2 * part->ncovariates;
	ClvPoolingGroup group;
	double *effect;

	if (part->family == NULL)
		return;
	CheckFitted(part);
	if (pool->family == NULL)
		StartPart(pool, part, unit_days);
	CheckAlike(pool, part, unit_days);
	pool->groups++;
	if (!MakeGroup(part, unit_days, &group))
		return;
	Grow(pool, context);
	effect = pool->effect + pool->used * 2 * neffects;
	for (int i = 0; i < neffects; i++)
	{
		int row = part->family->nparams + i;

		effect[2 * i] = part->effect[i];
		effect[2 * i + 1] = part->covariance[CLV_AT(row, row)];
		pool->idle[i] |= !(effect[2 * i + 1] > 0);
	}
	pool->group[pool->used++] = group;
}

PG_FUNCTION_INFO_V1(clv_pool_add);

/* clv_pool_add(internal, clv_model) -> internal: takes a model into the state; NULL is counted */
Datum
clv_pool_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = clv_aggregate_context(fcinfo, AGGREGATE);
	PoolState *state = clv_state_argument(fcinfo, 0, STATE_TAG, AGGREGATE);
	ClvModel *fitted;

	if (state == NULL)
	{
		state = MemoryContextAllocZero(context, sizeof(PoolState));
		state->tag = STATE_TAG;
	}
	if (PG_ARGISNULL(1))
	{
		state->skipped++;
		PG_RETURN_POINTER(state);
	}
	fitted = palloc(sizeof(ClvModel));
	clv_model_unpack(PG_GETARG_CLV_MODEL_P(1), fitted);
	AddPart(&state->purchase, &fitted->purchase, fitted->unit_days, context);
	AddPart(&state->spend, &fitted->spend, fitted->unit_days, context);
	pfree(fitted);
	PG_RETURN_POINTER(state);
}

/* ---- the prior ---- */

/* The order of groups: by the first number that differs. */
static int
CompareGroups(const void *a, const void *b)
{
	const double *one = a;
	const double *other = b;

	for (Size i = 0; i < sizeof(ClvPoolingGroup) / sizeof(double); i++)
		if (one[i] != other[i])
			return one[i] < other[i] ? -1 : 1;
	return 0;
}

/* Appends what is known of a number: its mean, its width as a prior, and where that is from. */
static void
AppendNumber(StringInfo out, double mean, double between, double error)
{
	appendStringInfoString(out, ", \"mean\": ");
	clv_append_double(out, mean);
	appendStringInfoString(out, ", \"sd\": ");
	clv_append_double(out, Min(Max(sqrt(between + error), LEAST_SD), MOST_SD));
	appendStringInfoString(out, ", \"between\": ");
	clv_append_double(out, sqrt(between));
	appendStringInfoString(out, ", \"std_error\": ");
	clv_append_double(out, sqrt(error));
	appendStringInfoChar(out, '}');
}

/* Appends the parameters and their correlation, that of the prior. */
static void
AppendParameters(StringInfo out, const PoolPart *pool, const ClvPooling *pooled)
{
	int n = clv_unit_free_count(pool->family);
	double total[CLV_POOLING_TRIANGLE];

	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		total[i] = pooled->between[i] + pooled->error[i];
	appendStringInfoString(out, ", \"parameters\": [");
	for (int i = 0; i < n; i++)
	{
		appendStringInfo(out, "%s{\"name\": \"%s\"", i > 0 ? ", " : "",
						 pool->family->unit_free[i].name);
		AppendNumber(out, pooled->mean[i], pooled->between[CLV_AT(i, i)],
					 pooled->error[CLV_AT(i, i)]);
	}
	appendStringInfoString(out, "], \"correlation\": [");
	for (int i = 0; i < n; i++)
	{
		appendStringInfoString(out, i > 0 ? ", [" : "[");
		for (int j = 0; j < i; j++)
		{
			clv_append_double(out, SHRINK * total[CLV_AT(i, j)] /
									   sqrt(total[CLV_AT(i, i)] * total[CLV_AT(j, j)]));
			appendStringInfoString(out, ", ");
		}
		appendStringInfoString(out, "1]");
	}
	appendStringInfoChar(out, ']');
}

/* Pools one effect by itself. */
static void
PoolEffect(const PoolPart *pool, int effect, ClvPoll *poll, ClvPooling *pooled)
{
	ClvPoolingGroup *groups =
		MemoryContextAllocHuge(CurrentMemoryContext, pool->used * sizeof(ClvPoolingGroup));

	memset(groups, 0, pool->used * sizeof(ClvPoolingGroup));
	for (int64 g = 0; g < pool->used; g++)
	{
		const double *estimate = pool->effect + (g * 2 * pool->ncovariates + effect) * 2;

		groups[g].value[0] = estimate[0];
		groups[g].error[0] = estimate[1];
	}
	qsort(groups, pool->used, sizeof(ClvPoolingGroup), CompareGroups);
	clv_pooling_fit(1, groups, pool->used, poll, pooled);
	pfree(groups);
}

/* Appends the effects that were estimated in every group. */
static void
AppendEffects(StringInfo out, const PoolPart *pool, ClvPoll *poll)
{
	const char *before = ", \"effects\": [";

	for (int i = 0; i < 2 * pool->ncovariates; i++)
	{
		ClvPooling pooled;

		if (pool->idle[i])
			continue;
		PoolEffect(pool, i, poll, &pooled);
		appendStringInfo(out, "%s{\"name\": ", before);
		escape_json(out, pool->covariate[i % pool->ncovariates]);
		appendStringInfo(out, ", \"process\": \"%s\"",
						 i < pool->ncovariates ? "purchase" : "churn");
		AppendNumber(out, pooled.mean[0], pooled.between[0], pooled.error[0]);
		before = ", ";
	}
	if (before[2] == '\0')
		appendStringInfoChar(out, ']');
}

/* Appends the prior of one process, of which at least two groups have information. */
static void
AppendPart(StringInfo out, PoolPart *pool, const char *key)
{
	ClvPoll poll = {Poll, NULL, 0};
	ClvPooling pooled;
	ClvPoolingGroup *groups =
		MemoryContextAllocHuge(CurrentMemoryContext, pool->used * sizeof(ClvPoolingGroup));

	memcpy(groups, pool->group, pool->used * sizeof(ClvPoolingGroup));
	qsort(groups, pool->used, sizeof(ClvPoolingGroup), CompareGroups);
	clv_pooling_fit(clv_unit_free_count(pool->family), groups, pool->used, &poll, &pooled);
	pfree(groups);
	appendStringInfo(
		out, "\"%s\": {\"family\": \"%s\", \"groups\": " INT64_FORMAT ", \"used\": " INT64_FORMAT,
		key, pool->family->name, pool->groups, pool->used);
	AppendParameters(out, pool, &pooled);
	if (pool->family->process != CLV_SPEND) /* priors have no effects on spend */
		AppendEffects(out, pool, &poll);
	appendStringInfoString(out, "}, ");
}

/* Raises the error of models too few of which have information. */
static pg_attribute_noreturn() void RaiseTooFew(const PoolPart *pool)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
					errmsg("cannot pool the models: too few of them have information"),
					errdetail("Models of \"%s\": " INT64_FORMAT ", of which " INT64_FORMAT
							  " converged with a covariance; at least 2 are needed.",
							  pool->family->name, pool->groups, pool->used),
					errhint("Fit larger groups, or write the prior by hand.")));
}

PG_FUNCTION_INFO_V1(clv_pool_final);

/*
 * clv_pool_final(internal) -> jsonb: the prior, a part for each process that two models say
 * something of; NULL without a model
 */
Datum
clv_pool_final(PG_FUNCTION_ARGS)
{
	PoolState *state;
	StringInfoData out;
	bool purchase;
	bool spend;

	(void) clv_aggregate_context(fcinfo, AGGREGATE);
	state = clv_state_argument(fcinfo, 0, STATE_TAG, AGGREGATE);
	if (state == NULL || (state->purchase.family == NULL && state->spend.family == NULL))
		PG_RETURN_NULL();
	purchase = state->purchase.used > 1;
	spend = state->spend.used > 1;
	if (!purchase && (state->purchase.family != NULL || !spend))
		RaiseTooFew(state->purchase.family != NULL ? &state->purchase : &state->spend);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	if (purchase)
		AppendPart(&out, &state->purchase, "purchase");
	if (spend)
		AppendPart(&out, &state->spend, "spend");
	appendStringInfo(&out, "\"skipped\": " INT64_FORMAT "}", state->skipped);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}
