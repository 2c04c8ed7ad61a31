-- ---- step: check, of what is wrong with the source --------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_checked(d clv_internal.clv_pipeline_definition, parts pg_catalog.int8)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 20000
SET search_path = pg_catalog, pg_temp
AS $$
	-- {1}: the key, {2}: day and amount, {3}: that a row counts, {4}: the customers who are read
	SELECT clv_internal.clv_pipeline_sql(d, $sql$
		SELECT {1} AS customer, {2}
		FROM {source} AS s
		WHERE {4} {filter} {3}
	$sql$::text, ARRAY[
		clv_internal.clv_pipeline_sql(d, CASE
			WHEN cardinality((d).customer) = 1 THEN '{s.key}'
			ELSE 'CASE WHEN {s.known} THEN pg_catalog.concat_ws($k$/$k$, {s.key}) END'
		END),
		concat_ws(', ', clv_internal.clv_pipeline_bought_at(d) || ' AS bought_at',
			clv_internal.clv_pipeline_amount(d, false) || ' AS amount'),
		clv_internal.clv_pipeline_counted(d),
		CASE WHEN parts = 1 THEN 'true' ELSE clv_internal.clv_pipeline_sql(d, $sql$
			(NOT ({s.known}) OR {s.hash} OPERATOR(pg_catalog.%) {1} OPERATOR(pg_catalog.=) 0)
		$sql$::text, ARRAY[parts::text]) END])
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_checked(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'the rows of a pipeline''s source for a check, as a query: of one of so many parts of its customers, and all of '
	'no customer. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_find_faults(
	d clv_internal.clv_pipeline_definition, run pg_catalog.int8, parts pg_catalog.int8,
	OUT rows pg_catalog.int8, OUT failure pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	rows := clv_internal.clv_pipeline_read_source(d, clv_internal.clv_pipeline_sql(d, $sql$
		INSERT INTO {data}.finding (run, number, severity, finding, rows, customers, advice, share, checked_at)
		SELECT {1}, c.number, c.severity, c.finding, c.rows, c.customers, c.advice, 1.0 OPERATOR(pg_catalog./) {2},
			pg_catalog.clock_timestamp()
		FROM @extschema@.clv_check({3:L}::pg_catalog.text, 'customer'::pg_catalog.text, 'bought_at'::pg_catalog.text,
			{4:L}::pg_catalog.text) WITH ORDINALITY AS c (severity, finding, rows, customers, advice, number)
	$sql$::text, ARRAY[run::text, parts::text, clv_internal.clv_pipeline_checked(d, parts),
		CASE WHEN d.amount IS NOT NULL THEN 'amount' END]));
EXCEPTION
	-- what a check cannot read is nothing to keep the results back for
	WHEN data_exception OR invalid_parameter_value OR feature_not_supported OR null_value_not_allowed THEN
		rows := 0;
		failure := SQLERRM;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_find_faults(
	clv_internal.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8) IS
	'checks the source of a pipeline, of one of so many parts of its customers, and writes the findings down; how '
	'many, or why there are none. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_step_check(d clv_internal.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- a check of more customers finds the same, and takes longer than the rest of the refresh
	most CONSTANT int8 := 5000;
	this record;
	found record;
	severe text;
BEGIN
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT r.mode, r.histories
		FROM {data}.run r
		WHERE r.run = $1
	$sql$::text) INTO this USING run;
	IF this.mode <> 'full' THEN
		-- the last full one stands
		EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
			INSERT INTO {data}.finding (run, number, severity, finding, rows, customers, advice, share, checked_at)
			SELECT $1, f.number, f.severity, f.finding, f.rows, f.customers, f.advice, f.share, f.checked_at
			FROM {data}.finding f
			JOIN {data}.state s ON s.run = f.run
		$sql$::text) USING run;
		RETURN 0;
	END IF;
	found := clv_internal.clv_pipeline_find_faults(d, run, 1 + this.histories / most);
	PERFORM clv_internal.clv_pipeline_note(d, run, 'no check: ' || found.failure);
	EXECUTE clv_internal.clv_pipeline_sql(d, $sql$
		SELECT string_agg(f.finding, ', ' ORDER BY f.number)
		FROM {data}.finding f
		WHERE f.run = $1 AND f.severity = 'error'
	$sql$::text) INTO severe USING run;
	IF severe IS NOT NULL THEN
		RAISE NOTICE 'the source of pipeline "%" is not fit for a model: %', d.name, severe
			USING DETAIL = 'The view check says in how many rows, and what to do about it.';
	END IF;
	RETURN found.rows;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_step_check(clv_internal.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh that reads the whole source: looks for what is wrong with it, as clv_check does, and says what '
	'is severe. A part of pipelines';
