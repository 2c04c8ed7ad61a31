-- Predictions over histories: each column, each accessor, and the relations between them.
-- Two customers of the CDNOW log, a one-time buyer, a customer who comes later, one with unknown amounts, one who
-- returned everything.
CREATE TEMP TABLE c (name text PRIMARY KEY, history clv_history);
INSERT INTO c SELECT name, clv_history(day, amount) FROM (VALUES
	('two repeats', date '1997-01-01', 29.33), ('two repeats', '1997-01-18', 29.73),
		('two repeats', '1997-08-02', 14.96),
	('one repeat', '1997-01-01', 63.34), ('one repeat', '1997-01-13', 11.77),
	('once', '1997-01-02', 6.79), ('later', '1997-12-31', 20),
	('unknown', '1997-03-01', NULL), ('unknown', '1997-04-01', NULL),
	('returned', '1997-02-01', 10), ('returned', '1997-02-11', 30),
	('returned', '1997-02-12', -50)) v (name, day, amount)
GROUP BY name;
CREATE TEMP TABLE m (name text PRIMARY KEY, model clv_model);
INSERT INTO m SELECT name, purchases || spend FROM (VALUES
	('bg', clv_model('bg/nbd', '{"r": 0.2426, "alpha": 4.414, "a": 0.793, "b": 2.426}', '1 week', '1997-09-30')),
	('mbg',
		clv_model('mbg/nbd', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}', '1 week',
			'1997-09-30'))) p (name, purchases),
	clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') spend;
-- the same numbers by number; x, t_x and t_cal of the model's unit
CREATE TEMP TABLE n AS
	SELECT m.name AS m, c.name AS c, m.model, c.history, s.*, coalesce(s.mean_spend, 0) AS mean,
		   CASE c.name WHEN 'two repeats' THEN 2 WHEN 'one repeat' THEN 1 WHEN 'returned' THEN 1 ELSE 0 END AS spend_x
	FROM m, c, clv_summary(c.history, '1997-09-30') s WHERE c.name <> 'later';

-- published: Fader, Hardie & Lee (2005), x = 2, t_x = 30.43, T = 38.86
SELECT round(clv_p_alive(model, 2, 30.43, 38.86)::numeric, 3) AS p_alive,
	   abs(clv_expected_purchases(model, 2, 30.43, 38.86, 39) - 1.22599) < 5e-4 AS in_39_weeks FROM m WHERE name = 'bg';
SELECT abs(clv_p_alive(model, history) - 0.72662) < 5e-5 AS p_alive,
	   abs(clv_expected_purchases(model, history, '39 weeks') - 1.22599) < 2e-4 AS in_39_weeks
FROM n WHERE m = 'bg' AND c = 'two repeats';
-- one-time buyers: bg/nbd gives P(alive) = 1, mbg/nbd less
SELECT m, clv_p_alive(model, history) = 1 AS certain FROM n WHERE c = 'once' ORDER BY m;

-- histories and numbers give the same results
SELECT m, c, clv_p_alive(model, history) = clv_p_alive(model, x, t_x, t_cal) AS p_alive,
	   clv_log_likelihood(model, history) = clv_log_likelihood(model, x, t_x, t_cal) AS log_likelihood,
	   abs(clv_expected_purchases(model, history, '39 weeks')
		   - clv_expected_purchases(model, x, t_x, t_cal, 39)) < 1e-13 AS expected,
	   clv_purchase_probability(model, history, 2, '39 weeks')
	   = clv_purchase_probability(model, x, t_x, t_cal, 2, 39) AS probability,
	   clv_purchase_quantile(model, history, '39 weeks', 0.95)
	   = clv_purchase_quantile(model, x, t_x, t_cal, 39, 0.95) AS quantile,
	   abs(clv_discounted_purchases(model, history, 0.1)
		   / clv_discounted_purchases(model, x, t_x, t_cal, ln(1.1) * 7 / 365.25) - 1) < 1e-13 AS dert,
	   abs(clv_discounted_purchases(model, history, 0.1, '39 weeks')
		   / clv_discounted_purchases(model, x, t_x, t_cal, ln(1.1) * 7 / 365.25, 39) - 1) < 1e-13 AS discounted,
	   clv_expected_spend(model, history) = clv_expected_spend(model, spend_x, greatest(mean, 0)) AS spend
FROM n ORDER BY m, c;
-- the log-likelihood of a mean spend: without spend, unknown, not positive
SELECT c, clv_spend_log_likelihood(model, history) = clv_spend_log_likelihood(model, spend_x, mean) AS same,
	   clv_spend_log_likelihood(model, history) = 0 AS nothing FROM n WHERE m = 'bg' AND c <> 'returned' ORDER BY c;
SELECT clv_spend_log_likelihood(model, history) IS NULL AS "null" FROM n WHERE m = 'bg' AND c = 'returned';

-- the columns equal the accessors
CREATE TEMP TABLE p AS SELECT n.*, p.* FROM n,
	clv_predict(model, history, horizon => '39 weeks', discount_rate => 0.1, margin => 0.4, level => 0.9) p;
SELECT every(p_alive = clv_p_alive(model, history)) AS p_alive,
	   every(expected_purchases = clv_expected_purchases(model, history, '39 weeks')) AS purchases,
	   every(expected_spend = clv_expected_spend(model, history)) AS spend,
	   every(expected_revenue = expected_purchases * expected_spend) AS revenue,
	   every(abs(clv / clv_value(model, history, '39 weeks', 0.1, 0.4) - 1) < 1e-14) AS clv,
	   every(abs(clv / (clv_discounted_purchases(model, history, 0.1, '39 weeks') * expected_spend
		   * 0.4) - 1) < 1e-14) AS clv,
	   every(abs(lifetime_value / clv_lifetime_value(model, history, 0.1, 0.4) - 1) < 1e-14) AS lifetime,
	   every(abs(lifetime_value / (clv_discounted_purchases(model, history, 0.1) * expected_spend
		   * 0.4) - 1) < 1e-14) AS lifetime,
	   every(purchases_low = clv_purchase_quantile(model, history, '39 weeks', 0.05)
		   AND purchases_high = clv_purchase_quantile(model, history, '39 weeks', 0.95)) AS interval,
	   every(clv_low = clv_value_quantile(model, history, '39 weeks', 0.05, 0.1, 0.4)
		   AND abs(clv_high - clv_value_quantile(model, history, '39 weeks', 0.95, 0.1, 0.4))
			   <= 1e-9 * clv_high) AS value_interval,
	   every(clv < expected_revenue * 0.4 AND lifetime_value > clv) AS ordered FROM p;
-- one more purchase today: P(alive) times the gain, by number
SELECT every(abs(next_purchase_value - p_alive * expected_spend * 0.4 *
		(clv_discounted_purchases(model, x + 1, t_cal, t_cal, ln(1.1) * 7 / 365.25, 39)
		 - clv_discounted_purchases(model, x, t_x, t_cal, ln(1.1) * 7 / 365.25, 39) / p_alive)) < 1e-12) AS next FROM p;
-- nothing discounted: value is revenue times margin, and a life without end has no value
SELECT every(abs(p.clv - p.expected_revenue) <= 1e-14 * p.clv) AS undiscounted, count(p.lifetime_value) AS lifetime,
	   count(p.purchases_low) + count(p.clv_high) AS intervals
FROM n, clv_predict(model, history) p;
-- years, months and units: 1 year = 365.25 days
SELECT every(clv_expected_purchases(model, history, '4 years') = clv_expected_purchases(model, history, '1461 days')
	AND clv_expected_purchases(model, history, '12 months') = (clv_predict(model, history)).expected_purchases) AS year,
	   every(abs(clv_expected_purchases(model, history, '16 months')
		   - clv_expected_purchases(model, history, '487 days')) < 1e-14) AS month
FROM n;
SELECT abs(clv_p_alive(clv_model('bg/nbd', '{"r": 0.2426, "alpha": 30.898, "a": 0.793, "b": 2.426}', '1 day'),
		   history, '1997-09-30')
	- clv_p_alive(model, history)) < 1e-12 AS daily FROM n WHERE m = 'bg' AND c = 'two repeats';
-- negative discount rates: the limit at 0 from both sides, and more than undiscounted
SELECT every(abs(clv_value(model, history, '1 year', 1e-7) + clv_value(model, history, '1 year', -1e-7)
		   - 2 * clv_value(model, history, '1 year'))
		< 1e-10 * clv_value(model, history, '1 year')) AS smooth,
	   every(clv_value(model, history, '1 year', -0.2) > clv_value(model, history, '1 year')) AS grows,
	   count(clv_lifetime_value(model, history, -0.2)) AS lifetime FROM n;
-- a horizon of 0 days
SELECT DISTINCT expected_purchases, expected_revenue, clv, next_purchase_value, purchases_low, purchases_high,
	   clv_low, clv_high
FROM n, clv_predict(model, history, horizon => '0', discount_rate => 0.1, margin => 0.4, level => 0.5);
-- a negative margin swaps the limits of the interval
SELECT every(abs(a.clv_low + b.clv_high) <= 1e-9 * a.clv_high AND abs(a.clv_high + b.clv_low) <= 1e-9 * a.clv_high
	AND abs(clv_value_quantile(model, history, '1 year', 0.05, margin => -1) - b.clv_low)
		<= 1e-9 * a.clv_high) AS mirrored
FROM n, clv_predict(model, history, level => 0.9) a, clv_predict(model, history, level => 0.9, margin => -1) b;

-- probabilities: they add up, their mean is the expectation, and quantiles are theirs
SELECT m, c, abs(sum(p) - 1) < 1e-9 AS whole, abs(sum(k * p) - min(e)) < 1e-7 AS mean,
	   min(k) FILTER (WHERE cumulative >= 0.5) = min(q50)
	   AND min(k) FILTER (WHERE cumulative >= 0.99) = min(q99) AS quantiles
FROM (SELECT m, c, k, clv_purchase_probability(model, history, k, '1 year') AS p,
			 clv_expected_purchases(model, history, '1 year') AS e,
		sum(clv_purchase_probability(model, history, k, '1 year')) OVER (PARTITION BY m, c ORDER BY k) AS cumulative,
		clv_purchase_quantile(model, history, '1 year', 0.5) AS q50,
		clv_purchase_quantile(model, history, '1 year', 0.99) AS q99
	  FROM n, generate_series(0, 300) k) s GROUP BY m, c ORDER BY m, c;
-- new customers: the same
SELECT m.name, abs(sum(clv_purchase_probability(model, k, 52)) - 1) < 1e-9 AS whole,
	   abs(sum(k * clv_purchase_probability(model, k, 52)) - clv_expected_purchases(model, 52)) < 1e-7 AS mean
FROM m, generate_series(0, 300) k GROUP BY m.name, model ORDER BY m.name;
SELECT name, clv_survival(model, 0) BETWEEN 0 AND 1 AS probability,
	   clv_survival(model, 10) >= clv_survival(model, 100) AS falls
FROM m ORDER BY name;
/*
 * A quantile of value in closed form: all customers leave after one purchase (a far above b),
	 so that the number of
 * purchases is 0 with probability u = ((alpha + T) / (alpha + T + t))^r, else 1; and one purchase exceeds s with
 * probability (gamma / (gamma + s))^q where p = 1. Its quantile at v is gamma (((1 - v) / (1 - u))^(-1/q) - 1).
 */
SELECT level, abs(clv_value_quantile(model, c.history, '26 weeks', level) - CASE WHEN level <= u THEN 0
	ELSE 20 * (((1 - level) / (1 - u)) ^ (-1 / 3.0) - 1) END) < 1e-6 AS closed_form, level <= u AS nothing
FROM c, LATERAL (SELECT clv_model('bg/nbd', '{"r": 0.8, "alpha": 13, "a": 1e7, "b": 1e-7}', '1 week', '1997-04-03')
		|| clv_model('gamma/gamma', '{"p": 1, "q": 3, "gamma": 20}') AS model,
	((13 + 13) / (13 + 13 + 26.0)) ^ 0.8 AS u) x, unnest(ARRAY[0.1, 0.5, 0.58, 0.7, 0.95, 0.999]::float8[]) level
WHERE c.name = 'once' ORDER BY level;

-- a history answers for any day: time without a purchase lowers P(alive), and the purchase of August had raised it
SELECT c, clv_p_alive(model, history, '1997-06-30') > clv_p_alive(model, history) AS earlier,
	   clv_p_alive(model, history, '1998-06-30') < clv_p_alive(model, history) AS later
FROM n WHERE m = 'mbg' ORDER BY c;
SELECT (clv_predict(model, history, as_of => '1997-01-31')).p_alive
	   = clv_p_alive(model, 1, 17 / 7.0, 30 / 7.0) AS truncated
FROM n WHERE m = 'mbg' AND c = 'two repeats';
-- a customer without a purchase by as_of has no prediction
SELECT p IS NULL AS "row", num_nulls(p.p_alive, p.expected_purchases, p.clv) AS nulls,
	   clv_p_alive(model, history) IS NULL AS p_alive,
	   num_nulls(clv_expected_purchases(model, history, '1 year'), clv_expected_spend(model, history),
		   clv_value(model, history, '1 year'),
		clv_lifetime_value(model, history, 0.1), clv_discounted_purchases(model, history, 0.1),
			clv_purchase_probability(model, history, 0, '1 year'),
		clv_purchase_quantile(model, history, '1 year', 0.5), clv_value_quantile(model, history, '1 year', 0.5),
		clv_log_likelihood(model, history), clv_spend_log_likelihood(model, history)) AS nulls,
	   rfmtc(history, '1997-09-30', model) IS NULL AS rfmtc
FROM m, c, clv_predict(model, history) p WHERE m.name = 'bg' AND c.name = 'later';

-- the five values with the fifth
SELECT c, (r).recency, (r).frequency, (r).monetary, (r).tenure,
	   abs((r).churn - (1 - clv_p_alive(model, history))) < 1e-15 AS churn
FROM (SELECT *, rfmtc(history, '1997-09-30', model) AS r FROM n WHERE m = 'mbg') s ORDER BY c;
SELECT rfmtc(history, '1997-09-30', NULL) = rfmtc(history, '1997-09-30') AS without,
	   rfmtc(history, NULL, model) IS NULL AS "null"
FROM n WHERE m = 'mbg' AND c = 'once';

-- no spend part: no money; a spend whose mean does not exist: no money either, and no number in its place
SELECT num_nulls(expected_spend, expected_revenue, clv, lifetime_value, next_purchase_value, clv_low,
	   clv_high) AS nulls, purchases_high
FROM c, clv_predict(clv_model('mbg/nbd', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}', '1 week'), history,
	discount_rate => 0.1, as_of => '1997-09-30', level => 0.9) WHERE name = 'once';
SELECT num_nulls(expected_spend, expected_revenue, clv, lifetime_value, next_purchase_value, clv_low,
		   clv_high) AS nulls,
	   num_nulls(clv_expected_spend(model, history), clv_value(model, history, '1 year'),
		   clv_lifetime_value(model, history, 0.1),
		clv_value_quantile(model, history, '1 year', 0.9)) AS nulls, clv_expected_spend(model, 0, 0) AS by_number
FROM c,
	 LATERAL (SELECT clv_model('mbg/nbd', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}', '1 week',
						 '1997-09-30')
	|| clv_model('gamma/gamma', '{"p": 1, "q": 0.9, "gamma": 20}') AS model) m,
	clv_predict(model, history, discount_rate => 0.1, level => 0.9) WHERE name = 'once';
-- DERT without discounting is Infinity where the sum diverges
SELECT clv_discounted_purchases(clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 0.5, "b": 1}', '1 week'), 3, 2,
		   4, 0) AS dert,
	   clv_discounted_purchases(clv_model('bg/nbd', '{"r": 1, "alpha": 1, "a": 1.5, "b": 1}', '1 week'), 3, 2,
		   4, 0) < 'Infinity' AS finite;

-- NULL in, NULL out; only as_of, level and covariates may be left open
SELECT clv_predict(NULL, history) IS NULL AND clv_predict(model, NULL) IS NULL
	   AND clv_predict(model, history, horizon => NULL) IS NULL
	AND clv_predict(model, history, discount_rate => NULL) IS NULL
		AND clv_predict(model, history, margin => NULL) IS NULL AS predict,
	   num_nulls(clv_p_alive(NULL, history), clv_p_alive(model, NULL),
		   clv_expected_purchases(model, history, NULL), clv_value(model, history, NULL),
		clv_value(model, history, '1 year', NULL), clv_lifetime_value(model, history, NULL),
			clv_purchase_probability(model, history, NULL, '1 year'),
		clv_purchase_quantile(model, history, '1 year', NULL), clv_value_quantile(model, history, NULL, 0.5),
			clv_p_alive(model, NULL, 0, 1)) AS nulls
FROM n WHERE m = 'bg' AND c = 'once';

-- many models in one query, in turns; more than a call site keeps
SELECT every(clv_p_alive(g.model, history) = alone) AS turns, count(*)
FROM (SELECT i,
			 clv_model('mbg/nbd', jsonb_build_object('r', 0.1 * (1 + i % 11), 'alpha', 5, 'a', 1, 'b', 2),
				 '1 week', '1997-09-30') AS model
	  FROM generate_series(1, 200) i ORDER BY i OFFSET 0) g, n,
	LATERAL (SELECT clv_p_alive(g.model, x, t_x, t_cal) AS alone) a WHERE m = 'bg';
DROP TABLE c, m, n, p;
