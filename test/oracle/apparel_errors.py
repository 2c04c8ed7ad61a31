#!/usr/bin/env python3
"""Fits of pareto/nbd to the apparel shop, 104 weeks, with and without the two covariates of customers: parameters and
standard errors at covariates of 0, by Newton's method on the likelihood in mpmath, whose derivatives are central
differences in 25 digits. Usage: apparel_errors.py DIRECTORY-WITH-THE-REFERENCE-DATA > apparel_errors.csv"""

import csv
import datetime
import sys

from mpmath import exp, hyp2f1, log, loggamma, matrix, lu_solve, mp, mpf, sqrt

mp.dps = 25
STEP = mpf('1e-6')
DATA = sys.argv[1]


def ln_likelihood(theta, x, t_x, end):
    """Of one customer: Schmittlein, Morrison & Colombo (1987), in the form of Fader & Hardie (2005)."""
    r, alpha, s, beta = map(exp, theta)
    total = r + s + x
    high, low, other = (alpha, beta, s + 1) if alpha >= beta else (beta, alpha, r + x)

    def summand(t):
        return hyp2f1(total, other, total + 1, (high - low) / (high + t)) / (high + t) ** total
    bracket = (alpha + end) ** -(r + x) * (beta + end) ** -s + s / total * (summand(t_x) - summand(end))
    return loggamma(r + x) - loggamma(r) + r * log(alpha) + s * log(beta) + log(bracket)


def jet(theta, customer):
    """Value, gradient and Hessian by the logarithms of the four parameters."""
    def at(*moves):
        point = list(theta)
        for i, by in moves:
            point[i] += by * STEP
        return ln_likelihood(point, *customer)
    here = at()
    up, down = [at((i, 1)) for i in range(4)], [at((i, -1)) for i in range(4)]
    gradient = [(a - b) / (2 * STEP) for a, b in zip(up, down)]
    hessian = [[(up[i] - 2 * here + down[i]) / STEP ** 2 if i == j else None for j in range(4)] for i in range(4)]
    for i in range(4):
        for j in range(i):
            both = at((i, 1), (j, 1)) - at((i, 1), (j, -1)) - at((i, -1), (j, 1)) + at((i, -1), (j, -1))
            hessian[i][j] = hessian[j][i] = both / (4 * STEP ** 2)
    return here, gradient, hessian


def fit(start, customers, covariates):
    """The maximum and the standard errors; effects on purchases, then on leaving, follow the parameters."""
    point = [log(mpf(v)) for v in start[:4]] + [mpf(v) for v in start[4:]]
    n = len(point)
    for _ in range(12):
        value, gradient, hessian = mpf(0), matrix(n, 1), matrix(n, n)
        for (customer, z), count in customers.items():
            z = z[:covariates]
            # d ln alpha = - effect on purchases, d ln beta = - effect on leaving
            slope = [[mpf(i == j) for j in range(4)] + [-mpf(v) * (i == 1) for v in z] + [-mpf(v) * (i == 3) for v in z]
                     for i in range(4)]
            theta = [sum(a * b for a, b in zip(row, point)) for row in slope]
            one, g, h = jet(theta, customer)
            value += count * one
            for i in range(n):
                gradient[i] += count * sum(slope[k][i] * g[k] for k in range(4))
                for j in range(i + 1):
                    hessian[i, j] += count * sum(slope[k][i] * h[k][m] * slope[m][j]
                                                 for k in range(4) for m in range(4))
        for i in range(n):
            for j in range(i):
                hessian[j, i] = hessian[i, j]
        step = lu_solve(-hessian, gradient)
        if max(map(abs, step)) < mpf('1e-9'):
            break
        point = [a + max(min(b, mpf(1)), mpf(-1)) for a, b in zip(point, step)]
    inverse = (-hessian) ** -1
    return value, point, [sqrt(inverse[i, i]) for i in range(n)]


def rows(name):
    with open(f'{DATA}/{name}') as file:
        yield from csv.DictReader(file)


days = {}
for row in rows('apparel_log.csv'):
    row = {key.lower(): value for key, value in row.items()}
    day = datetime.date.fromisoformat(row['date'])
    if day <= datetime.date(2006, 12, 31):
        days.setdefault(row['customer_id'], set()).add(day)
traits = {}
for row in rows('apparel_static_cov.csv'):
    row = {key.lower(): value for key, value in row.items()}
    traits[row['customer_id']] = (int(float(row['gender'])), int(float(row['channel'])))
summaries = {}
for who, bought in days.items():
    first = min(bought)
    weeks = [mpf((day - first).days) / 7 for day in (max(bought), datetime.date(2006, 12, 31))]
    key = (len(bought) - 1, *weeks), traits[who]
    summaries[key] = summaries.get(key, 0) + 1

print('fit,process,name,estimate,std_error')
names = ['r', 'alpha', 's', 'beta']
# the second begins near where another package ended: farther off, s and beta run away together
for name, covariates, begin in (
        ('pareto/nbd', 0, ['0.5', '20', '0.5', '20']),
        ('pareto/nbd-static', 2, ['1.84', '93', '0.6', '50', '0.3', '0.6', '-0.6', '0.8'])):
    value, point, errors = fit(begin, summaries, covariates)
    print(f'{name},,log-likelihood,{mp.nstr(value, 15)},')
    for i, (estimate, error) in enumerate(zip(point, errors)):
        process = 'transaction' if i < 4 else 'purchase effect' if i < 4 + covariates else 'churn effect'
        label = names[i] if i < 4 else ['Gender', 'Channel'][(i - 4) % 2]
        if i < 4:
            estimate, error = exp(estimate), error * exp(estimate)
        print(f'{name},{process},{label},{mp.nstr(estimate, 12)},{mp.nstr(error, 10)}', flush=True)
