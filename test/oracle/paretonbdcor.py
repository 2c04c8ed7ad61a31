#!/usr/bin/env python3
"""Reference values of pareto/nbd/cor, written to paretonbdcor.csv beside this file.

lambda ~ Gamma(r, rate alpha) and mu ~ Gamma(s, rate beta) have the joint density
f(lambda) g(mu) [1 + m (e^-lambda - c) (e^-mu - d)]. Multiplied out, that is a sum of four products
of gammas, three of whose weights may be negative:

    (1 + m c d) f g  +  m c d (f1 g1 - f1 g - f g1),   f1 at alpha + 1, g1 at beta + 1

so every quantity is the same sum of four of pareto/nbd's, each of them here an integral over the
time of death in 60 digits, of which the differences may cost some. What is conditional is a ratio of
two such sums.

Every row is then done again from the individual: double sums over lambda and mu in ordinary
numbers (math.fsum), equal steps of their logarithms, which for such integrands is a rule of
geometric convergence. The script fails where the two ways differ by more than 1e-10.
"""
import math
import os
import random
from mpmath import mp, mpf, exp, expint, gamma, inf, log, quad, rf

mp.dps = 60


def limits(r, alpha, s, beta):
    c = (alpha / (alpha + 1)) ** r
    d = (beta / (beta + 1)) ** s
    return -1 / max(c * d, (1 - c) * (1 - d)), 1 / max(c * (1 - d), (1 - c) * d)


def over_time(f, start, end, scales):
    """int of a positive function that changes on these scales, farther and farther from 0"""
    points = [start]
    while points[-1] < end:
        u = points[-1]
        points.append(min(end, u + min(v + u for v in scales) / 2))
    unit = max(f(u) for u in points)  # to quad, what is below 10^-60 is 0
    return unit * quad(lambda u: f(u) / unit, points, method='gauss-legendre')


class Pareto:
    """pareto/nbd"""

    def __init__(self, r, alpha, s, beta):
        self.r, self.alpha, self.s, self.beta = r, alpha, s, beta

    def survival(self, u):
        return (self.beta / (self.beta + u)) ** self.s

    def death(self, u):
        return self.s / (self.beta + u) * self.survival(u)

    def alive(self, x, T):
        R = self.r + x
        return rf(self.r, x) * self.alpha ** self.r * (self.alpha + T) ** -R * self.survival(T)

    def likelihood(self, x, t_x, T):
        R = self.r + x
        dead = mpf(0) if T == t_x else over_time(
            lambda u: (self.alpha + u) ** -R * self.death(u), t_x, T,
            (self.alpha / max(1, R / 8), self.beta / max(1, self.s / 8)))
        return self.alive(x, T) + rf(self.r, x) * self.alpha ** self.r * dead

    def updated(self, x, T):
        return Pareto(self.r + x, self.alpha + T, self.s, self.beta + T)

    def expected(self, t):
        e = 1 - self.s
        years = self.beta * (log(1 + t / self.beta) if e == 0
                             else ((1 + t / self.beta) ** e - 1) / e)
        return self.r / self.alpha * years

    def probability(self, n, t):
        def bought(u):
            return rf(self.r, n) / gamma(n + 1) * (self.alpha / (self.alpha + u)) ** self.r * \
                (u / (self.alpha + u)) ** n
        gone = over_time(lambda u: bought(u) * self.death(u), mpf(0), t,
                         (self.alpha / max(1, (self.r + n) / 8), self.beta / max(1, self.s / 8)))
        return bought(t) * self.survival(t) + gone

    def discounted(self, delta, t):
        if t == inf:
            w = delta * self.beta
            if delta == 0:
                return self.r / self.alpha * self.beta / (self.s - 1) if self.s > 1 else inf
            return self.r / self.alpha * self.beta * exp(w) * expint(self.s, w)
        if delta == 0:
            return self.expected(t)
        return self.r / self.alpha * over_time(lambda u: exp(-delta * u) * self.survival(u),
                                               mpf(0), t, (self.beta, 1 / delta))


def mixture(r, alpha, s, beta, m):
    c = (alpha / (alpha + 1)) ** r
    d = (beta / (beta + 1)) ** s
    w = m * c * d
    return [(1 + w, Pareto(r, alpha, s, beta)), (w, Pareto(r, alpha + 1, s, beta + 1)),
            (-w, Pareto(r, alpha + 1, s, beta)), (-w, Pareto(r, alpha, s, beta + 1))]


def row(r, alpha, s, beta, m, x, t_x, T, t, n, delta):
    r, alpha, s, beta, m, t_x, T, t, delta = map(mpf, (r, alpha, s, beta, m, t_x, T, t, delta))
    four = mixture(r, alpha, s, beta, m)

    def fresh(what):
        return sum(w * what(p) for w, p in four)
    likelihood = fresh(lambda p: p.likelihood(x, t_x, T))

    def known(what):
        values = [what(p.updated(x, T)) for _, p in four]
        if any(v == inf for v in values):
            return inf
        return sum(w * p.alive(x, T) * v for (w, p), v in zip(four, values)) / likelihood
    p_alive = known(lambda p: mpf(1))
    cpmf = known(lambda p: p.probability(n, t))
    if n == 0:
        cpmf += 1 - p_alive
    return [log(likelihood), p_alive, log(p_alive), known(lambda p: p.expected(t)),
            fresh(lambda p: p.expected(t)), fresh(lambda p: p.probability(n, t)), cpmf,
            known(lambda p: p.discounted(delta, inf)), known(lambda p: p.discounted(delta, t))]


# ---- the same from the individual ----

def nodes(shape, rate, events):
    """A gamma variable that is raised to that power, and the logs of its weights: equal steps"""
    h = min(0.2, 0.45 / math.sqrt(shape + events + 1))
    low = -45 / shape - math.log(rate)
    high = math.log((40 + 2 * (shape + events)) / rate) + 2
    out = []
    y = low
    while y < high:
        ln = shape * (y + math.log(rate)) - rate * math.exp(y) - math.lgamma(shape) + math.log(h)
        out.append((math.exp(y), ln))
        y += h
    return out


def lower_gamma(n, z):
    """P(n + 1 events until z come before ...): 1 - e^-z sum_{k <= n} z^k / k!"""
    if z < n + 10:
        term = math.exp((n + 1) * math.log(z) - z - math.lgamma(n + 2))
        total = term
        k = n + 2
        while term > 1e-20 * total:
            term *= z / k
            total += term
            k += 1
        return total
    term = 1.0
    total = 1.0
    for k in range(1, n + 1):
        term *= z / k
        total += term
    return 1 - math.exp(-z) * total


def count(lam, mu, n, t):
    ln_n = n * math.log(lam * t) - math.lgamma(n + 1)
    both = lam + mu
    lives = math.exp(ln_n - both * t)
    return lives + math.exp(math.log(mu / both) + n * math.log(lam / both)) * \
        lower_gamma(n, both * t)


def present(mu, delta, t):
    return -math.expm1(-(mu + delta) * t) / (mu + delta)


def check(values, r, alpha, s, beta, m, x, t_x, T, t, n, delta):
    c = math.exp(-r * math.log1p(1 / alpha))
    d = math.exp(-s * math.log1p(1 / beta))
    rows = [[] for _ in range(7)]
    for lam, ln_f in nodes(r, alpha, x + n):
        ln_x = x * math.log(lam)
        for mu, ln_g in nodes(s, beta, 0):
            if ln_f + ln_g + max(ln_x - (lam + mu) * t_x, 0) < -120:
                continue
            weight = math.exp(ln_f + ln_g) * \
                (1 + m * (math.expm1(-lam) + 1 - c) * (math.expm1(-mu) + 1 - d))
            both = lam + mu
            alive = math.exp(ln_x - both * T) * weight
            gone = math.exp(ln_x - both * t_x) * -math.expm1(-both * (T - t_x)) * mu / both * weight
            pmf = count(lam, mu, n, t)
            for sums, v in zip(rows, (
                    alive + gone, alive, alive * lam * present(mu, 0, t),
                    weight * lam * present(mu, 0, t), weight * pmf, alive * pmf,
                    alive * lam * present(mu, delta, t))):
                sums.append(v)
    whole, alive, cet, expect, pmf, cpmf, det_t = map(math.fsum, rows)
    cpmf = cpmf / whole + (1 - alive / whole if n == 0 else 0)
    pairs = [(whole, exp(values[0])), (alive / whole, values[1]), (cet / whole, values[3]),
             (expect, values[4]), (pmf, values[5]), (cpmf, values[6]), (det_t / whole, values[8])]
    worst = max(abs(mpf(a) / b - 1) for a, b in pairs)
    assert worst < 1e-10, (worst, pairs)
    return float(worst)


def cases():
    chance = random.Random(20250107)

    def at(part, *p):
        low, high = limits(*p)
        return float('%.6g' % ((1 - 1e-6) * part * (high if part > 0 else -low)))
    weeks = (0.53, 9.85, 0.49, 9.17)
    settings = [('weeks', weeks), ('days', (0.55, 73.0, 0.58, 78.0)),
                ('hours', (0.55, 1760.0, 0.58, 1870.0)), ('years', (0.53, 0.19, 0.31, 0.12)),
                ('c+d<1', (2.5, 0.8, 1.5, 0.6))]
    histories = [(0, 0, 38.875), (2, 30.5, 38.75), (5, 11.25, 39), (3, 39, 39), (0, 0, 0), (26, 34, 36)]
    i = 0
    for name, p in settings:
        unit = {'days': 7, 'hours': 168, 'years': 1 / 52, 'c+d<1': 1 / 8}.get(name, 1)
        for part in (1, 0.5, -0.5, -1):
            x, t_x, T = histories[i % 6]
            yield ('%s %+g' % (name, part), *p, at(part, *p), x, t_x * unit, T * unit,
                   (13, 52, 3)[i % 3] * unit, (0, 1, 4, 2, 9)[i % 5],
                   (0.0027, 0.02)[i % 2] / unit)
            i += 1
    for i, (x, t_x, T) in enumerate(histories):
        yield ('m==0', *weeks, 0.0, x, t_x, T, 26, i % 3, 0.01)
        yield ('history', *weeks, (21.0, -1.0)[i % 2], x, t_x, T, 39, (3, 0)[i % 2], 0.0027)
    for i in range(20):
        p = [float('%.3g' % 10 ** chance.uniform(-0.5, 0.7)) for _ in range(4)]
        p[1] = float('%.3g' % (p[1] * 8))
        p[3] = float('%.3g' % (p[3] * 8))
        T = round(chance.uniform(1, 100), 2)
        x = chance.choice([0, 1, 1, 2, 4, 9])
        t_x = round(chance.uniform(0, T), 2) if x else 0
        yield ('random', *p, at(chance.uniform(-1, 1), *p), x, t_x, T,
               round(10 ** chance.uniform(-0.5, 1.9), 2), chance.choice([0, 0, 1, 2, 3, 5, 12]),
               chance.choice([0.0027, 0.02, 0.3]))
    yield ('s==1', 0.7, 8.0, 1.0, 2.0, 2.0, 2, 20, 39, 52, 1, 0.003)
    yield ('s>1 without a rate', 0.7, 8.0, 1.5, 2.0, 1.5, 2, 20, 39, 52, 1, 0.0)
    yield ('s<1 without a rate', 0.7, 8.0, 0.5, 2.0, -0.5, 2, 20, 39, 52, 1, 0.0)
    yield ('alpha==beta', 0.7, 8.0, 0.5, 8.0, 10.0, 1, 3, 39, 52, 2, 0.003)
    yield ('bigx', 0.8, 6.0, 0.6, 10.0, 9.0, 150, 76, 78, 26, 40, 0.0027)
    yield ('long silence', 0.8, 6.0, 0.6, 10.0, 9.0, 30, 8, 78, 26, 3, 0.0027)
    yield ('soon', 0.6, 5.0, 0.8, 2.4, -1.2, 0, 0, 0, 0.001, 1, 0.0027)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, 'paretonbdcor.csv'), 'w') as out:
        out.write('tag,r,alpha,s,beta,m,x,t_x,T,t,n,delta,loglik,palive,ln_palive,cet,expect,pmf,'
                  'cpmf,dert,det_t\n')
        for tag, *inputs in cases():
            values = row(*inputs)
            print('%-20s double sums differ by %.1e' % (tag, check(values, *inputs)), flush=True)
            out.write(','.join([tag] + [repr(v) for v in inputs] + [
                'Infinity' if v == inf else mp.nstr(v, 18) for v in values]) + '\n')
            out.flush()


if __name__ == '__main__':
    main()
