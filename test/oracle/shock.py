"""Restricted likelihood of a common shock, and its maximum, by dense matrices with 20 digits (mpmath).

The covariance matrix of the relative deviations is written out and inverted, and the likelihood
maximised by a compass search that knows no gradient, over a decomposition in plain doubles: nothing is
shared with src/math/shock.c. Prints what test/unit/test_shock.c compares with.
"""
from itertools import product
from math import log as ln, sqrt

from mpmath import mp, mpf, matrix, log, det, lu_solve

mp.dps = 20


def series():
    """Counts of 26 weeks that come in waves, and their expectations."""
    expected = [mpf(40) - mpf(t) / 2 for t in range(26)]
    wave = [3, 9, 12, 8, 1, -7, -11, -9, -2, 6]
    actual = [int(expected[t]) + wave[t % 10] + (t * 7) % 5 - 2 for t in range(26)]
    return actual, expected


def drifting():
    """Counts of 40 weeks that are off by something slow and by something quick, and their expectations."""
    expected = [mpf(120) + t for t in range(40)]
    actual = [int(expected[t]) + (t * 17) % 61 - 30 + (45 if 8 <= t < 25 else -20) for t in range(40)]
    return actual, expected


def correlated(lasting, rho, i, j):
    return lasting * rho ** abs(i - j) + (1 - lasting if i == j else 0)


def likelihood(y, v, sd, lasting, rho):
    n = len(y)
    cov = matrix(n, n)
    for i in range(n):
        for j in range(n):
            cov[i, j] = sd**2 * correlated(lasting, rho, i, j) + (v[i] if i == j else 0)
    one = matrix([1] * n)
    obs = matrix(y)
    by_one = lu_solve(cov, one)
    by_obs = lu_solve(cov, obs)
    ones = (one.T * by_one)[0]
    mean = (one.T * by_obs)[0] / ones
    rest = (obs.T * by_obs)[0] - mean**2 * ones
    return -(log(det(cov)) + log(ones) + rest) / 2


def quick(y, v, sd, lasting, rho):
    """The same in doubles, by Cholesky's decomposition."""
    n = len(y)
    rows, ln_det, solved = [], 0.0, []
    for i in range(n):
        row = []
        for j in range(i + 1):
            c = sd**2 * correlated(lasting, rho, i, j) + (v[i] if i == j else 0)
            c -= sum(a * b for a, b in zip(row, rows[j] if j < i else row))
            row.append(c / rows[j][j] if j < i else sqrt(c))
        rows.append(row)
        ln_det += 2 * ln(row[i])
        solved.append([(b - sum(row[k] * s[q] for k, s in enumerate(solved))) / row[i]
                       for q, b in enumerate((y[i], 1.0))])
    yy, y1, ones = (sum(s[a] * s[b] for s in solved) for a, b in ((0, 0), (0, 1), (1, 1)))
    return -(ln_det + ln(ones) + yy - y1**2 / ones) / 2


def maximum(y, v):
    """A compass search: steps in the three numbers, halved where none is better."""
    y, v = [float(x) for x in y], [float(x) for x in v]
    at, step = [0.2, 0.9, 0.5], 0.1
    best = quick(y, v, *at)
    most = [2, 1, 0.98]
    directions = [d for d in product((-1, 0, 1), repeat=3) if any(d)]
    while step > 1e-7:
        for d in directions:
            to = [min(max(x + step * k, 0), m) for x, k, m in zip(at, d, most)]
            value = quick(y, v, *to) if to[0] > 0 else best
            if value > best:
                at, best = to, value
                break
        else:
            step /= 2
    return at


def variance(expected, sd, lasting, rho, weeks):
    """That of the mean shock of the next weeks less the weighted one of the past, term by term."""
    n = len(expected)
    weight = [-e / sum(expected) for e in expected] + [mpf(1) / weeks] * weeks
    return sd**2 * sum(weight[i] * weight[j] * correlated(lasting, rho, i, j)
                       for i in range(n + weeks) for j in range(n + weeks))


actual, expected = series()
y = [o / e - 1 for o, e in zip(actual, expected)]
v = [1 / e for e in expected]
print("actual", actual)
for numbers in (("0.2", 1, "0.5"), ("0.05", 1, 0), ("0.5", 1, "0.9"), ("0.3", "0.4", "0.9"), (0, 0, 0)):
    print("likelihood", numbers, mp.nstr(likelihood(y, v, *map(mpf, numbers)), 17))
for weeks in (1, 4, 26):
    for lasting in (1, "0.3"):
        print("variance", weeks, lasting, mp.nstr(variance(expected, mpf("0.25"), mpf(lasting), mpf("0.8"), weeks), 17))
print("drifting", drifting()[0])
for actual, expected in (series(), drifting()):
    y = [o / e - 1 for o, e in zip(actual, expected)]
    v = [1 / e for e in expected]
    at = maximum(y, v)
    print("maximum", *at, mp.nstr(likelihood(y, v, *map(mpf, at)) - likelihood(y, v, mpf(0), mpf(0), mpf(0)), 12))
