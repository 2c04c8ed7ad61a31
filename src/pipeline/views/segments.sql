-- ---- segments, segment_history: one row a segment ---------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_segments() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 21
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'segment', $sql$
		CREATE TABLE {data}.segment (
			run int8,
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
			PRIMARY KEY (run, segment)
		)
	$sql$, NULL),

	('sums', 'segment', $sql$
		SELECT
			q.*,
			(
				SELECT left(min(p.description), 400)
				FROM @extschema@.clv_segment_map p
				WHERE p.map = ($1).map AND p.segment = q.segment
			) AS description
		FROM (
			SELECT
				c.segment,
				count(*) AS customers,
				sum((1e9 * c.p_alive)::int8) / 1e9 AS active_customers,
				round(sum(c.monetary), 2) AS past_revenue,
				sum((1e9 * c.expected_purchases)::int8) / 1e9 AS expected_purchases,
				sum(c.expected_revenue) AS expected_revenue,
				sum(c.clv) AS clv,
				sum(c.lifetime_value) AS lifetime_value,
				avg(c.recency::float8) AS mean_recency,
				avg(c.frequency::float8) AS mean_frequency,
				round(avg(c.monetary), 2) AS mean_monetary,
				1 - sum((1e9 * c.p_alive)::int8) / 1e9 / count(c.p_alive) AS mean_churn
			FROM {data}.customer c
			WHERE c.run = ($2).run
			GROUP BY c.segment
		) q
	$sql$, NULL),

	('view', 'segments', $sql$
		FROM {data}.segment c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
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
	$sql$,
		'The segments as each refresh found them. Key: run, segment'),
	('column', 'run', 'c.run', 'number of the refresh'),
	('column', 'as_of', 'u.as_of', 'day that the refresh looked back from'),
	('column', 'published_at', 'u.published_at', 'when the views began to show it'),
	('columns', 'segments', NULL, NULL)
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_segments() IS
	'the table of the segments, what fills it and its views. A part of pipelines';
