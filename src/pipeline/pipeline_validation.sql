-- ---- step: validation -------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_holdout(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, histories pg_catalog.int8,
	since pg_catalog.date, until pg_catalog.date, span pg_catalog.interval, tracked pg_catalog.bool,
	OUT rows pg_catalog.int8, OUT shortfall pg_catalog.text, OUT failure pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- its warnings would be taken for those of the model that the views rest on
SET search_path = pg_catalog, pg_temp SET client_min_messages = error
AS $$
DECLARE
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
	sample text;
	past @extschema@.clv_model;
	fillings text[];
BEGIN
	sample := clv_internal.clv_pipeline_keep_sample(d, this.generation, histories);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT @extschema@.clv_fit(h.history, $1::jsonb)
		FROM {1} h
	$sql$::text, ARRAY[sample]) INTO past USING clv_internal.clv_pipeline_fit_options(d, since, this.calendar)
		|| CASE WHEN d.options ->> 'model' = 'auto'
			THEN jsonb_build_object('model', (@extschema@.clv_diagnostics(this.model)).purchase_model) ELSE '{}' END
		|| '{"shock": false}';
	shortfall := clv_internal.clv_pipeline_shortfall(past, d.options);
	fillings := (
		SELECT ARRAY[sample, past::text, since::text, until::text, span::text,
			(m.converged AND coalesce(m.spend_converged, true))::text]
		FROM @extschema@.clv_diagnostics(past) m
	);
	rows := clv_internal.clv_pipeline_fill(d, run, 'calibration'::text, fillings)
		+ clv_internal.clv_pipeline_fill(d, run, 'lift'::text, fillings);
	IF tracked THEN
		rows := rows + clv_internal.clv_pipeline_fill(d, run, 'tracking'::text, fillings);
	END IF;
	PERFORM clv_internal.clv_pipeline_drop_sample(d);
EXCEPTION
	-- a past too short or too quiet for a fit is nothing to keep today's results back for
	WHEN data_exception OR invalid_parameter_value OR no_data_found OR numeric_value_out_of_range
		OR null_value_not_allowed OR object_not_in_prerequisite_state THEN
		rows := 0;
		failure := SQLERRM;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_holdout(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8, pg_catalog.date, pg_catalog.date,
	pg_catalog.interval, pg_catalog.bool) IS
	'the predictions of a model of the customers up to since, or of a sample of the histories, for the span that '
	'ends with until, with the actual purchases, by week too where that is tracked; or why there are none. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_validation(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this clv_internal.clv_pipeline_run := clv_internal.clv_pipeline_this(d, run);
	clock record := clv_internal.clv_validate_clock(this.model);
	first date;
	histories int8;
	days float8;
	weeks float8;
	span interval;
	since date;
	until date;
	tried record;
BEGIN
	IF this.model_run = run OR d.group_by IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_fill(d, run, 'new_customer'::text);
	END IF;
	IF this.model_run <> run THEN
		RETURN 0;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT min(t.first_purchase)
		FROM {data}.total t
		WHERE t.run = $1
	$sql$::text) INTO first USING run;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.histories
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO histories USING run;
	-- whole weeks, or periods of the family
	days := least(extract(epoch FROM coalesce(d.holdout, d.horizon)) / 86400, (this.as_of - first) / 3.0);
	weeks := greatest(clock.unit_days, 7);
	span := CASE clock.clock
		WHEN 'continuous' THEN make_interval(days => (floor(days / weeks) * weeks)::int4)
		ELSE floor(days / clock.unit_days) * clock.time_unit
	END;
	since := (this.as_of + 1 - span)::date - 1;
	until := coalesce((clv_internal.clv_validate_periods(this.model, since, span)).until, this.as_of);
	IF clock.clock NOT IN ('continuous', 'opportunities') THEN
		PERFORM clv_internal.clv_pipeline_note(d, run, format('no validation: there is none of model "%s"',
			(@extschema@.clv_diagnostics(this.model)).purchase_model));
		RETURN 1;
	ELSIF until - since < 28 THEN
		PERFORM clv_internal.clv_pipeline_note(d, run,
			format('no validation: a hold-out of %s days is shorter than 28', until - since));
		RETURN 1;
	END IF;
	tried := clv_internal.clv_pipeline_holdout(d, run, histories, since, until, span,
		clock.clock = 'continuous');
	IF tried.shortfall IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_note(d, run, 'of the model before the hold-out: ' || tried.shortfall);
		RAISE WARNING 'the fit for the hold-out of pipeline "%" is not reliable', d.name
			USING DETAIL = format('Fitted as of %s: %s.', to_char(since, 'YYYY-MM-DD'), tried.shortfall);
	END IF;
	PERFORM clv_internal.clv_pipeline_note(d, run, 'no validation: ' || tried.failure);
	RETURN 1 + tried.rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_validation(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh that has fitted a model: a model fitted in the same way before a hold-out, its predictions '
	'compared with the hold-out; and the value of a new customer. A part of pipelines';
