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
