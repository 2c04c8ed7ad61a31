/*
 * test_special.c
 *		Special functions against values to 18 digits, and their identities.
 *
 * The tables were computed with 80 digits from the doubles printed in them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "math/beta_mean.h"
#include "math/chebyshev.h"
#include "math/gauss.h"
#include "math/hypergeometric.h"
#include "math/special.h"
#include "oracle.h"

#define ROWS(table) (sizeof(table) / sizeof(table[0]))

#define assert_near(actual, expected, tolerance)                                                   \
	do                                                                                             \
	{                                                                                              \
		double actual_ = (actual);                                                                 \
		double expected_ = (expected);                                                             \
		if (!(RelativeError(actual_, expected_) <= (tolerance)))                                   \
			fail_msg("%s is %.17g, not %.17g", #actual, actual_, expected_);                       \
	} while (0)

/* x, ln Gamma, psi, psi' */
static const double gamma_values[][4] = {
	{1e-300, 690.775527898213705, -9.99999999999999975e+299, INFINITY},
	{1e-08, 18.4206807381802089, -100000000.577215646, 10000000000000001.2},
	{0.1, 2.2527126517342059, -10.4237549404110762, 101.433299150792748},
	{0.5, 0.572364942924700087, -1.96351002602142348, 4.93480220054467931},
	{0.999999, 5.77216487385565238e-7, -0.577217309836801814, 1.6449364709652798},
	{1.0000001, -5.7721558299185071e-8, -0.5772155004081381, 1.64493382643687813},
	{1.5, -0.120782237635245222, 0.0364899739785765206, 0.934802200544679309},
	{1.9999999, -4.22784303098612982e-8, 0.422784270605058396, 0.644934107259609562},
	{2.00001, 4.2278755976483596e-6, 0.422790784418930056, 0.644930025734860041},
	{2.5, 0.28468287047291916, 0.703156640645243187, 0.490357756100234865},
	{3.7, 1.42807232666538813, 1.16715353936151144, 0.310037857670038302},
	{9.999, 12.7995757800774137, 2.25164741720573531, 0.105177386676728862},
	{10.0, 12.8018274800814696, 2.25175258906672111, 0.105166335681685746},
	{33.3, 82.603723581654943, 3.49046723852024278, 0.0304854440953388878},
	{1000.5, 5908.67417584867749, 6.90775532064879643, 0.000999999916666695833},
	{100000000.0, 1742068066.10383471, 18.4206807389523655, 1.00000000500000002e-8},
	{1000000000000000.0, 33538776394910668.9, 34.5387763949106848, 1.0000000000000005e-15},
	{1e+300, 6.89775527898213741e+302, 690.775527898213705, 9.99999999999999947e-301},
};

static void
gamma_and_its_derivatives(void **state)
{
	for (size_t i = 0; i < ROWS(gamma_values); i++)
	{
		const double *v = gamma_values[i];

		assert_near(clv_lgamma(v[0]), v[1], 2e-15);
		if (i > 0)
		{
			const double *before = gamma_values[i - 1];
			double difference = v[2] - before[2];

			assert_true(fabs(clv_digamma_rising(before[0], v[0] - before[0]) - difference) <=
						4e-15 * fmax(1, fabs(before[2])));
		}
		assert_near(clv_trigamma(v[0]), v[3], 4e-15);
	}
}

static void
gamma_obeys_its_recurrence(void **state)
{
	for (double x = 1e-3; x < 1e4; x *= 1.0173)
	{
		double scale = 1 + fabs(clv_lgamma(x));

		assert_true(fabs(clv_lgamma(x + 1) - clv_lgamma(x) - log(x)) <= 4e-15 * scale);
		assert_true(fabs(clv_lgamma(x) - lgamma(x)) <= 4e-15 * scale);
		assert_near(clv_digamma_rising(x, 1), 1 / x, 4e-15);
	}
	assert_near(clv_lgamma1p(1e-20), -0.57721566490153286061e-20, 1e-15);
}

/* a, n, and the differences of ln Gamma, psi and psi' between a + n and a */
static const double rising_values[][5] = {
	{1e-300, 1.0, -690.775527898213705, 9.99999999999999975e+299, -INFINITY},
	{0.001, 1.0, -6.90775527898213703, 999.999999999999979, -999999.999999999958},
	{0.001, 5.0, -3.7276188267141291, 1002.08191089880652, -1000001.42125901911},
	{0.243, 2.0, -1.19716602311301457, 4.91973156673255013, -17.5823164723755735},
	{0.243, 17.0, 30.0368503646953864, 7.16922266766512077, -18.0820710670726703},
	{0.243, 2000.0, 13199.4523777775143, 11.9518678261278046, -18.141279722847993},
	{1000.0, 17.0, 117.567097847729438, 0.0168654777445468131, -0.0000167324152154788063},
	{1000.0, 40.0, 277.080139276993493, 0.0392399502094931041, -0.0000384992788556305382},
	{1000000.0, 3.0, 41.4465346738903223, 2.99999700000499999e-6, -2.99999400001499996e-12},
	{1000000.0, 1000.0, 13816.009891630641, 0.000999500832584199084, -9.99001997503495506e-10},
	{1000000000000.0, 20.0, 552.620422318760964, 1.999999999981e-11, -1.999999999962e-23},
	{1000000000000000.0, 30.0, 1036.16329184732099, 2.9999999999999565e-14, -2.999999999999913e-29},
	{5.5, 1e-10, 1.6110931485917183e-10, 1.99342386987647219e-11, -3.96089475205175148e-12},
	{0.3, 0.7, -1.09579799481807553, 2.92530855729860017, -10.6004304792595047},
	{12.0, 1e-09, 2.44266168001926311e-9, 8.69018728679947935e-11, -7.54720536834386579e-12},
	{3.0, 100000000.0, 1742068120.67272979, 17.497896433853898, -0.394934056848226686},
	{1e-10, 100.0, 336.10835444015268, 10000000005.1773772, -9.99999999999999927e+19},
};

static void
rising_factorials(void **state)
{
	for (size_t i = 0; i < ROWS(rising_values); i++)
	{
		const double *v = rising_values[i];

		if (v[1] >= 1)
		{
			assert_near(clv_log_rising(v[0], v[1]), v[2], 2e-14);
			assert_near(clv_digamma_rising(v[0], v[1]), v[3], 2e-14);
			assert_near(clv_trigamma_rising(v[0], v[1]), v[4], 2e-14);
		}
		else
		{
			/* fractions of a factor: absolute accuracy is what is promised */
			assert_true(fabs(clv_log_rising(v[0], v[1]) - v[2]) < 1e-15);
			assert_true(fabs(clv_digamma_rising(v[0], v[1]) - v[3]) < 1e-15);
			assert_true(fabs(clv_trigamma_rising(v[0], v[1]) - v[4]) < 1e-14);
		}
	}
	assert_true(clv_log_rising(0.3, 0) == 0);
	assert_near(clv_lbeta(2000, 0.001), clv_lgamma(0.001) - clv_log_rising(2000, 0.001), 0);
	assert_near(clv_lbeta(2, 3), log(1.0 / 12), 1e-15);
}

static void
logarithms_of_sums(void **state)
{
	assert_near(clv_log1pexp(0), log(2), 1e-16);
	assert_near(clv_log1pexp(1e4), 1e4, 0);
	assert_near(clv_log1pexp(-50), exp(-50), 1e-15);
	assert_true(clv_log1pexp(-INFINITY) == 0);
	assert_near(clv_log_add(-5000, -5000 + log(2)), -5000 + log(3), 1e-16);
	assert_near(clv_log_add(3, -INFINITY), 3, 0);
	assert_true(clv_log_add(-INFINITY, -INFINITY) == -INFINITY);
}

/* a, b, x, 1 - x, I_x(a,b), its complement */
static const double beta_values[][6] = {
	{1.0, 0.25, 1.0 / 3, 2.0 / 3, 0.096397996390155168, 0.903602003609844832},
	{3.0, 0.5, 1.0 / 1000, 999.0 / 1000, 3.12617257861364775e-10, 0.999999999687382742},
	{25.0, 1000.0, 1.0 / 66, 65.0 / 66, 0.0154369355636956564, 0.984563064436304344},
	{100.0, 2.0, 1.0 / 2, 1.0 / 2, 4.02319061662716021e-29, 1.0},
	{100.0, 2.0, 99.0 / 100, 1.0 / 100, 0.73206468254645901, 0.26793531745354099},
	{2000.0, 1000.0, 2.0 / 3, 1.0 / 3, 0.498283138385354834, 0.501716861614645166},
	{2000.0, 1000.0, 3.0 / 4, 1.0 / 4, 1.0, 9.49234158705820749e-25},
	{5000.0, 0.243, 999.0 / 1000, 1.0 / 1000, 0.000470481909923986034, 0.999529518090076014},
	{0.001, 1000.0, 1.0 / 1000000, 999999.0 / 1000000, 0.993687151271397187,
	 0.00631284872860281317},
	{0.001, 0.001, 1.0 / 2, 1.0 / 2, 0.5, 0.5},
	{1000.0, 1000.0, 1.0 / 3, 2.0 / 3, 1.87594944810500224e-53, 1.0},
};

static void
incomplete_beta_has_two_exact_tails(void **state)
{
	for (size_t i = 0; i < ROWS(beta_values); i++)
	{
		const double *v = beta_values[i];
		double lower;
		double upper;

		/* x itself is rounded, which large powers magnify */
		double tolerance = 1e-14 + 1e-16 * fmax(v[0], v[1]);

		clv_beta_tails(v[0], v[1], v[2], v[3], &lower, &upper);
		assert_near(lower, v[4], tolerance);
		assert_near(upper, v[5], tolerance);
		clv_beta_tails(v[1], v[0], v[3], v[2], &upper, &lower);
		assert_near(lower, v[4], tolerance);
		assert_near(upper, v[5], tolerance);
	}
}

static void
incomplete_beta_at_its_ends(void **state)
{
	double lower;
	double upper;

	clv_beta_tails(2, 3, 0, 1, &lower, &upper);
	assert_true(lower == 0 && upper == 1);
	clv_beta_tails(2, 3, 1, 0, &lower, &upper);
	assert_true(lower == 1 && upper == 0);
}

/* s, w, e^w E_s(w) */
static const double expint_values[][3] = {
	{0.001953125, 40.0, 0.024998808448318871567},
	{0.05, 0.01, 81.696623969325707571},
	{0.1, 3.0, 0.32478630246779914804},
	{0.125, 1e-06, 193769.68604353070572},
	{0.25, 1.2, 0.7339101983940423833},
	{0.375, 1e-12, 45363467.464117810778},
	{0.4921875, 0.5, 1.319275515471446421},
	{0.75, 1e-10, 1142.51852183985872},
	{0.75, 0.01, 7.54826958347893041},
	{0.75, 0.9, 0.723519648889902291},
	{0.75, 1.3, 0.54861355063630823},
	{0.75, 5.0, 0.1770509507939551},
	{0.75, 50.0, 0.0197099621155686492},
	{0.75, 1000000.0, 9.99999250001312496e-7},
	{1.0, 1e-10, 22.4486352673837875},
	{1.0, 0.01, 4.07851144345642583},
	{1.0, 0.9, 0.63994922663929973},
	{1.0, 1.3, 0.49700974826164425},
	{1.0, 5.0, 0.170422176284732202},
	{1.0, 50.0, 0.0196151099301148704},
	{1.0, 1000000.0, 9.99999000001999994e-7},
	{1.000000001, 1e-10, 22.4486350145906888},
	{1.000000001, 0.01, 4.07851143444204216},
	{1.000000001, 0.9, 0.6399492263365935},
	{1.000000001, 1.3, 0.497009748071417473},
	{1.000000001, 5.0, 0.170422176259112914},
	{1.000000001, 50.0, 0.0196151099297372548},
	{1.000000001, 1000000.0, 9.99999000001998994e-7},
	{1.25, 1e-10, 3.98449956908137196},
	{1.25, 0.01, 2.48801786878823691},
	{1.25, 0.9, 0.570976655984949014},
	{1.25, 1.3, 0.452981788840566558},
	{1.25, 5.0, 0.164227835246656758},
	{1.25, 50.0, 0.0195211501877332966},
	{1.25, 1000000.0, 9.99998750002812491e-7},
	{2.0, 1e-10, 0.999999997755136473},
	{2.0, 0.01, 0.959214885565435741},
	{2.0, 0.9, 0.424045696024630229},
	{2.0, 1.3, 0.353887327259862453},
	{2.0, 5.0, 0.147889118576338991},
	{2.0, 50.0, 0.0192445034942564817},
	{2.0, 1000000.0, 9.99998000005999976e-7},
	{2.4999999, 1e-10, 0.666666710977782996},
	{2.4999999, 0.01, 0.655451946973313697},
	{2.4999999, 0.9, 0.358576084396653834},
	{2.4999999, 1.3, 0.306874873474390709},
	{2.4999999, 5.0, 0.138567631448188285},
	{2.4999999, 50.0, 0.0190643145236537058},
	{2.4999999, 1000000.0, 9.9999750000884996e-7},
	{7.3, 1e-10, 0.158730158727163826},
	{7.3, 0.01, 0.158431362253545605},
	{7.3, 0.9, 0.136273759131115803},
	{7.3, 1.3, 0.128446130150234762},
	{7.3, 5.0, 0.0851408719624669341},
	{7.3, 50.0, 0.017489755476659004},
	{7.3, 1000000.0, 9.99992700060589437e-7},
	{29.9, 1e-10, 0.034602076124443454},
	{29.9, 0.01, 0.0345896785554406855},
	{29.9, 0.9, 0.0335219724759773166},
	{29.9, 1.3, 0.033063992814540459},
	{29.9, 5.0, 0.0293680907652833885},
	{29.9, 50.0, 0.0125736246130384223},
	{29.9, 1000000.0, 9.99970100923880528e-7},
	{50.0, 1e-10, 0.0204081632652636054},
	{50.0, 0.01, 0.0204039124690464041},
	{50.0, 0.9, 0.0200326970507678643},
	{50.0, 1.3, 0.0198703102775254251},
	{50.0, 5.0, 0.0184863384417879677},
	{50.0, 50.0, 0.0100497488297716897},
	{50.0, 1000000.0, 9.99950002549867407e-7},
	{2000.0, 1e-10, 0.000500250125062506228},
	{2000.0, 0.01, 0.000500247621320689089},
	{2000.0, 0.9, 0.000500024888676972501},
	{2000.0, 1.3, 0.000499924848740332521},
	{2000.0, 5.0, 0.000499001374435190961},
	{2000.0, 50.0, 0.000488037132901479669},
	{2000.0, 1000000.0, 9.98003994004011948e-7},
};

static void
exponential_integral(void **state)
{
	for (size_t i = 0; i < ROWS(expint_values); i++)
	{
		const double *v = expint_values[i];

		assert_near(clv_expint_scaled(v[0], v[1]), v[2], 3e-15);
	}

	/* the series and the fraction meet */
	for (double s = 0.6; s < 30; s += 0.37)
		assert_near(clv_expint_scaled(s, nextafter(1.25, 0)), clv_expint_scaled(s, 1.25), 2e-15);
}

static int kernel_calls;

/* A function of p for means over beta densities: 1 + p^arg. */
static double
OnePlusPower(double p, const double *arg)
{
	return 1 + pow(p, arg[0]);
}

/* E[p^k] = B(a+k, b) / B(a, b), over shapes that differ by eleven powers of ten */
static void
beta_means_are_exact(void **state)
{
	for (double a = 1e-5; a < 1e6; a *= 9.7)
	{
		for (double b = 1e-5; b < 1e6; b *= 9.7)
		{
			for (double k = 1; k < 4; k += 1)
			{
				double exact = exp(clv_log_rising(a, k) - clv_log_rising(a + b, k));

				assert_near(clv_beta_mean(a, b, OnePlusPower, &k, 0, 0, 0), 1 + exact, 2e-13);
			}
		}
	}
}

/* The function 1 + p^2, which counts its calls. */
static double
CountingSquare(double p, const double *arg)
{
	kernel_calls++;
	return 1 + p * p;
}

/*
 * However narrow the density is, as many nodes find it: the far borders of fits are near 1e9. There
 * a weight is the difference of numbers of that size, and its rounding moves the mean by some
 * 1e-13.
 */
static void
beta_means_of_large_shapes_are_short(void **state)
{
	for (double a = 1e3; a < 1e10; a *= 7.3)
	{
		for (double b = 0.7; b < 1e10; b *= 7.3)
		{
			double mean = a / (a + b);

			kernel_calls = 0;
			assert_near(clv_beta_mean(a, b, CountingSquare, NULL, 0, 0, 0),
						1 + mean * mean + mean * (1 - mean) / (a + b + 1), 1e-12);
			assert_true(kernel_calls < 400);
		}
	}
}

/* A pole at distance 1 of [-1, 1], an entire function, and polynomials of the highest degree. */
static void
polynomials_through_chebyshev_points(void **state)
{
	int n = 40;
	double at[CLV_CHEBYSHEV_MOST];
	ClvChebyshevRow values[CLV_CHEBYSHEV_MOST];
	ClvChebyshevRow coefficients[CLV_CHEBYSHEV_MOST];

	clv_chebyshev_points(n, at);
	for (int k = 0; k < n; k++)
	{
		assert_true(fabs(cos(n * acos(at[k]))) <= 1e-13);
		values[k] = (ClvChebyshevRow){{1 / (2 + at[k]), exp(5 * at[k]), pow(at[k], n - 1)}};
	}
	clv_chebyshev_fit(n, values, coefficients);
	for (double x = -1; x <= 1; x += 1 / 1024.0)
	{
		ClvChebyshevRow value = clv_chebyshev_value(n, coefficients, x);

		assert_near(value.of[0], 1 / (2 + x), 1e-14);
		assert_true(fabs(value.of[1] - exp(5 * x)) <= 1e-13 * exp(5));
		assert_true(fabs(value.of[2] - pow(x, n - 1)) <= 1e-14);
		assert_true(value.of[3] == 0);
	}
	for (int k = 1; k < n; k++)
		assert_true(fabs(coefficients[k].of[0] - pow(-(2 - sqrt(3)), k) * 2 / sqrt(3)) <= 1e-15);
}

/* 2F1 from its coefficients at z, which must be at most 160; NAN where they are refused. */
static double
Hypergeometric(double a, double b, double c, double z)
{
	double coefficient[160];
	int n = clv_hypergeometric_terms(a, b, c, z, 160, coefficient);
	double value = 0;

	for (int k = n - 1; k >= 0; k--)
		value = value * z + coefficient[k];
	return n == 0 ? NAN : value;
}

/* Elementary cases of DLMF 15.4.1, 15.4.3 and 15.4.6, and a polynomial. */
static void
hypergeometric_function(void **state)
{
	for (double z = 1 / 64.0; z <= 0.75; z += 1 / 64.0)
	{
		assert_near(Hypergeometric(1, 1, 2, z), -log1p(-z) / z, 4e-15);
		assert_near(Hypergeometric(1, 0.5, 1.5, z), atanh(sqrt(z)) / sqrt(z), 4e-15);
		assert_near(Hypergeometric(2.5, 0.75, 2.5, z), pow(1 - z, -0.75), 4e-15);
		assert_near(Hypergeometric(2, -2, 4, z), 1 - z + 0.3 * z * z, 4e-15);
		assert_near(Hypergeometric(3, 0, 7, z), 1, 0);
	}
	assert_near(Hypergeometric(0.4, 2.25, 3, 0), 1, 0);
}

/* Neither a sum that has lost its digits nor one cut off is returned. */
static void
hypergeometric_function_refuses(void **state)
{
	assert_true(isnan(Hypergeometric(1, 1, 2, 0.9)));
	assert_true(isnan(Hypergeometric(20, -15.5, 1, 0.7)));
}

/* A rule of n nodes integrates x^(2n - 2) over [0, 1], to some units of the last place. */
static void
gauss_rules_are_exact(void **state)
{
	const ClvGauss *const rules[] = {&clv_gauss_4, &clv_gauss_8, &clv_gauss_12, &clv_gauss_16};

	for (size_t i = 0; i < ROWS(rules); i++)
	{
		ClvGaussNode node[CLV_GAUSS_MOST];
		int n = clv_gauss_nodes(rules[i], 0, 1, node);
		double sum = 0;

		for (int k = 0; k < n; k++)
			sum += node[k].weight * pow(node[k].at, 2 * n - 2);
		assert_near(sum, 1.0 / (2 * n - 1), 4e-15);
	}
}

/* e^a - e^b, also where one of them is below any double, and where they cancel. */
static void
differences_of_exponentials(void **state)
{
	assert_near(clv_exp_less(-1, -2), 0.23254415793482963, 2e-16); /* by mpmath */
	assert_near(clv_exp_less(-2, -1), -0.23254415793482963, 2e-16);
	assert_near(clv_exp_less(0, -1e-12), 9.999999999995e-13, 2e-16);
	assert_near(clv_exp_less(-1, -1e6), exp(-1), 2e-16);
	assert_near(clv_exp_less(-1e6, -1), -exp(-1), 2e-16);
	assert_near(clv_exp_less(-3, -INFINITY), exp(-3), 2e-16);
	assert_true(clv_exp_less(-1e6, -2e6) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gamma_and_its_derivatives),
		cmocka_unit_test(gamma_obeys_its_recurrence),
		cmocka_unit_test(rising_factorials),
		cmocka_unit_test(logarithms_of_sums),
		cmocka_unit_test(incomplete_beta_has_two_exact_tails),
		cmocka_unit_test(incomplete_beta_at_its_ends),
		cmocka_unit_test(exponential_integral),
		cmocka_unit_test(beta_means_are_exact),
		cmocka_unit_test(beta_means_of_large_shapes_are_short),
		cmocka_unit_test(polynomials_through_chebyshev_points),
		cmocka_unit_test(hypergeometric_function),
		cmocka_unit_test(hypergeometric_function_refuses),
		cmocka_unit_test(gauss_rules_are_exact),
		cmocka_unit_test(differences_of_exponentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
