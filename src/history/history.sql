-- history: one customer's purchase occasions, as a value

CREATE TYPE @extschema@.clv_history;

CREATE FUNCTION @extschema@.clv_history_in(pg_catalog.cstring) RETURNS @extschema@.clv_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.clv_history_in(pg_catalog.cstring) IS
	'reads the text form of a history; the same under every setting; anything else is an error';

CREATE FUNCTION @extschema@.clv_history_out(@extschema@.clv_history) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 150;
COMMENT ON FUNCTION @extschema@.clv_history_out(@extschema@.clv_history) IS
	'the text form of a history: JSON, exact, the same under every setting';

CREATE FUNCTION @extschema@.clv_history_recv(pg_catalog.internal) RETURNS @extschema@.clv_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 150;
COMMENT ON FUNCTION @extschema@.clv_history_recv(pg_catalog.internal) IS
	'reads the binary form of a history; only bytes that the aggregate could have made are accepted';

CREATE FUNCTION @extschema@.clv_history_send(@extschema@.clv_history) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION @extschema@.clv_history_send(@extschema@.clv_history) IS
	'the binary form of a history, the same on every machine';

CREATE TYPE @extschema@.clv_history (
	INPUT = @extschema@.clv_history_in,
	OUTPUT = @extschema@.clv_history_out,
	RECEIVE = @extschema@.clv_history_recv,
	SEND = @extschema@.clv_history_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.clv_history IS
	'purchase history of one customer: per day the net amount, whether anything was bought, and how many amounts are unknown';

CREATE CAST (@extschema@.clv_history AS pg_catalog.jsonb) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.clv_history AS pg_catalog.jsonb) IS 'the text form of the history, which is JSON';
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_history) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_history) IS 'reads what the cast to jsonb has written';

CREATE FUNCTION @extschema@.clv_history_eq(@extschema@.clv_history, @extschema@.clv_history)
	RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.clv_history_eq(@extschema@.clv_history, @extschema@.clv_history) IS
	'whether two histories hold the same transactions';

CREATE FUNCTION @extschema@.clv_history_ne(@extschema@.clv_history, @extschema@.clv_history)
	RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.clv_history_ne(@extschema@.clv_history, @extschema@.clv_history) IS
	'whether two histories differ';

CREATE FUNCTION @extschema@.clv_history_lt(@extschema@.clv_history, @extschema@.clv_history)
	RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.clv_history_lt(@extschema@.clv_history, @extschema@.clv_history) IS
	'order of histories for sorting, without meaning: before';

CREATE FUNCTION @extschema@.clv_history_le(@extschema@.clv_history, @extschema@.clv_history)
	RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.clv_history_le(@extschema@.clv_history, @extschema@.clv_history) IS
	'order of histories for sorting, without meaning: before or equal';

CREATE FUNCTION @extschema@.clv_history_gt(@extschema@.clv_history, @extschema@.clv_history)
	RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.clv_history_gt(@extschema@.clv_history, @extschema@.clv_history) IS
	'order of histories for sorting, without meaning: after';

CREATE FUNCTION @extschema@.clv_history_ge(@extschema@.clv_history, @extschema@.clv_history)
	RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.clv_history_ge(@extschema@.clv_history, @extschema@.clv_history) IS
	'order of histories for sorting, without meaning: after or equal';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = @extschema@.clv_history_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR @extschema@.= (@extschema@.clv_history, @extschema@.clv_history) IS 'whether two histories hold the same transactions';

CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = @extschema@.clv_history_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.clv_history, @extschema@.clv_history) IS 'whether two histories differ';

CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = @extschema@.clv_history_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR @extschema@.< (@extschema@.clv_history, @extschema@.clv_history) IS 'order of histories for sorting, without meaning: before';

CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = @extschema@.clv_history_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.clv_history, @extschema@.clv_history) IS 'order of histories for sorting, without meaning: before or equal';

CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = @extschema@.clv_history_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR @extschema@.> (@extschema@.clv_history, @extschema@.clv_history) IS 'order of histories for sorting, without meaning: after';

CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = @extschema@.clv_history_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.clv_history, @extschema@.clv_history) IS 'order of histories for sorting, without meaning: after or equal';

CREATE FUNCTION @extschema@.clv_history_cmp(@extschema@.clv_history, @extschema@.clv_history)
	RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.clv_history_cmp(@extschema@.clv_history, @extschema@.clv_history) IS
	'order of histories for sorting, without meaning: -1, 0 or 1';

CREATE FUNCTION @extschema@.clv_history_hash(@extschema@.clv_history) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.clv_history_hash(@extschema@.clv_history) IS
	'hash of a history: equal histories have equal ones';

CREATE FUNCTION @extschema@.clv_history_hash_extended(@extschema@.clv_history, pg_catalog.int8)
	RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION @extschema@.clv_history_hash_extended(@extschema@.clv_history, pg_catalog.int8) IS
	'64-bit hash of a history with a seed';

CREATE OPERATOR CLASS @extschema@.clv_history_btree_ops DEFAULT FOR TYPE @extschema@.clv_history USING btree AS
	OPERATOR 1 @extschema@.<, OPERATOR 2 @extschema@.<=, OPERATOR 3 @extschema@.=, OPERATOR 4 @extschema@.>=, OPERATOR 5 @extschema@.>,
	FUNCTION 1 @extschema@.clv_history_cmp(@extschema@.clv_history, @extschema@.clv_history);

CREATE OPERATOR CLASS @extschema@.clv_history_hash_ops DEFAULT FOR TYPE @extschema@.clv_history USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 @extschema@.clv_history_hash(@extschema@.clv_history),
	FUNCTION 2 @extschema@.clv_history_hash_extended(@extschema@.clv_history, pg_catalog.int8);

CREATE FUNCTION @extschema@.clv_history_concat(@extschema@.clv_history, @extschema@.clv_history)
	RETURNS @extschema@.clv_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 120;
COMMENT ON FUNCTION @extschema@.clv_history_concat(@extschema@.clv_history, @extschema@.clv_history) IS
	'the transactions of both histories in one; their occasions must be equal';

CREATE OPERATOR @extschema@.|| (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = @extschema@.clv_history_concat,
	COMMUTATOR = OPERATOR(@extschema@.||)
);
COMMENT ON OPERATOR @extschema@.|| (@extschema@.clv_history, @extschema@.clv_history) IS
	'the transactions of both histories in one; their occasions must be equal';
