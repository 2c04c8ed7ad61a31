-- ---- concentration, lorenz: the share of the most valuable ------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_concentration() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 17
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'concentration', $sql$
		CREATE TABLE {data}.concentration (
			run int8,
			basis varchar(20),
			percentile int4,
			customers int8,
			value numeric(24,2),
			cumulative_customers_share float8,
			cumulative_value_share float8,
			gini float8,
			PRIMARY KEY (run, basis, percentile)
		)
	$sql$, NULL),

	-- one row: what percentiles and tiers of value are read from
	('table', 'ranks', $sql$
		CREATE TABLE {data}.ranks (
			run int8 PRIMARY KEY,
			margin float8 NOT NULL,
			by_purchases bool NOT NULL,
			falling float8[],
			low float8,
			high float8,
			least_loss float8,
			least_gain float8
		)
	$sql$, 'the percentiles of the value of the customers of a run, and with what value lists end'),

	-- Of value, or of purchases where there is no money. falling: the percentiles 99 to 1, below zero, since
	-- width_bucket() counts the limits up to a value, and what is wanted are those below it. {1}: the hundredths, {2},
	-- {3}: of the last customer in the list of losses and in that of gains; NULL where the list is not full
	('rows', 'ranks', $sql$
		SELECT
			($2).run AS run,
			($1).margin AS margin,
			NOT ($2).has_spend AS by_purchases,
			(SELECT array_agg(-s.h[p][5] ORDER BY p) FROM generate_series(2, 100) p) AS falling,
			s.h[101 - ($1).tiers[1]][5] AS low,
			s.h[101 - ($1).tiers[2]][5] AS high,
			{2:L}::float8 AS least_loss,
			{3:L}::float8 AS least_gain
		FROM (VALUES ({1:L}::float8[])) s (h)
	$sql$, NULL),

	-- The customer at place i of n falls into hundredth ceil(100 i / n); with fewer customers than that, some stay
	-- empty. Shares, and what they are shares of, are of what is above zero; the value itself adds up to that of all.
	-- {1}, {2}: the hundredths by past revenue and by value to come
	('sums', 'concentration', $sql$
		WITH hundredths AS (
			SELECT
				b.basis,
				p AS percentile,
				b.h[p][1] AS customers,
				b.h[p][2] AS net,
				b.h[p][3] AS value,
				b.h[p][4] AS weighted
			FROM (VALUES ('past revenue', {1:L}::float8[]), ('future value', {2:L}::float8[])) b (basis, h)
			CROSS JOIN generate_series(1, 100) p
			WHERE b.h IS NOT NULL
		)
		SELECT
			h.basis,
			h.percentile,
			h.customers::int8 AS customers,
			round(h.net::numeric, 2) AS value,
			sum(h.customers) OVER w / sum(h.customers) OVER b AS cumulative_customers_share,
			sum(h.value) OVER w / nullif(sum(h.value) OVER b, 0) AS cumulative_value_share,
			(sum(h.customers) OVER b + 1 - 2 * sum(h.weighted) OVER b / nullif(sum(h.value) OVER b, 0))
				/ sum(h.customers) OVER b AS gini
		FROM hundredths h
		WINDOW b AS (PARTITION BY h.basis), w AS (PARTITION BY h.basis ORDER BY h.percentile)
	$sql$, NULL),

	('view', 'concentration', $sql$
		FROM (
			SELECT
				q.run,
				q.basis,
				(q.percentile + 9) / 10 AS decile,
				sum(q.customers) AS customers,
				sum(q.value) AS value,
				max(q.cumulative_customers_share) AS customers_share,
				max(q.cumulative_value_share) AS value_share,
				max(q.cumulative_value_share) - lag(max(q.cumulative_value_share), 1, 0)
					OVER (PARTITION BY q.run, q.basis ORDER BY (q.percentile + 9) / 10) AS share,
				max(q.gini) AS gini
			FROM {data}.concentration q
			WHERE q.run = (SELECT s.run FROM {data}.state s)
			GROUP BY q.run, q.basis, 3
		) c
	$sql$,
		'Which customers carry the business: tenths of them, the most valuable first, by past revenue and by '
		'value to come. Key: basis, decile'),
	('column', 'basis', 'c.basis', 'past revenue, or future value (clv)'),
	('column', 'decile', 'c.decile', 'tenth of the customers, 1 the most valuable'),
	('column', 'customers', 'c.customers::int8', 'number of customers'),
	('column', 'value', 'c.value::numeric(24,2)',
		'their value, net: all of it is the past_revenue or the clv of equity'),
	('column', 'value_share', 'c.share',
		'their share of all value; negative values count as zero in shares and Gini'),
	('column', 'cumulative_customers_share', 'c.customers_share', 'share of the customers up to this tenth'),
	('column', 'cumulative_value_share', 'c.value_share', 'share of all value up to this tenth'),
	('column', 'gini', 'c.gini', 'Gini coefficient of the whole: 0 all alike, 1 all value with one customer'),

	('view', 'lorenz', $sql$
		FROM {data}.concentration c
		WHERE c.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'The concentration curve: the share of the value that the most valuable 1, 2 ... 100 % of the '
		'customers bring. Key: basis, percentile'),
	('column', 'basis', 'c.basis', 'past revenue, or future value (clv)'),
	('column', 'percentile', 'c.percentile', 'hundredth of the customers, 1 the most valuable'),
	('column', 'cumulative_customers_share', 'c.cumulative_customers_share', 'share of the customers up to here'),
	('column', 'cumulative_value_share', 'c.cumulative_value_share', 'share of all value up to here')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_concentration() IS
	'the table of the concentration of value, what fills it and its views. A part of pipelines';
