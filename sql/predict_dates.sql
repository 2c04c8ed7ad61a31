-- Two dates of a customer, and the probabilities beside them: in periods that follow the calendar, as of any day, and
-- at the ends of their ranges. Numbers of many customers are in test/t/306_customer_dates.pl.
SET client_min_messages = warning;
CREATE SCHEMA predict_dates;
SET search_path = predict_dates, public;
CREATE TABLE m AS
SELECT p, name, model
FROM unnest('{anniversary,calendar}'::text[]) p,
	 LATERAL (VALUES
		('bg/bb',
			clv_model('bg/bb', '{"alpha": 1.2, "beta": 3, "gamma": 0.66, "delta": 5}', '1 month', '2020-06-30',
				periods => p)),
		('bg/bb, weeks',
			clv_model('bg/bb', '{"alpha": 1.2, "beta": 9, "gamma": 0.4, "delta": 9}', '1 week', '2020-06-30',
				periods => p)),
		('sbg', clv_model('sbg', '{"alpha": 0.9, "beta": 3.8}', '1 month', '2020-06-30', periods => p)),
		('sbg, grace',
			jsonb_set(clv_model('sbg', '{"alpha": 0.9, "beta": 3.8}', '1 month', '2020-06-30', periods => p)::jsonb,
								 '{grace}', '"5 days"')::clv_model),
		('rfmtc', clv_model('rfmtc', '{"Q": 0.05, "g": 2, "b": 3}', '1 month', '2020-06-30', periods => p))) v (name,
			model);
INSERT INTO m VALUES ('none', 'mbg/nbd',
	clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 1.6}', '1 week', '2020-06-30')),
	('none', 'ggompertz/nbd',
		clv_model('ggompertz/nbd', '{"r": 0.5, "alpha": 6, "b": 0.02, "s": 0.6, "beta": 0.4}', '1 week', '2020-06-30'));
CREATE TABLE log AS
SELECT c, date '2020-01-31' + (c * 17 % 60 + k * (3 + c * 37 % 50)) AS day
FROM generate_series(1, 20) c, generate_series(0, 8) k WHERE k <= c * 5 % 9;
CREATE TABLE seen AS
SELECT c, as_of, (SELECT clv_history(day) FROM log l WHERE l.c = q.c) AS history,
	(SELECT clv_history(day) FROM log l WHERE l.c = q.c AND day <= as_of) AS known,
	(SELECT max(day) FROM log l WHERE l.c = q.c AND day <= as_of) AS last
FROM generate_series(1, 20) q (c), unnest('{2020-04-02,2020-04-17,2020-05-31,2020-06-30}'::date[]) as_of;

-- ---- the lapse date is the day after the last one on which P(alive) is not below, tried day by day ----
SELECT name, p, count(*), count(DISTINCT lapse) > 10 AS several, count(*) FILTER (WHERE lapse IS DISTINCT FROM (
	SELECT max(day) + 1 FROM generate_series(last, last + 500, interval '1 day') s (t), date(t) day
	WHERE clv_p_alive(model, known, day) >= 0.6)) AS wrong
FROM m, seen, clv_lapse_date(model, history, 0.6, as_of) lapse
WHERE last IS NOT NULL AND lapse < last + 500 GROUP BY 1, 2 ORDER BY 1, 2;

-- ---- the next purchase is the first horizon in which one is likely enough, tried one by one ----
SELECT name, p, count(*), count(*) FILTER (WHERE next IS DISTINCT FROM tried) AS wrong
FROM m, seen, clv_next_purchase(model, history, 0.41, as_of) next,
	 LATERAL (SELECT CASE WHEN p = 'none' THEN 'day' WHEN name = 'bg/bb, weeks' THEN 'week' ELSE 'month' END AS unit) u,
	 LATERAL (SELECT ('1 ' || unit)::interval AS step) i,
	 LATERAL (SELECT min(k) AS k FROM generate_series(1, 99) k
		WHERE clv_active_probability(model, history, k * step, as_of) / nullif(clv_p_alive(model, history, as_of),
			0) >= 0.41) w,
	 LATERAL (SELECT CASE
		WHEN p = 'calendar' THEN -- the last day of the k-th month, or week, after those that are over
			date(greatest(date_trunc(unit, as_of + 1), CASE WHEN name ~ 'bg/bb'
				THEN date_trunc(unit, clv_first_purchase(history)) + step END) + k * step) - 1
		WHEN p = 'none' OR name = 'rfmtc' THEN date(as_of + k * step)
		ELSE -- the anniversary k months after the last one
			(SELECT date(first + (n + k) * step) FROM clv_first_purchase(history) first,
				LATERAL (SELECT max(n) AS n FROM generate_series(0, 99) n
				WHERE date(first + n * step) <= as_of) a) END AS tried) t
WHERE last IS NOT NULL AND name !~ 'sbg' AND k IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2;

-- ---- contracts: the next renewal may be as late as the grace allows; a customer who misses the payment has left ----
SELECT name, p, as_of, clv_p_alive(model, h, as_of), clv_next_purchase(model, h, 0.5, as_of) AS next,
	clv_lapse_date(model, h, 0.5, as_of) AS lapse,
	round(clv_active_probability(model, h, '1 month', as_of)::numeric, 4) AS active,
		round(clv_survival(model, h, '2 months', as_of)::numeric, 4) AS survival
FROM m, (SELECT clv_history(d)
FROM unnest('{2020-01-31,2020-02-29,2020-03-31}'::date[]) d) q (h), unnest('{2020-04-02,2020-05-03}'::date[]) as_of
WHERE name ~ 'sbg' ORDER BY 1, 2, 3;
-- 3.8 + 2 renewals of 0.9 + 3.8 + 2 are made in time: both numbers by hand
SELECT round(5.8 / 6.7, 4) AS active, round(5.8 / 6.7 * 6.8 / 7.7, 4) AS survival;

-- ---- NULL arguments, and NULL where there is no such day ----
CREATE TABLE one AS SELECT model, clv_history(d) AS history
FROM m, unnest('{2020-01-01,2020-01-20,2020-03-01}'::date[]) d WHERE name = 'mbg/nbd' GROUP BY model;
SELECT num_nulls(
	clv_active_probability(NULL, history, '1 month'), clv_active_probability(model, NULL, '1 month'),
		clv_active_probability(model, history, NULL),
	clv_active_probability(model, history, '1 month', '2019-12-31'), clv_survival(NULL, history, '1 month'),
		clv_survival(model, NULL, '1 month'),
	clv_survival(model, history, NULL), clv_survival(model, history, '1 month', '2019-12-31'),
		clv_next_purchase(NULL, history), clv_next_purchase(model, NULL),
	clv_next_purchase(model, history, NULL), clv_next_purchase(model, history, 0.5, '2019-12-31'),
		clv_lapse_date(NULL, history), clv_lapse_date(model, NULL),
	clv_lapse_date(model, history, NULL), clv_lapse_date(model, history, 0.5, '2019-12-31')) AS nulls_16 FROM one;
SELECT clv_active_probability(model, history, '0 days') AS nothing,
	clv_survival(model, history, '0 days') = clv_p_alive(model, history) AS now,
	clv_next_purchase(model, history, 1e-300) - date '2020-06-30' AS tomorrow,
	clv_next_purchase(clv_model('pareto/nbd', '{"r": 1, "alpha": 6, "s": 2, "beta": 9}', '1 week', '2020-06-30'),
		history, 0.9) AS leaves_before FROM one;
-- under bg/nbd a customer with one purchase cannot have left; where most leave at once the limit is crossed on the day
-- of the purchase itself
SELECT clv_lapse_date(clv_model('bg/nbd', '{"r": 1, "alpha": 6, "a": 2, "b": 1}', '1 week', '2020-06-30'), h) AS never,
	clv_lapse_date(clv_model('mbg/nbd', '{"r": 1, "alpha": 6, "a": 2, "b": 1}', '1 week', '2020-06-30'), h) AS at_once
	FROM (SELECT clv_history(date '2020-03-01')) q (h);
SELECT clv_mean_gap(history) AS gap, clv_mean_gap(history, '2020-02-01') AS before,
	clv_mean_gap(history, '2020-01-19') AS one_purchase,
	clv_mean_gap(history, 'infinity') = clv_mean_gap(history) AS all_of_it, clv_mean_spend(history) AS no_amount
	FROM one;
SELECT clv_mean_spend(h) AS mean, clv_mean_spend(h, '2020-01-02') AS unreturned,
	clv_mean_spend(h, '2019-01-01') AS none,
	clv_mean_spend(h) = (clv_summary(h, '2020-12-31', '1 week', 'all')).mean_spend AS as_summary
FROM (SELECT clv_history(d::date, a) AS h
FROM (VALUES ('2020-01-01', 10), ('2020-01-02', 20), ('2020-01-03', -6), ('2020-02-01', NULL),
	('2020-03-01', 3.0)) v (d, a)) q;
SELECT clv_active_probability(model, 13) + clv_purchase_probability(model, 0, 13) AS new_customers FROM one;

-- ---- errors ----
SELECT clv_next_purchase(model, history, 0) FROM one;
SELECT clv_next_purchase(model, history, 'NaN') FROM one;
SELECT clv_lapse_date(model, history, 1) FROM one;
SELECT clv_lapse_date(model, history, -0.5) FROM one;
SELECT clv_lapse_date(model, history, 0.5, 'infinity') FROM one;
SELECT clv_next_purchase(model, history, 0.5, covariates => '{1}') FROM one;
SELECT clv_active_probability(model, history, '-1 day') FROM one;
SELECT clv_active_probability(m.model, history, '10 days') FROM one, m WHERE name = 'bg/bb' AND p = 'calendar';
SELECT clv_survival(clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}'), history, '1 year') FROM one;
SELECT clv_lapse_date(clv_model('mbg/nbd', '{"r": 1, "alpha": 6, "a": 2, "b": 1}', '1 week'), history) FROM one;
SELECT clv_active_probability(model, 1, 3, 2, 5) FROM one;
DROP SCHEMA predict_dates CASCADE;
