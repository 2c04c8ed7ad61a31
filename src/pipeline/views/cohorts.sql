-- ---- cohorts: customers by the month of their first purchase ----------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_cohorts() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 11
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'cohort', $sql$
		CREATE TABLE {data}.cohort (
			run int8,
			cohort_month date,
			customers int8,
			active_customers float8,
			past_revenue numeric(24,2),
			expected_revenue numeric(24,2),
			clv numeric(24,2),
			lifetime_value numeric(24,2),
			PRIMARY KEY (run, cohort_month)
		)
	$sql$, NULL),

	('sums', 'cohort', $sql$
		SELECT
			c.cohort_month,
			sum(c.customers) AS customers,
			sum(c.p_alive) AS active_customers,
			round(sum(c.monetary), 2) AS past_revenue,
			sum(c.expected_revenue) AS expected_revenue,
			sum(c.clv) AS clv,
			sum(c.lifetime_value) AS lifetime_value
		FROM {data}.total c
		WHERE c.run = ($2).run
		GROUP BY c.cohort_month
	$sql$, NULL),

	('view', 'cohorts', $sql$
		FROM {data}.cohort c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Customers by the month of their first purchase: how many, what they brought and what they are '
		'worth. Key: cohort_month'),
	('column', 'cohort_month', 'c.cohort_month', 'first day of the month of the first purchase'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'active_customers', 'c.active_customers', 'expected number of those still customers: sum of p_alive'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all they have spent'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', 'sum of their clv'),
	('column', 'lifetime_value', 'c.lifetime_value', 'sum of their lifetime value'),
	('column', 'clv_per_customer', '(c.clv / nullif(c.customers, 0))::numeric(24,2)', 'mean clv')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_cohorts() IS
	'the table of the cohorts, what fills it and its view. A part of pipelines';
