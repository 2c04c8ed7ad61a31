-- ---- segments, segment_history: one row a segment ---------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_segments() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 26
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'segment', $sql$
		CREATE TABLE {data}.segment (
			run int8,
			group_name varchar(200) DEFAULT '',
			segment varchar(200),
			customers int8,
			active_customers float8,
			past_revenue numeric(24,2),
			expected_purchases float8,
			expected_revenue numeric(24,2),
			clv numeric(24,2),
			lifetime_value numeric(24,2),
			mean_recency float8,
			mean_frequency float8,
			mean_monetary numeric(24,2),
			mean_churn float8,
			description varchar(400),
			PRIMARY KEY (run, group_name, segment)
		)
	$sql$, 'sums by segment: group_name is empty for all customers, whom rows of groups count again'),

	-- Serves segments, migration and cohorts. with_... count the customers with a value, so that a sum of none is NULL.
	-- first_purchase is the earliest of all who have been among the customers since they were last counted.
	('table', 'total', $sql$
		CREATE TABLE {data}.total (
			run int8 NOT NULL,
			group_name varchar(200),
			from_segment varchar(200),
			segment varchar(200) NOT NULL,
			cohort_month date NOT NULL,
			first_purchase date NOT NULL,
			customers int8 NOT NULL,
			recency int8 NOT NULL,
			frequency int8 NOT NULL,
			with_monetary int8 NOT NULL,
			monetary numeric,
			with_p_alive int8 NOT NULL,
			p_alive numeric,
			expected_purchases numeric,
			expected_revenue numeric,
			clv numeric,
			lifetime_value numeric,
			from_clv numeric,
			with_purchases int8,
			with_revenue int8,
			with_clv int8,
			with_lifetime int8
		)
	$sql$, 'sums of customers, by their group, segment before and now and the month of their first purchase'),

	-- who bears the number of an earlier run has not changed since the run before
	('counted', 'total', $sql$
		SELECT
			c.group_name,
			CASE WHEN c.run = ($2).run THEN c.from_segment ELSE c.segment END AS from_segment,
			c.segment,
			c.cohort_month,
			min(c.first_purchase) AS first_purchase,
			count(*) AS customers,
			sum(c.recency) AS recency,
			sum(c.frequency) AS frequency,
			count(c.monetary) AS with_monetary,
			sum(c.monetary) AS monetary,
			count(c.p_alive) AS with_p_alive,
			sum((1e9 * c.p_alive)::int8) * 1e-9 AS p_alive,
			count(c.expected_purchases) AS with_purchases,
			sum((1e9 * c.expected_purchases)::int8) * 1e-9 AS expected_purchases,
			count(c.expected_revenue) AS with_revenue,
			sum(c.expected_revenue) AS expected_revenue,
			count(c.clv) AS with_clv,
			sum(c.clv) AS clv,
			count(c.lifetime_value) AS with_lifetime,
			sum(c.lifetime_value) AS lifetime_value,
			sum(CASE WHEN c.run = ($2).run THEN c.from_clv ELSE c.clv END) AS from_clv
		FROM {1} c
		GROUP BY 1, 2, 3, 4
	$sql$, NULL),

	('kept', 'total', $sql$
		SELECT
			group_name, segment AS from_segment, segment, cohort_month, first_purchase, customers, recency, frequency,
			with_monetary, monetary, with_p_alive, p_alive, with_purchases, expected_purchases, with_revenue,
			expected_revenue, with_clv, clv, with_lifetime, lifetime_value, clv AS from_clv
		FROM {data}.total
		WHERE run = ($2).previous
	$sql$, NULL),

	('exact', 'total', $sql$
		SELECT
			q.group_name,
			q.from_segment,
			q.segment,
			q.cohort_month,
			min(q.first_purchase) AS first_purchase,
			sum(q.sign * q.customers) AS customers,
			sum(q.sign * q.recency) AS recency,
			sum(q.sign * q.frequency) AS frequency,
			sum(q.sign * q.with_monetary) AS with_monetary,
			CASE WHEN sum(q.sign * q.with_monetary) > 0 THEN sum(q.sign * q.monetary) END AS monetary,
			sum(q.sign * q.with_p_alive) AS with_p_alive,
			CASE WHEN sum(q.sign * q.with_p_alive) > 0 THEN sum(q.sign * q.p_alive) END AS p_alive,
			sum(q.sign * q.with_purchases) AS with_purchases,
			CASE WHEN sum(q.sign * q.with_purchases) > 0 THEN sum(q.sign * q.expected_purchases) END
				AS expected_purchases,
			sum(q.sign * q.with_revenue) AS with_revenue,
			CASE WHEN sum(q.sign * q.with_revenue) > 0 THEN sum(q.sign * q.expected_revenue) END AS expected_revenue,
			sum(q.sign * q.with_clv) AS with_clv,
			CASE WHEN sum(q.sign * q.with_clv) > 0 THEN sum(q.sign * q.clv) END AS clv,
			sum(q.sign * q.with_lifetime) AS with_lifetime,
			CASE WHEN sum(q.sign * q.with_lifetime) > 0 THEN sum(q.sign * q.lifetime_value) END AS lifetime_value,
			sum(q.sign * q.from_clv) AS from_clv
		FROM ({1}) q
		GROUP BY 1, 2, 3, 4
		HAVING sum(q.sign * q.customers) > 0
	$sql$, NULL),

	('sums', 'segment', $sql$
		SELECT
			g.group_name,
			c.segment,
			sum(c.customers) AS customers,
			sum(c.p_alive) AS active_customers,
			round(sum(c.monetary), 2) AS past_revenue,
			sum(c.expected_purchases) AS expected_purchases,
			sum(c.expected_revenue) AS expected_revenue,
			sum(c.clv) AS clv,
			sum(c.lifetime_value) AS lifetime_value,
			sum(c.recency) / sum(c.customers) AS mean_recency,
			sum(c.frequency) / sum(c.customers) AS mean_frequency,
			round(sum(c.monetary) / nullif(sum(c.with_monetary), 0), 2) AS mean_monetary,
			1 - sum(c.p_alive) / nullif(sum(c.with_p_alive), 0) AS mean_churn,
			(
				SELECT left(min(p.description), 400)
				FROM @extschema@.clv_segment_map p
				WHERE p.map = ($1).map AND p.segment = c.segment
			) AS description
		FROM {data}.total c
		CROSS JOIN LATERAL (
			SELECT '' AS group_name
			UNION ALL
			SELECT c.group_name
			WHERE c.group_name IS NOT NULL
		) g
		WHERE c.run = ($2).run
		GROUP BY g.group_name, c.segment
	$sql$, NULL),

	('view', 'segments', $sql$
		FROM {data}.segment c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name = ''
	$sql$,
		'One row a segment: its size, what it has brought and what it is worth. Key: segment'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'active_customers', 'c.active_customers', 'expected number of those still customers: sum of p_alive'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all they have spent'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected purchases in the horizon'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', 'sum of their clv'),
	('column', 'lifetime_value', 'c.lifetime_value', 'sum of their lifetime value'),
	('column', 'mean_recency', 'c.mean_recency', 'mean days since the last purchase'),
	('column', 'mean_frequency', 'c.mean_frequency', 'mean number of purchases'),
	('column', 'mean_monetary', 'c.mean_monetary', 'mean net spend'),
	('column', 'mean_churn', 'c.mean_churn', 'mean probability of having left'),
	('column', 'description', 'c.description', 'what the segment means'),

	('view', 'segment_history', $sql$
		FROM {data}.segment c
		JOIN {data}.run u ON u.run = c.run AND u.published_at IS NOT NULL
		WHERE c.group_name = ''
	$sql$,
		'The segments as each refresh found them. Key: run, segment'),
	('column', 'run', 'c.run', 'number of the refresh'),
	('column', 'as_of', 'u.as_of', 'day that the refresh looked back from'),
	('column', 'published_at', 'u.published_at', 'when the views began to show it'),
	('columns', 'segments', NULL, NULL),

	('view', 'group_segments', $sql$
		FROM {data}.segment c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name <> ''
	$sql$,
		'The segments within each group: they add up to those of segments; no row without group_by. Key: group_name, '
		'segment'),
	('column', 'group_name', 'c.group_name', 'group of the customers'),
	('columns', 'segments', NULL, NULL)
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_segments() IS
	'the table of the segments, what fills it and its views. A part of pipelines';
