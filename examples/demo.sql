-- demo.sql - from orders to value and segments. Needs a table orders(customer_id, ordered_at, amount).
-- make demo runs it in a private server; it runs as well in any empty database:
--     psql -f examples/shop.sql -f examples/demo.sql
-- What it shows of SQL is what it runs: \p prints a statement, \g runs it.

SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS clv;
RESET client_min_messages;
\set QUIET on
\timing off

\echo
\echo '=== 1. The orders ==='
SELECT count(*) AS orders, count(DISTINCT customer_id) AS customers, min(ordered_at)::date AS "from",
       max(ordered_at)::date AS "to", sum(amount) AS revenue
FROM orders;

\echo '=== 2. One history per customer: an aggregate over the orders ==='
CREATE TABLE customer AS
  SELECT customer_id, clv_history(ordered_at, amount) AS history
  FROM orders WHERE customer_id IS NOT NULL GROUP BY customer_id
\p
\timing on
\g
\timing off

\echo
\echo '=== 3. One model: an aggregate over the histories ==='
CREATE TABLE model AS SELECT clv_fit(history) AS model FROM customer
\p
\timing on
\g
\timing off
\echo
SELECT p.process, p.name, round(p.estimate::numeric, 4) AS estimate, round(p.std_error::numeric, 4) AS std_error,
       round(p.lower::numeric, 4) AS lower, round(p.upper::numeric, 4) AS upper
FROM model, clv_parameters(model) p;
SELECT d.customers, d.spend_customers, round(d.log_likelihood::numeric, 2) AS log_likelihood,
       round(d.spend_log_likelihood::numeric, 2) AS spend_log_likelihood, d.iterations, d.converged, d.as_of,
       d.time_unit
FROM model, clv_diagnostics(model) d;

\echo '=== 4. Everything about every customer: values, scores, prediction, segment ==='
CREATE TABLE result AS
  SELECT c.customer_id, v AS rfmtc, p AS prediction, rfmtc_score(c.history, m.model) OVER () AS scores,
         clv_total_spend(c.history) AS revenue
  FROM customer c, model m,
       rfmtc(c.history, (clv_diagnostics(m.model)).as_of, m.model) v,
       clv_predict(m.model, c.history, horizon => '1 year', discount_rate => 0.10) p
\p
\timing on
\g
\timing off

\echo
\echo 'Recency, frequency, monetary value, tenure, churn; and the scores, 1 (worst) to 5 (best):'
SELECT customer_id, round((rfmtc).recency::numeric) AS recency, (rfmtc).frequency,
       round((rfmtc).monetary::numeric, 2) AS monetary,
       round((rfmtc).tenure::numeric) AS tenure, round((rfmtc).churn::numeric, 3) AS churn,
       (scores).r, (scores).f, (scores).m, (scores).t, (scores).c, (scores).v
FROM result ORDER BY md5(customer_id::text) LIMIT 10;

\echo 'The twenty most valuable customers of the coming year, money discounted by 10 % a year:'
SELECT customer_id, (rfmtc).frequency AS bought, revenue AS spent, round((prediction).p_alive::numeric, 3) AS p_alive,
       round((prediction).expected_purchases::numeric, 2) AS will_buy,
       round((prediction).expected_spend::numeric, 2) AS each_time, round((prediction).clv::numeric, 2) AS clv,
       segment_assign(scores, 'rfm') AS segment
FROM result ORDER BY (prediction).clv DESC NULLS LAST, customer_id LIMIT 20;

\echo 'The segments: what they brought, and what they will bring:'
SELECT segment_assign(scores, 'rfm') AS segment, count(*) AS customers, sum(revenue) AS past_revenue,
       round(sum((prediction).expected_purchases)::numeric) AS expected_purchases,
       round(sum((prediction).clv)::numeric) AS expected_value,
       round((100 * sum((prediction).clv) / sum(sum((prediction).clv)) OVER ())::numeric, 1) AS percent
FROM result GROUP BY 1 ORDER BY sum((prediction).clv) DESC NULLS LAST;

\echo '=== 5. Can it be believed? Fit on the first half, predict the second, look what happened ==='
SELECT min(ordered_at)::date + (max(ordered_at)::date - min(ordered_at)::date) / 2 AS middle,
       max(ordered_at)::date AS last
FROM orders \gset
\echo 'Model as of' :middle', prediction until' :last':'
WITH early AS
(
  SELECT clv_fit(history, clv_options(as_of => :'middle')) AS model FROM customer
),
half AS
(
  SELECT clv_purchases(c.history, :'middle') - 1 AS before,
         clv_expected_purchases(e.model, c.history, make_interval(days => date :'last' - date :'middle')) AS predicted,
         clv_purchases_between(c.history, :'middle', :'last') AS actual
  FROM customer c, early e
  WHERE clv_purchases(c.history, :'middle') > 0
)
SELECT CASE WHEN before < 7 THEN before::text
            WHEN before >= 7 THEN '7 and more' ELSE 'all' END AS "repeat purchases before",
       count(*) AS customers, round(sum(predicted)::numeric, 1) AS "predicted after", sum(actual) AS "actual after",
       round(avg(predicted)::numeric, 3) AS "predicted each", round(avg(actual), 3) AS "actual each"
FROM (SELECT least(before, 7) AS before, predicted, actual FROM half) h
GROUP BY ROLLUP (before) ORDER BY before;

\echo '=== What next ==='
\echo 'Your own orders:      make demo DATA=orders.csv     (a header with customer_id, date, amount)'
\echo 'In your own database: make && sudo make install, then CREATE EXTENSION clv;'
\echo 'The four statements, each function by example, and when to trust the numbers: README.md'
