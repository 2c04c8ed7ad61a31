/*
 * beta_mean.h
 *		Expectations over a beta distribution.
 */
#ifndef CLV_BETA_MEAN_H
#define CLV_BETA_MEAN_H

/* A positive, smooth function of a probability p in (0,1); arg is the caller's. */
typedef double (*ClvKernel)(double p, const double *arg);

/*
 * E[kernel(p)], p ~ Beta(a, b), to about 1e-14. The kernel must be smooth on the
 * scale 1 / left near p = 0 and 1 / right near p = 1, and like (1 + p tau)^-power
 * between them.
 */
extern double clv_beta_mean(double a, double b, ClvKernel kernel, const double *arg, double left,
							double right, double power);

#endif /* CLV_BETA_MEAN_H */
