-- Every statement that validation and the quick look write, in every shape that they have: each one runs, and finds
-- the customers that there are.
SET client_min_messages = error;
SET jit = off;
CREATE SCHEMA statements;
CREATE SCHEMA "Odd {schema}";
SET search_path = statements, public;

-- 120 customers who came by 2020-03-31, and 30 who came later; names that need quotes, and look like holes
CREATE TABLE "Odd {schema}"."{histories}" AS
SELECT c AS "{customer:I}", date '2020-01-01' + came + k * (9 + c * 31 % 71 + (c * k) % 5) AS "day ""%s",
	(5 + (c * 7919 + k * 104729) % 97)::numeric AS "{amount}", (c % 2)::float8 AS z
FROM generate_series(1, 150) c, LATERAL (SELECT CASE WHEN c <= 120 THEN c * 7907 % 90 ELSE 300 END) n (came),
	 generate_series(0, 20) k
WHERE (k = 0 OR k <= c * 613 % 27 - 9) AND came + k * (9 + c * 31 % 71 + (c * k) % 5) <= 366;
CREATE VIEW orders AS
SELECT "{customer:I}" AS customer_id, "day ""%s" AS day, "{amount}" AS amount, z FROM "Odd {schema}"."{histories}";
CREATE TABLE customer AS
SELECT customer_id, ARRAY[z] AS z, clv_history(day, amount) AS "{history:I}", clv_history(day) AS bare,
	   clv_history(day, amount, 7) AS weekly
FROM orders GROUP BY customer_id, z;

-- --- validation: sources, histories, covariates, families, and where the model and as_of come from ---
CREATE FUNCTION unit(family text)
RETURNS interval LANGUAGE sql
	RETURN CASE WHEN family LIKE '%nbd' THEN interval '1 week' ELSE '1 month' END;
CREATE FUNCTION options(family text, history text, z text, as_of date)
RETURNS jsonb LANGUAGE sql
	RETURN clv_options(model => family,
	time_unit => unit(family), spend => CASE history WHEN 'bare' THEN 'none' ELSE 'gamma/gamma' END,
	covariates => CASE WHEN z IS NOT NULL THEN ARRAY[z] END, as_of => as_of);
CREATE FUNCTION model(family text, z text) RETURNS clv_model LANGUAGE sql RETURN clv_model(family, CASE family
	WHEN 'mbg/nbd' THEN '{"r": 0.9, "alpha": 6, "a": 0.5, "b": 1.6}'
	WHEN 'pareto/nbd' THEN '{"r": 0.9, "alpha": 6, "s": 0.5, "beta": 9}'
	WHEN 'bg/bb' THEN '{"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.8}'
	WHEN 'sbg' THEN '{"alpha": 1, "beta": 2}'
	WHEN 'rfmtc' THEN '{"Q": 0.05, "g": 2, "b": 3}' END::jsonb, unit(family), '2020-06-30',
	CASE WHEN z IS NOT NULL THEN '[{"name": "z", "purchase": 0.2, "churn": 0.1}]'::jsonb END);
CREATE TABLE shape AS
SELECT s.source, h.history, f.family, v.z,
	   CASE WHEN f.family LIKE '%nbd' THEN interval '13 weeks' ELSE '3 months' END AS horizon,
	CASE WHEN d.day IN ('argument', 'both') THEN date '2020-06-30' END AS as_of,
	CASE d.day WHEN 'argument' THEN options(f.family, h.history, v.z, NULL)
		WHEN 'options' THEN options(f.family, h.history, v.z, '2020-06-30') END AS options,
	CASE WHEN d.day IN ('model', 'both') THEN model(f.family, v.z) END AS model
FROM unnest(ARRAY['customer', '"statements"."customer"', 'SELECT * FROM customer -- {histories} %s']) s (source),
	unnest(ARRAY['{history:I}', 'bare', 'weekly']) h (history), unnest(ARRAY[NULL, 'z']) v (z),
	unnest(ARRAY['mbg/nbd', 'pareto/nbd', 'bg/bb', 'sbg', 'rfmtc']) f (family),
	unnest(ARRAY['argument', 'options', 'model', 'both']) d (day)
WHERE (s.source = 'customer' OR f.family = 'mbg/nbd' AND h.history <> 'weekly' AND d.day <> 'both')
  AND (v.z IS NULL OR f.family LIKE '%nbd')
  AND (f.family <> 'rfmtc' OR d.day IN ('model', 'both'));
SELECT family, count(*) AS shapes, bool_and(b.customers = 120 AND b.skipped = 30) AS customers,
	   bool_and(b.since = '2020-06-30') AS since
FROM shape s, clv_backtest(s.source, s.history, s.as_of, s.horizon, s.options, s.model, s.z) b GROUP BY family
ORDER BY family;
SELECT family, count(DISTINCT s) AS shapes, sum(d.customers) = 120 * count(DISTINCT s) AS customers
FROM shape s, clv_backtest_deciles(s.source, s.history, s.as_of, s.horizon, s.options, s.model, s.z) d
GROUP BY family ORDER BY family;
SELECT family, count(DISTINCT s) AS shapes, sum(c.customers) = 120 * count(DISTINCT s) AS customers,
	   count(c.predicted_buyers) > 0 AS buyers
FROM shape s, clv_backtest_calibration(s.source, s.history, s.as_of, s.horizon, s.options, s.model, s.z) c
GROUP BY family ORDER BY family;
SELECT family, count(DISTINCT s) AS shapes, sum(t.customers) = 120 * count(DISTINCT s) AS customers
FROM shape s, clv_tracking(s.source, s.history, s.model, '1 month', '2020-01-31', '2020-09-30', s.as_of, s.z) t
WHERE t.number = 8 AND s.model IS NOT NULL AND s.family LIKE '%nbd' GROUP BY family ORDER BY family;

-- --- the quick look: sources, amounts, models, maps, bins and as_of ---
CREATE TABLE look AS
SELECT s.*, d.as_of
FROM (VALUES ('orders', 'customer_id', 'day', 'amount'), ('orders', 'customer_id', 'day', NULL),
	('"Odd {schema}"."{histories}"', '{customer:I}', 'day "%s', '{amount}'),
	('SELECT customer_id::text, day::timestamptz, amount::float8 FROM orders -- {source} %L', 'customer_id',
		'day', 'amount'),
	('SELECT ''{customer}'' || customer_id AS c, day::timestamp AS t, amount::int AS a FROM orders', 'c', 't', 'a')
	) s (source, customer, bought_at, amount), unnest(ARRAY[NULL, date '2020-06-30']) d (as_of);
SELECT count(*) AS shapes, bool_and(all_customers = 150) AS all,
	   bool_and(come = CASE WHEN as_of IS NULL THEN 150 ELSE 120 END) AS come,
	bool_and((valued > 0) = (model <> 'none')) AS valued
FROM (SELECT l.as_of, f.model, count(*) AS all_customers, count(q.r) AS come, count(q.v) AS valued
	FROM look l, unnest(ARRAY['mbg/nbd', 'pareto/nbd', 'none']) f (model), unnest(ARRAY[3, 5]) b (bins),
		rfmtc_score(l.source, l.customer, l.bought_at, l.amount, f.model, l.as_of, b.bins) q
	GROUP BY l.source, l.customer, l.bought_at, l.amount, l.as_of, f.model, b.bins) s;
SELECT count(*) AS shapes, bool_and(all_customers = 150) AS all,
	   bool_and(come = CASE WHEN as_of IS NULL THEN 150 ELSE 120 END) AS come,
	bool_and((valued > 0) = (amount IS NOT NULL)) AS valued,
		bool_or(intervals > 0) AND bool_and(intervals = 0 OR level IS NOT NULL) AS intervals
FROM (SELECT l.amount, l.as_of, x.level, count(*) AS all_customers, count(q.p_alive) AS come,
			 count(q.clv) AS valued, count(q.purchases_low) AS intervals
	FROM look l, unnest(ARRAY['mbg/nbd', 'pareto/nbd']) f (model), unnest(ARRAY[NULL, 0.9::float8]) x (level),
		clv_predict(l.source, l.customer, l.bought_at, l.amount, '1 year', 0.1, 0.3, f.model, l.as_of, x.level) q
	GROUP BY l.source, l.customer, l.bought_at, l.amount, l.as_of, f.model, x.level) s;
SELECT map, count(*) AS shapes, bool_and(all_customers = 150) AS all, bool_and(named > 0) AS named
FROM (SELECT l.amount, l.as_of, m.map, count(*) AS all_customers, count(q.segment) AS named
	FROM look l,
		 unnest(ARRAY['abc', 'lifecycle', 'micro', 'potential', 'rf', 'rfm',
			 '[{"segment": "worth {a}", "v": [4, 5]}, {"segment": "\u0027"}]']) m (map),
		segment_assign(l.source, l.customer, l.bought_at, l.amount, m.map, 'mbg/nbd', l.as_of) q
	GROUP BY l.source, l.customer, l.bought_at, l.amount, l.as_of, m.map) s GROUP BY map ORDER BY map;
-- the statement that the quick look shows can be prepared
DO $do$
DECLARE
	shape record;
BEGIN
	FOR shape IN SELECT DISTINCT source, customer, bought_at, amount FROM look LOOP
		EXECUTE 'PREPARE shown AS '
			|| clv_internal.clv_quick_histories(shape.source, shape.customer, shape.bought_at, shape.amount);
		DEALLOCATE shown;
	END LOOP;
END
$do$;

-- --- what the caller names runs with the search_path of the caller, to its very end ---
CREATE FUNCTION mine()
RETURNS SETOF customer LANGUAGE plpgsql STABLE AS 'BEGIN RETURN QUERY SELECT * FROM customer; END';
CREATE FUNCTION my_orders()
RETURNS SETOF orders LANGUAGE plpgsql STABLE AS 'BEGIN RETURN QUERY SELECT * FROM orders; END';
SELECT (SELECT b.customers
		FROM clv_backtest('SELECT * FROM mine()', 'bare', NULL, '13 weeks',
				 model => model('mbg/nbd', NULL)) b) AS backtest,
	(SELECT sum(c.customers)
	 FROM clv_backtest_calibration('SELECT * FROM mine()', 'bare', NULL, '13 weeks',
			  model => model('mbg/nbd', NULL)) c) AS calibration,
	(SELECT max(t.customers) FROM clv_tracking('SELECT * FROM mine()', 'bare', model('mbg/nbd', NULL)) t) AS tracking,
	(SELECT count(q.r) FROM rfmtc_score('SELECT * FROM my_orders()', 'customer_id', 'day', 'amount') q) AS scores,
	(SELECT count(q.segment)
	 FROM segment_assign('SELECT * FROM my_orders()', 'customer_id', 'day', 'amount',
			  'lifecycle') q) AS segments;

-- --- holes are filled in once, quoted as they ask for, and what is no hole stays ---
SELECT clv_internal.clv_statement('{a} {a:I} {a:L} {b:L} {c} {a:X} {A} {} {{a}} %s',
		   '{"a": "{b} o''clock \\1", "b": null}');

DROP SCHEMA statements, "Odd {schema}" CASCADE;
