/*
 * test_covariates.c
 *		Effects of covariates on purchases and churn: derivatives, peers, recoveries, and
 *		what cannot be told apart.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fitting.h"
#include "families/cell_table.h"
#include "families/covariates.h"
#include "families/registry.h"

/* Whether a family of purchases has effects of covariates. */
static bool
TakesCovariates(const ClvFamily *family)
{
	bool any = false;

	for (int i = 0; family->process == CLV_TRANSACTION && i < family->nparams; i++)
		any = any || family->purchase_effect[i] != 0 || family->churn_effect[i] != 0;
	return any;
}

/* ---- the apparel shop ---- */

typedef struct Apparel
{
	Shop shop;
	double z[2 * 1000];    /* gender and channel of each customer */
	double four[4][2];     /* the four vectors that there are */
	ClvGroups customers;   /* every customer a group */
	ClvGroups vectors;     /* a group for each vector */
	uint32_t vector[1000]; /* of each customer */
} Apparel;

/* Reads the log and the covariates of the apparel shop; false where they are not there. */
static bool
LoadApparel(Apparel *apparel)
{
	FILE *file = OpenShared("data/apparel_static_cov.csv");
	char line[256];
	char *field[3];
	uint32_t n = 0;

	if (file == NULL ||
		!LoadLog("data/apparel_log.csv", 1, DayNumber(2006, 12, 31), &apparel->shop))
		return false;
	ReadFields(file, line, sizeof(line), field, 3);
	while (ReadFields(file, line, sizeof(line), field, 3) == 3)
	{
		assert_int_equal(atoi(field[0]), n + 1);
		apparel->z[2 * n] = atof(field[1]);
		apparel->z[2 * n + 1] = atof(field[2]);
		apparel->vector[n] = 2 * (uint32_t) atoi(field[1]) + (uint32_t) atoi(field[2]);
		n++;
	}
	fclose(file);
	assert_int_equal(n, 600);
	assert_int_equal(apparel->shop.n, 600);
	for (int i = 0; i < 4; i++)
	{
		apparel->four[i][0] = i / 2;
		apparel->four[i][1] = i % 2;
	}
	apparel->customers = (ClvGroups){600, 2, apparel->z, NULL};
	apparel->vectors = (ClvGroups){4, 2, apparel->four[0], NULL};
	return true;
}

/* Makes groups of the customers with equal covariates. */
static void
UseVectors(Apparel *apparel)
{
	for (uint32_t i = 0; i < 600; i++)
		apparel->shop.cells[i].group = apparel->vector[i];
}

/* Makes every customer a group. */
static void
UseCustomers(Apparel *apparel)
{
	for (uint32_t i = 0; i < 600; i++)
		apparel->shop.cells[i].group = i;
}

/* ---- derivatives ---- */

/* The engine at a point of the search against single customers, and differences. */
static void
CheckGroups(const ClvFamily *family, const ClvCell *cells, size_t n, const ClvGroups *groups)
{
	static const double param[] = {1.8, 40, .9, 30, 20, 1};
	static const uint32_t acting[3] = {0, 0, 0};
	ClvPoll poll = {0};
	ClvCell *copy = malloc(n * sizeof(ClvCell));
	ClvCellTable engine = {
		.family = family, .cells = copy, .n = n, .poll = &poll, .groups = groups};
	ClvArena arena = {malloc(clv_fit_cells_workspace(family, n)), 0};
	int ncovariates = groups->ncovariates;
	int dimension = family->nparams + 2 * ncovariates;
	ClvCovariates covariates;
	int culprit;
	double point[CLV_MAX_DIM];
	double direct = 0;
	ClvQuadratic at;

	memcpy(copy, cells, n * sizeof(ClvCell));
	memcpy(point, param, sizeof(param));
	for (int j = 0; j < 2 * ncovariates; j++)
		point[family->nparams + j] = 0.3 - 0.2 * j + 0.05 * j * j;
	clv_cell_table_lay_out(&engine, &arena, n);
	assert_true(clv_cells_sort(&engine));
	assert_int_equal(
		clv_covariates_survey(engine.cells, engine.n, groups, acting, &poll, &covariates, &culprit),
		CLV_OK);
	for (size_t i = 0; i < engine.n; i++)
	{
		const ClvCell *cell = &engine.cells[i];
		double z[CLV_MAX_COVARIATES];
		double own[CLV_MAX_PARAMS];

		clv_covariates_of(&covariates, cell->group, z);
		clv_param_with_effects(family, point, ncovariates, point + family->nparams, z, own);
		direct += cell->count * family->log_likelihood(own, cell->x, cell->t_x, cell->T);
	}
	engine.covariates = &covariates;
	assert_true(clv_cells_sort(&engine));
	clv_cells_index(&engine);
	clv_cells_evaluate(&engine, point, &at);
	if (!(fabs(at.value - direct) < 1e-11 * fabs(direct)))
		fail_msg("%s: %.17g from tables, %.17g directly", family->name, at.value, direct);
	CheckPoint(dimension, family->nparams, point, EvaluateEngine, &engine);
	free(arena.base);
	free(copy);
}

static void
derivatives_by_effects(void **state)
{
	Apparel apparel;
	const ClvFamily *family;

	if (!LoadApparel(&apparel))
		skip();
	for (int i = 0; (family = clv_family_at(i)) != NULL; i++)
	{
		if (!TakesCovariates(family) || family->clock != CLV_CONTINUOUS)
			continue;
		UseVectors(&apparel);
		CheckGroups(family, apparel.shop.cells, 600, &apparel.vectors);
		UseCustomers(&apparel);
		CheckGroups(family, apparel.shop.cells, 600, &apparel.customers);
	}
	ShopFree(&apparel.shop);
}

/* ---- peers ---- */

/* A column of a parameter in a file of the peer package; NAN where it is not there. */
static double
PeerValue(const char *name, const char *param, int column)
{
	FILE *file = OpenShared(name);
	char line[1024];
	char *field[16];
	double value = NAN;

	while (ReadFields(file, line, sizeof(line), field, 16) >= 9)
	{
		if (strcmp(field[5], param) == 0)
			value = atof(field[column]);
	}
	fclose(file);
	assert_false(isnan(value));
	return value;
}

#define ESTIMATE 6
#define ERROR_OF 7
#define HEIGHT 8

static const char *const effects[] = {"trans.Gender", "trans.Channel", "life.Gender",
									  "life.Channel"};

/* The estimate of parameter or effect i, at covariates of 0: a parameter as its log. */
static double
AtZero(const ClvFamily *family, const ClvFitReport *report, int i, double *row)
{
	int n = report->neffects / 2;
	double value;

	memset(row, 0, CLV_MAX_DIM * sizeof(double));
	row[i] = 1;
	if (i >= family->nparams)
		return report->effect[i - family->nparams];
	value = log(report->param[i]);
	for (int j = 0; j < 2 * n; j++)
	{
		row[family->nparams + j] = -clv_effect_weight(family, n, i, j) * report->centre[j % n];
		value += row[family->nparams + j] * report->effect[j];
	}
	return value;
}

/* The standard error of what depends on parameters and effects as row says. */
static double
ErrorAlong(const ClvFamily *family, const ClvFitReport *report, const double *row)
{
	int n = family->nparams + report->neffects;
	double variance = 0;

	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < n; j++)
			variance += row[i] * row[j] * report->covariance[i > j ? CLV_AT(i, j) : CLV_AT(j, i)];
	}
	return sqrt(variance);
}

/*
 * The peer stops where its height no longer changes in the eighth digit, up to 3
 * thousandths of a standard error before the maximum.
 */
static void
AgreesInErrors(const ClvFamily *family, const ClvFitReport *report, const char *peer)
{
	assert_int_equal(report->neffects, 4);
	assert_true(report->has_covariance);
	assert_true(report->log_likelihood >= PeerValue(peer, "r", HEIGHT) - 1e-6);
	for (int i = 0; i < family->nparams + 4; i++)
	{
		bool is_effect = i >= family->nparams;
		const char *name = is_effect ? effects[i - family->nparams] : family->param_names[i];
		double row[CLV_MAX_DIM];
		double value = AtZero(family, report, i, row);
		double error = ErrorAlong(family, report, row);

		value = is_effect ? value : exp(value);
		error *= is_effect ? 1 : value;
		assert_true(fabs(value - PeerValue(peer, name, ESTIMATE)) < 5e-3 * error);
		assert_true(fabs(error / PeerValue(peer, name, ERROR_OF) - 1) < 5e-3);
	}
}

static void
peer_paretonbd(void **state)
{
	static const char peer[] = "oracles/pnbd-static_apparel-104w_params.csv";
	const ClvFamily *family = clv_family("pareto/nbd");
	Apparel apparel;
	ClvFitReport report;
	ClvFitReport single;

	if (!LoadApparel(&apparel))
		skip();
	UseVectors(&apparel);
	assert_int_equal(FitGroups(family, apparel.shop.cells, 600, &apparel.vectors, NULL, &report),
					 CLV_OK);
	AgreesInErrors(family, &report, peer);
	assert_true(report.gradient_norm < 1e-8);
	assert_true(report.iterations <= 12);

	/* the same customers, every customer a group */
	UseCustomers(&apparel);
	assert_int_equal(FitGroups(family, apparel.shop.cells, 600, &apparel.customers, NULL, &single),
					 CLV_OK);
	assert_true(fabs(report.log_likelihood - single.log_likelihood) < 1e-9);
	for (int i = 0; i < 4; i++)
	{
		assert_true(fabs(report.param[i] / single.param[i] - 1) < 1e-8);
		assert_true(fabs(report.effect[i] / single.effect[i] - 1) < 1e-8);
	}
	ShopFree(&apparel.shop);
}

/*
 * With a ridge of 10 the effects nearly vanish. The peer stops a tenth of a standard
 * error early; what both maximise is compared at both points.
 */
static void
peer_with_a_ridge(void **state)
{
	static const char peer[] = "oracles/pnbd-static-reg10_apparel-104w_params.csv";
	const ClvFamily *family = clv_family("pareto/nbd");
	ClvFitControl control = {.effect_penalty_purchase = 10, .effect_penalty_churn = 10};
	Apparel apparel;
	ClvFitReport report;
	double height;

	if (!LoadApparel(&apparel))
		skip();
	UseVectors(&apparel);
	assert_int_equal(
		FitGroups(family, apparel.shop.cells, 600, &apparel.vectors, &control, &report), CLV_OK);
	height = report.log_likelihood / 600;
	for (int i = 0; i < 4; i++)
	{
		double theirs = PeerValue(peer, family->param_names[i], ESTIMATE);
		double row[CLV_MAX_DIM];
		double ours = AtZero(family, &report, i, row);

		assert_true(fabs(ours - log(theirs)) < 0.2 * ErrorAlong(family, &report, row));
		assert_true(fabs(report.effect[i] - PeerValue(peer, effects[i], ESTIMATE)) < 2e-4);
		height -= 10 * report.effect[i] * report.effect[i];
	}
	assert_true(height >= PeerValue(peer, "r", HEIGHT) - 1e-9);
	assert_true(height < PeerValue(peer, "r", HEIGHT) + 1e-4);
	ShopFree(&apparel.shop);
}

/* One process may be held and the other left free. */
static void
each_process_has_its_ridge(void **state)
{
	const ClvFamily *family = clv_family("pareto/nbd");
	ClvFitControl control = {.effect_penalty_churn = 1e6};
	Apparel apparel;
	ClvFitReport report;

	if (!LoadApparel(&apparel))
		skip();
	UseVectors(&apparel);
	assert_int_equal(
		FitGroups(family, apparel.shop.cells, 600, &apparel.vectors, &control, &report), CLV_OK);
	for (int i = 0; i < 2; i++)
	{
		assert_true(fabs(report.effect[i]) > 0.2);
		assert_true(fabs(report.effect[2 + i]) < 1e-6);
	}
	ShopFree(&apparel.shop);
}

/*
 * Under bg/nbd this shop's likelihood rises, ever less, as a and b grow together. The
 * height that both of the peer's optimisers stopped below is reached, and the ridge is
 * called one.
 */
static void
peer_bgnbd_on_its_ridge(void **state)
{
	const ClvFamily *family = clv_family("bg/nbd");
	Apparel apparel;
	ClvFitReport report;
	ClvStatus status;

	if (!LoadApparel(&apparel))
		skip();
	UseVectors(&apparel);
	status = FitGroups(family, apparel.shop.cells, 600, &apparel.vectors, NULL, &report);
	assert_int_equal(status, CLV_DEGENERATE);
	assert_true(report.log_likelihood >=
				PeerValue("oracles/bgnbd-static_apparel-104w_params.csv", "r", HEIGHT) - 1e-6);
	ShopFree(&apparel.shop);
}

/* As ggompertz/nbd turns into pareto/nbd, b and beta vanish together. */
static void
peer_ggompertznbd_on_its_border(void **state)
{
	const ClvFamily *family = clv_family("ggompertz/nbd");
	Apparel apparel;
	ClvFitReport report;

	if (!LoadApparel(&apparel))
		skip();
	UseVectors(&apparel);
	assert_int_equal(FitGroups(family, apparel.shop.cells, 600, &apparel.vectors, NULL, &report),
					 CLV_DEGENERATE);
	assert_true(report.log_likelihood >=
				PeerValue("oracles/ggomnbd-static_apparel-104w_params.csv", "r", HEIGHT) - 1e-6);
	ShopFree(&apparel.shop);
}

/* ---- what a fit may not end below ---- */

/* Customers of a shop without any churn, of some or of much, and a covariate that says nothing. */
static void
SmallShop(int shop, size_t n, ClvCell *cells, double *z)
{
	static const double worlds[][4] = {
		{.8, 3, .2, .8}, {1e5, 3e6, .3, .1}, {2, 30, .002, 5}, {1e5, 3e6, 1e-6, 1}};
	Chance chance = 100 + (uint64_t) shop;

	for (size_t i = 0; i < n; i++)
	{
		cells[i] = DrawCustomer(&chance, worlds[shop % 4], shop % 2,
								nearbyint(7 * (20 + 60 * Uniform(&chance))) / 7, 1 / 7.0);
		z[i] = 50 * Uniform(&chance);
	}
}

/* Makes each customer a group, or all of them one. */
static void
GroupCustomers(ClvCell *cells, size_t n, bool each)
{
	for (size_t i = 0; i < n; i++)
		cells[i].group = each ? (uint32_t) i : 0;
}

/* Asserts that a fit is not lower than another, but for the order of its sums. */
static void
NotBelow(const char *what, int shop, const ClvFitReport *fit, const ClvFitReport *other)
{
	if (!(fit->log_likelihood >= other->log_likelihood - 1e-12 * fabs(other->log_likelihood)))
		fail_msg("shop %d: %s at %.17g is below %.17g", shop, what, fit->log_likelihood,
				 other->log_likelihood);
}

/*
 * Effects of 0 are those of a fit without covariates, and ggompertz/nbd is pareto/nbd at its
 * border: also where all ascents stop short of it, as they do in shops 2, 19, 26 and 39.
 */
static void
nowhere_below_what_is_contained(void **state)
{
	static const ClvFamily *const families[] = {&clv_bgnbd, &clv_mbgnbd, &clv_paretonbd,
												&clv_ggompertznbd};
	static const int shops[] = {0, 1, 2, 3, 4, 7, 9, 19, 26, 39};
	ClvCell cells[240];
	double z[240];

	for (int i = 0; i < 10; i++)
	{
		int shop = shops[i];
		size_t n = 20 + 20 * ((size_t) shop % 12);
		ClvGroups groups = {(uint32_t) n, 1, z, NULL};
		ClvFitReport before = {.log_likelihood = -INFINITY};

		SmallShop(shop, n, cells, z);
		for (int k = 0; k < 4; k++)
		{
			const ClvFamily *family = families[k];
			ClvFitReport plain;
			ClvFitReport with;

			GroupCustomers(cells, n, false);
			FitCells(family, cells, n, NULL, &plain);
			GroupCustomers(cells, n, true);
			FitGroups(family, cells, n, &groups, NULL, &with);
			NotBelow(family->name, shop, &with, &plain);
			if (family->border != NULL)
				NotBelow(family->name, shop, &with, &before);
			before = with;
		}
	}
}

/* ---- simulated shops ---- */

#define CUSTOMERS 20000

typedef struct Simulated
{
	ClvCell cells[CUSTOMERS];
	double z[2 * CUSTOMERS];
	ClvGroups groups;
} Simulated;

static const double bgnbd[] = {.6, 20, 1.2, 3};
static const double moved[] = {.5, -.02, -.8, .03};

/*
 * Customers of bg/nbd (immediate 0) or mbg/nbd: a flag and a year of birth. distinct:
 * every vector is another.
 */
static Simulated *
Simulate(int immediate, bool distinct, uint64_t seed)
{
	Simulated *shop = calloc(1, sizeof(Simulated));
	Chance chance = seed;

	for (uint32_t i = 0; i < CUSTOMERS; i++)
	{
		double *z = &shop->z[2 * i];
		double own[CLV_MAX_PARAMS];

		z[0] = Uniform(&chance) < 0.3;
		z[1] = 1950 + (distinct ? 50 * Uniform(&chance) : floor(50 * Uniform(&chance)));
		clv_param_with_effects(&clv_bgnbd, bgnbd, 2, moved, (double[]){z[0], z[1] - 1975}, own);
		shop->cells[i] = DrawCustomer(&chance, own, immediate, floor(10 + 100 * Uniform(&chance)),
									  distinct ? 0 : 1);
		shop->cells[i].group = i;
	}
	shop->groups = (ClvGroups){CUSTOMERS, 2, shop->z, NULL};
	return shop;
}

static void
recovers_simulated_effects(void **state)
{
	for (int immediate = 0; immediate < 2; immediate++)
	{
		Simulated *shop = Simulate(immediate, true, 51 + (uint64_t) immediate);
		const ClvFamily *family = immediate ? &clv_mbgnbd : &clv_bgnbd;
		double alpha = log(bgnbd[1]);
		ClvFitReport report;

		assert_int_equal(FitGroups(family, shop->cells, CUSTOMERS, &shop->groups, NULL, &report),
						 CLV_OK);
		assert_true(report.gradient_norm < 1e-8);
		assert_true(report.has_covariance);
		for (int j = 0; j < 2; j++)
			alpha -= moved[j] * (report.centre[j] - (j == 1 ? 1975 : 0));
		assert_true(fabs(log(report.param[0] / bgnbd[0])) < 4 * sqrt(report.covariance[0]));
		assert_true(fabs(log(report.param[1]) - alpha) < 4 * sqrt(report.covariance[CLV_AT(1, 1)]));
		for (int j = 0; j < 4; j++)
		{
			double error = sqrt(report.covariance[CLV_AT(4 + j, 4 + j)]);

			if (!(fabs(report.effect[j] - moved[j]) < 4 * error))
				fail_msg("effect %d is %g +- %g, not %g", j, report.effect[j], error, moved[j]);
			assert_true(fabs(moved[j]) > 3 * error || j == 3); /* there is something to see */
		}
		free(shop);
	}
}

/* Two covariates less the centre of a fit. */
static void
Centred(const ClvFitReport *report, const double *z, double *centred)
{
	for (int j = 0; j < 2; j++)
		centred[j] = z[j] - report->centre[j];
}

/* Whatever the units and the origin of a covariate, the same customers come of it. */
static void
units_of_covariates_are_free(void **state)
{
	Simulated *shop = Simulate(1, false, 61);
	ClvFitReport years;
	ClvFitReport other;
	static const double z[] = {1, 1960};
	static const double other_z[] = {-3, 15e6};
	double own[2];
	double a[CLV_MAX_PARAMS];
	double b[CLV_MAX_PARAMS];

	assert_int_equal(FitGroups(&clv_mbgnbd, shop->cells, CUSTOMERS, &shop->groups, NULL, &years),
					 CLV_OK);
	for (int i = 0; i < CUSTOMERS; i++)
	{
		shop->z[2 * i] = 2 - 5 * shop->z[2 * i];
		shop->z[2 * i + 1] = (1975 - shop->z[2 * i + 1]) * 1e6;
	}
	assert_int_equal(FitGroups(&clv_mbgnbd, shop->cells, CUSTOMERS, &shop->groups, NULL, &other),
					 CLV_OK);
	assert_true(fabs(other.log_likelihood / years.log_likelihood - 1) < 1e-12);
	Centred(&years, z, own);
	clv_param_with_effects(&clv_mbgnbd, years.param, 2, years.effect, own, a);
	Centred(&other, other_z, own);
	clv_param_with_effects(&clv_mbgnbd, other.param, 2, other.effect, own, b);
	for (int i = 0; i < 4; i++)
	{
		assert_true(fabs(a[i] / b[i] - 1) < 1e-7);
		assert_true(fabs(years.param[i] / other.param[i] - 1) < 1e-7);
	}
	assert_true(fabs(years.effect[1] / other.effect[1] + 1e6) < 1e-1);
	free(shop);
}

/* However covariates are moved, scaled and mixed: one likelihood, and effects that follow. */
static void
mixtures_of_covariates_are_free(void **state)
{
	/* covariates are mix z + shift; z are a flag and decades since 1975 */
	static const struct
	{
		double mix[2][2];
		double shift[2];
	} maps[] = {
		{{{1, 0}, {0, 1}}, {0, 2020}},    {{{1e-6, 0}, {0, 1e6}}, {0, 0}},
		{{{1e6, 0}, {0, 1e-6}}, {0, 0}},  {{{0, 1e4}, {1, 2e4}}, {0, 0}},
		{{{0, 1e4}, {100, 2e4}}, {0, 0}}, {{{1, 1e4}, {100, 2e4}}, {-3, 2020}},
	};
	Simulated *shop = Simulate(1, false, 62);
	double *z = malloc(2 * CUSTOMERS * sizeof(double));
	ClvGroups groups = {CUSTOMERS, 2, z, NULL};
	ClvFitReport plain;

	for (int i = 0; i < CUSTOMERS; i++)
		shop->z[2 * i + 1] = (shop->z[2 * i + 1] - 1975) / 10;
	assert_int_equal(FitGroups(&clv_mbgnbd, shop->cells, CUSTOMERS, &shop->groups, NULL, &plain),
					 CLV_OK);
	for (size_t k = 0; k < sizeof(maps) / sizeof(maps[0]); k++)
	{
		ClvFitReport report;

		for (int i = 0; i < CUSTOMERS; i++)
		{
			for (int j = 0; j < 2; j++)
				z[2 * i + j] = maps[k].mix[j][0] * shop->z[2 * i] +
							   maps[k].mix[j][1] * shop->z[2 * i + 1] + maps[k].shift[j];
		}
		assert_int_equal(FitGroups(&clv_mbgnbd, shop->cells, CUSTOMERS, &groups, NULL, &report),
						 CLV_OK);
		if (!(fabs(report.log_likelihood - plain.log_likelihood) < 1e-8))
			fail_msg("map %zu: %.17g, not %.17g", k, report.log_likelihood, plain.log_likelihood);
		for (int j = 0; j < 4; j++)
		{
			const double *effect = &report.effect[j / 2 * 2];
			double same = maps[k].mix[0][j % 2] * effect[0] + maps[k].mix[1][j % 2] * effect[1];

			assert_true(fabs(same - plain.effect[j]) < 1e-6);
		}
	}
	free(z);
	free(shop);
}

static void
order_changes_no_bit(void **state)
{
	for (int distinct = 0; distinct < 2; distinct++)
	{
		Simulated *shop = Simulate(1, distinct, 71);
		Chance chance = 72;
		ClvFitReport report;
		ClvFitReport shuffled;

		assert_int_equal(
			FitGroups(&clv_mbgnbd, shop->cells, CUSTOMERS, &shop->groups, NULL, &report), CLV_OK);
		for (size_t i = CUSTOMERS - 1; i > 0; i--)
		{
			size_t j = (size_t) (Uniform(&chance) * (double) (i + 1));
			ClvCell cell = shop->cells[i];

			shop->cells[i] = shop->cells[j];
			shop->cells[j] = cell;
		}
		assert_int_equal(
			FitGroups(&clv_mbgnbd, shop->cells, CUSTOMERS, &shop->groups, NULL, &shuffled), CLV_OK);
		SameBits(&clv_mbgnbd, &report, &shuffled);
		free(shop);
	}
}

static void
a_warm_start_saves_passes(void **state)
{
	Simulated *shop = Simulate(1, false, 81);
	ClvFitReport cold;
	ClvFitReport warm;
	ClvFitControl control = {.start = cold.param, .start_effects = cold.effect};
	double elsewhere[CLV_MAX_PARAMS];
	static const double z[] = {1, 1900};
	double own[2];

	assert_int_equal(FitGroups(&clv_mbgnbd, shop->cells, CUSTOMERS, &shop->groups, NULL, &cold),
					 CLV_OK);
	Centred(&cold, z, own);
	clv_param_with_effects(&clv_mbgnbd, cold.param, 2, cold.effect, own, elsewhere);
	control.max_iterations = 2; /* from no other start does it arrive */
	for (int at = 0; at < 2; at++)
	{
		assert_int_equal(
			FitGroups(&clv_mbgnbd, shop->cells, CUSTOMERS, &shop->groups, &control, &warm), CLV_OK);
		assert_true(warm.iterations <= 2 && cold.iterations > 2);
		for (int i = 0; i < 4; i++)
		{
			assert_true(fabs(warm.param[i] / cold.param[i] - 1) < 1e-6);
			assert_true(fabs(warm.effect[i] / cold.effect[i] - 1) < 1e-6);
		}
		control.start = elsewhere;
		control.start_centre = z;
	}
	free(shop);
}

/* ---- what cannot be told apart ---- */

static void
names_the_covariate_that_says_nothing(void **state)
{
	Simulated *shop = Simulate(1, false, 91);
	double *z = malloc(3 * CUSTOMERS * sizeof(double));
	ClvGroups groups = {CUSTOMERS, 3, z, NULL};
	ClvFitReport report;

	for (int kind = 0; kind < 5; kind++)
	{
		static const ClvStatus said[] = {CLV_COLLINEAR, CLV_COLLINEAR, CLV_COLLINEAR, CLV_BAD_START,
										 CLV_COLLINEAR};
		static const int culprit[] = {4 + 0, 4 + 2, 4 + 1, -1, 4 + 2};

		for (int i = 0; i < CUSTOMERS; i++)
		{
			double flag = shop->z[2 * i];
			double year = shop->z[2 * i + 1];
			double *row = &z[3 * i];

			row[0] = kind == 0 ? 0.1 : flag;
			row[1] = kind == 2 ? 1 / 3.0 - flag : year;
			row[2] = kind == 1 ? 2 * flag - year / 7 : kind == 4 ? 0 : i % 10;
			if (kind == 3 && i == 77)
				row[2] = NAN;
		}
		assert_int_equal(FitGroups(&clv_mbgnbd, shop->cells, CUSTOMERS, &groups, NULL, &report),
						 said[kind]);
		assert_int_equal(report.degenerate_param, culprit[kind]);
		assert_true(report.customers == CUSTOMERS);
	}
	free(z);
	free(shop);
}

/* A group without repeat purchases: its effect diverges, and is named. */
static void
names_the_effect_that_runs_away(void **state)
{
	Simulated *shop = Simulate(0, false, 92);
	ClvFitReport report;
	ClvStatus status;

	for (int i = 0; i < CUSTOMERS; i++)
	{
		if (shop->z[2 * i] != 0)
			shop->cells[i].x = 0, shop->cells[i].t_x = 0;
	}
	status = FitGroups(&clv_bgnbd, shop->cells, CUSTOMERS, &shop->groups, NULL, &report);
	assert_int_equal(status, CLV_DEGENERATE);
	assert_in_range(report.degenerate_param, 4, 7);
	assert_true(report.effect[0] < -3);
	assert_true(isfinite(report.log_likelihood));
	free(shop);
}

static void
refuses_nonsense(void **state)
{
	Simulated *shop = Simulate(0, false, 93);
	ClvGroups groups = shop->groups;
	ClvFitReport report;

	groups.n = 10;
	assert_int_equal(FitGroups(&clv_bgnbd, shop->cells, CUSTOMERS, &groups, NULL, &report),
					 CLV_BAD_START);
	assert_int_equal(FitGroups(&clv_bgnbd, shop->cells, CUSTOMERS, NULL, NULL, &report),
					 CLV_BAD_START);
	groups.n = CUSTOMERS;
	groups.ncovariates = CLV_MAX_COVARIATES + 1;
	assert_int_equal(FitGroups(&clv_bgnbd, shop->cells, CUSTOMERS, &groups, NULL, &report),
					 CLV_BAD_START);
	free(shop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derivatives_by_effects),
		cmocka_unit_test(peer_paretonbd),
		cmocka_unit_test(peer_with_a_ridge),
		cmocka_unit_test(each_process_has_its_ridge),
		cmocka_unit_test(peer_bgnbd_on_its_ridge),
		cmocka_unit_test(peer_ggompertznbd_on_its_border),
		cmocka_unit_test(nowhere_below_what_is_contained),
		cmocka_unit_test(recovers_simulated_effects),
		cmocka_unit_test(units_of_covariates_are_free),
		cmocka_unit_test(mixtures_of_covariates_are_free),
		cmocka_unit_test(order_changes_no_bit),
		cmocka_unit_test(a_warm_start_saves_passes),
		cmocka_unit_test(names_the_covariate_that_says_nothing),
		cmocka_unit_test(names_the_effect_that_runs_away),
		cmocka_unit_test(refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
