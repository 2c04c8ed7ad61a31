-- clv_cells: counting, merging, taking apart
CREATE TEMP TABLE purchase (customer_id int, day date, amount numeric, shard int);
-- 60 customers, who buy every few days for a while; some of them twice the same way
INSERT INTO purchase
SELECT c, date '2020-01-01' + c % 10 + i * (1 + c % 4), (c * 7 + i * 3) % 11 + 0.5, c % 3
  FROM generate_series(1, 60) c, generate_series(0, c % 7) i;
CREATE TEMP TABLE customer AS
SELECT customer_id, shard, clv_history(day, amount) AS history FROM purchase GROUP BY customer_id, shard;

-- cells of three customers: two of them alike, one with a refund that leaves no positive mean
SELECT clv_cells(h, '{"spend": "gamma/gamma"}')::jsonb - 'options' =
       '{"version": 6, "kind": "history", "occasion": 1, "skipped": 0, "spend_skipped": 1,
         "cells": [[0, 7305, 7305, 1], [1, 7305, 7312, 2], [2, 7305, 7312, 1]], "days": [[7309, 1], [7312, 3]],
         "spend": [[1, 3], [1, 3]]}' AS counted
  FROM (SELECT clv_history(d::date, a) FROM (VALUES
            (1, '2020-01-01', 5), (1, '2020-01-08', 3), (2, '2020-01-01', 6), (2, '2020-01-08', 3),
            (3, '2020-01-01', 1), (4, '2020-01-01', 2), (4, '2020-01-05', 2), (4, '2020-01-08', 2),
            (4, '2020-01-09', -7)) v (c, d, a) GROUP BY c) q (h);
-- as of an earlier day later purchases do not count, nor does a customer who comes later
SELECT clv_cells(h, clv_options(as_of => '2020-01-07', spend_basis => 'all'))::jsonb - 'options' =
       '{"version": 6, "kind": "history", "occasion": 1, "skipped": 1, "spend_skipped": 0,
         "cells": [[0, 7305, 7305, 1], [1, 7305, 7309, 1]], "days": [[7309, 1]],
         "spend": [[1, 5], [2, 3]]}' AS truncated
  FROM (SELECT clv_history(d::date, a) FROM (VALUES
            (1, '2020-01-01', 5), (1, '2020-01-08', 3), (2, '2020-01-01', 2), (2, '2020-01-05', 4),
            (3, '2020-01-08', 1)) v (c, d, a) GROUP BY c) q (h);
-- unknown amounts are counted, spend => 'none' collects nothing
SELECT clv_cells(h)::jsonb @> '{"spend_skipped": 1, "spend": []}' AS unknown,
       clv_cells(h, clv_options(spend => 'none'))::jsonb @> '{"spend_skipped": 0, "spend": null}' AS none
  FROM (SELECT clv_history(d) FROM unnest('{2020-01-01,2020-01-02}'::date[]) d) q (h);

-- parts make the whole, to the byte
CREATE TEMP TABLE whole AS SELECT clv_cells(history) AS c, clv_cells(history, '{}') AS o FROM customer;
CREATE TEMP TABLE part AS SELECT shard, clv_cells(history) AS c FROM customer GROUP BY shard;
SELECT c = o AS options_do_not_matter FROM whole;
-- each history once, each customer counted
SELECT jsonb_array_length(c::jsonb -> 'cells') =
	   (SELECT count(DISTINCT (clv_purchases(history), clv_first_purchase(history), clv_last_purchase(history)))
		  FROM customer) AS each_once,
	   (SELECT sum((cell ->> 3)::int) FROM jsonb_array_elements(c::jsonb -> 'cells') cell)
	   = (SELECT count(*) FROM customer) AS all_counted
  FROM whole;
SELECT jsonb_array_length(c -> 'cells') AS cells,
	   (SELECT bool_and(cell ->> 3 = '100') FROM jsonb_array_elements(c -> 'cells') cell) AS hundred_each
  FROM (SELECT clv_cells(1 + i % 5, 1 + i % 20, 30 + i % 75, NULL)::jsonb AS c FROM generate_series(1, 30000) i) q;
SELECT (SELECT clv_cells_rollup(c) FROM part) = c AS rolled_up,
       (SELECT clv_cells_rollup(c ORDER BY shard DESC) FROM part) = c AS in_another_order,
       (SELECT clv_cells(history ORDER BY md5(customer_id::text)) FROM customer) = c AS shuffled,
       (SELECT clv_cells_rollup(c) FROM (SELECT clv_cells(history) AS c FROM customer GROUP BY customer_id) q) = c
           AS one_by_one,
	   (SELECT clv_internal.clv_cells_send(clv_cells_rollup(c)) FROM part)
	   = clv_internal.clv_cells_send(c) AS same_bytes
  FROM whole;
SELECT count(DISTINCT c) AS parts, count(DISTINCT clv_internal.clv_cells_hash(c)) AS hashes FROM part;

-- parts can be subtracted again
SELECT w.c - p.c = (SELECT clv_cells_rollup(c) FROM part q WHERE q.shard <> p.shard) AS taken_out
  FROM whole w, part p ORDER BY shard;
SELECT (c - c)::jsonb @> '{"cells": [], "spend": []}' AS nothing_left FROM whole;
SELECT (w.c - p.c) + p.c = w.c AS put_back, p.c + (w.c - p.c) = w.c AS from_either_side,
	   clv_internal.clv_cells_send(w.c + p.c) = (SELECT clv_internal.clv_cells_send(clv_cells_rollup(c))
												   FROM (VALUES (w.c), (p.c)) v (c)) AS as_rolled_up
  FROM whole w, part p ORDER BY shard;
SELECT clv_internal.clv_cells_add(w.c - clv_cells(c.history), c.history) = w.c AS out_and_in_again
  FROM whole w, customer c WHERE customer_id = 1 GROUP BY w.c, c.history;

-- text, JSON and wire keep every bit
SELECT c::text::clv_cells = c AS text, c::jsonb::clv_cells = c AS json FROM whole;
SELECT c::text::clv_cells = c AS thirds
  FROM (SELECT clv_cells(x, x / 3, 1e3 / 3, x / 7 + 1e-300, clv_options(shape_penalty => 1.0 / 3)) AS c
          FROM generate_series(0, 9) x) q;
SET extra_float_digits = -15;
SET datestyle = german;
SELECT c::text::clv_cells = c AS settings FROM
  (SELECT clv_cells(x, x / 3, 1e3 / 3, x / 7, clv_options(as_of => '2020-01-05')) AS c FROM generate_series(0, 9) x) q;
RESET extra_float_digits;
RESET datestyle;

-- window, filter, no rows, no histories
SELECT count(DISTINCT c) AS running FROM (SELECT clv_cells(history) OVER (ORDER BY customer_id) AS c FROM customer) q;
SELECT clv_cells(history) OVER (ORDER BY customer_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
     = (SELECT c FROM whole) AS whole_window FROM customer ORDER BY customer_id LIMIT 1;
SELECT clv_cells(history) FILTER (WHERE shard = 1) = (SELECT c FROM part WHERE shard = 1) AS filtered FROM customer;
SELECT clv_cells(history) IS NULL AS no_rows FROM customer WHERE false;
SELECT clv_cells(NULL::clv_history) IS NULL AS only_nulls, clv_cells(NULL::clv_history, '{}') IS NULL AS with_options,
       clv_cells_rollup(NULL) IS NULL AS no_cells, clv_cells(NULL::float8, NULL, NULL, NULL) IS NULL AS no_summaries
  FROM customer;
SELECT clv_cells(h)::jsonb @> '{"cells": [], "skipped": 1}' AS only_refunds
  FROM (SELECT clv_history(date '2020-01-01', -1::numeric)) q (h);

-- states stay small where groups are many
SELECT count(*) AS groups, bool_and(c::jsonb -> 'cells' -> 0 -> 3 = '1') AS single
  FROM (SELECT clv_cells(i % 3, i % 3, 7, 1) AS c FROM generate_series(1, 2000) i GROUP BY i) q;

-- cells with different options do not merge: the error names both values
SELECT clv_cells(history, CASE WHEN customer_id < 30 THEN clv_options() ELSE clv_options(as_of => '2020-03-01') END
                 ORDER BY customer_id) FROM customer;
SELECT clv_cells(history, clv_options(model => o) ORDER BY o) FROM customer, unnest('{bg/nbd,mbg/nbd}'::text[]) o;
CREATE FUNCTION pg_temp.cells(options jsonb) RETURNS clv_cells LANGUAGE sql
	RETURN (SELECT clv_cells(history, options) FROM customer);
SELECT clv_internal.clv_cells_merge(c, pg_temp.cells(clv_options(as_of => '2020-03-01'))) FROM whole;
SELECT clv_internal.clv_cells_merge(c, pg_temp.cells(clv_options(time_unit => '1 day'))) FROM whole;
SELECT clv_internal.clv_cells_merge(c, pg_temp.cells(clv_options(spend_basis => 'all'))) FROM whole;
SELECT clv_internal.clv_cells_merge(c, pg_temp.cells(clv_options(spend => 'none'))) FROM whole;
SELECT clv_internal.clv_cells_merge(c, pg_temp.cells(clv_options(model => 'bg/nbd'))) FROM whole;
SELECT clv_internal.clv_cells_merge(c, clv_cells(1, 1, 2, NULL)) FROM whole GROUP BY c;
SELECT clv_internal.clv_cells_merge(c, clv_cells(h))
  FROM whole, (SELECT clv_history(date '2020-01-01', 1::numeric, 7)) q (h) GROUP BY c;
SELECT clv_cells(h)
  FROM (SELECT clv_history(date '2020-01-01', 1::numeric, o)
		  FROM unnest('{1,7}'::int[]) o GROUP BY o ORDER BY o) q (h);
SELECT clv_internal.clv_cells_add(c, 1, 1, 2, 3) FROM whole;
SELECT c - pg_temp.cells(clv_options(time_unit => '1 day')) FROM whole;
SELECT part.c - whole.c FROM part, whole WHERE shard = 0;
SELECT a - b FROM (SELECT clv_cells(1, 1, 2, 3) AS a, clv_cells(1, 1, 2, 4) AS b) q;

-- cells written by hand are checked
CREATE FUNCTION pg_temp.try(cells text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM cells::clv_cells;
	RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TEMP TABLE good AS SELECT
	'{"version": 6, "kind": "history", "occasion": 1, "options": {}, "skipped": 0, "spend_skipped": 0,
		"cells": [[1, 10, 20, 1]], "spend": [[1, 3]]}'
	AS text;
SELECT pg_temp.try(text) AS verdict FROM good;
SELECT replacement, pg_temp.try(replace(text, original, replacement)) AS verdict FROM good, (VALUES
	('"version": 6', '"version": 2'), ('history', 'histories'), ('"occasion": 1', '"occasion": -1'),
	('"occasion": 1', '"occasion": 1, "occasion": 1'), ('"options": {}, ', ''),
	('"options": {}', '"options": {"as_of": "2000-01-20"}'),
	('"options": {}', '"options": 1'), ('"options": {}', '"options": {'), ('"skipped": 0', '"skipped": -1'),
	('"skipped": 0', '"left_out": 0'),
	('[[1, 10', '[[-1, 10'), ('[[1, 10', '[[11, 10'), ('[[1, 10', '[[0, 10'), ('[[1, 10', '[[1.5, 10'),
	('[[1, 10', '[[9999999999, 10'),
	(', 1]]', ', 0]]'), (', 1]]', ', 4294967296]]'), (', 1]]', ', 4294967295], [1, 10, 20, 1]]'),
	('20, 1', '20, 2147483647'), ('10, 20', '-2147483648, 20'), ('10, 20', '10, 2147483647'),
	(', 1]]', ']]'), (', 1]]', ', 1, 1]]'), (', 1]]', ', 1],]'), ('[1, 3]', '[0, 3]'), ('[1, 3]', '[1, 0]'),
	('[1, 3]', '[1, -3]'), ('[1, 3]', '[1, 1e999]'),
	('[1, 3]', '[1, NaN]'), ('[1, 3]', '[1, 0x3]'), ('[[1, 3]]', 'null'), ('[[1, 3]]', '[]'), ('}', '} x'),
	('"spend": [[1, 3]]}', '"spend": [[1, 3]]'),
	('"history"', '"summary"')
) v (original, replacement);
SELECT pg_temp.try('') AS verdict UNION ALL SELECT pg_temp.try('{}') UNION ALL SELECT pg_temp.try('[]');
DROP FUNCTION pg_temp.cells;
DROP TABLE purchase, customer, whole, part, good;

-- Histories that are too long, too far apart or too many for the compact first stage of counting: the same in any order
-- and any split.
CREATE TABLE odd AS
	SELECT 1 AS customer, clv_history(date '2000-01-01' + d, 1) AS history FROM generate_series(0, 4096) d
	UNION ALL SELECT 2, clv_history(date '2000-01-01' + d, 1) FROM generate_series(0, 4095) d
	UNION ALL SELECT 3 + i, clv_history(date '2000-01-01' + i * 16384 + d * (i + 1), 2)
	  FROM generate_series(-3, 3) i, generate_series(0, 1) d GROUP BY i
	UNION ALL SELECT 20, clv_history(d, 3) FROM unnest(ARRAY[date '4700-01-01 BC', '2000-01-01']) d
	UNION ALL SELECT 21, clv_history(date '2000-01-01' + d, 3) FROM unnest(ARRAY[0, 32767]) d
	UNION ALL SELECT 22, clv_history(date '2000-01-01' + d, 3) FROM unnest(ARRAY[0, 32768]) d;
SELECT (SELECT clv_cells(history ORDER BY customer) FROM odd)
	   = (SELECT clv_cells(history ORDER BY customer DESC) FROM odd) AS any_order,
	   (SELECT clv_cells(history) FROM odd) = (SELECT clv_cells_rollup(c)
												 FROM (SELECT clv_cells(history) AS c
														 FROM odd GROUP BY customer) q) AS any_split,
	   (SELECT clv_cells(history) FROM odd) = (SELECT clv_cells(history)::text::clv_cells FROM odd) AS text,
	   (SELECT jsonb_array_length(clv_cells(history)::jsonb -> 'cells') FROM odd)
	   = (SELECT count(*) FROM odd) AS all_there;
-- one count more than a word of the compact stage holds
SELECT clv_cells(h, clv_options(spend => 'none'))::jsonb -> 'cells' AS cells
	FROM (SELECT clv_history(date '2020-01-01', 5) AS h OFFSET 0) one, generate_series(1, 4194304);
DROP TABLE odd;
