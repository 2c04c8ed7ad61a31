-- comparison of a canonical type: for DISTINCT, GROUP BY and indexes; the order itself means nothing
-- filled in by the Makefile for each line "%canonical TYPE COST SEEDED_COST MANY" of a module: COST is that of
-- comparing and hashing, SEEDED_COST that of hashing with a seed, MANY a word for several values of the type

CREATE FUNCTION clv_internal.%type%_eq(@extschema@.%type%, @extschema@.%type%) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST %cost%;
COMMENT ON FUNCTION clv_internal.%type%_eq(@extschema@.%type%, @extschema@.%type%) IS 'implementation of = operator';
CREATE FUNCTION clv_internal.%type%_ne(@extschema@.%type%, @extschema@.%type%) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST %cost%;
COMMENT ON FUNCTION clv_internal.%type%_ne(@extschema@.%type%, @extschema@.%type%) IS 'implementation of <> operator';
CREATE FUNCTION clv_internal.%type%_lt(@extschema@.%type%, @extschema@.%type%) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST %cost%;
COMMENT ON FUNCTION clv_internal.%type%_lt(@extschema@.%type%, @extschema@.%type%) IS 'implementation of < operator';
CREATE FUNCTION clv_internal.%type%_le(@extschema@.%type%, @extschema@.%type%) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST %cost%;
COMMENT ON FUNCTION clv_internal.%type%_le(@extschema@.%type%, @extschema@.%type%) IS 'implementation of <= operator';
CREATE FUNCTION clv_internal.%type%_gt(@extschema@.%type%, @extschema@.%type%) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST %cost%;
COMMENT ON FUNCTION clv_internal.%type%_gt(@extschema@.%type%, @extschema@.%type%) IS 'implementation of > operator';
CREATE FUNCTION clv_internal.%type%_ge(@extschema@.%type%, @extschema@.%type%) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST %cost%;
COMMENT ON FUNCTION clv_internal.%type%_ge(@extschema@.%type%, @extschema@.%type%) IS 'implementation of >= operator';
CREATE FUNCTION clv_internal.%type%_cmp(@extschema@.%type%, @extschema@.%type%) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST %cost%;
COMMENT ON FUNCTION clv_internal.%type%_cmp(@extschema@.%type%, @extschema@.%type%) IS
	'order of %many% for sorting, without meaning: -1, 0 or 1';
CREATE FUNCTION clv_internal.%type%_hash(@extschema@.%type%) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST %cost%;
COMMENT ON FUNCTION clv_internal.%type%_hash(@extschema@.%type%) IS 'hash: equal %many% have equal ones';
CREATE FUNCTION clv_internal.%type%_hash_extended(@extschema@.%type%, pg_catalog.int8) RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST %seeded_cost%;
COMMENT ON FUNCTION clv_internal.%type%_hash_extended(@extschema@.%type%, pg_catalog.int8) IS
	'64-bit hash with a seed: equal %many% have equal ones';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.%type%, RIGHTARG = @extschema@.%type%, FUNCTION = clv_internal.%type%_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR @extschema@.= (@extschema@.%type%, @extschema@.%type%) IS
	'whether two %many% are the same to the byte';
CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.%type%, RIGHTARG = @extschema@.%type%, FUNCTION = clv_internal.%type%_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.%type%, @extschema@.%type%) IS 'whether two %many% differ';
CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.%type%, RIGHTARG = @extschema@.%type%, FUNCTION = clv_internal.%type%_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
COMMENT ON OPERATOR @extschema@.< (@extschema@.%type%, @extschema@.%type%) IS
	'order of %many% for sorting, without meaning: before';
CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.%type%, RIGHTARG = @extschema@.%type%, FUNCTION = clv_internal.%type%_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.%type%, @extschema@.%type%) IS
	'order of %many% for sorting, without meaning: before or equal';
CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.%type%, RIGHTARG = @extschema@.%type%, FUNCTION = clv_internal.%type%_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
COMMENT ON OPERATOR @extschema@.> (@extschema@.%type%, @extschema@.%type%) IS
	'order of %many% for sorting, without meaning: after';
CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.%type%, RIGHTARG = @extschema@.%type%, FUNCTION = clv_internal.%type%_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.%type%, @extschema@.%type%) IS
	'order of %many% for sorting, without meaning: after or equal';

CREATE OPERATOR CLASS @extschema@.%type%_ops DEFAULT FOR TYPE @extschema@.%type% USING btree AS
	OPERATOR 1 @extschema@.<, OPERATOR 2 @extschema@.<=, OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=, OPERATOR 5 @extschema@.>,
	FUNCTION 1 clv_internal.%type%_cmp(@extschema@.%type%, @extschema@.%type%);
CREATE OPERATOR CLASS @extschema@.%type%_ops DEFAULT FOR TYPE @extschema@.%type% USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 clv_internal.%type%_hash(@extschema@.%type%),
	FUNCTION 2 clv_internal.%type%_hash_extended(@extschema@.%type%, pg_catalog.int8);
