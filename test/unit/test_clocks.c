/*
 * test_clocks.c
 *		Customers whose rates follow a calendar: reference values (test/oracle/calendar_oracle.py
 *		says what they are from), published and synthetic ones, the plain families where nothing
 *		changes with time, and derivatives against differences.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "families/beta_geometric.h"
#include "families/clocks.h"
#include "families/lifetime.h"
#include "families/registry.h"
#include "oracle.h"
#include "shop.h"

#define MOST_STEPS 400
#define MOST_Z 3

/* A calendar of a test, with room for its stretches. */
typedef struct Steps
{
	int n;
	int ncovariates;
	double from[MOST_STEPS];
	double z[MOST_STEPS * MOST_Z];
	ClvStretch stretch[MOST_STEPS];
} Steps;

/* The clocks of the steps at these effects. */
static ClvClocks
ClocksOf(Steps *steps, const double *effect)
{
	clv_clocks_set(steps->stretch, steps->n, steps->from, steps->z, steps->ncovariates, effect);
	return (ClvClocks){steps->n, steps->stretch, steps->ncovariates, steps->z};
}

/* The steps from a time on, counted from there. */
static Steps
From(const Steps *steps, double t)
{
	Steps later = {.ncovariates = steps->ncovariates};
	int width = steps->ncovariates;

	for (int i = 0; i < steps->n; i++)
	{
		if (i + 1 < steps->n && steps->from[i + 1] <= t)
			continue;
		later.from[later.n] = later.n == 0 ? 0 : steps->from[i] - t;
		memcpy(later.z + later.n * width, steps->z + i * width, width * sizeof(double));
		later.n++;
	}
	return later;
}

static void
Close(const char *what, double actual, double expected, double tolerance)
{
	if (!(RelativeError(actual, expected) <= tolerance))
		fail_msg("%s is %.17g, not %.17g", what, actual, expected);
}

/* The quantities of a known customer, and of one given alive. */
typedef struct Known
{
	const ClvFamily *family;
	ClvFuture future;
	double ln_p_alive;
	Steps later;
	ClvClocks clocks;
} Known;

/* Sets *silence to a customer at a time in a stretch. */
static void
Silent(const ClvClocks *clocks, int stretch, double t, double T, const ClvLeft *left,
	   ClvSilence *silence)
{
	const ClvStretch *now = &clocks->stretch[stretch];
	const ClvStretch *last = &clocks->stretch[clocks->n - 1];

	*silence = (ClvSilence){.since = t - now->from,
							.length = clv_clocks_until(clocks, stretch, T) - t,
							.a = now->a,
							.c = now->c,
							.b = now->b + now->a * (t - now->from),
							.d = now->d + now->c * (t - now->from),
							.b_end = last->b + last->a * (T - last->from),
							.d_end = last->d + last->c * (T - last->from),
							.odds = silence->odds,
							.left = left != NULL ? left + stretch : NULL};
}

/* P(alive) is that from the odds of the stretches, from the last one down. */
static void
CheckOdds(const ClvFamily *family, const double *param, double x, const ClvClocks *all, double t_x,
		  double T, double ln_p_alive)
{
	const ClvClocked *clocked = family->clocked;
	ClvClocks clocks = *all;
	ClvLeft lives[MOST_STEPS + 1];
	ClvLeft *left = NULL;
	ClvSilence silence = {0};
	int stretch = clv_clocks_at(&clocks, t_x);
	double odds;

	if (clocked->odds == NULL)
		return;
	clocks.n = clv_clocks_at(&clocks, T) + 1;
	if (clocked->law->growth >= 0)
	{
		left = lives;
		clocked->set_left(family, param, &clocks, T, left);
	}
	for (int i = clocks.n; i-- > stretch + 1;)
	{
		Silent(&clocks, i, clocks.stretch[i].from, T, left, &silence);
		silence.odds = clocked->odds(family, param, x, &silence);
	}
	Silent(&clocks, stretch, t_x, T, left, &silence);
	odds = clocked->odds(family, param, x, &silence);
	Close("P(alive) by odds", isfinite(odds) ? -log1p(odds) : ln_p_alive, ln_p_alive, 1e-12);
}

/* Sets *known to a customer with this history. */
static void
Know(Known *known, const ClvFamily *family, const double *param, double x, Steps *steps,
	 const double *effect, double t_x, double T)
{
	ClvClocks clocks = ClocksOf(steps, effect);

	known->family = family;
	known->ln_p_alive = family->clocked->ln_p_alive(family, param, x, &clocks, t_x, T);
	CheckOdds(family, param, x, &clocks, t_x, T, known->ln_p_alive);
	family->clocked->given_alive(family, param, x, &clocks, t_x, T, &known->future);
	known->later = From(steps, T);
	known->clocks = ClocksOf(&known->later, effect);
}

/* E[purchases in the t after T], discounted at delta. */
static double
Money(const Known *known, double delta, double t)
{
	const ClvFamily *family = known->future.family;

	return exp(known->ln_p_alive) *
		   family->clocked->discounted(family, known->future.param, &known->clocks, delta, t);
}

/* E[purchases in the t after T] */
static double
Expected(const Known *known, double t)
{
	const ClvFamily *family = known->future.family;

	return exp(known->ln_p_alive) *
		   family->clocked->expected(family, known->future.param, &known->clocks, t);
}

/* P(n purchases in the t after T) */
static double
Counted(const Known *known, double n, double t)
{
	const ClvFamily *family = known->future.family;
	double p = exp(known->ln_p_alive) *
			   family->clocked->probability(family, known->future.param, &known->clocks, n, t);

	return n == 0 ? p - expm1(known->ln_p_alive) : p;
}

/* ---- reference values ---- */

/* The field of a row as text. */
static const char *
Field(const Oracle *row, const char *column)
{
	for (int i = 0; i < row->columns; i++)
		if (strcmp(row->names[i], column) == 0)
			return row->values[i];
	fail_msg("no column %s", column);
	return NULL;
}

/* The steps of a row: digits after an apostrophe, one a unit of time after the first. */
static void
ReadSteps(const Oracle *row, Steps *steps)
{
	const char *z1 = Field(row, "z1") + 1;
	const char *z2 = Field(row, "z2") + 1;

	memset(steps, 0, sizeof(*steps));
	steps->ncovariates = 2;
	for (int i = 0; z1[i] != '\0'; i++)
	{
		steps->from[i] = i == 0 ? 0 : Value(row, "phase") + i - 1;
		steps->z[2 * i] = z1[i] - '0';
		steps->z[2 * i + 1] = z2[i] - '0';
		steps->n++;
	}
}

/* Of large numbers and of logs a few units are rounding; the aim is 1e-9. */
#define TOLERANCE 2e-12

static void
CheckRow(const Oracle *row)
{
	const ClvFamily *family = clv_family(Field(row, "family"));
	double param[] = {Value(row, "p1"), Value(row, "p2"), Value(row, "p3"), Value(row, "p4"),
					  Value(row, "p5")};
	double effect[] = {Value(row, "gp1"), Value(row, "gp2"), Value(row, "gl1"), Value(row, "gl2")};
	double x = Value(row, "x"), t_x = Value(row, "t_x"), T = Value(row, "T");
	double t = Value(row, "t"), n = Value(row, "n"), delta = Value(row, "delta");
	Steps steps;
	ClvClocks clocks;
	Known known;
	double ln;

	ReadSteps(row, &steps);
	clocks = ClocksOf(&steps, effect);
	ln = family->clocked->log_likelihood(family, param, x, &clocks, t_x, T);
	Know(&known, family, param, x, &steps, effect, t_x, T);
	const struct
	{
		const char *column;
		double value;
	} answers[] = {
		{"ln_palive", known.ln_p_alive},
		{"cet", Expected(&known, t)},
		{"det_t", Money(&known, delta, t)},
		{"dert", Money(&known, delta, INFINITY)},
		{"cpmf", Counted(&known, n, t)},
		{"expect", family->clocked->expected(family, param, &clocks, t)},
		{"pmf", family->clocked->probability(family, param, &clocks, n, t)},
		{"survival", family->clocked->survival(family, param, &clocks, t)},
	};

	if (!(fabs(ln - Value(row, "loglik")) <= TOLERANCE * fmax(1, fabs(ln))))
		fail_msg("row %d: loglik is %.17g, not %.17g", row->row, ln, Value(row, "loglik"));
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
	{
		double expected = Value(row, answers[i].column);
		double small = strcmp(answers[i].column, "ln_palive") == 0 ? 1e-3 : 0; /* of a logarithm */

		if (isnan(expected))
			continue;
		if (!(RelativeError(answers[i].value, expected) <= TOLERANCE) &&
			!(fabs(answers[i].value - expected) <= TOLERANCE * small))
			fail_msg("row %d (%s, %s): %s is %.17g, not %.17g", row->row, family->name,
					 Field(row, "tag"), answers[i].column, answers[i].value, expected);
	}
}

static void
ReferenceValues(void **state)
{
	Oracle oracle = {.file = fopen("test/oracle/calendar.csv", "r")};

	assert_non_null(oracle.file);
	oracle.columns =
		ReadFields(oracle.file, oracle.header, sizeof(oracle.header), oracle.names, ORACLE_COLUMNS);
	while (NextRow(&oracle))
		CheckRow(&oracle);
	assert_int_equal(oracle.row, 6 * 40 + 1);
}

/*
 * The values below come from a quadrature whose error is absolute: those of the customer with 45
 * purchases are good to this, the others to all their digits.
 */
#define QUADRATURE 1e-10

/*
 * Cases in 34 digits: 40 weeks, one covariate on both processes; a time unit is a week, days are
 * counted from the first one of the calendar. Forecasts are for a number of days.
 */
static const char weeks[] = "0011001000111100011000011100001000001111";
static const struct
{
	double gl, gp, param[4];
	int first, last, end, x, in_season; /* days; repeat purchases, and those with z = 1 */
	double b_x, b_T, d_T, ln, p_alive;
	double cet[3], det[3]; /* 3, 30, 126 days */
} synthetic[] = {
	{.3,
	 .7,
	 {.5, 15, .5, 10},
	 3,
	 45,
	 100,
	 2,
	 2,
	 8.46197086099973,
	 20.9534118094362,
	 16.3061545101749,
	 -6.58961557677237,
	 0.681669549333473,
	 {0.0202320025736186, 0.265787239498431, 0.980040455937919},
	 {0.0202240961387737, 0.264586379374045, 0.964779378938215}},
	{.3,
	 .7,
	 {.5, 15, .5, 10},
	 7,
	 7,
	 100,
	 0,
	 0,
	 0,
	 20.3819832380076,
	 15.7347259387463,
	 -0.328955187765737,
	 0.563972843603749,
	 {0.00340151432573199, 0.0446457235544375, 0.164331841273974},
	 {0.00340018509236839, 0.0444440585418422, 0.161774831338783}},
	{.3,
	 .7,
	 {.5, 15, .5, 10},
	 2,
	 99,
	 100,
	 3,
	 0,
	 20.9534118094362,
	 21.0962689522933,
	 16.449011653032,
	 -11.0526195626179,
	 0.997276913872289,
	 {0.0412758488129151, 0.542357621357668, 2.00070758036753},
	 {0.0412597185674908, 0.539907033537428, 1.96954699061834}},
	{.3,
	 .7,
	 {.5, 15, .5, 10},
	 99,
	 99,
	 100,
	 0,
	 0,
	 0,
	 0.142857142857143,
	 0.142857142857143,
	 -0.00472256551378123,
	 0.992916086086444,
	 {0.0139053317111153, 0.1723498276386, 0.577998611605504},
	 {0.0138999091027967, 0.171583531850017, 0.569363719022324}},
	{.3,
	 .7,
	 {.5, 15, .5, 10},
	 0,
	 89,
	 100,
	 45,
	 20,
	 18.5071583284027,
	 21.3819832380076,
	 16.7347259387463,
	 -21.6661065078578,
	 0.700157134392617,
	 {0.373777917487414, 4.91348351094239, 18.1408940333229},
	 {0.373631846226766, 4.89127979330275, 17.8582495963733}},
	{.3,
	 .7,
	 {.5, 15, .5, 10},
	 5,
	 19,
	 100,
	 2,
	 1,
	 2.72410907676463,
	 20.6676975237219,
	 16.0204402244606,
	 -6.80401494238814,
	 0.430243350658347,
	 {0.0128713764247264, 0.169016220140472, 0.6226693698123},
	 {0.0128663465121275, 0.168252677266504, 0.612976891046558}},
	{.3,
	 .7,
	 {.5, 15, .5, 10},
	 3,
	 104,
	 105,
	 1,
	 0,
	 21.5248403808648,
	 21.6676975237219,
	 17.0204402244606,
	 -5.23631234827306,
	 0.997345245881196,
	 {0.0174166418713914, 0.245907738695833, 0.847765406133639},
	 {0.0174098354065642, 0.244836423483678, 0.834829343244682}},
	{-.5,
	 .25,
	 {.8, 6, 1.4, 12},
	 3,
	 45,
	 100,
	 2,
	 2,
	 6.68977601195594,
	 15.845320773957,
	 11.1028574751313,
	 -6.39414517536781,
	 0.423146616035092,
	 {NAN, 0.227463524561459, 0.735065581906714},
	 {NAN, 0.226554470946622, 0.724464518204242}},
	{-.5,
	 .25,
	 {.8, 6, 1.4, 12},
	 7,
	 7,
	 100,
	 0,
	 0,
	 0,
	 15.2738922025285,
	 10.5314289037027,
	 -0.629083704734267,
	 0.282098342396134,
	 {NAN, 0.0443635724118283, 0.142683202059034},
	 {NAN, 0.0441864212219982, 0.140630563565068}},
};

/* The weeks above as a customer sees them whose first purchase is on this day. */
static Steps
WeeksFrom(int first)
{
	Steps all = {.n = 40, .ncovariates = 1};

	for (int i = 0; i < 40; i++)
	{
		all.from[i] = i;
		all.z[i] = weeks[i] - '0';
	}
	return From(&all, first / 7.0);
}

static void
SyntheticCases(void **state)
{
	static const int days[] = {3, 30, 126};

	for (size_t i = 0; i < sizeof(synthetic) / sizeof(synthetic[0]); i++)
	{
		const ClvFamily *family = &clv_paretonbd;
		const double *param = synthetic[i].param;
		Steps steps = WeeksFrom(synthetic[i].first);
		double effect[] = {synthetic[i].gp, synthetic[i].gl};
		double t_x = (synthetic[i].last - synthetic[i].first) / 7.0;
		double T = (synthetic[i].end - synthetic[i].first) / 7.0;
		double delta = log(1.1) * 7 / 365.25;
		ClvClocks clocks = ClocksOf(&steps, effect);
		Known known;

		Close("B(t_x)", clv_clock_b(&clocks, t_x), synthetic[i].b_x, 1e-13);
		Close("B(T)", clv_clock_b(&clocks, T), synthetic[i].b_T, 1e-13);
		Close("D(T)",
			  param[3] *
				  (pow(family->clocked->survival(family, param, &clocks, T), -1 / param[2]) - 1),
			  synthetic[i].d_T, 1e-12);
		Close("ln L",
			  synthetic[i].gp * synthetic[i].in_season +
				  family->clocked->log_likelihood(family, synthetic[i].param, synthetic[i].x,
												  &clocks, t_x, T),
			  synthetic[i].ln, QUADRATURE);
		Know(&known, family, synthetic[i].param, synthetic[i].x, &steps, effect, t_x, T);
		Close("P(alive)", exp(known.ln_p_alive), synthetic[i].p_alive, QUADRATURE);
		for (int j = 0; j < 3; j++)
		{
			if (isnan(synthetic[i].cet[j]))
				continue;
			Close("CET", Expected(&known, days[j] / 7.0), synthetic[i].cet[j], QUADRATURE);
			Close("DECT", Money(&known, delta, days[j] / 7.0), synthetic[i].det[j], QUADRATURE);
		}
	}
}

static void
SyntheticNewcomers(void **state)
{
	static const double expected[][3] = {{0.0141358476442482, 0.188422982563319, 0.638466525158827},
										 {0.0141358476442482, 0.1893200058193, 0.651556183020504}};
	static const double param[] = {.5, 15, .5, 10};
	static const double effect[] = {.7, .3};
	static const int days[] = {3, 30, 126};

	for (int i = 0; i < 2; i++)
	{
		Steps steps = WeeksFrom(i == 0 ? 3 : 7);
		ClvClocks clocks = ClocksOf(&steps, effect);

		for (int j = 0; j < 3; j++)
			Close("newcomer",
				  clv_paretonbd.clocked->expected(&clv_paretonbd, param, &clocks, days[j] / 7.0),
				  expected[i][j], 1e-12);
	}
}

/* ---- what nothing changes with time ---- */

/* Families with parameters to try them with. */
static const struct
{
	const ClvFamily *family;
	double param[CLV_MAX_PARAMS];
} families[] = {{&clv_paretonbd, {.5, 15, .5, 10}},
				{&clv_paretonbd, {2, 1, 1, 200}},
				{&clv_ggompertznbd, {.6, 12, .03, .7, .4}},
				{&clv_ggompertznbd, {.6, 12, .02, 1, 3}},
				{&clv_paretonbd_cor, {.5, 15, .5, 10, 8}},
				{&clv_paretonbd_cor, {2, 1, 1, 20, -1.2}},
				{&clv_bgnbd, {.4, 6, .9, 2.5}},
				{&clv_mbgnbd, {.5, 6, .8, 2.4}},
				{&clv_mbgcnbd, {1, .8, 6, .9, 1.6}},
				{&clv_mbgcnbd, {3, .8, 4, .9, 1.6}}};
#define FAMILIES (int) (sizeof(families) / sizeof(families[0]))

static const struct
{
	double x, t_x, T;
} histories[] = {{0, 0, 30}, {2, 6.5, 13.3}, {1, 14, 14}, {0, 0, 0}, {40, 11, 39}, {7, 3.2, 38.1}};
#define HISTORIES (int) (sizeof(histories) / sizeof(histories[0]))

/* Forty steps of two covariates; level: that of the first one, constant where it is not NAN. */
static Steps
Forty(double level)
{
	Steps steps = {.n = 40, .ncovariates = 2};

	for (int i = 0; i < 40; i++)
	{
		steps.from[i] = i == 0 ? 0 : i - 0.3;
		steps.z[2 * i] = isnan(level) ? i * 7 % 5 / 2.0 : level;
		steps.z[2 * i + 1] = isnan(level) ? i % 3 : 1;
	}
	return steps;
}

/* All quantities of a customer by the calendar are those of the plain family at these parameters.
 */
static void
IsPlain(const ClvFamily *family, const double *by_calendar, Steps *steps, const double *effect,
		const double *plain, double speed, int i, double tolerance)
{
	double x = histories[i].x, t_x = histories[i].t_x, T = histories[i].T;
	ClvClocks clocks = ClocksOf(steps, effect);
	Known known;

	Know(&known, family, by_calendar, x, steps, effect, t_x, T);
	Close("ln L",
		  x * log(speed) + family->clocked->log_likelihood(family, by_calendar, x, &clocks, t_x, T),
		  family->log_likelihood(plain, x, t_x, T), tolerance);
	Close("P(alive)", exp(known.ln_p_alive), exp(family->ln_p_alive(plain, x, t_x, T)), tolerance);
	Close("CET", Expected(&known, 17), clv_expected_given(family, plain, x, t_x, T, 17), tolerance);
	Close("DET", Money(&known, 0.01, 17), clv_discounted_given(family, plain, x, t_x, T, 0.01, 17),
		  tolerance);
	Close("DERT", Money(&known, 0.01, INFINITY),
		  clv_discounted_given(family, plain, x, t_x, T, 0.01, INFINITY), tolerance);
	Close("P(2)", Counted(&known, 2, 17), clv_probability_given(family, plain, x, t_x, T, 2, 17),
		  tolerance);
	Close("P(0)", Counted(&known, 0, 17), clv_probability_given(family, plain, x, t_x, T, 0, 17),
		  tolerance);
	Close("survival", family->clocked->survival(family, by_calendar, &clocks, 23),
		  family->survival(plain, 23), tolerance);
}

static void
NoEffectsAreThePlainFamily(void **state)
{
	static const double none[4] = {0};
	Steps steps = Forty(NAN);

	for (int i = 0; i < FAMILIES; i++)
		for (int j = 0; j < HISTORIES; j++)
			IsPlain(families[i].family, families[i].param, &steps, none, families[i].param, 1, j,
					1e-12);
}

static void
ConstantCovariatesAreStaticOnes(void **state)
{
	static const double z[] = {1.5, 1};
	Steps steps = Forty(1.5);

	for (int i = 0; i < FAMILIES; i++)
	{
		const ClvFamily *family = families[i].family;
		bool churn = family->clocked->law != NULL;
		double effect[] = {0.4, -0.3, churn ? -0.2 : 0, churn ? 0.7 : 0};
		double param[CLV_MAX_PARAMS];
		int events = family == &clv_mbgcnbd ? (int) families[i].param[0] : 1;

		if (family == &clv_paretonbd_cor)
			continue; /* whose rates depend on each other at the covariates' centre */
		clv_param_with_effects(family, families[i].param, 2, effect, z, param);
		for (int j = 0; j < HISTORIES; j++)
			IsPlain(family, families[i].param, &steps, effect, param,
					exp(events * (0.4 * 1.5 - 0.3)), j, 2e-12);
	}
}

static void
SplitStepsChangeNothing(void **state)
{
	static const double effect[] = {0.4, -0.3, -0.2, 0.7};
	Steps steps = Forty(NAN);
	Steps split = {.n = 80, .ncovariates = 2};

	for (int i = 0; i < 80; i++)
	{
		split.from[i] = steps.from[i / 2] + i % 2 * 0.37;
		memcpy(split.z + 2 * i, steps.z + i / 2 * 2, 2 * sizeof(double));
	}
	for (int i = 0; i < FAMILIES; i++)
	{
		for (int j = 0; j < HISTORIES; j++)
		{
			const ClvFamily *family = families[i].family;
			const double *param = families[i].param;
			double x = histories[j].x, t_x = histories[j].t_x, T = histories[j].T;
			ClvClocks whole = ClocksOf(&steps, effect);
			ClvClocks parts = ClocksOf(&split, effect);
			Known known[2];

			Close("ln L", family->clocked->log_likelihood(family, param, x, &parts, t_x, T),
				  family->clocked->log_likelihood(family, param, x, &whole, t_x, T), 1e-13);
			Know(&known[0], family, param, x, &steps, effect, t_x, T);
			Know(&known[1], family, param, x, &split, effect, t_x, T);
			Close("DET", Money(&known[1], 0.01, 23), Money(&known[0], 0.01, 23), 1e-12);
			Close("P(3)", Counted(&known[1], 3, 23), Counted(&known[0], 3, 23), 1e-12);
		}
	}
}

/* ---- how many purchases ---- */

#define COUNTS 3000

static void
ProbabilitiesAddUp(void **state)
{
	static const double effect[] = {0.4, -0.3, -0.2, 0.7};
	static double p[COUNTS];
	Steps steps = Forty(NAN);
	ClvClocks clocks = ClocksOf(&steps, effect);

	for (int i = 0; i < FAMILIES; i++)
	{
		const ClvFamily *family = families[i].family;
		double sum = 0;
		double mean = 0;
		double pairs = 0;
		ClvFuture future = {.family = family, .clocks = &clocks};
		int quantile;

		memcpy(future.param, families[i].param, sizeof(families[i].param));
		family->clocked->probabilities(family, families[i].param, &clocks, 33, COUNTS, p);
		for (int n = COUNTS - 1; n >= 0; n--)
		{
			sum += p[n];
			mean += n * p[n];
			pairs += n * (n - 1.0) * p[n];
		}
		Close("sum", sum, 1, 1e-12);
		Close("mean", mean, family->clocked->expected(family, families[i].param, &clocks, 33),
			  1e-11);
		if (family->pairs != NULL)
			Close("pairs", family->clocked->pairs(family, families[i].param, &clocks, 33), pairs,
				  1e-10);
		for (int n = 0; n < 60; n = 2 * n + 1)
			Close("P(n)", p[n],
				  family->clocked->probability(family, families[i].param, &clocks, n, 33), 1e-10);
		quantile = clv_quantile_given(&future, 0.8, 33, 0.7, COUNTS, p);
		sum = 0.2;
		for (int n = 0; n < quantile; n++)
			sum += 0.8 * p[n];
		assert_true(quantile >= 0 && (quantile == 0 || sum < 0.7) &&
					sum + 0.8 * p[quantile] >= 0.7);
		family->clocked->probabilities(family, families[i].param, &clocks, 0, 3, p);
		assert_true(p[0] == 1 && p[1] == 0 && p[2] == 0);
	}
}

/* Customers leave within days, and t is far beyond: nothing is added up where nobody is left. */
static void
CountsOfBriefLivesAddUp(void **state)
{
	static const struct
	{
		const ClvFamily *family;
		double param[CLV_MAX_PARAMS];
	} brief[] = {{&clv_paretonbd, {.9, 6, 1e12, 1e11}},
				 {&clv_ggompertznbd, {.9, 6, .1, 1e12, 1e10}}};
	static const double effect[] = {0.4, -0.3, -0.2, 0.7};
	double p[40];
	Steps steps = Forty(NAN);
	ClvClocks clocks = ClocksOf(&steps, effect);

	for (int i = 0; i < 2; i++)
	{
		const ClvFamily *family = brief[i].family;
		double sum = 0;
		double mean = 0;

		family->clocked->probabilities(family, brief[i].param, &clocks, 1e6, 40, p);
		for (int n = 39; n >= 0; n--)
		{
			sum += p[n];
			mean += n * p[n];
		}
		Close("sum", sum, 1, 1e-12);
		Close("mean", mean, family->clocked->expected(family, brief[i].param, &clocks, 1e6), 1e-11);
		Close("P(2)", family->clocked->probability(family, brief[i].param, &clocks, 2, 1e6), p[2],
			  1e-11);
	}
}

/* ---- any effects ---- */

/* All quantities of a customer are numbers, and probabilities at most 1. */
static void
AreNumbers(const ClvFamily *family, const double *param, Steps *steps, const double *effect, int i)
{
	double x = histories[i].x, t_x = histories[i].t_x, T = histories[i].T;
	ClvClocks clocks = ClocksOf(steps, effect);
	double p[5];
	Known known;

	Know(&known, family, param, x, steps, effect, t_x, T);
	assert_false(isnan(family->clocked->log_likelihood(family, param, x, &clocks, t_x, T)));
	assert_true(known.ln_p_alive <= 0);
	assert_true(Expected(&known, 17) >= 0);
	assert_true(Money(&known, 0.01, 17) >= 0);
	assert_true(Money(&known, 0.01, INFINITY) >= 0);
	for (int n = 0; n < 5; n++)
	{
		double counted = Counted(&known, n, 17);

		assert_true(counted >= 0 && counted <= 1 + 1e-12);
	}
	known.future.family->clocked->probabilities(known.future.family, known.future.param,
												&known.clocks, 17, 5, p);
	for (int n = 0; n < 5; n++)
		assert_true(p[n] >= 0 && p[n] <= 1 + 1e-12);
	assert_true(family->clocked->survival(family, param, &clocks, 17) >= 0);
}

static void
AnyEffectsGiveNumbers(void **state)
{
	static const double sizes[] = {-300, -30, -3, 0, 3, 30, 300};
	Steps steps = Forty(NAN);

	for (int i = 0; i < FAMILIES; i++)
		for (int j = 0; j < 7; j++)
			for (int k = 0; k < 7; k++)
			{
				double effect[] = {sizes[j], 0.1, sizes[k], -0.1};

				for (int l = 0; l < HISTORIES; l += 2)
					AreNumbers(families[i].family, families[i].param, &steps, effect, l);
			}
}

/* ---- derivatives ---- */

/* ln L at a point: the transformed parameters, then the effects. */
static double
AtPoint(const ClvFamily *family, const double *point, Steps *steps, int i, ClvWideTerm *term)
{
	double param[CLV_MAX_PARAMS];
	ClvClocks clocks = ClocksOf(steps, point + family->nparams);

	for (int k = 0; k < family->nparams; k++)
		param[k] = clv_natural(family->transform[k], point[k]);
	if (term != NULL)
		family->clocked->term(family, param, histories[i].x, &clocks, histories[i].t_x,
							  histories[i].T, term);
	return family->clocked->log_likelihood(family, param, histories[i].x, &clocks, histories[i].t_x,
										   histories[i].T);
}

/* The derivatives of one family and history, against fourth-order differences. */
static void
CheckDerivatives(const ClvFamily *family, const double *param, Steps *steps, int i)
{
	int n = family->nparams + 4;
	double point[CLV_MAX_PARAMS + 4] = {0};
	static const double effect[] = {0.4, -0.3, -0.2, 0.5};
	ClvWideTerm term;
	double ln;

	for (int k = 0; k < family->nparams; k++)
		point[k] = clv_searched(family->transform[k], param[k]);
	memcpy(point + family->nparams, effect, sizeof(effect));
	ln = AtPoint(family, point, steps, i, &term);
	assert_true(fabs(term.ln - ln) <= 1e-12 * fmax(1, fabs(ln)));
	for (int k = 0; k < n; k++)
	{
		static const double h = 2e-3;
		ClvWideTerm far[4];
		double values[4];
		double at = point[k];

		if (k < family->nparams && family->transform[k] == CLV_FIXED)
			continue;
		for (int j = 0; j < 4; j++)
		{
			point[k] = at + (j - 2 + (j > 1)) * h;
			values[j] = AtPoint(family, point, steps, i, &far[j]);
		}
		point[k] = at;
		double slope = (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * h);
		if (!(fabs(term.gradient[k] - slope) <= 1e-8 * fmax(1, fabs(slope))))
			fail_msg("%s, history %d: derivative %d is %.12g, not %.12g", family->name, i, k,
					 term.gradient[k], slope);
		for (int l = 0; l < n; l++)
		{
			double second = (8 * (far[2].gradient[l] - far[1].gradient[l]) -
							 (far[3].gradient[l] - far[0].gradient[l])) /
							(12 * h);
			double actual = term.hessian[k > l ? CLV_AT(k, l) : CLV_AT(l, k)];

			if (l < family->nparams && family->transform[l] == CLV_FIXED)
				continue;
			if (!(fabs(actual - second) <= 1e-8 * fmax(1, fabs(second))))
				fail_msg("%s, history %d: derivative (%d, %d) is %.12g, not %.12g", family->name, i,
						 k, l, actual, second);
		}
	}
}

/* Nearly all customers leave within days, and in the many steps after that nobody is left. */
static const struct
{
	const ClvFamily *family;
	double param[CLV_MAX_PARAMS];
} brief[] = {{&clv_paretonbd, {.9, 6, 1e8, 1e7}}, {&clv_ggompertznbd, {.9, 6, .1, 1e8, 1e6}}};

static void
DerivativesAreTheFunctionsOwn(void **state)
{
	Steps steps = Forty(NAN);

	for (int i = 0; i < 2; i++)
		for (int j = 0; j < HISTORIES; j++)
			CheckDerivatives(brief[i].family, brief[i].param, &steps, j);

	for (int i = 0; i < FAMILIES; i++)
		for (int j = 0; j < HISTORIES; j++)
			CheckDerivatives(families[i].family, families[i].param, &steps, j);
}

/* Two logarithms and their derivatives are the same. */
static void
SameTerms(const char *name, const ClvWideTerm *actual, const ClvWideTerm *expected, int n)
{
	if (!(fabs(actual->ln - expected->ln) <= 1e-12 * fmax(1, fabs(expected->ln))))
		fail_msg("%s: ln L is %.17g, not %.17g", name, actual->ln, expected->ln);
	for (int i = 0; i < n; i++)
		if (!(fabs(actual->gradient[i] - expected->gradient[i]) <=
			  1e-11 * fmax(1, fabs(expected->gradient[i]))))
			fail_msg("%s: derivative %d is %.17g, not %.17g", name, i, actual->gradient[i],
					 expected->gradient[i]);
	for (int i = 0; i < CLV_TRIANGLE(n); i++)
		if (!(fabs(actual->hessian[i] - expected->hessian[i]) <=
			  1e-10 * fmax(1, fabs(expected->hessian[i]))))
			fail_msg("%s: second derivative %d is %.17g, not %.17g", name, i, actual->hessian[i],
					 expected->hessian[i]);
}

#define DAYS 40

/* The two summands of customers who differ in t_x alone, computed together, add up to each term. */
static void
SummandsAddUp(void **state)
{
	static const double effect[] = {0.4, -0.3, -0.2, 0.5};
	static ClvWideTerm departed[DAYS];
	Steps steps = Forty(NAN);
	ClvClocks clocks = ClocksOf(&steps, effect);
	double t[DAYS];

	for (int j = 0; j < DAYS; j++)
		t[j] = j * 33.0 / (DAYS - 1);
	for (int i = 0; i < FAMILIES; i++)
	{
		const ClvFamily *family = families[i].family;
		const double *param = families[i].param;
		int n = family->nparams + 4;

		if (family->clocked->departed == NULL)
			continue;
		for (double x = 1; x < 80; x = 4 * x + 1)
		{
			ClvWideTerm alive, whole, sum;
			ClvTerm common;

			family->clocked->departed(family, param, x, &clocks, t, DAYS, 33, departed);
			family->clocked->alive(family, param, x, &clocks, 33, &alive);
			family->ln_common(param, x, &common);
			for (int j = 0; j < DAYS; j++)
			{
				clv_wide_sum(&departed[j], &alive, n, &sum);
				clv_wide_add(&common, family->nparams, &sum);
				family->clocked->term(family, param, x, &clocks, t[j], 33, &whole);
				SameTerms(family->name, &sum, &whole, n);
			}
		}
	}
}

/* ---- the apparel log, as CLVTools has it ---- */

#define APPAREL 600
#define APPAREL_WEEKS 313

/* The covariates of the customers by week, and their purchases by day, both from 2005-01-02 on. */
typedef struct Apparel
{
	double z[APPAREL][APPAREL_WEEKS][3];
	int days[APPAREL][400];
	int n[APPAREL];
} Apparel;

/* The day of a date field since 2005-01-02. */
static int
Day(const char *date)
{
	return (int) (DayNumber(atoi(date), atoi(date + 5), atoi(date + 8)) - DayNumber(2005, 1, 2));
}

/* Reads both tables; 0 where they are not there. */
static int
ReadApparel(Apparel *apparel)
{
	FILE *covariates = OpenShared("data/apparel_dyn_cov.csv");
	FILE *log = OpenShared("data/apparel_log.csv");
	char line[256];
	char *field[5];

	memset(apparel, 0, sizeof(*apparel));
	if (covariates == NULL || log == NULL)
		return 0;
	ReadFields(covariates, line, sizeof(line), field, 5);
	while (ReadFields(covariates, line, sizeof(line), field, 5) == 5)
		for (int k = 0; k < 3; k++)
			apparel->z[atoi(field[0]) - 1][Day(field[1]) / 7][k] = atof(field[2 + k]);
	ReadFields(log, line, sizeof(line), field, 5);
	while (ReadFields(log, line, sizeof(line), field, 5) == 3)
	{
		int customer = atoi(field[0]) - 1;
		int day = Day(field[1]);
		int *n = &apparel->n[customer];

		if (*n == 0 || apparel->days[customer][*n - 1] != day)
			apparel->days[customer][(*n)++] = day;
	}
	fclose(covariates);
	fclose(log);
	return 1;
}

/* A customer until a day; bought is set to the sums of the covariates at repeat purchases. */
static void
ApparelCustomer(const Apparel *apparel, int i, int until, Steps *steps, double *x, double *t_x,
				double *bought)
{
	*x = *t_x = 0;
	memset(bought, 0, 3 * sizeof(double));
	steps->n = APPAREL_WEEKS;
	steps->ncovariates = 3;
	for (int w = 0; w < APPAREL_WEEKS; w++)
	{
		steps->from[w] = w;
		memcpy(steps->z + 3 * w, apparel->z[i][w], 3 * sizeof(double));
	}
	for (int j = 1; j < apparel->n[i] && apparel->days[i][j] <= until; j++)
	{
		int day = apparel->days[i][j];

		*x += 1;
		*t_x = day / 7.0;
		for (int k = 0; k < 3; k++)
			bought[k] += apparel->z[i][day / 7][k];
	}
}

/* Sums over all customers of ln L, CET and DECT until a day; horizon in days. */
static void
ApparelSums(const Apparel *apparel, const double *param, const double *effect, int until,
			double horizon, double delta, double *sums)
{
	const ClvFamily *family = &clv_paretonbd;
	static Steps steps;

	memset(sums, 0, 3 * sizeof(double));
	for (int i = 0; i < APPAREL; i++)
	{
		double x, t_x, bought[3];
		double T = until / 7.0;
		Known known;
		ClvClocks clocks;

		ApparelCustomer(apparel, i, until, &steps, &x, &t_x, bought);
		clocks = ClocksOf(&steps, effect);
		sums[0] += family->clocked->log_likelihood(family, param, x, &clocks, t_x, T);
		for (int k = 0; k < 3; k++)
			sums[0] += effect[k] * bought[k];
		Know(&known, family, param, x, &steps, effect, t_x, T);
		sums[1] += Expected(&known, horizon / 7);
		sums[2] += Money(&known, delta, horizon / 7);
	}
}

static void
ApparelLog(void **state)
{
	static Apparel apparel;
	static const double tenth[] = {.1, .1, .1, .1, .1, .1};
	static const double none[6] = {0};
	static const double effect[] = {.456, .567, .678, .123, .234, .345};
	static const double plain[] = {.5, 15, .5, 10};
	const double param[] = {exp(-1), 1, exp(1.23), exp(2.344)};
	const double delta = log(1.1) / 52;
	double sums[3];

	if (!ReadApparel(&apparel))
		skip();
	ApparelSums(&apparel, plain, tenth, 728, 7, delta, sums);
	Close("ln L", sums[0], -5965.6157585300, 1e-13);
	ApparelSums(&apparel, plain, none, 728, 7, delta, sums);
	Close("ln L, no effects", sums[0], -5974.7905840547, 1e-13);
	ApparelSums(&apparel, param, effect, 728, 52 * 7, delta, sums);
	Close("ln L, other parameters", sums[0], -8243.1412100646, 1e-13);
	Close("CET", sums[1], 145.3270217456, 1e-12);
	Close("DECT", sums[2], 139.6551764140, 1e-12);
	ApparelSums(&apparel, param, effect, 654, 1, delta, sums);
	Close("ln L until a Wednesday", sums[0], -7522.7369946850, 1e-13);
	Close("CET of a day", sums[1], 1.0773488361, 1e-10);
	Close("DECT of a day", sums[2], 1.0772079267, 1e-10);
}

/*
 * Who leaves within a short time, by the series and where it is not taken (the last one): against
 * integrals by mpmath, 40 digits.
 */
static void
LeavingSoon(void **state)
{
	static const struct
	{
		double s, beta, R, age, length, leave;
	} soon[] = {
		{0.44, 18.3, 0.53, 6.3, 0.5, 0.011553594914593712},
		{0.44, 18.3, 14.5, 30, 1, 0.01844652697862909},
		{3, 40, 1, 9, 1, 0.067763949150121549},
		{0.01, 0.5, 60, 400, 1.2, 0.011334760386349485},
		{0.001, 1000, 0, 5, 1, 9.9949983358324167e-7},
		{1, 80, 3.8, 8, 1, 0.0099184112849758681},
		{0.5, 60, 15.5, 16, 1, 0.005321595264714764},
		{0.6, 11.67, 0.553, 10.58, 40, 0.41804581280081829},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(soon) / sizeof(soon[0]); i++)
	{
		ClvDecay decay = {.law = clv_paretonbd.clocked->law,
						  .lifetime = {{soon[i].s, soon[i].beta}},
						  .R = soon[i].R,
						  .age = soon[i].age};

		Close("leaving soon", clv_lifetime_dying(&decay, soon[i].length), soon[i].leave, 1e-14);
	}
}

/*
 * Discounted purchases by a rule that customers share are those of each customer by itself, with an
 * end and without.
 */
static void
SharedRules(void **state)
{
	static const double param[][4] = {{0.5, 12, 0.9, 1.6}, {3.5, 60, 0.7, 4.2}, {25, 90, 0.9, 27}};
	Steps steps = {.n = 40, .ncovariates = 1};
	double effect[2] = {0.7, 0};
	ClvClocks clocks;

	(void) state;
	for (int i = 0; i < steps.n; i++)
	{
		steps.from[i] = i == 0 ? 0 : 3 * i - 1;
		steps.z[i] = sin(0.8 * i);
	}
	clocks = ClocksOf(&steps, effect);
	for (int i = 0; i < 9; i++)
	{
		const double *p = param[i / 3];
		double delta = i % 3 == 2 ? 0.05 : 0.002;
		double t = i % 3 == 0 ? 26 : INFINITY;
		double end = fmin(t, steps.from[steps.n - 1]);
		double width = exp2(floor(log2(clv_one_clock_width(&clv_bgnbd, p))));
		double most = clv_clock_b(&clocks, end);
		double b[100 * CLV_RULE_POINTS], weight[100 * CLV_RULE_POINTS], rate[100 * CLV_RULE_POINTS];
		int n = (int) ceil(most / width) * CLV_RULE_POINTS;
		double sum = isinf(t) ? clv_one_clock_rest(&clv_bgnbd, p, &clocks, delta) : 0;

		clv_clock_rule(&clocks, delta, end, width, b, weight);
		assert_true(n <= 100 * CLV_RULE_POINTS);
		if (!clv_bg_rates(p, most, b, n, rate)) /* too far ahead for the customer of little age */
		{
			assert_true(i / 3 == 0);
			continue;
		}
		for (int k = 0; k < n; k++)
			sum += weight[k] * rate[k];
		if (!isnan(sum))
			Close("discounted by a rule", sum,
				  clv_bgnbd.clocked->discounted(&clv_bgnbd, p, &clocks, delta, t), 1e-12);
	}
}

/*
 * Discounted purchases where customers hardly differ in how often they buy, r up to 6e5, which have
 * a brief and steep beginning: by steps that change nothing, few and many, those of the plain
 * family.
 */
static void
LargeShapes(void **state)
{
	static const struct
	{
		const ClvFamily *family;
		double param[5];
	} large[] = {{&clv_bgnbd, {6e5, 2e4, 0.8, 2.4}},     {&clv_bgnbd, {6e5, 6, 0.8, 2.4}},
				 {&clv_mbgnbd, {6e5, 2e4, 0.8, 2.4}},    {&clv_mbgnbd, {4e3, 40, 1.3, 30}},
				 {&clv_mbgcnbd, {8, 4e3, 40, 1.3, 30}},  {&clv_mbgcnbd, {3, 6e5, 2e4, 0.8, 2.4}},
				 {&clv_mbgcnbd, {8, 6e5, 6e3, 0.8, 20}}, {&clv_mbgcnbd, {8, 90, 2, 0.8, 2.4}},
				 {&clv_mbgcnbd, {32, 4e3, 40, 1.3, 30}}};
	static const double none[2] = {0};

	(void) state;
	for (size_t i = 0; i < 2 * sizeof(large) / sizeof(large[0]); i++)
	{
		const ClvFamily *family = large[i / 2].family;
		Steps steps = {.n = i % 2 == 0 ? 3 : 40, .ncovariates = 1};
		ClvClocks clocks;

		for (int k = 0; k < steps.n; k++)
			steps.from[k] = k == 0 ? 0 : 1.3 * k - 0.9;
		clocks = ClocksOf(&steps, none);
		Close("discounted of a large shape",
			  family->clocked->discounted(family, large[i / 2].param, &clocks, 0.003, 52),
			  family->discounted(large[i / 2].param, 0.003, 52), 1e-11);
	}
}

/*
 * Discounted purchases until a time are no more than those for ever, however late the first one is:
 * of 32 events to a purchase, and a clock that nearly stands still.
 */
static void
LatePurchases(void **state)
{
	static const double param[] = {32, 0.004, 530, 9, 0.001};
	static const double slow[2] = {-5, 0};
	Steps steps = {.n = 2, .ncovariates = 1, .from = {0, 0.1}, .z = {0, 1}};
	ClvClocks clocks = ClocksOf(&steps, slow);
	double most = clv_mbgcnbd.clocked->discounted(&clv_mbgcnbd, param, &clocks, 1, INFINITY);

	(void) state;
	for (double t = 1; t < 1000; t *= 1.2)
		assert_true(clv_mbgcnbd.clocked->discounted(&clv_mbgcnbd, param, &clocks, 1, t) <=
					most * (1 + 1e-12));
}

/* Weights as large as m, of rates and hazards nearly 0: probabilities are no more than 1. */
static void
LargeWeights(void **state)
{
	static const double param[] = {1.14e-6, 718527, 1.087e-6, 2078, 1.48e9};
	static const double fast[2] = {2.2, 0};
	Steps steps = {.n = 3, .ncovariates = 1, .from = {0, 12.7, 13.7}, .z = {0, 0, 1}};
	ClvClocks clocks = ClocksOf(&steps, fast);

	(void) state;
	for (double t = 1; t < 1000; t *= 1.1)
	{
		double p[20];
		double sum = 0;

		clv_paretonbd_cor.clocked->probabilities(&clv_paretonbd_cor, param, &clocks, t, 20, p);
		for (int n = 0; n < 20; n++)
			sum += p[n];
		assert_true(sum <= 1 + 1e-12);
	}
}

/*
 * P(n) of large n in a few steps, where a single panel has the peak of the count: against sums of
 * integrals by mpmath, 40 digits.
 */
static void
LargeCounts(void **state)
{
	static const struct
	{
		double param[4], t, n, p;
	} large[] = {
		{{40, 2, 0.6, 12}, 2.5, 100, 0.0029373749596398595},
		{{40, 2, 0.6, 12}, 2.5, 300, 1.0149840013513209e-25},
		{{400, 8, 0.6, 12}, 0.4, 30, 0.0088940274895921781},
		{{1.5, 0.05, 2, 3}, 2.5, 900, 4.8827578088715637e-8},
	};
	Steps steps = {.n = 3, .ncovariates = 1, .from = {0, 1, 2}, .z = {0, 1, 0}};
	double effect[2] = {0.7, 0.3};
	ClvClocks clocks = ClocksOf(&steps, effect);

	(void) state;
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++)
	{
		double p[1024];
		int n = (int) large[i].n;

		Close("P(n) of large n",
			  clv_paretonbd.clocked->probability(&clv_paretonbd, large[i].param, &clocks,
												 large[i].n, large[i].t),
			  large[i].p, 1e-12);
		clv_paretonbd.clocked->probabilities(&clv_paretonbd, large[i].param, &clocks, large[i].t,
											 n + 1, p);
		Close("the last of many P(n)", p[n], large[i].p, 1e-12);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(SyntheticCases),
		cmocka_unit_test(LeavingSoon),
		cmocka_unit_test(SharedRules),
		cmocka_unit_test(LatePurchases),
		cmocka_unit_test(LargeWeights),
		cmocka_unit_test(LargeCounts),
		cmocka_unit_test(LargeShapes),
		cmocka_unit_test(SyntheticNewcomers),
		cmocka_unit_test(NoEffectsAreThePlainFamily),
		cmocka_unit_test(ConstantCovariatesAreStaticOnes),
		cmocka_unit_test(SplitStepsChangeNothing),
		cmocka_unit_test(ProbabilitiesAddUp),
		cmocka_unit_test(CountsOfBriefLivesAddUp),
		cmocka_unit_test(AnyEffectsGiveNumbers),
		cmocka_unit_test(DerivativesAreTheFunctionsOwn),
		cmocka_unit_test(SummandsAddUp),
		cmocka_unit_test(ApparelLog),
		cmocka_unit_test(ReferenceValues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
