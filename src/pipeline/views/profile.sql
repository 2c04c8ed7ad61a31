-- ---- profile: attributes by segment -----------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_profile() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 13
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'profile', $sql$
		CREATE TABLE {data}.profile (
			run int8,
			attribute varchar(63),
			value varchar(200),
			segment varchar(200),
			customers int8,
			segment_customers int8,
			value_customers int8,
			base_customers int8,
			PRIMARY KEY (run, attribute, value, segment)
		)
	$sql$, NULL),

	-- {1}: an attribute, {2}: the relation that has it
	('sums', 'profile', $sql$
		WITH counted AS MATERIALIZED (
			SELECT c.segment, coalesce(left(a.{1:I}::text, 200), '(none)') AS value, count(*) AS n
			FROM {customers} c
			LEFT JOIN {2} a ON {a=c}
			GROUP BY 1, 2
		),
		frequent AS (
			SELECT v.value
			FROM counted v
			GROUP BY v.value
			ORDER BY sum(v.n) DESC, v.value
			LIMIT 50
		),
		named AS (
			SELECT v.segment, coalesce(f.value, '(other)') AS value, sum(v.n) AS n
			FROM counted v
			LEFT JOIN frequent f USING (value)
			GROUP BY 1, 2
		),
		of_segment AS (
			SELECT segment, sum(n) AS n
			FROM named
			GROUP BY segment
		),
		of_value AS (
			SELECT value, sum(n) AS n
			FROM named
			GROUP BY value
		)
		SELECT
			{1:L} AS attribute,
			v.value,
			s.segment,
			coalesce(n.n, 0) AS customers,
			s.n AS segment_customers,
			v.n AS value_customers,
			(SELECT sum(n) FROM of_segment) AS base_customers
		FROM of_segment s
		CROSS JOIN of_value v
		LEFT JOIN named n USING (segment, value)
	$sql$, NULL),

	('view', 'profile', $sql$
		FROM {data}.profile c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Which values of customer attributes are over-represented in which segment; empty without '
		'attributes. Key: attribute, value, segment'),
	('column', 'attribute', 'c.attribute', 'attribute of the customers'),
	('column', 'value', 'c.value', 'its value; (none) where unknown, (other) for all but the fifty most frequent'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'customers', 'c.customers', 'customers of the segment with that value'),
	('column', 'segment_share', 'c.customers::float8 / nullif(c.segment_customers, 0)',
		'share of the segment that has the value'),
	('column', 'base_share', 'c.value_customers::float8 / nullif(c.base_customers, 0)',
		'share of all customers who have the value'),
	('column', 'lift', $sql$
		(c.customers::float8 * c.base_customers)
			/ nullif(c.segment_customers::float8 * c.value_customers, 0)
	$sql$, 'segment_share / base_share: above 1 the value is over-represented'),
	('column', 'z_score', $sql$
		clv_internal.clv_pipeline_z_score(
			c.customers, c.segment_customers, c.value_customers, c.base_customers)
	$sql$, 'how many standard deviations the count lies from what chance would make it (hypergeometric)'),
	('column', 'significant', $sql$
		clv_internal.clv_pipeline_chance(c.customers, c.segment_customers, c.value_customers, c.base_customers)
			< 0.001
	$sql$, 'whether chance would do so less than once in a thousand cases, by Fisher''s exact test; where many values '
		'are compared, some will')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_profile() IS
	'the table of the attributes by segment, what fills it and its view. A part of pipelines';
