-- rolling.sql - how often the purchases of the next weeks lie within the 90 % intervals of their total, with and
-- without what moves all customers at once, in rolling back-tests of real logs and simulated shops.
--
-- psql -v data=../shared/data -f bench/rolling.sql
--
-- Every fourth week the customers so far are fitted anew, the common shock is estimated from the weeks behind, and the
-- purchases of the next 4, 13 and 26 weeks are predicted. Simulated shops have 2,000 customers each: "calm" ones
-- nothing but chance ("calm c": a cohort each), "moved" ones weeks that are good or bad for all, "slow" ones such weeks
-- and good and bad years as well.
-- Results stay in the table rolling.result; shops that are in it are not computed again.

SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS clv;
CREATE SCHEMA IF NOT EXISTS rolling;
SET search_path = rolling, public;

CREATE TABLE IF NOT EXISTS result (
	shop text, family text, as_of date, weeks int, actual float8, expected float8, shock clv_common_shock,
	low float8, high float8, low_with float8, high_with float8,
	PRIMARY KEY (shop, family, as_of, weeks)
);

DROP TABLE IF EXISTS shop, path, line;
CREATE TABLE shop (shop text, history clv_history);
CREATE TABLE line (a text, b text, c text, d text, e text);
\set file :data '/cdnow_log_sample.csv'
\set copy '\\copy line FROM ' :file ' CSV HEADER'
:copy
INSERT INTO shop SELECT 'CDNOW sample', clv_history(c::date) FROM line GROUP BY a;
TRUNCATE line;
\set file :data '/cdnow_log_full.csv'
\set copy '\\copy line (a, b, c, d) FROM ' :file ' CSV HEADER'
:copy
INSERT INTO shop SELECT 'CDNOW', clv_history(b::date) FROM line GROUP BY a;
TRUNCATE line;
\set file :data '/apparel_log.csv'
\set copy '\\copy line (a, b, c) FROM ' :file ' CSV HEADER'
:copy
INSERT INTO shop SELECT 'apparel', clv_history(b::date) FROM line GROUP BY a;

INSERT INTO shop
SELECT concat(t.name, n), clv_history(s.day)
FROM (VALUES
	('calm p', 'pareto/nbd', '{"r": 0.6, "alpha": 5, "s": 0.6, "beta": 12}', date '2017-12-31', NULL, 0),
	('calm m', 'mbg/nbd', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}', '2017-12-31', date '2014-12-31', 0),
	('calm c', 'pareto/nbd', '{"r": 0.6, "alpha": 5, "s": 0.6, "beta": 12}', '2016-06-30', '2014-03-31', 100)
) t (name, family, parameters, until, acquired, seed)
CROSS JOIN generate_series(1, 4) n
CROSS JOIN clv_simulate(clv_model(t.family, t.parameters::jsonb, '1 week'), 2000, '2014-01-06', t.until, t.seed + n,
	acquired_until => t.acquired) s
GROUP BY t.name, n, s.customer;

-- the logarithm of the rate of each week: an autoregression, and with "slow" ones a part that is over with the week
CREATE TABLE path (shop text, number int, week int, x float8);
CREATE FUNCTION pg_temp.normal() RETURNS float8 LANGUAGE sql VOLATILE
RETURN sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random());
DO $$
DECLARE
	rho float8;
	sd float8;
	passing float8;
	a float8;
BEGIN
	PERFORM setseed(0.42);
	FOR n IN 1..22 LOOP
		rho := CASE WHEN n <= 11 THEN 0.7 ELSE 0.97 END;
		sd := CASE WHEN n <= 11 THEN 0.3 ELSE 0.25 END;
		passing := CASE WHEN n <= 11 THEN 0 ELSE 0.2 END;
		a := sd * pg_temp.normal();
		FOR w IN 0..208 LOOP
			INSERT INTO path
			VALUES (CASE WHEN n <= 11 THEN 'moved ' ELSE 'slow ' END || n, n, w, a + passing * pg_temp.normal());
			a := rho * a + sd * sqrt(1 - rho ^ 2) * pg_temp.normal();
		END LOOP;
	END LOOP;
END
$$;
INSERT INTO shop
SELECT p.shop, clv_history(s.day)
FROM (
	SELECT shop, number, clv_calendar(date '2014-01-06' + 7 * week, CASE WHEN week < 208 THEN ARRAY[x] END, '{weeks}')
		AS calendar
	FROM path
	GROUP BY shop, number
) p
CROSS JOIN LATERAL clv_simulate(clv_model('pareto/nbd', '{"r": 0.6, "alpha": 5, "s": 0.6, "beta": 12}', '1 week', NULL,
	'[{"name": "weeks", "purchase": 1}]', calendar => p.calendar), 2000, '2014-01-06', '2017-12-31', p.number) s
GROUP BY p.shop, s.customer;

-- The windows of one shop; first: the days from its first purchase to the first window.
CREATE OR REPLACE PROCEDURE roll(name text, family text, first int) LANGUAGE plpgsql AS $$
DECLARE
	options CONSTANT jsonb := jsonb_build_object('model', family, 'spend', 'none');
	start date;
	until date;
	day date;
	model clv_model;
	shock clv_common_shock;
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS customer (history clv_history);
	TRUNCATE customer;
	INSERT INTO customer SELECT s.history FROM shop s WHERE s.shop = name;
	SELECT min(clv_first_purchase(history)), max(clv_last_purchase(history)) INTO start, until FROM customer;
	FOR day IN SELECT d::date FROM generate_series((start + first)::timestamp, until - 28, interval '28 days') d LOOP
		SELECT clv_fit(history, options || jsonb_build_object('as_of', day)) INTO model FROM customer;
		shock := clv_shock('customer', 'history', model);
		INSERT INTO result
		SELECT name, family, day, q.weeks, q.actual, (q.total).expected_purchases, shock,
			(q.total).purchases_low_without_shock, (q.total).purchases_high_without_shock, (q.total).purchases_low,
			(q.total).purchases_high
		FROM (
			SELECT
				h.weeks,
				sum(clv_purchases_between(c.history, day, day + 7 * h.weeks)) AS actual,
				clv_predict_total(clv_with_shock(model, shock), c.history, make_interval(weeks => h.weeks), 0::float8,
					1::float8, day, 0.9::float8) AS total
			FROM customer c
			CROSS JOIN (VALUES (4), (13), (26)) h (weeks)
			WHERE clv_first_purchase(c.history) <= day AND day + 7 * h.weeks <= until
			GROUP BY h.weeks
		) q;
	END LOOP;
END
$$;

SELECT format('CALL roll(%L, %L, %s)', s.shop, f.family, CASE WHEN s.shop ~ '^(CDNOW|calm c)' THEN 168 ELSE 364 END)
FROM (SELECT DISTINCT shop FROM shop) s
JOIN (VALUES ('mbg/nbd'), ('pareto/nbd')) f (family) ON s.shop !~ '^(calm|moved|slow)'
	OR f.family = CASE WHEN s.shop LIKE 'calm m%' THEN 'mbg/nbd' ELSE 'pareto/nbd' END
WHERE NOT EXISTS (SELECT FROM result r WHERE r.shop = s.shop AND r.family = f.family)
ORDER BY 1 \gexec

-- Of the windows with an interval, the share that holds what came, and how much wider the shock makes it.
SELECT regexp_replace(shop, ' ?\d+$', '') AS shops, family, weeks, count(*) AS windows,
	round(avg((actual BETWEEN low AND high)::int), 2) AS without,
	round(avg((actual BETWEEN low_with AND high_with)::int), 2) AS with_shock,
	round(avg((high_with - expected) / (high - expected))::numeric, 2) AS width
FROM result
WHERE high IS NOT NULL
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;
