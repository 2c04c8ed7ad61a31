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
	purchases_low_without_shock pg_catalog.float8,
	purchases_high_without_shock pg_catalog.float8,
	expected_value pg_catalog.float8,
	value_std_error pg_catalog.float8,
	value_mean_low pg_catalog.float8,
	value_mean_high pg_catalog.float8,
	value_low pg_catalog.float8,
	value_high pg_catalog.float8,
	value_low_without_shock pg_catalog.float8,
	value_high_without_shock pg_catalog.float8
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
COMMENT ON COLUMN @extschema@.clv_total.purchases_low_without_shock IS
	'lower end without what moves all customers at once; the same where the model keeps no common shock';
COMMENT ON COLUMN @extschema@.clv_total.purchases_high_without_shock IS 'upper end without it';
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
COMMENT ON COLUMN @extschema@.clv_total.value_low_without_shock IS
	'lower end without what moves all customers at once; the same where the model keeps no common shock';
COMMENT ON COLUMN @extschema@.clv_total.value_high_without_shock IS 'upper end without it';

-- ---- what a total needs of customers, as a value -----------------------------------------------

CREATE TYPE @extschema@.clv_sums;

CREATE FUNCTION clv_internal.clv_sums_in(pg_catalog.cstring) RETURNS @extschema@.clv_sums
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_sums_in(pg_catalog.cstring) IS
	'reads the JSON form of sums; every number is checked, unknown members are errors';
CREATE FUNCTION clv_internal.clv_sums_out(@extschema@.clv_sums) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.clv_sums_out(@extschema@.clv_sums) IS
	'the sums as JSON, exact and independent of settings';
CREATE FUNCTION clv_internal.clv_sums_recv(pg_catalog.internal) RETURNS @extschema@.clv_sums
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_sums_recv(pg_catalog.internal) IS
	'reads the binary form of sums; every byte is checked';
CREATE FUNCTION clv_internal.clv_sums_send(@extschema@.clv_sums) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_sums_send(@extschema@.clv_sums) IS
	'the binary form of sums, as it is stored';

CREATE TYPE @extschema@.clv_sums (
	INPUT = clv_internal.clv_sums_in,
	OUTPUT = clv_internal.clv_sums_out,
	RECEIVE = clv_internal.clv_sums_recv,
	SEND = clv_internal.clv_sums_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.clv_sums IS
	'what clv_predict_total needs of many customers: exact sums under one model, of a kilobyte or two however many '
	'they are; can be stored and put together. Its text form is JSON';

CREATE FUNCTION clv_internal.clv_sums_to_jsonb(@extschema@.clv_sums) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_sums_to_jsonb(@extschema@.clv_sums) IS 'the sums as jsonb, without loss';
CREATE FUNCTION clv_internal.clv_sums_from_jsonb(pg_catalog.jsonb) RETURNS @extschema@.clv_sums
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_sums_from_jsonb(pg_catalog.jsonb) IS
	'the sums of a jsonb form; an error names what is missing, unknown or out of range';

CREATE CAST (@extschema@.clv_sums AS pg_catalog.jsonb)
	WITH FUNCTION clv_internal.clv_sums_to_jsonb(@extschema@.clv_sums);
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_sums)
	WITH FUNCTION clv_internal.clv_sums_from_jsonb(pg_catalog.jsonb);
COMMENT ON CAST (@extschema@.clv_sums AS pg_catalog.jsonb) IS 'the sums as JSON, without loss';
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_sums) IS
	'reads what the cast to jsonb has written; every member is checked';

%canonical clv_sums 2 2 sums

CREATE FUNCTION clv_internal.clv_sums_merge(@extschema@.clv_sums, @extschema@.clv_sums) RETURNS @extschema@.clv_sums
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION clv_internal.clv_sums_merge(@extschema@.clv_sums, @extschema@.clv_sums) IS
	'the customers of both; NULL: the other. An error where models or levels differ';
CREATE FUNCTION clv_internal.clv_predict_total_final(@extschema@.clv_sums) RETURNS @extschema@.clv_total
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_predict_total_final(@extschema@.clv_sums) IS
	'the totals that sums come to, as a row';

CREATE AGGREGATE @extschema@.clv_predict_total(sums @extschema@.clv_sums) (
	SFUNC = clv_internal.clv_sums_merge, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(@extschema@.clv_sums) IS
	'expected purchases and value of all customers in the sums together (clv_sums of groups, days or shards): to the '
	'bit what clv_predict_total over the customers gives. NULLs are ignored; NULL where there is nothing else';

-- ---- the forms of the arguments -----------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history,
	pg_catalog.interval) RETURNS @extschema@.clv_sums
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval) IS
	'the sums with one more customer; NULL sums: new ones; NULL model or history: unchanged';
CREATE AGGREGATE @extschema@.clv_sums(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_sums(@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval) IS
	'what clv_predict_total(model, history, horizon) needs of the customers, as a value; can be stored, and put '
	'together with clv_predict_total(clv_sums). NULL models and histories are ignored; NULL where there is none';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval) IS
	'expected purchases and value of all customers together (model, history, horizon): expectation, confidence '
	'interval of the expectation (delta method), and prediction interval of what will be realised (independent '
	'customers, normal approximation, with the common shock that the model keeps; where the model has no covariance, '
	'parameters held fixed). Undiscounted, margin 1, level 0.95. One model and one level in a total. NULL models and '
	'histories are ignored; NULL where there is none; other NULLs are errors';

CREATE FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval,
	pg_catalog.float8) RETURNS @extschema@.clv_sums
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8) IS
	'the sums with one more customer; NULL sums: new ones; NULL model or history: unchanged';
CREATE AGGREGATE @extschema@.clv_sums(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_sums(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8) IS
	'what clv_predict_total(model, history, horizon, discount_rate) needs of the customers, as a value; can be '
	'stored, and put together with clv_predict_total(clv_sums). NULL models and histories are ignored; NULL where '
	'there is none';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8) IS
	'expected purchases and value of all customers together (model, history, horizon, discount_rate): expectation, '
	'confidence interval of the expectation (delta method), and prediction interval of what will be realised '
	'(independent customers, normal approximation, with the common shock that the model keeps; where the model has '
	'no covariance, parameters held fixed). Margin 1, level 0.95. One model and one level in a total. NULL models '
	'and histories are ignored; NULL where there is none; other NULLs are errors';

CREATE FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8) RETURNS @extschema@.clv_sums
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8) IS
	'the sums with one more customer; NULL sums: new ones; NULL model or history: unchanged';
CREATE AGGREGATE @extschema@.clv_sums(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_sums(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8) IS
	'what clv_predict_total(model, history, horizon, discount_rate, margin) needs of the customers, as a value; can '
	'be stored, and put together with clv_predict_total(clv_sums). NULL models and histories are ignored; NULL where '
	'there is none';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8) IS
	'expected purchases and value of all customers together (model, history, horizon, discount_rate, margin): '
	'expectation, confidence interval of the expectation (delta method), and prediction interval of what will be '
	'realised (independent customers, normal approximation, with the common shock that the model keeps; where the '
	'model has no covariance, parameters held fixed). Level 0.95. One model and one level in a total. NULL models '
	'and histories are ignored; NULL where there is none; other NULLs are errors';

CREATE FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date) RETURNS @extschema@.clv_sums
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date) IS
	'the sums with one more customer; NULL sums: new ones; NULL model or history: unchanged';
CREATE AGGREGATE @extschema@.clv_sums(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8, as_of pg_catalog.date) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_sums(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date) IS
	'what clv_predict_total(model, history, horizon, discount_rate, margin, as_of) needs of the customers, as a '
	'value; can be stored, and put together with clv_predict_total(clv_sums). NULL models and histories are ignored; '
	'NULL where there is none';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8, as_of pg_catalog.date) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date) IS
	'expected purchases and value of all customers together (model, history, horizon, discount_rate, margin, as_of): '
	'expectation, confidence interval of the expectation (delta method), and prediction interval of what will be '
	'realised (independent customers, normal approximation, with the common shock that the model keeps; where the '
	'model has no covariance, parameters held fixed). Level 0.95. One model and one level in a total. NULL models '
	'and histories are ignored; NULL where there is none; other NULLs are errors, except for as_of (the model''s) '
	'and covariates';

CREATE FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8) RETURNS @extschema@.clv_sums
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8) IS
	'the sums with one more customer; NULL sums: new ones; NULL model or history: unchanged';
CREATE AGGREGATE @extschema@.clv_sums(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8, as_of pg_catalog.date, level pg_catalog.float8) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_sums(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8) IS
	'what clv_predict_total(model, history, horizon, discount_rate, margin, as_of, level) needs of the customers, as '
	'a value; can be stored, and put together with clv_predict_total(clv_sums). NULL models and histories are '
	'ignored; NULL where there is none';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8, as_of pg_catalog.date, level pg_catalog.float8) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8) IS
	'expected purchases and value of all customers together (model, history, horizon, discount_rate, margin, as_of, '
	'level): expectation, confidence interval of the expectation (delta method), and prediction interval of what '
	'will be realised (independent customers, normal approximation, with the common shock that the model keeps; '
	'where the model has no covariance, parameters held fixed). One model and one level in a total. NULL models and '
	'histories are ignored; NULL where there is none; other NULLs are errors, except for as_of (the model''s) and '
	'covariates';

CREATE FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8, pg_catalog.float8[]) RETURNS @extschema@.clv_sums
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_sums_add(
	@extschema@.clv_sums, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8, pg_catalog.float8[]) IS
	'the sums with one more customer; NULL sums: new ones; NULL model or history: unchanged';
CREATE AGGREGATE @extschema@.clv_sums(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8, as_of pg_catalog.date, level pg_catalog.float8,
	covariates pg_catalog.float8[]) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_sums(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8, pg_catalog.float8[]) IS
	'what clv_predict_total(model, history, horizon, discount_rate, margin, as_of, level, covariates) needs of the '
	'customers, as a value; can be stored, and put together with clv_predict_total(clv_sums). NULL models and '
	'histories are ignored; NULL where there is none';
CREATE AGGREGATE @extschema@.clv_predict_total(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8, as_of pg_catalog.date, level pg_catalog.float8,
	covariates pg_catalog.float8[]) (
	SFUNC = clv_internal.clv_sums_add, STYPE = @extschema@.clv_sums, SSPACE = 12288,
	FINALFUNC = clv_internal.clv_predict_total_final, COMBINEFUNC = clv_internal.clv_sums_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_predict_total(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8, pg_catalog.float8[]) IS
	'expected purchases and value of all customers together (model, history, horizon, discount_rate, margin, as_of, '
	'level, covariates): expectation, confidence interval of the expectation (delta method), and prediction interval '
	'of what will be realised (independent customers, normal approximation, with the common shock that the model '
	'keeps; where the model has no covariance, parameters held fixed). One model and one level in a total. NULL '
	'models and histories are ignored; NULL where there is none; other NULLs are errors, except for as_of (the '
	'model''s) and covariates';
