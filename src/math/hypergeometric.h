/*
 * hypergeometric.h
 *		The Gauss hypergeometric function 2F1(a, b; c; z), as a power series in z.
 */
#ifndef CLV_HYPERGEOMETRIC_H
#define CLV_HYPERGEOMETRIC_H

/*
 * Sets coefficient[k] to (a)_k (b)_k / ((c)_k k!) (DLMF 15.2.1), a, c > 0, any b: as many as
 * give 2F1, or (1 - z) times it, at 0 <= z < 1 and at every smaller z in double precision.
 * Returns their number; 0 where that is more than most, or where terms cancel each other so that
 * digits are lost.
 */
extern int clv_hypergeometric_terms(double a, double b, double c, double z, int most,
									double *coefficient);

#endif /* CLV_HYPERGEOMETRIC_H */
