-- What groups have in common: clv_pool, and fits with it
SET client_min_messages = error;
-- the groups of test/oracle/pooling.py, as fitted models; the numbers are its own
CREATE TEMP TABLE known AS
SELECT g, jsonb_build_object('version', 1, 'time_unit', '7 days', 'purchase', jsonb_build_object('family', 'sbg',
	'customers', 100,
	'converged', true, 'parameters', jsonb_build_object('alpha', exp(a), 'beta', exp(b)),
	'covariance', jsonb_build_array(ARRAY[aa], ARRAY[ab, bb])))::clv_model AS model
FROM (VALUES (1, -0.2, 1.1, 0.04, 0.03, 0.05), (2, 0.4, 1.9, 0.09, 0.06, 0.08), (3, 0.1, 0.7, 0.02, 0.01, 0.03),
	(4, -0.6, 0.6, 0.05, 0.02, 0.04), (5, 0.3, 0.9, 0.06, 0.05, 0.07), (6, 0.8, 2.6, 0.30, 0.25, 0.40),
	(7, -0.1, 1.2, 0.03, 0.02, 0.03), (8, 0.2, 0.1, 0.08, 0.04, 0.06)) v (g, a, b, aa, ab, bb);
SELECT p.name, abs(p.mean - o.mean) < 1e-6 AS mean, abs(p.sd - o.sd) < 1e-6 AS sd, abs(p.between - o.between) < 1e-6
	AS between,
	abs(p.std_error - o.std_error) < 1e-6 AS std_error, pool #> '{purchase,groups}' AS groups, pool #>
		'{purchase,used}' AS used
FROM (SELECT clv_pool(model) AS pool FROM known) k,
	jsonb_to_recordset(pool #> '{purchase,parameters}') p (name text, mean float8, sd float8, "between" float8,
		std_error float8)
	JOIN (VALUES ('logit_churn', -0.992516031796, 0.564359503005, 0.526766638769, 0.202530385159),
		('ln_alpha_plus_beta', 1.33934468426, 0.449531700776, 0.416298254332, 0.169630520374))
	o (name, mean, sd, "between", std_error) USING (name);
SELECT abs((clv_pool(model) #>> '{purchase,correlation,1,0}')::float8 + 0.781264310482) < 1e-6 AS correlation FROM
	known;
-- any order of rows
SELECT count(DISTINCT pool) AS different
FROM (SELECT clv_pool(model ORDER BY md5(g::text || seed)) AS pool FROM known, generate_series(1, 6) seed GROUP BY
	seed) p;
-- the prior goes back into options as it is, and what they keep of it is a prior again
SELECT clv_options(model => 'sbg', spend => 'none', prior => pool) ->> 'prior' = clv_options(model => 'sbg', spend =>
	'none',
	prior => clv_options(model => 'sbg', spend => 'none', prior => pool) -> 'prior') ->> 'prior' AS same
FROM (SELECT clv_pool(model) AS pool FROM known) k;
-- without differences between groups only the uncertainty of their mean is left
SELECT name, "between" < 0.001 AS none, abs(sd - std_error) < 0.001 AND std_error > 0 AS as_wide
FROM (SELECT clv_pool(model) AS pool FROM known, generate_series(1, 3) WHERE g = 1) k,
	jsonb_to_recordset(pool #> '{purchase,parameters}') p (name text, sd float8, "between" float8, std_error float8);

-- groups that say nothing count, and weigh nothing
SELECT pool #- '{purchase,groups}' #- '{skipped}' = (SELECT clv_pool(model) #- '{purchase,groups}' #- '{skipped}' FROM
	known) AS same,
	pool #> '{purchase,groups}' AS groups, pool #> '{purchase,used}' AS used, pool -> 'skipped' AS skipped
FROM (SELECT clv_pool(model) AS pool
	FROM (SELECT model FROM known UNION ALL SELECT NULL UNION ALL SELECT NULL
		UNION ALL SELECT jsonb_set(model::jsonb, '{purchase,converged}', 'false')::clv_model FROM known
		UNION ALL SELECT (model::jsonb #- '{purchase,covariance}')::clv_model FROM known) m) p;
SELECT clv_pool(NULL) IS NULL AS no_model, (SELECT clv_pool(model) IS NULL FROM known WHERE false) AS no_row;

-- errors
RESET client_min_messages;
SELECT clv_pool(model) FROM known WHERE g = 1;
SELECT clv_pool(clv_model('sbg', '{"alpha": 1, "beta": 2}', '1 week'));
SELECT clv_pool(jsonb_set(jsonb_set(model::jsonb, '{purchase,family}', to_jsonb(f)), '{purchase,parameters}',
	CASE f WHEN 'sbg' THEN model::jsonb #> '{purchase,parameters}' ELSE '{"Q": 0.1, "g": 1, "b": 1}' END)::clv_model
		ORDER BY f)
FROM (SELECT (model::jsonb #- '{purchase,covariance}')::clv_model AS model FROM known) k,
	unnest('{rfmtc,sbg}'::text[]) f;
SELECT clv_pool(jsonb_set(model::jsonb, '{time_unit}', to_jsonb(7 * g || ' days'))::clv_model ORDER BY g) FROM known;
SELECT clv_pool(jsonb_set(model::jsonb, '{purchase,prior}',
	'{"fingerprint": "0000000000000001", "distance": 1}')::clv_model)
FROM known;
SELECT clv_pool(jsonb_set(model::jsonb #- '{purchase,covariance}', '{purchase,covariates}',
	jsonb_build_array(jsonb_build_object('name', 'z' || g)))::clv_model ORDER BY g) FROM known;
SET client_min_messages = error;

-- effects of covariates and of a season are pooled one by one, and go back
CREATE TEMP TABLE season AS
SELECT g, clv_cells(h, clv_options(as_of => '2021-12-31', spend => 'none', season => '1')) AS cells
FROM (SELECT g, customer, clv_history(day, NULL::numeric) AS h
	FROM generate_series(1, 4) g, clv_simulate(clv_model('mbg/nbd', '{"r": 1, "alpha": 6, "a": 0.8, "b": 4}', '1 week'),
		150, '2020-01-01', '2021-12-31', g) GROUP BY g, customer) h GROUP BY g;
SELECT jsonb_path_query_array(pool, '$.purchase.effects[*].name') AS effects,
	(SELECT bool_and((d.converged) AND d.effective_parameters < 6) FROM (
		SELECT clv_fit(cells, clv_options(spend => 'none', season => '1', prior => pool)) AS m FROM season GROUP BY g)
			f,
		clv_diagnostics(m) d) AS refitted
FROM (SELECT clv_pool(m) AS pool FROM (SELECT clv_fit(cells) AS m FROM season GROUP BY g) f) p;

-- 60 countries of 20 to 400 customers, whose parameters differ by 0.3 on the log scale: pooled fits predict the
-- totals of
-- small ones far better than their own, and the limits hold
CREATE TEMP TABLE country AS
SELECT g, (20 * exp(ln(20) * g / 60.0))::int AS customers, clv_model('mbg/nbd', jsonb_build_object('r', 0.6 * exp(0.3
	* z[1]),
		'alpha', 6 * exp(0.3 * z[1] - 0.3 * z[2]), 'a', s * p, 'b', s * (1 - p)), '1 week')
	|| clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}') AS model
FROM (SELECT g, z, 2.5 * exp(0.3 * z[3]) AS s, 1 / (1 + exp(0.85 - 0.3 * z[4])) AS p
	FROM (SELECT g, (SELECT array_agg(sqrt(-2 * ln((g * 7919 + k * 104729) % 997 / 997.0 + 0.0005))
			* cos(2 * pi() * ((g * 6101 + k * 15485863) % 1009 / 1009.0))) FROM generate_series(1, 4) k) AS z
		FROM generate_series(1, 60) g) n) u;
CREATE TEMP TABLE history AS
SELECT g, customer, clv_history(day, amount) FILTER (WHERE day <= '2022-06-30') AS history,
	count(DISTINCT day) FILTER (WHERE day > '2022-06-30') AS later
FROM country, clv_simulate(model, customers, '2021-01-01', '2023-06-30', g) GROUP BY g, customer;
DELETE FROM history WHERE history IS NULL;
CREATE TEMP TABLE fitted AS
SELECT g, clv_fit(history, clv_options(as_of => '2022-06-30', too_few => 'null')) AS model FROM history GROUP BY g;
CREATE TEMP TABLE pooled AS
SELECT g, clv_fit(history, clv_options(as_of => '2022-06-30', prior => prior)) AS model
FROM history, (SELECT clv_pool(model) AS prior FROM fitted) p GROUP BY g;
SELECT count(*) AS countries, bool_and((clv_diagnostics(model)).converged) AS all_converge,
	bool_and((clv_diagnostics(model)).spend_converged) AS and_spend FROM pooled;
CREATE TEMP TABLE total AS
SELECT g, sum(later) AS came, clv_predict_total(c.model, history, '365 days', 0, 1, '2022-06-30', 0.9) AS truth,
	clv_predict_total(f.model, history, '365 days', 0, 1, '2022-06-30', 0.9) AS own,
	clv_predict_total(p.model, history, '365 days', 0, 1, '2022-06-30', 0.9) AS pooled
FROM history JOIN country c USING (g) LEFT JOIN fitted f USING (g) JOIN pooled p USING (g) GROUP BY g;
SELECT avg(((pooled).expected_purchases - (truth).expected_purchases) ^ 2) FILTER (WHERE (own).expected_purchases IS
	NOT NULL)
		< avg(((own).expected_purchases - (truth).expected_purchases) ^ 2) / 2 AS half_the_error,
	avg((came BETWEEN (pooled).purchases_low AND (pooled).purchases_high)::int) BETWEEN 0.8 AND 0.97 AS limits_hold
FROM total JOIN country USING (g) WHERE customers < 200;
-- a total of several models has no intervals of its own: those of groups add up, as independent
SELECT clv_predict_total(model, history, '365 days') FROM history JOIN pooled USING (g) WHERE g < 3;
SELECT (t).customers = n AS customers, abs((t).expected_purchases / purchases - 1) < 1e-12 AS purchases,
	abs((t).purchases_std_error / error - 1) < 1e-12 AS std_error, abs(((t).purchases_high - (t).expected_purchases) /
		spread - 1)
		< 1e-12 AS high, abs((t).purchases_low + (t).purchases_high - 2 * purchases) < 1e-6 AS low,
	abs((t).expected_value / value - 1) < 1e-12 AS value, abs(((t).value_mean_high - (t).expected_value) /
		value_spread - 1) < 1e-12
		AS value_high
FROM (SELECT clv_totals(pooled) AS t, sum((pooled).customers) AS n, sum((pooled).expected_purchases) AS purchases,
		sqrt(sum((pooled).purchases_std_error ^ 2)) AS error,
		sqrt(sum(((pooled).purchases_high - (pooled).expected_purchases) ^ 2)) AS spread, sum((pooled).expected_value)
			AS value,
		sqrt(sum(((pooled).value_mean_high - (pooled).expected_value) ^ 2)) AS value_spread FROM total) s;
-- of one total it is the total; a NULL adds nothing, what one does not know nobody knows, and the order changes nothing
SELECT bool_and(abs((t).purchases_high / (pooled).purchases_high - 1) < 1e-12 AND abs((t).value_high /
	(pooled).value_high - 1) < 1e-12
	AND (t).purchases_low >= 0) AS one
FROM (SELECT pooled, clv_totals(pooled) AS t FROM total GROUP BY g, pooled) s;
SELECT clv_totals(p) IS NOT DISTINCT FROM (SELECT clv_totals(pooled) FROM total) AS with_null
FROM (SELECT pooled AS p FROM total UNION ALL SELECT NULL) s;
SELECT count(DISTINCT t) AS different
FROM (SELECT clv_totals(pooled ORDER BY md5(g::text || seed)) AS t FROM total, generate_series(1, 5) seed GROUP BY
	seed) s;
SELECT (t).expected_purchases > 0 AS purchases, (t).purchases_high IS NULL AS no_high, (t).expected_value IS NULL AS
	no_value
FROM (SELECT clv_totals(p) AS t FROM (SELECT pooled AS p FROM total UNION ALL SELECT (1, 2, 0.1, NULL, NULL, NULL,
	NULL, NULL, NULL, NULL,
	NULL, NULL, NULL, NULL, NULL, NULL, NULL)::clv_total) a) s;
SELECT clv_totals(NULL) IS NULL AS no_total;
SELECT clv_totals(p) FROM (SELECT pooled AS p FROM total UNION ALL SELECT (1, 2, 0.1, 1, 3, 1, 3, 1, 3, 2, 0.1, 1, 3, 1,
	3, 1, 3)::clv_total) a;
SELECT clv_totals((1, 'NaN', 0.1, 1, 3, 1, 3, 1, 3, 2, 0.1, 1, 3, 1, 3, 1, 3)::clv_total);
