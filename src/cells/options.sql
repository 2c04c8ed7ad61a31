-- ---- options: a word, a number or a truth value ------------------------------------------------------------

-- season => 2 and season => 'auto', trend => true and trend => 'auto': one argument takes what an analyst would write.
CREATE TYPE clv_internal.clv_choice;

CREATE FUNCTION clv_internal.clv_choice_in(pg_catalog.cstring) RETURNS clv_internal.clv_choice
	AS 'textin' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_internal.clv_choice_in(pg_catalog.cstring) IS
	'any text, which the reader of the argument checks';
CREATE FUNCTION clv_internal.clv_choice_out(clv_internal.clv_choice) RETURNS pg_catalog.cstring
	AS 'textout' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_internal.clv_choice_out(clv_internal.clv_choice) IS
	'the text that the argument is';
CREATE FUNCTION clv_internal.clv_choice_recv(pg_catalog.internal) RETURNS clv_internal.clv_choice
	AS 'textrecv' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_internal.clv_choice_recv(pg_catalog.internal) IS
	'any text, which the reader of the argument checks';
CREATE FUNCTION clv_internal.clv_choice_send(clv_internal.clv_choice) RETURNS pg_catalog.bytea
	AS 'textsend' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_internal.clv_choice_send(clv_internal.clv_choice) IS
	'the text that the argument is, as it is sent';

CREATE TYPE clv_internal.clv_choice (
	INPUT = clv_internal.clv_choice_in,
	OUTPUT = clv_internal.clv_choice_out,
	RECEIVE = clv_internal.clv_choice_recv,
	SEND = clv_internal.clv_choice_send,
	LIKE = pg_catalog.text
);
COMMENT ON TYPE clv_internal.clv_choice IS
	'an argument that is a word, a number or a truth value: season => ''auto'', season => 2, trend => true';

CREATE CAST (pg_catalog.text AS clv_internal.clv_choice) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (pg_catalog.text AS clv_internal.clv_choice) IS 'a word as an argument of that kind';
CREATE CAST (pg_catalog.varchar AS clv_internal.clv_choice) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (pg_catalog.varchar AS clv_internal.clv_choice) IS 'a word as an argument of that kind';
CREATE CAST (pg_catalog.int4 AS clv_internal.clv_choice) WITH INOUT AS IMPLICIT;
COMMENT ON CAST (pg_catalog.int4 AS clv_internal.clv_choice) IS 'a number as an argument of that kind';
CREATE CAST (pg_catalog.bool AS clv_internal.clv_choice) WITH INOUT AS IMPLICIT;
COMMENT ON CAST (pg_catalog.bool AS clv_internal.clv_choice) IS 'a truth value as an argument of that kind';

CREATE FUNCTION @extschema@.clv_options(
	model pg_catalog.text DEFAULT 'mbg/nbd',
	spend pg_catalog.text DEFAULT 'gamma/gamma',
	time_unit pg_catalog.interval DEFAULT '1 week',
	as_of pg_catalog.date DEFAULT NULL,
	spend_basis pg_catalog.text DEFAULT 'repeat',
	penalty pg_catalog.float8 DEFAULT 0,
	start @extschema@.clv_model DEFAULT NULL,
	max_iterations pg_catalog.int4 DEFAULT NULL,
	covariates pg_catalog.text[] DEFAULT NULL,
	shape_penalty pg_catalog.float8 DEFAULT 0,
	k pg_catalog.int4 DEFAULT NULL,
	grace pg_catalog.interval DEFAULT NULL,
	clamp pg_catalog.bool DEFAULT NULL,
	correlation pg_catalog.bool DEFAULT NULL,
	periods pg_catalog.text DEFAULT NULL,
	too_few pg_catalog.text DEFAULT NULL,
	calendar @extschema@.clv_calendar DEFAULT NULL,
	purchase_covariates pg_catalog.text[] DEFAULT NULL,
	churn_covariates pg_catalog.text[] DEFAULT NULL,
	season clv_internal.clv_choice DEFAULT NULL,
	trend clv_internal.clv_choice DEFAULT NULL,
	same_effects pg_catalog.text[] DEFAULT NULL,
	churn_penalty pg_catalog.float8 DEFAULT NULL,
	prior pg_catalog.jsonb DEFAULT NULL,
	profile pg_catalog.float8 DEFAULT NULL,
	spend_covariates pg_catalog.text[] DEFAULT NULL,
	path_covariates pg_catalog.text[] DEFAULT NULL,
	shock clv_internal.clv_choice DEFAULT NULL
) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.clv_options(
	pg_catalog.text, pg_catalog.text, pg_catalog.interval, pg_catalog.date, pg_catalog.text, pg_catalog.float8,
	@extschema@.clv_model, pg_catalog.int4, pg_catalog.text[], pg_catalog.float8, pg_catalog.int4, pg_catalog.interval,
	pg_catalog.bool, pg_catalog.bool, pg_catalog.text, pg_catalog.text, @extschema@.clv_calendar, pg_catalog.text[],
	pg_catalog.text[], clv_internal.clv_choice, clv_internal.clv_choice, pg_catalog.text[], pg_catalog.float8,
	pg_catalog.jsonb, pg_catalog.float8, pg_catalog.text[], pg_catalog.text[], clv_internal.clv_choice) IS
	'checked options for clv_fit and clv_cells. model: a family of purchase models or ''auto'' (of continuous time, '
	'the best BIC); spend: a family of spend models or ''none''; time_unit: of the parameters, and the period of '
	'families of discrete time (whole months or years, stepped with the calendar, or whole days); as_of: last day to '
	'look at, inclusive (NULL: the last purchase in the data); spend_basis: ''repeat'' or ''all'' purchases; penalty: '
	'ridge on the effects of covariates (log-likelihood / customers - penalty * sum of squares), 0 for none; start: a '
	'model to start from; max_iterations: NULL for the built-in limit; covariates: the names of the covariates that '
	'each row has; shape_penalty: ridge on the logarithms of shape parameters; k: Erlang shape of mbg/cnbd-k, 1 to 8 '
	'(NULL: by likelihood); grace: of sbg and bdw, how late a payment may be; periods: of families of discrete time, '
	'''anniversary'' (of each customer''s first purchase, the default) or ''calendar'' (months, quarters, years, weeks '
	'from Monday); clamp: false leaves the probabilities of rfmtc as they come; correlation: true lets the purchase '
	'and the churn rate of pareto/nbd be correlated (the family pareto/nbd/cor); too_few: ''null'' gives NULL, and not '
	'an error, where customers cannot be fitted, as they are too few or too much alike, and a NOTICE with the number '
	'of such fits; calendar: covariates that are the same for all customers and change with the day; '
	'purchase_covariates, churn_covariates: the names of the covariates, or of the calendar''s, that act on purchases '
	'and on churn (default: all, where the family can); season: yearly harmonics that move the purchase rates, 1 to '
	'6, a level a month (''month''), or what the BIC says (''auto''); trend: true, the purchase rates grow or '
	'fall by a constant percentage a year, or ''auto''; same_effects: names of covariates whose effects on purchases '
	'and on churn are one number; churn_penalty: the penalty on effects on churn, where it is not that on purchases. '
	'prior: what is known of the parameters, from clv_pool or written by hand; profile: the level of limits of '
	'parameters by the profile of the likelihood, which the model keeps for clv_parameters; spend_covariates: the '
	'names of the covariates of customers that multiply what they spend (default: none); path_covariates: '
	'the names of the covariates of the calendar that each customer has (default: those of the first); shock: true, '
	'the fit looks for what moves all customers at once, as clv_shock does, and the model keeps it for the intervals '
	'of totals; ''auto'' (the default), where there are histories in continuous time, with at most ten combinations of '
	'covariates; or false. NULL anywhere: the default';
