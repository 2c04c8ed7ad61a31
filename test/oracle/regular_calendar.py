#!/usr/bin/env python3
"""Regular buyers by a calendar: reference values for mbg/cnbd-k, from the days of purchases on.

Prints the cases of sql/fit_regular_calendar.sql: ln L of the days of purchases, P(alive) and the expected purchases of
the days after T. A customer's clock is summed day by day, A(d) = exp(effect z(week of d)) for the day from d to d + 1.
Given the rate lambda of events and the probability p of leaving after a purchase,

    ln L = sum over the times between purchases of ln [ A(t_j) lambda^k g^(k-1) e^(-lambda g) / (k-1)! ]
           + ln [ (1-p)^(x+1) P(fewer than k events since) + p (1-p)^x ],      g = B(t_j) - B(t_(j-1))

and lambda, of a gamma distribution, is integrated out by quadrature in 20 digits (the expected purchases given lambda
in doubles); of p only the moments of a beta distribution are needed. From T on events are Poisson by the clock, the
n-th purchase is the (n k - j)-th of them at stage j, and is made by those who have stayed n - 1 times. ln L is printed
as clv_log_likelihood() has it: without what it would have for times in days, (k - 1) ln of each, and without ln (k-1)!.
"""
import math

import mpmath as mp

mp.mp.dps = 20
WEEKS = [int(z) for z in '0011001000111100011000011100001000001111']
CASES = [
    # k, r, alpha, a, b, effect, days of purchases, T
    (2, '0.8', '6', '0.9', '1.6', '0.7', [3, 17, 45], 100),
    (3, '0.8', '6', '0.9', '1.6', '0.7', [7], 100),
    (2, '0.8', '6', '0.9', '1.6', '-0.5', [2, 9, 30, 99], 100),
    (4, '1.5', '2', '0.4', '2.5', '0.7', [0] + list(range(1, 90, 2)), 100),
    (8, '2', '1.5', '0.6', '3', '0.4', [5, 12, 19, 26, 34, 40], 140),
    (2, '0.8', '6', '0.9', '1.6', '3.5', [3, 12, 31, 60, 77, 104], 105),
    (3, '0.8', '6', '0.9', '1.6', '-4', [3, 10, 22, 23, 85], 127),
    (2, '0.8', '0.12', '0.9', '1.6', '0.8', [0, 1, 2, 4, 5, 9], 60),
    (2, '0.8', '300', '0.9', '0.016', '0.8', [20, 21], 150),
    (1, '0.5', '15', '0.8', '2.4', '0.7', [3, 17, 45], 100),
]
HORIZONS = [3, 30, 126]


def a_of(effect, day):
    return mp.e ** (mp.mpf(effect) * WEEKS[day // 7])


def clock(effect, since, until):
    """B from a day to another, in weeks."""
    return sum((a_of(effect, d) for d in range(since, until)), mp.mpf(0)) / 7


def moment(a, b, leaves, stays):
    """E[p^leaves (1-p)^stays]"""
    return mp.beta(a + leaves, b + stays) / mp.beta(a, b)


def integral(f, shape, rate):
    """The integral over lambda, in panels about the mean of a gamma distribution."""
    mean = shape / rate
    far = mean + (60 + 12 * mp.sqrt(shape)) / rate  # beyond it are less than 1e-20
    return mp.quad(f, [0, mean / 16, mean / 2, mean, mean + (far - mean) / 8, mean + (far - mean) / 3, far])


def fewer(k, mass):
    """P(fewer than k events), and that of each number of them."""
    return [mp.e ** -mass * mass ** j / mp.factorial(j) for j in range(k)]


def case(k, r, alpha, a, b, effect, days, T):
    r, alpha, a, b = map(mp.mpf, (r, alpha, a, b))
    x = len(days) - 1
    last = clock(effect, days[0], days[-1])
    silent = clock(effect, days[-1], T)
    shape = r + k * x
    rate = alpha + last

    def density(lam):  # of the rates given all purchases: its integral is 1, as the quadrature's errors are absolute
        return rate ** shape / mp.gamma(shape) * lam ** (shape - 1) * mp.e ** (-rate * lam)

    stays = moment(a, b, 0, x + 1) * integral(lambda lam: density(lam) * mp.fsum(fewer(k, lam * silent)), shape, rate)
    leaves = moment(a, b, 1, x) * integral(density, shape, rate)
    ln = mp.log(stays + leaves) + mp.log(alpha ** r / mp.gamma(r) * mp.gamma(shape) / rate ** shape)
    for one, other in zip(days, days[1:]):
        ln += mp.mpf(effect) * WEEKS[other // 7]
        ln += (k - 1) * (mp.log(clock(effect, one, other)) - mp.log(mp.mpf(other - one) / 7))
    alive = stays / (stays + leaves)

    def expected(ahead):
        ahead = float(ahead)
        made = [0.0]  # of so many n-th purchases of those who stay

        def at(lam):  # in doubles, as the sums are long; all is positive
            mass = float(lam) * ahead
            weights = [float(w) for w in fewer(k, lam * silent)]
            events, p, total = 0, math.exp(-mass), 0.0
            if mass > 700:
                return mp.mpf(0)  # where none of these cases has customers
            while p > 1e-18 or events < mass:
                for j, weight in enumerate(weights):
                    n = (events + j) // k
                    while len(made) <= n:
                        made.append(made[-1] + float(moment(a, b + x + 1, 0, len(made) - 1)))
                    total += weight * p * made[n]
                events += 1
                p *= mass / events
            return density(lam) * total
        return moment(a, b, 0, x + 1) * integral(at, shape, rate) / (stays + leaves)

    return [ln, alive] + [expected(clock(effect, T, T + h)) for h in HORIZONS]


if __name__ == '__main__':
    for one in CASES:
        print('\t(%d, %s, %s, %s, %s, %s, \'{%s}\', %d, %s),' % (
            *one[:6], ','.join(map(str, one[6])), one[7], ', '.join(mp.nstr(v, 16) for v in case(*one))), flush=True)
