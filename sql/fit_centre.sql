-- Wherever a covariate has its 0, as year or as year - 2020: the same model. 600 simulated customers, of whom those of
-- later years buy more often and differ less in how soon they leave.
CREATE FUNCTION pg_temp.u(c int, i int, k text) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (('x' || substr(md5(c || ' ' || i || ' ' || k), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;
CREATE TEMP TABLE customer AS
WITH purchase AS (
	SELECT c, i, date '2020-01-01' + (c % 90 + sum(CASE WHEN i = 0 THEN 0 ELSE
			1 - 30 * exp(-0.5 * (c % 10 - 5)) * ln(pg_temp.u(c, i, 'gap'))
			/ -ln(pg_temp.u(c, 0, 'rate') * pg_temp.u(c, 1, 'rate')) END) OVER w)::int AS day,
		   coalesce(bool_or(pg_temp.u(c, i, 'left') < pg_temp.u(c, 0, 'leaves') ^ exp(0.1 * (c % 10 - 5)))
			OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS gone
	  FROM generate_series(1, 600) c, generate_series(0, 20) i
	WINDOW w AS (PARTITION BY c ORDER BY i))
SELECT c, c % 10 - 5 AS year, c % 3 AS part, clv_history(day, (1 + c % 7 + (c + i) % 5)::numeric) AS history
  FROM purchase WHERE NOT gone AND day < '2021-06-01' GROUP BY c;

-- The largest relative difference of two rows; NaN where only one has a value.
CREATE FUNCTION pg_temp.differs(a jsonb, b jsonb) RETURNS float8 LANGUAGE sql AS $$
SELECT max(CASE WHEN x.value IS NOT DISTINCT FROM y.value THEN 0
				WHEN jsonb_typeof(x.value) = 'number' AND jsonb_typeof(y.value) = 'number'
				THEN abs(x.value::float8 - y.value::float8) / greatest(abs(y.value::float8), 1e-300)
				ELSE 'NaN' END)
  FROM jsonb_each(a) x FULL JOIN jsonb_each(b) y USING (key) $$;
-- The same of the parameters of purchases of two models, where the covariate of the first is larger by so many years.
CREATE FUNCTION pg_temp.parameters_differ(a clv_model, b clv_model, years int) RETURNS float8 LANGUAGE sql AS $$
SELECT max(CASE WHEN p.process = 'centre' AND q.process = 'centre'
				THEN abs(p.estimate - q.estimate - years) / abs(p.estimate)
				ELSE pg_temp.differs(to_jsonb(p), to_jsonb(q)) END)
  FROM clv_parameters(a) p FULL JOIN clv_parameters(b) q USING (name, process) WHERE process <> 'spend' $$;

SET client_min_messages = error;
CREATE TEMP TABLE model AS
SELECT f.name || CASE WHEN f.penalty > 0 THEN ' with a penalty' ELSE '' END AS fit, zero, o,
	   clv_fit(history, o, ARRAY[year + zero]) AS m
  FROM (VALUES ('mbg/nbd', 0), ('bg/nbd', 0), ('bg/nbd', 0.01), ('mbg/cnbd-k', 0), ('pareto/nbd', 0),
			('ggompertz/nbd', 0), ('auto', 0)) f (name, penalty),
	   clv_options(model => f.name, as_of => '2021-06-01', covariates => '{year}', shape_penalty => f.penalty) o,
	   unnest(ARRAY[0, 2020]) zero, customer
 GROUP BY 1, 2, 3;
CREATE TEMP VIEW pair AS
SELECT a.fit, a.o, a.m AS a, b.m AS b FROM model a JOIN model b USING (fit) WHERE a.zero = 2020 AND b.zero = 0;

-- fits; the means of the year are 2019.5 and -0.5, and no double holds the parameters where it is 0
SELECT fit, abs(2020 * estimate) > 710 AS beyond
  FROM pair, clv_parameters(a) WHERE process = 'purchase effect' ORDER BY fit;
SELECT fit, pg_temp.differs(to_jsonb(d) - 'candidates', to_jsonb(e) - 'candidates') < 1e-9 AS diagnostics,
	   pg_temp.parameters_differ(a, b, 2020) < 1e-9 AS parameters,
	   (a::jsonb #>> '{purchase,covariates,0,centre}')::float8 - 2019.5 AS centre
  FROM pair, clv_diagnostics(a) d, clv_diagnostics(b) e ORDER BY fit;
-- in two steps, from parts
SELECT fit, a = (SELECT clv_fit(c)
				   FROM (SELECT clv_cells(history, o, ARRAY[year + 2020]) AS c FROM customer GROUP BY part) q) AS same
  FROM pair ORDER BY fit;
-- from a start, whose centre need not be that of the customers: in as few iterations no other start arrives
SELECT fit, since, pg_temp.parameters_differ(warm, whole, 0) < 1e-9 AS same, w.converged, d.converged AS without_start
  FROM pair, (VALUES (-5, 2), (0, 4)) v (since, most),
	   clv_options(model => fit, as_of => '2021-06-01', covariates => '{year}', spend => 'none') plain,
	   clv_options(model => fit, as_of => '2021-06-01', covariates => '{year}', spend => 'none',
				   max_iterations => most) few,
	   clv_options(model => fit, as_of => '2021-06-01', covariates => '{year}', spend => 'none', max_iterations => most,
				   start => a) started,
	   LATERAL (SELECT clv_fit(history, started, ARRAY[year + 2020]) AS warm,
					   clv_fit(history, few, ARRAY[year + 2020]) AS cold,
					   clv_fit(history, plain, ARRAY[year + 2020]) AS whole
				  FROM customer WHERE year >= since) q,
	   clv_diagnostics(warm) w, clv_diagnostics(cold) d
 WHERE fit IN ('mbg/nbd', 'pareto/nbd') ORDER BY 1, 2;

-- predictions of customers and of newcomers, by history and by number
SELECT fit, bool_and(pg_temp.differs(to_jsonb(p), to_jsonb(q)) < 1e-9) AS predict,
	   bool_and(abs(clv_log_likelihood(a, history, covariates => ARRAY[year + 2020])
					/ clv_log_likelihood(b, history, covariates => ARRAY[year]) - 1) < 1e-9) AS likelihood,
	   bool_and(pg_temp.differs(to_jsonb(n), to_jsonb(k)) < 1e-9) AS newcomer,
	   bool_and(pg_temp.parameters_differ(clv_with_covariates(a, ARRAY[year + 2020]),
										  clv_with_covariates(b, ARRAY[year]), 0) < 1e-9) AS at_covariates,
	   bool_and(abs(clv_p_alive(clv_with_covariates(a, ARRAY[year + 2020]), x, t_x, t_cal) / p.p_alive - 1) < 1e-9)
			AS by_number
  FROM pair, (SELECT DISTINCT ON (year) * FROM customer ORDER BY year, clv_purchases(history) DESC, c) c,
	   clv_summary(history, '2021-06-01'),
	   clv_predict(a, history, covariates => ARRAY[year + 2020]) p,
	   clv_predict(b, history, covariates => ARRAY[year]) q,
	   clv_new_customer(a, covariates => ARRAY[year + 2020]) n, clv_new_customer(b, covariates => ARRAY[year]) k
 GROUP BY fit ORDER BY fit;
SELECT fit, bool_and(pg_temp.differs(to_jsonb(p), to_jsonb(q)) < 1e-9) AS forecast
  FROM pair, customer, clv_forecast(a, history, 3, '1 month', covariates => ARRAY[year + 2020]) p
  JOIN LATERAL clv_forecast(b, history, 3, '1 month', covariates => ARRAY[year]) q USING (period_start)
 WHERE c <= 10 GROUP BY fit ORDER BY fit;
-- totals, with the limits that the covariance gives them
SELECT fit, pg_temp.differs(to_jsonb(a), to_jsonb(b)) < 1e-9 AS total,
	   (a).purchases_std_error > 0 AND (a).value_std_error > 0 AS known
  FROM (SELECT fit, clv_predict_total(a, history, '1 year', 0.1, 1, NULL, 0.95, ARRAY[year + 2020]) AS a,
			   clv_predict_total(b, history, '1 year', 0.1, 1, NULL, 0.95, ARRAY[year]) AS b
		  FROM pair, customer WHERE fit IN ('mbg/nbd', 'pareto/nbd') GROUP BY fit) q
 ORDER BY fit;

-- the model as a value, and compared
SELECT bool_and(a::text::clv_model = a AND a::jsonb::clv_model = a) AS forms,
	   bool_and((a::jsonb #>> '{purchase,covariates,0,centre}')::float8 = p.estimate) AS centre
  FROM pair, clv_parameters(a) p WHERE process = 'centre';
SELECT fit, pg_temp.differs(to_jsonb(p), to_jsonb(q)) < 1e-9 AS comparison
  FROM (SELECT clv_fit(history, clv_options(as_of => '2021-06-01')) AS plain FROM customer) c, pair,
	   clv_compare(a, plain) p, clv_compare(b, plain) q
 WHERE fit = 'mbg/nbd';
-- a back-test, and what it tracks
CREATE TEMP TABLE source AS
SELECT history, ARRAY[year]::float8[] AS short, ARRAY[year + 2020]::float8[] AS long FROM customer;
SELECT pg_temp.differs(to_jsonb(p), to_jsonb(q)) < 1e-9 AS backtest
  FROM clv_options(covariates => '{year}') o,
	   clv_backtest('source', 'history', '2020-12-31', '3 months', o, covariates => 'long') p,
	   clv_backtest('source', 'history', '2020-12-31', '3 months', o, covariates => 'short') q;
SELECT fit, bool_and(pg_temp.differs(to_jsonb(p), to_jsonb(q)) < 1e-9) AS tracking
  FROM pair, clv_tracking('source', 'history', a, '1 month', covariates => 'long') p
  JOIN LATERAL clv_tracking('source', 'history', b, '1 month', covariates => 'short') q USING (number)
 WHERE fit = 'mbg/nbd' GROUP BY fit;
