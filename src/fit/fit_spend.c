/*
 * fit_spend.c
 *		The spend part of a fit: the customers of known spend, and the covariates that act on it.
 *
 * Covariates that do not act are no part of it: the engine gets the others alone, and so does the
 * model. Customers who have the same values of them are one group.
 */
#include "fit/fit_private.h"

#include <math.h>

#include "miscadmin.h"

/* ---- rows for the engine ---- */

/* Customers are put into one bucket for each number of purchases; the last bucket takes all larger
 * numbers. */
#define SPEND_BUCKETS 4096

/* The bucket of a spend entry. */
static inline int
SpendBucket(const ClvSpendEntry *entry)
{
	return Min(entry->x, SPEND_BUCKETS - 1);
}

/* What the engine fits: customers of known spend, and the covariates that act on it. */
typedef struct SpendRows
{
	ClvSpendRow *rows;
	ClvGroups groups;
	int acting[CLV_MAX_COVARIATES]; /* the places of these covariates among all */
	uint32 *group;                  /* of each vector of the cells, in the order of arrival */
} SpendRows;

/* Vectors of the covariates that act, to be put in order. */
typedef struct Acting
{
	int n;
	const double *values;
} Acting;

/* The order of two vectors by their numbers; arg is the Acting. */
static int
CompareActing(const void *a, const void *b, void *arg)
{
	const Acting *acting = arg;

	return clv_vector_compare(acting->values + (int64) * (const uint32 *) a * acting->n,
							  acting->values + (int64) * (const uint32 *) b * acting->n, acting->n);
}

/* The values of the covariates that act, of every vector of the cells. */
static double *
ActingValues(const FitContext *fit, const SpendRows *spend)
{
	const ClvCellsHead *head = fit->view.head;
	int n = spend->groups.ncovariates;
	int before = fit->options->npath > 0; /* the mark of the path */
	double *values = clv_fit_alloc(head->nvectors * n, sizeof(double));

	for (int64 i = 0; i < head->nvectors; i++)
		for (int j = 0; j < n; j++)
			values[i * n + j] = fit->view.vectors[i * head->width + before + spend->acting[j]];
	return values;
}

/* Sets the groups, different values of the covariates that act, in order, and those of the vectors.
 */
static void
SetGroups(const FitContext *fit, SpendRows *spend)
{
	int64 nvectors = fit->view.head->nvectors;
	Acting acting = {spend->groups.ncovariates, ActingValues(fit, spend)};
	uint32 *order = clv_fit_alloc(nvectors, sizeof(uint32));
	double *z = clv_fit_alloc(nvectors * acting.n, sizeof(double));
	uint32 n = 0;

	spend->group = clv_fit_alloc(nvectors, sizeof(uint32));
	for (int64 i = 0; i < nvectors; i++)
		order[i] = (uint32) i;
	qsort_arg(order, nvectors, sizeof(uint32), CompareActing, &acting);
	for (int64 i = 0; i < nvectors; i++)
	{
		if (i == 0 || CompareActing(&order[i - 1], &order[i], &acting) != 0)
			memcpy(z + (int64) n++ * acting.n, acting.values + (int64) order[i] * acting.n,
				   acting.n * sizeof(double));
		spend->group[order[i]] = n - 1;
	}
	spend->groups.n = n;
	spend->groups.z = z;
}

/* Rows for the engine, ordered by number of purchases, so that less is left for it to sort. */
static ClvSpendRow *
EngineSpend(const FitContext *fit, const SpendRows *spend)
{
	const ClvSpendEntry *entries = fit->view.spend;
	int64 n = fit->view.head->nspend;
	ClvSpendRow *rows = clv_fit_alloc(n, sizeof(ClvSpendRow));
	int64 *place = palloc0(SPEND_BUCKETS * sizeof(int64));
	int64 before = 0;

	for (int64 i = 0; i < n; i++)
		place[SpendBucket(&entries[i])]++;
	for (int x = 0; x < SPEND_BUCKETS; x++)
	{
		int64 count = place[x];

		place[x] = before;
		before += count;
	}
	for (int64 i = 0; i < n; i++)
	{
		ClvSpendRow *row = &rows[place[SpendBucket(&entries[i])]++];

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		row->x = entries[i].x;
		row->mean = ClvSpendMean(&entries[i]);
		row->group = spend->group == NULL ? 0 : spend->group[entries[i].vector];
	}
	pfree(place);
	return rows;
}

/* The rows, and the groups of those covariates that the options let act. */
static void
FindRows(const FitContext *fit, SpendRows *spend)
{
	const ClvFitOptions *options = fit->options;

	memset(spend, 0, sizeof(*spend));
	for (int i = 0; i < options->ncovariates; i++)
		if (options->acts_on_spend >> i & 1)
			spend->acting[spend->groups.ncovariates++] = i;
	if (spend->groups.ncovariates > 0)
		SetGroups(fit, spend);
	spend->rows = EngineSpend(fit, spend);
}

#define ST_SORT SortSpendRows
#define ST_ELEMENT_TYPE ClvSpendRow
#define ST_COMPARE(a, b)                                                                           \
	((a)->x != (b)->x ? ((a)->x < (b)->x ? -1 : 1)                                                 \
					  : ((a)->mean < (b)->mean ? -1 : (a)->mean > (b)->mean))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Correlation of the number of purchases and their mean. Summed in a fixed order:
 * the engine has sorted the rows, so that sorting again takes one pass.
 */
static double
SpendCorrelation(ClvSpendRow *rows, int64 n)
{
	double mean_x = 0;
	double mean_m = 0;
	double xx = 0;
	double mm = 0;
	double xm = 0;

	SortSpendRows(rows, n);
	for (int64 i = 0; i < n; i++)
	{
		mean_x += rows[i].x / (double) n;
		mean_m += rows[i].mean / (double) n;
	}
	for (int64 i = 0; i < n; i++)
	{
		double x = rows[i].x - mean_x;
		double m = rows[i].mean - mean_m;

		xx += x * x;
		mm += m * m;
		xm += x * m;
	}
	return xm / sqrt(xx) / sqrt(mm); /* NaN where one of them is constant */
}

/* Whether the fit gave a spend model; a WARNING, not an error, where it did not: the purchases are
 * still fitted. */
static bool
HasSpendModel(const FitContext *fit, ClvStatus status, const ClvFamily *family,
			  const ClvFitReport *report, int64 n)
{
	if (clv_fit_shortfall(status) < 2 && clv_fit_usable(family, report))
		return true;
	ereport(WARNING,
			(errmsg("the model has no spend part: \"%s\" could not be fitted", family->name),
			 errdetail(status == CLV_BAD_START ? "The likelihood of the spend of " INT64_FORMAT
												 " customers is not finite at the start. %s"
											   : "The spend of " INT64_FORMAT
												 " customers is known, which is too few "
												 "or all the same. %s",
					   n, clv_fit_which(fit)),
			 errhint("Predictions of purchases are not affected. Use clv_options(spend => 'none') "
					 "to fit purchases alone.")));
	return false;
}

/* Warn where the expected spend of a new customer is infinite. */
static void
WarnInfiniteSpend(const FitContext *fit, const ClvFamily *family, const double *param)
{
	if (isfinite(family->expected_spend(param, 0, 0)))
		return;
	ereport(WARNING,
			(errmsg("the mean spend of new customers is infinite under the fitted \"%s\"",
					family->name),
			 errdetail("The parameters are %s. %s", clv_fit_parameter_text(family, param),
					   clv_fit_which(fit)),
			 errhint("Predictions of spend are NULL for customers with too few purchases; look "
					 "for outliers among the amounts, or use shape_penalty.")));
}

/* ---- the fit ---- */

/* Names the covariates in the part, and in *named the effect of the report as all covariates count
 * them. */
static void
SetNames(FitContext *fit, const SpendRows *spend, const ClvFitReport *report, ClvFitReport *named)
{
	ClvModelPart *part = &fit->fitted.spend;
	int nparams = clv_family(fit->options->spend)->nparams;
	int n = spend->groups.ncovariates;
	int which = report->degenerate_param - nparams;

	part->ncovariates = n;
	for (int i = 0; i < n; i++)
		strlcpy(part->covariate[i], clv_fit_covariate_name(fit, spend->acting[i]), NAMEDATALEN);
	*named = *report;
	if (which >= 0 && which < n)
		named->degenerate_param = nparams + spend->acting[which];
}

/* One fit of the family to the rows, and the limits by the profile where the options ask for them.
 */
static ClvStatus
FitRows(const FitContext *fit, const ClvFamily *family, const SpendRows *spend,
		ClvFitReport *report, ClvLimits *limits)
{
	bool warm = strcmp(fit->options->start_spend, fit->options->spend) == 0;
	int64 n = fit->view.head->nspend;
	void *workspace = clv_fit_alloc(clv_fit_spend_workspace(family, n, spend->groups.n), 1);
	ClvFitControl control;
	ClvPrior prior;
	ClvStatus status;

	clv_fit_control(&control, fit->options, warm ? fit->options->start_spend_param : NULL);
	control.idle_purchase = control.idle_churn = control.same = 0; /* all that are there act */
	control.prior = clv_fit_prior(fit, family, &prior);
	memset(report, 0, sizeof(*report));
	status = clv_fit_spend(family, spend->rows, n, &spend->groups, &control, workspace, report);
	if (fit->options->profile > 0 && status == CLV_OK)
		clv_limits_spend(family, spend->rows, n, &spend->groups, &control, workspace, report,
						 clv_normal_width(fit->options->profile), limits);
	pfree(workspace);
	return status;
}

void
clv_fit_spend_part(FitContext *fit, SaidOnce *said)
{
	const ClvFamily *family = clv_family(fit->options->spend);
	int64 n = fit->view.head->nspend;
	SpendRows spend;
	ClvFitReport report;
	ClvFitReport named;
	ClvLimits limits = {0};
	ClvStatus status;

	if (n == 0 && !clv_fit_has_proper_prior(fit, family))
	{
		if (!said->no_spend)
			ereport(NOTICE, (errmsg("the model has no spend part: no positive amounts are known"),
							 errdetail("%s", clv_fit_which(fit)),
							 errhint("Use clv_options(spend => 'none') to fit purchases alone.")));
		said->no_spend = true;
		return;
	}
	FindRows(fit, &spend);
	status = FitRows(fit, family, &spend, &report, &limits);
	fit->fitted.frequency_spend_correlation = SpendCorrelation(spend.rows, n);
	pfree(spend.rows);
	SetNames(fit, &spend, &report, &named);
	if (status == CLV_COLLINEAR)
		clv_fit_raise(fit, status, family, &named);
	if (!HasSpendModel(fit, status, family, &report, n))
		return;
	clv_fit_warn(fit, status, family, &named);
	clv_fit_fill(&fit->fitted.spend, family, status, &report, n);
	clv_fit_keep_prior(fit, &report, &fit->fitted.spend);
	if (fit->options->profile > 0)
		clv_fit_keep_limits(fit, &limits, &fit->fitted.spend);
	clv_fit_say_loose(fit, &fit->fitted.spend, said);
	WarnInfiniteSpend(fit, family, report.param);
}
