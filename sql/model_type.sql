-- The type clv_model: models by hand, as text, as jsonb, as bytes; joined; looked into.
CREATE TEMP TABLE m (name text PRIMARY KEY, model clv_model);
INSERT INTO m VALUES
	('bg', clv_model('bg/nbd', '{"alpha": 4.414, "r": 0.2426, "b": 2.426, "a": 0.793}', '1 week')),
	('bg dated', clv_model('bg/nbd', '{"r": 0.2426, "alpha": 4.414, "a": 0.793, "b": 2.426}', '7 days', '1997-09-30')),
	('mbg',
		clv_model('mbg/nbd', '{"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}', time_unit => '1 mon',
			as_of => '1997-09-30')),
	('spend', clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}'));
INSERT INTO m SELECT 'both', a.model || b.model FROM m a, m b WHERE a.name = 'bg dated' AND b.name = 'spend';
INSERT INTO m VALUES ('fitted', '{"version": 1, "time_unit": "7 days", "as_of": "1997-09-30", "occasion": 1,
	"purchase": {"family": "bg/nbd", "parameters": {"r": 0.25, "alpha": 4.5, "a": 0.75, "b": 2.5},
		"customers": 2357, "skipped": 3, "converged": true, "log_likelihood": -9582.5, "gradient_norm": 1e-9,
			"iterations": 6,
		"covariance": [[0.0025], [0.001, 0.01], [0, 0, 0.04], [0, 0, 0.03, 0.0625]]},
	"spend": {"family": "gamma/gamma", "parameters": {"p": 6, "q": 4, "gamma": 16}, "basis": "all",
		"customers": 946, "skipped": 2, "converged": false, "log_likelihood": -4056.25, "iterations": 99,
		"frequency_spend_correlation": 0.125}}');

-- readable, and the order of parameters is the family's
SELECT name, model FROM m WHERE name IN ('bg', 'bg dated', 'mbg', 'spend', 'both') ORDER BY name;

-- text, jsonb and bytes lose nothing
SELECT name, model::text::clv_model = model AS text, model::jsonb::clv_model = model AS jsonb,
	   model::text = model::jsonb::clv_model::text AS canonical, pg_column_size(model) < 1000 AS small
FROM m ORDER BY name;
SELECT every((clv_model('bg/nbd', jsonb_build_object('r', x, 'alpha', 1 / x, 'a', sqrt(x), 'b', 1),
		   '1 day')::text::clv_model::jsonb
	#>> '{purchase,parameters,r}')::float8 = x) AS exact
FROM unnest(ARRAY[0.1, 1e-300, 4.9406564584124654e-300, 0.1 + 0.2, 12345678901234567,
		 1.7976931348623157e150]::float8[]) x;

-- what 'auto' tried, and spend that was skipped altogether, are kept; both in less than a kilobyte
CREATE TEMP TABLE tried AS SELECT jsonb_set(jsonb_set(model::jsonb - 'spend', '{candidates}', '[
	{"family": "mbg/nbd", "log_likelihood": -9583.25, "bic": 19197.5, "converged": true},
		{"family": "bg/nbd", "converged": false}]'),
	'{spend_skipped}', '5')::clv_model AS model FROM m WHERE name = 'fitted';
SELECT model::text::clv_model = model AS text, model::jsonb -> 'candidates' AS candidates,
	   model::jsonb ->> 'spend_skipped' AS skipped,
	   pg_column_size(model) < 1000 AS small FROM tried;
SELECT candidates #>> '{0,family}' AS winner, abs((candidates #>> '{0,bic}')::float8 - bic) < 1e-9 AS bic,
	   candidates #>> '{1,family}' AS second, jsonb_array_length(candidates) AS tried, spend_skipped, spend_model
FROM tried, clv_diagnostics(model);
SELECT (t.model || s.model)::jsonb #> '{spend_skipped}' AS gone,
	   (t.model || s.model)::jsonb #>> '{candidates,1,family}' AS kept
FROM tried t, m s WHERE s.name = 'spend';
DROP TABLE tried;

-- settings do not change the text
BEGIN;
CREATE TEMP TABLE plain ON COMMIT DROP AS SELECT name, model::text AS text FROM m;
SET LOCAL DateStyle = 'SQL, DMY';
SET LOCAL IntervalStyle = 'sql_standard';
SET LOCAL extra_float_digits = -15;
SET LOCAL TimeZone = 'Asia/Kathmandu';
SELECT every(model::text = text) AS out, every(text::clv_model = model) AS "in",
	   every(model::jsonb::clv_model = model) AS jsonb FROM m JOIN plain USING (name);
COMMIT;

-- equal models are equal values
SELECT count(*) AS written, count(DISTINCT model) AS distinct
FROM (SELECT model FROM m UNION ALL SELECT model::text::clv_model FROM m) x;
SELECT count(*) AS groups
FROM (SELECT model
	  FROM (SELECT model FROM m UNION ALL SELECT model::jsonb::clv_model FROM m) x GROUP BY model) y;
SELECT a.name FROM m a JOIN m b ON a.model = b.model AND a.name <> b.name;
SELECT every((a.model < b.model) = (b.model > a.model) AND (a.model <= b.model) = (b.model >= a.model)
	AND (a.model <> b.model) = (a.name <> b.name)
		AND (a.model < b.model) = (a.model <= b.model AND a.model <> b.model)) AS ordered
FROM m a, m b;
SELECT every((clv_internal.clv_model_hash(a.model) = clv_internal.clv_model_hash(b.model))
		   = (a.name = b.name)) AS hashed
FROM m a, m b;
-- the time unit is ignored where there is nothing to time
SELECT clv_model('gamma/gamma', '{"p": 1, "q": 2, "gamma": 3}', '1 day')
	   = clv_model('gamma/gamma', '{"gamma": 3, "p": 1, "q": 2}') AS ignored;
-- time units keep what they were written as
SELECT u, clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', u)::jsonb ->> 'time_unit' AS kept
FROM unnest('{1 week,1 month,1 year,1 mon 2 days,48 hours}'::interval[]) u;
-- models written before days had to be whole are read as they are; a number alone is no time unit
SELECT u,
	   jsonb_set(clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 day')::jsonb, '{time_unit}',
		   to_jsonb(u))::clv_model::jsonb ->> 'time_unit' AS kept
FROM unnest('{36 hours,1 day 12 hours,90 minutes,0.25 seconds,1 mon 2 days 03:04:05.678901}'::text[]) u;
SELECT jsonb_set(clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 day')::jsonb, '{time_unit}',
		   '"7"')::clv_model;

-- joined in either order, and only where they belong together
SELECT (a.model || b.model) = (b.model || a.model) AS commutes FROM m a, m b WHERE a.name = 'mbg' AND b.name = 'spend';
SELECT (a.model || clv_model('gamma/gamma', '{"p": 1, "q": 2, "gamma": 3}',
		   as_of => '1997-09-30'))::jsonb ->> 'as_of' AS as_of
FROM m a WHERE name = 'bg';
SELECT a.model || b.model FROM m a, m b WHERE a.name = 'bg' AND b.name = 'mbg';
SELECT a.model || a.model FROM m a WHERE a.name = 'spend';
SELECT a.model || b.model FROM m a, m b WHERE a.name = 'both' AND b.name = 'spend';
SELECT a.model || clv_model('gamma/gamma', '{"p": 1, "q": 2, "gamma": 3}', as_of => '1997-10-01')
FROM m a WHERE name = 'mbg';

-- parameters: Wald intervals on the log scale
SELECT p.name, process, round(estimate::numeric, 6) AS estimate, round(std_error::numeric, 6) AS std_error,
	   abs(lower * upper - estimate ^ 2) < 1e-12 * estimate ^ 2 AS symmetric_in_log,
	   abs(ln(upper / estimate) - 1.959963984540054 * std_error / estimate) < 1e-12 AS normal
FROM m, clv_parameters(model) p WHERE m.name = 'fitted';
SELECT every(abs(ln(upper / estimate) - 2.5758293035489 * std_error / estimate) < 1e-12) AS ninety_nine
FROM m, clv_parameters(model, level => 0.99) WHERE m.name = 'fitted' AND process = 'transaction';
SELECT count(*), count(std_error), count(lower), count(upper) FROM m, clv_parameters(model) WHERE m.name = 'both';
SELECT count(*) FROM clv_parameters(NULL);

-- diagnostics; the n of a BIC is the customers fitted
\x on
SELECT purchase_model, customers, skipped, log_likelihood = -9582.5 AS log_likelihood, aic = 8 + 2 * 9582.5 AS aic,
	   abs(bic - (4 * ln(2357) + 2 * 9582.5)) < 1e-9 AS bic, iterations, converged,
	   gradient_norm = 1e-9 AS gradient_norm,
	   spend_model, spend_customers, spend_skipped, spend_log_likelihood = -4056.25 AS spend_log_likelihood,
	   spend_aic = 6 + 2 * 4056.25 AS spend_aic, abs(spend_bic - (3 * ln(946) + 2 * 4056.25)) < 1e-9 AS spend_bic,
	   spend_iterations, spend_converged, spend_gradient_norm IS NULL AS unknown, spend_basis,
	   frequency_spend_correlation = 0.125 AS correlation, as_of = date '1997-09-30' AS as_of,
	   time_unit = interval '1 week' AS time_unit, occasion
FROM m, clv_diagnostics(model) WHERE name = 'fitted';
\x off
SELECT purchase_model, customers, converged, spend_model, spend_basis, as_of IS NULL AS undated,
	   time_unit IS NULL AS unit
FROM m, clv_diagnostics(model) WHERE name IN ('bg', 'spend') ORDER BY name;
-- remarks: a fit that fell short; limits 10,000 times apart, standard errors of a logarithm above ln(10000) / 3.92 =
-- 2.3497; a better candidate
SELECT name, remark FROM m, clv_diagnostics(model) WHERE name IN ('bg', 'fitted') ORDER BY name;
SELECT s, remark FROM m, unnest('{2.349,2.35,5}'::float8[]) s,
	clv_diagnostics(jsonb_set(model::jsonb - 'spend', '{purchase,covariance}',
		format('[[0.0025], [0.001, 0.01], [0, 0, %s], [0, 0, 0, 100]]', s * s)::jsonb)::clv_model)
	WHERE name = 'fitted' ORDER BY s;
SELECT other, remark
FROM m, unnest('{19190,19200}'::float8[]) other,
	 clv_diagnostics(jsonb_set(model::jsonb - 'spend', '{candidates}',
	format('[{"family": "mbg/nbd", "log_likelihood": -9583.25, "bic": %s, "converged": false},
		{"family": "pareto/nbd", "converged": false}]',
		other)::jsonb)::clv_model)
	WHERE name = 'fitted' ORDER BY other;
SELECT clv_diagnostics(NULL) IS NULL AS "null";
SELECT clv_model(NULL, '{}'), clv_model('bg/nbd', NULL, '1 week');
DROP TABLE m;
