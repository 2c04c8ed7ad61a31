/*
 * test_fit.c
 *		Fits of the transaction families: published results, peers, derivatives, and
 *		data that have no fit.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fitting.h"
#include "families/prior.h"
#include "families/registry.h"

#define BG (&clv_bgnbd)
#define MBG (&clv_mbgnbd)
#define AS_OF DayNumber(1997, 9, 30)

static const ClvFamily *const bg_families[] = {&clv_bgnbd, &clv_mbgnbd};

/* ---- published results and peers ---- */

/* Asserts that a fit of the CDNOW sample agrees with published estimates. */
static void
Published(const ClvFamily *family, double log_likelihood, const double *param,
		  const double *tolerance)
{
	Shop shop;
	ClvFitReport report;

	if (!LoadLog("data/cdnow_log_sample.csv", 2, AS_OF, &shop))
		skip();
	assert_int_equal(shop.n, 2357);
	assert_int_equal(FitCells(family, shop.cells, shop.n, NULL, &report), CLV_OK);
	assert_true(fabs(report.log_likelihood - log_likelihood) <= 0.005);
	for (int i = 0; i < 4; i++)
		assert_true(fabs(report.param[i] - param[i]) <= tolerance[i]);
	assert_true(report.customers == 2357);
	assert_true(report.gradient_norm < 1e-9);
	assert_true(report.iterations <= 12);
	ShopFree(&shop);
}

/* Fader, Hardie & Lee (2005), table 2 */
static void
published_bgnbd(void **state)
{
	static const double param[] = {.2426, 4.414, .793, 2.426};
	static const double digits[] = {5e-5, 5e-4, 5e-4, 5e-4};

	Published(BG, -9582.43, param, digits);
}

/* BTYDplus on the same data */
static void
published_mbgnbd(void **state)
{
	static const double param[] = {.5248, 6.183, .8914, 1.614};
	static const double digits[] = {5e-5, 5e-4, 5e-5, 5e-4};

	Published(MBG, -9582.14, param, digits);
}

/* Asserts that a fit of a log agrees with that of a peer package. */
static void
Peer(const ClvFamily *family, const char *log, int date_column, long as_of, const char *peer)
{
	Shop shop;
	ClvFitReport report;

	if (!LoadLog(log, date_column, as_of, &shop))
		skip();
	assert_int_equal(FitCells(family, shop.cells, shop.n, NULL, &report), CLV_OK);
	AgreesWithPeer(family, &report, peer);
	ShopFree(&shop);
}

static void
peers_on_cdnow(void **state)
{
	const char *sample = "data/cdnow_log_sample.csv";
	const char *master = "data/cdnow_log_full.csv";

	Peer(BG, sample, 2, AS_OF, "oracles/bgnbd_cdnow-39w_params.csv");
	Peer(BG, sample, 2, AS_OF, "oracles/bgnbd_btyd_cdnow-39w_params.csv");
	Peer(BG, sample, 2, DayNumber(1998, 6, 30), "oracles/bgnbd_cdnow-full78w_params.csv");
	Peer(BG, master, 1, AS_OF, "oracles/bgnbd_cdnow-master-39w_params.csv");
	Peer(MBG, sample, 2, AS_OF, "oracles/mbgnbd_btydplus_cdnow-39w_params.csv");
}

/* ---- derivatives ---- */

/* Simulated customers, as an array that the caller frees. */
static ClvCell *
SimulatedCustomers(const double *param, int immediate, size_t n, double grid, uint64_t seed)
{
	ClvCell *cells = malloc(n * sizeof(ClvCell));
	Chance chance = seed;

	for (size_t i = 0; i < n; i++)
	{
		double T = 4 + 100 * Uniform(&chance);

		T = grid > 0 ? grid * nearbyint(T / grid) : T;
		cells[i] = DrawCustomer(&chance, param, immediate, T, grid);
	}
	return cells;
}

static void
derivatives_are_the_functions_own(void **state)
{
	static const double points[][4] = {
		{.25, 4.4, .8, 2.4}, {1, 1, 1, 1}, {.01, 100, .02, 30}, {30, 900, 5, .3}};

	for (int immediate = 0; immediate < 2; immediate++)
	{
		for (int k = 0; k < 4; k++)
		{
			ClvCell *cells = SimulatedCustomers(points[0], immediate, 3000, k % 2 / 7.0, 3);

			CheckEngine(bg_families[immediate], cells, 3000, points[k]);
			free(cells);
		}
	}
}

/* x and T in the thousands: the terms of a block leave the doubles, and logs take over */
static void
derivatives_in_logs(void **state)
{
	static const double param[] = {.9, .02, .4, 50};
	ClvCell cells[400];
	Chance chance = 4;

	for (int immediate = 0; immediate < 2; immediate++)
	{
		for (int i = 0; i < 400; i++)
		{
			double T = 1 + floor(5000 * Uniform(&chance));

			cells[i] = (ClvCell){i < 20 ? 0 : 1000 + i % 5 * 1000, 0, 0, T, 1 + i % 3};
			if (cells[i].x > 0)
				cells[i].t_x = floor(T * Uniform(&chance));
		}
		CheckEngine(bg_families[immediate], cells, 400, param);
	}
}

/* ---- recoveries ---- */

static void
recovers_simulated_parameters(void **state)
{
	static const double truth[][4] = {
		{.25, 4.4, .8, 2.4}, {.5, 6.2, .9, 1.6}, {2, 8, .4, 3}, {.8, 30, 2, 9}};

	for (int immediate = 0; immediate < 2; immediate++)
	{
		for (int k = 0; k < 4; k++)
		{
			/* exact times: on a grid of days t_x would be off by rounding */
			ClvCell *cells = SimulatedCustomers(truth[k], immediate, 20000, 0, 100 + k);
			ClvFitReport report;

			assert_int_equal(FitCells(bg_families[immediate], cells, 20000, NULL, &report), CLV_OK);
			assert_true(report.gradient_norm < 1e-8);
			WithinErrors(bg_families[immediate], &report, truth[k], 4);
			free(cells);
		}
	}
}

/* ---- determinism ---- */

#define CUSTOMERS 30000

static const double everyday[] = {.25, 4.4, .8, 2.4};

/* Puts cells in a random order. */
static void
Shuffle(ClvCell *cells, size_t n, uint64_t seed)
{
	Chance chance = seed;

	for (size_t i = n - 1; i > 0; i--)
	{
		size_t j = (size_t) (Uniform(&chance) * (double) (i + 1));
		ClvCell cell = cells[i];

		cells[i] = cells[j];
		cells[j] = cell;
	}
}

static void
order_changes_no_bit(void **state)
{
	for (int grid = 0; grid < 2; grid++)
	{
		ClvCell *cells = SimulatedCustomers(everyday, 1, CUSTOMERS, grid / 7.0, 11);
		ClvFitReport report;

		assert_int_equal(FitCells(MBG, cells, CUSTOMERS, NULL, &report), CLV_OK);
		for (uint64_t seed = 1; seed <= 3; seed++)
		{
			ClvFitReport shuffled;

			Shuffle(cells, CUSTOMERS, seed);
			assert_int_equal(FitCells(MBG, cells, CUSTOMERS, NULL, &shuffled), CLV_OK);
			SameBits(MBG, &report, &shuffled);
		}
		free(cells);
	}
}

/* However the customers of a cell are counted, together, in parts or one by one. */
static void
counts_are_customers(void **state)
{
	ClvCell *cells = SimulatedCustomers(everyday, 0, CUSTOMERS, 1, 12);
	ClvCell *parts = malloc(3 * CUSTOMERS * sizeof(ClvCell));
	ClvFitReport single;
	ClvFitReport counted;
	size_t n = 0;

	for (size_t i = 0; i < CUSTOMERS; i++)
	{
		ClvCell cell = cells[i];

		cell.count = (double) (i % 3);
		for (size_t k = 0; k < i % 3; k++)
		{
			parts[n] = cells[i];
			parts[n++].count = 1;
		}
		cells[i] = cell;
	}
	assert_int_equal(FitCells(BG, cells, CUSTOMERS, NULL, &counted), CLV_OK);
	assert_int_equal(FitCells(BG, parts, n, NULL, &single), CLV_OK);
	SameBits(BG, &single, &counted);
	assert_true(counted.customers == CUSTOMERS);
	free(cells);
	free(parts);
}

static void
the_unit_of_time_is_free(void **state)
{
	static const double units[] = {7 * 86400.0, 1e-6};
	ClvCell *cells = SimulatedCustomers(everyday, 1, CUSTOMERS, 1 / 7.0, 13);
	ClvFitReport weeks;

	assert_int_equal(FitCells(MBG, cells, CUSTOMERS, NULL, &weeks), CLV_OK);
	for (int k = 0; k < 2; k++)
	{
		ClvCell *other = malloc(CUSTOMERS * sizeof(ClvCell));
		ClvFitReport report;

		for (size_t i = 0; i < CUSTOMERS; i++)
		{
			other[i] = cells[i];
			other[i].t_x *= units[k];
			other[i].T *= units[k];
		}
		assert_int_equal(FitCells(MBG, other, CUSTOMERS, NULL, &report), CLV_OK);
		for (int i = 0; i < 4; i++)
			assert_true(fabs(report.param[i] / weeks.param[i] / (i == 1 ? units[k] : 1) - 1) <
						1e-8);
		free(other);
	}
	free(cells);
}

/* ---- starts ---- */

static void
far_starts_arrive(void **state)
{
	ClvCell *cells = SimulatedCustomers(everyday, 0, CUSTOMERS, 1 / 7.0, 14);
	ClvFitReport best;

	for (int immediate = 0; immediate < 2; immediate++)
	{
		assert_int_equal(FitCells(bg_families[immediate], cells, CUSTOMERS, NULL, &best), CLV_OK);
		for (int corner = 0; corner < 16; corner++)
		{
			double start[4];
			ClvFitControl control = {.start = start};
			ClvFitReport report;

			for (int i = 0; i < 4; i++)
				start[i] = corner >> i & 1 ? 1e3 : 1e-3;
			assert_int_equal(FitCells(bg_families[immediate], cells, CUSTOMERS, &control, &report),
							 CLV_OK);
			for (int i = 0; i < 4; i++)
				assert_true(fabs(report.param[i] / best.param[i] - 1) < 1e-8);
		}
	}
	free(cells);
}

/*
 * With few customers mbg/nbd's likelihood often has two tops. Wherever a fit
 * begins, no other beginning may come higher.
 */
static void
the_highest_maximum_is_found(void **state)
{
	Chance chance = 77;
	int arrived = 0;

	for (int shop = 0; shop < 150; shop++)
	{
		double truth[] = {exp(4 * Uniform(&chance) - 2.5), exp(4 * Uniform(&chance)),
						  exp(4 * Uniform(&chance) - 2), exp(4 * Uniform(&chance) - 1)};
		size_t n = 40 + (size_t) (400 * Uniform(&chance));
		ClvCell *cells = malloc(n * sizeof(ClvCell));
		ClvFitReport best;

		for (size_t i = 0; i < n; i++)
			cells[i] = DrawCustomer(&chance, truth, 1, floor(10 + 90 * Uniform(&chance)), 1 / 7.0);
		if (FitCells(MBG, cells, n, NULL, &best) == CLV_OK)
		{
			arrived++;
			for (int corner = 0; corner < 16; corner++)
			{
				double start[4];
				ClvFitControl control = {.start = start};
				ClvFitReport report;

				for (int i = 0; i < 4; i++)
					start[i] = (corner >> i & 1 ? 30 : 0.03) * (i == 1 ? 10 : 1);
				FitCells(MBG, cells, n, &control, &report);
				assert_true(report.log_likelihood <= best.log_likelihood + 1e-6);
				assert_true(report.log_likelihood >= best.log_likelihood - 1e-6);
			}
		}
		free(cells);
	}
	assert_true(arrived > 60);
}

static void
impossible_starts_are_survived(void **state)
{
	static const double starts[][4] = {
		{NAN, 1, 1, 1}, {INFINITY, 1, 1, 1}, {0, 1, 1, 1}, {-1, 1, 1, 1}, {1e300, 1e-300, 1, 1}};
	ClvCell *cells = SimulatedCustomers(everyday, 0, CUSTOMERS, 1 / 7.0, 14);

	for (int k = 0; k < 5; k++)
	{
		ClvFitControl control = {.start = starts[k]};
		ClvFitReport report;

		assert_int_equal(FitCells(BG, cells, CUSTOMERS, &control, &report), CLV_OK);
	}
	free(cells);
}

static void
a_warm_start_saves_passes(void **state)
{
	ClvCell *cells = SimulatedCustomers(everyday, 0, CUSTOMERS, 1 / 7.0, 15);
	ClvFitReport cold;
	ClvFitReport warm;
	ClvFitControl control = {.start = cold.param};

	assert_int_equal(FitCells(BG, cells, CUSTOMERS, NULL, &cold), CLV_OK);
	assert_int_equal(FitCells(BG, cells, CUSTOMERS, &control, &warm), CLV_OK);
	assert_true(warm.iterations <= 2);
	for (int i = 0; i < 4; i++)
		assert_true(fabs(warm.param[i] / cold.param[i] - 1) < 1e-9);
	free(cells);
}

static void
too_few_iterations_are_said(void **state)
{
	ClvCell *cells = SimulatedCustomers(everyday, 0, CUSTOMERS, 1 / 7.0, 16);

	/* of few customers, and of so many that a sample is asked first */
	for (size_t n = 1000; n <= CUSTOMERS; n += CUSTOMERS - 1000)
	{
		for (int limit = 1; limit <= 2; limit++)
		{
			ClvFitControl control = {.max_iterations = limit};
			ClvFitReport report;

			assert_int_equal(FitCells(BG, cells, n, &control, &report), CLV_NOT_CONVERGED);
			assert_true(isfinite(report.log_likelihood) && report.param[0] > 0);
			assert_int_equal(report.iterations, limit);
		}
	}
	free(cells);
}

static void
penalty_draws_shapes_towards_one(void **state)
{
	ClvCell *cells = SimulatedCustomers(everyday, 0, CUSTOMERS, 1 / 7.0, 17);
	ClvFitControl control = {.shape_penalty = 0.05};
	ClvFitReport plain;
	ClvFitReport drawn;

	assert_int_equal(FitCells(BG, cells, CUSTOMERS, NULL, &plain), CLV_OK);
	assert_int_equal(FitCells(BG, cells, CUSTOMERS, &control, &drawn), CLV_OK);
	assert_true(fabs(log(drawn.param[0])) < fabs(log(plain.param[0])));
	assert_true(fabs(log(drawn.param[3])) < fabs(log(plain.param[3])));
	assert_true(drawn.log_likelihood < plain.log_likelihood);
	free(cells);
}

/* ---- data that have no fit ---- */

static void
says_what_is_missing(void **state)
{
	ClvCell cells[6] = {{0, 0, 0, 10, 1}, {0, 0, 0, 12, 7}, {0, 0, 0, 14, 1}};
	ClvCell same = {2, 0, 5, 10, 1000};
	ClvFitReport report;

	for (int immediate = 0; immediate < 2; immediate++)
	{
		const ClvFamily *family = bg_families[immediate];

		assert_int_equal(FitCells(family, cells, 0, NULL, &report), CLV_TOO_FEW);
		assert_int_equal(FitCells(family, cells, 1, NULL, &report), CLV_TOO_FEW);
		assert_int_equal(FitCells(family, cells, 3, NULL, &report), CLV_NO_REPEATERS);
		assert_true(report.customers == 9);
		assert_true(isnan(report.log_likelihood) && !report.has_covariance);
		assert_int_equal(FitCells(family, &same, 1, NULL, &report), CLV_NO_DROPOUT_SIGNAL);
	}
}

static void
refuses_nonsense(void **state)
{
	static const ClvCell nonsense[] = {{1, 0, NAN, 2, 1}, {1, 0, 1, NAN, 1},     {1, 0, 1, 2, NAN},
									   {-1, 0, 1, 2, 1},  {1, 0, 3, 2, 1},       {1, 0, -1, 2, 1},
									   {1, 0, 1, 2, -1},  {1, 0, 1, INFINITY, 1}};
	ClvCell *cells = SimulatedCustomers(everyday, 0, 1000, 1, 18);
	ClvFitReport report;

	for (int k = 0; k < 8; k++)
	{
		cells[500] = nonsense[k];
		assert_int_equal(FitCells(BG, cells, 1000, NULL, &report), CLV_BAD_START);
	}
	free(cells);
}

/* Customers who all buy at the same pace and never leave: r and alpha grow, a vanishes. */
static void
names_what_runs_away(void **state)
{
	ClvCell cells[1000];
	Chance chance = 19;

	for (int i = 0; i < 1000; i++)
	{
		double T = 500 + floor(500 * Uniform(&chance));
		int x = 0;
		double t = 0;

		for (double next = Exponential(&chance); next < T; next += Exponential(&chance))
		{
			t = next;
			x++;
		}
		cells[i] = (ClvCell){x, 0, t, T, 1};
	}
	for (int immediate = 0; immediate < 2; immediate++)
	{
		ClvFitReport report;

		assert_int_equal(FitCells(bg_families[immediate], cells, 1000, NULL, &report),
						 CLV_DEGENERATE);
		assert_in_range(report.degenerate_param, 0, 3);
		assert_true(fabs(log(report.param[report.degenerate_param])) > 3);
		for (int i = 0; i < 4; i++)
			assert_true(report.param[i] > 0 && isfinite(report.param[i]));
	}
}

/* A poll: counts its calls. */
static void
CountPolls(void *arg)
{
	++*(int *) arg;
}

/*
 * Of many such customers, ascents of the sample run away to the same border, where they end at
 * different heights. All data are ascended once: that takes 380 and 459 polls (382 and 622 with the
 * rounding of i386, by which one more ends apart), where every end counted as a border of its own
 * 611 and 786.
 */
static void
ascends_to_a_border_once(void **state)
{
	static const double alike[] = {1e5, 3e6, 1e-6, 1};
	static const int most[] = {490, 700};
	size_t n = 20000;
	ClvCell *cells = malloc(n * sizeof(ClvCell));
	Chance chance = 106;

	for (size_t i = 0; i < n; i++)
		cells[i] = DrawCustomer(&chance, alike, 0, 20 + 60 * Uniform(&chance), 0);

	for (int immediate = 0; immediate < 2; immediate++)
	{
		int polls = 0;
		ClvFitControl control = {.poll = CountPolls, .poll_arg = &polls};
		ClvFitReport report;

		assert_int_equal(FitCells(bg_families[immediate], cells, n, &control, &report),
						 CLV_DEGENERATE);
		assert_in_range(polls, 1, most[immediate]);
	}
	free(cells);
}

static void
histories_in_the_thousands(void **state)
{
	static const double truth[] = {1.2, .002, .5, 800};
	ClvCell *cells = malloc(2000 * sizeof(ClvCell));
	Chance chance = 20;
	double most = 0;

	for (int immediate = 0; immediate < 2; immediate++)
	{
		ClvFitReport report;

		for (int i = 0; i < 2000; i++)
		{
			cells[i] =
				DrawCustomer(&chance, truth, immediate, 3000 + floor(2000 * Uniform(&chance)), 0);
			most = fmax(most, cells[i].x);
		}
		assert_true(most > 5000);
		assert_int_equal(FitCells(bg_families[immediate], cells, 2000, NULL, &report), CLV_OK);
		WithinErrors(bg_families[immediate], &report, truth, 4);
	}
	free(cells);
}

/* More distinct times than a table holds: a run of one x is cut into blocks. */
static void
more_times_than_a_table_holds(void **state)
{
	size_t n = 40000;
	ClvCell *cells = SimulatedCustomers(everyday, 1, n, 0, 21);
	ClvFitReport report;
	double direct = 0;

	assert_int_equal(FitCells(MBG, cells, n, NULL, &report), CLV_OK);
	for (size_t i = 0; i < n; i++)
		direct += MBG->log_likelihood(report.param, cells[i].x, cells[i].t_x, cells[i].T);
	assert_true(fabs(report.log_likelihood / direct - 1) < 1e-12);
	free(cells);
}

/* Without customers, and with a prior whose mean no parameters have, there is no start. */
static void
nothing_to_start_from(void **state)
{
	ClvSpendRow none;
	ClvPrior prior = {
		.year = 1, .proper = true, .mean = {-12, -12.7, 0}, .precision = {1, 0, 1, 0, 0, 1}};
	ClvFitControl control = {.prior = &prior};
	ClvFitReport report;

	assert_int_equal(FitSpend(&clv_gammagamma, &none, 0, &control, &report), CLV_BAD_START);
}

/* ---- memory and interrupts ---- */

static void
sizes_saturate(void **state)
{
	assert_true(clv_fit_cells_workspace(BG, SIZE_MAX) == SIZE_MAX);
	assert_true(clv_fit_cells_workspace(BG, SIZE_MAX / 32) == SIZE_MAX);
	assert_true(clv_fit_cells_workspace(BG, UINT32_MAX) == SIZE_MAX);
	assert_true(clv_fit_spend_workspace(&clv_gammagamma, SIZE_MAX, 0) == SIZE_MAX);
	assert_true(clv_fit_spend_workspace(&clv_gammagamma, SIZE_MAX / 8, 0) == SIZE_MAX);
	/* what 1-surface promises of memory: 40 bytes a cell */
	assert_true(clv_fit_cells_workspace(BG, 1500000) < (size_t) 1500000 * 40);
	assert_true(clv_fit_cells_workspace(BG, 1) < 4096);
}

typedef struct Interrupt
{
	jmp_buf out;
	int calls;
	int last;
} Interrupt;

/* Counts the calls of a poll, and leaves the fit by longjmp at the last. */
static void
CountAndLeave(void *arg)
{
	Interrupt *interrupt = arg;

	if (++interrupt->calls == interrupt->last)
		longjmp(interrupt->out, 1);
}

/* Wherever a fit is left, the same memory serves the next one. */
static void
a_fit_can_be_left_anywhere(void **state)
{
	size_t n = 100000;
	size_t left;
	ClvCell *all = SimulatedCustomers(everyday, 0, n, 1 / 7.0, 22);
	ClvCell *cells = malloc(n * sizeof(ClvCell));
	void *workspace = malloc(clv_fit_cells_workspace(BG, n));
	Interrupt interrupt;
	ClvFitControl control = {.poll = CountAndLeave, .poll_arg = &interrupt};
	volatile int last = 1;
	ClvFitReport report;
	ClvFitReport again;

	assert_int_equal(FitCells(BG, all, n, NULL, &report), CLV_OK);
	for (;; last = last * 2)
	{
		memcpy(cells, all, n * sizeof(ClvCell));
		left = n;
		interrupt.calls = 0;
		interrupt.last = last;
		if (setjmp(interrupt.out) == 0)
		{
			assert_int_equal(clv_fit_cells(BG, cells, &left, NULL, &control, workspace, &again),
							 CLV_OK);
			break;
		}
	}
	assert_true(last > 32); /* polled all the way */
	SameBits(BG, &report, &again);
	free(workspace);
	free(cells);
	free(all);
}

/* Fits to the same cells, one after the other, count every customer once. */
static void
the_next_fit_sees_the_same_customers(void **state)
{
	size_t n = 400;
	size_t left = n;
	ClvCell *cells = SimulatedCustomers(everyday, 0, n, 4, 23);
	ClvCell *turned = malloc(n * sizeof(ClvCell));
	void *workspace = malloc(clv_fit_cells_workspace(BG, n));
	static const ClvFitControl control = {0};
	ClvFitReport report[3];

	for (size_t i = 0; i < n; i++)
		turned[i] = cells[n - 1 - i];
	for (int i = 0; i < 2; i++)
	{
		clv_fit_cells(bg_families[i], cells, &left, NULL, &control, workspace, &report[i]);
		assert_true(left < n); /* some were alike */
		assert_true(report[i].customers == (double) n);
	}
	clv_fit_cells(bg_families[1], turned, &n, NULL, &control, workspace, &report[2]);
	assert_int_equal(n, left);
	SameBits(bg_families[1], &report[1], &report[2]);
	free(workspace);
	free(turned);
	free(cells);
}

/* ---- the registry ---- */

static void
registry_knows_its_families(void **state)
{
	int n = 0;

	for (; clv_family_at(n) != NULL; n++)
		assert_ptr_equal(clv_family(clv_family_at(n)->name), clv_family_at(n));
	assert_true(n >= 9);
	assert_ptr_equal(clv_family("bg/nbd"), BG);
	assert_null(clv_family("BG/NBD"));
	assert_null(clv_family(""));
	assert_null(clv_family_at(-1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_bgnbd),
		cmocka_unit_test(published_mbgnbd),
		cmocka_unit_test(peers_on_cdnow),
		cmocka_unit_test(derivatives_are_the_functions_own),
		cmocka_unit_test(derivatives_in_logs),
		cmocka_unit_test(recovers_simulated_parameters),
		cmocka_unit_test(order_changes_no_bit),
		cmocka_unit_test(counts_are_customers),
		cmocka_unit_test(the_unit_of_time_is_free),
		cmocka_unit_test(far_starts_arrive),
		cmocka_unit_test(the_highest_maximum_is_found),
		cmocka_unit_test(impossible_starts_are_survived),
		cmocka_unit_test(a_warm_start_saves_passes),
		cmocka_unit_test(too_few_iterations_are_said),
		cmocka_unit_test(penalty_draws_shapes_towards_one),
		cmocka_unit_test(says_what_is_missing),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(names_what_runs_away),
		cmocka_unit_test(ascends_to_a_border_once),
		cmocka_unit_test(histories_in_the_thousands),
		cmocka_unit_test(more_times_than_a_table_holds),
		cmocka_unit_test(sizes_saturate),
		cmocka_unit_test(nothing_to_start_from),
		cmocka_unit_test(a_fit_can_be_left_anywhere),
		cmocka_unit_test(the_next_fit_sees_the_same_customers),
		cmocka_unit_test(registry_knows_its_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
