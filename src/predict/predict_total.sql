-- ---- totals over customers ---------------------------------------------------------------------
--
-- Aggregates take neither names nor defaults: an overload for each number of arguments. COST: the time
-- of a customer, measured over a million of them, in units of 20 ns. SSPACE: without covariates.

CREATE TYPE @extschema@.clv_total AS (
	customers pg_catalog.int8,
	expected_purchases pg_catalog.float8,
	purchases_std_error pg_catalog.float8,
	purchases_mean_low pg_catalog.float8,
	purchases_mean_high pg_catalog.float8,
	purchases_low pg_catalog.float8,
	purchases_high pg_catalog.float8,
	expected_value pg_catalog.float8,
	value_std_error pg_catalog.float8,
	value_mean_low pg_catalog.float8,
	value_mean_high pg_catalog.float8,
	value_low pg_catalog.float8,
	value_high pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_total IS 'the totals of clv_predict_total over customers';
COMMENT ON COLUMN @extschema@.clv_total.customers IS 'number of customers who exist as of the day to predict from';
COMMENT ON COLUMN @extschema@.clv_total.expected_purchases IS 'sum of expected_purchases of clv_predict';
COMMENT ON COLUMN @extschema@.clv_total.purchases_std_error IS
	'standard error of that sum, from the covariance of the estimates (delta method); NULL where the model has none';
COMMENT ON COLUMN @extschema@.clv_total.purchases_mean_low IS
	'lower end of the confidence interval of the expected purchases';
COMMENT ON COLUMN @extschema@.clv_total.purchases_mean_high IS
	'upper end of the confidence interval of the expected purchases';
COMMENT ON COLUMN @extschema@.clv_total.purchases_low IS
	'lower end of the prediction interval of the purchases that will be made';
COMMENT ON COLUMN @extschema@.clv_total.purchases_high IS
	'upper end of the prediction interval of the purchases that will be made';
COMMENT ON COLUMN @extschema@.clv_total.expected_value IS
	'sum of clv of clv_predict; NULL where the model has no spend part, or the expected spend of a customer does not '
	'exist';
COMMENT ON COLUMN @extschema@.clv_total.value_std_error IS
	'standard error of that sum; NULL where a part of the model has no covariance';
COMMENT ON COLUMN @extschema@.clv_total.value_mean_low IS 'lower end of the confidence interval of the expected value';
COMMENT ON COLUMN @extschema@.clv_total.value_mean_high IS 'upper end of the confidence interval of the expected value';
COMMENT ON COLUMN @extschema@.clv_total.value_low IS
	'lower end of the prediction interval of the value that will be realised; NULL where the variance of a customer''s '
	'spend does not exist (gamma/gamma: p x + q <= 2)';
COMMENT ON COLUMN @extschema@.clv_total.value_high IS
	'upper end of the prediction interval of the value that will be realised';

CREATE FUNCTION clv_internal.clv_predict_total_combine(
	pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_predict_total_combine(pg_catalog.internal, pg_catalog.internal) IS
	'of clv_predict_total: adds two totals';
CREATE FUNCTION clv_internal.clv_predict_total_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_predict_total_serialize(pg_catalog.internal) IS
	'of clv_predict_total: the binary form of a total';
CREATE FUNCTION clv_internal.clv_predict_total_deserialize(
	pg_catalog.bytea, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_predict_total_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
	'of clv_predict_total: reads the binary form of a total';
CREATE FUNCTION clv_internal.clv_predict_total_final(pg_catalog.internal) RETURNS @extschema@.clv_total
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_predict_total_final(pg_catalog.internal) IS 'of clv_predict_total: the row';

CREATE FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval
) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval) IS
	'of clv_predict_total: adds a customer';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval) (
	SFUNC = clv_internal.clv_predict_total_add, STYPE = pg_catalog.internal, SSPACE = 4096,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_predict_total_combine,
	SERIALFUNC = clv_internal.clv_predict_total_serialize, DESERIALFUNC = clv_internal.clv_predict_total_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval) IS
	'expected purchases and value of all customers together (model, history, horizon): expectation, confidence '
	'interval of the expectation (delta method), and prediction interval of what will be realised (independent '
	'customers, normal approximation, common shocks excluded; where the model has no covariance, parameters held '
	'fixed). Undiscounted, margin 1, level 0.95. One model and one level in a total. NULL models and histories are '
	'ignored; NULL where there is none; other NULLs are errors';

CREATE FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8
) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8) IS
	'of clv_predict_total: adds a customer';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8) (
	SFUNC = clv_internal.clv_predict_total_add, STYPE = pg_catalog.internal, SSPACE = 4096,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_predict_total_combine,
	SERIALFUNC = clv_internal.clv_predict_total_serialize, DESERIALFUNC = clv_internal.clv_predict_total_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8) IS
	'expected purchases and value of all customers together (model, history, horizon, discount_rate): expectation, '
	'confidence interval of the expectation (delta method), and prediction interval of what will be realised '
	'(independent customers, normal approximation, common shocks excluded; where the model has no covariance, '
	'parameters held fixed). Margin 1, level 0.95. One model and one level in a total. NULL models and histories are '
	'ignored; NULL where there is none; other NULLs are errors';

CREATE FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8) IS
	'of clv_predict_total: adds a customer';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8) (
	SFUNC = clv_internal.clv_predict_total_add, STYPE = pg_catalog.internal, SSPACE = 4096,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_predict_total_combine,
	SERIALFUNC = clv_internal.clv_predict_total_serialize, DESERIALFUNC = clv_internal.clv_predict_total_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8) IS
	'expected purchases and value of all customers together (model, history, horizon, discount_rate, margin): '
	'expectation, confidence interval of the expectation (delta method), and prediction interval of what will be '
	'realised (independent customers, normal approximation, common shocks excluded; where the model has no covariance, '
	'parameters held fixed). Level 0.95. One model and one level in a total. NULL models and histories are ignored; '
	'NULL where there is none; other NULLs are errors';

CREATE FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date) IS
	'of clv_predict_total: adds a customer';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8, as_of pg_catalog.date) (
	SFUNC = clv_internal.clv_predict_total_add, STYPE = pg_catalog.internal, SSPACE = 4096,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_predict_total_combine,
	SERIALFUNC = clv_internal.clv_predict_total_serialize, DESERIALFUNC = clv_internal.clv_predict_total_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date) IS
	'expected purchases and value of all customers together (model, history, horizon, discount_rate, margin, as_of): '
	'expectation, confidence interval of the expectation (delta method), and prediction interval of what will be '
	'realised (independent customers, normal approximation, common shocks excluded; where the model has no covariance, '
	'parameters held fixed). Level 0.95. One model and one level in a total. NULL models and histories are ignored; '
	'NULL where there is none; other NULLs are errors, except for as_of (the model''s) and covariates';

CREATE FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8) IS
	'of clv_predict_total: adds a customer';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8, as_of pg_catalog.date, level pg_catalog.float8) (
	SFUNC = clv_internal.clv_predict_total_add, STYPE = pg_catalog.internal, SSPACE = 4096,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_predict_total_combine,
	SERIALFUNC = clv_internal.clv_predict_total_serialize, DESERIALFUNC = clv_internal.clv_predict_total_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8) IS
	'expected purchases and value of all customers together (model, history, horizon, discount_rate, margin, as_of, '
	'level): expectation, confidence interval of the expectation (delta method), and prediction interval of what will '
	'be realised (independent customers, normal approximation, common shocks excluded; where the model has no '
	'covariance, parameters held fixed). One model and one level in a total. NULL models and histories are ignored; '
	'NULL where there is none; other NULLs are errors, except for as_of (the model''s) and covariates';

CREATE FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8, pg_catalog.float8[]) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_predict_total_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8, pg_catalog.float8[]) IS
	'of clv_predict_total: adds a customer';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8, as_of pg_catalog.date, level pg_catalog.float8,
	covariates pg_catalog.float8[]) (
	SFUNC = clv_internal.clv_predict_total_add, STYPE = pg_catalog.internal, SSPACE = 4096,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_predict_total_combine,
	SERIALFUNC = clv_internal.clv_predict_total_serialize, DESERIALFUNC = clv_internal.clv_predict_total_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8, pg_catalog.float8[]) IS
	'expected purchases and value of all customers together (model, history, horizon, discount_rate, margin, as_of, '
	'level, covariates): expectation, confidence interval of the expectation (delta method), and prediction interval '
	'of what will be realised (independent customers, normal approximation, common shocks excluded; where the model '
	'has no covariance, parameters held fixed). One model and one level in a total. NULL models and histories are '
	'ignored; NULL where there is none; other NULLs are errors, except for as_of (the model''s) and covariates';
