-- ---- what a definition must satisfy ----------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_names(relation pg_catalog.regclass, argument pg_catalog.text, names pg_catalog.text)
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
		RETURN ARRAY[(@extschema@.clv_quick_column(relation, argument, names)).column_name];
	END IF;
	FOR word IN SELECT btrim(m[1]) FROM regexp_matches(names, '((?:"(?:[^"]|"")*"|[^,"])+)', 'g') m LOOP
		list := list || (@extschema@.clv_quick_column(relation, argument, word)).column_name;
	END LOOP;
	IF list IS NULL THEN
		PERFORM @extschema@.clv_quick_column(relation, argument, names);
	END IF;
	IF (SELECT count(DISTINCT c) <> count(*) FROM unnest(list) c) THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('%s names a column twice: %s', argument, names));
	END IF;
	RETURN list;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_names(pg_catalog.regclass, pg_catalog.text, pg_catalog.text) IS
	'the columns of a relation that a list names, separated by commas and written as in SQL. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_list(columns pg_catalog.text[]) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$ SELECT string_agg(quote_ident(c), ', ' ORDER BY i) FROM unnest(columns) WITH ORDINALITY AS u (c, i) $$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_list(pg_catalog.text[]) IS
	'columns as a list in SQL. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_check_type(
	relation pg_catalog.regclass, argument pg_catalog.text, name pg_catalog.text, allowed pg_catalog.regtype[],
	what pg_catalog.text)
RETURNS pg_catalog.regtype
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record := @extschema@.clv_quick_column(relation, argument, name);
	base regtype := @extschema@.clv_quick_base_type(found.column_type);
BEGIN
	IF base <> ALL (allowed) THEN
		PERFORM @extschema@.clv_pipeline_refuse(
			format('column "%s" of %s is of type %s, not %s', name, relation, format_type(found.column_type, found.column_typmod), what),
			format('It was given as %s.', argument), 'A view over the table can cast it.', 'datatype_mismatch');
	END IF;
	RETURN base;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_check_type(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.regtype[], pg_catalog.text) IS
	'the type of a column, below domains; an error where it is none of those allowed. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_check_source(d @extschema@.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 50000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass := (@extschema@.clv_quick_relation(d.source)).relation;
	type regtype;
	name text;
BEGIN
	FOREACH name IN ARRAY d.customer LOOP
		type := @extschema@.clv_quick_base_type((@extschema@.clv_quick_column(relation, 'customer', name)).column_type);
		-- the joins here would compare it as what it is cast to, and its index as what it is
		IF EXISTS (SELECT FROM pg_type t WHERE t.oid = type AND t.typtype = 'b' AND t.typnamespace <> 'pg_catalog'::regnamespace) THEN
			PERFORM @extschema@.clv_pipeline_refuse(format('a customer''s key cannot be of type %s: column "%s" of %s', type, name, relation),
				'Its values are compared by rules of an extension''s own.',
				'A view over the table can cast it, for citext: lower(x)::text AS x.', 'datatype_mismatch');
		END IF;
	END LOOP;
	type := @extschema@.clv_pipeline_check_type(relation, 'bought_at', d.bought_at, '{timestamptz,timestamp,date}', 'a time');
	IF type <> 'timestamptz'::regtype AND d.time_zone <> 'UTC' THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('column "%s" has no time zone', d.bought_at),
			format('It is of type %s, and time_zone is %s.', type, d.time_zone),
			'Leave time_zone out: the days are those of the column.');
	END IF;
	IF d.amount IS NOT NULL THEN
		PERFORM @extschema@.clv_pipeline_check_type(relation, 'amount', d.amount, '{numeric,float8,float4,int2,int4,int8}', 'a number');
	END IF;
	IF d.returns IS NOT NULL THEN
		PERFORM @extschema@.clv_pipeline_check_type(relation, 'returns', d.returns, '{bool}', 'boolean');
	END IF;
	IF d.changed_at IS NOT NULL THEN
		PERFORM @extschema@.clv_pipeline_check_type(relation, 'changed_at', d.changed_at, '{timestamptz,timestamp,date}', 'a time');
	END IF;
	IF d.attribute_source IS NOT NULL THEN
		relation := (@extschema@.clv_quick_relation(d.attribute_source)).relation;
		FOREACH name IN ARRAY d.customer || d.attributes LOOP
			PERFORM @extschema@.clv_quick_column(relation, 'attributes', name);
		END LOOP;
	END IF;
	IF d.rating_source IS NOT NULL THEN
		relation := (@extschema@.clv_quick_relation(d.rating_source)).relation;
		FOREACH name IN ARRAY d.customer LOOP
			PERFORM @extschema@.clv_quick_column(relation, 'customer', name);
		END LOOP;
		PERFORM @extschema@.clv_pipeline_check_type(relation, 'rating', d.rating, '{numeric,float8,float4,int2,int4,int8}', 'a number');
		IF d.rated_at IS NOT NULL THEN
			PERFORM @extschema@.clv_pipeline_check_type(relation, 'rated_at', d.rated_at, '{timestamptz,timestamp,date}', 'a time');
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_check_source(@extschema@.clv_pipeline_definition) IS
	'an error where a relation of the definition, or a column of one, is missing or of the wrong type. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_check_key(d @extschema@.clv_pipeline_definition)
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
		here := @extschema@.clv_quick_column((@extschema@.clv_quick_relation(d.source)).relation, 'customer', name);
		SELECT a.atttypid INTO then_type FROM pg_attribute a
		WHERE a.attrelid = format('%I.history', @extschema@.clv_pipeline_data(d.name))::regclass AND a.attname = name;
		IF then_type <> here.column_type THEN
			PERFORM @extschema@.clv_pipeline_refuse(
				format('column "%s" of %s is of type %s now', name, d.source, format_type(here.column_type, here.column_typmod)),
				format('Pipeline "%s" was made for keys of type %s.', d.name, format_type(then_type, NULL)),
				'Drop the pipeline and make it anew, or read a view that casts the column.', 'datatype_mismatch');
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_check_key(@extschema@.clv_pipeline_definition) IS
	'an error where the customer''s key has other types than when the pipeline was made. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_check_numbers(d @extschema@.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known text[] := '{cumulative_share,trend}'::text[] || coalesce(d.attributes, '{}')
		|| CASE WHEN d.rating_source IS NOT NULL THEN '{satisfaction}'::text[] ELSE '{}' END;
	missing text;
BEGIN
	IF d.horizon IS NULL OR d.horizon <= interval '0' OR d.horizon > interval '100 years' THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('horizon must be a time of up to 100 years: %s', coalesce(d.horizon::text, 'NULL')));
	ELSIF d.discount_rate IS NULL OR NOT d.discount_rate BETWEEN -0.99 AND 1e6 THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('discount_rate must be a rate per year above -1: %s', coalesce(d.discount_rate::text, 'NULL')),
			NULL, 'Ten per cent are 0.10.');
	ELSIF d.margin IS NULL OR NOT abs(d.margin) < 1e12 THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('margin must be the share of revenue that you keep: %s', coalesce(d.margin::text, 'NULL')));
	ELSIF NOT (d.level > 0 AND d.level < 1) THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('level must be a probability between 0 and 1: %s', d.level));
	ELSIF d.bins IS NULL OR NOT d.bins BETWEEN 2 AND 100 THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('bins must be a number from 2 to 100: %s', coalesce(d.bins::text, 'NULL')));
	ELSIF d.occasion IS NULL OR d.occasion < 1 THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('occasion must be a number of days: %s', coalesce(d.occasion::text, 'NULL')));
	ELSIF d.overlap IS NULL OR d.overlap < interval '0' THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('overlap must be a time: %s', coalesce(d.overlap::text, 'NULL')));
	ELSIF d.holdout <= interval '0' THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('holdout must be a time: %s', d.holdout));
	ELSIF d.list_size IS NULL OR NOT d.list_size BETWEEN 0 AND 100000 THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('list_size must be a number from 0 to 100000: %s', coalesce(d.list_size::text, 'NULL')));
	ELSIF NOT coalesce(d.refit IN ('always', 'never', 'drift'), false) AND (d.refit IS NULL OR d.refit::interval <= interval '0') THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('refit must be ''always'', ''never'', ''drift'' or a time such as ''7 days'': %s', coalesce(d.refit, 'NULL')));
	ELSIF NOT coalesce(d.as_of IN ('last purchase', 'yesterday', 'today'), false) AND (d.as_of IS NULL OR NOT isfinite(d.as_of::date)) THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('as_of must be ''last purchase'', ''yesterday'', ''today'' or a date: %s', coalesce(d.as_of, 'NULL')));
	ELSIF (d.attribute_source IS NULL) <> (d.attributes IS NULL) THEN
		PERFORM @extschema@.clv_pipeline_refuse('attribute_source and attributes go together', NULL,
			'attribute_source is a relation with one row a customer, attributes are columns of it.');
	ELSIF (d.rating_source IS NULL) <> (d.rating IS NULL) OR (d.rating_source IS NULL AND d.rated_at IS NOT NULL) THEN
		PERFORM @extschema@.clv_pipeline_refuse('rating_source and rating go together', NULL,
			'rating_source is a relation with ratings from 0 to 10 in the column rating, and their time in rated_at.');
	END IF;
	PERFORM now() AT TIME ZONE d.time_zone;
	SELECT i.name INTO missing FROM @extschema@.clv_segment_inputs(d.map) i WHERE i.kind = 'attribute' AND i.name <> ALL (known) LIMIT 1;
	IF FOUND THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('map "%s" needs the attribute "%s"', d.map, missing),
			format('Known are: %s.', array_to_string(known, ', ')),
			CASE WHEN missing = 'satisfaction' THEN 'Give rating_source and rating.'
				ELSE 'Name a column of that name in attributes, from a relation given as attribute_source.' END);
	END IF;
EXCEPTION
	WHEN invalid_datetime_format OR datetime_field_overflow THEN
		PERFORM @extschema@.clv_pipeline_refuse(
			format('refit (%s) or as_of (%s) is neither a word that is known nor a time', d.refit, d.as_of), NULL,
			'refit: ''always'', ''never'', ''drift'' or ''7 days''; as_of: ''last purchase'', ''yesterday'', ''today'' or a date.');
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_check_numbers(@extschema@.clv_pipeline_definition) IS
	'an error where a number, word or map of the definition is out of range or unknown. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_check_options(d @extschema@.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	fixed text;
BEGIN
	SELECT k INTO fixed FROM unnest('{as_of,start,covariates}'::text[]) k WHERE d.options ->> k IS NOT NULL LIMIT 1;
	IF FOUND THEN
		PERFORM @extschema@.clv_pipeline_refuse(format('options of a pipeline cannot hold %s', fixed), NULL,
			CASE fixed WHEN 'as_of' THEN 'It is an argument of the pipeline.' ELSE NULL END);
	END IF;
	-- a customer of one day lets the options be read to their end
	PERFORM @extschema@.clv_cells(h.history, @extschema@.clv_pipeline_fit_options(d, '2000-12-31'))
	FROM (SELECT @extschema@.clv_history(date '2000-01-01') AS history) h;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_check_options(@extschema@.clv_pipeline_definition) IS
	'an error where the options of the fit are unknown, or belong elsewhere. A part of pipelines';

-- ---- the statement over the source -----------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_histories(d @extschema@.clv_pipeline_definition, condition pg_catalog.text DEFAULT '')
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation regclass := (@extschema@.clv_quick_relation(d.source)).relation;
	type regtype;
	bought text := format('s.%I', d.bought_at);
	amount text;
	back text := 's.' || quote_ident(d.returns) || ' IS TRUE';
BEGIN
	type := @extschema@.clv_quick_base_type((@extschema@.clv_quick_column(relation, 'bought_at', d.bought_at)).column_type);
	bought := CASE WHEN type = 'timestamptz'::regtype AND d.time_zone <> 'UTC'
		THEN format('(%s AT TIME ZONE %L)', bought, d.time_zone) ELSE format('%s::pg_catalog.%I', bought,
			CASE type WHEN 'timestamptz'::regtype THEN 'timestamptz' WHEN 'timestamp'::regtype THEN 'timestamp' ELSE 'date' END) END;
	IF d.amount IS NOT NULL THEN
		type := @extschema@.clv_quick_base_type((@extschema@.clv_quick_column(relation, 'amount', d.amount)).column_type);
		amount := format('s.%I::pg_catalog.%s', d.amount, CASE WHEN type = 'float8'::regtype THEN 'float8' ELSE 'numeric' END);
		IF d.returns IS NOT NULL THEN
			amount := format('CASE WHEN %s THEN -pg_catalog.abs(%s) ELSE %s END', back, amount, amount);
		END IF;
	END IF;
	-- what comes back without a value, or with none, says nothing about money and is no purchase
	RETURN @extschema@.clv_pipeline_sql(d,
		'SELECT {s.key}, @extschema@.clv_history({1}) FROM {source} AS s WHERE {s.known} {filter}{2}{3} GROUP BY {s.key}',
		concat_ws(', ', bought, coalesce(amount, CASE WHEN d.occasion > 1 THEN 'NULL::pg_catalog.numeric' END),
			nullif(d.occasion, 1)),
		CASE WHEN d.returns IS NULL THEN ''
			WHEN d.amount IS NULL THEN format(' AND NOT (%s)', back)
			ELSE format(' AND (NOT (%s) OR s.%I <> 0)', back, d.amount) END,
		condition);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_histories(@extschema@.clv_pipeline_definition, pg_catalog.text) IS
	'the statement that makes the histories of a pipeline''s source, customers'' keys first. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_read_source(d @extschema@.clv_pipeline_definition, statement pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rows int8;
BEGIN
	-- the filter means what it meant where it was written
	PERFORM set_config('search_path', d.search_path, true);
	EXECUTE statement;
	GET DIAGNOSTICS rows = ROW_COUNT;
	PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_read_source(@extschema@.clv_pipeline_definition, pg_catalog.text) IS
	'runs a statement that reads a pipeline''s source with the search_path of its filter; the number of rows. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_check(d @extschema@.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.clv_pipeline_check_numbers(d);
	PERFORM @extschema@.clv_pipeline_check_options(d);
	PERFORM @extschema@.clv_pipeline_check_source(d);
	-- rights, and the filter
	PERFORM @extschema@.clv_pipeline_read_source(d, @extschema@.clv_pipeline_histories(d) || ' LIMIT 0');
	IF d.attribute_source IS NOT NULL THEN
		EXECUTE format('SELECT FROM %s LIMIT 0', d.attribute_source);
	END IF;
	IF d.rating_source IS NOT NULL THEN
		EXECUTE format('SELECT FROM %s LIMIT 0', d.rating_source);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_check(@extschema@.clv_pipeline_definition) IS
	'an error where a definition cannot work: ranges, options, columns and their types, the filter, the rights of the caller. A part of pipelines';
