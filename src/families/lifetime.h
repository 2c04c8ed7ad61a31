/*
 * lifetime.h
 *		What pareto/nbd and ggompertz/nbd share: purchases at a gamma rate, and a life
 *		that ends whenever it ends, whether or not anything is bought.
 *
 * param = r, alpha, and behind them the parameters of the law of life. Units and
 * ranges as in family.h.
 */
#ifndef CLV_LIFETIME_H
#define CLV_LIFETIME_H

#include "math/gauss.h"
#include "families/family.h"

#define CLV_LIFE_PARAMS 3
#define CLV_STRIDE 2.0
#define CLV_LIFE_HESSIAN (CLV_LIFE_PARAMS * (CLV_LIFE_PARAMS + 1) / 2)

/* The numbers that a law may keep of a life: parameters, and what follows from them. */
#define CLV_LIFE_STATE 5

/* The life that somebody still has before him: the law's parameters, in the family's order. */
typedef struct ClvLife
{
	double param[CLV_LIFE_STATE];
} ClvLife;

/* Derivatives by the logs of the law's parameters; hessian is a lower triangle. */
typedef struct ClvLifeJet
{
	double gradient[CLV_LIFE_PARAMS];
	double hessian[CLV_LIFE_HESSIAN];
} ClvLifeJet;

/*
 * Who is quick to buy may be quick to leave. The density of a customer's two rates then
 * is that of independent ones, times 1 + m (e^-lambda - c) (e^-mu - d). Of customers with
 * a purchase rate ~ Gamma(shape, rate) who have lived until z, or died there, the mean of
 * that factor is 1 + pull (e^(-shape ln(1 + 1/rate)) - e^ln_c).
 */
typedef struct ClvSarmanov
{
	double pull; /* m (E[e^-mu] - d) */
	double ln_c;
} ClvSarmanov;

typedef struct ClvLaw
{
	const ClvFamily *family; /* of those with a history */
	int nparams;

	/* What is left to one who has lived until u. */
	void (*age)(const ClvLife *life, double u, ClvLife *left);

	/* -ln P(alive at z), and the hazard there */
	double (*cum_hazard)(const ClvLife *life, double z);
	double (*hazard)(const ClvLife *life, double z);

	/*
	 * How far from z a panel may reach so that 16 nodes still integrate survival and
	 * hazard: CLV_STRIDE times the way to a singularity on the left, less where one
	 * lies above.
	 */
	double (*stride)(const ClvLife *life, double z);

	/*
	 * s > 0 where survival has become the power (z + constant)^-s in every digit; else
	 * 0. NULL where it never does.
	 */
	double (*power)(const ClvLife *life, double z);

	/* Of ln survival at y, or with dying of ln(hazard x survival); cum_hazard is that at y. */
	void (*jet)(const ClvLife *life, double y, double cum_hazard, bool dying, ClvLifeJet *jet);

	/* NULL where life has nothing to do with purchases */
	ClvSarmanov (*sarmanov)(const ClvLife *life, double z, bool dying);

	/*
	 * The same for the fit: ln of the mean factor at y after so many purchases, with its
	 * derivatives by the family's parameters.
	 */
	void (*sarmanov_term)(const double *param, double purchases, double y, bool dying, ClvTerm *term);
} ClvLaw;

/* ---- what vanishes as time goes by, in panels ---- */

/*
 * e^-drop(z), drop(z) = R ln(1 + z/age) + delta z + cum_hazard(z): nothing bought for z in
 * spite of a rate ~ Gamma(R, age), nothing lost to interest, and still alive.
 */
typedef struct ClvDecay
{
	const ClvLaw *law;
	ClvLife life;
	double R; /* 0: purchases do not matter */
	double age;
	double delta;
} ClvDecay;

/* A stretch of z, and the rule that integrates over it. Start with zeros. */
typedef struct ClvPanel
{
	double from;
	double to;
	double drop; /* at to */
	const ClvGauss *rule;
} ClvPanel;

/* Panels are so long that no walk needs more than this; it also ends those without sense. */
#define CLV_MOST_PANELS 400

extern double clv_decay_drop(const ClvDecay *decay, double z);

/* The next panel on the way to end, which may be INFINITY. */
extern void clv_next_panel(const ClvDecay *decay, double end, ClvPanel *panel);

/* int_0^t e^(-delta u) P(alive at u) du; t may be INFINITY if the integral is finite. */
extern double clv_life_years(const ClvLaw *law, const ClvLife *life, double delta, double t);

/* ---- the quantities of a family; family.h says what each returns ---- */

extern double clv_life_log_likelihood(const ClvLaw *law, const double *param, double x, double t_x,
									  double T);
extern double clv_life_ln_p_alive(const ClvLaw *law, const double *param, double x, double t_x,
								  double T);
extern void clv_life_leaving(const ClvLaw *law, const double *param, double x, const double *t,
							 size_t n, double *p);
extern double clv_life_p_alive(const ClvLaw *law, const double *param, double x, double t_x,
							   double T, double leaving_t_x, double leaving_T);
extern void clv_life_given_alive(const ClvLaw *law, const double *param, double x, double T,
								 ClvFuture *future);
extern double clv_life_probability(const ClvLaw *law, const double *param, double n, double t);
extern void clv_life_probabilities(const ClvLaw *law, const double *param, double t, int count,
								   double *p);
extern double clv_life_pairs(const ClvLaw *law, const double *param, double t);
extern double clv_life_survival(const ClvLaw *law, const double *param, double t);

/* The terms of the likelihood, for the fit; times ascend. */
extern void clv_life_term_common(const double *param, double x, ClvTerm *term);
extern void clv_life_terms(const ClvLaw *law, const double *param, double x, const double *t,
						   size_t n, bool departed, ClvTerm *terms);
extern void clv_life_integrals(const ClvLaw *law, const double *param, double x, const double *t,
							   size_t n, bool departed, ClvTerm *terms);
extern void clv_life_cell(const ClvLaw *law, const double *param, double x, double t_x, double T,
						  ClvTerm *term);

/* ---- the above as functions of a family, with its law filled in ---- */

#define CLV_LIFE_FORWARDERS(law)                                                                   \
	static double LogLikelihood(const double *param, double x, double t_x, double T)               \
	{                                                                                              \
		return clv_life_log_likelihood(law, param, x, t_x, T);                                     \
	}                                                                                              \
	static double LnPAlive(const double *param, double x, double t_x, double T)                    \
	{                                                                                              \
		return clv_life_ln_p_alive(law, param, x, t_x, T);                                         \
	}                                                                                              \
	static void Leaving(const double *param, double x, const double *t, size_t n, double *p)       \
	{                                                                                              \
		clv_life_leaving(law, param, x, t, n, p);                                                  \
	}                                                                                              \
	static double PAlive(const double *param, double x, double t_x, double T, double leaving_t_x,  \
						 double leaving_T)                                                         \
	{                                                                                              \
		return clv_life_p_alive(law, param, x, t_x, T, leaving_t_x, leaving_T);                    \
	}                                                                                              \
	static void GivenAlive(const double *param, double x, double T, ClvFuture *future)             \
	{                                                                                              \
		clv_life_given_alive(law, param, x, T, future);                                            \
	}                                                                                              \
	static double Probability(const double *param, double n, double t)                             \
	{                                                                                              \
		return clv_life_probability(law, param, n, t);                                             \
	}                                                                                              \
	static void Probabilities(const double *param, double t, int count, double *p)                 \
	{                                                                                              \
		clv_life_probabilities(law, param, t, count, p);                                           \
	}                                                                                              \
	static double Pairs(const double *param, double t)                                             \
	{                                                                                              \
		return clv_life_pairs(law, param, t);                                                      \
	}                                                                                              \
	static double Survival(const double *param, double t)                                          \
	{                                                                                              \
		return clv_life_survival(law, param, t);                                                   \
	}

#define CLV_LIFE_FIT_FORWARDERS(law)                                                               \
	static void Departed(const double *param, double x, const double *t, size_t n, ClvTerm *terms) \
	{                                                                                              \
		clv_life_terms(law, param, x, t, n, true, terms);                                          \
	}                                                                                              \
	static void Alive(const double *param, double x, const double *t, size_t n, ClvTerm *terms)    \
	{                                                                                              \
		clv_life_terms(law, param, x, t, n, false, terms);                                         \
	}                                                                                              \
	static void Cell(const double *param, double x, double t_x, double T, double outcome,          \
					 ClvTerm *term)                                                                \
	{                                                                                              \
		(void) outcome;                                                                            \
		clv_life_cell(law, param, x, t_x, T, term);                                                \
	}

#endif /* CLV_LIFETIME_H */
