-- Rule lists: the tests of rules, the inputs that they need, errors, and when a changed map is seen.
SET client_min_messages = warning;
CREATE SCHEMA segment_rules;
SET search_path = segment_rules, public;

-- --- tests of scores: one, several, a range, cells; the first that holds ---
CREATE FUNCTION try(rules text, r int, f int DEFAULT 1, m int DEFAULT 1, attributes jsonb DEFAULT NULL) RETURNS text
RETURN segment_assign(ROW(r, f, m, 1, NULL, NULL, NULL)::clv_scores, rules, attributes);
SELECT r,
	   try('[{"segment": "five", "r": 5}, {"segment": "two or four", "r": [2, 4]},
		{"segment": "low", "r": {"max": 2}}]', r) AS list,
	   try('[{"segment": "up", "r": {"min": 3, "max": 4}}, {"segment": "top", "r": {"min": 5}}]', r) AS range,
	   try('[{"segment": "listed", "rf": ["15", 25, "53"]}, {"segment": "rest"}]', r, 5) AS cells,
	   try(' [{"segment": "both", "r": [4, 5], "f": 2}, {"segment": "r{r}m{m}{x}{", "f": 2}]', r, 2, 3) AS name
FROM generate_series(1, 5) r;
SELECT try('[{"segment": "many", "r": {"min": 64}}, {"segment": "few", "r": {"max": 63}}]', r)
FROM unnest(ARRAY[1, 63, 64, 65, 100]) r;
-- a key of several letters takes them in its own order, and each letter once
SELECT try('[{"segment": "yes", "fr": ["21"]}]', 1, 2) AS fr, try('[{"segment": "yes", "fr": ["21"]}]', 2, 1) AS rf;

-- --- tests of attributes: numbers, strings, booleans ---
SELECT a, try('[{"segment": "low", "attributes": {"x": {"below": 1}}}, {"segment": "one", "attributes": {"x": 1}},
	{"segment": "to two", "attributes": {"x": {"above": 1, "max": 2}}},
		{"segment": "listed", "attributes": {"x": [3, 4]}}]', 1, 1, 1,
	jsonb_build_object('x', a)) AS segment
FROM unnest(ARRAY[-1, 0.9999, 1, 1.0001, 2, 2.5, 4]) a;
-- a customer's number beyond double precision is above, or below, every bound
SELECT sign(a),
	   try('[{"segment": "low", "attributes": {"x": {"max": -1e308}}},
		{"segment": "high", "attributes": {"x": {"above": 1e308}}}]',
		   1, 1, 1,
	jsonb_build_object('x', a)) AS segment
FROM unnest('{-1e309,1e309}'::numeric[]) a;
SELECT channel, vip,
	   try('[{"segment": "vip", "attributes": {"vip": true}},
		{"segment": "online", "attributes": {"channel": ["web", "app"]}, "r": [4, 5]}]',
	5, 1, 1, jsonb_build_object('channel', channel, 'vip', vip, 'more', '[1]'::jsonb)) AS segment
FROM (VALUES ('web', false), ('shop', false), ('', true), ('WEB', false)) v (channel, vip);

-- --- a customer for whom no rule holds has no segment, nor has NULL ---
SELECT try('[{"segment": "five", "r": [5, 4]}]', 3) IS NULL AS nothing_holds,
	   segment_assign(NULL, 'rfm') IS NULL AS not_there,
	   segment_assign(ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL)::clv_scores, 'rfm') IS NULL AS no_scores,
	   segment_assign(ROW(5, 5, 5, 5, NULL, NULL, NULL)::clv_scores, NULL) IS NULL AS no_map;

-- --- missing inputs are errors once a rule that needs them is reached ---
SELECT segment_assign(ROW(5, 5, NULL, NULL, NULL, NULL, NULL)::clv_scores,
		   '[{"segment": "a", "r": 5}, {"segment": "b", "c": 5}]') AS not_reached;
SELECT segment_assign(ROW(4, 5, NULL, NULL, NULL, NULL, NULL)::clv_scores,
		   '[{"segment": "a", "r": 5}, {"segment": "b", "c": 5}]');
SELECT segment_assign(ROW(4, 5, NULL, NULL, NULL, NULL, NULL)::clv_scores, 'rfm');
SELECT segment_assign(ROW(4, 5, NULL, NULL, NULL, NULL, NULL)::clv_scores, '[{"segment": "{m}"}]');
SELECT segment_assign(ROW(4, 5, 3, 1, NULL, NULL, NULL)::clv_scores, 'abc');
SELECT segment_assign(ROW(4, 5, 3, 1, NULL, NULL, NULL)::clv_scores, 'abc', '{"cumulative_share": null}');
SELECT segment_assign(ROW(4, 5, 3, 1, NULL, NULL, NULL)::clv_scores, 'abc', '{"cumulative_share": "0.5"}');
SELECT segment_assign(ROW(4, 5, 3, 1, NULL, NULL, NULL)::clv_scores, 'abc', '[0.5]');
SELECT segment_assign(ROW(4, 5, 3, 1, NULL, NULL, NULL)::clv_scores, '[{"segment": "a", "attributes": {"x": ["b"]}}]',
		   '{"x": 1}');
SELECT segment_assign(ROW(8, 5, 3, 1, NULL, NULL, NULL)::clv_scores, 'rfm');
SELECT segment_assign(ROW(8, 5, 3, 1, NULL, NULL, NULL)::clv_scores,
		   '[{"segment": "a", "r": 7}, {"segment": "b", "f": {"max": 4}}]');
SELECT segment_assign(ROW(8, 5, 3, 1, NULL, NULL, NULL)::clv_scores,
		   '[{"segment": "a", "r": {"min": 9}}, {"segment": "b", "f": 3}]') IS NULL AS open_to_above;
SELECT segment_assign(ROW(4, 101, 3, 1, NULL, NULL, NULL)::clv_scores, 'rfm');
SELECT segment_assign(ROW(5, 5, 5, 1, NULL, NULL, NULL)::clv_scores, 'no such map');
SELECT segment_assign(ROW(5, 5, 5, 1, NULL, NULL, NULL)::clv_scores, '');

-- --- malformed rules: the number of the rule, and the key ---
\set VERBOSITY terse
SELECT try('[', 1);
SELECT try('[]', 1);
SELECT try('[5]', 1);
SELECT try('[{"segment": "a"}, {"r": 5}]', 1);
SELECT try('[{"segment": ""}]', 1);
SELECT try('[{"segment": 5}]', 1);
SELECT try('[{"segment": "a", "q": 5}]', 1);
SELECT try('[{"segment": "a", "rr": ["55"]}]', 1);
SELECT try('[{"segment": "a", "r": "5"}]', 1);
SELECT try('[{"segment": "a", "r": 0}]', 1);
SELECT try('[{"segment": "a", "r": 4.5}]', 1);
SELECT try('[{"segment": "a", "r": 101}]', 1);
SELECT try('[{"segment": "a", "r": []}]', 1);
SELECT try('[{"segment": "a", "r": [5, null]}]', 1);
SELECT try('[{"segment": "a", "r": {}}]', 1);
SELECT try('[{"segment": "a", "r": {"min": 5, "max": 4}}]', 1);
SELECT try('[{"segment": "a", "r": {"above": 5}}]', 1);
SELECT try('[{"segment": "a", "rf": 55}]', 1);
SELECT try('[{"segment": "a", "rf": ["555"]}]', 1);
SELECT try('[{"segment": "a", "rf": ["5x"]}]', 1);
SELECT try('[{"segment": "a", "rf": []}]', 1);
SELECT try('[{"segment": "a", "attributes": 5}]', 1);
SELECT try('[{"segment": "a", "attributes": {"x": {}}}]', 1);
SELECT try('[{"segment": "a", "attributes": {"x": {"min": "1"}}}]', 1);
SELECT try('[{"segment": "a", "attributes": {"x": {"min": 1, "above": 1}}}]', 1);
SELECT try('[{"segment": "a", "attributes": {"x": {"min": 2, "max": 1}}}]', 1);
SELECT try('[{"segment": "a", "attributes": {"x": {"min": 1, "below": 1}}}]', 1);
SELECT try('[{"segment": "a", "attributes": {"x": {"over": 1}}}]', 1);
SELECT try('[{"segment": "a", "attributes": {"x": [[1]]}}]', 1);
SELECT try('[{"segment": "a", "attributes": {"x": null}}]', 1);
SELECT try('[{"segment": "a", "attributes": {"x": 1e400}}]', 1);
SELECT try('[{"segment": "a", "attributes": {"x": [1, -1e400]}}]', 1);
SELECT try('[{"segment": "a", "attributes": {"x": {"min": 1e400}}}]', 1);
INSERT INTO clv_segment_map (map, position, segment, rule) VALUES ('mine', 7, 'A', '{"r": 0}');
INSERT INTO clv_segment_map (map, position, segment, rule) VALUES ('mine', 7, 'A', '{"segment": "A"}');
INSERT INTO clv_segment_map (map, position, segment, rule) VALUES ('mine', 7, '', '{}');
INSERT INTO clv_segment_map (map, position, segment, rule) VALUES ('mine', 7, 'A', '[]');
INSERT INTO clv_segment_map (map, position, segment, rule) VALUES (' [mine]', 7, 'A', '{}');
\set VERBOSITY default

-- --- tests of values: P(alive) and churn come with the scores, others are given ---
CREATE FUNCTION try_value(rules text, p float8, attributes jsonb DEFAULT NULL) RETURNS text
RETURN segment_assign(ROW(1, 1, 1, 1, 1, 1, p)::clv_scores, rules, attributes);
SELECT p, try_value('[{"segment": "high", "value": {"churn": {"above": 0.66}}},
	{"segment": "medium", "value": {"churn": {"above": 0.33, "max": 0.66}}},
	{"segment": "low", "value": {"churn": {"max": 0.33}}}]', p) AS churn,
	   try_value('[{"segment": "here", "value": {"p_alive": {"min": 0.5}}}, {"segment": "gone"}]', p) AS p_alive,
	   try_value('[{"segment": "certain", "value": {"p_alive": [0, 1]}}, {"segment": "not"}]', p) AS listed
FROM unnest('{0,0.3,0.34,0.49999999999999994,0.5,0.67,0.7,1}'::float8[]) p;
-- what is given comes before what the scores say
SELECT try_value('[{"segment": "here", "value": {"p_alive": {"min": 0.5}}}, {"segment": "gone"}]', 0.9,
		   '{"p_alive": 0.1}') AS given,
	   try_value('[{"segment": "here", "value": {"p_alive": {"min": 0.5}}}, {"segment": "gone"}]', 0.9,
		   '{"churn": 0.8}') AS other,
	   try_value('[{"segment": "high", "value": {"churn": {"above": 0.5}}}, {"segment": "low"}]', NULL,
		   '{"p_alive": 0.2}') AS none;
SELECT try_value('[{"segment": "big", "value": {"clv": {"min": 100}, "recency": {"max": 30}}, "r": 1},
	{"segment": "once", "value": {"frequency": 1}}, {"segment": "rest"}]', 0.5, v) AS segment
FROM unnest(ARRAY['{"clv": 100, "recency": 30, "frequency": 1}', '{"clv": 99.99, "recency": 30, "frequency": 1}',
	'{"clv": 500, "recency": 31, "frequency": 2}']::jsonb[]) v;
SELECT try_value('[{"segment": "big", "value": {"clv": {"min": 100}}}]', 0.5);
SELECT try_value('[{"segment": "big", "value": {"clv": {"min": 100}}}]', 0.5, '{"clv": null}');
SELECT try_value('[{"segment": "big", "value": {"clv": {"min": 100}}}]', 0.5, '{"clv": "much"}');
SELECT try_value('[{"segment": "high", "value": {"churn": {"above": 0.5}}}]', NULL);
\set VERBOSITY terse
SELECT try_value('[{"segment": "a", "value": {"churn": {"above": 66}}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"churn": {"above": 1}}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"p_alive": {"below": 0}}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"p_alive": {"min": 0.7, "max": 0.6}}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"p_alive": 1.5}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"p_alive": "high"}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"p_alive": [0.5, true]}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"p_alive": {}}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"recency": {"below": 0}}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"recency": 2.5}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"recency": {"above": 2, "below": 3}}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"frequency": {"max": 0}}}]', 1);
SELECT try_value('[{"segment": "a", "value": 5}]', 1);
\set VERBOSITY default
SELECT try_value('[{"segment": "a", "value": {"palive": {"min": 0.5}}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"p_alive": {"min": 0.5}, "churn": {"min": 0.6}}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"p_alive": 1}}, {"segment": "b", "value": {"churn": 1}}]', 1);
SELECT try_value('[{"segment": "a", "value": {"clv": 1}}, {"segment": "b", "attributes": {"clv": 1}}]', 1);
-- the check knows which numbers there can be
SELECT * FROM clv_segment_check('[{"segment": "high", "value": {"churn": {"above": 0.66}}},
	{"segment": "low", "value": {"churn": {"below": 0.33}}}]');
SELECT count(*) AS findings FROM clv_segment_check('[{"segment": "once", "value": {"frequency": {"max": 1}}},
	{"segment": "twice", "value": {"frequency": 2}}, {"segment": "often", "value": {"frequency": {"min": 3}}}]');
SELECT finding, cells, of_cells, example
FROM clv_segment_check('[{"segment": "week", "value": {"recency": {"below": 7.5}, "total_value": {"above": 0}}}]');
SELECT * FROM clv_segment_inputs('[{"segment": "a", "r": 1, "value": {"churn": 0, "clv": 1}, "attributes": {"x": 1}}]');

-- --- the check: gaps, overlaps, rules that no customer reaches ---
SELECT *
FROM clv_segment_check('[{"segment": "high", "r": [4, 5]}, {"segment": "top", "r": 5, "f": 5},
	{"segment": "middle", "r": [3, 4]}]') ;
SELECT * FROM clv_segment_check('[{"segment": "a", "r": {"max": 9}}, {"segment": "b", "r": 10}]', 10);
SELECT * FROM clv_segment_check('[{"segment": "a", "r": {"max": 9}}, {"segment": "b", "r": 10}]', 11);
SELECT * FROM clv_segment_check('[{"segment": "all"}, {"segment": "never"}]');
SELECT *
FROM clv_segment_check('[{"segment": "a", "attributes": {"x": {"below": 1}}},
		 {"segment": "b", "attributes": {"x": {"above": 1, "max": 2}}},
	{"segment": "c", "attributes": {"x": {"above": 2}, "channel": "web"}},
		{"segment": "d", "attributes": {"x": {"above": 2}, "vip": [true, false]}}]');
SELECT count(*) FROM clv_segment_check('[{"segment": "{r}{f}{m}{t}{c}{v}"}]', 11);
SELECT count(*) FROM clv_segment_check('no such map');
SELECT *
FROM clv_segment_inputs('[{"segment": "a", "v": 5},
	{"segment": "b", "rt": ["11"], "attributes": {"x": 1, "y": 2}}, {"segment": "{c}", "attributes": {"x": 3}}]') ;

-- --- a changed map is seen by the next statement, in PL/pgSQL too, and a rolled back change is forgotten ---
INSERT INTO clv_segment_map (map, position, segment) VALUES ('mine', 1, 'first');
DO $$
DECLARE
	seen text[];
	scores clv_scores := ROW(5, 5, 5, 5, NULL, NULL);
BEGIN
	FOR i IN 1..3 LOOP
		seen := seen || segment_assign(scores, 'mine');
		UPDATE clv_segment_map SET segment = 'change ' || i WHERE map = 'mine';
		seen := seen || segment_assign(scores, 'mine');
	END LOOP;
	BEGIN
		UPDATE clv_segment_map SET segment = 'rolled back' WHERE map = 'mine';
		seen := seen || segment_assign(scores, 'mine');
		RAISE EXCEPTION 'undo';
	EXCEPTION WHEN raise_exception THEN
		seen := seen || segment_assign(scores, 'mine');
	END;
	CREATE TEMP TABLE seen_in_loop AS SELECT seen;
END $$;
SELECT seen FROM seen_in_loop;
DROP TABLE seen_in_loop;
-- one statement sees one map, whatever the map of each row
SELECT map, segment_assign(ROW(5, 5, 5, 5, NULL, NULL, NULL)::clv_scores, map) AS segment
FROM (VALUES (1, 'rf'), (2, 'mine'), (3, 'rf'), (4, '[{"segment": "list"}]'), (5, 'mine')) v (i, map) ORDER BY i;
PREPARE assign(text) AS SELECT segment_assign(ROW(5, 5, 5, 5, NULL, NULL, NULL)::clv_scores, $1);
EXECUTE assign('mine');
UPDATE clv_segment_map SET segment = 'after prepare' WHERE map = 'mine';
EXECUTE assign('mine');
DEALLOCATE assign;
DELETE FROM clv_segment_map WHERE NOT builtin;

DROP SCHEMA segment_rules CASCADE;
