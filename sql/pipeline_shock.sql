-- Pipelines estimate what moves all customers at once with their model, and carry it into equity and forecast.
SET client_min_messages = error;
SET datestyle = 'ISO';
CREATE SCHEMA pipeline_shock;
SET search_path = pipeline_shock, public;

-- weeks of two thirds and of one and a half times the purchases, four of each
CREATE TABLE orders AS
SELECT shop, s.customer AS id, s.day, (10 + s.customer % 7)::numeric AS amount
FROM (SELECT clv_calendar(day::date, ARRAY[CASE WHEN n / 4 % 2 = 0 THEN 0.4 ELSE -0.4 END], '{weather}') AS calendar
	  FROM generate_series(timestamp '2021-01-04', '2023-01-02', '7 days') WITH ORDINALITY d (day, n)) c,
	(VALUES ('moved', 1.0), ('calm', 0.0)) k (shop, effect),
	clv_simulate(clv_model('pareto/nbd', '{"r": 0.9, "alpha": 6, "s": 0.5, "beta": 20}', '1 week', NULL,
		jsonb_build_array(jsonb_build_object('name', 'weather', 'purchase', effect)), calendar => calendar),
		1500, '2021-01-04', '2022-12-31', 7, acquired_until => '2022-03-31') s;
CREATE VIEW moved AS SELECT id, day, amount FROM orders WHERE shop = 'moved';
CREATE VIEW calm AS SELECT id, day, amount FROM orders WHERE shop = 'calm';
CALL clv_create_pipeline('shock_moved', 'pipeline_shock.moved', 'id', 'day', 'amount', as_of => '2022-12-31',
	model => 'pareto/nbd', horizon => '91 days');
CALL clv_create_pipeline('shock_calm', 'pipeline_shock.calm', 'id', 'day', 'amount', as_of => '2022-12-31',
	model => 'pareto/nbd', horizon => '91 days');
CALL clv_refresh('shock_moved');
CALL clv_refresh('shock_calm');

-- it is that of clv_shock, and the intervals are those of a model that keeps it, at the level of the pipeline
CREATE TABLE fitted AS
SELECT clv_fit(history, clv_options(model => 'pareto/nbd', as_of => '2022-12-31')) AS model
FROM (SELECT clv_history(day, amount) AS history FROM moved GROUP BY id) h;
CREATE TABLE history AS SELECT clv_history(day, amount) AS history FROM moved GROUP BY id;
CREATE TABLE shock AS
SELECT s AS shock FROM fitted, clv_shock('pipeline_shock.history', 'history', model) s;
SELECT abs(shock_sd - (shock).sd) < 1e-9 AS sd, abs(shock_correlation - (shock).correlation) < 1e-9 AS correlation,
	shock_sd BETWEEN 0.3 AND 0.6 AS known
FROM shock_moved.models, shock;
SELECT abs(e.purchases_low / t.purchases_low - 1) < 1e-8 AS low,
	abs(e.purchases_high / t.purchases_high - 1) < 1e-8 AS high,
	abs(e.clv_low / t.value_low::numeric - 1) < 1e-4 AS value_low, abs(e.clv_high / t.value_high::numeric - 1) < 1e-4
		AS value_high,
	abs(e.purchases_low_without_shock / t.purchases_low_without_shock - 1) < 1e-8 AS low_without,
	abs(e.clv_high_without_shock / t.value_high_without_shock::numeric - 1) < 1e-4 AS value_high_without,
	(e.purchases_high - e.purchases_low) / (e.purchases_high_without_shock - e.purchases_low_without_shock) > 1.5
		AS wider
FROM shock_moved.equity e, LATERAL (
	SELECT (clv_predict_total(clv_with_shock(model, shock), history, '91 days', e.discount_rate, e.margin,
		'2022-12-31'::date, 0.9::float8)).*
	FROM fitted, shock, history) t;
-- the model of the pipeline keeps it itself
SELECT abs((m.shock).sd / (s.shock).sd - 1) < 1e-9 AS sd
FROM shock s, (SELECT clv_shock(model) AS shock FROM shock_moved_data.model) m;

-- in the forecast each period has a width of its own, narrower relative to a longer time; the last is that of equity
SELECT segment, period_number, shock > 0 AS shock,
	abs((cumulative_purchases_high - cumulative_purchases) ^ 2
		- (cumulative_purchases_high_without_shock - cumulative_purchases) ^ 2
		- (shock * cumulative_purchases) ^ 2) < 1e-6 * cumulative_purchases ^ 2 AS purchases,
	abs((cumulative_revenue_high - cumulative_revenue) ^ 2
		- (cumulative_revenue_high_without_shock - cumulative_revenue) ^ 2
		- (shock::numeric * cumulative_revenue) ^ 2) < 1e-4 * cumulative_revenue ^ 2 AS revenue,
	cumulative_purchases_low <= cumulative_purchases_low_without_shock AS lower,
	shock = first_value(shock) OVER (PARTITION BY period_number ORDER BY segment) AS one_of_all
FROM shock_moved.forecast WHERE segment = '(all)' ORDER BY period_number;
SELECT f.shock = e.shock AS last, count(DISTINCT a.shock) AS widths
FROM shock_moved.forecast f, shock_moved.equity e, shock_moved.forecast a
WHERE f.segment = '(all)' AND f.period_end = '2023-04-01' GROUP BY 1;

-- a refresh that keeps the model keeps it, too
CALL clv_alter_pipeline('shock_moved', refit => 'never');
CALL clv_refresh('shock_moved');
SELECT shock > 0 AS kept, (SELECT count(*) FROM shock_moved.models) AS models FROM shock_moved.equity;

-- without shocks in the data nothing changes
SELECT shock, purchases_low = purchases_low_without_shock AS low, purchases_high = purchases_high_without_shock AS high,
	clv_low IS NOT DISTINCT FROM clv_low_without_shock AS value_low,
	clv_high IS NOT DISTINCT FROM clv_high_without_shock AS value_high
FROM shock_calm.equity;
SELECT count(*) > 0 AS rows, bool_and(shock = 0 AND cumulative_purchases_low = cumulative_purchases_low_without_shock
	AND cumulative_revenue_high IS NOT DISTINCT FROM cumulative_revenue_high_without_shock) AS same
FROM shock_calm.forecast;

-- families of discrete time have none that is known, and the intervals that they had
CALL clv_alter_pipeline('shock_calm', model => 'bg/bb', horizon => '3 months',
	options => clv_options(model => 'bg/bb', time_unit => '1 month'));
CALL clv_refresh('shock_calm', 'full');
SELECT shock, purchases_low = purchases_low_without_shock AS low, clv_high IS NOT DISTINCT FROM clv_high_without_shock
	AS high
FROM shock_calm.equity;
SELECT shock_sd FROM shock_calm.models WHERE is_current;

CALL clv_drop_pipeline('shock_moved');
CALL clv_drop_pipeline('shock_calm');
DROP SCHEMA pipeline_shock CASCADE;
