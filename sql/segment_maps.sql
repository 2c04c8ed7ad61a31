-- The shipped maps: complete, disjoint where they should be, and the names that they give.
SET client_min_messages = warning;

-- --- every shipped map covers all it can see; all but one give each cell one name ---
SELECT m.map, count(c.finding) FILTER (WHERE c.finding = 'gap') AS gaps,
	   count(c.finding) FILTER (WHERE c.finding = 'unreachable') AS unreachable,
	   count(c.finding) FILTER (WHERE c.finding = 'overlap') = 0 AS disjoint
FROM (SELECT DISTINCT map FROM clv_segment_map WHERE builtin) m LEFT JOIN LATERAL clv_segment_check(m.map) c ON true
GROUP BY m.map ORDER BY m.map;
SELECT map, kind, string_agg(name, ' ' ORDER BY ordinality) AS names
FROM (SELECT DISTINCT map FROM clv_segment_map) m, clv_segment_inputs(m.map) WITH ORDINALITY
GROUP BY map, kind ORDER BY map, kind DESC;

-- --- rfm: 125 cells, by name; counted without the checker too ---
SELECT count(*) AS cells, count(DISTINCT cell) AS different, count(DISTINCT segment) AS segments
FROM clv_segment_map, jsonb_array_elements_text(rule->'rfm') cell WHERE map = 'rfm' AND builtin;
SELECT segment, count(*) FROM generate_series(1, 5) r, generate_series(1, 5) f, generate_series(1, 5) m,
	segment_assign(ROW(r, f, m, NULL, NULL, NULL, NULL)::clv_scores) segment
GROUP BY segment ORDER BY segment;
SELECT bool_and(segment_assign(ROW(substr(cell, 1, 1), substr(cell, 2, 1), substr(cell, 3, 1), NULL, NULL,
		   NULL, NULL)::clv_scores, 'rfm')
				= segment) AS as_listed
FROM clv_segment_map, jsonb_array_elements_text(rule->'rfm') cell WHERE map = 'rfm';

-- --- rf: 25 cells ---
SELECT segment, count(*), string_agg(r::text || f, ' ' ORDER BY r, f)
FROM generate_series(1, 5) r, generate_series(1, 5) f,
	 segment_assign(ROW(r, f, NULL, NULL, NULL, NULL, NULL)::clv_scores, 'rf') segment
GROUP BY segment ORDER BY segment;

-- --- potential: 25 cells of m and v ---
SELECT segment, count(*), string_agg(m::text || v, ' ' ORDER BY m, v)
FROM generate_series(1, 5) m, generate_series(1, 5) v,
	segment_assign(ROW(NULL, NULL, m, NULL, NULL, v, NULL)::clv_scores, 'potential') segment
GROUP BY segment ORDER BY segment;

-- --- abc: by the share of spend that larger customers bring ---
WITH spend (customer, spend) AS (VALUES ('huge', 900.0), ('large', 60), ('twin 1', 15), ('twin 2', 15),
									 ('small', 10), ('nothing', 0)),
	 share AS (SELECT *,
					  (sum(spend) OVER (ORDER BY spend DESC) - sum(spend) OVER (PARTITION BY spend))
						  / sum(spend) OVER () AS share
			   FROM spend)
SELECT customer, round(share, 2) AS share,
	   segment_assign(ROW(1, 1, 1, 1, NULL, NULL, NULL)::clv_scores, 'abc',
		   jsonb_build_object('cumulative_share', share))
FROM share ORDER BY share, customer;
SELECT share,
	   segment_assign(ROW(1, 1, 1, 1, NULL, NULL, NULL)::clv_scores, 'abc',
		   jsonb_build_object('cumulative_share', share))
FROM unnest(ARRAY[0, 0.7999, 0.8, 0.9499, 0.95, 1]) share;

-- --- lifecycle ---
SELECT r, t, c, trend,
	   segment_assign(ROW(r, 3, 3, t, c, 3, NULL)::clv_scores, 'lifecycle',
		   jsonb_build_object('trend', trend)) AS segment
FROM (VALUES (5, 1, 5, -1.0), (1, 1, 1, -1), (1, 4, 1, 1), (2, 4, 2, 0), (3, 4, 2, 0.5), (3, 3, 4, -1), (5, 2, 5, -0.5),
	(4, 3, 4, 0.2), (4, 3, 3, 0), (1, 5, 5, -0.3333333333)) x (r, t, c, trend);

-- --- micro: any number of bins ---
SELECT segment_assign(ROW(5, 4, 3, 2, 1, 1, NULL)::clv_scores, 'micro') AS five,
	   segment_assign(ROW(100, 1, 37, 2, 1, 1, NULL)::clv_scores, 'micro') AS hundred;
SELECT count(DISTINCT segment_assign(ROW(r, f, m, 1, NULL, NULL, NULL)::clv_scores, 'micro')) AS cells
FROM generate_series(1, 5) r, generate_series(1, 5) f, generate_series(1, 5) m;

-- --- value x satisfaction: 20 cells, and an attribute that is none of the four words ---
SELECT segment, count(*), string_agg(v::text || ' ' || satisfaction, ', ' ORDER BY v, satisfaction) AS cells
FROM generate_series(1, 5) v, unnest(ARRAY['promoter', 'passive', 'detractor', 'unknown']) satisfaction,
	segment_assign(ROW(NULL, NULL, NULL, NULL, NULL, v, NULL)::clv_scores, 'value x satisfaction',
		jsonb_build_object('satisfaction', satisfaction)) segment
GROUP BY segment ORDER BY min(v) DESC, segment;
SELECT satisfaction,
	   segment_assign(ROW(1, 1, 1, 1, 1, 5, NULL)::clv_scores, 'value x satisfaction',
		   jsonb_build_object('satisfaction', satisfaction)) AS segment
FROM unnest(ARRAY['Detractor', 'detractors', '']) satisfaction;
SELECT segment_assign(ROW(1, 1, 1, 1, 1, 9, NULL)::clv_scores, 'value x satisfaction',
		   '{"satisfaction": "detractor"}') AS "of ten bins";
SELECT segment, description FROM clv_segment_map WHERE map = 'value x satisfaction' ORDER BY position;
SELECT segment_assign(ROW(5, 5, 5, 5, NULL, NULL, NULL)::clv_scores, 'value x satisfaction',
		   '{"satisfaction": "promoter"}');
SELECT segment_assign(ROW(5, 5, 5, 5, 5, 5, NULL)::clv_scores, 'value x satisfaction');
SELECT segment_assign(ROW(5, 5, 5, 5, 5, 5, NULL)::clv_scores, 'value x satisfaction', '{"satisfaction": null}');
SELECT segment_assign(ROW(5, 5, 5, 5, 5, 5, NULL)::clv_scores, 'value x satisfaction', '{"satisfaction": 9}');

-- --- rfmtc: every combination of scores, with any P(alive), has one name, and those below one half have their own ---
CREATE TABLE grid AS
SELECT f, t, c, v, p, segment_assign(ROW(r, f, m, t, c, v, p)::clv_scores) AS segment
FROM generate_series(1, 5) r, generate_series(1, 5) f, generate_series(1, 5) m, generate_series(1, 5) t,
	generate_series(1, 5) c, generate_series(1, 5) v,
	unnest('{0,0.3,0.49999999999999994,0.5,0.7999,0.8,1}'::float8[]) p;
SELECT count(*) AS cells, count(segment) AS named, count(DISTINCT segment) AS names FROM grid;
SELECT segment, min(p) AS lowest, max(p) AS highest, string_agg(DISTINCT v::text, ' ') AS v,
	   string_agg(DISTINCT t::text, ' ') AS t, string_agg(DISTINCT f::text, ' ') AS f
FROM grid GROUP BY segment ORDER BY max(p) DESC, min(v) DESC, segment;
SELECT count(*) AS contradictions FROM grid
WHERE p < 0.5 AND segment IN ('Champions', 'Loyal', 'Steady', 'Rising Stars', 'Newest', 'Valuable At Risk')
   OR p >= 0.5 AND segment IN ('Win Back First', 'Former Regulars', 'Passed Through', 'Lost');
SELECT segment, description FROM clv_segment_map WHERE map = 'rfmtc' ORDER BY position;
DROP TABLE grid;
-- without a model the default is rfm; v without P(alive) is not enough for rfmtc
SELECT segment_assign(ROW(5, 5, 5, 1, NULL, NULL, NULL)::clv_scores) AS rfm,
	   segment_assign(ROW(5, 5, 5, 1, 5, 5, NULL)::clv_scores) AS no_p_alive,
	   segment_assign(ROW(5, 5, 5, 2, 5, 5, 0.3)::clv_scores) AS rfmtc,
	   segment_assign(ROW(5, 5, 5, 2, 5, 5, 0.3)::clv_scores, 'rfm') AS by_name;
SELECT segment_assign(ROW(5, 5, 5, 2, 5, 5, NULL)::clv_scores, 'rfmtc');
SELECT segment_assign(ROW(5, 5, 5, 2, 5, NULL, 0.9)::clv_scores);
SELECT segment_assign(ROW(5, 5, 5, 2, 5, 5, 1.1)::clv_scores);
INSERT INTO clv_segment_map (map, position, segment) VALUES ('auto', 1, 'All');

-- --- shipped maps are not for changing ---
\set VERBOSITY terse
UPDATE clv_segment_map SET segment = 'Best' WHERE map = 'rfm' AND segment = 'Champions';
DELETE FROM clv_segment_map WHERE map = 'rf';
INSERT INTO clv_segment_map (map, position, segment, builtin) VALUES ('mine', 1, 'All', true);
TRUNCATE clv_segment_map;
\set VERBOSITY default

-- --- a map of a user comes before a shipped one of its name, until it is deleted ---
INSERT INTO clv_segment_map (map, position, segment, rule) VALUES ('rf', 10, 'Recent', '{"r": {"min": 4}}'),
	('rf', 20, 'Others', '{}');
SELECT segment_assign(ROW(5, 1, NULL, NULL, NULL, NULL, NULL)::clv_scores, 'rf') AS mine;
UPDATE clv_segment_map SET segment = 'Fresh' WHERE map = 'rf' AND NOT builtin AND position = 10;
SELECT segment_assign(ROW(5, 1, NULL, NULL, NULL, NULL, NULL)::clv_scores, 'rf') AS changed;
DELETE FROM clv_segment_map WHERE NOT builtin;
SELECT segment_assign(ROW(5, 1, NULL, NULL, NULL, NULL, NULL)::clv_scores, 'rf') AS shipped;
SELECT has_table_privilege('public', 'clv_segment_map', 'SELECT') AS readable,
	   has_table_privilege('public', 'clv_segment_map', 'INSERT') AS writable;

-- --- the rules of a map as a list: the same segments, and the same inputs ---
CREATE TABLE cell AS
SELECT ROW(r, f, m, t, c, v, 0.5)::clv_scores AS scores
FROM generate_series(1, 5) r, generate_series(1, 5) f, generate_series(1, 5) m, generate_series(1, 5) t,
	unnest('{1,5}'::int[]) c, generate_series(1, 5) v;
INSERT INTO clv_segment_map (map, position, segment, rule) VALUES
	('own', 20, 'last "of" all', '{}'), ('own', 10, 'r {r}', '{"r": {"min": 4}, "attributes": {"x": ["a", "b"]}}'),
	('rf', 1, 'mine', '{"f": 5}'), ('rf', 2, E'yours\\', '{"r": {"max": 5}}');
SELECT m.map, count(*) AS cells, every(segment_assign(c.scores, m.map, a)
		IS NOT DISTINCT FROM segment_assign(c.scores, clv_internal.clv_segment_rules(m.map), a)) AS same
FROM (SELECT DISTINCT map FROM clv_segment_map) m, cell c,
	unnest(ARRAY['{"x": "a", "cumulative_share": 0.3, "trend": -1, "satisfaction": "passive"}',
		'{"x": "c", "cumulative_share": 0.9, "trend": 1, "satisfaction": "promoter"}']::jsonb[]) a
GROUP BY m.map ORDER BY m.map;
SELECT every(ARRAY(SELECT i FROM clv_segment_inputs(m.map) i)
		= ARRAY(SELECT i FROM clv_segment_inputs(clv_internal.clv_segment_rules(m.map)) i)) AS same_inputs
FROM (SELECT DISTINCT map FROM clv_segment_map) m;
SELECT clv_internal.clv_segment_rules('own');
SELECT clv_internal.clv_segment_rules('rf');
SELECT clv_internal.clv_segment_rules(' [{"segment": "all"}]') AS list;
SELECT clv_internal.clv_segment_rules('nosuch');
DROP TABLE cell;
DELETE FROM clv_segment_map WHERE NOT builtin;
