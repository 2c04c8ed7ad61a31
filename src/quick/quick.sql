-- ---- the quick look: one call over a table, view or query ------------------------------------------------
--
-- One statement, in clv_quick_customers, reads what the caller names, with the rights and the search_path of the
-- caller. All that follows is static SQL.

-- The day to look from: as_of, or the last purchase up to today; NULL without one. Raises NOTICEs of rows and customers
-- that are left out, and a WARNING of an isolated last day.
CREATE FUNCTION clv_internal.clv_quick_day(
	as_of pg_catalog.date,
	days pg_catalog.date[],
	customers pg_catalog.int8[],
	future pg_catalog.int8,
	never pg_catalog.int8,
	guests pg_catalog.int8
) RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_quick_day(
	pg_catalog.date, pg_catalog.date[], pg_catalog.int8[], pg_catalog.int8, pg_catalog.int8, pg_catalog.int8) IS
	'as_of, or the last of the days, up to today, on which so many customers bought last; says how many customers have '
	'purchases after today (future), how many none (never), and how many rows have no customer (guests), and warns of '
	'an isolated last day. A part of the quick look';

-- ---- reading -----------------------------------------------------------------------------------------------

-- The call that makes a history of the columns of s for time and amount (NULL: without money), cast to the types that
-- it takes. The types are those below domains.
CREATE FUNCTION clv_internal.clv_quick_history_call(
	bought_at pg_catalog.text,
	time_type pg_catalog.regtype,
	amount pg_catalog.text,
	amount_type pg_catalog.regtype
) RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 500
BEGIN ATOMIC
	SELECT format('%s.clv_history(s.%I::pg_catalog.%I', '@extschema@', bought_at, t.typname)
		|| CASE WHEN amount IS NULL THEN ''
			WHEN amount_type = 'float8'::regtype THEN format(', s.%I::pg_catalog.float8', amount)
			ELSE format(', s.%I::pg_catalog.numeric', amount) END
		|| ')'
	FROM pg_type AS t
	WHERE t.oid = time_type;
END;
COMMENT ON FUNCTION clv_internal.clv_quick_history_call(
	pg_catalog.text, pg_catalog.regtype, pg_catalog.text, pg_catalog.regtype) IS
	'the call that makes a history of the columns of s for time and amount (NULL: without money). A part of the quick '
	'look';

-- The hint for a column of another type: a query that casts it, or, where it cannot be cast, to give another one.
CREATE FUNCTION clv_internal.clv_quick_cast_hint(
	title pg_catalog.text,
	column_name pg_catalog.text,
	column_type pg_catalog.oid,
	type pg_catalog.regtype,
	argument pg_catalog.text
) RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 500
RETURN CASE
	WHEN clv_internal.clv_source_can_cast(column_type, ARRAY[type])
	THEN format('A query as source can cast it: SELECT ..., %I::%s AS %s%s.', column_name,
		(SELECT t.typname FROM pg_type AS t WHERE t.oid = type), argument,
		CASE WHEN title <> 'the query' THEN ' FROM ' || title ELSE '' END)
	ELSE format('Give another column as %s.', argument)
END;
COMMENT ON FUNCTION clv_internal.clv_quick_cast_hint(
	pg_catalog.text, pg_catalog.text, pg_catalog.oid, pg_catalog.regtype, pg_catalog.text) IS
	'the hint for a column of another type: a query that casts it, or to give another column. A part of the quick look';

-- What is filled into statements over a table, view or query: its item of FROM, called s, the column of the customer,
-- and the call that makes a history. Raises an error if a column does not exist or is of another type.
CREATE FUNCTION clv_internal.clv_quick_rows(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text
) RETURNS pg_catalog.jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000 AS $$
DECLARE
	relation pg_catalog.record;
	key_column pg_catalog.record;
	bought pg_catalog.record;
	bought_type pg_catalog.regtype;
	paid pg_catalog.record;
	paid_type pg_catalog.regtype;
BEGIN
	relation := clv_internal.clv_source(source);
	key_column := clv_internal.clv_source_column(relation.query, relation.title, 'customer'::pg_catalog.text, customer);
	bought := clv_internal.clv_source_column(relation.query, relation.title, 'bought_at'::pg_catalog.text, bought_at);
	bought_type := clv_internal.clv_source_check_type(relation.title, bought.column_name, bought.column_type,
		pg_catalog.format_type(bought.column_type, bought.column_typmod),
		'{pg_catalog.timestamptz,pg_catalog.timestamp,pg_catalog.date}'::pg_catalog.regtype[],
		'a time'::pg_catalog.text,
		clv_internal.clv_quick_cast_hint(relation.title, bought.column_name, bought.column_type,
			'pg_catalog.timestamptz'::pg_catalog.regtype, 'bought_at'::pg_catalog.text));
	SELECT NULL::pg_catalog.text AS column_name INTO paid;
	IF amount IS NOT NULL THEN
		paid := clv_internal.clv_source_column(relation.query, relation.title, 'amount'::pg_catalog.text, amount);
		paid_type := clv_internal.clv_source_check_type(relation.title, paid.column_name, paid.column_type,
			pg_catalog.format_type(paid.column_type, paid.column_typmod),
			('{pg_catalog.numeric,pg_catalog.float8,pg_catalog.float4,'
				'pg_catalog.int2,pg_catalog.int4,pg_catalog.int8}')::pg_catalog.regtype[],
			'a number'::pg_catalog.text,
			clv_internal.clv_quick_cast_hint(relation.title, paid.column_name, paid.column_type,
				'pg_catalog.numeric'::pg_catalog.regtype, 'amount'::pg_catalog.text));
	END IF;
	RETURN pg_catalog.jsonb_build_object('relation', relation.item, 'customer', key_column.column_name,
		'history', clv_internal.clv_quick_history_call(bought.column_name, bought_type, paid.column_name, paid_type),
		'day', pg_catalog.format(CASE
			WHEN bought_type OPERATOR(pg_catalog.=) 'pg_catalog.timestamptz'::pg_catalog.regtype
			THEN '(s.%I AT TIME ZONE ''UTC'')::pg_catalog.date' ELSE 's.%I::pg_catalog.date' END, bought.column_name),
		'amount', CASE WHEN paid.column_name IS NULL THEN 'NULL::pg_catalog.numeric'
			ELSE pg_catalog.format('s.%I::pg_catalog.numeric', paid.column_name) END,
		'priced', amount IS NOT NULL);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_rows(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'of a table, view or query with its columns checked, what is filled into statements: the item of FROM, called s, '
	'the column of the customer, the call that makes a history of its rows, and the day and amount of one, as '
	'expressions; amount NULL: without money. A part of the quick look';

-- The statement that makes the histories of a table, view or query, to be read and run by people.
CREATE FUNCTION clv_internal.clv_quick_histories(
	source pg_catalog.text, customer pg_catalog.text, bought_at pg_catalog.text, amount pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000 AS $$
BEGIN
	RETURN pg_catalog.btrim(clv_internal.clv_statement($sql$
SELECT s.{customer:I}::pg_catalog.text AS customer_id,
       {history} AS history
FROM {relation} AS s
WHERE s.{customer:I} IS NOT NULL
GROUP BY s.{customer:I}
$sql$, clv_internal.clv_quick_rows(source, customer, bought_at, amount)), E'\n');
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_histories(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the statement that makes the histories of a table, view or query, with its columns checked; rows without a '
	'customer are left out; amount NULL: without money. A part of the quick look';

-- A row per customer, and one for the rows without a customer: the history and the number of rows.
CREATE FUNCTION clv_internal.clv_quick_customers(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text
) RETURNS TABLE (
	customer_id pg_catalog.text,
	history @extschema@.clv_history,
	rows pg_catalog.int8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT s.{customer:I}::pg_catalog.text, {history}, pg_catalog.count(*)
		FROM {relation} AS s
		GROUP BY s.{customer:I}
		$sql$, clv_internal.clv_quick_rows(source, customer, bought_at, amount));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_customers(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the history of each customer of a table, view or query, and how many rows it is made of; NULL is a customer, too. '
	'A part of the quick look';

-- ---- computing ---------------------------------------------------------------------------------------------

-- Raises an error unless model is not NULL and as_of is finite or NULL.
CREATE FUNCTION clv_internal.clv_quick_check(model pg_catalog.text, as_of pg_catalog.date) RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF model IS NULL THEN
		PERFORM clv_internal.clv_raise(
			$message$model must be the name of a family, or 'none', not NULL$message$::text,
			NULL::text,
			NULL::text,
			'null_value_not_allowed'::text);
	END IF;
	PERFORM clv_internal.clv_argument_date('as_of'::text, as_of);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_check(pg_catalog.text, pg_catalog.date) IS
	'an error unless model is not NULL and as_of a finite day or NULL. A part of the quick look';

-- Each customer's history, the model fitted to all of them (NULL: 'none'), and the day to look from. Raises the NOTICEs
-- and WARNINGs of clv_quick_day and of the fit.
CREATE FUNCTION clv_internal.clv_quick_fitted(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text,
	model pg_catalog.text,
	with_spend pg_catalog.bool,
	as_of pg_catalog.date
) RETURNS TABLE (
	customer_id pg_catalog.text,
	history @extschema@.clv_history,
	fitted @extschema@.clv_model,
	day pg_catalog.date
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
BEGIN ATOMIC
	WITH every_customer AS MATERIALIZED (
		SELECT c.customer_id, c.history, c.rows
		FROM clv_internal.clv_quick_customers(source, customer, bought_at, amount) AS c
	), known AS (
		SELECT e.customer_id, e.history
		FROM every_customer AS e
		WHERE e.customer_id IS NOT NULL
	), bought AS (
		SELECT @extschema@.clv_last_purchase(k.history, t.today) AS day,
			@extschema@.clv_last_purchase(k.history) AS ever,
			t.today
		FROM known AS k
		CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS t
	), last AS (
		SELECT b.day,
			count(*) AS customers,
			count(*) FILTER (WHERE b.ever > b.today) AS future,
			count(*) FILTER (WHERE b.ever IS NULL) AS never
		FROM bought AS b
		GROUP BY b.day
	), today AS MATERIALIZED (
		SELECT clv_internal.clv_quick_day(as_of, array_agg(l.day), array_agg(l.customers),
				sum(l.future)::int8, sum(l.never)::int8,
				(SELECT sum(e.rows)::int8 FROM every_customer AS e WHERE e.customer_id IS NULL)) AS day
		FROM last AS l
	), options AS MATERIALIZED (
		SELECT jsonb_build_object('model', model,
				'spend', CASE WHEN with_spend THEN 'gamma/gamma' ELSE 'none' END,
				'as_of', t.day) AS options
		FROM today AS t
	), fit AS MATERIALIZED (
		SELECT CASE WHEN model <> 'none' THEN (
				SELECT @extschema@.clv_fit(k.history, o.options)
				FROM known AS k
				CROSS JOIN options AS o) END AS fitted
	)
	SELECT k.customer_id, k.history, f.fitted, t.day
	FROM known AS k
	CROSS JOIN fit AS f
	CROSS JOIN today AS t;
END;
COMMENT ON FUNCTION clv_internal.clv_quick_fitted(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.bool,
	pg_catalog.date) IS
	'the histories of the customers, the day they are seen from, and the model fitted to them (none: NULL). A part of '
	'the quick look';

-- Each customer's history and scores, the model, and the day to look from.
CREATE FUNCTION clv_internal.clv_quick_scored(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text,
	model pg_catalog.text,
	with_spend pg_catalog.bool,
	as_of pg_catalog.date,
	bins pg_catalog.int4
) RETURNS TABLE (
	customer_id pg_catalog.text,
	history @extschema@.clv_history,
	fitted @extschema@.clv_model,
	day pg_catalog.date,
	scores @extschema@.clv_scores
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
BEGIN ATOMIC
	SELECT f.customer_id, f.history, f.fitted, f.day, @extschema@.rfmtc_score(f.history, f.fitted, f.day, bins) OVER ()
	FROM clv_internal.clv_quick_fitted(source, customer, bought_at, amount, model, with_spend, as_of) AS f;
END;
COMMENT ON FUNCTION clv_internal.clv_quick_scored(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.bool,
	pg_catalog.date, pg_catalog.int4) IS
	'the histories of the customers, the model fitted to them, the day they are seen from, and their scores. A part of '
	'the quick look';

-- The scores of the customers of a table, view or query; NULLs for a customer without a purchase up to as_of.
CREATE FUNCTION @extschema@.rfmtc_score(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text DEFAULT NULL,
	model pg_catalog.text DEFAULT 'mbg/nbd',
	as_of pg_catalog.date DEFAULT NULL,
	bins pg_catalog.int4 DEFAULT 5
) RETURNS TABLE (
	customer_id pg_catalog.text,
	r pg_catalog.int2,
	f pg_catalog.int2,
	m pg_catalog.int2,
	t pg_catalog.int2,
	c pg_catalog.int2,
	v pg_catalog.int2
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000 AS $$
BEGIN
	PERFORM clv_internal.clv_quick_check(model, as_of);
	RETURN QUERY
		SELECT s.customer_id, (s.scores).r, (s.scores).f, (s.scores).m, (s.scores).t, (s.scores).c, (s.scores).v
		FROM clv_internal.clv_quick_scored(source, customer, bought_at, amount, model, amount IS NOT NULL, as_of,
			bins) AS s;
END
$$;
COMMENT ON FUNCTION @extschema@.rfmtc_score(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.date,
	pg_catalog.int4) IS
	'quick look: the scores of the customers of a table or view (as SQL names it) or of a query, given the columns of '
	'customer, time and amount (NULL: none). model: a family to fit on the fly for c and v, ''none'' for neither; '
	'as_of: the last purchase in the data, not later than today, where none is given. Rows without a customer are left '
	'out, and counted in a NOTICE; customers who did not exist yet get NULLs';

-- Raises an error if the model to predict with is 'none'.
CREATE FUNCTION clv_internal.clv_quick_check_family(model pg_catalog.text) RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF model = 'none' THEN
		PERFORM clv_internal.clv_raise('a prediction needs a model'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_check_family(pg_catalog.text) IS
	'an error where the model to predict with is none. A part of the quick look';

-- The predictions for the customers of a table, view or query; NULLs for a customer without a purchase up to as_of.
CREATE FUNCTION @extschema@.clv_predict(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text DEFAULT NULL,
	horizon pg_catalog.interval DEFAULT '1 year',
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	model pg_catalog.text DEFAULT 'mbg/nbd',
	as_of pg_catalog.date DEFAULT NULL,
	level pg_catalog.float8 DEFAULT NULL
) RETURNS TABLE (
	customer_id pg_catalog.text,
	p_alive pg_catalog.float8,
	expected_purchases pg_catalog.float8,
	expected_spend pg_catalog.float8,
	expected_revenue pg_catalog.float8,
	clv pg_catalog.float8,
	lifetime_value pg_catalog.float8,
	next_purchase_value pg_catalog.float8,
	purchases_low pg_catalog.float8,
	purchases_high pg_catalog.float8,
	clv_low pg_catalog.float8,
	clv_high pg_catalog.float8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000 AS $$
BEGIN
	PERFORM clv_internal.clv_quick_check_family(model);
	PERFORM clv_internal.clv_quick_check(model, as_of);
	RETURN QUERY
		SELECT f.customer_id, p.*
		FROM clv_internal.clv_quick_fitted(source, customer, bought_at, amount, model, amount IS NOT NULL, as_of) AS f
		CROSS JOIN LATERAL @extschema@.clv_predict(f.fitted, f.history, horizon, discount_rate, margin, f.day, level,
			NULL::pg_catalog.float8[]) AS p;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_predict(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.text, pg_catalog.date, pg_catalog.float8) IS
	'quick look: fits a model to the customers of a table or view (as SQL names it) or of a query, given the columns '
	'of customer, time and amount (NULL: none), and predicts them; the options are those of clv_predict over a '
	'history. as_of: the last purchase in the data, not later than today, where none is given. Rows without a customer '
	'are left out, and counted in a NOTICE; customers who did not exist yet get NULLs';

-- ---- segments ----------------------------------------------------------------------------------------------

-- The map that a name means: auto is one with the model's scores where there is a model.
CREATE FUNCTION clv_internal.clv_quick_map(map pg_catalog.text, model pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
RETURN CASE WHEN map = 'auto' THEN CASE WHEN model = 'none' THEN 'rfm' ELSE 'rfmtc' END ELSE map END;
COMMENT ON FUNCTION clv_internal.clv_quick_map(pg_catalog.text, pg_catalog.text) IS
	'the map that a name means: auto stands for rfmtc, or for rfm without a model. A part of the quick look';

-- The inputs of a map: a model, one with a spend part, attributes or values. Raises an error if it is NULL, written
-- for other bins, or asks for an attribute that does not follow from purchases.
CREATE FUNCTION clv_internal.clv_quick_map_needs(
	map pg_catalog.text,
	bins pg_catalog.int4,
	OUT with_model pg_catalog.bool,
	OUT with_spend pg_catalog.bool,
	OUT with_attributes pg_catalog.bool
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	attribute text;
BEGIN
	IF map IS NULL THEN
		PERFORM clv_internal.clv_raise('map must be the name of a segment map or a rule list, not NULL'::text,
			NULL::text,
			NULL::text,
			'null_value_not_allowed'::text);
	END IF;
	PERFORM clv_internal.clv_segment_bins(map, bins);
	SELECT coalesce(bool_or(CASE i.kind
				WHEN 'score' THEN i.name IN ('c', 'v')
				WHEN 'value' THEN i.name NOT IN ('recency', 'frequency', 'monetary', 'tenure') END), false),
		coalesce(bool_or(i.kind = 'score' AND i.name = 'v' OR i.kind = 'value'
			AND i.name IN ('expected_revenue', 'clv', 'next_purchase_value', 'total_value')), false),
		-- P(alive) comes with the scores
		coalesce(bool_or(i.kind = 'attribute' OR i.kind = 'value' AND i.name NOT IN ('p_alive', 'churn')), false),
		min(i.name) FILTER (WHERE i.kind = 'attribute' AND i.name NOT IN ('cumulative_share', 'trend'))
	INTO with_model, with_spend, with_attributes, attribute
	FROM @extschema@.clv_segment_inputs(map) AS i;
	IF attribute IS NOT NULL THEN
		PERFORM clv_internal.clv_raise(format('attribute "%s" cannot be computed from purchases', attribute),
			'The quick look computes the attributes cumulative_share and trend.'::text,
			'Give it yourself: segment_assign(scores, map, attributes).'::text,
			'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_quick_map_needs(pg_catalog.text, pg_catalog.int4) IS
	'what a map asks of the quick look: a model, one with a spend part, attributes or values; an error where it is '
	'NULL, written for other bins, or asks for attributes that purchases do not tell. A part of the quick look';

-- The values that rules may test, of a customer as of a day, over the coming year; those that need a model are NULL
-- without one.
CREATE FUNCTION clv_internal.clv_quick_values(
	history @extschema@.clv_history, fitted @extschema@.clv_model, day pg_catalog.date)
RETURNS pg_catalog.jsonb
LANGUAGE sql STABLE PARALLEL SAFE COST 200
BEGIN ATOMIC
	SELECT jsonb_build_object(
			'recency', r.recency,
			'frequency', r.frequency,
			'monetary', r.monetary,
			'tenure', r.tenure,
			'expected_purchases', p.expected_purchases,
			'expected_revenue', p.expected_revenue,
			'clv', p.clv,
			'total_value', r.monetary::float8 + p.clv,
			'next_purchase_value', p.next_purchase_value,
			'active_30d',
			@extschema@.clv_active_probability(fitted, history, '30 days'::interval, day, NULL::float8[]),
			'active_90d',
			@extschema@.clv_active_probability(fitted, history, '90 days'::interval, day, NULL::float8[]))
	FROM @extschema@.rfmtc(history, day, fitted) AS r
	CROSS JOIN LATERAL @extschema@.clv_predict(fitted, history, '1 year'::interval, 0::float8, 1::float8, day,
		NULL::float8, NULL::float8[]) AS p;
END;
COMMENT ON FUNCTION clv_internal.clv_quick_values(
	@extschema@.clv_history, @extschema@.clv_model, pg_catalog.date) IS
	'the values that rules of a map may test, of a customer as of a day, over the coming year, as an object; those '
	'that need a model are NULL without one. A part of the quick look';

-- The segments of customers under a map that asks for attributes or values: cumulative_share is the share of the
-- revenue that those with a higher spend bring, trend the difference between the purchases in the younger and in the
-- older half of the time since the first, over both.
CREATE FUNCTION clv_internal.clv_quick_segments(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text,
	model pg_catalog.text,
	with_spend pg_catalog.bool,
	as_of pg_catalog.date,
	bins pg_catalog.int4,
	map pg_catalog.text
) RETURNS TABLE (
	customer_id pg_catalog.text,
	segment pg_catalog.text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
BEGIN ATOMIC
	WITH measured AS (
		SELECT s.customer_id,
			s.history,
			s.fitted,
			s.day,
			s.scores,
			CASE WHEN @extschema@.clv_purchases(s.history, s.day) > 0
				THEN greatest(@extschema@.clv_total_spend(s.history, s.day), 0::numeric)
				ELSE 0::numeric END AS spend,
			@extschema@.clv_purchases(s.history, s.day) AS purchases,
			@extschema@.clv_purchases_between(s.history, @extschema@.clv_first_purchase(s.history, s.day)
				+ (s.day - @extschema@.clv_first_purchase(s.history, s.day)) / 2, s.day) AS younger
		FROM clv_internal.clv_quick_scored(source, customer, bought_at, amount, model, with_spend, as_of, bins) AS s
	)
	SELECT m.customer_id,
		@extschema@.segment_assign(m.scores, map, jsonb_build_object(
			'cumulative_share', CASE WHEN sum(m.spend) OVER () > 0::numeric
				THEN (sum(m.spend) OVER (ORDER BY m.spend DESC) - sum(m.spend) OVER (PARTITION BY m.spend))
					/ sum(m.spend) OVER ()
				ELSE 0::numeric END,
			'trend', clv_internal.clv_ratio((2 * m.younger - m.purchases)::float8, m.purchases::float8))
			|| clv_internal.clv_quick_values(m.history, m.fitted, m.day))
	FROM measured AS m;
END;
COMMENT ON FUNCTION clv_internal.clv_quick_segments(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.bool,
	pg_catalog.date, pg_catalog.int4, pg_catalog.text) IS
	'the segments of the customers under a map, with the values that rules may test and the attributes '
	'cumulative_share and trend computed. A part of the quick look';

-- The segments of the customers of a table, view or query; NULL for a customer without a purchase up to as_of.
CREATE FUNCTION @extschema@.segment_assign(
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text DEFAULT NULL,
	map pg_catalog.text DEFAULT 'auto',
	model pg_catalog.text DEFAULT 'mbg/nbd',
	as_of pg_catalog.date DEFAULT NULL,
	bins pg_catalog.int4 DEFAULT 5
) RETURNS TABLE (
	customer_id pg_catalog.text,
	segment pg_catalog.text
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000 AS $$
DECLARE
	needs pg_catalog.record;
	family pg_catalog.text;
	with_spend pg_catalog.bool;
BEGIN
	map := clv_internal.clv_quick_map(map, model);
	needs := clv_internal.clv_quick_map_needs(map, bins);
	family := CASE WHEN needs.with_model THEN model ELSE 'none' END;
	with_spend := amount IS NOT NULL AND needs.with_spend;
	PERFORM clv_internal.clv_quick_check(family, as_of);
	IF needs.with_attributes THEN
		RETURN QUERY
			SELECT s.customer_id, s.segment
			FROM clv_internal.clv_quick_segments(source, customer, bought_at, amount, family, with_spend, as_of,
				bins, map) AS s;
	ELSE
		RETURN QUERY
			SELECT s.customer_id, @extschema@.segment_assign(s.scores, map, NULL::pg_catalog.jsonb)
			FROM clv_internal.clv_quick_scored(source, customer, bought_at, amount, family, with_spend, as_of,
				bins) AS s;
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.segment_assign(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text,
	pg_catalog.date, pg_catalog.int4) IS
	'quick look: the segments of the customers of a table or view (as SQL names it) or of a query, given the columns '
	'of customer, time and amount (NULL: none), under a map or rule list; auto: rfmtc, or rfm where model is none. A '
	'model is fitted only where the map asks for what it predicts; the attributes cumulative_share and trend, and the '
	'values that rules test, are computed. as_of: the last purchase in the data, not later than today, where none is '
	'given. Rows without a customer are left out, and counted in a NOTICE; customers '
	'who did not exist yet get NULL. A map written for other bins is an error';
