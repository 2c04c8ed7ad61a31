-- Fits with a prior: maxima a posteriori on unit-free parameters
-- the data of test/oracle/prior.py, which computes the maxima in another way
CREATE TEMP TABLE customer AS
SELECT x::float8, (CASE WHEN x = 0 THEN 0 ELSE (4 * t * (i * 13 % 17 + 1) / 18) / 4.0 END)::float8 AS t_x, t::float8,
	(10 + i * 31 % 23 * 1.5)::float8 AS mean
FROM (SELECT i, (i * i * 7 % 11) % 5 AS x, 20 + i * 5 % 30 AS t FROM generate_series(0, 19) i) s;
CREATE TEMP TABLE donor AS
SELECT least((i * i * 7 % 11) % 5 + 1, i * 13 % (7 + i % 4))::float8 AS x, (i * 13 % (7 + i % 4))::float8 AS t_x,
	(6 + i % 4)::float8 AS t
FROM generate_series(0, 19) i;
CREATE TEMP TABLE prior AS
SELECT family, jsonb_build_object(CASE family WHEN 'gamma/gamma' THEN 'spend' ELSE 'purchase' END,
	jsonb_build_object('family', family, 'correlation', correlation, 'parameters', (
		SELECT jsonb_agg(jsonb_build_object('name', names[i], 'mean', mean[i], 'sd', sd[i]) ORDER BY i)
		FROM generate_subscripts(names, 1) i))) AS prior
FROM (VALUES
	('bg/nbd', '{ln_r,ln_rate,logit_dropout,ln_a_plus_b}'::text[], '{-0.3,1.2,-0.9,0.8}'::float8[],
		'{0.4,0.3,0.5,0.6}'::float8[], '[[1],[0.3,1],[0,-0.2,1],[0.1,0,-0.4,1]]'::jsonb),
	('mbg/nbd', '{ln_r,ln_rate,logit_dropout,ln_a_plus_b}', '{-0.3,1.2,-0.9,0.8}', '{0.4,0.3,0.5,0.6}',
		'[[1],[0.3,1],[0,-0.2,1],[0.1,0,-0.4,1]]'),
	('pareto/nbd', '{ln_r,ln_rate,ln_s,ln_churn_rate}', '{-0.3,1.2,-0.4,-0.2}', '{0.4,0.3,0.5,0.6}',
		'[[1],[0.3,1],[0,-0.2,1],[0.1,0,-0.4,1]]'),
	('bg/bb', '{logit_purchase,ln_alpha_plus_beta,logit_dropout,ln_gamma_plus_delta}', '{0.2,0.9,-1.5,1.1}',
		'{0.4,0.3,0.5,0.6}', '[[1],[0.3,1],[0,-0.2,1],[0.1,0,-0.4,1]]'),
	('sbg', '{logit_churn,ln_alpha_plus_beta}', '{-1.2,0.7}', '{0.3,0.4}', '[[1],[-0.3,1]]'),
	('gamma/gamma', '{ln_p,ln_q,ln_mean_spend}', '{1.4,1.1,3.2}', '{0.3,0.4,0.2}', '[[1],[0.2,1],[0,-0.5,1]]')
) v (family, names, mean, sd, correlation);

CREATE FUNCTION pg_temp.fit(family text, prior jsonb) RETURNS clv_model LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE family
		WHEN 'bg/bb' THEN (SELECT clv_fit(x, t_x, t, NULL, clv_options(model => family, spend => 'none', prior =>
			prior))
			FROM donor)
		WHEN 'sbg' THEN (SELECT clv_fit(t_x, t_x, t, NULL, clv_options(model => family, spend => 'none', prior =>
			prior))
			FROM donor)
		WHEN 'gamma/gamma' THEN (SELECT clv_fit(x, t_x, t, mean, clv_options(prior => prior)) FROM customer)
		ELSE (SELECT clv_fit(x, t_x, t, NULL, clv_options(model => family, spend => 'none', prior => prior))
			FROM customer) END;
END $$;
SET client_min_messages = error;
SELECT prior AS mbg FROM prior WHERE family = 'mbg/nbd' \gset
CREATE TEMP TABLE model AS SELECT family, prior, pg_temp.fit(family, prior) AS model FROM prior;

CREATE TEMP TABLE oracle (family text, param float8[], distance float8);
INSERT INTO oracle VALUES
	('bg/nbd', '{0.842352703909575,11.5466183522152,0.862750042326394,2.48095254300311}', 0.827553784281989),
	('mbg/nbd', '{1.05743530673373,12.9669083482981,0.811840425248703,2.6486759919185}', 1.2726428742176),
	('pareto/nbd', '{1.05758771038795,15.4552024710597,0.686391075129993,37.4157696203687}', 0.915480401614043),
	('bg/bb', '{1.37451631408672,1.46444015416068,0.579359450267177,3.47386666426863}', 1.15360055679511),
	('sbg', '{0.790666489689473,2.57965668495444}', 1.36923541461001),
	('gamma/gamma', '{5.10397073093575,4.73972756721163,18.759551537309}', 1.52224754902358);
SELECT family, round(largest::numeric, 6) AS parameters_off, abs(d / distance - 1) < 1e-6 AS distance, converged
FROM (
	SELECT family, distance,
		(SELECT max(abs(estimate / param[n] - 1))
		 FROM (SELECT estimate, process, row_number() OVER (PARTITION BY process ORDER BY ordinality) AS n
			   FROM clv_parameters(model) WITH ORDINALITY) p
		 WHERE process = CASE family WHEN 'gamma/gamma' THEN 'spend' ELSE 'transaction' END) AS largest,
		CASE family WHEN 'gamma/gamma' THEN spend_prior_distance ELSE prior_distance END AS d,
		CASE family WHEN 'gamma/gamma' THEN spend_converged ELSE converged END AS converged
	FROM model JOIN oracle USING (family), clv_diagnostics(model)) m
ORDER BY family;

-- the log-likelihood is without the prior: no more than that of the fit without
SELECT family, d.log_likelihood <= free.log_likelihood AS lower, d.prior_distance > 0 AS off,
	d.effective_parameters BETWEEN 0 AND 4 AS effective, free.prior_distance IS NULL AS no_prior
FROM model, clv_diagnostics(model) d, pg_temp.fit(family, NULL) m, clv_diagnostics(m) free
WHERE family LIKE '%nbd' ORDER BY family;

-- neither the unit of time nor the currency changes anything
SELECT max(abs(w.estimate * CASE name WHEN 'alpha' THEN 7 WHEN 'beta' THEN 7 WHEN 'gamma' THEN 100 ELSE 1 END
		/ d.estimate - 1)) < 1e-9 AS same,
	max(abs(w.std_error / w.estimate - d.std_error / d.estimate)) < 1e-9 AS errors
FROM (SELECT 'pareto/nbd' AS family UNION ALL SELECT 'mbg/nbd') f JOIN prior USING (family),
	LATERAL (SELECT prior || jsonb_set(jsonb_build_object('spend', (SELECT p.prior -> 'spend' FROM prior p
		WHERE p.family = 'gamma/gamma')), '{spend,parameters,2,mean}', to_jsonb(m)) AS p, m
		FROM unnest(ARRAY[3.2, 3.2 + ln(100::float8)]) m) q,
	LATERAL (SELECT clv_fit(x, t_x, t, mean, clv_options(model => family, prior => p)) AS weeks,
		clv_fit(x, 7 * t_x, 7 * t, 100 * mean, clv_options(model => family, prior => jsonb_set(p,
			'{spend,parameters,2,mean}', to_jsonb(3.2 + ln(100::float8))), time_unit => '1 day')) AS days
		FROM customer) c,
	clv_parameters(weeks) w JOIN LATERAL clv_parameters(days) d USING (name)
WHERE m = 3.2;

-- a prior that says nothing is none, to the bit
SELECT family, pg_temp.fit(family, replace(prior::text, '"sd"', '"between"')::jsonb - 'correlation') =
	pg_temp.fit(family, NULL)
	AS same
FROM (SELECT family, prior #- '{purchase,correlation}' #- '{spend,correlation}' AS prior FROM prior) p ORDER BY family;
SELECT pg_temp.fit('mbg/nbd', p::jsonb) = pg_temp.fit('mbg/nbd', NULL) AS same
FROM unnest('{"{}", "{\"purchase\": {\"family\": \"mbg/nbd\"}, \"spend\": null}",
	"{\"purchase\": {\"family\": \"bg/nbd\",
	\"parameters\": [{\"name\": \"ln_r\", \"mean\": 7, \"sd\": null}]}}"}'::text[]) p;

-- of one parameter only; a narrow prior holds it where it is
SELECT round(ln(estimate)::numeric, 4) AS ln_r
FROM pg_temp.fit('mbg/nbd', '{"purchase": {"family": "mbg/nbd", "parameters":
	[{"name": "ln_r", "mean": 0.5, "sd": 0.001}]}}') m, clv_parameters(m) WHERE name = 'r';

-- customers who have no fit have one with a prior: no repeat purchase, one customer, all alike
SELECT what, (clv_diagnostics(m)).customers, (clv_diagnostics(m)).converged,
	(SELECT count(*) = 4 FROM clv_parameters(m) WHERE std_error > 0) AS with_errors
FROM (SELECT 'no repeater' AS what, clv_fit(0, 0, t, NULL, clv_options(spend => 'none', prior => :'mbg')) AS m FROM
	customer
	UNION ALL SELECT 'one', clv_fit(0, 0, 30, NULL, clv_options(spend => 'none', prior => :'mbg'))
	UNION ALL SELECT 'alike', clv_fit(3, 10, 12, NULL, clv_options(spend => 'none', prior => :'mbg')) FROM customer) f;
-- and so has spend of which nothing is known: the mean of the prior
SELECT name, round(estimate::numeric, 6) AS estimate, round(std_error::numeric, 6) AS std_error
FROM prior, LATERAL (SELECT clv_fit(x, t_x, t, NULL, clv_options(prior => prior)) AS m FROM customer) f,
	clv_parameters(m)
WHERE family = 'gamma/gamma' AND process = 'spend' ORDER BY name;

-- parameters at the border leave it
SELECT (clv_diagnostics(free)).converged AS free, (clv_diagnostics(held)).converged AS held,
	(SELECT max(estimate) < 100 FROM clv_parameters(held)) AS inside
FROM (SELECT clv_fit(x, t_x, t, NULL, clv_options(spend => 'none')) AS free,
	clv_fit(x, t_x, t, NULL, clv_options(spend => 'none', prior => :'mbg')) AS held FROM customer) f;

-- effects of covariates: free, or held by name
SELECT what, bool_and(abs(effect - 0.25) < 1e-4) FILTER (WHERE name = 'z' AND process = 'purchase') AS held,
	bool_and(abs(effect) > 1e-4 AND std_error > 0.001) FILTER (WHERE name <> 'z' OR process <> 'purchase') AS free
FROM (SELECT 'parameters' AS what, :'mbg'::jsonb AS p
	UNION ALL SELECT 'effect', jsonb_set(:'mbg', '{purchase,effects}',
		'[{"name": "z", "process": "purchase", "mean": 0.25, "sd": 0.00001}]')) q,
	LATERAL (SELECT clv_fit(x, CASE WHEN x > 0 THEN (i * 13 % 17 + 1) * 1.5 ELSE 0 END, 30, NULL, options, ARRAY[i %
		3, i % 2])
		FROM (SELECT i, (i * i * 7 % 11) % 5 * (i % 4) AS x FROM generate_series(0, 399) i) c,
			clv_options(spend => 'none', prior => p, covariates => '{y,z}') options) f (m), clv_effects(m)
GROUP BY what ORDER BY what DESC;

-- the forms: options, cells and models keep what belongs to a prior
SELECT clv_options(prior => p) -> 'prior' = (clv_options() || clv_options(prior => clv_options(prior => p) -> 'prior'))
		-> 'prior' AS options,
	c = c::text::clv_cells AS cells, clv_fit(c) = clv_fit(c::text::clv_cells) AS fits,
	clv_fit(c) = clv_fit(c, clv_options(prior => p, spend => 'none')) AS inherited,
	clv_fit(c)::text::clv_model = clv_fit(c) AS model, clv_fit(c)::jsonb #> '{purchase,prior}' ? 'fingerprint' AS known
FROM (SELECT prior AS p, clv_cells(x, t_x, t, NULL, clv_options(prior => prior, spend => 'none')) AS c
	FROM prior, customer WHERE family = 'mbg/nbd' GROUP BY prior) s GROUP BY p, c;
SELECT pg_column_size(model) AS bytes FROM model WHERE family = 'mbg/nbd';
\set VERBOSITY terse
SELECT jsonb_set(model::jsonb, '{purchase,prior,distance}', '-1')::clv_model FROM model WHERE family = 'mbg/nbd';
SELECT jsonb_set(model::jsonb, '{purchase,prior,fingerprint}', '"xyz"')::clv_model FROM model WHERE family = 'mbg/nbd';
SELECT jsonb_set(model::jsonb, '{purchase,prior,effective_parameters}', '9')::clv_model FROM model WHERE family =
	'mbg/nbd';
SELECT (model::jsonb #- '{purchase,prior,fingerprint}')::clv_model FROM model WHERE family = 'mbg/nbd';
SELECT jsonb_set(model::jsonb, '{purchase,prior,fun}', '1')::clv_model FROM model WHERE family = 'mbg/nbd';
\set VERBOSITY default

-- models of different priors are not compared
SELECT clv_compare(model, pg_temp.fit(family, NULL)) FROM model WHERE family = 'mbg/nbd';
SELECT clv_compare(model, pg_temp.fit(family, jsonb_set(prior, '{purchase,parameters,0,mean}', '0.1')))
FROM model WHERE family = 'mbg/nbd';

-- what is wrong with a prior
CREATE FUNCTION pg_temp.try(prior text, model text DEFAULT 'mbg/nbd') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM clv_options(model => model, prior => prior::jsonb);
	RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT p AS prior, pg_temp.try(p) AS verdict FROM (VALUES ('1'), ('[]'), ('{"buys": {}}'), ('{"purchase": 1}'),
	('{"purchase": {}}'),
	('{"purchase": {"family": "nbd"}}'), ('{"purchase": {"family": "gamma/gamma"}}'), ('{"skipped": -1}')) v (p);
SELECT replace(p, '"mean"', 'm') AS part, pg_temp.try('{"purchase": {"family": "mbg/nbd", ' || p || '}}') AS verdict
	FROM (VALUES
	('"parameters": 1'), ('"parameters": [1]'), ('"parameters": [{"mean": 1, "sd": 1}]'),
	('"parameters": [{"name": "ln_s", "mean": 1, "sd": 1}]'), ('"parameters": [{"name": "r", "mean": 1, "sd": 1}]'),
	('"parameters": [{"name": "ln_r", "sd": 1}]'), ('"parameters": [{"name": "ln_r", "mean": 1, "sd": 0}]'),
	('"parameters": [{"name": "ln_r", "mean": 1, "sd": -1}]'),
		('"parameters": [{"name": "ln_r", "mean": "NaN", "sd": 1}]'),
	('"parameters": [{"name": "ln_r", "mean": 1, "sd": 1e400}]'),
		('"parameters": [{"name": "ln_r", "mean": 1, "sd": 1, "x": 1}]'),
	('"parameters": [{"name": "ln_r", "mean": 1, "sd": 1}, {"name": "ln_r", "mean": 1, "sd": 1}]'),
	('"groups": 1.5'), ('"correlation": [[1]]'),
	('"parameters": [{"name": "ln_r", "mean": 1, "sd": 1}, {"name": "ln_rate", "mean": 1, "sd": 1}],
	"correlation": [[1], [1, 1]]'),
	('"parameters": [{"name": "ln_r", "mean": 1, "sd": 1}, {"name": "ln_rate", "mean": 1}],
	"correlation": [[1], [0.5, 1]]'),
	('"parameters": [{"name": "ln_r", "mean": 1, "sd": 1}, {"name": "ln_rate", "mean": 1, "sd": 1},
	{"name": "ln_a_plus_b", "mean": 1, "sd": 1}], "correlation": [[1], [0.9, 1], [0.9, -0.9, 1]]'),
	('"effects": [{"name": "z", "mean": 1, "sd": 1}]'),
		('"effects": [{"name": "z", "process": "buying", "mean": 1, "sd": 1}]'),
	('"effects": [{"name": "z", "process": "churn", "mean": 1, "sd": 1},
	{"name": "z", "process": "churn", "mean": 1, "sd": 1}]'),
	('"effects": [{"name": "", "process": "churn", "mean": 1, "sd": 1}]')) v (p);
-- without an existing mean of spend there are no parameters
SELECT pg_temp.try(jsonb_set(prior, '{spend,parameters,1,mean}', '-0.1')::text) AS verdict FROM prior WHERE family =
	'gamma/gamma';
-- of another family, and of one that the fit is to choose
SELECT clv_options(model => 'bg/nbd', prior => prior) FROM prior WHERE family = 'mbg/nbd';
SELECT clv_options(model => 'auto', prior => prior) FROM prior WHERE family = 'mbg/nbd';
-- an effect that the fit does not have
SELECT clv_fit(x, t_x, t, NULL, clv_options(spend => 'none', prior => jsonb_set(prior, '{purchase,effects}',
	'[{"name": "z", "process": "purchase", "mean": 0.25, "sd": 0.1}]'))) FROM customer, prior WHERE family = 'mbg/nbd';
RESET client_min_messages;
