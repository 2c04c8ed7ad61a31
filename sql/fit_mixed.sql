-- Covariates of customers together with a calendar, season or trend: known effects, what must equal what, errors.
-- A simulated shop: 800 customers, months of a campaign in which everybody buys twice as often, members who buy half as
-- often again. Numbers are drawn by hashing, so that they are the same everywhere.
CREATE FUNCTION pg_temp.uniform(text) RETURNS float8
LANGUAGE sql AS $$ SELECT (('x' || substr(md5($1), 1, 12))::bit(48)::int8 + 0.5) / 2 ^ 48 $$;
CREATE TEMP TABLE months AS
SELECT make_date(2021 + m / 12, m % 12 + 1, 1) AS since, (m * 7 % 5 = 1)::int::float8 AS campaign
FROM generate_series(0, 35) m;
CREATE TEMP TABLE calendars AS
SELECT clv_calendar(since, ARRAY[campaign], '{campaign}') AS campaigns,
	   clv_calendar(since, '{1}', '{always}') AS always
FROM months;
CREATE TEMP TABLE histories AS
SELECT id AS customer, clv_history(day) AS history, ARRAY[id % 2, age] AS z
FROM (SELECT i AS id, date '2021-01-15' + i % 340 AS first, (i % 7)::float8 AS age,
			 0.05 * (-ln(pg_temp.uniform('r' || i))) * exp(0.4 * (i % 2)) AS rate,
				-ln(pg_temp.uniform('l' || i)) * (100 + 900 * (i % 3 % 2)) AS life
	  FROM generate_series(1, 800) i) c,
	 LATERAL (SELECT first AS day UNION ALL
			  SELECT first + d
			  FROM generate_series(1, least(life::int, date '2023-06-30' - first)) d,
				   LATERAL (SELECT campaign FROM months WHERE since <= first + d ORDER BY since DESC LIMIT 1) m
			  WHERE pg_temp.uniform(id || ' ' || d) < rate * exp(0.7 * campaign)) p
GROUP BY id, age;

CREATE TEMP TABLE fits AS
SELECT family, clv_fit(history, clv_options(model => family, spend => 'none', as_of => '2023-06-30',
	calendar => campaigns, covariates => '{member,age}'), z) AS model
FROM histories, calendars, unnest('{bg/nbd,mbg/nbd,pareto/nbd}'::text[]) family
GROUP BY family;
-- effects: of customers first, then of the calendar; 0.4 of members and 0.7 of campaigns on purchases, no other
SELECT family, name, process, abs(effect - CASE WHEN process = 'churn' THEN 0 WHEN name = 'member' THEN 0.4
	WHEN name = 'campaign' THEN 0.7 ELSE 0 END) < 3 * std_error AS recovered
FROM fits, clv_effects(model)
ORDER BY family, process DESC, name;
SELECT family, string_agg(p.name || ' ' || p.process, ', ' ORDER BY p.ordinality) AS parameters
FROM fits, clv_parameters(model) WITH ORDINALITY p
WHERE p.name IN ('member', 'age', 'campaign')
GROUP BY family
ORDER BY family;
-- the log-likelihood is the sum over customers
SELECT family, abs(sum(clv_log_likelihood(model, history,
	covariates => z)) / (clv_diagnostics(model)).log_likelihood - 1) < 1e-10 AS sum
FROM fits, histories
GROUP BY family, model
ORDER BY family;

-- a calendar that acts on nothing is the fit without it; ages in months and from another zero are the same fit
SELECT family, abs((clv_diagnostics(idle)).log_likelihood - (clv_diagnostics(plain)).log_likelihood) < 1e-7 AS idle,
	   (SELECT max(abs(a.effect - b.effect)) FROM clv_effects(idle) a, clv_effects(plain) b
		WHERE a.name = b.name AND a.process = b.process) < 1e-5 AS effects,
	   abs((clv_diagnostics(months)).log_likelihood - (clv_diagnostics(model)).log_likelihood) < 1e-6 AS units,
	   (SELECT max(abs(a.effect - b.effect * CASE b.name WHEN 'age' THEN 12 ELSE 1 END))
		FROM clv_effects(model) a, clv_effects(months) b
		WHERE a.name = b.name AND a.process = b.process) < 1e-5 AS same_effects
FROM (SELECT family,
			 clv_fit(history, clv_options(model => family, spend => 'none', as_of => '2023-06-30',
				calendar => campaigns, covariates => '{member,age}', purchase_covariates => '{member,age}',
				churn_covariates => '{member,age}'), z) AS idle,
			 clv_fit(history, clv_options(model => family, spend => 'none', as_of => '2023-06-30',
				covariates => '{member,age}'), z) AS plain,
			 clv_fit(history, clv_options(model => family, spend => 'none', as_of => '2023-06-30',
				calendar => campaigns, covariates => '{member,age}'), ARRAY[z[1] + 5, 12 * z[2] - 40]) AS months
	  FROM histories, calendars, unnest('{mbg/nbd,pareto/nbd}'::text[]) family
	  GROUP BY family) f JOIN fits USING (family)
ORDER BY family;

-- predictions: a covariate that all customers have, one of the calendar with the same value every day, and parameters
-- that are moved by hand are the same
CREATE TEMP TABLE models AS
SELECT family, clv_model(family, params, '1 week', '2022-12-31', format('[{"name":"age","purchase":0.3,"churn":%s},
			{"name":"always","purchase":-0.2%s}]', churn, also)::jsonb, calendar => always) AS mixed,
	   clv_model(family, params, '1 week', '2022-12-31', format('[{"name":"age","purchase":0.3,"churn":%s},
			{"name":"always","purchase":-0.2%s}]', churn, also)::jsonb) AS own
FROM calendars, (VALUES ('bg/nbd', '{"r":0.6,"alpha":7,"a":0.8,"b":2.4}'::jsonb, '-0.1', ''),
	('mbg/nbd', '{"r":0.6,"alpha":7,"a":0.8,"b":2.4}', '-0.1', ''),
	('pareto/nbd', '{"r":0.6,"alpha":7,"s":0.7,"beta":12}', '-0.1', ',"churn":0.4'),
	('ggompertz/nbd', '{"r":0.6,"alpha":7,"b":0.02,"s":0.7,"beta":2}', '-0.1', ',"churn":0.4'))
	v (family, params, churn, also);
SELECT family, max(abs(clv_p_alive(mixed, history, covariates => ARRAY[age])
		- clv_p_alive(own, history, covariates => ARRAY[age, 1]))) < 1e-12 AS p_alive,
	   max(abs(clv_expected_purchases(mixed, history, '90 days', covariates => ARRAY[age])
		- clv_expected_purchases(own, history, '90 days', covariates => ARRAY[age, 1]))) < 1e-11 AS expected,
	   max(abs(clv_purchase_probability(mixed, history, 2, '90 days', covariates => ARRAY[age])
		- clv_purchase_probability(own, history, 2, '90 days', covariates => ARRAY[age, 1]))) < 1e-12 AS probability,
	   max(abs(clv_discounted_purchases(mixed, history, 0.1, '1 year', '2022-12-31', ARRAY[age])
		- clv_discounted_purchases(own, history, 0.1, '1 year', '2022-12-31', ARRAY[age, 1]))) < 1e-9 AS discounted,
	   max(abs(clv_expected_purchases(mixed, history, '90 days', covariates => ARRAY[age])
		- clv_expected_purchases(clv_with_covariates(mixed, ARRAY[age]), history, '90 days'))) = 0 AS with_covariates
FROM models, (SELECT history, z[2] AS age FROM histories WHERE customer <= 60) h
GROUP BY family
ORDER BY family;
-- the memo of predictions keeps customers, covariates and days apart
SELECT family, bool_and(together = alone) AS same
FROM (SELECT family, clv_expected_purchases(model, history, '60 days', as_of, z) AS together,
			 (SELECT clv_expected_purchases(model, h, '60 days', day, v)
			  FROM (VALUES (history, as_of, z)) x (h, day, v)) AS alone
	  FROM fits, histories, unnest('{2023-06-30,2023-01-31}'::date[]) as_of
	  WHERE customer <= 100) q
GROUP BY family
ORDER BY family;
-- totals are the sums; their standard errors move with the effects of customers and of the calendar
SELECT family, abs((total).expected_purchases / expected - 1) < 1e-12 AS total,
	   (total).purchases_std_error > 0 AS interval
FROM (SELECT family, clv_predict_total(model, history, '181 days', 0, 1, '2023-06-30', 0.95, z) AS total,
			 sum(clv_expected_purchases(model, history, '181 days', covariates => z)) AS expected
	  FROM fits, histories
	  GROUP BY family) t
ORDER BY family;
-- of a calendar that acts on nothing they are those without it
SELECT abs((a).purchases_std_error / (b).purchases_std_error - 1) < 1e-6 AS error,
	   abs((a).purchases_high / (b).purchases_high - 1) < 1e-6 AS high
FROM (SELECT clv_predict_total(idle, history, '181 days', 0, 1, '2023-06-30', 0.95, z) AS a,
			 clv_predict_total(plain, history, '181 days', 0, 1, '2023-06-30', 0.95, z) AS b
	  FROM histories, (SELECT
			 clv_fit(history, clv_options(model => 'mbg/nbd', spend => 'none', as_of => '2023-06-30',
				calendar => campaigns, covariates => '{member,age}', purchase_covariates => '{member,age}'), z) AS idle,
			 clv_fit(history, clv_options(model => 'mbg/nbd', spend => 'none', as_of => '2023-06-30',
				covariates => '{member,age}'), z) AS plain
		FROM histories, calendars) f) t;

-- forms, cells and what is fitted from them; cells with other covariates on purchases
SELECT family, model::jsonb::clv_model = model AS json, clv_with_calendar(model, later) <> model AS planned
FROM fits, (SELECT clv_calendar(since::date, '{1}', '{campaign}') AS later FROM generate_series(timestamp '2024-01-01',
	'2024-06-01', '1 month') s (since)) l
ORDER BY family;
SELECT again = model AS cells, (SELECT string_agg(name || ' ' || process, ', ') FROM clv_effects(part)) AS part
FROM fits, (SELECT clv_fit(cells) AS again, clv_fit(cells, clv_options(model => 'mbg/nbd', spend => 'none',
		calendar => campaigns,
		covariates => '{member,age}', purchase_covariates => '{campaign}')) AS part
	FROM calendars, (SELECT clv_cells(history, clv_options(model => 'mbg/nbd', spend => 'none', as_of => '2023-06-30',
		calendar => campaigns, covariates => '{member,age}'), z) AS cells FROM histories, calendars) c) f
WHERE family = 'mbg/nbd';
-- a season beside them
SELECT string_agg(e.name || ' ' || e.process, ', ' ORDER BY e.ordinality) AS effects
FROM (SELECT clv_fit(history, clv_options(spend => 'none', as_of => '2023-06-30', covariates => '{member}',
		season => '1', trend => 'true', churn_covariates => '{member}'), z[1:1]) AS model FROM histories) f,
	clv_effects(model) WITH ORDINALITY e;

-- one effect on both processes, of customers and of the calendar, counts once; a penalty for each process
CREATE TEMP TABLE equal AS
SELECT clv_fit(history, clv_options(model => 'pareto/nbd', spend => 'none', as_of => '2023-06-30',
	calendar => campaigns, covariates => '{member,age}', same_effects => '{campaign,age}'), z) AS model
FROM histories, calendars;
SELECT name, count(DISTINCT effect) AS effects, count(DISTINCT std_error) AS errors
FROM equal, clv_effects(model)
GROUP BY name
ORDER BY name;
SELECT df, larger, statistic > 0 AS higher
FROM equal, fits, clv_compare(equal.model, fits.model)
WHERE family = 'pareto/nbd';
SELECT abs(sum(clv_log_likelihood(model, history,
	covariates => z)) / (clv_diagnostics(model)).log_likelihood - 1) < 1e-10 AS sum
FROM equal, histories
GROUP BY model;
SELECT family, abs(churn / 1e-4) < 1 AS churn_shrunk, abs(purchase - free) < 0.05 AS purchase_kept
FROM (SELECT family, clv_fit(history, clv_options(model => family, spend => 'none', as_of => '2023-06-30',
		covariates => '{member,age}', churn_penalty => 1000), z) AS model,
		clv_fit(history, clv_options(model => family, spend => 'none', as_of => '2023-06-30',
		covariates => '{member,age}'), z) AS unpenalised
	  FROM histories, unnest('{mbg/nbd,pareto/nbd}'::text[]) family GROUP BY family) f,
	 LATERAL (SELECT max(effect) FILTER (WHERE process = 'purchase') AS purchase,
					 max(abs(effect)) FILTER (WHERE process = 'churn') AS churn
			  FROM clv_effects(model) WHERE name = 'member') e,
	 LATERAL (SELECT effect AS free FROM clv_effects(unpenalised) WHERE name = 'member' AND process = 'purchase') u
ORDER BY family;
SELECT clv_options(model => 'pareto/nbd', covariates => '{a,b}', same_effects => '{b}', penalty => 2,
	churn_penalty => 0);
SELECT clv_options(covariates => '{a,b}', same_effects => '{c}');
SELECT clv_options(calendar => campaigns, same_effects => '{campaign}') FROM calendars;
SELECT clv_options(model => 'pareto/nbd', calendar => campaigns, churn_covariates => '{}', same_effects => '{campaign}')
FROM calendars;
SELECT clv_options(churn_penalty => 1);
SELECT clv_options(covariates => '{a}', churn_penalty => -1);
SELECT clv_cells(history, clv_options(model => 'pareto/nbd', covariates => '{a,b}', same_effects => '{b}',
	churn_penalty => 3), z)::text::clv_cells::jsonb -> 'options' AS options FROM histories;

-- bad input
SELECT clv_options(calendar => campaigns, covariates => '{member,campaign}') FROM calendars;
SELECT clv_options(calendar => campaigns, covariates => ARRAY(SELECT 'c' || i FROM generate_series(1, 16) i))
FROM calendars;
SELECT clv_options(calendar => campaigns, covariates => '{member}', churn_covariates => '{price}') FROM calendars;
SELECT clv_fit(history, clv_options(calendar => campaigns, covariates => '{member}', spend => 'none'), '{1}'::float8[])
FROM histories, calendars;
SELECT clv_fit(history, clv_options(calendar => always, covariates => '{member}', spend => 'none'), z[1:1])
FROM histories, calendars;
SELECT clv_p_alive(model, history) FROM fits, histories LIMIT 1;
SELECT clv_p_alive(model, history, covariates => '{1,2,3}') FROM fits, histories LIMIT 1;
SELECT clv_model('mbg/nbd', '{"r":0.5,"alpha":6,"a":0.8,"b":2.4}', '1 week', NULL,
	'[{"name":"campaign","purchase":1},{"name":"age","purchase":1}]', calendar => campaigns) FROM calendars;
SELECT clv_model('mbg/nbd', '{"r":0.5,"alpha":6,"a":0.8,"b":2.4}', '1 week', NULL,
	'[{"name":"age","churn":1},{"name":"campaign","churn":1}]', calendar => campaigns) FROM calendars;
