-- Back-tests: every measure against one computed in another way, from the orders themselves; errors.
SET client_min_messages = warning;
CREATE SCHEMA validate_backtest;
SET search_path = validate_backtest, public;
CREATE FUNCTION pg_temp.same(a float8, b float8) RETURNS bool LANGUAGE sql
RETURN CASE WHEN a IS NULL OR b IS NULL THEN a IS NOT DISTINCT FROM b ELSE abs(a - b) <= 1e-9 * greatest(1, abs(b)) END;

-- 407 customers, pseudo-random but always the same; they come on few days, so that many are alike. Refunds, and
-- one purchase of unknown amount in the hold-out.
CREATE TABLE orders AS
SELECT c AS customer_id, date '2020-01-01' + (c * 7919 % 9) * 45 + k * (9 + c * 31 % 71 + (c * k) % 5) AS day,
	   (5 + c * 13 % 41 + ((c * 104729 + k * 7919) % 997) / 100.0)::numeric(10,2) AS amount
FROM generate_series(1, 407) c, generate_series(0, 40) k
WHERE (k <= (c * 613 % 27) - 9 OR k = 0) AND (c * 7919 % 9) * 45 + k * (9 + c * 31 % 71 + (c * k) % 5) <= 730;
INSERT INTO orders SELECT customer_id, day + 3, -1 FROM orders WHERE customer_id % 10 = 0;
INSERT INTO orders
SELECT min(customer_id), '2021-02-01', NULL
FROM (SELECT customer_id FROM orders GROUP BY 1 HAVING max(day) < '2020-12-01') c;
CREATE TABLE customer AS SELECT customer_id, clv_history(day, amount) AS history FROM orders GROUP BY customer_id;
INSERT INTO customer VALUES (0, NULL), (-1, (SELECT clv_history(date '2020-05-05', -1.00)));
CREATE TABLE model AS SELECT clv_fit(history, clv_options(as_of => '2020-12-31')) AS model FROM customer;

-- one row per customer: predictions by the accessors, actual purchases from the orders
CREATE TABLE truth AS
SELECT customer_id, predicted, predicted * spend AS promised, repeats,
	   actual, CASE WHEN actual = 0 THEN coalesce(earned, 0) ELSE earned END AS earned,
	   clv_p_alive(model, history) AS alive, 1 - clv_purchase_probability(model, history, 0, '365 days') AS buys
FROM customer c, model, clv_expected_purchases(model, history, '365 days') predicted,
	 clv_expected_spend(model, history) spend,
	 LATERAL (SELECT count(DISTINCT day) FILTER (WHERE day <= '2020-12-31' AND amount >= 0) - 1 AS repeats,
					 count(DISTINCT day) FILTER (WHERE day > '2020-12-31' AND day <= '2021-12-31'
						 AND (amount >= 0 OR amount IS NULL)) AS actual,
					 sum(amount) FILTER (WHERE day > '2020-12-31' AND day <= '2021-12-31') AS earned
			  FROM orders o WHERE o.customer_id = c.customer_id) r
WHERE repeats >= 0;
UPDATE truth SET promised = NULL WHERE earned IS NULL;
SELECT count(*) AS customers, sum(actual) AS actual, count(DISTINCT predicted) < 300 AS ties,
	   sum(earned) AS earned
FROM truth;

-- --- the row of measures ---
CREATE TABLE test AS SELECT * FROM clv_backtest('customer', 'history', '2020-12-31', '1 year');
ALTER TABLE test ADD PRIMARY KEY (purchase_model);
SELECT purchase_model, since = '2020-12-31' AS since, until = '2021-12-31' AS until, customers, skipped,
	   actual_purchases, revenue_customers, actual_revenue
FROM test;
SELECT pg_temp.same(predicted_purchases, sum(predicted)) AS predicted,
	   pg_temp.same(total_error, sum(predicted) / sum(actual) - 1) AS total_error,
	   pg_temp.same(bias, avg(predicted - actual)) AS bias, pg_temp.same(mae, avg(abs(predicted - actual))) AS mae,
	   pg_temp.same(rmse, sqrt(avg((predicted - actual) ^ 2))) AS rmse,
	   -- all came within the year before, or a day earlier: every repeat purchase is one of that time
	   pg_temp.same(naive_mae, avg(abs(repeats - actual))) AS naive_mae,
		   pg_temp.same(naive_rmse, sqrt(avg((repeats - actual) ^ 2))) AS naive_rmse
FROM test, truth GROUP BY test.purchase_model;
SELECT pg_temp.same(revenue_customers, count(*)) AS customers,
	   pg_temp.same(predicted_revenue, sum(promised)) AS predicted,
	   actual_revenue = sum(earned) AS actual,
	   pg_temp.same(revenue_error, sum(promised) / sum(earned)::float8 - 1) AS error,
	   pg_temp.same(revenue_mae, avg(abs(promised - earned))) AS mae,
	   pg_temp.same(revenue_rmse, sqrt(avg((promised - earned) ^ 2))) AS rmse
FROM test, truth WHERE promised IS NOT NULL GROUP BY test.purchase_model;
SELECT pg_temp.same(rank_correlation, corr(p, a)) AS spearman
FROM test, (SELECT rank() OVER (ORDER BY predicted) + (count(*) OVER (PARTITION BY predicted) - 1) / 2.0 AS p,
				   rank() OVER (ORDER BY actual) + (count(*) OVER (PARTITION BY actual) - 1) / 2.0 AS a
			FROM truth) q GROUP BY test.purchase_model;
-- over all pairs of customers: how much more the one with the higher prediction buys
SELECT pg_temp.same(gini,
		   sum((a.actual - b.actual) * sign(a.predicted - b.predicted))
			   / sum(abs(a.actual - b.actual))) AS gini,
	   gini > 0 AND gini < 1 AS sensible
FROM test, truth a, truth b GROUP BY test.purchase_model;

-- --- deciles: customers in ten parts each, alike ones with the same mean, counted off ---
CREATE TABLE deciles AS
SELECT (number - 1) / (SELECT count(*) FROM truth) + 1 AS decile, sum(predicted) / 10 AS predicted,
	   sum(actual) / 10 AS actual
FROM (SELECT row_number() OVER (ORDER BY predicted DESC) AS number, predicted,
			 avg(actual) OVER (PARTITION BY predicted) AS actual
	  FROM truth, generate_series(1, 10)) q GROUP BY 1;
SELECT count(*) AS deciles, bool_and(pg_temp.same(customers, (SELECT count(*) FROM truth) / 10.0)) AS customers,
	   bool_and(pg_temp.same(predicted_purchases, predicted)) AS predicted,
	   bool_and(pg_temp.same(actual_purchases, actual)) AS actual,
	   bool_and(pg_temp.same(lift, actual / (SELECT sum(actual) / 10.0 FROM truth))) AS lift,
	   bool_and(pg_temp.same(cumulative_share,
		   (SELECT sum(b.actual) FROM deciles b WHERE b.decile <= d.decile)
			   / (SELECT sum(actual) FROM truth))) AS cumulative
FROM clv_backtest_deciles('customer', 'history', '2020-12-31', '1 year') t JOIN deciles d USING (decile);
SELECT pg_temp.same(sum(d.predicted_revenue), t.predicted_revenue) AS predicted_revenue,
	   pg_temp.same(sum(d.actual_revenue), t.actual_revenue::float8) AS actual_revenue,
	   pg_temp.same(max(d.lift) FILTER (WHERE d.decile = 1), t.top_decile_lift) AS top
FROM test t, clv_backtest_deciles('customer', 'history', '2020-12-31', '1 year') d GROUP BY t.purchase_model;

-- --- calibration by frequency ---
SELECT count(*) AS classes, bool_and(c.customers = q.customers) AS customers,
	   bool_and(pg_temp.same(c.predicted_mean, q.predicted)) AS predicted,
	   bool_and(pg_temp.same(c.actual_mean, q.actual)) AS actual,
	   bool_and(pg_temp.same(c.predicted_alive, q.alive)) AS alive,
	   bool_and(pg_temp.same(c.predicted_buyers, q.buys)) AS buys,
	   bool_and(pg_temp.same(c.actual_buyers, q.bought)) AS bought,
	   bool_and(pg_temp.same(c.predicted_purchases, q.predicted * q.customers) AND c.actual_purchases = q.total) AS sums
FROM clv_backtest_calibration('customer', 'history', '2020-12-31', '1 year') c
FULL JOIN (SELECT least(repeats, 7) AS repeat_purchases, count(*) AS customers, avg(predicted) AS predicted,
				  avg(actual) AS actual, sum(actual) AS total,
				  avg(alive) AS alive, avg(buys) AS buys, avg((actual > 0)::int) AS bought
				  FROM truth GROUP BY 1) q USING (repeat_purchases);
SELECT repeat_purchases, customers = (SELECT count(*) FROM truth WHERE repeats = 0) AS none,
	   customers = (SELECT count(*) FROM truth WHERE repeats > 0) AS some
FROM clv_backtest_calibration('customer', 'history', '2020-12-31', '1 year', last_class => 1);

-- --- options and models ---
-- the same fit by options, as a model, and with the day from either
SELECT count(DISTINCT b) AS different
FROM (SELECT b::text FROM clv_backtest('customer', 'history', '2020-12-31', '1 year', clv_options(model => 'mbg/nbd')) b
	  UNION ALL SELECT b::text
	  FROM clv_backtest('customer', 'history', NULL, '1 year', clv_options(as_of => '2020-12-31')) b
	  UNION ALL SELECT b::text FROM model, clv_backtest('customer', 'history', '2020-12-31', '1 year', model => model) b
	  UNION ALL SELECT b::text FROM model, clv_backtest('customer', 'history', NULL, '365 days', model => model) b
	  UNION ALL SELECT test::text FROM test) b;
-- without spend there is nothing about revenue
SELECT purchase_model, customers, revenue_customers,
	   num_nulls(predicted_revenue, actual_revenue, revenue_error, revenue_mae, revenue_rmse) AS nulls
FROM clv_backtest('customer', 'history', '2020-12-31', '1 year', clv_options(spend => 'none'));
SELECT count(*) AS deciles, count(predicted_revenue) AS revenue
FROM clv_backtest_deciles('customer', 'history', '2020-12-31', '1 year', clv_options(spend => 'none'));
-- another day, another split
SELECT customers,
	   (SELECT count(*)
		FROM (SELECT min(day) AS first FROM orders GROUP BY customer_id) f
		WHERE first <= '2020-06-30') AS same,
	   customers + skipped AS all, until = '2020-12-30' AS until
FROM clv_backtest('customer', 'history', '2020-06-30', '6 months',
		 model => clv_model('mbg/nbd', '{"r": 1, "alpha": 6, "a": 1, "b": 2}', '1 week'));
-- bg/bb: purchases count as it counts them, periods of 13 weeks that are over and saw one; without whole periods, none
CREATE TABLE opportunities AS
SELECT first, count(DISTINCT period) FILTER (WHERE period > 0 AND 91 * period <= date '2020-12-31' - first) AS x,
	   count(DISTINCT period) FILTER (WHERE period > 0 AND 91 * period <= date '2020-12-31' - first + 364) AS later
FROM (SELECT customer_id, min(day) OVER (PARTITION BY customer_id) AS first,
			 (day - min(day) OVER (PARTITION BY customer_id) + 90) / 91 AS period
	  FROM orders WHERE amount >= 0 OR amount IS NULL) o GROUP BY customer_id, first;
SELECT b.purchase_model, b.actual_purchases = t.actual AS actual, b.actual_purchases < test.actual_purchases AS fewer,
	   (SELECT sum(actual_purchases) = t.actual
			   AND bool_and(c.customers = (SELECT count(*) FROM opportunities WHERE x = repeat_purchases))
		FROM clv_backtest_calibration('customer', 'history', '2020-12-31', '52 weeks',
				 model => clv_model('bg/bb', '{"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.8}',
					 '13 weeks')) c) AS classes
FROM test, (SELECT sum(later - x) AS actual FROM opportunities) t,
	 clv_backtest('customer', 'history', '2020-12-31', '52 weeks',
		 model => clv_model('bg/bb', '{"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.8}',
			 '13 weeks')) b;
SELECT customers, predicted_buyers IS NULL AS no_such_thing
FROM clv_backtest_calibration('customer', 'history', '2020-12-31', '52 weeks', last_class => 0,
		 model => clv_model('sbg', '{"alpha": 1, "beta": 2}', '13 weeks'));

-- --- covariates: a column of vectors; each half of the customers has a model of its own ---
CREATE TABLE halves AS SELECT history, ARRAY[customer_id % 2, 1.5] AS z FROM customer;
CREATE VIEW even AS SELECT history FROM customer WHERE customer_id % 2 = 0;
CREATE VIEW odd AS SELECT history FROM customer WHERE customer_id % 2 <> 0;
CREATE TABLE moved AS SELECT clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 1.6}', '1 week', '2020-12-31',
	'[{"name": "odd", "purchase": 0.7, "churn": -0.4}, {"name": "both", "purchase": 0.1, "churn": 0.2}]') AS model;
SELECT b.customers, b.customers = e.customers + o.customers AS all,
	   pg_temp.same(b.predicted_purchases, e.predicted_purchases + o.predicted_purchases) AS predicted,
	   pg_temp.same(b.mae * b.customers, e.mae * e.customers + o.mae * o.customers) AS mae,
	   (SELECT pg_temp.same(sum(c.predicted_purchases), b.predicted_purchases)
			   AND pg_temp.same(sum(predicted_buyers * c.customers),
		(SELECT sum(predicted_buyers * x.customers)
		 FROM clv_backtest_calibration('even', 'history', NULL, '1 year',
				  model => clv_with_covariates(model, '{0, 1.5}')) x)
		+ (SELECT sum(predicted_buyers * x.customers)
		   FROM clv_backtest_calibration('odd', 'history', NULL, '1 year',
					model => clv_with_covariates(model, '{1, 1.5}')) x))
		FROM clv_backtest_calibration('halves', 'history', NULL, '1 year', model => model,
				 covariates => 'z') c) AS classes,
	   (SELECT pg_temp.same(sum(d.predicted_purchases), b.predicted_purchases)
		FROM clv_backtest_deciles('halves', 'history', NULL, '1 year', model => model,
				 covariates => 'z') d) AS tenths
FROM moved, clv_backtest('halves', 'history', NULL, '1 year', model => model, covariates => 'z') b,
	 clv_backtest('even', 'history', NULL, '1 year', model => clv_with_covariates(model, '{0, 1.5}')) e,
	 clv_backtest('odd', 'history', NULL, '1 year', model => clv_with_covariates(model, '{1, 1.5}')) o;
SET client_min_messages = error;
CREATE TABLE one_each AS SELECT history, z[1:1] AS z FROM halves;
SELECT bool_and(b = t) AS fitted
FROM (SELECT clv_fit(history, clv_options(as_of => '2020-12-31', covariates => '{odd}'), z::float8[]) AS m
	  FROM one_each) f,
	 clv_backtest('one_each', 'history', '2020-12-31', '1 year', model => m, covariates => 'z') b,
	 clv_backtest('one_each', 'history', '2020-12-31', '1 year', clv_options(covariates => '{odd}'),
		 covariates => 'z') t;
-- no repeat purchases: measures that need purchases are NULL; a single customer has no rank
CREATE TABLE lost AS
SELECT clv_history(date '2020-01-01' + c % 3, 1) AS history
FROM generate_series(1, 20) c GROUP BY c;
SET client_min_messages = error;
SELECT customers, actual_purchases, total_error, rank_correlation, gini, top_decile_lift,
	   mae = bias AS all_too_many, revenue_customers
FROM model, clv_backtest('lost', 'history', '2020-02-29', '1 month', model => model);
SELECT count(*), count(lift), count(cumulative_share)
FROM model, clv_backtest_deciles('lost', 'history', '2020-02-29', '1 month', model => model);
CREATE VIEW one AS SELECT history FROM customer WHERE customer_id = 20;
SELECT customers, rank_correlation, gini, top_decile_lift
FROM model, clv_backtest('one', 'history', '2020-12-31', '1 year', model => model);
SET client_min_messages = warning;

-- --- names ---
CREATE SCHEMA "Odd Schema";
CREATE DOMAIN story AS clv_history;
CREATE TABLE "Odd Schema"."Its Customers" AS SELECT history::story AS "The ""History""" FROM customer;
SELECT (b = test) AS same
FROM test, clv_backtest('"Odd Schema"."Its Customers"', 'The "History"', '2020-12-31', '1 year') b;
SET search_path = pg_catalog;
SELECT customers FROM public.clv_backtest('validate_backtest.customer', 'HISTORY', '2020-12-31', '1 year');
SELECT count(*) FROM public.clv_backtest_deciles('validate_backtest.customer', 'HISTORY', '2020-12-31', '1 year');
SELECT count(*) FROM public.clv_backtest_calibration('validate_backtest.customer', 'HISTORY', '2020-12-31', '1 year');
SET search_path = validate_backtest, public;

-- --- with the rights of the caller ---
\set VERBOSITY terse
CREATE ROLE regress_clv_validate;
GRANT USAGE ON SCHEMA validate_backtest TO regress_clv_validate;
SET ROLE regress_clv_validate;
SELECT * FROM clv_backtest('customer', 'history', '2020-12-31', '1 year');
RESET ROLE;
DROP OWNED BY regress_clv_validate;
DROP ROLE regress_clv_validate;

-- --- errors ---
\set VERBOSITY default
SET datestyle = 'SQL, DMY';
SET intervalstyle = postgres;
SELECT * FROM clv_backtest(NULL, 'history', '2020-12-31', '1 year');
SELECT * FROM clv_backtest('customers', 'history', '2020-12-31', '1 year');
SELECT * FROM clv_backtest('customer', 'histories', '2020-12-31', '1 year');
SELECT * FROM clv_backtest('customer', 'customer_id', '2020-12-31', '1 year');
SELECT * FROM clv_backtest('customer', NULL, '2020-12-31', '1 year');
SELECT * FROM clv_backtest('customer', 'history', NULL, '1 year');
SELECT * FROM clv_backtest('customer', 'history', 'infinity', '1 year');
SELECT * FROM clv_backtest('customer', 'history', '2020-12-31', NULL);
SELECT * FROM clv_backtest('customer', 'history', '2020-12-31', '0');
SELECT * FROM clv_backtest('customer', 'history', '2020-12-31', '-1 week');
SELECT * FROM clv_backtest('customer', 'history', '2020-12-31', '1 day 2 hours');
\set SHOW_CONTEXT never
SELECT * FROM clv_backtest('customer', 'history', '2019-12-31', '1 year');
\set SHOW_CONTEXT errors
SELECT * FROM model, clv_backtest('customer', 'history', '2019-12-31', '1 year', model => model);
SELECT * FROM clv_backtest('customer', 'history', '2020-12-31', '1 year', clv_options(as_of => '2020-11-30'));
\set VERBOSITY terse
SELECT * FROM clv_backtest('customer', 'history', '2020-12-31', '1 year', '{"modell": 1}');
\set VERBOSITY default
SELECT * FROM model, clv_backtest('customer', 'history', '2020-12-31', '1 year', clv_options(), model);
SELECT *
FROM clv_backtest('customer', 'history', '2020-12-31', '1 year',
		 model => clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}'));
SELECT * FROM clv_backtest_calibration('customer', 'history', '2020-12-31', '1 year', last_class => -1);
SELECT * FROM moved, clv_backtest('halves', 'history', NULL, '1 year', model => model);
SELECT * FROM moved, clv_backtest('halves', 'history', NULL, '1 year', model => model, covariates => 'history');
SELECT * FROM model, clv_backtest('halves', 'history', NULL, '1 year', model => model, covariates => 'z');
SELECT *
FROM clv_backtest('customer', 'history', '2020-12-31', '1 year',
		 model => clv_model('bg/bb', '{"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.8}', '13 weeks'));
SET client_min_messages = error;
SELECT *
FROM clv_backtest('customer', 'history', '2020-12-31', '1 year',
		 clv_options(model => 'rfmtc', time_unit => '13 weeks'));
SET client_min_messages = warning;
-- warnings: the hold-out is not over yet; the model was fitted to some of it
SELECT customers FROM clv_backtest('customer', 'history', '2021-06-30', '1 year');
SELECT customers FROM clv_backtest('customer', 'history', '2021-06-30', '6 months');
SELECT customers FROM model, clv_backtest('customer', 'history', '2020-06-30', '6 months', model => model);
RESET datestyle;
DROP SCHEMA validate_backtest, "Odd Schema" CASCADE;
