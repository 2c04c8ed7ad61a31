-- Pipelines with a calendar: steps are read at each refresh, those to come move predictions, a changed past is fitted.
SET client_min_messages = error;
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set SHOW_CONTEXT never
CREATE SCHEMA pipeline_calendar;
SET search_path = pipeline_calendar, public;
-- three years: twice as many purchases in weeks of sale, prices that matter little
CREATE TABLE week AS
SELECT monday::date AS monday, i % 8 = 3 AS sale, round((10 + sin(i))::numeric, 2) AS price
FROM generate_series(timestamp '2021-01-04', '2024-06-24', '7 days') WITH ORDINALITY g (monday, i);
CREATE TABLE bought AS
SELECT s.customer AS id, s.day, (20 + s.customer % 7 + extract(day FROM s.day))::numeric AS amount
FROM (SELECT clv_calendar(monday, ARRAY[sale::int, price], '{sale,price}') AS calendar FROM week) c,
	 clv_simulate(clv_model('mbg/nbd', '{"r":0.6,"alpha":8,"a":0.3,"b":2.0}', '1 week', NULL,
							'[{"name":"sale","purchase":0.7},{"name":"price","purchase":-0.05}]', calendar => calendar),
				  500, '2021-01-04', '2023-12-31', 3, acquired_until => '2022-06-30') s;

-- ---- what is refused when the pipeline is made ----
CREATE VIEW days AS SELECT monday, monday + 1 AS tuesday, price FROM week;
CREATE VIEW no_day AS SELECT price FROM week;
CREATE VIEW no_covariate AS SELECT monday FROM week;
CREATE VIEW words AS SELECT monday, price, 'sale'::text AS what FROM week;
CREATE VIEW twice AS SELECT monday, price FROM week UNION ALL SELECT '2022-01-03', 9;
CREATE VIEW not_a_number AS SELECT monday, CASE WHEN monday = '2022-01-03' THEN 'NaN' ELSE price END AS price FROM week;
CREATE VIEW hole AS SELECT monday, sale, CASE WHEN monday <> '2022-01-03' THEN price END AS price FROM week;
CREATE VIEW ends AS SELECT monday, CASE WHEN monday <> '2022-01-03' THEN price END AS price FROM week;
CREATE TEMP TABLE passing AS SELECT * FROM week;
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'weeks');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'SELECT * FROM week');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'passing');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'days');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'no_day');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'no_covariate');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'words');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'twice');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'not_a_number');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'hole');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'ends');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'week', model => 'bg/bb');
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', season => 9);
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'week',
	options => clv_options(model => 'pareto/nbd') || '{"churn_covariates":["sail"]}');
SELECT clv_options(calendar => clv_calendar(monday, ARRAY[price], '{price}')) AS options FROM week
\gset
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', calendar_source => 'week', options => :'options');
SELECT count(*) AS nothing_left FROM pg_namespace WHERE nspname IN ('sales', 'sales_data');

-- ---- steps are read with the rights of the pipeline's owner, whoever refreshes it ----
CREATE ROLE regress_clv_clerk;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_clv_clerk', current_database()); END $$;
GRANT USAGE ON SCHEMA pipeline_calendar TO regress_clv_clerk;
GRANT SELECT ON bought TO regress_clv_clerk;
SET ROLE regress_clv_clerk;
CALL clv_create_pipeline('clerk', 'bought', 'id', 'day', calendar_source => 'week');
RESET ROLE;
GRANT SELECT ON week TO regress_clv_clerk;
SET ROLE regress_clv_clerk;
CALL clv_create_pipeline('clerk', 'bought', 'id', 'day', calendar_source => 'week');
RESET ROLE;
REVOKE SELECT ON week FROM regress_clv_clerk;
CALL clv_refresh('clerk');
CALL clv_drop_pipeline('clerk');
DROP OWNED BY regress_clv_clerk;
DROP ROLE regress_clv_clerk;

-- ---- the model is that of the calendar, and the forecast shows the sales ----
CALL clv_create_pipeline('sales', 'bought', 'id', 'day', 'amount', as_of => '2023-12-31', horizon => '24 weeks',
	calendar_source => 'week', season => 1, refit => 'never');
CALL clv_refresh('sales');
SELECT note FROM sales.runs WHERE is_current;
SELECT parameter FROM sales.model_parameters ORDER BY process, parameter;
CREATE VIEW fit AS
SELECT clv_fit(h.history, clv_options(as_of => '2023-12-31', season => '1', calendar => c.calendar)) AS model
FROM (SELECT clv_history(day, amount) AS history FROM bought GROUP BY id) h,
	 (SELECT clv_calendar(monday, ARRAY[sale::int, price], '{sale,price}') AS calendar FROM week) c;
CREATE TABLE fitted AS SELECT model FROM fit;
SELECT log_likelihood = (clv_diagnostics(model)).log_likelihood AS same FROM sales.models, fitted;
CREATE TABLE months AS
SELECT c.month, f.expected AS here, c.expected_purchases AS there
FROM sales.forecast c
JOIN (SELECT date_trunc('month', f.period_start)::date AS month, sum(f.expected_purchases) AS expected
	  FROM fitted,
		   (SELECT clv_history(day, amount) AS history FROM bought GROUP BY id) h,
		   clv_forecast(model, h.history, 168, '1 day') f
	  GROUP BY 1) f USING (month)
WHERE c.segment = '(all)';
SELECT count(*) AS months, max(abs(here / there - 1)) < 0.02 AS same FROM months;
SELECT sum(held_out::int) > 10 AS weeks, count(*) FILTER (WHERE held_out AND expected > 1.5 * other) > 0 AS sales
FROM (SELECT *, lead(expected) OVER (ORDER BY period_number) AS other FROM sales.tracking) t;

-- ---- steps to come move predictions, and the model is kept ----
CREATE TABLE before AS SELECT sum(expected_purchases) AS e FROM sales.customers;
UPDATE week SET sale = true WHERE monday >= '2024-01-01';
CALL clv_refresh('sales');
SELECT r.note, (SELECT sum(expected_purchases) FROM sales.customers) / e > 1.4 AS more FROM sales.runs r, before
WHERE r.is_current;
-- ... and is what clv_with_calendar gives
SELECT max(abs(c.expected_purchases / clv_expected_purchases(m.model, h.history, '24 weeks', '2023-12-31') - 1)) < 1e-9
	   AS same
FROM sales.customers c
JOIN (SELECT id, clv_history(day, amount) AS history FROM bought GROUP BY id) h USING (id),
	 (SELECT clv_with_calendar(m.model, c.calendar) AS model
	  FROM sales_data.model m,
		   (SELECT clv_calendar(monday, ARRAY[sale::int, price], '{sale,price}') AS calendar FROM week) c) m;

-- ---- a changed past is fitted, whatever refit says ----
UPDATE week SET price = 12 WHERE monday = '2022-01-03';
CALL clv_refresh('sales');
SELECT note FROM sales.runs WHERE is_current;
SELECT log_likelihood = (clv_diagnostics(model)).log_likelihood AS same FROM sales.models, fit WHERE is_current;
-- of days that the model did not see, it is no change
DELETE FROM bought WHERE day > '2023-11-30';
CALL clv_alter_pipeline('sales', as_of => '2023-11-30');
CALL clv_refresh('sales');
UPDATE week SET price = 12 WHERE monday = '2023-12-04';
CALL clv_refresh('sales');
SELECT note FROM sales.runs WHERE is_current;
CALL clv_refresh('sales', as_of => '2023-12-20');
SELECT note FROM sales.runs WHERE is_current;

-- ---- steps that are missing ----
DELETE FROM week WHERE monday > '2024-01-31';
CALL clv_refresh('sales', as_of => '2023-12-20');
SELECT note FROM sales.runs WHERE is_current;
-- of less than a whole year the average goes on
SELECT first, clv_internal.clv_pipeline_calendar_note(
	(SELECT clv_calendar(d, v, '{price}') FROM (VALUES (first, '{1}'::float8[]), ('2024-03-01', NULL)) s (d, v)),
	'2024-01-31', '1 year') AS note
FROM unnest('{2023-03-01,2023-03-02}'::date[]) first;
-- before as_of: the model stays, even where it would be fitted anew
CALL clv_alter_pipeline('sales', refit => 'always');
CALL clv_refresh('sales', as_of => '2024-03-20');
SELECT note, status FROM sales.runs WHERE is_current;
-- a change of the definition cannot keep it
CALL clv_alter_pipeline('sales', season => 2);
CALL clv_refresh('sales', as_of => '2024-03-20');
CALL clv_refresh('sales', as_of => '2023-12-20');
DELETE FROM week WHERE monday < '2021-02-01';
CALL clv_refresh('sales', as_of => '2023-12-20');
INSERT INTO week VALUES ('2023-12-05', true, 'NaN');
CALL clv_refresh('sales', as_of => '2023-12-20');
ALTER TABLE week RENAME price TO prize;
CALL clv_refresh('sales', as_of => '2023-12-20');
ALTER TABLE week RENAME prize TO price;
DELETE FROM week;
CALL clv_refresh('sales', as_of => '2023-12-20');
SELECT run, error, error_code, error_detail FROM sales.runs WHERE status = 'failed' ORDER BY run;

-- ---- which process it acts on, and without it ----
INSERT INTO week SELECT day::date, extract(month FROM day) = 6, 10
FROM generate_series(timestamp '2021-01-01', '2024-06-01', '1 month') day;
CREATE VIEW week_of_sale AS SELECT monday, sale FROM week;
CALL clv_alter_pipeline('sales', calendar_source => 'week_of_sale', "reset" => '{season}',
	options => clv_options(model => 'pareto/nbd') || '{"churn_covariates":[]}');
CALL clv_refresh('sales', as_of => '2023-12-20');
SELECT process, parameter, estimate <> 0 AS acts FROM sales.model_parameters WHERE process LIKE '%effect'
ORDER BY process;
CALL clv_alter_pipeline('sales', "reset" => '{calendar_source}');
CALL clv_alter_pipeline('sales', model => 'mbg/nbd', options => clv_options());
CALL clv_alter_pipeline('sales', "reset" => '{calendar_source,season}');
CALL clv_refresh('sales', as_of => '2023-12-20');
SELECT parameter FROM sales.model_parameters ORDER BY process, parameter;
CALL clv_drop_pipeline('sales');
DROP SCHEMA pipeline_calendar CASCADE;
