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
