-- contracts: bdw beside sbg, fitted to tables of cohorts, by histories and by number
CREATE TEMP TABLE cohort (name text, year int, survivors int);
INSERT INTO cohort
SELECT 'high end', * FROM unnest('{0,1,2,3,4,5,6,7}'::int[], '{1000,869,743,653,593,551,517,491}'::int[])
UNION ALL
SELECT 'regular', * FROM unnest('{0,1,2,3,4,5,6,7}'::int[], '{1000,631,468,382,326,289,262,241}'::int[]);
CREATE TEMP VIEW contracts AS
SELECT name, year AS renewals, next IS NOT NULL AS ended, survivors - coalesce(next, 0) AS customers
FROM (SELECT *, lead(survivors) OVER (PARTITION BY name ORDER BY year) AS next FROM cohort) c;
CREATE FUNCTION pg_temp.yearly(family text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
	$$ SELECT clv_options(model => family, time_unit => '1 year', spend => 'none') $$;
CREATE TEMP TABLE m AS
SELECT name, family, clv_fit(renewals, ended, customers, pg_temp.yearly(family)) AS model
FROM contracts, unnest('{sbg,bdw}'::text[]) family GROUP BY name, family;

-- Fader & Hardie 2007 print sbg; bdw as test/oracle/bdw_fits.py finds it
SELECT m.name, family,
	   string_agg(p.name || ' ' || round(estimate::numeric, 4) || ' +- ' || round(std_error::numeric, 4), ', '
		   ORDER BY p.name) AS estimates,
	   round((clv_diagnostics(model)).log_likelihood::numeric, 4) AS log_likelihood
FROM m, clv_parameters(model) p GROUP BY m.name, family, model::text, (clv_diagnostics(model)).log_likelihood
ORDER BY 1, 2 DESC;
SELECT name, round(c.statistic::numeric, 4) AS chi_squared, c.df, round(c.p_value::numeric, 5) AS p_value, c.larger
FROM m s JOIN m b USING (name), clv_compare(s.model, b.model) c
WHERE s.family = 'sbg' AND b.family = 'bdw' ORDER BY 1;

-- a row for each customer, in any order, in parts, and from cells: the same bits
SELECT m.name, family, model = one AS "one by one", model = many AS "in any order", model = parts AS "in parts"
FROM m, LATERAL (
	SELECT clv_fit(renewals, renewals, renewals + ended::int, NULL, pg_temp.yearly(family)) AS one
	FROM contracts c, generate_series(1, customers) WHERE c.name = m.name) o, LATERAL (
	SELECT clv_fit(renewals, ended, customers, pg_temp.yearly(family) ORDER BY md5(renewals::text)) AS many
	FROM contracts c WHERE c.name = m.name) a, LATERAL (
	SELECT clv_fit(cells) AS parts FROM (
		SELECT clv_cells(renewals, ended, part, pg_temp.yearly(family)) AS cells
		FROM contracts c, LATERAL (VALUES (customers / 3), (customers - customers / 3)) p (part)
		WHERE c.name = m.name GROUP BY renewals % 2) q) p
ORDER BY 1, 2;
SELECT bool_and(cells::text::clv_cells = cells AND cells::jsonb::clv_cells = cells) AS forms, count(*)
FROM (SELECT clv_cells(renewals, ended, customers, clv_options(model => 'bdw')) AS cells
	  FROM contracts GROUP BY name) c;
SELECT bool_and(model::text::clv_model = model AND model::jsonb::clv_model = model) AS forms FROM m;

-- rows of no customer, and no row
SELECT model = with_empty AS empty, nothing IS NULL AS nothing
FROM m, LATERAL (
	SELECT clv_fit(renewals, ended, customers, pg_temp.yearly('bdw')) AS with_empty
	FROM (SELECT renewals, ended, customers FROM contracts c WHERE c.name = m.name
		  UNION ALL VALUES (3, true, 0), (NULL, NULL, NULL)) r) w,
	 LATERAL (SELECT clv_fit(NULL::int8, NULL::bool, NULL::int8, clv_options(model => 'bdw')) AS nothing) n
WHERE family = 'bdw' AND name = 'regular';

-- by number: what holds of renewals, whatever the family
SELECT name, family,
	   bool_and(abs(clv_survival(model, t) / clv_survival(model, t - 1) / clv_retention(model, t) - 1) < 1e-12)
		   AS retention,
	   bool_and(abs(clv_residual_lifetime(model, t, 0.1, before => true)
			/ (clv_retention(model, t) * (1 + clv_residual_lifetime(model, t, 0.1))) - 1) < 1e-12) AS residual,
	   bool_and(clv_retention_elasticity(model, t, 0.1, before => true)
			= clv_retention_elasticity(model, t - 1, 0.1)) AS before,
	   bool_and(clv_p_alive(model, t, t, t) = 1 AND clv_p_alive(model, t, t, t + 1) = 0) AS alive,
	   bool_and(abs(clv_expected_purchases(model, t, t, t, 3) - (clv_survival(model, t + 1) + clv_survival(model, t + 2)
			+ clv_survival(model, t + 3)) / clv_survival(model, t)) < 1e-12) AS expected
FROM m, generate_series(1, 20) t GROUP BY 1, 2 ORDER BY 1, 2;
-- the elasticity is the derivative: by every retention one per mille of a per cent higher
SELECT name, family, abs((more / once - 1) / 1e-5 / clv_retention_elasticity(model, 2, 0.1) - 1) < 1e-4 AS derivative
FROM m, LATERAL (SELECT sum(clv_survival(model, 2 + k) * power(1.1, -k)) AS once,
						sum(clv_survival(model, 2 + k) * power(1.00001 / 1.1, k)) AS more
				 FROM generate_series(1, 400) k) s ORDER BY 1, 2;
SELECT clv_retention_elasticity(clv_model('sbg', '{"alpha": 2, "beta": 3}', '1 year'), 1, 0) AS sbg,
	   clv_retention_elasticity(clv_model('bdw', '{"alpha": 4, "beta": 3, "c": 0.5}', '1 year'), 1, 0) AS bdw,
	   clv_residual_lifetime(clv_model('bdw', '{"alpha": 2, "beta": 3, "c": 0.5}', '1 year'), 1, 0) AS residual,
	   clv_retention_elasticity(clv_model('sbg', '{"alpha": 3, "beta": 3}', '1 year'), 1, 0) = 6 AS closed;

-- what Fader & Hardie 2010 print in table 3, at parameters of three digits: the value of a contract just before the
-- renewals 1 to 5, for customers who are nearly alike, and for such as stay for ever or leave at once
SELECT kind, bool_and(abs(clv_residual_lifetime(model, t, 0.1, before => true) - printed) < 0.011) AS as_printed
FROM (VALUES ('alike', '{"alpha": 3.80, "beta": 15.20}'::jsonb, '{3.31,3.45,3.59,3.72,3.84}'::float8[]),
			 ('unlike', '{"alpha": 0.067, "beta": 0.267}', '{7.68,9.46,9.86,10.06,10.19}')) p (kind, parameters, value),
	 clv_model('sbg', parameters, '1 year') model, unnest(value) WITH ORDINALITY v (printed, t)
GROUP BY kind ORDER BY kind;

-- by history: renewals by period of the calendar, or of the contract
CREATE TEMP TABLE subscriber AS
SELECT customer AS id, clv_history(day, 10.0) AS history
FROM clv_simulate(clv_model('bdw', '{"alpha": 0.5, "beta": 3, "c": 1.4}', '1 month'), 400, '2019-01-31', '2020-12-31',
		 7)
GROUP BY 1;
CREATE TEMP TABLE h AS
SELECT family, periods, clv_fit(history, clv_options(model => family, time_unit => '1 month', as_of => '2020-12-31',
	spend => 'none', periods => periods)) AS model
FROM subscriber, unnest('{sbg,bdw}'::text[]) family, unnest('{anniversary,calendar}'::text[]) periods GROUP BY 1, 2;
SELECT family, periods, (clv_diagnostics(model)).converged,
	   (SELECT string_agg(period_start::text, ', ' ORDER BY period_start)
		FROM subscriber, clv_forecast(model, history, 3, '1 month') WHERE id = 12) AS months,
	   (SELECT bool_and(abs(f - e) < 1e-12) FROM (SELECT sum(expected_purchases) AS f,
			min(clv_expected_purchases(model, history, '3 months')) AS e
			FROM subscriber, clv_forecast(model, history, 3, '1 month') GROUP BY id) q) AS adds_up
FROM h ORDER BY 1, 2;

-- draws, the same for a seed
SELECT count(*), count(DISTINCT customer), min(day), max(day)
FROM clv_simulate(clv_model('bdw', '{"alpha": 0.5, "beta": 3, "c": 1.4}', '1 month'), 100, '2020-01-31', '2020-12-31',
		 7);

-- options and errors
SELECT clv_options(model => 'bdw', grace => '3 days') ->> 'grace' AS grace;
SELECT clv_options(model => 'sbg', correlation => true);
SELECT clv_fit(1, true, 1, clv_options());
SELECT clv_fit(1, true, -1, clv_options(model => 'bdw'));
SELECT clv_fit(-1, true, 1, clv_options(model => 'bdw'));
SELECT clv_fit(1, NULL, 1, clv_options(model => 'bdw'));
SELECT clv_fit(1, true, 5000000000, clv_options(model => 'bdw'));
SELECT clv_fit(2, false, 1, clv_options(model => 'bdw'));
SELECT clv_cells(1, true, 1, clv_options(model => 'bdw', covariates => '{z}'));
SELECT clv_retention_elasticity(clv_model('mbg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 year'), 1, 0.1);
SELECT clv_retention_elasticity(model, 1, -0.1) FROM m LIMIT 1;
SELECT clv_retention_elasticity(model, 0, 0.1, before => true) FROM m LIMIT 1;

-- ---- a covariate on churn, which multiplies alpha of sbg: an independent fit ----
-- Newton's method in Python on the sum of ln (beta + j), ln (alpha e^(d z)) and ln (alpha e^(d z) + beta + j), with the
-- gradient by hand and the Hessian by central differences of it: eleven digits.
CREATE TEMP TABLE renewing AS
SELECT customer, z, clv_history((date '2022-01-15' + k * interval '1 month')::date, 20) AS history
FROM (
	SELECT i AS customer, i % 3 AS z,
		least(12, 12 * (i * 7919 % 1009) * (i * 7919 % 1009) * (2 + i % 3) / (2 * 1009 * 1009)) AS renewals
	FROM generate_series(1, 900) i
) c, generate_series(0, renewals) k
GROUP BY 1, 2;
SELECT d.process, d.name, abs(d.estimate / e.estimate - 1) < 1e-9 AS estimate,
	d.process = 'centre' OR abs(d.std_error / e.std_error - 1) < 1e-6 AS std_error
FROM (
	SELECT clv_fit(history, clv_options(model => 'sbg', covariates => '{z}', time_unit => '1 month',
		as_of => '2023-01-20', spend => 'none'), ARRAY[z]) AS m
	FROM renewing
) f, clv_parameters(f.m) d
JOIN (VALUES ('alpha', 4.815128594869, 4.815128594869 * sqrt(0.206774143575)),
	('beta', 24.292601162703, 24.292601162703 * sqrt(0.264138910583)), ('z', 1, NULL),
	('z', -0.413783585810, sqrt(0.00249515875988))) e (name, estimate, std_error)
	ON e.name = d.name AND (e.std_error IS NULL) = (d.process = 'centre');
