-- What pipelines add up in one pass, against sum() over the same numbers; in any order, and in any split
\set ON_ERROR_STOP 1
SET client_min_messages = warning;

-- ---- curves: vectors, and their products with a number ----
CREATE TABLE curve AS
SELECT
	c,
	c % 3 AS g,
	ARRAY[c / 7.0::float8, 1e3 / c, -c, 1e-9 * c * c] AS v,
	CASE WHEN c % 5 > 0 THEN c / 9.0::float8 END AS spend
FROM generate_series(1, 5000) c;
CREATE FUNCTION near(a float8, b float8) RETURNS bool LANGUAGE sql RETURN abs(a - b) <= 1e-12 * abs(b);
SELECT array_dims(s), every(near(s[1][i], q.plain)) AS sums, every(near(s[2][i], q.product)) AS products
FROM
	(SELECT clv_internal.clv_pipeline_curve_sum(v, spend) AS s FROM curve) t,
	generate_series(1, 4) i,
	LATERAL (SELECT sum(v[i]) AS plain, sum(v[i] * spend) AS product FROM curve) q
GROUP BY 1;
SELECT count(DISTINCT s) AS results
FROM (
	SELECT clv_internal.clv_pipeline_curve_sum(v, spend) AS s FROM (SELECT * FROM curve ORDER BY c) q
	UNION ALL
	SELECT clv_internal.clv_pipeline_curve_sum(v, spend) FROM (SELECT * FROM curve ORDER BY c DESC) q
	UNION ALL
	SELECT clv_internal.clv_pipeline_curve_sum(v, spend) FROM (SELECT * FROM curve ORDER BY md5(c::text)) q
) o;
-- where a sum of doubles as they come would lose the smaller ones
SELECT clv_internal.clv_pipeline_curve_sum(ARRAY[v], NULL) AS cancelled FROM unnest('{1e200,1,-1e200}'::float8[]) v;
SELECT
	clv_internal.clv_pipeline_curve_sum(v, s) AS infinite
FROM (VALUES ('{1,2}'::float8[], 1::float8), ('{Infinity,3}', 2), (NULL, 3), ('{1,4}', 'NaN'::float8)) t (v, s);
SELECT
	clv_internal.clv_pipeline_curve_sum(NULL, 1) IS NULL AS none,
	clv_internal.clv_pipeline_curve_sum('{}', 1) IS NULL AS empty
FROM curve
WHERE c < 3;
\set ON_ERROR_STOP 0
SELECT clv_internal.clv_pipeline_curve_sum(v, 1) FROM (VALUES ('{1,2}'::float8[]), ('{1}')) t (v);
SELECT clv_internal.clv_pipeline_curve_sum('{1,NULL}', 1);
SELECT clv_internal.clv_pipeline_curve_sum('{{1},{2}}', 1);
\set ON_ERROR_STOP 1
-- and however the rows are split between processes
CREATE TABLE serial AS SELECT g, clv_internal.clv_pipeline_curve_sum(v, spend) AS s FROM curve GROUP BY g;
ALTER TABLE curve SET (parallel_workers = 2);
ANALYZE curve;
SET max_parallel_workers_per_gather = 2;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;
SELECT count(*) AS partial FROM plan(
	'SELECT g, clv_internal.clv_pipeline_curve_sum(v, spend) FROM curve GROUP BY g') p
WHERE p ~ 'Partial';
SELECT count(*) AS groups, count(DISTINCT q.s) AS results, every(q.s = t.s) AS same
FROM (SELECT g, clv_internal.clv_pipeline_curve_sum(v, spend) AS s FROM curve GROUP BY g) q
JOIN serial t USING (g);
RESET max_parallel_workers_per_gather;
DROP TABLE curve, serial;
