-- periods of families of discrete time follow the calendar: from each customer's first purchase, or those
-- of the calendar: months, quarters, years, weeks
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.u(c int, i int, k text) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (('x' || substr(md5(c || ' ' || i || ' ' || k), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;
-- x, t_x and T of a history
CREATE FUNCTION pg_temp.cell(history clv_history, as_of date, unit interval, periods text DEFAULT 'anniversary',
	model text DEFAULT 'bg/bb', grace interval DEFAULT NULL)
RETURNS text LANGUAGE sql RETURN (SELECT (c #>> '{0,0}') || ' ' || (c #>> '{0,1}') || ' ' || (c #>> '{0,2}') FROM
	(SELECT clv_cells(history,
				clv_options(model => model, time_unit => unit, as_of => as_of, spend => 'none',
					periods => periods, grace => grace))::jsonb -> 'cells') q (c));

-- ---- nine gifts every 1 January are eight of eight opportunities ----
SELECT at, pg_temp.cell(h, at, '1 year') AS anniversary, pg_temp.cell(h, at, '1 year', 'calendar') AS calendar
  FROM (SELECT clv_history(make_date(y, 1, 1), 10) FROM generate_series(1995, 2003) y) q (h),
	   unnest('{1995-01-01,1995-12-31,2002-12-31,2003-01-01,2003-12-30,2003-12-31,2004-12-31}'::date[]) at;
-- every month, quarter, week, fortnight, day (units as text: to SQL, 30 days are a month)
SELECT unit, pg_temp.cell(h, at, unit::interval) AS anniversary,
	   pg_temp.cell(h, at - 1, unit::interval) AS "a day before"
  FROM (SELECT unit, clv_history((date '2020-01-31' + i * unit::interval)::date, 10),
			   (date '2020-01-31' + 40 * unit::interval)::date
		  FROM unnest('{1 day,7 days,14 days,30 days,1 month,2 months,3 months,1 year,18 months,24 hours}'::text[])
			   unit, generate_series(0, 40) i GROUP BY unit) q (unit, h, at) ORDER BY unit;

-- ---- anniversaries are PostgreSQL's own: first day + k times the unit, reckoned from the first day ----
SELECT count(*), bool_and(pg_temp.cell(clv_history, at, unit) = format('1 %s %s', k, k)) AS "on the day",
	   bool_and(pg_temp.cell(clv_history, at - 1, unit) = format('0 0 %s', k - 1)) AS "not yet"
  FROM (SELECT unit, k, clv_history(d, 10), max(d) AS at
		  FROM unnest('{2000-02-29,1999-01-31,2001-03-30,1996-12-31,2004-02-28,
			0001-01-31 BC,0005-02-28 BC,0004-08-31 BC,4713-01-31 BC,294000-12-31,1582-10-31}'::date[]) first,
		unnest('{1 month,3 months,5 months,1 year,4 years,10 days,1 week}'::interval[]) unit,
			unnest('{1,2,3,4,7,12,13,48}'::int[]) k,
		LATERAL (VALUES (first), ((first + k * unit)::date)) v (d) GROUP BY first, unit, k) q;
-- the first and the last days that dates have
SELECT pg_temp.cell(clv_history(d), max(d), '1 year') AS early
  FROM unnest('{4714-11-24 BC,4713-11-24 BC,4712-11-23 BC}'::date[]) d;
SELECT pg_temp.cell(clv_history(d), max(d), '1 month') AS late,
	   pg_temp.cell(clv_history(d), max(d), '1 month', 'calendar') AS calendar
  FROM unnest('{5874897-10-31,5874897-11-30,5874897-12-31}'::date[]) d;
SELECT pg_temp.cell(clv_history(d), max(d), '1000 years') AS long
  FROM unnest('{4714-11-24 BC,5874897-12-31}'::date[]) d;

-- ---- both periods on histories of any shape, counted in SQL ----
CREATE TEMP TABLE buyer AS
SELECT c,
	   clv_history(date '2019-01-01' + (400 * pg_temp.u(c, 0, 'first'))::int
		   + (900 * pg_temp.u(c, i, 'day') * (i > 0)::int)::int, 10::numeric) AS history
  FROM generate_series(1, 300) c, generate_series(0, 12) i WHERE i <= 13 * pg_temp.u(c, 0, 'many') GROUP BY c;
CREATE FUNCTION pg_temp.period_end(first date, unit interval, periods text, k bigint)
RETURNS date LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN periods = 'anniversary' THEN (first + k * unit)::date
		ELSE (CASE
			WHEN extract(month FROM unit) + extract(year FROM unit) = 0
				THEN date '2001-01-01' + (floor(
					(first - date '2001-01-01')::numeric / extract(day FROM unit)::int)
					* extract(day FROM unit))::int
			ELSE date_trunc(CASE unit WHEN '1 month' THEN 'month' WHEN '3 months' THEN 'quarter'
				ELSE 'year' END, first::timestamp) END + (k + 1) * unit)::date - 1 END;
SELECT unit, periods, count(*),
	   bool_and(pg_temp.cell(history, at, unit::interval, periods) = concat_ws(' ', x, t_x, n)) AS same
  FROM (SELECT c, history, unit, periods, at, max(k) FILTER (WHERE stop <= at) AS n,
			   count(k) FILTER (WHERE taken AND k > 0 AND stop <= at) AS x,
			   coalesce(max(k) FILTER (WHERE taken AND stop <= at), 0) AS t_x
		  FROM (SELECT c, history, unit, periods, at, k, stop,
					   EXISTS (SELECT FROM clv_purchase_log(history) l
								WHERE l.day > start AND l.day <= stop AND l.day <= at) AS taken
				  FROM buyer, unnest('{7 days,14 days,30 days,1 month,3 months,1 year}'::text[]) unit,
					   unnest('{anniversary,calendar}'::text[]) periods,
					   unnest('{2021-02-28,2021-03-30,2021-12-31}'::date[]) at,
					   clv_first_purchase(history) first, generate_series(0, 160) k,
					   pg_temp.period_end(first, unit::interval, periods, k - 1) start,
					   pg_temp.period_end(first, unit::interval, periods, k) stop
				 WHERE c <= 40 AND start < at) p GROUP BY c, history, unit, periods, at) q
 GROUP BY unit, periods ORDER BY unit, periods;

-- the same one by one, and fitted from there
SELECT periods,
	   bool_and(pg_temp.cell(history, '2021-02-28', '1 month', periods)
		   = concat_ws(' ', s.x, s.t_x, s.t_cal)) AS same,
	   bool_and(s.mean_spend IS NOT DISTINCT FROM n.mean_spend) AS spend,
	   clv_fit(s.x, s.t_x, s.t_cal, NULL,
		   clv_options(model => 'bg/bb', time_unit => '1 month',
			   spend => 'none'))::jsonb #> '{purchase,parameters}' =
	   clv_fit(history,
		   clv_options(model => 'bg/bb', time_unit => '1 month', as_of => '2021-02-28', spend => 'none',
			   periods => periods))::jsonb #> '{purchase,parameters}' AS fit
  FROM buyer, unnest('{anniversary,calendar}'::text[]) periods,
	   clv_summary(history, '2021-02-28', '1 month', periods => periods) s, clv_summary(history, '2021-02-28') n
 GROUP BY periods ORDER BY periods;
SELECT clv_summary(history, '2021-02-28', '1 month', periods => 'month') FROM buyer WHERE c = 1;
SELECT clv_summary(history, '2021-02-28', '1 month 1 day', periods => 'calendar') FROM buyer WHERE c = 1;
SELECT clv_summary(history, '2021-02-28', '40 days -1 month', periods => 'anniversary') FROM buyer WHERE c = 1;

-- ---- contracts: one renewal a period, and none after a period without ----
SELECT at, pg_temp.cell(h, at, '1 month', p, 'sbg') AS "x t_x T", p
  FROM (SELECT clv_history(make_date(2020, m, 1), 10) FROM unnest('{1,2,7,8}'::int[]) m) q (h),
	unnest('{2020-01-31,2020-02-01,2020-02-29,2020-03-01,2020-03-31,2020-08-31,2021-12-31}'::date[]) at,
		unnest('{anniversary,calendar}'::text[]) p ORDER BY p, at;
-- several payments in a period; late ones, with grace and without; two on a day pay for one period
SELECT days, grace, pg_temp.cell(h, '2020-08-31', '1 month', 'anniversary', 'sbg', grace) AS anniversary,
	   pg_temp.cell(h, '2020-08-31', '1 month', 'calendar', 'sbg', grace) AS calendar
  FROM (SELECT days, clv_history(date '2020-01-15' + d, 10)
		  FROM (VALUES ('{0,10,20,31,31,40,60}'::int[]), ('{0,33,62,95}'), ('{0,31,33,60,62}'),
					('{0,80}')) v (days), unnest(days) d GROUP BY days) q (days, h),
	   unnest('{0,3 days,1 month 5 days,400 days}'::interval[]) grace ORDER BY days, grace;
-- a renewal that is not decided does not count: neither one paid early, nor one that may still be paid
SELECT at, pg_temp.cell(h, at, '1 month', 'calendar', 'sbg') AS sharp,
	   pg_temp.cell(h, at, '1 month', 'calendar', 'sbg', '5 days') AS grace
  FROM (SELECT clv_history(d, 10) FROM unnest('{2020-01-20,2020-02-03,2020-03-25}'::date[]) d) q (h),
	   unnest('{2020-02-28,2020-02-29,2020-03-04,2020-03-05,2020-03-31,2020-04-05,2020-04-30,2020-05-05}'::date[]) at;

-- ---- rfmtc: the period after as_of, and ages in periods ----
-- buys on the last day of the month after as_of: in the calendar's next month, and within a month of 31 January
SELECT at, p,
	   clv_cells(h,
		   clv_options(model => 'rfmtc', time_unit => '1 month', as_of => at,
			   periods => p))::jsonb -> 'vectors' AS buys
  FROM (SELECT clv_history(d, 10) FROM unnest('{2020-11-10,2021-02-28}'::date[]) d) q (h),
	   unnest('{2021-01-27,2021-01-28,2021-01-31,2021-02-15}'::date[]) at,
	   unnest('{anniversary,calendar}'::text[]) p GROUP BY at, p ORDER BY p, at;
CREATE TEMP TABLE campaign AS
SELECT c, clv_history(d) AS history
  FROM (SELECT c, i,
			   date '2020-01-01' + (c % 60 + sum(1
				   - 60 * (1 + c % 3) / 2
					   * ln(pg_temp.u(c, i, 'gap'))) OVER (PARTITION BY c ORDER BY i))::int AS d
	FROM generate_series(1, 400) c, generate_series(0, 12) i) q
   WHERE d <= '2020-12-31' AND i <= 13 * pg_temp.u(c, 0, 'life') GROUP BY c;
CREATE FUNCTION pg_temp.months(first date, day date, periods text) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN CASE periods WHEN 'calendar' THEN 12 * (extract(year FROM day) - extract(year FROM first))
		+ extract(month FROM day) - extract(month FROM first)
		ELSE (SELECT k + (day - start)::float8 / (stop - start)
				FROM generate_series(0, 40) k,
					 LATERAL (SELECT (first + k * interval '1 month')::date,
									 (first + (k + 1) * interval '1 month')::date) p (start, stop)
			   WHERE start <= day AND day < stop) END;
SELECT q.periods, abs(d.log_likelihood - s.log_likelihood) < 1e-9 AS same_likelihood,
	   d.customers = s.customers AND d.skipped > 0 AS all_there
  FROM (SELECT periods,
			   clv_fit(history,
				   clv_options(model => 'rfmtc', time_unit => '1 month', as_of => at, spend => 'none',
					   periods => periods)) AS m
		  FROM campaign, (VALUES ('anniversary', date '2020-08-31'), ('calendar', '2020-09-17')) v (periods, at)
		 GROUP BY periods) q
  JOIN (SELECT periods,
			   clv_fit(x, pg_temp.months(first, last, periods), pg_temp.months(first, '2020-08-31', periods),
				   NULL, later, clv_options(model => 'rfmtc', time_unit => '1 month', spend => 'none')) AS n
		  FROM (SELECT periods, clv_purchases(history, '2020-08-31') - 1 AS x,
					   clv_first_purchase(history, '2020-08-31') AS first,
					   clv_last_purchase(history, '2020-08-31') AS last,
					   clv_purchases_between(history, '2020-08-31', '2020-09-30') > 0 AS later
				  FROM campaign, unnest('{anniversary,calendar}'::text[]) periods) p
		 WHERE first IS NOT NULL
		 GROUP BY periods) r ON r.periods = q.periods, clv_diagnostics(m) d, clv_diagnostics(n) s ORDER BY 1;

-- ---- 11,000 donors who give in December: the fit finds the true parameters ----
-- a donor who gave x of s times gives again with probability (alpha + x) / (alpha + beta + s), after having stayed
-- with (delta + s) / (gamma + delta + s)
CREATE TEMP TABLE truth (model text, name text, value float8);
INSERT INTO truth
VALUES ('bg/bb', 'alpha', 1.2), ('bg/bb', 'beta', 0.75), ('bg/bb', 'gamma', 0.66), ('bg/bb', 'delta', 2.78),
	('sbg', 'alpha', 0.9), ('sbg', 'beta', 3.8);
CREATE FUNCTION pg_temp.opportunities(c int, n int) RETURNS int[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	x int := 0;
	taken int[] := '{}';
BEGIN
	FOR s IN 0 .. n - 1 LOOP
		EXIT WHEN pg_temp.u(c, s, 'die') > (2.78 + s) / (0.66 + 2.78 + s);
		IF pg_temp.u(c, s, 'give') < (1.2 + x) / (1.2 + 0.75 + s) THEN
			x := x + 1;
			taken := taken || s + 1;
		END IF;
	END LOOP;
	RETURN taken;
END $$;
CREATE TEMP TABLE donor AS
SELECT c, taken,
	   date '1995-12-01' + (31 * pg_temp.u(c, 0, 'first'))::int - 1
		   + (pg_temp.u(c, 0, 'first') < 1 / 62.0)::int AS first
  FROM (SELECT c, pg_temp.opportunities(c, 6) AS taken FROM generate_series(1, 11000) c) q;
CREATE TEMP TABLE given AS
SELECT c, cardinality(taken) AS x, coalesce(taken[cardinality(taken)], 0) AS t_x,
	   (SELECT clv_history((first + k * interval '1 year')::date) FROM unnest(0 || taken) k) AS yearly,
	   (SELECT clv_history(CASE k WHEN 0 THEN first ELSE make_date(1995 + k, 12,
				   1 + (31 * pg_temp.u(c, k, 'day'))::int % 31) END)
		  FROM unnest(0 || taken) k) AS around
  FROM donor;
CREATE TEMP TABLE fits AS
SELECT 'bg/bb, counts' AS what,
	   clv_fit(x, t_x, 6, NULL, clv_options(model => 'bg/bb', time_unit => '1 year', spend => 'none')) AS m
  FROM given
UNION ALL SELECT 'bg/bb, every year, ' || p,
	clv_fit(yearly,
		clv_options(model => 'bg/bb', time_unit => '1 year', as_of => '2001-12-31', spend => 'none',
			periods => p))
  FROM given, unnest('{anniversary,calendar}'::text[]) p GROUP BY p
UNION ALL SELECT 'bg/bb, every December',
	clv_fit(around,
		clv_options(model => 'bg/bb', time_unit => '1 year', as_of => '2002-11-30', spend => 'none',
			periods => 'calendar'))
  FROM given;

-- ---- contracts of a month, with payments beside the renewal and pauses after the end ----
CREATE FUNCTION pg_temp.renewals(c int, n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	FOR s IN 0 .. n - 1 LOOP
		IF pg_temp.u(c, s, 'leave') > (3.8 + s) / (0.9 + 3.8 + s) THEN
			RETURN s;
		END IF;
	END LOOP;
	RETURN n;
END $$;
CREATE TEMP TABLE contract AS
SELECT c, first, possible, pg_temp.renewals(c, possible) AS made, pg_temp.u(c, 0, 'back') < 0.3 AS back
  FROM (SELECT c, first,
			   (extract(year FROM date '2021-12-01') - extract(year FROM first))::int * 12 + 12
				   - extract(month FROM first)::int AS possible
		  FROM (SELECT c, date '2019-01-01' + (850 * pg_temp.u(c, 0, 'first'))::int AS first
				  FROM generate_series(1, 6000) c) q) q;
-- payments are on the day, and sometimes on another one of the period that it renews; returning customers pay twice
-- more, after two months without a payment
CREATE TEMP TABLE paid AS
SELECT c, possible, made, made < possible - 3 AND back AS returned,
	   (SELECT clv_history(d) FROM generate_series(0, made) k, LATERAL (SELECT (first + k * interval '1 month')::date
			UNION ALL SELECT (first + k * interval '1 month')::date - (27 * pg_temp.u(c, k, 'extra'))::int
			 WHERE k > 0 AND pg_temp.u(c, k, 'more') < 0.4
			UNION ALL SELECT (first + (made + 3 + i) * interval '1 month')::date
			  FROM generate_series(0, 1) i
			 WHERE k = 0 AND made < possible - 3 AND back) p (d)
			 WHERE d < '2022-01-01') AS own,
	   (SELECT clv_history(d)
		  FROM generate_series(0, made) k,
			   LATERAL (SELECT (date_trunc('month', first::timestamp)
								   + k * interval '1 month')::date AS month) f,
			   LATERAL (SELECT month + (27 * pg_temp.u(c, k, 'day'))::int
			UNION ALL SELECT month + (27 * pg_temp.u(c, k, 'extra'))::int WHERE pg_temp.u(c, k, 'more') < 0.4
			UNION ALL SELECT (month + (made + 3 + i) * interval '1 month')::date
			  FROM generate_series(0, 1) i
			 WHERE k = 0 AND made < possible - 3 AND back) p (d)) AS calendar
  FROM contract;
INSERT INTO fits
SELECT 'sbg, counts',
	   clv_fit(made, made, made + (made < possible)::int, NULL,
		   clv_options(model => 'sbg', time_unit => '1 month', spend => 'none'))
  FROM paid
UNION ALL SELECT 'sbg, calendar',
	clv_fit(calendar,
		clv_options(model => 'sbg', time_unit => '1 month', as_of => '2021-12-31', spend => 'none',
			periods => 'calendar'))
  FROM paid
-- in the middle of a month no next renewal is decided
UNION ALL SELECT 'sbg, calendar, mid-month',
	clv_fit(calendar,
		clv_options(model => 'sbg', time_unit => '1 month', as_of => '2022-01-20', spend => 'none',
			periods => 'calendar'))
  FROM paid
UNION ALL SELECT 'sbg, anniversary',
	clv_fit(own, clv_options(model => 'sbg', time_unit => '1 month', as_of => '2021-12-31', spend => 'none'))
  FROM paid;
SELECT what, converged, customers,
	   abs(log_likelihood - min(log_likelihood) OVER (PARTITION BY purchase_model)) < 1e-8 AS "as the counts",
	   near AS "within two standard errors",
	   returned = (SELECT count(*) FROM paid WHERE paid.returned) AS returned
  FROM fits, clv_diagnostics(m) d,
	   LATERAL (SELECT bool_and(abs(estimate - value) < 2 * std_error) AS near
				  FROM clv_parameters(m)
				  JOIN truth USING (name)
				 WHERE model = purchase_model) p ORDER BY what;
-- said once, with a hint
SET client_min_messages = notice;
SELECT (clv_diagnostics(m)).returned
  FROM (SELECT c % 2 AS half,
			   clv_fit(own,
				   clv_options(model => 'sbg', time_unit => '1 month', as_of => '2021-12-31',
					   spend => 'none')) AS m
		  FROM paid WHERE c <= 400 GROUP BY 1) q ORDER BY half;
SET client_min_messages = warning;

-- ---- models and cells keep the option, and combine only with equal ones ----
CREATE TEMP TABLE m AS
SELECT p, clv_fit(calendar, o) AS m, clv_cells(calendar, o) AS c
  FROM paid, unnest('{anniversary,calendar}'::text[]) p,
	   LATERAL (SELECT clv_options(model => 'sbg', time_unit => '1 month', as_of => '2021-12-31',
						   spend => 'none', periods => p, grace => '28 days')
				OFFSET 0) v (o) GROUP BY p;
SELECT p, m::jsonb ->> 'periods' AS json, (clv_diagnostics(m)).periods,
	   (m::jsonb #>> '{purchase,returned}')::int = (clv_diagnostics(m)).returned AS returned,
	   m::text::clv_model = m AS text, m::jsonb::clv_model = m AS jsonb,
	   c::jsonb #>> '{options,periods}' AS cells, c::text::clv_cells = c AS "cells as text",
	   c::jsonb::clv_cells = c AS "as jsonb", clv_fit(c) = m AS fit, c - c = c - c AS minus
  FROM m GROUP BY p, m, c ORDER BY p;
CREATE TEMP TABLE kept (p text, m clv_model, c clv_cells);
\copy (SELECT p, m, c FROM m) TO 'results/fit_calendar.bin' (FORMAT binary)
\copy kept FROM 'results/fit_calendar.bin' (FORMAT binary)
SELECT count(*) FROM m JOIN kept USING (p, m, c);
SELECT a.m = b.m AS models,
	   clv_model('sbg', '{"alpha": 1, "beta": 2}', '1 month', periods => 'calendar')
		   = clv_model('sbg', '{"alpha": 1, "beta": 2}', '1 month') AS "by hand",
	   clv_model('sbg', '{"alpha": 1, "beta": 2}', '1 month', periods => 'anniversary')
	   = clv_model('sbg', '{"alpha": 1, "beta": 2}', '1 month') AS "default"
  FROM m a, m b WHERE a.p < b.p;
SELECT clv_model('sbg', '{"alpha": 1, "beta": 2}', '1 month', periods => 'calendar');
SELECT a.c + b.c FROM m a, m b WHERE a.p < b.p;
SELECT a.c - b.c FROM m a, m b WHERE a.p < b.p;
SELECT clv_cells_rollup(c) FROM m;
SELECT clv_fit(c, clv_options(model => 'sbg', time_unit => '1 month', periods => 'anniversary')) = m AS open
  FROM m WHERE p = 'calendar' GROUP BY m;
SELECT clv_fit(c, '{"model": "sbg", "periods": "anniversary"}') FROM m WHERE p = 'calendar';
SELECT clv_fit(own,
		   clv_options(model => 'sbg', time_unit => '1 month', as_of => '2021-12-31',
			   periods => CASE c WHEN 7 THEN 'calendar' ELSE 'anniversary' END))
  FROM paid;
SELECT clv_compare(a.m, b.m) FROM m a, m b WHERE a.p < b.p;

-- ---- errors ----
SELECT clv_options(model => 'bg/bb', periods => 'calender');
SELECT clv_options(model => 'bg/bb', periods => 'Calendar');
SELECT clv_options(periods => 'calendar');
SELECT clv_options(periods => 'anniversary') = clv_options() AS nothing;
SELECT clv_options(model => 'bg/bb', time_unit => '1 month 3 days');
SELECT clv_options(model => 'sbg', time_unit => '36 hours');
SELECT clv_options(model => 'rfmtc', time_unit => '1 month 12 hours');
SELECT clv_options(model => 'bg/bb', time_unit => '5 months', periods => 'calendar');
SELECT clv_options(model => 'bg/bb', time_unit => '2 years', periods => 'calendar');
SELECT clv_options(model => 'sbg', time_unit => '1 month', grace => '36 hours');
SELECT clv_model('bg/bb', '{"alpha": 1, "beta": 1, "gamma": 1, "delta": 1}', '1 month 3 days');
SELECT clv_model('bg/bb', '{"alpha": 1, "beta": 1, "gamma": 1, "delta": 1}', '7 months', periods => 'calendar');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week', periods => 'calendar');
SELECT clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}', periods => 'calendar');
SELECT '{"version": 1, "time_unit": "1 month", "periods": "lunar",
	"purchase": {"family": "sbg", "parameters": {"alpha": 1, "beta": 2}}}'::clv_model;
SELECT '{"version": 1, "time_unit": "1 month",
	"purchase": {"family": "sbg", "parameters": {"alpha": 1, "beta": 2}, "returned": 3}}'::clv_model;
SELECT '{"version": 1, "time_unit": "1 month",
	"purchase": {"family": "sbg", "parameters": {"alpha": 1, "beta": 2}, "customers": 3, "returned": -3}}'::clv_model;
SELECT '{"version": 1, "time_unit": "1 month",
	"purchase": {"family": "bg/nbd", "parameters": {"r": 1, "alpha": 1, "a": 1, "b": 1}, "customers": 3,
	"returned": 3}}'::clv_model;
SELECT replace(clv_cells(own,
		   clv_options(model => 'bg/bb', time_unit => '1 month', as_of => '2021-12-31'))::text,
		   '"spend_skipped"', '"returned": 3, "spend_skipped"')::clv_cells
  FROM paid WHERE c = 1;
DROP TABLE buyer, campaign, truth, donor, given, fits, contract, paid, m, kept;
