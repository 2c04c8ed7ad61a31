-- ---- the calendar of a pipeline: covariates that are the same for all customers, read at each refresh ------

CREATE FUNCTION clv_internal.clv_pipeline_calendar_columns(relation pg_catalog.regclass)
RETURNS pg_catalog.text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	days text[];
	covariates text[];
	other record;
BEGIN
	SELECT
		array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE t.base = ANY ('{date,timestamp,timestamptz}'::regtype[])),
		array_agg(a.attname ORDER BY a.attnum)
			FILTER (WHERE t.base = ANY ('{numeric,float8,float4,int2,int4,int8,bool}'::regtype[]))
	INTO days, covariates
	FROM pg_attribute a
	CROSS JOIN LATERAL (SELECT clv_internal.clv_source_base_type(a.atttypid)) t (base)
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
	IF cardinality(days) IS DISTINCT FROM 1 THEN
		PERFORM clv_internal.clv_raise(
			format('calendar_source must have one column with a day: %s', relation),
			format('It has %s.', coalesce(array_to_string(days, ', '), 'none')),
			concat('Its rows are the first days of steps, with the values from that day on. ',
				'A view can leave out what is not needed.'),
			'invalid_parameter_value'::text);
	END IF;
	SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type INTO other
	FROM pg_attribute a
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
	  AND a.attname <> ALL (days || coalesce(covariates, '{}'))
	ORDER BY a.attnum
	LIMIT 1;
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(
			format('column "%s" of %s is of type %s, not a number or boolean', other.attname, relation, other.type),
			'All columns of calendar_source but the day are covariates.'::text,
			'A view can cast columns, and leave out what is no covariate.'::text, 'datatype_mismatch'::text);
	END IF;
	IF covariates IS NULL THEN
		PERFORM clv_internal.clv_raise(format('calendar_source has no covariates: %s', relation), NULL::text,
			'Its columns beside the day, numbers or booleans, are the covariates.'::text,
			'invalid_parameter_value'::text);
	END IF;
	RETURN days || covariates;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_calendar_columns(pg_catalog.regclass) IS
	'the columns of a relation of calendar steps: that of the day, then the covariates; an error where it has no day '
	'or several, no covariate, or columns that are neither. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_calendar_query(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass := clv_internal.clv_pipeline_check_relation('calendar_source'::text, d.calendar_source);
	covariates text[] := d.calendar_columns[2:];
	day regtype := clv_internal.clv_pipeline_check_type(relation, 'calendar_source'::text, d.calendar_columns[1],
		'{timestamptz,timestamp,date}'::regtype[], 'a time'::text);
BEGIN
	-- a row without any value is the end of the calendar
	RETURN clv_internal.clv_pipeline_sql(d, $sql$
		SELECT @extschema@.clv_calendar({1}, CASE WHEN num_nonnulls({2}) > 0 THEN ARRAY[{3}]::float8[] END,
			{4:L}::text[])
		FROM {5} k
	$sql$::text, ARRAY[
		clv_internal.clv_pipeline_sql(d, CASE day
			WHEN 'timestamptz'::regtype THEN '(k.{1:I} AT TIME ZONE {2:L})::date'
			ELSE 'k.{1:I}::date'
		END, ARRAY[d.calendar_columns[1], d.time_zone]),
		(SELECT string_agg(format('k.%I', c), ', ' ORDER BY i) FROM unnest(covariates) WITH ORDINALITY AS u (c, i)),
		(
			SELECT string_agg(format(CASE t.type WHEN 'bool'::regtype THEN 'k.%I::int4' ELSE 'k.%I::float8' END, u.c),
				', ' ORDER BY u.i)
			FROM unnest(covariates) WITH ORDINALITY AS u (c, i)
			CROSS JOIN LATERAL clv_internal.clv_pipeline_check_type(relation, 'calendar_source'::text, u.c,
				'{numeric,float8,float4,int2,int4,int8,bool}'::regtype[], 'a number or boolean'::text) t (type)
		),
		covariates::text,
		d.calendar_source]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_calendar_query(clv_internal.clv_pipeline_definition) IS
	'the statement that makes the calendar of a pipeline from its relation of steps; an error where a column is '
	'missing or of the wrong type. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_calendar(d clv_internal.clv_pipeline_definition)
RETURNS @extschema@.clv_calendar
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	calendar @extschema@.clv_calendar;
BEGIN
	IF d.calendar_source IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_calendar_query(d) INTO calendar;
	END IF;
	RETURN calendar;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_calendar(clv_internal.clv_pipeline_definition) IS
	'the calendar of a pipeline as its relation of steps has it now; NULL where there is none, or no row in it. A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_calendar_past(calendar @extschema@.clv_calendar, until pg_catalog.date)
RETURNS pg_catalog.jsonb
LANGUAGE sql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_build_array(c.j -> 'names', (
		SELECT jsonb_agg(s.step ORDER BY s.n)
		FROM jsonb_array_elements(c.j -> 'steps') WITH ORDINALITY AS s (step, n)
		WHERE (s.step ->> 0)::date <= until
	))
	FROM (SELECT calendar::jsonb) c (j)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_calendar_past(@extschema@.clv_calendar, pg_catalog.date) IS
	'the names and steps of a calendar up to a day, to be compared; NULL without a calendar. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_ahead(model @extschema@.clv_model, calendar @extschema@.clv_calendar)
RETURNS @extschema@.clv_model
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
-- bound to its functions when it is made: readers of views have no rights in the schema of the extension
BEGIN ATOMIC
	SELECT CASE
		WHEN @extschema@.clv_calendar_values(calendar, (m.j ->> 'as_of')::date + 1) IS NULL THEN model
		ELSE @extschema@.clv_with_calendar(model, calendar)
	END
	FROM (SELECT model::jsonb) m (j);
END;
COMMENT ON FUNCTION clv_internal.clv_pipeline_ahead(@extschema@.clv_model, @extschema@.clv_calendar) IS
	'a model with the steps that have come into the calendar of its pipeline since it was fitted, and those to come; '
	'the model itself where there are none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_calendar_note(
	calendar @extschema@.clv_calendar, as_of pg_catalog.date, horizon pg_catalog.interval)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('the calendar ends before %s: from there on %s', to_char(c.until, 'YYYY-MM-DD'),
		CASE WHEN c.since <= c.until - interval '1 year' THEN 'days are taken to be as the same days a year earlier'
			ELSE 'its average is taken' END)
	FROM (
		SELECT (j.j #>> '{steps,0,0}')::date AS since,
			coalesce((j.j ->> 'end')::date,
				(j.j ->> 'last')::date + greatest((j.j ->> 'longest')::int4, 1)) AS until
		FROM (SELECT calendar::jsonb) j (j)
	) c
	WHERE c.until <= (as_of + horizon)::date
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_calendar_note(
	@extschema@.clv_calendar, pg_catalog.date, pg_catalog.interval) IS
	'what is to be said of a calendar that ends before the horizon of the predictions does; NULL where it does not, or '
	'there is none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_calendar(d clv_internal.clv_pipeline_definition)
RETURNS @extschema@.clv_calendar
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF d.calendar_source IS NULL THEN
		RETURN NULL;
	ELSIF d.options ->> 'calendar' IS NOT NULL THEN
		PERFORM clv_internal.clv_raise('a pipeline has one calendar: calendar_source, or that of its options'::text);
	END IF;
	-- what there are no rows for yet can be checked by names alone
	RETURN coalesce(clv_internal.clv_pipeline_calendar(d), (
		SELECT @extschema@.clv_calendar('2000-01-01'::date, array_fill(0::float8, ARRAY[cardinality(n)]), n)
		FROM (SELECT d.calendar_columns[2:]) u (n)
	));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_calendar(clv_internal.clv_pipeline_definition) IS
	'the calendar of a definition, to check options with: where its relation has no rows yet, one of its names; NULL '
	'where it has none. Errors where rows are no calendar. A part of pipelines';
