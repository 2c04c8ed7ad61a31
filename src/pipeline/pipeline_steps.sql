-- ---- the steps of a refresh, and those that compute: customers, and their totals ---------------------------

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
			r.run, s.run AS previous, r.as_of, r.generation, r.model_run,
			clv_internal.clv_pipeline_ahead(m.model, r.calendar) AS model, m.cuts, NULL::bool AS has_spend, r.calendar,
			NULL::bool AS continuous
		FROM {data}.run r
		JOIN {data}.model m ON m.run = r.model_run AND m.group_name = ''
		CROSS JOIN {data}.state s
		WHERE r.run = $1
	$sql$::text) INTO STRICT this USING run;
	this.has_spend := (SELECT m.spend_model IS NOT NULL FROM @extschema@.clv_diagnostics(this.model) m);
	this.continuous := (SELECT c.clock = 'continuous' FROM clv_internal.clv_validate_clock(this.model) c);
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

-- ---- step: customers --------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_rated_day(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	type regtype := clv_internal.clv_pipeline_check_type((clv_internal.clv_source_relation(d.rating_source)).relation,
		'rated_at'::text, d.rated_at, '{timestamptz,timestamp,date}'::regtype[], 'a time'::text);
BEGIN
	RETURN clv_internal.clv_pipeline_sql(d, CASE type
		WHEN 'timestamptz'::regtype THEN '(g.{1:I} AT TIME ZONE {2:L})::date'
		ELSE 'g.{1:I}::date'
	END, ARRAY[d.rated_at, d.time_zone]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_rated_day(clv_internal.clv_pipeline_definition) IS
	'the day of a rating g, as an expression. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_ratings(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF d.rating_source IS NULL THEN
		RETURN 'CROSS JOIN (SELECT NULL::int2 AS rating) g';
	ELSIF d.rated_at IS NULL THEN
		RETURN clv_internal.clv_pipeline_sql(d, $sql$
			LEFT JOIN (
				SELECT {g.key}, round(avg(g.{1:I})) AS rating
				FROM {2} g
				WHERE {g.known}
				GROUP BY {g.key}
			) g ON {g=h}
		$sql$::text, ARRAY[d.rating, d.rating_source]);
	END IF;
	RETURN clv_internal.clv_pipeline_sql(d, $sql$
		LEFT JOIN (
			SELECT DISTINCT ON ({g.key}) {g.key}, g.{1:I} AS rating
			FROM {2} g
			WHERE {g.known} AND g.{1:I} IS NOT NULL AND {3} <= ($2).as_of
			ORDER BY {g.key}, g.{4:I} DESC, g.{1:I}
		) g ON {g=h}
	$sql$::text, ARRAY[d.rating, d.rating_source, clv_internal.clv_pipeline_rated_day(d), d.rated_at]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_ratings(clv_internal.clv_pipeline_definition) IS
	'the join that brings each customer''s latest rating g up to the day of the run (the lowest of several at one '
	'time; without times their mean; NULL where there are no ratings). A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_active(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval, as_of pg_catalog.date,
	continuous pg_catalog.bool)
RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 20
RETURN CASE WHEN continuous THEN @extschema@.clv_active_probability(model, history, horizon, as_of,
	NULL::pg_catalog.float8[]) END;
COMMENT ON FUNCTION clv_internal.clv_pipeline_active(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.date, pg_catalog.bool) IS
	'the probability of a purchase within so many days; NULL of a model of whole periods. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_value(name pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN name IN ('recency', 'frequency', 'monetary', 'tenure') THEN '(q.rfmtc).' || name
		-- of which churn is the rest
		WHEN name IN ('p_alive', 'churn') THEN '(q.scores).p_alive'
		WHEN name IN ('active_30d', 'active_90d') THEN format(
			'clv_internal.clv_pipeline_active({model}, q.history, %L::interval, ($2).as_of, ($2).continuous)',
			substring(name, '\d+') || ' days')
		WHEN name = 'total_value' THEN
			'clv_internal.clv_finite((q.rfmtc).monetary::float8 * ($1).margin + (q.prediction).clv)'
		ELSE format('clv_internal.clv_finite((q.prediction).%I)', name)
	END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_value(pg_catalog.text) IS
	'a value that rules of a map may test, of a customer q of the query of customers, as an expression for '
	'clv_pipeline_sql. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_attributes(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 'jsonb_build_object(' || string_agg(clv_internal.clv_pipeline_sql(d, CASE
			WHEN i.kind = 'value' THEN '{1:L}, {2}'
			WHEN i.name = ANY ((d).attributes) THEN '{1:L}, a.{1:I}'
			WHEN i.name = 'satisfaction' THEN '{1:L}, q.satisfaction'
			WHEN i.name = 'cumulative_share' THEN '{1:L}, q.cumulative_share'
			WHEN i.name = 'trend' THEN $sql${1:L},
				(
					2 * @extschema@.clv_purchases_between(
						q.history,
						@extschema@.clv_first_purchase(q.history, ($2).as_of)
							+ (($2).as_of - @extschema@.clv_first_purchase(q.history, ($2).as_of)) / 2,
						($2).as_of)
					- (q.rfmtc).frequency
				)::float8 / (q.rfmtc).frequency$sql$
		END, ARRAY[i.name, clv_internal.clv_pipeline_sql(d, clv_internal.clv_pipeline_value(i.name))]), ', '
		ORDER BY i.name) || ')'
	FROM @extschema@.clv_segment_inputs((d).map) i
	-- P(alive) comes with the scores
	WHERE i.kind = 'attribute' OR i.kind = 'value' AND i.name NOT IN ('p_alive', 'churn')
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_attributes(clv_internal.clv_pipeline_definition) IS
	'the attributes and values that the pipeline''s map asks for, as an expression; NULL where it asks for none. A '
	'part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_assign(
	d clv_internal.clv_pipeline_definition, map pg_catalog.text, attributes pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		CASE
			WHEN {1} THEN clv_internal.clv_segment_or_null(q.scores, {2:L}::text, {3})
			ELSE @extschema@.segment_assign(q.scores, {2:L}::text, {3})
		END
	$sql$::text, ARRAY[
		coalesce(string_agg(clv_internal.clv_pipeline_sql(d, CASE i.kind
				WHEN 'score' THEN '(q.scores).{1:I} IS NULL'
				WHEN 'value' THEN '{2} IS NULL'
				ELSE 'a.{1:I} IS NULL'
			END, ARRAY[i.name, clv_internal.clv_pipeline_sql(d, clv_internal.clv_pipeline_value(i.name))]), ' OR ')
			FILTER (WHERE i.kind <> 'attribute' OR i.name = ANY ((d).attributes)), 'false'),
		-- the rules themselves: a process that evaluates them, on another server too, needs no table of maps
		min(r.rules),
		coalesce(attributes, 'NULL::jsonb')])
	FROM clv_internal.clv_segment_rules(map) r (rules)
	LEFT JOIN LATERAL @extschema@.clv_segment_inputs(r.rules) i ON true
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_assign(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.text) IS
	'the segment of a customer q of the query of customers, as an expression that holds the rules of the map: NULL '
	'where what the map needs is not known. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_shares(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	-- {1}: what a customer h has spent. Equal amounts are one row: few are sorted, or come from workers
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		JOIN (
			SELECT
				v.spend,
				coalesce((sum(v.spend * v.customers) OVER (ORDER BY v.spend DESC) - v.spend * v.customers)
					/ nullif(sum(v.spend * v.customers) OVER (), 0), 0) AS cumulative_share
			FROM (
				SELECT {1} AS spend, count(*) AS customers
				FROM {data}.history h
				WHERE h.generation = ($2).generation
				GROUP BY 1
			) v
		) w ON w.spend = {1}
	$sql$::text, ARRAY[$sql$
		CASE
			WHEN @extschema@.clv_purchases(h.history, ($2).as_of) > 0
			THEN coalesce(greatest(@extschema@.clv_total_spend(h.history, ($2).as_of), 0), 0)
			ELSE 0
		END
	$sql$::text])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_shares(clv_internal.clv_pipeline_definition) IS
	'the join that brings each customer the share of the revenue that is of customers who have spent more. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_follows(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.bool
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	follows bool;
BEGIN
	-- a fit has emptied the table "touched", and a run in between that failed may have changed histories
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT ($2).model_run <> ($2).run AND r.run + 1 = ($2).run AND r.generation = ($2).generation
			AND r.histories = r.customers
		FROM {data}.run r
		WHERE r.run = ($2).previous
	$sql$::text) INTO follows USING d, this;
	RETURN coalesce(follows, false) AND d.group_by IS NULL
		AND NOT clv_internal.clv_pipeline_sharded(d, 'customer'::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_follows(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'whether the histories of a run are those that the customers of the run before hold, but for customers in the '
	'table "touched"; never with groups, which customers leave and join. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customer_histories(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run, source pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, CASE
		-- customers of a group one after the other: few models are kept at hand
		WHEN (d).group_by IS NOT NULL THEN $sql$
			SELECT
				{h.key},
				h.history,
				b.segment AS from_segment,
				b.clv AS from_clv,
				m.group_name,
				m.group_model,
				m.group_cuts
			FROM {data}.history h
			LEFT JOIN {data}.member e ON {e=h}
			JOIN ({1}) m ON m.group_name = coalesce(e.group_name, '(none)')
			LEFT JOIN (SELECT {c.key}, c.segment, c.clv FROM {data}.customer c WHERE c.run = ($2).previous) b ON {b=h}
			WHERE h.generation = ($2).generation
			ORDER BY m.group_name
		$sql$
		WHEN source = 'histories' THEN $sql$
			SELECT {h.key}, h.history, b.segment AS from_segment, b.clv AS from_clv
			FROM {data}.history h
			LEFT JOIN (SELECT {c.key}, c.segment, c.clv FROM {data}.customer c WHERE c.run = ($2).previous) b ON {b=h}
			WHERE h.generation = ($2).generation
		$sql$
		WHEN source = 'customers' THEN $sql$
			SELECT {c.key}, c.history, c.segment AS from_segment, c.clv AS from_clv
			FROM {data}.customer c
			WHERE c.run = ($2).previous
			  AND NOT EXISTS (SELECT FROM {data}.touched t WHERE t.run = ($2).run AND {t=c})
			UNION ALL
			{2}
		$sql$
		WHEN source = 'touched' THEN '{2}'
	END::text, ARRAY[
		clv_internal.clv_pipeline_group_models(d),
		-- one by one: a join by hashing would read the rows of all
		CASE WHEN source IN ('customers', 'touched') THEN clv_internal.clv_pipeline_sql(d, $sql$
			SELECT {t.key}, h.history, b.segment AS from_segment, b.clv AS from_clv
			FROM {data}.touched t
			CROSS JOIN LATERAL (
				SELECT i.history
				FROM {data}.history i
				WHERE i.generation = ($2).generation AND {i=t}
				OFFSET 0
			) h
			LEFT JOIN LATERAL (
				SELECT c.segment, c.clv
				FROM {data}.customer c
				WHERE c.run = ($2).previous AND {c=t}
				OFFSET 0
			) b ON true
			WHERE t.run = ($2).run
		$sql$::text) END])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customer_histories(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run, pg_catalog.text) IS
	'the query of the histories of a run, each with the segment and the value that the run before found: of all '
	'histories; of those that the customers of the run before hold, where they are the same but for touched customers; '
	'or of touched customers alone. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customer_fillings(
	d clv_internal.clv_pipeline_definition, histories pg_catalog.text)
RETURNS pg_catalog.text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	needs text[] := ARRAY(SELECT i.name FROM @extschema@.clv_segment_inputs(d.map) i WHERE i.kind = 'attribute');
	-- Citus follows the key of a customer to the column of a table, but not into a fence
	sharded bool := clv_internal.clv_pipeline_sharded(d, 'history'::text);
BEGIN
	RETURN ARRAY[
		clv_internal.clv_pipeline_assign(d, d.map, clv_internal.clv_pipeline_attributes(d)),
		CASE WHEN d.rating_source IS NULL THEN 'NULL' ELSE
			clv_internal.clv_pipeline_assign(d, 'value x satisfaction'::text,
				$sql$jsonb_build_object('satisfaction', q.satisfaction)$sql$::text)
		END,
		CASE WHEN needs && d.attributes THEN
			clv_internal.clv_pipeline_sql(d, CASE WHEN sharded THEN 'LEFT JOIN {1} a ON {a=h}'
				ELSE 'LEFT JOIN {1} a ON {a=q}'
			END, ARRAY[d.attribute_source])
		END
	] || clv_internal.clv_pipeline_fence(d, clv_internal.clv_pipeline_sql(d, $sql$
			(
				{1}
			) h
			{2}
			{3}
		$sql$::text, ARRAY[
			histories,
			clv_internal.clv_pipeline_ratings(d),
			CASE
				WHEN NOT 'cumulative_share' = ANY (needs) THEN 'CROSS JOIN (SELECT NULL::numeric AS cumulative_share) w'
				ELSE clv_internal.clv_pipeline_shares(d)
			END])) || clv_internal.clv_pipeline_sql(d, CASE WHEN sharded THEN '{h.key}' ELSE '{q.key}' END);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customer_fillings(
	clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'what the map, the ratings, the attributes and the query of the histories add to the query of customers, as '
	'clv_pipeline_fill takes it. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customer_query(
	d clv_internal.clv_pipeline_definition, histories pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, p.statement, clv_internal.clv_pipeline_customer_fillings(d, histories))
	FROM clv_internal.clv_pipeline_view_customers() p
	WHERE p.kind = 'rows'
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customer_query(
	clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'the query of customers, over that of their histories. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_made_of(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT md5(jsonb_build_array((this).as_of, (this).model::text, (d).horizon, (d).discount_rate, (d).margin,
		(d).level, (this).cuts::text,
		clv_internal.clv_pipeline_customer_query(d,
			clv_internal.clv_pipeline_customer_histories(d, this, 'histories'::text)))::text)
	WHERE (d).rating_source IS NULL AND NOT EXISTS (
		SELECT
		FROM @extschema@.clv_segment_inputs((d).map) i
		WHERE i.kind = 'attribute' AND i.name <> 'trend'
	)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_made_of(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'a hash of what the row of a customer depends on beside their history; NULL where that is more than the run knows. '
	'A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_load_customers(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- as in clv_pipeline_fill
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off
AS $$
DECLARE
	follows bool := clv_internal.clv_pipeline_follows(d, this);
	same bool;
	rows int8;
	copied int8 := 0;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET made_of = $2
		WHERE run = $1
		RETURNING coalesce(made_of = (SELECT r.made_of FROM {data}.run r WHERE r.run = $3), false)
	$sql$::text) INTO same USING this.run, clv_internal.clv_pipeline_made_of(d, this), this.previous;
	EXECUTE clv_internal.clv_pipeline_partition_load(d, 'customer'::text, this.run,
		clv_internal.clv_pipeline_customer_query(d, clv_internal.clv_pipeline_customer_histories(d, this, CASE
			WHEN follows AND same THEN 'touched'
			WHEN follows THEN 'customers'
			ELSE 'histories'
		END))) USING d, this;
	GET DIAGNOSTICS rows = ROW_COUNT;
	IF follows AND same THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.{1:I}
			SELECT {2}
			FROM {data}.customer c
			WHERE c.run = ($2).previous
			  AND NOT EXISTS (SELECT FROM {data}.touched t WHERE t.run = ($2).run AND {t=c})
		$sql$::text, ARRAY[clv_internal.clv_pipeline_partition('customer'::text, this.run), (
			SELECT string_agg(CASE a.attname
				WHEN 'run' THEN '($2).run'
				WHEN 'from_segment' THEN 'c.segment'
				WHEN 'from_clv' THEN 'c.clv'
				ELSE format('c.%I', a.attname)
			END, ', ' ORDER BY a.attnum)
			FROM pg_attribute a
			WHERE a.attrelid = clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text,
				ARRAY[clv_internal.clv_pipeline_partition('customer'::text, this.run)])::regclass
			  AND a.attnum > 0
		)]) USING d, this;
		GET DIAGNOSTICS copied = ROW_COUNT;
	END IF;
	RETURN rows + copied;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_load_customers(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'loads the customers of a run, for clv_pipeline_partition_show, and returns their number: the rows of the run '
	'before, where they would come out the same, and those of touched customers. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_unread(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.int8[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old int8[];
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT coalesce(array_agg(n), '{}')
		FROM clv_internal.clv_pipeline_partitions($1, 'customer'::text) n
		JOIN {data}.run r ON r.run = n
		LEFT JOIN LATERAL (
			SELECT l.xmin
			FROM {data}.run l
			WHERE l.run > n AND l.published_at IS NOT NULL
			ORDER BY l.run
			LIMIT 1
		) l ON r.published_at IS NOT NULL
		WHERE n <> ($2).run
		  AND n IS DISTINCT FROM ($2).previous
		  AND (r.published_at IS NULL OR clv_internal.clv_pipeline_settled({1:L}::regclass, l.xmin))
	$sql$::text, ARRAY[clv_internal.clv_pipeline_sql(d, '{data}.run'::text)]) INTO old USING d, this;
	RETURN old;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_unread(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'the runs whose customers no view can show any more: those before the last, where all sessions see that a '
	'later one was published, and those that were never published. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_customers(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
	rows int8;
	missed int8;
BEGIN
	rows := clv_internal.clv_pipeline_load_customers(d, this);
	PERFORM clv_internal.clv_pipeline_partition_show(d, 'customer'::text, run,
		clv_internal.clv_pipeline_unread(d, this));
	PERFORM clv_internal.clv_pipeline_fill(d, run, 'total'::text);
	PERFORM clv_internal.clv_pipeline_fill(d, run, 'month'::text);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET customers = $3, (histories, total_revenue) = (
			SELECT
				coalesce(sum(m.customers), 0),
				CASE WHEN ($1).amount IS NOT NULL THEN
					coalesce(sum(m.revenue + m.after), 0)
						+ coalesce(revenue_without_customer, 0) + coalesce(revenue_without_time, 0)
				END
			FROM {data}.month m
			WHERE m.run = ($2).run
		)
		WHERE run = ($2).run
	$sql$::text) USING d, this, rows;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT sum(t.customers)
		FROM {data}.total t
		WHERE t.run = $1 AND t.segment = '(none)'
	$sql$::text) INTO missed USING run;
	PERFORM clv_internal.clv_pipeline_note(d, run,
			format('%s customers in no segment: no rule holds, or what one needs is not known', missed))
		WHERE missed > 0;
	IF d.rated_at IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT count(*)
			FROM {1} g
			WHERE {g.known} AND g.{2:I} IS NOT NULL AND {3} > $1::date
		$sql$::text, ARRAY[d.rating_source, d.rating,
			clv_internal.clv_pipeline_rated_day(d)]) INTO missed USING this.as_of;
		PERFORM clv_internal.clv_pipeline_note(d, run, format('%s ratings after the day left out', missed))
			WHERE missed > 0;
	END IF;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_customers(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: scores, predictions and segments of all customers. A part of pipelines';

-- ---- steps: segments, cohorts, forecast, concentration, lists ---------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_step_segments(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rows int8 := clv_internal.clv_pipeline_fill(d, run, 'segment'::text)
		+ clv_internal.clv_pipeline_fill(d, run, 'migration'::text)
		+ clv_internal.clv_pipeline_fill_groups(d, run)
		+ clv_internal.clv_pipeline_fill(d, run, 'equity'::text);
BEGIN
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

CREATE FUNCTION clv_internal.clv_pipeline_periods(
	horizon pg_catalog.interval, as_of pg_catalog.date, model @extschema@.clv_model)
RETURNS TABLE (
	number pg_catalog.int4, period_start pg_catalog.date, period_end pg_catalog.date, until pg_catalog.interval)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 13
SET search_path = pg_catalog, pg_temp
AS $$
	-- calendar months where time is continuous, else the family's own periods; the last one ends with the horizon
	WITH clock AS (
		SELECT c.clock, c.time_unit
		FROM clv_internal.clv_validate_clock(model) c
	),
	span AS (
		SELECT 365.25 * (12 * extract(year FROM horizon) + extract(month FROM horizon))::float8 / 12
			+ extract(day FROM horizon)::float8
			+ extract(epoch FROM horizon - date_trunc('day', horizon))::float8 / 86400 AS days
		FROM clock c
		WHERE c.clock = 'continuous'
	),
	months AS (
		SELECT (m + interval '1 month')::date - 1 - as_of AS days
		FROM span
		CROSS JOIN generate_series(date_trunc('month', (as_of + 1)::timestamp), (as_of + span.days::int4)::timestamp,
			interval '1 month') m
	),
	ends AS (
		SELECT m.days, make_interval(days => m.days) AS until
		FROM months m
		CROSS JOIN span
		WHERE m.days < span.days - 0.5
		UNION ALL
		SELECT span.days::int4, horizon
		FROM span
		UNION ALL
		SELECT p.until - as_of, i * c.time_unit
		FROM clock c
		CROSS JOIN clv_internal.clv_validate_periods(model, as_of, horizon) h
		CROSS JOIN generate_series(1, CASE WHEN h.periods < 121 THEN h.periods WHEN h.periods > 0 THEN 121 END) i
		CROSS JOIN clv_internal.clv_validate_periods(model, as_of, i * c.time_unit) p
	),
	numbered AS (
		SELECT
			row_number() OVER (ORDER BY e.days)::int4 AS number,
			lag(e.days, 1, 0) OVER (ORDER BY e.days) AS since,
			e.days,
			e.until
		FROM ends e
	)
	SELECT n.number, as_of + n.since + 1, as_of + n.days, n.until
	FROM numbered n
	ORDER BY n.number
	LIMIT 121
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_periods(pg_catalog.interval, pg_catalog.date, @extschema@.clv_model) IS
	'the periods of a forecast: calendar months, or the periods of a family of discrete time; until: from the day to '
	'the end of the period. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_forecast_fillings(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
BEGIN
	RETURN (
		SELECT ARRAY[
			array_agg(p.until ORDER BY p.number)::text,
			-- a call for each period by itself, because each caches what it has computed for its horizon
			format('ARRAY[%s]', string_agg(clv_internal.clv_pipeline_sql(d, $sql$
				@extschema@.clv_predict_total({model}, q.history, {1:L}::interval, 0::float8, 1::float8,
					($2).as_of, coalesce(($1).level, 0.9::float8)) FILTER (WHERE q.sampled)$sql$::text,
				ARRAY[p.until::text]), ',' ORDER BY p.number))]
		FROM clv_internal.clv_pipeline_periods(d.horizon, this.as_of, this.model) p
	) || clv_internal.clv_pipeline_fence(d, clv_internal.clv_pipeline_sql(d, $sql$
		(SELECT * FROM {data}.customer WHERE run = ($2).run) c
		JOIN {data}.segment g ON g.run = c.run AND g.segment = c.segment AND g.group_name = {1}
	$sql$::text, ARRAY[CASE WHEN d.group_by IS NULL THEN $sql$''$sql$
		ELSE format('c.group_name JOIN (%s) m ON m.group_name = c.group_name',
			clv_internal.clv_pipeline_group_models(d))
	END])) || clv_internal.clv_pipeline_sql(d, CASE
		-- of which a worker of Citus can send the state
		WHEN clv_internal.clv_pipeline_sharded(d, 'customer'::text) THEN $sql$
			clv_internal.clv_pipeline_curve_sum(
				@extschema@.clv_purchase_curve(($2).model, q.history, {1:L}::interval[], ($2).as_of, NULL::float8[]),
				clv_internal.clv_finite(CASE WHEN ($2).has_spend
					THEN @extschema@.clv_expected_spend(($2).model, q.history, ($2).as_of)
				END))
		$sql$
		ELSE 'clv_internal.clv_curve_sum({model}, q.history, {1:L}::interval[], ($2).as_of)'
	END, ARRAY[(
		SELECT array_agg(p.until ORDER BY p.number)::text
		FROM clv_internal.clv_pipeline_periods(d.horizon, this.as_of, this.model) p
	)]) || CASE WHEN d.group_by IS NULL THEN $sql$'' AS group_name$sql$ ELSE 'c.group_name, m.group_model' END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_forecast_fillings(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'the ends of the periods of the forecast, and what its query asks for each, as clv_pipeline_fill takes it. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fill_by_segment(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, target pg_catalog.text, fillings pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- As there are no statistics of the segments of this run, the histories of all customers would be sorted by segment, or
-- fetched in the order of an index, although there are few segments.
SET search_path = pg_catalog, pg_temp SET enable_sort = off SET enable_indexscan = off
AS $$
BEGIN
	RETURN clv_internal.clv_pipeline_fill(d, run, target, fillings);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fill_by_segment(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text, pg_catalog.text[]) IS
	'clv_pipeline_fill for queries that sum predictions by segment. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_forecast(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	fillings text[] := clv_internal.clv_pipeline_forecast_fillings(d, run);
	rows int8 := CASE WHEN d.group_by IS NULL
		THEN clv_internal.clv_pipeline_fill_by_segment(d, run, 'forecast'::text, fillings)
		ELSE clv_internal.clv_pipeline_fill_by_group(d, run, 'forecast'::text, fillings)
	END;
BEGIN
	PERFORM clv_internal.clv_pipeline_widen_forecast(d, run);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_forecast(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: purchases and revenue to come, by period and segment, and for all. A part of pipelines';

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
			clv_internal.clv_pipeline_hundredths(c.expected_purchases) FILTER (WHERE NOT ($2).has_spend) AS purchases
		FROM {data}.customer c
		WHERE c.run = ($2).run
	$sql$::text) INTO sorted USING d, this;
	PERFORM clv_internal.clv_pipeline_fill(d, run, 'ranks'::text,
		ARRAY[CASE WHEN this.has_spend THEN sorted.future ELSE sorted.purchases END::text]);
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

CREATE FUNCTION clv_internal.clv_pipeline_step_lists(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	customers int8;
	histories text := clv_internal.clv_pipeline_few_histories(d);
	rows int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT r.customers FROM {data}.run r WHERE r.run = $1'::text)
	INTO customers USING run;
	rows := clv_internal.clv_pipeline_fill(d, run, 'winback'::text)
		+ clv_internal.clv_pipeline_fill(d, run, 'next_best'::text);
	BEGIN
		RETURN rows
			+ clv_internal.clv_pipeline_fill(d, run, 'alert'::text, ARRAY[histories])
			-- of more customers another part each day is enough to choose from
			+ clv_internal.clv_pipeline_fill(d, run, 'conversation'::text,
				ARRAY[(1 + customers / 50000)::text, histories]);
	EXCEPTION
		-- a version of Citus may know no plan for them
		WHEN feature_not_supported THEN
			PERFORM clv_internal.clv_pipeline_note(d, run, 'no alerts and conversations: ' || SQLERRM);
			RETURN rows;
	END;
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

-- ---- step: validation -------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_holdout(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, parts pg_catalog.int8,
	since pg_catalog.date, until pg_catalog.date, span pg_catalog.interval, tracked pg_catalog.bool,
	OUT rows pg_catalog.int8, OUT shortfall pg_catalog.text, OUT failure pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- its warnings would be taken for those of the model that the views rest on
SET search_path = pg_catalog, pg_temp SET client_min_messages = error
AS $$
DECLARE
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
	past @extschema@.clv_model;
	fillings text[];
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		CREATE TABLE {data}.sample AS
		SELECT h.history
		FROM {data}.history h
		WHERE h.generation = {1} AND {h.hash} % {2} = 0
	$sql$::text, ARRAY[this.generation::text, parts::text]);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT @extschema@.clv_fit(h.history, $1::jsonb)
		FROM {data}.sample h
	$sql$::text) INTO past USING clv_internal.clv_pipeline_fit_options(d, since, this.calendar)
		|| CASE WHEN d.options ->> 'model' = 'auto'
			THEN jsonb_build_object('model', (@extschema@.clv_diagnostics(this.model)).purchase_model) ELSE '{}' END;
	shortfall := clv_internal.clv_pipeline_shortfall(past, d.options);
	fillings := (
		SELECT ARRAY[clv_internal.clv_pipeline_sql(d, '{data}.sample'::text), past::text, since::text, until::text,
			span::text, (m.converged AND coalesce(m.spend_converged, true))::text]
		FROM @extschema@.clv_diagnostics(past) m
	);
	rows := clv_internal.clv_pipeline_fill(d, run, 'calibration'::text, fillings)
		+ clv_internal.clv_pipeline_fill(d, run, 'lift'::text, fillings);
	IF tracked THEN
		rows := rows + clv_internal.clv_pipeline_fill(d, run, 'tracking'::text, fillings);
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DROP TABLE {data}.sample'::text);
EXCEPTION
	-- a past too short or too quiet for a fit is nothing to keep today's results back for
	WHEN data_exception OR invalid_parameter_value OR no_data_found OR numeric_value_out_of_range
		OR null_value_not_allowed OR object_not_in_prerequisite_state THEN
		rows := 0;
		failure := SQLERRM;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_holdout(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8, pg_catalog.date, pg_catalog.date,
	pg_catalog.interval, pg_catalog.bool) IS
	'the predictions of a model of the customers up to since, or of one of so many parts of them, for the span that '
	'ends with until, with the actual purchases, by week too where that is tracked; or why there are none. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_validation(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- of more customers a sample says as much
	most CONSTANT int8 := 100000;
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
	clock record := clv_internal.clv_validate_clock(this.model);
	first date;
	histories int8;
	days float8;
	weeks float8;
	span interval;
	since date;
	until date;
	tried record;
BEGIN
	IF this.model_run = run OR d.group_by IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_fill(d, run, 'new_customer'::text);
	END IF;
	IF this.model_run <> run THEN
		RETURN 0;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT min(t.first_purchase)
		FROM {data}.total t
		WHERE t.run = $1
	$sql$::text) INTO first USING run;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.histories
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO histories USING run;
	-- whole weeks, or periods of the family
	days := least(extract(epoch FROM coalesce(d.holdout, d.horizon)) / 86400, (this.as_of - first) / 3.0);
	weeks := greatest(clock.unit_days, 7);
	span := CASE clock.clock
		WHEN 'continuous' THEN make_interval(days => (floor(days / weeks) * weeks)::int4)
		ELSE floor(days / clock.unit_days) * clock.time_unit
	END;
	since := (this.as_of + 1 - span)::date - 1;
	until := coalesce((clv_internal.clv_validate_periods(this.model, since, span)).until, this.as_of);
	IF until - since < 28 OR clock.clock NOT IN ('continuous', 'opportunities') THEN
		RETURN 1;
	END IF;
	tried := clv_internal.clv_pipeline_holdout(d, run, 1 + histories / most, since, until, span,
		clock.clock = 'continuous');
	IF tried.shortfall IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_note(d, run, 'of the model before the hold-out: ' || tried.shortfall);
		RAISE WARNING 'the fit for the hold-out of pipeline "%" is not reliable', d.name
			USING DETAIL = format('Fitted as of %s: %s.', to_char(since, 'YYYY-MM-DD'), tried.shortfall);
	END IF;
	PERFORM clv_internal.clv_pipeline_note(d, run, 'no validation: ' || tried.failure);
	RETURN 1 + tried.rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_validation(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh that has fitted a model: a model fitted in the same way before a hold-out, its predictions '
	'compared with the hold-out; and the value of a new customer. A part of pipelines';
