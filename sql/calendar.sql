-- Calendars: the same from rows in any order, exact as values, appended to, and errors of what is no calendar.
SET client_min_messages = warning;
CREATE SCHEMA calendar;
SET search_path = calendar, public;

-- two years of weeks: a campaign in the last week of every quarter, a price that changes twice
CREATE TABLE week AS
SELECT date '2022-01-03' + 7 * i AS since,
	   ARRAY[(i % 13 = 12)::int, CASE WHEN i < 30 THEN 9.9 WHEN i < 70 THEN 10.5 ELSE 9.9 END]::float8[] AS v
FROM generate_series(0, 103) i;
CREATE TABLE made AS SELECT clv_calendar(since, v, '{campaign,price}') AS c FROM week;

-- --- rows in any order, and in parallel, give one calendar; equal steps are joined ---
SELECT clv_calendar(since, v, '{campaign,price}' ORDER BY since DESC) = c AS descending,
	   clv_calendar(since, v, '{campaign,price}' ORDER BY md5(since::text)) = c AS mixed
FROM week, made GROUP BY c;
SELECT jsonb_array_length(c::jsonb->'steps') AS steps, c::jsonb->'last' AS last, c::jsonb->'longest' AS longest,
	   c::jsonb ? 'end' AS has_end
FROM made;
-- a row for every change gives the same steps; so does one for every day
SELECT c::jsonb->'steps' = (SELECT clv_calendar(since, v, '{campaign,price}') FROM (
	SELECT since, v
	FROM (SELECT since, v, lag(v) OVER (ORDER BY since) AS before FROM week) w
	WHERE v IS DISTINCT FROM before) w)::jsonb->'steps' AS changes,
	   c::jsonb->'steps' = (SELECT clv_calendar(since + d, v, '{campaign,price}')
							FROM week, generate_series(0, 6) d)::jsonb->'steps' AS days
FROM made;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE week SET (parallel_workers = 2);
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS off) ' || query; END $$;
SELECT count(*) > 0 AS parallel
FROM plan('SELECT clv_calendar(since, v, ''{campaign,price}'') FROM week') p
WHERE p LIKE '%Partial Aggregate%';
SELECT clv_calendar(since, v, '{campaign,price}') = (SELECT c FROM made) AS same FROM week;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SET max_parallel_workers_per_gather = 0;

-- --- the values of a day: those of the latest row until then ---
SELECT count(*) AS days, bool_and(clv_calendar_values(c, w.since + d) = w.v) AS same
FROM made, week w, generate_series(0, 6) d;
SELECT clv_calendar_values(c, '2022-01-02') AS before, clv_calendar_values(c, '2022-01-03') AS first,
	   clv_calendar_values(c, '2023-12-31') AS last, clv_calendar_values(c, '2024-01-01') AS after FROM made;
-- the last row lasts as long as the longest before it, or until a row without values
SELECT clv_calendar_values(c, '2020-03-14') AS last, clv_calendar_values(c, '2020-03-15') AS after FROM (
	SELECT clv_calendar(d::date, ARRAY[n]::float8[], '{n}') AS c
	FROM unnest('{2020-01-01,2020-02-01,2020-02-13}'::date[]) WITH ORDINALITY u (d, n)) x;
SELECT clv_calendar_values(c, '2020-02-13') AS last, clv_calendar_values(c, '2020-02-14') AS after, c FROM (
	SELECT clv_calendar(d, v, '{n}') AS c
	FROM (VALUES (date '2020-02-14', NULL::float8[]), ('2020-01-01', '{1}'), ('2020-02-01', '{2}')) r (d, v)) x;
SELECT clv_calendar_values(c, '2020-01-01') AS its_day, clv_calendar_values(c, '2020-01-02') AS after FROM (
	SELECT clv_calendar('2020-01-01', '{1}', '{n}') AS c) x;
SELECT clv_calendar_values(c, 'infinity') FROM made;
SELECT clv_calendar_values(NULL, '2020-01-01') IS NULL AND clv_calendar_values(c, NULL) IS NULL AS nulls FROM made;

-- --- appending the rows that come later gives the calendar of all rows ---
SELECT count(*) AS cuts, bool_and((a || b) = c) AS same FROM (
	SELECT d, clv_calendar(since, v, '{campaign,price}') FILTER (WHERE since < d) AS a,
		   clv_calendar(since, v, '{campaign,price}') FILTER (WHERE since >= d) AS b
	FROM week, generate_series(date '2022-01-10', '2023-12-25', '7 days') d GROUP BY d) x, made;
SELECT (c || clv_calendar('2024-01-01', '{1,9.9}', '{campaign,price}'))::jsonb->'longest' AS longest
FROM made GROUP BY c;
SELECT c || clv_calendar('2024-01-01', '{1}', '{campaign}') FROM made GROUP BY c;
SELECT c || clv_calendar('2024-01-01', '{9.9,1}', '{price,campaign}') FROM made GROUP BY c;
SELECT c || c FROM made;
SELECT c || clv_calendar('2023-12-25', '{1,9.9}', '{campaign,price}') FROM made GROUP BY c;
SELECT '{"version":1,"names":["n"],"end":"2020-02-01","steps":[["2020-01-01",1]]}'::clv_calendar
	   || clv_calendar('2020-02-01', '{2}', '{n}') AS at_the_end;
SELECT '{"version":1,"names":["n"],"end":"2020-02-01","steps":[["2020-01-01",1]]}'::clv_calendar
	   || clv_calendar('2020-02-02', '{2}', '{n}') AS gap;

-- --- as values: text, binary and jsonb without loss, compared by content, whatever the settings ---
CREATE TABLE kind AS
SELECT 'weeks' AS kind, c FROM made
UNION ALL SELECT 'ends',
	'{"version":1,"names":["n"],"end":"2020-02-01","steps":[["2020-01-01",1e-300],["2020-01-02",-1e300]]}'
UNION ALL SELECT 'old',
	'{"version":1,"names":["\"quoted\"","Saison"],
		"steps":[["0044-03-15 BC",0.1,2],["2020-01-02",0.30000000000000004,-0.0]]}'
UNION ALL SELECT 'one', clv_calendar('2020-01-01', '{1}', '{n}')
UNION ALL SELECT 'sixteen',
	clv_calendar('2020-01-01', array_fill(1::float8, '{16}'),
		(SELECT array_agg('n' || i) FROM generate_series(1, 16) i));
SET extra_float_digits = -10;
SET DateStyle = 'SQL, DMY';
SELECT bool_and(c::text::clv_calendar = c) AS text, bool_and(c::jsonb::clv_calendar = c) AS jsonb,
	   bool_and(c::jsonb::text::clv_calendar = c) AS both,
	   count(DISTINCT c) AS different, count(DISTINCT clv_internal.clv_calendar_hash(c)) AS hashes FROM kind;
SELECT c FROM kind WHERE kind = 'old';
RESET extra_float_digits;
RESET DateStyle;
SELECT count(*) AS pairs, count(*) FILTER (WHERE a.c < b.c) = 10 AND count(*) FILTER (WHERE a.c > b.c) = 10 AS ordered,
	   bool_and((a.c = b.c) = (NOT a.c <> b.c)) AS equal, bool_and((a.c <= b.c) = (NOT a.c > b.c)) AS less
FROM kind a, kind b;
-- steps that are not joined are read as rows: the last day and the longest step are kept
SELECT '{"version":1,"names":["n"],"steps":[["2020-01-01",0],["2020-01-08",-0.0],["2020-01-10",0]]}'::clv_calendar
	   AS merged;

-- --- within a window the aggregate goes on after a result ---
SELECT bool_and(w = (SELECT clv_calendar(y.since, y.v, '{campaign,price}')
					 FROM week y WHERE y.since <= x.since)) AS running
FROM (SELECT since, clv_calendar(since, v, '{campaign,price}') OVER (ORDER BY since) AS w FROM week) x;
SELECT clv_calendar(since, v, '{a}') IS NULL AS none FROM week WHERE false;

-- --- errors ---
SELECT clv_calendar(since, v, '{campaign,price}') FROM (SELECT * FROM week UNION ALL SELECT '2022-03-14', '{1,2}') w;
SELECT clv_calendar(since, CASE WHEN since = '2022-03-14' THEN ARRAY[0, 'NaN']::float8[] ELSE v END,
		   '{campaign,price}')
FROM week;
SELECT clv_calendar(since, CASE WHEN since = '2022-03-14' THEN ARRAY['-Infinity', 0]::float8[] ELSE v END,
		   '{campaign,price}')
FROM week;
SELECT clv_calendar(since, CASE WHEN since = '2022-03-14' THEN ARRAY[0, NULL]::float8[] ELSE v END,
		   '{campaign,price}')
FROM week;
SELECT clv_calendar(since, CASE WHEN since = '2022-03-14' THEN ARRAY[0]::float8[] ELSE v END,
		   '{campaign,price}')
FROM week;
SELECT clv_calendar(since, CASE WHEN since <> '2022-03-14' THEN v END, '{campaign,price}') FROM week;
SELECT clv_calendar(since, v,
		   CASE WHEN since = '2022-03-14' THEN '{campaign,prize}' ELSE '{campaign,price}' END::text[])
FROM week;
SELECT clv_calendar(since, v, CASE WHEN since <> '2022-03-14' THEN '{campaign,price}'::text[] END) FROM week;
SELECT clv_calendar(since, v, '{campaign,NULL}') FROM week;
SELECT clv_calendar(since, v, '{campaign,campaign}') FROM week;
SELECT clv_calendar(since, v, '{campaign,""}') FROM week;
SELECT clv_calendar(since, v, ARRAY['campaign', repeat('x', 64)]) FROM week;
SELECT clv_calendar(since, '{}', '{}') FROM week;
SELECT clv_calendar(since, array_fill(1::float8, '{17}'),
		   (SELECT array_agg('n' || i) FROM generate_series(1, 17) i))
FROM week;
SELECT clv_calendar(nullif(since, '2022-03-14'), v, '{campaign,price}') FROM week;
SELECT clv_calendar(CASE WHEN since = '2022-03-14' THEN 'infinity' ELSE since END, v, '{campaign,price}') FROM week;
SELECT clv_calendar(since, nullif(v, ARRAY[0, 9.9]::float8[]), '{campaign,price}') FROM week;
SELECT clv_calendar('2022-01-01', NULL, '{campaign,price}');
SELECT clv_calendar('2022-01-01', '{{1},{9.9}}', '{campaign,price}');
SELECT clv_calendar('2022-01-01', '{1,9.9}', '{{campaign,price}}');
SELECT clv_calendar(date '2000-01-01' + i, ARRAY[i]::float8[], '{n}') FROM generate_series(0, 100000) i;
\set VERBOSITY terse
SELECT '[]'::clv_calendar;
SELECT '{}'::clv_calendar;
SELECT '{"version":2}'::clv_calendar;
SELECT '{"version":1,"names":["n"]}'::clv_calendar;
SELECT '{"version":1,"names":"n","steps":[["2020-01-01",1]]}'::clv_calendar;
SELECT '{"version":1,"names":[],"steps":[["2020-01-01"]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"steps":[]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"steps":[[]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"steps":[["2020-01-01"]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"steps":[["2020-01-01",1,2]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"steps":[["today",1]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"steps":[["2020-01-01","1"]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"steps":[["2020-01-01",1e400]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"steps":[["2020-01-02",1],["2020-01-01",2]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"steps":[["2020-01-02",1],["2020-01-02",1]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"last":"2020-01-01","steps":[["2020-01-02",1]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"longest":8,"steps":[["2020-01-02",1],["2020-01-09",2]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"longest":0,"steps":[["2020-01-02",1],["2020-01-09",2]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"end":"2020-01-02","steps":[["2020-01-02",1]]}'::clv_calendar;
SELECT '{"version":1,"names":["n"],"until":"2020-01-03","steps":[["2020-01-02",1]]}'::clv_calendar;

DROP SCHEMA calendar CASCADE;
