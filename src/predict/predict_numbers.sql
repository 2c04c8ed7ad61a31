-- ---- the mathematics by number --------------------------------------------------------------
--
-- x repeat purchases, t_x age at the last one, t_cal age, horizons and t: in the model's time unit;
-- delta: a continuous discount rate per unit. Underflow gives 0, divergence Infinity.

CREATE FUNCTION @extschema@.clv_log_likelihood(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_log_likelihood_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.clv_log_likelihood(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'log-likelihood of a customer with x repeat purchases, the last at age t_x, now of age t_cal: of the ordered '
	'purchase times, without x!. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_p_alive(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	ahead pg_catalog.float8 DEFAULT 0
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_p_alive_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
COMMENT ON FUNCTION @extschema@.clv_p_alive(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'probability that a customer with x repeat purchases, the last at age t_x, now of age t_cal, is still active; with '
	'ahead, that they will be active so long after t_cal, such as for bg/bb at the next opportunity (ahead => 1). '
	'Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_expected_purchases(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_expected_purchases_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION @extschema@.clv_expected_purchases(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'expected purchases in (t_cal, t_cal + horizon] of a customer with x repeat purchases, the last at age t_x. Times '
	'are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_expected_purchases(
	model @extschema@.clv_model,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_expected_purchases_new' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 25;
COMMENT ON FUNCTION @extschema@.clv_expected_purchases(@extschema@.clv_model, pg_catalog.float8) IS
	'expected repeat purchases of a new customer in (0, horizon]. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_purchase_probability(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	n pg_catalog.float8,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_purchase_probability_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_purchase_probability(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.float8) IS
	'probability of n purchases in (t_cal, t_cal + horizon] given the history; n = 0 includes the case that the '
	'customer has left. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_purchase_probability(
	model @extschema@.clv_model,
	n pg_catalog.float8,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_purchase_probability_new' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_purchase_probability(@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8) IS
	'probability of n repeat purchases of a new customer in (0, horizon]. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_active_probability(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_active_probability_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_active_probability(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'probability of at least one purchase in (t_cal, t_cal + horizon] of a customer with x repeat purchases, the last '
	'at age t_x. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_active_probability(
	model @extschema@.clv_model,
	horizon pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_active_probability_new' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_active_probability(@extschema@.clv_model, pg_catalog.float8) IS
	'probability that a new customer buys again in (0, horizon]. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_purchase_quantile(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	horizon pg_catalog.float8,
	level pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_purchase_quantile_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 170;
COMMENT ON FUNCTION @extschema@.clv_purchase_quantile(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.float8) IS
	'smallest number that purchases in (t_cal, t_cal + horizon] do not exceed with at least probability level, 0 < '
	'level < 1. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_discounted_purchases(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	t_x pg_catalog.float8,
	t_cal pg_catalog.float8,
	delta pg_catalog.float8,
	horizon pg_catalog.float8 DEFAULT 'Infinity'
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_discounted_purchases_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 400;
COMMENT ON FUNCTION @extschema@.clv_discounted_purchases(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.float8) IS
	'expected purchases in (t_cal, t_cal + horizon], each discounted by exp(-delta u) at u after t_cal; without a '
	'horizon all that are still to come (DERT), Infinity where these diverge. delta: continuous rate per unit; for '
	'families of whole periods (bg/bb, sbg, rfmtc) an effective one. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_expected_spend(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	mean_spend pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_expected_spend_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 6;
COMMENT ON FUNCTION @extschema@.clv_expected_spend(@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8) IS
	'expected value of one purchase given x purchases with that mean; x = 0: the population''s. Infinity where it does '
	'not exist (gamma/gamma: p x + q <= 1)';

CREATE FUNCTION @extschema@.clv_spend_log_likelihood(
	model @extschema@.clv_model,
	x pg_catalog.float8,
	mean_spend pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_spend_log_likelihood_number' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 15;
COMMENT ON FUNCTION @extschema@.clv_spend_log_likelihood(@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8) IS
	'log of the density of the mean of x purchases; 0 for x = 0';

CREATE FUNCTION @extschema@.clv_survival(
	model @extschema@.clv_model,
	t pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 400;
COMMENT ON FUNCTION @extschema@.clv_survival(@extschema@.clv_model, pg_catalog.float8) IS
	'probability that a new customer is still active at age t. Times are in the model''s unit.';

CREATE FUNCTION @extschema@.clv_retention(
	model @extschema@.clv_model,
	t pg_catalog.float8
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 6;
COMMENT ON FUNCTION @extschema@.clv_retention(@extschema@.clv_model, pg_catalog.float8) IS
	'contracts: the share of those who made t - 1 renewals that makes the t-th, t = 1, 2 ...; an error for families '
	'without renewals';

CREATE FUNCTION @extschema@.clv_residual_lifetime(
	model @extschema@.clv_model,
	t pg_catalog.float8,
	rate pg_catalog.float8,
	before pg_catalog.bool DEFAULT false
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_residual_lifetime(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.bool) IS
	'contracts: expected renewals still to come (DERL), each discounted at an effective rate per period, of a customer '
	'who has made t renewals; with before, of a customer immediately before the t-th (t >= 1), which then counts in '
	'full. Infinity where they diverge; an error for families without renewals (Fader & Hardie 2010)';

CREATE FUNCTION @extschema@.clv_retention_elasticity(
	model @extschema@.clv_model,
	t pg_catalog.float8,
	rate pg_catalog.float8,
	before pg_catalog.bool DEFAULT false
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION @extschema@.clv_retention_elasticity(
	@extschema@.clv_model, pg_catalog.float8, pg_catalog.float8, pg_catalog.bool) IS
	'contracts: by how many per cent clv_residual_lifetime increases where the retention rates of every customer are '
	'one per cent higher at each renewal to come. Arguments as there; Infinity where it diverges; an error for '
	'families without renewals (Fader & Hardie 2010)';
