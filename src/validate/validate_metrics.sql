-- ---- how good predictions of any kind were ---------------------------------------------------------

CREATE TYPE @extschema@.clv_accuracy AS (
	pairs pg_catalog.int8,
	skipped pg_catalog.int8,
	actual pg_catalog.float8,
	predicted pg_catalog.float8,
	total_error pg_catalog.float8,
	bias pg_catalog.float8,
	mae pg_catalog.float8,
	rmse pg_catalog.float8,
	rank_correlation pg_catalog.float8,
	gini pg_catalog.float8,
	top_decile_lift pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_accuracy IS 'the measures of clv_metrics; NULL where one is not defined';
COMMENT ON COLUMN @extschema@.clv_accuracy.pairs IS 'rows with both numbers';
COMMENT ON COLUMN @extschema@.clv_accuracy.skipped IS 'rows of which one number, or both, are NULL';
COMMENT ON COLUMN @extschema@.clv_accuracy.actual IS 'sum of what came';
COMMENT ON COLUMN @extschema@.clv_accuracy.predicted IS 'sum of what was predicted';
COMMENT ON COLUMN @extschema@.clv_accuracy.total_error IS
	'predicted / actual - 1; NULL unless the sum of what came is positive';
COMMENT ON COLUMN @extschema@.clv_accuracy.bias IS 'mean of predicted - actual';
COMMENT ON COLUMN @extschema@.clv_accuracy.mae IS 'mean absolute error';
COMMENT ON COLUMN @extschema@.clv_accuracy.rmse IS 'root mean square error';
COMMENT ON COLUMN @extschema@.clv_accuracy.rank_correlation IS
	'Spearman''s rank correlation, ties sharing their ranks; NULL where all of either are equal';
COMMENT ON COLUMN @extschema@.clv_accuracy.gini IS
	'how well the predictions sort what came: 1 as well as is possible, 0 not at all, negative upside down; NULL where '
	'all that came is equal';
COMMENT ON COLUMN @extschema@.clv_accuracy.top_decile_lift IS
	'what came of the tenth with the highest predictions over what came of an average tenth; equal predictions count '
	'in part; NULL unless the sum of what came is positive';

CREATE FUNCTION clv_internal.clv_metrics_add(pg_catalog.internal, pg_catalog.float8, pg_catalog.float8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_metrics_add(pg_catalog.internal, pg_catalog.float8, pg_catalog.float8) IS
	'of clv_metrics: takes a pair into the state; those with a NULL are counted only';
CREATE FUNCTION clv_internal.clv_metrics_final(pg_catalog.internal) RETURNS @extschema@.clv_accuracy
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION clv_internal.clv_metrics_final(pg_catalog.internal) IS 'of clv_metrics: the row';
CREATE AGGREGATE @extschema@.clv_metrics(actual pg_catalog.float8, predicted pg_catalog.float8) (
	SFUNC = clv_internal.clv_metrics_add, STYPE = pg_catalog.internal, SSPACE = 8192,
	FINALFUNC = clv_internal.clv_metrics_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_metrics(pg_catalog.float8, pg_catalog.float8) IS
	'how good predictions of any kind were (actual, predicted): sums, total error, bias, MAE, RMSE, rank correlation, '
	'Gini coefficient and lift of the top tenth, as clv_backtest has them, to the last bit the same in any order of '
	'rows. Rows with a NULL are skipped and counted; NaN and infinity are errors; NULL without a row';
