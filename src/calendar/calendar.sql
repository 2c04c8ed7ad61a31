-- ---- covariates that are the same for all customers, by the calendar -------------------------------

CREATE TYPE @extschema@.clv_calendar;

CREATE FUNCTION clv_internal.clv_calendar_in(pg_catalog.cstring) RETURNS @extschema@.clv_calendar
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_calendar_in(pg_catalog.cstring) IS
	'reads the JSON form of a calendar; every number is checked, unknown members are errors';
CREATE FUNCTION clv_internal.clv_calendar_out(@extschema@.clv_calendar) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_calendar_out(@extschema@.clv_calendar) IS
	'the calendar as JSON, exact and independent of settings';
CREATE FUNCTION clv_internal.clv_calendar_recv(pg_catalog.internal) RETURNS @extschema@.clv_calendar
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_calendar_recv(pg_catalog.internal) IS
	'reads the binary form of a calendar; every byte is checked';
CREATE FUNCTION clv_internal.clv_calendar_send(@extschema@.clv_calendar) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_calendar_send(@extschema@.clv_calendar) IS
	'the binary form of a calendar, as it is stored';

CREATE TYPE @extschema@.clv_calendar (
	INPUT = clv_internal.clv_calendar_in,
	OUTPUT = clv_internal.clv_calendar_out,
	RECEIVE = clv_internal.clv_calendar_recv,
	SEND = clv_internal.clv_calendar_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.clv_calendar IS
	'covariates that are the same for all customers, such as seasons, prices and campaigns, as a step function of the '
	'date; its text form is JSON';

CREATE FUNCTION clv_internal.clv_calendar_to_jsonb(@extschema@.clv_calendar) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_calendar_to_jsonb(@extschema@.clv_calendar) IS
	'the calendar as jsonb, without loss';
CREATE FUNCTION clv_internal.clv_calendar_from_jsonb(pg_catalog.jsonb) RETURNS @extschema@.clv_calendar
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_calendar_from_jsonb(pg_catalog.jsonb) IS
	'the calendar of a jsonb form; an error names what is missing, unknown or out of range';

CREATE CAST (@extschema@.clv_calendar AS pg_catalog.jsonb)
	WITH FUNCTION clv_internal.clv_calendar_to_jsonb(@extschema@.clv_calendar);
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_calendar)
	WITH FUNCTION clv_internal.clv_calendar_from_jsonb(pg_catalog.jsonb);
COMMENT ON CAST (@extschema@.clv_calendar AS pg_catalog.jsonb) IS 'the calendar as JSON, without loss';
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_calendar) IS
	'reads what the cast to jsonb has written; every member is checked';

-- ---- comparison: for DISTINCT, GROUP BY and indexes; the order itself has no meaning --------

%canonical clv_calendar 1 2 calendars

-- ---- values, and steps to come --------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_calendar_values(calendar @extschema@.clv_calendar, day pg_catalog.date)
	RETURNS pg_catalog.float8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_calendar_values(@extschema@.clv_calendar, pg_catalog.date) IS
	'the values of the covariates on a day, in the order of their names; NULL before the first step and from the end '
	'on';

CREATE FUNCTION clv_internal.clv_calendar_concat(@extschema@.clv_calendar, @extschema@.clv_calendar)
	RETURNS @extschema@.clv_calendar
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION clv_internal.clv_calendar_concat(@extschema@.clv_calendar, @extschema@.clv_calendar) IS
	'implementation of || operator';
CREATE OPERATOR @extschema@.|| (
	LEFTARG = @extschema@.clv_calendar, RIGHTARG = @extschema@.clv_calendar,
	FUNCTION = clv_internal.clv_calendar_concat);
COMMENT ON OPERATOR @extschema@.|| (@extschema@.clv_calendar, @extschema@.clv_calendar) IS
	'the steps of the first calendar, followed by those of the second, which begins after the last row of the first: '
	'the calendar of the rows of both';

-- ---- from rows to a calendar ----------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_calendar_add(
	pg_catalog.internal, pg_catalog.date, pg_catalog.float8[], pg_catalog.text[])
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_calendar_add(
	pg_catalog.internal, pg_catalog.date, pg_catalog.float8[], pg_catalog.text[]) IS
	'adds one row to the state of clv_calendar()';
CREATE FUNCTION clv_internal.clv_calendar_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_calendar_combine(pg_catalog.internal, pg_catalog.internal) IS
	'joins two states of clv_calendar(); an error where their names differ';
CREATE FUNCTION clv_internal.clv_calendar_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_calendar_serialize(pg_catalog.internal) IS
	'sends a state of clv_calendar() to another process';
CREATE FUNCTION clv_internal.clv_calendar_deserialize(pg_catalog.bytea, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_calendar_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
	'receives a state of clv_calendar(); every byte is checked';
CREATE FUNCTION clv_internal.clv_calendar_final(pg_catalog.internal) RETURNS @extschema@.clv_calendar
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_calendar_final(pg_catalog.internal) IS
	'the calendar of the rows in a state of clv_calendar()';

CREATE AGGREGATE @extschema@.clv_calendar(
	since pg_catalog.date, "values" pg_catalog.float8[], names pg_catalog.text[]) (
	SFUNC = clv_internal.clv_calendar_add,
	STYPE = pg_catalog.internal,
	SSPACE = 4096,
	COMBINEFUNC = clv_internal.clv_calendar_combine,
	SERIALFUNC = clv_internal.clv_calendar_serialize,
	DESERIALFUNC = clv_internal.clv_calendar_deserialize,
	FINALFUNC = clv_internal.clv_calendar_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_calendar(pg_catalog.date, pg_catalog.float8[], pg_catalog.text[]) IS
	'the calendar of rows in any order: from the day since on the covariates with these names (1 to 16, the same in '
	'every row) have these values, until the day of the next row. The last row lasts as long as the longest of those '
	'before it; a row whose values are NULL ends the calendar on its day instead. Other NULLs, NaN, infinite numbers '
	'and days, and two rows of one day are errors; without rows NULL';
