-- clv_check: of a simulated shop nothing, and of each way to break it that way and nothing else
SET client_min_messages = warning;
CREATE SCHEMA quick_check;
SET search_path = quick_check, public;
CREATE TABLE model AS
SELECT clv_model('mbg/nbd', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}', '1 week')
	   || clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS model;
CREATE TABLE shop AS
SELECT customer::int AS customer, day, round(amount::numeric, 2) AS amount
  FROM model, clv_simulate(model, 3000, '2016-01-01', '2019-12-31', 42);
SELECT * FROM clv_check('shop', 'customer', 'day', 'amount');
SELECT * FROM clv_check('shop', 'customer', 'day');

-- ---- every break is named, with its rows and customers as counted here, and nothing else is ----
CREATE TABLE broken (n int, break text, query text, wanted text);
INSERT INTO broken VALUES
	(1, 'guests', $$SELECT nullif(customer, customer - customer % 7) AS customer, day, amount FROM shop$$,
		$$SELECT count(*), NULL FROM shop WHERE customer % 7 = 0$$),
	(2, 'guests have one key',
		$$SELECT CASE WHEN customer % 7 = 0 THEN 0 ELSE customer END AS customer, day, amount FROM shop$$,
		$$SELECT count(*), 1 FROM shop WHERE customer % 7 = 0$$),
	(3, 'no time', $$SELECT customer, CASE WHEN customer % 50 > 0 THEN day END AS day, amount FROM shop$$,
		$$SELECT count(*), count(DISTINCT customer) FROM shop WHERE customer % 50 = 0$$),
	(4, 'infinite time',
		$$SELECT customer, CASE WHEN amount > 200 THEN 'infinity' ELSE day END AS day, amount FROM shop$$,
		$$SELECT count(*), count(DISTINCT customer) FROM shop WHERE amount > 200$$),
	(5, 'a year mistyped',
		$$SELECT customer, CASE WHEN amount > 200 THEN day + 36525 ELSE day END AS day, amount FROM shop$$,
		$$SELECT count(*), count(DISTINCT customer) FROM shop WHERE amount > 200$$),
	(6, 'a day long after', $$SELECT * FROM shop UNION ALL SELECT i, '2021-06-01', 20 FROM generate_series(1, 3) i$$,
		$$VALUES (3, 3)$$),
	(7, 'days of 1970',
		$$SELECT customer, CASE WHEN amount > 200 THEN '1970-01-01' ELSE day END AS day, amount FROM shop$$,
		$$SELECT count(*), count(DISTINCT customer) FROM shop WHERE amount > 200$$),
	(8, 'no numbers', $$SELECT customer, day, CASE WHEN amount > 200 THEN 'NaN' ELSE amount END AS amount FROM shop$$,
		$$SELECT count(*), count(DISTINCT customer) FROM shop WHERE amount > 200$$),
	(9, 'cents',
		$$SELECT customer, day, CASE WHEN customer % 20 = 0 THEN 100 ELSE 1 END * amount AS amount FROM shop$$, NULL),
	(10, 'mostly cents',
		$$SELECT customer, day, CASE WHEN customer % 20 > 0 THEN 100 ELSE 1 END * amount AS amount FROM shop$$,
		NULL),
	(11, 'a slip', $$SELECT * FROM shop UNION ALL SELECT 5, day, 100000 FROM shop WHERE customer = 5$$,
		$$SELECT count(*), 1 FROM shop WHERE customer = 5$$),
	(12, 'zero', $$SELECT customer, day, CASE WHEN customer % 20 > 0 THEN amount ELSE 0 END AS amount FROM shop$$,
		$$SELECT count(*), count(DISTINCT customer) FROM shop WHERE customer % 20 = 0$$),
	(13, 'unknown', $$SELECT customer, day, CASE WHEN customer % 20 > 0 THEN amount END AS amount FROM shop$$,
		$$SELECT count(*), count(DISTINCT customer) FROM shop WHERE customer % 20 = 0$$),
	(14, 'refunds alone',
		$$SELECT * FROM shop UNION ALL SELECT customer + 10000, day, -amount FROM shop WHERE customer % 20 = 0$$,
		$$SELECT count(*), count(DISTINCT customer) FROM shop WHERE customer % 20 = 0$$),
	(15, 'refunds early',
		$$SELECT * FROM shop UNION ALL SELECT customer, min(day) - 1, -1 FROM shop WHERE customer % 20 = 0
		GROUP BY customer$$,
		$$SELECT count(DISTINCT customer), count(DISTINCT customer) FROM shop WHERE customer % 20 = 0$$),
	(16, 'few', $$SELECT * FROM shop WHERE customer % 60 = 0$$,
		$$SELECT NULL, count(*) FROM (SELECT FROM shop WHERE customer % 60 = 0 GROUP BY customer
			HAVING count(DISTINCT day) > 1) r$$),
	(17, 'buyers of one purchase left out',
		$$SELECT * FROM shop
		   WHERE customer IN (SELECT customer FROM shop GROUP BY customer HAVING count(DISTINCT day) > 1)$$,
		$$SELECT NULL, count(*) FROM (SELECT FROM shop GROUP BY customer HAVING count(DISTINCT day) > 1) r$$),
	(18, 'eight weeks', $$SELECT * FROM shop WHERE day BETWEEN '2017-06-01' AND '2017-07-27'$$,
		$$SELECT count(*), count(DISTINCT customer) FROM shop WHERE day BETWEEN '2017-06-01' AND '2017-07-27'$$),
	(19, 'three weeks not loaded', $$SELECT * FROM shop WHERE day NOT BETWEEN '2017-05-08' AND '2017-05-28'$$,
		$$VALUES (NULL::bigint, NULL::bigint)$$),
	(20, 'months', $$SELECT customer, date_trunc('month', day)::date AS day, amount FROM shop$$, NULL),
	(21, 'weeks', $$SELECT customer, date_trunc('week', day)::date AS day, amount FROM shop$$, NULL),
	(22, 'last days of months',
		$$SELECT customer, (date_trunc('month', day) + interval '1 month - 1 day')::date AS day, amount
		FROM shop$$, NULL),
	(23, 'every day', $$SELECT customer, day, amount
		FROM clv_simulate(clv_model('mbg/nbd', '{"r": 2, "alpha": 3, "a": 1, "b": 40}', '1 day')
			|| clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}'), 300, '2016-01-01', '2016-12-31',
			1)$$, NULL),
	(24, 'December', $$SELECT customer, day, amount
		FROM clv_simulate('{"version": 1, "time_unit": "1 week", "purchase": {"family": "mbg/nbd",
				"parameters": {"r": 0.5248, "alpha": 6.183, "a": 0.2, "b": 1.614},
				"covariates": [{"name": "xmas", "centre": 0, "purchase": 0.9, "churn": 0}]},
				"spend": {"family": "gamma/gamma", "parameters": {"p": 6.25, "q": 3.74, "gamma": 15.44}}}',
				2000, '2016-01-01', '2019-12-31', 1,
				(SELECT clv_calendar(since::date, ARRAY[(extract(month FROM since) = 12)::int::float8], '{xmas}')
				   FROM generate_series('2016-01-01', '2020-01-01', interval '1 month') since))$$, NULL);
CREATE TABLE found AS
SELECT n, break, c.* FROM broken, clv_check(query, 'customer', 'day', 'amount') c;
SELECT break, severity, finding FROM found ORDER BY n, finding;
CREATE FUNCTION pg_temp.counts(query text, OUT rows bigint, OUT customers bigint) LANGUAGE plpgsql AS $$
BEGIN EXECUTE query INTO rows, customers; END $$;
SELECT break, f.rows, f.customers, w.rows AS rows_wanted, w.customers AS customers_wanted
  FROM broken b JOIN found f USING (n, break), pg_temp.counts(b.wanted) w
 WHERE b.wanted IS NOT NULL AND (f.rows, f.customers) IS DISTINCT FROM (w.rows, w.customers);
SELECT DISTINCT ON (finding)
	   replace(advice, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'today') AS advice
  FROM found ORDER BY finding, n;

-- ---- several at once, the severest first; and a table without rows ----
SELECT severity, finding, rows, customers
  FROM clv_check('SELECT nullif(customer, 1) AS who, day + CASE WHEN customer = 2 THEN 100000 ELSE 0 END AS at,
		CASE WHEN customer = 3 THEN 0 ELSE amount END AS paid FROM shop', 'who', 'at', 'paid');
SELECT severity, finding, rows, customers FROM clv_check('SELECT * FROM shop WHERE false', 'customer', 'day', 'amount');
SELECT severity, finding, rows, customers
  FROM clv_check('SELECT customer, day, -amount AS amount FROM shop', 'customer', 'day', 'amount') ORDER BY finding;

-- ---- names, types and settings as in the quick look ----
CREATE TABLE "Odd Table" ("The Customer" text, "At" timestamptz, "s" double precision);
INSERT INTO "Odd Table" SELECT customer, day + time '23:30', amount FROM shop;
SET TimeZone = 'America/New_York';
SET DateStyle = 'German';
SELECT * FROM clv_check('"Odd Table"', 'The Customer', 'At', 's');
RESET TimeZone;
RESET DateStyle;
SELECT clv_check('shop', 'buyer', 'day');
SELECT clv_check('shop', 'customer', 'amount');
SELECT clv_check('nowhere', 'customer', 'day');
SELECT clv_check(NULL, 'customer', 'day');
SELECT severity, finding FROM clv_check('SELECT 1 AS c, date ''4713-01-01 BC'' AS d, i AS a
	FROM unnest(''{1e-400,1e400,Infinity,-Infinity,-1e400}''::numeric[]) i UNION ALL SELECT 1, ''5874897-12-31'', 1',
	'c', 'd', 'a');
SELECT severity, finding, rows FROM clv_check('SELECT 1 AS c, t, 1 AS a
	FROM unnest(''{4714-11-24 BC,4714-11-30 BC,294276-12-31,infinity,-infinity,NULL}''::timestamptz[]) t',
	'c', 't', 'a');
DROP SCHEMA quick_check CASCADE;
