-- ---- schedules, and the list of pipelines -----------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_cron() RETURNS pg_catalog.bool
LANGUAGE sql STABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (SELECT FROM pg_extension e, pg_namespace n
		WHERE e.extname = 'pg_cron' AND n.nspname = 'cron' AND has_schema_privilege(n.oid, 'USAGE'))
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_cron() IS
	'whether pg_cron is installed in this database, and for the caller to use. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_cron(command pg_catalog.text) RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cron_database text := (SELECT s.setting FROM pg_settings s WHERE s.name = 'cron.database_name');
BEGIN
	IF clv_internal.clv_pipeline_cron() THEN
		RETURN;
	ELSIF EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
		PERFORM clv_internal.clv_raise('permission denied for pg_cron'::text, NULL::text,
			format('A superuser can grant it: GRANT USAGE ON SCHEMA cron TO %I;', current_user),
			'insufficient_privilege'::text);
	ELSIF cron_database <> current_database() THEN
		PERFORM clv_internal.clv_raise('pg_cron is not installed in this database'::text,
			format('On this server it works from database "%s".', cron_database),
			format('There: SELECT cron.schedule_in_database(<job name>, <schedule>, %L, %L, %L);', command,
				current_database(), current_user),
			'feature_not_supported'::text);
	END IF;
	PERFORM clv_internal.clv_raise('pg_cron is not installed in this database'::text, NULL::text,
		concat('CREATE EXTENSION pg_cron, of which a server has one database (cron.database_name); ',
			'or let another scheduler run: ', command), 'feature_not_supported'::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_cron(pg_catalog.text) IS
	'an error, with a hint, where the caller cannot let pg_cron run the command from this database. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_job(name pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
-- pg_cron's names of jobs end after 63 bytes, and must not end alike
RETURN pg_catalog.concat('clv pipeline ', CASE WHEN pg_catalog.octet_length(name) OPERATOR(pg_catalog.<=) 50
	THEN name ELSE pg_catalog.md5(name) END);
COMMENT ON FUNCTION clv_internal.clv_pipeline_job(pg_catalog.text) IS
	'what the job of a pipeline is called in pg_cron; long names come in as their md5. A part of pipelines';

CREATE FUNCTION @extschema@.clv_unschedule(name pg_catalog.text) RETURNS pg_catalog.bool
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	job int8;
	ended bool := false;
BEGIN
	-- an unknown pipeline and a missing right are reported before a missing pg_cron
	PERFORM clv_internal.clv_pipeline_find(name) WHERE NOT clv_internal.clv_pipeline_cron();
	PERFORM clv_internal.clv_pipeline_check_cron(format('CALL %s.clv_refresh(%L)', '@extschema@', name));
	FOR job IN EXECUTE $sql$
		SELECT j.jobid
		FROM cron.job j
		WHERE j.jobname = $1
		  AND j.database = current_database()
		  AND (j.username = current_user OR has_table_privilege('cron.job', 'DELETE'))
	$sql$ USING clv_internal.clv_pipeline_job(name) LOOP
		EXECUTE 'SELECT cron.unschedule($1)' USING job;
		ended := true;
	END LOOP;
	-- a role may end its job when it is no member of the owner any more, or the pipeline is gone; without a job the
	-- pipeline must be one of the caller's
	IF NOT ended THEN
		PERFORM clv_internal.clv_pipeline_find(name);
	END IF;
	RETURN ended;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_unschedule(pg_catalog.text) IS
	'ends the caller''s schedule of a pipeline in pg_cron, for a superuser those of all roles; false where there '
	'was none. It works as well after the pipeline was dropped, or was taken from the caller';

CREATE FUNCTION @extschema@.clv_schedule(
	name pg_catalog.text, schedule pg_catalog.text, mode pg_catalog.text DEFAULT 'auto')
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	command text := format('CALL %s.clv_refresh(%L::pg_catalog.text, %L::pg_catalog.text, '
		'NULL::pg_catalog.date, %L::pg_catalog.text)', '@extschema@', name, mode, 'error');
	job int8;
BEGIN
	PERFORM clv_internal.clv_pipeline_find(name);
	IF schedule IS NULL THEN
		PERFORM clv_internal.clv_raise('schedule must be a cron expression, not NULL'::text, NULL::text,
			$text$An example is '0 3 * * *', every night at three.$text$::text, 'null_value_not_allowed'::text);
	ELSIF mode IS NULL OR mode NOT IN ('auto', 'full', 'incremental') THEN
		PERFORM clv_internal.clv_raise(format('invalid mode "%s"', coalesce(mode, 'NULL')), NULL::text,
			$text$Valid modes are 'auto', 'full' and 'incremental'.$text$::text, 'invalid_parameter_value'::text);
	END IF;
	PERFORM clv_internal.clv_pipeline_check_cron(command);
	IF NOT (SELECT u.rolcanlogin FROM pg_roles u WHERE u.rolname = current_user) THEN
		PERFORM clv_internal.clv_raise(format('role "%s" cannot log in', current_user),
			'pg_cron runs a job as the role that has scheduled it, which must have the attribute LOGIN.'::text,
			$text$RESET ROLE, and schedule it as a role that can log in and is a member of the pipeline's owner.$text$
				::text,
			'insufficient_privilege'::text);
	END IF;
	-- pg_cron would keep of a job of that name whatever it is not told anew: its database, whether it is paused
	PERFORM @extschema@.clv_unschedule(name);
	EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO job USING clv_internal.clv_pipeline_job(name), schedule, command;
	RETURN job;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_schedule(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'lets pg_cron refresh a pipeline, in the name of the caller, who must be a member of its owner and a role that '
	'can log in: schedule as of cron, such as 0 3 * * * (in the time zone of pg_cron, GMT unless set otherwise); '
	'mode as of clv_refresh. Takes the place of the schedules that clv_unschedule would end. The number of the job; '
	'an error where pg_cron is not installed in this database, or not for the caller';

CREATE FUNCTION clv_internal.clv_pipeline_overview()
RETURNS TABLE (
	name pg_catalog.text, owner pg_catalog.name, source pg_catalog.text, customer pg_catalog.text,
		model pg_catalog.text,
	map pg_catalog.text, horizon pg_catalog.interval, refit pg_catalog.text, as_of pg_catalog.date,
		published_at pg_catalog.timestamptz,
	customers pg_catalog.int8, last_run pg_catalog.int8, last_status pg_catalog.text,
		last_started_at pg_catalog.timestamptz,
	last_error pg_catalog.text, schedule pg_catalog.text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 50000 ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
	d clv_internal.clv_pipeline_definition;
	latest jsonb;
BEGIN
	FOR found IN
		SELECT t.name, t.owner
		FROM clv_internal.clv_pipeline_tables() t
		WHERE clv_internal.clv_pipeline_may(t.owner)
		ORDER BY t.name
	LOOP
		name := found.name;
		owner := pg_get_userbyid(found.owner);
		-- a pipeline that cannot be read must not hide the others
		BEGIN
			d := NULL;
			SELECT INTO as_of, published_at, customers, last_run, last_status, last_started_at, last_error;
			d := clv_internal.clv_pipeline_read(name);
			latest := clv_internal.clv_pipeline_as_owner(found.owner, clv_internal.clv_pipeline_sql(d, $sql$
				SELECT to_jsonb(q)
				FROM (
					SELECT c.as_of, c.published_at, c.customers, l.run, l.status, l.started_at, l.error
					FROM {views}.runs l
					LEFT JOIN {views}.runs c ON c.is_current
					ORDER BY l.run DESC
					LIMIT 1
				) q
			$sql$::text));
			as_of := latest ->> 'as_of';
			published_at := latest ->> 'published_at';
			customers := latest ->> 'customers';
			last_run := latest ->> 'run';
			last_status := latest ->> 'status';
			last_started_at := latest ->> 'started_at';
			last_error := latest ->> 'error';
		EXCEPTION WHEN OTHERS THEN
			last_status := NULL;
			last_error := SQLERRM;
		END;
		source := d.source;
		customer := clv_internal.clv_pipeline_list(d.customer);
		model := d.options ->> 'model';
		map := d.map;
		horizon := d.horizon;
		refit := d.refit;
		schedule := NULL;
		IF clv_internal.clv_pipeline_cron() THEN
			EXECUTE $sql$
				SELECT string_agg(DISTINCT j.schedule, '; ')
				FROM cron.job j
				WHERE j.jobname = $1 AND j.database = current_database() AND j.active
			$sql$ INTO schedule USING clv_internal.clv_pipeline_job(name);
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_overview() IS
	'the rows of the view clv_pipelines. A part of pipelines';

CREATE VIEW @extschema@.clv_pipelines AS SELECT * FROM clv_internal.clv_pipeline_overview();
COMMENT ON VIEW @extschema@.clv_pipelines IS
	'the pipelines of this database whose owners the reader is a member of, with their latest refresh';
GRANT SELECT ON @extschema@.clv_pipelines TO PUBLIC;
