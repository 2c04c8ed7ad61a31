-- ---- new_customer: what a customer to be acquired is worth ------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_new_customer() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 8
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'new_customer', $sql$
		CREATE TABLE {data}.new_customer (
			run int8,
			expected_purchases float8,
			first_purchase_value numeric(24,2),
			repeat_value numeric(24,2),
			max_acquisition_cost numeric(24,2),
			group_name varchar(200) DEFAULT '',
			PRIMARY KEY (run, group_name)
		)
	$sql$, NULL),

	-- in cents that add up; of each model that has no row yet
	('rows', 'new_customer', $sql$
		SELECT
			q.run,
			clv_internal.clv_finite(n.expected_purchases) AS expected_purchases,
			m.first AS first_purchase_value,
			m.repeat AS repeat_value,
			m.first + m.repeat AS max_acquisition_cost,
			q.group_name
		FROM {data}.model q
		CROSS JOIN LATERAL @extschema@.clv_new_customer(
			clv_internal.clv_pipeline_ahead(q.model, ($2).calendar), ($1).horizon, ($1).discount_rate, ($1).margin,
			NULL::float8[], NULL::date) n
		CROSS JOIN LATERAL (
			SELECT
				clv_internal.clv_cents(n.first_purchase_value) AS first,
				clv_internal.clv_cents(n.repeat_value) AS repeat
		) m
		WHERE q.run = ($2).model_run
		  AND NOT EXISTS (
			SELECT
			FROM {data}.new_customer b
			WHERE b.run = q.run AND b.group_name = q.group_name
		  )
	$sql$, NULL),

	('view', 'new_customer', $sql$
		FROM {data}.new_customer c
		WHERE c.run = (SELECT s.model_run FROM {data}.run s
		JOIN {data}.state t USING (run)) AND c.group_name = ''
	$sql$,
		'What a customer yet to be acquired is worth, and what an acquisition may cost, in one row'),
	('column', 'expected_purchases', 'c.expected_purchases',
		'expected repeat purchases in the horizon after the first'),
	('column', 'first_purchase_value', 'c.first_purchase_value', 'margin of the first purchase'),
	('column', 'repeat_value', 'c.repeat_value', 'discounted margin of the repeat purchases'),
	('column', 'max_acquisition_cost', 'c.max_acquisition_cost',
		'their sum: an acquisition that costs more does not pay within the horizon')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_new_customer() IS
	'the table of what a new customer is worth, what fills it and its view. A part of pipelines';
