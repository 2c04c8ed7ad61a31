-- history: one customer's purchase occasions, as a value

CREATE TYPE @extschema@.clv_history;

CREATE FUNCTION clv_internal.clv_history_in(pg_catalog.cstring) RETURNS @extschema@.clv_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION clv_internal.clv_history_in(pg_catalog.cstring) IS
	'reads the text form of a history; the same under every setting; anything else is an error';

CREATE FUNCTION clv_internal.clv_history_out(@extschema@.clv_history) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 150;
COMMENT ON FUNCTION clv_internal.clv_history_out(@extschema@.clv_history) IS
	'the text form of a history: JSON, exact, the same under every setting';

CREATE FUNCTION clv_internal.clv_history_recv(pg_catalog.internal) RETURNS @extschema@.clv_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 150;
COMMENT ON FUNCTION clv_internal.clv_history_recv(pg_catalog.internal) IS
	'reads the binary form of a history; only bytes that the aggregate could have made are accepted';

CREATE FUNCTION clv_internal.clv_history_send(@extschema@.clv_history) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION clv_internal.clv_history_send(@extschema@.clv_history) IS
	'the binary form of a history, the same on every machine';

CREATE TYPE @extschema@.clv_history (
	INPUT = clv_internal.clv_history_in,
	OUTPUT = clv_internal.clv_history_out,
	RECEIVE = clv_internal.clv_history_recv,
	SEND = clv_internal.clv_history_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.clv_history IS
	'purchase history of one customer: per day the net amount, whether anything was bought, and how many amounts are '
	'unknown';

CREATE CAST (@extschema@.clv_history AS pg_catalog.jsonb) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.clv_history AS pg_catalog.jsonb) IS 'the text form of the history, which is JSON';
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_history) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_history) IS 'reads what the cast to jsonb has written';

%canonical clv_history 1 3 histories

CREATE FUNCTION clv_internal.clv_history_concat(@extschema@.clv_history, @extschema@.clv_history)
	RETURNS @extschema@.clv_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 120;
COMMENT ON FUNCTION clv_internal.clv_history_concat(@extschema@.clv_history, @extschema@.clv_history) IS
	'the transactions of both histories in one; their occasions must be equal';

CREATE OPERATOR @extschema@.|| (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = clv_internal.clv_history_concat,
	COMMUTATOR = OPERATOR(@extschema@.||)
);
COMMENT ON OPERATOR @extschema@.|| (@extschema@.clv_history, @extschema@.clv_history) IS
	'the transactions of both histories in one; their occasions must be equal';
