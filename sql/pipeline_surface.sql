-- The calls of users: sources of every kind, policies, changes, and errors.
SET client_min_messages = error;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\set SHOW_CONTEXT never

CREATE TABLE sale AS
SELECT c::bigint AS customer_id,
	   timestamptz '2020-01-01 23:30+00'
		   + (c * 7 % 180 + k * (2 + c * 37 % 97)) * interval '1 day' AS bought_at,
	   ((5 + c % 40) * (8 + k * 7 % 5))::numeric(8,1) / 10 AS amount,
	   CASE WHEN k % 5 = 4 THEN 'cancelled' ELSE 'paid' END AS status
FROM generate_series(1, 200) c, generate_series(0, 60) k
WHERE (k = 0 OR k <= (ARRAY[0, 1, 3, 60])[1 + c * 11 % 4] - c % 2) AND c * 7 % 180 + k * (2 + c * 37 % 97) < 366;

-- ---- errors of clv_create_pipeline ----
CALL clv_create_pipeline(NULL, 'sale', 'customer_id', 'bought_at', 'amount');
CALL clv_create_pipeline('pg_sale', 'sale', 'customer_id', 'bought_at', 'amount');
CALL clv_create_pipeline(repeat('x', 59), 'sale', 'customer_id', 'bought_at', 'amount');
CALL clv_create_pipeline('public', 'sale', 'customer_id', 'bought_at', 'amount');
CALL clv_create_pipeline('s', NULL, 'customer_id', 'bought_at', 'amount');
CALL clv_create_pipeline('s', 'sales', 'customer_id', 'bought_at', 'amount');
CALL clv_create_pipeline('s', 'sale', 'customer', 'bought_at', 'amount');
CALL clv_create_pipeline('s', 'sale', 'customer_id, customer_id', 'bought_at', 'amount');
CALL clv_create_pipeline('s', 'sale', 'customer_id,', 'bought_at', 'amount');
CALL clv_create_pipeline('s', 'sale', 'customer_id, , status', 'bought_at', 'amount');
CALL clv_create_pipeline('s', 'sale', '', 'bought_at', 'amount');
CALL clv_create_pipeline('s', 'public.sales', 'customer_id', 'bought_at', 'amount');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'status', 'amount');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'status');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', "returns" => 'status');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', changed_at => 'amount');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', filter => 'state = ''paid''');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', filter => 'amount');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', time_zone => 'Europe/Atlantis');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', horizon => '-1 year');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', discount_rate => -2);
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', margin => 'NaN');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', level => 95);
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', model => 'bg/nbt');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount',
	options => clv_options(as_of => '2020-12-31'));
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', map => 'rfn');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount',
	map => '[{"segment": "A", "attributes": {"channel": ["web"]}}]');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', map => 'value x satisfaction');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', refit => 'sometimes');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', refit => '-7 days');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', as_of => 'soon');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', as_of => 'infinity');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', bins => 1);
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', occasion => 0);
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', attributes => 'status');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount', rating_source => 'sale');
CREATE VIEW clash AS SELECT customer_id AS segment, bought_at FROM sale;
CALL clv_create_pipeline('s', 'clash', 'segment', 'bought_at');
DROP VIEW clash;
CREATE VIEW clash AS SELECT customer_id AS history, bought_at FROM sale;
CALL clv_create_pipeline('s', 'clash', 'history', 'bought_at');
DROP VIEW clash;
CREATE TYPE unordered;
CREATE FUNCTION unordered_in(cstring) RETURNS unordered LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION unordered_out(unordered) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE unordered (INPUT = unordered_in, OUTPUT = unordered_out, LIKE = text);
CREATE VIEW clash AS SELECT customer_id::text::unordered AS who, bought_at FROM sale;
CALL clv_create_pipeline('s', 'clash', 'who', 'bought_at');
DROP VIEW clash;
SELECT count(*) AS nothing_left FROM pg_namespace WHERE nspname IN ('s', 's_data');

-- ---- errors of the other procedures ----
CALL clv_refresh('nowhere');
CALL clv_alter_pipeline('nowhere', bins => 4);
CALL clv_drop_pipeline('nowhere');
SELECT clv_schedule('nowhere', '0 3 * * *');
CALL clv_refresh(NULL);
SELECT * FROM clv_pipelines;

CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount');
CALL clv_create_pipeline('s', 'sale', 'customer_id', 'bought_at', 'amount');
SELECT count(*) AS empty FROM s.customers;
SELECT name, source, customer, model, map, horizon, refit, customers, last_status FROM clv_pipelines;
CALL clv_refresh('s', 'partly');
CALL clv_refresh('s', 'incremental');
CALL clv_refresh('s', as_of => 'infinity');
BEGIN;
CALL clv_refresh('s');
ROLLBACK;
SELECT clv_schedule('s', '0 3 * * *');
CALL clv_alter_pipeline('s', "reset" => '{source}');
CALL clv_alter_pipeline('s', bins => 0);
CALL clv_refresh('s', as_of => '1990-01-01');
SELECT run, status, error, error_code, error_detail, error_hint, is_current FROM s.runs ORDER BY run;
SELECT run, step, finished_at IS NOT NULL AS ended FROM s.run_steps ORDER BY run, step_number;

-- ---- a refresh, and what runs and run_steps show of it ----
CALL clv_refresh('s');
SELECT run, status, mode, as_of, customers, histories, note, error FROM s.runs WHERE is_current;
SELECT step, rows > 0 AS rows, seconds >= 0 AS timed FROM s.run_steps WHERE run = 3 ORDER BY step_number;

-- the days are those of the zone: an hour and a half later it is tomorrow
SELECT max(last_purchase) AS in_utc FROM s.customers;
CALL clv_alter_pipeline('s', time_zone => 'Asia/Tokyo');
CALL clv_refresh('s');
SELECT max(last_purchase) AS in_tokyo FROM s.customers;
CALL clv_alter_pipeline('s', time_zone => 'UTC', occasion => 7, filter => 'status = ''paid''');
CALL clv_refresh('s');
SELECT sum(frequency) = (SELECT sum(clv_purchases(h)) FROM (SELECT clv_history(bought_at, amount, 7) AS h FROM sale
	WHERE status = 'paid' GROUP BY customer_id) q) AS weeks_of_what_is_paid,
	   (SELECT total_revenue FROM s.runs WHERE is_current)
	   = (SELECT sum(amount) FROM sale WHERE status = 'paid') AS revenue
FROM s.customers;
CALL clv_alter_pipeline('s', occasion => 1, "reset" => '{filter}');

-- a filter means what it meant where it was written, whatever the role and session settings of a refresh
CREATE SCHEMA pipeline_words;
CREATE FUNCTION pipeline_words.is_good(text) RETURNS bool LANGUAGE sql RETURN $1 = 'paid';
SET search_path = pipeline_words, public;
CALL clv_alter_pipeline('s', filter => 'is_good(status) -- nothing else');
SET search_path = public;
CALL clv_refresh('s');
SELECT (SELECT total_revenue FROM s.runs WHERE is_current)
	   = (SELECT sum(amount) FROM sale WHERE status = 'paid') AS good;

-- policies
CALL clv_alter_pipeline('s', refit => 'never', "reset" => '{filter}');
CALL clv_refresh('s');
CALL clv_refresh('s');
CALL clv_alter_pipeline('s', refit => '30 days');
CALL clv_refresh('s', as_of => '2020-12-01');
CALL clv_refresh('s', as_of => '2020-12-30');
CALL clv_refresh('s', as_of => '2020-12-31');
CALL clv_alter_pipeline('s', refit => 'drift');
CALL clv_refresh('s', as_of => '2021-01-06');
CALL clv_refresh('s', as_of => '2021-01-07');
CALL clv_alter_pipeline('s', refit => 'never', bins => 4, map => 'micro');
CALL clv_refresh('s', as_of => '2021-01-07');
SELECT run, as_of, note FROM s.runs WHERE run > 7 ORDER BY run;
SELECT max(recency_score), max(value_score), bool_and(segment = format('r%sf%sm%s', recency_score, frequency_score,
	   monetary_score)) AS micro FROM s.customers;

-- an incremental refresh needs written_at; one that cannot continue is full
ALTER TABLE sale ADD COLUMN written date NOT NULL DEFAULT '2021-01-01';
CALL clv_alter_pipeline('s', changed_at => 'written', overlap => '1 day', bins => 5, map => 'lifecycle');
CALL clv_refresh('s', 'incremental');
SELECT mode FROM s.runs WHERE is_current;
INSERT INTO sale VALUES (1, '2021-01-08', 3, 'paid', '2021-01-09');
UPDATE sale SET customer_id = 2, written = '2021-01-09' WHERE customer_id = 3;
CALL clv_refresh('s');
SELECT mode, touched FROM s.runs WHERE is_current;
-- customer 3 is not found by their rows any more, but so many of these few customers are that all histories are made
SELECT count(*) AS still_there FROM s.customers WHERE customer_id = 3;
CALL clv_refresh('s', 'full');
SELECT count(*) AS still_there FROM s.customers WHERE customer_id = 3;
-- times without a zone are of UTC, whatever the role and session settings of a refresh
ALTER TABLE sale ALTER written TYPE timestamp;
CALL clv_alter_pipeline('s', overlap => '0 hours');
CALL clv_refresh('s', 'full');
INSERT INTO sale VALUES (5, '2021-01-08', 3, 'paid', '2021-01-09 00:30');
SET timezone = 'Asia/Tokyo';
CALL clv_refresh('s');
SET timezone = 'UTC';
SELECT mode, touched FROM s.runs WHERE is_current;

-- ---- every family, with money and without ----
CALL clv_alter_pipeline('s', model => 'auto', map => 'potential');
CALL clv_refresh('s');
SELECT purchase_model <> 'auto' AS named, spend_model, converged FROM s.models WHERE is_current;
CALL clv_alter_pipeline('s', options => clv_options(model => 'bg/bb', time_unit => '30 days'), horizon => '360 days');
CALL clv_refresh('s');
SELECT purchase_model, (SELECT count(*) FROM s.forecast WHERE segment = '(all)') AS periods,
	   (SELECT count(*) > 0 FROM s.calibration) AS validated FROM s.models WHERE is_current;
CALL clv_alter_pipeline('s', model => 'mbg/nbd', map => 'abc', "reset" => '{amount}');
CALL clv_refresh('s');
SELECT count(*) = 0 AS no_money
FROM s.customers
WHERE clv IS NOT NULL OR expected_spend IS NOT NULL OR monetary IS NOT NULL;
SELECT count(*) > 0 AS forecast, bool_and(expected_revenue IS NULL AND expected_purchases > 0) AS no_revenue
FROM s.forecast;
CALL clv_alter_pipeline('s', amount => 'amount', options => clv_options(), horizon => '1 year');
CALL clv_refresh('s');
SELECT count(*) > 0 AS money_again FROM s.customers WHERE clv > 0;

-- ---- objects of users in the schemas are not dropped ----
CREATE VIEW best AS SELECT * FROM s.customers ORDER BY clv DESC LIMIT 10;
CALL clv_drop_pipeline('s');
SELECT count(*) FROM best;
CALL clv_drop_pipeline('s', cascade => true);
SELECT count(*) FROM best;
SELECT count(*) AS left_behind FROM pg_namespace WHERE nspname IN ('s', 's_data');

-- keys of other types, and sources of other kinds
CREATE TABLE parted (LIKE sale, k uuid) PARTITION BY RANGE (bought_at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (MINVALUE) TO ('2020-06-01');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2020-06-01') TO (MAXVALUE);
INSERT INTO parted SELECT *, md5(customer_id::text)::uuid FROM sale;
CREATE VIEW seen AS
SELECT k AS "Key, of all", bought_at AT TIME ZONE 'UTC' AS "When", amount::float8 AS "How much"
FROM parted;
CALL clv_create_pipeline('s', 'seen', 'Key, of all', '"When"', '"How much"', as_of => '2020-12-31');
CALL clv_refresh('s');
SELECT count(*) = (SELECT count(DISTINCT customer_id) FROM sale WHERE bought_at < '2021-01-01') AS all_there,
	   pg_typeof(min("Key, of all"::text)) AS typed
FROM s.customers;
SELECT data_type
FROM information_schema.columns
WHERE table_schema = 's' AND table_name = 'winback' AND column_name = 'Key, of all';
CALL clv_drop_pipeline('s');
DROP VIEW seen;
-- a key of one letter, be it that of a score in a map, or the name of a table in a statement
CREATE TABLE lettered AS
SELECT customer_id AS c, customer_id % 2 AS m, customer_id % 3 AS t, 1 AS r, 2 AS f, 3 AS v, 4 AS q, 5 AS h, 6 AS s,
	7 AS a, 8 AS g, bought_at, amount
FROM sale;
CALL clv_create_pipeline('s', 'lettered', 'c, m, t, r, f, v, q, h, s, a, g', 'bought_at', 'amount',
	as_of => '2020-12-31', discount_rate => 0.1);
CALL clv_refresh('s');
SELECT count(*) = (SELECT count(DISTINCT customer_id) FROM sale WHERE bought_at < '2021-01-01') AS all_there,
	count(*) FILTER (WHERE m = c % 2 AND t = c % 3 AND v = 3 AND recency_score BETWEEN 1 AND 5) = count(*) AS keys
FROM s.customers;
SELECT count(*) > 0 AS listed FROM s.winback WHERE g = 8;
CALL clv_forget('s', 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8);
SELECT count(*) FROM s.customers WHERE c = 1;
CALL clv_drop_pipeline('s');
DROP TABLE parted, sale, lettered;
DROP SCHEMA pipeline_words CASCADE;
