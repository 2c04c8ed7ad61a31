-- ---- making, changing and dropping pipelines --------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_check_name(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	taken text;
BEGIN
	IF coalesce(d.name, '') = '' OR octet_length(d.name) > 58 OR d.name LIKE E'pg\\_%' THEN
		PERFORM clv_internal.clv_raise(format('a pipeline cannot be called "%s"', coalesce(d.name, 'NULL')),
			concat('A name has 1 to 58 bytes, and does not start with pg_: ',
				'it is the name of a schema, and so is the name with _data.'),
			NULL::text, 'invalid_name'::text);
	END IF;
	SELECT n.nspname INTO taken FROM pg_namespace n WHERE n.nspname IN (d.name, clv_internal.clv_pipeline_data(d.name))
	ORDER BY 1 LIMIT 1;
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(format('schema "%s" already exists', taken),
			format('Pipeline "%s" needs the schemas "%s" and "%s" for itself.', d.name, d.name,
				clv_internal.clv_pipeline_data(d.name)),
			'Choose another name, or drop the pipeline of that name with clv_drop_pipeline.'::text,
			'duplicate_schema'::text);
	END IF;
	-- of a view, or of what a refresh works with
	SELECT u.c INTO taken
	FROM unnest(d.customer) u (c)
	WHERE u.c IN (SELECT v.name FROM clv_internal.clv_pipeline_columns(d) v WHERE NOT v.of_key)
	   OR u.c IN ('run', 'generation', 'history', 'before', 'measured', 'scores', 'prediction', 'cumulative_share',
		'loss', 'from_segment', 'from_clv', 'touched', 'group_model', 'group_cuts')
	LIMIT 1;
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(format($text$the customer's key cannot be called "%s"$text$, taken),
			'The pipeline has a column of that name already.'::text, 'Read a view that gives it another name.'::text,
			'duplicate_column'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_name(clv_internal.clv_pipeline_definition) IS
	'an error where the name of a pipeline, or that of a column of the key, is taken or cannot be one. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_resolve(
	d clv_internal.clv_pipeline_definition, path pg_catalog.text,
	customer pg_catalog.text, attributes pg_catalog.text)
RETURNS clv_internal.clv_pipeline_definition
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 50000
SET search_path = pg_catalog, pg_temp SET intervalstyle = postgres
AS $$
DECLARE
	relation regclass;
	relation_name text;
BEGIN
	BEGIN
		d.refit := CASE WHEN d.refit ~ E'\\d' THEN d.refit::interval::text ELSE d.refit END;
	EXCEPTION WHEN invalid_datetime_format OR datetime_field_overflow OR interval_field_overflow THEN
		-- refused later, with what else might be meant
	END;
	FOREACH relation_name IN ARRAY ARRAY[d.source, d.attribute_source, d.rating_source, d.calendar_source] LOOP
		IF relation_name ~* E'^\\s*(\\(|(select|with|values|table)\\s)' THEN
			PERFORM clv_internal.clv_raise(
				format('a pipeline reads a table or view by its name, not a query: %s', relation_name), NULL::text,
				'CREATE VIEW v AS that query, and give the name of the view.'::text, 'invalid_name'::text);
		END IF;
	END LOOP;
	-- names of relations mean what they mean where the caller wrote them
	PERFORM pg_catalog.set_config('search_path'::pg_catalog.text, path, true);
	SELECT r.relation, r.name INTO relation, d.source FROM clv_internal.clv_source_relation(d.source) r;
	IF d.attribute_source IS NOT NULL THEN
		d.attribute_source := (clv_internal.clv_source_relation(d.attribute_source)).name;
	END IF;
	IF d.rating_source IS NOT NULL THEN
		d.rating_source := (clv_internal.clv_source_relation(d.rating_source)).name;
	END IF;
	IF d.calendar_source IS NOT NULL THEN
		d.calendar_source := (clv_internal.clv_source_relation(d.calendar_source)).name;
	END IF;
	PERFORM pg_catalog.set_config('search_path'::pg_catalog.text, 'pg_catalog, pg_temp'::pg_catalog.text, true);
	IF customer IS NOT NULL OR d.customer IS NULL THEN
		d.customer := clv_internal.clv_pipeline_names(relation, 'customer'::text, customer);
	END IF;
	d.bought_at := (clv_internal.clv_source_column(relation, 'bought_at'::text, d.bought_at)).column_name;
	IF d.amount IS NOT NULL THEN
		d.amount := (clv_internal.clv_source_column(relation, 'amount'::text, d.amount)).column_name;
	END IF;
	IF d.returns IS NOT NULL THEN
		d.returns := (clv_internal.clv_source_column(relation, 'returns'::text, d.returns)).column_name;
	END IF;
	IF d.changed_at IS NOT NULL THEN
		d.changed_at := (clv_internal.clv_source_column(relation, 'changed_at'::text, d.changed_at)).column_name;
	END IF;
	IF attributes IS NOT NULL THEN
		-- without a relation they are refused later
		d.attributes := CASE
			WHEN d.attribute_source IS NULL THEN ARRAY[attributes]
			ELSE clv_internal.clv_pipeline_names((clv_internal.clv_source_relation(d.attribute_source)).relation,
				'attributes'::text, attributes)
		END;
	END IF;
	IF d.rating_source IS NOT NULL THEN
		relation := (clv_internal.clv_source_relation(d.rating_source)).relation;
		d.rating := (clv_internal.clv_source_column(relation, 'rating'::text, d.rating)).column_name;
		IF d.rated_at IS NOT NULL THEN
			d.rated_at := (clv_internal.clv_source_column(relation, 'rated_at'::text, d.rated_at)).column_name;
		END IF;
	END IF;
	IF d.group_by IS NOT NULL THEN
		d.group_by := clv_internal.clv_pipeline_resolve_group(d, d.group_by);
	END IF;
	IF d.calendar_source IS NOT NULL AND d.calendar_columns IS NULL THEN
		d.calendar_columns := clv_internal.clv_pipeline_calendar_columns(
			clv_internal.clv_pipeline_check_relation('calendar_source'::text, d.calendar_source));
	END IF;
	RETURN d;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_resolve(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'a definition with the names of relations qualified, as found by a search_path, and those of columns as the '
	'catalog has them. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_path() RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 100
RETURN (SELECT pg_catalog.concat_ws(', ', 'pg_catalog',
	pg_catalog.string_agg(pg_catalog.quote_ident(u.s), ', ' ORDER BY u.i), 'pg_temp')
	FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS u (s, i)
	WHERE u.s OPERATOR(pg_catalog.<>) 'pg_catalog');
COMMENT ON FUNCTION clv_internal.clv_pipeline_path() IS
	'the caller''s search_path, behind pg_catalog and before temporary relations. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_options(
	options pg_catalog.jsonb, model pg_catalog.text, season pg_catalog.text, spend pg_catalog.bool)
RETURNS pg_catalog.jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF options IS NULL THEN
		options := jsonb_build_object('model', coalesce(model, 'mbg/nbd'));
	ELSIF model IS NOT NULL THEN
		options := options || jsonb_build_object('model', model);
	END IF;
	IF season IS NOT NULL THEN
		options := options || jsonb_build_object('season', season);
	END IF;
	RETURN CASE WHEN spend THEN options ELSE options || jsonb_build_object('spend', 'none') END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_options(
	pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.bool) IS
	'the options of a pipeline''s fits: those given, with the family and the season named apart, without spend where '
	'there are no amounts. A part of pipelines';

CREATE PROCEDURE @extschema@.clv_create_pipeline(
	name pg_catalog.text,
	source pg_catalog.text,
	customer pg_catalog.text,
	bought_at pg_catalog.text,
	amount pg_catalog.text DEFAULT NULL,
	horizon pg_catalog.interval DEFAULT '1 year',
	discount_rate pg_catalog.float8 DEFAULT 0,
	margin pg_catalog.float8 DEFAULT 1,
	model pg_catalog.text DEFAULT NULL,
	map pg_catalog.text DEFAULT 'rfmtc',
	filter pg_catalog.text DEFAULT NULL,
	"returns" pg_catalog.text DEFAULT NULL,
	changed_at pg_catalog.text DEFAULT NULL,
	overlap pg_catalog.interval DEFAULT '1 hour',
	time_zone pg_catalog.text DEFAULT 'UTC',
	occasion pg_catalog.int4 DEFAULT 1,
	as_of pg_catalog.text DEFAULT 'last purchase',
	refit pg_catalog.text DEFAULT 'auto',
	options pg_catalog.jsonb DEFAULT NULL,
	bins pg_catalog.int4 DEFAULT 5,
	level pg_catalog.float8 DEFAULT NULL,
	holdout pg_catalog.interval DEFAULT NULL,
	attribute_source pg_catalog.text DEFAULT NULL,
	attributes pg_catalog.text DEFAULT NULL,
	rating_source pg_catalog.text DEFAULT NULL,
	rating pg_catalog.text DEFAULT NULL,
	rated_at pg_catalog.text DEFAULT NULL,
	list_size pg_catalog.int4 DEFAULT 1000,
	season clv_internal.clv_choice DEFAULT NULL,
	calendar_source pg_catalog.text DEFAULT NULL,
	cuts pg_catalog.jsonb DEFAULT NULL,
	tiers pg_catalog.int4[] DEFAULT '{10,70}',
	group_by pg_catalog.text DEFAULT NULL,
	score_within pg_catalog.text DEFAULT 'all'
)
LANGUAGE plpgsql AS $$
DECLARE
	d clv_internal.clv_pipeline_definition;
	path pg_catalog.text := clv_internal.clv_pipeline_path();
BEGIN
	d.name := name;
	d.source := source;
	d.bought_at := bought_at;
	d.amount := amount;
	d."returns" := "returns";
	d.changed_at := changed_at;
	d.overlap := overlap;
	d.filter := filter;
	d.search_path := path;
	d.time_zone := time_zone;
	d.occasion := occasion;
	d.as_of := as_of;
	d.options := clv_internal.clv_pipeline_options(options, model, season::pg_catalog.text, amount IS NOT NULL);
	d.refit := refit;
	d.horizon := horizon;
	d.discount_rate := discount_rate;
	d.margin := margin;
	d.level := level;
	d.map := map;
	d.bins := bins;
	d.holdout := holdout;
	d.attribute_source := attribute_source;
	d.rating_source := rating_source;
	d.rating := rating;
	d.rated_at := rated_at;
	d.calendar_source := calendar_source;
	d.list_size := list_size;
	d.cuts := cuts;
	d.tiers := tiers;
	d.group_by := group_by;
	d.score_within := score_within;
	d.created_at := pg_catalog.now();
	d := clv_internal.clv_pipeline_resolve(d, path, customer, attributes);
	PERFORM clv_internal.clv_pipeline_check(d);
	PERFORM clv_internal.clv_pipeline_check_name(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'CREATE SCHEMA {views}'::pg_catalog.text);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'CREATE SCHEMA {data}'::pg_catalog.text);
	PERFORM clv_internal.clv_pipeline_create_tables(d);
	PERFORM clv_internal.clv_pipeline_distribute(d);
	PERFORM clv_internal.clv_pipeline_create_views(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		COMMENT ON SCHEMA {views} IS 'views of customers, segments and values: see clv_refresh'
	$sql$::pg_catalog.text);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		COMMENT ON SCHEMA {data} IS 'tables behind the views: to be changed by clv_refresh alone'
	$sql$::pg_catalog.text);
END
$$;
COMMENT ON PROCEDURE @extschema@.clv_create_pipeline(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.interval,
	pg_catalog.float8, pg_catalog.float8, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text,
	pg_catalog.text, pg_catalog.interval, pg_catalog.text, pg_catalog.int4, pg_catalog.text, pg_catalog.text,
	pg_catalog.jsonb, pg_catalog.int4, pg_catalog.float8, pg_catalog.interval, pg_catalog.text, pg_catalog.text,
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.int4, clv_internal.clv_choice,
	pg_catalog.text, pg_catalog.jsonb, pg_catalog.int4[], pg_catalog.text, pg_catalog.text) IS
	'makes a pipeline: the schema of that name with views, and the same name with _data with their tables, all empty '
	'until clv_refresh(name). source: a table or view as SQL names it; customer: its key, one column or several '
	'separated by commas; bought_at, amount: columns (amount NULL: without money); horizon, discount_rate (per '
	'year), margin (share of revenue kept), level (NULL: no intervals per customer, which cost most of the time): as '
	'of clv_predict; model: a family or ''auto'' (default mbg/nbd), options: of clv_options for the rest; map, bins: '
	'of segment_assign; filter: a condition over the columns of source; returns: a boolean column that marks '
	'returns, whose amounts then count as negative; changed_at: a column that says when a row was written, for '
	'incremental refreshes, which read again what was written up to overlap before the latest; time_zone: of the '
	'days, for timestamptz; occasion: days that count as one; as_of: ''last purchase'' (never later than today), '
	'''yesterday'', ''today'' or a date as 2017-01-31; refit: ''auto'' (by full refreshes, and by others after 7 '
	'days), ''always'', ''never'', ''drift'' or a time such as ''7 days''; holdout: of the validation (default: the '
	'horizon, at most a third of the data); attribute_source, attributes: a relation with one row a customer, and '
	'columns of it for profile and for maps; rating_source, '
	'rating, rated_at: a relation with ratings from 0 to 10 and their times; both have the customer''s key under the '
	'same names; list_size: rows of winback, next_best and alerts; season: of clv_options; calendar_source: a relation '
	'with a column of days, the first ones of steps, past ones and those to come, and columns of covariates, numbers '
	'or booleans, that all customers have from that day on, read at each refresh; cuts: thresholds of your own, by '
	'score: '
	'{"r": [30, 90], "f": 3} are two limits for r and three bins for f; tiers: the percentiles of clv below which '
	'customers have the tier low and above which high; group_by: a column of source, or of attribute_source, such as '
	'a country: each group has a model of its own, pooled with the others, customers of several are of the group of '
	'their latest purchase, and no value is the group (none); score_within: ''all'' scores customers among all, '
	'''group'' among those of their group. Errors name what does not fit';

CREATE FUNCTION clv_internal.clv_pipeline_write(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM clv_internal.clv_pipeline_check(d);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'DELETE FROM {data}.pipeline'::text);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.pipeline VALUES ($1.*)
	$sql$::text) USING d;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_write(clv_internal.clv_pipeline_definition) IS
	'checks a changed definition and puts it in the place of the old one. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_literal(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
AS $$ SELECT quote_literal(d) $$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_literal(clv_internal.clv_pipeline_definition) IS
	'a definition as a literal, without loss. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_reset(d clv_internal.clv_pipeline_definition, fields pg_catalog.text[])
RETURNS clv_internal.clv_pipeline_definition
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	field text;
BEGIN
	FOREACH field IN ARRAY coalesce(fields, '{}') LOOP
		CASE field
			WHEN 'amount' THEN d.amount := NULL;
			WHEN 'filter' THEN d.filter := NULL;
			WHEN 'returns' THEN d."returns" := NULL;
			WHEN 'changed_at' THEN d.changed_at := NULL;
			WHEN 'level' THEN d.level := NULL;
			WHEN 'holdout' THEN d.holdout := NULL;
			WHEN 'cuts' THEN d.cuts := NULL;
			WHEN 'rated_at' THEN d.rated_at := NULL;
			WHEN 'attributes' THEN
				d.attribute_source := NULL;
				d.attributes := NULL;
			WHEN 'ratings' THEN
				d.rating_source := NULL;
				d.rating := NULL;
				d.rated_at := NULL;
			WHEN 'group_by' THEN d.group_by := NULL;
			WHEN 'season' THEN d.options := d.options - 'season';
			WHEN 'calendar_source' THEN
				d.calendar_source := NULL;
				d.calendar_columns := NULL;
			ELSE
				PERFORM clv_internal.clv_raise(format('"%s" cannot be reset', coalesce(field, 'NULL')),
					concat('These can: amount, filter, returns, changed_at, level, holdout, cuts, attributes, ',
						'ratings, rated_at, season, calendar_source, group_by.'),
					'Give other arguments the value they are to have.'::text, 'invalid_parameter_value'::text);
		END CASE;
	END LOOP;
	RETURN d;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_reset(clv_internal.clv_pipeline_definition, pg_catalog.text[]) IS
	'a definition without the fields of that name; an error for a field that a pipeline needs. A part of pipelines';

CREATE PROCEDURE @extschema@.clv_alter_pipeline(
	name pg_catalog.text,
	source pg_catalog.text DEFAULT NULL,
	bought_at pg_catalog.text DEFAULT NULL,
	amount pg_catalog.text DEFAULT NULL,
	horizon pg_catalog.interval DEFAULT NULL,
	discount_rate pg_catalog.float8 DEFAULT NULL,
	margin pg_catalog.float8 DEFAULT NULL,
	model pg_catalog.text DEFAULT NULL,
	map pg_catalog.text DEFAULT NULL,
	filter pg_catalog.text DEFAULT NULL,
	"returns" pg_catalog.text DEFAULT NULL,
	changed_at pg_catalog.text DEFAULT NULL,
	overlap pg_catalog.interval DEFAULT NULL,
	time_zone pg_catalog.text DEFAULT NULL,
	occasion pg_catalog.int4 DEFAULT NULL,
	as_of pg_catalog.text DEFAULT NULL,
	refit pg_catalog.text DEFAULT NULL,
	options pg_catalog.jsonb DEFAULT NULL,
	bins pg_catalog.int4 DEFAULT NULL,
	level pg_catalog.float8 DEFAULT NULL,
	holdout pg_catalog.interval DEFAULT NULL,
	attribute_source pg_catalog.text DEFAULT NULL,
	attributes pg_catalog.text DEFAULT NULL,
	rating_source pg_catalog.text DEFAULT NULL,
	rating pg_catalog.text DEFAULT NULL,
	rated_at pg_catalog.text DEFAULT NULL,
	list_size pg_catalog.int4 DEFAULT NULL,
	"reset" pg_catalog.text[] DEFAULT NULL,
	season clv_internal.clv_choice DEFAULT NULL,
	calendar_source pg_catalog.text DEFAULT NULL,
	cuts pg_catalog.jsonb DEFAULT NULL,
	tiers pg_catalog.int4[] DEFAULT NULL,
	group_by pg_catalog.text DEFAULT NULL,
	score_within pg_catalog.text DEFAULT NULL
)
LANGUAGE plpgsql AS $$
DECLARE
	d clv_internal.clv_pipeline_definition := clv_internal.clv_pipeline_read(name);
	path pg_catalog.text := clv_internal.clv_pipeline_path();
BEGIN
	d := clv_internal.clv_pipeline_reset(d, "reset");
	d.source := coalesce(source, d.source);
	d.bought_at := coalesce(bought_at, d.bought_at);
	d.amount := coalesce(amount, d.amount);
	d."returns" := coalesce("returns", d."returns");
	d.changed_at := coalesce(changed_at, d.changed_at);
	d.overlap := coalesce(overlap, d.overlap);
	IF filter IS NOT NULL THEN
		d.filter := filter;
		d.search_path := path;
	END IF;
	d.time_zone := coalesce(time_zone, d.time_zone);
	d.occasion := coalesce(occasion, d.occasion);
	d.as_of := coalesce(as_of, d.as_of);
	d.options := clv_internal.clv_pipeline_options(coalesce(options, d.options), model, season::pg_catalog.text,
		d.amount IS NOT NULL);
	IF amount IS NOT NULL AND options IS NULL THEN
		d.options := d.options OPERATOR(pg_catalog.-) 'spend';
	END IF;
	d.refit := coalesce(refit, d.refit);
	d.horizon := coalesce(horizon, d.horizon);
	d.discount_rate := coalesce(discount_rate, d.discount_rate);
	d.margin := coalesce(margin, d.margin);
	d.level := coalesce(level, d.level);
	d.map := coalesce(map, d.map);
	d.bins := coalesce(bins, d.bins);
	d.holdout := coalesce(holdout, d.holdout);
	d.attribute_source := coalesce(attribute_source, d.attribute_source);
	d.rating_source := coalesce(rating_source, d.rating_source);
	d.rating := coalesce(rating, d.rating);
	d.rated_at := coalesce(rated_at, d.rated_at);
	IF calendar_source IS NOT NULL THEN
		d.calendar_source := calendar_source;
		d.calendar_columns := NULL;
	END IF;
	d.list_size := coalesce(list_size, d.list_size);
	d.cuts := coalesce(cuts, d.cuts);
	d.tiers := coalesce(tiers, d.tiers);
	d.group_by := coalesce(group_by, d.group_by);
	d.score_within := coalesce(score_within, d.score_within, 'all');
	d := clv_internal.clv_pipeline_resolve(d, path, NULL::pg_catalog.text, attributes);
	PERFORM clv_internal.clv_pipeline_as_owner(clv_internal.clv_pipeline_find(name), pg_catalog.format($sql$
		SELECT clv_internal.clv_pipeline_write(%s::clv_internal.clv_pipeline_definition)
	$sql$, clv_internal.clv_pipeline_literal(d)));
END
$$;
COMMENT ON PROCEDURE @extschema@.clv_alter_pipeline(
	pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.interval, pg_catalog.float8,
	pg_catalog.float8, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text,
	pg_catalog.interval, pg_catalog.text, pg_catalog.int4, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb,
	pg_catalog.int4, pg_catalog.float8, pg_catalog.interval, pg_catalog.text, pg_catalog.text, pg_catalog.text,
	pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.text[], clv_internal.clv_choice,
	pg_catalog.text, pg_catalog.jsonb, pg_catalog.int4[], pg_catalog.text, pg_catalog.text) IS
	'changes a pipeline from its next refresh on; arguments are those of clv_create_pipeline, NULL changes '
	'nothing. reset: the options to remove, of amount, filter, returns, changed_at, level, holdout, cuts, attributes, '
	'ratings, rated_at, season, calendar_source, group_by. The customer''s key cannot change. Where what is read of '
	'the source changes, the next refresh is a full one';

CREATE FUNCTION clv_internal.clv_pipeline_drop_objects(name pg_catalog.text, cascade pg_catalog.bool)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	object record;
BEGIN
	IF NOT cascade THEN
		-- one by one, so that what others have built upon them is not swept away
		FOR object IN
			SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, n.nspname AS schema, c.relname AS name
			FROM pg_class c
			JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE (n.nspname = clv_pipeline_drop_objects.name
				   AND c.relkind = 'v'
				   AND c.relname IN (SELECT v.name FROM clv_internal.clv_pipeline_views() v))
			   OR (n.nspname = clv_internal.clv_pipeline_data(clv_pipeline_drop_objects.name)
				   AND c.relkind IN ('r', 'p')
				   AND NOT c.relispartition)
			ORDER BY c.relkind DESC, c.relname
		LOOP
			EXECUTE format('DROP %s %I.%I', object.kind, object.schema, object.name);
		END LOOP;
	END IF;
	EXECUTE format('DROP SCHEMA %I, %I %s', name, clv_internal.clv_pipeline_data(name),
		CASE WHEN cascade THEN 'CASCADE' END);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_drop_objects(pg_catalog.text, pg_catalog.bool) IS
	'drops the schemas of a pipeline and all that belongs to it, or cascade, all that depends on it. A part of '
	'pipelines';

CREATE PROCEDURE @extschema@.clv_drop_pipeline(name pg_catalog.text, cascade pg_catalog.bool DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
	owner pg_catalog.oid := clv_internal.clv_pipeline_find(name);
BEGIN
	IF NOT clv_internal.clv_pipeline_as_owner(owner, pg_catalog.format($sql$
		SELECT clv_internal.clv_pipeline_lock(%L::pg_catalog.text, false)
	$sql$, name))::pg_catalog.bool THEN
		PERFORM clv_internal.clv_raise(pg_catalog.format('pipeline "%s" is being refreshed', name),
			NULL::pg_catalog.text,
			'Wait until the refresh has ended, or cancel it.'::pg_catalog.text, 'object_in_use'::pg_catalog.text);
	END IF;
	PERFORM @extschema@.clv_unschedule(name) WHERE clv_internal.clv_pipeline_cron();
	PERFORM clv_internal.clv_pipeline_as_owner(owner, pg_catalog.format($sql$
		SELECT clv_internal.clv_pipeline_drop_objects(%L::pg_catalog.text, %L::pg_catalog.bool)
	$sql$, name, coalesce(cascade, false)));
END
$$;
COMMENT ON PROCEDURE @extschema@.clv_drop_pipeline(pg_catalog.text, pg_catalog.bool) IS
	'drops a pipeline with its views, tables and schedule; what others have made that depends on them is an error, '
	'or goes too with cascade. A refresh that runs is an error';
