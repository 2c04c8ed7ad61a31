-- ---- tracking: weeks, expected and made -------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_tracking() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 13
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'tracking', $sql$
		CREATE TABLE {data}.tracking (
			run int8,
			number int4,
			starts_after date,
			ends_on date,
			held_out bool,
			customers int8,
			expected float8,
			actual int8,
			expected_cumulative float8,
			actual_cumulative int8,
			PRIMARY KEY (run, number)
		)
	$sql$, NULL),

	-- {1}: the relation of histories, {2}: the model of them, fitted up to the hold-out
	('sums', 'tracking', $sql$
		SELECT *
		FROM @extschema@.clv_tracking({1:L}::text, 'history'::text, {2:L}::@extschema@.clv_model, '1 week'::interval,
			NULL::date, ($2).as_of, NULL::date, NULL::text)
	$sql$, NULL),

	('view', 'tracking', $sql$
		FROM {data}.tracking c
		WHERE c.run = (SELECT s.model_run FROM {data}.run s
		JOIN {data}.state t USING (run))
	$sql$,
		'Repeat purchases week by week, expected by the model fitted before the hold-out and made. Key: period_number'),
	('column', 'period_number', 'c.number', '1 for the first week'),
	('column', 'starts_after', 'c.starts_after', 'the week begins after this day'),
	('column', 'ends_on', 'c.ends_on', 'last day of the week'),
	('column', 'held_out', 'c.held_out', 'whether the model has not seen the week'),
	('column', 'customers', 'c.customers', 'customers at its end'),
	('column', 'expected', 'c.expected', 'repeat purchases expected in the week'),
	('column', 'actual', 'c.actual', 'repeat purchases made'),
	('column', 'expected_cumulative', 'c.expected_cumulative', 'expected up to its end'),
	('column', 'actual_cumulative', 'c.actual_cumulative', 'made up to its end')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_tracking() IS
	'the table of the weeks, expected and made, what fills it and its view. A part of pipelines';
