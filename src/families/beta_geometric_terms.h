/*
 * beta_geometric_terms.h
 *		What the fit needs of the families with beta-geometric dropout, bg/nbd and
 *		mbg/nbd.
 */
#ifndef CLV_BETA_GEOMETRIC_TERMS_H
#define CLV_BETA_GEOMETRIC_TERMS_H

#include "families/family.h"

/*
 * What both terms share, as ln_common in family.h. immediate = 1: customers may leave after the
 * first purchase too (mbg/nbd); 0: they may not (bg/nbd).
 */
extern void clv_bg_term_common(const double *param, double x, ClvTerm *term, int immediate);

/* The terms of customers who left after the last purchase, at n times. */
extern void clv_bg_term_departed(const double *param, double x, const double *t, size_t n,
								 ClvTerm *terms, int immediate);

/* The terms of customers alive, at n times. */
extern void clv_bg_term_alive(const double *param, double x, const double *t, size_t n,
							  ClvTerm *terms);

/* Start values number which, as start in family.h. */
extern bool clv_bg_start(const ClvMoments *moments, int which, double *param);

#endif /* CLV_BETA_GEOMETRIC_TERMS_H */
