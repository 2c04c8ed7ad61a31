-- Sums of curves of expected purchases over customers, against the sums of the functions that predict one customer; in
-- any order, and in any split
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SET datestyle = 'ISO';

-- 13,000 customers, more pairs of purchases and age than a state holds at a time
CREATE TABLE base AS
SELECT
	c,
	c % 3 AS g,
	clv_history(date '2020-01-01' + c % 650 + k * (3 + c % 5), (10 + c % 90 + k)::numeric) AS history
FROM generate_series(1, 13000) c, LATERAL generate_series(0, c / 650) k
GROUP BY c;
CREATE TABLE m AS
SELECT name, ('{"version": 1, "time_unit": "7 days", "as_of": "2022-03-01", "purchase": {"family": "' || family
	|| '", "parameters": ' || parameters || '}, "spend": {"family": "gamma/gamma", "parameters": '
	'{"p": 6, "q": 4, "gamma": 16}}}')::clv_model AS model
FROM (VALUES
	('mbg', 'mbg/nbd', '{"r": 0.25, "alpha": 4.5, "a": 0.75, "b": 2.5}'),
	('pareto', 'pareto/nbd', '{"r": 0.55, "alpha": 10.5, "s": 0.6, "beta": 11.5}')) v (name, family, parameters);
SELECT count(DISTINCT ((clv_purchases(history) - 1)::text, clv_first_purchase(history))) > 8192 AS many FROM base;

CREATE FUNCTION curve_near(a float8, b float8) RETURNS bool LANGUAGE sql RETURN abs(a - b) <= 1e-12 * abs(b);
CREATE FUNCTION curves_of(model clv_model, as_of date) RETURNS TABLE (g int, s float8[]) LANGUAGE sql AS $$
	SELECT b.g, clv_internal.clv_curve_sum(model, b.history, '{1 month,6 months,5 years}', as_of)
	FROM base b
	GROUP BY b.g $$;
SELECT m.name, t.day, count(*), every(array_dims(t.s) = '[1:2][1:3]') AS dims,
	every(curve_near(t.s[1][i], q.purchases)) AS purchases, every(curve_near(t.s[2][i], q.money)) AS money
FROM m
CROSS JOIN LATERAL (
	SELECT d.day, c.* FROM (VALUES (date '2022-03-01'), ('2020-06-01')) d (day), curves_of(m.model, d.day) c
) t
CROSS JOIN generate_series(1, 3) i
CROSS JOIN LATERAL (
	SELECT sum(v[i]) AS purchases, sum(v[i] * clv_expected_spend(m.model, b.history, t.day)) AS money
	FROM base b, clv_purchase_curve(m.model, b.history, '{1 month,6 months,5 years}', t.day) v
	WHERE b.g = t.g
) q
GROUP BY 1, 2 ORDER BY 1, 2;

-- in any order, and where money is too much for the units of the sums
CREATE TABLE rich AS SELECT c, clv_history(date '2020-01-01' + k, (c * 7919::numeric + 0.01) * 10 ^ (c % 14)) AS history
FROM generate_series(1, 400) c, generate_series(0, 700, 70) k
GROUP BY c;
SELECT count(DISTINCT s) AS results, count(DISTINCT r) AS rich
FROM m
CROSS JOIN LATERAL (VALUES ('c'), ('-c'), ('hashint4(c)'), ('c % 7')) o (o)
CROSS JOIN LATERAL (
	SELECT clv_internal.clv_curve_sum(m.model, q.history, '{1 year}', NULL) AS s
	FROM (SELECT * FROM base ORDER BY CASE o.o WHEN 'c' THEN c WHEN '-c' THEN -c WHEN 'c % 7' THEN c % 7
		ELSE hashint4(c) END) q
) s
CROSS JOIN LATERAL (
	SELECT clv_internal.clv_curve_sum(m.model, q.history, '{1 year}', NULL) AS r
	FROM (SELECT * FROM rich ORDER BY CASE o.o WHEN 'c' THEN c WHEN '-c' THEN -c WHEN 'c % 7' THEN c % 7
		ELSE hashint4(c) END) q
) r
WHERE m.name = 'mbg';
SELECT every(curve_near(s.s[1][1], q.purchases)) AS purchases, every(curve_near(s.s[2][1], q.money)) AS money
FROM m
CROSS JOIN LATERAL (SELECT clv_internal.clv_curve_sum(m.model, r.history, '{1 year}', NULL) AS s FROM rich r) s
CROSS JOIN LATERAL (
	SELECT sum(e) AS purchases, sum(e * clv_expected_spend(m.model, r.history)) AS money
	FROM rich r, clv_expected_purchases(m.model, r.history, '1 year') e
) q;
-- models, horizons and days that change from row to row
SELECT curve_near(s.s[1][1], q.purchases) AS purchases, curve_near(s.s[2][1], q.money) AS money
FROM (
	SELECT
		clv_internal.clv_curve_sum(m.model, b.history, ARRAY[make_interval(days => 30 + c % 2)],
			'2022-03-01'::date - c % 3) AS s
	FROM m, base b
	WHERE b.c % 40 = 0
) s,
(
	SELECT sum(e) AS purchases, sum(e * clv_expected_spend(m.model, b.history, '2022-03-01'::date - c % 3)) AS money
	FROM m, base b,
		clv_expected_purchases(m.model, b.history, make_interval(days => 30 + c % 2), '2022-03-01'::date - c % 3) e
	WHERE b.c % 40 = 0
) q;

-- nobody yet, nothing known, no spend, no horizon
SELECT
	clv_internal.clv_curve_sum(model, history, '{1 year}', '2019-12-31') IS NULL AS nobody,
	clv_internal.clv_curve_sum(NULL, history, '{1 year}', NULL) IS NULL AS unknown,
	clv_internal.clv_curve_sum(model, history, '{}', NULL) IS NULL AS none,
	(clv_internal.clv_curve_sum((model::text::jsonb - 'spend')::text::clv_model, history, '{1 year}', NULL))[2][1]
		AS without_spend
FROM base, m
WHERE c < 100;
\set ON_ERROR_STOP 0
SELECT clv_internal.clv_curve_sum(model, history, NULL, NULL) FROM base, m;
SELECT clv_internal.clv_curve_sum(model, history, '{1 year,NULL}', NULL) FROM base, m;
SELECT clv_internal.clv_curve_sum(model, history,
	CASE WHEN c > 50 THEN '{1 year}' ELSE '{1 year,2 years}' END::interval[], NULL)
FROM (SELECT * FROM base ORDER BY c) b, m;
\set ON_ERROR_STOP 1

-- however the rows are split between processes
CREATE TABLE serial AS
SELECT b.g, clv_internal.clv_curve_sum(m.model, b.history, '{1 month,6 months,5 years}', NULL) AS s
FROM base b CROSS JOIN m
WHERE m.name = 'mbg'
GROUP BY b.g;
ALTER TABLE base SET (parallel_workers = 2);
ANALYZE base;
SET max_parallel_workers_per_gather = 2;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 1;
SET cpu_tuple_cost = 10;
CREATE FUNCTION curve_plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;
SELECT model AS model FROM m WHERE name = 'mbg' \gset
SELECT count(*) AS partial FROM curve_plan(format(
	'SELECT g, clv_internal.clv_curve_sum(%L, history, %L, NULL) FROM base GROUP BY g', :'model',
	'{1 month,6 months,5 years}')) p
WHERE p ~ 'Partial';
SELECT count(*) AS groups, every(q.s = t.s) AS same
FROM (
	SELECT g, clv_internal.clv_curve_sum(:'model', history, '{1 month,6 months,5 years}', NULL) AS s
	FROM base
	GROUP BY g
) q
JOIN serial t USING (g);
DROP TABLE base, m, rich, serial;
DROP FUNCTION curve_near, curves_of, curve_plan;
