-- ---- steps of a refresh that find out: customers, and what they add up to -----------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_put(
	d @extschema@.clv_pipeline_definition, run pg_catalog.int8, target pg_catalog.text, query pg_catalog.text,
	parts pg_catalog.text[])
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found jsonb;
	rows int8;
BEGIN
	-- A query that only reads may run in parallel, an INSERT of its rows may not; what comes out of it is small.
	EXECUTE @extschema@.clv_pipeline_sql(d, 'SELECT jsonb_agg(q) FROM ({1}) q'::text,
		ARRAY[@extschema@.clv_pipeline_sql(d, query, run::text || parts)]) INTO found;
	-- The last digits of a sum of doubles depend on the order of its rows. Where it can be, sums are of whole billionths;
	-- else these digits go, so that the same customers make the same row.
	EXECUTE @extschema@.clv_pipeline_sql(d, 'INSERT INTO {data}.{1:I} SELECT (jsonb_populate_record(NULL::{data}.{1:I}, o)).* '
		'FROM jsonb_array_elements($1) e CROSS JOIN LATERAL (SELECT jsonb_build_object(''run'', $2) || jsonb_object_agg(k, CASE jsonb_typeof(v) '
		'WHEN ''number'' THEN to_jsonb(@extschema@.clv_pipeline_rounded(v::numeric)) ELSE v END) AS o FROM jsonb_each(e) AS j (k, v)) q'::text, ARRAY[target])
		USING found, run;
	GET DIAGNOSTICS rows = ROW_COUNT;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_put(@extschema@.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text, pg_catalog.text, pg_catalog.text[]) IS
	'puts the few rows of a query into a table of a pipeline, by the names of the columns; in the query {1} is the run, {2} the first of the parts. A part of pipelines';
CREATE FUNCTION @extschema@.clv_pipeline_put(
	d @extschema@.clv_pipeline_definition, run pg_catalog.int8, target pg_catalog.text, query pg_catalog.text)
RETURNS pg_catalog.int8
LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 1000000
RETURN @extschema@.clv_pipeline_put(d, run, target, query, '{}'::pg_catalog.text[]);
COMMENT ON FUNCTION @extschema@.clv_pipeline_put(@extschema@.clv_pipeline_definition, pg_catalog.int8, pg_catalog.text, pg_catalog.text) IS
	'the same for a query without parts. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_sum(number pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
RETURN pg_catalog.format('(pg_catalog.sum((1e9 * %s)::pg_catalog.int8) / 1e9)', number);
COMMENT ON FUNCTION @extschema@.clv_pipeline_sum(pg_catalog.text) IS
	'the sum of an expression in whole billionths, the same in any order of the rows. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_this(
	d @extschema@.clv_pipeline_definition, run pg_catalog.int8,
	OUT as_of pg_catalog.date, OUT generation pg_catalog.int8, OUT model_run pg_catalog.int8,
	OUT model @extschema@.clv_model, OUT cuts @extschema@.clv_cuts)
RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE @extschema@.clv_pipeline_sql(d, 'SELECT r.as_of, r.generation, m.run, m.model, m.cuts FROM {data}.run r '
		'JOIN {data}.model m ON m.run = r.model_run WHERE r.run = $1'::text)
		INTO STRICT as_of, generation, model_run, model, cuts USING run;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_this(@extschema@.clv_pipeline_definition, pg_catalog.int8) IS
	'what a run works with once its model is there: its day, the generation of its histories, its model and cuts. A part of pipelines';

-- ---- step: customers -------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_rated_day(d @extschema@.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN format(CASE @extschema@.clv_pipeline_check_type((@extschema@.clv_quick_relation(d.rating_source)).relation, 'rated_at'::text, d.rated_at,
		'{timestamptz,timestamp,date}'::regtype[], 'a time'::text) WHEN 'timestamptz'::regtype THEN '(g.%I AT TIME ZONE %L)::date' ELSE 'g.%I::date' END,
		d.rated_at, d.time_zone);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_rated_day(@extschema@.clv_pipeline_definition) IS
	'the day of a rating g, as an expression. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_ratings(d @extschema@.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF d.rating_source IS NULL THEN
		RETURN '';
	END IF;
	IF d.rated_at IS NULL THEN
		RETURN @extschema@.clv_pipeline_sql(d, 'LEFT JOIN (SELECT {g.key}, round(avg(g.{1:I})) AS rating FROM {2} g '
			'WHERE {g.known} GROUP BY {g.key}) g ON {g=h}'::text, ARRAY[d.rating, d.rating_source]);
	END IF;
	RETURN @extschema@.clv_pipeline_sql(d, 'LEFT JOIN (SELECT DISTINCT ON ({g.key}) {g.key}, g.{1:I} AS rating FROM {2} g '
		'WHERE {g.known} AND g.{1:I} IS NOT NULL AND {3} <= $2 ORDER BY {g.key}, g.{4:I} DESC, g.{1:I}) g ON {g=h}'::text,
		ARRAY[d.rating, d.rating_source, @extschema@.clv_pipeline_rated_day(d), d.rated_at]);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_ratings(@extschema@.clv_pipeline_definition) IS
	'the join that brings each customer''s latest rating up to the day $2 (the lowest of several at one time; without times their mean). A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_attributes(d @extschema@.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	needs text[] := ARRAY(SELECT i.name FROM @extschema@.clv_segment_inputs(d.map) i WHERE i.kind = 'attribute' ORDER BY 1);
BEGIN
	RETURN (SELECT 'jsonb_build_object(' || string_agg(format('%L, %s', n, CASE
			WHEN n = ANY (d.attributes) THEN format('a.%I', n)
			WHEN n = 'trend' THEN '(2 * @extschema@.clv_purchases_between(q.history, @extschema@.clv_first_purchase(q.history, $2) + '
				'($2 - @extschema@.clv_first_purchase(q.history, $2)) / 2, $2) - (q.rfmtc).frequency)::float8 / (q.rfmtc).frequency'
			WHEN n = 'satisfaction' THEN 'q.satisfaction'
			ELSE 'q.cumulative_share' END), ', ') || ')'
		FROM unnest(needs) n);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_attributes(@extschema@.clv_pipeline_definition) IS
	'the attributes that the pipeline''s map asks for, as an expression; NULL where it asks for none. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_segment(
	scores @extschema@.clv_scores, map pg_catalog.text, attributes pg_catalog.jsonb)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN @extschema@.segment_assign(scores, map, attributes);
EXCEPTION WHEN null_value_not_allowed THEN
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_segment(@extschema@.clv_scores, pg_catalog.text, pg_catalog.jsonb) IS
	'the segment of a customer of whom something is not known; NULL where that is what the map needs. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_assign(d @extschema@.clv_pipeline_definition, map pg_catalog.text, attributes pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('CASE WHEN %s THEN @extschema@.clv_pipeline_segment(q.scores, %L::text, %s) ELSE @extschema@.segment_assign(q.scores, %2$L::text, %3$s) END',
		coalesce(string_agg(CASE WHEN i.kind = 'score' THEN format('(q.scores).%I IS NULL', i.name) ELSE format('a.%I IS NULL', i.name) END, ' OR ')
			FILTER (WHERE i.kind = 'score' OR i.name = ANY ((d).attributes)), 'false'), map, coalesce(attributes, 'NULL::jsonb'))
	FROM @extschema@.clv_segment_inputs(map) i
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_assign(@extschema@.clv_pipeline_definition, pg_catalog.text, pg_catalog.text) IS
	'the segment of a customer of the statement that scores them, as an expression: NULL where what the map needs is not known. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_customers(d @extschema@.clv_pipeline_definition)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	attributes text := @extschema@.clv_pipeline_attributes(d);
	rated bool := d.rating_source IS NOT NULL;
BEGIN
	-- $1 run, $2 day, $3 model, $4 cuts, $5 generation, $6 definition
	RETURN @extschema@.clv_pipeline_sql(d,
		'INSERT INTO {data}.customer SELECT $1, {q.key}, @extschema@.clv_first_purchase(q.history, $2), $2 - (q.rfmtc).recency, '
		'date_trunc(''month'', @extschema@.clv_first_purchase(q.history, $2)::timestamp)::date, (q.rfmtc).recency, (q.rfmtc).frequency, '
		'(q.rfmtc).monetary, (q.rfmtc).tenure, @extschema@.clv_finite((q.rfmtc).churn), (q.scores).r, (q.scores).f, (q.scores).m, (q.scores).t, (q.scores).c, (q.scores).v, '
		'coalesce({1}, ''(none)''), (q.prediction).p_alive, '
		'@extschema@.clv_finite((q.prediction).expected_purchases), {2}, (q.prediction).purchases_low, @extschema@.clv_finite((q.prediction).purchases_high), {3}, '
		'q.rating, q.satisfaction, {4} FROM (SELECT h.*, @extschema@.rfmtc(h.history, $2, $3) AS rfmtc, '
		'@extschema@.clv_predict($3, h.history, ($6).horizon, ($6).discount_rate, ($6).margin, $2, ($6).level, NULL::float8[]) AS prediction, '
		'@extschema@.rfmtc_score(h.history, $4, $2) AS scores, {5} FROM {data}.history h {6} WHERE h.generation = $5 OFFSET 0) q{7} '
		'WHERE NOT q.rfmtc IS NULL'::text,
		ARRAY[@extschema@.clv_pipeline_assign(d, d.map, attributes),
		(SELECT string_agg(format('@extschema@.clv_cents((q.prediction).%I)', c), ', ' ORDER BY i) FROM unnest(
			'{expected_spend,expected_revenue,clv,lifetime_value,next_purchase_value}'::text[]) WITH ORDINALITY u (c, i)),
		(SELECT string_agg(format('@extschema@.clv_cents((q.prediction).%I)', c), ', ' ORDER BY i) FROM unnest('{clv_low,clv_high}'::text[])
			WITH ORDINALITY u (c, i)),
		CASE WHEN rated THEN @extschema@.clv_pipeline_assign(d, 'value x satisfaction'::text, 'jsonb_build_object(''satisfaction'', q.satisfaction)'::text)
			ELSE 'NULL' END,
		concat_ws(', ',
			CASE WHEN rated THEN 'g.rating::int2 AS rating, CASE WHEN g.rating IS NULL THEN ''unknown'' WHEN g.rating > 8.5 THEN ''promoter'' '
				'WHEN g.rating > 6.5 THEN ''passive'' ELSE ''detractor'' END AS satisfaction'
				ELSE 'NULL::int2 AS rating, NULL::text AS satisfaction' END,
			CASE WHEN attributes LIKE '%q.cumulative_share%' THEN
				'coalesce((sum(w.spend) OVER (ORDER BY w.spend DESC) - sum(w.spend) OVER (PARTITION BY w.spend)) '
				'/ nullif(sum(w.spend) OVER (), 0), 0) AS cumulative_share' END),
		concat_ws(' ', @extschema@.clv_pipeline_ratings(d), CASE WHEN attributes LIKE '%q.cumulative_share%' THEN
			'CROSS JOIN LATERAL (SELECT CASE WHEN @extschema@.clv_purchases(h.history, $2) > 0 '
			'THEN coalesce(greatest(@extschema@.clv_total_spend(h.history, $2), 0), 0) ELSE 0 END AS spend) w' END),
		CASE WHEN attributes LIKE '%a.%' THEN @extschema@.clv_pipeline_sql(d, ' LEFT JOIN {1} a ON {a=q}'::text, ARRAY[d.attribute_source]) END]);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_customers(@extschema@.clv_pipeline_definition) IS
	'the statement that scores, predicts and names all customers. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_step_customers(d @extschema@.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this record := @extschema@.clv_pipeline_this(d, run);
	rows int8;
	missed int8;
BEGIN
	EXECUTE @extschema@.clv_pipeline_customers(d) USING run, this.as_of, this.model, this.cuts, this.generation, d;
	GET DIAGNOSTICS rows = ROW_COUNT;
	EXECUTE @extschema@.clv_pipeline_sql(d, 'UPDATE {data}.run SET customers = $2, (histories, total_revenue) = '
		'(SELECT count(*), CASE WHEN $4 THEN coalesce(sum(@extschema@.clv_total_spend(h.history)), 0) + coalesce(revenue_without_customer, 0) '
		'+ coalesce(revenue_without_time, 0) END FROM {data}.history h WHERE h.generation = $3) WHERE run = $1'::text)
		USING run, rows, this.generation, d.amount IS NOT NULL;
	EXECUTE @extschema@.clv_pipeline_sql(d, 'ANALYZE {data}.customer'::text);
	EXECUTE @extschema@.clv_pipeline_sql(d, 'SELECT count(*) FROM {data}.customer c WHERE c.run = $1 AND c.segment = ''(none)'''::text) INTO missed USING run;
	PERFORM @extschema@.clv_pipeline_note(d, run, format('%s customers in no segment: no rule holds, or what one needs is not known', missed))
		WHERE missed > 0;
	IF d.rated_at IS NOT NULL THEN
		EXECUTE @extschema@.clv_pipeline_sql(d, 'SELECT count(*) FROM {1} g WHERE {g.known} AND g.{2:I} IS NOT NULL AND {3} > $1'::text,
			ARRAY[d.rating_source, d.rating, @extschema@.clv_pipeline_rated_day(d)]) INTO missed USING this.as_of;
		PERFORM @extschema@.clv_pipeline_note(d, run, format('%s ratings after the day left out', missed)) WHERE missed > 0;
	END IF;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_step_customers(@extschema@.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: scores, predictions and segments of all customers. A part of pipelines';

-- ---- step: segments, migration, equity ---------------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_step_segments(d @extschema@.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this record := @extschema@.clv_pipeline_this(d, run);
	previous int8;
	total @extschema@.clv_total;
	left_out record;
	rows int8;
BEGIN
	EXECUTE @extschema@.clv_pipeline_sql(d, 'SELECT s.run FROM {data}.state s'::text) INTO previous;
	rows := @extschema@.clv_pipeline_put(d, run, 'segment'::text,
		'SELECT c.segment, count(*) AS customers, {3} AS active_customers, round(sum(c.monetary), 2) AS past_revenue, '
		'{4} AS expected_purchases, sum(c.expected_revenue) AS expected_revenue, sum(c.clv) AS clv, '
		'sum(c.lifetime_value) AS lifetime_value, avg(c.recency::float8) AS mean_recency, avg(c.frequency::float8) AS mean_frequency, '
		'round(avg(c.monetary), 2) AS mean_monetary, 1 - {3} / count(c.p_alive) AS mean_churn, '
		'(SELECT left(min(p.description), 400) FROM @extschema@.clv_segment_map p WHERE p.map = {2:L} AND p.segment = c.segment) AS description '
		'FROM {data}.customer c WHERE c.run = {1} GROUP BY c.segment'::text, ARRAY[d.map,
		@extschema@.clv_pipeline_sum('c.p_alive'::text), @extschema@.clv_pipeline_sum('c.expected_purchases'::text)]);
	rows := rows + @extschema@.clv_pipeline_put(d, run, 'migration'::text,
		'SELECT coalesce(b.segment, ''(new)'') AS from_segment, coalesce(c.segment, ''(gone)'') AS to_segment, count(*) AS customers, '
		'coalesce(sum(b.clv), 0) AS clv_before, coalesce(sum(c.clv), 0) AS clv_after FROM (SELECT * FROM {data}.customer WHERE run = {2}) b '
		'FULL JOIN (SELECT * FROM {data}.customer WHERE run = {1}) c USING ({key}) GROUP BY 1, 2'::text, ARRAY[coalesce(previous, -1)::text]);
	EXECUTE @extschema@.clv_pipeline_sql(d, 'SELECT (q.t).* FROM (SELECT @extschema@.clv_predict_total($1, h.history, $2, $3, $4, $5, $6) AS t '
		'FROM {data}.history h WHERE h.generation = $7) q'::text) INTO total
		USING this.model, d.horizon, d.discount_rate, d.margin, this.as_of, coalesce(d.level, 0.9), this.generation;
	-- what the past revenue of customers is not, so that all adds up to the source
	EXECUTE @extschema@.clv_pipeline_sql(d, 'SELECT q.customers, CASE WHEN $3 THEN coalesce(q.after, 0) END AS after, '
		'CASE WHEN $3 THEN coalesce(q.without_purchase, 0) END AS without_purchase, CASE WHEN $3 THEN coalesce(q.early, 0) END AS early '
		'FROM (SELECT sum(h.ever) - coalesce(sum(h.by_now), 0) AS after, count(*) FILTER (WHERE h.first IS NULL) AS customers, '
		'sum(h.by_now) FILTER (WHERE h.first IS NULL) AS without_purchase, '
		'sum(@extschema@.clv_total_spend(h.history, h.first - 1)) FILTER (WHERE h.first IS NOT NULL) AS early '
		'FROM (SELECT h.history, @extschema@.clv_first_purchase(h.history, $1) AS first, @extschema@.clv_total_spend(h.history, $1) AS by_now, '
		'@extschema@.clv_total_spend(h.history) AS ever FROM {data}.history h WHERE h.generation = $2) h) q'::text) INTO left_out
		USING this.as_of, this.generation, d.amount IS NOT NULL;
	RETURN rows + @extschema@.clv_pipeline_put(d, run, 'equity'::text,
		'SELECT sum(s.customers) AS customers, sum(s.active_customers) AS active_customers, sum(s.past_revenue) AS past_revenue, '
		'sum(s.expected_purchases) AS expected_purchases, sum(s.expected_revenue) AS expected_revenue, sum(s.clv) AS clv, '
		'sum(s.lifetime_value) AS lifetime_value, {2}::float8 AS level, {3:L}::float8 AS purchases_low, {4:L}::float8 AS purchases_high, '
		'@extschema@.clv_cents({5:L}::float8) AS clv_low, @extschema@.clv_cents({6:L}::float8) AS clv_high, round({7:L}::numeric, 2) AS revenue_after, '
		'{8:L}::int8 AS customers_without_purchase, round({9:L}::numeric, 2) AS revenue_without_purchase, round({10:L}::numeric, 2) AS early_refunds '
		'FROM {data}.segment s WHERE s.run = {1}'::text, ARRAY[coalesce(d.level, 0.9)::text,
		@extschema@.clv_finite(total.purchases_low)::text, @extschema@.clv_finite(total.purchases_high)::text,
		total.value_low::text, total.value_high::text,
		left_out.after::text, left_out.customers::text, left_out.without_purchase::text, left_out.early::text]);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_step_segments(@extschema@.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: what segments add up to, who moved between them, and what the base is worth. A part of pipelines';

-- ---- step: cohorts -------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_step_cohorts(d @extschema@.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	this record := @extschema@.clv_pipeline_this(d, run);
	rows int8;
BEGIN
	rows := @extschema@.clv_pipeline_put(d, run, 'cohort'::text,
		'SELECT c.cohort_month, count(*) AS customers, {2} AS active_customers, round(sum(c.monetary), 2) AS past_revenue, '
		'sum(c.expected_revenue) AS expected_revenue, sum(c.clv) AS clv, sum(c.lifetime_value) AS lifetime_value '
		'FROM {data}.customer c WHERE c.run = {1} GROUP BY c.cohort_month'::text, ARRAY[@extschema@.clv_pipeline_sum('c.p_alive'::text)]);
	-- A customer is a buyer of a month on the first day of it on which he buys. Months without any purchase are rows too.
	RETURN rows + @extschema@.clv_pipeline_put(d, run, 'cohort_age'::text,
		'WITH days AS (SELECT date_trunc(''month'', @extschema@.clv_first_purchase(h.history, {2:L}::date)::timestamp) AS cohort, h.history, '
		'@extschema@.clv_purchase_log(h.history) AS l FROM {data}.history h WHERE h.generation = {3}), '
		-- what came back before the first purchase belongs to its month
		'sums AS (SELECT y.cohort::date AS cohort_month, greatest(date_trunc(''month'', (y.l).day::timestamp), y.cohort)::date AS month, '
		'count(*) FILTER (WHERE (y.l).purchase) AS purchases, count(*) FILTER (WHERE (y.l).purchase AND @extschema@.clv_purchases_between('
		'y.history, date_trunc(''month'', (y.l).day::timestamp)::date - 1, (y.l).day - 1) = 0) AS buyers, sum((y.l).amount) AS revenue '
		'FROM days y WHERE (y.l).day <= {2:L}::date AND y.cohort IS NOT NULL GROUP BY 1, 2) '
		'SELECT c.cohort_month, (12 * (extract(year FROM m) - extract(year FROM c.cohort_month)) + extract(month FROM m) '
		'- extract(month FROM c.cohort_month))::int4 AS age, m::date AS month, c.customers, coalesce(s.buyers, 0) AS buyers, '
		'coalesce(s.purchases, 0) AS purchases, coalesce(round(s.revenue, 2), 0) AS revenue, '
		'(m + interval ''1 month'')::date <= {2:L}::date + 1 AS complete '
		'FROM {data}.cohort c CROSS JOIN LATERAL generate_series(c.cohort_month::timestamp, {2:L}::date::timestamp, ''1 month'') m '
		'LEFT JOIN sums s ON s.cohort_month = c.cohort_month AND s.month = m::date WHERE c.run = {1}',
		ARRAY[to_char(this.as_of, 'YYYY-MM-DD'), this.generation::text]);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_step_cohorts(@extschema@.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: cohorts by the month of the first purchase, and what they did at which age. A part of pipelines';

-- ---- step: forecast --------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_periods(
	horizon pg_catalog.interval, as_of pg_catalog.date, model @extschema@.clv_model)
RETURNS TABLE (number pg_catalog.int4, period_start pg_catalog.date, period_end pg_catalog.date, until pg_catalog.interval)
LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 13
SET search_path = pg_catalog, pg_temp
AS $$
	-- calendar months where time is continuous, else the family's own periods; the last one ends with the horizon
	WITH clock AS (SELECT c.clock, c.time_unit FROM @extschema@.clv_validate_clock(model) c),
	span AS (SELECT 365.25 * (12 * extract(year FROM horizon) + extract(month FROM horizon))::float8 / 12
			+ extract(day FROM horizon)::float8 + extract(epoch FROM horizon - date_trunc('day', horizon))::float8 / 86400 AS days
			FROM clock c WHERE c.clock = 'continuous'),
	months AS (SELECT (m + interval '1 month')::date - 1 - as_of AS days
			FROM span, generate_series(date_trunc('month', (as_of + 1)::timestamp), (as_of + span.days::int4)::timestamp, interval '1 month') m),
	ends AS (SELECT m.days, make_interval(days => m.days) AS until FROM months m, span WHERE m.days < span.days - 0.5
		UNION ALL SELECT span.days::int4, horizon FROM span
		UNION ALL SELECT p.until - as_of, i * c.time_unit FROM clock c, @extschema@.clv_validate_periods(model, as_of, horizon) h,
			generate_series(1, CASE WHEN h.periods < 121 THEN h.periods WHEN h.periods > 0 THEN 121 END) i,
			@extschema@.clv_validate_periods(model, as_of, i * c.time_unit) p),
	numbered AS (SELECT row_number() OVER (ORDER BY e.days)::int4 AS number, lag(e.days, 1, 0) OVER (ORDER BY e.days) AS since, e.days, e.until
			FROM ends e)
	SELECT n.number, as_of + n.since + 1, as_of + n.days, n.until FROM numbered n ORDER BY n.number LIMIT 121
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_periods(pg_catalog.interval, pg_catalog.date, @extschema@.clv_model) IS
	'the periods of a forecast: calendar months, or the periods of a family of discrete time; until: from the day to the end of the period. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_step_forecast(d @extschema@.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- intervals are worked out for so many customers of a segment, and scaled: their widths need no more
	sample CONSTANT int4 := 4000;
	this record := @extschema@.clv_pipeline_this(d, run);
	expected text;
	sums text;
	totals text;
	units float8;
BEGIN
	-- sums of whole ten-thousandths, or of whole units where these would be too many
	EXECUTE @extschema@.clv_pipeline_sql(d, 'SELECT CASE WHEN sum(s.expected_revenue) > 1e13 THEN 1 ELSE 1e4 END FROM {data}.segment s WHERE s.run = $1'::text)
		INTO units USING run;
	-- a call for each period by itself, because each remembers what it has worked out for its horizon
	SELECT string_agg(format('@extschema@.clv_expected_purchases(m.model, h.history, %L::interval, %L::date, NULL::float8[]) AS e%s', p.until, this.as_of, p.number), ', '),
		format('ARRAY[%s] AS e, ARRAY[%s] AS r', string_agg(@extschema@.clv_pipeline_sum('q.e' || p.number), ', ' ORDER BY p.number),
			string_agg(format('sum((%1$s * q.e%2$s * q.spend)::int8) / %1$s', units, p.number), ', ' ORDER BY p.number)),
		format('ARRAY[%s] AS t', string_agg(format('@extschema@.clv_predict_total(m.model, h.history, %L::interval, 0::float8, 1::float8, %L::date, %s::float8)', p.until, this.as_of,
			coalesce(d.level, 0.9)), ', ' ORDER BY p.number))
	INTO expected, sums, totals
	FROM @extschema@.clv_pipeline_periods(d.horizon, this.as_of, this.model) p;
	-- the variance of what will happen grows with the number of customers, that of what is expected with its square
	RETURN @extschema@.clv_pipeline_put(d, run, 'forecast'::text,
		'WITH m AS (SELECT m.model FROM {data}.model m JOIN {data}.run r ON m.run = r.model_run WHERE r.run = {1}), '
		'sums AS MATERIALIZED (SELECT q.segment, {2} FROM (SELECT c.segment, {9} AS spend, {3} '
		'FROM {data}.history h JOIN {data}.customer c USING ({key}), m WHERE h.generation = {6} AND c.run = {1} OFFSET 0) q GROUP BY q.segment), '
		'sampled AS MATERIALIZED (SELECT c.segment, s.customers::float8 / count(*) AS scale, {4} FROM {data}.segment s JOIN {data}.customer c USING (run, segment) '
		'JOIN {data}.history h USING ({key}), m WHERE s.run = {1} AND h.generation = {6} '
		'AND hashtextextended(concat_ws(''/'', {c.key}), 0) % (1 + s.customers / {7}) = 0 GROUP BY c.segment, s.customers), '
		'cumulated AS (SELECT s.segment, p.*, CASE WHEN p.number = max(p.number) OVER () THEN g.expected_purchases ELSE s.e[p.number] END AS e, '
		'CASE WHEN p.number = max(p.number) OVER () THEN g.expected_revenue ELSE round(s.r[p.number], 2) END AS r, '
		-- what has no limits, because its model has not converged, has none here
		'(power(t.purchases_high - t.expected_purchases, 2) - coalesce(power(t.purchases_mean_high - t.expected_purchases, 2), 0)) * a.scale AS e_chance, '
		'coalesce(t.purchases_mean_high - t.expected_purchases, 0) * a.scale AS e_estimate, '
		'(power(t.value_high - t.expected_value, 2) - coalesce(power(t.value_mean_high - t.expected_value, 2), 0)) * a.scale AS r_chance, '
		'coalesce(t.value_mean_high - t.expected_value, 0) * a.scale AS r_estimate '
		'FROM @extschema@.clv_pipeline_periods({8:L}::interval, {5:L}::date, (SELECT m.model FROM m)) p CROSS JOIN sums s JOIN {data}.segment g ON g.run = {1} '
		'AND g.segment = s.segment LEFT JOIN sampled a ON a.segment = s.segment LEFT JOIN LATERAL unnest(a.t) WITH ORDINALITY AS t ON t.ordinality = p.number), '
		'based AS (SELECT segment, number, period_start, period_end, e, r, e_chance, e_estimate, r_chance, r_estimate FROM cumulated '
		'UNION ALL SELECT ''(all)'', number, period_start, period_end, sum(e), sum(r), CASE WHEN count(e_chance) = count(*) THEN sum(e_chance) END, sum(e_estimate), '
		'CASE WHEN count(r_chance) = count(r) THEN sum(r_chance) END, sum(r_estimate) FROM cumulated GROUP BY 2, 3, 4), '
		'wide AS (SELECT *, sqrt(CASE WHEN e_chance IS NOT NULL THEN greatest(e_chance, 0) END + power(e_estimate, 2)) AS e_width, '
		'sqrt(CASE WHEN r_chance IS NOT NULL THEN greatest(r_chance, 0) END + power(r_estimate, 2)) AS r_width FROM based) '
		'SELECT segment, number, period_start, period_end, e - lag(e, 1, 0) OVER w AS expected_purchases, '
		'r - lag(r, 1, 0) OVER w AS expected_revenue, e AS cumulative_purchases, '
		'CASE WHEN e_width IS NOT NULL THEN greatest(e - e_width, 0) END AS purchases_low, e + e_width AS purchases_high, '
		'r AS cumulative_revenue, CASE WHEN r_width IS NOT NULL THEN round(greatest(r::float8 - r_width, 0)::numeric, 2) END AS revenue_low, '
		'round((r::float8 + r_width)::numeric, 2) AS revenue_high '
		'FROM wide WINDOW w AS (PARTITION BY segment ORDER BY number)',
		ARRAY[sums, expected, totals, this.as_of::text, this.generation::text, sample::text, d.horizon::text,
		CASE WHEN (SELECT m.spend_model IS NULL FROM @extschema@.clv_diagnostics(this.model) m) THEN 'NULL::float8'
			ELSE format('@extschema@.clv_finite(@extschema@.clv_expected_spend(m.model, h.history, %L::date))', this.as_of) END]);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_step_forecast(@extschema@.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: purchases and revenue to come, by period and segment, and for all. A part of pipelines';

-- ---- step: concentration ----------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_step_concentration(d @extschema@.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rows int8 := 0;
	basis record;
BEGIN
	FOR basis IN SELECT * FROM (VALUES ('past revenue', 'monetary'), ('future value', 'clv')) v (name, field) LOOP
		-- the row at place i falls into hundredth ceil(100 i / n); where there are fewer customers than that, some stay empty
		rows := rows + @extschema@.clv_pipeline_put(d, run, 'concentration'::text,
			-- shares, and what they are shares of, are of what is above zero; the value itself adds up to that of the base
			'WITH placed AS (SELECT coalesce(c.{3:I}, 0) AS net, greatest(coalesce(c.{3:I}, 0), 0) AS value, '
			'row_number() OVER (ORDER BY c.{3:I} DESC NULLS LAST) AS i, r.customers AS n '
			'FROM {data}.customer c JOIN {data}.run r USING (run) WHERE c.run = {1}), '
			'hundredths AS (SELECT (100 * i + n - 1) / n AS percentile, count(*) AS customers, sum(net) AS net, sum(value) AS value, '
			'sum(i * value) AS weighted, min(n) AS n FROM placed GROUP BY 1), '
			'gini AS (SELECT (min(n) + 1 - 2 * sum(weighted) / nullif(sum(value), 0)) / min(n) AS gini, min(n) AS n FROM hundredths) '
			'SELECT {2:L} AS basis, p AS percentile, coalesce(h.customers, 0) AS customers, coalesce(round(h.net, 2), 0) AS value, '
			'sum(h.customers) OVER w / min(g.n) OVER () AS cumulative_customers_share, '
			'coalesce(sum(h.value) OVER w, 0) / nullif(sum(h.value) OVER (), 0) AS cumulative_value_share, g.gini '
			'FROM generate_series(1, 100) p CROSS JOIN gini g LEFT JOIN hundredths h ON h.percentile = p WHERE g.n > 0 WINDOW w AS (ORDER BY p)',
			ARRAY[basis.name, basis.field]);
	END LOOP;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_step_concentration(@extschema@.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: which share of the value the most valuable hundredths of the customers bring, behind them and before them. A part of pipelines';

-- ---- step: lists --------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_step_lists(d @extschema@.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rows int8;
	more int8;
BEGIN
	-- who has no money in his model is ranked by purchases
	EXECUTE @extschema@.clv_pipeline_sql(d,
		'WITH losses AS (SELECT {c.key}, c.clv, c.p_alive, coalesce(c.clv::float8, c.expected_purchases) / c.p_alive * (1 - c.p_alive) AS loss '
		'FROM {data}.customer c WHERE c.run = $1 AND c.p_alive < 0.5 AND c.p_alive > 0), '
		'worst AS (SELECT * FROM losses q WHERE q.loss > 0 ORDER BY q.loss DESC, {q.key} LIMIT $2) '
		'INSERT INTO {data}.winback SELECT $1, row_number() OVER (ORDER BY q.loss DESC, {q.key}), {q.key}, a.value, a.value - q.clv '
		'FROM worst q CROSS JOIN LATERAL @extschema@.clv_cents(q.clv::float8 / q.p_alive) a (value)'::text) USING run, d.list_size;
	GET DIAGNOSTICS rows = ROW_COUNT;
	EXECUTE @extschema@.clv_pipeline_sql(d,
		'WITH best AS (SELECT {c.key}, c.next_purchase_value FROM {data}.customer c WHERE c.run = $1 AND c.next_purchase_value > 0 '
		'ORDER BY c.next_purchase_value DESC, {c.key} LIMIT $2) '
		'INSERT INTO {data}.next_best SELECT $1, row_number() OVER (ORDER BY c.next_purchase_value DESC, {c.key}), {c.key} FROM best c'::text)
		USING run, d.list_size;
	GET DIAGNOSTICS more = ROW_COUNT;
	RETURN rows + more;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_step_lists(@extschema@.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: whom to win back, and with whom one more purchase goes along with the largest gain. A part of pipelines';

-- ---- step: satisfaction ----------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_step_satisfaction(d @extschema@.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF d.rating_source IS NULL THEN
		RETURN 0;
	END IF;
	RETURN @extschema@.clv_pipeline_put(d, run, 'satisfaction'::text,
		'SELECT coalesce(q.segment, ''(all)'') AS segment, q.customers, (q.n).responses, (q.n).promoters, (q.n).passives, (q.n).detractors, '
		'(q.n).nps, (q.n).margin_of_error, (q.n).low AS nps_low, (q.n).high AS nps_high, q.clv FROM (SELECT c.segment, count(*) AS customers, '
		'@extschema@.clv_nps(c.rating::float8) AS n, sum(c.clv) AS clv FROM {data}.customer c WHERE c.run = {1} GROUP BY ROLLUP (c.segment)) q'::text)
		+ @extschema@.clv_pipeline_put(d, run, 'value_satisfaction'::text,
		'SELECT coalesce(c.value_segment, ''(none)'') AS value_segment, c.satisfaction, count(*) AS customers, round(sum(c.monetary), 2) AS past_revenue, '
		'sum(c.clv) AS clv, (SELECT left(min(p.description), 400) FROM @extschema@.clv_segment_map p WHERE p.map = ''value x satisfaction'' '
		'AND p.segment = c.value_segment) AS description FROM {data}.customer c WHERE c.run = {1} GROUP BY c.value_segment, c.satisfaction'::text);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_step_satisfaction(@extschema@.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: net promoter scores, and value against satisfaction, where there are ratings. A part of pipelines';

-- ---- step: profile ------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_step_profile(d @extschema@.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	attribute text;
	twice text;
	rows int8 := 0;
BEGIN
	IF d.attribute_source IS NULL THEN
		RETURN 0;
	END IF;
	EXECUTE @extschema@.clv_pipeline_sql(d, 'SELECT concat_ws(''/'', {a.key}) FROM {1} a WHERE {a.known} GROUP BY {a.key} '
		'HAVING count(*) > 1 LIMIT 1'::text, ARRAY[d.attribute_source]) INTO twice;
	IF twice IS NOT NULL THEN
		PERFORM @extschema@.clv_quick_refuse(format('%s has more than one row of customer %s', d.attribute_source, twice),
			NULL::text, 'attribute_source must have one row a customer: a view can choose among several.'::text, 'cardinality_violation'::text);
	END IF;
	FOREACH attribute IN ARRAY d.attributes LOOP
		rows := rows + @extschema@.clv_pipeline_put(d, run, 'profile'::text,
			'WITH valued AS (SELECT c.segment, coalesce(left(a.{2:I}::text, 200), ''(none)'') AS value FROM {data}.customer c LEFT JOIN {3} a ON {a=c} '
			'WHERE c.run = {1}), '
			'frequent AS (SELECT v.value FROM valued v GROUP BY v.value ORDER BY count(*) DESC, v.value LIMIT 50), '
			'named AS (SELECT v.segment, coalesce(f.value, ''(other)'') AS value, count(*) AS n FROM valued v LEFT JOIN frequent f USING (value) GROUP BY 1, 2), '
			'of_segment AS (SELECT segment, sum(n) AS n FROM named GROUP BY 1), of_value AS (SELECT value, sum(n) AS n FROM named GROUP BY 1) '
			'SELECT {2:L} AS attribute, v.value, s.segment, coalesce(n.n, 0) AS customers, s.n AS segment_customers, v.n AS value_customers, '
			'(SELECT sum(n) FROM of_segment) AS base_customers FROM of_segment s CROSS JOIN of_value v LEFT JOIN named n USING (segment, value)'::text,
			ARRAY[attribute, d.attribute_source]);
	END LOOP;
	RETURN rows;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_step_profile(@extschema@.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh: how often which values of the attributes are met in which segment, and in all. A part of pipelines';

-- ---- step: validation -----------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.clv_pipeline_holdout(
	d @extschema@.clv_pipeline_definition, run pg_catalog.int8, generation pg_catalog.int8, parts pg_catalog.int8,
	since pg_catalog.date, until pg_catalog.date, span pg_catalog.interval, tracked_until pg_catalog.date, OUT rows pg_catalog.int8, OUT shortfall pg_catalog.text, OUT failure pg_catalog.text)
RETURNS record
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
-- its warnings would be taken for those of the model that the views rest on
SET search_path = pg_catalog, pg_temp SET client_min_messages = error
AS $$
DECLARE
	past @extschema@.clv_model;
	source text := @extschema@.clv_pipeline_sql(d, '{data}.sample'::text);
	converged text;
BEGIN
	EXECUTE @extschema@.clv_pipeline_sql(d, 'CREATE VIEW {data}.sample AS SELECT h.history FROM {data}.history h '
		'WHERE h.generation = {1} AND hashtextextended(concat_ws(''/'', {h.key}), 0) % {2} = 0'::text, ARRAY[generation::text, parts::text]);
	EXECUTE format('SELECT @extschema@.clv_fit(h.history, $1) FROM %s h', source) INTO past
		USING @extschema@.clv_pipeline_fit_options(d, since);
	shortfall := @extschema@.clv_pipeline_shortfall(past, d.options);
	converged := (SELECT m.converged AND coalesce(m.spend_converged, true) FROM @extschema@.clv_diagnostics(past) m)::text;
	rows := @extschema@.clv_pipeline_put(d, run, 'calibration'::text, 'SELECT c.*, {2:L}::date AS holdout_start, {3:L}::date AS holdout_end, '
		'{7:L}::bool AS converged FROM @extschema@.clv_backtest_calibration({4:L}::text, ''history''::text, {2:L}::date, {5:L}::interval, NULL::jsonb, '
		'{6:L}::@extschema@.clv_model, NULL::text, 7) c'::text,
		ARRAY[since::text, until::text, source, span::text, past::text, converged])
		+ @extschema@.clv_pipeline_put(d, run, 'lift'::text, 'SELECT c.*, {2:L}::date AS holdout_start, {3:L}::date AS holdout_end, '
		'{7:L}::bool AS converged FROM @extschema@.clv_backtest_deciles({4:L}::text, ''history''::text, {2:L}::date, {5:L}::interval, NULL::jsonb, '
		'{6:L}::@extschema@.clv_model, NULL::text) c'::text,
		ARRAY[since::text, until::text, source, span::text, past::text, converged]);
	IF tracked_until IS NOT NULL THEN
		rows := rows + @extschema@.clv_pipeline_put(d, run, 'tracking'::text, 'SELECT * FROM @extschema@.clv_tracking({2:L}::text, ''history''::text, {3:L}::@extschema@.clv_model, '
			'''1 week''::interval, NULL::date, {4:L}::date, NULL::date, NULL::text)'::text,
			ARRAY[source, past::text, tracked_until::text]);
	END IF;
	EXECUTE format('DROP VIEW %s', source);
EXCEPTION
	-- a past too short or too quiet for a fit is nothing to keep today's results back for
	WHEN data_exception OR invalid_parameter_value OR no_data_found OR numeric_value_out_of_range OR null_value_not_allowed
		OR object_not_in_prerequisite_state THEN
		rows := 0;
		failure := SQLERRM;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_holdout(@extschema@.clv_pipeline_definition, pg_catalog.int8, pg_catalog.int8, pg_catalog.int8, pg_catalog.date, pg_catalog.date, pg_catalog.interval, pg_catalog.date) IS
	'what a model of the customers up to since, or of one of so many parts of them, predicted for the span that ends with until, and what came; or why there is none. A part of pipelines';

CREATE FUNCTION @extschema@.clv_pipeline_step_validation(d @extschema@.clv_pipeline_definition, run pg_catalog.int8)
RETURNS pg_catalog.int8
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- of more customers a sample says as much
	most CONSTANT int8 := 200000;
	this record := @extschema@.clv_pipeline_this(d, run);
	clock record := @extschema@.clv_validate_clock(this.model);
	first date;
	histories int8;
	days float8;
	span interval;
	since date;
	until date;
	tried record;
BEGIN
	IF this.model_run <> run THEN
		RETURN 0;
	END IF;
	-- in cents that add up
	EXECUTE @extschema@.clv_pipeline_sql(d, 'INSERT INTO {data}.new_customer SELECT {1}, @extschema@.clv_finite(n.expected_purchases), '
		'm.first, m.repeat, m.first + m.repeat FROM @extschema@.clv_new_customer($1, $2, $3, $4, NULL::float8[]) n, '
		'LATERAL (SELECT @extschema@.clv_cents(n.first_purchase_value) AS first, @extschema@.clv_cents(n.repeat_value) AS repeat) m'::text, ARRAY[run::text])
		USING this.model, d.horizon, d.discount_rate, d.margin;
	EXECUTE @extschema@.clv_pipeline_sql(d, 'SELECT min(c.first_purchase), (SELECT r.histories FROM {data}.run r WHERE r.run = $1) '
		'FROM {data}.customer c WHERE c.run = $1'::text) INTO first, histories USING run;
	-- whole weeks, or periods of the family
	days := least(extract(epoch FROM coalesce(d.holdout, d.horizon)) / 86400, (this.as_of - first) / 3.0);
	span := CASE clock.clock WHEN 'continuous' THEN make_interval(days => (floor(days / greatest(clock.unit_days, 7)) * greatest(clock.unit_days, 7))::int4)
		ELSE floor(days / clock.unit_days) * clock.time_unit END;
	since := (this.as_of + 1 - span)::date - 1;
	until := coalesce((@extschema@.clv_validate_periods(this.model, since, span)).until, this.as_of);
	IF until - since < 28 OR clock.clock NOT IN ('continuous', 'opportunities') THEN
		RETURN 1;
	END IF;
	tried := @extschema@.clv_pipeline_holdout(d, run, this.generation, 1 + histories / most, since, until, span,
		CASE WHEN clock.clock = 'continuous' THEN this.as_of END);
	IF tried.shortfall IS NOT NULL THEN
		PERFORM @extschema@.clv_pipeline_note(d, run, 'of the model before the hold-out: ' || tried.shortfall);
		RAISE WARNING 'the hold-out of pipeline "%" is judged by a model that falls short', d.name
			USING DETAIL = format('Fitted as of %s: %s.', to_char(since, 'YYYY-MM-DD'), tried.shortfall);
	END IF;
	PERFORM @extschema@.clv_pipeline_note(d, run, 'no validation: ' || tried.failure);
	RETURN 1 + tried.rows;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_pipeline_step_validation(@extschema@.clv_pipeline_definition, pg_catalog.int8) IS
	'step of a refresh that has fitted a model: what its like, fitted before a hold-out, predicted for it and what came; and what a new customer is worth. A part of pipelines';
