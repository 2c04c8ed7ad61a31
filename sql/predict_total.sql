-- Totals over customers: sums, intervals by their formulas, any order and any split.
CREATE TEMP TABLE c AS SELECT i AS id, clv_history(day, amount) AS history
	FROM generate_series(1, 150) i,
		 LATERAL (SELECT date '2020-01-01' + (i * 7) % 100 + (d * (3 + (i * 37) % 60)) AS day,
						 10 + (i * 13 + d * 7) % 50 AS amount
		FROM generate_series(0, (i * i) % 7 % (1 + i % 5)) d) d GROUP BY i;
CREATE TEMP TABLE m AS SELECT family, (jsonb_build_object('version', 1, 'time_unit', '1 week', 'as_of', '2020-12-31',
		'purchase',
			jsonb_build_object('family', family, 'parameters', parameters, 'covariance',
				'[[0.02], [0.015, 0.03], [0.001, 0.002, 0.05], [0.001, 0.001, 0.045, 0.06]]'::jsonb),
		'spend',
			'{"family": "gamma/gamma", "parameters": {"p": 6.25, "q": 3.74, "gamma": 15.44},
				"covariance": [[0.02], [-0.01, 0.03], [-0.02, 0.02, 0.05]]}'::jsonb))::clv_model AS model
	FROM (VALUES ('mbg/nbd', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}'::jsonb),
			  ('pareto/nbd', '{"r": 0.553, "alpha": 10.58, "s": 0.606, "beta": 11.67}')) f (family, parameters);
-- parameters p up by a step of their logs, for derivatives
CREATE FUNCTION pg_temp.stepped(model clv_model, part text, parameter text, step float8)
RETURNS clv_model LANGUAGE sql AS $$
	SELECT (jsonb_set(j, ARRAY[part, 'parameters', parameter],
			   to_jsonb((j #>> ARRAY[part, 'parameters', parameter])::float8 * exp(step))))::clv_model
	FROM (SELECT model::jsonb AS j) j $$;
CREATE FUNCTION pg_temp.same(a float8, b float8, tolerance float8)
RETURNS bool LANGUAGE sql AS 'SELECT abs(a - b) <= tolerance * abs(b)';
CREATE TEMP TABLE t AS
SELECT family, model, (clv_predict_total(model, history, '1 year', 0.15, 0.35, '2020-12-31', 0.9)).*
FROM m, c GROUP BY family, model;

-- the sums are those of the customers
SELECT t.family, t.customers, pg_temp.same(t.expected_purchases, p.purchases, 1e-12) AS purchases,
	   pg_temp.same(t.expected_value, p.value, 1e-12) AS value
FROM t, LATERAL (SELECT sum(p.expected_purchases) AS purchases, sum(p.clv) AS value
				 FROM c, clv_predict(t.model, c.history, '1 year', 0.15, 0.35) p) p ORDER BY 1;

-- confidence interval: the covariance of the estimates by the gradient, here from whole totals a step apart
CREATE TEMP TABLE g AS
	SELECT t.family, part, i, (up.expected_purchases - down.expected_purchases) / 2e-3 AS purchases,
		   (up.expected_value - down.expected_value) / 2e-3 AS value
	FROM t, (VALUES ('purchase'), ('spend')) p (part),
		LATERAL (SELECT parameter, row_number() OVER () AS i
				 FROM json_object_keys(t.model::text::json -> part -> 'parameters') parameter) k,
		LATERAL (SELECT pg_temp.stepped(t.model, part, parameter, 1e-3) AS more,
						pg_temp.stepped(t.model, part, parameter, -1e-3) AS less
				 OFFSET 0) s,
		LATERAL (SELECT (clv_predict_total(more, c.history, '1 year', 0.15, 0.35)).* FROM c) up,
		LATERAL (SELECT (clv_predict_total(less, c.history, '1 year', 0.15, 0.35)).* FROM c) down;
SELECT t.family, pg_temp.same(t.purchases_std_error, sqrt(sum(a.purchases * b.purchases * v)), 1e-5) AS purchases,
	   pg_temp.same(t.value_std_error, sqrt(sum(a.value * b.value * v)), 1e-5) AS value, count(*)
FROM t JOIN g a USING (family) JOIN g b USING (family, part),
	LATERAL (SELECT (t.model::jsonb #> ARRAY[part, 'covariance']) AS covariance) j,
	LATERAL (SELECT (covariance #>> ARRAY[greatest(a.i, b.i) - 1, least(a.i, b.i) - 1]::text[])::float8 AS v) v
GROUP BY t.family, t.purchases_std_error, t.value_std_error ORDER BY 1;
SELECT every(pg_temp.same(purchases_mean_high - expected_purchases, 1.6448536269514722 * purchases_std_error, 1e-9)
	AND pg_temp.same(expected_value - value_mean_low, 1.6448536269514722 * value_std_error, 1e-9)) AS "90 %" FROM t;

-- prediction interval: the variance of each customer from the probabilities of their counts
SELECT t.family,
	   pg_temp.same((t.purchases_high - t.expected_purchases) / 1.6448536269514722,
		   sqrt(sum(v.variance) + t.purchases_std_error ^ 2), 1e-8) AS purchases
FROM t, c, LATERAL (SELECT sum(n * n * q) - sum(n * q) ^ 2 AS variance
	FROM generate_series(0, 150) n, LATERAL (SELECT clv_purchase_probability(t.model, c.history, n, '1 year') AS q) q) v
GROUP BY t.family, t.purchases_high, t.expected_purchases, t.purchases_std_error ORDER BY 1;
-- the variance of value, one customer, by its terms: p = 6.25, q = 3.74, gamma = 15.44
CREATE TEMP TABLE one AS
SELECT clv_model('bg/nbd', '{"r": 0.2426, "alpha": 4.414, "a": 0.793, "b": 2.426}', '1 week', '1997-09-30')
	|| clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS model, clv_history(day, amount) AS history
	FROM (VALUES (date '1997-01-01', 29.33), ('1997-01-18', 29.73), ('1997-08-02', 14.96)) v (day, amount);
SELECT pg_temp.same(greatest(o.value_high - o.expected_value, 0), 1.959963984540054 * 0.5 * sqrt(v),
	   1e-9) AS value, o.purchases_std_error IS NULL AND o.value_mean_low IS NULL AS held,
	   o.value_low = 0 AS "not below zero"
FROM (SELECT (clv_predict_total(model, history, '39 weeks', 0, 0.5)).* FROM one) o,
	LATERAL (SELECT sum(n * q) AS e1, sum(n * (n - 1) * q) AS e2 FROM one, generate_series(0, 200) n,
		LATERAL (SELECT clv_purchase_probability(model, history, n, '39 weeks') AS q) q) e,
	LATERAL (SELECT 6.25 * 2 + 3.74 AS a, 15.44 + 29.73 + 14.96 AS b) s,
	LATERAL (SELECT e1 * 6.25 * 7.25 * w + e2 * 6.25 ^ 2 * w - (e1 * 6.25 * b / (a - 1)) ^ 2 AS v
			 FROM (SELECT b * b / ((a - 1) * (a - 2)) AS w) w) v;

-- any order and any split: the same bits
CREATE TEMP TABLE bits (total text);
INSERT INTO bits
SELECT clv_predict_total(model, history, '1 year', 0.15, 0.35 ORDER BY id)::text
FROM m, c WHERE family = 'mbg/nbd';
INSERT INTO bits
SELECT clv_predict_total(model, history, '1 year', 0.15, 0.35 ORDER BY id DESC)::text
FROM m, c WHERE family = 'mbg/nbd';
INSERT INTO bits
SELECT clv_predict_total(model, history, '1 year', 0.15, 0.35 ORDER BY md5(id::text))::text
FROM m, c WHERE family = 'mbg/nbd';
SELECT count(DISTINCT total) AS serial, count(*) FROM bits;
CREATE TABLE predict_total_many AS SELECT id, history FROM c;
CREATE TABLE predict_total_model AS SELECT model FROM m WHERE family = 'mbg/nbd';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
ALTER TABLE predict_total_many SET (parallel_workers = 2);
CREATE FUNCTION pg_temp.in_parts(query text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		IF line LIKE '%Partial Aggregate%' THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
SELECT pg_temp.in_parts('SELECT clv_predict_total((SELECT model FROM predict_total_model), history, ''1 year'',
									0.15, 0.35)
						 FROM predict_total_many');
CREATE TEMP TABLE parallel AS
SELECT clv_predict_total((SELECT model FROM predict_total_model), history, '1 year', 0.15, 0.35)::text
FROM predict_total_many;
SELECT count(DISTINCT total) AS same, count(*) FROM (TABLE bits UNION ALL TABLE parallel) b;
-- the sums behind it, as a value: of groups and put together, in any order, through every form, and by hand
CREATE TEMP TABLE mine AS
SELECT id, model, history
FROM m, c WHERE family = 'mbg/nbd';
SELECT clv_sums((SELECT model FROM predict_total_model), history, '1 year', 0.15, 0.35)
	   = (SELECT clv_sums(model, history, '1 year', 0.15, 0.35) FROM mine) AS parallel
FROM predict_total_many;
RESET max_parallel_workers_per_gather;
CREATE TEMP TABLE parts AS
SELECT id % 7 AS part, clv_sums(model, history, '1 year', 0.15, 0.35) AS sums
FROM mine GROUP BY 1;
SELECT count(DISTINCT total) AS same, count(*)
FROM (
	SELECT clv_predict_total(sums ORDER BY part)::text AS total FROM parts
	UNION ALL SELECT clv_predict_total(sums ORDER BY part DESC)::text FROM parts
	UNION ALL SELECT clv_predict_total(sums::text::clv_sums)::text FROM parts
	UNION ALL SELECT clv_predict_total(sums::jsonb::clv_sums)::text FROM parts
	UNION ALL SELECT clv_predict_total(clv_internal.clv_sums_merge(one.sums,
						 clv_internal.clv_sums_merge(NULL, rest.sums)))::text
			  FROM parts one, (SELECT clv_sums(model, history, '1 year', 0.15, 0.35) AS sums
							   FROM mine WHERE id % 7 > 0) rest
			  WHERE one.part = 0
	UNION ALL TABLE bits) t;
-- a group taken in twice counts twice, and the parts stay what they were
SELECT (SELECT (clv_predict_total(clv_internal.clv_sums_merge(sums, sums))).customers
		FROM parts WHERE part = 3) = 2 * count(*) AS twice,
	   (SELECT sums FROM parts WHERE part = 3) = clv_sums(model, history, '1 year', 0.15, 0.35) AS unchanged
FROM mine WHERE id % 7 = 3;
-- running totals: each row's value is its own
CREATE TEMP TABLE running AS
SELECT id, clv_sums(model, history, '1 year', 0.15, 0.35) OVER (ORDER BY id) AS sums
FROM mine;
SELECT bool_and((total).customers = id) AS counts
FROM (SELECT id, clv_predict_total(sums) AS total FROM running GROUP BY id) r;
SELECT max(octet_length(clv_internal.clv_sums_send(sums))) < 1500 AS small FROM parts;
SELECT clv_predict_total(sums) IS NULL AS nothing FROM (SELECT NULL::clv_sums) s (sums);
SELECT jsonb_array_length(sums::jsonb -> 'sums') AS sums, sums::jsonb ->> 'customers' AS customers,
	   sums::jsonb -> 'level' AS level
FROM parts WHERE part = 0;
-- the text of a sum is the sum: 0.375, and minus 2^70
CREATE TEMP TABLE by_hand AS
SELECT jsonb_agg(CASE i WHEN 1 THEN '60000000p-32' WHEN 2 THEN '-40p64' ELSE '0' END ORDER BY i) AS list
FROM generate_series(1, 15) i;
SELECT (t).customers, (t).expected_purchases, (t).expected_value
FROM (SELECT clv_predict_total((sums::jsonb || jsonb_build_object('sums', list, 'customers', 3))::clv_sums) AS t
	  FROM parts, by_hand WHERE part = 0) t;
CREATE TEMP TABLE spoilt AS
SELECT what, jsonb_set(sums::jsonb, path, value) AS sums
FROM parts, (VALUES
	('digits', '{sums,0}'::text[], '"12G4p-32"'::jsonb),
	('capitals', '{sums,0}', '"1Fp-32"'),
	('power', '{sums,0}', '"1fp-33"'),
	('no power', '{sums,0}', '"1f"'),
	('low', '{sums,0}', '"1fp-1184"'),
	('high', '{sums,0}', '"80000000p1056"'),
	('number', '{sums,0}', '1'),
	('negative', '{sums,0}', '"-1p0"'),
	('variance', '{sums,2}', '"-Infinity"'),
	('few', '{sums}', '["0"]'),
	('none', '{sums}', '{}'),
	('customers', '{customers}', '-1'),
	('no rows', '{customers}', '0'),
	('level', '{level}', '1'),
	('unknown', '{more}', '1'),
	('version', '{version}', '2'),
	('model', '{model,purchase}', '{"family": "bg/nbd"}')) v (what, path, value)
WHERE part = 0;
CREATE FUNCTION pg_temp.complaint(value jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM value::clv_sums;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT what, pg_temp.complaint(sums) FROM spoilt ORDER BY what;
SELECT key, pg_temp.complaint(sums::jsonb - key)
FROM parts, unnest('{version,level,customers,model,sums}'::text[]) key
WHERE part = 0 ORDER BY key;
-- errors: sums that cannot be added up
SELECT clv_predict_total(sums)
FROM (SELECT clv_sums(model, history, '1 year') AS sums FROM m, c GROUP BY family ORDER BY family) s;
SELECT clv_predict_total(sums ORDER BY level)
FROM (SELECT level, clv_sums(model, history, '1 year', 0, 1, NULL, level) AS sums
	  FROM mine, unnest('{0.8,0.9}'::float8[]) level GROUP BY level) s;
DROP FUNCTION pg_temp.complaint;
DROP TABLE mine, parts, running, by_hand, spoilt;
RESET parallel_leader_participation;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
DROP TABLE predict_total_many, predict_total_model;

-- with covariates: the sum of the customers, and the effects are part of the gradient
CREATE TEMP TABLE w AS SELECT jsonb_set(jsonb_set(model::jsonb #- '{purchase,covariance}', '{purchase,covariates}',
		'[{"name": "online", "centre": 0.4, "purchase": 0.3, "churn": -0.2}]'), '{purchase,covariance}',
		jsonb_build_array(
		'[0.01]'::jsonb, '[0, 0.02]'::jsonb, '[0, 0, 0.03]'::jsonb, '[0, 0, 0, 0.04]'::jsonb,
			'[0, 0, 0, 0, 0.05]'::jsonb, '[0, 0, 0, 0, 0, 0.06]'::jsonb))::clv_model AS model
		FROM m WHERE family = 'mbg/nbd';
CREATE TEMP TABLE wt AS
SELECT (clv_predict_total(model, history, '1 year', 0.15, 0.35, NULL, 0.95, ARRAY[id % 2])).*
FROM w, c;
SELECT pg_temp.same(wt.expected_value, p.value, 1e-12) AS value,
	   pg_temp.same(wt.purchases_std_error,
		   sqrt((SELECT sum(v * d ^ 2)
				 FROM (SELECT v,
							  (SELECT sum(clv_expected_purchases(up, history, '1 year',
										  covariates => ARRAY[id % 2]))
			- sum(clv_expected_purchases(down, history, '1 year', covariates => ARRAY[id % 2])) FROM c) / 2e-3 AS d
		FROM w,
			 (VALUES (0.01, '{purchase,parameters,r}', true), (0.02, '{purchase,parameters,alpha}', true),
				  (0.03, '{purchase,parameters,a}', true),
			(0.04, '{purchase,parameters,b}', true), (0.05, '{purchase,covariates,0,purchase}', false),
				(0.06, '{purchase,covariates,0,churn}', false)) k (v, path, log),
			LATERAL (SELECT (model::jsonb #>> path::text[])::float8 AS x) x,
			LATERAL (SELECT jsonb_set(model::jsonb, path::text[],
								to_jsonb(CASE WHEN log THEN x * exp(1e-3::float8)
									ELSE x + 1e-3 END))::clv_model AS up,
				jsonb_set(model::jsonb, path::text[],
					to_jsonb(CASE WHEN log THEN x * exp(-1e-3::float8) ELSE x - 1e-3 END))::clv_model AS down
				OFFSET 0) s) d)), 1e-5) AS error
FROM wt,
	 LATERAL (SELECT sum(p.clv) AS value
			  FROM w, c,
				   clv_predict(w.model, c.history, '1 year', 0.15, 0.35, covariates => ARRAY[id % 2]) p) p;

-- no customers, none yet, nothing known, NULLs
SELECT clv_predict_total(model, history, '1 year') IS NULL AS absent FROM m, c WHERE false;
SELECT (clv_predict_total(model, history, '1 year', 0, 1, '2019-12-31')).customers AS "absent yet"
FROM m, c WHERE family = 'mbg/nbd';
SELECT (clv_predict_total(model, CASE WHEN id > 100 THEN history END, '1 year')).customers
FROM m, c WHERE family = 'mbg/nbd';
SELECT (t).expected_purchases = 0 AND (t).purchases_high = 0 AND (t).value_high = 0 AS nothing
FROM (SELECT clv_predict_total(model, history, '0') AS t FROM m, c WHERE family = 'mbg/nbd') t;
SELECT num_nulls((t).expected_value, (t).value_std_error, (t).value_low, (t).value_mean_high) AS "no spend"
FROM (SELECT clv_predict_total(((model::jsonb) - 'spend')::clv_model, history, '1 year') AS t
	  FROM m, c WHERE family = 'mbg/nbd') t;
-- a spend whose variance does not exist, then one without an expectation
SELECT (t).expected_value > 0 AS value, (t).value_low IS NULL AND (t).value_high IS NULL AS "no interval"
FROM (SELECT clv_predict_total(clv_model('bg/nbd', '{"r": 1, "alpha": 4, "a": 1, "b": 2}', '1 week')
				 || clv_model('gamma/gamma', '{"p": 2, "q": 1.5, "gamma": 10}'),
	history, '1 year', 0, 1, '2020-12-31') AS t FROM c) t;
SELECT (t).expected_purchases > 0 AS purchases, (t).expected_value IS NULL AS "no value"
FROM (SELECT clv_predict_total(clv_model('bg/nbd', '{"r": 1, "alpha": 4, "a": 1, "b": 2}', '1 week')
				 || clv_model('gamma/gamma', '{"p": 2, "q": 0.5, "gamma": 10}'),
	history, '1 year', 0, 1, '2020-12-31') AS t FROM c) t;
-- a negative margin turns the intervals round
SELECT (t).value_low < (t).expected_value AND (t).value_high > (t).expected_value AND (t).expected_value < 0
	   AND (t).value_high <= 0 AS negative
FROM (SELECT clv_predict_total(model, history, '1 year', 0, -1) AS t FROM m, c WHERE family = 'mbg/nbd') t;
SELECT clv_predict_total(model, history, '1 year' ORDER BY family) FROM m, c;
SELECT clv_predict_total(model, history, '1 year', 0, 1, NULL,
		   CASE WHEN id > 100 THEN 0.9 ELSE 0.8 END ORDER BY id)
FROM m, c WHERE family = 'mbg/nbd';
SELECT clv_predict_total(model, history, '1 year', 0, 1, NULL, 1) FROM m, c WHERE family = 'mbg/nbd';
SELECT clv_predict_total(model, history, NULL) FROM m, c WHERE family = 'mbg/nbd';
SELECT clv_predict_total(model, history, '1 year', NULL) FROM m, c WHERE family = 'mbg/nbd';
SELECT clv_predict_total(model, history, '1 year', 0, 'NaN') FROM m, c WHERE family = 'mbg/nbd';
SELECT clv_predict_total(model, history, '1 year') FROM w, c;
DROP FUNCTION pg_temp.in_parts, pg_temp.stepped, pg_temp.same;
DROP TABLE c, m, t, g, one, bits, parallel, w, wt;
