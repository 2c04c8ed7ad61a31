-- clv_shock and clv_with_shock: shops with what moves everybody and without, the weeks that are used, widths, errors.
SET client_min_messages = warning;
CREATE SCHEMA validate_shock;
SET search_path = validate_shock, public;
CREATE FUNCTION pg_temp.same(a float8, b float8) RETURNS bool LANGUAGE sql
RETURN abs(a - b) <= 1e-12 * greatest(1, abs(b));

-- two years of weeks that are good or bad for all customers, three at a time; and the same customers without them
CREATE TABLE truth AS
SELECT '{"version": 1, "time_unit": "1 week", "purchase": {"family": "pareto/nbd",
		 "parameters": {"r": 0.6, "alpha": 5, "s": 0.6, "beta": 12},
		 "covariates": [{"name": "weeks", "centre": 0, "purchase": 0.4, "churn": 0}]}}'::clv_model AS model,
	   (SELECT clv_calendar(date '2015-01-05' + 21 * i, CASE WHEN i < 36 THEN ARRAY[(i * 7919 % 13 - 6) / 4.0] END,
							'{weeks}')
		FROM generate_series(0, 36) i) AS calendar;
CREATE TABLE moved AS
SELECT clv_history(day, amount::numeric) AS history
FROM truth, clv_simulate(model || clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}'), 1500, '2015-01-05',
						 '2017-01-01', 2, calendar)
GROUP BY customer;
CREATE TABLE calm AS
SELECT clv_history(day) AS history
FROM clv_simulate(clv_model('pareto/nbd', '{"r": 0.6, "alpha": 5, "s": 0.6, "beta": 12}', '1 week'), 1500, '2015-01-05',
				  '2017-01-01', 2)
GROUP BY customer;
CREATE TABLE fitted AS
SELECT (SELECT clv_fit(history, clv_options(model => 'pareto/nbd', as_of => '2017-01-01')) FROM moved) AS moved,
	   (SELECT clv_fit(history, clv_options(model => 'pareto/nbd', as_of => '2017-01-01', spend => 'none'))
		FROM calm) AS calm;
CREATE TABLE shock AS
SELECT clv_shock('moved', 'history', moved) AS moved, clv_shock('calm', 'history', calm) AS calm FROM fitted;
SELECT (moved).weeks, (moved).sd BETWEEN 0.2 AND 0.6 AS sd, (moved).correlation BETWEEN 0.4 AND 0.9 AS correlation,
	   (moved).evidence > 10 AS evidence, (calm).weeks, (calm).sd, (calm).correlation, (calm).evidence < 2 AS none
FROM shock;

-- --- the weeks are those of clv_tracking up to as_of, the others are not looked at ---
SELECT clv_internal.clv_shock_estimate(array_agg(actual::float8 ORDER BY number), array_agg(expected ORDER BY number))
		   = (SELECT s.moved FROM shock s) AS tracked
FROM fitted, clv_tracking('moved', 'history', moved, '1 week', date '2017-01-01' - 7 * 103, '2017-01-01');
SELECT (clv_shock('moved', 'history', moved, '2016-01-03')).weeks = 51 AS earlier FROM fitted;

-- --- widths: as the definition has them, term by term ---
CREATE TABLE total AS
SELECT clv_predict_total(f.moved, m.history, '12 weeks', 0, 1, '2017-01-01', 0.9) AS t FROM fitted f, moved m;
WITH tau AS (
	SELECT (moved).sd ^ 2 * ((SELECT sum(CASE WHEN i = j THEN 1
									ELSE (moved).lasting * (moved).correlation ^ abs(i - j) END)
							  / 144 FROM generate_series(1, 12) i, generate_series(1, 12) j)
		   + (moved).past - 2 * (moved).link * (SELECT avg((moved).correlation ^ i) FROM generate_series(1, 12) i))
			   AS variance
	FROM shock
), wide AS (
	SELECT (t).*, w.purchases_low AS low, w.purchases_high AS high, w.value_low AS v_low, w.value_high AS v_high,
		   w.purchases_mean_low = (t).purchases_mean_low AS mean, w.customers AS n
	FROM total, shock, clv_with_shock(t, moved, '12 weeks', 0.9) w
)
SELECT pg_temp.same((high - expected_purchases) ^ 2, (purchases_high - expected_purchases) ^ 2
			+ (1.6448536269514722 * expected_purchases) ^ 2 * variance) AS purchases,
	   pg_temp.same(high - expected_purchases, expected_purchases - low) AS low,
	   pg_temp.same((v_high - expected_value) ^ 2 / 1e6, ((value_high - expected_value) ^ 2
			+ (1.6448536269514722 * expected_value) ^ 2 * variance) / 1e6) AS value,
	   pg_temp.same(v_high - expected_value, expected_value - v_low) AS value_low,
	   high - low > 1.2 * (purchases_high - purchases_low) AS wider, mean, n = customers AS customers
FROM wide, tau;
SELECT clv_with_shock(t, calm, '12 weeks', 0.9) = t AS none FROM total, shock;
-- a negative value stays negative; without limits none; longer horizons, less of it
SELECT w.value_high = 0 AS no_gain, w.value_low < -10 AS loss, num_nulls(w.purchases_low, w.purchases_high) AS no_limits
FROM shock, clv_with_shock(ROW(1, 5, NULL, NULL, NULL, NULL, NULL, -10, NULL, NULL, NULL, -12, -8)::clv_total,
						   ROW(20, 2, 0, 0, 9, 0, 0)::clv_common_shock, '1 week') w;
SELECT bool_and(width < before) AS shrinks
FROM (SELECT w.purchases_high AS width, lag(w.purchases_high) OVER (ORDER BY weeks) AS before
	  FROM shock, generate_series(1, 105, 4) weeks, clv_with_shock(
			   ROW(1, 5, 0, 5, 5, 5, 5, NULL, NULL, NULL, NULL, NULL, NULL)::clv_total, moved,
			   make_interval(weeks => weeks)) w) q;
-- two weeks tell nothing
SELECT clv_shock('moved', 'history', moved, '2015-01-20') = ROW(2, 0, 0, 0, 0, 0, 0)::clv_common_shock AS few
FROM fitted;

-- --- NULLs, errors, odd names ---
CREATE SCHEMA "Odd ""Shock""";
CREATE TABLE "Odd ""Shock"""."$1; {histories}" AS SELECT history AS "His""tory $2" FROM moved;
SELECT clv_shock('"Odd ""Shock"""."$1; {histories}"', 'His"tory $2', f.moved) = s.moved AS odd FROM fitted f, shock s;
SELECT clv_with_shock(NULL, moved, '1 week') IS NULL AS total,
	   (clv_with_shock(t, NULL, '1 week')).purchases_high IS NULL AS shock,
	   (clv_with_shock(t, moved, NULL)).purchases_high IS NULL AS horizon FROM total, shock;
\set SHOW_CONTEXT never
SELECT clv_shock(NULL, 'history', moved) FROM fitted;
SELECT clv_shock('moved', 'histories', moved) FROM fitted;
SELECT clv_shock('moved', 'history', NULL);
SELECT clv_shock('moved', 'history', clv_model('sbg', '{"alpha": 1, "beta": 2}', '1 year'));
SELECT clv_shock('moved', 'history', moved, '2014-12-31') FROM fitted;
SELECT clv_shock('moved', 'history', moved, 'infinity') FROM fitted;
SELECT clv_with_shock(t, moved, '90') FROM total, shock;
SELECT clv_with_shock(t, moved, '0 days') FROM total, shock;
SELECT clv_with_shock(t, moved, '1 week', 1) FROM total, shock;
SELECT clv_with_shock(t, ROW(9, -1, 0, 0, 0, 0, 0)::clv_common_shock, '1 week') FROM total;
SELECT clv_with_shock(t, ROW(9, 1, 0, 'NaN', 0, 0, 0)::clv_common_shock, '1 week') FROM total;
SELECT clv_internal.clv_shock_estimate('{1,2}', '{1}');
SELECT clv_internal.clv_shock_estimate('{1,NULL}', '{1,2}');
DROP SCHEMA validate_shock, "Odd ""Shock""" CASCADE;
