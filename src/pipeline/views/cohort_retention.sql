-- ---- cohort_retention: cohorts by age ---------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_cohort_retention() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 17
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'cohort_age', $sql$
		CREATE TABLE {data}.cohort_age (
			run int8,
			cohort_month date,
			age int4,
			month date,
			customers int8,
			buyers int8,
			purchases int8,
			revenue numeric(24,2),
			complete bool,
			PRIMARY KEY (run, cohort_month, age)
		)
	$sql$, NULL),

	-- serves equity too
	('table', 'month', $sql$
		CREATE TABLE {data}.month (
			run int8 NOT NULL,
			cohort_month date,
			month date,
			customers int8,
			purchases int8,
			buyers int8,
			revenue numeric,
			early numeric,
			after numeric
		)
	$sql$, 'what customers did in which month: see clv_pipeline_months'),

	('counted', 'month', $sql$
		SELECT m.*
		FROM (
			SELECT clv_internal.clv_pipeline_months(h.history, ($2).as_of) AS months
			FROM {1} h
		) q
		CROSS JOIN LATERAL unnest(q.months) m
	$sql$, NULL),

	('kept', 'month', $sql$
		SELECT cohort_month, month, customers, purchases, buyers, revenue, early, after
		FROM {data}.month
		WHERE run = ($2).previous
	$sql$, NULL),

	('exact', 'month', $sql$
		SELECT
			q.cohort_month,
			q.month,
			sum(q.sign * q.customers) AS customers,
			sum(q.sign * q.purchases) AS purchases,
			sum(q.sign * q.buyers) AS buyers,
			sum(q.sign * q.revenue) AS revenue,
			sum(q.sign * q.early) AS early,
			sum(q.sign * q.after) AS after
		FROM ({1}) q
		GROUP BY 1, 2
	$sql$, NULL),

	-- A customer is a buyer of a month on its first day with a purchase of theirs; refunds before the first purchase
	-- belong to its month. Months without any purchase are rows too.
	('sums', 'cohort_age', $sql$
		SELECT
			c.cohort_month,
			(12 * (extract(year FROM m) - extract(year FROM c.cohort_month))
				+ extract(month FROM m) - extract(month FROM c.cohort_month))::int4 AS age,
			m::date AS month,
			c.customers,
			coalesce(s.buyers, 0) AS buyers,
			coalesce(s.purchases, 0) AS purchases,
			coalesce(round(s.revenue, 2), 0) AS revenue,
			(m + interval '1 month')::date <= ($2).as_of + 1 AS complete
		FROM {data}.cohort c
		CROSS JOIN LATERAL generate_series(c.cohort_month::timestamp, ($2).as_of::timestamp, '1 month') m
		LEFT JOIN {data}.month s ON s.run = c.run AND s.cohort_month = c.cohort_month AND s.month = m::date
		WHERE c.run = ($2).run AND c.group_name = ''
	$sql$, NULL),

	('view', 'cohort_retention', $sql$
		FROM {data}.cohort_age c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Cohorts by age: how many of their customers bought in each month, and what they spent. Key: cohort_month, '
		'age_months'),
	('column', 'cohort_month', 'c.cohort_month', 'first day of the month of the first purchase'),
	('column', 'age_months', 'c.age', 'calendar months since then, 0 for the month itself'),
	('column', 'month', 'c.month', 'first day of the month looked at'),
	('column', 'customers', 'c.customers', 'size of the cohort'),
	('column', 'buyers', 'c.buyers', 'customers who bought in the month'),
	('column', 'retention', 'c.buyers::float8 / nullif(c.customers, 0)', 'buyers / customers'),
	('column', 'purchases', 'c.purchases', 'purchases of the month'),
	('column', 'revenue', 'c.revenue',
		'net revenue of the month; refunds before the first purchase are in that of age 0'),
	('column', 'cumulative_revenue', $sql$
		(sum(c.revenue) OVER (PARTITION BY c.cohort_month ORDER BY c.age))::numeric(24,2)
	$sql$, 'net revenue up to the month'),
	('column', 'revenue_per_customer', '(c.revenue / nullif(c.customers, 0))::numeric(24,2)',
		'net revenue of the month over the size of the cohort'),
	('column', 'complete', 'c.complete', 'whether the data reach to the end of the month')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_cohort_retention() IS
	'the table of the cohorts by age, what fills it and its view. A part of pipelines';
