-- ---- the quick look: one call over a table or view by name --------------------------------------
--
-- These functions write the statements that the documentation shows, and run them with the rights and the
-- search_path of the caller. They read the caller's tables, temporary ones too: parallel restricted, stable.

CREATE FUNCTION @extschema@.clv_ratio(number pg_catalog.float8, by_number pg_catalog.float8) RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
-- not strict, or it could not be inlined; nullif() would look for its operator in the caller's search_path
RETURN CASE WHEN by_number OPERATOR(pg_catalog.<>) 0::pg_catalog.float8 THEN number OPERATOR(pg_catalog./) by_number END;
COMMENT ON FUNCTION @extschema@.clv_ratio(pg_catalog.float8, pg_catalog.float8) IS
	'the first number divided by the second; NULL where that is zero. A part of the quick look and of validation';

CREATE FUNCTION @extschema@.clv_quick_relation(
	source pg_catalog.text,
	OUT relation pg_catalog.regclass,
	OUT name pg_catalog.text
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000 AS $$
DECLARE
	kind pg_catalog."char";
BEGIN
	IF source IS NULL THEN
		RAISE EXCEPTION 'source must be the name of a table or view, not NULL'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	relation := pg_catalog.to_regclass(source);
	IF relation IS NULL THEN
		RAISE EXCEPTION 'table or view "%" does not exist', source
			USING ERRCODE = 'undefined_table',
				HINT = pg_catalog.format('Write the name as in SQL, with its schema unless that is in search_path (%s).',
					pg_catalog.current_setting('search_path'));
	END IF;
	SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind INTO name, kind
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE c.oid OPERATOR(pg_catalog.=) relation;
	IF kind OPERATOR(pg_catalog.<>) ALL ('{r,v,m,f,p}'::pg_catalog."char"[]) THEN
		RAISE EXCEPTION '"%" is neither a table nor a view', source
			USING ERRCODE = 'wrong_object_type';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_relation(pg_catalog.text) IS
	'the table or view of that name, as SQL reads it with the search_path of the caller, and its full name; an error where there is none. A part of the quick look';

CREATE FUNCTION @extschema@.clv_quick_column(
	source pg_catalog.regclass,
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
		RAISE EXCEPTION '% must be the name of a column, not NULL', argument
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	LOOP
		SELECT a.attname, a.atttypid, a.atttypmod INTO column_name, column_type, column_typmod
		FROM pg_catalog.pg_attribute a
		WHERE a.attrelid OPERATOR(pg_catalog.=) source AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
		  AND a.attname OPERATOR(pg_catalog.=) spelling;
		IF FOUND THEN
			RETURN;
		END IF;
		-- not the very name: then perhaps the name as SQL would write it, "Quoted" or in any case
		EXIT WHEN spelling OPERATOR(pg_catalog.<>) name
			OR name OPERATOR(pg_catalog.!~) '^([[:alpha:]_][[:alnum:]_$]*|"([^"]|"")+")$';
		spelling := (pg_catalog.parse_ident(name))[1];
		EXIT WHEN spelling OPERATOR(pg_catalog.=) name;
	END LOOP;
	RAISE EXCEPTION 'column "%" of % does not exist', name, source
		USING ERRCODE = 'undefined_column',
			DETAIL = pg_catalog.format('It was given as %s.', argument),
			HINT = pg_catalog.format('Columns of %s are: %s.', source,
				(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)
				 FROM pg_catalog.pg_attribute a
				 WHERE a.attrelid OPERATOR(pg_catalog.=) source AND a.attnum OPERATOR(pg_catalog.>) 0
				   AND NOT a.attisdropped));
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_column(pg_catalog.regclass, pg_catalog.text, pg_catalog.text) IS
	'the column of that name, exactly or as SQL would read it, and its type; an error names the columns there are. A part of the quick look';

CREATE FUNCTION @extschema@.clv_quick_span(argument pg_catalog.text, span pg_catalog.interval)
	RETURNS pg_catalog.interval
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION @extschema@.clv_quick_span(pg_catalog.text, pg_catalog.interval) IS
	'the interval; an error that names the argument it was given as where it is infinite, or has a part of a day, such as a number without a unit, which counts seconds. A part of the quick look, of validation and of pipelines';

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

CREATE FUNCTION @extschema@.clv_quick_histories(
	source pg_catalog.text, customer pg_catalog.text, bought_at pg_catalog.text, amount pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000 AS $$
DECLARE
	relation pg_catalog.regclass;
	name pg_catalog.text;
	who pg_catalog.text;
	time_column pg_catalog.record;
	time_type pg_catalog.oid;
	amount_column pg_catalog.record;
	amount_type pg_catalog.oid;
	amount_sql pg_catalog.text := '';
BEGIN
	SELECT r.relation, r.name INTO relation, name FROM @extschema@.clv_quick_relation(source) r;
	who := pg_catalog.quote_ident((@extschema@.clv_quick_column(relation, 'customer'::pg_catalog.text, customer)).column_name);
	time_column := @extschema@.clv_quick_column(relation, 'bought_at'::pg_catalog.text, bought_at);
	time_type := @extschema@.clv_quick_base_type(time_column.column_type);
	IF time_type::pg_catalog.regtype OPERATOR(pg_catalog.<>) ALL (
		'{pg_catalog.timestamptz,pg_catalog.timestamp,pg_catalog.date}'::pg_catalog.regtype[])
	THEN
		RAISE EXCEPTION 'column "%" of % is of type %, not a time', time_column.column_name, relation,
			pg_catalog.format_type(time_column.column_type, time_column.column_typmod)
			USING ERRCODE = 'datatype_mismatch',
				HINT = pg_catalog.format(
					'A view can cast it: CREATE VIEW v AS SELECT ..., %I::timestamptz AS bought_at FROM %s.',
					time_column.column_name, relation);
	END IF;
	IF amount IS NOT NULL THEN
		amount_column := @extschema@.clv_quick_column(relation, 'amount'::pg_catalog.text, amount);
		amount_type := @extschema@.clv_quick_base_type(amount_column.column_type);
		IF amount_type::pg_catalog.regtype OPERATOR(pg_catalog.<>) ALL (
			'{pg_catalog.numeric,pg_catalog.float8,pg_catalog.float4,pg_catalog.int2,pg_catalog.int4,pg_catalog.int8}'::pg_catalog.regtype[])
		THEN
			RAISE EXCEPTION 'column "%" of % is of type %, not a number', amount_column.column_name, relation,
				pg_catalog.format_type(amount_column.column_type, amount_column.column_typmod)
				USING ERRCODE = 'datatype_mismatch',
					HINT = pg_catalog.format(
						'A view can cast it: CREATE VIEW v AS SELECT ..., %I::numeric AS amount FROM %s.',
						amount_column.column_name, relation);
		END IF;
		amount_sql := pg_catalog.format(', s.%I::pg_catalog.%s', amount_column.column_name,
			CASE WHEN amount_type::pg_catalog.regtype OPERATOR(pg_catalog.=) 'pg_catalog.float8'::pg_catalog.regtype
				THEN 'float8' ELSE 'numeric' END);
	END IF;
	RETURN pg_catalog.format(
		'SELECT s.%1$s::pg_catalog.text AS customer_id, @extschema@.clv_history(s.%2$I::%3$s%4$s) AS history '
		'FROM %5$s AS s WHERE s.%1$s IS NOT NULL GROUP BY s.%1$s',
		who, time_column.column_name,
		CASE WHEN time_type::pg_catalog.regtype OPERATOR(pg_catalog.=) 'pg_catalog.timestamptz'::pg_catalog.regtype
			THEN 'pg_catalog.timestamptz'
			WHEN time_type::pg_catalog.regtype OPERATOR(pg_catalog.=) 'pg_catalog.timestamp'::pg_catalog.regtype
			THEN 'pg_catalog.timestamp' ELSE 'pg_catalog.date' END,
		amount_sql, name);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_histories(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the statement that makes the histories of a table or view by name, with its columns checked; rows without a customer are left out; amount NULL: without money. A part of the quick look';

CREATE FUNCTION @extschema@.clv_quick_model(
	histories pg_catalog.text, model pg_catalog.text, with_spend pg_catalog.bool, as_of pg_catalog.date)
RETURNS pg_catalog.text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 2000 AS $$
BEGIN
	RETURN pg_catalog.format('WITH histories AS MATERIALIZED (%s), fitted AS MATERIALIZED (SELECT %s AS model) ',
		histories,
		CASE WHEN model OPERATOR(pg_catalog.=) 'none' THEN 'NULL::@extschema@.clv_model'
			ELSE pg_catalog.format(
				'(SELECT @extschema@.clv_fit(h.history, pg_catalog.jsonb_build_object(''model'', %L, ''spend'', %L, '
				'''as_of'', %L::pg_catalog.date)) FROM histories h)',
				model, CASE WHEN with_spend THEN 'gamma/gamma' ELSE 'none' END,
				pg_catalog.to_char(as_of, 'YYYY-MM-DD BC')) END);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_quick_model(pg_catalog.text, pg_catalog.text, pg_catalog.bool, pg_catalog.date) IS
	'the beginning of a statement: histories, and the model fitted to them (none: NULL). A part of the quick look';

CREATE FUNCTION @extschema@.rfmtc_score(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text,
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
	RETURN QUERY EXECUTE @extschema@.clv_quick_model(
		@extschema@.clv_quick_histories(source, customer, bought_at, amount), model, amount IS NOT NULL, as_of)
		OPERATOR(pg_catalog.||)
		'SELECT q.customer_id, (q.s).r, (q.s).f, (q.s).m, (q.s).t, (q.s).c, (q.s).v FROM ('
		'SELECT h.customer_id, @extschema@.rfmtc_score(h.history, b.model, $1, $2) OVER () AS s '
		'FROM histories h CROSS JOIN fitted b) q'
		USING as_of, bins;
END
$$;
COMMENT ON FUNCTION @extschema@.rfmtc_score(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.int4) IS
	'quick look: the scores of the customers of a table or view (as SQL names it), given the columns of customer, time and amount (NULL: none). model: a family to fit on the fly for c and v, ''none'' for neither; as_of: the last purchase in the data where none is given. Customers who did not exist yet get NULLs';

CREATE FUNCTION @extschema@.clv_predict(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text,
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
		RAISE EXCEPTION 'a prediction needs a model'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY EXECUTE @extschema@.clv_quick_model(
		@extschema@.clv_quick_histories(source, customer, bought_at, amount), model, amount IS NOT NULL, as_of)
		OPERATOR(pg_catalog.||)
		'SELECT h.customer_id, p.* FROM histories h CROSS JOIN fitted b '
		'CROSS JOIN LATERAL @extschema@.clv_predict(b.model, h.history, $1, $2, $3, $4, $5, '
		'NULL::pg_catalog.float8[]) p'
		USING horizon, discount_rate, margin, as_of, level;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_predict(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8, pg_catalog.text, pg_catalog.date, pg_catalog.float8) IS
	'quick look: fits a model to the customers of a table or view (as SQL names it), given the columns of customer, time and amount (NULL: none), and predicts them; the options are those of clv_predict over a history. as_of: the last purchase in the data where none is given. Customers who did not exist yet get NULLs';

CREATE FUNCTION @extschema@.segment_assign(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text,
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
		RAISE EXCEPTION 'map must be the name of a segment map or a rule list, not NULL'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT pg_catalog.array_agg(pg_catalog.concat_ws(' ', i.kind, i.name)) INTO needs
	FROM @extschema@.clv_segment_inputs(map) i;
	SELECT i.name INTO unknown FROM @extschema@.clv_segment_inputs(map) i
	WHERE i.kind OPERATOR(pg_catalog.=) 'attribute'
	  AND i.name OPERATOR(pg_catalog.<>) ALL ('{cumulative_share,trend}'::pg_catalog.text[])
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'attribute "%" cannot be computed from purchases', unknown
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = 'The quick look knows the attributes cumulative_share and trend.',
				HINT = 'Give it yourself: segment_assign(scores, map, attributes).';
	END IF;
	IF NOT needs OPERATOR(pg_catalog.&&) '{score c,score v}'::pg_catalog.text[] OR needs IS NULL THEN
		family := 'none';
	END IF;
	RETURN QUERY EXECUTE @extschema@.clv_quick_model(
		@extschema@.clv_quick_histories(source, customer, bought_at, amount), family,
		amount IS NOT NULL AND needs OPERATOR(pg_catalog.&&) '{score v}'::pg_catalog.text[], as_of)
		OPERATOR(pg_catalog.||)
		', day AS MATERIALIZED (SELECT coalesce($1, pg_catalog.max(@extschema@.clv_last_purchase(h.history))) AS day '
		'FROM histories h), '
		'scored AS (SELECT h.customer_id, h.history, d.day, '
		'@extschema@.rfmtc_score(h.history, b.model, d.day, $2) OVER () AS scores '
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
				'SELECT s.customer_id, @extschema@.segment_assign(s.scores, $3, pg_catalog.jsonb_build_object('
				'''cumulative_share'', CASE WHEN pg_catalog.sum(s.spend) OVER () OPERATOR(pg_catalog.>) 0 '
				'THEN (pg_catalog.sum(s.spend) OVER (ORDER BY s.spend DESC) '
				'OPERATOR(pg_catalog.-) pg_catalog.sum(s.spend) OVER (PARTITION BY s.spend)) '
				'OPERATOR(pg_catalog./) pg_catalog.sum(s.spend) OVER () ELSE 0 END, '
				'''trend'', @extschema@.clv_ratio((2 OPERATOR(pg_catalog.*) s.younger OPERATOR(pg_catalog.-) s.purchases)'
				'::pg_catalog.float8, s.purchases::pg_catalog.float8))) FROM measured s'
			ELSE ' SELECT s.customer_id, @extschema@.segment_assign(s.scores, $3, NULL::pg_catalog.jsonb) FROM scored s' END
		USING as_of, bins, map;
END
$$;
COMMENT ON FUNCTION @extschema@.segment_assign(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.int4) IS
	'quick look: the segments of the customers of a table or view (as SQL names it), given the columns of customer, time and amount (NULL: none), under a map or rule list. A model is fitted only where the map asks for c or v; the attributes cumulative_share and trend are computed. as_of: the last purchase in the data where none is given. Customers who did not exist yet get NULL';
