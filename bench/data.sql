-- data.sql - what is measured on: made once by bench/run, then kept. Nothing here depends on clv, which changes.

SET client_min_messages = error;

CREATE FUNCTION bench_purchases(int, float8, float8) RETURNS float8[] AS 'floor' LANGUAGE c IMMUTABLE STRICT;

-- Orders lie in the order of their time, as in a shop: customers are scattered over the table.
CREATE PROCEDURE make_orders(name text, customers int, weeks float8) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('
		CREATE TABLE %I AS
		SELECT c AS customer_id,
			   timestamptz ''2016-01-01 00:00+00'' + make_interval(secs => floor(p[i] * 86400)) AS ordered_at,
			   p[i + 1] AS amount_double, p[i + 1]::numeric(12,2) AS amount
		FROM generate_series(1, %s) c, bench_purchases(c, 731, %s) p, generate_series(1, array_length(p, 1), 2) i
		ORDER BY 2, 1', name, customers, weeks);
END $$;

SELECT :customers > 0 AS with_orders, :heavy > 0 AS with_heavy, :many > 0 AS with_many \gset
\if :with_orders
CALL make_orders('orders', :customers, 8.6);
\endif
\if :with_heavy
CALL make_orders('heavy', :heavy, 2.7);
\endif
\if :with_many
-- whole histories, packed by the clv at hand into the bytes that it sends to clients
CREATE EXTENSION clv;
CREATE TABLE many AS
SELECT c AS customer_id,
	   (SELECT clv_internal.clv_history_send(clv_history(date '2016-01-01' + floor(p[i])::int, p[i + 1]))
						  FROM bench_purchases(c, 731, 8.6) p, generate_series(1, array_length(p, 1), 2) i) AS history
FROM generate_series(1, :many) c;
DROP EXTENSION clv;
\endif
VACUUM ANALYZE;
CHECKPOINT;
