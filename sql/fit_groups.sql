-- Many small groups: their states are values of one piece, which become objects that count when they grow. Whatever a
-- group went through on its way, its cells and its model are the same.
SET client_min_messages = error;
CREATE TABLE customer AS
	SELECT i AS customer, clv_history(date '2020-01-01' + (i * 7919 + k * (1 + i % 90)) % 700, 5 + (i * 31 + k) % 50) AS history
	FROM generate_series(1, 6000) i, generate_series(0, 5) k WHERE k <= i % 6 GROUP BY i;
CREATE FUNCTION pg_temp.opts() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT clv_options(as_of => '2022-06-01') $$;

-- groups of 1, 2, 3, 5 ... customers, on both sides of every size at which a state changes its form
CREATE TABLE grouped AS
	SELECT g, c.* FROM unnest(ARRAY[1, 2, 3, 4, 5, 8, 9, 16, 17, 64, 127, 128, 129, 130, 256, 257, 1000]) g, customer c WHERE c.customer <= g;
SET enable_sort = off;
CREATE TEMP TABLE hashed AS SELECT g, clv_cells(history, pg_temp.opts()) AS c FROM grouped GROUP BY g;
SELECT count(*) AS groups, bool_and(c = (SELECT clv_cells_rollup(one) FROM (SELECT clv_cells(history, pg_temp.opts()) AS one FROM grouped WHERE grouped.g = hashed.g GROUP BY customer) q)) AS from_single_customers,
	   bool_and(c = (SELECT clv_cells(history, pg_temp.opts() ORDER BY customer DESC) FROM grouped WHERE grouped.g = hashed.g)) AS backwards,
	   bool_and(c = c::text::clv_cells) AS through_text, bool_and(pg_column_size(c) > 0) AS stored
	FROM hashed;
SELECT bool_and(m = (SELECT clv_fit(c) FROM hashed WHERE hashed.g = fits.g)) AS fits_as_its_cells
	FROM (SELECT g, clv_fit(history, pg_temp.opts()) AS m FROM grouped WHERE g >= 64 GROUP BY g) fits;
-- sorted groups, windows that add customers to a state that was looked at, and rollups of rollups
SET enable_sort = on; SET enable_hashagg = off;
SELECT bool_and(hashed.c = sorted.c) AS sorted FROM hashed JOIN (SELECT g, clv_cells(history, pg_temp.opts()) AS c FROM grouped GROUP BY g) sorted USING (g);
SELECT bool_and(w.c = (SELECT clv_cells(history, pg_temp.opts()) FROM customer c WHERE c.customer <= w.customer)) AS windows
	FROM (SELECT customer, clv_cells(history, pg_temp.opts()) OVER (ORDER BY customer) AS c FROM customer WHERE customer <= 300) w;
SELECT (SELECT clv_cells_rollup(c) FROM hashed) = (SELECT clv_cells_rollup(c) FROM (SELECT clv_cells_rollup(c) AS c FROM hashed GROUP BY g % 3) q) AS rollups;
-- what is added to a small state must be like it
SELECT clv_cells(history, clv_options(max_iterations => 1 + customer % 2)) FROM customer WHERE customer < 9;
SELECT clv_cells(h, clv_options()) FROM (SELECT clv_history(date '2020-01-01', 1) AS h UNION ALL SELECT clv_history(date '2020-01-01', 1, 7)) q;
-- outside of an aggregate nothing is changed in place
CREATE TEMP TABLE one AS SELECT clv_cells(history, pg_temp.opts()) AS c FROM customer WHERE customer = 1;
SELECT clv_internal.clv_cells_add(c, (SELECT history FROM customer WHERE customer = 2), pg_temp.opts()) = (SELECT clv_cells(history, pg_temp.opts()) FROM customer WHERE customer <= 2) AS added,
	   c = (SELECT clv_cells(history, pg_temp.opts()) FROM customer WHERE customer = 1) AS unchanged FROM one;
-- sixty thousand groups of a customer each: a second, not minutes
SET enable_sort = off; SET enable_hashagg = on; SET work_mem = '256MB'; SET statement_timeout = '20s';
SELECT count(c) FROM (SELECT clv_cells(history) AS c FROM customer, generate_series(0, 9) s GROUP BY customer + s * 6000) q;
DROP TABLE customer, grouped;
