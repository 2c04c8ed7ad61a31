-- ---- cohorts: customers by the month of their first purchase ----------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_cohorts() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 14
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'cohort', $sql$
		CREATE TABLE {data}.cohort (
			run int8,
			group_name varchar(200) DEFAULT '',
			cohort_month date,
			customers int8,
			active_customers float8,
			past_revenue numeric(24,2),
			expected_revenue numeric(24,2),
			clv numeric(24,2),
			lifetime_value numeric(24,2),
			PRIMARY KEY (run, group_name, cohort_month)
		)
	$sql$, 'sums by cohort: group_name is empty for all customers, whom rows of groups count again'),

	('sums', 'cohort', $sql$
		SELECT
			g.group_name,
			c.cohort_month,
			sum(c.customers) AS customers,
			sum(c.p_alive) AS active_customers,
			round(sum(c.monetary), 2) AS past_revenue,
			sum(c.expected_revenue) AS expected_revenue,
			sum(c.clv) AS clv,
			sum(c.lifetime_value) AS lifetime_value
		FROM {data}.total c
		CROSS JOIN LATERAL (
			SELECT '' AS group_name
			UNION ALL
			SELECT c.group_name
			WHERE c.group_name IS NOT NULL
		) g
		WHERE c.run = ($2).run
		GROUP BY g.group_name, c.cohort_month
	$sql$, NULL),

	('view', 'cohorts', $sql$
		FROM {data}.cohort c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name = ''
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
	('column', 'clv_per_customer', '(c.clv / nullif(c.customers, 0))::numeric(24,2)', 'mean clv'),

	('view', 'group_cohorts', $sql$
		FROM {data}.cohort c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name <> ''
	$sql$,
		'The cohorts within each group: they add up to those of cohorts; no row without group_by. Key: group_name, '
		'cohort_month'),
	('column', 'group_name', 'c.group_name', 'group of the customers'),
	('columns', 'cohorts', NULL, NULL)
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_cohorts() IS
	'the table of the cohorts, what fills it and its view. A part of pipelines';
