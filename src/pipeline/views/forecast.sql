-- ---- forecast: purchases and revenue to come --------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_forecast() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 20
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'forecast', $sql$
		CREATE TABLE {data}.forecast (
			run int8,
			group_name varchar(200) DEFAULT '',
			segment varchar(200),
			number int4,
			period_start date,
			period_end date,
			expected_purchases float8,
			expected_revenue numeric(24,2),
			cumulative_purchases float8,
			purchases_low float8,
			purchases_high float8,
			shock float8,
			purchases_low_without float8,
			purchases_high_without float8,
			revenue_low_without numeric(24,2),
			revenue_high_without numeric(24,2),
			cumulative_revenue numeric(24,2),
			revenue_low numeric(24,2),
			revenue_high numeric(24,2),
			PRIMARY KEY (run, group_name, segment, number)
		)
	$sql$, 'the forecast by segment, where group_name is empty, and that of groups, where segment is (all)'),

	-- {1}: the totals t of a sample of 2000 customers of a segment, from which limits are
	-- scaled, as their widths need no more. The variance of what will happen grows with the number of customers, that
	-- of what is expected with its square. A model that has not converged has no limits, and so there are none here.
	-- {2}, {3}: a fence around what is computed of customers c and their segments g, of a large segment a part that
	-- says as well how its periods share what all are expected to do; {4}: the sums of expected purchases and money
	-- until the end of each period; {5}: the group, and its model; {6}: the numbers of the periods whose limits are
	-- computed; {7}: whether a customer c is one of the 2000
	('sums', 'forecast', $sql$
		WITH sums AS MATERIALIZED (
			SELECT
				q.group_name,
				q.segment,
				{4} AS s,
				count(*) AS customers,
				nullif(count(*) FILTER (WHERE q.sampled), 0) AS sampled,
				{1} AS t
			FROM {2}
				SELECT {5}, c.segment, c.history, {7} AS sampled
			{3} q
			GROUP BY q.group_name, q.segment
		),
		limited AS MATERIALIZED (
			SELECT
				s.group_name,
				s.segment,
				t.ordinality AS number,
				CASE
					WHEN t.ordinality = l.number THEN g.expected_purchases
					WHEN s.customers = g.customers THEN s.s[1][t.ordinality]
					ELSE s.s[1][t.ordinality] * coalesce(g.expected_purchases / nullif(s.s[1][l.number], 0), 1)
				END AS e,
				CASE
					WHEN t.ordinality = l.number THEN g.expected_revenue
					WHEN s.customers = g.customers THEN round(s.s[2][t.ordinality]::numeric, 2)
					ELSE round((s.s[2][t.ordinality]
						* coalesce(g.expected_revenue::float8 / nullif(s.s[2][l.number], 0), 1))::numeric, 2)
				END AS r,
				(power(t.purchases_high_without_shock - t.expected_purchases, 2)
					- coalesce(power(t.purchases_mean_high - t.expected_purchases, 2), 0)) * x.scale AS e_chance,
				coalesce(t.purchases_mean_high - t.expected_purchases, 0) * x.scale AS e_estimate,
				(power(t.value_high_without_shock - t.expected_value, 2)
					- coalesce(power(t.value_mean_high - t.expected_value, 2), 0)) * x.scale AS r_chance,
				coalesce(t.value_mean_high - t.expected_value, 0) * x.scale AS r_estimate
			FROM sums s
			JOIN {data}.segment g ON g.run = ($2).run AND g.group_name = s.group_name AND g.segment = s.segment
			CROSS JOIN LATERAL (SELECT g.customers::float8 / s.sampled AS scale) x
			CROSS JOIN LATERAL cardinality(s.t) l (number)
			CROSS JOIN LATERAL unnest(s.t) WITH ORDINALITY AS t
		),
		period AS (
			SELECT
				p.*,
				(SELECT max(n) FROM unnest({6:L}::int4[]) n WHERE n <= p.number) AS earlier,
				(SELECT min(n) FROM unnest({6:L}::int4[]) n WHERE n >= p.number) AS later
			FROM clv_internal.clv_pipeline_periods(($1).horizon, ($2).as_of, ($2).model) p
		),
		cumulated AS (
			SELECT
				s.group_name,
				s.segment,
				p.number,
				p.period_start,
				p.period_end,
				s.e,
				s.r,
				clv_internal.clv_pipeline_between(s.e, b.e, b.e_chance, a.e, a.e_chance) AS e_chance,
				clv_internal.clv_pipeline_between(s.e, b.e, b.e_estimate, a.e, a.e_estimate) AS e_estimate,
				clv_internal.clv_pipeline_between(s.e, b.e, b.r_chance, a.e, a.r_chance) AS r_chance,
				clv_internal.clv_pipeline_between(s.e, b.e, b.r_estimate, a.e, a.r_estimate) AS r_estimate
			FROM period p
			JOIN limited s ON s.number = p.number
			JOIN limited b ON b.group_name = s.group_name AND b.segment = s.segment AND b.number = p.earlier
			JOIN limited a ON a.group_name = s.group_name AND a.segment = s.segment AND a.number = p.later
		),
		-- customers of a group share its model and so the error of its estimate; those of different groups do not
		grouped AS (
			SELECT
				group_name,
				'(all)' AS segment,
				number,
				period_start,
				period_end,
				sum(e) AS e,
				sum(r) AS r,
				CASE WHEN count(e_chance) = count(*) THEN sum(e_chance) END AS e_chance,
				sum(e_estimate) AS e_estimate,
				CASE WHEN count(r_chance) = count(r) THEN sum(r_chance) END AS r_chance,
				sum(r_estimate) AS r_estimate
			FROM cumulated
			GROUP BY group_name, number, period_start, period_end
		),
		based AS (
			SELECT
				'' AS group_name,
				segment,
				number,
				period_start,
				period_end,
				sum(e) AS e,
				sum(r) AS r,
				CASE WHEN count(e_chance) = count(*) THEN sum(e_chance) END AS e_chance,
				sqrt(sum(power(e_estimate, 2))) AS e_estimate,
				CASE WHEN count(r_chance) = count(r) THEN sum(r_chance) END AS r_chance,
				sqrt(sum(power(r_estimate, 2))) AS r_estimate
			FROM (
				SELECT
					group_name, segment, number, period_start, period_end, e, r, e_chance, e_estimate, r_chance,
					r_estimate
				FROM cumulated
				UNION ALL
				TABLE grouped
			) q
			GROUP BY segment, number, period_start, period_end
			UNION ALL
			SELECT *
			FROM grouped
			WHERE group_name <> ''
		),
		wide AS (
			SELECT
				*,
				sqrt(CASE WHEN e_chance IS NOT NULL THEN greatest(e_chance, 0) END + power(e_estimate, 2)) AS e_width,
				sqrt(CASE WHEN r_chance IS NOT NULL THEN greatest(r_chance, 0) END + power(r_estimate, 2)) AS r_width
			FROM based
		)
		SELECT
			group_name,
			segment,
			number,
			period_start,
			period_end,
			e - lag(e, 1, 0) OVER w AS expected_purchases,
			r - lag(r, 1, 0) OVER w AS expected_revenue,
			e AS cumulative_purchases,
			CASE WHEN e_width IS NOT NULL THEN greatest(e - e_width, 0) END AS purchases_low,
			e + e_width AS purchases_high,
			r AS cumulative_revenue,
			CASE WHEN r_width IS NOT NULL THEN round(greatest(r::float8 - r_width, 0)::numeric, 2) END AS revenue_low,
			round((r::float8 + r_width)::numeric, 2) AS revenue_high
		FROM wide
		WINDOW w AS (PARTITION BY group_name, segment ORDER BY number)
	$sql$, NULL),

	('view', 'forecast', $sql$
		FROM {data}.forecast c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name = ''
	$sql$,
		$$Purchases and revenue to come from today's customers, by calendar month and segment, with $$ ||
		'prediction intervals of the sums since today; the row (all) is the base. Key: segment, ' ||
		'period_number'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map; (all) for the base$$),
	('column', 'period_number', 'c.number', '1 for the period that begins tomorrow'),
	('column', 'period_start', 'c.period_start', 'first day of the period'),
	('column', 'period_end', 'c.period_end', 'last day of the period'),
	('column', 'month', $sql$date_trunc('month', c.period_start::timestamp)::date$sql$,
		'first day of the month in which the period begins'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected purchases of the period'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the period, undiscounted'),
	('column', 'cumulative_purchases', 'c.cumulative_purchases',
		'expected purchases from tomorrow to the end of the period'),
	('column', 'cumulative_purchases_low', 'c.purchases_low', 'lower end of their prediction interval'),
	('column', 'cumulative_purchases_high', 'c.purchases_high', 'upper end of their prediction interval'),
	('column', 'shock', 'c.shock',
		'half the width of the interval that what moves all customers at once gives by itself, relative to the '
		'expectation; it is part of the intervals. 0 where the data do not tell it'),
	('column', 'cumulative_purchases_low_without_shock', 'c.purchases_low_without', 'lower end without it'),
	('column', 'cumulative_purchases_high_without_shock', 'c.purchases_high_without', 'upper end without it'),
	('column', 'cumulative_revenue_low_without_shock', 'c.revenue_low_without', 'lower end of the revenue without it'),
	('column', 'cumulative_revenue_high_without_shock', 'c.revenue_high_without',
		'upper end of the revenue without it'),
	('column', 'cumulative_revenue', 'c.cumulative_revenue', 'expected revenue from tomorrow to the end of the period'),
	('column', 'cumulative_revenue_low', 'c.revenue_low', 'lower end of its prediction interval'),
	('column', 'cumulative_revenue_high', 'c.revenue_high', 'upper end of its prediction interval'),

	('view', 'group_forecast', $sql$
		FROM {data}.forecast c
		WHERE c.run = (SELECT s.run FROM {data}.state s) AND c.group_name <> ''
	$sql$,
		'The forecast of each group: they add up to the rows (all) of forecast; no row without group_by. Key: '
		'group_name, period_number'),
	('column', 'group_name', 'c.group_name', 'group of the customers'),
	('columns', 'forecast', NULL, NULL)
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_forecast() IS
	'the table of the forecast, what fills it and its view. A part of pipelines';
