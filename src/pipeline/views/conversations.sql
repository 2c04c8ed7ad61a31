-- ---- conversations: customers to talk to ------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_conversations() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 23
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'conversation', $sql$
		CREATE TABLE {data}.conversation (
			run int8,
			number int4,
			{1},
			proposed_on date NOT NULL,
			chosen_by varchar(20) NOT NULL,
			reason_code varchar(20),
			reason varchar(500),
			PRIMARY KEY (run, number)
		)
	$sql$, 'the customers who were proposed for a conversation in the last year'),

	-- Of many customers another part each day. Within each segment and satisfaction two by value and one by chance,
	-- which is drawn from the key and the day: the same customers on the same day. {1}: the customers c, {2}: which
	-- of them are in the part of the day, {3}: the join of the history h of w
	('rows', 'conversation', $sql$
		WITH part AS (
			SELECT
				{c.key},
				c.segment,
				c.group_name,
				coalesce(c.satisfaction, '') AS satisfaction,
				coalesce(clv_internal.clv_double(c.clv), c.expected_purchases) AS value,
				hashint8extended({c.hash}, (($2).as_of - date '2000-01-01')::int8) AS chance
			FROM {1} c
			WHERE {2}
		),
		fresh AS (
			SELECT p.*
			FROM part p
			WHERE NOT EXISTS (
				SELECT
				FROM {data}.conversation t
				JOIN {data}.run r ON r.run = t.run AND r.published_at IS NOT NULL
				WHERE {t=p} AND t.proposed_on <> ($2).as_of AND abs(t.proposed_on - ($2).as_of) < 365
			)
		),
		valued AS (
			SELECT
				f.*,
				row_number() OVER (PARTITION BY f.segment, f.satisfaction
					ORDER BY f.value DESC NULLS LAST, f.chance, {f.key}) AS by_value
			FROM fresh f
		),
		drawn AS (
			SELECT
				v.*,
				row_number() OVER (PARTITION BY v.segment, v.satisfaction, v.by_value <= 2
					ORDER BY v.chance, {v.key}) AS by_chance
			FROM valued v
		),
		chosen AS (
			SELECT
				d.*,
				row_number() OVER (ORDER BY d.segment, d.satisfaction, d.by_value > 2, d.by_value, {d.key}) AS number
			FROM drawn d
			WHERE d.by_value <= 2 OR d.by_chance = 1
		)
		SELECT
			($2).run AS run,
			w.number,
			{w.key},
			($2).as_of AS proposed_on,
			CASE WHEN w.by_value <= 2 THEN 'value' ELSE 'chance' END AS chosen_by,
			e.code AS reason_code,
			e.reason
		FROM chosen w
		{3}
		CROSS JOIN LATERAL @extschema@.clv_explain({model}, h.history, ($2).as_of, NULL::float8[]) e
	$sql$, NULL),

	('view', 'conversations', $sql$
		FROM {data}.conversation l
		JOIN {data}.customer c ON {c=l} AND c.run = {shown}
		WHERE l.run = (SELECT s.run FROM {data}.state s)
	$sql$,
		'Whom to talk to: of every segment and satisfaction two customers by value and one by chance, the same on the '
		'same day, nobody twice within a year, with what to know before the call. Key: number'),
	('column', 'number', 'l.number', 'number in the list, by segment and satisfaction'),
	('key', 'c', NULL, $$a column of the customer's key$$),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'satisfaction', 'c.satisfaction', 'promoter, passive, detractor or unknown; NULL without ratings'),
	('column', 'chosen_by', 'l.chosen_by', 'value, or chance'),
	('column', 'proposed_on', 'l.proposed_on', 'day as of which they were proposed'),
	('column', 'rating', 'c.rating', 'latest rating, 0 to 10; NULL where there is none'),
	('column', 'first_purchase', 'c.first_purchase', 'day of the first purchase'),
	('column', 'last_purchase', 'c.last_purchase', 'day of the last purchase'),
	('column', 'frequency', 'c.frequency', 'number of purchases'),
	('column', 'monetary', 'c.monetary::numeric(24,2)', 'net of all that was spent'),
	('column', 'mean_spend', 'c.mean_spend', 'mean value of a purchase'),
	('column', 'p_alive', 'c.p_alive', 'probability that the customer is still one'),
	('column', 'clv', 'c.clv', 'value expected as things are'),
	('column', 'next_purchase', 'c.next_purchase', 'day by which they have bought again with probability one half'),
	('column', 'reason_code', 'l.reason_code', 'what stands out, in a word: new, late, slower and so on'),
	('column', 'reason', 'l.reason', 'what stands out, in a sentence with numbers'),
	('column', 'group_name', 'c.group_name', 'group of the customer; NULL without group_by'),
	('column', 'customer_key', '{1}', 'the key as text')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_conversations() IS
	'the customers to talk to: their table, what fills it and its view. A part of pipelines';
