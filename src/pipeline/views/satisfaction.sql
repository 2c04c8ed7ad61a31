-- ---- satisfaction: net promoter scores --------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_satisfaction() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 14
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'satisfaction', $sql$
		CREATE TABLE {data}.satisfaction (
			run int8,
			segment varchar(200),
			customers int8,
			responses int8,
			promoters int8,
			passives int8,
			detractors int8,
			nps float8,
			margin_of_error float8,
			nps_low float8,
			nps_high float8,
			clv numeric(24,2),
			PRIMARY KEY (run, segment)
		)
	$sql$, NULL),

	('sums', 'satisfaction', $sql$
		SELECT
			q.segment,
			q.customers,
			(q.n).responses,
			(q.n).promoters,
			(q.n).passives,
			(q.n).detractors,
			(q.n).nps,
			(q.n).margin_of_error,
			(q.n).low AS nps_low,
			(q.n).high AS nps_high,
			q.clv
		FROM (
			SELECT
				c.segment,
				count(*) AS customers,
				@extschema@.clv_nps(c.rating::float8) AS n,
				sum(c.clv) AS clv
			FROM {customers} c
			GROUP BY c.segment
			UNION ALL
			SELECT
				'(all)',
				count(*),
				@extschema@.clv_nps(c.rating::float8),
				sum(c.clv)
			FROM {customers} c
		) q
	$sql$, NULL),

	('view', 'satisfaction', $sql$
		FROM {data}.satisfaction c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Net promoter score by segment, and of all in the row (all); empty without ratings. Key: segment'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map; (all) for the base$$),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'responses', 'c.responses', 'how many of them have rated'),
	('column', 'promoters', 'c.promoters', 'ratings of 9 and 10'),
	('column', 'passives', 'c.passives', 'ratings of 7 and 8'),
	('column', 'detractors', 'c.detractors', 'ratings of 0 to 6'),
	('column', 'nps', 'c.nps', 'net promoter score, -100 to 100'),
	('column', 'margin_of_error', 'c.margin_of_error', 'half the width of its 95 % interval'),
	('column', 'nps_low', 'c.nps_low', 'lower end of that interval'),
	('column', 'nps_high', 'c.nps_high', 'upper end of that interval'),
	('column', 'clv', 'c.clv', $$sum of the customers' clv$$)
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_satisfaction() IS
	'the table of the net promoter scores, what fills it and its view. A part of pipelines';
