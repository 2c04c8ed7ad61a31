-- a fit that did not converge has expectations, and no limits: not of its parameters, not of predictions
\set VERBOSITY terse
SET client_min_messages = error;
CREATE TEMP TABLE customer AS
	SELECT i AS customer,
		   clv_history(date '2020-01-01' + (i * 37) % 90 + k * (3 + (i * 7919) % 41),
			   5 + (i * 31 + k * k * 7) % 50) AS history
	FROM generate_series(1, 300) i, generate_series(0, 9) k WHERE k <= (i * i + 3 * i) % 11 GROUP BY i;
CREATE TEMP TABLE model AS
	SELECT clv_fit(history,
		   clv_options(as_of => '2021-01-01', max_iterations => 1, shape_penalty => 0.01)) AS short,
		   clv_fit(history, clv_options(as_of => '2021-01-01', shape_penalty => 0.01)) AS whole
	  FROM customer;
SELECT s.converged AS short_converged, w.converged AS whole_converged
  FROM model, clv_diagnostics(short) s, clv_diagnostics(whole) w;
RESET client_min_messages;
SELECT s.remark AS short, w.remark AS whole FROM model, clv_diagnostics(short) s, clv_diagnostics(whole) w;
-- with GROUP BY a warning says which group it is about
\set VERBOSITY default
SELECT late, customers, first, (clv_diagnostics(m)).converged
  FROM (SELECT clv_first_purchase(history) >= '2020-02-15' AS late, count(*) AS customers,
			   min(clv_first_purchase(history)) AS first,
	clv_fit(history,
		clv_options(as_of => '2021-01-01',
			max_iterations => CASE WHEN clv_first_purchase(history) >= '2020-02-15' THEN 1 ELSE 100 END,
			shape_penalty => 0.01, spend => 'none')) AS m
	  FROM customer GROUP BY 1) q ORDER BY late;
SELECT (clv_diagnostics(m)).customers
  FROM (SELECT clv_fit(x, t_x, t_cal, NULL,
				   clv_options(max_iterations => 1, shape_penalty => 0.01, spend => 'none')) AS m
		  FROM customer, clv_summary(history, '2021-01-01')) q;
-- a fit that converged where the likelihood is flat: one notice, the parameters of each group in its remark
SELECT third, remark ~ ('limits: ' || loose || '$') AS named, loose ~ '^a.* b[^,]*$' AS a_and_b, converged
  FROM (SELECT customer % 3 AS third,
	clv_fit(history, clv_options(as_of => '2020-08-01', shape_penalty => 0.00001, spend => 'none')) AS m
	  FROM customer WHERE customer % 3 < 2 GROUP BY 1) q, clv_diagnostics(m),
	LATERAL (SELECT string_agg(name || ' [^ ]+ to [^ ]+', ', ') FILTER (WHERE upper / lower > 10000) AS loose
			   FROM clv_parameters(m)) p ORDER BY third;
\set VERBOSITY terse
SELECT which, process, bool_and(estimate > 0) AS estimates, count(std_error) AS errors, count(lower) AS lower,
	   count(upper) AS upper
  FROM (SELECT 'short' AS which, short AS m FROM model UNION ALL SELECT 'whole', whole FROM model) q,
	   clv_parameters(m) GROUP BY which, process ORDER BY which, process;
-- one warning a statement, whatever the number of customers or groups
SELECT count(expected_purchases) = 300 AS expectations,
	   count(purchases_low) + count(purchases_high) + count(clv_low) + count(clv_high) AS limits
  FROM customer, model, clv_predict(short, history, level => 0.9);
SELECT count(expected_purchases) = 300 AS expectations, count(purchases_low) = 300 AND count(clv_high) = 300 AS limits
  FROM customer, model, clv_predict(whole, history, level => 0.9);
SELECT count(*) AS groups, bool_and((t).expected_purchases > 0 AND (t).expected_value > 0) AS expectations,
	   bool_or(t::text !~ ',,,,,.*,,,,') AS other_than_null
  FROM (SELECT clv_predict_total(short, history, '1 year') AS t FROM customer, model GROUP BY customer % 3) q;
SELECT bool_and(t::text !~ ',,') AS limits
  FROM (SELECT clv_predict_total(whole, history, '1 year') AS t FROM customer, model GROUP BY customer % 3) q;
-- or of calls
SELECT (clv_predict_total(short, history, '1 year')).value_low IS NULL AS a_year,
	   (clv_predict_total(short, history, '2 years')).value_low IS NULL AS two
  FROM customer, model;
