-- clv_histories: the histories of all customers in the rows of a query, the same as GROUP BY gives them.
CREATE FUNCTION pg_temp.complaint(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no complaint';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' / ' || nullif(hint, ''), '');
END $$;
-- the number of customers, and of those that differ between the two ways
CREATE FUNCTION pg_temp.compared(source text, keys text, types text, bought_at text, amount text DEFAULT NULL,
	occasion int DEFAULT NULL,
	OUT customers bigint, OUT different bigint)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('WITH grouped AS (SELECT %2$s, clv_history(%4$s) AS history FROM %1$s GROUP BY %2$s),
			queried AS (SELECT * FROM clv_histories(%5$L %6$s) AS (%3$s, history clv_history))
		SELECT (SELECT count(*) FROM grouped), (SELECT count(*) FROM (TABLE grouped EXCEPT ALL TABLE queried) g)
			+ (SELECT count(*) FROM (TABLE queried EXCEPT ALL TABLE grouped) q)',
		source, keys, types,
			concat_ws(', ', bought_at, coalesce(amount, CASE WHEN occasion IS NOT NULL THEN 'NULL' END),
				occasion),
		format('SELECT %s FROM %s', concat_ws(', ', keys, bought_at, amount), source), ', ' || occasion)
	INTO customers, different;
END $$;

CREATE DOMAIN pg_temp.code AS text CHECK (VALUE <> '');
CREATE DOMAIN pg_temp.moment AS timestamptz;
CREATE DOMAIN pg_temp.price AS numeric(12, 2);
CREATE TEMP TABLE orders AS
SELECT i, i * 7919 % 211 AS k, t, t::date AS d, t AT TIME ZONE 'Pacific/Kiritimati' AS local, t::pg_temp.moment AS m,
	   CASE WHEN i % 29 > 0 THEN round((i * 7907 % 20011 - 2000) / 100.0, 2) END AS a
FROM generate_series(1, 5000) i,
	 LATERAL (SELECT CASE WHEN i % 37 > 0 THEN timestamptz '2019-12-25 22:00:00Z'
					 + i * 104729 % 900000 * interval '97 s' END AS t) q;

-- customers of every kind: the bytes of equal ones may differ
SELECT * FROM pg_temp.compared('orders', 'k', 'k int', 't', 'a');
SELECT key, c.*
FROM (VALUES (1, 'k::bigint', 'bigint'), (2, 'k::smallint', 'smallint'), (3, 'k::text', 'text'),
		  (4, '(k::text COLLATE "C")', 'text'),
	(5, 'k::char(7)', 'char(7)'), (6, '(''c'' || k)::pg_temp.code', 'pg_temp.code'),
		(7, 'md5(k::text)::uuid', 'uuid'), (8, '''x''::name', 'name'),
	(9, '(CASE WHEN i % 2 = 0 THEN k::numeric(9, 1) ELSE k::numeric(9, 4) END)', 'numeric'),
		(10, '(k % 5 * (i % 2 - 0.5)::float8)', 'float8'), (11, 'k > 9', 'bool'),
	(12, 'nullif(k, 11)', 'int'), (13, 'date ''2000-01-01'' + k', 'date'), (14, 'ARRAY[k, NULL, k]', 'int[]'),
	(15, 'k * interval ''12 h'' + (i % 2) * interval ''1 day'' - (i % 2) * interval ''24 h''', 'interval'),
	(16, 'repeat(k::text, 2000)', 'text'), (17, 'NULL::int', 'int')) v (id, key, type),
	pg_temp.compared('orders', key, 'customer ' || type, 't', 'a') c
ORDER BY id;
SELECT * FROM pg_temp.compared('orders', 'k % 7, nullif(k % 5, 3), k::text', 'a int, b int, c text', 't', 'a');
SELECT *
FROM pg_temp.compared('orders', '(k % 3)::text, nullif(i % 4, 1)::numeric, nullif(k % 2, 0)',
		 'a text, b numeric, c int', 't', 'a');

-- every type of time and amount
SELECT bought_at, amount, occasion, c.*
FROM unnest('{t,d,local,m}'::text[]) bought_at,
	 (VALUES ('a', NULL), ('a::pg_temp.price', 7), ('a::float8', NULL), ('a::real', NULL),
		  ('(a * 100)::int', NULL), ('(a * 100)::bigint', NULL),
		('(a * 10)::smallint', NULL), (NULL, NULL), (NULL, 30), ('a / 7', NULL),
			('a * 1e15', NULL)) v (amount, occasion),
	 pg_temp.compared('orders', 'k', 'k int', bought_at, amount, occasion) c
WHERE bought_at = 't' OR amount = 'a' OR amount IS NULL ORDER BY 1, 2, 3;
-- a customer without a dated row has a NULL history; no rows give no customers
SELECT * FROM clv_histories('SELECT 7, NULL::date, 1.0') AS (customer_id int, history clv_history);
SELECT * FROM clv_histories('SELECT 7, date ''2020-01-01'', 1.0 WHERE false') AS (customer_id int, history clv_history);
SELECT customer_id, history
FROM clv_histories('VALUES (1, date ''2020-01-01'', 2), (2, ''2020-01-02'', NULL), (1, ''2020-01-03'', -1)')
	AS (customer_id int, history clv_history) ORDER BY customer_id;

-- equal customers that look otherwise are shown as one of them, whatever the order of rows
SELECT count(*) AS customers, count(DISTINCT customer::text) AS ways
FROM unnest('{1.0 1.00,1.00 1.0}'::text[]) numbers,
	 clv_histories(format('SELECT unnest(string_to_array(%L, '' ''))::numeric, date ''2020-01-01''', numbers))
		 AS h (customer numeric, history clv_history);

-- more than work_mem holds: rows go through temporary files
SET work_mem = '64kB';
CREATE TEMP TABLE many AS
SELECT i * 7919::bigint % 5003 AS k, date '2015-01-01' + (i * 104729::bigint % 2000)::int AS d,
	   (i % 9999) / 100.0 AS a
FROM generate_series(1, 40000) i;
SELECT * FROM pg_temp.compared('many', 'k', 'k bigint', 'd', 'a');
SELECT *
FROM pg_temp.compared('many', 'k % 40, repeat(k::text, 1 + (k % 3)::int * 40)', 'a bigint, b text', 'd',
		 'a / 7');
SELECT * FROM pg_temp.compared('many', 'repeat((k % 300)::text, 1 + (k % 3)::int * 3000)', 'a text', 'd', 'a');
RESET work_mem;

-- it reads what the statement reads, with the rights of the caller
CREATE TEMP TABLE few (customer_id int, d date, a numeric);
INSERT INTO few VALUES (1, '2020-01-01', 5), (2, '2020-01-02', 6);
CREATE TEMP TABLE asked AS
SELECT 'SELECT customer_id, d, a FROM few WHERE customer_id = ' || i AS query
FROM generate_series(1, 2) i;
SELECT query, h.* FROM asked, clv_histories(query) AS h (customer_id int, history clv_history) ORDER BY query;
PREPARE again AS
SELECT count(*)
FROM clv_histories('SELECT customer_id, d FROM few') AS (customer_id int, history clv_history);
EXECUTE again;
INSERT INTO few VALUES (3, '2020-01-01', 5);
EXECUTE again;
CREATE TABLE secret AS TABLE few;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE ROLE clv_reader;
CREATE POLICY own ON secret FOR SELECT TO clv_reader USING (customer_id = 2);
SET ROLE clv_reader;
SELECT pg_temp.complaint($$
						 SELECT *
						 FROM clv_histories('SELECT customer_id, d, a
											 FROM secret') AS (customer_id int, history clv_history)$$);
RESET ROLE;
GRANT SELECT ON secret TO clv_reader;
SET ROLE clv_reader;
SELECT customer_id FROM clv_histories('SELECT customer_id, d, a FROM secret') AS (customer_id int, history clv_history);
RESET ROLE;
DROP TABLE secret;
DROP ROLE clv_reader;

-- errors, with hints
CREATE FUNCTION pg_temp.wrong(query text, definition text DEFAULT 'customer_id int, history clv_history',
	occasion text DEFAULT '1')
RETURNS text LANGUAGE sql RETURN
	pg_temp.complaint(format('SELECT * FROM clv_histories(%L, %s) AS (%s)', query, occasion, definition));
SELECT pg_temp.wrong(NULL);
SELECT pg_temp.wrong('');
SELECT pg_temp.wrong('SELECT customer, d, a FROM few');
SELECT pg_temp.wrong('SELECT customer_id, d, a FROM few; SELECT customer_id, d, a FROM few');
SELECT pg_temp.wrong('UPDATE few SET a = 1 RETURNING customer_id, d, a');
SELECT pg_temp.wrong('CREATE TABLE evil ()');
SELECT pg_temp.wrong('SHOW work_mem');
SELECT pg_temp.wrong('SELECT customer_id FROM few');
SELECT pg_temp.wrong('SELECT customer_id, a, d FROM few');
SELECT pg_temp.wrong('SELECT customer_id, d::text, a FROM few');
SELECT pg_temp.wrong('SELECT customer_id, d AS "On Day", a::text AS "How Much" FROM few');
SELECT pg_temp.wrong('SELECT customer_id, d, a, a FROM few');
SELECT pg_temp.wrong('SELECT customer_id::bigint, d, a FROM few');
SELECT pg_temp.wrong('SELECT 1.50, ''x'' AS "Key", d, a FROM few', 'a numeric(9, 1), "Key" text, h clv_history');
SELECT pg_temp.wrong('SELECT a::money AS m, d FROM few', 'm money, h clv_history');
SELECT pg_temp.wrong('SELECT customer_id, d, a FROM few', 'customer_id int');
SELECT pg_temp.wrong('SELECT customer_id, d, a FROM few', 'customer_id int, history text');
SELECT pg_temp.wrong('SELECT d, a FROM few', 'history clv_history');
SELECT pg_temp.wrong('SELECT 1',
		   (SELECT string_agg('c' || i || ' int', ', ') FROM generate_series(1, 33) i)
			   || ', history clv_history');
SELECT pg_temp.wrong('SELECT customer_id, d, a FROM few', occasion => '0');
SELECT pg_temp.wrong('SELECT customer_id, d, a FROM few', occasion => 'NULL');
SELECT pg_temp.wrong('SELECT customer_id, date ''infinity'', a FROM few');
SELECT pg_temp.wrong('SELECT customer_id, d, ''NaN''::numeric FROM few');
SELECT pg_temp.complaint('SELECT clv_histories(''SELECT customer_id, d, a FROM few'')');
SELECT pg_temp.complaint('SELECT * FROM clv_histories(''SELECT customer_id, d, a FROM few'')');
