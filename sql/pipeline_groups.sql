-- Pipelines with a model for each group: against fits by hand, pooled by clv_pool(), and sums over groups
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SET datestyle = 'ISO';
\set SHOW_CONTEXT never
CREATE SCHEMA pipeline_groups;
SET search_path = pipeline_groups, public;

-- ---- twelve countries of 20 to 300 customers, one of three without a second purchase, one unknown ----
CREATE TABLE truth AS
SELECT
	g,
	(20 * exp(ln(15) * (g - 1) / 11.0))::int AS customers,
	clv_model('mbg/nbd', jsonb_build_object('r', 0.6 * exp(0.3 * sin(g * 1.3)), 'alpha', 6 * exp(0.3 * cos(g * 2.1)),
		'a', 0.8 * exp(0.3 * sin(g * 2.9)), 'b', 1.8 * exp(0.3 * cos(g * 3.7))), '1 week')
		|| clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}') AS model
FROM generate_series(1, 12) g;
CREATE TABLE sale AS
SELECT
	(1000 * g + customer)::int AS customer,
	nullif('country ' || g, 'country 5') AS country,
	day,
	amount,
	timestamptz '2022-07-01' AS written
FROM truth, clv_simulate(model, customers, '2021-01-01', '2022-06-30', g);
INSERT INTO sale
SELECT 90000 + c, 'tiny', date '2022-01-01' + 40 * c, 20, '2022-07-01' FROM generate_series(1, 3) c;
-- of two countries: the one of the latest purchase, a return is none
INSERT INTO sale
VALUES (90010, 'country 3', '2021-03-01', 30, '2022-07-01'), (90010, 'country 4', '2022-02-01', 30, '2022-07-01'),
	(90010, 'country 3', '2022-02-20', -30, '2022-07-01');

CREATE FUNCTION near(a float8, b float8, within float8) RETURNS bool LANGUAGE sql
RETURN a IS NOT DISTINCT FROM b OR abs(a - b) <= within * greatest(abs(a), abs(b));

CALL clv_create_pipeline('gr', 'sale', 'customer', 'day', 'amount', group_by => 'Country', changed_at => 'written',
	overlap => '0 days');
CALL clv_refresh('gr');
SELECT status, note FROM gr.runs;

-- ---- each group has the model that it has by hand ----
CREATE TABLE history AS
SELECT
	customer,
	coalesce((array_agg(country ORDER BY day DESC) FILTER (WHERE amount > 0))[1], '(none)') AS country,
	clv_history(day, amount) AS history
FROM sale
GROUP BY customer;
SET client_min_messages = error;
CREATE TABLE prior AS
SELECT clv_pool(model) AS prior
FROM (
	SELECT clv_fit(history, clv_options(as_of => '2022-06-30', too_few => 'null')) AS model
	FROM history
	GROUP BY country
) m;
CREATE TABLE fit AS
SELECT country, clv_fit(history, clv_options(as_of => '2022-06-30', prior => prior)) AS model
FROM history, prior
GROUP BY country;
SET client_min_messages = warning;
SELECT count(*) AS groups, every(m.model::text = f.model::text) AS same
FROM gr_data.model m
FULL JOIN fit f ON f.country = m.group_name
WHERE m.group_name IS DISTINCT FROM '';
SELECT m.model::text = (SELECT clv_fit(history, clv_options(as_of => '2022-06-30'))::text FROM history) AS of_all,
	m.prior = p.prior AS prior
FROM gr_data.model m, prior p
WHERE m.group_name = '';
SELECT count(*) AS rows, count(group_name) AS of_groups, bool_and(is_current) AS current,
	bool_and((prior_distance IS NULL) = (group_name IS NULL)) AS distances
FROM gr.models;
SELECT group_name, customers, effective_parameters BETWEEN 0 AND 4 AS effective, prior_distance < 3 AS distance
FROM gr.groups
WHERE group_name IN ('(none)', 'tiny', 'country 12')
ORDER BY 1;
SELECT count(DISTINCT group_name) AS groups, count(*) AS parameters
FROM gr.model_parameters WHERE group_name IS NOT NULL;

-- ---- and its customers are predicted with it ----
SELECT
	count(*) AS customers,
	every(c.group_name = h.country) AS groups,
	every(near(c.p_alive, clv_p_alive(f.model, h.history, '2022-06-30'), 1e-12)) AS alive,
	every(near(c.expected_purchases, p.expected_purchases, 1e-12)) AS purchases,
	every(abs(c.clv - p.clv) < 0.00501) AS clv,
	every(c.next_purchase IS NOT DISTINCT FROM clv_next_purchase(f.model, h.history, 0.5, '2022-06-30')) AS next,
	every(near(c.active_30d, clv_active_probability(f.model, h.history, '30 days', '2022-06-30'), 1e-12)) AS active,
	every(c.reason = (clv_explain(f.model, h.history, '2022-06-30')).reason) AS reasons
FROM gr.customers c
JOIN history h USING (customer)
JOIN fit f USING (country)
CROSS JOIN LATERAL clv_predict(f.model, h.history, '1 year', 0, 1, '2022-06-30') p;
SELECT customer, group_name, frequency FROM gr.customers WHERE customer = 90010;
SELECT every(a.reason = c.reason AND a.group_name = c.group_name) AS alerts
FROM gr.alerts a
JOIN gr.customers c USING (customer);
SELECT every(a.reason = c.reason AND a.group_name = c.group_name) AS conversations
FROM gr.conversations a
JOIN gr.customers c USING (customer);
SELECT count(*) AS groups,
	every(near(g.max_acquisition_cost::float8, n.first_purchase_value + n.repeat_value, 1e-3)) AS costs
FROM gr.groups g
JOIN fit f ON f.country = g.group_name
CROSS JOIN LATERAL clv_new_customer(f.model, '1 year') n;

-- ---- groups add up: to the customers, to segments, cohorts, equity and forecast ----
SELECT
	count(*) AS groups,
	every(g.customers = c.customers) AS customers,
	every(near(g.expected_purchases, c.purchases, 1e-8)) AS purchases,
	every(g.clv = c.clv) AS clv,
	every(abs(g.past_revenue - c.revenue) < 0.00501 * c.customers) AS revenue
FROM gr.groups g
JOIN (
	SELECT group_name, count(*) AS customers, sum(expected_purchases) AS purchases, sum(clv) AS clv,
		sum(monetary) AS revenue
	FROM gr.customers
	GROUP BY 1
) c USING (group_name);
SELECT sum(g.customers) = min(e.customers) AS customers, sum(g.clv) = min(e.clv) AS clv,
	near(sum(g.expected_purchases), min(e.expected_purchases), 1e-8) AS purchases
FROM gr.groups g, gr.equity e;
SELECT count(*) > 5 AS segments, every(s.customers = g.customers AND s.clv = g.clv) AS same
FROM gr.segments s
FULL JOIN (SELECT segment, sum(customers) AS customers, sum(clv) AS clv FROM gr.group_segments GROUP BY 1) g
	USING (segment);
SELECT count(*) AS cohorts, every(s.customers = g.customers AND s.clv = g.clv) AS same
FROM gr.cohorts s
FULL JOIN (SELECT cohort_month, sum(customers) AS customers, sum(clv) AS clv FROM gr.group_cohorts GROUP BY 1) g
	USING (cohort_month);
SELECT count(*) AS periods, every(near(f.expected_purchases, g.purchases, 1e-7)) AS purchases,
	every(abs(f.expected_revenue - g.revenue) < 0.1) AS revenue,
	every(near(f.cumulative_purchases_high, g.high, 1e-7)) AS high
FROM gr.forecast f
FULL JOIN (
	SELECT
		period_number,
		sum(expected_purchases) AS purchases,
		sum(expected_revenue) AS revenue,
		sum(cumulative_purchases) + sqrt(sum((cumulative_purchases_high - cumulative_purchases) ^ 2)) AS high
	FROM gr.group_forecast
	GROUP BY 1
) g USING (period_number)
WHERE f.segment = '(all)';
SELECT count(*) AS periods, every(near(f.purchases, a.expected_purchases, 1e-7)) AS segments_add_up
FROM (SELECT period_number, sum(expected_purchases) AS purchases FROM gr.forecast WHERE segment <> '(all)' GROUP BY 1) f
JOIN gr.forecast a USING (period_number)
WHERE a.segment = '(all)';
SELECT count(*) AS groups, every(near(f.cumulative_purchases, g.expected_purchases, 1e-7)) AS horizon
FROM gr.groups g
JOIN (
	SELECT DISTINCT ON (group_name) group_name, cumulative_purchases
	FROM gr.group_forecast
	ORDER BY group_name, period_number DESC
) f USING (group_name);

-- limits of the months between those that are computed: within two hundredths of what each segment says
SELECT clv_internal.clv_pipeline_limited(13, true) AS limited, clv_internal.clv_pipeline_limited(4, false) AS every,
	clv_internal.clv_pipeline_between(3, 2, 2 * 2 + 5 * 4, 7, 2 * 7 + 5 * 49) AS square,
	clv_internal.clv_pipeline_between(2, 2, 24, 2, 24) AS same,
	clv_internal.clv_pipeline_between(3, 0, 0, 4, 8) AS from_nothing;
WITH part AS (
	SELECT f.group_name, f.period_number,
		clv_predict_total(m.model, h.history, make_interval(days => f.period_end - date '2022-06-30'), 0, 1,
			'2022-06-30', 0.9) AS t
	FROM gr.group_forecast f
	JOIN gr.customers c USING (group_name)
	JOIN history h ON h.customer = c.customer
	JOIN fit m ON m.country = f.group_name
	WHERE f.group_name IN ('country 7', 'country 12') AND f.period_number IN (4, 6, 8, 10)
	GROUP BY f.group_name, f.period_number, c.segment
), width AS (
	SELECT group_name, period_number,
		sqrt(sum(((t).purchases_high - (t).expected_purchases) ^ 2
				- ((t).purchases_mean_high - (t).expected_purchases) ^ 2)
			+ sum((t).purchases_mean_high - (t).expected_purchases) ^ 2) AS purchases,
		sqrt(sum(((t).value_high - (t).expected_value) ^ 2 - ((t).value_mean_high - (t).expected_value) ^ 2)
			+ sum((t).value_mean_high - (t).expected_value) ^ 2) AS revenue
	FROM part
	GROUP BY 1, 2
)
SELECT f.group_name, f.period_number,
	near(f.cumulative_purchases_high - f.cumulative_purchases, w.purchases,
		CASE period_number WHEN 6 THEN 1e-7 ELSE 0.02 END) AS purchases,
	near(f.cumulative_revenue_high::float8 - f.cumulative_revenue::float8, w.revenue,
		CASE period_number WHEN 6 THEN 1e-3 ELSE 0.02 END) AS revenue
FROM gr.group_forecast f
JOIN width w USING (group_name, period_number)
ORDER BY 1, 2;

-- limits are those of clv_predict_total by group, and of clv_totals over them
CREATE TABLE total AS
SELECT country, clv_predict_total(model, history, '1 year', 0, 1, '2022-06-30', 0.9) AS total
FROM history
JOIN fit USING (country)
GROUP BY country;
SELECT every(near(g.purchases_low, (t.total).purchases_low, 1e-6)) AS low,
	every(near(g.purchases_high, (t.total).purchases_high, 1e-6)) AS high,
	every(near(g.clv_high::float8, (t.total).value_high, 1e-4)) AS value
FROM gr.groups g
JOIN total t ON t.country = g.group_name;
SELECT near(e.purchases_low, (t.all).purchases_low, 1e-6) AS low,
	near(e.purchases_high, (t.all).purchases_high, 1e-6) AS high,
	near(e.clv_low::float8, (t.all).value_low, 1e-4) AS value_low,
	near(e.clv_high::float8, (t.all).value_high, 1e-4) AS value_high
FROM gr.equity e, (SELECT clv_totals(total) AS all FROM total) t;

-- ---- scores among all customers, and within groups ----
CREATE TABLE measure AS
SELECT h.customer, h.country, (m.r).*, p.expected_revenue AS value
FROM history h
JOIN fit f USING (country)
CROSS JOIN LATERAL (SELECT rfmtc(h.history, '2022-06-30', f.model) AS r) m
CROSS JOIN LATERAL clv_predict(f.model, h.history, '1 year', 0, 1, '2022-06-30') p;
CREATE FUNCTION scored(value float8, limits float8[]) RETURNS int LANGUAGE sql
RETURN 1 + (SELECT count(*) FROM unnest(limits) l WHERE l < value - 1e-9 * abs(value));
SELECT
	every(c.recency_score = 6 - scored(m.recency, l.r)) AS r,
	every(c.frequency_score = scored(m.frequency, l.f)) AS f,
	every(c.monetary_score = scored(m.monetary::float8, l.m)) AS m,
	every(c.tenure_score = scored(m.tenure, l.t)) AS t,
	every(c.churn_score = 6 - scored(m.churn, l.c)) AS c,
	every(c.value_score = scored(m.value, l.v)) AS v
FROM gr.customers c
JOIN measure m USING (customer)
CROSS JOIN (
	SELECT
		percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY recency) AS r,
		percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY frequency) AS f,
		percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY monetary::float8) AS m,
		percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY tenure) AS t,
		percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY churn) AS c,
		percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY value) AS v
	FROM measure
) l;
CALL clv_alter_pipeline('gr', score_within => 'group');
CALL clv_refresh('gr');
SELECT split_part(note, ';', 1) AS note FROM gr.runs WHERE is_current;
SELECT count(*) AS customers,
	count(*) FILTER (WHERE (c.recency_score, c.frequency_score, c.monetary_score, c.tenure_score, c.churn_score,
		c.value_score) = (s.r, s.f, s.m, s.t, s.c, s.v)) AS same
FROM gr.customers c
JOIN (
	SELECT q.customer, (rfmtc_score(q.history, q.cuts, '2022-06-30')).*
	FROM (
		SELECT h.customer, h.history, k.cuts
		FROM history h
		JOIN (
			SELECT country, rfmtc_cuts(history, '2022-06-30', model) AS cuts
			FROM history JOIN fit USING (country) GROUP BY country
		) k USING (country)
	) q
) s USING (customer);
-- thresholds of one's own are the same for all groups, numbers of bins are filled within each
CALL clv_alter_pipeline('gr', cuts => '{"r": [30, 90, 180, 365], "f": 3}',
	map => '[{"segment": "fresh", "r": [5]}, {"segment": "other"}]');
CALL clv_refresh('gr');
SELECT every(c.recency_score = 5 - (recency > 30)::int - (recency > 90)::int - (recency > 180)::int
		- (recency > 365)::int) AS limits,
	every(c.frequency_score = 1 + (c.frequency > f.limits[1])::int + (c.frequency > f.limits[2])::int) AS bins,
	every(c.segment = CASE WHEN c.recency_score = 5 THEN 'fresh' ELSE 'other' END) AS segments
FROM gr.customers c
JOIN (
	SELECT group_name, percentile_cont(ARRAY[1 / 3.0::float8, 2 / 3.0]) WITHIN GROUP (ORDER BY frequency) AS limits
	FROM gr.customers
	GROUP BY 1
) f USING (group_name);
CALL clv_alter_pipeline('gr', score_within => 'all', map => 'rfmtc', "reset" => '{cuts}');

-- ---- refreshes of touched customers: a customer moves, a group appears, the models are kept ----
CALL clv_refresh('gr');
CREATE TABLE before AS SELECT group_name, model::text AS model, cuts::jsonb - 'model' AS cuts
FROM gr_data.model WHERE run = (SELECT run FROM gr_data.state);
INSERT INTO sale
VALUES (90010, 'country 3', '2022-06-25', 30, '2022-07-02'),
	(90001, NULL, '2022-06-27', 10, '2022-07-02'),
	(90020, 'new land', '2022-06-28', 10, '2022-07-02');
CALL clv_refresh('gr');
SELECT mode, split_part(note, ';', 2) AS note FROM gr.runs WHERE is_current;
SELECT customer, group_name FROM gr.customers WHERE customer IN (90001, 90010, 90020) ORDER BY 1;
SELECT count(*) FILTER (WHERE m.model::text = b.model AND m.cuts::jsonb - 'model' = b.cuts) AS kept,
	string_agg(m.group_name, ', ') FILTER (WHERE b.model IS NULL) AS new
FROM gr_data.model m
LEFT JOIN before b USING (group_name)
WHERE m.run = (SELECT r.model_run FROM gr_data.run r JOIN gr_data.state USING (run));
SELECT group_name, reason, customers, effective_parameters < 1 AS like_others
FROM gr.models
WHERE group_name = 'new land';
-- as long as the run that found it is not published, no view shows it
BEGIN;
UPDATE gr_data.state SET run = run - 1;
SELECT (SELECT count(*) FROM gr.models WHERE group_name = 'new land') AS models,
	(SELECT count(*) FROM gr.model_parameters WHERE group_name = 'new land') AS parameters,
	(SELECT count(DISTINCT group_name) FROM gr.model_parameters) AS others;
ROLLBACK;
SELECT count(*) AS parameters FROM gr.model_parameters WHERE group_name = 'new land';
SELECT m.model::text = clv_fit(h.history, clv_options(as_of => '2022-06-30', prior => a.prior))::text
	AS prior_of_the_kept
FROM gr_data.model m
JOIN gr_data.model a ON a.run = m.run AND a.group_name = ''
CROSS JOIN (SELECT clv_history('2022-06-28', 10) AS history) h
WHERE m.group_name = 'new land'
GROUP BY m.model::text, a.prior;
SELECT g.customers, g.max_acquisition_cost > 0 AS cost FROM gr.groups g WHERE group_name = 'new land';
SELECT sum(g.customers) = min(e.customers) AS customers, sum(g.clv) = min(e.clv) AS clv FROM gr.groups g, gr.equity e;
-- a full refresh finds the same groups
CREATE TABLE incremental AS SELECT * FROM gr_data.member;
CALL clv_refresh('gr', 'full');
SELECT count(*) AS customers, every(m.group_name = i.group_name) AS same
FROM gr_data.member m
FULL JOIN incremental i USING (customer);
-- by drift: nobody buys for half a year, and then models are new
CALL clv_alter_pipeline('gr', refit => 'drift');
CALL clv_refresh('gr', as_of => '2022-07-03');
SELECT split_part(note, ';', 1) AS note FROM gr.runs WHERE is_current;
CALL clv_refresh('gr', as_of => '2022-12-31');
SELECT split_part(note, ';', 1) ~ '^model fitted: drift: 0 purchases since 2022-06-30, \d+ expected$' AS drift
FROM gr.runs WHERE is_current;
-- many customers move, so that all histories are made anew
UPDATE sale SET country = 'country 11', written = '2023-01-01' WHERE country = 'country 12' AND customer % 4 > 0;
CALL clv_refresh('gr');
SELECT mode, touched > histories / 10 AS many FROM gr.runs WHERE is_current;
SELECT count(*) FILTER (WHERE customer % 4 > 0) AS moved, count(*) > 0 AS stayed
FROM gr.customers
WHERE group_name = 'country 12';
UPDATE sale SET country = 'country 12' WHERE customer / 1000 = 12;
-- a customer is forgotten, their group too
SELECT count(*) AS of_tables FROM gr_data.member WHERE customer = 90020;
DELETE FROM sale WHERE customer = 90020;
CALL clv_forget('gr', 90020);
SELECT count(*) AS of_tables FROM gr_data.member WHERE customer = 90020;

-- ---- without groups again: as if there never were any ----
CALL clv_create_pipeline('pl', 'sale', 'customer', 'day', 'amount');
CALL clv_refresh('pl');
CALL clv_alter_pipeline('gr', refit => 'auto', "reset" => '{group_by,changed_at}');
CALL clv_refresh('gr');
SELECT count(*) AS groups FROM gr.groups;
SELECT (SELECT count(*) FROM (
		SELECT customer, p_alive, clv, segment, value_score, group_name FROM gr.customers
		EXCEPT SELECT customer, p_alive, clv, segment, value_score, NULL FROM pl.customers) d) AS different,
	(SELECT count(*) FROM pl.group_segments) + (SELECT count(*) FROM pl.group_cohorts)
		+ (SELECT count(*) FROM pl.group_forecast) AS of_groups;
CALL clv_alter_pipeline('pl', group_by => 'country');
CALL clv_refresh('pl');
SELECT count(*) AS groups, sum(customers) = (SELECT count(*) FROM pl.customers) AS all FROM pl.groups;

-- ---- groups of attributes, a family for all, without money, a prior of one's own, and one that says nothing ----
CREATE TABLE attribute AS
SELECT customer, CASE WHEN customer % 10 < 6 THEN 'web' WHEN customer % 10 < 9 THEN 'shop' END AS channel FROM history;
DELETE FROM attribute WHERE customer = 12001;
CALL clv_create_pipeline('at', 'sale', 'customer', 'day', model => 'auto', attribute_source => 'attribute',
	attributes => 'channel', group_by => 'channel');
CALL clv_refresh('at');
SELECT note ~ 'chosen by the log score of a hold-out.*models of groups: 3$' AS noted FROM at.runs;
SELECT count(DISTINCT purchase_model) AS families, count(spend_model) AS spend, count(*) AS models FROM at.models;
SELECT group_name, customers, clv, expected_purchases > 0 AS purchases FROM at.groups ORDER BY 1;
SELECT customer, group_name FROM at.customers WHERE customer IN (12001, 12003, 12008, 12009) ORDER BY 1;
SELECT clv_options(prior => prior) AS options FROM prior \gset
CALL clv_create_pipeline('ow', 'sale', 'customer', 'day', 'amount', group_by => 'country', options => :'options');
CALL clv_refresh('ow');
SELECT count(*) AS groups, every(m.model::text = f.model::text) AS as_by_clv_pool
FROM ow_data.model m
JOIN fit f ON f.country = m.group_name
WHERE m.group_name NOT IN ('(none)', 'tiny', 'country 3', 'country 4');
CALL clv_create_pipeline('si', 'sale', 'customer', 'day', 'amount', group_by => 'country',
	filter => $$country = 'country 12'$$);
CALL clv_refresh('si');
SELECT note ~ 'models of groups: 1; not pooled: ' AS noted, regexp_replace(note, '^.*pooled: ', '') AS why FROM si.runs;
SELECT count(DISTINCT model::text) AS models, count(*) AS rows FROM si_data.model;
CALL clv_create_pipeline('yr', 'sale', 'customer', 'day', 'amount', group_by => 'country', horizon => '360 days',
	options => clv_options(model => 'bg/bb', time_unit => '30 days'));
CALL clv_refresh('yr');
SELECT status, count(*) AS groups, near(sum(expected_purchases), min(e), 1e-8) AS purchases
FROM yr.runs, yr.groups, (SELECT expected_purchases AS e FROM yr.equity) e
GROUP BY 1;

-- ---- what is refused ----
\set ON_ERROR_STOP 0
\set VERBOSITY default
CALL clv_create_pipeline('no', 'sale', 'customer', 'day', group_by => 'land');
CALL clv_create_pipeline('no', 'sale', 'customer', 'day', group_by => 'land', attribute_source => 'attribute',
	attributes => 'channel');
CALL clv_create_pipeline('no', 'sale', 'customer', 'day', group_by => 'customer');
CALL clv_create_pipeline('no', 'sale', 'customer', 'day', group_by => 'country', score_within => 'country');
CALL clv_create_pipeline('no', 'sale', 'customer', 'day', group_by => 'country', score_within => NULL);
CALL clv_create_pipeline('no', 'sale', 'customer', 'day', group_by => 'country', season => 'auto');
CALL clv_create_pipeline('no', 'sale', 'customer', 'day', group_by => 'country',
	options => clv_options(trend => 'auto'));
CREATE VIEW numbered AS SELECT *, customer % 5001 AS number FROM sale
UNION ALL SELECT n, NULL, '2022-01-01', 1, NULL, n FROM generate_series(1, 5001) n;
CALL clv_create_pipeline('no', 'numbered', 'customer', 'day', group_by => 'number');
CALL clv_refresh('no');
SELECT status, error_code FROM no.runs;

SELECT format('CALL clv_drop_pipeline(%L)', name) FROM clv_pipelines
WHERE name IN ('gr', 'pl', 'at', 'ow', 'si', 'yr', 'no')
ORDER BY 1 \gexec
DROP SCHEMA pipeline_groups CASCADE;
