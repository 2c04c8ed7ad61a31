-- One call over a table or view by name: the results of the functions over histories, names as SQL has them, errors.
SET client_min_messages = warning;
CREATE SCHEMA quick_look;
CREATE SCHEMA "Odd Schema";
SET search_path = quick_look, public;

-- a shop of 600 customers: time between purchases and length of stay differ, pseudo-random but always the same
CREATE TABLE orders AS
SELECT c AS customer_id,
	   timestamptz '2020-01-01 12:00 UTC'
		   + (c * 7919 % 180 + k * (5 + c * 31 % 61 + (c * k) % 7)) * interval '1 day' AS ordered_at,
	   (5 + c * 13 % 41 + ((c * 104729 + k * 7919) % 997) / 100.0)::numeric(10,2) AS amount
FROM generate_series(1, 600) c, generate_series(0, 12) k
WHERE (k <= (c * 613 % 23) - 9 OR k = 0) AND c * 7919 % 180 + k * (5 + c * 31 % 61 + (c * k) % 7) <= 455;
INSERT INTO orders VALUES (NULL, '2020-03-01', 5), (7, NULL, 5);
-- by the functions over histories
CREATE TABLE customer AS
SELECT customer_id, clv_history(ordered_at, amount) AS history
FROM orders WHERE customer_id IS NOT NULL GROUP BY customer_id;
CREATE TABLE model AS SELECT clv_fit(history, clv_options(as_of => '2021-03-31')) AS model FROM customer;

-- --- the same as by the functions over histories, for plain literals ---
SELECT count(*) AS customers, bool_and(ROW(q.r, q.f, q.m, q.t, q.c, q.v, (v.scores).p_alive)::clv_scores
	= v.scores) AS same
FROM rfmtc_score('orders', 'customer_id', 'ordered_at', 'amount', as_of => '2021-03-31') q
JOIN (SELECT customer_id, rfmtc_score(history, model) OVER () AS scores FROM customer, model) v
  ON v.customer_id::text = q.customer_id;
SELECT count(*) AS customers,
	   bool_and(
		   ROW(q.p_alive, q.expected_purchases, q.expected_spend, q.expected_revenue, q.clv, q.lifetime_value,
	q.next_purchase_value, q.purchases_low, q.purchases_high, q.clv_low, q.clv_high)::clv_prediction = v.p) AS same
FROM clv_predict('orders', 'customer_id', 'ordered_at', 'amount', horizon => '1 year', discount_rate => 0.1,
		 margin => 0.3,
	as_of => '2021-03-31', level => 0.8) q
JOIN (SELECT customer_id, clv_predict(model, history, '1 year', 0.1, 0.3, level => 0.8) AS p FROM customer, model) v
  ON v.customer_id::text = q.customer_id;
SELECT m.map, count(*) AS customers, count(q.segment) AS named
FROM unnest(ARRAY['abc', 'auto', 'lifecycle', 'micro', 'potential', 'rf', 'rfm', 'rfmtc']) m (map),
	 LATERAL segment_assign('orders', 'customer_id', 'ordered_at', 'amount', map => m.map, as_of => '2021-03-31') q
GROUP BY m.map ORDER BY m.map;
SELECT bool_and(q.segment = segment_assign(v.scores, 'rfm')) AS rfm
FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount', model => 'none', as_of => '2021-03-31') q
JOIN (SELECT customer_id, rfmtc_score(history, as_of => '2021-03-31') OVER () AS scores
	  FROM customer) v ON v.customer_id::text = q.customer_id;
-- with a model the default is rfmtc, with P(alive) as the model has it
SELECT bool_and(q.segment = segment_assign(v.scores)) AS rfmtc,
	   bool_and(abs((v.scores).p_alive - v.p_alive) < 1e-15) AS p_alive,
	   count(*) FILTER (WHERE v.p_alive < 0.5 AND q.segment IN ('Champions', 'Loyal', 'Steady', 'Occasional')) AS wrong
FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount', as_of => '2021-03-31') q
JOIN (SELECT customer_id, rfmtc_score(history, model) OVER () AS scores, clv_p_alive(model, history) AS p_alive
	  FROM customer, model) v ON v.customer_id::text = q.customer_id;
-- every value that rules may test, as the functions over histories have it
CREATE TABLE measured AS
SELECT customer_id, i.name, i.value
FROM customer, model, clv_predict(model, history) p, rfmtc(history, '2021-03-31', model) r,
	 LATERAL (VALUES ('recency', r.recency), ('frequency', r.frequency), ('monetary', r.monetary::float8),
		('tenure', r.tenure), ('p_alive', p.p_alive), ('churn', r.churn), ('expected_purchases', p.expected_purchases),
		('expected_revenue', p.expected_revenue), ('clv', p.clv), ('next_purchase_value', p.next_purchase_value),
		('total_value', r.monetary::float8 + p.clv),
		('active_30d', clv_active_probability(model, history, '30 days')),
		('active_90d', clv_active_probability(model, history, '90 days'))) i (name, value);
SELECT t.name, count(*) AS customers,
	   bool_and(q.segment = CASE WHEN m.value > t.middle THEN 'above' ELSE 'not' END) AS same,
	   count(DISTINCT q.segment) AS segments
FROM (SELECT name, percentile_disc(0.5) WITHIN GROUP (ORDER BY value) AS middle FROM measured GROUP BY name) t
CROSS JOIN LATERAL segment_assign('orders', 'customer_id', 'ordered_at', 'amount', as_of => '2021-03-31',
	map => format('[{"segment": "above", "value": {"%s": {"above": %s}}}, {"segment": "not"}]', t.name, t.middle)) q
JOIN measured m ON m.name = t.name AND m.customer_id::text = q.customer_id
GROUP BY t.name ORDER BY t.name;
DROP TABLE measured;
SELECT bool_and(q.segment = segment_assign(v.scores, 'potential')) AS potential
FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount', map => 'potential', as_of => '2021-03-31') q
JOIN (SELECT customer_id, rfmtc_score(history, model) OVER () AS scores
	  FROM customer, model) v ON v.customer_id::text = q.customer_id;
-- abc and lifecycle from the orders themselves
WITH spend AS (SELECT customer_id, sum(amount) AS spend
			   FROM orders WHERE ordered_at IS NOT NULL AND customer_id IS NOT NULL GROUP BY customer_id),
	 share AS (SELECT customer_id,
					  (SELECT coalesce(sum(b.spend), 0) FROM spend b WHERE b.spend > a.spend)
						  / (SELECT sum(spend) FROM spend) AS share
			   FROM spend a)
SELECT bool_and(q.segment = CASE WHEN share < 0.8 THEN 'A' WHEN share < 0.95 THEN 'B' ELSE 'C' END) AS abc,
	   count(DISTINCT segment) AS segments
FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount', map => 'abc') q
JOIN share s ON s.customer_id::text = q.customer_id;
WITH day AS (SELECT max(ordered_at AT TIME ZONE 'UTC')::date AS day FROM orders WHERE customer_id IS NOT NULL),
	 half AS (SELECT customer_id, min(bought) AS first, count(*) AS n, day,
					 count(*) FILTER (WHERE bought > first + (day - first) / 2) AS younger
			  FROM (SELECT DISTINCT customer_id, (ordered_at AT TIME ZONE 'UTC')::date AS bought, day,
						   min((ordered_at AT TIME ZONE 'UTC')::date) OVER (PARTITION BY customer_id) AS first
					FROM orders, day
					WHERE customer_id IS NOT NULL AND ordered_at IS NOT NULL) o GROUP BY customer_id, day),
	 model AS (SELECT clv_fit(history, clv_options(as_of => day)) AS model FROM customer, day),
	 own AS (SELECT customer_id, segment_assign(rfmtc_score(history, model) OVER (), 'lifecycle',
					 jsonb_build_object('trend', (younger - (n - younger)) / n::float8)) AS segment
			  FROM customer JOIN half USING (customer_id), model)
SELECT bool_and(q.segment = v.segment) AS lifecycle, count(DISTINCT q.segment) AS segments
FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount', map => 'lifecycle') q
JOIN own v ON v.customer_id::text = q.customer_id;

-- --- the default day is that of the last purchase, for all of them ---
SELECT count(*) = count(r) AND bool_or(r = 5) AS scored
FROM rfmtc_score('orders', 'customer_id', 'ordered_at', 'amount');
SELECT count(*) = count(p_alive) AND max(p_alive) <= 1 AS predicted
FROM clv_predict('orders', 'customer_id', 'ordered_at', 'amount');
-- on an earlier day some customers have no scores yet
SELECT count(*) AS customers, count(r) BETWEEN 1 AND 599 AS some,
	   count(*) FILTER (WHERE r IS NULL AND f IS NOT NULL) AS halves
FROM rfmtc_score('orders', 'customer_id', 'ordered_at', 'amount', model => 'none', as_of => '2020-04-01');
SELECT m.map, count(*) AS customers, count(q.segment) BETWEEN 1 AND 599 AS some
FROM unnest(ARRAY['abc', 'rf']) m (map),
	 LATERAL segment_assign('orders', 'customer_id', 'ordered_at', 'amount', map => m.map,
		 as_of => '2020-04-01') q
GROUP BY m.map ORDER BY m.map;

-- --- options: no model, other bins, no amounts, one's own rules ---
SELECT count(c) AS c, count(v) AS v, max(r) = 10 AS ten
FROM rfmtc_score('orders', 'customer_id', 'ordered_at', 'amount', model => 'none', bins => 10);
SELECT count(*) AS customers, count(expected_purchases) AS purchases, count(expected_spend) AS spend
FROM clv_predict('orders', 'customer_id', 'ordered_at', NULL);
SELECT segment, count(*) > 0 AS some FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount',
	map => '[{"segment": "recent", "r": [4, 5]}, {"segment": "rest"}]') GROUP BY segment ORDER BY segment;
-- too few for a model, and none is needed
CREATE TABLE few AS SELECT * FROM orders WHERE customer_id <= 3;
SELECT count(segment) FROM segment_assign('few', 'customer_id', 'ordered_at', 'amount', map => 'rf');
SELECT count(r) FROM rfmtc_score('few', 'customer_id', 'ordered_at', 'amount', model => 'none');
DELETE FROM few;
SELECT count(*) FROM rfmtc_score('few', 'customer_id', 'ordered_at', 'amount', model => 'none');
SELECT count(*) FROM segment_assign('few', 'customer_id', 'ordered_at', 'amount', map => 'abc');

-- --- names: views, schemas, quotes, temporary tables, partitions, domains and the types of amounts ---
CREATE DOMAIN price AS numeric(12,2) CHECK (VALUE >= 0);
CREATE TABLE "Odd Schema"."Order Lines" ("Customer ""Key""" text, "When" timestamp,
	"Net Price" price) PARTITION BY LIST ("Customer ""Key""");
CREATE TABLE "OrderLines" ();
CREATE TABLE "Odd Schema".lines PARTITION OF "Odd Schema"."Order Lines" DEFAULT;
INSERT INTO "Odd Schema"."Order Lines"
SELECT 'c' || customer_id, ordered_at AT TIME ZONE 'UTC', amount
FROM orders WHERE customer_id IS NOT NULL;
SELECT count(*) AS customers, bool_and(ROW(a.r, a.f, a.m, a.t) = ROW(b.r, b.f, b.m, b.t)) AS same
FROM rfmtc_score('"Odd Schema"."Order Lines"', 'Customer "Key"', 'When', '"Net Price"', model => 'none') a
JOIN rfmtc_score('orders', 'CUSTOMER_ID', 'Ordered_At', 'amount', model => 'none') b ON a.customer_id
	= 'c' || b.customer_id;
CREATE VIEW v AS
SELECT customer_id AS who, ordered_at::date AS day, amount::float8 AS paid, amount::int AS whole,
	   amount::real AS single,
	amount::text AS words, amount::money AS dollars, ordered_at::text AS day_in_words FROM orders;
SELECT (SELECT count(*) FROM rfmtc_score('v', 'who', 'day', 'paid', model => 'none')) AS paid,
	   (SELECT count(*) FROM rfmtc_score('quick_look.v', 'who', 'day', 'whole', model => 'none')) AS whole,
	   (SELECT count(*) FROM rfmtc_score('V', 'who', 'day', 'single', model => 'none')) AS single;
CREATE TEMP TABLE orders AS SELECT * FROM quick_look.orders LIMIT 0;
SELECT count(*) AS in_front FROM rfmtc_score('orders', 'customer_id', 'ordered_at', 'amount', model => 'none');
DROP TABLE pg_temp.orders;
SET search_path = pg_catalog;
SELECT count(segment) FROM public.segment_assign('quick_look.orders', 'customer_id', 'ordered_at', 'amount');
SELECT count(clv)
FROM public.clv_predict('quick_look.orders', 'customer_id', 'ordered_at', 'amount', horizon => '1 month');
SET search_path = quick_look, public;

-- --- a query as source, and no amount ---
SELECT bool_and(ROW(a.r, a.f, a.m, a.t) IS NOT DISTINCT FROM ROW(b.r, b.f, b.m, b.t)) AS same, count(*) AS customers
FROM rfmtc_score('orders', 'customer_id', 'ordered_at', 'amount', model => 'none') a
JOIN rfmtc_score('SELECT customer_id AS "Who", ordered_at::date AS day, amount::text::numeric AS paid
				  FROM orders -- all ;', '"Who"', 'DAY', 'paid', model => 'none') b
	ON a.customer_id = b.customer_id;
SELECT (SELECT count(*)
		FROM rfmtc_score(E'\n(TABLE orders)', 'customer_id', 'ordered_at', 'amount',
				 model => 'none')) AS parentheses,
	   (SELECT count(*)
		FROM segment_assign('WITH o AS (SELECT * FROM orders) SELECT * FROM o;', 'customer_id', 'ordered_at',
				 'amount')) AS with_query,
	   (SELECT count(clv)
		FROM clv_predict('SELECT * FROM quick_look.orders WHERE customer_id <= 500', 'customer_id',
				 'ordered_at', 'amount')) AS where_clause,
	   (SELECT count(r)
		FROM rfmtc_score('VALUES (1, date ''2020-01-01''), (2, ''2020-02-01'')', 'column1', 'column2',
				 model => 'none')) AS listed;
SELECT (SELECT count(f) FROM rfmtc_score('orders', 'customer_id', 'ordered_at')) AS scored,
	   (SELECT count(p_alive) FROM clv_predict('orders', 'customer_id', 'ordered_at')) AS predicted,
	   (SELECT count(segment) FROM segment_assign('orders', 'customer_id', 'ordered_at')) AS named;
SELECT (clv_backtest('SELECT history FROM customer', 'history', '2020-09-30', '3 months')).customers
	= (clv_backtest('customer', 'history', '2020-09-30', '3 months')).customers AS back_test_too;

-- --- dirty data: notices count what is left out, and customers without scores get NULLs ---
SET client_min_messages = notice;
CREATE TABLE dirty AS SELECT * FROM orders WHERE customer_id <= 50 OR customer_id IS NULL
UNION ALL SELECT 51, '2021-03-01', -5
	UNION ALL SELECT NULL, '2021-01-01', 7;
SELECT count(*) AS customers, count(r) AS scored
FROM rfmtc_score('dirty', 'customer_id', 'ordered_at', 'amount', model => 'none');
INSERT INTO dirty VALUES (1, '2025-03-31', 5);
SELECT count(*) AS customers, min(r) AS worst
FROM rfmtc_score('SELECT * FROM dirty WHERE customer_id <= 50', 'customer_id', 'ordered_at', 'amount',
		 model => 'none');
SELECT count(*) AS customers
FROM rfmtc_score('SELECT * FROM dirty WHERE customer_id <= 50', 'customer_id', 'ordered_at', 'amount',
		 model => 'none', as_of => '2021-03-31');
-- today is the last day, whatever is ordered for later
CREATE TEMP TABLE shifted AS
SELECT customer_id, ordered_at::date + ((now() AT TIME ZONE 'UTC')::date - date '2021-03-01') AS day
FROM dirty WHERE customer_id BETWEEN 2 AND 50;
SELECT bool_and(a.r = b.r AND a.t = b.t) AS as_of_today FROM
	rfmtc_score('SELECT * FROM shifted', 'customer_id', 'day', model => 'none') a
	JOIN rfmtc_score('SELECT * FROM shifted', 'customer_id', 'day', model => 'none',
		as_of => (now() AT TIME ZONE 'UTC')::date) b USING (customer_id);
-- and an order for later does not make today the last day of data that end before
SELECT bool_and(a.p_alive = b.p_alive) AS as_of_last_purchase, count(*)
FROM clv_predict('SELECT * FROM orders UNION ALL SELECT 2, ''2999-12-31'', 1',
				 'customer_id', 'ordered_at', 'amount') a
JOIN clv_predict('orders', 'customer_id', 'ordered_at', 'amount',
				 as_of => (SELECT max(ordered_at AT TIME ZONE 'UTC')::date FROM orders)) b USING (customer_id)
WHERE customer_id <> '2';
SELECT count(r) AS before_the_first
FROM rfmtc_score('SELECT 1 AS who, date ''2999-12-31'' AS day', 'who', 'day', model => 'none');
SET client_min_messages = warning;

-- --- micro, abc and rule lists take any number of bins ---
SELECT map, bins,
	   (SELECT count(segment)
		FROM segment_assign('dirty', 'customer_id', 'ordered_at', 'amount', map => map, bins => bins,
				 as_of => '2021-03-31')) AS named
FROM (VALUES ('micro', 3), ('micro', 10), ('abc', 3),
		  ('[{"segment": "low", "r": [1, 2]}, {"segment": "rest"}]', 3),
		  ('[{"segment": "top", "r": {"min": 9}}, {"segment": "rest"}]', 10)) v (map, bins);

-- --- with the rights of the caller ---
CREATE ROLE regress_clv_quick;
GRANT USAGE ON SCHEMA quick_look TO regress_clv_quick;
SET ROLE regress_clv_quick;
\set VERBOSITY terse
SELECT count(*) FROM rfmtc_score('orders', 'customer_id', 'ordered_at', 'amount', model => 'none');
SELECT count(*) FROM rfmtc_score('"Odd Schema".lines', 'customer_id', 'ordered_at', 'amount', model => 'none');
SELECT count(*) FROM rfmtc_score('SELECT * FROM orders', 'customer_id', 'ordered_at', 'amount', model => 'none');
RESET ROLE;
DROP OWNED BY regress_clv_quick;
DROP ROLE regress_clv_quick;

-- --- while a plan around it runs in parallel ---
ALTER TABLE orders SET (parallel_workers = 2);
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
EXPLAIN (COSTS off)
SELECT *
FROM orders o,
	 rfmtc_score('orders', 'customer_id', 'ordered_at', model => 'none', as_of => o.ordered_at::date) s
WHERE o.amount < 0;
SELECT count(*) > 0 AS scored
FROM orders o,
	 rfmtc_score('orders', 'customer_id', 'ordered_at', model => 'none', as_of => o.ordered_at::date) s
WHERE o.amount < 7;
ROLLBACK;

-- --- errors ---
\set VERBOSITY default
SELECT * FROM rfmtc_score('oders', 'customer_id', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('ORDERLINES', 'customer_id', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('my orders', 'customer_id', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('', 'customer_id', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('UPDATE orders SET amount = 0', 'customer_id', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('SELECT 1 AS customer_id) s, (SELECT 2', 'customer_id', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('SELECT * FROM orders; DROP TABLE orders', 'customer_id', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('SELECT * INTO stolen FROM orders', 'customer_id', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('SELECT customer_id, ordered_at FROM orders', 'customer_id', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('SELECT customer_id, ordered_at::text FROM orders', 'customer_id', 'ordered_at');
SELECT * FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount', bins => 3);
SELECT * FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount', bins => 10, map => 'lifecycle');
SELECT *
FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount', bins => 5,
		 map => '[{"segment": "top", "r": [9, 10]}]');
SELECT * FROM rfmtc_score('orders', 'customer_id', 'ordered_at', 'amount', model => NULL);
SELECT * FROM rfmtc_score('orders', 'customer_id', 'ordered_at', 'amount', as_of => 'infinity');
SELECT * FROM rfmtc_score('nowhere.orders', 'customer_id', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('orders', 'customer', 'ordered_at', 'amount');
SELECT * FROM clv_predict('orders', 'customer_id', 'orderd_at', 'amount');
SELECT * FROM segment_assign('"Odd Schema"."Order Lines"', 'When', 'When', 'price');
SELECT * FROM clv_predict('v', 'who', 'day', 'words');
SELECT * FROM clv_predict('v', 'who', 'day', 'dollars');
SELECT * FROM clv_predict('v', 'who', 'day_in_words', 'paid');
SELECT * FROM rfmtc_score('pg_class_oid_index', 'a', 'b', 'c');
SELECT * FROM rfmtc_score(NULL, 'customer_id', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('orders', NULL, 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('orders', 'customer_id', NULL, 'amount');
SELECT * FROM rfmtc_score('orders', 'customer_id; DROP TABLE orders', 'ordered_at', 'amount');
SELECT * FROM rfmtc_score('orders', 'ctid', 'ordered_at', 'amount');
SELECT * FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount', map => 'no such map');
SELECT * FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount', map => NULL);
SELECT *
FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount',
		 map => '[{"segment": "a", "attributes": {"channel": "web"}}]');
SELECT * FROM clv_predict('orders', 'customer_id', 'ordered_at', 'amount', model => 'none');
SELECT * FROM rfmtc_score('SELECT * FROM oders', 'customer_id', 'ordered_at', 'amount');
-- and in the statement that is run, whose text would be the context of its errors
\set SHOW_CONTEXT never
SELECT * FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount', map => 'potential', model => 'none');
SELECT * FROM clv_predict('orders', 'customer_id', 'ordered_at', 'amount', model => 'guesswork');
SELECT * FROM clv_predict('orders', 'customer_id', 'ordered_at', 'amount', horizon => '-1 year');
SELECT * FROM rfmtc_score('orders', 'customer_id', 'ordered_at', 'amount', bins => 1);

-- a ratio to 0, or to a number that is not finite, is NULL
SELECT number, by_number, clv_internal.clv_ratio(number, by_number)
FROM (VALUES ('5'::float8, '2'::float8), ('0', '0'), ('5', '-0'), ('5', NULL), (NULL, '2'), ('5', 'infinity'),
		  ('infinity', 'infinity'),
	('-infinity', '-infinity'), ('5', 'nan'), ('infinity', '2')) v (number, by_number);

DROP SCHEMA quick_look, "Odd Schema" CASCADE;
