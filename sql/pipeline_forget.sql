-- A customer is forgotten: in every table of a pipeline, in all runs, and for good once the source has forgotten them.
SET client_min_messages = error;
SET datestyle = 'SQL, DMY';
CREATE TABLE sale (customer text, bought date, amount numeric, written timestamptz DEFAULT '2021-01-01');
INSERT INTO sale
SELECT 'c' || c, date '2020-01-01' + c % 90 + i * (3 + c % 17), 10 + (c * 7 + i) % 30
FROM generate_series(1, 300) c, generate_series(0, c % 6) i;
-- valuable, and silent for a while: in lists too
INSERT INTO sale SELECT 'zebra-4711', date '2020-01-01' + 5 * i, 100 + i FROM generate_series(0, 30) i;
CREATE TABLE answer AS SELECT DISTINCT customer, 7 AS rating FROM sale;
CALL clv_create_pipeline('shop', 'sale', 'customer', 'bought', 'amount', discount_rate => 0.1, margin => 0.5,
	changed_at => 'written', overlap => '0', refit => 'always', rating_source => 'answer', rating => 'rating');
CALL clv_refresh('shop');
-- errors that name them; rows that come late, so that what they were is kept for the next fit
CREATE TABLE person AS SELECT DISTINCT customer, 'x' AS channel FROM sale;
INSERT INTO person VALUES ('zebra-4711', 'y');
CALL clv_alter_pipeline('shop', attribute_source => 'person', attributes => 'channel');
CALL clv_refresh('shop');
CALL clv_alter_pipeline('shop', "reset" => '{attributes}');
INSERT INTO sale VALUES ('zebra-4711', '2020-06-01', 1e16, '2021-01-02');
CALL clv_refresh('shop');
DELETE FROM sale WHERE amount = 1e16;
CALL clv_refresh('shop', 'full');
INSERT INTO sale VALUES ('zebra-4711', '2020-06-20', 100, '2021-01-03');
SELECT clv_internal.clv_pipeline_touch(clv_internal.clv_pipeline_read('shop'), 99) AS touched;

-- the tables in which a row, or a statistic of the server, holds the name
CREATE FUNCTION traces(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	t record;
	found bool;
BEGIN
	FOR t IN
		SELECT c.oid::regclass AS name
		FROM pg_class c
		WHERE c.relnamespace = 'shop_data'::regnamespace AND c.relkind = 'r'
	LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM %s whole WHERE whole::text ~ %L)', t.name, what) INTO found;
		IF found THEN
			RETURN NEXT t.name;
		END IF;
	END LOOP;
	RETURN QUERY
		SELECT 'statistics of ' || s.tablename
		FROM pg_stats s
		WHERE s.schemaname = 'shop_data' AND concat(s.most_common_vals, s.histogram_bounds) ~ what;
END $$;
CREATE VIEW trace AS SELECT regexp_replace(t, '\d+$', 'N') AS name, count(*) FROM traces('zebra') t GROUP BY 1;
ANALYZE shop_data.winback, shop_data.touched;
TABLE trace ORDER BY 1;
SELECT count(*) AS rows FROM shop.customers;

-- ---- customers that are not found, and values that are no key ----
SET client_min_messages = notice;
CALL clv_forget('shop', 'nobody');
CALL clv_forget('shop', 4711);
CALL clv_forget('shop', 'a', 'b');
CALL clv_forget('shop', NULL);
CALL clv_forget('shop', VARIADIC NULL::text[]);
CALL clv_forget('shop', VARIADIC '{}'::text[]);
CALL clv_forget(NULL, 'zebra-4711');
CALL clv_forget('shops', 'zebra-4711');
SELECT count(*) >= 5 AS still_there FROM trace;

-- ---- rights: those of a member of the owner ----
CREATE ROLE regress_clv_reader;
CREATE ROLE regress_clv_member;
GRANT USAGE ON SCHEMA shop, shop_data TO regress_clv_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO regress_clv_reader;
SET ROLE regress_clv_reader;
CALL clv_forget('shop', 'zebra-4711');
RESET ROLE;
DO $$
BEGIN
	EXECUTE format('GRANT %I TO regress_clv_member', current_user);
END $$;

-- ---- forgotten, in a transaction like any other ----
BEGIN;
CALL clv_forget('shop', 'zebra-4711');
TABLE trace;
ROLLBACK;
SELECT count(*) >= 5 AS back FROM trace;
SET ROLE regress_clv_member;
CALL clv_forget('shop', 'zebra-4711');
RESET ROLE;
TABLE trace;
SELECT error FROM shop.runs WHERE error IS NOT NULL ORDER BY run;
SELECT count(*) AS rows FROM shop.customers;
CALL clv_forget('shop', 'zebra-4711');

-- ---- later refreshes: back as long as the source has rows, and gone when it has none ----
SET client_min_messages = error;
CALL clv_refresh('shop');
SELECT mode FROM shop.runs WHERE is_current;
SELECT count(*) AS rows FROM shop.customers WHERE customer = 'zebra-4711';
SET client_min_messages = warning;
CALL clv_forget('shop', 'zebra-4711');
DELETE FROM sale WHERE customer = 'zebra-4711';
CALL clv_forget('shop', 'zebra-4711');
SET client_min_messages = error;
INSERT INTO sale VALUES ('c1', '2020-06-21', 10, '2021-01-04');
CALL clv_refresh('shop');
SELECT mode, touched FROM shop.runs WHERE is_current;
TABLE trace;
-- the same as if they had never been there
CREATE TABLE incremental AS SELECT * FROM shop.customers;
CREATE TABLE equity AS SELECT customers, active_customers, past_revenue, clv, clv_low FROM shop.equity;
CALL clv_refresh('shop', 'full');
TABLE trace;
SELECT count(*) AS different FROM ((TABLE incremental EXCEPT TABLE shop.customers)
	UNION ALL (TABLE shop.customers EXCEPT TABLE incremental)) d;
SELECT (SELECT e FROM equity e) = (SELECT ROW(customers, active_customers, past_revenue, clv, clv_low)::equity
	FROM shop.equity) AS same_equity;
-- a filter can say so too
CREATE TABLE forgotten (customer text PRIMARY KEY);
INSERT INTO forgotten VALUES ('c2');
CALL clv_alter_pipeline('shop', filter => 'customer NOT IN (SELECT f.customer FROM forgotten f)');
CALL clv_forget('shop', 'c2');
CALL clv_refresh('shop');
SELECT count(*) AS rows FROM shop.customers WHERE customer = 'c2';
-- nor does it take a source that is still there
DROP TABLE sale CASCADE;
CALL clv_forget('shop', 'c3');
SELECT count(*) AS rows FROM shop.customers WHERE customer = 'c3';
CALL clv_drop_pipeline('shop');

-- ---- sums that the next run starts from, where it keeps the rows of customers ----
SET client_min_messages = error;
CREATE TABLE buy (customer text, bought date, amount numeric, written timestamptz DEFAULT '2021-01-01');
INSERT INTO buy
SELECT 'c' || c, date '2020-01-01' + c % 90 + i * (3 + c % 17), CASE WHEN c % 9 > 0 THEN 10 + (c * 7 + i) % 30 END
FROM generate_series(1, 300) c, generate_series(0, c % 6) i;
CALL clv_create_pipeline('kept', 'buy', 'customer', 'bought', 'amount', discount_rate => 0.1, changed_at => 'written',
	overlap => '0', as_of => '2020-12-31', refit => 'never');
CALL clv_refresh('kept');
CREATE VIEW sums AS
SELECT 'segments' AS of, s::text AS row FROM kept.segments s
UNION ALL SELECT 'cohorts', c::text FROM kept.cohorts c
UNION ALL SELECT 'ages', a::text FROM kept.cohort_retention a
UNION ALL SELECT 'equity', ROW(e.customers, e.past_revenue, e.clv, e.clv_low, e.revenue_after)::text FROM kept.equity e;
CREATE VIEW how AS
SELECT r.customer_run < r.run AS keeps_rows, r.customers = (SELECT count(*) FROM kept.customers) AS all_counted
FROM kept_data.run r
JOIN kept_data.state s USING (run);
-- the last of a segment leave it, one is new, amounts become known and others unknown; twice in a row
INSERT INTO buy VALUES ('c1', '2020-12-30', 1000, '2021-01-02'), ('new', '2020-12-01', 10, '2021-01-02'),
	('c2', '2021-01-05', 7, '2021-01-02');
UPDATE buy SET amount = 5, written = '2021-01-02' WHERE customer = 'c9';
CALL clv_refresh('kept');
TABLE how;
UPDATE buy SET amount = NULL, written = '2021-01-03' WHERE customer IN ('c8', 'c9');
DELETE FROM buy WHERE customer = 'c3' AND bought > (SELECT min(bought) FROM buy WHERE customer = 'c3');
UPDATE buy SET written = '2021-01-03' WHERE customer IN ('c3', 'c4');
CALL clv_refresh('kept');
TABLE how;
CREATE TABLE kept_sums AS TABLE sums;
CALL clv_refresh('kept', 'full');
SELECT count(*) AS different FROM ((TABLE kept_sums EXCEPT TABLE sums) UNION ALL (TABLE sums EXCEPT TABLE kept_sums)) d;
-- one is forgotten, who would be counted still
INSERT INTO buy VALUES ('c1', '2020-12-30', 1, '2021-01-04');
DELETE FROM buy WHERE customer = 'c100';
CALL clv_forget('kept', 'c100');
CALL clv_refresh('kept');
TABLE how;
TRUNCATE kept_sums;
INSERT INTO kept_sums TABLE sums;
CALL clv_refresh('kept', 'full');
SELECT count(*) AS different FROM ((TABLE kept_sums EXCEPT TABLE sums) UNION ALL (TABLE sums EXCEPT TABLE kept_sums)) d;
-- also while a run goes on: who forgets them between two of its steps, after rows are kept
CREATE FUNCTION forget_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM public.buy WHERE customer = 'c101';
	PERFORM clv_internal.clv_pipeline_forget_rows('kept', '{c101}');
	RETURN NEW;
END $$;
CREATE TRIGGER forget_now AFTER INSERT ON kept_data.step FOR EACH ROW WHEN (NEW.step = 'segments')
	EXECUTE FUNCTION forget_now();
INSERT INTO buy VALUES ('c1', '2020-12-30', 1, '2021-01-05');
CALL clv_refresh('kept');
TABLE how;
DROP TRIGGER forget_now ON kept_data.step;
INSERT INTO buy VALUES ('c1', '2020-12-30', 1, '2021-01-06');
CALL clv_refresh('kept');
TABLE how;
DROP VIEW sums, how;
CALL clv_drop_pipeline('kept');

-- ---- keys of several columns, and of other types ----
CREATE TABLE visit AS
SELECT CASE WHEN c % 2 = 0 THEN 'AT' ELSE 'DE' END AS country, c AS no, date '1990-01-01' + c % 20 AS born,
	date '2020-01-01' + c % 50 + i * (1 + c % 9) AS day
FROM generate_series(1, 200) c, generate_series(0, c % 5) i;
CALL clv_create_pipeline('visits', 'visit', 'born, country, no', 'day');
CALL clv_refresh('visits');
SELECT count(*) FROM visits.customers WHERE no IN (17, 18, 19);
DELETE FROM visit WHERE no IN (17, 18, 19);
SET client_min_messages = notice;
CALL clv_forget('visits', 'AT', 18);
CALL clv_forget('visits', '1990-01-19', 'DE', 18);
CALL clv_forget('visits', '1990-01-19', 'AT', '18');
CALL clv_forget('visits', to_char(date '1990-01-18', 'YYYY-MM-DD'), 'DE', 17::text);
CALL clv_forget('visits', VARIADIC ARRAY['1990-01-20', 'DE', '19']);
CALL clv_forget('visits', 'never', 'DE', '19');
SELECT count(*) FROM visits.customers WHERE no IN (17, 18, 19);
SET client_min_messages = error;
CALL clv_drop_pipeline('visits');
CREATE TABLE day_pass AS
SELECT date '1990-01-01' + c AS born, date '2020-01-01' + c % 50 + i * (1 + c % 9) AS day
FROM generate_series(1, 200) c, generate_series(0, c % 5) i;
CALL clv_create_pipeline('passes', 'day_pass', 'born', 'day');
CALL clv_refresh('passes');
SET client_min_messages = notice;
CALL clv_forget('passes', date '1990-02-03');
SELECT count(*) FROM passes.customers WHERE born = '1990-02-03'::date;
SET client_min_messages = error;
CALL clv_drop_pipeline('passes');
DROP TABLE visit, day_pass, person, answer, incremental, equity, forgotten;
DROP FUNCTION traces CASCADE;
DROP ROLE regress_clv_reader, regress_clv_member;
