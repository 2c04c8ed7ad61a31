-- Fits in which each customer has a calendar of their own: mailings received, price paid.
-- A simulated shop of 400 customers with mailings of their own, by hashing, so that it is the same everywhere.
SET client_min_messages = error; -- some of these families are at a border here
CREATE FUNCTION pg_temp.uniform(text) RETURNS float8
LANGUAGE sql AS $$ SELECT (('x' || substr(md5($1), 1, 12))::bit(48)::int8 + 0.5) / 2 ^ 48 $$;
CREATE FUNCTION pg_temp.near(float8, float8, float8 DEFAULT 1e-12) RETURNS bool
LANGUAGE sql AS $$ SELECT abs($1 - $2) <= $3 * abs($2) $$;

CREATE TEMP TABLE mailings AS
SELECT i AS customer, date '2021-01-01' + 14 * w AS since,
	   (pg_temp.uniform(format('m %s %s', i, w)) < 0.3)::int::float8 AS mailed,
	   round(10 * pg_temp.uniform(format('p %s %s', i, w / 8))) AS price,
	   (w % 13 = 5)::int::float8 AS sale
FROM generate_series(1, 400) i, generate_series(0, 65) w;
CREATE TEMP TABLE customers AS
SELECT customer, path, two, three, four, common, ARRAY[customer % 2]::float8[] AS z, clv_history(day, amount) AS history
FROM (SELECT customer, clv_calendar(since, ARRAY[mailed], '{mailed}') AS path,
			 clv_calendar(since, ARRAY[mailed, price], '{mailed,price}') AS two,
			 clv_calendar(since, ARRAY[mailed, price, sale], '{mailed,price,sale}') AS three,
			 clv_calendar(since, ARRAY[mailed, price, sale, customer % 2], '{mailed,price,sale,odd}') AS four
	  FROM mailings GROUP BY 1) p
	 JOIN (SELECT i AS customer, date '2021-01-05' + i % 200 AS first,
				  0.04 * (-ln(pg_temp.uniform('r' || i))) AS rate,
				  -ln(pg_temp.uniform('l' || i)) * (100 + 900 * (i % 2)) AS life
		   FROM generate_series(1, 400) i) c USING (customer),
	 LATERAL (SELECT first AS day, 10 AS amount UNION ALL
			  SELECT first + d, 10 + d % 7
			  FROM generate_series(1, least(life::int, date '2022-12-31' - first)) d,
				   LATERAL (SELECT pg_temp.uniform(format('m %s %s', customer, (first + d - date '2021-01-01') / 14))
							< 0.3 AS mailed) m
			  WHERE pg_temp.uniform(customer || ' ' || d) < rate * exp(0.7 * mailed::int)) o,
	 (SELECT clv_calendar(since, ARRAY[sale], '{sale}') AS common FROM mailings WHERE customer = 1) k
GROUP BY 1, 2, 3, 4, 5, 6;
CREATE TEMP TABLE families AS
SELECT family, clv_options(model => family, spend => 'none', as_of => '2022-12-31') AS options
FROM unnest('{bg/nbd,mbg/nbd,pareto/nbd,pareto/nbd/cor,ggompertz/nbd}'::text[]) family;

-- effects
CREATE TEMP TABLE fits AS
SELECT family, options, clv_fit(history, options, path) AS model, clv_fit(history, options) AS plain
FROM customers, families GROUP BY 1, 2;
SELECT family, name, process,
	   abs(effect - CASE process WHEN 'purchase' THEN 0.7 ELSE 0 END) < 3 * std_error AS recovered
FROM fits, clv_effects(model)
WHERE family IN ('bg/nbd', 'mbg/nbd', 'pareto/nbd') ORDER BY family, process DESC;
-- the log-likelihood is the sum over customers, each by the model of their path
SELECT family, pg_temp.near((clv_diagnostics(model)).log_likelihood,
							(SELECT sum(clv_log_likelihood(clv_with_calendar(model, path), history)) FROM customers),
							1e-11) AS same,
	   df, p_value < 1e-5 AS better
FROM fits, clv_compare(plain, model) ORDER BY family;

-- everybody with the same path: the fit by a calendar
SELECT family, bool_and(pg_temp.near(a.effect, b.effect, 1e-9)) AS effects,
	   bool_and(pg_temp.near(a.std_error, b.std_error, 1e-9) IS NOT FALSE) AS errors,
	   pg_temp.near((clv_diagnostics(same)).log_likelihood, (clv_diagnostics(model)).log_likelihood) AS likelihood
FROM (SELECT family, clv_fit(history, options, common) AS same,
			 clv_fit(history, options || jsonb_build_object('calendar', common::jsonb)) AS model
	  FROM customers, families GROUP BY family) f, clv_effects(same) a JOIN clv_effects(model) b USING (name, process)
GROUP BY family, same, model ORDER BY family;
-- what is known of everybody may be in paths, or in a calendar beside them; so may covariates that do not change
CREATE TEMP TABLE parts AS
SELECT clv_fit(history, o || jsonb_build_object('calendar', common::jsonb), two) AS joined,
	   clv_fit(history, o, three) AS alone,
	   clv_fit(history, o || jsonb_build_object('covariates', ARRAY['odd'], 'calendar', common::jsonb), z,
			   two) AS mixed,
	   clv_fit(history, o, four) AS paths
FROM customers, clv_options(model => 'pareto/nbd', spend => 'none', as_of => '2022-12-31') o;
SELECT pg_temp.near((clv_diagnostics(joined)).log_likelihood, (clv_diagnostics(alone)).log_likelihood) AS joined,
	   pg_temp.near((clv_diagnostics(mixed)).log_likelihood, (clv_diagnostics(paths)).log_likelihood, 1e-11) AS mixed
FROM parts;
SELECT name, process, pg_temp.near(a.effect, b.effect, 1e-6) AS same
FROM parts, clv_effects(mixed) a JOIN clv_effects(paths) b USING (name, process) ORDER BY 1, 2;
SELECT bool_and(pg_temp.near(a.expected_purchases, b.expected_purchases, 1e-10)
				AND pg_temp.near(a.p_alive, b.p_alive, 1e-10)) AS joined,
	   bool_and(pg_temp.near(c.expected_purchases, d.expected_purchases, 1e-6)) AS mixed
FROM customers, parts, clv_predict(clv_with_calendar(joined, two), history, '100 days') a,
	 clv_predict(clv_with_calendar(alone, three), history, '100 days') b,
	 clv_predict(clv_with_calendar(mixed, two), history, '100 days', covariates => z) c,
	 clv_predict(clv_with_calendar(paths, four), history, '100 days') d;

-- covariates may act on spend besides: as without a path
SELECT pg_temp.near(a.effect, b.effect, 1e-9) AS spend
FROM (SELECT clv_fit(history, o, z, path) AS model, clv_fit(history, o, z) AS plain
	  FROM customers, clv_options(as_of => '2022-12-31', covariates => '{odd}', spend_covariates => '{odd}') o) f,
	 clv_effects(model) a, clv_effects(plain) b
WHERE a.process = 'spend' AND b.process = 'spend';
-- effects of zero: the family without a path, whatever the path
SELECT count(*), bool_and(pg_temp.near(a.expected_purchases, b.expected_purchases)
						  AND pg_temp.near(a.p_alive, b.p_alive)) AS same
FROM customers, fits, LATERAL (
	SELECT jsonb_set(plain::jsonb, '{purchase}', (plain::jsonb -> 'purchase') - 'covariance' || jsonb_build_object(
		'covariates', '[{"name": "mailed", "purchase": 0}]'::jsonb, 'path', 1))::clv_model AS zero) z,
	clv_predict(clv_with_calendar(zero, path), history, '300 days') a, clv_predict(plain, history, '300 days') b;
-- steps to come: who is mailed more buys more
SELECT count(*), bool_and(
	clv_expected_purchases(clv_with_calendar(clv_with_calendar(model, path), later), history, '90 days')
	> clv_expected_purchases(clv_with_calendar(model, path), history, '90 days')) AS more
FROM customers, fits,
	 (SELECT clv_calendar(day, '{1}', '{mailed}') AS later FROM unnest('{2023-01-01,2023-06-01}'::date[]) day) l
WHERE family = 'mbg/nbd' AND clv_p_alive(plain, history) > 0.01
GROUP BY family;
-- totals: each customer by their own path. The expectation is the sum; its error is by the covariance of the fit and
-- the gradient, here from whole totals a step apart
CREATE TEMP TABLE totals AS
SELECT family, model, (clv_predict_total(clv_with_calendar(model, path), history, '180 days', 0.1)).*
FROM customers, fits WHERE family IN ('mbg/nbd', 'pareto/nbd') AND customer <= 150 GROUP BY family, model;
CREATE TEMP TABLE numbers AS
SELECT family, model, way, row_number() OVER (PARTITION BY family ORDER BY n) - 1 AS place
FROM (SELECT family, model, n, ARRAY['purchase', 'parameters', key] AS way
	  FROM totals, json_object_keys(model::text::json #> '{purchase,parameters}') WITH ORDINALITY k (key, n)
	  UNION ALL SELECT family, model, n, ARRAY['purchase', 'covariates', '0', key]
	  FROM totals, (VALUES (11, 'purchase'), (12, 'churn')) k (n, key)) w;
CREATE TEMP TABLE slopes AS
SELECT family, place, (SELECT sum(clv_expected_purchases(clv_with_calendar(up, path), history, '180 days')
								  - clv_expected_purchases(clv_with_calendar(down, path), history, '180 days')) / 2e-3
					   FROM customers WHERE customer <= 150) AS slope
FROM numbers,
	 LATERAL (SELECT (model::jsonb #>> way)::float8 AS x, way[2] = 'parameters' AS logs) x,
	 LATERAL (SELECT jsonb_set(model::jsonb, way, to_jsonb(CASE WHEN logs THEN x * exp(1e-3::float8)
																ELSE x + 1e-3 END))::clv_model AS up,
					 jsonb_set(model::jsonb, way, to_jsonb(CASE WHEN logs THEN x * exp(-1e-3::float8)
																ELSE x - 1e-3 END))::clv_model AS down OFFSET 0) s
WHERE x IS NOT NULL;
SELECT family, customers,
	   pg_temp.near(expected_purchases, (SELECT sum(clv_expected_purchases(clv_with_calendar(model, path), history,
		   '180 days')) FROM customers WHERE customer <= 150)) AS sum,
	   pg_temp.near(purchases_std_error, sqrt((
		   SELECT sum(a.slope * b.slope * (model::jsonb #>> ARRAY['purchase', 'covariance',
					  greatest(a.place, b.place)::text, least(a.place, b.place)::text])::float8)
		   FROM slopes a JOIN slopes b USING (family) WHERE family = t.family)), 1e-5) AS error,
	   purchases_low < purchases_mean_low AND purchases_mean_high < purchases_high AS intervals
FROM totals t ORDER BY family;
-- calendars that are the same until the horizon are one; parts add up, and are stored as of a model that awaits a path
CREATE TEMP TABLE sums AS
SELECT family, part, clv_sums(CASE WHEN part = 0 OR customer % 2 = 0 THEN clv_with_calendar(model, one)
								   ELSE clv_with_calendar(model, longer) END, history, '180 days', 0.1) AS sums
FROM fits, customers, generate_series(0, 3) part,
	 (SELECT path AS one, path || later AS longer
	  FROM customers, (SELECT clv_calendar(max + 14, '{1}', '{mailed}') AS later
					   FROM (SELECT max(since) FROM mailings) m) l
	  WHERE customer = 1) p
WHERE family IN ('mbg/nbd', 'pareto/nbd') AND part IN (0, 1 + customer % 3) GROUP BY family, part;
SELECT family, count(DISTINCT total) AS same
FROM (SELECT family, clv_predict_total(sums)::text AS total FROM sums GROUP BY family, part > 0) s
GROUP BY family ORDER BY family;
SELECT bool_and(sums::text::clv_sums = sums) AS text, min(sums::jsonb #>> '{model,purchase,path}') AS path,
	   bool_or(sums::jsonb #> '{model,purchase}' ? 'calendar') AS calendar
FROM sums;
-- another fit is another model
SELECT clv_predict_total(clv_with_calendar(model, path), history, '180 days' ORDER BY family, customer)
FROM fits, customers WHERE family IN ('mbg/nbd', 'bg/nbd');

-- ---- cells ----
CREATE TEMP TABLE cells AS
SELECT clv_cells(history, o, two) AS c, clv_cells(history, o, two) FILTER (WHERE customer % 3 = 0) AS a,
	   clv_cells(history, o, two) FILTER (WHERE customer % 3 > 0) AS b,
	   clv_fit(history, o, two) AS model
FROM customers, clv_options(model => 'pareto/nbd', as_of => '2022-12-31', churn_covariates => '{}',
	path_covariates => '{mailed,price}') o;
SELECT a + b = c AS plus, c - a = b AS minus, c - b = a AS "the other", c::text::clv_cells = c AS text,
	   c::jsonb::clv_cells = c AS jsonb, clv_fit(c) = model AS fitted,
	   (SELECT clv_cells_rollup(x) FROM unnest(ARRAY[b, a]) x) = c AS rollup,
	   clv_fit(c, clv_options(model => 'pareto/nbd', churn_covariates => '{}', path_covariates => '{mailed,price}'))
		= model AS "with options",
	   jsonb_array_length(c::jsonb -> 'paths') AS paths, c::jsonb #> '{options,churn_covariates}' AS acting
FROM cells GROUP BY a, b, c, model;
CREATE TEMP TABLE copied (LIKE cells);
\copy (SELECT * FROM cells) TO 'results/fit_paths.bin' (FORMAT binary)
\copy copied FROM 'results/fit_paths.bin' (FORMAT binary)
SELECT cells = copied AS binary FROM cells, copied;
-- customers who are alike are one cell: a path for each half
SELECT jsonb_array_length(c -> 'paths') AS paths, jsonb_array_length(c -> 'cells') AS cells
FROM (SELECT clv_cells(clv_history, clv_options(spend => 'none', as_of => '2021-12-31'), clv_calendar)::jsonb AS c
	  FROM (SELECT half, clv_calendar(date '2021-01-01' + 365 * i, ARRAY[half], '{a}'),
				   clv_history(date '2021-03-01' + 7 * i)
			FROM generate_series(0, 1) half, generate_series(0, 1) i GROUP BY half) q, generate_series(1, 10)) c;
-- paths are checked: those of the vectors, with the names of the options, and none besides
SELECT jsonb_set(c::jsonb, '{paths}', (c::jsonb -> 'paths') - 0)::clv_cells FROM cells;
SELECT jsonb_set(c::jsonb, '{paths}', c::jsonb -> 'paths' || common::jsonb)::clv_cells
FROM cells, customers WHERE customer = 1;
SELECT jsonb_set(c::jsonb, '{options,path_covariates}', '["mailed","cost"]')::clv_cells FROM cells;
SELECT (c::jsonb - 'paths')::clv_cells FROM cells;
SELECT pg_temp.near((clv_diagnostics(clv_fit(c, clv_options(model => 'mbg/nbd')))).log_likelihood,
	   (clv_diagnostics((SELECT clv_fit(history, clv_options(as_of => '2022-12-31'), two)
						 FROM customers))).log_likelihood)
	AS "another family" FROM cells;
SELECT clv_fit(c, clv_options(model => 'bg/bb', time_unit => '1 month')) FROM cells;
SELECT clv_fit(c, clv_options(season => 1)) FROM cells;
-- BIC chooses among the families that can follow paths
SELECT purchase_model IS NOT NULL AS chosen,
	   (SELECT string_agg(e ->> 'family', ', ' ORDER BY e ->> 'family')
		FROM jsonb_array_elements(candidates) e) AS others
FROM (SELECT (clv_diagnostics(clv_fit(history, clv_options(model => 'auto', spend => 'none', as_of => '2022-12-31'),
		path))).* FROM customers) d;

-- ---- the model ----
SELECT model::text::clv_model = model AS text, model::jsonb::clv_model = model AS jsonb,
	   model::jsonb #> '{purchase,path}' AS path, (SELECT count(*) FROM clv_effects(model)) AS effects
FROM cells;
SELECT clv_expected_purchases(model, history, '1 year') FROM cells, customers WHERE customer = 1;
SELECT clv_with_calendar(model, path) FROM cells, customers WHERE customer = 1;
SELECT clv_with_calendar(model, clv_calendar(since, ARRAY[mailed, price], '{mailed,price}'))
FROM cells, mailings WHERE customer = 1 AND since < '2022-12-01' GROUP BY model;
SELECT jsonb_set(model::jsonb, '{purchase,path}', '3')::clv_model FROM cells;

-- ---- errors ----
CREATE TEMP TABLE o AS SELECT clv_options(model => 'pareto/nbd', spend => 'none', as_of => '2022-12-31') AS o;
SELECT clv_fit(history, o, CASE customer WHEN 17 THEN two ELSE path END) FROM customers, o;
SELECT clv_fit(history, o, CASE customer WHEN 17 THEN NULL ELSE path END) FROM customers, o;
SELECT clv_fit(history, o, p)
FROM customers, o, LATERAL (SELECT clv_calendar(since, ARRAY[mailed], '{mailed}') AS p FROM mailings m
	WHERE m.customer = customers.customer AND (since > '2021-02-01' OR customers.customer <> 30)) q;
SELECT clv_fit(history, o, p)
FROM customers, o, LATERAL (SELECT clv_calendar(since, ARRAY[mailed], '{mailed}') AS p FROM mailings m
	WHERE m.customer = customers.customer AND (since < '2022-12-01' OR customers.customer <> 30)) q;
-- without as_of it is known at the end only
SELECT clv_fit(history, o - 'as_of', p)
FROM customers, o, LATERAL (SELECT clv_calendar(since, ARRAY[mailed], '{mailed}') AS p FROM mailings m
	WHERE m.customer = customers.customer AND (since < '2022-12-01' OR customers.customer <> 17)) q;
SELECT clv_fit(history, o || '{"path_covariates": ["cost"]}', path) FROM customers, o WHERE customer = 1;
SELECT clv_fit(history, o || '{"path_covariates": ["cost"]}') FROM customers, o;
SELECT clv_fit(history, o || '{"covariates": ["mailed"]}', z, path) FROM customers, o;
SELECT clv_fit(history, o, z, path) FROM customers, o;
SELECT clv_fit(history, o || jsonb_build_object('calendar', common::jsonb), three) FROM customers, o;
SELECT clv_fit(history, o || '{"model": "bg/bb", "time_unit": "1 month"}', path) FROM customers, o;
-- constant, and a combination of others
SELECT clv_fit(history, o, c) FROM customers, o, (SELECT clv_calendar(d, '{1}', '{same}') AS c
	FROM unnest('{2021-01-01,2022-01-01,2023-01-01}'::date[]) d) c;
SELECT clv_fit(history, o, p)
FROM customers, o, LATERAL (SELECT clv_calendar(since, ARRAY[mailed, 1 - mailed], '{mailed,not}') AS p FROM mailings m
	WHERE m.customer = customers.customer) q;

-- a path that does not change is a covariate of the customer, also with correlated rates, whose density is that of
-- rates at covariates of 0
CREATE TEMP TABLE constant AS
SELECT customer, z, history, clv_calendar(day, z, '{odd}') AS path
FROM customers, unnest('{2020-12-01,2030-01-01}'::date[]) day
GROUP BY customer, z, history;
CREATE TEMP TABLE same AS
SELECT clv_fit(history, options || '{"covariates": ["odd"]}', z) AS by_covariate,
	clv_fit(history, options, path) AS by_path, clv_fit(history, options || '{"correlation": true}', path) AS correlated
FROM constant, families WHERE family = 'pareto/nbd' GROUP BY options;
SELECT count(*), bool_and(pg_temp.near(p.estimate, c.estimate, 1e-7)) AS same
FROM same, clv_parameters(by_path) p JOIN clv_parameters(by_covariate) c USING (process, name)
WHERE process LIKE '%effect';
SELECT pg_temp.near(p.log_likelihood, c.log_likelihood) AS same, r.log_likelihood > p.log_likelihood AS better,
	(SELECT count(*) FROM clv_parameters(correlated) e WHERE e.process LIKE '%effect') AS effects
FROM same, clv_diagnostics(by_path) p, clv_diagnostics(by_covariate) c, clv_diagnostics(correlated) r;
