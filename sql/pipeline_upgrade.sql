-- A pipeline that an older version has made: its next refresh adds tables, columns and views that are new; what
-- readers have made, and what they may, stays.
SET client_min_messages = error;
\set SHOW_CONTEXT never
CREATE TABLE sale AS
SELECT c AS customer, date '2023-01-01' + c % 90 + i * (3 + c % 17) AS bought, 10 + (c * 7 + i) % 30 AS amount,
	timestamptz '2024-01-01' AS written
FROM generate_series(1, 300) c, generate_series(0, c % 6) i;
CALL clv_create_pipeline('shop', 'sale', 'customer', 'bought', 'amount', changed_at => 'written', refit => 'always');
CALL clv_refresh('shop');
CALL clv_create_pipeline('fresh', 'sale', 'customer', 'bought', 'amount', changed_at => 'written', refit => 'always');
CALL clv_refresh('fresh');

-- what a pipeline consists of: relations and columns with types, rules about NULL, defaults and comments
CREATE FUNCTION catalog(pipeline text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', c.relkind, c.relname, obj_description(c.oid), a.attname,
		format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(f.adbin, f.adrelid),
		col_description(c.oid, a.attnum))
	FROM pg_class c
	JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
	WHERE c.relnamespace IN (pipeline::regnamespace, (pipeline || '_data')::regnamespace)
	  AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
	UNION ALL
	SELECT concat_ws(' | ', k.conname, c.relname, pg_get_constraintdef(k.oid))
	FROM pg_class c
	JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
	WHERE c.relnamespace = (pipeline || '_data')::regnamespace AND NOT c.relispartition
$$;
CREATE VIEW difference AS
(SELECT 'lost' AS what, c FROM catalog('fresh') c EXCEPT ALL SELECT 'lost', c FROM catalog('shop') c)
UNION ALL
(SELECT 'left', c FROM catalog('shop') c EXCEPT ALL SELECT 'left', c FROM catalog('fresh') c);
SELECT count(*) FROM difference;
SELECT md5(string_agg(to_jsonb(c)::text, ' ' ORDER BY c.customer)) AS before FROM shop.customers c \gset

-- as it would have been without a table, two views, columns of tables and of views, and the note of the version
CREATE ROLE regress_clv_reader;
DROP TABLE shop_data.conversation CASCADE;
DROP VIEW shop.customers CASCADE;
DROP VIEW IF EXISTS shop.alerts;
CREATE VIEW shop.customers AS
SELECT c.customer, c.clv FROM shop_data.customer c WHERE c.run = (SELECT s.run FROM shop_data.state s);
GRANT USAGE ON SCHEMA shop TO regress_clv_reader;
GRANT SELECT ON shop.customers TO regress_clv_reader;
CREATE VIEW mine AS SELECT customer, clv FROM shop.customers WHERE clv > 0;
ALTER TABLE shop_data.customer DROP lapse_date;
DROP VIEW shop.equity;
ALTER TABLE shop_data.run DROP note CASCADE, DROP isolated_day CASCADE;
-- and before there were groups
ALTER TABLE shop_data.segment DROP group_name CASCADE, ADD PRIMARY KEY (run, segment);
ALTER TABLE shop_data.cohort DROP group_name CASCADE, ADD PRIMARY KEY (run, cohort_month);
ALTER TABLE shop_data.forecast DROP group_name CASCADE, ADD PRIMARY KEY (run, segment, number);
ALTER TABLE shop_data.new_customer DROP group_name CASCADE, ADD PRIMARY KEY (run);
ALTER TABLE shop_data.model DROP group_name CASCADE, DROP prior, ADD PRIMARY KEY (run);
ALTER TABLE shop_data.total DROP group_name;
ALTER TABLE shop_data.customer DROP group_name CASCADE;
DROP TABLE shop_data.member, shop_data.fit, shop_data.group_equity CASCADE;
UPDATE shop_data.pipeline SET score_within = NULL;
ALTER TABLE shop_data.state DROP parts_hash;
SELECT what, count(*) FROM difference GROUP BY 1;
SELECT DISTINCT split_part(c, ' | ', 2) AS relation FROM difference ORDER BY 1;

-- a refresh brings it up to date, also one by touched customers: each has what is new
CALL clv_refresh('shop', 'incremental');
TABLE difference;
SELECT md5(string_agg(to_jsonb(c)::text, ' ' ORDER BY c.customer)) = :'before' AS customers_as_before
FROM shop.customers c;
SELECT count(*) AS without FROM shop.customers WHERE lapse_date IS NULL;
-- the columns that a view had come first, as they did
SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
WHERE a.attrelid = 'shop.customers'::regclass AND a.attnum BETWEEN 1 AND 2;
SELECT count(*) > 0 AS still_there FROM mine;
SELECT has_table_privilege('regress_clv_reader', 'shop.customers', 'SELECT');
SELECT count(*) > 1 AS segment_history FROM (SELECT DISTINCT run FROM shop.segment_history) s;
-- and once it is, a refresh changes nothing of it
SELECT xmin AS version FROM pg_class WHERE oid = 'shop.customers'::regclass \gset
CALL clv_refresh('shop');
SELECT xmin = :'version' AS untouched FROM pg_class WHERE oid = 'shop.customers'::regclass;

-- and has groups, where it is told to
ALTER TABLE sale ADD area text DEFAULT 'here';
UPDATE sale SET area = 'there' WHERE customer % 2 = 0;
CALL clv_alter_pipeline('shop', group_by => 'area');
CALL clv_refresh('shop');
SELECT group_name, customers FROM shop.groups ORDER BY 1;
CALL clv_alter_pipeline('shop', "reset" => '{group_by}');
CALL clv_refresh('shop');

-- a column of a view that is of another type stands in the way, and says so
CREATE TABLE kept AS SELECT parts_hash FROM shop_data.state;
UPDATE shop_data.state SET parts_hash = 'other';
DROP VIEW shop.winback;
CREATE VIEW shop.winback AS SELECT 'first' AS rank;
CALL clv_refresh('shop');
DROP VIEW shop.winback;
CALL clv_refresh('shop');
SELECT s.parts_hash = k.parts_hash AS as_before FROM shop_data.state s, kept k;

DROP TABLE kept;
DROP VIEW mine, difference;
DROP FUNCTION catalog;
-- dropped, nothing of it is left
CALL clv_drop_pipeline('shop');
CALL clv_drop_pipeline('fresh');
DROP TABLE sale;
DROP ROLE regress_clv_reader;
