#!/usr/bin/env python3
"""Reference values of clv_metrics by numpy and scipy, written to metrics.csv beside this file.

Each row has the pairs of a case, and what numpy and scipy say of them; the Gini coefficient as the
covariance with the ranks of the predictions over that with their own ranks, and the lift of the top
tenth by numpy's sort, of cases without ties among the predictions only.
"""
import os
import numpy
from scipy.stats import rankdata, spearmanr


def case(rng, name, n):
    actual = rng.poisson(rng.gamma(0.6, 3, n)).astype(float)
    predicted = numpy.round(actual * rng.uniform(0.2, 1.5, n) + rng.gamma(1, 1, n), 6)
    if name == 'ties':
        predicted = numpy.round(predicted)
    if name == 'money':
        actual = numpy.round(actual * rng.lognormal(3, 1, n) - 5, 2)
        predicted = numpy.round(predicted * 30, 2)
    if name == 'large':
        actual, predicted = actual * 1e150, predicted * 1e150
    return actual, predicted


def row(name, actual, predicted):
    n = len(actual)
    error = predicted - actual
    scale = numpy.abs(error).max()
    ranks, own = rankdata(predicted), rankdata(actual)
    unit = numpy.abs(actual).max()
    gini = numpy.cov(actual / unit, ranks)[0, 1] / numpy.cov(actual / unit, own)[0, 1]
    lift = ''
    if len(set(predicted)) == n and n % 10 == 0:
        top = numpy.argsort(-predicted)[:n // 10]
        lift = repr(float(actual[top].mean() / actual.mean()))
    array = lambda values: '{' + ','.join(repr(float(v)) for v in values) + '}'
    values = [error.mean(), numpy.abs(error).mean(),
              scale * numpy.sqrt(((error / scale) ** 2).mean()),
              predicted.sum() / actual.sum() - 1, spearmanr(predicted, actual)[0], gini]
    return ';'.join([name, array(actual), array(predicted)] +
                    [repr(float(v)) for v in values] + [lift])


def main():
    rng = numpy.random.default_rng(20260101)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'metrics.csv')
    with open(path, 'w') as out:
        out.write('name;actual;predicted;bias;mae;rmse;total_error;rank_correlation;gini;lift\n')
        for name, n in [('counts', 5), ('counts', 100), ('counts', 130), ('ties', 40), ('ties', 200),
                        ('money', 90), ('money', 150), ('large', 60)]:
            out.write(row(name, *case(rng, name, n)) + '\n')


if __name__ == '__main__':
    main()
