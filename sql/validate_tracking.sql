-- Expected against actual repeat purchases by period: both counted in another way, from the orders; the calendar.
SET client_min_messages = warning;
CREATE SCHEMA validate_tracking;
SET search_path = validate_tracking, public;
SET datestyle = ISO;
CREATE FUNCTION pg_temp.same(a float8, b float8) RETURNS bool LANGUAGE sql
RETURN coalesce(abs(a - b) <= 1e-9 * greatest(1, abs(b)), false);
CREATE TABLE orders AS
SELECT c AS customer_id, date '2020-01-01' + c * 7907 % 360 + k * (9 + c * 31 % 71 + (c * k) % 5) AS day, 1 AS amount
FROM generate_series(1, 211) c, generate_series(0, 40) k
WHERE (k <= (c * 613 % 27) - 9 OR k = 0) AND c * 7907 % 360 + k * (9 + c * 31 % 71 + (c * k) % 5) <= 730;
-- refunds are no purchases
INSERT INTO orders SELECT customer_id, day + 2, -1 FROM orders WHERE customer_id % 10 = 0;
CREATE TABLE customer AS SELECT customer_id, clv_history(day, amount) AS history FROM orders GROUP BY customer_id;
INSERT INTO customer VALUES (0, NULL);
CREATE TABLE model AS
SELECT clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 1.6}', '1 week', '2020-09-30') AS model;

-- straight from the definition, customer by customer
CREATE FUNCTION expected_until(until date, as_of date) RETURNS float8 LANGUAGE sql AS
	'SELECT coalesce(sum(clv_expected_purchases(model, (until - first) / 7.0::float8)), 0)
	 FROM model, (SELECT min(day) AS first FROM validate_tracking.orders GROUP BY customer_id) c
	 WHERE first <= as_of AND first <= until';
CREATE FUNCTION actual_between(since date, until date, as_of date) RETURNS bigint LANGUAGE sql AS
	'
	SELECT count(DISTINCT (customer_id, day))
	FROM (SELECT customer_id, day, amount, min(day) OVER (PARTITION BY customer_id) AS first
		  FROM validate_tracking.orders) o
	 WHERE amount > 0 AND first <= as_of AND day > first AND day > since AND day <= until';

CREATE TABLE run AS
SELECT 'weeks' AS run, date '2020-09-30' AS day, t.* FROM model, clv_tracking('customer', 'history', model) t
UNION ALL SELECT 'months', '2020-09-30', t.*
FROM model, clv_tracking('customer', 'history', model, '1 month', since => '2020-01-31') t
UNION ALL SELECT 'everybody', '9999-12-31', t.*
FROM model, clv_tracking('customer', 'history', model, '30 days', as_of => '9999-12-31') t
UNION ALL SELECT 'early', '2020-03-31', t.*
FROM model, clv_tracking('customer', 'history', model, '2 months', '2019-06-30', '2020-11-15', '2020-03-31') t
UNION ALL SELECT 'a day', '2020-09-30', t.*
FROM model, clv_tracking('customer', 'history', model, '1 day', '2020-05-01', '2020-05-02') t;
SELECT run, count(*) AS periods, min(starts_after) = (SELECT min(day) FROM orders) AS from_first,
	   max(ends_on) = (SELECT max(day) FROM orders WHERE amount > 0) AS to_last,
	   count(*) FILTER (WHERE held_out) AS held_out, bool_and(held_out = (starts_after >= day)) AS marked
FROM run GROUP BY run ORDER BY run;
SELECT run, bool_and(joined) AS joined,
	   bool_and(pg_temp.same(expected, expected_until(ends_on, day) - expected_until(starts_after, day))) AS expected,
	   bool_and(actual = actual_between(starts_after, ends_on, day)) AS actual,
	   bool_and(pg_temp.same(expected_cumulative,
		   expected_until(ends_on, day) - expected_until(begin, day))) AS expected_cumulative,
	   bool_and(actual_cumulative = actual_between(begin, ends_on, day)) AS actual_cumulative,
	   bool_and(customers = (SELECT count(*) FROM (SELECT min(o.day) AS first FROM orders o GROUP BY customer_id) f
							 WHERE first <= least(ends_on, run.day))) AS customers
FROM (SELECT *, min(starts_after) OVER (PARTITION BY run) AS begin, number = row_number() OVER w
			 AND starts_after = lag(ends_on, 1, starts_after) OVER w AS joined
	  FROM run WINDOW w AS (PARTITION BY run ORDER BY number)) run GROUP BY run ORDER BY run;
-- months end where the calendar says; the last period is cut
SELECT starts_after, ends_on FROM run WHERE run = 'months' AND number IN (1, 2, 3, 13) ORDER BY 1;
SELECT starts_after, ends_on FROM run WHERE run = 'early' AND number >= 7 ORDER BY 1;
-- within the fitted period expected is near actual
SELECT abs(sum(expected) / sum(actual) - 1) < 0.1 AS near
FROM (SELECT clv_fit(history, clv_options(as_of => '2021-12-30', spend => 'none')) AS m FROM customer) q,
	 clv_tracking('customer', 'history', m);

-- covariates: the halves of the customers have models of their own, which add up
CREATE TABLE halves AS SELECT history, ARRAY[customer_id % 2] AS z FROM customer;
CREATE VIEW even AS SELECT history FROM customer WHERE customer_id % 2 = 0;
CREATE VIEW odd AS SELECT history FROM customer WHERE customer_id % 2 = 1;
CREATE TABLE moved AS
SELECT clv_model('pareto/nbd', '{"r": 0.5, "alpha": 6, "s": 0.9, "beta": 8}', '1 week', '2020-09-30',
	'[{"name": "odd", "purchase": 0.7, "churn": -0.4}]') AS model;
SELECT count(*) AS periods, bool_and(t.customers = e.customers + o.customers) AS customers,
	   bool_and(pg_temp.same(t.expected, e.expected + o.expected)) AS expected,
	   bool_and(t.actual = e.actual + o.actual) AS actual
FROM moved, clv_tracking('halves', 'history', model, '1 month', '2019-12-31', '2021-12-31', covariates => 'z') t
LEFT JOIN LATERAL clv_tracking('even', 'history', clv_with_covariates(model, '{0}'), '1 month', '2019-12-31',
	'2021-12-31') e USING (number)
LEFT JOIN LATERAL clv_tracking('odd', 'history', clv_with_covariates(model, '{1}'), '1 month', '2019-12-31',
	'2021-12-31') o USING (number);

SET search_path = pg_catalog;
SELECT count(*) FROM validate_tracking.model, public.clv_tracking('validate_tracking.customer', 'history', model);
SET search_path = validate_tracking, public;

-- --- errors ---
SET datestyle = 'SQL, DMY';
SET intervalstyle = postgres;
SELECT * FROM clv_tracking('customer', 'history', NULL);
SELECT * FROM model, clv_tracking('customers', 'history', model);
SELECT * FROM model, clv_tracking('customer', 'customer_id', model);
SELECT * FROM model, clv_tracking('customer', 'history', model, NULL);
SELECT * FROM model, clv_tracking('customer', 'history', model, '0');
SELECT * FROM model, clv_tracking('customer', 'history', model, '-1 day');
SELECT * FROM model, clv_tracking('customer', 'history', model, '1 month -30 days');
SELECT * FROM model, clv_tracking('customer', 'history', model, '12 hours');
SELECT * FROM model, clv_tracking('customer', 'history', model, since => '01/02/2021', until => '01/02/2021');
SELECT * FROM model, clv_tracking('customer', 'history', model, since => '-infinity');
SELECT * FROM model, clv_tracking('customer', 'history', model, until => 'infinity');
SELECT * FROM model, clv_tracking('customer', 'history', model, as_of => 'infinity');
SELECT * FROM model, clv_tracking('customer', 'history', model, as_of => '31/12/2019');
SELECT * FROM clv_tracking('customer', 'history', clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}'));
SELECT * FROM moved, clv_tracking('halves', 'history', model);
SELECT * FROM model, clv_tracking('halves', 'history', model, covariates => 'z');
SELECT *
FROM clv_tracking('customer', 'history',
		 clv_model('bg/bb', '{"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.8}', '13 weeks'));
RESET datestyle;
DROP SCHEMA validate_tracking CASCADE;
