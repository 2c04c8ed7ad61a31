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
