/*
 * test_rfmtc.c
 *		rfmtc: the formulas of the paper, its figures on the blood donors, and the fit to
 *		their answers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discrete.h"

#define RFMTC (&clv_rfmtc)
#define RAW (&clv_rfmtc_unclamped)

/* Table 3 of Yeh, Yang & Ting 2009: the first 500 donors, by month */
static const double published[] = {0.111, 3.72, 9.52};

/* A customer in the letters of marketing */
static double
Expected(const ClvFamily *family, const double *param, double R, double F, double T, double t)
{
	return clv_expected_given(family, param, F - 1, T - R, T, t);
}

/* ---- the formulas ---- */

/*
 * P, E[X1], E[X1] with P held at one, and E[X12] of it with the lift in all twelve: worked
 * out by hand. The first two rows are printed with the authors' own program.
 */
static const double golden[][7] = {
	{2, 50, 98, 1.7626990144, 1.2384641645, 0.7025953690, 4.7872652110},
	{0, 13, 28, 1.2889125800, 1.1458432836, 0.8890000000, 6.0573680960},
	{4, 4, 4, 1.5630252101, 0.8679101906, 0.5552758746, 3.7834762288},
	{2, 5, 11, 1.0043196544, 0.7056303382, 0.7025953690, 4.7872652110},
	{16, 1, 16, 0.3907563025, 0.0528732405, 0.0528732405, 0.3602617322},
	{72, 1, 72, 0.3907563025, 0.0000727335, 0.0000727335, 0.0004955834},
};
#define DIGITS 5.1e-11

static void
golden_values(void **state)
{
	for (int i = 0; i < 6; i++)
	{
		const double *row = golden[i];
		double R = row[0];
		double F = row[1];
		double T = row[2];
		double p_alive = exp(RFMTC->ln_p_alive(published, F - 1, T - R, T));
		ClvFuture future = {0};
		ClvFuture raw;

		clv_given_alive(RFMTC, published, F - 1, T - R, T, &future);
		clv_given_alive(RAW, published, F - 1, T - R, T, &raw);
		assert_true(fabs(raw.param[1] - row[3]) < DIGITS);
		assert_true(fabs(Expected(RAW, published, R, F, T, 1) - row[4]) < DIGITS);
		assert_true(fabs(Expected(RFMTC, published, R, F, T, 1) - row[5]) < DIGITS);
		future.param[2] = future.param[1];
		assert_true(fabs(p_alive * future.family->expected(future.param, 12) - row[6]) < DIGITS);
	}
	AssertRelative("first row", Expected(RAW, published, 2, 50, 98, 1), 1.23846416446171, 1e-14);
	AssertRelative("second row", Expected(RAW, published, 0, 13, 28, 1), 1.14584328358209, 1e-14);
}

/* Beyond the next campaign the lift is gone: E[X_L] is that of g = 1, whatever g is. */
static void
the_lift_belongs_to_one_campaign(void **state)
{
	const double flat[] = {0.111, 1, 9.52};

	for (int i = 0; i < 6; i++)
	{
		double R = golden[i][0];
		double F = golden[i][1];
		double T = golden[i][2];

		for (int t = 2; t < 100; t += 7)
		{
			double sum = 0;

			for (int k = 1; k <= t; k++)
				sum += pow(1 - 0.111, R + k) * F / (T - R + 9.52);
			AssertRelative("many", Expected(RFMTC, published, R, F, T, t), sum, 1e-13);
			AssertRelative("flat", Expected(RFMTC, flat, R, F, T, t), sum, 1e-13);
		}
		assert_true(Expected(RFMTC, published, R, F, T, 1) > Expected(RFMTC, flat, R, F, T, 1));
	}
}

/* Answers at the end of their periods, discounted one by one */
static void
discounting_campaign_by_campaign(void **state)
{
	static const double rates[] = {0, 1e-9, 0.01, 0.3};

	for (int j = 0; j < 4; j++)
	{
		double delta = log1p(rates[j]);
		double for_ever = clv_discounted_given(RFMTC, published, 4, 20, 22, delta, INFINITY);

		for (int t = 2; t < 300; t += 19)
		{
			double sum = 0;

			for (int k = 1; k <= t; k++)
				sum += pow(1 - 0.111, 2 + k) * 5 / 29.52 * pow(1 + rates[j], -k);
			AssertRelative("discounted",
						   clv_discounted_given(RFMTC, published, 4, 20, 22, delta, t), sum, 1e-13);
			assert_true(sum <= for_ever * (1 + 1e-13));
		}
		AssertRelative("for ever", for_ever, pow(1 - 0.111, 3) * 5 / 29.52 / (0.111 + rates[j]),
					   1e-13);
	}
}

/* No customer leaves: L P answers, and more without end. */
static void
a_vanishing_churn_has_its_limit(void **state)
{
	const double param[] = {1e-15, 1, 10};

	AssertRelative("many", Expected(RFMTC, param, 3, 5, 33, 50), 50 * 5 / 40.0, 1e-13);
	assert_true(clv_discounted_given(RFMTC, param, 4, 30, 33, 0, INFINITY) > 1e13);
}

static void
probabilities_sum_to_one_and_their_mean_is_expected(void **state)
{
	static double p[260];
	static const double params[][3] = {
		{0.111, 3.72, 9.52}, {0.001, 1, 0.6}, {0.5, 9, 100}, {1e-6, 1, 3}};

	for (int i = 0; i < 4; i++)
	{
		for (int t = 0; t < 260; t = 3 * t + 1)
		{
			ClvFuture future = {0};
			double sum = 0;
			double mean = 0;

			clv_given_alive(RFMTC, params[i], 6, 12, 15, &future);
			future.family->probabilities(future.param, t, 260, p);
			for (int n = 259; n >= 0; n--)
			{
				assert_true(p[n] >= 0 && p[n] <= 1 && (n <= t || p[n] == 0));
				AssertRelative("alone", future.family->probability(future.param, n, t), p[n],
							   1e-12);
				sum += p[n];
				mean += n * p[n];
			}
			AssertRelative("sum", sum, 1, 1e-12);
			AssertRelative("mean", mean, future.family->expected(future.param, t), 1e-12);
		}
	}
}

/* A newcomer has just bought for the first time. */
static void
newcomers_are_customers_of_today(void **state)
{
	for (int t = 0; t < 40; t += 3)
	{
		AssertRelative("expected", RFMTC->expected(published, t),
					   Expected(RFMTC, published, 0, 1, 0, t), 1e-15);
		AssertRelative("raw", RAW->expected(published, t), Expected(RAW, published, 0, 1, 0, t),
					   1e-15);
		AssertRelative("discounted", RFMTC->discounted(published, 0.01, t),
					   clv_discounted_given(RFMTC, published, 0, 0, 0, 0.01, t), 1e-15);
		AssertRelative("none", RFMTC->probability(published, 0, t),
					   clv_probability_given(RFMTC, published, 0, 0, 0, 0, t), 1e-15);
		AssertRelative("survival", RFMTC->survival(published, t), pow(1 - 0.111, t), 1e-13);
	}
}

static void
extremes_make_sense(void **state)
{
	static const double params[][3] = {
		{0.111, 3.72, 9.52}, {1e-12, 1e-6, 1e6}, {1 - 1e-12, 1e6, 1e-6}, {0.5, 1e6, 1e6}};
	static const double histories[][3] = {
		{0, 0, 0}, {0, 0, 1e5}, {3, 0, 0.5}, {2000, 1e4, 1e4}, {5, 7.25, 9.5}};
	static const double horizons[] = {0, 0.5, 1, 2, 700};

	for (int i = 0; i < 4; i++)
	{
		for (int j = 0; j < 5; j++)
		{
			const double *h = histories[j];

			assert_true(clv_possible(RFMTC, h[0], h[1], h[2]));
			for (int k = 0; k < 5; k++)
				MakesSense(RFMTC, params[i], h[0], h[1], h[2], horizons[k]);
			for (int outcome = 0; outcome < 2; outcome++)
			{
				ClvTerm term;

				RFMTC->cell(params[i], h[0], h[1], h[2], outcome, &term);
				assert_true(term.ln <= 0);
			}
		}
	}
	assert_false(clv_possible(RFMTC, 1, 3, 2));
	assert_false(clv_possible(RFMTC, 1.5, 2, 3));
	assert_false(clv_possible(RFMTC, 1, -1, 3));
}

/* ---- answers ---- */

static void
answers_have_the_likelihood_of_the_prediction(void **state)
{
	for (int i = 0; i < 6; i++)
	{
		double x = golden[i][1] - 1;
		double T = golden[i][2];
		double t_x = T - golden[i][0];
		double p = clv_expected_given(RFMTC, published, x, t_x, T, 1);
		ClvTerm term;

		if (i == 3)
			continue; /* in the round corner */
		RFMTC->cell(published, x, t_x, T, 1, &term);
		AssertRelative("yes", term.ln, log(p), 1e-13);
		RFMTC->cell(published, x, t_x, T, 0, &term);
		AssertRelative("no", term.ln, log1p(-p), 1e-13);
		RAW->cell(published, x, t_x, T, 0, &term);
		AssertRelative("raw", term.ln, log1p(-p), 1e-13);
		RFMTC->cell(published, x, t_x, T, NAN, &term);
		assert_true(term.ln == -INFINITY);
	}
}

/* The corner takes away 3/16 of its half-width at most, and joins both sides. */
static void
the_corner_is_round(void **state)
{
	double before = -1;
	double gap = 0;

	for (double g = 1.5; g < 3; g *= 1 + 1e-4)
	{
		const double param[] = {0.05, g, 10};
		ClvTerm term;
		double sharp = log1p(-0.05) + fmin(log(g * 5 / 10.0), 0);

		RFMTC->cell(param, 4, 0, 0, 1, &term);
		assert_true(term.ln >= before);
		assert_true(term.ln <= sharp + 1e-15);
		gap = fmax(gap, sharp - term.ln);
		before = term.ln;
	}
	assert_true(gap > 0.018 && gap < 0.019);
}

static void
derivatives_are_the_functions_own(void **state)
{
	/* the first is the odds of Q */
	static const double try[][3] = {
		{0.125, 3.72, 9.52}, {0.01, 1, 2}, {2, 0.3, 40}, {0.6, 4.05, 17}};
	static const double histories[][3] = {{0, 0, 16}, {4, 9, 11}, {12, 28, 28}, {3, 0, 0}};

	for (int i = 0; i < 4; i++)
	{
		for (int j = 0; j < 4; j++)
		{
			for (int outcome = 0; outcome < 2; outcome++)
			{
				Customer customer = {RFMTC, histories[j][0], histories[j][1], histories[j][2],
									 outcome};

				CheckDerivatives(3, try[i], EvaluateCustomer, &customer);
			}
		}
	}
}

/* ---- the blood donors ---- */

#define DONORS 748
#define TRAINING 500 /* the paper's split, in the order of the file */

typedef struct Donors
{
	double R[DONORS];
	double F[DONORS];
	double T[DONORS];
	int donated[DONORS];
} Donors;

/* Reads the published donors; false where the file is not there. */
static bool
ReadDonors(Donors *donors)
{
	FILE *file = OpenShared("data/transfusion.csv");
	char line[256];
	char *field[8];

	if (file == NULL)
		return false;
	ReadFields(file, line, sizeof(line), field, 8);
	for (int i = 0; i < DONORS; i++)
	{
		assert_int_equal(ReadFields(file, line, sizeof(line), field, 8), 5);
		donors->R[i] = atof(field[0]);
		donors->F[i] = atof(field[1]);
		donors->T[i] = atof(field[3]);
		donors->donated[i] = atoi(field[4]);
	}
	fclose(file);
	return true;
}

/* The expected answer of each donor in the next period. */
static void
Score(const Donors *donors, const ClvFamily *family, const double *param, double *score)
{
	for (int i = 0; i < DONORS; i++)
		score[i] = Expected(family, param, donors->R[i], donors->F[i], donors->T[i], 1);
}

/* Of a donor and one who did not donate, how often the donor's score is higher */
static double
Auc(const Donors *donors, const double *score, int from)
{
	double wins = 0;
	double pairs = 0;

	for (int i = from; i < DONORS; i++)
	{
		for (int j = from; j < DONORS; j++)
		{
			if (!donors->donated[i] || donors->donated[j])
				continue;
			pairs++;
			wins += score[i] > score[j] ? 1 : score[i] == score[j] ? 0.5 : 0;
		}
	}
	return wins / pairs;
}

/* Donors among the so many best of the later rows; equal scores in the order of the file */
static int
Hits(const Donors *donors, const double *score, int best)
{
	int hits = 0;

	for (int i = TRAINING; i < DONORS; i++)
	{
		int better = 0;

		for (int j = TRAINING; j < DONORS; j++)
			better += score[j] > score[i] || (score[j] == score[i] && j < i);
		hits += better < best && donors->donated[i];
	}
	return hits;
}

static void
published_figures(void **state)
{
	static Donors donors;
	static double score[DONORS];
	int beyond_one = 0;

	if (!ReadDonors(&donors))
		skip();
	Score(&donors, RAW, published, score);
	for (int i = 0; i < DONORS; i++)
		beyond_one += score[i] > 1;
	assert_int_equal(beyond_one, 10);
	assert_true(fabs(Auc(&donors, score, 0) - 0.7664) < 5e-5);
	assert_true(fabs(Auc(&donors, score, TRAINING) - 0.8022) < 5e-5);
	assert_int_equal(Hits(&donors, score, 50), 33);
	assert_int_equal(Hits(&donors, score, 100), 46);
	Score(&donors, RFMTC, published, score);
	assert_true(fabs(Auc(&donors, score, 0) - 0.7693) < 5e-5);
	assert_true(fabs(Auc(&donors, score, TRAINING) - 0.8027) < 5e-5);
	for (int i = 0; i < DONORS; i++)
		assert_true(score[i] <= 1 - published[0]);
}

/* Fits the answers of cells, with a workspace of its own. */
static ClvStatus
FitAnswers(const ClvFamily *family, const ClvCell *cells, size_t n, const double *start,
		   ClvFitReport *report)
{
	static const double outcome[] = {0, 1};
	ClvGroups groups = {.n = 2, .outcome = outcome};
	ClvFitControl control = {.start = start};
	ClvCell *copy = malloc(n * sizeof(ClvCell));
	void *workspace = malloc(clv_fit_cells_workspace(family, n));
	ClvStatus status;

	memcpy(copy, cells, n * sizeof(ClvCell));
	status = clv_fit_cells(family, copy, &n, &groups, &control, workspace, report);
	free(workspace);
	free(copy);
	return status;
}

/* The cells of the donors in the training set; their number. */
static size_t
TrainingCells(const Donors *donors, ClvCell *cells)
{
	for (int i = 0; i < TRAINING; i++)
		cells[i] = (ClvCell){.x = (int32_t) donors->F[i] - 1,
							 .t_x = donors->T[i] - donors->R[i],
							 .T = donors->T[i],
							 .group = donors->donated[i],
							 .count = 1};
	return TRAINING;
}

/* Fitted to the first 500, measured on the others: as good as the paper's own search */
static void
own_fit_ranks_the_rest(void **state)
{
	static Donors donors;
	static ClvCell cells[TRAINING];
	static double score[DONORS];
	static const double starts[][3] = {{0.5, 0.1, 100}, {1e-4, 20, 1}, {0.111, 3.72, 9.52}};
	ClvFitReport report;
	double brier = 0;

	if (!ReadDonors(&donors))
		skip();
	AtTheMaximum(FitAnswers(RFMTC, cells, TrainingCells(&donors, cells), NULL, &report), &report);
	Score(&donors, RFMTC, report.param, score);
	for (int i = TRAINING; i < DONORS; i++)
		brier += pow(score[i] - donors.donated[i], 2) / (DONORS - TRAINING);
	assert_true(Auc(&donors, score, TRAINING) >= 0.795);
	assert_true(brier <= 0.144);

	/* the paper's coefficients are on the same hill, and no start leads elsewhere */
	assert_true(fabs(report.param[0] - published[0]) < 0.03);
	assert_true(fabs(report.param[1] - published[1]) < 0.5);
	assert_true(fabs(report.param[2] - published[2]) < 3);
	for (int i = 0; i < 3; i++)
	{
		ClvFitReport again;

		AtTheMaximum(FitAnswers(RFMTC, cells, TRAINING, starts[i], &again), &again);
		assert_true(fabs(again.log_likelihood - report.log_likelihood) < 1e-7);
	}
	AtTheMaximum(FitAnswers(RAW, cells, TRAINING, NULL, &report), &report);
	assert_true(Auc(&donors, score, TRAINING) >= 0.795);
}

/* Answers as often as the model says, from all kinds of customers */
static void
exact_answers_give_their_parameters_back(void **state)
{
	const double truth[] = {0.07, 1.8, 12};
	static ClvCell cells[4000];
	size_t n = 0;
	ClvFitReport report;

	for (int x = 0; x < 10; x++)
	{
		for (int t_x = x; t_x < 40; t_x += 3)
		{
			for (int R = 0; R < 20; R += 4)
			{
				double p = clv_expected_given(RFMTC, truth, x, t_x, t_x + R, 1);

				if (truth[1] * (x + 1) / (t_x + truth[2]) > 0.8)
					continue; /* beyond the corner */
				for (uint32_t outcome = 0; outcome < 2; outcome++)
					cells[n++] = (ClvCell){.x = x,
										   .t_x = t_x,
										   .T = t_x + R,
										   .group = outcome,
										   .count = 100 * (outcome ? p : 1 - p)};
			}
		}
	}
	AtTheMaximum(FitAnswers(RFMTC, cells, n, NULL, &report), &report);
	for (int i = 0; i < 3; i++)
		AssertRelative("parameter", report.param[i], truth[i], 1e-6);
}

/* Where all customers answer, or none, there is no maximum. */
static void
unanimous_answers_are_reported(void **state)
{
	for (uint32_t outcome = 0; outcome < 2; outcome++)
	{
		ClvCell cells[200];
		ClvFitReport report;

		for (int i = 0; i < 200; i++)
			cells[i] = (ClvCell){
				.x = i % 7, .t_x = 7 + i % 13, .T = 20 + i % 5, .group = outcome, .count = 1};
		assert_int_not_equal(FitAnswers(RFMTC, cells, 200, NULL, &report), CLV_OK);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_values),
		cmocka_unit_test(the_lift_belongs_to_one_campaign),
		cmocka_unit_test(discounting_campaign_by_campaign),
		cmocka_unit_test(a_vanishing_churn_has_its_limit),
		cmocka_unit_test(probabilities_sum_to_one_and_their_mean_is_expected),
		cmocka_unit_test(newcomers_are_customers_of_today),
		cmocka_unit_test(extremes_make_sense),
		cmocka_unit_test(answers_have_the_likelihood_of_the_prediction),
		cmocka_unit_test(the_corner_is_round),
		cmocka_unit_test(derivatives_are_the_functions_own),
		cmocka_unit_test(published_figures),
		cmocka_unit_test(own_fit_ranks_the_rest),
		cmocka_unit_test(exact_answers_give_their_parameters_back),
		cmocka_unit_test(unanimous_answers_are_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
