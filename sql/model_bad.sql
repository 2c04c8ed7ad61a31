-- Errors of what is no model: the message says what is wrong, and the hint what to write.
-- parameters
SELECT clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.4, "a": 0.8}', '1 week');
SELECT clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.4, "a": 0.8, "b": 2.4, "c": 1}', '1 week');
SELECT clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.4, "a": 0.8, "b": 0}', '1 week');
SELECT clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.4, "a": 0.8, "b": -2}', '1 week');
SELECT clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.4, "a": 0.8, "b": 1e999}', '1 week');
SELECT clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.4, "a": 0.8, "b": "Infinity"}', '1 week');
SELECT clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.4, "a": 0.8, "b": null}', '1 week');
SELECT clv_model('bg/nbd', '[0.24, 4.4, 0.8, 2.4]', '1 week');
SELECT clv_model('bg/nbd', '3', '1 week');
SELECT clv_model('mbg/cnbd-k', '{"k": 0, "r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week');
SELECT clv_model('mbg/cnbd-k', '{"k": 1.5, "r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week');
SELECT clv_model('mbg/cnbd-k', '{"k": 33, "r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week');
-- family, unit, day
SELECT clv_model('BG/NBD', '{}', '1 week');
SELECT clv_model('', '{}', '1 week');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '0');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 mon -1 day');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1001 years');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week', 'infinity');
SELECT clv_parameters(clv_model('gamma/gamma', '{"p": 1, "q": 2, "gamma": 3}'), level => 1);
SELECT clv_parameters(clv_model('gamma/gamma', '{"p": 1, "q": 2, "gamma": 3}'), level => 'NaN');

-- covariates
SELECT clv_model('gamma/gamma', '{"p": 1, "q": 2, "gamma": 3}', covariates => '[{"name": "gender", "purchase": 1}]');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week', covariates => '{"gender": 1}');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week', covariates => '["gender"]');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week',
		   covariates => '[{"name": "gender", "buys": 1}]');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week', covariates => '[{"name": 1}]');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week',
	covariates => '[{"name": "gender", "center": 1}]');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week',
	covariates => '[{"name": "gender", "centre": "1"}]');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week',
	covariates => '[{"name": "gender", "centre": 1e400}]');
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week',
	covariates => jsonb_build_array(jsonb_build_object('name', repeat('x', 64))));
SELECT clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}', '1 week',
	covariates => (SELECT jsonb_agg(jsonb_build_object('name', i)) FROM generate_series(1, 17) i));

-- text: each of these differs from a sound model in one place
CREATE FUNCTION pg_temp.try(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN pg_temp.sound($1)::clv_model IS NOT NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
-- a path and what to put there; an empty value takes the member away
CREATE FUNCTION pg_temp.sound(edit text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN edit = '' THEN model
				WHEN split_part(edit, ' ', 2) = '' THEN model #- split_part(edit, ' ', 1)::text[]
				ELSE jsonb_set(model, split_part(edit, ' ', 1)::text[],
					substr(edit, strpos(edit, ' ') + 1)::jsonb) END::text
	FROM (SELECT '{"version": 1, "time_unit": "7 days", "as_of": "1997-09-30", "occasion": 1,
		"purchase": {"family": "bg/nbd", "parameters": {"r": 0.25, "alpha": 4.5, "a": 0.75, "b": 2.5},
			"customers": 2357, "skipped": 3, "converged": true, "log_likelihood": -9582.5,
				"gradient_norm": 1e-9, "iterations": 6,
			"covariance": [[0.0025], [0.001, 0.01], [0, 0, 0.04], [0, 0, 0.03, 0.0625]]},
		"spend": {"family": "gamma/gamma", "parameters": {"p": 6, "q": 4, "gamma": 16},
			"basis": "all"}}'::jsonb AS model) s
$$;
SELECT edit, pg_temp.try(edit) FROM unnest(ARRAY['',
	'{version}', '{version} 2', '{version} "1"', '{version} 1.5', '{time_unit}', '{time_unit} "-7 days"',
		'{time_unit} 7',
	'{time_unit} "soon"', '{time_unit} "0 days"', '{time_unit} null', '{as_of}', '{as_of} null',
	'{as_of} "today"', '{as_of} "infinity"',
	'{as_of} "30/09/1997"', '{as_of} "1997-09-31"', '{as_of} "0044-03-15 BC"', '{as_of} 19970930',
	'{occasion} -1', '{occasion} 3000000000',
	'{colour} 1', '{purchase} 1', '{purchase} []', '{purchase}', '{spend}',
	'{purchase,family}', '{purchase,family} "gamma/gamma"', '{purchase,family} "none"', '{purchase,family} 1',
	'{spend,family} "bg/nbd"', '{purchase,parameters}', '{purchase,parameters} []', '{purchase,parameters,r}',
	'{purchase,parameters,r} 0', '{purchase,parameters,r} 1e400', '{purchase,parameters,r} 1e-400',
	'{purchase,parameters,s} 1',
	'{purchase,customers}', '{purchase,customers} -1', '{purchase,customers} 1.5', '{purchase,customers} 1e19',
	'{purchase,skipped} "3"', '{purchase,converged} 1', '{purchase,log_likelihood} "NaN"', '{purchase,iterations} 1e10',
	'{purchase,basis} "all"', '{spend,basis} "some"', '{spend,iterations} 1',
	'{purchase,covariance} []', '{purchase,covariance} 1', '{purchase,covariance,0} [1,1]', '{purchase,covariance,0} 1',
	'{purchase,covariance,0,0} 0', '{purchase,covariance,0,0} -1', '{purchase,covariance,1,0} 1',
	'{purchase,covariance,0,0} "1"',
	'{spend_skipped} 1', '{candidates} 1', '{candidates} {}', '{candidates} [1]', '{candidates} [{}]',
	'{candidates} [{"family":"none"}]',
	'{candidates} [{"family":"gamma/gamma"}]', '{candidates} [{"family":"mbg/nbd","bic":"1"}]',
	'{candidates} [{"family":"mbg/nbd","k":1}]',
	'{candidates} []', '{spend,covariates} []', '{purchase,covariates} []', '{purchase,covariates} {}',
	'{purchase,covariates} [1]',
	'{purchase,covariance,3} [0,0,0.05,0.0625]', '{purchase,covariance,3} [0,0,0.0501,0.0625]']) edit;
-- text that is no JSON of a model
CREATE FUNCTION pg_temp.state(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN $1::clv_model IS NOT NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT text, pg_temp.state(text) FROM unnest(ARRAY['{}', '[]', '1', 'null', '', '{"version": 1', 'bg/nbd']) text;
-- as in jsonb, the last of two members counts
SELECT '{"version": 1, "spend": {"family": "gamma/gamma",
	"parameters": {"p": 1, "p": 2, "q": 2, "gamma": 3}}}'::clv_model;
