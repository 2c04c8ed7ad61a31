-- Many small groups: their states are values of one piece, which become objects that count when they grow. Whatever the
-- forms that a state has had, its cells and its model are the same.
SET client_min_messages = error;
CREATE TABLE customer AS
	SELECT i AS customer,
		   clv_history(date '2020-01-01' + (i * 7919 + k * (1 + i % 90)) % 700,
			   5 + (i * 31 + k) % 50) AS history
	FROM generate_series(1, 6000) i, generate_series(0, 5) k WHERE k <= i % 6 GROUP BY i;
CREATE FUNCTION pg_temp.opts() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT clv_options(as_of => '2022-06-01') $$;

-- groups of 1, 2, 3, 5 ... customers, below and above every size at which a state changes its form
CREATE TABLE grouped AS
	SELECT g, c.*
	FROM unnest(ARRAY[1, 2, 3, 4, 5, 8, 9, 16, 17, 64, 127, 128, 129, 130, 256, 257, 1000]) g, customer c
	WHERE c.customer <= g;
SET enable_sort = off;
CREATE TEMP TABLE hashed AS SELECT g, clv_cells(history, pg_temp.opts()) AS c FROM grouped GROUP BY g;
SELECT count(*) AS groups,
	   bool_and(c = (SELECT clv_cells_rollup(one)
					 FROM (SELECT clv_cells(history, pg_temp.opts()) AS one
						   FROM grouped WHERE grouped.g = hashed.g
						   GROUP BY customer) q)) AS from_single_customers,
	   bool_and(c = (SELECT clv_cells(history, pg_temp.opts() ORDER BY customer DESC)
					 FROM grouped WHERE grouped.g = hashed.g)) AS backwards,
	   bool_and(c = c::text::clv_cells) AS through_text, bool_and(pg_column_size(c) > 0) AS stored
	FROM hashed;
SELECT bool_and(m = (SELECT clv_fit(c) FROM hashed WHERE hashed.g = fits.g)) AS fits_as_its_cells
	FROM (SELECT g, clv_fit(history, pg_temp.opts()) AS m FROM grouped WHERE g >= 64 GROUP BY g) fits;
-- sorted groups, windows that add customers to a state that was looked at, and rollups of rollups
SET enable_sort = on; SET enable_hashagg = off;
SELECT bool_and(hashed.c = sorted.c) AS sorted
FROM hashed
JOIN (SELECT g, clv_cells(history, pg_temp.opts()) AS c FROM grouped GROUP BY g) sorted USING (g);
SELECT bool_and(w.c = (SELECT clv_cells(history, pg_temp.opts())
					   FROM customer c WHERE c.customer <= w.customer)) AS windows
	FROM (SELECT customer, clv_cells(history, pg_temp.opts()) OVER (ORDER BY customer) AS c
		  FROM customer WHERE customer <= 300) w;
SELECT (SELECT clv_cells_rollup(c) FROM hashed) = (SELECT clv_cells_rollup(c)
												   FROM (SELECT clv_cells_rollup(c) AS c
														 FROM hashed GROUP BY g % 3) q) AS rollups;
-- what is added to a small state must be like it
SELECT clv_cells(history, clv_options(max_iterations => 1 + customer % 2)) FROM customer WHERE customer < 9;
SELECT clv_cells(h, clv_options())
FROM (SELECT clv_history(date '2020-01-01', 1) AS h UNION ALL SELECT clv_history(date '2020-01-01', 1, 7)) q;
-- outside of an aggregate nothing is changed in place
CREATE TEMP TABLE one AS SELECT clv_cells(history, pg_temp.opts()) AS c FROM customer WHERE customer = 1;
SELECT clv_internal.clv_cells_add(c, (SELECT history FROM customer WHERE customer = 2), pg_temp.opts())
	   = (SELECT clv_cells(history, pg_temp.opts()) FROM customer WHERE customer <= 2) AS added,
	   c = (SELECT clv_cells(history, pg_temp.opts()) FROM customer WHERE customer = 1) AS unchanged FROM one;
-- sixty thousand groups of a customer each: a second, not minutes
SET enable_sort = off; SET enable_hashagg = on; SET work_mem = '256MB'; SET statement_timeout = '10min';
SELECT count(c)
FROM (SELECT clv_cells(history) AS c FROM customer, generate_series(0, 9) s GROUP BY customer + s * 6000) q;
DROP TABLE customer, grouped;

-- groups that cannot be fitted: NULL, and one NOTICE at the end with their number and the first reason
RESET client_min_messages;
CREATE TABLE small AS
	SELECT g, c, clv_history(date '2020-01-01' + CASE g WHEN 6 THEN 299 ELSE (c * 7 + k * (c % 13 + 3)) % 300 END,
			5 + c % 7 + k) AS history
	FROM generate_series(1, 6) g, generate_series(1, 60) c, generate_series(0, CASE WHEN g < 5 THEN c % 6 ELSE 0 END) k
	WHERE g < 6 OR c < 4
	GROUP BY g, c;
CREATE FUNCTION pg_temp.nulls() RETURNS jsonb LANGUAGE sql IMMUTABLE
	AS $$ SELECT clv_options(as_of => '2020-10-26', spend => 'none', shape_penalty => .01, too_few => 'null') $$;
SELECT g, clv_fit(history, pg_temp.nulls()) IS NULL AS unfitted FROM small GROUP BY g ORDER BY g;
\set VERBOSITY terse
SET enable_sort = off;
SELECT count(*), count(m) AS fitted FROM (SELECT clv_fit(history, pg_temp.nulls()) AS m FROM small GROUP BY g) q;
SELECT count(*), count(m) AS fitted
	FROM (SELECT clv_fit(c) AS m
		  FROM (SELECT g, clv_cells(history, pg_temp.nulls()) AS c FROM small GROUP BY g) q GROUP BY g) q;
RESET enable_sort;
-- the others have the model that they have without the option
SELECT bool_and(one = other) AS same
	FROM (SELECT clv_fit(history, pg_temp.nulls()) AS one, clv_fit(history, pg_temp.nulls() - 'too_few') AS other
		FROM small WHERE g < 5 GROUP BY g) q;
-- a window counts its frames, a cursor says it when it is closed, and an error before the end leaves it out
SELECT clv_fit(history, pg_temp.nulls()) OVER (ORDER BY c ROWS 1 PRECEDING) IS NULL AS unfitted FROM small WHERE g = 6;
BEGIN;
DECLARE models CURSOR FOR SELECT clv_fit(history, pg_temp.nulls()) AS m FROM small WHERE g > 4 GROUP BY g;
FETCH 2 FROM models;
CLOSE models;
COMMIT;
SELECT 1 / (g - 6), clv_fit(history, pg_temp.nulls()) FROM small WHERE g > 4 GROUP BY g ORDER BY g;
\set VERBOSITY default
-- called by itself, too; what is not about the customers stays an error, and so does a back-test
SELECT clv_internal.clv_fit_final(clv_cells(history, pg_temp.nulls())) IS NULL AS unfitted FROM small WHERE g = 6;
SELECT clv_fit(history, '{"too_few": "nil"}') FROM small;
SELECT clv_fit(c, '{"model": "mbg/cnbd-k", "k": 3, "too_few": "null"}')
	FROM (SELECT clv_cells(history, pg_temp.nulls()) AS c FROM small) q;
\set SHOW_CONTEXT never
SELECT * FROM clv_backtest('SELECT * FROM small WHERE g = 5', 'history', '2020-06-01', '60 days',
	clv_options(too_few => 'null'));
SELECT clv_options(too_few => 'null') ->> 'too_few' AS word, clv_options(too_few => 'error') ? 'too_few' AS written;
DROP TABLE small;
