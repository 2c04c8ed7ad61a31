-- ---- tracking: a model against the calendar ----------------------------------------------------------

-- The day up to which customers count: as_of, or the day of the model, or no end. Raises an error unless the model is
-- of continuous time, a column of covariates is given if it has any, and the days are finite where they are given.
CREATE FUNCTION clv_internal.clv_validate_tracked(
	model @extschema@.clv_model,
	since pg_catalog.date,
	until pg_catalog.date,
	as_of pg_catalog.date,
	covariates pg_catalog.text
) RETURNS pg_catalog.date
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF model IS NULL THEN
		PERFORM clv_internal.clv_raise('model must be a model, not NULL'::text,
			NULL::text,
			'Make it by clv_fit(history), or by clv_model(...).'::text,
			'null_value_not_allowed'::text);
	END IF;
	IF (clv_internal.clv_validate_clock(model)).clock <> 'continuous' THEN
		PERFORM clv_internal.clv_raise(format('tracking needs a model of continuous time, not %s',
				(@extschema@.clv_diagnostics(model)).purchase_model),
			NULL::text,
			'clv_backtest compares such models over a hold-out.'::text,
			'feature_not_supported'::text);
	END IF;
	PERFORM clv_internal.clv_validate_covariates(model, covariates);
	PERFORM clv_internal.clv_argument_date('as_of'::text, as_of);
	PERFORM clv_internal.clv_argument_date('since'::text, since);
	PERFORM clv_internal.clv_argument_date('until'::text, until);
	RETURN coalesce(as_of, (@extschema@.clv_diagnostics(model)).as_of, 'infinity');
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_tracked(
	@extschema@.clv_model, pg_catalog.date, pg_catalog.date, pg_catalog.date, pg_catalog.text) IS
	'as_of, else that of the model, else infinity; an error unless the model is of continuous time, a column of '
	'covariates is given if and only if it has some, and the days that are given are finite. A part of validation';

-- The days that part since to until in periods, counted by the calendar from since; the last period ends on until.
-- Raises an error unless the days are in order, and the period is whole days and positive.
CREATE FUNCTION clv_internal.clv_validate_edges(
	since pg_catalog.date,
	until pg_catalog.date,
	period pg_catalog.interval
) RETURNS pg_catalog.date[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	edges date[] := ARRAY[since];
	day date;
BEGIN
	IF since >= until THEN
		PERFORM clv_internal.clv_raise(format('since (%s) must be before until (%s)',
			to_char(since, 'YYYY-MM-DD'), to_char(until, 'YYYY-MM-DD')));
	END IF;
	LOOP
		-- always counted from since: a month after January 31 is the end of February, two are March 31
		day := clv_internal.clv_validate_day(since, cardinality(edges) * period, 'period'::text);
		IF day <= edges[cardinality(edges)] THEN
			PERFORM clv_internal.clv_raise(format('period must be positive: %s', period));
		END IF;
		edges := edges || least(day, until);
		EXIT WHEN day >= until;
	END LOOP;
	RETURN edges;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_edges(pg_catalog.date, pg_catalog.date, pg_catalog.interval) IS
	'the days that part since to until in periods, both included, by the calendar from since; the last period may be '
	'shorter. A part of validation';

-- The rows of clv_tracking, of histories whose customers count up to as_of, in the periods between these days.
CREATE FUNCTION clv_internal.clv_validate_track(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	with_covariates pg_catalog.bool,
	as_of pg_catalog.date,
	edges pg_catalog.date[]
) RETURNS TABLE (
	number pg_catalog.int4,
	starts_after pg_catalog.date,
	ends_on pg_catalog.date,
	held_out pg_catalog.bool,
	customers pg_catalog.int8,
	expected pg_catalog.float8,
	actual pg_catalog.int8,
	expected_cumulative pg_catalog.float8,
	actual_cumulative pg_catalog.int8
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100
BEGIN ATOMIC
	WITH began AS MATERIALIZED (
		SELECT n.first_purchase,
			n.covariates,
			n.customers,
			dense_rank() OVER (ORDER BY n.covariates) AS vector
		FROM clv_internal.clv_validate_newcomers(histories, as_of) AS n
	), edge AS (
		SELECT e.day, e.number
		FROM unnest(edges) WITH ORDINALITY AS e (day, number)
	), pair AS MATERIALIZED (
		-- the day of the first purchase matters to models that follow a calendar
		SELECT e.number,
			e.day - b.first_purchase AS age,
			b.vector,
			b.customers,
			CASE WHEN clock.calendar THEN b.first_purchase ELSE as_of END AS acquired
		FROM edge AS e
		JOIN began AS b ON b.first_purchase <= e.day
		CROSS JOIN clv_internal.clv_validate_clock(model) AS clock
	), newcomer AS MATERIALIZED (
		SELECT b.vector,
			CASE WHEN with_covariates THEN @extschema@.clv_with_covariates(model, min(b.covariates))
				ELSE model END AS model
		FROM began AS b
		GROUP BY b.vector
	), aged AS MATERIALIZED (
		-- what a newcomer is expected to do up to an age, once for each age that occurs
		SELECT w.vector,
			a.age,
			a.acquired,
			CASE WHEN clock.calendar
				THEN (
					SELECT n.expected_purchases
					FROM @extschema@.clv_new_customer(w.model, make_interval(days => a.age), 0::float8, 1::float8,
						NULL::float8[], a.acquired) AS n)
				ELSE @extschema@.clv_expected_purchases(w.model, a.age::float8 / clock.unit_days) END AS repeats
		FROM (SELECT DISTINCT p.vector, p.age, p.acquired FROM pair AS p) AS a
		JOIN newcomer AS w ON w.vector = a.vector
		CROSS JOIN clv_internal.clv_validate_clock(model) AS clock
	), expected AS (
		SELECT p.number,
			clv_internal.clv_validate_sum(p.customers::float8 * a.repeats) AS repeats,
			sum(p.customers)::int8 AS customers
		FROM pair AS p
		JOIN aged AS a ON a.age = p.age AND a.vector = p.vector AND a.acquired = p.acquired
		GROUP BY p.number
	), bought AS (
		-- the period of a day is that which begins before it
		SELECT width_bucket(r.day - 1, edges)::int8 AS number,
			sum(r.repeats)::int8 AS repeats
		FROM clv_internal.clv_validate_repeats(histories, as_of) AS r
		GROUP BY 1
	)
	SELECT s.number::int4,
		s.day,
		e.day,
		s.day >= as_of,
		coalesce(x.customers, 0::int8),
		coalesce(x.repeats, 0::float8) - coalesce(y.repeats, 0::float8),
		coalesce(b.repeats, 0::int8),
		coalesce(x.repeats, 0::float8) - coalesce(z.repeats, 0::float8),
		sum(coalesce(b.repeats, 0::int8)) OVER (ORDER BY e.number)::int8
	FROM edge AS e
	JOIN edge AS s ON s.number = e.number - 1::int8
	LEFT JOIN expected AS x ON x.number = e.number
	LEFT JOIN expected AS y ON y.number = s.number
	LEFT JOIN expected AS z ON z.number = 1::int8
	LEFT JOIN bought AS b ON b.number = s.number
	ORDER BY e.number;
END;
COMMENT ON FUNCTION clv_internal.clv_validate_track(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.bool, pg_catalog.date, pg_catalog.date[]) IS
	'the rows of clv_tracking, of histories whose customers count up to as_of, in the periods between these days. A '
	'part of validation';

-- The repeat purchases that a model expects of the customers in each period, and those that they made. A row per
-- period; no count is NULL.
CREATE FUNCTION @extschema@.clv_tracking(
	source pg_catalog.text,
	history pg_catalog.text,
	model @extschema@.clv_model,
	period pg_catalog.interval DEFAULT '1 week',
	since pg_catalog.date DEFAULT NULL,
	until pg_catalog.date DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
	number pg_catalog.int4,
	starts_after pg_catalog.date,
	ends_on pg_catalog.date,
	held_out pg_catalog.bool,
	customers pg_catalog.int8,
	expected pg_catalog.float8,
	actual pg_catalog.int8,
	expected_cumulative pg_catalog.float8,
	actual_cumulative pg_catalog.int8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100 AS $$
DECLARE
	histories pg_catalog.text := clv_internal.clv_validate_histories(source, history, covariates);
	extent pg_catalog.record;
BEGIN
	as_of := clv_internal.clv_validate_tracked(model, since, until, as_of, covariates);
	extent := clv_internal.clv_validate_extent(histories, as_of);
	IF extent.first_purchase IS NULL THEN
		PERFORM clv_internal.clv_raise('there are no customers to track'::pg_catalog.text,
			pg_catalog.format('None of the histories of %s has a purchase up to as_of %s.',
				source, pg_catalog.to_char(as_of, 'YYYY-MM-DD')),
			NULL::pg_catalog.text,
			'no_data_found'::pg_catalog.text);
	END IF;
	RETURN QUERY SELECT t.*
		FROM clv_internal.clv_validate_track(histories, model, covariates IS NOT NULL, as_of,
			clv_internal.clv_validate_edges(coalesce(since, extent.first_purchase),
				coalesce(until, extent.last_purchase), period)) AS t;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_tracking(
	pg_catalog.text, pg_catalog.text, @extschema@.clv_model, pg_catalog.interval, pg_catalog.date, pg_catalog.date,
	pg_catalog.date, pg_catalog.text) IS
	'the repeat purchases that a model expects of the customers of a table or view in each period (starts_after, '
	'ends_on], counted from each one''s first purchase as of a newcomer, and those they made; both also summed up from '
	'since. Customers are those with a purchase up to as_of, the model''s where none is given, all where it has none; '
	'held_out: periods after as_of. since: their first day; until: the last purchase in the data, where the last '
	'period is cut. covariates: a column of vectors, for models with covariates';
