-- Refreshes of a pipeline, step by step: in full, for touched customers, for a night; and what readers wait for.

-- a daily run has no time for more
SELECT CASE WHEN :customers >= 1000000 THEN :customers ELSE 50000 END AS buyers \gset
CREATE UNLOGGED TABLE sold AS
SELECT customer_id, ordered_at, amount, ordered_at AS changed_at
FROM orders WHERE customer_id <= :buyers;
CREATE INDEX ON sold (customer_id);
CREATE INDEX ON sold (changed_at);
VACUUM ANALYZE sold;
SELECT people(:buyers) || ' customers' AS size,
	   CASE WHEN :customers = 1000000 THEN 3 ELSE 1 END AS rounds, for_a_million('10 x faster') AS bar,
	   for_a_million('30 x faster') AS aim \gset
DROP SCHEMA IF EXISTS bench_shop, bench_shop_data CASCADE;
ALTER TABLE sold ALTER customer_id SET NOT NULL, ALTER ordered_at SET NOT NULL;
CALL clv_create_pipeline('bench_shop', 'sold', 'customer_id', 'ordered_at', 'amount', discount_rate => 0.10,
	changed_at => 'changed_at',
	overlap => '0 hours', refit => 'always');
-- what a backend of its own takes at most, beyond what it had at its start and the shared buffers it has touched
\c
SET client_min_messages = error;
SET work_mem = '256MB';
SELECT now AS at_start FROM bench_memory() \gset
CALL clv_refresh('bench_shop');
INSERT INTO report (what, clv, bar)
SELECT 'memory of a refresh in full, work_mem 256 MB, ' || :'size', round(peak - shared - :at_start) || ' MB',
	CASE WHEN :customers = 10000000 THEN '1000 MB' ELSE '-' END
FROM bench_memory();
RESET work_mem;
SET enable_sort = off;
-- one customer in a hundred buys on the last day
INSERT INTO sold
SELECT customer_id, '2017-12-31 12:00+00', 20, '2018-01-01'
FROM generate_series(1, :buyers, 100) customer_id;

-- How much faster than the same in full.
CREATE PROCEDURE report_gain(what text, bar text, aim text) LANGUAGE sql AS $$
	INSERT INTO report (what, clv, floor, result, bar, aim)
	SELECT what, shown(what, 'clv'), 'in full ' || shown(what, 'floor'),
		   round((median(what, 'floor') / median(what, 'clv'))::numeric, 1) || ' x faster', bar, aim $$;

-- Histories and cells of one run, undone.
CREATE FUNCTION stages(all_of_them bool) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	d clv_internal.clv_pipeline_definition := clv_internal.clv_pipeline_read('bench_shop');
	run int8 := 1000 * extract(epoch FROM clock_timestamp());
	generation int8 := (SELECT s.generation FROM bench_shop_data.state s);
BEGIN
	IF all_of_them THEN
		generation := run;
		PERFORM clv_internal.clv_pipeline_build(d, run);
	ELSE
		PERFORM clv_internal.clv_pipeline_rebuild(d, run, generation);
	END IF;
	PERFORM clv_internal.clv_pipeline_cells(d, generation,
		clv_internal.clv_pipeline_fit_options(d, '2017-12-31', NULL));
	RAISE EXCEPTION USING ERRCODE = 'BENCH';
EXCEPTION WHEN SQLSTATE 'BENCH' THEN
	NULL;
END $$;
SELECT 'refresh: histories and cells, 1 % of customers touched, ' || :'size' AS what \gset
CALL measure(:'what', 'SELECT stages(false)', 'SELECT stages(true)', rounds => :rounds);
CALL report_gain(:'what', :'bar', :'aim');

-- The same pipeline in full, for 1 % of customers touched on the same day, and for a night: 1 % touched on the next
-- day, so that all customers are a day older; and for a third of them touched. By the CPU of each step; the model is
-- fitted anew in full, and kept else, as it is by default.
CALL clv_alter_pipeline('bench_shop', refit => 'auto');
ALTER TABLE bench_shop_data.step ADD cpu float8;
CREATE FUNCTION step_cpu() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.cpu := CASE TG_OP WHEN 'INSERT' THEN -run.bench_cpu() ELSE NEW.cpu + run.bench_cpu() END;
	RETURN NEW;
END $$;
CREATE TRIGGER cpu BEFORE INSERT OR UPDATE ON bench_shop_data.step FOR EACH ROW EXECUTE FUNCTION step_cpu();
CREATE TABLE refreshed (run int8, kind text, round int);
CREATE PROCEDURE touch(first int, step int, buyers int, day int, written int) LANGUAGE sql AS $$
	INSERT INTO sold
	SELECT customer_id, '2017-12-31 12:00+00'::timestamptz + make_interval(days => day), 20,
		'2018-01-01'::timestamptz + make_interval(hours => written)
	FROM generate_series(first, buyers, step) customer_id $$;
CREATE PROCEDURE note_run(kind text, round int) LANGUAGE sql AS $$
	INSERT INTO refreshed SELECT s.run, kind, round FROM bench_shop_data.state s $$;
SELECT 'CALL clv_refresh(''bench_shop'', ''full'')', format('CALL note_run(''full'', %s)', round),
	format('CALL touch(%s, 100, %s, %s, %s)', 3 * round, :buyers, round - 1, 3 * round - 2),
	'CALL clv_refresh(''bench_shop'')', format('CALL note_run(''touched'', %s)', round),
	format('CALL touch(%s, 100, %s, %s, %s)', 3 * round + 1, :buyers, round, 3 * round - 1),
	'CALL clv_refresh(''bench_shop'')', format('CALL note_run(''night'', %s)', round),
	format('CALL touch(%s, 3, %s, %s, %s)', round, :buyers, round, 3 * round),
	'CALL clv_refresh(''bench_shop'')', format('CALL note_run(''many'', %s)', round),
	'VACUUM bench_shop_data.history, bench_shop_data.customer'
FROM generate_series(1, :rounds) round \gexec

-- the floors: the road from orders to CLV; what PostgreSQL takes to write the same rows with the same indexes
CREATE PROCEDURE measure_road(rounds int) LANGUAGE plpgsql AS $$
DECLARE
	began float8;
BEGIN
	FOR round IN 0 .. rounds LOOP
		began := bench_cpu();
		PERFORM count((p).clv)
		FROM (
			WITH made AS MATERIALIZED (
				SELECT *
				FROM clv_histories('SELECT customer_id, ordered_at, amount FROM sold')
					AS (customer_id int, history clv_history)
			),
			m AS MATERIALIZED (SELECT clv_fit(history, clv_options(model => 'bg/nbd')) AS model FROM made)
			SELECT clv_predict(model, history, horizon => '1 year', discount_rate => 0.10) AS p FROM made, m OFFSET 0
		) q;
		INSERT INTO timing SELECT 'orders to CLV', 'road', round, bench_cpu() - began WHERE round > 0;
	END LOOP;
END $$;
CALL measure_road(:rounds);
CREATE FUNCTION written_anew(of_table text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	began float8 := bench_cpu();
	run int8 := (
		SELECT CASE of_table WHEN 'customer' THEN r.customer_run ELSE s.generation END
		FROM bench_shop_data.state s
		JOIN bench_shop_data.run r USING (run)
	);
	partition regclass := format('bench_shop_data.%I', of_table || '_' || run);
	index text;
BEGIN
	EXECUTE format('CREATE TABLE floor AS TABLE %s', partition);
	FOR index IN
		SELECT format('CREATE %s INDEX ON floor %s', CASE WHEN i.indisunique THEN 'UNIQUE' END,
			substring(pg_get_indexdef(i.indexrelid) FROM 'USING.*'))
		FROM pg_index i
		WHERE i.indrelid = partition
	LOOP
		EXECUTE index;
	END LOOP;
	INSERT INTO timing VALUES (of_table || ' written', 'road', 1, bench_cpu() - began);
	DROP TABLE floor;
END $$;
\o /dev/null
SELECT written_anew('customer'), written_anew('history') FROM generate_series(1, :rounds);
\o

INSERT INTO timing
SELECT format('refresh: %s, %s', CASE r.kind
		WHEN 'full' THEN 'in full'
		WHEN 'touched' THEN '1 % touched, the same day'
		WHEN 'many' THEN 'a third touched'
		ELSE 'a night, 1 % touched'
	END, :'size'), 'clv', r.round, sum(s.cpu)
FROM refreshed r
JOIN bench_shop_data.step s USING (run)
GROUP BY r.kind, r.round;
CREATE PROCEDURE report_against(what text, other text, other_side text, called text, bar text, aim text)
LANGUAGE sql AS $$
	INSERT INTO report (what, clv, floor, result, bar, aim)
	SELECT what, shown(what, 'clv'), called || ' ' || shown(other, other_side),
		   round((median(what, 'clv') / median(other, other_side))::numeric, 2) || ' x', bar, aim $$;
CALL report_against('refresh: in full, ' || :'size', 'orders to CLV', 'road', 'orders to CLV', for_a_million('8 x'),
	for_a_million('5 x'));
CALL report_against('refresh: a night, 1 % touched, ' || :'size', 'refresh: in full, ' || :'size', 'clv', 'in full',
	for_a_million('0.5 x'), for_a_million('0.35 x'));
CALL report_against('refresh: 1 % touched, the same day, ' || :'size', 'refresh: in full, ' || :'size', 'clv',
	'in full', for_a_million('0.25 x'), '-');
-- half and a quarter of what one in full may take: the faster that is, the less is left for its parts
CALL report_against('refresh: a night, 1 % touched, ' || :'size', 'orders to CLV', 'road', 'orders to CLV',
	for_a_million('4 x'), for_a_million('2.8 x'));
CALL report_against('refresh: 1 % touched, the same day, ' || :'size', 'orders to CLV', 'road', 'orders to CLV',
	for_a_million('2 x'), '-');
CALL report_against('refresh: a third touched, ' || :'size', 'refresh: in full, ' || :'size', 'clv', 'in full',
	for_a_million('1 x'), '-');
-- each step; of those that write a row for each customer, against what it takes to write these
INSERT INTO timing
SELECT format('step %s, %s, %s', s.step, r.kind, :'size'), 'clv', r.round, s.cpu
FROM refreshed r
JOIN bench_shop_data.step s USING (run);
SELECT format('CALL report_against(%L, %L, ''road'', %L, ''-'', ''-'')', t.what, CASE
		WHEN t.what LIKE 'step customers%' THEN 'customer written'
		WHEN t.what LIKE 'step histories, full%' THEN 'history written'
		ELSE 'orders to CLV'
	END, CASE WHEN t.what ~ '^step (customers|histories, full)' THEN 'the same rows written' ELSE 'orders to CLV' END)
FROM (SELECT DISTINCT what FROM timing WHERE what LIKE 'step %') t
JOIN LATERAL (SELECT min(s.number) AS number FROM bench_shop_data.step s WHERE t.what LIKE 'step ' || s.step || ',%') n
	ON true
WHERE median(t.what, 'clv') >= 5
ORDER BY split_part(t.what, ', ', 2), n.number \gexec

-- Every view to its end, and of the customers what a page shows; the slowest of them, by the clock.
CREATE TABLE asked AS
SELECT table_name::text AS view, format('SELECT * FROM bench_shop.%I', table_name) AS query
FROM information_schema.views WHERE table_schema = 'bench_shop' AND table_name <> 'customers'
UNION ALL SELECT 'customers', 'SELECT * FROM bench_shop.customers WHERE ' || page
FROM unnest(ARRAY['customer_id = 4711',
	'true ORDER BY clv DESC LIMIT 100',
	'segment = (SELECT min(segment) FROM bench_shop.segments) ORDER BY clv DESC LIMIT 100',
	'cohort_month = ''2016-02-01'' ORDER BY clv DESC LIMIT 100']) page;
CREATE PROCEDURE ask(rounds int DEFAULT 5) LANGUAGE plpgsql AS $$
DECLARE
	question record;
	row record;
	began timestamptz;
BEGIN
	FOR run IN 0 .. rounds LOOP
		FOR question IN SELECT * FROM asked LOOP
			began := clock_timestamp();
			FOR row IN EXECUTE question.query LOOP
			END LOOP;
			INSERT INTO timing
			SELECT question.query, question.view, run, 1000 * extract(epoch FROM clock_timestamp() - began)
			WHERE run > 0;
		END LOOP;
	END LOOP;
END $$;
CALL ask();
INSERT INTO report (what, clv, result, bar)
SELECT 'the slowest view of a pipeline, ' || :'size', shown(query, view), view, for_a_million('50 ms')
FROM asked ORDER BY median(query, view) DESC LIMIT 1;
