#!/usr/bin/env python3
"""Reference values of what one customer will do, written to customer_dates.csv beside this file.

For each of 40 customers a family: the probability to buy within a horizon, to be active at its
end, the day by which a customer who is active has bought again, and the day on which P(alive)
falls below a limit.

Everything is taken from what a model assumes, in 20 digits (days of lifetime families in doubles,
as they take many integrals), and nothing from a formula for known
customers. With A(T) the density of a history whose customer is alive at T, and D(T) that of one
who has left before without another purchase (an integral over the day of leaving, or a sum over
periods),

    P(alive)            = A(T) / (A(T) + D(T))
    P(buys in h)        = 1 - (A(T + h) + D(T + h)) / (A(T) + D(T))
    P(buys in h, alive) = 1 - (A(T + h) + D(T + h) - D(T)) / A(T)

and P(alive at T + h) is A with purchases allowed after T, over A(T) + D(T). Days are found by
halving, over these numbers.
"""
import os
import random
from functools import lru_cache
from mpmath import fp, mp, mpf, beta, exp, factorial, log, log1p, power, quad, rf

mp.dps = 20


def rate_moment(r, alpha, n, t):
    """E[lambda^n e^(-lambda t)], lambda ~ Gamma(r, rate alpha)"""
    return rf(r, n) * power(alpha / (alpha + t), r) / power(alpha + t, n)


def beta_moment(a, b, m, n):
    """E[p^m (1 - p)^n], p ~ Beta(a, b)"""
    return beta(a + m, b + n) / beta(a, b)


class Family:
    """A customer with x repeat purchases, the last at t_x: A, D and A with purchases allowed."""

    def __init__(self, param, x, t_x, context=mp):
        self.p = {k: context.mpf(v) for k, v in param.items()}
        self.x, self.t_x = x, context.mpf(t_x)
        self.context = context

    def left_later(self, T, end):
        """D(end) - D(T)"""
        return self.left(end) - self.left(T)


class Bg(Family):
    immediate = 0

    def alive(self, T):
        q = self.p
        return rate_moment(q['r'], q['alpha'], self.x, T) * \
            beta_moment(q['a'], q['b'], 0, self.x + self.immediate)

    def left(self, T):
        q = self.p
        trials = self.x + self.immediate
        if trials == 0:
            return mpf(0)
        return rate_moment(q['r'], q['alpha'], self.x, self.t_x) * \
            beta_moment(q['a'], q['b'], 1, trials - 1)

    def active(self, T, h):
        """
        Given p, a customer survives h with probability e^(-lambda p h). Below 1/2 the integral over
        p is one over -ln p, above it one over (1 - p)^b: neither end is singular.
        """
        q = self.p
        a, b = q['a'], q['b'] + self.x + self.immediate

        def bought(p):  # over that of p = 0: quad() ends by absolute errors
            return power((q['alpha'] + T) / (q['alpha'] + T + p * h), q['r'] + self.x)

        def below(v):
            p = exp(-v)
            return power(p, a) * power(1 - p, b - 1) * bought(p)

        ends = [mp.log(2) + 2 * k for k in range(13)] + [50, 100, 200, 400, 1000, mp.inf]
        low = sum(quad(below, [start, end]) for start, end in zip(ends, ends[1:]))
        high = quad(lambda w: power(1 - power(w, 1 / b), a - 1) * bought(1 - power(w, 1 / b)),
                    [0, power(mpf('.5'), b)])
        return (low + high / b) / beta(q['a'], q['b']) * rate_moment(q['r'], q['alpha'], self.x, T)


class Mbg(Bg):
    immediate = 1


class Erlang(Family):
    def events(self, since):
        q = self.p
        return [(j, power(since, j) / factorial(j)) for j in range(int(q['k'])) if since or j == 0]

    def alive(self, T):
        q = self.p
        n = int(q['k']) * self.x
        return beta_moment(q['a'], q['b'], 0, self.x + 1) * sum(
            w * rate_moment(q['r'], q['alpha'], n + j, T) for j, w in self.events(T - self.t_x))

    def left(self, T):
        q = self.p
        return rate_moment(q['r'], q['alpha'], int(q['k']) * self.x, self.t_x) * \
            beta_moment(q['a'], q['b'], 1, self.x)

    def active(self, T, h):
        """Over the stage j at T and the M events in h, until nothing is added."""
        q = self.p
        k = int(q['k'])
        n = k * self.x
        total = mpf(0)
        for j, w in self.events(T - self.t_x):
            term = w * rate_moment(q['r'], q['alpha'], n + j, T + h)
            stay, made, M, part = beta_moment(q['a'], q['b'], 0, self.x + 1), 0, 0, mpf(0)
            while True:
                if (j + M) // k > made:
                    stay *= (q['b'] + self.x + 1 + made) / (q['a'] + q['b'] + self.x + 1 + made)
                    made += 1
                part += term * stay
                M += 1
                ratio = h * (q['r'] + n + j + M - 1) / (M * (q['alpha'] + T + h))
                term *= ratio
                if ratio < 1 and term * stay / (1 - ratio) < part * mpf(10) ** -16:
                    break
            total += part
        return total


class Lifetime(Family):
    """
    Purchases and lifetime are independent: S(u) = P(alive at u), f its density. All is divided by
    the moment of the purchases until t_x, which no ratio needs.
    """

    def bought(self, t):
        q = self.p
        return self.context.power((q['alpha'] + self.t_x) / (q['alpha'] + t), q['r'] + self.x)

    def alive(self, T):
        return self.bought(T) * self.S(T)

    def left(self, T):
        return self.left_later(self.t_x, T)

    def left_later(self, T, end):
        if end == T:
            return self.context.mpf(0)
        parts = ('0', '.001', '.01', '.1', '.4', '1')
        return self.context.quad(self.leaving_at,
                                 [T + (end - T) * self.context.mpf(part) for part in parts])

    def leaving_at(self, u):
        return self.bought(u) * self.f(u)

    def active(self, T, h):
        return self.bought(T) * self.S(T + h)


class Pareto(Lifetime):
    def S(self, u):
        return self.context.power(self.p['beta'] / (self.p['beta'] + u), self.p['s'])

    def f(self, u):
        return self.p['s'] / (self.p['beta'] + u) * self.S(u)


class Gompertz(Lifetime):
    def grown(self, u):
        if self.context is fp and self.p['b'] * u > 700:
            return fp.inf
        return self.p['beta'] + self.context.expm1(self.p['b'] * u)

    def S(self, u):
        return self.context.power(self.p['beta'] / self.grown(u), self.p['s'])

    def f(self, u):
        q = self.p
        return q['s'] * q['b'] * (1 + (1 - q['beta']) / self.grown(u)) * self.S(u)


class Correlated(Lifetime):
    """The bracket of Sarmanov's density multiplied out: four products of moments."""

    def together(self, t, u, dying):
        """E[lambda^x e^(-lambda t) mu^dying e^(-mu u)], over that of lambda^x e^(-lambda t_x)"""
        q, power = self.p, self.context.power

        def hazard(u):
            return power(q['beta'] / (q['beta'] + u), q['s']) * \
                (q['s'] / (q['beta'] + u) if dying else 1)

        c = power(q['alpha'] / (q['alpha'] + 1), q['r'])
        d = power(q['beta'] / (q['beta'] + 1), q['s'])
        return self.bought(t) * hazard(u) + q['m'] * (self.bought(t + 1) - c * self.bought(t)) * \
            (hazard(u + 1) - d * hazard(u))

    def alive(self, T):
        return self.together(T, T, 0)

    def leaving_at(self, u):
        return self.together(u, u, 1)

    def active(self, T, h):
        return self.together(T, T + h, 0)


class Bgbb(Family):
    """One chance a period: theta of leaving at its start, p of buying in it."""

    def alive(self, T):
        q, T = self.p, int(T)
        return beta_moment(q['alpha'], q['beta'], self.x, T - self.x) * \
            beta_moment(q['gamma'], q['delta'], 0, T)

    def left(self, T):
        return self.left_later(self.t_x, T)

    def left_later(self, T, end):
        return sum((self.leaves_after(s) for s in range(int(T), int(end))), mpf(0))

    @lru_cache(None)
    def leaves_after(self, s):
        q = self.p
        return beta_moment(q['alpha'], q['beta'], self.x, s - self.x) * \
            beta_moment(q['gamma'], q['delta'], 1, s)

    def active(self, T, h):
        q, T, h = self.p, int(T), int(h)
        return beta_moment(q['alpha'], q['beta'], self.x, T - self.x) * \
            beta_moment(q['gamma'], q['delta'], 0, T + h)


class Sbg(Family):
    """T = x renewals made: the next ones are due."""

    def alive(self, T):
        return beta_moment(self.p['alpha'], self.p['beta'], 0, self.x) if T == self.t_x else mpf(0)

    def left(self, T):
        return mpf(0) if T == self.t_x else beta_moment(self.p['alpha'], self.p['beta'], 1, self.x)

    def active(self, T, h):
        return beta_moment(self.p['alpha'], self.p['beta'], 0, self.x + int(h))


@lru_cache(maxsize=None)
def discrete_weibull(a, b, c, t):
    """E[(1 - theta)^(t^c)], theta ~ Beta(a, b), over the logit of theta"""
    n = b + (power(t, c) if t > 0 else 0)
    mode = log(a / n)
    away = [mpf(1) / 4, 1, 4, 15, 80, 400]
    points = [mode - v for v in reversed(away)] + [mode] + [mode + v for v in away]
    return quad(lambda s: exp(-a * log1p(exp(-s)) - n * log1p(exp(s))), points) / beta(a, b)


class Bdw(Sbg):
    """As Sbg, with P(t renewals | theta) = (1 - theta)^(t^c)."""

    def made(self, t):
        return discrete_weibull(self.p['alpha'], self.p['beta'], self.p['c'], int(t))

    def alive(self, T):
        return self.made(self.x) if T == self.t_x else mpf(0)

    def left(self, T):
        return mpf(0) if T == self.t_x else self.made(self.x) - self.made(self.x + 1)

    def active(self, T, h):
        return self.made(self.x + int(h))


class Rfmtc(Family):
    """Not a model of histories: P(active) = (1 - Q)^(T - t_x), then campaign by campaign."""

    def shares(self, T, h):
        q = self.p
        lift = q['g'] if h <= 1 else mpf(1)
        response = min(lift * (self.x + 1) / (self.t_x + q['b']), mpf(1))
        none = mpf(1)
        for _ in range(int(h)):
            none = q['Q'] + (1 - q['Q']) * (1 - response) * none
        return power(1 - q['Q'], T - self.t_x), none

    def p_alive(self, T):
        return self.shares(T, 0)[0]

    def buys(self, T, h):
        alive, none = self.shares(T, h)
        return alive * (1 - none)

    def buys_alive(self, T, h):
        return 1 - self.shares(T, h)[1]

    def survives(self, T, h):
        return self.p_alive(T) * power(1 - self.p['Q'], h)


def p_alive(c, T):
    return c.p_alive(T) if hasattr(c, 'p_alive') else c.alive(T) / (c.alive(T) + c.left(T))


def buys(c, T, h):
    if hasattr(c, 'buys'):
        return c.buys(T, h)
    return 1 - (c.alive(T + h) + c.left(T + h)) / (c.alive(T) + c.left(T))


def buys_alive(c, T, h):
    if hasattr(c, 'buys_alive'):
        return c.buys_alive(T, h)
    return 1 - (c.alive(T + h) + c.left_later(T, T + h)) / c.alive(T)


def survives(c, T, h):
    if hasattr(c, 'survives'):
        return c.survives(T, h)
    return c.active(T, h) / (c.alive(T) + c.left(T))


MOST = 365250


def first(condition, most):
    """The first n >= 1 for which the condition holds, None where there is none."""
    low, high = 0, 1
    while not condition(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if condition(middle) else (middle, high)
    return high


FAMILIES = [  # name, class, unit in days, parameters, how the history counts
    ('bg/nbd', Bg, 7, [dict(r='0.243', alpha='4.414', a='0.793', b='2.426'),
                       dict(r='0.05', alpha='0.5', a='0.1', b='0.2'),
                       dict(r='6', alpha='40', a='2', b='9')]),
    ('mbg/nbd', Mbg, 7, [dict(r='0.525', alpha='6.183', a='0.891', b='1.614'),
                         dict(r='0.05', alpha='0.5', a='1.5', b='0.7'),
                         dict(r='6', alpha='40', a='0.5', b='9')]),
    ('mbg/cnbd-k', Erlang, 7, [dict(k='2', r='0.8', alpha='6', a='0.9', b='1.6'),
                               dict(k='12', r='3', alpha='2', a='0.4', b='5'),
                               dict(k='1', r='0.525', alpha='6.183', a='0.891', b='1.614')]),
    ('pareto/nbd', Pareto, 7, [dict(r='0.553', alpha='10.578', s='0.606', beta='11.669'),
                               dict(r='2', alpha='0.5', s='0.05', beta='3'),
                               dict(r='0.1', alpha='30', s='3', beta='60')]),
    ('pareto/nbd/cor', Correlated, 7, [dict(r='0.53', alpha='9.85', s='0.49', beta='9.17', m='15'),
                                       dict(r='0.53', alpha='9.85', s='0.49', beta='9.17', m='-0.9')]),
    ('ggompertz/nbd', Gompertz, 7, [dict(r='0.55', alpha='10.6', b='0.0002', s='0.6', beta='0.0026'),
                                    dict(r='1.5', alpha='5', b='0.05', s='0.8', beta='4')]),
    ('bg/bb', Bgbb, 30, [dict(alpha='1.204', beta='0.75', gamma='0.657', delta='2.783'),
                         dict(alpha='0.2', beta='3', gamma='0.1', delta='8')]),
    ('sbg', Sbg, 30, [dict(alpha='0.668', beta='3.806'), dict(alpha='3', beta='1')]),
    ('bdw', Bdw, 30, [dict(alpha='0.214', beta='1.427', c='1.724'), dict(alpha='2', beta='5', c='0.6')]),
    ('rfmtc', Rfmtc, 30, [dict(Q='0.08', g='2', b='1.2'), dict(Q='0.01', g='1', b='12')]),
]
PERIODS = (Bgbb, Sbg, Bdw)
CONTRACTS = (Sbg, Bdw)
LEVELS = ['0.5', '0.5', '0.1', '0.9', '0.99']


def history(random, which, cls):
    """Days of the purchases from day 0 on, and the day one looks from; hard ones first."""
    hard = [([0], 0), ([0], 1), ([0], 7300), ([0, 1], 1), ([0, 1], 7300), ([0, 3000], 3000),
            (list(range(0, 900, 3)), 897), (list(range(0, 900, 3)), 930), ([0, 5, 6, 7], 400)]
    if cls in CONTRACTS:
        n = [0, 1, 2, 60, 240][which] if which < 5 else random.randrange(0, 30)
        return [30 * k for k in range(n + 1)], 30 * n + random.randrange(0, 30)
    if which < len(hard):
        return hard[which]
    x = random.choice([0, 0, 1, 1, 2, 3, 5, 9, 20])
    last = random.randrange(x, 60 * x + 1) if x else 0
    days = sorted(random.sample(range(1, last), x - 1)) if x > 1 else []
    return [0] + days + ([last] if x else []), last + random.choice([0, 3, 30, 100, 400, 1500])


def row(name, cls, unit, param, which, random):
    days, today = history(random, which, cls)
    whole = cls in PERIODS
    if cls in CONTRACTS:
        x = t_x = T = today // unit
    elif whole:  # period k is (unit (k - 1), unit k]; one that is not over does not count
        T = today // unit
        taken = sorted({-(-day // unit) for day in days[1:] if -(-day // unit) <= T})
        x, t_x = len(taken), taken[-1] if taken else 0
    else:
        x, t_x, T = len(days) - 1, mpf(days[-1]) / unit, mpf(today) / unit
    c = cls(param, x, t_x)
    quick = cls(param, x, t_x, fp) if issubclass(cls, Lifetime) else c  # for many integrals
    number = quick.context.mpf
    steps = whole or cls is Rfmtc  # horizons in whole units
    horizon = random.choice([1, 2, 3, 12, 60]) * unit if steps \
        else random.choice([1, 7, 30, 91, 365, 3650])
    level, limit = random.choice(LEVELS), random.choice(LEVELS)
    h = mpf(horizon) / unit
    per = number(1) if steps else number(1) / unit
    wait = first(lambda n: buys_alive(quick, number(T), n * per) >= number(level),
                 MOST // unit if steps else MOST)
    if wait is not None and whole:
        wait = (T + wait) * unit
    elif wait is not None:
        wait = today + wait * (unit if steps else 1)
    digits = lambda value: mp.nstr(value, 15, strip_zeros=False, min_fixed=-6, max_fixed=6)
    probabilities = [digits(buys(c, T, h)), digits(survives(c, T, h))]
    if cls in CONTRACTS:
        lapse = (T + 1) * unit
    elif whole:  # from the end of the period of the last purchase on, when all of them count
        taken = sorted({-(-day // unit) for day in days[1:]})
        t_x = taken[-1] if taken else 0
        c = cls(param, len(taken), t_x)
        lapse = first(lambda n: p_alive(c, t_x + n) < mpf(limit), MOST // unit)
        lapse = None if lapse is None else (t_x + lapse) * unit
    elif p_alive(c, t_x) < mpf(limit):
        lapse = days[-1]
    else:
        lapse = first(lambda n: p_alive(quick, number(t_x) + number(n) / unit) < number(limit), MOST)
        lapse = None if lapse is None else days[-1] + lapse
    text = lambda value: '' if value is None else str(value)
    return ';'.join([name, str(unit), ' '.join(k + ' ' + v for k, v in param.items()),
                     ' '.join(map(str, days)), str(today), str(horizon), level, limit] +
                    probabilities + [text(wait), text(lapse)])


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'customer_dates.csv')
    with open(path, 'w') as out:
        out.write('family;unit;parameters;days;today;horizon;level;p_alive;buys;active;next;lapse\n')
        for name, cls, unit, params in FAMILIES:
            rng = random.Random('customer dates of ' + name)
            for which in range(40):
                out.write(row(name, cls, unit, params[which % len(params)], which, rng) + '\n')
            print(name, flush=True)


if __name__ == '__main__':
    main()
