-- 'auto' and k: every family that is tried has the log-likelihood that it has alone, for any number of customers and
-- any way of counting them. Twenty shops of 20 to 300 customers, among whom many have the same history.
SET client_min_messages = error;
CREATE FUNCTION pg_temp.u(c int, i int, k text) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (('x' || substr(md5(c || ' ' || i || ' ' || k), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;
CREATE TABLE customer AS
WITH purchase AS (
	SELECT shop, shop * 1000 + c AS c, i,
		   sum(CASE WHEN i = 0 THEN c % 5 * 7 ELSE least(400,
			   1 - (5 + shop) * ln(pg_temp.u(shop * 1000 + c, i, 'gap')) / -ln(
				   pg_temp.u(shop * 1000 + c, 0, 'rate'))) END) OVER w AS day,
		   coalesce(bool_or(pg_temp.u(shop * 1000 + c, i, 'dropout') < pg_temp.u(shop * 1000 + c, 0,
			   'leave')) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS gone
	  FROM generate_series(1, 20) shop, generate_series(1, 20 + 14 * shop) c, generate_series(0, 12) i
	WINDOW w AS (PARTITION BY shop, c ORDER BY i))
SELECT shop, c AS customer, clv_history(date '2020-01-01' + day::int) AS history
  FROM purchase WHERE NOT gone AND day < 250 GROUP BY shop, c;
CREATE FUNCTION options(text, k int DEFAULT NULL) RETURNS jsonb LANGUAGE sql IMMUTABLE
	RETURN clv_options(model => $1, k => $2, as_of => '2020-09-06', spend => 'none');

CREATE TABLE tried AS
SELECT shop, c ->> 'family' AS family, (c ->> 'log_likelihood')::float8 AS log_likelihood, m
  FROM (SELECT shop, clv_fit(history, options('auto')) AS m FROM customer GROUP BY shop) q,
	   clv_diagnostics(m) d, jsonb_array_elements(d.candidates) c;
CREATE TABLE alone AS
SELECT shop, family, d.log_likelihood, m
  FROM (SELECT family FROM tried GROUP BY family) f,
	   LATERAL (SELECT shop, clv_fit(history, options(family)) AS m FROM customer GROUP BY shop) q,
	   clv_diagnostics(m) d;
SELECT count(DISTINCT shop) AS shops, count(*) AS fits, bool_and(t.log_likelihood = a.log_likelihood) AS as_alone,
	   bool_and((t.m::jsonb -> 'purchase') = (a.m::jsonb -> 'purchase'))
	   FILTER (WHERE (t.m::jsonb #>> '{purchase,family}') = t.family) AS same_model
  FROM tried t FULL JOIN alone a USING (shop, family);
SELECT count(DISTINCT t.family) AS families,
	   bool_and((SELECT count(*) FROM tried o WHERE o.shop = t.shop) = 5) AS all_tried
  FROM tried t;
-- the k that is chosen has the log-likelihood that it has alone, too
SELECT count(*) AS shops, bool_and(d.log_likelihood = chosen.log_likelihood) AS k_as_alone
  FROM (SELECT shop, a.log_likelihood, p.estimate::int AS k
		  FROM alone a, clv_parameters(a.m) p
		 WHERE family = 'mbg/cnbd-k' AND name = 'k') chosen,
	   LATERAL (SELECT clv_fit(history, options('mbg/cnbd-k', k)) AS m
				  FROM customer WHERE customer.shop = chosen.shop) q, clv_diagnostics(m) d;
-- cells, cells of single customers put together, and parallel workers give the same models
CREATE TABLE auto AS SELECT DISTINCT ON (shop) shop, m FROM tried;
SELECT bool_and(m = (SELECT clv_fit(clv_cells)
					   FROM (SELECT clv_cells(history, options('auto'))
							   FROM customer
							  WHERE customer.shop = auto.shop) c)) AS from_cells,
	   bool_and(m = (SELECT clv_fit(c)
					   FROM (SELECT clv_cells(history, options('auto')) AS c
							   FROM customer WHERE customer.shop = auto.shop
							  GROUP BY customer % 7) c)) AS from_shards,
	   bool_and(m = (SELECT clv_fit(history, options('auto') ORDER BY customer DESC)
					   FROM customer WHERE customer.shop = auto.shop)) AS backwards
  FROM auto;
ALTER TABLE customer SET (parallel_workers = 2);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SELECT bool_and(m = p) AS in_parallel
  FROM auto
  JOIN (SELECT shop, clv_fit(history, options('auto')) AS p FROM customer GROUP BY shop) p USING (shop);
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
RESET parallel_leader_participation;
-- summaries hold no times between purchases: the families that need none have the same log-likelihoods
SELECT count(*) AS fits, bool_and((c ->> 'log_likelihood')::float8 = t.log_likelihood) AS from_summaries
  FROM (SELECT shop, clv_fit(x, t_x, t_cal, NULL, clv_options(model => 'auto', spend => 'none')) AS m
		  FROM customer, clv_summary(history, '2020-09-06')
		 GROUP BY shop) q, clv_diagnostics(m) d, jsonb_array_elements(d.candidates) c
  JOIN tried t ON true WHERE t.shop = q.shop AND t.family = c ->> 'family';
DROP TABLE customer, tried, alone, auto;
DROP FUNCTION options;
