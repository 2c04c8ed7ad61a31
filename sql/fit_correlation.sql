-- pareto/nbd/cor: purchase and churn rate are correlated
CREATE FUNCTION pg_temp.u(c int, i int, k text) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (('x' || substr(md5(c || ' ' || i || ' ' || k), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;
-- rates are exponentially distributed: 1.4 purchases a year, 0.7 deaths; the quick ones leave soon
CREATE TEMP TABLE customer AS
WITH rate AS (
	SELECT c, -ln(pg_temp.u(c, 0, 'lambda')) * 1.4 AS lambda,
		   -ln(CASE WHEN c % 12 = 0 THEN pg_temp.u(c, 0, 'lambda') ELSE pg_temp.u(c, 0, 'mu') END) * 0.7 AS mu
	  FROM generate_series(1, 900) c),
purchase AS (
	SELECT c, lambda, mu,
		   c % 365 + 365 * CASE WHEN i = 0 THEN 0 ELSE sum(-ln(pg_temp.u(c, i, 'gap')) / lambda)
			   OVER (PARTITION BY c ORDER BY i) + ln(pg_temp.u(c, 0, 'gap')) / lambda END AS day,
		   c % 365 - 365 * ln(pg_temp.u(c, 0, 'death')) / mu AS death
	  FROM rate, generate_series(0, 30) i)
SELECT c AS customer_id, clv_history(date '2015-01-01' + least(day, 1e5)::int, 10 + c % 7) AS history
  FROM purchase WHERE day <= death AND day < 2190 GROUP BY c;
CREATE TEMP VIEW options AS
SELECT clv_options(model => 'pareto/nbd', correlation => true, time_unit => '1 year', as_of => '2020-12-31',
		   spend => 'none') AS o;
SELECT o ->> 'model' AS model,
	   o = clv_options(model => 'pareto/nbd/cor', time_unit => '1 year', as_of => '2020-12-31',
		   spend => 'none') AS by_name,
	   o = clv_options(model => 'pareto/nbd/cor', correlation => true, time_unit => '1 year',
		   as_of => '2020-12-31', spend => 'none') AS both
  FROM options;
CREATE TEMP TABLE model AS
SELECT (SELECT clv_fit(history, o) FROM customer, options) AS m,
	   (SELECT clv_fit(history, o || '{"model": "pareto/nbd"}') FROM customer, options) AS plain;

SELECT name, std_error > 0 AS known, lower < estimate AND estimate < upper AS within, process
  FROM model, clv_parameters(m);
SELECT purchase_model, converged, customers, abs(aic - (10 - 2 * log_likelihood)) < 1e-9 AS five_parameters
  FROM model, clv_diagnostics(m);
SELECT abs(log_likelihood - likelihood) < 1e-8 AS likelihood FROM model, clv_diagnostics(m),
	LATERAL (SELECT sum(clv_log_likelihood(m, history)) AS likelihood FROM customer) s;
-- the correlation and its standard error follow from m and the other parameters
SELECT abs(c.estimate / (mm.estimate * sqrt(r * s) / ((alpha + 1)
		   * (beta + 1)) * (alpha / (alpha + 1)) ^ r * (beta / (beta + 1)) ^ s) - 1) < 1e-12 AS correlation,
	   c.estimate BETWEEN 0 AND 1 AS positive,
	   c.std_error / c.estimate
		   BETWEEN 0.3 * mm.std_error / mm.estimate AND 3 * mm.std_error / mm.estimate AS error
  FROM model, clv_parameters(m) c, clv_parameters(m) mm,
	LATERAL (SELECT (p ->> 'r')::float8 AS r, (p ->> 'alpha')::float8 AS alpha, (p ->> 's')::float8 AS s,
					(p ->> 'beta')::float8 AS beta
			 FROM (SELECT m::jsonb #> '{purchase,parameters}' AS p) q) p
 WHERE c.name = 'correlation' AND mm.name = 'm';
-- it contains pareto/nbd
SELECT df, larger, statistic > 0 AS better, p_value BETWEEN 0 AND 1 AS p FROM model, clv_compare(plain, m);
SELECT clv_compare(m, (SELECT clv_fit(history, o || '{"model": "mbg/nbd"}') FROM customer, options)) FROM model;
-- the same in any order, in parts, from either start, from options by hand, through text and jsonb
SELECT (SELECT clv_fit(history, o ORDER BY md5(customer_id::text)) FROM customer, options) = m AS shuffled,
	   (SELECT clv_fit(c)
		  FROM (SELECT clv_cells(history, o) AS c
				  FROM customer, options GROUP BY customer_id % 7) q) = m AS in_parts,
	   (SELECT clv_fit(history, o - 'model' || '{"model": "pareto/nbd", "correlation": true}')
		  FROM customer, options) = m AS by_hand,
	   m::text::clv_model = m AS text, m::jsonb::clv_model = m AS jsonb FROM model;
SELECT bool_and(abs(a.estimate - b.estimate) < 1e-6 * abs(a.estimate)) AS same
  FROM model, unnest(ARRAY[m, plain]) AS s,
	   LATERAL (SELECT clv_fit(history,
						   clv_options(model => 'pareto/nbd/cor', time_unit => '1 year', as_of => '2020-12-31',
							   spend => 'none', start => s)) AS n
				  FROM customer) q,
	clv_parameters(m) a JOIN LATERAL clv_parameters(n) b USING (name);

-- expectations are sums over probabilities, of known and of new customers, by history and by number
SELECT max(abs(sum - 1)) < 1e-12 AS one, max(abs(mean / expected - 1)) < 1e-10 AS mean,
	   max(abs(by_number / expected - 1)) < 1e-12 AS by_number, bool_and(p_alive BETWEEN 0 AND 1) AS p
  FROM (SELECT customer_id, sum(p), sum(n * p) AS mean, min(e) AS expected,
			   min(clv_expected_purchases(m, x, t_x, t_cal, 1)) AS by_number, min(a) AS p_alive
		  FROM model, customer, clv_summary(history, '2020-12-31', '1 year'), generate_series(0, 400) n,
			   clv_purchase_probability(m, history, n, '1 year') p,
			   clv_expected_purchases(m, history, '1 year') e, clv_p_alive(m, history) a
		 WHERE customer_id % 50 = 1 GROUP BY 1) q;
SELECT abs(sum(p) - 1) < 1e-12 AS one, abs(sum(n * p) / clv_expected_purchases(m, 2) - 1) < 1e-10 AS mean
  FROM model, generate_series(0, 400) n, clv_purchase_probability(m, n, 2) p GROUP BY m;
SELECT bool_and(below < 0.9 AND below + p >= 0.9 - 1e-12) AS quantile
  FROM (SELECT customer_id, sum(p) FILTER (WHERE n < q) AS below, sum(p) FILTER (WHERE n = q) AS p
		  FROM model, customer, generate_series(0, 100) n, clv_purchase_probability(m, history, n, '2 years') p,
			   clv_purchase_quantile(m, history, '2 years', 0.9) q
		 WHERE customer_id % 100 = 1 AND q > 0 GROUP BY 1) s;
SELECT max(abs(sum / expected_purchases - 1)) < 1e-12 AS forecast
  FROM (SELECT customer_id, sum(f.expected_purchases), min(p.expected_purchases) AS expected_purchases
		  FROM model, customer, clv_forecast(m, history, 12, '1 month') f, clv_predict(m, history, '1 year') p
		 GROUP BY 1) q;
SELECT abs(t.expected_purchases / sum - 1) < 1e-12 AS total, t.purchases_low < sum AND sum < t.purchases_high AS within
  FROM (SELECT (clv_predict_total(m, history, '1 year')).*,
			   sum((clv_predict(m, history, '1 year')).expected_purchases)
		  FROM model, customer) t;
SELECT bool_and(finite > 0 AND finite < whole AND finite < undiscounted) AS discounted
  FROM model, customer, clv_discounted_purchases(m, history, 0.1, '5 years') finite,
	   clv_discounted_purchases(m, history, 0.1) whole,
	clv_expected_purchases(m, history, '5 years') undiscounted;
SELECT abs(clv_survival(m, 3) - (beta / (beta + 3)) ^ s) < 1e-12 AS survival,
	   abs((clv_new_customer(m, '2 years')).expected_purchases / clv_expected_purchases(m, 2) - 1)
		   < 1e-12 AS new_customer
  FROM model,
	   LATERAL (SELECT (m::jsonb #>> '{purchase,parameters,s}')::float8 AS s,
					   (m::jsonb #>> '{purchase,parameters,beta}')::float8 AS beta) p;
SELECT customers > 100 AS customers, abs(total_error) < 0.5 AS total
  FROM clv_backtest('customer', 'history', '2019-12-31', '1 year',
		   options => clv_options(model => 'pareto/nbd', correlation => true, time_unit => '1 year',
			   spend => 'none'));

-- m = 0 is pareto/nbd to the last digit
CREATE TEMP VIEW zero AS
SELECT plain AS a,
	   jsonb_set(jsonb_set(plain::jsonb #- '{purchase,covariance}', '{purchase,family}', '"pareto/nbd/cor"'),
		   '{purchase,parameters,m}', '0')::clv_model AS b
  FROM model;
SELECT bool_and(clv_predict(a, history, '1 year', 0.1, level => 0.9)
		   = clv_predict(b, history, '1 year', 0.1, level => 0.9)) AS same
  FROM zero, customer;
SELECT std_error IS NULL AS unknown, estimate FROM zero, clv_parameters(b) WHERE name IN ('m', 'correlation');

-- the limits of m depend on the other parameters, and on the time unit
SELECT clv_model('pareto/nbd/cor', '{"r": 0.5, "alpha": 10, "s": 0.5, "beta": 9, "m": 21.5}', '1 week');
SELECT clv_model('pareto/nbd/cor', '{"r": 0.5, "alpha": 10, "s": 0.5, "beta": 9, "m": -1.2}', '1 week');
SELECT clv_model('pareto/nbd/cor', '{"r": 0.5, "alpha": 10, "s": 0.5, "beta": 9}', '1 week');
SELECT clv_model('pareto/nbd/cor', '{"r": 0.5, "alpha": 10, "s": 0.5, "beta": 9, "m": -1}', '1 week')
	   IS NOT NULL AS model;
SELECT clv_fit(history, o || '{"start": {"pareto/nbd/cor": {"r": 1, "alpha": 1, "s": 1, "beta": 1, "m": 9}}}')
  FROM customer, options;
-- in days m ends at its limit
SET client_min_messages = error;
SELECT d.converged, d.log_likelihood > p.log_likelihood AS better, std_error IS NULL AND lower IS NULL AS no_error
  FROM (SELECT clv_fit(history, o || '{"time_unit": "1 day"}') AS m,
			   clv_fit(history, o || '{"time_unit": "1 day", "model": "pareto/nbd"}') AS n
		  FROM customer, options) q,
	clv_diagnostics(m) d, clv_diagnostics(n) p, clv_parameters(m) c WHERE name = 'correlation';
RESET client_min_messages;
-- errors for other families and with covariates; auto does not try it
SELECT clv_options(model => 'mbg/nbd', correlation => true);
SELECT clv_options(model => 'auto', correlation => true);
SELECT clv_options(model => 'pareto/nbd', correlation => true, covariates => '{z}');
SELECT clv_options(model => 'pareto/nbd', correlation => true,
		   start => clv_model('mbg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '7 days'));
SELECT clv_fit(history, '{"model": "bg/nbd", "correlation": true}') FROM customer;
SET client_min_messages = error;
SELECT purchase_model <> 'pareto/nbd/cor' AND NOT candidates @> '[{"family": "pareto/nbd/cor"}]' AS not_tried
  FROM (SELECT clv_fit(history, o || '{"model": "auto"}') AS m FROM customer, options) q, clv_diagnostics(m);
DROP VIEW options, zero;
DROP TABLE customer, model;
