#!/usr/bin/env python3
"""95 % limits by the profile of the likelihood, written to profile.csv beside this file.

Of the CDNOW sample up to 1997-09-30 (../../../shared/data/cdnow_summary.csv), by other means than ours: the
likelihoods of the papers, BFGS by differences over the other parameters, and bisection (Brent) for the limit.
"""
import csv
import os
import sys
import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import betaln, gammaln, hyp2f1
from scipy.stats import chi2

HERE = os.path.dirname(os.path.abspath(__file__))
LOG = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, '../../../shared/data/cdnow_summary.csv')
ROWS = np.array([[float(row[name]) for name in ('x', 't_x', 'T', 'm_x')] for row in csv.DictReader(open(LOG))])
X, T_X, T, M = ROWS.T
FALL = chi2.ppf(0.95, 1) / 2


def buys(r, alpha, t):
    return gammaln(r + X) - gammaln(r) + r * np.log(alpha) - (r + X) * np.log(alpha + t)


def beta_geometric(p, more):
    r, alpha, a, b = p
    alive = betaln(a, b + X + more) - betaln(a, b) + buys(r, alpha, T)
    gone = betaln(a + 1, b + np.maximum(X, 1 - more) - 1 + more) - betaln(a, b) + buys(r, alpha, T_X)
    return np.where((X > 0) | (more > 0), np.logaddexp(alive, gone), alive).sum()


def pareto(p):
    """Fader & Hardie 2005, equation 24."""
    r, alpha, s, b = p
    n = r + s + X
    larger, gap = max(alpha, b), abs(alpha - b)
    c = s + 1 if alpha >= b else r + X

    def part(t):
        return hyp2f1(n, c, n + 1, gap / (larger + t)) * np.exp(-n * np.log(larger + t))
    common = gammaln(r + X) - gammaln(r) + r * np.log(alpha) + s * np.log(b)
    first = np.exp(-(r + X) * np.log(alpha + T) - s * np.log(b + T))
    return (common + np.log(first + s / n * (part(T_X) - part(T)))).sum()


def gamma_gamma(p):
    p, q, g = p
    known = (X > 0) & (M > 0)
    x, m = X[known], M[known]
    return (gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(g) + (p * x - 1) * np.log(m)
            + p * x * np.log(x) - (p * x + q) * np.log(g + x * m)).sum()


def climb(f, start):
    """The maximum over the logarithms of the parameters, by BFGS until nothing is gained."""
    at, height = start, -np.inf
    for _ in range(20):
        found = minimize(lambda y: -f(np.exp(y)), at, method='BFGS', options={'gtol': 1e-7})
        if -found.fun - height < 1e-10:
            break
        at, height = found.x, -found.fun
    return at, height


def limit(f, best, height, i, side):
    others = [j for j in range(len(best)) if j != i]
    last = {'at': best[others]}

    def fall(value):
        last['at'], top = climb(lambda natural: f(np.insert(natural, i, np.exp(value))), last['at'])
        return height - top - FALL

    step = side * 0.1
    far = best[i] + step
    while fall(far) < 0:
        far += step
    last['at'] = best[others]
    return np.exp(brentq(fall, far - step, far, xtol=1e-11, rtol=1e-12))


FAMILIES = {
    'mbg/nbd': (lambda p: beta_geometric(p, 1), 'r alpha a b', (0.5, 6, 0.9, 1.6)),
    'bg/nbd': (lambda p: beta_geometric(p, 0), 'r alpha a b', (0.24, 4.4, 0.8, 2.4)),
    'pareto/nbd': (pareto, 'r alpha s beta', (0.55, 10.6, 0.6, 11.7)),
    'gamma/gamma': (gamma_gamma, 'p q gamma', (6.2, 3.7, 15.4)),
}

with open(os.path.join(HERE, 'profile.csv'), 'w') as out:
    out.write('family,parameter,estimate,lower,upper\n')
    for name, (f, parameters, start) in FAMILIES.items():
        best, height = climb(f, np.log(start))
        for i, parameter in enumerate(parameters.split()):
            low, high = (limit(f, best, height, i, side) for side in (-1, 1))
            out.write(f'{name},{parameter},{np.exp(best[i]):.10g},{low:.10g},{high:.10g}\n')
