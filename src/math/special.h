/*
 * special.h
 *		Special functions of real arguments, in double precision.
 *
 * Only libm is needed. Its lgamma() writes the global signgam and is inaccurate on some
 * platforms, so it is implemented here. All functions are reentrant and do not set errno on
 * purpose. Arguments are positive unless said otherwise.
 */
#ifndef CLV_SPECIAL_H
#define CLV_SPECIAL_H

/* ---- the gamma function and its logarithmic derivatives ---- */

/* ln Gamma(x), x > 0; relative accuracy also next to its zeros at 1 and 2 */
extern double clv_lgamma(double x);

/* ln Gamma(1 + e), -1/2 <= e <= 3/2, with relative accuracy also where 1 + e rounds to 1 */
extern double clv_lgamma1p(double e);

/* ln Gamma(x) - ((x - 1/2) ln x - x + ln(2 pi) / 2): the remainder of Stirling's formula */
extern double clv_stirling_rest(double x);

/* psi'(x) */
extern double clv_trigamma(double x);

/* ln B(a, b) */
extern double clv_lbeta(double a, double b);

/*
 * ln Gamma(a + n) - ln Gamma(a) for real n >= 0. No cancellation, however large a or n >= 1; for
 * a fraction of a factor, n < 1, the error is absolute. So it is with the two derivatives below.
 */
extern double clv_log_rising(double a, double n);

/* Its first derivative by a, psi(a + n) - psi(a). */
extern double clv_digamma_rising(double a, double n);

/* Its second derivative by a, psi'(a + n) - psi'(a). */
extern double clv_trigamma_rising(double a, double n);

/*
 * ln B(a, b + n) - ln B(a, b), n >= 0: for an integer n, ln of the probability of n failures in a
 * row where the probability of success is drawn once, from Beta(a, b).
 */
extern double clv_log_beta_rising(double a, double b, double n);

/* ---- logarithms of sums, and differences ---- */

/* ln(1 + e^x) for any x */
extern double clv_log1pexp(double x);

/* ln(e^a + e^b); either may be -INFINITY */
extern double clv_log_add(double a, double b);

/* e^a - e^b without cancellation, for a and b up to 0; either may be -INFINITY, or below any double
 */
extern double clv_exp_less(double a, double b);

/* ---- integrals ---- */

/*
 * The regularised incomplete beta function and its complement, each with its own
 * relative accuracy: *lower = I_x(a, b), *upper = I_y(b, a), where y = 1 - x is
 * given apart so that neither end loses digits.
 */
extern void clv_beta_tails(double a, double b, double x, double y, double *lower, double *upper);

/* ln(x^a y^b / B(a, b)), x + y = 1, without cancellation for large a and b */
extern double clv_ln_beta_kernel(double a, double b, double x, double y);

/* e^w E_s(w), the scaled exponential integral, for s > 0, w > 0 */
extern double clv_expint_scaled(double s, double w);

#endif /* CLV_SPECIAL_H */
