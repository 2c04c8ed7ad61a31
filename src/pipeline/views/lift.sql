-- ---- lift: the hold-out by predicted tenths ---------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_lift() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 15
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'lift', $sql$
		CREATE TABLE {data}.lift (
			run int8,
			decile int4,
			customers float8,
			predicted_purchases float8,
			actual_purchases float8,
			lift float8,
			cumulative_share float8,
			predicted_revenue numeric(24,2),
			actual_revenue numeric(24,2),
			holdout_start date,
			holdout_end date,
			converged bool,
			PRIMARY KEY (run, decile)
		)
	$sql$, NULL),

	-- {1}: the relation of histories, {2}: the model of them, fitted up to the hold-out; {3}, {4}: its limits;
	-- {5}: its length; {6}: whether the fit converged
	('sums', 'lift', $sql$
		SELECT
			c.*,
			{3:L}::date AS holdout_start,
			{4:L}::date AS holdout_end,
			{6:L}::bool AS converged
		FROM @extschema@.clv_backtest_deciles({1:L}::text, 'history'::text, {3:L}::date, {5:L}::interval, NULL::jsonb,
			{2:L}::@extschema@.clv_model, NULL::text) c
	$sql$, NULL),

	('view', 'lift', $sql$
		FROM {data}.lift c
		WHERE c.run = (SELECT s.model_run FROM {data}.run s
		JOIN {data}.state t USING (run))
	$sql$,
		'Hold-out by tenths of the customers, those with the highest predictions first. Key: decile'),
	('column', 'decile', 'c.decile', 'tenth of the customers, 1 with the highest predictions'),
	('column', 'customers', 'c.customers', 'customers, equal predictions shared out between tenths'),
	('column', 'predicted_purchases', 'c.predicted_purchases', 'predicted purchases'),
	('column', 'actual_purchases', 'c.actual_purchases', 'purchases made'),
	('column', 'lift', 'c.lift', 'purchases made per customer, over the mean of all'),
	('column', 'cumulative_share', 'c.cumulative_share', 'share of all purchases made up to this tenth'),
	('column', 'predicted_revenue', 'c.predicted_revenue', 'predicted revenue'),
	('column', 'actual_revenue', 'c.actual_revenue', 'revenue made'),
	('column', 'holdout_start', 'c.holdout_start', 'the hold-out begins after this day'),
	('column', 'holdout_end', 'c.holdout_end', 'last day of the hold-out'),
	('column', 'converged', 'c.converged', 'whether the fit before the hold-out converged: else it says little')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_lift() IS
	'the table of the hold-out by predicted tenths, what fills it and its view. A part of pipelines';
