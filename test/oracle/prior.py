#!/usr/bin/env python3
"""Maxima a posteriori of small data, written to prior.csv beside this file; sql/fit_prior.sql has the data too.

The search is over the unit-free quantities themselves, with parameters in closed form from them, by Newton's method
on differences in 30 digits; the likelihoods are those of the papers.
"""
import os
from mpmath import mp, mpf, beta, exp, hyp2f1, inverse, log, loggamma, lu_solve, matrix

mp.dps = 30
YEAR = mpf('365.25') / 7
H = mpf(10) ** -8


def customers():
    """x, t_x, T in weeks and the mean spend, as the test has them."""
    for i in range(20):
        x = (i * i * 7 % 11) % 5
        T = 20 + i * 5 % 30
        t_x = 0 if x == 0 else (4 * T * ((i * 13) % 17 + 1) // 18) / mpf(4)
        yield x, mpf(t_x), mpf(T), mpf(10 + (i * 31 % 23) * mpf('1.5'))


def donors():
    """x, t_x, T in whole periods."""
    for i in range(20):
        T = 6 + i % 4
        t_x = i * 13 % (T + 1)
        yield min((i * i * 7 % 11) % 5 + 1, t_x), t_x, T


def ln_beta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def buys(r, alpha, x, t):
    """ln of the density of x purchases of a customer who is there until t, t_x or T."""
    return loggamma(r + x) - loggamma(r) + r * log(alpha) - (r + x) * log(alpha + t)


def bg(p, modified):
    r, alpha, a, b = p
    total = 0
    for x, t_x, T, _ in customers():
        more = 1 if modified else 0
        alive = exp(ln_beta(a, b + x + more) - ln_beta(a, b) + buys(r, alpha, x, T))
        gone = 0
        if x > 0 or modified:
            gone = exp(ln_beta(a + 1, b + x - 1 + more) - ln_beta(a, b) + buys(r, alpha, x, t_x))
        total += log(alive + gone)
    return total


def pareto(p):
    """Fader & Hardie 2005, equation 24."""
    r, alpha, s, b = p
    total = 0
    for x, t_x, T, _ in customers():
        n = r + s + x
        parameter = s + 1 if alpha >= b else r + x
        largest = max(alpha, b)
        def term(t):
            return hyp2f1(n, parameter, n + 1, abs(alpha - b) / (largest + t)) / (largest + t) ** n
        front = exp(loggamma(r + x) - loggamma(r) + r * log(alpha) + s * log(b))
        total += log(front * (1 / ((alpha + T) ** (r + x) * (b + T) ** s) + s / n * (term(t_x) - term(T))))
    return total


def bgbb(p):
    a, b, c, d = p
    total = 0
    for x, t_x, T in donors():
        whole = beta(a + x, b + T - x) / beta(a, b) * beta(c, d + T) / beta(c, d)
        for i in range(T - t_x):
            whole += beta(a + x, b + t_x - x + i) / beta(a, b) * beta(c + 1, d + t_x + i) / beta(c, d)
        total += log(whole)
    return total


def sbg(p):
    a, b = p
    total = 0
    for _, t_x, T in donors():
        total += log((beta(a, b + T) if t_x == T else beta(a + 1, b + t_x)) / beta(a, b))
    return total


def spend(p):
    a, q, g = p
    total = 0
    for x, _, _, m in customers():
        if x > 0:
            total += (-ln_beta(a * x, q) - log(m) + q * log(g / (g + x * m)) + a * x * log(x * m / (g + x * m)))
    return total


def split(logit, ln_sum):
    share = 1 / (1 + exp(-logit))
    return exp(ln_sum) * share, exp(ln_sum) * (1 - share)


def from_bg(u):
    return (exp(u[0]), exp(u[0] - u[1]) * YEAR) + split(u[2], u[3])


def from_pareto(u):
    return exp(u[0]), exp(u[0] - u[1]) * YEAR, exp(u[2]), exp(u[2] - u[3]) * YEAR


def from_spend(u):
    q = exp(u[1])
    return exp(u[0]), q, exp(u[2] - u[0]) * (q - 1)


FOUR = ([-0.3, 1.2, -0.9, 0.8], [0.4, 0.3, 0.5, 0.6], [[1], [.3, 1], [0, -.2, 1], [.1, 0, -.4, 1]])
FAMILIES = {
    'bg/nbd': (lambda p: bg(p, False), from_bg, FOUR),
    'mbg/nbd': (lambda p: bg(p, True), from_bg, FOUR),
    'pareto/nbd': (pareto, from_pareto, ([-0.3, 1.2, -0.4, -0.2], FOUR[1], FOUR[2])),
    'bg/bb': (bgbb, lambda u: split(u[0], u[1]) + split(u[2], u[3]), ([0.2, 0.9, -1.5, 1.1], FOUR[1], FOUR[2])),
    'sbg': (sbg, lambda u: split(u[0], u[1]), ([-1.2, 0.7], [0.3, 0.4], [[1], [-.3, 1]])),
    'gamma/gamma': (spend, from_spend, ([1.4, 1.1, 3.2], [0.3, 0.4, 0.2], [[1], [.2, 1], [0, -.5, 1]])),
}


def moved(u, *moves):
    """The point after steps of H in some coordinates."""
    to = [x for x in u]
    for i, sign in moves:
        to[i] += sign * H
    return to


def climb(height, start):
    """The maximum of a function by Newton's method."""
    n = len(start)
    u = matrix(start)
    for _ in range(30):
        at = height(*u)
        gradient, hessian = matrix(n, 1), matrix(n, n)
        for i in range(n):
            up, down = height(*moved(u, (i, 1))), height(*moved(u, (i, -1)))
            gradient[i] = (up - down) / (2 * H)
            hessian[i, i] = (up - 2 * at + down) / H ** 2
            for j in range(i):
                both = [height(*moved(u, (i, a), (j, b))) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
                hessian[i, j] = hessian[j, i] = (both[0] - both[1] - both[2] + both[3]) / (4 * H ** 2)
        step = lu_solve(hessian, gradient)
        u -= step
        if max(abs(s) for s in step) < mpf(10) ** -13:
            return u
    raise ValueError('no maximum')


def maximum(ln_likelihood, parameters, prior):
    mean, sd, correlation = prior
    n = len(mean)
    covariance = matrix(n, n)
    for i in range(n):
        for j in range(i + 1):
            covariance[i, j] = covariance[j, i] = mpf(str(correlation[i][j])) * mpf(str(sd[i])) * mpf(str(sd[j]))
    precision = inverse(covariance)
    mean = matrix([mpf(str(m)) for m in mean])

    def distance(u):
        off = matrix(u) - mean
        return (off.T * precision * off)[0]

    u = climb(lambda *u: ln_likelihood(parameters(u)) - distance(u) / 2, list(mean))
    return parameters(u), ln_likelihood(parameters(u)), mp.sqrt(distance(u))


if __name__ == '__main__':
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'prior.csv'), 'w') as out:
        out.write('family,quantity,value\n')
        for family, (ln_likelihood, parameters, prior) in FAMILIES.items():
            values, likelihood, distance = maximum(ln_likelihood, parameters, prior)
            for i, value in enumerate(values):
                out.write(f'{family},{i + 1},{mp.nstr(value, 15)}\n')
            out.write(f'{family},distance,{mp.nstr(distance, 15)}\n')
            print(family, [mp.nstr(v, 12) for v in values], mp.nstr(likelihood, 12), mp.nstr(distance, 12))
