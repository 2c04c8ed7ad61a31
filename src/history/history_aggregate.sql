-- history: the aggregates that make histories

CREATE FUNCTION clv_internal.clv_history_final(pg_catalog.internal) RETURNS @extschema@.clv_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_history_final(pg_catalog.internal) IS
	'support of clv_history: the finished history';

CREATE FUNCTION clv_internal.clv_history_combine(pg_catalog.internal, pg_catalog.internal)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_history_combine(pg_catalog.internal, pg_catalog.internal) IS
	'support of clv_history: two states in one';

CREATE FUNCTION clv_internal.clv_history_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_history_serialize(pg_catalog.internal) IS
	'support of clv_history: a state on its way between processes';

CREATE FUNCTION clv_internal.clv_history_deserialize(pg_catalog.bytea, pg_catalog.internal)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 80;
COMMENT ON FUNCTION clv_internal.clv_history_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
	'support of clv_history: a state that has arrived; every byte is checked';

-- one transition function for each type of time and of amount; those of timestamp serve timestamptz too

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamptz)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamptz) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.numeric)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.numeric) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.numeric,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.numeric, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.float8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_double' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.float8) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.float8,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_double' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.float8, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.int8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.int8) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.int8,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.int8, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.float4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_real' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.float4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.float4,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_real' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamptz, pg_catalog.float4, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp, pg_catalog.numeric)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamp, pg_catalog.numeric) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp, pg_catalog.numeric,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamp, pg_catalog.numeric, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp, pg_catalog.float8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_double' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp, pg_catalog.float8) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp, pg_catalog.float8,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_double' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamp, pg_catalog.float8, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp, pg_catalog.int8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp, pg_catalog.int8) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp, pg_catalog.int8,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamp, pg_catalog.int8, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp, pg_catalog.float4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_real' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp, pg_catalog.float4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.timestamp, pg_catalog.float4,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_real' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.timestamp, pg_catalog.float4, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.numeric)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.numeric) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.numeric,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.date, pg_catalog.numeric, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.float8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_double' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.float8) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.float8,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_double' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.date, pg_catalog.float8, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.int8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.int8) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.int8,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.date, pg_catalog.int8, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.float4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_real' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.float4) IS
	'support of clv_history: takes a row into the state';

CREATE FUNCTION clv_internal.clv_history_transition(pg_catalog.internal, pg_catalog.date, pg_catalog.float4,
	pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_real' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 4;
COMMENT ON FUNCTION clv_internal.clv_history_transition(
	pg_catalog.internal, pg_catalog.date, pg_catalog.float4, pg_catalog.int4) IS
	'support of clv_history: takes a row into the state';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz) IS
	'purchase history of the rows: each is a purchase of unknown amount; a timestamptz counts on its UTC day; a NULL '
	'time skips the row; NULL without a row';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.numeric) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.numeric) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamptz counts on its UTC day; '
	'a NULL time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; NULL without a '
	'row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.numeric, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.numeric, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamptz counts on its UTC day; '
	'a NULL time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; the third '
	'argument is the length of an occasion in days (at least 1), on a grid from Monday 2001-01-01; NULL without a row; '
	'errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.float8) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.float8) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamptz counts on its UTC day; '
	'a NULL time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount '
	'counts as its shortest decimal; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.float8, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.float8, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamptz counts on its UTC day; '
	'a NULL time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount '
	'counts as its shortest decimal; the third argument is the length of an occasion in days (at least 1), on a grid '
	'from Monday 2001-01-01; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.int8) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.int8) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamptz counts on its UTC day; '
	'a NULL time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; NULL without a '
	'row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.int8, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.int8, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamptz counts on its UTC day; '
	'a NULL time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; the third '
	'argument is the length of an occasion in days (at least 1), on a grid from Monday 2001-01-01; NULL without a row; '
	'errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.float4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.float4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamptz counts on its UTC day; '
	'a NULL time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount '
	'counts as its shortest decimal; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.float4, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamptz, pg_catalog.float4, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamptz counts on its UTC day; '
	'a NULL time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount '
	'counts as its shortest decimal; the third argument is the length of an occasion in days (at least 1), on a grid '
	'from Monday 2001-01-01; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamp) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamp) IS
	'purchase history of the rows: each is a purchase of unknown amount; a timestamp counts on its day; a NULL time '
	'skips the row; NULL without a row';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.numeric) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.numeric) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamp counts on its day; a NULL '
	'time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; NULL without a row; '
	'errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.numeric, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.numeric, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamp counts on its day; a NULL '
	'time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; the third argument is '
	'the length of an occasion in days (at least 1), on a grid from Monday 2001-01-01; NULL without a row; errors: '
	'NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.float8) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.float8) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamp counts on its day; a NULL '
	'time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount counts as '
	'its shortest decimal; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.float8, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.float8, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamp counts on its day; a NULL '
	'time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount counts as '
	'its shortest decimal; the third argument is the length of an occasion in days (at least 1), on a grid from Monday '
	'2001-01-01; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.int8) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.int8) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamp counts on its day; a NULL '
	'time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; NULL without a row; '
	'errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.int8, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.int8, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamp counts on its day; a NULL '
	'time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; the third argument is '
	'the length of an occasion in days (at least 1), on a grid from Monday 2001-01-01; NULL without a row; errors: '
	'NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.float4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.float4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamp counts on its day; a NULL '
	'time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount counts as '
	'its shortest decimal; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.float4, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.timestamp, pg_catalog.float4, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; a timestamp counts on its day; a NULL '
	'time skips the row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount counts as '
	'its shortest decimal; the third argument is the length of an occasion in days (at least 1), on a grid from Monday '
	'2001-01-01; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.date) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.date) IS
	'purchase history of the rows: each is a purchase of unknown amount; times are days; a NULL time skips the row; '
	'NULL without a row';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.numeric) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.numeric) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; times are days; a NULL time skips the '
	'row, a NULL amount is a purchase of unknown amount, a negative one a refund; NULL without a row; errors: NaN, '
	'infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.numeric, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.numeric, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; times are days; a NULL time skips the '
	'row, a NULL amount is a purchase of unknown amount, a negative one a refund; the third argument is the length of '
	'an occasion in days (at least 1), on a grid from Monday 2001-01-01; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.float8) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.float8) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; times are days; a NULL time skips the '
	'row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount counts as its shortest '
	'decimal; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.float8, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.float8, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; times are days; a NULL time skips the '
	'row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount counts as its shortest '
	'decimal; the third argument is the length of an occasion in days (at least 1), on a grid from Monday 2001-01-01; '
	'NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.int8) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.int8) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; times are days; a NULL time skips the '
	'row, a NULL amount is a purchase of unknown amount, a negative one a refund; NULL without a row; errors: NaN, '
	'infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.int8, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.int8, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; times are days; a NULL time skips the '
	'row, a NULL amount is a purchase of unknown amount, a negative one a refund; the third argument is the length of '
	'an occasion in days (at least 1), on a grid from Monday 2001-01-01; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.float4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.float4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; times are days; a NULL time skips the '
	'row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount counts as its shortest '
	'decimal; NULL without a row; errors: NaN, infinity';

CREATE AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.float4, pg_catalog.int4) (
	SFUNC = clv_internal.clv_history_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history(pg_catalog.date, pg_catalog.float4, pg_catalog.int4) IS
	'purchase history of the rows: amounts of one occasion are added up exactly; times are days; a NULL time skips the '
	'row, a NULL amount is a purchase of unknown amount, a negative one a refund; an amount counts as its shortest '
	'decimal; the third argument is the length of an occasion in days (at least 1), on a grid from Monday 2001-01-01; '
	'NULL without a row; errors: NaN, infinity';

CREATE FUNCTION clv_internal.clv_history_rollup_transition(pg_catalog.internal, @extschema@.clv_history)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 60;
COMMENT ON FUNCTION clv_internal.clv_history_rollup_transition(pg_catalog.internal, @extschema@.clv_history) IS
	'support of clv_history_rollup: takes a history into the state';

CREATE AGGREGATE @extschema@.clv_history_rollup(@extschema@.clv_history) (
	SFUNC = clv_internal.clv_history_rollup_transition, STYPE = pg_catalog.internal, SSPACE = 144,
	FINALFUNC = clv_internal.clv_history_final, COMBINEFUNC = clv_internal.clv_history_combine,
	SERIALFUNC = clv_internal.clv_history_serialize, DESERIALFUNC = clv_internal.clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_history_rollup(@extschema@.clv_history) IS
	'the transactions of all histories in one; their occasions must be equal; NULLs are skipped; NULL without a row';
