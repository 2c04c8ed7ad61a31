-- Buyers at random, seen on whole days, have no regularity, however often they buy; regular ones do. Purchases of
-- one day are one, which takes the shortest times away.
SET client_min_messages = error;
CREATE FUNCTION pg_temp.u(c int, i int, k text) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (('x' || substr(md5(c || ' ' || i || ' ' || k), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;
CREATE FUNCTION pg_temp.gap(c int, i int, k int) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN -(SELECT sum(ln(pg_temp.u(c, i, 'gap' || j))) FROM generate_series(1, k) j) / k;
CREATE TEMP TABLE customer AS
	SELECT k, rate, c, clv_history(date '2020-01-01' + floor(day)::int) AS history
	  FROM (SELECT k, rate, c, i,
				   sum(CASE WHEN i = 0 THEN pg_temp.u(c, 0, 'first') * 20 ELSE pg_temp.gap(c, i, k) / rate / (
					   0.5 + pg_temp.u(c, 0, 'rate')) END) OVER (PARTITION BY k, rate, c ORDER BY i) AS day
			  FROM (VALUES (1, 0.05), (1, 0.25), (1, 0.8), (2, 0.1), (3, 0.1)) v (k, rate),
				   generate_series(1, 120) c, generate_series(0, 25) i) q
	 WHERE day < 200 AND i <= 30 * pg_temp.u(c, 0, 'leave') GROUP BY k, rate, c;
SELECT k AS truth, rate, estimate AS k,
	   purchase_model = 'mbg/cnbd-k' AND estimate = 1 OR k > 1 AND estimate = k AS right_k
  FROM (SELECT k, rate,
			   clv_fit(history, clv_options(model => 'mbg/cnbd-k', as_of => '2020-07-19', spend => 'none')) AS m
		  FROM customer GROUP BY k, rate) q,
       clv_parameters(m) p, clv_diagnostics(m) d WHERE name = 'k' ORDER BY truth, rate;
-- 'auto' compares larger shapes with families of random times on the same grid
SELECT k AS truth, rate, purchase_model = 'mbg/cnbd-k' AS regular
  FROM (SELECT k, rate,
			   clv_fit(history, clv_options(model => 'auto', as_of => '2020-07-19', spend => 'none')) AS m
		  FROM customer GROUP BY k, rate) q,
       clv_diagnostics(m) d ORDER BY truth, rate;
RESET client_min_messages;
\set VERBOSITY terse
-- a warning tells of an as_of far beyond the data, a notice of customers with repeat purchases only
SELECT clv_fit(history, clv_options(as_of => '2021-07-19', spend => 'none')) IS NULL AS no_model
  FROM customer WHERE k = 1 AND rate = 0.05;
SELECT clv_fit(c) IS NULL AS no_model
  FROM (SELECT clv_cells(history, clv_options(as_of => '2020-07-19', spend => 'none')) AS c
		  FROM customer WHERE k = 1 AND rate = 0.05 AND clv_purchases(history) > 1 GROUP BY customer.c % 3) q;
