-- What would give wrong results silently is an error or a notice: settings that can be read in two ways, filters that
-- are more than a condition, maps for other scores, temporary sources.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\set SHOW_CONTEXT never

CREATE TABLE ledger AS
SELECT c::bigint AS customer_id, date '2017-01-01' + (c * 7 % 90 + k * (10 + c * 37 % 47)) AS bought_on,
	   ((5 + c % 40) * (8 + k * 7 % 5))::numeric(10,1) / 10 AS amount,
	   CASE WHEN k % 5 = 4 THEN 'cancelled' ELSE 'paid' END AS status
FROM generate_series(1, 120) c, generate_series(0, 30) k
WHERE k <= c * 11 % 7 AND c * 7 % 90 + k * (10 + c * 37 % 47) < 365;

-- ---- a filter is one condition and stays inside its parentheses ----
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', filter => 'true) OR (true');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount',
	filter => 'true) GROUP BY customer_id --');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', filter => 'true) /* ');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', filter => 'true; DROP TABLE ledger');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', filter => 'true WHERE true');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', filter => 'true, true');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', filter => '');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', filter => '-- nothing');
SELECT count(*) AS nothing_left FROM pg_namespace WHERE nspname LIKE 'truth%';

-- ---- settings mean the same under any DateStyle ----
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', as_of => '01/02/2017');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', as_of => 'tomorrow');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', as_of => 'now');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', as_of => '2017-02-30');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', as_of => NULL);
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', horizon => '90');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', holdout => '90');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', refit => '7');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', refit => '7 dais');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', holdout => '-1 day');

-- ---- maps are for the scores they list ----
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', bins => 3);
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', bins => 10);
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', bins => 10,
	map => '[{"segment": "Best", "r": {"min": 2}, "f": [1, 2]}, {"segment": "Rest"}]');
SELECT map,
	   array_agg(i.name || coalesce(i.highest::text, '?')
				 ORDER BY i.name) FILTER (WHERE i.kind = 'score') AS listed
FROM (SELECT DISTINCT map FROM clv_segment_map WHERE builtin) m, clv_segment_inputs(m.map) i GROUP BY 1 ORDER BY 1;

-- ---- temporary sources and queries are errors ----
CREATE TEMP TABLE fleeting AS SELECT * FROM ledger;
CREATE VIEW over_fleeting AS SELECT * FROM fleeting;
CALL clv_create_pipeline('truth', 'fleeting', 'customer_id', 'bought_on', 'amount');
CALL clv_create_pipeline('truth', 'over_fleeting', 'customer_id', 'bought_on', 'amount');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount',
	attribute_source => 'fleeting', attributes => 'status');
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', rating_source => 'fleeting',
	rating => 'amount');
CALL clv_create_pipeline('truth', 'SELECT * FROM ledger', 'customer_id', 'bought_on', 'amount');
CALL clv_create_pipeline('truth', '(SELECT * FROM ledger) l', 'customer_id', 'bought_on', 'amount');
SELECT count(*) AS nothing_left FROM pg_namespace WHERE nspname LIKE 'truth%';

-- ---- notices and warnings ----
CALL clv_create_pipeline('truth', 'ledger', 'customer_id', 'bought_on', 'amount', margin => 35,
	discount_rate => 10, map => 'micro', bins => 10,
	as_of => '2017-12-31', refit => 'P1W');
SELECT as_of, refit FROM truth_data.pipeline;
SET datestyle = 'SQL, DMY';
SET intervalstyle = 'sql_standard';
SET client_min_messages = error;
CALL clv_refresh('truth');
SELECT to_char(as_of, 'YYYY-MM-DD') AS as_of FROM truth.equity;
RESET datestyle;
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET client_min_messages = warning;
CALL clv_alter_pipeline('truth', margin => 0.35, discount_rate => 0.1, bins => 5, map => 'rfm');

-- an error is that of the pipeline, without the functions in between
\set SHOW_CONTEXT always
SET client_min_messages = error;
CALL clv_refresh('truth', 'partly');
CALL clv_refresh('truth', if_busy => 'wait');
CALL clv_refresh('nowhere');
CALL clv_refresh('truth', as_of => '1990-01-01');
ALTER TABLE ledger RENAME amount TO total;
CALL clv_refresh('truth');
ALTER TABLE ledger RENAME total TO amount;
\set SHOW_CONTEXT never

-- ---- with a filter that looks beyond its row every refresh is full ----
ALTER TABLE ledger ADD written timestamptz NOT NULL DEFAULT '2018-01-01';
CREATE TABLE blocked (customer_id bigint);
CREATE FUNCTION is_paid(text) RETURNS bool LANGUAGE sql RETURN $1 = 'paid';
CREATE FUNCTION is_paid_always(text) RETURNS bool LANGUAGE sql IMMUTABLE RETURN $1 = 'paid';
CREATE VIEW recent AS SELECT * FROM ledger WHERE bought_on < now();
SET client_min_messages = warning;
CALL clv_alter_pipeline('truth', changed_at => 'written',
	filter => 'customer_id NOT IN (SELECT customer_id FROM blocked)');
SET client_min_messages = error;
CALL clv_refresh('truth');
INSERT INTO blocked VALUES (1);
CALL clv_refresh('truth');
SELECT mode, note ~ '^in full, because of the filter or source: it has a subquery; ' AS said,
	   (SELECT count(*) FROM truth.customers WHERE customer_id = 1) AS still_there
FROM truth.runs WHERE is_current;
CALL clv_refresh('truth', 'incremental');
SET client_min_messages = warning;
CALL clv_alter_pipeline('truth', filter => 'bought_on < CURRENT_DATE');
CALL clv_alter_pipeline('truth', filter => 'bought_on < now() - interval ''1 day''');
CALL clv_alter_pipeline('truth', filter => 'bought_on < ''today''');
CALL clv_alter_pipeline('truth', filter => 'is_paid(status)');
CALL clv_alter_pipeline('truth', "reset" => '{filter}', source => 'recent');
-- these look at nothing but the row
CALL clv_alter_pipeline('truth', source => 'ledger',
	filter => 'is_paid_always(status) AND written > ''2017-01-01''::date
	AND to_char(written, ''YYYY'') <> ''2016'' AND status IN (''paid'', ''open'') -- ) a comment');
SET client_min_messages = error;
CALL clv_refresh('truth');
CALL clv_refresh('truth');
SELECT mode, note ~ 'in full' AS said,
	   total_revenue = (SELECT sum(amount) FROM ledger WHERE status = 'paid') AS what_is_paid
FROM truth.runs WHERE is_current;
-- dates in a filter mean the same under any session setting
SET client_min_messages = warning;
CALL clv_alter_pipeline('truth', filter => 'bought_on <= ''2017-02-01''');
SET datestyle = 'SQL, DMY';
SET timezone = 'Asia/Tokyo';
SET client_min_messages = error;
CALL clv_refresh('truth');
SET datestyle = 'ISO';
SET timezone = 'UTC';
SELECT total_revenue = (SELECT sum(amount) FROM ledger WHERE bought_on <= '2017-02-01') AS until_february
FROM truth.runs WHERE is_current;

SET client_min_messages = warning;
CALL clv_drop_pipeline('truth');
DROP VIEW recent;
DROP FUNCTION is_paid(text), is_paid_always(text);
DROP TABLE ledger, blocked;
