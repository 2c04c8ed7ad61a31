/*
 * shop.sql - a simulated shop: the table orders, about 2,000 customers in 2016 and 2017.
 *
 * Every number comes from md5 and arithmetic, none from random(), so that the shop is the same on every
 * machine and version. The customers behave as the default model believes, MBG/NBD with gamma/gamma
 * spend: each buys at a steady rate of their own (gamma over the customers), may lose interest after any
 * purchase, the first one included (a coin of their own, beta over the customers), and spends amounts that
 * vary around a mean of their own. On top of that there is what real tables have: some orders of several
 * rows, refunds, and amounts that are not known.
 *
 * Behind the numbers: rate ~ gamma(1/2, 6 weeks), coin ~ beta(1/2, 3/2), spend p = 6, q = 4, gamma = 15.
 */
BEGIN;

-- A number strictly between 0 and 1, always the same for the same key. Another letter makes another shop.
CREATE FUNCTION pg_temp.uniform(key text) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT
RETURN (('x' || left(md5('h' || key), 8))::bit(32)::bigint + 0.5) / 4294967296.0;

CREATE FUNCTION pg_temp.exponential(key text) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT
RETURN -ln(pg_temp.uniform(key));

-- gamma(1/2, 1) is half the square of a normal number
CREATE FUNCTION pg_temp.gamma_half(key text) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT
RETURN pg_temp.exponential(key || 'e') * power(cos(2 * pi() * pg_temp.uniform(key || 'c')), 2);

-- gamma(shape, 1) for whole shapes is a sum of exponential numbers
CREATE FUNCTION pg_temp.gamma_whole(key text, shape int) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT
RETURN (SELECT sum(pg_temp.exponential(key || i)) FROM generate_series(1, shape) i);

CREATE TABLE orders
(
	customer_id int NOT NULL,
	ordered_at timestamptz NOT NULL,
	amount numeric(10,2)
);
COMMENT ON TABLE orders IS 'the simulated shop: one row per order; negative amounts are refunds';

WITH RECURSIVE customer AS
(
	SELECT id,
		   547 * pg_temp.uniform('first' || id) AS first_day,
		   pg_temp.gamma_half('rate' || id) / 42 AS daily_rate,
		   a / (a + pg_temp.gamma_half('b' || id) + pg_temp.exponential('b' || id)) AS coin,
		   pg_temp.gamma_whole('spend' || id, 4) / 15 AS spend_rate
	FROM generate_series(1, 2000) id, pg_temp.gamma_half('a' || id) a
),
purchase AS
(
	SELECT id, 0 AS n, first_day AS day FROM customer
	UNION ALL
	SELECT id, n + 1, day + pg_temp.exponential(id || 'gap' || n) / daily_rate
	FROM purchase JOIN customer USING (id)
	WHERE pg_temp.uniform(id || 'coin' || n) > coin
	  AND day + pg_temp.exponential(id || 'gap' || n) / daily_rate < 731
),
priced AS
(
	SELECT id, n, timestamptz '2016-01-01 00:00:00+00' + make_interval(secs => floor(day * 86400)) AS at,
		   round((pg_temp.gamma_whole(id || 'amount' || n, 6) / spend_rate)::numeric, 2) AS amount,
		   pg_temp.uniform(id || 'kind' || n) AS kind
	FROM purchase JOIN customer USING (id)
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

DROP FUNCTION pg_temp.gamma_whole, pg_temp.gamma_half, pg_temp.exponential, pg_temp.uniform;

COMMIT;

ANALYZE orders;
