-- What the views of a pipeline show, compared with statements over the orders and histories.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- 300 customers of two countries; refunds, unknown amounts, days with two orders, a customer of refunds alone
CREATE TABLE deal AS
SELECT 'c' || c AS customer_no, CASE WHEN c % 3 = 0 THEN 'AT' ELSE 'DE' END AS country,
	   date '2020-01-01' + (c * 7 % 180) + (k * (2 + c * 37 % 97)) AS bought_on,
	   CASE WHEN (c * 31 + k) % 41 = 0 THEN NULL ELSE round((5 + c % 40) * (8 + k * 7 % 5) / 10.0, 2) END AS amount,
	   (c * 13 + k) % 29 = 0 AS given_back
FROM generate_series(1, 300) c, generate_series(0, 60) k
WHERE (k = 0 OR k <= (ARRAY[0, 1, 3, 60])[1 + c * 11 % 4] - c % 2)
  AND date '2020-01-01' + (c * 7 % 180) + (k * (2 + c * 37 % 97)) <= '2020-12-31';
INSERT INTO deal SELECT customer_no, country, bought_on, 1.25, false FROM deal WHERE NOT given_back AND amount > 30;
INSERT INTO deal VALUES ('never', 'AT', '2020-05-05', 12, true), (NULL, 'AT', '2020-05-05', 12, false),
	('known by day only', 'DE', '2020-03-03', NULL, false);
CREATE TABLE person AS
SELECT DISTINCT customer_no, country,
	   CASE WHEN length(customer_no) % 2 = 0 THEN 'web' ELSE 'shop' END AS channel
FROM deal
WHERE customer_no IS NOT NULL;
CREATE TABLE survey AS
SELECT customer_no, country,
	   hashtext(customer_no)::bigint % 11 + CASE WHEN hashtext(customer_no) < 0 THEN 10 ELSE 0 END AS score,
	   timestamptz '2020-11-01 12:00+00' AS at FROM person WHERE customer_no LIKE '%1%';
INSERT INTO survey SELECT customer_no, country, 0, '2020-10-01' FROM survey;
INSERT INTO survey SELECT customer_no, country, 0, '2021-02-01' FROM survey WHERE at > '2020-10-15';

CALL clv_create_pipeline('view_shop', 'deal', 'country, customer_no', 'bought_on', 'amount', returns => 'given_back',
	as_of => '2020-12-31', discount_rate => 0.1, margin => 0.5, level => 0.8,
	attribute_source => 'person', attributes => 'channel', rating_source => 'survey', rating => 'score',
	rated_at => 'at');
CALL clv_refresh('view_shop');

-- ---- customers ----
CREATE TABLE by_hand AS
SELECT country, customer_no, min(bought_on) FILTER (WHERE bought) AS first,
	   max(bought_on) FILTER (WHERE bought) AS last,
	   count(DISTINCT bought_on) FILTER (WHERE bought) AS purchases, sum(signed) AS spent
FROM (SELECT *, CASE WHEN given_back THEN -amount ELSE amount END AS signed, NOT given_back AS bought FROM deal
	  WHERE customer_no IS NOT NULL AND NOT (given_back AND amount IS NULL)) d
GROUP BY 1, 2;
SELECT count(*) > 250 AS many,
	   bool_and(c.first_purchase = h.first AND c.last_purchase = h.last AND c.frequency = h.purchases
		AND c.monetary IS NOT DISTINCT FROM h.spent AND c.recency = date '2020-12-31' - h.last
			AND c.tenure = date '2020-12-31' - h.first
		AND c.cohort_month = date_trunc('month', h.first)::date
			AND c.customer_key = c.country || '/' || c.customer_no) AS as_by_hand
FROM view_shop.customers c JOIN by_hand h USING (country, customer_no);
SELECT count(*) AS missing FROM by_hand h LEFT JOIN view_shop.customers c USING (country, customer_no)
WHERE c.country IS NULL AND h.first IS NOT NULL;
SELECT count(*) AS not_yet_customers FROM view_shop.customers WHERE customer_no = 'never' OR customer_no IS NULL;
SELECT frequency, monetary FROM view_shop.customers WHERE customer_no = 'known by day only';

CREATE TABLE member AS
SELECT country, customer_no, clv_history(bought_on, CASE WHEN given_back THEN -amount ELSE amount END) AS history
FROM deal WHERE customer_no IS NOT NULL AND NOT (given_back AND amount IS NULL) GROUP BY 1, 2;
CREATE TABLE fitted AS SELECT clv_fit(history, clv_options(as_of => '2020-12-31')) AS model FROM member;
SELECT bool_and(c.p_alive = p.p_alive AND c.churn = (rfmtc(m.history, '2020-12-31', f.model)).churn
		AND c.expected_purchases = p.expected_purchases AND c.clv IS NOT DISTINCT FROM p.clv::numeric(24,2)
		AND c.expected_spend = p.expected_spend::numeric(24,2)
			AND c.expected_revenue = p.expected_revenue::numeric(24,2)
		AND c.lifetime_value = p.lifetime_value::numeric(24,2)
			AND c.next_purchase_value = p.next_purchase_value::numeric(24,2)
		AND (c.purchases_low, c.purchases_high, c.clv_low, c.clv_high)
			= (p.purchases_low, p.purchases_high, p.clv_low::numeric(24,2), p.clv_high::numeric(24,2))
		AND ROW(c.recency_score, c.frequency_score, c.monetary_score, c.tenure_score, c.churn_score,
			c.value_score, (s.scores).p_alive)::clv_scores IS NOT DISTINCT FROM s.scores
		AND c.segment = coalesce(segment_assign(s.scores), '(none)')) AS as_the_verbs_say
FROM view_shop.customers c JOIN member m USING (country, customer_no) CROSS JOIN fitted f
JOIN (SELECT m.country, m.customer_no, rfmtc_score(m.history, f.model, '2020-12-31') OVER () AS scores
	  FROM member m, fitted f) s
	USING (country, customer_no),
	clv_predict(f.model, m.history, '1 year', 0.1, 0.5, level => 0.8) p
WHERE c.monetary IS NOT NULL;
SELECT bool_and(c.rating IS NOT DISTINCT FROM s.score
		   AND c.satisfaction = CASE WHEN s.score >= 9 THEN 'promoter' WHEN s.score >= 7 THEN 'passive'
		WHEN s.score IS NOT NULL THEN 'detractor' ELSE 'unknown' END
		AND c.value_segment = segment_assign(ROW(c.recency_score, c.frequency_score, c.monetary_score,
			c.tenure_score, c.churn_score, c.value_score, NULL)::clv_scores, 'value x satisfaction',
			jsonb_build_object('satisfaction', c.satisfaction))) AS latest_rating_of_the_day
FROM view_shop.customers c
LEFT JOIN survey s ON s.country = c.country AND s.customer_no = c.customer_no AND s.at = '2020-11-01 12:00+00'
WHERE c.value_score IS NOT NULL;

-- ---- segments and equity: sums over customers ----
SELECT bool_and(s.customers = c.n AND s.past_revenue = c.spent AND s.clv = c.clv AND s.lifetime_value = c.lifetime
		AND abs(s.active_customers - c.alive) < 1e-6 AND abs(s.mean_churn - c.churn) < 1e-6
			AND abs(s.mean_recency - c.recency) < 1e-6
		AND abs(s.expected_purchases - c.purchases) < 1e-6) AS segments,
	   bool_and(s.description = (SELECT min(p.description)
								 FROM clv_segment_map p
								 WHERE p.map = 'rfmtc' AND p.segment = s.segment)) AS described
FROM view_shop.segments s
JOIN (SELECT segment, count(*) AS n, sum(monetary) AS spent, sum(clv) AS clv, sum(lifetime_value) AS lifetime,
	sum(p_alive) AS alive, avg(churn) AS churn, avg(recency) AS recency, sum(expected_purchases) AS purchases
	FROM view_shop.customers GROUP BY 1) c USING (segment);
SELECT e.customers = (SELECT count(*) FROM view_shop.customers) AS customers,
	   e.clv = (SELECT sum(clv) FROM view_shop.segments) AS clv,
	   e.clv_low < e.clv AND e.clv < e.clv_high AND e.purchases_low < e.expected_purchases
	   AND e.expected_purchases < e.purchases_high AS inside,
	   abs(e.clv_low - t.value_low) < 0.006 AND abs(e.purchases_high - t.purchases_high) < 1e-6 AS as_the_verb_says,
	   e.as_of, e.horizon_days, e.interval_level, e.clv_change IS NULL AS first
FROM view_shop.equity e, (SELECT (clv_predict_total(f.model, m.history, '1 year', 0.1, 0.5, '2020-12-31', 0.8)).*
	FROM member m, fitted f) t;

SELECT bool_and(r.buyers = h.buyers AND r.purchases = h.purchases
	   AND r.revenue = coalesce(h.revenue, 0)) AS retention, count(*) > 30 AS months
FROM view_shop.cohort_retention r JOIN (
	SELECT date_trunc('month', b.first)::date AS cohort_month,
		   date_trunc('month', greatest(d.bought_on, b.first))::date AS month,
		   count(DISTINCT (d.country, d.customer_no)) FILTER (WHERE NOT given_back) AS buyers,
		   count(DISTINCT (d.country, d.customer_no, d.bought_on)) FILTER (WHERE NOT given_back) AS purchases,
		   sum(CASE WHEN given_back THEN -amount ELSE amount END) AS revenue
	FROM deal d
	JOIN by_hand b USING (country, customer_no)
	WHERE b.first IS NOT NULL GROUP BY 1, 2) h USING (cohort_month, month);
SELECT bool_and(retention = buyers::float8 / customers
		   AND age_months = (
			   12 * extract(year FROM age(month, cohort_month)) + extract(month FROM age(month, cohort_month)))
		AND complete) AS ages, sum(revenue) = (SELECT sum(spent) FROM by_hand WHERE first IS NOT NULL) AS all_revenue,
	   min(customers) FILTER (WHERE age_months = 0 AND buyers <> customers) IS NULL AS everybody_buys_in_his_first_month
FROM view_shop.cohort_retention;
SELECT sum(customers) = (SELECT count(*) FROM view_shop.customers) AS cohorts,
	   sum(clv) = (SELECT sum(clv) FROM view_shop.customers) AS worth
FROM view_shop.cohorts;

-- each month is the difference of two horizons (in money but for a cent of rounding a segment), and they add up to
-- the horizon
SELECT bool_and(abs(f.expected_purchases - h.n) < 1e-6
	   AND abs(f.expected_revenue - h.revenue) < 0.12) AS months, count(*) AS twelve
FROM view_shop.forecast f JOIN LATERAL (
	SELECT sum(clv_expected_purchases(t.model, m.history,
			   make_interval(days => f.period_end - date '2020-12-31'), '2020-12-31')
			   - clv_expected_purchases(t.model, m.history,
				   make_interval(days => f.period_start - 1 - date '2020-12-31'), '2020-12-31')) AS n,
		   sum((clv_expected_purchases(t.model, m.history,
			   make_interval(days => f.period_end - date '2020-12-31'), '2020-12-31')
			   - clv_expected_purchases(t.model, m.history,
				   make_interval(days => f.period_start - 1 - date '2020-12-31'), '2020-12-31'))
			   * clv_expected_spend(t.model, m.history, '2020-12-31')) AS revenue
	FROM member m, fitted t) h ON true
WHERE f.segment = '(all)' AND f.period_number < 12;
SELECT sum(expected_revenue) FILTER (WHERE segment = '(all)')
	   = (SELECT expected_revenue FROM view_shop.equity) AS horizon,
	   sum(expected_revenue) FILTER (WHERE segment = '(all)')
	   = sum(expected_revenue) FILTER (WHERE segment <> '(all)') AS segments,
	   max(period_end) AS until, count(DISTINCT month) AS months,
	   bool_and(cumulative_purchases_low <= cumulative_purchases AND cumulative_purchases <= cumulative_purchases_high
				AND cumulative_revenue_low <= cumulative_revenue
					AND cumulative_revenue <= cumulative_revenue_high) AS inside
FROM view_shop.forecast;
-- of so few customers none is left out of the sample: the intervals of a segment are exact
SELECT bool_and(abs(f.cumulative_purchases_high - t.purchases_high) < 1e-5
		   AND abs(f.cumulative_revenue_high - t.value_high) < 0.02) AS exact
FROM view_shop.forecast f
JOIN LATERAL (SELECT (clv_predict_total(t.model, m.history,
						 make_interval(days => f.period_end - date '2020-12-31'), 0, 1,
	'2020-12-31', 0.8)).*
	FROM member m
	JOIN view_shop.customers c USING (country, customer_no), fitted t
	WHERE c.segment = f.segment) t ON true
WHERE f.segment <> '(all)' AND f.period_number IN (3, 7);

-- Gini by its definition: the mean of the differences between any two, over twice the mean
SELECT bool_and(abs(l.gini - h.gini) < 1e-8) AS gini
FROM (SELECT DISTINCT basis, gini FROM view_shop.concentration) l JOIN (
	SELECT 'future value' AS basis, sum(abs(a.clv - b.clv)) / (2 * count(*) * avg(a.clv)) AS gini
	FROM view_shop.customers a, view_shop.customers b
	UNION ALL SELECT 'past revenue',
		sum(abs(greatest(a.monetary, 0) - greatest(b.monetary, 0)))
			/ (2 * count(*) * avg(greatest(a.monetary, 0)))
	FROM (SELECT coalesce(monetary, 0) AS monetary FROM view_shop.customers) a,
		 (SELECT coalesce(monetary, 0) AS monetary FROM view_shop.customers) b) h USING (basis);
SELECT basis, count(*) AS deciles, sum(customers) = (SELECT count(*) FROM view_shop.customers) AS all_customers,
	   max(cumulative_value_share) = 1 AND max(cumulative_customers_share) = 1 AS whole,
	   abs(sum(value_share) - 1) < 1e-9 AS shares
FROM view_shop.concentration GROUP BY 1 ORDER BY 1;
SELECT basis, count(*) AS points, bool_and(rises) AS rises FROM (SELECT basis, cumulative_value_share
	>= lag(cumulative_value_share, 1, 0) OVER (PARTITION BY basis ORDER BY percentile) AS rises
	FROM view_shop.lorenz) l GROUP BY 1 ORDER BY 1;

SELECT bool_and(l.p_alive < 0.5 AND abs(l.value_if_active - l.clv / l.p_alive::numeric) < 0.02
		   AND l.value_at_risk = l.value_if_active - l.clv) AS winback,
	   count(*) = (SELECT count(*) FROM view_shop.customers WHERE p_alive < 0.5 AND clv > 0) AS all_of_them,
	   bool_and(ordered) AS ordered
FROM (SELECT *, value_at_risk <= lag(value_at_risk, 1, 1e9) OVER (ORDER BY rank) + 0.02 AS ordered
	  FROM view_shop.winback) l;
SELECT array_agg(customer_key ORDER BY rank)
	   = (SELECT array_agg(customer_key ORDER BY next_purchase_value DESC, country, customer_no)
	FROM view_shop.customers WHERE next_purchase_value > 0) AS next_best FROM view_shop.next_best;
SELECT abs(n.max_acquisition_cost - v.max_acquisition_cost) < 0.011
	   AND n.max_acquisition_cost = n.first_purchase_value + n.repeat_value AS new_customer
FROM view_shop.new_customer n, fitted f, clv_new_customer(f.model, '1 year', 0.1, 0.5) v;

SELECT bool_and(p.customers = h.n AND abs(p.lift - (h.n::float8 / h.of_segment) / (h.of_value::float8 / h.base)) < 1e-9
		AND (p.z_score > 0) = (p.lift > 1)) AS profile, count(*) > 8 AS rows
FROM view_shop.profile p
JOIN (SELECT DISTINCT c.segment, d.channel AS value, count(*) OVER (PARTITION BY c.segment, d.channel) AS n,
	count(*) OVER (PARTITION BY c.segment) AS of_segment, count(*) OVER (PARTITION BY d.channel) AS of_value,
		count(*) OVER () AS base
	FROM view_shop.customers c JOIN person d USING (country, customer_no)) h USING (segment, value);
-- (5 - 2) / sqrt(16 / 11) of the hypergeometric distribution; nothing can vary, and counts that there cannot be
SELECT abs(clv_internal.clv_pipeline_z_score(5, 10, 20, 100) - 3 / sqrt(16 / 11.0::float8)) < 1e-15 AS z,
	   clv_internal.clv_pipeline_z_score(3, 3, 3, 3) AS all_of_them,
	   clv_internal.clv_pipeline_z_score(0, 0, 0, 0) AS absent,
	clv_internal.clv_pipeline_z_score(1, 1, 1, 1) AS one,
		clv_internal.clv_pipeline_z_score(1, 5, 9, 3) AS too_many,
		clv_internal.clv_pipeline_z_score(1, -1, 1, 9223372036854775807) AS fewer_than_none;
-- the lady tasting tea, 2 (16 + 1) / 70; one customer with a value that 29 of 2,000 have is no wonder, whatever z is
SELECT abs(clv_internal.clv_pipeline_chance(3, 4, 4, 8) - 34 / 70.0::float8) < 1e-14 AS tea,
	   abs(clv_internal.clv_pipeline_chance(1, 1, 29, 2000) - 0.029) < 1e-11 AS one,
	   clv_internal.clv_pipeline_z_score(1, 1, 29, 2000) > 3.29 AS far,
	   clv_internal.clv_pipeline_chance(60, 100, 800, 2000) < 0.001 AS many,
	   clv_internal.clv_pipeline_chance(3, 3, 3, 3) AS all_of_them,
	   clv_internal.clv_pipeline_chance(2, 5, 1, 9) AS too_many,
	   clv_internal.clv_pipeline_chance(0, 8, 2, 9) AS too_few;
BEGIN;
UPDATE view_shop_data.profile SET customers = 1, segment_customers = 2, value_customers = 1, base_customers = 300;
SELECT DISTINCT z_score > 3.29 AS far, significant FROM view_shop.profile;
UPDATE view_shop_data.profile SET customers = 60, segment_customers = 100, value_customers = 80;
SELECT DISTINCT z_score > 3.29 AS far, significant FROM view_shop.profile;
ROLLBACK;
SELECT bool_and(s.responses = h.n AND coalesce(abs(s.nps - (h.score).nps) < 1e-6, h.n = 0)) AS satisfaction
FROM view_shop.satisfaction s
JOIN (
	SELECT segment, count(rating) AS n, clv_nps(rating) AS score FROM view_shop.customers GROUP BY 1
	UNION ALL SELECT '(all)', count(rating), clv_nps(rating) FROM view_shop.customers) h USING (segment);
SELECT sum(customers) = (SELECT count(*) FROM view_shop.customers) AS value_segments FROM view_shop.value_segments;

SELECT bool_and(abs(c.predicted_purchases - h.predicted_purchases) < 1e-5
		   AND c.actual_purchases = h.actual_purchases) AS calibration
FROM view_shop.calibration c
JOIN clv_backtest_calibration('member', 'history', (SELECT min(holdout_start) FROM view_shop.calibration),
	(SELECT make_interval(days => min(holdout_end - holdout_start))
	 FROM view_shop.calibration)) h USING (repeat_purchases);
SELECT count(*) AS deciles, bool_and(converged) AS converged FROM view_shop.lift;
SELECT max(ends_on) <= '2020-12-31' AND sum(actual) > 500 AND bool_or(held_out)
	   AND NOT bool_and(held_out) AS tracking
FROM view_shop.tracking;
SELECT m.is_current, m.reason, m.purchase_model, m.converged, m.time_unit_days,
	   (SELECT count(*) FROM view_shop.model_parameters) AS parameters FROM view_shop.models m;

-- ---- the second refresh ----
INSERT INTO deal SELECT customer_no, country, '2021-01-05', 50, false FROM person WHERE customer_no LIKE '%7';
INSERT INTO deal VALUES ('someone new', 'AT', '2021-01-06', 20, false);
DELETE FROM deal WHERE customer_no = 'c1';
CREATE TABLE before AS SELECT country, customer_no, segment, clv FROM view_shop.customers;
CALL clv_refresh('view_shop', as_of => '2021-01-07');
SELECT bool_and(m.customers = h.n AND m.clv_before = h.before AND m.clv_after = h.after) AS migration,
	   sum(m.customers) FILTER (WHERE from_segment = '(new)') AS new,
	   sum(m.customers) FILTER (WHERE to_segment = '(gone)') AS gone,
	   bool_and(m.moved = (from_segment <> to_segment)) AS moved
FROM view_shop.migration m FULL JOIN (
	SELECT coalesce(b.segment, '(new)') AS from_segment, coalesce(c.segment, '(gone)') AS to_segment, count(*) AS n,
		   coalesce(sum(b.clv), 0) AS before, coalesce(sum(c.clv), 0) AS after
	FROM before b
	FULL JOIN view_shop.customers c USING (country, customer_no)
	GROUP BY 1, 2) h USING (from_segment, to_segment);
SELECT e.clv_change = n.clv - o.clv AS clv_change, e.previous_as_of, e.customers_change
FROM view_shop.equity e JOIN view_shop.equity_history n ON n.run = 2 JOIN view_shop.equity_history o ON o.run = 1;
SELECT run, as_of,
	   count(*) = (SELECT count(DISTINCT segment) FROM view_shop_data.segment s WHERE s.run = h.run) AS whole
FROM view_shop.segment_history h GROUP BY 1, 2 ORDER BY 1;
SELECT run, is_current, status, mode, as_of, steps_done, note FROM view_shop.runs ORDER BY run;
SELECT r.total_revenue = (SELECT sum(CASE WHEN given_back THEN -amount ELSE amount END) FROM deal) AS to_the_cent
FROM view_shop.runs r WHERE is_current;

-- ---- every view has plain types and comments ----
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = 'view_shop'
  AND (data_type NOT IN ('smallint', 'integer', 'bigint', 'double precision', 'boolean', 'date',
	'timestamp with time zone', 'character varying', 'numeric',
		'text') OR data_type = 'numeric' AND numeric_scale IS DISTINCT FROM 2
	OR data_type = 'text' AND column_name NOT IN ('customer_no', 'country')) ORDER BY 1, 2;
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0
WHERE c.relnamespace = 'view_shop'::regnamespace AND col_description(c.oid, a.attnum) IS NULL;
SELECT count(*) AS without_comment
FROM pg_class
WHERE relnamespace = 'view_shop'::regnamespace AND obj_description(oid, 'pg_class') IS NULL;
SELECT count(*) AS things, bool_and(relkind = 'v') AS views_only
FROM pg_class WHERE relnamespace = 'view_shop'::regnamespace;

-- ---- cents: as the cast rounds, halves of doubles aside; what is no number is NULL ----
SELECT count(*) AS apart FROM (SELECT sin(i) * 10.0::float8 ^ (i % 11) AS x FROM generate_series(1, 20000) i) q
WHERE clv_internal.clv_cents(x) IS DISTINCT FROM x::numeric(24,2) AND abs(100 * x - floor(100 * x) - 0.5) > 2e-3;
SELECT clv_internal.clv_cents(2.5) AS whole, clv_internal.clv_cents(-0.126) AS below,
	   clv_internal.clv_cents(1.25e20) AS large, clv_internal.clv_cents('NaN') AS nan,
	   clv_internal.clv_cents('-Infinity') AS infinite, clv_internal.clv_cents(NULL) AS missing;

CALL clv_drop_pipeline('view_shop');
SELECT count(*) AS left_behind FROM pg_namespace WHERE nspname LIKE 'view_shop%';
DROP TABLE deal, person, survey, by_hand, member, fitted, before;
