-- ---- the check of a table of purchases --------------------------------------------------------------------
--
-- The source is read once and counted by customer, day and size of amount; facts are taken from these counts, and
-- findings from the facts.

-- The rows of a table, view or query, counted by what a check asks for.
CREATE FUNCTION clv_internal.clv_check_rows(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text
) RETURNS TABLE (
	customer_id pg_catalog.text,
	day pg_catalog.date,
	kind pg_catalog.text,
	size pg_catalog.int4,
	rows pg_catalog.int8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT s.{customer:I}::pg_catalog.text,
			{day},
			k.kind,
			CASE WHEN k.kind OPERATOR(pg_catalog.=) 'purchase' AND {priced}
				THEN pg_catalog.floor(
					10 OPERATOR(pg_catalog.*) pg_catalog.log({amount}::pg_catalog.float8))::pg_catalog.int4
			END,
			pg_catalog.count(*)
		FROM {relation} AS s
		CROSS JOIN LATERAL (
			SELECT CASE WHEN NOT {priced} THEN 'purchase'
				WHEN {amount} IS NULL THEN 'unknown'
				WHEN {amount} OPERATOR(pg_catalog.=) ANY ('{NaN,Infinity,-Infinity}'::pg_catalog.numeric[]) THEN 'odd'
				WHEN {amount} OPERATOR(pg_catalog.=) 0 THEN 'zero'
				WHEN {amount} OPERATOR(pg_catalog.<) 0 THEN 'refund'
				WHEN {amount} OPERATOR(pg_catalog.>) 1e300 OR {amount} OPERATOR(pg_catalog.<) 1e-300 THEN 'odd'
				ELSE 'purchase' END AS kind
		) AS k
		GROUP BY s.{customer:I}, 2, 3, 4
		$sql$, clv_internal.clv_quick_rows(source, customer, bought_at, amount));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_check_rows(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the rows of a table, view or query, counted by customer, day in UTC, kind (purchase, refund, zero, unknown, or '
	'odd: not a number, or one beyond reason) and size, which is 10 times the decimal logarithm of the amount, rounded '
	'down. A part of clv_check';

-- A day as far from the middle as the given one, on the other side; both within four thousand years.
CREATE FUNCTION clv_internal.clv_check_mirrored(day pg_catalog.date) RETURNS pg_catalog.date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
RETURN date '2000-01-01' + (date '2000-01-01' - least(greatest(day, date '0001-01-01'), date '3998-12-31'));
COMMENT ON FUNCTION clv_internal.clv_check_mirrored(pg_catalog.date) IS
	'the day that is as far from 2000-01-01 on the other side, so that what finds isolated last days finds first ones. '
	'A part of clv_check';

-- What there is to know of the rows for clv_check_findings: numbers and days by name.
CREATE FUNCTION clv_internal.clv_check_facts(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text
) RETURNS pg_catalog.jsonb
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000
BEGIN ATOMIC
	WITH counted AS MATERIALIZED (
		SELECT r.customer_id, r.day, r.kind, r.size, r.rows
		FROM clv_internal.clv_check_rows(source, customer, bought_at, amount) AS r
	), usable AS (
		SELECT c.customer_id, c.day, c.kind, c.size, c.rows
		FROM counted AS c
		WHERE c.customer_id IS NOT NULL AND isfinite(c.day)
	), today AS (
		-- it may be tomorrow elsewhere
		SELECT (now() AT TIME ZONE 'UTC')::date + 1 AS day
	), bought AS MATERIALIZED (
		SELECT u.customer_id, u.day, sum(u.rows)::int8 AS rows
		FROM usable AS u
		CROSS JOIN today AS t
		WHERE u.kind NOT IN ('refund', 'odd') AND u.day <= t.day
		GROUP BY u.customer_id, u.day
	), person AS MATERIALIZED (
		SELECT b.customer_id, min(b.day) AS first, max(b.day) AS last, count(*) AS days, sum(b.rows)::int8 AS rows
		FROM bought AS b
		GROUP BY b.customer_id
	), firsts AS (
		SELECT clv_internal.clv_check_mirrored(q.first) AS day, q.customers
		FROM (SELECT p.first, count(*) AS customers FROM person AS p GROUP BY p.first) AS q
	), lasts AS (
		SELECT p.last AS day, count(*) AS customers FROM person AS p GROUP BY 1
	), span AS MATERIALIZED (
		-- the days between which the data are, isolated ones left out
		SELECT clv_internal.clv_check_mirrored(f.settled) AS first, l.settled AS last
		FROM (SELECT array_agg(q.day) AS days, array_agg(q.customers) AS customers FROM firsts AS q) AS a
		CROSS JOIN (SELECT array_agg(q.day) AS days, array_agg(q.customers) AS customers FROM lasts AS q) AS z
		CROSS JOIN LATERAL clv_internal.clv_settled_day(a.days, a.customers) AS f
		CROSS JOIN LATERAL clv_internal.clv_settled_day(z.days, z.customers) AS l
	), rows_of AS (
		SELECT coalesce(sum(c.rows), 0)::int8 AS rows,
			coalesce(sum(c.rows) FILTER (WHERE c.customer_id IS NULL), 0)::int8 AS guest_rows,
			coalesce(sum(c.rows) FILTER (WHERE c.customer_id IS NOT NULL AND c.day IS NULL), 0)::int8 AS untimed_rows,
			count(DISTINCT c.customer_id) FILTER (WHERE c.day IS NULL) AS untimed_customers,
			coalesce(sum(c.rows) FILTER (WHERE c.customer_id IS NOT NULL AND NOT isfinite(c.day)), 0)::int8
				AS endless_rows,
			count(DISTINCT c.customer_id) FILTER (WHERE NOT isfinite(c.day)) AS endless_customers
		FROM counted AS c
	), kinds AS (
		SELECT coalesce(sum(u.rows), 0)::int8 AS usable_rows,
			coalesce(sum(u.rows) FILTER (WHERE u.day > t.day), 0)::int8 AS future_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE u.day > t.day) AS future_customers,
			max(u.day) AS last_future,
			coalesce(sum(u.rows) FILTER (WHERE u.kind = 'odd'), 0)::int8 AS odd_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE u.kind = 'odd') AS odd_customers,
			coalesce(sum(u.rows) FILTER (WHERE u.kind = 'zero'), 0)::int8 AS zero_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE u.kind = 'zero') AS zero_customers,
			coalesce(sum(u.rows) FILTER (WHERE u.kind = 'unknown'), 0)::int8 AS unknown_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE u.kind = 'unknown') AS unknown_customers
		FROM usable AS u
		CROSS JOIN today AS t
	), refunds AS (
		SELECT coalesce(sum(u.rows) FILTER (WHERE p.customer_id IS NULL), 0)::int8 AS alone_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE p.customer_id IS NULL) AS alone_customers,
			coalesce(sum(u.rows) FILTER (WHERE u.day < p.first), 0)::int8 AS early_refund_rows,
			count(DISTINCT u.customer_id) FILTER (WHERE u.day < p.first) AS early_refund_customers
		FROM usable AS u
		LEFT JOIN person AS p ON p.customer_id = u.customer_id
		WHERE u.kind = 'refund'
	), isolated AS (
		SELECT coalesce(sum(b.rows), 0)::int8 AS isolated_rows, count(DISTINCT b.customer_id) AS isolated_customers,
			min(b.day) AS isolated_first, max(b.day) AS isolated_last
		FROM bought AS b
		CROSS JOIN span AS s
		WHERE b.day NOT BETWEEN s.first AND s.last
	), people AS (
		SELECT count(*) AS customers,
			count(*) FILTER (WHERE p.days > 1) AS repeaters,
			count(*) FILTER (WHERE p.days = 1) AS one_day,
			count(*) FILTER (WHERE p.rows = 1) AS one_row,
			max(p.rows) AS most_rows
		FROM person AS p
	), waits AS (
		SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY w.days) AS median_gap
		FROM (
			SELECT b.day - lag(b.day) OVER (PARTITION BY b.customer_id ORDER BY b.day) AS days
			FROM bought AS b
		) AS w
		WHERE w.days IS NOT NULL
	), daily AS MATERIALIZED (
		SELECT b.day, sum(b.rows)::int8 AS rows, count(*) AS purchases,
			count(*) FILTER (WHERE b.day > p.first) AS repeats
		FROM bought AS b
		JOIN person AS p ON p.customer_id = b.customer_id
		CROSS JOIN span AS s
		WHERE b.day BETWEEN s.first AND s.last
		GROUP BY b.day
	), grid AS (
		-- the share of the commonest day of the week, and those of the first and last day of months
		SELECT (SELECT sum(d.purchases)::int8 FROM daily AS d) AS purchases,
			(SELECT count(*) FROM daily AS d) AS days,
			(SELECT max(w.purchases)
			 FROM (SELECT sum(d.purchases)::int8 AS purchases FROM daily AS d GROUP BY extract(isodow FROM d.day)) AS w)
				AS on_weekday,
			(SELECT sum(d.purchases)::int8 FROM daily AS d WHERE extract(day FROM d.day) = 1) AS on_first,
			(SELECT sum(d.purchases)::int8 FROM daily AS d WHERE extract(day FROM d.day + 1) = 1) AS on_last
	), gap AS (
		-- the longest time without purchases, of those in which the four weeks before and after let expect many
		SELECT g.since + 1 AS gap_first, g.until - 1 AS gap_last, g.until - g.since - 1 AS gap_days
		FROM (
			SELECT d.day AS until,
				lag(d.day) OVER (ORDER BY d.day) AS since,
				sum(d.rows) OVER (ORDER BY d.day RANGE BETWEEN CURRENT ROW AND '27 days' FOLLOWING) AS after
			FROM daily AS d
		) AS g
		CROSS JOIN LATERAL (
			SELECT sum(d.rows) AS before FROM daily AS d WHERE d.day BETWEEN g.since - 27 AND g.since
		) AS b
		WHERE g.until - g.since - 1 >= 5
			AND least(b.before, g.after) / 28.0 * (g.until - g.since - 1) >= 20
		ORDER BY g.until - g.since DESC, g.until
		LIMIT 1
	), sizes AS MATERIALIZED (
		SELECT u.size, sum(u.rows)::int8 AS rows
		FROM usable AS u
		WHERE u.size IS NOT NULL
		GROUP BY u.size
	), ranked AS (
		SELECT s.size, sum(s.rows) OVER (ORDER BY s.size) AS up_to, sum(s.rows) OVER () AS priced FROM sizes AS s
	), middle AS MATERIALIZED (
		SELECT min(r.size) FILTER (WHERE r.up_to >= 0.5 * r.priced) AS median_size,
			min(r.size) FILTER (WHERE r.up_to >= 0.995 * r.priced) AS high_size,
			max(r.priced)::int8 AS priced_rows
		FROM ranked AS r
	), amounts AS (
		-- more than 30 times, and 10 to 30 times, above and below the median; and 20 times above all but one in 200
		SELECT m.median_size, m.high_size, m.priced_rows,
			coalesce(sum(s.rows) FILTER (WHERE s.size > m.median_size + 15), 0)::int8 AS far_above,
			coalesce(sum(s.rows) FILTER (WHERE s.size BETWEEN m.median_size + 11 AND m.median_size + 15), 0)::int8
				AS above,
			coalesce(sum(s.rows) FILTER (WHERE s.size < m.median_size - 15), 0)::int8 AS far_below,
			coalesce(sum(s.rows) FILTER (WHERE s.size BETWEEN m.median_size - 15 AND m.median_size - 11), 0)::int8
				AS below,
			coalesce(sum(s.rows) FILTER (WHERE s.size > m.high_size + 13), 0)::int8 AS outlier_rows
		FROM middle AS m
		LEFT JOIN sizes AS s ON true
		GROUP BY m.median_size, m.high_size, m.priced_rows
	), extremes AS (
		SELECT count(DISTINCT u.customer_id) FILTER (WHERE u.size > m.median_size + 15) AS far_above_customers,
			count(DISTINCT u.customer_id) FILTER (WHERE u.size < m.median_size - 15) AS far_below_customers,
			count(DISTINCT u.customer_id) FILTER (WHERE u.size > m.high_size + 13) AS outlier_customers
		FROM usable AS u
		CROSS JOIN middle AS m
		WHERE abs(u.size - m.median_size) > 13
	), monthly AS (
		-- repeat purchases of whole months, those without any included; the first day of all begins no month
		SELECT x.month, coalesce(sum(d.repeats), 0)::int8 AS repeats
		FROM span AS s
		CROSS JOIN LATERAL generate_series(
			date_trunc('month', greatest(s.first, date '4713-01-01 BC') + interval '1 month' - interval '1 day'),
			date_trunc('month', greatest(s.last, date '4713-01-01 BC') + interval '1 day') - interval '1 month',
			interval '1 month') AS x (month)
		LEFT JOIN daily AS d ON date_trunc('month', greatest(d.day, date '4713-01-01 BC')::timestamp) = x.month
		GROUP BY x.month
	), trend AS (
		-- beside each month the mean of the year around it
		SELECT m.month, m.repeats,
			(sum(m.repeats) OVER (ORDER BY m.month ROWS BETWEEN 6 PRECEDING AND 5 FOLLOWING)
				+ sum(m.repeats) OVER (ORDER BY m.month ROWS BETWEEN 5 PRECEDING AND 6 FOLLOWING)) / 24.0 AS usual,
			row_number() OVER (ORDER BY m.month) > 6 AND row_number() OVER (ORDER BY m.month DESC) > 6 AS whole
		FROM monthly AS m
	), season AS (
		SELECT extract(month FROM t.month)::int4 AS peak_month, sum(t.repeats)::int8 AS peak_repeats,
			sum(t.usual)::float8 AS peak_usual
		FROM trend AS t
		-- two years, so that each month of the year has a year around it
		WHERE t.whole AND (SELECT count(*) FROM trend AS w WHERE w.whole) >= 12
		GROUP BY 1
		ORDER BY sum(t.repeats) / nullif(sum(t.usual), 0) DESC NULLS LAST, 1
		LIMIT 1
	)
	SELECT to_jsonb(r) || to_jsonb(k) || to_jsonb(f) || to_jsonb(i) || to_jsonb(p) || to_jsonb(w) || to_jsonb(g)
		|| to_jsonb(a) || to_jsonb(e) || coalesce((SELECT to_jsonb(s) FROM span AS s), '{}')
		|| coalesce((SELECT to_jsonb(q) FROM gap AS q), '{}') || coalesce((SELECT to_jsonb(q) FROM season AS q), '{}')
		|| jsonb_build_object('priced', amount IS NOT NULL, 'today', (SELECT t.day - 1 FROM today AS t))
	FROM rows_of AS r
	CROSS JOIN kinds AS k
	CROSS JOIN refunds AS f
	CROSS JOIN isolated AS i
	CROSS JOIN people AS p
	CROSS JOIN waits AS w
	CROSS JOIN grid AS g
	CROSS JOIN amounts AS a
	CROSS JOIN extremes AS e;
END;
COMMENT ON FUNCTION clv_internal.clv_check_facts(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'what there is to know of the rows of a table, view or query for clv_check_findings: numbers and days by name. A '
	'part of clv_check';

-- What the facts of a table say of it, the severest first.
CREATE FUNCTION clv_internal.clv_check_findings(
	facts pg_catalog.jsonb,
	OUT severity pg_catalog.text,
	OUT finding pg_catalog.text,
	OUT rows pg_catalog.int8,
	OUT customers pg_catalog.int8,
	OUT advice pg_catalog.text
) RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 5000 ROWS 5
BEGIN ATOMIC
	WITH fact AS (
		SELECT f.*,
			f.purchases >= 100 AND f.days >= 3 AND greatest(f.on_weekday, f.on_first, f.on_last) >= 0.9 * f.purchases
				AS is_rounded,
			f.priced_rows >= 100 AND (
				f.far_above >= greatest(5, f.priced_rows / 1000) AND f.far_above > 2 * f.above
				OR f.far_below >= greatest(5, f.priced_rows / 1000) AND f.far_below > 2 * f.below) AS is_mixed
		FROM jsonb_to_record(facts) AS f (
			rows int8, guest_rows int8, untimed_rows int8, untimed_customers int8, endless_rows int8,
			endless_customers int8, usable_rows int8, future_rows int8, future_customers int8, last_future date,
			odd_rows int8, odd_customers int8, zero_rows int8, zero_customers int8, unknown_rows int8,
			unknown_customers int8, alone_rows int8, alone_customers int8, early_refund_rows int8,
			early_refund_customers int8, isolated_rows int8, isolated_customers int8, isolated_first date,
			isolated_last date, customers int8, repeaters int8, one_day int8, one_row int8, most_rows int8,
			median_gap int4, purchases int8, days int8, on_weekday int8, on_first int8, on_last int8,
			gap_first date, gap_last date, gap_days int4, median_size int4, high_size int4, priced_rows int8,
			far_above int8, above int8, far_below int8, below int8, outlier_rows int8, far_above_customers int8,
			far_below_customers int8, outlier_customers int8, first date, last date, peak_month int4,
			peak_repeats int8, peak_usual float8, priced bool, today date)
	), found AS (
		SELECT v.place, v.severity, v.finding, v.rows, v.customers, v.advice
		FROM fact AS f
		CROSS JOIN LATERAL (VALUES
			(1, f.rows = 0, 'error', 'no rows', 0::int8, 0::int8, 'The source is empty.'),
			(2, f.rows > 0 AND f.customers = 0, 'error', 'no purchases', f.rows, 0::int8,
				'No row has a customer, a day up to today and an amount that is not a refund.'),
			(3, f.guest_rows > 0, CASE WHEN f.guest_rows >= 0.5 * f.rows THEN 'error' ELSE 'warning' END,
				'customer missing', f.guest_rows, NULL,
				'Orders of guests have no customer: leave them out, or give them a key such as the e-mail address.'),
			(4, f.customers >= 100 AND f.most_rows >= 50 AND f.most_rows > 0.05 * f.usable_rows, 'warning',
				'one customer with very many rows', f.most_rows, 1::int8,
				'Is that the key of guests, or of a reseller? Leave it out, or give the purchases their own keys.'),
			(5, f.untimed_rows > 0, 'warning', 'time missing', f.untimed_rows, f.untimed_customers,
				'Rows without a time count nowhere. Is another column the time of the order?'),
			(6, f.endless_rows > 0, 'error', 'time infinite', f.endless_rows, f.endless_customers,
				'A history cannot have such a day: leave these rows out.'),
			(7, f.future_rows > 0, 'error', 'dates in the future', f.future_rows, f.future_customers,
				format('The last one is %s. Correct them, leave them out, or give as_of => %L.',
					facts ->> 'last_future', facts ->> 'today')),
			(8, f.isolated_rows > 0, 'error', 'dates isolated', f.isolated_rows, f.isolated_customers,
				format('All others are from %s to %s, these from %s to %s. Correct them, leave them out, or give '
						'as_of => %L.', facts ->> 'first', facts ->> 'last', facts ->> 'isolated_first',
					facts ->> 'isolated_last', facts ->> 'last')),
			(9, f.odd_rows > 0, 'error', 'amounts that are no numbers', f.odd_rows, f.odd_customers,
				'NaN, infinite or beyond reason: a history refuses them. Leave these rows out, or make it NULL.'),
			(10, f.is_mixed, 'warning', 'amounts of mixed magnitude',
				CASE WHEN f.far_above > f.far_below THEN f.far_above ELSE f.far_below END,
				CASE WHEN f.far_above > f.far_below THEN f.far_above_customers ELSE f.far_below_customers END,
				format('They are more than 30 times as %s as usual (%s), and few amounts lie between. Cents, or '
						'another currency?',
					CASE WHEN f.far_above > f.far_below THEN 'large' ELSE 'small' END,
					round(power(10::numeric, f.median_size / 10.0), 2))),
			(11, NOT f.is_mixed AND f.priced_rows >= 100 AND f.outlier_rows > 0, 'warning', 'amounts that are outliers',
				f.outlier_rows, f.outlier_customers,
				format('They are more than 20 times what all but one in 200 are at most (%s). Mistyped, or another '
						'kind of customer?', round(power(10::numeric, (f.high_size + 1) / 10.0), 2))),
			(12, f.zero_rows > 0, CASE WHEN f.zero_rows >= 0.01 * f.usable_rows THEN 'warning' ELSE 'notice' END,
				'amounts of zero', f.zero_rows, f.zero_customers,
				'They count as purchases. Leave out cancelled orders and samples; make unknown amounts NULL.'),
			(13, f.unknown_rows > 0, CASE WHEN f.unknown_rows >= 0.01 * f.usable_rows THEN 'warning' ELSE 'notice' END,
				'amounts missing', f.unknown_rows, f.unknown_customers,
				'They count as purchases, and not in the spend.'),
			(14, f.alone_rows > 0, CASE WHEN f.alone_rows >= 0.01 * f.usable_rows THEN 'warning' ELSE 'notice' END,
				'refunds without a purchase', f.alone_rows, f.alone_customers,
				'These customers have no purchase. Do their purchases lie before the data, or under another key?'),
			(15, f.early_refund_rows > 0,
				CASE WHEN f.early_refund_rows >= 0.01 * f.usable_rows THEN 'warning' ELSE 'notice' END,
				'refunds before the first purchase', f.early_refund_rows, f.early_refund_customers,
				'The first purchase is missing: these customers are older than they look. Take data from earlier on.'),
			(16, f.customers > 0 AND f.repeaters < 100, CASE WHEN f.repeaters < 10 THEN 'error' ELSE 'warning' END,
				'few repeat buyers', NULL, f.repeaters,
				'Rates are learned from those who bought twice: a hundred make a model, a few hundred a good one.'),
			(17, f.customers >= 30 AND f.repeaters >= 10 AND least(f.one_day, f.one_row) = 0, 'warning',
				'one-time buyers missing', NULL, f.customers,
				'Every customer has more than one purchase. Were the others left out? Without them churn is too low.'),
			(18, f.customers > 0 AND f.last - f.first < 91,
				CASE WHEN f.last - f.first < 28 THEN 'error' ELSE 'warning' END,
				'span too short', f.usable_rows, f.customers,
				format('The purchases are from %s to %s. A model needs three months and more, and some times the usual '
						'time between purchases.', facts ->> 'first', facts ->> 'last')),
			(19, f.gap_days IS NOT NULL AND NOT f.is_rounded, 'warning', 'gap in the data', NULL, NULL,
				format('There is no purchase from %s to %s, where many were to be expected. Was everything loaded?',
					facts ->> 'gap_first', facts ->> 'gap_last')),
			(20, f.is_rounded, 'warning', 'dates rounded', f.purchases, f.customers,
				format('Nearly all purchases are on %s. Take the days of the orders; where there are none, a family of '
						'periods such as bg/bb.',
					CASE WHEN f.on_first >= 0.9 * f.purchases THEN 'the first day of a month'
						WHEN f.on_last >= 0.9 * f.purchases THEN 'the last day of a month'
						ELSE 'one day of the week' END)),
			(21, f.repeaters >= 10 AND f.median_gap <= 2, 'warning', 'days too coarse', f.usable_rows, f.repeaters,
				format('Half of the times between two purchases are at most %s. Purchases of one day count once: rates '
						'of such customers are too low.', CASE f.median_gap WHEN 1 THEN 'a day' ELSE 'two days' END)),
			(22, NOT f.is_rounded AND f.peak_usual >= 30 AND f.peak_repeats >= 1.3 * f.peak_usual
					AND f.peak_repeats - f.peak_usual >= 5 * sqrt(f.peak_usual), 'notice',
				'season present', f.peak_repeats, NULL,
				format('%s has %s times the repeat purchases of the year around it. Fit with season => ''auto'', or '
						'evaluate whole years.',
					to_char(make_date(2000, f.peak_month, 1), 'FMMonth'),
					round((f.peak_repeats / f.peak_usual)::numeric, 1)))
		) AS v (place, found, severity, finding, rows, customers, advice)
		WHERE v.found
	)
	SELECT q.severity, q.finding, q.rows, q.customers, q.advice
	FROM (
		SELECT d.place, d.severity, d.finding, d.rows, d.customers, d.advice FROM found AS d
		UNION ALL
		SELECT 99, 'ok', 'nothing found', f.rows, f.customers,
			format('Purchases from %s to %s. Next: clv_history, clv_fit.', facts ->> 'first', facts ->> 'last')
		FROM fact AS f
		WHERE NOT EXISTS (SELECT FROM found AS d)
	) AS q
	ORDER BY array_position('{error,warning,notice}'::text[], q.severity), q.place;
END;
COMMENT ON FUNCTION clv_internal.clv_check_findings(pg_catalog.jsonb) IS
	'what the facts of a table say of it, the severest first. A part of clv_check';

CREATE FUNCTION @extschema@.clv_check(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
	severity pg_catalog.text,
	finding pg_catalog.text,
	rows pg_catalog.int8,
	customers pg_catalog.int8,
	advice pg_catalog.text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 5
BEGIN ATOMIC
	SELECT f.severity, f.finding, f.rows, f.customers, f.advice
	FROM clv_internal.clv_check_findings(clv_internal.clv_check_facts(source, customer, bought_at, amount)) AS f;
END;
COMMENT ON FUNCTION @extschema@.clv_check(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'what is wrong, or to be known, of a table or view (as SQL names it) or of a query of purchases, before anything '
	'else is done with it: a row a finding, the severest first (error, warning, notice; or one row, ok), with the '
	'number of rows and customers it concerns (NULL where that is no number of them) and what to do about it. Reads '
	'the source once; amount NULL: none';
