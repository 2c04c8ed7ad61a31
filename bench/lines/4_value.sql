-- From orders, or from histories, to the value of each customer: against what others took for as many.
--
-- Where python3 has lifetimes, it has been timed over the same orders (:rival_orders and :rival_histories,
-- milliseconds). Otherwise stands what 0.11.3 took once for a million customers with 5.13 M orders: summary, fits and
-- value 60 s of CPU; 45 s from its summary. Its fit of pareto/nbd was stopped at 500 s.

-- source is read twice: by the fit, and by the prediction
CREATE FUNCTION value_query(source text, model text, before text DEFAULT '') RETURNS text LANGUAGE sql RETURN format($$
	WITH %s m AS MATERIALIZED (SELECT clv_fit(history, clv_options(model => %L, as_of => '2017-12-31')) AS model
							   FROM %s)
	SELECT count((p).clv)
	FROM (SELECT clv_predict(model, history, horizon => '1 year', discount_rate => 0.10) AS p
		  FROM %3$s, m OFFSET 0) q$$,
	before, model, source);
CREATE PROCEDURE value_line(what text, query text, rival text, rival_ms float8, bar text, aim text)
LANGUAGE plpgsql AS $$
BEGIN
	CALL measure(what, query, NULL);
	CALL report_rival(what, rival, rival_ms, bar, aim);
END $$;

SELECT $$made AS MATERIALIZED (SELECT * FROM clv_histories('SELECT customer_id, ordered_at, amount FROM orders')
		AS (customer_id int, history clv_history)),$$ AS histories,
	   $$made AS MATERIALIZED (SELECT customer_id, clv_history(ordered_at, amount) AS history FROM orders
		GROUP BY customer_id),$$ AS grouped \gset
SELECT format('CALL value_line(%L, %L, %L, %L, %L, %L)', what || ', ' || :'crowd', query,
	   CASE WHEN here > 0 THEN 'lifetimes, here' WHEN :customers = 1000000 THEN 'lifetimes, once' END,
	   CASE WHEN here > 0 THEN here WHEN :customers = 1000000 THEN once END,
	   for_a_million(bar), for_a_million(aim))
FROM (VALUES
	(1, 'orders to CLV, bg/nbd', value_query('made', 'bg/nbd', :'histories'), :rival_orders, 60000, '10 x', '15 x'),
	(2, 'orders to CLV, pareto/nbd', value_query('made', 'pareto/nbd', :'histories'), 0, 500000, '80 x', '150 x'),
	(3, 'orders to CLV, by GROUP BY, bg/nbd', value_query('made', 'bg/nbd', :'grouped'), :rival_orders, 60000,
		'-', '-'),
	(4, 'histories to CLV, bg/nbd', value_query('customer', 'bg/nbd'), :rival_histories, 45000, '25 x', '60 x'))
	line (id, what, query, here, once, bar, aim)
ORDER BY id \gexec
