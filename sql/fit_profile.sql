-- Limits by the profile of the likelihood: the fall of the log-likelihood at each, forms, borders, errors.

CREATE SCHEMA fit_profile;
SET search_path = fit_profile, public;
SET client_min_messages = warning;

CREATE TABLE shop AS
SELECT customer, clv_history(day, amount::numeric(12, 2)) AS history, ARRAY[customer % 2]::float8[] AS z
FROM clv_simulate(
	clv_model('mbg/nbd', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}', '1 week')
		|| clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}'), 1000, '2015-01-01', '2016-12-31', 4)
GROUP BY customer;

-- With a parameter held at its limit by a narrow prior, the others free, the log-likelihood is lower by half the square
-- of 1.96 (3.841459 / 2), or of 1.2816 at level 0.8.
CREATE FUNCTION held(options jsonb, part text, prior jsonb) RETURNS float8 LANGUAGE sql AS $$
	SELECT CASE part WHEN 'spend' THEN d.spend_log_likelihood ELSE d.log_likelihood END
	FROM (SELECT clv_fit(history, options - 'profile' || jsonb_build_object('prior', jsonb_build_object(part, prior)))
		FROM shop) f (m), clv_diagnostics(m) d
$$;
CREATE TABLE asked (model text, parameter text, part text, quantity text, family text);
INSERT INTO asked VALUES
	('mbg/nbd', 'r', 'purchase', 'ln_r', 'mbg/nbd'), ('bg/nbd', 'r', 'purchase', 'ln_r', 'bg/nbd'),
	('pareto/nbd', 's', 'purchase', 'ln_s', 'pareto/nbd'), ('mbg/nbd', 'q', 'spend', 'ln_q', 'gamma/gamma');
SELECT model, parameter, level, side, round((2 * (top - low))::numeric, 6) AS fall
FROM asked, unnest('{0.95,0.8}'::float8[]) level,
	LATERAL (SELECT clv_options(model => model, profile => level)) o (options),
	LATERAL (SELECT clv_fit(history, options) AS fitted FROM shop) f,
	LATERAL (SELECT CASE part WHEN 'spend' THEN spend_log_likelihood ELSE log_likelihood END AS top
			 FROM clv_diagnostics(fitted)) d,
	clv_parameters(fitted, level, 'profile') p,
	LATERAL (VALUES ('lower', lower), ('upper', upper)) l (side, value),
	LATERAL held(options, part, jsonb_build_object('family', family, 'parameters', jsonb_build_array(
		jsonb_build_object('name', quantity, 'mean', ln(value), 'sd', 0.00001)))) low
WHERE p.name = parameter AND (level = 0.95 OR model = 'mbg/nbd')
ORDER BY model, parameter, level DESC, side;

-- with a prior the posterior falls: its logarithm is the log-likelihood less half the squared distance
SELECT side, round((2 * (top.log_likelihood - top.prior_distance ^ 2 / 2 - low.log_likelihood
		+ low.prior_distance ^ 2 / 2))::numeric, 6) AS fall
FROM (VALUES ('{"name": "ln_rate", "mean": 1.5, "sd": 0.1}'::jsonb)) r (rate),
	LATERAL (SELECT clv_fit(history, clv_options(profile => 0.95, prior => jsonb_build_object('purchase',
		jsonb_build_object('family', 'mbg/nbd', 'parameters', jsonb_build_array(rate))))) AS m FROM shop) f,
	clv_diagnostics(m) top, clv_parameters(m, method => 'profile') p,
	LATERAL (VALUES ('lower', lower), ('upper', upper)) l (side, value),
	LATERAL (SELECT clv_fit(history, clv_options(prior => jsonb_build_object('purchase', jsonb_build_object(
		'family', 'mbg/nbd', 'parameters', jsonb_build_array(rate, jsonb_build_object('name', 'ln_r',
		'mean', ln(value), 'sd', 0.00001)))))) AS m FROM shop) h, clv_diagnostics(h.m) low
WHERE name = 'r' ORDER BY side;

-- effects of covariates, of a calendar and of a trend beside them; where they are equal on both processes, too
CREATE TABLE campaign AS
SELECT clv_calendar(day::date, ARRAY[(n % 5 = 0)::int::float8], '{campaign}') AS calendar
FROM generate_series(timestamp '2015-01-01', '2017-01-05', '7 days') WITH ORDINALITY s (day, n);
CREATE TABLE effects AS
SELECT 'effects' AS what, clv_options(model => 'pareto/nbd', spend => 'none', profile => 0.95, covariates => '{z}',
	calendar => calendar, trend => true, churn_covariates => '{z}') AS options
FROM campaign
UNION ALL
SELECT 'same', clv_options(model => 'pareto/nbd', spend => 'none', profile => 0.95, covariates => '{z}',
	same_effects => '{z}');
SELECT what, name, l.process, side, round((2 * (top.log_likelihood - low.log_likelihood))::numeric, 5) AS fall
FROM effects, LATERAL (SELECT clv_fit(history, options, z) AS m FROM shop) f, clv_diagnostics(m) top,
	clv_parameters(m, method => 'profile') p,
	LATERAL (VALUES ('lower', lower, split_part(p.process, ' ', 1)), ('upper', upper, split_part(p.process, ' ', 1)))
		l (side, value, process),
	LATERAL (SELECT clv_fit(history, options - 'profile' || jsonb_build_object('prior', jsonb_build_object('purchase',
		jsonb_build_object('family', 'pareto/nbd', 'effects', jsonb_build_array(jsonb_build_object('name', name,
		'process', l.process, 'mean', value, 'sd', 0.000001))))), z) AS m
	FROM shop) h, clv_diagnostics(h.m) low
WHERE p.process LIKE '%effect' AND lower < upper ORDER BY what, name, process, side;
-- of those that do not act there are none
SELECT name, process, lower, upper
FROM effects, LATERAL (SELECT clv_fit(history, options, z) AS m FROM shop) f, clv_parameters(m, method => 'profile')
WHERE what = 'effects' AND process = 'churn effect' AND name <> 'z';

-- every family has limits around its estimates; the Erlang shape is not searched for
SELECT model, bool_and(coalesce(lower < estimate AND estimate < upper, name IN ('k', 'correlation'))) AS around,
	count(lower) AS known
FROM (
	SELECT model, clv_fit(history, clv_options(model => model, spend => 'none', profile => 0.95, time_unit => unit,
		as_of => '2016-12-31'))
	FROM shop, (VALUES ('bg/nbd', interval '1 week'), ('mbg/nbd', '1 week'), ('mbg/cnbd-k', '1 week'),
		('pareto/nbd', '1 week'), ('bg/bb', '1 month')) f (model, unit)
	GROUP BY model
	UNION ALL
	SELECT model, clv_fit(year, leave_next IS NOT NULL, coalesce(leave_next, survivors),
		clv_options(model => model, time_unit => '1 year', spend => 'none', profile => 0.95))
	FROM (SELECT year, survivors, survivors - lead(survivors) OVER (ORDER BY year) AS leave_next
		FROM unnest('{0,1,2,3,4,5,6,7}'::int[], '{1000,869,743,653,593,551,517,491}'::int[]) c (year, survivors)) c,
		unnest('{sbg,bdw}'::text[]) model
	GROUP BY model) f (model, fitted), clv_parameters(fitted, method => 'profile')
GROUP BY model ORDER BY model;

-- neither the unit of time nor the currency matters
SELECT max(abs(w.lower * CASE WHEN name IN ('alpha', 'beta') THEN 7 ELSE 1 END / d.lower - 1)) < 1e-8 AS lower,
	max(abs(w.upper * CASE WHEN name IN ('alpha', 'beta') THEN 7 ELSE 1 END / d.upper - 1)) < 1e-8 AS upper
FROM (SELECT clv_fit(history, clv_options(model => 'pareto/nbd', profile => 0.9)),
		clv_fit(history, clv_options(model => 'pareto/nbd', profile => 0.9, time_unit => '1 day')) FROM shop) f (w, d),
	clv_parameters(f.w, 0.9, 'profile') w JOIN LATERAL clv_parameters(f.d, 0.9, 'profile') d USING (name);

-- few customers: a and b, or s and beta, may be as large as they like, as all may leave at one rate
SELECT model, name, lower > 0 AS lower, upper
FROM (
	SELECT model, clv_fit(history, clv_options(model => model, spend => 'none', profile => 0.95))
	FROM shop, (VALUES ('mbg/nbd', 10), ('bg/nbd', 4), ('pareto/nbd', 1)) f (model, rest)
	WHERE customer % 12 = rest GROUP BY model) f (model, m), clv_parameters(m, method => 'profile')
WHERE upper = 'Infinity' ORDER BY model, name;

-- from cells, from halves of them, and by auto: the same limits
SELECT clv_fit(c) = f AS cells, clv_fit(c::text::clv_cells) = f AS text,
	clv_fit(c, clv_options(profile => 0.9)) = (SELECT clv_fit(history, clv_options(profile => 0.9)) FROM shop) AS other
FROM (SELECT clv_cells(history, clv_options(profile => 0.95)) AS c, clv_fit(history, clv_options(profile => 0.95)) AS f
	FROM shop) s GROUP BY c, f;
SELECT clv_fit(history, clv_options(model => 'auto', profile => 0.95))::jsonb -> 'purchase' -> 'profile' =
	clv_fit(history, clv_options(model => 'mbg/nbd', profile => 0.95))::jsonb -> 'purchase' -> 'profile' AS auto
FROM shop;
-- all else is as it is without
SELECT (clv_fit(history, clv_options(profile => 0.95))::jsonb #- '{purchase,profile}' #- '{spend,profile}')::clv_model =
	clv_fit(history) AS else_same FROM shop;

-- forms
CREATE TABLE model AS SELECT clv_fit(history, clv_options(profile => 0.95)) AS m FROM shop;
SELECT m::text::clv_model = m AS text, m::jsonb::clv_model = m AS jsonb, clv_options(profile => 0.95) -> 'profile'
FROM model;
CREATE TABLE copied (LIKE model);
\copy model TO 'results/fit_profile.bin' (FORMAT binary)
\copy copied FROM 'results/fit_profile.bin' (FORMAT binary)
SELECT c.m = m.m AS binary FROM copied c, model m;
-- infinite and unknown limits are strings and null
SELECT j, m::jsonb #> '{purchase,profile}' = j AS same, array_agg((lower, upper)::text ORDER BY ordinality)
FROM (VALUES ('{"level": 0.9, "lower": [0, null], "upper": ["Infinity", 4]}'::jsonb)) v (j),
	LATERAL (SELECT jsonb_build_object('version', 1, 'time_unit', '1 month', 'purchase', jsonb_build_object(
		'family', 'sbg', 'parameters', '{"alpha": 1, "beta": 4}'::jsonb, 'customers', 5, 'converged', true,
		'profile', j))::clv_model) f (m), clv_parameters(m, 0.9, 'profile') WITH ORDINALITY
GROUP BY j, m;

-- a model by hand has no limits; one that did not converge has none that are known
SELECT count(*), count(lower) FROM clv_parameters(clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}'),
	0.5, 'profile');
SELECT count(*), count(lower) FROM (
	SELECT clv_fit(history, clv_options(spend => 'none', profile => 0.95, max_iterations => 1)) FROM shop) f (m),
	clv_parameters(m, method => 'profile');

-- errors
SELECT * FROM model, clv_parameters(m, 0.9, 'profile');
SELECT * FROM shop, clv_parameters((SELECT clv_fit(history) FROM shop), 0.95, 'profile');
SELECT * FROM model, clv_parameters(m, 0.95, 'bayes');
SELECT clv_options(profile => 95);
SELECT clv_options(profile => -0.5);
SELECT jsonb_set(m::jsonb, '{purchase,profile,level}', '1')::clv_model FROM model;
SELECT jsonb_set(m::jsonb, '{purchase,profile,lower}', '[1]')::clv_model FROM model;
SELECT jsonb '{"version": 1, "time_unit": "1 month", "purchase": {
	"family": "sbg", "parameters": {"alpha": 1, "beta": 4}, "customers": 5,
	"converged": true, "profile": {"level": 0.9, "lower": [2, 1], "upper": [3, 5]}}}'::clv_model;
SELECT jsonb_set(m::jsonb, '{purchase,profile,lower,0}', '"NaN"')::clv_model FROM model;
SELECT (m::jsonb #- '{purchase,profile,upper}')::clv_model FROM model;
SELECT jsonb_set(m::jsonb, '{purchase,profile,more}', '5')::clv_model FROM model;

RESET client_min_messages;
DROP SCHEMA fit_profile CASCADE;
