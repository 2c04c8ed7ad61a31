-- ---- step: histories --------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_fingerprint(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT md5(jsonb_build_array((d).source, (d).customer, (d).bought_at, (d).amount, (d).returns, (d).filter,
		(d).search_path, (d).time_zone, (d).occasion, (d).changed_at, (d).group_by)::text)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fingerprint(clv_internal.clv_pipeline_definition) IS
	'a hash of what the histories of a pipeline depend on: where it has changed they are built from scratch. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_watermark(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.timestamptz
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
	latest timestamptz;
BEGIN
	IF d.changed_at IS NOT NULL THEN
		-- a clock that is ahead of ours must not hide what is written until we catch up
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT least(max(s.{1:I}), now())
			FROM {source} AS s
		$sql$::text, ARRAY[d.changed_at]) INTO latest;
	END IF;
	RETURN latest;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_watermark(clv_internal.clv_pipeline_definition) IS
	'when the latest row of the source was written, as its column changed_at says (in UTC, where it has no time '
	'zone); never later than now. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_changed(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
	since timestamptz;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT coalesce(s.watermark - $1::interval, '-infinity')
		FROM {data}.state s
	$sql$::text) INTO since USING d.overlap;
	RETURN clv_internal.clv_pipeline_sql(d, $sql$
		SELECT DISTINCT {s.key}
		FROM {source} AS s
		WHERE {s.known} AND s.{1:I} > {2:L}::timestamptz
	$sql$::text, ARRAY[d.changed_at, since::text]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_changed(clv_internal.clv_pipeline_definition) IS
	'the query of the customers with rows changed since the last time, less the overlap, whether the filter lets them '
	'through or not; it is to be run with the time zone UTC. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_touch(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- here and below: few of many rows are looked up, which the default of 4 makes too expensive except on a turning disk
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET random_page_cost = 1.1
AS $$
DECLARE
	generation int8;
	counted bool;
	rows int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT s.generation, EXISTS (SELECT FROM {data}.cells)
		FROM {data}.state s
	$sql$::text) INTO generation, counted;
	-- where cells are stored, with the history that was counted
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.touched
		SELECT {t.key}, $1::int8, h.history
		FROM ({1}) t
		LEFT JOIN {data}.history h ON h.generation = $2 AND {h=t} AND $3
		ON CONFLICT ({key}) DO UPDATE SET run = excluded.run
	$sql$::text, ARRAY[clv_internal.clv_pipeline_changed(d)]) USING run, generation, counted;
	GET DIAGNOSTICS rows = ROW_COUNT;
	EXECUTE clv_internal.clv_pipeline_sql(d, 'ANALYZE {data}.touched'::text);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_touch(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'writes down the customers with rows changed since the last time, and what their histories were; how many. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_make_histories(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rows int8 := clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_partition_load(d, 'history'::text,
		run, clv_internal.clv_pipeline_sql(d, $sql$
			SELECT {1}::pg_catalog.int8 AS generation, h.*
			FROM ({2}) h
		$sql$::text, ARRAY[run::text, clv_internal.clv_pipeline_all_histories(d)])));
BEGIN
	PERFORM clv_internal.clv_pipeline_partition_show(d, 'history'::text, run,
		ARRAY(SELECT clv_internal.clv_pipeline_partitions(d, 'history'::text)));
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state
		SET generation = $1
	$sql$::text) USING run;
	-- whose cells are counted anew
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.touched'::text);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_make_histories(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'makes the histories of all customers, as a new generation; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_build(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	latest timestamptz := clv_internal.clv_pipeline_watermark(d);
	rows int8 := clv_internal.clv_pipeline_make_histories(d, run);
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state
		SET watermark = $1, fingerprint = $2
	$sql$::text) USING latest, clv_internal.clv_pipeline_fingerprint(d);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_build(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'builds all histories from scratch; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_exchange(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, generation pg_catalog.int8,
	one_by_one pg_catalog.bool)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET random_page_cost = 1.1
AS $$
DECLARE
	histories text := clv_internal.clv_pipeline_histories(d, run, one_by_one);
BEGIN
	IF clv_internal.clv_pipeline_sharded(d, 'history'::text) THEN
		-- two statements that workers can do by themselves, where what both read would come to the coordinator
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			DELETE FROM {data}.history h
			USING {data}.touched t
			WHERE h.generation = $1 AND t.run = $2 AND {h=t}
		$sql$::text) USING generation, run;
		PERFORM clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.history
			SELECT {1}::pg_catalog.int8 AS generation, h.*
			FROM ({2}) h ({key}, history)
			WHERE h.history IS NOT NULL
		$sql$::text, ARRAY[generation::text, histories]));
	ELSE
		-- {1}: the run, {2}: the generation, {3}: the statement that makes the histories
		PERFORM clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
			WITH fresh AS MATERIALIZED (
				SELECT h.*
				FROM ({3}) h ({key}, history)
				WHERE h.history IS NOT NULL
			),
			gone AS (
				DELETE FROM {data}.history h
				USING {data}.touched t
				WHERE h.generation OPERATOR(pg_catalog.=) {2}
				  AND t.run OPERATOR(pg_catalog.=) {1}
				  AND {h=t}
				  AND NOT EXISTS (SELECT FROM fresh f WHERE {f=t})
			)
			INSERT INTO {data}.history AS h
			SELECT {2}, f.*
			FROM fresh f
			ON CONFLICT (generation, {key}) DO UPDATE
			SET history = excluded.history
			WHERE h.history OPERATOR(@extschema@.<>) excluded.history
		$sql$::text, ARRAY[run::text, generation::text, histories]));
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_exchange(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8, pg_catalog.bool) IS
	'exchanges the histories of the customers with changed rows in the generation that there is; their rows are looked '
	'up one by one, or joined. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_rebuild(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, generation pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
	latest timestamptz := clv_internal.clv_pipeline_watermark(d);
	changed int8;
	few bool;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT count(*) FROM ({1}) t'::text,
		ARRAY[clv_internal.clv_pipeline_changed(d)]) INTO changed;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT coalesce(r.histories > 10 * $1, false)
		FROM {data}.state s
		LEFT JOIN {data}.run r USING (run)
	$sql$::text) INTO few USING changed;
	IF few OR clv_internal.clv_pipeline_sharded(d, 'history'::text) THEN
		changed := clv_internal.clv_pipeline_touch(d, run);
		PERFORM clv_internal.clv_pipeline_exchange(d, run, generation,
			few AND clv_internal.clv_pipeline_indexed(d));
	ELSE
		-- which takes less, where customers are many, than to make their histories and put them among the others
		PERFORM clv_internal.clv_pipeline_make_histories(d, run);
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state
		SET watermark = coalesce($1, watermark)
	$sql$::text) USING latest;
	RETURN changed;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_rebuild(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8) IS
	'builds anew the histories of the customers with changed rows, or where these are many, of all; how many have '
	'changed rows. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_left_out(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass := (clv_internal.clv_source_relation(d.source)).relation;
	-- a column that cannot be NULL need not be looked at: then no row is read
	without_customer text := (
		SELECT string_agg(format('s.%I IS NULL', a.attname), ' OR ')
		FROM pg_attribute a
		WHERE a.attrelid = relation AND a.attname = ANY (d.customer) AND NOT a.attnotnull
	);
	without_time text := (
		SELECT format('s.%I IS NULL', a.attname)
		FROM pg_attribute a
		WHERE a.attrelid = relation AND a.attname = d.bought_at AND NOT a.attnotnull
	);
	amount text := coalesce(clv_internal.clv_pipeline_amount(d, true), 'NULL::pg_catalog.numeric');
BEGIN
	-- what is no number of money at all would not let anything add up
	PERFORM clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET (rows_without_customer, revenue_without_customer, rows_without_time, revenue_without_time) = (
			SELECT
				pg_catalog.count(*) FILTER (WHERE q.without_customer),
				pg_catalog.sum(q.amount) FILTER (WHERE q.without_customer),
				pg_catalog.count(*) FILTER (WHERE NOT q.without_customer),
				pg_catalog.sum(q.amount) FILTER (WHERE NOT q.without_customer)
			FROM (
				SELECT
					({1}) AS without_customer,
					CASE WHEN pg_catalog.abs({3}) OPERATOR(pg_catalog.<) 1e15 THEN {3} END AS amount
				FROM {source} AS s
				WHERE ({1} OR {2}) {filter}
			) q
		)
		WHERE run OPERATOR(pg_catalog.=) {4}
	$sql$::text, ARRAY[coalesce(without_customer, 'false'), coalesce(without_time, 'false'), amount, run::text]));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_left_out(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'writes down how many rows of the source are of no customer, or else of no time, and what they add up to. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_amounts(
	d clv_internal.clv_pipeline_definition, touched pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT concat_ws(', ', {h.key}) AS customer, @extschema@.clv_total_spend(h.history) AS amount
		FROM {data}.history h
		WHERE h.generation = (SELECT s.generation FROM {data}.state s)
		  AND abs(@extschema@.clv_total_spend(h.history)) >= 1e15
		  {1}
		LIMIT 1
	$sql$::text, ARRAY[CASE WHEN touched IS NOT NULL THEN clv_internal.clv_pipeline_sql(d, $sql$
		AND EXISTS (SELECT FROM {data}.touched t WHERE t.run = {1} AND {t=h})
	$sql$::text, ARRAY[touched::text]) END]) INTO found;
	IF found.amount IS NOT NULL THEN
		PERFORM clv_internal.clv_raise(
			format('the amounts of customer %s add up to %s', found.customer, found.amount),
			'Sums of pipelines are of amounts below 1e15 a customer.'::text,
			'Correct the amount, leave the row out by a filter, or let a view count in a larger unit.'::text,
			'numeric_value_out_of_range'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_amounts(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'an error that names a customer, of all or of those touched by a run, whose amounts are too large to be added up '
	'with those of others. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_last_day(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, today pg_catalog.date)
RETURNS pg_catalog.date
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	up_to text;
	days date[];
	customers int8[];
	future int8;
	last date;
	settled date;
	later int8;
BEGIN
	-- once more, and up to today, where some histories go on after it
	FOREACH up_to IN ARRAY ARRAY['', ', $1::date'] LOOP
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT
				array_agg(q.day ORDER BY q.day),
				array_agg(q.customers ORDER BY q.day),
				sum(q.customers) FILTER (WHERE q.day > $1::date)
			FROM (
				SELECT @extschema@.clv_last_purchase(h.history{1}) AS day, count(*) AS customers
				FROM {data}.history h
				WHERE h.generation = (SELECT s.generation FROM {data}.state s)
				GROUP BY 1
			) q
		$sql$::text, ARRAY[up_to]) INTO days, customers, later USING today;
		future := coalesce(future, later);
		EXIT WHEN later IS NULL;
	END LOOP;
	PERFORM clv_internal.clv_pipeline_note(d, run,
			format('purchases later than today are left out (customers: %s)', future))
		WHERE future > 0;
	SELECT s.last_day, s.settled, s.later INTO last, settled, later
	FROM clv_internal.clv_settled_day(days, customers) s;
	IF settled < last THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.run
			SET isolated_day = $2
			WHERE run = $1
		$sql$::text) USING run, last;
		PERFORM clv_internal.clv_pipeline_note(d, run, format(
			'the last purchase date (%s) is isolated, and was not used as as_of', to_char(last, 'YYYY-MM-DD')));
		RAISE WARNING 'last purchase date % of pipeline "%" is isolated from all other purchases',
			to_char(last, 'YYYY-MM-DD'), d.name
			USING DETAIL = format('Customers are evaluated as of %s. Customers with later purchases: %s.',
				to_char(settled, 'YYYY-MM-DD'), later),
				HINT = 'If the date is mistaken, correct it; if it is right, give the pipeline an as_of.';
	END IF;
	RETURN settled;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_last_day(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date) IS
	'the day of the last purchase up to today, but for isolated days long after the others, of which it warns; '
	'NULL where there is none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_day(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.date
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	today date := (now() AT TIME ZONE d.time_zone)::date;
	day date;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.wanted_as_of
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO day USING run;
	IF day IS NULL AND d.as_of = 'last purchase' THEN
		day := clv_internal.clv_pipeline_last_day(d, run, today);
	END IF;
	RETURN coalesce(day, CASE d.as_of
		WHEN 'today' THEN today
		WHEN 'yesterday' THEN today - 1
		WHEN 'last purchase' THEN today
		ELSE d.as_of::date
	END);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_day(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'the day as of which a run evaluates customers. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_histories(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	requested text;
	state record;
	beyond text;
	full_run bool;
	touched int8;
	rows int8;
BEGIN
	PERFORM clv_internal.clv_pipeline_check_source(d);
	PERFORM clv_internal.clv_pipeline_check_key(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.requested
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO requested USING run;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT s.*
		FROM {data}.state s
	$sql$::text) INTO state;
	IF requested = 'incremental' AND d.changed_at IS NULL THEN
		PERFORM clv_internal.clv_raise(format('pipeline "%s" cannot be refreshed incrementally', d.name),
			'It has no column with the time at which a row was written.'::text,
			'Name that column: CALL clv_alter_pipeline(..., changed_at => ...).'::text,
			'object_not_in_prerequisite_state'::text);
	END IF;
	beyond := CASE WHEN d.changed_at IS NOT NULL AND requested <> 'full' THEN clv_internal.clv_pipeline_beyond(d) END;
	IF requested = 'incremental' AND beyond IS NOT NULL THEN
		PERFORM clv_internal.clv_raise(
			format('pipeline "%s" cannot be refreshed incrementally', d.name),
			format('Its filter or source may let other rows through while changed_at stays as it is: %s.', beyond),
			concat($text$Refresh it in mode 'auto' or 'full'. $text$,
				'A function that depends on its arguments alone can be declared IMMUTABLE.'),
			'object_not_in_prerequisite_state'::text);
	END IF;
	full_run := requested = 'full' OR d.changed_at IS NULL OR beyond IS NOT NULL OR state.generation IS NULL
		OR state.fingerprint <> clv_internal.clv_pipeline_fingerprint(d);
	rows := CASE
		WHEN full_run THEN clv_internal.clv_pipeline_build(d, run)
		ELSE clv_internal.clv_pipeline_rebuild(d, run, state.generation)
	END;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET mode = $2, touched = $3, as_of = $4, generation = (SELECT s.generation FROM {data}.state s)
		WHERE run = $1
		RETURNING CASE WHEN generation <> $1 THEN $1 END
	$sql$::text) INTO touched USING run, CASE WHEN full_run THEN 'full' ELSE 'incremental' END, rows,
		clv_internal.clv_pipeline_day(d, run);
	IF d.group_by IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_find_groups(d, touched);
	END IF;
	PERFORM clv_internal.clv_pipeline_left_out(d, run);
	PERFORM clv_internal.clv_pipeline_check_amounts(d, touched);
	PERFORM clv_internal.clv_pipeline_note(d, run, 'in full, because of the filter or source: ' || beyond);
	IF requested = 'incremental' AND full_run THEN
		RAISE NOTICE 'pipeline "%" was refreshed in full: it has no histories yet', d.name;
	END IF;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_histories(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: histories, of all customers or of those with changed rows, and the as_of of the run. A '
	'part of pipelines';
