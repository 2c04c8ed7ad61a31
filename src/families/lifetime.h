/*
 * lifetime.h
 *		What pareto/nbd and ggompertz/nbd share: purchases at a gamma distributed rate, and
 *		a lifetime that does not depend on purchases.
 *
 * param = r, alpha, followed by the parameters of the lifetime distribution. Units and
 * ranges as in family.h.
 */
#ifndef CLV_LIFETIME_H
#define CLV_LIFETIME_H

#include "math/gauss.h"
#include "families/family.h"

/* The largest number of parameters of a lifetime distribution. */
#define CLV_LIFETIME_PARAMS 3
#define CLV_STRIDE 2.0
#define CLV_LIFETIME_HESSIAN (CLV_LIFETIME_PARAMS * (CLV_LIFETIME_PARAMS + 1) / 2)

/* The numbers that describe a lifetime: its parameters, and what is computed from them once. */
#define CLV_LIFETIME_STATE 5

/* The distribution of a residual lifetime: its parameters, in the order of the family. */
typedef struct ClvLifetime
{
	double param[CLV_LIFETIME_STATE];
} ClvLifetime;

/*
 * Derivatives by the logarithms of the parameters of a lifetime distribution; hessian is a lower
 * triangle.
 */
typedef struct ClvLifetimeJet
{
	double gradient[CLV_LIFETIME_PARAMS];
	double hessian[CLV_LIFETIME_HESSIAN];
} ClvLifetimeJet;

/*
 * Sarmanov's factor at one time, where purchase rate lambda and hazard mu depend on each other.
 * The joint density of a customer's two rates is that of independent ones, times 1 + m (e^-lambda
 * - c) (e^-mu - d). For customers with a purchase rate ~ Gamma(shape, rate) who are alive at z,
 * or die at z, the mean of that factor is 1 + pull (e^(-shape ln(1 + 1/rate)) - e^ln_c).
 */
typedef struct ClvSarmanov
{
	double pull; /* m (E[e^-mu] - d) */
	double ln_c;
} ClvSarmanov;

/*
 * A lifetime distribution: what a family of this file has to supply. Times are in the unit of the
 * model, from the first purchase.
 */
typedef struct ClvLaw
{
	const ClvFamily *family; /* the family of customers with a history */
	int nparams;

	/*
	 * By the calendar (two_clocks.c) survival is (beta / (beta + D))^s, D being a clock that runs
	 * at C, or at C b e^(bt): the places of these parameters, and -1 where there is no b.
	 */
	int s;
	int beta;
	int growth;

	/* Sets *left to the residual lifetime of a customer who is alive at u. */
	void (*age)(const ClvLifetime *lifetime, double u, ClvLifetime *left);

	/* -ln P(alive at z), and the hazard of leaving at z, per unit of time. */
	double (*cum_hazard)(const ClvLifetime *lifetime, double z);
	double (*hazard)(const ClvLifetime *lifetime, double z);

	/*
	 * How far from z a panel may reach so that 16 nodes still integrate survival and hazard:
	 * CLV_STRIDE times the distance to a singularity on the left, less where a singularity lies
	 * above.
	 */
	double (*stride)(const ClvLifetime *lifetime, double z);

	/*
	 * s > 0 where survival equals the power (z + constant)^-s in every digit; else 0. NULL where
	 * it never does.
	 */
	double (*power)(const ClvLifetime *lifetime, double z);

	/*
	 * clv_lifetime_dying() over a length of time in which little changes, after purchases of a
	 * gamma distribution; NAN where that is not so. NULL where only the integral is known.
	 */
	double (*dying_soon)(const ClvLifetime *lifetime, double R, double age, double length);

	/*
	 * Sets *jet to the derivatives of ln survival at y, or if dying those of ln(hazard x
	 * survival); cum_hazard is the cumulative hazard at y.
	 */
	void (*jet)(const ClvLifetime *lifetime, double y, double cum_hazard, bool dying,
				ClvLifetimeJet *jet);

	/*
	 * Sarmanov's factor of customers who are alive at z, or die there; NULL where lifetime and
	 * purchases are independent.
	 */
	ClvSarmanov (*sarmanov)(const ClvLifetime *lifetime, double z, bool dying);

	/*
	 * The same for the fit: ln of the mean factor at y after a number of purchases, with its
	 * derivatives by the parameters of the family.
	 */
	void (*sarmanov_term)(const double *param, double purchases, double y, bool dying,
						  ClvTerm *term);
} ClvLaw;

/* ---- integrals over time, in panels ---- */

/*
 * The function e^-drop(z), drop(z) = R ln(1 + z/age) + delta z + cum_hazard(z): the probability
 * of no purchase for z at a rate ~ Gamma(R, age) and of being alive at z, discounted at delta.
 */
typedef struct ClvDecay
{
	const ClvLaw *law;
	ClvLifetime lifetime;
	double R; /* 0: purchases do not matter */
	double age;
	double delta;
} ClvDecay;

/* An interval of z, and the rule that integrates over it. The first one is all zeros. */
typedef struct ClvPanel
{
	double from;
	double to;
	double drop; /* at to */
	const ClvGauss *rule;
} ClvPanel;

/* No integral needs more panels than this; the limit also ends those with impossible arguments. */
#define CLV_MOST_PANELS 400

/* drop(z): -ln of the decay from 0 to z. */
extern double clv_decay_drop(const ClvDecay *decay, double z);

/* Moves *panel on to the next panel before end, which may be INFINITY. */
extern void clv_next_panel(const ClvDecay *decay, double end, ClvPanel *panel);

/*
 * The discounted expected lifetime int_0^t e^(-delta u) P(alive at u) du; t may be INFINITY if
 * the integral is finite.
 */
extern double clv_lifetime_discounted(const ClvLaw *law, const ClvLifetime *lifetime, double delta,
									  double t);

/*
 * P(leaving within a length of time, and before the next purchase), for customers whose last
 * purchase or absence of one the decay begins at.
 */
extern double clv_lifetime_dying(const ClvDecay *decay, double length);

/* ln P(n purchases in t) at a rate ~ Gamma(r, alpha), t > 0: the negative binomial. */
extern double clv_ln_negative_binomial(double r, double alpha, double n, double t);

/* ---- the quantities of a family; family.h says what each returns ---- */

/* The log-likelihood of a history. */
extern double clv_lifetime_log_likelihood(const ClvLaw *law, const double *param, double x,
										  double t_x, double T);

/* ln P(alive at T). */
extern double clv_lifetime_ln_p_alive(const ClvLaw *law, const double *param, double x, double t_x,
									  double T);

/*
 * P(leaving before the next purchase) after x purchases, for customers alive at n ascending
 * times.
 */
extern void clv_lifetime_leaving(const ClvLaw *law, const double *param, double x, const double *t,
								 size_t n, double *p);

/* P(alive at T) from those probabilities at t_x and T; NAN where only the logarithm is accurate. */
extern double clv_lifetime_p_alive(const ClvLaw *law, const double *param, double x, double t_x,
								   double T, double leaving_t_x, double leaving_T);

/* The newcomer that a customer is, given alive at T. */
extern void clv_lifetime_given_alive(const ClvLaw *law, const double *param, double x, double T,
									 ClvFuture *future);

/* P(n purchases in (0,t]) of a newcomer. */
extern double clv_lifetime_probability(const ClvLaw *law, const double *param, double n, double t);

/* P(0) .. P(count - 1) purchases in (0,t] of a newcomer. */
extern void clv_lifetime_probabilities(const ClvLaw *law, const double *param, double t, int count,
									   double *p);

/* E[N (N - 1)] of the purchases N of a newcomer in (0,t]. */
extern double clv_lifetime_pairs(const ClvLaw *law, const double *param, double t);

/* P(a newcomer is alive at t). */
extern double clv_lifetime_survival(const ClvLaw *law, const double *param, double t);

/* What both terms of the likelihood share, for x repeat purchases: see ln_common in family.h. */
extern void clv_lifetime_term_common(const double *param, double x, ClvTerm *term);

/*
 * The departed or the alive terms of the likelihood at n ascending times, by interpolation where
 * that is less work.
 */
extern void clv_lifetime_terms(const ClvLaw *law, const double *param, double x, const double *t,
							   size_t n, bool departed, ClvTerm *terms);

/* The same, each by an integral of its own. */
extern void clv_lifetime_integrals(const ClvLaw *law, const double *param, double x,
								   const double *t, size_t n, bool departed, ClvTerm *terms);

/* The whole ln L of one customer, with derivatives. */
extern void clv_lifetime_cell(const ClvLaw *law, const double *param, double x, double t_x,
							  double T, ClvTerm *term);

/*
 * ---- the above as functions of a family, with its lifetime distribution filled in; family.h
 * says what each returns ----
 */

#define CLV_LIFETIME_FORWARDERS(law)                                                               \
	static double LogLikelihood(const double *param, double x, double t_x, double T)               \
	{                                                                                              \
		return clv_lifetime_log_likelihood(law, param, x, t_x, T);                                 \
	}                                                                                              \
	static double LnPAlive(const double *param, double x, double t_x, double T)                    \
	{                                                                                              \
		return clv_lifetime_ln_p_alive(law, param, x, t_x, T);                                     \
	}                                                                                              \
	static void Leaving(const double *param, double x, const double *t, size_t n, double *p)       \
	{                                                                                              \
		clv_lifetime_leaving(law, param, x, t, n, p);                                              \
	}                                                                                              \
	static double PAlive(const double *param, double x, double t_x, double T, double leaving_t_x,  \
						 double leaving_T)                                                         \
	{                                                                                              \
		return clv_lifetime_p_alive(law, param, x, t_x, T, leaving_t_x, leaving_T);                \
	}                                                                                              \
	static void GivenAlive(const double *param, double x, double T, ClvFuture *future)             \
	{                                                                                              \
		clv_lifetime_given_alive(law, param, x, T, future);                                        \
	}                                                                                              \
	static double Probability(const double *param, double n, double t)                             \
	{                                                                                              \
		return clv_lifetime_probability(law, param, n, t);                                         \
	}                                                                                              \
	static void Probabilities(const double *param, double t, int count, double *p)                 \
	{                                                                                              \
		clv_lifetime_probabilities(law, param, t, count, p);                                       \
	}                                                                                              \
	static double Pairs(const double *param, double t)                                             \
	{                                                                                              \
		return clv_lifetime_pairs(law, param, t);                                                  \
	}                                                                                              \
	static double Survival(const double *param, double t)                                          \
	{                                                                                              \
		return clv_lifetime_survival(law, param, t);                                               \
	}

#define CLV_LIFETIME_FIT_FORWARDERS(law)                                                           \
	static void Departed(const double *param, double x, const double *t, size_t n, ClvTerm *terms) \
	{                                                                                              \
		clv_lifetime_terms(law, param, x, t, n, true, terms);                                      \
	}                                                                                              \
	static void Alive(const double *param, double x, const double *t, size_t n, ClvTerm *terms)    \
	{                                                                                              \
		clv_lifetime_terms(law, param, x, t, n, false, terms);                                     \
	}                                                                                              \
	static void Cell(const double *param, double x, double t_x, double T, double outcome,          \
					 ClvTerm *term)                                                                \
	{                                                                                              \
		(void) outcome;                                                                            \
		clv_lifetime_cell(law, param, x, t_x, T, term);                                            \
	}

#endif /* CLV_LIFETIME_H */
