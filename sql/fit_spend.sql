-- Covariates of customers that act on what they spend
SET client_min_messages = error; -- eighty customers are few for the purchases
CREATE FUNCTION pg_temp.near(a float8, b float8, tolerance float8 DEFAULT 1e-9) RETURNS bool
LANGUAGE sql AS 'SELECT abs(a - b) <= tolerance * greatest(abs(b), 1e-300)';

-- the optimum is that of test/oracle/spend.py, which finds it in another way; customers without spend do not move it
CREATE TEMP TABLE customer AS
SELECT i, (1 + i * i % 5)::float8 AS x, (5 + 11 * i % 30)::float8 AS t_x, (40 + i % 10)::float8 AS t_cal,
	ARRAY[i % 2, (i * 7 % 11) / 4.0]::float8[] AS z
FROM generate_series(1, 40) i
UNION ALL
SELECT i, 0, 0, (40 + i % 10), ARRAY[i % 3, (i * 5 % 11) / 4.0] FROM generate_series(41, 80) i;
ALTER TABLE customer ADD COLUMN mean float8;
UPDATE customer
SET mean = floor(2000 * exp(sin(1.7::float8 * i) / 2 + cos(2.3::float8 * i) / sqrt(x) + 0.35 * z[1] - 0.2 * z[2]) + 0.5)
	/ 100
WHERE x > 0;
CREATE TEMP TABLE fitted AS
SELECT clv_fit(x, t_x, t_cal, mean, clv_options(covariates => '{a,b}', purchase_covariates => '{}', churn_covariates =>
	'{}', spend_covariates => '{a,b}'), z) AS model
FROM customer;
WITH oracle (name, process, estimate, std_error) AS (VALUES
	('p', 'spend', 2.53714138854793, 1.35849857453831), ('q', 'spend', 14.6555582383265, 16.4086571854873),
	('gamma', 'spend', 107.405227813662, 177.018536780152), ('a', 'spend centre', 0.5, NULL),
	('b', 'spend centre', 1.29375, NULL), ('a', 'spend effect', 0.362165029152903, 0.150189716195931),
	('b', 'spend effect', -0.540059682680391, 0.0925362234478695))
SELECT o.name, o.process, pg_temp.near(p.estimate, o.estimate, 1e-8) AS estimate,
	CASE WHEN o.std_error IS NULL THEN p.std_error IS NULL
		ELSE pg_temp.near(p.std_error, o.std_error, 1e-7) END AS error
FROM fitted, oracle o LEFT JOIN LATERAL (SELECT * FROM clv_parameters(model)) p USING (name, process)
ORDER BY o.process, o.name;
SELECT pg_temp.near(spend_log_likelihood, -144.591421106841, 1e-12) AS log_likelihood, spend_converged AS converged,
	pg_temp.near(spend_aic, 10 - 2 * spend_log_likelihood, 1e-14) AS aic
FROM fitted, clv_diagnostics(model);
SELECT name, process, pg_temp.near(rate_ratio, exp(effect), 1e-14) AS ratio,
	pg_temp.near(upper - effect, 1.959963984540054 * std_error) AS upper
FROM fitted, clv_effects(model);
-- expected values of a purchase: with a history, and of a newcomer
SELECT pg_temp.near(clv_expected_spend(clv_with_covariates(model, '{0,0.5}'), 3, 20), 23.5710922585286, 1e-8) AS three,
	pg_temp.near(clv_expected_spend(clv_with_covariates(model, '{1,2}'), 1, 80), 26.3083145758386, 1e-8) AS one,
	pg_temp.near((clv_new_customer(model, '1 year', covariates => '{1,0}')).first_purchase_value, 48.1001338577791,
		1e-8) AS none
FROM fitted;

-- what the fit does not depend on: the order of rows, origins and units of covariates, cells in between
CREATE FUNCTION pg_temp.try(value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM value::clv_cells;
	RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || left(SQLERRM, 70);
END $$;
CREATE TEMP TABLE other AS
SELECT clv_fit(x, t_x, t_cal, mean, options, z ORDER BY md5(i::text)) AS shuffled,
	clv_fit(x, t_x, t_cal, mean, options, ARRAY[10 - 3 * z[1], z[2] + 7]) AS moved,
	clv_cells(x, t_x, t_cal, mean, options, z) AS cells,
	clv_cells(x, t_x, t_cal, mean, options, z) FILTER (WHERE i % 3 = 0) AS part,
	clv_cells(x, t_x, t_cal, mean, options, z) FILTER (WHERE i % 3 > 0) AS rest,
	clv_fit(x, t_x, t_cal, mean, options || '{"spend_covariates": ["b"]}', z) AS b,
	clv_fit(x, t_x, t_cal, mean, options || '{"spend_covariates": []}', z) AS none,
	clv_fit(x, t_x, t_cal, mean, clv_options()) AS plain
FROM customer, (SELECT clv_options(covariates => '{a,b}', purchase_covariates => '{}', churn_covariates => '{}',
	spend_covariates => '{a,b}') AS options) o;
SELECT shuffled = model AS shuffled, pg_temp.near(m.a, -f.a / 3) AS scaled, pg_temp.near(m.b, f.b) AS shifted,
	pg_temp.near(m.ln, f.ln, 1e-12) AS same
FROM other, fitted,
	LATERAL (SELECT max(effect) FILTER (WHERE name = 'a') AS a, max(effect) FILTER (WHERE name = 'b') AS b,
		(SELECT spend_log_likelihood FROM clv_diagnostics(model)) AS ln FROM clv_effects(model)) f,
	LATERAL (SELECT max(effect) FILTER (WHERE name = 'a') AS a, max(effect) FILTER (WHERE name = 'b') AS b,
		(SELECT spend_log_likelihood FROM clv_diagnostics(moved)) AS ln FROM clv_effects(moved)) m;
SELECT (SELECT clv_fit(cells) FROM other) = model AS of_cells,
	(SELECT clv_fit(part + rest) FROM other) = model AS of_sum,
	(SELECT clv_fit(c) FROM (SELECT part AS c FROM other UNION ALL SELECT rest FROM other) u) = model AS merged,
	part + rest = cells AS sum, cells - rest = part AS difference, cells::text::clv_cells = cells AS of_text,
	cells::jsonb::clv_cells = cells AS of_json
FROM fitted, other;
SELECT clv_fit(cells, clv_options(covariates => '{a,b}', purchase_covariates => '{}', churn_covariates => '{}',
	spend_covariates => '{b}')) = (SELECT b FROM other) AS fewer,
	clv_fit(cells, clv_options(purchase_covariates => '{}', churn_covariates => '{}', covariates => '{a,b}')) =
	(SELECT none FROM other) AS none
FROM other GROUP BY ();
-- what is taken away must be there, with its vector
SELECT cells - replace(part::text, split_part(part::text, '"spend": [', 2), '[1, 3, 0]]}')::clv_cells FROM other;
SELECT c - replace(c::text, '"spend": [[1, 3, 0]]', '"spend": []')::clv_cells
FROM (SELECT clv_cells(1, 2, 3, 3, clv_options(covariates => '{a}'), '{5}') AS c) c;
SELECT pg_temp.try(replace(c::text, '[1, 3, 0]', v)) AS verdict
FROM (SELECT clv_cells(1, 2, 3, 3, clv_options(covariates => '{a}'), '{5}') AS c) c,
	(VALUES ('[1, 3, 0]'), ('[1, 3]'), ('[1, 3, 1]'), ('[1, 3, -1]'), ('[1, 3, 0, 0]'), ('[0, 3, 0]')) r (v);

-- a fit without acting covariates is the one without covariates
SELECT (none::jsonb->'spend') = (plain::jsonb->'spend') AS same FROM other;

-- tests of nested models
SELECT larger, df, pg_temp.near(statistic, 2 * (d.spend_log_likelihood - e.spend_log_likelihood)) AS statistic,
	p_value < 0.1 AS better
FROM fitted, other, clv_compare(b, model), clv_diagnostics(model) d, clv_diagnostics(b) e;
SELECT larger, df FROM other, clv_compare(b, none);
SELECT clv_compare(b, b) FROM other;

-- limits by the profile: with the effect of a at a limit, amounts are those of a fit without a times exp(limit * a)
CREATE TEMP TABLE profiled AS
SELECT p.*, (SELECT spend_log_likelihood FROM clv_diagnostics(model)) AS top
FROM (SELECT clv_fit(x, t_x, t_cal, mean, clv_options(covariates => '{a,b}', purchase_covariates => '{}',
		churn_covariates => '{}', spend_covariates => '{a,b}', profile => 0.95), z) AS model FROM customer) f,
	clv_parameters(model, 0.95, 'profile') p
WHERE p.name = 'a' AND p.process = 'spend effect';
SELECT pg_temp.near(2 * (top - (SELECT spend_log_likelihood FROM clv_diagnostics(model)) + l * z),
	1.959963984540054 ^ 2, 1e-7) AS deviance, abs(l - estimate) BETWEEN 1.9 * std_error AND 2.2 * std_error AS near_wald
FROM (SELECT l, top, estimate, std_error, sum(c.z[1]) FILTER (WHERE x > 0) AS z,
		clv_fit(x, t_x, t_cal, mean * exp(-l * c.z[1]), clv_options(covariates => '{b}', spend_covariates => '{b}',
			purchase_covariates => '{}', churn_covariates => '{}'), ARRAY[c.z[2]]) AS model
	  FROM customer c, profiled, unnest(ARRAY[lower, upper]) l GROUP BY l, top, estimate, std_error) s;
-- a model fitted with a prior or a profile is one of certain customers, too
SELECT clv_with_covariates(clv_fit(x, t_x, t_cal, mean, clv_options(covariates => '{a,b}', spend_covariates => '{a}',
	profile => 0.9, prior => '{"spend": {"family": "gamma/gamma", "parameters": [{"name": "ln_p", "mean": 1,
	"sd": 0.5}]}}'), z), '{1,1}')::jsonb #> '{spend,customers}' IS NULL AS by_hand
FROM customer;

-- forms of the model, and models by hand
SELECT model::text::clv_model = model AS of_text, model::jsonb::clv_model = model AS of_json,
	model::jsonb#>>'{spend,covariates,1,name}' AS name
FROM fitted;
SELECT b::jsonb#>'{spend,covariates,0,name}' AS only, jsonb_array_length(b::jsonb#>'{spend,covariates}') AS n
FROM other;
CREATE TEMP TABLE hand AS
SELECT clv_model('gamma/gamma', '{"p": 4, "q": 3, "gamma": 30}', covariates =>
		'[{"name": "a", "spend": 0.5, "centre": 1}]') AS spend,
	clv_model('gamma/gamma', '{"p": 4, "q": 3, "gamma": 30}') AS plain,
	clv_model('gamma/gamma', '{"p": 4, "q": 3, "gamma": 30}', covariates => '[{"name": "a"}]') AS zero,
	clv_model('mbg/nbd', '{"r": 1, "alpha": 5, "a": 0.5, "b": 2}', '1 week', '2020-12-31', covariates =>
		'[{"name": "b", "purchase": 0.1}, {"name": "a"}]') AS purchase,
	clv_history(d, v) AS history
FROM (VALUES ('2020-01-01'::date, 10::numeric), ('2020-03-01', 20), ('2020-06-01', 60)) h (d, v);
SELECT spend FROM hand;
SELECT
	clv_expected_spend(spend, history, '2020-12-31', '{1}') =
		clv_expected_spend(plain, history, '2020-12-31') AS centre,
	pg_temp.near(clv_expected_spend(spend, history, '2020-12-31', '{3}'),
		4 * (30 * exp(1::float8) + 80) / (8 + 3 - 1), 1e-14) AS moved,
	clv_expected_spend(zero, history, '2020-12-31', '{7}') = clv_expected_spend(plain, history, '2020-12-31') AS zero,
	pg_temp.near(clv_spend_log_likelihood(spend, history, '2020-12-31', '{3}'), clv_spend_log_likelihood(
		clv_model('gamma/gamma', jsonb_build_object('p', 4, 'q', 3, 'gamma', 30 * exp(1::float8))), history,
		'2020-12-31'), 1e-14) AS likelihood
FROM hand;
-- the vector is that of the purchases, whose order is another
SELECT pg_temp.near(expected_spend, 4 * (30 * exp(1::float8) + 80) / 10, 1e-14) AS spend,
	pg_temp.near(clv, expected_purchases * expected_spend, 1e-14) AS clv,
	pg_temp.near(expected_spend, clv_expected_spend(model, history, covariates => '{9,3}'), 1e-14) AS same,
	pg_temp.near(clv, clv_value(model, history, '90 days', covariates => '{9,3}'), 1e-14) AS value,
	pg_temp.near(clv, (SELECT sum(f.clv) FROM clv_forecast(model, history, 3, '30 days', covariates => '{9,3}')
		f), 1e-12) AS forecast,
	pg_temp.near(clv, (clv_predict(clv_with_covariates(model, '{9,3}'), history, '90 days')).clv, 1e-14) AS fixed,
	clv_low <= clv AND clv <= clv_high AS interval
FROM (SELECT purchase || spend AS model, history FROM hand) m, clv_predict(model, history, '90 days', level => 0.9,
	covariates => '{9,3}');
SELECT clv_with_covariates(spend, '{3}') FROM hand;
SELECT clv_with_covariates(purchase || spend, '{9,3}')::jsonb->'spend' AS spend FROM hand;

-- totals: sums of values, and the variance by the delta method, against differences by hand
CREATE TEMP TABLE uncertain AS
SELECT ('{"version": 1, "time_unit": "7 days", "as_of": "2020-12-31", "purchase": {"family": "mbg/nbd", "parameters":
	{"r": 1, "alpha": 5, "a": 0.5, "b": 2}, "covariates": [{"name": "b", "purchase": 0.1}, {"name": "a"}],
	"customers": 9, "converged": true, "covariance": [[0],[0,0],[0,0,0],[0,0,0,0],[0,0,0,0,0],[0,0,0,0,0,0],
	[0,0,0,0,0,0,0],[0,0,0,0,0,0,0,0]]}, "spend": {"family": "gamma/gamma", "parameters": {"p": 4, "q": 3, "gamma": 30},
	"covariates": [{"name": "a", "spend": 0.5, "centre": 1}], "basis": "repeat", "customers": 9, "converged": true,
	"covariance":
	[[0.04],[0.01,0.09],[-0.02,0.03,0.05],[0.004,0.002,-0.003,0.01],[0,0,0,0,0]]}}')::clv_model AS model;
CREATE TEMP TABLE vector AS SELECT z FROM (VALUES ('{1,2}'::float8[]), ('{0,-1}')) c (z);
CREATE FUNCTION pg_temp.total(of clv_model) RETURNS clv_total LANGUAGE sql AS $$
	SELECT clv_predict_total(of, history, '1 year', 0.1, 0.3, '2020-12-31', 0.95, z) FROM hand, vector $$;
CREATE FUNCTION pg_temp.gradient(of clv_model, path text[]) RETURNS float8 LANGUAGE sql AS $$
	SELECT ((pg_temp.total(jsonb_set(of::jsonb, path, to_jsonb(up))::clv_model)).expected_value -
		(pg_temp.total(jsonb_set(of::jsonb, path, to_jsonb(down))::clv_model)).expected_value) / 2e-4
	FROM (SELECT CASE WHEN path[2] = 'covariates' THEN v + 1e-4 ELSE v * exp(1e-4::float8) END AS up,
			CASE WHEN path[2] = 'covariates' THEN v - 1e-4 ELSE v * exp(-1e-4::float8) END AS down
		  FROM (SELECT (of::jsonb#>>path)::float8 AS v) o) s $$;
SELECT pg_temp.near(expected_value, (SELECT sum(clv_value(model, history, '1 year', 0.1, 0.3, covariates => z))
		FROM hand, vector), 1e-13) AS value,
	pg_temp.near(value_std_error ^ 2, (
		SELECT sum(c.v * g[i] * g[j]) FROM (VALUES (1, 1, 0.04), (2, 2, 0.09), (3, 3, 0.05), (4, 4, 0.01), (1, 2, 0.02),
			(1, 3, -0.04), (2, 3, 0.06), (1, 4, 0.008), (2, 4, 0.004), (3, 4, -0.006)) c (i, j, v)), 1e-6) AS variance
FROM uncertain, pg_temp.total(model), LATERAL (SELECT ARRAY[pg_temp.gradient(model, '{spend,parameters,p}'),
	pg_temp.gradient(model, '{spend,parameters,q}'), pg_temp.gradient(model, '{spend,parameters,gamma}'),
	pg_temp.gradient(model, '{spend,covariates,0,spend}')] AS g) d;
SELECT t = clv_predict_total(s) AS of_sums
FROM uncertain, pg_temp.total(model) t, (
	SELECT clv_sums(model, history, '1 year', 0.1, 0.3, '2020-12-31', 0.95, z) AS s
	FROM uncertain, hand, vector GROUP BY z) s
GROUP BY t;

-- a simulated shop: effects within two standard errors, and money by group
CREATE TEMP TABLE shop AS
SELECT customer, ARRAY[customer % 2, customer % 5]::float8[] AS z,
	clv_history(day, (amount * exp(0.4 * (customer % 2) - 0.1 * (customer % 5)))::numeric(14, 4)) AS history
FROM clv_simulate(clv_model('mbg/nbd', '{"r": 1.2, "alpha": 8, "a": 0.5, "b": 3}', '1 week') ||
	clv_model('gamma/gamma', '{"p": 4, "q": 5, "gamma": 40}'), 4000, '2020-01-01', '2021-12-31', 11)
GROUP BY customer;
CREATE TEMP TABLE shop_fits AS
SELECT clv_fit(history, clv_options(model => 'auto', covariates => '{kind,tier}', spend_covariates => '{kind,tier}',
	as_of => '2021-12-31'), z) AS model,
	clv_fit(history, clv_options(covariates => '{kind,tier}', as_of => '2021-12-31'), z) AS plain
FROM shop;
SELECT name, abs(effect - CASE name WHEN 'kind' THEN 0.4 ELSE -0.1 END) < 2 * std_error AS recovered,
	std_error < 0.03 AS known
FROM shop_fits, clv_effects(model) WHERE process = 'spend';
-- what is expected of each group is near what it spent; without the covariates too little of those who spend more
SELECT z[1] AS kind,
	abs(avg(clv_mean_spend(history)) / avg(clv_expected_spend(model, history, covariates => z)) - 1) < 0.03 AS expected,
	(SELECT avg(clv_expected_spend(model, s.history, covariates => s.z)) FROM shop s WHERE s.z[1] = 1) >
	(SELECT avg(clv_expected_spend(plain, s.history)) FROM shop s WHERE s.z[1] = 1) AS more
FROM shop, shop_fits WHERE clv_purchases(history) > 1 GROUP BY model, plain, z[1] ORDER BY 1;
-- each customer's log-likelihood adds up to that of the fit
SELECT pg_temp.near((SELECT sum(clv_spend_log_likelihood(model, history, covariates => z)) FROM shop),
	(SELECT spend_log_likelihood FROM clv_diagnostics(model)), 1e-12) AS adds_up
FROM shop_fits;
-- back-tests and tracking follow
CREATE TEMP TABLE tested AS
SELECT o.acting, b.*
FROM (VALUES ('{}'::text[]), ('{kind,tier}')) o (acting),
	clv_backtest('shop', 'history', '2021-06-30', '180 days', clv_options(covariates => '{kind,tier}',
		spend_covariates => o.acting), covariates => 'z') b;
SELECT count(*) AS tests,
	max(revenue_rmse) FILTER (WHERE acting <> '{}') < max(revenue_rmse) FILTER (WHERE acting = '{}') AS better,
	count(DISTINCT predicted_purchases) AS purchases
FROM tested;
SELECT count(*) > 100 AS weeks, bool_and(pg_temp.near(t.expected, u.expected, 1e-12)) AS same
FROM shop_fits, clv_tracking('shop', 'history', model, covariates => 'z') t JOIN LATERAL (
	SELECT number, expected
	FROM clv_tracking('shop', 'history', (model::jsonb - 'spend')::clv_model, covariates => 'z')) u USING (number);

-- the choice of a family is one of purchases, and a pool has the parameters of the spend alone
SELECT count(*) AS families
FROM clv_choose('shop', 'history', '2021-06-30', '180 days', clv_options(covariates => '{kind,tier}',
	spend_covariates => '{kind}'), covariates => 'z') c
WHERE c.model LIKE '%/nbd' AND c.log_score IS NOT NULL;
SELECT prior #> '{spend,effects}' IS NULL AS no_effects,
	jsonb_array_length(prior #> '{spend,parameters}') AS parameters,
	clv_fit(history, clv_options(covariates => '{kind,tier}', spend_covariates => '{kind,tier}', as_of => '2021-12-31',
		prior => prior), z) IS NOT NULL AS fitted
FROM shop, (SELECT clv_pool(model) AS prior FROM (
	SELECT clv_fit(history, clv_options(covariates => '{kind,tier}', spend_covariates => '{kind,tier}', as_of =>
		'2021-12-31'), z) AS model
	FROM shop GROUP BY customer % 3) g) p
GROUP BY prior;

-- errors
CREATE TEMP TABLE few AS SELECT clv_history(d, 5) AS history, ARRAY[1, 2]::float8[] AS z
FROM (VALUES ('2020-01-01'::date), ('2020-02-01')) d (d);
SELECT clv_fit(history, clv_options(covariates => '{a,b}', spend_covariates => '{c}'), z) FROM few;
SELECT clv_options(spend_covariates => '{a}');
SELECT clv_options(spend_covariates => '{}');
SELECT clv_options(covariates => '{a}', spend_covariates => '{a,NULL}');
SELECT clv_options(covariates => '{a}', spend => 'none', spend_covariates => '{a}');
SELECT clv_options(model => 'bg/bb', covariates => '{a}', spend_covariates => '{a}');
SELECT clv_options(covariates => '{a}', spend_covariates => '{week}', calendar =>
	'{"version":1,"names":["week"],"steps":[["2016-01-01",9.9],["2017-03-01",10.5]]}');
SELECT clv_options(covariates => '{a}', spend_covariates => '{a}');
SELECT clv_fit(x, t_x, t_cal, mean, clv_options(covariates => '{a,b}', spend_covariates => '{b}'),
	ARRAY[z[1], CASE WHEN x = 0 THEN z[2] ELSE 3 END])
FROM customer;
SELECT clv_fit(x, t_x, t_cal, mean, clv_options(covariates => '{a,b}', spend_covariates => '{a,b}'),
	ARRAY[z[1], CASE WHEN x = 0 THEN z[2] ELSE 2 - 3 * z[1] END])
FROM customer;
SELECT clv_expected_spend(spend, history, '2020-12-31') FROM hand;
SELECT clv_expected_spend(spend, 2, 30) FROM hand;
SELECT clv_expected_spend(spend, history, '2020-12-31', '{1,2}') FROM hand;
SELECT clv_expected_spend(plain, history, '2020-12-31', '{1}') FROM hand;
SELECT clv_predict(purchase || spend, history, '1 year') FROM hand;
SELECT clv_model('mbg/nbd', '{"r": 1, "alpha": 5, "a": 0.5, "b": 2}', '1 week') || spend FROM hand;
SELECT clv_model('gamma/gamma', '{"p": 4, "q": 3, "gamma": 30}', covariates => '[{"name": "a", "churn": 0.5}]');
SELECT clv_model('gamma/gamma', '{"p": 4, "q": 3, "gamma": 30}', covariates => '[{"name": "a", "spend": 1e999}]');
SELECT clv_expected_spend(spend, history, '2020-12-31', '{1e6}') FROM hand;
