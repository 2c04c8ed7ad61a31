#!/usr/bin/env python3
"""Reference values of mbg/cnbd-k, written to mbgcnbd.csv beside this file.

From what the model assumes of one customer, in 40 digits: the m-th event of a Poisson process
of rate lambda comes at a gamma distributed time, every k-th event is a purchase, and after each
purchase (the first, at 0, included) they leave with probability p. Mixed over
lambda ~ Gamma(r, rate alpha) the number of events is negative binomial, mixed over
p ~ Beta(a, b) n purchases are survived with probability (b)_n / (a+b)_n; everything else is a sum
over events, and where money is discounted an integral over time (until t) or lambda (for ever).
"""
import os
import random
from mpmath import mp, mpf, beta, exp, gamma, hyp2f1, inf, log, loggamma, quad, rf

mp.dps = 40
TINY = mpf(10) ** -36


def stages(k, R, alpha, u):
    """P(j events since the last purchase | alive), alpha being that of today."""
    w = [rf(R, j) / gamma(j + 1) * (u / alpha) ** j for j in range(k)]
    total = sum(w)
    return [v / total for v in w], total


def event_numbers(k, R, alpha, weights, t):
    """P(stage + events in t = M), M = 0, 1 ..., and a bound on the ratio of what follows."""
    w = t / (alpha + t)
    p = [(alpha / (alpha + t)) ** (R + j) for j in range(k)]
    M = 0
    while True:
        yield M, sum(weights[j] * p[j] for j in range(min(k, M + 1))), \
            w * (R + M) / max(M + 2 - k, 1)
        for j in range(min(k, M + 1)):
            p[j] *= w * (R + M) / (M + 1 - j)
        M += 1


class Future:
    """A customer alive now, with no dropout pending; last purchase u ago; alpha is today's."""

    def __init__(self, k, R, alpha, a, b, u):
        self.k, self.R, self.alpha, self.a, self.b = k, R, alpha, a, b
        self.w, _ = stages(k, R, alpha, u)

    def sum_over_events(self, t, value):
        """sum of P(M) value(n), n = M div k"""
        total = mpf(0)
        v = None
        for M, p, ratio in event_numbers(self.k, self.R, self.alpha, self.w, t):
            if M % self.k == 0:
                v = value(M // self.k)
            total += p * v
            if ratio < 1 and p * (M + 1) / (1 - ratio) ** 2 <= TINY * total:
                return total

    def expected(self, t):
        state = {'c': mpf(0), 's': mpf(1)}

        def value(n):
            if n > 0:
                state['c'] += state['s']
                state['s'] *= (self.b + n - 1) / (self.a + self.b + n - 1)
            return state['c']
        return self.sum_over_events(t, value)

    def probability(self, n, t):
        survived = rf(self.b, n) / rf(self.a + self.b, n)
        exactly = mpf(0)
        at_least = mpf(0)
        for M, p, ratio in event_numbers(self.k, self.R, self.alpha, self.w, t):
            if M // self.k == n:
                exactly += p
            if M // self.k >= n:
                at_least += p
                if ratio < 1 and p / (1 - ratio) <= TINY * at_least and M // self.k > n:
                    break
        if n == 0:
            return exactly
        return survived * exactly + survived * self.a / (self.b + n - 1) * at_least

    def rate(self, s):
        """Purchases per time at s, by those not gone."""
        w = s / (self.alpha + s)
        total = mpf(0)
        survived = mpf(1)
        p = [(self.alpha / (self.alpha + s)) ** (self.R + j) for j in range(self.k)]
        m = [0] * self.k
        n = 1
        while True:
            now = mpf(0)
            for j in range(self.k):
                if not self.w[j]:
                    continue
                while m[j] < n * self.k - j:
                    p[j] *= w * (self.R + j + m[j]) / (m[j] + 1)
                    m[j] += 1
                now += self.w[j] * p[j] * m[j] / s
            total += survived * now
            ratio = w * (self.R + n * self.k) / (n * self.k + 1 - self.k)
            if ratio < 1 and now * survived / (1 - ratio) <= TINY * total:
                return total
            survived *= (self.b + n - 1) / (self.a + self.b + n - 1)
            n += 1

    def discounted(self, delta, t):
        if delta == 0:
            if t == inf:
                return (self.a + self.b - 1) / (self.a - 1) if self.a > 1 else inf
            return self.expected(t)
        if t == inf:
            return self.for_ever(delta)
        points = [mpf(0)]
        while points[-1] < t:
            s = points[-1]
            points.append(min(t, s + (self.alpha + s) * min(1, 20 / (self.R + self.k))))
        with mp.workdps(25):
            return quad(lambda s: exp(-delta * s) * self.rate(s), points, maxdegree=5)

    def for_ever(self, delta):
        """Over y = ln lambda by equal steps, both ways from the middle."""
        k, R = self.k, self.R

        def f(y):
            lam = exp(y)
            phi = lam / (lam + delta)
            mix = sum(self.w[j] * exp((R + j) * (y + log(self.alpha)) - lam * self.alpha
                                      - loggamma(R + j)) * phi ** (k - j) for j in range(k))
            return mix * hyp2f1(1, self.b, self.a + self.b, phi ** k) if mix else mix
        mp.dps = 30
        h = min(mpf(1) / 12, mpf(1) / 4 / mp.sqrt(R + k))
        middle = log((R + 1) / self.alpha)
        total = f(middle)
        for side in (-1, 1):
            y = middle
            before = mpf(0)
            while True:
                y += side * h
                now = f(y)
                total += now
                if now < before and now < mpf(10) ** -24 * total:
                    break
                before = now
        mp.dps = 40
        return total * h


def row(k, r, alpha, a, b, x, t_x, T, t, n, delta):
    k, x, n = int(k), int(x), int(n)
    r, alpha, a, b, t_x, T, t, delta = map(mpf, (r, alpha, a, b, t_x, T, t, delta))
    R = r + k * x
    _, unseen = stages(k, R, alpha + T, T - t_x)
    common = exp(loggamma(R) - loggamma(r)) * alpha ** r
    alive = beta(a, b + x + 1) / beta(a, b) * (alpha + T) ** -R * unseen
    dead = beta(a + 1, b + x) / beta(a, b) * (alpha + t_x) ** -R
    p_alive = alive / (alive + dead)
    known = Future(k, R, alpha + T, a, b + x + 1, T - t_x)
    fresh = Future(k, r, alpha, a, b + 1, mpf(0))
    survive = b / (a + b)
    pmf = survive * fresh.probability(n, t)
    cpmf = p_alive * known.probability(n, t)
    if n == 0:
        pmf += 1 - survive
        cpmf += 1 - p_alive
    return [log(common * (alive + dead)), p_alive, log(p_alive), p_alive * known.expected(t),
            survive * fresh.expected(t), pmf, cpmf, p_alive * known.discounted(delta, inf),
            p_alive * known.discounted(delta, t)]


def cases():
    chance = random.Random(20160901)
    typical = {2: (0.8, 6.0, 0.9, 1.6), 3: (1.4, 9.0, 0.5, 3.0), 4: (2.5, 12.0, 1.3, 6.0)}
    histories = [('x0', 0, 0, 39), ('x2', 2, 30.5, 38.75), ('long silence', 5, 11.25, 39),
                 ('tx=T', 3, 39, 39), ('T0', 0, 0, 0), ('bigx', 300, 76, 78)]
    for k, p in typical.items():
        for i, (tag, x, t_x, T) in enumerate(histories):
            yield ('typical/' + tag, k, *p, x, t_x, T, (1, 13, 52)[i % 3], (0, 1, 3, 2, 7, 1)[i],
                   (0.0027, 0.01, 0.0)[i // 2])
    for i in range(24):
        k = 2 + i % 3
        p = [float('%.3g' % 10 ** chance.uniform(-0.7, 0.8)) for _ in range(4)]
        p[1] = float('%.3g' % (p[1] * 10))
        T = round(chance.uniform(1, 100), 2)
        x = chance.choice([0, 1, 1, 2, 4, 9, 25])
        t_x = round(chance.uniform(0, T), 2) if x else 0
        yield ('random', k, *p, x, t_x, T, round(10 ** chance.uniform(-0.5, 1.9), 2),
               chance.choice([0, 0, 1, 2, 3, 5, 12]), chance.choice([0.0027, 0.02, 0.3]))
    for i in range(12):
        k = 2 + i % 3
        p = [0.7, 8.0, 0.9, 2.0]
        p[i // 3] = (0.001, 200.0)[i % 2]
        yield ('extreme', k, *p, i % 4, 3.5 * (i % 4), 39, (10, 52)[i // 2 % 2], i % 3, 0.01)
    for k in (2, 3, 4):
        yield ('a==1', k, 0.7, 8.0, 1.0, 2.0, 2, 20, 39, 52, 1, 0.0)
        yield ('far', k, 0.6, 5.0, 0.8, 2.4, 1, 3, 9, 6000, 40, 0.0)
        yield ('soon', k, 0.6, 5.0, 0.8, 2.4, 0, 0, 0, 0.001, 1, 0.0027)
    yield ('alike', 4, 500.0, 400.0, 1.2, 30.0, 7, 22.0, 24.0, 20, 3, 0.005)
    yield ('k8', 8, 2.0, 3.0, 0.7, 4.0, 6, 30.0, 36.0, 26, 4, 0.0027)
    yield ('k8 far', 8, 2.0, 1.5, 0.7, 4.0, 6, 30.0, 36.0, 9000, 4, 0.0)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, 'mbgcnbd.csv'), 'w') as out:
        out.write('tag,k,r,alpha,a,b,x,t_x,T,t,n,delta,loglik,palive,ln_palive,cet,expect,pmf,'
                  'cpmf,dert,det_t\n')
        for tag, *inputs in cases():
            values = row(*inputs)
            out.write(','.join([tag] + [repr(v) for v in inputs] + [
                'Infinity' if v == inf else mp.nstr(v, 18) for v in values]) + '\n')
            out.flush()


if __name__ == '__main__':
    main()
