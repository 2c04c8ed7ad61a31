-- Lengths of time, days and rates mean the same in every function, and give the same errors.
SET client_min_messages = warning;
CREATE SCHEMA arguments;
SET search_path = arguments, public;
CREATE TABLE orders AS
SELECT c AS customer_id, date '2020-01-01' + (c * 79 % 180 + k * (5 + c * 31 % 61)) AS ordered_at,
	   (5 + c * 13 % 41)::numeric AS amount
FROM generate_series(1, 200) c, generate_series(0, 12) k
WHERE (k <= (c * 613 % 23) - 9 OR k = 0) AND c * 79 % 180 + k * (5 + c * 31 % 61) <= 455;
CREATE TABLE customer AS
SELECT customer_id, clv_history(ordered_at, amount) AS history
FROM orders GROUP BY customer_id;
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
	('clv_predict', 'horizon',
		'SELECT * FROM clv_predict(''orders'', ''customer_id'', ''ordered_at'', ''amount'', horizon => %s)'),
	('clv_expected_purchases', 'horizon', 'SELECT clv_expected_purchases(model, history, %s::interval) FROM one'),
	('clv_purchase_curve', 'horizons[2]',
		'SELECT clv_purchase_curve(model, history, ARRAY[interval ''1 day'', %s::interval]) FROM one'),
	('clv_curve_sum', 'horizons[2]',
		'SELECT clv_internal.clv_curve_sum(model, history, ARRAY[interval ''1 day'', %s], NULL) FROM one'),
	('clv_value', 'horizon', 'SELECT clv_value(model, history, %s) FROM one'),
	('clv_discounted_purchases', 'horizon',
		'SELECT clv_discounted_purchases(model, history, 0.1, %s::interval) FROM one'),
	('clv_purchase_probability', 'horizon',
		'SELECT clv_purchase_probability(model, history, 1, %s::interval) FROM one'),
	('clv_purchase_quantile', 'horizon', 'SELECT clv_purchase_quantile(model, history, %s::interval, 0.5) FROM one'),
	('clv_active_probability', 'horizon', 'SELECT clv_active_probability(model, history, %s::interval) FROM one'),
	('clv_survival', 'horizon', 'SELECT clv_survival(model, history, %s::interval) FROM one'),
	('clv_value_quantile', 'horizon', 'SELECT clv_value_quantile(model, history, %s, 0.5) FROM one'),
	('clv_forecast', 'period', 'SELECT clv_forecast(model, history, 12, %s) FROM one'),
	('clv_new_customer', 'horizon', 'SELECT clv_new_customer(model, %s) FROM one'),
	('clv_predict_total', 'horizon', 'SELECT clv_predict_total(model, history, %s) FROM one'),
	('clv_sums', 'horizon', 'SELECT clv_sums(model, history, %s) FROM one'),
	('clv_backtest', 'horizon', 'SELECT * FROM clv_backtest(''customer'', ''history'', ''2020-09-30'', %s)'),
	('clv_backtest_deciles', 'horizon',
		'SELECT * FROM clv_backtest_deciles(''customer'', ''history'', ''2020-09-30'', %s)'),
	('clv_backtest_calibration', 'horizon',
		'SELECT * FROM clv_backtest_calibration(''customer'', ''history'', ''2020-09-30'', %s)'),
	('clv_tracking', 'period', 'SELECT * FROM fitted, clv_tracking(''customer'', ''history'', model, %s)'),
	('clv_choose', 'horizon', 'SELECT * FROM clv_choose(''customer'', ''history'', ''2020-09-30'', %s)');
-- no function is missing, but those of pipelines and internal ones
SELECT p.proname, a.name
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clv'
CROSS JOIN LATERAL unnest(coalesce(p.proallargtypes::oid[], p.proargtypes::oid[]), p.proargnames,
	p.proargmodes) a (type, name, mode)
WHERE a.type IN ('interval'::regtype, 'interval[]'::regtype) AND coalesce(a.mode, 'i') = 'i'
  AND p.proname !~ '^clv_(pipeline|validate|quick|check_|argument|create_pipeline|alter_pipeline|choose_)'
	AND NOT EXISTS (SELECT FROM span s WHERE s.function = p.proname AND s.argument IN (a.name, a.name || '[2]'))
	AND a.name <> '' AND p.proname <> 'clv_sums_add'
ORDER BY 1, 2;

-- the message of a call
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
SELECT replace(complaint(format(call, quote_literal(v))), argument, '*') AS complaint,
	   count(*) = (SELECT count(*) FROM span) AS all_of_them
FROM span, unnest('{90,1,36 hours,0.5 days,-1.5 days}'::text[]) v GROUP BY v, 1 ORDER BY v, 1;
-- 24 hours are a day, and negative times are errors
SELECT function, complaint(format(call, quote_literal('24 hours'))) AS complaint
FROM span WHERE complaint(format(call, quote_literal('24 hours'))) <> 'none';
SELECT v, count(*) AS calls,
	   count(*) FILTER (WHERE complaint(format(call, quote_literal(v))) LIKE '22023 / ' || argument
		   || '%') AS refused
FROM span, unnest('{-1 day,-1 year}'::text[]) v GROUP BY v ORDER BY v;
SET client_min_messages = warning;

-- --- an infinite as_of has one error, in every function ---
SET client_min_messages = error;
CREATE TABLE day (function text, argument text, call text, PRIMARY KEY (function, argument, call));
INSERT INTO day SELECT function, 'as_of', call FROM (VALUES
	('rfmtc', 'SELECT rfmtc(history, %s) FROM one'), ('rfmtc', 'SELECT rfmtc(history, %s, model) FROM one'),
	('clv_summary', 'SELECT clv_summary(history, %s) FROM one'), ('clv_options', 'SELECT clv_options(as_of => %s)'),
	('clv_model', 'SELECT clv_model(''bg/nbd'', ''{"r": 1, "alpha": 1, "a": 1, "b": 1}'', ''1 week'', %s)'),
	('clv_predict', 'SELECT clv_predict(model, history, as_of => %s) FROM one'),
	('clv_predict', 'SELECT * FROM clv_predict(''orders'', ''customer_id'', ''ordered_at'', as_of => %s)'),
	('clv_p_alive', 'SELECT clv_p_alive(model, history, %s) FROM one'),
	('clv_expected_purchases', 'SELECT clv_expected_purchases(model, history, ''1 year''::interval, %s) FROM one'),
	('clv_purchase_curve', 'SELECT clv_purchase_curve(model, history, ''{1 year}'', %s) FROM one'),
	('clv_curve_sum', 'SELECT clv_internal.clv_curve_sum(model, history, ''{1 year}'', %s) FROM one'),
	('clv_expected_spend', 'SELECT clv_expected_spend(model, history, %s) FROM one'),
	('clv_value', 'SELECT clv_value(model, history, ''1 year'', as_of => %s) FROM one'),
	('clv_lifetime_value', 'SELECT clv_lifetime_value(model, history, 0.1, as_of => %s) FROM one'),
	('clv_discounted_purchases', 'SELECT clv_discounted_purchases(model, history, 0.1, as_of => %s) FROM one'),
	('clv_purchase_probability',
		'SELECT clv_purchase_probability(model, history, 1, ''1 year''::interval, %s) FROM one'),
	('clv_purchase_quantile', 'SELECT clv_purchase_quantile(model, history, ''1 year''::interval, 0.5, %s) FROM one'),
	('clv_active_probability', 'SELECT clv_active_probability(model, history, ''1 year''::interval, %s) FROM one'),
	('clv_survival', 'SELECT clv_survival(model, history, ''1 year''::interval, %s) FROM one'),
	('clv_next_purchase', 'SELECT clv_next_purchase(model, history, 0.5, %s) FROM one'),
	('clv_explain', 'SELECT clv_explain(model, history, %s) FROM one'),
	('clv_lapse_date', 'SELECT clv_lapse_date(model, history, 0.5, %s) FROM one'),
	('clv_value_quantile', 'SELECT clv_value_quantile(model, history, ''1 year'', 0.5, as_of => %s) FROM one'),
	('clv_log_likelihood', 'SELECT clv_log_likelihood(model, history, %s) FROM one'),
	('clv_spend_log_likelihood', 'SELECT clv_spend_log_likelihood(model, history, %s) FROM one'),
	('clv_forecast', 'SELECT clv_forecast(model, history, 2, ''1 year'', as_of => %s) FROM one'),
	('clv_predict_total', 'SELECT clv_predict_total(model, history, ''1 year'', 0, 1, %s) FROM one'),
	('clv_predict_total', 'SELECT clv_predict_total(model, history, ''1 year'', 0, 1, %s, 0.9) FROM one'),
	('clv_new_customer', 'SELECT clv_new_customer(model, as_of => %s) FROM one'),
	('clv_sums', 'SELECT clv_sums(model, history, ''1 year'', 0, 1, %s) FROM one'),
	('rfmtc_score', 'SELECT rfmtc_score(history, model, %s) OVER () FROM one'),
	('rfmtc_score',
		'SELECT rfmtc_score(history, (SELECT rfmtc_cuts(history, ''2021-03-31'') FROM customer), %s) FROM one'),
	('rfmtc_score', 'SELECT * FROM rfmtc_score(''orders'', ''customer_id'', ''ordered_at'', as_of => %s)'),
	('rfmtc_cuts', 'SELECT rfmtc_cuts(history, %s) FROM one'),
	('rfmtc_cuts', 'SELECT rfmtc_cuts(history, %s, model) FROM one'),
	('clv_population', 'SELECT clv_population(history, %s) FROM one'),
	('clv_population', 'SELECT clv_population(history, %s, model) FROM one'),
	('segment_assign', 'SELECT * FROM segment_assign(''orders'', ''customer_id'', ''ordered_at'', as_of => %s)'),
	('clv_backtest', 'SELECT * FROM clv_backtest(''customer'', ''history'', %s, ''1 year'')'),
	('clv_backtest_deciles', 'SELECT * FROM clv_backtest_deciles(''customer'', ''history'', %s, ''1 year'')'),
	('clv_backtest_calibration', 'SELECT * FROM clv_backtest_calibration(''customer'', ''history'', %s, ''1 year'')'),
	('clv_choose', 'SELECT * FROM clv_choose(''customer'', ''history'', %s, ''1 year'')'),
	('clv_shock', 'SELECT * FROM fitted, clv_shock(''customer'', ''history'', model, %s)'),
	('clv_tracking',
		'SELECT *
		 FROM fitted, clv_tracking(''customer'', ''history'', model, as_of => %s)')) v (function, call);
INSERT INTO day
VALUES ('clv_tracking', 'since',
	'SELECT * FROM fitted, clv_tracking(''customer'', ''history'', model, since => %s)'),
	('clv_tracking', 'until', 'SELECT * FROM fitted, clv_tracking(''customer'', ''history'', model, until => %s)'),
	('clv_cuts', 'as_of', 'SELECT clv_cuts(r => ''{1}'', as_of => %s)'),
	('clv_simulate', 'since', 'SELECT clv_simulate(model, 1, %s, ''2020-01-01'', 1) FROM one'),
	('clv_simulate', 'until', 'SELECT clv_simulate(model, 1, ''2020-01-01'', %s, 1) FROM one'),
	('clv_simulate', 'acquired_until',
		'SELECT clv_simulate(model, 1, ''2020-01-01'', ''2021-01-01'', 1, NULL, %s) FROM one'),
	('clv_campaign', 'since', 'SELECT clv_campaign(true, history, model, %s, ''2021-12-31'') FROM customer, fitted'),
	('clv_campaign', 'until', 'SELECT clv_campaign(true, history, model, ''2020-01-01'', %s) FROM customer, fitted'),
	('clv_calendar', 'since', 'SELECT clv_calendar(%s, ''{1}'', ''{n}'')'),
	('clv_calendar_values', 'day', 'SELECT clv_calendar_values(clv_calendar(''2020-01-01'', ''{1}'', ''{n}''), %s)');
-- no function is missing, but internal ones and those of histories for which infinity is a day after all others
SELECT p.proname, a.name
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clv'
CROSS JOIN LATERAL unnest(coalesce(p.proallargtypes::oid[], p.proargtypes::oid[]), p.proargnames,
	p.proargmodes) a (type, name, mode)
WHERE a.type = 'date'::regtype AND coalesce(a.mode, 'i') = 'i' AND a.name <> ''
  AND p.proname !~ '^clv_(pipeline|validate|quick|check_|argument|refresh$|sums_add|choose_|shock_(of|width))'
	AND NOT EXISTS (SELECT FROM day s WHERE s.function = p.proname AND s.argument = a.name)
ORDER BY 1, 2;
SELECT complaint(format(call, quote_literal(day)))
	   = format('22023 / %s must be a finite date: %s /  / Give a day, such as the last one of the data.',
		   argument, day) AS same, count(*),
	count(*) = 2 * (SELECT count(*) FROM day) AS all_of_them
FROM unnest('{infinity,-infinity}'::text[]) day, day s GROUP BY 1;
SELECT clv_purchases(history, 'infinity') = clv_purchases(history)
	   AND clv_last_purchase(history, 'infinity') = clv_last_purchase(history)
	AND clv_first_purchase(history, '-infinity') IS NULL AS all_or_nothing FROM one;
SET client_min_messages = warning;

-- --- rates and margins that look like percent are warned of, once a statement whatever its rows ---
\set VERBOSITY default
SELECT count(p.clv) FROM customer, fitted, clv_predict(model, history, margin => 35, discount_rate => 10) p;
SELECT count(clv_value(model, history, '1 year', margin => 1000)) FROM customer, fitted;
\set VERBOSITY terse
CREATE TABLE rate (function text, argument text, call text, PRIMARY KEY (function, argument));
INSERT INTO rate
SELECT function, argument,
	   format('SELECT bool_or(v IS NULL) AS %s FROM (SELECT %s AS v FROM customer, fitted) v',
	function || '_' || argument, format(call, argument))
FROM (VALUES ('clv_predict', 'clv_predict(model, history, %s => 2)'),
		  ('clv_value', 'clv_value(model, history, ''1 year'', %s => 2)'),
	('clv_lifetime_value', 'clv_lifetime_value(model, history, %s => 2)'),
	('clv_value_quantile', 'clv_value_quantile(model, history, ''1 year'', 0.5, %s => 2)'),
	('clv_forecast', '(SELECT sum(f.clv) FROM clv_forecast(model, history, 2, ''1 year'', %s => 2) f)'),
	('clv_new_customer', 'clv_new_customer(model, ''1 year'', %s => 2)')) v (function, call),
	unnest('{discount_rate,margin}'::text[]) argument;
UPDATE rate SET call = replace(call, 'margin => 2', '0.1, margin => 2') WHERE function = 'clv_lifetime_value';
INSERT INTO rate VALUES
	('clv_discounted_purchases', 'discount_rate',
		'SELECT bool_or(clv_discounted_purchases(model, history, 2) IS NULL) AS discounted
		 FROM customer, fitted'),
	('clv_predict_total', 'discount_rate',
		'SELECT clv_predict_total(model, history, ''1 year'', 2) IS NULL AS total_discount_rate
		 FROM customer, fitted'),
	('clv_predict_total', 'margin',
		'SELECT clv_predict_total(model, history, ''1 year'', 0, 2) IS NULL AS total_margin
		 FROM customer, fitted'),
	('clv_sums', 'discount_rate',
		'SELECT clv_sums(model, history, ''1 year'', 2) IS NULL AS sums_discount_rate FROM customer, fitted'),
	('clv_sums', 'margin',
		'SELECT clv_sums(model, history, ''1 year'', 0, 2) IS NULL AS sums_margin FROM customer, fitted');
-- no function is missing
SELECT DISTINCT p.proname, a.name
FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clv' CROSS JOIN LATERAL unnest(p.proargnames) a (name)
WHERE a.name IN ('discount_rate', 'margin') AND p.proname !~ 'pipeline|quick|argument'
  AND NOT EXISTS (SELECT FROM rate r WHERE r.function = p.proname AND r.argument = a.name)
ORDER BY 1, 2;
SELECT call FROM rate ORDER BY function, argument \gexec
SELECT count(clv)
FROM clv_predict('orders', 'customer_id', 'ordered_at', 'amount', margin => -11, as_of => '2021-03-31');
-- one warning a statement, whatever the number of calls
SELECT bool_or(clv_value(model, history, '1 year', 2, 35) + clv_value(model, history, '2 years', 2, 35)
		   + (clv_predict(model, history, '1 year', 2, 35)).clv IS NULL) AS calls
FROM customer, fitted;
-- there is no warning of a rate or margin that may be meant
SELECT count(p.clv) FROM customer, fitted, clv_predict(model, history, margin => -10, discount_rate => 1) p;
SELECT count(p.clv) FROM customer, fitted, clv_predict(model, history, margin => 1, discount_rate => -0.99) p;
SELECT clv_predict(model, history, discount_rate => -1) FROM one;
\set VERBOSITY default

-- --- every condition that functions raise by its name is known: no error of users is an internal one ---
SELECT count(DISTINCT name) >= 15 AS names,
	   string_agg(DISTINCT name, ', ')
		   FILTER (WHERE complaint(format($$SELECT clv_internal.clv_raise('m', NULL, NULL, %L)$$, name)) LIKE 'XX000%')
		   AS unknown
FROM pg_proc p, regexp_matches(p.prosrc, 'clv_raise\(.*?\);', 'g') call,
	 LATERAL (SELECT substring(call[1] FROM $$'([a-z_]+)'::(?:pg_catalog\.)?text\s*\);\Z$$)) n (name)
WHERE p.pronamespace IN ('clv_internal'::regnamespace, 'public'::regnamespace) AND name IS NOT NULL;

-- --- a backslash means the same under standard_conforming_strings = off: E'', or the setting in the function ---
SELECT count(*) > 100 AS functions,
	   string_agg(proname, ', ') FILTER (WHERE prosrc ~ $$(^|[^E'])'[^'\n]*\\$$
		AND NOT coalesce('standard_conforming_strings=on' = ANY (proconfig), false)) AS not_so
FROM pg_proc
WHERE pronamespace IN ('clv_internal'::regnamespace, 'public'::regnamespace) AND prosqlbody IS NULL
  AND prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql'));

DROP SCHEMA arguments CASCADE;
