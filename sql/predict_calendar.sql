-- predictions in periods that follow the calendar
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.u(c int, i int, k text) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (('x' || substr(md5(c || ' ' || i || ' ' || k), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;
CREATE FUNCTION pg_temp.same(a float8, b float8) RETURNS bool LANGUAGE sql AS 'SELECT abs(a - b) <= 1e-12 * abs(b)';
CREATE SCHEMA predict_calendar;
SET search_path = predict_calendar, public;
CREATE TABLE m AS SELECT p,
	clv_model('bg/bb', '{"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.78}', '1 year', '2003-12-31',
		periods => p) AS yearly,
	clv_model('bg/bb', '{"alpha": 1.2, "beta": 3, "gamma": 0.66, "delta": 5}', '1 month', '2020-06-30',
		periods => p) AS monthly,
	clv_model('sbg', '{"alpha": 0.9, "beta": 3.8}', '1 month', '2020-08-31', periods => p) AS contract,
	clv_model('rfmtc', '{"Q": 0.05, "g": 2, "b": 3}', '1 month', '2020-06-30', periods => p) AS campaign,
	clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS spend
	  FROM unnest('{anniversary,calendar}'::text[]) p;

-- ---- a donor giving every 1 January has 8 of 8 opportunities ----
SELECT p, pg_temp.same(clv_p_alive(yearly, h), clv_p_alive(yearly, 8, 8, 8)) AS p_alive,
	   pg_temp.same(clv_log_likelihood(yearly, h), clv_log_likelihood(yearly, 8, 8, 8)) AS likelihood,
	   pg_temp.same(clv_expected_purchases(yearly, h, '24 months'),
		   clv_expected_purchases(yearly, 8, 8, 8, 2)) AS "24 months",
	   pg_temp.same(clv_expected_purchases(monthly, h, '1 year'),
		   clv_expected_purchases(monthly, h, '12 months')) AS "1 year",
	   pg_temp.same(clv_purchase_probability(yearly, h, 2, '3 years'),
		   clv_purchase_probability(yearly, 8, 8, 8, 2, 3)) AS probability,
	   pg_temp.same((clv_predict(yearly || spend, h, '10 years')).expected_purchases,
		   clv_expected_purchases(yearly, 8, 8, 8, 10)) AS predict,
	   pg_temp.same((rfmtc(h, '2003-12-31', yearly)).churn, 1 - clv_p_alive(yearly, h)) AS churn
  FROM m, (SELECT clv_history(make_date(y, 1, 1), 10) FROM generate_series(1995, 2003) y) q (h) ORDER BY p;

-- ---- contracts: the one that as_of finds is predicted, the first one is fitted ----
SELECT p, at, clv_p_alive(contract, h, at) AS p_alive,
	   pg_temp.same(clv_expected_purchases(contract, h, '1 year', at),
		   clv_expected_purchases(contract, x, x, t, 12)) AS expected,
	   pg_temp.same(clv_log_likelihood(contract, h, at), clv_log_likelihood(contract, 1, 1, fit)) AS likelihood
  FROM m, (SELECT clv_history(make_date(2020, i, 1), 10) FROM unnest('{1,2,7,8}'::int[]) i) q (h),
	   (VALUES (date '2020-02-29', 1, 1, 1), ('2020-06-30', 1, 2, 2), ('2020-08-31', 1, 1, 2),
			('2020-09-30', 1, 2, 2)) v (at, x, t, fit) ORDER BY p, at;
-- the grace of a model counts in its predictions: two payments a month and three days apart are one contract, or two
SELECT grace, clv_p_alive(model, h, '2020-02-17') AS unpaid, clv_p_alive(model, h, '2020-03-17') AS "two paid",
	   clv_p_alive(model, h, '2020-03-18') AS "a month later", clv_p_alive(model, h, '2020-03-20') AS "too late"
  FROM (SELECT clv_history(d, 10) FROM unnest('{2020-01-15,2020-02-18}'::date[]) d) q (h),
	(SELECT grace,
			jsonb_build_object('version', 1, 'time_unit', '1 month', 'as_of', '2020-03-17', 'grace', grace,
				'purchase', '{"family": "sbg", "parameters": {"alpha": 1, "beta": 2}}'::jsonb)::clv_model
	   FROM unnest('{0 days,5 days}'::text[]) grace) g (grace, model);

-- ---- predictions of many customers in a query are those of each alone ----
CREATE TABLE buyer AS
SELECT c,
	   clv_history(date '2019-01-01' + (400 * pg_temp.u(c, 0, 'first'))::int
		   + (700 * pg_temp.u(c, i, 'day') * (i > 0)::int)::int,
		   (10 + 5 * pg_temp.u(c, i, 'amount'))::numeric(9,2)) AS history
  FROM generate_series(1, 400) c, generate_series(0, 12) i WHERE i <= 13 * pg_temp.u(c, 0, 'many') GROUP BY c;
CREATE FUNCTION pg_temp.alone(model clv_model, history clv_history)
RETURNS float8 LANGUAGE plpgsql AS 'BEGIN RETURN clv_expected_purchases(model, history, ''1 month''); END';
SELECT p, kind, count(*), bool_and(one = alone) AS same,
	   count(one) = (SELECT count(*) FROM buyer WHERE clv_first_purchase(history) <= '2020-06-30') AS all_there
  FROM (SELECT p, kind, clv_expected_purchases(model, history, '1 month') AS one,
			   pg_temp.alone(model, history) AS alone
		  FROM buyer, m,
			   LATERAL (VALUES ('bg/bb', monthly), ('sbg', contract), ('rfmtc', campaign)) v (kind, model)) q
 WHERE kind <> 'sbg' GROUP BY p, kind ORDER BY p, kind;
-- campaigns: 31 days since the first purchase are a month and three days after it in February, a month in March
SELECT p, clv_p_alive(campaign, clv_history(d, 10), d + 31) = 0.95 AS "a month"
  FROM m, unnest('{2019-02-01,2019-03-01}'::date[]) d GROUP BY p, campaign, d ORDER BY p, d;

-- and 28 days are a month in February alone: what is cached for one customer is not taken for another of as many days
SELECT p, count(DISTINCT e) AS different,
	   bool_and(pg_temp.same(e, clv_expected_purchases(campaign, 1, t_x, t, 2))) AS own
  FROM (SELECT p, campaign, clv_expected_purchases(campaign, clv_history, '2 months', first + 59) AS e,
			   CASE p WHEN 'calendar' THEN 1 - past ELSE 1 - 3 * past / 31.0 END AS t_x,
			   CASE p WHEN 'calendar' THEN 1 - past ELSE 2 - past * 2 / 30.0 END AS t
		  FROM (SELECT p, campaign, past, first, clv_history(d, 10)
				  FROM m, (VALUES (0, date '2019-02-01'), (1, '2019-03-01')) v (past, first),
					   LATERAL (VALUES (first), (first + 28)) d (d) GROUP BY p, campaign, past, first) q
		OFFSET 0) q GROUP BY p ORDER BY p;

-- ---- curves begin where periods do ----
SELECT p, at, string_agg(to_char(period_start, 'MM-DD'), ' ' ORDER BY period_start) AS starts,
	   pg_temp.same(sum(expected_purchases), max(clv_expected_purchases(monthly, h, '4 months', at))) AS sum
  FROM m, (SELECT clv_history(d, 10) FROM unnest('{2019-01-31,2019-03-03,2019-05-05}'::date[]) d) q (h),
	   unnest('{2019-11-30,2019-12-31,2019-12-30,2020-01-15}'::date[]) at,
	   clv_forecast(monthly, h, 4, '1 month', as_of => at) GROUP BY p, at ORDER BY p, at;
SELECT p, (t).customers, pg_temp.same((t).expected_purchases, e) AS expected
  FROM (SELECT p, clv_predict_total(monthly || spend, history, '6 months') AS t,
			   sum(clv_expected_purchases(monthly, history, '6 months')) AS e
		  FROM m, buyer GROUP BY p) q ORDER BY p;
-- scores of value under a model of months: twelve of them
SELECT p, count(v) > 300 AS scored
  FROM (SELECT p, (rfmtc_score(history, monthly) OVER (PARTITION BY p)).v FROM m, buyer) q GROUP BY p
 ORDER BY p;

SET client_min_messages = error;
-- ---- back-tests count in the same periods, of which so many are over for all customers when the hold-out is ----
CREATE FUNCTION pg_temp.period_end(first date, periods text, k bigint) RETURNS date LANGUAGE sql IMMUTABLE
	RETURN CASE periods WHEN 'anniversary' THEN (first + k * interval '1 month')::date ELSE (
		date_trunc('month', first::timestamp) + (k + 1) * interval '1 month')::date - 1 END;
CREATE TEMP VIEW taken AS
SELECT p, at, c, k, stop <= at AS over,
	   EXISTS (SELECT FROM clv_purchase_log(history) l WHERE l.day > start AND l.day <= stop) AS bought
  FROM buyer, unnest('{anniversary,calendar}'::text[]) p,
	   unnest('{2020-06-30,2020-02-29,2020-01-30,2020-03-15}'::date[]) at, clv_first_purchase(history) first,
	   generate_series(1, 40) k,
	   pg_temp.period_end(first, p, k - 1) start, pg_temp.period_end(first, p, k) stop WHERE first <= at;
CREATE TEMP TABLE actual AS
SELECT p, at, sum((bought AND k <= n)::int) AS before, sum((bought AND k > n AND k <= n + 6)::int) AS later,
	   count(DISTINCT c) AS customers
  FROM (SELECT *, coalesce(max(k) FILTER (WHERE over) OVER (PARTITION BY p, at, c), 0) AS n FROM taken) q
 GROUP BY p, at;
SELECT p, at, b.until, b.customers = a.customers AS customers, b.actual_purchases = a.later AS actual,
	   pg_temp.same(b.predicted_purchases, e) AS predicted,
	   (SELECT sum(c.actual_purchases) = a.later
		  FROM clv_backtest_calibration('buyer', 'history', at, '6 months', model => monthly) c) AS classes,
	   (SELECT sum(x * n) = a.before
		  FROM (SELECT repeat_purchases AS x, c.customers AS n
				  FROM clv_backtest_calibration('buyer', 'history', at, '6 months', model => monthly,
						   last_class => 100) c) q) AS repeats
  FROM m
  JOIN actual a USING (p), clv_backtest('buyer', 'history', at, '6 months', model => monthly) b,
	  LATERAL (SELECT sum(clv_expected_purchases(monthly, history, '6 months', at)) FROM buyer) q (e)
 ORDER BY p, at;
-- contracts: renewals in the hold-out of contracts in force at as_of; campaigns: answers, of which there is one at most
CREATE TABLE payer AS
SELECT clv_history(make_date(2020, i, 1 + c % 20), 10) AS history
  FROM generate_series(1, 100) c, generate_series(1, 12) i
 WHERE i <= 3 + c % 9 OR (c % 3 = 0 AND i > 6 + c % 9) GROUP BY c;
CREATE VIEW renewed AS
SELECT sum(later) AS later, avg(abs(least(greatest(last - 3, 0), 3) - later)) AS naive
  FROM generate_series(1, 100) c,
	   LATERAL (SELECT 3 + c % 9, greatest(least(3 + c % 9, 9) - 6, 0)) v (last, later);
SELECT p, b.until, b.actual_purchases = later AS actual, pg_temp.same(b.naive_mae, naive) AS naive
  FROM m, renewed, clv_backtest('payer', 'history', '2020-06-30', '3 months', model => contract) b
 WHERE p = 'calendar';
SELECT p, b.until,
	   b.actual_purchases = (SELECT count(*)
							   FROM buyer
							  WHERE clv_first_purchase(history) <= '2020-06-30'
								AND clv_purchases_between(history, '2020-06-30', b.until) > 0) AS answers
  FROM m, clv_backtest('buyer', 'history', '2020-06-30', '1 month', model => campaign) b ORDER BY p;

-- ---- pipelines forecast and validate in the model's periods ----
SELECT p, string_agg(to_char(period_end, 'MM-DD'), ' ' ORDER BY number) AS ends,
	   bool_and(until = number * interval '1 month') AS until
  FROM m, clv_internal.clv_pipeline_periods('6 months', '2020-06-30', monthly) GROUP BY p ORDER BY p;
SELECT p, string_agg(to_char(period_end, 'MM-DD'), ' ' ORDER BY number) AS ends
  FROM m, clv_internal.clv_pipeline_periods('3 months', '2020-02-14', monthly) GROUP BY p ORDER BY p;
SELECT count(*), max(period_end)
  FROM clv_internal.clv_pipeline_periods('20 years', '2020-06-30',
		   clv_model('bg/bb', '{"alpha": 1, "beta": 1, "gamma": 1, "delta": 1}', '1 month'));
CREATE TABLE sale AS SELECT c AS buyer, l.day, l.amount FROM buyer, clv_purchase_log(history) l;
CALL clv_create_pipeline('monthly', 'sale', 'buyer', 'day', 'amount', as_of => '2021-06-30',
	options => clv_options(model => 'bg/bb', time_unit => '1 month', periods => 'calendar'),
	horizon => '1 year');
CALL clv_refresh('monthly');
SELECT purchase_model,
	   (SELECT string_agg(to_char(period_start, 'YYYY-MM-DD'), ' ' ORDER BY period_start)
		  FROM monthly.forecast WHERE segment = '(all)') AS starts,
	   (SELECT abs(sum(expected_purchases) - (SELECT sum(expected_purchases) FROM monthly.customers)) < 2e-6
		  FROM monthly.forecast WHERE segment = '(all)') AS sum,
	   (SELECT array_agg(DISTINCT holdout_start || ' ' || holdout_end) FROM monthly.calibration) AS held_out
  FROM monthly.models WHERE is_current;
CALL clv_drop_pipeline('monthly');

-- ---- horizons that are no whole number of periods ----
SELECT clv_predict(yearly, history, '18 months') FROM m, buyer LIMIT 1;
SELECT clv_predict(yearly, history, '365 days') FROM m, buyer LIMIT 1;
SELECT clv_expected_purchases(monthly, history, '30 days') FROM m, buyer LIMIT 1;
SELECT clv_expected_purchases(monthly, history, '1 month 1 day') FROM m, buyer LIMIT 1;
SELECT clv_forecast(monthly, history, 3, '2 weeks') FROM m, buyer LIMIT 1;
\set SHOW_CONTEXT never
SELECT * FROM m, clv_backtest('buyer', 'history', '2020-06-30', '8 weeks', model => monthly) WHERE p = 'calendar';
SELECT clv_expected_purchases(clv_model('bg/bb', '{"alpha": 1, "beta": 1, "gamma": 1, "delta": 1}', '2 weeks',
		   '2020-06-30'), history, '3 weeks')
  FROM buyer LIMIT 1;
SELECT pg_temp.same(sum(clv_expected_purchases(model, history, '28 days')),
		   sum(clv_expected_purchases(model, history, '4 weeks'))) AS weeks
  FROM buyer,
	   (SELECT clv_model('bg/bb', '{"alpha": 1, "beta": 1, "gamma": 1, "delta": 1}', '2 weeks', '2020-06-30',
				   periods => 'calendar') AS model) q;
DROP SCHEMA predict_calendar CASCADE;
