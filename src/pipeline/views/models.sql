-- ---- models, model_parameters: what was fitted ------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_models() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 30
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'model', $sql$
		CREATE TABLE {data}.model (
			run int8,
			group_name varchar(200) DEFAULT '',
			fitted_at timestamptz NOT NULL,
			as_of date NOT NULL,
			reason text NOT NULL,
			fingerprint text NOT NULL,
			model @extschema@.clv_model NOT NULL,
			cuts @extschema@.clv_cuts NOT NULL,
			prior jsonb,
			added_in int8,
			PRIMARY KEY (run, group_name)
		)
	$sql$, 'the models: group_name is empty for that of all customers, which has the prior of those of groups; '
		'added_in: the later run in which a group first came'),

	('view', 'models', $sql$
		FROM {data}.model c
		JOIN {data}.run u ON u.run = c.run AND u.published_at IS NOT NULL
		CROSS JOIN LATERAL @extschema@.clv_diagnostics(c.model) d
		LEFT JOIN LATERAL @extschema@.clv_shock(c.model) k ON true
		WHERE coalesce(c.added_in, 0) <= (SELECT s.run FROM {data}.state s)
	$sql$,
		'The models that were fitted and published: one row a fit, and with group_by another for each group. Key: run, '
		'group_name'),
	('column', 'run', 'c.run', 'number of the refresh that fitted it'),
	('column', 'group_name', $$nullif(c.group_name, '')::varchar(200)$$, 'group; NULL for all customers together'),
	('column', 'is_current', 'c.run = (SELECT s.model_run FROM {data}.run s JOIN {data}.state t USING (run))',
		'whether the views rest on it'),
	('column', 'fitted_at', 'c.fitted_at', 'when it was fitted'),
	('column', 'as_of', 'c.as_of', 'last day of its data'),
	('column', 'reason', 'c.reason::varchar(400)', 'why it was fitted'),
	('column', 'purchase_model', 'd.purchase_model::varchar(40)', 'family of the purchase model'),
	('column', 'spend_model', 'd.spend_model::varchar(40)', 'family of the spend model'),
	('column', 'customers', 'd.customers', 'customers fitted'),
	('column', 'log_likelihood', 'clv_internal.clv_finite(d.log_likelihood)', 'log-likelihood of the purchases'),
	('column', 'bic', 'clv_internal.clv_finite(d.bic)', 'Bayesian information criterion of the purchase model'),
	('column', 'converged', 'd.converged', 'whether the fit of the purchases converged'),
	('column', 'shock_sd', 'k.sd',
		'standard deviation of the purchases of a week that moves all customers at once, relative to their '
		'expectation; NULL where the data do not tell one'),
	('column', 'shock_lasting', 'k.lasting', 'share of its variance that does not end with the week'),
	('column', 'shock_correlation', 'k.correlation', 'correlation of this part between a week and the next'),
	('column', 'spend_customers', 'd.spend_customers', 'repeat buyers fitted'),
	('column', 'spend_log_likelihood', 'clv_internal.clv_finite(d.spend_log_likelihood)',
		'log-likelihood of the spend'),
	('column', 'spend_converged', 'd.spend_converged', 'whether the fit of the spend converged'),
	('column', 'frequency_spend_correlation', 'clv_internal.clv_finite(d.frequency_spend_correlation)',
		'correlation of frequency and spend: the spend model rests on its absence'),
	('column', 'prior_distance', 'clv_internal.clv_finite(d.prior_distance)',
		'standard deviations of the prior between its mean and the purchases of the group; NULL without a prior'),
	('column', 'effective_parameters', 'clv_internal.clv_finite(d.effective_parameters)',
		'how many parameters the customers of the group determine by themselves; NULL without a prior'),
	('column', 'time_unit_days', '(extract(epoch FROM d.time_unit) / 86400)::float8',
		'days of the time unit of the parameters'),

	('view', 'model_parameters', $sql$
		FROM {data}.model c
		CROSS JOIN LATERAL @extschema@.clv_parameters(c.model, 0.95::float8, 'wald'::text) d
		WHERE c.run = (SELECT s.model_run FROM {data}.run s JOIN {data}.state t USING (run))
		  AND coalesce(c.added_in, 0) <= (SELECT t.run FROM {data}.state t)
	$sql$,
		'Parameters of the current models with standard errors and 95 % limits. Key: group_name, process, parameter'),
	('column', 'group_name', $$nullif(c.group_name, '')::varchar(200)$$, 'group; NULL for all customers together'),
	('column', 'process', 'd.process::varchar(40)', 'transaction, spend, or covariates'),
	('column', 'parameter', 'd.name::varchar(80)', 'name of the parameter'),
	('column', 'estimate', 'clv_internal.clv_finite(d.estimate)', 'estimate'),
	('column', 'std_error', 'clv_internal.clv_finite(d.std_error)', 'standard error'),
	('column', 'lower', 'clv_internal.clv_finite(d.lower)', 'lower 95 % limit'),
	('column', 'upper', 'clv_internal.clv_finite(d.upper)', 'upper 95 % limit')
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_models() IS
	'the table and the views of the models. A part of pipelines';
