-- ---- winback: customers to win back -----------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_winback() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 15
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'winback', $sql$
		CREATE TABLE {data}.winback (
			run int8,
			rank int4,
			{1},
			value_if_active numeric(24,2),
			value_at_risk numeric(24,2),
			PRIMARY KEY (run, rank)
		)
	$sql$, NULL),

	-- a customer without money in their model is ranked by purchases. {1}: the customers c
	('rows', 'winback', $sql$
		WITH losses AS (
			SELECT
				{c.key},
				c.clv,
				c.p_alive,
				clv_internal.clv_pipeline_loss(c.clv, c.expected_purchases, c.p_alive) AS loss
			FROM {1} c
		),
		worst AS (
			SELECT *
			FROM losses q
			WHERE q.loss > 0
			ORDER BY q.loss DESC, {q.key}
			LIMIT ($1).list_size
		)
		SELECT
			($2).run AS run,
			row_number() OVER (ORDER BY q.loss DESC, {q.key}) AS rank,
			{q.key},
			a.value AS value_if_active,
			a.value - q.clv AS value_at_risk
		FROM worst q
		CROSS JOIN LATERAL clv_internal.clv_cents(q.clv::float8 / q.p_alive) a (value)
	$sql$, NULL),

	('view', 'winback', $sql$
		FROM {data}.winback l
		JOIN {data}.customer c ON {c=l} AND c.run = {shown}
		WHERE l.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Valuable customers who have probably gone: P(alive) below one half, by what is lost with them. Key: rank'),
	('column', 'rank', 'l.rank', '1 for the largest loss'),
	('key', 'c', NULL, $$a column of the customer's key$$),
	('column', 'last_purchase', 'c.last_purchase', 'day of the last purchase'),
	('column', 'frequency', 'c.frequency', 'number of purchases'),
	('column', 'monetary', 'c.monetary::numeric(24,2)', 'net of all that was spent'),
	('column', 'p_alive', 'c.p_alive', 'probability that the customer is still one'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'clv', 'c.clv', 'value expected as things are'),
	('column', 'value_if_active', 'l.value_if_active', 'what clv were if the customer had not left'),
	('column', 'value_at_risk', 'l.value_at_risk', 'the difference: what is lost if they have'),
	('column', 'customer_key', '{1}', 'the key as text')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_winback() IS
	'the list of customers to win back: its table, what fills it and its view. A part of pipelines';
