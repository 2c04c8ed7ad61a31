-- ---- groups: what each group is worth -----------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_groups() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 24
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'group_equity', $sql$
		CREATE TABLE {data}.group_equity (
			run int8,
			group_name varchar(200),
			customers int8,
			active_customers float8,
			past_revenue numeric(24,2),
			expected_purchases float8,
			expected_revenue numeric(24,2),
			clv numeric(24,2),
			lifetime_value numeric(24,2),
			level float8,
			shock float8,
			purchases_low_without float8,
			purchases_high_without float8,
			clv_low_without numeric(24,2),
			clv_high_without numeric(24,2),
			purchases_low float8,
			purchases_high float8,
			clv_low numeric(24,2),
			clv_high numeric(24,2),
			PRIMARY KEY (run, group_name)
		)
	$sql$, NULL),

	-- Limits come from a sample of 2000 customers of a group, as in the forecast. {1}: the models m of the groups
	('sums', 'group_equity', $sql$
		WITH base AS (
			SELECT
				s.group_name,
				sum(s.customers) AS customers,
				sum(s.active_customers) AS active_customers,
				sum(s.past_revenue) AS past_revenue,
				sum(s.expected_purchases) AS expected_purchases,
				sum(s.expected_revenue) AS expected_revenue,
				sum(s.clv) AS clv,
				sum(s.lifetime_value) AS lifetime_value,
				coalesce(($1).level, 0.9) AS level
			FROM {data}.segment s
			WHERE s.run = ($2).run AND s.group_name <> ''
			GROUP BY s.group_name
		),
		total AS (
			SELECT q.group_name, (q.total).*
			FROM (
				SELECT
					c.group_name,
					@extschema@.clv_predict_total(m.group_model, c.history, ($1).horizon, ($1).discount_rate,
						($1).margin, ($2).as_of, coalesce(($1).level, 0.9::float8)) AS total
				FROM {customers} c
				JOIN base b ON b.group_name = c.group_name
				JOIN ({1}) m ON m.group_name = c.group_name
				WHERE {c.hash} % (1 + b.customers::int8 / 2000) = 0
				GROUP BY c.group_name
			) q
		),
		wide AS (
			SELECT
				t.group_name,
				clv_internal.clv_pipeline_spread(t.expected_purchases, t.purchases_high_without_shock,
					t.purchases_mean_high, x.scale) AS purchases,
				clv_internal.clv_pipeline_spread(t.expected_value, t.value_high_without_shock, t.value_mean_high,
					x.scale) AS value
			FROM total t
			JOIN base b USING (group_name)
			CROSS JOIN LATERAL (SELECT b.customers / nullif(t.customers, 0)::float8 AS scale) x
		)
		SELECT
			b.*,
			clv_internal.clv_finite(greatest(b.expected_purchases, w.purchases) - w.purchases) AS purchases_low,
			clv_internal.clv_finite(b.expected_purchases + w.purchases) AS purchases_high,
			clv_internal.clv_cents(CASE
				WHEN b.clv < 0 THEN b.clv::float8 - w.value
				ELSE greatest(b.clv::float8, w.value) - w.value
			END) AS clv_low,
			clv_internal.clv_cents(b.clv::float8 + w.value) AS clv_high
		FROM base b
		LEFT JOIN wide w USING (group_name)
	$sql$, NULL),

	('view', 'groups', $sql$
		FROM {data}.group_equity c
		JOIN {data}.run u USING (run)
		JOIN {data}.model m ON m.run = u.model_run AND m.group_name = c.group_name
		CROSS JOIN LATERAL @extschema@.clv_diagnostics(m.model) d
		LEFT JOIN {data}.new_customer n ON n.run = u.model_run AND n.group_name = c.group_name
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'One row a group of customers: what it is worth, and the model that says so; the groups add up to equity. No '
		'row without group_by. Key: group_name'),
	('column', 'group_name', 'c.group_name', 'group; (none) for customers of whom none is known'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'active_customers', 'c.active_customers', 'expected number of those still customers: sum of p_alive'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all that they have spent up to the day'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected purchases in the horizon'),
	('column', 'purchases_low', 'c.purchases_low', 'lower end of the prediction interval of purchases'),
	('column', 'purchases_high', 'c.purchases_high', 'upper end of the prediction interval of purchases'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', $$value of the horizon: sum of the customers' clv$$),
	('column', 'clv_low', 'c.clv_low', 'lower end of the prediction interval of clv'),
	('column', 'clv_high', 'c.clv_high', 'upper end of the prediction interval of clv'),
	('column', 'shock', 'c.shock',
		'half the width of the interval that what moves all customers at once gives by itself, relative to the '
		'expectation; it is part of the intervals'),
	('column', 'purchases_low_without_shock', 'c.purchases_low_without', 'lower end of the purchases without it'),
	('column', 'purchases_high_without_shock', 'c.purchases_high_without', 'upper end of the purchases without it'),
	('column', 'clv_low_without_shock', 'c.clv_low_without', 'lower end of clv without it'),
	('column', 'clv_high_without_shock', 'c.clv_high_without', 'upper end of clv without it'),
	('column', 'lifetime_value', 'c.lifetime_value',
		$$value without end: sum of the customers' lifetime value; NULL where nothing is discounted$$),
	('column', 'interval_level', 'c.level', 'probability of the intervals'),
	('column', 'max_acquisition_cost', 'n.max_acquisition_cost',
		'what a new customer of the group is worth within the horizon, their first purchase included'),
	('column', 'model_as_of', 'm.as_of', 'last day of the data of the model'),
	('column', 'model_customers', 'd.customers', 'customers whom the model was fitted to'),
	('column', 'prior_distance', 'clv_internal.clv_finite(d.prior_distance)',
		'standard deviations of the prior between its mean and the purchases of the group; NULL where not pooled'),
	('column', 'effective_parameters', 'clv_internal.clv_finite(d.effective_parameters)',
		'how many parameters the customers of the group determine by themselves; NULL where it was not pooled')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_groups() IS
	'the table of what groups are worth, what fills it and its view. A part of pipelines';
