-- what the best customers have in common: counts, tests and scores worked out in another way
CREATE FUNCTION pg_temp.draw(seed text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
	$$ SELECT ('x' || substr(md5(seed), 1, 8))::bit(32)::int8 / 4294967296.0 $$;
-- the country and the newsletter matter, the colour does not; every customer has an id of their own
CREATE TEMP TABLE base AS
SELECT id, (exp(2 * sqrt(-2 * ln(pg_temp.draw('a' || id) + 1e-12)) * cos(6.283185307179586 * pg_temp.draw('b' || id))
		+ CASE country WHEN 'CH' THEN 1.5 ELSE 0 END + newsletter::int)) AS value, country, newsletter, colour,
	   jsonb_build_object('country', country, 'newsletter', newsletter, 'id', 'c' || id, 'colour', colour, 'none', NULL)
		   || CASE WHEN id % 3 = 0 THEN '{"interests": ["ski", "golf", "ski"]}'
				WHEN id % 3 = 1 THEN '{"interests": ["golf"]}' ELSE '{}' END::jsonb AS attributes
FROM generate_series(1, 4000) id, LATERAL (
	SELECT (ARRAY['DE', 'CH', 'FR', 'DE'])[1 + floor(4 * pg_temp.draw('c' || id))::int] AS country,
		   pg_temp.draw('n' || id) < 0.4 AS newsletter,
		   (ARRAY['red', 'green', 'blue'])[1 + floor(3 * pg_temp.draw('d' || id))::int] AS colour) t;
CREATE TEMP TABLE p AS SELECT clv_profile(value, attributes) AS profile FROM base;
SELECT profile -> 'customers' AS customers, profile -> 'best' AS best, profile -> 'skipped' AS skipped,
	   profile -> 'left_out' AS left_out, (profile ->> 'auc')::float8 BETWEEN 0.6 AND 0.8 AS auc FROM p;
SELECT attribute, value, customers, round(best_share::numeric, 3) AS best, round(rest_share::numeric, 3) AS rest,
	   round(lift::numeric, 2) AS lift, round(lift_low::numeric, 2) AS low, round(lift_high::numeric, 2) AS high, named
FROM p, clv_profile_traits(profile);

-- counted by a statement of one's own
WITH ranked AS (
	SELECT *, row_number() OVER (ORDER BY value DESC) <= 400 AS best FROM base
), trait AS (
	SELECT 'country' AS attribute, country AS value, best FROM ranked
	UNION ALL SELECT 'newsletter', newsletter::text, best FROM ranked
	UNION ALL SELECT 'colour', colour, best FROM ranked
	UNION ALL SELECT 'interests', 'ski', best FROM ranked WHERE id % 3 = 0
	UNION ALL SELECT 'interests', 'golf', best FROM ranked WHERE id % 3 < 2
), own AS (
	SELECT attribute, value, count(*) AS customers, count(*) FILTER (WHERE best) / 400.0 AS best_share,
		   count(*) FILTER (WHERE NOT best) / 3600.0 AS rest_share
	FROM trait GROUP BY 1, 2
)
SELECT count(*) AS traits, count(*) FILTER (WHERE o.customers = t.customers AND abs(o.best_share - t.best_share) < 1e-15
	AND abs(o.rest_share - t.rest_share) < 1e-15) AS same
FROM own o FULL JOIN (SELECT t.* FROM p, clv_profile_traits(profile) t) t USING (attribute, value);

-- Fisher's test by exact factorials: twice the smaller tail; and the q-values of Benjamini and Hochberg
CREATE FUNCTION pg_temp.tail(best_with int, with_it int, best int, n int, high bool) RETURNS numeric LANGUAGE sql AS $$
	WITH RECURSIVE f (i, ln) AS (SELECT 0, 0::numeric UNION ALL SELECT i + 1, ln + ln((i + 1)::numeric(40, 30)) FROM f
		WHERE i < n), c AS (SELECT array_agg(ln ORDER BY i) AS ln FROM f)
	SELECT sum(exp(ln[1 + with_it] - ln[1 + a] - ln[1 + with_it - a] + ln[1 + n - with_it] - ln[1 + best - a]
		- ln[1 + n - with_it - best + a] - ln[1 + n] + ln[1 + best] + ln[1 + n - best]))
	FROM c, generate_series(greatest(0, best + with_it - n), least(best, with_it)) a
	WHERE CASE WHEN high THEN a >= best_with ELSE a <= best_with END $$;
CREATE TEMP TABLE few AS
SELECT clv_profile(id, CASE WHEN id % 7 = 0 OR id > 45 THEN '{"a": 1}' WHEN id % 2 = 0 THEN '{"a": 1.50, "b": true}'
	ELSE '{"b": true}' END::jsonb) AS profile FROM generate_series(1, 60) id;
SELECT attribute, value, customers, abs(p_value / exact - 1) < 1e-10 AS p,
	   abs(q_value / min(p_value * total / rank)
		   OVER (ORDER BY rank ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) - 1) < 1e-14 AS q
FROM (SELECT t.*, row_number() OVER (ORDER BY p_value) AS rank, count(*) OVER () AS total,
			 least(1, 2 * least(pg_temp.tail(round(best_share * 6)::int, customers::int, 6, 60, true),
				pg_temp.tail(round(best_share * 6)::int, customers::int, 6, 60, false)))::float8 AS exact
	  FROM few, clv_profile_traits(profile) t) x ORDER BY 1, 2;

-- the AUC on the half that was not fitted, worked out pair by pair
WITH ranked AS (
	SELECT *, row_number() OVER (ORDER BY value DESC) AS place FROM base
), half AS (
	SELECT clv_profile(value, attributes) AS fitted FROM ranked WHERE place % 2 = 1
), scored AS (
	SELECT place <= 400 AS best, clv_profile_score(fitted, attributes) AS score FROM ranked, half WHERE place % 2 = 0
)
SELECT abs(avg(CASE WHEN abs(a.score - b.score) < 1e-14 THEN 0.5 ELSE (a.score > b.score)::int END)
		   - (SELECT (profile ->> 'auc')::float8 FROM p)) < 1e-12 AS auc
FROM scored a, scored b WHERE a.best AND NOT b.best;

-- scores of prospects: the sum of the weights of what they have
SELECT attributes, round(clv_profile_score(profile, attributes)::numeric, 4) AS score,
	   abs(ln(score / (1 - score)) - ln(1 / 9.0) - (SELECT coalesce(sum(w), 0) FROM (
			SELECT DISTINCT a.key, e.value, (profile #> ARRAY['traits', a.key, e.value] ->> 'weight')::float8 AS w
			FROM jsonb_each(attributes) a, LATERAL (
				SELECT a.value #>> '{}' AS value WHERE jsonb_typeof(a.value) <> 'array'
				UNION ALL SELECT jsonb_array_elements_text(CASE WHEN jsonb_typeof(a.value) = 'array' THEN a.value
					ELSE '[]' END)) e) s)) < 1e-12 AS sum_of_weights
FROM p, LATERAL (VALUES ('{}'::jsonb), ('{"country": "CH", "newsletter": true}'),
		('{"country": "CH", "newsletter": "true"}'), ('{"country": "DE", "newsletter": false, "age": 40}'),
		('{"interests": ["ski", "ski", "chess"], "country": null}')) a (attributes),
	 LATERAL (SELECT clv_profile_score(profile, attributes) AS score) c;

-- in any order of rows the same bits; ties and groups; NULLs
SELECT count(DISTINCT profile) AS orders FROM (
	SELECT profile FROM p UNION ALL
	SELECT clv_profile(value, attributes ORDER BY md5(id::text)) FROM base UNION ALL
	SELECT clv_profile(value, attributes ORDER BY value) FROM base) o;
SELECT count(DISTINCT profile) AS ties FROM (
	SELECT clv_profile(floor(ln(value)), attributes - 'id' ORDER BY id) AS profile FROM base UNION ALL
	SELECT clv_profile(floor(ln(value)), attributes - 'id' ORDER BY md5(id::text)) FROM base) o;
SELECT clv_profile(v, '{}') -> 'best' AS best
FROM unnest('{9,8,7,7,7,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1}'::float8[]) v;
SELECT clv_profile(v, '{}') -> 'best' AS best FROM unnest('{9,7,7,7,7,7,7,1,1,1,1,1}'::float8[]) v;
SELECT clv_profile(v, '{}') IS NULL AS all_alike FROM unnest('{7,7,7}'::float8[]) v;
SELECT clv_profile(v, NULL) FROM unnest('{9,7,NULL,1}'::float8[]) v;
SELECT clv_profile(v, '{}') IS NULL AS none FROM unnest('{}'::float8[]) v;
SELECT clv_profile(NULL, '{}') IS NULL AS unknown;
SELECT clv_profile_score(NULL, '{}') IS NULL AS no_profile, count(*) AS traits FROM clv_profile_traits(NULL);
SELECT clv_profile(i, jsonb_build_object('n', i, 'long', repeat('x', 200 + i % 2))) -> 'left_out' AS left_out
FROM generate_series(1, 201) i;
SELECT clv_profile(i, jsonb_build_object('n', i)) -> 'left_out' AS left_out FROM generate_series(1, 200) i;

-- without effects: in 200 shops of 500 customers, with ten attributes of four values, how many name a trait?
SELECT count(*) FILTER (WHERE named > 0) <= 10 AS at_most_one_in_twenty,
	   avg((profile ->> 'auc')::float8) BETWEEN 0.48 AND 0.52 AS auc
FROM (SELECT profile, (SELECT count(*) FROM clv_profile_traits(profile) WHERE named) AS named FROM (
	SELECT clv_profile(pg_temp.draw('v' || shop || ' ' || id), (
		SELECT jsonb_object_agg('a' || k, get_byte(decode(md5(shop || ' ' || id), 'hex'), k) % 4)
		FROM generate_series(0, 9) k)) AS profile
	FROM generate_series(1, 200) shop, generate_series(1, 500) id GROUP BY shop) s) t;

-- errors
SELECT clv_profile('NaN', '{}');
SELECT clv_profile(1, '[1]');
SELECT clv_profile(1, '1');
SELECT clv_profile(1, '{"address": {"city": "Bern"}}');
SELECT clv_profile(1, '{"tags": [["a"]]}');
SELECT clv_profile(1, jsonb_build_object(repeat('n', 64), 1));
SELECT clv_profile(1, (SELECT jsonb_object_agg('a' || k, 1) FROM generate_series(0, 1000) k));
SELECT clv_profile_score('{"customers": 10, "best": 1, "traits": {"a": {"1": {"weight": 1e400},
		   "2": {"weight": -1e400}}}}', '{"a": [1, 2]}');
SELECT clv_profile_score('{}', '{}');
SELECT clv_profile_score('[]', '{}');
SELECT clv_profile_score('{"customers": 10, "best": 1, "traits": {"a": 1}}', '{"a": 2}');
SELECT clv_profile_score(profile, '3') FROM p;
