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
				WHERE {g.known} AND g.{1:I} BETWEEN 0 AND 10
				GROUP BY {g.key}
			) g ON {g=h}
		$sql$::text, ARRAY[d.rating, d.rating_source]);
	END IF;
	RETURN clv_internal.clv_pipeline_sql(d, $sql$
		LEFT JOIN (
			SELECT DISTINCT ON ({g.key}) {g.key}, g.{1:I} AS rating
			FROM {2} g
			WHERE {g.known} AND g.{1:I} BETWEEN 0 AND 10 AND {3} <= ($2).as_of
			ORDER BY {g.key}, g.{4:I} DESC, g.{1:I}
		) g ON {g=h}
	$sql$::text, ARRAY[d.rating, d.rating_source, clv_internal.clv_pipeline_rated_day(d), d.rated_at]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_ratings(clv_internal.clv_pipeline_definition) IS
	'the join that brings each customer''s latest rating g up to the day of the run (the lowest of several at one '
	'time; without times their mean; NULL where there are no ratings, of which those beyond 0 to 10 are none). A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_note_ratings(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	later int8;
	beyond int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT
			count(*) FILTER (WHERE g.{2:I} BETWEEN 0 AND 10 AND {3}),
			count(*) FILTER (WHERE g.{2:I} NOT BETWEEN 0 AND 10)
		FROM {1} g
		WHERE {g.known}
	$sql$::text, ARRAY[d.rating_source, d.rating, CASE WHEN d.rated_at IS NULL THEN 'false'
		ELSE clv_internal.clv_pipeline_rated_day(d) || ' > $1::date'
	END]) INTO later, beyond USING this.as_of;
	PERFORM clv_internal.clv_pipeline_note(d, this.run, format('%s ratings after the day left out', later))
		WHERE later > 0;
	PERFORM clv_internal.clv_pipeline_note(d, this.run, format('%s ratings beyond 0 to 10 left out', beyond))
		WHERE beyond > 0;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_note_ratings(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'writes down how many ratings clv_pipeline_ratings leaves out. A part of pipelines';

CREATE TYPE clv_internal.clv_pipeline_customer AS (
	lapse_date pg_catalog.date,
	p_alive pg_catalog.float8,
	expected_purchases pg_catalog.float8,
	clv pg_catalog.numeric(24,2),
	monetary pg_catalog.numeric,
	next_purchase_value pg_catalog.numeric(24,2),
	cohort_month pg_catalog.date,
	first_purchase pg_catalog.date,
	recency pg_catalog.int4,
	frequency pg_catalog.int4,
	expected_revenue pg_catalog.numeric(24,2),
	lifetime_value pg_catalog.numeric(24,2),
	churn pg_catalog.float8,
	active_30d pg_catalog.float8,
	active_90d pg_catalog.float8,
	last_purchase pg_catalog.date,
	tenure pg_catalog.int4,
	next_purchase pg_catalog.date,
	expected_spend pg_catalog.numeric(24,2),
	mean_spend pg_catalog.numeric(24,2),
	purchases_low pg_catalog.float8,
	purchases_high pg_catalog.float8,
	clv_low pg_catalog.numeric(24,2),
	clv_high pg_catalog.numeric(24,2)
);
COMMENT ON TYPE clv_internal.clv_pipeline_customer IS
	'what a pipeline stores of a customer: the values of rfmtc, days of purchases; the predictions of clv_prediction; '
	'the probabilities of a purchase in 30 and in 90 days, NULL of models of whole periods; the days of '
	'clv_next_purchase and clv_lapse_date at one half. Money has two decimals, and what is infinite is NULL. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customer(
	model @extschema@.clv_model, history @extschema@.clv_history, horizon pg_catalog.interval,
	discount_rate pg_catalog.float8, margin pg_catalog.float8, as_of pg_catalog.date, level pg_catalog.float8,
	covariates pg_catalog.float8[])
	RETURNS clv_internal.clv_pipeline_customer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 60;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customer(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8, pg_catalog.float8[]) IS
	'what a pipeline stores of a customer in one row, with the arguments of clv_predict: what is computed for one '
	'number is at hand for the others. NULL before the first purchase. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_value(name pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		-- of which churn is the rest
		WHEN name IN ('p_alive', 'churn') THEN '(q.scores).p_alive'
		WHEN name = 'total_value' THEN
			'clv_internal.clv_finite((q.measured).monetary::float8 * ($1).margin + (q.prediction).clv)'
		-- money that is not rounded to cents
		WHEN name IN ('expected_revenue', 'clv', 'next_purchase_value') THEN
			format('clv_internal.clv_finite((q.prediction).%I)', name)
		ELSE '(q.measured).' || name
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
					- (q.measured).frequency
				)::float8 / (q.measured).frequency$sql$
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
		-- customers of a group one after the other: few models are kept at hand. They are joined when the customers are
		-- in order, or each would be sorted with a copy of its model
		WHEN (d).group_by IS NOT NULL THEN $sql$
			SELECT
				{h.key},
				h.history,
				b.segment AS from_segment,
				b.clv AS from_clv,
				m.group_name,
				m.group_model,
				m.group_cuts
			FROM (
				SELECT {i.key}, i.history, coalesce(e.group_name, '(none)') AS group_name
				FROM {data}.history i
				LEFT JOIN {data}.member e ON {e=i}
				WHERE i.generation = ($2).generation
				ORDER BY 3
				OFFSET 0
			) h
			JOIN ({1}) m USING (group_name)
			LEFT JOIN (
				SELECT {c.key}, c.segment, c.clv
				FROM {data}.customer c
				WHERE c.run = ($2).previous_customers
			) b ON {b=h}
		$sql$
		WHEN source = 'histories' THEN $sql$
			SELECT {h.key}, h.history, b.segment AS from_segment, b.clv AS from_clv
			FROM {data}.history h
			LEFT JOIN (
				SELECT {c.key}, c.segment, c.clv
				FROM {data}.customer c
				WHERE c.run = ($2).previous_customers
			) b ON {b=h}
			WHERE h.generation = ($2).generation
		$sql$
		WHEN source = 'untouched' THEN $sql$
			SELECT {c.key}, c.history, c.segment AS from_segment, c.clv AS from_clv
			FROM {data}.customer c
			WHERE c.run = ($2).previous_customers
			  AND NOT EXISTS (SELECT FROM {data}.touched t WHERE t.run = ($2).run AND {t=c})
		$sql$
		-- one by one: a join by hashing would read the rows of all
		WHEN source = 'touched' THEN $sql$
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
				WHERE c.run = ($2).previous_customers AND {c=t}
				OFFSET 0
			) b ON true
			WHERE t.run = ($2).run
		$sql$
	END::text, ARRAY[clv_internal.clv_pipeline_group_models(d)])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customer_histories(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run, pg_catalog.text) IS
	'the query of the histories of a run, each with the segment and the value that the run before found: source is '
	'"histories" for all of them, "touched" for those of touched customers, "untouched" for the others, as the '
	'customers of the run before hold them. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customer_fillings(
	d clv_internal.clv_pipeline_definition, histories pg_catalog.text, flat pg_catalog.bool)
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
			END])) || ARRAY[
		clv_internal.clv_pipeline_sql(d, CASE WHEN sharded THEN '{h.key}' ELSE '{q.key}' END),
		CASE WHEN flat THEN '.*' END,
		CASE WHEN strpos(clv_internal.clv_pipeline_attributes(d), '(q.prediction)') > 0 THEN
			clv_internal.clv_pipeline_sql(d, $sql$
				@extschema@.clv_predict({model}, h.history, ($1).horizon, ($1).discount_rate, ($1).margin, ($2).as_of,
					($1).level)
			$sql$::text)
			ELSE 'NULL'
		END];
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customer_fillings(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.bool) IS
	'what the map, the ratings, the attributes and the query of the histories add to the query of customers, as '
	'clv_pipeline_fill takes it. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customer_query(
	d clv_internal.clv_pipeline_definition, histories pg_catalog.text, flat pg_catalog.bool)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, p.statement, clv_internal.clv_pipeline_customer_fillings(d, histories,
		flat))
	FROM clv_internal.clv_pipeline_view_customers() p
	WHERE p.kind = 'rows'
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customer_query(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.bool) IS
	'the query of customers, over that of their histories: with the columns of their table, or, unless it is to be '
	'flat, with some of them in a composite, as clv_pipeline_load takes them. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_made_of(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT md5(jsonb_build_array(clv_internal.clv_pipeline_parts_hash(), (this).as_of, (this).model::text,
		(d).horizon, (d).discount_rate, (d).margin, (d).level, (this).cuts::text,
		clv_internal.clv_pipeline_customer_query(d,
			clv_internal.clv_pipeline_customer_histories(d, this, 'histories'::text), true))::text)
	WHERE (d).rating_source IS NULL AND NOT EXISTS (
		SELECT
		FROM @extschema@.clv_segment_inputs((d).map) i
		WHERE i.kind = 'attribute' AND i.name <> 'trend'
	)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_made_of(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'a hash of what the row of a customer depends on beside their history, and of what tables there are; NULL where '
	'that is more than the run knows. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_find_customers(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.text[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	follows bool := clv_internal.clv_pipeline_follows(d, this);
	sources text[];
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run r
		SET made_of = m.made_of,
			customer_run = CASE WHEN m.same THEN ($2).previous_customers ELSE r.run END
		FROM (
			SELECT $3::text AS made_of, $4::bool AND coalesce($3::text = b.made_of, false) AS same
			FROM (SELECT ($2).previous) p (run)
			LEFT JOIN {data}.run b USING (run)
		) m
		WHERE r.run = ($2).run
		RETURNING CASE
			WHEN m.same THEN ARRAY['touched']
			WHEN $4::bool THEN ARRAY['untouched', 'touched']
			ELSE ARRAY['histories']
		END
	$sql$::text) INTO STRICT sources USING d, this, clv_internal.clv_pipeline_made_of(d, this), follows;
	RETURN sources;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_find_customers(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'of which customers a run has to write rows, each as clv_pipeline_customer_histories takes it, and writes down '
	'whose rows it keeps: those of touched customers alone, where all others would come out as they are. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_load(
	relation pg_catalog.regclass, query pg_catalog.text, d clv_internal.clv_pipeline_definition,
	this clv_internal.clv_pipeline_run)
	RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_load(
	pg_catalog.regclass, pg_catalog.text, clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'stores the rows of a query with these parameters in a table that the same transaction has made, where columns of '
	'named row types stand for all of their columns; how many. An error where a row violates a constraint of the '
	'table. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_store_customers(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run, sources pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- as in clv_pipeline_fill
SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET enable_mergejoin = off
AS $$
DECLARE
	query text := clv_internal.clv_pipeline_customer_query(d,
		clv_internal.clv_pipeline_customer_histories(d, this, sources[1]), true);
	partition text := clv_internal.clv_pipeline_sql(d, '{data}.{1:I}'::text,
		ARRAY[clv_internal.clv_pipeline_partition('customer'::text, this.run)]);
	rows int8;
BEGIN
	EXECUTE format('CREATE TABLE %s AS %s WITH NO DATA', partition, query) USING d, this;
	IF NOT clv_internal.clv_pipeline_sharded(d, 'customer'::text) THEN
		PERFORM clv_internal.clv_pipeline_partition_alter(clv_internal.clv_pipeline_sql(d, '{data}.customer'::text),
			partition, this.run, false);
		-- one query for each: what is looked up row by row would keep workers out of the plan of all
		RETURN (
			SELECT sum(clv_internal.clv_pipeline_load(partition::regclass, clv_internal.clv_pipeline_customer_query(d,
				clv_internal.clv_pipeline_customer_histories(d, this, s), false), d, this))
			FROM unnest(sources) s
		);
	END IF;
	-- workers load only what is distributed already; an upgrade may have put its columns into another order
	EXECUTE clv_internal.clv_pipeline_sql(d, 'INSERT INTO {data}.customer ({1}) {2}'::text, ARRAY[
		(
			SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
			FROM pg_attribute a
			WHERE a.attrelid = partition::regclass AND a.attnum > 0
		), query]) USING d, this;
	GET DIAGNOSTICS rows = ROW_COUNT;
	EXECUTE format('DROP TABLE %s', partition);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_store_customers(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run, pg_catalog.text[]) IS
	'stores the rows of customers, each source as clv_pipeline_customer_histories takes it, for '
	'clv_pipeline_partition_show to make them those of a run: in a table of their own, or, where the table of '
	'customers is distributed, those of one source in that; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_load_customers(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sources text[] := clv_internal.clv_pipeline_find_customers(d, this);
	rows int8 := clv_internal.clv_pipeline_store_customers(d, this, sources);
BEGIN
	IF sources = '{touched}' THEN
		PERFORM clv_internal.clv_pipeline_partition_add(d, 'customer'::text, this.run);
	ELSE
		PERFORM clv_internal.clv_pipeline_partition_show(d, 'customer'::text, this.run,
			clv_internal.clv_pipeline_unread(d, this));
	END IF;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_load_customers(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'writes the customers of a run: all into a partition of their own, or those whose rows are not the same as in the '
	'run before into that which takes all runs, until clv_pipeline_exchange_customers; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_exchange_customers(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- few of many rows are looked up
SET search_path = pg_catalog, pg_temp SET random_page_cost = 1.1
AS $$
DECLARE
	earlier int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.customer_run
		FROM {data}.run r
		WHERE r.run = $1 AND r.customer_run <> r.run
	$sql$::text) INTO earlier USING run;
	IF earlier IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			DELETE FROM {data}.customer c
			USING {data}.touched t
			WHERE t.run = $1 AND c.run = $2 AND {c=t}
		$sql$::text) USING run, earlier;
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.customer
			SET run = $2
			WHERE run = $1
		$sql$::text) USING run, earlier;
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_exchange_customers(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'puts the rows that a run has written for touched customers in the place of those that they had, where it keeps '
	'the rows of an earlier run. In the transaction that publishes the run: a reader sees all of it or nothing. A part '
	'of pipelines';

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
			WHERE l.run > n AND l.published_at IS NOT NULL AND coalesce(l.customer_run, l.run) <> n
			ORDER BY l.run
			LIMIT 1
		) l ON r.published_at IS NOT NULL
		WHERE n <> ($2).run
		  AND n IS DISTINCT FROM ($2).previous_customers
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
LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 1000000
-- nothing else: where a partition was attached, readers are kept out until the end of the transaction
RETURN clv_internal.clv_pipeline_load_customers(d, clv_internal.clv_pipeline_this(d, run));
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_customers(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: scores, predictions and segments of all customers, or of those whose rows change. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_added_up(
	d clv_internal.clv_pipeline_definition, target pg_catalog.text, sources pg_catalog.text[])
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format('SELECT %s AS sign, q.* FROM (%s) q', u.sign, clv_internal.clv_pipeline_sql(d,
		p.statement, ARRAY[u.source])), ' UNION ALL ' ORDER BY u.number)
	FROM (
		SELECT 1 AS number, 'kept' AS kind, 1 AS sign, NULL AS source
		WHERE cardinality(sources) > 1
		UNION ALL
		SELECT 1 + s.number, 'counted', CASE s.number WHEN 2 THEN -1 ELSE 1 END, s.source
		FROM unnest(sources) WITH ORDINALITY AS s (source, number)
	) u
	JOIN clv_internal.clv_pipeline_parts() p ON p.name = target AND p.kind = u.kind
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_added_up(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.text[]) IS
	'the query of what the rows of a run in a table are added up from, each with its sign: of all customers, given '
	'one source; given two, that of the rows of touched customers, and that of what these were, those of the run '
	'before, less the second, and the first. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_add_up_sources(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run,
	OUT customers pg_catalog.text[], OUT histories pg_catalog.text[])
RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	keeps bool;
	were text;
BEGIN
	-- clv_forget takes it away
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT ($2).customer_run <> ($2).run AND r.made_of IS NOT NULL
		FROM {data}.run r
		WHERE r.run = ($2).run
	$sql$::text) INTO STRICT keeps USING d, this;
	IF NOT keeps THEN
		customers := ARRAY[clv_internal.clv_pipeline_sql(d, '{customers}'::text)];
		histories := ARRAY[clv_internal.clv_pipeline_sql(d, $sql$
			(SELECT h.history FROM {data}.history h WHERE h.generation = ($2).generation)
		$sql$::text)];
		RETURN;
	END IF;
	-- one by one: a join by hashing would read the rows of all
	were := clv_internal.clv_pipeline_sql(d, $sql$
		(
			SELECT b.*
			FROM {data}.touched t
			CROSS JOIN LATERAL (
				SELECT *
				FROM {data}.customer c
				WHERE c.run = ($2).customer_run AND {c=t}
				OFFSET 0
			) b
			WHERE t.run = ($2).run
		)
	$sql$::text);
	customers := ARRAY[clv_internal.clv_pipeline_sql(d, $sql$
		(SELECT * FROM {data}.customer WHERE run = ($2).run)
	$sql$::text), were];
	histories := ARRAY[clv_internal.clv_pipeline_sql(d, $sql$
		(SELECT h.history FROM {data}.touched w {1} WHERE w.run = ($2).run)
	$sql$::text, ARRAY[clv_internal.clv_pipeline_few_histories(d)]), were];
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_add_up_sources(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'the customers, and the histories, that clv_pipeline_added_up takes for a run: all, or where it keeps the rows of '
	'an earlier run, those of touched customers and what these were. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_add_up(
	d clv_internal.clv_pipeline_definition, this clv_internal.clv_pipeline_run)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sources record := clv_internal.clv_pipeline_add_up_sources(d, this);
	missed int8;
BEGIN
	PERFORM clv_internal.clv_pipeline_fill(d, this.run, 'total'::text,
		ARRAY[clv_internal.clv_pipeline_added_up(d, 'total'::text, sources.customers)]);
	PERFORM clv_internal.clv_pipeline_fill(d, this.run, 'month'::text,
		ARRAY[clv_internal.clv_pipeline_added_up(d, 'month'::text, sources.histories)]);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET (customers, histories, total_revenue) = (
			SELECT
				(SELECT coalesce(sum(t.customers), 0) FROM {data}.total t WHERE t.run = ($2).run),
				coalesce(sum(m.customers), 0),
				CASE WHEN ($1).amount IS NOT NULL THEN
					coalesce(sum(m.revenue + m.after), 0)
						+ coalesce(revenue_without_customer, 0) + coalesce(revenue_without_time, 0)
				END
			FROM {data}.month m
			WHERE m.run = ($2).run
		)
		WHERE run = ($2).run
	$sql$::text) USING d, this;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT sum(t.customers)
		FROM {data}.total t
		WHERE t.run = $1 AND t.segment = '(none)'
	$sql$::text) INTO missed USING this.run;
	PERFORM clv_internal.clv_pipeline_note(d, this.run,
			format('%s customers in no segment: no rule holds, or what one needs is not known', missed))
		WHERE missed > 0;
	IF d.rating_source IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_note_ratings(d, this);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_add_up(
	clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run) IS
	'adds up the customers of a run, by segment and by month, as later steps need them, and writes down how many there '
	'are and for how many something is missing. A part of pipelines';
