-- Many customers: their rows are loaded so that nobody needs to look at them again, and a forecast is shared among its
-- months by a part of a large segment.
SET client_min_messages = error;
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE TABLE sale AS
SELECT s.customer, s.day AS bought, round((20 + s.customer * 7 % 30 + extract(day FROM s.day))::numeric, 2) AS amount
FROM clv_simulate(clv_model('mbg/nbd', '{"r": 0.8, "alpha": 6, "a": 0.9, "b": 2.5}', '1 week'), 45000, '2023-01-01',
	'2024-01-31', 1) s;
CALL clv_create_pipeline('many', 'sale', 'customer', 'bought', 'amount', as_of => '2024-01-31', model => 'mbg/nbd',
	map => '[{"segment": "all of them"}]');
CALL clv_refresh('many');

-- every page of the customers with rows is known to be seen by all; PostgreSQL 16 and later add some before there are
-- rows for them
SELECT c.relpages > 1000 AND c.relallvisible > 0.95 * c.relpages AS settled
FROM pg_class c
WHERE c.oid = (SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = 'many_data.customer'::regclass
	ORDER BY i.inhrelid DESC LIMIT 1);

-- workers make the rows of all customers, and for a night those of customers without changes
CREATE FUNCTION by_workers(source text) RETURNS bool LANGUAGE plpgsql
SET enable_nestloop = off SET enable_mergejoin = off SET max_parallel_workers_per_gather = 2
SET parallel_setup_cost = 0 SET parallel_tuple_cost = 0 SET min_parallel_table_scan_size = 0 AS $$
DECLARE
	d clv_internal.clv_pipeline_definition := clv_internal.clv_pipeline_read('many');
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, 1);
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || clv_internal.clv_pipeline_customer_query(d,
		clv_internal.clv_pipeline_customer_histories(d, this, source), false) INTO plan USING d, this;
	RETURN plan -> 0 -> 'Plan' ->> 'Node Type' = 'Gather';
END $$;
SELECT source, by_workers(source) FROM unnest('{histories,untouched,touched}'::text[]) source;
DROP FUNCTION by_workers;

-- the last period is what all customers are expected to do; those before differ from it by a sample, and by less than a
-- thousandth
WITH expected AS (
	SELECT f.period_number, f.cumulative_purchases, f.cumulative_revenue, f.cumulative_purchases_high,
		sum(clv_expected_purchases(m.model, h.history, make_interval(days => f.period_end - date '2024-01-31'))) AS e,
		sum(clv_expected_purchases(m.model, h.history, make_interval(days => f.period_end - date '2024-01-31'))
			* clv_expected_spend(m.model, h.history)) AS r
	FROM many.forecast f
	CROSS JOIN many_data.history h
	CROSS JOIN many_data.model m
	WHERE f.segment = 'all of them' AND f.period_number IN (1, 5, 12)
	GROUP BY 1, 2, 3, 4
)
SELECT
	period_number,
	abs(cumulative_purchases / e - 1) BETWEEN 1e-9 AND 1e-3 AS purchases,
	abs(cumulative_revenue::float8 / r - 1) BETWEEN 1e-9 AND 1e-3 AS revenue,
	cumulative_purchases_high > cumulative_purchases AS limited
FROM expected
ORDER BY 1;
SELECT f.cumulative_purchases = s.expected_purchases AS purchases, f.cumulative_revenue = s.expected_revenue AS revenue
FROM many.forecast f
JOIN many.segments s USING (segment)
ORDER BY f.period_number DESC LIMIT 1;

-- rows are loaded into a table that is new, whose columns are those of the query, by who may write into it
SET check_function_bodies = off;
CREATE FUNCTION load(query text) RETURNS int8 LANGUAGE sql AS
$$ SELECT clv_internal.clv_pipeline_load('target', query, NULL, NULL) $$;
CREATE TABLE target (n int, word text);
SELECT load('SELECT 1, ''one''');
DROP TABLE target;
BEGIN;
CREATE TABLE target (n int, word text);
SELECT load('SELECT n, repeat(''x'', n) FROM generate_series(1, 3000) n');
SELECT count(*), count(DISTINCT n), sum(length(word)) FROM target;
ROLLBACK;
BEGIN;
CREATE TABLE target (n int, word text);
SELECT load('SELECT 1, 2');
ROLLBACK;
-- a row in the query stands for its columns, unless the table has a column of its type
CREATE TYPE pair AS (half int, word text);
BEGIN;
CREATE TABLE target (n int, half int, word text, pair pair, last date);
SELECT load($q$
	SELECT n, CASE WHEN n % 3 > 0 THEN ROW(nullif(n / 2, 3), repeat('y', n))::pair END, ROW(n, NULL)::pair,
		'2020-01-01'::date
	FROM generate_series(1, 900) n
$q$);
SELECT count(*), count(half), sum(half), count(word), sum(length(word)), sum((pair).half), count((pair).word), max(last)
FROM target;
TABLE target ORDER BY n LIMIT 6;
SELECT load('SELECT 1, ROW(1, NULL)::pair, NULL::pair');
ROLLBACK;
BEGIN;
CREATE TABLE target (n int, half int, word text);
SELECT load('SELECT 1, ROW(1, NULL)::pair, NULL::pair');
ROLLBACK;
DROP TYPE pair;
BEGIN;
CREATE TABLE target (n int PRIMARY KEY, word text);
SELECT load('SELECT 1, ''one''');
ROLLBACK;
-- constraints hold for each row
BEGIN;
CREATE TABLE target (n int NOT NULL, word text);
ALTER TABLE target ADD CHECK (n <> 5);
SELECT load('SELECT n, NULL FROM generate_series(6, 600) n');
SELECT count(*), count(word), sum(n) FROM target;
SELECT load('SELECT nullif(n, 700), n::text FROM generate_series(600, 800) n');
ROLLBACK;
BEGIN;
CREATE TABLE target (n int, word text);
ALTER TABLE target ADD CHECK (n <> 5);
SELECT load('SELECT n, n::text FROM generate_series(1, 800) n');
ROLLBACK;
BEGIN;
CREATE TABLE target (n int, word text, twice int GENERATED ALWAYS AS (2 * n) STORED);
SELECT load('SELECT 1, ''one'', 3');
ROLLBACK;
-- those of a run's partition are there before its rows
SELECT c.relname ~ '_[0-9]+$' AS of_run, bool_and(a.attnotnull = p.attnotnull) AS as_in_parent,
	(SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c') AS checks
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
JOIN pg_attribute p ON p.attrelid = i.inhparent AND p.attname = a.attname
WHERE i.inhparent IN ('many_data.customer'::regclass, 'many_data.history'::regclass)
GROUP BY c.oid, c.relname
ORDER BY c.relname;
-- what a savepoint undoes would stay
BEGIN;
CREATE TABLE target (n int, word text);
SAVEPOINT later;
SELECT load('SELECT 1, ''one''');
ROLLBACK;
CREATE ROLE regress_clv_loader;
GRANT USAGE ON SCHEMA clv_internal TO regress_clv_loader;
BEGIN;
CREATE TABLE target (n int, word text);
SET LOCAL ROLE regress_clv_loader;
SELECT load('SELECT 1, ''one''');
ROLLBACK;
DROP FUNCTION load;
-- nor are there others
SELECT clv_internal.clv_pipeline_load(NULL, 'SELECT 1', NULL, NULL);
SELECT clv_internal.clv_pipeline_load('pg_class', NULL, NULL, NULL);
SELECT clv_internal.clv_pipeline_load('pg_class', 'SELECT 1', NULL, NULL);
SELECT clv_internal.clv_pipeline_load('pg_views', 'SELECT 1', NULL, NULL);
SELECT clv_internal.clv_pipeline_load('pg_class_oid_index', 'SELECT 1', NULL, NULL);
SELECT clv_internal.clv_pipeline_load(0, 'SELECT 1', NULL, NULL);
REVOKE USAGE ON SCHEMA clv_internal FROM regress_clv_loader;
DROP ROLE regress_clv_loader;
CALL clv_drop_pipeline('many');
DROP TABLE sale;
