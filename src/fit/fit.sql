CREATE FUNCTION clv_internal.clv_fit_final(@extschema@.clv_cells) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION clv_internal.clv_fit_final(@extschema@.clv_cells) IS
	'fits the options of the cells to their customers; what every clv_fit does at its end';

-- ---- aggregates ------------------------------------------------------------------------------

CREATE AGGREGATE @extschema@.clv_fit(history @extschema@.clv_history) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_history) IS
	'fits the default models (mbg/nbd, gamma/gamma, weeks) to customers. NULL histories are ignored, none at all: '
	'NULL. Errors: no customers, too few, no customer with a repeat purchase';
CREATE AGGREGATE @extschema@.clv_fit(history @extschema@.clv_history, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_history, pg_catalog.jsonb) IS
	'fits models to customers with these options (clv_options), which must be the same in all rows; a WARNING and '
	'converged = false where there is no optimum';
CREATE AGGREGATE @extschema@.clv_fit(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'fits the default models to summaries: x repeat purchases, age t_x at the last one, age t_cal, both in weeks since '
	'the first, mean_spend of the repeat purchases (NULL: not known)';
CREATE AGGREGATE @extschema@.clv_fit(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.jsonb) IS
	'fits models to summaries with these options (clv_options); times are in the time unit of the options';
CREATE AGGREGATE @extschema@.clv_fit(history @extschema@.clv_history, options pg_catalog.jsonb,
	covariates pg_catalog.float8[]) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[]) IS
	'fits models to customers with covariates: a finite number for each name in the options (clv_options), in their '
	'order; NULL or another number of them is an error';
CREATE AGGREGATE @extschema@.clv_fit(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, options pg_catalog.jsonb, covariates pg_catalog.float8[]) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.jsonb,
	pg_catalog.float8[]) IS
	'fits models to summaries with covariates, a finite number for each name in the options (clv_options)';
CREATE AGGREGATE @extschema@.clv_fit(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, outcome pg_catalog.bool, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.bool, pg_catalog.jsonb) IS
	'fits models to summaries and what followed them, whether the customer bought in the period after t_cal: for '
	'supervised families (clv_options(model => ''rfmtc''))';
CREATE AGGREGATE @extschema@.clv_fit(renewals pg_catalog.int8, ended pg_catalog.bool, customers pg_catalog.int8,
	options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(pg_catalog.int8, pg_catalog.bool, pg_catalog.int8, pg_catalog.jsonb) IS
	'fits a family of contracts (clv_options(model => ''sbg'') or ''bdw'') to a table: renewals made, whether the '
	'contract ended after them, and how many customers that are; a table of survivors by period is such a table by the '
	'differences of its rows';
CREATE AGGREGATE @extschema@.clv_fit(history @extschema@.clv_history, options pg_catalog.jsonb,
	path @extschema@.clv_calendar) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_history, pg_catalog.jsonb, @extschema@.clv_calendar) IS
	'fits models to customers with paths: each has a calendar of their own (mailings received, price paid) from the '
	'first purchase to as_of, all with the same names; predictions are by clv_with_calendar(model, path)';
CREATE AGGREGATE @extschema@.clv_fit(history @extschema@.clv_history, options pg_catalog.jsonb,
	covariates pg_catalog.float8[], path @extschema@.clv_calendar) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(
	@extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[], @extschema@.clv_calendar) IS
	'fits models to customers with covariates, a finite number for each name in the options (clv_options), and paths';
CREATE AGGREGATE @extschema@.clv_fit(cells @extschema@.clv_cells) (
	SFUNC = clv_internal.clv_cells_merge, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_cells) IS
	'fits models to customers counted by clv_cells, in one row or in many (one per shard), with the options they were '
	'counted with';
CREATE AGGREGATE @extschema@.clv_fit(cells @extschema@.clv_cells, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_merge, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_cells, pg_catalog.jsonb) IS
	'fits models to customers counted by clv_cells, with these options (clv_options); time unit, spend basis and as_of '
	'must be those of the cells';

-- The families of purchases that can be fitted with these options, in a fixed order.
CREATE FUNCTION clv_internal.clv_fit_families(
	options pg_catalog.jsonb, clock pg_catalog.text, requested pg_catalog.text) RETURNS pg_catalog.text[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_fit_families(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text) IS
	'the families of purchases with this clock (continuous, opportunities, ...) that can be fitted with these options, '
	'whatever model those name; requested: of those that ''auto'' leaves out only this one. A part of validation';

-- ---- the last day of the data ------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_settled_day(
	days pg_catalog.date[],
	customers pg_catalog.int8[],
	OUT last_day pg_catalog.date,
	OUT settled pg_catalog.date,
	OUT later pg_catalog.int8
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_settled_day(pg_catalog.date[], pg_catalog.int8[]) IS
	'of days on which so many customers bought last: the last one; the last one that is not isolated long after the '
	'others, as a mistyped date is; and how many customers bought after that. A part of pipelines';
