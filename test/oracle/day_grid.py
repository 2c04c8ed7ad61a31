#!/usr/bin/env python3
"""What the day grid does to a fit: shops at true times of continuous time, recorded by the day, fitted by psql.

day_grid.py FAMILY SHOPS CUSTOMERS, with PGHOST and PGPORT of a server with clv installed. Prints how far estimates and
the total of the half year after are off, and how often 95 % limits hold the truth, without and with half a day less for
each purchase. docs/models.md has the figures of 30 shops of 20,000 customers.
"""
import subprocess
import sys
import numpy as np

TRUTH = {
    'mbg/nbd': {'r': 0.5248, 'alpha': 6.183, 'a': 0.8914, 'b': 1.614},
    'bg/nbd': {'r': 0.243, 'alpha': 4.414, 'a': 0.793, 'b': 2.426},
    'pareto/nbd': {'r': 0.553, 'alpha': 10.58, 's': 0.606, 'beta': 11.67},
}
SEEN, END, ACQUIRED = 546, 730, 274
FAMILY, SHOPS, CUSTOMERS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
RANDOM = np.random.default_rng(7)


def days(rate, first, leaves, purchases):
    """The days after the first on which a customer buys; they leave at a time, or after so many purchases."""
    found, t = [], first
    while rate > 1e-9 and purchases > 0:
        t += RANDOM.exponential(1 / rate)
        if t >= min(leaves, END):
            break
        purchases -= 1
        if int(t) > (found[-1] if found else int(first)):
            found.append(int(t))
    return found


def customer():
    r, scale, a, b = TRUTH[FAMILY].values()
    rate = RANDOM.gamma(r) / (7 * scale)
    first = RANDOM.uniform(0, ACQUIRED)
    leaves, purchases = np.inf, np.inf
    if FAMILY == 'pareto/nbd':
        leaves = first + RANDOM.exponential() * 7 * b / RANDOM.gamma(a)
    else:
        purchases = RANDOM.geometric(max(RANDOM.beta(a, b), 1e-9)) - (FAMILY == 'mbg/nbd')
    found = days(rate, first, leaves, purchases)
    seen = [day for day in found if day < SEEN]
    return len(seen), seen[-1] - int(first) if seen else 0, SEEN - int(first) - 1, len(found) - len(seen)


def fits(rows):
    data = '\n'.join('%d,%d,%d' % row[:3] for row in rows)
    sql = f"""SET client_min_messages = error;
CREATE TEMP TABLE c (x int, t_x float8, t float8);
COPY c FROM stdin CSV;
{data}
\\.
SELECT half, (SELECT string_agg(concat_ws(' ', name, estimate, lower, upper), ';') FROM clv_parameters(m)),
    (SELECT sum(clv_expected_purchases(m, x, t_x / 7, t / 7, {(END - SEEN) / 7})) FROM c)
FROM (VALUES (0.0), (0.5)) v (half),
    LATERAL (SELECT clv_fit(x, (t_x - x * half) / 7, (t - x * half) / 7, NULL,
        clv_options(model => '{FAMILY}', spend => 'none')) AS m FROM c) f;"""
    out = subprocess.run(['psql', '-qXAt'], input=sql, capture_output=True, text=True, check=True).stdout
    return [line.split('|') for line in out.splitlines()]


found = {}
for _ in range(SHOPS):
    rows = [customer() for _ in range(CUSTOMERS)]
    for half, parameters, total in fits(rows):
        found.setdefault((half, 'total'), []).append((float(total) / sum(row[3] for row in rows) - 1, None))
        for name, *numbers in (p.split() for p in parameters.split(';')):
            truth = TRUTH[FAMILY][name]
            estimate, low, high = map(float, numbers)
            found.setdefault((half, name), []).append((estimate / truth - 1, low <= truth <= high))
for (half, name), values in sorted(found.items()):
    off = np.array([value[0] for value in values])
    held = '' if name == 'total' else 'limits hold it: %.2f' % np.mean([value[1] for value in values])
    print('half days %s  %-6s off by %+.4f +- %.4f  %s' % (half, name, off.mean(), off.std() / len(off) ** 0.5, held))
