-- Families of discrete time: histories in periods, horizons, and quantities that they do not have.
CREATE TEMP TABLE m AS SELECT
	clv_model('bg/bb', '{"alpha": 1.204, "beta": 0.75, "gamma": 0.657, "delta": 2.783}', '1 year',
		'2001-12-31') AS bgbb,
	clv_model('sbg', '{"alpha": 0.668, "beta": 3.806}', '1 month', '2001-12-31') AS sbg,
	clv_model('rfmtc', '{"Q": 0.05, "g": 2, "b": 3}', '30 days', '2001-12-31') AS rfmtc,
	clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS spend;
-- a donor with gifts on 1998-01-01 and in the third of the years that end on its anniversaries; a contract paid every
-- month since July
CREATE TEMP TABLE c AS SELECT name, clv_history(day, 20) AS history FROM (VALUES
	('donor', date '1998-01-01'), ('donor', '2000-02-01'), ('donor', '2000-06-01'),
	('once', '1998-01-01'), ('late', '2001-06-01'), ('later', '2002-01-01'),
	('contract', '2001-07-15'), ('contract', '2001-08-15'), ('contract', '2001-09-15'),
	('contract', '2001-10-15'), ('contract', '2001-11-15'), ('contract', '2001-12-15'),
	('left', '2001-07-15'), ('left', '2001-08-15')) v (name, day) GROUP BY name;
CREATE FUNCTION pg_temp.same(a float8, b float8) RETURNS bool LANGUAGE sql AS 'SELECT abs(a - b) <= 1e-13 * abs(b)';
-- histories and numbers give the same results: opportunities, renewals, campaigns
SELECT name, pg_temp.same(clv_p_alive(bgbb, history), clv_p_alive(bgbb, x, t_x, n)) AS p_alive,
	   pg_temp.same(clv_expected_purchases(bgbb, history, '5 years'),
		   clv_expected_purchases(bgbb, x, t_x, n, 5)) AS expected,
	   pg_temp.same(clv_purchase_probability(bgbb, history, 2, '5 years'),
		   clv_purchase_probability(bgbb, x, t_x, n, 2, 5)) AS probability,
	   pg_temp.same(clv_discounted_purchases(bgbb, history, 0.1),
		   clv_discounted_purchases(bgbb, x, t_x, n, 0.1)) AS discounted,
	   pg_temp.same(clv_log_likelihood(bgbb, history), clv_log_likelihood(bgbb, x, t_x, n)) AS likelihood
FROM m, c
JOIN (VALUES ('donor', 1, 3, 3), ('once', 0, 0, 3), ('late', 0, 0, 0)) n (name, x, t_x, n) USING (name)
ORDER BY 1;
SELECT name, clv_p_alive(sbg, history) AS p_alive,
	   pg_temp.same(clv_expected_purchases(sbg, history, '1 year'),
		   clv_expected_purchases(sbg, x, x, t, 12)) AS expected,
	   pg_temp.same(clv_log_likelihood(sbg, history), clv_log_likelihood(sbg, x, x, t)) AS likelihood
FROM m, c JOIN (VALUES ('contract', 5, 5), ('left', 1, 2)) n (name, x, t) USING (name) ORDER BY 1;
-- P(alive) = (1 - Q)^R, and the next campaign g F / (T - R + b), in campaigns of 30 days
SELECT name, pg_temp.same(clv_p_alive(rfmtc, history), 0.95 ^ (r / 30.0)) AS p_alive,
	   pg_temp.same(clv_expected_purchases(rfmtc, history, '30 days'),
		   0.95 ^ (r / 30.0 + 1) * least(2 * f / ((t - r) / 30.0 + 3), 1)) AS next,
	   pg_temp.same(clv_expected_purchases(rfmtc, history, '90 days'),
		   0.95 ^ (r / 30.0) * least(f / ((t - r) / 30.0 + 3), 1) * (0.95 + 0.95 ^ 2 + 0.95 ^ 3)) AS three,
	   pg_temp.same((rfmtc(history, '2001-12-31', rfmtc)).churn, 1 - clv_p_alive(rfmtc, history)) AS churn
FROM m, c, LATERAL (SELECT recency AS r, frequency AS f, tenure AS t FROM rfmtc(history, '2001-12-31')) v
WHERE name IN ('donor', 'once') ORDER BY 1;
-- rows: what one more purchase adds is not known, everything else is
SELECT name, f, pg_temp.same(expected_revenue, expected_purchases * expected_spend) AS revenue,
	   clv <= expected_revenue AS discounted,
	   next_purchase_value IS NULL AS "no next",
	   purchases_low <= expected_purchases AND expected_purchases <= purchases_high AS interval,
	   lifetime_value >= clv AS lifetime
FROM c, m,
	 LATERAL (VALUES ('bg/bb', bgbb || spend, '3 years'::interval), ('sbg', sbg || spend, '12 months'),
				  ('rfmtc', rfmtc || spend, '30 days')) f (f, model, horizon),
	clv_predict(model, history, horizon, 0.1, level => 0.99) p WHERE name IN ('donor', 'contract') ORDER BY 1, 2;
SELECT count(*) AS "not yet" FROM c, m, clv_predict(bgbb, history, '1 year') p WHERE name = 'later' AND p IS NULL;
-- customers who have left are worth 0, without end and undiscounted too
SELECT clv_discounted_purchases(sbg, history, 0) AS without_end,
	   (clv_predict(sbg || spend, history, '1 year', level => 0.9)).clv_high AS high
FROM m, c WHERE name = 'left';
-- curves and totals
SELECT count(*), pg_temp.same(sum(f.expected_purchases), max(clv_expected_purchases(bgbb, history, '4 years'))) AS sum,
	   string_agg(to_char(period_start, 'YYYY-MM-DD'), ' ' ORDER BY period_start) AS starts
FROM m, c, clv_forecast(bgbb, history, 4, '1 year') f WHERE name = 'donor';
SELECT (t).customers, pg_temp.same((t).expected_purchases, e) AS expected, (t).purchases_high > e AS high
FROM (SELECT clv_predict_total(bgbb || spend, history, '4 years') AS t,
			 sum(clv_expected_purchases(bgbb, history, '4 years')) AS e
	  FROM m, c) t;
-- several horizons at once
SELECT name,
	   clv_purchase_curve(bgbb, history, '{1 year,24 months,5 years}')
		   = ARRAY[clv_expected_purchases(bgbb, history, '1 year'),
		clv_expected_purchases(bgbb, history, '2 years'),
			clv_expected_purchases(bgbb, history, '5 years')] AS opportunities,
	   clv_purchase_curve(sbg, history, '{1 month,1 year}') = ARRAY[clv_expected_purchases(sbg, history, '1 month'),
		clv_expected_purchases(sbg, history, '1 year')] AS renewals,
	   clv_purchase_curve(rfmtc, history, '{30 days,90 days}')
	   = ARRAY[clv_expected_purchases(rfmtc, history, '30 days'),
		clv_expected_purchases(rfmtc, history, '90 days')] AS campaigns
FROM m, c WHERE name <> 'later' ORDER BY 1;
-- newcomers, and one period ahead: survival of the first period
SELECT pg_temp.same((clv_new_customer(sbg, '3 months')).expected_purchases,
		   clv_survival(sbg, 1) + clv_survival(sbg, 2) + clv_survival(sbg, 3)) AS survivals,
	   pg_temp.same(clv_survival(sbg, 3) / clv_survival(sbg, 2), clv_retention(sbg, 3)) AS retention,
	   pg_temp.same(clv_p_alive(bgbb, 0, 0, 0, ahead => 2), clv_survival(bgbb, 2)) AS ahead,
	   pg_temp.same(clv_residual_lifetime(sbg, 3, 0.1, before => true),
		   clv_retention(sbg, 3) * (1 + clv_residual_lifetime(sbg, 3, 0.1))) AS residual
FROM m;
-- families of continuous time look ahead as well
SELECT pg_temp.same(clv_p_alive(model, 0, 0, 0, ahead => 10), clv_survival(model, 10) / 1) AS ahead
FROM (SELECT clv_model('pareto/nbd', '{"r": 0.553, "alpha": 10.58, "s": 0.606, "beta": 11.67}', '1 week') AS model) p;
-- a negative rate, period by period
SELECT pg_temp.same(clv_discounted_purchases(bgbb, 1, 2, 3, -0.1, 2), clv_expected_purchases(bgbb, 1, 2, 3, 1) / 0.9
	+ (clv_expected_purchases(bgbb, 1, 2, 3, 2) - clv_expected_purchases(bgbb, 1, 2, 3, 1)) / 0.81) AS negative FROM m;

-- errors
SELECT clv_predict(bgbb, history, '18 months') FROM m, c WHERE name = 'donor';
SELECT clv_expected_purchases(sbg, history, '10 days') FROM m, c WHERE name = 'contract';
SELECT clv_purchase_curve(bgbb, history, '{1 year,18 months}') FROM m, c WHERE name = 'donor';
SELECT clv_forecast(bgbb, history, 3, '1 month') FROM m, c WHERE name = 'donor';
SELECT clv_forecast(rfmtc, history, 3, '30 days') FROM m, c WHERE name = 'donor';
SELECT clv_new_customer(bgbb, '1 week') FROM m;
SELECT clv_log_likelihood(rfmtc, history) FROM m, c WHERE name = 'donor';
SELECT clv_log_likelihood(rfmtc, 1, 1, 1) FROM m;
SELECT clv_retention(bgbb, 1) FROM m;
SELECT clv_residual_lifetime(rfmtc, 1, 0.1) FROM m;
SELECT clv_retention(sbg, 0) FROM m;
SELECT clv_retention(sbg, 1.5) FROM m;
SELECT clv_residual_lifetime(sbg, 1, -0.1) FROM m;
SELECT clv_residual_lifetime(sbg, 0, 0.1, true) FROM m;
SELECT clv_p_alive(bgbb, 3, 2, 4) FROM m;
SELECT clv_p_alive(bgbb, 1, 1.5, 4) FROM m;
SELECT clv_p_alive(bgbb, 1, 1, 4.5) FROM m;
SELECT clv_p_alive(bgbb, 0, 1, 4) FROM m;
SELECT clv_p_alive(bgbb, 1, 1, 4, ahead => 0.5) FROM m;
SELECT clv_p_alive(sbg, 1, 2, 2) FROM m;
SELECT clv_expected_purchases(bgbb, 1.5) FROM m;
SELECT clv_survival(sbg, 1.5) FROM m;
SELECT clv_discounted_purchases(bgbb, 1, 1, 4, -1) FROM m;
SELECT clv_p_alive(bgbb, 1, 1, 100001) FROM m;
SELECT clv_purchase_probability(bgbb, 1, 1e9) FROM m;
SELECT clv_predict(rfmtc, history, '30000000 days') FROM m, c WHERE name = 'donor';
DROP FUNCTION pg_temp.same;
DROP TABLE m, c;
