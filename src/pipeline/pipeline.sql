-- ---- pipelines: a table of transactions becomes a schema of living views ----------------------------------
--
-- A pipeline "shop" is two schemas of its creator: shop holds views, shop_data the tables behind them, with the
-- definition of the pipeline among them. Nothing of it belongs to the extension, so that pg_dump takes it along.
--
-- Whatever runs SQL of the pipeline's owner (sources, filters, policies, tables that others might have tampered
-- with) does so through clv_pipeline_as_owner(). Functions that do not commit pin their search_path; the procedure
-- that commits cannot, and qualifies every name.

CREATE TYPE clv_internal.clv_pipeline_definition AS (
	name pg_catalog.text,
	source pg_catalog.text,
	customer pg_catalog.text[],
	bought_at pg_catalog.text,
	amount pg_catalog.text,
	"returns" pg_catalog.text,
	changed_at pg_catalog.text,
	overlap pg_catalog.interval,
	filter pg_catalog.text,
	search_path pg_catalog.text,
	time_zone pg_catalog.text,
	occasion pg_catalog.int4,
	as_of pg_catalog.text,
	options pg_catalog.jsonb,
	refit pg_catalog.text,
	horizon pg_catalog.interval,
	discount_rate pg_catalog.float8,
	margin pg_catalog.float8,
	level pg_catalog.float8,
	map pg_catalog.text,
	bins pg_catalog.int4,
	holdout pg_catalog.interval,
	attribute_source pg_catalog.text,
	attributes pg_catalog.text[],
	rating_source pg_catalog.text,
	rating pg_catalog.text,
	rated_at pg_catalog.text,
	calendar_source pg_catalog.text,
	calendar_columns pg_catalog.text[],
	list_size pg_catalog.int4,
	cuts pg_catalog.jsonb,
	tiers pg_catalog.int4[],
	group_by pg_catalog.text,
	score_within pg_catalog.text,
	created_at pg_catalog.timestamptz
);
COMMENT ON TYPE clv_internal.clv_pipeline_definition IS
	'what a pipeline is made of: the row of the table "pipeline" in its data schema. Fields are the arguments of '
	'clv_create_pipeline, with names of relations qualified and those of columns as the catalog has them; '
	'search_path is the one that the filter is read with, calendar_columns are the day and the covariates of '
	'calendar_source';

CREATE TYPE clv_internal.clv_pipeline_part AS (
	kind pg_catalog.text,
	name pg_catalog.text,
	statement pg_catalog.text,
	comment pg_catalog.text
);
COMMENT ON TYPE clv_internal.clv_pipeline_part IS
	'a part of the tables and views of a pipeline: a table, a query that fills it, a view or a column of one; see '
	'src/pipeline/pipeline_views.sql. A part of pipelines';

CREATE TYPE clv_internal.clv_pipeline_run AS (
	run pg_catalog.int8,
	previous pg_catalog.int8,
	previous_customers pg_catalog.int8,
	customer_run pg_catalog.int8,
	as_of pg_catalog.date,
	generation pg_catalog.int8,
	model_run pg_catalog.int8,
	model @extschema@.clv_model,
	cuts @extschema@.clv_cuts,
	has_spend pg_catalog.bool,
	calendar @extschema@.clv_calendar
);
COMMENT ON TYPE clv_internal.clv_pipeline_run IS
	'what is known of a run of a pipeline once its model is there: its number and that of the run that the views '
	'show until it is published, the runs whose number the customers of the latter and its own bear, the day as of '
	'which it evaluates customers, the generation of its histories, the run '
	'that fitted its model, the model with the steps to come of the calendar, its cuts, whether the model has spend, '
	'and the calendar as it was read. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_as_owner(owner pg_catalog.oid, statement pg_catalog.text)
	RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_as_owner(pg_catalog.oid, pg_catalog.text) IS
	'runs a statement as another role, of which the caller must be a member, where it can neither become its caller '
	'again nor change the caller''s settings; the first column of its first row as text. A part of pipelines';

-- ---- writing statements -----------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_data(name pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
RETURN pg_catalog.concat(name, '_data');
COMMENT ON FUNCTION clv_internal.clv_pipeline_data(pg_catalog.text) IS
	'the name of the schema with the tables of a pipeline. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_key_hash(VARIADIC "any") RETURNS pg_catalog.int8
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_pipeline_key_hash("any") IS
	'a hash of the columns of a customer''s key, by which samples are drawn. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_key_operator(type pg_catalog.oid) RETURNS pg_catalog.text
LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 50
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN t.typnamespace = 'pg_catalog'::regnamespace OR t.typtype <> 'b' THEN 'OPERATOR(pg_catalog.=)'
		ELSE (
			SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
			FROM pg_opclass c
			JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
			JOIN pg_amop e ON e.amopfamily = c.opcfamily AND e.amoplefttype = t.oid AND e.amoprighttype = t.oid
				AND e.amopstrategy = 3
			JOIN pg_operator o ON o.oid = e.amopopr
			JOIN pg_namespace n ON n.oid = o.oprnamespace
			WHERE c.opcintype = t.oid AND c.opcdefault
		)
	END
	FROM pg_type t
	WHERE t.oid = clv_internal.clv_source_base_type(type)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_key_operator(pg_catalog.oid) IS
	'the operator by which keys of a type are equal: that of the default btree operator class of a type that an '
	'extension brings, by which GROUP BY and indexes compare too; NULL where it has none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_equal(
	definition clv_internal.clv_pipeline_definition, name pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce((
		SELECT clv_internal.clv_pipeline_key_operator(a.atttypid)
		FROM pg_attribute a
		WHERE a.attrelid = to_regclass((definition).source) AND a.attname = name
	), 'OPERATOR(pg_catalog.=)')
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_equal(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'the operator by which values of a column of the customer''s key are equal. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_customers(d clv_internal.clv_pipeline_definition) RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- One query of one table, so that only the columns that are asked for are read; of a run that has written all of
	-- its customers the planner sees that their number is all there is to look at.
	RETURN clv_internal.clv_pipeline_sql(d, CASE WHEN clv_internal.clv_pipeline_sharded(d, 'customer'::text) THEN $sql$
		(SELECT * FROM {data}.customer WHERE run = ($2).run)
	$sql$ ELSE $sql$
		(
			SELECT *
			FROM {data}.customer e
			WHERE e.run = ($2).run
			   OR ($2).customer_run <> ($2).run
			  AND e.run = ($2).customer_run
			  AND NOT EXISTS (SELECT FROM {data}.touched t WHERE t.run = ($2).run AND {t=e})
		)
	$sql$ END);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_customers(clv_internal.clv_pipeline_definition) IS
	'the customers of a run that is not yet published, as a subquery: those that it has written, or, where it keeps '
	'the rows of an earlier run, these with the rows that it has written for touched customers in the place of theirs. '
	'A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_sql(
	definition clv_internal.clv_pipeline_definition, template pg_catalog.text, parts pg_catalog.text[])
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(CASE
		WHEN m[1] IS NOT NULL THEN m[1]
		WHEN m[2] ~ E'^\\d+$' THEN coalesce(parts[m[2]::int4], '')
		WHEN m[2] ~ E'^\\d+:I$' THEN quote_ident(parts[split_part(m[2], ':', 1)::int4])
		WHEN m[2] ~ E'^\\d+:L$' THEN quote_nullable(parts[split_part(m[2], ':', 1)::int4])
		WHEN m[2] = 'views' THEN quote_ident((definition).name)
		WHEN m[2] = 'data' THEN quote_ident(clv_internal.clv_pipeline_data((definition).name))
		WHEN m[2] = 'source' THEN (definition).source
		WHEN m[2] = 'customers' THEN clv_internal.clv_pipeline_customers(definition)
		WHEN m[2] = 'shown' THEN format(
			'(SELECT coalesce(r.customer_run, r.run) FROM %1$I.state s JOIN %1$I.run r USING (run))',
			clv_internal.clv_pipeline_data((definition).name))
		WHEN m[2] IN ('model', 'cuts') THEN CASE
			WHEN (definition).group_by IS NULL THEN '($2).' || m[2]
			ELSE 'group_' || m[2]
		END
		WHEN m[2] = 'group' THEN CASE WHEN (definition).group_by IS NULL THEN 'NULL' ELSE 'group_name' END
		WHEN m[2] LIKE '%.hash' THEN format('clv_internal.clv_pipeline_key_hash(%s)', (
			SELECT string_agg(left(m[2], -4) || quote_ident(c), ', ' ORDER BY i)
			FROM unnest((definition).customer) WITH ORDINALITY AS u (c, i)
		))
		WHEN m[2] = 'filter' THEN coalesce(E'AND (\n' || (definition).filter || E'\n)', '')
		ELSE (SELECT string_agg(CASE
				WHEN m[2] = 'key' THEN quote_ident(c)
				WHEN m[2] LIKE '%.key' THEN left(m[2], -3) || quote_ident(c)
				WHEN m[2] LIKE '%.known' THEN format('%s%I IS NOT NULL', left(m[2], -5), c)
				WHEN m[2] = '=' THEN clv_internal.clv_pipeline_equal(definition, c)
				ELSE format('%2$s.%1$I %4$s %3$s.%1$I', c, split_part(m[2], '=', 1), split_part(m[2], '=', 2),
					clv_internal.clv_pipeline_equal(definition, c))
				END, CASE WHEN m[2] LIKE '%key' THEN ', ' ELSE ' AND ' END ORDER BY i)
			FROM unnest((definition).customer) WITH ORDINALITY AS u (c, i))
		END, '' ORDER BY n)
	FROM clv_internal.clv_template(template, E'([a-z.=]+|\\d+(?::[IL])?)')
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_sql(
	clv_internal.clv_pipeline_definition, pg_catalog.text, pg_catalog.text[]) IS
	'a statement with its place-holders filled in for a pipeline: {views}, {data}: its schemas; {source}, {filter}: '
	'the relation and AND (filter); {customers}: a subquery of the customers of a run; {shown}: the number that those '
	'of the views bear; {key}, {a.key}: the columns of the customer''s key, of a relation a; {a=b}: equality of the '
	'keys of a and b; {=}: the operator of a key of one column; {a.known}: that none is NULL; {a.hash}: a hash of the '
	'key; {extschema}: the schema of the extension; {model}, {cuts}, {group}: what a customer is evaluated with, and '
	'their group: of a run, or those of the columns group_model, group_cuts and group_name; {1}, {1:I}, {1:L}: the '
	'first of the parts as it is, as an identifier, as a literal. A part of pipelines';
CREATE FUNCTION clv_internal.clv_pipeline_sql(definition clv_internal.clv_pipeline_definition, template pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
RETURN clv_internal.clv_pipeline_sql(definition, template, '{}'::pg_catalog.text[]);
COMMENT ON FUNCTION clv_internal.clv_pipeline_sql(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'the same for a statement without parts. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_condition(condition pg_catalog.text)
	RETURNS pg_catalog.void
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_condition(pg_catalog.text) IS
	'an error where a text is not one expression in SQL, which stays inside the parentheses around it. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_looks_beyond(statement pg_catalog.text)
	RETURNS pg_catalog.text
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_looks_beyond(pg_catalog.text) IS
	'what in a SELECT may change while no row that it reads does: a subquery of its condition, the clock, a function '
	'that is not immutable, those of views too; NULL where there is nothing. A part of pipelines';

-- ---- finding a pipeline -----------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_tables()
RETURNS TABLE (name pg_catalog.text, owner pg_catalog.oid)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT left(n.nspname, -5), c.relowner
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.reloftype = 'clv_internal.clv_pipeline_definition'::regtype AND c.relname = 'pipeline'
	  AND c.relkind = 'r' AND NOT c.relrowsecurity AND n.nspname LIKE E'%\\_data' AND n.nspowner = c.relowner
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_tables() IS
	'the pipelines of this database and their owners. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_may(owner pg_catalog.oid) RETURNS pg_catalog.bool
LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 10
-- PostgreSQL 16 tells being a member from being allowed to become the role: the second is what a pipeline needs
RETURN pg_catalog.pg_has_role(owner, CASE
	WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 160000 THEN 'SET'
	ELSE 'MEMBER'
END);
COMMENT ON FUNCTION clv_internal.clv_pipeline_may(pg_catalog.oid) IS
	'whether the current user may work as the owner of a pipeline. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_find(name pg_catalog.text) RETURNS pg_catalog.oid
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner oid := (SELECT t.owner FROM clv_internal.clv_pipeline_tables() t WHERE t.name = clv_pipeline_find.name);
	others text;
BEGIN
	IF name IS NULL THEN
		PERFORM clv_internal.clv_raise('name must be the name of a pipeline, not NULL'::text, NULL::text,
			NULL::text, 'null_value_not_allowed'::text);
	ELSIF owner IS NULL THEN
		SELECT string_agg(format('"%s"', t.name), ', ' ORDER BY t.name) INTO others
		FROM clv_internal.clv_pipeline_tables() t;
		PERFORM clv_internal.clv_raise(format('pipeline "%s" does not exist', name), NULL::text,
			coalesce('Pipelines of this database are: ' || others || '.',
				'There is none in this database: see clv_create_pipeline.'),
			'undefined_object'::text);
	ELSIF NOT clv_internal.clv_pipeline_may(owner) THEN
		PERFORM clv_internal.clv_raise(
			format('permission denied for pipeline "%s"', name),
			format('Its owner is role "%s", of which "%s" is not a member.', pg_get_userbyid(owner), current_user),
			NULL::text,
			'insufficient_privilege'::text);
	END IF;
	RETURN owner;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_find(pg_catalog.text) IS
	'the owner of a pipeline; an error where there is none, or the caller is no member of the owner. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_read(name pg_catalog.text)
RETURNS clv_internal.clv_pipeline_definition
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000
-- the definition is passed as text, which must not depend on the settings of the session
SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 SET datestyle = iso SET intervalstyle = postgres
AS $$
DECLARE
	definition clv_internal.clv_pipeline_definition;
BEGIN
	-- even if the table has been replaced by another relation: it is read with the rights of its owner only
	definition := clv_internal.clv_pipeline_as_owner(clv_internal.clv_pipeline_find(name),
		format('SELECT p FROM ONLY %I.pipeline p', clv_internal.clv_pipeline_data(name)));
	IF definition IS NULL THEN
		PERFORM clv_internal.clv_raise(
			format('pipeline "%s" has no definition', name),
			format('The table %I.pipeline is empty.', clv_internal.clv_pipeline_data(name)),
			'Drop the pipeline with clv_drop_pipeline and make it anew.'::text, 'no_data_found'::text);
	END IF;
	-- the schemas may have been renamed since
	definition.name := name;
	RETURN definition;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_read(pg_catalog.text) IS
	'the definition of a pipeline, read as its owner. A part of pipelines';
