-- ---- what moves all customers at once, as the model keeps it: carried into the intervals of totals ---------------

-- Half the width of an interval, widened by the relative half width that the shock alone gives.
CREATE FUNCTION clv_internal.clv_pipeline_widened(
	expected pg_catalog.float8, high pg_catalog.float8, shock pg_catalog.float8)
RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT sqrt(power(high - expected, 2) + power(shock * expected, 2))
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_widened(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'half the width of the prediction interval of a total with this expectation and upper end, widened by a common '
	'shock, which alone has this half width relative to the expectation. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_shock_width(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, days pg_catalog.float8)
RETURNS pg_catalog.float8
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	width float8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT clv_internal.clv_shock_width(m.model, r.as_of, $2::float8, $3::float8)
		FROM {data}.run r
		JOIN {data}.model m ON m.run = r.model_run AND m.group_name = ''
		WHERE r.run = $1
	$sql$::text) INTO width USING run, days, coalesce(d.level, 0.9);
	RETURN clv_internal.clv_pipeline_rounded(width::numeric);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_shock_width(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.float8) IS
	'half the width of the interval that the common shock alone gives a total over so many days after the day of a '
	'run, relative to it; 0 where its model keeps none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_widen_equity(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, target pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.{1:I} e
		SET
			shock = $2,
			purchases_low_without = e.purchases_low,
			purchases_high_without = e.purchases_high,
			clv_low_without = e.clv_low,
			clv_high_without = e.clv_high
		WHERE e.run = $1
	$sql$::text, ARRAY[target]) USING run,
		clv_internal.clv_pipeline_shock_width(d, run, (extract(epoch FROM d.horizon) / 86400)::float8);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.{1:I} e
		SET
			purchases_low = greatest(e.expected_purchases, w.purchases) - w.purchases,
			purchases_high = e.expected_purchases + w.purchases,
			clv_low = clv_internal.clv_cents(CASE
				WHEN e.clv < 0 THEN e.clv::float8 - w.value
				ELSE greatest(e.clv::float8, w.value) - w.value
			END),
			clv_high = clv_internal.clv_cents(CASE
				WHEN e.clv < 0 THEN least(e.clv::float8 + w.value, 0::float8)
				ELSE e.clv::float8 + w.value
			END)
		FROM (
			SELECT
				f.ctid AS place,
				clv_internal.clv_pipeline_widened(f.expected_purchases, f.purchases_high, f.shock) AS purchases,
				-- of a value below zero the upper end stops there
				clv_internal.clv_pipeline_widened(f.clv::float8, CASE
					WHEN f.clv < 0 THEN 2 * f.clv::float8 - f.clv_low::float8
					ELSE f.clv_high::float8
				END, f.shock) AS value
			FROM {data}.{1:I} f
			WHERE f.run = $1
		) w
		WHERE e.run = $1 AND e.ctid = w.place AND e.shock > 0
	$sql$::text, ARRAY[target]) USING run;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_widen_equity(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text) IS
	'carries the common shock into the intervals of what the base, or each group, is worth (target: the table equity '
	'or group_equity); those without it are kept beside them. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_widen_forecast(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.forecast f
		SET
			shock = w.width,
			purchases_low_without = f.purchases_low,
			purchases_high_without = f.purchases_high,
			revenue_low_without = f.revenue_low,
			revenue_high_without = f.revenue_high
		FROM (
			SELECT
				p.number,
				clv_internal.clv_pipeline_shock_width($2, $1, (p.period_end - r.as_of)::float8) AS width
			FROM (SELECT DISTINCT c.number, c.period_end FROM {data}.forecast c WHERE c.run = $1) p
			JOIN {data}.run r ON r.run = $1
		) w
		WHERE f.run = $1 AND w.number = f.number
	$sql$::text) USING run, d;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.forecast f
		SET
			purchases_low = greatest(f.cumulative_purchases, w.purchases) - w.purchases,
			purchases_high = f.cumulative_purchases + w.purchases,
			revenue_low = clv_internal.clv_cents(greatest(f.cumulative_revenue::float8, w.revenue) - w.revenue),
			revenue_high = clv_internal.clv_cents(f.cumulative_revenue::float8 + w.revenue)
		FROM (
			SELECT
				c.ctid AS place,
				clv_internal.clv_pipeline_widened(c.cumulative_purchases, c.purchases_high, c.shock) AS purchases,
				clv_internal.clv_pipeline_widened(c.cumulative_revenue::float8, c.revenue_high::float8, c.shock)
					AS revenue
			FROM {data}.forecast c
			WHERE c.run = $1
		) w
		WHERE f.run = $1 AND f.ctid = w.place AND f.shock > 0
	$sql$::text) USING run;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_widen_forecast(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'carries the common shock into the intervals of the forecast; those without it are kept beside them. A part of '
	'pipelines';
