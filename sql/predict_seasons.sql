-- Predictions of models with a calendar: reference values in 34 digits, and what is to come
\set ON_ERROR_STOP 0
CREATE FUNCTION pg_temp.close(actual float8, expected float8) RETURNS bool
LANGUAGE sql AS $$ SELECT abs(actual - expected) <= 1e-9 * abs(expected) $$;

-- forty weeks of one covariate, from a Monday on; a day is a number of days from there
CREATE TEMP TABLE weeks AS
SELECT clv_calendar(date '2024-01-01' + 7 * (i - 1)::int, ARRAY[z::float8], '{season}') AS calendar
FROM regexp_split_to_table('0011001000111100011000011100001000001111', '') WITH ORDINALITY AS t (z, i);

CREATE TEMP TABLE models AS
SELECT set, clv_model('pareto/nbd', params, '1 week', NULL, effects, calendar => calendar) AS model
FROM weeks, (VALUES
	(1, '{"r":0.5,"alpha":15,"s":0.5,"beta":10}'::jsonb, '[{"name":"season","purchase":0.7,"churn":0.3}]'::jsonb),
	(2, '{"r":0.8,"alpha":6,"s":1.4,"beta":12}', '[{"name":"season","purchase":0.25,"churn":-0.5}]')) v (set,
		params, effects);

-- independent values (quadrature, 34 digits): ln L with the factors of the purchases, P(alive), purchases expected and
-- discounted at 10 % a year in 3, 30 and 126 days
CREATE TEMP TABLE cases (name text, set int, days int[], until int, ln_l float8, p_alive float8, cet float8[],
	det float8[]);
INSERT INTO cases VALUES
('a', 1, '{3,17,45}', 100, -6.58961557677237, 0.681669549333473,
 '{0.0202320025736186,0.265787239498431,0.980040455937919}',
	'{0.0202240961387737,0.264586379374045,0.964779378938215}'),
('b', 1, '{7}', 100, -0.328955187765737, 0.563972843603749,
 '{0.00340151432573199,0.0446457235544375,0.164331841273974}',
	'{0.00340018509236839,0.0444440585418422,0.161774831338783}'),
('c', 1, '{2,9,30,99}', 100, -11.0526195626179, 0.997276913872289,
 '{0.0412758488129151,0.542357621357668,2.00070758036753}',
	'{0.0412597185674908,0.539907033537428,1.96954699061834}'),
('d', 1, '{99}', 100, -0.00472256551378123, 0.992916086086444,
 '{0.0139053317111153,0.1723498276386,0.577998611605504}',
	'{0.0138999091027967,0.171583531850017,0.569363719022324}'),
('f', 1, '{5,12,19}', 100, -6.80401494238814, 0.430243350658347,
 '{0.0128713764247264,0.169016220140472,0.6226693698123}',
	'{0.0128663465121275,0.168252677266504,0.612976891046558}'),
('g', 1, '{3,104}', 105, -5.23631234827306, 0.997345245881196,
 '{0.0174166418713914,0.245907738695833,0.847765406133639}',
	'{0.0174098354065642,0.244836423483678,0.834829343244682}'),
('a2', 2, '{3,17,45}', 100, -6.39414517536781, 0.423146616035092,
 '{NULL,0.227463524561459,0.735065581906714}', '{NULL,0.226554470946622,0.724464518204242}'),
('b2', 2, '{7}', 100, -0.629083704734267, 0.282098342396134,
 '{NULL,0.0443635724118283,0.142683202059034}', '{NULL,0.0441864212219982,0.140630563565068}');
INSERT INTO cases
SELECT 'e', 1, '{0}' || array_agg(i ORDER BY i), 100, -21.6661065078578, 0.700157134392617,
	   '{0.373777917487414,4.91348351094239,18.1408940333229}',
		'{0.373631846226766,4.89127979330275,17.8582495963733}'
FROM generate_series(1, 89, 2) i;

CREATE TEMP TABLE customers AS
SELECT c.*, m.model, date '2024-01-01' + c.until AS as_of,
	   (SELECT clv_history(date '2024-01-01' + day) FROM unnest(c.days) day) AS history
FROM cases c
JOIN models m USING (set);

-- the sum of 45 logarithms has a quadrature behind it whose error is absolute
SELECT name, abs(clv_log_likelihood(model, history, as_of) - ln_l) < 1e-9 AS ln_l,
	   pg_temp.close(clv_p_alive(model, history, as_of), p_alive) AS p_alive,
	   bool_and(pg_temp.close(clv_expected_purchases(model, history, make_interval(days => h), as_of),
		cet[i])) AS cet,
	   bool_and(pg_temp.close(clv_discounted_purchases(model, history, 0.1, make_interval(days => h), as_of),
		det[i])) AS det
FROM customers, (VALUES (1, 3), (2, 30), (3, 126)) v (i, h)
WHERE cet[i] IS NOT NULL
GROUP BY name, model, history, as_of, ln_l, p_alive
ORDER BY name;

-- for how long a step has lasted before the first purchase makes no difference
SELECT count(*) AS customers, max(abs(p[1] / p[2] - 1)) < 1e-13 AS same
FROM (SELECT array_agg(clv_p_alive(clv_model('pareto/nbd', '{"r":20,"alpha":1e-4,"s":0.5,"beta":1e-5}', '1 week',
				'2024-02-01', '[{"name":"z","purchase":0.7,"churn":0.3}]', calendar => calendar), history)
			ORDER BY begin) AS p
	  FROM unnest('{1800-01-01,2024-01-03}'::date[]) begin,
		   LATERAL (SELECT clv_calendar(day, ARRAY[z::float8], '{z}') AS calendar
					FROM (VALUES (begin, 0.37), ('2024-01-09', -0.9), ('2024-01-30', 0)) s (day, z)) c,
		   (SELECT first, last, clv_history(day) AS history
			FROM (VALUES (date '2024-01-07', date '2024-01-08'), ('2024-01-08', '2024-01-11'),
					('2024-01-03', '2024-01-31')) v (first, last), unnest(ARRAY[first, last]) day
			GROUP BY first, last) h
	  GROUP BY first) q;

-- new customers, by the day of their first purchase
SELECT day, bool_and(pg_temp.close((clv_new_customer(model, make_interval(days => h),
	as_of => date '2024-01-01' + day)).expected_purchases,
								   e)) AS expected
FROM models, (VALUES (3, 3, 0.0141358476442482), (3, 30, 0.188422982563319), (3, 126, 0.638466525158827),
					 (7, 3, 0.0141358476442482), (7, 30, 0.1893200058193), (7, 126, 0.651556183020504)) v (day, h, e)
WHERE set = 1
GROUP BY day
ORDER BY day;

-- what has several forms agrees: columns, curves, forecasts, probabilities, dates, totals
SELECT name,
	   pg_temp.close(p.expected_purchases, clv_expected_purchases(model, history, '90 days', as_of)) AS predict,
	   pg_temp.close((clv_purchase_curve(model, history, '{30 days,90 days}', as_of))[2],
		p.expected_purchases) AS curve,
	   pg_temp.close((SELECT sum(f.expected_purchases) FROM clv_forecast(model, history, 9, '10 days',
		as_of => as_of) f),
					 p.expected_purchases) AS forecast,
	   pg_temp.close((SELECT sum(n * clv_purchase_probability(model, history, n, '90 days', as_of))
					  FROM generate_series(0, 150) n), p.expected_purchases) AS probabilities,
	   pg_temp.close(clv_active_probability(model, history, '90 days', as_of),
					 1 - clv_purchase_probability(model, history, 0, '90 days', as_of)) AS active,
	   (SELECT pg_temp.close(total.expected_purchases, p.expected_purchases)
		FROM (SELECT (clv_predict_total(model, h, '90 days', 0, 1, as_of)).*
			FROM unnest(ARRAY[history]) h) total) AS total,
	   clv_survival(model, history, '90 days', as_of) < p.p_alive AS survival,
	   clv_p_alive(model, history, clv_lapse_date(model, history, 0.5, as_of)) < 0.5
		AND clv_p_alive(model, history, clv_lapse_date(model, history, 0.5, as_of) - 1) >= 0.5 AS lapse
FROM customers, clv_predict(model, history, '90 days', as_of => as_of) p
WHERE name IN ('a', 'b', 'f', 'a2')
ORDER BY name;

-- a forecast follows the weeks: given alive, purchases of a week are e^0.7 times as many where the season is
SELECT string_agg(CASE WHEN f.expected_purchases > 1.5 * lowest THEN '1' ELSE '0' END, ''
	ORDER BY f.period_start) AS season
FROM customers, LATERAL (SELECT f.*, min(f.expected_purchases) OVER () AS lowest
						 FROM clv_forecast(model, history, 20, '7 days', as_of => '2024-05-19') f) f
WHERE name = 'a';

-- effects of 0 are the plain model
SELECT pg_temp.close(p.expected_purchases, q.expected_purchases) AND pg_temp.close(p.p_alive, q.p_alive) AS none
FROM weeks, (VALUES ('pareto/nbd', '{"r":0.5,"alpha":15,"s":0.5,"beta":10}'::jsonb),
					('ggompertz/nbd', '{"r":0.6,"alpha":12,"b":0.03,"s":0.7,"beta":0.4}'),
					('bg/nbd', '{"r":0.4,"alpha":6,"a":0.9,"b":2.5}'),
					('mbg/nbd', '{"r":0.5,"alpha":6,"a":0.8,"b":2.4}')) f (family, params),
	 (SELECT clv_history(d::date) AS history FROM unnest('{2024-01-04,2024-01-20,2024-02-16}'::date[]) d) h,
	 clv_predict(clv_model(family, params, '1 week', '2024-04-10', '[{"name":"season"}]', calendar => calendar),
		history,
				 '90 days') p,
	 clv_predict(clv_model(family, params, '1 week', '2024-04-10'), history, '90 days') q;

-- probabilities that customers share are those of each alone, however customers, counts, horizons and days alternate
CREATE FUNCTION pg_temp.alone(model clv_model, history clv_history, n int, horizon interval, as_of date)
RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	p float8;
BEGIN
	EXECUTE 'SELECT clv_purchase_probability($1, $2, $3, $4, $5)' USING model, history, n, horizon, as_of INTO p;
	RETURN p;
END $$;
SELECT count(DISTINCT p) > 300 AS various, bool_and(p = pg_temp.alone(model, history, n, horizon, day)) AS same,
	   bool_and(pg_temp.close(1 - none, active)) AS active
FROM (SELECT model, history, n, horizon, as_of + later AS day,
			 clv_purchase_probability(model, history, n, horizon, as_of + later) AS p,
			 clv_purchase_probability(model, history, 0, horizon, as_of + later) AS none,
			 clv_active_probability(model, history, horizon, as_of + later) AS active
	  FROM generate_series(0, 9) n, unnest('{3 days,60 days}'::interval[]) horizon, unnest('{0,1,30}'::int[]) later,
		   customers OFFSET 0) q;
-- quantiles, of few purchases and of many, are where these probabilities add up to the level
SELECT min(q) AS fewest, max(q) > 20 AS many, bool_and(until >= level AND coalesce(before, 0) < level) AS reached
FROM (SELECT model, history, horizon, level, as_of + later AS day,
			 clv_purchase_quantile(model, history, horizon, level, as_of + later) AS q
	  FROM unnest('{0.3,0.9,0.999,0.9999}'::float8[]) level, unnest('{3 days,60 days,126 days}'::interval[]) horizon,
		   unnest('{0,30}'::int[]) later, customers OFFSET 0) c,
	 LATERAL (SELECT sum(p) AS until, sum(p) FILTER (WHERE n < q) AS before
			  FROM generate_series(0, q::int) n,
				   LATERAL (SELECT clv_purchase_probability(model, history, n, horizon, day) AS p) p) s;
SELECT n, pg_temp.close(clv_purchase_probability(by_calendar, history, n, '1 week'),
						clv_purchase_probability(plain, history, n, '1 week')) AS tiny
FROM weeks, generate_series(0, 7) n, (SELECT '{"r":0.5,"alpha":1e42,"s":0.5,"beta":10}'::jsonb AS params) f,
	 LATERAL (SELECT clv_model('pareto/nbd', params, '1 week', '2024-04-10', '[{"name":"season"}]',
							   calendar => calendar) AS by_calendar,
					 clv_model('pareto/nbd', params, '1 week', '2024-04-10') AS plain) m,
	 (SELECT clv_history(date '2024-01-04') AS history) h
ORDER BY n;

-- beyond the end: with one NOTICE; a year earlier, or the average where there is no year
SELECT clv_expected_purchases(model, history, '1 year', as_of) > 1 AS beyond
FROM customers
WHERE name IN ('a', 'c')
ORDER BY name;

CREATE TEMP TABLE years AS
SELECT clv_model('mbg/nbd', '{"r":0.5,"alpha":6,"a":0.8,"b":2.4}', '1 week', '2024-12-31',
				 '[{"name":"season","purchase":0.7}]', calendar => calendar) AS model, history
FROM (SELECT clv_calendar(make_date(y, m, 1), ARRAY[(m IN (11, 12))::int::float8], '{season}') AS calendar
	  FROM generate_series(2022, 2024) y, generate_series(1, 12) m) c,
	 (SELECT clv_history(d::date) AS history FROM unnest('{2024-01-04,2024-08-20,2024-12-01}'::date[]) d) h;

SELECT f.period_start, f.expected_purchases > 1.6 * lag(f.expected_purchases) OVER w AS rises,
	   f.expected_purchases < lag(f.expected_purchases) OVER w / 1.6 AS falls
FROM years, clv_forecast(model, history, 14, '30 days') f
WINDOW w AS (ORDER BY f.period_start);

-- steps to come
SELECT pg_temp.close(clv_expected_purchases(with_none, history, '59 days'),
					 clv_expected_purchases(model, history, '59 days')) AS as_a_year_earlier,
	   clv_expected_purchases(with_campaign, history, '59 days') > 1.5 * clv_expected_purchases(model, history,
		'59 days') AS more,
	   clv_with_calendar(with_campaign, later)::jsonb->'purchase'->'calendar'->'end' AS ends
FROM years,
	 (SELECT clv_calendar(since, v, '{season}') AS later FROM (VALUES (date '2025-01-01', '{0}'::float8[]),
		('2025-03-01', NULL)) r (since, v)) n,
	 (SELECT clv_calendar(since, v, '{season}') AS campaign FROM (VALUES (date '2024-06-01', '{1}'::float8[]),
		('2025-03-01', NULL)) r (since, v)) c,
	 LATERAL (SELECT clv_with_calendar(model, later) AS with_none, clv_with_calendar(model,
		campaign) AS with_campaign) w;
-- what was before as_of stays
SELECT clv_calendar_values((clv_with_calendar(model, calendar)::jsonb->'purchase'->'calendar')::clv_calendar,
	day::date) AS season, day
FROM years, (SELECT clv_calendar(since, v, '{season}') AS calendar
			 FROM (VALUES (date '2024-06-01', '{5}'::float8[]), ('2025-02-01', '{6}'), ('2025-03-01',
				NULL)) r (since, v)) c,
	 unnest('{2024-07-01,2024-12-31,2025-01-01,2025-02-01}'::date[]) day;

-- a season and a trend go on: a calendar of campaigns alone is enough, and each day has its campaigns, and the rest of
-- the same day a year earlier
CREATE TABLE made AS
SELECT clv_model('mbg/nbd', '{"r":0.5,"alpha":6,"a":0.8,"b":2.4}', '1 week', '2024-12-31',
				 '[{"name":"campaign","purchase":0.5}, {"name":"season_sin1","purchase":0.7},
				   {"name":"trend","purchase":0.1}]',
				 calendar => c) AS model,
	   c AS own
FROM (SELECT clv_calendar(since, v, '{campaign,season_sin1,trend}') AS c
	  FROM (SELECT day::date AS since,
				   ARRAY[(extract(month FROM day) = 11)::int, sin(i * 0.12), i / 52.0]::float8[] AS v
			FROM generate_series(timestamp '2022-01-03', '2026-02-23', '7 days') WITH ORDINALITY g (day, i)) w) q;
CREATE TABLE planned AS
SELECT clv_calendar(since, v, '{campaign}') AS c
FROM (VALUES (date '2022-01-03', '{0}'::float8[]), ('2025-03-05', '{1}'), ('2025-03-19', '{0}'),
			 ('2026-05-01', '{1}'), ('2026-05-10', NULL)) r (since, v);
SELECT count(*) AS days,
	   bool_and(clv_calendar_values(next, day::date) = clv_calendar_values(c, day::date)
		|| (clv_calendar_values(own,
			CASE WHEN day < '2026-03-02' THEN day ELSE day - interval '1 year' END::date))[2:3]) AS same
FROM made, planned,
	 LATERAL (SELECT (clv_with_calendar(model, c)::jsonb->'purchase'->'calendar')::clv_calendar AS next) n,
	 generate_series(timestamp '2025-01-01', '2026-05-09', '1 day') day;
-- until as_of it is the model's own; from the end of the later one on, the campaigns are those of a year earlier
SELECT bool_and(clv_calendar_values(next, day::date) = clv_calendar_values(own, day::date)) AS past,
	   next::jsonb->'end' AS ends
FROM made, planned,
	 LATERAL (SELECT (clv_with_calendar(model, c)::jsonb->'purchase'->'calendar')::clv_calendar AS next) n,
	 generate_series(timestamp '2022-01-03', '2024-12-31', '1 day') day
GROUP BY next;
SELECT clv_calendar_values(next, '2025-06-01') AS campaign_ends,
	   clv_calendar_values(next, '2025-11-20') AS a_year_earlier,
	   next::jsonb->'end' AS ends
FROM made,
	 LATERAL (SELECT (clv_with_calendar(model, clv_calendar(since, v, '{campaign}'))::jsonb->'purchase'
		->'calendar')::clv_calendar AS next
			  FROM (VALUES (date '2024-01-01', '{0}'::float8[]), ('2024-11-01', '{1}'), ('2024-12-01', '{0}'),
						   ('2025-06-01', NULL)) r (since, v)) n;
SELECT clv_with_calendar(model, clv_calendar('2025-01-01', '{1}', '{price}')) FROM made GROUP BY model;
SELECT clv_with_calendar(model, clv_calendar('2026-06-01', '{1}', '{campaign}')) FROM made GROUP BY model;

-- standard errors of totals count those of effects: with one of these alone, 0.1, they are 0.1 times the derivative
SELECT which, abs(t.purchases_std_error / (0.1 * abs(up.purchases - down.purchases) / 2e-3) - 1) < 1e-5 AS delta
FROM (VALUES ('purchase', '[[0],[0,0],[0,0,0],[0,0,0,0],[0,0,0,0,0.01],[0,0,0,0,0,0]]'::jsonb),
			 ('churn', '[[0],[0,0],[0,0,0],[0,0,0,0],[0,0,0,0,0],[0,0,0,0,0,0.01]]')) v (which, covariance),
	 LATERAL (SELECT model::jsonb AS json FROM models WHERE set = 1) m,
	 LATERAL (SELECT (clv_predict_total(jsonb_set(json, '{purchase,covariance}', covariance)::clv_model, history,
		'90 days',
										0, 1, as_of)).*
			  FROM customers
			  WHERE set = 1) t,
	 LATERAL (SELECT sum(clv_expected_purchases(jsonb_set(json, ARRAY['purchase', 'covariates', '0', which],
														  to_jsonb((json#>>ARRAY['purchase', 'covariates', '0',
															which])::float8 + 1e-3))::clv_model,
												history, '90 days', as_of)) AS purchases
			  FROM customers
			  WHERE set = 1) up,
	 LATERAL (SELECT sum(clv_expected_purchases(jsonb_set(json, ARRAY['purchase', 'covariates', '0', which],
														  to_jsonb((json#>>ARRAY['purchase', 'covariates', '0',
															which])::float8 - 1e-3))::clv_model,
												history, '90 days', as_of)) AS purchases
			  FROM customers
			  WHERE set = 1) down;

-- simulated customers follow the model's own calendar
SELECT count(*) > 1200 AS many, count(*) FILTER (WHERE o.customer IS NULL OR g.customer IS NULL) AS differ
FROM (SELECT s.* FROM models, clv_simulate(model, 1000, '2024-01-01', '2024-09-30', 7) s WHERE set = 1) o
FULL JOIN (SELECT s.*
		   FROM models, weeks, clv_simulate(model, 1000, '2024-01-01', '2024-09-30', 7, calendar) s
		   WHERE set = 1) g ON o.customer = g.customer AND o.day = g.day;

-- the model as JSON and as bytes
SELECT model::jsonb::clv_model = model AS json, model::text::clv_model = model AS text,
	   model::jsonb->'purchase'->'covariates' AS covariates
FROM models
WHERE set = 1;
SELECT set, e.* FROM models, clv_effects(model) e ORDER BY set, process DESC;
SELECT e.* FROM years, clv_effects(model) e;

-- errors
SELECT clv_p_alive(model, 2, 3, 10) FROM models;
SELECT clv_expected_purchases(model, 10) FROM models;
SELECT clv_p_alive(model, (SELECT clv_history(date '2023-12-31')), '2024-02-01') FROM models;
SELECT clv_p_alive(model, history, as_of, '{1}') FROM customers;
SELECT clv_with_calendar(clv_model('mbg/nbd', '{"r":0.5,"alpha":6,"a":0.8,"b":2.4}', '1 week'), calendar) FROM weeks;
SELECT clv_with_calendar(model, calendar) FROM years, weeks;
SELECT clv_with_calendar(model, '{"version":1,"names":["season"],"steps":[["2025-01-02",1],["2025-02-01",0]]}')
	FROM years;
SELECT clv_with_calendar(model, '{"version":1,"names":["price"],"steps":[["2025-01-01",1],["2025-02-01",0]]}')
	FROM years;
SELECT clv_model('mbg/nbd', '{"r":0.5,"alpha":6,"a":0.8,"b":2.4}', '1 week', NULL,
	'[{"name":"season","churn":0.7}]', calendar => calendar) FROM weeks;
SELECT clv_model('mbg/nbd', '{"r":0.5,"alpha":6,"a":0.8,"b":2.4}', '1 week', NULL, '[{"name":"price"}]',
	calendar => calendar) FROM weeks;
SELECT clv_model('bg/bb', '{"alpha":0.5,"beta":6,"gamma":0.8,"delta":2.4}', '1 week', NULL, '[{"name":"season"}]',
	calendar => calendar) FROM weeks;

-- P(alive): what customers of one day and number of purchases share is theirs. A calendar without effects is none, for
-- those who bought never again, a few or many times, on the last day, on the first of a step, long ago, every day
CREATE TEMP TABLE buyers AS
SELECT n, clv_history(day) AS history
FROM generate_series(1, 300) n,
	 LATERAL (SELECT date '2018-01-01' + n % 17 AS first, n % 25 AS more, 1 + n * 7919 % 900 AS span) c,
	 LATERAL (SELECT first AS day UNION SELECT first + (span * i / more)::int FROM generate_series(1, more) i) d
GROUP BY n;
INSERT INTO buyers
SELECT 1000 + silent, clv_history('2020-12-31'::date - silent - i)
FROM unnest('{0,1,9,40,300,1000,1500}'::int[]) silent, generate_series(0, 790) i
GROUP BY silent;
CREATE TEMP TABLE six_years AS
SELECT clv_calendar(day::date, ARRAY[i % 3, i % 7]::float8[], '{one,other}') AS calendar
FROM generate_series(timestamp '2014-01-06', '2020-12-31', '7 days') WITH ORDINALITY w (day, i);
CREATE TEMP TABLE worlds AS
SELECT family, clv_model(family, p::jsonb, '1 week', '2020-12-31') AS plain,
	   clv_model(family, p::jsonb, '1 week', '2020-12-31', '[{"name":"one"},{"name":"other"}]',
		   calendar => calendar) AS by_calendar,
	   clv_model(family, p::jsonb, '1 week', '2020-12-31', '[{"name":"own","purchase":0.4,"churn":-0.3},
		   {"name":"one","purchase":0.5,"churn":0.4},{"name":"other","purchase":-0.1}]',
		   calendar => calendar) AS personal
FROM six_years, (VALUES ('pareto/nbd', '{"r":0.6,"alpha":10,"s":0.6,"beta":12}'),
					('ggompertz/nbd', '{"r":0.6,"alpha":10,"b":0.02,"s":0.5,"beta":3}'),
					('pareto/nbd', '{"r":0.6,"alpha":0.01,"s":3,"beta":500}')) v (family, p);
SELECT family, count(*), bool_and(p = q OR abs(p / nullif(q, 0) - 1) < 1e-11) AS same,
	   count(*) FILTER (WHERE p < 1e-250) AS hardly, count(*) FILTER (WHERE p = 0) AS never
FROM worlds, buyers, LATERAL (VALUES (clv_p_alive(by_calendar, history), clv_p_alive(plain, history))) v (p, q)
GROUP BY family, plain::text
ORDER BY family, plain::text;
-- with covariates of customers, in turns, and with those of one kind alone
SELECT family, max(abs(a / b - 1)) < 1e-14 AS same, count(DISTINCT a) > 400 AS differ
FROM (SELECT family, clv_p_alive(personal, history, NULL, ARRAY[n % 2 + w]) AS a,
			 clv_p_alive(clv_with_covariates(personal, ARRAY[n % 2 + w]), history) AS b
	  FROM (SELECT * FROM worlds, buyers, generate_series(0, 1) w WHERE n < 1000 ORDER BY family, n, w) s) t
GROUP BY family
ORDER BY family;
