-- ---- schedules, and the list of pipelines -----------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_cron() RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 'cron'::text FROM pg_extension e WHERE e.extname = 'pg_cron' $$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_cron() IS
	'the schema of pg_cron''s functions, where it is installed in this database; else NULL. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_job(name pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
RETURN pg_catalog.concat('clv pipeline ', name);
COMMENT ON FUNCTION @extschema@.clv_pipeline_job(pg_catalog.text) IS
	'what the job of a pipeline is called in pg_cron. A part of pipelines';

CREATE FUNCTION @extschema@.clv_schedule(
	name pg_catalog.text, schedule pg_catalog.text, mode pg_catalog.text DEFAULT 'auto')
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	job int8;
BEGIN
	PERFORM @extschema@.clv_pipeline_find(name);
	IF schedule IS NULL OR mode IS NULL OR mode NOT IN ('auto', 'full', 'incremental') THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('schedule (%s) or mode (%s) will not do', coalesce(schedule, 'NULL'), coalesce(mode, 'NULL')),
			NULL, 'schedule is a cron expression such as ''0 3 * * *''; mode is ''auto'', ''full'' or ''incremental''.');
	END IF;
	IF @extschema@.clv_pipeline_cron() IS NULL THEN
		PERFORM @extschema@.clv_pipeline_refuse('pg_cron is not installed in this database', NULL,
			'CREATE EXTENSION pg_cron; or let another scheduler run: CALL clv_refresh(...).', 'feature_not_supported');
	END IF;
	EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO job USING @extschema@.clv_pipeline_job(name), schedule,
		format('CALL @extschema@.clv_refresh(%L, %L)', name, mode);
	RETURN job;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_schedule(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'lets pg_cron refresh a pipeline, in the name of the caller: schedule as of cron, such as 0 3 * * * (in the time zone of pg_cron, GMT unless set otherwise); mode as of clv_refresh. Replaces the caller''s schedule for it. The number of the job; an error where pg_cron is not installed in this database';

CREATE FUNCTION @extschema@.clv_unschedule(name pg_catalog.text) RETURNS pg_catalog.bool
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	job int8;
BEGIN
	PERFORM @extschema@.clv_pipeline_find(name);
	IF @extschema@.clv_pipeline_cron() IS NULL THEN
		PERFORM @extschema@.clv_pipeline_refuse('pg_cron is not installed in this database', NULL, NULL, 'feature_not_supported');
	END IF;
	EXECUTE 'SELECT j.jobid FROM cron.job j WHERE j.jobname = $1 AND j.username = $2' INTO job
		USING @extschema@.clv_pipeline_job(name), session_user;
	IF job IS NULL THEN
		RETURN false;
	END IF;
	EXECUTE 'SELECT cron.unschedule($1)' USING job;
	RETURN true;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_unschedule(pg_catalog.text) IS
	'ends the caller''s schedule of a pipeline in pg_cron; false where there was none';

CREATE FUNCTION @extschema@.clv_pipeline_overview()
RETURNS TABLE (
	name pg_catalog.text, owner pg_catalog.name, source pg_catalog.text, customer pg_catalog.text, model pg_catalog.text,
	map pg_catalog.text, horizon pg_catalog.interval, refit pg_catalog.text, as_of pg_catalog.date, published_at pg_catalog.timestamptz,
	customers pg_catalog.int8, last_run pg_catalog.int8, last_status pg_catalog.text, last_started_at pg_catalog.timestamptz,
	last_error pg_catalog.text, schedule pg_catalog.text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000 ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
	d @extschema@.clv_pipeline_definition;
BEGIN
	FOR found IN SELECT t.name, t.owner FROM @extschema@.clv_pipeline_tables() t WHERE pg_has_role(current_user, t.owner, 'MEMBER') ORDER BY 1 LOOP
		d := @extschema@.clv_pipeline_read(found.name);
		EXECUTE @extschema@.clv_pipeline_sql(d, 'SELECT c.as_of, c.published_at, c.customers, l.run, l.status, l.started_at, l.error '
			'FROM {views}.runs l LEFT JOIN {views}.runs c ON c.is_current ORDER BY l.run DESC LIMIT 1')
			INTO as_of, published_at, customers, last_run, last_status, last_started_at, last_error;
		IF @extschema@.clv_pipeline_cron() IS NOT NULL THEN
			EXECUTE 'SELECT j.schedule FROM cron.job j WHERE j.jobname = $1 ORDER BY j.jobid LIMIT 1' INTO schedule
				USING @extschema@.clv_pipeline_job(d.name);
		END IF;
		name := d.name;
		owner := pg_get_userbyid(found.owner);
		source := d.source;
		customer := @extschema@.clv_pipeline_list(d.customer);
		model := d.options ->> 'model';
		map := d.map;
		horizon := d.horizon;
		refit := d.refit;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_overview() IS
	'the rows of the view clv_pipelines. A part of pipelines';

CREATE VIEW @extschema@.clv_pipelines AS SELECT * FROM @extschema@.clv_pipeline_overview();
COMMENT ON VIEW @extschema@.clv_pipelines IS 'the pipelines of this database whose owners the reader is a member of, with their latest refresh';
GRANT SELECT ON @extschema@.clv_pipelines TO PUBLIC;
