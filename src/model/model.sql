-- ---- models as values ----------------------------------------------------------------------

CREATE TYPE @extschema@.clv_model;

CREATE FUNCTION clv_internal.clv_model_in(pg_catalog.cstring) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION clv_internal.clv_model_out(@extschema@.clv_model) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION clv_internal.clv_model_recv(pg_catalog.internal) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION clv_internal.clv_model_send(@extschema@.clv_model) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;

CREATE TYPE @extschema@.clv_model (
	INPUT = clv_internal.clv_model_in,
	OUTPUT = clv_internal.clv_model_out,
	RECEIVE = clv_internal.clv_model_recv,
	SEND = clv_internal.clv_model_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = main
);
COMMENT ON TYPE @extschema@.clv_model IS
	'a fitted or hand-written model: families, parameters, covariance, time unit, as_of, diagnostics; its text form is '
	'JSON';

COMMENT ON FUNCTION clv_internal.clv_model_in(pg_catalog.cstring) IS
	'reads the JSON form of a model; every number is checked, unknown members are errors';
COMMENT ON FUNCTION clv_internal.clv_model_out(@extschema@.clv_model) IS
	'the model as JSON, exact and independent of settings';
COMMENT ON FUNCTION clv_internal.clv_model_recv(pg_catalog.internal) IS
	'reads the binary form of a model; every byte is checked';
COMMENT ON FUNCTION clv_internal.clv_model_send(@extschema@.clv_model) IS
	'the binary form of a model, as it is stored';

CREATE FUNCTION clv_internal.clv_model_to_jsonb(@extschema@.clv_model) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_model_to_jsonb(@extschema@.clv_model) IS
	'the model as jsonb, without loss';
CREATE FUNCTION clv_internal.clv_model_from_jsonb(pg_catalog.jsonb) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_model_from_jsonb(pg_catalog.jsonb) IS
	'the model behind its jsonb form; an error names what is missing, unknown or out of range';

CREATE CAST (@extschema@.clv_model AS pg_catalog.jsonb)
	WITH FUNCTION clv_internal.clv_model_to_jsonb(@extschema@.clv_model);
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_model)
	WITH FUNCTION clv_internal.clv_model_from_jsonb(pg_catalog.jsonb);

COMMENT ON CAST (@extschema@.clv_model AS pg_catalog.jsonb) IS 'the model as jsonb, without loss';
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_model) IS 'the model behind its jsonb form, every member checked';

-- ---- comparison: for DISTINCT, GROUP BY and indexes; the order itself means nothing --------

%canonical clv_model 1 2 models

-- ---- writing, joining, reading --------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_model(
	family pg_catalog.text,
	params pg_catalog.jsonb,
	time_unit pg_catalog.interval DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.jsonb DEFAULT NULL,
	periods pg_catalog.text DEFAULT NULL,
	calendar @extschema@.clv_calendar DEFAULT NULL
) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_model(
	pg_catalog.text, pg_catalog.jsonb, pg_catalog.interval, pg_catalog.date, pg_catalog.jsonb, pg_catalog.text,
	@extschema@.clv_calendar) IS
	'a model written down by hand, such as a published one: the family, its parameters by name in any order (all of '
	'them, positive), the unit they count time in (ignored for a spend family), the day predictions start from where '
	'they give none, and what covariates do, in the order of their vectors: [{"name": "gender", "purchase": 0.4, '
	'"churn": -0.2}], with "centre" where the parameters hold for another value than 0. periods: of families of '
	'discrete time, ''anniversary'' (the default) or ''calendar''. calendar: the covariates are its own, and change '
	'with the day. NULL family or parameters: NULL';

CREATE FUNCTION clv_internal.clv_model_join(@extschema@.clv_model, @extschema@.clv_model) RETURNS @extschema@.clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_model_join(@extschema@.clv_model, @extschema@.clv_model) IS
	'joins a model of purchases and a model of spend, in either order; an error where both are of one kind or as of '
	'different days';
CREATE OPERATOR @extschema@.|| (
	LEFTARG = @extschema@.clv_model, RIGHTARG = @extschema@.clv_model, FUNCTION = clv_internal.clv_model_join,
	COMMUTATOR = OPERATOR(@extschema@.||));
COMMENT ON OPERATOR @extschema@.|| (@extschema@.clv_model, @extschema@.clv_model) IS
	'a model of purchases and a model of spend, joined';

CREATE FUNCTION @extschema@.clv_parameters(
	model @extschema@.clv_model,
	level pg_catalog.float8 DEFAULT 0.95,
	method pg_catalog.text DEFAULT 'wald',
	OUT name pg_catalog.text,
	OUT estimate pg_catalog.float8,
	OUT std_error pg_catalog.float8,
	OUT lower pg_catalog.float8,
	OUT upper pg_catalog.float8,
	OUT process pg_catalog.text
) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 9;
COMMENT ON FUNCTION @extschema@.clv_parameters(@extschema@.clv_model, pg_catalog.float8, pg_catalog.text) IS
	'the parameters of a model with their standard errors and confidence intervals at the level (0 < level < 1), of'
	' Wald''s kind on the log scale: estimate * exp(+-z * std_error / estimate), for probabilities on the logit '
	'scale; NULL where the fit did not converge or the model carries no covariance, and of a parameter that the fit'
	' did not move. method: ''wald'' or ''profile'', the limits by the profile of the likelihood (with a prior, of '
	'the posterior) that clv_options(profile => level) has a fit keep, at that level; the end of the range, as 0 or'
	' Infinity, where the data exclude no values on that side, NULL also of what is derived. process: transaction, '
	'spend, or of a covariate centre (the value that the other parameters hold for, in a fit the mean), purchase '
	'effect and churn effect (rates are multiplied by exp(effect * (covariate - centre)), intervals are estimate '
	'+-z * std_error); of a covariate that acts on spend, spend centre and spend effect. Rates are of days with '
	'purchases, one a day: of many customers the limits of alpha are off from those of purchases at any time by '
	'more than they are wide';

CREATE FUNCTION @extschema@.clv_effects(
	model @extschema@.clv_model,
	level pg_catalog.float8 DEFAULT 0.95,
	OUT name pg_catalog.text,
	OUT process pg_catalog.text,
	OUT effect pg_catalog.float8,
	OUT std_error pg_catalog.float8,
	OUT lower pg_catalog.float8,
	OUT upper pg_catalog.float8,
	OUT rate_ratio pg_catalog.float8
) RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 4;
COMMENT ON FUNCTION @extschema@.clv_effects(@extschema@.clv_model, pg_catalog.float8) IS
	'what covariates do, those of customers and those of a calendar: their effects on the process purchase, churn or '
	'spend, with standard errors and limits at the level (0 < level < 1), NULL where not estimated; a covariate larger '
	'by 1 multiplies the rate, or what a purchase is worth, by rate_ratio, exp(effect); rate_ratio is NULL of effects '
	'on churn in families whose customers leave after purchases. Covariates that were not to act are left out';

CREATE FUNCTION @extschema@.clv_diagnostics(
	model @extschema@.clv_model,
	OUT purchase_model pg_catalog.text,
	OUT customers pg_catalog.int8,
	OUT skipped pg_catalog.int8,
	OUT log_likelihood pg_catalog.float8,
	OUT aic pg_catalog.float8,
	OUT bic pg_catalog.float8,
	OUT iterations pg_catalog.int4,
	OUT converged pg_catalog.bool,
	OUT gradient_norm pg_catalog.float8,
	OUT spend_model pg_catalog.text,
	OUT spend_customers pg_catalog.int8,
	OUT spend_skipped pg_catalog.int8,
	OUT spend_log_likelihood pg_catalog.float8,
	OUT spend_aic pg_catalog.float8,
	OUT spend_bic pg_catalog.float8,
	OUT spend_iterations pg_catalog.int4,
	OUT spend_converged pg_catalog.bool,
	OUT spend_gradient_norm pg_catalog.float8,
	OUT spend_basis pg_catalog.text,
	OUT frequency_spend_correlation pg_catalog.float8,
	OUT as_of pg_catalog.date,
	OUT time_unit pg_catalog.interval,
	OUT occasion pg_catalog.int4,
	OUT candidates pg_catalog.jsonb,
	OUT periods pg_catalog.text,
	OUT returned pg_catalog.int8,
	OUT remark pg_catalog.text,
	OUT prior_distance pg_catalog.float8,
	OUT effective_parameters pg_catalog.float8,
	OUT spend_prior_distance pg_catalog.float8,
	OUT spend_effective_parameters pg_catalog.float8
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_diagnostics(@extschema@.clv_model) IS
	'what a model holds about its own fit: customers fitted and skipped (not yet customers at as_of; for spend, repeat '
	'buyers without a positive known mean), log-likelihood, AIC and BIC (n = customers fitted), iterations, '
	'convergence, length of the last Newton step in standard errors; candidates: of model => auto the families that '
	'were tried, best first (family, log_likelihood, bic, converged); periods: of families of discrete time, '
	'anniversary or calendar; returned: of sbg, customers who paid again after their contract had ended; remark: '
	'reasons to doubt the model (a fit did not converge; parameters whose 95 % limits lie more than 10,000 times '
	'apart, with the limits; a candidate of a better BIC), NULL where there are none; of fits with a prior: the '
	'distance from its mean in its standard deviations, and how many parameters and effects the data determine '
	'(log-likelihoods are without the prior). NULL where the part is missing '
	'or written by hand';

CREATE FUNCTION @extschema@.clv_compare(
	first @extschema@.clv_model,
	second @extschema@.clv_model,
	OUT statistic pg_catalog.float8,
	OUT df pg_catalog.int4,
	OUT p_value pg_catalog.float8,
	OUT delta_aic pg_catalog.float8,
	OUT delta_bic pg_catalog.float8,
	OUT larger pg_catalog.text
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_compare(@extschema@.clv_model, @extschema@.clv_model) IS
	'likelihood-ratio test of two purchase models, in either order, of which one is the other with parameters held '
	'fixed: the same family with more covariates, bdw against sbg, or ggompertz/nbd against pareto/nbd (on '
	'the border of its parameters: the p-value is the mean of the tails with df - 1 and df). larger: which has more '
	'parameters; a small p_value and negative differences of AIC and BIC (larger minus smaller) speak for it. Errors: '
	'models that are not nested, written by hand, or fitted to different customers, as_of, time unit, occasion or '
	'priors. Penalised fits have no such test. Where the purchases are the same fit, the test is that of the spend: '
	'gamma/gamma with more covariates';
