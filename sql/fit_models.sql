-- clv_fit(): every form, on 800 simulated customers who differ in how often they buy, how soon they leave and
-- what they spend
CREATE FUNCTION pg_temp.u(c int, i int, k text) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (('x' || substr(md5(c || ' ' || i || ' ' || k), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;
CREATE TEMP TABLE customer AS
WITH purchase AS (
	SELECT c, i,
		   -20 * ln(pg_temp.u(c, i, 'price')) / -ln(
			   pg_temp.u(c, 0, 'taste') * pg_temp.u(c, 1, 'taste') * pg_temp.u(c, 2, 'taste')) AS price,
		   sum(CASE WHEN i = 0 THEN c % 200 ELSE least(400,
			   1 - 20 * ln(pg_temp.u(c, i, 'gap')) / -ln(pg_temp.u(c, 0, 'rate'))) END) OVER w AS day,
		   coalesce(bool_or(pg_temp.u(c, i, 'coin')
			   < pg_temp.u(c, 0, 'leave')) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
			   false) AS gone
	  FROM generate_series(1, 800) c, generate_series(0, 12) i WINDOW w AS (PARTITION BY c ORDER BY i))
SELECT c AS customer_id, c % 4 AS region,
	   clv_history(date '2020-01-01' + day::int, (price + 0.01)::numeric(12,2)) AS history
  FROM purchase WHERE NOT gone AND day < 365 GROUP BY c;

CREATE FUNCTION pg_temp.near(a float8, b float8, tolerance float8) RETURNS boolean LANGUAGE sql
	RETURN abs(a - b) <= tolerance * greatest(abs(a), abs(b));
CREATE TEMP VIEW options AS SELECT clv_options(as_of => '2020-12-31') AS o;
CREATE TEMP TABLE model AS SELECT clv_fit(history, o) AS m FROM customer, options;

-- diagnostics name the data and options of a fit
SELECT purchase_model, customers, skipped, converged, gradient_norm < 1e-5 AS at_optimum,
	   iterations BETWEEN 1 AND 30 AS quick,
       spend_model, spend_converged, spend_customers + spend_skipped =
       (SELECT count(*) FROM customer WHERE clv_purchases(history) > 1) AS repeat_buyers,
       abs(frequency_spend_correlation) < 1 AS correlation, as_of, time_unit, occasion, spend_basis
  FROM model, clv_diagnostics(m);
-- the likelihood is that of the customers at the estimates, and lower beside them
SELECT pg_temp.near(log_likelihood, (SELECT sum(clv_log_likelihood(m, x, t_x, t_cal))
                                       FROM customer, clv_summary(history, '2020-12-31')), 1e-10) AS likelihood,
       pg_temp.near(spend_log_likelihood, (SELECT sum(clv_spend_log_likelihood(m, x, mean_spend))
											 FROM customer, clv_summary(history, '2020-12-31')
											WHERE x > 0), 1e-10) AS spend_likelihood
  FROM model, clv_diagnostics(m);
SELECT name, factor, log_likelihood > (SELECT sum(clv_log_likelihood(clv_model('mbg/nbd', p, '1 week'), x, t_x, t_cal))
                                         FROM customer, clv_summary(history, '2020-12-31')) AS lower_beside
  FROM model, clv_diagnostics(m), unnest('{0.98,1.02}'::float8[]) factor, unnest('{r,alpha,a,b}'::text[]) name,
       LATERAL (SELECT jsonb_object_agg(e.name, e.estimate * CASE WHEN e.name = f.name THEN factor ELSE 1 END) AS p
                  FROM clv_parameters(m) e, (SELECT name) f WHERE process = 'transaction') q
 ORDER BY name, factor;

-- the same to the bit: two steps, many cells, another order, a window, whatever shares the state
SELECT (SELECT clv_fit(c) FROM (SELECT clv_cells(history, o) AS c FROM customer, options) q) = m AS two_steps,
	   (SELECT clv_fit(c) FROM (SELECT clv_cells(history, o) AS c FROM customer, options GROUP BY region) q)
	   = m AS by_region,
       (SELECT clv_fit(c) FROM (SELECT clv_cells_rollup(c) AS c FROM
			(SELECT clv_cells(history, o) AS c FROM customer, options GROUP BY region) q) q) = m AS rolled_up,
	   (SELECT clv_fit(c::text::clv_cells) FROM (SELECT clv_cells(history, o) AS c FROM customer, options) q)
	   = m AS through_text,
	   (SELECT clv_fit(c, o) FROM (SELECT clv_cells(history, o) AS c FROM customer, options) q, options)
	   = m AS options_again,
       (SELECT clv_fit(c, o) FROM (SELECT clv_cells(history) AS c FROM customer) q, options) = m AS as_of_later,
       (SELECT clv_fit(history, o ORDER BY md5(customer_id::text)) FROM customer, options) = m AS shuffled,
       (SELECT clv_fit(history, o) OVER () FROM customer, options LIMIT 1) = m AS in_a_window
  FROM model;
SELECT clv_cells(history, o) = (SELECT clv_cells(history, o) FROM customer, options) AS cells_unchanged,
       clv_fit(history, o) = (SELECT m FROM model) AS fit_unchanged
  FROM customer, options;
-- summaries give the same parameters
SELECT bool_and(a.estimate = b.estimate AND a.std_error = b.std_error) AS same
  FROM model, clv_parameters(m) a,
       (SELECT clv_fit(x, t_x, t_cal, mean_spend) AS s FROM customer, clv_summary(history, '2020-12-31')) q,
       clv_parameters(s) b WHERE a.name = b.name;
SELECT bool_and(pg_temp.near(a.estimate, b.estimate * CASE WHEN a.name = 'alpha' THEN 1 / 7.0 ELSE 1 END,
		   1e-6)) AS other_unit
  FROM model, clv_parameters(m) a,
       (SELECT clv_fit(x, t_x, t_cal, mean_spend, clv_options(time_unit => '1 day'))  AS s
          FROM customer, clv_summary(history, '2020-12-31', '1 day')) q,
       clv_parameters(s) b WHERE a.name = b.name;

-- groups, filters, nothing
SELECT region, purchase_model, customers FROM
	(SELECT region, clv_fit(history, o) AS m FROM customer, options GROUP BY region) q, clv_diagnostics(m)
	 ORDER BY region;
SELECT clv_fit(history, o) FILTER (WHERE region = 1)
     = (SELECT clv_fit(history, o) FROM customer, options WHERE region = 1) AS filtered FROM customer, options;
SELECT clv_fit(history) IS NULL AS no_rows, clv_fit(NULL::clv_history) IS NULL AS no_history,
       clv_fit(NULL::float8, NULL, NULL, NULL) IS NULL AS no_summary, clv_fit(NULL::clv_cells) IS NULL AS no_cells
  FROM customer WHERE false;
SELECT clv_fit(NULL::clv_history) IS NULL AS nulls,
	   clv_fit(NULL::clv_history, clv_options()) IS NULL AS nulls_with_options
  FROM customer;
SELECT clv_fit(CASE WHEN region = 0 THEN NULL ELSE history END, o)
     = (SELECT clv_fit(history, o) FROM customer, options WHERE region > 0) AS nulls_ignored FROM customer, options;

-- customers after as_of are skipped and counted; without as_of the last purchase in the data is taken
SELECT customers + skipped AS all_there,
	   skipped = (SELECT count(*) FROM customer WHERE clv_first_purchase(history) > '2020-06-30') AS later
  FROM (SELECT clv_fit(history, clv_options(as_of => '2020-06-30')) AS m FROM customer) q, clv_diagnostics(m);
SELECT as_of = (SELECT max(clv_last_purchase(history)) FROM customer) AS last_purchase
  FROM (SELECT clv_fit(history) AS m FROM customer) q, clv_diagnostics(m);

-- 'auto' takes the best BIC
SELECT bic = (SELECT min(bic) FROM unnest('{bg/nbd,mbg/nbd}'::text[]) name,
			  LATERAL (SELECT clv_fit(history, clv_options(model => name, as_of => '2020-12-31')) AS m
						 FROM customer) q, clv_diagnostics(m)) AS best
  FROM (SELECT clv_fit(history, clv_options(model => 'auto', as_of => '2020-12-31')) AS m FROM customer) q,
	   clv_diagnostics(m);
-- and stores the results of the others, the winner first
SELECT candidates #>> '{0,family}' = purchase_model
	   AND (candidates #>> '{0,log_likelihood}')::float8 = log_likelihood AS winner_first,
	   (SELECT bool_and((a ->> 'bic')::float8 <= (b ->> 'bic')::float8)
		  FROM jsonb_path_query(candidates, '$[0 to last]') WITH ORDINALITY a (a, i),
        jsonb_path_query(candidates, '$[0 to last]') WITH ORDINALITY b (b, j) WHERE i < j) AS in_order,
	   (SELECT bool_and((c ->> 'bic')::float8 = bic AND (c ->> 'log_likelihood')::float8 = log_likelihood
				   AND (c ->> 'converged')::bool = converged)
          FROM jsonb_array_elements(candidates) c,
		LATERAL (SELECT clv_fit(history, clv_options(model => c ->> 'family', as_of => '2020-12-31')) AS m
				   FROM customer) q, clv_diagnostics(m)
         WHERE c ->> 'family' IN ('bg/nbd', 'mbg/nbd')) AS as_alone
  FROM (SELECT clv_fit(history, clv_options(model => 'auto', as_of => '2020-12-31')) AS m FROM customer) q,
	   clv_diagnostics(m);

-- a warm start takes fewer iterations to the same optimum
SELECT w.iterations < d.iterations AS sooner, w.spend_iterations < d.spend_iterations AS spend_sooner,
       pg_temp.near(w.log_likelihood, d.log_likelihood, 1e-12) AS same_place
  FROM model, clv_diagnostics(m) d,
	   LATERAL (SELECT clv_fit(history, clv_options(as_of => '2020-12-31', start => m)) AS warm
				  FROM customer) q, clv_diagnostics(warm) w;
-- a penalty on shapes costs likelihood
SELECT p.log_likelihood < d.log_likelihood AS costs, p.converged AS converged
  FROM model, clv_diagnostics(m) d,
	   (SELECT clv_fit(history, clv_options(as_of => '2020-12-31', shape_penalty => 0.01)) AS n
		  FROM customer) q, clv_diagnostics(n) p;

-- notices and warnings
SELECT bool_and(purchase_model = 'bg/nbd') AS noticed_once FROM
	(SELECT clv_fit(history, clv_options(model => 'bg/nbd', as_of => '2020-12-31', shape_penalty => 0.001)) AS m
	   FROM customer GROUP BY region) q, clv_diagnostics(m);
SELECT spend_model IS NULL AS no_spend FROM
	(SELECT clv_fit(x, t_x, t_cal, NULL) AS m FROM customer, clv_summary(history, '2020-12-31')) q, clv_diagnostics(m);
SELECT spend_model IS NULL AS no_spend FROM
	(SELECT clv_fit(x, t_x, t_cal, NULL, clv_options(spend => 'none')) AS m
	   FROM customer, clv_summary(history, '2020-12-31')) q, clv_diagnostics(m);
\set VERBOSITY terse
SELECT converged FROM
	(SELECT clv_fit(history, clv_options(as_of => '2020-12-31', max_iterations => 1, spend => 'none')) AS m
	   FROM customer) q, clv_diagnostics(m);
SET client_min_messages = error;
SELECT converged, spend_converged
  FROM (SELECT clv_fit(x, t_x, t_cal, CASE WHEN x > 0 THEN 5 END) AS m
		  FROM customer, clv_summary(history, '2020-12-31')) q,
	clv_diagnostics(m);
RESET client_min_messages;
SELECT estimate <= 1 AS heavy_tail
  FROM (SELECT clv_fit(x, t_x, t_cal, mean_spend ^ 4) AS m FROM customer, clv_summary(history, '2020-12-31')) q,
	clv_parameters(m) WHERE name = 'q';
\set VERBOSITY default
-- one order with a mistyped year
SELECT as_of FROM (SELECT clv_fit(history, clv_options(spend => 'none')) AS m FROM
	(SELECT history FROM customer UNION ALL SELECT clv_history(date '2021-03-15', 1::numeric)) q) q, clv_diagnostics(m);
-- a shop that sells nothing for a season is no mistake
SELECT as_of FROM (SELECT clv_fit(history, clv_options(spend => 'none')) AS m FROM
	(SELECT history FROM customer UNION ALL
	 SELECT clv_history(date '2021-03-15' + i, 1::numeric)
	   FROM generate_series(1, 10) i GROUP BY i) q) q, clv_diagnostics(m);
-- the rule by itself: the last day, the settled one, and the customers with later purchases; too few days to compare
SELECT f.*
  FROM (SELECT array_agg(date '2020-01-01' + i) || date '2099-01-01' AS days,
			   array_fill(200::bigint, ARRAY[60]) || 1::bigint AS customers
	FROM generate_series(1, 60) i) d, clv_internal.clv_settled_day(days, customers) f;
SELECT f.* FROM clv_internal.clv_settled_day('{2020-01-03,2020-01-01,2020-01-02,2020-06-01,NULL}', '{1,1,1,1,7}') f;
-- what is left when an isolated day is taken off is looked at in the same way
SELECT f.*
FROM (SELECT array_agg(date '2020-01-01' + i) || '{2031-05-05,2055-01-01,2099-01-01}'::date[] AS days,
			 array_fill(200::bigint, ARRAY[60]) || '{3,1,1}'::bigint[] AS customers
	  FROM generate_series(1, 60) i) d, clv_internal.clv_settled_day(days, customers) f;
SELECT clv_internal.clv_settled_day('{NULL}', '{7}') IS NULL AS absent;
SELECT clv_internal.clv_settled_day('{2020-01-03}', '{1,2}');
SELECT clv_internal.clv_settled_day('{infinity}', '{1}');
SELECT clv_internal.clv_settled_day('{2020-01-03}', '{-1}');
-- a warning tells of a last purchase in the future, a notice of customers with refunds only
\set VERBOSITY sqlstate
SELECT d.as_of - now()::date BETWEEN 30 AND 32 AS to_come
  FROM (SELECT clv_fit((SELECT clv_history(l.day + (now()::date - date '2020-12-01'), l.amount)
	FROM clv_purchase_log(history) l), clv_options(spend => 'none')) AS m FROM customer) q, clv_diagnostics(m) d;
\set VERBOSITY default
SELECT d.skipped FROM (SELECT clv_fit(history, clv_options(spend => 'none')) AS m FROM
	(SELECT history FROM customer
	 UNION ALL SELECT clv_history(date '2020-12-30', -i::numeric) FROM generate_series(1, 3) i GROUP BY i) q) q,
		clv_diagnostics(m) d;

-- errors of too few customers
SELECT clv_fit(history, clv_options(as_of => '2019-12-31')) FROM customer;
SELECT clv_fit(history, clv_options(as_of => '2020-12-31')) FROM customer WHERE customer_id = 7;
SELECT clv_fit(0, 0, t, NULL) FROM generate_series(1, 100) t;
SELECT clv_fit(2, 1, 2, 3) FROM generate_series(1, 100);
SELECT clv_fit(clv_internal.clv_cells_merge(c, c) - c - c) FROM (SELECT clv_cells(history) AS c FROM customer) q;

-- errors of rows that are no customer name the value
SELECT clv_fit(x, 1, 2, 3) FROM unnest('{1,-1}'::float8[]) x;
SELECT clv_fit(x, 1, 2, 3) FROM unnest('{1,1.5}'::float8[]) x;
SELECT clv_fit(x, 1, 2, 3) FROM unnest('{1,NaN}'::float8[]) x;
SELECT clv_fit(x, 1, 2, 3) FROM unnest('{1,1e10}'::float8[]) x;
SELECT clv_fit(1, t, 2, 3) FROM unnest('{1,2.5}'::float8[]) t;
-- t_x and t_cal computed separately may differ in their last bits: that is no error, and makes no other cell
SELECT clv_cells(1, t, 0.3, 3) = clv_cells(1, 0.3, 0.3, 3) AS rounded FROM (SELECT 0.1::float8 + 0.2::float8 AS t) ages;
SELECT clv_fit(1, t, 2, 3) FROM unnest('{1,-0.5}'::float8[]) t;
SELECT clv_fit(1, t, 2, 3) FROM unnest('{1,NULL}'::float8[]) t;
SELECT clv_fit(1, 1, t, 3) FROM unnest('{1,Infinity}'::float8[]) t;
SELECT clv_fit(0, t, 2, 3) FROM unnest('{0,1}'::float8[]) t;
SELECT clv_fit(1, 1, 2, m) FROM unnest('{1,NaN}'::float8[]) m;

-- cells are fitted with the options they were counted with, or give an error
CREATE TEMP TABLE cells AS
SELECT clv_cells(history, o) AS c, clv_cells(history) AS open,
	   clv_cells(history, clv_options(spend => 'none')) AS plain
  FROM customer, options;
SELECT clv_fit(c, clv_options(as_of => '2020-12-30')) FROM cells;
SELECT clv_fit(open, clv_options(as_of => '2020-06-30')) FROM cells;
SELECT clv_fit(c, clv_options(time_unit => '1 day')) FROM cells;
SELECT clv_fit(c, clv_options(spend_basis => 'all')) FROM cells;
SELECT clv_fit(plain, clv_options()) FROM cells;
SELECT clv_fit(plain, '{"as_of": "2020-12-31"}')
	   = clv_fit(plain, clv_options(as_of => '2020-12-31', spend => 'none')) AS said_or_not
  FROM cells;
SELECT clv_fit(c, clv_options(model => 'bg/nbd'))
	   = (SELECT clv_fit(history, clv_options(model => 'bg/nbd', as_of => '2020-12-31')) FROM customer)
	AS another_family FROM cells;
DROP VIEW options;
DROP TABLE customer, model, cells;
