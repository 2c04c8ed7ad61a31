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
