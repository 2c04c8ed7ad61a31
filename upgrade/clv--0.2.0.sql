-- complain if the script is sourced in psql rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION clv" to load this file. \quit

-- Operators and functions in bodies between BEGIN ATOMIC and END, and after RETURN, are looked up here and now, once
-- and for all: in pg_catalog alone, whatever is in the schema of the extension.
SET LOCAL search_path = pg_catalog, pg_temp;


-- The schema of the objects that users do not call. Only the owner of the extension may create objects in it.
CREATE SCHEMA clv_internal;
GRANT USAGE ON SCHEMA clv_internal TO PUBLIC;
COMMENT ON SCHEMA clv_internal IS
	'parts of the extension clv that are not meant to be called directly and may change in any version';
-- ---- what the quick look, validation and pipelines have in common: errors, arguments, statements -------
--
-- Bodies in BEGIN ATOMIC, and after RETURN, are bound to pg_catalog when the extension is created; those with SET
-- search_path are looked up in pg_catalog alone. Only what reads the caller's text runs with the caller's search_path.

-- Raises an error with this message, detail, hint (NULL: none) and SQLSTATE.
CREATE FUNCTION clv_internal.clv_raise(
	message pg_catalog.text, detail pg_catalog.text, hint pg_catalog.text, code pg_catalog.text)
	RETURNS pg_catalog.void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_raise(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'raises an error with the detail and the hint that are not NULL, code being an SQLSTATE or its name, without the '
	'CONTEXT lines of the functions that called it. A part of the quick look, of validation and of pipelines';

-- Raises an error with this message, of an invalid argument.
CREATE FUNCTION clv_internal.clv_raise(message pg_catalog.text) RETURNS pg_catalog.void
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
RETURN clv_internal.clv_raise(message, NULL::text, NULL::text, 'invalid_parameter_value'::text);
COMMENT ON FUNCTION clv_internal.clv_raise(pg_catalog.text) IS
	'raises an error of an invalid argument that explains itself. A part of the quick look, of validation and of '
	'pipelines';

-- The day; an error that names its argument if it is infinite. NULL if it is NULL.
CREATE FUNCTION clv_internal.clv_argument_date(argument pg_catalog.text, day pg_catalog.date)
	RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_argument_date(pg_catalog.text, pg_catalog.date) IS
	'the day; an error that names the argument it was given as where it is infinite. A part of the quick look and of '
	'validation';

-- The interval; an error that names its argument if it is infinite or not a whole number of days. NULL if it is NULL.
CREATE FUNCTION clv_internal.clv_argument_span(argument pg_catalog.text, span pg_catalog.interval)
	RETURNS pg_catalog.interval
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_argument_span(pg_catalog.text, pg_catalog.interval) IS
	'the interval; an error that names the argument it was given as where it is infinite, or has a part of a day, such '
	'as a number without a unit, which counts seconds. A part of the quick look, of validation and of pipelines';

-- Raises a WARNING, once a statement, of a discount rate or a margin that looks like percent.
CREATE FUNCTION clv_internal.clv_argument_rates(discount_rate pg_catalog.float8, margin pg_catalog.float8)
	RETURNS pg_catalog.void
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_argument_rates(pg_catalog.float8, pg_catalog.float8) IS
	'warns of a discount rate or a margin that looks like percent, once a statement. A part of pipelines';

-- The quotient of two numbers; NULL if the second is zero or not finite. Not strict, or it could not be inlined.
CREATE FUNCTION clv_internal.clv_ratio(number pg_catalog.float8, by_number pg_catalog.float8) RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
RETURN CASE WHEN by_number <> 0::float8 AND abs(by_number) < 'Infinity'::float8 THEN number / by_number END;
COMMENT ON FUNCTION clv_internal.clv_ratio(pg_catalog.float8, pg_catalog.float8) IS
	'the first number divided by the second; NULL where that is zero or not finite. A part of the quick look and of '
	'validation';

-- The pieces of a template in their order: m[1] as it stands, or NULL for a hole, {...} of this pattern, whose groups
-- are m[2] and so on. One pass, so that whatever is filled in is not read again.
CREATE FUNCTION clv_internal.clv_template(template pg_catalog.text, hole pg_catalog.text)
RETURNS TABLE (m pg_catalog.text[], n pg_catalog.int8)
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 ROWS 20
BEGIN ATOMIC
	SELECT CASE WHEN t.m[2] = 'extschema' THEN ARRAY['@extschema@'] ELSE t.m END, t.n
	FROM regexp_matches(CASE
			-- a name of the schema that has to be quoted may look as if it had holes
			WHEN '@extschema@' LIKE '"%' THEN replace(template, '@extschema@', '{extschema}')
			ELSE template
		END, E'([^{]+|\\{|$)|\\{' || hole || E'\\}', 'g') WITH ORDINALITY AS t (m, n);
END;
COMMENT ON FUNCTION clv_internal.clv_template(pg_catalog.text, pg_catalog.text) IS
	'the pieces of a template: text as it stands, or the groups of the pattern of a hole; the hole {extschema} is '
	'the schema of the extension. A part of the quick look, of validation and of pipelines';

-- A statement with its named holes filled in: {name} with a part as it is, {name:I} as an identifier and
-- {name:L} as a literal. A hole without a part stays.
CREATE FUNCTION clv_internal.clv_statement(template pg_catalog.text, parts pg_catalog.jsonb)
RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2000
BEGIN ATOMIC
	SELECT string_agg(CASE
			WHEN t.m[1] IS NOT NULL THEN t.m[1]
			WHEN NOT parts ? t.m[2] THEN concat('{', t.m[2], ':' || t.m[3], '}')
			WHEN t.m[3] = 'I' THEN quote_ident(parts ->> t.m[2])
			WHEN t.m[3] = 'L' THEN quote_nullable(parts ->> t.m[2])
			ELSE parts ->> t.m[2] END, '' ORDER BY t.n)
	FROM clv_internal.clv_template(template, '([a-z_]+)(?::([IL]))?') AS t;
END;
COMMENT ON FUNCTION clv_internal.clv_statement(pg_catalog.text, pg_catalog.jsonb) IS
	'a statement with its holes filled in by the parts of that name, in one pass: {name} as it is, {name:I} as an '
	'identifier, {name:L} as a literal. A part of the quick look and of validation';
-- ---- the table, view or query that the caller names -------------------------------------------------------

-- The relation of a name (NULL if there is none) and the last part of the name; an error if it is not a name.
CREATE FUNCTION clv_internal.clv_source_find(
	source pg_catalog.text,
	OUT relation pg_catalog.regclass,
	OUT last pg_catalog.text
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.clv_source_find(pg_catalog.text) IS
	'the relation of that name, as SQL reads it with the search_path of the caller (NULL where there is none), and the '
	'last part of the name; an error where it is not a name. A part of the quick look';

-- The full name of a table or view of this name in any schema and any case, the visible ones first; NULL if there is
-- none.
CREATE FUNCTION clv_internal.clv_source_similar(name pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 5000
BEGIN ATOMIC
	SELECT format('%I.%I', n.nspname, c.relname)
	FROM pg_class AS c
	JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE lower(c.relname::text) = lower(name)
		AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
	ORDER BY pg_table_is_visible(c.oid) DESC, n.nspname, c.relname
	LIMIT 1;
END;
COMMENT ON FUNCTION clv_internal.clv_source_similar(pg_catalog.text) IS
	'the full name of a table or view of that name in any schema and any case, NULL where there is none: for hints. A '
	'part of the quick look';

-- The full name of a relation, and whether it has rows to read: a table or a view.
CREATE FUNCTION clv_internal.clv_source_full_name(
	relation pg_catalog.regclass,
	OUT name pg_catalog.text,
	OUT readable pg_catalog.bool
) RETURNS record
LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 500
BEGIN ATOMIC
	SELECT format('%I.%I', n.nspname, c.relname), c.relkind IN ('r', 'v', 'm', 'f', 'p')
	FROM pg_class AS c
	JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.oid = relation;
END;
COMMENT ON FUNCTION clv_internal.clv_source_full_name(pg_catalog.regclass) IS
	'the name of a relation with its schema, and whether it is a table or a view. A part of the quick look';

-- The table or view of a name, as SQL reads it with the search_path of the caller, and its full name. Raises an error
-- if there is none, with a similar name as a hint.
CREATE FUNCTION clv_internal.clv_source_relation(
	source pg_catalog.text,
	OUT relation pg_catalog.regclass,
	OUT name pg_catalog.text
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000 AS $$
DECLARE
	last pg_catalog.text;
	readable pg_catalog.bool;
BEGIN
	IF source IS NULL THEN
		PERFORM clv_internal.clv_raise('source must be the name of a table or view, not NULL'::pg_catalog.text,
			NULL::pg_catalog.text,
			NULL::pg_catalog.text,
			'null_value_not_allowed'::pg_catalog.text);
	END IF;
	SELECT f.relation, f.last INTO relation, last FROM clv_internal.clv_source_find(source) AS f;
	IF relation IS NULL THEN
		name := clv_internal.clv_source_similar(last);
		PERFORM clv_internal.clv_raise(pg_catalog.format('table or view "%s" does not exist', source),
			NULL::pg_catalog.text,
			CASE WHEN name IS NOT NULL THEN pg_catalog.format('There is %s.', name)
				WHEN source OPERATOR(pg_catalog.~) '[.]'
				THEN 'Is it in another schema, or has it been renamed or dropped?'
				ELSE pg_catalog.format('Write the name as in SQL, with its schema unless that is in search_path (%s).',
					pg_catalog.current_setting('search_path')) END,
			'undefined_table'::pg_catalog.text);
	END IF;
	SELECT n.name, n.readable INTO name, readable FROM clv_internal.clv_source_full_name(relation) AS n;
	IF NOT readable THEN
		PERFORM clv_internal.clv_raise(pg_catalog.format('"%s" is neither a table nor a view', source),
			NULL::pg_catalog.text,
			NULL::pg_catalog.text,
			'wrong_object_type'::pg_catalog.text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_source_relation(pg_catalog.text) IS
	'the table or view of that name, as SQL reads it with the search_path of the caller, and its full name; an error '
	'where there is none. A part of the quick look';

-- Whether a text is a query rather than the name of a table or view: it begins with SELECT, WITH, VALUES, TABLE or a
-- parenthesis.
CREATE FUNCTION clv_internal.clv_source_is_query(source pg_catalog.text) RETURNS pg_catalog.bool
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 50
RETURN source ~* E'^\\s*(\\(|(select|with|values|table)[\\s(])';
COMMENT ON FUNCTION clv_internal.clv_source_is_query(pg_catalog.text) IS
	'whether a text begins as a query does, not as the name of a table or view. A part of the quick look';

-- A table, view or query as a statement, as an item of FROM, and as messages call it. Raises an error if the name is
-- not one of a table or view.
CREATE FUNCTION clv_internal.clv_source(
	source pg_catalog.text,
	OUT query pg_catalog.text,
	OUT item pg_catalog.text,
	OUT title pg_catalog.text
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000 AS $$
BEGIN
	IF clv_internal.clv_source_is_query(source) THEN
		query := pg_catalog.regexp_replace(source, E'[\\s;]+$', '');
		item := pg_catalog.format(E'(%s\n)', query);
		title := 'the query';
	ELSE
		SELECT pg_catalog.format('SELECT * FROM %s', r.name), r.name, r.relation::pg_catalog.text
		INTO query, item, title
		FROM clv_internal.clv_source_relation(source) AS r;
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_source(pg_catalog.text) IS
	'the name of a table or view, or a query, as a statement, as an item of FROM and as messages call it. A part of '
	'the quick look and of validation';

-- The columns of a query, in their order. The query is not run. Raises an error if it is not one SELECT.
CREATE FUNCTION clv_internal.clv_source_columns(
	query pg_catalog.text,
	OUT name pg_catalog.text,
	OUT type pg_catalog.oid,
	OUT typmod pg_catalog.int4
) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION clv_internal.clv_source_columns(pg_catalog.text) IS
	'the columns of a query, in their order; an error where it is not one SELECT. The query is not run. A part of the '
	'quick look';

-- The number of the column of that name: the very name, or else the name as SQL reads it. Raises an error if there is
-- none, which lists the columns that there are.
CREATE FUNCTION clv_internal.clv_source_pick_column(
	names pg_catalog.text[],
	title pg_catalog.text,
	argument pg_catalog.text,
	name pg_catalog.text
) RETURNS pg_catalog.int4
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 2000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number int4 := array_position(names, name);
BEGIN
	IF name IS NULL THEN
		PERFORM clv_internal.clv_raise(format('%s must be the name of a column, not NULL', argument),
			NULL::text,
			NULL::text,
			'null_value_not_allowed'::text);
	END IF;
	IF number IS NULL AND name ~ '^([[:alpha:]_][[:alnum:]_$]*|"([^"]|"")+")$' THEN
		number := array_position(names, (parse_ident(name))[1]);
	END IF;
	IF number IS NULL THEN
		PERFORM clv_internal.clv_raise(format('column "%s" of %s does not exist', name, title),
			format('It was given as %s.', argument),
			format('Columns of %s are: %s.', title, (SELECT string_agg(quote_ident(c), ', ') FROM unnest(names) AS c)),
			'undefined_column'::text);
	END IF;
	RETURN number;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_source_pick_column(
	pg_catalog.text[], pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the number of the column of that name, exactly or as SQL would read it; an error names the columns there are. A '
	'part of the quick look and of validation';

-- The column of that name in a query, and its type. Raises an error if there is none.
CREATE FUNCTION clv_internal.clv_source_column(
	query pg_catalog.text,
	title pg_catalog.text,
	argument pg_catalog.text,
	name pg_catalog.text,
	OUT column_name pg_catalog.text,
	OUT column_type pg_catalog.oid,
	OUT column_typmod pg_catalog.int4
) RETURNS record
LANGUAGE sql STABLE PARALLEL SAFE COST 5000
BEGIN ATOMIC
	SELECT c.names[p.number], c.types[p.number], c.typmods[p.number]
	FROM (
		SELECT array_agg(q.name ORDER BY q.number) AS names,
			array_agg(q.type ORDER BY q.number) AS types,
			array_agg(q.typmod ORDER BY q.number) AS typmods
		FROM clv_internal.clv_source_columns(query) WITH ORDINALITY AS q (name, type, typmod, number)
	) AS c
	CROSS JOIN LATERAL clv_internal.clv_source_pick_column(c.names, title, argument, name) AS p (number);
END;
COMMENT ON FUNCTION clv_internal.clv_source_column(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the column of that name in a query, exactly or as SQL would read it, and its type; an error names the columns '
	'there are. A part of the quick look and of validation';

-- The column of that name of a table or view, and its type. Raises an error if there is none.
CREATE FUNCTION clv_internal.clv_source_column(
	source pg_catalog.regclass,
	argument pg_catalog.text,
	name pg_catalog.text,
	OUT column_name pg_catalog.text,
	OUT column_type pg_catalog.oid,
	OUT column_typmod pg_catalog.int4
) RETURNS record
LANGUAGE sql STABLE PARALLEL SAFE COST 5000
BEGIN ATOMIC
	SELECT c.column_name, c.column_type, c.column_typmod
	FROM clv_internal.clv_source_column(format('SELECT * FROM %s', source), source::text, argument, name) AS c;
END;
COMMENT ON FUNCTION clv_internal.clv_source_column(pg_catalog.regclass, pg_catalog.text, pg_catalog.text) IS
	'the same of a table or view. A part of pipelines';

-- The type below a domain, or the type itself.
CREATE FUNCTION clv_internal.clv_source_base_type(type pg_catalog.oid) RETURNS pg_catalog.oid
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_source_base_type(pg_catalog.oid) IS
	'the type below a domain, or the type itself. A part of the quick look';

-- Whether values of a type can be cast to one of the types listed: by a cast of its own, or as a text that is read.
CREATE FUNCTION clv_internal.clv_source_can_cast(type pg_catalog.oid, types pg_catalog.regtype[])
RETURNS pg_catalog.bool
LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 500
BEGIN ATOMIC
	SELECT t.typcategory = 'S'
		OR EXISTS (SELECT FROM pg_cast AS c WHERE c.castsource = t.oid AND c.casttarget = ANY (types))
	FROM pg_type AS t
	WHERE t.oid = clv_internal.clv_source_base_type(type);
END;
COMMENT ON FUNCTION clv_internal.clv_source_can_cast(pg_catalog.oid, pg_catalog.regtype[]) IS
	'whether values of a type can be cast to one of the types listed: for hints. A part of the quick look and of '
	'pipelines';

-- The type of a column below its domain. Raises an error unless it is one of those wanted.
CREATE FUNCTION clv_internal.clv_source_check_type(
	title pg_catalog.text,
	column_name pg_catalog.text,
	column_type pg_catalog.oid,
	type_name pg_catalog.text,
	types pg_catalog.regtype[],
	wanted pg_catalog.text,
	hint pg_catalog.text
) RETURNS pg_catalog.regtype
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 2000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	base regtype := clv_internal.clv_source_base_type(column_type)::regtype;
BEGIN
	IF base <> ALL (types) THEN
		PERFORM clv_internal.clv_raise(format('column "%s" of %s is of type %s, not %s',
				column_name, title, type_name, wanted),
			NULL::text,
			hint,
			'datatype_mismatch'::text);
	END IF;
	RETURN base;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_source_check_type(
	pg_catalog.text, pg_catalog.text, pg_catalog.oid, pg_catalog.text, pg_catalog.regtype[], pg_catalog.text,
	pg_catalog.text) IS
	'the type of a column below its domain; an error that says what is wanted unless it is one of those listed. A part '
	'of the quick look and of validation';
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


CREATE FUNCTION clv_internal.clv_history_eq(@extschema@.clv_history, @extschema@.clv_history) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_history_eq(@extschema@.clv_history, @extschema@.clv_history) IS 'implementation of = operator';
CREATE FUNCTION clv_internal.clv_history_ne(@extschema@.clv_history, @extschema@.clv_history) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_history_ne(@extschema@.clv_history, @extschema@.clv_history) IS 'implementation of <> operator';
CREATE FUNCTION clv_internal.clv_history_lt(@extschema@.clv_history, @extschema@.clv_history) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_history_lt(@extschema@.clv_history, @extschema@.clv_history) IS 'implementation of < operator';
CREATE FUNCTION clv_internal.clv_history_le(@extschema@.clv_history, @extschema@.clv_history) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_history_le(@extschema@.clv_history, @extschema@.clv_history) IS 'implementation of <= operator';
CREATE FUNCTION clv_internal.clv_history_gt(@extschema@.clv_history, @extschema@.clv_history) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_history_gt(@extschema@.clv_history, @extschema@.clv_history) IS 'implementation of > operator';
CREATE FUNCTION clv_internal.clv_history_ge(@extschema@.clv_history, @extschema@.clv_history) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_history_ge(@extschema@.clv_history, @extschema@.clv_history) IS 'implementation of >= operator';
CREATE FUNCTION clv_internal.clv_history_cmp(@extschema@.clv_history, @extschema@.clv_history) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_history_cmp(@extschema@.clv_history, @extschema@.clv_history) IS
	'order of histories for sorting, without meaning: -1, 0 or 1';
CREATE FUNCTION clv_internal.clv_history_hash(@extschema@.clv_history) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_history_hash(@extschema@.clv_history) IS 'hash: equal histories have equal ones';
CREATE FUNCTION clv_internal.clv_history_hash_extended(@extschema@.clv_history, pg_catalog.int8) RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION clv_internal.clv_history_hash_extended(@extschema@.clv_history, pg_catalog.int8) IS
	'64-bit hash with a seed: equal histories have equal ones';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = clv_internal.clv_history_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR @extschema@.= (@extschema@.clv_history, @extschema@.clv_history) IS
	'whether two histories are the same to the byte';
CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = clv_internal.clv_history_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.clv_history, @extschema@.clv_history) IS 'whether two histories differ';
CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = clv_internal.clv_history_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
COMMENT ON OPERATOR @extschema@.< (@extschema@.clv_history, @extschema@.clv_history) IS
	'order of histories for sorting, without meaning: before';
CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = clv_internal.clv_history_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.clv_history, @extschema@.clv_history) IS
	'order of histories for sorting, without meaning: before or equal';
CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = clv_internal.clv_history_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
COMMENT ON OPERATOR @extschema@.> (@extschema@.clv_history, @extschema@.clv_history) IS
	'order of histories for sorting, without meaning: after';
CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.clv_history, RIGHTARG = @extschema@.clv_history, FUNCTION = clv_internal.clv_history_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.clv_history, @extschema@.clv_history) IS
	'order of histories for sorting, without meaning: after or equal';

CREATE OPERATOR CLASS @extschema@.clv_history_ops DEFAULT FOR TYPE @extschema@.clv_history USING btree AS
	OPERATOR 1 @extschema@.<, OPERATOR 2 @extschema@.<=, OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=, OPERATOR 5 @extschema@.>,
	FUNCTION 1 clv_internal.clv_history_cmp(@extschema@.clv_history, @extschema@.clv_history);
CREATE OPERATOR CLASS @extschema@.clv_history_ops DEFAULT FOR TYPE @extschema@.clv_history USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 clv_internal.clv_history_hash(@extschema@.clv_history),
	FUNCTION 2 clv_internal.clv_history_hash_extended(@extschema@.clv_history, pg_catalog.int8);

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
-- history: what a history answers

CREATE TYPE @extschema@.clv_rfmtc AS (
	recency pg_catalog.int4,
	frequency pg_catalog.int4,
	monetary pg_catalog.numeric,
	tenure pg_catalog.int4,
	churn pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_rfmtc IS
	'the marketer''s five values: days since the last purchase, number of purchases, total net spend (not a mean), '
	'days since the first purchase, probability to have churned';

CREATE FUNCTION @extschema@.clv_summary(
	history @extschema@.clv_history, as_of pg_catalog.date,
	time_unit pg_catalog.interval DEFAULT '1 week', spend_basis pg_catalog.text DEFAULT 'repeat',
	periods pg_catalog.text DEFAULT 'none',
	OUT x pg_catalog.int4, OUT t_x pg_catalog.float8, OUT t_cal pg_catalog.float8,
	OUT mean_spend pg_catalog.float8)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_summary(
	@extschema@.clv_history, pg_catalog.date, pg_catalog.interval, pg_catalog.text, pg_catalog.text) IS
	'the modeller''s view as of a day, inclusive: x repeat purchases, t_x age at the last one and t_cal age now in '
	'time units, mean_spend of the repeat purchases of known amount (spend_basis ''all'': of the first too; NULL where '
	'there are none); periods ''anniversary'' or ''calendar'': x, t_x and t_cal in whole periods, as bg/bb counts '
	'them; NULLs where the customer does not exist yet';

CREATE FUNCTION @extschema@.rfmtc(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS @extschema@.clv_rfmtc
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION @extschema@.rfmtc(@extschema@.clv_history, pg_catalog.date) IS
	'the marketer''s view as of a day, inclusive: recency, frequency, monetary and tenure, in days and money (monetary '
	'NULL where no amount is known); churn is NULL without a model; NULL where the customer does not exist yet';

CREATE FUNCTION @extschema@.clv_purchases(history @extschema@.clv_history) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_purchases(@extschema@.clv_history) IS
	'number of purchases; refunds are none';

CREATE FUNCTION @extschema@.clv_purchases(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_purchases(@extschema@.clv_history, pg_catalog.date) IS
	'number of purchases up to and including a day; refunds are none';

CREATE FUNCTION @extschema@.clv_first_purchase(history @extschema@.clv_history) RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION @extschema@.clv_first_purchase(@extschema@.clv_history) IS
	'day of the first purchase; NULL without one';

CREATE FUNCTION @extschema@.clv_first_purchase(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION @extschema@.clv_first_purchase(@extschema@.clv_history, pg_catalog.date) IS
	'day of the first purchase; NULL where that is later than as_of';

CREATE FUNCTION @extschema@.clv_last_purchase(history @extschema@.clv_history) RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_last_purchase(@extschema@.clv_history) IS
	'day of the last purchase; NULL without one';

CREATE FUNCTION @extschema@.clv_last_purchase(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_last_purchase(@extschema@.clv_history, pg_catalog.date) IS
	'day of the last purchase up to and including as_of; NULL without one';

CREATE FUNCTION @extschema@.clv_total_spend(history @extschema@.clv_history) RETURNS pg_catalog.numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
COMMENT ON FUNCTION @extschema@.clv_total_spend(@extschema@.clv_history) IS
	'exact sum of the known amounts, refunds included; NULL where none is known';

CREATE FUNCTION @extschema@.clv_total_spend(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
COMMENT ON FUNCTION @extschema@.clv_total_spend(@extschema@.clv_history, pg_catalog.date) IS
	'exact sum of the known amounts up to and including as_of, refunds included; NULL where none is known';

CREATE FUNCTION @extschema@.clv_mean_gap(history @extschema@.clv_history)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_mean_gap(@extschema@.clv_history) IS
	'mean number of days between two purchases that follow each other; NULL with fewer than two purchases';

CREATE FUNCTION @extschema@.clv_mean_gap(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_mean_gap(@extschema@.clv_history, pg_catalog.date) IS
	'mean number of days between two purchases that follow each other, up to and including as_of; NULL with fewer '
	'than two purchases';

CREATE FUNCTION @extschema@.clv_mean_spend(history @extschema@.clv_history)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_mean_spend(@extschema@.clv_history) IS
	'mean value of a purchase: of those of known amount, the first too, net of the refunds that follow them; NULL '
	'where there are none';

CREATE FUNCTION @extschema@.clv_mean_spend(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_mean_spend(@extschema@.clv_history, pg_catalog.date) IS
	'mean value of a purchase: of those of known amount, the first too, net of the refunds that follow them, up '
	'to and including as_of; NULL where there are none';

CREATE FUNCTION @extschema@.clv_purchases_between(history @extschema@.clv_history, since pg_catalog.date,
	until pg_catalog.date)
	RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_purchases_between(@extschema@.clv_history, pg_catalog.date, pg_catalog.date) IS
	'number of purchases after since, up to and including until; error where since is the later';

CREATE FUNCTION @extschema@.clv_spend_between(history @extschema@.clv_history, since pg_catalog.date,
	until pg_catalog.date)
	RETURNS pg_catalog.numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
COMMENT ON FUNCTION @extschema@.clv_spend_between(@extschema@.clv_history, pg_catalog.date, pg_catalog.date) IS
	'exact sum of the known amounts after since, up to and including until, refunds included; NULL where none is '
	'known; error where since is the later';

CREATE FUNCTION @extschema@.clv_purchase_log(
	history @extschema@.clv_history,
	OUT day pg_catalog.date, OUT amount pg_catalog.numeric, OUT purchase pg_catalog.bool,
	OUT unknown pg_catalog.int8)
	RETURNS SETOF pg_catalog.record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200 ROWS 10;
COMMENT ON FUNCTION @extschema@.clv_purchase_log(@extschema@.clv_history) IS
	'the days of a history in order: net of the known amounts (NULL where none is known), whether anything was bought, '
	'how many amounts are unknown; the amounts add up to clv_total_spend';
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
-- history: the histories of all customers at once

CREATE FUNCTION @extschema@.clv_histories(query pg_catalog.text, occasion pg_catalog.int4 DEFAULT 1)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000;
COMMENT ON FUNCTION @extschema@.clv_histories(pg_catalog.text, pg_catalog.int4) IS
	'the history of each customer in the rows of a query, as GROUP BY and clv_history give them, in a third to a half '
	'of the time where there are many. query: one statement that reads, in the order customer (one column or several), '
	'time, amount (may be missing); it runs with the rights and the search_path of the caller. The columns of the '
	'result are named by AS (customer_id integer, history clv_history), with the types that the customer has in the '
	'query. NULL is a customer like others; a customer without any time has a NULL history. occasion: in days. Rows '
	'wait in work_mem x hash_mem_multiplier, and in temporary files beyond that. Parallel workers take part where the '
	'query can be read in parallel; their rows wait in temporary files';
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


CREATE FUNCTION clv_internal.clv_calendar_eq(@extschema@.clv_calendar, @extschema@.clv_calendar) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_calendar_eq(@extschema@.clv_calendar, @extschema@.clv_calendar) IS 'implementation of = operator';
CREATE FUNCTION clv_internal.clv_calendar_ne(@extschema@.clv_calendar, @extschema@.clv_calendar) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_calendar_ne(@extschema@.clv_calendar, @extschema@.clv_calendar) IS 'implementation of <> operator';
CREATE FUNCTION clv_internal.clv_calendar_lt(@extschema@.clv_calendar, @extschema@.clv_calendar) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_calendar_lt(@extschema@.clv_calendar, @extschema@.clv_calendar) IS 'implementation of < operator';
CREATE FUNCTION clv_internal.clv_calendar_le(@extschema@.clv_calendar, @extschema@.clv_calendar) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_calendar_le(@extschema@.clv_calendar, @extschema@.clv_calendar) IS 'implementation of <= operator';
CREATE FUNCTION clv_internal.clv_calendar_gt(@extschema@.clv_calendar, @extschema@.clv_calendar) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_calendar_gt(@extschema@.clv_calendar, @extschema@.clv_calendar) IS 'implementation of > operator';
CREATE FUNCTION clv_internal.clv_calendar_ge(@extschema@.clv_calendar, @extschema@.clv_calendar) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_calendar_ge(@extschema@.clv_calendar, @extschema@.clv_calendar) IS 'implementation of >= operator';
CREATE FUNCTION clv_internal.clv_calendar_cmp(@extschema@.clv_calendar, @extschema@.clv_calendar) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_calendar_cmp(@extschema@.clv_calendar, @extschema@.clv_calendar) IS
	'order of calendars for sorting, without meaning: -1, 0 or 1';
CREATE FUNCTION clv_internal.clv_calendar_hash(@extschema@.clv_calendar) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_calendar_hash(@extschema@.clv_calendar) IS 'hash: equal calendars have equal ones';
CREATE FUNCTION clv_internal.clv_calendar_hash_extended(@extschema@.clv_calendar, pg_catalog.int8) RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_calendar_hash_extended(@extschema@.clv_calendar, pg_catalog.int8) IS
	'64-bit hash with a seed: equal calendars have equal ones';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.clv_calendar, RIGHTARG = @extschema@.clv_calendar, FUNCTION = clv_internal.clv_calendar_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR @extschema@.= (@extschema@.clv_calendar, @extschema@.clv_calendar) IS
	'whether two calendars are the same to the byte';
CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.clv_calendar, RIGHTARG = @extschema@.clv_calendar, FUNCTION = clv_internal.clv_calendar_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.clv_calendar, @extschema@.clv_calendar) IS 'whether two calendars differ';
CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.clv_calendar, RIGHTARG = @extschema@.clv_calendar, FUNCTION = clv_internal.clv_calendar_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
COMMENT ON OPERATOR @extschema@.< (@extschema@.clv_calendar, @extschema@.clv_calendar) IS
	'order of calendars for sorting, without meaning: before';
CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.clv_calendar, RIGHTARG = @extschema@.clv_calendar, FUNCTION = clv_internal.clv_calendar_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.clv_calendar, @extschema@.clv_calendar) IS
	'order of calendars for sorting, without meaning: before or equal';
CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.clv_calendar, RIGHTARG = @extschema@.clv_calendar, FUNCTION = clv_internal.clv_calendar_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
COMMENT ON OPERATOR @extschema@.> (@extschema@.clv_calendar, @extschema@.clv_calendar) IS
	'order of calendars for sorting, without meaning: after';
CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.clv_calendar, RIGHTARG = @extschema@.clv_calendar, FUNCTION = clv_internal.clv_calendar_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.clv_calendar, @extschema@.clv_calendar) IS
	'order of calendars for sorting, without meaning: after or equal';

CREATE OPERATOR CLASS @extschema@.clv_calendar_ops DEFAULT FOR TYPE @extschema@.clv_calendar USING btree AS
	OPERATOR 1 @extschema@.<, OPERATOR 2 @extschema@.<=, OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=, OPERATOR 5 @extschema@.>,
	FUNCTION 1 clv_internal.clv_calendar_cmp(@extschema@.clv_calendar, @extschema@.clv_calendar);
CREATE OPERATOR CLASS @extschema@.clv_calendar_ops DEFAULT FOR TYPE @extschema@.clv_calendar USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 clv_internal.clv_calendar_hash(@extschema@.clv_calendar),
	FUNCTION 2 clv_internal.clv_calendar_hash_extended(@extschema@.clv_calendar, pg_catalog.int8);

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
-- ---- models as values ----------------------------------------------------------------------

CREATE TYPE @extschema@.clv_model;

CREATE FUNCTION clv_internal.clv_model_in(pg_catalog.cstring) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION clv_internal.clv_model_out(@extschema@.clv_model) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION clv_internal.clv_model_recv(pg_catalog.internal) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_internal.clv_model_send(@extschema@.clv_model) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE TYPE @extschema@.clv_model (
	INPUT = clv_internal.clv_model_in,
	OUTPUT = clv_internal.clv_model_out,
	RECEIVE = clv_internal.clv_model_recv,
	SEND = clv_internal.clv_model_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = main
);
COMMENT ON TYPE @extschema@.clv_model IS
	'a fitted or hand-written model: families, parameters, covariance, time unit, as_of, diagnostics; its text form is '
	'JSON';

COMMENT ON FUNCTION clv_internal.clv_model_in(pg_catalog.cstring) IS
	'reads the JSON form of a model; every number is checked, unknown members are errors';
COMMENT ON FUNCTION clv_internal.clv_model_out(@extschema@.clv_model) IS
	'the model as JSON, exact and independent of settings';
COMMENT ON FUNCTION clv_internal.clv_model_recv(pg_catalog.internal) IS
	'reads the binary form of a model; every byte is checked';
COMMENT ON FUNCTION clv_internal.clv_model_send(@extschema@.clv_model) IS
	'the binary form of a model, as it is stored';

CREATE FUNCTION clv_internal.clv_model_to_jsonb(@extschema@.clv_model) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_model_to_jsonb(@extschema@.clv_model) IS
	'the model as jsonb, without loss';
CREATE FUNCTION clv_internal.clv_model_from_jsonb(pg_catalog.jsonb) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_model_from_jsonb(pg_catalog.jsonb) IS
	'the model behind its jsonb form; an error names what is missing, unknown or out of range';

CREATE CAST (@extschema@.clv_model AS pg_catalog.jsonb)
	WITH FUNCTION clv_internal.clv_model_to_jsonb(@extschema@.clv_model);
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_model)
	WITH FUNCTION clv_internal.clv_model_from_jsonb(pg_catalog.jsonb);

COMMENT ON CAST (@extschema@.clv_model AS pg_catalog.jsonb) IS 'the model as jsonb, without loss';
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_model) IS 'the model behind its jsonb form, every member checked';

-- ---- comparison: for DISTINCT, GROUP BY and indexes; the order itself means nothing --------


CREATE FUNCTION clv_internal.clv_model_eq(@extschema@.clv_model, @extschema@.clv_model) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_model_eq(@extschema@.clv_model, @extschema@.clv_model) IS 'implementation of = operator';
CREATE FUNCTION clv_internal.clv_model_ne(@extschema@.clv_model, @extschema@.clv_model) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_model_ne(@extschema@.clv_model, @extschema@.clv_model) IS 'implementation of <> operator';
CREATE FUNCTION clv_internal.clv_model_lt(@extschema@.clv_model, @extschema@.clv_model) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_model_lt(@extschema@.clv_model, @extschema@.clv_model) IS 'implementation of < operator';
CREATE FUNCTION clv_internal.clv_model_le(@extschema@.clv_model, @extschema@.clv_model) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_model_le(@extschema@.clv_model, @extschema@.clv_model) IS 'implementation of <= operator';
CREATE FUNCTION clv_internal.clv_model_gt(@extschema@.clv_model, @extschema@.clv_model) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_model_gt(@extschema@.clv_model, @extschema@.clv_model) IS 'implementation of > operator';
CREATE FUNCTION clv_internal.clv_model_ge(@extschema@.clv_model, @extschema@.clv_model) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_model_ge(@extschema@.clv_model, @extschema@.clv_model) IS 'implementation of >= operator';
CREATE FUNCTION clv_internal.clv_model_cmp(@extschema@.clv_model, @extschema@.clv_model) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_model_cmp(@extschema@.clv_model, @extschema@.clv_model) IS
	'order of models for sorting, without meaning: -1, 0 or 1';
CREATE FUNCTION clv_internal.clv_model_hash(@extschema@.clv_model) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_model_hash(@extschema@.clv_model) IS 'hash: equal models have equal ones';
CREATE FUNCTION clv_internal.clv_model_hash_extended(@extschema@.clv_model, pg_catalog.int8) RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_model_hash_extended(@extschema@.clv_model, pg_catalog.int8) IS
	'64-bit hash with a seed: equal models have equal ones';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.clv_model, RIGHTARG = @extschema@.clv_model, FUNCTION = clv_internal.clv_model_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR @extschema@.= (@extschema@.clv_model, @extschema@.clv_model) IS
	'whether two models are the same to the byte';
CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.clv_model, RIGHTARG = @extschema@.clv_model, FUNCTION = clv_internal.clv_model_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.clv_model, @extschema@.clv_model) IS 'whether two models differ';
CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.clv_model, RIGHTARG = @extschema@.clv_model, FUNCTION = clv_internal.clv_model_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
COMMENT ON OPERATOR @extschema@.< (@extschema@.clv_model, @extschema@.clv_model) IS
	'order of models for sorting, without meaning: before';
CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.clv_model, RIGHTARG = @extschema@.clv_model, FUNCTION = clv_internal.clv_model_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.clv_model, @extschema@.clv_model) IS
	'order of models for sorting, without meaning: before or equal';
CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.clv_model, RIGHTARG = @extschema@.clv_model, FUNCTION = clv_internal.clv_model_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
COMMENT ON OPERATOR @extschema@.> (@extschema@.clv_model, @extschema@.clv_model) IS
	'order of models for sorting, without meaning: after';
CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.clv_model, RIGHTARG = @extschema@.clv_model, FUNCTION = clv_internal.clv_model_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.clv_model, @extschema@.clv_model) IS
	'order of models for sorting, without meaning: after or equal';

CREATE OPERATOR CLASS @extschema@.clv_model_ops DEFAULT FOR TYPE @extschema@.clv_model USING btree AS
	OPERATOR 1 @extschema@.<, OPERATOR 2 @extschema@.<=, OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=, OPERATOR 5 @extschema@.>,
	FUNCTION 1 clv_internal.clv_model_cmp(@extschema@.clv_model, @extschema@.clv_model);
CREATE OPERATOR CLASS @extschema@.clv_model_ops DEFAULT FOR TYPE @extschema@.clv_model USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 clv_internal.clv_model_hash(@extschema@.clv_model),
	FUNCTION 2 clv_internal.clv_model_hash_extended(@extschema@.clv_model, pg_catalog.int8);

-- ---- writing, joining, reading --------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_model(
	family pg_catalog.text,
	params pg_catalog.jsonb,
	time_unit pg_catalog.interval DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.jsonb DEFAULT NULL,
	periods pg_catalog.text DEFAULT NULL,
	calendar @extschema@.clv_calendar DEFAULT NULL
) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_model(
	pg_catalog.text, pg_catalog.jsonb, pg_catalog.interval, pg_catalog.date, pg_catalog.jsonb, pg_catalog.text,
	@extschema@.clv_calendar) IS
	'a model written down by hand, such as a published one: the family, its parameters by name in any order (all of '
	'them, positive), the unit they count time in (ignored for a spend family), the day predictions start from where '
	'they give none, and what covariates do, in the order of their vectors: [{"name": "gender", "purchase": 0.4, '
	'"churn": -0.2}], with "centre" where the parameters hold for another value than 0. periods: of families of '
	'discrete time, ''anniversary'' (the default) or ''calendar''. calendar: the covariates are its own, and change '
	'with the day. NULL family or parameters: NULL';

CREATE FUNCTION clv_internal.clv_model_join(@extschema@.clv_model, @extschema@.clv_model) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_model_join(@extschema@.clv_model, @extschema@.clv_model) IS
	'joins a model of purchases and a model of spend, in either order; an error where both are of one kind or as of '
	'different days';
CREATE OPERATOR @extschema@.|| (
	LEFTARG = @extschema@.clv_model, RIGHTARG = @extschema@.clv_model, FUNCTION = clv_internal.clv_model_join,
	COMMUTATOR = OPERATOR(@extschema@.||));
COMMENT ON OPERATOR @extschema@.|| (@extschema@.clv_model, @extschema@.clv_model) IS
	'a model of purchases and a model of spend, joined';

CREATE FUNCTION @extschema@.clv_parameters(
	model @extschema@.clv_model,
	level pg_catalog.float8 DEFAULT 0.95,
	method pg_catalog.text DEFAULT 'wald',
	OUT name pg_catalog.text,
	OUT estimate pg_catalog.float8,
	OUT std_error pg_catalog.float8,
	OUT lower pg_catalog.float8,
	OUT upper pg_catalog.float8,
	OUT process pg_catalog.text
) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 9;
COMMENT ON FUNCTION @extschema@.clv_parameters(@extschema@.clv_model, pg_catalog.float8, pg_catalog.text) IS
	'the parameters of a model with their standard errors and confidence intervals at the level (0 < level < 1), of'
	' Wald''s kind on the log scale: estimate * exp(+-z * std_error / estimate), for probabilities on the logit '
	'scale; NULL where the fit did not converge or the model carries no covariance, and of a parameter that the fit'
	' did not move. method: ''wald'' or ''profile'', the limits by the profile of the likelihood (with a prior, of '
	'the posterior) that clv_options(profile => level) has a fit keep, at that level; the end of the range, as 0 or'
	' Infinity, where the data exclude no values on that side, NULL also of what is derived. process: transaction, '
	'spend, or of a covariate centre (the value that the other parameters hold for, in a fit the mean), purchase '
	'effect and churn effect (rates are multiplied by exp(effect * (covariate - centre)), intervals are estimate '
	'+-z * std_error); of a covariate that acts on spend, spend centre and spend effect. Rates are of days with '
	'purchases, one a day: of many customers the limits of alpha are off from those of purchases at any time by '
	'more than they are wide';

CREATE FUNCTION @extschema@.clv_effects(
	model @extschema@.clv_model,
	level pg_catalog.float8 DEFAULT 0.95,
	OUT name pg_catalog.text,
	OUT process pg_catalog.text,
	OUT effect pg_catalog.float8,
	OUT std_error pg_catalog.float8,
	OUT lower pg_catalog.float8,
	OUT upper pg_catalog.float8,
	OUT rate_ratio pg_catalog.float8
) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 4;
COMMENT ON FUNCTION @extschema@.clv_effects(@extschema@.clv_model, pg_catalog.float8) IS
	'what covariates do, those of customers and those of a calendar: their effects on the process purchase, churn or '
	'spend, with standard errors and limits at the level (0 < level < 1), NULL where not estimated; a covariate larger '
	'by 1 multiplies the rate, or what a purchase is worth, by rate_ratio, exp(effect); rate_ratio is NULL of effects '
	'on churn in families whose customers leave after purchases. Covariates that were not to act are left out';

CREATE FUNCTION @extschema@.clv_diagnostics(
	model @extschema@.clv_model,
	OUT purchase_model pg_catalog.text,
	OUT customers pg_catalog.int8,
	OUT skipped pg_catalog.int8,
	OUT log_likelihood pg_catalog.float8,
	OUT aic pg_catalog.float8,
	OUT bic pg_catalog.float8,
	OUT iterations pg_catalog.int4,
	OUT converged pg_catalog.bool,
	OUT gradient_norm pg_catalog.float8,
	OUT spend_model pg_catalog.text,
	OUT spend_customers pg_catalog.int8,
	OUT spend_skipped pg_catalog.int8,
	OUT spend_log_likelihood pg_catalog.float8,
	OUT spend_aic pg_catalog.float8,
	OUT spend_bic pg_catalog.float8,
	OUT spend_iterations pg_catalog.int4,
	OUT spend_converged pg_catalog.bool,
	OUT spend_gradient_norm pg_catalog.float8,
	OUT spend_basis pg_catalog.text,
	OUT frequency_spend_correlation pg_catalog.float8,
	OUT as_of pg_catalog.date,
	OUT time_unit pg_catalog.interval,
	OUT occasion pg_catalog.int4,
	OUT candidates pg_catalog.jsonb,
	OUT periods pg_catalog.text,
	OUT returned pg_catalog.int8,
	OUT remark pg_catalog.text,
	OUT prior_distance pg_catalog.float8,
	OUT effective_parameters pg_catalog.float8,
	OUT spend_prior_distance pg_catalog.float8,
	OUT spend_effective_parameters pg_catalog.float8
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_diagnostics(@extschema@.clv_model) IS
	'what a model holds about its own fit: customers fitted and skipped (not yet customers at as_of; for spend, repeat '
	'buyers without a positive known mean), log-likelihood, AIC and BIC (n = customers fitted), iterations, '
	'convergence, length of the last Newton step in standard errors; candidates: of model => auto the families that '
	'were tried, best first (family, log_likelihood, bic, converged); periods: of families of discrete time, '
	'anniversary or calendar; returned: of sbg, customers who paid again after their contract had ended; remark: '
	'reasons to doubt the model (a fit did not converge; parameters whose 95 % limits lie more than 10,000 times '
	'apart, with the limits; a candidate of a better BIC), NULL where there are none; of fits with a prior: the '
	'distance from its mean in its standard deviations, and how many parameters and effects the data determine '
	'(log-likelihoods are without the prior). NULL where the part is missing '
	'or written by hand';

CREATE FUNCTION @extschema@.clv_compare(
	first @extschema@.clv_model,
	second @extschema@.clv_model,
	OUT statistic pg_catalog.float8,
	OUT df pg_catalog.int4,
	OUT p_value pg_catalog.float8,
	OUT delta_aic pg_catalog.float8,
	OUT delta_bic pg_catalog.float8,
	OUT larger pg_catalog.text
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_compare(@extschema@.clv_model, @extschema@.clv_model) IS
	'likelihood-ratio test of two purchase models, in either order, of which one is the other with parameters held '
	'fixed: the same family with more covariates, bdw against sbg, or ggompertz/nbd against pareto/nbd (on '
	'the border of its parameters: the p-value is the mean of the tails with df - 1 and df). larger: which has more '
	'parameters; a small p_value and negative differences of AIC and BIC (larger minus smaller) speak for it. Errors: '
	'models that are not nested, written by hand, or fitted to different customers, as_of, time unit, occasion or '
	'priors. Penalised fits have no such test. Where the purchases are the same fit, the test is that of the spend: '
	'gamma/gamma with more covariates';
-- ---- options: a word, a number or a truth value ------------------------------------------------------------

-- season => 2 and season => 'auto', trend => true and trend => 'auto': one argument takes what an analyst would write.
CREATE TYPE clv_internal.clv_choice;

CREATE FUNCTION clv_internal.clv_choice_in(pg_catalog.cstring) RETURNS clv_internal.clv_choice
	AS 'textin' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_internal.clv_choice_in(pg_catalog.cstring) IS
	'any text, which the reader of the argument checks';
CREATE FUNCTION clv_internal.clv_choice_out(clv_internal.clv_choice) RETURNS pg_catalog.cstring
	AS 'textout' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_internal.clv_choice_out(clv_internal.clv_choice) IS
	'the text that the argument is';
CREATE FUNCTION clv_internal.clv_choice_recv(pg_catalog.internal) RETURNS clv_internal.clv_choice
	AS 'textrecv' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_internal.clv_choice_recv(pg_catalog.internal) IS
	'any text, which the reader of the argument checks';
CREATE FUNCTION clv_internal.clv_choice_send(clv_internal.clv_choice) RETURNS pg_catalog.bytea
	AS 'textsend' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_internal.clv_choice_send(clv_internal.clv_choice) IS
	'the text that the argument is, as it is sent';

CREATE TYPE clv_internal.clv_choice (
	INPUT = clv_internal.clv_choice_in,
	OUTPUT = clv_internal.clv_choice_out,
	RECEIVE = clv_internal.clv_choice_recv,
	SEND = clv_internal.clv_choice_send,
	LIKE = pg_catalog.text
);
COMMENT ON TYPE clv_internal.clv_choice IS
	'an argument that is a word, a number or a truth value: season => ''auto'', season => 2, trend => true';

CREATE CAST (pg_catalog.text AS clv_internal.clv_choice) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (pg_catalog.text AS clv_internal.clv_choice) IS 'a word as an argument of that kind';
CREATE CAST (pg_catalog.varchar AS clv_internal.clv_choice) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (pg_catalog.varchar AS clv_internal.clv_choice) IS 'a word as an argument of that kind';
CREATE CAST (pg_catalog.int4 AS clv_internal.clv_choice) WITH INOUT AS IMPLICIT;
COMMENT ON CAST (pg_catalog.int4 AS clv_internal.clv_choice) IS 'a number as an argument of that kind';
CREATE CAST (pg_catalog.bool AS clv_internal.clv_choice) WITH INOUT AS IMPLICIT;
COMMENT ON CAST (pg_catalog.bool AS clv_internal.clv_choice) IS 'a truth value as an argument of that kind';

CREATE FUNCTION @extschema@.clv_options(
	model pg_catalog.text DEFAULT 'mbg/nbd',
	spend pg_catalog.text DEFAULT 'gamma/gamma',
	time_unit pg_catalog.interval DEFAULT '1 week',
	as_of pg_catalog.date DEFAULT NULL,
	spend_basis pg_catalog.text DEFAULT 'repeat',
	penalty pg_catalog.float8 DEFAULT 0,
	start @extschema@.clv_model DEFAULT NULL,
	max_iterations pg_catalog.int4 DEFAULT NULL,
	covariates pg_catalog.text[] DEFAULT NULL,
	shape_penalty pg_catalog.float8 DEFAULT 0,
	k pg_catalog.int4 DEFAULT NULL,
	grace pg_catalog.interval DEFAULT NULL,
	clamp pg_catalog.bool DEFAULT NULL,
	correlation pg_catalog.bool DEFAULT NULL,
	periods pg_catalog.text DEFAULT NULL,
	too_few pg_catalog.text DEFAULT NULL,
	calendar @extschema@.clv_calendar DEFAULT NULL,
	purchase_covariates pg_catalog.text[] DEFAULT NULL,
	churn_covariates pg_catalog.text[] DEFAULT NULL,
	season clv_internal.clv_choice DEFAULT NULL,
	trend clv_internal.clv_choice DEFAULT NULL,
	same_effects pg_catalog.text[] DEFAULT NULL,
	churn_penalty pg_catalog.float8 DEFAULT NULL,
	prior pg_catalog.jsonb DEFAULT NULL,
	profile pg_catalog.float8 DEFAULT NULL,
	spend_covariates pg_catalog.text[] DEFAULT NULL,
	path_covariates pg_catalog.text[] DEFAULT NULL,
	shock clv_internal.clv_choice DEFAULT NULL
) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_options(
	pg_catalog.text, pg_catalog.text, pg_catalog.interval, pg_catalog.date, pg_catalog.text, pg_catalog.float8,
	@extschema@.clv_model, pg_catalog.int4, pg_catalog.text[], pg_catalog.float8, pg_catalog.int4, pg_catalog.interval,
	pg_catalog.bool, pg_catalog.bool, pg_catalog.text, pg_catalog.text, @extschema@.clv_calendar, pg_catalog.text[],
	pg_catalog.text[], clv_internal.clv_choice, clv_internal.clv_choice, pg_catalog.text[], pg_catalog.float8,
	pg_catalog.jsonb, pg_catalog.float8, pg_catalog.text[], pg_catalog.text[], clv_internal.clv_choice) IS
	'checked options for clv_fit and clv_cells. model: a family of purchase models or ''auto'' (of continuous time, '
	'the best BIC); spend: a family of spend models or ''none''; time_unit: of the parameters, and the period of '
	'families of discrete time (whole months or years, stepped with the calendar, or whole days); as_of: last day to '
	'look at, inclusive (NULL: the last purchase in the data); spend_basis: ''repeat'' or ''all'' purchases; penalty: '
	'ridge on the effects of covariates (log-likelihood / customers - penalty * sum of squares), 0 for none; start: a '
	'model to start from; max_iterations: NULL for the built-in limit; covariates: the names of the covariates that '
	'each row has; shape_penalty: ridge on the logarithms of shape parameters; k: Erlang shape of mbg/cnbd-k, 1 to 8 '
	'(NULL: by likelihood); grace: of sbg and bdw, how late a payment may be; periods: of families of discrete time, '
	'''anniversary'' (of each customer''s first purchase, the default) or ''calendar'' (months, quarters, years, weeks '
	'from Monday); clamp: false leaves the probabilities of rfmtc as they come; correlation: true lets the purchase '
	'and the churn rate of pareto/nbd be correlated (the family pareto/nbd/cor); too_few: ''null'' gives NULL, and not '
	'an error, where customers cannot be fitted, as they are too few or too much alike, and a NOTICE with the number '
	'of such fits; calendar: covariates that are the same for all customers and change with the day; '
	'purchase_covariates, churn_covariates: the names of the covariates, or of the calendar''s, that act on purchases '
	'and on churn (default: all, where the family can); season: yearly harmonics that move the purchase rates, 1 to '
	'6, a level a month (''month''), or what the BIC says (''auto''); trend: true, the purchase rates grow or '
	'fall by a constant percentage a year, or ''auto''; same_effects: names of covariates whose effects on purchases '
	'and on churn are one number; churn_penalty: the penalty on effects on churn, where it is not that on purchases. '
	'prior: what is known of the parameters, from clv_pool or written by hand; profile: the level of limits of '
	'parameters by the profile of the likelihood, which the model keeps for clv_parameters; spend_covariates: the '
	'names of the covariates of customers that multiply what they spend (default: none); path_covariates: '
	'the names of the covariates of the calendar that each customer has (default: those of the first); shock: true, '
	'the fit looks for what moves all customers at once, as clv_shock does, and the model keeps it for the intervals '
	'of totals; ''auto'' (the default), where there are histories in continuous time, with at most ten combinations of '
	'covariates; or false. NULL anywhere: the default';
-- ---- the type --------------------------------------------------------------------------------

CREATE TYPE @extschema@.clv_cells;

CREATE FUNCTION clv_internal.clv_cells_in(pg_catalog.cstring) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION clv_internal.clv_cells_out(@extschema@.clv_cells) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION clv_internal.clv_cells_recv(pg_catalog.internal) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION clv_internal.clv_cells_send(@extschema@.clv_cells) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

CREATE TYPE @extschema@.clv_cells (
	INPUT = clv_internal.clv_cells_in,
	OUTPUT = clv_internal.clv_cells_out,
	RECEIVE = clv_internal.clv_cells_recv,
	SEND = clv_internal.clv_cells_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.clv_cells IS
	'what a fit needs of many customers: how many share a history, and what repeat buyers spent on average; can be '
	'stored, merged and subtracted';

COMMENT ON FUNCTION clv_internal.clv_cells_in(pg_catalog.cstring) IS
	'reads the text form of cells, which is JSON; every number is checked';
COMMENT ON FUNCTION clv_internal.clv_cells_out(@extschema@.clv_cells) IS
	'the cells as JSON, exact and independent of settings; days are counted from 2000-01-01';
COMMENT ON FUNCTION clv_internal.clv_cells_recv(pg_catalog.internal) IS
	'reads the binary form of cells; every byte is checked';
COMMENT ON FUNCTION clv_internal.clv_cells_send(@extschema@.clv_cells) IS
	'the binary form of cells';

CREATE FUNCTION clv_internal.clv_cells_to_jsonb(@extschema@.clv_cells) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_cells_to_jsonb(@extschema@.clv_cells) IS
	'the cells as jsonb, without loss; an error where they are larger than a jsonb can be';
CREATE FUNCTION clv_internal.clv_cells_from_jsonb(pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_cells_from_jsonb(pg_catalog.jsonb) IS
	'the cells behind their jsonb form; every number is checked';

CREATE CAST (@extschema@.clv_cells AS pg_catalog.jsonb)
	WITH FUNCTION clv_internal.clv_cells_to_jsonb(@extschema@.clv_cells);
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_cells)
	WITH FUNCTION clv_internal.clv_cells_from_jsonb(pg_catalog.jsonb);
COMMENT ON CAST (@extschema@.clv_cells AS pg_catalog.jsonb) IS 'the cells as JSON, without loss';
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_cells) IS
	'reads what the cast to jsonb has written; every member is checked';

-- ---- comparison: for DISTINCT, GROUP BY and indexes; the order itself means nothing ----------


CREATE FUNCTION clv_internal.clv_cells_eq(@extschema@.clv_cells, @extschema@.clv_cells) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_eq(@extschema@.clv_cells, @extschema@.clv_cells) IS 'implementation of = operator';
CREATE FUNCTION clv_internal.clv_cells_ne(@extschema@.clv_cells, @extschema@.clv_cells) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_ne(@extschema@.clv_cells, @extschema@.clv_cells) IS 'implementation of <> operator';
CREATE FUNCTION clv_internal.clv_cells_lt(@extschema@.clv_cells, @extschema@.clv_cells) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_lt(@extschema@.clv_cells, @extschema@.clv_cells) IS 'implementation of < operator';
CREATE FUNCTION clv_internal.clv_cells_le(@extschema@.clv_cells, @extschema@.clv_cells) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_le(@extschema@.clv_cells, @extschema@.clv_cells) IS 'implementation of <= operator';
CREATE FUNCTION clv_internal.clv_cells_gt(@extschema@.clv_cells, @extschema@.clv_cells) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_gt(@extschema@.clv_cells, @extschema@.clv_cells) IS 'implementation of > operator';
CREATE FUNCTION clv_internal.clv_cells_ge(@extschema@.clv_cells, @extschema@.clv_cells) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_ge(@extschema@.clv_cells, @extschema@.clv_cells) IS 'implementation of >= operator';
CREATE FUNCTION clv_internal.clv_cells_cmp(@extschema@.clv_cells, @extschema@.clv_cells) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_cmp(@extschema@.clv_cells, @extschema@.clv_cells) IS
	'order of cells for sorting, without meaning: -1, 0 or 1';
CREATE FUNCTION clv_internal.clv_cells_hash(@extschema@.clv_cells) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_hash(@extschema@.clv_cells) IS 'hash: equal cells have equal ones';
CREATE FUNCTION clv_internal.clv_cells_hash_extended(@extschema@.clv_cells, pg_catalog.int8) RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_hash_extended(@extschema@.clv_cells, pg_catalog.int8) IS
	'64-bit hash with a seed: equal cells have equal ones';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.clv_cells, RIGHTARG = @extschema@.clv_cells, FUNCTION = clv_internal.clv_cells_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR @extschema@.= (@extschema@.clv_cells, @extschema@.clv_cells) IS
	'whether two cells are the same to the byte';
CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.clv_cells, RIGHTARG = @extschema@.clv_cells, FUNCTION = clv_internal.clv_cells_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.clv_cells, @extschema@.clv_cells) IS 'whether two cells differ';
CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.clv_cells, RIGHTARG = @extschema@.clv_cells, FUNCTION = clv_internal.clv_cells_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
COMMENT ON OPERATOR @extschema@.< (@extschema@.clv_cells, @extschema@.clv_cells) IS
	'order of cells for sorting, without meaning: before';
CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.clv_cells, RIGHTARG = @extschema@.clv_cells, FUNCTION = clv_internal.clv_cells_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.clv_cells, @extschema@.clv_cells) IS
	'order of cells for sorting, without meaning: before or equal';
CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.clv_cells, RIGHTARG = @extschema@.clv_cells, FUNCTION = clv_internal.clv_cells_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
COMMENT ON OPERATOR @extschema@.> (@extschema@.clv_cells, @extschema@.clv_cells) IS
	'order of cells for sorting, without meaning: after';
CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.clv_cells, RIGHTARG = @extschema@.clv_cells, FUNCTION = clv_internal.clv_cells_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.clv_cells, @extschema@.clv_cells) IS
	'order of cells for sorting, without meaning: after or equal';

CREATE OPERATOR CLASS @extschema@.clv_cells_ops DEFAULT FOR TYPE @extschema@.clv_cells USING btree AS
	OPERATOR 1 @extschema@.<, OPERATOR 2 @extschema@.<=, OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=, OPERATOR 5 @extschema@.>,
	FUNCTION 1 clv_internal.clv_cells_cmp(@extschema@.clv_cells, @extschema@.clv_cells);
CREATE OPERATOR CLASS @extschema@.clv_cells_ops DEFAULT FOR TYPE @extschema@.clv_cells USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 clv_internal.clv_cells_hash(@extschema@.clv_cells),
	FUNCTION 2 clv_internal.clv_cells_hash_extended(@extschema@.clv_cells, pg_catalog.int8);

-- ---- counting and merging --------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history) IS
	'the cells with one more customer; NULL cells: new ones with default options; NULL history: unchanged';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history,
	pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb) IS
	'the cells with one more customer; the options (clv_options) must be those of the cells. NULL cells: new ones; '
	'NULL history: unchanged; NULL options: the defaults';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb,
	covariates pg_catalog.float8[]) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[]) IS
	'the cells with one more customer and their covariates, a finite number for each name in the options '
	'(clv_options), in their order';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb,
	path @extschema@.clv_calendar) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_path_row' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb, @extschema@.clv_calendar) IS
	'the cells with one more customer and their path, a calendar of their own from the first purchase to as_of';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb,
	covariates pg_catalog.float8[], path @extschema@.clv_calendar) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_path_row' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, @extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[],
	@extschema@.clv_calendar) IS
	'the cells with one more customer, their covariates and their path, a calendar of their own';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, x pg_catalog.float8, t_x pg_catalog.float8,
	t_cal pg_catalog.float8, mean_spend pg_catalog.float8) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_summary' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'the cells with one more customer, given as x repeat purchases, age t_x at the last and t_cal now, in the time '
	'unit of the options, and the mean spend (NULL: not known). NULL x, t_x and t_cal: unchanged';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, x pg_catalog.float8, t_x pg_catalog.float8,
	t_cal pg_catalog.float8, mean_spend pg_catalog.float8, pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_summary' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.jsonb) IS
	'the cells with one more customer, given as x, t_x, t_cal and mean spend; the options (clv_options) must be those '
	'of the cells';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, x pg_catalog.float8, t_x pg_catalog.float8,
	t_cal pg_catalog.float8, mean_spend pg_catalog.float8, pg_catalog.jsonb,
	covariates pg_catalog.float8[]) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_summary' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.jsonb,
	pg_catalog.float8[]) IS
	'the cells with one more customer, given as x, t_x, t_cal and mean spend, and their covariates, a finite number '
	'for each name in the options (clv_options)';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, x pg_catalog.float8, t_x pg_catalog.float8,
	t_cal pg_catalog.float8, mean_spend pg_catalog.float8, outcome pg_catalog.bool,
	pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_outcome' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.bool,
	pg_catalog.jsonb) IS
	'the cells with one more customer, given as x, t_x, t_cal, mean spend and whether they bought in the period after '
	't_cal; for supervised families (rfmtc)';
CREATE FUNCTION clv_internal.clv_cells_add(@extschema@.clv_cells, renewals pg_catalog.int8, ended pg_catalog.bool,
	customers pg_catalog.int8, pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_add_contracts' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cells_add(
	@extschema@.clv_cells, pg_catalog.int8, pg_catalog.bool, pg_catalog.int8, pg_catalog.jsonb) IS
	'the cells with so many more customers who have renewed so often, and whose contracts have ended after that or '
	'not; for families of contracts (sbg, bdw)';
CREATE FUNCTION clv_internal.clv_cells_merge(@extschema@.clv_cells, @extschema@.clv_cells) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_cells_merge(@extschema@.clv_cells, @extschema@.clv_cells) IS
	'the customers of both; NULL: the other. An error where as_of, time unit, occasion, spend basis or other options '
	'differ';
CREATE FUNCTION clv_internal.clv_cells_merge(@extschema@.clv_cells, @extschema@.clv_cells,
	pg_catalog.jsonb) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME', 'clv_cells_merge_options' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_cells_merge(@extschema@.clv_cells, @extschema@.clv_cells, pg_catalog.jsonb) IS
	'the customers of both, to be fitted with these options; an error where they contradict what the second cells were '
	'counted with';
CREATE FUNCTION clv_internal.clv_cells_subtract(@extschema@.clv_cells,
	@extschema@.clv_cells) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_cells_subtract(@extschema@.clv_cells, @extschema@.clv_cells) IS
	'the customers of the first cells that are not in the second; an error where the second hold more than the first, '
	'or were counted differently';
CREATE OPERATOR @extschema@.- (
	LEFTARG = @extschema@.clv_cells, RIGHTARG = @extschema@.clv_cells, FUNCTION = clv_internal.clv_cells_subtract);
COMMENT ON OPERATOR @extschema@.- (@extschema@.clv_cells, @extschema@.clv_cells) IS 'take customers out again';
CREATE FUNCTION clv_internal.clv_cells_plus(@extschema@.clv_cells, @extschema@.clv_cells) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_cells_plus(@extschema@.clv_cells, @extschema@.clv_cells) IS
	'the customers of both cells, the same as clv_cells_rollup makes of the two, in one pass over both; an error where '
	'they were counted differently, or have other options';
CREATE OPERATOR @extschema@.+ (
	LEFTARG = @extschema@.clv_cells, RIGHTARG = @extschema@.clv_cells, FUNCTION = clv_internal.clv_cells_plus,
	COMMUTATOR = OPERATOR(@extschema@.+));
COMMENT ON OPERATOR @extschema@.+ (@extschema@.clv_cells, @extschema@.clv_cells) IS 'the customers of both';

CREATE FUNCTION clv_internal.clv_cells_final(@extschema@.clv_cells) RETURNS @extschema@.clv_cells
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_cells_final(@extschema@.clv_cells) IS
	'the state of an aggregate as cells that can be stored; what every clv_cells does at its end';

-- ---- aggregates ------------------------------------------------------------------------------

CREATE AGGREGATE @extschema@.clv_cells(history @extschema@.clv_history) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(@extschema@.clv_history) IS
	'counts customers for a fit with the default options; NULL histories are ignored, none at all: NULL';
CREATE AGGREGATE @extschema@.clv_cells(history @extschema@.clv_history, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(@extschema@.clv_history, pg_catalog.jsonb) IS
	'counts customers for a fit with these options (clv_options), which must be the same in all rows; customers who '
	'first bought after as_of are skipped and counted as such';
CREATE AGGREGATE @extschema@.clv_cells(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'counts customers for a fit, given as summaries: x repeat purchases, age t_x at the last one, age t_cal, both in '
	'weeks since the first, mean_spend of the repeat purchases (NULL: not known)';
CREATE AGGREGATE @extschema@.clv_cells(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.jsonb) IS
	'counts customers for a fit with these options, given as summaries; times are in the time unit of the options';
CREATE AGGREGATE @extschema@.clv_cells(history @extschema@.clv_history, options pg_catalog.jsonb,
	covariates pg_catalog.float8[]) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(@extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[]) IS
	'counts customers with covariates: a finite number for each name in the options (clv_options), in their order; '
	'NULL or another number of them is an error';
CREATE AGGREGATE @extschema@.clv_cells(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, options pg_catalog.jsonb, covariates pg_catalog.float8[]) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.jsonb,
	pg_catalog.float8[]) IS
	'counts summaries with covariates, a finite number for each name in the options (clv_options)';
CREATE AGGREGATE @extschema@.clv_cells(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, outcome pg_catalog.bool, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.bool, pg_catalog.jsonb) IS
	'counts summaries and what followed them, whether the customer bought in the period after t_cal: for supervised '
	'families (clv_options(model => ''rfmtc''))';
CREATE AGGREGATE @extschema@.clv_cells(renewals pg_catalog.int8, ended pg_catalog.bool, customers pg_catalog.int8,
	options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	pg_catalog.int8, pg_catalog.bool, pg_catalog.int8, pg_catalog.jsonb) IS
	'counts contracts from a table: renewals made, whether the contract ended after them, and how many customers that '
	'are; for families of contracts (clv_options(model => ''sbg'') or ''bdw''). Rows of NULLs are ignored';
CREATE AGGREGATE @extschema@.clv_cells(history @extschema@.clv_history, options pg_catalog.jsonb,
	path @extschema@.clv_calendar) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(@extschema@.clv_history, pg_catalog.jsonb, @extschema@.clv_calendar) IS
	'counts customers with paths: each has a calendar of their own from the first purchase to as_of, all with the same '
	'names';
CREATE AGGREGATE @extschema@.clv_cells(history @extschema@.clv_history, options pg_catalog.jsonb,
	covariates pg_catalog.float8[], path @extschema@.clv_calendar) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells(
	@extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[], @extschema@.clv_calendar) IS
	'counts customers with covariates and paths';
CREATE AGGREGATE @extschema@.clv_cells_rollup(cells @extschema@.clv_cells) (
	SFUNC = clv_internal.clv_cells_merge, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_cells_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_cells_rollup(@extschema@.clv_cells) IS
	'puts cells together; they must have been counted with the same options';
CREATE FUNCTION clv_internal.clv_fit_final(@extschema@.clv_cells) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION clv_internal.clv_fit_final(@extschema@.clv_cells) IS
	'fits the options of the cells to their customers; what every clv_fit does at its end';

-- ---- aggregates ------------------------------------------------------------------------------

CREATE AGGREGATE @extschema@.clv_fit(history @extschema@.clv_history) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_history) IS
	'fits the default models (mbg/nbd, gamma/gamma, weeks) to customers. NULL histories are ignored, none at all: '
	'NULL. Errors: no customers, too few, no customer with a repeat purchase';
CREATE AGGREGATE @extschema@.clv_fit(history @extschema@.clv_history, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_history, pg_catalog.jsonb) IS
	'fits models to customers with these options (clv_options), which must be the same in all rows; a WARNING and '
	'converged = false where there is no optimum';
CREATE AGGREGATE @extschema@.clv_fit(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'fits the default models to summaries: x repeat purchases, age t_x at the last one, age t_cal, both in weeks since '
	'the first, mean_spend of the repeat purchases (NULL: not known)';
CREATE AGGREGATE @extschema@.clv_fit(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.jsonb) IS
	'fits models to summaries with these options (clv_options); times are in the time unit of the options';
CREATE AGGREGATE @extschema@.clv_fit(history @extschema@.clv_history, options pg_catalog.jsonb,
	covariates pg_catalog.float8[]) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[]) IS
	'fits models to customers with covariates: a finite number for each name in the options (clv_options), in their '
	'order; NULL or another number of them is an error';
CREATE AGGREGATE @extschema@.clv_fit(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, options pg_catalog.jsonb, covariates pg_catalog.float8[]) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.jsonb,
	pg_catalog.float8[]) IS
	'fits models to summaries with covariates, a finite number for each name in the options (clv_options)';
CREATE AGGREGATE @extschema@.clv_fit(x pg_catalog.float8, t_x pg_catalog.float8, t_cal pg_catalog.float8,
	mean_spend pg_catalog.float8, outcome pg_catalog.bool, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.bool, pg_catalog.jsonb) IS
	'fits models to summaries and what followed them, whether the customer bought in the period after t_cal: for '
	'supervised families (clv_options(model => ''rfmtc''))';
CREATE AGGREGATE @extschema@.clv_fit(renewals pg_catalog.int8, ended pg_catalog.bool, customers pg_catalog.int8,
	options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(pg_catalog.int8, pg_catalog.bool, pg_catalog.int8, pg_catalog.jsonb) IS
	'fits a family of contracts (clv_options(model => ''sbg'') or ''bdw'') to a table: renewals made, whether the '
	'contract ended after them, and how many customers that are; a table of survivors by period is such a table by the '
	'differences of its rows';
CREATE AGGREGATE @extschema@.clv_fit(history @extschema@.clv_history, options pg_catalog.jsonb,
	path @extschema@.clv_calendar) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_history, pg_catalog.jsonb, @extschema@.clv_calendar) IS
	'fits models to customers with paths: each has a calendar of their own (mailings received, price paid) from the '
	'first purchase to as_of, all with the same names; predictions are by clv_with_calendar(model, path)';
CREATE AGGREGATE @extschema@.clv_fit(history @extschema@.clv_history, options pg_catalog.jsonb,
	covariates pg_catalog.float8[], path @extschema@.clv_calendar) (
	SFUNC = clv_internal.clv_cells_add, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(
	@extschema@.clv_history, pg_catalog.jsonb, pg_catalog.float8[], @extschema@.clv_calendar) IS
	'fits models to customers with covariates, a finite number for each name in the options (clv_options), and paths';
CREATE AGGREGATE @extschema@.clv_fit(cells @extschema@.clv_cells) (
	SFUNC = clv_internal.clv_cells_merge, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_cells) IS
	'fits models to customers counted by clv_cells, in one row or in many (one per shard), with the options they were '
	'counted with';
CREATE AGGREGATE @extschema@.clv_fit(cells @extschema@.clv_cells, options pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_cells_merge, STYPE = @extschema@.clv_cells, SSPACE = 3072,
	FINALFUNC = clv_internal.clv_fit_final,
	COMBINEFUNC = clv_internal.clv_cells_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_fit(@extschema@.clv_cells, pg_catalog.jsonb) IS
	'fits models to customers counted by clv_cells, with these options (clv_options); time unit, spend basis and as_of '
	'must be those of the cells';

-- The families of purchases that can be fitted with these options, in a fixed order.
CREATE FUNCTION clv_internal.clv_fit_families(
	options pg_catalog.jsonb, clock pg_catalog.text, requested pg_catalog.text) RETURNS pg_catalog.text[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_fit_families(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text) IS
	'the families of purchases with this clock (continuous, opportunities, ...) that can be fitted with these options, '
	'whatever model those name; requested: of those that ''auto'' leaves out only this one. A part of validation';

-- ---- the last day of the data ------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_settled_day(
	days pg_catalog.date[],
	customers pg_catalog.int8[],
	OUT last_day pg_catalog.date,
	OUT settled pg_catalog.date,
	OUT later pg_catalog.int8
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_settled_day(pg_catalog.date[], pg_catalog.int8[]) IS
	'of days on which so many customers bought last: the last one; the last one that is not isolated long after the '
	'others, as a mistyped date is; and how many customers bought after that. A part of pipelines';
-- ---- what groups have in common ----------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pool_add(pg_catalog.internal, @extschema@.clv_model) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_pool_add(pg_catalog.internal, @extschema@.clv_model) IS
	'of clv_pool: takes a model into the state; NULL is counted only';
CREATE FUNCTION clv_internal.clv_pool_final(pg_catalog.internal) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION clv_internal.clv_pool_final(pg_catalog.internal) IS 'of clv_pool: the prior';
CREATE AGGREGATE @extschema@.clv_pool(model @extschema@.clv_model) (
	SFUNC = clv_internal.clv_pool_add, STYPE = pg_catalog.internal, SSPACE = 32768,
	FINALFUNC = clv_internal.clv_pool_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_pool(@extschema@.clv_model) IS
	'what fitted models of one family, one a group of customers, have in common: mean, standard deviation between '
	'groups and correlation of their unit-free parameters by restricted maximum likelihood, the errors of the '
	'estimates taken off; the prior for clv_options(prior => ...). Models that did not converge or are singular weigh '
	'nothing; NULL models are skipped and counted; NULL without a model. The same in any order of rows. Errors: models '
	'of different families or covariates, written by hand, or fitted with a prior; less than two with information';
-- ---- the mathematics by number --------------------------------------------------------------
--
-- x repeat purchases, t_x age at the last one, t_cal age, horizons and t: in the model's time unit;
-- delta: a continuous discount rate per unit. Underflow gives 0, divergence Infinity.

CREATE FUNCTION @extschema@.clv_log_likelihood(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_log_likelihood_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.clv_log_likelihood(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'log-likelihood of a customer with x repeat purchases, the last at age t_x, now of age t_cal: of the ordered '
	'purchase times, without x!. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_p_alive(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	ahead pg_catalog.float8 DEFAULT 0
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_p_alive_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
COMMENT ON FUNCTION @extschema@.clv_p_alive(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'probability that a customer with x repeat purchases, the last at age t_x, now of age t_cal, is still active; with '
	'ahead, that they will be active so long after t_cal, such as for bg/bb at the next opportunity (ahead => 1). '
	'Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_expected_purchases(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_expected_purchases_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION @extschema@.clv_expected_purchases(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'expected purchases in (t_cal, t_cal + horizon] of a customer with x repeat purchases, the last at age t_x. Times '
	'are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_expected_purchases(
	model @extschema@.clv_model,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_expected_purchases_new' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 25;
COMMENT ON FUNCTION @extschema@.clv_expected_purchases(@extschema@.clv_model, pg_catalog.float8) IS
	'expected repeat purchases of a new customer in (0, horizon]. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_purchase_probability(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	n pg_catalog.float8,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_purchase_probability_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_purchase_probability(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.float8) IS
	'probability of n purchases in (t_cal, t_cal + horizon] given the history; n = 0 includes the case that the '
	'customer has left. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_purchase_probability(
	model @extschema@.clv_model,
	n pg_catalog.float8,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_purchase_probability_new' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_purchase_probability(@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8) IS
	'probability of n repeat purchases of a new customer in (0, horizon]. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_active_probability(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_active_probability_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_active_probability(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'probability of at least one purchase in (t_cal, t_cal + horizon] of a customer with x repeat purchases, the last '
	'at age t_x. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_active_probability(
	model @extschema@.clv_model,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_active_probability_new' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_active_probability(@extschema@.clv_model, pg_catalog.float8) IS
	'probability that a new customer buys again in (0, horizon]. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_purchase_quantile(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	horizon pg_catalog.float8,
	level pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_purchase_quantile_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 170;
COMMENT ON FUNCTION @extschema@.clv_purchase_quantile(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.float8) IS
	'smallest number that purchases in (t_cal, t_cal + horizon] do not exceed with at least probability level, 0 < '
	'level < 1. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_discounted_purchases(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	delta pg_catalog.float8,
	horizon pg_catalog.float8 DEFAULT 'Infinity'
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_discounted_purchases_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 400;
COMMENT ON FUNCTION @extschema@.clv_discounted_purchases(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.float8) IS
	'expected purchases in (t_cal, t_cal + horizon], each discounted by exp(-delta u) at u after t_cal; without a '
	'horizon all that are still to come (DERT), Infinity where these diverge. delta: continuous rate per unit; for '
	'families of whole periods (bg/bb, sbg, rfmtc) an effective one. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_expected_spend(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	mean_spend pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_expected_spend_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 6;
COMMENT ON FUNCTION @extschema@.clv_expected_spend(@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8) IS
	'expected value of one purchase given x purchases with that mean; x = 0: the population''s. Infinity where it does '
	'not exist (gamma/gamma: p x + q <= 1)';

CREATE FUNCTION @extschema@.clv_spend_log_likelihood(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	mean_spend pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_spend_log_likelihood_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 15;
COMMENT ON FUNCTION @extschema@.clv_spend_log_likelihood(@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8) IS
	'log of the density of the mean of x purchases; 0 for x = 0';

CREATE FUNCTION @extschema@.clv_survival(
	model @extschema@.clv_model,
	t pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 400;
COMMENT ON FUNCTION @extschema@.clv_survival(@extschema@.clv_model, pg_catalog.float8) IS
	'probability that a new customer is still active at age t. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_retention(
	model @extschema@.clv_model,
	t pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 6;
COMMENT ON FUNCTION @extschema@.clv_retention(@extschema@.clv_model, pg_catalog.float8) IS
	'contracts: the share of those who made t - 1 renewals that makes the t-th, t = 1, 2 ...; an error for families '
	'without renewals';

CREATE FUNCTION @extschema@.clv_residual_lifetime(
	model @extschema@.clv_model,
	t pg_catalog.float8,
	rate pg_catalog.float8,
	before pg_catalog.bool DEFAULT false
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_residual_lifetime(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.bool) IS
	'contracts: expected renewals still to come (DERL), each discounted at an effective rate per period, of a customer '
	'who has made t renewals; with before, of a customer immediately before the t-th (t >= 1), which then counts in '
	'full. Infinity where they diverge; an error for families without renewals (Fader & Hardie 2010)';

CREATE FUNCTION @extschema@.clv_retention_elasticity(
	model @extschema@.clv_model,
	t pg_catalog.float8,
	rate pg_catalog.float8,
	before pg_catalog.bool DEFAULT false
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION @extschema@.clv_retention_elasticity(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.bool) IS
	'contracts: by how many per cent clv_residual_lifetime increases where the retention rates of every customer are '
	'one per cent higher at each renewal to come. Arguments as there; Infinity where it diverges; an error for '
	'families without renewals (Fader & Hardie 2010)';
-- ---- predictions over histories -------------------------------------------------------------
--
-- COST: a unit is about 20 ns here, measured over a million customers.

CREATE TYPE @extschema@.clv_prediction AS (
	p_alive pg_catalog.float8,
	expected_purchases pg_catalog.float8,
	expected_spend pg_catalog.float8,
	expected_revenue pg_catalog.float8,
	clv pg_catalog.float8,
	lifetime_value pg_catalog.float8,
	next_purchase_value pg_catalog.float8,
	purchases_low pg_catalog.float8,
	purchases_high pg_catalog.float8,
	clv_low pg_catalog.float8,
	clv_high pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_prediction IS 'the predictions of clv_predict for one customer';
COMMENT ON COLUMN @extschema@.clv_prediction.p_alive IS 'P(alive): the probability that the customer is still active';
COMMENT ON COLUMN @extschema@.clv_prediction.expected_purchases IS 'expected number of purchases in the horizon';
COMMENT ON COLUMN @extschema@.clv_prediction.expected_spend IS
	'expected value of one purchase; NULL where the model has no spend part, or the expectation does not exist';
COMMENT ON COLUMN @extschema@.clv_prediction.expected_revenue IS
	'expected_purchases times expected_spend, undiscounted';
COMMENT ON COLUMN @extschema@.clv_prediction.clv IS 'expected revenue of the horizon, discounted, times the margin';
COMMENT ON COLUMN @extschema@.clv_prediction.lifetime_value IS
	'the same without end; NULL where nothing is discounted, or the sum diverges';
COMMENT ON COLUMN @extschema@.clv_prediction.next_purchase_value IS
	'P(alive) times what a purchase today would add to clv, itself not counted: an association, not the effect of a '
	'campaign. Negative where the dropout probability after a purchase lowers clv by more than the higher purchase '
	'rate raises it';
COMMENT ON COLUMN @extschema@.clv_prediction.purchases_low IS
	'lower limit of the predictive interval of the number of purchases; NULL without a level';
COMMENT ON COLUMN @extschema@.clv_prediction.purchases_high IS
	'upper limit of the predictive interval of the number of purchases; NULL without a level';
COMMENT ON COLUMN @extschema@.clv_prediction.clv_low IS
	'lower limit of the predictive interval of clv; NULL without a level';
COMMENT ON COLUMN @extschema@.clv_prediction.clv_high IS
	'upper limit of the predictive interval of clv; NULL without a level';

CREATE FUNCTION @extschema@.clv_predict(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval DEFAULT '1 year',
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	as_of pg_catalog.date DEFAULT NULL,
	level pg_catalog.float8 DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS @extschema@.clv_prediction
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 30;
COMMENT ON FUNCTION @extschema@.clv_predict(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8, pg_catalog.float8[]) IS
	'all predictions of a model for one customer, in one row. discount_rate: per year, effective, greater than -1; '
	'margin: contribution margin of revenue; level: also predictive intervals with that probability, parameters held '
	'fixed. as_of: the day to predict from, the model''s where none is given. covariates: the customer''s, in the '
	'order of the model''s names, where it was fitted with some. NULL where the customer does not exist yet at as_of, '
	'or one of the first five arguments is NULL';

CREATE FUNCTION @extschema@.clv_p_alive(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 12;
COMMENT ON FUNCTION @extschema@.clv_p_alive(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.float8[]) IS
	'P(alive): the probability that the customer is still active. as_of: the day to predict from, the model''s where '
	'none is given. covariates: the customer''s, where the model was fitted with some. NULL where the customer does '
	'not exist yet at as_of, or an argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_expected_purchases(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 14;
COMMENT ON FUNCTION @extschema@.clv_expected_purchases(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.date, pg_catalog.float8[]) IS
	'expected number of purchases in the horizon, (as_of, as_of + horizon]. as_of: the day to predict from, the '
	'model''s where none is given. covariates: the customer''s, where the model was fitted with some. NULL where the '
	'customer does not exist yet at as_of, or an argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_purchase_curve(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizons pg_catalog.interval[],
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 28;
COMMENT ON FUNCTION @extschema@.clv_purchase_curve(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval[], pg_catalog.date, pg_catalog.float8[]) IS
	'clv_expected_purchases for each of several horizons, in their order: the expected purchases of (as_of, as_of + '
	'horizon], so that neighbours differ by what is expected in between. as_of: the day to predict from, the model''s '
	'where none is given. covariates: the customer''s, where the model was fitted with some. NULL where the customer '
	'does not exist yet at as_of, or an argument other than as_of and covariates is NULL; a horizon that is NULL has '
	'a NULL';

CREATE FUNCTION clv_internal.clv_curve_sum_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval[], pg_catalog.date)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_curve_sum_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval[], pg_catalog.date) IS
	'of clv_curve_sum: takes a customer into the state';
CREATE FUNCTION clv_internal.clv_curve_sum_combine(pg_catalog.internal, pg_catalog.internal)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_curve_sum_combine(pg_catalog.internal, pg_catalog.internal) IS
	'of clv_curve_sum: puts two states together';
CREATE FUNCTION clv_internal.clv_curve_sum_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_curve_sum_serialize(pg_catalog.internal) IS
	'of clv_curve_sum: sends a state to another process';
CREATE FUNCTION clv_internal.clv_curve_sum_deserialize(pg_catalog.bytea, pg_catalog.internal)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION clv_internal.clv_curve_sum_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
	'of clv_curve_sum: receives a state; every byte is checked';
CREATE FUNCTION clv_internal.clv_curve_sum_final(pg_catalog.internal) RETURNS pg_catalog.float8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_curve_sum_final(pg_catalog.internal) IS
	'of clv_curve_sum: the sums';
CREATE AGGREGATE clv_internal.clv_curve_sum(
	model @extschema@.clv_model, history @extschema@.clv_history, horizons pg_catalog.interval[],
	as_of pg_catalog.date
) (
	SFUNC = clv_internal.clv_curve_sum_add, STYPE = pg_catalog.internal, SSPACE = 1048576,
	FINALFUNC = clv_internal.clv_curve_sum_final, COMBINEFUNC = clv_internal.clv_curve_sum_combine,
	SERIALFUNC = clv_internal.clv_curve_sum_serialize, DESERIALFUNC = clv_internal.clv_curve_sum_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_internal.clv_curve_sum(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval[], pg_catalog.date) IS
	'the sums over customers of clv_purchase_curve, and of its products with their clv_expected_spend: {{purchases '
	'until the end of each horizon}, {money until then}}, to the last digit the same in any order of rows. Customers '
	'who do not exist yet are skipped; NULL without any, in money for a model without spend, and where a sum is '
	'infinite or NaN. A part of pipelines';

CREATE FUNCTION @extschema@.clv_expected_spend(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 6;
COMMENT ON FUNCTION @extschema@.clv_expected_spend(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.float8[]) IS
	'expected value of one purchase, given what the customer has spent; NULL where that expectation does not exist '
	'(gamma/gamma: p x + q <= 1). as_of: the day to predict from, the model''s where none is given. covariates: the '
	'customer''s, where some act on spend. NULL where the customer does not exist yet at as_of, or an argument other '
	'than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_value(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 14;
COMMENT ON FUNCTION @extschema@.clv_value(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8[]) IS
	'customer lifetime value over a horizon: discounted expected purchases times expected spend times margin. '
	'discount_rate: per year, effective. as_of: the day to predict from, the model''s where none is given. covariates: '
	'the customer''s, where the model was fitted with some. NULL where the customer does not exist yet at as_of, or an '
	'argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_lifetime_value(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	discount_rate pg_catalog.float8,
	margin pg_catalog.float8 DEFAULT 1,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 14;
COMMENT ON FUNCTION @extschema@.clv_lifetime_value(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.float8, pg_catalog.float8, pg_catalog.date,
	pg_catalog.float8[]) IS
	'customer lifetime value without end: discounted expected residual purchases (DERT) times expected spend times '
	'margin; NULL where the rate is 0 or less, or the sum diverges. as_of: the day to predict from, the model''s where '
	'none is given. covariates: the customer''s, where the model was fitted with some. NULL where the customer does '
	'not exist yet at as_of, or an argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_discounted_purchases(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	discount_rate pg_catalog.float8,
	horizon pg_catalog.interval DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 14;
COMMENT ON FUNCTION @extschema@.clv_discounted_purchases(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.float8, pg_catalog.interval, pg_catalog.date,
	pg_catalog.float8[]) IS
	'expected number of purchases, each discounted from the day it is made; without a horizon all that are still to '
	'come (DERT), Infinity where these diverge. discount_rate: per year, effective. as_of: the day to predict from, '
	'the model''s where none is given. covariates: the customer''s, where the model was fitted with some. NULL where '
	'the customer does not exist yet at as_of, or one of the first three arguments is NULL';

CREATE FUNCTION @extschema@.clv_purchase_probability(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	n pg_catalog.float8,
	horizon pg_catalog.interval,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_purchase_probability(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.float8, pg_catalog.interval, pg_catalog.date,
	pg_catalog.float8[]) IS
	'probability of exactly n purchases in the horizon; n = 0 includes the case that the customer has left. as_of: the '
	'day to predict from, the model''s where none is given. covariates: the customer''s, where the model was fitted '
	'with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and covariates is '
	'NULL';

CREATE FUNCTION @extschema@.clv_purchase_quantile(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	level pg_catalog.float8,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 170;
COMMENT ON FUNCTION @extschema@.clv_purchase_quantile(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.date,
	pg_catalog.float8[]) IS
	'smallest number that purchases in the horizon do not exceed with at least probability level, 0 < level < 1. '
	'as_of: the day to predict from, the model''s where none is given. covariates: the customer''s, where the model '
	'was fitted with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and '
	'covariates is NULL';

CREATE FUNCTION @extschema@.clv_value_quantile(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	level pg_catalog.float8,
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000;
COMMENT ON FUNCTION @extschema@.clv_value_quantile(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8[]) IS
	'the quantile of the value of the horizon at probability level, parameters held fixed: the quantile of '
	'undiscounted spend, times discounted by undiscounted expectation, times margin. NULL where the expected spend '
	'does not exist. as_of: the day to predict from, the model''s where none is given. covariates: the customer''s, '
	'where the model was fitted with some. NULL where the customer does not exist yet at as_of, or an argument other '
	'than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_active_probability(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_active_probability(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.date, pg_catalog.float8[]) IS
	'probability of at least one purchase in the horizon, (as_of, as_of + horizon]. as_of: the day to predict from, '
	'the model''s where none is given. covariates: the customer''s, where the model was fitted with some. NULL where '
	'the customer does not exist yet at as_of, or an argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_survival(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_survival_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_survival(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.date, pg_catalog.float8[]) IS
	'probability that the customer is still active at the end of the horizon, whatever they buy until then. as_of: the '
	'day to predict from, the model''s where none is given. covariates: the customer''s, where the model was fitted '
	'with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and covariates is '
	'NULL';

CREATE FUNCTION @extschema@.clv_next_purchase(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	level pg_catalog.float8 DEFAULT 0.5,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_next_purchase(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.float8, pg_catalog.date, pg_catalog.float8[]) IS
	'the first day by which the customer, if they are still active at as_of, will have bought again with probability '
	'level (0.5: as likely before as after); under families of whole periods the last day of a period, counted from '
	'those that are over at as_of. NULL where there is no such day within 1000 years, as the customer may leave '
	'before, and where they have left for certain. as_of: the day to predict from, the model''s where none is given. '
	'covariates: the customer''s, where the model was fitted with some. NULL where the customer does not exist yet at '
	'as_of, or an argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_lapse_date(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	p_alive pg_catalog.float8 DEFAULT 0.5,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_lapse_date(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.float8, pg_catalog.date, pg_catalog.float8[]) IS
	'the first day on which P(alive) is below p_alive if no purchase comes after as_of: the day to act before. It is '
	'past where P(alive) is below already, and the day of the last purchase where it is from then on; under families '
	'of whole periods the day on which a period ends. NULL where there is no such day within 1000 years. as_of: the '
	'day to predict from, the model''s where none is given. covariates: the customer''s, where the model was fitted '
	'with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and covariates is '
	'NULL';

CREATE FUNCTION @extschema@.clv_log_likelihood(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.clv_log_likelihood(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.float8[]) IS
	'log of the likelihood of the customer''s purchases up to as_of: of the ordered purchase times, without x!. as_of: '
	'the day to predict from, the model''s where none is given. covariates: the customer''s, where the model was '
	'fitted with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and '
	'covariates is NULL';

CREATE FUNCTION @extschema@.clv_spend_log_likelihood(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 15;
COMMENT ON FUNCTION @extschema@.clv_spend_log_likelihood(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.float8[]) IS
	'log of the density of the customer''s mean spend; 0 without purchases of known value, NULL where it is not '
	'positive. as_of: the day to predict from, the model''s where none is given. covariates: the customer''s, where '
	'some act on spend. NULL where the customer does not exist yet at as_of, or an argument other than as_of and '
	'covariates is NULL';

CREATE FUNCTION @extschema@.rfmtc(
	history @extschema@.clv_history,
	as_of pg_catalog.date,
	model @extschema@.clv_model
) RETURNS @extschema@.clv_rfmtc
	AS 'MODULE_PATHNAME', 'rfmtc_with_model' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 40;
COMMENT ON FUNCTION @extschema@.rfmtc(@extschema@.clv_history, pg_catalog.date, @extschema@.clv_model) IS
	'recency, frequency, monetary value, tenure and churn as of a day, inclusive, with churn = 1 - P(alive) under the '
	'model (NULL where the model is NULL); NULL where the customer does not exist yet';

CREATE FUNCTION @extschema@.clv_explain(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL,
	OUT code pg_catalog.text,
	OUT reason pg_catalog.text
) RETURNS pg_catalog.record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION @extschema@.clv_explain(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.float8[]) IS
	'why a customer has the P(alive) and the value that they have. code: ''ended'' (has left for certain), ''once'' '
	'(bought once, more than 90 days ago or with a P(alive) below 0.5), ''new'', ''inactive'' (P(alive) below 0.5), '
	'''late'' (1.25 times as long without a purchase as ever before), ''slower'', ''spends less'', ''faster'', '
	'''spends more'', ''regular'' or ''active''; reason: the same in a sentence with its numbers, and how the value of '
	'the next year compares with that of a new customer: P(alive), frequency and spend, the largest effect first. '
	'as_of: the day to predict from, the model''s where none is given. covariates: the customer''s, where the model '
	'was fitted with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and '
	'covariates is NULL';

-- ---- curves, newcomers, and models of certain customers ---------------------------------------

CREATE FUNCTION @extschema@.clv_forecast(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	periods pg_catalog.int4,
	period pg_catalog.interval,
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL,
	OUT period_start pg_catalog.date,
	OUT expected_purchases pg_catalog.float8,
	OUT expected_revenue pg_catalog.float8,
	OUT clv pg_catalog.float8
) RETURNS SETOF pg_catalog.record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300 ROWS 12;
COMMENT ON FUNCTION @extschema@.clv_forecast(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.int4, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8[]) IS
	'the expectations of clv_predict for the horizon periods * period, period by period; the rows add up to them. '
	'period_start: the day within which the period begins, after as_of + i * period; a month is a twelfth of 365.25 '
	'days, so forecast days and sum them up where calendar months are wanted; under families of discrete time periods '
	'begin on days of the calendar. expected_revenue undiscounted; clv discounted, times margin; both NULL without a '
	'spend part. No rows where the customer does not exist yet at as_of, or an argument other than as_of and '
	'covariates is NULL';

CREATE FUNCTION @extschema@.clv_new_customer(
	model @extschema@.clv_model,
	horizon pg_catalog.interval DEFAULT '1 year',
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	covariates pg_catalog.float8[] DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	OUT expected_purchases pg_catalog.float8,
	OUT first_purchase_value pg_catalog.float8,
	OUT repeat_value pg_catalog.float8,
	OUT max_acquisition_cost pg_catalog.float8
) RETURNS pg_catalog.record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.clv_new_customer(
	@extschema@.clv_model, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8[],
	pg_catalog.date) IS
	'a new customer, from the first purchase on: expected repeat purchases in the horizon after it, the margin of the '
	'first purchase (expected spend of the population times margin), the value of the repeats (discounted, times '
	'margin), and their sum, beyond which an acquisition costs more than it brings within the horizon. Values are NULL '
	'where the model has no spend part, or the expected spend does not exist. as_of: of models with a calendar, '
	'the day of the first purchase (NULL: the model''s as_of). NULL where an argument other than covariates and as_of '
	'is NULL';

CREATE FUNCTION @extschema@.clv_with_calendar(
	model @extschema@.clv_model,
	calendar @extschema@.clv_calendar
) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.clv_with_calendar(@extschema@.clv_model, @extschema@.clv_calendar) IS
	'the model with steps to come: those of the calendar from the day after its as_of on, which predictions then '
	'follow. A season and a trend that the fit has made need no steps: they go on. Of a model that was fitted with '
	'paths, that of the customer with this path. Errors: a model with neither calendar nor paths, a calendar with '
	'other names, one that leaves days without values or ends before as_of';

CREATE FUNCTION @extschema@.clv_with_covariates(
	model @extschema@.clv_model,
	covariates pg_catalog.float8[]
) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_with_covariates(@extschema@.clv_model, pg_catalog.float8[]) IS
	'the model of customers with these covariates: its parameters moved by the effects, for functions that take no '
	'covariates, such as those that take numbers. It has no standard errors and diagnostics of the purchase part. '
	'Errors: a model without covariates, a vector of another length, elements that are NULL or not finite';
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


CREATE FUNCTION clv_internal.clv_sums_eq(@extschema@.clv_sums, @extschema@.clv_sums) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_sums_eq(@extschema@.clv_sums, @extschema@.clv_sums) IS 'implementation of = operator';
CREATE FUNCTION clv_internal.clv_sums_ne(@extschema@.clv_sums, @extschema@.clv_sums) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_sums_ne(@extschema@.clv_sums, @extschema@.clv_sums) IS 'implementation of <> operator';
CREATE FUNCTION clv_internal.clv_sums_lt(@extschema@.clv_sums, @extschema@.clv_sums) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_sums_lt(@extschema@.clv_sums, @extschema@.clv_sums) IS 'implementation of < operator';
CREATE FUNCTION clv_internal.clv_sums_le(@extschema@.clv_sums, @extschema@.clv_sums) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_sums_le(@extschema@.clv_sums, @extschema@.clv_sums) IS 'implementation of <= operator';
CREATE FUNCTION clv_internal.clv_sums_gt(@extschema@.clv_sums, @extschema@.clv_sums) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_sums_gt(@extschema@.clv_sums, @extschema@.clv_sums) IS 'implementation of > operator';
CREATE FUNCTION clv_internal.clv_sums_ge(@extschema@.clv_sums, @extschema@.clv_sums) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_sums_ge(@extschema@.clv_sums, @extschema@.clv_sums) IS 'implementation of >= operator';
CREATE FUNCTION clv_internal.clv_sums_cmp(@extschema@.clv_sums, @extschema@.clv_sums) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_sums_cmp(@extschema@.clv_sums, @extschema@.clv_sums) IS
	'order of sums for sorting, without meaning: -1, 0 or 1';
CREATE FUNCTION clv_internal.clv_sums_hash(@extschema@.clv_sums) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_sums_hash(@extschema@.clv_sums) IS 'hash: equal sums have equal ones';
CREATE FUNCTION clv_internal.clv_sums_hash_extended(@extschema@.clv_sums, pg_catalog.int8) RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_sums_hash_extended(@extschema@.clv_sums, pg_catalog.int8) IS
	'64-bit hash with a seed: equal sums have equal ones';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.clv_sums, RIGHTARG = @extschema@.clv_sums, FUNCTION = clv_internal.clv_sums_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR @extschema@.= (@extschema@.clv_sums, @extschema@.clv_sums) IS
	'whether two sums are the same to the byte';
CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.clv_sums, RIGHTARG = @extschema@.clv_sums, FUNCTION = clv_internal.clv_sums_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.clv_sums, @extschema@.clv_sums) IS 'whether two sums differ';
CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.clv_sums, RIGHTARG = @extschema@.clv_sums, FUNCTION = clv_internal.clv_sums_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
COMMENT ON OPERATOR @extschema@.< (@extschema@.clv_sums, @extschema@.clv_sums) IS
	'order of sums for sorting, without meaning: before';
CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.clv_sums, RIGHTARG = @extschema@.clv_sums, FUNCTION = clv_internal.clv_sums_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.clv_sums, @extschema@.clv_sums) IS
	'order of sums for sorting, without meaning: before or equal';
CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.clv_sums, RIGHTARG = @extschema@.clv_sums, FUNCTION = clv_internal.clv_sums_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
COMMENT ON OPERATOR @extschema@.> (@extschema@.clv_sums, @extschema@.clv_sums) IS
	'order of sums for sorting, without meaning: after';
CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.clv_sums, RIGHTARG = @extschema@.clv_sums, FUNCTION = clv_internal.clv_sums_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.clv_sums, @extschema@.clv_sums) IS
	'order of sums for sorting, without meaning: after or equal';

CREATE OPERATOR CLASS @extschema@.clv_sums_ops DEFAULT FOR TYPE @extschema@.clv_sums USING btree AS
	OPERATOR 1 @extschema@.<, OPERATOR 2 @extschema@.<=, OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=, OPERATOR 5 @extschema@.>,
	FUNCTION 1 clv_internal.clv_sums_cmp(@extschema@.clv_sums, @extschema@.clv_sums);
CREATE OPERATOR CLASS @extschema@.clv_sums_ops DEFAULT FOR TYPE @extschema@.clv_sums USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 clv_internal.clv_sums_hash(@extschema@.clv_sums),
	FUNCTION 2 clv_internal.clv_sums_hash_extended(@extschema@.clv_sums, pg_catalog.int8);

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
-- ---- totals of groups with models of their own ------------------------------------------------------

CREATE FUNCTION clv_internal.clv_total_collect(pg_catalog.internal, @extschema@.clv_total) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_total_collect(pg_catalog.internal, @extschema@.clv_total) IS
	'of clv_totals: adds a total; NULL is skipped';
CREATE FUNCTION clv_internal.clv_total_collected(pg_catalog.internal) RETURNS @extschema@.clv_total
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_total_collected(pg_catalog.internal) IS 'of clv_totals: the sum';
CREATE AGGREGATE @extschema@.clv_totals(total @extschema@.clv_total) (
	SFUNC = clv_internal.clv_total_collect, STYPE = pg_catalog.internal, SSPACE = 8192,
	FINALFUNC = clv_internal.clv_total_collected, PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_totals(@extschema@.clv_total) IS
	'the total of groups of customers with models of their own, from the clv_predict_total of each: expectations and '
	'variances add up, as fits of different groups are independent. What is NULL in one total is NULL; totals that are '
	'NULL are ignored; NULL where there is none. The same in any order. An error where levels differ';
-- ---- campaigns: what came of treating some customers and not others -------------------------------
--
-- Aggregates take neither names nor defaults: an overload for each number of arguments. COST: the time of a customer,
-- in units of 20 ns.

CREATE TYPE @extschema@.clv_campaign_effect AS (
	measure pg_catalog.text,
	treated pg_catalog.int8,
	control pg_catalog.int8,
	treated_mean pg_catalog.float8,
	control_mean pg_catalog.float8,
	raw_effect pg_catalog.float8,
	raw_std_error pg_catalog.float8,
	raw_p_value pg_catalog.float8,
	effect pg_catalog.float8,
	std_error pg_catalog.float8,
	lower pg_catalog.float8,
	upper pg_catalog.float8,
	p_value pg_catalog.float8,
	variance_explained pg_catalog.float8,
	lift pg_catalog.float8,
	total_effect pg_catalog.float8,
	cost_per_unit pg_catalog.float8,
	smallest_effect pg_catalog.float8,
	balance pg_catalog.float8,
	balance_p_value pg_catalog.float8,
	share_p_value pg_catalog.float8,
	actual pg_catalog.float8,
	predicted pg_catalog.float8,
	difference pg_catalog.float8,
	difference_low pg_catalog.float8,
	difference_high pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_campaign_effect IS 'a measure of clv_campaign';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.measure IS
	'purchases, buyers (customers with at least one purchase) or revenue (net of refunds)';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.treated IS
	'customers who were treated; of revenue, those whose amounts are known';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.control IS 'customers who were not';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.treated_mean IS 'mean of the treated';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.control_mean IS 'mean of the control group';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.raw_effect IS
	'difference of the means; NULL where a group has less than two customers, as are all columns of effects';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.raw_std_error IS 'its standard error';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.raw_p_value IS
	'probability of a difference at least as large without an effect';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.effect IS
	'effect on a customer: the difference of the means, adjusted by what was predicted of each before';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.std_error IS 'its standard error';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.lower IS 'lower end of its 95 % confidence interval';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.upper IS 'upper end of its 95 % confidence interval';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.p_value IS 'probability of an effect at least as large by chance';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.variance_explained IS
	'share of the variance between customers that the prediction explains, which the adjustment takes out';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.lift IS
	'effect over what the treated would have had without it; NULL unless that is positive';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.total_effect IS 'effect on all who were treated';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.cost_per_unit IS
	'cost over total_effect: of an order, a buyer or a unit of money that came of the campaign; NULL without a '
	'cost, and unless the effect is positive';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.smallest_effect IS
	'the effect that such a campaign finds with probability 0.8';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.balance IS
	'how much more had been predicted of the treated, in standard deviations; 0 in the mean where chance decides';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.balance_p_value IS
	'probability of a difference at least as large where chance decides';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.share_p_value IS
	'probability of a share of treated customers as far from the planned one by chance; NULL without a planned '
	'share';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.actual IS
	'what all treated did; as the columns after it, NULL where there is a control group';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.predicted IS 'what was predicted of them';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.difference IS
	'actual - predicted: of the campaign, the season and all else together';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.difference_low IS
	'lower end of its 95 % prediction interval: a model that holds has 0 in it';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.difference_high IS 'upper end of its 95 % prediction interval';

CREATE FUNCTION clv_internal.clv_campaign_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.clv_campaign_combine(pg_catalog.internal, pg_catalog.internal) IS
	'of clv_campaign: the customers of both states';
CREATE FUNCTION clv_internal.clv_campaign_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.clv_campaign_serialize(pg_catalog.internal) IS
	'of clv_campaign: a state as bytes';
CREATE FUNCTION clv_internal.clv_campaign_deserialize(pg_catalog.bytea, pg_catalog.internal)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.clv_campaign_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
	'of clv_campaign: the state that bytes hold';
CREATE FUNCTION clv_internal.clv_campaign_final(pg_catalog.internal) RETURNS @extschema@.clv_campaign_effect[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_campaign_final(pg_catalog.internal) IS 'of clv_campaign: its rows';

CREATE FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 700;
COMMENT ON FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date) IS
	'of clv_campaign: adds a customer to the state; skips NULLs, and customers who had not bought before';
CREATE AGGREGATE @extschema@.clv_campaign(
	treated pg_catalog.bool, history @extschema@.clv_history, model @extschema@.clv_model,
	since pg_catalog.date, until pg_catalog.date) (
	SFUNC = clv_internal.clv_campaign_add, STYPE = pg_catalog.internal, SSPACE = 30000,
	FINALFUNC = clv_internal.clv_campaign_final, COMBINEFUNC = clv_internal.clv_campaign_combine,
	SERIALFUNC = clv_internal.clv_campaign_serialize, DESERIALFUNC = clv_internal.clv_campaign_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_campaign(
	pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date, pg_catalog.date) IS
	'what a campaign from since to until, both included, changed (treated, history, model, since, until): a row '
	'for purchases, buyers and revenue, as an array to unnest. Effects compare treated customers with the '
	'others, as they are and adjusted by what the model, of before the campaign, predicted of each; without '
	'others, actual values are compared with predicted ones. Customers who had not bought before since, and '
	'NULLs in the first three, are skipped; NULL where no customer is left. Warns where chance did not make the '
	'groups, and of a model that knows the campaign';

CREATE FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date, pg_catalog.float8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 700;
COMMENT ON FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date, pg_catalog.float8) IS
	'of clv_campaign: adds a customer to the state; skips NULLs, and customers who had not bought before';
CREATE AGGREGATE @extschema@.clv_campaign(
	treated pg_catalog.bool, history @extschema@.clv_history, model @extschema@.clv_model,
	since pg_catalog.date, until pg_catalog.date, cost pg_catalog.float8) (
	SFUNC = clv_internal.clv_campaign_add, STYPE = pg_catalog.internal, SSPACE = 30000,
	FINALFUNC = clv_internal.clv_campaign_final, COMBINEFUNC = clv_internal.clv_campaign_combine,
	SERIALFUNC = clv_internal.clv_campaign_serialize, DESERIALFUNC = clv_internal.clv_campaign_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_campaign(
	pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date, pg_catalog.date,
	pg_catalog.float8) IS
	'what a campaign from since to until, both included, changed (treated, history, model, since, until, cost): '
	'a row for purchases, buyers and revenue, as an array to unnest. Effects compare treated customers with the '
	'others, as they are and adjusted by what the model, of before the campaign, predicted of each; without '
	'others, actual values are compared with predicted ones. cost is that of the whole campaign. Customers who '
	'had not bought before since, and NULLs in the first three, are skipped; NULL where no customer is left. Warns '
	'where chance did not make the groups, and of a model that knows the campaign';

CREATE FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date, pg_catalog.float8, pg_catalog.float8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 700;
COMMENT ON FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date, pg_catalog.float8, pg_catalog.float8) IS
	'of clv_campaign: adds a customer to the state; skips NULLs, and customers who had not bought before';
CREATE AGGREGATE @extschema@.clv_campaign(
	treated pg_catalog.bool, history @extschema@.clv_history, model @extschema@.clv_model,
	since pg_catalog.date, until pg_catalog.date, cost pg_catalog.float8, share pg_catalog.float8) (
	SFUNC = clv_internal.clv_campaign_add, STYPE = pg_catalog.internal, SSPACE = 30000,
	FINALFUNC = clv_internal.clv_campaign_final, COMBINEFUNC = clv_internal.clv_campaign_combine,
	SERIALFUNC = clv_internal.clv_campaign_serialize, DESERIALFUNC = clv_internal.clv_campaign_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_campaign(
	pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date, pg_catalog.date,
	pg_catalog.float8, pg_catalog.float8) IS
	'what a campaign from since to until, both included, changed (treated, history, model, since, until, cost, '
	'share): a row for purchases, buyers and revenue, as an array to unnest. Effects compare treated customers '
	'with the others, as they are and adjusted by what the model, of before the campaign, predicted of each; '
	'without others, actual values are compared with predicted ones. cost is that of the whole campaign, share '
	'the part of the customers that was to be treated. Customers who had not bought before since, and NULLs in '
	'the first three, are skipped; NULL where no customer is left. Warns where chance did not make the groups, and of '
	'a model that knows the campaign';
-- ---- simulated customers --------------------------------------------------------------------
--
-- COST: a unit is about 20 ns here, measured for 10,000 rows.

CREATE FUNCTION @extschema@.clv_simulate(
	model @extschema@.clv_model,
	customers pg_catalog.int8,
	since pg_catalog.date,
	until pg_catalog.date,
	seed pg_catalog.int8,
	calendar @extschema@.clv_calendar DEFAULT NULL,
	acquired_until pg_catalog.date DEFAULT NULL,
	OUT customer pg_catalog.int8,
	OUT day pg_catalog.date,
	OUT amount pg_catalog.float8
) RETURNS SETOF pg_catalog.record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 600000 ROWS 10000;
COMMENT ON FUNCTION @extschema@.clv_simulate(
	@extschema@.clv_model, pg_catalog.int8, pg_catalog.date, pg_catalog.date, pg_catalog.int8,
	@extschema@.clv_calendar, pg_catalog.date) IS
	'the purchases of customers drawn from a model, a row each, by customer and day: the same for the same arguments '
	'on every version and processor. Customers are numbered from 1 and make their first purchase evenly over the days '
	'from since to acquired_until (by default the first half of the time; since: all on one day), the others until '
	'until. amount: the value, NULL without a spend part. calendar: values of covariates of the model by the day '
	'(NULL: the model''s own, where it has one); other covariates are at their centre (for certain values see '
	'clv_with_covariates). No rows where one of the first five arguments is NULL; models that do not say how histories '
	'come about (rfmtc) are an error';
-- ---- scores: the rank of a customer in a population -----------------------------------------

CREATE TYPE @extschema@.clv_scores AS (
	r pg_catalog.int2,
	f pg_catalog.int2,
	m pg_catalog.int2,
	t pg_catalog.int2,
	c pg_catalog.int2,
	v pg_catalog.int2,
	p_alive pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_scores IS
	'scores from 1 (worst) to the number of bins (best): r recency, f frequency, m spend, t tenure, c probability to '
	'be still active, v value in the year ahead; and p_alive, that probability itself, since a rank among customers '
	'does not say who is still one. c, v and p_alive are NULL without a model';

-- ---- cut points as values -------------------------------------------------------------------

CREATE TYPE @extschema@.clv_cuts;

CREATE FUNCTION clv_internal.clv_cuts_in(pg_catalog.cstring) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_cuts_in(pg_catalog.cstring) IS
	'reads the JSON form of cut points; every number is checked, unknown members are errors';
CREATE FUNCTION clv_internal.clv_cuts_out(@extschema@.clv_cuts) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_cuts_out(@extschema@.clv_cuts) IS
	'the cut points as JSON, exact and independent of settings';
CREATE FUNCTION clv_internal.clv_cuts_recv(pg_catalog.internal) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cuts_recv(pg_catalog.internal) IS
	'reads the binary form of cut points; every byte is checked';
CREATE FUNCTION clv_internal.clv_cuts_send(@extschema@.clv_cuts) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_cuts_send(@extschema@.clv_cuts) IS
	'the binary form of cut points, as it is stored';

CREATE TYPE @extschema@.clv_cuts (
	INPUT = clv_internal.clv_cuts_in,
	OUTPUT = clv_internal.clv_cuts_out,
	RECEIVE = clv_internal.clv_cuts_recv,
	SEND = clv_internal.clv_cuts_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = main
);
COMMENT ON TYPE @extschema@.clv_cuts IS
	'the cut points of a population behind its scores, with the day and the model they were made with; its text form '
	'is JSON';

CREATE FUNCTION clv_internal.clv_cuts_to_jsonb(@extschema@.clv_cuts) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_cuts_to_jsonb(@extschema@.clv_cuts) IS 'the cut points as jsonb, without loss';
CREATE FUNCTION clv_internal.clv_cuts_from_jsonb(pg_catalog.jsonb) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_cuts_from_jsonb(pg_catalog.jsonb) IS
	'the cut points of a jsonb form; an error names what is missing, unknown or out of range';

CREATE CAST (@extschema@.clv_cuts AS pg_catalog.jsonb)
	WITH FUNCTION clv_internal.clv_cuts_to_jsonb(@extschema@.clv_cuts);
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_cuts)
	WITH FUNCTION clv_internal.clv_cuts_from_jsonb(pg_catalog.jsonb);
COMMENT ON CAST (@extschema@.clv_cuts AS pg_catalog.jsonb) IS 'the cut points as JSON, without loss';
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_cuts) IS
	'reads what the cast to jsonb has written; every member is checked';

-- ---- comparison: for DISTINCT, GROUP BY and indexes; the order itself has no meaning --------


CREATE FUNCTION clv_internal.clv_cuts_eq(@extschema@.clv_cuts, @extschema@.clv_cuts) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_cuts_eq(@extschema@.clv_cuts, @extschema@.clv_cuts) IS 'implementation of = operator';
CREATE FUNCTION clv_internal.clv_cuts_ne(@extschema@.clv_cuts, @extschema@.clv_cuts) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_cuts_ne(@extschema@.clv_cuts, @extschema@.clv_cuts) IS 'implementation of <> operator';
CREATE FUNCTION clv_internal.clv_cuts_lt(@extschema@.clv_cuts, @extschema@.clv_cuts) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_cuts_lt(@extschema@.clv_cuts, @extschema@.clv_cuts) IS 'implementation of < operator';
CREATE FUNCTION clv_internal.clv_cuts_le(@extschema@.clv_cuts, @extschema@.clv_cuts) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_cuts_le(@extschema@.clv_cuts, @extschema@.clv_cuts) IS 'implementation of <= operator';
CREATE FUNCTION clv_internal.clv_cuts_gt(@extschema@.clv_cuts, @extschema@.clv_cuts) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_cuts_gt(@extschema@.clv_cuts, @extschema@.clv_cuts) IS 'implementation of > operator';
CREATE FUNCTION clv_internal.clv_cuts_ge(@extschema@.clv_cuts, @extschema@.clv_cuts) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_cuts_ge(@extschema@.clv_cuts, @extschema@.clv_cuts) IS 'implementation of >= operator';
CREATE FUNCTION clv_internal.clv_cuts_cmp(@extschema@.clv_cuts, @extschema@.clv_cuts) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_cuts_cmp(@extschema@.clv_cuts, @extschema@.clv_cuts) IS
	'order of cuts for sorting, without meaning: -1, 0 or 1';
CREATE FUNCTION clv_internal.clv_cuts_hash(@extschema@.clv_cuts) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_cuts_hash(@extschema@.clv_cuts) IS 'hash: equal cuts have equal ones';
CREATE FUNCTION clv_internal.clv_cuts_hash_extended(@extschema@.clv_cuts, pg_catalog.int8) RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cuts_hash_extended(@extschema@.clv_cuts, pg_catalog.int8) IS
	'64-bit hash with a seed: equal cuts have equal ones';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.clv_cuts, RIGHTARG = @extschema@.clv_cuts, FUNCTION = clv_internal.clv_cuts_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR @extschema@.= (@extschema@.clv_cuts, @extschema@.clv_cuts) IS
	'whether two cuts are the same to the byte';
CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.clv_cuts, RIGHTARG = @extschema@.clv_cuts, FUNCTION = clv_internal.clv_cuts_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.clv_cuts, @extschema@.clv_cuts) IS 'whether two cuts differ';
CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.clv_cuts, RIGHTARG = @extschema@.clv_cuts, FUNCTION = clv_internal.clv_cuts_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
COMMENT ON OPERATOR @extschema@.< (@extschema@.clv_cuts, @extschema@.clv_cuts) IS
	'order of cuts for sorting, without meaning: before';
CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.clv_cuts, RIGHTARG = @extschema@.clv_cuts, FUNCTION = clv_internal.clv_cuts_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.clv_cuts, @extschema@.clv_cuts) IS
	'order of cuts for sorting, without meaning: before or equal';
CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.clv_cuts, RIGHTARG = @extschema@.clv_cuts, FUNCTION = clv_internal.clv_cuts_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
COMMENT ON OPERATOR @extschema@.> (@extschema@.clv_cuts, @extschema@.clv_cuts) IS
	'order of cuts for sorting, without meaning: after';
CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.clv_cuts, RIGHTARG = @extschema@.clv_cuts, FUNCTION = clv_internal.clv_cuts_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.clv_cuts, @extschema@.clv_cuts) IS
	'order of cuts for sorting, without meaning: after or equal';

CREATE OPERATOR CLASS @extschema@.clv_cuts_ops DEFAULT FOR TYPE @extschema@.clv_cuts USING btree AS
	OPERATOR 1 @extschema@.<, OPERATOR 2 @extschema@.<=, OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=, OPERATOR 5 @extschema@.>,
	FUNCTION 1 clv_internal.clv_cuts_cmp(@extschema@.clv_cuts, @extschema@.clv_cuts);
CREATE OPERATOR CLASS @extschema@.clv_cuts_ops DEFAULT FOR TYPE @extschema@.clv_cuts USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 clv_internal.clv_cuts_hash(@extschema@.clv_cuts),
	FUNCTION 2 clv_internal.clv_cuts_hash_extended(@extschema@.clv_cuts, pg_catalog.int8);

-- ---- cutting and scoring --------------------------------------------------------------------

CREATE FUNCTION @extschema@.rfmtc_score(
	history @extschema@.clv_history,
	model @extschema@.clv_model DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	bins pg_catalog.int4 DEFAULT 5
) RETURNS @extschema@.clv_scores
	AS 'MODULE_PATHNAME', 'rfmtc_score_window' LANGUAGE C WINDOW STABLE PARALLEL SAFE COST 25;
COMMENT ON FUNCTION @extschema@.rfmtc_score(
	@extschema@.clv_history, @extschema@.clv_model, pg_catalog.date, pg_catalog.int4) IS
	'window function: the scores of each customer among those of the partition, 1 (worst) to bins (best; 2 to 100): 1 '
	'+ the number of quantiles i/bins below the value, so that ties share a score. Frame and ORDER BY are ignored. '
	'as_of: the model''s day, else that of the last purchase in the partition, not later than today, with a WARNING '
	'where that day is isolated. c and v (value of the next 365.25 days, undiscounted) are NULL without a model. '
	'Customers who did not exist yet get NULL and do not count';

CREATE FUNCTION clv_internal.rfmtc_cuts_accum(pg_catalog.internal, @extschema@.clv_history, pg_catalog.date)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_accum(pg_catalog.internal, @extschema@.clv_history, pg_catalog.date) IS
	'adds one customer to the state of rfmtc_cuts()';
CREATE FUNCTION clv_internal.rfmtc_cuts_accum(
	pg_catalog.internal, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_accum(
	pg_catalog.internal, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model) IS
	'adds one customer to the state of rfmtc_cuts()';
CREATE FUNCTION clv_internal.rfmtc_cuts_accum(
	pg_catalog.internal, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_accum(
	pg_catalog.internal, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4) IS
	'adds one customer to the state of rfmtc_cuts()';
CREATE FUNCTION clv_internal.rfmtc_cuts_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_combine(pg_catalog.internal, pg_catalog.internal) IS
	'joins two states of rfmtc_cuts(); an error where they differ in day, model or bins';
CREATE FUNCTION clv_internal.rfmtc_cuts_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_serialize(pg_catalog.internal) IS
	'sends a state of rfmtc_cuts() to another process';
CREATE FUNCTION clv_internal.rfmtc_cuts_deserialize(pg_catalog.bytea, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
	'receives a state of rfmtc_cuts(); every byte is checked';
CREATE FUNCTION clv_internal.rfmtc_cuts_final(pg_catalog.internal) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_final(pg_catalog.internal) IS
	'the cut points of the population in a state of rfmtc_cuts()';

CREATE AGGREGATE @extschema@.rfmtc_cuts(history @extschema@.clv_history, as_of pg_catalog.date) (
	SFUNC = clv_internal.rfmtc_cuts_accum,
	STYPE = pg_catalog.internal,
	SSPACE = 4096,
	COMBINEFUNC = clv_internal.rfmtc_cuts_combine,
	SERIALFUNC = clv_internal.rfmtc_cuts_serialize,
	DESERIALFUNC = clv_internal.rfmtc_cuts_deserialize,
	FINALFUNC = clv_internal.rfmtc_cuts_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rfmtc_cuts(@extschema@.clv_history, pg_catalog.date) IS
	'the cut points of a population at the quantiles i/bins (interpolated as percentile_cont does), exact, for '
	'rfmtc_score(history, cuts). Without a model there are no cuts of churn and value. Customers who did not exist yet '
	'at as_of are counted as skipped; NULL where none existed. The day, the model and bins must be the same for all '
	'rows';
CREATE AGGREGATE @extschema@.rfmtc_cuts(
	history @extschema@.clv_history, as_of pg_catalog.date, model @extschema@.clv_model) (
	SFUNC = clv_internal.rfmtc_cuts_accum,
	STYPE = pg_catalog.internal,
	SSPACE = 4096,
	COMBINEFUNC = clv_internal.rfmtc_cuts_combine,
	SERIALFUNC = clv_internal.rfmtc_cuts_serialize,
	DESERIALFUNC = clv_internal.rfmtc_cuts_deserialize,
	FINALFUNC = clv_internal.rfmtc_cuts_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rfmtc_cuts(@extschema@.clv_history, pg_catalog.date, @extschema@.clv_model) IS
	'the cut points of a population at the quantiles i/bins (interpolated as percentile_cont does), exact, for '
	'rfmtc_score(history, cuts). Cuts churn and value under the model too; a NULL as_of is the model''s. Customers who '
	'did not exist yet at as_of are counted as skipped; NULL where none existed. The day, the model and bins must be '
	'the same for all rows';
CREATE AGGREGATE @extschema@.rfmtc_cuts(
	history @extschema@.clv_history, as_of pg_catalog.date, model @extschema@.clv_model, bins pg_catalog.int4) (
	SFUNC = clv_internal.rfmtc_cuts_accum,
	STYPE = pg_catalog.internal,
	SSPACE = 4096,
	COMBINEFUNC = clv_internal.rfmtc_cuts_combine,
	SERIALFUNC = clv_internal.rfmtc_cuts_serialize,
	DESERIALFUNC = clv_internal.rfmtc_cuts_deserialize,
	FINALFUNC = clv_internal.rfmtc_cuts_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rfmtc_cuts(
	@extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4) IS
	'the cut points of a population at the quantiles i/bins (interpolated as percentile_cont does), exact, for '
	'rfmtc_score(history, cuts). Cuts churn and value under the model too (NULL: none); a NULL as_of is the model''s; '
	'bins from 2 to 100, NULL is 5. Customers who did not exist yet at as_of are counted as skipped; NULL where none '
	'existed. The day, the model and bins must be the same for all rows';

-- ---- a population as a value, for cuts over several servers -----------------------------------

CREATE TYPE @extschema@.clv_population;

CREATE FUNCTION clv_internal.clv_population_in(pg_catalog.cstring) RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_in(pg_catalog.cstring) IS
	'reads the JSON form of a population; every number is checked, unknown members are errors';
CREATE FUNCTION clv_internal.clv_population_out(@extschema@.clv_population) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_out(@extschema@.clv_population) IS
	'the population as JSON, exact and independent of settings';
CREATE FUNCTION clv_internal.clv_population_recv(pg_catalog.internal) RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_population_recv(pg_catalog.internal) IS
	'reads the binary form of a population; every byte is checked';
CREATE FUNCTION clv_internal.clv_population_send(@extschema@.clv_population) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_population_send(@extschema@.clv_population) IS
	'the binary form of a population, as it is stored';

CREATE TYPE @extschema@.clv_population (
	INPUT = clv_internal.clv_population_in,
	OUTPUT = clv_internal.clv_population_out,
	RECEIVE = clv_internal.clv_population_recv,
	SEND = clv_internal.clv_population_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.clv_population IS
	'what cut points are made of: how many customers have each value of the measures, in some 10 to 300 kB; can be '
	'stored and put together with rfmtc_cuts(clv_population). Of a measure with more than 16,384 different values '
	'these are rounded up, as little as leaves no more. Its text form is JSON';

CREATE FUNCTION clv_internal.clv_population_to_jsonb(@extschema@.clv_population) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_to_jsonb(@extschema@.clv_population) IS
	'the population as jsonb, without loss';
CREATE FUNCTION clv_internal.clv_population_from_jsonb(pg_catalog.jsonb) RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_from_jsonb(pg_catalog.jsonb) IS
	'the population of a jsonb form; an error names what is missing, unknown or out of range';

CREATE CAST (@extschema@.clv_population AS pg_catalog.jsonb)
	WITH FUNCTION clv_internal.clv_population_to_jsonb(@extschema@.clv_population);
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_population)
	WITH FUNCTION clv_internal.clv_population_from_jsonb(pg_catalog.jsonb);
COMMENT ON CAST (@extschema@.clv_population AS pg_catalog.jsonb) IS 'the population as JSON, without loss';
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_population) IS
	'reads what the cast to jsonb has written; every member is checked';


CREATE FUNCTION clv_internal.clv_population_eq(@extschema@.clv_population, @extschema@.clv_population) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_population_eq(@extschema@.clv_population, @extschema@.clv_population) IS 'implementation of = operator';
CREATE FUNCTION clv_internal.clv_population_ne(@extschema@.clv_population, @extschema@.clv_population) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_population_ne(@extschema@.clv_population, @extschema@.clv_population) IS 'implementation of <> operator';
CREATE FUNCTION clv_internal.clv_population_lt(@extschema@.clv_population, @extschema@.clv_population) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_population_lt(@extschema@.clv_population, @extschema@.clv_population) IS 'implementation of < operator';
CREATE FUNCTION clv_internal.clv_population_le(@extschema@.clv_population, @extschema@.clv_population) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_population_le(@extschema@.clv_population, @extschema@.clv_population) IS 'implementation of <= operator';
CREATE FUNCTION clv_internal.clv_population_gt(@extschema@.clv_population, @extschema@.clv_population) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_population_gt(@extschema@.clv_population, @extschema@.clv_population) IS 'implementation of > operator';
CREATE FUNCTION clv_internal.clv_population_ge(@extschema@.clv_population, @extschema@.clv_population) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_population_ge(@extschema@.clv_population, @extschema@.clv_population) IS 'implementation of >= operator';
CREATE FUNCTION clv_internal.clv_population_cmp(@extschema@.clv_population, @extschema@.clv_population) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_population_cmp(@extschema@.clv_population, @extschema@.clv_population) IS
	'order of populations for sorting, without meaning: -1, 0 or 1';
CREATE FUNCTION clv_internal.clv_population_hash(@extschema@.clv_population) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_population_hash(@extschema@.clv_population) IS 'hash: equal populations have equal ones';
CREATE FUNCTION clv_internal.clv_population_hash_extended(@extschema@.clv_population, pg_catalog.int8) RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_population_hash_extended(@extschema@.clv_population, pg_catalog.int8) IS
	'64-bit hash with a seed: equal populations have equal ones';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.clv_population, RIGHTARG = @extschema@.clv_population, FUNCTION = clv_internal.clv_population_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR @extschema@.= (@extschema@.clv_population, @extschema@.clv_population) IS
	'whether two populations are the same to the byte';
CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.clv_population, RIGHTARG = @extschema@.clv_population, FUNCTION = clv_internal.clv_population_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.clv_population, @extschema@.clv_population) IS 'whether two populations differ';
CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.clv_population, RIGHTARG = @extschema@.clv_population, FUNCTION = clv_internal.clv_population_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel);
COMMENT ON OPERATOR @extschema@.< (@extschema@.clv_population, @extschema@.clv_population) IS
	'order of populations for sorting, without meaning: before';
CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.clv_population, RIGHTARG = @extschema@.clv_population, FUNCTION = clv_internal.clv_population_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.clv_population, @extschema@.clv_population) IS
	'order of populations for sorting, without meaning: before or equal';
CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.clv_population, RIGHTARG = @extschema@.clv_population, FUNCTION = clv_internal.clv_population_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel);
COMMENT ON OPERATOR @extschema@.> (@extschema@.clv_population, @extschema@.clv_population) IS
	'order of populations for sorting, without meaning: after';
CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.clv_population, RIGHTARG = @extschema@.clv_population, FUNCTION = clv_internal.clv_population_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.clv_population, @extschema@.clv_population) IS
	'order of populations for sorting, without meaning: after or equal';

CREATE OPERATOR CLASS @extschema@.clv_population_ops DEFAULT FOR TYPE @extschema@.clv_population USING btree AS
	OPERATOR 1 @extschema@.<, OPERATOR 2 @extschema@.<=, OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=, OPERATOR 5 @extschema@.>,
	FUNCTION 1 clv_internal.clv_population_cmp(@extschema@.clv_population, @extschema@.clv_population);
CREATE OPERATOR CLASS @extschema@.clv_population_ops DEFAULT FOR TYPE @extschema@.clv_population USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 clv_internal.clv_population_hash(@extschema@.clv_population),
	FUNCTION 2 clv_internal.clv_population_hash_extended(@extschema@.clv_population, pg_catalog.int8);

CREATE FUNCTION clv_internal.clv_population_merge(@extschema@.clv_population, @extschema@.clv_population)
	RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_merge(@extschema@.clv_population, @extschema@.clv_population) IS
	'the customers of both; NULL: the other. An error where day, model or bins differ';
CREATE FUNCTION clv_internal.clv_population_cuts(@extschema@.clv_population) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_cuts(@extschema@.clv_population) IS
	'the cut points of a population; NULL where no customer existed at its day';

CREATE FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date)
	RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date) IS
	'the population with one more customer; NULL population: a new one; NULL history: unchanged';
CREATE AGGREGATE @extschema@.clv_population(
	history @extschema@.clv_history, as_of pg_catalog.date) (
	SFUNC = clv_internal.clv_population_add_history, STYPE = @extschema@.clv_population, SSPACE = 65536,
	COMBINEFUNC = clv_internal.clv_population_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_population(
	@extschema@.clv_history, pg_catalog.date) IS
	'what rfmtc_cuts(history, as_of) makes cut points of, as a value; can be stored, and put together by '
	'rfmtc_cuts(clv_population). NULL histories are ignored; NULL where there is none';
CREATE FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model)
	RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model) IS
	'the population with one more customer; NULL population: a new one; NULL history: unchanged';
CREATE AGGREGATE @extschema@.clv_population(
	history @extschema@.clv_history, as_of pg_catalog.date, model @extschema@.clv_model) (
	SFUNC = clv_internal.clv_population_add_history, STYPE = @extschema@.clv_population, SSPACE = 65536,
	COMBINEFUNC = clv_internal.clv_population_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_population(
	@extschema@.clv_history, pg_catalog.date, @extschema@.clv_model) IS
	'what rfmtc_cuts(history, as_of, model) makes cut points of, as a value; can be stored, and put together by '
	'rfmtc_cuts(clv_population). NULL histories are ignored; NULL where there is none';
CREATE FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4)
	RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4) IS
	'the population with one more customer; NULL population: a new one; NULL history: unchanged';
CREATE AGGREGATE @extschema@.clv_population(
	history @extschema@.clv_history, as_of pg_catalog.date, model @extschema@.clv_model, bins pg_catalog.int4) (
	SFUNC = clv_internal.clv_population_add_history, STYPE = @extschema@.clv_population, SSPACE = 65536,
	COMBINEFUNC = clv_internal.clv_population_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_population(
	@extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4) IS
	'what rfmtc_cuts(history, as_of, model, bins) makes cut points of, as a value; can be stored, and put together by '
	'rfmtc_cuts(clv_population). NULL histories are ignored; NULL where there is none';
CREATE AGGREGATE @extschema@.rfmtc_cuts(population @extschema@.clv_population) (
	SFUNC = clv_internal.clv_population_merge, STYPE = @extschema@.clv_population, SSPACE = 65536,
	FINALFUNC = clv_internal.clv_population_cuts, COMBINEFUNC = clv_internal.clv_population_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.rfmtc_cuts(@extschema@.clv_population) IS
	'the cut points of all customers in populations, the same in any split. Those of a measure with at most 16,384 '
	'different values are what rfmtc_cuts(history, ...) gives, to the bit; of others each is the value at the '
	'quantile, rounded up as clv_population says. The day, the model and bins must be the same for all';

CREATE FUNCTION @extschema@.rfmtc_score(
	history @extschema@.clv_history,
	cuts @extschema@.clv_cuts,
	as_of pg_catalog.date DEFAULT NULL
) RETURNS @extschema@.clv_scores
	AS 'MODULE_PATHNAME', 'rfmtc_score_cuts' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.rfmtc_score(@extschema@.clv_history, @extschema@.clv_cuts, pg_catalog.date) IS
	'the scores of a customer against stored cut points, under the cuts'' own model; as_of: the cuts'' day where none '
	'is given. The same scores as by the window function over the population the cuts were made from. NULL for NULL '
	'arguments and for a customer who did not exist yet; of cuts by clv_cuts scores without limits are NULL';

CREATE FUNCTION @extschema@.clv_cuts(
	r pg_catalog.float8[] DEFAULT NULL,
	f pg_catalog.float8[] DEFAULT NULL,
	m pg_catalog.float8[] DEFAULT NULL,
	t pg_catalog.float8[] DEFAULT NULL,
	c pg_catalog.float8[] DEFAULT NULL,
	v pg_catalog.float8[] DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	model @extschema@.clv_model DEFAULT NULL
) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME', 'clv_cuts_given' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.clv_cuts(
	pg_catalog.float8[], pg_catalog.float8[], pg_catalog.float8[], pg_catalog.float8[], pg_catalog.float8[],
	pg_catalog.float8[], pg_catalog.date, @extschema@.clv_model) IS
	'cut points with limits of your own, for rfmtc_score(history, cuts): r days since the last purchase, f purchases, '
	'm total spend, t days since the first purchase, c probability of churn, v value of the year ahead; n limits in '
	'ascending order make n + 1 scores, and a value that equals a limit counts below it. Numbers of scores may differ; '
	'scores without limits are NULL. c and v need the model to measure by. as_of: the day to score as of, the model''s '
	'where none is given; without either, rfmtc_score asks for one';

CREATE FUNCTION @extschema@.clv_cut_points(
	cuts @extschema@.clv_cuts,
	OUT score pg_catalog.text,
	OUT measure pg_catalog.text,
	OUT value pg_catalog.int2,
	OUT above pg_catalog.float8,
	OUT up_to pg_catalog.float8
) RETURNS SETOF pg_catalog.record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 30;
COMMENT ON FUNCTION @extschema@.clv_cut_points(@extschema@.clv_cuts) IS
	'the limits of cut points, a row for each value of each score: its measure lies above the one and up to the other, '
	'NULL where there is no limit. No customer has a score of which both are the same number. Measures as in clv_cuts';
-- ---- what the most valuable customers have in common, and who else has it ----------------------------

CREATE FUNCTION clv_internal.clv_profile_add(pg_catalog.internal, pg_catalog.float8, pg_catalog.jsonb)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_profile_add(pg_catalog.internal, pg_catalog.float8, pg_catalog.jsonb) IS
	'of clv_profile: takes a customer into the state; those without a value are counted only';
CREATE FUNCTION clv_internal.clv_profile_final(pg_catalog.internal) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION clv_internal.clv_profile_final(pg_catalog.internal) IS 'of clv_profile: the profile';
CREATE AGGREGATE @extschema@.clv_profile(value pg_catalog.float8, attributes pg_catalog.jsonb) (
	SFUNC = clv_internal.clv_profile_add, STYPE = pg_catalog.internal, SSPACE = 65536,
	FINALFUNC = clv_internal.clv_profile_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_profile(pg_catalog.float8, pg_catalog.jsonb) IS
	'which traits the tenth of customers with the highest values has more often than the rest: for '
	'clv_profile_traits, which lists them, and clv_profile_score. attributes: an object of values and arrays of '
	'values; NULL is no trait, objects within it are an error, and an attribute of more than 200 values, or of one of '
	'more than 200 bytes, is left out and named. Customers with a NULL value are skipped and counted. The same to the '
	'last bit in any order of rows; NULL without customers, or where more than a fifth share the highest value';

CREATE FUNCTION @extschema@.clv_profile_traits(
	profile pg_catalog.jsonb,
	OUT attribute pg_catalog.text,
	OUT value pg_catalog.text,
	OUT customers pg_catalog.int8,
	OUT best_share pg_catalog.float8,
	OUT rest_share pg_catalog.float8,
	OUT lift pg_catalog.float8,
	OUT lift_low pg_catalog.float8,
	OUT lift_high pg_catalog.float8,
	OUT p_value pg_catalog.float8,
	OUT q_value pg_catalog.float8,
	OUT named pg_catalog.bool
) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 50
SET search_path = pg_catalog, pg_temp
AS $sql$
	WITH trait AS (
		SELECT a.key AS attribute, v.key AS value, (v.value ->> 'best')::float8 AS best,
			(v.value ->> 'rest')::float8 AS rest, (v.value ->> 'p')::float8 AS p, (v.value ->> 'q')::float8 AS q,
			($1 ->> 'best')::float8 AS all_best, ($1 ->> 'customers')::float8 - ($1 ->> 'best')::float8 AS all_rest
		FROM jsonb_each($1 -> 'traits') a, jsonb_each(a.value) v
	), measured AS (
		SELECT t.*, ln((t.best + 0.5) / (t.all_best + 1) / ((t.rest + 0.5) / (t.all_rest + 1))) AS ratio,
			1.959963984540054 * sqrt(greatest(1 / (t.best + 0.5) - 1 / (t.all_best + 1) + 1 / (t.rest + 0.5)
				- 1 / (t.all_rest + 1), 0)) AS margin
		FROM trait t
	)
	SELECT m.attribute, m.value, (m.best + m.rest)::int8, m.best / m.all_best, m.rest / m.all_rest,
		m.best / m.all_best / nullif(m.rest / m.all_rest, 0), exp(m.ratio - m.margin), exp(m.ratio + m.margin),
		m.p, m.q, m.q <= 0.05
	FROM measured m
	ORDER BY m.q, m.p, abs(m.ratio) DESC, m.attribute COLLATE "C", m.value COLLATE "C"
$sql$;
COMMENT ON FUNCTION @extschema@.clv_profile_traits(pg_catalog.jsonb) IS
	'the traits of a profile (clv_profile) that at least five customers have and not all, the surest first: customers '
	'who have it; its share among the best and among the rest; lift, the first over the second (NULL where none of the '
	'rest has it), with its 95 % limits, half a customer added; the p-value of Fisher''s exact test, and q, the same '
	'with all traits taken into account (Benjamini and Hochberg); named: q is at most 0.05';

CREATE FUNCTION @extschema@.clv_profile_score(profile pg_catalog.jsonb, attributes pg_catalog.jsonb)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_profile_score(pg_catalog.jsonb, pg_catalog.jsonb) IS
	'probability that somebody with these attributes becomes one of the best customers of a profile (clv_profile), as '
	'if traits were independent of each other: for ranking prospects whose purchases nobody has seen. Traits that the '
	'profile does not know count nothing; how well scores rank is the auc in the profile';
-- ---- segments: names for scores ---------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_segment_rule_valid(
	map pg_catalog.text,
	"position" pg_catalog.int4,
	segment pg_catalog.text,
	rule pg_catalog.jsonb
) RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_segment_rule_valid(
	pg_catalog.text, pg_catalog.int4, pg_catalog.text, pg_catalog.jsonb) IS
	'true for a rule that segment_assign() can read; else an error that names the map, the rule and the key. Guards '
	'clv_segment_map';

CREATE TABLE @extschema@.clv_segment_map (
	map pg_catalog.text NOT NULL
		CHECK (map OPERATOR(pg_catalog.<>) '' AND NOT map OPERATOR(pg_catalog.~) E'^\\s*\\['
			   AND map OPERATOR(pg_catalog.<>) 'auto'),
	"position" pg_catalog.int4 NOT NULL,
	segment pg_catalog.text NOT NULL,
	rule pg_catalog.jsonb NOT NULL DEFAULT '{}',
	description pg_catalog.text,
	builtin pg_catalog.bool NOT NULL DEFAULT false,
	PRIMARY KEY (map, builtin, "position"),
	CONSTRAINT clv_segment_map_rule CHECK (clv_internal.clv_segment_rule_valid(map, "position", segment, rule))
);
COMMENT ON TABLE @extschema@.clv_segment_map IS
	'the maps that segment_assign() finds by name: shipped ones (builtin) and your own. Rules are tried in the order '
	'of their position, the first that holds names the segment. A map of your own replaces a shipped one of the same '
	'name';
COMMENT ON COLUMN @extschema@.clv_segment_map.map IS
	'name of the map; not auto, by which segment_assign() chooses one; must not start with [, which marks a rule list';
COMMENT ON COLUMN @extschema@.clv_segment_map."position" IS 'order of the rule in its map';
COMMENT ON COLUMN @extschema@.clv_segment_map.segment IS
	'name of the segment; {r}, {f}, {m}, {t}, {c}, {v} in it stand for the score';
COMMENT ON COLUMN @extschema@.clv_segment_map.rule IS
	'the tests, all of which must hold: "r": 5, "r": [4,5] or "r": {"min":4} for a score; "rfm": ["555","554"] for '
	'cells of several; "value": {"churn": {"above":0.66}} for values themselves (recency, frequency, monetary, tenure, '
	'p_alive, churn, expected_purchases, expected_revenue, clv, next_purchase_value, total_value, active_30d, '
	'active_90d); "attributes": {"trend": {"above":0}, "channel": ["web","app"]}; {} holds always';
COMMENT ON COLUMN @extschema@.clv_segment_map.description IS 'description of the segment';
COMMENT ON COLUMN @extschema@.clv_segment_map.builtin IS
	'shipped with the extension: not to be changed, and not dumped';

-- The table is owned by the superuser whose rights the script has, because C uses its rows in the sessions of all
-- users. The role that installs the extension may change rows, and grant that to others.
GRANT SELECT ON @extschema@.clv_segment_map TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON @extschema@.clv_segment_map TO @extowner@ WITH GRANT OPTION;
SELECT pg_catalog.pg_extension_config_dump('@extschema@.clv_segment_map', 'WHERE NOT builtin');

CREATE FUNCTION @extschema@.segment_assign(
	scores @extschema@.clv_scores,
	map pg_catalog.text DEFAULT 'auto',
	attributes pg_catalog.jsonb DEFAULT NULL
) RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION @extschema@.segment_assign(@extschema@.clv_scores, pg_catalog.text, pg_catalog.jsonb) IS
	'the name of the segment: of the first rule that holds in the map of that name (table clv_segment_map), or in a '
	'JSON rule list (text that starts with [); auto: rfmtc for scores made with a model, else rfm. attributes: what '
	'rules test as attributes and values; P(alive) and churn come with the scores. NULL where no rule holds, and for '
	'NULL scores (not yet a customer). Once a rule is reached, a NULL score or a missing attribute that it needs is '
	'an error; so is a score above the '
	'number of bins that a shipped map is written for, and for your own maps where no rule holds';

CREATE FUNCTION clv_internal.clv_segment_or_null(@extschema@.clv_scores, pg_catalog.text, pg_catalog.jsonb)
	RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION clv_internal.clv_segment_or_null(@extschema@.clv_scores, pg_catalog.text, pg_catalog.jsonb) IS
	'the segment of scores as segment_assign says, NULL where a score or attribute that it needs is not known';

CREATE FUNCTION @extschema@.clv_segment_check(
	map pg_catalog.text,
	bins pg_catalog.int4 DEFAULT 5,
	OUT finding pg_catalog.text,
	OUT rule pg_catalog.int4,
	OUT segment pg_catalog.text,
	OUT other_rule pg_catalog.int4,
	OUT cells pg_catalog.int8,
	OUT of_cells pg_catalog.int8,
	OUT example pg_catalog.text
) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 2000 ROWS 10;
COMMENT ON FUNCTION @extschema@.clv_segment_check(pg_catalog.text, pg_catalog.int4) IS
	'gaps, overlaps and unreachable rules of a map or rule list, over every cell of the scores (1 to bins) and ranges '
	'of attributes that its rules tell apart: gap (no rule holds), overlap (a rule also holds where other_rule, before '
	'it, already does; harmless where intended), unreachable (a rule that is never the first). cells of of_cells, and '
	'one as an example. No rows: complete and disjoint. A rule without tests is not reported as an overlap';

CREATE FUNCTION @extschema@.clv_segment_inputs(
	map pg_catalog.text,
	OUT kind pg_catalog.text,
	OUT name pg_catalog.text,
	OUT highest pg_catalog.int4
) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 500 ROWS 4;
COMMENT ON FUNCTION @extschema@.clv_segment_inputs(pg_catalog.text) IS
	'the inputs of the rules of a map or rule list: kind score (r, f, m, t, c, v), value or attribute, its name, and '
	'the highest score that they list (NULL where a test has no upper bound, for values and attributes)';

CREATE FUNCTION clv_internal.clv_segment_rules(map pg_catalog.text) RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.clv_segment_rules(pg_catalog.text) IS
	'the rules of a map as a JSON list, which segment_assign takes in the place of its name; a list as it is. An '
	'error where there is no such map. A part of pipelines';

-- The number of bins; an error if the rules of a map list scores that do not exist with so many bins, or none of those
-- above 5.
CREATE FUNCTION clv_internal.clv_segment_bins(map pg_catalog.text, bins pg_catalog.int4) RETURNS pg_catalog.int4
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	highest int4 := (SELECT max(i.highest) FROM @extschema@.clv_segment_inputs(map) AS i);
	-- a map that mentions scores up to 3 may mean 5; one that mentions 5 does not mean 3
	most int4 := CASE WHEN highest IS NOT NULL THEN greatest(highest, 5) END;
BEGIN
	IF bins < highest OR bins > most THEN
		PERFORM clv_internal.clv_raise(format('map %s is written for scores up to %s, not for bins => %s',
				CASE WHEN map ~ E'^\\s*\\[' THEN 'given as rules' ELSE quote_ident(map) END,
				CASE WHEN bins > most THEN most ELSE highest END, bins),
			NULL::text,
			$hint$Leave bins out; or write a map for yours, or take 'micro', which knows any number.$hint$::text,
			'invalid_parameter_value'::text);
	END IF;
	RETURN bins;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_segment_bins(pg_catalog.text, pg_catalog.int4) IS
	'the number of bins; an error where the rules of a map list scores that there are not with so many bins, or none '
	'of those above 5. A part of the quick look and of pipelines';
-- ---- the shipped maps --------------------------------------------------------------------------
-- 'rfmtc' asks first whether there still is a customer: P(alive) itself, not its rank. 'rfm' and 'rf' are the two maps
-- of the marketing literature that give every cell exactly one name. Maps over scores are written for 5 bins ('micro'
-- for any).

INSERT INTO @extschema@.clv_segment_map (map, "position", segment, rule, description, builtin) VALUES
	('rfmtc', 1, 'Champions', '{"value": {"p_alive": {"min": 0.8}}, "t": [2, 3, 4, 5], "v": 5}',
		'here, and the most valuable fifth: thank them, ask them, let them try what is new; no discount', true),
	('rfmtc', 2, 'Loyal', '{"value": {"p_alive": {"min": 0.8}}, "t": [2, 3, 4, 5], "v": 4}',
		'here, and valuable: offer more of the range, and what keeps them', true),
	('rfmtc', 3, 'Steady', '{"value": {"p_alive": {"min": 0.8}}, "t": [2, 3, 4, 5], "v": 3}',
		'here, in the middle of the value: the usual mailings are enough', true),
	('rfmtc', 4, 'Occasional', '{"value": {"p_alive": {"min": 0.8}}, "t": [2, 3, 4, 5], "v": [1, 2]}',
		'here, and buy little: cheap channels, offers that raise what they spend at a time', true),
	('rfmtc', 5, 'Rising Stars', '{"value": {"p_alive": {"min": 0.5}}, "t": 1, "v": [4, 5]}',
		'the fifth that came last, and already valuable: make the next orders easy, and learn why they came', true),
	('rfmtc', 6, 'Newest', '{"value": {"p_alive": {"min": 0.5}}, "t": 1, "v": [1, 2, 3]}',
		'the fifth that came last: welcome them, the second order is the step that matters', true),
	('rfmtc', 7, 'Valuable At Risk',
		'{"value": {"p_alive": {"min": 0.5, "below": 0.8}}, "t": [2, 3, 4, 5], "v": [4, 5]}',
		'valuable, and may have left: write before the lapse date, in person where that pays', true),
	('rfmtc', 8, 'Cooling', '{"value": {"p_alive": {"min": 0.5, "below": 0.8}}, "t": [2, 3, 4, 5], "v": [1, 2, 3]}',
		'may have left, and are worth less: a reminder that costs little', true),
	('rfmtc', 9, 'Win Back First', '{"value": {"p_alive": {"below": 0.5}}, "v": [4, 5]}',
		'probably gone, yet among the most valuable two fifths: win them back first, and ask why they went', true),
	('rfmtc', 10, 'Former Regulars', '{"value": {"p_alive": {"below": 0.5}}, "v": [1, 2, 3], "f": [4, 5]}',
		'bought often, and are probably gone: one good offer, then let go', true),
	('rfmtc', 11, 'Passed Through', '{"value": {"p_alive": {"below": 0.5}}, "v": [1, 2, 3], "f": [1, 2, 3], "t": 1}',
		'came last, bought little, and are probably gone: look at what brought them here', true),
	('rfmtc', 12, 'Lost',
		'{"value": {"p_alive": {"below": 0.5}}, "v": [1, 2, 3], "f": [1, 2, 3], "t": [2, 3, 4, 5]}',
		'bought little, and are probably gone: spend nothing on them', true),
	('rfm', 1, 'Champions',
		'{"rfm": ["555", "554", "544", "545", "454", "455", "445"]}',
		'bought recently, buy often and spend most', true),
	('rfm', 2, 'Loyal',
		'{"rfm": ["543", "444", "435", "355", "354", "345", "344", "335"]}',
		'buy often and spend well', true),
	('rfm', 3, 'Potential Loyalist',
		'{"rfm": ["553", "551", "552", "541", "542", "533", "532", "531", "452", "451", "442", "441", "431", "453", '
		'"433", "432", "423", "353", "352", "351", "342", "341", "333", "323"]}',
		'recent, with more than one purchase', true),
	('rfm', 4, 'New Customers',
		'{"rfm": ["512", "511", "422", "421", "412", "411", "311"]}',
		'bought recently, but not often', true),
	('rfm', 5, 'Promising',
		'{"rfm": ["525", "524", "523", "522", "521", "515", "514", "513", "425", "424", "413", "414", "415", "315", '
		'"314", "313"]}',
		'recent and spending, but not often', true),
	('rfm', 6, 'Need Attention',
		'{"rfm": ["535", "534", "443", "434", "343", "334", "325", "324"]}',
		'above average, but not so recent', true),
	('rfm', 7, 'About To Sleep',
		'{"rfm": ["331", "321", "312", "221", "213", "231", "241", "251"]}',
		'below average, and slipping away', true),
	('rfm', 8, 'At Risk',
		'{"rfm": ["255", "254", "245", "244", "253", "252", "243", "242", "235", "234", "225", "224", "153", "152", '
		'"145", "143", "142", "135", "134", "133", "125", "124"]}',
		'spent much and bought often, long ago', true),
	('rfm', 9, 'Can''t Lose Them',
		'{"rfm": ["155", "154", "144", "214", "215", "115", "114", "113"]}',
		'spent most, and have not been back for long', true),
	('rfm', 10, 'Hibernating',
		'{"rfm": ["332", "322", "233", "232", "223", "222", "132", "123", "122", "212", "211"]}',
		'last purchase long ago, few and small ones', true),
	('rfm', 11, 'Lost',
		'{"rfm": ["111", "112", "121", "131", "141", "151"]}',
		'lowest recency, frequency and spend', true),
	('rf', 1, 'Champions', '{"r": [5], "f": [4, 5]}', 'recent and frequent', true),
	('rf', 2, 'Loyal Customers', '{"r": [3, 4], "f": [4, 5]}', 'frequent, of late too', true),
	('rf', 3, 'Potential Loyalists', '{"r": [4, 5], "f": [2, 3]}', 'recent, with some purchases', true),
	('rf', 4, 'New Customers', '{"r": [5], "f": [1]}', 'bought for the first time just now', true),
	('rf', 5, 'Promising', '{"r": [4], "f": [1]}', 'bought recently, once', true),
	('rf', 6, 'Need Attention', '{"r": [3], "f": [3]}', 'average in both', true),
	('rf', 7, 'About To Sleep', '{"r": [3], "f": [1, 2]}', 'below average, and slipping away', true),
	('rf', 8, 'Can''t Lose', '{"r": [1, 2], "f": [5]}', 'bought most often, long ago', true),
	('rf', 9, 'At Risk', '{"r": [1, 2], "f": [3, 4]}', 'bought often, long ago', true),
	('rf', 10, 'Hibernating', '{"r": [1, 2], "f": [1, 2]}', 'few purchases, long ago', true),
	('abc', 1, 'A',
		'{"attributes": {"cumulative_share": {"below": 0.8}}}',
		'the customers who bring the first 80 % of past spend', true),
	('abc', 2, 'B',
		'{"attributes": {"cumulative_share": {"min": 0.8, "below": 0.95}}}',
		'those who bring the next 15 %', true),
	('abc', 3, 'C', '{}', 'those who bring the last 5 %', true),
	('potential', 1, 'Stars', '{"m": [4, 5], "v": [4, 5]}', 'spent much, and will', true),
	('potential', 2, 'Rising',
		'{"m": [1, 2, 3], "v": [4, 5]}',
		'worth more tomorrow than yesterday''s spend says', true),
	('potential', 3, 'Fading', '{"m": [4, 5], "v": [3]}', 'spent much, and will spend less', true),
	('potential', 4, 'Former Stars', '{"m": [4, 5], "v": [1, 2]}', 'spent much, and hardly will again', true),
	('potential', 5, 'Steady', '{"m": [1, 2, 3], "v": [3]}', 'in the middle of the years ahead', true),
	('potential', 6, 'Minor', '{"m": [1, 2, 3], "v": [1, 2]}', 'little spend, behind and ahead', true),
	('lifecycle', 1, 'New', '{"t": [1]}', 'the fifth that came last', true),
	('lifecycle', 2, 'Lost', '{"c": [1, 2], "r": [1, 2]}', 'probably gone, and not seen for long', true),
	('lifecycle', 3, 'Declining',
		'{"attributes": {"trend": {"below": -0.34}}}',
		'bought far more in the older half of the time since the first purchase', true),
	('lifecycle', 4, 'Declining', '{"c": [1, 2]}', 'bought lately, but less than they used to', true),
	('lifecycle', 5, 'Growing', '{"attributes": {"trend": {"above": 0}}}', 'buy more in the younger half', true),
	('lifecycle', 6, 'Loyal', '{"t": [2, 3, 4, 5], "c": [3, 4, 5]}', 'keep on buying', true),
	('micro', 1, 'r{r}f{f}m{m}', '{}', 'one segment for each cell of r, f and m', true),
	-- the last rule is for what is none of the four words, so that it is seen
	('value x satisfaction', 1, 'Must Not Lose',
		'{"v": [4, 5], "attributes": {"satisfaction": "detractor"}}',
		'valuable and unhappy: talk to them first', true),
	('value x satisfaction', 2, 'Win Over',
		'{"v": [4, 5], "attributes": {"satisfaction": "passive"}}',
		'valuable and lukewarm: open to a better offer, from you or from others', true),
	('value x satisfaction', 3, 'Advocates',
		'{"v": [4, 5], "attributes": {"satisfaction": "promoter"}}',
		'valuable and enthusiastic: let them speak for you', true),
	('value x satisfaction', 4, 'Ask First',
		'{"v": [4, 5], "attributes": {"satisfaction": "unknown"}}',
		'valuable, satisfaction not known: ask them in the next survey', true),
	('value x satisfaction', 5, 'Unhappy',
		'{"v": [1, 2, 3], "attributes": {"satisfaction": "detractor"}}',
		'unhappy and worth less: mend what many of them name', true),
	('value x satisfaction', 6, 'Content',
		'{"v": [1, 2, 3], "attributes": {"satisfaction": "passive"}}',
		'neither enthusiastic nor worth much', true),
	('value x satisfaction', 7, 'Fans',
		'{"v": [1, 2, 3], "attributes": {"satisfaction": "promoter"}}',
		'enthusiastic, and could buy more', true),
	('value x satisfaction', 8, 'Not Asked',
		'{"v": [1, 2, 3], "attributes": {"satisfaction": "unknown"}}',
		'worth less, satisfaction not known', true),
	('value x satisfaction', 9, 'Unclear', '{}',
		'satisfaction is not promoter, passive, detractor or unknown: to be mended', true);

CREATE FUNCTION clv_internal.clv_segment_map_guard() RETURNS pg_catalog.trigger
	LANGUAGE plpgsql COST 20 AS $$
BEGIN
	IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE'
	   OR TG_OP OPERATOR(pg_catalog.<>) 'INSERT' AND OLD.builtin
	   OR TG_OP OPERATOR(pg_catalog.<>) 'DELETE' AND NEW.builtin
	THEN
		RAISE EXCEPTION 'the shipped segment maps cannot be changed'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Copy the rows of a map with builtin = false and change those: a map of your own replaces '
					'a shipped one of the same name.';
	END IF;
	IF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
		RETURN OLD;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_segment_map_guard() IS
	'trigger that refuses changes of shipped maps, because pg_dump would lose them';
REVOKE EXECUTE ON FUNCTION clv_internal.clv_segment_map_guard() FROM PUBLIC;
CREATE TRIGGER clv_segment_map_guard BEFORE INSERT OR UPDATE OR DELETE ON @extschema@.clv_segment_map
	FOR EACH ROW EXECUTE FUNCTION clv_internal.clv_segment_map_guard();
COMMENT ON TRIGGER clv_segment_map_guard ON @extschema@.clv_segment_map IS 'keeps the shipped maps as they are';
CREATE TRIGGER clv_segment_map_guard_truncate BEFORE TRUNCATE ON @extschema@.clv_segment_map
	FOR EACH STATEMENT EXECUTE FUNCTION clv_internal.clv_segment_map_guard();
COMMENT ON TRIGGER clv_segment_map_guard_truncate ON @extschema@.clv_segment_map IS
	'keeps the shipped maps as they are';

CREATE FUNCTION clv_internal.clv_segment_map_on_workers() RETURNS pg_catalog.trigger
LANGUAGE plpgsql COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	workers text;
BEGIN
	IF to_regclass('pg_catalog.pg_dist_node') IS NOT NULL THEN
		EXECUTE $sql$
			SELECT string_agg(n.nodename || ':' || n.nodeport, ', ' ORDER BY n.nodeid)
			FROM pg_catalog.pg_dist_local_group g
			JOIN pg_catalog.pg_dist_node n ON n.groupid <> g.groupid
			WHERE g.groupid = 0
		$sql$ INTO workers;
	END IF;
	IF workers IS NOT NULL THEN
		RAISE WARNING 'segment maps have been changed on this server, and not on its workers: %', workers
			USING DETAIL = 'segment_assign over distributed tables is evaluated on workers, by the maps that they '
					'have. Pipelines send the rules along.',
				HINT = 'Run the same statement on each of them, for instance with run_command_on_workers.';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_segment_map_on_workers() IS
	'trigger that warns where maps are changed on a coordinator of Citus, whose workers have tables of their own';
REVOKE EXECUTE ON FUNCTION clv_internal.clv_segment_map_on_workers() FROM PUBLIC;
CREATE TRIGGER clv_segment_map_on_workers AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.clv_segment_map
	FOR EACH STATEMENT EXECUTE FUNCTION clv_internal.clv_segment_map_on_workers();
COMMENT ON TRIGGER clv_segment_map_on_workers ON @extschema@.clv_segment_map IS
	'warns where workers of Citus are left with other maps';
-- ---- satisfaction: the Net Promoter Score ------------------------------------------------------

CREATE TYPE @extschema@.clv_nps_score AS (
	responses pg_catalog.int8,
	promoters pg_catalog.int8,
	passives pg_catalog.int8,
	detractors pg_catalog.int8,
	nps pg_catalog.float8,
	margin_of_error pg_catalog.float8,
	low pg_catalog.float8,
	high pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_nps_score IS
	'the result of clv_nps: the Net Promoter Score of ratings, its parts, and its confidence interval';
COMMENT ON COLUMN @extschema@.clv_nps_score.responses IS 'number of ratings';
COMMENT ON COLUMN @extschema@.clv_nps_score.promoters IS 'ratings of 9 and 10';
COMMENT ON COLUMN @extschema@.clv_nps_score.passives IS 'ratings of 7 and 8';
COMMENT ON COLUMN @extschema@.clv_nps_score.detractors IS 'ratings of 0 to 6';
COMMENT ON COLUMN @extschema@.clv_nps_score.nps IS 'percentage of promoters less percentage of detractors, -100 to 100';
COMMENT ON COLUMN @extschema@.clv_nps_score.margin_of_error IS
	'half the width of the 95 % confidence interval, before it is cut off at -100 and 100; in the unit of nps';
COMMENT ON COLUMN @extschema@.clv_nps_score.low IS
	'lower end of the 95 % confidence interval of nps (adjusted Wald, Rocks 2016), not below -100';
COMMENT ON COLUMN @extschema@.clv_nps_score.high IS 'upper end of the 95 % confidence interval of nps, not above 100';

-- The state is an array of the three counts: a type that shards can send. COST in units of 20 ns.

CREATE FUNCTION clv_internal.clv_nps_add(pg_catalog.int8[], pg_catalog.float8) RETURNS pg_catalog.int8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_nps_add(pg_catalog.int8[], pg_catalog.float8) IS 'of clv_nps: counts a rating';
CREATE FUNCTION clv_internal.clv_nps_remove(pg_catalog.int8[], pg_catalog.float8) RETURNS pg_catalog.int8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_nps_remove(pg_catalog.int8[], pg_catalog.float8) IS
	'of clv_nps: removes a rating that has left the frame of a window';
CREATE FUNCTION clv_internal.clv_nps_combine(pg_catalog.int8[], pg_catalog.int8[]) RETURNS pg_catalog.int8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_nps_combine(pg_catalog.int8[], pg_catalog.int8[]) IS 'of clv_nps: adds two counts';
CREATE FUNCTION clv_internal.clv_nps_final(pg_catalog.int8[]) RETURNS @extschema@.clv_nps_score
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_nps_final(pg_catalog.int8[]) IS 'of clv_nps: the result of the counts';

CREATE AGGREGATE @extschema@.clv_nps(rating pg_catalog.float8) (
	SFUNC = clv_internal.clv_nps_add, STYPE = pg_catalog.int8[], INITCOND = '{0,0,0}',
	FINALFUNC = clv_internal.clv_nps_final, COMBINEFUNC = clv_internal.clv_nps_combine,
	MSFUNC = clv_internal.clv_nps_add, MINVFUNC = clv_internal.clv_nps_remove, MSTYPE = pg_catalog.int8[],
	MINITCOND = '{0,0,0}',
	MFINALFUNC = clv_internal.clv_nps_final,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_nps(pg_catalog.float8) IS
	'Net Promoter Score of ratings from 0 to 10: promoters (9, 10), passives (7, 8), detractors (0 to 6), the score '
	'from -100 to 100, and its 95 % confidence interval (adjusted Wald with 3/4, 3/2 and 3/4 answers added, Rocks '
	'2016). NULLs are ignored; NULL where there are no ratings. Any value other than a whole number from 0 to 10 is an '
	'error';
-- ---- the quick look: one call over a table, view or query ------------------------------------------------
--
-- One statement, in clv_quick_customers, reads what the caller names, with the rights and the search_path of the
-- caller. All that follows is static SQL.

-- The day to look from: as_of, or the last purchase up to today; NULL without one. Raises NOTICEs of rows and customers
-- that are left out, and a WARNING of an isolated last day.
CREATE FUNCTION clv_internal.clv_quick_day(
	as_of pg_catalog.date,
	days pg_catalog.date[],
	customers pg_catalog.int8[],
	future pg_catalog.int8,
	never pg_catalog.int8,
	guests pg_catalog.int8
) RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_quick_day(
	pg_catalog.date, pg_catalog.date[], pg_catalog.int8[], pg_catalog.int8, pg_catalog.int8, pg_catalog.int8) IS
	'as_of, or the last of the days, up to today, on which so many customers bought last; says how many customers have '
	'purchases after today (future), how many none (never), and how many rows have no customer (guests), and warns of '
	'an isolated last day. A part of the quick look';

-- ---- reading -----------------------------------------------------------------------------------------------

-- The call that makes a history of the columns of s for time and amount (NULL: without money), cast to the types that
-- it takes. The types are those below domains.
CREATE FUNCTION clv_internal.clv_quick_history_call(
	bought_at pg_catalog.text,
	time_type pg_catalog.regtype,
	amount pg_catalog.text,
	amount_type pg_catalog.regtype
) RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 500
BEGIN ATOMIC
	SELECT format('%s.clv_history(s.%I::pg_catalog.%I', '@extschema@', bought_at, t.typname)
		|| CASE WHEN amount IS NULL THEN ''
			WHEN amount_type = 'float8'::regtype THEN format(', s.%I::pg_catalog.float8', amount)
			ELSE format(', s.%I::pg_catalog.numeric', amount) END
		|| ')'
	FROM pg_type AS t
	WHERE t.oid = time_type;
END;
COMMENT ON FUNCTION clv_internal.clv_quick_history_call(
	pg_catalog.text, pg_catalog.regtype, pg_catalog.text, pg_catalog.regtype) IS
	'the call that makes a history of the columns of s for time and amount (NULL: without money). A part of the quick '
	'look';

-- The hint for a column of another type: a query that casts it, or, where it cannot be cast, to give another one.
CREATE FUNCTION clv_internal.clv_quick_cast_hint(
	title pg_catalog.text,
	column_name pg_catalog.text,
	column_type pg_catalog.oid,
	type pg_catalog.regtype,
	argument pg_catalog.text
) RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 500
RETURN CASE
	WHEN clv_internal.clv_source_can_cast(column_type, ARRAY[type])
	THEN format('A query as source can cast it: SELECT ..., %I::%s AS %s%s.', column_name,
		(SELECT t.typname FROM pg_type AS t WHERE t.oid = type), argument,
		CASE WHEN title <> 'the query' THEN ' FROM ' || title ELSE '' END)
	ELSE format('Give another column as %s.', argument)
END;
COMMENT ON FUNCTION clv_internal.clv_quick_cast_hint(
	pg_catalog.text, pg_catalog.text, pg_catalog.oid, pg_catalog.regtype, pg_catalog.text) IS
	'the hint for a column of another type: a query that casts it, or to give another column. A part of the quick look';

-- What is filled into statements over a table, view or query: its item of FROM, called s, the column of the customer,
-- and the call that makes a history. Raises an error if a column does not exist or is of another type.
CREATE FUNCTION clv_internal.clv_quick_rows(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text
) RETURNS pg_catalog.jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000 AS $$
DECLARE
	relation pg_catalog.record;
	key_column pg_catalog.record;
	bought pg_catalog.record;
	bought_type pg_catalog.regtype;
	paid pg_catalog.record;
	paid_type pg_catalog.regtype;
BEGIN
	relation := clv_internal.clv_source(source);
	key_column := clv_internal.clv_source_column(relation.query, relation.title, 'customer'::pg_catalog.text, customer);
	bought := clv_internal.clv_source_column(relation.query, relation.title, 'bought_at'::pg_catalog.text, bought_at);
	bought_type := clv_internal.clv_source_check_type(relation.title, bought.column_name, bought.column_type,
		pg_catalog.format_type(bought.column_type, bought.column_typmod),
		'{pg_catalog.timestamptz,pg_catalog.timestamp,pg_catalog.date}'::pg_catalog.regtype[],
		'a time'::pg_catalog.text,
		clv_internal.clv_quick_cast_hint(relation.title, bought.column_name, bought.column_type,
			'pg_catalog.timestamptz'::pg_catalog.regtype, 'bought_at'::pg_catalog.text));
	SELECT NULL::pg_catalog.text AS column_name INTO paid;
	IF amount IS NOT NULL THEN
		paid := clv_internal.clv_source_column(relation.query, relation.title, 'amount'::pg_catalog.text, amount);
		paid_type := clv_internal.clv_source_check_type(relation.title, paid.column_name, paid.column_type,
			pg_catalog.format_type(paid.column_type, paid.column_typmod),
			('{pg_catalog.numeric,pg_catalog.float8,pg_catalog.float4,'
				'pg_catalog.int2,pg_catalog.int4,pg_catalog.int8}')::pg_catalog.regtype[],
			'a number'::pg_catalog.text,
			clv_internal.clv_quick_cast_hint(relation.title, paid.column_name, paid.column_type,
				'pg_catalog.numeric'::pg_catalog.regtype, 'amount'::pg_catalog.text));
	END IF;
	RETURN pg_catalog.jsonb_build_object('relation', relation.item, 'customer', key_column.column_name,
		'history', clv_internal.clv_quick_history_call(bought.column_name, bought_type, paid.column_name, paid_type),
		'day', pg_catalog.format(CASE
			WHEN bought_type OPERATOR(pg_catalog.=) 'pg_catalog.timestamptz'::pg_catalog.regtype
			THEN '(s.%I AT TIME ZONE ''UTC'')::pg_catalog.date' ELSE 's.%I::pg_catalog.date' END, bought.column_name),
		'amount', CASE WHEN paid.column_name IS NULL THEN 'NULL::pg_catalog.numeric'
			ELSE pg_catalog.format('s.%I::pg_catalog.numeric', paid.column_name) END,
		'priced', amount IS NOT NULL);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_rows(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'of a table, view or query with its columns checked, what is filled into statements: the item of FROM, called s, '
	'the column of the customer, the call that makes a history of its rows, and the day and amount of one, as '
	'expressions; amount NULL: without money. A part of the quick look';

-- The statement that makes the histories of a table, view or query, to be read and run by people.
CREATE FUNCTION clv_internal.clv_quick_histories(
	source pg_catalog.text, customer pg_catalog.text, bought_at pg_catalog.text, amount pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000 AS $$
BEGIN
	RETURN pg_catalog.btrim(clv_internal.clv_statement($sql$
SELECT s.{customer:I}::pg_catalog.text AS customer_id,
       {history} AS history
FROM {relation} AS s
WHERE s.{customer:I} IS NOT NULL
GROUP BY s.{customer:I}
$sql$, clv_internal.clv_quick_rows(source, customer, bought_at, amount)), E'\n');
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_histories(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the statement that makes the histories of a table, view or query, with its columns checked; rows without a '
	'customer are left out; amount NULL: without money. A part of the quick look';

-- A row per customer, and one for the rows without a customer: the history and the number of rows.
CREATE FUNCTION clv_internal.clv_quick_customers(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text
) RETURNS TABLE (
	customer_id pg_catalog.text,
	history @extschema@.clv_history,
	rows pg_catalog.int8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT s.{customer:I}::pg_catalog.text, {history}, pg_catalog.count(*)
		FROM {relation} AS s
		GROUP BY s.{customer:I}
		$sql$, clv_internal.clv_quick_rows(source, customer, bought_at, amount));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_customers(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the history of each customer of a table, view or query, and how many rows it is made of; NULL is a customer, too. '
	'A part of the quick look';

-- ---- computing ---------------------------------------------------------------------------------------------

-- Raises an error unless model is not NULL and as_of is finite or NULL.
CREATE FUNCTION clv_internal.clv_quick_check(model pg_catalog.text, as_of pg_catalog.date) RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF model IS NULL THEN
		PERFORM clv_internal.clv_raise(
			$message$model must be the name of a family, or 'none', not NULL$message$::text,
			NULL::text,
			NULL::text,
			'null_value_not_allowed'::text);
	END IF;
	PERFORM clv_internal.clv_argument_date('as_of'::text, as_of);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_check(pg_catalog.text, pg_catalog.date) IS
	'an error unless model is not NULL and as_of a finite day or NULL. A part of the quick look';

-- Each customer's history, the model fitted to all of them (NULL: 'none'), and the day to look from. Raises the NOTICEs
-- and WARNINGs of clv_quick_day and of the fit.
CREATE FUNCTION clv_internal.clv_quick_fitted(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text,
	model pg_catalog.text,
	with_spend pg_catalog.bool,
	as_of pg_catalog.date
) RETURNS TABLE (
	customer_id pg_catalog.text,
	history @extschema@.clv_history,
	fitted @extschema@.clv_model,
	day pg_catalog.date
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
BEGIN ATOMIC
	WITH every_customer AS MATERIALIZED (
		SELECT c.customer_id, c.history, c.rows
		FROM clv_internal.clv_quick_customers(source, customer, bought_at, amount) AS c
	), known AS (
		SELECT e.customer_id, e.history
		FROM every_customer AS e
		WHERE e.customer_id IS NOT NULL
	), bought AS (
		SELECT @extschema@.clv_last_purchase(k.history, t.today) AS day,
			@extschema@.clv_last_purchase(k.history) AS ever,
			t.today
		FROM known AS k
		CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS t
	), last AS (
		SELECT b.day,
			count(*) AS customers,
			count(*) FILTER (WHERE b.ever > b.today) AS future,
			count(*) FILTER (WHERE b.ever IS NULL) AS never
		FROM bought AS b
		GROUP BY b.day
	), today AS MATERIALIZED (
		SELECT clv_internal.clv_quick_day(as_of, array_agg(l.day), array_agg(l.customers),
				sum(l.future)::int8, sum(l.never)::int8,
				(SELECT sum(e.rows)::int8 FROM every_customer AS e WHERE e.customer_id IS NULL)) AS day
		FROM last AS l
	), options AS MATERIALIZED (
		SELECT jsonb_build_object('model', model,
				'spend', CASE WHEN with_spend THEN 'gamma/gamma' ELSE 'none' END,
				'as_of', t.day) AS options
		FROM today AS t
	), fit AS MATERIALIZED (
		SELECT CASE WHEN model <> 'none' THEN (
				SELECT @extschema@.clv_fit(k.history, o.options)
				FROM known AS k
				CROSS JOIN options AS o) END AS fitted
	)
	SELECT k.customer_id, k.history, f.fitted, t.day
	FROM known AS k
	CROSS JOIN fit AS f
	CROSS JOIN today AS t;
END;
COMMENT ON FUNCTION clv_internal.clv_quick_fitted(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.bool,
	pg_catalog.date) IS
	'the histories of the customers, the day they are seen from, and the model fitted to them (none: NULL). A part of '
	'the quick look';

-- Each customer's history and scores, the model, and the day to look from.
CREATE FUNCTION clv_internal.clv_quick_scored(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text,
	model pg_catalog.text,
	with_spend pg_catalog.bool,
	as_of pg_catalog.date,
	bins pg_catalog.int4
) RETURNS TABLE (
	customer_id pg_catalog.text,
	history @extschema@.clv_history,
	fitted @extschema@.clv_model,
	day pg_catalog.date,
	scores @extschema@.clv_scores
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
BEGIN ATOMIC
	SELECT f.customer_id, f.history, f.fitted, f.day, @extschema@.rfmtc_score(f.history, f.fitted, f.day, bins) OVER ()
	FROM clv_internal.clv_quick_fitted(source, customer, bought_at, amount, model, with_spend, as_of) AS f;
END;
COMMENT ON FUNCTION clv_internal.clv_quick_scored(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.bool,
	pg_catalog.date, pg_catalog.int4) IS
	'the histories of the customers, the model fitted to them, the day they are seen from, and their scores. A part of '
	'the quick look';

-- The scores of the customers of a table, view or query; NULLs for a customer without a purchase up to as_of.
CREATE FUNCTION @extschema@.rfmtc_score(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text DEFAULT NULL,
	model pg_catalog.text DEFAULT 'mbg/nbd',
	as_of pg_catalog.date DEFAULT NULL,
	bins pg_catalog.int4 DEFAULT 5
) RETURNS TABLE (
	customer_id pg_catalog.text,
	r pg_catalog.int2,
	f pg_catalog.int2,
	m pg_catalog.int2,
	t pg_catalog.int2,
	c pg_catalog.int2,
	v pg_catalog.int2
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000 AS $$
BEGIN
	PERFORM clv_internal.clv_quick_check(model, as_of);
	RETURN QUERY
		SELECT s.customer_id, (s.scores).r, (s.scores).f, (s.scores).m, (s.scores).t, (s.scores).c, (s.scores).v
		FROM clv_internal.clv_quick_scored(source, customer, bought_at, amount, model, amount IS NOT NULL, as_of,
			bins) AS s;
END
$$;
COMMENT ON FUNCTION @extschema@.rfmtc_score(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.date,
	pg_catalog.int4) IS
	'quick look: the scores of the customers of a table or view (as SQL names it) or of a query, given the columns of '
	'customer, time and amount (NULL: none). model: a family to fit on the fly for c and v, ''none'' for neither; '
	'as_of: the last purchase in the data, not later than today, where none is given. Rows without a customer are left '
	'out, and counted in a NOTICE; customers who did not exist yet get NULLs';

-- Raises an error if the model to predict with is 'none'.
CREATE FUNCTION clv_internal.clv_quick_check_family(model pg_catalog.text) RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF model = 'none' THEN
		PERFORM clv_internal.clv_raise('a prediction needs a model'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_check_family(pg_catalog.text) IS
	'an error where the model to predict with is none. A part of the quick look';

-- The predictions for the customers of a table, view or query; NULLs for a customer without a purchase up to as_of.
CREATE FUNCTION @extschema@.clv_predict(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text DEFAULT NULL,
	horizon pg_catalog.interval DEFAULT '1 year',
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	model pg_catalog.text DEFAULT 'mbg/nbd',
	as_of pg_catalog.date DEFAULT NULL,
	level pg_catalog.float8 DEFAULT NULL
) RETURNS TABLE (
	customer_id pg_catalog.text,
	p_alive pg_catalog.float8,
	expected_purchases pg_catalog.float8,
	expected_spend pg_catalog.float8,
	expected_revenue pg_catalog.float8,
	clv pg_catalog.float8,
	lifetime_value pg_catalog.float8,
	next_purchase_value pg_catalog.float8,
	purchases_low pg_catalog.float8,
	purchases_high pg_catalog.float8,
	clv_low pg_catalog.float8,
	clv_high pg_catalog.float8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000 AS $$
BEGIN
	PERFORM clv_internal.clv_quick_check_family(model);
	PERFORM clv_internal.clv_quick_check(model, as_of);
	RETURN QUERY
		SELECT f.customer_id, p.*
		FROM clv_internal.clv_quick_fitted(source, customer, bought_at, amount, model, amount IS NOT NULL, as_of) AS f
		CROSS JOIN LATERAL @extschema@.clv_predict(f.fitted, f.history, horizon, discount_rate, margin, f.day, level,
			NULL::pg_catalog.float8[]) AS p;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_predict(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.text, pg_catalog.date, pg_catalog.float8) IS
	'quick look: fits a model to the customers of a table or view (as SQL names it) or of a query, given the columns '
	'of customer, time and amount (NULL: none), and predicts them; the options are those of clv_predict over a '
	'history. as_of: the last purchase in the data, not later than today, where none is given. Rows without a customer '
	'are left out, and counted in a NOTICE; customers who did not exist yet get NULLs';

-- ---- segments ----------------------------------------------------------------------------------------------

-- The map that a name means: auto is one with the model's scores where there is a model.
CREATE FUNCTION clv_internal.clv_quick_map(map pg_catalog.text, model pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
RETURN CASE WHEN map = 'auto' THEN CASE WHEN model = 'none' THEN 'rfm' ELSE 'rfmtc' END ELSE map END;
COMMENT ON FUNCTION clv_internal.clv_quick_map(pg_catalog.text, pg_catalog.text) IS
	'the map that a name means: auto stands for rfmtc, or for rfm without a model. A part of the quick look';

-- The inputs of a map: a model, one with a spend part, attributes or values. Raises an error if it is NULL, written
-- for other bins, or asks for an attribute that does not follow from purchases.
CREATE FUNCTION clv_internal.clv_quick_map_needs(
	map pg_catalog.text,
	bins pg_catalog.int4,
	OUT with_model pg_catalog.bool,
	OUT with_spend pg_catalog.bool,
	OUT with_attributes pg_catalog.bool
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	attribute text;
BEGIN
	IF map IS NULL THEN
		PERFORM clv_internal.clv_raise('map must be the name of a segment map or a rule list, not NULL'::text,
			NULL::text,
			NULL::text,
			'null_value_not_allowed'::text);
	END IF;
	PERFORM clv_internal.clv_segment_bins(map, bins);
	SELECT coalesce(bool_or(CASE i.kind
				WHEN 'score' THEN i.name IN ('c', 'v')
				WHEN 'value' THEN i.name NOT IN ('recency', 'frequency', 'monetary', 'tenure') END), false),
		coalesce(bool_or(i.kind = 'score' AND i.name = 'v' OR i.kind = 'value'
			AND i.name IN ('expected_revenue', 'clv', 'next_purchase_value', 'total_value')), false),
		-- P(alive) comes with the scores
		coalesce(bool_or(i.kind = 'attribute' OR i.kind = 'value' AND i.name NOT IN ('p_alive', 'churn')), false),
		min(i.name) FILTER (WHERE i.kind = 'attribute' AND i.name NOT IN ('cumulative_share', 'trend'))
	INTO with_model, with_spend, with_attributes, attribute
	FROM @extschema@.clv_segment_inputs(map) AS i;
	IF attribute IS NOT NULL THEN
		PERFORM clv_internal.clv_raise(format('attribute "%s" cannot be computed from purchases', attribute),
			'The quick look computes the attributes cumulative_share and trend.'::text,
			'Give it yourself: segment_assign(scores, map, attributes).'::text,
			'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_map_needs(pg_catalog.text, pg_catalog.int4) IS
	'what a map asks of the quick look: a model, one with a spend part, attributes or values; an error where it is '
	'NULL, written for other bins, or asks for attributes that purchases do not tell. A part of the quick look';

-- The values that rules may test, of a customer as of a day, over the coming year; those that need a model are NULL
-- without one.
CREATE FUNCTION clv_internal.clv_quick_values(
	history @extschema@.clv_history, fitted @extschema@.clv_model, day pg_catalog.date)
RETURNS pg_catalog.jsonb
LANGUAGE sql STABLE PARALLEL SAFE COST 200
BEGIN ATOMIC
	SELECT jsonb_build_object(
			'recency', r.recency,
			'frequency', r.frequency,
			'monetary', r.monetary,
			'tenure', r.tenure,
			'expected_purchases', p.expected_purchases,
			'expected_revenue', p.expected_revenue,
			'clv', p.clv,
			'total_value', r.monetary::float8 + p.clv,
			'next_purchase_value', p.next_purchase_value,
			'active_30d',
			@extschema@.clv_active_probability(fitted, history, '30 days'::interval, day, NULL::float8[]),
			'active_90d',
			@extschema@.clv_active_probability(fitted, history, '90 days'::interval, day, NULL::float8[]))
	FROM @extschema@.rfmtc(history, day, fitted) AS r
	CROSS JOIN LATERAL @extschema@.clv_predict(fitted, history, '1 year'::interval, 0::float8, 1::float8, day,
		NULL::float8, NULL::float8[]) AS p;
END;
COMMENT ON FUNCTION clv_internal.clv_quick_values(
	@extschema@.clv_history, @extschema@.clv_model, pg_catalog.date) IS
	'the values that rules of a map may test, of a customer as of a day, over the coming year, as an object; those '
	'that need a model are NULL without one. A part of the quick look';

-- The segments of customers under a map that asks for attributes or values: cumulative_share is the share of the
-- revenue that those with a higher spend bring, trend the difference between the purchases in the younger and in the
-- older half of the time since the first, over both.
CREATE FUNCTION clv_internal.clv_quick_segments(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text,
	model pg_catalog.text,
	with_spend pg_catalog.bool,
	as_of pg_catalog.date,
	bins pg_catalog.int4,
	map pg_catalog.text
) RETURNS TABLE (
	customer_id pg_catalog.text,
	segment pg_catalog.text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
BEGIN ATOMIC
	WITH measured AS (
		SELECT s.customer_id,
			s.history,
			s.fitted,
			s.day,
			s.scores,
			CASE WHEN @extschema@.clv_purchases(s.history, s.day) > 0
				THEN greatest(@extschema@.clv_total_spend(s.history, s.day), 0::numeric)
				ELSE 0::numeric END AS spend,
			@extschema@.clv_purchases(s.history, s.day) AS purchases,
			@extschema@.clv_purchases_between(s.history, @extschema@.clv_first_purchase(s.history, s.day)
				+ (s.day - @extschema@.clv_first_purchase(s.history, s.day)) / 2, s.day) AS younger
		FROM clv_internal.clv_quick_scored(source, customer, bought_at, amount, model, with_spend, as_of, bins) AS s
	)
	SELECT m.customer_id,
		@extschema@.segment_assign(m.scores, map, jsonb_build_object(
			'cumulative_share', CASE WHEN sum(m.spend) OVER () > 0::numeric
				THEN (sum(m.spend) OVER (ORDER BY m.spend DESC) - sum(m.spend) OVER (PARTITION BY m.spend))
					/ sum(m.spend) OVER ()
				ELSE 0::numeric END,
			'trend', clv_internal.clv_ratio((2 * m.younger - m.purchases)::float8, m.purchases::float8))
			|| clv_internal.clv_quick_values(m.history, m.fitted, m.day))
	FROM measured AS m;
END;
COMMENT ON FUNCTION clv_internal.clv_quick_segments(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.bool,
	pg_catalog.date, pg_catalog.int4, pg_catalog.text) IS
	'the segments of the customers under a map, with the values that rules may test and the attributes '
	'cumulative_share and trend computed. A part of the quick look';

-- The segments of the customers of a table, view or query; NULL for a customer without a purchase up to as_of.
CREATE FUNCTION @extschema@.segment_assign(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text DEFAULT NULL,
	map pg_catalog.text DEFAULT 'auto',
	model pg_catalog.text DEFAULT 'mbg/nbd',
	as_of pg_catalog.date DEFAULT NULL,
	bins pg_catalog.int4 DEFAULT 5
) RETURNS TABLE (
	customer_id pg_catalog.text,
	segment pg_catalog.text
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000 AS $$
DECLARE
	needs pg_catalog.record;
	family pg_catalog.text;
	with_spend pg_catalog.bool;
BEGIN
	map := clv_internal.clv_quick_map(map, model);
	needs := clv_internal.clv_quick_map_needs(map, bins);
	family := CASE WHEN needs.with_model THEN model ELSE 'none' END;
	with_spend := amount IS NOT NULL AND needs.with_spend;
	PERFORM clv_internal.clv_quick_check(family, as_of);
	IF needs.with_attributes THEN
		RETURN QUERY
			SELECT s.customer_id, s.segment
			FROM clv_internal.clv_quick_segments(source, customer, bought_at, amount, family, with_spend, as_of,
				bins, map) AS s;
	ELSE
		RETURN QUERY
			SELECT s.customer_id, @extschema@.segment_assign(s.scores, map, NULL::pg_catalog.jsonb)
			FROM clv_internal.clv_quick_scored(source, customer, bought_at, amount, family, with_spend, as_of,
				bins) AS s;
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.segment_assign(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text,
	pg_catalog.date, pg_catalog.int4) IS
	'quick look: the segments of the customers of a table or view (as SQL names it) or of a query, given the columns '
	'of customer, time and amount (NULL: none), under a map or rule list; auto: rfmtc, or rfm where model is none. A '
	'model is fitted only where the map asks for what it predicts; the attributes cumulative_share and trend, and the '
	'values that rules test, are computed. as_of: the last purchase in the data, not later than today, where none is '
	'given. Rows without a customer are left out, and counted in a NOTICE; customers '
	'who did not exist yet get NULL. A map written for other bins is an error';
-- ---- the check of a table of purchases --------------------------------------------------------------------
--
-- The source is read once and counted by customer, day and size of amount; facts are taken from these counts, and
-- findings from the facts.

-- The rows of a table, view or query, counted by what a check asks for.
CREATE FUNCTION clv_internal.clv_check_rows(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text
) RETURNS TABLE (
	customer_id pg_catalog.text,
	day pg_catalog.date,
	kind pg_catalog.text,
	size pg_catalog.int4,
	rows pg_catalog.int8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT s.{customer:I}::pg_catalog.text,
			{day},
			k.kind,
			CASE WHEN k.kind OPERATOR(pg_catalog.=) 'purchase' AND {priced}
				THEN pg_catalog.floor(
					10 OPERATOR(pg_catalog.*) pg_catalog.log({amount}::pg_catalog.float8))::pg_catalog.int4
			END,
			pg_catalog.count(*)
		FROM {relation} AS s
		CROSS JOIN LATERAL (
			SELECT CASE WHEN NOT {priced} THEN 'purchase'
				WHEN {amount} IS NULL THEN 'unknown'
				WHEN {amount} OPERATOR(pg_catalog.=) ANY ('{NaN,Infinity,-Infinity}'::pg_catalog.numeric[]) THEN 'odd'
				WHEN {amount} OPERATOR(pg_catalog.=) 0 THEN 'zero'
				WHEN {amount} OPERATOR(pg_catalog.<) 0 THEN 'refund'
				WHEN {amount} OPERATOR(pg_catalog.>) 1e300 OR {amount} OPERATOR(pg_catalog.<) 1e-300 THEN 'odd'
				ELSE 'purchase' END AS kind
		) AS k
		GROUP BY s.{customer:I}, 2, 3, 4
		$sql$, clv_internal.clv_quick_rows(source, customer, bought_at, amount));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_check_rows(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the rows of a table, view or query, counted by customer, day in UTC, kind (purchase, refund, zero, unknown, or '
	'odd: not a number, or one beyond reason) and size, which is 10 times the decimal logarithm of the amount, rounded '
	'down. A part of clv_check';

-- A day as far from the middle as the given one, on the other side; both within four thousand years.
CREATE FUNCTION clv_internal.clv_check_mirrored(day pg_catalog.date) RETURNS pg_catalog.date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
RETURN date '2000-01-01' + (date '2000-01-01' - least(greatest(day, date '0001-01-01'), date '3998-12-31'));
COMMENT ON FUNCTION clv_internal.clv_check_mirrored(pg_catalog.date) IS
	'the day that is as far from 2000-01-01 on the other side, so that what finds isolated last days finds first ones. '
	'A part of clv_check';

-- What there is to know of the rows for clv_check_findings: numbers and days by name.
CREATE FUNCTION clv_internal.clv_check_facts(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text
) RETURNS pg_catalog.jsonb
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000
BEGIN ATOMIC
	WITH counted AS MATERIALIZED (
		SELECT r.customer_id, r.day, r.kind, r.size, r.rows
		FROM clv_internal.clv_check_rows(source, customer, bought_at, amount) AS r
	), usable AS (
		SELECT c.customer_id, c.day, c.kind, c.size, c.rows
		FROM counted AS c
		WHERE c.customer_id IS NOT NULL AND isfinite(c.day)
	), today AS (
		-- it may be tomorrow elsewhere
		SELECT (now() AT TIME ZONE 'UTC')::date + 1 AS day
	), bought AS MATERIALIZED (
		SELECT u.customer_id, u.day, sum(u.rows)::int8 AS rows
		FROM usable AS u
		CROSS JOIN today AS t
		WHERE u.kind NOT IN ('refund', 'odd') AND u.day <= t.day
		GROUP BY u.customer_id, u.day
	), person AS MATERIALIZED (
		SELECT b.customer_id, min(b.day) AS first, max(b.day) AS last, count(*) AS days, sum(b.rows)::int8 AS rows
		FROM bought AS b
		GROUP BY b.customer_id
	), firsts AS (
		SELECT clv_internal.clv_check_mirrored(q.first) AS day, q.customers
		FROM (SELECT p.first, count(*) AS customers FROM person AS p GROUP BY p.first) AS q
	), lasts AS (
		SELECT p.last AS day, count(*) AS customers FROM person AS p GROUP BY 1
	), span AS MATERIALIZED (
		-- the days between which the data are, isolated ones left out
		SELECT clv_internal.clv_check_mirrored(f.settled) AS first, l.settled AS last
		FROM (SELECT array_agg(q.day) AS days, array_agg(q.customers) AS customers FROM firsts AS q) AS a
		CROSS JOIN (SELECT array_agg(q.day) AS days, array_agg(q.customers) AS customers FROM lasts AS q) AS z
		CROSS JOIN LATERAL clv_internal.clv_settled_day(a.days, a.customers) AS f
		CROSS JOIN LATERAL clv_internal.clv_settled_day(z.days, z.customers) AS l
	), rows_of AS (
		SELECT coalesce(sum(c.rows), 0)::int8 AS rows,
			coalesce(sum(c.rows) FILTER (WHERE c.customer_id IS NULL), 0)::int8 AS guest_rows,
			coalesce(sum(c.rows) FILTER (WHERE c.customer_id IS NOT NULL AND c.day IS NULL), 0)::int8 AS untimed_rows,
			count(DISTINCT c.customer_id) FILTER (WHERE c.day IS NULL) AS untimed_customers,
			coalesce(sum(c.rows) FILTER (WHERE c.customer_id IS NOT NULL AND NOT isfinite(c.day)), 0)::int8
				AS endless_rows,
			count(DISTINCT c.customer_id) FILTER (WHERE NOT isfinite(c.day)) AS endless_customers
		FROM counted AS c
	), kinds AS (
		SELECT coalesce(sum(u.rows), 0)::int8 AS usable_rows,
			coalesce(sum(u.rows) FILTER (WHERE u.day > t.day), 0)::int8 AS future_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE u.day > t.day) AS future_customers,
			max(u.day) AS last_future,
			coalesce(sum(u.rows) FILTER (WHERE u.kind = 'odd'), 0)::int8 AS odd_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE u.kind = 'odd') AS odd_customers,
			coalesce(sum(u.rows) FILTER (WHERE u.kind = 'zero'), 0)::int8 AS zero_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE u.kind = 'zero') AS zero_customers,
			coalesce(sum(u.rows) FILTER (WHERE u.kind = 'unknown'), 0)::int8 AS unknown_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE u.kind = 'unknown') AS unknown_customers
		FROM usable AS u
		CROSS JOIN today AS t
	), refunds AS (
		SELECT coalesce(sum(u.rows) FILTER (WHERE p.customer_id IS NULL), 0)::int8 AS alone_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE p.customer_id IS NULL) AS alone_customers,
			coalesce(sum(u.rows) FILTER (WHERE u.day < p.first), 0)::int8 AS early_refund_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE u.day < p.first) AS early_refund_customers
		FROM usable AS u
		LEFT JOIN person AS p ON p.customer_id = u.customer_id
		WHERE u.kind = 'refund'
	), isolated AS (
		SELECT coalesce(sum(b.rows), 0)::int8 AS isolated_rows, count(DISTINCT b.customer_id) AS isolated_customers,
			min(b.day) AS isolated_first, max(b.day) AS isolated_last
		FROM bought AS b
		CROSS JOIN span AS s
		WHERE b.day NOT BETWEEN s.first AND s.last
	), people AS (
		SELECT count(*) AS customers,
			count(*) FILTER (WHERE p.days > 1) AS repeaters,
			count(*) FILTER (WHERE p.days = 1) AS one_day,
			count(*) FILTER (WHERE p.rows = 1) AS one_row,
			max(p.rows) AS most_rows
		FROM person AS p
	), waits AS (
		SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY w.days) AS median_gap
		FROM (
			SELECT b.day - lag(b.day) OVER (PARTITION BY b.customer_id ORDER BY b.day) AS days
			FROM bought AS b
		) AS w
		WHERE w.days IS NOT NULL
	), daily AS MATERIALIZED (
		SELECT b.day, sum(b.rows)::int8 AS rows, count(*) AS purchases,
			count(*) FILTER (WHERE b.day > p.first) AS repeats
		FROM bought AS b
		JOIN person AS p ON p.customer_id = b.customer_id
		CROSS JOIN span AS s
		WHERE b.day BETWEEN s.first AND s.last
		GROUP BY b.day
	), grid AS (
		-- the share of the commonest day of the week, and those of the first and last day of months
		SELECT (SELECT sum(d.purchases)::int8 FROM daily AS d) AS purchases,
			(SELECT count(*) FROM daily AS d) AS days,
			(SELECT max(w.purchases)
			 FROM (SELECT sum(d.purchases)::int8 AS purchases FROM daily AS d GROUP BY extract(isodow FROM d.day)) AS w)
				AS on_weekday,
			(SELECT sum(d.purchases)::int8 FROM daily AS d WHERE extract(day FROM d.day) = 1) AS on_first,
			(SELECT sum(d.purchases)::int8 FROM daily AS d WHERE extract(day FROM d.day + 1) = 1) AS on_last
	), gap AS (
		-- the longest time without purchases, of those in which the four weeks before and after let expect many
		SELECT g.since + 1 AS gap_first, g.until - 1 AS gap_last, g.until - g.since - 1 AS gap_days
		FROM (
			SELECT d.day AS until,
				lag(d.day) OVER (ORDER BY d.day) AS since,
				sum(d.rows) OVER (ORDER BY d.day RANGE BETWEEN CURRENT ROW AND '27 days' FOLLOWING) AS after
			FROM daily AS d
		) AS g
		CROSS JOIN LATERAL (
			SELECT sum(d.rows) AS before FROM daily AS d WHERE d.day BETWEEN g.since - 27 AND g.since
		) AS b
		WHERE g.until - g.since - 1 >= 5
			AND least(b.before, g.after) / 28.0 * (g.until - g.since - 1) >= 20
		ORDER BY g.until - g.since DESC, g.until
		LIMIT 1
	), sizes AS MATERIALIZED (
		SELECT u.size, sum(u.rows)::int8 AS rows
		FROM usable AS u
		WHERE u.size IS NOT NULL
		GROUP BY u.size
	), ranked AS (
		SELECT s.size, sum(s.rows) OVER (ORDER BY s.size) AS up_to, sum(s.rows) OVER () AS priced FROM sizes AS s
	), middle AS MATERIALIZED (
		SELECT min(r.size) FILTER (WHERE r.up_to >= 0.5 * r.priced) AS median_size,
			min(r.size) FILTER (WHERE r.up_to >= 0.995 * r.priced) AS high_size,
			max(r.priced)::int8 AS priced_rows
		FROM ranked AS r
	), amounts AS (
		-- more than 30 times, and 10 to 30 times, above and below the median; and 20 times above all but one in 200
		SELECT m.median_size, m.high_size, m.priced_rows,
			coalesce(sum(s.rows) FILTER (WHERE s.size > m.median_size + 15), 0)::int8 AS far_above,
			coalesce(sum(s.rows) FILTER (WHERE s.size BETWEEN m.median_size + 11 AND m.median_size + 15), 0)::int8
				AS above,
			coalesce(sum(s.rows) FILTER (WHERE s.size < m.median_size - 15), 0)::int8 AS far_below,
			coalesce(sum(s.rows) FILTER (WHERE s.size BETWEEN m.median_size - 15 AND m.median_size - 11), 0)::int8
				AS below,
			coalesce(sum(s.rows) FILTER (WHERE s.size > m.high_size + 13), 0)::int8 AS outlier_rows
		FROM middle AS m
		LEFT JOIN sizes AS s ON true
		GROUP BY m.median_size, m.high_size, m.priced_rows
	), extremes AS (
		SELECT count(DISTINCT u.customer_id) FILTER (WHERE u.size > m.median_size + 15) AS far_above_customers,
			count(DISTINCT u.customer_id) FILTER (WHERE u.size < m.median_size - 15) AS far_below_customers,
			count(DISTINCT u.customer_id) FILTER (WHERE u.size > m.high_size + 13) AS outlier_customers
		FROM usable AS u
		CROSS JOIN middle AS m
		WHERE abs(u.size - m.median_size) > 13
	), monthly AS (
		-- repeat purchases of whole months, those without any included; the first day of all begins no month
		SELECT x.month, coalesce(sum(d.repeats), 0)::int8 AS repeats
		FROM span AS s
		CROSS JOIN LATERAL generate_series(
			date_trunc('month', greatest(s.first, date '4713-01-01 BC') + interval '1 month' - interval '1 day'),
			date_trunc('month', greatest(s.last, date '4713-01-01 BC') + interval '1 day') - interval '1 month',
			interval '1 month') AS x (month)
		LEFT JOIN daily AS d ON date_trunc('month', greatest(d.day, date '4713-01-01 BC')::timestamp) = x.month
		GROUP BY x.month
	), trend AS (
		-- beside each month the mean of the year around it
		SELECT m.month, m.repeats,
			(sum(m.repeats) OVER (ORDER BY m.month ROWS BETWEEN 6 PRECEDING AND 5 FOLLOWING)
				+ sum(m.repeats) OVER (ORDER BY m.month ROWS BETWEEN 5 PRECEDING AND 6 FOLLOWING)) / 24.0 AS usual,
			row_number() OVER (ORDER BY m.month) > 6 AND row_number() OVER (ORDER BY m.month DESC) > 6 AS whole
		FROM monthly AS m
	), season AS (
		SELECT extract(month FROM t.month)::int4 AS peak_month, sum(t.repeats)::int8 AS peak_repeats,
			sum(t.usual)::float8 AS peak_usual
		FROM trend AS t
		-- two years, so that each month of the year has a year around it
		WHERE t.whole AND (SELECT count(*) FROM trend AS w WHERE w.whole) >= 12
		GROUP BY 1
		ORDER BY sum(t.repeats) / nullif(sum(t.usual), 0) DESC NULLS LAST, 1
		LIMIT 1
	)
	SELECT to_jsonb(r) || to_jsonb(k) || to_jsonb(f) || to_jsonb(i) || to_jsonb(p) || to_jsonb(w) || to_jsonb(g)
		|| to_jsonb(a) || to_jsonb(e) || coalesce((SELECT to_jsonb(s) FROM span AS s), '{}')
		|| coalesce((SELECT to_jsonb(q) FROM gap AS q), '{}') || coalesce((SELECT to_jsonb(q) FROM season AS q), '{}')
		|| jsonb_build_object('priced', amount IS NOT NULL, 'today', (SELECT t.day - 1 FROM today AS t))
	FROM rows_of AS r
	CROSS JOIN kinds AS k
	CROSS JOIN refunds AS f
	CROSS JOIN isolated AS i
	CROSS JOIN people AS p
	CROSS JOIN waits AS w
	CROSS JOIN grid AS g
	CROSS JOIN amounts AS a
	CROSS JOIN extremes AS e;
END;
COMMENT ON FUNCTION clv_internal.clv_check_facts(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'what there is to know of the rows of a table, view or query for clv_check_findings: numbers and days by name. A '
	'part of clv_check';

-- What the facts of a table say of it, the severest first.
CREATE FUNCTION clv_internal.clv_check_findings(
	facts pg_catalog.jsonb,
	OUT severity pg_catalog.text,
	OUT finding pg_catalog.text,
	OUT rows pg_catalog.int8,
	OUT customers pg_catalog.int8,
	OUT advice pg_catalog.text
) RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 5000 ROWS 5
BEGIN ATOMIC
	WITH fact AS (
		SELECT f.*,
			f.purchases >= 100 AND f.days >= 3 AND greatest(f.on_weekday, f.on_first, f.on_last) >= 0.9 * f.purchases
				AS is_rounded,
			f.priced_rows >= 100 AND (
				f.far_above >= greatest(5, f.priced_rows / 1000) AND f.far_above > 2 * f.above
				OR f.far_below >= greatest(5, f.priced_rows / 1000) AND f.far_below > 2 * f.below) AS is_mixed
		FROM jsonb_to_record(facts) AS f (
			rows int8, guest_rows int8, untimed_rows int8, untimed_customers int8, endless_rows int8,
			endless_customers int8, usable_rows int8, future_rows int8, future_customers int8, last_future date,
			odd_rows int8, odd_customers int8, zero_rows int8, zero_customers int8, unknown_rows int8,
			unknown_customers int8, alone_rows int8, alone_customers int8, early_refund_rows int8,
			early_refund_customers int8, isolated_rows int8, isolated_customers int8, isolated_first date,
			isolated_last date, customers int8, repeaters int8, one_day int8, one_row int8, most_rows int8,
			median_gap int4, purchases int8, days int8, on_weekday int8, on_first int8, on_last int8,
			gap_first date, gap_last date, gap_days int4, median_size int4, high_size int4, priced_rows int8,
			far_above int8, above int8, far_below int8, below int8, outlier_rows int8, far_above_customers int8,
			far_below_customers int8, outlier_customers int8, first date, last date, peak_month int4,
			peak_repeats int8, peak_usual float8, priced bool, today date)
	), found AS (
		SELECT v.place, v.severity, v.finding, v.rows, v.customers, v.advice
		FROM fact AS f
		CROSS JOIN LATERAL (VALUES
			(1, f.rows = 0, 'error', 'no rows', 0::int8, 0::int8, 'The source is empty.'),
			(2, f.rows > 0 AND f.customers = 0, 'error', 'no purchases', f.rows, 0::int8,
				'No row has a customer, a day up to today and an amount that is not a refund.'),
			(3, f.guest_rows > 0, CASE WHEN f.guest_rows >= 0.5 * f.rows THEN 'error' ELSE 'warning' END,
				'customer missing', f.guest_rows, NULL,
				'Orders of guests have no customer: leave them out, or give them a key such as the e-mail address.'),
			(4, f.customers >= 100 AND f.most_rows >= 50 AND f.most_rows > 0.05 * f.usable_rows, 'warning',
				'one customer with very many rows', f.most_rows, 1::int8,
				'Is that the key of guests, or of a reseller? Leave it out, or give the purchases their own keys.'),
			(5, f.untimed_rows > 0, 'warning', 'time missing', f.untimed_rows, f.untimed_customers,
				'Rows without a time count nowhere. Is another column the time of the order?'),
			(6, f.endless_rows > 0, 'error', 'time infinite', f.endless_rows, f.endless_customers,
				'A history cannot have such a day: leave these rows out.'),
			(7, f.future_rows > 0, 'error', 'dates in the future', f.future_rows, f.future_customers,
				format('The last one is %s. Correct them, leave them out, or give as_of => %L.',
					facts ->> 'last_future', facts ->> 'today')),
			(8, f.isolated_rows > 0, 'error', 'dates isolated', f.isolated_rows, f.isolated_customers,
				format('All others are from %s to %s, these from %s to %s. Correct them, leave them out, or give '
						'as_of => %L.', facts ->> 'first', facts ->> 'last', facts ->> 'isolated_first',
					facts ->> 'isolated_last', facts ->> 'last')),
			(9, f.odd_rows > 0, 'error', 'amounts that are no numbers', f.odd_rows, f.odd_customers,
				'NaN, infinite or beyond reason: a history refuses them. Leave these rows out, or make it NULL.'),
			(10, f.is_mixed, 'warning', 'amounts of mixed magnitude',
				CASE WHEN f.far_above > f.far_below THEN f.far_above ELSE f.far_below END,
				CASE WHEN f.far_above > f.far_below THEN f.far_above_customers ELSE f.far_below_customers END,
				format('They are more than 30 times as %s as usual (%s), and few amounts lie between. Cents, or '
						'another currency?',
					CASE WHEN f.far_above > f.far_below THEN 'large' ELSE 'small' END,
					round(power(10::numeric, f.median_size / 10.0), 2))),
			(11, NOT f.is_mixed AND f.priced_rows >= 100 AND f.outlier_rows > 0, 'warning', 'amounts that are outliers',
				f.outlier_rows, f.outlier_customers,
				format('They are more than 20 times what all but one in 200 are at most (%s). Mistyped, or another '
						'kind of customer?', round(power(10::numeric, (f.high_size + 1) / 10.0), 2))),
			(12, f.zero_rows > 0, CASE WHEN f.zero_rows >= 0.01 * f.usable_rows THEN 'warning' ELSE 'notice' END,
				'amounts of zero', f.zero_rows, f.zero_customers,
				'They count as purchases. Leave out cancelled orders and samples; make unknown amounts NULL.'),
			(13, f.unknown_rows > 0, CASE WHEN f.unknown_rows >= 0.01 * f.usable_rows THEN 'warning' ELSE 'notice' END,
				'amounts missing', f.unknown_rows, f.unknown_customers,
				'They count as purchases, and not in the spend.'),
			(14, f.alone_rows > 0, CASE WHEN f.alone_rows >= 0.01 * f.usable_rows THEN 'warning' ELSE 'notice' END,
				'refunds without a purchase', f.alone_rows, f.alone_customers,
				'These customers have no purchase. Do their purchases lie before the data, or under another key?'),
			(15, f.early_refund_rows > 0,
				CASE WHEN f.early_refund_rows >= 0.01 * f.usable_rows THEN 'warning' ELSE 'notice' END,
				'refunds before the first purchase', f.early_refund_rows, f.early_refund_customers,
				'The first purchase is missing: these customers are older than they look. Take data from earlier on.'),
			(16, f.customers > 0 AND f.repeaters < 100, CASE WHEN f.repeaters < 10 THEN 'error' ELSE 'warning' END,
				'few repeat buyers', NULL, f.repeaters,
				'Rates are learned from those who bought twice: a hundred make a model, a few hundred a good one.'),
			(17, f.customers >= 30 AND f.repeaters >= 10 AND least(f.one_day, f.one_row) = 0, 'warning',
				'one-time buyers missing', NULL, f.customers,
				'Every customer has more than one purchase. Were the others left out? Without them churn is too low.'),
			(18, f.customers > 0 AND f.last - f.first < 91,
				CASE WHEN f.last - f.first < 28 THEN 'error' ELSE 'warning' END,
				'span too short', f.usable_rows, f.customers,
				format('The purchases are from %s to %s. A model needs three months and more, and some times the usual '
						'time between purchases.', facts ->> 'first', facts ->> 'last')),
			(19, f.gap_days IS NOT NULL AND NOT f.is_rounded, 'warning', 'gap in the data', NULL, NULL,
				format('There is no purchase from %s to %s, where many were to be expected. Was everything loaded?',
					facts ->> 'gap_first', facts ->> 'gap_last')),
			(20, f.is_rounded, 'warning', 'dates rounded', f.purchases, f.customers,
				format('Nearly all purchases are on %s. Take the days of the orders; where there are none, a family of '
						'periods such as bg/bb.',
					CASE WHEN f.on_first >= 0.9 * f.purchases THEN 'the first day of a month'
						WHEN f.on_last >= 0.9 * f.purchases THEN 'the last day of a month'
						ELSE 'one day of the week' END)),
			(21, f.repeaters >= 10 AND f.median_gap <= 2, 'warning', 'days too coarse', f.usable_rows, f.repeaters,
				format('Half of the times between two purchases are at most %s. Purchases of one day count once: rates '
						'of such customers are too low.', CASE f.median_gap WHEN 1 THEN 'a day' ELSE 'two days' END)),
			(22, NOT f.is_rounded AND f.peak_usual >= 30 AND f.peak_repeats >= 1.3 * f.peak_usual
					AND f.peak_repeats - f.peak_usual >= 5 * sqrt(f.peak_usual), 'notice',
				'season present', f.peak_repeats, NULL,
				format('%s has %s times the repeat purchases of the year around it. Fit with season => ''auto'', or '
						'evaluate whole years.',
					to_char(make_date(2000, f.peak_month, 1), 'FMMonth'),
					round((f.peak_repeats / f.peak_usual)::numeric, 1)))
		) AS v (place, found, severity, finding, rows, customers, advice)
		WHERE v.found
	)
	SELECT q.severity, q.finding, q.rows, q.customers, q.advice
	FROM (
		SELECT d.place, d.severity, d.finding, d.rows, d.customers, d.advice FROM found AS d
		UNION ALL
		SELECT 99, 'ok', 'nothing found', f.rows, f.customers,
			format('Purchases from %s to %s. Next: clv_history, clv_fit.', facts ->> 'first', facts ->> 'last')
		FROM fact AS f
		WHERE NOT EXISTS (SELECT FROM found AS d)
	) AS q
	ORDER BY array_position('{error,warning,notice}'::text[], q.severity), q.place;
END;
COMMENT ON FUNCTION clv_internal.clv_check_findings(pg_catalog.jsonb) IS
	'what the facts of a table say of it, the severest first. A part of clv_check';

CREATE FUNCTION @extschema@.clv_check(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
	severity pg_catalog.text,
	finding pg_catalog.text,
	rows pg_catalog.int8,
	customers pg_catalog.int8,
	advice pg_catalog.text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 5
BEGIN ATOMIC
	SELECT f.severity, f.finding, f.rows, f.customers, f.advice
	FROM clv_internal.clv_check_findings(clv_internal.clv_check_facts(source, customer, bought_at, amount)) AS f;
END;
COMMENT ON FUNCTION @extschema@.clv_check(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'what is wrong, or to be known, of a table or view (as SQL names it) or of a query of purchases, before anything '
	'else is done with it: a row a finding, the severest first (error, warning, notice; or one row, ok), with the '
	'number of rows and customers it concerns (NULL where that is no number of them) and what to do about it. Reads '
	'the source once; amount NULL: none';
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
-- ---- how good predictions of any kind were ---------------------------------------------------------

CREATE TYPE @extschema@.clv_accuracy AS (
	pairs pg_catalog.int8,
	skipped pg_catalog.int8,
	actual pg_catalog.float8,
	predicted pg_catalog.float8,
	total_error pg_catalog.float8,
	bias pg_catalog.float8,
	mae pg_catalog.float8,
	rmse pg_catalog.float8,
	rank_correlation pg_catalog.float8,
	gini pg_catalog.float8,
	top_decile_lift pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_accuracy IS 'the measures of clv_metrics; NULL where one is not defined';
COMMENT ON COLUMN @extschema@.clv_accuracy.pairs IS 'rows with both numbers';
COMMENT ON COLUMN @extschema@.clv_accuracy.skipped IS 'rows of which one number, or both, are NULL';
COMMENT ON COLUMN @extschema@.clv_accuracy.actual IS 'sum of what came';
COMMENT ON COLUMN @extschema@.clv_accuracy.predicted IS 'sum of what was predicted';
COMMENT ON COLUMN @extschema@.clv_accuracy.total_error IS
	'predicted / actual - 1; NULL unless the sum of what came is positive';
COMMENT ON COLUMN @extschema@.clv_accuracy.bias IS 'mean of predicted - actual';
COMMENT ON COLUMN @extschema@.clv_accuracy.mae IS 'mean absolute error';
COMMENT ON COLUMN @extschema@.clv_accuracy.rmse IS 'root mean square error';
COMMENT ON COLUMN @extschema@.clv_accuracy.rank_correlation IS
	'Spearman''s rank correlation, ties sharing their ranks; NULL where all of either are equal';
COMMENT ON COLUMN @extschema@.clv_accuracy.gini IS
	'how well the predictions sort what came: 1 as well as is possible, 0 not at all, negative upside down; NULL where '
	'all that came is equal';
COMMENT ON COLUMN @extschema@.clv_accuracy.top_decile_lift IS
	'what came of the tenth with the highest predictions over what came of an average tenth; equal predictions count '
	'in part; NULL unless the sum of what came is positive';

CREATE FUNCTION clv_internal.clv_metrics_add(pg_catalog.internal, pg_catalog.float8, pg_catalog.float8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_metrics_add(pg_catalog.internal, pg_catalog.float8, pg_catalog.float8) IS
	'of clv_metrics: takes a pair into the state; those with a NULL are counted only';
CREATE FUNCTION clv_internal.clv_metrics_final(pg_catalog.internal) RETURNS @extschema@.clv_accuracy
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION clv_internal.clv_metrics_final(pg_catalog.internal) IS 'of clv_metrics: the row';
CREATE AGGREGATE @extschema@.clv_metrics(actual pg_catalog.float8, predicted pg_catalog.float8) (
	SFUNC = clv_internal.clv_metrics_add, STYPE = pg_catalog.internal, SSPACE = 8192,
	FINALFUNC = clv_internal.clv_metrics_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_metrics(pg_catalog.float8, pg_catalog.float8) IS
	'how good predictions of any kind were (actual, predicted): sums, total error, bias, MAE, RMSE, rank correlation, '
	'Gini coefficient and lift of the top tenth, as clv_backtest has them, to the last bit the same in any order of '
	'rows. Rows with a NULL are skipped and counted; NaN and infinity are errors; NULL without a row';
-- ---- reading the histories of the caller ----------------------------------------------------------------
--
-- Each statement is written whole; {histories} is the caller's table, view or query. What it computes about a customer
-- are calls of functions, with arguments of their exact types, so that no search_path can change what it means.

-- The statement that reads the columns history and covariates (NULL without a column of them) of a table, view or
-- query. Raises an error if there is no such relation or column, or the column is of another type.
CREATE FUNCTION clv_internal.clv_validate_histories(
	source pg_catalog.text, history pg_catalog.text, covariates pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 AS $$
DECLARE
	relation pg_catalog.record;
	histories pg_catalog.record;
	vectors pg_catalog.record;
	vector pg_catalog.text := 'NULL';
BEGIN
	relation := clv_internal.clv_source(source);
	histories := clv_internal.clv_source_column(relation.query, relation.title, 'history'::pg_catalog.text, history);
	PERFORM clv_internal.clv_source_check_type(relation.title, histories.column_name, histories.column_type,
		pg_catalog.format_type(histories.column_type, histories.column_typmod),
		ARRAY['@extschema@.clv_history'::pg_catalog.regtype], 'clv_history'::pg_catalog.text,
		('Make the histories first: CREATE TABLE customer AS SELECT customer_id, '
			'clv_history(bought_at, amount) AS history FROM orders GROUP BY customer_id.')::pg_catalog.text);
	IF covariates IS NOT NULL THEN
		vectors := clv_internal.clv_source_column(relation.query, relation.title, 'covariates'::pg_catalog.text,
			covariates);
		PERFORM clv_internal.clv_source_check_type(relation.title, vectors.column_name, vectors.column_type,
			pg_catalog.format_type(vectors.column_type, vectors.column_typmod),
			('{pg_catalog.float8[],pg_catalog.float4[],pg_catalog.numeric[],'
				'pg_catalog.int2[],pg_catalog.int4[],pg_catalog.int8[]}')::pg_catalog.regtype[],
			'an array of numbers'::pg_catalog.text,
			'A view can make one: ARRAY[female::int, age] AS covariates.'::pg_catalog.text);
		vector := pg_catalog.format('s.%I', vectors.column_name);
	END IF;
	RETURN clv_internal.clv_statement($sql$
		SELECT s.{history:I}::@extschema@.clv_history AS history,
			{vector}::pg_catalog.float8[] AS covariates
		FROM {relation} AS s
		$sql$, pg_catalog.jsonb_build_object('history', histories.column_name, 'vector', vector,
			'relation', relation.item));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_histories(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the statement that reads the histories and covariates (NULL: none) of a table or view by name, with the columns '
	'checked. A part of validation';

-- Fits a model to the histories with the given options, and says when the last purchase of all was.
CREATE FUNCTION clv_internal.clv_validate_fit(
	histories pg_catalog.text,
	options pg_catalog.jsonb,
	with_covariates pg_catalog.bool,
	OUT fitted @extschema@.clv_model,
	OUT last_purchase pg_catalog.date
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 AS $$
BEGIN
	EXECUTE clv_internal.clv_statement(CASE WHEN with_covariates THEN $sql$
		SELECT @extschema@.clv_fit(h.history, $1, h.covariates),
			pg_catalog.max(@extschema@.clv_last_purchase(h.history))
		FROM ({histories}) AS h
		$sql$ ELSE $sql$
		SELECT @extschema@.clv_fit(h.history, $1),
			pg_catalog.max(@extschema@.clv_last_purchase(h.history))
		FROM ({histories}) AS h
		$sql$ END::pg_catalog.text, pg_catalog.jsonb_build_object('histories', histories))
		INTO fitted, last_purchase
		USING options;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_fit(pg_catalog.text, pg_catalog.jsonb, pg_catalog.bool) IS
	'the model fitted to histories with these options, with or without their covariates, and the day of the last '
	'purchase of all. A part of validation';

-- How many customers have a purchase up to as_of, the first such day of all, and the day of the last purchase of all.
CREATE FUNCTION clv_internal.clv_validate_extent(
	histories pg_catalog.text,
	as_of pg_catalog.date,
	OUT customers pg_catalog.int8,
	OUT first_purchase pg_catalog.date,
	OUT last_purchase pg_catalog.date
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 AS $$
BEGIN
	EXECUTE clv_internal.clv_statement($sql$
		SELECT pg_catalog.count(@extschema@.clv_first_purchase(h.history, $1)),
			pg_catalog.min(@extschema@.clv_first_purchase(h.history, $1)),
			pg_catalog.max(@extschema@.clv_last_purchase(h.history))
		FROM ({histories}) AS h
		$sql$, pg_catalog.jsonb_build_object('histories', histories))
		INTO customers, first_purchase, last_purchase
		USING as_of;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_extent(pg_catalog.text, pg_catalog.date) IS
	'how many customers have a purchase up to as_of, the first such day of all (NULL without one), and the day of the '
	'last purchase of all. A part of validation';

-- Here and below: OFFSET '0' keeps what a subquery computes from being computed for each of its columns. The planner
-- sees that it is none, and lets workers compute it.

-- A row per history: what the model predicts for the hold-out, and what the customer did in it and before it.
-- Predictions are NULL where there is no purchase up to since, revenue also where the model has no spend part.
CREATE FUNCTION clv_internal.clv_validate_predictions(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	span pg_catalog.interval,
	since pg_catalog.date,
	until pg_catalog.date,
	periods pg_catalog.int4
) RETURNS TABLE (
	predicted pg_catalog.float8,
	actual pg_catalog.int4,
	before pg_catalog.int4,
	promised pg_catalog.float8,
	earned pg_catalog.numeric
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT c.predicted,
			CASE WHEN c.predicted IS NOT NULL THEN c.actual END,
			CASE WHEN c.predicted IS NOT NULL THEN c.before END,
			CASE WHEN c.spent IS NOT NULL THEN c.promised END,
			CASE WHEN c.promised IS NOT NULL THEN c.spent END
		FROM (
			SELECT (p.prediction).expected_purchases AS predicted,
				(p.prediction).expected_revenue AS promised,
				p.actual,
				p.before,
				CASE WHEN p.actual OPERATOR(pg_catalog.=) 0 THEN coalesce(p.spent, 0::pg_catalog.numeric)
					ELSE p.spent END AS spent
			FROM (
				SELECT @extschema@.clv_predict($1, h.history, $2, 0::pg_catalog.float8, 1::pg_catalog.float8, $3,
						NULL::pg_catalog.float8, h.covariates) AS prediction,
					clv_internal.clv_validate_purchases($1, h.history, $3, $5) AS actual,
					clv_internal.clv_validate_purchases($1, h.history, $3, $6) AS before,
					@extschema@.clv_spend_between(h.history, $3, $4) AS spent
				FROM ({histories}) AS h
				OFFSET '0'
			) AS p
		) AS c
		$sql$, pg_catalog.jsonb_build_object('histories', histories))
		USING model, span, since, until, periods, pg_catalog.int4um(periods);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_predictions(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.interval, pg_catalog.date, pg_catalog.date, pg_catalog.int4) IS
	'for each history the purchases that the model predicts for the hold-out (since, until], those in it and those in '
	'as long a time before it, NULL where the customer came later; the revenue that the model predicts, and the actual '
	'one, NULL unless both are known. A part of validation';

-- A row per history with a purchase up to since: the repeat purchases up to then, the predictions of a back-test, and
-- the probability of no purchase in the hold-out, which is NULL unless asked for.
CREATE FUNCTION clv_internal.clv_validate_frequencies(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	span pg_catalog.interval,
	since pg_catalog.date,
	periods pg_catalog.int4,
	with_probability pg_catalog.bool
) RETURNS TABLE (
	repeats pg_catalog.int4,
	p_alive pg_catalog.float8,
	predicted pg_catalog.float8,
	no_purchase pg_catalog.float8,
	actual pg_catalog.int4
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT c.repeats,
			(c.prediction).p_alive,
			(c.prediction).expected_purchases,
			c.no_purchase,
			c.actual
		FROM (
			SELECT clv_internal.clv_validate_purchases($1, h.history, $3, 0) AS repeats,
				@extschema@.clv_predict($1, h.history, $2, 0::pg_catalog.float8, 1::pg_catalog.float8, $3,
					NULL::pg_catalog.float8, h.covariates) AS prediction,
				CASE WHEN $5 THEN @extschema@.clv_purchase_probability($1, h.history, 0::pg_catalog.float8, $2, $3,
					h.covariates) END AS no_purchase,
				clv_internal.clv_validate_purchases($1, h.history, $3, $4) AS actual
			FROM ({histories}) AS h
			OFFSET '0'
		) AS c
		WHERE (c.prediction).expected_purchases IS NOT NULL
		$sql$, pg_catalog.jsonb_build_object('histories', histories))
		USING model, span, since, periods, with_probability;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_frequencies(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.interval, pg_catalog.date, pg_catalog.int4, pg_catalog.bool) IS
	'for each history with a purchase up to since the repeat purchases until then, P(alive) and the purchases that the '
	'model predicts for the hold-out, the probability of none in it (NULL unless asked for), and the purchases in it. '
	'A part of validation';

-- How many customers made their first purchase on each day up to as_of, by their covariates.
CREATE FUNCTION clv_internal.clv_validate_newcomers(
	histories pg_catalog.text,
	as_of pg_catalog.date
) RETURNS TABLE (
	first_purchase pg_catalog.date,
	covariates pg_catalog.float8[],
	customers pg_catalog.int8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 1000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT c.first_purchase, c.covariates, pg_catalog.count(*)
		FROM (
			SELECT @extschema@.clv_first_purchase(h.history, $1) AS first_purchase, h.covariates
			FROM ({histories}) AS h
			OFFSET '0'
		) AS c
		WHERE c.first_purchase IS NOT NULL
		GROUP BY c.first_purchase, c.covariates
		$sql$, pg_catalog.jsonb_build_object('histories', histories))
		USING as_of;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_newcomers(pg_catalog.text, pg_catalog.date) IS
	'how many customers made their first purchase on a day up to as_of, by day and covariates. A part of validation';

-- The days of the repeat purchases of a customer who has a purchase up to as_of; none of another customer.
CREATE FUNCTION clv_internal.clv_validate_repeat_days(history @extschema@.clv_history, as_of pg_catalog.date)
RETURNS SETOF pg_catalog.date
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 200 ROWS 5
BEGIN ATOMIC
	SELECT l.day
	FROM @extschema@.clv_purchase_log(history) AS l
	WHERE l.purchase AND l.day > @extschema@.clv_first_purchase(history, as_of);
END;
COMMENT ON FUNCTION clv_internal.clv_validate_repeat_days(@extschema@.clv_history, pg_catalog.date) IS
	'the days on which a customer who has a purchase up to as_of bought again, before as_of and after it. A part of '
	'validation';

-- How many repeat purchases the customers with a purchase up to as_of made on each day.
CREATE FUNCTION clv_internal.clv_validate_repeats(
	histories pg_catalog.text,
	as_of pg_catalog.date
) RETURNS TABLE (
	day pg_catalog.date,
	repeats pg_catalog.int8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 1000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT r.day, pg_catalog.count(*)
		FROM ({histories}) AS h
		CROSS JOIN LATERAL clv_internal.clv_validate_repeat_days(h.history, $1) AS r (day)
		GROUP BY r.day
		$sql$, pg_catalog.jsonb_build_object('histories', histories))
		USING as_of;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_repeats(pg_catalog.text, pg_catalog.date) IS
	'how many repeat purchases the customers who have a purchase up to as_of made on each day. A part of validation';

-- Counts the customers of histories for fits with these options.
CREATE FUNCTION clv_internal.clv_choose_cells(
	histories pg_catalog.text,
	options pg_catalog.jsonb,
	with_covariates pg_catalog.bool
) RETURNS @extschema@.clv_cells
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 AS $$
DECLARE
	counted @extschema@.clv_cells;
BEGIN
	EXECUTE clv_internal.clv_statement(CASE WHEN with_covariates THEN $sql$
		SELECT @extschema@.clv_cells(h.history, $1, h.covariates)
		FROM ({histories}) AS h
		$sql$ ELSE $sql$
		SELECT @extschema@.clv_cells(h.history, $1)
		FROM ({histories}) AS h
		$sql$ END::pg_catalog.text, pg_catalog.jsonb_build_object('histories', histories))
		INTO counted
		USING options;
	RETURN counted;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_choose_cells(pg_catalog.text, pg_catalog.jsonb, pg_catalog.bool) IS
	'the customers of histories counted for fits with these options, with or without their covariates. A part of '
	'validation';

-- A row per history with a purchase up to since: its purchases in the hold-out and before it as the first model counts
-- them, whether it was there for as long a time before since, and of each model its count of the hold-out, expectation,
-- the probability of that very count, and that of any purchase; no row without a model.
CREATE FUNCTION clv_internal.clv_choose_outcomes(
	histories pg_catalog.text,
	models @extschema@.clv_model[],
	spans pg_catalog.interval[],
	periods pg_catalog.int4[],
	since pg_catalog.date,
	until pg_catalog.date
) RETURNS TABLE (
	actual pg_catalog.int4,
	before pg_catalog.int4,
	there pg_catalog.bool,
	counted pg_catalog.int4[],
	predicted pg_catalog.float8[],
	probability pg_catalog.float8[],
	active pg_catalog.float8[]
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000 AS $$
DECLARE
	counts pg_catalog.text;
	expectations pg_catalog.text;
	probabilities pg_catalog.text;
	actives pg_catalog.text;
BEGIN
	-- each model has calls of its own: what they have computed for customers alike stays with them
	SELECT pg_catalog.string_agg(pg_catalog.format(
			'clv_internal.clv_validate_purchases($1[%1$s], h.history, $4, $3[%1$s])', i), ', '),
		pg_catalog.string_agg(pg_catalog.format(
			'%2$s.clv_expected_purchases($1[%1$s], h.history, $2[%1$s], $4, h.covariates)', i, '@extschema@'), ', '),
		pg_catalog.string_agg(pg_catalog.format(
			'%2$s.clv_purchase_probability($1[%1$s], c.history, c.counted[%1$s]::pg_catalog.float8, $2[%1$s], '
			'$4, c.covariates)', i, '@extschema@'), ', '),
		pg_catalog.string_agg(pg_catalog.format(
			'%2$s.clv_active_probability($1[%1$s], c.history, $2[%1$s], $4, c.covariates)', i, '@extschema@'), ', ')
	INTO counts, expectations, probabilities, actives
	FROM pg_catalog.generate_series(1, pg_catalog.cardinality(models)) AS i;
	-- without a model there is nothing to count
	IF counts IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT c.counted[1],
			c.before,
			c.there,
			c.counted,
			c.predicted,
			ARRAY[{probabilities}],
			ARRAY[{actives}]
		FROM (
			SELECT h.history,
				h.covariates,
				clv_internal.clv_validate_purchases($1[1], h.history, $4, $5) AS before,
				pg_catalog.date_le(@extschema@.clv_first_purchase(h.history), $6) AS there,
				ARRAY[{counts}] AS counted,
				ARRAY[{expectations}] AS predicted
			FROM ({histories}) AS h
			OFFSET '0'
		) AS c
		WHERE c.predicted[1] IS NOT NULL
		$sql$, pg_catalog.jsonb_build_object('histories', histories, 'counts', counts,
			'expectations', expectations, 'probabilities', probabilities, 'actives', actives))
		USING models, spans, periods, since, pg_catalog.int4um(periods[1]),
			pg_catalog.date_mii(since, pg_catalog.date_mi(until, since));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_choose_outcomes(
	pg_catalog.text, @extschema@.clv_model[], pg_catalog.interval[], pg_catalog.int4[], pg_catalog.date,
	pg_catalog.date) IS
	'for each history with a purchase up to since its purchases in the hold-out and in as long a time before it, and '
	'whether it was there at the beginning of that; of each model the count of the hold-out, the expected number, the '
	'probability of that count and of at least one. A part of validation';
-- ---- back-tests: predict a past that is already known ------------------------------------------------

-- The day to predict from, the last day of the hold-out by the calendar, and the options of a fit with that day (NULL
-- where a model is given). Raises an error for arguments that contradict each other, and a WARNING if the model was
-- fitted to purchases of the hold-out.
CREATE FUNCTION clv_internal.clv_validate_arguments(
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb,
	model @extschema@.clv_model,
	covariates pg_catalog.text,
	OUT since pg_catalog.date,
	OUT until pg_catalog.date,
	OUT fit_options pg_catalog.jsonb
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known date;
BEGIN
	IF options IS NOT NULL AND model IS NOT NULL THEN
		PERFORM clv_internal.clv_raise('give options for a fit or a model, not both'::text);
	END IF;
	IF model IS NOT NULL THEN
		PERFORM clv_internal.clv_validate_covariates(model, covariates);
	END IF;
	known := CASE WHEN model IS NULL THEN (options ->> 'as_of')::date
		ELSE (SELECT d.as_of FROM @extschema@.clv_diagnostics(model) d) END;
	since := coalesce(as_of, known);
	IF since IS NULL THEN
		PERFORM clv_internal.clv_raise('the day to predict from is not known'::text,
			NULL::text,
			'Give as_of => a day so far in the past that the data cover the horizon after it.'::text,
			'null_value_not_allowed'::text);
	END IF;
	PERFORM clv_internal.clv_argument_date('as_of'::text, since);
	IF model IS NULL AND known <> since THEN
		PERFORM clv_internal.clv_raise(format('as_of (%s) is not that of the options (%s)',
				to_char(since, 'YYYY-MM-DD'), to_char(known, 'YYYY-MM-DD')),
			NULL::text,
			'Leave it out of the options.'::text,
			'invalid_parameter_value'::text);
	END IF;
	IF model IS NOT NULL AND known > since THEN
		RAISE WARNING 'the model was fitted to a part of the purchases that it is to predict'
			USING DETAIL = format('It was fitted to purchases up to %s, and predicts from %s.',
				to_char(known, 'YYYY-MM-DD'), to_char(since, 'YYYY-MM-DD'));
	END IF;
	until := clv_internal.clv_validate_day(since, horizon, 'horizon'::text);
	IF model IS NULL THEN
		fit_options := coalesce(options, '{}') || jsonb_build_object('as_of', since, 'too_few', 'error');
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_arguments(
	pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model, pg_catalog.text) IS
	'the day to predict from, the end of the hold-out by the calendar, and the options of a fit with that day (NULL '
	'where a model is given); errors of arguments that contradict each other, and a WARNING of a model that was fitted '
	'to later purchases. A part of validation';

-- Raises a WARNING if the last purchase of all lies long before the end of the hold-out.
CREATE FUNCTION clv_internal.clv_validate_reach(
	since pg_catalog.date, until pg_catalog.date, last_purchase pg_catalog.date)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF until - last_purchase > greatest(7, (until - since) / 10) THEN
		RAISE WARNING 'the data seem to end before the hold-out does'
			USING DETAIL = format('The last purchase of all is of %s, the hold-out lasts to %s.',
					to_char(last_purchase, 'YYYY-MM-DD'), to_char(until, 'YYYY-MM-DD')),
				HINT = 'What is missing looks like customers who stopped buying: take an earlier as_of or '
				'a shorter horizon.';
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_reach(pg_catalog.date, pg_catalog.date, pg_catalog.date) IS
	'warns where the data seem to end before the hold-out does. A part of validation';

-- The hold-out as the model counts time: its periods (days for a model of continuous time), the day by which they are
-- over for every customer, and the horizon to predict. Raises a WARNING if the last purchase of all lies long before
-- that day, and an error for a model that had to learn from the hold-out.
CREATE FUNCTION clv_internal.clv_validate_hold_out(
	model @extschema@.clv_model,
	was_fitted pg_catalog.bool,
	since pg_catalog.date,
	horizon pg_catalog.interval,
	last_purchase pg_catalog.date,
	INOUT until pg_catalog.date,
	OUT periods pg_catalog.int4,
	OUT span pg_catalog.interval
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	clock text := (clv_internal.clv_validate_clock(model)).clock;
BEGIN
	IF clock = 'campaigns' AND was_fitted THEN
		PERFORM clv_internal.clv_raise('a supervised model cannot be fitted by a back-test'::text,
			'It would be fitted to the purchases after as_of, which it is to predict.'::text,
			'Fit it a period earlier, and give it as model => ....'::text,
			'feature_not_supported'::text);
	END IF;
	-- predictions are for the very days that are counted, or for periods, which need not end on the same days
	periods := until - since;
	span := make_interval(days => periods);
	IF clock <> 'continuous' THEN
		SELECT p.periods, p.until INTO periods, until
		FROM clv_internal.clv_validate_periods(model, since, horizon) p;
		span := horizon;
	END IF;
	PERFORM clv_internal.clv_validate_reach(since, until, last_purchase);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_hold_out(
	@extschema@.clv_model, pg_catalog.bool, pg_catalog.date, pg_catalog.interval, pg_catalog.date, pg_catalog.date) IS
	'the hold-out as a model counts time: its last day, how many periods (days, where time is continuous) it lasts, '
	'and the horizon to predict; warns where the data do not reach its end. A part of validation';

-- Raises the error of a back-test without customers.
CREATE FUNCTION clv_internal.clv_validate_no_customers(source pg_catalog.text, since pg_catalog.date)
RETURNS pg_catalog.void
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
RETURN clv_internal.clv_raise('there are no customers to predict'::text,
	format('None of the histories of %s has a purchase up to as_of %s.', source, to_char(since, 'YYYY-MM-DD')),
	'Give a later as_of.'::text,
	'no_data_found'::text);
COMMENT ON FUNCTION clv_internal.clv_validate_no_customers(pg_catalog.text, pg_catalog.date) IS
	'raises the error of a back-test without a customer up to since. A part of validation';

-- What a back-test begins with: the statement that reads the histories, the model, which is fitted unless it is given,
-- and the hold-out. Raises the errors and warnings of its parts, and an error if no customer has a purchase up to
-- as_of.
CREATE FUNCTION clv_internal.clv_validate_prepare(
	source pg_catalog.text,
	history pg_catalog.text,
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb,
	model @extschema@.clv_model,
	covariates pg_catalog.text,
	OUT histories pg_catalog.text,
	OUT fitted @extschema@.clv_model,
	OUT since pg_catalog.date,
	OUT until pg_catalog.date,
	OUT periods pg_catalog.int4,
	OUT span pg_catalog.interval
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 AS $$
DECLARE
	given pg_catalog.record;
	last_purchase pg_catalog.date;
	no_customers pg_catalog.bool;
BEGIN
	histories := clv_internal.clv_validate_histories(source, history, covariates);
	given := clv_internal.clv_validate_arguments(as_of, horizon, options, model, covariates);
	since := given.since;
	IF model IS NULL THEN
		SELECT f.fitted, f.last_purchase, f.fitted IS NULL
		INTO fitted, last_purchase, no_customers
		FROM clv_internal.clv_validate_fit(histories, given.fit_options, covariates IS NOT NULL) AS f;
	ELSE
		SELECT model, e.last_purchase, e.first_purchase IS NULL
		INTO fitted, last_purchase, no_customers
		FROM clv_internal.clv_validate_extent(histories, since) AS e;
	END IF;
	IF no_customers THEN
		PERFORM clv_internal.clv_validate_no_customers(source, since);
	END IF;
	SELECT h.until, h.periods, h.span
	INTO until, periods, span
	FROM clv_internal.clv_validate_hold_out(fitted, model IS NULL, since, horizon, last_purchase, given.until) AS h;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_prepare(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model,
	pg_catalog.text) IS
	'what back-tests begin with: the statement that reads the histories, the model (fitted at since unless given) the '
	'days of the hold-out (since, until], and how many periods of the model (days, where time is continuous) it lasts; '
	'warns where the data do not reach its end. A part of validation';

-- The customers with a prediction for the tenths of a back-test: those of equal prediction and equal purchases are one
-- row. Those of equal prediction are shared out where a border of tenths cuts through them, so that no tenth depends on
-- the order of rows.
CREATE FUNCTION clv_internal.clv_validate_ranked(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	span pg_catalog.interval,
	since pg_catalog.date,
	until pg_catalog.date,
	periods pg_catalog.int4
) RETURNS TABLE (
	predicted pg_catalog.float8,
	actual pg_catalog.int4,
	n pg_catalog.float8,
	promised pg_catalog.float8,
	earned pg_catalog.numeric,
	total pg_catalog.float8,
	tied pg_catalog.float8,
	above pg_catalog.float8
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000
BEGIN ATOMIC
	WITH grouped AS (
		SELECT p.predicted,
			p.actual,
			count(*)::float8 AS n,
			clv_internal.clv_validate_sum(p.promised) AS promised,
			sum(p.earned) AS earned
		FROM clv_internal.clv_validate_predictions(histories, model, span, since, until, periods) AS p
		WHERE p.predicted IS NOT NULL
		GROUP BY p.predicted, p.actual
	)
	SELECT g.predicted,
		g.actual,
		g.n,
		g.promised,
		g.earned,
		sum(g.n) OVER (),
		sum(g.n) OVER (PARTITION BY g.predicted),
		sum(g.n) OVER () - sum(g.n) OVER (ORDER BY g.predicted)
	FROM grouped AS g;
END;
COMMENT ON FUNCTION clv_internal.clv_validate_ranked(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.interval, pg_catalog.date, pg_catalog.date, pg_catalog.int4) IS
	'customers of equal prediction and equal purchases in the hold-out together: n of them, their sums, how many there '
	'are in all, tied with them and above them by prediction. A part of validation';

-- Predicts the purchases and the revenue of the customers in (as_of, as_of + horizon], and compares them with what the
-- same histories did. One row.
CREATE FUNCTION @extschema@.clv_backtest(
	source pg_catalog.text,
	history pg_catalog.text,
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb DEFAULT NULL,
	model @extschema@.clv_model DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
	purchase_model pg_catalog.text,
	since pg_catalog.date,
	until pg_catalog.date,
	customers pg_catalog.int8,
	skipped pg_catalog.int8,
	predicted_purchases pg_catalog.float8,
	actual_purchases pg_catalog.int8,
	total_error pg_catalog.float8,
	bias pg_catalog.float8,
	mae pg_catalog.float8,
	rmse pg_catalog.float8,
	naive_mae pg_catalog.float8,
	naive_rmse pg_catalog.float8,
	rank_correlation pg_catalog.float8,
	gini pg_catalog.float8,
	top_decile_lift pg_catalog.float8,
	revenue_customers pg_catalog.int8,
	predicted_revenue pg_catalog.float8,
	actual_revenue pg_catalog.numeric,
	revenue_error pg_catalog.float8,
	revenue_mae pg_catalog.float8,
	revenue_rmse pg_catalog.float8
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 1
BEGIN ATOMIC
	SELECT (@extschema@.clv_diagnostics(t.fitted)).purchase_model,
		t.since,
		t.until,
		(m.purchases).pairs,
		(m.purchases).skipped,
		(m.purchases).predicted,
		(m.purchases).actual::int8,
		(m.purchases).total_error,
		(m.purchases).bias,
		(m.purchases).mae,
		(m.purchases).rmse,
		m.naive_error / (m.purchases).pairs,
		sqrt(m.naive_square / (m.purchases).pairs),
		(m.purchases).rank_correlation,
		(m.purchases).gini,
		(m.purchases).top_decile_lift,
		m.payers,
		m.promised,
		m.earned,
		clv_internal.clv_ratio(m.promised, m.earned::float8) - 1::float8,
		clv_internal.clv_ratio(m.money_error, m.payers::float8),
		sqrt(clv_internal.clv_ratio(m.money_square, m.payers::float8))
	FROM clv_internal.clv_validate_prepare(source, history, as_of, horizon, options, model, covariates) AS t
	CROSS JOIN LATERAL (
		SELECT @extschema@.clv_metrics(p.actual::float8, p.predicted) AS purchases,
			clv_internal.clv_validate_sum(abs(p.before - p.actual)::float8) AS naive_error,
			clv_internal.clv_validate_sum(power((p.before - p.actual)::float8, 2::float8)) AS naive_square,
			count(p.earned) AS payers,
			clv_internal.clv_validate_sum(p.promised) AS promised,
			sum(p.earned) AS earned,
			clv_internal.clv_validate_sum(abs(p.promised - p.earned::float8)) AS money_error,
			clv_internal.clv_validate_sum(power(p.promised - p.earned::float8, 2::float8)) AS money_square
		FROM clv_internal.clv_validate_predictions(t.histories, t.fitted, t.span, t.since, t.until, t.periods) AS p
	) AS m;
END;
COMMENT ON FUNCTION @extschema@.clv_backtest(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model,
	pg_catalog.text) IS
	'predicts a past that is known: fits a model to the histories of a table or view up to as_of (or takes the one '
	'given; as_of NULL: its own), predicts every customer''s purchases and revenue in (as_of, as_of + horizon], and '
	'compares with what the same histories did. total_error: predicted / actual - 1; bias, mae, rmse: mean, mean '
	'absolute and root mean square error per customer; naive: of predicting as many repeat purchases as in as long a '
	'time before as_of; rank_correlation: Spearman; gini: 1 where the order of predictions is that of the purchases, 0 '
	'where it says nothing; top_decile_lift: purchases of the tenth with the highest predictions, over those of an '
	'average tenth; revenue where prediction and purchases have one. skipped: customers who came later. covariates: a '
	'column of vectors, for models with covariates. Warns where the data do not reach the end of the horizon';

-- The back-test by tenths of the customers: a row per tenth, 1 with the highest predictions. NULL: lift and share where
-- there was no purchase, revenue where the model has no spend part.
CREATE FUNCTION @extschema@.clv_backtest_deciles(
	source pg_catalog.text,
	history pg_catalog.text,
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb DEFAULT NULL,
	model @extschema@.clv_model DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
	decile pg_catalog.int4,
	customers pg_catalog.float8,
	predicted_purchases pg_catalog.float8,
	actual_purchases pg_catalog.float8,
	lift pg_catalog.float8,
	cumulative_share pg_catalog.float8,
	predicted_revenue pg_catalog.float8,
	actual_revenue pg_catalog.float8
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
BEGIN ATOMIC
	WITH ranked AS MATERIALIZED (
		SELECT r.*
		FROM clv_internal.clv_validate_prepare(source, history, as_of, horizon, options, model, covariates) AS t
		CROSS JOIN LATERAL
			clv_internal.clv_validate_ranked(t.histories, t.fitted, t.span, t.since, t.until, t.periods) AS r
	), part AS (
		-- the part of the customers of a row that lies in each tenth
		SELECT r.*,
			d.decile,
			(least(r.above + r.tied, d.decile::float8 * r.total / 10::float8)
				- greatest(r.above, (d.decile - 1)::float8 * r.total / 10::float8)) / r.tied AS share
		FROM ranked AS r
		JOIN generate_series(1, 10) AS d (decile)
			ON d.decile::float8 > floor(10::float8 * r.above / r.total)
			AND d.decile::float8 <= ceil(10::float8 * (r.above + r.tied) / r.total)
	), tenth AS (
		SELECT p.decile,
			clv_internal.clv_validate_sum(p.n * p.share) AS customers,
			clv_internal.clv_validate_sum(p.n * p.predicted * p.share) AS predicted,
			clv_internal.clv_validate_sum(p.n * p.actual::float8 * p.share) AS actual,
			clv_internal.clv_validate_sum(p.promised * p.share) AS promised,
			clv_internal.clv_validate_sum(p.earned::float8 * p.share) AS earned
		FROM part AS p
		GROUP BY p.decile
	)
	SELECT t.decile,
		t.customers,
		t.predicted,
		t.actual,
		clv_internal.clv_ratio(t.actual / t.customers,
			clv_internal.clv_validate_sum(t.actual) OVER () / clv_internal.clv_validate_sum(t.customers) OVER ()),
		clv_internal.clv_ratio(clv_internal.clv_validate_sum(t.actual) OVER (ORDER BY t.decile),
			clv_internal.clv_validate_sum(t.actual) OVER ()),
		t.promised,
		t.earned
	FROM tenth AS t
	ORDER BY t.decile;
END;
COMMENT ON FUNCTION @extschema@.clv_backtest_deciles(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model,
	pg_catalog.text) IS
	'the back-test by tenths of the customers, 1 with the highest predicted purchases: what was predicted and what '
	'they did, lift over the mean customer and cumulative share of all purchases. Customers with equal predictions are '
	'shared out between the tenths that they lie in, hence fractions. Arguments as of clv_backtest';

-- An error unless last_class is a number of repeat purchases.
CREATE FUNCTION clv_internal.clv_validate_class(last_class pg_catalog.int4) RETURNS pg_catalog.void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF last_class IS NULL OR last_class < 0 THEN
		PERFORM clv_internal.clv_raise(format('last_class must be a number of repeat purchases: %s',
				coalesce(last_class::text, 'NULL')),
			NULL::text,
			'Customers with so many and more are one class.'::text,
			'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_class(pg_catalog.int4) IS
	'an error unless last_class is a number of repeat purchases. A part of validation';

-- The rows of clv_backtest_calibration, of histories and a hold-out that are prepared.
CREATE FUNCTION clv_internal.clv_validate_classes(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	span pg_catalog.interval,
	since pg_catalog.date,
	periods pg_catalog.int4,
	last_class pg_catalog.int4
) RETURNS TABLE (
	repeat_purchases pg_catalog.int4,
	customers pg_catalog.int8,
	predicted_mean pg_catalog.float8,
	actual_mean pg_catalog.float8,
	predicted_purchases pg_catalog.float8,
	actual_purchases pg_catalog.int8,
	predicted_alive pg_catalog.float8,
	predicted_buyers pg_catalog.float8,
	actual_buyers pg_catalog.float8
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 8
BEGIN ATOMIC
	WITH seen AS (
		SELECT least(f.repeats, last_class) AS repeats,
			f.p_alive,
			f.predicted,
			1::float8 - f.no_purchase AS buys,
			f.actual
		FROM clv_internal.clv_validate_frequencies(histories, model, span, since, periods,
			(clv_internal.clv_validate_clock(model)).clock IN ('continuous', 'opportunities')) AS f
	)
	SELECT s.repeats,
		count(*),
		clv_internal.clv_validate_sum(s.predicted) / count(*)::float8,
		avg(s.actual::float8),
		clv_internal.clv_validate_sum(s.predicted),
		sum(s.actual),
		clv_internal.clv_ratio(clv_internal.clv_validate_sum(s.p_alive), count(s.p_alive)::float8),
		clv_internal.clv_ratio(clv_internal.clv_validate_sum(s.buys), count(s.buys)::float8),
		avg(CASE WHEN s.actual > 0 THEN 1::float8 ELSE 0::float8 END)
	FROM seen AS s
	GROUP BY s.repeats
	ORDER BY s.repeats;
END;
COMMENT ON FUNCTION clv_internal.clv_validate_classes(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.interval, pg_catalog.date, pg_catalog.int4, pg_catalog.int4) IS
	'the rows of clv_backtest_calibration, of histories and a hold-out that are prepared. A part of validation';

-- The back-test by the number of repeat purchases up to as_of: a row per number that occurs, those of last_class and
-- more together. predicted_buyers is NULL for models that do not count purchases.
CREATE FUNCTION @extschema@.clv_backtest_calibration(
	source pg_catalog.text,
	history pg_catalog.text,
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb DEFAULT NULL,
	model @extschema@.clv_model DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL,
	last_class pg_catalog.int4 DEFAULT 7
) RETURNS TABLE (
	repeat_purchases pg_catalog.int4,
	customers pg_catalog.int8,
	predicted_mean pg_catalog.float8,
	actual_mean pg_catalog.float8,
	predicted_purchases pg_catalog.float8,
	actual_purchases pg_catalog.int8,
	predicted_alive pg_catalog.float8,
	predicted_buyers pg_catalog.float8,
	actual_buyers pg_catalog.float8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 8 AS $$
DECLARE
	test pg_catalog.record;
BEGIN
	PERFORM clv_internal.clv_validate_class(last_class);
	test := clv_internal.clv_validate_prepare(source, history, as_of, horizon, options, model, covariates);
	RETURN QUERY SELECT c.*
		FROM clv_internal.clv_validate_classes(test.histories, test.fitted, test.span, test.since, test.periods,
			last_class) AS c;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_backtest_calibration(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model,
	pg_catalog.text, pg_catalog.int4) IS
	'the back-test by the number of repeat purchases up to as_of (last_class: so many and more): purchases predicted '
	'and made, in sum and per customer, the mean P(alive), and the shares of customers predicted to buy at all and who '
	'did. Other arguments as of clv_backtest';
-- ---- tracking: a model against the calendar ----------------------------------------------------------

-- The day up to which customers count: as_of, or the day of the model, or no end. Raises an error unless the model is
-- of continuous time, a column of covariates is given if it has any, and the days are finite where they are given.
CREATE FUNCTION clv_internal.clv_validate_tracked(
	model @extschema@.clv_model,
	since pg_catalog.date,
	until pg_catalog.date,
	as_of pg_catalog.date,
	covariates pg_catalog.text
) RETURNS pg_catalog.date
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF model IS NULL THEN
		PERFORM clv_internal.clv_raise('model must be a model, not NULL'::text,
			NULL::text,
			'Make it by clv_fit(history), or by clv_model(...).'::text,
			'null_value_not_allowed'::text);
	END IF;
	IF (clv_internal.clv_validate_clock(model)).clock <> 'continuous' THEN
		PERFORM clv_internal.clv_raise(format('tracking needs a model of continuous time, not %s',
				(@extschema@.clv_diagnostics(model)).purchase_model),
			NULL::text,
			'clv_backtest compares such models over a hold-out.'::text,
			'feature_not_supported'::text);
	END IF;
	PERFORM clv_internal.clv_validate_covariates(model, covariates);
	PERFORM clv_internal.clv_argument_date('as_of'::text, as_of);
	PERFORM clv_internal.clv_argument_date('since'::text, since);
	PERFORM clv_internal.clv_argument_date('until'::text, until);
	RETURN coalesce(as_of, (@extschema@.clv_diagnostics(model)).as_of, 'infinity');
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_tracked(
	@extschema@.clv_model, pg_catalog.date, pg_catalog.date, pg_catalog.date, pg_catalog.text) IS
	'as_of, else that of the model, else infinity; an error unless the model is of continuous time, a column of '
	'covariates is given if and only if it has some, and the days that are given are finite. A part of validation';

-- The days that part since to until in periods, counted by the calendar from since; the last period ends on until.
-- Raises an error unless the days are in order, and the period is whole days and positive.
CREATE FUNCTION clv_internal.clv_validate_edges(
	since pg_catalog.date,
	until pg_catalog.date,
	period pg_catalog.interval
) RETURNS pg_catalog.date[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	edges date[] := ARRAY[since];
	day date;
BEGIN
	IF since >= until THEN
		PERFORM clv_internal.clv_raise(format('since (%s) must be before until (%s)',
			to_char(since, 'YYYY-MM-DD'), to_char(until, 'YYYY-MM-DD')));
	END IF;
	LOOP
		-- always counted from since: a month after January 31 is the end of February, two are March 31
		day := clv_internal.clv_validate_day(since, cardinality(edges) * period, 'period'::text);
		IF day <= edges[cardinality(edges)] THEN
			PERFORM clv_internal.clv_raise(format('period must be positive: %s', period));
		END IF;
		edges := edges || least(day, until);
		EXIT WHEN day >= until;
	END LOOP;
	RETURN edges;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_edges(pg_catalog.date, pg_catalog.date, pg_catalog.interval) IS
	'the days that part since to until in periods, both included, by the calendar from since; the last period may be '
	'shorter. A part of validation';

-- The rows of clv_tracking, of histories whose customers count up to as_of, in the periods between these days.
CREATE FUNCTION clv_internal.clv_validate_track(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	with_covariates pg_catalog.bool,
	as_of pg_catalog.date,
	edges pg_catalog.date[]
) RETURNS TABLE (
	number pg_catalog.int4,
	starts_after pg_catalog.date,
	ends_on pg_catalog.date,
	held_out pg_catalog.bool,
	customers pg_catalog.int8,
	expected pg_catalog.float8,
	actual pg_catalog.int8,
	expected_cumulative pg_catalog.float8,
	actual_cumulative pg_catalog.int8
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100
BEGIN ATOMIC
	WITH began AS MATERIALIZED (
		SELECT n.first_purchase,
			n.covariates,
			n.customers,
			dense_rank() OVER (ORDER BY n.covariates) AS vector
		FROM clv_internal.clv_validate_newcomers(histories, as_of) AS n
	), edge AS (
		SELECT e.day, e.number
		FROM unnest(edges) WITH ORDINALITY AS e (day, number)
	), pair AS MATERIALIZED (
		-- the day of the first purchase matters to models that follow a calendar
		SELECT e.number,
			e.day - b.first_purchase AS age,
			b.vector,
			b.customers,
			CASE WHEN clock.calendar THEN b.first_purchase ELSE as_of END AS acquired
		FROM edge AS e
		JOIN began AS b ON b.first_purchase <= e.day
		CROSS JOIN clv_internal.clv_validate_clock(model) AS clock
	), newcomer AS MATERIALIZED (
		SELECT b.vector,
			CASE WHEN with_covariates THEN @extschema@.clv_with_covariates(model, min(b.covariates))
				ELSE model END AS model
		FROM began AS b
		GROUP BY b.vector
	), aged AS MATERIALIZED (
		-- what a newcomer is expected to do up to an age, once for each age that occurs
		SELECT w.vector,
			a.age,
			a.acquired,
			CASE WHEN clock.calendar
				THEN (
					SELECT n.expected_purchases
					FROM @extschema@.clv_new_customer(w.model, make_interval(days => a.age), 0::float8, 1::float8,
						NULL::float8[], a.acquired) AS n)
				ELSE @extschema@.clv_expected_purchases(w.model, a.age::float8 / clock.unit_days) END AS repeats
		FROM (SELECT DISTINCT p.vector, p.age, p.acquired FROM pair AS p) AS a
		JOIN newcomer AS w ON w.vector = a.vector
		CROSS JOIN clv_internal.clv_validate_clock(model) AS clock
	), expected AS (
		SELECT p.number,
			clv_internal.clv_validate_sum(p.customers::float8 * a.repeats) AS repeats,
			sum(p.customers)::int8 AS customers
		FROM pair AS p
		JOIN aged AS a ON a.age = p.age AND a.vector = p.vector AND a.acquired = p.acquired
		GROUP BY p.number
	), bought AS (
		-- the period of a day is that which begins before it
		SELECT width_bucket(r.day - 1, edges)::int8 AS number,
			sum(r.repeats)::int8 AS repeats
		FROM clv_internal.clv_validate_repeats(histories, as_of) AS r
		GROUP BY 1
	)
	SELECT s.number::int4,
		s.day,
		e.day,
		s.day >= as_of,
		coalesce(x.customers, 0::int8),
		coalesce(x.repeats, 0::float8) - coalesce(y.repeats, 0::float8),
		coalesce(b.repeats, 0::int8),
		coalesce(x.repeats, 0::float8) - coalesce(z.repeats, 0::float8),
		sum(coalesce(b.repeats, 0::int8)) OVER (ORDER BY e.number)::int8
	FROM edge AS e
	JOIN edge AS s ON s.number = e.number - 1::int8
	LEFT JOIN expected AS x ON x.number = e.number
	LEFT JOIN expected AS y ON y.number = s.number
	LEFT JOIN expected AS z ON z.number = 1::int8
	LEFT JOIN bought AS b ON b.number = s.number
	ORDER BY e.number;
END;
COMMENT ON FUNCTION clv_internal.clv_validate_track(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.bool, pg_catalog.date, pg_catalog.date[]) IS
	'the rows of clv_tracking, of histories whose customers count up to as_of, in the periods between these days. A '
	'part of validation';

-- The repeat purchases that a model expects of the customers in each period, and those that they made. A row per
-- period; no count is NULL.
CREATE FUNCTION @extschema@.clv_tracking(
	source pg_catalog.text,
	history pg_catalog.text,
	model @extschema@.clv_model,
	period pg_catalog.interval DEFAULT '1 week',
	since pg_catalog.date DEFAULT NULL,
	until pg_catalog.date DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
	number pg_catalog.int4,
	starts_after pg_catalog.date,
	ends_on pg_catalog.date,
	held_out pg_catalog.bool,
	customers pg_catalog.int8,
	expected pg_catalog.float8,
	actual pg_catalog.int8,
	expected_cumulative pg_catalog.float8,
	actual_cumulative pg_catalog.int8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100 AS $$
DECLARE
	histories pg_catalog.text := clv_internal.clv_validate_histories(source, history, covariates);
	extent pg_catalog.record;
BEGIN
	as_of := clv_internal.clv_validate_tracked(model, since, until, as_of, covariates);
	extent := clv_internal.clv_validate_extent(histories, as_of);
	IF extent.first_purchase IS NULL THEN
		PERFORM clv_internal.clv_raise('there are no customers to track'::pg_catalog.text,
			pg_catalog.format('None of the histories of %s has a purchase up to as_of %s.',
				source, pg_catalog.to_char(as_of, 'YYYY-MM-DD')),
			NULL::pg_catalog.text,
			'no_data_found'::pg_catalog.text);
	END IF;
	RETURN QUERY SELECT t.*
		FROM clv_internal.clv_validate_track(histories, model, covariates IS NOT NULL, as_of,
			clv_internal.clv_validate_edges(coalesce(since, extent.first_purchase),
				coalesce(until, extent.last_purchase), period)) AS t;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_tracking(
	pg_catalog.text, pg_catalog.text, @extschema@.clv_model, pg_catalog.interval, pg_catalog.date, pg_catalog.date,
	pg_catalog.date, pg_catalog.text) IS
	'the repeat purchases that a model expects of the customers of a table or view in each period (starts_after, '
	'ends_on], counted from each one''s first purchase as of a newcomer, and those they made; both also summed up from '
	'since. Customers are those with a purchase up to as_of, the model''s where none is given, all where it has none; '
	'held_out: periods after as_of. since: their first day; until: the last purchase in the data, where the last '
	'period is cut. covariates: a column of vectors, for models with covariates';
-- ---- which family predicts best: all that can serve the same customers, over one hold-out ----------------

-- The families of which a back-test with these options can be made, and with which options each is fitted.
CREATE FUNCTION clv_internal.clv_choose_candidates(options pg_catalog.jsonb, with_discrete pg_catalog.bool)
RETURNS TABLE (
	number pg_catalog.int4,
	family pg_catalog.text,
	discrete pg_catalog.bool,
	fit_options pg_catalog.jsonb
)
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000 ROWS 8
BEGIN ATOMIC
	WITH common AS (
		SELECT options - '{start,start_effects,start_centre,k,periods,grace,clamp,correlation,spend_covariates}'::text[]
			|| '{"model": "mbg/nbd", "spend": "none", "too_few": "null", "shock": false}'::jsonb AS given,
			jsonb_strip_nulls(jsonb_build_object('periods', options -> 'periods')) AS of_discrete
	)
	SELECT (row_number() OVER (ORDER BY c.discrete, f.number))::int4,
		f.family,
		c.discrete,
		o.given || jsonb_build_object('model', f.family) || CASE WHEN c.discrete THEN o.of_discrete ELSE '{}' END
	FROM common AS o
	CROSS JOIN (VALUES (false, 'continuous'), (true, 'opportunities')) AS c (discrete, clock)
	CROSS JOIN LATERAL unnest(clv_internal.clv_fit_families(o.given, c.clock, coalesce(options ->> 'model', '')))
		WITH ORDINALITY AS f (family, number)
	WHERE with_discrete OR NOT c.discrete;
END;
COMMENT ON FUNCTION clv_internal.clv_choose_candidates(pg_catalog.jsonb, pg_catalog.bool) IS
	'the families that can serve customers with these options, in a fixed order, and the options of the fit of each, '
	'of purchases alone; of those that ''auto'' leaves out only the one that they name; with_discrete: also those of '
	'discrete time. A part of validation';

-- How many whole periods of a model of discrete time a horizon is; NULL where it is no whole number of them.
CREATE FUNCTION clv_internal.clv_choose_periods(time_unit pg_catalog.interval, horizon pg_catalog.interval)
RETURNS pg_catalog.int4
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 20
BEGIN ATOMIC
	SELECT CASE
		WHEN u.months > 0 AND u.days = 0 AND h.days = 0 AND h.months % u.months = 0 THEN h.months / u.months
		WHEN u.months = 0 AND u.days > 0 AND h.months = 0 AND h.days % u.days = 0 THEN h.days / u.days
	END
	FROM (SELECT (extract(year FROM time_unit) * 12 + extract(month FROM time_unit))::int4 AS months,
			extract(day FROM justify_hours(time_unit))::int4 AS days) AS u,
		(SELECT (extract(year FROM horizon) * 12 + extract(month FROM horizon))::int4 AS months,
			extract(day FROM justify_hours(horizon))::int4 AS days) AS h;
END;
COMMENT ON FUNCTION clv_internal.clv_choose_periods(pg_catalog.interval, pg_catalog.interval) IS
	'how many periods of a time unit a horizon is, NULL where it is no whole number of them. A part of validation';

-- The models of the candidates, and the hold-out as each counts it. NULL models could not be fitted, those without
-- periods cannot predict the horizon.
CREATE FUNCTION clv_internal.clv_choose_models(
	histories pg_catalog.text,
	options pg_catalog.jsonb,
	since pg_catalog.date,
	until pg_catalog.date,
	horizon pg_catalog.interval,
	with_covariates pg_catalog.bool,
	with_discrete pg_catalog.bool
) RETURNS TABLE (
	number pg_catalog.int4,
	family pg_catalog.text,
	model @extschema@.clv_model,
	periods pg_catalog.int4,
	span pg_catalog.interval
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 8
-- what they warn of is in the notes of the rows
SET client_min_messages = error
BEGIN ATOMIC
	WITH candidate AS MATERIALIZED (
		SELECT c.*
		FROM clv_internal.clv_choose_candidates(options, with_discrete) AS c
	), cells AS MATERIALIZED (
		-- customers are counted once for all families of continuous time
		SELECT d.discrete,
			clv_internal.clv_choose_cells(histories,
				d.fit_options || CASE WHEN d.discrete THEN '{}' ELSE '{"model": "auto"}' END::jsonb,
				with_covariates) AS counted
		FROM (SELECT DISTINCT ON (c.discrete) c.discrete, c.fit_options FROM candidate AS c
			ORDER BY c.discrete, c.number) AS d
	), fitted AS MATERIALIZED (
		SELECT c.number,
			c.family,
			c.discrete,
			(SELECT @extschema@.clv_fit(k.counted, c.fit_options)
				FROM cells AS k WHERE k.discrete = c.discrete) AS model
		FROM candidate AS c
	)
	SELECT f.number,
		f.family,
		f.model,
		h.periods,
		CASE WHEN f.discrete THEN horizon ELSE make_interval(days => h.periods) END
	FROM fitted AS f
	CROSS JOIN LATERAL (
		SELECT CASE WHEN f.discrete
			THEN clv_internal.clv_choose_periods(
				(clv_internal.clv_validate_clock(f.model)).time_unit, horizon)
			ELSE until - since END AS periods
	) AS h;
END;
COMMENT ON FUNCTION clv_internal.clv_choose_models(
	pg_catalog.text, pg_catalog.jsonb, pg_catalog.date, pg_catalog.date, pg_catalog.interval, pg_catalog.bool,
	pg_catalog.bool) IS
	'the candidates, each fitted to the same histories (NULL: it could not be), with the length of the hold-out as it '
	'counts it: periods (days, where time is continuous; NULL: no whole number) and a horizon. A part of validation';

-- The rows of clv_choose, of histories and a hold-out that are prepared; none where no family could be fitted.
CREATE FUNCTION clv_internal.clv_choose_rows(
	histories pg_catalog.text,
	options pg_catalog.jsonb,
	since pg_catalog.date,
	until pg_catalog.date,
	horizon pg_catalog.interval,
	with_covariates pg_catalog.bool,
	with_discrete pg_catalog.bool
) RETURNS TABLE (
	rank pg_catalog.int4,
	model pg_catalog.text,
	converged pg_catalog.bool,
	customers pg_catalog.int8,
	log_likelihood pg_catalog.float8,
	bic pg_catalog.float8,
	log_score pg_catalog.float8,
	behind pg_catalog.float8,
	behind_error pg_catalog.float8,
	mae pg_catalog.float8,
	rmse pg_catalog.float8,
	total_error pg_catalog.float8,
	gini pg_catalog.float8,
	brier pg_catalog.float8,
	note pg_catalog.text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
BEGIN ATOMIC
	WITH candidate AS MATERIALIZED (
		SELECT m.*,
			CASE WHEN m.model IS NOT NULL AND m.periods IS NOT NULL
				THEN row_number() OVER (PARTITION BY m.model IS NOT NULL AND m.periods IS NOT NULL ORDER BY m.number)
			END AS place
		FROM clv_internal.clv_choose_models(histories, options, since, until, horizon, with_covariates, with_discrete)
			AS m
	), model AS MATERIALIZED (
		SELECT array_agg(c.model ORDER BY c.place) AS models,
			array_agg(c.span ORDER BY c.place) AS spans,
			array_agg(c.periods ORDER BY c.place) AS periods,
			count(*) AS n
		FROM candidate AS c
		WHERE c.place IS NOT NULL
		HAVING count(*) > 0
	), outcome AS MATERIALIZED (
		SELECT m.n, o.*
		FROM model AS m
		CROSS JOIN LATERAL clv_internal.clv_choose_outcomes(histories, m.models, m.spans, m.periods, since, until) AS o
	), habit AS MATERIALIZED (
		-- of those who were there for as long before since: what they bought, and how many of them anything
		SELECT avg(o.before) FILTER (WHERE o.there)::float8 AS mean,
			avg((o.before > 0)::int4) FILTER (WHERE o.there)::float8 AS active
		FROM outcome AS o
	), forecast AS MATERIALIZED (
		-- a row per customer and model; the last two are rules of thumb, a geometric distribution for everybody and
		-- a number without any probability
		SELECT u.place,
			u.counted,
			u.predicted,
			u.active,
			u.counted = o.actual AS comparable,
			o.ln_probability,
			o.ln_probability[u.place] AS ln_score
		FROM (
			SELECT b.actual,
				b.counted || b.actual || b.actual AS counted,
				b.predicted || h.mean || b.before::float8 AS predicted,
				b.active || h.active || (b.before > 0)::int4::float8 AS active,
				(SELECT array_agg(ln(greatest(p.probability, 2.2250738585072014e-308)) ORDER BY p.place)
					FROM unnest(b.probability) WITH ORDINALITY AS p (probability, place))
					|| CASE WHEN h.mean IS NOT NULL
						THEN greatest(CASE WHEN b.actual > 0 AND h.mean > 0 THEN b.actual * ln(h.mean / (1 + h.mean))
							WHEN b.actual > 0 THEN '-Infinity' ELSE 0 END - ln(1 + h.mean),
							ln(2.2250738585072014e-308::float8)) END
					|| NULL::float8 AS ln_probability
			FROM outcome AS b
			CROSS JOIN habit AS h
			OFFSET 0
		) AS o
		CROSS JOIN LATERAL unnest(o.counted, o.predicted, o.active)
			WITH ORDINALITY AS u (counted, predicted, active, place)
	), score AS MATERIALIZED (
		SELECT f.place,
			@extschema@.clv_metrics(f.counted::float8, f.predicted) AS m,
			CASE WHEN bool_and(f.comparable)
				THEN clv_internal.clv_validate_sum(f.ln_score) / count(*)::float8 END AS log_score,
			clv_internal.clv_validate_sum(power(f.active - (f.counted > 0)::int4::float8, 2::float8))
				/ count(f.active)::float8 AS brier,
			bool_and(f.comparable) AS comparable
		FROM forecast AS f
		GROUP BY f.place
	), best AS MATERIALIZED (
		SELECT s.place
		FROM score AS s
		WHERE s.log_score IS NOT NULL
		ORDER BY s.log_score DESC, s.place
		LIMIT 1
	), behind AS MATERIALIZED (
		SELECT f.place,
			count(*)::float8 AS n,
			clv_internal.clv_validate_sum(f.ln_probability[b.place] - f.ln_score) AS total,
			clv_internal.clv_validate_sum(power(f.ln_probability[b.place] - f.ln_score, 2::float8)) AS squares
		FROM forecast AS f
		CROSS JOIN best AS b
		GROUP BY f.place
	), named AS (
		SELECT c.number, c.family, c.place, c.model, c.periods
		FROM candidate AS c
		UNION ALL
		SELECT 1000 + v.number, v.family, m.n + v.number, NULL, NULL
		FROM (VALUES (1, 'mean'), (2, 'last period')) AS v (number, family)
		CROSS JOIN model AS m
	), measured AS (
		SELECT n.*,
			s.*,
			b.total / b.n AS distance,
			sqrt(greatest(b.squares - b.total * b.total / b.n, 0::float8) / nullif(b.n - 1, 0::float8) / b.n)
				AS distance_error,
			d.converged,
			d.log_likelihood,
			d.bic
		FROM named AS n
		CROSS JOIN model
		LEFT JOIN score AS s ON s.place = n.place
		LEFT JOIN behind AS b ON b.place = n.place AND s.log_score IS NOT NULL
		LEFT JOIN LATERAL @extschema@.clv_diagnostics(n.model) AS d ON n.model IS NOT NULL
	)
	SELECT CASE WHEN t.log_score IS NOT NULL
			THEN row_number() OVER (PARTITION BY t.log_score IS NULL
				ORDER BY round(t.log_score::numeric, 9) DESC, t.bic, t.number)::int4 END,
		t.family,
		t.converged,
		(t.m).pairs,
		t.log_likelihood,
		t.bic,
		t.log_score,
		t.distance,
		t.distance_error,
		(t.m).mae,
		(t.m).rmse,
		(t.m).total_error,
		(t.m).gini,
		t.brier,
		CASE
			WHEN t.number < 1000 AND t.model IS NULL THEN 'could not be fitted'
			WHEN t.number < 1000 AND t.periods IS NULL THEN 'the horizon is no whole number of its periods'
			WHEN NOT t.comparable THEN 'counts periods with a purchase, which are not as many as purchases'
			WHEN NOT t.converged THEN 'the fit did not converge'
			WHEN t.family = 'mean' AND (t.m).pairs = 0 THEN 'no customer was there for as long before as_of'
		END
	FROM measured AS t
	ORDER BY 1, t.number;
END;
COMMENT ON FUNCTION clv_internal.clv_choose_rows(
	pg_catalog.text, pg_catalog.jsonb, pg_catalog.date, pg_catalog.date, pg_catalog.interval, pg_catalog.bool,
	pg_catalog.bool) IS
	'the rows of clv_choose, of histories and a hold-out that are prepared, in the order of their ranks; none where no '
	'family could be fitted. A part of validation';

-- Compares all families that can serve the customers, and two rules of thumb, over one hold-out. A row each.
CREATE FUNCTION @extschema@.clv_choose(
	source pg_catalog.text,
	history pg_catalog.text,
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
	rank pg_catalog.int4,
	model pg_catalog.text,
	converged pg_catalog.bool,
	customers pg_catalog.int8,
	log_likelihood pg_catalog.float8,
	bic pg_catalog.float8,
	log_score pg_catalog.float8,
	behind pg_catalog.float8,
	behind_error pg_catalog.float8,
	mae pg_catalog.float8,
	rmse pg_catalog.float8,
	total_error pg_catalog.float8,
	gini pg_catalog.float8,
	brier pg_catalog.float8,
	note pg_catalog.text
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10 AS $$
DECLARE
	histories pg_catalog.text := clv_internal.clv_validate_histories(source, history, covariates);
	given pg_catalog.record;
	extent pg_catalog.record;
BEGIN
	given := clv_internal.clv_validate_arguments(as_of, horizon, options, NULL::@extschema@.clv_model, covariates);
	extent := clv_internal.clv_validate_extent(histories, given.since);
	IF extent.first_purchase IS NULL THEN
		PERFORM clv_internal.clv_validate_no_customers(source, given.since);
	END IF;
	PERFORM clv_internal.clv_validate_reach(given.since, given.until, extent.last_purchase);
	RETURN QUERY SELECT r.*
		FROM clv_internal.clv_choose_rows(histories, given.fit_options, given.since, given.until, horizon,
			covariates IS NOT NULL, true) AS r;
	IF NOT FOUND THEN
		-- the error of the first family says why there is no fit
		PERFORM clv_internal.clv_validate_fit(histories,
				c.fit_options OPERATOR(pg_catalog.-) 'too_few'::pg_catalog.text, covariates IS NOT NULL)
		FROM clv_internal.clv_choose_candidates(given.fit_options, false) AS c
		WHERE c.number OPERATOR(pg_catalog.=) 1;
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_choose(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, pg_catalog.text) IS
	'which family predicts the customers of a table or view best: each that can serve them is fitted up to as_of, and '
	'predicts (as_of, as_of + horizon]; a row each, by the hold-out log score, and rows of two rules of thumb. '
	'log_score: the mean over customers of the logarithm of the probability that was given to the number of purchases '
	'they then made (at least 2.2e-308); behind, behind_error: how much less than that of the first row, and the '
	'standard error of this difference; mae, rmse, total_error, gini as of clv_backtest; brier: mean square of the '
	'difference between the probability of any purchase and what came. mean: everybody as those who were there for as '
	'long before as_of, geometrically distributed; last period: as many as in as long a time before as_of, without a '
	'log score and a rank. options: of clv_options, without spend and those of certain families alone (start, k, '
	'grace, clamp); model: pareto/nbd/cor, which takes long, is tried where it is named';
-- ---- what moves all customers at once ---------------------------------------------------------------

CREATE TYPE @extschema@.clv_common_shock AS (
	weeks pg_catalog.int4,
	sd pg_catalog.float8,
	lasting pg_catalog.float8,
	correlation pg_catalog.float8,
	evidence pg_catalog.float8,
	past pg_catalog.float8,
	link pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_common_shock IS
	'what moves the purchases of all customers at once, by the week, as clv_shock estimates it';
COMMENT ON COLUMN @extschema@.clv_common_shock.weeks IS 'weeks that it was estimated from';
COMMENT ON COLUMN @extschema@.clv_common_shock.sd IS
	'standard deviation of the purchases of a week around their expectation, relative to it, beyond what chance gives; '
	'0 where the data do not tell one';
COMMENT ON COLUMN @extschema@.clv_common_shock.lasting IS
	'share of its variance that does not end with the week: demand that moves slowly, a model that is wrong for longer';
COMMENT ON COLUMN @extschema@.clv_common_shock.correlation IS 'correlation of this part between a week and the next';
COMMENT ON COLUMN @extschema@.clv_common_shock.evidence IS
	'log-likelihood with it less that without; below 6 it counts as none';
COMMENT ON COLUMN @extschema@.clv_common_shock.past IS
	'variance of its mean over these weeks, which the fit took for the level, over the square of sd';
COMMENT ON COLUMN @extschema@.clv_common_shock.link IS
	'covariance of that mean with the lasting part of the last week, over the square of sd';

CREATE FUNCTION clv_internal.clv_shock_estimate(actual pg_catalog.float8[], expected pg_catalog.float8[])
	RETURNS @extschema@.clv_common_shock
	AS 'MODULE_PATHNAME', 'clv_shock_estimate_weeks' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION clv_internal.clv_shock_estimate(pg_catalog.float8[], pg_catalog.float8[]) IS
	'the common shock behind the counts of weeks and their expectations, in order of time. A part of validation';

CREATE FUNCTION clv_internal.clv_shock_width(
	model @extschema@.clv_model, as_of pg_catalog.date, days pg_catalog.float8, level pg_catalog.float8)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_shock_width(
	@extschema@.clv_model, pg_catalog.date, pg_catalog.float8, pg_catalog.float8) IS
	'half the width of the interval that the common shock of a model alone gives a total over so many days after a '
	'day, relative to the total; 0 where the model keeps none. A part of validation';

-- The common shock of the weeks up to as_of, or to the last purchase where that is long before. The days before the
-- first of the whole weeks are left out, and so are weeks before the last 1040 (CLV_SHOCK_MOST), as in a fit.
CREATE FUNCTION clv_internal.clv_shock_of(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	with_covariates pg_catalog.bool,
	as_of pg_catalog.date,
	first_purchase pg_catalog.date,
	last_purchase pg_catalog.date
) RETURNS @extschema@.clv_common_shock
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000
BEGIN ATOMIC
	WITH span AS (
		SELECT least(as_of, last_purchase + 6) AS until,
			least((least(as_of, last_purchase + 6) - first_purchase) / 7, 1040) AS weeks
	), week AS (
		SELECT t.number, t.actual, t.expected
		FROM span AS s
		CROSS JOIN LATERAL clv_internal.clv_validate_track(histories, model, with_covariates, as_of,
			ARRAY(SELECT s.until - 7 * i FROM generate_series(s.weeks, 0, -1) AS i ORDER BY i DESC)) AS t
		WHERE s.weeks > 0
	)
	SELECT clv_internal.clv_shock_estimate(
		coalesce(array_agg(w.actual::float8 ORDER BY w.number), '{}'::float8[]),
		coalesce(array_agg(w.expected ORDER BY w.number), '{}'::float8[]))
	FROM week AS w;
END;
COMMENT ON FUNCTION clv_internal.clv_shock_of(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.bool, pg_catalog.date, pg_catalog.date, pg_catalog.date) IS
	'the common shock of the whole weeks up to as_of or the last purchase, of histories that are checked. A part of '
	'validation';

-- The common shock of the weeks up to as_of, from what the model expects of each and what the customers did.
CREATE FUNCTION @extschema@.clv_shock(
	source pg_catalog.text,
	history pg_catalog.text,
	model @extschema@.clv_model,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL
) RETURNS @extschema@.clv_common_shock
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 AS $$
DECLARE
	histories pg_catalog.text := clv_internal.clv_validate_histories(source, history, covariates);
	extent pg_catalog.record;
BEGIN
	as_of := clv_internal.clv_validate_tracked(model, NULL::pg_catalog.date, NULL::pg_catalog.date, as_of, covariates);
	extent := clv_internal.clv_validate_extent(histories, as_of);
	IF extent.first_purchase IS NULL THEN
		PERFORM clv_internal.clv_validate_no_customers(source, as_of);
	END IF;
	RETURN clv_internal.clv_shock_of(histories, model, covariates IS NOT NULL, as_of, extent.first_purchase,
		extent.last_purchase);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_shock(
	pg_catalog.text, pg_catalog.text, @extschema@.clv_model, pg_catalog.date, pg_catalog.text) IS
	'what moved the purchases of all customers of a table or view at once: weather, campaigns, the market, whatever '
	'season and trend of the model leave. Estimated by restricted likelihood from the weeks up to as_of (NULL: the '
	'model''s), around what clv_tracking expects, as a part that is over with the week and an '
	'autoregression that lasts; sd 0 where the weeks do not tell one, or fewer '
	'than 13 expect a purchase. For clv_with_shock(model, shock)';

-- A model that keeps a common shock, for the intervals of totals.
CREATE FUNCTION @extschema@.clv_with_shock(
	model @extschema@.clv_model,
	shock @extschema@.clv_common_shock
) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_with_shock(@extschema@.clv_model, @extschema@.clv_common_shock) IS
	'the model with what moves all customers at once, as clv_shock(source, history, model) estimates it, in place of '
	'one that it keeps: the prediction intervals of totals under it, as clv_predict_total gives them, allow for it, '
	'beside those without it. Where the shock is NULL or its sd is 0 the model keeps none. NULL where the model is; an '
	'error where it has no purchases in continuous time';

CREATE FUNCTION @extschema@.clv_shock(model @extschema@.clv_model) RETURNS @extschema@.clv_common_shock
	AS 'MODULE_PATHNAME', 'clv_shock_of_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_shock(@extschema@.clv_model) IS
	'what moves all customers at once, as the model keeps it for the intervals of totals; NULL where it keeps none';
-- ---- pipelines: a table of transactions becomes a schema of living views ----------------------------------
--
-- A pipeline "shop" is two schemas of its creator: shop holds views, shop_data the tables behind them, with the
-- definition of the pipeline among them. Nothing of it belongs to the extension, so that pg_dump takes it along.
--
-- Whatever runs SQL of the pipeline's owner (sources, filters, policies, tables that others might have tampered
-- with) does so through clv_pipeline_as_owner(). Functions that do not commit pin their search_path; the procedure
-- that commits cannot, and qualifies every name.

CREATE TYPE clv_internal.clv_pipeline_definition AS (
	name pg_catalog.text,
	source pg_catalog.text,
	customer pg_catalog.text[],
	bought_at pg_catalog.text,
	amount pg_catalog.text,
	"returns" pg_catalog.text,
	changed_at pg_catalog.text,
	overlap pg_catalog.interval,
	filter pg_catalog.text,
	search_path pg_catalog.text,
	time_zone pg_catalog.text,
	occasion pg_catalog.int4,
	as_of pg_catalog.text,
	options pg_catalog.jsonb,
	refit pg_catalog.text,
	horizon pg_catalog.interval,
	discount_rate pg_catalog.float8,
	margin pg_catalog.float8,
	level pg_catalog.float8,
	map pg_catalog.text,
	bins pg_catalog.int4,
	holdout pg_catalog.interval,
	attribute_source pg_catalog.text,
	attributes pg_catalog.text[],
	rating_source pg_catalog.text,
	rating pg_catalog.text,
	rated_at pg_catalog.text,
	calendar_source pg_catalog.text,
	calendar_columns pg_catalog.text[],
	list_size pg_catalog.int4,
	cuts pg_catalog.jsonb,
	tiers pg_catalog.int4[],
	group_by pg_catalog.text,
	score_within pg_catalog.text,
	created_at pg_catalog.timestamptz
);
COMMENT ON TYPE clv_internal.clv_pipeline_definition IS
	'what a pipeline is made of: the row of the table "pipeline" in its data schema. Fields are the arguments of '
	'clv_create_pipeline, with names of relations qualified and those of columns as the catalog has them; '
	'search_path is the one that the filter is read with, calendar_columns are the day and the covariates of '
	'calendar_source';

CREATE TYPE clv_internal.clv_pipeline_part AS (
	kind pg_catalog.text,
	name pg_catalog.text,
	statement pg_catalog.text,
	comment pg_catalog.text
);
COMMENT ON TYPE clv_internal.clv_pipeline_part IS
	'a part of the tables and views of a pipeline: a table, a query that fills it, a view or a column of one; see '
	'src/pipeline/pipeline_views.sql. A part of pipelines';

CREATE TYPE clv_internal.clv_pipeline_run AS (
	run pg_catalog.int8,
	previous pg_catalog.int8,
	previous_customers pg_catalog.int8,
	customer_run pg_catalog.int8,
	as_of pg_catalog.date,
	generation pg_catalog.int8,
	model_run pg_catalog.int8,
	model @extschema@.clv_model,
	cuts @extschema@.clv_cuts,
	has_spend pg_catalog.bool,
	calendar @extschema@.clv_calendar
);
COMMENT ON TYPE clv_internal.clv_pipeline_run IS
	'what is known of a run of a pipeline once its model is there: its number and that of the run that the views '
	'show until it is published, the runs whose number the customers of the latter and its own bear, the day as of '
	'which it evaluates customers, the generation of its histories, the run '
	'that fitted its model, the model with the steps to come of the calendar, its cuts, whether the model has spend, '
	'and the calendar as it was read. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_as_owner(owner pg_catalog.oid, statement pg_catalog.text)
	RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_as_owner(pg_catalog.oid, pg_catalog.text) IS
	'runs a statement as another role, of which the caller must be a member, where it can neither become its caller '
	'again nor change the caller''s settings; the first column of its first row as text. A part of pipelines';

-- ---- writing statements -----------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_data(name pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
RETURN pg_catalog.concat(name, '_data');
COMMENT ON FUNCTION clv_internal.clv_pipeline_data(pg_catalog.text) IS
	'the name of the schema with the tables of a pipeline. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_key_hash(VARIADIC "any") RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_pipeline_key_hash("any") IS
	'a hash of the columns of a customer''s key, by which samples are drawn. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_key_operator(type pg_catalog.oid) RETURNS pg_catalog.text
LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 50
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN t.typnamespace = 'pg_catalog'::regnamespace OR t.typtype <> 'b' THEN 'OPERATOR(pg_catalog.=)'
		ELSE (
			SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
			FROM pg_opclass c
			JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
			JOIN pg_amop e ON e.amopfamily = c.opcfamily AND e.amoplefttype = t.oid AND e.amoprighttype = t.oid
				AND e.amopstrategy = 3
			JOIN pg_operator o ON o.oid = e.amopopr
			JOIN pg_namespace n ON n.oid = o.oprnamespace
			WHERE c.opcintype = t.oid AND c.opcdefault
		)
	END
	FROM pg_type t
	WHERE t.oid = clv_internal.clv_source_base_type(type)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_key_operator(pg_catalog.oid) IS
	'the operator by which keys of a type are equal: that of the default btree operator class of a type that an '
	'extension brings, by which GROUP BY and indexes compare too; NULL where it has none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_equal(
	definition clv_internal.clv_pipeline_definition, name pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce((
		SELECT clv_internal.clv_pipeline_key_operator(a.atttypid)
		FROM pg_attribute a
		WHERE a.attrelid = to_regclass((definition).source) AND a.attname = name
	), 'OPERATOR(pg_catalog.=)')
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_equal(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'the operator by which values of a column of the customer''s key are equal. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customers(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- One query of one table, so that only the columns that are asked for are read; of a run that has written all of
	-- its customers the planner sees that their number is all there is to look at.
	RETURN clv_internal.clv_pipeline_sql(d, CASE WHEN clv_internal.clv_pipeline_sharded(d, 'customer'::text) THEN $sql$
		(SELECT * FROM {data}.customer WHERE run = ($2).run)
	$sql$ ELSE $sql$
		(
			SELECT *
			FROM {data}.customer e
			WHERE e.run = ($2).run
			   OR ($2).customer_run <> ($2).run
			  AND e.run = ($2).customer_run
			  AND NOT EXISTS (SELECT FROM {data}.touched t WHERE t.run = ($2).run AND {t=e})
		)
	$sql$ END);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customers(clv_internal.clv_pipeline_definition) IS
	'the customers of a run that is not yet published, as a subquery: those that it has written, or, where it keeps '
	'the rows of an earlier run, these with the rows that it has written for touched customers in the place of theirs. '
	'A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_sql(
	definition clv_internal.clv_pipeline_definition, template pg_catalog.text, parts pg_catalog.text[])
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(CASE
		WHEN m[1] IS NOT NULL THEN m[1]
		WHEN m[2] ~ E'^\\d+$' THEN coalesce(parts[m[2]::int4], '')
		WHEN m[2] ~ E'^\\d+:I$' THEN quote_ident(parts[split_part(m[2], ':', 1)::int4])
		WHEN m[2] ~ E'^\\d+:L$' THEN quote_nullable(parts[split_part(m[2], ':', 1)::int4])
		WHEN m[2] = 'views' THEN quote_ident((definition).name)
		WHEN m[2] = 'data' THEN quote_ident(clv_internal.clv_pipeline_data((definition).name))
		WHEN m[2] = 'source' THEN (definition).source
		WHEN m[2] = 'customers' THEN clv_internal.clv_pipeline_customers(definition)
		WHEN m[2] = 'shown' THEN format(
			'(SELECT coalesce(r.customer_run, r.run) FROM %1$I.state s JOIN %1$I.run r USING (run))',
			clv_internal.clv_pipeline_data((definition).name))
		WHEN m[2] IN ('model', 'cuts') THEN CASE
			WHEN (definition).group_by IS NULL THEN '($2).' || m[2]
			ELSE 'group_' || m[2]
		END
		WHEN m[2] = 'group' THEN CASE WHEN (definition).group_by IS NULL THEN 'NULL' ELSE 'group_name' END
		WHEN m[2] LIKE '%.hash' THEN format('clv_internal.clv_pipeline_key_hash(%s)', (
			SELECT string_agg(left(m[2], -4) || quote_ident(c), ', ' ORDER BY i)
			FROM unnest((definition).customer) WITH ORDINALITY AS u (c, i)
		))
		WHEN m[2] = 'filter' THEN coalesce(E'AND (\n' || (definition).filter || E'\n)', '')
		ELSE (SELECT string_agg(CASE
				WHEN m[2] = 'key' THEN quote_ident(c)
				WHEN m[2] LIKE '%.key' THEN left(m[2], -3) || quote_ident(c)
				WHEN m[2] LIKE '%.known' THEN format('%s%I IS NOT NULL', left(m[2], -5), c)
				WHEN m[2] = '=' THEN clv_internal.clv_pipeline_equal(definition, c)
				ELSE format('%2$s.%1$I %4$s %3$s.%1$I', c, split_part(m[2], '=', 1), split_part(m[2], '=', 2),
					clv_internal.clv_pipeline_equal(definition, c))
				END, CASE WHEN m[2] LIKE '%key' THEN ', ' ELSE ' AND ' END ORDER BY i)
			FROM unnest((definition).customer) WITH ORDINALITY AS u (c, i))
		END, '' ORDER BY n)
	FROM clv_internal.clv_template(template, E'([a-z.=]+|\\d+(?::[IL])?)')
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_sql(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.text[]) IS
	'a statement with its place-holders filled in for a pipeline: {views}, {data}: its schemas; {source}, {filter}: '
	'the relation and AND (filter); {customers}: a subquery of the customers of a run; {shown}: the number that those '
	'of the views bear; {key}, {a.key}: the columns of the customer''s key, of a relation a; {a=b}: equality of the '
	'keys of a and b; {=}: the operator of a key of one column; {a.known}: that none is NULL; {a.hash}: a hash of the '
	'key; {extschema}: the schema of the extension; {model}, {cuts}, {group}: what a customer is evaluated with, and '
	'their group: of a run, or those of the columns group_model, group_cuts and group_name; {1}, {1:I}, {1:L}: the '
	'first of the parts as it is, as an identifier, as a literal. A part of pipelines';
CREATE FUNCTION clv_internal.clv_pipeline_sql(definition clv_internal.clv_pipeline_definition, template pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
RETURN clv_internal.clv_pipeline_sql(definition, template, '{}'::pg_catalog.text[]);
COMMENT ON FUNCTION clv_internal.clv_pipeline_sql(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'the same for a statement without parts. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_condition(condition pg_catalog.text)
	RETURNS pg_catalog.void
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_condition(pg_catalog.text) IS
	'an error where a text is not one expression in SQL, which stays inside the parentheses around it. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_looks_beyond(statement pg_catalog.text)
	RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_looks_beyond(pg_catalog.text) IS
	'what in a SELECT may change while no row that it reads does: a subquery of its condition, the clock, a function '
	'that is not immutable, those of views too; NULL where there is nothing. A part of pipelines';

-- ---- finding a pipeline -----------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_tables()
RETURNS TABLE (name pg_catalog.text, owner pg_catalog.oid)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT left(n.nspname, -5), c.relowner
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.reloftype = 'clv_internal.clv_pipeline_definition'::regtype AND c.relname = 'pipeline'
	  AND c.relkind = 'r' AND NOT c.relrowsecurity AND n.nspname LIKE E'%\\_data' AND n.nspowner = c.relowner
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_tables() IS
	'the pipelines of this database and their owners. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_may(owner pg_catalog.oid) RETURNS pg_catalog.bool
LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 10
-- PostgreSQL 16 tells being a member from being allowed to become the role: the second is what a pipeline needs
RETURN pg_catalog.pg_has_role(owner, CASE
	WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 160000 THEN 'SET'
	ELSE 'MEMBER'
END);
COMMENT ON FUNCTION clv_internal.clv_pipeline_may(pg_catalog.oid) IS
	'whether the current user may work as the owner of a pipeline. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_find(name pg_catalog.text) RETURNS pg_catalog.oid
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner oid := (SELECT t.owner FROM clv_internal.clv_pipeline_tables() t WHERE t.name = clv_pipeline_find.name);
	others text;
BEGIN
	IF name IS NULL THEN
		PERFORM clv_internal.clv_raise('name must be the name of a pipeline, not NULL'::text, NULL::text,
			NULL::text, 'null_value_not_allowed'::text);
	ELSIF owner IS NULL THEN
		SELECT string_agg(format('"%s"', t.name), ', ' ORDER BY t.name) INTO others
		FROM clv_internal.clv_pipeline_tables() t;
		PERFORM clv_internal.clv_raise(format('pipeline "%s" does not exist', name), NULL::text,
			coalesce('Pipelines of this database are: ' || others || '.',
				'There is none in this database: see clv_create_pipeline.'),
			'undefined_object'::text);
	ELSIF NOT clv_internal.clv_pipeline_may(owner) THEN
		PERFORM clv_internal.clv_raise(
			format('permission denied for pipeline "%s"', name),
			format('Its owner is role "%s", of which "%s" is not a member.', pg_get_userbyid(owner), current_user),
			NULL::text,
			'insufficient_privilege'::text);
	END IF;
	RETURN owner;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_find(pg_catalog.text) IS
	'the owner of a pipeline; an error where there is none, or the caller is no member of the owner. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_read(name pg_catalog.text)
RETURNS clv_internal.clv_pipeline_definition
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
-- the definition is passed as text, which must not depend on the settings of the session
SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 SET datestyle = iso SET intervalstyle = postgres
AS $$
DECLARE
	definition clv_internal.clv_pipeline_definition;
BEGIN
	-- even if the table has been replaced by another relation: it is read with the rights of its owner only
	definition := clv_internal.clv_pipeline_as_owner(clv_internal.clv_pipeline_find(name),
		format('SELECT p FROM ONLY %I.pipeline p', clv_internal.clv_pipeline_data(name)));
	IF definition IS NULL THEN
		PERFORM clv_internal.clv_raise(
			format('pipeline "%s" has no definition', name),
			format('The table %I.pipeline is empty.', clv_internal.clv_pipeline_data(name)),
			'Drop the pipeline with clv_drop_pipeline and make it anew.'::text, 'no_data_found'::text);
	END IF;
	-- the schemas may have been renamed since
	definition.name := name;
	RETURN definition;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_read(pg_catalog.text) IS
	'the definition of a pipeline, read as its owner. A part of pipelines';
-- ---- locks: what keeps two refreshes of a pipeline apart, and which runs are dead -----------------------------

CREATE FUNCTION clv_internal.clv_pipeline_lock(name pg_catalog.text, waiting pg_catalog.bool)
RETURNS pg_catalog.bool
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state text := format('%I.state', clv_internal.clv_pipeline_data(name));
	locked bool;
BEGIN
	-- a lock of a row needs the right to change it: only the owner can keep a refresh waiting
	IF to_regclass(state) IS NOT NULL THEN
		EXECUTE format(CASE
			WHEN waiting THEN 'SELECT true FROM %s s FOR UPDATE'
			ELSE 'SELECT true FROM %s s FOR UPDATE SKIP LOCKED'
		END, state) INTO locked;
		IF locked IS NULL THEN
			EXECUTE format('SELECT false FROM %s s', state) INTO locked;
		END IF;
	END IF;
	RETURN locked;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_lock(pg_catalog.text, pg_catalog.bool) IS
	'takes the lock of a pipeline, the row of its table "state", until the end of the transaction, and waits for it '
	'or not; false where another session has it, NULL where there is no such row. To be called as the owner. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_alive(
	pid pg_catalog.int4, backend_start pg_catalog.timestamptz, since pg_catalog.timestamptz)
RETURNS pg_catalog.bool
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	-- when the session of another role began is not visible to every role: then the same process number must do
	SELECT since > pg_postmaster_start_time() AND EXISTS (
		SELECT
		FROM pg_stat_activity a
		WHERE a.pid = clv_pipeline_alive.pid AND coalesce(a.backend_start = clv_pipeline_alive.backend_start, true)
		  -- nor is what it does: idle, or at another statement, it has left the run without recording why
		  AND coalesce(a.state <> 'idle' AND a.query_start <= since, true)
	)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_alive(pg_catalog.int4, pg_catalog.timestamptz, pg_catalog.timestamptz) IS
	'whether the session of a refresh, which began at since, is still there and at it. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_waits(pid pg_catalog.int4) RETURNS pg_catalog.bool
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	FOR attempt IN 1 .. 20 LOOP
		IF pg_backend_pid() = ANY (pg_blocking_pids(pid)) THEN
			RETURN true;
		END IF;
		PERFORM pg_sleep(0.05);
	END LOOP;
	RETURN false;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_waits(pg_catalog.int4) IS
	'whether another session waits for this one, which has taken the lock of a pipeline, as it must within a second '
	'if it is between two steps of a refresh. A part of pipelines';
-- ---- tables in shards: on Citus, a pipeline's customers lie beside their rows in the source ---------------
--
-- Where the source is distributed by a column of the customer's key, the tables with a row for each customer are
-- distributed by the same column and co-located with it, so that histories, predictions and sums are made by the
-- workers. All others are small and stay as they are. The functions and the catalog of Citus are reached by names that
-- are looked up when a pipeline is created: nothing here depends on it.

CREATE FUNCTION clv_internal.clv_pipeline_shard_column(relation pg_catalog.regclass) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	shard_column text;
BEGIN
	IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
		EXECUTE $sql$
			SELECT pg_catalog.column_to_column_name(p.logicalrelid, p.partkey)
			FROM pg_catalog.pg_dist_partition p
			WHERE p.logicalrelid = $1 AND p.partmethod = 'h'
		$sql$ INTO shard_column USING relation;
	END IF;
	RETURN shard_column;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_shard_column(pg_catalog.regclass) IS
	'the column by whose hash Citus distributes a table; NULL where the table is not distributed, or there is no '
	'Citus. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_sharded(d clv_internal.clv_pipeline_definition, target pg_catalog.text)
RETURNS pg_catalog.bool
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_shard_column(
		clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text, ARRAY[target])::regclass) IS NOT NULL
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_sharded(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'whether a table of a pipeline is distributed. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fence(
	d clv_internal.clv_pipeline_definition, relation pg_catalog.text)
RETURNS pg_catalog.text[]
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	-- Citus brings a subquery of all customers with an OFFSET to the coordinator. For each customer by itself their
	-- servers evaluate it, but PostgreSQL 14 and 15 make no parallel plan of that. All planners see that '0' is none.
	SELECT CASE WHEN clv_internal.clv_pipeline_sharded(d, 'history'::text)
		THEN ARRAY[relation || ' CROSS JOIN LATERAL (', $sql$OFFSET '0')$sql$]
		ELSE ARRAY['(', 'FROM ' || relation || $sql$ OFFSET '0')$sql$]
	END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fence(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'what stands before and behind a select list over the relation, so that what it computes is not repeated for each '
	'of its columns. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_distribute(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	source regclass := (clv_internal.clv_source_relation(d.source)).relation;
	shard_column text := clv_internal.clv_pipeline_shard_column(source);
	target text;
BEGIN
	IF shard_column = ANY (d.customer) THEN
		FOREACH target IN ARRAY '{history,touched,customer}'::text[] LOOP
			EXECUTE 'SELECT pg_catalog.create_distributed_table($1::regclass, $2, colocate_with => $3)'
			USING clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text, ARRAY[target]), shard_column, source::text;
		END LOOP;
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_distribute(clv_internal.clv_pipeline_definition) IS
	'distributes the tables with a row for each customer as Citus distributes the source, where that is by a column '
	'of the customer''s key; else does nothing. A part of pipelines';
-- ---- tables in partitions: what a run makes is loaded, indexed, and then shown at once --------------------
--
-- The tables "customer" and "history" are partitioned by their first column, the number of a run, which is the last one
-- of their keys: where it came first, an index would be sorted by a number that is the same in all rows. A partition is
-- made as a table of its own, which no view shows: CREATE TABLE AS may work in parallel, and indexes are built when the
-- rows are there. It is attached while no other session locks the partitioned table, which is tried for some hundredths
-- of a second at a time: a statement that was prepared before, in a transaction that is still open, would not know of
-- the new partition, and find no rows of the run that is current by then. Where readers never pause, the rows
-- go into the partition "rest", which is always there, as rows go into any table. No session waits for a reader.
-- Constraints that are there before the rows are checked as these come, without another look at each.

CREATE FUNCTION clv_internal.clv_pipeline_settled(relation pg_catalog.regclass, transaction pg_catalog.xid)
	RETURNS pg_catalog.bool
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_settled(pg_catalog.regclass, pg_catalog.xid) IS
	'whether all sessions that may read a relation, on replicas with feedback too, see what a transaction did, so that '
	'VACUUM could remove what it deleted. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_partition(target pg_catalog.text, number pg_catalog.int8)
RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
RETURN pg_catalog.concat(target, '_', number);
COMMENT ON FUNCTION clv_internal.clv_pipeline_partition(pg_catalog.text, pg_catalog.int8) IS
	'the name of the partition of a table of a pipeline. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_partition_load(
	d clv_internal.clv_pipeline_definition, target pg_catalog.text, number pg_catalog.int8, query pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, CASE
		-- workers load only what is distributed already: the partition that takes all runs
		WHEN clv_internal.clv_pipeline_sharded(d, target) THEN $sql$
			INSERT INTO {data}.{1:I}
			{3}
		$sql$ ELSE $sql$
			CREATE TABLE {data}.{2:I} AS
			{3}
		$sql$
	END, ARRAY[target, clv_internal.clv_pipeline_partition(target, number), query])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_partition_load(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.int8, pg_catalog.text) IS
	'the statement that loads the rows of a query, for clv_pipeline_partition_show to make them those of a run: into a '
	'table of their own, or, where the table is distributed, into the table itself. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_partitions(
	d clv_internal.clv_pipeline_definition, target pg_catalog.text)
RETURNS SETOF pg_catalog.int8
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 3
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM E'\\d+')::int8
	FROM pg_inherits i
	JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = (SELECT clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text, ARRAY[target])::regclass)
	  AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_partitions(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'the numbers of the runs that have a partition of a table of a pipeline. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_partition_changes(
	parent pg_catalog.regclass, child pg_catalog.regclass, number pg_catalog.int8, loaded pg_catalog.bool)
RETURNS SETOF pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
	-- what a user has added to the table is added here too
	SELECT concat_ws(' ',
		format('ADD COLUMN %I %s', p.attname, format_type(p.atttypid, p.atttypmod)),
		CASE p.attgenerated
			WHEN '' THEN 'DEFAULT ' || pg_get_expr(f.adbin, f.adrelid)
			ELSE format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(f.adbin, f.adrelid))
		END)
	FROM pg_attribute p
	LEFT JOIN pg_attrdef f ON f.adrelid = p.attrelid AND f.adnum = p.attnum
	WHERE p.attrelid = parent
	  AND p.attnum > 0
	  AND NOT p.attisdropped
	  AND loaded
	  AND NOT EXISTS (SELECT FROM pg_attribute c WHERE c.attrelid = child AND c.attname = p.attname)
	UNION ALL
	SELECT format('ALTER COLUMN %I SET NOT NULL', p.attname)
	FROM pg_attribute p
	LEFT JOIN pg_attribute c ON c.attrelid = child AND c.attname = p.attname
	WHERE p.attrelid = parent
	  AND p.attnum > 0
	  AND p.attnotnull
	  AND NOT p.attisdropped
	  AND NOT coalesce(c.attnotnull, NOT loaded)
	UNION ALL
	SELECT format('ADD CONSTRAINT %I %s', c.conname, pg_get_constraintdef(c.oid))
	FROM pg_constraint c
	WHERE c.conrelid = parent AND c.contype = 'c' AND loaded
	UNION ALL
	-- with which the rows need not be scanned when the partition is attached
	SELECT format('ADD CHECK (%I = %s)', p.attname, number)
	FROM pg_attribute p
	WHERE p.attrelid = parent
	  AND p.attnum = 1
	  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = child AND c.contype = 'c')
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_partition_changes(
	pg_catalog.regclass, pg_catalog.regclass, pg_catalog.int8, pg_catalog.bool) IS
	'what a table lacks that is to become a partition of another, as commands of ALTER TABLE; before its rows are '
	'loaded, but for what a user has added to the other. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_partition_alter(
	parent pg_catalog.regclass, child pg_catalog.regclass, number pg_catalog.int8, loaded pg_catalog.bool)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changes text := (
		SELECT string_agg(c, ', ')
		FROM clv_internal.clv_pipeline_partition_changes(parent, child, number, loaded) c
	);
BEGIN
	IF changes IS NOT NULL THEN
		EXECUTE format('ALTER TABLE %s %s', child, changes);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_partition_alter(
	pg_catalog.regclass, pg_catalog.regclass, pg_catalog.int8, pg_catalog.bool) IS
	'makes the changes of clv_pipeline_partition_changes. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_partition_indexes(parent pg_catalog.regclass, child pg_catalog.regclass)
RETURNS SETOF pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 4
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(
		format('ALTER TABLE %s ADD ', child) || pg_get_constraintdef(k.oid),
		format('CREATE %sINDEX ON %s USING %s', CASE WHEN i.indisunique THEN 'UNIQUE ' END, child,
			substr(d.definition, strpos(d.definition, d.marker) + length(d.marker))))
	FROM pg_index i
	LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = parent AND k.contype IN ('p', 'u')
	CROSS JOIN LATERAL (
		SELECT pg_get_indexdef(i.indexrelid) AS definition, format(' ON ONLY %s USING ', parent) AS marker
	) d
	WHERE i.indrelid = parent
	ORDER BY i.indexrelid
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_partition_indexes(pg_catalog.regclass, pg_catalog.regclass) IS
	'the statements that give a table the keys and indexes of another, of which it is to become a partition. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_partition_close(child pg_catalog.regclass) RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	grantee text;
BEGIN
	-- default privileges of the owner may have given some away
	FOR grantee IN
		SELECT DISTINCT coalesce(quote_ident(r.rolname), 'PUBLIC')
		FROM pg_class c
		CROSS JOIN aclexplode(c.relacl) a
		LEFT JOIN pg_roles r ON r.oid = a.grantee
		WHERE c.oid = child AND a.grantee <> c.relowner
	LOOP
		EXECUTE format('REVOKE ALL ON %s FROM %s', child, grantee);
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_partition_close(pg_catalog.regclass) IS
	'takes away all rights to a partition but its owner''s: roles with SELECT on the partitioned table read through '
	'that, by its policies. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_partition_attach(
	d clv_internal.clv_pipeline_definition, target pg_catalog.text, number pg_catalog.int8)
RETURNS pg_catalog.bool
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms'
AS $$
BEGIN
	FOR attempt IN 1 .. 10 LOOP
		BEGIN
			EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
				LOCK TABLE ONLY {data}.{1:I} IN ACCESS EXCLUSIVE MODE
			$sql$::text, ARRAY[target]);
			EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
				ALTER TABLE {data}.{1:I} ATTACH PARTITION {data}.{2:I} FOR VALUES IN ({3})
			$sql$::text, ARRAY[target, clv_internal.clv_pipeline_partition(target, number), number::text]);
			RETURN true;
		EXCEPTION WHEN lock_not_available THEN
			PERFORM pg_sleep(0.1);
		END;
	END LOOP;
	RETURN false;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_partition_attach(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.int8) IS
	'attaches a table as partition at a moment when no other session uses the partitioned table, and keeps others '
	'out of it until the end of the transaction; false where there is no such moment within about a second. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_partition_drop(
	d clv_internal.clv_pipeline_definition, target pg_catalog.text, numbers pg_catalog.int8[])
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET lock_timeout = '20ms'
AS $$
DECLARE
	number int8;
BEGIN
	FOREACH number IN ARRAY numbers LOOP
		BEGIN
			EXECUTE clv_internal.clv_pipeline_sql(d, 'DROP TABLE {data}.{1:I}'::text,
				ARRAY[clv_internal.clv_pipeline_partition(target, number)]);
		EXCEPTION WHEN lock_not_available THEN
			-- left for the next run
		END;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_partition_drop(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.int8[]) IS
	'drops the partitions of these numbers, but those in use. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_partition_add(
	d clv_internal.clv_pipeline_definition, target pg_catalog.text, number pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parent regclass := clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text, ARRAY[target]);
	child regclass := clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text,
		ARRAY[clv_internal.clv_pipeline_partition(target, number)]);
BEGIN
	EXECUTE (
		SELECT format('INSERT INTO %s (%s) SELECT %2$s FROM %s', parent,
			string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), child)
		FROM pg_attribute a
		WHERE a.attrelid = child AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
	);
	EXECUTE format('DROP TABLE %s', child);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_partition_add(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.int8) IS
	'moves the rows that were loaded for a run into the partition that takes all runs, one by one. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_partition_show(
	d clv_internal.clv_pipeline_definition, target pg_catalog.text, number pg_catalog.int8, old pg_catalog.int8[])
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- so many values tell the plans of the views apart; with the default, ANALYZE takes longer than an index
SET search_path = pg_catalog, pg_temp SET default_statistics_target = 30
AS $$
DECLARE
	parent regclass := clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text, ARRAY[target]);
	child regclass;
	statement text;
BEGIN
	IF clv_internal.clv_pipeline_sharded(d, target) THEN
		EXECUTE format('ANALYZE %s', parent);
		RETURN;
	END IF;
	child := clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text,
		ARRAY[clv_internal.clv_pipeline_partition(target, number)]);
	PERFORM clv_internal.clv_pipeline_partition_alter(parent, child, number, true);
	PERFORM clv_internal.clv_pipeline_partition_close(child);
	FOR statement IN SELECT clv_internal.clv_pipeline_partition_indexes(parent, child) LOOP
		EXECUTE statement;
	END LOOP;
	EXECUTE format('ANALYZE %s', child);
	IF clv_internal.clv_pipeline_partition_attach(d, target, number) THEN
		PERFORM clv_internal.clv_pipeline_partition_drop(d, target, old);
	ELSE
		PERFORM clv_internal.clv_pipeline_partition_add(d, target, number);
		EXECUTE format('ANALYZE %s_rest', parent);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_partition_show(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.int8, pg_catalog.int8[]) IS
	'makes the rows that were loaded those of a run in a partitioned table, by attaching the table that they are in, '
	'and drops the partitions of old runs that are not in use; has nothing to do but ANALYZE where the table is '
	'distributed. A part of pipelines';

-- ---- a sample of the histories, for what asks many questions of them ---------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_sample(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, customers pg_catalog.int8)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	-- of more customers than 100,000 a sample says as much
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		SELECT h.history
		FROM {data}.history h
		WHERE h.generation = {1} AND {h.hash} % {2} = 0
	$sql$::text, ARRAY[generation::text, (1 + customers / 100000)::text])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_sample(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8) IS
	'the query of the histories of a generation of so many customers, or of a part of them: at most 100,000, nearly. '
	'A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_keep_sample(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, customers pg_catalog.int8)
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, 'CREATE TABLE {data}.sample AS {1}'::text,
		ARRAY[clv_internal.clv_pipeline_sample(d, generation, customers)]);
	RETURN clv_internal.clv_pipeline_sql(d, '{data}.sample'::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_keep_sample(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8) IS
	'the same as a table, which it makes, for clv_pipeline_drop_sample to drop; its name. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_drop_sample(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DROP TABLE {data}.sample'::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_drop_sample(clv_internal.clv_pipeline_definition) IS
	'drops the table of clv_pipeline_keep_sample. A part of pipelines';
-- ---- numbers and keys as tables and views show them -------------------------------------------------------
--
-- Every driver must be able to read them: no NaN and no infinity, money with two decimals, no text of more than 255
-- characters.

CREATE FUNCTION clv_internal.clv_finite(number pg_catalog.float8) RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
-- not strict, or it could not be inlined
RETURN CASE WHEN number OPERATOR(pg_catalog.>) '-Infinity'::pg_catalog.float8
	AND number OPERATOR(pg_catalog.<) 'Infinity'::pg_catalog.float8 THEN number END;
COMMENT ON FUNCTION clv_internal.clv_finite(pg_catalog.float8) IS
	'the number, or NULL where it is infinite or NaN, which many BI tools cannot read';

CREATE FUNCTION clv_internal.clv_cents(number pg_catalog.float8) RETURNS pg_catalog.numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cents(pg_catalog.float8) IS
	'the number with two decimals (a half away from zero), or NULL where it is infinite or NaN, or 1e22 and more, '
	'which numeric(24,2) does not hold: predicted money as a decimal number, without the cast that prints it first';

CREATE FUNCTION clv_internal.clv_double(number pg_catalog.numeric) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_double(pg_catalog.numeric) IS
	'the number as the cast to float8 gives it, money without printing and reading it';

CREATE FUNCTION clv_internal.clv_pipeline_rounded(number pg_catalog.numeric) RETURNS pg_catalog.numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN number = 0 OR scale(number) <= 2 THEN number ELSE round(number,
		greatest(2, 8 - floor(log(abs(number)))::int4)) END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_rounded(pg_catalog.numeric) IS
	'a number to nine digits; money, which has two decimals at most, as it is. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_z_score(
	k pg_catalog.int8, n pg_catalog.int8, kk pg_catalog.int8, nn pg_catalog.int8)
RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN nn > 1 AND n BETWEEN 0 AND nn AND kk BETWEEN 0 AND nn THEN (k - n::float8 * kk / nn)
		/ nullif(sqrt(n::float8 * kk / nn * (1 - kk::float8 / nn) * (nn - n) / (nn - 1)), 0) END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_z_score(
	pg_catalog.int8, pg_catalog.int8, pg_catalog.int8, pg_catalog.int8) IS
	'k of the n customers of a segment have a value, as kk of all nn have: the distance of k from its expectation in '
	'standard deviations of the hypergeometric distribution; NULL where nothing can vary, and where there cannot be '
	'as many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_chance(
	k pg_catalog.int8, n pg_catalog.int8, kk pg_catalog.int8, nn pg_catalog.int8)
RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_pipeline_chance(
	pg_catalog.int8, pg_catalog.int8, pg_catalog.int8, pg_catalog.int8) IS
	'k of the n customers of a segment have a value, as kk of all nn have: how likely chance makes k differ from its '
	'expectation as much, by Fisher''s exact test; NULL where nothing can vary, and where there cannot be as many. A '
	'part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_spread(
	expected pg_catalog.float8, high pg_catalog.float8, mean_high pg_catalog.float8, scale pg_catalog.float8)
RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 20
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT sqrt(greatest(power(high - expected, 2) - coalesce(power(mean_high - expected, 2), 0), 0) * scale
		+ power(coalesce(mean_high - expected, 0) * scale, 2))
	WHERE abs(expected) < 'Infinity' AND abs(high) < 'Infinity' AND abs(coalesce(mean_high, 0)) < 'Infinity'
	  AND scale BETWEEN 0 AND 1e300
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_spread(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'half the width of the prediction interval of a total, from that of a sample of one in scale customers, whose '
	'expectation is expected, with the upper ends of the prediction interval and of the confidence interval of the '
	'mean (NULL: the parameters are taken as known): the variance of what will happen grows with the number of '
	'customers, that of what is expected with its square. NULL where the sample has no interval, or none '
	'that is finite. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_key_part(part pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5
RETURN pg_catalog.replace(pg_catalog.replace(part, E'\\', E'\\\\'), '/', E'\\/');
COMMENT ON FUNCTION clv_internal.clv_pipeline_key_part(pg_catalog.text) IS
	'a column of a key of several, with a backslash before what could be taken for the slash between two. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_key(key pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 5
-- ODBC cannot sort longer ones
RETURN CASE WHEN pg_catalog.char_length(key) OPERATOR(pg_catalog.<) 255 THEN key
	ELSE pg_catalog.concat("left"(key, 190), '#', pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(key,
		'UTF8')), 'hex')) END;
COMMENT ON FUNCTION clv_internal.clv_pipeline_key(pg_catalog.text) IS
	'a key as text of at most 255 characters, different for different keys: one of 255 or more is cut, and ends with '
	'its SHA-256. A part of pipelines';

-- ---- sums of curves ---------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_curve_sum_add(
	pg_catalog.bytea, pg_catalog.float8[], pg_catalog.float8) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_pipeline_curve_sum_add(
	pg_catalog.bytea, pg_catalog.float8[], pg_catalog.float8) IS
	'of clv_pipeline_curve_sum: takes a curve and a spend into the state; NULL curves are skipped';
CREATE FUNCTION clv_internal.clv_pipeline_curve_sum_combine(pg_catalog.bytea, pg_catalog.bytea)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_pipeline_curve_sum_combine(pg_catalog.bytea, pg_catalog.bytea) IS
	'of clv_pipeline_curve_sum: puts two states together';
CREATE FUNCTION clv_internal.clv_pipeline_curve_sum_final(pg_catalog.bytea) RETURNS pg_catalog.float8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION clv_internal.clv_pipeline_curve_sum_final(pg_catalog.bytea) IS
	'of clv_pipeline_curve_sum: the sums';
CREATE AGGREGATE clv_internal.clv_pipeline_curve_sum(curve pg_catalog.float8[], spend pg_catalog.float8) (
	SFUNC = clv_internal.clv_pipeline_curve_sum_add, STYPE = pg_catalog.bytea, SSPACE = 16384,
	FINALFUNC = clv_internal.clv_pipeline_curve_sum_final,
	COMBINEFUNC = clv_internal.clv_pipeline_curve_sum_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_internal.clv_pipeline_curve_sum(pg_catalog.float8[], pg_catalog.float8) IS
	'the sums of vectors, number by number, and of their products with a number each: {{sums}, {sums of products}}, to '
	'the last digit the same in any order of rows. A NULL vector is skipped, and so is the product with NULL; NULL '
	'where a sum is infinite or NaN, or there is nothing to add. Vectors of different length are an error. A part of '
	'pipelines';

-- ---- sums by month and by hundredth -----------------------------------------------------------------------

CREATE TYPE clv_internal.clv_pipeline_month AS (
	cohort_month pg_catalog.date,
	month pg_catalog.date,
	customers pg_catalog.int8,
	purchases pg_catalog.int8,
	buyers pg_catalog.int8,
	revenue pg_catalog.numeric,
	early pg_catalog.numeric,
	after pg_catalog.numeric
);
COMMENT ON TYPE clv_internal.clv_pipeline_month IS
	'what the customers of a month of first purchase did in a month: purchases, buyers, revenue. In the first month '
	'also how many customers there are, what refunds before the first purchase come to (early; part of its revenue), '
	'and what is later than the day (after; of no revenue). Months are NULL for customers without a purchase up to '
	'the day. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_months_add(pg_catalog.bytea, @extschema@.clv_history, pg_catalog.date)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_pipeline_months_add(
	pg_catalog.bytea, @extschema@.clv_history, pg_catalog.date) IS
	'of clv_pipeline_months: takes a history and the day into the state';
CREATE FUNCTION clv_internal.clv_pipeline_months_combine(pg_catalog.bytea, pg_catalog.bytea)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_months_combine(pg_catalog.bytea, pg_catalog.bytea) IS
	'of clv_pipeline_months: puts two states together';
CREATE FUNCTION clv_internal.clv_pipeline_months_final(pg_catalog.bytea)
	RETURNS clv_internal.clv_pipeline_month[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_months_final(pg_catalog.bytea) IS
	'of clv_pipeline_months: the result';
CREATE AGGREGATE clv_internal.clv_pipeline_months(history @extschema@.clv_history, as_of pg_catalog.date) (
	SFUNC = clv_internal.clv_pipeline_months_add, STYPE = pg_catalog.bytea, SSPACE = 262144,
	FINALFUNC = clv_internal.clv_pipeline_months_final, COMBINEFUNC = clv_internal.clv_pipeline_months_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_internal.clv_pipeline_months(@extschema@.clv_history, pg_catalog.date) IS
	'what customers did in which month up to a day, by the month of their first purchase: a row of clv_pipeline_month '
	'for each pair of months with a purchase or refund, and one for customers without a purchase. NULL histories and '
	'days are skipped; NULL without any. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_hundredths_add(pg_catalog.bytea, pg_catalog.float8)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_pipeline_hundredths_add(pg_catalog.bytea, pg_catalog.float8) IS
	'of clv_pipeline_hundredths: takes a value into the state';
CREATE FUNCTION clv_internal.clv_pipeline_hundredths_combine(pg_catalog.bytea, pg_catalog.bytea)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_hundredths_combine(pg_catalog.bytea, pg_catalog.bytea) IS
	'of clv_pipeline_hundredths: puts two states together';
CREATE FUNCTION clv_internal.clv_pipeline_hundredths_final(pg_catalog.bytea)
	RETURNS pg_catalog.float8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_hundredths_final(pg_catalog.bytea) IS
	'of clv_pipeline_hundredths: the result';
CREATE AGGREGATE clv_internal.clv_pipeline_hundredths(value pg_catalog.float8) (
	SFUNC = clv_internal.clv_pipeline_hundredths_add, STYPE = pg_catalog.bytea, SSPACE = 1048576,
	FINALFUNC = clv_internal.clv_pipeline_hundredths_final, COMBINEFUNC = clv_internal.clv_pipeline_hundredths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_internal.clv_pipeline_hundredths(pg_catalog.float8) IS
	'the values of customers by hundredths, the most valuable first: rows of number of customers, sum of values, sum '
	'of values above zero, sum of these times their place (1 for the largest), and the quantile that the hundredth '
	'reaches up to. The customer at place i of n is in hundredth ceil(100 i / n); a NULL value counts as 0. NULL '
	'without customers. A part of pipelines';

-- ---- what lists are made of -------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_at_rank_add(pg_catalog.bytea, pg_catalog.float8, pg_catalog.int4)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_pipeline_at_rank_add(pg_catalog.bytea, pg_catalog.float8, pg_catalog.int4) IS
	'of clv_pipeline_at_rank: takes a value into the state';
CREATE FUNCTION clv_internal.clv_pipeline_at_rank_combine(pg_catalog.bytea, pg_catalog.bytea)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_at_rank_combine(pg_catalog.bytea, pg_catalog.bytea) IS
	'of clv_pipeline_at_rank: puts two states together';
CREATE FUNCTION clv_internal.clv_pipeline_at_rank_final(pg_catalog.bytea) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_pipeline_at_rank_final(pg_catalog.bytea) IS
	'of clv_pipeline_at_rank: the result';
CREATE AGGREGATE clv_internal.clv_pipeline_at_rank(value pg_catalog.float8, rank pg_catalog.int4) (
	SFUNC = clv_internal.clv_pipeline_at_rank_add, STYPE = pg_catalog.bytea, SSPACE = 8192,
	FINALFUNC = clv_internal.clv_pipeline_at_rank_final, COMBINEFUNC = clv_internal.clv_pipeline_at_rank_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_internal.clv_pipeline_at_rank(pg_catalog.float8, pg_catalog.int4) IS
	'the value at a rank, 1 for the largest; NULLs are skipped, and NULL where there are fewer. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_loss(
	clv pg_catalog.numeric, expected_purchases pg_catalog.float8, p_alive pg_catalog.float8)
RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5
-- not strict, or it could not be inlined
RETURN CASE WHEN p_alive OPERATOR(pg_catalog.<) 0.5::pg_catalog.float8 AND p_alive OPERATOR(pg_catalog.>) 0
	THEN coalesce(clv_internal.clv_double(clv), expected_purchases) OPERATOR(pg_catalog./) p_alive
		OPERATOR(pg_catalog.*) (1 OPERATOR(pg_catalog.-) p_alive) END;
COMMENT ON FUNCTION clv_internal.clv_pipeline_loss(pg_catalog.numeric, pg_catalog.float8, pg_catalog.float8) IS
	'what is lost with a customer who has probably gone: in value, or in purchases where there is no money; NULL of '
	'others. A part of pipelines';
-- ---- what moves all customers at once, as the model keeps it: carried into the intervals of totals ---------------

-- Half the width of an interval, widened by the relative half width that the shock alone gives.
CREATE FUNCTION clv_internal.clv_pipeline_widened(
	expected pg_catalog.float8, high pg_catalog.float8, shock pg_catalog.float8)
RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT sqrt(power(high - expected, 2) + power(shock * expected, 2))
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_widened(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'half the width of the prediction interval of a total with this expectation and upper end, widened by a common '
	'shock, which alone has this half width relative to the expectation. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_shock_width(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, days pg_catalog.float8)
RETURNS pg_catalog.float8
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	width float8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT clv_internal.clv_shock_width(m.model, r.as_of, $2::float8, $3::float8)
		FROM {data}.run r
		JOIN {data}.model m ON m.run = r.model_run AND m.group_name = ''
		WHERE r.run = $1
	$sql$::text) INTO width USING run, days, coalesce(d.level, 0.9);
	RETURN clv_internal.clv_pipeline_rounded(width::numeric);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_shock_width(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.float8) IS
	'half the width of the interval that the common shock alone gives a total over so many days after the day of a '
	'run, relative to it; 0 where its model keeps none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_widen_equity(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, target pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.{1:I} e
		SET
			shock = $2,
			purchases_low_without = e.purchases_low,
			purchases_high_without = e.purchases_high,
			clv_low_without = e.clv_low,
			clv_high_without = e.clv_high
		WHERE e.run = $1
	$sql$::text, ARRAY[target]) USING run,
		clv_internal.clv_pipeline_shock_width(d, run, (extract(epoch FROM d.horizon) / 86400)::float8);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.{1:I} e
		SET
			purchases_low = greatest(e.expected_purchases, w.purchases) - w.purchases,
			purchases_high = e.expected_purchases + w.purchases,
			clv_low = clv_internal.clv_cents(CASE
				WHEN e.clv < 0 THEN e.clv::float8 - w.value
				ELSE greatest(e.clv::float8, w.value) - w.value
			END),
			clv_high = clv_internal.clv_cents(CASE
				WHEN e.clv < 0 THEN least(e.clv::float8 + w.value, 0::float8)
				ELSE e.clv::float8 + w.value
			END)
		FROM (
			SELECT
				f.ctid AS place,
				clv_internal.clv_pipeline_widened(f.expected_purchases, f.purchases_high, f.shock) AS purchases,
				-- of a value below zero the upper end stops there
				clv_internal.clv_pipeline_widened(f.clv::float8, CASE
					WHEN f.clv < 0 THEN 2 * f.clv::float8 - f.clv_low::float8
					ELSE f.clv_high::float8
				END, f.shock) AS value
			FROM {data}.{1:I} f
			WHERE f.run = $1
		) w
		WHERE e.run = $1 AND e.ctid = w.place AND e.shock > 0
	$sql$::text, ARRAY[target]) USING run;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_widen_equity(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text) IS
	'carries the common shock into the intervals of what the base, or each group, is worth (target: the table equity '
	'or group_equity); those without it are kept beside them. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_widen_forecast(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.forecast f
		SET
			shock = w.width,
			purchases_low_without = f.purchases_low,
			purchases_high_without = f.purchases_high,
			revenue_low_without = f.revenue_low,
			revenue_high_without = f.revenue_high
		FROM (
			SELECT
				p.number,
				clv_internal.clv_pipeline_shock_width($2, $1, (p.period_end - r.as_of)::float8) AS width
			FROM (SELECT DISTINCT c.number, c.period_end FROM {data}.forecast c WHERE c.run = $1) p
			JOIN {data}.run r ON r.run = $1
		) w
		WHERE f.run = $1 AND w.number = f.number
	$sql$::text) USING run, d;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.forecast f
		SET
			purchases_low = greatest(f.cumulative_purchases, w.purchases) - w.purchases,
			purchases_high = f.cumulative_purchases + w.purchases,
			revenue_low = clv_internal.clv_cents(greatest(f.cumulative_revenue::float8, w.revenue) - w.revenue),
			revenue_high = clv_internal.clv_cents(f.cumulative_revenue::float8 + w.revenue)
		FROM (
			SELECT
				c.ctid AS place,
				clv_internal.clv_pipeline_widened(c.cumulative_purchases, c.purchases_high, c.shock) AS purchases,
				clv_internal.clv_pipeline_widened(c.cumulative_revenue::float8, c.revenue_high::float8, c.shock)
					AS revenue
			FROM {data}.forecast c
			WHERE c.run = $1
		) w
		WHERE f.run = $1 AND f.ctid = w.place AND f.shock > 0
	$sql$::text) USING run;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_widen_forecast(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'carries the common shock into the intervals of the forecast; those without it are kept beside them. A part of '
	'pipelines';
-- ---- the statements over the source -----------------------------------------------------------------------
--
-- They run with the search_path that the filter was written with, so that every name in them is qualified.

CREATE FUNCTION clv_internal.clv_pipeline_source_type(
	d clv_internal.clv_pipeline_definition, argument pg_catalog.text, name pg_catalog.text)
RETURNS pg_catalog.regtype
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass := (clv_internal.clv_source_relation(d.source)).relation;
BEGIN
	RETURN clv_internal.clv_source_base_type((clv_internal.clv_source_column(relation, argument, name)).column_type);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_source_type(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.text) IS
	'the type of a column of a pipeline''s source, below domains; an error that names the argument where there is no '
	'such column. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_amount(d clv_internal.clv_pipeline_definition, "exact" pg_catalog.bool)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	type regtype;
	amount text;
BEGIN
	IF d.amount IS NULL THEN
		RETURN NULL;
	END IF;
	type := clv_internal.clv_pipeline_source_type(d, 'amount'::text, d.amount);
	amount := clv_internal.clv_pipeline_sql(d, CASE
		WHEN type <> 'float8'::regtype THEN 's.{1:I}::pg_catalog.numeric'
		WHEN "exact" THEN 's.{1:I}::pg_catalog.text::pg_catalog.numeric'
		ELSE 's.{1:I}::pg_catalog.float8'
	END, ARRAY[d.amount]);
	RETURN CASE WHEN d.returns IS NULL THEN amount ELSE clv_internal.clv_pipeline_sql(d, $sql$
		CASE WHEN s.{1:I} IS TRUE THEN OPERATOR(pg_catalog.-) pg_catalog.abs({2}) ELSE {2} END
	$sql$::text, ARRAY[d.returns, amount]) END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_amount(clv_internal.clv_pipeline_definition, pg_catalog.bool) IS
	'the amount of a row of a pipeline''s source s, returns below zero, as an expression: one that clv_history '
	'takes, or as the exact decimal that it makes of it; NULL without money. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_bought_at(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	type regtype := clv_internal.clv_pipeline_source_type(d, 'bought_at'::text, d.bought_at);
BEGIN
	RETURN clv_internal.clv_pipeline_sql(d, CASE
		WHEN type = 'timestamptz'::regtype AND d.time_zone <> 'UTC' THEN '(s.{1:I} AT TIME ZONE {2:L})'
		WHEN type = 'timestamptz'::regtype THEN 's.{1:I}::pg_catalog.timestamptz'
		WHEN type = 'timestamp'::regtype THEN 's.{1:I}::pg_catalog.timestamp'
		ELSE 's.{1:I}::pg_catalog.date'
	END, ARRAY[d.bought_at, d.time_zone]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_bought_at(clv_internal.clv_pipeline_definition) IS
	'the time of a row of a pipeline''s source s in the pipeline''s time zone, as an expression. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_indexed(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.bool
LANGUAGE sql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT
		FROM pg_index i
		JOIN pg_class c ON c.oid = i.indrelid
		JOIN pg_class x ON x.oid = i.indexrelid
		JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
		WHERE c.oid = (clv_internal.clv_source_relation((d).source)).relation
		  AND c.relkind IN ('r', 'p', 'm')
		  AND i.indisvalid
		  AND i.indpred IS NULL
		  AND cardinality((d).customer) = (
			SELECT count(DISTINCT a.attname)
			FROM generate_series(0, cardinality((d).customer) - 1) n
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[n]
			WHERE a.attname = ANY ((d).customer)
		)
	)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_indexed(clv_internal.clv_pipeline_definition) IS
	'whether the source is a table with an index that begins with the customer''s key. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_key_columns(
	d clv_internal.clv_pipeline_definition, "constraint" pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(concat(
		quote_ident(a.attname), ' ', format_type(a.atttypid, a.atttypmod),
		(
			SELECT format(' COLLATE %I.%I', n.nspname, l.collname)
			FROM pg_collation l
			JOIN pg_namespace n ON n.oid = l.collnamespace
			WHERE l.oid = a.attcollation AND l.collname <> 'default'
		),
		"constraint"), ', ' ORDER BY u.i)
	FROM unnest((d).customer) WITH ORDINALITY AS u (c, i)
	JOIN pg_attribute a ON a.attrelid = (clv_internal.clv_source_relation((d).source)).relation AND a.attname = u.c
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_key_columns(
	clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'the columns of the customer''s key as a table declares them, of the types that the source has, each with the '
	'constraint; without one as a set of rows is declared. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_counted(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, CASE
		WHEN (d).returns IS NULL THEN ''
		WHEN (d).amount IS NULL THEN 'AND NOT (s.{1:I} IS TRUE)'
		ELSE 'AND (NOT (s.{1:I} IS TRUE) OR s.{2:I} OPERATOR(pg_catalog.<>) 0)'
	END, ARRAY[(d).returns, (d).amount])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_counted(clv_internal.clv_pipeline_definition) IS
	'the condition that a row of a pipeline''s source s counts: returns whose amount is NULL or 0 do not. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_shipped(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.bool
LANGUAGE sql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(bool_or('clv' = ANY (regexp_split_to_array(o.option_value, E'\\s*,\\s*'))), false)
	FROM clv_internal.clv_source_relation((d).source) r
	CROSS JOIN LATERAL (
		SELECT r.relation
		UNION ALL
		SELECT t.relid FROM pg_partition_tree(r.relation) t
	) t (relation)
	JOIN pg_foreign_table f ON f.ftrelid = t.relation
	JOIN pg_foreign_server s ON s.oid = f.ftserver
	CROSS JOIN LATERAL pg_options_to_table(s.srvoptions) o
	WHERE o.option_name = 'extensions'
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_shipped(clv_internal.clv_pipeline_definition) IS
	'whether the source is on other servers that make histories of it: a foreign table, or one with foreign '
	'partitions, of a server with the option extensions and clv in it. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_all_histories(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, CASE
	WHEN clv_internal.clv_pipeline_sharded(d, 'history'::text) OR clv_internal.clv_pipeline_shipped(d) THEN $sql$
		SELECT h.*
		FROM ({4}) h ({key}, history)
		WHERE h.history IS NOT NULL
	$sql$ ELSE $sql$
		SELECT h.*
		FROM @extschema@.clv_histories({1:L}::pg_catalog.text, {2}::pg_catalog.int4)
			AS h ({3}, history @extschema@.clv_history)
		WHERE h.history IS NOT NULL
	$sql$ END, ARRAY[
		clv_internal.clv_pipeline_sql(d, $sql$
			SELECT {s.key}, {1}
			FROM {source} AS s
			WHERE {s.known} {filter} {2}
		$sql$::text, ARRAY[
			concat_ws(', ', clv_internal.clv_pipeline_bought_at(d), clv_internal.clv_pipeline_amount(d, false)),
			clv_internal.clv_pipeline_counted(d)]),
		(d).occasion::text,
		clv_internal.clv_pipeline_key_columns(d, NULL::text),
		clv_internal.clv_pipeline_histories(d)])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_all_histories(clv_internal.clv_pipeline_definition) IS
	'the statement that makes the histories of all customers of a pipeline''s source, keys first: by clv_histories, or '
	'by GROUP BY, which is the part of workers where tables are distributed, and of the servers of a foreign source; '
	'customers without a row that counts have none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_histories(
	d clv_internal.clv_pipeline_definition, touched pg_catalog.int8 DEFAULT NULL,
	one_by_one pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	arguments text := concat_ws(', ',
		clv_internal.clv_pipeline_bought_at(d),
		coalesce(clv_internal.clv_pipeline_amount(d, false),
			CASE WHEN d.occasion > 1 THEN 'NULL::pg_catalog.numeric' END),
		nullif(d.occasion, 1));
BEGIN
	-- {1}: the arguments of a history, {2}: the condition that a row counts, {3}: the run that touched the customers
	RETURN clv_internal.clv_pipeline_sql(d, CASE
		WHEN touched IS NULL THEN $sql$
			SELECT {s.key}, @extschema@.clv_history({1})
			FROM {source} AS s
			WHERE {s.known} {filter} {2}
			GROUP BY {s.key}
		$sql$
		-- each by itself: no estimate of rows makes this read the whole source, as a join would with old statistics
		WHEN one_by_one THEN $sql$
			SELECT {t.key}, h.history
			FROM {data}.touched t
			CROSS JOIN LATERAL (
				SELECT @extschema@.clv_history({1})
				FROM {source} AS s
				WHERE {t=s} {filter} {2}
			) h (history)
			WHERE t.run OPERATOR(pg_catalog.=) {3}
		$sql$
		-- an array is sent to other servers, where a join brings all of their rows
		WHEN cardinality(d.customer) = 1 AND clv_internal.clv_pipeline_shipped(d) THEN $sql$
			SELECT {s.key}, @extschema@.clv_history({1})
			FROM {source} AS s
			WHERE {s.known} {filter} {2}
			  AND {s.key} {=} ANY (ARRAY(
				SELECT {t.key}
				FROM {data}.touched t
				WHERE t.run OPERATOR(pg_catalog.=) {3}
			  ))
			GROUP BY {s.key}
		$sql$
		ELSE $sql$
			SELECT {s.key}, @extschema@.clv_history({1})
			FROM {source} AS s
			WHERE {s.known} {filter} {2}
			  AND EXISTS (SELECT FROM {data}.touched t WHERE t.run OPERATOR(pg_catalog.=) {3} AND {t=s})
			GROUP BY {s.key}
		$sql$
	END, ARRAY[arguments, clv_internal.clv_pipeline_counted(d), touched::text]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_histories(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.bool) IS
	'the statement that makes the histories of a pipeline''s source, customers'' keys first: of all customers, or of '
	'those touched by a run, joined, looked up one by one or, of other servers, given as an array. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_read_source(
	d clv_internal.clv_pipeline_definition, statement pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- the filter means what it meant where it was written, and nothing that the caller has set changes that
-- Partitions that are foreign tables make their own histories.
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET timezone = 'UTC'
SET extra_float_digits = 1 SET standard_conforming_strings = on SET enable_partitionwise_aggregate = on
AS $$
DECLARE
	rows int8;
BEGIN
	PERFORM pg_catalog.set_config('search_path', d.search_path, true),
		pg_catalog.set_config('timezone', d.time_zone, true);
	EXECUTE statement;
	GET DIAGNOSTICS rows = ROW_COUNT;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_read_source(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'runs a statement that reads a pipeline''s source with the search_path of its filter and the pipeline''s time '
	'zone; the number of rows. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_unusable_rows(name pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- as clv_pipeline_read_source
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET timezone = 'UTC'
SET extra_float_digits = 1 SET standard_conforming_strings = on
AS $$
DECLARE
	d clv_internal.clv_pipeline_definition := clv_internal.clv_pipeline_read(name);
	found text;
BEGIN
	PERFORM pg_catalog.set_config('search_path', d.search_path, true),
		pg_catalog.set_config('timezone', d.time_zone, true);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT pg_catalog.format('Such rows: %s; one is of customer %s.', pg_catalog.count(*),
			pg_catalog.min(pg_catalog.concat_ws(', ', {s.key})))
		FROM {source} AS s
		WHERE {s.known}
		  AND (NOT pg_catalog.isfinite(s.{1:I}) OR {2})
		  {filter}
		HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0
	$sql$::text, ARRAY[d.bought_at, CASE WHEN d.amount IS NULL THEN 'false' ELSE clv_internal.clv_pipeline_sql(d, $sql$
		s.{1:I}::pg_catalog.text OPERATOR(pg_catalog.=) ANY ('{NaN,Infinity,-Infinity}'::pg_catalog.text[])
	$sql$::text, ARRAY[d.amount]) END]) INTO found;
	RETURN found;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_unusable_rows(pg_catalog.text) IS
	'how many rows of a pipeline''s source have a time that is infinite, or an amount that is infinite or NaN, and a '
	'customer of whom one is, as a sentence; NULL where there are none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_beyond(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET timezone = 'UTC'
SET standard_conforming_strings = on
AS $$
BEGIN
	-- a constant is what it is by the time it has been read
	IF d.filter ~* '\y(now|today|tomorrow|yesterday)\y' THEN
		RETURN 'it looks at the clock';
	END IF;
	PERFORM pg_catalog.set_config('search_path', d.search_path, true);
	RETURN clv_internal.clv_pipeline_looks_beyond(clv_internal.clv_pipeline_sql(d, $sql$
		SELECT FROM {source} AS s WHERE true {filter}
	$sql$::text));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_beyond(clv_internal.clv_pipeline_definition) IS
	'why no refresh by touched customers can know which rows of the source the filter, or a view, lets through by '
	'now; NULL where it can. A part of pipelines';
-- ---- the calendar of a pipeline: covariates that are the same for all customers, read at each refresh ------

CREATE FUNCTION clv_internal.clv_pipeline_calendar_columns(relation pg_catalog.regclass)
RETURNS pg_catalog.text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	days text[];
	covariates text[];
	other record;
BEGIN
	SELECT
		array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE t.base = ANY ('{date,timestamp,timestamptz}'::regtype[])),
		array_agg(a.attname ORDER BY a.attnum)
			FILTER (WHERE t.base = ANY ('{numeric,float8,float4,int2,int4,int8,bool}'::regtype[]))
	INTO days, covariates
	FROM pg_attribute a
	CROSS JOIN LATERAL (SELECT clv_internal.clv_source_base_type(a.atttypid)) t (base)
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
	IF cardinality(days) IS DISTINCT FROM 1 THEN
		PERFORM clv_internal.clv_raise(
			format('calendar_source must have one column with a day: %s', relation),
			format('It has %s.', coalesce(array_to_string(days, ', '), 'none')),
			concat('Its rows are the first days of steps, with the values from that day on. ',
				'A view can leave out what is not needed.'),
			'invalid_parameter_value'::text);
	END IF;
	SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type INTO other
	FROM pg_attribute a
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
	  AND a.attname <> ALL (days || coalesce(covariates, '{}'))
	ORDER BY a.attnum
	LIMIT 1;
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(
			format('column "%s" of %s is of type %s, not a number or boolean', other.attname, relation, other.type),
			'All columns of calendar_source but the day are covariates.'::text,
			'A view can cast columns, and leave out what is no covariate.'::text, 'datatype_mismatch'::text);
	END IF;
	IF covariates IS NULL THEN
		PERFORM clv_internal.clv_raise(format('calendar_source has no covariates: %s', relation), NULL::text,
			'Its columns beside the day, numbers or booleans, are the covariates.'::text,
			'invalid_parameter_value'::text);
	END IF;
	RETURN days || covariates;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_calendar_columns(pg_catalog.regclass) IS
	'the columns of a relation of calendar steps: that of the day, then the covariates; an error where it has no day '
	'or several, no covariate, or columns that are neither. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_calendar_query(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass := clv_internal.clv_pipeline_check_relation('calendar_source'::text, d.calendar_source);
	covariates text[] := d.calendar_columns[2:];
	day regtype := clv_internal.clv_pipeline_check_type(relation, 'calendar_source'::text, d.calendar_columns[1],
		'{timestamptz,timestamp,date}'::regtype[], 'a time'::text);
BEGIN
	-- a row without any value is the end of the calendar
	RETURN clv_internal.clv_pipeline_sql(d, $sql$
		SELECT @extschema@.clv_calendar({1}, CASE WHEN num_nonnulls({2}) > 0 THEN ARRAY[{3}]::float8[] END,
			{4:L}::text[])
		FROM {5} k
	$sql$::text, ARRAY[
		clv_internal.clv_pipeline_sql(d, CASE day
			WHEN 'timestamptz'::regtype THEN '(k.{1:I} AT TIME ZONE {2:L})::date'
			ELSE 'k.{1:I}::date'
		END, ARRAY[d.calendar_columns[1], d.time_zone]),
		(SELECT string_agg(format('k.%I', c), ', ' ORDER BY i) FROM unnest(covariates) WITH ORDINALITY AS u (c, i)),
		(
			SELECT string_agg(format(CASE t.type WHEN 'bool'::regtype THEN 'k.%I::int4' ELSE 'k.%I::float8' END, u.c),
				', ' ORDER BY u.i)
			FROM unnest(covariates) WITH ORDINALITY AS u (c, i)
			CROSS JOIN LATERAL clv_internal.clv_pipeline_check_type(relation, 'calendar_source'::text, u.c,
				'{numeric,float8,float4,int2,int4,int8,bool}'::regtype[], 'a number or boolean'::text) t (type)
		),
		covariates::text,
		d.calendar_source]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_calendar_query(clv_internal.clv_pipeline_definition) IS
	'the statement that makes the calendar of a pipeline from its relation of steps; an error where a column is '
	'missing or of the wrong type. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_calendar(d clv_internal.clv_pipeline_definition)
RETURNS @extschema@.clv_calendar
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	calendar @extschema@.clv_calendar;
BEGIN
	IF d.calendar_source IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_calendar_query(d) INTO calendar;
	END IF;
	RETURN calendar;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_calendar(clv_internal.clv_pipeline_definition) IS
	'the calendar of a pipeline as its relation of steps has it now; NULL where there is none, or no row in it. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_calendar_past(calendar @extschema@.clv_calendar, until pg_catalog.date)
RETURNS pg_catalog.jsonb
LANGUAGE sql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_array(c.j -> 'names', (
		SELECT jsonb_agg(s.step ORDER BY s.n)
		FROM jsonb_array_elements(c.j -> 'steps') WITH ORDINALITY AS s (step, n)
		WHERE (s.step ->> 0)::date <= until
	))
	FROM (SELECT calendar::jsonb) c (j)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_calendar_past(@extschema@.clv_calendar, pg_catalog.date) IS
	'the names and steps of a calendar up to a day, to be compared; NULL without a calendar. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_ahead(model @extschema@.clv_model, calendar @extschema@.clv_calendar)
RETURNS @extschema@.clv_model
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
-- bound to its functions when it is made: readers of views have no rights in the schema of the extension
BEGIN ATOMIC
	SELECT CASE
		WHEN @extschema@.clv_calendar_values(calendar, (m.j ->> 'as_of')::date + 1) IS NULL THEN model
		ELSE @extschema@.clv_with_calendar(model, calendar)
	END
	FROM (SELECT model::jsonb) m (j);
END;
COMMENT ON FUNCTION clv_internal.clv_pipeline_ahead(@extschema@.clv_model, @extschema@.clv_calendar) IS
	'a model with the steps that have come into the calendar of its pipeline since it was fitted, and those to come; '
	'the model itself where there are none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_calendar_note(
	calendar @extschema@.clv_calendar, as_of pg_catalog.date, horizon pg_catalog.interval)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('the calendar ends before %s: from there on %s', to_char(c.until, 'YYYY-MM-DD'),
		CASE WHEN c.since <= c.until - interval '1 year' THEN 'days are taken to be as the same days a year earlier'
			ELSE 'its average is taken' END)
	FROM (
		SELECT (j.j #>> '{steps,0,0}')::date AS since,
			coalesce((j.j ->> 'end')::date,
				(j.j ->> 'last')::date + greatest((j.j ->> 'longest')::int4, 1)) AS until
		FROM (SELECT calendar::jsonb) j (j)
	) c
	WHERE c.until <= (as_of + horizon)::date
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_calendar_note(
	@extschema@.clv_calendar, pg_catalog.date, pg_catalog.interval) IS
	'what is to be said of a calendar that ends before the horizon of the predictions does; NULL where it does not, or '
	'there is none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_calendar(d clv_internal.clv_pipeline_definition)
RETURNS @extschema@.clv_calendar
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF d.calendar_source IS NULL THEN
		RETURN NULL;
	ELSIF d.options ->> 'calendar' IS NOT NULL THEN
		PERFORM clv_internal.clv_raise('a pipeline has one calendar: calendar_source, or that of its options'::text);
	END IF;
	-- what there are no rows for yet can be checked by names alone
	RETURN coalesce(clv_internal.clv_pipeline_calendar(d), (
		SELECT @extschema@.clv_calendar('2000-01-01'::date, array_fill(0::float8, ARRAY[cardinality(n)]), n)
		FROM (SELECT d.calendar_columns[2:]) u (n)
	));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_calendar(clv_internal.clv_pipeline_definition) IS
	'the calendar of a definition, to check options with: where its relation has no rows yet, one of its names; NULL '
	'where it has none. Errors where rows are no calendar. A part of pipelines';
-- ---- the cuts of a pipeline's scores: quantiles, or limits of one's own ------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_measure(score pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT m
	FROM unnest('{r,f,m,t,c,v}'::text[], '{recency,frequency,monetary,tenure,churn,value}'::text[]) u (s, m)
	WHERE s = score
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_measure(pg_catalog.text) IS
	'the measure that a score cuts, as the JSON of clv_cuts calls it; NULL for another letter. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_cuts(cuts pg_catalog.jsonb) RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hint CONSTANT text := 'Such as {"r": [30, 90], "f": 3}: two limits for r, which make three scores, and three bins '
		'for f. Scores are r, f, m, t, c and v.';
	part record;
	bad text;
BEGIN
	IF jsonb_typeof(cuts) <> 'object' OR cuts = '{}' THEN
		PERFORM clv_internal.clv_raise(format('cuts must be an object of limits by score: %s', cuts), NULL::text, hint,
			'invalid_parameter_value'::text);
	END IF;
	FOR part IN SELECT j.key, j.value FROM jsonb_each(cuts) j LOOP
		bad := CASE
			WHEN clv_internal.clv_pipeline_measure(part.key) IS NULL THEN 'cuts has a member that is no score: "%s"'
			WHEN jsonb_typeof(part.value) = 'number' THEN CASE
				WHEN part.value::numeric NOT BETWEEN 2 AND 100 OR part.value::numeric <> trunc(part.value::numeric)
				THEN 'cuts of score %s must be 2 to 100 bins, or a list of limits: %s'
			END
			WHEN jsonb_typeof(part.value) <> 'array' OR jsonb_array_length(part.value) NOT BETWEEN 1 AND 99
			  OR (SELECT bool_or(jsonb_typeof(e) <> 'number') FROM jsonb_array_elements(part.value) e)
			THEN 'cuts of score %s must be 2 to 100 bins, or a list of limits: %s'
			WHEN (
				SELECT bool_or(q.below >= q.n)
				FROM (
					SELECT e.n::numeric AS n, lag(e.n::numeric) OVER (ORDER BY e.i) AS below
					FROM jsonb_array_elements(part.value) WITH ORDINALITY AS e (n, i)
				) q
			)
			THEN 'limits of score %s must ascend: %s'
		END;
		IF bad IS NOT NULL THEN
			PERFORM clv_internal.clv_raise(format(bad, part.key, part.value), NULL::text, hint,
				'invalid_parameter_value'::text);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_cuts(pg_catalog.jsonb) IS
	'an error where the thresholds of a definition are not lists of ascending limits, or numbers of bins, by score. A '
	'part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_score_bins(
	d clv_internal.clv_pipeline_definition, score pg_catalog.text)
RETURNS pg_catalog.int4
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE jsonb_typeof((d).cuts -> score)
		WHEN 'array' THEN jsonb_array_length((d).cuts -> score) + 1
		WHEN 'number' THEN ((d).cuts ->> score)::int4
		ELSE (d).bins
	END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_score_bins(
	clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'how many values a score of a pipeline has. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_bins(
	d clv_internal.clv_pipeline_definition, map pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	score record;
BEGIN
	IF d.cuts IS NULL THEN
		PERFORM clv_internal.clv_segment_bins(map, d.bins);
		RETURN;
	END IF;
	FOR score IN
		SELECT i.name, i.highest, clv_internal.clv_pipeline_score_bins(d, i.name) AS bins
		FROM @extschema@.clv_segment_inputs(map) i
		WHERE i.kind = 'score' AND i.highest IS NOT NULL
	LOOP
		-- as clv_segment_bins has it, score by score
		IF score.bins NOT BETWEEN score.highest AND greatest(score.highest, 5) THEN
			PERFORM clv_internal.clv_raise(
				format('map %s is written for scores %s up to %s, not for %s',
					CASE WHEN map ~ E'^\\s*\\[' THEN 'given as rules' ELSE quote_ident(map) END, score.name,
					CASE WHEN score.bins > 5 THEN greatest(score.highest, 5) ELSE score.highest END, score.bins),
				NULL::text,
				$hint$Give as many limits as the map has scores, less one; or write a map for yours.$hint$::text,
				'invalid_parameter_value'::text);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_bins(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'an error where a map is written for other scores than those of a pipeline. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_quantiles(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date,
	model @extschema@.clv_model, bins pg_catalog.int4)
RETURNS @extschema@.clv_cuts
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cuts @extschema@.clv_cuts;
BEGIN
	-- a population has the same few megabytes whatever the number of customers, and is what workers send
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT @extschema@.rfmtc_cuts(q.population)
		FROM (
			SELECT @extschema@.clv_population(h.history, $2::date, $3::@extschema@.clv_model, $4::int4) AS population
			FROM {data}.history h
			WHERE h.generation = $1
		) q
	$sql$::text) INTO cuts USING generation, as_of, model, bins;
	RETURN cuts;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_quantiles(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4) IS
	'the cuts of all customers of a pipeline at the quantiles of so many bins. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_all_bins(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.int4[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(DISTINCT b.bins)
	FROM (
		SELECT (d).bins
		UNION ALL
		SELECT j.value::text::int4
		FROM jsonb_each((d).cuts) j
		WHERE jsonb_typeof(j.value) = 'number'
	) b (bins)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_all_bins(clv_internal.clv_pipeline_definition) IS
	'the numbers of bins that scores of a pipeline have. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_merge_cuts(
	d clv_internal.clv_pipeline_definition, made pg_catalog.jsonb)
RETURNS @extschema@.clv_cuts
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	usual jsonb := made -> d.bins::text;
BEGIN
	IF d.cuts IS NULL OR usual IS NULL THEN
		RETURN usual::@extschema@.clv_cuts;
	END IF;
	-- in version 2 each score has limits of its own
	RETURN ((usual - 'bins') || jsonb_build_object('version', 2) || (
		SELECT coalesce(jsonb_object_agg(m.measure, CASE jsonb_typeof(j.value)
			WHEN 'array' THEN j.value
			ELSE made -> j.value::text -> m.measure
		END), '{}')
		FROM jsonb_each(d.cuts) j
		CROSS JOIN LATERAL clv_internal.clv_pipeline_measure(j.key) m (measure)
		WHERE jsonb_typeof(j.value) = 'array' OR made -> j.value::text ? m.measure
	))::@extschema@.clv_cuts;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_merge_cuts(
	clv_internal.clv_pipeline_definition, pg_catalog.jsonb) IS
	'the cuts of the scores of a pipeline, from the JSON of quantiles by the number of bins, but where its definition '
	'has thresholds of its own; NULL where there are none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_cuts(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date,
	model @extschema@.clv_model)
RETURNS @extschema@.clv_cuts
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made jsonb := '{}';
	bins int4;
BEGIN
	FOREACH bins IN ARRAY clv_internal.clv_pipeline_all_bins(d) LOOP
		made := made || jsonb_build_object(bins,
			clv_internal.clv_pipeline_quantiles(d, generation, as_of, model, bins)::jsonb);
	END LOOP;
	RETURN clv_internal.clv_pipeline_merge_cuts(d, jsonb_strip_nulls(made));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_cuts(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date, @extschema@.clv_model) IS
	'the cuts of the scores of a pipeline: quantiles of its customers, but where its definition has thresholds of its '
	'own. A part of pipelines';
-- ---- groups: a model for each country, shop or channel, pooled ---------------------------------------------
--
-- With group_by the table "member" says of which group a customer is, and the table "model" has a row for each group
-- beside that of all customers together, whose group_name is empty. Groups are fitted by themselves, pooled, and fitted
-- again with what they have in common as the prior, so that a small one gets what groups are like in general.

CREATE FUNCTION clv_internal.clv_pipeline_most_groups() RETURNS pg_catalog.int4
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
RETURN 5000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_most_groups() IS
	'how many groups a pipeline may have. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_group_source(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text;
	relation regclass;
BEGIN
	FOREACH name IN ARRAY ARRAY[d.source, d.attribute_source] LOOP
		relation := (clv_internal.clv_source_relation(name)).relation;
		IF EXISTS (
			SELECT
			FROM pg_attribute a
			WHERE a.attrelid = relation AND a.attname = d.group_by AND a.attnum > 0 AND NOT a.attisdropped)
		THEN
			RETURN name;
		END IF;
	END LOOP;
	-- with the columns that there are
	PERFORM clv_internal.clv_source_column((clv_internal.clv_source_relation(d.source)).relation, 'group_by'::text,
		d.group_by);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_group_source(clv_internal.clv_pipeline_definition) IS
	'the relation that has the column group_by: the source, or else that of attributes; an error where neither has. A '
	'part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_resolve_group(
	d clv_internal.clv_pipeline_definition, group_by pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (clv_internal.clv_source_column((clv_internal.clv_source_relation(d.source)).relation, 'group_by'::text,
		group_by)).column_name;
EXCEPTION WHEN undefined_column THEN
	IF d.attribute_source IS NULL THEN
		RAISE;
	END IF;
	RETURN (clv_internal.clv_source_column((clv_internal.clv_source_relation(d.attribute_source)).relation,
		'group_by'::text, group_by)).column_name;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_resolve_group(
	clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'the name of the column of the source, or else of the relation of attributes, that group_by means; an error where '
	'neither has it. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_groups(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	chosen text;
BEGIN
	IF d.score_within IS NULL OR d.score_within NOT IN ('all', 'group') THEN
		PERFORM clv_internal.clv_raise(
			format($text$score_within must be 'all' or 'group': %s$text$, coalesce(d.score_within, 'NULL')));
	ELSIF d.group_by IS NULL THEN
		RETURN;
	END IF;
	PERFORM clv_internal.clv_pipeline_group_source(d);
	IF d.group_by = ANY (d.customer) AND cardinality(d.customer) = 1 THEN
		PERFORM clv_internal.clv_raise(
			format($text$group_by cannot be the customer's key: %s$text$, d.group_by),
			'Each customer would be a group.'::text,
			'Name a column that many customers share, such as a country.'::text, 'invalid_parameter_value'::text);
	ELSIF clv_internal.clv_pipeline_shard_column((clv_internal.clv_source_relation(d.source)).relation) IS NOT NULL THEN
		PERFORM clv_internal.clv_raise('a pipeline of a distributed table cannot have groups'::text,
			format('The source is %s.', d.source), 'Make a pipeline for each group, with a filter.'::text,
			'feature_not_supported'::text);
	END IF;
	SELECT k INTO chosen
	FROM unnest('{season,trend}'::text[]) k
	WHERE d.options ->> k = 'auto';
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(format($text$%s cannot be 'auto' with group_by$text$, chosen),
			'Groups are pooled, and each would choose for itself.'::text,
			'Fit all customers with ''auto'', and give what it chose.'::text, 'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_groups(clv_internal.clv_pipeline_definition) IS
	'an error where a definition cannot have the groups that it asks for. A part of pipelines';

-- ---- who is of which group -----------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_group_query(
	d clv_internal.clv_pipeline_definition, touched pg_catalog.int8)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation text := clv_internal.clv_pipeline_group_source(d);
	amount text := clv_internal.clv_pipeline_amount(d, false);
	name text := clv_internal.clv_pipeline_sql(d, $sql$
		coalesce(nullif(pg_catalog.left(s.{1:I}::pg_catalog.text, 200), ''), '(none)')
	$sql$::text, ARRAY[d.group_by]);
BEGIN
	-- {1}: the name of the group of a row s, {2}: the relation, {3}: its time, {4}: that it is a purchase, {5}: the run
	RETURN clv_internal.clv_pipeline_sql(d, CASE WHEN relation = d.source THEN $sql$
		SELECT DISTINCT ON ({s.key}) {s.key}, {1}
		FROM {source} AS s
		WHERE {s.known} AND s.{3:I} IS NOT NULL {filter} {4} {5}
		ORDER BY {s.key}, s.{3:I} DESC, 2
	$sql$ ELSE $sql$
		SELECT {s.key}, pg_catalog.min({1})
		FROM {2} AS s
		WHERE {s.known}
		GROUP BY {s.key}
	$sql$ END, ARRAY[
		name,
		relation,
		d.bought_at,
		concat(clv_internal.clv_pipeline_counted(d),
			' AND (' || amount || ' OPERATOR(pg_catalog.<) 0) IS NOT TRUE'),
		CASE WHEN touched IS NOT NULL THEN clv_internal.clv_pipeline_sql(d, $sql$
			AND EXISTS (SELECT FROM {data}.touched t WHERE t.run OPERATOR(pg_catalog.=) {1} AND {t=s})
		$sql$::text, ARRAY[touched::text]) END]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_group_query(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'the statement that finds the group of each customer, or of those touched by a run: the one of their latest '
	'purchase, or that of their attributes. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_find_groups(
	d clv_internal.clv_pipeline_definition, touched pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	most int4 := clv_internal.clv_pipeline_most_groups();
	found int8;
BEGIN
	-- attributes say nothing of when they changed
	IF clv_internal.clv_pipeline_group_source(d) <> d.source THEN
		touched := NULL;
	END IF;
	IF touched IS NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, 'TRUNCATE {data}.member'::text);
	ELSE
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			DELETE FROM {data}.member e
			USING {data}.touched t
			WHERE t.run = $1 AND {e=t}
		$sql$::text) USING touched;
	END IF;
	PERFORM clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.member ({key}, group_name)
		{1}
	$sql$::text, ARRAY[clv_internal.clv_pipeline_group_query(d, touched)]));
	EXECUTE clv_internal.clv_pipeline_sql(d, 'ANALYZE {data}.member'::text);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT count(DISTINCT e.group_name) FROM {data}.member e'::text)
	INTO found;
	IF found > most THEN
		PERFORM clv_internal.clv_raise(format('group_by makes %s groups: column "%s"', found, d.group_by),
			format('A pipeline may have %s.', most),
			'Name a column that many customers share, or let a view put small groups together.'::text,
			'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_find_groups(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'writes down the group of each customer, or of those touched by a run; an error where there are too many groups. A '
	'part of pipelines';

-- ---- their models ----------------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_group_models(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		SELECT
			m.group_name,
			clv_internal.clv_pipeline_ahead(m.model, ($2).calendar) AS group_model,
			m.cuts AS group_cuts
		FROM {data}.model m
		WHERE m.run = ($2).model_run AND m.group_name <> ''
		OFFSET 0
	$sql$::text)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_group_models(clv_internal.clv_pipeline_definition) IS
	'the query of the models of the groups of a run, with the calendar to come, and their cuts. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_grouped_histories(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		SELECT coalesce(e.group_name, '(none)')::varchar(200) AS group_name, h.history
		FROM {data}.history h
		LEFT JOIN {data}.member e ON {e=h}
		WHERE h.generation = $1
	$sql$::text)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_grouped_histories(clv_internal.clv_pipeline_definition) IS
	'the query of all histories with the group of each. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_count_groups(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, options pg_catalog.jsonb,
	model_run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rows int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.fit (group_name, cells)
		SELECT h.group_name, @extschema@.clv_cells(h.history, $2::jsonb)
		FROM ({1}) h
		WHERE @extschema@.clv_first_purchase(h.history) <= ($2::jsonb ->> 'as_of')::date
		  AND NOT EXISTS (
			SELECT
			FROM {data}.model m
			WHERE m.run = $3::int8 AND m.group_name = h.group_name
		  )
		GROUP BY h.group_name
	$sql$::text, ARRAY[clv_internal.clv_pipeline_grouped_histories(d)]) USING generation, options, model_run;
	GET DIAGNOSTICS rows = ROW_COUNT;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_count_groups(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.jsonb, pg_catalog.int8) IS
	'puts the cells of each group that has no model of a run yet into the table "fit"; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fit_each(
	d clv_internal.clv_pipeline_definition, options pg_catalog.jsonb, prior pg_catalog.jsonb)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- what these fits lack is what pooling, or the model of all customers, makes up for
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off SET client_min_messages = error
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.fit f
		SET model = q.model
		FROM (
			SELECT a.group_name, @extschema@.clv_fit(a.cells, $1::jsonb || '{"too_few": "null"}'
				|| jsonb_strip_nulls(jsonb_build_object('prior', $2::jsonb))) AS model
			FROM {data}.fit a
			WHERE $2::jsonb IS NOT NULL OR a.model IS NULL
			GROUP BY a.group_name
		) q
		WHERE q.group_name = f.group_name
	$sql$::text) USING options, prior;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fit_each(
	clv_internal.clv_pipeline_definition, pg_catalog.jsonb, pg_catalog.jsonb) IS
	'fits each group of the table "fit" by itself: with a prior all, without one those that have no fit yet. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_pool(
	d clv_internal.clv_pipeline_definition, options pg_catalog.jsonb, OUT prior pg_catalog.jsonb,
	OUT failure pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- what these fits lack is what the second ones make up for
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off SET client_min_messages = error
AS $$
BEGIN
	PERFORM clv_internal.clv_pipeline_fit_each(d, options, NULL::jsonb);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT @extschema@.clv_pool(f.model) FROM {data}.fit f'::text) INTO prior;
EXCEPTION WHEN invalid_parameter_value OR data_exception OR object_not_in_prerequisite_state THEN
	prior := NULL;
	failure := SQLERRM;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_pool(clv_internal.clv_pipeline_definition, pg_catalog.jsonb) IS
	'fits the groups of the table "fit" by themselves, and returns what they have in common as a prior; or why there '
	'is none, such as a single group that says anything. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fit_pooled(
	d clv_internal.clv_pipeline_definition, options pg_catalog.jsonb, prior pg_catalog.jsonb,
	of_all @extschema@.clv_model)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- a group in which nobody has bought for long is nothing to warn of
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off SET client_min_messages = error
AS $$
DECLARE
	others int8;
BEGIN
	PERFORM clv_internal.clv_pipeline_fit_each(d, options, prior);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.fit f
		SET model = $1
		WHERE f.model IS NULL OR NOT (SELECT m.converged FROM @extschema@.clv_diagnostics(f.model) m)
	$sql$::text) USING of_all;
	GET DIAGNOSTICS others = ROW_COUNT;
	IF @extschema@.clv_shock(of_all) IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.fit f
			SET model = @extschema@.clv_with_shock(f.model, @extschema@.clv_shock($1))
		$sql$::text) USING of_all;
	END IF;
	RETURN others;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fit_pooled(
	clv_internal.clv_pipeline_definition, pg_catalog.jsonb, pg_catalog.jsonb, @extschema@.clv_model) IS
	'fits the groups of the table "fit" with a prior, where there is one; the model of all customers for those that '
	'have no fit, and how many these are. All keep the common shock of that model. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_all_cuts(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date,
	of_all @extschema@.clv_model)
RETURNS @extschema@.clv_cuts
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- one population after the other
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off
AS $$
DECLARE
	made jsonb;
BEGIN
	-- The measures of a group are under its own model; populations of one model can be put together.
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT jsonb_object_agg(q.bins, q.cuts::jsonb)
		FROM (
			SELECT
				p.bins,
				@extschema@.rfmtc_cuts(
					(p.population::jsonb || jsonb_build_object('model', $4::@extschema@.clv_model::jsonb))
						::@extschema@.clv_population) AS cuts
			FROM (
				SELECT n.bins, h.group_name,
					@extschema@.clv_population(h.history, $2::date, g.model, n.bins) AS population
				FROM ({1}) h
				JOIN {data}.fit g USING (group_name)
				CROSS JOIN unnest($3::int4[]) n (bins)
				GROUP BY n.bins, h.group_name
			) p
			GROUP BY p.bins
		) q
	$sql$::text, ARRAY[clv_internal.clv_pipeline_grouped_histories(d)]) INTO made
	USING generation, as_of, clv_internal.clv_pipeline_all_bins(d), of_all;
	RETURN clv_internal.clv_pipeline_merge_cuts(d, made);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_all_cuts(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date, @extschema@.clv_model) IS
	'the cuts of the scores of all customers, each measured under the model of their group in the table "fit". A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_group_cuts(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date,
	of_all @extschema@.clv_cuts)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off
AS $$
BEGIN
	IF d.score_within = 'all' THEN
		-- the limits of all customers, under the model of each group
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.fit
			SET cuts = ($1::jsonb || jsonb_build_object('model', model::jsonb))::@extschema@.clv_cuts
		$sql$::text) USING of_all;
	ELSE
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.fit f
			SET cuts = clv_internal.clv_pipeline_merge_cuts($4, q.made)
			FROM (
				SELECT b.group_name, jsonb_object_agg(b.bins, b.cuts::jsonb) AS made
				FROM (
					SELECT h.group_name, n.bins, @extschema@.rfmtc_cuts(h.history, $2::date, g.model, n.bins) AS cuts
					FROM ({1}) h
					JOIN {data}.fit g USING (group_name)
					CROSS JOIN unnest($3::int4[]) n (bins)
					GROUP BY h.group_name, n.bins
				) b
				GROUP BY b.group_name
			) q
			WHERE q.group_name = f.group_name
		$sql$::text, ARRAY[clv_internal.clv_pipeline_grouped_histories(d)]) USING generation, as_of,
			clv_internal.clv_pipeline_all_bins(d), d;
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_group_cuts(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date, @extschema@.clv_cuts) IS
	'cuts the scores of the groups of the table "fit": within each of them, or where those of all customers are. A '
	'part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_keep_groups(
	d clv_internal.clv_pipeline_definition, model_run pg_catalog.int8, added_in pg_catalog.int8,
	reason pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.model (run, group_name, fitted_at, as_of, reason, fingerprint, model, cuts, added_in)
		SELECT
			$1, f.group_name, clock_timestamp(), (f.cuts::jsonb ->> 'as_of')::date, $2, m.fingerprint, f.model, f.cuts,
			$3
		FROM {data}.fit f
		JOIN {data}.model m ON m.run = $1 AND m.group_name = ''
	$sql$::text) USING model_run, reason, added_in;
	EXECUTE clv_internal.clv_pipeline_sql(d, 'TRUNCATE {data}.fit'::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_keep_groups(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8, pg_catalog.text) IS
	'makes the models of the table "fit" those of the groups of a run that has one of all customers, and empties '
	'the table; added_in: the later run that found these groups, NULL for that run itself. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_new_groups(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, latest record)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this record;
	options jsonb;
	rows int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.generation, r.as_of, r.calendar
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO this USING run;
	options := clv_internal.clv_pipeline_fit_options(d, this.as_of, this.calendar)
		|| jsonb_build_object('model', (@extschema@.clv_diagnostics(latest.model)).purchase_model, 'shock', false);
	rows := clv_internal.clv_pipeline_count_groups(d, this.generation, options, latest.run);
	IF rows > 0 THEN
		PERFORM clv_internal.clv_pipeline_fit_pooled(d, options, latest.prior, latest.model);
		PERFORM clv_internal.clv_pipeline_group_cuts(d, this.generation, this.as_of, latest.cuts);
		PERFORM clv_internal.clv_pipeline_note(d, run, format('new groups: %s', rows));
	END IF;
	PERFORM clv_internal.clv_pipeline_keep_groups(d, latest.run, run, 'a new group'::text);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_new_groups(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, record) IS
	'fits the groups that came after the models of a run (latest, its model of all customers), with the prior of '
	'these; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fit_groups(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, options pg_catalog.jsonb,
	of_all @extschema@.clv_model)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this record;
	prior jsonb;
	failure text;
	rows int8;
	others int8;
	cuts @extschema@.clv_cuts;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.generation, r.as_of
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO this USING run;
	rows := clv_internal.clv_pipeline_count_groups(d, this.generation, options, run);
	-- what the user knows beforehand takes the place of what the groups say
	prior := options -> 'prior';
	IF prior IS NULL THEN
		SELECT p.prior, p.failure INTO prior, failure FROM clv_internal.clv_pipeline_pool(d, options) p;
	END IF;
	others := clv_internal.clv_pipeline_fit_pooled(d, options, prior, of_all);
	IF d.score_within = 'all' THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.model
			SET cuts = $2
			WHERE run = $1 AND group_name = ''
			RETURNING cuts
		$sql$::text) INTO cuts USING run,
			clv_internal.clv_pipeline_all_cuts(d, this.generation, this.as_of, of_all);
	END IF;
	PERFORM clv_internal.clv_pipeline_group_cuts(d, this.generation, this.as_of, cuts);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.model
		SET prior = $2
		WHERE run = $1 AND group_name = ''
	$sql$::text) USING run, prior;
	PERFORM clv_internal.clv_pipeline_keep_groups(d, run, NULL::int8, 'with all groups'::text);
	PERFORM clv_internal.clv_pipeline_note(d, run, format('models of groups: %s', rows));
	PERFORM clv_internal.clv_pipeline_note(d, run, 'not pooled: ' || failure);
	PERFORM clv_internal.clv_pipeline_note(d, run, 'groups with the model of all customers: '
		|| nullif(others, 0));
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fit_groups(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.jsonb, @extschema@.clv_model) IS
	'fits and pools the groups of a run, which has a model of all customers, and cuts their scores; how many. A part '
	'of pipelines';

-- ---- what they add up to ---------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_fill_by_group(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, target pg_catalog.text, fillings pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- sums of one group after the other: each keeps what it has computed under its model
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off
AS $$
BEGIN
	RETURN clv_internal.clv_pipeline_fill(d, run, target, fillings);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fill_by_group(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text, pg_catalog.text[]) IS
	'clv_pipeline_fill for queries that sum predictions by group. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fill_groups(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE
		WHEN d.group_by IS NULL THEN 0
		ELSE clv_internal.clv_pipeline_fill_by_group(d, run, 'group_equity'::text,
			ARRAY[clv_internal.clv_pipeline_group_models(d)])
	END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fill_groups(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'what the groups of a run are worth; the number of rows. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_group_drift(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, model_run pg_catalog.int8,
	calendar @extschema@.clv_calendar, since pg_catalog.date, as_of pg_catalog.date,
	OUT expected pg_catalog.float8, OUT low pg_catalog.float8, OUT high pg_catalog.float8, OUT made pg_catalog.int8)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT (q.t).expected_purchases, (q.t).purchases_low_without_shock, (q.t).purchases_high_without_shock, q.made
		FROM (
			SELECT @extschema@.clv_totals(g.t) AS t, sum(g.made) AS made
			FROM (
				SELECT
					@extschema@.clv_predict_total(
						clv_internal.clv_pipeline_ahead(m.model, $3::@extschema@.clv_calendar), h.history, $4::interval,
						0::float8, 1::float8, $5::date, 0.99::float8) AS t,
					sum(@extschema@.clv_purchases_between(h.history, $5::date, $6::date)) AS made
				FROM ({1}) h
				JOIN {data}.model m ON m.run = $2 AND m.group_name = h.group_name
				WHERE @extschema@.clv_first_purchase(h.history) <= $5::date
				GROUP BY h.group_name
			) g
		) q
	$sql$::text, ARRAY[clv_internal.clv_pipeline_grouped_histories(d)]) INTO expected, low, high, made
	USING generation, model_run, calendar, make_interval(days => as_of - since), since, as_of;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_group_drift(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8, @extschema@.clv_calendar,
	pg_catalog.date, pg_catalog.date) IS
	'what was expected since a day of the customers of all groups by the models of a run, with the 99 % prediction '
	'interval, and the purchases that were made. A part of pipelines';
-- ---- what a definition must satisfy -----------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_names(
	relation pg_catalog.regclass, argument pg_catalog.text, names pg_catalog.text)
RETURNS pg_catalog.text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	list text[];
	word text;
BEGIN
	-- one column whose very name has a comma in it comes first
	IF names IS NULL OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0
								AND NOT a.attisdropped AND a.attname = names)
	THEN
		RETURN ARRAY[(clv_internal.clv_source_column(relation, argument, names)).column_name];
	END IF;
	IF names LIKE '%,%' AND regexp_replace(names, '"([^"]|"")*"', 'x', 'g') ~ E'(^|,)\\s*(,|$)' THEN
		PERFORM clv_internal.clv_raise(format('%s has a comma without a name: %s', argument, names), NULL::text,
			'Write the names of columns, separated by commas.'::text, 'invalid_parameter_value'::text);
	END IF;
	FOR word IN SELECT btrim(m[1]) FROM regexp_matches(names, '((?:"(?:[^"]|"")*"|[^,"])+)', 'g') m LOOP
		list := list || (clv_internal.clv_source_column(relation, argument, word)).column_name;
	END LOOP;
	IF list IS NULL THEN
		PERFORM clv_internal.clv_source_column(relation, argument, names);
	END IF;
	IF (SELECT count(DISTINCT c) <> count(*) FROM unnest(list) c) THEN
		PERFORM clv_internal.clv_raise(format('%s names a column twice: %s', argument, names));
	END IF;
	RETURN list;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_names(pg_catalog.regclass, pg_catalog.text, pg_catalog.text) IS
	'the columns of a relation that a list names, separated by commas and written as in SQL. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_list(columns pg_catalog.text[]) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$ SELECT string_agg(quote_ident(c), ', ' ORDER BY i) FROM unnest(columns) WITH ORDINALITY AS u (c, i) $$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_list(pg_catalog.text[]) IS
	'columns as a list in SQL. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_type(
	relation pg_catalog.regclass, argument pg_catalog.text, name pg_catalog.text, allowed pg_catalog.regtype[],
	what pg_catalog.text)
RETURNS pg_catalog.regtype
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record := clv_internal.clv_source_column(relation, argument, name);
	base regtype := clv_internal.clv_source_base_type(found.column_type);
BEGIN
	IF base <> ALL (allowed) THEN
		PERFORM clv_internal.clv_raise(
			format('column "%s" of %s is of type %s, not %s', name, relation,
				format_type(found.column_type, found.column_typmod), what),
			format('It was given as %s.', argument),
			CASE WHEN clv_internal.clv_source_can_cast(base, allowed) THEN 'A view over the table can cast it.'
				ELSE 'Give another column.' END,
			'datatype_mismatch'::text);
	END IF;
	RETURN base;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_type(
	pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.regtype[], pg_catalog.text) IS
	'the type of a column, below domains; an error where it is none of those allowed. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_relation(argument pg_catalog.text, relation pg_catalog.text)
RETURNS pg_catalog.regclass
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found regclass := (clv_internal.clv_source_relation(relation)).relation;
BEGIN
	-- so is a view over a temporary table
	IF (SELECT c.relpersistence = 't' FROM pg_class c WHERE c.oid = found) THEN
		PERFORM clv_internal.clv_raise(
			format('%s cannot be temporary: %s', argument, regexp_replace(relation, E'^pg_temp_\\d+\\.', 'pg_temp.')),
			'It is dropped at the end of its session; the pipeline is not.'::text,
			'Make it a table or view of the database.'::text,
			'wrong_object_type'::text);
	END IF;
	RETURN found;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_relation(pg_catalog.text, pg_catalog.text) IS
	'the relation of that name; an error where there is none, or it is temporary. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_same_key(
	d clv_internal.clv_pipeline_definition, argument pg_catalog.text, relation pg_catalog.regclass)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text;
	here oid;
	there oid;
BEGIN
	FOREACH name IN ARRAY d.customer LOOP
		here := clv_internal.clv_source_base_type((clv_internal.clv_source_column((clv_internal.clv_source_relation(
			d.source)).relation, 'customer'::text, name)).column_type);
		there := clv_internal.clv_source_base_type((clv_internal.clv_source_column(relation, argument,
			name)).column_type);
		-- PostgreSQL's own types are compared across types; the operator of an extension's is of this type alone
		IF here <> there AND 'OPERATOR(pg_catalog.=)' <> ANY (ARRAY[
			clv_internal.clv_pipeline_key_operator(here), clv_internal.clv_pipeline_key_operator(there)])
		THEN
			PERFORM clv_internal.clv_raise(
				format('column "%s" of %s is of type %s, and of %s of type %s', name, relation, there::regtype,
					d.source, here::regtype),
				'Customers could not be compared by the equality of one of these types.'::text,
				'Cast the column in a view over one of them.'::text, 'datatype_mismatch'::text);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_same_key(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.regclass) IS
	'an error where another relation lacks a column of the customer''s key, or has a type there that is not compared '
	'with that of the source. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_source(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 50000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass := clv_internal.clv_pipeline_check_relation('source'::text, d.source);
	type regtype;
	name text;
BEGIN
	FOREACH name IN ARRAY d.customer LOOP
		type := clv_internal.clv_source_base_type((clv_internal.clv_source_column(relation, 'customer'::text,
			name)).column_type);
		IF clv_internal.clv_pipeline_key_operator(type) IS NULL THEN
			PERFORM clv_internal.clv_raise(
				format($text$a customer's key cannot be of type %s: column "%s" of %s$text$, type, name, relation),
				'The type has no default operator class for btree, by which its values were equal.'::text,
				'A view over the table can cast it to text.'::text, 'datatype_mismatch'::text);
		END IF;
	END LOOP;
	type := clv_internal.clv_pipeline_check_type(relation, 'bought_at'::text, d.bought_at,
		'{timestamptz,timestamp,date}'::regtype[], 'a time'::text);
	IF type <> 'timestamptz'::regtype AND d.time_zone <> 'UTC' THEN
		PERFORM clv_internal.clv_raise(
			format('column "%s" has no time zone', d.bought_at),
			format('It is of type %s, and time_zone is %s.', type, d.time_zone),
			'Leave time_zone out: the days are those of the column.'::text, 'invalid_parameter_value'::text);
	END IF;
	IF d.amount IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_check_type(relation, 'amount'::text, d.amount,
			'{numeric,float8,float4,int2,int4,int8}'::regtype[], 'a number'::text);
	END IF;
	IF d.returns IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_check_type(relation, 'returns'::text, d.returns, '{bool}'::regtype[],
			'boolean'::text);
	END IF;
	IF d.changed_at IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_check_type(relation, 'changed_at'::text, d.changed_at,
			'{timestamptz,timestamp,date}'::regtype[], 'a time'::text);
	END IF;
	IF d.attribute_source IS NOT NULL THEN
		relation := clv_internal.clv_pipeline_check_relation('attribute_source'::text, d.attribute_source);
		FOREACH name IN ARRAY d.attributes LOOP
			PERFORM clv_internal.clv_source_column(relation, 'attributes'::text, name);
		END LOOP;
		PERFORM clv_internal.clv_pipeline_check_same_key(d, 'attributes'::text, relation);
	END IF;
	IF d.rating_source IS NOT NULL THEN
		relation := clv_internal.clv_pipeline_check_relation('rating_source'::text, d.rating_source);
		PERFORM clv_internal.clv_pipeline_check_same_key(d, 'customer'::text, relation);
		PERFORM clv_internal.clv_pipeline_check_type(relation, 'rating'::text, d.rating,
			'{numeric,float8,float4,int2,int4,int8}'::regtype[], 'a number'::text);
		IF d.rated_at IS NOT NULL THEN
			PERFORM clv_internal.clv_pipeline_check_type(relation, 'rated_at'::text, d.rated_at,
				'{timestamptz,timestamp,date}'::regtype[], 'a time'::text);
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_source(clv_internal.clv_pipeline_definition) IS
	'an error where a relation of the definition, or a column of one, is missing or of the wrong type. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_key(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text;
	here record;
	then_type oid;
BEGIN
	FOREACH name IN ARRAY d.customer LOOP
		here := clv_internal.clv_source_column((clv_internal.clv_source_relation(d.source)).relation, 'customer'::text,
			name);
		SELECT a.atttypid INTO then_type
		FROM pg_attribute a
		WHERE a.attrelid = format('%I.history', clv_internal.clv_pipeline_data(d.name))::regclass AND a.attname = name;
		IF then_type <> here.column_type THEN
			PERFORM clv_internal.clv_raise(
				format('column "%s" of %s is of type %s now', name, d.source,
					format_type(here.column_type, here.column_typmod)),
				format('Pipeline "%s" was made for keys of type %s.', d.name, format_type(then_type, NULL)),
				'Drop the pipeline and make it anew, or read a view that casts the column.'::text,
				'datatype_mismatch'::text);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_key(clv_internal.clv_pipeline_definition) IS
	'an error where the customer''s key has other types than when the pipeline was made. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_span(argument pg_catalog.text, span pg_catalog.interval)
RETURNS pg_catalog.void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF span <= interval '0' OR span > interval '100 years' THEN
		PERFORM clv_internal.clv_raise(format('%s must be a time of one day to 100 years: %s', argument, span));
	END IF;
	PERFORM clv_internal.clv_argument_span(argument, span);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_span(pg_catalog.text, pg_catalog.interval) IS
	'an error where a time is not one of whole days, up to 100 years. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_words(refit pg_catalog.text, as_of pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	span interval;
	known bool;
BEGIN
	IF refit IS NULL OR refit NOT IN ('auto', 'always', 'never', 'drift') THEN
		BEGIN
			span := refit::interval;
		EXCEPTION
			WHEN invalid_datetime_format OR datetime_field_overflow OR interval_field_overflow THEN
				span := NULL;
		END;
		IF span IS NULL THEN
			PERFORM clv_internal.clv_raise(
				format($text$refit must be 'auto', 'always', 'never', 'drift' or a time such as '7 days': %s$text$,
					coalesce(refit, 'NULL')));
		END IF;
		PERFORM clv_internal.clv_pipeline_check_span('refit'::text, span);
	END IF;
	BEGIN
		known := as_of IN ('last purchase', 'yesterday', 'today')
			OR as_of ~ E'^\\d{4}-\\d\\d-\\d\\d$' AND as_of::date IS NOT NULL;
	EXCEPTION
		WHEN invalid_datetime_format OR datetime_field_overflow THEN
			known := false;
	END;
	IF known IS NOT TRUE THEN
		PERFORM clv_internal.clv_raise(
			format($text$as_of must be 'last purchase', 'yesterday', 'today' or a date: %s$text$,
				coalesce(as_of, 'NULL')), NULL::text,
			'Write a date as 2017-01-31, which no setting reads otherwise.'::text, 'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_words(pg_catalog.text, pg_catalog.text) IS
	'an error where refit or as_of of a pipeline is neither a word that is known nor a time, or a date. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_numbers(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known text[] := '{cumulative_share,trend}'::text[] || coalesce(d.attributes, '{}')
		|| CASE WHEN d.rating_source IS NOT NULL THEN '{satisfaction}'::text[] ELSE '{}' END;
	missing text;
BEGIN
	IF d.horizon IS NULL THEN
		PERFORM clv_internal.clv_raise('horizon must be a time of one day to 100 years: NULL'::text);
	ELSIF d.discount_rate IS NULL OR NOT d.discount_rate BETWEEN -0.99 AND 1e6 THEN
		PERFORM clv_internal.clv_raise(
			format('discount_rate must be a rate per year above -1: %s', coalesce(d.discount_rate::text, 'NULL')),
			NULL::text, 'Ten per cent are 0.10.'::text, 'invalid_parameter_value'::text);
	ELSIF d.margin IS NULL OR NOT abs(d.margin) < 1e12 THEN
		PERFORM clv_internal.clv_raise(
			format('margin must be the share of revenue that you keep: %s', coalesce(d.margin::text, 'NULL')));
	ELSIF NOT (d.level > 0 AND d.level < 1) THEN
		PERFORM clv_internal.clv_raise(format('level must be a probability between 0 and 1: %s', d.level));
	ELSIF d.bins IS NULL OR NOT d.bins BETWEEN 2 AND 100 THEN
		PERFORM clv_internal.clv_raise(
			format('bins must be a number from 2 to 100: %s', coalesce(d.bins::text, 'NULL')));
	ELSIF d.occasion IS NULL OR d.occasion < 1 THEN
		PERFORM clv_internal.clv_raise(
			format('occasion must be a number of days: %s', coalesce(d.occasion::text, 'NULL')));
	ELSIF d.overlap IS NULL OR d.overlap < interval '0' THEN
		PERFORM clv_internal.clv_raise(format('overlap must be a time: %s', coalesce(d.overlap::text, 'NULL')));
	ELSIF d.list_size IS NULL OR NOT d.list_size BETWEEN 0 AND 100000 THEN
		PERFORM clv_internal.clv_raise(
			format('list_size must be a number from 0 to 100000: %s', coalesce(d.list_size::text, 'NULL')));
	ELSIF d.tiers IS NULL OR cardinality(d.tiers) <> 2 OR NOT coalesce(d.tiers[1] BETWEEN 1 AND d.tiers[2], false)
		OR NOT coalesce(d.tiers[2] <= 99, false) THEN
		PERFORM clv_internal.clv_raise(
			format('tiers must be two percentiles from 1 to 99 in ascending order: %s',
				coalesce(d.tiers::text, 'NULL')),
			NULL::text, $text$'{10,70}' calls the lowest tenth low, and the highest three tenths high.$text$::text,
			'invalid_parameter_value'::text);
	ELSIF (d.attribute_source IS NULL) <> (d.attributes IS NULL) THEN
		PERFORM clv_internal.clv_raise('attribute_source and attributes go together'::text, NULL::text,
			'attribute_source is a relation with one row a customer, attributes are columns of it.'::text,
			'invalid_parameter_value'::text);
	ELSIF (d.rating_source IS NULL) <> (d.rating IS NULL) OR (d.rating_source IS NULL AND d.rated_at IS NOT NULL) THEN
		PERFORM clv_internal.clv_raise('rating_source and rating go together'::text, NULL::text,
			'rating_source is a relation with ratings from 0 to 10 in the column rating, and their time in rated_at.'
				::text, 'invalid_parameter_value'::text);
	END IF;
	PERFORM clv_internal.clv_pipeline_check_span('horizon'::text, d.horizon);
	PERFORM clv_internal.clv_pipeline_check_span('holdout'::text, d.holdout);
	PERFORM clv_internal.clv_pipeline_check_words(d.refit, d.as_of);
	PERFORM now() AT TIME ZONE d.time_zone;
	PERFORM clv_internal.clv_argument_rates(d.discount_rate, d.margin);
	PERFORM clv_internal.clv_pipeline_check_cuts(d.cuts);
	PERFORM clv_internal.clv_pipeline_check_bins(d, d.map);
	IF d.rating_source IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_check_bins(d, 'value x satisfaction'::text);
	END IF;
	SELECT i.name INTO missing
	FROM @extschema@.clv_segment_inputs(d.map) i
	WHERE i.kind = 'attribute' AND i.name <> ALL (known)
	LIMIT 1;
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(
			format('map "%s" needs the attribute "%s"', d.map, missing),
			format('Known are: %s.', array_to_string(known, ', ')),
			CASE WHEN missing = 'satisfaction' THEN 'Give rating_source and rating.'
				ELSE 'Name a column of that name in attributes, from a relation given as attribute_source.' END,
				'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_numbers(clv_internal.clv_pipeline_definition) IS
	'an error where a number, word or map of the definition is out of range or unknown. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_options(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	fixed text;
BEGIN
	SELECT k INTO fixed
	FROM unnest('{as_of,start,covariates,too_few}'::text[]) k
	WHERE d.options ->> k IS NOT NULL
	LIMIT 1;
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(format('options of a pipeline cannot hold %s', fixed), NULL::text,
			CASE fixed WHEN 'as_of' THEN 'It is an argument of the pipeline.' ELSE NULL END,
			'invalid_parameter_value'::text);
	END IF;
	-- a customer of one day lets the options be read to their end
	PERFORM @extschema@.clv_cells(h.history, clv_internal.clv_pipeline_fit_options(d, '2000-12-31'::date,
		clv_internal.clv_pipeline_check_calendar(d)))
	FROM (SELECT @extschema@.clv_history(date '2000-01-01') AS history) h;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_options(clv_internal.clv_pipeline_definition) IS
	'an error where the options of the fit are unknown, or belong elsewhere, or the calendar is none. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET timezone = 'UTC'
SET standard_conforming_strings = on
AS $$
DECLARE
	beyond text;
BEGIN
	PERFORM clv_internal.clv_pipeline_check_numbers(d);
	PERFORM clv_internal.clv_pipeline_check_options(d);
	PERFORM clv_internal.clv_pipeline_check_source(d);
	PERFORM clv_internal.clv_pipeline_check_groups(d);
	PERFORM clv_internal.clv_pipeline_check_condition(d.filter);
	-- rights, and the filter
	PERFORM clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, '{1} LIMIT 0'::text,
		ARRAY[clv_internal.clv_pipeline_histories(d, NULL::int8, false::bool)]));
	IF d.attribute_source IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT FROM {1} LIMIT 0'::text, ARRAY[d.attribute_source]);
	END IF;
	IF d.rating_source IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT FROM {1} LIMIT 0'::text, ARRAY[d.rating_source]);
	END IF;
	beyond := CASE WHEN d.changed_at IS NOT NULL THEN clv_internal.clv_pipeline_beyond(d) END;
	IF beyond IS NOT NULL THEN
		RAISE WARNING 'pipeline "%" will be refreshed in full each time', d.name
			USING DETAIL = format(
					'Its filter or source may let other rows through while changed_at stays as it is: %s.', beyond),
				HINT = 'A function that depends on its arguments alone can be declared IMMUTABLE.';
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check(clv_internal.clv_pipeline_definition) IS
	'an error where a definition cannot work: ranges, options, columns and their types, the filter, the rights of '
	'the caller. A part of pipelines';
-- ---- what a refresh works with: no view shows it ----------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_work() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 13
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'pipeline', $sql$
		CREATE TABLE {data}.pipeline OF clv_internal.clv_pipeline_definition
	$sql$, 'the definition of the pipeline: clv_alter_pipeline changes it'),

	('table', 'state', $sql$
		CREATE TABLE {data}.state (
			run int8,
			previous int8,
			generation int8,
			watermark timestamptz,
			fingerprint text,
			parts_hash text
		)
	$sql$, 'the run that the views show, the one before, how far the source has been read, and what version the '
		'tables are of'),

	('table', 'history', $sql$
		CREATE TABLE {data}.history (
			generation int8 NOT NULL,
			{1},
			history @extschema@.clv_history NOT NULL,
			PRIMARY KEY ({key}, generation)
		) PARTITION BY LIST (generation)
	$sql$, 'the histories of all customers, as of generation, the run that built them from scratch'),

	('setup', 'history',
		$sql$CREATE TABLE {data}.history_rest PARTITION OF {data}.history DEFAULT$sql$, NULL),

	('table', 'touched', $sql$
		CREATE TABLE {data}.touched (
			{1},
			run int8 NOT NULL,
			before @extschema@.clv_history,
			PRIMARY KEY ({key})
		)
	$sql$, 'customers whose histories have changed since the cells were counted, with what they were'),

	('table', 'member', $sql$
		CREATE TABLE {data}.member (
			{1},
			group_name varchar(200) NOT NULL,
			PRIMARY KEY ({key})
		)
	$sql$, 'the group of each customer; empty without group_by'),

	('table', 'fit', $sql$
		CREATE TABLE {data}.fit (
			group_name varchar(200) PRIMARY KEY,
			cells @extschema@.clv_cells,
			model @extschema@.clv_model,
			cuts @extschema@.clv_cuts
		)
	$sql$, 'the groups while they are fitted'),

	('setup', 'fit', $sql$ALTER TABLE {data}.fit ALTER cells SET STORAGE EXTERNAL$sql$, NULL),

	('table', 'cells', $sql$
		CREATE TABLE {data}.cells (
			generation int8 NOT NULL,
			options jsonb NOT NULL,
			cells @extschema@.clv_cells
		)
	$sql$, 'what the last fit counted; taken up again where day and options are the same'),

	-- numbers do not get smaller, only slower
	('setup', 'cells', $sql$ALTER TABLE {data}.cells ALTER cells SET STORAGE EXTERNAL$sql$, NULL),

	-- the row that each run locks
	('setup', 'state', $sql$INSERT INTO {data}.state DEFAULT VALUES$sql$, NULL)
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_work() IS
	'the tables that a refresh works with. A part of pipelines';
-- ---- runs, run_steps: the refreshes and their steps -------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_runs() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 33
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'run', $sql$
		CREATE TABLE {data}.run (
			run int8 PRIMARY KEY,
			status text NOT NULL,
			requested text NOT NULL,
			mode text,
			as_of date,
			wanted_as_of date,
			generation int8,
			model_run int8,
			customer_run int8,
			definition jsonb NOT NULL,
			called_by name NOT NULL,
			pid int4 NOT NULL,
			backend_start timestamptz,
			started_at timestamptz NOT NULL,
			published_at timestamptz,
			finished_at timestamptz,
			customers int8,
			touched int8,
			histories int8,
			total_revenue numeric,
			rows_without_customer int8,
			revenue_without_customer numeric,
			rows_without_time int8,
			revenue_without_time numeric,
			isolated_day date,
			calendar @extschema@.clv_calendar,
			made_of text,
			note text,
			error text,
			error_code text,
			error_detail text,
			error_hint text,
			error_context text
		)
	$sql$, NULL),

	('table', 'step', $sql$
		CREATE TABLE {data}.step (
			run int8 NOT NULL,
			number int4 NOT NULL,
			step text NOT NULL,
			rows int8,
			started_at timestamptz NOT NULL,
			finished_at timestamptz,
			PRIMARY KEY (run, number)
		)
	$sql$, NULL),

	('view', 'runs', $sql$
		FROM {data}.run c
		LEFT JOIN {data}.state s ON s.run = c.run
		LEFT JOIN LATERAL (
			SELECT t.step, t.number
			FROM {data}.step t
			WHERE t.run = c.run
			ORDER BY t.number DESC
			LIMIT 1
		) t ON true
	$sql$,
		'The refreshes, as they run too: how, when, what they did and why they failed. Key: run'),
	('column', 'run', 'c.run', 'number of the refresh'),
	('column', 'is_current', 's.run IS NOT NULL', 'whether the views show it'),
	('column', 'status', $sql$
		(CASE
			WHEN c.status = 'running' AND NOT clv_internal.clv_pipeline_alive(c.pid, c.backend_start, c.started_at)
			THEN 'interrupted'
			ELSE c.status
		END)::varchar(20)
	$sql$, 'running, done, failed or interrupted (its session is gone, or does something else)'),
	('column', 'mode', 'c.mode::varchar(20)', 'full or incremental'),
	('column', 'as_of', 'c.as_of', 'day as of which customers are evaluated'),
	('column', 'started_at', 'c.started_at', 'when it began'),
	('column', 'published_at', 'c.published_at', 'when the views began to show it'),
	('column', 'finished_at', 'c.finished_at', 'when it ended'),
	('column', 'seconds', 'extract(epoch FROM coalesce(c.finished_at, clock_timestamp()) - c.started_at)::float8',
		'how long it took, or takes already'),
	('column', 'step', 't.step::varchar(40)', 'latest step'),
	('column', 'steps_done', $sql$(t.number - CASE WHEN c.status = 'done' THEN 0 ELSE 1 END)$sql$,
		'steps that have ended'),
	('column', 'model_run', 'c.model_run', 'refresh whose model it uses'),
	('column', 'touched', 'c.touched', 'customers whose histories were built anew'),
	('column', 'histories', 'c.histories', 'histories there are'),
	('column', 'customers', 'c.customers', 'customers there are as of the day'),
	('column', 'total_revenue', 'c.total_revenue::numeric(24,2)', 'the sum of the source as the filter leaves it'),
	('column', 'called_by', 'c.called_by::varchar(63)', 'role that asked for it'),
	('column', 'note', 'c.note::varchar(1000)', 'what is worth knowing about it'),
	('column', 'error', 'c.error::varchar(2000)', 'why it failed'),
	('column', 'error_code', 'c.error_code::varchar(5)', 'SQLSTATE of the error'),
	('column', 'error_detail', 'c.error_detail::varchar(2000)', 'detail of the error'),
	('column', 'error_hint', 'c.error_hint::varchar(2000)', 'what may help'),

	('view', 'run_steps', $sql$
		FROM {data}.step c
	$sql$,
		'The steps of the refreshes, with rows and times. Key: run, step_number'),
	('column', 'run', 'c.run', 'number of the refresh'),
	('column', 'step_number', 'c.number', '1 for the first step'),
	('column', 'step', 'c.step::varchar(40)', 'what is done'),
	('column', 'rows', 'c.rows', 'rows it wrote'),
	('column', 'started_at', 'c.started_at', 'when it began'),
	('column', 'finished_at', 'c.finished_at', 'when it ended; NULL while it runs, or where it failed'),
	('column', 'seconds', 'extract(epoch FROM c.finished_at - c.started_at)::float8', 'how long it took')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_runs() IS
	'the tables and views of the refreshes. A part of pipelines';
-- ---- models, model_parameters: what was fitted ------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_models() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 30
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'model', $sql$
		CREATE TABLE {data}.model (
			run int8,
			group_name varchar(200) DEFAULT '',
			fitted_at timestamptz NOT NULL,
			as_of date NOT NULL,
			reason text NOT NULL,
			fingerprint text NOT NULL,
			model @extschema@.clv_model NOT NULL,
			cuts @extschema@.clv_cuts NOT NULL,
			prior jsonb,
			added_in int8,
			PRIMARY KEY (run, group_name)
		)
	$sql$, 'the models: group_name is empty for that of all customers, which has the prior of those of groups; '
		'added_in: the later run in which a group first came'),

	('view', 'models', $sql$
		FROM {data}.model c
		JOIN {data}.run u ON u.run = c.run AND u.published_at IS NOT NULL
		CROSS JOIN LATERAL @extschema@.clv_diagnostics(c.model) d
		LEFT JOIN LATERAL @extschema@.clv_shock(c.model) k ON true
		WHERE coalesce(c.added_in, 0) <= (SELECT s.run FROM {data}.state s)
	$sql$,
		'The models that were fitted and published: one row a fit, and with group_by another for each group. Key: run, '
		'group_name'),
	('column', 'run', 'c.run', 'number of the refresh that fitted it'),
	('column', 'group_name', $$nullif(c.group_name, '')::varchar(200)$$, 'group; NULL for all customers together'),
	('column', 'is_current', 'c.run = (SELECT s.model_run FROM {data}.run s JOIN {data}.state t USING (run))',
		'whether the views rest on it'),
	('column', 'fitted_at', 'c.fitted_at', 'when it was fitted'),
	('column', 'as_of', 'c.as_of', 'last day of its data'),
	('column', 'reason', 'c.reason::varchar(400)', 'why it was fitted'),
	('column', 'purchase_model', 'd.purchase_model::varchar(40)', 'family of the purchase model'),
	('column', 'spend_model', 'd.spend_model::varchar(40)', 'family of the spend model'),
	('column', 'customers', 'd.customers', 'customers fitted'),
	('column', 'log_likelihood', 'clv_internal.clv_finite(d.log_likelihood)', 'log-likelihood of the purchases'),
	('column', 'bic', 'clv_internal.clv_finite(d.bic)', 'Bayesian information criterion of the purchase model'),
	('column', 'converged', 'd.converged', 'whether the fit of the purchases converged'),
	('column', 'shock_sd', 'k.sd',
		'standard deviation of the purchases of a week that moves all customers at once, relative to their '
		'expectation; NULL where the data do not tell one'),
	('column', 'shock_lasting', 'k.lasting', 'share of its variance that does not end with the week'),
	('column', 'shock_correlation', 'k.correlation', 'correlation of this part between a week and the next'),
	('column', 'spend_customers', 'd.spend_customers', 'repeat buyers fitted'),
	('column', 'spend_log_likelihood', 'clv_internal.clv_finite(d.spend_log_likelihood)',
		'log-likelihood of the spend'),
	('column', 'spend_converged', 'd.spend_converged', 'whether the fit of the spend converged'),
	('column', 'frequency_spend_correlation', 'clv_internal.clv_finite(d.frequency_spend_correlation)',
		'correlation of frequency and spend: the spend model rests on its absence'),
	('column', 'prior_distance', 'clv_internal.clv_finite(d.prior_distance)',
		'standard deviations of the prior between its mean and the purchases of the group; NULL without a prior'),
	('column', 'effective_parameters', 'clv_internal.clv_finite(d.effective_parameters)',
		'how many parameters the customers of the group determine by themselves; NULL without a prior'),
	('column', 'time_unit_days', '(extract(epoch FROM d.time_unit) / 86400)::float8',
		'days of the time unit of the parameters'),

	('view', 'model_parameters', $sql$
		FROM {data}.model c
		CROSS JOIN LATERAL @extschema@.clv_parameters(c.model, 0.95::float8, 'wald'::text) d
		WHERE c.run = (SELECT s.model_run FROM {data}.run s JOIN {data}.state t USING (run))
		  AND coalesce(c.added_in, 0) <= (SELECT t.run FROM {data}.state t)
	$sql$,
		'Parameters of the current models with standard errors and 95 % limits. Key: group_name, process, parameter'),
	('column', 'group_name', $$nullif(c.group_name, '')::varchar(200)$$, 'group; NULL for all customers together'),
	('column', 'process', 'd.process::varchar(40)', 'transaction, spend, or covariates'),
	('column', 'parameter', 'd.name::varchar(80)', 'name of the parameter'),
	('column', 'estimate', 'clv_internal.clv_finite(d.estimate)', 'estimate'),
	('column', 'std_error', 'clv_internal.clv_finite(d.std_error)', 'standard error'),
	('column', 'lower', 'clv_internal.clv_finite(d.lower)', 'lower 95 % limit'),
	('column', 'upper', 'clv_internal.clv_finite(d.upper)', 'upper 95 % limit')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_models() IS
	'the table and the views of the models. A part of pipelines';
-- ---- customers: one row a customer ------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_customers() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 48
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'customer', $sql$
		CREATE TABLE {data}.customer (
			run int8 NOT NULL,
			{1},
			first_purchase date NOT NULL,
			last_purchase date NOT NULL,
			cohort_month date NOT NULL,
			recency int4 NOT NULL,
			frequency int4 NOT NULL,
			monetary numeric,
			tenure int4 NOT NULL,
			churn float8,
			recency_score int2,
			frequency_score int2,
			monetary_score int2,
			tenure_score int2,
			churn_score int2,
			value_score int2,
			segment varchar(200) NOT NULL,
			p_alive float8,
			expected_purchases float8,
			expected_spend numeric(24,2),
			expected_revenue numeric(24,2),
			clv numeric(24,2),
			lifetime_value numeric(24,2),
			next_purchase_value numeric(24,2),
			purchases_low float8,
			purchases_high float8,
			clv_low numeric(24,2),
			clv_high numeric(24,2),
			rating int2,
			satisfaction varchar(20),
			value_segment varchar(200),
			mean_spend numeric(24,2),
			active_30d float8,
			active_90d float8,
			next_purchase date,
			lapse_date date,
			from_segment varchar(200),
			from_clv numeric(24,2),
			group_name varchar(200),
			history @extschema@.clv_history,
			PRIMARY KEY ({key}, run)
		) PARTITION BY LIST (run)
	$sql$, 'the customers as each run found them: the current one, the one before'),

	-- Every partition has it, so it need not begin with the run. By value, with the segment to look at: one index for
	-- all customers and for those of a segment, since sorting by segment first takes twice as long.
	('setup', 'customer',
		$sql$CREATE INDEX customer_value ON {data}.customer (clv DESC, segment)$sql$, NULL),

	('setup', 'customer',
		$sql$CREATE TABLE {data}.customer_rest PARTITION OF {data}.customer DEFAULT$sql$, NULL),

	-- Its types are exactly those of the table. Its order is that of the partition that it makes: first what sums,
	-- lists and the next run read of all customers, as a row is taken apart up to the last column that is asked for.
	-- {1}, {2}: the segment and the value segment of a customer q, {3}: the join of their attributes a; {4}, {5}: a
	-- fence around what is computed of histories h, ratings g and shares w of the revenue before theirs; {6}: their
	-- key; {7}: takes the row of a customer apart, which clv_pipeline_load does in less time; {8}: predictions that the
	-- map asks for. {model}, {cuts}, {group}: of the group of the customer. The columns from_segment, from_clv and
	-- history are for later steps, and for the next run: no view shows them. run is that which wrote the customers, see
	-- clv_pipeline_exchange_customers().
	('rows', 'customer', $sql$
		SELECT
			($2).run AS run,
			{6},
			coalesce({1}, '(none)')::varchar(200) AS segment,
			q.history,
			q.from_segment,
			q.from_clv,
			{group}::varchar(200) AS group_name,
			(q.measured){7},
			(q.scores).r AS recency_score,
			(q.scores).f AS frequency_score,
			(q.scores).m AS monetary_score,
			(q.scores).t AS tenure_score,
			(q.scores).c AS churn_score,
			(q.scores).v AS value_score,
			q.rating,
			q.satisfaction::varchar(20) AS satisfaction,
			({2})::varchar(200) AS value_segment
		FROM {4}
			SELECT
				h.*,
				clv_internal.clv_pipeline_customer({model}, h.history, ($1).horizon, ($1).discount_rate, ($1).margin,
					($2).as_of, ($1).level, NULL::float8[]) AS measured,
				@extschema@.rfmtc_score(h.history, {cuts}, ($2).as_of) AS scores,
				{8} AS prediction,
				g.rating::int2 AS rating,
				CASE
					WHEN ($1).rating_source IS NULL THEN NULL
					WHEN g.rating IS NULL THEN 'unknown'
					WHEN g.rating > 8.5 THEN 'promoter'
					WHEN g.rating > 6.5 THEN 'passive'
					ELSE 'detractor'
				END AS satisfaction,
				w.cumulative_share
		{5} q
		{3}
		WHERE NOT q.measured IS NULL
	$sql$, NULL),

	('view', 'customers', $sql$
		FROM {data}.customer c
		LEFT JOIN {data}.ranks k ON k.run = (SELECT s.run FROM {data}.state s)
		CROSS JOIN LATERAL (
			SELECT CASE WHEN k.by_purchases THEN c.expected_purchases ELSE c.clv::float8 END AS value
		) v
		WHERE c.run = {shown}
	$sql$,
		'One row a customer: what they did, what is expected of them, their scores and their segment. '
		'Key: the first columns'),
	('key', 'c', NULL, $$a column of the customer's key$$),
	('column', 'first_purchase', 'c.first_purchase', 'day of the first purchase'),
	('column', 'last_purchase', 'c.last_purchase', 'day of the last purchase'),
	('column', 'cohort_month', 'c.cohort_month', 'first day of the month of the first purchase'),
	('column', 'recency', 'c.recency', 'days since the last purchase'),
	('column', 'frequency', 'c.frequency', 'number of purchases'),
	('column', 'monetary', 'c.monetary::numeric(24,2)',
		'net of all that was spent, refunds taken off; NULL where no amount is known'),
	('column', 'tenure', 'c.tenure', 'days since the first purchase'),
	('column', 'churn', 'c.churn', 'probability that the customer has left for good, 0 to 1'),
	('column', 'recency_score', 'c.recency_score', 'score of recency, 1 (worst) to the number of bins (best)'),
	('column', 'frequency_score', 'c.frequency_score',
		'score of frequency, 1 (worst) to the number of bins (best)'),
	('column', 'monetary_score', 'c.monetary_score',
		'score of monetary value, 1 (worst) to the number of bins (best)'),
	('column', 'tenure_score', 'c.tenure_score', 'score of tenure, 1 (shortest) to the number of bins (longest)'),
	('column', 'churn_score', 'c.churn_score', 'score of churn, 1 (probably gone) to the number of bins (surely here)'),
	('column', 'value_score', 'c.value_score',
		'score of the value expected of the next year, 1 (worst) to the number of bins (best)'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'p_alive', 'c.p_alive', 'probability that the customer is still one, 0 to 1'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected number of purchases in the horizon'),
	('column', 'expected_spend', 'c.expected_spend', 'expected value of one purchase'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', 'expected revenue of the horizon, discounted, times the margin'),
	('column', 'lifetime_value', 'c.lifetime_value',
		'the same without end; NULL where nothing is discounted, or the sum diverges'),
	('column', 'next_purchase_value', 'c.next_purchase_value',
		'P(alive) times what a purchase today would add to clv: an association, not the effect of a campaign'),
	('column', 'purchases_low', 'c.purchases_low',
		'lower end of the interval of purchases in the horizon; NULL without a level'),
	('column', 'purchases_high', 'c.purchases_high',
		'upper end of the interval of purchases in the horizon; NULL without a level'),
	('column', 'clv_low', 'c.clv_low', 'lower end of the interval of clv; NULL without a level'),
	('column', 'clv_high', 'c.clv_high', 'upper end of the interval of clv; NULL without a level'),
	('column', 'rating', 'c.rating', 'latest rating, 0 to 10; NULL where there is none'),
	('column', 'satisfaction', 'c.satisfaction',
		'promoter (9, 10), passive (7, 8), detractor (0 to 6) or unknown; NULL without ratings'),
	('column', 'value_segment', 'c.value_segment', 'segment of the map "value x satisfaction"; NULL without ratings'),
	('column', 'mean_gap', '(c.last_purchase - c.first_purchase)::float8 / nullif(c.frequency - 1, 0)',
		'mean number of days between two purchases; NULL with one'),
	('column', 'mean_spend', 'c.mean_spend', 'mean value of a purchase'),
	('column', 'total_value', '(c.monetary * k.margin::numeric + c.clv)::numeric(24,2)',
		'what they have brought and will: monetary times the margin, and clv'),
	('column', 'value_percentile', '(99 - width_bucket(-v.value, k.falling))',
		'hundredths of the customers with less clv, 0 to 99; of less expected purchases where there is no money'),
	('column', 'tier', $sql$
		(CASE
			WHEN v.value > k.high THEN 'high'
			WHEN v.value <= k.low THEN 'low'
			WHEN v.value IS NOT NULL THEN 'medium'
		END)::varchar(20)
	$sql$, 'low where value_percentile is below the lower of the pipeline''s tiers, high from the upper one on, else '
		'medium'),
	('column', 'active_30d', 'c.active_30d',
		'probability of a purchase in the next 30 days; NULL of models of whole periods'),
	('column', 'active_90d', 'c.active_90d',
		'probability of a purchase in the next 90 days; NULL of models of whole periods'),
	('column', 'next_purchase', 'c.next_purchase',
		'day by which a customer who is still one has bought again with probability one half; NULL: never'),
	('column', 'lapse_date', 'c.lapse_date',
		'day on which P(alive) falls below one half if no purchase comes; it may be past; NULL: never'),
	('column', 'group_name', 'c.group_name', 'group, whose model and scores these are; NULL without group_by'),
	('column', 'reason', '{2}',
		'why the model says so, made when it is read: a sentence with numbers'),
	('column', 'customer_key', '{1}',
		'the key as text, for tools that cannot hold every number: different for different customers')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_customers() IS
	'the table of the customers, what fills it and its view. A part of pipelines';
-- ---- segments, segment_history: one row a segment ---------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_segments() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 26
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'segment', $sql$
		CREATE TABLE {data}.segment (
			run int8,
			group_name varchar(200) DEFAULT '',
			segment varchar(200),
			customers int8,
			active_customers float8,
			past_revenue numeric(24,2),
			expected_purchases float8,
			expected_revenue numeric(24,2),
			clv numeric(24,2),
			lifetime_value numeric(24,2),
			mean_recency float8,
			mean_frequency float8,
			mean_monetary numeric(24,2),
			mean_churn float8,
			description varchar(400),
			PRIMARY KEY (run, group_name, segment)
		)
	$sql$, 'sums by segment: group_name is empty for all customers, whom rows of groups count again'),

	-- Serves segments, migration and cohorts. with_... count the customers with a value, so that a sum of none is NULL.
	-- first_purchase is the earliest of all who have been among the customers since they were last counted.
	('table', 'total', $sql$
		CREATE TABLE {data}.total (
			run int8 NOT NULL,
			group_name varchar(200),
			from_segment varchar(200),
			segment varchar(200) NOT NULL,
			cohort_month date NOT NULL,
			first_purchase date NOT NULL,
			customers int8 NOT NULL,
			recency int8 NOT NULL,
			frequency int8 NOT NULL,
			with_monetary int8 NOT NULL,
			monetary numeric,
			with_p_alive int8 NOT NULL,
			p_alive numeric,
			expected_purchases numeric,
			expected_revenue numeric,
			clv numeric,
			lifetime_value numeric,
			from_clv numeric,
			with_purchases int8,
			with_revenue int8,
			with_clv int8,
			with_lifetime int8
		)
	$sql$, 'sums of customers, by their group, segment before and now and the month of their first purchase'),

	-- who bears the number of an earlier run has not changed since the run before
	('counted', 'total', $sql$
		SELECT
			c.group_name,
			CASE WHEN c.run = ($2).run THEN c.from_segment ELSE c.segment END AS from_segment,
			c.segment,
			c.cohort_month,
			min(c.first_purchase) AS first_purchase,
			count(*) AS customers,
			sum(c.recency) AS recency,
			sum(c.frequency) AS frequency,
			count(c.monetary) AS with_monetary,
			sum(c.monetary) AS monetary,
			count(c.p_alive) AS with_p_alive,
			sum((1e9 * c.p_alive)::int8) * 1e-9 AS p_alive,
			count(c.expected_purchases) AS with_purchases,
			sum((1e9 * c.expected_purchases)::int8) * 1e-9 AS expected_purchases,
			count(c.expected_revenue) AS with_revenue,
			sum(c.expected_revenue) AS expected_revenue,
			count(c.clv) AS with_clv,
			sum(c.clv) AS clv,
			count(c.lifetime_value) AS with_lifetime,
			sum(c.lifetime_value) AS lifetime_value,
			sum(CASE WHEN c.run = ($2).run THEN c.from_clv ELSE c.clv END) AS from_clv
		FROM {1} c
		GROUP BY 1, 2, 3, 4
	$sql$, NULL),

	('kept', 'total', $sql$
		SELECT
			group_name, segment AS from_segment, segment, cohort_month, first_purchase, customers, recency, frequency,
			with_monetary, monetary, with_p_alive, p_alive, with_purchases, expected_purchases, with_revenue,
			expected_revenue, with_clv, clv, with_lifetime, lifetime_value, clv AS from_clv
		FROM {data}.total
		WHERE run = ($2).previous
	$sql$, NULL),

	('exact', 'total', $sql$
		SELECT
			q.group_name,
			q.from_segment,
			q.segment,
			q.cohort_month,
			min(q.first_purchase) AS first_purchase,
			sum(q.sign * q.customers) AS customers,
			sum(q.sign * q.recency) AS recency,
			sum(q.sign * q.frequency) AS frequency,
			sum(q.sign * q.with_monetary) AS with_monetary,
			CASE WHEN sum(q.sign * q.with_monetary) > 0 THEN sum(q.sign * q.monetary) END AS monetary,
			sum(q.sign * q.with_p_alive) AS with_p_alive,
			CASE WHEN sum(q.sign * q.with_p_alive) > 0 THEN sum(q.sign * q.p_alive) END AS p_alive,
			sum(q.sign * q.with_purchases) AS with_purchases,
			CASE WHEN sum(q.sign * q.with_purchases) > 0 THEN sum(q.sign * q.expected_purchases) END
				AS expected_purchases,
			sum(q.sign * q.with_revenue) AS with_revenue,
			CASE WHEN sum(q.sign * q.with_revenue) > 0 THEN sum(q.sign * q.expected_revenue) END AS expected_revenue,
			sum(q.sign * q.with_clv) AS with_clv,
			CASE WHEN sum(q.sign * q.with_clv) > 0 THEN sum(q.sign * q.clv) END AS clv,
			sum(q.sign * q.with_lifetime) AS with_lifetime,
			CASE WHEN sum(q.sign * q.with_lifetime) > 0 THEN sum(q.sign * q.lifetime_value) END AS lifetime_value,
			sum(q.sign * q.from_clv) AS from_clv
		FROM ({1}) q
		GROUP BY 1, 2, 3, 4
		HAVING sum(q.sign * q.customers) > 0
	$sql$, NULL),

	('sums', 'segment', $sql$
		SELECT
			g.group_name,
			c.segment,
			sum(c.customers) AS customers,
			sum(c.p_alive) AS active_customers,
			round(sum(c.monetary), 2) AS past_revenue,
			sum(c.expected_purchases) AS expected_purchases,
			sum(c.expected_revenue) AS expected_revenue,
			sum(c.clv) AS clv,
			sum(c.lifetime_value) AS lifetime_value,
			sum(c.recency) / sum(c.customers) AS mean_recency,
			sum(c.frequency) / sum(c.customers) AS mean_frequency,
			round(sum(c.monetary) / nullif(sum(c.with_monetary), 0), 2) AS mean_monetary,
			1 - sum(c.p_alive) / nullif(sum(c.with_p_alive), 0) AS mean_churn,
			(
				SELECT left(min(p.description), 400)
				FROM @extschema@.clv_segment_map p
				WHERE p.map = ($1).map AND p.segment = c.segment
			) AS description
		FROM {data}.total c
		CROSS JOIN LATERAL (
			SELECT '' AS group_name
			UNION ALL
			SELECT c.group_name
			WHERE c.group_name IS NOT NULL
		) g
		WHERE c.run = ($2).run
		GROUP BY g.group_name, c.segment
	$sql$, NULL),

	('view', 'segments', $sql$
		FROM {data}.segment c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name = ''
	$sql$,
		'One row a segment: its size, what it has brought and what it is worth. Key: segment'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'active_customers', 'c.active_customers', 'expected number of those still customers: sum of p_alive'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all they have spent'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected purchases in the horizon'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', 'sum of their clv'),
	('column', 'lifetime_value', 'c.lifetime_value', 'sum of their lifetime value'),
	('column', 'mean_recency', 'c.mean_recency', 'mean days since the last purchase'),
	('column', 'mean_frequency', 'c.mean_frequency', 'mean number of purchases'),
	('column', 'mean_monetary', 'c.mean_monetary', 'mean net spend'),
	('column', 'mean_churn', 'c.mean_churn', 'mean probability of having left'),
	('column', 'description', 'c.description', 'what the segment means'),

	('view', 'segment_history', $sql$
		FROM {data}.segment c
		JOIN {data}.run u ON u.run = c.run AND u.published_at IS NOT NULL
		WHERE c.group_name = ''
	$sql$,
		'The segments as each refresh found them. Key: run, segment'),
	('column', 'run', 'c.run', 'number of the refresh'),
	('column', 'as_of', 'u.as_of', 'day that the refresh looked back from'),
	('column', 'published_at', 'u.published_at', 'when the views began to show it'),
	('columns', 'segments', NULL, NULL),

	('view', 'group_segments', $sql$
		FROM {data}.segment c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name <> ''
	$sql$,
		'The segments within each group: they add up to those of segments; no row without group_by. Key: group_name, '
		'segment'),
	('column', 'group_name', 'c.group_name', 'group of the customers'),
	('columns', 'segments', NULL, NULL)
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_segments() IS
	'the table of the segments, what fills it and its views. A part of pipelines';
-- ---- migration: moves between segments --------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_migration() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 9
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'migration', $sql$
		CREATE TABLE {data}.migration (
			run int8,
			from_segment varchar(200),
			to_segment varchar(200),
			customers int8,
			clv_before numeric(24,2),
			clv_after numeric(24,2),
			PRIMARY KEY (run, from_segment, to_segment)
		)
	$sql$, NULL),

	-- gone is who was in a segment at the run before and has come from none
	('sums', 'migration', $sql$
		WITH moved AS (
			SELECT
				coalesce(t.from_segment, '(new)') AS from_segment,
				t.segment AS to_segment,
				sum(t.customers) AS customers,
				coalesce(sum(t.from_clv), 0) AS clv_before,
				coalesce(sum(t.clv), 0) AS clv_after
			FROM {data}.total t
			WHERE t.run = ($2).run
			GROUP BY 1, 2
		)
		SELECT m.from_segment, m.to_segment, m.customers, m.clv_before, m.clv_after
		FROM moved m
		UNION ALL
		SELECT
			b.segment,
			'(gone)',
			b.customers - coalesce(m.customers, 0),
			coalesce(b.clv, 0) - coalesce(m.clv_before, 0),
			0
		FROM {data}.segment b
		LEFT JOIN (
			SELECT m.from_segment, sum(m.customers) AS customers, sum(m.clv_before) AS clv_before
			FROM moved m
			GROUP BY m.from_segment
		) m ON m.from_segment = b.segment
		WHERE b.run = ($2).previous AND b.group_name = '' AND b.customers > coalesce(m.customers, 0)
	$sql$, NULL),

	('view', 'migration', $sql$
		FROM {data}.migration c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'From which segment to which customers have moved between the refresh before and this one. Key: '
		'from_segment, to_segment'),
	('column', 'from_segment', 'c.from_segment',
		'segment at the refresh before; (new) for those not yet customers then'),
	('column', 'to_segment', 'c.to_segment',
		'segment now; (gone) for those who are no customers any more, because transactions were taken out'),
	('column', 'customers', 'c.customers', 'customers who went that way'),
	('column', 'clv_before', 'c.clv_before', 'their clv at the refresh before'),
	('column', 'clv_after', 'c.clv_after', 'their clv now'),
	('column', 'moved', 'c.from_segment <> c.to_segment', 'whether the segment has changed')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_migration() IS
	'the table of the moves between segments, what fills it and its view. A part of pipelines';
-- ---- groups: what each group is worth -----------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_groups() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 24
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'group_equity', $sql$
		CREATE TABLE {data}.group_equity (
			run int8,
			group_name varchar(200),
			customers int8,
			active_customers float8,
			past_revenue numeric(24,2),
			expected_purchases float8,
			expected_revenue numeric(24,2),
			clv numeric(24,2),
			lifetime_value numeric(24,2),
			level float8,
			shock float8,
			purchases_low_without float8,
			purchases_high_without float8,
			clv_low_without numeric(24,2),
			clv_high_without numeric(24,2),
			purchases_low float8,
			purchases_high float8,
			clv_low numeric(24,2),
			clv_high numeric(24,2),
			PRIMARY KEY (run, group_name)
		)
	$sql$, NULL),

	-- Limits come from a sample of 2000 customers of a group, as in the forecast. {1}: the models m of the groups
	('sums', 'group_equity', $sql$
		WITH base AS (
			SELECT
				s.group_name,
				sum(s.customers) AS customers,
				sum(s.active_customers) AS active_customers,
				sum(s.past_revenue) AS past_revenue,
				sum(s.expected_purchases) AS expected_purchases,
				sum(s.expected_revenue) AS expected_revenue,
				sum(s.clv) AS clv,
				sum(s.lifetime_value) AS lifetime_value,
				coalesce(($1).level, 0.9) AS level
			FROM {data}.segment s
			WHERE s.run = ($2).run AND s.group_name <> ''
			GROUP BY s.group_name
		),
		total AS (
			SELECT q.group_name, (q.total).*
			FROM (
				SELECT
					c.group_name,
					@extschema@.clv_predict_total(m.group_model, c.history, ($1).horizon, ($1).discount_rate,
						($1).margin, ($2).as_of, coalesce(($1).level, 0.9::float8)) AS total
				FROM {customers} c
				JOIN base b ON b.group_name = c.group_name
				JOIN ({1}) m ON m.group_name = c.group_name
				WHERE {c.hash} % (1 + b.customers::int8 / 2000) = 0
				GROUP BY c.group_name
			) q
		),
		wide AS (
			SELECT
				t.group_name,
				clv_internal.clv_pipeline_spread(t.expected_purchases, t.purchases_high_without_shock,
					t.purchases_mean_high, x.scale) AS purchases,
				clv_internal.clv_pipeline_spread(t.expected_value, t.value_high_without_shock, t.value_mean_high,
					x.scale) AS value
			FROM total t
			JOIN base b USING (group_name)
			CROSS JOIN LATERAL (SELECT b.customers / nullif(t.customers, 0)::float8 AS scale) x
		)
		SELECT
			b.*,
			clv_internal.clv_finite(greatest(b.expected_purchases, w.purchases) - w.purchases) AS purchases_low,
			clv_internal.clv_finite(b.expected_purchases + w.purchases) AS purchases_high,
			clv_internal.clv_cents(CASE
				WHEN b.clv < 0 THEN b.clv::float8 - w.value
				ELSE greatest(b.clv::float8, w.value) - w.value
			END) AS clv_low,
			clv_internal.clv_cents(b.clv::float8 + w.value) AS clv_high
		FROM base b
		LEFT JOIN wide w USING (group_name)
	$sql$, NULL),

	('view', 'groups', $sql$
		FROM {data}.group_equity c
		JOIN {data}.run u USING (run)
		JOIN {data}.model m ON m.run = u.model_run AND m.group_name = c.group_name
		CROSS JOIN LATERAL @extschema@.clv_diagnostics(m.model) d
		LEFT JOIN {data}.new_customer n ON n.run = u.model_run AND n.group_name = c.group_name
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'One row a group of customers: what it is worth, and the model that says so; the groups add up to equity. No '
		'row without group_by. Key: group_name'),
	('column', 'group_name', 'c.group_name', 'group; (none) for customers of whom none is known'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'active_customers', 'c.active_customers', 'expected number of those still customers: sum of p_alive'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all that they have spent up to the day'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected purchases in the horizon'),
	('column', 'purchases_low', 'c.purchases_low', 'lower end of the prediction interval of purchases'),
	('column', 'purchases_high', 'c.purchases_high', 'upper end of the prediction interval of purchases'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', $$value of the horizon: sum of the customers' clv$$),
	('column', 'clv_low', 'c.clv_low', 'lower end of the prediction interval of clv'),
	('column', 'clv_high', 'c.clv_high', 'upper end of the prediction interval of clv'),
	('column', 'shock', 'c.shock',
		'half the width of the interval that what moves all customers at once gives by itself, relative to the '
		'expectation; it is part of the intervals'),
	('column', 'purchases_low_without_shock', 'c.purchases_low_without', 'lower end of the purchases without it'),
	('column', 'purchases_high_without_shock', 'c.purchases_high_without', 'upper end of the purchases without it'),
	('column', 'clv_low_without_shock', 'c.clv_low_without', 'lower end of clv without it'),
	('column', 'clv_high_without_shock', 'c.clv_high_without', 'upper end of clv without it'),
	('column', 'lifetime_value', 'c.lifetime_value',
		$$value without end: sum of the customers' lifetime value; NULL where nothing is discounted$$),
	('column', 'interval_level', 'c.level', 'probability of the intervals'),
	('column', 'max_acquisition_cost', 'n.max_acquisition_cost',
		'what a new customer of the group is worth within the horizon, their first purchase included'),
	('column', 'model_as_of', 'm.as_of', 'last day of the data of the model'),
	('column', 'model_customers', 'd.customers', 'customers whom the model was fitted to'),
	('column', 'prior_distance', 'clv_internal.clv_finite(d.prior_distance)',
		'standard deviations of the prior between its mean and the purchases of the group; NULL where not pooled'),
	('column', 'effective_parameters', 'clv_internal.clv_finite(d.effective_parameters)',
		'how many parameters the customers of the group determine by themselves; NULL where it was not pooled')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_groups() IS
	'the table of what groups are worth, what fills it and its view. A part of pipelines';
-- ---- equity, equity_history: what the base is worth -------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_equity() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 54
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'equity', $sql$
		CREATE TABLE {data}.equity (
			run int8 PRIMARY KEY,
			customers int8,
			active_customers float8,
			past_revenue numeric(24,2),
			expected_purchases float8,
			expected_revenue numeric(24,2),
			clv numeric(24,2),
			lifetime_value numeric(24,2),
			level float8,
			purchases_low float8,
			purchases_high float8,
			clv_low numeric(24,2),
			clv_high numeric(24,2),
			revenue_after numeric(24,2),
			customers_without_purchase int8,
			revenue_without_purchase numeric(24,2),
			early_refunds numeric(24,2),
			shock float8,
			purchases_low_without float8,
			purchases_high_without float8,
			clv_low_without numeric(24,2),
			clv_high_without numeric(24,2)
		)
	$sql$, NULL),

	-- left_out: what the past revenue of the customers does not hold, so that all of it adds up to the source
	('sums', 'equity', $sql$
		WITH base AS (
			SELECT
				sum(s.customers) AS customers,
				sum(s.active_customers) AS active_customers,
				sum(s.past_revenue) AS past_revenue,
				sum(s.expected_purchases) AS expected_purchases,
				sum(s.expected_revenue) AS expected_revenue,
				sum(s.clv) AS clv,
				sum(s.lifetime_value) AS lifetime_value,
				coalesce(($1).level, 0.9) AS level
			FROM {data}.segment s
			WHERE s.run = ($2).run AND s.group_name = ''
		),
		-- from one in so many customers that 20,000 are left, as the widths of limits need no more
		total AS (
			SELECT
				t.*,
				(SELECT b.customers FROM base b) / nullif(t.customers, 0)::float8 AS scale
			FROM (
				SELECT (q.total).*
				FROM (
					SELECT @extschema@.clv_predict_total(($2).model, h.history, ($1).horizon, ($1).discount_rate,
						($1).margin, ($2).as_of, coalesce(($1).level, 0.9::float8)) AS total
					FROM {data}.history h
					WHERE h.generation = ($2).generation
					  AND ($1).group_by IS NULL
					  AND (
						(SELECT b.customers < 20000 FROM base b)
						OR {h.hash} % (SELECT 1 + b.customers::int8 / 20000 FROM base b) = 0
					  )
				) q
			) t
		),
		-- what is subtracted from the greater of both leaves zero where it is greater, and NULL where it is NULL
		limits AS (
			SELECT
				CASE
					WHEN t.scale = 1 THEN t.purchases_low_without_shock
					ELSE greatest(b.expected_purchases, x.purchases) - x.purchases
				END AS purchases_low,
				CASE
					WHEN t.scale = 1 THEN t.purchases_high_without_shock
					ELSE b.expected_purchases + x.purchases
				END AS purchases_high,
				CASE
					WHEN t.scale = 1 THEN t.value_low_without_shock
					WHEN b.clv < 0 THEN b.clv::float8 - x.value
					ELSE greatest(b.clv::float8, x.value) - x.value
				END AS value_low,
				CASE WHEN t.scale = 1 THEN t.value_high_without_shock ELSE b.clv::float8 + x.value END AS value_high
			FROM base b
			CROSS JOIN total t
			CROSS JOIN LATERAL (
				SELECT
					clv_internal.clv_pipeline_spread(t.expected_purchases, t.purchases_high_without_shock,
						t.purchases_mean_high, t.scale) AS purchases,
					clv_internal.clv_pipeline_spread(t.expected_value, t.value_high_without_shock, t.value_mean_high,
						t.scale) AS value
			) x
		),
		-- groups have models of their own, the errors of which are independent: variances add up
		by_group AS (
			SELECT
				CASE WHEN count(*) = count(g.purchases_high)
					THEN sqrt(sum(power(g.purchases_high - g.expected_purchases, 2)))
				END AS purchases,
				CASE WHEN count(*) = count(g.clv_high)
					THEN sqrt(sum(power((g.clv_high - g.clv)::float8, 2)))
				END AS value
			FROM {data}.group_equity g
			WHERE g.run = ($2).run
		),
		left_out AS (
			SELECT
				sum(m.after) AS after,
				sum(m.customers) FILTER (WHERE m.month IS NULL) AS customers,
				sum(m.revenue) FILTER (WHERE m.month IS NULL) AS without_purchase,
				sum(m.early) AS early
			FROM {data}.month m
			WHERE m.run = ($2).run
		)
		SELECT
			b.*,
			clv_internal.clv_finite(coalesce(t.purchases_low, greatest(b.expected_purchases, g.purchases)
				- g.purchases)) AS purchases_low,
			clv_internal.clv_finite(coalesce(t.purchases_high, b.expected_purchases + g.purchases)) AS purchases_high,
			clv_internal.clv_cents(coalesce(t.value_low, CASE
				WHEN b.clv < 0 THEN b.clv::float8 - g.value
				ELSE greatest(b.clv::float8, g.value) - g.value
			END)) AS clv_low,
			clv_internal.clv_cents(coalesce(t.value_high, b.clv::float8 + g.value)) AS clv_high,
			CASE WHEN ($1).amount IS NOT NULL THEN round(coalesce(l.after, 0), 2) END AS revenue_after,
			coalesce(l.customers, 0) AS customers_without_purchase,
			CASE WHEN ($1).amount IS NOT NULL
				THEN round(coalesce(l.without_purchase, 0), 2)
			END AS revenue_without_purchase,
			CASE WHEN ($1).amount IS NOT NULL THEN round(coalesce(l.early, 0), 2) END AS early_refunds
		FROM base b
		CROSS JOIN limits t
		CROSS JOIN by_group g
		CROSS JOIN left_out l
	$sql$, NULL),

	('view', 'equity', $sql$
		FROM {data}.equity c
		JOIN {data}.run u ON u.run = c.run
		LEFT JOIN {data}.state s ON true
		LEFT JOIN {data}.equity b ON b.run = s.previous
		LEFT JOIN {data}.run w ON w.run = b.run
		WHERE c.run = s.run
	$sql$,
		'What the customer base is worth, in one row: today, over the horizon, and the change since the '
		'refresh before'),
	('column', 'run', 'c.run', 'number of the refresh'),
	('column', 'as_of', 'u.as_of', 'day as of which customers are evaluated'),
	('column', 'published_at', 'u.published_at', 'when the views began to show it'),
	('column', 'horizon_days', $sql$(extract(epoch FROM (u.definition ->> 'horizon')::interval) / 86400)::float8$sql$,
		'length of the horizon in days'),
	('column', 'discount_rate', $sql$(u.definition ->> 'discount_rate')::float8$sql$, 'rate per year'),
	('column', 'margin', $sql$(u.definition ->> 'margin')::float8$sql$, 'share of revenue that is kept'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'active_customers', 'c.active_customers', 'expected number of those still customers: sum of p_alive'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all that customers have spent up to the day'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected purchases in the horizon'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', $$value of the horizon: sum of the customers' clv$$),
	('column', 'lifetime_value', 'c.lifetime_value',
		$$value without end: sum of the customers' lifetime value; NULL where nothing is discounted$$),
	('column', 'interval_level', 'c.level', 'probability of the intervals'),
	('column', 'purchases_low', 'c.purchases_low', 'lower end of the prediction interval of purchases'),
	('column', 'purchases_high', 'c.purchases_high', 'upper end of the prediction interval of purchases'),
	('column', 'clv_low', 'c.clv_low', 'lower end of the prediction interval of clv'),
	('column', 'clv_high', 'c.clv_high', 'upper end of the prediction interval of clv'),
	('column', 'shock', 'c.shock',
		'half the width of the interval that what moves all customers at once gives by itself, relative to the '
		'expectation; it is part of the intervals. 0 where the data do not tell it'),
	('column', 'purchases_low_without_shock', 'c.purchases_low_without', 'lower end without it'),
	('column', 'purchases_high_without_shock', 'c.purchases_high_without', 'upper end without it'),
	('column', 'clv_low_without_shock', 'c.clv_low_without', 'lower end of the interval of clv without it'),
	('column', 'clv_high_without_shock', 'c.clv_high_without', 'upper end of the interval of clv without it'),
	('column', 'previous_as_of', 'w.as_of', 'day of the refresh before'),
	('column', 'customers_change', 'c.customers - b.customers', 'customers more than at the refresh before'),
	('column', 'active_customers_change', 'c.active_customers - b.active_customers',
		'active customers more than at the refresh before'),
	('column', 'past_revenue_change', '(c.past_revenue - b.past_revenue)::numeric(24,2)',
		'revenue since the refresh before'),
	('column', 'clv_change', '(c.clv - b.clv)::numeric(24,2)', 'clv more than at the refresh before'),
	('column', 'lifetime_value_change', '(c.lifetime_value - b.lifetime_value)::numeric(24,2)',
		'lifetime value more than at the refresh before'),
	('column', 'source_revenue', 'u.total_revenue::numeric(24,2)',
		'sum of the source as the filter leaves it: past_revenue and the four amounts that follow'),
	('column', 'revenue_after', 'c.revenue_after', 'of it: after the day'),
	('column', 'revenue_without_purchase', 'c.revenue_without_purchase',
		'of it: refunds of customers who have bought nothing up to the day'),
	('column', 'revenue_without_customer', 'coalesce(u.revenue_without_customer, 0 * u.total_revenue)::numeric(24,2)',
		'of it: rows without a customer'),
	('column', 'revenue_without_time', 'coalesce(u.revenue_without_time, 0 * u.total_revenue)::numeric(24,2)',
		'of it: rows of a customer, but without a time'),
	('column', 'early_refunds', 'c.early_refunds', 'part of past_revenue: refunds before the first purchase'),
	('column', 'customers_without_purchase', 'c.customers_without_purchase',
		'keys of the source with nothing bought up to the day; they are in no other view'),
	('column', 'rows_without_customer', 'u.rows_without_customer', 'rows of the source without a customer'),
	('column', 'rows_without_time', 'u.rows_without_time', 'rows of the source of a customer, but without a time'),
	('column', 'isolated_day', 'u.isolated_day',
		'day of an isolated last purchase long after the others, as a mistyped date is, which was '
		'not taken for the day; NULL where there is none'),

	('view', 'equity_history', $sql$
		FROM {data}.equity c
		JOIN {data}.run u ON u.run = c.run AND u.published_at IS NOT NULL
	$sql$,
		'What the customer base was worth at each refresh. Key: run'),
	('column', 'run', 'c.run', 'number of the refresh'),
	('column', 'as_of', 'u.as_of', 'day that it looked back from'),
	('column', 'published_at', 'u.published_at', 'when the views began to show it'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'active_customers', 'c.active_customers', 'expected number of those still customers: sum of p_alive'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all that customers have spent'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected purchases in the horizon'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', $$value of the horizon: sum of the customers' clv$$),
	('column', 'lifetime_value', 'c.lifetime_value',
		$$value without end: sum of the customers' lifetime value; NULL where nothing is discounted$$),
	('column', 'interval_level', 'c.level', 'probability of the intervals'),
	('column', 'purchases_low', 'c.purchases_low', 'lower end of the prediction interval of purchases'),
	('column', 'purchases_high', 'c.purchases_high', 'upper end of the prediction interval of purchases'),
	('column', 'clv_low', 'c.clv_low', 'lower end of the prediction interval of clv'),
	('column', 'clv_high', 'c.clv_high', 'upper end of the prediction interval of clv')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_equity() IS
	'the table of what the base is worth, what fills it and its views. A part of pipelines';
-- ---- cohorts: customers by the month of their first purchase ----------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_cohorts() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 14
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'cohort', $sql$
		CREATE TABLE {data}.cohort (
			run int8,
			group_name varchar(200) DEFAULT '',
			cohort_month date,
			customers int8,
			active_customers float8,
			past_revenue numeric(24,2),
			expected_revenue numeric(24,2),
			clv numeric(24,2),
			lifetime_value numeric(24,2),
			PRIMARY KEY (run, group_name, cohort_month)
		)
	$sql$, 'sums by cohort: group_name is empty for all customers, whom rows of groups count again'),

	('sums', 'cohort', $sql$
		SELECT
			g.group_name,
			c.cohort_month,
			sum(c.customers) AS customers,
			sum(c.p_alive) AS active_customers,
			round(sum(c.monetary), 2) AS past_revenue,
			sum(c.expected_revenue) AS expected_revenue,
			sum(c.clv) AS clv,
			sum(c.lifetime_value) AS lifetime_value
		FROM {data}.total c
		CROSS JOIN LATERAL (
			SELECT '' AS group_name
			UNION ALL
			SELECT c.group_name
			WHERE c.group_name IS NOT NULL
		) g
		WHERE c.run = ($2).run
		GROUP BY g.group_name, c.cohort_month
	$sql$, NULL),

	('view', 'cohorts', $sql$
		FROM {data}.cohort c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name = ''
	$sql$,
		'Customers by the month of their first purchase: how many, what they brought and what they are '
		'worth. Key: cohort_month'),
	('column', 'cohort_month', 'c.cohort_month', 'first day of the month of the first purchase'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'active_customers', 'c.active_customers', 'expected number of those still customers: sum of p_alive'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all they have spent'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', 'sum of their clv'),
	('column', 'lifetime_value', 'c.lifetime_value', 'sum of their lifetime value'),
	('column', 'clv_per_customer', '(c.clv / nullif(c.customers, 0))::numeric(24,2)', 'mean clv'),

	('view', 'group_cohorts', $sql$
		FROM {data}.cohort c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name <> ''
	$sql$,
		'The cohorts within each group: they add up to those of cohorts; no row without group_by. Key: group_name, '
		'cohort_month'),
	('column', 'group_name', 'c.group_name', 'group of the customers'),
	('columns', 'cohorts', NULL, NULL)
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_cohorts() IS
	'the table of the cohorts, what fills it and its view. A part of pipelines';
-- ---- cohort_retention: cohorts by age ---------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_cohort_retention() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 17
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'cohort_age', $sql$
		CREATE TABLE {data}.cohort_age (
			run int8,
			cohort_month date,
			age int4,
			month date,
			customers int8,
			buyers int8,
			purchases int8,
			revenue numeric(24,2),
			complete bool,
			PRIMARY KEY (run, cohort_month, age)
		)
	$sql$, NULL),

	-- serves equity too
	('table', 'month', $sql$
		CREATE TABLE {data}.month (
			run int8 NOT NULL,
			cohort_month date,
			month date,
			customers int8,
			purchases int8,
			buyers int8,
			revenue numeric,
			early numeric,
			after numeric
		)
	$sql$, 'what customers did in which month: see clv_pipeline_months'),

	('counted', 'month', $sql$
		SELECT m.*
		FROM (
			SELECT clv_internal.clv_pipeline_months(h.history, ($2).as_of) AS months
			FROM {1} h
		) q
		CROSS JOIN LATERAL unnest(q.months) m
	$sql$, NULL),

	('kept', 'month', $sql$
		SELECT cohort_month, month, customers, purchases, buyers, revenue, early, after
		FROM {data}.month
		WHERE run = ($2).previous
	$sql$, NULL),

	('exact', 'month', $sql$
		SELECT
			q.cohort_month,
			q.month,
			sum(q.sign * q.customers) AS customers,
			sum(q.sign * q.purchases) AS purchases,
			sum(q.sign * q.buyers) AS buyers,
			sum(q.sign * q.revenue) AS revenue,
			sum(q.sign * q.early) AS early,
			sum(q.sign * q.after) AS after
		FROM ({1}) q
		GROUP BY 1, 2
	$sql$, NULL),

	-- A customer is a buyer of a month on its first day with a purchase of theirs; refunds before the first purchase
	-- belong to its month. Months without any purchase are rows too.
	('sums', 'cohort_age', $sql$
		SELECT
			c.cohort_month,
			(12 * (extract(year FROM m) - extract(year FROM c.cohort_month))
				+ extract(month FROM m) - extract(month FROM c.cohort_month))::int4 AS age,
			m::date AS month,
			c.customers,
			coalesce(s.buyers, 0) AS buyers,
			coalesce(s.purchases, 0) AS purchases,
			coalesce(round(s.revenue, 2), 0) AS revenue,
			(m + interval '1 month')::date <= ($2).as_of + 1 AS complete
		FROM {data}.cohort c
		CROSS JOIN LATERAL generate_series(c.cohort_month::timestamp, ($2).as_of::timestamp, '1 month') m
		LEFT JOIN {data}.month s ON s.run = c.run AND s.cohort_month = c.cohort_month AND s.month = m::date
		WHERE c.run = ($2).run AND c.group_name = ''
	$sql$, NULL),

	('view', 'cohort_retention', $sql$
		FROM {data}.cohort_age c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Cohorts by age: how many of their customers bought in each month, and what they spent. Key: cohort_month, '
		'age_months'),
	('column', 'cohort_month', 'c.cohort_month', 'first day of the month of the first purchase'),
	('column', 'age_months', 'c.age', 'calendar months since then, 0 for the month itself'),
	('column', 'month', 'c.month', 'first day of the month looked at'),
	('column', 'customers', 'c.customers', 'size of the cohort'),
	('column', 'buyers', 'c.buyers', 'customers who bought in the month'),
	('column', 'retention', 'c.buyers::float8 / nullif(c.customers, 0)', 'buyers / customers'),
	('column', 'purchases', 'c.purchases', 'purchases of the month'),
	('column', 'revenue', 'c.revenue',
		'net revenue of the month; refunds before the first purchase are in that of age 0'),
	('column', 'cumulative_revenue', $sql$
		(sum(c.revenue) OVER (PARTITION BY c.cohort_month ORDER BY c.age))::numeric(24,2)
	$sql$, 'net revenue up to the month'),
	('column', 'revenue_per_customer', '(c.revenue / nullif(c.customers, 0))::numeric(24,2)',
		'net revenue of the month over the size of the cohort'),
	('column', 'complete', 'c.complete', 'whether the data reach to the end of the month')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_cohort_retention() IS
	'the table of the cohorts by age, what fills it and its view. A part of pipelines';
-- ---- forecast: purchases and revenue to come --------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_forecast() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 20
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'forecast', $sql$
		CREATE TABLE {data}.forecast (
			run int8,
			group_name varchar(200) DEFAULT '',
			segment varchar(200),
			number int4,
			period_start date,
			period_end date,
			expected_purchases float8,
			expected_revenue numeric(24,2),
			cumulative_purchases float8,
			purchases_low float8,
			purchases_high float8,
			shock float8,
			purchases_low_without float8,
			purchases_high_without float8,
			revenue_low_without numeric(24,2),
			revenue_high_without numeric(24,2),
			cumulative_revenue numeric(24,2),
			revenue_low numeric(24,2),
			revenue_high numeric(24,2),
			PRIMARY KEY (run, group_name, segment, number)
		)
	$sql$, 'the forecast by segment, where group_name is empty, and that of groups, where segment is (all)'),

	-- {1}: the totals t of a sample of 2000 customers of a segment, from which limits are
	-- scaled, as their widths need no more. The variance of what will happen grows with the number of customers, that
	-- of what is expected with its square. A model that has not converged has no limits, and so there are none here.
	-- {2}, {3}: a fence around what is computed of customers c and their segments g, of a large segment a part that
	-- says as well how its periods share what all are expected to do; {4}: the sums of expected purchases and money
	-- until the end of each period; {5}: the group, and its model; {6}: the numbers of the periods whose limits are
	-- computed; {7}: whether a customer c is one of the 2000
	('sums', 'forecast', $sql$
		WITH sums AS MATERIALIZED (
			SELECT
				q.group_name,
				q.segment,
				{4} AS s,
				count(*) AS customers,
				nullif(count(*) FILTER (WHERE q.sampled), 0) AS sampled,
				{1} AS t
			FROM {2}
				SELECT {5}, c.segment, c.history, {7} AS sampled
			{3} q
			GROUP BY q.group_name, q.segment
		),
		limited AS MATERIALIZED (
			SELECT
				s.group_name,
				s.segment,
				t.ordinality AS number,
				CASE
					WHEN t.ordinality = l.number THEN g.expected_purchases
					WHEN s.customers = g.customers THEN s.s[1][t.ordinality]
					ELSE s.s[1][t.ordinality] * coalesce(g.expected_purchases / nullif(s.s[1][l.number], 0), 1)
				END AS e,
				CASE
					WHEN t.ordinality = l.number THEN g.expected_revenue
					WHEN s.customers = g.customers THEN round(s.s[2][t.ordinality]::numeric, 2)
					ELSE round((s.s[2][t.ordinality]
						* coalesce(g.expected_revenue::float8 / nullif(s.s[2][l.number], 0), 1))::numeric, 2)
				END AS r,
				(power(t.purchases_high_without_shock - t.expected_purchases, 2)
					- coalesce(power(t.purchases_mean_high - t.expected_purchases, 2), 0)) * x.scale AS e_chance,
				coalesce(t.purchases_mean_high - t.expected_purchases, 0) * x.scale AS e_estimate,
				(power(t.value_high_without_shock - t.expected_value, 2)
					- coalesce(power(t.value_mean_high - t.expected_value, 2), 0)) * x.scale AS r_chance,
				coalesce(t.value_mean_high - t.expected_value, 0) * x.scale AS r_estimate
			FROM sums s
			JOIN {data}.segment g ON g.run = ($2).run AND g.group_name = s.group_name AND g.segment = s.segment
			CROSS JOIN LATERAL (SELECT g.customers::float8 / s.sampled AS scale) x
			CROSS JOIN LATERAL cardinality(s.t) l (number)
			CROSS JOIN LATERAL unnest(s.t) WITH ORDINALITY AS t
		),
		period AS (
			SELECT
				p.*,
				(SELECT max(n) FROM unnest({6:L}::int4[]) n WHERE n <= p.number) AS earlier,
				(SELECT min(n) FROM unnest({6:L}::int4[]) n WHERE n >= p.number) AS later
			FROM clv_internal.clv_pipeline_periods(($1).horizon, ($2).as_of, ($2).model) p
		),
		cumulated AS (
			SELECT
				s.group_name,
				s.segment,
				p.number,
				p.period_start,
				p.period_end,
				s.e,
				s.r,
				clv_internal.clv_pipeline_between(s.e, b.e, b.e_chance, a.e, a.e_chance) AS e_chance,
				clv_internal.clv_pipeline_between(s.e, b.e, b.e_estimate, a.e, a.e_estimate) AS e_estimate,
				clv_internal.clv_pipeline_between(s.e, b.e, b.r_chance, a.e, a.r_chance) AS r_chance,
				clv_internal.clv_pipeline_between(s.e, b.e, b.r_estimate, a.e, a.r_estimate) AS r_estimate
			FROM period p
			JOIN limited s ON s.number = p.number
			JOIN limited b ON b.group_name = s.group_name AND b.segment = s.segment AND b.number = p.earlier
			JOIN limited a ON a.group_name = s.group_name AND a.segment = s.segment AND a.number = p.later
		),
		-- customers of a group share its model and so the error of its estimate; those of different groups do not
		grouped AS (
			SELECT
				group_name,
				'(all)' AS segment,
				number,
				period_start,
				period_end,
				sum(e) AS e,
				sum(r) AS r,
				CASE WHEN count(e_chance) = count(*) THEN sum(e_chance) END AS e_chance,
				sum(e_estimate) AS e_estimate,
				CASE WHEN count(r_chance) = count(r) THEN sum(r_chance) END AS r_chance,
				sum(r_estimate) AS r_estimate
			FROM cumulated
			GROUP BY group_name, number, period_start, period_end
		),
		based AS (
			SELECT
				'' AS group_name,
				segment,
				number,
				period_start,
				period_end,
				sum(e) AS e,
				sum(r) AS r,
				CASE WHEN count(e_chance) = count(*) THEN sum(e_chance) END AS e_chance,
				sqrt(sum(power(e_estimate, 2))) AS e_estimate,
				CASE WHEN count(r_chance) = count(r) THEN sum(r_chance) END AS r_chance,
				sqrt(sum(power(r_estimate, 2))) AS r_estimate
			FROM (
				SELECT
					group_name, segment, number, period_start, period_end, e, r, e_chance, e_estimate, r_chance,
					r_estimate
				FROM cumulated
				UNION ALL
				TABLE grouped
			) q
			GROUP BY segment, number, period_start, period_end
			UNION ALL
			SELECT *
			FROM grouped
			WHERE group_name <> ''
		),
		wide AS (
			SELECT
				*,
				sqrt(CASE WHEN e_chance IS NOT NULL THEN greatest(e_chance, 0) END + power(e_estimate, 2)) AS e_width,
				sqrt(CASE WHEN r_chance IS NOT NULL THEN greatest(r_chance, 0) END + power(r_estimate, 2)) AS r_width
			FROM based
		)
		SELECT
			group_name,
			segment,
			number,
			period_start,
			period_end,
			e - lag(e, 1, 0) OVER w AS expected_purchases,
			r - lag(r, 1, 0) OVER w AS expected_revenue,
			e AS cumulative_purchases,
			CASE WHEN e_width IS NOT NULL THEN greatest(e - e_width, 0) END AS purchases_low,
			e + e_width AS purchases_high,
			r AS cumulative_revenue,
			CASE WHEN r_width IS NOT NULL THEN round(greatest(r::float8 - r_width, 0)::numeric, 2) END AS revenue_low,
			round((r::float8 + r_width)::numeric, 2) AS revenue_high
		FROM wide
		WINDOW w AS (PARTITION BY group_name, segment ORDER BY number)
	$sql$, NULL),

	('view', 'forecast', $sql$
		FROM {data}.forecast c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name = ''
	$sql$,
		$$Purchases and revenue to come from today's customers, by calendar month and segment, with $$ ||
		'prediction intervals of the sums since today; the row (all) is the base. Key: segment, ' ||
		'period_number'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map; (all) for the base$$),
	('column', 'period_number', 'c.number', '1 for the period that begins tomorrow'),
	('column', 'period_start', 'c.period_start', 'first day of the period'),
	('column', 'period_end', 'c.period_end', 'last day of the period'),
	('column', 'month', $sql$date_trunc('month', c.period_start::timestamp)::date$sql$,
		'first day of the month in which the period begins'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected purchases of the period'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the period, undiscounted'),
	('column', 'cumulative_purchases', 'c.cumulative_purchases',
		'expected purchases from tomorrow to the end of the period'),
	('column', 'cumulative_purchases_low', 'c.purchases_low', 'lower end of their prediction interval'),
	('column', 'cumulative_purchases_high', 'c.purchases_high', 'upper end of their prediction interval'),
	('column', 'shock', 'c.shock',
		'half the width of the interval that what moves all customers at once gives by itself, relative to the '
		'expectation; it is part of the intervals. 0 where the data do not tell it'),
	('column', 'cumulative_purchases_low_without_shock', 'c.purchases_low_without', 'lower end without it'),
	('column', 'cumulative_purchases_high_without_shock', 'c.purchases_high_without', 'upper end without it'),
	('column', 'cumulative_revenue_low_without_shock', 'c.revenue_low_without', 'lower end of the revenue without it'),
	('column', 'cumulative_revenue_high_without_shock', 'c.revenue_high_without',
		'upper end of the revenue without it'),
	('column', 'cumulative_revenue', 'c.cumulative_revenue', 'expected revenue from tomorrow to the end of the period'),
	('column', 'cumulative_revenue_low', 'c.revenue_low', 'lower end of its prediction interval'),
	('column', 'cumulative_revenue_high', 'c.revenue_high', 'upper end of its prediction interval'),

	('view', 'group_forecast', $sql$
		FROM {data}.forecast c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name <> ''
	$sql$,
		'The forecast of each group: they add up to the rows (all) of forecast; no row without group_by. Key: '
		'group_name, period_number'),
	('column', 'group_name', 'c.group_name', 'group of the customers'),
	('columns', 'forecast', NULL, NULL)
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_forecast() IS
	'the table of the forecast, what fills it and its view. A part of pipelines';
-- ---- concentration, lorenz: the share of the most valuable ------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_concentration() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 17
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'concentration', $sql$
		CREATE TABLE {data}.concentration (
			run int8,
			basis varchar(20),
			percentile int4,
			customers int8,
			value numeric(24,2),
			cumulative_customers_share float8,
			cumulative_value_share float8,
			gini float8,
			PRIMARY KEY (run, basis, percentile)
		)
	$sql$, NULL),

	-- one row: what percentiles and tiers of value are read from
	('table', 'ranks', $sql$
		CREATE TABLE {data}.ranks (
			run int8 PRIMARY KEY,
			margin float8 NOT NULL,
			by_purchases bool NOT NULL,
			falling float8[],
			low float8,
			high float8,
			least_loss float8,
			least_gain float8
		)
	$sql$, 'the percentiles of the value of the customers of a run, and with what value lists end'),

	-- Of value, or of purchases where there is no money. falling: the percentiles 99 to 1, below zero, since
	-- width_bucket() counts the limits up to a value, and what is wanted are those below it. {1}: the hundredths, {2},
	-- {3}: of the last customer in the list of losses and in that of gains; NULL where the list is not full
	('rows', 'ranks', $sql$
		SELECT
			($2).run AS run,
			($1).margin AS margin,
			NOT ($2).has_spend AS by_purchases,
			(SELECT array_agg(-s.h[p][5] ORDER BY p) FROM generate_series(2, 100) p) AS falling,
			s.h[101 - ($1).tiers[1]][5] AS low,
			s.h[101 - ($1).tiers[2]][5] AS high,
			{2:L}::float8 AS least_loss,
			{3:L}::float8 AS least_gain
		FROM (VALUES ({1:L}::float8[])) s (h)
	$sql$, NULL),

	-- The customer at place i of n falls into hundredth ceil(100 i / n); with fewer customers than that, some stay
	-- empty. Shares, and what they are shares of, are of what is above zero; the value itself adds up to that of all.
	-- {1}, {2}: the hundredths by past revenue and by value to come
	('sums', 'concentration', $sql$
		WITH hundredths AS (
			SELECT
				b.basis,
				p AS percentile,
				b.h[p][1] AS customers,
				b.h[p][2] AS net,
				b.h[p][3] AS value,
				b.h[p][4] AS weighted
			FROM (VALUES ('past revenue', {1:L}::float8[]), ('future value', {2:L}::float8[])) b (basis, h)
			CROSS JOIN generate_series(1, 100) p
			WHERE b.h IS NOT NULL
		)
		SELECT
			h.basis,
			h.percentile,
			h.customers::int8 AS customers,
			round(h.net::numeric, 2) AS value,
			sum(h.customers) OVER w / sum(h.customers) OVER b AS cumulative_customers_share,
			sum(h.value) OVER w / nullif(sum(h.value) OVER b, 0) AS cumulative_value_share,
			(sum(h.customers) OVER b + 1 - 2 * sum(h.weighted) OVER b / nullif(sum(h.value) OVER b, 0))
				/ sum(h.customers) OVER b AS gini
		FROM hundredths h
		WINDOW b AS (PARTITION BY h.basis), w AS (PARTITION BY h.basis ORDER BY h.percentile)
	$sql$, NULL),

	('view', 'concentration', $sql$
		FROM (
			SELECT
				q.run,
				q.basis,
				(q.percentile + 9) / 10 AS decile,
				sum(q.customers) AS customers,
				sum(q.value) AS value,
				max(q.cumulative_customers_share) AS customers_share,
				max(q.cumulative_value_share) AS value_share,
				max(q.cumulative_value_share) - lag(max(q.cumulative_value_share), 1, 0)
					OVER (PARTITION BY q.run, q.basis ORDER BY (q.percentile + 9) / 10) AS share,
				max(q.gini) AS gini
			FROM {data}.concentration q
			WHERE q.run = (SELECT s.run FROM {data}.state s)
			GROUP BY q.run, q.basis, 3
		) c
	$sql$,
		'Which customers carry the business: tenths of them, the most valuable first, by past revenue and by '
		'value to come. Key: basis, decile'),
	('column', 'basis', 'c.basis', 'past revenue, or future value (clv)'),
	('column', 'decile', 'c.decile', 'tenth of the customers, 1 the most valuable'),
	('column', 'customers', 'c.customers::int8', 'number of customers'),
	('column', 'value', 'c.value::numeric(24,2)',
		'their value, net: all of it is the past_revenue or the clv of equity'),
	('column', 'value_share', 'c.share',
		'their share of all value; negative values count as zero in shares and Gini'),
	('column', 'cumulative_customers_share', 'c.customers_share', 'share of the customers up to this tenth'),
	('column', 'cumulative_value_share', 'c.value_share', 'share of all value up to this tenth'),
	('column', 'gini', 'c.gini', 'Gini coefficient of the whole: 0 all alike, 1 all value with one customer'),

	('view', 'lorenz', $sql$
		FROM {data}.concentration c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'The concentration curve: the share of the value that the most valuable 1, 2 ... 100 % of the '
		'customers bring. Key: basis, percentile'),
	('column', 'basis', 'c.basis', 'past revenue, or future value (clv)'),
	('column', 'percentile', 'c.percentile', 'hundredth of the customers, 1 the most valuable'),
	('column', 'cumulative_customers_share', 'c.cumulative_customers_share', 'share of the customers up to here'),
	('column', 'cumulative_value_share', 'c.cumulative_value_share', 'share of all value up to here')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_concentration() IS
	'the table of the concentration of value, what fills it and its views. A part of pipelines';
-- ---- winback: customers to win back -----------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_winback() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 15
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'winback', $sql$
		CREATE TABLE {data}.winback (
			run int8,
			rank int4,
			{1},
			value_if_active numeric(24,2),
			value_at_risk numeric(24,2),
			PRIMARY KEY (run, rank)
		)
	$sql$, NULL),

	-- a customer without money in their model is ranked by purchases. {1}: the customers c
	('rows', 'winback', $sql$
		WITH losses AS (
			SELECT
				{c.key},
				c.clv,
				c.p_alive,
				clv_internal.clv_pipeline_loss(c.clv, c.expected_purchases, c.p_alive) AS loss
			FROM {1} c
		),
		worst AS (
			SELECT *
			FROM losses q
			WHERE q.loss > 0
			ORDER BY q.loss DESC, {q.key}
			LIMIT ($1).list_size
		)
		SELECT
			($2).run AS run,
			row_number() OVER (ORDER BY q.loss DESC, {q.key}) AS rank,
			{q.key},
			a.value AS value_if_active,
			a.value - q.clv AS value_at_risk
		FROM worst q
		CROSS JOIN LATERAL clv_internal.clv_cents(q.clv::float8 / q.p_alive) a (value)
	$sql$, NULL),

	('view', 'winback', $sql$
		FROM {data}.winback l
		JOIN {data}.customer c ON {c=l} AND c.run = {shown}
		WHERE l.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Valuable customers who have probably gone: P(alive) below one half, by what is lost with them. Key: rank'),
	('column', 'rank', 'l.rank', '1 for the largest loss'),
	('key', 'c', NULL, $$a column of the customer's key$$),
	('column', 'last_purchase', 'c.last_purchase', 'day of the last purchase'),
	('column', 'frequency', 'c.frequency', 'number of purchases'),
	('column', 'monetary', 'c.monetary::numeric(24,2)', 'net of all that was spent'),
	('column', 'p_alive', 'c.p_alive', 'probability that the customer is still one'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'clv', 'c.clv', 'value expected as things are'),
	('column', 'value_if_active', 'l.value_if_active', 'what clv were if the customer had not left'),
	('column', 'value_at_risk', 'l.value_at_risk', 'the difference: what is lost if they have'),
	('column', 'customer_key', '{1}', 'the key as text')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_winback() IS
	'the list of customers to win back: its table, what fills it and its view. A part of pipelines';
-- ---- next_best: for which customers one more purchase gains most ------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_next_best() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 12
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'next_best', $sql$
		CREATE TABLE {data}.next_best (
			run int8,
			rank int4,
			{1},
			PRIMARY KEY (run, rank)
		)
	$sql$, NULL),

	-- {1}: the customers c
	('rows', 'next_best', $sql$
		WITH best AS (
			SELECT {c.key}, c.next_purchase_value
			FROM {1} c
			WHERE c.next_purchase_value > 0
			ORDER BY c.next_purchase_value DESC, {c.key}
			LIMIT ($1).list_size
		)
		SELECT
			($2).run AS run,
			row_number() OVER (ORDER BY c.next_purchase_value DESC, {c.key}) AS rank,
			{c.key}
		FROM best c
	$sql$, NULL),

	('view', 'next_best', $sql$
		FROM {data}.next_best l
		JOIN {data}.customer c ON {c=l} AND c.run = {shown}
		WHERE l.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Customers for whom one more purchase goes along with the largest gain in value. An association, '
		'not the effect of a campaign. Key: rank'),
	('column', 'rank', 'l.rank', '1 for the largest gain'),
	('key', 'c', NULL, $$a column of the customer's key$$),
	('column', 'last_purchase', 'c.last_purchase', 'day of the last purchase'),
	('column', 'frequency', 'c.frequency', 'number of purchases'),
	('column', 'p_alive', 'c.p_alive', 'probability that the customer is still one'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'clv', 'c.clv', 'value expected as things are'),
	('column', 'next_purchase_value', 'c.next_purchase_value', 'P(alive) times what a purchase today would add to clv'),
	('column', 'customer_key', '{1}', 'the key as text')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_next_best() IS
	'the list of the largest gains from one more purchase: its table, what fills it and its view. A part of pipelines';
-- ---- alerts: customers to write to before they lapse ------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_alerts() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 18
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'alert', $sql$
		CREATE TABLE {data}.alert (
			run int8,
			rank int4,
			{1},
			reason_code varchar(20),
			reason varchar(500),
			PRIMARY KEY (run, rank)
		)
	$sql$, NULL),

	-- A customer without money in their model is ranked by purchases. {1}: the customers c, {2}: the join of the
	-- history h of w
	('rows', 'alert', $sql$
		WITH worst AS (
			SELECT {c.key}, c.group_name, coalesce(clv_internal.clv_double(c.clv), c.expected_purchases) AS value
			FROM {1} c
			WHERE c.lapse_date > ($2).as_of AND c.lapse_date <= ($2).as_of + 30
			ORDER BY value DESC, {c.key}
			LIMIT ($1).list_size
		)
		SELECT
			($2).run AS run,
			row_number() OVER (ORDER BY w.value DESC, {w.key}) AS rank,
			{w.key},
			e.code AS reason_code,
			e.reason
		FROM worst w
		{2}
		CROSS JOIN LATERAL @extschema@.clv_explain({model}, h.history, ($2).as_of, NULL::float8[]) e
	$sql$, NULL),

	('view', 'alerts', $sql$
		FROM {data}.alert l
		JOIN {data}.customer c ON {c=l} AND c.run = {shown}
		WHERE l.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Customers whose P(alive) falls below one half within the next 30 days unless they buy, the most valuable '
		'first: act before the lapse date. Key: rank'),
	('column', 'rank', 'l.rank', '1 for the most valuable'),
	('key', 'c', NULL, $$a column of the customer's key$$),
	('column', 'lapse_date', 'c.lapse_date', 'day on which P(alive) falls below one half if no purchase comes'),
	('column', 'last_purchase', 'c.last_purchase', 'day of the last purchase'),
	('column', 'frequency', 'c.frequency', 'number of purchases'),
	('column', 'monetary', 'c.monetary::numeric(24,2)', 'net of all that was spent'),
	('column', 'p_alive', 'c.p_alive', 'probability that the customer is still one'),
	('column', 'active_30d', 'c.active_30d', 'probability of a purchase in the next 30 days'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'clv', 'c.clv', 'value expected as things are'),
	('column', 'reason_code', 'l.reason_code', 'why, in a word: active, late, slower and so on'),
	('column', 'reason', 'l.reason', 'why, in a sentence with numbers'),
	('column', 'group_name', 'c.group_name', 'group of the customer; NULL without group_by'),
	('column', 'customer_key', '{1}', 'the key as text')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_alerts() IS
	'the list of customers who lapse within 30 days: its table, what fills it and its view. A part of pipelines';
-- ---- conversations: customers to talk to ------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_conversations() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 23
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'conversation', $sql$
		CREATE TABLE {data}.conversation (
			run int8,
			number int4,
			{1},
			proposed_on date NOT NULL,
			chosen_by varchar(20) NOT NULL,
			reason_code varchar(20),
			reason varchar(500),
			PRIMARY KEY (run, number)
		)
	$sql$, 'the customers who were proposed for a conversation in the last year'),

	-- Of many customers another part each day. Within each segment and satisfaction two by value and one by chance,
	-- which is drawn from the key and the day: the same customers on the same day. {1}: the customers c, {2}: which
	-- of them are in the part of the day, {3}: the join of the history h of w
	('rows', 'conversation', $sql$
		WITH part AS (
			SELECT
				{c.key},
				c.segment,
				c.group_name,
				coalesce(c.satisfaction, '') AS satisfaction,
				coalesce(clv_internal.clv_double(c.clv), c.expected_purchases) AS value,
				hashint8extended({c.hash}, (($2).as_of - date '2000-01-01')::int8) AS chance
			FROM {1} c
			WHERE {2}
		),
		fresh AS (
			SELECT p.*
			FROM part p
			WHERE NOT EXISTS (
				SELECT
				FROM {data}.conversation t
				JOIN {data}.run r ON r.run = t.run AND r.published_at IS NOT NULL
				WHERE {t=p} AND t.proposed_on <> ($2).as_of AND abs(t.proposed_on - ($2).as_of) < 365
			)
		),
		valued AS (
			SELECT
				f.*,
				row_number() OVER (PARTITION BY f.segment, f.satisfaction
					ORDER BY f.value DESC NULLS LAST, f.chance, {f.key}) AS by_value
			FROM fresh f
		),
		drawn AS (
			SELECT
				v.*,
				row_number() OVER (PARTITION BY v.segment, v.satisfaction, v.by_value <= 2
					ORDER BY v.chance, {v.key}) AS by_chance
			FROM valued v
		),
		chosen AS (
			SELECT
				d.*,
				row_number() OVER (ORDER BY d.segment, d.satisfaction, d.by_value > 2, d.by_value, {d.key}) AS number
			FROM drawn d
			WHERE d.by_value <= 2 OR d.by_chance = 1
		)
		SELECT
			($2).run AS run,
			w.number,
			{w.key},
			($2).as_of AS proposed_on,
			CASE WHEN w.by_value <= 2 THEN 'value' ELSE 'chance' END AS chosen_by,
			e.code AS reason_code,
			e.reason
		FROM chosen w
		{3}
		CROSS JOIN LATERAL @extschema@.clv_explain({model}, h.history, ($2).as_of, NULL::float8[]) e
	$sql$, NULL),

	('view', 'conversations', $sql$
		FROM {data}.conversation l
		JOIN {data}.customer c ON {c=l} AND c.run = {shown}
		WHERE l.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Whom to talk to: of every segment and satisfaction two customers by value and one by chance, the same on the '
		'same day, nobody twice within a year, with what to know before the call. Key: number'),
	('column', 'number', 'l.number', 'number in the list, by segment and satisfaction'),
	('key', 'c', NULL, $$a column of the customer's key$$),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'satisfaction', 'c.satisfaction', 'promoter, passive, detractor or unknown; NULL without ratings'),
	('column', 'chosen_by', 'l.chosen_by', 'value, or chance'),
	('column', 'proposed_on', 'l.proposed_on', 'day as of which they were proposed'),
	('column', 'rating', 'c.rating', 'latest rating, 0 to 10; NULL where there is none'),
	('column', 'first_purchase', 'c.first_purchase', 'day of the first purchase'),
	('column', 'last_purchase', 'c.last_purchase', 'day of the last purchase'),
	('column', 'frequency', 'c.frequency', 'number of purchases'),
	('column', 'monetary', 'c.monetary::numeric(24,2)', 'net of all that was spent'),
	('column', 'mean_spend', 'c.mean_spend', 'mean value of a purchase'),
	('column', 'p_alive', 'c.p_alive', 'probability that the customer is still one'),
	('column', 'clv', 'c.clv', 'value expected as things are'),
	('column', 'next_purchase', 'c.next_purchase', 'day by which they have bought again with probability one half'),
	('column', 'reason_code', 'l.reason_code', 'what stands out, in a word: new, late, slower and so on'),
	('column', 'reason', 'l.reason', 'what stands out, in a sentence with numbers'),
	('column', 'group_name', 'c.group_name', 'group of the customer; NULL without group_by'),
	('column', 'customer_key', '{1}', 'the key as text')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_conversations() IS
	'the customers to talk to: their table, what fills it and its view. A part of pipelines';
-- ---- check: what is wrong with the source -----------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_check() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 9
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'finding', $sql$
		CREATE TABLE {data}.finding (
			run int8,
			number int4,
			severity varchar(20) NOT NULL,
			finding varchar(100) NOT NULL,
			rows int8,
			customers int8,
			advice varchar(1000),
			share float8 NOT NULL,
			checked_at timestamptz NOT NULL,
			PRIMARY KEY (run, number)
		)
	$sql$, NULL),

	('view', 'check', $sql$
		FROM {data}.finding c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'What the last full refresh found in the source before anything was computed from it, the severest first; one '
		'row, ok, where it found nothing. Of many customers a sample is read. Key: number'),
	('column', 'number', 'c.number', 'order of the findings'),
	('column', 'severity', 'c.severity', 'error, warning, notice or ok'),
	('column', 'finding', 'c.finding', 'what was found'),
	('column', 'rows', 'c.rows', 'rows it concerns, of the customers read; NULL where it is of no number of them'),
	('column', 'customers', 'c.customers',
		'customers it concerns, of those read; NULL where it is of no number of them'),
	('column', 'advice', 'c.advice', 'what to do about it'),
	('column', 'share', 'c.share', 'share of the customers that was read; rows without a customer are all read'),
	('column', 'checked_at', 'c.checked_at', 'when the source was read for it')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_check() IS
	'the findings in the source of a pipeline: their table and their view. A part of pipelines';
-- ---- satisfaction: net promoter scores --------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_satisfaction() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 14
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'satisfaction', $sql$
		CREATE TABLE {data}.satisfaction (
			run int8,
			segment varchar(200),
			customers int8,
			responses int8,
			promoters int8,
			passives int8,
			detractors int8,
			nps float8,
			margin_of_error float8,
			nps_low float8,
			nps_high float8,
			clv numeric(24,2),
			PRIMARY KEY (run, segment)
		)
	$sql$, NULL),

	('sums', 'satisfaction', $sql$
		SELECT
			q.segment,
			q.customers,
			(q.n).responses,
			(q.n).promoters,
			(q.n).passives,
			(q.n).detractors,
			(q.n).nps,
			(q.n).margin_of_error,
			(q.n).low AS nps_low,
			(q.n).high AS nps_high,
			q.clv
		FROM (
			SELECT
				c.segment,
				count(*) AS customers,
				@extschema@.clv_nps(c.rating::float8) AS n,
				sum(c.clv) AS clv
			FROM {customers} c
			GROUP BY c.segment
			UNION ALL
			SELECT
				'(all)',
				count(*),
				@extschema@.clv_nps(c.rating::float8),
				sum(c.clv)
			FROM {customers} c
		) q
	$sql$, NULL),

	('view', 'satisfaction', $sql$
		FROM {data}.satisfaction c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Net promoter score by segment, and of all in the row (all); empty without ratings. Key: segment'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map; (all) for the base$$),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'responses', 'c.responses', 'how many of them have rated'),
	('column', 'promoters', 'c.promoters', 'ratings of 9 and 10'),
	('column', 'passives', 'c.passives', 'ratings of 7 and 8'),
	('column', 'detractors', 'c.detractors', 'ratings of 0 to 6'),
	('column', 'nps', 'c.nps', 'net promoter score, -100 to 100'),
	('column', 'margin_of_error', 'c.margin_of_error', 'half the width of its 95 % interval'),
	('column', 'nps_low', 'c.nps_low', 'lower end of that interval'),
	('column', 'nps_high', 'c.nps_high', 'upper end of that interval'),
	('column', 'clv', 'c.clv', $$sum of the customers' clv$$)
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_satisfaction() IS
	'the table of the net promoter scores, what fills it and its view. A part of pipelines';
-- ---- value_segments: value against satisfaction -----------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_value_segments() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 9
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'value_satisfaction', $sql$
		CREATE TABLE {data}.value_satisfaction (
			run int8,
			value_segment varchar(200),
			satisfaction varchar(20),
			customers int8,
			past_revenue numeric(24,2),
			clv numeric(24,2),
			description varchar(400),
			PRIMARY KEY (run, value_segment, satisfaction)
		)
	$sql$, NULL),

	('sums', 'value_satisfaction', $sql$
		SELECT
			q.*,
			(
				SELECT left(min(p.description), 400)
				FROM @extschema@.clv_segment_map p
				WHERE p.map = 'value x satisfaction' AND p.segment = q.value_segment
			) AS description
		FROM (
			SELECT
				coalesce(c.value_segment, '(none)') AS value_segment,
				c.satisfaction,
				count(*) AS customers,
				round(sum(c.monetary), 2) AS past_revenue,
				sum(c.clv) AS clv
			FROM {customers} c
			GROUP BY c.value_segment, c.satisfaction
		) q
	$sql$, NULL),

	('view', 'value_segments', $sql$
		FROM {data}.value_satisfaction c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Value against satisfaction: which customers we must not lose, and which are unhappy; empty without '
		'ratings. Key: value_segment, satisfaction'),
	('column', 'value_segment', 'c.value_segment', 'segment of the map "value x satisfaction"'),
	('column', 'satisfaction', 'c.satisfaction', 'promoter, passive, detractor or unknown'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all they have spent'),
	('column', 'clv', 'c.clv', 'sum of their clv'),
	('column', 'description', 'c.description', 'what the segment means')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_value_segments() IS
	'the table of value against satisfaction, what fills it and its view. A part of pipelines';
-- ---- profile: attributes by segment -----------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_profile() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 13
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'profile', $sql$
		CREATE TABLE {data}.profile (
			run int8,
			attribute varchar(63),
			value varchar(200),
			segment varchar(200),
			customers int8,
			segment_customers int8,
			value_customers int8,
			base_customers int8,
			PRIMARY KEY (run, attribute, value, segment)
		)
	$sql$, NULL),

	-- {1}: an attribute, {2}: the relation that has it
	('sums', 'profile', $sql$
		WITH counted AS MATERIALIZED (
			SELECT c.segment, coalesce(left(a.{1:I}::text, 200), '(none)') AS value, count(*) AS n
			FROM {customers} c
			LEFT JOIN {2} a ON {a=c}
			GROUP BY 1, 2
		),
		frequent AS (
			SELECT v.value
			FROM counted v
			GROUP BY v.value
			ORDER BY sum(v.n) DESC, v.value
			LIMIT 50
		),
		named AS (
			SELECT v.segment, coalesce(f.value, '(other)') AS value, sum(v.n) AS n
			FROM counted v
			LEFT JOIN frequent f USING (value)
			GROUP BY 1, 2
		),
		of_segment AS (
			SELECT segment, sum(n) AS n
			FROM named
			GROUP BY segment
		),
		of_value AS (
			SELECT value, sum(n) AS n
			FROM named
			GROUP BY value
		)
		SELECT
			{1:L} AS attribute,
			v.value,
			s.segment,
			coalesce(n.n, 0) AS customers,
			s.n AS segment_customers,
			v.n AS value_customers,
			(SELECT sum(n) FROM of_segment) AS base_customers
		FROM of_segment s
		CROSS JOIN of_value v
		LEFT JOIN named n USING (segment, value)
	$sql$, NULL),

	('view', 'profile', $sql$
		FROM {data}.profile c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Which values of customer attributes are over-represented in which segment; empty without '
		'attributes. Key: attribute, value, segment'),
	('column', 'attribute', 'c.attribute', 'attribute of the customers'),
	('column', 'value', 'c.value', 'its value; (none) where unknown, (other) for all but the fifty most frequent'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'customers', 'c.customers', 'customers of the segment with that value'),
	('column', 'segment_share', 'c.customers::float8 / nullif(c.segment_customers, 0)',
		'share of the segment that has the value'),
	('column', 'base_share', 'c.value_customers::float8 / nullif(c.base_customers, 0)',
		'share of all customers who have the value'),
	('column', 'lift', $sql$
		(c.customers::float8 * c.base_customers)
			/ nullif(c.segment_customers::float8 * c.value_customers, 0)
	$sql$, 'segment_share / base_share: above 1 the value is over-represented'),
	('column', 'z_score', $sql$
		clv_internal.clv_pipeline_z_score(
			c.customers, c.segment_customers, c.value_customers, c.base_customers)
	$sql$, 'how many standard deviations the count lies from what chance would make it (hypergeometric)'),
	('column', 'significant', $sql$
		clv_internal.clv_pipeline_chance(c.customers, c.segment_customers, c.value_customers, c.base_customers)
			< 0.001
	$sql$, 'whether chance would do so less than once in a thousand cases, by Fisher''s exact test; where many values '
		'are compared, some will')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_profile() IS
	'the table of the attributes by segment, what fills it and its view. A part of pipelines';
-- ---- new_customer: what a customer to be acquired is worth ------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_new_customer() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 8
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'new_customer', $sql$
		CREATE TABLE {data}.new_customer (
			run int8,
			expected_purchases float8,
			first_purchase_value numeric(24,2),
			repeat_value numeric(24,2),
			max_acquisition_cost numeric(24,2),
			group_name varchar(200) DEFAULT '',
			PRIMARY KEY (run, group_name)
		)
	$sql$, NULL),

	-- in cents that add up; of each model that has no row yet
	('rows', 'new_customer', $sql$
		SELECT
			q.run,
			clv_internal.clv_finite(n.expected_purchases) AS expected_purchases,
			m.first AS first_purchase_value,
			m.repeat AS repeat_value,
			m.first + m.repeat AS max_acquisition_cost,
			q.group_name
		FROM {data}.model q
		CROSS JOIN LATERAL @extschema@.clv_new_customer(
			clv_internal.clv_pipeline_ahead(q.model, ($2).calendar), ($1).horizon, ($1).discount_rate, ($1).margin,
			NULL::float8[], NULL::date) n
		CROSS JOIN LATERAL (
			SELECT
				clv_internal.clv_cents(n.first_purchase_value) AS first,
				clv_internal.clv_cents(n.repeat_value) AS repeat
		) m
		WHERE q.run = ($2).model_run
		  AND NOT EXISTS (
			SELECT
			FROM {data}.new_customer b
			WHERE b.run = q.run AND b.group_name = q.group_name
		  )
	$sql$, NULL),

	('view', 'new_customer', $sql$
		FROM {data}.new_customer c
		WHERE c.run = (SELECT s.model_run FROM {data}.run s
		JOIN {data}.state t USING (run)) AND c.group_name = ''
	$sql$,
		'What a customer yet to be acquired is worth, and what an acquisition may cost, in one row'),
	('column', 'expected_purchases', 'c.expected_purchases',
		'expected repeat purchases in the horizon after the first'),
	('column', 'first_purchase_value', 'c.first_purchase_value', 'margin of the first purchase'),
	('column', 'repeat_value', 'c.repeat_value', 'discounted margin of the repeat purchases'),
	('column', 'max_acquisition_cost', 'c.max_acquisition_cost',
		'their sum: an acquisition that costs more does not pay within the horizon')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_new_customer() IS
	'the table of what a new customer is worth, what fills it and its view. A part of pipelines';
-- ---- calibration: the hold-out by repeat purchases --------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_calibration() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 16
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'calibration', $sql$
		CREATE TABLE {data}.calibration (
			run int8,
			repeat_purchases int4,
			customers int8,
			predicted_mean float8,
			actual_mean float8,
			predicted_purchases float8,
			actual_purchases int8,
			predicted_alive float8,
			predicted_buyers float8,
			actual_buyers float8,
			holdout_start date,
			holdout_end date,
			converged bool,
			PRIMARY KEY (run, repeat_purchases)
		)
	$sql$, NULL),

	-- {1}: the relation of histories, {2}: the model of them, fitted up to the hold-out; {3}, {4}: its limits;
	-- {5}: its length; {6}: whether the fit converged
	('sums', 'calibration', $sql$
		SELECT
			c.*,
			{3:L}::date AS holdout_start,
			{4:L}::date AS holdout_end,
			{6:L}::bool AS converged
		FROM @extschema@.clv_backtest_calibration({1:L}::text, 'history'::text, {3:L}::date, {5:L}::interval,
			NULL::jsonb, {2:L}::@extschema@.clv_model, NULL::text, 7) c
	$sql$, NULL),

	('view', 'calibration', $sql$
		FROM {data}.calibration c
		WHERE c.run = (SELECT s.model_run FROM {data}.run s
		JOIN {data}.state t USING (run))
	$sql$,
		'Hold-out: purchases predicted from before it against those made in it, by the number of repeat '
		'purchases until then. Key: repeat_purchases'),
	('column', 'repeat_purchases', 'c.repeat_purchases',
		'repeat purchases before the hold-out; the last class: so many and more'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'predicted_mean', 'c.predicted_mean', 'predicted purchases per customer'),
	('column', 'actual_mean', 'c.actual_mean', 'purchases made per customer'),
	('column', 'predicted_purchases', 'c.predicted_purchases', 'predicted purchases'),
	('column', 'actual_purchases', 'c.actual_purchases', 'purchases made'),
	('column', 'predicted_alive', 'c.predicted_alive', 'mean P(alive) at the start'),
	('column', 'predicted_buyers', 'c.predicted_buyers', 'share predicted to buy at all'),
	('column', 'actual_buyers', 'c.actual_buyers', 'share that did'),
	('column', 'holdout_start', 'c.holdout_start', 'the hold-out begins after this day'),
	('column', 'holdout_end', 'c.holdout_end', 'last day of the hold-out'),
	('column', 'converged', 'c.converged', 'whether the fit before the hold-out converged: else it says little')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_calibration() IS
	'the table of the hold-out by repeat purchases, what fills it and its view. A part of pipelines';
-- ---- lift: the hold-out by predicted tenths ---------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_lift() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 15
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'lift', $sql$
		CREATE TABLE {data}.lift (
			run int8,
			decile int4,
			customers float8,
			predicted_purchases float8,
			actual_purchases float8,
			lift float8,
			cumulative_share float8,
			predicted_revenue numeric(24,2),
			actual_revenue numeric(24,2),
			holdout_start date,
			holdout_end date,
			converged bool,
			PRIMARY KEY (run, decile)
		)
	$sql$, NULL),

	-- {1}: the relation of histories, {2}: the model of them, fitted up to the hold-out; {3}, {4}: its limits;
	-- {5}: its length; {6}: whether the fit converged
	('sums', 'lift', $sql$
		SELECT
			c.*,
			{3:L}::date AS holdout_start,
			{4:L}::date AS holdout_end,
			{6:L}::bool AS converged
		FROM @extschema@.clv_backtest_deciles({1:L}::text, 'history'::text, {3:L}::date, {5:L}::interval, NULL::jsonb,
			{2:L}::@extschema@.clv_model, NULL::text) c
	$sql$, NULL),

	('view', 'lift', $sql$
		FROM {data}.lift c
		WHERE c.run = (SELECT s.model_run FROM {data}.run s
		JOIN {data}.state t USING (run))
	$sql$,
		'Hold-out by tenths of the customers, those with the highest predictions first. Key: decile'),
	('column', 'decile', 'c.decile', 'tenth of the customers, 1 with the highest predictions'),
	('column', 'customers', 'c.customers', 'customers, equal predictions shared out between tenths'),
	('column', 'predicted_purchases', 'c.predicted_purchases', 'predicted purchases'),
	('column', 'actual_purchases', 'c.actual_purchases', 'purchases made'),
	('column', 'lift', 'c.lift', 'purchases made per customer, over the mean of all'),
	('column', 'cumulative_share', 'c.cumulative_share', 'share of all purchases made up to this tenth'),
	('column', 'predicted_revenue', 'c.predicted_revenue', 'predicted revenue'),
	('column', 'actual_revenue', 'c.actual_revenue', 'revenue made'),
	('column', 'holdout_start', 'c.holdout_start', 'the hold-out begins after this day'),
	('column', 'holdout_end', 'c.holdout_end', 'last day of the hold-out'),
	('column', 'converged', 'c.converged', 'whether the fit before the hold-out converged: else it says little')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_lift() IS
	'the table of the hold-out by predicted tenths, what fills it and its view. A part of pipelines';
-- ---- tracking: weeks, expected and made -------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_tracking() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 13
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'tracking', $sql$
		CREATE TABLE {data}.tracking (
			run int8,
			number int4,
			starts_after date,
			ends_on date,
			held_out bool,
			customers int8,
			expected float8,
			actual int8,
			expected_cumulative float8,
			actual_cumulative int8,
			PRIMARY KEY (run, number)
		)
	$sql$, NULL),

	-- {1}: the relation of histories, {2}: the model of them, fitted up to the hold-out
	('sums', 'tracking', $sql$
		SELECT *
		FROM @extschema@.clv_tracking({1:L}::text, 'history'::text, {2:L}::@extschema@.clv_model, '1 week'::interval,
			NULL::date, ($2).as_of, NULL::date, NULL::text)
	$sql$, NULL),

	('view', 'tracking', $sql$
		FROM {data}.tracking c
		WHERE c.run = (SELECT s.model_run FROM {data}.run s
		JOIN {data}.state t USING (run))
	$sql$,
		'Repeat purchases week by week, expected by the model fitted before the hold-out and made. Key: period_number'),
	('column', 'period_number', 'c.number', '1 for the first week'),
	('column', 'starts_after', 'c.starts_after', 'the week begins after this day'),
	('column', 'ends_on', 'c.ends_on', 'last day of the week'),
	('column', 'held_out', 'c.held_out', 'whether the model has not seen the week'),
	('column', 'customers', 'c.customers', 'customers at its end'),
	('column', 'expected', 'c.expected', 'repeat purchases expected in the week'),
	('column', 'actual', 'c.actual', 'repeat purchases made'),
	('column', 'expected_cumulative', 'c.expected_cumulative', 'expected up to its end'),
	('column', 'actual_cumulative', 'c.actual_cumulative', 'made up to its end')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_tracking() IS
	'the table of the weeks, expected and made, what fills it and its view. A part of pipelines';
-- ---- the tables and views of a pipeline -------------------------------------------------------------------
--
-- A file in views/ holds what belongs to one table, as parts in this order:
--   table          the table: its name, the statement that makes it, its comment
--   setup          a further statement for the table of that name
--   counted, kept  what is added up for the table of that name, see clv_pipeline_added_up()
--   sums, rows, exact   the query that fills the table of that name, see clv_pipeline_fill()
--   view           a view: its name, what it reads, its comment
--   column         a column of the view: its name, expression and comment
--   key, columns   the columns of the customer's key; all columns of the view of that name
--
-- In the statement of a table {1} declares the columns of the customer's key; in a column's expression {1} is the key
-- as text, {2} the sentence about the customer. A query has the pipeline's definition as $1 and what is known of the
-- run as $2.
--
-- Columns have types that every driver knows: numbers, money as numeric(24,2), varchar, dates, times, booleans;
-- never an array, composite or interval, and never NaN, infinity or an infinite date, which clv_finite() keeps out.

CREATE FUNCTION clv_internal.clv_pipeline_parts() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 ROWS 450
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_work();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_runs();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_models();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_customers();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_segments();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_migration();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_groups();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_equity();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_cohorts();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_cohort_retention();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_forecast();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_concentration();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_winback();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_next_best();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_alerts();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_conversations();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_check();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_satisfaction();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_value_segments();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_profile();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_new_customer();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_calibration();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_lift();
	RETURN QUERY SELECT * FROM clv_internal.clv_pipeline_view_tracking();
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_parts() IS
	'the parts of the tables and views of a pipeline, in their order. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_views()
RETURNS TABLE (name pg_catalog.text, source pg_catalog.text, comment pg_catalog.text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 ROWS 25
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT p.name, p.statement, p.comment
	FROM clv_internal.clv_pipeline_parts() WITH ORDINALITY AS p
	WHERE p.kind = 'view'
	ORDER BY p.ordinality
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_views() IS
	'the views of a pipeline: what they read and what they show. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_key_text(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, 'clv_internal.clv_pipeline_key({1})::varchar(255)'::text, ARRAY[string_agg(
		clv_internal.clv_pipeline_sql(d, CASE
			WHEN cardinality((d).customer) = 1 THEN 'c.{1:I}::text'
			ELSE 'clv_internal.clv_pipeline_key_part(c.{1:I}::text)'
		END, ARRAY[u.name]), $sql$ || '/' || $sql$ ORDER BY u.number)])
	FROM unnest((d).customer) WITH ORDINALITY AS u (name, number)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_key_text(clv_internal.clv_pipeline_definition) IS
	'the key of a customer c as one text, as an expression. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_reason(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	-- for the few customers who are looked at; of all of them it would take a quarter of a refresh. What is the same
	-- for all is looked up by itself, once, so that workers of Citus can do the rest.
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		(@extschema@.clv_explain(
			CASE
				WHEN c.group_name IS NULL THEN (
					SELECT clv_internal.clv_pipeline_ahead(m.model, r.calendar)
					FROM {data}.state s
					JOIN {data}.run r USING (run)
					JOIN {data}.model m ON m.run = r.model_run AND m.group_name = ''
				)
				ELSE (
					SELECT clv_internal.clv_pipeline_ahead(m.model, r.calendar)
					FROM {data}.state s
					JOIN {data}.run r USING (run)
					JOIN {data}.model m ON m.run = r.model_run AND m.group_name = c.group_name
				)
			END,
			c.history,
			(SELECT r.as_of FROM {data}.state s JOIN {data}.run r USING (run)),
			NULL::float8[])).reason::varchar(500)
	$sql$::text)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_reason(clv_internal.clv_pipeline_definition) IS
	'the sentence about a customer c of the view of the current run, as an expression that makes it when it is read. A '
	'part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_columns(d clv_internal.clv_pipeline_definition)
RETURNS TABLE (
	view pg_catalog.text, number pg_catalog.int8, name pg_catalog.text, statement pg_catalog.text,
	comment pg_catalog.text, of_key pg_catalog.bool)
LANGUAGE sql STABLE PARALLEL SAFE COST 10000 ROWS 300
SET search_path = pg_catalog, pg_temp
AS $$
	WITH part AS (
		-- a column belongs to the last view before it
		SELECT p.*, max(p.ordinality) FILTER (WHERE p.kind = 'view') OVER (ORDER BY p.ordinality) AS view_number
		FROM clv_internal.clv_pipeline_parts() WITH ORDINALITY AS p
	),
	field AS (
		SELECT v.name AS view, p.ordinality AS number, p.kind, p.name, p.statement, p.comment
		FROM part p
		JOIN part v ON v.ordinality = p.view_number
		WHERE p.kind IN ('column', 'key', 'columns')
	),
	listed AS (
		SELECT f.view, f.number, 0 AS number_there, f.kind, f.name, f.statement, f.comment
		FROM field f
		WHERE f.kind <> 'columns'
		UNION ALL
		SELECT f.view, f.number, g.number, g.kind, g.name, g.statement, g.comment
		FROM field f
		JOIN field g ON g.view = f.name
		WHERE f.kind = 'columns'
	)
	SELECT
		l.view,
		row_number() OVER (ORDER BY l.number, l.number_there, k.number),
		coalesce(k.name, l.name),
		l.statement,
		l.comment,
		l.kind = 'key'
	FROM listed l
	LEFT JOIN LATERAL unnest((d).customer) WITH ORDINALITY AS k (name, number) ON l.kind = 'key'
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_columns(clv_internal.clv_pipeline_definition) IS
	'the columns of the views of a pipeline: their order, names, expressions, with place-holders (of the key NULL), '
	'and meaning. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_parts_hash() RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT md5(string_agg(concat_ws(E'\n', p.kind, p.name, p.statement, p.comment), E'\n' ORDER BY p.ordinality))
	FROM clv_internal.clv_pipeline_parts() WITH ORDINALITY AS p
	WHERE p.kind IN ('table', 'setup', 'view', 'column', 'key', 'columns')
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_parts_hash() IS
	'a hash of what makes the tables and views of a pipeline: with another one they are of another version. A part of '
	'pipelines';

-- ---- making them ------------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_create_table(
	d clv_internal.clv_pipeline_definition, name pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
	keys text := clv_internal.clv_pipeline_key_columns(d, ' NOT NULL'::text);
BEGIN
	FOR part IN
		SELECT *
		FROM clv_internal.clv_pipeline_parts() WITH ORDINALITY AS p
		WHERE p.kind IN ('table', 'setup') AND p.name = clv_pipeline_create_table.name
		ORDER BY p.ordinality
	LOOP
		EXECUTE clv_internal.clv_pipeline_sql(d, part.statement, ARRAY[keys]);
		IF part.comment IS NOT NULL THEN
			EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
				COMMENT ON TABLE {data}.{1:I} IS {2:L}
			$sql$::text, ARRAY[part.name, part.comment]);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_create_table(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'makes a table of a pipeline, with what belongs to it. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_create_tables(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM clv_internal.clv_pipeline_create_table(d, p.name)
	FROM clv_internal.clv_pipeline_parts() WITH ORDINALITY AS p
	WHERE p.kind = 'table'
	ORDER BY p.ordinality;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.pipeline VALUES ($1.*)
	$sql$::text) USING d;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state
		SET parts_hash = clv_internal.clv_pipeline_parts_hash()
	$sql$::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_create_tables(clv_internal.clv_pipeline_definition) IS
	'makes the tables of a pipeline. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_create_views(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- what the expressions of columns are filled with: {1}, {2}, and from {3} on the columns of the key
	words text[] := ARRAY[clv_internal.clv_pipeline_key_text(d), clv_internal.clv_pipeline_reason(d)] || d.customer;
	view record;
	field record;
BEGIN
	FOR view IN
		SELECT v.name, v.source, v.comment, l.list
		FROM clv_internal.clv_pipeline_views() v
		JOIN (
			SELECT
				c.view,
				string_agg(CASE
					WHEN c.of_key THEN format('c.{%1$s:I} AS {%1$s:I}', 2 + array_position((d).customer, c.name))
					ELSE format('%s AS %I', c.statement, c.name)
				END, E',\n\t' ORDER BY o.number, c.number) AS list
			FROM clv_internal.clv_pipeline_columns(d) c
			-- a view that is there keeps the order of its columns
			LEFT JOIN (
				SELECT r.relname AS view, a.attname AS name, a.attnum AS number
				FROM pg_namespace n
				JOIN pg_class r ON r.relnamespace = n.oid
				JOIN pg_attribute a ON a.attrelid = r.oid
				WHERE n.nspname = (d).name
			) o ON o.view = c.view AND o.name = c.name
			GROUP BY c.view
		) l ON l.view = v.name
	LOOP
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			CREATE OR REPLACE VIEW {views}.{1:I} AS
			SELECT {2}
			{3}
		$sql$::text, ARRAY[view.name, clv_internal.clv_pipeline_sql(d, view.list, words),
			clv_internal.clv_pipeline_sql(d, view.source)]);
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			COMMENT ON VIEW {views}.{1:I} IS {2:L}
		$sql$::text, ARRAY[view.name, view.comment]);
	END LOOP;
	FOR field IN SELECT c.view, c.name, c.comment FROM clv_internal.clv_pipeline_columns(d) c LOOP
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			COMMENT ON COLUMN {views}.{1:I}.{2:I} IS {3:L}
		$sql$::text, ARRAY[field.view, field.name, field.comment]);
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_create_views(clv_internal.clv_pipeline_definition) IS
	'makes the views of a pipeline, with their comments; columns that are new go behind those that are there. A part '
	'of pipelines';
-- ---- pipelines that an older version has made: their next refresh adds what is new ----------------------------
--
-- What a new version may do to the tables and views of pipelines: a further table, view, column; a further column in
-- the key of a small table. A new column of a table has a default or may be NULL. A column never changes its type or
-- its name, and is never taken away.

CREATE FUNCTION clv_internal.clv_pipeline_new_columns(d clv_internal.clv_pipeline_definition, name pg_catalog.text)
RETURNS SETOF pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old regclass := to_regclass(clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text, ARRAY[name]));
	new regclass;
	statement text;
BEGIN
	-- the table as it would be made today, to compare with; no longer than this statement
	SELECT regexp_replace(p.statement, E'(CREATE TABLE \\S+)', E'\\1_new') INTO STRICT statement
	FROM clv_internal.clv_pipeline_parts() p
	WHERE p.kind = 'table' AND p.name = clv_pipeline_new_columns.name;
	EXECUTE clv_internal.clv_pipeline_sql(d, statement,
		ARRAY[clv_internal.clv_pipeline_key_columns(d, ' NOT NULL'::text)]);
	new := clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text, ARRAY[name || '_new']);
	RETURN QUERY
		SELECT format('ADD COLUMN %I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
			' DEFAULT ' || pg_get_expr(f.adbin, f.adrelid), CASE WHEN a.attnotnull THEN ' NOT NULL' END)
		FROM pg_attribute a
		LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
		WHERE a.attrelid = new
		  AND a.attnum > 0 AND NOT a.attisdropped
		  AND NOT EXISTS (
			SELECT FROM pg_attribute b WHERE b.attrelid = old AND b.attname = a.attname AND NOT b.attisdropped)
		ORDER BY a.attnum;
	-- a key that has a further column
	RETURN QUERY
		SELECT format('DROP CONSTRAINT %I, ADD CONSTRAINT %1$I %s', k.conname, pg_get_constraintdef(n.oid))
		FROM pg_constraint k
		JOIN pg_constraint n ON n.contype = 'p' AND n.conrelid = new
		WHERE k.conrelid = old AND k.contype = 'p' AND pg_get_constraintdef(k.oid) <> pg_get_constraintdef(n.oid);
	EXECUTE format('DROP TABLE %s', new);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_new_columns(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'the columns that a table of a pipeline lacks, and its key where that has become longer, as actions of ALTER '
	'TABLE. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_upgrade(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- those who read must not wait behind one who waits
SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
AS $$
DECLARE
	found text;
	part record;
	actions text;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT to_jsonb(s) ->> $1 FROM {data}.state s'::text)
	INTO found USING 'parts_hash'::text;
	IF found = clv_internal.clv_pipeline_parts_hash() THEN
		RETURN;
	END IF;
	-- while it is made, others may read
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		CREATE INDEX IF NOT EXISTS customer_value ON {data}.customer (clv DESC, segment)
	$sql$::text);
	FOR part IN
		SELECT p.name, to_regclass(clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text, ARRAY[p.name])) AS relation
		FROM clv_internal.clv_pipeline_parts() WITH ORDINALITY AS p
		WHERE p.kind = 'table' AND p.name <> 'pipeline'
		ORDER BY p.ordinality
	LOOP
		IF part.relation IS NULL THEN
			PERFORM clv_internal.clv_pipeline_create_table(d, part.name);
			CONTINUE;
		END IF;
		SELECT string_agg(c, ', ') INTO actions FROM clv_internal.clv_pipeline_new_columns(d, part.name) c;
		IF actions IS NOT NULL THEN
			EXECUTE format('ALTER TABLE %s %s', part.relation, actions);
		END IF;
	END LOOP;
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DROP INDEX IF EXISTS {data}.customer_segment, {data}.customer_clv'::text);
	PERFORM clv_internal.clv_pipeline_create_views(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state SET parts_hash = clv_internal.clv_pipeline_parts_hash()
	$sql$::text);
	RAISE NOTICE 'the tables and views of pipeline "%" were brought up to the version of the extension', d.name;
EXCEPTION
	WHEN invalid_table_definition THEN
		PERFORM clv_internal.clv_raise(
			format('pipeline "%s" has a view that no version of the extension has made', d.name),
			upper(left(SQLERRM, 1)) || substr(SQLERRM, 2) || '.',
			'Drop that view: the next refresh makes it as it should be.'::text, 'invalid_table_definition'::text);
	WHEN lock_not_available THEN
		PERFORM clv_internal.clv_raise(
			format('pipeline "%s" is of an older version of the extension, and other sessions read it', d.name),
			'What is new in its tables and views takes a moment in which they cannot be read.'::text,
			'Refresh it again when long queries over its views have ended.'::text, 'lock_not_available'::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_upgrade(clv_internal.clv_pipeline_definition) IS
	'adds the tables, columns and views to a pipeline that the version which has made it did not know; nothing where '
	'there are none. An error where that would have to wait for more than two seconds. A part of pipelines';
-- ---- the steps of a refresh, what fills their tables, and those that add up customers ---------------------

CREATE FUNCTION clv_internal.clv_pipeline_steps() RETURNS pg_catalog.text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
RETURN ARRAY['histories', 'model', 'customers', 'segments', 'cohorts', 'forecast', 'concentration', 'lists',
	'satisfaction', 'profile', 'check', 'validation', 'publish', 'cleanup']::pg_catalog.text[];
COMMENT ON FUNCTION clv_internal.clv_pipeline_steps() IS
	'the steps of a refresh in their order: for each there is a function clv_pipeline_step_... A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_this(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS clv_internal.clv_pipeline_run
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this clv_internal.clv_pipeline_run;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT
			r.run, s.run AS previous, {shown} AS previous_customers,
			coalesce(r.customer_run, r.run) AS customer_run, r.as_of, r.generation, r.model_run,
			clv_internal.clv_pipeline_ahead(m.model, r.calendar) AS model, m.cuts, NULL::bool AS has_spend, r.calendar
		FROM {data}.run r
		JOIN {data}.model m ON m.run = r.model_run AND m.group_name = ''
		CROSS JOIN {data}.state s
		WHERE r.run = $1
	$sql$::text) INTO STRICT this USING run;
	this.has_spend := (SELECT m.spend_model IS NOT NULL FROM @extschema@.clv_diagnostics(this.model) m);
	RETURN this;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_this(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'a run with its day, generation, model and cuts (with groups: those of all customers together) and calendar, once '
	'the model is fitted. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fill(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, target pg_catalog.text, fillings pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- These statements read all customers. Joined by hashing they take as long as it takes to read them twice, whatever
-- statistics there are: the server has none of a partitioned table, and late ones of a partition.
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off
AS $$
DECLARE
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
	part clv_internal.clv_pipeline_part;
	query text;
	found jsonb;
	rows int8;
BEGIN
	SELECT * INTO STRICT part
	FROM clv_internal.clv_pipeline_parts() p
	WHERE p.name = target AND p.kind IN ('rows', 'exact', 'sums');
	query := clv_internal.clv_pipeline_sql(d, part.statement, fillings);
	IF part.kind = 'rows' THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.{1:I}
			{2}
		$sql$::text, ARRAY[target, query]) USING d, this;
	ELSE
		-- A query that only reads may run in parallel, an INSERT of its rows may not; what comes out of it is small,
		-- but where there are thousands of groups.
		IF d.group_by IS NULL THEN
			EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
				SELECT jsonb_agg(q)
				FROM (
					{1}
				) q
			$sql$::text, ARRAY[query]) INTO found USING d, this;
		END IF;
		-- The last digits of a sum of doubles depend on the order of its rows. Where it can be, sums are of whole
		-- billionths; else these digits go, so that the same customers make the same row. Exact sums have no such.
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.{1:I}
			SELECT p.*
			FROM {3} e
			CROSS JOIN LATERAL (
				SELECT jsonb_build_object('run', ($2).run) || jsonb_object_agg(k, CASE jsonb_typeof(v)
					WHEN {2:L} THEN to_jsonb(clv_internal.clv_pipeline_rounded(v::numeric))
					ELSE v
				END) AS o
				FROM jsonb_each(e) AS j (k, v)
			) q
			CROSS JOIN LATERAL jsonb_populate_record(NULL::{data}.{1:I}, q.o) p
		$sql$::text, ARRAY[
			target,
			CASE part.kind WHEN 'sums' THEN 'number' END,
			CASE WHEN d.group_by IS NULL THEN 'jsonb_array_elements($3::jsonb)'
				ELSE format('(%s) r CROSS JOIN LATERAL to_jsonb(r)', query)
			END]) USING d, this, found;
	END IF;
	GET DIAGNOSTICS rows = ROW_COUNT;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fill(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text, pg_catalog.text[]) IS
	'puts the rows of a run into a table of a pipeline: those of its query of kind "rows" as they come, those of a '
	'query of kind "exact" or "sums", which are few, by the names of their columns, the latter to nine digits; '
	'fillings stand for {1} and so on in the query. Returns the number of rows. A part of pipelines';
CREATE FUNCTION clv_internal.clv_pipeline_fill(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, target pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 1000000
RETURN clv_internal.clv_pipeline_fill(d, run, target, '{}'::pg_catalog.text[]);
COMMENT ON FUNCTION clv_internal.clv_pipeline_fill(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text) IS
	'the same for a query that has nothing to be filled in. A part of pipelines';

-- ---- steps: segments, cohorts, concentration, lists --------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_step_segments(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rows int8;
BEGIN
	PERFORM clv_internal.clv_pipeline_add_up(d, clv_internal.clv_pipeline_this(d, run));
	rows := clv_internal.clv_pipeline_fill(d, run, 'segment'::text)
		+ clv_internal.clv_pipeline_fill(d, run, 'migration'::text)
		+ clv_internal.clv_pipeline_fill_groups(d, run)
		+ clv_internal.clv_pipeline_fill(d, run, 'equity'::text);
	PERFORM clv_internal.clv_pipeline_widen_equity(d, run, 'equity'::text);
	PERFORM clv_internal.clv_pipeline_widen_equity(d, run, 'group_equity'::text);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_segments(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: what segments add up to, who moved between them, and what the base is worth. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_cohorts(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN clv_internal.clv_pipeline_fill(d, run, 'cohort'::text)
		+ clv_internal.clv_pipeline_fill(d, run, 'cohort_age'::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_cohorts(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: cohorts by the month of the first purchase, and what they did at which age. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_concentration(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
	sorted record;
BEGIN
	-- in one pass over the customers
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT
			clv_internal.clv_pipeline_hundredths(clv_internal.clv_double(c.monetary)) AS past,
			clv_internal.clv_pipeline_hundredths(clv_internal.clv_double(c.clv)) AS future,
			clv_internal.clv_pipeline_hundredths(c.expected_purchases) FILTER (WHERE NOT ($2).has_spend) AS purchases,
			clv_internal.clv_pipeline_at_rank(
				clv_internal.clv_pipeline_loss(c.clv, c.expected_purchases, c.p_alive),
				greatest(($1).list_size, 1)) AS least_loss,
			clv_internal.clv_pipeline_at_rank(clv_internal.clv_double(c.next_purchase_value),
				greatest(($1).list_size, 1)) AS least_gain
		FROM {customers} c
	$sql$::text) INTO sorted USING d, this;
	PERFORM clv_internal.clv_pipeline_fill(d, run, 'ranks'::text,
		ARRAY[CASE WHEN this.has_spend THEN sorted.future ELSE sorted.purchases END::text,
			sorted.least_loss::text, sorted.least_gain::text]);
	RETURN clv_internal.clv_pipeline_fill(d, run, 'concentration'::text,
		ARRAY[sorted.past::text, sorted.future::text]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_concentration(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: which share of the value the most valuable hundredths of the customers bring, behind them '
	'and before them. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_few_histories(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, CASE
		WHEN (d).group_by IS NOT NULL THEN $sql$
			CROSS JOIN LATERAL (
				SELECT i.history
				FROM {data}.history i
				WHERE i.generation = ($2).generation AND {i=w}
				OFFSET 0
			) h
			JOIN ({1}) m USING (group_name)
		$sql$
		WHEN clv_internal.clv_pipeline_sharded(d, 'history'::text)
		THEN 'JOIN {data}.history h ON h.generation = ($2).generation AND {h=w}'
		-- one by one: a join by hashing would read the histories of all
		ELSE $sql$
			CROSS JOIN LATERAL (
				SELECT i.history
				FROM {data}.history i
				WHERE i.generation = ($2).generation AND {i=w}
				OFFSET 0
			) h
		$sql$
	END, ARRAY[clv_internal.clv_pipeline_group_models(d)])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_few_histories(clv_internal.clv_pipeline_definition) IS
	'the join that brings the histories h of a few customers w, and the models of their groups. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_keep_listed(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, part pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	least record;
BEGIN
	-- no server sends customers to another, but for those of lists
	IF clv_internal.clv_pipeline_sharded(d, 'customer'::text) THEN
		RETURN clv_internal.clv_pipeline_sql(d, '{customers}'::text);
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT coalesce(k.least_loss, 0) AS loss, coalesce(k.least_gain, 0) AS gain
		FROM {data}.ranks k
		WHERE k.run = $1
	$sql$::text) INTO STRICT least USING run;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		CREATE TABLE {data}.listed AS
		SELECT {c.key}, c.segment, c.group_name, c.satisfaction, c.clv, c.expected_purchases, c.p_alive,
			c.next_purchase_value, c.lapse_date
		FROM {customers} c
		WHERE c.lapse_date > ($2).as_of AND c.lapse_date <= ($2).as_of + 30
		   OR clv_internal.clv_double(c.next_purchase_value) >= $4
		   OR clv_internal.clv_pipeline_loss(c.clv, c.expected_purchases, c.p_alive) >= $3
		   OR {1}
	$sql$::text, ARRAY[part]) USING d, clv_internal.clv_pipeline_this(d, run), least.loss, least.gain;
	RETURN clv_internal.clv_pipeline_sql(d, '{data}.listed'::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_keep_listed(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text) IS
	'puts the customers who may be in a list, or are in a part of them, into a table, which clv_pipeline_step_lists '
	'drops: so all customers are read once; its name, or where they are distributed, all of them. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_lists(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	customers int8;
	part text;
	listed text;
	histories text := clv_internal.clv_pipeline_few_histories(d);
	rows int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT r.customers FROM {data}.run r WHERE r.run = $1'::text)
	INTO customers USING run;
	-- of more customers another part each day is enough to choose from
	part := clv_internal.clv_pipeline_sql(d, $sql$
		({c.hash} % {1} + {1}) % {1} = (($2).as_of - date '0001-01-01') % {1}
	$sql$::text, ARRAY[(1 + customers / 50000)::text]);
	listed := clv_internal.clv_pipeline_keep_listed(d, run, part);
	rows := clv_internal.clv_pipeline_fill(d, run, 'winback'::text, ARRAY[listed])
		+ clv_internal.clv_pipeline_fill(d, run, 'next_best'::text, ARRAY[listed]);
	BEGIN
		rows := rows
			+ clv_internal.clv_pipeline_fill(d, run, 'alert'::text, ARRAY[listed, histories])
			+ clv_internal.clv_pipeline_fill(d, run, 'conversation'::text, ARRAY[listed, part, histories]);
	EXCEPTION
		-- a version of Citus may know no plan for them
		WHEN feature_not_supported THEN
			PERFORM clv_internal.clv_pipeline_note(d, run, 'no alerts and conversations: ' || SQLERRM);
	END;
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DROP TABLE IF EXISTS {data}.listed'::text);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_lists(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: which customers to win back, for which one more purchase goes along with the largest gain, '
	'who lapses soon, and whom to talk to. A part of pipelines';

-- ---- steps: satisfaction, profile -------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_step_satisfaction(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN d.rating_source IS NULL THEN 0
		ELSE clv_internal.clv_pipeline_fill(d, run, 'satisfaction'::text)
			+ clv_internal.clv_pipeline_fill(d, run, 'value_satisfaction'::text)
		END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_satisfaction(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: net promoter scores, and value against satisfaction, where there are ratings. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_profile(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	attribute text;
	twice text;
	rows int8 := 0;
BEGIN
	IF d.attribute_source IS NULL THEN
		RETURN 0;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT concat_ws('/', {a.key})
		FROM {1} a
		WHERE {a.known}
		GROUP BY {a.key}
		HAVING count(*) > 1
		LIMIT 1
	$sql$::text, ARRAY[d.attribute_source]) INTO twice;
	IF twice IS NOT NULL THEN
		PERFORM clv_internal.clv_raise(
			format('%s has more than one row of customer %s', d.attribute_source, twice), NULL::text,
			'attribute_source must have one row a customer: a view can choose among several.'::text,
			'cardinality_violation'::text);
	END IF;
	FOREACH attribute IN ARRAY d.attributes LOOP
		rows := rows + clv_internal.clv_pipeline_fill(d, run, 'profile'::text, ARRAY[attribute, d.attribute_source]);
	END LOOP;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_profile(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: how often which values of the attributes are met in which segment, and in all. A part of '
	'pipelines';
-- ---- step: customers --------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_rated_day(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	type regtype := clv_internal.clv_pipeline_check_type((clv_internal.clv_source_relation(d.rating_source)).relation,
		'rated_at'::text, d.rated_at, '{timestamptz,timestamp,date}'::regtype[], 'a time'::text);
BEGIN
	RETURN clv_internal.clv_pipeline_sql(d, CASE type
		WHEN 'timestamptz'::regtype THEN '(g.{1:I} AT TIME ZONE {2:L})::date'
		ELSE 'g.{1:I}::date'
	END, ARRAY[d.rated_at, d.time_zone]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_rated_day(clv_internal.clv_pipeline_definition) IS
	'the day of a rating g, as an expression. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_ratings(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF d.rating_source IS NULL THEN
		RETURN 'CROSS JOIN (SELECT NULL::int2 AS rating) g';
	ELSIF d.rated_at IS NULL THEN
		RETURN clv_internal.clv_pipeline_sql(d, $sql$
			LEFT JOIN (
				SELECT {g.key}, round(avg(g.{1:I})) AS rating
				FROM {2} g
				WHERE {g.known} AND g.{1:I} BETWEEN 0 AND 10
				GROUP BY {g.key}
			) g ON {g=h}
		$sql$::text, ARRAY[d.rating, d.rating_source]);
	END IF;
	RETURN clv_internal.clv_pipeline_sql(d, $sql$
		LEFT JOIN (
			SELECT DISTINCT ON ({g.key}) {g.key}, g.{1:I} AS rating
			FROM {2} g
			WHERE {g.known} AND g.{1:I} BETWEEN 0 AND 10 AND {3} <= ($2).as_of
			ORDER BY {g.key}, g.{4:I} DESC, g.{1:I}
		) g ON {g=h}
	$sql$::text, ARRAY[d.rating, d.rating_source, clv_internal.clv_pipeline_rated_day(d), d.rated_at]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_ratings(clv_internal.clv_pipeline_definition) IS
	'the join that brings each customer''s latest rating g up to the day of the run (the lowest of several at one '
	'time; without times their mean; NULL where there are no ratings, of which those beyond 0 to 10 are none). A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_note_ratings(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	later int8;
	beyond int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT
			count(*) FILTER (WHERE g.{2:I} BETWEEN 0 AND 10 AND {3}),
			count(*) FILTER (WHERE g.{2:I} NOT BETWEEN 0 AND 10)
		FROM {1} g
		WHERE {g.known}
	$sql$::text, ARRAY[d.rating_source, d.rating, CASE WHEN d.rated_at IS NULL THEN 'false'
		ELSE clv_internal.clv_pipeline_rated_day(d) || ' > $1::date'
	END]) INTO later, beyond USING this.as_of;
	PERFORM clv_internal.clv_pipeline_note(d, this.run, format('%s ratings after the day left out', later))
		WHERE later > 0;
	PERFORM clv_internal.clv_pipeline_note(d, this.run, format('%s ratings beyond 0 to 10 left out', beyond))
		WHERE beyond > 0;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_note_ratings(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'writes down how many ratings clv_pipeline_ratings leaves out. A part of pipelines';

CREATE TYPE clv_internal.clv_pipeline_customer AS (
	lapse_date pg_catalog.date,
	p_alive pg_catalog.float8,
	expected_purchases pg_catalog.float8,
	clv pg_catalog.numeric(24,2),
	monetary pg_catalog.numeric,
	next_purchase_value pg_catalog.numeric(24,2),
	cohort_month pg_catalog.date,
	first_purchase pg_catalog.date,
	recency pg_catalog.int4,
	frequency pg_catalog.int4,
	expected_revenue pg_catalog.numeric(24,2),
	lifetime_value pg_catalog.numeric(24,2),
	churn pg_catalog.float8,
	active_30d pg_catalog.float8,
	active_90d pg_catalog.float8,
	last_purchase pg_catalog.date,
	tenure pg_catalog.int4,
	next_purchase pg_catalog.date,
	expected_spend pg_catalog.numeric(24,2),
	mean_spend pg_catalog.numeric(24,2),
	purchases_low pg_catalog.float8,
	purchases_high pg_catalog.float8,
	clv_low pg_catalog.numeric(24,2),
	clv_high pg_catalog.numeric(24,2)
);
COMMENT ON TYPE clv_internal.clv_pipeline_customer IS
	'what a pipeline stores of a customer: the values of rfmtc, days of purchases; the predictions of clv_prediction; '
	'the probabilities of a purchase in 30 and in 90 days, NULL of models of whole periods; the days of '
	'clv_next_purchase and clv_lapse_date at one half. Money has two decimals, and what is infinite is NULL. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customer(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8, as_of pg_catalog.date, level pg_catalog.float8,
	covariates pg_catalog.float8[])
	RETURNS clv_internal.clv_pipeline_customer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 60;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customer(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8, pg_catalog.float8[]) IS
	'what a pipeline stores of a customer in one row, with the arguments of clv_predict: what is computed for one '
	'number is at hand for the others. NULL before the first purchase. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_value(name pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		-- of which churn is the rest
		WHEN name IN ('p_alive', 'churn') THEN '(q.scores).p_alive'
		WHEN name = 'total_value' THEN
			'clv_internal.clv_finite((q.measured).monetary::float8 * ($1).margin + (q.prediction).clv)'
		-- money that is not rounded to cents
		WHEN name IN ('expected_revenue', 'clv', 'next_purchase_value') THEN
			format('clv_internal.clv_finite((q.prediction).%I)', name)
		ELSE '(q.measured).' || name
	END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_value(pg_catalog.text) IS
	'a value that rules of a map may test, of a customer q of the query of customers, as an expression for '
	'clv_pipeline_sql. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_attributes(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 'jsonb_build_object(' || string_agg(clv_internal.clv_pipeline_sql(d, CASE
			WHEN i.kind = 'value' THEN '{1:L}, {2}'
			WHEN i.name = ANY ((d).attributes) THEN '{1:L}, a.{1:I}'
			WHEN i.name = 'satisfaction' THEN '{1:L}, q.satisfaction'
			WHEN i.name = 'cumulative_share' THEN '{1:L}, q.cumulative_share'
			WHEN i.name = 'trend' THEN $sql${1:L},
				(
					2 * @extschema@.clv_purchases_between(
						q.history,
						@extschema@.clv_first_purchase(q.history, ($2).as_of)
							+ (($2).as_of - @extschema@.clv_first_purchase(q.history, ($2).as_of)) / 2,
						($2).as_of)
					- (q.measured).frequency
				)::float8 / (q.measured).frequency$sql$
		END, ARRAY[i.name, clv_internal.clv_pipeline_sql(d, clv_internal.clv_pipeline_value(i.name))]), ', '
		ORDER BY i.name) || ')'
	FROM @extschema@.clv_segment_inputs((d).map) i
	-- P(alive) comes with the scores
	WHERE i.kind = 'attribute' OR i.kind = 'value' AND i.name NOT IN ('p_alive', 'churn')
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_attributes(clv_internal.clv_pipeline_definition) IS
	'the attributes and values that the pipeline''s map asks for, as an expression; NULL where it asks for none. A '
	'part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_assign(
	d clv_internal.clv_pipeline_definition, map pg_catalog.text, attributes pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		CASE
			WHEN {1} THEN clv_internal.clv_segment_or_null(q.scores, {2:L}::text, {3})
			ELSE @extschema@.segment_assign(q.scores, {2:L}::text, {3})
		END
	$sql$::text, ARRAY[
		coalesce(string_agg(clv_internal.clv_pipeline_sql(d, CASE i.kind
				WHEN 'score' THEN '(q.scores).{1:I} IS NULL'
				WHEN 'value' THEN '{2} IS NULL'
				ELSE 'a.{1:I} IS NULL'
			END, ARRAY[i.name, clv_internal.clv_pipeline_sql(d, clv_internal.clv_pipeline_value(i.name))]), ' OR ')
			FILTER (WHERE i.kind <> 'attribute' OR i.name = ANY ((d).attributes)), 'false'),
		-- the rules themselves: a process that evaluates them, on another server too, needs no table of maps
		min(r.rules),
		coalesce(attributes, 'NULL::jsonb')])
	FROM clv_internal.clv_segment_rules(map) r (rules)
	LEFT JOIN LATERAL @extschema@.clv_segment_inputs(r.rules) i ON true
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_assign(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.text) IS
	'the segment of a customer q of the query of customers, as an expression that holds the rules of the map: NULL '
	'where what the map needs is not known. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_shares(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	-- {1}: what a customer h has spent. Equal amounts are one row: few are sorted, or come from workers
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		JOIN (
			SELECT
				v.spend,
				coalesce((sum(v.spend * v.customers) OVER (ORDER BY v.spend DESC) - v.spend * v.customers)
					/ nullif(sum(v.spend * v.customers) OVER (), 0), 0) AS cumulative_share
			FROM (
				SELECT {1} AS spend, count(*) AS customers
				FROM {data}.history h
				WHERE h.generation = ($2).generation
				GROUP BY 1
			) v
		) w ON w.spend = {1}
	$sql$::text, ARRAY[$sql$
		CASE
			WHEN @extschema@.clv_purchases(h.history, ($2).as_of) > 0
			THEN coalesce(greatest(@extschema@.clv_total_spend(h.history, ($2).as_of), 0), 0)
			ELSE 0
		END
	$sql$::text])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_shares(clv_internal.clv_pipeline_definition) IS
	'the join that brings each customer the share of the revenue that is of customers who have spent more. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_follows(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.bool
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	follows bool;
BEGIN
	-- a fit has emptied the table "touched", and a run in between that failed may have changed histories
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT ($2).model_run <> ($2).run AND r.run + 1 = ($2).run AND r.generation = ($2).generation
			AND r.histories = r.customers
		FROM {data}.run r
		WHERE r.run = ($2).previous
	$sql$::text) INTO follows USING d, this;
	RETURN coalesce(follows, false) AND d.group_by IS NULL
		AND NOT clv_internal.clv_pipeline_sharded(d, 'customer'::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_follows(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'whether the histories of a run are those that the customers of the run before hold, but for customers in the '
	'table "touched"; never with groups, which customers leave and join. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customer_histories(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run, source pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, CASE
		-- customers of a group one after the other: few models are kept at hand. They are joined when the customers are
		-- in order, or each would be sorted with a copy of its model
		WHEN (d).group_by IS NOT NULL THEN $sql$
			SELECT
				{h.key},
				h.history,
				b.segment AS from_segment,
				b.clv AS from_clv,
				m.group_name,
				m.group_model,
				m.group_cuts
			FROM (
				SELECT {i.key}, i.history, coalesce(e.group_name, '(none)') AS group_name
				FROM {data}.history i
				LEFT JOIN {data}.member e ON {e=i}
				WHERE i.generation = ($2).generation
				ORDER BY 3
				OFFSET 0
			) h
			JOIN ({1}) m USING (group_name)
			LEFT JOIN (
				SELECT {c.key}, c.segment, c.clv
				FROM {data}.customer c
				WHERE c.run = ($2).previous_customers
			) b ON {b=h}
		$sql$
		WHEN source = 'histories' THEN $sql$
			SELECT {h.key}, h.history, b.segment AS from_segment, b.clv AS from_clv
			FROM {data}.history h
			LEFT JOIN (
				SELECT {c.key}, c.segment, c.clv
				FROM {data}.customer c
				WHERE c.run = ($2).previous_customers
			) b ON {b=h}
			WHERE h.generation = ($2).generation
		$sql$
		WHEN source = 'untouched' THEN $sql$
			SELECT {c.key}, c.history, c.segment AS from_segment, c.clv AS from_clv
			FROM {data}.customer c
			WHERE c.run = ($2).previous_customers
			  AND NOT EXISTS (SELECT FROM {data}.touched t WHERE t.run = ($2).run AND {t=c})
		$sql$
		-- one by one: a join by hashing would read the rows of all
		WHEN source = 'touched' THEN $sql$
			SELECT {t.key}, h.history, b.segment AS from_segment, b.clv AS from_clv
			FROM {data}.touched t
			CROSS JOIN LATERAL (
				SELECT i.history
				FROM {data}.history i
				WHERE i.generation = ($2).generation AND {i=t}
				OFFSET 0
			) h
			LEFT JOIN LATERAL (
				SELECT c.segment, c.clv
				FROM {data}.customer c
				WHERE c.run = ($2).previous_customers AND {c=t}
				OFFSET 0
			) b ON true
			WHERE t.run = ($2).run
		$sql$
	END::text, ARRAY[clv_internal.clv_pipeline_group_models(d)])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customer_histories(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run, pg_catalog.text) IS
	'the query of the histories of a run, each with the segment and the value that the run before found: source is '
	'"histories" for all of them, "touched" for those of touched customers, "untouched" for the others, as the '
	'customers of the run before hold them. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customer_fillings(
	d clv_internal.clv_pipeline_definition, histories pg_catalog.text, flat pg_catalog.bool)
RETURNS pg_catalog.text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	needs text[] := ARRAY(SELECT i.name FROM @extschema@.clv_segment_inputs(d.map) i WHERE i.kind = 'attribute');
	-- Citus follows the key of a customer to the column of a table, but not into a fence
	sharded bool := clv_internal.clv_pipeline_sharded(d, 'history'::text);
BEGIN
	RETURN ARRAY[
		clv_internal.clv_pipeline_assign(d, d.map, clv_internal.clv_pipeline_attributes(d)),
		CASE WHEN d.rating_source IS NULL THEN 'NULL' ELSE
			clv_internal.clv_pipeline_assign(d, 'value x satisfaction'::text,
				$sql$jsonb_build_object('satisfaction', q.satisfaction)$sql$::text)
		END,
		CASE WHEN needs && d.attributes THEN
			clv_internal.clv_pipeline_sql(d, CASE WHEN sharded THEN 'LEFT JOIN {1} a ON {a=h}'
				ELSE 'LEFT JOIN {1} a ON {a=q}'
			END, ARRAY[d.attribute_source])
		END
	] || clv_internal.clv_pipeline_fence(d, clv_internal.clv_pipeline_sql(d, $sql$
			(
				{1}
			) h
			{2}
			{3}
		$sql$::text, ARRAY[
			histories,
			clv_internal.clv_pipeline_ratings(d),
			CASE
				WHEN NOT 'cumulative_share' = ANY (needs) THEN 'CROSS JOIN (SELECT NULL::numeric AS cumulative_share) w'
				ELSE clv_internal.clv_pipeline_shares(d)
			END])) || ARRAY[
		clv_internal.clv_pipeline_sql(d, CASE WHEN sharded THEN '{h.key}' ELSE '{q.key}' END),
		CASE WHEN flat THEN '.*' END,
		CASE WHEN strpos(clv_internal.clv_pipeline_attributes(d), '(q.prediction)') > 0 THEN
			clv_internal.clv_pipeline_sql(d, $sql$
				@extschema@.clv_predict({model}, h.history, ($1).horizon, ($1).discount_rate, ($1).margin, ($2).as_of,
					($1).level)
			$sql$::text)
			ELSE 'NULL'
		END];
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customer_fillings(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.bool) IS
	'what the map, the ratings, the attributes and the query of the histories add to the query of customers, as '
	'clv_pipeline_fill takes it. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customer_query(
	d clv_internal.clv_pipeline_definition, histories pg_catalog.text, flat pg_catalog.bool)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, p.statement, clv_internal.clv_pipeline_customer_fillings(d, histories,
		flat))
	FROM clv_internal.clv_pipeline_view_customers() p
	WHERE p.kind = 'rows'
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customer_query(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.bool) IS
	'the query of customers, over that of their histories: with the columns of their table, or, unless it is to be '
	'flat, with some of them in a composite, as clv_pipeline_load takes them. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_made_of(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT md5(jsonb_build_array(clv_internal.clv_pipeline_parts_hash(), (this).as_of, (this).model::text,
		(d).horizon, (d).discount_rate, (d).margin, (d).level, (this).cuts::text,
		clv_internal.clv_pipeline_customer_query(d,
			clv_internal.clv_pipeline_customer_histories(d, this, 'histories'::text), true))::text)
	WHERE (d).rating_source IS NULL AND NOT EXISTS (
		SELECT
		FROM @extschema@.clv_segment_inputs((d).map) i
		WHERE i.kind = 'attribute' AND i.name <> 'trend'
	)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_made_of(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'a hash of what the row of a customer depends on beside their history, and of what tables there are; NULL where '
	'that is more than the run knows. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_find_customers(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.text[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	follows bool := clv_internal.clv_pipeline_follows(d, this);
	sources text[];
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run r
		SET made_of = m.made_of,
			customer_run = CASE WHEN m.same THEN ($2).previous_customers ELSE r.run END
		FROM (
			SELECT $3::text AS made_of, $4::bool AND coalesce($3::text = b.made_of, false) AS same
			FROM (SELECT ($2).previous) p (run)
			LEFT JOIN {data}.run b USING (run)
		) m
		WHERE r.run = ($2).run
		RETURNING CASE
			WHEN m.same THEN ARRAY['touched']
			WHEN $4::bool THEN ARRAY['untouched', 'touched']
			ELSE ARRAY['histories']
		END
	$sql$::text) INTO STRICT sources USING d, this, clv_internal.clv_pipeline_made_of(d, this), follows;
	RETURN sources;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_find_customers(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'of which customers a run has to write rows, each as clv_pipeline_customer_histories takes it, and writes down '
	'whose rows it keeps: those of touched customers alone, where all others would come out as they are. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_load(
	relation pg_catalog.regclass, query pg_catalog.text, d clv_internal.clv_pipeline_definition,
	this clv_internal.clv_pipeline_run)
	RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_load(
	pg_catalog.regclass, pg_catalog.text, clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'stores the rows of a query with these parameters in a table that the same transaction has made, where columns of '
	'named row types stand for all of their columns; how many. An error where a row violates a constraint of the '
	'table. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_store_customers(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run, sources pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- as in clv_pipeline_fill
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off
AS $$
DECLARE
	query text := clv_internal.clv_pipeline_customer_query(d,
		clv_internal.clv_pipeline_customer_histories(d, this, sources[1]), true);
	partition text := clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text,
		ARRAY[clv_internal.clv_pipeline_partition('customer'::text, this.run)]);
	rows int8;
BEGIN
	EXECUTE format('CREATE TABLE %s AS %s WITH NO DATA', partition, query) USING d, this;
	IF NOT clv_internal.clv_pipeline_sharded(d, 'customer'::text) THEN
		PERFORM clv_internal.clv_pipeline_partition_alter(clv_internal.clv_pipeline_sql(d, '{data}.customer'::text),
			partition, this.run, false);
		-- one query for each: what is looked up row by row would keep workers out of the plan of all
		RETURN (
			SELECT sum(clv_internal.clv_pipeline_load(partition::regclass, clv_internal.clv_pipeline_customer_query(d,
				clv_internal.clv_pipeline_customer_histories(d, this, s), false), d, this))
			FROM unnest(sources) s
		);
	END IF;
	-- workers load only what is distributed already; an upgrade may have put its columns into another order
	EXECUTE clv_internal.clv_pipeline_sql(d, 'INSERT INTO {data}.customer ({1}) {2}'::text, ARRAY[
		(
			SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
			FROM pg_attribute a
			WHERE a.attrelid = partition::regclass AND a.attnum > 0
		), query]) USING d, this;
	GET DIAGNOSTICS rows = ROW_COUNT;
	EXECUTE format('DROP TABLE %s', partition);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_store_customers(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run, pg_catalog.text[]) IS
	'stores the rows of customers, each source as clv_pipeline_customer_histories takes it, for '
	'clv_pipeline_partition_show to make them those of a run: in a table of their own, or, where the table of '
	'customers is distributed, those of one source in that; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_load_customers(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sources text[] := clv_internal.clv_pipeline_find_customers(d, this);
	rows int8 := clv_internal.clv_pipeline_store_customers(d, this, sources);
BEGIN
	IF sources = '{touched}' THEN
		PERFORM clv_internal.clv_pipeline_partition_add(d, 'customer'::text, this.run);
	ELSE
		PERFORM clv_internal.clv_pipeline_partition_show(d, 'customer'::text, this.run,
			clv_internal.clv_pipeline_unread(d, this));
	END IF;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_load_customers(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'writes the customers of a run: all into a partition of their own, or those whose rows are not the same as in the '
	'run before into that which takes all runs, until clv_pipeline_exchange_customers; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_exchange_customers(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- few of many rows are looked up
SET search_path = pg_catalog, pg_temp SET random_page_cost = 1.1
AS $$
DECLARE
	earlier int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.customer_run
		FROM {data}.run r
		WHERE r.run = $1 AND r.customer_run <> r.run
	$sql$::text) INTO earlier USING run;
	IF earlier IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			DELETE FROM {data}.customer c
			USING {data}.touched t
			WHERE t.run = $1 AND c.run = $2 AND {c=t}
		$sql$::text) USING run, earlier;
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.customer
			SET run = $2
			WHERE run = $1
		$sql$::text) USING run, earlier;
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_exchange_customers(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'puts the rows that a run has written for touched customers in the place of those that they had, where it keeps '
	'the rows of an earlier run. In the transaction that publishes the run: a reader sees all of it or nothing. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_unread(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.int8[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old int8[];
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT coalesce(array_agg(n), '{}')
		FROM clv_internal.clv_pipeline_partitions($1, 'customer'::text) n
		JOIN {data}.run r ON r.run = n
		LEFT JOIN LATERAL (
			SELECT l.xmin
			FROM {data}.run l
			WHERE l.run > n AND l.published_at IS NOT NULL AND coalesce(l.customer_run, l.run) <> n
			ORDER BY l.run
			LIMIT 1
		) l ON r.published_at IS NOT NULL
		WHERE n <> ($2).run
		  AND n IS DISTINCT FROM ($2).previous_customers
		  AND (r.published_at IS NULL OR clv_internal.clv_pipeline_settled({1:L}::regclass, l.xmin))
	$sql$::text, ARRAY[clv_internal.clv_pipeline_sql(d, '{data}.run'::text)]) INTO old USING d, this;
	RETURN old;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_unread(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'the runs whose customers no view can show any more: those before the last, where all sessions see that a '
	'later one was published, and those that were never published. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_customers(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 1000000
-- nothing else: where a partition was attached, readers are kept out until the end of the transaction
RETURN clv_internal.clv_pipeline_load_customers(d, clv_internal.clv_pipeline_this(d, run));
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_customers(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: scores, predictions and segments of all customers, or of those whose rows change. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_added_up(
	d clv_internal.clv_pipeline_definition, target pg_catalog.text, sources pg_catalog.text[])
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format('SELECT %s AS sign, q.* FROM (%s) q', u.sign, clv_internal.clv_pipeline_sql(d,
		p.statement, ARRAY[u.source])), ' UNION ALL ' ORDER BY u.number)
	FROM (
		SELECT 1 AS number, 'kept' AS kind, 1 AS sign, NULL AS source
		WHERE cardinality(sources) > 1
		UNION ALL
		SELECT 1 + s.number, 'counted', CASE s.number WHEN 2 THEN -1 ELSE 1 END, s.source
		FROM unnest(sources) WITH ORDINALITY AS s (source, number)
	) u
	JOIN clv_internal.clv_pipeline_parts() p ON p.name = target AND p.kind = u.kind
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_added_up(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.text[]) IS
	'the query of what the rows of a run in a table are added up from, each with its sign: of all customers, given '
	'one source; given two, that of the rows of touched customers, and that of what these were, those of the run '
	'before, less the second, and the first. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_add_up_sources(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run,
	OUT customers pg_catalog.text[], OUT histories pg_catalog.text[])
RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	keeps bool;
	were text;
BEGIN
	-- clv_forget takes it away
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT ($2).customer_run <> ($2).run AND r.made_of IS NOT NULL
		FROM {data}.run r
		WHERE r.run = ($2).run
	$sql$::text) INTO STRICT keeps USING d, this;
	IF NOT keeps THEN
		customers := ARRAY[clv_internal.clv_pipeline_sql(d, '{customers}'::text)];
		histories := ARRAY[clv_internal.clv_pipeline_sql(d, $sql$
			(SELECT h.history FROM {data}.history h WHERE h.generation = ($2).generation)
		$sql$::text)];
		RETURN;
	END IF;
	-- one by one: a join by hashing would read the rows of all
	were := clv_internal.clv_pipeline_sql(d, $sql$
		(
			SELECT b.*
			FROM {data}.touched t
			CROSS JOIN LATERAL (
				SELECT *
				FROM {data}.customer c
				WHERE c.run = ($2).customer_run AND {c=t}
				OFFSET 0
			) b
			WHERE t.run = ($2).run
		)
	$sql$::text);
	customers := ARRAY[clv_internal.clv_pipeline_sql(d, $sql$
		(SELECT * FROM {data}.customer WHERE run = ($2).run)
	$sql$::text), were];
	histories := ARRAY[clv_internal.clv_pipeline_sql(d, $sql$
		(SELECT h.history FROM {data}.touched w {1} WHERE w.run = ($2).run)
	$sql$::text, ARRAY[clv_internal.clv_pipeline_few_histories(d)]), were];
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_add_up_sources(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'the customers, and the histories, that clv_pipeline_added_up takes for a run: all, or where it keeps the rows of '
	'an earlier run, those of touched customers and what these were. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_add_up(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sources record := clv_internal.clv_pipeline_add_up_sources(d, this);
	missed int8;
BEGIN
	PERFORM clv_internal.clv_pipeline_fill(d, this.run, 'total'::text,
		ARRAY[clv_internal.clv_pipeline_added_up(d, 'total'::text, sources.customers)]);
	PERFORM clv_internal.clv_pipeline_fill(d, this.run, 'month'::text,
		ARRAY[clv_internal.clv_pipeline_added_up(d, 'month'::text, sources.histories)]);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET (customers, histories, total_revenue) = (
			SELECT
				(SELECT coalesce(sum(t.customers), 0) FROM {data}.total t WHERE t.run = ($2).run),
				coalesce(sum(m.customers), 0),
				CASE WHEN ($1).amount IS NOT NULL THEN
					coalesce(sum(m.revenue + m.after), 0)
						+ coalesce(revenue_without_customer, 0) + coalesce(revenue_without_time, 0)
				END
			FROM {data}.month m
			WHERE m.run = ($2).run
		)
		WHERE run = ($2).run
	$sql$::text) USING d, this;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT sum(t.customers)
		FROM {data}.total t
		WHERE t.run = $1 AND t.segment = '(none)'
	$sql$::text) INTO missed USING this.run;
	PERFORM clv_internal.clv_pipeline_note(d, this.run,
			format('%s customers in no segment: no rule holds, or what one needs is not known', missed))
		WHERE missed > 0;
	IF d.rating_source IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_note_ratings(d, this);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_add_up(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'adds up the customers of a run, by segment and by month, as later steps need them, and writes down how many there '
	'are and for how many something is missing. A part of pipelines';
-- ---- step: forecast ---------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_periods(
	horizon pg_catalog.interval, as_of pg_catalog.date, model @extschema@.clv_model)
RETURNS TABLE (
	number pg_catalog.int4, period_start pg_catalog.date, period_end pg_catalog.date, until pg_catalog.interval)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 13
SET search_path = pg_catalog, pg_temp
AS $$
	-- calendar months where time is continuous, else the family's own periods; the last one ends with the horizon
	WITH clock AS (
		SELECT c.clock, c.time_unit
		FROM clv_internal.clv_validate_clock(model) c
	),
	span AS (
		SELECT 365.25 * (12 * extract(year FROM horizon) + extract(month FROM horizon))::float8 / 12
			+ extract(day FROM horizon)::float8
			+ extract(epoch FROM horizon - date_trunc('day', horizon))::float8 / 86400 AS days
		FROM clock c
		WHERE c.clock = 'continuous'
	),
	months AS (
		SELECT (m + interval '1 month')::date - 1 - as_of AS days
		FROM span
		CROSS JOIN generate_series(date_trunc('month', (as_of + 1)::timestamp), (as_of + span.days::int4)::timestamp,
			interval '1 month') m
	),
	ends AS (
		SELECT m.days, make_interval(days => m.days) AS until
		FROM months m
		CROSS JOIN span
		WHERE m.days < span.days - 0.5
		UNION ALL
		SELECT span.days::int4, horizon
		FROM span
		UNION ALL
		SELECT p.until - as_of, i * c.time_unit
		FROM clock c
		CROSS JOIN clv_internal.clv_validate_periods(model, as_of, horizon) h
		CROSS JOIN generate_series(1, CASE WHEN h.periods < 121 THEN h.periods WHEN h.periods > 0 THEN 121 END) i
		CROSS JOIN clv_internal.clv_validate_periods(model, as_of, i * c.time_unit) p
	),
	numbered AS (
		SELECT
			row_number() OVER (ORDER BY e.days)::int4 AS number,
			lag(e.days, 1, 0) OVER (ORDER BY e.days) AS since,
			e.days,
			e.until
		FROM ends e
	)
	SELECT n.number, as_of + n.since + 1, as_of + n.days, n.until
	FROM numbered n
	ORDER BY n.number
	LIMIT 121
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_periods(pg_catalog.interval, pg_catalog.date, @extschema@.clv_model) IS
	'the periods of a forecast: calendar months, or the periods of a family of discrete time; until: from the day to '
	'the end of the period. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_limited(periods pg_catalog.int4, many pg_catalog.bool)
RETURNS pg_catalog.int4[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE halved AS (
		SELECT periods AS number
		UNION ALL
		SELECT CASE WHEN many THEN (h.number + 1) / 2 ELSE h.number - 1 END
		FROM halved h
		WHERE h.number > 1
	)
	SELECT array_agg(h.number ORDER BY h.number)
	FROM halved h
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_limited(pg_catalog.int4, pg_catalog.bool) IS
	'the periods of a forecast of so many whose limits are computed: all, or where many customers count for them the '
	'last, half as many, and so on to the first; the others lie between. A part of pipelines';

-- y at x, where y is y0 at x0 and y1 at x1 >= x0 and its ratio to x is linear between: so is that of the variance of
-- counts of customers who differ to their expectation.
CREATE FUNCTION clv_internal.clv_pipeline_between(
	x pg_catalog.float8, x0 pg_catalog.float8, y0 pg_catalog.float8, x1 pg_catalog.float8, y1 pg_catalog.float8)
RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN NOT x1 > x0 THEN y1
		WHEN NOT x0 > 0 THEN x * y1 / x1
		ELSE x * ((x1 - x) * y0 / x0 + (x - x0) * y1 / x1) / (x1 - x0)
	END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_between(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'the value at x of what is y0 at x0 and y1 at x1, whose ratio to x is linear between them; y1 where they are one. '
	'A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_forecast_fillings(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
	ends interval[] := ARRAY(
		SELECT p.until
		FROM clv_internal.clv_pipeline_periods(d.horizon, this.as_of, this.model) p
		ORDER BY p.number
	);
	limited int4[];
	-- of a segment of many customers one in so many says how it goes on, and one in so many how far that may be off
	part text := clv_internal.clv_pipeline_sql(d, 'greatest(1, g.customers / 5000)'::text);
	sampled text := clv_internal.clv_pipeline_sql(d, '{1} * (1 + g.customers / (2000 * {1}))'::text, ARRAY[part]);
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT clv_internal.clv_pipeline_limited($2, $3 OR r.customers > 100000)
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO STRICT limited USING run, cardinality(ends), d.group_by IS NOT NULL;
	RETURN ARRAY[
		-- a call for each period by itself, because each caches what it has computed for its horizon
		(SELECT format('ARRAY[%s]', string_agg(CASE
			WHEN e.number = ANY (limited) THEN clv_internal.clv_pipeline_sql(d, $sql$
				@extschema@.clv_predict_total({model}, q.history, {1:L}::interval, 0::float8, 1::float8,
					($2).as_of, coalesce(($1).level, 0.9::float8)) FILTER (WHERE q.sampled)$sql$::text,
				ARRAY[e.until::text])
			ELSE 'NULL::@extschema@.clv_total'
		END, ',' ORDER BY e.number))
		FROM unnest(ends) WITH ORDINALITY AS e (until, number))
	] || clv_internal.clv_pipeline_fence(d, clv_internal.clv_pipeline_sql(d, $sql$
		{customers} c
		JOIN {data}.segment g ON g.run = ($2).run AND g.segment = c.segment AND {c.hash} % {2} = 0
		 AND g.group_name = {1}
	$sql$::text, ARRAY[CASE WHEN d.group_by IS NULL THEN $sql$''$sql$
		ELSE format('c.group_name JOIN (%s) m ON m.group_name = c.group_name',
			clv_internal.clv_pipeline_group_models(d))
	END, part])) || clv_internal.clv_pipeline_sql(d, CASE
		-- of which a worker of Citus can send the state
		WHEN clv_internal.clv_pipeline_sharded(d, 'customer'::text) THEN $sql$
			clv_internal.clv_pipeline_curve_sum(
				@extschema@.clv_purchase_curve(($2).model, q.history, {1:L}::interval[], ($2).as_of, NULL::float8[]),
				clv_internal.clv_finite(CASE WHEN ($2).has_spend
					THEN @extschema@.clv_expected_spend(($2).model, q.history, ($2).as_of)
				END))
		$sql$
		ELSE 'clv_internal.clv_curve_sum({model}, q.history, {1:L}::interval[], ($2).as_of)'
	END, ARRAY[ends::text])
		|| CASE WHEN d.group_by IS NULL THEN $sql$'' AS group_name$sql$ ELSE 'c.group_name, m.group_model' END
		|| limited::text || clv_internal.clv_pipeline_sql(d, '{c.hash} % ({1}) = 0'::text, ARRAY[sampled]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_forecast_fillings(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'what the query of the forecast asks for each of its periods, as clv_pipeline_fill takes it. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fill_by_segment(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, target pg_catalog.text, fillings pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- As there are no statistics of the segments of this run, the histories of all customers would be sorted by segment, or
-- fetched in the order of an index, although there are few segments.
SET search_path = pg_catalog, pg_temp SET enable_sort = off SET enable_indexscan = off
AS $$
BEGIN
	RETURN clv_internal.clv_pipeline_fill(d, run, target, fillings);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fill_by_segment(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text, pg_catalog.text[]) IS
	'clv_pipeline_fill for queries that sum predictions by segment. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_forecast(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	fillings text[] := clv_internal.clv_pipeline_forecast_fillings(d, run);
	rows int8 := CASE WHEN d.group_by IS NULL
		THEN clv_internal.clv_pipeline_fill_by_segment(d, run, 'forecast'::text, fillings)
		ELSE clv_internal.clv_pipeline_fill_by_group(d, run, 'forecast'::text, fillings)
	END;
BEGIN
	PERFORM clv_internal.clv_pipeline_widen_forecast(d, run);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_forecast(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: purchases and revenue to come, by period and segment, and for all. A part of pipelines';
-- ---- step: validation -------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_holdout(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, histories pg_catalog.int8,
	since pg_catalog.date, until pg_catalog.date, span pg_catalog.interval, tracked pg_catalog.bool,
	OUT rows pg_catalog.int8, OUT shortfall pg_catalog.text, OUT failure pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- its warnings would be taken for those of the model that the views rest on
SET search_path = pg_catalog, pg_temp SET client_min_messages = error
AS $$
DECLARE
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
	sample text;
	past @extschema@.clv_model;
	fillings text[];
BEGIN
	sample := clv_internal.clv_pipeline_keep_sample(d, this.generation, histories);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT @extschema@.clv_fit(h.history, $1::jsonb)
		FROM {1} h
	$sql$::text, ARRAY[sample]) INTO past USING clv_internal.clv_pipeline_fit_options(d, since, this.calendar)
		|| CASE WHEN d.options ->> 'model' = 'auto'
			THEN jsonb_build_object('model', (@extschema@.clv_diagnostics(this.model)).purchase_model) ELSE '{}' END
		|| '{"shock": false}';
	shortfall := clv_internal.clv_pipeline_shortfall(past, d.options);
	fillings := (
		SELECT ARRAY[sample, past::text, since::text, until::text, span::text,
			(m.converged AND coalesce(m.spend_converged, true))::text]
		FROM @extschema@.clv_diagnostics(past) m
	);
	rows := clv_internal.clv_pipeline_fill(d, run, 'calibration'::text, fillings)
		+ clv_internal.clv_pipeline_fill(d, run, 'lift'::text, fillings);
	IF tracked THEN
		rows := rows + clv_internal.clv_pipeline_fill(d, run, 'tracking'::text, fillings);
	END IF;
	PERFORM clv_internal.clv_pipeline_drop_sample(d);
EXCEPTION
	-- a past too short or too quiet for a fit is nothing to keep today's results back for
	WHEN data_exception OR invalid_parameter_value OR no_data_found OR numeric_value_out_of_range
		OR null_value_not_allowed OR object_not_in_prerequisite_state THEN
		rows := 0;
		failure := SQLERRM;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_holdout(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8, pg_catalog.date, pg_catalog.date,
	pg_catalog.interval, pg_catalog.bool) IS
	'the predictions of a model of the customers up to since, or of a sample of the histories, for the span that '
	'ends with until, with the actual purchases, by week too where that is tracked; or why there are none. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_validation(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
	clock record := clv_internal.clv_validate_clock(this.model);
	first date;
	histories int8;
	days float8;
	weeks float8;
	span interval;
	since date;
	until date;
	tried record;
BEGIN
	IF this.model_run = run OR d.group_by IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_fill(d, run, 'new_customer'::text);
	END IF;
	IF this.model_run <> run THEN
		RETURN 0;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT min(t.first_purchase)
		FROM {data}.total t
		WHERE t.run = $1
	$sql$::text) INTO first USING run;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.histories
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO histories USING run;
	-- whole weeks, or periods of the family
	days := least(extract(epoch FROM coalesce(d.holdout, d.horizon)) / 86400, (this.as_of - first) / 3.0);
	weeks := greatest(clock.unit_days, 7);
	span := CASE clock.clock
		WHEN 'continuous' THEN make_interval(days => (floor(days / weeks) * weeks)::int4)
		ELSE floor(days / clock.unit_days) * clock.time_unit
	END;
	since := (this.as_of + 1 - span)::date - 1;
	until := coalesce((clv_internal.clv_validate_periods(this.model, since, span)).until, this.as_of);
	IF clock.clock NOT IN ('continuous', 'opportunities') THEN
		PERFORM clv_internal.clv_pipeline_note(d, run, format('no validation: there is none of model "%s"',
			(@extschema@.clv_diagnostics(this.model)).purchase_model));
		RETURN 1;
	ELSIF until - since < 28 THEN
		PERFORM clv_internal.clv_pipeline_note(d, run,
			format('no validation: a hold-out of %s days is shorter than 28', until - since));
		RETURN 1;
	END IF;
	tried := clv_internal.clv_pipeline_holdout(d, run, histories, since, until, span,
		clock.clock = 'continuous');
	IF tried.shortfall IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_note(d, run, 'of the model before the hold-out: ' || tried.shortfall);
		RAISE WARNING 'the fit for the hold-out of pipeline "%" is not reliable', d.name
			USING DETAIL = format('Fitted as of %s: %s.', to_char(since, 'YYYY-MM-DD'), tried.shortfall);
	END IF;
	PERFORM clv_internal.clv_pipeline_note(d, run, 'no validation: ' || tried.failure);
	RETURN 1 + tried.rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_validation(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh that has fitted a model: a model fitted in the same way before a hold-out, its predictions '
	'compared with the hold-out; and the value of a new customer. A part of pipelines';
-- ---- refreshing: a run is a sequence of steps, each a transaction of its own ------------------------------
--
-- clv_refresh() is all that commits. Between two steps nothing is held: each takes the lock anew and makes sure
-- that the run is still that of its session, so a session that dies leaves nothing to clean up but its rows.

CREATE FUNCTION clv_internal.clv_pipeline_busy(name pg_catalog.text, by_whom pg_catalog.text, if_busy pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF if_busy = 'error' THEN
		PERFORM clv_internal.clv_raise(format('pipeline "%s" is being refreshed already', name), by_whom,
			$text$Wait until it has ended; or, where a notice will do, say if_busy => 'notice'.$text$::text,
			'object_in_use'::text);
	END IF;
	RAISE NOTICE 'pipeline "%" is being refreshed already', name USING DETAIL = by_whom;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_busy(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'says that another session refreshes a pipeline: by an error, or by a notice and NULL. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_begin_step(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, number pg_catalog.int4)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.step (run, number, step, started_at)
		VALUES ($1, $2, $3, clock_timestamp())
	$sql$::text) USING run, number, (clv_internal.clv_pipeline_steps())[number];
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_begin_step(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int4) IS
	'writes down that a step of a run begins. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_begin(
	name pg_catalog.text, mode pg_catalog.text, as_of pg_catalog.date, if_busy pg_catalog.text, caller pg_catalog.name,
	backend_start pg_catalog.timestamptz)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
-- the definition is kept as text, whatever the caller has set
SET search_path = pg_catalog, pg_temp SET intervalstyle = postgres SET extra_float_digits = 1
AS $$
DECLARE
	d clv_internal.clv_pipeline_definition := clv_internal.clv_pipeline_read(name);
	locked bool := clv_internal.clv_pipeline_lock(name, false);
	other record;
	by_whom text := 'Another session is about to begin a refresh, or to drop the pipeline.';
	this int8;
BEGIN
	IF locked IS NULL THEN
		PERFORM clv_internal.clv_raise(
			format('pipeline "%s" has no state', name),
			format('The table %I.state is missing or empty.', clv_internal.clv_pipeline_data(name)),
			'Drop the pipeline with clv_drop_pipeline and make it anew.'::text, 'no_data_found'::text);
	END IF;
	FOR other IN EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT *
		FROM {data}.run r
		WHERE r.status = 'running'
		ORDER BY r.run
	$sql$::text) LOOP
		by_whom := format('Run %s, by process %s since %s.', other.run, other.pid, other.started_at);
		CONTINUE WHEN NOT locked;
		-- a session may live on without its run, where that could not even write down why it failed
		IF other.pid <> pg_backend_pid() AND clv_internal.clv_pipeline_alive(other.pid, other.backend_start,
			other.started_at)
			AND clv_internal.clv_pipeline_waits(other.pid)
		THEN
			RETURN clv_internal.clv_pipeline_busy(name, by_whom, if_busy);
		END IF;
		RAISE NOTICE 'run % of pipeline "%" was left unfinished and is given up', other.run, name;
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.run
			SET status = 'interrupted',
				finished_at = clock_timestamp(),
				error = 'its session ended, or could not record why it failed'
			WHERE run = $1
		$sql$::text) USING other.run;
	END LOOP;
	IF NOT locked THEN
		RETURN clv_internal.clv_pipeline_busy(name, by_whom, if_busy);
	END IF;
	PERFORM clv_internal.clv_pipeline_upgrade(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.run
			(run, status, requested, wanted_as_of, definition, called_by, pid, backend_start, started_at)
		SELECT
			coalesce(max(r.run), 0) + 1, 'running', $1::text, $2::date,
			to_jsonb($3::clv_internal.clv_pipeline_definition), $4::name, pg_backend_pid(), $5::timestamptz,
			clock_timestamp()
		FROM {data}.run r
		RETURNING run
	$sql$::text) INTO this USING mode, as_of, d, caller, backend_start;
	PERFORM clv_internal.clv_pipeline_begin_step(d, this, 1);
	RETURN this;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_begin(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.text, pg_catalog.name, pg_catalog.timestamptz) IS
	'begins a run, and marks those of dead sessions as interrupted; NULL, with a notice, or an error, where another '
	'session has one. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_run_step(name pg_catalog.text, run pg_catalog.int8, number pg_catalog.int4)
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- Compiling these long statements takes longer than running them, at any number of customers that was tried. And
-- whatever the caller has set, times and numbers are written and read the same way.
SET search_path = pg_catalog,
	pg_temp SET jit = off SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET timezone = 'UTC'
SET extra_float_digits = 1 SET standard_conforming_strings = on
AS $$
DECLARE
	d clv_internal.clv_pipeline_definition := clv_internal.clv_pipeline_read(name);
	steps text[] := clv_internal.clv_pipeline_steps();
	rows int8;
	began timestamptz := clock_timestamp();
BEGIN
	-- a session that has it now either looks whether ours still lives or has given up our run, which then is not ours
	PERFORM clv_internal.clv_pipeline_lock(name, true);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT (jsonb_populate_record(NULL::clv_internal.clv_pipeline_definition, r.definition)).*
		FROM {data}.run r
		WHERE r.run = $1 AND r.status = 'running' AND r.pid = pg_backend_pid()
	$sql$::text) INTO d USING run;
	IF d IS NULL THEN
		PERFORM clv_internal.clv_raise(
			format('run %s of pipeline "%s" was given up by another session', run, name),
			NULL::text, NULL::text, 'object_not_in_prerequisite_state'::text);
	END IF;
	d.name := name;
	EXECUTE format('SELECT clv_internal.clv_pipeline_step_%s($1, $2)', steps[number]) INTO rows USING d, run;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.step
		SET rows = $3, finished_at = clock_timestamp()
		WHERE run = $1 AND number = $2
	$sql$::text) USING run, number, rows;
	IF number < array_length(steps, 1) THEN
		PERFORM clv_internal.clv_pipeline_begin_step(d, run, number + 1);
	ELSE
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.run
			SET status = 'done', finished_at = clock_timestamp()
			WHERE run = $1
		$sql$::text) USING run;
	END IF;
	RETURN format('%s: %s rows, %s s', steps[number], rows,
		round(extract(epoch FROM clock_timestamp() - began)::numeric, 2));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_run_step(pg_catalog.text, pg_catalog.int8, pg_catalog.int4) IS
	'takes one step of a run and says what it did; an error where the run is not this session''s any more. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fail(name pg_catalog.text, run pg_catalog.int8, failure pg_catalog.jsonb)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(clv_internal.clv_pipeline_read(name), $sql$
		UPDATE {data}.run
		SET status = 'failed',
			finished_at = clock_timestamp(),
			error = $2::jsonb ->> 'message',
			error_code = $2::jsonb ->> 'code',
			error_detail = $2::jsonb ->> 'detail',
			error_hint = $2::jsonb ->> 'hint',
			error_context = $2::jsonb ->> 'context'
		WHERE run = $1 AND status = 'running' AND pid = pg_backend_pid()
	$sql$::text) USING run, failure;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fail(pg_catalog.text, pg_catalog.int8, pg_catalog.jsonb) IS
	'writes down why a run failed. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_attempt(
	name pg_catalog.text, owner pg_catalog.oid, run pg_catalog.int8, number pg_catalog.int4,
	OUT report pg_catalog.text, OUT failure pg_catalog.jsonb)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	code text;
	message text;
	detail text;
	hint text;
	context text;
	unusable text;
BEGIN
	report := clv_internal.clv_pipeline_as_owner(owner, format($sql$
		SELECT clv_internal.clv_pipeline_run_step(%L::pg_catalog.text, %s::pg_catalog.int8, %s::pg_catalog.int4)
	$sql$, name, run, number));
EXCEPTION
	WHEN OTHERS OR query_canceled OR assert_failure THEN
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
			detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
			context = PG_EXCEPTION_CONTEXT;
		-- the codes of an amount and of a time that no history can hold, and of other things
		IF code IN ('22003', '22008') AND detail = '' THEN
			BEGIN
				unusable := clv_internal.clv_pipeline_as_owner(owner,
					format('SELECT clv_internal.clv_pipeline_unusable_rows(%L::pg_catalog.text)', name));
			EXCEPTION WHEN OTHERS OR query_canceled THEN
				-- what went wrong first is what the caller is to read
			END;
		END IF;
		failure := jsonb_build_object('code', code, 'message', message, 'context', nullif(context, ''),
			'hint', nullif(hint, ''), 'detail', coalesce(nullif(detail, ''), concat_ws(' ', unusable,
				format('Pipeline "%s", run %s, step %s.', name, run, (clv_internal.clv_pipeline_steps())[number]))));
		BEGIN
			PERFORM clv_internal.clv_pipeline_as_owner(owner, format($sql$
				SELECT clv_internal.clv_pipeline_fail(%L::pg_catalog.text, %s::pg_catalog.int8, %L::pg_catalog.jsonb)
			$sql$, name, run, failure));
		EXCEPTION WHEN OTHERS THEN
			-- on a full disk, say; what went wrong first is what the caller is to read
			RAISE WARNING 'run % of pipeline "%" failed, which could not be recorded: %', run, name, SQLERRM;
		END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_attempt(
	pg_catalog.text, pg_catalog.oid, pg_catalog.int8, pg_catalog.int4) IS
	'takes one step of a run as the pipeline''s owner; an error is undone, written down and returned instead. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_refresh(
	mode pg_catalog.text, as_of pg_catalog.date, if_busy pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF mode IS NULL OR mode NOT IN ('auto', 'full', 'incremental') THEN
		PERFORM clv_internal.clv_raise(
			format($text$mode must be 'auto', 'full' or 'incremental': %s$text$, coalesce(mode, 'NULL')));
	ELSIF if_busy IS NULL OR if_busy NOT IN ('error', 'notice') THEN
		PERFORM clv_internal.clv_raise(
			format($text$if_busy must be 'error' or 'notice': %s$text$, coalesce(if_busy, 'NULL')));
	ELSIF NOT isfinite(as_of) THEN
		PERFORM clv_internal.clv_raise(format('as_of must be a finite date: %s', as_of));
	ELSIF pg_is_in_recovery() THEN
		PERFORM clv_internal.clv_raise('a refresh writes, and this server is a read replica'::text, NULL::text,
			'Refresh on the primary: the views here follow.'::text, 'read_only_sql_transaction'::text);
	ELSIF transaction_timestamp() < statement_timestamp() THEN
		PERFORM clv_internal.clv_raise('clv_refresh cannot run inside a transaction block'::text,
			'It commits after each of its steps.'::text, 'Call it by itself, without BEGIN.'::text,
			'active_sql_transaction'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_refresh(pg_catalog.text, pg_catalog.date, pg_catalog.text) IS
	'an error where clv_refresh cannot run with these arguments, on this server or in this transaction. A part of '
	'pipelines';

CREATE PROCEDURE @extschema@.clv_refresh(
	name pg_catalog.text, mode pg_catalog.text DEFAULT 'auto', as_of pg_catalog.date DEFAULT NULL,
	if_busy pg_catalog.text DEFAULT 'error')
LANGUAGE plpgsql AS $$
DECLARE
	owner pg_catalog.oid := clv_internal.clv_pipeline_find(name);
	run pg_catalog.int8;
	step pg_catalog.record;
BEGIN
	PERFORM clv_internal.clv_pipeline_check_refresh(mode, as_of, if_busy);
	run := clv_internal.clv_pipeline_as_owner(owner, pg_catalog.format($sql$
		SELECT clv_internal.clv_pipeline_begin(%L::pg_catalog.text, %L::pg_catalog.text, %L::pg_catalog.date,
			%L::pg_catalog.text, %L::pg_catalog.name, %L::pg_catalog.timestamptz)
	$sql$, name, mode, pg_catalog.to_char(as_of, 'YYYY-MM-DD BC'), if_busy, current_user, (
		SELECT a.backend_start
		FROM pg_catalog.pg_stat_activity a
		WHERE a.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
	)));
	COMMIT;
	FOR number IN 1 .. CASE WHEN run IS NULL THEN 0 ELSE pg_catalog.array_length(clv_internal.clv_pipeline_steps(),
		1) END LOOP
		step := clv_internal.clv_pipeline_attempt(name, owner, run, number);
		COMMIT;
		IF step.failure IS NOT NULL THEN
			PERFORM clv_internal.clv_raise(step.failure OPERATOR(pg_catalog.->>) 'message',
				step.failure OPERATOR(pg_catalog.->>) 'detail', step.failure OPERATOR(pg_catalog.->>) 'hint',
				step.failure OPERATOR(pg_catalog.->>) 'code');
		END IF;
		RAISE NOTICE '%', step.report;
	END LOOP;
END
$$;
COMMENT ON PROCEDURE @extschema@.clv_refresh(pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.text) IS
	'brings a pipeline up to date. mode: full reads the whole source; incremental reads anew only the customers '
	'with rows changed since the last time (needs changed_at; misses rows that were deleted or went to another '
	'customer); auto: incremental where it can be. as_of: the day to evaluate customers as of, this time. All '
	'customers are scored anew, and readers see the new run from one moment to the next. Commits after each step, so '
	'it cannot run inside a transaction block; reports each step as a notice. if_busy: where another session '
	'refreshes the pipeline, error raises an error, notice a NOTICE, and nothing is done. An error is kept in the view '
	'runs, and the views stay as they were. Only members of the pipeline''s owner may call it, and it works with the '
	'owner''s rights';

CREATE FUNCTION clv_internal.clv_pipeline_note(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, sentence pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF sentence IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.run
			SET note = concat_ws('; ', note, $2::text)
			WHERE run = $1
		$sql$::text) USING run, sentence;
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_note(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text) IS
	'adds a text to the note of a run; nothing for NULL. A part of pipelines';

-- ---- steps: publishing, and deleting earlier runs ----------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_step_publish(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM clv_internal.clv_pipeline_exchange_customers(d, run);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET published_at = clock_timestamp()
		WHERE run = $1
	$sql$::text) USING run;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state
		SET previous = run, run = $1
	$sql$::text) USING run;
	RETURN 1;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_publish(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: lets the views show the run. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_cleanup(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- these are kept for every published run: they are small, and make history
	lasting CONSTANT text[] := '{segment,equity,model,conversation}';
	name text;
	this record;
	rows int8;
	total int8 := 0;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT s.run, s.generation, m.model_run,
			ARRAY(SELECT coalesce(r.customer_run, r.run) FROM {data}.run r WHERE r.run IN (s.run, s.previous)) AS shown,
			ARRAY(SELECT r.run FROM {data}.run r WHERE r.published_at IS NULL) AS unpublished
		FROM {data}.state s
		JOIN {data}.run m USING (run)
	$sql$::text) INTO this;
	FOR name IN
		SELECT c.relname
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'run' AND a.attnum > 0
		WHERE c.relnamespace = quote_ident(clv_internal.clv_pipeline_data(d.name))::regnamespace
		  AND c.relkind = 'r'
		  AND (NOT c.relispartition OR c.relname = 'customer_rest')
		  AND c.relname NOT IN ('run', 'step', 'state', 'touched')
	LOOP
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			DELETE FROM {data}.{1:I} t
			WHERE t.run {2} ($1)
		$sql$::text, ARRAY[name, CASE WHEN name = ANY (lasting) THEN '= ANY' ELSE '<> ALL' END]) USING CASE
			WHEN name = ANY (lasting) THEN this.unpublished
			WHEN name = 'customer_rest' THEN this.shown
			-- of a model they stay until the next
			ELSE ARRAY[this.run, this.model_run]
		END;
		GET DIAGNOSTICS rows = ROW_COUNT;
		total := total + rows;
	END LOOP;
	-- who was proposed longer ago may be again
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		DELETE FROM {data}.conversation t
		USING {data}.run r
		WHERE r.run = $1 AND t.run <> r.run AND abs(t.proposed_on - r.as_of) >= 365
	$sql$::text) USING run;
	GET DIAGNOSTICS rows = ROW_COUNT;
	total := total + rows;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		DELETE FROM {data}.history_rest h
		WHERE h.generation <> $1
	$sql$::text) USING this.generation;
	GET DIAGNOSTICS rows = ROW_COUNT;
	RETURN total + rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_cleanup(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: deletes the rows of earlier runs, but the history of segments, equity and models. A part of '
	'pipelines';
-- ---- step: histories --------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_fingerprint(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT md5(jsonb_build_array((d).source, (d).customer, (d).bought_at, (d).amount, (d).returns, (d).filter,
		(d).search_path, (d).time_zone, (d).occasion, (d).changed_at, (d).group_by)::text)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fingerprint(clv_internal.clv_pipeline_definition) IS
	'a hash of what the histories of a pipeline depend on: where it has changed they are built from scratch. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_watermark(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.timestamptz
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
	latest timestamptz;
BEGIN
	IF d.changed_at IS NOT NULL THEN
		-- a clock that is ahead of ours must not hide what is written until we catch up
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT least(max(s.{1:I}), now())
			FROM {source} AS s
		$sql$::text, ARRAY[d.changed_at]) INTO latest;
	END IF;
	RETURN latest;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_watermark(clv_internal.clv_pipeline_definition) IS
	'when the latest row of the source was written, as its column changed_at says (in UTC, where it has no time '
	'zone); never later than now. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_changed(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
	since timestamptz;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT coalesce(s.watermark - $1::interval, '-infinity')
		FROM {data}.state s
	$sql$::text) INTO since USING d.overlap;
	RETURN clv_internal.clv_pipeline_sql(d, $sql$
		SELECT DISTINCT {s.key}
		FROM {source} AS s
		WHERE {s.known} AND s.{1:I} > {2:L}::timestamptz
	$sql$::text, ARRAY[d.changed_at, since::text]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_changed(clv_internal.clv_pipeline_definition) IS
	'the query of the customers with rows changed since the last time, less the overlap, whether the filter lets them '
	'through or not; it is to be run with the time zone UTC. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_touch(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- here and below: few of many rows are looked up, which the default of 4 makes too expensive except on a turning disk
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET random_page_cost = 1.1
AS $$
DECLARE
	generation int8;
	counted bool;
	rows int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT s.generation, EXISTS (SELECT FROM {data}.cells)
		FROM {data}.state s
	$sql$::text) INTO generation, counted;
	-- where cells are stored, with the history that was counted
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.touched
		SELECT {t.key}, $1::int8, h.history
		FROM ({1}) t
		LEFT JOIN {data}.history h ON h.generation = $2 AND {h=t} AND $3
		ON CONFLICT ({key}) DO UPDATE SET run = excluded.run
	$sql$::text, ARRAY[clv_internal.clv_pipeline_changed(d)]) USING run, generation, counted;
	GET DIAGNOSTICS rows = ROW_COUNT;
	EXECUTE clv_internal.clv_pipeline_sql(d, 'ANALYZE {data}.touched'::text);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_touch(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'writes down the customers with rows changed since the last time, and what their histories were; how many. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_make_histories(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rows int8 := clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_partition_load(d, 'history'::text,
		run, clv_internal.clv_pipeline_sql(d, $sql$
			SELECT {1}::pg_catalog.int8 AS generation, h.*
			FROM ({2}) h
		$sql$::text, ARRAY[run::text, clv_internal.clv_pipeline_all_histories(d)])));
BEGIN
	PERFORM clv_internal.clv_pipeline_partition_show(d, 'history'::text, run,
		ARRAY(SELECT clv_internal.clv_pipeline_partitions(d, 'history'::text)));
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state
		SET generation = $1
	$sql$::text) USING run;
	-- whose cells are counted anew
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.touched'::text);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_make_histories(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'makes the histories of all customers, as a new generation; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_build(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	latest timestamptz := clv_internal.clv_pipeline_watermark(d);
	rows int8 := clv_internal.clv_pipeline_make_histories(d, run);
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state
		SET watermark = $1, fingerprint = $2
	$sql$::text) USING latest, clv_internal.clv_pipeline_fingerprint(d);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_build(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'builds all histories from scratch; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_exchange(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, generation pg_catalog.int8,
	one_by_one pg_catalog.bool)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET random_page_cost = 1.1
AS $$
DECLARE
	histories text := clv_internal.clv_pipeline_histories(d, run, one_by_one);
BEGIN
	IF clv_internal.clv_pipeline_sharded(d, 'history'::text) THEN
		-- two statements that workers can do by themselves, where what both read would come to the coordinator
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			DELETE FROM {data}.history h
			USING {data}.touched t
			WHERE h.generation = $1 AND t.run = $2 AND {h=t}
		$sql$::text) USING generation, run;
		PERFORM clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.history
			SELECT {1}::pg_catalog.int8 AS generation, h.*
			FROM ({2}) h ({key}, history)
			WHERE h.history IS NOT NULL
		$sql$::text, ARRAY[generation::text, histories]));
	ELSE
		-- {1}: the run, {2}: the generation, {3}: the statement that makes the histories
		PERFORM clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
			WITH fresh AS MATERIALIZED (
				SELECT h.*
				FROM ({3}) h ({key}, history)
				WHERE h.history IS NOT NULL
			),
			gone AS (
				DELETE FROM {data}.history h
				USING {data}.touched t
				WHERE h.generation OPERATOR(pg_catalog.=) {2}
				  AND t.run OPERATOR(pg_catalog.=) {1}
				  AND {h=t}
				  AND NOT EXISTS (SELECT FROM fresh f WHERE {f=t})
			)
			INSERT INTO {data}.history AS h
			SELECT {2}, f.*
			FROM fresh f
			ON CONFLICT (generation, {key}) DO UPDATE
			SET history = excluded.history
			WHERE h.history OPERATOR(@extschema@.<>) excluded.history
		$sql$::text, ARRAY[run::text, generation::text, histories]));
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_exchange(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8, pg_catalog.bool) IS
	'exchanges the histories of the customers with changed rows in the generation that there is; their rows are looked '
	'up one by one, or joined. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_rebuild(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, generation pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
	latest timestamptz := clv_internal.clv_pipeline_watermark(d);
	changed int8;
	few bool;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT count(*) FROM ({1}) t'::text,
		ARRAY[clv_internal.clv_pipeline_changed(d)]) INTO changed;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT coalesce(r.histories > 10 * $1, false)
		FROM {data}.state s
		LEFT JOIN {data}.run r USING (run)
	$sql$::text) INTO few USING changed;
	IF few OR clv_internal.clv_pipeline_sharded(d, 'history'::text) THEN
		changed := clv_internal.clv_pipeline_touch(d, run);
		PERFORM clv_internal.clv_pipeline_exchange(d, run, generation,
			few AND clv_internal.clv_pipeline_indexed(d));
	ELSE
		-- which takes less, where customers are many, than to make their histories and put them among the others
		PERFORM clv_internal.clv_pipeline_make_histories(d, run);
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state
		SET watermark = coalesce($1, watermark)
	$sql$::text) USING latest;
	RETURN changed;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_rebuild(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8) IS
	'builds anew the histories of the customers with changed rows, or where these are many, of all; how many have '
	'changed rows. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_left_out(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass := (clv_internal.clv_source_relation(d.source)).relation;
	-- a column that cannot be NULL need not be looked at: then no row is read
	without_customer text := (
		SELECT string_agg(format('s.%I IS NULL', a.attname), ' OR ')
		FROM pg_attribute a
		WHERE a.attrelid = relation AND a.attname = ANY (d.customer) AND NOT a.attnotnull
	);
	without_time text := (
		SELECT format('s.%I IS NULL', a.attname)
		FROM pg_attribute a
		WHERE a.attrelid = relation AND a.attname = d.bought_at AND NOT a.attnotnull
	);
	amount text := coalesce(clv_internal.clv_pipeline_amount(d, true), 'NULL::pg_catalog.numeric');
BEGIN
	-- what is no number of money at all would not let anything add up
	PERFORM clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET (rows_without_customer, revenue_without_customer, rows_without_time, revenue_without_time) = (
			SELECT
				pg_catalog.count(*) FILTER (WHERE q.without_customer),
				pg_catalog.sum(q.amount) FILTER (WHERE q.without_customer),
				pg_catalog.count(*) FILTER (WHERE NOT q.without_customer),
				pg_catalog.sum(q.amount) FILTER (WHERE NOT q.without_customer)
			FROM (
				SELECT
					({1}) AS without_customer,
					CASE WHEN pg_catalog.abs({3}) OPERATOR(pg_catalog.<) 1e15 THEN {3} END AS amount
				FROM {source} AS s
				WHERE ({1} OR {2}) {filter}
			) q
		)
		WHERE run OPERATOR(pg_catalog.=) {4}
	$sql$::text, ARRAY[coalesce(without_customer, 'false'), coalesce(without_time, 'false'), amount, run::text]));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_left_out(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'writes down how many rows of the source are of no customer, or else of no time, and what they add up to. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_amounts(
	d clv_internal.clv_pipeline_definition, touched pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT concat_ws(', ', {h.key}) AS customer, @extschema@.clv_total_spend(h.history) AS amount
		FROM {data}.history h
		WHERE h.generation = (SELECT s.generation FROM {data}.state s)
		  AND abs(@extschema@.clv_total_spend(h.history)) >= 1e15
		  {1}
		LIMIT 1
	$sql$::text, ARRAY[CASE WHEN touched IS NOT NULL THEN clv_internal.clv_pipeline_sql(d, $sql$
		AND EXISTS (SELECT FROM {data}.touched t WHERE t.run = {1} AND {t=h})
	$sql$::text, ARRAY[touched::text]) END]) INTO found;
	IF found.amount IS NOT NULL THEN
		PERFORM clv_internal.clv_raise(
			format('the amounts of customer %s add up to %s', found.customer, found.amount),
			'Sums of pipelines are of amounts below 1e15 a customer.'::text,
			'Correct the amount, leave the row out by a filter, or let a view count in a larger unit.'::text,
			'numeric_value_out_of_range'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_amounts(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'an error that names a customer, of all or of those touched by a run, whose amounts are too large to be added up '
	'with those of others. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_last_day(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, today pg_catalog.date)
RETURNS pg_catalog.date
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	up_to text;
	days date[];
	customers int8[];
	future int8;
	last date;
	settled date;
	later int8;
BEGIN
	-- once more, and up to today, where some histories go on after it
	FOREACH up_to IN ARRAY ARRAY['', ', $1::date'] LOOP
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT
				array_agg(q.day ORDER BY q.day),
				array_agg(q.customers ORDER BY q.day),
				sum(q.customers) FILTER (WHERE q.day > $1::date)
			FROM (
				SELECT @extschema@.clv_last_purchase(h.history{1}) AS day, count(*) AS customers
				FROM {data}.history h
				WHERE h.generation = (SELECT s.generation FROM {data}.state s)
				GROUP BY 1
			) q
		$sql$::text, ARRAY[up_to]) INTO days, customers, later USING today;
		future := coalesce(future, later);
		EXIT WHEN later IS NULL;
	END LOOP;
	PERFORM clv_internal.clv_pipeline_note(d, run,
			format('purchases later than today are left out (customers: %s)', future))
		WHERE future > 0;
	SELECT s.last_day, s.settled, s.later INTO last, settled, later
	FROM clv_internal.clv_settled_day(days, customers) s;
	IF settled < last THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.run
			SET isolated_day = $2
			WHERE run = $1
		$sql$::text) USING run, last;
		PERFORM clv_internal.clv_pipeline_note(d, run, format(
			'the last purchase date (%s) is isolated, and was not used as as_of', to_char(last, 'YYYY-MM-DD')));
		RAISE WARNING 'last purchase date % of pipeline "%" is isolated from all other purchases',
			to_char(last, 'YYYY-MM-DD'), d.name
			USING DETAIL = format('Customers are evaluated as of %s. Customers with later purchases: %s.',
				to_char(settled, 'YYYY-MM-DD'), later),
				HINT = 'If the date is mistaken, correct it; if it is right, give the pipeline an as_of.';
	END IF;
	RETURN settled;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_last_day(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date) IS
	'the day of the last purchase up to today, but for isolated days long after the others, of which it warns; '
	'NULL where there is none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_day(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.date
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	today date := (now() AT TIME ZONE d.time_zone)::date;
	day date;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.wanted_as_of
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO day USING run;
	IF day IS NULL AND d.as_of = 'last purchase' THEN
		day := clv_internal.clv_pipeline_last_day(d, run, today);
	END IF;
	RETURN coalesce(day, CASE d.as_of
		WHEN 'today' THEN today
		WHEN 'yesterday' THEN today - 1
		WHEN 'last purchase' THEN today
		ELSE d.as_of::date
	END);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_day(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'the day as of which a run evaluates customers. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_histories(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	requested text;
	state record;
	beyond text;
	full_run bool;
	touched int8;
	rows int8;
BEGIN
	PERFORM clv_internal.clv_pipeline_check_source(d);
	PERFORM clv_internal.clv_pipeline_check_key(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.requested
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO requested USING run;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT s.*
		FROM {data}.state s
	$sql$::text) INTO state;
	IF requested = 'incremental' AND d.changed_at IS NULL THEN
		PERFORM clv_internal.clv_raise(format('pipeline "%s" cannot be refreshed incrementally', d.name),
			'It has no column with the time at which a row was written.'::text,
			'Name that column: CALL clv_alter_pipeline(..., changed_at => ...).'::text,
			'object_not_in_prerequisite_state'::text);
	END IF;
	beyond := CASE WHEN d.changed_at IS NOT NULL AND requested <> 'full' THEN clv_internal.clv_pipeline_beyond(d) END;
	IF requested = 'incremental' AND beyond IS NOT NULL THEN
		PERFORM clv_internal.clv_raise(
			format('pipeline "%s" cannot be refreshed incrementally', d.name),
			format('Its filter or source may let other rows through while changed_at stays as it is: %s.', beyond),
			concat($text$Refresh it in mode 'auto' or 'full'. $text$,
				'A function that depends on its arguments alone can be declared IMMUTABLE.'),
			'object_not_in_prerequisite_state'::text);
	END IF;
	full_run := requested = 'full' OR d.changed_at IS NULL OR beyond IS NOT NULL OR state.generation IS NULL
		OR state.fingerprint <> clv_internal.clv_pipeline_fingerprint(d);
	rows := CASE
		WHEN full_run THEN clv_internal.clv_pipeline_build(d, run)
		ELSE clv_internal.clv_pipeline_rebuild(d, run, state.generation)
	END;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET mode = $2, touched = $3, as_of = $4, generation = (SELECT s.generation FROM {data}.state s)
		WHERE run = $1
		RETURNING CASE WHEN generation <> $1 THEN $1 END
	$sql$::text) INTO touched USING run, CASE WHEN full_run THEN 'full' ELSE 'incremental' END, rows,
		clv_internal.clv_pipeline_day(d, run);
	IF d.group_by IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_find_groups(d, touched);
	END IF;
	PERFORM clv_internal.clv_pipeline_left_out(d, run);
	PERFORM clv_internal.clv_pipeline_check_amounts(d, touched);
	PERFORM clv_internal.clv_pipeline_note(d, run, 'in full, because of the filter or source: ' || beyond);
	IF requested = 'incremental' AND full_run THEN
		RAISE NOTICE 'pipeline "%" was refreshed in full: it has no histories yet', d.name;
	END IF;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_histories(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: histories, of all customers or of those with changed rows, and the as_of of the run. A '
	'part of pipelines';
-- ---- step: the model --------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_fit_options(
	d clv_internal.clv_pipeline_definition, as_of pg_catalog.date, calendar @extschema@.clv_calendar)
RETURNS pg_catalog.jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (d).options || jsonb_strip_nulls(jsonb_build_object(
		'as_of', to_char(as_of, 'YYYY-MM-DD'),
		'calendar', calendar::jsonb))
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fit_options(
	clv_internal.clv_pipeline_definition, pg_catalog.date, @extschema@.clv_calendar) IS
	'the options of a fit as of a day, with the calendar (NULL: that of the options, or none). A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_cells(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, options pg_catalog.jsonb)
RETURNS @extschema@.clv_cells
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET random_page_cost = 1.1
AS $$
DECLARE
	counted @extschema@.clv_cells;
	before @extschema@.clv_cells;
	after @extschema@.clv_cells;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT c.cells
		FROM {data}.cells c
		WHERE c.generation = $1 AND c.options = $2
	$sql$::text) INTO counted USING generation, options;
	IF counted IS NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT @extschema@.clv_cells(h.history, $2::jsonb)
			FROM {data}.history h
			WHERE h.generation = $1
		$sql$::text) INTO counted USING generation, options;
	ELSE
		-- take out what touched customers were, and put in what they are
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT @extschema@.clv_cells(t.before, $2::jsonb), @extschema@.clv_cells(h.history, $2::jsonb)
			FROM {data}.touched t
			LEFT JOIN {data}.history h ON h.generation = $1 AND {h=t}
		$sql$::text) INTO before, after USING generation, options;
		IF before IS NOT NULL THEN
			counted := counted OPERATOR(@extschema@.-) before;
		END IF;
		IF after IS NOT NULL THEN
			counted := counted OPERATOR(@extschema@.+) after;
		END IF;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.cells'::text);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.touched'::text);
	-- only a fit on the same day takes them up again
	IF d.changed_at IS NOT NULL AND d.refit = 'always' THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.cells (generation, options, cells) VALUES ($1, $2, $3)
		$sql$::text) USING generation, options, counted;
	END IF;
	RETURN counted;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_cells(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.jsonb) IS
	'the cells of all customers: the stored ones with touched customers exchanged, where the options are the same, '
	'else counted anew. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_drift(
	d clv_internal.clv_pipeline_definition, this record, latest record)
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	total record;
BEGIN
	IF d.group_by IS NOT NULL THEN
		total := clv_internal.clv_pipeline_group_drift(d, this.generation, latest.run, this.calendar, latest.as_of,
			this.as_of);
	ELSE
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT
				(q.t).expected_purchases AS expected,
				(q.t).purchases_low_without_shock AS low,
				(q.t).purchases_high_without_shock AS high,
				q.made
			FROM (
				SELECT
					@extschema@.clv_predict_total($2::@extschema@.clv_model, h.history, $3::interval, 0::float8,
						1::float8, $4::date, 0.99::float8) AS t,
					sum(@extschema@.clv_purchases_between(h.history, $4::date, $5::date))
						FILTER (WHERE @extschema@.clv_first_purchase(h.history) <= $4::date) AS made
				FROM {data}.history h
				WHERE h.generation = $1
			) q
		$sql$::text) INTO total USING this.generation,
			clv_internal.clv_pipeline_ahead(latest.model, this.calendar),
			make_interval(days => this.as_of - latest.as_of), latest.as_of, this.as_of;
	END IF;
	-- chance has its interval; a tenth more is what a fit that is a little old may be wrong by. What moves all
	-- customers at once is not part of it, as it may last
	RETURN CASE
		WHEN coalesce(total.made NOT BETWEEN total.low AND total.high, true)
			AND abs(total.made - total.expected) > 0.1 * total.expected
		THEN format('drift: %s purchases since %s, %s expected', total.made, to_char(latest.as_of, 'YYYY-MM-DD'),
			round(total.expected))
	END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_drift(clv_internal.clv_pipeline_definition, record, record) IS
	'what the customers of the day of the latest model have done since then in a run (generation, as_of, calendar), '
	'where that lies outside the 99 % prediction interval and more than a tenth off; else NULL. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_refit_reason(
	d clv_internal.clv_pipeline_definition, this record, latest record, fingerprint pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	age CONSTANT interval := CASE
		WHEN d.refit = 'auto' THEN interval '7 days'
		WHEN d.refit ~ E'\\d' THEN d.refit::interval
	END;
BEGIN
	IF latest.run IS NULL THEN
		RETURN 'first';
	ELSIF latest.fingerprint <> fingerprint THEN
		RETURN 'definition changed';
	ELSIF this.calendar IS NOT NULL AND @extschema@.clv_calendar_values(this.calendar, this.as_of) IS NULL THEN
		-- nothing is known of some of the days that a fit would look at
		RETURN NULL;
	ELSIF clv_internal.clv_pipeline_calendar_past(latest.calendar, latest.as_of)
		<> clv_internal.clv_pipeline_calendar_past(this.calendar, latest.as_of) THEN
		RETURN 'the calendar of the past changed';
	ELSIF d.refit = 'always' THEN
		RETURN 'always';
	ELSIF d.refit = 'auto' AND this.mode = 'full' THEN
		RETURN 'full refresh';
	ELSIF latest.as_of > this.as_of THEN
		RETURN 'the model is of a later day';
	ELSIF d.refit = 'never' THEN
		RETURN NULL;
	ELSIF d.refit = 'drift' THEN
		RETURN CASE WHEN this.as_of - latest.as_of >= 7
			THEN clv_internal.clv_pipeline_drift(d, this, latest) END;
	END IF;
	RETURN CASE
		WHEN latest.as_of + age <= this.as_of THEN format('%s days old', this.as_of - latest.as_of)
	END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_refit_reason(
	clv_internal.clv_pipeline_definition, record, record, pg_catalog.text) IS
	'why the model is to be fitted anew in a run (mode, generation, as_of, calendar), by the pipeline''s policy, given '
	'the latest model with the calendar of its run; NULL where it is kept. A part of pipelines';

-- ---- which family: the best of a hold-out ------------------------------------------------------------

-- How long a hold-out of a pipeline is, in whole weeks; less than 28 where its data are too short for one.
CREATE FUNCTION clv_internal.clv_pipeline_holdout_days(
	d clv_internal.clv_pipeline_definition, first pg_catalog.date, as_of pg_catalog.date)
RETURNS pg_catalog.int4
LANGUAGE sql STABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 7 * floor(
		least(extract(epoch FROM coalesce((d).holdout, (d).horizon)) / 86400, (as_of - first) / 3.0) / 7)::int4
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_holdout_days(
	clv_internal.clv_pipeline_definition, pg_catalog.date, pg_catalog.date) IS
	'the days of a hold-out that ends with as_of, in whole weeks: of a pipeline its own, else its horizon, at most a '
	'third of the data. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_best(
	d clv_internal.clv_pipeline_definition, sample pg_catalog.text, as_of pg_catalog.date,
	calendar @extschema@.clv_calendar, days pg_catalog.int4, OUT family pg_catalog.text,
	OUT failure pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- the warnings of fits that are not chosen are nobody's
SET search_path = pg_catalog, pg_temp SET client_min_messages = error
AS $$
BEGIN
	family := (
		SELECT r.model
		FROM clv_internal.clv_choose_rows(sample, clv_internal.clv_pipeline_fit_options(d, as_of - days, calendar),
			as_of - days, as_of, make_interval(days => days), false, false) r
		WHERE r.converged AND r.rank IS NOT NULL
		ORDER BY r.rank
		LIMIT 1
	);
	failure := CASE WHEN family IS NULL THEN 'no family could be fitted before the hold-out' END;
EXCEPTION
	-- a past too short or too quiet for a fit is no reason to have no model
	WHEN data_exception OR invalid_parameter_value OR no_data_found OR numeric_value_out_of_range
		OR null_value_not_allowed OR object_not_in_prerequisite_state OR feature_not_supported THEN
		failure := SQLERRM;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_best(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.date, @extschema@.clv_calendar,
	pg_catalog.int4) IS
	'the family with the best log score over a hold-out of so many days up to as_of, or why there is none. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_choose(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date,
	calendar @extschema@.clv_calendar, OUT family pg_catalog.text, OUT note pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first date;
	histories int8;
	days int4;
	best record;
BEGIN
	IF d.options ->> 'model' IS DISTINCT FROM 'auto' THEN
		RETURN;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT min(@extschema@.clv_first_purchase(h.history)), count(*)
		FROM {data}.history h
		WHERE h.generation = $1
	$sql$::text) INTO first, histories USING generation;
	days := clv_internal.clv_pipeline_holdout_days(d, first, as_of);
	IF days IS NULL OR days < 28 THEN
		note := 'the family chosen by BIC: the data are too short for a hold-out';
		RETURN;
	END IF;
	best := clv_internal.clv_pipeline_best(d, clv_internal.clv_pipeline_sql(d, $sql$
		SELECT h.history, NULL::pg_catalog.float8[] AS covariates
		FROM {1} AS h
	$sql$::text, ARRAY[clv_internal.clv_pipeline_keep_sample(d, generation, histories)]), as_of, calendar, days);
	PERFORM clv_internal.clv_pipeline_drop_sample(d);
	family := best.family;
	note := CASE
		WHEN family IS NOT NULL THEN format('%s chosen by the log score of a hold-out of %s days', family, days)
		ELSE format('the family chosen by BIC: %s', best.failure)
	END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_choose(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date, @extschema@.clv_calendar) IS
	'of a pipeline that leaves its family open the one that predicts a hold-out best (NULL: the fit chooses by BIC), '
	'and a sentence about the choice. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_shortfall(model @extschema@.clv_model, options pg_catalog.jsonb)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT nullif(concat_ws('; ',
		CASE WHEN NOT m.converged THEN 'the fit of the purchases did not converge' END,
		CASE WHEN NOT m.spend_converged THEN 'the fit of the spend did not converge' END,
		CASE WHEN options ->> 'spend' IS DISTINCT FROM 'none' AND m.spend_model IS NULL
			THEN 'no values, because the spend could not be fitted'
		END), '')
	FROM @extschema@.clv_diagnostics(model) m
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_shortfall(@extschema@.clv_model, pg_catalog.jsonb) IS
	'what a model lacks: an optimum, or the spend that its options ask for; NULL where it lacks nothing. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_model(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this record;
	latest record;
	fingerprint text := md5(jsonb_build_array(clv_internal.clv_pipeline_fingerprint(d), d.options, d.bins,
		d.calendar_source, d.calendar_columns, d.cuts,
		CASE WHEN d.group_by IS NOT NULL THEN d.score_within END)::text);
	reason text;
	chosen record;
	options jsonb;
	model @extschema@.clv_model;
	cuts @extschema@.clv_cuts;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET calendar = $2
		WHERE run = $1
		RETURNING mode, generation, as_of, calendar
	$sql$::text) INTO this USING run, clv_internal.clv_pipeline_calendar(d);
	IF d.calendar_source IS NOT NULL AND this.calendar IS NULL THEN
		PERFORM clv_internal.clv_raise(format('calendar_source has no rows: %s', d.calendar_source), NULL::text,
			'It needs steps from the first purchase on.'::text, 'no_data_found'::text);
	END IF;
	-- of a run that was published: what failed later may have failed because of its model
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT m.*, f.calendar
		FROM {data}.model m
		JOIN {data}.run f USING (run)
		WHERE m.group_name = '' AND m.run = (SELECT r.model_run FROM {data}.run r JOIN {data}.state USING (run))
	$sql$::text) INTO latest;
	reason := clv_internal.clv_pipeline_refit_reason(d, this, latest, fingerprint);
	IF reason IS NOT NULL THEN
		chosen := clv_internal.clv_pipeline_choose(d, this.generation, this.as_of, this.calendar);
		options := clv_internal.clv_pipeline_fit_options(d, this.as_of, this.calendar)
			|| jsonb_strip_nulls(jsonb_build_object('model', chosen.family));
		SELECT @extschema@.clv_fit(clv_internal.clv_pipeline_cells(d, this.generation, options)) INTO model;
		IF model IS NULL THEN
			PERFORM clv_internal.clv_raise(
				format('pipeline "%s" has no customers as of %s', d.name, to_char(this.as_of, 'YYYY-MM-DD')),
				NULL::text, 'Check its source, its filter and its as_of.'::text, 'no_data_found'::text);
		END IF;
		cuts := clv_internal.clv_pipeline_cuts(d, this.generation, this.as_of, model);
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.model (run, group_name, fitted_at, as_of, reason, fingerprint, model, cuts)
			VALUES ($1, '', clock_timestamp(), $2, $3, $4, $5, $6)
		$sql$::text) USING run, this.as_of, reason, fingerprint, model, cuts;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET model_run = $2
		WHERE run = $1
	$sql$::text) USING run, CASE WHEN reason IS NULL THEN latest.run ELSE run END;
	PERFORM clv_internal.clv_pipeline_note(d, run, CASE
		WHEN reason IS NULL THEN format('model of %s kept', to_char(latest.as_of, 'YYYY-MM-DD'))
		ELSE format('model fitted: %s', reason)
	END);
	IF reason IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_note(d, run, chosen.note);
	END IF;
	IF d.group_by IS NOT NULL AND reason IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_fit_groups(d, run, options || jsonb_build_object('model',
			(@extschema@.clv_diagnostics(model)).purchase_model, 'shock', false), model);
	ELSIF d.group_by IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_new_groups(d, run, latest);
	END IF;
	PERFORM clv_internal.clv_pipeline_note(d, run, clv_internal.clv_pipeline_calendar_note(this.calendar, this.as_of,
		d.horizon));
	PERFORM clv_internal.clv_pipeline_note(d, run, clv_internal.clv_pipeline_shortfall(coalesce(model, latest.model),
		d.options));
	RETURN (reason IS NOT NULL)::int4;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_model(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: fits the model and cuts the scores anew, or keeps both, as the policy has it. A part of '
	'pipelines';
-- ---- step: check, of what is wrong with the source --------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_checked(d clv_internal.clv_pipeline_definition, parts pg_catalog.int8)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
	-- {1}: the key, {2}: day and amount, {3}: that a row counts, {4}: the customers who are read
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		SELECT {1} AS customer, {2}
		FROM {source} AS s
		WHERE {4} {filter} {3}
	$sql$::text, ARRAY[
		clv_internal.clv_pipeline_sql(d, CASE
			WHEN cardinality((d).customer) = 1 THEN '{s.key}'
			ELSE 'CASE WHEN {s.known} THEN pg_catalog.concat_ws($k$/$k$, {s.key}) END'
		END),
		concat_ws(', ', clv_internal.clv_pipeline_bought_at(d) || ' AS bought_at',
			clv_internal.clv_pipeline_amount(d, false) || ' AS amount'),
		clv_internal.clv_pipeline_counted(d),
		CASE WHEN parts = 1 THEN 'true' ELSE clv_internal.clv_pipeline_sql(d, $sql$
			(NOT ({s.known}) OR {s.hash} OPERATOR(pg_catalog.%) {1} OPERATOR(pg_catalog.=) 0)
		$sql$::text, ARRAY[parts::text]) END])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_checked(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'the rows of a pipeline''s source for a check, as a query: of one of so many parts of its customers, and all of '
	'no customer. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_find_faults(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, parts pg_catalog.int8,
	OUT rows pg_catalog.int8, OUT failure pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	rows := clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.finding (run, number, severity, finding, rows, customers, advice, share, checked_at)
		SELECT {1}, c.number, c.severity, c.finding, c.rows, c.customers, c.advice, 1.0 OPERATOR(pg_catalog./) {2},
			pg_catalog.clock_timestamp()
		FROM @extschema@.clv_check({3:L}::pg_catalog.text, 'customer'::pg_catalog.text, 'bought_at'::pg_catalog.text,
			{4:L}::pg_catalog.text) WITH ORDINALITY AS c (severity, finding, rows, customers, advice, number)
	$sql$::text, ARRAY[run::text, parts::text, clv_internal.clv_pipeline_checked(d, parts),
		CASE WHEN d.amount IS NOT NULL THEN 'amount' END]));
EXCEPTION
	-- what a check cannot read is nothing to keep the results back for
	WHEN data_exception OR invalid_parameter_value OR feature_not_supported OR null_value_not_allowed THEN
		rows := 0;
		failure := SQLERRM;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_find_faults(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8) IS
	'checks the source of a pipeline, of one of so many parts of its customers, and writes the findings down; how '
	'many, or why there are none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_check(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- a check of more customers finds the same, and takes longer than the rest of the refresh
	most CONSTANT int8 := 5000;
	this record;
	found record;
	severe text;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.mode, r.histories
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO this USING run;
	IF this.mode <> 'full' THEN
		-- the last full one stands
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.finding (run, number, severity, finding, rows, customers, advice, share, checked_at)
			SELECT $1, f.number, f.severity, f.finding, f.rows, f.customers, f.advice, f.share, f.checked_at
			FROM {data}.finding f
			JOIN {data}.state s ON s.run = f.run
		$sql$::text) USING run;
		RETURN 0;
	END IF;
	found := clv_internal.clv_pipeline_find_faults(d, run, 1 + this.histories / most);
	PERFORM clv_internal.clv_pipeline_note(d, run, 'no check: ' || found.failure);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT string_agg(f.finding, ', ' ORDER BY f.number)
		FROM {data}.finding f
		WHERE f.run = $1 AND f.severity = 'error'
	$sql$::text) INTO severe USING run;
	IF severe IS NOT NULL THEN
		RAISE NOTICE 'the source of pipeline "%" is not fit for a model: %', d.name, severe
			USING DETAIL = 'The view check says in how many rows, and what to do about it.';
	END IF;
	RETURN found.rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_check(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh that reads the whole source: looks for what is wrong with it, as clv_check does, and says what '
	'is severe. A part of pipelines';
-- ---- making, changing and dropping pipelines --------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_check_name(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	taken text;
BEGIN
	IF coalesce(d.name, '') = '' OR octet_length(d.name) > 58 OR d.name LIKE E'pg\\_%' THEN
		PERFORM clv_internal.clv_raise(format('a pipeline cannot be called "%s"', coalesce(d.name, 'NULL')),
			concat('A name has 1 to 58 bytes, and does not start with pg_: ',
				'it is the name of a schema, and so is the name with _data.'),
			NULL::text, 'invalid_name'::text);
	END IF;
	SELECT n.nspname INTO taken FROM pg_namespace n WHERE n.nspname IN (d.name, clv_internal.clv_pipeline_data(d.name))
	ORDER BY 1 LIMIT 1;
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(format('schema "%s" already exists', taken),
			format('Pipeline "%s" needs the schemas "%s" and "%s" for itself.', d.name, d.name,
				clv_internal.clv_pipeline_data(d.name)),
			'Choose another name, or drop the pipeline of that name with clv_drop_pipeline.'::text,
			'duplicate_schema'::text);
	END IF;
	-- of a view, or of what a refresh works with
	SELECT u.c INTO taken
	FROM unnest(d.customer) u (c)
	WHERE u.c IN (SELECT v.name FROM clv_internal.clv_pipeline_columns(d) v WHERE NOT v.of_key)
	   OR u.c IN ('run', 'generation', 'history', 'before', 'measured', 'scores', 'prediction', 'cumulative_share',
		'loss', 'from_segment', 'from_clv', 'touched', 'group_model', 'group_cuts')
	LIMIT 1;
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(format($text$the customer's key cannot be called "%s"$text$, taken),
			'The pipeline has a column of that name already.'::text, 'Read a view that gives it another name.'::text,
			'duplicate_column'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_name(clv_internal.clv_pipeline_definition) IS
	'an error where the name of a pipeline, or that of a column of the key, is taken or cannot be one. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_resolve(
	d clv_internal.clv_pipeline_definition, path pg_catalog.text,
	customer pg_catalog.text, attributes pg_catalog.text)
RETURNS clv_internal.clv_pipeline_definition
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 50000
SET search_path = pg_catalog, pg_temp SET intervalstyle = postgres
AS $$
DECLARE
	relation regclass;
	relation_name text;
BEGIN
	BEGIN
		d.refit := CASE WHEN d.refit ~ E'\\d' THEN d.refit::interval::text ELSE d.refit END;
	EXCEPTION WHEN invalid_datetime_format OR datetime_field_overflow OR interval_field_overflow THEN
		-- refused later, with what else might be meant
	END;
	FOREACH relation_name IN ARRAY ARRAY[d.source, d.attribute_source, d.rating_source, d.calendar_source] LOOP
		IF relation_name ~* E'^\\s*(\\(|(select|with|values|table)\\s)' THEN
			PERFORM clv_internal.clv_raise(
				format('a pipeline reads a table or view by its name, not a query: %s', relation_name), NULL::text,
				'CREATE VIEW v AS that query, and give the name of the view.'::text, 'invalid_name'::text);
		END IF;
	END LOOP;
	-- names of relations mean what they mean where the caller wrote them
	PERFORM pg_catalog.set_config('search_path'::pg_catalog.text, path, true);
	SELECT r.relation, r.name INTO relation, d.source FROM clv_internal.clv_source_relation(d.source) r;
	IF d.attribute_source IS NOT NULL THEN
		d.attribute_source := (clv_internal.clv_source_relation(d.attribute_source)).name;
	END IF;
	IF d.rating_source IS NOT NULL THEN
		d.rating_source := (clv_internal.clv_source_relation(d.rating_source)).name;
	END IF;
	IF d.calendar_source IS NOT NULL THEN
		d.calendar_source := (clv_internal.clv_source_relation(d.calendar_source)).name;
	END IF;
	PERFORM pg_catalog.set_config('search_path'::pg_catalog.text, 'pg_catalog, pg_temp'::pg_catalog.text, true);
	IF customer IS NOT NULL OR d.customer IS NULL THEN
		d.customer := clv_internal.clv_pipeline_names(relation, 'customer'::text, customer);
	END IF;
	d.bought_at := (clv_internal.clv_source_column(relation, 'bought_at'::text, d.bought_at)).column_name;
	IF d.amount IS NOT NULL THEN
		d.amount := (clv_internal.clv_source_column(relation, 'amount'::text, d.amount)).column_name;
	END IF;
	IF d.returns IS NOT NULL THEN
		d.returns := (clv_internal.clv_source_column(relation, 'returns'::text, d.returns)).column_name;
	END IF;
	IF d.changed_at IS NOT NULL THEN
		d.changed_at := (clv_internal.clv_source_column(relation, 'changed_at'::text, d.changed_at)).column_name;
	END IF;
	IF attributes IS NOT NULL THEN
		-- without a relation they are refused later
		d.attributes := CASE
			WHEN d.attribute_source IS NULL THEN ARRAY[attributes]
			ELSE clv_internal.clv_pipeline_names((clv_internal.clv_source_relation(d.attribute_source)).relation,
				'attributes'::text, attributes)
		END;
	END IF;
	IF d.rating_source IS NOT NULL THEN
		relation := (clv_internal.clv_source_relation(d.rating_source)).relation;
		d.rating := (clv_internal.clv_source_column(relation, 'rating'::text, d.rating)).column_name;
		IF d.rated_at IS NOT NULL THEN
			d.rated_at := (clv_internal.clv_source_column(relation, 'rated_at'::text, d.rated_at)).column_name;
		END IF;
	END IF;
	IF d.group_by IS NOT NULL THEN
		d.group_by := clv_internal.clv_pipeline_resolve_group(d, d.group_by);
	END IF;
	IF d.calendar_source IS NOT NULL AND d.calendar_columns IS NULL THEN
		d.calendar_columns := clv_internal.clv_pipeline_calendar_columns(
			clv_internal.clv_pipeline_check_relation('calendar_source'::text, d.calendar_source));
	END IF;
	RETURN d;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_resolve(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'a definition with the names of relations qualified, as found by a search_path, and those of columns as the '
	'catalog has them. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_path() RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 100
RETURN (SELECT pg_catalog.concat_ws(', ', 'pg_catalog',
	pg_catalog.string_agg(pg_catalog.quote_ident(u.s), ', ' ORDER BY u.i), 'pg_temp')
	FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS u (s, i)
	WHERE u.s OPERATOR(pg_catalog.<>) 'pg_catalog');
COMMENT ON FUNCTION clv_internal.clv_pipeline_path() IS
	'the caller''s search_path, behind pg_catalog and before temporary relations. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_options(
	options pg_catalog.jsonb, model pg_catalog.text, season pg_catalog.text, spend pg_catalog.bool)
RETURNS pg_catalog.jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF options IS NULL THEN
		options := jsonb_build_object('model', coalesce(model, 'mbg/nbd'));
	ELSIF model IS NOT NULL THEN
		options := options || jsonb_build_object('model', model);
	END IF;
	IF season IS NOT NULL THEN
		options := options || jsonb_build_object('season', season);
	END IF;
	RETURN CASE WHEN spend THEN options ELSE options || jsonb_build_object('spend', 'none') END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_options(
	pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.bool) IS
	'the options of a pipeline''s fits: those given, with the family and the season named apart, without spend where '
	'there are no amounts. A part of pipelines';

CREATE PROCEDURE @extschema@.clv_create_pipeline(
	name pg_catalog.text,
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text DEFAULT NULL,
	horizon pg_catalog.interval DEFAULT '1 year',
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	model pg_catalog.text DEFAULT NULL,
	map pg_catalog.text DEFAULT 'rfmtc',
	filter pg_catalog.text DEFAULT NULL,
	"returns" pg_catalog.text DEFAULT NULL,
	changed_at pg_catalog.text DEFAULT NULL,
	overlap pg_catalog.interval DEFAULT '1 hour',
	time_zone pg_catalog.text DEFAULT 'UTC',
	occasion pg_catalog.int4 DEFAULT 1,
	as_of pg_catalog.text DEFAULT 'last purchase',
	refit pg_catalog.text DEFAULT 'auto',
	options pg_catalog.jsonb DEFAULT NULL,
	bins pg_catalog.int4 DEFAULT 5,
	level pg_catalog.float8 DEFAULT NULL,
	holdout pg_catalog.interval DEFAULT NULL,
	attribute_source pg_catalog.text DEFAULT NULL,
	attributes pg_catalog.text DEFAULT NULL,
	rating_source pg_catalog.text DEFAULT NULL,
	rating pg_catalog.text DEFAULT NULL,
	rated_at pg_catalog.text DEFAULT NULL,
	list_size pg_catalog.int4 DEFAULT 1000,
	season clv_internal.clv_choice DEFAULT NULL,
	calendar_source pg_catalog.text DEFAULT NULL,
	cuts pg_catalog.jsonb DEFAULT NULL,
	tiers pg_catalog.int4[] DEFAULT '{10,70}',
	group_by pg_catalog.text DEFAULT NULL,
	score_within pg_catalog.text DEFAULT 'all'
)
LANGUAGE plpgsql AS $$
DECLARE
	d clv_internal.clv_pipeline_definition;
	path pg_catalog.text := clv_internal.clv_pipeline_path();
BEGIN
	d.name := name;
	d.source := source;
	d.bought_at := bought_at;
	d.amount := amount;
	d."returns" := "returns";
	d.changed_at := changed_at;
	d.overlap := overlap;
	d.filter := filter;
	d.search_path := path;
	d.time_zone := time_zone;
	d.occasion := occasion;
	d.as_of := as_of;
	d.options := clv_internal.clv_pipeline_options(options, model, season::pg_catalog.text, amount IS NOT NULL);
	d.refit := refit;
	d.horizon := horizon;
	d.discount_rate := discount_rate;
	d.margin := margin;
	d.level := level;
	d.map := map;
	d.bins := bins;
	d.holdout := holdout;
	d.attribute_source := attribute_source;
	d.rating_source := rating_source;
	d.rating := rating;
	d.rated_at := rated_at;
	d.calendar_source := calendar_source;
	d.list_size := list_size;
	d.cuts := cuts;
	d.tiers := tiers;
	d.group_by := group_by;
	d.score_within := score_within;
	d.created_at := pg_catalog.now();
	d := clv_internal.clv_pipeline_resolve(d, path, customer, attributes);
	PERFORM clv_internal.clv_pipeline_check(d);
	PERFORM clv_internal.clv_pipeline_check_name(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'CREATE SCHEMA {views}'::pg_catalog.text);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'CREATE SCHEMA {data}'::pg_catalog.text);
	PERFORM clv_internal.clv_pipeline_create_tables(d);
	PERFORM clv_internal.clv_pipeline_distribute(d);
	PERFORM clv_internal.clv_pipeline_create_views(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		COMMENT ON SCHEMA {views} IS 'views of customers, segments and values: see clv_refresh'
	$sql$::pg_catalog.text);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		COMMENT ON SCHEMA {data} IS 'tables behind the views: to be changed by clv_refresh alone'
	$sql$::pg_catalog.text);
END
$$;
COMMENT ON PROCEDURE @extschema@.clv_create_pipeline(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.interval,
	pg_catalog.float8, pg_catalog.float8, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text,
	pg_catalog.text, pg_catalog.interval, pg_catalog.text, pg_catalog.int4, pg_catalog.text, pg_catalog.text,
	pg_catalog.jsonb, pg_catalog.int4, pg_catalog.float8, pg_catalog.interval, pg_catalog.text, pg_catalog.text,
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.int4, clv_internal.clv_choice,
	pg_catalog.text, pg_catalog.jsonb, pg_catalog.int4[], pg_catalog.text, pg_catalog.text) IS
	'makes a pipeline: the schema of that name with views, and the same name with _data with their tables, all empty '
	'until clv_refresh(name). source: a table or view as SQL names it; customer: its key, one column or several '
	'separated by commas; bought_at, amount: columns (amount NULL: without money); horizon, discount_rate (per '
	'year), margin (share of revenue kept), level (NULL: no intervals per customer, which cost most of the time): as '
	'of clv_predict; model: a family or ''auto'' (default mbg/nbd), options: of clv_options for the rest; map, bins: '
	'of segment_assign; filter: a condition over the columns of source; returns: a boolean column that marks '
	'returns, whose amounts then count as negative; changed_at: a column that says when a row was written, for '
	'incremental refreshes, which read again what was written up to overlap before the latest; time_zone: of the '
	'days, for timestamptz; occasion: days that count as one; as_of: ''last purchase'' (never later than today), '
	'''yesterday'', ''today'' or a date as 2017-01-31; refit: ''auto'' (by full refreshes, and by others after 7 '
	'days), ''always'', ''never'', ''drift'' or a time such as ''7 days''; holdout: of the validation (default: the '
	'horizon, at most a third of the data); attribute_source, attributes: a relation with one row a customer, and '
	'columns of it for profile and for maps; rating_source, '
	'rating, rated_at: a relation with ratings from 0 to 10 and their times; both have the customer''s key under the '
	'same names; list_size: rows of winback, next_best and alerts; season: of clv_options; calendar_source: a relation '
	'with a column of days, the first ones of steps, past ones and those to come, and columns of covariates, numbers '
	'or booleans, that all customers have from that day on, read at each refresh; cuts: thresholds of your own, by '
	'score: '
	'{"r": [30, 90], "f": 3} are two limits for r and three bins for f; tiers: the percentiles of clv below which '
	'customers have the tier low and above which high; group_by: a column of source, or of attribute_source, such as '
	'a country: each group has a model of its own, pooled with the others, customers of several are of the group of '
	'their latest purchase, and no value is the group (none); score_within: ''all'' scores customers among all, '
	'''group'' among those of their group. Errors name what does not fit';

CREATE FUNCTION clv_internal.clv_pipeline_write(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM clv_internal.clv_pipeline_check(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.pipeline'::text);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.pipeline VALUES ($1.*)
	$sql$::text) USING d;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_write(clv_internal.clv_pipeline_definition) IS
	'checks a changed definition and puts it in the place of the old one. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_literal(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
AS $$ SELECT quote_literal(d) $$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_literal(clv_internal.clv_pipeline_definition) IS
	'a definition as a literal, without loss. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_reset(d clv_internal.clv_pipeline_definition, fields pg_catalog.text[])
RETURNS clv_internal.clv_pipeline_definition
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	field text;
BEGIN
	FOREACH field IN ARRAY coalesce(fields, '{}') LOOP
		CASE field
			WHEN 'amount' THEN d.amount := NULL;
			WHEN 'filter' THEN d.filter := NULL;
			WHEN 'returns' THEN d."returns" := NULL;
			WHEN 'changed_at' THEN d.changed_at := NULL;
			WHEN 'level' THEN d.level := NULL;
			WHEN 'holdout' THEN d.holdout := NULL;
			WHEN 'cuts' THEN d.cuts := NULL;
			WHEN 'rated_at' THEN d.rated_at := NULL;
			WHEN 'attributes' THEN
				d.attribute_source := NULL;
				d.attributes := NULL;
			WHEN 'ratings' THEN
				d.rating_source := NULL;
				d.rating := NULL;
				d.rated_at := NULL;
			WHEN 'group_by' THEN d.group_by := NULL;
			WHEN 'season' THEN d.options := d.options - 'season';
			WHEN 'calendar_source' THEN
				d.calendar_source := NULL;
				d.calendar_columns := NULL;
			ELSE
				PERFORM clv_internal.clv_raise(format('"%s" cannot be reset', coalesce(field, 'NULL')),
					concat('These can: amount, filter, returns, changed_at, level, holdout, cuts, attributes, ',
						'ratings, rated_at, season, calendar_source, group_by.'),
					'Give other arguments the value they are to have.'::text, 'invalid_parameter_value'::text);
		END CASE;
	END LOOP;
	RETURN d;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_reset(clv_internal.clv_pipeline_definition, pg_catalog.text[]) IS
	'a definition without the fields of that name; an error for a field that a pipeline needs. A part of pipelines';

CREATE PROCEDURE @extschema@.clv_alter_pipeline(
	name pg_catalog.text,
	source pg_catalog.text DEFAULT NULL,
	bought_at pg_catalog.text DEFAULT NULL,
	amount pg_catalog.text DEFAULT NULL,
	horizon pg_catalog.interval DEFAULT NULL,
	discount_rate pg_catalog.float8 DEFAULT NULL,
	margin pg_catalog.float8 DEFAULT NULL,
	model pg_catalog.text DEFAULT NULL,
	map pg_catalog.text DEFAULT NULL,
	filter pg_catalog.text DEFAULT NULL,
	"returns" pg_catalog.text DEFAULT NULL,
	changed_at pg_catalog.text DEFAULT NULL,
	overlap pg_catalog.interval DEFAULT NULL,
	time_zone pg_catalog.text DEFAULT NULL,
	occasion pg_catalog.int4 DEFAULT NULL,
	as_of pg_catalog.text DEFAULT NULL,
	refit pg_catalog.text DEFAULT NULL,
	options pg_catalog.jsonb DEFAULT NULL,
	bins pg_catalog.int4 DEFAULT NULL,
	level pg_catalog.float8 DEFAULT NULL,
	holdout pg_catalog.interval DEFAULT NULL,
	attribute_source pg_catalog.text DEFAULT NULL,
	attributes pg_catalog.text DEFAULT NULL,
	rating_source pg_catalog.text DEFAULT NULL,
	rating pg_catalog.text DEFAULT NULL,
	rated_at pg_catalog.text DEFAULT NULL,
	list_size pg_catalog.int4 DEFAULT NULL,
	"reset" pg_catalog.text[] DEFAULT NULL,
	season clv_internal.clv_choice DEFAULT NULL,
	calendar_source pg_catalog.text DEFAULT NULL,
	cuts pg_catalog.jsonb DEFAULT NULL,
	tiers pg_catalog.int4[] DEFAULT NULL,
	group_by pg_catalog.text DEFAULT NULL,
	score_within pg_catalog.text DEFAULT NULL
)
LANGUAGE plpgsql AS $$
DECLARE
	d clv_internal.clv_pipeline_definition := clv_internal.clv_pipeline_read(name);
	path pg_catalog.text := clv_internal.clv_pipeline_path();
BEGIN
	d := clv_internal.clv_pipeline_reset(d, "reset");
	d.source := coalesce(source, d.source);
	d.bought_at := coalesce(bought_at, d.bought_at);
	d.amount := coalesce(amount, d.amount);
	d."returns" := coalesce("returns", d."returns");
	d.changed_at := coalesce(changed_at, d.changed_at);
	d.overlap := coalesce(overlap, d.overlap);
	IF filter IS NOT NULL THEN
		d.filter := filter;
		d.search_path := path;
	END IF;
	d.time_zone := coalesce(time_zone, d.time_zone);
	d.occasion := coalesce(occasion, d.occasion);
	d.as_of := coalesce(as_of, d.as_of);
	d.options := clv_internal.clv_pipeline_options(coalesce(options, d.options), model, season::pg_catalog.text,
		d.amount IS NOT NULL);
	IF amount IS NOT NULL AND options IS NULL THEN
		d.options := d.options OPERATOR(pg_catalog.-) 'spend';
	END IF;
	d.refit := coalesce(refit, d.refit);
	d.horizon := coalesce(horizon, d.horizon);
	d.discount_rate := coalesce(discount_rate, d.discount_rate);
	d.margin := coalesce(margin, d.margin);
	d.level := coalesce(level, d.level);
	d.map := coalesce(map, d.map);
	d.bins := coalesce(bins, d.bins);
	d.holdout := coalesce(holdout, d.holdout);
	d.attribute_source := coalesce(attribute_source, d.attribute_source);
	d.rating_source := coalesce(rating_source, d.rating_source);
	d.rating := coalesce(rating, d.rating);
	d.rated_at := coalesce(rated_at, d.rated_at);
	IF calendar_source IS NOT NULL THEN
		d.calendar_source := calendar_source;
		d.calendar_columns := NULL;
	END IF;
	d.list_size := coalesce(list_size, d.list_size);
	d.cuts := coalesce(cuts, d.cuts);
	d.tiers := coalesce(tiers, d.tiers);
	d.group_by := coalesce(group_by, d.group_by);
	d.score_within := coalesce(score_within, d.score_within, 'all');
	d := clv_internal.clv_pipeline_resolve(d, path, NULL::pg_catalog.text, attributes);
	PERFORM clv_internal.clv_pipeline_as_owner(clv_internal.clv_pipeline_find(name), pg_catalog.format($sql$
		SELECT clv_internal.clv_pipeline_write(%s::clv_internal.clv_pipeline_definition)
	$sql$, clv_internal.clv_pipeline_literal(d)));
END
$$;
COMMENT ON PROCEDURE @extschema@.clv_alter_pipeline(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text,
	pg_catalog.interval, pg_catalog.text, pg_catalog.int4, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb,
	pg_catalog.int4, pg_catalog.float8, pg_catalog.interval, pg_catalog.text, pg_catalog.text, pg_catalog.text,
	pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.text[], clv_internal.clv_choice,
	pg_catalog.text, pg_catalog.jsonb, pg_catalog.int4[], pg_catalog.text, pg_catalog.text) IS
	'changes a pipeline from its next refresh on; arguments are those of clv_create_pipeline, NULL changes '
	'nothing. reset: the options to remove, of amount, filter, returns, changed_at, level, holdout, cuts, attributes, '
	'ratings, rated_at, season, calendar_source, group_by. The customer''s key cannot change. Where what is read of '
	'the source changes, the next refresh is a full one';

CREATE FUNCTION clv_internal.clv_pipeline_drop_objects(name pg_catalog.text, cascade pg_catalog.bool)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	object record;
BEGIN
	IF NOT cascade THEN
		-- one by one, so that what others have built upon them is not swept away
		FOR object IN
			SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, n.nspname AS schema, c.relname AS name
			FROM pg_class c
			JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE (n.nspname = clv_pipeline_drop_objects.name
				   AND c.relkind = 'v'
				   AND c.relname IN (SELECT v.name FROM clv_internal.clv_pipeline_views() v))
			   OR (n.nspname = clv_internal.clv_pipeline_data(clv_pipeline_drop_objects.name)
				   AND c.relkind IN ('r', 'p')
				   AND NOT c.relispartition)
			ORDER BY c.relkind DESC, c.relname
		LOOP
			EXECUTE format('DROP %s %I.%I', object.kind, object.schema, object.name);
		END LOOP;
	END IF;
	EXECUTE format('DROP SCHEMA %I, %I %s', name, clv_internal.clv_pipeline_data(name),
		CASE WHEN cascade THEN 'CASCADE' END);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_drop_objects(pg_catalog.text, pg_catalog.bool) IS
	'drops the schemas of a pipeline and all that belongs to it, or cascade, all that depends on it. A part of '
	'pipelines';

CREATE PROCEDURE @extschema@.clv_drop_pipeline(name pg_catalog.text, cascade pg_catalog.bool DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
	owner pg_catalog.oid := clv_internal.clv_pipeline_find(name);
BEGIN
	IF NOT clv_internal.clv_pipeline_as_owner(owner, pg_catalog.format($sql$
		SELECT clv_internal.clv_pipeline_lock(%L::pg_catalog.text, false)
	$sql$, name))::pg_catalog.bool THEN
		PERFORM clv_internal.clv_raise(pg_catalog.format('pipeline "%s" is being refreshed', name),
			NULL::pg_catalog.text,
			'Wait until the refresh has ended, or cancel it.'::pg_catalog.text, 'object_in_use'::pg_catalog.text);
	END IF;
	PERFORM @extschema@.clv_unschedule(name) WHERE clv_internal.clv_pipeline_cron();
	PERFORM clv_internal.clv_pipeline_as_owner(owner, pg_catalog.format($sql$
		SELECT clv_internal.clv_pipeline_drop_objects(%L::pg_catalog.text, %L::pg_catalog.bool)
	$sql$, name, coalesce(cascade, false)));
END
$$;
COMMENT ON PROCEDURE @extschema@.clv_drop_pipeline(pg_catalog.text, pg_catalog.bool) IS
	'drops a pipeline with its views, tables and schedule; what others have made that depends on them is an error, '
	'or goes too with cascade. A refresh that runs is an error';
-- ---- forgetting a customer --------------------------------------------------------------------------------
--
-- The tables are those that declare the columns of the key, so that one that is added to the views is not left out.
-- Sums and models are of many; the cells that the next fit would start from, and the sums that the next run would, are
-- counted anew.

CREATE FUNCTION clv_internal.clv_pipeline_key_is(
	d clv_internal.clv_pipeline_definition, alias pg_catalog.text, key pg_catalog.text[])
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format('%s.%I %s %L::%s', alias, u.name, clv_internal.clv_pipeline_equal(d, u.name), key[u.i],
		format_type(a.atttypid, a.atttypmod)), ' AND ' ORDER BY u.i)
	FROM unnest((d).customer) WITH ORDINALITY AS u (name, i)
	JOIN pg_attribute a ON a.attname = u.name
		AND a.attrelid = clv_internal.clv_pipeline_sql(d, '{data}.history'::text)::regclass
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_key_is(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.text[]) IS
	'the condition that a row of a relation of that alias is of the customer of a key, given as text. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_keyed_tables(d clv_internal.clv_pipeline_definition)
RETURNS SETOF pg_catalog.regclass
LANGUAGE sql STABLE PARALLEL SAFE COST 5000 ROWS 6
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.oid::regclass
	FROM clv_internal.clv_pipeline_parts() p
	JOIN pg_class c ON c.relname = p.name
		AND c.relnamespace = quote_ident(clv_internal.clv_pipeline_data((d).name))::regnamespace
	WHERE p.kind = 'table'
	  -- where their columns are declared
	  AND p.statement LIKE '%{1}%'
	ORDER BY c.relname
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_keyed_tables(clv_internal.clv_pipeline_definition) IS
	'the tables of a pipeline that have the columns of the customer''s key. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_forget_errors(
	d clv_internal.clv_pipeline_definition, key pg_catalog.text[])
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET error = replace(replace(error, 'customer ' || $1::text, 'customer (forgotten)'), 'customer ' || $2::text,
			'customer (forgotten)')
		WHERE starts_with(error, 'the amounts of customer ' || $1::text || ' add up to ')
		   OR right(error, length($2::text) + 30) = 'more than one row of customer ' || $2::text
	$sql$::text) USING array_to_string(key, ', '), array_to_string(key, '/');
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_forget_errors(
	clv_internal.clv_pipeline_definition, pg_catalog.text[]) IS
	'takes the key of a customer out of the errors that name them. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_forget(
	d clv_internal.clv_pipeline_definition, key pg_catalog.text[])
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	IF coalesce(cardinality(key), 0) <> cardinality(d.customer) THEN
		PERFORM clv_internal.clv_raise(
			format('the key of a customer of pipeline "%s" has another number of columns than %s', d.name,
				coalesce(cardinality(key), 0)),
			format('Its columns are: %s.', clv_internal.clv_pipeline_list(d.customer)),
			'Give a value for each, in this order.'::text, 'invalid_parameter_value'::text);
	ELSIF array_position(key, NULL) IS NOT NULL THEN
		PERFORM clv_internal.clv_raise(
			format('the key of a customer must not be NULL: %s', array_to_string(key, ', ', 'NULL')), NULL::text,
			'Rows without a key are of no customer, and a pipeline holds nothing of them but their sum.'::text,
			'null_value_not_allowed'::text);
	END IF;
	FOR part IN
		SELECT u.name, u.value, format_type(a.atttypid, a.atttypmod) AS type
		FROM unnest(d.customer, key) u (name, value)
		JOIN pg_attribute a ON a.attname = u.name
			AND a.attrelid = clv_internal.clv_pipeline_sql(d, '{data}.history'::text)::regclass
	LOOP
		BEGIN
			EXECUTE format('SELECT %L::%s', part.value, part.type);
		EXCEPTION WHEN data_exception OR check_violation THEN
			PERFORM clv_internal.clv_raise(
				format('column "%s" of the key of a customer must be of type %s: %s', part.name, part.type, part.value),
				SQLERRM || '.', NULL::text, 'invalid_parameter_value'::text);
		END;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_forget(
	clv_internal.clv_pipeline_definition, pg_catalog.text[]) IS
	'an error where a key given as text cannot be one of the pipeline. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_forget_rows(name pg_catalog.text, key pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET timezone = 'UTC'
SET extra_float_digits = 1 SET standard_conforming_strings = on SET default_statistics_target = 30
AS $$
DECLARE
	d clv_internal.clv_pipeline_definition := clv_internal.clv_pipeline_read(name);
	keyed regclass;
	leaf regclass;
	rows int8;
	total int8 := 0;
BEGIN
	PERFORM clv_internal.clv_pipeline_check_forget(d, key);
	-- then a refresh is between two of its steps, of which the next ones read what is left
	PERFORM clv_internal.clv_pipeline_lock(name, true);
	-- a step that has waited for us with an older snapshot fails, rather than writing what it still sees
	EXECUTE clv_internal.clv_pipeline_sql(d, 'UPDATE {data}.state SET run = run'::text);
	FOR keyed IN SELECT clv_internal.clv_pipeline_keyed_tables(d) LOOP
		EXECUTE format('DELETE FROM %s t WHERE %s', keyed, clv_internal.clv_pipeline_key_is(d, 't'::text, key));
		GET DIAGNOSTICS rows = ROW_COUNT;
		IF rows > 0 THEN
			total := total + rows;
			-- statistics hold values of the rows that they were made from
			FOR leaf IN
				SELECT c.oid
				FROM pg_class c
				LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
				WHERE c.relkind = 'r' AND keyed IN (c.oid, i.inhparent)
			LOOP
				EXECUTE format('ANALYZE %s', leaf);
			END LOOP;
		END IF;
	END LOOP;
	IF total > 0 THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.cells'::text);
		-- of the run that is shown, and of one that goes on
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.run r
			SET made_of = NULL
			FROM {data}.state s
			WHERE r.run >= s.run
		$sql$::text);
	END IF;
	PERFORM clv_internal.clv_pipeline_forget_errors(d, key);
	RETURN total;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_forget_rows(pg_catalog.text, pg_catalog.text[]) IS
	'deletes all rows of a customer from the tables of a pipeline, waiting for the end of a step of a refresh; how '
	'many. To be called as the owner. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_still_there(name pg_catalog.text, key pg_catalog.text[])
RETURNS pg_catalog.bool
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	d clv_internal.clv_pipeline_definition := clv_internal.clv_pipeline_read(name);
BEGIN
	RETURN clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
		SELECT
		FROM {source} AS s
		WHERE {1} {filter} {2}
		LIMIT 1
	$sql$::text, ARRAY[clv_internal.clv_pipeline_key_is(d, 's'::text, key),
		clv_internal.clv_pipeline_counted(d)])) > 0;
EXCEPTION
	-- what cannot be read, because it is gone or forbidden, cannot bring a customer back either
	WHEN undefined_table OR undefined_column OR insufficient_privilege OR wrong_object_type THEN
		RAISE NOTICE 'the source of pipeline "%" could not be read: %', name, SQLERRM;
		RETURN false;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_still_there(pg_catalog.text, pg_catalog.text[]) IS
	'whether the source of a pipeline has rows of a customer that the next full refresh would read. To be called as '
	'the owner. A part of pipelines';

CREATE PROCEDURE @extschema@.clv_forget(pipeline pg_catalog.text, VARIADIC key pg_catalog.anycompatiblearray)
LANGUAGE plpgsql
-- what is typed becomes the text that its column reads, whatever the session has set
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET timezone = 'UTC'
SET extra_float_digits = 1 SET standard_conforming_strings = on
AS $$
DECLARE
	owner oid := clv_internal.clv_pipeline_find(pipeline);
	columns text[] := key::text[];
	customer text := array_to_string(columns, ', ');
	rows int8;
BEGIN
	rows := clv_internal.clv_pipeline_as_owner(owner, format($sql$
		SELECT clv_internal.clv_pipeline_forget_rows(%L::pg_catalog.text, %L::pg_catalog.text[])
	$sql$, pipeline, columns));
	RAISE NOTICE 'rows of customer % erased from pipeline "%": %', customer, pipeline, rows;
	IF clv_internal.clv_pipeline_as_owner(owner, format($sql$
		SELECT clv_internal.clv_pipeline_still_there(%L::pg_catalog.text, %L::pg_catalog.text[])
	$sql$, pipeline, columns))::bool THEN
		RAISE WARNING 'the source of pipeline "%" still has rows of customer %', pipeline, customer
			USING DETAIL = 'A refresh that reads them brings the customer back.',
				HINT = 'Delete them, or let the filter of the pipeline leave them out.';
	END IF;
END
$$;
COMMENT ON PROCEDURE @extschema@.clv_forget(pg_catalog.text, pg_catalog.anycompatiblearray) IS
	'erases a customer from every table of a pipeline, of all runs, at once: histories, results, lists, errors that '
	'name them. key: a value for each column of the customer''s key, in its order; each in quotes, where their types '
	'differ. Sums and models, in which they were one of many, are made without them by the next refresh. They stay '
	'erased as long as the source has no rows of them: where it has, that is a warning. Only members of the '
	'pipeline''s owner may call it';
-- ---- schedules, and the list of pipelines -----------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_cron() RETURNS pg_catalog.bool
LANGUAGE sql STABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (SELECT FROM pg_extension e, pg_namespace n
		WHERE e.extname = 'pg_cron' AND n.nspname = 'cron' AND has_schema_privilege(n.oid, 'USAGE'))
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_cron() IS
	'whether pg_cron is installed in this database, and for the caller to use. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_cron(command pg_catalog.text) RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cron_database text := (SELECT s.setting FROM pg_settings s WHERE s.name = 'cron.database_name');
BEGIN
	IF clv_internal.clv_pipeline_cron() THEN
		RETURN;
	ELSIF EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
		PERFORM clv_internal.clv_raise('permission denied for pg_cron'::text, NULL::text,
			format('A superuser can grant it: GRANT USAGE ON SCHEMA cron TO %I;', current_user),
			'insufficient_privilege'::text);
	ELSIF cron_database <> current_database() THEN
		PERFORM clv_internal.clv_raise('pg_cron is not installed in this database'::text,
			format('On this server it works from database "%s".', cron_database),
			format('There: SELECT cron.schedule_in_database(<job name>, <schedule>, %L, %L, %L);', command,
				current_database(), current_user),
			'feature_not_supported'::text);
	END IF;
	PERFORM clv_internal.clv_raise('pg_cron is not installed in this database'::text, NULL::text,
		concat('CREATE EXTENSION pg_cron, of which a server has one database (cron.database_name); ',
			'or let another scheduler run: ', command), 'feature_not_supported'::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_cron(pg_catalog.text) IS
	'an error, with a hint, where the caller cannot let pg_cron run the command from this database. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_job(name pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
-- pg_cron's names of jobs end after 63 bytes, and must not end alike
RETURN pg_catalog.concat('clv pipeline ', CASE WHEN pg_catalog.octet_length(name) OPERATOR(pg_catalog.<=) 50
	THEN name ELSE pg_catalog.md5(name) END);
COMMENT ON FUNCTION clv_internal.clv_pipeline_job(pg_catalog.text) IS
	'what the job of a pipeline is called in pg_cron; long names come in as their md5. A part of pipelines';

CREATE FUNCTION @extschema@.clv_unschedule(name pg_catalog.text) RETURNS pg_catalog.bool
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	job int8;
	ended bool := false;
BEGIN
	-- an unknown pipeline and a missing right are reported before a missing pg_cron
	PERFORM clv_internal.clv_pipeline_find(name) WHERE NOT clv_internal.clv_pipeline_cron();
	PERFORM clv_internal.clv_pipeline_check_cron(format('CALL %s.clv_refresh(%L)', '@extschema@', name));
	FOR job IN EXECUTE $sql$
		SELECT j.jobid
		FROM cron.job j
		WHERE j.jobname = $1
		  AND j.database = current_database()
		  AND (j.username = current_user OR has_table_privilege('cron.job', 'DELETE'))
	$sql$ USING clv_internal.clv_pipeline_job(name) LOOP
		EXECUTE 'SELECT cron.unschedule($1)' USING job;
		ended := true;
	END LOOP;
	-- a role may end its job when it is no member of the owner any more, or the pipeline is gone; without a job the
	-- pipeline must be one of the caller's
	IF NOT ended THEN
		PERFORM clv_internal.clv_pipeline_find(name);
	END IF;
	RETURN ended;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_unschedule(pg_catalog.text) IS
	'ends the caller''s schedule of a pipeline in pg_cron, for a superuser those of all roles; false where there '
	'was none. It works as well after the pipeline was dropped, or was taken from the caller';

CREATE FUNCTION @extschema@.clv_schedule(
	name pg_catalog.text, schedule pg_catalog.text, mode pg_catalog.text DEFAULT 'auto')
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	command text := format('CALL %s.clv_refresh(%L::pg_catalog.text, %L::pg_catalog.text, '
		'NULL::pg_catalog.date, %L::pg_catalog.text)', '@extschema@', name, mode, 'error');
	job int8;
BEGIN
	PERFORM clv_internal.clv_pipeline_find(name);
	IF schedule IS NULL THEN
		PERFORM clv_internal.clv_raise('schedule must be a cron expression, not NULL'::text, NULL::text,
			$text$An example is '0 3 * * *', every night at three.$text$::text, 'null_value_not_allowed'::text);
	ELSIF mode IS NULL OR mode NOT IN ('auto', 'full', 'incremental') THEN
		PERFORM clv_internal.clv_raise(format('invalid mode "%s"', coalesce(mode, 'NULL')), NULL::text,
			$text$Valid modes are 'auto', 'full' and 'incremental'.$text$::text, 'invalid_parameter_value'::text);
	END IF;
	PERFORM clv_internal.clv_pipeline_check_cron(command);
	IF NOT (SELECT u.rolcanlogin FROM pg_roles u WHERE u.rolname = current_user) THEN
		PERFORM clv_internal.clv_raise(format('role "%s" cannot log in', current_user),
			'pg_cron runs a job as the role that has scheduled it, which must have the attribute LOGIN.'::text,
			$text$RESET ROLE, and schedule it as a role that can log in and is a member of the pipeline's owner.$text$
				::text,
			'insufficient_privilege'::text);
	END IF;
	-- pg_cron would keep of a job of that name whatever it is not told anew: its database, whether it is paused
	PERFORM @extschema@.clv_unschedule(name);
	EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO job USING clv_internal.clv_pipeline_job(name), schedule, command;
	RETURN job;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_schedule(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'lets pg_cron refresh a pipeline, in the name of the caller, who must be a member of its owner and a role that '
	'can log in: schedule as of cron, such as 0 3 * * * (in the time zone of pg_cron, GMT unless set otherwise); '
	'mode as of clv_refresh. Takes the place of the schedules that clv_unschedule would end. The number of the job; '
	'an error where pg_cron is not installed in this database, or not for the caller';

CREATE FUNCTION clv_internal.clv_pipeline_overview()
RETURNS TABLE (
	name pg_catalog.text, owner pg_catalog.name, source pg_catalog.text, customer pg_catalog.text,
		model pg_catalog.text,
	map pg_catalog.text, horizon pg_catalog.interval, refit pg_catalog.text, as_of pg_catalog.date,
		published_at pg_catalog.timestamptz,
	customers pg_catalog.int8, last_run pg_catalog.int8, last_status pg_catalog.text,
		last_started_at pg_catalog.timestamptz,
	last_error pg_catalog.text, schedule pg_catalog.text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 50000 ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
	d clv_internal.clv_pipeline_definition;
	latest jsonb;
BEGIN
	FOR found IN
		SELECT t.name, t.owner
		FROM clv_internal.clv_pipeline_tables() t
		WHERE clv_internal.clv_pipeline_may(t.owner)
		ORDER BY t.name
	LOOP
		name := found.name;
		owner := pg_get_userbyid(found.owner);
		-- a pipeline that cannot be read must not hide the others
		BEGIN
			d := NULL;
			SELECT INTO as_of, published_at, customers, last_run, last_status, last_started_at, last_error;
			d := clv_internal.clv_pipeline_read(name);
			latest := clv_internal.clv_pipeline_as_owner(found.owner, clv_internal.clv_pipeline_sql(d, $sql$
				SELECT to_jsonb(q)
				FROM (
					SELECT c.as_of, c.published_at, c.customers, l.run, l.status, l.started_at, l.error
					FROM {views}.runs l
					LEFT JOIN {views}.runs c ON c.is_current
					ORDER BY l.run DESC
					LIMIT 1
				) q
			$sql$::text));
			as_of := latest ->> 'as_of';
			published_at := latest ->> 'published_at';
			customers := latest ->> 'customers';
			last_run := latest ->> 'run';
			last_status := latest ->> 'status';
			last_started_at := latest ->> 'started_at';
			last_error := latest ->> 'error';
		EXCEPTION WHEN OTHERS THEN
			last_status := NULL;
			last_error := SQLERRM;
		END;
		source := d.source;
		customer := clv_internal.clv_pipeline_list(d.customer);
		model := d.options ->> 'model';
		map := d.map;
		horizon := d.horizon;
		refit := d.refit;
		schedule := NULL;
		IF clv_internal.clv_pipeline_cron() THEN
			EXECUTE $sql$
				SELECT string_agg(DISTINCT j.schedule, '; ')
				FROM cron.job j
				WHERE j.jobname = $1 AND j.database = current_database() AND j.active
			$sql$ INTO schedule USING clv_internal.clv_pipeline_job(name);
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_overview() IS
	'the rows of the view clv_pipelines. A part of pipelines';

CREATE VIEW @extschema@.clv_pipelines AS SELECT * FROM clv_internal.clv_pipeline_overview();
COMMENT ON VIEW @extschema@.clv_pipelines IS
	'the pipelines of this database whose owners the reader is a member of, with their latest refresh';
GRANT SELECT ON @extschema@.clv_pipelines TO PUBLIC;
