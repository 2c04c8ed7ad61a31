-- clv_campaign: effects against the same formulas in SQL, in any order and split; data that do not say enough
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set SHOW_CONTEXT never

CREATE SCHEMA predict_campaign;
SET search_path = predict_campaign, public;

-- 600 customers, every second one treated; every fifth of the treated orders once more
CREATE TABLE orders AS
SELECT c AS customer_id, date '2022-01-03' + c * 7 % 90 + k * (9 + c % 31) AS ordered_at,
	   (10 + c % 9 + k)::numeric AS amount
FROM generate_series(1, 600) c, generate_series(0, 14) k
WHERE k = 0 OR k <= (c * 13 % 29) - 12;
INSERT INTO orders SELECT c, '2022-07-10', 30 FROM generate_series(10, 600, 10) c;
CREATE TABLE customer AS
SELECT customer_id, customer_id % 2 = 0 AS treated, clv_history(ordered_at, amount) AS history
FROM orders WHERE ordered_at <= '2022-07-31' GROUP BY customer_id;
CREATE TABLE model AS
SELECT clv_model('bg/nbd', '{"r": 0.8, "alpha": 4, "a": 0.6, "b": 1.9}', '1 week', '2022-06-30')
	|| clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS model;

CREATE TABLE effect AS
SELECT e.*
FROM (SELECT clv_campaign(treated, history, model, '2022-07-01', '2022-07-31', 450, 0.5) AS effects
	  FROM customer, model) c, unnest(c.effects) e;

-- ---- the same in SQL: x is what was predicted, y what came ----
CREATE VIEW seen AS
SELECT treated, measure, x, y
FROM (SELECT treated, clv_expected_purchases(model, history, '31 days', '2022-06-30') AS expected,
			 clv_active_probability(model, history, '31 days', '2022-06-30') AS active,
			 clv_predict(model, history, '31 days', as_of => '2022-06-30') AS p,
			 clv_purchases_between(history, '2022-06-30', '2022-07-31') AS purchases,
			 coalesce(clv_spend_between(history, '2022-06-30', '2022-07-31'), 0) AS revenue
	  FROM customer, model) s,
	 LATERAL (VALUES ('purchases', expected, purchases::float8), ('buyers', active, (purchases > 0)::int),
		('revenue', (p).expected_revenue, revenue::float8)) v (measure, x, y);
CREATE VIEW arm AS
SELECT measure, treated, count(*) AS n, avg(x) AS x, avg(y) AS y, regr_sxx(y, x) AS xx, regr_sxy(y, x) AS xy,
	   regr_syy(y, x) AS yy
FROM seen GROUP BY 1, 2;
CREATE VIEW wanted AS
SELECT measure, t.n AS treated, c.n AS control, t.y AS treated_mean, c.y AS control_mean, t.y - c.y AS raw_effect,
	   sqrt(t.yy / (t.n - 1) / t.n + c.yy / (c.n - 1) / c.n) AS raw_std_error,
	   t.y - c.y - slope * (t.x - c.x) AS effect,
	   sqrt((t.yy - 2 * slope * t.xy + slope ^ 2 * t.xx) / (t.n - 1) / t.n
		+ (c.yy - 2 * slope * c.xy + slope ^ 2 * c.xx) / (c.n - 1) / c.n) AS std_error,
	   slope ^ 2 * (t.xx + c.xx) / (t.yy + c.yy) AS variance_explained,
	   (t.x - c.x) / sqrt((t.xx / (t.n - 1) + c.xx / (c.n - 1)) / 2) AS balance
FROM arm t JOIN arm c USING (measure), LATERAL (SELECT (t.xy + c.xy) / (t.xx + c.xx) AS slope) s
WHERE t.treated AND NOT c.treated;
SELECT measure, e.treated = w.treated AND e.control = w.control AS customers,
	   bool_and(abs(v.got - v.wanted) <= 1e-11 * abs(v.wanted)) AS all_equal
FROM effect e JOIN wanted w USING (measure),
	 LATERAL (VALUES (e.treated_mean, w.treated_mean), (e.control_mean, w.control_mean), (e.raw_effect, w.raw_effect),
		(e.raw_std_error, w.raw_std_error), (e.effect, w.effect), (e.std_error, w.std_error),
		(e.variance_explained, w.variance_explained), (e.balance, w.balance),
		(e.lower, w.effect - 1.959963984540054 * w.std_error),
		(e.upper, w.effect + 1.959963984540054 * w.std_error), (e.lift, w.effect / (w.treated_mean - w.effect)),
		(e.total_effect, w.effect * w.treated), (e.cost_per_unit, 450 / (w.effect * w.treated)),
		(e.smallest_effect, (1.959963984540054 + 0.8416212335729142) * w.std_error)) v (got, wanted)
GROUP BY 1, 2 ORDER BY 1;
-- one more order for a fifth of the treated, of 30 each; half of the customers were to be treated
SELECT measure, lower < truth AND truth < upper AS covered, p_value < 0.01 AS seen, share_p_value,
	   num_nulls(actual, predicted, difference, difference_low, difference_high) AS of_no_control
FROM effect, LATERAL (VALUES ('purchases', 0.2), ('revenue', 6)) t (of, truth) WHERE of = measure ORDER BY 1;

-- ---- any order, any split, costs or none ----
SELECT count(DISTINCT e::text) AS one
FROM (SELECT clv_campaign(treated, history, model, '2022-07-01', '2022-07-31' ORDER BY md5(customer_id || o::text)) AS e
	  FROM customer, model, generate_series(1, 4) o GROUP BY o) q;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE customer SET (parallel_workers = 3);
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;
SELECT count(*) AS in_parts
FROM plan($$SELECT clv_campaign(treated, history, (SELECT model FROM model), '2022-07-01', '2022-07-31')
	FROM customer$$) p
WHERE p LIKE '%Partial Aggregate%';
SELECT bool_and(p = e) AS the_same
FROM (SELECT clv_campaign(treated, history, (SELECT model FROM model), '2022-07-01', '2022-07-31', 450, 0.5) AS effects
	  FROM customer) c, unnest(c.effects) p JOIN effect e USING (measure);
SET max_parallel_workers_per_gather = 0;
SELECT measure, cost_per_unit, share_p_value
FROM (SELECT clv_campaign(treated, history, model, '2022-07-01', '2022-07-31') AS effects FROM customer, model) c,
	 unnest(c.effects) e ORDER BY 1;

-- ---- without a control group: what was done beside what was predicted, and no effect ----
SELECT e.measure, e.treated, e.control,
	   num_nonnulls(e.raw_effect, e.effect, e.std_error, e.p_value, e.lift, e.total_effect, e.balance) AS effects,
abs(e.predicted - w.x) < 1e-9 AS predicted, e.actual = w.y AS actual,
	abs(e.difference - (w.y - w.x)) < 1e-9 AS difference
FROM (SELECT clv_campaign(true, history, model, '2022-07-01', '2022-07-31') AS effects FROM customer, model) c,
	 unnest(c.effects) e
	 JOIN (SELECT measure, sum(x) AS x, sum(y) AS y FROM seen GROUP BY 1) w USING (measure) ORDER BY 1;
-- its limits are those of the total
SELECT e.measure, abs(e.difference - e.difference_low - (t).high) < 1e-9 AS half_the_width
FROM (SELECT clv_campaign(true, history, model, '2022-07-01', '2022-07-31') AS effects,
			 clv_predict_total(model, history, '31 days', 0, 1, '2022-06-30') AS total FROM customer, model) c,
	 unnest(c.effects) e,
	 LATERAL (SELECT CASE e.measure WHEN 'purchases' THEN (c.total).purchases_high - (c.total).expected_purchases
		WHEN 'revenue' THEN (c.total).value_high - (c.total).expected_value END AS high) t
WHERE e.measure <> 'buyers' ORDER BY 1;

-- ---- customers who are left out, and data that are not enough ----
SELECT clv_campaign(treated, history, model, '2022-07-01', '2022-07-31') IS NULL AS none
FROM customer, model WHERE false;
SELECT e.treated, e.control
FROM (SELECT clv_campaign(t, h, m, '2022-07-01', '2022-07-31') AS effects
	  FROM (SELECT treated, history, model FROM customer, model
			UNION ALL SELECT NULL, history, model FROM customer, model
			UNION ALL SELECT true, NULL, model FROM model
			UNION ALL SELECT true, clv_history('2022-07-05', 5), model FROM model GROUP BY model
			UNION ALL SELECT true, history, NULL FROM customer) v (t, h, m)) c, unnest(c.effects) e;
SELECT e.measure, e.treated, e.control, e.treated_mean, e.effect, e.p_value, e.balance
FROM (SELECT clv_campaign(customer_id = 10, history, model, '2022-07-01', '2022-07-31') AS effects
	  FROM customer, model WHERE customer_id IN (10, 11, 13)) c, unnest(c.effects) e;
-- amounts that are not known are not revenue
SELECT e.measure, e.treated, e.control
FROM (SELECT clv_campaign(c % 2 = 0, h, model, '2022-07-01', '2022-07-31') AS effects
	  FROM (SELECT c, clv_history(d, CASE WHEN c > 6 OR d < '2022-07-01' THEN 5 END) AS h
			FROM generate_series(1, 10) c, (VALUES (date '2022-05-01'), ('2022-07-08')) v (d) GROUP BY c) s, model) q,
	 unnest(q.effects) e;
-- a model without spend, and one of whole periods
SELECT e.measure, e.control, e.effect IS NOT NULL AS effect, e.predicted
FROM (SELECT clv_campaign(treated, history, clv_model('sbg', '{"alpha": 0.7, "beta": 1.2}', '31 days'), '2022-07-01',
		'2022-07-31') AS effects FROM customer) c, unnest(c.effects) e;

-- ---- what is warned of ----
SELECT (clv_campaign(treated, history, model, '2022-07-01', '2022-07-31', 450, 0.9)) [1].share_p_value < 1e-9 AS broken
FROM customer, model;
SELECT (clv_campaign(clv_purchases(history) > 5, history, model, '2022-07-01', '2022-07-31')) [1].balance > 1 AS broken
FROM customer, model;
SELECT clv_campaign(treated, history, model, '2022-06-15', '2022-07-31') IS NULL AS warned FROM customer, model;
-- data that end before the campaign does; a week without a purchase of few customers is chance
SELECT clv_campaign(treated, history, model, '2022-07-01', '2022-12-31') IS NULL AS warned FROM customer, model;
SELECT clv_campaign(treated, history, model, '2022-08-01', '2022-08-31') IS NULL AS warned FROM customer, model;
SELECT clv_campaign(treated, history, model, '2022-07-01', '2022-08-07') IS NULL AS warned
FROM customer, model WHERE customer_id <= 20;

-- ---- errors ----
SELECT clv_campaign(treated, history, model, '2022-08-01', '2022-07-31') FROM customer, model;
SELECT clv_campaign(treated, history, model, NULL, '2022-07-31') FROM customer, model;
SELECT clv_campaign(treated, history, model, '2022-07-01', 'infinity') FROM customer, model;
SELECT clv_campaign(treated, history, model, '2022-07-01', '2022-07-31', -1) FROM customer, model;
SELECT clv_campaign(treated, history, model, '2022-07-01', '2022-07-31', 'NaN') FROM customer, model;
SELECT clv_campaign(treated, history, model, '2022-07-01', '2022-07-31', NULL, 'NaN') FROM customer, model;
SELECT clv_campaign(treated, history, model, '2022-07-01', '2022-07-31', 1, 1) FROM customer, model;
SELECT clv_campaign(treated, history, model, '2022-07-01', '2022-07-31', customer_id) FROM customer, model;
SELECT clv_campaign(treated, history, clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}'), '2022-07-01',
	'2022-07-31') FROM customer;
SELECT clv_campaign(treated, history, CASE WHEN treated THEN model
	ELSE clv_model('bg/nbd', '{"r": 1, "alpha": 4, "a": 1, "b": 2}', '1 week') END, '2022-07-01', '2022-07-31')
FROM customer, model;
SELECT clv_campaign(treated, history, clv_model('sbg', '{"alpha": 0.7, "beta": 1.2}', '1 month'), '2022-07-01',
	'2022-07-30') FROM customer;

DROP SCHEMA predict_campaign CASCADE;
