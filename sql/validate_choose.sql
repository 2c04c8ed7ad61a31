-- clv_choose: every measure against one computed in another way, the true family of simulated shops, errors.
SET client_min_messages = warning;
CREATE SCHEMA validate_choose;
SET search_path = validate_choose, public;
CREATE FUNCTION pg_temp.same(a float8, b float8) RETURNS bool LANGUAGE sql
RETURN CASE WHEN a IS NULL OR b IS NULL THEN a IS NOT DISTINCT FROM b ELSE abs(a - b) <= 1e-9 * greatest(1, abs(b)) END;

CREATE TABLE customer AS
SELECT customer, clv_history(day) AS history
FROM clv_simulate(clv_model('pareto/nbd', '{"r": 0.6, "alpha": 5, "s": 0.6, "beta": 12}', '1 week'),
		 200, '2020-01-01', '2021-12-31', 3, acquired_until => '2021-02-28')
GROUP BY customer;
INSERT INTO customer VALUES (0, NULL), (-1, (SELECT clv_history(date '2020-05-05', -1.00)));
CREATE TABLE chosen AS SELECT * FROM clv_choose('customer', 'history', '2020-12-31', '1 year');
ALTER TABLE chosen ADD PRIMARY KEY (model);
SELECT model, rank IS NOT NULL AS ranked, converged, customers, note
FROM chosen ORDER BY model;

-- --- the measures of a back-test, and the fit's own ---
SELECT c.model, pg_temp.same(c.mae, b.mae) AS mae, pg_temp.same(c.rmse, b.rmse) AS rmse,
	   pg_temp.same(c.total_error, b.total_error) AS total_error, pg_temp.same(c.gini, b.gini) AS gini,
	   c.customers = b.customers AS customers,
	   (c.log_likelihood, c.bic, c.converged) = (d.log_likelihood, d.bic, d.converged) AS fit
FROM chosen c,
	 clv_backtest('customer', 'history', '2020-12-31', '1 year', clv_options(model => c.model, spend => 'none')) b,
	 LATERAL (SELECT (clv_diagnostics(clv_fit(history,
						  clv_options(model => c.model, spend => 'none', as_of => '2020-12-31')))).*
			  FROM customer) d
WHERE c.model IN ('mbg/nbd', 'bg/nbd', 'pareto/nbd') ORDER BY c.model;

-- --- scores, customer by customer ---
CREATE TABLE scored AS
SELECT m.family, c.customer, ln(clv_purchase_probability(m.model, c.history, actual, '365 days')) AS score,
	   clv_active_probability(m.model, c.history, '365 days') - (actual > 0)::int AS missed
FROM (SELECT family, (SELECT clv_fit(history, clv_options(model => family, spend => 'none', as_of => '2020-12-31'))
					  FROM customer) AS model
	  FROM unnest(ARRAY['mbg/nbd', 'bg/nbd', 'pareto/nbd']) family) m, customer c,
	 clv_purchases_between(c.history, '2020-12-31', '2021-12-31') actual
WHERE clv_first_purchase(c.history) <= '2020-12-31';
SELECT s.family, pg_temp.same(log_score, avg(score)) AS log_score, pg_temp.same(brier, avg(missed ^ 2)) AS brier
FROM scored s JOIN chosen c ON c.model = s.family GROUP BY s.family, log_score, brier ORDER BY s.family;
-- how far behind the first of them, with the standard error of a mean of differences
SELECT pg_temp.same(c.behind - first.behind, avg(f.score - s.score)) AS behind,
	   first.rank > 1 OR pg_temp.same(c.behind_error, stddev_samp(f.score - s.score) / sqrt(count(*))) AS error
FROM chosen c
JOIN scored s ON s.family = c.model
CROSS JOIN (SELECT * FROM chosen WHERE model IN ('mbg/nbd', 'bg/nbd', 'pareto/nbd') ORDER BY rank LIMIT 1) first
JOIN scored f ON f.family = first.model AND f.customer = s.customer
WHERE c.model = 'bg/nbd' GROUP BY c.behind, c.behind_error, first.behind, first.rank;
SELECT bool_and(behind >= 0) AS none_before_the_first, min(behind) = 0 AS first, max(rank) = count(rank) AS ranks,
	   bool_and(rank IS NOT NULL OR behind IS NULL) AS without_score
FROM chosen;

-- --- baselines, of a year in which some were there from its beginning ---
CREATE TABLE later AS
SELECT * FROM clv_choose('customer', 'history', '2021-06-30', '184 days') WHERE model IN ('mean', 'last period');
WITH pair AS (
	SELECT clv_purchases_between(history, '2021-06-30', '2021-12-31') AS actual,
		   clv_purchases_between(history, date '2021-06-30' - 184, '2021-06-30')
			   - (clv_first_purchase(history) > date '2021-06-30' - 184)::int AS before,
		   clv_first_purchase(history) <= date '2021-06-30' - 184 AS there
	FROM customer WHERE clv_first_purchase(history) <= '2021-06-30'
), habit AS (
	SELECT avg(before) AS mean, avg((before > 0)::int) AS active FROM pair WHERE there
)
SELECT pg_temp.same(m.log_score, avg(actual * ln(mean / (1 + mean)) - ln(1 + mean))) AS log_score,
	   pg_temp.same(m.mae, avg(abs(mean - actual))) AS mae,
	   pg_temp.same(m.total_error, count(*) * mean / sum(actual) - 1) AS total_error,
	   pg_temp.same(m.brier, avg(((actual > 0)::int - active) ^ 2)) AS brier, m.gini = 0 AS gini,
	   pg_temp.same(l.mae, avg(abs(before - actual))) AS last_mae,
	   pg_temp.same(l.brier, avg(((actual > 0) <> (before > 0))::int)) AS last_brier,
	   l.rank IS NULL AND l.log_score IS NULL AS no_score
FROM later m, later l, pair, habit WHERE m.model = 'mean' AND l.model = 'last period'
GROUP BY m.log_score, m.mae, m.total_error, m.brier, m.gini, l.mae, l.brier, l.rank, l.log_score, mean;

-- --- a gift a year: the family of whole periods serves these data, and only where its counts are those of days ---
CREATE TABLE donor AS
SELECT customer, clv_history(day) AS history
FROM clv_simulate(clv_model('bg/bb', '{"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.78}', '1 year'),
		 150, '2000-01-01', '2008-12-31', 5, acquired_until => '2000-01-01')
GROUP BY customer;
SELECT rank, converged FROM clv_choose('donor', 'history', '2005-01-01', '3 years', clv_options(time_unit => '1 year'))
WHERE model = 'bg/bb';
SELECT model, rank, note
FROM clv_choose('donor', 'history', '2005-01-01', '30 months', clv_options(time_unit => '1 year'))
WHERE model = 'bg/bb';

-- --- frequent buyers at random times, seen on whole days, are not taken for regular ones ---
CREATE TABLE frequent AS
SELECT clv_history(day) AS history
FROM clv_simulate(clv_model('mbg/nbd', '{"r": 3, "alpha": 2, "a": 0.8, "b": 8}', '1 week'),
		 150, '2020-01-01', '2021-06-30', 3, acquired_until => '2020-03-01')
GROUP BY customer;
SELECT min(rank) FILTER (WHERE model = 'mbg/nbd') < min(rank) FILTER (WHERE model = 'mbg/cnbd-k') AS random
FROM clv_choose('frequent', 'history', '2020-12-31', '26 weeks');

-- --- covariates, other options, odd names, queries ---
CREATE VIEW traits AS SELECT customer, history, ARRAY[customer % 2] AS z FROM customer;
SELECT array_agg(model ORDER BY model) AS models
FROM clv_choose('traits', 'history', '2020-12-31', '1 year', clv_options(covariates => '{odd}'), 'z');
CREATE SCHEMA "Odd ""Choice""";
CREATE TABLE "Odd ""Choice"""."$1; {histories}" AS SELECT history AS "His""tory $2" FROM customer;
SELECT count(*) = (SELECT count(*) FROM chosen) AS rows, bool_and(q = c) AS same
FROM clv_choose('"Odd ""Choice"""."$1; {histories}"', 'His"tory $2', '2020-12-31', '1 year',
		 clv_options(model => 'auto', start => clv_model('bg/nbd', '{"r": 1, "alpha": 5, "a": 1, "b": 2}', '1 week'))) q
JOIN chosen c USING (model);

-- --- pipelines: the one that predicts their hold-out best, and the BIC where there is none ---
CREATE TABLE bought AS SELECT customer, l.day, l.amount FROM customer, clv_purchase_log(history) l;
SELECT max(day) AS last FROM bought \gset
SET client_min_messages = error;
CALL clv_create_pipeline('choosing', 'bought', 'customer', 'day', model => 'auto', horizon => '26 weeks');
CALL clv_refresh('choosing');
SELECT purchase_model = model AS best,
	   note LIKE format('model fitted: first; %s chosen by the log score of a hold-out of 182 days%%', model) AS said
FROM choosing.models, choosing.runs, LATERAL (
	SELECT model FROM clv_choose('customer', 'history', date :'last' - 182, '182 days')
	WHERE converged AND rank IS NOT NULL ORDER BY rank LIMIT 1) c;
CALL clv_alter_pipeline('choosing', holdout => '3 weeks');
CALL clv_refresh('choosing');
SELECT purchase_model = (
		   SELECT (clv_diagnostics(clv_fit(history, clv_options(model => 'auto', spend => 'none')))).purchase_model
		   FROM customer WHERE customer > 0) AS best, note
FROM choosing.models JOIN choosing.runs USING (run) WHERE models.is_current;
CALL clv_drop_pipeline('choosing');
SET client_min_messages = warning;

-- --- errors ---
\set SHOW_CONTEXT never
SELECT * FROM clv_choose(NULL, 'history', '2020-12-31', '1 year');
SELECT * FROM clv_choose('customers', 'history', '2020-12-31', '1 year');
SELECT * FROM clv_choose('customer', 'histories', '2020-12-31', '1 year');
SELECT * FROM clv_choose('customer', 'history', NULL, '1 year');
SELECT * FROM clv_choose('customer', 'history', '2020-12-31', NULL);
SELECT * FROM clv_choose('customer', 'history', '2020-12-31', '90');
SELECT * FROM clv_choose('customer', 'history', '2019-12-31', '1 year');
SELECT * FROM clv_choose('traits', 'history', '2020-12-31', '1 year', clv_options(covariates => '{odd}'));
SELECT * FROM clv_choose('customer', 'history', '2020-01-01', '1 year');
SELECT * FROM clv_choose('customer', 'history', '2020-12-31', '1 year', clv_options(season => 2));
SELECT count(*) > 5 AS rows FROM clv_choose('customer', 'history', '2021-06-30', '1 year');
DROP SCHEMA validate_choose, "Odd ""Choice""" CASCADE;
