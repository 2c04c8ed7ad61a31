/*
 * fit_purchases.c
 *		The purchase part of a fit: which family, which Erlang shape, with what.
 */
#include "fit/fit_private.h"

#include <math.h>

#include "families/clocks.h"

#include "utils/float.h"

/* ---- rows for the engine ---- */

/* What the engine fits: cells in the model's time unit, and what their customers share. */
typedef struct Rows
{
	ClvCell *cells;
	size_t n;
	ClvGroups groups;
	FitPaths paths;    /* of customers who have them */
	ClvCourse *course; /* NULL: no calendar */
} Rows;

/*
 * The vectors in order, and for each of them its place: while cells grow their numbers
 * are those of arrival, which must not influence a fit.
 */
static uint32 *
SortVectors(const FitContext *fit, double **sorted)
{
	const ClvCellsHead *head = fit->view.head;
	uint32 *rank = clv_fit_alloc(head->nvectors, sizeof(uint32));
	uint32 *order = clv_fit_alloc(head->nvectors, sizeof(uint32));

	*sorted = clv_fit_alloc(head->nvectors * head->width, sizeof(double));
	clv_vectors_rank(&fit->view, rank, order);
	for (int64 i = 0; i < head->nvectors; i++)
		memcpy(*sorted + i * head->width, fit->view.vectors + (int64) order[i] * head->width,
			   head->width * sizeof(double));
	pfree(order);
	return rank;
}

/* An error where all outcomes are the same: nothing can be estimated from them. */
static void
CheckOutcomes(const FitContext *fit, const ClvGroups *groups)
{
	if (groups->n > 1 || clv_fit_has_proper_prior(fit, clv_fit_family(fit->options)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("cannot fit \"%s\": %s of the " INT64_FORMAT
					" customers bought in the period after",
					fit->options->model, groups->outcome[0] > 0 ? "all" : "none", fit->customers),
			 errdetail("%s", clv_fit_which(fit)),
			 groups->outcome[0] > 0
				 ? 0
				 : errhint("The outcome is what happens in the time_unit after as_of: give an "
						   "as_of at least that long before the end of the data.")));
}

/* Set the ages of a row in campaigns, which follow the calendar. */
static void
InCampaigns(const FitContext *fit, const ClvCellEntry *cell, ClvCell *row)
{
	const ClvGrid *grid = &fit->counting.grid;
	ClvSteps steps;

	clv_steps_from(&steps, grid, cell->since);
	row->t_x = clv_steps_campaigns(&steps, cell->until);
	row->T = clv_steps_campaigns(&steps, clv_grid_over(grid, fit->fitted.as_of));
}

/* Fill the rows for the engine: ages in the model's time unit, vectors in order. */
static void
EngineRows(const FitContext *fit, Rows *rows)
{
	const ClvCellsHead *head = fit->view.head;
	double unit = fit->fitted.unit_days;
	double *vectors = NULL;
	uint32 *rank = NULL;

	memset(rows, 0, sizeof(*rows));
	rows->n = head->ncells;
	rows->cells = clv_fit_alloc(rows->n, sizeof(ClvCell));
	if (head->width > 0)
	{
		bool supervised = clv_fit_clock(fit->options) == CLV_CAMPAIGNS;

		rank = SortVectors(fit, &vectors);
		if (fit->options->npath > 0)
			clv_fit_path_groups(fit, vectors, rank, &rows->paths);
		rows->groups.n = rows->paths.npaths > 0 ? rows->paths.ngroups : (uint32) head->nvectors;
		rows->groups.ncovariates = supervised ? 0 : fit->options->ncovariates;
		rows->groups.z = supervised ? NULL : rows->paths.npaths > 0 ? rows->paths.z : vectors;
		rows->groups.outcome = supervised ? vectors : NULL;
		if (supervised)
			CheckOutcomes(fit, &rows->groups);
	}
	for (size_t i = 0; i < rows->n; i++)
	{
		const ClvCellEntry *cell = &fit->view.cells[i];
		ClvCell *row = &rows->cells[i];

		row->x = cell->x;
		row->group = rank != NULL ? rank[cell->vector] : 0;
		row->count = cell->count;
		if (head->kind == CLV_CELLS_HISTORY && clv_fit_clock(fit->options) == CLV_CAMPAIGNS)
			InCampaigns(fit, cell, row);
		else if (head->kind == CLV_CELLS_HISTORY)
		{
			row->t_x = (cell->until - cell->since) / unit;
			row->T = (fit->fitted.as_of - cell->since) / unit;
		}
		else
		{
			bool periods = head->kind == CLV_CELLS_PERIODS;

			row->t_x = periods ? cell->since : ClvBitsDouble(cell->since);
			row->T = periods ? cell->until : ClvBitsDouble(cell->until);
		}
	}
	if (rank != NULL)
		pfree(rank);
}

/* ---- one family ---- */

/* One family's attempt, to be compared with the others'. */
typedef struct Attempt
{
	ClvStatus status;
	ClvFitReport report;
	ClvModelPart part;
	double grid;            /* log-likelihood that the grid of days lends to this shape */
	struct Attempt *before; /* made earlier on the same rows, or NULL */
} Attempt;

/*
 * The attempt at the family that this one contains, where it began without a start: the
 * engine would make it again, to the bit. NULL: there is none.
 */
static const Attempt *
FindContained(const FitContext *fit, const ClvFamily *family, const Attempt *before)
{
	const char *name = family->border != NULL ? family->border : family->core;

	if (name == NULL || fit->options->start_model[0] != '\0')
		return NULL;
	while (before != NULL && strcmp(before->part.family->name, name) != 0)
		before = before->before;
	return before;
}

/* Sets the effects and centres to start from: those of the customers' covariates are known. */
static void
SetStart(const FitContext *fit, double *effect, double *centre)
{
	const ClvFitOptions *options = fit->options;
	int own = options->ncovariates;
	int n = clv_fit_ncovariates(fit);

	memset(effect, 0, 2 * n * sizeof(double));
	memset(centre, 0, n * sizeof(double));
	memcpy(effect, options->start_effect, own * sizeof(double));
	memcpy(effect + n, options->start_effect + own, own * sizeof(double));
	memcpy(centre, options->start_centre, own * sizeof(double));
}

/* Sets the control of a fit but for its start; fixed: as below. */
static void
SetControl(const FitContext *fit, const ClvFamily *family, const Rows *rows, const double *fixed,
		   ClvPrior *prior, ClvFitControl *control)
{
	clv_fit_control(control, fit->options, NULL);
	control->fixed = fixed;
	control->prior = clv_fit_prior(fit, family, prior);
	control->course = rows->course;
	if (fit->given < clv_fit_ncovariates(fit)) /* what the fit makes itself moves purchases alone */
		control->idle_churn |= ~(((uint32) 1 << fit->given) - 1);
}

/*
 * One fit of a family; fixed: values of parameters that are not searched; contained: the attempt
 * at a family it contains, or NULL.
 */
static ClvStatus
FitOnce(const FitContext *fit, const ClvFamily *family, Rows *rows, const double *fixed,
		const Attempt *contained, ClvFitReport *report)
{
	const ClvFitOptions *options = fit->options;
	bool warm = clv_fit_starts(options, family);
	void *workspace = clv_fit_alloc(clv_fit_cells_workspace(family, rows->n), 1);
	double effect[CLV_MAX_EFFECTS];
	double centre[CLV_MAX_COVARIATES];
	ClvFitControl control;
	ClvPrior prior;
	ClvStatus status;

	SetControl(fit, family, rows, fixed, &prior, &control);
	control.start = warm ? options->start_model_param : NULL;
	if (warm && options->ncovariates > 0)
	{
		SetStart(fit, effect, centre);
		control.start_effects = effect;
		control.start_centre = centre;
	}
	if (contained != NULL)
	{
		control.contained = &contained->report;
		control.contained_status = contained->status;
	}
	memset(report, 0, sizeof(*report));
	report->degenerate_param = -1;
	status = clv_fit_cells(family, rows->cells, &rows->n, rows->groups.n > 0 ? &rows->groups : NULL,
						   &control, workspace, report);
	pfree(workspace);
	clv_fit_centre(fit, report);
	return status;
}

/*
 * The part of the log-likelihood that the engine leaves out, as only k changes it. Where times go
 * by a calendar, the engine has the times between purchases.
 */
static double
ErlangConstant(const FitContext *fit, const Rows *rows, double k)
{
	const ClvLogTimes *times = &fit->view.head->times;
	double ln_days = ldexp((double) times->coarse, -20) + ldexp((double) times->fine, -50);
	double purchases = 0;

	for (int64 i = 0; i < fit->view.head->ncells; i++)
		purchases += (double) fit->view.cells[i].x * fit->view.cells[i].count;
	return clv_mbgcnbd_constant(
		k, purchases, rows->course != NULL ? 0 : ln_days - purchases * log(fit->fitted.unit_days));
}

/*
 * What shape 1 gains on the grid of the histories, where purchases of one occasion count
 * once, so that times between them are whole and at least 1, and random ones look regular.
 * A gap of g occasions then has a probability, that of a random time in (g - 1, g]: nearly
 * the density at its middle, half an occasion earlier. So it is the log-likelihood with all
 * times shorter by half an occasion a purchase, less the one without a change. The densities of
 * larger shapes at whole gaps add up to no more than 1 and are fair as they are.
 */
static double
GridGain(const FitContext *fit, const ClvFamily *family, const Rows *rows, int place,
		 double log_likelihood)
{
	double half = fit->view.head->occasion / (2 * fit->fitted.unit_days);
	double fixed[CLV_MAX_PARAMS] = {0};
	Rows shorter = *rows;
	ClvFitReport report;
	ClvStatus status;

	shorter.cells = clv_fit_alloc(rows->n, sizeof(ClvCell));
	memcpy(shorter.cells, rows->cells, rows->n * sizeof(ClvCell));
	for (size_t i = 0; i < shorter.n; i++)
	{
		ClvCell *cell = &shorter.cells[i];

		cell->t_x = Max(cell->t_x - cell->x * half, 0);
		cell->T = Max(cell->T - cell->x * half, cell->t_x);
	}
	fixed[place] = 1;
	status = FitOnce(fit, family, &shorter, fixed, NULL, &report);
	pfree(shorter.cells);
	return clv_fit_shortfall(status) < 2 ? Max(report.log_likelihood - log_likelihood, 0) : 0;
}

/*
 * The shapes from 1 on, as long as they get better; or the one that is asked for. Without
 * the times between purchases there is only 1, whose likelihood needs none. grid: what
 * comparisons of a larger shape with families of random times must leave out.
 */
static ClvStatus
FitErlang(const FitContext *fit, const ClvFamily *family, Rows *rows, int place,
		  ClvFitReport *report, double *grid)
{
	int first = Max(fit->options->k, 1);
	int last = fit->options->k > 0 ? first : CLV_MAX_K;
	ClvStatus status = CLV_BAD_START;
	ClvFitReport one;
	ClvStatus one_status = CLV_BAD_START;

	if (!fit->view.head->with_times)
	{
		if (first > 1)
			ereport(
				ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" with k = %d needs the times between purchases", family->name,
						first),
				 errdetail("%s", clv_fit_which(fit)),
				 fit->view.head->kind == CLV_CELLS_SUMMARY
					 ? errhint("Summaries do not contain them: fit histories, or use k => 1.")
					 : errhint("Count the cells with clv_options(model => '%s').", family->name)));
		last = 1;
	}
	for (int k = first; k <= last; k++)
	{
		double fixed[CLV_MAX_PARAMS] = {0};
		ClvFitReport next;
		ClvStatus next_status;

		fixed[place] = k;
		next_status = FitOnce(fit, family, rows, fixed, NULL, &next);
		next.log_likelihood += ErlangConstant(fit, rows, k);
		if (k > first && (clv_fit_shortfall(next_status) > clv_fit_shortfall(status) ||
						  !(clv_fit_height(&next) > clv_fit_height(report))))
			break;
		*report = next;
		status = next_status;
		if (k == 1)
		{
			one = next;
			one_status = status;
		}
		if (clv_fit_shortfall(status) == 2)
			break;
	}
	if (first > 1 || report->param[place] == 1 || clv_fit_shortfall(status) == 2)
		return status;
	*grid = GridGain(fit, family, rows, place, one.log_likelihood);
	if (clv_fit_height(report) - *grid > clv_fit_height(&one))
		return status;
	*grid = 0;
	*report = one;
	return one_status;
}

/* Fit a family, of those with an Erlang shape with the best shape; before: earlier attempts. */
static ClvStatus
FitFamily(const FitContext *fit, const ClvFamily *family, Rows *rows, const Attempt *before,
		  ClvFitReport *report, double *grid)
{
	int k = clv_fit_fixed(family, "k");

	return k >= 0 ? FitErlang(fit, family, rows, k, report, grid)
				  : FitOnce(fit, family, rows, NULL, FindContained(fit, family, before), report);
}

/* ---- the best of all ---- */

/*
 * Whether 'auto' may choose the family: all it tries must explain the same times. An
 * Erlang shape that is known to be 1 is another name for a family that is there anyway.
 */
static bool
IsCandidate(const FitContext *fit, const ClvFamily *family)
{
	if (clv_fit_follows(fit->options) && family->clocked == NULL)
		return false;
	return family->process == CLV_TRANSACTION && family->clock == CLV_CONTINUOUS &&
		   !family->on_request && (clv_fit_fixed(family, "k") < 0 || fit->view.head->with_times) &&
		   (fit->options->ncovariates == 0 || clv_model_takes_effect(family, false));
}

/* A part with the covariates of the options, and nothing else. */
static void
InitPart(const FitContext *fit, ClvModelPart *part)
{
	*part = fit->fitted.purchase;
	part->ncovariates = clv_fit_ncovariates(fit);
	for (int i = 0; i < part->ncovariates; i++)
		strlcpy(part->covariate[i], clv_fit_covariate_name(fit, i), NAMEDATALEN);
	part->calendar = fit->packed;
	part->followed = fit->calendar.nnames;
	part->awaited = fit->options->npath;
}

/* An attempt at a family; before: the attempts that were made already. */
static Attempt *
Try(const FitContext *fit, const ClvFamily *family, Rows *rows, Attempt *before)
{
	Attempt *attempt = palloc0(sizeof(Attempt));

	attempt->before = before;
	attempt->status = FitFamily(fit, family, rows, before, &attempt->report, &attempt->grid);
	InitPart(fit, &attempt->part);
	clv_fit_fill(&attempt->part, family, attempt->status, &attempt->report, fit->customers);
	clv_fit_keep_prior(fit, &attempt->report, &attempt->part);
	return attempt;
}

/* A fit that converged is better than any that did not; else by BIC, on the grid of the days. */
static bool
IsBetter(const Attempt *a, const Attempt *b)
{
	int a_shortfall = clv_fit_shortfall(a->status);
	int b_shortfall = clv_fit_shortfall(b->status);

	if (a_shortfall != b_shortfall)
		return a_shortfall < b_shortfall;
	return clv_model_bic(&a->part) + 2 * a->grid < clv_model_bic(&b->part) + 2 * b->grid;
}

/*
 * Of one family with other seasons, what did not converge has reached its likelihood all the same,
 * as at the border of the parameters; it must be better by this much of BIC, strong evidence.
 */
#define BETTER_UNCONVERGED 10.0

/* The same of two seasons of one family: the BIC decides, of fits that have one. */
static bool
IsBetterSeason(const Attempt *a, const Attempt *b)
{
	bool a_converged = clv_fit_shortfall(a->status) == 0;
	bool b_converged = clv_fit_shortfall(b->status) == 0;

	if (clv_fit_shortfall(a->status) == 2 || clv_fit_shortfall(b->status) == 2)
		return IsBetter(a, b);
	return clv_model_bic(&a->part) + BETTER_UNCONVERGED * (b_converged - a_converged) <
		   clv_model_bic(&b->part);
}

/* Keep an attempt that was not chosen as a candidate of the model, in order of BIC. */
static void
KeepCandidate(ClvModel *fitted, const Attempt *attempt)
{
	bool fits = clv_fit_shortfall(attempt->status) < 2;
	ClvCandidate candidate = {attempt->part.family, attempt->status == CLV_OK, get_float8_nan(),
							  get_float8_nan()};
	int i;

	if (fitted->ncandidates == CLV_MAX_CANDIDATES)
		return;
	if (fits)
	{
		candidate.log_likelihood = attempt->report.log_likelihood;
		candidate.bic = clv_model_bic(&attempt->part);
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
static Attempt *
TryAll(FitContext *fit, Rows *rows)
{
	const ClvFamily *family;
	Attempt *best = NULL;
	Attempt *attempt = NULL;

	for (int i = 0; (family = clv_family_at(i)) != NULL; i++)
	{
		if (!IsCandidate(fit, family))
			continue;
		attempt = Try(fit, family, rows, attempt);
		if (best == NULL)
			best = attempt;
		else if (IsBetter(attempt, best))
		{
			KeepCandidate(&fit->fitted, best);
			best = attempt;
		}
		else
			KeepCandidate(&fit->fitted, attempt);
	}
	return best;
}

/* Sets the course to that of the calendar and the paths, in place of the one before. */
static void
SetCourse(FitContext *fit, Rows *rows)
{
	clv_fit_free_course(rows->course);
	rows->course = NULL;
	rows->course = clv_fit_course(fit, &rows->paths);
}

/* An attempt at a family, by a calendar (NULL: none). */
static Attempt *
TryCalendar(FitContext *fit, const ClvFamily *family, Rows *rows, ClvCalendar *calendar)
{
	clv_fit_follow(fit, calendar);
	SetCourse(fit, rows);
	return Try(fit, family, rows, NULL);
}

/* The terms of the calendar that are fitted, for a message: "2 harmonics and a trend". */
static char *
SeasonText(ClvSeason season)
{
	char *text = season.months           ? "a level a month"
				 : season.harmonics == 1 ? "1 harmonic"
				 : season.harmonics > 1  ? psprintf("%d harmonics", season.harmonics)
										 : "no season";

	return season.trend ? psprintf("%s and a trend", text) : text;
}

/* Says once a query what the BIC has chosen, where it had the choice. */
static void
SayChosen(const FitContext *fit, ClvSeason chosen, SaidOnce *said)
{
	if (said->season ||
		(fit->options->season != CLV_SEASON_AUTO && fit->options->trend != CLV_TREND_AUTO))
		return;
	said->season = true;
	ereport(NOTICE, (errmsg("the BIC chooses %s", SeasonText(chosen)),
					 fit->options->season == CLV_SEASON_AUTO && !clv_fit_has_years(fit)
						 ? errdetail("No season was tried, as it takes fifteen months of data. %s",
									 clv_fit_which(fit))
						 : errdetail("%s", clv_fit_which(fit))));
}

/* Covariates that a fit may have for a season, beside its other ones and a trend. */
static int
Room(const FitContext *fit)
{
	return CLV_MAX_COVARIATES - fit->given - (fit->options->trend != CLV_TREND_NONE);
}

/* Seasons to choose from: none, harmonics, and a level a month. */
#define MOST_SEASONS (CLV_SEASON_MOST + 2)

/* Sets the seasons, but for a trend, that the options let the fit choose from; returns how many. */
static int
ListSeasons(const FitContext *fit, ClvSeason *season)
{
	int asked = fit->options->season;
	int harmonics;
	int n = 1;

	season[0] = (ClvSeason){.harmonics = asked <= CLV_SEASON_MOST ? asked : 0,
							.months = asked == CLV_SEASON_MONTH};
	if (asked != CLV_SEASON_AUTO || !clv_fit_has_years(fit))
		return n;
	harmonics = Max(Min(Room(fit) / 2, CLV_SEASON_MOST), 0);
	for (int i = 1; i <= harmonics; i++)
		season[n++] = (ClvSeason){.harmonics = i};
	if (Room(fit) >= CLV_SEASON_LEVELS)
		season[n++] = (ClvSeason){.months = true};
	return n;
}

/* The seasons and trends that the options ask for, the one of the best BIC. */
static Attempt *
TrySeasons(FitContext *fit, const ClvFamily *family, Rows *rows, SaidOnce *said)
{
	ClvTrend trend = fit->options->trend;
	ClvSeason season[MOST_SEASONS];
	int n = ListSeasons(fit, season);
	Attempt *best = NULL;
	ClvSeason chosen = {0};

	for (int with = trend == CLV_TREND_TRUE; with <= (trend != CLV_TREND_NONE); with++)
		for (int i = 0; i < n; i++)
		{
			Attempt *attempt;

			season[i].trend = with == 1;
			attempt = TryCalendar(fit, family, rows, clv_fit_season(fit, season[i]));
			if (best != NULL && !IsBetterSeason(attempt, best))
				continue;
			best = attempt;
			chosen = season[i];
		}
	clv_fit_follow(fit, best->part.calendar);
	SayChosen(fit, chosen, said);
	return best;
}

/* Find the limits of the attempt's parameters by the profile, where the options ask for them. */
static void
FindLimits(FitContext *fit, Rows *rows, Attempt *made)
{
	const ClvFamily *family = made->part.family;
	void *workspace;
	ClvFitControl control;
	ClvLimits limits = {0};
	ClvPrior prior;

	if (fit->options->profile == 0)
		return;
	if (made->status == CLV_OK)
	{
		workspace = clv_fit_alloc(clv_fit_cells_workspace(family, rows->n), 1);
		SetCourse(fit, rows);
		SetControl(fit, family, rows, made->report.param, &prior, &control);
		clv_limits_cells(family, rows->cells, &rows->n, rows->groups.n > 0 ? &rows->groups : NULL,
						 &control, workspace, &made->report,
						 clv_normal_width(fit->options->profile), &limits);
		pfree(workspace);
	}
	clv_fit_keep_limits(fit, &limits, &made->part);
}

void
clv_fit_purchases(FitContext *fit, SaidOnce *said)
{
	const ClvFamily *family;
	Attempt *made;
	Rows rows;

	EngineRows(fit, &rows);
	SetCourse(fit, &rows);
	family = clv_fit_family(fit->options);
	made = NULL;
	if (strcmp(fit->options->model, CLV_MODEL_AUTO) == 0)
	{
		made = TryAll(fit, &rows);
		family = made->part.family;
	}
	if (fit->options->season != 0 || fit->options->trend != CLV_TREND_NONE)
		made = TrySeasons(fit, family, &rows, said);
	else if (made == NULL)
		made = Try(fit, family, &rows, NULL);
	family = made->part.family;
	clv_fit_raise(fit, made->status, family, &made->report);
	if (!clv_fit_usable(family, &made->report))
		clv_fit_raise_unusable(fit, family, &made->report);
	clv_fit_warn(fit, made->status, family, &made->report);
	FindLimits(fit, &rows, made);
	pfree(rows.cells);
	fit->fitted.purchase = made->part;
	clv_fit_say_loose(fit, &fit->fitted.purchase, said);
	clv_fit_say_one_time_alive(fit, family, made->report.param, said);
}
