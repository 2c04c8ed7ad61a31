-- What people act on: columns, alerts, conversations and the check of pipelines, against the functions over histories.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE SCHEMA pipeline_actions;
SET search_path = pipeline_actions, public;

CREATE TABLE truth AS
SELECT clv_model('mbg/nbd', '{"r": 0.5248, "alpha": 6.183, "a": 0.8914, "b": 1.614}', '1 week')
	|| clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS model;
CREATE TABLE sale AS
SELECT customer AS customer_id, day, round(amount::numeric, 2) AS amount
FROM truth, clv_simulate(model, 800, '2020-01-01', '2021-12-31', 7);
CREATE TABLE survey AS SELECT i AS customer_id, i % 11 AS rating FROM generate_series(1, 800, 3) i;
CALL clv_create_pipeline('act', 'sale', 'customer_id', 'day', 'amount', margin => 0.4, rating_source => 'survey',
	rating => 'rating', list_size => 50);
CALL clv_refresh('act');
SELECT run_steps.step FROM act.run_steps WHERE step IN ('profile', 'check', 'validation') ORDER BY step_number;

-- ---- the columns, as the functions have them ----
CREATE TABLE member AS SELECT customer_id, clv_history(day, amount) AS history FROM sale GROUP BY 1;
CREATE TABLE fitted AS SELECT clv_fit(history, clv_options(as_of => '2021-12-31')) AS model FROM member;
SELECT count(*) AS customers,
	   bool_and(c.active_30d = clv_active_probability(model, history, '30 days')) AS active_30d,
	   bool_and(c.active_90d = clv_active_probability(model, history, '90 days')) AS active_90d,
	   bool_and(c.next_purchase IS NOT DISTINCT FROM clv_next_purchase(model, history)) AS next_purchase,
	   bool_and(c.lapse_date IS NOT DISTINCT FROM clv_lapse_date(model, history)) AS lapse_date,
	   bool_and(c.mean_gap IS NOT DISTINCT FROM clv_mean_gap(history)) AS mean_gap,
	   bool_and(c.mean_spend = clv_internal.clv_cents(clv_mean_spend(history))) AS mean_spend,
	   bool_and(c.total_value = round(c.monetary * 0.4 + c.clv, 2)) AS total_value,
	   bool_and(c.reason = (clv_explain(model, history)).reason) AS reason
FROM act.customers c JOIN member USING (customer_id), fitted;
-- lists are the first of all customers who qualify, also where these are more, or fewer, than the list holds
CREATE VIEW in_order AS
SELECT 'winback' AS list, c.customer_id, row_number() OVER (
	ORDER BY clv_internal.clv_double(c.clv) / c.p_alive * (1 - c.p_alive) DESC, c.customer_id) AS rank
FROM act.customers c
WHERE c.p_alive < 0.5 AND c.p_alive > 0 AND c.clv > 0
UNION ALL
SELECT 'next_best', c.customer_id, row_number() OVER (ORDER BY c.next_purchase_value DESC, c.customer_id)
FROM act.customers c
WHERE c.next_purchase_value > 0
UNION ALL
SELECT 'alerts', c.customer_id, row_number() OVER (ORDER BY c.clv DESC, c.customer_id)
FROM act.customers c
WHERE c.lapse_date > '2021-12-31' AND c.lapse_date <= '2022-01-30';
CREATE VIEW listed AS
SELECT 'winback' AS list, customer_id, rank FROM act.winback
UNION ALL SELECT 'next_best', customer_id, rank FROM act.next_best
UNION ALL SELECT 'alerts', customer_id, rank FROM act.alerts;
CREATE VIEW lists AS
SELECT list, count(*) AS qualify, count(l.rank) AS listed, bool_and(o.rank <= s.size AND l.rank IS NOT NULL
	OR o.rank > s.size AND l.rank IS NULL) AS the_first
FROM in_order o
LEFT JOIN listed l USING (list, customer_id, rank)
CROSS JOIN (SELECT list_size AS size FROM act_data.pipeline) s
GROUP BY list;
TABLE lists ORDER BY list;
CALL clv_alter_pipeline('act', list_size => 3);
CALL clv_refresh('act');
TABLE lists ORDER BY list;
CALL clv_alter_pipeline('act', list_size => 0);
CALL clv_refresh('act');
SELECT count(*) AS listed FROM listed;
CALL clv_alter_pipeline('act', list_size => 5000);
CALL clv_refresh('act');
TABLE lists ORDER BY list;
CALL clv_alter_pipeline('act', list_size => 50);
CALL clv_refresh('act');
-- of more customers only these are looked at
BEGIN;
SELECT clv_internal.clv_pipeline_keep_listed(clv_internal.clv_pipeline_read('act'), s.run, 'false'::text) AS made
FROM act_data.state s;
SELECT count(*) AS in_lists, count(k.customer_id) AS kept,
	(SELECT count(*) FROM act_data.listed) <= count(*) AS no_others
FROM in_order o
LEFT JOIN act_data.listed k USING (customer_id)
WHERE o.rank <= 50;
ROLLBACK;
DROP VIEW lists, listed, in_order;
-- P(alive) crosses one half on the lapse date, and not the day before
SELECT count(*) AS of_customers, bool_and(clv_p_alive(model, history, c.lapse_date) < 0.5
		AND clv_p_alive(model, history, c.lapse_date - 1) >= 0.5) AS crosses
FROM act.customers c JOIN member USING (customer_id), fitted WHERE c.lapse_date > '2021-12-31';
-- ranks, counted one by one: equal customers share one, whatever the order of the rows
WITH ranked AS (SELECT c.*, (SELECT count(*) FROM act.customers o WHERE o.clv < c.clv) AS below,
				   (SELECT count(*) FROM act.customers o WHERE o.clv <= c.clv) AS up_to,
				   percent FROM act.customers c,
				   (SELECT percentile_disc('{0.1,0.7}'::float8[]) WITHIN GROUP (ORDER BY clv) AS percent
					FROM act.customers) p)
SELECT bool_and(value_percentile BETWEEN floor(100.0 * below / 800) - 1 AND floor(100.0 * up_to / 800)) AS percentile,
	   bool_and(tier = CASE WHEN clv > percent[2] THEN 'high' WHEN clv <= percent[1] THEN 'low' ELSE 'medium' END)
		   AS tier,
	   bool_and(tier = CASE WHEN value_percentile >= 70 THEN 'high' WHEN value_percentile < 10 THEN 'low'
						   ELSE 'medium' END) AS same,
	   count(*) FILTER (WHERE tier = 'high') AS high, count(*) FILTER (WHERE tier = 'low') AS low
FROM ranked;

-- ---- alerts: who lapses in the next 30 days, the most valuable first ----
WITH due AS (SELECT customer_id, row_number() OVER (ORDER BY clv DESC, customer_id) AS rank
			 FROM act.customers WHERE lapse_date BETWEEN '2022-01-01' AND '2022-01-30')
SELECT count(*) AS due, (SELECT count(*) FROM act.alerts) AS listed, count(a) = least(count(*), 50) AS same,
	   bool_and(a.p_alive >= 0.5) AS still_active,
	   bool_and(a.reason_code = (clv_explain(model, m.history)).code) AS codes,
	   bool_and(a.reason = (clv_explain(model, m.history)).reason) AS reasons
FROM due d JOIN member m USING (customer_id) CROSS JOIN fitted
LEFT JOIN act.alerts a ON a.customer_id = d.customer_id AND a.rank = d.rank;

-- ---- conversations: two by value and one by chance of each segment and class; the same again on the same day ----
CREATE TABLE before AS SELECT * FROM act.conversations;
WITH class AS (SELECT segment, satisfaction, count(*) AS there,
				   max(clv) AS most FROM act.customers GROUP BY 1, 2),
	 told AS (SELECT segment, satisfaction, count(*) FILTER (WHERE chosen_by = 'value') AS by_value,
				  count(*) FILTER (WHERE chosen_by = 'chance') AS by_chance, max(clv) AS most
			  FROM act.conversations GROUP BY 1, 2)
SELECT count(*) AS classes, bool_and(by_value = least(there, 2)) AS by_value,
	   bool_and(by_chance = least(greatest(there - 2, 0), 1)) AS by_chance,
	   bool_and(t.most = c.most) AS the_most_valuable
FROM class c LEFT JOIN told t USING (segment, satisfaction);
SELECT count(*) = count(DISTINCT customer_id) AS once, bool_and(proposed_on = '2021-12-31') AS day,
	   bool_and(reason <> '' AND reason_code <> '') AS reasons FROM before;
CALL clv_refresh('act');
SELECT count(*) AS other_than_before
FROM (TABLE before EXCEPT TABLE act.conversations UNION (TABLE act.conversations EXCEPT TABLE before)) q;
-- on another day others, until a year has passed
CALL clv_refresh('act', as_of => '2021-12-20');
SELECT count(*) > 30 AS some, count(b) AS twice FROM act.conversations c LEFT JOIN before b USING (customer_id);
CALL clv_refresh('act', as_of => '2022-12-31');
SELECT count(*) > 10 AS some, count(b) > 0 AS again FROM act.conversations c LEFT JOIN before b USING (customer_id);
SELECT count(*) FILTER (WHERE proposed_on = '2021-12-31') AS old FROM act_data.conversation;
CALL clv_refresh('act');

-- ---- a customer who is forgotten is in none of them ----
SELECT customer_id AS whom FROM act.conversations ORDER BY number LIMIT 1 \gset
CALL clv_forget('act', :whom);
SELECT count(*) AS left FROM act_data.conversation WHERE customer_id = :whom;

-- ---- the check: as clv_check says ----
SELECT severity, finding, rows, customers, share FROM act."check" ORDER BY number;
INSERT INTO sale SELECT NULL, date '2021-06-01' + i % 20, 30 FROM generate_series(1, 3000) i;
CALL clv_refresh('act', 'full');
-- the notice, without those that say how long steps took
SET client_min_messages = notice;
DELETE FROM act_data.finding;
SELECT clv_internal.clv_pipeline_step_check(clv_internal.clv_pipeline_read('act'), max(run)) AS findings
FROM act_data.run;
SET client_min_messages = warning;
SELECT c.severity, c.finding, c.rows, c.customers, c.advice = f.advice AS advice
FROM act."check" c JOIN clv_check('sale', 'customer_id', 'day', 'amount') f USING (severity, finding, rows)
ORDER BY c.number;
-- of many customers a part, and all rows of none
SELECT clv_internal.clv_pipeline_checked(clv_internal.clv_pipeline_read('act'), 8) AS part \gset
SELECT count(*) FILTER (WHERE customer IS NULL) AS guests, count(DISTINCT customer) BETWEEN 60 AND 140 AS an_eighth
FROM (:part) q;

-- ---- thresholds of one's own ----
CALL clv_alter_pipeline('act', cuts => '{"r": [30, 90, 180, 365], "f": [1, 2, 3, 5], "c": 3}',
	map => '[{"segment": "late", "r": {"max": 2}, "c": [1, 2, 3]}, {"segment": "others"}]', tiers => '{20,50}');
CALL clv_refresh('act');
SELECT bool_and(recency_score = 5 - (recency > 30)::int - (recency > 90)::int - (recency > 180)::int
		- (recency > 365)::int) AS recency,
	   bool_and(frequency_score = 1 + (frequency > 1)::int + (frequency > 2)::int + (frequency > 3)::int
		+ (frequency > 5)::int) AS frequency,
	   min(churn_score) || ' to ' || max(churn_score) AS churn, max(value_score) AS value,
	   count(*) FILTER (WHERE tier = 'low') BETWEEN 160 AND 200 AS a_fifth,
	   count(*) FILTER (WHERE tier = 'high') BETWEEN 380 AND 400 AS half
FROM act.customers;
SELECT bool_and(c.churn_score = (s.s).c) AS churn
FROM act.customers c
JOIN (SELECT customer_id, rfmtc_score(history, model, bins => 3) OVER () AS s FROM member, fitted) s
	USING (customer_id);
CALL clv_alter_pipeline('act', "reset" => '{cuts}', map => 'rfmtc');
CALL clv_refresh('act');
SELECT max(churn_score) AS churn FROM act.customers;
\set VERBOSITY terse
CALL clv_alter_pipeline('act', cuts => '{}');
CALL clv_alter_pipeline('act', cuts => '[30]');
CALL clv_alter_pipeline('act', cuts => '{"x": [30]}');
CALL clv_alter_pipeline('act', cuts => '{"r": [90, 30]}');
CALL clv_alter_pipeline('act', cuts => '{"r": []}');
CALL clv_alter_pipeline('act', cuts => '{"r": 1}');
CALL clv_alter_pipeline('act', cuts => '{"r": "few"}');
CALL clv_alter_pipeline('act', cuts => '{"v": [10, 100]}');
CALL clv_alter_pipeline('act', cuts => '{"v": 10}');
CALL clv_alter_pipeline('act', tiers => '{70,10}');
CALL clv_alter_pipeline('act', tiers => '{0,70}');
CALL clv_alter_pipeline('act', tiers => '{10}');
\set VERBOSITY default
CALL clv_drop_pipeline('act');

-- ---- without money, and in whole periods ----
CALL clv_create_pipeline('bare', 'sale', 'customer_id', 'day');
CALL clv_refresh('bare');
SELECT count(*) = count(tier) AS tiers, count(total_value) AS valued, count(mean_spend) AS spent,
	   corr(value_percentile, percent_rank) > 0.999 AS by_purchases
FROM (SELECT *, percent_rank() OVER (ORDER BY expected_purchases) FROM bare.customers) q;
SELECT count(*) > 0 AS alerts, bool_and(reason <> '') AS reasons FROM bare.alerts;
CALL clv_drop_pipeline('bare');
CALL clv_create_pipeline('years', 'sale', 'customer_id', 'day', 'amount', horizon => '2 years',
	options => clv_options(model => 'bg/bb', time_unit => '3 months'));
CALL clv_refresh('years');
SELECT count(*) AS customers, count(lapse_date) > 0 AS lapse_dates, count(next_purchase) > 0 AS next_purchases,
	   count(active_30d) AS in_30_days FROM years.customers;
CALL clv_drop_pipeline('years');
DROP SCHEMA pipeline_actions CASCADE;
