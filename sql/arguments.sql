-- Lengths of time, days and rates mean the same, and are refused in the same words, wherever they are arguments.
SET client_min_messages = warning;
CREATE SCHEMA arguments;
SET search_path = arguments, public;
CREATE TABLE orders AS
SELECT c AS customer_id, date '2020-01-01' + (c * 79 % 180 + k * (5 + c * 31 % 61)) AS ordered_at, (5 + c * 13 % 41)::numeric AS amount
FROM generate_series(1, 200) c, generate_series(0, 12) k WHERE (k <= (c * 613 % 23) - 9 OR k = 0) AND c * 79 % 180 + k * (5 + c * 31 % 61) <= 455;
CREATE TABLE customer AS SELECT customer_id, clv_history(ordered_at, amount) AS history FROM orders GROUP BY customer_id;
CREATE TABLE fitted AS SELECT clv_fit(history, clv_options(as_of => '2021-03-31')) AS model FROM customer;
CREATE TABLE one AS SELECT model, history FROM fitted, customer WHERE customer_id = 7;

-- a call for each argument that is an interval, with a hole for it
CREATE TABLE span (function text, argument text, call text, PRIMARY KEY (function, argument, call));
INSERT INTO span VALUES
	('clv_summary', 'time_unit', 'SELECT clv_summary(history, ''2021-03-31'', %s) FROM one'),
	('clv_model', 'time_unit', 'SELECT clv_model(''bg/nbd'', ''{"r": 1, "alpha": 1, "a": 1, "b": 1}'', %s)'),
	('clv_options', 'time_unit', 'SELECT clv_options(time_unit => %s)'),
	('clv_options', 'grace', 'SELECT clv_options(model => ''sbg'', grace => %s)'),
	('clv_predict', 'horizon', 'SELECT clv_predict(model, history, %s) FROM one'),
	('clv_predict', 'horizon', 'SELECT * FROM clv_predict(''orders'', ''customer_id'', ''ordered_at'', ''amount'', horizon => %s)'),
	('clv_expected_purchases', 'horizon', 'SELECT clv_expected_purchases(model, history, %s::interval) FROM one'),
	('clv_value', 'horizon', 'SELECT clv_value(model, history, %s) FROM one'),
	('clv_discounted_purchases', 'horizon', 'SELECT clv_discounted_purchases(model, history, 0.1, %s::interval) FROM one'),
	('clv_purchase_probability', 'horizon', 'SELECT clv_purchase_probability(model, history, 1, %s::interval) FROM one'),
	('clv_purchase_quantile', 'horizon', 'SELECT clv_purchase_quantile(model, history, %s::interval, 0.5) FROM one'),
	('clv_value_quantile', 'horizon', 'SELECT clv_value_quantile(model, history, %s, 0.5) FROM one'),
	('clv_forecast', 'period', 'SELECT clv_forecast(model, history, 12, %s) FROM one'),
	('clv_new_customer', 'horizon', 'SELECT clv_new_customer(model, %s) FROM one'),
	('clv_predict_total', 'horizon', 'SELECT clv_predict_total(model, history, %s) FROM one'),
	('clv_backtest', 'horizon', 'SELECT * FROM clv_backtest(''customer'', ''history'', ''2020-09-30'', %s)'),
	('clv_backtest_deciles', 'horizon', 'SELECT * FROM clv_backtest_deciles(''customer'', ''history'', ''2020-09-30'', %s)'),
	('clv_backtest_calibration', 'horizon', 'SELECT * FROM clv_backtest_calibration(''customer'', ''history'', ''2020-09-30'', %s)'),
	('clv_tracking', 'period', 'SELECT * FROM fitted, clv_tracking(''customer'', ''history'', model, %s)');
-- these are all there are, but for those of pipelines and the parts of others
SELECT p.proname, a.name
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clv'
CROSS JOIN LATERAL unnest(coalesce(p.proallargtypes::oid[], p.proargtypes::oid[]), p.proargnames, p.proargmodes) a (type, name, mode)
WHERE a.type = 'interval'::regtype AND coalesce(a.mode, 'i') = 'i' AND p.proname !~ '^clv_(pipeline|validate|quick|create_pipeline|alter_pipeline)'
	AND NOT EXISTS (SELECT FROM span s WHERE s.function = p.proname AND s.argument = a.name)
	AND a.name <> '' AND p.proname <> 'clv_predict_total_add'
ORDER BY 1, 2;

-- what a call says
CREATE FUNCTION complaint(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE call;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' / ', SQLSTATE, message, detail, hint);
END
$$;
SET client_min_messages = error;
SELECT replace(complaint(format(call, quote_literal(v))), argument, '*') AS complaint, count(*) = (SELECT count(*) FROM span) AS all_of_them
FROM span, unnest('{90,36 hours,0.5 days,-1.5 days}'::text[]) v GROUP BY v, 1 ORDER BY v, 1;
-- a whole day in other words is one, and a negative time is none of theirs
SELECT function, complaint(format(call, quote_literal('24 hours'))) AS complaint FROM span WHERE complaint(format(call, quote_literal('24 hours'))) <> 'none';
SELECT v, count(*) AS calls, count(*) FILTER (WHERE complaint(format(call, quote_literal(v))) LIKE '22023 / ' || argument || '%') AS refused
FROM span, unnest('{-1 day,-1 year}'::text[]) v GROUP BY v ORDER BY v;
SET client_min_messages = warning;

DROP SCHEMA arguments CASCADE;
