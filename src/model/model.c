/*
 * model.c
 *		The rules that a model must obey, and the model that a call site keeps unpacked.
 *
 * What means the same is brought into the same form (no -0, one NaN, no field of a part that is not
 * there), since equality, hashing and order work on the bytes (model_bytes.c).
 */
#include "model/model.h"

#include <float.h>
#include <math.h>

#include "common/arguments.h"
#include "families/clocks.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "model/model_private.h"

/* Rounding may leave a sound covariance this far, of its variances, from positive definite. */
#define PIVOT_TOLERANCE 1e-8

/* The largest standard deviation of a common shock, and by how much rounding may make a weighted
 * mean of correlations exceed 1. */
#define MOST_SHOCK 100
#define ROUNDING 1e-9

void
clv_model_init(ClvModel *fitted)
{
	memset(fitted, 0, sizeof(*fitted));
	fitted->purchase.log_likelihood = fitted->spend.log_likelihood = get_float8_nan();
	fitted->purchase.gradient_norm = fitted->spend.gradient_norm = get_float8_nan();
	fitted->frequency_spend_correlation = get_float8_nan();
	fitted->time_unit.day = 7;
	fitted->unit_days = 7;
	fitted->spend_basis = CLV_SPEND_REPEAT;
}

/* ---- what makes a model sound ---- */

/* One number of what is not finite, and no negative zero. */
static double
Canonical(double value)
{
	return isfinite(value) ? value + 0.0 : get_float8_nan();
}

/* Whether row and column i are nothing but zeros: a number that was not estimated. */
static bool
IsFixed(const double *triangle, int n, int i)
{
	for (int j = 0; j < n; j++)
		if (triangle[j <= i ? CLV_AT(i, j) : CLV_AT(j, i)] != 0)
			return false;
	return true;
}

/* Whether some parameters can have this covariance: it is positive definite but for rounding. */
static bool
IsCovariance(const double *triangle, int n)
{
	double moving[CLV_LINALG_MAX_TRIANGLE];
	ClvCholesky chol;
	int at[CLV_MAX_DIM];
	int m = 0;

	for (int i = 0; i < n; i++)
	{
		if (IsFixed(triangle, n, i))
			continue;
		at[m] = i;
		for (int j = 0; j <= m; j++)
			moving[CLV_AT(m, j)] = triangle[CLV_AT(i, at[j])];
		moving[CLV_AT(m, m)] *= 1 + PIVOT_TOLERANCE;
		m++;
	}
	return clv_cholesky(m, moving, &chol);
}

/* An error unless the number is not negative; what: its name. */
static void
CheckCount(const char *what, int64 count)
{
	if (count < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s of a model must not be negative: " INT64_FORMAT, what, count)));
}

/* The condition on a parameter, as an error states it: "be positive and finite". */
static char *
RangeText(const ClvFamily *family, int index)
{
	switch (family->transform[index])
	{
		case CLV_LOG:
			return "be positive and finite";
		case CLV_LOGIT:
			return "lie between 0 and 1";
		case CLV_ASINH:
			return "be finite";
		case CLV_FIXED:
			return psprintf("be a whole number from 1 to %g", family->most[index]);
	}
	return "be something else";
}

void
clv_model_check_parameter(const ClvFamily *family, int index, double value)
{
	if (clv_in_range(family, index, value))
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("parameter \"%s\" of \"%s\" must %s: %s", family->param_names[index],
						   family->name, RangeText(family, index), clv_number_text(value))));
}

/* An error with the limits of the last parameter unless it lies within those that the others set.
 */
static void
CheckLimits(const ClvFamily *family, const double *param)
{
	int last = family->nparams - 1;
	double low;
	double high;

	if (!clv_within_limits(family, param, &low, &high))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameter \"%s\" of \"%s\" is out of range: %s", family->param_names[last],
						family->name, clv_number_text(param[last])),
				 errdetail("With these other parameters it must lie between %.10g and %.10g.", low,
						   high)));
}

void
clv_model_check_parameters(const ClvFamily *family, const double *param)
{
	for (int i = 0; i < family->nparams; i++)
		clv_model_check_parameter(family, i, param[i]);
	CheckLimits(family, param);
}

bool
clv_model_takes_effect(const ClvFamily *family, bool churn)
{
	const signed char *effect = churn ? family->churn_effect : family->purchase_effect;

	for (int i = 0; i < family->nparams; i++)
		if (effect[i] != 0)
			return true;
	return false;
}

bool
clv_model_moves(const ClvModelPart *part, int effect)
{
	bool churn = effect >= part->ncovariates;

	if (effect % part->ncovariates >= clv_model_own_covariates(part))
		return !churn || part->family->clocked->law != NULL;
	return clv_model_takes_effect(part->family, churn);
}

const char *
clv_model_process(const ClvModelPart *part, int effect)
{
	if (part->family->process == CLV_SPEND)
		return "spend";
	return effect < part->ncovariates ? "purchase" : "churn";
}

int
clv_model_find_covariate(const ClvModelPart *part, const char *name)
{
	for (int i = 0; i < clv_model_own_covariates(part); i++)
		if (strcmp(part->covariate[i], name) == 0)
			return i;
	return -1;
}

bool
clv_model_is_idle(const ClvModelPart *part, int effect)
{
	int row = part->family->nparams + effect;

	return part->fitted && part->has_covariance && part->effect[effect] == 0 &&
		   part->covariance[CLV_AT(row, row)] == 0;
}

/* Whether effect i, on churn, was fitted as one number with that on purchases. */
static bool
IsTwin(const ClvModelPart *part, int i)
{
	int row = part->family->nparams + i;
	int other = row - part->ncovariates;
	const double *covariance = part->covariance;

	return i >= part->ncovariates && part->fitted && part->has_covariance &&
		   part->effect[i] == part->effect[i - part->ncovariates] &&
		   covariance[CLV_AT(row, row)] == covariance[CLV_AT(other, other)] &&
		   covariance[CLV_AT(row, row)] == covariance[CLV_AT(row, other)];
}

int
clv_model_freedom(const ClvModelPart *part)
{
	int freedom = part->family->nparams;

	for (int i = 0; i < 2 * part->ncovariates; i++)
		freedom += !IsTwin(part, i) && clv_model_moves(part, i) && !clv_model_is_idle(part, i);
	return freedom;
}

double
clv_model_aic(const ClvModelPart *part)
{
	return 2.0 * clv_model_freedom(part) - 2 * part->log_likelihood;
}

double
clv_model_bic(const ClvModelPart *part)
{
	if (part->customers <= 0)
		return get_float8_nan();
	return clv_model_freedom(part) * log((double) part->customers) - 2 * part->log_likelihood;
}

double
clv_model_shock_variance(const ClvModel *fitted, DateADT as_of, double days)
{
	double gap = fitted->has_as_of ? (double) as_of - fitted->as_of : 0;

	return clv_shock_variance(&fitted->shock, fmax(gap, 0) / CLV_SHOCK_DAYS, days / CLV_SHOCK_DAYS);
}

/* Names that can be told apart, finite centres, and finite effects where the family has them. */
static void
CheckCovariates(ClvModelPart *part)
{
	int n = part->ncovariates;

	if (n < 0 || n > CLV_MAX_COVARIATES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model cannot have %d covariates", n),
						errdetail("At most %d are possible.", CLV_MAX_COVARIATES)));
	if (clv_model_own_covariates(part) > 0 && !clv_model_takes_effect(part->family, false) &&
		!clv_model_takes_effect(part->family, true))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("covariates are not supported by model \"%s\"", part->family->name)));
	for (int i = 0; i < n; i++)
	{
		if (part->covariate[i][0] == '\0')
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("a covariate of a model must have a name")));
		for (int j = 0; j < i; j++)
			if (strcmp(part->covariate[i], part->covariate[j]) == 0)
				ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
								errmsg("a model has two covariates \"%s\"", part->covariate[i])));
	}
	for (int i = 0; i < n; i++)
	{
		if (!isfinite(part->centre[i]))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("centre of \"%s\" must be finite: %s", part->covariate[i],
								   clv_number_text(part->centre[i]))));
		part->centre[i] += 0.0;
	}
	for (int i = 0; i < 2 * n; i++)
	{
		double effect = part->effect[i];
		const char *process = clv_model_process(part, i);

		process = strcmp(process, "purchase") == 0 ? "purchases" : process;

		if (!isfinite(effect))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("effect of \"%s\" on %s must be finite: %s",
								   part->covariate[i % n], process, clv_number_text(effect))));
		if (effect != 0 && !clv_model_moves(part, i))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("covariates have no effect on %s under \"%s\"", process,
								   part->family->name)));
		part->effect[i] = effect + 0.0;
	}
}

/* The covariates of a path are among all, and the family can follow them. */
static void
CheckAwaited(const ClvModelPart *part)
{
	if (part->awaited < 0 || part->awaited > part->ncovariates)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a path of a model cannot have %d covariates", part->awaited),
						errdetail("The model has %d.", part->ncovariates)));
	if (part->awaited > 0 && part->family->clocked == NULL)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("a path is not supported by model \"%s\"", part->family->name)));
}

/* The last covariates are those of the calendar, in its order, and the family can follow one. */
static void
CheckCalendar(ClvModelPart *part)
{
	ClvCalendarParts calendar;
	int own;
	bool same;

	part->followed = 0;
	CheckAwaited(part);
	if (part->calendar == NULL)
		return;
	if (part->family->clocked == NULL)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("a calendar is not supported by model \"%s\"", part->family->name)));
	clv_calendar_unpack_value(part->calendar, &calendar);
	own = part->ncovariates - calendar.nnames;
	same = own >= part->awaited;
	for (int i = 0; same && i < calendar.nnames; i++)
		same = strcmp(calendar.name[i], part->covariate[own + i]) == 0;
	if (!same)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the last covariates of a model must be those of its calendar"),
						errhint("Give the effects of all covariates of the calendar, in its "
								"order, behind those of the customers.")));
	part->followed = calendar.nnames;
}

/* An error where the spend depends on a number that the vectors of the purchase part do not have.
 */
static void
CheckSpendCovariates(const ClvModel *fitted)
{
	const ClvModelPart *spend = &fitted->spend;

	for (int i = 0; fitted->purchase.family != NULL && i < spend->ncovariates; i++)
		if (clv_model_find_covariate(&fitted->purchase, spend->covariate[i]) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("spend depends on \"%s\", which is no covariate of the purchases",
							spend->covariate[i]),
					 errdetail("Customers of a model have one vector, in the order of the purchase "
							   "part."),
					 errhint("Give the purchase part all covariates, with effects of 0 where they "
							 "do not act.")));
}

/* Check what a part holds of the prior that it was fitted with. */
static void
CheckPrior(ClvModelPart *part)
{
	if (part->prior == 0)
		return;
	if (!part->fitted)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model that was not fitted has no prior")));
	part->effective = Canonical(part->effective);
	if (!(isfinite(part->prior_distance) && part->prior_distance >= 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("distance from a prior must be finite and not negative: %s",
							   clv_number_text(part->prior_distance))));
	if (part->effective < 0 || part->effective > clv_model_dimension(part))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("effective parameters of a model must lie between 0 and %d: %s",
							   clv_model_dimension(part), clv_number_text(part->effective))));
	part->prior_distance += 0.0;
	part->effective += 0.0;
}

/* Check limits of parameters by the profile, and bring them into their canonical form. */
static void
CheckProfile(ClvModelPart *part)
{
	const ClvFamily *family = part->family;

	if (part->profile == 0)
		return;
	if (!(part->fitted && part->profile > 0 && part->profile < 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						part->fitted ? errmsg("level of a profile must lie between 0 and 1: %s",
											  clv_number_text(part->profile))
									 : errmsg("a model that was not fitted has no profile")));
	for (int i = 0; i < clv_model_dimension(part); i++)
	{
		double value = i < family->nparams ? part->param[i] : part->effect[i - family->nparams];
		double *low = &part->profile_low[i];
		double *high = &part->profile_high[i];

		if (*low > value || *high < value)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("profile limits of \"%s\" must lie around its estimates", family->name),
					 errdetail("%s does not lie between %s and %s.", clv_number_text(value),
							   clv_number_text(*low), clv_number_text(*high))));
		*low = isnan(*low) ? get_float8_nan() : *low + 0.0;
		*high = isnan(*high) ? get_float8_nan() : *high + 0.0;
	}
}

/* Check a part, and bring it into its canonical form. */
static void
CheckPart(ClvModelPart *part, ClvProcess process)
{
	int n = part->family->nparams;

	if (part->family->process != process)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"%s\" is not a model of %s", part->family->name,
							   process == CLV_SPEND ? "spend" : "purchases")));
	clv_model_check_parameters(part->family, part->param);
	for (int i = 0; i < n; i++)
		part->param[i] += 0.0;
	CheckCalendar(part);
	CheckCovariates(part);
	n = clv_model_dimension(part);
	if (part->has_covariance)
	{
		if (!IsCovariance(part->covariance, n))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("covariance of \"%s\" must be finite and positive definite",
								   part->family->name)));
		for (int i = 0; i < CLV_TRIANGLE(n); i++)
			part->covariance[i] = Canonical(part->covariance[i]);
	}
	CheckCount("customers", part->customers);
	CheckCount("iterations", part->iterations);
	part->log_likelihood = Canonical(part->log_likelihood);
	part->gradient_norm = Canonical(part->gradient_norm);
	CheckPrior(part);
	CheckProfile(part);
}

/* Set the grace in days; an error where the model has none or it is negative. */
static void
CheckGrace(ClvModel *fitted)
{
	fitted->grace_days = clv_period_days("grace", &fitted->grace, true);
	if (fitted->grace_days > 0 &&
		(fitted->purchase.family == NULL || fitted->purchase.family->clock != CLV_RENEWALS))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("grace is supported by models of renewals only")));
}

/* Set how a model counts histories; an error where a model that does not has periods or returned
 * customers. */
static void
CheckCounting(ClvModel *fitted)
{
	const ClvFamily *family = fitted->purchase.family;
	bool discrete = family != NULL && family->clock != CLV_CONTINUOUS;

	memset(&fitted->counting, 0, sizeof(fitted->counting));
	if (discrete)
		clv_counting_init(&fitted->counting, &fitted->time_unit, fitted->periods, &fitted->grace);
	else if (fitted->periods != CLV_PERIODS_ANNIVERSARY)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("periods are supported by models of discrete time only"),
						errhint("Leave out periods.")));
	CheckCount("returned customers", fitted->returned);
	if (fitted->returned > 0 &&
		(!discrete || family->clock != CLV_RENEWALS || !fitted->purchase.fitted))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("returned customers are supported by fitted models of renewals only")));
}

/* An error unless a number of the shock lies from 0 to most. */
static void
CheckShockNumber(const char *name, double value, double most)
{
	if (!(value >= 0 && value <= most))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of a common shock is out of range: %s", name, clv_number_text(value)),
				 errhint("Take the shock as clv_shock() gives it.")));
}

/* Check the common shock, and bring it into its canonical form: one that is none is all zero. */
static void
CheckShock(ClvModel *fitted)
{
	ClvShock *shock = &fitted->shock;

	CheckShockNumber("sd", shock->sd, MOST_SHOCK);
	if (shock->sd == 0)
	{
		memset(shock, 0, sizeof(*shock));
		return;
	}
	if (fitted->purchase.family == NULL || fitted->purchase.family->clock != CLV_CONTINUOUS)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("a common shock needs a model of purchases in continuous time")));
	CheckShockNumber("weeks", shock->periods, CLV_SHOCK_MOST);
	CheckShockNumber("lasting", shock->lasting, 1);
	CheckShockNumber("correlation", shock->correlation, CLV_SHOCK_CORRELATION);
	CheckShockNumber("evidence", shock->evidence, DBL_MAX);
	CheckShockNumber("past", shock->past, 1 + ROUNDING);
	CheckShockNumber("link", shock->link, 1 + ROUNDING);
	shock->lasting += 0.0;
	shock->correlation += 0.0;
	shock->evidence += 0.0;
	shock->past += 0.0;
	shock->link += 0.0;
}

/* Check the candidates, and bring them into their canonical form. */
static void
CheckCandidates(ClvModel *fitted)
{
	if (fitted->ncandidates < 0 || fitted->ncandidates > CLV_MAX_CANDIDATES ||
		(fitted->ncandidates > 0 && fitted->purchase.family == NULL))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model cannot have %d candidates", fitted->ncandidates)));
	for (int i = 0; i < fitted->ncandidates; i++)
	{
		ClvCandidate *candidate = &fitted->candidate[i];

		if (candidate->family->process != CLV_TRANSACTION)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("\"%s\" is not a model of purchases", candidate->family->name)));
		candidate->log_likelihood = Canonical(candidate->log_likelihood);
		candidate->bic = Canonical(candidate->bic);
	}
}

void
clv_model_check(ClvModel *fitted)
{
	if (fitted->purchase.family == NULL && fitted->spend.family == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model must have a purchase part or a spend part")));
	if (fitted->purchase.family != NULL)
	{
		CheckPart(&fitted->purchase, CLV_TRANSACTION);
		fitted->unit_days = clv_period_days("time_unit", &fitted->time_unit, false);
	}
	if (fitted->spend.family != NULL)
	{
		CheckPart(&fitted->spend, CLV_SPEND);
		CheckSpendCovariates(fitted);
	}
	CheckGrace(fitted);
	CheckCounting(fitted);
	CheckShock(fitted);
	CheckCandidates(fitted);
	if (fitted->has_as_of)
		clv_check_date("as_of", fitted->as_of);
	if (fitted->spend_basis != CLV_SPEND_REPEAT && fitted->spend_basis != CLV_SPEND_ALL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown spend basis: %d", (int) fitted->spend_basis)));
	CheckCount("occasion", fitted->occasion);
	CheckCount("skipped customers", fitted->skipped);
	CheckCount("skipped customers", fitted->spend_skipped);
	fitted->frequency_spend_correlation = Canonical(fitted->frequency_spend_correlation);
}

/* ---- the cache of a call site ---- */

bool
clv_model_is_cached(const ClvModelCache *cache, Datum model)
{
	return clv_last_is(&cache->model, false, model);
}

/* Moves the calendar of a part into a memory context of its own below parent. */
static void
KeepCalendar(ClvModelPart *part, MemoryContext parent)
{
	MemoryContext context =
		AllocSetContextCreate(parent, "clv_model calendar", ALLOCSET_SMALL_SIZES);

	part->derived = MemoryContextAllocZero(context, sizeof(ClvDerived));
	part->derived->context = context;
	part->calendar = clv_calendar_copy(part->calendar, context);
}

const ClvModel *
clv_model_lookup(ClvModelCache *cache, Datum model, MemoryContext context)
{
	ClvPackedModel *whole;
	ClvModel fitted;

	if (clv_model_is_cached(cache, model))
		return &cache->fitted;
	clv_last_clear(&cache->model);
	if (cache->fitted.purchase.derived != NULL)
		MemoryContextDelete(cache->fitted.purchase.derived->context);
	cache->fitted.purchase.derived = NULL;
	cache->fitted.purchase.calendar = NULL;
	whole = DatumGetClvModelP(model);
	clv_model_unpack(whole, &fitted);
	cache->fitted = fitted;
	if (fitted.purchase.calendar != NULL)
		KeepCalendar(&cache->fitted.purchase, context);
	clv_last_set(&cache->model, false, model, context);
	if ((Pointer) whole != DatumGetPointer(model))
		pfree(whole);
	return &cache->fitted;
}

/* Raises the error of a model that awaits the path of a customer. */
static void
NeedPath(const ClvModel *fitted)
{
	const ClvModelPart *part = &fitted->purchase;
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < part->awaited; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 part->covariate[clv_model_own_covariates(part) + i]);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("the model needs the path of the customer"),
					errdetail("It was fitted with paths of %s.", names.data),
					errhint("Use clv_with_calendar(model, path), the model of that customer.")));
}

void
clv_model_need_purchase_part(const ClvModel *fitted)
{
	if (fitted->purchase.family == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the model has no purchase part"),
				 errdetail("It is a model of spend only: \"%s\".", fitted->spend.family->name),
				 errhint("Join it to a model of purchases: purchase_model || spend_model.")));
}

void
clv_model_need_purchase(const ClvModel *fitted)
{
	clv_model_need_purchase_part(fitted);
	if (unlikely(fitted->purchase.awaited > 0))
		NeedPath(fitted);
}

void
clv_model_need_spend(const ClvModel *fitted)
{
	if (fitted->spend.family == NULL)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the model has no spend part"),
			 errdetail("It is a model of purchases only: \"%s\".", fitted->purchase.family->name),
			 errhint("Fit one with spend => 'gamma/gamma' over histories with amounts, "
					 "or join one: purchase_model || spend_model.")));
}
