-- Fits whose covariates follow a calendar: cells, known effects, what changes nothing, errors.
-- A simulated shop: 900 customers, months of a campaign in which everybody buys twice as often. Customers leave at a
-- rate of their own. Numbers are drawn by hashing, so that they are the same everywhere.
CREATE FUNCTION pg_temp.uniform(text) RETURNS float8
LANGUAGE sql AS $$ SELECT (('x' || substr(md5($1), 1, 12))::bit(48)::int8 + 0.5) / 2 ^ 48 $$;

CREATE TEMP TABLE months AS
SELECT make_date(2021 + m / 12, m % 12 + 1, 1) AS since, (m * 7 % 5 = 1)::int::float8 AS campaign, m % 12 AS price
FROM generate_series(0, 35) m;
CREATE TEMP TABLE calendars AS
SELECT clv_calendar(since, ARRAY[campaign], '{campaign}') AS campaigns,
	   clv_calendar(since, ARRAY[campaign, price], '{campaign,price}') AS two
FROM months;

-- a purchase on a day with probability rate x campaign, until the customer leaves
CREATE TEMP TABLE orders AS
SELECT id AS customer, day
FROM (SELECT i AS id, date '2021-01-15' + i % 340 AS first,
			 0.06 * (-ln(pg_temp.uniform('r' || i))) AS rate,
				-ln(pg_temp.uniform('l' || i)) * (100 + 900 * (i % 2)) AS life
	  FROM generate_series(1, 900) i) c,
	 LATERAL (SELECT first AS day UNION ALL
			  SELECT first + d
			  FROM generate_series(1, least(life::int, date '2023-06-30' - first)) d,
				   LATERAL (SELECT campaign FROM months WHERE since <= first + d ORDER BY since DESC LIMIT 1) m
			  WHERE pg_temp.uniform(id || ' ' || d) < rate * exp(0.7 * campaign)) p;
CREATE TEMP TABLE histories AS SELECT customer, clv_history(day) AS history FROM orders GROUP BY customer;

-- effects, with the other families of the same data; the campaign multiplies rates by 2
CREATE TEMP TABLE fits AS
SELECT family, clv_fit(history, clv_options(model => family, spend => 'none', as_of => '2023-06-30',
	calendar => campaigns)) AS model,
	   clv_fit(history, clv_options(model => family, spend => 'none', as_of => '2023-06-30')) AS plain
FROM histories, calendars, unnest('{bg/nbd,mbg/nbd,pareto/nbd}'::text[]) family
GROUP BY family;
SELECT family, name, process,
	abs(effect - CASE process WHEN 'purchase' THEN 0.7 ELSE 0 END) < 3 * std_error AS recovered,
	   std_error < CASE process WHEN 'purchase' THEN 0.05 ELSE 0.5 END AS precise,
	   abs(rate_ratio - exp(effect)) < 1e-12 AS ratio,
		abs((upper - lower) / (2 * std_error) - 1.959963984540054) < 1e-9 AS limits
FROM fits, clv_effects(model)
ORDER BY family, process DESC;
SELECT family, p.name, p.process, p.std_error IS NOT NULL AS estimated
FROM fits, clv_parameters(model) p
WHERE p.name = 'campaign'
ORDER BY family, p.process;

-- better than the plain model by a likelihood-ratio test, which knows how many effects there are
SELECT family, df, p_value < 1e-30 AS better, larger
FROM fits, clv_compare(plain, model)
ORDER BY family;
-- the log-likelihood is the sum over customers, factors of the purchases included
SELECT family, abs(sum(clv_log_likelihood(model,
	history)) / (clv_diagnostics(model)).log_likelihood - 1) < 1e-10 AS sum
FROM fits, histories
GROUP BY family, model
ORDER BY family;
-- campaign months have more purchases in the forecast as well; the total of the hold-out is near
SELECT family, abs(t.expected_purchases / actual - 1) < 0.06 AS near
FROM fits, LATERAL (
	SELECT clv_fit(h, clv_options(model => family, spend => 'none', as_of => '2022-12-31',
		calendar => campaigns)) AS earlier
	FROM (SELECT clv_history(day) FROM orders WHERE day <= '2022-12-31' GROUP BY customer) o (h), calendars) e,
		LATERAL (
	SELECT (clv_predict_total(earlier, history, '181 days')).*
	FROM histories) t,
	(SELECT count(*) AS actual FROM orders WHERE day > '2022-12-31') a
ORDER BY family;

-- what changes nothing: a step that is split, covariates in another unit or from another zero, the order of rows
SELECT family,
	   bool_and(abs(d.log_likelihood - o.log_likelihood) < 1e-7) AS likelihood,
		bool_and(abs(e.effect * unit - f.effect) < 1e-6) AS effect
FROM fits, clv_effects(model) f, clv_diagnostics(model) o, LATERAL (
	SELECT unit, clv_fit(history, clv_options(model => family, spend => 'none', as_of => '2023-06-30',
		calendar => other)) AS changed
	FROM histories, (
		SELECT unit, clv_calendar(since, ARRAY[zero + unit * campaign], '{campaign}') AS other
		FROM (SELECT since, campaign FROM months UNION ALL SELECT since + 13, campaign FROM months) s, (VALUES (1,
			0), (100, 7), (-1, 1e6)) v (unit, zero)
		GROUP BY unit) c
	GROUP BY unit) c, clv_effects(changed) e, clv_diagnostics(changed) d
WHERE e.process = 'purchase' AND f.process = 'purchase'
GROUP BY family
ORDER BY family;

-- covariates that act on one process, or on none
SELECT acts, string_agg(name || ' on ' || process, ', ' ORDER BY process DESC, name) AS effects,
	   (SELECT df FROM clv_compare((SELECT plain FROM fits WHERE family = 'pareto/nbd'), model)) AS df
FROM (SELECT 'purchases' AS acts, clv_fit(history, clv_options(model => 'pareto/nbd', spend => 'none',
	as_of => '2023-06-30',
																calendar => two, churn_covariates => '{}')) AS model
	  FROM histories, calendars
	  UNION ALL
	  SELECT 'one each', clv_fit(history, clv_options(model => 'pareto/nbd', spend => 'none', as_of => '2023-06-30',
		calendar => two,
													   purchase_covariates => '{campaign}',
														churn_covariates => '{price}'))
	  FROM histories, calendars
	  UNION ALL
	  SELECT 'penalised', clv_fit(history, clv_options(model => 'pareto/nbd', spend => 'none',
		as_of => '2023-06-30', calendar => two,
														penalty => 1))
	  FROM histories, calendars) m, clv_effects(model)
GROUP BY acts, model
ORDER BY acts;

-- cells: as text, as jsonb, in parts; another calendar for the same cells, or none
CREATE TEMP TABLE counted AS
SELECT clv_cells(history, clv_options(model => 'mbg/nbd', spend => 'none', as_of => '2023-06-30',
	calendar => campaigns)) AS cells,
	   clv_cells(history, clv_options(model => 'mbg/nbd', spend => 'none', as_of => '2023-06-30',
		calendar => campaigns))
		FILTER (WHERE customer % 3 = 0) AS third,
	   clv_cells(history, clv_options(model => 'mbg/nbd', spend => 'none', as_of => '2023-06-30',
		calendar => campaigns))
		FILTER (WHERE customer % 3 > 0) AS others
FROM histories, calendars;
SELECT cells::text::clv_cells = cells AS text, cells::jsonb::clv_cells = cells AS json,
	third + others = cells AS plus, cells - third = others AS minus
FROM counted;
SELECT (SELECT clv_fit(c) FROM unnest(ARRAY[third, others]) c) = (SELECT clv_fit(cells) FROM counted) AS merged,
	   (SELECT model = clv_fit(cells) FROM counted, fits WHERE family = 'mbg/nbd' GROUP BY model) AS counted,
	   (SELECT plain = clv_fit(cells, clv_options(spend => 'none')) FROM counted, fits WHERE family = 'mbg/nbd'
		GROUP BY plain) AS without,
	   (SELECT count(*)
		FROM (SELECT clv_fit(cells, clv_options(spend => 'none', calendar => two)) AS m FROM counted, calendars) f,
			 clv_effects(m)) AS two
FROM counted;

-- seasons and trends that the fit makes itself: known ones of a simulated shop, whose fourth year is forecast
CREATE TEMP TABLE shop AS
SELECT s.customer, s.day
FROM (SELECT clv_calendar(day::date, ARRAY[sin(angle), cos(angle), (day::date - date '2023-12-31' + 3.5) / 365.25],
						  '{sin,cos,trend}') AS calendar
	  FROM generate_series(timestamp '2021-01-04', '2024-12-30', '7 days') day,
		   LATERAL (SELECT 2 * pi() * (day::date - date '2000-01-01' + 3.5) / 365.25 AS angle) a) c,
	 clv_simulate(clv_model('mbg/nbd', '{"r":0.6,"alpha":10,"a":0.3,"b":2.0}', '1 week', NULL,
							'[{"name":"sin","purchase":0.35},{"name":"cos","purchase":0.4},
							  {"name":"trend","purchase":0.2}]', calendar => calendar),
				  800, '2021-01-04', '2024-12-31', 3, acquired_until => '2022-06-30') s;
CREATE TEMP TABLE until_then AS
SELECT customer, clv_history(day) AS history FROM shop WHERE day <= '2023-12-31' GROUP BY customer;
CREATE TEMP TABLE seasons AS
SELECT name, clv_fit(history, options) AS model
FROM until_then,
	 (VALUES ('none', clv_options(spend => 'none', as_of => '2023-12-31')),
			 ('one', clv_options(spend => 'none', as_of => '2023-12-31', season => '1', trend => 'true')),
			 ('month', clv_options(spend => 'none', as_of => '2023-12-31', season => 'month')),
			 ('trend', clv_options(spend => 'none', as_of => '2023-12-31', trend => 'true')),
			 ('auto', clv_options(spend => 'none', as_of => '2023-12-31', season => 'auto',
				trend => 'auto'))) o (name, options)
GROUP BY name;
SELECT e.name, process, abs(effect - truth) < 3 * std_error AS recovered, std_error < 0.05 AS precise
FROM seasons s, clv_effects(model) e,
	 (VALUES ('season_sin1', 0.35), ('season_cos1', 0.4), ('trend', 0.2)) v (name, truth)
WHERE s.name = 'one' AND e.name = v.name
ORDER BY e.name;
SELECT name, (SELECT count(*) FROM clv_effects(model)) AS effects FROM seasons ORDER BY name;
-- auto has found what was simulated
SELECT (SELECT model FROM seasons WHERE name = 'auto') = (SELECT model FROM seasons WHERE name = 'one') AS auto;
-- months of the year after, and its total, by the plain model and with season and trend
SELECT name, avg(abs(expected - actual)) / avg(actual) < 0.13 AS months_within_13,
	abs(sum(expected) / sum(actual) - 1) < 0.07 AS total_within_7
FROM (SELECT name, date_trunc('month', period_start) AS month, sum(f.expected_purchases) AS expected
	  FROM seasons, until_then, clv_forecast(model, history, 366, '1 day') f
	  WHERE name IN ('none', 'auto')
	  GROUP BY name, month) f
JOIN (SELECT date_trunc('month', day) AS month, count(*) AS actual
	  FROM shop
	  WHERE day > '2023-12-31' AND customer IN (SELECT customer FROM until_then)
	  GROUP BY month) a USING (month)
GROUP BY name
ORDER BY name;
-- back-tests and tracking follow the season
CREATE TEMP TABLE whole AS SELECT customer, clv_history(day) AS history FROM shop GROUP BY customer;
SELECT abs((SELECT total_error FROM clv_backtest('whole', 'history', '2023-12-31', '1 year',
												 clv_options(spend => 'none', season => '1',
													trend => 'true')))) < 0.1 AS season,
	   abs((SELECT total_error FROM clv_backtest('whole', 'history', '2023-12-31', '1 year',
												 clv_options(spend => 'none')))) > 0.15 AS plain;
SELECT name, sum(abs(t.expected - t.actual)) / sum(t.actual) < 0.15 AS months_within_15
FROM seasons, clv_tracking('whole', 'history', model, '1 month') t
WHERE name IN ('one', 'none')
GROUP BY name
ORDER BY name;

-- a season goes on by itself; the trend goes on for half of three years, and is level then
SELECT round((clv_calendar_values(calendar, '2024-06-30'))[3]::numeric, 2) AS half_a_year,
	   round((clv_calendar_values(calendar, '2026-02-01'))[3]::numeric, 2) AS later, calendar::jsonb->'end' AS ends
FROM seasons, LATERAL (SELECT (model::jsonb->'purchase'->'calendar')::clv_calendar AS calendar) c
WHERE name = 'one';
-- together with a calendar; no season in a shop that has none
SELECT string_agg(DISTINCT name, ', ' ORDER BY name) AS names
FROM (SELECT clv_fit(history, clv_options(model => 'pareto/nbd', spend => 'none', as_of => '2023-06-30',
	calendar => campaigns,
										  season => '1', trend => 'true')) AS model
	  FROM histories, calendars) m, clv_effects(model);
SELECT count(*) AS effects
FROM (SELECT clv_fit(history, clv_options(spend => 'none', as_of => '2022-06-30', season => 'auto')) AS model
	  FROM (SELECT clv_history(day) AS history
			FROM clv_simulate(clv_model('mbg/nbd', '{"r":0.6,"alpha":10,"a":0.3,"b":2.0}', '1 week'), 500,
				'2021-01-01',
							  '2022-06-30', 5) s
			GROUP BY customer) h) m, clv_effects(model);

-- in less than fifteen months there is no choice
SELECT count(*) AS effects
FROM (SELECT clv_fit(history, clv_options(spend => 'none', as_of => '2021-12-31', season => 'auto')) AS model
	  FROM (SELECT clv_history(day) AS history
			FROM clv_simulate(clv_model('mbg/nbd', '{"r":0.6,"alpha":10,"a":0.3,"b":2.0}', '1 week'), 500,
				'2021-01-01', '2021-12-31', 5) s
			GROUP BY customer) h) m, clv_effects(model);

-- months are among what 'auto' chooses from: of a shop whose sales fall at the turn of the year, as if asked for
CREATE TEMP TABLE cliff AS
SELECT clv_history(s.day) AS history
FROM (SELECT clv_calendar(make_date(2021 + m / 12, m % 12 + 1, 1),
						  ARRAY[ln((ARRAY[0.8, 0.5, 0.6, 0.8, 0.9, 0.8, 0.7, 0.8, 1.1, 1.5, 2.5, 1.9])[m % 12 + 1])],
						  '{season}') AS calendar
	  FROM generate_series(0, 35) m) c,
	 clv_simulate(clv_model('mbg/nbd', '{"r":0.9,"alpha":9,"a":0.3,"b":2.0}', '1 week', NULL,
							'[{"name":"season","purchase":1}]', calendar => calendar),
				  500, '2021-01-01', '2023-12-31', 1, acquired_until => '2022-06-30') s
GROUP BY s.customer;
SELECT clv_fit(history, clv_options(spend => 'none', as_of => '2023-12-31', season => 'auto', trend => 'auto'))
	   = clv_fit(history, clv_options(spend => 'none', as_of => '2023-12-31', season => 'month')) AS months
FROM cliff;
-- where a calendar leaves no room for a level a month, harmonics are
SELECT string_agg(DISTINCT left(name, 10), ' ' ORDER BY left(name, 10)) AS harmonics
FROM (SELECT clv_fit(history, clv_options(spend => 'none', as_of => '2023-12-31', season => 'auto',
										  calendar => own)) AS m
	  FROM cliff, (SELECT clv_calendar(date '2021-01-01' + 7 * w, ARRAY[(w % 5 = 0)::int, (w % 7 = 0)::int,
							(w % 11 = 0)::int, (w % 13 = 0)::int, (w % 17 = 0)::int, (w % 19 = 0)::int],
							'{a,b,c,d,e,f}') AS own
				   FROM generate_series(0, 160) w) c) f, clv_effects(m)
WHERE name LIKE 'season%';
-- 'auto' chooses among the families that can follow a calendar, and then the season
SELECT m.purchase_model = 'mbg/nbd' AS family, (SELECT count(*) FROM clv_effects(model)) AS effects,
	   (SELECT string_agg(c->>'family', ', ' ORDER BY c->>'family')
		FROM jsonb_array_elements(m.candidates) c) AS candidates,
	   log_likelihood = (SELECT (clv_diagnostics(s.model)).log_likelihood FROM seasons s WHERE name = 'one') AS same
FROM (SELECT clv_fit(history, clv_options(model => 'auto', spend => 'none', as_of => '2023-12-31', season => 'auto',
										  trend => 'auto')) AS model
	  FROM until_then) f, clv_diagnostics(model) m;
-- where everybody buys in the season, nobody leaves in it: the effect on churn has no limit, which is said
CREATE TEMP TABLE busy AS
SELECT clv_calendar(make_date(2021 + m / 12, m % 12 + 1, 1), ARRAY[(m % 6 = 5)::int], '{season}') AS calendar
FROM generate_series(0, 35) m;
CREATE TEMP TABLE ever AS
SELECT id, clv_history(day) AS history
FROM (SELECT id, first + d AS day
	  FROM (SELECT i AS id, date '2021-01-03' + i * 7 % 150 AS first, 0.03 * (-ln(pg_temp.uniform('r' || i))) AS rate,
				   -ln(pg_temp.uniform('l' || i)) * (100 + 500 * (i % 2)) AS life
			FROM generate_series(1, 600) i) c,
		   LATERAL (SELECT first + life::int AS ends) e,
		   generate_series(0, least(CASE WHEN extract(month FROM ends)::int % 6 = 0 THEN date_trunc('month',
			ends + 31)::date ELSE ends END, date '2023-11-30') - first) d
	  WHERE d = 0 OR extract(month FROM first + d)::int % 6 = 0 OR pg_temp.uniform(id || ' ' || d) < rate) o
GROUP BY id;
-- where it has stopped is of no interest
\set VERBOSITY terse
SELECT e.name, e.process, abs(effect) > 1 AS large, converged
FROM (SELECT clv_fit(history, clv_options(model => 'pareto/nbd', spend => 'none', as_of => '2023-11-30',
	calendar => calendar)) AS model FROM ever, busy) f,
	 clv_effects(model) e, clv_diagnostics(model);
\set VERBOSITY default

-- numbers and truth values are taken as they are written, in options and in JSON
SELECT clv_options(season => 2, trend => true) = clv_options(season => '2', trend => 'true') AS same,
	   clv_options(season => 0, trend => false) = clv_options() AS none,
	   clv_options(season => 'month'::text, trend => 'auto'::varchar) = clv_options(season => 'month', trend => 'auto')
	   AS words;
SELECT clv_cells(history, '{"season":2,"trend":true}') = clv_cells(history, clv_options(season => 2, trend => true))
	   AS json
FROM (SELECT clv_history(date '2020-01-01') AS history) h;
PREPARE season AS SELECT clv_options(season => $1);
EXECUTE season(3);
EXECUTE season('auto');
DEALLOCATE season;

-- errors
SELECT clv_options(season => '7');
SELECT clv_options(season => 7);
SELECT clv_options(model => 'pareto/nbd', churn_covariates => '{}');
SELECT clv_options(model => 'pareto/nbd', season => 1, churn_covariates => '{}');
SELECT clv_options(season => true);
SELECT clv_options(trend => 'yes');
SELECT clv_options(trend => 1);
SELECT clv_cells(history, '{"season":2.5}') FROM until_then;
SELECT clv_cells(history, '{"season":[2]}') FROM until_then;
SELECT clv_cells(history, '{"model":true}') FROM until_then;
SELECT clv_options(season => '2', model => 'bg/bb');
SELECT clv_fit(2, 3, 10, NULL, clv_options(season => 'month'));
SELECT clv_fit(history, clv_options(spend => 'none', as_of => '2021-12-31', season => '1')) FROM until_then;
SELECT clv_fit(history, clv_options(spend => 'none', trend => 'true'))
FROM (SELECT history FROM until_then
	UNION ALL SELECT clv_history(d) FROM unnest('{0024-01-01,2023-01-01}'::date[]) d) o;
SELECT clv_fit(history, clv_options(spend => 'none', as_of => '2022-07-31', season => '1',
	trend => 'true')) IS NOT NULL AS warned
FROM until_then;

SELECT clv_options(model => 'bg/bb', calendar => campaigns) FROM calendars;
-- correlated rates follow one: without correlation as pareto/nbd, with it not
SELECT max(abs(clv_p_alive(none, history) - clv_p_alive(plain, history))) < 1e-12 AS p_alive,
	   max(abs(clv_expected_purchases(none, history, '90 days')
		- clv_expected_purchases(plain, history, '90 days'))) < 1e-12 AS expected,
	   max(abs(clv_expected_purchases(tied, history, '90 days')
		- clv_expected_purchases(plain, history, '90 days'))) > 1e-3 AS tied
FROM histories, (
	SELECT clv_model('pareto/nbd/cor', p || '{"m":0}', '1 week', '2023-06-30', c, calendar => campaigns) AS none,
		   clv_model('pareto/nbd/cor', p || '{"m":3}', '1 week', '2023-06-30', c, calendar => campaigns) AS tied,
		   clv_model('pareto/nbd', p, '1 week', '2023-06-30', c, calendar => campaigns) AS plain
	FROM calendars, (VALUES ('{"r":0.9,"alpha":2.4,"s":0.7,"beta":50}'::jsonb,
		'[{"name":"campaign","purchase":0.7,"churn":0.4}]'::jsonb)) v (p, c)) m
WHERE customer <= 60;
SELECT clv_options(calendar => campaigns, purchase_covariates => '{price}') FROM calendars;
SELECT clv_options(calendar => campaigns, churn_covariates => '{NULL}') FROM calendars;
SELECT clv_options(purchase_covariates => '{price}');
SELECT clv_fit(2, 3, 10, NULL, clv_options(calendar => campaigns)) FROM calendars;
SELECT clv_fit(history, clv_options(spend => 'none', calendar => calendar))
FROM histories, (SELECT clv_calendar(since, ARRAY[campaign], '{campaign}') AS calendar FROM months
	WHERE since > '2021-02-01') c;
SELECT clv_fit(history, clv_options(spend => 'none', calendar => calendar, as_of => '2023-06-30'))
FROM histories, (SELECT clv_calendar(since, ARRAY[campaign], '{campaign}') AS calendar FROM months
	WHERE since < '2023-05-01') c;
SELECT clv_fit(history, clv_options(spend => 'none', calendar => calendar, as_of => '2023-06-30'))
FROM histories, (SELECT clv_calendar(since, ARRAY[campaign, (since < '2023-07-01')::int],
	'{campaign,constant}') AS calendar FROM months) c;
SELECT clv_fit(history, clv_options(spend => 'none', calendar => calendar, as_of => '2023-06-30'))
FROM histories, (SELECT clv_calendar(since, ARRAY[campaign, 3 - campaign], '{campaign,again}') AS calendar
	FROM months) c;
-- what differs outside of the data alone does not count
SELECT clv_fit(history, clv_options(spend => 'none', calendar => calendar, as_of => '2023-06-30'))
FROM histories, (SELECT clv_calendar(since, ARRAY[campaign, CASE WHEN since < '2023-06-30' THEN campaign ELSE 7 END],
	'{campaign,later}') AS calendar FROM months) c;
SELECT clv_fit(clv_cells, clv_options(spend => 'none', calendar => campaigns))
FROM (SELECT clv_cells(history, clv_options(spend => 'none', shock => false)) FROM histories) c, calendars;
-- cells count purchases by day otherwise, which a calendar needs, and not by the times between them
SELECT clv_fit(cells, clv_options(spend => 'none', calendar => campaigns)) = (
		   SELECT clv_fit(history, clv_options(spend => 'none', calendar => campaigns)) FROM histories) AS same
FROM (SELECT clv_cells(history, clv_options(spend => 'none')) AS cells FROM histories) c, calendars
GROUP BY campaigns, cells;
SELECT clv_fit(cells, clv_options(spend => 'none', calendar => campaigns))
FROM (SELECT clv_cells(history, clv_options(model => 'mbg/cnbd-k', spend => 'none')) AS cells FROM histories) c,
	 calendars;
SELECT third + plain
FROM counted, (SELECT clv_cells(history, clv_options(spend => 'none', as_of => '2023-06-30')) AS plain
	FROM histories) p;
SELECT third + plain
FROM counted, (SELECT clv_cells(history, clv_options(spend => 'none', as_of => '2023-06-30', shock => false)) AS plain
	FROM histories) p;
SELECT (jsonb_set(cells::jsonb, '{days,0,1}', '99'))::clv_cells FROM counted;
SELECT (cells::jsonb - 'days')::clv_cells FROM counted;
SELECT others - cells FROM counted;

-- no customer leaves, and the fit with the trend ends at a border of the parameters: chosen where its BIC is better
SET client_min_messages = error;
SELECT name, effect BETWEEN 0.1 AND 0.3 AS recovered
FROM (SELECT clv_fit(history, clv_options(model => 'pareto/nbd', spend => 'none', as_of => '2018-12-31',
			trend => 'auto')) AS model
	  FROM (SELECT clv_history(day) AS history
			FROM clv_simulate('{"version": 1, "time_unit": "1 month", "purchase": {"family": "pareto/nbd",
					"parameters": {"r": 1.5, "alpha": 3, "s": 0.01, "beta": 100},
					"covariates": [{"name": "growth", "centre": 0, "purchase": 0.2}]}}'::clv_model, 100, '2016-01-01',
					'2018-12-31', 21,
					(SELECT clv_calendar((date '2016-01-01' + m * interval '1 month')::date, ARRAY[m / 12.0],
						'{growth}')
					 FROM generate_series(0, 37) m), acquired_until => '2017-06-30')
			GROUP BY customer) h) f, clv_effects(model);
RESET client_min_messages;
