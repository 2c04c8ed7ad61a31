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
