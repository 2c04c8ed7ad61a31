-- ---- refreshing: a run is a row of steps, each a transaction of its own -----------------------------------
--
-- clv_refresh() is all that commits. Between two steps nothing is held: each takes the lock anew and makes sure
-- that the run is still that of its session, so a session that dies leaves nothing to clean up but its rows.

CREATE FUNCTION clv_internal.clv_pipeline_steps() RETURNS pg_catalog.text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
RETURN ARRAY['histories', 'model', 'customers', 'segments', 'cohorts', 'forecast', 'concentration', 'lists',
	'satisfaction', 'profile', 'validation', 'publish', 'cleanup']::pg_catalog.text[];
COMMENT ON FUNCTION clv_internal.clv_pipeline_steps() IS
	'the steps of a refresh in their order: for each there is a function clv_pipeline_step_... A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_busy(name pg_catalog.text, by_whom pg_catalog.text, if_busy pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF if_busy = 'error' THEN
		PERFORM clv_internal.clv_raise(format('pipeline "%s" is being refreshed already', name), by_whom,
			$text$Wait until it has ended; or, where a notice will do, say if_busy => 'notice'.$text$::text,
			'object_in_use'::text);
	END IF;
	RAISE NOTICE 'pipeline "%" is being refreshed already', name USING DETAIL = by_whom;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_busy(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'says that another session refreshes a pipeline: by an error, or by a notice and NULL. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_begin_step(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, number pg_catalog.int4)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.step (run, number, step, started_at)
		VALUES ($1, $2, $3, clock_timestamp())
	$sql$::text) USING run, number, (clv_internal.clv_pipeline_steps())[number];
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_begin_step(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int4) IS
	'writes down that a step of a run begins. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_begin(
	name pg_catalog.text, mode pg_catalog.text, as_of pg_catalog.date, if_busy pg_catalog.text, caller pg_catalog.name,
	backend_start pg_catalog.timestamptz)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	d clv_internal.clv_pipeline_definition := clv_internal.clv_pipeline_read(name);
	locked bool := clv_internal.clv_pipeline_lock(name, false);
	other record;
	by_whom text := 'Another session is about to begin a refresh, or to drop the pipeline.';
	this int8;
BEGIN
	IF locked IS NULL THEN
		PERFORM clv_internal.clv_raise(
			format('pipeline "%s" has no state', name),
			format('The table %I.state is missing or empty.', clv_internal.clv_pipeline_data(name)),
			'Drop the pipeline with clv_drop_pipeline and make it anew.'::text, 'no_data_found'::text);
	END IF;
	FOR other IN EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT *
		FROM {data}.run r
		WHERE r.status = 'running'
		ORDER BY r.run
	$sql$::text) LOOP
		by_whom := format('Run %s, by process %s since %s.', other.run, other.pid, other.started_at);
		CONTINUE WHEN NOT locked;
		-- a session may live on without its run, where that could not even write down why it failed
		IF other.pid <> pg_backend_pid() AND clv_internal.clv_pipeline_alive(other.pid, other.backend_start,
			other.started_at)
			AND clv_internal.clv_pipeline_waits(other.pid)
		THEN
			RETURN clv_internal.clv_pipeline_busy(name, by_whom, if_busy);
		END IF;
		RAISE NOTICE 'run % of pipeline "%" was left unfinished and is given up', other.run, name;
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.run
			SET status = 'interrupted',
				finished_at = clock_timestamp(),
				error = 'its session ended, or could not say why it failed'
			WHERE run = $1
		$sql$::text) USING other.run;
	END LOOP;
	IF NOT locked THEN
		RETURN clv_internal.clv_pipeline_busy(name, by_whom, if_busy);
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.run
			(run, status, requested, wanted_as_of, definition, called_by, pid, backend_start, started_at)
		SELECT
			coalesce(max(r.run), 0) + 1, 'running', $1::text, $2::date, $3::clv_internal.clv_pipeline_definition,
			$4::name, pg_backend_pid(), $5::timestamptz, clock_timestamp()
		FROM {data}.run r
		RETURNING run
	$sql$::text) INTO this USING mode, as_of, d, caller, backend_start;
	PERFORM clv_internal.clv_pipeline_begin_step(d, this, 1);
	RETURN this;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_begin(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.text, pg_catalog.name, pg_catalog.timestamptz) IS
	'begins a run and gives up what dead sessions have left; NULL, with a notice, or an error, where another session '
	'has one. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_run_step(name pg_catalog.text, run pg_catalog.int8, number pg_catalog.int4)
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- Compiling these long statements takes longer than running them, at any number of customers that was tried. And
-- whatever the caller has set, times and numbers are written and read the same way.
SET search_path = pg_catalog,
	pg_temp SET jit = off SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET timezone = 'UTC'
SET extra_float_digits = 1 SET standard_conforming_strings = on
AS $$
DECLARE
	d clv_internal.clv_pipeline_definition := clv_internal.clv_pipeline_read(name);
	steps text[] := clv_internal.clv_pipeline_steps();
	rows int8;
	began timestamptz := clock_timestamp();
BEGIN
	-- a session that has it now either looks whether ours still lives or has given up our run, which then is not ours
	PERFORM clv_internal.clv_pipeline_lock(name, true);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT (r.definition).*
		FROM {data}.run r
		WHERE r.run = $1 AND r.status = 'running' AND r.pid = pg_backend_pid()
	$sql$::text) INTO d USING run;
	IF d IS NULL THEN
		PERFORM clv_internal.clv_raise(
			format('run %s of pipeline "%s" was given up by another session', run, name),
			NULL::text, NULL::text, 'object_not_in_prerequisite_state'::text);
	END IF;
	d.name := name;
	EXECUTE format('SELECT clv_internal.clv_pipeline_step_%s($1, $2)', steps[number]) INTO rows USING d, run;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.step
		SET rows = $3, finished_at = clock_timestamp()
		WHERE run = $1 AND number = $2
	$sql$::text) USING run, number, rows;
	IF number < array_length(steps, 1) THEN
		PERFORM clv_internal.clv_pipeline_begin_step(d, run, number + 1);
	ELSE
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.run
			SET status = 'done', finished_at = clock_timestamp()
			WHERE run = $1
		$sql$::text) USING run;
	END IF;
	RETURN format('%s: %s rows, %s s', steps[number], rows,
		round(extract(epoch FROM clock_timestamp() - began)::numeric, 2));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_run_step(pg_catalog.text, pg_catalog.int8, pg_catalog.int4) IS
	'takes one step of a run and says what it did; an error where the run is not this session''s any more. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fail(name pg_catalog.text, run pg_catalog.int8, failure pg_catalog.jsonb)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(clv_internal.clv_pipeline_read(name), $sql$
		UPDATE {data}.run
		SET status = 'failed',
			finished_at = clock_timestamp(),
			error = $2::jsonb ->> 'message',
			error_code = $2::jsonb ->> 'code',
			error_detail = $2::jsonb ->> 'detail',
			error_hint = $2::jsonb ->> 'hint',
			error_context = $2::jsonb ->> 'context'
		WHERE run = $1 AND status = 'running' AND pid = pg_backend_pid()
	$sql$::text) USING run, failure;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fail(pg_catalog.text, pg_catalog.int8, pg_catalog.jsonb) IS
	'writes down why a run failed. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_attempt(
	name pg_catalog.text, owner pg_catalog.oid, run pg_catalog.int8, number pg_catalog.int4,
	OUT report pg_catalog.text, OUT failure pg_catalog.jsonb)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	code text;
	message text;
	detail text;
	hint text;
	context text;
BEGIN
	report := clv_internal.clv_pipeline_as_owner(owner, format($sql$
		SELECT clv_internal.clv_pipeline_run_step(%L::pg_catalog.text, %s::pg_catalog.int8, %s::pg_catalog.int4)
	$sql$, name, run, number));
EXCEPTION
	WHEN OTHERS OR query_canceled OR assert_failure THEN
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
			detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
			context = PG_EXCEPTION_CONTEXT;
		failure := jsonb_build_object('code', code, 'message', message, 'context', nullif(context, ''),
			'detail', coalesce(nullif(detail, ''), format('Pipeline "%s", run %s, step %s.', name, run,
				(clv_internal.clv_pipeline_steps())[number])), 'hint', nullif(hint, ''));
		BEGIN
			PERFORM clv_internal.clv_pipeline_as_owner(owner, format($sql$
				SELECT clv_internal.clv_pipeline_fail(%L::pg_catalog.text, %s::pg_catalog.int8, %L::pg_catalog.jsonb)
			$sql$, name, run, failure));
		EXCEPTION WHEN OTHERS THEN
			-- on a full disk, say; what went wrong first is what the caller is to read
			RAISE WARNING 'run % of pipeline "%" failed, which could not be written down: %', run, name, SQLERRM;
		END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_attempt(
	pg_catalog.text, pg_catalog.oid, pg_catalog.int8, pg_catalog.int4) IS
	'takes one step of a run as the pipeline''s owner; an error is undone, written down and returned instead. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_refresh(
	mode pg_catalog.text, as_of pg_catalog.date, if_busy pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF mode IS NULL OR mode NOT IN ('auto', 'full', 'incremental') THEN
		PERFORM clv_internal.clv_raise(
			format($text$mode must be 'auto', 'full' or 'incremental': %s$text$, coalesce(mode, 'NULL')));
	ELSIF if_busy IS NULL OR if_busy NOT IN ('error', 'notice') THEN
		PERFORM clv_internal.clv_raise(
			format($text$if_busy must be 'error' or 'notice': %s$text$, coalesce(if_busy, 'NULL')));
	ELSIF NOT isfinite(as_of) THEN
		PERFORM clv_internal.clv_raise(format('as_of must be a finite date: %s', as_of));
	ELSIF pg_is_in_recovery() THEN
		PERFORM clv_internal.clv_raise('a refresh writes, and this server is a read replica'::text, NULL::text,
			'Refresh on the primary: the views here follow.'::text, 'read_only_sql_transaction'::text);
	ELSIF transaction_timestamp() < statement_timestamp() THEN
		PERFORM clv_internal.clv_raise('clv_refresh cannot run inside a transaction block'::text,
			'It commits after each of its steps.'::text, 'Call it by itself, without BEGIN.'::text,
			'active_sql_transaction'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_refresh(pg_catalog.text, pg_catalog.date, pg_catalog.text) IS
	'an error where clv_refresh cannot run with these arguments, on this server or in this transaction. A part of '
	'pipelines';

CREATE PROCEDURE @extschema@.clv_refresh(
	name pg_catalog.text, mode pg_catalog.text DEFAULT 'auto', as_of pg_catalog.date DEFAULT NULL,
	if_busy pg_catalog.text DEFAULT 'error')
LANGUAGE plpgsql AS $$
DECLARE
	owner pg_catalog.oid := clv_internal.clv_pipeline_find(name);
	run pg_catalog.int8;
	step pg_catalog.record;
BEGIN
	PERFORM clv_internal.clv_pipeline_check_refresh(mode, as_of, if_busy);
	run := clv_internal.clv_pipeline_as_owner(owner, pg_catalog.format($sql$
		SELECT clv_internal.clv_pipeline_begin(%L::pg_catalog.text, %L::pg_catalog.text, %L::pg_catalog.date,
			%L::pg_catalog.text, %L::pg_catalog.name, %L::pg_catalog.timestamptz)
	$sql$, name, mode, pg_catalog.to_char(as_of, 'YYYY-MM-DD BC'), if_busy, current_user, (
		SELECT a.backend_start
		FROM pg_catalog.pg_stat_activity a
		WHERE a.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
	)));
	COMMIT;
	FOR number IN 1 .. CASE WHEN run IS NULL THEN 0 ELSE pg_catalog.array_length(clv_internal.clv_pipeline_steps(),
		1) END LOOP
		step := clv_internal.clv_pipeline_attempt(name, owner, run, number);
		COMMIT;
		IF step.failure IS NOT NULL THEN
			PERFORM clv_internal.clv_raise(step.failure OPERATOR(pg_catalog.->>) 'message',
				step.failure OPERATOR(pg_catalog.->>) 'detail', step.failure OPERATOR(pg_catalog.->>) 'hint',
				step.failure OPERATOR(pg_catalog.->>) 'code');
		END IF;
		RAISE NOTICE '%', step.report;
	END LOOP;
END
$$;
COMMENT ON PROCEDURE @extschema@.clv_refresh(pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.text) IS
	'brings a pipeline up to date. mode: full reads the whole source; incremental reads anew only the customers '
	'with rows changed since the last time (needs changed_at; misses rows that were deleted or went to another '
	'customer); auto: incremental where it can be. as_of: the day to look back from, this time. All customers are '
	'scored anew, and readers see the new run from one moment to the next. Commits after each step, so it cannot '
	'run inside a transaction block; reports each step as a notice. if_busy: what it is where another session '
	'refreshes the pipeline: an error, or a notice and nothing done. An error is kept in the view runs, and the '
	'views stay as they were. Only members of the pipeline''s owner may call it, and it works with the owner''s '
	'rights';

CREATE FUNCTION clv_internal.clv_pipeline_note(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, sentence pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF sentence IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.run
			SET note = concat_ws('; ', note, $2::text)
			WHERE run = $1
		$sql$::text) USING run, sentence;
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_note(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text) IS
	'adds to what is worth knowing about a run; nothing for NULL. A part of pipelines';

-- ---- step: histories --------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_fingerprint(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT md5(jsonb_build_array((d).source, (d).customer, (d).bought_at, (d).amount, (d).returns, (d).filter,
		(d).search_path, (d).time_zone, (d).occasion, (d).changed_at)::text)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fingerprint(clv_internal.clv_pipeline_definition) IS
	'what the histories of a pipeline depend on, in short: where it has changed they are built from scratch. A part '
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

CREATE FUNCTION clv_internal.clv_pipeline_touch(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- here and below: few of many rows are looked up, which the default of 4 makes too dear on anything but a turning disk
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET random_page_cost = 1.1
AS $$
DECLARE
	generation int8;
	since timestamptz;
	rows int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT s.generation, coalesce(s.watermark - $1::interval, '-infinity')
		FROM {data}.state s
	$sql$::text) INTO generation, since USING d.overlap;
	-- every customer with a row that is new, filtered out by now or not; their history before stays, for the cells
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.touched
		SELECT {t.key}, $1::int8, h.history
		FROM (
			SELECT DISTINCT {s.key}
			FROM {source} AS s
			WHERE {s.known} AND s.{1:I} > $3
		) t
		LEFT JOIN {data}.history h ON h.generation = $2 AND {h=t}
		ON CONFLICT ({key}) DO UPDATE SET run = excluded.run
	$sql$::text, ARRAY[d.changed_at]) USING run, generation, since;
	GET DIAGNOSTICS rows = ROW_COUNT;
	EXECUTE clv_internal.clv_pipeline_sql(d, 'ANALYZE {data}.touched'::text);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_touch(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'writes down the customers with rows changed since the last time, less the overlap, and what their histories '
	'were; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_build(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	latest timestamptz := clv_internal.clv_pipeline_watermark(d);
	rows int8;
BEGIN
	-- in the order of the key, as its index wants them; customers without a row that counts have no history
	rows := clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.history
		SELECT {1}, h.*
		FROM ({2}) h ({key}, history)
		WHERE h.history IS NOT NULL
		ORDER BY {h.key}
	$sql$::text, ARRAY[run::text, clv_internal.clv_pipeline_histories(d, NULL::int8, false::bool)]));
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state
		SET generation = $1, watermark = $2, fingerprint = $3
	$sql$::text) USING run, latest, clv_internal.clv_pipeline_fingerprint(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.touched'::text);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'ANALYZE {data}.history'::text);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_build(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'builds all histories from scratch, as a new generation; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_rebuild(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, generation pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET random_page_cost = 1.1
AS $$
DECLARE
	latest timestamptz := clv_internal.clv_pipeline_watermark(d);
	rows int8 := clv_internal.clv_pipeline_touch(d, run);
	few bool;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT coalesce(r.histories > 5 * $1, false)
		FROM {data}.state s
		LEFT JOIN {data}.run r USING (run)
	$sql$::text) INTO few USING rows;
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
	$sql$::text, ARRAY[run::text, generation::text,
		clv_internal.clv_pipeline_histories(d, run, few AND clv_internal.clv_pipeline_indexed(d))]));
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state
		SET watermark = coalesce($1, watermark)
	$sql$::text) USING latest;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_rebuild(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8) IS
	'builds anew the histories of the customers with changed rows, in the generation that there is; how many. A part '
	'of pipelines';

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

CREATE FUNCTION clv_internal.clv_pipeline_check_amounts(d clv_internal.clv_pipeline_definition)
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
		LIMIT 1
	$sql$::text) INTO found;
	IF found.amount IS NOT NULL THEN
		PERFORM clv_internal.clv_raise(
			format('the amounts of customer %s add up to %s', found.customer, found.amount),
			'Sums of pipelines are of amounts below 1e15 a customer.'::text,
			'Correct the amount, leave the row out by a filter, or let a view count in a larger unit.'::text,
			'numeric_value_out_of_range'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_amounts(clv_internal.clv_pipeline_definition) IS
	'an error that names a customer whose amounts are too large to be added up with those of others. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_last_day(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, today pg_catalog.date)
RETURNS pg_catalog.date
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	days date[];
	customers int8[];
	future int8;
	last date;
	settled date;
	later int8;
	isolated date;
	buyers int8 := 0;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT array_agg(q.day ORDER BY q.day), array_agg(q.customers ORDER BY q.day), sum(q.future)
		FROM (
			SELECT
				@extschema@.clv_last_purchase(h.history, $1::date) AS day,
				count(*) AS customers,
				count(*) FILTER (WHERE @extschema@.clv_last_purchase(h.history) > $1::date) AS future
			FROM {data}.history h
			WHERE h.generation = (SELECT s.generation FROM {data}.state s)
			GROUP BY 1
		) q
	$sql$::text) INTO days, customers, future USING today;
	PERFORM clv_internal.clv_pipeline_note(d, run,
			format('purchases later than today, of %s customers, are left out', nullif(future, 0)))
		WHERE future > 0;
	LOOP
		SELECT array_agg(u.day), array_agg(u.n) INTO days, customers
		FROM unnest(days, customers) u (day, n)
		WHERE u.day <= coalesce(settled, u.day);
		SELECT f.last_day, f.settled, f.later INTO last, settled, later
		FROM clv_internal.clv_fit_last_day(days, customers) f;
		EXIT WHEN settled IS NULL OR settled = last;
		isolated := coalesce(isolated, last);
		buyers := buyers + later;
	END LOOP;
	IF isolated IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.run
			SET isolated_day = $2
			WHERE run = $1
		$sql$::text) USING run, isolated;
		PERFORM clv_internal.clv_pipeline_note(d, run, format(
			'the last purchase (%s) stands alone, and was not taken for the day', to_char(isolated, 'YYYY-MM-DD')));
		RAISE WARNING 'the last purchase of pipeline "%" stands alone: %', d.name, to_char(isolated, 'YYYY-MM-DD')
			USING DETAIL = format('It looks back from %s, after which nobody else has bought (customers who did: %s).',
				to_char(last, 'YYYY-MM-DD'), buyers),
				HINT = 'If the date is mistaken, correct it; if it is right, give the pipeline an as_of.';
	END IF;
	RETURN last;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_last_day(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date) IS
	'the day of the last purchase up to today, past days that stand alone long after the others, of which it warns; '
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
	'the day that a run looks back from. A part of pipelines';

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
			'It does not know when a row of its source was written.'::text,
			'Give a column that says so: CALL clv_alter_pipeline(..., changed_at => ...).'::text,
			'object_not_in_prerequisite_state'::text);
	END IF;
	beyond := CASE WHEN d.changed_at IS NOT NULL AND requested <> 'full' THEN clv_internal.clv_pipeline_beyond(d) END;
	IF requested = 'incremental' AND beyond IS NOT NULL THEN
		PERFORM clv_internal.clv_raise(
			format('pipeline "%s" cannot be refreshed incrementally', d.name),
			format('Its filter or source may let other rows through while changed_at stays as it is: %s.', beyond),
			concat($text$Refresh it in mode 'auto' or 'full'. $text$,
				'A function that looks at nothing but its arguments can be declared IMMUTABLE.'),
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
	$sql$::text) USING run, CASE WHEN full_run THEN 'full' ELSE 'incremental' END, rows,
		clv_internal.clv_pipeline_day(d, run);
	PERFORM clv_internal.clv_pipeline_left_out(d, run);
	PERFORM clv_internal.clv_pipeline_check_amounts(d);
	PERFORM clv_internal.clv_pipeline_note(d, run, 'in full, because of the filter or source: ' || beyond);
	IF requested = 'incremental' AND full_run THEN
		RAISE NOTICE 'pipeline "%" was refreshed in full: there was nothing yet that could be continued', d.name;
	END IF;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_histories(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: histories, of all customers or of those with changed rows, and the day to look back from. A '
	'part of pipelines';

-- ---- step: the model --------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_fit_options(d clv_internal.clv_pipeline_definition, as_of pg_catalog.date)
RETURNS pg_catalog.jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$ SELECT (d).options || jsonb_build_object('as_of', to_char(as_of, 'YYYY-MM-DD')) $$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fit_options(clv_internal.clv_pipeline_definition, pg_catalog.date) IS
	'the options of a fit as of a day. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_cells(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date)
RETURNS @extschema@.clv_cells
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET random_page_cost = 1.1
AS $$
DECLARE
	options jsonb := clv_internal.clv_pipeline_fit_options(d, as_of);
	counted @extschema@.clv_cells;
	before @extschema@.clv_cells;
	after @extschema@.clv_cells;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT c.cells
		FROM {data}.cells c
		WHERE c.generation = $1 AND c.options = $2
	$sql$::text) INTO counted USING generation, options;
	IF counted IS NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT @extschema@.clv_cells(h.history, $2::jsonb)
			FROM {data}.history h
			WHERE h.generation = $1
		$sql$::text) INTO counted USING generation, options;
	ELSE
		-- take out what touched customers were, and put in what they are
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT @extschema@.clv_cells(t.before, $2::jsonb), @extschema@.clv_cells(h.history, $2::jsonb)
			FROM {data}.touched t
			LEFT JOIN {data}.history h ON h.generation = $1 AND {h=t}
		$sql$::text) INTO before, after USING generation, options;
		IF before IS NOT NULL THEN
			counted := counted OPERATOR(@extschema@.-) before;
		END IF;
		IF after IS NOT NULL THEN
			counted := counted OPERATOR(@extschema@.+) after;
		END IF;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.cells'::text);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.touched'::text);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.cells (generation, options, cells) VALUES ($1, $2, $3)
	$sql$::text) USING generation, options, counted;
	RETURN counted;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_cells(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date) IS
	'what a fit needs of all customers: the stored cells with touched customers exchanged, where day and options are '
	'the same, else counted anew. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_drift(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, model @extschema@.clv_model,
	since pg_catalog.date, as_of pg_catalog.date)
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	total record;
	made int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT (q.t).expected_purchases AS expected, (q.t).purchases_low AS low, (q.t).purchases_high AS high, q.made
		FROM (
			SELECT
				@extschema@.clv_predict_total($2::@extschema@.clv_model, h.history, $3::interval, 0::float8, 1::float8,
					$4::date, 0.99::float8) AS t,
				sum(@extschema@.clv_purchases_between(h.history, $4::date, $5::date))
					FILTER (WHERE @extschema@.clv_first_purchase(h.history) <= $4::date) AS made
			FROM {data}.history h
			WHERE h.generation = $1
		) q
	$sql$::text) INTO total USING generation, model, make_interval(days => as_of - since), since, as_of;
	made := total.made;
	-- chance has its interval; a tenth more is what a fit that is a little old may be wrong by
	RETURN CASE
		WHEN coalesce(made NOT BETWEEN total.low AND total.high, true)
			AND abs(made - total.expected) > 0.1 * total.expected
		THEN format('drift: %s purchases since %s, %s expected', made, to_char(since, 'YYYY-MM-DD'),
			round(total.expected))
	END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_drift(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, @extschema@.clv_model, pg_catalog.date, pg_catalog.date) IS
	'what the customers of the model''s day have done since then, where that lies outside the 99 % prediction '
	'interval and more than a tenth off; else NULL. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_refit_reason(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date, latest record,
	fingerprint pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF latest.run IS NULL THEN
		RETURN 'first';
	ELSIF latest.fingerprint <> fingerprint THEN
		RETURN 'definition changed';
	ELSIF d.refit = 'always' THEN
		RETURN 'always';
	ELSIF latest.as_of > as_of THEN
		RETURN 'the model is of a later day';
	ELSIF d.refit = 'never' THEN
		RETURN NULL;
	ELSIF d.refit = 'drift' THEN
		RETURN CASE WHEN as_of - latest.as_of >= 7
			THEN clv_internal.clv_pipeline_drift(d, generation, latest.model, latest.as_of, as_of) END;
	END IF;
	RETURN CASE WHEN latest.as_of + d.refit::interval <= as_of THEN format('%s days old', as_of - latest.as_of) END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_refit_reason(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date, record, pg_catalog.text) IS
	'why the model is to be fitted anew, by the pipeline''s policy; NULL where it is kept. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_shortfall(model @extschema@.clv_model, options pg_catalog.jsonb)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT nullif(concat_ws('; ',
		CASE WHEN NOT m.converged THEN 'the fit of the purchases did not converge' END,
		CASE WHEN NOT m.spend_converged THEN 'the fit of the spend did not converge' END,
		CASE WHEN options ->> 'spend' IS DISTINCT FROM 'none' AND m.spend_model IS NULL
			THEN 'no values, because the spend could not be fitted'
		END), '')
	FROM @extschema@.clv_diagnostics(model) m
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_shortfall(@extschema@.clv_model, pg_catalog.jsonb) IS
	'what a model lacks: an optimum, or the spend that its options ask for; NULL where it lacks nothing. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_model(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this record;
	latest record;
	fingerprint text := md5(jsonb_build_array(clv_internal.clv_pipeline_fingerprint(d), d.options, d.bins)::text);
	reason text;
	model @extschema@.clv_model;
	cuts @extschema@.clv_cuts;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.generation, r.as_of
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO this USING run;
	-- of a run that was published: what failed later may have failed because of its model
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT m.*
		FROM {data}.model m
		WHERE m.run = (SELECT r.model_run FROM {data}.run r JOIN {data}.state USING (run))
	$sql$::text) INTO latest;
	reason := clv_internal.clv_pipeline_refit_reason(d, this.generation, this.as_of, latest, fingerprint);
	IF reason IS NOT NULL THEN
		SELECT @extschema@.clv_fit(v.cells) INTO model
		FROM (VALUES (clv_internal.clv_pipeline_cells(d, this.generation, this.as_of))) v (cells);
		IF model IS NULL THEN
			PERFORM clv_internal.clv_raise(
				format('pipeline "%s" has no customers as of %s', d.name, to_char(this.as_of, 'YYYY-MM-DD')),
				NULL::text, 'Look at its source, its filter and its day.'::text, 'no_data_found'::text);
		END IF;
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT @extschema@.rfmtc_cuts(h.history, $2::date, $3::@extschema@.clv_model, $4::int4)
			FROM {data}.history h
			WHERE h.generation = $1
		$sql$::text) INTO cuts USING this.generation, this.as_of, model, d.bins;
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.model (run, fitted_at, as_of, reason, fingerprint, model, cuts)
			VALUES ($1, clock_timestamp(), $2, $3, $4, $5, $6)
		$sql$::text) USING run, this.as_of, reason, fingerprint, model, cuts;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET model_run = $2
		WHERE run = $1
	$sql$::text) USING run, CASE WHEN reason IS NULL THEN latest.run ELSE run END;
	PERFORM clv_internal.clv_pipeline_note(d, run, CASE
		WHEN reason IS NULL THEN format('model of %s kept', to_char(latest.as_of, 'YYYY-MM-DD'))
		ELSE format('model fitted: %s', reason)
	END);
	PERFORM clv_internal.clv_pipeline_note(d, run, clv_internal.clv_pipeline_shortfall(coalesce(model, latest.model),
		d.options));
	RETURN (reason IS NOT NULL)::int4;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_model(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: fits the model and cuts the scores anew, or keeps both, as the policy has it. A part of '
	'pipelines';

-- ---- steps: publishing, and taking away what is old -------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_step_publish(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET published_at = clock_timestamp()
		WHERE run = $1
	$sql$::text) USING run;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.state
		SET previous = run, run = $1
	$sql$::text) USING run;
	RETURN 1;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_publish(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: lets the views show the run. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_cleanup(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- these are kept for every published run: they are small, and make history
	lasting CONSTANT text[] := '{segment,equity,model}';
	name text;
	rows int8;
	total int8 := 0;
BEGIN
	FOR name IN
		SELECT c.relname
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'run' AND a.attnum > 0
		WHERE c.relnamespace = quote_ident(clv_internal.clv_pipeline_data(d.name))::regnamespace
		  AND c.relkind = 'r'
		  AND c.relname NOT IN ('run', 'step', 'state', 'touched')
	LOOP
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			DELETE FROM {data}.{1:I} t
			USING {data}.run r, {data}.state s
			WHERE r.run = t.run
			  AND t.run <> s.run
			  AND CASE
				WHEN {1:L} = ANY ({2:L}::text[]) THEN r.published_at IS NULL
				WHEN {1:L} = 'customer' THEN t.run IS DISTINCT FROM s.previous
				-- of a model they stay until the next
				ELSE t.run <> (SELECT m.model_run FROM {data}.run m WHERE m.run = s.run)
			  END
		$sql$::text, ARRAY[name, lasting::text]);
		GET DIAGNOSTICS rows = ROW_COUNT;
		total := total + rows;
	END LOOP;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		DELETE FROM {data}.history h
		USING {data}.state s
		WHERE h.generation <> s.generation
	$sql$::text);
	GET DIAGNOSTICS rows = ROW_COUNT;
	RETURN total + rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_cleanup(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: deletes what runs before have left, but the history of segments, equity and models. A part '
	'of pipelines';
