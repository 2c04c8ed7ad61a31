-- ---- next_best: for which customers one more purchase gains most ------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_next_best() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 12
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'next_best', $sql$
		CREATE TABLE {data}.next_best (
			run int8,
			rank int4,
			{1},
			PRIMARY KEY (run, rank)
		)
	$sql$, NULL),

	-- {1}: the customers c
	('rows', 'next_best', $sql$
		WITH best AS (
			SELECT {c.key}, c.next_purchase_value
			FROM {1} c
			WHERE c.next_purchase_value > 0
			ORDER BY c.next_purchase_value DESC, {c.key}
			LIMIT ($1).list_size
		)
		SELECT
			($2).run AS run,
			row_number() OVER (ORDER BY c.next_purchase_value DESC, {c.key}) AS rank,
			{c.key}
		FROM best c
	$sql$, NULL),

	('view', 'next_best', $sql$
		FROM {data}.next_best l
		JOIN {data}.customer c ON {c=l} AND c.run = {shown}
		WHERE l.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Customers for whom one more purchase goes along with the largest gain in value. An association, '
		'not the effect of a campaign. Key: rank'),
	('column', 'rank', 'l.rank', '1 for the largest gain'),
	('key', 'c', NULL, $$a column of the customer's key$$),
	('column', 'last_purchase', 'c.last_purchase', 'day of the last purchase'),
	('column', 'frequency', 'c.frequency', 'number of purchases'),
	('column', 'p_alive', 'c.p_alive', 'probability that the customer is still one'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'clv', 'c.clv', 'value expected as things are'),
	('column', 'next_purchase_value', 'c.next_purchase_value', 'P(alive) times what a purchase today would add to clv'),
	('column', 'customer_key', '{1}', 'the key as text')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_next_best() IS
	'the list of the largest gains from one more purchase: its table, what fills it and its view. A part of pipelines';
