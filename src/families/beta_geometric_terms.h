/*
 * beta_geometric_terms.h
 *		What the fit needs to know of the families in which a coin decides after
 *		each purchase whether the customer stays.
 */
#ifndef CLV_BETA_GEOMETRIC_TERMS_H
#define CLV_BETA_GEOMETRIC_TERMS_H

#include "families/family.h"

/* immediate = 1: the coin is tossed after the first purchase too (mbg/nbd); 0: it is not (bg/nbd) */
extern void clv_bg_term_common(const double *param, double x, ClvTerm *term, int immediate);
extern void clv_bg_term_departed(const double *param, double x, const double *t, size_t n,
								   ClvTerm *terms, int immediate);
extern void clv_bg_term_alive(const double *param, double x, const double *t, size_t n,
								ClvTerm *terms);

extern bool clv_bg_start(const ClvMoments *moments, int which, double *param);

#endif /* CLV_BETA_GEOMETRIC_TERMS_H */
