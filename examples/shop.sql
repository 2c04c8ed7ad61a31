/*
 * shop.sql - a simulated shop: the table orders, about 2,000 customers in 2016 and 2017.
 *
 * The purchases are those of clv_simulate under the default model, MBG/NBD with gamma/gamma spend: each customer buys
 * at a steady rate of their own, may lose interest after any purchase, the first one included, and spends amounts that
 * vary around a mean of their own. On top of that there is what real tables have: times of day, some orders of several
 * rows, refunds, and amounts that are not known. These come from md5, none from random(), so that the shop is the same
 * on every machine and version.
 */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS clv;
RESET client_min_messages;

BEGIN;

-- A number strictly between 0 and 1, always the same for the same key.
CREATE FUNCTION pg_temp.uniform(key text) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT
RETURN (('x' || left(md5(key), 8))::bit(32)::bigint + 0.5) / 4294967296.0;

CREATE TABLE orders
(
	customer_id int NOT NULL,
	ordered_at timestamptz NOT NULL,
	amount numeric(10,2)
);
COMMENT ON TABLE orders IS 'the simulated shop: one row per order; negative amounts are refunds';

WITH model AS
(
	SELECT clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.5, "b": 1.5}', '1 week')
		   || clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}') AS model
),
purchase AS
(
	-- customers are simulated in the order of their first purchase; their keys are in none
	SELECT 1 + customer * 761 % 2000 AS id, day, round(amount::numeric, 2) AS amount,
		   customer || 'n' || row_number() OVER (PARTITION BY customer ORDER BY day, amount) AS key
	FROM model, clv_simulate(model, 2000, '2016-01-01', '2017-12-31', 9, acquired_until => '2017-06-30')
),
priced AS
(
	SELECT id, amount, pg_temp.uniform(key || 'kind') AS kind,
		   day::timestamp AT TIME ZONE 'UTC'
		   + make_interval(secs => floor(pg_temp.uniform(key || 'time') * 86400)) AS at
	FROM purchase
)
INSERT INTO orders
SELECT customer_id, at, amount
FROM (
	-- half a per cent of the amounts got lost; one order in ten came as two rows, minutes apart
	SELECT id AS customer_id, at, CASE WHEN kind >= 0.005 THEN amount - split END AS amount
	FROM priced, LATERAL (SELECT CASE WHEN kind > 0.9 THEN round(amount * 0.3, 2) ELSE 0 END AS split) s
	UNION ALL
	SELECT id, at + interval '7 minutes', round(amount * 0.3, 2) FROM priced WHERE kind > 0.9
	UNION ALL
	-- three per cent are given back within weeks, wholly or in part
	SELECT id, at + make_interval(days => 2 + (400 * (kind - 0.2))::int),
		   -round(amount * CASE WHEN kind < 0.215 THEN 1 ELSE 0.4 END, 2)
	FROM priced WHERE kind BETWEEN 0.2 AND 0.23
) o
WHERE at < timestamptz '2018-01-01 00:00:00+00'
ORDER BY at, customer_id, amount;

DROP FUNCTION pg_temp.uniform;

COMMIT;

ANALYZE orders;
