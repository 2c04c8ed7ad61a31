-- ---- runs, run_steps: the refreshes and their steps -------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_runs() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 33
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'run', $sql$
		CREATE TABLE {data}.run (
			run int8 PRIMARY KEY,
			status text NOT NULL,
			requested text NOT NULL,
			mode text,
			as_of date,
			wanted_as_of date,
			generation int8,
			model_run int8,
			customer_run int8,
			definition jsonb NOT NULL,
			called_by name NOT NULL,
			pid int4 NOT NULL,
			backend_start timestamptz,
			started_at timestamptz NOT NULL,
			published_at timestamptz,
			finished_at timestamptz,
			customers int8,
			touched int8,
			histories int8,
			total_revenue numeric,
			rows_without_customer int8,
			revenue_without_customer numeric,
			rows_without_time int8,
			revenue_without_time numeric,
			isolated_day date,
			calendar @extschema@.clv_calendar,
			made_of text,
			note text,
			error text,
			error_code text,
			error_detail text,
			error_hint text,
			error_context text
		)
	$sql$, NULL),

	('table', 'step', $sql$
		CREATE TABLE {data}.step (
			run int8 NOT NULL,
			number int4 NOT NULL,
			step text NOT NULL,
			rows int8,
			started_at timestamptz NOT NULL,
			finished_at timestamptz,
			PRIMARY KEY (run, number)
		)
	$sql$, NULL),

	('view', 'runs', $sql$
		FROM {data}.run c
		LEFT JOIN {data}.state s ON s.run = c.run
		LEFT JOIN LATERAL (
			SELECT t.step, t.number
			FROM {data}.step t
			WHERE t.run = c.run
			ORDER BY t.number DESC
			LIMIT 1
		) t ON true
	$sql$,
		'The refreshes, as they run too: how, when, what they did and why they failed. Key: run'),
	('column', 'run', 'c.run', 'number of the refresh'),
	('column', 'is_current', 's.run IS NOT NULL', 'whether the views show it'),
	('column', 'status', $sql$
		(CASE
			WHEN c.status = 'running' AND NOT clv_internal.clv_pipeline_alive(c.pid, c.backend_start, c.started_at)
			THEN 'interrupted'
			ELSE c.status
		END)::varchar(20)
	$sql$, 'running, done, failed or interrupted (its session is gone, or does something else)'),
	('column', 'mode', 'c.mode::varchar(20)', 'full or incremental'),
	('column', 'as_of', 'c.as_of', 'day as of which customers are evaluated'),
	('column', 'started_at', 'c.started_at', 'when it began'),
	('column', 'published_at', 'c.published_at', 'when the views began to show it'),
	('column', 'finished_at', 'c.finished_at', 'when it ended'),
	('column', 'seconds', 'extract(epoch FROM coalesce(c.finished_at, clock_timestamp()) - c.started_at)::float8',
		'how long it took, or takes already'),
	('column', 'step', 't.step::varchar(40)', 'latest step'),
	('column', 'steps_done', $sql$(t.number - CASE WHEN c.status = 'done' THEN 0 ELSE 1 END)$sql$,
		'steps that have ended'),
	('column', 'model_run', 'c.model_run', 'refresh whose model it uses'),
	('column', 'touched', 'c.touched', 'customers whose histories were built anew'),
	('column', 'histories', 'c.histories', 'histories there are'),
	('column', 'customers', 'c.customers', 'customers there are as of the day'),
	('column', 'total_revenue', 'c.total_revenue::numeric(24,2)', 'the sum of the source as the filter leaves it'),
	('column', 'called_by', 'c.called_by::varchar(63)', 'role that asked for it'),
	('column', 'note', 'c.note::varchar(1000)', 'what is worth knowing about it'),
	('column', 'error', 'c.error::varchar(2000)', 'why it failed'),
	('column', 'error_code', 'c.error_code::varchar(5)', 'SQLSTATE of the error'),
	('column', 'error_detail', 'c.error_detail::varchar(2000)', 'detail of the error'),
	('column', 'error_hint', 'c.error_hint::varchar(2000)', 'what may help'),

	('view', 'run_steps', $sql$
		FROM {data}.step c
	$sql$,
		'The steps of the refreshes, with rows and times. Key: run, step_number'),
	('column', 'run', 'c.run', 'number of the refresh'),
	('column', 'step_number', 'c.number', '1 for the first step'),
	('column', 'step', 'c.step::varchar(40)', 'what is done'),
	('column', 'rows', 'c.rows', 'rows it wrote'),
	('column', 'started_at', 'c.started_at', 'when it began'),
	('column', 'finished_at', 'c.finished_at', 'when it ended; NULL while it runs, or where it failed'),
	('column', 'seconds', 'extract(epoch FROM c.finished_at - c.started_at)::float8', 'how long it took')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_runs() IS
	'the tables and views of the refreshes. A part of pipelines';
