-- history: the aggregates that make histories

CREATE FUNCTION clv_history_final(internal) RETURNS clv_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION clv_history_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

CREATE FUNCTION clv_history_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION clv_history_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

-- one transition function for each type of time and of amount; those of timestamp serve timestamptz too

CREATE FUNCTION clv_history_transition(internal, timestamptz) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamptz, numeric) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamptz, numeric, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamptz, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_double' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamptz, double precision, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_double' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamptz, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamptz, bigint, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamptz, real) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_real' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamptz, real, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_real' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamp) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamp, numeric) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamp, numeric, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamp, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_double' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamp, double precision, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_double' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamp, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamp, bigint, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamp, real) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_real' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, timestamp, real, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_timestamp_real' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, date) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, date, numeric) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, date, numeric, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, date, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_double' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, date, double precision, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_double' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, date, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, date, bigint, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, date, real) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_real' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clv_history_transition(internal, date, real, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'clv_history_transition_date_real' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE clv_history(timestamptz) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamptz) IS
	'the history of the rows: purchases of one occasion are one purchase, of unknown amount; a timestamptz counts on its UTC day; NULL times are skipped; NULL without a row';

CREATE AGGREGATE clv_history(timestamptz, numeric) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamptz, numeric) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamptz counts on its UTC day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(timestamptz, numeric, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamptz, numeric, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamptz counts on its UTC day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE AGGREGATE clv_history(timestamptz, double precision) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamptz, double precision) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamptz counts on its UTC day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(timestamptz, double precision, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamptz, double precision, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamptz counts on its UTC day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE AGGREGATE clv_history(timestamptz, bigint) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamptz, bigint) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamptz counts on its UTC day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(timestamptz, bigint, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamptz, bigint, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamptz counts on its UTC day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE AGGREGATE clv_history(timestamptz, real) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamptz, real) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamptz counts on its UTC day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(timestamptz, real, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamptz, real, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamptz counts on its UTC day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE AGGREGATE clv_history(timestamp) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamp) IS
	'the history of the rows: purchases of one occasion are one purchase, of unknown amount; a timestamp counts on its day; NULL times are skipped; NULL without a row';

CREATE AGGREGATE clv_history(timestamp, numeric) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamp, numeric) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamp counts on its day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(timestamp, numeric, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamp, numeric, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamp counts on its day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE AGGREGATE clv_history(timestamp, double precision) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamp, double precision) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamp counts on its day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(timestamp, double precision, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamp, double precision, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamp counts on its day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE AGGREGATE clv_history(timestamp, bigint) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamp, bigint) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamp counts on its day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(timestamp, bigint, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamp, bigint, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamp counts on its day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE AGGREGATE clv_history(timestamp, real) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamp, real) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamp counts on its day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(timestamp, real, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(timestamp, real, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a timestamp counts on its day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE AGGREGATE clv_history(date) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(date) IS
	'the history of the rows: purchases of one occasion are one purchase, of unknown amount; a date is the day; NULL times are skipped; NULL without a row';

CREATE AGGREGATE clv_history(date, numeric) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(date, numeric) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a date is the day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(date, numeric, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(date, numeric, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a date is the day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE AGGREGATE clv_history(date, double precision) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(date, double precision) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a date is the day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(date, double precision, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(date, double precision, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a date is the day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE AGGREGATE clv_history(date, bigint) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(date, bigint) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a date is the day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(date, bigint, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(date, bigint, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a date is the day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE AGGREGATE clv_history(date, real) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(date, real) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a date is the day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; NULL without a row';

CREATE AGGREGATE clv_history(date, real, integer) (
	SFUNC = clv_history_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history(date, real, integer) IS
	'the history of the rows: purchases of one occasion are one purchase, amounts added up exactly; a date is the day; NULL times are skipped, NULL amounts are purchases of unknown amount, negative ones refunds; occasions of so many days (at least 1) on a grid from Monday 2001-01-01; NULL without a row';

CREATE FUNCTION clv_history_rollup_transition(internal, clv_history) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;

CREATE AGGREGATE clv_history_rollup(clv_history) (
	SFUNC = clv_history_rollup_transition, STYPE = internal, SSPACE = 128,
	FINALFUNC = clv_history_final, COMBINEFUNC = clv_history_combine,
	SERIALFUNC = clv_history_serialize, DESERIALFUNC = clv_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_history_rollup(clv_history) IS
	'all transactions of the histories in one; their occasions must be equal; NULLs are skipped';
