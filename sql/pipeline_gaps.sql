-- Data with gaps and mistyped dates fail no refresh: what cannot be computed is NULL, with a WARNING or NOTICE.
SET client_min_messages = error;
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set SHOW_CONTEXT never

CREATE TABLE till AS
SELECT c::int8 AS id, date '2017-01-01' + (c * 79 % 180 + k * (5 + c * 31 % 61)) AS day,
	   (5 + c * 13 % 41 + k % 3)::numeric AS amount
FROM generate_series(1, 300) c, generate_series(0, 12) k
WHERE (k <= (c * 613 % 23) - 9 OR k = 0) AND c * 79 % 180 + k * (5 + c * 31 % 61) < 365;

-- ---- an isolated last purchase is not used as as_of: one, two, and one in the future ----
CALL clv_create_pipeline('gaps', 'till', 'id', 'day', 'amount');
CALL clv_refresh('gaps');
CREATE TABLE good AS SELECT as_of, active_customers, clv, past_revenue FROM gaps.equity;
SELECT as_of = (SELECT max(day) FROM till) AS last_day, isolated_day FROM gaps.equity;
INSERT INTO till VALUES (1, '2024-03-01', 10), (2, '2020-03-01', 10), (3, '2971-03-01', 10);
CALL clv_alter_pipeline('gaps', refit => 'never');
SET client_min_messages = warning;
CALL clv_refresh('gaps');
SET client_min_messages = error;
CALL clv_alter_pipeline('gaps', refit => 'always');
SELECT e.as_of = g.as_of AS as_of, e.active_customers = g.active_customers AS active, e.clv = g.clv AS clv,
	   e.past_revenue = g.past_revenue AS past,
	   e.revenue_after, e.isolated_day FROM gaps.equity e, good g;
SELECT note FROM gaps.runs WHERE is_current;
CALL clv_refresh('gaps');
SELECT e.as_of = g.as_of AS as_of, e.active_customers = g.active_customers AS active,
	   e.clv = g.clv AS fitted_alike
FROM gaps.equity e, good g;
-- where a day is given, it is that day
CALL clv_refresh('gaps', as_of => '2024-03-01');
SELECT as_of, isolated_day, revenue_after FROM gaps.equity;
-- many customers on a late day are no mistake
INSERT INTO till SELECT id, '2018-12-01', 10 FROM till WHERE day = (SELECT min(day) FROM till) OR id <= 10;
CALL clv_refresh('gaps');
SELECT as_of, isolated_day FROM gaps.equity;
DELETE FROM till WHERE day > '2017-12-31';

-- ---- a customer without a row of attributes has no segment where the map needs one ----
CREATE TABLE person AS SELECT DISTINCT id, 'web' AS channel FROM till WHERE id % 5 > 0;
INSERT INTO person VALUES (5, NULL);
CALL clv_alter_pipeline('gaps', attribute_source => 'person', attributes => 'channel',
	map => '[{"segment": "Low", "r": [1]},
		{"segment": "Web", "attributes": {"channel": "web"}}, {"segment": "Other"}]');
CALL clv_refresh('gaps');
SELECT bool_and(segment = CASE WHEN recency_score = 1 THEN 'Low' WHEN id % 5 > 0 THEN 'Web'
	   ELSE '(none)' END) AS segments,
	   count(*) FILTER (WHERE segment = '(none)') AS without FROM gaps.customers;
SELECT note ~ '48 customers in no segment: no rule holds, or what one needs is not known' AS said
FROM gaps.runs WHERE is_current;
CALL clv_alter_pipeline('gaps', map => 'rfm', "reset" => '{attributes}');

-- ---- ratings after the day, and beyond the scale ----
CREATE TABLE answer AS SELECT id, 7 AS score, date '2017-06-01' AS at FROM person WHERE channel IS NOT NULL;
INSERT INTO answer VALUES (1, 1, '2018-06-01'), (2, 1, '2018-06-01'), (NULL, 1, '2018-06-01');
CALL clv_alter_pipeline('gaps', rating_source => 'answer', rating => 'score', rated_at => 'at');
CALL clv_refresh('gaps');
SELECT note ~ '; 2 ratings after the day left out' AS said, note ~ 'beyond' AS beyond,
	(SELECT min(rating) FROM gaps.customers) AS lowest
FROM gaps.runs WHERE is_current;
-- customer 3 has an answer before
ALTER TABLE answer ALTER score TYPE float8;
INSERT INTO answer VALUES (3, 'NaN', '2017-07-01'), (3, 99999, '2017-07-01'), (4, 99999, '2018-06-01'),
	(4, 10, '2017-07-01'), (1, -0.001, '2017-07-01'), (2, 'Infinity', '2017-07-01');
CALL clv_refresh('gaps');
SELECT regexp_matches(note, '; (2 ratings after the day left out; 5 ratings beyond 0 to 10 left out)') AS said
FROM gaps.runs WHERE is_current;
SELECT id, rating FROM gaps.customers WHERE id BETWEEN 1 AND 4 ORDER BY id;
SELECT responses FROM gaps.satisfaction WHERE segment = '(all)';
-- without times it is the mean of those that are ratings
CALL clv_alter_pipeline('gaps', "reset" => '{rated_at}');
CALL clv_refresh('gaps');
SELECT substring(note FROM '[^;]*ratings[^;]*') AS said FROM gaps.runs WHERE is_current;
SELECT id, rating FROM gaps.customers WHERE id BETWEEN 1 AND 4 ORDER BY id;
CALL clv_alter_pipeline('gaps', "reset" => '{ratings}');

-- ---- an error of an amount, or a time, that no history can hold names a customer ----
CREATE TABLE odd (id text, branch int, at timestamp, amount numeric, valid bool);
INSERT INTO odd
SELECT 'c' || i, i % 2, '2017-01-01'::timestamp + i % 50 * interval '1 day', 10, true
FROM generate_series(1, 400) i;
INSERT INTO odd VALUES ('x', 1, '2017-03-01', 'NaN', true), ('y', 1, '2017-03-01', '-Infinity', true),
	('a', 1, '2017-03-01', 'NaN', false), (NULL, 1, '2017-03-01', 'NaN', true), ('w', NULL, '2017-03-01', 'NaN', true);
CALL clv_create_pipeline('odd', 'odd', 'id, branch', 'at', 'amount', filter => 'valid');
\set VERBOSITY default
CALL clv_refresh('odd');
DELETE FROM odd WHERE amount = 'NaN' OR amount = '-Infinity';
INSERT INTO odd VALUES ('z', 1, '-infinity', 5, true);
CALL clv_refresh('odd');
SELECT run, status, error_code, error_detail FROM odd.runs ORDER BY run;
-- where there is none, others have their errors still
UPDATE odd SET at = '2017-01-01' WHERE id = 'z';
ALTER TABLE odd ADD cents int4 DEFAULT 2147483647;
CALL clv_alter_pipeline('odd', filter => 'valid AND cents + 1 > 0');
CALL clv_refresh('odd');
\set VERBOSITY terse
CALL clv_drop_pipeline('odd');
DROP TABLE odd;

-- ---- spend that cannot be fitted: purchases all the same, and NULL for money to come ----
UPDATE till SET amount = NULL WHERE (id, day) NOT IN (SELECT id, min(day) FROM till GROUP BY 1);
CALL clv_alter_pipeline('gaps', map => 'potential', level => 0.9);
CALL clv_refresh('gaps');
SELECT status, note ~ '; no values, because the spend could not be fitted' AS said
FROM gaps.runs ORDER BY run DESC LIMIT 1;
SELECT count(*) > 200 AS customers,
	   bool_and(clv IS NULL AND expected_spend IS NULL AND expected_purchases IS NOT NULL) AS no_money,
	   count(monetary) > 200 AS past
FROM gaps.customers;
SELECT bool_and(expected_revenue IS NULL AND expected_purchases > 0) AS forecast FROM gaps.forecast;
SELECT expected_purchases > 0 AS new_customer, max_acquisition_cost FROM gaps.new_customer;
SELECT clv, past_revenue > 0 AS past FROM gaps.equity;
SELECT count(*) AS winback_in_money FROM gaps.winback WHERE value_at_risk IS NOT NULL;

-- ---- a validation model that did not converge is reported ----
CALL clv_alter_pipeline('gaps', options => clv_options(max_iterations => 1, spend => 'none'));
CALL clv_refresh('gaps');
SELECT bool_and(converged) AS stopped_short, (SELECT bool_and(converged) FROM gaps.lift) AS lift,
	   (SELECT converged FROM gaps.models WHERE is_current) AS model
FROM gaps.calibration;
SELECT note FROM gaps.runs WHERE is_current;

SELECT bool_and((cumulative_purchases_low IS NULL) = (cumulative_purchases_high IS NULL)
		   AND coalesce(cumulative_purchases_low < cumulative_purchases_high, true))
	AS limits_or_none FROM gaps.forecast;

-- ---- why there is no validation is said: a short hold-out, a family without one ----
CALL clv_alter_pipeline('gaps', holdout => '13 days', options => clv_options(spend => 'none'));
CALL clv_refresh('gaps');
SELECT note, (SELECT count(*) FROM gaps.calibration) AS calibration FROM gaps.runs WHERE is_current;
CALL clv_alter_pipeline('gaps', reset => '{holdout}',
	options => clv_options(model => 'sbg', time_unit => '1 month', spend => 'none'));
CALL clv_refresh('gaps');
SELECT note, (SELECT count(*) FROM gaps.calibration) AS calibration FROM gaps.runs WHERE is_current;
CALL clv_alter_pipeline('gaps', options => clv_options(max_iterations => 1, spend => 'none'));

-- ---- a table that has grown since its statistics, or has none, is not read as a whole for a few customers ----
CREATE TABLE grown (id int8, day date, amount numeric, written timestamptz) WITH (autovacuum_enabled = false);
CREATE INDEX grown_id ON grown (id);
INSERT INTO grown SELECT i % 3000, '2017-01-01', 1, '2017-02-01' FROM generate_series(1, 20000) i;
CALL clv_alter_pipeline('gaps', source => 'grown', changed_at => 'written');
CREATE FUNCTION plan(statement text)
RETURNS SETOF text LANGUAGE plpgsql AS 'BEGIN RETURN QUERY EXECUTE ''EXPLAIN '' || statement; END';
SELECT clv_internal.clv_pipeline_indexed(d) AS indexed,
	   (SELECT bool_or(p ~ 'Index Scan.* grown_id')
		FROM plan(clv_internal.clv_pipeline_histories(d, 1, true)) p) AS looked_up,
	   (SELECT bool_or(p ~ 'Seq Scan on grown')
		FROM plan(clv_internal.clv_pipeline_histories(d, 1, true)) p) AS read_as_a_whole
FROM clv_internal.clv_pipeline_read('gaps') d;
ALTER TABLE grown ADD shop int8;
DROP INDEX grown_id;
CREATE INDEX ON grown (shop, id);
CREATE INDEX ON grown (id) WHERE amount > 5;
SELECT clv_internal.clv_pipeline_indexed(d) AS indexed FROM clv_internal.clv_pipeline_read('gaps') d;
DROP FUNCTION plan(text);
-- a table that was dropped meanwhile
SELECT clv_internal.clv_pipeline_settled(0::regclass, '3');

CALL clv_drop_pipeline('gaps');
DROP TABLE grown, till, person, answer, good;
