/*
 * fit.c
 *		clv_fit(): from counted customers to a model.
 *
 * The final function of every form of clv_fit. The cells become rows for the
 * engine of the model room, whose statuses become errors, warnings and fields of
 * the model. The state is only read: another aggregate may share it.
 */
#include "fit/fit.h"

#include <math.h>

#include "fitted/fitted.h"
#include "miscadmin.h"
#include "model/likelihood.h"
#include "storage/shmem.h"
#include "utils/float.h"
#include "utils/memutils.h"

/*
 * Without as_of a fit ends with the last purchase in the data, and one order with a
 * mistyped year would make everybody look long gone. A day is suspected when it comes
 * more than ISOLATED_DAYS, and more than ISOLATED_GAPS mean gaps between the
 * days of last purchases before, after those; when at most one customer in
 * ISOLATED_SHARE (or a single one) bought later than the gap; and when there are
 * ISOLATED_BEFORE such days to compare with.
 */
#define ISOLATED_DAYS 30
#define ISOLATED_GAPS 10
#define ISOLATED_SHARE 100
#define ISOLATED_BEFORE 5

/* One fit: what it was made from, and where it is going. */
typedef struct FitContext
{
	ClvCellsView view;
	const ClvFitOptions *options;
	ClvFitted	fitted;
	int64		customers;
} FitContext;

/* What has been said about a query already; hangs on fn_extra. */
typedef struct SaidOnce
{
	bool		immortal;
	bool		no_spend;
} SaidOnce;

static void
Poll(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

static void *
AllocRows(int64 n, Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(mul_size(n, size), 1));
}

/* ---- as_of ---- */

typedef struct LastDay
{
	DateADT		day;
	uint32		customers;
} LastDay;

#define ST_SORT SortLastDays
#define ST_ELEMENT_TYPE LastDay
#define ST_COMPARE(a, b) ((a)->day < (b)->day ? -1 : (a)->day > (b)->day)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Warn where the last days stand apart from the others: see the rule above. */
static void
WarnIfIsolated(LastDay *days, int64 n, int64 customers)
{
	int64		distinct = 1;
	int64		later = 0;
	char		one[MAXDATELEN + 1];
	char		other[MAXDATELEN + 1];

	for (int64 i = 1; i < n; i++)
		distinct += days[i].day != days[i - 1].day;
	for (int64 i = n - 1; i > 0; i--)
	{
		int64		gap = (int64) days[i].day - days[i - 1].day;
		double		mean_gap;

		later += days[i].customers;
		if (later > 1 && later > customers / ISOLATED_SHARE)
			return;
		if (gap == 0)
			continue;
		distinct--;				/* now the days before the gap */
		if (distinct < ISOLATED_BEFORE)
			return;
		mean_gap = ((double) days[i - 1].day - days[0].day) / (distinct - 1);
		if (gap <= ISOLATED_DAYS || gap <= ISOLATED_GAPS * mean_gap)
			continue;
		ereport(WARNING,
				(errmsg("the last purchase in the data stands alone: %s",
						clv_date_text(days[n - 1].day, one)),
				 errdetail("The model is fitted as of that day, but nobody else bought after %s "
						   "(customers who did: " INT64_FORMAT ").",
						   clv_date_text(days[i - 1].day, other), later),
				 errhint("If the date is mistaken, correct it; otherwise give "
						 "clv_options(as_of => ...).")));
		return;
	}
}

/* The day of the last purchase in the data. */
static DateADT
LastPurchase(const FitContext *fit)
{
	int64		n = fit->view.head->ncells;
	LastDay    *days = AllocRows(n, sizeof(LastDay));
	DateADT		last;

	for (int64 i = 0; i < n; i++)
	{
		days[i].day = (DateADT) fit->view.cells[i].until;
		days[i].customers = fit->view.cells[i].count;
	}
	SortLastDays(days, n);
	last = days[n - 1].day;
	WarnIfIsolated(days, n, fit->customers);
	pfree(days);
	return last;
}

/* ---- what the engine says ---- */

/* Errors for the statuses that leave no model. */
static void
RaiseStatus(ClvStatus status, const ClvFamily *family, double customers)
{
	switch (status)
	{
		case CLV_OK:
		case CLV_NOT_CONVERGED:
		case CLV_DEGENERATE:
			break;
		case CLV_TOO_FEW:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("too few customers to fit \"%s\": %.0f", family->name, customers),
					 errdetail("The family has %d parameters.", family->nparams),
					 errhint("Fit more customers together; with GROUP BY, leave out or put "
							 "together groups that are too small.")));
			break;
		case CLV_NO_REPEATERS:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("cannot fit \"%s\": none of the %.0f customers bought twice",
							family->name, customers),
					 errhint("Repeat purchases are what a rate is learned from: take a longer "
							 "period, a later as_of or more customers.")));
			break;
		case CLV_NO_DROPOUT_SIGNAL:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("cannot fit \"%s\": all %.0f customers have the same history",
							family->name, customers),
					 errhint("A fit needs customers who differ.")));
			break;
		case CLV_BAD_START:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("cannot fit \"%s\": the likelihood is not finite at the start",
							family->name),
					 errhint("Leave out start, or choose a time_unit near the usual time "
							 "between two purchases.")));
			break;
		case CLV_COLLINEAR:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("cannot fit \"%s\": a covariate is constant, or follows from the others",
							family->name),
					 errhint("Leave it out.")));
			break;
	}
}

static char *
ParameterText(const ClvFamily *family, const double *param)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < family->nparams; i++)
		appendStringInfo(&out, "%s%s = %g", i > 0 ? ", " : "", family->param_names[i], param[i]);
	return out.data;
}

/* Warn of a fit that stopped short of an optimum. */
static void
WarnStatus(ClvStatus status, const ClvFamily *family, const ClvFitReport *report)
{
	int			which = report->degenerate_param;

	if (status == CLV_NOT_CONVERGED)
		ereport(WARNING, (errmsg("fit of \"%s\" did not converge", family->name),
						  errdetail("After %d iterations it stopped at %s.", report->iterations,
									ParameterText(family, report->param)),
						  errhint("Raise max_iterations, start from another model, or use a "
								  "penalty.")));
	else if (status == CLV_DEGENERATE)
		ereport(WARNING,
				(errmsg("fit of \"%s\" did not converge: %s%s", family->name,
						which >= 0 ? family->param_names[which] : "a parameter",
						" runs to the border of its range"),
				 errdetail("It stopped at %s.", ParameterText(family, report->param)),
				 errhint("The data do not hold all parameters: fit more customers, another "
						 "family, or use a penalty.")));
}

/* Whether the point that a fit reached is one that a model can have. */
static bool
IsUsable(const ClvFamily *family, const ClvFitReport *report)
{
	for (int i = 0; i < family->nparams; i++)
		if (!isfinite(report->param[i]) || report->param[i] <= 0)
			return false;
	return true;
}

static void
FillPart(ClvFittedPart *part, const ClvFamily *family, ClvStatus status,
		 const ClvFitReport *report, int64 customers)
{
	part->family = family;
	memcpy(part->param, report->param, sizeof(part->param));
	part->fitted = true;
	part->converged = status == CLV_OK;
	part->has_covariance = report->has_covariance;
	memcpy(part->covariance, report->covariance,
		   CLV_TRIANGLE(family->nparams, 0) * sizeof(double));
	part->customers = customers;
	part->log_likelihood = report->log_likelihood;
	part->gradient_norm = report->gradient_norm;
	part->iterations = report->iterations;
}

static void
InitControl(ClvFitControl *control, const ClvFitOptions *options, const double *start)
{
	memset(control, 0, sizeof(*control));
	control->start = start;
	control->max_iterations = options->max_iterations;
	control->shape_penalty = options->penalty;
	control->poll = Poll;
}

/* ---- purchases ---- */

/* The cells as the engine wants them, in the model's time unit. */
static ClvCell *
EngineCells(const FitContext *fit)
{
	int64		n = fit->view.head->ncells;
	ClvCell    *rows = AllocRows(n, sizeof(ClvCell));
	double		unit = fit->fitted.unit_days;

	for (int64 i = 0; i < n; i++)
	{
		const ClvCellEntry *cell = &fit->view.cells[i];

		rows[i].x = cell->x;
		rows[i].group = 0;
		rows[i].count = cell->count;
		if (fit->view.head->kind == CLV_CELLS_HISTORY)
		{
			rows[i].t_x = (cell->until - cell->since) / unit;
			rows[i].T = (fit->fitted.as_of - cell->since) / unit;
		}
		else
		{
			rows[i].t_x = ClvBitsDouble(cell->since);
			rows[i].T = ClvBitsDouble(cell->until);
		}
	}
	return rows;
}

static ClvStatus
FitFamily(const FitContext *fit, const ClvFamily *family, ClvCell *rows, ClvFitReport *report)
{
	const ClvFitOptions *options = fit->options;
	int64		n = fit->view.head->ncells;
	bool		warm = strcmp(options->start_model, family->name) == 0;
	void	   *workspace = AllocRows(clv_fit_cells_workspace(family, n), 1);
	ClvFitControl control;
	ClvStatus	status;

	InitControl(&control, options, warm ? options->start_model_param : NULL);
	memset(report, 0, sizeof(*report));
	status = clv_fit_cells(family, rows, n, NULL, &control, workspace, report);
	pfree(workspace);
	return status;
}

static double
Bic(const ClvFamily *family, double log_likelihood, double customers)
{
	return family->nparams * log(customers) - 2 * log_likelihood;
}

/* 0: an optimum; 1: a point, but no optimum; 2: nothing */
static int
Shortfall(ClvStatus status)
{
	return status == CLV_OK										   ? 0
		   : status == CLV_NOT_CONVERGED || status == CLV_DEGENERATE ? 1
																   : 2;
}

/* Whether 'auto' may choose the family: all it tries must explain the same times. */
static bool
IsCandidate(const ClvFamily *family)
{
	return family->process == CLV_TRANSACTION && family->clock == CLV_CONTINUOUS;
}

/* One family's attempt, to be compared with the others'. */
typedef struct Attempt
{
	const ClvFamily *family;
	ClvStatus	status;
	double		bic;
	ClvFitReport report;
} Attempt;

/* A fit that converged is better than any that did not. */
static bool
IsBetter(const Attempt *a, const Attempt *b)
{
	int			a_shortfall = Shortfall(a->status);
	int			b_shortfall = Shortfall(b->status);

	if (a_shortfall != b_shortfall)
		return a_shortfall < b_shortfall;
	return a->bic < b->bic;
}

/* Remember a loser, in order. */
static void
KeepCandidate(ClvFitted *fitted, const Attempt *attempt)
{
	bool		fits = Shortfall(attempt->status) < 2;
	ClvCandidate candidate = {attempt->family, attempt->status == CLV_OK, get_float8_nan(),
							  get_float8_nan()};
	int			i;

	if (fitted->ncandidates == CLV_MAX_CANDIDATES)
		return;
	if (fits)
	{
		candidate.log_likelihood = attempt->report.log_likelihood;
		candidate.bic = attempt->bic;
	}
	for (i = fitted->ncandidates++; i > 0; i--)
	{
		const ClvCandidate *before = &fitted->candidate[i - 1];

		if (isnan(candidate.bic) || before->bic <= candidate.bic)
			break;
		fitted->candidate[i] = *before;
	}
	fitted->candidate[i] = candidate;
}

/*
 * The family of continuous time with the best BIC on these customers; the others
 * become candidates of the model.
 */
static const ClvFamily *
FitBest(FitContext *fit, ClvCell *rows, ClvStatus *status, ClvFitReport *report)
{
	const ClvFamily *family;
	Attempt		best = {0};
	Attempt		attempt;

	for (int i = 0; (family = clv_family_at(i)) != NULL; i++)
	{
		if (!IsCandidate(family))
			continue;
		attempt.family = family;
		attempt.status = FitFamily(fit, family, rows, &attempt.report);
		attempt.bic = Bic(family, attempt.report.log_likelihood, fit->customers);
		if (best.family == NULL || IsBetter(&attempt, &best))
		{
			if (best.family != NULL)
				KeepCandidate(&fit->fitted, &best);
			best = attempt;
		}
		else
			KeepCandidate(&fit->fitted, &attempt);
	}
	*status = best.status;
	*report = best.report;
	return best.family;
}

/* One-time buyers count as alive for certain: true of bg/nbd, and rarely of customers. */
static bool
IsImmortal(const ClvFamily *family, const double *param)
{
	return family->ln_p_alive(param, 0, 0, 1) == 0;
}

static void
FitPurchases(FitContext *fit, SaidOnce *said)
{
	const ClvFamily *family;
	ClvCell    *rows = EngineCells(fit);
	ClvFitReport report;
	ClvStatus	status;

	if (strcmp(fit->options->model, CLV_MODEL_AUTO) == 0)
		family = FitBest(fit, rows, &status, &report);
	else
	{
		family = clv_family(fit->options->model);
		status = FitFamily(fit, family, rows, &report);
	}
	pfree(rows);
	RaiseStatus(status, family, fit->customers);
	if (!IsUsable(family, &report))
		RaiseStatus(CLV_BAD_START, family, fit->customers);
	WarnStatus(status, family, &report);
	FillPart(&fit->fitted.purchase, family, status, &report, fit->customers);

	if (!said->immortal && IsImmortal(family, report.param))
	{
		said->immortal = true;
		ereport(NOTICE, (errmsg("\"%s\" takes every one-time buyer to be alive", family->name),
						 errhint("clv_options(model => 'mbg/nbd') lets them leave, too.")));
	}
}

/* ---- spend ---- */

static ClvSpendRow *
EngineSpend(const FitContext *fit)
{
	int64		n = fit->view.head->nspend;
	ClvSpendRow *rows = AllocRows(n, sizeof(ClvSpendRow));

	for (int64 i = 0; i < n; i++)
	{
		rows[i].x = fit->view.spend[i].x;
		rows[i].mean = ClvSpendMean(&fit->view.spend[i]);
	}
	return rows;
}

#define ST_SORT SortSpendRows
#define ST_ELEMENT_TYPE ClvSpendRow
#define ST_COMPARE(a, b) \
	((a)->x != (b)->x ? ((a)->x < (b)->x ? -1 : 1) \
					  : ((a)->mean < (b)->mean ? -1 : (a)->mean > (b)->mean))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Correlation of the number of purchases and their mean. Summed in a fixed order:
 * the engine has sorted the rows, so that sorting again costs one look at each.
 */
static double
SpendCorrelation(ClvSpendRow *rows, int64 n)
{
	double		mean_x = 0;
	double		mean_m = 0;
	double		xx = 0;
	double		mm = 0;
	double		xm = 0;

	SortSpendRows(rows, n);
	for (int64 i = 0; i < n; i++)
	{
		mean_x += (rows[i].x - mean_x) / (i + 1);
		mean_m += (rows[i].mean - mean_m) / (i + 1);
	}
	for (int64 i = 0; i < n; i++)
	{
		double		x = rows[i].x - mean_x;
		double		m = rows[i].mean - mean_m;

		xx += x * x;
		mm += m * m;
		xm += x * m;
	}
	return xm / sqrt(xx) / sqrt(mm);	/* NaN where one of them is constant */
}

/* Statuses that leave no spend model are no reason to lose the model of purchases. */
static bool
HasSpendModel(ClvStatus status, const ClvFamily *family, const ClvFitReport *report, int64 n)
{
	if (Shortfall(status) < 2 && IsUsable(family, report))
		return true;
	ereport(WARNING,
			(errmsg("the model has no spend part: \"%s\" could not be fitted", family->name),
			 errdetail(status == CLV_BAD_START
						   ? "The likelihood of the spend of " INT64_FORMAT
							 " customers is not finite at the start."
						   : "The spend of " INT64_FORMAT " customers is known, which is too few "
							 "or all the same.",
					   n),
			 errhint("Predictions of purchases are not affected. clv_options(spend => 'none') "
					 "leaves spend out from the beginning.")));
	return false;
}

static void
WarnInfiniteSpend(const ClvFamily *family, const double *param)
{
	if (isfinite(family->expected_spend(param, 0, 0)))
		return;
	ereport(WARNING,
			(errmsg("the mean spend of new customers is infinite under the fitted \"%s\"",
					family->name),
			 errdetail("The parameters are %s.", ParameterText(family, param)),
			 errhint("Predictions of spend are NULL for customers with too few purchases; look "
					 "for outliers among the amounts, or use a penalty.")));
}

static void
FitSpend(FitContext *fit, SaidOnce *said)
{
	const ClvFamily *family = clv_family(fit->options->spend);
	int64		n = fit->view.head->nspend;
	bool		warm = strcmp(fit->options->start_spend, fit->options->spend) == 0;
	ClvSpendRow *rows;
	void	   *workspace;
	ClvFitControl control;
	ClvFitReport report;
	ClvStatus	status;

	if (n == 0)
	{
		if (!said->no_spend)
			ereport(NOTICE,
					(errmsg("the model has no spend part: no positive amounts are known"),
					 errhint("clv_options(spend => 'none') says that this is meant.")));
		said->no_spend = true;
		return;
	}
	rows = EngineSpend(fit);
	workspace = AllocRows(clv_fit_spend_workspace(family, n), 1);
	InitControl(&control, fit->options, warm ? fit->options->start_spend_param : NULL);
	memset(&report, 0, sizeof(report));
	status = clv_fit_spend(family, rows, n, &control, workspace, &report);
	pfree(workspace);
	fit->fitted.frequency_spend_correlation = SpendCorrelation(rows, n);
	pfree(rows);
	if (!HasSpendModel(status, family, &report, n))
		return;
	WarnStatus(status, family, &report);
	FillPart(&fit->fitted.spend, family, status, &report, n);
	WarnInfiniteSpend(family, report.param);
}

/* ---- clv_fit ---- */

/* What the model says besides its parameters. */
static void
FillFrame(FitContext *fit)
{
	const ClvCellsHead *head = fit->view.head;
	const ClvFitOptions *options = fit->options;
	ClvFitted  *fitted = &fit->fitted;

	clv_fitted_init(fitted);
	fitted->time_unit = options->time_unit;
	fitted->unit_days = clv_interval_days(&options->time_unit);
	fitted->occasion = head->occasion;
	fitted->spend_basis = (ClvSpendBasis) options->spend_basis;
	fitted->skipped = head->skipped;
	fitted->spend_skipped = head->spend_skipped;

	for (int64 i = 0; i < head->ncells; i++)
		fit->customers += fit->view.cells[i].count;
	if (fit->customers == 0)
	{
		char		buffer[MAXDATELEN + 1];

		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("there are no customers to fit"),
				 head->skipped == 0 ? 0
				 : options->as_of == DATEVAL_NOEND
					 ? errdetail("Histories without a purchase: " INT64_FORMAT ".", head->skipped)
					 : errdetail("Histories without a purchase up to as_of %s: " INT64_FORMAT ".",
								 clv_date_text(options->as_of, buffer), head->skipped),
				 head->skipped == 0 || options->as_of == DATEVAL_NOEND
					 ? 0
					 : errhint("Give a later as_of.")));
	}
	fitted->has_as_of = options->as_of != DATEVAL_NOEND || head->kind == CLV_CELLS_HISTORY;
	fitted->as_of = options->as_of != DATEVAL_NOEND ? options->as_of
					: head->kind == CLV_CELLS_HISTORY ? LastPurchase(fit)
													  : 0;
}

PG_FUNCTION_INFO_V1(clv_fit_final);

/* clv_fit_final(clv_cells) -> clv_model */
Datum
clv_fit_final(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work;
	SaidOnce   *said = fcinfo->flinfo->fn_extra;
	FitContext *fit;
	ClvModel   *model;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (said == NULL)
		fcinfo->flinfo->fn_extra = said =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(SaidOnce));

	work = AllocSetContextCreate(caller, "clv_fit", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(work);
	fit = palloc0(sizeof(FitContext));
	clv_cells_view(PG_GETARG_DATUM(0), &fit->view);
	fit->options = &fit->view.head->options;
	FillFrame(fit);
	FitPurchases(fit, said);
	if (strcmp(fit->options->spend, CLV_SPEND_NONE) != 0)
		FitSpend(fit, said);
	MemoryContextSwitchTo(caller);
	model = clv_fitted_pack(&fit->fitted);
	MemoryContextDelete(work);
	PG_RETURN_CLV_MODEL_P(model);
}
