#!/usr/bin/env python3
"""Independent maximum of the likelihood of bdw, for the cohorts in test/unit/test_bdw.c.

Newton's method on the logs of the parameters in 30 digits, with derivatives by differences; prints
the estimates, their standard errors and the log-likelihood.
"""
from mpmath import mp, mpf, beta, diff, exp, findroot, log, matrix, nstr, sqrt

mp.dps = 30

REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]


def log_likelihood(logs, survivors):
    a, b, c = [exp(v) for v in logs]
    share = [beta(a, b + mpf(t) ** c) / beta(a, b) for t in range(len(survivors))]
    left = sum((survivors[t] - survivors[t + 1]) * log(share[t] - share[t + 1]) for t in range(len(survivors) - 1))
    return left + survivors[-1] * log(share[-1])


def fit(survivors, start):
    def f(*logs):
        return log_likelihood(logs, survivors)

    def order(*which):
        return tuple(which.count(i) for i in range(3))

    slopes = [lambda x, y, z, k=k: diff(f, (x, y, z), order(k)) for k in range(3)]
    found = tuple(findroot(slopes, start, tol=1e-16, maxsteps=60))
    curvature = matrix(3, 3)
    for i in range(3):
        for j in range(3):
            curvature[i, j] = -diff(f, found, order(i, j))
    covariance = curvature ** -1
    return ([nstr(exp(v), 14) for v in found],
            [nstr(exp(v) * sqrt(covariance[i, i]), 10) for i, v in enumerate(found)], nstr(f(*found), 15))


for name, cohort, start in [
        ('regular, 4 renewals', REGULAR[:5], (-0.7, -0.1, 0.2)),
        ('high end, 4 renewals', HIGH_END[:5], (-1.4, 0.5, 0.4)),
        ('regular, 7 renewals', REGULAR, (-0.7, -0.2, 0.2)), ('high end, 7 renewals', HIGH_END, (-1.5, 0.3, 0.5))]:
    print(name, *fit(cohort, start))
