-- simulated customers: rows of a seed, what they depend on, the calendar, and what cannot be simulated
SET client_min_messages = warning;
CREATE SCHEMA simulate_customers;
SET search_path = simulate_customers, public;
CREATE TABLE model AS
SELECT clv_model('mbg/nbd', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}', '1 week') AS mbg,
	   clv_model('pareto/nbd', '{"r": 0.553, "alpha": 10.58, "s": 0.606, "beta": 11.67}', '1 week') AS pareto,
	   clv_model('bg/bb', '{"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.78}', '1 year') AS donors,
	   clv_model('sbg', '{"alpha": 0.668, "beta": 3.806}', '1 month') AS contracts,
	   clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS spend,
	   '{"version": 1, "time_unit": "1 week", "purchase": {"family": "pareto/nbd",
		 "parameters": {"r": 0.553, "alpha": 10.58, "s": 0.606, "beta": 11.67},
		 "covariates": [{"name": "mail", "centre": 0.5, "purchase": 0.7, "churn": -0.4}]}}'::clv_model AS moved,
	   '{"version": 1, "time_unit": "1 week", "purchase": {"family": "mbg/nbd",
		 "parameters": {"r": 0.5248, "alpha": 6.183, "a": 1e-6, "b": 1},
		 "covariates": [{"name": "mail", "centre": 0, "purchase": 1.2, "churn": 0}]}}'::clv_model AS loyal;

-- ---- rows of a seed, the same on every version and processor; test/oracle/simulated.py has them from elsewhere ----
SELECT 'mbg/nbd' AS family, customer, day, round(amount::numeric, 2) AS amount
  FROM model, clv_simulate(mbg || spend, 6, '2016-01-01', '2017-12-31', 42)
UNION ALL
SELECT 'pareto/nbd', customer, day, round(amount::numeric, 2)
  FROM model, clv_simulate(pareto || spend, 6, '2016-01-01', '2017-12-31', 42);
SELECT customer, array_agg(day ORDER BY day) AS gifts
  FROM model, clv_simulate(donors, 3, '2000-02-01', '2006-12-31', 42, acquired_until => '2000-02-01') GROUP BY customer;
-- all bits of many rows: a change of any row of any family fails here
SELECT family, count(*), md5(string_agg(customer || ' ' || day || ' ' || coalesce(amount::text, '-'), ',' ORDER BY n))
  FROM model,
	   LATERAL (VALUES ('mbg/nbd', mbg || spend), ('pareto/nbd', pareto), ('bg/bb', donors), ('sbg', contracts),
			('bg/nbd', clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.4, "a": 0.8, "b": 2.4}', '1 week')),
			('mbg/cnbd-k', clv_model('mbg/cnbd-k', '{"k": 3, "r": 2, "alpha": 3, "a": 0.6, "b": 3}', '1 month')),
			('ggompertz/nbd', clv_model('ggompertz/nbd',
				'{"r": 0.58, "alpha": 12.6, "b": 0.045, "s": 0.17, "beta": 0.13}', '1 week')),
			('pareto/nbd/cor', clv_model('pareto/nbd/cor',
				'{"r": 0.9, "alpha": 1.6, "s": 0.7, "beta": 1.7, "m": 2}', '1 year'))) f (family, m),
	   clv_simulate(m, 2000, '2010-01-01', '2019-12-31', -7) WITH ORDINALITY s (customer, day, amount, n)
 GROUP BY family ORDER BY family;

-- ---- what a customer does depends on the seed and their number, and on nothing else ----
CREATE TABLE few AS SELECT s.*
  FROM model, clv_simulate(mbg || spend, 50, '2016-01-01', '2017-12-31', 1, acquired_until => '2016-01-01') s;
CREATE TABLE many AS SELECT s.*
  FROM model, clv_simulate(mbg || spend, 5000, '2016-01-01', '2017-12-31', 1, acquired_until => '2016-01-01') s;
SELECT (SELECT count(*) FROM many WHERE customer <= 50) = count(*) AS as_many, count(m.day) = count(*) AS same
  FROM few f LEFT JOIN many m USING (customer, day, amount);
SELECT count(*) = (SELECT count(*) FROM many) AS same_days_without_spend, count(amount) AS amounts
  FROM model, clv_simulate(mbg, 5000, '2016-01-01', '2017-12-31', 1, acquired_until => '2016-01-01');
SELECT count(*) AS other_seed_same_rows
  FROM many, model, clv_simulate(mbg || spend, 5000, '2016-01-01', '2017-12-31', 2, acquired_until => '2016-01-01') s
 WHERE (s.customer, s.amount) = (many.customer, many.amount);

-- ---- first purchases come evenly over the first half, or until the day that is given; nothing after until ----
SELECT kind, count(*) AS days, min(first), max(first), min(n) AS least, max(n) AS most, bool_and(within) AS within
  FROM (SELECT kind, first, count(*) AS n, bool_and(last <= '2017-12-31') AS within
		  FROM (SELECT kind, customer, min(day) AS first, max(day) AS last
				  FROM model,
					   (VALUES ('half', NULL::date), ('whole', '2017-12-31'), ('one day', '2016-01-01')) k (kind, u),
					   clv_simulate(pareto, 3000, '2016-01-01', '2017-12-31', 3, acquired_until => k.u)
				 GROUP BY kind, customer) c
		 GROUP BY kind, first) d
 GROUP BY kind ORDER BY kind;
-- renewals are paid on anniversaries without a gap; the 31st falls back to the last day of short months
SELECT array_agg(day ORDER BY day) AS payments
  FROM model, clv_simulate(contracts, 3, '2019-12-31', '2020-06-30', 5, acquired_until => '2019-12-31')
 GROUP BY customer ORDER BY customer;
-- a donor gives at most once a period: a month that ends with the first, or one of the calendar
SELECT periods, max(n) AS gifts
  FROM (SELECT periods, customer, count(*) AS n,
			   date_trunc('month', CASE periods WHEN 'calendar' THEN day ELSE day - 1 END) AS month
		  FROM unnest('{anniversary,calendar}'::text[]) periods,
			   clv_simulate(clv_model('bg/bb', '{"alpha": 8, "beta": 1, "gamma": 0.5, "delta": 9}', '1 month',
					periods => periods), 500, '2019-01-01', '2020-12-31', 1, acquired_until => '2019-01-01')
		 GROUP BY periods, customer, month) g
 GROUP BY periods ORDER BY periods;

-- ---- a calendar moves rates by the effects of the model ----
CREATE TABLE calendar AS
SELECT (SELECT clv_calendar(since, v, '{mail}')
		  FROM (VALUES (date '2015-12-01', '{0.5}'::float8[]), ('2018-01-01', NULL)) s (since, v)) AS centre,
	   (SELECT clv_calendar(since, v, '{mail}')
		  FROM (VALUES (date '2015-12-01', '{2}'::float8[]), ('2018-01-01', NULL)) s (since, v)) AS two,
	   (SELECT clv_calendar(since, v, '{mail}')
		  FROM (VALUES (date '2016-01-01', '{0}'::float8[]), ('2017-01-01', '{1}'), ('2018-01-01', NULL)) s (since, v))
			AS later,
	   (SELECT clv_calendar(since, v, '{price,mail}')
		  FROM (VALUES (date '2015-12-01', '{2,1}'::float8[]), ('2018-01-01', NULL)) s (since, v)) AS stranger;
CREATE FUNCTION pg_temp.rows_of(m clv_model, c clv_calendar) RETURNS SETOF text LANGUAGE sql AS $$
SELECT customer || ' ' || day FROM clv_simulate(m, 3000, '2016-01-01', '2017-12-31', 9, c) $$;
-- at the centre it moves nothing, and the covariates are at their centre without it
SELECT count(*) AS rows_that_differ
  FROM model, calendar,
	   LATERAL (SELECT r FROM pg_temp.rows_of(moved, centre) r EXCEPT SELECT r FROM pg_temp.rows_of(pareto, NULL) r) d;
SELECT count(*) AS rows_that_differ
  FROM model,
	   LATERAL (SELECT r FROM pg_temp.rows_of(moved, NULL) r EXCEPT SELECT r FROM pg_temp.rows_of(pareto, NULL) r) d;
-- constant values make the customers of clv_with_covariates
SELECT count(*) AS rows_that_differ
  FROM model, calendar,
	   LATERAL (SELECT r FROM pg_temp.rows_of(moved, two) r
				EXCEPT SELECT r FROM pg_temp.rows_of(clv_with_covariates(moved, '{2}'), NULL) r) d;
-- customers who never leave buy exp(1.2) = 3.32 times as often in the second year, and until then as without
SELECT n[1] = m[1] AS same_first_year, round(n[2] / m[2]::numeric, 1) AS second_year
  FROM (SELECT array_agg(n ORDER BY year) FILTER (WHERE moves) AS n,
			   array_agg(n ORDER BY year) FILTER (WHERE NOT moves) AS m
		  FROM (SELECT moves, extract(year FROM day) AS year, count(*) AS n
				  FROM model, calendar, unnest('{t,f}'::bool[]) moves,
					   clv_simulate(loyal, 5000, '2016-01-01', '2017-12-31', 4, CASE WHEN moves THEN later END,
							'2016-01-01')
				 GROUP BY 1, 2) y) q;

-- ---- a fit of simulated customers finds the parameters; test/t/310_simulate.pl has every family and 100,000 ----
SELECT p.name, abs(p.estimate - q.estimate) <= 3 * p.std_error AS found
  FROM model,
	   LATERAL (SELECT clv_fit(history, clv_options(as_of => '2017-12-31'))
				  FROM (SELECT clv_history(day, amount) AS history
						  FROM clv_simulate(mbg || spend, 4000, '2016-01-01', '2017-12-31', 2)
						 GROUP BY customer) h) f (fitted),
	   clv_parameters(fitted) p JOIN LATERAL clv_parameters(mbg || spend) q USING (name, process)
 ORDER BY p.process, p.name;

-- ---- nothing asked, nothing known ----
SELECT count(*) FROM model, clv_simulate(mbg, 0, '2016-01-01', '2017-12-31', 1);
SELECT count(*) FROM clv_simulate(NULL, 10, '2016-01-01', '2017-12-31', 1);
SELECT count(*) FROM model, clv_simulate(mbg, NULL, '2016-01-01', '2017-12-31', 1);
SELECT count(*) FROM model, clv_simulate(mbg, 10, '2016-01-01', '2017-12-31', NULL);
SELECT customer, day FROM model, clv_simulate(mbg, 2, '2016-01-01', '2016-01-01', 1);

-- ---- errors ----
SELECT clv_simulate(mbg, -1, '2016-01-01', '2017-12-31', 1) FROM model;
SELECT clv_simulate(mbg, 1000000001, '2016-01-01', '2017-12-31', 1) FROM model;
SELECT clv_simulate(mbg, 10, '2016-01-01', '2015-12-31', 1) FROM model;
SELECT clv_simulate(mbg, 10, '-infinity', '2015-12-31', 1) FROM model;
SELECT clv_simulate(mbg, 10, '2016-01-01', 'infinity', 1) FROM model;
SELECT clv_simulate(mbg, 10, '2016-01-01', '2017-12-31', 1, acquired_until => '2018-01-01') FROM model;
SELECT clv_simulate(spend, 10, '2016-01-01', '2017-12-31', 1) FROM model;
SELECT clv_simulate(clv_model('rfmtc', '{"Q": 0.05, "g": 2, "b": 3}', '1 month'), 10, '2016-01-01', '2017-12-31', 1);
SELECT clv_simulate(donors, 10, '2016-01-01', '2017-12-31', 1, later) FROM model, calendar;
SELECT clv_simulate(moved, 10, '2016-01-01', '2018-12-31', 1, later) FROM model, calendar;
SELECT clv_simulate(moved, 10, '2015-12-31', '2017-12-31', 1, later) FROM model, calendar;
SELECT clv_simulate(moved, 10, '2016-01-01', '2017-12-31', 1, stranger) FROM model, calendar;
SELECT clv_simulate('{"version": 1, "time_unit": "1 week", "purchase": {"family": "mbg/nbd",
	"parameters": {"r": 1, "alpha": 6, "a": 0.9, "b": 1.6},
	"covariates": [{"name": "mail", "centre": 0, "purchase": 1, "churn": 0.1}]}}'::clv_model,
	10, '2016-01-01', '2017-12-31', 1, later) FROM calendar;
SELECT count(*)
  FROM clv_simulate(clv_model('pareto/nbd', '{"r": 9, "alpha": 1e-9, "s": 1, "beta": 1}', '1 week'), 10, '2016-01-01',
	'2017-12-31', 1);
DROP SCHEMA simulate_customers CASCADE;
