-- Histories from orders, against the cheapest aggregates that look at the same columns.

SELECT CASE WHEN :heavy > 0 THEN 'heavy' ELSE 'orders' END AS source \gset
SELECT format('%s orders, %s customers', people(count(*)), people(count(DISTINCT customer_id))) AS size
FROM :source \gset

-- (amount column, :size) -> two queries of the same plan
CREATE FUNCTION history_query(source text, amount text) RETURNS text LANGUAGE sql RETURN format(
	'SELECT count(h) FROM (SELECT clv_history(ordered_at, %s) h FROM %I GROUP BY customer_id) q', amount, source);
CREATE FUNCTION history_floor(source text, amount text) RETURNS text LANGUAGE sql RETURN format(
	'
	SELECT count(n), count(a), count(z), count(s)
	FROM (SELECT count(*) n, min(ordered_at) a, max(ordered_at) z, sum(%s) s
	 FROM %I GROUP BY customer_id) q', amount, source);

SELECT 'history, float8, ' || :'size' AS what \gset
CALL measure(:'what', history_query(:'source', 'amount_double'), history_floor(:'source', 'amount_double'));
CALL report_ratio(:'what', '1.6 x', '1.15 x');
SELECT 'history, numeric, ' || :'size' AS what \gset
CALL measure(:'what', history_query(:'source', 'amount'), history_floor(:'source', 'amount'));
CALL report_ratio(:'what', '1.6 x', '1.15 x');
SELECT 'clv_histories, numeric, ' || :'size' AS what \gset
CALL measure(:'what', format('SELECT count(h) FROM clv_histories(%L) AS q (customer_id int, h clv_history)',
	'SELECT customer_id, ordered_at, amount FROM ' || :'source'), history_floor(:'source', 'amount'));
CALL report_ratio(:'what');

SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT 'history, numeric, 2 workers, ' || :'size' AS what \gset
CALL measure(:'what', history_query(:'source', 'amount'), history_floor(:'source', 'amount'), by_clock => true);
CALL report_ratio(:'what', 'reported', '1.15 x');
-- beside one process; the floor here is the same call without workers
CREATE FUNCTION histories_with(workers text, source text) RETURNS text LANGUAGE sql RETURN format(
	'SELECT count(h)
	 FROM (SELECT set_config(''max_parallel_workers_per_gather'', %L, false) OFFSET 0) s (workers),
		  clv_histories(%L || left(workers, 0)) AS q (customer_id int, h clv_history)',
	workers, 'SELECT customer_id, ordered_at, amount FROM ' || source);
SELECT 'clv_histories, numeric, 2 workers beside none, ' || :'size' AS what \gset
CALL measure(:'what', histories_with('2', :'source'), histories_with('0', :'source'), by_clock => true);
CALL report_ratio(:'what', '0.65 x');
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;

INSERT INTO report (what, clv, floor, result, bar, aim)
SELECT 'stored size of a history, ' || :'size', round(avg(pg_column_size(history)), 1) || ' bytes',
	   round(avg(clv_purchases(history)), 1) || ' occasions',
	   '8 + ' || round((sum(pg_column_size(history)) - 8.0 * count(*)) / sum(clv_purchases(history)),
		   2) || ' an occasion',
	   '8 + 6', '8 + 4'
FROM (SELECT clv_history(ordered_at, amount) AS history FROM :source GROUP BY customer_id) q;
