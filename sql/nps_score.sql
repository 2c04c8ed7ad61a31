-- Net Promoter Scores: the counts, the interval by its definition and by how often it holds the truth, any split of
-- the ratings.
CREATE FUNCTION pg_temp.same(a float8, b numeric)
RETURNS bool LANGUAGE sql AS 'SELECT abs(a - b) <= 1e-12 * greatest(abs(b), 1)';
CREATE FUNCTION pg_temp.ratings(promoters int, passives int, detractors int) RETURNS SETOF float8 LANGUAGE sql AS
	'SELECT 9 + i % 2 FROM generate_series(1, promoters) i
	UNION ALL SELECT 7 + i % 2 FROM generate_series(1, passives) i
	 UNION ALL SELECT i % 7 FROM generate_series(1, detractors) i';
-- the same score from its definition, in decimals: answers weigh 1, 0 and -1, and three are added that were not given
CREATE FUNCTION pg_temp.by_definition(promoters numeric, passives numeric, detractors numeric, OUT nps numeric,
	OUT margin numeric, OUT low numeric, OUT high numeric)
LANGUAGE sql AS $$
	SELECT 100 * (promoters - detractors) / (promoters + passives + detractors), 100 * h,
		   least(greatest(100 * (mean - h), -100),
			   100 * (promoters - detractors) / (promoters + passives + detractors)),
		   greatest(least(100 * (mean + h), 100), 100 * (promoters - detractors) / (promoters + passives + detractors))
	FROM (SELECT sum(weight) AS n, sum(weight * x) / sum(weight) AS mean
		  FROM (VALUES (1, promoters + 0.75), (0, passives + 1.5), (-1, detractors + 0.75)) v (x, weight)) s,
		LATERAL (SELECT 1.95996398454005423552 * sqrt(sum(weight * (x - mean) ^ 2) / n / n) AS h
				 FROM (VALUES (1, promoters + 0.75), (0, passives + 1.5), (-1, detractors + 0.75)) v (x, weight)) w $$;

-- which rating counts for what
SELECT rating, (s).promoters, (s).passives, (s).detractors, (s).nps
FROM (SELECT rating, clv_nps(rating) AS s FROM generate_series(0, 10) rating GROUP BY rating) s ORDER BY rating;
SELECT (s).responses, (s).promoters, (s).passives, (s).detractors, (s).nps
FROM (SELECT clv_nps(r) AS s FROM pg_temp.ratings(50, 30, 20) r) s;

-- the numbers, from one answer to many, and where all answer alike. Tolerance: a few roundings, 1e-12 of the number
-- or of 1 where it is smaller
CREATE TEMP TABLE cases AS
SELECT p, q, d
FROM generate_series(0, 7) p, generate_series(0, 7) q, generate_series(0, 7) d
WHERE p + q + d > 0
	UNION ALL VALUES (1000, 0, 0), (0, 1000, 0), (0, 0, 1000), (500, 0, 500), (3517, 1209, 802);
CREATE TEMP TABLE scores AS
SELECT p, q, d, s.*
FROM cases, LATERAL (SELECT (clv_nps(r)).* FROM pg_temp.ratings(p, q, d) r) s;
SELECT count(*) AS cases,
	   bool_and(responses = p + q + d AND promoters = p AND passives = q AND detractors = d) AS counts,
	   bool_and(pg_temp.same(s.nps, t.nps)) AS nps, bool_and(pg_temp.same(s.margin_of_error, t.margin)) AS margin,
	   bool_and(pg_temp.same(s.low, t.low)) AS low, bool_and(pg_temp.same(s.high, t.high)) AS high
FROM scores s, pg_temp.by_definition(p, q, d) t;
SELECT bool_and(low BETWEEN -100 AND nps AND high BETWEEN nps AND 100) AS within,
	   bool_and(margin_of_error > 0 AND high > low) AS "never without width"
FROM scores;
-- turned round, with promoters as detractors, the interval turns round
SELECT count(*),
	   bool_and(a.nps = -b.nps AND a.low = -b.high AND a.margin_of_error = b.margin_of_error) AS turned
FROM scores a
JOIN scores b ON a.p = b.d AND a.q = b.q AND a.d = b.p;
-- the number of answers that a margin takes, as Lewis and Sauro solve the same interval for it: n = s^2 z^2 /
-- margin^2 - 3
SELECT bool_and(pg_temp.same(s.responses,
		   10000 * 1.95996398454005423552 ^ 2 * (ends - net ^ 2) / s.margin_of_error::numeric ^ 2
			   - 3)) AS "n of a margin"
FROM scores s, LATERAL (SELECT (p + d + 1.5) / (p + q + d + 3) AS ends, (p - d) / (p + q + d + 3.0) AS net) v;
-- unanimous, and so many that p + d - (p - d)^2 would lose half its digits: counts by hand
SELECT pg_temp.same((s).margin_of_error / t.margin, 1) AS "10^14", (s).high = 100 AND (s).low < 100 AS within
FROM clv_internal.clv_nps_final('{100000000000000,0,0}') s, pg_temp.by_definition(100000000000000, 0, 0) t;
-- how often the interval holds the score of the population: over all samples of n answers, by their exact
-- probability, in populations of all tenths. On average it does what it says, from five answers on, where the plain
-- Wald interval, without added answers, is far from it
CREATE TEMP TABLE samples AS
SELECT n, p, q, n - p - q AS d, s.*,
	   100 * 1.959964 * sqrt(greatest((n - q) - (2 * p + q - n) ^ 2 / n::float8, 0)) / n AS plain
	FROM unnest(ARRAY[5, 10, 20]) n, generate_series(0, n) p, generate_series(0, n - p) q,
		 clv_internal.clv_nps_final(ARRAY[p, q, n - p - q]) s;
CREATE TEMP TABLE coverage AS
SELECT n, x, y,
	   sum(CASE WHEN x * 10 - y * 10 BETWEEN low - 1e-9 AND high + 1e-9 THEN probability END) AS coverage,
		sum(CASE WHEN x * 10 - y * 10 BETWEEN nps - plain - 1e-9 AND nps + plain + 1e-9 THEN probability END) AS plain
	FROM samples, generate_series(0, 10) x, generate_series(0, 10 - x) y,
		LATERAL (SELECT exp(ln(factorial(n)) - ln(factorial(p)) - ln(factorial(q)) - ln(factorial(d)))
						::float8 * (x / 10.0::float8) ^ p * ((10 - x - y)
							/ 10.0::float8) ^ q * (y / 10.0::float8) ^ d AS probability) w
	GROUP BY n, x, y;
SELECT n, count(*) AS populations, avg(coverage) BETWEEN 0.945 AND 0.965 AS "about 95 %",
	   min(coverage) > 0.8 AS "80 % anywhere", avg(coverage) - avg(plain) > 0.02 AS "plain covers less"
FROM coverage GROUP BY n ORDER BY n;

-- every type of number, and NULLs
SELECT count(DISTINCT s) AS same, count(*)
FROM (SELECT clv_nps(r::smallint) AS s FROM pg_temp.ratings(3, 2, 4) r
	  UNION ALL SELECT clv_nps(r::int) FROM pg_temp.ratings(3, 2, 4) r
	UNION ALL SELECT clv_nps(r::bigint) FROM pg_temp.ratings(3, 2, 4) r
	UNION ALL SELECT clv_nps(r::numeric) FROM pg_temp.ratings(3, 2, 4) r
	UNION ALL SELECT clv_nps(r::real) FROM pg_temp.ratings(3, 2, 4) r
	UNION ALL SELECT clv_nps(r) FROM pg_temp.ratings(3, 2, 4) r
	UNION ALL SELECT clv_nps(r)
	FROM (SELECT pg_temp.ratings(3, 2, 4) UNION ALL SELECT NULL UNION ALL SELECT NULL) v (r)) s;
SELECT clv_nps(r) IS NULL AS "no rows" FROM pg_temp.ratings(0, 0, 0) r;
SELECT clv_nps(NULL::int) IS NULL AS "no answers yet" FROM generate_series(1, 3);
SELECT count(*) AS groups, count(clv_nps) AS answered
FROM (SELECT clv_nps(CASE WHEN i > 5 THEN i END) FROM generate_series(1, 10) i GROUP BY i) g;
SELECT (clv_nps(r) FILTER (WHERE r > 6)).detractors, (clv_nps(DISTINCT r)).responses,
	   clv_nps('9') = clv_nps(-0.0 + 9) AS literal
FROM pg_temp.ratings(30, 20, 10) r;

-- in a window, moving on, back and by groups: as if each frame stood alone
CREATE TEMP TABLE log AS SELECT i, CASE WHEN i % 7 <> 3 THEN i * i % 11 END AS rating FROM generate_series(1, 60) i;
SELECT count(*),
	   bool_and(w.s IS NOT DISTINCT FROM (SELECT clv_nps(rating)
										  FROM log l
										  WHERE l.i BETWEEN w.i - 5 AND w.i - 2)) AS moving,
	   bool_and(t IS NOT DISTINCT FROM (SELECT clv_nps(rating) FROM log l WHERE l.i <= w.i)) AS growing,
	   count(s) AS answered, count(all_of) AS "over ()"
FROM (SELECT i, clv_nps(rating) OVER (ORDER BY i ROWS BETWEEN 5 PRECEDING AND 2 PRECEDING) AS s,
			 clv_nps(rating) OVER (ORDER BY i) AS t, clv_nps(rating) OVER () AS all_of
	  FROM log) w;

-- in parts, by two processes and by hand: the same row
CREATE TABLE nps_many AS SELECT i % 3 AS shop, i * i % 11 AS rating FROM generate_series(1, 3000) i;
CREATE TEMP TABLE serial AS SELECT shop, clv_nps(rating) AS s FROM nps_many GROUP BY ROLLUP (shop);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
ALTER TABLE nps_many SET (parallel_workers = 2);
CREATE FUNCTION pg_temp.in_parts(query text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		IF line ~ 'Partial (Hash|Group)?Aggregate' THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
SELECT pg_temp.in_parts('SELECT clv_nps(rating) FROM nps_many') AS "in parts",
	   pg_temp.in_parts('SELECT shop, clv_nps(rating) FROM nps_many GROUP BY shop') AS "by group";
CREATE TEMP TABLE parallel AS SELECT NULL::int AS shop, clv_nps(rating) AS s FROM nps_many;
INSERT INTO parallel SELECT shop, clv_nps(rating) FROM nps_many GROUP BY shop;
SELECT count(*), bool_and(a.s = b.s) AS same FROM serial a JOIN parallel b ON a.shop IS NOT DISTINCT FROM b.shop;
RESET parallel_leader_participation;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
DROP TABLE nps_many;
SELECT clv_internal.clv_nps_combine('{1,2,3}', '{10,20,30}') AS combined,
	   clv_internal.clv_nps_add('{1,2,3}', 8) AS added, clv_internal.clv_nps_remove('{1,2,3}', 0) AS removed,
	   clv_internal.clv_nps_final('{0,0,0}') IS NULL AS absent;
-- given a value that others hold, its own copy is changed
SELECT a, clv_internal.clv_nps_add(a, 10), clv_internal.clv_nps_combine(a, a), a
FROM (SELECT ARRAY[1, 2, 3]::bigint[] AS a OFFSET 0) v;

-- errors: values that are no rating
DO $$
DECLARE
	value text;
	message text;
	detail text;
	hint text;
BEGIN
	FOREACH value IN ARRAY ARRAY['11', '-1', '1e300', 'NaN', 'Infinity', '-Infinity', '7.5', '0.1',
		'9.999999999999998'] LOOP
		BEGIN
			PERFORM clv_nps(value::float8);
			RAISE WARNING '% is a rating', value;
		EXCEPTION WHEN numeric_value_out_of_range OR invalid_parameter_value THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			RAISE INFO '% % | % | %', SQLSTATE, message, detail, hint;
		END;
	END LOOP;
END $$;
SELECT clv_nps(r) FROM unnest(ARRAY[9, 10, 100]) r;
SELECT clv_nps(r) FROM unnest(ARRAY[9, NULL, 8.25]) r;
SELECT clv_internal.clv_nps_final('{1,2}');
SELECT clv_internal.clv_nps_final('{1,2,NULL}');
SELECT clv_internal.clv_nps_final('{{1,2,3}}');
SELECT clv_internal.clv_nps_final(clv_internal.clv_nps_remove('{0,0,0}', 9));
SELECT clv_internal.clv_nps_combine('{1,2,3}', '{9223372036854775807,0,0}');
DROP FUNCTION pg_temp.in_parts, pg_temp.same, pg_temp.ratings, pg_temp.by_definition;
DROP TABLE cases, scores, samples, coverage, log, serial, parallel;
