-- ---- calibration: the hold-out by repeat purchases --------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_calibration() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 16
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'calibration', $sql$
		CREATE TABLE {data}.calibration (
			run int8,
			repeat_purchases int4,
			customers int8,
			predicted_mean float8,
			actual_mean float8,
			predicted_purchases float8,
			actual_purchases int8,
			predicted_alive float8,
			predicted_buyers float8,
			actual_buyers float8,
			holdout_start date,
			holdout_end date,
			converged bool,
			PRIMARY KEY (run, repeat_purchases)
		)
	$sql$, NULL),

	-- {1}: the relation of histories, {2}: the model of them, fitted up to the hold-out; {3}, {4}: its limits;
	-- {5}: its length; {6}: whether the fit converged
	('sums', 'calibration', $sql$
		SELECT
			c.*,
			{3:L}::date AS holdout_start,
			{4:L}::date AS holdout_end,
			{6:L}::bool AS converged
		FROM @extschema@.clv_backtest_calibration({1:L}::text, 'history'::text, {3:L}::date, {5:L}::interval,
			NULL::jsonb, {2:L}::@extschema@.clv_model, NULL::text, 7) c
	$sql$, NULL),

	('view', 'calibration', $sql$
		FROM {data}.calibration c
		WHERE c.run = (SELECT s.model_run FROM {data}.run s
		JOIN {data}.state t USING (run))
	$sql$,
		'Hold-out: purchases predicted from before it against those made in it, by the number of repeat '
		'purchases until then. Key: repeat_purchases'),
	('column', 'repeat_purchases', 'c.repeat_purchases',
		'repeat purchases before the hold-out; the last class: so many and more'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'predicted_mean', 'c.predicted_mean', 'predicted purchases per customer'),
	('column', 'actual_mean', 'c.actual_mean', 'purchases made per customer'),
	('column', 'predicted_purchases', 'c.predicted_purchases', 'predicted purchases'),
	('column', 'actual_purchases', 'c.actual_purchases', 'purchases made'),
	('column', 'predicted_alive', 'c.predicted_alive', 'mean P(alive) at the start'),
	('column', 'predicted_buyers', 'c.predicted_buyers', 'share predicted to buy at all'),
	('column', 'actual_buyers', 'c.actual_buyers', 'share that did'),
	('column', 'holdout_start', 'c.holdout_start', 'the hold-out begins after this day'),
	('column', 'holdout_end', 'c.holdout_end', 'last day of the hold-out'),
	('column', 'converged', 'c.converged', 'whether the fit before the hold-out converged: else it says little')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_calibration() IS
	'the table of the hold-out by repeat purchases, what fills it and its view. A part of pipelines';
