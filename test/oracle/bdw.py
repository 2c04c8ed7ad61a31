#!/usr/bin/env python3
"""Reference values of bdw and of retention elasticities, written to bdw.csv beside this file.

Everything is taken from what the model assumes, in 30 digits: a customer's probability theta of
leaving at the first renewal is Beta(alpha, beta) distributed, and t renewals are made with
probability (1 - theta)^(t^c). P(t renewals) is an integral over theta, and what a customer does
after t of them follows by Bayes. Sums over renewals are added up, and their ends, where they are
long, come from the Euler-Maclaurin formula with derivatives by mpmath. With c = 1 the rows are of
sbg.
"""
import os
import random
from mpmath import mp, mpf, beta, diff, inf, log, quad

mp.dps = 30


def survival_by_integral(a, b, c, t):
    """E[(1 - theta)^(t^c)], over the logit of theta"""
    power = mpf(t) ** c

    def density(s):
        return mp.exp(-a * log(1 + mp.exp(-s)) - (b + power) * log(1 + mp.exp(s)))

    mode = log(a / (b + power))
    width = min(1, mp.sqrt(1 / a + 1 / (b + power)))  # of a narrow one
    away = [width * v for v in (1, 2, 3, 4, 6, 9, 15, 40, 150, 800, 4000)]
    points = [mode - v for v in reversed(away)] + [mode] + [mode + v for v in away]
    return quad(density, points) / beta(a, b)


def survival(a, b, c, t):
    return beta(a, b + mpf(t) ** c) / beta(a, b)


def residual(a, b, c, t, d, weight):
    """sum over k = 1 .. infinity of weight(k) S(t + k) / S(t) (1 + d)^-k"""
    made = survival(a, b, c, t)

    def term(k):
        return weight(k) * survival(a, b, c, t + k) / made / (1 + d) ** k

    total = mpf(0)
    for k in range(1, 400):
        total += term(mpf(k))
    if term(mpf(400)) < mpf(10) ** -35 * total:
        return total
    total += quad(term, [400, 1000, 4000, 10 ** 5, 10 ** 7, 10 ** 10, inf] if d == 0 else
                  [400, 600, 1000, 2000, 4000, 8000, 16000, 10 ** 5, 10 ** 6]) + term(mpf(400)) / 2
    factor = mpf(1)
    for i in range(1, 5):
        factor = mp.bernoulli(2 * i) / mp.factorial(2 * i)
        total -= factor * diff(term, mpf(400), 2 * i - 1, h=mpf(1) / 16)
    return total


def main():
    random.seed(1899)
    rows = []
    cases = [
        ('3.5', '8', '0.9', 4, 12, '0'), ('2.5', '0.8', '2.2', 2, 24, '0'), ('0.668', '3.806', '1', 3, 12, '0.1'),
        ('3.8', '15.2', '1', 4, 12, '0.1'), ('0.067', '0.267', '1', 4, 12, '0.1'), ('2.75', '1.5', '1', 0, 6, '0'),
        ('0.02', '40', '0.3', 7, 36, '0.02'), ('6', '30', '0.55', 11, 100, '0.01'), ('1', '1', '3', 1, 5, '0.05'),
        ('0.5', '5000', '2.5', 10, 60, '0.005'), ('8', '2', '0.15', 30, 50, '0.03')]
    while len(cases) < 40:
        cases.append((
            '%.3g' % random.lognormvariate(0, 1), '%.3g' % random.lognormvariate(1, 1.2),
            '%.3g' % random.lognormvariate(-0.1, 0.5), random.randrange(0, 25), random.randrange(1, 60),
            random.choice(['0.005', '0.02', '0.1', '0.4'])))
    for alpha, beta_, c, t, m, d in cases:
        q = [mpf(alpha), mpf(beta_), mpf(c)]
        rate = mpf(d)
        made, next_ = survival_by_integral(*q, t), survival_by_integral(*q, t + 1)
        later = [survival(*q, t + k) / survival(*q, t) for k in range(1, m + 1)]
        after = residual(*q, t, rate, lambda k: 1)
        before = None if t == 0 else residual(*q, t - 1, rate, lambda k: 1) * (1 + rate)
        ranks = residual(*q, t, rate, lambda k: k)
        values = [
            made, made - next_, next_ / made, sum(later), sum(2 * (k - 1) * p for k, p in enumerate(later, 1)),
            after, before, ranks / after, log(made - next_), log(made)]
        rows.append([alpha, beta_, c, str(t), str(m), d] +
                    ['' if v is None else mp.nstr(v, 20) for v in values])
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'bdw.csv'), 'w') as out:
        out.write('alpha,beta,c,t,m,d,surv,pmf,retention,erem,pairs,derl_after,derl_before,elasticity,'
                  'll_churn,ll_surv\n')
        for row in rows:
            out.write(','.join(row) + '\n')


if __name__ == '__main__':
    main()
