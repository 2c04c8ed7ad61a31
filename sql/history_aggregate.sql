-- The aggregate clv_history: every rule about a row, one by one.
CREATE FUNCTION pg_temp.complaint(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no complaint';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	-- the message about an unknown function is of the server, and differs between its versions
	RETURN CASE SQLSTATE WHEN '42883' THEN SQLSTATE
		ELSE SQLSTATE || ' ' || SQLERRM || coalesce(' / ' || nullif(hint, ''), '') END;
END $$;

-- days are UTC days, whatever the time zone of the session
SET TimeZone = 'Pacific/Kiritimati';
SELECT clv_history(t::timestamptz, 1::numeric)
FROM (VALUES ('1997-01-01 00:00:00+00'), ('1997-01-01 23:59:59.999999+00'), ('1997-01-02 10:00+14'),
		  ('1999-12-31 23:59:59.999999+00'), ('2000-01-01 00:00+00')) v (t);
SELECT clv_history(t::timestamp, 1::numeric)
FROM (VALUES ('1997-01-01 00:00'), ('1997-01-01 23:59:59.999999'), ('1997-01-02 00:00')) v (t);
RESET TimeZone;

-- the same rows through every type of time and amount
CREATE TEMP TABLE rows (n int, d date, a numeric);
INSERT INTO rows VALUES (1, '1997-01-01', 29.5), (2, '1997-01-01', 0.75), (3, '1997-02-03', 0), (4, '1997-02-10', NULL),
	(5, '1997-02-10', 5), (6, '1997-03-01', -7.25), (7, NULL, 1000), (8, '1996-12-25', -1), (9, '1997-03-02', -2),
	(10, '1997-03-02', 2), (11, '1997-04-01', NULL);
SELECT clv_history(d, a) FROM rows;
WITH every(h) AS (
	SELECT clv_history(d, a) FROM rows UNION ALL
	SELECT clv_history(d, a::float8) FROM rows UNION ALL
	SELECT clv_history(d, a::real) FROM rows UNION ALL
	SELECT clv_history(d::timestamp, a) FROM rows UNION ALL
	SELECT clv_history(d::timestamp, a::float8) FROM rows UNION ALL
	SELECT clv_history(d::timestamp, a::real) FROM rows UNION ALL
	SELECT clv_history(d::timestamp AT TIME ZONE 'UTC', a) FROM rows UNION ALL
	SELECT clv_history(d::timestamp AT TIME ZONE 'UTC', a::float8) FROM rows UNION ALL
	SELECT clv_history(d::timestamp AT TIME ZONE 'UTC', a::real) FROM rows UNION ALL
	SELECT clv_history(d, a, 1) FROM rows UNION ALL
	SELECT clv_history(d, a::float8, 1) FROM rows UNION ALL
	SELECT clv_history(d::timestamp, a, 1) FROM rows UNION ALL
	SELECT clv_history(d, a ORDER BY n DESC) FROM rows UNION ALL
	SELECT clv_history(d, a ORDER BY a, n) FROM rows)
SELECT count(*), count(DISTINCT h) FROM every;
SELECT clv_history(d, (a * 4)::int) = clv_history(d, (a * 4)::bigint)
	   AND clv_history(d, (a * 4)::bigint) = clv_history(d, a * 4)
FROM rows;
-- without money: purchases of unknown amount
SELECT clv_history(d) = clv_history(d, NULL) AND clv_history(d) = clv_history(d::timestamp) AND
	   clv_history(d) = clv_history(d::timestamp AT TIME ZONE 'UTC') FROM rows;
SELECT clv_history(d) FROM rows;

-- no dated row: NULL
SELECT clv_history(d, a) IS NULL FROM rows WHERE false;
SELECT clv_history(d, a) IS NULL, clv_history(d) IS NULL, clv_history(d, a, 7) IS NULL FROM rows WHERE d IS NULL;
SELECT count(*) FROM (SELECT clv_history(d, a) FROM rows WHERE false GROUP BY n) g;

-- occasions: cells of the grid begin on Mondays where they are weeks, before its anchor too
SELECT clv_history(d, a, 7) FROM rows;
SELECT bool_and(extract(isodow FROM day) = 1)
FROM clv_purchase_log((SELECT clv_history(date '1990-01-01' + i, 1, 14) FROM generate_series(0, 9000, 5) i));
SELECT clv_history(d, NULL, 30) FROM (VALUES (date '2001-01-01'), ('2001-01-30'), ('2001-01-31'), ('2000-12-31')) v (d);

-- amounts are exact decimals
SELECT clv_history(d, a)
FROM (VALUES (date '1997-01-01', 0.1::float8), ('1997-01-01', 0.2), ('1997-01-02', 1e15),
		  ('1997-01-03', 123456.789012)) v (d, a);
SELECT clv_history(d, a)
FROM (VALUES (date '1997-01-01', 29.33::real), ('1997-01-02', 1e6), ('1997-01-03', 0.001)) v (d, a);
SELECT clv_history(d, a)
FROM (VALUES (date '1997-01-01', 9223372036854775807::bigint), ('1997-01-01', -9223372036854775807)) v (d, a);
SELECT clv_history(d, a)
FROM (VALUES (date '1997-01-01', 9223372036854775807::bigint), ('1997-01-01', 9223372036854775807)) v (d, a);
SELECT clv_history(d, a)
FROM (VALUES (date '1997-01-01', 1e-300::float8), ('1997-01-01', 0)) v (d, a)
HAVING clv_total_spend(clv_history(d, a)) <> 1e-300;
-- from narrow to wide and back again
SELECT clv_history(d, a)
FROM (VALUES (date '1997-01-01', 0.1234567), ('1997-01-02', 5), ('1997-01-01', -0.0234567)) v (d, a);
SELECT clv_history(d, a)
FROM (VALUES (date '1997-01-01', 1.5), ('1997-01-02', 99999999999999999999),
		  ('1997-01-02', -99999999999999999990)) v (d, a);
-- numerics of every shape against their own text
SELECT count(*), count(*) FILTER (WHERE clv_total_spend(h) <> a) AS wrong
FROM (SELECT a, clv_history(date '1997-01-01', a) AS h
	  FROM (SELECT DISTINCT sign * m * 10::numeric ^ e AS a
			FROM (VALUES (1), (-1)) s (sign), generate_series(-9, 25) e,
				 (VALUES (1), (9), (10), (99), (1234), (9999), (10000), (10001), (99990000), (123456789),
					  (1234567890123456)) m (m)) n
	  GROUP BY a) g;
SELECT count(*) FILTER (WHERE clv_total_spend(h) <> a::text::numeric) AS wrong
FROM (SELECT a, clv_history(date '1997-01-01', a) AS h
	  FROM (SELECT DISTINCT sign * m * 10::float8 ^ e AS a
			FROM (VALUES (1), (-1)) s (sign), generate_series(-15, 25) e,
				 (VALUES (1), (3), (7), (29.33), (1234.5678), (0.1 + 0.2), (9007199254740993), (1 / 3::float8)) m (m)) n
	  GROUP BY a) g;
SELECT count(*) FILTER (WHERE clv_total_spend(h) <> a::text::numeric) AS wrong
FROM (SELECT a, clv_history(date '1997-01-01', a) AS h
	  FROM (SELECT DISTINCT (sign * m * 10::float8 ^ e)::real AS a
			FROM (VALUES (1), (-1)) s (sign), generate_series(-15, 15) e,
				 (VALUES (1), (3), (29.33), (16777217), (0.33333)) m (m)) n
	  GROUP BY a) g;
-- a numeric that is stored compressed
CREATE TEMP TABLE toasted (a numeric);
INSERT INTO toasted SELECT (repeat('7', 5000) || '.25')::numeric;
SELECT clv_total_spend(clv_history(date '1997-01-01', a)) = max(a) FROM toasted;

-- errors of dates, amounts and occasions that cannot be used
SELECT pg_temp.complaint(format('SELECT clv_history(%s)', arguments))
FROM (VALUES
	(1, $$'infinity'::date, 1$$), (2, $$'-infinity'::timestamptz, 1$$), (3, $$'infinity'::timestamp$$),
	(4, $$date '1997-01-01', 'NaN'::numeric$$), (5, $$date '1997-01-01', 'Infinity'::numeric$$),
	(6, $$date '1997-01-01', '-Infinity'::numeric$$), (7, $$date '1997-01-01', 'NaN'::float8$$),
	(8, $$date '1997-01-01', '-Infinity'::float8$$), (9, $$date '1997-01-01', 'Infinity'::real$$),
	(10, $$date '1997-01-01', 1, 0$$), (11, $$date '1997-01-01', 1, -7$$), (12, $$date '1997-01-01', 1, NULL$$),
	(13, $$date '1997-01-01', 1, o) FROM (VALUES (1), (7)) v (o$$),
	(14, $$date '4713-11-24 BC', 1, 1000$$),
	(15, $$date '1997-01-01', a) FROM (VALUES ('1'::text)) v (a$$),
	(16, $$t, 1) FROM (VALUES ('1997-01-01'::text)) v (t$$),
	(17, $$date '1997-01-01', a) FROM (VALUES ('1'::money)) v (a$$),
	(18, $$date '1997-01-01', 1, 7.5$$)) v (n, arguments)
ORDER BY n;
-- FILTER keeps such rows out; a NULL time is never looked at
SELECT clv_history(d, a) FILTER (WHERE a <> 'NaN')
FROM (VALUES (date '1997-01-01', 1::numeric), ('1997-01-02', 'NaN')) v (d, a);
SELECT clv_history(d, a) FROM (VALUES (date '1997-01-01', 1::numeric), (NULL, 'NaN')) v (d, a);

-- in a window, frame by frame
SELECT bool_and(h = (SELECT clv_history(r.d, r.a) FROM rows r WHERE r.n <= w.n)) AS growing
FROM (SELECT n, clv_history(d, a) OVER (ORDER BY n) AS h FROM rows) w WHERE h IS NOT NULL;
SELECT bool_and(h IS NOT DISTINCT FROM (SELECT clv_history(r.d, r.a)
										FROM rows r
										WHERE r.n BETWEEN w.n - 1 AND w.n)) AS sliding
FROM (SELECT n, clv_history(d, a) OVER (ORDER BY n ROWS 1 PRECEDING) AS h FROM rows) w;
