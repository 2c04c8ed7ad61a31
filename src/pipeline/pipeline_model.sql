-- ---- step: the model --------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_fit_options(
	d clv_internal.clv_pipeline_definition, as_of pg_catalog.date, calendar @extschema@.clv_calendar)
RETURNS pg_catalog.jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (d).options || jsonb_strip_nulls(jsonb_build_object(
		'as_of', to_char(as_of, 'YYYY-MM-DD'),
		'calendar', calendar::jsonb))
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fit_options(
	clv_internal.clv_pipeline_definition, pg_catalog.date, @extschema@.clv_calendar) IS
	'the options of a fit as of a day, with the calendar (NULL: that of the options, or none). A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_cells(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, options pg_catalog.jsonb)
RETURNS @extschema@.clv_cells
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET random_page_cost = 1.1
AS $$
DECLARE
	counted @extschema@.clv_cells;
	before @extschema@.clv_cells;
	after @extschema@.clv_cells;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT c.cells
		FROM {data}.cells c
		WHERE c.generation = $1 AND c.options = $2
	$sql$::text) INTO counted USING generation, options;
	IF counted IS NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT @extschema@.clv_cells(h.history, $2::jsonb)
			FROM {data}.history h
			WHERE h.generation = $1
		$sql$::text) INTO counted USING generation, options;
	ELSE
		-- take out what touched customers were, and put in what they are
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT @extschema@.clv_cells(t.before, $2::jsonb), @extschema@.clv_cells(h.history, $2::jsonb)
			FROM {data}.touched t
			LEFT JOIN {data}.history h ON h.generation = $1 AND {h=t}
		$sql$::text) INTO before, after USING generation, options;
		IF before IS NOT NULL THEN
			counted := counted OPERATOR(@extschema@.-) before;
		END IF;
		IF after IS NOT NULL THEN
			counted := counted OPERATOR(@extschema@.+) after;
		END IF;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.cells'::text);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.touched'::text);
	-- only a fit on the same day takes them up again
	IF d.changed_at IS NOT NULL AND d.refit = 'always' THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.cells (generation, options, cells) VALUES ($1, $2, $3)
		$sql$::text) USING generation, options, counted;
	END IF;
	RETURN counted;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_cells(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.jsonb) IS
	'the cells of all customers: the stored ones with touched customers exchanged, where the options are the same, '
	'else counted anew. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_drift(
	d clv_internal.clv_pipeline_definition, this record, latest record)
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	total record;
BEGIN
	IF d.group_by IS NOT NULL THEN
		total := clv_internal.clv_pipeline_group_drift(d, this.generation, latest.run, this.calendar, latest.as_of,
			this.as_of);
	ELSE
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			SELECT
				(q.t).expected_purchases AS expected,
				(q.t).purchases_low_without_shock AS low,
				(q.t).purchases_high_without_shock AS high,
				q.made
			FROM (
				SELECT
					@extschema@.clv_predict_total($2::@extschema@.clv_model, h.history, $3::interval, 0::float8,
						1::float8, $4::date, 0.99::float8) AS t,
					sum(@extschema@.clv_purchases_between(h.history, $4::date, $5::date))
						FILTER (WHERE @extschema@.clv_first_purchase(h.history) <= $4::date) AS made
				FROM {data}.history h
				WHERE h.generation = $1
			) q
		$sql$::text) INTO total USING this.generation,
			clv_internal.clv_pipeline_ahead(latest.model, this.calendar),
			make_interval(days => this.as_of - latest.as_of), latest.as_of, this.as_of;
	END IF;
	-- chance has its interval; a tenth more is what a fit that is a little old may be wrong by. What moves all
	-- customers at once is not part of it, as it may last
	RETURN CASE
		WHEN coalesce(total.made NOT BETWEEN total.low AND total.high, true)
			AND abs(total.made - total.expected) > 0.1 * total.expected
		THEN format('drift: %s purchases since %s, %s expected', total.made, to_char(latest.as_of, 'YYYY-MM-DD'),
			round(total.expected))
	END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_drift(clv_internal.clv_pipeline_definition, record, record) IS
	'what the customers of the day of the latest model have done since then in a run (generation, as_of, calendar), '
	'where that lies outside the 99 % prediction interval and more than a tenth off; else NULL. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_refit_reason(
	d clv_internal.clv_pipeline_definition, this record, latest record, fingerprint pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	age CONSTANT interval := CASE
		WHEN d.refit = 'auto' THEN interval '7 days'
		WHEN d.refit ~ E'\\d' THEN d.refit::interval
	END;
BEGIN
	IF latest.run IS NULL THEN
		RETURN 'first';
	ELSIF latest.fingerprint <> fingerprint THEN
		RETURN 'definition changed';
	ELSIF this.calendar IS NOT NULL AND @extschema@.clv_calendar_values(this.calendar, this.as_of) IS NULL THEN
		-- nothing is known of some of the days that a fit would look at
		RETURN NULL;
	ELSIF clv_internal.clv_pipeline_calendar_past(latest.calendar, latest.as_of)
		<> clv_internal.clv_pipeline_calendar_past(this.calendar, latest.as_of) THEN
		RETURN 'the calendar of the past changed';
	ELSIF d.refit = 'always' THEN
		RETURN 'always';
	ELSIF d.refit = 'auto' AND this.mode = 'full' THEN
		RETURN 'full refresh';
	ELSIF latest.as_of > this.as_of THEN
		RETURN 'the model is of a later day';
	ELSIF d.refit = 'never' THEN
		RETURN NULL;
	ELSIF d.refit = 'drift' THEN
		RETURN CASE WHEN this.as_of - latest.as_of >= 7
			THEN clv_internal.clv_pipeline_drift(d, this, latest) END;
	END IF;
	RETURN CASE
		WHEN latest.as_of + age <= this.as_of THEN format('%s days old', this.as_of - latest.as_of)
	END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_refit_reason(
	clv_internal.clv_pipeline_definition, record, record, pg_catalog.text) IS
	'why the model is to be fitted anew in a run (mode, generation, as_of, calendar), by the pipeline''s policy, given '
	'the latest model with the calendar of its run; NULL where it is kept. A part of pipelines';

-- ---- which family: the best of a hold-out ------------------------------------------------------------

-- How long a hold-out of a pipeline is, in whole weeks; less than 28 where its data are too short for one.
CREATE FUNCTION clv_internal.clv_pipeline_holdout_days(
	d clv_internal.clv_pipeline_definition, first pg_catalog.date, as_of pg_catalog.date)
RETURNS pg_catalog.int4
LANGUAGE sql STABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 7 * floor(
		least(extract(epoch FROM coalesce((d).holdout, (d).horizon)) / 86400, (as_of - first) / 3.0) / 7)::int4
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_holdout_days(
	clv_internal.clv_pipeline_definition, pg_catalog.date, pg_catalog.date) IS
	'the days of a hold-out that ends with as_of, in whole weeks: of a pipeline its own, else its horizon, at most a '
	'third of the data. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_best(
	d clv_internal.clv_pipeline_definition, sample pg_catalog.text, as_of pg_catalog.date,
	calendar @extschema@.clv_calendar, days pg_catalog.int4, OUT family pg_catalog.text,
	OUT failure pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- the warnings of fits that are not chosen are nobody's
SET search_path = pg_catalog, pg_temp SET client_min_messages = error
AS $$
BEGIN
	family := (
		SELECT r.model
		FROM clv_internal.clv_choose_rows(sample, clv_internal.clv_pipeline_fit_options(d, as_of - days, calendar),
			as_of - days, as_of, make_interval(days => days), false, false) r
		WHERE r.converged AND r.rank IS NOT NULL
		ORDER BY r.rank
		LIMIT 1
	);
	failure := CASE WHEN family IS NULL THEN 'no family could be fitted before the hold-out' END;
EXCEPTION
	-- a past too short or too quiet for a fit is no reason to have no model
	WHEN data_exception OR invalid_parameter_value OR no_data_found OR numeric_value_out_of_range
		OR null_value_not_allowed OR object_not_in_prerequisite_state OR feature_not_supported THEN
		failure := SQLERRM;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_best(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.date, @extschema@.clv_calendar,
	pg_catalog.int4) IS
	'the family with the best log score over a hold-out of so many days up to as_of, or why there is none. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_choose(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date,
	calendar @extschema@.clv_calendar, OUT family pg_catalog.text, OUT note pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first date;
	histories int8;
	days int4;
	best record;
BEGIN
	IF d.options ->> 'model' IS DISTINCT FROM 'auto' THEN
		RETURN;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT min(@extschema@.clv_first_purchase(h.history)), count(*)
		FROM {data}.history h
		WHERE h.generation = $1
	$sql$::text) INTO first, histories USING generation;
	days := clv_internal.clv_pipeline_holdout_days(d, first, as_of);
	IF days IS NULL OR days < 28 THEN
		note := 'the family chosen by BIC: the data are too short for a hold-out';
		RETURN;
	END IF;
	best := clv_internal.clv_pipeline_best(d, clv_internal.clv_pipeline_sql(d, $sql$
		SELECT h.history, NULL::pg_catalog.float8[] AS covariates
		FROM {1} AS h
	$sql$::text, ARRAY[clv_internal.clv_pipeline_keep_sample(d, generation, histories)]), as_of, calendar, days);
	PERFORM clv_internal.clv_pipeline_drop_sample(d);
	family := best.family;
	note := CASE
		WHEN family IS NOT NULL THEN format('%s chosen by the log score of a hold-out of %s days', family, days)
		ELSE format('the family chosen by BIC: %s', best.failure)
	END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_choose(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date, @extschema@.clv_calendar) IS
	'of a pipeline that leaves its family open the one that predicts a hold-out best (NULL: the fit chooses by BIC), '
	'and a sentence about the choice. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_shortfall(model @extschema@.clv_model, options pg_catalog.jsonb)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT nullif(concat_ws('; ',
		CASE WHEN NOT m.converged THEN 'the fit of the purchases did not converge' END,
		CASE WHEN NOT m.spend_converged THEN 'the fit of the spend did not converge' END,
		CASE WHEN options ->> 'spend' IS DISTINCT FROM 'none' AND m.spend_model IS NULL
			THEN 'no values, because the spend could not be fitted'
		END), '')
	FROM @extschema@.clv_diagnostics(model) m
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_shortfall(@extschema@.clv_model, pg_catalog.jsonb) IS
	'what a model lacks: an optimum, or the spend that its options ask for; NULL where it lacks nothing. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_model(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this record;
	latest record;
	fingerprint text := md5(jsonb_build_array(clv_internal.clv_pipeline_fingerprint(d), d.options, d.bins,
		d.calendar_source, d.calendar_columns, d.cuts,
		CASE WHEN d.group_by IS NOT NULL THEN d.score_within END)::text);
	reason text;
	chosen record;
	options jsonb;
	model @extschema@.clv_model;
	cuts @extschema@.clv_cuts;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET calendar = $2
		WHERE run = $1
		RETURNING mode, generation, as_of, calendar
	$sql$::text) INTO this USING run, clv_internal.clv_pipeline_calendar(d);
	IF d.calendar_source IS NOT NULL AND this.calendar IS NULL THEN
		PERFORM clv_internal.clv_raise(format('calendar_source has no rows: %s', d.calendar_source), NULL::text,
			'It needs steps from the first purchase on.'::text, 'no_data_found'::text);
	END IF;
	-- of a run that was published: what failed later may have failed because of its model
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT m.*, f.calendar
		FROM {data}.model m
		JOIN {data}.run f USING (run)
		WHERE m.group_name = '' AND m.run = (SELECT r.model_run FROM {data}.run r JOIN {data}.state USING (run))
	$sql$::text) INTO latest;
	reason := clv_internal.clv_pipeline_refit_reason(d, this, latest, fingerprint);
	IF reason IS NOT NULL THEN
		chosen := clv_internal.clv_pipeline_choose(d, this.generation, this.as_of, this.calendar);
		options := clv_internal.clv_pipeline_fit_options(d, this.as_of, this.calendar)
			|| jsonb_strip_nulls(jsonb_build_object('model', chosen.family));
		SELECT @extschema@.clv_fit(clv_internal.clv_pipeline_cells(d, this.generation, options)) INTO model;
		IF model IS NULL THEN
			PERFORM clv_internal.clv_raise(
				format('pipeline "%s" has no customers as of %s', d.name, to_char(this.as_of, 'YYYY-MM-DD')),
				NULL::text, 'Check its source, its filter and its as_of.'::text, 'no_data_found'::text);
		END IF;
		cuts := clv_internal.clv_pipeline_cuts(d, this.generation, this.as_of, model);
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.model (run, group_name, fitted_at, as_of, reason, fingerprint, model, cuts)
			VALUES ($1, '', clock_timestamp(), $2, $3, $4, $5, $6)
		$sql$::text) USING run, this.as_of, reason, fingerprint, model, cuts;
	END IF;
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.run
		SET model_run = $2
		WHERE run = $1
	$sql$::text) USING run, CASE WHEN reason IS NULL THEN latest.run ELSE run END;
	PERFORM clv_internal.clv_pipeline_note(d, run, CASE
		WHEN reason IS NULL THEN format('model of %s kept', to_char(latest.as_of, 'YYYY-MM-DD'))
		ELSE format('model fitted: %s', reason)
	END);
	IF reason IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_note(d, run, chosen.note);
	END IF;
	IF d.group_by IS NOT NULL AND reason IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_fit_groups(d, run, options || jsonb_build_object('model',
			(@extschema@.clv_diagnostics(model)).purchase_model, 'shock', false), model);
	ELSIF d.group_by IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_new_groups(d, run, latest);
	END IF;
	PERFORM clv_internal.clv_pipeline_note(d, run, clv_internal.clv_pipeline_calendar_note(this.calendar, this.as_of,
		d.horizon));
	PERFORM clv_internal.clv_pipeline_note(d, run, clv_internal.clv_pipeline_shortfall(coalesce(model, latest.model),
		d.options));
	RETURN (reason IS NOT NULL)::int4;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_model(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: fits the model and cuts the scores anew, or keeps both, as the policy has it. A part of '
	'pipelines';
