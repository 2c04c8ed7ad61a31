-- ---- validation: what a model predicted, and what the customers did ----------------------------------
--
-- validate.sql          arguments, sums and counts: nothing here reads a table
-- validate_read.sql     all that reads the table, view or query of the caller
-- validate_backtest.sql, validate_tracking.sql     measures of what was read
--
-- Statements that contain the caller's text run with the rights and the search_path of the caller; they are in
-- validate_read.sql, and contain no operator. Everything else is bound to pg_catalog: bodies in BEGIN ATOMIC when the
-- extension is created, the others by SET search_path.

-- How a model counts time; an error for a model of spend only.
CREATE FUNCTION clv_internal.clv_validate_clock(
	model @extschema@.clv_model,
	OUT clock pg_catalog.text,
	OUT unit_days pg_catalog.float8,
	OUT covariates pg_catalog.int4,
	OUT time_unit pg_catalog.interval,
	OUT calendar pg_catalog.bool
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_validate_clock(@extschema@.clv_model) IS
	'how a model counts time: continuous, opportunities, renewals or campaigns, the days of its time unit, how many '
	'covariates customers have, the time unit itself, and whether it follows a calendar. A part of validation';

-- Raises an error if the model has covariates and no column of them is named, or the other way round.
CREATE FUNCTION clv_internal.clv_validate_covariates(
	model @extschema@.clv_model,
	covariates pg_catalog.text
) RETURNS pg_catalog.void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted int4 := (clv_internal.clv_validate_clock(model)).covariates;
BEGIN
	IF wanted > 0 AND covariates IS NULL THEN
		PERFORM clv_internal.clv_raise('the model needs the covariates of the customers'::text,
			NULL::text,
			'Give covariates => the column that holds them, as an array of numbers.'::text,
			'invalid_parameter_value'::text);
	END IF;
	IF wanted = 0 AND covariates IS NOT NULL THEN
		PERFORM clv_internal.clv_raise('the model was fitted without covariates'::text,
			NULL::text,
			'Leave the argument covariates out.'::text,
			'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_covariates(@extschema@.clv_model, pg_catalog.text) IS
	'an error unless a column of covariates is given if and only if the model has covariates. A part of validation';

-- Sums of doubles that are the same in any order of rows. COST in units of 20 ns.
CREATE FUNCTION clv_internal.clv_validate_sum_add(pg_catalog.internal, pg_catalog.float8) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_validate_sum_add(pg_catalog.internal, pg_catalog.float8) IS
	'of clv_validate_sum: takes a number into the state; NULLs are skipped';
CREATE FUNCTION clv_internal.clv_validate_sum_combine(pg_catalog.internal, pg_catalog.internal)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION clv_internal.clv_validate_sum_combine(pg_catalog.internal, pg_catalog.internal) IS
	'of clv_validate_sum: puts two states together';
CREATE FUNCTION clv_internal.clv_validate_sum_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_validate_sum_serialize(pg_catalog.internal) IS
	'of clv_validate_sum: sends a state to another process';
CREATE FUNCTION clv_internal.clv_validate_sum_deserialize(pg_catalog.bytea, pg_catalog.internal)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_validate_sum_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
	'of clv_validate_sum: receives a state; every byte is checked';
CREATE FUNCTION clv_internal.clv_validate_sum_final(pg_catalog.internal) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION clv_internal.clv_validate_sum_final(pg_catalog.internal) IS
	'of clv_validate_sum: the sum';
CREATE AGGREGATE clv_internal.clv_validate_sum(pg_catalog.float8) (
	SFUNC = clv_internal.clv_validate_sum_add, STYPE = pg_catalog.internal, SSPACE = 80,
	FINALFUNC = clv_internal.clv_validate_sum_final, COMBINEFUNC = clv_internal.clv_validate_sum_combine,
	SERIALFUNC = clv_internal.clv_validate_sum_serialize, DESERIALFUNC = clv_internal.clv_validate_sum_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_internal.clv_validate_sum(pg_catalog.float8) IS
	'the sum of doubles, to the last digit the same in any order of rows; NULL without one, NULLs are skipped, and out '
	'of range as with sum(). A part of validation';

-- The repeat purchases of a customer as the model counts them, in a number of periods after as_of (if negative: before
-- it; 0: from the first purchase to as_of).
CREATE FUNCTION clv_internal.clv_validate_purchases(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date,
	periods pg_catalog.int4
) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
COMMENT ON FUNCTION clv_internal.clv_validate_purchases(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.int4) IS
	'repeat purchases as the model counts them, in so many periods after as_of (negative: up to it; 0: all up to it): '
	'days of a model of continuous time, else its own periods: those with a purchase, of a contract the renewals of '
	'the one that as_of finds. A part of validation';

-- How many periods of a model of discrete time a horizon is, and the day by which they are over for every customer;
-- NULLs for a model of continuous time. Raises an error unless it is a whole number of them.
CREATE FUNCTION clv_internal.clv_validate_periods(
	model @extschema@.clv_model,
	since pg_catalog.date,
	horizon pg_catalog.interval,
	OUT periods pg_catalog.int4,
	OUT until pg_catalog.date
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_validate_periods(@extschema@.clv_model, pg_catalog.date, pg_catalog.interval) IS
	'of a model of discrete time, how many periods a horizon is, and the day by which so many after those that are '
	'over at since are over for all (NULLs of continuous time); an error where the horizon is no whole number of '
	'them. A part of validation';

-- The day that lies the given time after another, by the calendar. Raises an error that names the argument if the time
-- is NULL, infinite, not positive or has a part of a day.
CREATE FUNCTION clv_internal.clv_validate_day(
	since pg_catalog.date, span pg_catalog.interval, argument pg_catalog.text)
RETURNS pg_catalog.date
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	day date := (since + clv_internal.clv_argument_span(argument, span))::date;
BEGIN
	IF span IS NULL THEN
		PERFORM clv_internal.clv_raise(format('%s must be a length of time, not NULL', argument),
			NULL::text,
			$hint$Such as '1 year' or '13 weeks'.$hint$::text,
			'null_value_not_allowed'::text);
	END IF;
	IF day <= since THEN
		PERFORM clv_internal.clv_raise(format('%s must be positive: %s', argument, span),
			NULL::text,
			$hint$Such as '1 year' or '13 weeks'.$hint$::text,
			'invalid_parameter_value'::text);
	END IF;
	RETURN day;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_day(pg_catalog.date, pg_catalog.interval, pg_catalog.text) IS
	'the day that lies so far after another, by the calendar; an error that names the argument unless it is whole '
	'days, and the day a later one. A part of validation';
