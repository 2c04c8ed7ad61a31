#!/usr/bin/env python3
"""The same in Python's lifetimes, where it is installed: from orders to customer lifetime value, in CPU seconds.

psql -c "COPY (SELECT customer_id, ordered_at::date, amount FROM orders) TO STDOUT CSV" >orders.csv
python3 bench/rivals.py orders.csv

One thread; bg/nbd and gamma/gamma, value of one year at 10 %, as in bench/lines/4_value.sql. Reading the file is left
out.
bench/run asks this of the orders at hand where python3 has lifetimes (PYTHONPATH may say where).
"""
import sys
import time

try:
    import pandas
    from lifetimes import BetaGeoFitter, GammaGammaFitter
    from lifetimes.utils import summary_data_from_transaction_data
except ImportError as missing:
    sys.exit(f"not here: {missing.name} (lifetimes 0.11.3 with pandas 1.5 was measured)")


def timed(what, work):
    began = time.process_time()
    result = work()
    took = time.process_time() - began
    print(f"{what:32s} {took:8.2f} s")
    timed.total += took
    return result


timed.total = 0.0
orders = pandas.read_csv(sys.argv[1], names=["customer", "day", "amount"], parse_dates=["day"])
summary = timed("summary", lambda: summary_data_from_transaction_data(
    orders, "customer", "day", monetary_value_col="amount", observation_period_end=orders["day"].max()))
timed.summary = timed.total
bgf = timed("fit bg/nbd", lambda: BetaGeoFitter().fit(summary["frequency"], summary["recency"], summary["T"]))
repeat = summary[(summary["frequency"] > 0) & (summary["monetary_value"] > 0)]
ggf = timed("fit gamma/gamma", lambda: GammaGammaFitter().fit(repeat["frequency"], repeat["monetary_value"]))
timed("customer lifetime value", lambda: ggf.customer_lifetime_value(
    bgf, summary["frequency"], summary["recency"], summary["T"], summary["monetary_value"],
    time=12, freq="D", discount_rate=1.10 ** (1 / 12) - 1))
print(f"{'histories to CLV':32s} {timed.total - timed.summary:8.2f} s for {len(summary)} customers")
print(f"{'orders to CLV':32s} {timed.total:8.2f} s for {len(orders)} orders")
