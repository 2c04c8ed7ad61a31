-- ---- what the most valuable customers have in common, and who else has it ----------------------------

CREATE FUNCTION clv_internal.clv_profile_add(pg_catalog.internal, pg_catalog.float8, pg_catalog.jsonb)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_profile_add(pg_catalog.internal, pg_catalog.float8, pg_catalog.jsonb) IS
	'of clv_profile: takes a customer into the state; those without a value are counted only';
CREATE FUNCTION clv_internal.clv_profile_final(pg_catalog.internal) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION clv_internal.clv_profile_final(pg_catalog.internal) IS 'of clv_profile: the profile';
CREATE AGGREGATE @extschema@.clv_profile(value pg_catalog.float8, attributes pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_profile_add, STYPE = pg_catalog.internal, SSPACE = 65536,
	FINALFUNC = clv_internal.clv_profile_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_profile(pg_catalog.float8, pg_catalog.jsonb) IS
	'which traits the tenth of customers with the highest values has more often than the rest: for '
	'clv_profile_traits, which lists them, and clv_profile_score. attributes: an object of values and arrays of '
	'values; NULL is no trait, objects within it are an error, and an attribute of more than 200 values, or of one of '
	'more than 200 bytes, is left out and named. Customers with a NULL value are skipped and counted. The same to the '
	'last bit in any order of rows; NULL without customers, or where more than a fifth share the highest value';

CREATE FUNCTION @extschema@.clv_profile_traits(
	profile pg_catalog.jsonb,
	OUT attribute pg_catalog.text,
	OUT value pg_catalog.text,
	OUT customers pg_catalog.int8,
	OUT best_share pg_catalog.float8,
	OUT rest_share pg_catalog.float8,
	OUT lift pg_catalog.float8,
	OUT lift_low pg_catalog.float8,
	OUT lift_high pg_catalog.float8,
	OUT p_value pg_catalog.float8,
	OUT q_value pg_catalog.float8,
	OUT named pg_catalog.bool
) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 50
SET search_path = pg_catalog, pg_temp
AS $sql$
	WITH trait AS (
		SELECT a.key AS attribute, v.key AS value, (v.value ->> 'best')::float8 AS best,
			(v.value ->> 'rest')::float8 AS rest, (v.value ->> 'p')::float8 AS p, (v.value ->> 'q')::float8 AS q,
			($1 ->> 'best')::float8 AS all_best, ($1 ->> 'customers')::float8 - ($1 ->> 'best')::float8 AS all_rest
		FROM jsonb_each($1 -> 'traits') a, jsonb_each(a.value) v
	), measured AS (
		SELECT t.*, ln((t.best + 0.5) / (t.all_best + 1) / ((t.rest + 0.5) / (t.all_rest + 1))) AS ratio,
			1.959963984540054 * sqrt(greatest(1 / (t.best + 0.5) - 1 / (t.all_best + 1) + 1 / (t.rest + 0.5)
				- 1 / (t.all_rest + 1), 0)) AS margin
		FROM trait t
	)
	SELECT m.attribute, m.value, (m.best + m.rest)::int8, m.best / m.all_best, m.rest / m.all_rest,
		m.best / m.all_best / nullif(m.rest / m.all_rest, 0), exp(m.ratio - m.margin), exp(m.ratio + m.margin),
		m.p, m.q, m.q <= 0.05
	FROM measured m
	ORDER BY m.q, m.p, abs(m.ratio) DESC, m.attribute COLLATE "C", m.value COLLATE "C"
$sql$;
COMMENT ON FUNCTION @extschema@.clv_profile_traits(pg_catalog.jsonb) IS
	'the traits of a profile (clv_profile) that at least five customers have and not all, the surest first: customers '
	'who have it; its share among the best and among the rest; lift, the first over the second (NULL where none of the '
	'rest has it), with its 95 % limits, half a customer added; the p-value of Fisher''s exact test, and q, the same '
	'with all traits taken into account (Benjamini and Hochberg); named: q is at most 0.05';

CREATE FUNCTION @extschema@.clv_profile_score(profile pg_catalog.jsonb, attributes pg_catalog.jsonb)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_profile_score(pg_catalog.jsonb, pg_catalog.jsonb) IS
	'probability that somebody with these attributes becomes one of the best customers of a profile (clv_profile), as '
	'if traits were independent of each other: for ranking prospects whose purchases nobody has seen. Traits that the '
	'profile does not know count nothing; how well scores rank is the auc in the profile';
