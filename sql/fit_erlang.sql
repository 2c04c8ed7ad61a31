-- mbg/cnbd-k: regular buyers; the likelihood chooses k, for which cells sum the logarithms of times between purchases
CREATE FUNCTION pg_temp.u(c int, i int, k text) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (('x' || substr(md5(c || ' ' || i || ' ' || k), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;
-- every third event of a Poisson process is a purchase
CREATE TEMP TABLE customer AS
WITH purchase AS (
	SELECT c, i, sum(CASE WHEN i = 0 THEN c % 100
						  ELSE 1 - 8 * ln(pg_temp.u(c, i, 'a') * pg_temp.u(c, i, 'b') * pg_temp.u(c, i, 'c'))
							  / -ln(pg_temp.u(c, 0, 'r') * pg_temp.u(c, 1, 'r')) END) OVER w AS day,
		   coalesce(bool_or(pg_temp.u(c, i, 'dropout')
			   < pg_temp.u(c, 0, 'leave') ^ 2) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
			   false) AS gone
	  FROM generate_series(1, 500) c, generate_series(0, 20) i WINDOW w AS (PARTITION BY c ORDER BY i))
SELECT c AS customer_id, clv_history(date '2020-01-01' + day::int) AS history
  FROM purchase WHERE NOT gone AND day < 360 GROUP BY c;
CREATE TEMP VIEW options AS SELECT clv_options(model => 'mbg/cnbd-k', as_of => '2020-12-31', spend => 'none') AS o;
CREATE TEMP TABLE model AS SELECT clv_fit(history, o) AS m FROM customer, options;

SELECT name, estimate BETWEEN 2 AND 4 AS regular, std_error IS NULL AS not_searched, process
  FROM model, clv_parameters(m) WHERE name = 'k';
SELECT purchase_model, converged, abs(aic - (10 - 2 * log_likelihood)) < 1e-9 AS five_parameters
  FROM model, clv_diagnostics(m);
-- the likelihoods of all k, of which the highest was chosen
CREATE TEMP TABLE each AS
SELECT k, clv_fit(history, o || jsonb_build_object('k', k)) AS m
  FROM customer, options, generate_series(1, 8) k GROUP BY k;
SELECT e.k > 1 AS regular,
	   e.m::jsonb #- '{purchase,iterations}' = model.m::jsonb #- '{purchase,iterations}' AS same
  FROM model, (SELECT k, m FROM each, clv_diagnostics(m) ORDER BY log_likelihood DESC LIMIT 1) e;
-- each is the likelihood of the customers and of the times between their purchases, in weeks
SELECT bool_and(abs(log_likelihood - likelihood - (k - 1) * times + purchases * lngamma) < 1e-6) AS likelihood
  FROM (SELECT k, log_likelihood, m FROM each, clv_diagnostics(m)) e,
	   (SELECT sum(ln(gap / 7.0)) AS times, count(gap) AS purchases FROM
		(SELECT l.day - lag(l.day) OVER (PARTITION BY customer_id ORDER BY l.day) AS gap
		   FROM customer, clv_purchase_log(history) l) q) t,
	   LATERAL (SELECT sum(clv_log_likelihood(e.m, x, t_x, t_cal)) AS likelihood
				  FROM customer, clv_summary(history, '2020-12-31')) l,
	   LATERAL (SELECT coalesce(sum(ln(i)), 0) AS lngamma FROM generate_series(1, k - 1) i) g;
-- k = 1 is mbg/nbd
SELECT abs(a.log_likelihood / b.log_likelihood - 1) < 1e-12 AS same FROM each, clv_diagnostics(m) a,
	(SELECT clv_fit(history, clv_options(as_of => '2020-12-31', spend => 'none')) AS n FROM customer) q,
		clv_diagnostics(n) b
	 WHERE k = 1;
-- purchases after as_of do not count in the sum of times, either
SELECT clv_cells(history, o || '{"as_of": "2020-06-30"}')
	   - clv_cells(history, o || '{"as_of": "2020-06-30"}') FILTER (WHERE customer_id > 250)
	 = clv_cells(history, o || '{"as_of": "2020-06-30"}') FILTER (WHERE customer_id <= 250) AS taken_out
	   FROM customer, options;
SELECT (SELECT clv_fit(c)
		  FROM (SELECT clv_cells(history, o) AS c
				  FROM customer, options GROUP BY customer_id % 7) q) = m AS in_parts,
	   (SELECT clv_fit(history, o ORDER BY md5(customer_id::text)) FROM customer, options) = m AS shuffled,
	   (SELECT clv_fit(c::text::clv_cells) FROM (SELECT clv_cells(history, o) AS c FROM customer, options) q)
	   = m AS through_text
  FROM model;
-- summaries have no times between purchases: k = 1 alone
SELECT estimate
  FROM (SELECT clv_fit(x, t_x, t_cal, NULL, clv_options(model => 'mbg/cnbd-k', spend => 'none')) AS m
		  FROM customer, clv_summary(history, '2020-12-31')) q,
	clv_parameters(m) WHERE name = 'k';
SELECT clv_fit(x, t_x, t_cal, NULL, clv_options(model => 'mbg/cnbd-k', spend => 'none', k => 2))
  FROM customer, clv_summary(history, '2020-12-31');
SELECT clv_fit(c, clv_options(model => 'mbg/cnbd-k', k => 2, spend => 'none'))
  FROM (SELECT clv_cells(history, clv_options(as_of => '2020-12-31', spend => 'none')) AS c FROM customer) q;
-- 'auto' finds the regularity
SELECT purchase_model
  FROM (SELECT clv_fit(history, clv_options(model => 'auto', as_of => '2020-12-31', spend => 'none')) AS m
		  FROM customer) q, clv_diagnostics(m);
SELECT clv_options(model => 'mbg/cnbd-k', k => 0);
SELECT clv_options(model => 'mbg/cnbd-k', k => 9);
SELECT clv_options(model => 'mbg/nbd', k => 2);
DROP VIEW options;
DROP TABLE customer, model, each;
