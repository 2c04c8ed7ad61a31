-- Regular buyers by a calendar: mbg/cnbd-k, whose fits need the times between purchases by the clock.
SET client_min_messages = warning;
\set ON_ERROR_STOP 0
CREATE FUNCTION pg_temp.near(actual float8, expected float8, tolerance float8 DEFAULT 1e-12) RETURNS bool
LANGUAGE sql AS $$ SELECT abs(actual - expected) <= tolerance * abs(expected) $$;

-- ---- histories: values of test/oracle/regular_calendar.py, by quadrature from the days on ----
CREATE TEMP TABLE weeks AS
SELECT clv_calendar(date '2024-01-01' + 7 * (i - 1)::int, ARRAY[z::float8], '{season}') AS calendar
FROM regexp_split_to_table('0011001000111100011000011100001000001111', '') WITH ORDINALITY AS t (z, i);
CREATE TEMP TABLE cases (k int, r float8, alpha float8, a float8, b float8, effect float8, days int[], until int,
	ln_l float8, p_alive float8, in_3 float8, in_30 float8, in_126 float8);
INSERT INTO cases VALUES
(2, 0.8, 6, 0.9, 1.6, 0.7, '{3,17,45}', 100,
 -8.50643668910041, 0.3938075742828788, 0.02419738382054524, 0.2611122345340976, 0.8363886674225424),
(3, 0.8, 6, 0.9, 1.6, 0.7, '{7}', 100,
 -0.2733661599458744, 0.5268226849993492, 0.004979770806464146, 0.06163207966585132, 0.2184902093886074),
(2, 0.8, 6, 0.9, 1.6, -0.5, '{2,9,30,99}', 100,
 -13.31274355122792, 0.8361220875395098, 0.01909855420908387, 0.4272528480544342, 2.020258568228741),
(4, 1.5, 2, 0.4, 2.5, 0.7, '{0}'::int[] || ARRAY(SELECT generate_series(1, 89, 2)), 100,
 264.4481855887105, 1.167518966693127e-5, 1.389488044806279e-5, 0.0001334334664297771, 0.0004812197544269225),
(8, 2, 1.5, 0.6, 3, 0.4, '{5,12,19,26,34,40}', 140,
 33.55456975795763, 7.312627744491196e-15, 3.534689831277031e-15, 1.134517812478166e-14, 3.512218250479249e-14),
(2, 0.8, 6, 0.9, 1.6, 3.5, '{3,12,31,60,77,104}', 105,
 -30.01428630011753, 0.8799977279227999, 0.0002795528292068351, 1.053075274486647, 3.170377838619709),
(3, 0.8, 6, 0.9, 1.6, -4, '{3,10,22,23,85}', 127,
 -36.79561078244848, 0.7276180244355006, 0.00262494701483178, 0.8029256081136451, 2.420845210034254),
(2, 0.8, 0.12, 0.9, 1.6, 0.8, '{0,1,2,4,5,9}', 60,
 5.695141910732581, 4.896815641757612e-9, 1.534352757085232e-9, 1.603306965028853e-8, 4.134557111043661e-8),
(2, 0.8, 300, 0.9, 0.016, 0.8, '{20,21}', 150,
 -13.51223191476021, 0.521301145357747, 0.0005033772060406029, 0.009557593396511175, 0.03869580312764155),
(1, 0.5, 15, 0.8, 2.4, 0.7, '{3,17,45}', 100,
 -6.730950349085199, 0.6542198424360001, 0.01944381541221895, 0.2581179971258374, 0.9617608791748017);
SELECT k, alpha, effect, cardinality(days) AS purchases,
	   abs(clv_log_likelihood(model, history, as_of) - ln_l) < 1e-9 AS ln_l,
	   pg_temp.near(clv_p_alive(model, history, as_of), p_alive, 1e-9) AS p_alive,
	   pg_temp.near(clv_expected_purchases(model, history, interval '3 days', as_of), in_3, 1e-9)
	   AND pg_temp.near(clv_expected_purchases(model, history, interval '30 days', as_of), in_30, 1e-9)
	   AND pg_temp.near(clv_expected_purchases(model, history, interval '126 days', as_of), in_126, 1e-9) AS expected
FROM (SELECT c.*, clv_model('mbg/cnbd-k', jsonb_build_object('k', k, 'r', r, 'alpha', alpha, 'a', a, 'b', b), '1 week',
				NULL, jsonb_build_array(jsonb_build_object('name', 'season', 'purchase', effect)),
				calendar => calendar) AS model,
			 (SELECT clv_history(date '2024-01-01' + day) FROM unnest(days) day) AS history,
			 date '2024-01-01' + until AS as_of
	  FROM cases c, weeks) m;

-- ---- a shop: every third event is a purchase, and campaigns double the rates ----
CREATE TEMP TABLE months AS
SELECT (date '2020-01-01' + m * interval '1 month')::date AS since, (m * 7 % 5 = 1)::int::float8 AS campaign
FROM generate_series(0, 48) m;
CREATE TEMP TABLE calendars AS
SELECT clv_calendar(since, ARRAY[campaign], '{campaign}') AS campaigns FROM months;
CREATE TEMP TABLE customers AS
SELECT customer, clv_history(day) AS history
FROM calendars, clv_simulate('{"version": 1, "time_unit": "1 month", "purchase": {"family": "mbg/cnbd-k",
	"parameters": {"k": 3, "r": 2, "alpha": 3, "a": 0.5, "b": 4},
	"covariates": [{"name": "campaign", "centre": 0, "purchase": 0.7}]}}'::clv_model, 800, '2020-01-01', '2023-12-31',
	5, campaigns) s
GROUP BY customer;
CREATE TEMP VIEW options AS
SELECT clv_options(model => 'mbg/cnbd-k', time_unit => '1 month', spend => 'none', as_of => '2023-12-31') AS o;
CREATE TEMP TABLE fitted AS
SELECT clv_fit(history, o || jsonb_build_object('calendar', campaigns::jsonb)) AS model, clv_fit(history, o) AS plain,
	   clv_fit(history, o || jsonb_build_object('calendar', campaigns::jsonb, 'k', 3)) AS given,
	   clv_fit(history, o || jsonb_build_object('calendar', campaigns::jsonb, 'purchase_covariates', '[]'::jsonb))
	   AS idle
FROM customers, options, calendars;
SELECT (clv_parameters(model)).estimate AS k FROM fitted LIMIT 1;
SELECT name, process, abs(effect - 0.7) < 3 * std_error AS recovered, std_error < 0.05 AS precise
FROM fitted, clv_effects(model);
SELECT p.name, abs(p.estimate - truth) < 3 * p.std_error AS recovered
FROM fitted, clv_parameters(model) p JOIN (VALUES ('r', 2), ('a', 0.5), ('b', 4)) v (name, truth) USING (name);
SELECT df, p_value < 1e-30 AS better FROM fitted, clv_compare(plain, model);
-- k that is given is what the likelihood has chosen
SELECT model::jsonb #- '{purchase,iterations}' = given::jsonb #- '{purchase,iterations}' AS given FROM fitted;
-- the log-likelihood is the sum over customers, and of the times between purchases what only k changes
SELECT pg_temp.near((clv_diagnostics(model)).log_likelihood, likelihood + 2 * times - purchases * ln(2), 1e-11) AS sum,
	   pg_temp.near((clv_diagnostics(idle)).log_likelihood, (clv_diagnostics(plain)).log_likelihood) AS idle
FROM fitted,
	 LATERAL (SELECT sum(clv_log_likelihood(model, history)) AS likelihood FROM customers) l,
	 (SELECT sum(ln(gap / 30.4375)) AS times, count(gap) AS purchases
	  FROM (SELECT l.day - lag(l.day) OVER (PARTITION BY customer ORDER BY l.day) AS gap
			FROM customers, clv_purchase_log(history) l) q) t;
-- without effects all is that of the plain family, parameters and customers
SELECT (SELECT bool_and(pg_temp.near(i.estimate, p.estimate, 1e-9))
		FROM clv_parameters(idle) i JOIN clv_parameters(plain) p USING (name)) AS parameters,
	   bool_and(pg_temp.near(clv_p_alive(none, history), clv_p_alive(plain, history))) AS p_alive,
	   bool_and(pg_temp.near(clv_log_likelihood(none, history), clv_log_likelihood(plain, history))) AS ln_l,
	   bool_and(pg_temp.near(clv_expected_purchases(none, history, '90 days'),
							 clv_expected_purchases(plain, history, '90 days'))) AS expected
FROM customers, (SELECT idle, plain, clv_model('mbg/cnbd-k', plain::jsonb #> '{purchase,parameters}', '1 month',
		'2023-12-31', '[{"name": "campaign", "purchase": 0}]', calendar => campaigns) AS none FROM fitted, calendars) m
WHERE customer % 8 = 0
GROUP BY idle, plain;

-- what changes nothing: steps that are split, another unit and zero of the covariate, everything 91 days later
SELECT what, pg_temp.near((clv_diagnostics(changed)).log_likelihood, (clv_diagnostics(model)).log_likelihood, 1e-11)
	   AS likelihood,
	   pg_temp.near(e.effect * unit, f.effect, 1e-7) AS effect
FROM fitted, clv_effects(model) f,
	 (SELECT what, unit, clv_fit(moved, o || jsonb_build_object('calendar', other::jsonb,
			'as_of', date '2023-12-31' + days)) AS changed
	  FROM options,
		   (SELECT what, unit, days, clv_calendar(since + days, ARRAY[zero + unit * campaign], '{campaign}') AS other
			FROM (SELECT since, campaign FROM months UNION ALL SELECT since + 13, campaign FROM months) s,
				 (VALUES ('split', 1, 0, 0), ('unit', -10, 1000, 0), ('later', 1, 0, 91)) v (what, unit, zero, days)
			GROUP BY what, unit, days) c,
		   LATERAL (SELECT customer, clv_history(day + days) AS moved
					FROM customers, clv_purchase_log(history) l (day) GROUP BY customer) h
	  GROUP BY what, unit) c, clv_effects(changed) e
ORDER BY what;

-- ---- cells: days are counted by the gaps before them ----
CREATE TEMP TABLE counted AS
SELECT clv_cells(history, c) AS cells, clv_cells(history, c) FILTER (WHERE customer % 3 = 0) AS third,
	   clv_cells(history, c) FILTER (WHERE customer % 3 > 0) AS others
FROM customers, options, calendars, LATERAL (SELECT o || jsonb_build_object('calendar', campaigns::jsonb)) l (c);
SELECT cells::text::clv_cells = cells AS text, cells::jsonb::clv_cells = cells AS json,
	   third + others = cells AS plus, cells - third = others AS minus
FROM counted;
\copy (SELECT cells FROM counted) TO 'results/fit_regular_calendar.bin' (FORMAT binary)
CREATE TEMP TABLE received (cells clv_cells);
\copy received FROM 'results/fit_regular_calendar.bin' (FORMAT binary)
SELECT r.cells = c.cells AS binary FROM received r, counted c;
SELECT clv_fit(c) = model AS merged FROM counted, fitted, unnest(ARRAY[others, third]) c GROUP BY model;
SELECT clv_fit(cells) = model AS counted,
	   clv_fit(cells, o || jsonb_build_object('calendar', campaigns::jsonb, 'k', 3)) = given AS given,
	   pg_temp.near((clv_diagnostics(clv_fit(cells, o))).log_likelihood, (clv_diagnostics(plain)).log_likelihood)
	   AS without
FROM counted, fitted, options, calendars GROUP BY model, given, plain;
SELECT (SELECT clv_fit(history, o || jsonb_build_object('calendar', campaigns::jsonb) ORDER BY md5(customer::text))
		FROM customers, options, calendars) = model AS shuffled FROM fitted;
-- states of a fit by another model keep what the cells count, when they are put together
SELECT clv_internal.clv_cells_merge(NULL, clv_internal.clv_cells_merge(NULL, third, p))
	   = clv_internal.clv_cells_merge(NULL, third, p) AS kept,
	   clv_fit(clv_internal.clv_cells_merge(clv_internal.clv_cells_merge(NULL,
			clv_internal.clv_cells_merge(NULL, third, p)), others, p)) = clv_fit(cells, p) AS merged
FROM counted, options, LATERAL (SELECT o || '{"model": "pareto/nbd"}') l (p) GROUP BY cells, third, others, p;
-- of every day and gap the purchases
SELECT jsonb_array_length(c->'gaps') = days AS pairs, jsonb_array_length(c->'gaps'->0) AS numbers
FROM (SELECT cells::jsonb AS c FROM counted) q,
	 (SELECT count(DISTINCT (day, gap)) AS days
	  FROM (SELECT l.day, l.day - lag(l.day) OVER (PARTITION BY customer ORDER BY l.day) AS gap
			FROM customers, clv_purchase_log(history) l) g WHERE gap > 0) d;
-- what no customer can have
CREATE TEMP TABLE one AS
SELECT clv_cells(history, o || jsonb_build_object('calendar', campaigns::jsonb))::jsonb AS c
FROM options, calendars,
	 (SELECT clv_history(day) AS history FROM unnest('{2021-01-04,2021-02-01,2021-03-05}'::date[]) day) h;
SELECT c->'gaps' AS gaps FROM one;
\set VERBOSITY terse
SELECT (c || '{"gaps": [[7702, 1, 28], [7734, 1, 31]]}')::clv_cells FROM one;
SELECT (c || '{"gaps": [[7702, 1, 29], [7734, 1, 32]]}')::clv_cells FROM one;
SELECT (c || '{"gaps": [[7702, 1, 0], [7734, 1, 32]]}')::clv_cells FROM one;
SELECT (c || '{"gaps": [[7702, 1], [7734, 1]]}')::clv_cells FROM one;
\set VERBOSITY default
-- the same first and last day, and others between
SELECT c::clv_cells - other
FROM one, (SELECT clv_cells(history, o || jsonb_build_object('calendar', campaigns::jsonb)) AS other
	FROM options, calendars,
		 (SELECT clv_history(day) AS history FROM unnest('{2021-01-04,2021-02-05,2021-03-05}'::date[]) day) h) q;

-- ---- paths of customers, and covariates ----
CREATE TEMP TABLE by_path AS
SELECT customer, history, ARRAY[customer % 2]::float8[] AS odd, campaigns, ahead,
	   CASE WHEN customer % 2 = 0 THEN campaigns ELSE ahead END AS path
FROM customers, calendars,
	 (SELECT clv_calendar(since - 31, ARRAY[campaign], '{campaign}') AS ahead FROM months) a
WHERE customer <= 400;
-- everybody with the same path
SELECT pg_temp.near((clv_diagnostics(same)).log_likelihood, (clv_diagnostics(model)).log_likelihood) AS likelihood,
	   pg_temp.near(a.effect, b.effect, 1e-8) AS effect
FROM (SELECT clv_fit(history, o || '{"k": 3}', campaigns) AS same,
			 clv_fit(history, o || jsonb_build_object('calendar', campaigns::jsonb, 'k', 3)) AS model
	  FROM by_path, options) f, clv_effects(same) a JOIN clv_effects(model) b USING (name, process);
-- two paths: the sum over customers, by the model of the path of each; also with covariates of customers
CREATE TEMP TABLE path_fits AS
SELECT clv_fit(history, o || '{"k": 3}', path) AS model,
	   clv_fit(history, o || '{"k": 3, "covariates": ["odd"], "churn_covariates": ["odd"]}', odd, path) AS moved
FROM by_path, options;
SELECT pg_temp.near((clv_diagnostics(model)).log_likelihood, likelihood + 2 * times - purchases * ln(2), 1e-11) AS sum,
	   pg_temp.near((clv_diagnostics(moved)).log_likelihood, of_moved + 2 * times - purchases * ln(2), 1e-11) AS moved
FROM path_fits,
	 LATERAL (SELECT sum(clv_log_likelihood(clv_with_calendar(model, path), history)) AS likelihood,
					 sum(clv_log_likelihood(clv_with_calendar(moved, path), history, covariates => odd)) AS of_moved
			  FROM by_path) l,
	 (SELECT sum(ln(gap / 30.4375)) AS times, count(gap) AS purchases
	  FROM (SELECT l.day - lag(l.day) OVER (PARTITION BY customer ORDER BY l.day) AS gap
			FROM by_path, clv_purchase_log(history) l) q) t;
CREATE TEMP TABLE path_cells AS
SELECT clv_cells(history, o, path) AS cells, clv_cells(history, o, path) FILTER (WHERE customer % 3 = 0) AS third,
	   clv_cells(history, o, path) FILTER (WHERE customer % 3 > 0) AS others
FROM by_path, options;
SELECT cells::text::clv_cells = cells AS text, cells::jsonb::clv_cells = cells AS json,
	   third + others = cells AS plus, cells - third = others AS minus,
	   clv_fit(cells, o || '{"k": 3}') = model AS fitted
FROM path_cells, path_fits, options GROUP BY cells, third, others, model;
\copy (SELECT cells FROM path_cells) TO 'results/fit_regular_calendar.bin' (FORMAT binary)
TRUNCATE received;
\copy received FROM 'results/fit_regular_calendar.bin' (FORMAT binary)
SELECT r.cells = c.cells AS binary FROM received r, path_cells c;

-- ---- what follows from a fit: seasons, totals, tracking, back-tests, simulation ----
SELECT name, std_error < 0.1 AS precise
FROM (SELECT clv_fit(history, o || '{"k": 3, "season": "1"}') AS m FROM customers, options) f, clv_effects(m);
SELECT pg_temp.near((t).expected_purchases, expected, 1e-9) AS total
FROM (SELECT clv_predict_total(model, history, '90 days') AS t,
			 sum(clv_expected_purchases(model, history, '90 days')) AS expected
	  FROM customers, fitted) q;
SELECT abs(sum(expected) / sum(actual) - 1) < 0.05 AS tracked
FROM fitted, clv_tracking('customers', 'history', model, '1 month');
SELECT purchase_model, abs(total_error) < 0.2 AS near
FROM options, calendars, clv_backtest('customers', 'history', '2023-06-30', '6 months',
	o - 'as_of' || jsonb_build_object('calendar', campaigns::jsonb, 'k', 3));
SELECT count(*) > 1000 AS simulated FROM fitted, clv_simulate(model, 800, '2020-01-01', '2023-12-31', 1);
SELECT abs(f.effect - e.effect) < 4 * f.std_error AS again
FROM fitted, clv_effects(model) e,
	 LATERAL (SELECT clv_fit(h, o || jsonb_build_object('calendar', campaigns::jsonb, 'k', 3)) AS again
			  FROM options, calendars, (SELECT clv_history(day) AS h
				FROM clv_simulate(model, 800, '2020-01-01', '2023-12-31', 1) GROUP BY customer) s) a,
	clv_effects(again) f;
