-- Refreshes of a pipeline: touched customers against all of them, the night against the first time, and what readers
-- wait for.

-- a daily run has no time for more
SELECT CASE WHEN :customers = 1000000 THEN :customers ELSE 50000 END AS buyers \gset
CREATE UNLOGGED TABLE sold AS
SELECT customer_id, ordered_at, amount, ordered_at AS changed_at
FROM orders WHERE customer_id <= :buyers;
CREATE INDEX ON sold (customer_id);
CREATE INDEX ON sold (changed_at);
VACUUM ANALYZE sold;
SELECT people(:buyers) || ' customers' AS size,
	   CASE WHEN :customers = 1000000 THEN 3 ELSE 1 END AS rounds, for_a_million('10 x faster') AS bar,
	   for_a_million('30 x faster') AS aim, for_a_million('3 x faster') AS night_aim \gset
DROP SCHEMA IF EXISTS bench_shop, bench_shop_data CASCADE;
CALL clv_create_pipeline('bench_shop', 'sold', 'customer_id', 'ordered_at', 'amount', discount_rate => 0.10,
	changed_at => 'changed_at',
	overlap => '0 hours');
CALL clv_refresh('bench_shop');
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
	d clv_pipeline_definition := clv_internal.clv_pipeline_read('bench_shop');
	run int8 := 1000 * extract(epoch FROM clock_timestamp());
	generation int8 := (SELECT s.generation FROM bench_shop_data.state s);
BEGIN
	IF all_of_them THEN
		generation := run;
		PERFORM clv_internal.clv_pipeline_build(d, run);
	ELSE
		PERFORM clv_internal.clv_pipeline_rebuild(d, run, generation);
	END IF;
	PERFORM clv_internal.clv_pipeline_cells(d, generation, date '2017-12-31');
	RAISE EXCEPTION USING ERRCODE = 'BENCH';
EXCEPTION WHEN SQLSTATE 'BENCH' THEN
	NULL;
END $$;
SELECT 'refresh: histories and cells, 1 % of customers touched, ' || :'size' AS what \gset
CALL measure(:'what', 'SELECT stages(false)', 'SELECT stages(true)', rounds => :rounds);
CALL report_gain(:'what', :'bar', :'aim');

-- The same pipeline from one night to the next, and in full, by the clock. The model is fitted anew every time.
SELECT format($$INSERT INTO sold SELECT customer_id, '2017-12-31 12:00+00'::timestamptz + interval '%s days', 20,
	'2018-01-01'::timestamptz + interval '%s days'
	FROM generate_series(%s, %s, 100) customer_id$$, night, night, night, :buyers),
	'VACUUM ANALYZE sold', 'CALL clv_refresh(''bench_shop'')', 'CALL clv_refresh(''bench_shop'', ''full'')',
	'VACUUM bench_shop_data.history, bench_shop_data.customer'
FROM generate_series(1, :rounds) night \gexec
SELECT 'refresh: a night, ' || :'size' AS what \gset
INSERT INTO timing
SELECT :'what', CASE mode WHEN 'full' THEN 'floor' ELSE 'clv' END, run,
	   1000 * extract(epoch FROM finished_at - started_at)
FROM bench_shop.runs WHERE run > 1;
CALL report_gain(:'what', 'reported', :'night_aim');
SELECT s.step, r.mode, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.seconds)::numeric, 2) AS seconds
FROM bench_shop.run_steps s
JOIN bench_shop.runs r USING (run)
WHERE run > 1 GROUP BY s.step, r.mode ORDER BY r.mode, min(s.step_number);

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
