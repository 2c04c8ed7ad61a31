-- ---- customers: one row a customer ------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_customers() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 48
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'customer', $sql$
		CREATE TABLE {data}.customer (
			run int8 NOT NULL,
			{1},
			first_purchase date NOT NULL,
			last_purchase date NOT NULL,
			cohort_month date NOT NULL,
			recency int4 NOT NULL,
			frequency int4 NOT NULL,
			monetary numeric,
			tenure int4 NOT NULL,
			churn float8,
			recency_score int2,
			frequency_score int2,
			monetary_score int2,
			tenure_score int2,
			churn_score int2,
			value_score int2,
			segment varchar(200) NOT NULL,
			p_alive float8,
			expected_purchases float8,
			expected_spend numeric(24,2),
			expected_revenue numeric(24,2),
			clv numeric(24,2),
			lifetime_value numeric(24,2),
			next_purchase_value numeric(24,2),
			purchases_low float8,
			purchases_high float8,
			clv_low numeric(24,2),
			clv_high numeric(24,2),
			rating int2,
			satisfaction varchar(20),
			value_segment varchar(200),
			mean_spend numeric(24,2),
			active_30d float8,
			active_90d float8,
			next_purchase date,
			lapse_date date,
			from_segment varchar(200),
			from_clv numeric(24,2),
			group_name varchar(200),
			history @extschema@.clv_history,
			PRIMARY KEY ({key}, run)
		) PARTITION BY LIST (run)
	$sql$, 'the customers as each run found them: the current one, the one before'),

	-- Every partition has it, so it need not begin with the run. By value, with the segment to look at: one index for
	-- all customers and for those of a segment, since sorting by segment first takes twice as long.
	('setup', 'customer',
		$sql$CREATE INDEX customer_value ON {data}.customer (clv DESC, segment)$sql$, NULL),

	('setup', 'customer',
		$sql$CREATE TABLE {data}.customer_rest PARTITION OF {data}.customer DEFAULT$sql$, NULL),

	-- Its types are exactly those of the table. Its order is that of the partition that it makes: first what sums,
	-- lists and the next run read of all customers, as a row is taken apart up to the last column that is asked for.
	-- {1}, {2}: the segment and the value segment of a customer q, {3}: the join of their attributes a; {4}, {5}: a
	-- fence around what is computed of histories h, ratings g and shares w of the revenue before theirs; {6}: their
	-- key; {7}: takes the row of a customer apart, which clv_pipeline_load does in less time; {8}: predictions that the
	-- map asks for. {model}, {cuts}, {group}: of the group of the customer. The columns from_segment, from_clv and
	-- history are for later steps, and for the next run: no view shows them. run is that which wrote the customers, see
	-- clv_pipeline_exchange_customers().
	('rows', 'customer', $sql$
		SELECT
			($2).run AS run,
			{6},
			coalesce({1}, '(none)')::varchar(200) AS segment,
			q.history,
			q.from_segment,
			q.from_clv,
			{group}::varchar(200) AS group_name,
			(q.measured){7},
			(q.scores).r AS recency_score,
			(q.scores).f AS frequency_score,
			(q.scores).m AS monetary_score,
			(q.scores).t AS tenure_score,
			(q.scores).c AS churn_score,
			(q.scores).v AS value_score,
			q.rating,
			q.satisfaction::varchar(20) AS satisfaction,
			({2})::varchar(200) AS value_segment
		FROM {4}
			SELECT
				h.*,
				clv_internal.clv_pipeline_customer({model}, h.history, ($1).horizon, ($1).discount_rate, ($1).margin,
					($2).as_of, ($1).level, NULL::float8[]) AS measured,
				@extschema@.rfmtc_score(h.history, {cuts}, ($2).as_of) AS scores,
				{8} AS prediction,
				g.rating::int2 AS rating,
				CASE
					WHEN ($1).rating_source IS NULL THEN NULL
					WHEN g.rating IS NULL THEN 'unknown'
					WHEN g.rating > 8.5 THEN 'promoter'
					WHEN g.rating > 6.5 THEN 'passive'
					ELSE 'detractor'
				END AS satisfaction,
				w.cumulative_share
		{5} q
		{3}
		WHERE NOT q.measured IS NULL
	$sql$, NULL),

	('view', 'customers', $sql$
		FROM {data}.customer c
		LEFT JOIN {data}.ranks k ON k.run = (SELECT s.run FROM {data}.state s)
		CROSS JOIN LATERAL (
			SELECT CASE WHEN k.by_purchases THEN c.expected_purchases ELSE c.clv::float8 END AS value
		) v
		WHERE c.run = {shown}
	$sql$,
		'One row a customer: what they did, what is expected of them, their scores and their segment. '
		'Key: the first columns'),
	('key', 'c', NULL, $$a column of the customer's key$$),
	('column', 'first_purchase', 'c.first_purchase', 'day of the first purchase'),
	('column', 'last_purchase', 'c.last_purchase', 'day of the last purchase'),
	('column', 'cohort_month', 'c.cohort_month', 'first day of the month of the first purchase'),
	('column', 'recency', 'c.recency', 'days since the last purchase'),
	('column', 'frequency', 'c.frequency', 'number of purchases'),
	('column', 'monetary', 'c.monetary::numeric(24,2)',
		'net of all that was spent, refunds taken off; NULL where no amount is known'),
	('column', 'tenure', 'c.tenure', 'days since the first purchase'),
	('column', 'churn', 'c.churn', 'probability that the customer has left for good, 0 to 1'),
	('column', 'recency_score', 'c.recency_score', 'score of recency, 1 (worst) to the number of bins (best)'),
	('column', 'frequency_score', 'c.frequency_score',
		'score of frequency, 1 (worst) to the number of bins (best)'),
	('column', 'monetary_score', 'c.monetary_score',
		'score of monetary value, 1 (worst) to the number of bins (best)'),
	('column', 'tenure_score', 'c.tenure_score', 'score of tenure, 1 (shortest) to the number of bins (longest)'),
	('column', 'churn_score', 'c.churn_score', 'score of churn, 1 (probably gone) to the number of bins (surely here)'),
	('column', 'value_score', 'c.value_score',
		'score of the value expected of the next year, 1 (worst) to the number of bins (best)'),
	('column', 'segment', 'c.segment', $$segment of the pipeline's map$$),
	('column', 'p_alive', 'c.p_alive', 'probability that the customer is still one, 0 to 1'),
	('column', 'expected_purchases', 'c.expected_purchases', 'expected number of purchases in the horizon'),
	('column', 'expected_spend', 'c.expected_spend', 'expected value of one purchase'),
	('column', 'expected_revenue', 'c.expected_revenue', 'expected revenue of the horizon, undiscounted'),
	('column', 'clv', 'c.clv', 'expected revenue of the horizon, discounted, times the margin'),
	('column', 'lifetime_value', 'c.lifetime_value',
		'the same without end; NULL where nothing is discounted, or the sum diverges'),
	('column', 'next_purchase_value', 'c.next_purchase_value',
		'P(alive) times what a purchase today would add to clv: an association, not the effect of a campaign'),
	('column', 'purchases_low', 'c.purchases_low',
		'lower end of the interval of purchases in the horizon; NULL without a level'),
	('column', 'purchases_high', 'c.purchases_high',
		'upper end of the interval of purchases in the horizon; NULL without a level'),
	('column', 'clv_low', 'c.clv_low', 'lower end of the interval of clv; NULL without a level'),
	('column', 'clv_high', 'c.clv_high', 'upper end of the interval of clv; NULL without a level'),
	('column', 'rating', 'c.rating', 'latest rating, 0 to 10; NULL where there is none'),
	('column', 'satisfaction', 'c.satisfaction',
		'promoter (9, 10), passive (7, 8), detractor (0 to 6) or unknown; NULL without ratings'),
	('column', 'value_segment', 'c.value_segment', 'segment of the map "value x satisfaction"; NULL without ratings'),
	('column', 'mean_gap', '(c.last_purchase - c.first_purchase)::float8 / nullif(c.frequency - 1, 0)',
		'mean number of days between two purchases; NULL with one'),
	('column', 'mean_spend', 'c.mean_spend', 'mean value of a purchase'),
	('column', 'total_value', '(c.monetary * k.margin::numeric + c.clv)::numeric(24,2)',
		'what they have brought and will: monetary times the margin, and clv'),
	('column', 'value_percentile', '(99 - width_bucket(-v.value, k.falling))',
		'hundredths of the customers with less clv, 0 to 99; of less expected purchases where there is no money'),
	('column', 'tier', $sql$
		(CASE
			WHEN v.value > k.high THEN 'high'
			WHEN v.value <= k.low THEN 'low'
			WHEN v.value IS NOT NULL THEN 'medium'
		END)::varchar(20)
	$sql$, 'low where value_percentile is below the lower of the pipeline''s tiers, high from the upper one on, else '
		'medium'),
	('column', 'active_30d', 'c.active_30d',
		'probability of a purchase in the next 30 days; NULL of models of whole periods'),
	('column', 'active_90d', 'c.active_90d',
		'probability of a purchase in the next 90 days; NULL of models of whole periods'),
	('column', 'next_purchase', 'c.next_purchase',
		'day by which a customer who is still one has bought again with probability one half; NULL: never'),
	('column', 'lapse_date', 'c.lapse_date',
		'day on which P(alive) falls below one half if no purchase comes; it may be past; NULL: never'),
	('column', 'group_name', 'c.group_name', 'group, whose model and scores these are; NULL without group_by'),
	('column', 'reason', '{2}',
		'why the model says so, made when it is read: a sentence with numbers'),
	('column', 'customer_key', '{1}',
		'the key as text, for tools that cannot hold every number: different for different customers')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_customers() IS
	'the table of the customers, what fills it and its view. A part of pipelines';
