-- ---- groups: a model for each country, shop or channel, pooled ---------------------------------------------
--
-- With group_by the table "member" says of which group a customer is, and the table "model" has a row for each group
-- beside that of all customers together, whose group_name is empty. Groups are fitted by themselves, pooled, and fitted
-- again with what they have in common as the prior, so that a small one gets what groups are like in general.

CREATE FUNCTION clv_internal.clv_pipeline_most_groups() RETURNS pg_catalog.int4
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
RETURN 5000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_most_groups() IS
	'how many groups a pipeline may have. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_group_source(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text;
	relation regclass;
BEGIN
	FOREACH name IN ARRAY ARRAY[d.source, d.attribute_source] LOOP
		relation := (clv_internal.clv_source_relation(name)).relation;
		IF EXISTS (
			SELECT
			FROM pg_attribute a
			WHERE a.attrelid = relation AND a.attname = d.group_by AND a.attnum > 0 AND NOT a.attisdropped)
		THEN
			RETURN name;
		END IF;
	END LOOP;
	-- with the columns that there are
	PERFORM clv_internal.clv_source_column((clv_internal.clv_source_relation(d.source)).relation, 'group_by'::text,
		d.group_by);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_group_source(clv_internal.clv_pipeline_definition) IS
	'the relation that has the column group_by: the source, or else that of attributes; an error where neither has. A '
	'part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_resolve_group(
	d clv_internal.clv_pipeline_definition, group_by pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (clv_internal.clv_source_column((clv_internal.clv_source_relation(d.source)).relation, 'group_by'::text,
		group_by)).column_name;
EXCEPTION WHEN undefined_column THEN
	IF d.attribute_source IS NULL THEN
		RAISE;
	END IF;
	RETURN (clv_internal.clv_source_column((clv_internal.clv_source_relation(d.attribute_source)).relation,
		'group_by'::text, group_by)).column_name;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_resolve_group(
	clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'the name of the column of the source, or else of the relation of attributes, that group_by means; an error where '
	'neither has it. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_groups(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	chosen text;
BEGIN
	IF d.score_within IS NULL OR d.score_within NOT IN ('all', 'group') THEN
		PERFORM clv_internal.clv_raise(
			format($text$score_within must be 'all' or 'group': %s$text$, coalesce(d.score_within, 'NULL')));
	ELSIF d.group_by IS NULL THEN
		RETURN;
	END IF;
	PERFORM clv_internal.clv_pipeline_group_source(d);
	IF d.group_by = ANY (d.customer) AND cardinality(d.customer) = 1 THEN
		PERFORM clv_internal.clv_raise(
			format($text$group_by cannot be the customer's key: %s$text$, d.group_by),
			'Each customer would be a group.'::text,
			'Name a column that many customers share, such as a country.'::text, 'invalid_parameter_value'::text);
	ELSIF clv_internal.clv_pipeline_shard_column((clv_internal.clv_source_relation(d.source)).relation) IS NOT NULL THEN
		PERFORM clv_internal.clv_raise('a pipeline of a distributed table cannot have groups'::text,
			format('The source is %s.', d.source), 'Make a pipeline for each group, with a filter.'::text,
			'feature_not_supported'::text);
	END IF;
	SELECT k INTO chosen
	FROM unnest('{season,trend}'::text[]) k
	WHERE d.options ->> k = 'auto';
	IF FOUND THEN
		PERFORM clv_internal.clv_raise(format($text$%s cannot be 'auto' with group_by$text$, chosen),
			'Groups are pooled, and each would choose for itself.'::text,
			'Fit all customers with ''auto'', and give what it chose.'::text, 'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_groups(clv_internal.clv_pipeline_definition) IS
	'an error where a definition cannot have the groups that it asks for. A part of pipelines';

-- ---- who is of which group -----------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_group_query(
	d clv_internal.clv_pipeline_definition, touched pg_catalog.int8)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation text := clv_internal.clv_pipeline_group_source(d);
	amount text := clv_internal.clv_pipeline_amount(d, false);
	name text := clv_internal.clv_pipeline_sql(d, $sql$
		coalesce(nullif(pg_catalog.left(s.{1:I}::pg_catalog.text, 200), ''), '(none)')
	$sql$::text, ARRAY[d.group_by]);
BEGIN
	-- {1}: the name of the group of a row s, {2}: the relation, {3}: its time, {4}: that it is a purchase, {5}: the run
	RETURN clv_internal.clv_pipeline_sql(d, CASE WHEN relation = d.source THEN $sql$
		SELECT DISTINCT ON ({s.key}) {s.key}, {1}
		FROM {source} AS s
		WHERE {s.known} AND s.{3:I} IS NOT NULL {filter} {4} {5}
		ORDER BY {s.key}, s.{3:I} DESC, 2
	$sql$ ELSE $sql$
		SELECT {s.key}, pg_catalog.min({1})
		FROM {2} AS s
		WHERE {s.known}
		GROUP BY {s.key}
	$sql$ END, ARRAY[
		name,
		relation,
		d.bought_at,
		concat(clv_internal.clv_pipeline_counted(d),
			' AND (' || amount || ' OPERATOR(pg_catalog.<) 0) IS NOT TRUE'),
		CASE WHEN touched IS NOT NULL THEN clv_internal.clv_pipeline_sql(d, $sql$
			AND EXISTS (SELECT FROM {data}.touched t WHERE t.run OPERATOR(pg_catalog.=) {1} AND {t=s})
		$sql$::text, ARRAY[touched::text]) END]);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_group_query(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'the statement that finds the group of each customer, or of those touched by a run: the one of their latest '
	'purchase, or that of their attributes. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_find_groups(
	d clv_internal.clv_pipeline_definition, touched pg_catalog.int8)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	most int4 := clv_internal.clv_pipeline_most_groups();
	found int8;
BEGIN
	-- attributes say nothing of when they changed
	IF clv_internal.clv_pipeline_group_source(d) <> d.source THEN
		touched := NULL;
	END IF;
	IF touched IS NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, 'TRUNCATE {data}.member'::text);
	ELSE
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			DELETE FROM {data}.member e
			USING {data}.touched t
			WHERE t.run = $1 AND {e=t}
		$sql$::text) USING touched;
	END IF;
	PERFORM clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.member ({key}, group_name)
		{1}
	$sql$::text, ARRAY[clv_internal.clv_pipeline_group_query(d, touched)]));
	EXECUTE clv_internal.clv_pipeline_sql(d, 'ANALYZE {data}.member'::text);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT count(DISTINCT e.group_name) FROM {data}.member e'::text)
	INTO found;
	IF found > most THEN
		PERFORM clv_internal.clv_raise(format('group_by makes %s groups: column "%s"', found, d.group_by),
			format('A pipeline may have %s.', most),
			'Name a column that many customers share, or let a view put small groups together.'::text,
			'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_find_groups(
	clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'writes down the group of each customer, or of those touched by a run; an error where there are too many groups. A '
	'part of pipelines';

-- ---- their models ----------------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_group_models(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		SELECT
			m.group_name,
			clv_internal.clv_pipeline_ahead(m.model, ($2).calendar) AS group_model,
			m.cuts AS group_cuts
		FROM {data}.model m
		WHERE m.run = ($2).model_run AND m.group_name <> ''
		OFFSET 0
	$sql$::text)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_group_models(clv_internal.clv_pipeline_definition) IS
	'the query of the models of the groups of a run, with the calendar to come, and their cuts. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_grouped_histories(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		SELECT coalesce(e.group_name, '(none)')::varchar(200) AS group_name, h.history
		FROM {data}.history h
		LEFT JOIN {data}.member e ON {e=h}
		WHERE h.generation = $1
	$sql$::text)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_grouped_histories(clv_internal.clv_pipeline_definition) IS
	'the query of all histories with the group of each. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_count_groups(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, options pg_catalog.jsonb,
	model_run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rows int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.fit (group_name, cells)
		SELECT h.group_name, @extschema@.clv_cells(h.history, $2::jsonb)
		FROM ({1}) h
		WHERE @extschema@.clv_first_purchase(h.history) <= ($2::jsonb ->> 'as_of')::date
		  AND NOT EXISTS (
			SELECT
			FROM {data}.model m
			WHERE m.run = $3::int8 AND m.group_name = h.group_name
		  )
		GROUP BY h.group_name
	$sql$::text, ARRAY[clv_internal.clv_pipeline_grouped_histories(d)]) USING generation, options, model_run;
	GET DIAGNOSTICS rows = ROW_COUNT;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_count_groups(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.jsonb, pg_catalog.int8) IS
	'puts the cells of each group that has no model of a run yet into the table "fit"; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fit_each(
	d clv_internal.clv_pipeline_definition, options pg_catalog.jsonb, prior pg_catalog.jsonb)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- what these fits lack is what pooling, or the model of all customers, makes up for
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off SET client_min_messages = error
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.fit f
		SET model = q.model
		FROM (
			SELECT a.group_name, @extschema@.clv_fit(a.cells, $1::jsonb || '{"too_few": "null"}'
				|| jsonb_strip_nulls(jsonb_build_object('prior', $2::jsonb))) AS model
			FROM {data}.fit a
			WHERE $2::jsonb IS NOT NULL OR a.model IS NULL
			GROUP BY a.group_name
		) q
		WHERE q.group_name = f.group_name
	$sql$::text) USING options, prior;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fit_each(
	clv_internal.clv_pipeline_definition, pg_catalog.jsonb, pg_catalog.jsonb) IS
	'fits each group of the table "fit" by itself: with a prior all, without one those that have no fit yet. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_pool(
	d clv_internal.clv_pipeline_definition, options pg_catalog.jsonb, OUT prior pg_catalog.jsonb,
	OUT failure pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- what these fits lack is what the second ones make up for
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off SET client_min_messages = error
AS $$
BEGIN
	PERFORM clv_internal.clv_pipeline_fit_each(d, options, NULL::jsonb);
	EXECUTE clv_internal.clv_pipeline_sql(d, 'SELECT @extschema@.clv_pool(f.model) FROM {data}.fit f'::text) INTO prior;
EXCEPTION WHEN invalid_parameter_value OR data_exception OR object_not_in_prerequisite_state THEN
	prior := NULL;
	failure := SQLERRM;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_pool(clv_internal.clv_pipeline_definition, pg_catalog.jsonb) IS
	'fits the groups of the table "fit" by themselves, and returns what they have in common as a prior; or why there '
	'is none, such as a single group that says anything. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fit_pooled(
	d clv_internal.clv_pipeline_definition, options pg_catalog.jsonb, prior pg_catalog.jsonb,
	of_all @extschema@.clv_model)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- a group in which nobody has bought for long is nothing to warn of
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off SET client_min_messages = error
AS $$
DECLARE
	others int8;
BEGIN
	PERFORM clv_internal.clv_pipeline_fit_each(d, options, prior);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.fit f
		SET model = $1
		WHERE f.model IS NULL OR NOT (SELECT m.converged FROM @extschema@.clv_diagnostics(f.model) m)
	$sql$::text) USING of_all;
	GET DIAGNOSTICS others = ROW_COUNT;
	IF @extschema@.clv_shock(of_all) IS NOT NULL THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.fit f
			SET model = @extschema@.clv_with_shock(f.model, @extschema@.clv_shock($1))
		$sql$::text) USING of_all;
	END IF;
	RETURN others;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fit_pooled(
	clv_internal.clv_pipeline_definition, pg_catalog.jsonb, pg_catalog.jsonb, @extschema@.clv_model) IS
	'fits the groups of the table "fit" with a prior, where there is one; the model of all customers for those that '
	'have no fit, and how many these are. All keep the common shock of that model. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_all_cuts(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date,
	of_all @extschema@.clv_model)
RETURNS @extschema@.clv_cuts
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- one population after the other
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off
AS $$
DECLARE
	made jsonb;
BEGIN
	-- The measures of a group are under its own model; populations of one model can be put together.
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT jsonb_object_agg(q.bins, q.cuts::jsonb)
		FROM (
			SELECT
				p.bins,
				@extschema@.rfmtc_cuts(
					(p.population::jsonb || jsonb_build_object('model', $4::@extschema@.clv_model::jsonb))
						::@extschema@.clv_population) AS cuts
			FROM (
				SELECT n.bins, h.group_name,
					@extschema@.clv_population(h.history, $2::date, g.model, n.bins) AS population
				FROM ({1}) h
				JOIN {data}.fit g USING (group_name)
				CROSS JOIN unnest($3::int4[]) n (bins)
				GROUP BY n.bins, h.group_name
			) p
			GROUP BY p.bins
		) q
	$sql$::text, ARRAY[clv_internal.clv_pipeline_grouped_histories(d)]) INTO made
	USING generation, as_of, clv_internal.clv_pipeline_all_bins(d), of_all;
	RETURN clv_internal.clv_pipeline_merge_cuts(d, made);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_all_cuts(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date, @extschema@.clv_model) IS
	'the cuts of the scores of all customers, each measured under the model of their group in the table "fit". A part '
	'of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_group_cuts(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date,
	of_all @extschema@.clv_cuts)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off
AS $$
BEGIN
	IF d.score_within = 'all' THEN
		-- the limits of all customers, under the model of each group
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.fit
			SET cuts = ($1::jsonb || jsonb_build_object('model', model::jsonb))::@extschema@.clv_cuts
		$sql$::text) USING of_all;
	ELSE
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.fit f
			SET cuts = clv_internal.clv_pipeline_merge_cuts($4, q.made)
			FROM (
				SELECT b.group_name, jsonb_object_agg(b.bins, b.cuts::jsonb) AS made
				FROM (
					SELECT h.group_name, n.bins, @extschema@.rfmtc_cuts(h.history, $2::date, g.model, n.bins) AS cuts
					FROM ({1}) h
					JOIN {data}.fit g USING (group_name)
					CROSS JOIN unnest($3::int4[]) n (bins)
					GROUP BY h.group_name, n.bins
				) b
				GROUP BY b.group_name
			) q
			WHERE q.group_name = f.group_name
		$sql$::text, ARRAY[clv_internal.clv_pipeline_grouped_histories(d)]) USING generation, as_of,
			clv_internal.clv_pipeline_all_bins(d), d;
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_group_cuts(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date, @extschema@.clv_cuts) IS
	'cuts the scores of the groups of the table "fit": within each of them, or where those of all customers are. A '
	'part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_keep_groups(
	d clv_internal.clv_pipeline_definition, model_run pg_catalog.int8, added_in pg_catalog.int8,
	reason pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.model (run, group_name, fitted_at, as_of, reason, fingerprint, model, cuts, added_in)
		SELECT
			$1, f.group_name, clock_timestamp(), (f.cuts::jsonb ->> 'as_of')::date, $2, m.fingerprint, f.model, f.cuts,
			$3
		FROM {data}.fit f
		JOIN {data}.model m ON m.run = $1 AND m.group_name = ''
	$sql$::text) USING model_run, reason, added_in;
	EXECUTE clv_internal.clv_pipeline_sql(d, 'TRUNCATE {data}.fit'::text);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_keep_groups(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8, pg_catalog.text) IS
	'makes the models of the table "fit" those of the groups of a run that has one of all customers, and empties '
	'the table; added_in: the later run that found these groups, NULL for that run itself. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_new_groups(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, latest record)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this record;
	options jsonb;
	rows int8;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.generation, r.as_of, r.calendar
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO this USING run;
	options := clv_internal.clv_pipeline_fit_options(d, this.as_of, this.calendar)
		|| jsonb_build_object('model', (@extschema@.clv_diagnostics(latest.model)).purchase_model, 'shock', false);
	rows := clv_internal.clv_pipeline_count_groups(d, this.generation, options, latest.run);
	IF rows > 0 THEN
		PERFORM clv_internal.clv_pipeline_fit_pooled(d, options, latest.prior, latest.model);
		PERFORM clv_internal.clv_pipeline_group_cuts(d, this.generation, this.as_of, latest.cuts);
		PERFORM clv_internal.clv_pipeline_note(d, run, format('new groups: %s', rows));
	END IF;
	PERFORM clv_internal.clv_pipeline_keep_groups(d, latest.run, run, 'a new group'::text);
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_new_groups(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, record) IS
	'fits the groups that came after the models of a run (latest, its model of all customers), with the prior of '
	'these; how many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fit_groups(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, options pg_catalog.jsonb,
	of_all @extschema@.clv_model)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this record;
	prior jsonb;
	failure text;
	rows int8;
	others int8;
	cuts @extschema@.clv_cuts;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.generation, r.as_of
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO this USING run;
	rows := clv_internal.clv_pipeline_count_groups(d, this.generation, options, run);
	-- what the user knows beforehand takes the place of what the groups say
	prior := options -> 'prior';
	IF prior IS NULL THEN
		SELECT p.prior, p.failure INTO prior, failure FROM clv_internal.clv_pipeline_pool(d, options) p;
	END IF;
	others := clv_internal.clv_pipeline_fit_pooled(d, options, prior, of_all);
	IF d.score_within = 'all' THEN
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			UPDATE {data}.model
			SET cuts = $2
			WHERE run = $1 AND group_name = ''
			RETURNING cuts
		$sql$::text) INTO cuts USING run,
			clv_internal.clv_pipeline_all_cuts(d, this.generation, this.as_of, of_all);
	END IF;
	PERFORM clv_internal.clv_pipeline_group_cuts(d, this.generation, this.as_of, cuts);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		UPDATE {data}.model
		SET prior = $2
		WHERE run = $1 AND group_name = ''
	$sql$::text) USING run, prior;
	PERFORM clv_internal.clv_pipeline_keep_groups(d, run, NULL::int8, 'with all groups'::text);
	PERFORM clv_internal.clv_pipeline_note(d, run, format('models of groups: %s', rows));
	PERFORM clv_internal.clv_pipeline_note(d, run, 'not pooled: ' || failure);
	PERFORM clv_internal.clv_pipeline_note(d, run, 'groups with the model of all customers: '
		|| nullif(others, 0));
	RETURN rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fit_groups(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.jsonb, @extschema@.clv_model) IS
	'fits and pools the groups of a run, which has a model of all customers, and cuts their scores; how many. A part '
	'of pipelines';

-- ---- what they add up to ---------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_fill_by_group(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, target pg_catalog.text, fillings pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- sums of one group after the other: each keeps what it has computed under its model
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off
AS $$
BEGIN
	RETURN clv_internal.clv_pipeline_fill(d, run, target, fillings);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fill_by_group(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text, pg_catalog.text[]) IS
	'clv_pipeline_fill for queries that sum predictions by group. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_fill_groups(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE
		WHEN d.group_by IS NULL THEN 0
		ELSE clv_internal.clv_pipeline_fill_by_group(d, run, 'group_equity'::text,
			ARRAY[clv_internal.clv_pipeline_group_models(d)])
	END;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_fill_groups(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'what the groups of a run are worth; the number of rows. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_group_drift(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, model_run pg_catalog.int8,
	calendar @extschema@.clv_calendar, since pg_catalog.date, as_of pg_catalog.date,
	OUT expected pg_catalog.float8, OUT low pg_catalog.float8, OUT high pg_catalog.float8, OUT made pg_catalog.int8)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp SET enable_hashagg = off
AS $$
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT (q.t).expected_purchases, (q.t).purchases_low_without_shock, (q.t).purchases_high_without_shock, q.made
		FROM (
			SELECT @extschema@.clv_totals(g.t) AS t, sum(g.made) AS made
			FROM (
				SELECT
					@extschema@.clv_predict_total(
						clv_internal.clv_pipeline_ahead(m.model, $3::@extschema@.clv_calendar), h.history, $4::interval,
						0::float8, 1::float8, $5::date, 0.99::float8) AS t,
					sum(@extschema@.clv_purchases_between(h.history, $5::date, $6::date)) AS made
				FROM ({1}) h
				JOIN {data}.model m ON m.run = $2 AND m.group_name = h.group_name
				WHERE @extschema@.clv_first_purchase(h.history) <= $5::date
				GROUP BY h.group_name
			) g
		) q
	$sql$::text, ARRAY[clv_internal.clv_pipeline_grouped_histories(d)]) INTO expected, low, high, made
	USING generation, model_run, calendar, make_interval(days => as_of - since), since, as_of;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_group_drift(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8, @extschema@.clv_calendar,
	pg_catalog.date, pg_catalog.date) IS
	'what was expected since a day of the customers of all groups by the models of a run, with the 99 % prediction '
	'interval, and the purchases that were made. A part of pipelines';
