#!/usr/bin/env python3
"""Rows of clv_simulate, worked out without its code: Philox by its definition, logarithms by the C library.

Prints customer, day and amount of the first customers, as sql/simulate_customers.sql has them.
Published: Salmon et al. (2011) for the words, Marsaglia & Tsang (2000) for gamma numbers.
"""
import math
from datetime import date, timedelta

MASK = 0xFFFFFFFF


def philox(key, counter):
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (p1 >> 32) ^ b ^ k0, p1 & MASK, (p0 >> 32) ^ d ^ k1, p0 & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return a, b, c, d


class Random:
    def __init__(self, seed, subject, stream):
        self.words = self.generate((seed & MASK, seed >> 32), stream, (subject & MASK, subject >> 32))

    @staticmethod
    def generate(key, stream, subject):
        block = 0
        while True:
            w = philox(key, (block, stream) + subject)
            yield w[1] << 32 | w[0]
            yield w[3] << 32 | w[2]
            block += 1

    def uniform(self):
        return ((next(self.words) >> 11) + 0.5) / 2 ** 53

    def exponential(self):
        return -math.log(self.uniform())

    def normal(self):
        while True:
            x, y = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            s = x * x + y * y
            if s < 1:
                return x * math.sqrt(-2 * math.log(s) / s)

    def gamma(self, shape):
        boost = self.uniform() ** (1 / shape) if shape < 1 else 1
        d = (shape + 1 if shape < 1 else shape) - 1 / 3
        while True:
            x = self.normal()
            v = (1 + x / math.sqrt(9 * d)) ** 3
            if v > 0 and math.log(self.uniform()) < x * x / 2 + d - d * v + d * math.log(v):
                return boost * d * v

    def beta(self, a, b):
        x = self.gamma(a)
        return x / (x + self.gamma(b))


def customers(n, since, last):
    days = (last - since).days + 1
    return [(i + 1, since + timedelta(i * days // n)) for i in range(n)]


def mbgnbd(random, T, r=0.5248, alpha=6.183, a=0.8914, b=1.614):
    rate, p = random.gamma(r) / alpha, random.beta(a, b)
    if random.uniform() < p:
        return
    t = 0
    while True:
        t += random.exponential() / rate
        if t > T:
            return
        leaves = random.uniform() < p
        yield t
        if leaves:
            return


def paretonbd(random, T, r=0.553, alpha=10.58, s=0.606, beta=11.67):
    rate, hazard = random.gamma(r) / alpha, random.gamma(s) / beta
    end = min(T, random.exponential() / hazard)
    t = random.exponential() / rate
    while t <= end:
        yield t
        t += random.exponential() / rate


def main():
    since, until = date(2016, 1, 1), date(2017, 12, 31)
    for name, family in (('mbg/nbd', mbgnbd), ('pareto/nbd', paretonbd)):
        for customer, first in customers(6, since, since + (until - since) // 2):
            random, spend = Random(42, customer, 0), Random(42, customer, 1)
            nu = spend.gamma(3.74) / 15.44
            times = [0] + [math.ceil(7 * t) for t in family(random, (until - first).days / 7)]
            for t in times:
                print(name, customer, first + timedelta(t), round(spend.gamma(6.25) / nu, 2), sep=' | ')
    # donors: a period is a year, which ends on the anniversary
    for customer, first in customers(3, date(2000, 2, 1), date(2000, 2, 1)):
        random = Random(42, customer, 0)
        p, theta = random.beta(1.2, 0.75), random.beta(0.66, 2.78)
        print('bg/bb', customer, first, sep=' | ')
        for k in range(1, 8):
            begins, ends = (first.replace(year=2000 + k - 1) + timedelta(1), first.replace(year=2000 + k))
            if random.uniform() < theta:
                break
            if random.uniform() < p:
                day = begins + timedelta(int(random.uniform() * ((ends - begins).days + 1)))
                if day > date(2006, 12, 31):
                    break
                print('bg/bb', customer, day, sep=' | ')


main()
