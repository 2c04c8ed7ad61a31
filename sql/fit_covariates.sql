-- covariates: 900 simulated customers; z = 1 doubles the rate of purchases (effect ln 2), age / 10 makes them leave
-- later
CREATE FUNCTION pg_temp.u(c int, i int, k text) RETURNS float8 LANGUAGE sql IMMUTABLE
	RETURN (('x' || substr(md5(c || ' ' || i || ' ' || k), 1, 8))::bit(32)::bigint + 0.5) / 4294967296;
CREATE TEMP TABLE customer AS
WITH purchase AS (
	SELECT c, i, c % 2 AS z, c % 7 AS age, c % 3 AS channel,
		   sum(CASE WHEN i = 0 THEN c % 200 ELSE least(500,
			   1 - 40 * (1 + (c + 1) % 2) * ln(pg_temp.u(c, i, 'gap')) / -ln(
				   pg_temp.u(c, 0, 'rate') * pg_temp.u(c, 1, 'rate'))) END) OVER w AS day,
		   coalesce(bool_or(pg_temp.u(c, i, 'coin')
			   < pg_temp.u(c, 0, 'leave')
				   * (1 - c % 7 / 10.0)) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
			   false) AS gone
	  FROM generate_series(1, 900) c, generate_series(0, 12) i WINDOW w AS (PARTITION BY c ORDER BY i))
SELECT c AS customer_id, z, age, channel, clv_history(date '2020-01-01' + day::int, (c % 9 + i)::numeric) AS history
  FROM purchase WHERE NOT gone AND day < 500 GROUP BY c, z, age, channel;
CREATE TEMP VIEW options AS SELECT clv_options(as_of => '2021-05-31', covariates => '{z,age}') AS o;
CREATE TEMP TABLE model AS SELECT clv_fit(history, o, ARRAY[z, age]) AS m FROM customer, options;

-- effects have standard errors, and are near the true ones
SELECT converged, gradient_norm < 1e-5 AS at_optimum,
	   abs(aic - (2 * 8 - 2 * log_likelihood)) < 1e-9 AS eight_parameters
  FROM model, clv_diagnostics(m);
SELECT name, process, estimate > 0 AS rises, std_error > 0 AND lower < estimate AND estimate < upper AS known,
	   process <> 'purchase effect'
	   OR CASE name WHEN 'z' THEN ln(2) ELSE 0 END
		   BETWEEN estimate - 3 * std_error AND estimate + 3 * std_error AS near_truth
  FROM model, clv_parameters(m) WHERE process LIKE '%effect';
-- the likelihood is that of the customers at the parameters their covariates give them, from those at the centre on
SELECT abs(log_likelihood / (SELECT sum(clv_log_likelihood(clv_model('mbg/nbd',
										jsonb_build_object('r', p.r, 'alpha',
											p.alpha * exp(-(p.ez * (z - p.mz) + p.eage * (age - p.mage))),
			'a', p.a * exp(p.cz * (z - p.mz) + p.cage * (age - p.mage)),
			'b', p.b * exp(p.cz * (z - p.mz) + p.cage * (age - p.mage))), '1 week'), x, t_x, t_cal))
		FROM customer, clv_summary(history, '2021-05-31'),
		(SELECT max(estimate) FILTER (WHERE name = 'r') AS r, max(estimate) FILTER (WHERE name = 'alpha') AS alpha,
		        max(estimate) FILTER (WHERE name = 'a') AS a, max(estimate) FILTER (WHERE name = 'b') AS b,
				max(estimate) FILTER (WHERE name = 'z' AND process = 'centre') AS mz,
				max(estimate) FILTER (WHERE name = 'age' AND process = 'centre') AS mage,
				max(estimate) FILTER (WHERE name = 'z' AND process = 'purchase effect') AS ez,
				max(estimate) FILTER (WHERE name = 'age' AND process = 'purchase effect') AS eage,
				max(estimate) FILTER (WHERE name = 'z' AND process = 'churn effect') AS cz,
				max(estimate) FILTER (WHERE name = 'age' AND process = 'churn effect') AS cage
		   FROM model, clv_parameters(m)) p) - 1) < 1e-10 AS likelihood FROM model, clv_diagnostics(m);
-- the centre is the mean over the customers
SELECT bool_and(abs(estimate / CASE name WHEN 'z' THEN z ELSE age END - 1) < 1e-14
				AND std_error IS NULL AND lower IS NULL) AS means
  FROM model, clv_parameters(m), (SELECT avg(z) AS z, avg(age) AS age FROM customer) c WHERE process = 'centre';

-- the same to the bit on every path
CREATE TEMP TABLE cells AS SELECT clv_cells(history, o, ARRAY[z, age]) AS c FROM customer, options;
-- sorted as they come from an aggregate, as GROUP BY does: into memory in which nothing can be freed
SET enable_hashagg = off;
SET client_min_messages = error;
SELECT g, clv_fit(w) = (SELECT clv_fit(c) FROM cells) AS same
FROM (SELECT clv_cells(history, o, ARRAY[z, age]) AS w FROM customer, options) c, generate_series(1, 2) g
GROUP BY g;
RESET client_min_messages;
RESET enable_hashagg;
SELECT (SELECT clv_fit(c) FROM cells) = m AS two_steps,
	   (SELECT clv_fit(c)
		  FROM (SELECT clv_cells(history, o, ARRAY[z, age]) AS c
				  FROM customer, options GROUP BY channel) q) = m AS parts,
	   (SELECT clv_fit(history, o, ARRAY[z, age] ORDER BY md5(customer_id::text)) FROM customer, options)
	   = m AS shuffled,
       (SELECT clv_fit(c::text::clv_cells) FROM cells) = m AS through_text,
       (SELECT clv_fit(c, '{"as_of": "2021-05-31"}') FROM cells) = m AS options_again
  FROM model;
SELECT (SELECT clv_cells_rollup(c)
		  FROM (SELECT clv_cells(history, o, ARRAY[z, age]) AS c
				  FROM customer, options GROUP BY customer_id) q) = c AS one_by_one,
       (SELECT clv_cells(history, o, ARRAY[z, age] ORDER BY customer_id DESC) FROM customer, options) = c AS backwards,
       c::text::clv_cells = c AS text, c::jsonb::clv_cells = c AS jsonb FROM cells;
SELECT c - (SELECT clv_cells(history, o, ARRAY[z, age]) FROM customer, options WHERE age > 2) =
       (SELECT clv_cells(history, o, ARRAY[z, age]) FROM customer, options WHERE age <= 2) AS taken_out,
       (c - c)::jsonb @> '{"cells": [], "vectors": []}' AS nothing_left FROM cells;
SELECT (SELECT clv_cells(history, o, ARRAY[z, age]) FROM customer, options WHERE age > 2) +
       (SELECT clv_cells(history, o, ARRAY[z, age]) FROM customer, options WHERE age <= 2) = c AS put_together,
	   clv_internal.clv_cells_send(c + c)
	   = (SELECT clv_internal.clv_cells_send(clv_cells_rollup(c)) FROM (VALUES (c), (c)) v (c)) AS twice
  FROM cells;
SELECT c::jsonb -> 'vectors' = (SELECT jsonb_agg(jsonb_build_array(z, age) ORDER BY z, age)
								  FROM (SELECT DISTINCT z, age FROM customer) q) AS each_once
  FROM cells;
SELECT jsonb_array_length(c::jsonb -> 'cells') = (SELECT count(DISTINCT (z, age, clv_purchases(history),
															 clv_first_purchase(history),
															 clv_last_purchase(history)))
                                                    FROM customer) AS each_cell_once FROM cells;
-- summaries give the same model
SELECT bool_and(a.estimate = b.estimate AND a.std_error = b.std_error) AS same_parameters
  FROM model, clv_parameters(m) a,
	   (SELECT clv_fit(x, t_x, t_cal, mean_spend, clv_options(covariates => '{z,age}'), ARRAY[z, age]) AS s
		  FROM customer, clv_summary(history, '2021-05-31')) q,
       clv_parameters(s) b WHERE (a.name, a.process) = (b.name, b.process);
-- units and order of covariates do not matter; a negative zero is a zero
SELECT bool_and(abs(a.estimate - b.estimate * CASE WHEN a.name <> 'age' THEN 1
													WHEN a.process = 'centre' THEN 10 ELSE 0.1 END)
		   < 1e-6 * abs(a.estimate)) AS other_unit
  FROM model, clv_parameters(m) a,
	   (SELECT clv_fit(history, clv_options(as_of => '2021-05-31', covariates => '{age,z}'),
				   ARRAY[age / 10.0, z]) AS n
		  FROM customer) q,
       clv_parameters(n) b WHERE (a.name, a.process) = (b.name, b.process);
SELECT clv_fit(history, o, ARRAY[CASE WHEN z = 0 THEN '-0'::float8 ELSE 1 END, age])
	   = (SELECT m FROM model) AS zero
  FROM customer, options;
-- nor do their origin and linear combinations: the likelihood is the same, and effects follow
SELECT bool_and(abs(log_likelihood / (SELECT log_likelihood FROM model, clv_diagnostics(m)) - 1) < 1e-12
		   AND converged) AS same_likelihood,
       bool_and(abs(pa - p) < 1e-6 AND abs(pb - q) < 1e-6) AS same_effects
  FROM (SELECT clv_fit(history, clv_options(as_of => '2021-05-31', covariates => '{a,b}'),
			   ARRAY[z, age + 2020]) AS n, 0 AS kind
		  FROM customer
		UNION ALL SELECT clv_fit(history, clv_options(as_of => '2021-05-31', covariates => '{a,b}'),
			ARRAY[1e4 * age, 2e4 * age + z]), 1
		  FROM customer
		UNION ALL SELECT clv_fit(history, clv_options(as_of => '2021-05-31', covariates => '{a,b}'),
			ARRAY[1e4 * age, 2e4 * age + 100 * z]), 100
		  FROM customer) f,
       clv_diagnostics(n),
       LATERAL (SELECT max(estimate) FILTER (WHERE name = 'a') AS a, max(estimate) FILTER (WHERE name = 'b') AS b
                  FROM clv_parameters(n) WHERE process = 'purchase effect') e,
	   LATERAL (SELECT CASE WHEN kind = 0 THEN a ELSE kind * b END AS pa,
					   CASE WHEN kind = 0 THEN b ELSE 1e4 * a + 2e4 * b END AS pb) v,
       (SELECT max(estimate) FILTER (WHERE name = 'z') AS p, max(estimate) FILTER (WHERE name = 'age') AS q
          FROM model, clv_parameters(m) WHERE process = 'purchase effect') t;
-- units in which no double holds the effects
SELECT clv_fit(history, clv_options(as_of => '2021-05-31', covariates => '{z,age}'), ARRAY[z, age * 1e-300])
  FROM customer;
-- a model without them is nested in it
SELECT df, p_value < 0.001 AS matters, larger FROM model,
	(SELECT clv_fit(history, clv_options(as_of => '2021-05-31')) AS plain FROM customer) q, clv_compare(plain, m);
SELECT df
  FROM (SELECT clv_fit(history, clv_options(as_of => '2021-05-31', covariates => '{z}'), ARRAY[z]) AS one
		  FROM customer) q, model, clv_compare(one, m);
-- a ridge draws effects to zero, and costs likelihood
SELECT sum(estimate ^ 2)
	   < (SELECT sum(estimate ^ 2) FROM model, clv_parameters(m) WHERE process LIKE '%effect') AS smaller,
       min(log_likelihood) < (SELECT log_likelihood FROM model, clv_diagnostics(m)) AS costs
  FROM (SELECT clv_fit(history, clv_options(as_of => '2021-05-31', covariates => '{z,age}', penalty => 0.1),
				   ARRAY[z, age]) AS n
		  FROM customer) q,
       clv_parameters(n), clv_diagnostics(n) WHERE process LIKE '%effect';
-- warm, from this model or one with other covariates
SELECT abs(w.log_likelihood / d.log_likelihood - 1) < 1e-12 AS same_place
  FROM model, clv_diagnostics(m) d,
	   LATERAL (SELECT clv_fit(history, clv_options(as_of => '2021-05-31', covariates => '{age,z}', start => m),
						   ARRAY[age, z]) AS warm
  FROM customer) q, clv_diagnostics(warm) w;
-- 'auto' leaves out families that take no covariates
SELECT purchase_model IS NOT NULL AS chosen, (SELECT count(*) > 2 FROM jsonb_array_elements(candidates)) AS several FROM
	(SELECT clv_fit(history, clv_options(model => 'auto', as_of => '2021-05-31', covariates => '{z}'),
				ARRAY[z]) AS m
	   FROM customer) q, clv_diagnostics(m);

-- customers without covariates, or with others
SELECT clv_fit(history, o, NULL::float8[]) FROM customer, options WHERE customer_id = 14;
SELECT clv_fit(history, o, ARRAY[z]) FROM customer, options WHERE customer_id = 14;
SELECT clv_fit(history, o, ARRAY[[z], [age]]) FROM customer, options WHERE customer_id = 14;
SELECT clv_fit(history, o, '{}'::float8[]) FROM customer, options WHERE customer_id = 14;
SELECT clv_fit(history, o, ARRAY[z, NULL]) FROM customer, options WHERE customer_id = 14;
SELECT clv_fit(history, o, ARRAY[z, 'NaN'::float8]) FROM customer, options WHERE customer_id = 14;
SELECT clv_fit(history, o, ARRAY['-Infinity'::float8, age]) FROM customer, options WHERE customer_id = 14;
SELECT clv_fit(2, 1, 3, 4, o, ARRAY[1, 2, 3]) FROM options;
-- a NULL history is no customer, whatever its covariates
SELECT clv_fit(NULL::clv_history, o, NULL::float8[]) IS NULL AS absent FROM options;
-- errors: names without values, values without names
SELECT clv_fit(history, o) FROM customer, options;
SELECT clv_fit(history, clv_options(), ARRAY[z]) FROM customer;
SELECT clv_fit(1, 1, 2, 3, o) FROM options;
-- errors: constant and collinear covariates
SELECT clv_fit(history, clv_options(as_of => '2021-05-31', covariates => '{z,one}'), ARRAY[z, 1]) FROM customer;
SELECT clv_fit(history, clv_options(as_of => '2021-05-31', covariates => '{z,age,both}'),
		   ARRAY[z, age, z + 2 * age])
  FROM customer;
SELECT clv_fit(history, clv_options(as_of => '2021-05-31', covariates => '{a,b,c}'),
		   ARRAY[(channel = 0)::int, (channel = 1)::int, (channel = 2)::int])
  FROM customer;
-- cells with other covariates
SELECT clv_internal.clv_cells_merge(c,
		   (SELECT clv_cells(history, clv_options(as_of => '2021-05-31', covariates => '{age,z}'),
					   ARRAY[age, z])
			  FROM customer))
  FROM cells;
SELECT c - (SELECT clv_cells(history, clv_options(as_of => '2021-05-31')) FROM customer) FROM cells;
SELECT c + (SELECT clv_cells(history, o || '{"shape_penalty": 1}', ARRAY[z, age]) FROM customer, options) FROM cells;
SELECT clv_fit(c, clv_options(as_of => '2021-05-31', covariates => '{age,z}')) FROM cells;
SELECT c - (SELECT clv_cells(history, o, ARRAY[z, age + 1]) FROM customer, options WHERE customer_id = 13) FROM cells;
-- names
SELECT clv_options(covariates => '{a,a}');
SELECT clv_options(covariates => '{""}');
SELECT clv_options(covariates => '{NULL}');
SELECT clv_options(covariates => ARRAY[repeat('x', 64)]);
SELECT clv_options(covariates => (SELECT array_agg('c' || i) FROM generate_series(1, 17) i));
SELECT clv_options(covariates => (SELECT array_agg(repeat('c', 30) || i) FROM generate_series(1, 9) i));
SELECT clv_options(penalty => 1);
SELECT clv_options(covariates => '{Größe,"a \"b\""}') -> 'covariates' AS kept;

-- models written by hand are checked
CREATE FUNCTION pg_temp.try(cells text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM cells::clv_cells;
	RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TEMP TABLE good AS
SELECT '{"version": 6, "kind": "history", "occasion": 1, "options": {"covariates": ["z"]}, "skipped": 0,
		   "spend_skipped": 0,
	"vectors": [[0], [1.5]], "cells": [[1, 10, 20, 1, 0], [1, 10, 20, 1, 1]], "spend": []}' AS text;
SELECT replacement, pg_temp.try(replace(text, original, replacement)) AS verdict FROM good, (VALUES
	('1.5', '1.5'), ('1.5', '0'), ('1.5', 'NaN'), ('1.5', '1, 2'), ('[1.5]', '[]'), ('[0], ', ''),
		('[[0], [1.5]]', '[[0], [1.5], [2]]'),
	('[[0], [1.5]]', '[]'), ('"vectors": [[0], [1.5]],', ''), ('1, 1]', '1, 2]'), ('1, 1]', '1, -1]'),
		('1, 1]', '1]'), ('["z"]', '["z", "y"]'), ('["z"]', '[]'),
	('["z"]', '"z"'), ('["z"]', '[1]'),
		('{"covariates": ["z"]}',
			'{"covariates": ["z"], "start_effects": [1, 2, 3]}')) v (original, replacement);
DROP VIEW options;
DROP TABLE customer, model, cells, good;
