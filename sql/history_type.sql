-- The type clv_history: what it reads, what it writes, how it compares.
CREATE FUNCTION pg_temp.complaint(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE query;
	RETURN 'no complaint';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' / ' || nullif(detail, ''), '');
END $$;

-- what is written is what was read, once it is in order
SELECT clv_history '{"occasion":1,"days":[]}';
SELECT clv_history '{"occasion":1,"days":[["1997-01-01",29.33],["1997-03-02",-11.77,"refund"],["1997-03-05",null]]}';
SELECT clv_history ' { "days" : [ ["1997-03-05" , 7.5, "unknown" , 2] , ["1997-01-01",1e1],
	["1997-03-05",null]] , "occasion" : 1 } ';
SELECT clv_history '{"occasion":7,"days":[["1997-01-01",1],["1997-01-03",2],["1997-01-06",3.10]]}';
SELECT clv_history '{"occasion":1,"days":[["0044-03-15 BC",1],["0001-01-01 BC",2],["0001-01-01",3],["12345-12-31",4]]}';
-- a refund and a purchase of the same day are a purchase, whatever is left of it
SELECT clv_history '{"occasion":1,"days":[["1997-01-01",-5,"refund"],["1997-01-01",3]]}';
-- scale: the smallest that holds every amount, and digits where six are not enough
SELECT clv_history '{"occasion":1,"days":[["1997-01-01",1.500000],["1997-01-02",0.0]]}';
SELECT clv_history '{"occasion":1,"days":[["1997-01-01",0.000001],["1997-01-02",-0.0]]}';
SELECT clv_history '{"occasion":1,"days":[["1997-01-01",0.30000000000000004],["1997-01-02",-10.50],
	["1997-01-03",null]]}';
SELECT clv_history '{"occasion":1,"days":[["1997-01-01",9223372036854775807],["1997-01-02",1]]}';
SELECT clv_history '{"occasion":1,"days":[["1997-01-01",1e40],["1997-01-01",-1e40],["1997-01-02",7.25]]}';
SELECT length(clv_history '{"occasion":1,"days":[["1997-01-01",1e308]]}'::text);

-- everything else is refused
SELECT input, pg_temp.complaint(format('SELECT %L::clv_history', input))
FROM (VALUES
	(1, ''), (2, 'x'), (3, '{}'), (4, '[]'), (5, '{"days":[]}'), (6, '{"occasion":1}'),
	(7, '{"occasion":1,"days":[]'), (8, '{"occasion":1,"days":[]} x'), (9, '{"occasion":1,"occasion":1,"days":[]}'),
	(10, '{"occasion":1,"days":[],"days":[]}'), (11, '{"occasion":0,"days":[]}'), (12, '{"occasion":-1,"days":[]}'),
	(13, '{"occasion":1.5,"days":[]}'), (14, '{"occasion":2147483648,"days":[]}'), (15, '{"occasion":1,"days":[],}'),
	(16, '{"occasion":1,"days":[[]]}'), (17, '{"occasion":1,"days":[["1997-01-01"]]}'),
	(18, '{"occasion":1,"days":[["1997-01-01",1],]}'), (19, '{"occasion":1,"days":[["1997-01-01",1]'),
	(20, '{"occasion":1,"days":[["1997-1-01",1]]}'), (21, '{"occasion":1,"days":[["97-01-01",1]]}'),
	(22, '{"occasion":1,"days":[["1997-02-29",1]]}'), (23, '{"occasion":1,"days":[["0000-01-01",1]]}'),
	(24, '{"occasion":1,"days":[["1997-13-01",1]]}'), (25, '{"occasion":1,"days":[["4715-01-01 BC",1]]}'),
	(26, '{"occasion":1,"days":[["5874898-01-01",1]]}'), (27, '{"occasion":1,"days":[["infinity",1]]}'),
	(28, '{"occasion":1,"days":[["1997-01-01",NaN]]}'), (29, '{"occasion":1,"days":[["1997-01-01",0x1F]]}'),
	(30, '{"occasion":1,"days":[["1997-01-01",1_0]]}'), (31, '{"occasion":1,"days":[["1997-01-01",+1]]}'),
	(32, '{"occasion":1,"days":[["1997-01-01",.5]]}'), (33, '{"occasion":1,"days":[["1997-01-01","5"]]}'),
	(34, '{"occasion":1,"days":[["1997-01-01",1e]]}'), (35, '{"occasion":1,"days":[["1997-01-01",5,"refund"]]}'),
	(36, '{"occasion":1,"days":[["1997-01-01",0,"refund"]]}'),
	(37, '{"occasion":1,"days":[["1997-01-01",null,"refund"]]}'),
	(38, '{"occasion":1,"days":[["1997-01-01",1,"unknown"]]}'),
	(39, '{"occasion":1,"days":[["1997-01-01",1,"unknown",0]]}'),
	(40, '{"occasion":1,"days":[["1997-01-01",1,"unknown",99999999999999999999]]}'),
	(41, '{"occasion":1,"days":[["1997-01-01",1,"gift"]]}')) v (n, input)
ORDER BY n;
SELECT pg_temp.complaint($$SELECT ('{"occasion":10000000,"days":[["4713-01-01 BC",1]]}')::clv_history$$);

-- a column of text is an error, with a hint to cast it
SELECT clv_history(ordered) FROM (VALUES ('1997-01-01'::text)) v (ordered);

CREATE TEMP TABLE sample AS SELECT n, h::clv_history FROM (VALUES
	(1, '{"occasion":1,"days":[]}'),
	(2, '{"occasion":1,"days":[["1997-01-01",29.33]]}'),
	(3, '{"occasion":1,"days":[["1997-01-01",29.34]]}'),
	(4, '{"occasion":1,"days":[["1997-01-02",29.33]]}'),
	(5, '{"occasion":7,"days":[["1996-12-30",29.33]]}'),
	(6, '{"occasion":1,"days":[["1997-01-01",29.33],["1997-03-02",-11.77,"refund"],["1997-03-05",null]]}'),
	(7, '{"occasion":1,"days":[["1997-01-01",0.30000000000000004],["1997-01-05",10,"unknown",3]]}')) v (n, h);
-- jsonb keeps everything, in its own order of keys
SELECT bool_and(h::jsonb::clv_history = h), bool_and(h::text::clv_history = h) FROM sample;
SELECT h::jsonb -> 'days' -> 1 ->> 2 AS what FROM sample WHERE n = 6;
SELECT pg_temp.complaint($$SELECT '{"occasion":1}'::jsonb::clv_history$$);

-- equality, order, hash
SELECT count(*) FILTER (WHERE (a.n = b.n) <> (a.h = b.h)) AS eq,
	   count(*) FILTER (WHERE (a.n = b.n) = (a.h <> b.h)) AS ne,
	   count(*) FILTER (WHERE (a.h < b.h) <> (b.h > a.h) OR (a.h <= b.h) <> (b.h >= a.h)) AS mirrored,
	   count(*) FILTER (WHERE (a.h < b.h)::int + (a.h = b.h)::int + (a.h > b.h)::int <> 1) AS trichotomy,
	   count(*) FILTER (WHERE (a.h <= b.h) <> (a.h < b.h OR a.h = b.h)) AS le,
	   count(*) FILTER (
		   WHERE a.n = b.n AND clv_internal.clv_history_hash(a.h) <> clv_internal.clv_history_hash(b.h)) AS hash
FROM sample a, sample b;
SELECT count(DISTINCT h) FROM (SELECT h FROM sample UNION ALL SELECT h FROM sample) s;
SET enable_sort = off;
SELECT count(*) FROM (SELECT h FROM (SELECT h FROM sample UNION ALL SELECT h FROM sample) s GROUP BY h) g;
SELECT count(*)
FROM (SELECT h FROM (SELECT h FROM sample UNION ALL SELECT h FROM sample) s GROUP BY h HAVING count(*) = 2) g;
RESET enable_sort;
CREATE UNIQUE INDEX ON sample (h);
SELECT pg_temp.complaint('INSERT INTO sample SELECT * FROM sample WHERE n = 6') ~ '^23505';

-- the bytes: version 1, scale 2; day -1095, kind purchase; 2933 units
SELECT clv_internal.clv_history_send(h) FROM sample WHERE n = 2;
-- 8 bytes, and 6 for each occasion
SELECT n, pg_column_size(h) <= 8 + 6 * clv_purchases(h) AS small FROM sample WHERE n < 5 ORDER BY n;
