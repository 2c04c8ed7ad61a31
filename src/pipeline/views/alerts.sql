-- ---- alerts: customers to write to before they lapse ------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_alerts() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 18
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'alert', $sql$
		CREATE TABLE {data}.alert (
			run int8,
			rank int4,
			{1},
			reason_code varchar(20),
			reason varchar(500),
			PRIMARY KEY (run, rank)
		)
	$sql$, NULL),

	-- A customer without money in their model is ranked by purchases. {1}: the customers c, {2}: the join of the
	-- history h of w
	('rows', 'alert', $sql$
		WITH worst AS (
			SELECT {c.key}, c.group_name, coalesce(clv_internal.clv_double(c.clv), c.expected_purchases) AS value
			FROM {1} c
			WHERE c.lapse_date > ($2).as_of AND c.lapse_date <= ($2).as_of + 30
			ORDER BY value DESC, {c.key}
			LIMIT ($1).list_size
		)
		SELECT
			($2).run AS run,
			row_number() OVER (ORDER BY w.value DESC, {w.key}) AS rank,
			{w.key},
			e.code AS reason_code,
			e.reason
		FROM worst w
		{2}
		CROSS JOIN LATERAL @extschema@.clv_explain({model}, h.history, ($2).as_of, NULL::float8[]) e
	$sql$, NULL),

	('view', 'alerts', $sql$
		FROM {data}.alert l
		JOIN {data}.customer c ON {c=l} AND c.run = {shown}
		WHERE l.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Customers whose P(alive) falls below one half within the next 30 days unless they buy, the most valuable '
		'first: act before the lapse date. Key: rank'),
	('column', 'rank', 'l.rank', '1 for the most valuable'),
	('key', 'c', NULL, $$a column of the customer's key$$),
	('column', 'lapse_date', 'c.lapse_date', 'day on which P(alive) falls below one half if no purchase comes'),
	('column', 'last_purchase', 'c.last_purchase', 'day of the last purchase'),
	('column', 'frequency', 'c.frequency', 'number of purchases'),
	('column', 'monetary', 'c.monetary::numeric(24,2)', 'net of all that was spent'),
	('column', 'p_alive', 'c.p_alive', 'probability that the customer is still one'),
	('column', 'active_30d', 'c.active_30d', 'probability of a purchase in the next 30 days'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'clv', 'c.clv', 'value expected as things are'),
	('column', 'reason_code', 'l.reason_code', 'why, in a word: active, late, slower and so on'),
	('column', 'reason', 'l.reason', 'why, in a sentence with numbers'),
	('column', 'group_name', 'c.group_name', 'group of the customer; NULL without group_by'),
	('column', 'customer_key', '{1}', 'the key as text')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_alerts() IS
	'the list of customers who lapse within 30 days: its table, what fills it and its view. A part of pipelines';
