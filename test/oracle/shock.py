"""Restricted likelihood of a common shock, and its maximum, by dense matrices with 20 digits (mpmath).

The covariance matrix of the relative deviations is written out, inverted, and maximised by a search
that knows no gradient: nothing is shared with src/math/shock.c. Prints what test/unit/test_shock.c
compares with.
"""
from mpmath import mp, mpf, matrix, log, det, lu_solve

mp.dps = 20


def series():
    """Counts of 26 weeks that come in waves, and their expectations."""
    expected = [mpf(40) - mpf(t) / 2 for t in range(26)]
    wave = [3, 9, 12, 8, 1, -7, -11, -9, -2, 6]
    actual = [int(expected[t]) + wave[t % 10] + (t * 7) % 5 - 2 for t in range(26)]
    return actual, expected


def likelihood(y, v, sd, rho):
    n = len(y)
    cov = matrix(n, n)
    for i in range(n):
        for j in range(n):
            cov[i, j] = sd**2 * rho ** abs(i - j) + (v[i] if i == j else 0)
    one = matrix([1] * n)
    obs = matrix(y)
    by_one = lu_solve(cov, one)
    by_obs = lu_solve(cov, obs)
    ones = (one.T * by_one)[0]
    mean = (one.T * by_obs)[0] / ones
    rest = (obs.T * by_obs)[0] - mean**2 * ones
    return -(log(det(cov)) + log(ones) + rest) / 2


def maximum(y, v):
    """A compass search: steps in both numbers, halved where none is better."""
    sd, rho, step = mpf("0.2"), mpf("0.5"), mpf("0.1")
    best = likelihood(y, v, sd, rho)
    while step > mpf("1e-7"):
        for d_sd, d_rho in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            a, b = sd + step * d_sd, min(max(rho + step * d_rho, 0), mpf("0.98"))
            value = likelihood(y, v, a, b) if a > 0 else best
            if value > best:
                sd, rho, best = a, b, value
                break
        else:
            step /= 2
    return sd, rho, best


def variance(expected, sd, rho, weeks):
    """That of the mean shock of the next weeks less the weighted one of the past, term by term."""
    n = len(expected)
    weight = [-e / sum(expected) for e in expected] + [mpf(1) / weeks] * weeks
    return sd**2 * sum(weight[i] * weight[j] * rho ** abs(i - j)
                       for i in range(n + weeks) for j in range(n + weeks))


actual, expected = series()
y = [o / e - 1 for o, e in zip(actual, expected)]
v = [1 / e for e in expected]
print("actual", actual)
for sd, rho in ((mpf("0.2"), mpf("0.5")), (mpf("0.05"), mpf(0)), (mpf("0.5"), mpf("0.9")), (mpf(0), mpf(0))):
    print("likelihood", mp.nstr(sd, 5), mp.nstr(rho, 5), mp.nstr(likelihood(y, v, sd, rho), 17))
sd, rho, best = maximum(y, v)
print("maximum", mp.nstr(sd, 10), mp.nstr(rho, 10), mp.nstr(best - likelihood(y, v, mpf(0), mpf(0)), 12))
for weeks in (1, 4, 26):
    print("variance", weeks, mp.nstr(variance(expected, mpf("0.25"), mpf("0.8"), weeks), 17))
