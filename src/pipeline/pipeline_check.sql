-- ---- what a definition must satisfy -----------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_names(
	relation pg_catalog.regclass, argument pg_catalog.text, names pg_catalog.text)
RETURNS pg_catalog.text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	list text[];
	word text;
BEGIN
	-- one column whose very name has a comma in it comes first
	IF names IS NULL OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0
								AND NOT a.attisdropped AND a.attname = names)
	THEN
		RETURN ARRAY[(clv_internal.clv_source_column(relation, argument, names)).column_name];
	END IF;
	IF names LIKE '%,%' AND regexp_replace(names, '"([^"]|"")*"', 'x', 'g') ~ E'(^|,)\\s*(,|$)' THEN
		PERFORM clv_internal.clv_raise(format('%s has a comma without a name: %s', argument, names), NULL::text,
			'Write the names of columns, separated by commas.'::text, 'invalid_parameter_value'::text);
	END IF;
	FOR word IN SELECT btrim(m[1]) FROM regexp_matches(names, '((?:"(?:[^"]|"")*"|[^,"])+)', 'g') m LOOP
		list := list || (clv_internal.clv_source_column(relation, argument, word)).column_name;
	END LOOP;
	IF list IS NULL THEN
		PERFORM clv_internal.clv_source_column(relation, argument, names);
	END IF;
	IF (SELECT count(DISTINCT c) <> count(*) FROM unnest(list) c) THEN
		PERFORM clv_internal.clv_raise(format('%s names a column twice: %s', argument, names));
	END IF;
	RETURN list;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_names(pg_catalog.regclass, pg_catalog.text, pg_catalog.text) IS
	'the columns of a relation that a list names, separated by commas and written as in SQL. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_list(columns pg_catalog.text[]) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$ SELECT string_agg(quote_ident(c), ', ' ORDER BY i) FROM unnest(columns) WITH ORDINALITY AS u (c, i) $$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_list(pg_catalog.text[]) IS
	'columns as a list in SQL. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_type(
	relation pg_catalog.regclass, argument pg_catalog.text, name pg_catalog.text, allowed pg_catalog.regtype[],
	what pg_catalog.text)
RETURNS pg_catalog.regtype
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record := clv_internal.clv_source_column(relation, argument, name);
	base regtype := clv_internal.clv_source_base_type(found.column_type);
BEGIN
	IF base <> ALL (allowed) THEN
		PERFORM clv_internal.clv_raise(
			format('column "%s" of %s is of type %s, not %s', name, relation,
				format_type(found.column_type, found.column_typmod), what),
			format('It was given as %s.', argument),
			CASE WHEN clv_internal.clv_source_can_cast(base, allowed) THEN 'A view over the table can cast it.'
				ELSE 'Give another column.' END,
			'datatype_mismatch'::text);
	END IF;
	RETURN base;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_type(
	pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.regtype[], pg_catalog.text) IS
	'the type of a column, below domains; an error where it is none of those allowed. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_relation(argument pg_catalog.text, relation pg_catalog.text)
RETURNS pg_catalog.regclass
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found regclass := (clv_internal.clv_source_relation(relation)).relation;
BEGIN
	-- so is a view over a temporary table
	IF (SELECT c.relpersistence = 't' FROM pg_class c WHERE c.oid = found) THEN
		PERFORM clv_internal.clv_raise(
			format('%s cannot be temporary: %s', argument, regexp_replace(relation, E'^pg_temp_\\d+\\.', 'pg_temp.')),
			'It is dropped at the end of its session; the pipeline is not.'::text,
			'Make it a table or view of the database.'::text,
			'wrong_object_type'::text);
	END IF;
	RETURN found;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_relation(pg_catalog.text, pg_catalog.text) IS
	'the relation of that name; an error where there is none, or it is temporary. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_same_key(
	d clv_internal.clv_pipeline_definition, argument pg_catalog.text, relation pg_catalog.regclass)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text;
	here oid;
	there oid;
BEGIN
	FOREACH name IN ARRAY d.customer LOOP
		here := clv_internal.clv_source_base_type((clv_internal.clv_source_column((clv_internal.clv_source_relation(
			d.source)).relation, 'customer'::text, name)).column_type);
		there := clv_internal.clv_source_base_type((clv_internal.clv_source_column(relation, argument,
			name)).column_type);
		-- PostgreSQL's own types are compared across types; the operator of an extension's is of this type alone
		IF here <> there AND 'OPERATOR(pg_catalog.=)' <> ANY (ARRAY[
			clv_internal.clv_pipeline_key_operator(here), clv_internal.clv_pipeline_key_operator(there)])
		THEN
			PERFORM clv_internal.clv_raise(
				format('column "%s" of %s is of type %s, and of %s of type %s', name, relation, there::regtype,
					d.source, here::regtype),
				'Customers could not be compared by the equality of one of these types.'::text,
				'Cast the column in a view over one of them.'::text, 'datatype_mismatch'::text);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_same_key(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.regclass) IS
	'an error where another relation lacks a column of the customer''s key, or has a type there that is not compared '
	'with that of the source. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_source(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 50000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass := clv_internal.clv_pipeline_check_relation('source'::text, d.source);
	type regtype;
	name text;
BEGIN
	FOREACH name IN ARRAY d.customer LOOP
		type := clv_internal.clv_source_base_type((clv_internal.clv_source_column(relation, 'customer'::text,
			name)).column_type);
		IF clv_internal.clv_pipeline_key_operator(type) IS NULL THEN
			PERFORM clv_internal.clv_raise(
				format($text$a customer's key cannot be of type %s: column "%s" of %s$text$, type, name, relation),
				'The type has no default operator class for btree, by which its values were equal.'::text,
				'A view over the table can cast it to text.'::text, 'datatype_mismatch'::text);
		END IF;
	END LOOP;
	type := clv_internal.clv_pipeline_check_type(relation, 'bought_at'::text, d.bought_at,
		'{timestamptz,timestamp,date}'::regtype[], 'a time'::text);
	IF type <> 'timestamptz'::regtype AND d.time_zone <> 'UTC' THEN
		PERFORM clv_internal.clv_raise(
			format('column "%s" has no time zone', d.bought_at),
			format('It is of type %s, and time_zone is %s.', type, d.time_zone),
			'Leave time_zone out: the days are those of the column.'::text, 'invalid_parameter_value'::text);
	END IF;
	IF d.amount IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_check_type(relation, 'amount'::text, d.amount,
			'{numeric,float8,float4,int2,int4,int8}'::regtype[], 'a number'::text);
	END IF;
	IF d.returns IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_check_type(relation, 'returns'::text, d.returns, '{bool}'::regtype[],
			'boolean'::text);
	END IF;
	IF d.changed_at IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_check_type(relation, 'changed_at'::text, d.changed_at,
			'{timestamptz,timestamp,date}'::regtype[], 'a time'::text);
	END IF;
	IF d.attribute_source IS NOT NULL THEN
		relation := clv_internal.clv_pipeline_check_relation('attribute_source'::text, d.attribute_source);
		FOREACH name IN ARRAY d.attributes LOOP
			PERFORM clv_internal.clv_source_column(relation, 'attributes'::text, name);
		END LOOP;
		PERFORM clv_internal.clv_pipeline_check_same_key(d, 'attributes'::text, relation);
	END IF;
	IF d.rating_source IS NOT NULL THEN
		relation := clv_internal.clv_pipeline_check_relation('rating_source'::text, d.rating_source);
		PERFORM clv_internal.clv_pipeline_check_same_key(d, 'customer'::text, relation);
		PERFORM clv_internal.clv_pipeline_check_type(relation, 'rating'::text, d.rating,
			'{numeric,float8,float4,int2,int4,int8}'::regtype[], 'a number'::text);
		IF d.rated_at IS NOT NULL THEN
			PERFORM clv_internal.clv_pipeline_check_type(relation, 'rated_at'::text, d.rated_at,
				'{timestamptz,timestamp,date}'::regtype[], 'a time'::text);
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_source(clv_internal.clv_pipeline_definition) IS
	'an error where a relation of the definition, or a column of one, is missing or of the wrong type. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_key(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text;
	here record;
	then_type oid;
BEGIN
	FOREACH name IN ARRAY d.customer LOOP
		here := clv_internal.clv_source_column((clv_internal.clv_source_relation(d.source)).relation, 'customer'::text,
			name);
		SELECT a.atttypid INTO then_type
		FROM pg_attribute a
		WHERE a.attrelid = format('%I.history', clv_internal.clv_pipeline_data(d.name))::regclass AND a.attname = name;
		IF then_type <> here.column_type THEN
			PERFORM clv_internal.clv_raise(
				format('column "%s" of %s is of type %s now', name, d.source,
					format_type(here.column_type, here.column_typmod)),
				format('Pipeline "%s" was made for keys of type %s.', d.name, format_type(then_type, NULL)),
				'Drop the pipeline and make it anew, or read a view that casts the column.'::text,
				'datatype_mismatch'::text);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_key(clv_internal.clv_pipeline_definition) IS
	'an error where the customer''s key has other types than when the pipeline was made. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_span(argument pg_catalog.text, span pg_catalog.interval)
RETURNS pg_catalog.void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF span <= interval '0' OR span > interval '100 years' THEN
		PERFORM clv_internal.clv_raise(format('%s must be a time of one day to 100 years: %s', argument, span));
	END IF;
	PERFORM clv_internal.clv_argument_span(argument, span);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_span(pg_catalog.text, pg_catalog.interval) IS
	'an error where a time is not one of whole days, up to 100 years. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_words(refit pg_catalog.text, as_of pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	span interval;
	known bool;
BEGIN
	IF refit IS NULL OR refit NOT IN ('auto', 'always', 'never', 'drift') THEN
		BEGIN
			span := refit::interval;
		EXCEPTION
			WHEN invalid_datetime_format OR datetime_field_overflow OR interval_field_overflow THEN
				span := NULL;
		END;
		IF span IS NULL THEN
			PERFORM clv_internal.clv_raise(
				format($text$refit must be 'auto', 'always', 'never', 'drift' or a time such as '7 days': %s$text$,
					coalesce(refit, 'NULL')));
		END IF;
		PERFORM clv_internal.clv_pipeline_check_span('refit'::text, span);
	END IF;
	BEGIN
		known := as_of IN ('last purchase', 'yesterday', 'today')
			OR as_of ~ E'^\\d{4}-\\d\\d-\\d\\d$' AND as_of::date IS NOT NULL;
	EXCEPTION
		WHEN invalid_datetime_format OR datetime_field_overflow THEN
			known := false;
	END;
	IF known IS NOT TRUE THEN
		PERFORM clv_internal.clv_raise(
			format($text$as_of must be 'last purchase', 'yesterday', 'today' or a date: %s$text$,
				coalesce(as_of, 'NULL')), NULL::text,
			'Write a date as 2017-01-31, which no setting reads otherwise.'::text, 'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_words(pg_catalog.text, pg_catalog.text) IS
	'an error where refit or as_of of a pipeline is neither a word that is known nor a time, or a date. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_numbers(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known text[] := '{cumulative_share,trend}'::text[] || coalesce(d.attributes, '{}')
		|| CASE WHEN d.rating_source IS NOT NULL THEN '{satisfaction}'::text[] ELSE '{}' END;
	missing text;
BEGIN
	IF d.horizon IS NULL THEN
		PERFORM clv_internal.clv_raise('horizon must be a time of one day to 100 years: NULL'::text);
	ELSIF d.discount_rate IS NULL OR NOT d.discount_rate BETWEEN -0.99 AND 1e6 THEN
		PERFORM clv_internal.clv_raise(
			format('discount_rate must be a rate per year above -1: %s', coalesce(d.discount_rate::text, 'NULL')),
			NULL::text, 'Ten per cent are 0.10.'::text, 'invalid_parameter_value'::text);
	ELSIF d.margin IS NULL OR NOT abs(d.margin) < 1e12 THEN
		PERFORM clv_internal.clv_raise(
			format('margin must be the share of revenue that you keep: %s', coalesce(d.margin::text, 'NULL')));
	ELSIF NOT (d.level > 0 AND d.level < 1) THEN
		PERFORM clv_internal.clv_raise(format('level must be a probability between 0 and 1: %s', d.level));
	ELSIF d.bins IS NULL OR NOT d.bins BETWEEN 2 AND 100 THEN
		PERFORM clv_internal.clv_raise(
			format('bins must be a number from 2 to 100: %s', coalesce(d.bins::text, 'NULL')));
	ELSIF d.occasion IS NULL OR d.occasion < 1 THEN
		PERFORM clv_internal.clv_raise(
			format('occasion must be a number of days: %s', coalesce(d.occasion::text, 'NULL')));
	ELSIF d.overlap IS NULL OR d.overlap < interval '0' THEN
		PERFORM clv_internal.clv_raise(format('overlap must be a time: %s', coalesce(d.overlap::text, 'NULL')));
	ELSIF d.list_size IS NULL OR NOT d.list_size BETWEEN 0 AND 100000 THEN
		PERFORM clv_internal.clv_raise(
			format('list_size must be a number from 0 to 100000: %s', coalesce(d.list_size::text, 'NULL')));
	ELSIF d.tiers IS NULL OR cardinality(d.tiers) <> 2 OR NOT coalesce(d.tiers[1] BETWEEN 1 AND d.tiers[2], false)
		OR NOT coalesce(d.tiers[2] <= 99, false) THEN
		PERFORM clv_internal.clv_raise(
			format('tiers must be two percentiles from 1 to 99 in ascending order: %s',
				coalesce(d.tiers::text, 'NULL')),
			NULL::text, $text$'{10,70}' calls the lowest tenth low, and the highest three tenths high.$text$::text,
			'invalid_parameter_value'::text);
	ELSIF (d.attribute_source IS NULL) <> (d.attributes IS NULL) THEN
		PERFORM clv_internal.clv_raise('attribute_source and attributes go together'::text, NULL::text,
			'attribute_source is a relation with one row a customer, attributes are columns of it.'::text,
			'invalid_parameter_value'::text);
	ELSIF (d.rating_source IS NULL) <> (d.rating IS NULL) OR (d.rating_source IS NULL AND d.rated_at IS NOT NULL) THEN
		PERFORM clv_internal.clv_raise('rating_source and rating go together'::text, NULL::text,
			'rating_source is a relation with ratings from 0 to 10 in the column rating, and their time in rated_at.'
				::text, 'invalid_parameter_value'::text);
	END IF;
	PERFORM clv_internal.clv_pipeline_check_span('horizon'::text, d.horizon);
	PERFORM clv_internal.clv_pipeline_check_span('holdout'::text, d.holdout);
	PERFORM clv_internal.clv_pipeline_check_words(d.refit, d.as_of);
	PERFORM now() AT TIME ZONE d.time_zone;
	PERFORM clv_internal.clv_argument_rates(d.discount_rate, d.margin);
	PERFORM clv_internal.clv_pipeline_check_cuts(d.cuts);
	PERFORM clv_internal.clv_pipeline_check_bins(d, d.map);
	IF d.rating_source IS NOT NULL THEN
		PERFORM clv_internal.clv_pipeline_check_bins(d, 'value x satisfaction'::text);
	END IF;
	SELECT i.name INTO missing
	FROM @extschema@.clv_segment_inputs(d.map) i
	WHERE i.kind = 'attribute' AND i.name <> ALL (known)
	LIMIT 1;
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(
			format('map "%s" needs the attribute "%s"', d.map, missing),
			format('Known are: %s.', array_to_string(known, ', ')),
			CASE WHEN missing = 'satisfaction' THEN 'Give rating_source and rating.'
				ELSE 'Name a column of that name in attributes, from a relation given as attribute_source.' END,
				'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_numbers(clv_internal.clv_pipeline_definition) IS
	'an error where a number, word or map of the definition is out of range or unknown. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_options(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	fixed text;
BEGIN
	SELECT k INTO fixed
	FROM unnest('{as_of,start,covariates,too_few}'::text[]) k
	WHERE d.options ->> k IS NOT NULL
	LIMIT 1;
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(format('options of a pipeline cannot hold %s', fixed), NULL::text,
			CASE fixed WHEN 'as_of' THEN 'It is an argument of the pipeline.' ELSE NULL END,
			'invalid_parameter_value'::text);
	END IF;
	-- a customer of one day lets the options be read to their end
	PERFORM @extschema@.clv_cells(h.history, clv_internal.clv_pipeline_fit_options(d, '2000-12-31'::date,
		clv_internal.clv_pipeline_check_calendar(d)))
	FROM (SELECT @extschema@.clv_history(date '2000-01-01') AS history) h;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_options(clv_internal.clv_pipeline_definition) IS
	'an error where the options of the fit are unknown, or belong elsewhere, or the calendar is none. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = postgres SET timezone = 'UTC'
SET standard_conforming_strings = on
AS $$
DECLARE
	beyond text;
BEGIN
	PERFORM clv_internal.clv_pipeline_check_numbers(d);
	PERFORM clv_internal.clv_pipeline_check_options(d);
	PERFORM clv_internal.clv_pipeline_check_source(d);
	PERFORM clv_internal.clv_pipeline_check_groups(d);
	PERFORM clv_internal.clv_pipeline_check_condition(d.filter);
	-- rights, and the filter
	PERFORM clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, '{1} LIMIT 0'::text,
		ARRAY[clv_internal.clv_pipeline_histories(d, NULL::int8, false::bool)]));
	IF d.attribute_source IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT FROM {1} LIMIT 0'::text, ARRAY[d.attribute_source]);
	END IF;
	IF d.rating_source IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT FROM {1} LIMIT 0'::text, ARRAY[d.rating_source]);
	END IF;
	beyond := CASE WHEN d.changed_at IS NOT NULL THEN clv_internal.clv_pipeline_beyond(d) END;
	IF beyond IS NOT NULL THEN
		RAISE WARNING 'pipeline "%" will be refreshed in full each time', d.name
			USING DETAIL = format(
					'Its filter or source may let other rows through while changed_at stays as it is: %s.', beyond),
				HINT = 'A function that depends on its arguments alone can be declared IMMUTABLE.';
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check(clv_internal.clv_pipeline_definition) IS
	'an error where a definition cannot work: ranges, options, columns and their types, the filter, the rights of '
	'the caller. A part of pipelines';
