-- More different customers than a call site caches: what it has evicted is computed anew.
CREATE TABLE various AS
	SELECT x, age, clv_history(date '2017-12-31' - age + (k * age) / greatest(x, 1), 1.00) AS history
	FROM generate_series(0, 80) x, generate_series(81, 1000) age, LATERAL generate_series(0, x) k
	GROUP BY x, age ORDER BY age, x;
CREATE TABLE model AS
	SELECT clv_model(f,
			   CASE f WHEN 'pareto/nbd' THEN '{"r": 0.5, "alpha": 6, "s": 0.5, "beta": 12}'::jsonb
				   ELSE '{"r": 0.3, "alpha": 4, "a": 0.6, "b": 3}' END, '1 week', '2017-12-31') AS model
	FROM unnest(ARRAY['bg/nbd', 'pareto/nbd']) f;
SELECT count(*) AS customers, bool_and(clv_purchases(history) = x + 1) AS as_meant FROM various;
-- In this order it is always the pair of a customer who buys once more (x + 1 at the same age) that is new, and one
-- of them that finds the table full while the others of its row are worked out. Each comes twice, to meet what the
-- first one left.
SELECT count(*) AS predicted, count(DISTINCT ((p).p_alive, (p).expected_purchases)) > 70000 AS various,
	   max(abs((p).expected_purchases / clv_expected_purchases(model, s.x, s.t_x, s.t_cal, 365.25 / 7) - 1))
	   < 1e-11 AS as_by_number
	FROM (SELECT model, history, clv_predict(model, history, horizon => '1 year', discount_rate => 0.1) AS p
		  FROM various, generate_series(1, 2) again, model OFFSET 0) q,
		 LATERAL clv_summary(history, '2017-12-31') s;
SELECT count(*) AS customers,
	   bool_and(clv_purchase_curve(model, history, '{1 month,1 year,2 years}')
		   = ARRAY[clv_expected_purchases(model, history, '1 month'),
	clv_expected_purchases(model, history, '1 year'), clv_expected_purchases(model, history, '2 years')]) AS curve
FROM various, generate_series(1, 2) again, model;
-- by a calendar without effects customers are those of the plain model: what those of the same first day share has to
-- make room as well, is not found where it was, and each day of a last purchase is asked for in turn
SELECT count(DISTINCT plain) > 70000 AS various, max(abs(by_calendar / plain - 1)) < 1e-11 AS as_plain
FROM (SELECT clv_p_alive(clv_model('pareto/nbd', '{"r": 0.5, "alpha": 6, "s": 0.5, "beta": 12}', '1 week', '2018-06-30',
								   '[{"name":"none"}]', calendar => calendar), history) AS by_calendar,
			 clv_p_alive(model, history, '2018-06-30') AS plain
	  FROM model,
		   (SELECT clv_calendar(week::date, ARRAY[extract(week FROM week)], '{none}') AS calendar
			FROM generate_series(timestamp '2015-01-05', '2018-06-30', '7 days') week) c,
		   (SELECT history FROM various
			UNION ALL
			SELECT history FROM various
			UNION ALL
			SELECT clv_history(date '2017-12-31' - age + k, 1.00)
			FROM generate_series(0, 80) x, generate_series(81, 1000) age, LATERAL generate_series(0, x) k
			GROUP BY x, age) v
	  WHERE model::jsonb->'purchase'->>'family' = 'pareto/nbd' OFFSET 0) q;
DROP TABLE various, model;
