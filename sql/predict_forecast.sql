-- Forecasts period by period, customers yet to come, and covariates.
CREATE TEMP TABLE c AS SELECT name, clv_history(day, amount) AS history FROM (VALUES
	('two repeats', date '1997-01-01', 29.33), ('two repeats', '1997-01-18', 29.73),
		('two repeats', '1997-08-02', 14.96),
	('one repeat', '1997-01-01', 63.34), ('one repeat', '1997-01-13', 11.77),
	('once', '1997-01-02', 6.79), ('later', '1997-12-31', 20)) v (name, day, amount) GROUP BY name;
CREATE TEMP TABLE m AS SELECT f.name, f.model AS purchases, f.model || spend AS model FROM (VALUES
	('bg', clv_model('bg/nbd', '{"r": 0.2426, "alpha": 4.414, "a": 0.793, "b": 2.426}', '1 week', '1997-09-30')),
	('mbg', clv_model('mbg/nbd', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}', '1 week', '1997-09-30')),
	('pareto',
		clv_model('pareto/nbd', '{"r": 0.553, "alpha": 10.58, "s": 0.606, "beta": 11.67}', '1 week',
			'1997-09-30')),
	('ggompertz',
		clv_model('ggompertz/nbd', '{"r": 0.553, "alpha": 10.58, "b": 0.0002, "s": 0.603, "beta": 0.0026}',
			'1 week', '1997-09-30'))) f (name, model),
	clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') spend;

-- the periods add up to the horizon, whatever the period
SELECT m.name AS m, period, every(abs(f.purchases / p.expected_purchases - 1) < 1e-12) AS purchases,
	   every(abs(f.revenue / p.expected_revenue - 1) < 1e-12) AS revenue,
	   every(abs(f.clv / p.clv - 1) < 1e-12) AS clv, min(f.n) AS n, count(*)
FROM m, c, (VALUES ('1 month'::interval, 12), ('1 week', 52), ('10 days', 7), ('1 year', 1)) t (period, periods),
	LATERAL (SELECT sum(expected_purchases) AS purchases, sum(expected_revenue) AS revenue, sum(f.clv) AS clv,
					count(*) AS n
			 FROM clv_forecast(model, history, periods, period, discount_rate => 0.15, margin => 0.35) f) f,
	LATERAL clv_predict(model, history, horizon => period * periods, discount_rate => 0.15, margin => 0.35) p
WHERE c.name <> 'later' GROUP BY 1, 2 ORDER BY 1, 2;
-- each is the difference of two horizons, and later purchases are fewer
SELECT m.name AS m, every(abs(f.expected_purchases - (clv_expected_purchases(model, history, (i * 7) * interval '1 day')
		- clv_expected_purchases(model, history, ((i - 1) * 7) * interval '1 day'))) < 1e-13) AS difference,
	   every(f.expected_purchases > 0) AS positive, bool_and(f.expected_purchases < before) AS falling
FROM m, c,
	 LATERAL (SELECT *, row_number() OVER (ORDER BY period_start) AS i,
					 lag(expected_purchases) OVER (ORDER BY period_start) AS before
		FROM clv_forecast(model, history, 30, '1 week')) f
WHERE c.name <> 'later' GROUP BY 1 ORDER BY 1;
-- the day within which a period begins: weeks by the day, months a twelfth of 365.25 days
SELECT to_char(period_start, 'YYYY-MM-DD') AS period_start
FROM m, c, clv_forecast(model, history, 3, '1 week')
WHERE m.name = 'bg' AND c.name = 'once' ORDER BY 1;
SELECT to_char(period_start, 'YYYY-MM-DD') AS period_start
FROM m, c, clv_forecast(model, history, 4, '1 month', as_of => '1997-12-31')
WHERE m.name = 'bg' AND c.name = 'once' ORDER BY 1;
-- no customers yet, NULL arguments
SELECT count(*) FROM m, c, clv_forecast(model, history, 3, '1 week') WHERE c.name = 'later';
SELECT count(*) FROM m, c, clv_forecast(model, history, 3, NULL) WHERE m.name = 'bg';
SELECT count(*) FROM clv_forecast(NULL, NULL, 3, '1 week');
-- without a spend part
SELECT count(expected_purchases) AS purchases, count(expected_revenue) + count(clv) AS money
FROM m, c, clv_forecast(purchases, history, 3, '1 week') WHERE m.name = 'bg' AND c.name = 'once';
-- several horizons in one call: what a call for each gives, to the bit, whatever a call site has seen before
SELECT m.name AS m,
	   every(clv_purchase_curve(model, history,
		   ARRAY[i * interval '1 week', interval '0', '1 year', '3 months'], as_of)
	= ARRAY[clv_expected_purchases(model, history, i * interval '1 week', as_of), 0,
		clv_expected_purchases(model, history, '1 year', as_of),
			clv_expected_purchases(model, history, '3 months', as_of)]) AS same, count(*)
FROM generate_series(1, 30) i, m, c, unnest('{1997-09-30,1998-03-31}'::date[]) as_of
WHERE c.name <> 'later' OR as_of > '1998-01-01' GROUP BY 1 ORDER BY 1;
SELECT every(clv_purchase_curve(model, history, CASE i % 3 WHEN 0 THEN h[1:1] WHEN 1 THEN h ELSE h[2:4] END)
	= (SELECT array_agg(clv_expected_purchases(model, history, u) ORDER BY o)
	   FROM unnest(CASE i % 3 WHEN 0 THEN h[1:1] WHEN 1 THEN h
			ELSE h[2:4] END) WITH ORDINALITY u (u, o))) AS other_numbers, count(*)
FROM generate_series(1, 30) i, m, c, (SELECT '{1 day,1 week,1 month,1 year,10 years}'::interval[] AS h) h
WHERE c.name <> 'later';
-- a NULL among them, none of them, another first subscript; no customers yet, nothing asked
SELECT clv_purchase_curve(model, history, '{NULL,1 year,NULL}')
	   = ARRAY[NULL, clv_expected_purchases(model, history, '1 year'), NULL] AS "null",
	   clv_purchase_curve(model, history, '{NULL}') = '{NULL}' AS nulls,
	   clv_purchase_curve(model, history, '{}') = '{}' AS none,
	   array_dims(clv_purchase_curve(model, history, '[0:1]={1 year,2 years}')) AS subscripts,
	   num_nulls(clv_purchase_curve(NULL, history, '{1 year}'), clv_purchase_curve(model, NULL, '{1 year}'),
		   clv_purchase_curve(model, history, NULL),
		clv_purchase_curve(model, history, '{1 year}', '1996-12-31')) AS nulls
FROM m, c WHERE m.name = 'bg' AND c.name = 'one repeat';
SELECT clv_purchase_curve(model, history, '{1 week,NULL,-1 day}') FROM m, c WHERE m.name = 'bg' AND c.name = 'once';
SELECT clv_purchase_curve(model, history, '[0:1]={1 week,1000001 years}')
FROM m, c WHERE m.name = 'bg' AND c.name = 'once';
SELECT clv_purchase_curve(model, history, '{{1 week,2 weeks}}') FROM m, c WHERE m.name = 'bg' AND c.name = 'once';
SELECT clv_purchase_curve(model, history, array_fill(interval '1 day', '{100001}'))
FROM m, c WHERE m.name = 'bg' AND c.name = 'once';
SELECT array_length(clv_purchase_curve(model, history, array_fill(interval '1 day', '{100000}')), 1) AS many
FROM m, c WHERE m.name = 'bg' AND c.name = 'once';
-- far from now nothing is left, and nothing is negative
SELECT every(expected_purchases >= 0 AND clv >= 0) AS "from zero", count(*)
FROM m, c, clv_forecast(model, history, 200, '1000 years', discount_rate => 0.1)
WHERE c.name = 'once';
SELECT clv_forecast(model, history, 0, '1 week') FROM m, c WHERE m.name = 'bg' AND c.name = 'once';
SELECT clv_forecast(model, history, 100001, '1 week') FROM m, c WHERE m.name = 'bg' AND c.name = 'once';
SELECT clv_forecast(model, history, 3, '0') FROM m, c WHERE m.name = 'bg' AND c.name = 'once';
SELECT clv_forecast(model, history, 3, '-1 week') FROM m, c WHERE m.name = 'bg' AND c.name = 'once';
SELECT clv_forecast(model, history, 1000, '1001 years') FROM m, c WHERE m.name = 'bg' AND c.name = 'once';
SELECT clv_forecast(model, history, 10, '1000 years', as_of => '5874000-01-01')
FROM m, c WHERE m.name = 'bg' AND c.name = 'once';

-- a customer yet to come: by number, and what an acquisition may cost
SELECT m.name AS m, abs(n.expected_purchases / clv_expected_purchases(model, 365.25 / 7) - 1) < 1e-14 AS purchases,
	   abs(n.first_purchase_value / (clv_expected_spend(model, 0, 0) * 0.35) - 1) < 1e-14 AS first,
	   abs(n.repeat_value / (clv_expected_spend(model, 0, 0) * 0.35
		   * clv_discounted_purchases(model, 0, 0, 0, ln(1.1) * 7 / 365.25, 365.25 / 7)) - 1)
		< 1e-12 AS repeats,
	   n.max_acquisition_cost = n.first_purchase_value + n.repeat_value AS sum
FROM m, clv_new_customer(model, discount_rate => 0.1, margin => 0.35) n ORDER BY 1;
SELECT abs(repeat_value / (expected_purchases * first_purchase_value) - 1) < 1e-14 AS undiscounted
FROM m, clv_new_customer(model, '2 years') WHERE name = 'mbg';
SELECT expected_purchases > 0 AS purchases, num_nulls(first_purchase_value, repeat_value, max_acquisition_cost) AS nulls
FROM m, clv_new_customer(purchases) WHERE name = 'mbg';
SELECT expected_purchases IS NULL AS "null" FROM m, clv_new_customer(model, NULL) WHERE name = 'mbg';
SELECT clv_new_customer(model, '-1 day') FROM m WHERE name = 'mbg';
SELECT clv_new_customer(model, discount_rate => -2) FROM m WHERE name = 'mbg';

-- Covariates: customers of a model with effects are customers of the model with the parameters moved by hand. Here a
-- customer has gamma'z = 0.6 * 1 - 0.01 * 30 = 0.3 for purchases, and 0.2 * 1 + 0.02 * 30 = 0.8 for churn; from a
-- centre of 0.25 and 20 on, 0.6 * 0.75 - 0.01 * 10 = 0.35, and 0.2 * 0.75 + 0.02 * 10 = 0.35.
CREATE TEMP TABLE v AS SELECT f.family, f.model || spend AS model, f.moved || spend AS moved FROM (VALUES
	('bg/nbd', clv_model('bg/nbd', '{"r": 0.25, "alpha": 4, "a": 0.8, "b": 2.4}', '1 week', '1997-09-30',
		'[{"name": "online", "purchase": 0.6, "churn": 0.2}, {"name": "age", "purchase": -0.01, "churn": 0.02}]'),
		clv_model('bg/nbd',
			jsonb_build_object('r', 0.25, 'alpha', 4 * exp(-0.3::float8), 'a', 0.8 * exp(0.8::float8), 'b',
				2.4 * exp(0.8::float8)),
		'1 week', '1997-09-30')),
	('pareto/nbd', clv_model('pareto/nbd', '{"r": 0.5, "alpha": 10, "s": 0.6, "beta": 12}', '1 week', '1997-09-30',
		'[{"name": "online", "purchase": 0.6, "churn": 0.2}, {"name": "age", "purchase": -0.01, "churn": 0.02}]'),
		clv_model('pareto/nbd',
			jsonb_build_object('r', 0.5, 'alpha', 10 * exp(-0.3::float8), 's', 0.6, 'beta',
				12 * exp(-0.8::float8)),
		'1 week', '1997-09-30')),
	('mbg/nbd', clv_model('mbg/nbd', '{"r": 0.25, "alpha": 4, "a": 0.8, "b": 2.4}', '1 week', '1997-09-30',
		'[{"name": "online", "centre": 0.25, "purchase": 0.6, "churn": 0.2},
		  {"name": "age", "centre": 20, "purchase": -0.01, "churn": 0.02}]'),
		clv_model('mbg/nbd',
			jsonb_build_object('r', 0.25, 'alpha', 4 * exp(-0.35::float8), 'a', 0.8 * exp(0.35::float8), 'b',
				2.4 * exp(0.35::float8)),
		'1 week', '1997-09-30'))) f (family, model, moved),
			clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') spend;
CREATE FUNCTION pg_temp.same(a float8, b float8) RETURNS bool LANGUAGE sql AS 'SELECT abs(a - b) <= 1e-12 * abs(b)';
SELECT family, every(pg_temp.same(p.p_alive, q.p_alive) AND pg_temp.same(p.expected_purchases, q.expected_purchases)
		AND pg_temp.same(p.expected_spend, q.expected_spend) AND pg_temp.same(p.clv, q.clv)
			AND pg_temp.same(p.lifetime_value, q.lifetime_value)
		AND abs(p.next_purchase_value - q.next_purchase_value) < 1e-11 AND p.purchases_high = q.purchases_high
			AND abs(p.clv_high - q.clv_high) < 1e-8) AS predict,
	   every(pg_temp.same(clv_p_alive(model, history, covariates => '{1, 30}'), p.p_alive)
		AND pg_temp.same(clv_expected_purchases(model, history, '1 year', covariates => '{1, 30}'),
			p.expected_purchases)
		AND (clv_purchase_curve(model, history, '{1 day,1 year}', covariates => '{1, 30}'))[2] = p.expected_purchases
		AND pg_temp.same(clv_value(model, history, '1 year', 0.1, covariates => '{1, 30}'), p.clv)
		AND pg_temp.same(clv_lifetime_value(model, history, 0.1, covariates => '{1, 30}'), p.lifetime_value)
		AND clv_purchase_quantile(model, history, '1 year', 0.95, covariates => '{1, 30}') = p.purchases_high
		AND abs(clv_value_quantile(model, history, '1 year', 0.95, 0.1,
			covariates => '{1, 30}') - p.clv_high) < 1e-8) AS columns,
	   every(pg_temp.same(clv_discounted_purchases(model, history, 0.1, covariates => '{1, 30}'),
		   clv_discounted_purchases(moved, history, 0.1))
		AND pg_temp.same(clv_purchase_probability(model, history, 2, '1 year', covariates => '{1, 30}'),
			clv_purchase_probability(moved, history, 2, '1 year'))
		AND pg_temp.same(clv_log_likelihood(model, history, covariates => '{1, 30}'),
			clv_log_likelihood(moved, history))) AS others,
	   every(pg_temp.same((SELECT sum(expected_purchases)
						   FROM clv_forecast(model, history, 12, '1 month', covariates => '{1, 30}')),
		   p.expected_purchases)) AS forecast,
	   every(pg_temp.same((clv_new_customer(model, covariates => '{1, 30}')).repeat_value,
		   (clv_new_customer(moved)).repeat_value)) AS new,
	   every(pg_temp.same(clv_p_alive(clv_with_covariates(model, '{1, 30}'), history), p.p_alive)) AS with_covariates
FROM v, c, clv_predict(model, history, discount_rate => 0.1, level => 0.9, covariates => '{1, 30}') p,
	clv_predict(moved, history, discount_rate => 0.1, level => 0.9) q
WHERE c.name <> 'later' GROUP BY 1 ORDER BY 1;
-- many vectors at one call site, in turns: each customer has their own parameters, whatever was cached
SELECT family, count(*),
	   every(pg_temp.same(
		   (clv_predict(model, history, discount_rate => 0.1, covariates => ARRAY[i % 2, i % 97])).clv,
	(clv_predict(clv_with_covariates(model, ARRAY[i % 2, i % 97]), history, discount_rate => 0.1)).clv)) AS same,
	every(clv_purchase_curve(model, history, '{1 month,1 year}', covariates => ARRAY[i % 2, i % 97])
		= ARRAY[clv_expected_purchases(model, history, '1 month', covariates => ARRAY[i % 2, i % 97]),
			clv_expected_purchases(model, history, '1 year', covariates => ARRAY[i % 2, i % 97])]) AS curve
FROM v, c, generate_series(1, 1000) i WHERE c.name <> 'later' GROUP BY 1 ORDER BY 1;
-- effects of nothing are no effects; a process that no covariate moves
SELECT family, pg_temp.same(clv_p_alive(model, history,
			   covariates => CASE family WHEN 'mbg/nbd' THEN '{0.25, 20}' ELSE '{0, 0}' END::float8[]),
		   clv_p_alive(clv_model(family, (model::jsonb #> '{purchase,parameters}'), '1 week'), history,
			   '1997-09-30')) AS zero
FROM v, c WHERE c.name = 'one repeat' ORDER BY family;
-- errors
SELECT clv_predict(model, history) FROM v, c WHERE family = 'bg/nbd' AND c.name = 'once';
SELECT clv_p_alive(model, history) FROM v, c WHERE family = 'bg/nbd' AND c.name = 'once';
SELECT clv_new_customer(model) FROM v WHERE family = 'bg/nbd';
SELECT clv_predict(model, history, covariates => '{1}') FROM v, c WHERE family = 'bg/nbd' AND c.name = 'once';
SELECT clv_predict(model, history, covariates => '{}') FROM v, c WHERE family = 'bg/nbd' AND c.name = 'once';
SELECT clv_predict(model, history, covariates => '{{1, 30}}') FROM v, c WHERE family = 'bg/nbd' AND c.name = 'once';
SELECT clv_predict(model, history, covariates => '{1, NULL}') FROM v, c WHERE family = 'bg/nbd' AND c.name = 'once';
SELECT clv_predict(model, history, covariates => '{1, NaN}') FROM v, c WHERE family = 'bg/nbd' AND c.name = 'once';
SELECT clv_predict(model, history, covariates => '{1, 1e6}') FROM v, c WHERE family = 'bg/nbd' AND c.name = 'once';
SELECT clv_predict(moved, history, covariates => '{1, 30}') FROM v, c WHERE family = 'bg/nbd' AND c.name = 'once';
SELECT clv_with_covariates(moved, '{1, 30}') FROM v WHERE family = 'bg/nbd';
SELECT clv_p_alive(model, 2, 30, 39) FROM v WHERE family = 'bg/nbd';
SELECT rfmtc(history, '1997-09-30', model) FROM v, c WHERE family = 'bg/nbd' AND c.name = 'once';
DROP FUNCTION pg_temp.same;
DROP TABLE c, m, v;
