-- ---- reading the histories of the caller ----------------------------------------------------------------
--
-- Each statement is written whole; {histories} is the caller's table, view or query. What it computes about a customer
-- are calls of functions, with arguments of their exact types, so that no search_path can change what it means.

-- The statement that reads the columns history and covariates (NULL without a column of them) of a table, view or
-- query. Raises an error if there is no such relation or column, or the column is of another type.
CREATE FUNCTION clv_internal.clv_validate_histories(
	source pg_catalog.text, history pg_catalog.text, covariates pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 AS $$
DECLARE
	relation pg_catalog.record;
	histories pg_catalog.record;
	vectors pg_catalog.record;
	vector pg_catalog.text := 'NULL';
BEGIN
	relation := clv_internal.clv_source(source);
	histories := clv_internal.clv_source_column(relation.query, relation.title, 'history'::pg_catalog.text, history);
	PERFORM clv_internal.clv_source_check_type(relation.title, histories.column_name, histories.column_type,
		pg_catalog.format_type(histories.column_type, histories.column_typmod),
		ARRAY['@extschema@.clv_history'::pg_catalog.regtype], 'clv_history'::pg_catalog.text,
		('Make the histories first: CREATE TABLE customer AS SELECT customer_id, '
			'clv_history(bought_at, amount) AS history FROM orders GROUP BY customer_id.')::pg_catalog.text);
	IF covariates IS NOT NULL THEN
		vectors := clv_internal.clv_source_column(relation.query, relation.title, 'covariates'::pg_catalog.text,
			covariates);
		PERFORM clv_internal.clv_source_check_type(relation.title, vectors.column_name, vectors.column_type,
			pg_catalog.format_type(vectors.column_type, vectors.column_typmod),
			('{pg_catalog.float8[],pg_catalog.float4[],pg_catalog.numeric[],'
				'pg_catalog.int2[],pg_catalog.int4[],pg_catalog.int8[]}')::pg_catalog.regtype[],
			'an array of numbers'::pg_catalog.text,
			'A view can make one: ARRAY[female::int, age] AS covariates.'::pg_catalog.text);
		vector := pg_catalog.format('s.%I', vectors.column_name);
	END IF;
	RETURN clv_internal.clv_statement($sql$
		SELECT s.{history:I}::@extschema@.clv_history AS history,
			{vector}::pg_catalog.float8[] AS covariates
		FROM {relation} AS s
		$sql$, pg_catalog.jsonb_build_object('history', histories.column_name, 'vector', vector,
			'relation', relation.item));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_histories(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the statement that reads the histories and covariates (NULL: none) of a table or view by name, with the columns '
	'checked. A part of validation';

-- Fits a model to the histories with the given options, and says when the last purchase of all was.
CREATE FUNCTION clv_internal.clv_validate_fit(
	histories pg_catalog.text,
	options pg_catalog.jsonb,
	with_covariates pg_catalog.bool,
	OUT fitted @extschema@.clv_model,
	OUT last_purchase pg_catalog.date
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 AS $$
BEGIN
	EXECUTE clv_internal.clv_statement(CASE WHEN with_covariates THEN $sql$
		SELECT @extschema@.clv_fit(h.history, $1, h.covariates),
			pg_catalog.max(@extschema@.clv_last_purchase(h.history))
		FROM ({histories}) AS h
		$sql$ ELSE $sql$
		SELECT @extschema@.clv_fit(h.history, $1),
			pg_catalog.max(@extschema@.clv_last_purchase(h.history))
		FROM ({histories}) AS h
		$sql$ END::pg_catalog.text, pg_catalog.jsonb_build_object('histories', histories))
		INTO fitted, last_purchase
		USING options;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_fit(pg_catalog.text, pg_catalog.jsonb, pg_catalog.bool) IS
	'the model fitted to histories with these options, with or without their covariates, and the day of the last '
	'purchase of all. A part of validation';

-- How many customers have a purchase up to as_of, the first such day of all, and the day of the last purchase of all.
CREATE FUNCTION clv_internal.clv_validate_extent(
	histories pg_catalog.text,
	as_of pg_catalog.date,
	OUT customers pg_catalog.int8,
	OUT first_purchase pg_catalog.date,
	OUT last_purchase pg_catalog.date
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 AS $$
BEGIN
	EXECUTE clv_internal.clv_statement($sql$
		SELECT pg_catalog.count(@extschema@.clv_first_purchase(h.history, $1)),
			pg_catalog.min(@extschema@.clv_first_purchase(h.history, $1)),
			pg_catalog.max(@extschema@.clv_last_purchase(h.history))
		FROM ({histories}) AS h
		$sql$, pg_catalog.jsonb_build_object('histories', histories))
		INTO customers, first_purchase, last_purchase
		USING as_of;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_extent(pg_catalog.text, pg_catalog.date) IS
	'how many customers have a purchase up to as_of, the first such day of all (NULL without one), and the day of the '
	'last purchase of all. A part of validation';

-- Here and below: OFFSET '0' keeps what a subquery computes from being computed for each of its columns. The planner
-- sees that it is none, and lets workers compute it.

-- A row per history: what the model predicts for the hold-out, and what the customer did in it and before it.
-- Predictions are NULL where there is no purchase up to since, revenue also where the model has no spend part.
CREATE FUNCTION clv_internal.clv_validate_predictions(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	span pg_catalog.interval,
	since pg_catalog.date,
	until pg_catalog.date,
	periods pg_catalog.int4
) RETURNS TABLE (
	predicted pg_catalog.float8,
	actual pg_catalog.int4,
	before pg_catalog.int4,
	promised pg_catalog.float8,
	earned pg_catalog.numeric
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT c.predicted,
			CASE WHEN c.predicted IS NOT NULL THEN c.actual END,
			CASE WHEN c.predicted IS NOT NULL THEN c.before END,
			CASE WHEN c.spent IS NOT NULL THEN c.promised END,
			CASE WHEN c.promised IS NOT NULL THEN c.spent END
		FROM (
			SELECT (p.prediction).expected_purchases AS predicted,
				(p.prediction).expected_revenue AS promised,
				p.actual,
				p.before,
				CASE WHEN p.actual OPERATOR(pg_catalog.=) 0 THEN coalesce(p.spent, 0::pg_catalog.numeric)
					ELSE p.spent END AS spent
			FROM (
				SELECT @extschema@.clv_predict($1, h.history, $2, 0::pg_catalog.float8, 1::pg_catalog.float8, $3,
						NULL::pg_catalog.float8, h.covariates) AS prediction,
					clv_internal.clv_validate_purchases($1, h.history, $3, $5) AS actual,
					clv_internal.clv_validate_purchases($1, h.history, $3, $6) AS before,
					@extschema@.clv_spend_between(h.history, $3, $4) AS spent
				FROM ({histories}) AS h
				OFFSET '0'
			) AS p
		) AS c
		$sql$, pg_catalog.jsonb_build_object('histories', histories))
		USING model, span, since, until, periods, pg_catalog.int4um(periods);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_predictions(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.interval, pg_catalog.date, pg_catalog.date, pg_catalog.int4) IS
	'for each history the purchases that the model predicts for the hold-out (since, until], those in it and those in '
	'as long a time before it, NULL where the customer came later; the revenue that the model predicts, and the actual '
	'one, NULL unless both are known. A part of validation';

-- A row per history with a purchase up to since: the repeat purchases up to then, the predictions of a back-test, and
-- the probability of no purchase in the hold-out, which is NULL unless asked for.
CREATE FUNCTION clv_internal.clv_validate_frequencies(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	span pg_catalog.interval,
	since pg_catalog.date,
	periods pg_catalog.int4,
	with_probability pg_catalog.bool
) RETURNS TABLE (
	repeats pg_catalog.int4,
	p_alive pg_catalog.float8,
	predicted pg_catalog.float8,
	no_purchase pg_catalog.float8,
	actual pg_catalog.int4
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT c.repeats,
			(c.prediction).p_alive,
			(c.prediction).expected_purchases,
			c.no_purchase,
			c.actual
		FROM (
			SELECT clv_internal.clv_validate_purchases($1, h.history, $3, 0) AS repeats,
				@extschema@.clv_predict($1, h.history, $2, 0::pg_catalog.float8, 1::pg_catalog.float8, $3,
					NULL::pg_catalog.float8, h.covariates) AS prediction,
				CASE WHEN $5 THEN @extschema@.clv_purchase_probability($1, h.history, 0::pg_catalog.float8, $2, $3,
					h.covariates) END AS no_purchase,
				clv_internal.clv_validate_purchases($1, h.history, $3, $4) AS actual
			FROM ({histories}) AS h
			OFFSET '0'
		) AS c
		WHERE (c.prediction).expected_purchases IS NOT NULL
		$sql$, pg_catalog.jsonb_build_object('histories', histories))
		USING model, span, since, periods, with_probability;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_frequencies(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.interval, pg_catalog.date, pg_catalog.int4, pg_catalog.bool) IS
	'for each history with a purchase up to since the repeat purchases until then, P(alive) and the purchases that the '
	'model predicts for the hold-out, the probability of none in it (NULL unless asked for), and the purchases in it. '
	'A part of validation';

-- How many customers made their first purchase on each day up to as_of, by their covariates.
CREATE FUNCTION clv_internal.clv_validate_newcomers(
	histories pg_catalog.text,
	as_of pg_catalog.date
) RETURNS TABLE (
	first_purchase pg_catalog.date,
	covariates pg_catalog.float8[],
	customers pg_catalog.int8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 1000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT c.first_purchase, c.covariates, pg_catalog.count(*)
		FROM (
			SELECT @extschema@.clv_first_purchase(h.history, $1) AS first_purchase, h.covariates
			FROM ({histories}) AS h
			OFFSET '0'
		) AS c
		WHERE c.first_purchase IS NOT NULL
		GROUP BY c.first_purchase, c.covariates
		$sql$, pg_catalog.jsonb_build_object('histories', histories))
		USING as_of;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_newcomers(pg_catalog.text, pg_catalog.date) IS
	'how many customers made their first purchase on a day up to as_of, by day and covariates. A part of validation';

-- The days of the repeat purchases of a customer who has a purchase up to as_of; none of another customer.
CREATE FUNCTION clv_internal.clv_validate_repeat_days(history @extschema@.clv_history, as_of pg_catalog.date)
RETURNS SETOF pg_catalog.date
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 200 ROWS 5
BEGIN ATOMIC
	SELECT l.day
	FROM @extschema@.clv_purchase_log(history) AS l
	WHERE l.purchase AND l.day > @extschema@.clv_first_purchase(history, as_of);
END;
COMMENT ON FUNCTION clv_internal.clv_validate_repeat_days(@extschema@.clv_history, pg_catalog.date) IS
	'the days on which a customer who has a purchase up to as_of bought again, before as_of and after it. A part of '
	'validation';

-- How many repeat purchases the customers with a purchase up to as_of made on each day.
CREATE FUNCTION clv_internal.clv_validate_repeats(
	histories pg_catalog.text,
	as_of pg_catalog.date
) RETURNS TABLE (
	day pg_catalog.date,
	repeats pg_catalog.int8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 1000 AS $$
BEGIN
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT r.day, pg_catalog.count(*)
		FROM ({histories}) AS h
		CROSS JOIN LATERAL clv_internal.clv_validate_repeat_days(h.history, $1) AS r (day)
		GROUP BY r.day
		$sql$, pg_catalog.jsonb_build_object('histories', histories))
		USING as_of;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_repeats(pg_catalog.text, pg_catalog.date) IS
	'how many repeat purchases the customers who have a purchase up to as_of made on each day. A part of validation';

-- Counts the customers of histories for fits with these options.
CREATE FUNCTION clv_internal.clv_choose_cells(
	histories pg_catalog.text,
	options pg_catalog.jsonb,
	with_covariates pg_catalog.bool
) RETURNS @extschema@.clv_cells
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 AS $$
DECLARE
	counted @extschema@.clv_cells;
BEGIN
	EXECUTE clv_internal.clv_statement(CASE WHEN with_covariates THEN $sql$
		SELECT @extschema@.clv_cells(h.history, $1, h.covariates)
		FROM ({histories}) AS h
		$sql$ ELSE $sql$
		SELECT @extschema@.clv_cells(h.history, $1)
		FROM ({histories}) AS h
		$sql$ END::pg_catalog.text, pg_catalog.jsonb_build_object('histories', histories))
		INTO counted
		USING options;
	RETURN counted;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_choose_cells(pg_catalog.text, pg_catalog.jsonb, pg_catalog.bool) IS
	'the customers of histories counted for fits with these options, with or without their covariates. A part of '
	'validation';

-- A row per history with a purchase up to since: its purchases in the hold-out and before it as the first model counts
-- them, whether it was there for as long a time before since, and of each model its count of the hold-out, expectation,
-- the probability of that very count, and that of any purchase; no row without a model.
CREATE FUNCTION clv_internal.clv_choose_outcomes(
	histories pg_catalog.text,
	models @extschema@.clv_model[],
	spans pg_catalog.interval[],
	periods pg_catalog.int4[],
	since pg_catalog.date,
	until pg_catalog.date
) RETURNS TABLE (
	actual pg_catalog.int4,
	before pg_catalog.int4,
	there pg_catalog.bool,
	counted pg_catalog.int4[],
	predicted pg_catalog.float8[],
	probability pg_catalog.float8[],
	active pg_catalog.float8[]
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000 AS $$
DECLARE
	counts pg_catalog.text;
	expectations pg_catalog.text;
	probabilities pg_catalog.text;
	actives pg_catalog.text;
BEGIN
	-- each model has calls of its own: what they have computed for customers alike stays with them
	SELECT pg_catalog.string_agg(pg_catalog.format(
			'clv_internal.clv_validate_purchases($1[%1$s], h.history, $4, $3[%1$s])', i), ', '),
		pg_catalog.string_agg(pg_catalog.format(
			'%2$s.clv_expected_purchases($1[%1$s], h.history, $2[%1$s], $4, h.covariates)', i, '@extschema@'), ', '),
		pg_catalog.string_agg(pg_catalog.format(
			'%2$s.clv_purchase_probability($1[%1$s], c.history, c.counted[%1$s]::pg_catalog.float8, $2[%1$s], '
			'$4, c.covariates)', i, '@extschema@'), ', '),
		pg_catalog.string_agg(pg_catalog.format(
			'%2$s.clv_active_probability($1[%1$s], c.history, $2[%1$s], $4, c.covariates)', i, '@extschema@'), ', ')
	INTO counts, expectations, probabilities, actives
	FROM pg_catalog.generate_series(1, pg_catalog.cardinality(models)) AS i;
	-- without a model there is nothing to count
	IF counts IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE clv_internal.clv_statement($sql$
		SELECT c.counted[1],
			c.before,
			c.there,
			c.counted,
			c.predicted,
			ARRAY[{probabilities}],
			ARRAY[{actives}]
		FROM (
			SELECT h.history,
				h.covariates,
				clv_internal.clv_validate_purchases($1[1], h.history, $4, $5) AS before,
				pg_catalog.date_le(@extschema@.clv_first_purchase(h.history), $6) AS there,
				ARRAY[{counts}] AS counted,
				ARRAY[{expectations}] AS predicted
			FROM ({histories}) AS h
			OFFSET '0'
		) AS c
		WHERE c.predicted[1] IS NOT NULL
		$sql$, pg_catalog.jsonb_build_object('histories', histories, 'counts', counts,
			'expectations', expectations, 'probabilities', probabilities, 'actives', actives))
		USING models, spans, periods, since, pg_catalog.int4um(periods[1]),
			pg_catalog.date_mii(since, pg_catalog.date_mi(until, since));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_choose_outcomes(
	pg_catalog.text, @extschema@.clv_model[], pg_catalog.interval[], pg_catalog.int4[], pg_catalog.date,
	pg_catalog.date) IS
	'for each history with a purchase up to since its purchases in the hold-out and in as long a time before it, and '
	'whether it was there at the beginning of that; of each model the count of the hold-out, the expected number, the '
	'probability of that count and of at least one. A part of validation';
