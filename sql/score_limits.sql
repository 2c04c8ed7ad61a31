-- cut points with limits of one's own: bins that differ, scores left out, what they list, and what they refuse
SET client_min_messages = warning;
CREATE SCHEMA score_limits;
SET search_path = score_limits, public;
CREATE TABLE customer AS
SELECT customer AS id, clv_history(day, round(amount::numeric, 2)) AS history
  FROM clv_simulate(clv_model('mbg/nbd', '{"r": 0.53, "alpha": 6.2, "a": 0.9, "b": 1.6}', '1 week')
			|| clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.4}'), 800, '2019-01-01', '2020-12-31', 7)
 GROUP BY customer;
CREATE TABLE model AS
SELECT clv_model('mbg/nbd', '{"r": 0.53, "alpha": 6.2, "a": 0.9, "b": 1.6}', '1 week', '2020-12-31')
	   || clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.4}') AS model;

-- ---- a value that equals a limit counts below it; recency and churn are better where they are low ----
SELECT day, n, rfmtc_score(history, cuts) AS scores
  FROM (SELECT clv_cuts(r => '{30,90}', f => '{1,2,5}', m => '{100}', as_of => '2020-12-31') AS cuts) c,
	   (VALUES (date '2020-12-31', 1, 100.00), ('2020-12-01', 2, 50.00), ('2020-11-30', 3, 33.34),
			('2020-10-02', 5, 20.00), ('2020-10-01', 6, 100.00)) v (day, n, amount),
	   LATERAL (SELECT clv_history(day - i, amount) AS history FROM generate_series(0, n - 1) i) h
 ORDER BY day DESC;
-- the measures of each customer, churn and value by the model of the cuts, give the same scores
CREATE TABLE given AS
SELECT clv_cuts('{14,60,200}', '{1,3}', '{20,50,100,200}', '{365}', '{0.25,0.5,0.75}', '{10,100}',
		model => model) AS cuts
  FROM model;
SELECT count(*) AS customers, count(DISTINCT s) > 50 AS many,
	   bool_and(s = ROW(4 - (r > 14)::int - (r > 60)::int - (r > 200)::int, 1 + (f > 1)::int + (f > 3)::int,
		   1 + (m > 20)::int + (m > 50)::int + (m > 100)::int + (m > 200)::int, 1 + (t > 365)::int,
		   4 - (c > 0.25)::int - (c > 0.5)::int - (c > 0.75)::int, 1 + (v > 10)::int + (v > 100)::int,
		   1 - c)::clv_scores)
		   AS same
  FROM customer, model, given,
	   LATERAL (SELECT rfmtc_score(history, cuts) AS s) s,
	   LATERAL (SELECT (x).recency AS r, (x).frequency AS f, (x).monetary AS m, (x).tenure AS t, (x).churn AS c,
			clv_value(model, history, '1 year') AS v
			FROM (SELECT rfmtc(history, '2020-12-31', model) AS x) x) x;

-- ---- what they list ----
SELECT p.* FROM given, clv_cut_points(cuts) p;
-- of a population: the measures of each customer lie between the limits of their scores
CREATE TABLE population AS SELECT rfmtc_cuts(history, '2020-12-31', model) AS cuts FROM customer, model;
SELECT p.score, count(*) AS customers, bool_and(coalesce(x > above, true) AND coalesce(x <= up_to, true)) AS "between"
  FROM customer, model, population, rfmtc(history, '2020-12-31', model) q, rfmtc_score(history, cuts) s,
	   LATERAL (VALUES ('r', s.r, q.recency::float8), ('f', s.f, q.frequency), ('m', s.m, q.monetary),
			('t', s.t, q.tenure), ('c', s.c, q.churn),
			('v', s.v, clv_value(model, history, '1 year'))) v (score, value, x)
  JOIN LATERAL clv_cut_points(cuts) p USING (score, value)
 GROUP BY p.score ORDER BY p.score;
CREATE VIEW p AS SELECT p.* FROM population, clv_cut_points(cuts) p;
-- cuts made from the list give the same scores; they have the day of the model, and no customers
CREATE TABLE again AS
SELECT clv_cuts(
	   (SELECT array_agg(up_to ORDER BY up_to) FROM p WHERE score = 'r' AND up_to IS NOT NULL),
	   (SELECT array_agg(up_to ORDER BY up_to) FROM p WHERE score = 'f' AND up_to IS NOT NULL),
	   (SELECT array_agg(up_to ORDER BY up_to) FROM p WHERE score = 'm' AND up_to IS NOT NULL),
	   (SELECT array_agg(up_to ORDER BY up_to) FROM p WHERE score = 't' AND up_to IS NOT NULL),
	   (SELECT array_agg(up_to ORDER BY up_to) FROM p WHERE score = 'c' AND up_to IS NOT NULL),
	   (SELECT array_agg(up_to ORDER BY up_to) FROM p WHERE score = 'v' AND up_to IS NOT NULL), model => model) AS cuts
  FROM model;
SELECT bool_and(rfmtc_score(history, again.cuts) = rfmtc_score(history, population.cuts)) AS same,
	   bool_or(again.cuts = population.cuts) AS equal,
	   again.cuts::jsonb = (population.cuts::jsonb - 'bins') || '{"version": 2, "customers": 0}' AS but_for_customers
  FROM customer, again, population GROUP BY again.cuts, population.cuts;

-- ---- scores without limits are NULL, and no rule may ask for them ----
SELECT rfmtc_score(history, cuts) AS scores, segment_assign(rfmtc_score(history, cuts),
	'[{"segment": "late", "r": [1,2]}, {"segment": "on time"}]') AS segment
  FROM customer, clv_cuts(r => '{30,60,90}', as_of => '2020-12-31') cuts WHERE id = 1;
SELECT segment_assign(rfmtc_score(history, cuts), 'rf')
  FROM customer, clv_cuts(r => '{30}', as_of => '2020-12-31') cuts;
SELECT count(rfmtc_score(history, cuts)) AS existing, count(*) AS customers
  FROM customer, clv_cuts(f => '{1}', as_of => '2019-01-31') cuts;

-- ---- the day: that of the call, else of the cuts, else of the model ----
SELECT rfmtc_score(history, cuts, '2020-01-31')
	   = rfmtc_score(history, clv_cuts(r => '{30}', as_of => '2020-01-31')) AS same
  FROM customer, clv_cuts(r => '{30}') cuts WHERE id = 1;
SELECT clv_cuts(r => '{30}'), clv_cuts(r => '{30}', as_of => '2020-01-31'),
	   clv_cuts(r => '{30}', model => model)::jsonb->'as_of' AS of_model,
	   clv_cuts(r => '{30}', as_of => '2020-01-31', model => model)::jsonb->'as_of' AS own
  FROM model;
SELECT rfmtc_score(history, clv_cuts(r => '{30}')) FROM customer;

-- ---- as values: text, binary and jsonb without loss; version 1 wherever it is enough ----
CREATE TABLE kept AS
SELECT 'given' AS kind, cuts FROM given UNION ALL SELECT 'population', cuts FROM population
UNION ALL SELECT 'no day', clv_cuts(f => '{1,2}', m => '{-Infinity,-5,Infinity}')
UNION ALL SELECT 'value', clv_cuts(v => '{0}', model => model) FROM model
UNION ALL SELECT 'as a population', clv_cuts('{1}', '{1}', '{1}', '{1}', as_of => '2020-01-01');
SELECT kind, cuts::text::clv_cuts = cuts AS text, cuts::jsonb::clv_cuts = cuts AS jsonb,
	   cuts::jsonb->'version' AS version, get_byte(clv_internal.clv_cuts_send(cuts), 0) AS byte
  FROM kept ORDER BY kind;
SELECT '{"version":2,"as_of":"2020-01-01","customers":3,"recency":[1],"frequency":[2],"monetary":[3],"tenure":[4]}'
	   ::clv_cuts AS is_version_1,
	   '{"version":2,"tenure":[4,5]}'::clv_cuts AS shortest;
-- ---- what cannot be ----
SELECT clv_cuts();
SELECT clv_cuts(as_of => '2020-01-01');
SELECT clv_cuts(r => '{}');
SELECT clv_cuts(r => '{{1,2},{3,4}}');
SELECT clv_cuts(r => '{1,NULL}');
SELECT clv_cuts(r => '{1,NaN}');
SELECT clv_cuts(f => '{5,3}');
SELECT clv_cuts(m => array_agg(i)) FROM generate_series(1, 100) i;
SELECT clv_cuts(c => '{0.5}');
SELECT clv_cuts(v => '{100}');
SELECT clv_cuts(r => '{1}', as_of => 'infinity');
SELECT clv_cuts(r => '{1}', model => clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}'));
SELECT '{"version":2,"bins":5,"tenure":[4]}'::clv_cuts;
SELECT '{"version":2,"churn":[0.5]}'::clv_cuts;
SELECT '{"version":2,"tenure":[]}'::clv_cuts;
SELECT '{"version":3,"tenure":[1]}'::clv_cuts;
SELECT clv_cut_points(NULL);
DROP SCHEMA score_limits CASCADE;
