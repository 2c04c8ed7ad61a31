-- ---- migration: moves between segments --------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_migration() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 9
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'migration', $sql$
		CREATE TABLE {data}.migration (
			run int8,
			from_segment varchar(200),
			to_segment varchar(200),
			customers int8,
			clv_before numeric(24,2),
			clv_after numeric(24,2),
			PRIMARY KEY (run, from_segment, to_segment)
		)
	$sql$, NULL),

	-- gone is who was in a segment at the run before and has come from none
	('sums', 'migration', $sql$
		WITH moved AS (
			SELECT
				coalesce(t.from_segment, '(new)') AS from_segment,
				t.segment AS to_segment,
				sum(t.customers) AS customers,
				coalesce(sum(t.from_clv), 0) AS clv_before,
				coalesce(sum(t.clv), 0) AS clv_after
			FROM {data}.total t
			WHERE t.run = ($2).run
			GROUP BY 1, 2
		)
		SELECT m.from_segment, m.to_segment, m.customers, m.clv_before, m.clv_after
		FROM moved m
		UNION ALL
		SELECT
			b.segment,
			'(gone)',
			b.customers - coalesce(m.customers, 0),
			coalesce(b.clv, 0) - coalesce(m.clv_before, 0),
			0
		FROM {data}.segment b
		LEFT JOIN (
			SELECT m.from_segment, sum(m.customers) AS customers, sum(m.clv_before) AS clv_before
			FROM moved m
			GROUP BY m.from_segment
		) m ON m.from_segment = b.segment
		WHERE b.run = ($2).previous AND b.group_name = '' AND b.customers > coalesce(m.customers, 0)
	$sql$, NULL),

	('view', 'migration', $sql$
		FROM {data}.migration c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'From which segment to which customers have moved between the refresh before and this one. Key: '
		'from_segment, to_segment'),
	('column', 'from_segment', 'c.from_segment',
		'segment at the refresh before; (new) for those not yet customers then'),
	('column', 'to_segment', 'c.to_segment',
		'segment now; (gone) for those who are no customers any more, because transactions were taken out'),
	('column', 'customers', 'c.customers', 'customers who went that way'),
	('column', 'clv_before', 'c.clv_before', 'their clv at the refresh before'),
	('column', 'clv_after', 'c.clv_after', 'their clv now'),
	('column', 'moved', 'c.from_segment <> c.to_segment', 'whether the segment has changed')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_migration() IS
	'the table of the moves between segments, what fills it and its view. A part of pipelines';
