-- ---- equity, equity_history: what the base is worth -------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_equity() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 54
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'equity', $sql$
		CREATE TABLE {data}.equity (
			run int8 PRIMARY KEY,
			customers int8,
			active_customers float8,
			past_revenue numeric(24,2),
			expected_purchases float8,
			expected_revenue numeric(24,2),
			clv numeric(24,2),
			lifetime_value numeric(24,2),
			level float8,
			purchases_low float8,
			purchases_high float8,
			clv_low numeric(24,2),
			clv_high numeric(24,2),
			revenue_after numeric(24,2),
			customers_without_purchase int8,
			revenue_without_purchase numeric(24,2),
			early_refunds numeric(24,2),
			shock float8,
			purchases_low_without float8,
			purchases_high_without float8,
			clv_low_without numeric(24,2),
			clv_high_without numeric(24,2)
		)
	$sql$, NULL),

	-- left_out: what the past revenue of the customers does not hold, so that all of it adds up to the source
	('sums', 'equity', $sql$
		WITH base AS (
			SELECT
				sum(s.customers) AS customers,
				sum(s.active_customers) AS active_customers,
				sum(s.past_revenue) AS past_revenue,
				sum(s.expected_purchases) AS expected_purchases,
				sum(s.expected_revenue) AS expected_revenue,
				sum(s.clv) AS clv,
				sum(s.lifetime_value) AS lifetime_value,
				coalesce(($1).level, 0.9) AS level
			FROM {data}.segment s
			WHERE s.run = ($2).run AND s.group_name = ''
		),
		-- from one in so many customers that 20,000 are left, as the widths of limits need no more
		total AS (
			SELECT
				t.*,
				(SELECT b.customers FROM base b) / nullif(t.customers, 0)::float8 AS scale
			FROM (
				SELECT (q.total).*
				FROM (
					SELECT @extschema@.clv_predict_total(($2).model, h.history, ($1).horizon, ($1).discount_rate,
						($1).margin, ($2).as_of, coalesce(($1).level, 0.9::float8)) AS total
					FROM {data}.history h
					WHERE h.generation = ($2).generation
					  AND ($1).group_by IS NULL
					  AND (
						(SELECT b.customers < 20000 FROM base b)
						OR {h.hash} % (SELECT 1 + b.customers::int8 / 20000 FROM base b) = 0
					  )
				) q
			) t
		),
		-- what is subtracted from the greater of both leaves zero where it is greater, and NULL where it is NULL
		limits AS (
			SELECT
				CASE
					WHEN t.scale = 1 THEN t.purchases_low_without_shock
					ELSE greatest(b.expected_purchases, x.purchases) - x.purchases
				END AS purchases_low,
				CASE
					WHEN t.scale = 1 THEN t.purchases_high_without_shock
					ELSE b.expected_purchases + x.purchases
				END AS purchases_high,
				CASE
					WHEN t.scale = 1 THEN t.value_low_without_shock
					WHEN b.clv < 0 THEN b.clv::float8 - x.value
					ELSE greatest(b.clv::float8, x.value) - x.value
				END AS value_low,
				CASE WHEN t.scale = 1 THEN t.value_high_without_shock ELSE b.clv::float8 + x.value END AS value_high
			FROM base b
			CROSS JOIN total t
			CROSS JOIN LATERAL (
				SELECT
					clv_internal.clv_pipeline_spread(t.expected_purchases, t.purchases_high_without_shock,
						t.purchases_mean_high, t.scale) AS purchases,
					clv_internal.clv_pipeline_spread(t.expected_value, t.value_high_without_shock, t.value_mean_high,
						t.scale) AS value
			) x
		),
		-- groups have models of their own, the errors of which are independent: variances add up
		by_group AS (
			SELECT
				CASE WHEN count(*) = count(g.purchases_high)
					THEN sqrt(sum(power(g.purchases_high - g.expected_purchases, 2)))
				END AS purchases,
				CASE WHEN count(*) = count(g.clv_high)
					THEN sqrt(sum(power((g.clv_high - g.clv)::float8, 2)))
				END AS value
			FROM {data}.group_equity g
			WHERE g.run = ($2).run
		),
		left_out AS (
			SELECT
				sum(m.after) AS after,
				sum(m.customers) FILTER (WHERE m.month IS NULL) AS customers,
				sum(m.revenue) FILTER (WHERE m.month IS NULL) AS without_purchase,
				sum(m.early) AS early
			FROM {data}.month m
			WHERE m.run = ($2).run
		)
		SELECT
			b.*,
			clv_internal.clv_finite(coalesce(t.purchases_low, greatest(b.expected_purchases, g.purchases)
				- g.purchases)) AS purchases_low,
			clv_internal.clv_finite(coalesce(t.purchases_high, b.expected_purchases + g.purchases)) AS purchases_high,
			clv_internal.clv_cents(coalesce(t.value_low, CASE
				WHEN b.clv < 0 THEN b.clv::float8 - g.value
				ELSE greatest(b.clv::float8, g.value) - g.value
			END)) AS clv_low,
			clv_internal.clv_cents(coalesce(t.value_high, b.clv::float8 + g.value)) AS clv_high,
			CASE WHEN ($1).amount IS NOT NULL THEN round(coalesce(l.after, 0), 2) END AS revenue_after,
			coalesce(l.customers, 0) AS customers_without_purchase,
			CASE WHEN ($1).amount IS NOT NULL
				THEN round(coalesce(l.without_purchase, 0), 2)
			END AS revenue_without_purchase,
			CASE WHEN ($1).amount IS NOT NULL THEN round(coalesce(l.early, 0), 2) END AS early_refunds
		FROM base b
		CROSS JOIN limits t
		CROSS JOIN by_group g
		CROSS JOIN left_out l
	$sql$, NULL),

	('view', 'equity', $sql$
		FROM {data}.equity c
		JOIN {data}.run u ON u.run = c.run
		LEFT JOIN {data}.state s ON true
		LEFT JOIN {data}.equity b ON b.run = s.previous
		LEFT JOIN {data}.run w ON w.run = b.run
		WHERE c.run = s.run
	$sql$,
		'What the customer base is worth, in one row: today, over the horizon, and the change since the '
		'refresh before'),
	('column', 'run', 'c.run', 'number of the refresh'),
	('column', 'as_of', 'u.as_of', 'day as of which customers are evaluated'),
	('column', 'published_at', 'u.published_at', 'when the views began to show it'),
	('column', 'horizon_days', $sql$(extract(epoch FROM (u.definition ->> 'horizon')::interval) / 86400)::float8$sql$,
		'length of the horizon in days'),
	('column', 'discount_rate', $sql$(u.definition ->> 'discount_rate')::float8$sql$, 'rate per year'),
	('column', 'margin', $sql$(u.definition ->> 'margin')::float8$sql$, 'share of revenue that is kept'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'active_customers', 'c.active_customers', 'expected number of those still customers: sum of p_alive'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all that customers have spent up to the day'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected purchases in the horizon'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', $$value of the horizon: sum of the customers' clv$$),
	('column', 'lifetime_value', 'c.lifetime_value',
		$$value without end: sum of the customers' lifetime value; NULL where nothing is discounted$$),
	('column', 'interval_level', 'c.level', 'probability of the intervals'),
	('column', 'purchases_low', 'c.purchases_low', 'lower end of the prediction interval of purchases'),
	('column', 'purchases_high', 'c.purchases_high', 'upper end of the prediction interval of purchases'),
	('column', 'clv_low', 'c.clv_low', 'lower end of the prediction interval of clv'),
	('column', 'clv_high', 'c.clv_high', 'upper end of the prediction interval of clv'),
	('column', 'shock', 'c.shock',
		'half the width of the interval that what moves all customers at once gives by itself, relative to the '
		'expectation; it is part of the intervals. 0 where the data do not tell it'),
	('column', 'purchases_low_without_shock', 'c.purchases_low_without', 'lower end without it'),
	('column', 'purchases_high_without_shock', 'c.purchases_high_without', 'upper end without it'),
	('column', 'clv_low_without_shock', 'c.clv_low_without', 'lower end of the interval of clv without it'),
	('column', 'clv_high_without_shock', 'c.clv_high_without', 'upper end of the interval of clv without it'),
	('column', 'previous_as_of', 'w.as_of', 'day of the refresh before'),
	('column', 'customers_change', 'c.customers - b.customers', 'customers more than at the refresh before'),
	('column', 'active_customers_change', 'c.active_customers - b.active_customers',
		'active customers more than at the refresh before'),
	('column', 'past_revenue_change', '(c.past_revenue - b.past_revenue)::numeric(24,2)',
		'revenue since the refresh before'),
	('column', 'clv_change', '(c.clv - b.clv)::numeric(24,2)', 'clv more than at the refresh before'),
	('column', 'lifetime_value_change', '(c.lifetime_value - b.lifetime_value)::numeric(24,2)',
		'lifetime value more than at the refresh before'),
	('column', 'source_revenue', 'u.total_revenue::numeric(24,2)',
		'sum of the source as the filter leaves it: past_revenue and the four amounts that follow'),
	('column', 'revenue_after', 'c.revenue_after', 'of it: after the day'),
	('column', 'revenue_without_purchase', 'c.revenue_without_purchase',
		'of it: refunds of customers who have bought nothing up to the day'),
	('column', 'revenue_without_customer', 'coalesce(u.revenue_without_customer, 0 * u.total_revenue)::numeric(24,2)',
		'of it: rows without a customer'),
	('column', 'revenue_without_time', 'coalesce(u.revenue_without_time, 0 * u.total_revenue)::numeric(24,2)',
		'of it: rows of a customer, but without a time'),
	('column', 'early_refunds', 'c.early_refunds', 'part of past_revenue: refunds before the first purchase'),
	('column', 'customers_without_purchase', 'c.customers_without_purchase',
		'keys of the source with nothing bought up to the day; they are in no other view'),
	('column', 'rows_without_customer', 'u.rows_without_customer', 'rows of the source without a customer'),
	('column', 'rows_without_time', 'u.rows_without_time', 'rows of the source of a customer, but without a time'),
	('column', 'isolated_day', 'u.isolated_day',
		'day of an isolated last purchase long after the others, as a mistyped date is, which was '
		'not taken for the day; NULL where there is none'),

	('view', 'equity_history', $sql$
		FROM {data}.equity c
		JOIN {data}.run u ON u.run = c.run AND u.published_at IS NOT NULL
	$sql$,
		'What the customer base was worth at each refresh. Key: run'),
	('column', 'run', 'c.run', 'number of the refresh'),
	('column', 'as_of', 'u.as_of', 'day that it looked back from'),
	('column', 'published_at', 'u.published_at', 'when the views began to show it'),
	('column', 'customers', 'c.customers', 'number of customers'),
	('column', 'active_customers', 'c.active_customers', 'expected number of those still customers: sum of p_alive'),
	('column', 'past_revenue', 'c.past_revenue', 'net of all that customers have spent'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected purchases in the horizon'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', $$value of the horizon: sum of the customers' clv$$),
	('column', 'lifetime_value', 'c.lifetime_value',
		$$value without end: sum of the customers' lifetime value; NULL where nothing is discounted$$),
	('column', 'interval_level', 'c.level', 'probability of the intervals'),
	('column', 'purchases_low', 'c.purchases_low', 'lower end of the prediction interval of purchases'),
	('column', 'purchases_high', 'c.purchases_high', 'upper end of the prediction interval of purchases'),
	('column', 'clv_low', 'c.clv_low', 'lower end of the prediction interval of clv'),
	('column', 'clv_high', 'c.clv_high', 'upper end of the prediction interval of clv')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_equity() IS
	'the table of what the base is worth, what fills it and its views. A part of pipelines';
