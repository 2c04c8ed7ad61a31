-- clv_options(): defaults and errors
SELECT clv_options() = '{"model": "mbg/nbd", "spend": "gamma/gamma", "time_unit": "7 days",
                         "spend_basis": "repeat"}' AS defaults;
SELECT clv_options(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) = clv_options() AS nulls_are_defaults;
SELECT clv_options(model => 'bg/nbd', spend => 'none', time_unit => '1 day', as_of => '1997-09-30',
                   spend_basis => 'all', shape_penalty => 0.25, max_iterations => 7)
     = '{"model": "bg/nbd", "spend": "none", "time_unit": "1 day", "as_of": "1997-09-30",
         "spend_basis": "all", "shape_penalty": 0.25, "max_iterations": 7}' AS everything;
SELECT clv_options(model => 'auto') ->> 'model' = 'auto' AS auto;

-- units are written in words that every IntervalStyle reads back
SELECT clv_options(time_unit => u) ->> 'time_unit' AS unit
  FROM unnest('{1 mon,1 year 2 mons 3 days,48:00:00}'::interval[]) u;
SET intervalstyle = sql_standard;
SET datestyle = german;
SELECT clv_options(time_unit => '14 days', as_of => '1997-09-30') ->> 'time_unit' AS unit,
       clv_options(as_of => '1997-09-30') ->> 'as_of' AS as_of;
RESET intervalstyle;
RESET datestyle;

-- a start is its parameters, to the last bit
SELECT clv_options(start => m) -> 'start' = '{"mbg/nbd": {"r": 0.1, "alpha": 4, "a": 0.7, "b": 3}}' AS start
  FROM clv_model('mbg/nbd', '{"r": 0.1, "alpha": 4, "a": 0.7, "b": 3}', '1 week') m;
SELECT clv_options(start => clv_model('mbg/nbd', '{"r": 0.1, "alpha": 4, "a": 0.7, "b": 3}', '1 week')
                        || clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}')) #> '{start,gamma/gamma}'
     = '{"p": 6, "q": 4, "gamma": 15}' AS spend_start;

-- these errors list the families
\set VERBOSITY terse
SELECT clv_options(model => 'mbg');
SELECT clv_options(model => 'gamma/gamma');
SELECT clv_options(spend => 'bg/nbd');
SELECT clv_options(spend => '');
\set VERBOSITY default
SELECT clv_options(time_unit => '0');
SELECT clv_options(time_unit => '1 mon -1 day');
SELECT clv_options(time_unit => '1001 years');
SELECT clv_options(as_of => '-infinity');
SELECT clv_options(spend_basis => 'first');
SELECT clv_options(penalty => -1);
SELECT clv_options(penalty => 'Infinity');
SELECT clv_options(max_iterations => 0);
SELECT clv_options(start => clv_model('bg/nbd', '{"r": 0.1, "alpha": 4, "a": 0.7, "b": 3}', '1 week'));
SELECT clv_options(start => clv_model('mbg/nbd', '{"r": 0.1, "alpha": 4, "a": 0.7, "b": 3}', '1 day'));
-- the wording is the server's, and differs between versions
\set VERBOSITY sqlstate
SELECT clv_options(modle => 'bg/nbd');
\set VERBOSITY default

-- JSON by hand is checked key by key
CREATE TEMP TABLE h AS SELECT clv_history(date '2020-01-01', 1::numeric) AS h;
CREATE FUNCTION pg_temp.try(options jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM clv_cells(h, options) FROM h;
	RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT o AS options, pg_temp.try(o::jsonb) AS verdict
  FROM unnest(ARRAY['{}', '{"model": "bg/nbd"}', '{"as_of": null}', '[]', '1', '"mbg/nbd"', 'null',
                    '{"modle": "bg/nbd"}', '{"model": 1}', '{"model": ["bg/nbd"]}', '{"model": {}}', '{"model": ""}',
                    '{"model": "none"}', '{"spend": "auto"}',
                    '{"time_unit": 7}', '{"time_unit": "fortnight"}', '{"time_unit": "-7 days"}',
                    '{"as_of": "today"}', '{"as_of": "1/2/2020"}', '{"as_of": "infinity"}', '{"as_of": 20200101}',
                    '{"as_of": "2020-02-30"}', '{"spend_basis": "none"}', '{"penalty": "0"}',
                    '{"penalty": -1}', '{"max_iterations": 1.5}', '{"max_iterations": 1e9}',
                    '{"start": "bg/nbd"}', '{"start": []}', '{"start": {}}', '{"start": {"bg/nbd": 1}}',
                    '{"start": {"nbd": {}}}', '{"start": {"mbg/nbd": {}}}', '{"start": {"mbg/nbd": []}}',
                    '{"start": {"mbg/nbd": {"r": 1, "alpha": 1, "a": 1, "c": 1}}}',
                    '{"start": {"mbg/nbd": {"r": 1, "alpha": 1, "a": 1, "b": 0}}}',
                    '{"start": {"mbg/nbd": {"r": 1, "alpha": 1, "a": 1, "b": "1"}}}',
                    '{"start": {"mbg/nbd": {"r": 1, "alpha": 1, "a": 1, "b": {"x": 1}}}}',
                    '{"start": {"mbg/nbd": {"r": 1, "alpha": 1, "a": 1, "b": 1}}}',
                    '{"start": {"bg/nbd": {"r": 1, "alpha": 1, "a": 1, "b": 1}}}',
					'{"start": {"bg/nbd": {"r": 1, "alpha": 1, "a": 1, "b": 1}, '
					'"mbg/nbd": {"r": 1, "alpha": 1, "a": 1, "b": 1}}}'
                   ]) o;

-- the options are the arguments of clv_options(), in their order, and those that only JSON has
CREATE FUNCTION pg_temp.known() RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	PERFORM clv_fit(1, 1, 2, 3, '{"": 1}');
	RETURN NULL;
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END $$;
SELECT pg_temp.known() = 'Known are ' || array_to_string(proargnames, ', ')
		   || ', start_effects and start_centre.' AS same,
       pronargs > 0 AS some
  FROM pg_proc WHERE oid = 'clv_options'::regproc;
DROP TABLE h;
