-- ---- refreshing: a run is a sequence of steps, each a transaction of its own ------------------------------
--
-- clv_refresh() is all that commits. Between two steps nothing is held: each takes the lock anew and makes sure
-- that the run is still that of its session, so a session that dies leaves nothing to clean up but its rows.

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
-- the definition is kept as text, whatever the caller has set
SET search_path = pg_catalog, pg_temp SET intervalstyle = postgres SET extra_float_digits = 1
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
				error = 'its session ended, or could not record why it failed'
			WHERE run = $1
		$sql$::text) USING other.run;
	END LOOP;
	IF NOT locked THEN
		RETURN clv_internal.clv_pipeline_busy(name, by_whom, if_busy);
	END IF;
	PERFORM clv_internal.clv_pipeline_upgrade(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.run
			(run, status, requested, wanted_as_of, definition, called_by, pid, backend_start, started_at)
		SELECT
			coalesce(max(r.run), 0) + 1, 'running', $1::text, $2::date,
			to_jsonb($3::clv_internal.clv_pipeline_definition), $4::name, pg_backend_pid(), $5::timestamptz,
			clock_timestamp()
		FROM {data}.run r
		RETURNING run
	$sql$::text) INTO this USING mode, as_of, d, caller, backend_start;
	PERFORM clv_internal.clv_pipeline_begin_step(d, this, 1);
	RETURN this;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_begin(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.text, pg_catalog.name, pg_catalog.timestamptz) IS
	'begins a run, and marks those of dead sessions as interrupted; NULL, with a notice, or an error, where another '
	'session has one. A part of pipelines';

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
		SELECT (jsonb_populate_record(NULL::clv_internal.clv_pipeline_definition, r.definition)).*
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
	unusable text;
BEGIN
	report := clv_internal.clv_pipeline_as_owner(owner, format($sql$
		SELECT clv_internal.clv_pipeline_run_step(%L::pg_catalog.text, %s::pg_catalog.int8, %s::pg_catalog.int4)
	$sql$, name, run, number));
EXCEPTION
	WHEN OTHERS OR query_canceled OR assert_failure THEN
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
			detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
			context = PG_EXCEPTION_CONTEXT;
		-- the codes of an amount and of a time that no history can hold, and of other things
		IF code IN ('22003', '22008') AND detail = '' THEN
			BEGIN
				unusable := clv_internal.clv_pipeline_as_owner(owner,
					format('SELECT clv_internal.clv_pipeline_unusable_rows(%L::pg_catalog.text)', name));
			EXCEPTION WHEN OTHERS OR query_canceled THEN
				-- what went wrong first is what the caller is to read
			END;
		END IF;
		failure := jsonb_build_object('code', code, 'message', message, 'context', nullif(context, ''),
			'hint', nullif(hint, ''), 'detail', coalesce(nullif(detail, ''), concat_ws(' ', unusable,
				format('Pipeline "%s", run %s, step %s.', name, run, (clv_internal.clv_pipeline_steps())[number]))));
		BEGIN
			PERFORM clv_internal.clv_pipeline_as_owner(owner, format($sql$
				SELECT clv_internal.clv_pipeline_fail(%L::pg_catalog.text, %s::pg_catalog.int8, %L::pg_catalog.jsonb)
			$sql$, name, run, failure));
		EXCEPTION WHEN OTHERS THEN
			-- on a full disk, say; what went wrong first is what the caller is to read
			RAISE WARNING 'run % of pipeline "%" failed, which could not be recorded: %', run, name, SQLERRM;
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
	'customer); auto: incremental where it can be. as_of: the day to evaluate customers as of, this time. All '
	'customers are scored anew, and readers see the new run from one moment to the next. Commits after each step, so '
	'it cannot run inside a transaction block; reports each step as a notice. if_busy: where another session '
	'refreshes the pipeline, error raises an error, notice a NOTICE, and nothing is done. An error is kept in the view '
	'runs, and the views stay as they were. Only members of the pipeline''s owner may call it, and it works with the '
	'owner''s rights';

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
	'adds a text to the note of a run; nothing for NULL. A part of pipelines';

-- ---- steps: publishing, and deleting earlier runs ----------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_step_publish(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM clv_internal.clv_pipeline_exchange_customers(d, run);
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
	lasting CONSTANT text[] := '{segment,equity,model,conversation}';
	name text;
	this record;
	rows int8;
	total int8 := 0;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT s.run, s.generation, m.model_run,
			ARRAY(SELECT coalesce(r.customer_run, r.run) FROM {data}.run r WHERE r.run IN (s.run, s.previous)) AS shown,
			ARRAY(SELECT r.run FROM {data}.run r WHERE r.published_at IS NULL) AS unpublished
		FROM {data}.state s
		JOIN {data}.run m USING (run)
	$sql$::text) INTO this;
	FOR name IN
		SELECT c.relname
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'run' AND a.attnum > 0
		WHERE c.relnamespace = quote_ident(clv_internal.clv_pipeline_data(d.name))::regnamespace
		  AND c.relkind = 'r'
		  AND (NOT c.relispartition OR c.relname = 'customer_rest')
		  AND c.relname NOT IN ('run', 'step', 'state', 'touched')
	LOOP
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			DELETE FROM {data}.{1:I} t
			WHERE t.run {2} ($1)
		$sql$::text, ARRAY[name, CASE WHEN name = ANY (lasting) THEN '= ANY' ELSE '<> ALL' END]) USING CASE
			WHEN name = ANY (lasting) THEN this.unpublished
			WHEN name = 'customer_rest' THEN this.shown
			-- of a model they stay until the next
			ELSE ARRAY[this.run, this.model_run]
		END;
		GET DIAGNOSTICS rows = ROW_COUNT;
		total := total + rows;
	END LOOP;
	-- who was proposed longer ago may be again
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		DELETE FROM {data}.conversation t
		USING {data}.run r
		WHERE r.run = $1 AND t.run <> r.run AND abs(t.proposed_on - r.as_of) >= 365
	$sql$::text) USING run;
	GET DIAGNOSTICS rows = ROW_COUNT;
	total := total + rows;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		DELETE FROM {data}.history_rest h
		WHERE h.generation <> $1
	$sql$::text) USING this.generation;
	GET DIAGNOSTICS rows = ROW_COUNT;
	RETURN total + rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_cleanup(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: deletes the rows of earlier runs, but the history of segments, equity and models. A part of '
	'pipelines';
