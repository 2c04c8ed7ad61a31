-- clv_explain: the code of each condition, and numbers that can be counted by hand
SET client_min_messages = warning;
CREATE SCHEMA predict_explain;
SET search_path = predict_explain, public;
CREATE TABLE m AS
SELECT clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 4}', '1 week', '2020-12-31') AS purchases,
	clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS spend;
CREATE TABLE customer AS
SELECT who, clv_history(date(day), amount) AS history
FROM (VALUES
	('new', '{2020-12-20}', '{30}'),
	('once', '{2020-10-01}', '{30}'),
	('inactive', '{2020-05-01,2020-05-31,2020-06-30,2020-07-30}', '{30,30,30,30}'),
	('late', '{2020-08-21,2020-09-20,2020-10-20,2020-11-20}', '{30,30,30,30}'),
	('late, uneven', '{2020-10-01,2020-10-03,2020-11-01,2020-11-09}', '{30,30,30,30}'),
	('slower', '{2020-01-01,2020-01-11,2020-01-21,2020-01-31,2020-04-10,2020-06-19,2020-08-28,2020-11-06}', NULL),
	('not faster', '{2020-01-01,2020-03-01,2020-05-01,2020-07-01,2020-07-21,2020-08-11,2020-12-20,2020-12-21}', NULL),
	('faster', '{2020-01-01,2020-04-01,2020-07-01,2020-10-01,2020-11-01,2020-12-01,2020-12-31}', NULL),
	('less', '{2020-08-01,2020-09-01,2020-10-01,2020-11-01,2020-12-01,2020-12-28}', '{60,61,59,20,21,19}'),
	('more', '{2020-08-01,2020-09-01,2020-10-01,2020-11-01,2020-12-01,2020-12-28}', '{20,21,19,60,61,59}'),
	('one large', '{2020-08-01,2020-09-01,2020-10-01,2020-11-01,2020-12-01,2020-12-28}', '{20,21,19,20,400,20}'),
	('regular', '{2020-09-01,2020-10-01,2020-10-31,2020-11-30,2020-12-30}', '{30,30,30,30,30}'),
	('active', '{2020-09-01,2020-12-30}', '{30,30}')) v (who, days, amounts),
	LATERAL unnest(days::text[], amounts::numeric[]) u (day, amount)
GROUP BY who;

SELECT who, e.* FROM m, customer, clv_explain(purchases || spend, history) e ORDER BY who;

-- the ratios are those of predictions, to two digits, and their product that of values
CREATE FUNCTION pg_temp.near(reason text, after text, exact float8) RETURNS bool LANGUAGE sql AS
	$$SELECT abs((regexp_match(reason, after || ' (\d+\.?\d*)'))[1]::float8 / exact - 1) <= 0.051$$;
SELECT count(*), count(*) FILTER (WHERE pg_temp.near(reason, 'active is', p.p_alive)
	AND pg_temp.near(reason, 'frequency times', p.expected_purchases / p.p_alive / n.expected_purchases)
	AND pg_temp.near(reason, 'spend times', p.expected_spend / n.first_purchase_value)
	AND pg_temp.near(reason, 'to bring', p.clv / n.repeat_value)) AS as_predicted
FROM m, customer, clv_explain(purchases || spend, history),
	clv_predict(purchases || spend, history, '1 year') p, clv_new_customer(purchases || spend, '1 year') n;
-- the largest effect comes first; without a spend part purchases are compared
SELECT reason FROM m, customer, clv_explain(purchases, history) WHERE who IN ('inactive', 'regular') ORDER BY who;

-- as of an earlier day; contracts end; whole periods take as many as make a year
SELECT e.* FROM m, customer, clv_explain(purchases, history, '2020-08-15') e WHERE who = 'inactive';
SELECT e.*
FROM customer, unnest('{2020-11-15,2020-12-31}'::date[]) as_of,
	clv_explain(clv_model('sbg', '{"alpha": 1, "beta": 4}', '1 month'), history, as_of) e WHERE who = 'late';
SELECT num_nulls(a.code, a.reason, b.code, b.reason, c.code, c.reason) AS nulls_6
FROM m, customer, clv_explain(NULL, history) a, clv_explain(purchases, NULL) b,
	clv_explain(purchases, history, '2019-12-31') c WHERE who = 'inactive';

-- amounts whose squares no double holds: that half of them is larger is no certain change; and a short ratio
SELECT e.code, substring(e.reason FROM 'spend times [^ ,]+') AS spend
FROM m, clv_explain(purchases || spend,
	(SELECT clv_history(date '2020-01-01' + 30 * i, CASE i WHEN 7 THEN 9e199 ELSE 1e199 END)
	FROM generate_series(1, 8) i), '2020-09-01') e;

-- errors
SELECT clv_explain(spend, history) FROM m, customer WHERE who = 'new';
SELECT clv_explain(purchases, history, 'infinity') FROM m, customer WHERE who = 'new';
SELECT clv_explain(purchases, history, covariates => '{1}') FROM m, customer WHERE who = 'new';
DROP SCHEMA predict_explain CASCADE;
