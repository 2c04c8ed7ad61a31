#!/usr/bin/env python3
"""Mean and covariance between groups by restricted maximum likelihood, printed; sql/fit_pool.sql has the data too.

The search is over the factor of the covariance, by Newton's method on differences in 30 digits.
"""
from mpmath import mp, mpf, det, diag, exp, inverse, log, matrix
from prior import climb

GROUPS = [  # ln alpha, ln beta, and the lower triangle of their covariance
    (-0.2, 1.1, 0.04, 0.03, 0.05), (0.4, 1.9, 0.09, 0.06, 0.08), (0.1, 0.7, 0.02, 0.01, 0.03),
    (-0.6, 0.6, 0.05, 0.02, 0.04), (0.3, 0.9, 0.06, 0.05, 0.07), (0.8, 2.6, 0.30, 0.25, 0.40),
    (-0.1, 1.2, 0.03, 0.02, 0.03), (0.2, 0.1, 0.08, 0.04, 0.06)]


def unit_free(group):
    """logit of the mean churn, ln of the sum, and their covariance."""
    a, b, aa, ab, bb = [mpf(str(x)) for x in group]
    share = 1 / (1 + exp(b - a))
    slope = matrix([[1, -1], [share, 1 - share]])
    return matrix([a - b, log(exp(a) + exp(b))]), slope * matrix([[aa, ab], [ab, bb]]) * slope.T


def fit(between, groups):
    """The mean, its covariance and the restricted log-likelihood."""
    n = groups[0][0].rows
    weights, total, height = matrix(n, n), matrix(n, 1), mpf(0)
    for value, error in groups:
        weight = inverse(between + error)
        weights += weight
        total += weight * value
        height -= log(det(between + error)) / 2
    covariance = inverse(weights)
    mean = covariance * total
    for value, error in groups:
        off = value - mean
        height -= (off.T * inverse(between + error) * off)[0] / 2
    return mean, covariance, height - log(det(weights)) / 2


def covariance(u):
    factor = matrix([[exp(u[0]), 0], [u[1], exp(u[2])]])
    return factor * factor.T


if __name__ == '__main__':
    groups = [unit_free(g) for g in GROUPS]
    u = climb(lambda *u: fit(covariance(u), groups)[2], [mpf('-0.64'), mpf('-0.33'), mpf('-1.38')])
    between = covariance(u)
    mean, error, _ = fit(between, groups)
    for i in range(2):
        print(*[mp.nstr(x, 12) for x in (mean[i], mp.sqrt(between[i, i] + error[i, i]), mp.sqrt(between[i, i]),
                                         mp.sqrt(error[i, i]))])
    total = between + error
    print(mp.nstr(total[1, 0] / mp.sqrt(total[0, 0] * total[1, 1]), 12))
