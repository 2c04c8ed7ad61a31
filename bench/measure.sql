-- measure.sql - the floors, the stopwatch and the table report; run by bench/run before any line.

SET client_min_messages = error;
DROP EXTENSION IF EXISTS clv CASCADE;
DROP SCHEMA IF EXISTS run CASCADE;
CREATE EXTENSION clv;
CREATE SCHEMA run;
SELECT format('ALTER ROLE CURRENT_USER IN DATABASE %I SET search_path = run, public', current_database()) \gexec
SET search_path = run, public;

CREATE FUNCTION bench_purchases(int, float8, float8) RETURNS float8[] AS 'floor' LANGUAGE c IMMUTABLE STRICT;
CREATE FUNCTION bench_trivial(clv_model, clv_history) RETURNS float8 AS 'floor' LANGUAGE c IMMUTABLE STRICT;
CREATE FUNCTION bench_row(clv_model, clv_history) RETURNS clv_prediction AS 'floor' LANGUAGE c IMMUTABLE STRICT;
CREATE FUNCTION bench_read(bigint, clv_history) RETURNS bigint AS 'floor' LANGUAGE c IMMUTABLE STRICT;
CREATE AGGREGATE bench_read(clv_history) (SFUNC = bench_read, STYPE = bigint, INITCOND = 0);
CREATE FUNCTION bench_receive(bytea) RETURNS clv_history AS 'floor' LANGUAGE c IMMUTABLE STRICT;
CREATE FUNCTION bench_cpu() RETURNS float8 AS 'floor' LANGUAGE c VOLATILE;
CREATE FUNCTION bench_memory(OUT peak float8, OUT now float8, OUT shared float8) AS 'floor' LANGUAGE c VOLATILE;

CREATE TABLE timing (what text, side text, run int, ms float8);

-- Five rounds of every pair, the two sides taking turns, after one round that warms up. By the CPU of this backend, or
-- by the clock where workers take part.
CREATE PROCEDURE measure(what text, clv text, floor text, by_clock bool DEFAULT false, rounds int DEFAULT 5)
LANGUAGE plpgsql AS $$
DECLARE
	began float8;
	took float8;
	sides text[] := ARRAY['clv', clv, 'floor', floor];
BEGIN
	RAISE INFO 'measuring: %', what;
	FOR run IN 0 .. rounds LOOP
		FOR i IN 1 .. 3 BY 2 LOOP
			CONTINUE WHEN sides[i + 1] IS NULL;
			began := CASE WHEN by_clock THEN 1000 * extract(epoch FROM clock_timestamp()) ELSE bench_cpu() END;
			EXECUTE sides[i + 1];
			took := CASE WHEN by_clock THEN 1000 * extract(epoch FROM clock_timestamp()) ELSE bench_cpu() END - began;
			IF run > 0 THEN
				INSERT INTO timing VALUES (what, sides[i], run, took);
			END IF;
		END LOOP;
	END LOOP;
END $$;

CREATE TABLE report (id int GENERATED ALWAYS AS IDENTITY, what text, clv text DEFAULT '-', floor text DEFAULT '-',
					 result text DEFAULT '-', bar text DEFAULT '-', aim text DEFAULT '-');

CREATE FUNCTION shown(of_what text, of_side text) RETURNS text LANGUAGE sql RETURN
	(SELECT coalesce(format('%s (%s-%s)', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)),
				round(min(ms)), round(max(ms))), '-')
	 FROM timing WHERE what = of_what AND side = of_side HAVING count(*) > 0);
CREATE FUNCTION median(of_what text, of_side text) RETURNS float8 LANGUAGE sql RETURN
	(SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FROM timing WHERE what = of_what AND side = of_side);

-- The ratio to the floor, with that of each round's pair as its spread.
CREATE PROCEDURE report_ratio(what text, bar text DEFAULT '-', aim text DEFAULT '-') LANGUAGE sql AS $$
	INSERT INTO report (what, clv, floor, result, bar, aim)
	SELECT what, shown(what, 'clv'), shown(what, 'floor'),
		   format('%s x (%s-%s)', round((median(what, 'clv') / median(what, 'floor'))::numeric, 2),
				  round(min(c.ms / f.ms)::numeric, 2), round(max(c.ms / f.ms)::numeric, 2)), bar, aim
	FROM (SELECT run, ms FROM timing t WHERE (t.what, t.side) = (report_ratio.what, 'clv')) c
	JOIN (SELECT run, ms FROM timing t WHERE (t.what, t.side) = (report_ratio.what, 'floor')) f USING (run) $$;
-- What is added to the floor, with the same spread.
CREATE PROCEDURE report_extra(what text, bar text DEFAULT '-', aim text DEFAULT '-') LANGUAGE sql AS $$
	INSERT INTO report (what, clv, floor, result, bar, aim)
	SELECT what, shown(what, 'clv'), shown(what, 'floor'),
		   format('+%s ms (%s-%s)', round((median(what, 'clv') - median(what, 'floor'))::numeric),
			   round(min(c.ms - f.ms)::numeric),
				  round(max(c.ms - f.ms)::numeric)), bar, aim
	FROM (SELECT run, ms FROM timing t WHERE (t.what, t.side) = (report_extra.what, 'clv')) c
	JOIN (SELECT run, ms FROM timing t WHERE (t.what, t.side) = (report_extra.what, 'floor')) f USING (run) $$;
-- How much faster than so many milliseconds.
CREATE PROCEDURE report_rival(what text, rival text, rival_ms float8, bar text DEFAULT '-',
	aim text DEFAULT '-') LANGUAGE sql AS $$
	INSERT INTO report (what, clv, floor, result, bar, aim)
	VALUES (what, shown(what, 'clv'), coalesce(rival || ' ' || rival_ms, '-'),
			coalesce(round((rival_ms / median(what, 'clv'))::numeric, 1) || ' x faster', '-'), bar, aim) $$;
CREATE PROCEDURE report_time(what text) LANGUAGE sql AS $$
	INSERT INTO report (what, clv, floor) VALUES (what, shown(what, 'clv'), coalesce(shown(what, 'floor'), '-')) $$;

-- "200 k", "2 M"
CREATE FUNCTION people(n numeric) RETURNS text LANGUAGE sql RETURN
	CASE WHEN n >= 1000000 THEN round(n / 1000000, 1)::text || ' M' ELSE round(n / 1000) || ' k' END;

-- A bar that holds for a million customers, and says nothing of fewer.
CREATE FUNCTION for_a_million(bar text)
RETURNS text LANGUAGE sql
	RETURN CASE WHEN :customers = 1000000 THEN bar ELSE '-' END;

-- The same shape of plan on both sides.
SET enable_sort = off;

-- The customers of most lines.
SELECT :customers > 0 AS with_orders, people(:customers) || ' customers' AS crowd \gset
\if :with_orders
CREATE UNLOGGED TABLE customer AS
SELECT customer_id, clv_history(ordered_at, amount) AS history FROM orders GROUP BY customer_id;
VACUUM ANALYZE customer;
\endif
