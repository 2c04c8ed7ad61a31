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
