-- coverage.sql - how often intervals hold what they should, by simulation of shops whose parameters are known.
--
-- psql -v families="'mbg/nbd,bg/nbd'" -v customers=2000 -v first=1 -v last=200 -f bench/coverage.sql
--
-- Each shop is drawn by clv_simulate, with its number as the seed, so that every figure can be repeated. Its customers
-- come over nine months; it is fitted after eighteen, and the six months after are predicted. Asked are the 95 % limits
-- of each parameter, of Wald's kind and by the profile of the likelihood, and the 95 % prediction intervals of the
-- purchases and the value of all customers together.
--
-- psql -v seasons="'mbg/nbd'" ... draws, beside the families or with families="''", shops of a yearly season: at its
-- height customers buy twice as often as in the middle of the year, half a year later half as often. Customers come
-- over twelve months, the fits with the season as a calendar and without it are after 24, and the twelve months after
-- are predicted. Asked are the 95 % limits of the effects, the interval of the purchases, and how far forecasts of
-- months are off.
-- Results stay in the tables coverage.result and coverage.month; the reports are of all shops in them.

\if :{?seasons}
\else
\set seasons '\'\''
\endif
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS clv;
CREATE SCHEMA IF NOT EXISTS coverage;
SET search_path = coverage, public;

CREATE TABLE IF NOT EXISTS result (
	family text, customers int, shop int, what text, truth float8, low float8, high float8,
	PRIMARY KEY (family, customers, shop, what)
);

CREATE TABLE IF NOT EXISTS month (
	family text, customers int, shop int, month int, purchases int8, by_season float8, without float8,
	PRIMARY KEY (family, customers, shop, month)
);

DROP TABLE IF EXISTS truth;
CREATE TABLE truth AS
SELECT t.family, t.options::jsonb || jsonb_build_object('model', t.family, 'time_unit', t.unit) AS options,
	clv_model(t.family, t.parameters::jsonb, t.unit::interval, periods => t.options::jsonb ->> 'periods')
		|| clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS model
FROM (VALUES
	('mbg/nbd', '1 week', '{}', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}'),
	('bg/nbd', '1 week', '{}', '{"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}'),
	('mbg/cnbd-k', '1 week', '{"k": 3}', '{"k": 3, "r": 0.8, "alpha": 2.5, "a": 0.6, "b": 2.0}'),
	('pareto/nbd', '1 week', '{}', '{"r": 0.553, "alpha": 10.58, "s": 0.606, "beta": 11.67}'),
	('ggompertz/nbd', '1 week', '{}', '{"r": 0.553, "alpha": 10.58, "b": 0.08, "s": 0.3, "beta": 6}'),
	('pareto/nbd/cor', '1 week', '{}', '{"r": 0.8, "alpha": 3, "s": 0.8, "beta": 6, "m": 3}'),
	('bg/bb', '1 month', '{"periods": "calendar"}', '{"alpha": 1.204, "beta": 0.75, "gamma": 0.657, "delta": 2.783}'),
	('sbg', '1 month', '{"periods": "calendar"}', '{"alpha": 0.668, "beta": 3.806}'),
	('bdw', '1 month', '{"periods": "calendar"}', '{"alpha": 0.668, "beta": 3.806, "c": 1.2}')
) t (family, unit, options, parameters);

-- One shop: its limits and intervals beside the truth.
CREATE OR REPLACE PROCEDURE one_shop(kind text, size int, seed int) LANGUAGE plpgsql AS $$
DECLARE
	as_of CONSTANT date := '2017-06-30';
	until CONSTANT date := '2017-12-31';
	t truth;
	fitted clv_model;
	total clv_total;
	purchases int8;
	value float8;
BEGIN
	SELECT * INTO t FROM truth WHERE family = kind;
	CREATE TEMP TABLE IF NOT EXISTS drawn (customer int8, day date, amount float8);
	CREATE TEMP TABLE IF NOT EXISTS history (history clv_history);
	TRUNCATE drawn, history;
	INSERT INTO drawn
	SELECT * FROM clv_simulate(t.model, size, '2016-01-01', until, seed, acquired_until => '2016-09-30');
	INSERT INTO history
	SELECT clv_history(day, amount::numeric(12, 2)) FROM drawn WHERE day <= as_of GROUP BY customer;
	SELECT clv_fit(h.history, t.options || jsonb_build_object('as_of', as_of, 'profile', 0.95)) INTO fitted
	FROM history h;
	INSERT INTO result
	SELECT kind, size, seed, concat(CASE p.process WHEN 'spend' THEN 'spend ' END, p.name, m.suffix), q.estimate,
		p.lower, p.upper
	FROM (VALUES ('wald', NULL), ('profile', ', profile')) m (method, suffix)
	CROSS JOIN LATERAL clv_parameters(fitted, 0.95, m.method) p
	JOIN clv_parameters(t.model) q USING (name, process)
	WHERE p.name <> 'k';
	SELECT count(*), sum(d.amount) INTO purchases, value
	FROM (SELECT customer, day, sum(d.amount) AS amount FROM drawn d WHERE d.day > as_of GROUP BY customer, day) d;
	BEGIN
		SELECT (p.total).* INTO total
		FROM (
			SELECT clv_predict_total(fitted, h.history, '6 months', 0::float8, 1::float8, as_of, 0.95::float8) AS total
			FROM history h
		) p;
		INSERT INTO result VALUES
			(kind, size, seed, 'total purchases', purchases, total.purchases_low, total.purchases_high),
			(kind, size, seed, 'total value', value, total.value_low, total.value_high);
	EXCEPTION WHEN sqlstate $q$99999$q$ THEN
		NULL;
	END;
EXCEPTION WHEN data_exception THEN
	INSERT INTO result VALUES (kind, size, seed, 'no fit', NULL, NULL, NULL);
END
$$;

-- The season, week by week, as rows of a calendar, and the effects that customers follow.
DROP TABLE IF EXISTS season;
CREATE TABLE season AS
SELECT clv_calendar(day::date, ARRAY[round(sin(angle)::numeric, 3), round(cos(angle)::numeric, 3)], '{sine,cosine}')
	AS calendar
FROM generate_series(timestamp '2016-01-01', '2018-12-28', '7 days') day,
	LATERAL (SELECT 2 * pi() * extract(doy FROM day) / 365.25 AS angle) a;

DROP TABLE IF EXISTS effect;
CREATE TABLE effect AS
SELECT * FROM (VALUES ('sine', 'purchase', ln(2::float8)), ('cosine', 'purchase', 0), ('sine', 'churn', 0.3),
	('cosine', 'churn', 0)) t (name, process, effect);

-- One shop of a season: the limits of the effects beside the truth, and its months beside their forecasts.
CREATE OR REPLACE PROCEDURE one_season(kind text, size int, seed int) LANGUAGE plpgsql AS $$
DECLARE
	as_of CONSTANT date := '2017-12-31';
	label CONSTANT text := kind || ', season';
	acts CONSTANT bool := kind IN ('pareto/nbd', 'ggompertz/nbd', 'pareto/nbd/cor');
	by_season clv_model;
	without clv_model;
	world clv_model;
	season_calendar clv_calendar;
	total clv_total;
BEGIN
	SELECT calendar INTO season_calendar FROM season;
	SELECT jsonb_set(t.model::jsonb, '{purchase}', t.model::jsonb -> 'purchase'
			|| jsonb_build_object('calendar', season_calendar::jsonb, 'covariates', (
				SELECT jsonb_agg(jsonb_build_object('name', e.name, 'centre', 0, 'purchase', e.effect)
					|| CASE WHEN acts THEN jsonb_build_object('churn', c.effect) ELSE '{}' END ORDER BY e.name DESC)
				FROM effect e JOIN effect c USING (name)
				WHERE e.process = 'purchase' AND c.process = 'churn')))::clv_model
	INTO world FROM truth t WHERE t.family = kind;
	CREATE TEMP TABLE IF NOT EXISTS drawn (customer int8, day date, amount float8);
	CREATE TEMP TABLE IF NOT EXISTS history (history clv_history);
	TRUNCATE drawn, history;
	INSERT INTO drawn
	SELECT *
	FROM clv_simulate(world, size, '2016-01-01', '2018-12-31', seed, acquired_until => '2016-12-31');
	INSERT INTO history
	SELECT clv_history(day, amount::numeric(12, 2)) FROM drawn WHERE day <= as_of GROUP BY customer;
	SELECT clv_fit(h.history, clv_options(as_of => as_of, spend => 'none', calendar => season_calendar) || t.options),
		clv_fit(h.history, clv_options(as_of => as_of, spend => 'none') || t.options)
	INTO by_season, without
	FROM history h, truth t
	WHERE t.family = kind;
	INSERT INTO result
	SELECT label, size, seed, e.process || ' effect of ' || e.name, t.effect, e.lower, e.upper
	FROM clv_effects(by_season, 0.95) e JOIN effect t USING (name, process);
	INSERT INTO month
	SELECT label, size, seed, m, (
			SELECT count(DISTINCT (d.customer, d.day)) FROM drawn d
			WHERE d.day > (as_of + make_interval(months => m - 1))::date
			  AND d.day <= (as_of + make_interval(months => m))::date),
		s.ahead - lag(s.ahead, 1, 0::float8) OVER (ORDER BY m), s.plain - lag(s.plain, 1, 0::float8) OVER (ORDER BY m)
	FROM generate_series(1, 12) m
	CROSS JOIN LATERAL (
		SELECT sum(clv_expected_purchases(by_season, h.history, i.days)) AS ahead,
			sum(clv_expected_purchases(without, h.history, i.days)) AS plain
		FROM history h,
			LATERAL (SELECT make_interval(days => (as_of + make_interval(months => m))::date - as_of) AS days) i
	) s;
	SELECT (p.total).* INTO total
	FROM (
		SELECT clv_predict_total(by_season, h.history, '365 days', 0::float8, 1::float8, as_of, 0.95::float8) AS total
		FROM history h
	) p;
	INSERT INTO result
	SELECT label, size, seed, 'total purchases', sum(purchases), total.purchases_low, total.purchases_high
	FROM month WHERE (family, customers, shop) = (label, size, seed);
EXCEPTION WHEN data_exception THEN
	INSERT INTO result VALUES (label, size, seed, 'no fit', NULL, NULL, NULL);
END
$$;

SELECT format('CALL one_season(%L, %s, %s)', f, :customers, s)
FROM unnest(string_to_array(:seasons, ',')) WITH ORDINALITY u (f, place), generate_series(:first, :last) s
WHERE NOT EXISTS (SELECT FROM result r WHERE r.family = f || ', season' AND r.customers = :customers AND r.shop = s)
ORDER BY place, s \gexec

SELECT format('CALL one_shop(%L, %s, %s)', f, :customers, s)
FROM unnest(string_to_array(:families, ',')) WITH ORDINALITY u (f, place), generate_series(:first, :last) s
WHERE NOT EXISTS (SELECT FROM result r WHERE r.family = f AND r.customers = :customers AND r.shop = s)
ORDER BY place, s \gexec

-- Of the shops with limits, the share that holds the truth, with its standard error; and the shops without limits.
SELECT family, customers, what, count(*) AS shops, count(*) FILTER (WHERE low IS NULL OR high IS NULL) AS without,
	round(avg((truth BETWEEN low AND high)::int), 3) AS covered,
	round(sqrt(avg((truth BETWEEN low AND high)::int) * (1 - avg((truth BETWEEN low AND high)::int))
		/ nullif(count(low), 0)), 3) AS error,
	round((avg((low + high) / 2 / truth) FILTER (WHERE what LIKE 'total%') - 1)::numeric, 3) AS off
FROM result
WHERE what <> 'no fit'
GROUP BY family, customers, what
ORDER BY family, customers, what;

-- How far forecasts of months are off: the sum of all errors over that of all purchases, with the season and without.
SELECT family, customers, count(DISTINCT shop) AS shops,
	round((sum(abs(by_season - purchases)) / sum(purchases))::numeric, 3) AS by_season,
	round((sum(abs(without - purchases)) / sum(purchases))::numeric, 3) AS without,
	round((sum(by_season) / sum(purchases) - 1)::numeric, 3) AS total_by_season,
	round((sum(without) / sum(purchases) - 1)::numeric, 3) AS total_without
FROM month
GROUP BY family, customers
ORDER BY family, customers;
