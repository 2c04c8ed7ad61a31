-- ---- predictions over histories -------------------------------------------------------------
--
-- COST: a unit is about 20 ns here, measured over a million customers.

CREATE TYPE @extschema@.clv_prediction AS (
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
);
COMMENT ON TYPE @extschema@.clv_prediction IS 'the predictions of clv_predict for one customer';
COMMENT ON COLUMN @extschema@.clv_prediction.p_alive IS 'P(alive): the probability that the customer is still active';
COMMENT ON COLUMN @extschema@.clv_prediction.expected_purchases IS 'expected number of purchases in the horizon';
COMMENT ON COLUMN @extschema@.clv_prediction.expected_spend IS
	'expected value of one purchase; NULL where the model has no spend part, or the expectation does not exist';
COMMENT ON COLUMN @extschema@.clv_prediction.expected_revenue IS
	'expected_purchases times expected_spend, undiscounted';
COMMENT ON COLUMN @extschema@.clv_prediction.clv IS 'expected revenue of the horizon, discounted, times the margin';
COMMENT ON COLUMN @extschema@.clv_prediction.lifetime_value IS
	'the same without end; NULL where nothing is discounted, or the sum diverges';
COMMENT ON COLUMN @extschema@.clv_prediction.next_purchase_value IS
	'P(alive) times what a purchase today would add to clv, itself not counted: an association, not the effect of a '
	'campaign. Negative where the dropout probability after a purchase lowers clv by more than the higher purchase '
	'rate raises it';
COMMENT ON COLUMN @extschema@.clv_prediction.purchases_low IS
	'lower limit of the predictive interval of the number of purchases; NULL without a level';
COMMENT ON COLUMN @extschema@.clv_prediction.purchases_high IS
	'upper limit of the predictive interval of the number of purchases; NULL without a level';
COMMENT ON COLUMN @extschema@.clv_prediction.clv_low IS
	'lower limit of the predictive interval of clv; NULL without a level';
COMMENT ON COLUMN @extschema@.clv_prediction.clv_high IS
	'upper limit of the predictive interval of clv; NULL without a level';

CREATE FUNCTION @extschema@.clv_predict(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval DEFAULT '1 year',
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	as_of pg_catalog.date DEFAULT NULL,
	level pg_catalog.float8 DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS @extschema@.clv_prediction
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 30;
COMMENT ON FUNCTION @extschema@.clv_predict(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8, pg_catalog.float8[]) IS
	'all predictions of a model for one customer, in one row. discount_rate: per year, effective, greater than -1; '
	'margin: contribution margin of revenue; level: also predictive intervals with that probability, parameters held '
	'fixed. as_of: the day to predict from, the model''s where none is given. covariates: the customer''s, in the '
	'order of the model''s names, where it was fitted with some. NULL where the customer does not exist yet at as_of, '
	'or one of the first five arguments is NULL';

CREATE FUNCTION @extschema@.clv_p_alive(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 12;
COMMENT ON FUNCTION @extschema@.clv_p_alive(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.float8[]) IS
	'P(alive): the probability that the customer is still active. as_of: the day to predict from, the model''s where '
	'none is given. covariates: the customer''s, where the model was fitted with some. NULL where the customer does '
	'not exist yet at as_of, or an argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_expected_purchases(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 14;
COMMENT ON FUNCTION @extschema@.clv_expected_purchases(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.date, pg_catalog.float8[]) IS
	'expected number of purchases in the horizon, (as_of, as_of + horizon]. as_of: the day to predict from, the '
	'model''s where none is given. covariates: the customer''s, where the model was fitted with some. NULL where the '
	'customer does not exist yet at as_of, or an argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_purchase_curve(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizons pg_catalog.interval[],
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 28;
COMMENT ON FUNCTION @extschema@.clv_purchase_curve(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval[], pg_catalog.date, pg_catalog.float8[]) IS
	'clv_expected_purchases for each of several horizons, in their order: the expected purchases of (as_of, as_of + '
	'horizon], so that neighbours differ by what is expected in between. as_of: the day to predict from, the model''s '
	'where none is given. covariates: the customer''s, where the model was fitted with some. NULL where the customer '
	'does not exist yet at as_of, or an argument other than as_of and covariates is NULL; a horizon that is NULL has '
	'a NULL';

CREATE FUNCTION clv_internal.clv_curve_sum_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval[], pg_catalog.date)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_curve_sum_add(
	pg_catalog.internal, @extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval[], pg_catalog.date) IS
	'of clv_curve_sum: takes a customer into the state';
CREATE FUNCTION clv_internal.clv_curve_sum_combine(pg_catalog.internal, pg_catalog.internal)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_curve_sum_combine(pg_catalog.internal, pg_catalog.internal) IS
	'of clv_curve_sum: puts two states together';
CREATE FUNCTION clv_internal.clv_curve_sum_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_curve_sum_serialize(pg_catalog.internal) IS
	'of clv_curve_sum: sends a state to another process';
CREATE FUNCTION clv_internal.clv_curve_sum_deserialize(pg_catalog.bytea, pg_catalog.internal)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION clv_internal.clv_curve_sum_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
	'of clv_curve_sum: receives a state; every byte is checked';
CREATE FUNCTION clv_internal.clv_curve_sum_final(pg_catalog.internal) RETURNS pg_catalog.float8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_curve_sum_final(pg_catalog.internal) IS
	'of clv_curve_sum: the sums';
CREATE AGGREGATE clv_internal.clv_curve_sum(
	model @extschema@.clv_model, history @extschema@.clv_history, horizons pg_catalog.interval[],
	as_of pg_catalog.date
) (
	SFUNC = clv_internal.clv_curve_sum_add, STYPE = pg_catalog.internal, SSPACE = 1048576,
	FINALFUNC = clv_internal.clv_curve_sum_final, COMBINEFUNC = clv_internal.clv_curve_sum_combine,
	SERIALFUNC = clv_internal.clv_curve_sum_serialize, DESERIALFUNC = clv_internal.clv_curve_sum_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_internal.clv_curve_sum(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval[], pg_catalog.date) IS
	'the sums over customers of clv_purchase_curve, and of its products with their clv_expected_spend: {{purchases '
	'until the end of each horizon}, {money until then}}, to the last digit the same in any order of rows. Customers '
	'who do not exist yet are skipped; NULL without any, in money for a model without spend, and where a sum is '
	'infinite or NaN. A part of pipelines';

CREATE FUNCTION @extschema@.clv_expected_spend(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 6;
COMMENT ON FUNCTION @extschema@.clv_expected_spend(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.float8[]) IS
	'expected value of one purchase, given what the customer has spent; NULL where that expectation does not exist '
	'(gamma/gamma: p x + q <= 1). as_of: the day to predict from, the model''s where none is given. covariates: the '
	'customer''s, where some act on spend. NULL where the customer does not exist yet at as_of, or an argument other '
	'than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_value(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 14;
COMMENT ON FUNCTION @extschema@.clv_value(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.date, pg_catalog.float8[]) IS
	'customer lifetime value over a horizon: discounted expected purchases times expected spend times margin. '
	'discount_rate: per year, effective. as_of: the day to predict from, the model''s where none is given. covariates: '
	'the customer''s, where the model was fitted with some. NULL where the customer does not exist yet at as_of, or an '
	'argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_lifetime_value(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	discount_rate pg_catalog.float8,
	margin pg_catalog.float8 DEFAULT 1,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 14;
COMMENT ON FUNCTION @extschema@.clv_lifetime_value(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.float8, pg_catalog.float8, pg_catalog.date,
	pg_catalog.float8[]) IS
	'customer lifetime value without end: discounted expected residual purchases (DERT) times expected spend times '
	'margin; NULL where the rate is 0 or less, or the sum diverges. as_of: the day to predict from, the model''s where '
	'none is given. covariates: the customer''s, where the model was fitted with some. NULL where the customer does '
	'not exist yet at as_of, or an argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_discounted_purchases(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	discount_rate pg_catalog.float8,
	horizon pg_catalog.interval DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 14;
COMMENT ON FUNCTION @extschema@.clv_discounted_purchases(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.float8, pg_catalog.interval, pg_catalog.date,
	pg_catalog.float8[]) IS
	'expected number of purchases, each discounted from the day it is made; without a horizon all that are still to '
	'come (DERT), Infinity where these diverge. discount_rate: per year, effective. as_of: the day to predict from, '
	'the model''s where none is given. covariates: the customer''s, where the model was fitted with some. NULL where '
	'the customer does not exist yet at as_of, or one of the first three arguments is NULL';

CREATE FUNCTION @extschema@.clv_purchase_probability(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	n pg_catalog.float8,
	horizon pg_catalog.interval,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_purchase_probability(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.float8, pg_catalog.interval, pg_catalog.date,
	pg_catalog.float8[]) IS
	'probability of exactly n purchases in the horizon; n = 0 includes the case that the customer has left. as_of: the '
	'day to predict from, the model''s where none is given. covariates: the customer''s, where the model was fitted '
	'with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and covariates is '
	'NULL';

CREATE FUNCTION @extschema@.clv_purchase_quantile(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	level pg_catalog.float8,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 170;
COMMENT ON FUNCTION @extschema@.clv_purchase_quantile(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.date,
	pg_catalog.float8[]) IS
	'smallest number that purchases in the horizon do not exceed with at least probability level, 0 < level < 1. '
	'as_of: the day to predict from, the model''s where none is given. covariates: the customer''s, where the model '
	'was fitted with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and '
	'covariates is NULL';

CREATE FUNCTION @extschema@.clv_value_quantile(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	level pg_catalog.float8,
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000;
COMMENT ON FUNCTION @extschema@.clv_value_quantile(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8[]) IS
	'the quantile of the value of the horizon at probability level, parameters held fixed: the quantile of '
	'undiscounted spend, times discounted by undiscounted expectation, times margin. NULL where the expected spend '
	'does not exist. as_of: the day to predict from, the model''s where none is given. covariates: the customer''s, '
	'where the model was fitted with some. NULL where the customer does not exist yet at as_of, or an argument other '
	'than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_active_probability(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_active_probability(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.date, pg_catalog.float8[]) IS
	'probability of at least one purchase in the horizon, (as_of, as_of + horizon]. as_of: the day to predict from, '
	'the model''s where none is given. covariates: the customer''s, where the model was fitted with some. NULL where '
	'the customer does not exist yet at as_of, or an argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_survival(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	horizon pg_catalog.interval,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME', 'clv_survival_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 60;
COMMENT ON FUNCTION @extschema@.clv_survival(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.interval, pg_catalog.date, pg_catalog.float8[]) IS
	'probability that the customer is still active at the end of the horizon, whatever they buy until then. as_of: the '
	'day to predict from, the model''s where none is given. covariates: the customer''s, where the model was fitted '
	'with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and covariates is '
	'NULL';

CREATE FUNCTION @extschema@.clv_next_purchase(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	level pg_catalog.float8 DEFAULT 0.5,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_next_purchase(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.float8, pg_catalog.date, pg_catalog.float8[]) IS
	'the first day by which the customer, if they are still active at as_of, will have bought again with probability '
	'level (0.5: as likely before as after); under families of whole periods the last day of a period, counted from '
	'those that are over at as_of. NULL where there is no such day within 1000 years, as the customer may leave '
	'before, and where they have left for certain. as_of: the day to predict from, the model''s where none is given. '
	'covariates: the customer''s, where the model was fitted with some. NULL where the customer does not exist yet at '
	'as_of, or an argument other than as_of and covariates is NULL';

CREATE FUNCTION @extschema@.clv_lapse_date(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	p_alive pg_catalog.float8 DEFAULT 0.5,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_lapse_date(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.float8, pg_catalog.date, pg_catalog.float8[]) IS
	'the first day on which P(alive) is below p_alive if no purchase comes after as_of: the day to act before. It is '
	'past where P(alive) is below already, and the day of the last purchase where it is from then on; under families '
	'of whole periods the day on which a period ends. NULL where there is no such day within 1000 years. as_of: the '
	'day to predict from, the model''s where none is given. covariates: the customer''s, where the model was fitted '
	'with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and covariates is '
	'NULL';

CREATE FUNCTION @extschema@.clv_log_likelihood(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.clv_log_likelihood(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.float8[]) IS
	'log of the likelihood of the customer''s purchases up to as_of: of the ordered purchase times, without x!. as_of: '
	'the day to predict from, the model''s where none is given. covariates: the customer''s, where the model was '
	'fitted with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and '
	'covariates is NULL';

CREATE FUNCTION @extschema@.clv_spend_log_likelihood(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL
) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 15;
COMMENT ON FUNCTION @extschema@.clv_spend_log_likelihood(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.float8[]) IS
	'log of the density of the customer''s mean spend; 0 without purchases of known value, NULL where it is not '
	'positive. as_of: the day to predict from, the model''s where none is given. covariates: the customer''s, where '
	'some act on spend. NULL where the customer does not exist yet at as_of, or an argument other than as_of and '
	'covariates is NULL';

CREATE FUNCTION @extschema@.rfmtc(
	history @extschema@.clv_history,
	as_of pg_catalog.date,
	model @extschema@.clv_model
) RETURNS @extschema@.clv_rfmtc
	AS 'MODULE_PATHNAME', 'rfmtc_with_model' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 40;
COMMENT ON FUNCTION @extschema@.rfmtc(@extschema@.clv_history, pg_catalog.date, @extschema@.clv_model) IS
	'recency, frequency, monetary value, tenure and churn as of a day, inclusive, with churn = 1 - P(alive) under the '
	'model (NULL where the model is NULL); NULL where the customer does not exist yet';

CREATE FUNCTION @extschema@.clv_explain(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL,
	OUT code pg_catalog.text,
	OUT reason pg_catalog.text
) RETURNS pg_catalog.record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION @extschema@.clv_explain(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.float8[]) IS
	'why a customer has the P(alive) and the value that they have. code: ''ended'' (has left for certain), ''once'' '
	'(bought once, more than 90 days ago or with a P(alive) below 0.5), ''new'', ''inactive'' (P(alive) below 0.5), '
	'''late'' (1.25 times as long without a purchase as ever before), ''slower'', ''spends less'', ''faster'', '
	'''spends more'', ''regular'' or ''active''; reason: the same in a sentence with its numbers, and how the value of '
	'the next year compares with that of a new customer: P(alive), frequency and spend, the largest effect first. '
	'as_of: the day to predict from, the model''s where none is given. covariates: the customer''s, where the model '
	'was fitted with some. NULL where the customer does not exist yet at as_of, or an argument other than as_of and '
	'covariates is NULL';

-- ---- curves, newcomers, and models of certain customers ---------------------------------------

CREATE FUNCTION @extschema@.clv_forecast(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	periods pg_catalog.int4,
	period pg_catalog.interval,
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.float8[] DEFAULT NULL,
	OUT period_start pg_catalog.date,
	OUT expected_purchases pg_catalog.float8,
	OUT expected_revenue pg_catalog.float8,
	OUT clv pg_catalog.float8
) RETURNS SETOF pg_catalog.record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300 ROWS 12;
COMMENT ON FUNCTION @extschema@.clv_forecast(
	@extschema@.clv_model, @extschema@.clv_history, pg_catalog.int4, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.date, pg_catalog.float8[]) IS
	'the expectations of clv_predict for the horizon periods * period, period by period; the rows add up to them. '
	'period_start: the day within which the period begins, after as_of + i * period; a month is a twelfth of 365.25 '
	'days, so forecast days and sum them up where calendar months are wanted; under families of discrete time periods '
	'begin on days of the calendar. expected_revenue undiscounted; clv discounted, times margin; both NULL without a '
	'spend part. No rows where the customer does not exist yet at as_of, or an argument other than as_of and '
	'covariates is NULL';

CREATE FUNCTION @extschema@.clv_new_customer(
	model @extschema@.clv_model,
	horizon pg_catalog.interval DEFAULT '1 year',
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	covariates pg_catalog.float8[] DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	OUT expected_purchases pg_catalog.float8,
	OUT first_purchase_value pg_catalog.float8,
	OUT repeat_value pg_catalog.float8,
	OUT max_acquisition_cost pg_catalog.float8
) RETURNS pg_catalog.record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.clv_new_customer(
	@extschema@.clv_model, pg_catalog.interval, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8[],
	pg_catalog.date) IS
	'a new customer, from the first purchase on: expected repeat purchases in the horizon after it, the margin of the '
	'first purchase (expected spend of the population times margin), the value of the repeats (discounted, times '
	'margin), and their sum, beyond which an acquisition costs more than it brings within the horizon. Values are NULL '
	'where the model has no spend part, or the expected spend does not exist. as_of: of models with a calendar, '
	'the day of the first purchase (NULL: the model''s as_of). NULL where an argument other than covariates and as_of '
	'is NULL';

CREATE FUNCTION @extschema@.clv_with_calendar(
	model @extschema@.clv_model,
	calendar @extschema@.clv_calendar
) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.clv_with_calendar(@extschema@.clv_model, @extschema@.clv_calendar) IS
	'the model with steps to come: those of the calendar from the day after its as_of on, which predictions then '
	'follow. A season and a trend that the fit has made need no steps: they go on. Of a model that was fitted with '
	'paths, that of the customer with this path. Errors: a model with neither calendar nor paths, a calendar with '
	'other names, one that leaves days without values or ends before as_of';

CREATE FUNCTION @extschema@.clv_with_covariates(
	model @extschema@.clv_model,
	covariates pg_catalog.float8[]
) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_with_covariates(@extschema@.clv_model, pg_catalog.float8[]) IS
	'the model of customers with these covariates: its parameters moved by the effects, for functions that take no '
	'covariates, such as those that take numbers. It has no standard errors and diagnostics of the purchase part. '
	'Errors: a model without covariates, a vector of another length, elements that are NULL or not finite';
