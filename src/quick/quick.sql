-- ---- the quick look: one call over a table or view by name --------------------------------------
--
-- These functions write the statements that the documentation shows, and run them with the rights and the
-- search_path of the caller. They read the caller's tables, temporary ones too: parallel restricted, stable.

CREATE FUNCTION @extschema@.clv_ratio(number pg_catalog.float8, by_number pg_catalog.float8) RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
-- not strict, or it could not be inlined; nullif() would look for its operator in the caller's search_path
RETURN CASE WHEN by_number OPERATOR(pg_catalog.<>) 0::pg_catalog.float8
	AND pg_catalog.abs(by_number) OPERATOR(pg_catalog.<) 'Infinity'::pg_catalog.float8 THEN number OPERATOR(pg_catalog./) by_number END;
COMMENT ON FUNCTION @extschema@.clv_ratio(pg_catalog.float8, pg_catalog.float8) IS
	'the first number divided by the second; NULL where that is zero or not finite. A part of the quick look and of validation';

CREATE FUNCTION @extschema@.clv_quick_raise(
	message pg_catalog.text, detail pg_catalog.text, hint pg_catalog.text, code pg_catalog.text)
	RETURNS pg_catalog.void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION @extschema@.clv_quick_raise(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'raises an error with what is known of its detail and hint, code being an SQLSTATE or its name, and without a word of the functions that have called each other until then. A part of the quick look, of validation and of pipelines';
CREATE FUNCTION @extschema@.clv_quick_raise(message pg_catalog.text) RETURNS pg_catalog.void
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
RETURN @extschema@.clv_quick_raise(message, NULL::pg_catalog.text, NULL::pg_catalog.text, 'invalid_parameter_value'::pg_catalog.text);
COMMENT ON FUNCTION @extschema@.clv_quick_raise(pg_catalog.text) IS
	'raises an error of an invalid argument that explains itself. A part of the quick look, of validation and of pipelines';

CREATE FUNCTION @extschema@.clv_quick_find(
	source pg_catalog.text,
	OUT relation pg_catalog.regclass,
	OUT last pg_catalog.text
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION @extschema@.clv_quick_find(pg_catalog.text) IS
	'the relation of that name, as SQL reads it with the search_path of the caller (NULL where there is none), and the last part of the name; an error where it is not a name. A part of the quick look';

CREATE FUNCTION @extschema@.clv_quick_relation(
	source pg_catalog.text,
	OUT relation pg_catalog.regclass,
	OUT name pg_catalog.text
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000 AS $$
DECLARE
	last pg_catalog.text;
	kind pg_catalog."char";
BEGIN
	IF source IS NULL THEN
		PERFORM @extschema@.clv_quick_raise('source must be the name of a table or view, not NULL'::pg_catalog.text,
			NULL::pg_catalog.text,
			NULL::pg_catalog.text,
			'null_value_not_allowed'::pg_catalog.text);
	END IF;
	SELECT f.relation, f.last INTO relation, last FROM @extschema@.clv_quick_find(source) f;
	IF relation IS NULL THEN
		SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) INTO name
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		WHERE pg_catalog.lower(c.relname::pg_catalog.text) OPERATOR(pg_catalog.=) pg_catalog.lower(last)
		  AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,v,m,f,p}'::pg_catalog."char"[])
		ORDER BY pg_catalog.pg_table_is_visible(c.oid) DESC, n.nspname, c.relname LIMIT 1;
		PERFORM @extschema@.clv_quick_raise(pg_catalog.format('table or view "%s" does not exist', source),
			NULL::pg_catalog.text,
			CASE WHEN name IS NOT NULL THEN pg_catalog.format('There is %s.', name)
				ELSE pg_catalog.format('Write the name as in SQL, with its schema unless that is in search_path (%s).',
					pg_catalog.current_setting('search_path')) END,
			'undefined_table'::pg_catalog.text);
	END IF;
	SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind INTO name, kind
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE c.oid OPERATOR(pg_catalog.=) relation;
	IF kind OPERATOR(pg_catalog.<>) ALL ('{r,v,m,f,p}'::pg_catalog."char"[]) THEN
		PERFORM @extschema@.clv_quick_raise(pg_catalog.format('"%s" is neither a table nor a view', source),
			NULL::pg_catalog.text,
			NULL::pg_catalog.text,
			'wrong_object_type'::pg_catalog.text);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_relation(pg_catalog.text) IS
	'the table or view of that name, as SQL reads it with the search_path of the caller, and its full name; an error where there is none. A part of the quick look';

CREATE FUNCTION @extschema@.clv_quick_columns(
	query pg_catalog.text,
	OUT name pg_catalog.text,
	OUT type pg_catalog.oid,
	OUT typmod pg_catalog.int4
) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION @extschema@.clv_quick_columns(pg_catalog.text) IS
	'the columns of a query, in their order; an error where it is not one SELECT. The query is not run. A part of the quick look';

CREATE FUNCTION @extschema@.clv_quick_source(
	source pg_catalog.text,
	OUT query pg_catalog.text,
	OUT item pg_catalog.text,
	OUT title pg_catalog.text
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000 AS $$
BEGIN
	IF source OPERATOR(pg_catalog.~*) '^\s*(\(|(select|with|values|table)[\s(])' THEN
		query := pg_catalog.regexp_replace(source, '[\s;]+$', '');
		item := pg_catalog.format(E'(%s\n)', query);
		title := 'the query';
	ELSE
		SELECT pg_catalog.format('SELECT * FROM %s', r.name), r.name, r.relation::pg_catalog.text INTO query, item, title
		FROM @extschema@.clv_quick_relation(source) r;
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_source(pg_catalog.text) IS
	'the name of a table or view, or a query, as a statement, as an item of FROM and as messages call it. A part of the quick look and of validation';

CREATE FUNCTION @extschema@.clv_quick_column(
	query pg_catalog.text,
	title pg_catalog.text,
	argument pg_catalog.text,
	name pg_catalog.text,
	OUT column_name pg_catalog.text,
	OUT column_type pg_catalog.oid,
	OUT column_typmod pg_catalog.int4
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000 AS $$
DECLARE
	spelling pg_catalog.text := name;
BEGIN
	IF name IS NULL THEN
		PERFORM @extschema@.clv_quick_raise(pg_catalog.format('%s must be the name of a column, not NULL', argument),
			NULL::pg_catalog.text,
			NULL::pg_catalog.text,
			'null_value_not_allowed'::pg_catalog.text);
	END IF;
	LOOP
		SELECT c.name, c.type, c.typmod INTO column_name, column_type, column_typmod
		FROM @extschema@.clv_quick_columns(query) c WHERE c.name OPERATOR(pg_catalog.=) spelling LIMIT 1;
		IF FOUND THEN
			RETURN;
		END IF;
		-- not the very name: then perhaps the name as SQL would write it, "Quoted" or in any case
		EXIT WHEN spelling OPERATOR(pg_catalog.<>) name
			OR name OPERATOR(pg_catalog.!~) '^([[:alpha:]_][[:alnum:]_$]*|"([^"]|"")+")$';
		spelling := (pg_catalog.parse_ident(name))[1];
		EXIT WHEN spelling OPERATOR(pg_catalog.=) name;
	END LOOP;
	PERFORM @extschema@.clv_quick_raise(pg_catalog.format('column "%s" of %s does not exist', name, title),
		pg_catalog.format('It was given as %s.', argument),
		pg_catalog.format('Columns of %s are: %s.', title,
			(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(c.name), ', ') FROM @extschema@.clv_quick_columns(query) c)),
		'undefined_column'::pg_catalog.text);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_column(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the column of that name in a query, exactly or as SQL would read it, and its type; an error names the columns there are. A part of the quick look and of validation';

CREATE FUNCTION @extschema@.clv_quick_column(
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
	FROM @extschema@.clv_quick_column(pg_catalog.format('SELECT * FROM %s', source), source::pg_catalog.text, argument, name) c;
END;
COMMENT ON FUNCTION @extschema@.clv_quick_column(pg_catalog.regclass, pg_catalog.text, pg_catalog.text) IS
	'the same of a table or view. A part of pipelines';

CREATE FUNCTION @extschema@.clv_quick_day(
	as_of pg_catalog.date,
	days pg_catalog.date[],
	customers pg_catalog.int8[],
	guests pg_catalog.int8
) RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION @extschema@.clv_quick_day(pg_catalog.date, pg_catalog.date[], pg_catalog.int8[], pg_catalog.int8) IS
	'as_of, or the last of the days on which so many customers bought last, but not later than today; says how many rows have no customer and how many customers no purchase, and warns of a last day that stands alone. A part of the quick look';

CREATE FUNCTION @extschema@.clv_quick_date(argument pg_catalog.text, day pg_catalog.date)
	RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION @extschema@.clv_quick_date(pg_catalog.text, pg_catalog.date) IS
	'the day; an error that names the argument it was given as where it is infinite. A part of the quick look and of validation';

CREATE FUNCTION @extschema@.clv_quick_span(argument pg_catalog.text, span pg_catalog.interval)
	RETURNS pg_catalog.interval
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION @extschema@.clv_quick_span(pg_catalog.text, pg_catalog.interval) IS
	'the interval; an error that names the argument it was given as where it is infinite, or has a part of a day, such as a number without a unit, which counts seconds. A part of the quick look, of validation and of pipelines';

CREATE FUNCTION @extschema@.clv_quick_rates(discount_rate pg_catalog.float8, margin pg_catalog.float8)
	RETURNS pg_catalog.void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION @extschema@.clv_quick_rates(pg_catalog.float8, pg_catalog.float8) IS
	'warns of a discount rate or a margin that looks like percent, once a statement. A part of pipelines';

CREATE FUNCTION @extschema@.clv_quick_base_type(type pg_catalog.oid) RETURNS pg_catalog.oid
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 2000 AS $$
DECLARE
	base pg_catalog.oid := type;
	below pg_catalog.oid;
BEGIN
	LOOP
		SELECT t.typbasetype INTO below FROM pg_catalog.pg_type t
		WHERE t.oid OPERATOR(pg_catalog.=) base AND t.typtype OPERATOR(pg_catalog.=) 'd';
		IF NOT FOUND THEN
			RETURN base;
		END IF;
		base := below;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_base_type(pg_catalog.oid) IS
	'the type below a domain, or the type itself. A part of the quick look';

-- An error unless the type of a column, below its domain, is among those wanted.
CREATE FUNCTION @extschema@.clv_quick_check_type(
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
	base regtype := @extschema@.clv_quick_base_type(column_type)::regtype;
BEGIN
	IF base <> ALL (types) THEN
		PERFORM @extschema@.clv_quick_raise(format('column "%s" of %s is of type %s, not %s',
				column_name, title, type_name, wanted),
			NULL::text,
			hint,
			'datatype_mismatch'::text);
	END IF;
	RETURN base;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_check_type(pg_catalog.text, pg_catalog.text, pg_catalog.oid, pg_catalog.text, pg_catalog.regtype[], pg_catalog.text, pg_catalog.text) IS
	'the type of a column below its domain; an error that says what is wanted unless it is one of those listed. A part of the quick look and of validation';

-- A statement with its named holes filled in, in one pass: {name} with a part as it is, {name:I} as an identifier and
-- {name:L} as a literal. A hole without a part stays, and braces in what is filled in are not read again.
CREATE FUNCTION @extschema@.clv_quick_statement(template pg_catalog.text, parts pg_catalog.jsonb) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2000
BEGIN ATOMIC
	SELECT string_agg(t.m[1] || CASE
			WHEN t.m[2] IS NULL THEN ''
			WHEN NOT parts ? t.m[2] THEN concat('{', t.m[2], ':' || t.m[3], '}')
			WHEN t.m[3] = 'I' THEN quote_ident(parts ->> t.m[2])
			WHEN t.m[3] = 'L' THEN quote_nullable(parts ->> t.m[2])
			ELSE parts ->> t.m[2] END, '' ORDER BY t.n)
	FROM regexp_matches(template,
		'((?:[^{]|\{(?![a-z_]+(?::[IL])?\}))*)(?:\{([a-z_]+)(?::([IL]))?\})?', 'g') WITH ORDINALITY AS t (m, n);
END;
COMMENT ON FUNCTION @extschema@.clv_quick_statement(pg_catalog.text, pg_catalog.jsonb) IS
	'a statement with its holes filled in by the parts of that name, in one pass: {name} as it is, {name:I} as an identifier, {name:L} as a literal. A part of the quick look and of validation';

CREATE FUNCTION @extschema@.clv_quick_rows(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text,
	OUT item pg_catalog.text,
	OUT who pg_catalog.text,
	OUT history pg_catalog.text
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000 AS $$
DECLARE
	rows pg_catalog.record;
	place pg_catalog.text;
	time_column pg_catalog.record;
	time_type pg_catalog.regtype;
	amount_column pg_catalog.record;
	amount_type pg_catalog.regtype;
	amount_sql pg_catalog.text := '';
BEGIN
	rows := @extschema@.clv_quick_source(source);
	place := CASE WHEN rows.title OPERATOR(pg_catalog.=) 'the query' THEN '' ELSE pg_catalog.format(' FROM %s', rows.title) END;
	item := rows.item;
	who := pg_catalog.format('s.%I', (@extschema@.clv_quick_column(rows.query, rows.title, 'customer'::pg_catalog.text,
		customer)).column_name);
	time_column := @extschema@.clv_quick_column(rows.query, rows.title, 'bought_at'::pg_catalog.text, bought_at);
	time_type := @extschema@.clv_quick_base_type(time_column.column_type)::pg_catalog.regtype;
	IF time_type OPERATOR(pg_catalog.<>) ALL (
		'{pg_catalog.timestamptz,pg_catalog.timestamp,pg_catalog.date}'::pg_catalog.regtype[])
	THEN
		PERFORM @extschema@.clv_quick_raise(pg_catalog.format('column "%s" of %s is of type %s, not a time',
				time_column.column_name, rows.title, pg_catalog.format_type(time_column.column_type, time_column.column_typmod)),
			NULL::pg_catalog.text,
			pg_catalog.format('A query as source can cast it: SELECT ..., %I::timestamptz AS bought_at%s.', time_column.column_name, place),
			'datatype_mismatch'::pg_catalog.text);
	END IF;
	IF amount IS NOT NULL THEN
		amount_column := @extschema@.clv_quick_column(rows.query, rows.title, 'amount'::pg_catalog.text, amount);
		amount_type := @extschema@.clv_quick_base_type(amount_column.column_type)::pg_catalog.regtype;
		IF amount_type OPERATOR(pg_catalog.<>) ALL (
			'{pg_catalog.numeric,pg_catalog.float8,pg_catalog.float4,pg_catalog.int2,pg_catalog.int4,pg_catalog.int8}'::pg_catalog.regtype[])
		THEN
			PERFORM @extschema@.clv_quick_raise(pg_catalog.format('column "%s" of %s is of type %s, not a number',
					amount_column.column_name, rows.title, pg_catalog.format_type(amount_column.column_type, amount_column.column_typmod)),
				NULL::pg_catalog.text,
				pg_catalog.format('A query as source can cast it: SELECT ..., %I::numeric AS amount%s.', amount_column.column_name, place),
				'datatype_mismatch'::pg_catalog.text);
		END IF;
		amount_sql := pg_catalog.format(', s.%I::pg_catalog.%s', amount_column.column_name,
			CASE WHEN amount_type OPERATOR(pg_catalog.=) 'pg_catalog.float8'::pg_catalog.regtype THEN 'float8' ELSE 'numeric' END);
	END IF;
	history := pg_catalog.format('@extschema@.clv_history(s.%I::pg_catalog.%s%s)', time_column.column_name,
		CASE WHEN time_type OPERATOR(pg_catalog.=) 'pg_catalog.timestamptz'::pg_catalog.regtype THEN 'timestamptz'
			WHEN time_type OPERATOR(pg_catalog.=) 'pg_catalog.timestamp'::pg_catalog.regtype THEN 'timestamp' ELSE 'date' END,
		amount_sql);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_rows(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'of a table, view or query with its columns checked: the item of FROM, called s, the column of the customer, and what makes a history of its rows; amount NULL: without money. A part of the quick look';

CREATE FUNCTION @extschema@.clv_quick_histories(
	source pg_catalog.text, customer pg_catalog.text, bought_at pg_catalog.text, amount pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 20000
BEGIN ATOMIC
	SELECT pg_catalog.format(
		'SELECT %1$s::pg_catalog.text AS customer_id, %2$s AS history FROM %3$s AS s WHERE %1$s IS NOT NULL GROUP BY %1$s',
		r.who, r.history, r.item)
	FROM @extschema@.clv_quick_rows(source, customer, bought_at, amount) r;
END;
COMMENT ON FUNCTION @extschema@.clv_quick_histories(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the statement that makes the histories of a table, view or query, with its columns checked; rows without a customer are left out; amount NULL: without money. A part of the quick look';

CREATE FUNCTION @extschema@.clv_quick_model(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text,
	model pg_catalog.text,
	with_spend pg_catalog.bool,
	as_of pg_catalog.date
) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000 AS $$
DECLARE
	rows pg_catalog.record;
BEGIN
	IF model IS NULL THEN
		PERFORM @extschema@.clv_quick_raise('model must be the name of a family, or ''none'', not NULL'::pg_catalog.text,
			NULL::pg_catalog.text,
			NULL::pg_catalog.text,
			'null_value_not_allowed'::pg_catalog.text);
	END IF;
	rows := @extschema@.clv_quick_rows(source, customer, bought_at, amount);
	-- rows without a customer are put together as well, to be counted
	RETURN pg_catalog.format(
		'WITH everybody AS MATERIALIZED (SELECT %1$s::pg_catalog.text AS customer_id, %2$s AS history, pg_catalog.count(*) AS rows '
		'FROM %3$s AS s GROUP BY %1$s), '
		'histories AS (SELECT e.customer_id, e.history FROM everybody e WHERE e.customer_id IS NOT NULL), '
		'day AS MATERIALIZED (SELECT @extschema@.clv_quick_day(%4$L::pg_catalog.date, '
		'pg_catalog.array_agg(l.day), pg_catalog.array_agg(l.customers), '
		'(SELECT pg_catalog.sum(e.rows)::pg_catalog.int8 FROM everybody e WHERE e.customer_id IS NULL)) AS day '
		'FROM (SELECT @extschema@.clv_last_purchase(h.history) AS day, pg_catalog.count(*) AS customers FROM histories h GROUP BY 1) l), '
		'fitted AS MATERIALIZED (SELECT %5$s AS model) ',
		rows.who, rows.history, rows.item, pg_catalog.to_char(@extschema@.clv_quick_date('as_of'::pg_catalog.text, as_of), 'YYYY-MM-DD BC'),
		CASE WHEN model OPERATOR(pg_catalog.=) 'none' THEN 'NULL::@extschema@.clv_model'
			ELSE pg_catalog.format(
				'(SELECT @extschema@.clv_fit(h.history, pg_catalog.jsonb_build_object(''model'', %L, ''spend'', %L, '
				'''as_of'', d.day)) FROM histories h CROSS JOIN day d)',
				model, CASE WHEN with_spend THEN 'gamma/gamma' ELSE 'none' END) END);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_model(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.bool, pg_catalog.date) IS
	'the beginning of a statement: histories, the day they are seen from, and the model fitted to them (none: NULL). A part of the quick look';

CREATE FUNCTION @extschema@.clv_quick_bins(map pg_catalog.text, bins pg_catalog.int4) RETURNS pg_catalog.int4
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 AS $$
DECLARE
	highest pg_catalog.int4 := (SELECT pg_catalog.max(i.highest) FROM @extschema@.clv_segment_inputs(map) i);
	-- who mentions scores up to 3 may mean 5; who mentions 5 does not mean 3
	most pg_catalog.int4 := CASE WHEN highest IS NOT NULL THEN greatest(highest, 5) END;
BEGIN
	IF bins OPERATOR(pg_catalog.<) highest OR bins OPERATOR(pg_catalog.>) most THEN
		PERFORM @extschema@.clv_quick_raise(pg_catalog.format('map %s is written for scores up to %s, not for bins => %s',
				CASE WHEN map OPERATOR(pg_catalog.~) '^\s*\[' THEN 'given as rules' ELSE pg_catalog.quote_ident(map) END,
				CASE WHEN bins OPERATOR(pg_catalog.>) most THEN most ELSE highest END, bins),
			NULL::pg_catalog.text,
			'Leave bins out; or write a map for yours, or take ''micro'', which knows any number.'::pg_catalog.text,
			'invalid_parameter_value'::pg_catalog.text);
	END IF;
	RETURN bins;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_bins(pg_catalog.text, pg_catalog.int4) IS
	'the number of bins; an error where the rules of a map list scores that there are not with so many bins, or none of those above 5. A part of the quick look and of pipelines';

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
	RETURN QUERY EXECUTE @extschema@.clv_quick_model(source, customer, bought_at, amount, model, amount IS NOT NULL, as_of)
		OPERATOR(pg_catalog.||)
		'SELECT q.customer_id, (q.s).r, (q.s).f, (q.s).m, (q.s).t, (q.s).c, (q.s).v FROM ('
		'SELECT h.customer_id, @extschema@.rfmtc_score(h.history, b.model, d.day, $1) OVER () AS s '
		'FROM histories h CROSS JOIN fitted b CROSS JOIN day d) q'
		USING bins;
END
$$;
COMMENT ON FUNCTION @extschema@.rfmtc_score(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.int4) IS
	'quick look: the scores of the customers of a table or view (as SQL names it) or of a query, given the columns of customer, time and amount (NULL: none). model: a family to fit on the fly for c and v, ''none'' for neither; as_of: the last purchase in the data, not later than today, where none is given. Rows without a customer are left out, and counted in a NOTICE; customers who did not exist yet get NULLs';

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
	IF model OPERATOR(pg_catalog.=) 'none' THEN
		PERFORM @extschema@.clv_quick_raise('a prediction needs a model'::pg_catalog.text);
	END IF;
	RETURN QUERY EXECUTE @extschema@.clv_quick_model(source, customer, bought_at, amount, model, amount IS NOT NULL, as_of)
		OPERATOR(pg_catalog.||)
		'SELECT h.customer_id, p.* FROM histories h CROSS JOIN fitted b CROSS JOIN day d '
		'CROSS JOIN LATERAL @extschema@.clv_predict(b.model, h.history, $1, $2, $3, d.day, $4, '
		'NULL::pg_catalog.float8[]) p'
		USING horizon, discount_rate, margin, level;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_predict(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8, pg_catalog.text, pg_catalog.date, pg_catalog.float8) IS
	'quick look: fits a model to the customers of a table or view (as SQL names it) or of a query, given the columns of customer, time and amount (NULL: none), and predicts them; the options are those of clv_predict over a history. as_of: the last purchase in the data, not later than today, where none is given. Rows without a customer are left out, and counted in a NOTICE; customers who did not exist yet get NULLs';

CREATE FUNCTION @extschema@.segment_assign(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text DEFAULT NULL,
	map pg_catalog.text DEFAULT 'rfm',
	model pg_catalog.text DEFAULT 'mbg/nbd',
	as_of pg_catalog.date DEFAULT NULL,
	bins pg_catalog.int4 DEFAULT 5
) RETURNS TABLE (
	customer_id pg_catalog.text,
	segment pg_catalog.text
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000 AS $$
DECLARE
	needs pg_catalog.text[];
	unknown pg_catalog.text;
	family pg_catalog.text := model;
BEGIN
	IF map IS NULL THEN
		PERFORM @extschema@.clv_quick_raise('map must be the name of a segment map or a rule list, not NULL'::pg_catalog.text,
			NULL::pg_catalog.text,
			NULL::pg_catalog.text,
			'null_value_not_allowed'::pg_catalog.text);
	END IF;
	SELECT pg_catalog.array_agg(pg_catalog.concat_ws(' ', i.kind, i.name)) INTO needs
	FROM @extschema@.clv_segment_inputs(map) i;
	PERFORM @extschema@.clv_quick_bins(map, bins);
	SELECT i.name INTO unknown FROM @extschema@.clv_segment_inputs(map) i
	WHERE i.kind OPERATOR(pg_catalog.=) 'attribute'
	  AND i.name OPERATOR(pg_catalog.<>) ALL ('{cumulative_share,trend}'::pg_catalog.text[])
	LIMIT 1;
	IF FOUND THEN
		PERFORM @extschema@.clv_quick_raise(pg_catalog.format('attribute "%s" cannot be computed from purchases', unknown),
			'The quick look knows the attributes cumulative_share and trend.'::pg_catalog.text,
			'Give it yourself: segment_assign(scores, map, attributes).'::pg_catalog.text,
			'invalid_parameter_value'::pg_catalog.text);
	END IF;
	IF NOT needs OPERATOR(pg_catalog.&&) '{score c,score v}'::pg_catalog.text[] OR needs IS NULL THEN
		family := 'none';
	END IF;
	RETURN QUERY EXECUTE @extschema@.clv_quick_model(source, customer, bought_at, amount, family,
		amount IS NOT NULL AND needs OPERATOR(pg_catalog.&&) '{score v}'::pg_catalog.text[], as_of)
		OPERATOR(pg_catalog.||)
		', scored AS (SELECT h.customer_id, h.history, d.day, '
		'@extschema@.rfmtc_score(h.history, b.model, d.day, $1) OVER () AS scores '
		'FROM histories h CROSS JOIN fitted b CROSS JOIN day d)'
		OPERATOR(pg_catalog.||) CASE
			WHEN needs OPERATOR(pg_catalog.&&) '{attribute cumulative_share,attribute trend}'::pg_catalog.text[] THEN
				', measured AS (SELECT s.customer_id, s.scores, '
				'CASE WHEN @extschema@.clv_purchases(s.history, s.day) OPERATOR(pg_catalog.>) 0 '
				'THEN greatest(@extschema@.clv_total_spend(s.history, s.day), 0) ELSE 0 END AS spend, '
				'@extschema@.clv_purchases(s.history, s.day) AS purchases, '
				'@extschema@.clv_purchases_between(s.history, @extschema@.clv_first_purchase(s.history, s.day) '
				'OPERATOR(pg_catalog.+) ((s.day OPERATOR(pg_catalog.-) @extschema@.clv_first_purchase(s.history, s.day)) '
				'OPERATOR(pg_catalog./) 2), s.day) AS younger FROM scored s) '
				'SELECT s.customer_id, @extschema@.segment_assign(s.scores, $2, pg_catalog.jsonb_build_object('
				'''cumulative_share'', CASE WHEN pg_catalog.sum(s.spend) OVER () OPERATOR(pg_catalog.>) 0 '
				'THEN (pg_catalog.sum(s.spend) OVER (ORDER BY s.spend DESC) '
				'OPERATOR(pg_catalog.-) pg_catalog.sum(s.spend) OVER (PARTITION BY s.spend)) '
				'OPERATOR(pg_catalog./) pg_catalog.sum(s.spend) OVER () ELSE 0 END, '
				'''trend'', @extschema@.clv_ratio((2 OPERATOR(pg_catalog.*) s.younger OPERATOR(pg_catalog.-) s.purchases)'
				'::pg_catalog.float8, s.purchases::pg_catalog.float8))) FROM measured s'
			ELSE ' SELECT s.customer_id, @extschema@.segment_assign(s.scores, $2, NULL::pg_catalog.jsonb) FROM scored s' END
		USING bins, map;
END
$$;
COMMENT ON FUNCTION @extschema@.segment_assign(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.int4) IS
	'quick look: the segments of the customers of a table or view (as SQL names it) or of a query, given the columns of customer, time and amount (NULL: none), under a map or rule list. A model is fitted only where the map asks for c or v; the attributes cumulative_share and trend are computed. as_of: the last purchase in the data, not later than today, where none is given. Rows without a customer are left out, and counted in a NOTICE; customers who did not exist yet get NULL. A map written for other bins is an error';
