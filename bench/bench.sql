-- bench.sql - data, measurements and the table report; run by bench/run in a server of its own.

SET client_min_messages = error;
CREATE EXTENSION clv;

CREATE FUNCTION bench_purchases(int, float8, float8) RETURNS float8[] AS 'floor' LANGUAGE c IMMUTABLE STRICT;
CREATE FUNCTION bench_trivial(clv_model, clv_history) RETURNS float8 AS 'floor' LANGUAGE c IMMUTABLE STRICT;
CREATE FUNCTION bench_row(clv_model, clv_history) RETURNS clv_prediction AS 'floor' LANGUAGE c IMMUTABLE STRICT;
CREATE FUNCTION bench_read(bigint, clv_history) RETURNS bigint AS 'floor' LANGUAGE c IMMUTABLE STRICT;
CREATE AGGREGATE bench_read(clv_history) (SFUNC = bench_read, STYPE = bigint, INITCOND = 0);

-- Orders lie in the order of their time, as in a shop: customers are scattered over the table.
CREATE PROCEDURE make_orders(name text, customers int, weeks float8) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('
		CREATE UNLOGGED TABLE %I AS
		SELECT c AS customer_id, timestamptz ''2016-01-01 00:00+00'' + make_interval(secs => floor(p[i] * 86400)) AS ordered_at,
			   p[i + 1] AS amount_double, p[i + 1]::numeric(12,2) AS amount
		FROM generate_series(1, %s) c, bench_purchases(c, 731, %s) p, generate_series(1, array_length(p, 1), 2) i
		ORDER BY 2, 1', name, customers, weeks);
END $$;

CREATE TABLE timing (what text, side text, run int, ms float8);

-- Five rounds of every pair, the two sides taking turns, after one round that warms up.
CREATE PROCEDURE measure(what text, clv text, floor text) LANGUAGE plpgsql AS $$
DECLARE
	began timestamptz;
	sides text[] := ARRAY['clv', clv, 'floor', floor];
BEGIN
	RAISE INFO 'measuring: %', what;
	FOR run IN 0 .. 5 LOOP
		FOR i IN 1 .. 3 BY 2 LOOP
			CONTINUE WHEN sides[i + 1] IS NULL;
			began := clock_timestamp();
			EXECUTE sides[i + 1];
			IF run > 0 THEN
				INSERT INTO timing VALUES (what, sides[i], run, 1000 * extract(epoch FROM clock_timestamp() - began));
			END IF;
		END LOOP;
	END LOOP;
END $$;

CREATE TABLE report (id int GENERATED ALWAYS AS IDENTITY, what text, clv text, floor text, result text, bar text, aim text);

CREATE FUNCTION shown(of_what text, of_side text) RETURNS text LANGUAGE sql RETURN
	(SELECT format('%s (%s-%s)', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)), round(min(ms)), round(max(ms)))
	 FROM timing WHERE what = of_what AND side = of_side);
CREATE FUNCTION median(of_what text, of_side text) RETURNS float8 LANGUAGE sql RETURN
	(SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FROM timing WHERE what = of_what AND side = of_side);

CREATE PROCEDURE report_ratio(what text, bar text, aim text) LANGUAGE sql AS $$
	INSERT INTO report (what, clv, floor, result, bar, aim)
	VALUES (what, shown(what, 'clv'), shown(what, 'floor'),
			round((median(what, 'clv') / median(what, 'floor'))::numeric, 2) || ' x', bar, aim) $$;
CREATE PROCEDURE report_extra(what text, bar text, aim text) LANGUAGE sql AS $$
	INSERT INTO report (what, clv, floor, result, bar, aim)
	VALUES (what, shown(what, 'clv'), shown(what, 'floor'),
			'+' || round((median(what, 'clv') - median(what, 'floor'))::numeric) || ' ms', bar, aim) $$;

-- The same shape of plan on both sides.
SET enable_sort = off;

\echo clv: making orders
CALL make_orders('orders', :customers, 8.6);
VACUUM ANALYZE orders;
SELECT count(*) AS orders, round(count(*) / 1e6, 1) AS millions FROM orders \gset
SELECT :customers / 1000 || ' k customers' AS people \gset

-- --- histories ---
SELECT 'history, float8, ' || :'people' || ', ' || :millions || ' M orders' AS what \gset
CALL measure(:'what',
	'SELECT count(h) FROM (SELECT clv_history(ordered_at, amount_double) h FROM orders GROUP BY customer_id) q',
	'SELECT count(n), count(a), count(z), count(s) FROM (SELECT count(*) n, min(ordered_at) a, max(ordered_at) z,
		sum(amount_double) s FROM orders GROUP BY customer_id) q');
CALL report_ratio(:'what', '1.6 x', '1.15 x');
SELECT 'history, numeric, ' || :'people' || ', ' || :millions || ' M orders' AS what \gset
CALL measure(:'what',
	'SELECT count(h) FROM (SELECT clv_history(ordered_at, amount) h FROM orders GROUP BY customer_id) q',
	'SELECT count(n), count(a), count(z), count(s) FROM (SELECT count(*) n, min(ordered_at) a, max(ordered_at) z,
		sum(amount) s FROM orders GROUP BY customer_id) q');
CALL report_ratio(:'what', '1.6 x', '1.15 x');

SELECT :heavy > 0 AS is_heavy \gset
\if :is_heavy
\echo clv: making twenty million orders
CALL make_orders('heavy', :heavy, 2.7);
VACUUM ANALYZE heavy;
SELECT round(count(*) / 1e6, 1) AS heavy_millions FROM heavy \gset
SELECT 'history, float8, 2 M customers, ' || :heavy_millions || ' M orders' AS what \gset
CALL measure(:'what',
	'SELECT count(h) FROM (SELECT clv_history(ordered_at, amount_double) h FROM heavy GROUP BY customer_id) q',
	'SELECT count(n), count(a), count(z), count(s) FROM (SELECT count(*) n, min(ordered_at) a, max(ordered_at) z,
		sum(amount_double) s FROM heavy GROUP BY customer_id) q');
CALL report_ratio(:'what', '1.6 x', '1.15 x');
SELECT 'history, numeric, 2 M customers, ' || :heavy_millions || ' M orders' AS what \gset
CALL measure(:'what',
	'SELECT count(h) FROM (SELECT clv_history(ordered_at, amount) h FROM heavy GROUP BY customer_id) q',
	'SELECT count(n), count(a), count(z), count(s) FROM (SELECT count(*) n, min(ordered_at) a, max(ordered_at) z,
		sum(amount) s FROM heavy GROUP BY customer_id) q');
CALL report_ratio(:'what', '1.6 x', '1.15 x');
DROP TABLE heavy;
\endif

CREATE UNLOGGED TABLE customer AS
SELECT customer_id, clv_history(ordered_at, amount) AS history FROM orders GROUP BY customer_id;
VACUUM ANALYZE customer;
INSERT INTO report (what, clv, floor, result, bar, aim)
SELECT 'stored size of a history', round(avg(pg_column_size(history)), 1) || ' bytes',
	   round(avg(clv_purchases(history)), 1) || ' occasions',
	   '8 + ' || round((sum(pg_column_size(history)) - 8.0 * count(*)) / sum(clv_purchases(history)), 2) || ' an occasion',
	   '8 + 6', '8 + 4'
FROM customer;

-- --- fits ---
SELECT 'fit bg/nbd and gamma/gamma, ' || :'people' AS what \gset
CALL measure(:'what',
	$$SELECT clv_fit(history, clv_options(model => 'bg/nbd', as_of => '2017-12-31')) FROM customer$$,
	'SELECT bench_read(history) FROM customer');
CALL report_extra(:'what', '1 M: +400 ms', '1 M: +150 ms');
SELECT 'fit mbg/nbd and gamma/gamma, ' || :'people' AS what \gset
CALL measure(:'what',
	$$SELECT clv_fit(history, clv_options(as_of => '2017-12-31')) FROM customer$$,
	'SELECT bench_read(history) FROM customer');
CALL report_extra(:'what', '1 M: +400 ms', '1 M: +150 ms');

-- --- predictions ---
CREATE TABLE model AS
SELECT clv_fit(history, clv_options(model => 'bg/nbd', as_of => '2017-12-31')) AS model FROM customer;
SELECT 'clv_p_alive, bg/nbd, ' || :'people' AS what \gset
CALL measure(:'what',
	'SELECT count(clv_p_alive(model, history)) FROM customer, model',
	'SELECT count(bench_trivial(model, history)) FROM customer, model');
CALL report_ratio(:'what', '2 x', '1.3 x');
SELECT 'clv_expected_purchases, one year, ' || :'people' AS what \gset
CALL measure(:'what',
	$$SELECT count(clv_expected_purchases(model, history, interval '1 year')) FROM customer, model$$,
	'SELECT count(bench_trivial(model, history)) FROM customer, model');
CALL report_ratio(:'what', '-', '-');
SELECT 'clv_predict, all columns, ' || :'people' AS what \gset
CALL measure(:'what',
	$$SELECT count((p).clv), count((p).lifetime_value), count((p).next_purchase_value)
	  FROM (SELECT clv_predict(model, history, horizon => '1 year', discount_rate => 0.10) AS p FROM customer, model OFFSET 0) q$$,
	$$SELECT count((p).clv), count((p).lifetime_value), count((p).next_purchase_value)
	  FROM (SELECT bench_row(model, history) AS p FROM customer, model OFFSET 0) q$$);
CALL report_ratio(:'what', '2 x', '1.3 x');
SELECT 'rfmtc_score, all scores, ' || :'people' AS what \gset
CALL measure(:'what',
	'SELECT count(s) FROM (SELECT rfmtc_score(history, model) OVER () AS s FROM customer, model) q', NULL);
INSERT INTO report (what, clv, floor, result, bar, aim) VALUES (:'what', shown(:'what', 'clv'), '-', '-', '-', '-');

-- --- the whole road ---
-- The rivals' figure was measured apart, on a million customers with 5.1 million orders: lifetimes, 60 s of CPU.
SELECT 'orders to CLV, bg/nbd, ' || :'people' AS what \gset
CALL measure(:'what',
	$$WITH c AS MATERIALIZED (SELECT customer_id, clv_history(ordered_at, amount) AS history FROM orders GROUP BY customer_id),
		   m AS MATERIALIZED (SELECT clv_fit(history, clv_options(model => 'bg/nbd', as_of => '2017-12-31')) AS model FROM c)
	  SELECT count((p).clv)
	  FROM (SELECT clv_predict(model, history, horizon => '1 year', discount_rate => 0.10) AS p FROM c, m OFFSET 0) q$$, NULL);
INSERT INTO report (what, clv, floor, result, bar, aim)
SELECT :'what', shown(:'what', 'clv'), CASE WHEN :customers = 1000000 THEN 'lifetimes 60 s' ELSE '-' END,
	   CASE WHEN :customers = 1000000 THEN round((60000 / median(:'what', 'clv'))::numeric, 1) || ' x faster' ELSE '-' END,
	   '1 M: 10 x faster', '1 M: 15 x faster';

SELECT what, clv, floor, result, bar, aim FROM report ORDER BY id;
