-- ---- value_segments: value against satisfaction -----------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_value_segments() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 9
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'value_satisfaction', $sql$
		CREATE TABLE {data}.value_satisfaction (
			run int8,
			value_segment varchar(200),
			satisfaction varchar(20),
			customers int8,
			past_revenue numeric(24,2),
			clv numeric(24,2),
			description varchar(400),
			PRIMARY KEY (run, value_segment, satisfaction)
		)
	$sql$, NULL),

	('sums', 'value_satisfaction', $sql$
		SELECT
			q.*,
			(
				SELECT left(min(p.description), 400)
				FROM @extschema@.clv_segment_map p
				WHERE p.map = 'value x satisfaction' AND p.segment = q.value_segment
			) AS description
		FROM (
			SELECT
				coalesce(c.value_segment, '(none)') AS value_segment,
				c.satisfaction,
				count(*) AS customers,
				round(sum(c.monetary), 2) AS past_revenue,
				sum(c.clv) AS clv
			FROM {customers} c
			GROUP BY c.value_segment, c.satisfaction
		) q
	$sql$, NULL),

	('view', 'value_segments', $sql$
		FROM {data}.value_satisfaction c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Value against satisfaction: which customers we must not lose, and which are unhappy; empty without '
		'ratings. Key: value_segment, satisfaction'),
	('column', 'value_segment', 'c.value_segment', 'segment of the map "value x satisfaction"'),
	('column', 'satisfaction', 'c.satisfaction', 'promoter, passive, detractor or unknown'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all they have spent'),
	('column', 'clv', 'c.clv', 'sum of their clv'),
	('column', 'description', 'c.description', 'what the segment means')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_value_segments() IS
	'the table of value against satisfaction, what fills it and its view. A part of pipelines';
