-- ---- which family predicts best: all that can serve the same customers, over one hold-out ----------------

-- The families of which a back-test with these options can be made, and with which options each is fitted.
CREATE FUNCTION clv_internal.clv_choose_candidates(options pg_catalog.jsonb, with_discrete pg_catalog.bool)
RETURNS TABLE (
	number pg_catalog.int4,
	family pg_catalog.text,
	discrete pg_catalog.bool,
	fit_options pg_catalog.jsonb
)
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000 ROWS 8
BEGIN ATOMIC
	WITH common AS (
		SELECT options - '{start,start_effects,start_centre,k,periods,grace,clamp,correlation,spend_covariates}'::text[]
			|| '{"model": "mbg/nbd", "spend": "none", "too_few": "null", "shock": false}'::jsonb AS given,
			jsonb_strip_nulls(jsonb_build_object('periods', options -> 'periods')) AS of_discrete
	)
	SELECT (row_number() OVER (ORDER BY c.discrete, f.number))::int4,
		f.family,
		c.discrete,
		o.given || jsonb_build_object('model', f.family) || CASE WHEN c.discrete THEN o.of_discrete ELSE '{}' END
	FROM common AS o
	CROSS JOIN (VALUES (false, 'continuous'), (true, 'opportunities')) AS c (discrete, clock)
	CROSS JOIN LATERAL unnest(clv_internal.clv_fit_families(o.given, c.clock, coalesce(options ->> 'model', '')))
		WITH ORDINALITY AS f (family, number)
	WHERE with_discrete OR NOT c.discrete;
END;
COMMENT ON FUNCTION clv_internal.clv_choose_candidates(pg_catalog.jsonb, pg_catalog.bool) IS
	'the families that can serve customers with these options, in a fixed order, and the options of the fit of each, '
	'of purchases alone; of those that ''auto'' leaves out only the one that they name; with_discrete: also those of '
	'discrete time. A part of validation';

-- How many whole periods of a model of discrete time a horizon is; NULL where it is no whole number of them.
CREATE FUNCTION clv_internal.clv_choose_periods(time_unit pg_catalog.interval, horizon pg_catalog.interval)
RETURNS pg_catalog.int4
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 20
BEGIN ATOMIC
	SELECT CASE
		WHEN u.months > 0 AND u.days = 0 AND h.days = 0 AND h.months % u.months = 0 THEN h.months / u.months
		WHEN u.months = 0 AND u.days > 0 AND h.months = 0 AND h.days % u.days = 0 THEN h.days / u.days
	END
	FROM (SELECT (extract(year FROM time_unit) * 12 + extract(month FROM time_unit))::int4 AS months,
			extract(day FROM justify_hours(time_unit))::int4 AS days) AS u,
		(SELECT (extract(year FROM horizon) * 12 + extract(month FROM horizon))::int4 AS months,
			extract(day FROM justify_hours(horizon))::int4 AS days) AS h;
END;
COMMENT ON FUNCTION clv_internal.clv_choose_periods(pg_catalog.interval, pg_catalog.interval) IS
	'how many periods of a time unit a horizon is, NULL where it is no whole number of them. A part of validation';

-- The models of the candidates, and the hold-out as each counts it. NULL models could not be fitted, those without
-- periods cannot predict the horizon.
CREATE FUNCTION clv_internal.clv_choose_models(
	histories pg_catalog.text,
	options pg_catalog.jsonb,
	since pg_catalog.date,
	until pg_catalog.date,
	horizon pg_catalog.interval,
	with_covariates pg_catalog.bool,
	with_discrete pg_catalog.bool
) RETURNS TABLE (
	number pg_catalog.int4,
	family pg_catalog.text,
	model @extschema@.clv_model,
	periods pg_catalog.int4,
	span pg_catalog.interval
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 8
-- what they warn of is in the notes of the rows
SET client_min_messages = error
BEGIN ATOMIC
	WITH candidate AS MATERIALIZED (
		SELECT c.*
		FROM clv_internal.clv_choose_candidates(options, with_discrete) AS c
	), cells AS MATERIALIZED (
		-- customers are counted once for all families of continuous time
		SELECT d.discrete,
			clv_internal.clv_choose_cells(histories,
				d.fit_options || CASE WHEN d.discrete THEN '{}' ELSE '{"model": "auto"}' END::jsonb,
				with_covariates) AS counted
		FROM (SELECT DISTINCT ON (c.discrete) c.discrete, c.fit_options FROM candidate AS c
			ORDER BY c.discrete, c.number) AS d
	), fitted AS MATERIALIZED (
		SELECT c.number,
			c.family,
			c.discrete,
			(SELECT @extschema@.clv_fit(k.counted, c.fit_options)
				FROM cells AS k WHERE k.discrete = c.discrete) AS model
		FROM candidate AS c
	)
	SELECT f.number,
		f.family,
		f.model,
		h.periods,
		CASE WHEN f.discrete THEN horizon ELSE make_interval(days => h.periods) END
	FROM fitted AS f
	CROSS JOIN LATERAL (
		SELECT CASE WHEN f.discrete
			THEN clv_internal.clv_choose_periods(
				(clv_internal.clv_validate_clock(f.model)).time_unit, horizon)
			ELSE until - since END AS periods
	) AS h;
END;
COMMENT ON FUNCTION clv_internal.clv_choose_models(
	pg_catalog.text, pg_catalog.jsonb, pg_catalog.date, pg_catalog.date, pg_catalog.interval, pg_catalog.bool,
	pg_catalog.bool) IS
	'the candidates, each fitted to the same histories (NULL: it could not be), with the length of the hold-out as it '
	'counts it: periods (days, where time is continuous; NULL: no whole number) and a horizon. A part of validation';

-- The rows of clv_choose, of histories and a hold-out that are prepared; none where no family could be fitted.
CREATE FUNCTION clv_internal.clv_choose_rows(
	histories pg_catalog.text,
	options pg_catalog.jsonb,
	since pg_catalog.date,
	until pg_catalog.date,
	horizon pg_catalog.interval,
	with_covariates pg_catalog.bool,
	with_discrete pg_catalog.bool
) RETURNS TABLE (
	rank pg_catalog.int4,
	model pg_catalog.text,
	converged pg_catalog.bool,
	customers pg_catalog.int8,
	log_likelihood pg_catalog.float8,
	bic pg_catalog.float8,
	log_score pg_catalog.float8,
	behind pg_catalog.float8,
	behind_error pg_catalog.float8,
	mae pg_catalog.float8,
	rmse pg_catalog.float8,
	total_error pg_catalog.float8,
	gini pg_catalog.float8,
	brier pg_catalog.float8,
	note pg_catalog.text
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
BEGIN ATOMIC
	WITH candidate AS MATERIALIZED (
		SELECT m.*,
			CASE WHEN m.model IS NOT NULL AND m.periods IS NOT NULL
				THEN row_number() OVER (PARTITION BY m.model IS NOT NULL AND m.periods IS NOT NULL ORDER BY m.number)
			END AS place
		FROM clv_internal.clv_choose_models(histories, options, since, until, horizon, with_covariates, with_discrete)
			AS m
	), model AS MATERIALIZED (
		SELECT array_agg(c.model ORDER BY c.place) AS models,
			array_agg(c.span ORDER BY c.place) AS spans,
			array_agg(c.periods ORDER BY c.place) AS periods,
			count(*) AS n
		FROM candidate AS c
		WHERE c.place IS NOT NULL
		HAVING count(*) > 0
	), outcome AS MATERIALIZED (
		SELECT m.n, o.*
		FROM model AS m
		CROSS JOIN LATERAL clv_internal.clv_choose_outcomes(histories, m.models, m.spans, m.periods, since, until) AS o
	), habit AS MATERIALIZED (
		-- of those who were there for as long before since: what they bought, and how many of them anything
		SELECT avg(o.before) FILTER (WHERE o.there)::float8 AS mean,
			avg((o.before > 0)::int4) FILTER (WHERE o.there)::float8 AS active
		FROM outcome AS o
	), forecast AS MATERIALIZED (
		-- a row per customer and model; the last two are rules of thumb, a geometric distribution for everybody and
		-- a number without any probability
		SELECT u.place,
			u.counted,
			u.predicted,
			u.active,
			u.counted = o.actual AS comparable,
			o.ln_probability,
			o.ln_probability[u.place] AS ln_score
		FROM (
			SELECT b.actual,
				b.counted || b.actual || b.actual AS counted,
				b.predicted || h.mean || b.before::float8 AS predicted,
				b.active || h.active || (b.before > 0)::int4::float8 AS active,
				(SELECT array_agg(ln(greatest(p.probability, 2.2250738585072014e-308)) ORDER BY p.place)
					FROM unnest(b.probability) WITH ORDINALITY AS p (probability, place))
					|| CASE WHEN h.mean IS NOT NULL
						THEN greatest(CASE WHEN b.actual > 0 AND h.mean > 0 THEN b.actual * ln(h.mean / (1 + h.mean))
							WHEN b.actual > 0 THEN '-Infinity' ELSE 0 END - ln(1 + h.mean),
							ln(2.2250738585072014e-308::float8)) END
					|| NULL::float8 AS ln_probability
			FROM outcome AS b
			CROSS JOIN habit AS h
			OFFSET 0
		) AS o
		CROSS JOIN LATERAL unnest(o.counted, o.predicted, o.active)
			WITH ORDINALITY AS u (counted, predicted, active, place)
	), score AS MATERIALIZED (
		SELECT f.place,
			@extschema@.clv_metrics(f.counted::float8, f.predicted) AS m,
			CASE WHEN bool_and(f.comparable)
				THEN clv_internal.clv_validate_sum(f.ln_score) / count(*)::float8 END AS log_score,
			clv_internal.clv_validate_sum(power(f.active - (f.counted > 0)::int4::float8, 2::float8))
				/ count(f.active)::float8 AS brier,
			bool_and(f.comparable) AS comparable
		FROM forecast AS f
		GROUP BY f.place
	), best AS MATERIALIZED (
		SELECT s.place
		FROM score AS s
		WHERE s.log_score IS NOT NULL
		ORDER BY s.log_score DESC, s.place
		LIMIT 1
	), behind AS MATERIALIZED (
		SELECT f.place,
			count(*)::float8 AS n,
			clv_internal.clv_validate_sum(f.ln_probability[b.place] - f.ln_score) AS total,
			clv_internal.clv_validate_sum(power(f.ln_probability[b.place] - f.ln_score, 2::float8)) AS squares
		FROM forecast AS f
		CROSS JOIN best AS b
		GROUP BY f.place
	), named AS (
		SELECT c.number, c.family, c.place, c.model, c.periods
		FROM candidate AS c
		UNION ALL
		SELECT 1000 + v.number, v.family, m.n + v.number, NULL, NULL
		FROM (VALUES (1, 'mean'), (2, 'last period')) AS v (number, family)
		CROSS JOIN model AS m
	), measured AS (
		SELECT n.*,
			s.*,
			b.total / b.n AS distance,
			sqrt(greatest(b.squares - b.total * b.total / b.n, 0::float8) / nullif(b.n - 1, 0::float8) / b.n)
				AS distance_error,
			d.converged,
			d.log_likelihood,
			d.bic
		FROM named AS n
		CROSS JOIN model
		LEFT JOIN score AS s ON s.place = n.place
		LEFT JOIN behind AS b ON b.place = n.place AND s.log_score IS NOT NULL
		LEFT JOIN LATERAL @extschema@.clv_diagnostics(n.model) AS d ON n.model IS NOT NULL
	)
	SELECT CASE WHEN t.log_score IS NOT NULL
			THEN row_number() OVER (PARTITION BY t.log_score IS NULL
				ORDER BY round(t.log_score::numeric, 9) DESC, t.bic, t.number)::int4 END,
		t.family,
		t.converged,
		(t.m).pairs,
		t.log_likelihood,
		t.bic,
		t.log_score,
		t.distance,
		t.distance_error,
		(t.m).mae,
		(t.m).rmse,
		(t.m).total_error,
		(t.m).gini,
		t.brier,
		CASE
			WHEN t.number < 1000 AND t.model IS NULL THEN 'could not be fitted'
			WHEN t.number < 1000 AND t.periods IS NULL THEN 'the horizon is no whole number of its periods'
			WHEN NOT t.comparable THEN 'counts periods with a purchase, which are not as many as purchases'
			WHEN NOT t.converged THEN 'the fit did not converge'
			WHEN t.family = 'mean' AND (t.m).pairs = 0 THEN 'no customer was there for as long before as_of'
		END
	FROM measured AS t
	ORDER BY 1, t.number;
END;
COMMENT ON FUNCTION clv_internal.clv_choose_rows(
	pg_catalog.text, pg_catalog.jsonb, pg_catalog.date, pg_catalog.date, pg_catalog.interval, pg_catalog.bool,
	pg_catalog.bool) IS
	'the rows of clv_choose, of histories and a hold-out that are prepared, in the order of their ranks; none where no '
	'family could be fitted. A part of validation';

-- Compares all families that can serve the customers, and two rules of thumb, over one hold-out. A row each.
CREATE FUNCTION @extschema@.clv_choose(
	source pg_catalog.text,
	history pg_catalog.text,
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
	rank pg_catalog.int4,
	model pg_catalog.text,
	converged pg_catalog.bool,
	customers pg_catalog.int8,
	log_likelihood pg_catalog.float8,
	bic pg_catalog.float8,
	log_score pg_catalog.float8,
	behind pg_catalog.float8,
	behind_error pg_catalog.float8,
	mae pg_catalog.float8,
	rmse pg_catalog.float8,
	total_error pg_catalog.float8,
	gini pg_catalog.float8,
	brier pg_catalog.float8,
	note pg_catalog.text
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10 AS $$
DECLARE
	histories pg_catalog.text := clv_internal.clv_validate_histories(source, history, covariates);
	given pg_catalog.record;
	extent pg_catalog.record;
BEGIN
	given := clv_internal.clv_validate_arguments(as_of, horizon, options, NULL::@extschema@.clv_model, covariates);
	extent := clv_internal.clv_validate_extent(histories, given.since);
	IF extent.first_purchase IS NULL THEN
		PERFORM clv_internal.clv_validate_no_customers(source, given.since);
	END IF;
	PERFORM clv_internal.clv_validate_reach(given.since, given.until, extent.last_purchase);
	RETURN QUERY SELECT r.*
		FROM clv_internal.clv_choose_rows(histories, given.fit_options, given.since, given.until, horizon,
			covariates IS NOT NULL, true) AS r;
	IF NOT FOUND THEN
		-- the error of the first family says why there is no fit
		PERFORM clv_internal.clv_validate_fit(histories,
				c.fit_options OPERATOR(pg_catalog.-) 'too_few'::pg_catalog.text, covariates IS NOT NULL)
		FROM clv_internal.clv_choose_candidates(given.fit_options, false) AS c
		WHERE c.number OPERATOR(pg_catalog.=) 1;
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_choose(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, pg_catalog.text) IS
	'which family predicts the customers of a table or view best: each that can serve them is fitted up to as_of, and '
	'predicts (as_of, as_of + horizon]; a row each, by the hold-out log score, and rows of two rules of thumb. '
	'log_score: the mean over customers of the logarithm of the probability that was given to the number of purchases '
	'they then made (at least 2.2e-308); behind, behind_error: how much less than that of the first row, and the '
	'standard error of this difference; mae, rmse, total_error, gini as of clv_backtest; brier: mean square of the '
	'difference between the probability of any purchase and what came. mean: everybody as those who were there for as '
	'long before as_of, geometrically distributed; last period: as many as in as long a time before as_of, without a '
	'log score and a rank. options: of clv_options, without spend and those of certain families alone (start, k, '
	'grace, clamp); model: pareto/nbd/cor, which takes long, is tried where it is named';
