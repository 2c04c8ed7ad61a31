-- ---- segments: names for scores ---------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_segment_rule_valid(
	map pg_catalog.text,
	"position" pg_catalog.int4,
	segment pg_catalog.text,
	rule pg_catalog.jsonb
) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_segment_rule_valid(
	pg_catalog.text, pg_catalog.int4, pg_catalog.text, pg_catalog.jsonb) IS
	'true for a rule that segment_assign() can read; else an error that names the map, the rule and the key. Guards '
	'clv_segment_map';

CREATE TABLE @extschema@.clv_segment_map (
	map pg_catalog.text NOT NULL
		CHECK (map OPERATOR(pg_catalog.<>) '' AND NOT map OPERATOR(pg_catalog.~) E'^\\s*\\['
			   AND map OPERATOR(pg_catalog.<>) 'auto'),
	"position" pg_catalog.int4 NOT NULL,
	segment pg_catalog.text NOT NULL,
	rule pg_catalog.jsonb NOT NULL DEFAULT '{}',
	description pg_catalog.text,
	builtin pg_catalog.bool NOT NULL DEFAULT false,
	PRIMARY KEY (map, builtin, "position"),
	CONSTRAINT clv_segment_map_rule CHECK (clv_internal.clv_segment_rule_valid(map, "position", segment, rule))
);
COMMENT ON TABLE @extschema@.clv_segment_map IS
	'the maps that segment_assign() finds by name: shipped ones (builtin) and your own. Rules are tried in the order '
	'of their position, the first that holds names the segment. A map of your own replaces a shipped one of the same '
	'name';
COMMENT ON COLUMN @extschema@.clv_segment_map.map IS
	'name of the map; not auto, by which segment_assign() chooses one; must not start with [, which marks a rule list';
COMMENT ON COLUMN @extschema@.clv_segment_map."position" IS 'order of the rule in its map';
COMMENT ON COLUMN @extschema@.clv_segment_map.segment IS
	'name of the segment; {r}, {f}, {m}, {t}, {c}, {v} in it stand for the score';
COMMENT ON COLUMN @extschema@.clv_segment_map.rule IS
	'the tests, all of which must hold: "r": 5, "r": [4,5] or "r": {"min":4} for a score; "rfm": ["555","554"] for '
	'cells of several; "value": {"churn": {"above":0.66}} for values themselves (recency, frequency, monetary, tenure, '
	'p_alive, churn, expected_purchases, expected_revenue, clv, next_purchase_value, total_value, active_30d, '
	'active_90d); "attributes": {"trend": {"above":0}, "channel": ["web","app"]}; {} holds always';
COMMENT ON COLUMN @extschema@.clv_segment_map.description IS 'description of the segment';
COMMENT ON COLUMN @extschema@.clv_segment_map.builtin IS
	'shipped with the extension: not to be changed, and not dumped';

-- The table is owned by the superuser whose rights the script has, because C uses its rows in the sessions of all
-- users. The role that installs the extension may change rows, and grant that to others.
GRANT SELECT ON @extschema@.clv_segment_map TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON @extschema@.clv_segment_map TO @extowner@ WITH GRANT OPTION;
SELECT pg_catalog.pg_extension_config_dump('@extschema@.clv_segment_map', 'WHERE NOT builtin');

CREATE FUNCTION @extschema@.segment_assign(
	scores @extschema@.clv_scores,
	map pg_catalog.text DEFAULT 'auto',
	attributes pg_catalog.jsonb DEFAULT NULL
) RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION @extschema@.segment_assign(@extschema@.clv_scores, pg_catalog.text, pg_catalog.jsonb) IS
	'the name of the segment: of the first rule that holds in the map of that name (table clv_segment_map), or in a '
	'JSON rule list (text that starts with [); auto: rfmtc for scores made with a model, else rfm. attributes: what '
	'rules test as attributes and values; P(alive) and churn come with the scores. NULL where no rule holds, and for '
	'NULL scores (not yet a customer). Once a rule is reached, a NULL score or a missing attribute that it needs is '
	'an error; so is a score above the '
	'number of bins that a shipped map is written for, and for your own maps where no rule holds';

CREATE FUNCTION clv_internal.clv_segment_or_null(@extschema@.clv_scores, pg_catalog.text, pg_catalog.jsonb)
	RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION clv_internal.clv_segment_or_null(@extschema@.clv_scores, pg_catalog.text, pg_catalog.jsonb) IS
	'the segment of scores as segment_assign says, NULL where a score or attribute that it needs is not known';

CREATE FUNCTION @extschema@.clv_segment_check(
	map pg_catalog.text,
	bins pg_catalog.int4 DEFAULT 5,
	OUT finding pg_catalog.text,
	OUT rule pg_catalog.int4,
	OUT segment pg_catalog.text,
	OUT other_rule pg_catalog.int4,
	OUT cells pg_catalog.int8,
	OUT of_cells pg_catalog.int8,
	OUT example pg_catalog.text
) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 2000 ROWS 10;
COMMENT ON FUNCTION @extschema@.clv_segment_check(pg_catalog.text, pg_catalog.int4) IS
	'gaps, overlaps and unreachable rules of a map or rule list, over every cell of the scores (1 to bins) and ranges '
	'of attributes that its rules tell apart: gap (no rule holds), overlap (a rule also holds where other_rule, before '
	'it, already does; harmless where intended), unreachable (a rule that is never the first). cells of of_cells, and '
	'one as an example. No rows: complete and disjoint. A rule without tests is not reported as an overlap';

CREATE FUNCTION @extschema@.clv_segment_inputs(
	map pg_catalog.text,
	OUT kind pg_catalog.text,
	OUT name pg_catalog.text,
	OUT highest pg_catalog.int4
) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 500 ROWS 4;
COMMENT ON FUNCTION @extschema@.clv_segment_inputs(pg_catalog.text) IS
	'the inputs of the rules of a map or rule list: kind score (r, f, m, t, c, v), value or attribute, its name, and '
	'the highest score that they list (NULL where a test has no upper bound, for values and attributes)';

CREATE FUNCTION clv_internal.clv_segment_rules(map pg_catalog.text) RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.clv_segment_rules(pg_catalog.text) IS
	'the rules of a map as a JSON list, which segment_assign takes in the place of its name; a list as it is. An '
	'error where there is no such map. A part of pipelines';

-- The number of bins; an error if the rules of a map list scores that do not exist with so many bins, or none of those
-- above 5.
CREATE FUNCTION clv_internal.clv_segment_bins(map pg_catalog.text, bins pg_catalog.int4) RETURNS pg_catalog.int4
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	highest int4 := (SELECT max(i.highest) FROM @extschema@.clv_segment_inputs(map) AS i);
	-- a map that mentions scores up to 3 may mean 5; one that mentions 5 does not mean 3
	most int4 := CASE WHEN highest IS NOT NULL THEN greatest(highest, 5) END;
BEGIN
	IF bins < highest OR bins > most THEN
		PERFORM clv_internal.clv_raise(format('map %s is written for scores up to %s, not for bins => %s',
				CASE WHEN map ~ E'^\\s*\\[' THEN 'given as rules' ELSE quote_ident(map) END,
				CASE WHEN bins > most THEN most ELSE highest END, bins),
			NULL::text,
			$hint$Leave bins out; or write a map for yours, or take 'micro', which knows any number.$hint$::text,
			'invalid_parameter_value'::text);
	END IF;
	RETURN bins;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_segment_bins(pg_catalog.text, pg_catalog.int4) IS
	'the number of bins; an error where the rules of a map list scores that there are not with so many bins, or none '
	'of those above 5. A part of the quick look and of pipelines';
