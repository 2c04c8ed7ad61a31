-- Predictions, against functions that do nothing with the same arguments. The bars are for a million customers: what
-- is worked out once for all who are alike weighs more where there are fewer.

CREATE TABLE model AS
SELECT clv_fit(history, clv_options(model => 'bg/nbd', as_of => '2017-12-31')) AS bg,
	   clv_fit(history, clv_options(model => 'pareto/nbd', as_of => '2017-12-31')) AS pareto,
	   clv_fit(history, clv_options(model => 'pareto/nbd', as_of => '2017-12-31', season => 2)) AS seasonal
FROM customer;

CREATE PROCEDURE function_line(name text, query text, floor text, bar text DEFAULT '-', aim text DEFAULT '-')
LANGUAGE plpgsql AS $$
BEGIN
	CALL measure(name, query, floor);
	CALL report_ratio(name, for_a_million(bar), for_a_million(aim));
END $$;

-- A row is asked for several of its columns: OFFSET 0 keeps the planner from calling the function once for each.
CREATE FUNCTION row_query(of_function text) RETURNS text LANGUAGE sql RETURN format(
	'SELECT count((p).clv), count((p).lifetime_value), count((p).next_purchase_value)
	 FROM (SELECT %s AS p FROM customer, model OFFSET 0) q', of_function);

CALL function_line('clv_p_alive, bg/nbd, ' || :'crowd', 'SELECT count(clv_p_alive(bg, history)) FROM customer, model',
	'SELECT count(bench_trivial(bg, history)) FROM customer, model', '2 x', '1.3 x');
CALL function_line('clv_p_alive, pareto/nbd, ' || :'crowd',
	'SELECT count(clv_p_alive(pareto, history)) FROM customer, model',
	'SELECT count(bench_trivial(pareto, history)) FROM customer, model', '4 x', '2 x');
CALL function_line('clv_expected_purchases, one year, bg/nbd, ' || :'crowd',
	$$SELECT count(clv_expected_purchases(bg, history, interval '1 year')) FROM customer, model$$,
	'SELECT count(bench_trivial(bg, history)) FROM customer, model');
CALL function_line('clv_predict, all columns, bg/nbd, ' || :'crowd',
	row_query($$clv_predict(bg, history, horizon => '1 year', discount_rate => 0.10)$$),
	row_query('bench_row(bg, history)'), '2 x', '1.3 x');
CALL function_line('clv_predict, all columns, pareto/nbd, ' || :'crowd',
	row_query($$clv_predict(pareto, history, horizon => '1 year', discount_rate => 0.10)$$),
	row_query('bench_row(pareto, history)'));
CALL function_line('clv_predict in LATERAL, all columns, bg/nbd, ' || :'crowd',
	$$SELECT count(p.clv), count(p.lifetime_value), count(p.next_purchase_value)
	  FROM customer, model, clv_predict(bg, history, horizon => '1 year', discount_rate => 0.10) p$$,
	$$
	SELECT count(p.clv), count(p.lifetime_value), count(p.next_purchase_value)
	  FROM customer, model, bench_row(bg, history) p$$);
-- by a calendar, against the same without it
CALL function_line('clv_p_alive, pareto/nbd by a calendar, ' || :'crowd',
	'SELECT count(clv_p_alive(seasonal, history)) FROM customer, model',
	'SELECT count(clv_p_alive(pareto, history)) FROM customer, model', '2 x', '1.5 x');
CALL function_line('clv_active_probability, 30 days, pareto/nbd by a calendar, ' || :'crowd',
	$$SELECT count(clv_active_probability(seasonal, history, interval '30 days')) FROM customer, model$$,
	$$SELECT count(clv_active_probability(pareto, history, interval '30 days')) FROM customer, model$$, '2 x', '1.5 x');
CALL measure('rfmtc_score, all scores, ' || :'crowd',
	'SELECT count(s) FROM (SELECT rfmtc_score(history, bg) OVER () AS s FROM customer, model) q', NULL);
CALL report_time('rfmtc_score, all scores, ' || :'crowd');
