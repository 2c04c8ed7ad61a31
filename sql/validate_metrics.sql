-- clv_metrics: the measures of any predictions; reference values in test/oracle/metrics.csv, those of clv_backtest here
SET client_min_messages = warning;
CREATE SCHEMA validate_metrics;
SET search_path = validate_metrics, public;
-- by hand: errors 1, -1, 0, 2; ranks 1 2 3 4 and 1 3 2 4
SELECT (m).*
FROM (SELECT clv_metrics(actual, predicted) AS m FROM (VALUES (0, 1), (2, 1), (3, 3), (4, 6)) v (actual, predicted)) q;
-- counts of purchases, against predictions of a model: as the back-test measures them
CREATE TABLE orders AS
SELECT c AS customer_id, date '2020-01-01' + (c * 79 % 180 + k * (5 + c * 31 % 61)) AS ordered_at
FROM generate_series(1, 300) c, generate_series(0, 12) k WHERE k <= (c * 613 % 23) - 9 OR k = 0;
CREATE TABLE customer AS SELECT customer_id, clv_history(ordered_at) AS history FROM orders GROUP BY 1;
CREATE TABLE model AS SELECT clv_model('mbg/nbd', '{"r": 0.5, "alpha": 3.4, "a": 0.6, "b": 3}', '1 week') AS model;
CREATE TABLE pair AS
SELECT clv_purchases_between(history, '2020-09-30', '2020-12-30')::float8 AS actual,
	clv_expected_purchases(model, history, '91 days', '2020-09-30') AS predicted
FROM customer, model;
CREATE FUNCTION pg_temp.same(a float8, b float8) RETURNS bool LANGUAGE sql AS 'SELECT abs(a - b) <= 1e-12 * abs(b)';
SELECT m.pairs = b.customers AS pairs, pg_temp.same(m.predicted, b.predicted_purchases) AS predicted,
	m.actual = b.actual_purchases AS actual,
	pg_temp.same(m.total_error, b.total_error) AS total_error, pg_temp.same(m.bias, b.bias) AS bias,
		pg_temp.same(m.mae, b.mae) AS mae,
	pg_temp.same(m.rmse, b.rmse) AS rmse, pg_temp.same(m.rank_correlation, b.rank_correlation) AS rank_correlation,
	pg_temp.same(m.gini, b.gini) AS gini, pg_temp.same(m.top_decile_lift, b.top_decile_lift) AS lift
FROM (SELECT (clv_metrics(actual, predicted)).*
FROM pair) m, model, clv_backtest('customer', 'history', '2020-09-30', '91 days', model => model) b;
-- in any order of rows, and from pairs that only a window has seen
SELECT count(DISTINCT m::text) AS one_row FROM (SELECT clv_metrics(actual, predicted ORDER BY md5(i || o::text)) AS m
	FROM (SELECT row_number() OVER () AS i, * FROM pair) p, generate_series(1, 5) o GROUP BY o) q;
SELECT count(*) FILTER (WHERE w::text = (SELECT clv_metrics(actual, predicted)::text
FROM (SELECT * FROM pair ORDER BY actual, predicted LIMIT n) f)) AS running
FROM (SELECT clv_metrics(actual, predicted) OVER r AS w, count(*) OVER r AS n
FROM (SELECT *
FROM pair ORDER BY actual, predicted LIMIT 30) p WINDOW r AS (ORDER BY actual, predicted ROWS UNBOUNDED PRECEDING)) q;
-- nothing to measure, NULLs, and what is not defined
SELECT clv_metrics(1, 1) FILTER (WHERE false) AS no_row, clv_metrics(NULL, 1) AS one_null,
	clv_metrics(2, 1) AS one_pair, clv_metrics(0, 0) AS all_zero FROM generate_series(1, 1);
SELECT (m).pairs, (m).skipped
FROM (SELECT clv_metrics(a, b) AS m FROM (VALUES (1, 2), (NULL, 1), (1, NULL), (NULL, NULL)) v (a, b)) q;
SELECT (m).total_error, (m).gini, (m).top_decile_lift
FROM (SELECT clv_metrics(a, b) AS m FROM (VALUES (1, 2), (-3, 1)) v (a, b)) q;
-- ties share: row order does not decide the top tenth
SELECT (clv_metrics(a, 1)).top_decile_lift AS all_alike, (clv_metrics(a, (a > 0)::int)).top_decile_lift AS five_of_ten
FROM (SELECT (i <= 50)::int AS a FROM generate_series(1, 100) i) q;
-- large and small numbers keep their digits
SELECT round(((m).rmse / 1e200)::numeric, 12) AS rmse, round(((m).mae / 1e200)::numeric, 12) AS mae,
	round((m).gini::numeric, 12) AS gini, round((m).top_decile_lift::numeric, 12) AS lift
	FROM (SELECT clv_metrics(a * 1e200, b * 1e200) AS m FROM (VALUES (0, 1), (2, 1), (3, 3), (4, 6)) v (a, b)) q;
SELECT round(((m).rmse / 1e-200)::numeric, 12) AS rmse, round(((m).mae / 1e-200)::numeric, 12) AS mae,
	round((m).gini::numeric, 12) AS gini
	FROM (SELECT clv_metrics(a * 1e-200, b * 1e-200) AS m FROM (VALUES (0, 1), (2, 1), (3, 3), (4, 6)) v (a, b)) q;
SELECT (clv_metrics(x, x)).rank_correlation AS best, (clv_metrics(x, -x)).rank_correlation AS worst,
	(clv_metrics(x, -x)).gini FROM generate_series(1, 1000) x;
-- perfect order is 1 and no lift is 1, to the last digit, of however few
SELECT count(*) AS shops, bool_and((best).rank_correlation = 1 AND (worst).rank_correlation = -1) AS correlations,
	bool_and((best).gini = 1 AND (worst).gini = -1) AS ginis, bool_and((alike).top_decile_lift = 1) AS lifts
FROM (SELECT clv_metrics(x, x) AS best, clv_metrics(x, -x) AS worst, clv_metrics(x, 1) AS alike
	FROM generate_series(2, 60) n, generate_series(1, n) x GROUP BY n) q;
SELECT (clv_metrics(3, 1)).top_decile_lift AS one_pair;
-- errors
SELECT clv_metrics(1, 'NaN');
SELECT clv_metrics('Infinity', 1);
SELECT clv_metrics(1.7e308, -1.7e308);
DROP SCHEMA validate_metrics CASCADE;
