-- Every statement that pipelines write can be prepared, for definitions of every shape, and every statement that is in
-- their functions is written for one of them at least: a mistake in a rare branch is found here.
SET client_min_messages = error;
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set SHOW_CONTEXT never

CREATE SCHEMA pipeline_statements;
SET search_path = pipeline_statements, public;

CREATE TABLE sale AS
SELECT c AS customer_id, c % 7 AS branch, 'c/' || c AS label,
	   timestamptz '2022-01-03 12:00+00' + ((c * 7 % 90) + k * (9 + c % 31)) * interval '1 day' AS bought_at,
	   date '2022-01-03' + (c * 7 % 90) + k * (9 + c % 31) AS day, (10 + c % 9 + k)::numeric(12,2) AS amount,
	   timestamp '2022-01-03' + ((c * 7 % 90) + k * (9 + c % 31)) * interval '1 day' AS moment,
	   (10 + c % 9 + k)::float8 AS price, c % 13 = 0 AND k = 2 AS back, timestamp '2022-10-01' AS changed_at
FROM generate_series(1, 120) c, generate_series(0, 14) k
WHERE k = 0 OR k <= (c * 13 % 29) - 12;
CREATE INDEX sale_customer ON sale (customer_id);
CREATE TABLE attribute AS
SELECT c AS customer_id, CASE c % 3 WHEN 0 THEN 'web' WHEN 1 THEN 'shop' END AS channel FROM generate_series(1, 100) c;
CREATE TABLE rating AS
SELECT c AS customer_id, c % 7 AS branch, 'c/' || c AS label, (c * k) % 11 AS rating, date '2022-06-01' + 50 * k AS day,
	   (date '2022-06-01' + 50 * k)::timestamptz AS rated_at
FROM generate_series(1, 90) c, generate_series(1, 4) k;
-- the calendar by the day, and by the moment
CREATE TABLE step AS
SELECT month::date AS since, extract(month FROM month) % 2 = 0 AS campaign, 10 + extract(day FROM month) AS price
FROM generate_series(timestamp '2020-01-01', '2026-01-01', '1 month') month;
INSERT INTO step VALUES ('2022-03-15', false, 12);
CREATE VIEW moment_step AS SELECT since::timestamptz AS since, campaign::int AS campaign FROM step;

-- ---- the filler keeps what it writes ----
CREATE TABLE written (pipeline text, template text, statement text);
SELECT pg_get_functiondef(p.oid) AS filler,
	   replace(pg_get_functiondef(p.oid), 'clv_internal.clv_pipeline_sql(', 'pipeline_statements.filled(') AS copy
FROM pg_proc p
WHERE p.oid = 'clv_internal.clv_pipeline_sql(clv_internal.clv_pipeline_definition, text, text[])'::regprocedure \gset
:copy;
CREATE OR REPLACE FUNCTION clv_internal.clv_pipeline_sql(
	definition clv_internal.clv_pipeline_definition, template text, parts text[])
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	statement text := pipeline_statements.filled(definition, template, parts);
BEGIN
	INSERT INTO pipeline_statements.written VALUES (definition.name, template, statement);
	RETURN statement;
END $$;

-- ---- definitions of every shape ----
CALL clv_create_pipeline('st_plain', 'sale', 'customer_id', 'bought_at', 'amount');
CALL clv_create_pipeline('st_bare', 'sale', 'customer_id', 'day', occasion => 7, "returns" => 'back');
CALL clv_create_pipeline('st_keys', 'sale', 'branch, label', 'bought_at', 'price', level => 0.8, discount_rate => 0.1,
	margin => 0.4, "returns" => 'back', time_zone => 'Asia/Tokyo', list_size => 20, filter => 'price > 11',
	rating_source => 'rating', rating => 'rating', rated_at => 'day', calendar_source => 'moment_step');
CALL clv_create_pipeline('st_rich', 'sale', 'customer_id', 'bought_at', 'amount', attribute_source => 'attribute',
	attributes => 'channel', rating_source => 'rating', rating => 'rating', rated_at => 'rated_at', refit => 'drift',
	changed_at => 'changed_at', map => 'lifecycle', holdout => '13 weeks');
CALL clv_create_pipeline('st_mean', 'sale', 'customer_id', 'bought_at', 'price', rating_source => 'rating',
	rating => 'rating', map => 'abc', as_of => '2022-12-01', refit => '30 days');
CALL clv_create_pipeline('st_bgbb', 'sale', 'customer_id', 'bought_at', 'amount', horizon => '360 days',
	map => 'potential', options => clv_options(model => 'bg/bb', time_unit => '30 days'));
CALL clv_create_pipeline('st_sbg', 'sale', 'customer_id', 'day', 'amount', horizon => '12 months', refit => 'never',
	options => clv_options(model => 'sbg', time_unit => '1 month'), as_of => 'yesterday');
CALL clv_create_pipeline('st_auto', 'sale', 'customer_id', 'day', 'amount', model => 'auto', map => 'micro', bins => 4);
CALL clv_create_pipeline('st_own', 'sale', 'customer_id', 'bought_at', attribute_source => 'attribute',
	attributes => 'channel', calendar_source => 'step',
	map => '[{"segment": "A", "r": [4, 5], "attributes": {"channel": ["web"]}},
		{"segment": "C", "value": {"recency": {"max": 30}, "active_30d": {"min": 0.5}, "churn": {"max": 0.2}}},
		{"segment": "B"}]');

CALL clv_create_pipeline('st_same', 'sale', 'customer_id', 'moment', 'amount', changed_at => 'changed_at',
	overlap => '0 days', as_of => '2022-12-21', map => 'value x satisfaction', rating_source => 'rating',
	rating => 'rating', rated_at => 'rated_at', refit => 'always');

CALL clv_create_pipeline('st_days', 'sale', 'customer_id', 'bought_at', 'amount', changed_at => 'changed_at',
	map => '[{"segment": "dear", "value": {"total_value": {"min": 50}, "clv": {"above": 10}}}, {"segment": "others"}]',
	overlap => '0 days');

CALL clv_create_pipeline('st_group', 'sale', 'customer_id', 'bought_at', 'amount', changed_at => 'changed_at',
	group_by => 'branch', score_within => 'group', refit => 'drift', overlap => '0 days');
CALL clv_create_pipeline('st_channel', 'sale', 'customer_id', 'day', attribute_source => 'attribute',
	attributes => 'channel', group_by => 'channel', cuts => '{"r": 3}');

-- as if the tables of this one were distributed
SELECT pg_get_functiondef('clv_internal.clv_pipeline_shard_column(regclass)'::regprocedure) AS shard_column \gset
CREATE OR REPLACE FUNCTION clv_internal.clv_pipeline_shard_column(relation regclass) RETURNS text LANGUAGE sql STABLE
AS $$ SELECT CASE WHEN relation::text LIKE 'st\_shards\_data.%' THEN 'customer_id' END $$;
CALL clv_create_pipeline('st_shards', 'sale', 'customer_id', 'bought_at', 'amount', changed_at => 'changed_at',
	attribute_source => 'attribute', attributes => 'channel',
	map => '[{"segment": "A", "attributes": {"channel": ["web"]}}, {"segment": "B"}]');

-- as if the source of this one were on other servers, where nobody knows of indexes
SELECT pg_get_functiondef(p.oid) AS shipped FROM pg_proc p WHERE p.proname = 'clv_pipeline_shipped' \gset
SELECT pg_get_functiondef(p.oid) AS indexed FROM pg_proc p WHERE p.proname = 'clv_pipeline_indexed' \gset
CREATE OR REPLACE FUNCTION clv_internal.clv_pipeline_shipped(d clv_internal.clv_pipeline_definition) RETURNS bool
LANGUAGE sql STABLE AS $$ SELECT (d).name = 'st_same' $$;
CREATE OR REPLACE FUNCTION clv_internal.clv_pipeline_indexed(d clv_internal.clv_pipeline_definition) RETURNS bool
LANGUAGE sql STABLE AS $$ SELECT (d).name <> 'st_same' $$;

-- ---- refreshes in full and of touched customers, few and many; failed and interrupted ones ----
CALL clv_refresh('st_bare');
CALL clv_refresh('st_keys');
CALL clv_refresh('st_mean');
CALL clv_refresh('st_bgbb');
CALL clv_refresh('st_sbg', as_of => '2022-12-31');
CALL clv_refresh('st_auto');
CALL clv_refresh('st_own');
CALL clv_refresh('st_rich', as_of => '2022-12-01');
CALL clv_refresh('st_same');
CALL clv_refresh('st_shards');
CALL clv_refresh('st_shards', 'incremental');
:shard_column;
CALL clv_refresh('st_group', as_of => '2022-12-01');
CALL clv_refresh('st_channel');
CREATE PROCEDURE buy(first int, step int, day date, changed_at timestamp) LANGUAGE sql AS $$
	INSERT INTO sale (customer_id, branch, label, bought_at, day, moment, amount, price, back, changed_at)
	SELECT c, c % 7, 'c/' || c, day, day, day, 30, 30, false, changed_at
	FROM generate_series(first, 121, step) c;
$$;
CALL buy(1, 60, '2022-12-20', '2023-02-02');
CALL clv_refresh('st_rich', 'incremental', as_of => '2022-12-20');
CALL clv_refresh('st_group', 'incremental', as_of => '2022-12-20');
CALL clv_refresh('st_same', 'incremental');
CALL buy(1, 1, '2022-12-21', '2023-02-03');
CALL clv_refresh('st_rich', as_of => '2022-12-21');
CALL clv_refresh('st_same');
:shipped;
:indexed;
CALL clv_refresh('st_days', as_of => '2022-12-21');
CALL buy(2, 60, '2022-12-22', '2023-02-04');
CALL clv_refresh('st_days', as_of => '2022-12-22');
CALL buy(3, 60, '2022-12-22', '2023-02-05');
CALL clv_refresh('st_days', as_of => '2022-12-22');
INSERT INTO attribute VALUES (5, 'twice');
CALL clv_refresh('st_rich');
CALL buy(121, 1, '2024-08-01', '2023-02-03');
INSERT INTO st_plain_data.run (run, status, requested, definition, called_by, pid, started_at)
SELECT 1, 'running', 'full', to_jsonb(p), 'somebody', 0, '2020-01-01' FROM st_plain_data.pipeline p;
-- as an older version would have made it
ALTER TABLE st_plain_data.tracking DROP expected CASCADE;
DROP VIEW st_plain.alerts, st_plain.winback;
UPDATE st_plain_data.state SET parts_hash = NULL;
CALL clv_refresh('st_plain');
CALL clv_forget('st_plain', 1);
-- of many customers a part is checked
SELECT clv_internal.clv_pipeline_checked(clv_internal.clv_pipeline_read('st_keys'), 3) <> '' AS part;
-- what is looked for where a history could not be made
SELECT name, clv_internal.clv_pipeline_unusable_rows(name) FROM unnest('{st_bare,st_keys,st_group}'::text[]) name;
SELECT run, status, isolated_day, error FROM st_plain_data.run ORDER BY run;
SELECT run, status, mode, error FROM st_rich_data.run ORDER BY run;
CALL clv_alter_pipeline('st_plain', margin => 0.5);
CALL clv_alter_pipeline('st_plain', "reset" => '{level,NULL}');
CALL clv_alter_pipeline('st_rich', map => 'rfm',
	"reset" => '{amount,filter,returns,changed_at,level,holdout,attributes,ratings,rated_at,season,calendar_source}');
SELECT num_nonnulls(amount, filter, "returns", changed_at, level, holdout, attribute_source, attributes, rating_source,
	rating, rated_at, calendar_source, calendar_columns, options ->> 'season') AS left_over,
	options ->> 'spend' AS spend
FROM st_rich_data.pipeline;
SELECT count(*) AS listed FROM clv_pipelines;

-- each of them once: most are written again and again
CREATE TABLE statement AS SELECT DISTINCT template, statement FROM written;
ANALYZE statement;

-- ---- each statement can be prepared, with what it is given: the definition and the run, where it names them ----
CREATE FUNCTION prepared(statement text) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format('PREPARE statement %s AS %s', CASE WHEN statement ~ '\(\$[12]\)\.|\$1\.\*'
		THEN '(clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run)' END, statement);
	DEALLOCATE statement;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END $$;
SELECT DISTINCT p.error, w.statement
-- the sample of a hold-out is gone by now, and has the columns of the histories; so has who may be in a list, of the
-- customers
FROM (
	SELECT DISTINCT replace(replace(statement, '_data.sample', '_data.history'), '_data.listed c', '_data.customer c')
		AS statement
	FROM statement
) w
CROSS JOIN prepared(w.statement) AS p (error)
WHERE w.statement ~ '^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\M' AND p.error IS NOT NULL
ORDER BY 1, 2;
SELECT count(DISTINCT statement) > 400 AS many FROM statement
WHERE statement ~ '^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\M';

-- ---- no statement was left out: of the parts of tables and views, and of the bodies of functions ----
SELECT p.kind, p.name
FROM clv_internal.clv_pipeline_parts() p
WHERE p.statement IS NOT NULL AND p.kind <> 'key' AND NOT EXISTS (
	SELECT FROM statement w
	-- the columns of a view are written together
	WHERE w.template = p.statement OR p.kind = 'column' AND strpos(w.template, p.statement) > 0);
SELECT DISTINCT q.proname, q.piece AS never_written
FROM (
	SELECT f.proname, t.piece, t.i, lag(t.piece) OVER (PARTITION BY f.oid ORDER BY t.i) AS before
	FROM pg_proc f
	CROSS JOIN regexp_split_to_table(f.prosrc, '\$sql\$') WITH ORDINALITY AS t (piece, i)
	WHERE f.proname LIKE 'clv\_pipeline\_%' AND f.proname NOT LIKE 'clv\_pipeline\_view\_%'
) q
WHERE q.i % 2 = 0 AND q.before !~ '(format\(|EXECUTE )$'
  AND NOT EXISTS (SELECT FROM statement w WHERE w.template = q.piece OR strpos(w.statement, q.piece) > 0)
ORDER BY 1, 2;
SELECT DISTINCT f.proname, m[1] AS never_written
FROM pg_proc f
CROSS JOIN regexp_matches(f.prosrc, '''([^''\n]*\{(?:data|views|source|[0-9]+(?::[IL])?)\}[^''\n]*)''', 'g') m
WHERE f.proname LIKE 'clv\_%' AND f.prosrc LIKE '%clv\_pipeline\_sql(%'
  AND NOT EXISTS (SELECT FROM statement w WHERE w.template = m[1])
ORDER BY 1, 2;

:filler;
SELECT format('CALL clv_drop_pipeline(%L, cascade => true)', name)
FROM clv_pipelines WHERE name LIKE 'st\_%' ORDER BY name \gexec
DROP SCHEMA pipeline_statements CASCADE;
