-- What pipelines add up in one pass, against sum() over the same numbers; in any order, and in any split
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SET datestyle = 'ISO';

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
SET parallel_tuple_cost = 1;
SET cpu_tuple_cost = 10;
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

-- ---- months: purchases, buyers and revenue by the month of the first purchase, from the days one by one ----
CREATE TABLE bought AS
SELECT
	c,
	clv_history(
		date '2019-12-20' + c % 70 + k * (1 + c * 13 % 61),
		CASE WHEN (c + k) % 19 > 0
			THEN ((c * 7 + k * 11) % 400 - 60)::numeric / (ARRAY[1, 100, 1000])[1 + c % 3]
		END) AS history
FROM generate_series(1, 3000) c, generate_series(0, c % 9) k
GROUP BY c;
-- a year before Christ, amounts of more digits than 64 bits, refunds alone, a purchase after the day
INSERT INTO bought
SELECT c, clv_history(d, a)
FROM (VALUES
	(0, date '2020-01-05', -3::numeric), (0, '2020-03-07', 9007199254740993000.0000001), (0, '2020-03-09', 1),
	(-1, '2020-02-01', -12.5),
	(-2, '2021-05-05', 7),
	(-3, '2020-01-01', 9e18), (-3, '2020-01-02', 2e17), (-5, '2020-01-02', 9e18), (-6, '2020-01-02', 9e18),
	(-4, '0044-03-15 BC', 1), (-4, '0044-12-31 BC', 2), (-4, '0043-01-01 BC', 3)) t (c, d, a)
GROUP BY c;
CREATE VIEW by_day AS
SELECT
	date_trunc('month', clv_first_purchase(b.history, '2020-12-31')::timestamp)::date AS cohort,
	clv_first_purchase(b.history, '2020-12-31') AS first,
	b.c,
	l.*
FROM bought b, clv_purchase_log(b.history) l;
CREATE VIEW expected AS
SELECT
	d.cohort,
	CASE WHEN d.cohort IS NOT NULL THEN greatest(date_trunc('month', d.day::timestamp)::date, d.cohort) END AS month,
	count(*) FILTER (WHERE d.purchase AND d.cohort IS NOT NULL) AS purchases,
	count(DISTINCT d.c) FILTER (WHERE d.purchase AND d.cohort IS NOT NULL) AS buyers,
	coalesce(sum(d.amount), 0) AS revenue
FROM by_day d
WHERE d.day <= '2020-12-31'
GROUP BY 1, 2;
CREATE VIEW found AS
SELECT m.* FROM (SELECT clv_internal.clv_pipeline_months(history, '2020-12-31') AS m FROM bought) q, unnest(q.m) m;
SELECT count(*) > 50 AS rows, count(*) FILTER (WHERE f.purchases IS NULL OR e.purchases IS NULL) AS missing,
	every((f.purchases, f.buyers, f.revenue) = (e.purchases, e.buyers, e.revenue)) AS same
FROM found f
FULL JOIN expected e ON coalesce(f.cohort_month, '-infinity') = coalesce(e.cohort, '-infinity')
	AND coalesce(f.month, '-infinity') = coalesce(e.month, '-infinity');
SELECT
	(SELECT sum(customers) FROM found) = (SELECT count(*) FROM bought) AS customers,
	(SELECT customers FROM found WHERE month IS NULL) AS without,
	(SELECT sum(early) FROM found) = (SELECT sum(amount) FROM by_day WHERE day < first) AS early,
	(SELECT sum(after) FROM found) = (SELECT sum(amount) FROM by_day WHERE day > '2020-12-31') AS after;
SELECT cohort_month, month, customers, purchases, buyers, revenue FROM found WHERE month < '2019-01-01' ORDER BY 2;
SELECT revenue FROM found WHERE abs(revenue) > 1e18 ORDER BY 1;
SELECT clv_internal.clv_pipeline_months(NULL, '2020-12-31') IS NULL AS none FROM bought WHERE c < 3;
CREATE TABLE serial AS SELECT c % 3 AS g, m.* FROM (
	SELECT c % 3 AS c, clv_internal.clv_pipeline_months(history, '2020-12-31') AS m FROM bought GROUP BY c % 3) q,
	unnest(q.m) m;
ALTER TABLE bought ADD g int;
UPDATE bought SET g = c % 3;
ALTER TABLE bought SET (parallel_workers = 2);
VACUUM ANALYZE bought;
SET max_parallel_workers_per_gather = 2;
SELECT count(*) AS partial FROM plan(
	$$SELECT g, clv_internal.clv_pipeline_months(history, '2020-12-31') FROM bought GROUP BY g$$) p
WHERE p ~ 'Partial';
CREATE TABLE parallel AS SELECT q.g, m.* FROM (
	SELECT g, clv_internal.clv_pipeline_months(history, '2020-12-31') AS m FROM bought GROUP BY g) q, unnest(q.m) m;
RESET max_parallel_workers_per_gather;
SELECT count(*) AS different FROM (
	(SELECT * FROM serial EXCEPT ALL SELECT * FROM parallel)
	UNION ALL (SELECT * FROM parallel EXCEPT ALL SELECT * FROM serial)) d;
DROP TABLE serial, parallel;
DROP TABLE bought CASCADE;

-- ---- hundredths: against numbered rows ----
CREATE TABLE worth AS
SELECT g, i, CASE WHEN i % 50 > 0 THEN (i::int8 * i * 7919 % 100003 - 20000)::numeric / 100 END AS v
FROM (VALUES (1, 7), (2, 100), (3, 12345)) s (g, n), generate_series(1, n) i;
CREATE VIEW placed AS
SELECT g, p, count(*) AS customers, sum(v) AS net, sum(greatest(v, 0)) AS value, sum(i * greatest(v, 0)) AS weighted
FROM (
	SELECT g, coalesce(v, 0) AS v, i, (100 * i + n - 1) / n AS p
	FROM (
		SELECT
			g,
			v,
			row_number() OVER (PARTITION BY g ORDER BY coalesce(v, 0) DESC) AS i,
			count(*) OVER (PARTITION BY g) AS n
		FROM worth
	) r
) q
GROUP BY g, p;
CREATE VIEW summed AS
SELECT g, p, h[p][1] AS customers, h[p][2] AS net, h[p][3] AS value, h[p][4] AS weighted
FROM
	(SELECT g, clv_internal.clv_pipeline_hundredths(v::float8) AS h FROM worth GROUP BY g) q,
	generate_series(1, 100) p;
CREATE VIEW compared AS
SELECT g, sum(s.customers) AS customers, count(p.p) AS filled,
	every(s.customers = coalesce(p.customers, 0) AND near(s.net, coalesce(p.net, 0))
		AND near(s.value, coalesce(p.value, 0)) AND near(s.weighted, coalesce(p.weighted, 0))) AS same
FROM summed s LEFT JOIN placed p USING (g, p)
GROUP BY g;
TABLE compared ORDER BY g;
ALTER TABLE worth SET (parallel_workers = 2);
ANALYZE worth;
SET max_parallel_workers_per_gather = 2;
SELECT count(*) AS partial FROM plan(
	'SELECT g, clv_internal.clv_pipeline_hundredths(v::float8) FROM worth GROUP BY g') p
WHERE p ~ 'Partial';
TABLE compared ORDER BY g;
RESET max_parallel_workers_per_gather;
SELECT clv_internal.clv_pipeline_hundredths(v) IS NULL AS none FROM (SELECT 1::float8 WHERE false) t (v);
\set ON_ERROR_STOP 0
SELECT clv_internal.clv_pipeline_hundredths(v) FROM unnest('{1,Infinity}'::float8[]) v;
\set ON_ERROR_STOP 1
-- ---- the value at a rank: against sorted rows ----
CREATE VIEW ranked AS
SELECT r.rank, clv_internal.clv_pipeline_at_rank(v::float8, r.rank) AS found,
	(array_agg(v ORDER BY v DESC) FILTER (WHERE v IS NOT NULL))[r.rank]::float8 AS sorted
FROM worth, unnest('{1,2,7,100,1000,100000}'::int[]) r (rank)
GROUP BY r.rank;
SELECT rank, found IS NOT DISTINCT FROM sorted AS same, found IS NULL AS fewer FROM ranked ORDER BY rank;
SET max_parallel_workers_per_gather = 2;
SELECT count(*) AS partial FROM plan(
	'SELECT g, clv_internal.clv_pipeline_at_rank(v::float8, 3) FROM worth GROUP BY g') p
WHERE p ~ 'Partial';
SELECT every(found = (SELECT v::float8 FROM worth w WHERE w.g = q.g AND v IS NOT NULL ORDER BY v DESC OFFSET 2 LIMIT 1))
	AS same
FROM (SELECT g, clv_internal.clv_pipeline_at_rank(v::float8, 3) AS found FROM worth GROUP BY g) q
WHERE found IS NOT NULL;
RESET max_parallel_workers_per_gather;
\set ON_ERROR_STOP 0
SELECT clv_internal.clv_pipeline_at_rank(v, 0) FROM unnest('{1,2}'::float8[]) v;
SELECT clv_internal.clv_pipeline_at_rank(v, v::int) FROM unnest('{1,2}'::float8[]) v;
SELECT clv_internal.clv_pipeline_at_rank(v, 1) FROM unnest('{1,NaN}'::float8[]) v;
\set ON_ERROR_STOP 1
DROP TABLE worth CASCADE;

-- ---- spreads: 10 above and 4 of the mean, of one in four; none of numbers that are not finite ----
SELECT clv_internal.clv_pipeline_spread(100, 110, 104, 4) = sqrt((100 - 16) * 4 + 16 * 16) AS four_times,
	num_nulls(clv_internal.clv_pipeline_spread(100, NULL, 104, 4),
		clv_internal.clv_pipeline_spread(1e6, 12, 3.5, '-Infinity'),
		clv_internal.clv_pipeline_spread('Infinity', 'Infinity', 3.5, 4),
		clv_internal.clv_pipeline_spread(1, 1, 1, 'NaN'))
		AS none_of_four;

-- ---- states as text: what Citus brings from a shard; put together they are what one pass makes ----
CREATE AGGREGATE curve_state(float8[], float8) (SFUNC = clv_internal.clv_pipeline_curve_sum_add, STYPE = bytea);
CREATE AGGREGATE curve_of(bytea) (SFUNC = clv_internal.clv_pipeline_curve_sum_combine, STYPE = bytea,
	FINALFUNC = clv_internal.clv_pipeline_curve_sum_final);
CREATE AGGREGATE month_state(clv_history, date) (SFUNC = clv_internal.clv_pipeline_months_add, STYPE = bytea);
CREATE AGGREGATE month_of(bytea) (SFUNC = clv_internal.clv_pipeline_months_combine, STYPE = bytea,
	FINALFUNC = clv_internal.clv_pipeline_months_final);
CREATE AGGREGATE hundredth_state(float8) (SFUNC = clv_internal.clv_pipeline_hundredths_add, STYPE = bytea);
CREATE AGGREGATE hundredth_of(bytea) (SFUNC = clv_internal.clv_pipeline_hundredths_combine, STYPE = bytea,
	FINALFUNC = clv_internal.clv_pipeline_hundredths_final);
CREATE AGGREGATE rank_state(float8, int4) (SFUNC = clv_internal.clv_pipeline_at_rank_add, STYPE = bytea);
CREATE AGGREGATE rank_of(bytea) (SFUNC = clv_internal.clv_pipeline_at_rank_combine, STYPE = bytea,
	FINALFUNC = clv_internal.clv_pipeline_at_rank_final);
CREATE TABLE sharded AS
SELECT c, c % 5 AS shard, clv_history(date '2020-01-01' + c % 90 + k * (1 + c % 50), (c * 7 % 100 - 9)::numeric) AS h,
	(c * c % 997 - 99) / 10.0::float8 AS v
FROM generate_series(1, 4000) c, generate_series(0, c % 6) k
GROUP BY c;
CREATE TABLE travelled AS
SELECT shard, curve_state(ARRAY[v, c], v)::text AS curve, month_state(h, '2020-12-31')::text AS months,
	hundredth_state(v)::text AS hundredths, rank_state(v, 50)::text AS ranks
FROM sharded
GROUP BY shard;
INSERT INTO travelled DEFAULT VALUES;
SELECT count(*) AS shards, max(length(curve)) < 500 AS small_curve, max(length(months)) < 50000 AS small_months,
	max(length(hundredths)) < 30000 AS small_hundredths
FROM travelled;
SELECT
	curve_of(curve::bytea) = (SELECT clv_internal.clv_pipeline_curve_sum(ARRAY[v, c], v) FROM sharded) AS curve,
	hundredth_of(hundredths::bytea) = (SELECT clv_internal.clv_pipeline_hundredths(v) FROM sharded) AS hundredths,
	rank_of(ranks::bytea) = (SELECT v FROM sharded ORDER BY v DESC OFFSET 49 LIMIT 1) AS rank,
	ARRAY(SELECT m FROM unnest(month_of(months::bytea)) m ORDER BY m)
		= ARRAY(SELECT m FROM (SELECT clv_internal.clv_pipeline_months(h, '2020-12-31') AS a FROM sharded) q,
			unnest(q.a) m ORDER BY m) AS months
FROM travelled;
-- in a window a state goes on after its result; bytes of another aggregate, cut off or with a number that cannot be
-- are refused
SELECT every(w.running = (SELECT clv_internal.clv_pipeline_hundredths(s.v) FROM sharded s WHERE s.c <= w.c)) AS goes_on
FROM (SELECT c, clv_internal.clv_pipeline_hundredths(v) OVER (ORDER BY c) AS running FROM sharded WHERE c <= 300) w
WHERE w.c % 60 = 0;
\set ON_ERROR_STOP 0
SELECT hundredth_of(curve::bytea) FROM travelled WHERE shard = 1;
SELECT curve_of(substr(curve::bytea, 1, 60)) FROM travelled WHERE shard = 1;
SELECT hundredth_of('\x68756e647ff000000000000000000001');
SELECT hundredth_of('\x68756e643ff000000000000000000000');
SELECT hundredth_of(v)
FROM (VALUES ('\x68756e643ff0000000000000ffffffff'::bytea), ('\x68756e643ff000000000000000000001')) t (v);
SELECT month_of('\x6d6f6e747fffffff7fffffff');
SELECT rank_of('\x72616e6b000000013ff00000000000003ff0000000000000');
SELECT rank_of('\x72616e6b000000017ff8000000000000');
SELECT rank_of('\x72616e6b7fffffff');
SELECT rank_of(v) FROM (VALUES ('\x72616e6b00000001'::bytea), ('\x72616e6b00000002')) t (v);
SELECT rank_of('\x72616e6b00000000') IS NULL AS none;
SELECT curve_of('\x6375727200000001007f');
\set ON_ERROR_STOP 1
-- a state put together with itself
SELECT (clv_internal.clv_pipeline_hundredths_final(clv_internal.clv_pipeline_hundredths_combine(s, s)))[1][1] AS twice
FROM (SELECT hundredth_state(v) AS s FROM sharded) q;
DROP TABLE sharded, travelled;

-- ---- money as doubles: what the cast gives ----
SELECT count(*) > 4000 AS many, every(clv_internal.clv_double(n) = n::float8) AS same
FROM (
	SELECT (i * 7919::numeric ^ (i % 6)) / 10::numeric ^ (i % 9) * (1 - i % 2 * 2) AS n FROM generate_series(1, 4000) i
	UNION ALL
	SELECT unnest('{0,-0.01,0.005,9007199254740992,9007199254740993,90071992547409.93,1e300,NaN,Infinity}'::numeric[])
) v;
