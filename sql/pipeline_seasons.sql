-- Pipelines whose model has a season and a trend: forecasts of months, refreshes, data too short for a hold-out.
SET client_min_messages = error;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TABLE till AS
SELECT s.customer AS id, s.day, (20 + s.customer % 7 + extract(day FROM s.day))::numeric AS amount
FROM (SELECT clv_calendar(day::date, ARRAY[cos(2 * pi() * (day::date - date '2000-01-01' + 3.5) / 365.25)],
	'{winter}') AS calendar
	  FROM generate_series(timestamp '2021-01-04', '2023-12-25', '7 days') day) c,
	 clv_simulate(clv_model('mbg/nbd', '{"r":0.6,"alpha":8,"a":0.3,"b":2.0}', '1 week', NULL,
							'[{"name":"winter","purchase":0.7}]', calendar => calendar),
				  500, '2021-01-04', '2023-12-31', 3, acquired_until => '2022-06-30') s;
CALL clv_create_pipeline('seasons', 'till', 'id', 'day', 'amount', as_of => '2023-12-31',
	options => clv_options(season => '1'));
CALL clv_refresh('seasons');
-- three months of winter bring more than twice what three months of summer do
SELECT sum(expected_purchases) FILTER (WHERE extract(month FROM month) IN (1, 2, 12))
	   > 2 * sum(expected_purchases) FILTER (WHERE extract(month FROM month) IN (6, 7, 8)) AS winter,
	   count(*)
FROM seasons.forecast
WHERE segment = '(all)';
-- what other columns expect is the same
SELECT abs(sum(c.expected_purchases) / (SELECT sum(f.expected_purchases) FROM seasons.forecast f
	WHERE segment = '(all)') - 1) < 0.01 AS year
FROM seasons.customers c;
SELECT count(*) > 0 AS validated FROM seasons.lift;
-- customers that change are exchanged in the cells
INSERT INTO till VALUES (5, '2023-12-30', 10), (600, '2023-12-29', 20);
CALL clv_refresh('seasons');
SELECT (SELECT log_likelihood FROM seasons.models WHERE is_current)
	   = (SELECT (clv_diagnostics(clv_fit(history, clv_options(as_of => '2023-12-31', season => '1')))).log_likelihood
		  FROM (SELECT clv_history(day, amount) AS history FROM till GROUP BY id) h) AS same;
-- less than fifteen months before the hold-out: there is no validation, and a note
DELETE FROM till WHERE day < '2022-06-01';
CALL clv_refresh('seasons', 'full');
SELECT note FROM seasons.runs WHERE is_current;
CALL clv_drop_pipeline('seasons');
DROP TABLE till;
