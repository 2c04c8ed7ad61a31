-- clv_compare(): likelihood-ratio tests of models that are written down as fits of 600 customers
CREATE FUNCTION pg_temp.fit(family text, params jsonb, log_likelihood float8, covariates jsonb DEFAULT '[]',
	more jsonb DEFAULT '{}')
RETURNS clv_model LANGUAGE sql
	RETURN (jsonb_build_object('version', 1, 'time_unit', '7 days', 'as_of', '2006-12-31', 'purchase',
	jsonb_build_object('family', family, 'parameters', params, 'customers', 600, 'converged', true,
					   'log_likelihood', log_likelihood, 'covariates', covariates) || more))::clv_model;
CREATE FUNCTION pg_temp.bg(log_likelihood float8, covariates jsonb DEFAULT '[]', more jsonb DEFAULT '{}')
RETURNS clv_model LANGUAGE sql
	RETURN pg_temp.fit('bg/nbd', '{"r": 1, "alpha": 10, "a": 1, "b": 5}', log_likelihood, covariates, more);

-- the numbers of R's lrtest on the apparel shop, four effects more
SELECT abs(statistic - 54.0702357380487) < 1e-9 AS statistic, df,
	   abs(p_value / 5.08744677007528e-11 - 1) < 1e-9 AS p_value,
	   abs(delta_aic - (8 - 54.0702357380487)) < 1e-9 AS delta_aic,
	   abs(delta_bic - (4 * ln(600) - 54.0702357380487)) < 1e-9 AS delta_bic, larger
FROM clv_compare(pg_temp.bg(-5848.09782696242),
	pg_temp.bg(-5821.06270909339,
		'[{"name": "gender", "purchase": 0.3, "churn": -0.6}, {"name": "channel", "purchase": 0.6, "churn": 0.8}]')
		);
-- in the other order
SELECT df, larger FROM clv_compare(pg_temp.bg(-10, '[{"name": "gender"}]'), pg_temp.bg(-12));
-- one covariate more, at any place; two effects each
SELECT df, larger, abs(p_value - exp(-3)) < 1e-15 AS p_value
FROM clv_compare(pg_temp.bg(-12, '[{"name": "b"}]'), pg_temp.bg(-9, '[{"name": "a"}, {"name": "b"}]'));
-- tails of chi-squared with 2, 4 and 6 degrees of freedom at 7: e^-3.5 (1, 1 + 3.5, 1 + 3.5 + 3.5^2 / 2)
SELECT bool_and(abs(p_value / (exp(-3.5) * factor) - 1) < 1e-13) AS tails
FROM (VALUES (1, 1.0), (2, 4.5), (3, 4.5 + 3.5 ^ 2 / 2)) v (n, factor),
	LATERAL (SELECT jsonb_agg(jsonb_build_object('name', i::text)) AS z FROM generate_series(1, n) i) z,
	LATERAL clv_compare(pg_temp.bg(-10), pg_temp.bg(-6.5, z));
-- no better: nothing gained
SELECT statistic, p_value FROM clv_compare(pg_temp.bg(-10), pg_temp.bg(-10, '[{"name": "a"}]'));
-- a larger model with a lower likelihood: a WARNING, and a statistic of 0
SELECT statistic, p_value FROM clv_compare(pg_temp.bg(-10), pg_temp.bg(-11, '[{"name": "a"}]'));
-- with the smaller model on the border of the larger one, the HINT does not propose it as a start
SELECT statistic, p_value FROM clv_compare(pg_temp.fit('pareto/nbd', '{"r": 1, "alpha": 10, "s": 1, "beta": 5}', -10),
	pg_temp.fit('ggompertz/nbd', '{"r": 1, "alpha": 10, "b": 0.1, "s": 1, "beta": 0.5}', -11));
SELECT df FROM clv_compare(pg_temp.bg(-10), pg_temp.bg(-9, '[{"name": "a"}]', '{"converged": false}'));
SELECT clv_compare(NULL, pg_temp.bg(-10)) IS NULL AS "null";

-- errors: models without such a test
SELECT clv_compare(pg_temp.bg(-10), pg_temp.bg(-9));
SELECT clv_compare(pg_temp.bg(-10, '[{"name": "a"}]'), pg_temp.bg(-9, '[{"name": "b"}]'));
SELECT clv_compare(pg_temp.bg(-10, '[{"name": "a"}]'), pg_temp.bg(-9, '[{"name": "b"}, {"name": "c"}]'));
SELECT clv_compare(pg_temp.bg(-10), pg_temp.fit('mbg/nbd', '{"r": 1, "alpha": 10, "a": 1, "b": 5}', -9));
SELECT clv_compare(pg_temp.bg(-10), pg_temp.bg(-9, '[{"name": "a"}]', '{"customers": 599, "skipped": 1}'));
SELECT clv_compare(pg_temp.bg(-10),
		   jsonb_set(pg_temp.bg(-9, '[{"name": "a"}]')::jsonb, '{as_of}', '"2007-01-07"')::clv_model);
SELECT clv_compare(pg_temp.bg(-10), (pg_temp.bg(-9, '[{"name": "a"}]')::jsonb - 'as_of')::clv_model);
SELECT clv_compare(pg_temp.bg(-10),
		   jsonb_set(pg_temp.bg(-9, '[{"name": "a"}]')::jsonb, '{time_unit}', '"1 day"')::clv_model);
SELECT clv_compare(pg_temp.bg(-10), jsonb_set(pg_temp.bg(-9, '[{"name": "a"}]')::jsonb, '{occasion}', '7')::clv_model);
SELECT clv_compare(pg_temp.bg(-10),
		   clv_model('bg/nbd', '{"r": 1, "alpha": 10, "a": 1, "b": 5}', '1 week', '2006-12-31',
			   '[{"name": "a"}]'));
SELECT clv_compare(pg_temp.bg(-10), clv_model('gamma/gamma', '{"p": 1, "q": 2, "gamma": 3}'));

-- models with covariates as values: text, JSON, parameters
CREATE TEMP TABLE m AS SELECT pg_temp.bg(-10, '[{"name": "gender", "centre": 0.125, "purchase": 0.25, "churn": -0.5}]',
	'{"covariance": [[0.01], [0, 0.01], [0, 0, 0.01], [0, 0, 0, 0.01], [0, 0, 0, 0, 0.04], [0, 0, 0, 0, 0.01, 0.09]]}')
		AS model;
SELECT model::text::clv_model = model AS text, model::jsonb::clv_model = model AS jsonb,
	   model::jsonb #> '{purchase,covariates}' AS covariates,
	   model = clv_model('bg/nbd', '{"r": 1, "alpha": 10, "a": 1, "b": 5}', '1 week', '2006-12-31',
						 '[{"name": "gender", "centre": 0.125, "purchase": 0.25, "churn": -0.5}]') AS by_hand,
	   clv_model('bg/nbd', '{"r": 1, "alpha": 10, "a": 1, "b": 5}', '1 week',
				 covariates => '[{"name": "gender", "centre": -0.0}]') =
	   clv_model('bg/nbd', '{"r": 1, "alpha": 10, "a": 1, "b": 5}', '1 week',
				 covariates => '[{"name": "gender"}]') AS zero
  FROM m;
SELECT name, estimate, round(std_error::numeric, 9) AS std_error, process,
	   lower < estimate AND estimate < upper AS inside,
	   abs(CASE WHEN process = 'transaction' THEN ln(upper / lower) / estimate
		   ELSE upper - lower END - 2 * 1.959963984540054 * std_error / estimate ^
		CASE WHEN process = 'transaction' THEN 2 ELSE 0 END) < 1e-9 AS wald
FROM m, clv_parameters(model);
SELECT aic = 2 * 6 + 20 AS aic, abs(bic - (6 * ln(600) + 20)) < 1e-9 AS bic FROM m, clv_diagnostics(model);
-- names keep their characters; a covariate may be silent
SELECT model::text::clv_model = model AS text, p.name, p.estimate, p.std_error, p.process
FROM clv_model('mbg/nbd', '{"r": 1, "alpha": 10, "a": 1, "b": 5}', '1 week',
	 covariates => '[{"name": "Größe \"XL\""}]') model, clv_parameters(model) p
WHERE p.process LIKE '%effect';
-- the same name twice, none, no number
SELECT pg_temp.bg(-10, '[{"name": "a"}, {"name": "a"}]');
SELECT pg_temp.bg(-10, '[{"name": ""}]');
SELECT pg_temp.bg(-10, '[{"purchase": 1}]');
SELECT pg_temp.bg(-10, '[{"name": "a", "churn": 1e999}]');
SELECT pg_temp.bg(-10, '[{"name": "a"}]', '{"covariance": [[0.01], [0, 0.01], [0, 0, 0.01], [0, 0, 0, 0.01]]}');
DROP TABLE m;
