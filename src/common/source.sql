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
