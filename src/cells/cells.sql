-- ---- the type --------------------------------------------------------------------------------

CREATE TYPE @extschema@.clv_cells;

CREATE FUNCTION clv_internal.clv_cells_in(pg_catalog.cstring) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION clv_internal.clv_cells_out(@extschema@.clv_cells) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION clv_internal.clv_cells_recv(pg_catalog.internal) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_internal.clv_cells_send(@extschema@.clv_cells) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

CREATE TYPE @extschema@.clv_cells (
	INPUT = clv_internal.clv_cells_in,
	OUTPUT = clv_internal.clv_cells_out,
	RECEIVE = clv_internal.clv_cells_recv,
	SEND = clv_internal.clv_cells_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.clv_cells IS
	'what a fit needs of many customers: how many share a history, and what repeat buyers spent on average; can be '
	'stored, merged and subtracted';

COMMENT ON FUNCTION clv_internal.clv_cells_in(pg_catalog.cstring) IS
	'reads the text form of cells, which is JSON; every number is checked';
COMMENT ON FUNCTION clv_internal.clv_cells_out(@extschema@.clv_cells) IS
	'the cells as JSON, exact and independent of settings; days are counted from 2000-01-01';
COMMENT ON FUNCTION clv_internal.clv_cells_recv(pg_catalog.internal) IS
	'reads the binary form of cells; every byte is checked';
COMMENT ON FUNCTION clv_internal.clv_cells_send(@extschema@.clv_cells) IS
	'the binary form of cells';

CREATE FUNCTION clv_internal.clv_cells_to_jsonb(@extschema@.clv_cells) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_cells_to_jsonb(@extschema@.clv_cells) IS
	'the cells as jsonb, without loss; an error where they are larger than a jsonb can be';
CREATE FUNCTION clv_internal.clv_cells_from_jsonb(pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_cells_from_jsonb(pg_catalog.jsonb) IS
	'the cells behind their jsonb form; every number is checked';

CREATE CAST (@extschema@.clv_cells AS pg_catalog.jsonb)
	WITH FUNCTION clv_internal.clv_cells_to_jsonb(@extschema@.clv_cells);
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_cells)
	WITH FUNCTION clv_internal.clv_cells_from_jsonb(pg_catalog.jsonb);
COMMENT ON CAST (@extschema@.clv_cells AS pg_catalog.jsonb) IS 'the cells as JSON, without loss';
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_cells) IS
	'reads what the cast to jsonb has written; every member is checked';

-- ---- comparison: for DISTINCT, GROUP BY and indexes; the order itself means nothing ----------

%canonical clv_cells 10 10 cells

-- ---- counting and merging --------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history) IS
	'the cells with one more customer; NULL cells: new ones with default options; NULL history: unchanged';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history,
	pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb) IS
	'the cells with one more customer; the options (clv_options) must be those of the cells. NULL cells: new ones; '
	'NULL history: unchanged; NULL options: the defaults';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb,
	covariates pg_catalog.float8[]) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[]) IS
	'the cells with one more customer and their covariates, a finite number for each name in the options '
	'(clv_options), in their order';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb,
	path @extschema@.clv_calendar) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_path_row' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb, @extschema@.clv_calendar) IS
	'the cells with one more customer and their path, a calendar of their own from the first purchase to as_of';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb,
	covariates pg_catalog.float8[], path @extschema@.clv_calendar) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_path_row' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[],
	@extschema@.clv_calendar) IS
	'the cells with one more customer, their covariates and their path, a calendar of their own';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, x pg_catalog.float8, t_x pg_catalog.float8,
	t_cal pg_catalog.float8, mean_spend pg_catalog.float8) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_summary' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'the cells with one more customer, given as x repeat purchases, age t_x at the last and t_cal now, in the time '
	'unit of the options, and the mean spend (NULL: not known). NULL x, t_x and t_cal: unchanged';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, x pg_catalog.float8, t_x pg_catalog.float8,
	t_cal pg_catalog.float8, mean_spend pg_catalog.float8, pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_summary' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.jsonb) IS
	'the cells with one more customer, given as x, t_x, t_cal and mean spend; the options (clv_options) must be those '
	'of the cells';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, x pg_catalog.float8, t_x pg_catalog.float8,
	t_cal pg_catalog.float8, mean_spend pg_catalog.float8, pg_catalog.jsonb,
	covariates pg_catalog.float8[]) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_summary' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.jsonb,
	pg_catalog.float8[]) IS
	'the cells with one more customer, given as x, t_x, t_cal and mean spend, and their covariates, a finite number '
	'for each name in the options (clv_options)';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, x pg_catalog.float8, t_x pg_catalog.float8,
	t_cal pg_catalog.float8, mean_spend pg_catalog.float8, outcome pg_catalog.bool,
	pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_outcome' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.bool,
	pg_catalog.jsonb) IS
	'the cells with one more customer, given as x, t_x, t_cal, mean spend and whether they bought in the period after '
	't_cal; for supervised families (rfmtc)';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, renewals pg_catalog.int8, ended pg_catalog.bool,
	customers pg_catalog.int8, pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_contracts' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, pg_catalog.int8, pg_catalog.bool, pg_catalog.int8, pg_catalog.jsonb) IS
	'the cells with so many more customers who have renewed so often, and whose contracts have ended after that or '
	'not; for families of contracts (sbg, bdw)';
CREATE FUNCTION clv_internal.clv_cells_merge(@extschema@.clv_cells, @extschema@.clv_cells) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_cells_merge(@extschema@.clv_cells, @extschema@.clv_cells) IS
	'the customers of both; NULL: the other. An error where as_of, time unit, occasion, spend basis or other options '
	'differ';
CREATE FUNCTION clv_internal.clv_cells_merge(@extschema@.clv_cells, @extschema@.clv_cells,
	pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_merge_options' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_cells_merge(@extschema@.clv_cells, @extschema@.clv_cells, pg_catalog.jsonb) IS
	'the customers of both, to be fitted with these options; an error where they contradict what the second cells were '
	'counted with';
CREATE FUNCTION clv_internal.clv_cells_subtract(@extschema@.clv_cells,
	@extschema@.clv_cells) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_cells_subtract(@extschema@.clv_cells, @extschema@.clv_cells) IS
	'the customers of the first cells that are not in the second; an error where the second hold more than the first, '
	'or were counted differently';
CREATE OPERATOR @extschema@.- (
	LEFTARG = @extschema@.clv_cells, RIGHTARG = @extschema@.clv_cells, FUNCTION = clv_internal.clv_cells_subtract);
COMMENT ON OPERATOR @extschema@.- (@extschema@.clv_cells, @extschema@.clv_cells) IS 'take customers out again';
CREATE FUNCTION clv_internal.clv_cells_plus(@extschema@.clv_cells, @extschema@.clv_cells) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_cells_plus(@extschema@.clv_cells, @extschema@.clv_cells) IS
	'the customers of both cells, the same as clv_cells_rollup makes of the two, in one pass over both; an error where '
	'they were counted differently, or have other options';
CREATE OPERATOR @extschema@.+ (
	LEFTARG = @extschema@.clv_cells, RIGHTARG = @extschema@.clv_cells, FUNCTION = clv_internal.clv_cells_plus,
	COMMUTATOR = OPERATOR(@extschema@.+));
COMMENT ON OPERATOR @extschema@.+ (@extschema@.clv_cells, @extschema@.clv_cells) IS 'the customers of both';

CREATE FUNCTION clv_internal.clv_cells_final(@extschema@.clv_cells) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_cells_final(@extschema@.clv_cells) IS
	'the state of an aggregate as cells that can be stored; what every clv_cells does at its end';

-- ---- aggregates ------------------------------------------------------------------------------

CREATE AGGREGATE @extschema@.clv_cells(history @extschema@.clv_history) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(@extschema@.clv_history) IS
	'counts customers for a fit with the default options; NULL histories are ignored, none at all: NULL';
CREATE AGGREGATE @extschema@.clv_cells(history @extschema@.clv_history, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(@extschema@.clv_history, pg_catalog.jsonb) IS
	'counts customers for a fit with these options (clv_options), which must be the same in all rows; customers who '
	'first bought after as_of are skipped and counted as such';
CREATE AGGREGATE @extschema@.clv_cells(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'counts customers for a fit, given as summaries: x repeat purchases, age t_x at the last one, age t_cal, both in '
	'weeks since the first, mean_spend of the repeat purchases (NULL: not known)';
CREATE AGGREGATE @extschema@.clv_cells(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.jsonb) IS
	'counts customers for a fit with these options, given as summaries; times are in the time unit of the options';
CREATE AGGREGATE @extschema@.clv_cells(history @extschema@.clv_history, options pg_catalog.jsonb,
	covariates pg_catalog.float8[]) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(@extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[]) IS
	'counts customers with covariates: a finite number for each name in the options (clv_options), in their order; '
	'NULL or another number of them is an error';
CREATE AGGREGATE @extschema@.clv_cells(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, options pg_catalog.jsonb, covariates pg_catalog.float8[]) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.jsonb,
	pg_catalog.float8[]) IS
	'counts summaries with covariates, a finite number for each name in the options (clv_options)';
CREATE AGGREGATE @extschema@.clv_cells(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, outcome pg_catalog.bool, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.bool, pg_catalog.jsonb) IS
	'counts summaries and what followed them, whether the customer bought in the period after t_cal: for supervised '
	'families (clv_options(model => ''rfmtc''))';
CREATE AGGREGATE @extschema@.clv_cells(renewals pg_catalog.int8, ended pg_catalog.bool, customers pg_catalog.int8,
	options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	pg_catalog.int8, pg_catalog.bool, pg_catalog.int8, pg_catalog.jsonb) IS
	'counts contracts from a table: renewals made, whether the contract ended after them, and how many customers that '
	'are; for families of contracts (clv_options(model => ''sbg'') or ''bdw''). Rows of NULLs are ignored';
CREATE AGGREGATE @extschema@.clv_cells(history @extschema@.clv_history, options pg_catalog.jsonb,
	path @extschema@.clv_calendar) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(@extschema@.clv_history, pg_catalog.jsonb, @extschema@.clv_calendar) IS
	'counts customers with paths: each has a calendar of their own from the first purchase to as_of, all with the same '
	'names';
CREATE AGGREGATE @extschema@.clv_cells(history @extschema@.clv_history, options pg_catalog.jsonb,
	covariates pg_catalog.float8[], path @extschema@.clv_calendar) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	@extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[], @extschema@.clv_calendar) IS
	'counts customers with covariates and paths';
CREATE AGGREGATE @extschema@.clv_cells_rollup(cells @extschema@.clv_cells) (
	SFUNC = clv_internal.clv_cells_merge, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells_rollup(@extschema@.clv_cells) IS
	'puts cells together; they must have been counted with the same options';
