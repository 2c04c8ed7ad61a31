-- ---- totals of groups with models of their own ------------------------------------------------------

CREATE FUNCTION clv_internal.clv_total_collect(pg_catalog.internal, @extschema@.clv_total) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_total_collect(pg_catalog.internal, @extschema@.clv_total) IS
	'of clv_totals: adds a total; NULL is skipped';
CREATE FUNCTION clv_internal.clv_total_collected(pg_catalog.internal) RETURNS @extschema@.clv_total
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_total_collected(pg_catalog.internal) IS 'of clv_totals: the sum';
CREATE AGGREGATE @extschema@.clv_totals(total @extschema@.clv_total) (
	SFUNC = clv_internal.clv_total_collect, STYPE = pg_catalog.internal, SSPACE = 8192,
	FINALFUNC = clv_internal.clv_total_collected, PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_totals(@extschema@.clv_total) IS
	'the total of groups of customers with models of their own, from the clv_predict_total of each: expectations and '
	'variances add up, as fits of different groups are independent. What is NULL in one total is NULL; totals that are '
	'NULL are ignored; NULL where there is none. The same in any order. An error where levels differ';
