-- ---- check: what is wrong with the source -----------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_check() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 9
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'finding', $sql$
		CREATE TABLE {data}.finding (
			run int8,
			number int4,
			severity varchar(20) NOT NULL,
			finding varchar(100) NOT NULL,
			rows int8,
			customers int8,
			advice varchar(1000),
			share float8 NOT NULL,
			checked_at timestamptz NOT NULL,
			PRIMARY KEY (run, number)
		)
	$sql$, NULL),

	('view', 'check', $sql$
		FROM {data}.finding c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'What the last full refresh found in the source before anything was computed from it, the severest first; one '
		'row, ok, where it found nothing. Of many customers a sample is read. Key: number'),
	('column', 'number', 'c.number', 'order of the findings'),
	('column', 'severity', 'c.severity', 'error, warning, notice or ok'),
	('column', 'finding', 'c.finding', 'what was found'),
	('column', 'rows', 'c.rows', 'rows it concerns, of the customers read; NULL where it is of no number of them'),
	('column', 'customers', 'c.customers',
		'customers it concerns, of those read; NULL where it is of no number of them'),
	('column', 'advice', 'c.advice', 'what to do about it'),
	('column', 'share', 'c.share', 'share of the customers that was read; rows without a customer are all read'),
	('column', 'checked_at', 'c.checked_at', 'when the source was read for it')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_check() IS
	'the findings in the source of a pipeline: their table and their view. A part of pipelines';
