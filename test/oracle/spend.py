#!/usr/bin/env python3
"""The optimum of gamma/gamma with covariates on the spend, by mpmath: the numbers in sql/fit_spend.sql.

    python3 spend.py

Forty customers, whose purchases, means and covariates follow from a formula. The scale gamma of a customer is
multiplied by exp(effects times covariates), so that the mean m of x purchases has the density

    1 / (m B(p x, q)) (g / (g + x m))^q (x m / (g + x m))^(p x),   g = gamma exp(d1 z1 + d2 z2)

The maximum is a root of the gradient, found in fifty digits; standard errors are those of the observed information
in (ln p, ln q, ln gamma, d1, d2), with gamma at the means of the covariates. The last lines are expected values of a
purchase, of two customers with a history and of a new one.
"""
from mpmath import mp, mpf, matrix, log, exp, sin, cos, loggamma, nstr, sqrt

mp.dps = 40


def customers():
    for i in range(1, 41):
        x = 1 + i * i % 5
        z = (mpf(i % 2), mpf(i * 7 % 11) / 4)
        between = sin(mpf(17 * i) / 10) / 2 + mpf('0.35') * z[0] - mpf('0.2') * z[1]
        mean = exp(between + cos(mpf(23 * i) / 10) / sqrt(x))
        yield x, z, mpf(int(2000 * mean + mpf('0.5'))) / 100


DATA = list(customers())
CENTRE = [sum(z[j] for _, z, _ in DATA) / len(DATA) for j in range(2)]


def log_likelihood(theta):
    p, q = exp(theta[0]), exp(theta[1])
    total = mpf(0)
    for x, z, m in DATA:
        g = exp(theta[2] + sum(theta[3 + j] * (z[j] - CENTRE[j]) for j in range(2)))
        s = x * m
        total += (loggamma(p * x + q) - loggamma(p * x) - loggamma(q) - log(m)
                  + q * log(g / (g + s)) + p * x * log(s / (g + s)))
    return total


def derivatives(theta):
    """The gradient and the Hessian, by central differences with a step far below the digits that are needed."""
    n, h = len(theta), mpf(10) ** -10

    def at(*steps):
        moved = list(theta)
        for i, sign in steps:
            moved[i] += sign * h
        return log_likelihood(moved)

    gradient = matrix(n, 1)
    hessian = matrix(n, n)
    for i in range(n):
        gradient[i] = (at((i, 1)) - at((i, -1))) / (2 * h)
        for j in range(i + 1):
            hessian[i, j] = hessian[j, i] = (at((i, 1), (j, 1)) - at((i, 1), (j, -1))
                                             - at((i, -1), (j, 1)) + at((i, -1), (j, -1))) / (4 * h * h)
    return gradient, hessian


def maximum():
    theta = [log(mpf(4)), log(mpf(4)), log(mpf(15)), mpf('0.3'), mpf('-0.2')]
    for _ in range(30):
        gradient, hessian = derivatives(theta)
        step = mp.lu_solve(hessian, gradient)
        size = max(abs(s) for s in step)
        theta = [t - s * min(1, 1 / size) for t, s in zip(theta, step)]
        if size < mpf(10) ** -18:
            break
    return theta, -hessian ** -1


def expected(theta, x, m, z):
    p, q = exp(theta[0]), exp(theta[1])
    g = exp(theta[2] + sum(theta[3 + j] * (z[j] - CENTRE[j]) for j in range(2)))
    return p * (g + x * m) / (p * x + q - 1)


def main():
    theta, covariance = maximum()
    errors = [sqrt(covariance[i, i]) for i in range(5)]
    for i, name in enumerate(('p', 'q', 'gamma')):
        print(name, nstr(exp(theta[i]), 15), nstr(exp(theta[i]) * errors[i], 15))
    for j in range(2):
        print('effect', j + 1, nstr(theta[3 + j], 15), nstr(errors[3 + j], 15), 'centre', nstr(CENTRE[j], 15))
    print('log-likelihood', nstr(log_likelihood(theta), 16))
    for x, m, z in ((3, 20, (0, 0.5)), (1, 80, (1, 2)), (0, 0, (1, 0))):
        print('expected', x, m, z, nstr(expected(theta, x, mpf(m), [mpf(v) for v in z]), 15))


if __name__ == '__main__':
    main()
