-- Validation is the same to the last digit in any order of rows
SET client_min_messages = error;
CREATE FUNCTION pg_temp.u(c int, i int) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (('x' || substr(md5(c || ' ' || i), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;
CREATE TABLE ordered AS
SELECT c,
	   clv_history(date '2020-01-01' + c % 80 + (i * (3 + 40 * pg_temp.u(c, 0)))::int,
		   round((5 + 20 * pg_temp.u(c, 1) + 9 * pg_temp.u(c, i + 2))::numeric, 2)) AS history
  FROM generate_series(1, 900) c, generate_series(0, 40) i
 WHERE i <= (-6 * ln(pg_temp.u(c, 99)))::int GROUP BY c ORDER BY c;
CREATE TABLE shuffled AS SELECT * FROM ordered ORDER BY md5(c::text);
CREATE TABLE backwards AS SELECT * FROM ordered ORDER BY c DESC;
CREATE TABLE model AS SELECT clv_fit(history, clv_options(as_of => '2020-06-30')) AS m FROM ordered;
SELECT count(*) AS orders, count(DISTINCT r) AS results,
	   bool_and(r.rmse > 0 AND r.revenue_rmse > 0 AND r.gini > 0) AS something
  FROM unnest('{ordered,shuffled,backwards}'::text[]) t, model,
	   clv_backtest(t, 'history', '2020-06-30', '26 weeks', NULL, m) r;
SELECT count(DISTINCT t) AS orders, count(DISTINCT r) AS results
  FROM unnest('{ordered,shuffled,backwards}'::text[]) t, model,
	   LATERAL (SELECT array_agg(d ORDER BY decile) AS r
				  FROM clv_backtest_deciles(t, 'history', '2020-06-30', '26 weeks', NULL, m) d) r;
SELECT count(DISTINCT t) AS orders, count(DISTINCT r) AS results
  FROM unnest('{ordered,shuffled,backwards}'::text[]) t, model,
	   LATERAL (SELECT array_agg(d ORDER BY repeat_purchases) AS r
				  FROM clv_backtest_calibration(t, 'history', '2020-06-30', '26 weeks', NULL, m) d) r;
SELECT count(DISTINCT t) AS orders, count(DISTINCT r) AS results
  FROM unnest('{ordered,shuffled,backwards}'::text[]) t, model,
	   LATERAL (SELECT array_agg(d ORDER BY d) AS r FROM clv_tracking(t, 'history', m, '1 week') d) r;
-- and however the rows are split between processes
CREATE TABLE split AS SELECT history FROM shuffled;
ALTER TABLE split SET (parallel_workers = 2);
ANALYZE split;
CREATE TABLE result AS
SELECT 'serial' AS plan,
	   (SELECT b::text FROM clv_backtest('split', 'history', '2020-06-30', '26 weeks', NULL, m) b) AS summary,
	   (SELECT array_agg(b ORDER BY decile)::text
		  FROM clv_backtest_deciles('split', 'history', '2020-06-30', '26 weeks', NULL, m) b) AS deciles,
	   (SELECT array_agg(b ORDER BY repeat_purchases)::text
		  FROM clv_backtest_calibration('split', 'history', '2020-06-30', '26 weeks', NULL, m) b) AS calibration,
	   (SELECT array_agg(b ORDER BY b)::text FROM clv_tracking('split', 'history', m, '1 week') b) AS tracking
  FROM model;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
INSERT INTO result
SELECT 'parallel',
	   (SELECT b::text FROM clv_backtest('split', 'history', '2020-06-30', '26 weeks', NULL, m) b) AS summary,
	   (SELECT array_agg(b ORDER BY decile)::text
		  FROM clv_backtest_deciles('split', 'history', '2020-06-30', '26 weeks', NULL, m) b) AS deciles,
	   (SELECT array_agg(b ORDER BY repeat_purchases)::text
		  FROM clv_backtest_calibration('split', 'history', '2020-06-30', '26 weeks', NULL, m) b) AS calibration,
	   (SELECT array_agg(b ORDER BY b)::text FROM clv_tracking('split', 'history', m, '1 week') b) AS tracking
  FROM model;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;
SELECT count(*) AS plans, count(DISTINCT summary) AS summaries, count(DISTINCT deciles) AS deciles,
	   count(DISTINCT calibration) AS calibrations, count(DISTINCT tracking) AS trackings,
	   bool_and(length(tracking) > 1000) AS something
  FROM result;
-- the sum behind them: exact where sum() is not, over few rows and over many, in parts, in windows
SELECT clv_internal.clv_validate_sum(x ORDER BY i) AS exact, sum(x ORDER BY i) AS rounded
  FROM unnest('{1e16,1,-1e16}'::float8[]) WITH ORDINALITY u (x, i);
SELECT clv_internal.clv_validate_sum(x) = 100 AS exact
  FROM generate_series(1, 100) i, unnest(ARRAY[1e18, 1, -1e18, 1e-30, -1e-30]) x;
SELECT clv_internal.clv_validate_sum(x) IS NULL AS none, clv_internal.clv_validate_sum(NULL) IS NULL AS nulls,
	   clv_internal.clv_validate_sum(NULL) FILTER (WHERE false) IS NULL AS nothing
  FROM (SELECT 1::float8 WHERE false) q (x);
SELECT clv_internal.clv_validate_sum(x) AS infinite FROM unnest('{1,Infinity,2}'::float8[]) x;
SELECT clv_internal.clv_validate_sum(x) AS undefined FROM unnest('{Infinity,-Infinity}'::float8[]) x;
-- doubles of any size: the largest and the smallest, and partial sums beyond the largest
SELECT clv_internal.clv_validate_sum(x) AS smallest
  FROM unnest('{1.7976931348623157e308,1.7e308,5e-324,-1.7976931348623157e308,-1.7e308}'::float8[]) x;
SELECT clv_internal.clv_validate_sum(x) AS largest FROM unnest('{1.7976931348623157e308,1.7e308,-1.7e308}'::float8[]) x;
SELECT clv_internal.clv_validate_sum(x) AS infinite FROM unnest('{1.7e308,-Infinity,1.7e308}'::float8[]) x;
SELECT clv_internal.clv_validate_sum(x) FROM unnest('{1.7e308,1.7e308}'::float8[]) x;
SELECT array_agg(s ORDER BY i) AS running
  FROM (SELECT i, clv_internal.clv_validate_sum(x) OVER (ORDER BY i) AS s
		  FROM unnest('{0.5,NULL,1,-0.25,8,16,32}'::float8[]) WITH ORDINALITY u (x, i)) q;
CREATE TABLE number AS SELECT (pg_temp.u(i, 1) - 0.5) * 10 ^ (i % 20) AS x FROM generate_series(1, 20000) i;
SELECT clv_internal.clv_validate_sum(x) AS one FROM number \gset
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SELECT clv_internal.clv_validate_sum(x) = :'one'::float8 AS in_parts,
	   abs(clv_internal.clv_validate_sum(x) / sum(x) - 1) < 1e-9 AS as_sum
  FROM number;
DROP TABLE ordered, shuffled, backwards, split, result, model, number;
