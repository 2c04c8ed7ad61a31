-- ---- locks: what keeps two refreshes of a pipeline apart, and which runs are dead -----------------------------

CREATE FUNCTION clv_internal.clv_pipeline_lock(name pg_catalog.text, waiting pg_catalog.bool)
RETURNS pg_catalog.bool
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state text := format('%I.state', clv_internal.clv_pipeline_data(name));
	locked bool;
BEGIN
	-- a lock of a row needs the right to change it: only the owner can keep a refresh waiting
	IF to_regclass(state) IS NOT NULL THEN
		EXECUTE format(CASE
			WHEN waiting THEN 'SELECT true FROM %s s FOR UPDATE'
			ELSE 'SELECT true FROM %s s FOR UPDATE SKIP LOCKED'
		END, state) INTO locked;
		IF locked IS NULL THEN
			EXECUTE format('SELECT false FROM %s s', state) INTO locked;
		END IF;
	END IF;
	RETURN locked;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_lock(pg_catalog.text, pg_catalog.bool) IS
	'takes the lock of a pipeline, the row of its table "state", until the end of the transaction, and waits for it '
	'or not; false where another session has it, NULL where there is no such row. To be called as the owner. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_alive(
	pid pg_catalog.int4, backend_start pg_catalog.timestamptz, since pg_catalog.timestamptz)
RETURNS pg_catalog.bool
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	-- when the session of another role began is not visible to every role: then the same process number must do
	SELECT since > pg_postmaster_start_time() AND EXISTS (
		SELECT
		FROM pg_stat_activity a
		WHERE a.pid = clv_pipeline_alive.pid AND coalesce(a.backend_start = clv_pipeline_alive.backend_start, true)
		  -- nor is what it does: idle, or at another statement, it has left the run without recording why
		  AND coalesce(a.state <> 'idle' AND a.query_start <= since, true)
	)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_alive(pg_catalog.int4, pg_catalog.timestamptz, pg_catalog.timestamptz) IS
	'whether the session of a refresh, which began at since, is still there and at it. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_waits(pid pg_catalog.int4) RETURNS pg_catalog.bool
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	FOR attempt IN 1 .. 20 LOOP
		IF pg_backend_pid() = ANY (pg_blocking_pids(pid)) THEN
			RETURN true;
		END IF;
		PERFORM pg_sleep(0.05);
	END LOOP;
	RETURN false;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_waits(pg_catalog.int4) IS
	'whether another session waits for this one, which has taken the lock of a pipeline, as it must within a second '
	'if it is between two steps of a refresh. A part of pipelines';
