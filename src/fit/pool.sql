-- ---- what groups have in common ----------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pool_add(pg_catalog.internal, @extschema@.clv_model) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_pool_add(pg_catalog.internal, @extschema@.clv_model) IS
	'of clv_pool: takes a model into the state; NULL is counted only';
CREATE FUNCTION clv_internal.clv_pool_final(pg_catalog.internal) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION clv_internal.clv_pool_final(pg_catalog.internal) IS 'of clv_pool: the prior';
CREATE AGGREGATE @extschema@.clv_pool(model @extschema@.clv_model) (
	SFUNC = clv_internal.clv_pool_add, STYPE = pg_catalog.internal, SSPACE = 32768,
	FINALFUNC = clv_internal.clv_pool_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_pool(@extschema@.clv_model) IS
	'what fitted models of one family, one a group of customers, have in common: mean, standard deviation between '
	'groups and correlation of their unit-free parameters by restricted maximum likelihood, the errors of the '
	'estimates taken off; the prior for clv_options(prior => ...). Models that did not converge or are singular weigh '
	'nothing; NULL models are skipped and counted; NULL without a model. The same in any order of rows. Errors: models '
	'of different families or covariates, written by hand, or fitted with a prior; less than two with information';
