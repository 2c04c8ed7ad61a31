-- seasons.sql - what season => 'auto' chooses, by simulation of shops whose seasons are known.
--
-- psql -v first=1 -v last=10 -f bench/seasons.sql			shops with a season that falls at the turn of the year
-- psql -v first=1 -v last=100 -v without=1 -f bench/seasons.sql	shops without a season: is none chosen?
--
-- In shops with a season 800 customers come over eighteen months, buy five times as often in November as in February,
-- not half as often in January as in December, and a fifth more each year. Three years are fitted, the fourth is
-- forecast; customers leave seldom (pareto/nbd), or hardly ever (mbg/nbd). Shops without one have 500 customers and
-- three years. Each shop is drawn by clv_simulate, with its number as the seed. Results stay in seasons.month and
-- seasons.chosen; the reports are of all shops in them.

SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS clv;
CREATE SCHEMA IF NOT EXISTS seasons;
SET search_path = seasons, public;

CREATE TABLE IF NOT EXISTS month (
	world text, shop int, fit text, terms text, trend float8, month int, purchases int8, forecast float8,
	PRIMARY KEY (world, shop, fit, month)
);
CREATE TABLE IF NOT EXISTS chosen (
	family text, shop int, trend text, season bool, has_trend bool,
	PRIMARY KEY (family, shop, trend)
);

CREATE TEMP TABLE fit AS
SELECT name, options || jsonb_build_object('spend', 'none', 'as_of', '2021-12-31', 'time_unit', '1 week') AS options
FROM (VALUES
	('pareto/nbd, auto', clv_options(model => 'pareto/nbd', season => 'auto', trend => 'auto')),
	('pareto/nbd, month', clv_options(model => 'pareto/nbd', season => 'month', trend => 'true')),
	('pareto/nbd, 4', clv_options(model => 'pareto/nbd', season => 4, trend => 'true')),
	('pareto/nbd, 6', clv_options(model => 'pareto/nbd', season => 6, trend => 'true')),
	('mbg/nbd, auto', clv_options(model => 'mbg/nbd', season => 'auto', trend => 'auto'))
) v (name, options);

CREATE TEMP TABLE world AS
SELECT name, calendar, clv_model(family, parameters::jsonb, '1 week', NULL,
	'[{"name": "season", "purchase": 1}, {"name": "growth", "purchase": 1}]', calendar => calendar) AS model
FROM (VALUES
	('seldom', 'pareto/nbd', '{"r": 0.9, "alpha": 9, "s": 0.6, "beta": 150}'),
	('hardly', 'mbg/nbd', '{"r": 0.9, "alpha": 9, "a": 0.06, "b": 6}')) v (name, family, parameters),
	(SELECT clv_calendar(day::date, ARRAY[ln(level), ln(1.2) * (day::date - date '2019-01-01' + 3.5) / 365.25],
			'{season,growth}') AS calendar
	 FROM unnest('{0.75,0.5,0.65,0.8,0.9,0.8,0.75,0.8,1.1,1.5,2.5,1.8}'::float8[]) WITH ORDINALITY l (level, month)
	 JOIN (SELECT generate_series(timestamp '2019-01-01', '2022-12-31', '7 days') AS day
		   UNION SELECT generate_series(timestamp '2019-01-01', '2022-12-31', '1 month')) d
	   ON extract(month FROM day) = month) c;

-- One shop with a season: each fit, and its months beside the forecast.
CREATE OR REPLACE PROCEDURE one_shop(w text, seed int) LANGUAGE plpgsql AS $$
DECLARE
	as_of CONSTANT date := '2021-12-31';
	f record;
	fitted clv_model;
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS drawn (customer int8, day date);
	CREATE TEMP TABLE IF NOT EXISTS history (history clv_history);
	TRUNCATE drawn, history;
	INSERT INTO drawn
	SELECT DISTINCT s.customer, s.day
	FROM world, clv_simulate(model, 800, '2019-01-01', '2022-12-31', seed, calendar, acquired_until => '2020-06-30') s
	WHERE name = w;
	INSERT INTO history SELECT clv_history(day) FROM drawn WHERE day <= as_of GROUP BY customer;
	FOR f IN SELECT * FROM fit LOOP
		SELECT clv_fit(h.history, f.options) INTO fitted FROM history h;
		INSERT INTO month
		SELECT w, seed, f.name, (SELECT string_agg(e.name, ' ') FROM clv_effects(fitted) e),
			(SELECT e.effect FROM clv_effects(fitted) e WHERE e.name = 'trend'), m,
			(SELECT count(*) FROM drawn WHERE day > (as_of + make_interval(months => m - 1))::date
										  AND day <= (as_of + make_interval(months => m))::date),
			ahead - lag(ahead, 1, 0::float8) OVER (ORDER BY m)
		FROM generate_series(1, 12) m
		CROSS JOIN LATERAL (SELECT sum(clv_expected_purchases(fitted, h.history, make_interval(days =>
				(as_of + make_interval(months => m))::date - as_of))) AS ahead FROM history h) s;
	END LOOP;
END
$$;

-- One shop without a season: what is chosen, with and without a trend to choose.
CREATE OR REPLACE PROCEDURE one_without(kind text, m clv_model, seed int) LANGUAGE sql AS $$
	INSERT INTO chosen
	SELECT kind, seed, trend, coalesce(bool_or(e.name LIKE 'season%'), false),
		coalesce(bool_or(e.name = 'trend'), false)
	FROM (SELECT trend, clv_fit(history, clv_options(model => kind, time_unit => '1 week', as_of => '2021-12-31',
				spend => 'none', season => 'auto', trend => trend)) AS fitted
		  FROM (SELECT clv_history(day) AS history
				FROM clv_simulate(m, 500, '2019-01-01', '2021-12-31', seed, acquired_until => '2020-12-31')
				GROUP BY customer) h, unnest('{false,auto}'::text[]) trend
		  GROUP BY trend) f
	LEFT JOIN LATERAL clv_effects(fitted) e ON true
	GROUP BY trend
$$;

\if :{?without}
SELECT format('CALL one_without(%L, %L, %s)', family, clv_model(family, parameters::jsonb, '1 week'), s)
FROM (VALUES ('mbg/nbd', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}'),
			 ('pareto/nbd', '{"r": 0.553, "alpha": 10.58, "s": 0.606, "beta": 11.67}')) v (family, parameters),
	generate_series(:first, :last) s
WHERE NOT EXISTS (SELECT FROM chosen c WHERE c.family = v.family AND c.shop = s)
ORDER BY family, s \gexec
\else
SELECT format('CALL one_shop(%L, %s)', name, s)
FROM world, generate_series(:first, :last) s
WHERE NOT EXISTS (SELECT FROM month m WHERE m.world = name AND m.shop = s)
ORDER BY s, name \gexec
\endif

-- How far forecasts of months and of the year are off, and what was chosen.
SELECT fit, world, count(*) AS shops, round(avg(months)::numeric, 3) AS months, round(avg(total)::numeric, 3) AS total,
	round(min(total)::numeric, 3) AS lowest, round(max(total)::numeric, 3) AS highest,
	count(*) FILTER (WHERE abs(total) <= 0.05) AS within, round(avg(trend)::numeric, 3) AS trend,
	count(*) FILTER (WHERE terms LIKE '%month%') AS by_month
FROM (SELECT fit, world, shop, min(terms) AS terms, min(trend) AS trend,
		  sum(abs(forecast - purchases)) / sum(purchases) AS months, sum(forecast) / sum(purchases) - 1 AS total
	  FROM month GROUP BY fit, world, shop) s
GROUP BY fit, world
ORDER BY fit, world;

SELECT family, trend, count(*) AS shops, count(*) FILTER (WHERE NOT season) AS none,
	count(*) FILTER (WHERE has_trend) AS trends
FROM chosen
GROUP BY family, trend
ORDER BY family, trend;
