-- Stored cut points: the same scores as by window, exact as values, made in parallel, and errors of what are no cuts.
SET client_min_messages = warning;
CREATE SCHEMA score_cuts;
SET search_path = score_cuts, public;

CREATE TABLE customer AS
SELECT o.id, clv_history(o.at, o.amount) AS history
FROM (SELECT c AS id, date '2020-01-01' + (c * 7919 % 211) + k * (3 + c * 31 % 47) AS at,
			 ((c * 104729 + k * 7919) % 997)::numeric / 4 AS amount
	  FROM generate_series(1, 800) c, generate_series(0, 12) k WHERE k <= (c * 613 % 17) - 4 OR k = 0) o
GROUP BY o.id;
CREATE TABLE model AS
SELECT clv_model('mbg/nbd', '{"r": 0.53, "alpha": 6.2, "a": 0.9, "b": 1.6}', '1 week', '2020-12-31')
	   || clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.4}') AS model;
CREATE TABLE cuts AS
SELECT 'plain' AS kind, rfmtc_cuts(history, '2020-12-31') AS cuts FROM customer
UNION ALL SELECT 'model', rfmtc_cuts(history, '2020-12-31', model) FROM customer, model
UNION ALL SELECT 'bins', rfmtc_cuts(history, '2020-12-31', model, 9) FROM customer, model
UNION ALL SELECT 'early', rfmtc_cuts(history, '2020-04-01', NULL, 4) FROM customer
UNION ALL SELECT 'day of the model', rfmtc_cuts(history, NULL, model, NULL) FROM customer, model;

-- --- by window and by cuts of the same population: the same ---
CREATE TABLE scored AS
SELECT 'plain' AS kind, id, rfmtc_score(history, as_of => '2020-12-31') OVER () AS scores FROM customer
UNION ALL SELECT 'model', id, rfmtc_score(history, model) OVER () FROM customer, model
UNION ALL SELECT 'bins', id, rfmtc_score(history, model, bins => 9) OVER () FROM customer, model
UNION ALL SELECT 'early', id, rfmtc_score(history, as_of => '2020-04-01', bins => 4) OVER () FROM customer
UNION ALL SELECT 'day of the model', id, rfmtc_score(history, model) OVER () FROM customer, model;
SELECT kind, count(*) AS customers, count(scores) BETWEEN 1 AND 799 AS some_missing,
	   bool_and(scores IS NOT DISTINCT FROM rfmtc_score(history, cuts)) AS same
FROM scored JOIN cuts USING (kind) JOIN customer USING (id) GROUP BY kind ORDER BY kind;

-- --- the cuts as jsonb ---
SELECT kind, j->>'as_of' AS as_of, (j->>'bins')::int AS bins, (j->>'customers')::int + (j->>'skipped')::int AS seen,
	   (j->>'skipped')::int > 0 AS skipped, jsonb_array_length(j->'frequency') AS cuts, j ? 'churn' AS churn,
	   j ? 'model' AS model
FROM (SELECT kind, cuts::jsonb AS j FROM cuts) c ORDER BY kind;
SELECT rfmtc_cuts(h, '2020-01-11') AS cuts
FROM (SELECT clv_history(date '2020-01-01' + i, i * 10.0) AS h FROM generate_series(0, 10) i GROUP BY i) x;

-- --- one customer alone, at the cuts' day or another ---
SELECT rfmtc_score('{"occasion":1,"days":[["2020-12-31",1000]]}'::clv_history, cuts) AS newcomer,
	   rfmtc_score('{"occasion":1,"days":[["2019-12-31",1]]}'::clv_history, cuts) AS stranger,
	   rfmtc_score('{"occasion":1,"days":[["2021-12-31",1]]}'::clv_history, cuts) AS not_yet,
	   rfmtc_score('{"occasion":1,"days":[["2021-12-31",1]]}'::clv_history, cuts, '2021-12-31') AS then,
	   rfmtc_score(NULL, cuts) AS absent, rfmtc_score('{"occasion":1,"days":[]}'::clv_history, cuts) AS empty
FROM cuts WHERE kind = 'plain';
SELECT rfmtc_score(history, NULL::clv_cuts) IS NULL AS no_cuts FROM customer LIMIT 1;
-- the cuts change from row to row
SELECT bool_and(s IS NOT DISTINCT FROM scores) AS same
FROM (SELECT id, kind, rfmtc_score(history, cuts) AS s FROM customer, cuts ORDER BY id, kind) x
JOIN scored USING (id, kind);

-- --- as values: text, binary and jsonb without loss, compared by content, whatever the settings ---
SET extra_float_digits = -10;
SET DateStyle = 'SQL, DMY';
SELECT bool_and(cuts::text::clv_cuts = cuts) AS text, bool_and(cuts::jsonb::clv_cuts = cuts) AS jsonb,
	   bool_and(cuts::jsonb::text::clv_cuts = cuts) AS both, count(DISTINCT cuts) AS different
FROM cuts;
RESET extra_float_digits;
RESET DateStyle;
SELECT count(*) AS pairs,
	   count(*) FILTER (WHERE a.cuts < b.cuts) = 6 AND count(*) FILTER (WHERE a.cuts > b.cuts) = 6 AS ordered,
	   bool_and((a.cuts = b.cuts) = (NOT a.cuts <> b.cuts)) AS equal,
	   bool_and((a.cuts <= b.cuts) = (NOT a.cuts > b.cuts)) AS less
FROM cuts a, cuts b WHERE a.kind <> 'day of the model' AND b.kind <> 'day of the model';
SELECT '{"version":1,"as_of":"0044-03-15 BC","bins":2,"customers":1,"skipped":0,"recency":[-0.0],
	"frequency":[1e300],"monetary":["-Infinity"],"tenure":["Infinity"]}'::clv_cuts;

-- --- no rows, no customers, NULLs ---
SELECT rfmtc_cuts(history, '2020-12-31') IS NULL AS none FROM customer WHERE false;
SELECT rfmtc_cuts(history, '2019-12-31') IS NULL AS absent FROM customer;
SELECT rfmtc_cuts(NULL::clv_history, '2020-12-31') IS NULL AS nulls FROM customer;
SELECT rfmtc_cuts(CASE WHEN id <= 800 THEN history END, '2020-12-31')
	   = (SELECT cuts FROM cuts WHERE kind = 'plain') AS same
FROM (SELECT id, history FROM customer UNION ALL SELECT 1000, NULL) c;

-- --- within a window the aggregate goes on after a result ---
SELECT bool_and(w = (SELECT rfmtc_cuts(c.history, '2020-12-31') FROM customer c WHERE c.id <= x.id)) AS running
FROM (SELECT id, rfmtc_cuts(history, '2020-12-31') OVER (ORDER BY id) AS w FROM customer WHERE id <= 40) x;

-- --- in parallel, and in pieces: the same bytes ---
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE customer SET (parallel_workers = 2);
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS off) ' || query; END $$;
SELECT count(*) > 0 AS parallel FROM plan('SELECT rfmtc_cuts(history, ''2020-12-31'') FROM customer') p
WHERE p LIKE '%Partial Aggregate%';
SELECT rfmtc_cuts(history, '2020-12-31') = (SELECT cuts FROM cuts WHERE kind = 'plain') AS plain FROM customer;
SELECT rfmtc_cuts(history, '2020-12-31', (SELECT model FROM model), 9)
	   = (SELECT cuts FROM cuts WHERE kind = 'bins') AS model
FROM customer;
SELECT rfmtc_cuts(history, '2020-04-01', NULL, 4) = (SELECT cuts FROM cuts WHERE kind = 'early') AS early FROM customer;
SELECT rfmtc_cuts(history, '2020-12-31', NULL, 4) FROM (SELECT history FROM customer WHERE id < 0) x;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- --- errors of as_of, bins and cuts that cannot be used ---
SET max_parallel_workers_per_gather = 0;
SELECT rfmtc_cuts(history, NULL) FROM customer;
SELECT rfmtc_cuts(history, '-infinity') FROM customer;
SELECT rfmtc_cuts(history, date '2020-12-31' + id % 2) FROM customer;
SELECT rfmtc_cuts(history, '2020-12-31', NULL, 0) FROM customer;
SELECT rfmtc_cuts(history, '2020-12-31', NULL, 5 + id % 2) FROM customer;
SELECT rfmtc_cuts(history, '2020-12-31', CASE WHEN id > 400 THEN model END) FROM customer, model;
SELECT rfmtc_score(history, cuts, 'infinity') FROM customer, cuts LIMIT 1;
\set VERBOSITY terse
SELECT '[]'::clv_cuts;
SELECT '{}'::clv_cuts;
SELECT '{"version":2}'::clv_cuts;
SELECT '{"version":0}'::clv_cuts;
SELECT '{"version":1,"bins":5}'::clv_cuts;
SELECT '{"version":1,"as_of":"today","bins":2}'::clv_cuts;
SELECT '{"version":1,"as_of":"2020-01-01","bins":200}'::clv_cuts;
SELECT '{"version":1,"as_of":"2020-01-01","bins":2,"customers":1,"skipped":0,"recency":[1],"frequency":[1],
	"monetary":[1]}'::clv_cuts;
SELECT '{"version":1,"as_of":"2020-01-01","bins":2,"customers":1,"skipped":0,"recency":[1],"frequency":[1],
	"monetary":[1],"tenure":[1,2]}'::clv_cuts;
SELECT '{"version":1,"as_of":"2020-01-01","bins":3,"customers":1,"skipped":0,"recency":[2,1],"frequency":[1,1],
	"monetary":[1,1],"tenure":[1,2]}'::clv_cuts;
SELECT '{"version":1,"as_of":"2020-01-01","bins":2,"customers":1,"skipped":0,"recency":["NaN"],"frequency":[1],
	"monetary":[1],"tenure":[1]}'::clv_cuts;
SELECT '{"version":1,"as_of":"2020-01-01","bins":2,"customers":1,"skipped":0,"recency":[1],"frequency":[1],
	"monetary":[1],"tenure":[1],"churn":[1]}'::clv_cuts;
SELECT '{"version":1,"as_of":"2020-01-01","bins":2,"customers":1.5,"skipped":0}'::clv_cuts;
SELECT '{"version":1,"as_of":"2020-01-01","bins":2,"customers":0,"skipped":0,"recency":[1],"frequency":[1],
	"monetary":[1],"tenure":[1]}'::clv_cuts;
SELECT '{"version":1,"as_of":"2020-01-01","bins":2,"customers":1,"skipped":0,"recency":[1],"frequency":[1],
	"monetary":[1],"tenure":[1],"model":{}}'::clv_cuts;
SELECT '{"version":1,"colour":"red"}'::clv_cuts;

DROP SCHEMA score_cuts CASCADE;
