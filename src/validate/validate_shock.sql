-- ---- what moves all customers at once ---------------------------------------------------------------

CREATE TYPE @extschema@.clv_common_shock AS (
	weeks pg_catalog.int4,
	sd pg_catalog.float8,
	lasting pg_catalog.float8,
	correlation pg_catalog.float8,
	evidence pg_catalog.float8,
	past pg_catalog.float8,
	link pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_common_shock IS
	'what moves the purchases of all customers at once, by the week, as clv_shock estimates it';
COMMENT ON COLUMN @extschema@.clv_common_shock.weeks IS 'weeks that it was estimated from';
COMMENT ON COLUMN @extschema@.clv_common_shock.sd IS
	'standard deviation of the purchases of a week around their expectation, relative to it, beyond what chance gives; '
	'0 where the data do not tell one';
COMMENT ON COLUMN @extschema@.clv_common_shock.lasting IS
	'share of its variance that does not end with the week: demand that moves slowly, a model that is wrong for longer';
COMMENT ON COLUMN @extschema@.clv_common_shock.correlation IS 'correlation of this part between a week and the next';
COMMENT ON COLUMN @extschema@.clv_common_shock.evidence IS
	'log-likelihood with it less that without; below 6 it counts as none';
COMMENT ON COLUMN @extschema@.clv_common_shock.past IS
	'variance of its mean over these weeks, which the fit took for the level, over the square of sd';
COMMENT ON COLUMN @extschema@.clv_common_shock.link IS
	'covariance of that mean with the lasting part of the last week, over the square of sd';

CREATE FUNCTION clv_internal.clv_shock_estimate(actual pg_catalog.float8[], expected pg_catalog.float8[])
	RETURNS @extschema@.clv_common_shock
	AS 'MODULE_PATHNAME', 'clv_shock_estimate_weeks' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION clv_internal.clv_shock_estimate(pg_catalog.float8[], pg_catalog.float8[]) IS
	'the common shock behind the counts of weeks and their expectations, in order of time. A part of validation';

CREATE FUNCTION clv_internal.clv_shock_width(
	model @extschema@.clv_model, as_of pg_catalog.date, days pg_catalog.float8, level pg_catalog.float8)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_shock_width(
	@extschema@.clv_model, pg_catalog.date, pg_catalog.float8, pg_catalog.float8) IS
	'half the width of the interval that the common shock of a model alone gives a total over so many days after a '
	'day, relative to the total; 0 where the model keeps none. A part of validation';

-- The common shock of the weeks up to as_of, or to the last purchase where that is long before. The days before the
-- first of the whole weeks are left out, and so are weeks before the last 1040 (CLV_SHOCK_MOST), as in a fit.
CREATE FUNCTION clv_internal.clv_shock_of(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	with_covariates pg_catalog.bool,
	as_of pg_catalog.date,
	first_purchase pg_catalog.date,
	last_purchase pg_catalog.date
) RETURNS @extschema@.clv_common_shock
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000
BEGIN ATOMIC
	WITH span AS (
		SELECT least(as_of, last_purchase + 6) AS until,
			least((least(as_of, last_purchase + 6) - first_purchase) / 7, 1040) AS weeks
	), week AS (
		SELECT t.number, t.actual, t.expected
		FROM span AS s
		CROSS JOIN LATERAL clv_internal.clv_validate_track(histories, model, with_covariates, as_of,
			ARRAY(SELECT s.until - 7 * i FROM generate_series(s.weeks, 0, -1) AS i ORDER BY i DESC)) AS t
		WHERE s.weeks > 0
	)
	SELECT clv_internal.clv_shock_estimate(
		coalesce(array_agg(w.actual::float8 ORDER BY w.number), '{}'::float8[]),
		coalesce(array_agg(w.expected ORDER BY w.number), '{}'::float8[]))
	FROM week AS w;
END;
COMMENT ON FUNCTION clv_internal.clv_shock_of(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.bool, pg_catalog.date, pg_catalog.date, pg_catalog.date) IS
	'the common shock of the whole weeks up to as_of or the last purchase, of histories that are checked. A part of '
	'validation';

-- The common shock of the weeks up to as_of, from what the model expects of each and what the customers did.
CREATE FUNCTION @extschema@.clv_shock(
	source pg_catalog.text,
	history pg_catalog.text,
	model @extschema@.clv_model,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL
) RETURNS @extschema@.clv_common_shock
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 AS $$
DECLARE
	histories pg_catalog.text := clv_internal.clv_validate_histories(source, history, covariates);
	extent pg_catalog.record;
BEGIN
	as_of := clv_internal.clv_validate_tracked(model, NULL::pg_catalog.date, NULL::pg_catalog.date, as_of, covariates);
	extent := clv_internal.clv_validate_extent(histories, as_of);
	IF extent.first_purchase IS NULL THEN
		PERFORM clv_internal.clv_validate_no_customers(source, as_of);
	END IF;
	RETURN clv_internal.clv_shock_of(histories, model, covariates IS NOT NULL, as_of, extent.first_purchase,
		extent.last_purchase);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_shock(
	pg_catalog.text, pg_catalog.text, @extschema@.clv_model, pg_catalog.date, pg_catalog.text) IS
	'what moved the purchases of all customers of a table or view at once: weather, campaigns, the market, whatever '
	'season and trend of the model leave. Estimated by restricted likelihood from the weeks up to as_of (NULL: the '
	'model''s), around what clv_tracking expects, as a part that is over with the week and an '
	'autoregression that lasts; sd 0 where the weeks do not tell one, or fewer '
	'than 13 expect a purchase. For clv_with_shock(model, shock)';

-- A model that keeps a common shock, for the intervals of totals.
CREATE FUNCTION @extschema@.clv_with_shock(
	model @extschema@.clv_model,
	shock @extschema@.clv_common_shock
) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_with_shock(@extschema@.clv_model, @extschema@.clv_common_shock) IS
	'the model with what moves all customers at once, as clv_shock(source, history, model) estimates it, in place of '
	'one that it keeps: the prediction intervals of totals under it, as clv_predict_total gives them, allow for it, '
	'beside those without it. Where the shock is NULL or its sd is 0 the model keeps none. NULL where the model is; an '
	'error where it has no purchases in continuous time';

CREATE FUNCTION @extschema@.clv_shock(model @extschema@.clv_model) RETURNS @extschema@.clv_common_shock
	AS 'MODULE_PATHNAME', 'clv_shock_of_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_shock(@extschema@.clv_model) IS
	'what moves all customers at once, as the model keeps it for the intervals of totals; NULL where it keeps none';
