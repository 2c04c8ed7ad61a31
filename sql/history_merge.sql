-- The same transactions in any order, any split and any plan give the same bytes.
SELECT setseed(0.42);
CREATE TEMP TABLE trade AS
SELECT (random() * 400)::int AS id, date '1999-10-01' + (random() * 300)::int AS d,
	   (random() * 5)::int AS shard, random() AS o,
	   CASE (random() * 24)::int
			WHEN 0 THEN NULL WHEN 1 THEN 0 WHEN 2 THEN -5.5 WHEN 3 THEN (random() * 1000)::numeric(12,6)
			WHEN 4 THEN -(random() * 40)::numeric(12,2) WHEN 5 THEN (random() * 10)::int
			ELSE (random() * 100)::numeric(12,2) END AS a
FROM generate_series(1, 12000);
-- a few customers with amounts that no 64-bit decimal holds, and sums that come back from there
INSERT INTO trade
SELECT id, d, shard, o, CASE id % 4 WHEN 0 THEN a * 1e20 WHEN 1 THEN a / 3 ELSE a END
FROM trade WHERE id < 40 AND a IS NOT NULL;
INSERT INTO trade SELECT id, d, (shard + 1) % 5, random(), -a FROM trade WHERE id < 20 AND a > 1e9;

CREATE TEMP TABLE whole AS SELECT id, clv_history(d, a) AS h FROM trade GROUP BY id;
SELECT count(*) AS customers,
	   count(*) FILTER (WHERE clv_internal.clv_history_send(h)::text LIKE '\\x17%') > 0 AS some_wide
FROM whole;

-- order
SELECT count(*) FILTER (WHERE w.h <> s.h) AS sorted
FROM whole w
JOIN (SELECT id, clv_history(d, a ORDER BY d) AS h FROM trade GROUP BY id) s USING (id);
SELECT count(*) FILTER (WHERE w.h <> s.h) AS backwards
FROM whole w
JOIN (SELECT id, clv_history(d, a ORDER BY d DESC) AS h FROM trade GROUP BY id) s USING (id);
SELECT count(*) FILTER (WHERE w.h <> s.h) AS shuffled
FROM whole w
JOIN (SELECT id, clv_history(d, a ORDER BY o) AS h FROM trade GROUP BY id) s USING (id);
SELECT count(*) FILTER (WHERE w.h <> s.h) AS by_amount
FROM whole w
JOIN (SELECT id, clv_history(d, a ORDER BY a DESC) AS h FROM trade GROUP BY id) s USING (id);

-- splits: into shards, into months, into single rows
CREATE TEMP TABLE part AS SELECT id, shard, clv_history(d, a) AS h FROM trade GROUP BY id, shard;
SELECT count(*) FILTER (WHERE w.h <> s.h) AS shards
FROM whole w
JOIN (SELECT id, clv_history_rollup(h) AS h FROM part GROUP BY id) s USING (id);
SELECT count(*) FILTER (WHERE w.h <> s.h) AS shards_backwards
FROM whole w
JOIN (SELECT id, clv_history_rollup(h ORDER BY shard DESC) AS h FROM part GROUP BY id) s USING (id);
SELECT count(*) FILTER (WHERE w.h <> s.h) AS months
FROM whole w
JOIN (SELECT id, clv_history_rollup(h) AS h
	  FROM (SELECT id, clv_history(d, a) AS h FROM trade GROUP BY id, date_trunc('month', d)) m
	  GROUP BY id) s USING (id);
SELECT count(*) FILTER (WHERE w.h <> s.h) AS single_rows
FROM whole w
JOIN (SELECT id, clv_history_rollup(h) AS h
	  FROM (SELECT id, clv_history(d, a) AS h FROM trade GROUP BY id, d, shard, o, a) m
	  GROUP BY id) s USING (id);
SELECT count(*) FILTER (WHERE w.h <> a.h || b.h) AS halves, count(*) FILTER (WHERE a.h || b.h <> b.h || a.h) AS commuted
FROM whole w
JOIN (SELECT id, clv_history(d, a) AS h FROM trade WHERE o < 0.5 GROUP BY id) a USING (id)
JOIN (SELECT id, clv_history(d, a) AS h FROM trade WHERE NOT o < 0.5 GROUP BY id) b USING (id);

-- coarser occasions of the whole and of the parts
SELECT count(*) FILTER (WHERE w.h <> s.h) AS weeks
FROM (SELECT id, clv_history(d, a, 7) AS h FROM trade GROUP BY id) w
JOIN (SELECT id, clv_history_rollup(h) AS h
	  FROM (SELECT id, clv_history(d, a, 7) AS h FROM trade GROUP BY id, shard) p GROUP BY id) s USING (id);

-- parallel plans: states are sent between processes
CREATE TABLE history_merge_trade AS SELECT * FROM trade;
ANALYZE history_merge_trade;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET enable_hashagg = on;
CREATE FUNCTION pg_temp.is_parallel(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
	parallel boolean := false;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		parallel := parallel OR line LIKE '%Partial%Aggregate%';
	END LOOP;
	RETURN parallel;
END $$;
SELECT pg_temp.is_parallel('SELECT clv_history(d, a) FROM history_merge_trade') AS plan;
SELECT clv_history(d, a) = (SELECT clv_history_rollup(h) FROM whole) AS one_history FROM history_merge_trade;
SELECT pg_temp.is_parallel('SELECT shard, clv_history(d, a) FROM history_merge_trade GROUP BY shard') AS plan;
SELECT count(*) AS shards, count(*) FILTER (WHERE p.h <> s.h) AS grouped
FROM (SELECT shard, clv_history(d, a) AS h FROM history_merge_trade GROUP BY shard) p
JOIN (SELECT shard, clv_history_rollup(h) AS h FROM part GROUP BY shard) s USING (shard);
CREATE TABLE history_merge_part AS SELECT * FROM part;
ANALYZE history_merge_part;
SELECT pg_temp.is_parallel('SELECT clv_history_rollup(h) FROM history_merge_part') AS plan;
SELECT clv_history_rollup(h) = (SELECT clv_history_rollup(h) FROM whole) AS one_history FROM history_merge_part;
DROP TABLE history_merge_part;
SELECT clv_history(d, a) IS NULL AS nothing FROM history_merge_trade WHERE id < 0;
RESET ALL;
DROP TABLE history_merge_trade;

-- rollup: NULLs are skipped, the empty history is one
SELECT clv_history_rollup(h) IS NULL FROM (SELECT NULL::clv_history) v (h);
SELECT clv_history_rollup(h) FROM (VALUES (NULL::clv_history), ('{"occasion":7,"days":[]}')) v (h);
SELECT h || '{"occasion":1,"days":[]}' = h FROM whole WHERE id = 7;
SELECT bool_and(r = w) AS growing
FROM (SELECT clv_history_rollup(h) OVER (ORDER BY n) AS r, clv_history(d) OVER (ORDER BY n) AS w
	  FROM (SELECT n, d, clv_history(d) AS h
			FROM (SELECT n, date '1997-01-01' + n * n % 11 AS d FROM generate_series(1, 20) n) x
			GROUP BY n, d) y) z;

-- different grids do not mix
SELECT '{"occasion":7,"days":[]}'::clv_history || '{"occasion":1,"days":[]}';
SELECT clv_history_rollup(h)
FROM (VALUES ('{"occasion":1,"days":[]}'::clv_history), ('{"occasion":30,"days":[]}')) v (h);
-- too many orders of a day are an error
SELECT h || h FROM (VALUES ('{"occasion":1,"days":[["1997-01-01",1,"unknown",600000000000000]]}'::clv_history)) v (h);

-- the spend of all is the sum of the amounts
SELECT sum(clv_total_spend(h)) = (SELECT sum(a) FROM trade) AS total FROM whole;
SELECT count(*) FILTER (WHERE clv_total_spend(w.h) IS DISTINCT FROM s.a) AS customers
FROM whole w JOIN (SELECT id, sum(a) AS a FROM trade GROUP BY id) s USING (id);

-- text, binary and jsonb carry all of them
SELECT count(*) FILTER (WHERE h::text::clv_history <> h) AS by_text,
	   count(*) FILTER (WHERE h::jsonb::clv_history <> h) AS by_jsonb
FROM whole;

-- many rows of one day, and of few days in turn, stay small; and many days in any order come out sorted
SELECT clv_history(date '1997-01-01', 0.01) FROM generate_series(1, 200000);
SELECT clv_history(date '1997-01-01' + i % 3, 0.01) FROM generate_series(1, 300000) i;
SELECT clv_purchases(h), clv_first_purchase(h) = '1997-01-01', clv_total_spend(h)
FROM (SELECT clv_history(date '1997-01-01' + (i::bigint * 7919 % 100000)::int, 1) AS h
	  FROM generate_series(1, 300000) i) x;
