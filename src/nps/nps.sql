-- ---- satisfaction: the Net Promoter Score ------------------------------------------------------

CREATE TYPE @extschema@.clv_nps_score AS (
	responses pg_catalog.int8,
	promoters pg_catalog.int8,
	passives pg_catalog.int8,
	detractors pg_catalog.int8,
	nps pg_catalog.float8,
	margin_of_error pg_catalog.float8,
	low pg_catalog.float8,
	high pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_nps_score IS
	'the result of clv_nps: the Net Promoter Score of ratings, its parts, and its confidence interval';
COMMENT ON COLUMN @extschema@.clv_nps_score.responses IS 'number of ratings';
COMMENT ON COLUMN @extschema@.clv_nps_score.promoters IS 'ratings of 9 and 10';
COMMENT ON COLUMN @extschema@.clv_nps_score.passives IS 'ratings of 7 and 8';
COMMENT ON COLUMN @extschema@.clv_nps_score.detractors IS 'ratings of 0 to 6';
COMMENT ON COLUMN @extschema@.clv_nps_score.nps IS 'percentage of promoters less percentage of detractors, -100 to 100';
COMMENT ON COLUMN @extschema@.clv_nps_score.margin_of_error IS
	'half the width of the 95 % confidence interval, before it is cut off at -100 and 100; in the unit of nps';
COMMENT ON COLUMN @extschema@.clv_nps_score.low IS
	'lower end of the 95 % confidence interval of nps (adjusted Wald, Rocks 2016), not below -100';
COMMENT ON COLUMN @extschema@.clv_nps_score.high IS 'upper end of the 95 % confidence interval of nps, not above 100';

-- The state is an array of the three counts: a type that shards can send. COST in units of 20 ns.

CREATE FUNCTION clv_internal.clv_nps_add(pg_catalog.int8[], pg_catalog.float8) RETURNS pg_catalog.int8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_nps_add(pg_catalog.int8[], pg_catalog.float8) IS 'of clv_nps: counts a rating';
CREATE FUNCTION clv_internal.clv_nps_remove(pg_catalog.int8[], pg_catalog.float8) RETURNS pg_catalog.int8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_nps_remove(pg_catalog.int8[], pg_catalog.float8) IS
	'of clv_nps: removes a rating that has left the frame of a window';
CREATE FUNCTION clv_internal.clv_nps_combine(pg_catalog.int8[], pg_catalog.int8[]) RETURNS pg_catalog.int8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_nps_combine(pg_catalog.int8[], pg_catalog.int8[]) IS 'of clv_nps: adds two counts';
CREATE FUNCTION clv_internal.clv_nps_final(pg_catalog.int8[]) RETURNS @extschema@.clv_nps_score
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_nps_final(pg_catalog.int8[]) IS 'of clv_nps: the result of the counts';

CREATE AGGREGATE @extschema@.clv_nps(rating pg_catalog.float8) (
	SFUNC = clv_internal.clv_nps_add, STYPE = pg_catalog.int8[], INITCOND = '{0,0,0}',
	FINALFUNC = clv_internal.clv_nps_final, COMBINEFUNC = clv_internal.clv_nps_combine,
	MSFUNC = clv_internal.clv_nps_add, MINVFUNC = clv_internal.clv_nps_remove, MSTYPE = pg_catalog.int8[],
	MINITCOND = '{0,0,0}',
	MFINALFUNC = clv_internal.clv_nps_final,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_nps(pg_catalog.float8) IS
	'Net Promoter Score of ratings from 0 to 10: promoters (9, 10), passives (7, 8), detractors (0 to 6), the score '
	'from -100 to 100, and its 95 % confidence interval (adjusted Wald with 3/4, 3/2 and 3/4 answers added, Rocks '
	'2016). NULLs are ignored; NULL where there are no ratings. Any value other than a whole number from 0 to 10 is an '
	'error';
