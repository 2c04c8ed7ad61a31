-- How cost grows: each cost at several sizes, and the exponent that fits them. Run by bench/run after measure.sql.

CREATE FUNCTION bench_memory_reset() RETURNS void AS 'floor' LANGUAGE c VOLATILE;
CREATE TABLE points (series text, what text, size float8, value float8, unit text);

-- Milliseconds of CPU, the median of three after a round that warms up; for fits, the peak of memory too.
CREATE PROCEDURE point(series text, what text, size float8, query text, with_memory bool DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
	before float8;
	m record;
BEGIN
	RAISE INFO 'measuring: %, % %', what, size, series;
	TRUNCATE timing;
	CALL measure(what, query, NULL, rounds => 3);
	INSERT INTO points VALUES (series, what, size, median(what, 'clv'), 'ms');
	IF with_memory THEN
		PERFORM bench_memory_reset();
		m := bench_memory();
		before := m.now;
		EXECUTE query;
		m := bench_memory();
		INSERT INTO points VALUES (series, 'memory of ' || what, size, greatest(m.peak - m.shared - before, 0.1), 'MB');
	END IF;
END $$;

CREATE FUNCTION fit_of(people text, model text) RETURNS text LANGUAGE sql RETURN format(
	'SELECT clv_fit(history, clv_options(model => %L, as_of => clv_as_of)) FROM %s', model, people);
CREATE PROCEDURE points_of(series text, size float8, people text, as_of date) LANGUAGE plpgsql AS $$
BEGIN
	CALL point(series, 'reading', size, format('SELECT bench_read(history) FROM %s', people));
	CALL point(series, 'fit bg/nbd', size, replace(fit_of(people, 'bg/nbd'), 'clv_as_of', quote_literal(as_of)),
		series = 'customers');
	CALL point(series, 'fit pareto/nbd', size,
		replace(fit_of(people, 'pareto/nbd'), 'clv_as_of', quote_literal(as_of)));
	CALL point(series, 'predict bg/nbd', size, format(
		$q$SELECT count((p).clv)
		FROM (SELECT clv_predict(bg, history, '1 year', 0.1) AS p FROM %s, growth_model OFFSET 0) q$q$,
			 people));
END $$;

-- --- customers ---
CREATE UNLOGGED TABLE people AS SELECT customer_id, bench_receive(history) AS history FROM many;
VACUUM ANALYZE people;
CREATE TABLE growth_model AS
SELECT clv_fit(history, clv_options(model => 'bg/nbd', as_of => '2017-12-31')) AS bg
FROM people WHERE customer_id <= 100000;
SELECT format('CALL points_of(''customers'', %s, ''(SELECT * FROM people LIMIT %s) p'', ''2017-12-31'')', n, n)
FROM unnest(ARRAY[10000, 100000, 1000000, 3000000, 10000000]) n WHERE n <= :many \gexec

-- --- orders and purchases (days with orders) of each of 50,000 customers in four years, and years of 200,000 with the
-- same purchases ---
CREATE PROCEDURE people_of(name text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE UNLOGGED TABLE %I AS
					SELECT clv_history(ordered_at, amount) AS history
					FROM %I GROUP BY customer_id', name || '_people', name);
	EXECUTE format('ANALYZE %I', name);
END $$;
CREATE PROCEDURE shop_of(name text, customers int, days float8, weeks float8) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE UNLOGGED TABLE %I AS
		SELECT c AS customer_id, date ''2010-01-01'' + floor(p[i])::int AS ordered_at, p[i + 1]::numeric(12,2) AS amount
		FROM generate_series(1, %s) c, bench_purchases(c, %s, %s) p,
			 generate_series(1, array_length(p, 1), 2) i', name, customers, days, weeks);
	CALL people_of(name);
END $$;
CREATE FUNCTION mean_of(name text, mean text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	result float8;
BEGIN
	EXECUTE format('SELECT round((%s)::numeric, 1) FROM %I', mean, name) INTO result;
	RETURN result;
END $$;
CREATE FUNCTION mean_purchases(name text)
RETURNS float8 LANGUAGE sql
	RETURN mean_of(name, 'avg(clv_purchases(history))');
CREATE FUNCTION mean_orders(name text)
RETURNS float8 LANGUAGE sql
	RETURN mean_of(name, 'count(*) / count(DISTINCT customer_id)::numeric');
-- whether customers stay, and how long, is drawn at random: in the process of the other series none would stay for
-- 200 purchases
CREATE PROCEDURE regulars_of(name text, customers int, mean float8) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setseed(0.5);
	EXECUTE format('CREATE UNLOGGED TABLE %I AS
		SELECT c.id AS customer_id, date ''2008-01-01'' + floor(1461 * c.stays * random())::int AS ordered_at,
			   (5 + 50 * random())::numeric(12,2) AS amount
		FROM (SELECT id, random() AS stays, ceil(2 * %s * random())::int AS n FROM generate_series(1, %s) id) c,
			 generate_series(1, c.n)', name, mean, customers);
	CALL people_of(name);
END $$;
SELECT format('CALL regulars_of(''often%s'', 50000, %s)', i, mean)
FROM unnest(ARRAY[2, 5, 12, 32, 90, 290]) WITH ORDINALITY w (mean, i) \gexec
SELECT format($$CALL point('orders', 'history', mean_orders('often%s'), %L)$$, i,
			  format($$
					 SELECT count(clv_purchases(h))
					 FROM (SELECT clv_history(ordered_at, amount) AS h FROM often%s GROUP BY customer_id) q$$, i)),
	   format($$CALL point('orders', 'clv_histories', mean_orders('often%s'), %L)$$, i,
			  format($$
					 SELECT count(clv_purchases(h))
					 FROM clv_histories('SELECT customer_id, ordered_at, amount
										 FROM often%s') AS q (customer_id int, h clv_history)$$, i)),
	   format('CALL points_of(''purchases'', mean_purchases(''often%s_people''), ''often%s_people'', ''2011-12-31'')',
		   i, i)
FROM generate_series(1, 6) i \gexec
SELECT format('CALL shop_of(''years%s'', 200000, %s, %s)', years, years * 365.25, years * 4.3),
	   format('CALL points_of(''years'', %s, ''years%s_people'', ''%s-12-31'')', years, years, 2009 + years)
FROM unnest(ARRAY[1, 2, 3, 5, 7, 10]) years \gexec
