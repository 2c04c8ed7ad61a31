-- ---- campaigns: what came of treating some customers and not others -------------------------------
--
-- Aggregates take neither names nor defaults: an overload for each number of arguments. COST: the time of a customer,
-- in units of 20 ns.

CREATE TYPE @extschema@.clv_campaign_effect AS (
	measure pg_catalog.text,
	treated pg_catalog.int8,
	control pg_catalog.int8,
	treated_mean pg_catalog.float8,
	control_mean pg_catalog.float8,
	raw_effect pg_catalog.float8,
	raw_std_error pg_catalog.float8,
	raw_p_value pg_catalog.float8,
	effect pg_catalog.float8,
	std_error pg_catalog.float8,
	lower pg_catalog.float8,
	upper pg_catalog.float8,
	p_value pg_catalog.float8,
	variance_explained pg_catalog.float8,
	lift pg_catalog.float8,
	total_effect pg_catalog.float8,
	cost_per_unit pg_catalog.float8,
	smallest_effect pg_catalog.float8,
	balance pg_catalog.float8,
	balance_p_value pg_catalog.float8,
	share_p_value pg_catalog.float8,
	actual pg_catalog.float8,
	predicted pg_catalog.float8,
	difference pg_catalog.float8,
	difference_low pg_catalog.float8,
	difference_high pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_campaign_effect IS 'a measure of clv_campaign';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.measure IS
	'purchases, buyers (customers with at least one purchase) or revenue (net of refunds)';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.treated IS
	'customers who were treated; of revenue, those whose amounts are known';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.control IS 'customers who were not';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.treated_mean IS 'mean of the treated';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.control_mean IS 'mean of the control group';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.raw_effect IS
	'difference of the means; NULL where a group has less than two customers, as are all columns of effects';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.raw_std_error IS 'its standard error';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.raw_p_value IS
	'probability of a difference at least as large without an effect';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.effect IS
	'effect on a customer: the difference of the means, adjusted by what was predicted of each before';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.std_error IS 'its standard error';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.lower IS 'lower end of its 95 % confidence interval';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.upper IS 'upper end of its 95 % confidence interval';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.p_value IS 'probability of an effect at least as large by chance';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.variance_explained IS
	'share of the variance between customers that the prediction explains, which the adjustment takes out';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.lift IS
	'effect over what the treated would have had without it; NULL unless that is positive';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.total_effect IS 'effect on all who were treated';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.cost_per_unit IS
	'cost over total_effect: of an order, a buyer or a unit of money that came of the campaign; NULL without a '
	'cost, and unless the effect is positive';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.smallest_effect IS
	'the effect that such a campaign finds with probability 0.8';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.balance IS
	'how much more had been predicted of the treated, in standard deviations; 0 in the mean where chance decides';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.balance_p_value IS
	'probability of a difference at least as large where chance decides';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.share_p_value IS
	'probability of a share of treated customers as far from the planned one by chance; NULL without a planned '
	'share';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.actual IS
	'what all treated did; as the columns after it, NULL where there is a control group';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.predicted IS 'what was predicted of them';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.difference IS
	'actual - predicted: of the campaign, the season and all else together';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.difference_low IS
	'lower end of its 95 % prediction interval: a model that holds has 0 in it';
COMMENT ON COLUMN @extschema@.clv_campaign_effect.difference_high IS 'upper end of its 95 % prediction interval';

CREATE FUNCTION clv_internal.clv_campaign_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.clv_campaign_combine(pg_catalog.internal, pg_catalog.internal) IS
	'of clv_campaign: the customers of both states';
CREATE FUNCTION clv_internal.clv_campaign_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.clv_campaign_serialize(pg_catalog.internal) IS
	'of clv_campaign: a state as bytes';
CREATE FUNCTION clv_internal.clv_campaign_deserialize(pg_catalog.bytea, pg_catalog.internal)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.clv_campaign_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
	'of clv_campaign: the state that bytes hold';
CREATE FUNCTION clv_internal.clv_campaign_final(pg_catalog.internal) RETURNS @extschema@.clv_campaign_effect[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_campaign_final(pg_catalog.internal) IS 'of clv_campaign: its rows';

CREATE FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 700;
COMMENT ON FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date) IS
	'of clv_campaign: adds a customer to the state; skips NULLs, and customers who had not bought before';
CREATE AGGREGATE @extschema@.clv_campaign(
	treated pg_catalog.bool, history @extschema@.clv_history, model @extschema@.clv_model,
	since pg_catalog.date, until pg_catalog.date) (
	SFUNC = clv_internal.clv_campaign_add, STYPE = pg_catalog.internal, SSPACE = 30000,
	FINALFUNC = clv_internal.clv_campaign_final, COMBINEFUNC = clv_internal.clv_campaign_combine,
	SERIALFUNC = clv_internal.clv_campaign_serialize, DESERIALFUNC = clv_internal.clv_campaign_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_campaign(
	pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date, pg_catalog.date) IS
	'what a campaign from since to until, both included, changed (treated, history, model, since, until): a row '
	'for purchases, buyers and revenue, as an array to unnest. Effects compare treated customers with the '
	'others, as they are and adjusted by what the model, of before the campaign, predicted of each; without '
	'others, actual values are compared with predicted ones. Customers who had not bought before since, and '
	'NULLs in the first three, are skipped; NULL where no customer is left. Warns where chance did not make the '
	'groups, and of a model that knows the campaign';

CREATE FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date, pg_catalog.float8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 700;
COMMENT ON FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date, pg_catalog.float8) IS
	'of clv_campaign: adds a customer to the state; skips NULLs, and customers who had not bought before';
CREATE AGGREGATE @extschema@.clv_campaign(
	treated pg_catalog.bool, history @extschema@.clv_history, model @extschema@.clv_model,
	since pg_catalog.date, until pg_catalog.date, cost pg_catalog.float8) (
	SFUNC = clv_internal.clv_campaign_add, STYPE = pg_catalog.internal, SSPACE = 30000,
	FINALFUNC = clv_internal.clv_campaign_final, COMBINEFUNC = clv_internal.clv_campaign_combine,
	SERIALFUNC = clv_internal.clv_campaign_serialize, DESERIALFUNC = clv_internal.clv_campaign_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_campaign(
	pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date, pg_catalog.date,
	pg_catalog.float8) IS
	'what a campaign from since to until, both included, changed (treated, history, model, since, until, cost): '
	'a row for purchases, buyers and revenue, as an array to unnest. Effects compare treated customers with the '
	'others, as they are and adjusted by what the model, of before the campaign, predicted of each; without '
	'others, actual values are compared with predicted ones. cost is that of the whole campaign. Customers who '
	'had not bought before since, and NULLs in the first three, are skipped; NULL where no customer is left. Warns '
	'where chance did not make the groups, and of a model that knows the campaign';

CREATE FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date, pg_catalog.float8, pg_catalog.float8)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 700;
COMMENT ON FUNCTION clv_internal.clv_campaign_add(
	pg_catalog.internal, pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date,
	pg_catalog.date, pg_catalog.float8, pg_catalog.float8) IS
	'of clv_campaign: adds a customer to the state; skips NULLs, and customers who had not bought before';
CREATE AGGREGATE @extschema@.clv_campaign(
	treated pg_catalog.bool, history @extschema@.clv_history, model @extschema@.clv_model,
	since pg_catalog.date, until pg_catalog.date, cost pg_catalog.float8, share pg_catalog.float8) (
	SFUNC = clv_internal.clv_campaign_add, STYPE = pg_catalog.internal, SSPACE = 30000,
	FINALFUNC = clv_internal.clv_campaign_final, COMBINEFUNC = clv_internal.clv_campaign_combine,
	SERIALFUNC = clv_internal.clv_campaign_serialize, DESERIALFUNC = clv_internal.clv_campaign_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_campaign(
	pg_catalog.bool, @extschema@.clv_history, @extschema@.clv_model, pg_catalog.date, pg_catalog.date,
	pg_catalog.float8, pg_catalog.float8) IS
	'what a campaign from since to until, both included, changed (treated, history, model, since, until, cost, '
	'share): a row for purchases, buyers and revenue, as an array to unnest. Effects compare treated customers '
	'with the others, as they are and adjusted by what the model, of before the campaign, predicted of each; '
	'without others, actual values are compared with predicted ones. cost is that of the whole campaign, share '
	'the part of the customers that was to be treated. Customers who had not bought before since, and NULLs in '
	'the first three, are skipped; NULL where no customer is left. Warns where chance did not make the groups, and of '
	'a model that knows the campaign';
