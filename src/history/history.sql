-- history: one customer's purchase occasions, as a value

CREATE TYPE clv_history;

CREATE FUNCTION clv_history_in(cstring) RETURNS clv_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION clv_history_out(clv_history) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION clv_history_recv(internal) RETURNS clv_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION clv_history_send(clv_history) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE clv_history (
	INPUT = clv_history_in,
	OUTPUT = clv_history_out,
	RECEIVE = clv_history_recv,
	SEND = clv_history_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE clv_history IS
	'purchase history of one customer: per day the net amount, whether anything was bought, and how many amounts are unknown';

CREATE CAST (clv_history AS jsonb) WITH INOUT AS ASSIGNMENT;
CREATE CAST (jsonb AS clv_history) WITH INOUT AS ASSIGNMENT;

CREATE FUNCTION clv_history_eq(clv_history, clv_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR = (
	LEFTARG = clv_history, RIGHTARG = clv_history, FUNCTION = clv_history_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (clv_history, clv_history) IS 'equal: the same transactions';

CREATE FUNCTION clv_history_ne(clv_history, clv_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR <> (
	LEFTARG = clv_history, RIGHTARG = clv_history, FUNCTION = clv_history_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (clv_history, clv_history) IS 'not equal';

CREATE FUNCTION clv_history_lt(clv_history, clv_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR < (
	LEFTARG = clv_history, RIGHTARG = clv_history, FUNCTION = clv_history_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (clv_history, clv_history) IS 'before, in an order without meaning';

CREATE FUNCTION clv_history_le(clv_history, clv_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR <= (
	LEFTARG = clv_history, RIGHTARG = clv_history, FUNCTION = clv_history_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (clv_history, clv_history) IS 'before or equal, in an order without meaning';

CREATE FUNCTION clv_history_gt(clv_history, clv_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR > (
	LEFTARG = clv_history, RIGHTARG = clv_history, FUNCTION = clv_history_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (clv_history, clv_history) IS 'after, in an order without meaning';

CREATE FUNCTION clv_history_ge(clv_history, clv_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE OPERATOR >= (
	LEFTARG = clv_history, RIGHTARG = clv_history, FUNCTION = clv_history_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (clv_history, clv_history) IS 'after or equal, in an order without meaning';

CREATE FUNCTION clv_history_cmp(clv_history, clv_history) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION clv_history_hash(clv_history) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION clv_history_hash_extended(clv_history, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR CLASS clv_history_btree_ops DEFAULT FOR TYPE clv_history USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 clv_history_cmp(clv_history, clv_history);

CREATE OPERATOR CLASS clv_history_hash_ops DEFAULT FOR TYPE clv_history USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 clv_history_hash(clv_history),
	FUNCTION 2 clv_history_hash_extended(clv_history, bigint);

CREATE FUNCTION clv_history_concat(clv_history, clv_history) RETURNS clv_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE OPERATOR || (
	LEFTARG = clv_history, RIGHTARG = clv_history, FUNCTION = clv_history_concat, COMMUTATOR = ||
);
COMMENT ON OPERATOR || (clv_history, clv_history) IS
	'the transactions of both histories in one; their occasions must be equal';
