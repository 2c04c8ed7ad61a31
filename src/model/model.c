/*
 * model.c
 *		A model as bytes: packing, unpacking, and the rules a model must obey.
 *
 * The bytes behind the varlena header are the wire format itself, in network
 * order: a version byte, then
 *
 *	flags			1 has as_of, 2 has a purchase part, 4 has a spend part, 8 was chosen
 *					among candidates, 16 skipped spend although it has no spend part,
 *					32 has grace, 64 periods of the calendar, 128 has customers who returned
 *	as_of			int32
 *	time unit		int32 months, int32 days, int64 microseconds
 *	occasion		int32
 *	per part		length and name of the family, flags (1 fitted, 2 converged,
 *					4 covariance, 8 covariates, 16 centres, 32 calendar, 64 prior,
 *					128 profile), the parameters;
 *					the number of covariates, their names, their effects, their centres
 *					unless all are 0 (with 128 added to that number how many of them are of a
 *					path comes first); the size of the calendar, and its bytes; of a fitted
 *					part
 *					customers, skipped, log-likelihood, gradient norm, iterations; of a prior
 *					its fingerprint, distance and effective parameters; of a profile its level,
 *					then the lower and the upper limit of each row of the covariance;
 *					the lower triangle of the covariance
 *	spend part		basis, correlation of frequency and spend
 *	spend skipped	int64
 *	grace			int32 months, int32 days, int64 microseconds
 *	returned		int64
 *	candidates		their number, and of each the family, flags (1 converged),
 *					log-likelihood, BIC
 *
 * A model is parsed once per call site, so there is nothing to gain from a
 * layout that a struct could be laid over, and much from a single format for
 * disk and wire that no processor disagrees about. What means the same is
 * written the same (no -0, one NaN, no field of a part that is not there):
 * equality, hashing and order work on the bytes.
 */
#include "model/model.h"

#include <math.h>

#include "common/arguments.h"
#include "common/canonical.h"
#include "common/hashfn.h"
#include "families/clocks.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "model/model_private.h"

#define MODEL_VERSION 1

#define MODEL_AS_OF 0x01
#define MODEL_PURCHASE 0x02
#define MODEL_SPEND 0x04
#define MODEL_CANDIDATES 0x08
#define MODEL_SPEND_SKIPPED 0x10
#define MODEL_GRACE 0x20
#define MODEL_CALENDAR 0x40
#define MODEL_RETURNED 0x80

#define PART_FITTED 0x01
#define PART_CONVERGED 0x02
#define PART_COVARIANCE 0x04
#define PART_COVARIATES 0x08
#define PART_CENTRES 0x10
#define PART_CALENDAR 0x20
#define PART_PRIOR 0x40
#define PART_PROFILE 0x80

/* In the byte with the number of covariates: some are of a path. */
#define COVARIATES_PATH 0x80

#define CANDIDATE_CONVERGED 0x01

/* Rounding may leave a sound covariance this far, of its variances, from positive definite. */
#define PIVOT_TOLERANCE 1e-8

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

/* Check the whole, and bring it into its canonical form. */
static void
CheckModel(ClvModel *fitted)
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

/* ---- bytes ---- */

/* Append an interval. */
static void
PackInterval(StringInfo out, const Interval *interval)
{
	pq_sendint32(out, interval->month);
	pq_sendint32(out, interval->day);
	pq_sendint64(out, interval->time);
}

/* Append the length of a name, then its bytes. */
static void
PackName(StringInfo out, const char *name)
{
	int length = strlen(name);

	pq_sendbyte(out, length);
	pq_sendbytes(out, name, length);
}

/* Whether a covariate has a centre other than 0. */
static bool
HasCentres(const ClvModelPart *part)
{
	for (int i = 0; i < part->ncovariates; i++)
		if (part->centre[i] != 0)
			return true;
	return false;
}

/* Append the number of covariates, their names, their effects and, if there are any, centres. */
static void
PackCovariates(StringInfo out, const ClvModelPart *part)
{
	pq_sendbyte(out, part->ncovariates | (part->awaited > 0 ? COVARIATES_PATH : 0));
	if (part->awaited > 0)
		pq_sendbyte(out, part->awaited);
	for (int i = 0; i < part->ncovariates; i++)
		PackName(out, part->covariate[i]);
	for (int i = 0; i < 2 * part->ncovariates; i++)
		pq_sendfloat8(out, part->effect[i]);
	for (int i = 0; HasCentres(part) && i < part->ncovariates; i++)
		pq_sendfloat8(out, part->centre[i]);
}

/* Append the number of candidates, then each of them. */
static void
PackCandidates(StringInfo out, const ClvModel *fitted)
{
	pq_sendbyte(out, fitted->ncandidates);
	for (int i = 0; i < fitted->ncandidates; i++)
	{
		const ClvCandidate *candidate = &fitted->candidate[i];

		PackName(out, candidate->family->name);
		pq_sendbyte(out, candidate->converged ? CANDIDATE_CONVERGED : 0);
		pq_sendfloat8(out, candidate->log_likelihood);
		pq_sendfloat8(out, candidate->bic);
	}
}

/* Append a part in the order described above; skipped: customers left out of its fit. */
static void
PackPart(StringInfo out, const ClvModelPart *part, int64 skipped)
{
	const ClvFamily *family = part->family;

	PackName(out, family->name);
	pq_sendbyte(
		out,
		(part->fitted ? PART_FITTED : 0) | (part->fitted && part->converged ? PART_CONVERGED : 0) |
			(part->has_covariance ? PART_COVARIANCE : 0) |
			(part->ncovariates > 0 ? PART_COVARIATES : 0) | (HasCentres(part) ? PART_CENTRES : 0) |
			(part->calendar != NULL ? PART_CALENDAR : 0) | (part->prior != 0 ? PART_PRIOR : 0) |
			(part->profile != 0 ? PART_PROFILE : 0));
	for (int i = 0; i < family->nparams; i++)
		pq_sendfloat8(out, part->param[i]);
	if (part->ncovariates > 0)
		PackCovariates(out, part);
	if (part->calendar != NULL)
	{
		pq_sendint32(out, VARSIZE_ANY_EXHDR(part->calendar));
		pq_sendbytes(out, VARDATA_ANY(part->calendar), VARSIZE_ANY_EXHDR(part->calendar));
	}
	if (part->fitted)
	{
		pq_sendint64(out, part->customers);
		pq_sendint64(out, skipped);
		pq_sendfloat8(out, part->log_likelihood);
		pq_sendfloat8(out, part->gradient_norm);
		pq_sendint32(out, part->iterations);
	}
	if (part->prior != 0)
	{
		pq_sendint64(out, part->prior);
		pq_sendfloat8(out, part->prior_distance);
		pq_sendfloat8(out, part->effective);
	}
	if (part->profile != 0)
	{
		pq_sendfloat8(out, part->profile);
		for (int i = 0; i < clv_model_dimension(part); i++)
			pq_sendfloat8(out, part->profile_low[i]);
		for (int i = 0; i < clv_model_dimension(part); i++)
			pq_sendfloat8(out, part->profile_high[i]);
	}
	if (part->has_covariance)
		for (int i = 0; i < CLV_TRIANGLE(clv_model_dimension(part)); i++)
			pq_sendfloat8(out, part->covariance[i]);
}

ClvPackedModel *
clv_model_pack(const ClvModel *given)
{
	ClvModel fitted = *given;
	StringInfoData out;
	bool skipped_alone = given->spend.family == NULL && given->spend_skipped > 0;

	CheckModel(&fitted);
	if (fitted.purchase.family == NULL)
		fitted.time_unit = (Interval){.day = 7};

	pq_begintypsend(&out);
	pq_sendbyte(&out, MODEL_VERSION);
	pq_sendbyte(&out, (fitted.has_as_of ? MODEL_AS_OF : 0) |
						  (fitted.purchase.family != NULL ? MODEL_PURCHASE : 0) |
						  (fitted.spend.family != NULL ? MODEL_SPEND : 0) |
						  (fitted.ncandidates > 0 ? MODEL_CANDIDATES : 0) |
						  (skipped_alone ? MODEL_SPEND_SKIPPED : 0) |
						  (fitted.grace_days > 0 ? MODEL_GRACE : 0) |
						  (fitted.periods == CLV_PERIODS_CALENDAR ? MODEL_CALENDAR : 0) |
						  (fitted.returned > 0 ? MODEL_RETURNED : 0));
	pq_sendint32(&out, fitted.has_as_of ? fitted.as_of : 0);
	PackInterval(&out, &fitted.time_unit);
	pq_sendint32(&out, fitted.occasion);
	if (fitted.purchase.family != NULL)
		PackPart(&out, &fitted.purchase, fitted.skipped);
	if (fitted.spend.family != NULL)
	{
		PackPart(&out, &fitted.spend, fitted.spend_skipped);
		pq_sendbyte(&out, fitted.spend_basis);
		pq_sendfloat8(&out, fitted.frequency_spend_correlation);
	}
	if (skipped_alone)
		pq_sendint64(&out, fitted.spend_skipped);
	if (fitted.grace_days > 0)
		PackInterval(&out, &fitted.grace);
	if (fitted.returned > 0)
		pq_sendint64(&out, fitted.returned);
	if (fitted.ncandidates > 0)
		PackCandidates(&out, &fitted);
	return (ClvPackedModel *) pq_endtypsend(&out);
}

/* Read a name into NAMEDATALEN bytes; an error unless it is valid in the encoding of the database.
 */
static void
UnpackName(StringInfo in, char *name)
{
	int length = pq_getmsgbyte(in);

	if (length >= NAMEDATALEN)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("name in binary clv_model is too long: %d bytes", length)));
	memcpy(name, pq_getmsgbytes(in, length), length);
	name[length] = '\0';
	if (strlen(name) != (size_t) length)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("name in binary clv_model contains a zero byte")));
	(void) pg_verifymbstr(name, length, false);
}

/* Read the name of a family; an error where it is unknown. */
static const ClvFamily *
UnpackFamily(StringInfo in)
{
	char name[NAMEDATALEN];
	const ClvFamily *family;

	UnpackName(in, name);
	family = clv_family(name);
	if (family == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown family of models in binary clv_model"),
						errhint("The value is damaged, or was made by a later version of clv.")));
	return family;
}

/* Read an interval. */
static void
UnpackInterval(StringInfo in, Interval *interval)
{
	interval->month = (int32) pq_getmsgint(in, 4);
	interval->day = (int32) pq_getmsgint(in, 4);
	interval->time = pq_getmsgint64(in);
}

/* Read a byte of flags; an error where one is not among those known. */
static int
UnpackFlags(StringInfo in, int known)
{
	int flags = pq_getmsgbyte(in);

	if ((flags & ~known) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown flags in binary clv_model: %d", flags)));
	return flags;
}

/* Read what PackCovariates has written. */
static void
UnpackCovariates(StringInfo in, bool has_centres, ClvModelPart *part)
{
	bool has_path;

	part->ncovariates = pq_getmsgbyte(in);
	has_path = (part->ncovariates & COVARIATES_PATH) != 0;
	part->ncovariates &= ~COVARIATES_PATH;
	if (has_path)
		part->awaited = pq_getmsgbyte(in);
	if (has_path && part->awaited == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("a path without covariates in binary clv_model")));
	if (part->ncovariates == 0 || part->ncovariates > CLV_MAX_COVARIATES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid number of covariates in binary clv_model: %d",
							   part->ncovariates)));
	for (int i = 0; i < part->ncovariates; i++)
		UnpackName(in, part->covariate[i]);
	for (int i = 0; i < 2 * part->ncovariates; i++)
		part->effect[i] = pq_getmsgfloat8(in);
	for (int i = 0; has_centres && i < part->ncovariates; i++)
		part->centre[i] = pq_getmsgfloat8(in);
}

/* Read a calendar, every byte of which is checked. */
static void
UnpackCalendar(StringInfo in, ClvModelPart *part)
{
	int size = (int) pq_getmsgint(in, 4);
	StringInfoData bytes = {.len = size, .maxlen = size};
	ClvCalendarParts parts;

	bytes.data = (char *) pq_getmsgbytes(in, size);
	clv_calendar_unpack(&bytes, &parts);
	part->calendar = clv_calendar_pack(&parts);
	clv_canonical_check(part->calendar, bytes.data, size, "clv_calendar");
	if (parts.nnames > part->ncovariates)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("binary clv_model has less covariates than its calendar")));
	part->followed = parts.nnames;
}

/* Read what PackCandidates has written. */
static void
UnpackCandidates(StringInfo in, ClvModel *fitted)
{
	fitted->ncandidates = pq_getmsgbyte(in);
	if (fitted->ncandidates == 0 || fitted->ncandidates > CLV_MAX_CANDIDATES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid number of candidates in binary clv_model: %d",
							   fitted->ncandidates)));
	for (int i = 0; i < fitted->ncandidates; i++)
	{
		ClvCandidate *candidate = &fitted->candidate[i];

		candidate->family = UnpackFamily(in);
		candidate->converged = UnpackFlags(in, CANDIDATE_CONVERGED) != 0;
		candidate->log_likelihood = pq_getmsgfloat8(in);
		candidate->bic = pq_getmsgfloat8(in);
	}
}

/* Read the limits of a part by the profile. */
static void
UnpackProfile(StringInfo in, ClvModelPart *part)
{
	part->profile = pq_getmsgfloat8(in);
	for (int i = 0; i < clv_model_dimension(part); i++)
		part->profile_low[i] = pq_getmsgfloat8(in);
	for (int i = 0; i < clv_model_dimension(part); i++)
		part->profile_high[i] = pq_getmsgfloat8(in);
	if (!(part->profile > 0))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("profile without a level in binary clv_model")));
}

/* Read what PackPart has written. */
static void
UnpackPart(StringInfo in, ClvModelPart *part, int64 *skipped)
{
	int flags;

	part->family = UnpackFamily(in);
	flags = UnpackFlags(in, PART_FITTED | PART_CONVERGED | PART_COVARIANCE | PART_COVARIATES |
								PART_CENTRES | PART_CALENDAR | PART_PRIOR | PART_PROFILE);
	if ((flags & PART_CENTRES) && !(flags & PART_COVARIATES))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("centres without covariates in binary clv_model")));
	part->fitted = (flags & PART_FITTED) != 0;
	part->converged = (flags & PART_CONVERGED) != 0;
	part->has_covariance = (flags & PART_COVARIANCE) != 0;
	for (int i = 0; i < part->family->nparams; i++)
		part->param[i] = pq_getmsgfloat8(in);
	if (flags & PART_COVARIATES)
		UnpackCovariates(in, (flags & PART_CENTRES) != 0, part);
	if (flags & PART_CALENDAR)
		UnpackCalendar(in, part);
	if (part->fitted)
	{
		part->customers = pq_getmsgint64(in);
		*skipped = pq_getmsgint64(in);
		part->log_likelihood = pq_getmsgfloat8(in);
		part->gradient_norm = pq_getmsgfloat8(in);
		part->iterations = (int32) pq_getmsgint(in, 4);
	}
	if (flags & PART_PRIOR)
	{
		part->prior = (uint64) pq_getmsgint64(in);
		part->prior_distance = pq_getmsgfloat8(in);
		part->effective = pq_getmsgfloat8(in);
		if (part->prior == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
							errmsg("prior without a fingerprint in binary clv_model")));
	}
	if (flags & PART_PROFILE)
		UnpackProfile(in, part);
	if (part->has_covariance)
		for (int i = 0; i < CLV_TRIANGLE(clv_model_dimension(part)); i++)
			part->covariance[i] = pq_getmsgfloat8(in);
}

/* The inverse of clv_model_pack. Every number is checked: the bytes may come from anywhere. */
void
clv_model_decode(StringInfo in, ClvModel *fitted)
{
	int flags;
	int version = pq_getmsgbyte(in);

	if (version != MODEL_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("unknown version of clv_model: %d", version),
						errdetail("This version of clv reads version %d.", MODEL_VERSION)));
	clv_model_init(fitted);
	flags =
		UnpackFlags(in, MODEL_AS_OF | MODEL_PURCHASE | MODEL_SPEND | MODEL_CANDIDATES |
							MODEL_SPEND_SKIPPED | MODEL_GRACE | MODEL_CALENDAR | MODEL_RETURNED);
	if ((flags & MODEL_SPEND) && (flags & MODEL_SPEND_SKIPPED))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("skipped spend is given twice in binary clv_model")));
	fitted->has_as_of = (flags & MODEL_AS_OF) != 0;
	fitted->as_of = (DateADT) pq_getmsgint(in, 4);
	UnpackInterval(in, &fitted->time_unit);
	fitted->occasion = (int32) pq_getmsgint(in, 4);
	if (flags & MODEL_PURCHASE)
		UnpackPart(in, &fitted->purchase, &fitted->skipped);
	if (flags & MODEL_SPEND)
	{
		UnpackPart(in, &fitted->spend, &fitted->spend_skipped);
		fitted->spend_basis = (ClvSpendBasis) pq_getmsgbyte(in);
		fitted->frequency_spend_correlation = pq_getmsgfloat8(in);
	}
	if (flags & MODEL_SPEND_SKIPPED)
		fitted->spend_skipped = pq_getmsgint64(in);
	if (flags & MODEL_GRACE)
		UnpackInterval(in, &fitted->grace);
	if (flags & MODEL_CALENDAR)
		fitted->periods = CLV_PERIODS_CALENDAR;
	if (flags & MODEL_RETURNED)
		fitted->returned = pq_getmsgint64(in);
	if (flags & MODEL_CANDIDATES)
		UnpackCandidates(in, fitted);
	pq_getmsgend(in);
	CheckModel(fitted);
}

void
clv_model_unpack(const ClvPackedModel *model, ClvModel *fitted)
{
	StringInfoData in = clv_bytes_of(model);

	clv_model_decode(&in, fitted);
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
clv_model_need_purchase(const ClvModel *fitted)
{
	if (fitted->purchase.family == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the model has no purchase part"),
				 errdetail("It is a model of spend only: \"%s\".", fitted->spend.family->name),
				 errhint("Join it to a model of purchases: purchase_model || spend_model.")));
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
