-- families with clocks of their own: opportunities, renewals, campaigns
CREATE FUNCTION pg_temp.u(c int, i int, k text) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (('x' || substr(md5(c || ' ' || i || ' ' || k), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;

-- ---- bg/bb: donors who give in a month or not ----
-- histories in periods of 30 days: the first has days 1-30 after the first purchase; the day as_of is inclusive
CREATE FUNCTION pg_temp.cell(days int[], as_of date, model text DEFAULT 'bg/bb', grace interval DEFAULT NULL)
RETURNS jsonb LANGUAGE sql
	RETURN (SELECT clv_cells(h,
					   clv_options(model => model, time_unit => '30 days', as_of => as_of, spend => 'none',
						   grace => grace))::jsonb #> '{cells,0}'
			  FROM (SELECT clv_history(date '2020-01-01' + d) FROM unnest(days) d) q (h));
SELECT days, at, pg_temp.cell(days, date '2020-01-01' + at) AS "x, t_x, T, count" FROM (VALUES
	('{0}'::int[], 0), ('{0}', 29), ('{0}', 58), ('{0}', 59), ('{0}', 89),
	('{0,29}', 119), ('{0,30}', 119), ('{0,59}', 119), ('{0,60}', 119), ('{0,30,31,59}', 119), ('{0,30,60,90}', 119),
	('{0,30,60,90}', 118), ('{0,30,60,90}', 117), ('{0,30,60,90}', 88), ('{0,100}', 118),
	('{0,200}', 119)) v (days, at);
CREATE TEMP TABLE donor AS
SELECT c, clv_history(date '2020-01-01' + c % 300 + i * 30, 10::numeric) AS history,
	   count(*) FILTER (WHERE i > 0) AS x, coalesce(max(i), 0) AS t_x
  FROM (SELECT c, i,
			   bool_or(i > 0
				   AND pg_temp.u(c, i, 'die')
					   < pg_temp.u(c, 0, 'theta') ^ 3) OVER (PARTITION BY c ORDER BY i) AS gone
		  FROM generate_series(1, 500) c, generate_series(0, 12) i) q
 WHERE i = 0 OR NOT gone AND pg_temp.u(c, i, 'give') < pg_temp.u(c, 0, 'p') GROUP BY c;
-- the cells against counts in SQL
CREATE TEMP VIEW counted AS
SELECT c, count(DISTINCT period) FILTER (WHERE period > 0 AND period <= n) AS x,
	   coalesce(max(period) FILTER (WHERE period <= n), 0) AS t_x, n
  FROM (SELECT c, (l.day - clv_first_purchase(history) + 29) / 30 AS period,
			   (date '2020-12-31' - clv_first_purchase(history)) / 30 AS n
		  FROM donor, clv_purchase_log(history) l) q GROUP BY c, n;
CREATE TEMP TABLE bgbb AS
SELECT clv_fit(history,
		   clv_options(model => 'bg/bb', time_unit => '30 days', as_of => '2020-12-31', spend => 'none')) AS m
  FROM donor;
SELECT d.purchase_model, d.converged, d.customers, abs(d.log_likelihood - s.log_likelihood) < 1e-9 AS same_likelihood,
	   (SELECT bool_and(a.estimate = b.estimate)
		  FROM clv_parameters(m) a
		  JOIN clv_parameters(n) b USING (name, process)) AS same_parameters,
	   abs(d.log_likelihood - (SELECT sum(clv_log_likelihood(m, x, t_x, n)) FROM counted)) < 1e-8 AS likelihood
  FROM bgbb,
	   (SELECT clv_fit(x, t_x, n, NULL,
				   clv_options(model => 'bg/bb', time_unit => '30 days', spend => 'none')) AS n
		  FROM counted) q,
	   clv_diagnostics(m) d, clv_diagnostics(n) s;
SELECT (SELECT clv_fit(cells)
		  FROM (SELECT clv_cells(history,
						   clv_options(model => 'bg/bb', time_unit => '30 days', as_of => '2020-12-31',
							   spend => 'none')) AS cells
		FROM donor GROUP BY c % 7) q) = m AS in_parts FROM bgbb;
SELECT jsonb_array_length(c::jsonb -> 'cells')
	   = (SELECT count(*) FROM (SELECT DISTINCT x, t_x, n FROM counted) q) AS one_cell_each,
	   c::text::clv_cells = c AS text,
	   c::jsonb ->> 'kind' AS kind
  FROM (SELECT clv_cells(history,
				   clv_options(model => 'bg/bb', time_unit => '30 days', as_of => '2020-12-31',
					   spend => 'none')) AS c
		  FROM donor) q;

-- ---- sbg: contracts renewed once in 30 days; a period without payment, up to the grace after it, ends one ----
SELECT days, at, grace, pg_temp.cell(days, date '2020-01-01' + at, 'sbg', grace) AS "x, t_x, T, count" FROM (VALUES
	('{0}'::int[], 29, NULL::interval), ('{0}', 30, NULL), ('{0}', 30, '1 day'), ('{0}', 35, '5 days'),
		('{0,28,59}', 80, NULL), ('{0,28,59}', 90, NULL)) v (days, at, grace);
CREATE TEMP TABLE contract AS
SELECT c, c % 2 AS z, clv_history(date '2020-01-01' + i * 30, 5::numeric) AS history, max(i) AS made
  FROM (SELECT c, i,
			   coalesce(bool_or(i > 0
				   AND pg_temp.u(c, i, 'leave')
					   < pg_temp.u(c, 0, 'theta') ^ 2 * (1 - c % 2 / 2.0)) OVER (PARTITION BY c ORDER BY i),
				   false) AS gone
		  FROM generate_series(1, 600) c, generate_series(0, 7) i) q WHERE NOT gone GROUP BY c;
SELECT d.converged, d.customers,
	   (SELECT bool_and(a.estimate = b.estimate)
		  FROM clv_parameters(m) a
		  JOIN clv_parameters(n) b USING (name, process)) AS same
  FROM (SELECT clv_fit(history,
				   clv_options(model => 'sbg', time_unit => '30 days', as_of => '2020-08-10',
					   spend => 'none')) AS m,
			   clv_fit(made, made, made + CASE WHEN made < 7 THEN 1 ELSE 0 END, NULL,
				   clv_options(model => 'sbg', time_unit => '30 days', spend => 'none')) AS n
		  FROM contract) q,
	   clv_diagnostics(m) d;
-- a covariate has one effect, on churn: sbg has no purchase rate
SELECT name, process, estimate < 0 AS stays_longer, upper < 0 AS surely FROM
	(SELECT clv_fit(history,
				clv_options(model => 'sbg', time_unit => '30 days', as_of => '2020-08-10', covariates => '{z}',
					spend => 'none'), ARRAY[z]) AS m
	   FROM contract) q,
	clv_parameters(m) WHERE process LIKE '%effect';
-- wherever the covariate has its 0
SELECT abs(d.log_likelihood / e.log_likelihood - 1) < 1e-12 AS log_likelihood,
	   (SELECT bool_and(CASE p.process WHEN 'centre' THEN abs(q.estimate - p.estimate - 2020) < 1e-9
						ELSE abs(q.estimate / p.estimate - 1) < 1e-9 AND abs(q.std_error / p.std_error - 1) < 1e-9 END)
		  FROM clv_parameters(m) p JOIN clv_parameters(n) q USING (name, process)) AS parameters,
	   abs(clv_p_alive(n, history, covariates => '{2021}') / clv_p_alive(m, history, covariates => '{1}') - 1) < 1e-9
			AS p_alive
  FROM (SELECT clv_fit(history, o, ARRAY[z]) AS m, clv_fit(history, o, ARRAY[z + 2020]) AS n
		  FROM contract, clv_options(model => 'sbg', time_unit => '30 days', as_of => '2020-08-10',
									 covariates => '{z}', spend => 'none') o) q,
	   clv_diagnostics(m) d, clv_diagnostics(n) e, (SELECT history FROM contract WHERE made = 7 LIMIT 1) h;
SELECT df
  FROM (SELECT clv_fit(history,
				   clv_options(model => 'sbg', time_unit => '30 days', as_of => '2020-08-10',
					   covariates => '{z}', spend => 'none'), ARRAY[z]) AS m,
	clv_fit(history,
		clv_options(model => 'sbg', time_unit => '30 days', as_of => '2020-08-10', spend => 'none')) AS n
	  FROM contract) q, clv_compare(m, n);
-- the model stores the grace
SELECT m::jsonb ->> 'grace' AS grace, m::text::clv_model = m AS text, pg_column_size(m) < 1000 AS small FROM
	(SELECT clv_fit(history,
				clv_options(model => 'sbg', time_unit => '30 days', as_of => '2020-08-10', grace => '3 days',
					spend => 'none')) AS m
	   FROM contract) q;

-- ---- rfmtc: customers buying in the month after as_of ----
CREATE TEMP TABLE campaign AS
SELECT c, clv_history(d) AS history
  FROM (SELECT c, i,
			   date '2020-01-01' + (c % 60 + sum(1
				   - 60 * (1 + c % 3) / 2
					   * ln(pg_temp.u(c, i, 'gap'))) OVER (PARTITION BY c ORDER BY i))::int AS d
	FROM generate_series(1, 400) c, generate_series(0, 12) i) q
   WHERE d <= '2020-12-31' AND i <= 13 * pg_temp.u(c, 0, 'life') GROUP BY c;
SELECT d.purchase_model, d.converged, d.customers + d.skipped = (SELECT count(*) FROM campaign) AS all_there,
	   abs(d.log_likelihood - s.log_likelihood) < 1e-9 AS same_likelihood,
	   (SELECT bool_and(a.estimate = b.estimate)
		  FROM clv_parameters(m) a
		  JOIN clv_parameters(n) b USING (name, process)) AS same_parameters
  FROM (SELECT clv_fit(history,
				   clv_options(model => 'rfmtc', time_unit => '30 days', as_of => '2020-10-31',
					   spend => 'none')) AS m
		  FROM campaign) q,
	   (SELECT clv_fit(x, t_x, t_cal, NULL, clv_purchases_between(history, '2020-10-31', '2020-11-30') > 0,
				   clv_options(model => 'rfmtc', time_unit => '30 days', spend => 'none')) AS n
		  FROM campaign, clv_summary(history, '2020-10-31', '30 days')) r, clv_diagnostics(m) d, clv_diagnostics(n) s;
SELECT name, process, std_error > 0 AND lower > 0 AND (name <> 'Q' OR upper < 1) AS in_range FROM
	(SELECT clv_fit(history,
				clv_options(model => 'rfmtc', time_unit => '30 days', as_of => '2020-10-31',
					spend => 'none')) AS m
	   FROM campaign) q, clv_parameters(m);
SELECT purchase_model
  FROM (SELECT clv_fit(history,
				   clv_options(model => 'rfmtc', time_unit => '30 days', as_of => '2020-10-31', spend => 'none',
					   clamp => false)) AS m
		  FROM campaign) q, clv_diagnostics(m);
SELECT c::text::clv_cells = c AS text, c::jsonb -> 'vectors' AS outcomes,
	   clv_internal.clv_cells_merge(c, c) - c = c AS merges
  FROM (SELECT clv_cells(history,
				clv_options(model => 'rfmtc', time_unit => '30 days', as_of => '2020-10-31')) AS c
	   FROM campaign) q;

-- ---- numbers that these families cannot have are errors that name the row ----
CREATE FUNCTION pg_temp.one(model text, x float8, t_x float8, n float8) RETURNS clv_cells LANGUAGE sql
	RETURN (SELECT clv_cells(x, t_x, n, NULL, clv_options(model => model)));
SELECT pg_temp.one('bg/bb', 3, 2, 6);
SELECT pg_temp.one('bg/bb', 7, 7, 6);
SELECT pg_temp.one('bg/bb', 1, 2.5, 6);
SELECT pg_temp.one('bg/bb', 1, 2, 6.5);
SELECT pg_temp.one('bg/bb', 1, 0, 6);
SELECT pg_temp.one('bg/bb', 0.5, 2, 6);
SELECT pg_temp.one('bg/bb', -1, 2, 6);
SELECT pg_temp.one('sbg', 2, 3, 4);
SELECT pg_temp.one('sbg', 2, 2, 2.5);
SELECT pg_temp.one('sbg', 3, 3, 2);
SELECT pg_temp.one('rfmtc', 1, 2, 3);
SELECT clv_fit(3, 2, 1, NULL, true, clv_options(model => 'rfmtc'));
SELECT clv_fit(3, 2, 4, NULL, NULL, clv_options(model => 'rfmtc'));
SELECT clv_fit(3, 2, 4, NULL, true, clv_options());
SELECT clv_fit(x, 2, 4, NULL, true, clv_options(model => 'rfmtc')) FROM generate_series(1, 9) x;
SELECT clv_fit(history,
		   clv_options(model => 'rfmtc', time_unit => '30 days', as_of => '2020-12-31', spend => 'none'))
  FROM campaign;
SELECT clv_fit(history, clv_options(model => 'bg/bb')) FROM donor;
SELECT clv_fit(history, clv_options(model => 'sbg')) FROM contract;
SELECT clv_fit(history, clv_options(model => 'rfmtc')) FROM campaign;
SELECT clv_fit(0, 0, 6, NULL, clv_options(model => 'bg/bb')) FROM generate_series(1, 10);
-- options of other families
SELECT clv_options(model => 'bg/bb', grace => '1 day');
SELECT clv_options(model => 'bg/bb', clamp => false);
SELECT clv_options(model => 'bg/bb', covariates => '{z}');
SELECT clv_options(model => 'rfmtc', k => 2);
SELECT clv_options(model => 'sbg', grace => '-1 day');
SELECT clv_options(model => 'sbg', grace => '0') = clv_options(model => 'sbg') AS none,
	   clv_options(clamp => true, correlation => false) = clv_options() AS said;
-- cells of one clock are not those of another
SELECT clv_fit(c, clv_options(model => 'mbg/nbd', as_of => '2020-12-31', time_unit => '30 days')) FROM
	(SELECT clv_cells(history,
				clv_options(model => 'bg/bb', as_of => '2020-12-31', time_unit => '30 days')) AS c
	   FROM donor) q;
SELECT clv_fit(c, clv_options(model => 'bg/bb', as_of => '2020-12-31'))
  FROM (SELECT clv_cells(history, clv_options(as_of => '2020-12-31')) AS c FROM donor) q;
SELECT a - b FROM (SELECT pg_temp.one('bg/bb', 2, 2, 3) AS a, pg_temp.one('mbg/nbd', 2, 2, 3) AS b) q;
DROP VIEW counted;
DROP TABLE donor, bgbb, contract, campaign;
