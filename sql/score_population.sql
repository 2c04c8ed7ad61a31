-- Populations as values: put together from any parts they give the same cuts, to the bit, and few bytes hold many.
SET client_min_messages = warning;
CREATE SCHEMA score_population;
SET search_path = score_population, public;

CREATE TABLE customer AS
SELECT o.id, clv_history(o.at, o.amount) AS history
FROM (SELECT c AS id, date '2020-01-01' + (c * 7919 % 211) + k * (3 + c * 31 % 47) AS at,
			 ((c * 104729 + k * 7919) % 997)::numeric / 4 AS amount
	  FROM generate_series(1, 800) c, generate_series(0, 12) k WHERE k <= (c * 613 % 17) - 4 OR k = 0) o
GROUP BY o.id;
CREATE TABLE model AS
SELECT clv_model('mbg/nbd', '{"r": 0.53, "alpha": 6.2, "a": 0.9, "b": 1.6}', '1 week', '2020-12-31')
	   || clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.4}') AS model;
CREATE TABLE part AS
SELECT 'plain' AS kind, id % 7 AS part, clv_population(history, '2020-12-31') AS p FROM customer GROUP BY 2
UNION ALL SELECT 'model', id % 7, clv_population(history, '2020-12-31', model) FROM customer, model GROUP BY 2
UNION ALL SELECT 'bins', id % 7, clv_population(history, '2020-12-31', model, 9) FROM customer, model GROUP BY 2
UNION ALL SELECT 'early', id % 7, clv_population(history, '2020-04-01', NULL, 4) FROM customer GROUP BY 2
UNION ALL SELECT 'day of the model', id % 7, clv_population(history, NULL, model, NULL)
FROM customer, model GROUP BY 2;
CREATE TABLE exact AS
SELECT 'plain' AS kind, rfmtc_cuts(history, '2020-12-31') AS cuts FROM customer
UNION ALL SELECT 'model', rfmtc_cuts(history, '2020-12-31', model) FROM customer, model
UNION ALL SELECT 'bins', rfmtc_cuts(history, '2020-12-31', model, 9) FROM customer, model
UNION ALL SELECT 'early', rfmtc_cuts(history, '2020-04-01', NULL, 4) FROM customer
UNION ALL SELECT 'day of the model', rfmtc_cuts(history, NULL, model, NULL) FROM customer, model;

-- --- in any order, through every form, one by one: what rfmtc_cuts makes of the histories ---
SET extra_float_digits = -10;
SET DateStyle = 'SQL, DMY';
SELECT kind, rfmtc_cuts(p ORDER BY part) = e.cuts AS ascending,
	   rfmtc_cuts(p ORDER BY part DESC) = e.cuts AS descending,
	   rfmtc_cuts(p::text::clv_population) = e.cuts AS text, rfmtc_cuts(p::jsonb::clv_population) = e.cuts AS jsonb,
	   bool_and(p::text::clv_population = p AND p::jsonb::text::clv_population = p) AS forms
FROM part JOIN exact e USING (kind) GROUP BY kind, e.cuts ORDER BY kind;
RESET extra_float_digits;
RESET DateStyle;
SELECT rfmtc_cuts(p) = (SELECT cuts FROM exact WHERE kind = 'model') AS one_by_one
FROM (SELECT clv_population(history, '2020-12-31', model) AS p FROM customer, model GROUP BY id) one;

-- --- what they say: counted in another way ---
SELECT j ->> 'as_of' AS as_of, j ->> 'bins' AS bins, j ->> 'customers' AS customers, j ->> 'skipped' AS skipped
FROM (SELECT clv_population(history, '2020-04-01', NULL, 4)::jsonb AS j FROM customer) q;
SELECT measure, j -> measure = jsonb_build_object('level', 0, 'values', values, 'counts', counts) AS counted
FROM (SELECT clv_population(history, '2020-12-31')::jsonb AS j FROM customer) p,
	 (SELECT measure, jsonb_agg(value ORDER BY value) AS values, jsonb_agg(count ORDER BY value) AS counts
	  FROM (SELECT measure, value, count(*)
			FROM customer, rfmtc(history, '2020-12-31') r,
				 LATERAL (VALUES ('recency', r.recency::numeric), ('frequency', r.frequency::numeric),
					('monetary', r.monetary), ('tenure', r.tenure::numeric)) m (measure, value)
			GROUP BY measure, value) v
	  GROUP BY measure) c
ORDER BY measure;

-- --- parts stay what they were; a part taken in twice counts twice ---
SELECT clv_internal.clv_population_cuts(clv_internal.clv_population_merge(p, p))::jsonb ->> 'customers' AS twice,
	   (SELECT 2 * count(*) FROM customer WHERE id % 7 = 3) AS counted
FROM part WHERE kind = 'plain' AND part = 3;
SELECT (SELECT p FROM part WHERE kind = 'plain' AND part = 3) = clv_population(history, '2020-12-31') AS unchanged
FROM customer WHERE id % 7 = 3;
SELECT bool_and(cuts = (SELECT rfmtc_cuts(c.history, '2020-12-31') FROM customer c WHERE c.id <= x.id)) AS running
FROM (SELECT id, clv_internal.clv_population_cuts(clv_population(history, '2020-12-31') OVER (ORDER BY id)) AS cuts
	  FROM customer WHERE id <= 40) x;
SELECT clv_internal.clv_population_merge(NULL, p) = p AND clv_internal.clv_population_merge(p, NULL) = p AS with_null,
	   clv_internal.clv_population_merge(NULL, NULL) IS NULL AS nulls
FROM part WHERE kind = 'plain' AND part = 0;

-- --- no rows, no customers, NULLs ---
SELECT clv_population(history, '2020-12-31') IS NULL AS none FROM customer WHERE false;
SELECT clv_population(NULL::clv_history, '2020-12-31') IS NULL AS nulls FROM customer;
SELECT p AS absent, clv_internal.clv_population_cuts(p) IS NULL AS no_cuts
FROM (SELECT clv_population(history, '2019-12-31') AS p FROM customer) q;
SELECT rfmtc_cuts(NULL::clv_population) IS NULL AS nothing;

-- --- many values: rounded up to the coarsest that is needed, in any split and in parallel ---
-- spends from 1 to 2, so that the last digit is 2^-52 for all; of 20,000 one in twenty has the same
CREATE TABLE many AS
SELECT i, CASE WHEN i % 20 = 0 THEN 1.5 ELSE 1 + i * 0.000047 END AS spend,
	   clv_history(date '2020-01-01', CASE WHEN i % 20 = 0 THEN 1.5 ELSE 1 + i * 0.000047 END) AS history
FROM generate_series(1, 20000) i GROUP BY i;
CREATE TABLE rounded AS
SELECT level, count(DISTINCT ceil(spend::float8 * 2 ^ (52 - level))) AS different
FROM many, generate_series(30, 45) level GROUP BY level;
CREATE TABLE populations AS
SELECT 'all' AS split, clv_population(history, '2020-12-31') AS p FROM many
UNION ALL SELECT 'halves', clv_population(history, '2020-12-31') FROM many GROUP BY i % 2
UNION ALL SELECT 'runs', clv_population(history, '2020-12-31') FROM many GROUP BY i / 3000
UNION ALL SELECT 'unequal', clv_population(history, '2020-12-31') FROM many GROUP BY i < 19000;
SELECT min(level) AS level,
	   min(level) = (SELECT (p::jsonb #>> '{monetary,level}')::int FROM populations WHERE split = 'all') AS coarsest,
	   (SELECT different FROM rounded r WHERE r.level = min(o.level)) =
			(SELECT jsonb_array_length(p::jsonb #> '{monetary,values}') FROM populations WHERE split = 'all') AS counted
FROM rounded o WHERE different <= 16384;
SELECT count(DISTINCT merged) AS same, count(*) AS splits
FROM (SELECT split, rfmtc_cuts(p) AS merged FROM populations GROUP BY split) q;
-- every cut is the value at its rank, rounded up, or that very value where many have it
SELECT cut::float8 = ceil(at_rank::float8 * 2 ^ (52 - level)) / 2 ^ (52 - level) AS rounded_up
FROM (SELECT (p::jsonb #>> '{monetary,level}')::int AS level,
			 clv_internal.clv_population_cuts(p)::jsonb -> 'monetary' AS cuts
	  FROM populations WHERE split = 'all') p,
	 jsonb_array_elements_text(cuts) WITH ORDINALITY c (cut, n),
	 LATERAL (SELECT spend AS at_rank FROM many ORDER BY spend OFFSET 19999 * n / 5 LIMIT 1) v
ORDER BY n;
-- and scores differ for those alone who are between a value and its rounding
CREATE TABLE cuts AS
SELECT rfmtc_cuts(history, '2020-12-31') AS exact,
	   (SELECT clv_internal.clv_population_cuts(p) FROM populations WHERE split = 'all') AS rounded
FROM many;
CREATE TABLE between AS
SELECT e::float8 AS low, r::float8 AS high
FROM cuts, jsonb_array_elements_text(exact::jsonb -> 'monetary') WITH ORDINALITY e (e, n),
	 jsonb_array_elements_text(rounded::jsonb -> 'monetary') WITH ORDINALITY r (r, n)
WHERE e.n = r.n;
SELECT count(*) FILTER (WHERE rfmtc_score(history, exact) <> rfmtc_score(history, rounded)) < 5 AS few,
	   bool_and(rfmtc_score(history, exact) = rfmtc_score(history, rounded)
				OR EXISTS (SELECT FROM between WHERE spend::float8 > low AND spend::float8 <= high)) AS else_same
FROM many, cuts;
SELECT split,
	   max(octet_length(clv_internal.clv_population_send(p))) < 16384 * CASE split WHEN 'all' THEN 4 ELSE 8 END AS small
FROM populations GROUP BY split ORDER BY split;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE many SET (parallel_workers = 2);
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS off) ' || query; END $$;
SELECT count(*) > 0 AS parallel FROM plan('SELECT clv_population(history, ''2020-12-31'') FROM many') p
WHERE p LIKE '%Partial Aggregate%';
SELECT clv_population(history, '2020-12-31') = (SELECT p FROM populations WHERE split = 'all') AS same FROM many;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SET max_parallel_workers_per_gather = 0;

-- --- values without end, zeros of two signs, spends that are lost ---
SELECT p::jsonb -> 'monetary' AS monetary, clv_internal.clv_population_cuts(p)::jsonb -> 'monetary' AS cuts
FROM (SELECT clv_population(h, '2020-12-31', NULL, 2) AS p
	  FROM (SELECT clv_history(date '2020-01-01', a) AS h
			FROM unnest('{1e400,-1e400,0,-0.5,1e-6}'::numeric[]) a GROUP BY a) q) r;

-- --- what cannot be ---
\set VERBOSITY terse
SELECT rfmtc_cuts(p ORDER BY kind) FROM part WHERE kind IN ('plain', 'early') AND part = 1;
SELECT rfmtc_cuts(p ORDER BY kind) FROM part WHERE kind IN ('bins', 'model') AND part = 1;
SELECT rfmtc_cuts(p ORDER BY kind) FROM part WHERE kind IN ('plain', 'model') AND part = 1;
SELECT clv_population(history, NULL) FROM customer;
SELECT clv_population(history, date '2020-12-31' + id % 2) FROM customer;
SELECT clv_population(history, '2020-12-31', NULL, 101) FROM customer;
SELECT clv_population(history, '2020-12-31', clv_model('gamma/gamma', '{"p": 2, "q": 3, "gamma": 4}')) FROM customer;
CREATE FUNCTION complaint(value jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM value::clv_population;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TABLE sound AS
SELECT clv_population(h, '2020-01-11', NULL, 2)::jsonb AS j
FROM (SELECT clv_history(date '2020-01-01' + i, i * 10.0) AS h FROM generate_series(0, 2) i GROUP BY i) x;
TABLE sound;
SELECT what, complaint(CASE WHEN value IS NULL THEN j #- path ELSE jsonb_set(j, path, value) END)
FROM sound, (VALUES ('nothing', '{}'::text[], NULL::jsonb),
	('version', '{version}', '2'), ('bins', '{bins}', '1'), ('as_of', '{as_of}', '"infinity"'),
	('customers', '{customers}', '4'), ('negative', '{skipped}', '-1'), ('unknown', '{more}', '1'),
	('a list', '{tenure}', '[]'), ('a number', '{tenure}', '1'), ('churn', '{churn}', '{}'),
	('churn without a model', '{churn}', '{"level": 0, "values": [0.5], "counts": [3]}'),
	('level', '{monetary,level}', '53'), ('a level too many', '{monetary,level}', '1'),
	('unknown of a measure', '{monetary,more}', '1'), ('not a number', '{monetary,values,0}', '"NaN"'),
	('twice', '{monetary,values,1}', '0'), ('minus zero', '{monetary,values,0}', '-0.0'),
	('descending', '{monetary,values,0}', '15'), ('infinite', '{monetary,values,2}', '"Infinity"'),
	('a count of none', '{monetary,counts,0}', '0'), ('half a customer', '{monetary,counts,0}', '0.5'),
	('a count too few', '{monetary,counts}', '[1, 1]'), ('a count too many', '{monetary,counts}', '[1, 1, 1, 1]'),
	('other counts', '{monetary,counts}', '[1, 1, 2]'), ('huge counts', '{monetary,counts}',
		'[9223372036854775807, 9223372036854775807, 1]'),
	('a model', '{model}', '{}')) v (what, path, value)
ORDER BY what;
SELECT key, complaint(j - key) FROM sound, jsonb_object_keys(j) key ORDER BY key;
SELECT key, complaint(j #- ARRAY['tenure', key]) FROM sound, unnest('{level,values,counts}'::text[]) key ORDER BY key;

DROP SCHEMA score_population CASCADE;
