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
