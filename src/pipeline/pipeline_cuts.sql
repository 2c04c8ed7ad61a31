-- ---- the cuts of a pipeline's scores: quantiles, or limits of one's own ------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_measure(score pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT m
	FROM unnest('{r,f,m,t,c,v}'::text[], '{recency,frequency,monetary,tenure,churn,value}'::text[]) u (s, m)
	WHERE s = score
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_measure(pg_catalog.text) IS
	'the measure that a score cuts, as the JSON of clv_cuts calls it; NULL for another letter. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_cuts(cuts pg_catalog.jsonb) RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hint CONSTANT text := 'Such as {"r": [30, 90], "f": 3}: two limits for r, which make three scores, and three bins '
		'for f. Scores are r, f, m, t, c and v.';
	part record;
	bad text;
BEGIN
	IF jsonb_typeof(cuts) <> 'object' OR cuts = '{}' THEN
		PERFORM clv_internal.clv_raise(format('cuts must be an object of limits by score: %s', cuts), NULL::text, hint,
			'invalid_parameter_value'::text);
	END IF;
	FOR part IN SELECT j.key, j.value FROM jsonb_each(cuts) j LOOP
		bad := CASE
			WHEN clv_internal.clv_pipeline_measure(part.key) IS NULL THEN 'cuts has a member that is no score: "%s"'
			WHEN jsonb_typeof(part.value) = 'number' THEN CASE
				WHEN part.value::numeric NOT BETWEEN 2 AND 100 OR part.value::numeric <> trunc(part.value::numeric)
				THEN 'cuts of score %s must be 2 to 100 bins, or a list of limits: %s'
			END
			WHEN jsonb_typeof(part.value) <> 'array' OR jsonb_array_length(part.value) NOT BETWEEN 1 AND 99
			  OR (SELECT bool_or(jsonb_typeof(e) <> 'number') FROM jsonb_array_elements(part.value) e)
			THEN 'cuts of score %s must be 2 to 100 bins, or a list of limits: %s'
			WHEN (
				SELECT bool_or(q.below >= q.n)
				FROM (
					SELECT e.n::numeric AS n, lag(e.n::numeric) OVER (ORDER BY e.i) AS below
					FROM jsonb_array_elements(part.value) WITH ORDINALITY AS e (n, i)
				) q
			)
			THEN 'limits of score %s must ascend: %s'
		END;
		IF bad IS NOT NULL THEN
			PERFORM clv_internal.clv_raise(format(bad, part.key, part.value), NULL::text, hint,
				'invalid_parameter_value'::text);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_cuts(pg_catalog.jsonb) IS
	'an error where the thresholds of a definition are not lists of ascending limits, or numbers of bins, by score. A '
	'part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_score_bins(
	d clv_internal.clv_pipeline_definition, score pg_catalog.text)
RETURNS pg_catalog.int4
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE jsonb_typeof((d).cuts -> score)
		WHEN 'array' THEN jsonb_array_length((d).cuts -> score) + 1
		WHEN 'number' THEN ((d).cuts ->> score)::int4
		ELSE (d).bins
	END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_score_bins(
	clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'how many values a score of a pipeline has. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_check_bins(
	d clv_internal.clv_pipeline_definition, map pg_catalog.text)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	score record;
BEGIN
	IF d.cuts IS NULL THEN
		PERFORM clv_internal.clv_segment_bins(map, d.bins);
		RETURN;
	END IF;
	FOR score IN
		SELECT i.name, i.highest, clv_internal.clv_pipeline_score_bins(d, i.name) AS bins
		FROM @extschema@.clv_segment_inputs(map) i
		WHERE i.kind = 'score' AND i.highest IS NOT NULL
	LOOP
		-- as clv_segment_bins has it, score by score
		IF score.bins NOT BETWEEN score.highest AND greatest(score.highest, 5) THEN
			PERFORM clv_internal.clv_raise(
				format('map %s is written for scores %s up to %s, not for %s',
					CASE WHEN map ~ E'^\\s*\\[' THEN 'given as rules' ELSE quote_ident(map) END, score.name,
					CASE WHEN score.bins > 5 THEN greatest(score.highest, 5) ELSE score.highest END, score.bins),
				NULL::text,
				$hint$Give as many limits as the map has scores, less one; or write a map for yours.$hint$::text,
				'invalid_parameter_value'::text);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_check_bins(clv_internal.clv_pipeline_definition, pg_catalog.text) IS
	'an error where a map is written for other scores than those of a pipeline. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_quantiles(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date,
	model @extschema@.clv_model, bins pg_catalog.int4)
RETURNS @extschema@.clv_cuts
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cuts @extschema@.clv_cuts;
BEGIN
	-- a population has the same few megabytes whatever the number of customers, and is what workers send
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT @extschema@.rfmtc_cuts(q.population)
		FROM (
			SELECT @extschema@.clv_population(h.history, $2::date, $3::@extschema@.clv_model, $4::int4) AS population
			FROM {data}.history h
			WHERE h.generation = $1
		) q
	$sql$::text) INTO cuts USING generation, as_of, model, bins;
	RETURN cuts;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_quantiles(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4) IS
	'the cuts of all customers of a pipeline at the quantiles of so many bins. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_all_bins(d clv_internal.clv_pipeline_definition)
RETURNS pg_catalog.int4[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(DISTINCT b.bins)
	FROM (
		SELECT (d).bins
		UNION ALL
		SELECT j.value::text::int4
		FROM jsonb_each((d).cuts) j
		WHERE jsonb_typeof(j.value) = 'number'
	) b (bins)
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_all_bins(clv_internal.clv_pipeline_definition) IS
	'the numbers of bins that scores of a pipeline have. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_merge_cuts(
	d clv_internal.clv_pipeline_definition, made pg_catalog.jsonb)
RETURNS @extschema@.clv_cuts
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	usual jsonb := made -> d.bins::text;
BEGIN
	IF d.cuts IS NULL OR usual IS NULL THEN
		RETURN usual::@extschema@.clv_cuts;
	END IF;
	-- in version 2 each score has limits of its own
	RETURN ((usual - 'bins') || jsonb_build_object('version', 2) || (
		SELECT coalesce(jsonb_object_agg(m.measure, CASE jsonb_typeof(j.value)
			WHEN 'array' THEN j.value
			ELSE made -> j.value::text -> m.measure
		END), '{}')
		FROM jsonb_each(d.cuts) j
		CROSS JOIN LATERAL clv_internal.clv_pipeline_measure(j.key) m (measure)
		WHERE jsonb_typeof(j.value) = 'array' OR made -> j.value::text ? m.measure
	))::@extschema@.clv_cuts;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_merge_cuts(
	clv_internal.clv_pipeline_definition, pg_catalog.jsonb) IS
	'the cuts of the scores of a pipeline, from the JSON of quantiles by the number of bins, but where its definition '
	'has thresholds of its own; NULL where there are none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_cuts(
	d clv_internal.clv_pipeline_definition, generation pg_catalog.int8, as_of pg_catalog.date,
	model @extschema@.clv_model)
RETURNS @extschema@.clv_cuts
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made jsonb := '{}';
	bins int4;
BEGIN
	FOREACH bins IN ARRAY clv_internal.clv_pipeline_all_bins(d) LOOP
		made := made || jsonb_build_object(bins,
			clv_internal.clv_pipeline_quantiles(d, generation, as_of, model, bins)::jsonb);
	END LOOP;
	RETURN clv_internal.clv_pipeline_merge_cuts(d, jsonb_strip_nulls(made));
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_cuts(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.date, @extschema@.clv_model) IS
	'the cuts of the scores of a pipeline: quantiles of its customers, but where its definition has thresholds of its '
	'own. A part of pipelines';
