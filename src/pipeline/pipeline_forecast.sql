-- ---- step: forecast ---------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_periods(
	horizon pg_catalog.interval, as_of pg_catalog.date, model @extschema@.clv_model)
RETURNS TABLE (
	number pg_catalog.int4, period_start pg_catalog.date, period_end pg_catalog.date, until pg_catalog.interval)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 13
SET search_path = pg_catalog, pg_temp
AS $$
	-- calendar months where time is continuous, else the family's own periods; the last one ends with the horizon
	WITH clock AS (
		SELECT c.clock, c.time_unit
		FROM clv_internal.clv_validate_clock(model) c
	),
	span AS (
		SELECT 365.25 * (12 * extract(year FROM horizon) + extract(month FROM horizon))::float8 / 12
			+ extract(day FROM horizon)::float8
			+ extract(epoch FROM horizon - date_trunc('day', horizon))::float8 / 86400 AS days
		FROM clock c
		WHERE c.clock = 'continuous'
	),
	months AS (
		SELECT (m + interval '1 month')::date - 1 - as_of AS days
		FROM span
		CROSS JOIN generate_series(date_trunc('month', (as_of + 1)::timestamp), (as_of + span.days::int4)::timestamp,
			interval '1 month') m
	),
	ends AS (
		SELECT m.days, make_interval(days => m.days) AS until
		FROM months m
		CROSS JOIN span
		WHERE m.days < span.days - 0.5
		UNION ALL
		SELECT span.days::int4, horizon
		FROM span
		UNION ALL
		SELECT p.until - as_of, i * c.time_unit
		FROM clock c
		CROSS JOIN clv_internal.clv_validate_periods(model, as_of, horizon) h
		CROSS JOIN generate_series(1, CASE WHEN h.periods < 121 THEN h.periods WHEN h.periods > 0 THEN 121 END) i
		CROSS JOIN clv_internal.clv_validate_periods(model, as_of, i * c.time_unit) p
	),
	numbered AS (
		SELECT
			row_number() OVER (ORDER BY e.days)::int4 AS number,
			lag(e.days, 1, 0) OVER (ORDER BY e.days) AS since,
			e.days,
			e.until
		FROM ends e
	)
	SELECT n.number, as_of + n.since + 1, as_of + n.days, n.until
	FROM numbered n
	ORDER BY n.number
	LIMIT 121
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_periods(pg_catalog.interval, pg_catalog.date, @extschema@.clv_model) IS
	'the periods of a forecast: calendar months, or the periods of a family of discrete time; until: from the day to '
	'the end of the period. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_limited(periods pg_catalog.int4, many pg_catalog.bool)
RETURNS pg_catalog.int4[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE halved AS (
		SELECT periods AS number
		UNION ALL
		SELECT CASE WHEN many THEN (h.number + 1) / 2 ELSE h.number - 1 END
		FROM halved h
		WHERE h.number > 1
	)
	SELECT array_agg(h.number ORDER BY h.number)
	FROM halved h
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_limited(pg_catalog.int4, pg_catalog.bool) IS
	'the periods of a forecast of so many whose limits are computed: all, or where many customers count for them the '
	'last, half as many, and so on to the first; the others lie between. A part of pipelines';

-- y at x, where y is y0 at x0 and y1 at x1 >= x0 and its ratio to x is linear between: so is that of the variance of
-- counts of customers who differ to their expectation.
CREATE FUNCTION clv_internal.clv_pipeline_between(
	x pg_catalog.float8, x0 pg_catalog.float8, y0 pg_catalog.float8, x1 pg_catalog.float8, y1 pg_catalog.float8)
RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN NOT x1 > x0 THEN y1
		WHEN NOT x0 > 0 THEN x * y1 / x1
		ELSE x * ((x1 - x) * y0 / x0 + (x - x0) * y1 / x1) / (x1 - x0)
	END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_between(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'the value at x of what is y0 at x0 and y1 at x1, whose ratio to x is linear between them; y1 where they are one. '
	'A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_forecast_fillings(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
	ends interval[] := ARRAY(
		SELECT p.until
		FROM clv_internal.clv_pipeline_periods(d.horizon, this.as_of, this.model) p
		ORDER BY p.number
	);
	limited int4[];
	-- of a segment of many customers one in so many says how it goes on, and one in so many how far that may be off
	part text := clv_internal.clv_pipeline_sql(d, 'greatest(1, g.customers / 5000)'::text);
	sampled text := clv_internal.clv_pipeline_sql(d, '{1} * (1 + g.customers / (2000 * {1}))'::text, ARRAY[part]);
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT clv_internal.clv_pipeline_limited($2, $3 OR r.customers > 100000)
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO STRICT limited USING run, cardinality(ends), d.group_by IS NOT NULL;
	RETURN ARRAY[
		-- a call for each period by itself, because each caches what it has computed for its horizon
		(SELECT format('ARRAY[%s]', string_agg(CASE
			WHEN e.number = ANY (limited) THEN clv_internal.clv_pipeline_sql(d, $sql$
				@extschema@.clv_predict_total({model}, q.history, {1:L}::interval, 0::float8, 1::float8,
					($2).as_of, coalesce(($1).level, 0.9::float8)) FILTER (WHERE q.sampled)$sql$::text,
				ARRAY[e.until::text])
			ELSE 'NULL::@extschema@.clv_total'
		END, ',' ORDER BY e.number))
		FROM unnest(ends) WITH ORDINALITY AS e (until, number))
	] || clv_internal.clv_pipeline_fence(d, clv_internal.clv_pipeline_sql(d, $sql$
		{customers} c
		JOIN {data}.segment g ON g.run = ($2).run AND g.segment = c.segment AND {c.hash} % {2} = 0
		 AND g.group_name = {1}
	$sql$::text, ARRAY[CASE WHEN d.group_by IS NULL THEN $sql$''$sql$
		ELSE format('c.group_name JOIN (%s) m ON m.group_name = c.group_name',
			clv_internal.clv_pipeline_group_models(d))
	END, part])) || clv_internal.clv_pipeline_sql(d, CASE
		-- of which a worker of Citus can send the state
		WHEN clv_internal.clv_pipeline_sharded(d, 'customer'::text) THEN $sql$
			clv_internal.clv_pipeline_curve_sum(
				@extschema@.clv_purchase_curve(($2).model, q.history, {1:L}::interval[], ($2).as_of, NULL::float8[]),
				clv_internal.clv_finite(CASE WHEN ($2).has_spend
					THEN @extschema@.clv_expected_spend(($2).model, q.history, ($2).as_of)
				END))
		$sql$
		ELSE 'clv_internal.clv_curve_sum({model}, q.history, {1:L}::interval[], ($2).as_of)'
	END, ARRAY[ends::text])
		|| CASE WHEN d.group_by IS NULL THEN $sql$'' AS group_name$sql$ ELSE 'c.group_name, m.group_model' END
		|| limited::text || clv_internal.clv_pipeline_sql(d, '{c.hash} % ({1}) = 0'::text, ARRAY[sampled]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_forecast_fillings(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'what the query of the forecast asks for each of its periods, as clv_pipeline_fill takes it. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fill_by_segment(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, target pg_catalog.text, fillings pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- As there are no statistics of the segments of this run, the histories of all customers would be sorted by segment, or
-- fetched in the order of an index, although there are few segments.
SET search_path = pg_catalog, pg_temp SET enable_sort = off SET enable_indexscan = off
AS $$
BEGIN
	RETURN clv_internal.clv_pipeline_fill(d, run, target, fillings);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fill_by_segment(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text, pg_catalog.text[]) IS
	'clv_pipeline_fill for queries that sum predictions by segment. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_forecast(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	fillings text[] := clv_internal.clv_pipeline_forecast_fillings(d, run);
	rows int8 := CASE WHEN d.group_by IS NULL
		THEN clv_internal.clv_pipeline_fill_by_segment(d, run, 'forecast'::text, fillings)
		ELSE clv_internal.clv_pipeline_fill_by_group(d, run, 'forecast'::text, fillings)
	END;
BEGIN
	PERFORM clv_internal.clv_pipeline_widen_forecast(d, run);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_forecast(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: purchases and revenue to come, by period and segment, and for all. A part of pipelines';
