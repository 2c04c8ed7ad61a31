-- Fits, against an aggregate that only reads the bytes of the histories.

SELECT :many > 0 AS with_many, people(:many) || ' customers' AS many_size,
	   for_a_million('+400 ms') AS bar, for_a_million('+150 ms') AS aim,
	   CASE WHEN :many = 10000000 THEN '+2500 ms' ELSE '-' END AS many_bar,
	   CASE WHEN :many = 10000000 THEN '+700 ms' ELSE '-' END AS many_aim
\gset

CREATE FUNCTION fit_query(source text, model text) RETURNS text LANGUAGE sql RETURN format(
	'SELECT clv_fit(history, clv_options(model => %L, as_of => ''2017-12-31'')) FROM %I', model, source);
CREATE PROCEDURE fit_line(source text, model text, size text, bar text, aim text) LANGUAGE plpgsql AS $$
DECLARE
	what text := format('fit %s and gamma/gamma, %s', model, size);
BEGIN
	CALL measure(what, fit_query(source, model), format('SELECT bench_read(history) FROM %I', source));
	CALL report_extra(what, bar, aim);
END $$;

CALL fit_line('customer', 'bg/nbd', :'crowd', :'bar', :'aim');
CALL fit_line('customer', 'mbg/nbd', :'crowd', '-', '-');
CALL fit_line('customer', 'pareto/nbd', :'crowd', :'bar', :'aim');

\if :with_many
CREATE UNLOGGED TABLE many_customers AS SELECT customer_id, bench_receive(history) AS history FROM many;
VACUUM ANALYZE many_customers;
CALL fit_line('many_customers', 'bg/nbd', :'many_size', :'many_bar', :'many_aim');
CALL fit_line('many_customers', 'pareto/nbd', :'many_size', :'many_bar', :'many_aim');

SET max_parallel_workers_per_gather = 2;
SELECT 'fit bg/nbd and gamma/gamma, 2 workers, ' || :'many_size' AS what \gset
CALL measure(:'what', fit_query('many_customers', 'bg/nbd'), 'SELECT bench_read(history) FROM many_customers',
	by_clock => true);
CALL report_extra(:'what');
RESET max_parallel_workers_per_gather;

-- what a backend of its own takes at most, beyond what it had at its start and the shared buffers it has touched
\c
SET client_min_messages = error;
SELECT now AS at_start FROM bench_memory() \gset
\o /dev/null
SELECT fit_query('many_customers', 'bg/nbd') \gexec
\o
INSERT INTO report (what, clv, bar, aim)
SELECT 'memory of a fit, ' || :'many_size', round(peak - shared - :at_start) || ' MB',
	   CASE WHEN :many = 10000000 THEN '300 MB' ELSE '-' END, CASE WHEN :many = 10000000 THEN '100 MB' ELSE '-' END
FROM bench_memory();
SET enable_sort = off;
\endif

-- many small groups at once
CREATE FUNCTION cells_query(aggregate text) RETURNS text LANGUAGE sql RETURN format(
	'SELECT count(c) FROM (SELECT %s AS c FROM customer GROUP BY customer_id %% 40000) q', aggregate);
CALL measure('cells in 40,000 groups, ' || :'crowd', cells_query('clv_cells(history)'),
	cells_query('bench_read(history)'));
CALL report_extra('cells in 40,000 groups, ' || :'crowd');
