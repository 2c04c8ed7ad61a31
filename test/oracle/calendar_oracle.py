#!/usr/bin/env python3
"""Reference values of customers whose rates follow a calendar, written to calendar.csv beside this file.

A calendar is a number of steps of one time unit; the first one has a length of its own, the last one
has no end. Each step has two covariates, whole numbers that are written one digit a step. Purchases come
at exp(gp'z) times a customer's rate, leaving at exp(gl'z) times their hazard.

pareto/nbd and ggompertz/nbd: one customer buys at a rate lambda A(u) until they leave, at a hazard of
mu C(u), or eta b e^(bu) C(u); lambda, and mu or eta, are integrated over their gamma distributions, the
time of leaving in calendar time.
pareto/nbd/cor is four of pareto/nbd, as in paretonbdcor.py: every expectation is a sum of theirs, three of whose
weights may be negative. Its likelihood and P(alive) are done again from the individual, as double sums over lambda and
mu, within whose steps of the calendar the integral over the time of leaving is elementary; the script fails where the
two ways differ by more than 1e-9.
The others: events come at a rate lambda A(u), and what follows is that of mbgcnbd.py on B, but for money,
which is discounted by calendar time. Integrals are Gauss-Legendre in 30 digits, of functions of size 1:
mpmath ends at an absolute error.
"""
import math
import os
import random
from multiprocessing import Pool
from mpmath import mp, mpf, beta, exp, expm1, gamma, inf, log, loggamma, quad, rf
from mbgcnbd import Future, stages
from paretonbdcor import limits, nodes


class Calendar:
    """Both clocks, from any day on."""

    def __init__(self, phase, z, gp, gl, growth=None):
        self.growth = growth  # b of a hazard that grows as e^(bu)
        self.start = [mpf(0)] + [mpf(phase) + i for i in range(len(z) - 1)]
        self.A = [exp(gp[0] * a + gp[1] * b) for a, b in z]
        self.C = [exp(gl[0] * a + gl[1] * b) for a, b in z]

    def at(self, t):
        return max(i for i, s in enumerate(self.start) if s <= t)

    def clock(self, speed, t, length):
        end = self.start[1:] + [inf]
        return sum(v * length(s, min(t, e)) for v, s, e in zip(speed, self.start, end) if s < t)

    def B(self, t):
        return self.clock(self.A, t, lambda s, e: e - s)

    def age(self, s, e):
        """by which D moves on from s to e, where C is 1"""
        return exp(self.growth * s) * expm1(self.growth * (e - s)) if self.growth else e - s

    def D(self, t):
        return self.clock(self.C, t, self.age)

    def integral(self, f, since, until, widest):
        """of f(u, A, C, B, D); panels end with steps, and are no longer than widest(u, A, C, B, D)."""
        total = mpf(0)
        u = mpf(since)
        while u < until:
            i = self.at(u)
            A, C, B0, D0 = self.A[i], self.C[i], self.B(u), self.D(u)
            end = min(until, u + widest(u, A, C, B0, D0), *(s for s in self.start if s > u), inf)
            low = u

            def g(v):
                return f(v, A, C, B0 + A * (v - low), D0 + C * self.age(low, v))
            size = g((low + end) / 2)
            if size:
                total += size * quad(lambda v: g(v) / size, [low, end], method='gauss-legendre',
                                     maxdegree=5)
            u = end
            if until == inf and i + 1 == len(self.start) and u > self.start[-1] and self.tiny(f, u, total):
                break
        return total

    def tiny(self, f, u, total):
        i = len(self.start) - 1
        return abs(f(u, self.A[i], self.C[i], self.B(u), self.D(u)) * 1000) < mpf(10) ** -24 * abs(total)


# ---- leaving takes time ----

class Lifetime:
    def __init__(self, family, p):
        self.gompertz = family == 'ggompertz/nbd'
        self.r, self.alpha = p[:2]
        self.b, self.s, self.beta = p[2:] if self.gompertz else (None, p[2], p[3])

    def survival(self, D):
        return (self.beta / (self.beta + D)) ** self.s

    def hazard(self, u, C, D):
        return self.s * C / (self.beta + D) * (self.b * exp(self.b * u) if self.gompertz else 1)

    def widest(self, power):
        def width(u, A, C, B, D):
            most = (self.alpha + B) / A * min(1, 20 / mpf(power))
            if self.gompertz:
                left = (self.beta + D) * exp(-self.b * u) / C
                reach = (-log(1 - left) if left < 1 else mpf(2)) / self.b
            else:
                reach = (self.beta + D) / C
            return min(most, reach, 10 / self.hazard(u, C, D))
        return width

    def parts(self, cal, x, t_x, T, t, n, delta):
        """The two summands of the likelihood; what is expected given the first; and of a newcomer."""
        r, alpha, S, R = self.r, self.alpha, self.survival, self.r + x
        common = exp(loggamma(R) - loggamma(r)) * alpha ** r
        alive = (alpha + cal.B(T)) ** -R * S(cal.D(T))
        dead = cal.integral(lambda u, A, C, B, D: (alpha + B) ** -R * self.hazard(u, C, D) * S(D), t_x, T,
                            self.widest(R + 1))
        BT, ST = cal.B(T), S(cal.D(T))

        def bought(R, rate, since, until, BT, ST, delta):
            return R / rate * cal.integral(lambda u, A, C, B, D: A * exp(-delta * (u - since)) * S(D) / ST,
                                           since, until, self.discounting(delta))

        def counted(R, rate, since, until, BT, ST):
            ways = exp(loggamma(R + n) - loggamma(R) - loggamma(n + 1))

            def nb(b):
                return ways * (rate / (rate + b)) ** R * ((b / (rate + b)) ** n if n else 1)

            def f(u, A, C, B, D):
                return nb(B - BT) * self.hazard(u, C, D) * S(D) / ST

            def width(u, A, C, B, D):
                b = B - BT
                return min(self.widest(1)(u, A, C, B, D), (rate + b) / A * min(1, 20 / (R + n)),
                           (b if b > rate / 1000 else rate / 1000) / A * min(1, 20 / mpf(n + 1)))
            return nb(cal.B(until) - BT) * S(cal.D(until)) / ST + cal.integral(f, since, until, width)
        return common * alive, common * dead, [
            bought(R, alpha + BT, T, T + t, BT, ST, 0), bought(R, alpha + BT, T, T + t, BT, ST, delta),
            bought(R, alpha + BT, T, inf, BT, ST, delta), counted(R, alpha + BT, T, T + t, BT, ST)], [
            bought(r, alpha, mpf(0), t, 0, 1, 0), counted(r, alpha, mpf(0), t, 0, 1), S(cal.D(t))]

    def row(self, *args):
        return answers([(1, self.parts(*args))], args[5])

    def discounting(self, delta):
        def width(u, A, C, B, D):
            return min(self.widest(1)(u, A, C, B, D), 10 / delta if delta else inf)
        return width


def answers(mixture, n):
    """The columns of a row from the weights of some laws, and the parts of each."""
    alive = sum(w * part[0] for w, part in mixture)
    likelihood = alive + sum(w * part[1] for w, part in mixture)
    known = [sum(w * part[0] * part[2][i] for w, part in mixture) / likelihood for i in range(4)]
    fresh = [sum(w * part[3][i] for w, part in mixture) for i in range(3)]
    if n == 0:
        known[3] += 1 - alive / likelihood
    return [log(likelihood), log(alive / likelihood), *known, *fresh]


# ---- rates that depend on each other ----

class Correlated:
    def __init__(self, p):
        self.p = p

    def row(self, cal, x, t_x, T, t, n, delta):
        r, alpha, s, beta, m = self.p
        c, d = (alpha / (alpha + 1)) ** r, (beta / (beta + 1)) ** s
        w = m * c * d
        four = [(1 + w, alpha, beta), (w, alpha + 1, beta + 1), (-w, alpha + 1, beta), (-w, alpha, beta + 1)]
        row = answers([(weight, Lifetime('pareto/nbd', (r, a, s, b)).parts(cal, x, t_x, T, t, n, delta))
                       for weight, a, b in four], n)
        again = self.individuals(cal, x, t_x, T, float(c), float(d))
        for one, other in zip(row, again):
            if not abs(one - other) < 1e-9 * max(1, abs(other)):
                raise ArithmeticError('%s is %s, and again %s' % (self.p, one, other))
        return row

    def individuals(self, cal, x, t_x, T, c, d):
        r, alpha, s, beta, m = (float(v) for v in self.p)
        ends = [t_x, *(u for u in cal.start if t_x < u < T), T]
        steps = [(float(cal.A[cal.at(u)]), float(cal.C[cal.at(u)]), float(cal.B(u)), float(cal.D(u)), float(v - u))
                 for u, v in zip(ends, ends[1:]) if v > u]
        BT, DT = float(cal.B(T)), float(cal.D(T))
        bought = nodes(r, alpha, x)
        left = nodes(s, beta, 0)
        alive, dead = [], []
        for rate, ln_f in bought:
            for hazard, ln_g in left:
                weight = ln_f + ln_g + x * math.log(rate)
                factor = 1 + m * (math.exp(-rate) - c) * (math.exp(-hazard) - d)
                alive.append(factor * math.exp(weight - rate * BT - hazard * DT))
                for A, C, B, D, length in steps:
                    both = rate * A + hazard * C
                    dead.append(factor * hazard * C * math.exp(weight - rate * B - hazard * D)
                                * -math.expm1(-both * length) / both)
        alive, dead = math.fsum(alive), math.fsum(dead)
        return math.log(alive + dead), math.log(alive / (alive + dead))


# ---- leaving after purchases ----

def one_clock_row(family, p, cal, x, t_x, T, t, n, delta):
    k, r, alpha, a, b = (int(p[0]), *p[1:]) if family == 'mbg/cnbd-k' else (1, *p)
    first = 0 if family == 'bg/nbd' else 1
    bx, bT = cal.B(t_x), cal.B(T)
    R = r + k * x
    _, no_purchase = stages(k, R, alpha + bT, bT - bx)
    m = x + first
    common = exp(loggamma(R) - loggamma(r)) * alpha ** r
    alive = beta(a, b + m) / beta(a, b) * (alpha + bT) ** -R * no_purchase
    dead = beta(a + 1, b + m - 1) / beta(a, b) * (alpha + bx) ** -R if m else mpf(0)
    p_alive = alive / (alive + dead)
    known = Future(k, R, alpha + bT, a, b + m, bT - bx)
    fresh = Future(k, r, alpha, a, b + first, mpf(0))
    stays = b / (a + b) if first else mpf(1)

    def money(who, since, until):
        B0 = cal.B(since)

        def width(u, A, C, B, D):
            return min((who.alpha + B - B0) / A * min(1, 20 / (who.R + k)), 10 / delta)
        return cal.integral(lambda u, A, C, B, D: A * exp(-delta * (u - since)) * who.rate(B - B0),
                            since, until, width)
    later = cal.B(T + t) - bT
    return [log(common * (alive + dead)), log(p_alive), p_alive * known.expected(later),
            p_alive * money(known, T, T + t), mpf('nan'),
            p_alive * known.probability(n, later) + (1 - p_alive if n == 0 else 0),
            stays * fresh.expected(cal.B(t)),
            stays * fresh.probability(n, cal.B(t)) + (1 - stays if n == 0 else 0), mpf('nan')]


# ---- the rows ----

TYPICAL = {'pareto/nbd': (0.5, 15, 0.5, 10), 'ggompertz/nbd': (0.6, 12, 0.03, 0.7, 0.4), 'bg/nbd': (0.4, 6, 0.9, 2.5),
           'mbg/nbd': (0.5, 6, 0.8, 2.4), 'mbg/cnbd-k': (2, 0.8, 6, 0.9, 1.6), 'pareto/nbd/cor': (0.5, 15, 0.5, 10)}


def digits(chance, n, most, share):
    return ''.join(str(chance.randint(1, most) if chance.random() < share else 0) for _ in range(n))


def cases(family):
    chance = random.Random(family)
    p = TYPICAL[family]
    quiet = [('x0', 0, 0, 20.5), ('x2', 2, 6, 13.25), ('tx=T', 3, 14, 14), ('T0', 0, 0, 0), ('many', 45, 12.5, 14.25),
             ('long', 5, 3.5, 38), ('one step', 1, 0.25, 0.5), ('boundary', 2, 7, 15)]
    for i, (tag, x, t_x, T) in enumerate(quiet):
        z = digits(chance, 40, 1, 0.45), digits(chance, 40, 2, 0.3)
        yield (tag, p, (1, 0.5, 0.3)[i % 3], *z, (0.7, -0.2), (0.3, 0.4), x, t_x, T, (0.4, 4, 18, 26)[i % 4], i % 4,
               0.002)
    for i in range(20):
        q = [float('%.3g' % (v * 10 ** chance.uniform(-0.5, 0.5))) for v in p]
        if family == 'mbg/cnbd-k':
            q[0] = 1 + i % 4
        T = round(chance.uniform(0.5, 30), 2)
        x = chance.choice([0, 1, 1, 2, 4, 9])
        z = digits(chance, 36, 2, 0.5), digits(chance, 36, 3, 0.2)
        yield ('random', q, round(chance.uniform(0.1, 1), 2), *z, [round(chance.uniform(-1, 1), 2) for _ in 'ab'],
               [round(chance.uniform(-1, 1), 2) for _ in 'ab'], x, round(chance.uniform(0, T), 2) if x else 0, T,
               round(chance.uniform(0.3, 25), 2), chance.choice([0, 0, 1, 2, 5]), chance.choice([0.002, 0.02, 0.2]))
    z = digits(chance, 30, 1, 0.3), '0' * 30
    for tag, gp, gl in (('wild', (3.5, 0), (-2.5, 0)), ('still', (-4, 0), (3, 0)), ('no effects', (0, 0), (0, 0)),
                        ('churn alone', (0, 0), (1.5, 0))):
        yield (tag, p, 1, *z, gp, gl, 3, 8.5, 17, 12, 2, 0.01)
        yield (tag, p, 1, *z, gp, gl, 0, 0, 11.25, 20, 0, 0.01)
    scale = 2 if family == 'mbg/cnbd-k' else 1
    for factor in (0.02, 50):
        q = list(p)
        q[scale] *= factor
        yield ('extreme', q, 1, *z, (0.8, 0), (0.5, 0), 6, 9.5, 16, 9, 3, 0.01)
    q = list(p)
    q[-1] *= 0.01
    yield ('extreme', q, 1, *z, (0.8, 0), (0.5, 0), 2, 9.5, 16, 9, 1, 0.01)
    yield ('later', p, 1, '1', '0', (0.8, 0), (0.5, 0), 2, 9.5, 16, 30, 1, 0.05)


def correlated(number, p):
    """The parameters with a fifth, as far towards one of its limits as the number of the case says."""
    low, high = limits(*(mpf(v) for v in p))
    share = (0.6, -0.6, 0.95, -0.95, 0.1)[number % 5]
    return (*p, float('%.3g' % (share * high if share > 0 else -share * low)))


def text(v):
    return 'nan' if mp.isnan(v) else mp.nstr(v, 18)


def line(case):
    """A row of the table, of a family and one of its cases."""
    mp.dps = 30
    family, number, (tag, p, phase, z1, z2, gp, gl, x, t_x, T, t, n, delta) = case
    if family == 'pareto/nbd/cor':
        p = correlated(number, p)
    exact = [mpf(v) for v in p]
    cal = Calendar(phase, [(int(a), int(b)) for a, b in zip(z1, z2)], [mpf(g) for g in gp], [mpf(g) for g in gl],
                   exact[2] if family == 'ggompertz/nbd' else None)
    args = cal, x, mpf(t_x), mpf(T), mpf(t), n, mpf(delta)
    row = Lifetime(family, exact).row(*args) if family in ('pareto/nbd', 'ggompertz/nbd') \
        else Correlated(exact).row(*args) if family == 'pareto/nbd/cor' else one_clock_row(family, exact, *args)
    # z with an apostrophe: digits, and no number
    return ','.join([family, tag, *(repr(float(v)) for v in p), *([''] * (5 - len(p))), repr(float(phase)), "'" + z1,
                     "'" + z2, *(repr(float(g)) for g in (*gp, *gl)),
                     *(repr(float(v)) for v in (x, t_x, T, t, n, delta)), *(text(v) for v in row)]) + '\n'


def write(path):
    with open(path, 'w') as out, Pool() as pool:
        out.write('family,tag,p1,p2,p3,p4,p5,phase,z1,z2,gp1,gp2,gl1,gl2,x,t_x,T,t,n,delta,'
                  'loglik,ln_palive,cet,det_t,dert,cpmf,expect,pmf,survival\n')
        for row in pool.imap(line, [(family, i, case) for family in TYPICAL for i, case in enumerate(cases(family))]):
            out.write(row)
            out.flush()


if __name__ == '__main__':
    write(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'calendar.csv'))
